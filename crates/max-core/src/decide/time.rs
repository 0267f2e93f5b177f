//! Time: what is due when, and what becomes of it. A function of the state, so that no timer is lost or doubled.

use jiff::Timestamp;

use super::Deciding;
use crate::error::Refusal;
use crate::event::Event;
use crate::lead::{
    Approval, ApprovalKind, ClientAsk, ClientWait, Direction, Draft, Lead, MessageKind, TaskReason, Turn,
};
use crate::policy::{Policy, Receipt};
use crate::prose;
use crate::rules::{Rule, Weight};
use crate::stage::Stage;
use crate::stages::delivery_pm;
use crate::stages::onboarding::{self, Owner, Step, StepState};

/// Who writes the receipt that the clock brings about: the agency's own template, no model.
const RECEIPT_BY: &str = "playbook";

/// What is checked about the calendar of follow-ups.
pub const RULES: &[Rule] = &[
    Rule {
        id: "FU-4",
        says: "After an offer a silent client is reminded on the working days nearest to days 2, 5, 10 and 21, of which the \
               last closes politely; after other questions twice, then once more to close. No more than that.",
        weight: Weight::Refuses,
        check: "policy::follow_up_at",
        test: "a_silent_client_is_reminded_on_the_calendar_and_then_lost_and_a_reply_reopens",
    },
    Rule {
        id: "FU-5",
        says: "A reminder falls into the client's working hours, on no weekend and on no holiday of either side.",
        weight: Weight::Refuses,
        check: "decide::time::follow_up_due",
        test: "fu_5_a_reminder_keeps_the_clients_working_hours",
    },
    Rule {
        id: "FU-6",
        says: "A reply, an opt-out, a bounce and a take-over each end the reminders.",
        weight: Weight::Refuses,
        check: "decide::time::turn_due",
        test: "fu_6_a_reply_an_opt_out_a_bounce_and_a_take_over_end_the_reminders",
    },
    Rule {
        id: "FU-7",
        says: "An out-of-office answer moves the reminders and is no reply.",
        weight: Weight::Refuses,
        check: "decide::messages::nobody_there",
        test: "an_out_of_office_answer_moves_the_sequence_and_is_no_reply",
    },
    Rule {
        id: "FU-8",
        says: "A client who writes after the last reminder is the same lead again.",
        weight: Weight::Refuses,
        check: "decide::messages::client_wrote",
        test: "a_silent_client_is_reminded_on_the_calendar_and_then_lost_and_a_reply_reopens",
    },
];

/// What a clock brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The client hears that the message arrived: the first reply takes longer than it may.
    Receipt,
    /// A follow-up to a silent client.
    FollowUp {
        /// 1 for the first.
        number: u8,
        /// Whether it closes.
        last: bool,
    },
    /// All follow-ups were written, and silence closes nothing here: a person has to look.
    Silent,
    /// The client hears how the project stands: a check-in, or a date that slipped.
    Report,
    /// Steps of the client are late, and he was not told yet.
    StepsLate,
    /// The last day of a change order is over.
    Lapse,
    /// A person is reminded of an approval at half time.
    Remind,
    /// Nobody decided in time.
    Overdue,
}

/// The next moment at which [`Command::Wake`](crate::command::Command::Wake) has something to do.
pub fn due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    if let Some(erasure) = &lead.privacy.erasure {
        return approval_due(erasure);
    }
    if let Some(at) = receipt_due(lead, policy) {
        // Before the first word to a client nothing else waits on the clock but a person's decision.
        return sooner(turn_due(lead, policy), Some((at, Due::Receipt)));
    }
    turn_due(lead, policy)
}

/// When the neutral receipt leaves, for an enquiry that was taken for one and has had no answer yet (FR-1). Also while
/// an escalation is open: the client waits all the same. A person who has taken over writes himself.
fn receipt_due(lead: &Lead, policy: &Policy) -> Option<Timestamp> {
    let answered = lead.messages.iter().any(|m| m.direction == Direction::Out);
    let came_in = lead.history.first().is_some_and(|step| step.to_stage == Stage::LeadGen);
    let waits = lead.stage == Stage::FirstResponder && lead.outcome().is_none() && came_in && !answered;
    let reachable = lead.unreachable.is_none() && lead.taken_over.is_none() && !lead.contact.email.trim().is_empty();
    (waits && reachable && receipt_of(lead, policy).is_some()).then(|| lead.created_at + policy.first_reply_within)
}

/// The receipt in the client's language, else in English.
fn receipt_of<'p>(lead: &Lead, policy: &'p Policy) -> Option<&'p Receipt> {
    let tag = lead.language.as_deref().map(prose::primary).unwrap_or("en");
    policy.receipts.get(tag).or_else(|| policy.receipts.get("en"))
}

fn turn_due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    if lead.taken_over.is_some() {
        return None;
    }
    if lead.escalation.is_some() {
        return overdue(lead).and_then(|_| report_due(lead, policy));
    }
    match &lead.turn {
        Turn::AwaitingClient(wait) if lead.unreachable.is_none() => {
            let client = sooner(follow_up_due(lead, wait, policy), report_due(lead, policy));
            first(lapse_due(lead, wait, policy), first(client, steps_due(lead, policy)))
        }
        // What waits for a person is asked again after the report; a held letter is not, or it would never go out.
        Turn::AwaitingApproval(approval) if approval.kind != ApprovalKind::Reply => {
            first(sooner(approval_due(approval), report_due(lead, policy)), steps_due(lead, policy))
        }
        Turn::AwaitingApproval(approval) => approval_due(approval),
        _ => None,
    }
}

/// The approval that nobody decided in time, while people were called for nothing else. The client is told how his
/// project stands all the same: whoever sits on a date must not keep him from hearing of it.
fn overdue(lead: &Lead) -> Option<&Approval> {
    let called = lead.escalation.as_ref()?;
    let Turn::AwaitingApproval(approval) = &lead.turn else { return None };
    let only = called.review.is_none() && called.reason == too_late(approval);
    (only && approval.kind != ApprovalKind::Reply).then_some(approval)
}

/// Why people are called when an approval is due.
fn too_late(approval: &Approval) -> String {
    format!("nobody decided in time: {}", approval.title)
}

/// The one that comes first; of two at once the report.
fn sooner(one: Option<(Timestamp, Due)>, report: Option<(Timestamp, Due)>) -> Option<(Timestamp, Due)> {
    match (one, report) {
        (Some(one), Some(report)) => Some(if one.0 < report.0 { one } else { report }),
        (one, report) => one.or(report),
    }
}

/// The one that comes first; of two at once the first one.
fn first(one: Option<(Timestamp, Due)>, other: Option<(Timestamp, Due)>) -> Option<(Timestamp, Due)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.0 <= other.0 { one } else { other }),
        (one, other) => one.or(other),
    }
}

/// What the client is asked to sign lapses when its last day is over, by the agency's clock.
fn lapse_due(lead: &Lead, wait: &ClientWait, policy: &Policy) -> Option<(Timestamp, Due)> {
    let ClientAsk::ChangeOrder { number, .. } = wait.ask else { return None };
    let order = delivery_pm::open_order(lead).filter(|open| open.order.number == number)?.order;
    let over = order.valid_until.tomorrow().ok()?.to_zoned(policy.working_hours.zone.clone()).ok()?;
    Some((over.timestamp(), Due::Lapse))
}

/// Steps of the client that are open and of whose delay he has not been told. Duties that stand in the plan are told by
/// the reports.
pub(super) fn late_steps(lead: &Lead, policy: &Policy) -> Vec<Step> {
    if lead.unreachable.is_some() || lead.stage < Stage::Onboarding {
        return Vec::new();
    }
    let Some(checklist) = onboarding::checklist(lead) else { return Vec::new() };
    let open = |step: &Step| {
        step.owner == Owner::Client
            && step.state == StepState::Open
            && step.due.is_some()
            && !lead.reminded_steps.contains(&step.id)
            && !delivery_pm::is_duty(lead, step)
    };
    let mut steps: Vec<Step> = checklist.steps.into_iter().filter(open).collect();
    // Those that fall due at about the same time are one reminder.
    steps.sort_by_key(|step| step.due);
    let calendar = policy.calendar_of(lead);
    let soonest = steps.first().and_then(|step| step.due).map(|due| calendar.after(due, 1));
    steps.retain(|step| step.due.is_some_and(|due| soonest.is_some_and(|day| due < day)));
    steps
}

/// The client hears of his late steps on the next working morning.
fn steps_due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    let due = late_steps(lead, policy).first()?.due?;
    let day = policy.calendar_of(lead).after(due, 1);
    Some((policy.opening_on(day, lead)?, Due::StepsLate))
}

/// A report leaves when the client's working day begins.
fn report_due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    if lead.unreachable.is_some() || lead.contact.email.trim().is_empty() {
        return None;
    }
    let day = delivery_pm::report_due(lead, policy)?;
    Some((policy.opening_on(day, lead)?, Due::Report))
}

fn follow_up_due(lead: &Lead, wait: &ClientWait, policy: &Policy) -> Option<(Timestamp, Due)> {
    let zone = policy.zone_of(lead);
    let number = wait.follow_ups.saturating_add(1);
    let Some(planned) = policy.follow_up_at(&wait.ask, wait.since, number, zone) else {
        let silent = policy.silent_at(&wait.ask, wait.since, zone)?;
        return Some((policy.off_holidays(silent, lead), Due::Silent));
    };
    // After a long stop several would be due at once: the client gets at most one a day.
    let written = lead.messages.iter().rev().find(|m| m.direction == Direction::Out && m.kind == MessageKind::FollowUp);
    let at = written
        .filter(|m| wait.follow_ups > 0 && m.at >= wait.since)
        .map_or(planned, |m| planned.max(policy.working_hours.opening_after(m.at, 1, zone)));
    // A client who has signed is never lost to silence.
    let last = lead.signature.is_none() && policy.is_last_follow_up(&wait.ask, number);
    Some((policy.off_holidays(at, lead), Due::FollowUp { number, last }))
}

fn approval_due(approval: &Approval) -> Option<(Timestamp, Due)> {
    match approval.reminders {
        0 => {
            let half = approval.due_at.duration_since(approval.requested_at) / 2;
            Some((approval.requested_at + half, Due::Remind))
        }
        1 => Some((approval.due_at, Due::Overdue)),
        // The escalation was raised; asking again and again would only be noise.
        _ => None,
    }
}

impl Deciding<'_> {
    pub(super) fn wake(&mut self) -> Result<(), Refusal> {
        let now = self.fresh.now();
        let Some((_, due)) = due(self.lead, self.policy).filter(|(at, _)| *at <= now) else { return Ok(()) };
        if let Some(erasure) = &self.lead.privacy.erasure {
            self.events.push(Event::ApprovalReminded { approval: erasure.id });
            if due == Due::Overdue && self.lead.escalation.is_none() && self.lead.outcome().is_none() {
                self.escalate(format!("nobody decided in time: {}", erasure.title), false);
            }
            return Ok(());
        }
        match (due, &self.lead.turn) {
            (Due::Receipt, _) => {
                if let Some(receipt) = receipt_of(self.lead, self.policy) {
                    let (subject, body) = (receipt.subject.clone(), receipt.body.clone());
                    let written_by = RECEIPT_BY.into();
                    self.queue(
                        &Draft { kind: MessageKind::Receipt, subject, body, attachments: Vec::new(), written_by },
                        &[],
                    );
                }
            }
            (Due::FollowUp { number, last }, _) => {
                self.open_task(self.lead.stage.eidolon(), TaskReason::FollowUp { number, last });
            }
            (Due::Report, _) => {
                // What waits for a person is asked again after the report, and he is called again.
                self.resolve_escalation("a status report is due first".into());
                self.leave_turn("a status report is due");
                self.open_task(self.lead.stage.eidolon(), TaskReason::Report);
            }
            (Due::StepsLate, _) => self.remind_of_steps(),
            (Due::Lapse, _) => self.lapse(),
            (Due::Silent, Turn::AwaitingClient(wait)) => {
                let reason =
                    format!("the client does not answer; {} waits for the {}", self.lead.stage, wait.ask.sentence());
                // Whoever says "go on" starts the reminders again from today.
                let wait = ClientWait { since: now, follow_ups: 0, ..wait.clone() };
                self.events.push(Event::ClientAwaited { wait });
                self.escalate(reason, false);
            }
            (Due::Remind, Turn::AwaitingApproval(approval)) => {
                self.events.push(Event::ApprovalReminded { approval: approval.id });
            }
            (Due::Overdue, Turn::AwaitingApproval(approval)) => {
                self.events.push(Event::ApprovalReminded { approval: approval.id });
                self.escalate(too_late(approval), false);
            }
            (Due::Silent | Due::Remind | Due::Overdue, _) => {}
        }
        Ok(())
    }

    /// The change order is signed no more; the project goes on without it.
    fn lapse(&mut self) {
        let Some(open) = delivery_pm::open_order(self.lead) else { return };
        let (number, valid_until) = (open.order.number, open.order.valid_until);
        self.events.push(Event::ChangeOrderLapsed { number, valid_until });
        self.open_task(self.lead.stage.eidolon(), TaskReason::Lapsed { number });
    }
}
