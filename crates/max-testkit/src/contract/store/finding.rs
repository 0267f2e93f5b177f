//! Finding leads: by reference, person, message, conversation, and in lists.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use max_core::id::{LeadId, LeadRef};
use max_core::lead::{NewLead, Status};
use max_core::stage::Stage;
use max_engine::ports::{LeadFilter, Page, StoreError, WriteError};

use super::{Subject, close, external, nobody, receive, send};
use crate::builders::{Story, keyed, new_lead};

pub(super) fn an_external_ref_belongs_to_one_lead(subject: &Subject) {
    let name = external("abc-123");
    let (first, write) = Story::with(NewLead { external_ref: Some(name.clone()), ..new_lead("Ada") });
    subject.keep(&[write]);
    let (second, write) = Story::with(NewLead { external_ref: Some(name.clone()), ..new_lead("Bob") });
    assert_eq!(subject.commit(&[keyed(write, "api:t:1")]), [Err(WriteError::ExternalRefTaken(name.clone()))]);
    assert_eq!(subject.store.idempotency("api:t:1"), Ok(None), "nothing of the write is left, not even its key");
    assert_eq!(subject.store.lead(second.id()), Ok(None));
    assert_eq!(subject.store.resolve(&LeadRef::External(name)), Ok(Some(first.id())));
}

pub(super) fn references_resolve(subject: &Subject) {
    let story = subject.ingested("Ada");
    assert_eq!(subject.store.resolve(&LeadRef::Id(story.id())), Ok(Some(story.id())));
    assert_eq!(subject.store.resolve(&LeadRef::Id(nobody())), Ok(None));
    assert_eq!(subject.store.resolve(&LeadRef::External(external("abc-123"))), Ok(None));
}

pub(super) fn leads_of_a_person_are_found(subject: &Subject) {
    let mut older = subject.ingested("Ada");
    let newer = subject.ingested("Ada");
    let key = newer.lead().contact.person_key();
    assert_eq!(subject.store.open_lead_of(&key), Ok(Some(newer.id())));
    assert_eq!(subject.store.open_lead_of("bob@example.com"), Ok(None));
    subject.keep(&[close(&mut newer.clone())]);
    assert_eq!(subject.store.open_lead_of(&key), Ok(Some(older.id())), "a closed one is not open");
    assert_eq!(subject.store.any_lead_of(&key), Ok(Some(newer.id())));
    subject.keep(&[close(&mut older)]);
    assert_eq!(subject.store.open_lead_of(&key), Ok(None));
    let (nameless, write) = Story::with(NewLead { email: String::new(), ..new_lead("Eve") });
    subject.keep(&[write]);
    assert_eq!(subject.store.any_lead_of("eve"), Ok(Some(nameless.id())), "without an address the name counts");
}

pub(super) fn leads_of_a_company_are_found(subject: &Subject) {
    let of = |name: &str, email: &str, website: Option<&str>| {
        let website = website.map(str::to_owned);
        let (story, write) = Story::with(NewLead { email: email.into(), website, ..new_lead(name) });
        subject.keep(&[write]);
        story.id()
    };
    let by_mail = of("Ada", "ada@studio.example", None);
    let by_site = of("Bo", "bo@gmail.com", Some("https://www.studio.example/about"));
    of("Cy", "cy@gmail.com", None);
    let found = |domain: &str, limit| subject.store.leads_of_company(domain, limit);
    assert_eq!(found("studio.example", 9), Ok(vec![by_site, by_mail]), "newest first");
    assert_eq!(found("studio.example", 1), Ok(vec![by_site]));
    assert_eq!(found("gmail.com", 9), Ok(vec![]), "a provider is no company");
}

pub(super) fn fingerprints_are_found(subject: &Subject) {
    let story = subject.ingested("Ada");
    let fingerprint = story.lead().contact.fingerprint();
    let came = story.lead().created_at;
    let found = |since| subject.store.lead_with_fingerprint(fingerprint, since);
    assert_eq!(found(came), Ok(Some(story.id())));
    assert_eq!(found(came + SignedDuration::from_nanos(1)), Ok(None));
    let mut alike = fingerprint;
    alike.0[31] ^= 1;
    assert_eq!(subject.store.lead_with_fingerprint(alike, came), Ok(None));
}

pub(super) fn threads_are_found(subject: &Subject) {
    let mut lead = new_lead("Ada");
    lead.extra.insert("message_id".into(), "first@client.example".into());
    let (mut story, write) = Story::with(lead);
    subject.keep(&[write]);
    let received = receive(&mut story, "second@client.example");
    let sent = send(&mut story);
    subject.keep(&[received, sent]);
    let ours = story.lead().outbox().next().expect("a queued message").rfc_id.clone();
    for rfc_id in ["first@client.example", "second@client.example", &ours] {
        assert_eq!(subject.store.lead_of_thread(rfc_id), Ok(Some(story.id())), "{rfc_id}");
    }
    let mut thief = subject.ingested("Eve");
    subject.keep(&[receive(&mut thief, &ours)]);
    assert_eq!(subject.store.lead_of_thread(&ours), Ok(Some(story.id())), "who repeats an id does not get the thread");
    assert_eq!(subject.store.lead_of_thread(""), Ok(None));
}

pub(super) fn counts_follow_the_leads(subject: &Subject) {
    assert_eq!(subject.store.counts(), Ok(Vec::new()));
    let mut ada = subject.ingested("Ada");
    subject.ingested("Bob");
    let counts = || subject.store.counts().expect("a read").into_iter().collect::<BTreeSet<_>>();
    assert_eq!(counts(), BTreeSet::from([(Stage::LeadGen, Status::InProgress, 2)]));
    subject.keep(&[ada.hand_off(), ada.hand_off()]);
    let late = keyed(ada.clone().hand_off(), "k");
    assert_eq!(
        counts(),
        BTreeSet::from([(Stage::LeadGen, Status::InProgress, 1), (Stage::Scoping, Status::InProgress, 1)])
    );
    subject.keep(&[close(&mut ada)]);
    assert_eq!(subject.commit(&[late]), [Err(WriteError::Conflict)], "what failed is not counted");
    assert_eq!(
        counts(),
        BTreeSet::from([(Stage::LeadGen, Status::InProgress, 1), (Stage::Scoping, Status::Completed, 1)])
    );
}

pub(super) fn lists_are_paged(subject: &Subject) {
    let mut stories: Vec<Story> = ["Ada", "Bob", "Cleo", "Dan", "Eve"].map(|n| subject.ingested(n)).into();
    // All came in at the same moment; the last one in is the newest. Then Bob moves.
    subject.keep(&[stories[1].hand_off()]);
    let mut names = Vec::new();
    let mut filter = LeadFilter { limit: 2, ..LeadFilter::default() };
    loop {
        let page = subject.store.list(&filter).expect("a page");
        assert!(page.rows.len() <= 2);
        names.extend(page.rows.into_iter().map(|row| row.name));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Bob", "Eve", "Dan", "Cleo", "Ada"]);
    filter.cursor = Some("nonsense".into());
    assert!(matches!(subject.store.list(&filter), Err(StoreError::Unavailable(_))));
}

pub(super) fn lists_are_filtered(subject: &Subject) {
    let müller = NewLead {
        company: Some("MÜLLER & Söhne".into()),
        external_ref: Some(external("abc-123")),
        ..new_lead("Ada Lovelace")
    };
    let (mut ada, write) = Story::with(müller);
    subject.keep(&[write]);
    let mut bob = subject.ingested("Bob");
    subject.keep(&[ada.hand_off(), close(&mut bob)]);
    let list = |filter: LeadFilter| -> Vec<LeadId> {
        let page: Page = subject.store.list(&LeadFilter { limit: 10, ..filter }).expect("a page");
        assert_eq!(page.next, None);
        page.rows.iter().map(|row| row.lead_id).collect()
    };
    let by_search = |text: &str| list(LeadFilter { search: Some(text.into()), ..LeadFilter::default() });
    for text in ["ada", "müller", "LOVELACE müll", "abc-1", "ada.lovelace@example", ""] {
        assert!(by_search(text).contains(&ada.id()), "{text}");
    }
    assert_eq!(by_search("ada bob"), [], "every word has to stand somewhere");
    assert_eq!(by_search("%"), [], "a word is no pattern");
    let stage = |stage, status| list(LeadFilter { stage, status, ..LeadFilter::default() });
    assert_eq!(stage(Some(Stage::FirstResponder), None), [ada.id()]);
    assert_eq!(stage(None, Some(Status::Completed)), [bob.id()]);
    assert_eq!(stage(Some(Stage::LeadGen), Some(Status::Completed)), [bob.id()]);
    assert_eq!(stage(Some(Stage::LeadGen), Some(Status::InProgress)), []);
    let row = subject.store.list(&LeadFilter { limit: 1, search: Some("ada".into()), ..LeadFilter::default() });
    assert_eq!(row.expect("a page").rows, [max_engine::ports::LeadRow::of(ada.lead())]);
    let row = subject.store.list(&LeadFilter { limit: 1, search: Some("bob".into()), ..LeadFilter::default() });
    assert_eq!(row.expect("a page").rows[0].outcome.as_deref(), Some("lost"));
}

pub(super) fn pages_survive_changes(subject: &Subject) {
    let mut stories: Vec<Story> = ["Ada", "Bob", "Cleo", "Dan"].map(|n| subject.ingested(n)).into();
    let first = subject.store.list(&LeadFilter { limit: 2, ..LeadFilter::default() }).expect("a page");
    // Ada moves to the top between the pages; she is missed by this walk, but nobody else is, and nobody twice.
    subject.keep(&[stories[0].hand_off()]);
    let next = LeadFilter { limit: 10, cursor: first.next.clone(), ..LeadFilter::default() };
    let second = subject.store.list(&next).expect("a page");
    let names: Vec<_> = first.rows.iter().chain(&second.rows).map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["Dan", "Cleo", "Bob"]);
}
