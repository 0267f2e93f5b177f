//! What waits: tasks, approvals, messages, timers.

use jiff::{SignedDuration, Timestamp};
use max_core::command::Command;
use max_core::id::{ApprovalId, TaskId};
use max_core::lead::{Actor, ApprovalKind, Escalation};
use max_core::stage::Eidolon;
use max_engine::ports::EscalationRow;
use uuid::Uuid;

use super::{Subject, close, later, send};
use crate::builders::{Story, beginning};

pub(super) fn open_tasks_are_listed(subject: &Subject) {
    let ada = subject.ingested("Ada");
    let (mut bob, write) = later(Story::new(), SignedDuration::from_mins(1), "Bob");
    subject.keep(&[write]);
    let tasks = |eidolon| subject.store.open_tasks(eidolon, 10).expect("a read");
    let leads = |eidolon| tasks(eidolon).iter().map(|t| t.lead).collect::<Vec<_>>();
    assert_eq!(leads(None), [ada.id(), bob.id()]);
    assert_eq!(tasks(None)[0].task, *ada.lead().open_task().expect("a task"));
    let old = bob.lead().open_task().expect("a task").id;
    assert_eq!(subject.store.lead_of_task(old), Ok(Some(bob.id())));
    subject.keep(&[bob.hand_off()]);
    assert_eq!(subject.store.lead_of_task(old), Ok(None), "a superseded task is not open");
    assert_eq!(leads(Some(Eidolon::LeadGen)), [ada.id()]);
    assert_eq!(leads(Some(Eidolon::FirstResponder)), [bob.id()]);
    assert_eq!(leads(Some(Eidolon::Closer)), []);
    assert_eq!(subject.store.open_tasks(None, 1).expect("a read").len(), 1);
    assert_eq!(subject.store.lead_of_task(TaskId(Uuid::nil())), Ok(None));
    subject.keep(&[bob.person(Command::TakeOver)]);
    assert_eq!(leads(Some(Eidolon::FirstResponder)), [], "a person works, so nobody else does");
    subject.keep(&[close(&mut bob)]);
    assert_eq!(leads(None), [ada.id()]);
    let mut cleo = subject.ingested("Cleo");
    let help = cleo.step(Actor::Eidolon(Eidolon::LeadGen), Command::Escalate { reason: "no idea".into() });
    subject.keep(&[help]);
    assert_eq!(leads(Some(Eidolon::Mach42v2)), [cleo.id()], "the Core Orchestra's review is a task");
    assert_eq!(leads(Some(Eidolon::LeadGen)), [ada.id()]);
}

pub(super) fn claimed_tasks_say_who_has_them(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    let task = story.lead().open_task().expect("a task").id;
    let eidolon = Actor::Eidolon(Eidolon::LeadGen);
    subject.keep(&[story.step(eidolon.clone(), Command::Claim { task, holder: "host-1".into() })]);
    let row = subject.store.open_tasks(None, 1).expect("a read").remove(0);
    assert_eq!((row.task.attempt, row.task.holder.as_deref()), (1, Some("host-1")));
    let fail = Command::Fail { task, attempt: 1, error: "the voice died".into(), retryable: true };
    subject.keep(&[story.step(eidolon, fail)]);
    let row = subject.store.open_tasks(None, 1).expect("a read").remove(0);
    assert_eq!(row.task, *story.lead().open_task().expect("still open"));
    assert!(row.task.not_before.is_some());
}

pub(super) fn approvals_are_pending_until_decided(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    subject.keep(&story.to_scope_approval());
    let approval = story.lead().pending_approval().expect("an approval").clone();
    let pending = || subject.store.pending_approvals(10).expect("a read");
    assert_eq!(pending().len(), 1);
    let row = pending().remove(0);
    assert_eq!((row.id, row.lead, row.kind), (approval.id, story.id(), ApprovalKind::Scope));
    assert_eq!((row.requested_at, row.due_at), (approval.requested_at, approval.due_at));
    assert_eq!(subject.store.lead_of_approval(approval.id), Ok(Some(story.id())));
    let mut voided = subject.ingested("Bob");
    subject.keep(&voided.to_scope_approval());
    assert_eq!(pending().len(), 2);
    subject.keep(&[voided.person(Command::TakeOver)]);
    assert_eq!(pending().len(), 1);
    subject.keep(&[story.person(Command::Decide {
        approval: approval.id,
        payload_sha256: approval.payload_sha256,
        approve: true,
        reason: None,
    })]);
    assert!(pending().is_empty());
    assert_eq!(subject.store.lead_of_approval(approval.id), Ok(Some(story.id())), "also once it is decided");
    assert_eq!(subject.store.lead_of_approval(ApprovalId(Uuid::nil())), Ok(None));
}

pub(super) fn escalations_are_open_until_settled(subject: &Subject) {
    let help = |story: &mut Story, why: &str| {
        let escalate = story.person(Command::Escalate { reason: why.into() });
        subject.keep(&[escalate]);
        story.lead().escalation.clone().expect("an escalation")
    };
    let (mut bob, write) = later(Story::new(), SignedDuration::from_mins(1), "Bob");
    subject.keep(&[write]);
    let second = help(&mut bob, "the client is angry");
    let mut ada = subject.ingested("Ada");
    let first = help(&mut ada, "a question of law");
    let open = |limit| subject.store.open_escalations(limit).expect("a read");
    let row = |story: &Story, of: &Escalation| EscalationRow { id: of.id, lead: story.id(), at: of.at };
    assert_eq!(open(10), [row(&ada, &first), row(&bob, &second)], "oldest first");
    assert_eq!(open(1), [row(&ada, &first)]);
    assert_eq!(subject.store.lead_of_escalation(second.id), Ok(Some(bob.id())));
    subject.keep(&[ada.person(Command::Retry)]);
    assert_eq!(open(10), [row(&bob, &second)]);
    assert_eq!(subject.store.lead_of_escalation(first.id), Ok(None), "it is settled");
    let third = help(&mut ada, "again");
    assert_eq!(subject.store.lead_of_escalation(third.id), Ok(Some(ada.id())));
    subject.keep(&[close(&mut ada), close(&mut bob)]);
    assert_eq!(open(10), []);
}

pub(super) fn the_outbox_holds_what_waits(subject: &Subject) {
    let mut story = subject.ingested("Ada");
    subject.keep(&[send(&mut story)]);
    let message = story.lead().outbox().next().expect("a queued message").id;
    let outbox = || subject.store.outbox(10).expect("a read");
    assert_eq!(outbox(), [(story.id(), message)]);
    subject.keep(&[story.step(Actor::Director, Command::Release { message })]);
    assert_eq!(outbox(), [(story.id(), message)], "on its way is not there yet");
    subject.keep(&[story.step(Actor::Director, Command::RecordSent { message })]);
    assert_eq!(outbox(), []);
    subject.keep(&[send(&mut story)]);
    let message = story.lead().outbox().next().expect("a queued message").id;
    subject.keep(&[story.step(Actor::Director, Command::Release { message })]);
    let failed = Command::RecordSendFailure { message, error: "no such mailbox".into() };
    subject.keep(&[story.step(Actor::Director, failed)]);
    assert_eq!(outbox(), []);
}

pub(super) fn leads_are_due_in_order(subject: &Subject) {
    assert_eq!(subject.store.next_due(), Ok(None));
    let at = |hours: i64| beginning() + SignedDuration::from_hours(hours);
    let mut stories = Vec::new();
    for (name, hours) in [("Ada", 3), ("Bob", 1), ("Cleo", 2)] {
        let (story, mut write) = Story::of(name);
        write.wake_at = Some(at(hours));
        subject.keep(&[write]);
        stories.push(story);
    }
    let due = |now: Timestamp, limit| subject.store.due(now, limit).expect("a read");
    let [ada, bob, cleo] = &mut stories[..] else { panic!("three stories") };
    assert_eq!(subject.store.next_due(), Ok(Some(at(1))));
    assert_eq!(due(at(0), 10), []);
    assert_eq!(due(at(2), 10), [bob.id(), cleo.id()]);
    assert_eq!(due(at(9), 2), [bob.id(), cleo.id()]);
    let mut write = bob.hand_off();
    write.wake_at = None;
    subject.keep(&[write]);
    assert_eq!(due(at(9), 10), [cleo.id(), ada.id()], "who has been woken is not due again");
    assert_eq!(subject.store.next_due(), Ok(Some(at(2))));
}
