//! Follow-ups to a silent client: every one says something else, the last one closes politely.

use max_core::lead::{ClientAsk, MessageKind, TaskReason};
use max_core::stages::{FollowUp, StageResult};
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::turn::Turn;

/// There are this many different texts for each kind of question.
const TEXTS: u8 = 4;

pub fn think(turn: &Turn, number: u8) -> Result<Thought, CallFail> {
    let last = matches!(turn.brief.task.reason, TaskReason::FollowUp { last: true, .. });
    let series = match turn.lead.last_wait.as_ref().map(|w| &w.ask) {
        Some(ClientAsk::Decision) => "offer",
        Some(ClientAsk::Signature { .. }) => "contract",
        Some(ClientAsk::Milestone { .. }) => "sign-off",
        Some(ClientAsk::ChangeOrder { .. }) => "change-order",
        Some(ClientAsk::Reply | ClientAsk::Answers) | None => "nudge",
    };
    // The closing text is the last of its series, and no other follow-up may use it.
    let text = if last { TEXTS } else { number.clamp(1, TEXTS - 1) };
    let text = if matches!(series, "sign-off" | "change-order") { number.clamp(1, TEXTS) } else { text };
    let mut messages = turn.mail(MessageKind::FollowUp, &format!("{series}-{text}"), context! {})?;
    for draft in &mut messages {
        if turn.was_said(&draft.body) {
            let day = turn.lang.date(turn.today());
            let (reminder, word) = turn.lang.pick([
                ("Reminder of", "number"),
                ("Erinnerung vom", "Nummer"),
                ("Herinnering van", "nummer"),
                ("Rappel du", "numéro"),
            ]);
            draft.body.push_str(&format!("\n\n({reminder} {day}, {word} {number})"));
        }
    }
    Ok(Thought {
        result: StageResult::FollowUp(FollowUp { number }),
        messages,
        files: Vec::new(),
        summary: format!("Follow-up {number} to a silent client{}", if last { ", the last one" } else { "" }),
    })
}
