//! FirstResponder: the first useful reply, in the client's language, within a minute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, StageResult, Work};
use crate::lead::{Lead, MessageKind};
use crate::policy::Policy;

/// An answer to the client; the conversation goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The language of the reply (BCP 47).
    pub language: String,
    /// Words of the client that the reply takes up.
    pub quotes: Vec<String>,
    /// What is asked of the client.
    #[serde(default)]
    pub asks: Vec<String>,
}

/// Who the client is and what he wants, as far as he has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The language to write in (BCP 47).
    pub language: String,
    /// `formal` or `informal` address, where the language knows the difference.
    pub address: String,
    /// What the client wants, in his words.
    pub wants: Vec<String>,
    /// Facts with the words that show them.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

/// Something the client said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is about: `budget`, `timeline`, `decision`, `audience` …
    pub topic: String,
    /// The client's words.
    pub quote: String,
}

pub(super) fn check(lead: &Lead, work: &Work, _policy: &Policy, findings: &mut Vec<Finding>) {
    let StageResult::Reply(reply) = &work.result else { return };
    let answers = || work.messages.iter().filter(|m| m.kind != MessageKind::Receipt);
    if answers().count() != 1 || answers().any(|m| m.kind != MessageKind::Reply) {
        findings.push(Finding::new("FR-1", "a reply is exactly one message of kind reply"));
    }
    for draft in answers() {
        let words = draft.body.split_whitespace().count();
        if words > 160 {
            findings.push(Finding::new("FR-1", format!("the reply has {words} words; at most 160")));
        }
        let questions = draft.body.matches(['?', '？']).count();
        if questions > 3 {
            findings.push(Finding::new("FR-1", format!("the reply asks {questions} questions; at most 3")));
        }
        let quoted = reply.quotes.iter().any(|q| !q.trim().is_empty() && draft.body.contains(q.as_str()));
        if !quoted && !lead.contact.message.trim().is_empty() {
            findings.push(Finding::new("FR-2", "the reply takes up none of the client's words"));
        }
    }
}
