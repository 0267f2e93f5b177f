//! Who did something.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stage::Eidolon;

/// Who did something, as it stands in the history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", from = "String")]
pub enum Actor {
    /// The PipelineDirector itself.
    Director,
    /// An Eidolon through one of its voices.
    Eidolon(Eidolon),
    /// The client.
    Client,
    /// A person of the agency, or a script with a token; the text names who and by which way.
    Person(String),
    /// A file in the drop box; the text is its `from`, which is a claim and not an identity.
    Signal(String),
    /// An import of a project already under way.
    Import(String),
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        match actor {
            Actor::Director => "director".into(),
            Actor::Eidolon(e) => format!("eidolon:{e}"),
            Actor::Client => "client".into(),
            Actor::Person(who) => format!("person:{who}"),
            Actor::Signal(from) => format!("signal:{from}"),
            Actor::Import(who) => format!("import:{who}"),
        }
    }
}

impl From<String> for Actor {
    fn from(text: String) -> Self {
        match text.split_once(':') {
            Some(("eidolon", id)) => match id.parse() {
                Ok(eidolon) => Self::Eidolon(eidolon),
                Err(_) => Self::Person(text),
            },
            Some(("person", who)) => Self::Person(who.into()),
            Some(("signal", from)) => Self::Signal(from.into()),
            Some(("import", who)) => Self::Import(who.into()),
            _ if text == "director" => Self::Director,
            _ if text == "client" => Self::Client,
            _ => Self::Person(text),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

impl Actor {
    /// The name for people: without the kind where it has a name of its own.
    pub fn who(&self) -> String {
        match self {
            Self::Person(who) | Self::Signal(who) | Self::Import(who) => who.clone(),
            Self::Eidolon(eidolon) => eidolon.persona().into(),
            Self::Director | Self::Client => self.to_string(),
        }
    }

    /// True for a person of the agency (also one who imports or drops a file).
    pub fn is_person(&self) -> bool {
        matches!(self, Self::Person(_) | Self::Signal(_) | Self::Import(_))
    }
}
