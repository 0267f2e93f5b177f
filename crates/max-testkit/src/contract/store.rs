//! What every [`Store`] promises, checked one promise at a time on a fresh store.

mod finding;
mod log;
mod privacy;
mod runs;
mod settings;
mod waiting;

use std::sync::Arc;

use jiff::SignedDuration;
use max_core::command::{Command, Incoming};
use max_core::id::{ExternalRef, LeadId};
use max_core::lead::{Actor, MessageKind, Outcome};
use max_engine::ports::{Position, Store, Write, WriteError};
use uuid::Uuid;

use crate::builders::{Story, new_lead};

/// A fresh store under test, and a way to change it behind its back.
pub struct Subject {
    store: Arc<dyn Store>,
    meddle: Box<dyn Fn(LeadId, u64, Meddling)>,
}

/// What is done to one entry behind the store's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// Another payload than was committed.
    Tamper,
    /// No payload any more, only its digest.
    Erase,
}

impl Subject {
    /// A store, and what meddles with its entry of this lead and version.
    pub fn new(store: Arc<dyn Store>, meddle: impl Fn(LeadId, u64, Meddling) + 'static) -> Self {
        Self { store, meddle: Box::new(meddle) }
    }

    fn commit(&self, writes: &[Write]) -> Vec<Result<Position, WriteError>> {
        self.store.commit(writes).expect("the batch is committed")
    }

    /// Commits writes that must all count.
    fn keep(&self, writes: &[Write]) -> Vec<Position> {
        self.commit(writes).into_iter().map(|outcome| outcome.expect("the write counts")).collect()
    }

    /// A committed lead.
    fn ingested(&self, name: &str) -> Story {
        let (story, write) = Story::of(name);
        self.keep(&[write]);
        story
    }
}

type Promise = (&'static str, fn(&Subject));

const PROMISES: &[Promise] = &[
    ("a committed write is visible to every later read", log::committed_writes_are_visible),
    ("a rendered state is that of the newest version", log::a_rendered_state_is_that_of_the_newest_version),
    ("a lead is the fold of its entries, with the chain of the last", log::a_lead_is_the_fold_of_its_entries),
    ("a version that is not the next one is a conflict and changes nothing", log::another_version_is_a_conflict),
    ("a failed write leaves the others of its batch alone", log::a_failed_write_leaves_the_others_alone),
    ("writes of one batch on one lead build on each other", log::a_batch_may_hold_several_writes_of_a_lead),
    ("an idempotency key counts once", log::an_idempotency_key_counts_once),
    ("so does the key of a request that appended nothing", log::keys_of_requests_that_appended_nothing_are_kept),
    ("an external_ref belongs to one lead", finding::an_external_ref_belongs_to_one_lead),
    ("references resolve", finding::references_resolve),
    ("a person's leads are found", finding::leads_of_a_person_are_found),
    ("the leads of a company are found by its domains", finding::leads_of_a_company_are_found),
    ("a fingerprint is found as long as it is new enough", finding::fingerprints_are_found),
    ("a conversation is found by its Message-IDs", finding::threads_are_found),
    ("entries come in order, from where one asks", log::entries_come_in_order),
    ("an entry comes back exactly as it was", log::entries_come_back_exactly),
    ("open tasks are listed and found, oldest first", waiting::open_tasks_are_listed),
    ("a claimed task says who has it", waiting::claimed_tasks_say_who_has_them),
    ("approvals are pending until they are decided or void", waiting::approvals_are_pending_until_decided),
    ("escalations are open until they are settled", waiting::escalations_are_open_until_settled),
    ("the outbox holds what waits or was on its way", waiting::the_outbox_holds_what_waits),
    ("leads are due at their time, earliest first", waiting::leads_are_due_in_order),
    ("counts follow the leads", finding::counts_follow_the_leads),
    ("a list goes from the newest change to the oldest, page by page", finding::lists_are_paged),
    ("a list can be filtered and searched", finding::lists_are_filtered),
    ("a page does not repeat or lose leads that stand still while others move", finding::pages_survive_changes),
    ("named values are kept", settings::named_values_are_kept),
    ("tokens are kept until revoked", settings::tokens_are_kept),
    ("standing wake-ups are kept until removed", settings::sapwaves_are_kept),
    ("a tampered payload is found", log::tampering_is_found),
    ("an erased payload still verifies", log::erased_payloads_verify),
    ("the suppression list is kept", privacy::suppressions_are_kept),
    ("an erased lead is a shell, and its chain verifies", privacy::an_erased_lead_is_a_shell_and_its_chain_verifies),
    ("runs are kept with their lead, and their cost is added up", runs::runs_are_kept_and_added_up),
    ("a run outlives its lead as a cost alone", runs::a_run_outlives_its_lead_as_a_cost_alone),
    ("runs of an earlier process are lost", runs::runs_of_an_earlier_process_are_lost),
    ("many readers read while somebody writes", log::readers_and_a_writer_at_once),
];

/// Checks every promise on a store of its own.
///
/// # Panics
/// When one is broken; the promise is printed first.
pub fn run(make: impl Fn() -> Subject) {
    for (promise, check) in PROMISES {
        println!("a store: {promise}");
        check(&make());
    }
}

// ---- steps -------------------------------------------------------------------------------------------------------

fn hand_off() -> Command {
    Command::HandOff { to: None, expected: None, summary: "on".into(), reason: None }
}

fn close(story: &mut Story) -> Write {
    story.person(Command::Close { outcome: Outcome::Lost, reason: "no interest".into(), merged_into: None })
}

fn send(story: &mut Story) -> Write {
    story.person(Command::Send { subject: "Hello".into(), body: format!("A word at {}", story.now) })
}

fn receive(story: &mut Story, rfc_id: &str) -> Write {
    let incoming = Incoming {
        kind: MessageKind::Reply,
        subject: "Re: Hello".into(),
        body: "Thank you".into(),
        address: story.lead().contact.email.clone(),
        rfc_id: Some(rfc_id.into()),
        in_reply_to: None,
        verified: true,
    };
    story.step(Actor::Client, Command::Receive(Box::new(incoming)))
}

/// A story that begins later than others.
fn later(mut story: Story, by: SignedDuration, name: &str) -> (Story, Write) {
    story.now += by;
    let write = story.person(Command::Ingest { lead: Box::new(new_lead(name)) });
    (story, write)
}

fn external(name: &str) -> ExternalRef {
    ExternalRef::try_from(name.to_owned()).expect("a reference")
}

fn nobody() -> LeadId {
    LeadId(Uuid::nil())
}
