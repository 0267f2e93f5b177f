//! Rows go to the server: several at once, those of one person in order, each counting once.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::rows::{Row, RowError, once_key, request};
use crate::client::{Answer, Client, ClientError};
use crate::exit::{Exit, Failure};

/// How often a row is sent when the server does not answer.
const TRIES: u32 = 4;

/// What became of a row.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) number: usize,
    /// Whom the row is about.
    pub(super) who: String,
    pub(super) fate: Fate,
}

/// How a row ended.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// A new lead.
    Created(String),
    /// Known already.
    Repeat(String),
    /// Another message of an open lead.
    Message(String),
    /// A dry run found nothing wrong.
    Ready,
    /// Not taken in.
    Error { field: Option<String>, detail: String },
}

impl Fate {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Fate::Created(_) => "created",
            Fate::Repeat(_) => "repeat",
            Fate::Message(_) => "message",
            Fate::Ready => "ready",
            Fate::Error { .. } => "error",
        }
    }
}

impl From<RowError> for Fate {
    fn from(error: RowError) -> Self {
        Fate::Error { field: error.field, detail: error.detail }
    }
}

impl Outcome {
    pub(super) fn detail(&self) -> String {
        match &self.fate {
            Fate::Created(lead) | Fate::Repeat(lead) | Fate::Message(lead) => lead.clone(),
            Fate::Ready => String::new(),
            Fate::Error { field: Some(field), detail } if !detail.starts_with(field) => format!("{field}: {detail}"),
            Fate::Error { detail, .. } => detail.clone(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = json!({"row": self.number, "result": self.fate.word()});
        match &self.fate {
            Fate::Created(lead) | Fate::Repeat(lead) | Fate::Message(lead) => value["lead_id"] = json!(lead),
            Fate::Ready => {}
            Fate::Error { field, detail } => {
                value["field"] = json!(field);
                value["detail"] = json!(detail);
            }
        }
        value
    }
}

/// What can be known about a row without sending it.
pub(super) fn rehearse(row: Row) -> Outcome {
    let number = row.number;
    match row.lead {
        Err(error) => Outcome { number, who: String::new(), fate: error.into() },
        Ok(lead) => Outcome { number, who: who(&lead), fate: missing(&lead).map_or(Fate::Ready, Fate::from) },
    }
}

/// A name or an address, and a message, are enough; the server checks the rest.
fn missing(lead: &Map<String, Value>) -> Option<RowError> {
    let given = |field: &str| lead.get(field).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let (field, detail) = if !given("message") {
        ("message", "is missing")
    } else if !given("name") && !given("email") {
        ("email", "is missing, and so is the name: one of them is needed")
    } else {
        return None;
    };
    Some(RowError { field: Some(field.into()), detail: detail.into() })
}

/// Sends all rows and tells what became of each, in the order of the file.
///
/// # Errors
/// When the server cannot be reached at all, or the token is not good: then no row can be taken in.
pub(super) async fn all(
    client: &Client,
    rows: Vec<Row>,
    at_once: usize,
    bar: &ProgressBar,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut people: HashMap<String, Vec<Parcel>> = HashMap::new();
    let mut order = Vec::new();
    let mut seen = HashMap::new();
    for row in rows {
        match row.lead {
            Err(error) => {
                bar.inc(1);
                outcomes.push(Outcome { number: row.number, who: String::new(), fate: error.into() });
            }
            Ok(lead) => {
                let parcel = Parcel::new(row.number, lead, &mut seen);
                let person = people.entry(parcel.person.clone()).or_default();
                if person.is_empty() {
                    order.push(parcel.person.clone());
                }
                person.push(parcel);
            }
        }
    }
    let queues = order.into_iter().filter_map(|person| people.remove(&person));
    let mut running =
        futures::stream::iter(queues.map(|queue| send_in_order(client, queue, bar))).buffer_unordered(at_once);
    while let Some(sent) = running.next().await {
        outcomes.extend(sent?);
    }
    outcomes.sort_by_key(|outcome| outcome.number);
    Ok(outcomes)
}

/// A row ready to go.
struct Parcel {
    number: usize,
    who: String,
    /// Rows of one person keep their order.
    person: String,
    message: String,
    path: &'static str,
    body: Value,
    key: String,
}

impl Parcel {
    fn new(number: usize, lead: Map<String, Value>, seen: &mut HashMap<max_core::id::Digest, usize>) -> Self {
        let text = |field: &str| lead.get(field).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (who, message) = (who(&lead), text("message"));
        let person = if text("email").is_empty() { text("name") } else { text("email") }.to_lowercase();
        let (path, body) = request(lead);
        let key = once_key(path, &body, seen);
        Self { number, who, person, message, path, body, key }
    }
}

async fn send_in_order(client: &Client, queue: Vec<Parcel>, bar: &ProgressBar) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(queue.len());
    for parcel in queue {
        let fate = match send(client, &parcel).await {
            Ok(answer) => fate_of(&answer, &parcel),
            Err(error) if matches!(error.exit(), Exit::Unreachable | Exit::NotAllowed) => return Err(error.into()),
            Err(error) => Fate::Error {
                field: error.problem().and_then(|problem| problem.field.clone()),
                detail: error.to_string(),
            },
        };
        bar.inc(1);
        outcomes.push(Outcome { number: parcel.number, who: parcel.who, fate });
    }
    Ok(outcomes)
}

/// Sends a row; again when the server did not answer or asked for patience. The key makes a second copy harmless.
async fn send(client: &Client, parcel: &Parcel) -> Result<Answer, ClientError> {
    let mut tries = 1;
    loop {
        let result = client.post_once(parcel.path, &parcel.body, &parcel.key).await;
        let patience = matches!(&result, Err(error) if error.is_passing());
        if !patience || tries == TRIES {
            return result;
        }
        tokio::time::sleep(Duration::from_millis(250 << tries)).await;
        tries += 1;
    }
}

fn fate_of(answer: &Answer, parcel: &Parcel) -> Fate {
    let lead = answer.body["lead_id"].as_str().unwrap_or_default().to_owned();
    if answer.status.as_u16() == 201 {
        return Fate::Created(lead);
    }
    let first = answer.body["data"]["lead"]["message"].as_str().unwrap_or_default();
    if parcel.path == "/api/import" || first.trim() == parcel.message {
        Fate::Repeat(lead)
    } else {
        Fate::Message(lead)
    }
}

fn who(lead: &Map<String, Value>) -> String {
    let text = |field: &str| lead.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("name"), text("email")) {
        ("", email) => email.to_owned(),
        (name, _) => name.to_owned(),
    }
}
