//! The log itself: what is committed, refused and read back.

use std::sync::Arc;

use jiff::SignedDuration;
use max_core::command::Request;
use max_core::id::{Digest, SignalId};
use max_core::lead::{Actor, NewLead};
use max_engine::ports::{Done, Idempotency, KeptAnswer, OnceKey, RenderedState, WriteError};

use super::{Meddling, Subject, hand_off, nobody};
use crate::builders::{Story, beginning, keyed, new_lead};

pub(super) fn committed_writes_are_visible(subject: &Subject) {
    assert_eq!(subject.store.last_position(), Ok(0));
    assert!(subject.store.commit(&[]).expect("nothing to do").is_empty());
    let (story, write) = Story::of("Ada");
    let positions = subject.keep(&[write]);
    assert_eq!(subject.store.last_position(), Ok(positions[0]));
    assert_eq!(subject.store.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
    assert_eq!(subject.store.lead(nobody()), Ok(None));
}

pub(super) fn a_rendered_state_is_that_of_the_newest_version(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let rendered = |story: &Story| Ok(Some(RenderedState::of(story.lead())));
    assert_eq!(subject.store.state(story.id()), rendered(&story), "somebody works on it");
    for write in story.to_scope_approval() {
        subject.keep(&[write]);
    }
    assert_eq!(subject.store.state(story.id()), rendered(&story), "it waits for a person");
    subject.keep(&[story.hand_off()]);
    assert_eq!(subject.store.state(story.id()), rendered(&story), "an older rendering does not count");
    assert_eq!(subject.store.state(nobody()), Ok(None));
}

pub(super) fn a_lead_is_the_fold_of_its_entries(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    subject.keep(&story.to_scope_approval());
    let lead = subject.store.lead(story.id()).expect("a read").expect("the lead");
    assert_eq!(lead, **story.lead());
    assert_ne!(lead.chain, Digest([0; 32]));
}

pub(super) fn another_version_is_a_conflict(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let mut other = story.clone();
    let (first, second) = (story.hand_off(), other.hand_off());
    let third = other.hand_off();
    subject.keep(&[first]);
    let before = subject.store.last_position();
    assert_eq!(subject.commit(&[second]), [Err(WriteError::Conflict)], "the same version twice");
    let mut far = third;
    far.entry.version = 9;
    assert_eq!(subject.commit(&[far]), [Err(WriteError::Conflict)], "a gap");
    let (_, mut unborn) = Story::of("Bob");
    unborn.entry.version = 2;
    assert_eq!(subject.commit(&[unborn.clone()]), [Err(WriteError::Conflict)], "a second entry without a first");
    let (_, again) = Story::of("Ada");
    let mut again = again;
    again.entry.lead = story.id();
    assert_eq!(subject.commit(&[again]), [Err(WriteError::Conflict)], "a first entry of a known lead");
    assert_eq!(subject.store.last_position(), before);
    assert_eq!(subject.store.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
    assert_eq!(subject.store.lead(unborn.entry.lead), Ok(None));
}

pub(super) fn a_failed_write_leaves_the_others_alone(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let mut late = story.clone();
    subject.keep(&[story.hand_off()]);
    let (bob, first) = Story::of("Bob");
    let (cleo, last) = Story::of("Cleo");
    // The failing write would also have changed the tables beside the log.
    let outcomes = subject.commit(&[first, keyed(late.hand_off(), "late"), last]);
    assert!(matches!(outcomes[..], [Ok(a), Err(WriteError::Conflict), Ok(b)] if a < b), "{outcomes:?}");
    assert_eq!(subject.store.idempotency("late"), Ok(None));
    assert_eq!(subject.store.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
    for other in [bob, cleo] {
        assert_eq!(subject.store.lead(other.id()), Ok(Some(other.lead().as_ref().clone())));
    }
    assert_eq!(subject.store.verify(), Ok(Vec::new()));
}

pub(super) fn a_batch_may_hold_several_writes_of_a_lead(subject: &Subject) {
    let (mut story, first) = Story::of("Ada");
    let batch = [first, story.hand_off(), story.hand_off()];
    let positions = subject.keep(&batch);
    assert!(positions.is_sorted());
    assert_eq!(subject.store.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
}

pub(super) fn an_idempotency_key_counts_once(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let first = keyed(story.hand_off(), "api:t:1");
    let once = first.idempotency.clone().expect("a key");
    let used = Idempotency { once, done: Done::Lead(story.id()), at: first.entry.at };
    subject.keep(&[first]);
    assert_eq!(subject.store.idempotency("api:t:1"), Ok(Some(used)));
    assert_eq!(subject.store.idempotency("api:t:2"), Ok(None));
    let before = story.lead().as_ref().clone();
    let again = keyed(story.hand_off(), "api:t:1");
    assert_eq!(subject.commit(&[again]), [Err(WriteError::KeyTaken)]);
    assert_eq!(subject.store.lead(story.id()), Ok(Some(before)));
    let (_, one) = Story::of("Bob");
    let (_, two) = Story::of("Cleo");
    let outcomes = subject.commit(&[keyed(one, "api:t:3"), keyed(two, "api:t:3")]);
    assert!(matches!(outcomes[..], [Ok(_), Err(WriteError::KeyTaken)]), "also within a batch: {outcomes:?}");
}

pub(super) fn keys_of_requests_that_appended_nothing_are_kept(subject: &Subject) {
    let story = subject.ingested("Ada");
    let used = |key: &str, done: Done| Idempotency {
        once: OnceKey { key: key.into(), body: Digest::of(key.as_bytes()) },
        done,
        at: story.lead().updated_at,
    };
    let answer = |status, body: &str| Done::Answered(KeptAnswer { status, body: body.into() });
    let kept = [
        used("api:t:1", Done::Lead(story.id())),
        used("api:t:2", answer(201, "{\"name\":\"weekly\"}")),
        used("api:t:3", answer(204, "")),
    ];
    subject.store.keep_keys(&kept).expect("kept");
    subject.store.keep_keys(&[]).expect("nothing to do");
    let others = [used("api:t:1", answer(200, "x")), used("api:t:2", answer(500, "x"))];
    subject.store.keep_keys(&others).expect("known already");
    for one in kept {
        assert_eq!(subject.store.idempotency(&one.once.key), Ok(Some(one)), "what was known stays");
    }
    let mut story = story;
    let again = keyed(story.hand_off(), "api:t:1");
    assert_eq!(subject.commit(&[again]), [Err(WriteError::KeyTaken)]);
}

pub(super) fn entries_come_in_order(subject: &Subject) {
    let mut ada = subject.ingested("Ada");
    let mut bob = subject.ingested("Bob");
    subject.keep(&[ada.hand_off(), bob.hand_off(), ada.hand_off()]);
    let versions = |after, limit| -> Vec<u64> {
        let entries = subject.store.entries(ada.id(), after, limit).expect("a read");
        entries.iter().map(|l| l.entry.version).collect()
    };
    assert_eq!(versions(0, 10), [1, 2, 3]);
    assert_eq!(versions(1, 1), [2]);
    assert_eq!(versions(3, 10), [0; 0]);
    let all = subject.store.entries_after(0, 100).expect("a read");
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|a, b| a.position < b.position));
    let rest = subject.store.entries_after(all[1].position, 2).expect("a read");
    assert_eq!(rest.iter().map(|l| l.position).collect::<Vec<_>>(), [all[2].position, all[3].position]);
    assert_eq!(subject.store.last_position(), Ok(all[4].position));
}

pub(super) fn entries_come_back_exactly(subject: &Subject) {
    let (mut story, first) =
        Story::with(NewLead { message: "Grüße ‰ \u{1f600} \0 \"quoted\"".into(), ..new_lead("Ada") });
    let mut request = Request::new(Actor::Signal("A person: of sorts".into()), hand_off());
    request.signal_id = Some(SignalId::try_from("file-1".to_owned()).expect("an id"));
    let second = story.request(request);
    let writes = [first, second];
    subject.keep(&writes);
    let logged = subject.store.entries(story.id(), 0, 10).expect("a read");
    for (logged, write) in logged.iter().zip(&writes) {
        assert_eq!(logged.entry, write.entry);
        assert_eq!(logged.seal, write.seal);
        assert!(!logged.erased);
    }
    assert_eq!(logged.len(), 2);
}

pub(super) fn tampering_is_found(subject: &Subject) {
    let mut ada = subject.ingested("Ada");
    subject.ingested("Bob");
    subject.keep(&[ada.hand_off(), ada.hand_off()]);
    assert_eq!(subject.store.verify(), Ok(Vec::new()));
    (subject.meddle)(ada.id(), 2, Meddling::Tamper);
    assert_eq!(subject.store.verify(), Ok(vec![(ada.id(), 2)]));
}

pub(super) fn erased_payloads_verify(subject: &Subject) {
    let mut ada = subject.ingested("Ada");
    subject.keep(&[ada.hand_off(), ada.hand_off()]);
    let before = subject.store.entries(ada.id(), 0, 10).expect("a read");
    (subject.meddle)(ada.id(), 2, Meddling::Erase);
    assert_eq!(subject.store.verify(), Ok(Vec::new()));
    let after = subject.store.entries(ada.id(), 0, 10).expect("a read");
    assert!(after[1].erased && after[1].entry.events.is_empty());
    assert!(!after[0].erased && !after[0].entry.events.is_empty());
    assert_eq!(after.iter().map(|l| l.seal).collect::<Vec<_>>(), before.iter().map(|l| l.seal).collect::<Vec<_>>());
}

pub(super) fn readers_and_a_writer_at_once(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let id = story.id();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..12)
            .map(|_| {
                let store = Arc::clone(&subject.store);
                scope.spawn(move || {
                    let mut seen = 0;
                    while seen < 7 {
                        let version = store.lead(id).expect("a read").expect("the lead").version;
                        assert!(version >= seen, "what was visible stays visible");
                        seen = version;
                    }
                })
            })
            .collect();
        for stage in 1..7 {
            let mut write = story.hand_off();
            write.wake_at = Some(beginning() + SignedDuration::from_hours(stage));
            subject.keep(&[write]);
        }
        for reader in readers {
            reader.join().expect("a reader");
        }
    });
}
