//! What outlives an erasure, and the erasure itself.

use max_core::command::{Command, Request};
use max_core::id::{Digest, LeadRef, SignalId};
use max_core::lead::{Actor, NewLead, Outcome};
use max_engine::ports::{Done, Erasure, Suppression, SuppressionReason};

use super::{Subject, external, hand_off, receive, send};
use crate::builders::{Story, beginning, keyed, new_lead};

pub(super) fn suppressions_are_kept(subject: &Subject) {
    let hash = Digest::of(b"a keyed hash");
    let one = Suppression { hash, reason: SuppressionReason::OptOut, at: beginning(), by: "lead 1".into() };
    assert_eq!(subject.store.suppression(hash), Ok(None));
    subject.store.put_suppression(&one).expect("kept");
    let later = Suppression { reason: SuppressionReason::Manual, by: "ada".into(), ..one.clone() };
    subject.store.put_suppression(&later).expect("known already");
    assert_eq!(subject.store.suppression(hash), Ok(Some(one.clone())), "what was known stays");
    assert_eq!(subject.store.suppressions(), Ok(vec![one]));
    assert_eq!(subject.store.remove_suppression(hash), Ok(true));
    assert_eq!(subject.store.remove_suppression(hash), Ok(false));
}

pub(super) fn an_erased_lead_is_a_shell_and_its_chain_verifies(subject: &Subject) {
    let (mut ada, first) = Story::with(NewLead {
        email: "ada@example.org".into(),
        phone: Some("+49 555 0100".into()),
        external_ref: Some(external("shop-17")),
        ..new_lead("Ada")
    });
    subject.keep(&[keyed(first, "api:t:ada")]);
    let mut request = Request::new(Actor::Signal("Ada herself".into()), hand_off());
    request.signal_id = Some(SignalId::try_from("ada-1".to_owned()).expect("an id"));
    let moved = ada.request(request);
    subject.keep(&[moved]);
    let (wrote, received) = (send(&mut ada), receive(&mut ada, "thread-1@example.org"));
    subject.keep(&[wrote, received]);
    let erase = ada.step(Actor::Director, Command::Erase);
    let left = serde_json::to_vec(&erase.entry.events).expect("JSON");
    subject.keep(&[erase]);
    let open = Erasure { lead: ada.id(), at: ada.lead().updated_at, done: false };
    assert_eq!(subject.store.erasures(), Ok(vec![open]), "in the same commit");
    let before = subject.store.entries(ada.id(), 0, 100).expect("a read");

    for _ in 0..2 {
        subject.store.erase(ada.id(), &left).expect("blanked, and again");
        subject.store.scrub().expect("scrubbed");
    }

    assert_eq!(subject.store.verify(), Ok(Vec::new()), "the chain verifies");
    let after = subject.store.entries(ada.id(), 0, 100).expect("a read");
    assert_eq!(after.iter().map(|l| l.seal).collect::<Vec<_>>(), before.iter().map(|l| l.seal).collect::<Vec<_>>());
    assert!(after.iter().all(|l| l.erased) && after[1..].iter().all(|l| l.entry.events.is_empty()));
    // Ids and digests are hexadecimal and may spell a name by chance.
    let text: String =
        after.iter().map(|l| format!("{:?}", (&l.entry.events, &l.entry.by, &l.entry.signal_id))).collect();
    for gone in ["Ada", "ada", "0100", "shop-17", "Thank you", "thread-1"] {
        assert!(!text.contains(gone), "{gone} is still there: {text}");
    }
    let lead = subject.store.lead(ada.id()).expect("a read").expect("it is still known by its id");
    assert_eq!(lead.outcome(), Some(Outcome::Erased));
    assert_eq!(lead.contact, NewLead::default());
    assert!(lead.messages.is_empty() && lead.data.is_empty() && lead.history.is_empty());
    assert_eq!((lead.version, lead.chain), (ada.lead().version, ada.lead().chain));
    assert_eq!(subject.store.resolve(&LeadRef::External(external("shop-17"))), Ok(None));
    assert_eq!(subject.store.any_lead_of("ada@example.org"), Ok(None));
    assert_eq!(subject.store.lead_of_thread("thread-1@example.org"), Ok(None));
    assert_eq!(subject.store.outbox(10), Ok(Vec::new()));
    let used = subject.store.idempotency("api:t:ada").expect("a read").expect("a second copy stays one");
    assert_eq!((used.done, used.once.key.as_str()), (Done::Lead(ada.id()), "api:t:ada"));
    subject.store.put_erasure(&Erasure { done: true, ..open }).expect("kept");
    assert_eq!(subject.store.erasures(), Ok(vec![Erasure { done: true, ..open }]));
    // Ada may come back: nothing stands in her way.
    let (again, first) = Story::with(NewLead { email: "ada@example.org".into(), ..new_lead("Ada") });
    if again.id() != ada.id() {
        subject.keep(&[first]);
        assert_eq!(subject.store.any_lead_of("ada@example.org"), Ok(Some(again.id())));
    }
}
