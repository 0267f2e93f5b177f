//! What people do beside the pipeline: help, sign, take over.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Task};
use crate::id::{Digest, EscalationId};

/// An open call for help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Escalation {
    /// Its id.
    pub id: EscalationId,
    /// Why, in a sentence.
    pub reason: String,
    /// Who raised it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The Core Orchestra's task, while it looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Task>,
    /// What the Core Orchestra recommends to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
}

/// The client's signature under a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// SHA-256 of the document signed.
    pub document: Digest,
    /// The signer's name as given.
    pub signer: String,
    /// When.
    pub at: Timestamp,
    /// By which way it was recorded.
    pub by: Actor,
    /// What shows that it was given (rule PC-11); nothing for signatures of before there was any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<SigningEvidence>>,
}

/// What shows that a signature was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SigningEvidence {
    /// By which way.
    pub method: SigningMethod,
    /// The signer's address, as the lead had it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The words that were agreed to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consent: String,
    /// Their version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consent_version: String,
    /// The network address the signature came from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// What the signer's browser calls itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
}

/// By which way a signature was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SigningMethod {
    /// On the client's own page.
    Portal,
    /// In a program of the agency that asked the client.
    Api,
    /// Elsewhere: a person of the agency recorded it.
    #[default]
    Recorded,
}

/// Money that arrived, as the account shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncomingPayment {
    /// How much, in minor units of the contract's currency; nothing where only its arrival is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// The bank's own reference, or whatever finds it again in the books.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The day on which it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_on: Option<Date>,
}

/// A person works with this client; the AI keeps still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TakeOver {
    /// Who.
    pub by: Actor,
    /// Since when.
    pub at: Timestamp,
}
