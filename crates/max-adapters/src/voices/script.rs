//! The script voice: a program of the owner's that works a turn. JSON in, JSON out, no shell.
//!
//! # What the script is given (`max.brief/1`)
//!
//! One JSON object on standard input:
//!
//! ```json
//! {
//!   "schema": "max.brief/1",
//!   "now": "2026-11-22T10:11:12Z",
//!   "eidolon": "scoping", "stage": "Scoping", "attempt": 1,
//!   "task": {"id": "0197…", "reason": {"kind": "stage_entered"}, "opened_at": "…"},
//!   "lead": {"id": "0197…", "language": "de", "contact": {"name": "…", "email": "…", "message": "…"}},
//!   "waiting_for": {"on": "working", …},
//!   "data": {"LeadGen": {…}},
//!   "artifacts": [{"stage": "Scoping", "name": "scope.json", "version": 1, "sha256": "…", "bytes": 10}],
//!   "messages": [{"direction": "in", "kind": "reply", "subject": "…", "body": "…", "untrusted": true, …}],
//!   "policy": {"qualification_cut": 40, "rate_card": {…}, "services": […], …},
//!   "findings": [{"rule": "SC-1", "detail": "…"}]
//! }
//! ```
//!
//! `lead.contact` and messages with `"untrusted": true` are a stranger's words: data, never instructions. `findings`
//! say what checks found in an earlier try of this turn. New fields may be added within version 1.
//!
//! # What it answers
//!
//! One JSON object on standard output, with these fields and no others; all but `result` and `summary` may be absent:
//!
//! ```json
//! {
//!   "result": {"kind": "questions", …},
//!   "messages": [{"kind": "questions", "subject": "…", "body": "…", "attachments": ["scope.md"]}],
//!   "files": [{"name": "scope.md", "text": "…"}, {"name": "still.png", "base64": "…"}],
//!   "summary": "Asked five questions."
//! }
//! ```
//!
//! Exit code 0 means that the answer counts. The script runs in an empty folder of its own that is removed afterwards,
//! sees few environment variables, and is killed with everything it started when its time is up.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use max_core::id::{ExternalRef, LeadId, TaskId};
use max_core::lead::{ArtifactRef, Direction, Draft, Message, NewLead, TaskReason, Turn};
use max_core::policy::{Policy, RateCard, Service};
use max_core::stage::{Eidolon, Stage};
use max_core::stages::{Finding, StageResult, is_artifact_name};
use max_engine::ports::{Brief, CallFail, File, Thought, Voice};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::program::{Finished, Program, RunError};

/// The version of what a script is given.
pub const BRIEF_SCHEMA: &str = "max.brief/1";

/// The most files of one answer.
const MAX_FILES: usize = 200;

/// An allow-listed program as a voice.
#[derive(Clone, Debug)]
pub struct ScriptVoice {
    name: String,
    program: Program,
}

impl ScriptVoice {
    /// The voice `name` that runs `program`.
    pub fn new(name: impl Into<String>, program: Program) -> Self {
        Self { name: name.into(), program }
    }

    async fn work(&self, brief: &Brief) -> Result<Thought, CallFail> {
        let crash = |error: &dyn std::fmt::Display| CallFail::Crash(format!("{}: {error}", self.name));
        let input = serde_json::to_vec(&ScriptBrief::of(brief)).map_err(|error| crash(&error))?;
        let folder = tempfile::Builder::new().prefix("max-script-").tempdir().map_err(|error| crash(&error))?;
        match self.program.run(folder.path(), &input, &[]).await {
            Ok(finished) => self.understand(finished),
            Err(RunError::Timeout(limit)) => {
                Err(CallFail::Timeout(SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)))
            }
            Err(error @ RunError::TooMuch(_)) => Err(CallFail::Malformed(error.to_string())),
            Err(error @ RunError::Start(_)) => Err(crash(&error)),
        }
    }

    fn understand(&self, finished: Finished) -> Result<Thought, CallFail> {
        if !finished.status.success() {
            return Err(CallFail::Crash(format!(
                "{} ended with {}{}",
                self.name,
                finished.status,
                complaint(&finished)
            )));
        }
        if finished.stdout.trim_ascii().is_empty() {
            return Err(CallFail::Empty);
        }
        let answer: Answer = serde_json::from_slice(&finished.stdout)
            .map_err(|error| CallFail::Malformed(format!("{error}{}", complaint(&finished))))?;
        answer.into_thought(&self.name)
    }
}

impl Voice for ScriptVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        Box::pin(self.work(brief))
    }
}

/// The end of what the script complained about, fitting behind another sentence.
fn complaint(finished: &Finished) -> String {
    let tail: String = finished.stderr.chars().rev().take(600).collect();
    let tail: String = tail.chars().rev().collect();
    if tail.is_empty() { String::new() } else { format!("; it complained: {tail}") }
}

/// What the script is given.
#[derive(Serialize)]
struct ScriptBrief<'a> {
    schema: &'static str,
    now: Timestamp,
    eidolon: Eidolon,
    stage: Stage,
    attempt: u32,
    task: ScriptTask<'a>,
    lead: ScriptLead<'a>,
    waiting_for: &'a Turn,
    data: &'a BTreeMap<Stage, Map<String, Value>>,
    artifacts: &'a [ArtifactRef],
    messages: Vec<ScriptMessage<'a>>,
    policy: ScriptPolicy<'a>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct ScriptTask<'a> {
    id: TaskId,
    reason: &'a TaskReason,
    opened_at: Timestamp,
}

#[derive(Serialize)]
struct ScriptLead<'a> {
    id: LeadId,
    external_ref: Option<&'a ExternalRef>,
    language: Option<&'a str>,
    contact: &'a NewLead,
}

#[derive(Serialize)]
struct ScriptMessage<'a> {
    #[serde(flatten)]
    message: &'a Message,
    untrusted: bool,
}

#[derive(Serialize)]
struct ScriptPolicy<'a> {
    qualification_cut: u8,
    deposit_required: bool,
    deposit_basis_points: u32,
    discount_alone_basis_points: u32,
    discount_limit_basis_points: u32,
    offer_follow_ups: &'a [u16],
    rate_card: RateCard,
    services: &'a [Service],
}

impl<'a> ScriptBrief<'a> {
    fn of(brief: &'a Brief) -> Self {
        let lead = &*brief.lead;
        let message = |message: &'a Message| ScriptMessage { untrusted: message.direction == Direction::In, message };
        Self {
            schema: BRIEF_SCHEMA,
            now: brief.now,
            eidolon: brief.task.eidolon,
            stage: lead.stage,
            attempt: brief.attempt,
            task: ScriptTask { id: brief.task.id, reason: &brief.task.reason, opened_at: brief.task.opened_at },
            lead: ScriptLead {
                id: lead.id,
                external_ref: lead.contact.external_ref.as_ref(),
                language: lead.language.as_deref(),
                contact: &lead.contact,
            },
            waiting_for: &lead.turn,
            data: &lead.data,
            artifacts: &lead.artifacts,
            messages: brief.messages.iter().map(message).collect(),
            policy: ScriptPolicy::of(&brief.policy),
            findings: &brief.findings,
        }
    }
}

impl<'a> ScriptPolicy<'a> {
    fn of(policy: &'a Policy) -> Self {
        Self {
            qualification_cut: policy.qualification_cut,
            deposit_required: policy.deposit_required,
            deposit_basis_points: policy.deposit_basis_points,
            discount_alone_basis_points: policy.discount_alone_basis_points,
            discount_limit_basis_points: policy.discount_limit_basis_points,
            offer_follow_ups: &policy.offer_follow_ups,
            // What the work costs the agency is no business of whoever reads a client's words.
            rate_card: policy.rate_card.without_costs(),
            services: &policy.services,
        }
    }
}

/// What the script answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    result: StageResult,
    #[serde(default)]
    messages: Vec<Draft>,
    #[serde(default)]
    files: Vec<AnswerFile>,
    summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerFile {
    name: String,
    text: Option<String>,
    base64: Option<String>,
}

impl Answer {
    fn into_thought(self, voice: &str) -> Result<Thought, CallFail> {
        if self.files.len() > MAX_FILES {
            return Err(CallFail::Malformed(format!("{} files; {MAX_FILES} is the most", self.files.len())));
        }
        let files = self.files.into_iter().map(AnswerFile::into_file).collect::<Result<_, _>>()?;
        // Who wrote it is a fact, not the script's claim.
        let messages = self.messages.into_iter().map(|draft| Draft { written_by: voice.to_owned(), ..draft }).collect();
        Ok(Thought { result: self.result, messages, files, summary: self.summary })
    }
}

impl AnswerFile {
    fn into_file(self) -> Result<File, CallFail> {
        let malformed = |what: &str| CallFail::Malformed(format!("the file `{}` {what}", self.name.escape_debug()));
        if !is_artifact_name(&self.name) {
            return Err(malformed("has no plain relative name of A-Z a-z 0-9 . _ - /"));
        }
        let bytes = match (&self.text, &self.base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(coded)) => BASE64.decode(coded).map_err(|_| malformed("is not valid base64"))?,
            _ => return Err(malformed("needs either `text` or `base64`")),
        };
        Ok(File { name: self.name, bytes })
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
