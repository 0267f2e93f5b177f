//! Scoping: questions, then the scope: requirements R-nnn with priority, acceptance and source.
//!
//! An enquiry too large to be judged by rules comes first before a person, who says bid or no bid.

mod checks;
mod scope;
#[cfg(test)]
mod tests;
mod vague;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use checks::{
    QUESTIONS_AT_MOST, ROUNDS_AT_MOST, check_assumptions, check_budget, check_dates, check_deliverables,
    check_exclusions, check_heard, check_musts, check_open_questions, check_requirements, check_sections, check_wishes,
    check_words,
};
pub(super) use checks::{check_questions, check_scope};
pub use scope::{
    Answered, Assumption, Budget, Deliverable, Dependency, Measure, OpenQuestion, Priority, Quality, QualityKind,
    Requirement, Risk, Scope, Term, Timeline, Users, Wish,
};
pub use vague::vague;

use super::{Finding, Next, Work};
use crate::lead::{ApprovalKind, Lead, Outcome, Task, TaskReason};
use crate::policy::Policy;
use crate::rules::{Rule, Weight};

/// A rule of this stage.
const fn rule(id: &'static str, weight: Weight, says: &'static str, check: &'static str, test: &'static str) -> Rule {
    Rule { id, says, weight, check, test }
}

/// What is checked here.
pub const RULES: &[Rule] = &[
    rule(
        "SC-0",
        Weight::Refuses,
        "Questions are at most five a round and three rounds, none is asked twice, and a message asks them; a bid that a \
         person has not turned down is not declined.",
        "stages::scoping::check_questions",
        "sc_0_questions_are_few_and_none_is_asked_twice",
    ),
    rule(
        "SC-1",
        Weight::Refuses,
        "Every requirement has an id R-nnn, one sentence, a priority, an acceptance, a source and, if it is built, an effort; \
         at least one is a Must.",
        "stages::scoping::check_requirements",
        "sc_1_every_requirement_is_complete",
    ),
    rule(
        "SC-2",
        Weight::Blocks,
        "At least one thing is said not to be part of it.",
        "stages::scoping::check_exclusions",
        "sc_2_something_is_left_out",
    ),
    rule(
        "SC-3",
        Weight::Blocks,
        "Where there are several Musts, they are at most 60 % of the effort; Coulds far from 20 % are noticed.",
        "stages::scoping::check_musts",
        "sc_3_musts_are_at_most_60_percent",
    ),
    rule(
        "SC-4",
        Weight::Blocks,
        "Each deliverable has a name, a description, an acceptance and a milestone or due date, and every Must is in one.",
        "stages::scoping::check_deliverables",
        "sc_4_every_deliverable_is_complete",
    ),
    rule(
        "SC-5",
        Weight::Blocks,
        "Each assumption has an owner and a consequence if it is wrong.",
        "stages::scoping::check_assumptions",
        "sc_5_an_assumption_has_an_owner_and_a_consequence",
    ),
    rule(
        "SC-6",
        Weight::Blocks,
        "Nothing is both in scope and out of it.",
        "stages::scoping::check_exclusions",
        "sc_6_nothing_is_both_in_and_out",
    ),
    rule(
        "SC-7",
        Weight::Blocks,
        "The budget covers the estimate or says that it does not; without a budget there is an open question about it.",
        "stages::scoping::check_budget",
        "sc_7_the_budget_covers_the_estimate_or_says_so",
    ),
    rule(
        "SC-8",
        Weight::Blocks,
        "No Must depends on an open question.",
        "stages::scoping::check_open_questions",
        "sc_8_no_must_depends_on_an_open_question",
    ),
    rule(
        "SC-9",
        Weight::Blocks,
        "Every wish of the client is met by a requirement, left out by a Won't, asked about or taken up by the frame, and \
         nothing is built that no wish asks for. No sentence of his that asks for something, read by our own code in all \
         his messages, is missing among the wishes.",
        "stages::scoping::check_heard",
        "sc_9_no_sentence_that_asks_for_something_is_left_unheard",
    ),
    rule(
        "SC-11",
        Weight::Advises,
        "A vague word in a requirement is measured.",
        "stages::scoping::check_words",
        "sc_11_vague_words_are_measured",
    ),
    rule(
        "SC-12",
        Weight::Blocks,
        "The scope has its sections: goal, success in a number with a date, users, what is in, client duties, \
         accessibility, privacy, performance, hosting, timeline, risks, acceptance, change rule, glossary.",
        "stages::scoping::check_sections",
        "sc_12_a_scope_has_all_its_sections",
    ),
];

/// What has to be asked before the scope can be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// The questions, in order of weight.
    pub questions: Vec<Question>,
    /// Which round this is, 1 for the first; 0 in older records.
    #[serde(default)]
    pub round: u8,
    /// What was asked in earlier rounds.
    #[serde(default)]
    pub earlier: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id, `Q-1` ….
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// The question as the client reads it.
    pub text: String,
    /// The round in which it is asked, 1 for the first; 0 in older records.
    #[serde(default)]
    pub round: u8,
}

/// Whether to go for an enquiry that is too large to be judged by rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// Why a person is asked.
    pub reasons: Vec<String>,
    /// How long the client's words are.
    pub characters: u64,
    /// How many wishes were found in them.
    pub wishes: u32,
    /// The effort of what was found, in quarters of a day.
    pub effort_quarter_days: u32,
    /// Why a person said no; then the client is told so politely, and the lead ends.
    #[serde(default)]
    pub declined: Option<String>,
}

impl Bid {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!(
            "bid or no bid for {}: {} wishes, about {} days of work ({})",
            lead.contact.display_name(),
            self.wishes,
            f64::from(self.effort_quarter_days) / 4.0,
            self.reasons.join("; ")
        )
    }
}

/// Only a person turns an enquiry down here.
pub(super) fn check_bid(bid: &Bid, task: &Task, findings: &mut Vec<Finding>) {
    if bid.declined.is_some() && !matches!(task.reason, TaskReason::Rejected { .. }) {
        let found = Finding::new("SC-0", "no person has said no to this bid").at("declined");
        findings.push(found.mend("ask for bid or no bid first"));
    }
    if bid.declined.is_none() && bid.reasons.is_empty() {
        findings.push(Finding::new("SC-0", "a person is asked for bid or no bid without a reason").at("reasons"));
    }
}

pub(super) fn next_of_bid(bid: &Bid, lead: &Lead, work: &Work, policy: &Policy) -> Next {
    match &bid.declined {
        Some(reason) => Next::Close { outcome: Outcome::Disqualified, reason: reason.clone() }.released(
            work,
            "the polite no",
            policy,
        ),
        None => Next::Continue.approved(ApprovalKind::Bid, bid.title(lead), policy),
    }
}
