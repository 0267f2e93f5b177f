//! What must be so in the end, and what was.

use max_core::lead::{ApprovalKind, Direction, Message, MessageKind, Outcome, Status};
use max_core::stage::Stage;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Ending;

/// The expectations of a scenario. What is not named is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    status: Option<Status>,
    outcome: Option<Outcome>,
    stage: Option<Stage>,
    history: Option<Vec<Stage>>,
    next_action: Option<String>,
    trace: Option<ExpectTrace>,
    messages: Vec<ExpectMessage>,
    approvals: Vec<ExpectApproval>,
    artifacts: Vec<ExpectArtifact>,
    other_leads: Option<usize>,
    other_messages: Vec<ExpectMessage>,
}

/// How the way of every requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExpectTrace {
    /// There are requirements, and no cell is red.
    Whole,
    /// A cell is red.
    Red,
}

/// Messages that are alike in everything that is named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectMessage {
    kind: Option<MessageKind>,
    #[serde(default = "outward")]
    direction: Direction,
    subject: Option<String>,
    contains: Option<String>,
    address: Option<String>,
    count: Option<usize>,
}

fn outward() -> Direction {
    Direction::Out
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectApproval {
    kind: Option<ApprovalKind>,
    state: Option<String>,
    count: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectArtifact {
    stage: Stage,
    name: String,
    contains: Option<String>,
    without: Option<String>,
    #[serde(default = "there")]
    exists: bool,
}

fn there() -> bool {
    true
}

/// One expectation with how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which, as it stands in the file.
    pub what: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// Whether it holds.
    pub met: bool,
}

impl Check {
    fn same(what: &str, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let (expected, actual) = (expected.into(), actual.into());
        Self { what: what.into(), met: expected == actual, expected, actual }
    }

    /// As JSON, for programs.
    pub fn to_json(&self) -> Value {
        json!({"expectation": self.what, "met": self.met, "expected": self.expected, "actual": self.actual})
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: expected {}, was {}", self.what, self.expected, self.actual)
    }
}

impl Expect {
    /// Whether nothing is expected at all.
    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.outcome.is_none()
            && self.stage.is_none()
            && self.history.is_none()
            && self.next_action.is_none()
            && self.trace.is_none()
            && self.other_leads.is_none()
            && self.other_messages.is_empty()
            && self.messages.is_empty()
            && self.approvals.is_empty()
            && self.artifacts.is_empty()
    }

    /// Compares every expectation with how the story ended.
    pub fn check(&self, ending: &Ending) -> Vec<Check> {
        let state = &ending.state;
        let mut checks = Vec::new();
        if let Some(status) = self.status {
            checks.push(Check::same("status", status.name(), state.status.name()));
        }
        if let Some(outcome) = self.outcome {
            let actual = state.data.get("outcome").and_then(Value::as_str).unwrap_or("none yet");
            checks.push(Check::same("outcome", outcome.name(), actual));
        }
        if let Some(stage) = self.stage {
            checks.push(Check::same("stage", stage.name(), state.current_stage.name()));
        }
        if let Some(history) = &self.history {
            let was = stages(state.history.iter().map(|transition| transition.to_stage));
            checks.push(Check::same("history", stages(history.iter().copied()), was));
        }
        if let Some(text) = &self.next_action {
            checks.push(holds("next_action", text, &state.next_action));
        }
        if let Some(wanted) = self.trace {
            let (word, rows) = (if ending.trace.is_whole() { "whole" } else { "red" }, ending.trace.rows.len());
            let wanted = if wanted == ExpectTrace::Whole { "whole" } else { "red" };
            let was = if rows == 0 { "empty".to_owned() } else { word.to_owned() };
            checks.push(Check::same("trace", wanted, was));
        }
        if let Some(wanted) = self.other_leads {
            checks.push(Check::same("other_leads", wanted.to_string(), ending.others.len().to_string()));
        }
        let others: Vec<&Message> = ending.others.iter().flatten().collect();
        let own: Vec<&Message> = ending.messages.iter().collect();
        let lists = [
            self.messages.iter().enumerate().map(|(i, m)| m.check("messages", i, &own)).collect::<Vec<_>>(),
            self.other_messages.iter().enumerate().map(|(i, m)| m.check("other_messages", i, &others)).collect(),
            self.approvals.iter().enumerate().map(|(i, a)| a.check(i, ending)).collect(),
            self.artifacts.iter().enumerate().flat_map(|(i, a)| a.check(i, ending)).collect(),
        ];
        checks.extend(lists.into_iter().flatten());
        checks
    }
}

impl ExpectMessage {
    fn check(&self, list: &str, index: usize, messages: &[&Message]) -> Check {
        let matching = messages.iter().filter(|message| {
            message.direction == self.direction
                && self.kind.is_none_or(|kind| kind == message.kind)
                && self.subject.as_ref().is_none_or(|text| contains(&message.subject, text))
                && self.contains.as_ref().is_none_or(|text| contains(&message.body, text))
                && self.address.as_ref().is_none_or(|address| message.address.eq_ignore_ascii_case(address))
        });
        let mut words =
            vec![if self.direction == Direction::In { "from the client" } else { "to the client" }.to_owned()];
        words.extend(self.kind.map(|kind| format!("of kind {}", word(&kind))));
        words.extend(self.subject.as_ref().map(|text| format!("with `{text}` in the subject")));
        words.extend(self.contains.as_ref().map(|text| format!("with `{text}` in the text")));
        words.extend(self.address.as_ref().map(|address| format!("with the address {address}")));
        let was: Vec<String> =
            messages.iter().filter(|m| m.direction == self.direction).map(|m| word(&m.kind)).collect();
        counted(format!("{list}[{index}] ({})", words.join(", ")), self.count, matching.count(), &was)
    }
}

impl ExpectApproval {
    fn check(&self, index: usize, ending: &Ending) -> Check {
        let matching = ending.approvals.iter().filter(|(kind, state)| {
            self.kind.is_none_or(|wanted| wanted == *kind) && self.state.as_ref().is_none_or(|wanted| wanted == state)
        });
        let mut words: Vec<String> = self.kind.iter().map(|kind| kind.name().to_owned()).collect();
        words.extend(self.state.clone());
        let was: Vec<String> =
            ending.approvals.iter().map(|(kind, state)| format!("{} {state}", kind.name())).collect();
        counted(format!("approvals[{index}] ({})", words.join(", ")), self.count, matching.count(), &was)
    }
}

impl ExpectArtifact {
    fn check(&self, index: usize, ending: &Ending) -> Vec<Check> {
        let path = format!("{}/{}", self.stage.folder(), self.name);
        let what = format!("artifacts[{index}] ({path})");
        let found = ending.artifacts.iter().find(|(name, _)| *name == path);
        let presence = |there: bool| if there { "there" } else { "missing" };
        let mut checks = vec![Check::same(&what, presence(self.exists), presence(found.is_some()))];
        if let (Some(text), Some((_, content))) = (&self.contains, found) {
            checks.push(holds(&what, text, content));
        }
        if let (Some(text), Some((_, content))) = (&self.without, found) {
            checks.push(Check {
                what,
                expected: format!("a text without `{text}`"),
                met: !contains(content, text),
                actual: "a text with it".into(),
            });
        }
        checks
    }
}

/// A number that must be met exactly; without one, at least one.
fn counted(what: String, wanted: Option<usize>, actual: usize, there: &[String]) -> Check {
    let expected = wanted.map_or_else(|| "at least 1".into(), |count| count.to_string());
    let met = wanted.map_or(actual > 0, |count| count == actual);
    let among = if there.is_empty() { "none at all".into() } else { there.join(", ") };
    Check { what, expected, actual: format!("{actual} (there were: {among})"), met }
}

fn holds(what: &str, text: &str, actual: &str) -> Check {
    let shown: String = actual.chars().take(300).collect();
    Check {
        what: what.into(),
        expected: format!("a text with `{text}`"),
        met: contains(actual, text),
        actual: format!("`{shown}`"),
    }
}

/// Without regard to case and white space.
pub(super) fn contains(text: &str, part: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    plain(text).contains(&plain(part))
}

fn stages(stages: impl Iterator<Item = Stage>) -> String {
    stages.map(Stage::name).collect::<Vec<_>>().join(" > ")
}

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
