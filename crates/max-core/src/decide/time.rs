//! Time: what is due when, and what becomes of it. A function of the state, so that no timer is lost or doubled.

use jiff::Timestamp;

use super::Deciding;
use crate::error::Refusal;
use crate::event::Event;
use crate::lead::{Approval, ClientWait, Direction, Lead, MessageKind, TaskReason, Turn};
use crate::policy::Policy;

/// What a clock brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A follow-up to a silent client.
    FollowUp {
        /// 1 for the first.
        number: u8,
        /// Whether it closes.
        last: bool,
    },
    /// All follow-ups were written, and silence closes nothing here: a person has to look.
    Silent,
    /// A person is reminded of an approval at half time.
    Remind,
    /// Nobody decided in time.
    Overdue,
}

/// The next moment at which [`Command::Wake`](crate::command::Command::Wake) has something to do.
pub fn due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    if lead.escalation.is_some() || lead.taken_over.is_some() {
        return None;
    }
    match &lead.turn {
        Turn::AwaitingClient(wait) if lead.unreachable.is_none() => follow_up_due(lead, wait, policy),
        Turn::AwaitingApproval(approval) => approval_due(approval),
        _ => None,
    }
}

fn follow_up_due(lead: &Lead, wait: &ClientWait, policy: &Policy) -> Option<(Timestamp, Due)> {
    let zone = policy.zone_of(lead);
    let number = wait.follow_ups.saturating_add(1);
    let Some(planned) = policy.follow_up_at(&wait.ask, wait.since, number, zone) else {
        return Some((policy.silent_at(&wait.ask, wait.since, zone)?, Due::Silent));
    };
    // After a long stop several would be due at once: the client gets at most one a day.
    let written = lead.messages.iter().rev().find(|m| m.direction == Direction::Out && m.kind == MessageKind::FollowUp);
    let at = written
        .filter(|m| wait.follow_ups > 0 && m.at >= wait.since)
        .map_or(planned, |m| planned.max(policy.working_hours.opening_after(m.at, 1, zone)));
    // A client who has signed is never lost to silence.
    let last = lead.signature.is_none() && policy.is_last_follow_up(&wait.ask, number);
    Some((at, Due::FollowUp { number, last }))
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
        match (due, &self.lead.turn) {
            (Due::FollowUp { number, last }, _) => {
                self.open_task(self.lead.stage.eidolon(), TaskReason::FollowUp { number, last });
            }
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
                self.escalate(format!("nobody decided in time: {}", approval.title), false);
            }
            (Due::Silent | Due::Remind | Due::Overdue, _) => {}
        }
        Ok(())
    }
}
