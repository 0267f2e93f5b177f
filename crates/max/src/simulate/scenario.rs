//! A scenario file: who writes, how client and people behave, and what is expected in the end. Format: `docs/simulate.md`.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use max_core::lead::{ApprovalKind, MessageKind, Outcome, Status};
use max_core::stage::Stage;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::expect::Expect;
use crate::config::duration;
use crate::exit::{Exit, Failure};

/// A story with what is expected of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Where the clock stands at the beginning.
    pub clock: Option<Timestamp>,
    /// The lead that comes in.
    pub lead: Map<String, Value>,
    /// Keys of `[policy]` that differ from their defaults.
    pub policy: Map<String, Value>,
    /// How client and people behave.
    pub script: Script,
    /// After how much simulated time the story ends at the latest.
    pub limit: SignedDuration,
    /// What must be so in the end.
    pub expect: Expect,
}

/// How client and people behave.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The client's steps.
    pub client: Vec<Step>,
    /// The steps of the agency's people.
    pub people: Vec<Step>,
}

/// Something somebody does when something happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub on: Trigger,
    /// How long after that.
    pub after: SignedDuration,
    /// How often, at most; nothing for always.
    pub times: Option<u32>,
    /// What.
    pub action: Action,
}

/// What brings a step about. All conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trigger {
    /// A message of this kind reached the client (`any` for every kind).
    pub message: Option<OrAny<MessageKind>>,
    /// That message, or its subject, holds this text.
    pub contains: Option<String>,
    /// An approval of this kind waits (`any` for every kind).
    pub approval: Option<OrAny<ApprovalKind>>,
    /// The lead is in this stage.
    pub stage: Option<Stage>,
    /// The lead has this status.
    pub status: Option<Status>,
    /// The lead has ended like this.
    pub outcome: Option<Outcome>,
}

/// A kind, or any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrAny<K> {
    /// Every kind.
    Any,
    /// This one.
    This(K),
}

impl<K: PartialEq> OrAny<K> {
    /// Whether `kind` is meant.
    pub fn is(&self, kind: &K) -> bool {
        match self {
            OrAny::Any => true,
            OrAny::This(wanted) => wanted == kind,
        }
    }
}

impl<'de, K: serde::de::DeserializeOwned> Deserialize<'de> for OrAny<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == "any" {
            return Ok(OrAny::Any);
        }
        serde_json::from_value(Value::String(word)).map(OrAny::This).map_err(serde::de::Error::custom)
    }
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client writes.
    Write {
        /// The text.
        text: String,
        /// `reply`, `out_of_office`, `bounce` or `opt_out`.
        kind: Option<MessageKind>,
        /// From another address than the one on file.
        from: Option<String>,
    },
    /// Somebody comes in as a lead would, with the story's lead but for what is named.
    Enquire {
        /// By which way.
        way: Way,
        /// The fields that differ.
        fields: Map<String, Value>,
    },
    /// The client signs what waits for a signature.
    Sign {
        /// The signer's name.
        signer: String,
    },
    /// Nobody does anything, and time passes.
    Silent,
    /// A person approves what waits.
    Approve,
    /// A person rejects what waits.
    Reject {
        /// What has to change.
        reason: String,
    },
    /// A person does something that the API offers below the lead.
    Move {
        /// The last part of the path, such as `take-over`.
        path: &'static str,
        /// What is sent.
        body: Value,
    },
    /// A person hands the lead to a stage.
    HandOff {
        /// What is sent.
        body: Value,
    },
}

/// By which way an enquiry comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `POST /api/ingest-lead`, as a web form does.
    Api,
    /// A `LEAD` signal dropped into `<root>/signals/`.
    Signal,
    /// A mail, dropped as a file like those that are fetched.
    Email,
}

impl Way {
    /// The word as it stands in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Api => "api",
            Way::Signal => "signal",
            Way::Email => "email",
        }
    }
}

impl Action {
    /// What is done, for the story.
    pub fn line(&self) -> String {
        match self {
            Action::Write { text, from, .. } => {
                let from = from.as_ref().map(|address| format!(" from {address}")).unwrap_or_default();
                format!("writes{from}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            Action::Enquire { way, fields } => match fields.get("email").and_then(Value::as_str) {
                Some(address) => format!("enquires by {} as {address}", way.name()),
                None => format!("enquires again by {}", way.name()),
            },
            Action::Sign { signer } => format!("signs as {signer}"),
            Action::Silent => "stays silent".into(),
            Action::Approve => "approves".into(),
            Action::Reject { reason } => format!("rejects: {reason}"),
            Action::Move { path: "messages", body } => format!("writes: {}", body["body"].as_str().unwrap_or_default()),
            Action::Move { path, .. } => format!("does: {path}"),
            Action::HandOff { body } => format!("hands over to {}", body["to"].as_str().unwrap_or("the next stage")),
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong, with the line or the step, and how to mend it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(Exit::Invalid, format!("{}: {why}", file.display()))
                .hint("`max help scenarios` explains the format")
        };
        let raw: RawScenario = serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        raw.check(file).map_err(wrong)
    }
}

impl Script {
    /// Reads the two parts `client` and `people` alone.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: RawScript = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        raw.check()
    }
}

/// The longest story in simulated time, if the file names no other.
const LIMIT: SignedDuration = SignedDuration::from_hours(24 * 120);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    #[serde(default)]
    name: String,
    #[serde(default)]
    about: String,
    clock: Option<Timestamp>,
    lead: Map<String, Value>,
    #[serde(default)]
    policy: Map<String, Value>,
    #[serde(default)]
    client: Vec<RawStep>,
    #[serde(default)]
    people: Vec<RawStep>,
    limit: Option<String>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    #[serde(default)]
    client: Vec<RawStep>,
    #[serde(default)]
    people: Vec<RawStep>,
}

/// A step as it is written: one of the actions, whichever it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawStep {
    on: Option<Trigger>,
    after: Option<String>,
    times: Option<u32>,
    every: bool,
    send: Option<String>,
    kind: Option<MessageKind>,
    from: Option<String>,
    enquire: Option<Map<String, Value>>,
    subject: Option<String>,
    sign: Option<String>,
    silent: bool,
    approve: bool,
    reject: Option<String>,
    take_over: bool,
    hand_back: bool,
    retry: bool,
    escalate: Option<String>,
    reopen: Option<String>,
    erase: Option<String>,
    close: Option<RawClose>,
    hand_off: Option<RawHandOff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClose {
    outcome: Outcome,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHandOff {
    to: Option<String>,
    reason: Option<String>,
}

impl RawScenario {
    fn check(self, file: &Path) -> Result<Scenario, String> {
        let limit = match &self.limit {
            Some(text) => duration(text).ok_or_else(|| format!("limit: `{text}` is no time span; write it as 60d"))?,
            None => LIMIT,
        };
        let script = RawScript { client: self.client, people: self.people }.check()?;
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("scenario");
        let name = if self.name.is_empty() { stem.to_owned() } else { self.name };
        if !self.lead.contains_key("message") {
            return Err("lead: give at least `message`, and `name` or `email`".into());
        }
        if self.expect.is_empty() {
            return Err("expect: name at least one expectation, such as `status: completed`".into());
        }
        Ok(Scenario {
            name,
            about: self.about,
            clock: self.clock,
            lead: self.lead,
            policy: self.policy,
            script,
            limit,
            expect: self.expect,
        })
    }
}

impl RawScript {
    fn check(self) -> Result<Script, String> {
        let steps = |who: &str, raw: Vec<RawStep>, client: bool| {
            raw.into_iter()
                .enumerate()
                .map(|(i, step)| step.check(client).map_err(|why| format!("{who} step {}: {why}", i + 1)))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Script { client: steps("client", self.client, true)?, people: steps("people", self.people, false)? })
    }
}

impl RawStep {
    fn check(self, client: bool) -> Result<Step, String> {
        let after = match &self.after {
            Some(text) => {
                duration(text).ok_or_else(|| format!("after: `{text}` is no time span; write it as 2d or 3h"))?
            }
            None => SignedDuration::ZERO,
        };
        let on = self.on.clone().ok_or("say when, such as `on: {message: questions}`")?;
        let recurs = on.message.is_some() || on.approval.is_some();
        if self.every && !recurs {
            return Err("`every` needs a message or an approval to wait for; use `times: 2`".into());
        }
        if on == Trigger::default() {
            return Err("`on` is empty; name a message, approval, stage, status or outcome".into());
        }
        let times = if self.every { None } else { Some(self.times.unwrap_or(1)) };
        let action = self.action(client)?;
        if matches!(action, Action::Approve | Action::Reject { .. }) && on.approval.is_none() {
            return Err("approve and reject need `on: {approval: …}` (a kind, or any)".into());
        }
        Ok(Step { on, after, times, action })
    }

    fn action(self, client: bool) -> Result<Action, String> {
        let mut actions = Vec::new();
        let mut add = |for_client: Option<bool>, action: Action| actions.push((for_client, action));
        if let Some(text) = self.send {
            let action = if client {
                Action::Write { text, kind: self.kind, from: self.from }
            } else {
                let subject = self.subject.unwrap_or_else(|| "A word from us".into());
                move_to("messages", json!({"direction": "out", "subject": subject, "body": text}))
            };
            add(None, action);
        }
        if let Some(fields) = self.enquire {
            add(Some(true), enquire(fields)?);
        }
        if let Some(signer) = self.sign {
            add(Some(true), Action::Sign { signer });
        }
        if self.silent {
            add(None, Action::Silent);
        }
        if self.approve {
            add(Some(false), Action::Approve);
        }
        if let Some(reason) = self.reject {
            add(Some(false), Action::Reject { reason });
        }
        if self.take_over {
            add(Some(false), move_to("take-over", json!({})));
        }
        if self.hand_back {
            add(Some(false), move_to("hand-back", json!({})));
        }
        if self.retry {
            add(Some(false), move_to("retry", json!({})));
        }
        if let Some(reason) = self.escalate {
            add(Some(false), move_to("escalate", json!({"reason": reason})));
        }
        if let Some(reason) = self.reopen {
            add(Some(false), move_to("reopen", json!({"reason": reason})));
        }
        if let Some(reason) = self.erase {
            add(Some(false), move_to("erase", json!({"reason": reason})));
        }
        if let Some(RawClose { outcome, reason }) = self.close {
            add(Some(false), move_to("close", json!({"outcome": outcome, "reason": reason})));
        }
        if let Some(RawHandOff { to, reason }) = self.hand_off {
            let mut body = Map::new();
            body.extend(to.map(|to| ("to".to_owned(), json!(to))));
            body.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
            add(Some(false), Action::HandOff { body: Value::Object(body) });
        }
        let allowed = if client {
            "send, enquire, sign, silent"
        } else {
            "approve, reject, send, take_over, hand_back, retry, escalate, reopen, erase, close, hand_off, silent"
        };
        match (actions.pop(), actions.is_empty()) {
            (Some((who, action)), true) if who.is_none_or(|is_client| is_client == client) => Ok(action),
            (Some(_), true) => Err(format!("this is not for the {}; use one of {allowed}", party(client))),
            _ => Err(format!("give exactly one of {allowed}")),
        }
    }
}

/// `enquire: {via: email, message: …}`: the way, and fields of a lead.
fn enquire(mut fields: Map<String, Value>) -> Result<Action, String> {
    let via = fields.remove("via").ok_or("enquire: say by which way, `via: api`, `signal` or `email`")?;
    let way = Way::deserialize(via).map_err(|_| "enquire: `via` is api, signal or email")?;
    Ok(Action::Enquire { way, fields })
}

fn move_to(path: &'static str, body: Value) -> Action {
    Action::Move { path, body }
}

fn party(client: bool) -> &'static str {
    if client { "client" } else { "agency" }
}
