//! What is not derived from the log: named values, tokens, standing wake-ups.

use max_core::id::Digest;
use max_core::stage::Eidolon;
use max_engine::ports::{SapWave, SapWaveTime, TokenRow};

use super::Subject;
use crate::builders::beginning;

pub(super) fn named_values_are_kept(subject: &Subject) {
    assert_eq!(subject.store.meta("watermark"), Ok(None));
    subject.store.set_meta("watermark", "1").expect("kept");
    subject.store.set_meta("watermark", "2").expect("kept");
    assert_eq!(subject.store.meta("watermark"), Ok(Some("2".into())));
}

pub(super) fn tokens_are_kept(subject: &Subject) {
    let token = TokenRow {
        id: "t1".into(),
        name: "the web site".into(),
        hash: Digest::of(b"secret"),
        scopes: vec!["ingest".into(), "eidolon:scoping".into()],
        created_at: beginning(),
    };
    subject.store.add_token(&token).expect("kept");
    assert_eq!(subject.store.tokens(), Ok(vec![token]));
    assert_eq!(subject.store.revoke_token("t1"), Ok(true));
    assert_eq!(subject.store.revoke_token("t1"), Ok(false));
    assert_eq!(subject.store.tokens(), Ok(Vec::new()));
}

pub(super) fn sapwaves_are_kept(subject: &Subject) {
    let mut wave = SapWave {
        name: "weekly".into(),
        eidolon: Eidolon::Maestro,
        when: SapWaveTime::Cron("0 9 * * 1".into()),
        message: "review the week".into(),
        last_run: None,
        next_run: Some(beginning()),
    };
    subject.store.put_sapwave(&wave).expect("kept");
    wave.last_run = Some(beginning());
    wave.when = SapWaveTime::Once(beginning());
    subject.store.put_sapwave(&wave).expect("replaced");
    assert_eq!(subject.store.sapwaves(), Ok(vec![wave]));
    assert_eq!(subject.store.remove_sapwave("weekly"), Ok(true));
    assert_eq!(subject.store.remove_sapwave("weekly"), Ok(false));
}
