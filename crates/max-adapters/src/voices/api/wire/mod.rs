//! The four formats: what is sent, and how an answer or a failure is read. One module each, behind one enum.
//!
//! As the services describe them in November 2026: Anthropic Messages (`anthropic-version: 2023-06-01`), OpenAI
//! Responses and Chat Completions (`/v1`), Gemini `generateContent` (`/v1beta`).

mod anthropic;
mod chat;
mod gemini;
mod responses;
mod trouble;

use max_engine::runs::Usage;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::super::brief::Prompt;
use super::ApiKey;

pub(super) use trouble::{Failure, Trouble, from_status};

/// A format that services speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    Responses,
    /// OpenAI Chat Completions.
    Chat,
    /// Gemini.
    Gemini,
}

/// What one call asks.
pub(super) struct Ask<'a> {
    pub model: &'a str,
    pub prompt: &'a Prompt,
    /// Why the last answer could not be read.
    pub unread: Option<&'a str>,
    pub max_output_tokens: u32,
    pub stream: bool,
    pub structured: bool,
}

impl Ask<'_> {
    /// The part that is the same for every lead.
    fn stable(&self) -> String {
        if self.structured {
            return self.prompt.stable.clone();
        }
        format!("{}\nThe answer keeps to this JSON Schema:\n{}\n", self.prompt.stable, self.prompt.schema)
    }

    /// The part that is new.
    fn fresh(&self) -> String {
        match self.unread {
            None => self.prompt.fresh.clone(),
            Some(why) => format!(
                "{}\nYour last answer could not be read: {why}. Answer again, with the JSON object alone.\n",
                self.prompt.fresh
            ),
        }
    }
}

/// What came back so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub text: String,
    /// The model that answered, by its own word.
    pub model: Option<String>,
    pub usage: Usage,
    /// How it ended; nothing while it has not.
    pub end: Option<End>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The model had said it all.
    Whole,
    /// At the most tokens that were asked for.
    CutOff,
    /// The model or its service would not.
    Refused,
    /// At the end of the model's context.
    ContextFull,
}

impl Wire {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Anthropic, Self::Responses, Self::Chat, Self::Gemini];

    /// The word for it in `max.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Responses => "openai-responses",
            Self::Chat => "openai-chat",
            Self::Gemini => "gemini",
        }
    }

    /// The vendor's own address.
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::Responses | Self::Chat => "https://api.openai.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
        }
    }

    /// Where a call goes below the address.
    pub(super) fn path(self, model: &str, stream: bool) -> String {
        match self {
            Self::Anthropic => "/v1/messages".into(),
            Self::Responses => "/v1/responses".into(),
            Self::Chat => "/v1/chat/completions".into(),
            Self::Gemini => gemini::path(model, stream),
        }
    }

    /// What a call says.
    pub(super) fn body(self, ask: &Ask<'_>) -> Value {
        match self {
            Self::Anthropic => anthropic::body(ask),
            Self::Responses => responses::body(ask),
            Self::Chat => chat::body(ask),
            Self::Gemini => gemini::body(ask),
        }
    }

    /// The headers of a call beside its type.
    pub(super) fn headers(self, key: Option<&ApiKey>) -> Vec<(HeaderName, HeaderValue)> {
        let (name, scheme) = match self {
            Self::Anthropic => ("x-api-key", ""),
            Self::Responses | Self::Chat => ("authorization", "Bearer "),
            Self::Gemini => ("x-goog-api-key", ""),
        };
        let key = key.and_then(|key| key.header(scheme)).map(|value| (HeaderName::from_static(name), value));
        let version = (self == Self::Anthropic)
            .then(|| (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01")));
        key.into_iter().chain(version).collect()
    }

    /// Adds an event of a stream.
    pub(super) fn event(self, event: &Value, answer: &mut Answer) -> Result<(), Trouble> {
        match self {
            Self::Anthropic => anthropic::event(event, answer),
            Self::Responses => responses::event(event, answer),
            Self::Chat => chat::event(event, answer),
            Self::Gemini => gemini::event(event, answer),
        }
    }

    /// Reads an answer that came whole.
    pub(super) fn whole(self, body: &Value, answer: &mut Answer) -> Result<(), Trouble> {
        match self {
            Self::Anthropic => anthropic::whole(body, answer),
            Self::Responses => responses::whole(body, answer),
            Self::Chat => chat::whole(body, answer),
            Self::Gemini => gemini::event(body, answer),
        }
    }
}

/// A count at a JSON pointer, 0 where there is none.
fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// A text at a JSON pointer.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The elements of a list at a JSON pointer.
fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Takes over which model answered, by its own word: it is shown, so it is a plain name or nothing.
fn note_model(answer: &mut Answer, name: Option<&str>) {
    let plain = |name: &&str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
        !name.is_empty() && name.len() <= 100 && name.bytes().all(known)
    };
    if let Some(name) = name.filter(plain) {
        answer.model = Some(name.to_owned());
    }
}
