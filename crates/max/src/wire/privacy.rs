//! What the law asks: erasure, export, consent and the suppression list.

use jiff::Timestamp;
use max_core::id::{Digest, LeadId};
use max_core::lead::Purpose;
use max_engine::ports::Suppression;
use max_engine::usecase::erase::Preview;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for the erasure of a lead's data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestErasure {
    /// Why, if there is more to say than that it was asked for.
    #[serde(default)]
    pub reason: String,
    /// Who asked the agency for it, and by which way.
    #[serde(default)]
    pub asked_by: String,
}

/// Records what the client agreed to, or took back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConsent {
    /// What for.
    pub purpose: Purpose,
    /// Yes or no.
    pub given: bool,
    /// Which text was agreed to.
    #[serde(default)]
    pub text_version: String,
    /// Where: a form, a call, a letter.
    #[serde(default)]
    pub source: String,
}

/// Puts an address on the suppression list. Only its keyed hash is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// The address.
    pub address: String,
    /// `manual` when absent, or `opt_out`, `bounced`, `erased`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an erasure would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasurePreview {
    /// The lead.
    pub lead_id: LeadId,
    /// What goes.
    pub goes: Vec<ErasurePortion>,
    /// What stays, and why.
    pub stays: Vec<String>,
    /// What is out of reach.
    pub out_of_reach: Vec<String>,
    /// Other leads of the same address, which are not erased with this one.
    pub other_leads: Vec<LeadId>,
}

/// Some things of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasurePortion {
    /// Of which kind.
    pub what: String,
    /// How many.
    pub count: u64,
}

impl ErasurePreview {
    /// The preview of one lead.
    pub fn new(lead_id: LeadId, preview: Preview) -> Self {
        let Preview { goes, stays, out_of_reach, other_leads } = preview;
        let goes = goes.into_iter().map(|p| ErasurePortion { what: p.what, count: p.count }).collect();
        Self { lead_id, goes, stays, out_of_reach, other_leads }
    }
}

/// The suppression list, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionList {
    /// The entries.
    pub suppressions: Vec<SuppressionView>,
}

/// An address that nothing automatic goes to, by its keyed hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionView {
    /// HMAC-SHA256 of the address.
    pub hash: Digest,
    /// `opt_out`, `bounced`, `erased` or `manual`.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Who put it there.
    pub by: String,
}

impl From<Suppression> for SuppressionView {
    fn from(one: Suppression) -> Self {
        Self { hash: one.hash, reason: one.reason.name().into(), at: one.at, by: one.by }
    }
}
