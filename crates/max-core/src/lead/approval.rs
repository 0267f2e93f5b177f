//! What a person of the agency decides, bound to its hash.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Draft};
use crate::id::{ApprovalId, Digest, TaskId};
use crate::rules::Weight;
use crate::stage::Stage;
use crate::stages::{Finding, Next};

/// What kind of thing a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// A reply to the client.
    Reply,
    /// The scope.
    Scope,
    /// The mockup leaves the house.
    Mockup,
    /// The priced proposal.
    Proposal,
    /// The contract.
    Contract,
    /// Confirms that the deposit arrived.
    Deposit,
    /// Confirms the agency's manual onboarding steps.
    ManualSteps,
    /// A milestone is handed to the client for sign-off.
    Milestone,
    /// Changed scope, price or dates after signature.
    ChangeOrder,
    /// Whether to go for an enquiry at all that is too large or too unusual to be judged by rules.
    Bid,
    /// The erasure of a person's data.
    Erasure,
}

impl ApprovalKind {
    /// All kinds.
    pub const ALL: [ApprovalKind; 11] = [
        ApprovalKind::Reply,
        ApprovalKind::Scope,
        ApprovalKind::Mockup,
        ApprovalKind::Proposal,
        ApprovalKind::Contract,
        ApprovalKind::Deposit,
        ApprovalKind::ManualSteps,
        ApprovalKind::Milestone,
        ApprovalKind::ChangeOrder,
        ApprovalKind::Bid,
        ApprovalKind::Erasure,
    ];

    /// The word as it stands in the API and `max.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            ApprovalKind::Reply => "reply",
            ApprovalKind::Scope => "scope",
            ApprovalKind::Mockup => "mockup",
            ApprovalKind::Proposal => "proposal",
            ApprovalKind::Contract => "contract",
            ApprovalKind::Deposit => "deposit",
            ApprovalKind::ManualSteps => "manual_steps",
            ApprovalKind::Milestone => "milestone",
            ApprovalKind::ChangeOrder => "change_order",
            ApprovalKind::Bid => "bid",
            ApprovalKind::Erasure => "erasure",
        }
    }
}

/// A question to a person of the agency, bound to the hash of exactly what would happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is decided.
    pub kind: ApprovalKind,
    /// The stage that asks.
    pub stage: Stage,
    /// The task whose result it is.
    pub task: TaskId,
    /// One line for the queue.
    pub title: String,
    /// The artifacts concerned.
    pub artifacts: Vec<ArtifactRef>,
    /// The messages that go out on approval.
    pub outgoing: Vec<Draft>,
    /// What follows on approval.
    pub then: Next,
    /// SHA-256 over kind, artifacts, messages and what follows: what the person agrees to.
    pub payload_sha256: Digest,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it should be decided; a reminder comes at half time.
    pub due_at: Timestamp,
    /// Reminders sent so far.
    #[serde(default)]
    pub reminders: u8,
    /// What checks found in what is decided; what blocks has to be mended or waived first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Findings that a person let pass. They end with this approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waiver>,
}

/// A finding that a person let pass, for one approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// The finding's rule.
    pub rule: String,
    /// The finding's place.
    #[serde(default)]
    pub place: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// By which way a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// `max approvals`.
    Cli,
    /// Another program, over HTTP.
    Api,
    /// A page in a browser.
    Dashboard,
    /// A signed file in the drop box.
    SignedSignal,
}

impl Through {
    /// What a person reads, fitting "through …".
    pub const fn sentence(self) -> &'static str {
        match self {
            Through::Cli => "the command line",
            Through::Api => "the API",
            Through::Dashboard => "the dashboard",
            Through::SignedSignal => "a signed signal",
        }
    }
}

impl Approval {
    /// The digest a decision must name.
    pub fn digest(kind: ApprovalKind, artifacts: &[ArtifactRef], outgoing: &[Draft], then: &Next) -> Digest {
        Digest::of_json(&(kind, artifacts, outgoing, then))
    }

    /// True while what was shown is what would happen.
    pub fn is_intact(&self) -> bool {
        Self::digest(self.kind, &self.artifacts, &self.outgoing, &self.then) == self.payload_sha256
    }

    /// Whether a person has let this finding pass.
    pub fn has_waived(&self, finding: &Finding) -> bool {
        self.waived.iter().any(|w| w.rule == finding.rule && w.place == finding.place)
    }

    /// What stands in the way of a yes.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.weight >= Weight::Blocks && !self.has_waived(finding))
    }
}

/// A versioned, hashed file of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactRef {
    /// The stage whose folder it stands in.
    pub stage: Stage,
    /// Its file name inside the stage's folder: `[A-Za-z0-9._-]`, with `/` between folders.
    pub name: String,
    /// 1 for the first; the same content again is no new version.
    pub version: u32,
    /// What it holds.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Set when later work made it void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
}
