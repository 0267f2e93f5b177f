//! A lead and what belongs to it, for the tests of this crate.

use jiff::Timestamp;
use max_core::apply::apply;
use max_core::command::{Command, Request};
use max_core::decide::{Decision, decide};
use max_core::event::Entry;
use max_core::id::{Fresh, LeadId, MessageId};
use max_core::lead::{Actor, Direction, Lead, Message, MessageKind, NewLead};
use max_core::policy::Policy;
use max_core::stage::{Eidolon, Stage};

/// The moment of all samples.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:11:12Z".parse().expect("a moment")
}

/// A lead that has just come in.
pub(crate) fn lead() -> Lead {
    let contact = NewLead {
        name: "Anna Muster".into(),
        email: "anna@client.example".into(),
        message: "We need a shop.".into(),
        ..NewLead::default()
    };
    let id: LeadId = "0197e5a0-0000-7000-8000-000000000001".parse().expect("an id");
    let request = Request::new(Actor::Person("test".into()), Command::Ingest { lead: Box::new(contact) });
    let decision = decide(None, id, &request, &mut Fresh::new(now(), 7), &Policy::default());
    let Ok(Decision::Events(events)) = decision else { panic!("{decision:?}") };
    let entry = Entry { lead: id, version: 1, at: now(), by: request.by, signal_id: None, events };
    apply(None, &entry).expect("a lead")
}

/// A machine-written answer to the client.
pub(crate) fn message() -> Message {
    Message {
        id: MessageId("0197e5a0-0000-7000-8000-000000000002".parse().expect("an id")),
        direction: Direction::Out,
        kind: MessageKind::Reply,
        stage: Stage::FirstResponder,
        at: now(),
        by: Actor::Eidolon(Eidolon::FirstResponder),
        subject: "Re: Ein Onlineshop für Törtchen 🎂".into(),
        body: "Guten Tag,\n\nvielen Dank für Ihre Nachricht – ein Shop für Törtchen also.\n".into(),
        attachments: Vec::new(),
        rfc_id: "0197.1@agency.example".into(),
        in_reply_to: Some("first@client.example".into()),
        references: vec!["zero@client.example".into(), "first@client.example".into()],
        address: "anna@client.example".into(),
        written_by: Some("playbook".into()),
        verified: true,
    }
}
