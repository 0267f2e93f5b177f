//! The brief of a turn as text for a model, and the model's answer as a thought.
//!
//! The stable part comes first (persona, task, rules, what a good answer is) and is the same, byte for byte, for every
//! lead of a stage, so that the services' prompt caches hit. Then comes what is new. A client's words stand between
//! two lines with a mark that is drawn anew for each brief, so no text can end its own quotation.
//!
//! A stage has a module here when a model can work it: `ask` says what is asked, `understand` makes a thought of the
//! answer. The model judges or words; whatever can be computed is computed.

mod fence;
mod lead_gen;
mod schema;

use max_core::id::Digest;
use max_core::stage::Stage;
use max_core::stages::Finding;
use max_engine::ports::{Brief, CallFail, Thought};
use serde_json::Value;

use super::playbook::turn::Turn;
use crate::agency::Agency;

pub use fence::Fence;

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The same for every lead of the stage.
    pub stable: String,
    /// What is new.
    pub fresh: String,
    /// The name of the answer's schema.
    pub name: &'static str,
    /// The JSON Schema of the answer, in the intersection of what the services take: closed objects, every field
    /// required, `null` by a list of types, no maps, an object at the root.
    pub schema: Value,
}

impl Prompt {
    /// SHA-256 of all that is asked.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&(&self.stable, &self.fresh, &self.schema))
    }
}

/// Why an answer is no thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoThought {
    /// It cannot be read.
    Unreadable {
        /// For the model that wrote it; may repeat its words.
        in_full: String,
        /// For records: nobody's words.
        in_short: String,
    },
    /// It can be read, and the house can do nothing with it.
    Failed(CallFail),
}

impl From<CallFail> for NoThought {
    fn from(failure: CallFail) -> Self {
        Self::Failed(failure)
    }
}

/// Whether a model can work this stage.
pub fn can_work(stage: Stage) -> bool {
    matches!(stage, Stage::LeadGen)
}

/// What a model is asked for a turn.
///
/// # Errors
/// When no model can work this turn.
pub fn ask(brief: &Brief, agency: &Agency, fence: &Fence) -> Result<Prompt, CallFail> {
    let turn = Turn::new(brief, agency);
    let mut prompt = match turn.lead.stage {
        Stage::LeadGen => lead_gen::ask(&turn, fence),
        stage => return Err(unable(stage)),
    };
    if !brief.findings.is_empty() {
        prompt.fresh.push_str(&refused(&brief.findings));
    }
    Ok(prompt)
}

/// What a model's answer comes to.
///
/// # Errors
/// When it cannot be read, or the house cannot conclude anything from it.
pub fn understand(brief: &Brief, agency: &Agency, answer: &str) -> Result<Thought, NoThought> {
    let turn = Turn::new(brief, agency);
    match turn.lead.stage {
        Stage::LeadGen => lead_gen::understand(&turn, answer),
        stage => Err(unable(stage).into()),
    }
}

fn unable(stage: Stage) -> CallFail {
    CallFail::Unable(format!("a model does not work {stage} here; the next voice does"))
}

/// Reads the JSON of an answer, also out of a Markdown block: servers without structured output like to wrap it.
fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, NoThought> {
    let mut text = answer.trim();
    if let Some(block) = text.strip_prefix("```") {
        let block = block.strip_suffix("```").unwrap_or(block);
        text = block.split_once('\n').map_or(block, |(_, rest)| rest);
    }
    serde_json::from_str(text).map_err(|error| NoThought::Unreadable {
        in_short: format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column()),
        in_full: error.to_string(),
    })
}

/// What checks found in the last answer to the same question.
fn refused(findings: &[Finding]) -> String {
    let mut text =
        String::from("\nYour last answer to this was refused by these checks. Answer again and mend them:\n");
    for Finding { rule, place, detail, remedy, .. } in findings {
        text.push_str(&format!("- {rule}"));
        for (word, part) in [(" at ", place), (": ", detail), ("; ", remedy)] {
            if !part.is_empty() {
                text.push_str(&format!("{word}{part}"));
            }
        }
        text.push('\n');
    }
    text
}
