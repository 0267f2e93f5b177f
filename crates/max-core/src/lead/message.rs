//! The conversation with the client.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, ArtifactRef};
use crate::id::{Digest, MessageId};
use crate::stage::Stage;

/// A message that a mind would like to send to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What the message is for.
    pub kind: MessageKind,
    /// The subject line.
    pub subject: String,
    /// The text, plain.
    pub body: String,
    /// Artifacts that go with it, by name inside the stage's folder.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// Who wrote it: the voice's name, or `playbook`.
    #[serde(default)]
    pub written_by: String,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The client's message, or an ordinary answer to it.
    Reply,
    /// A neutral receipt while a person looks at the answer.
    Receipt,
    /// A polite no.
    Decline,
    /// Scoping questions.
    Questions,
    /// The mockup.
    Mockup,
    /// The proposal.
    Proposal,
    /// The contract.
    Contract,
    /// A reminder to a silent client.
    FollowUp,
    /// The welcome pack.
    Welcome,
    /// A status report or plan.
    Report,
    /// A milestone to sign off.
    Milestone,
    /// The closing letter.
    Closing,
    /// A request to pay the deposit.
    Deposit,
    /// A link by which the client confirms what was asked in his name.
    Identity,
    /// An out-of-office answer: recorded, but no reply.
    OutOfOffice,
    /// The address does not work.
    Bounce,
    /// The client wants no more mail.
    OptOut,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// How far an outgoing message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Arrived from outside.
    Received,
    /// Waits in the outbox.
    Queued,
    /// The rules allowed it; it is being handed to the channel.
    Sending,
    /// The channel took it.
    Sent,
    /// A rule forbade it at the moment of sending.
    Held,
    /// The channel refused it for good.
    Failed,
}

impl Delivery {
    /// The word, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Delivery::Received => "received",
            Delivery::Queued => "queued",
            Delivery::Sending => "sending",
            Delivery::Sent => "sent",
            Delivery::Held => "held",
            Delivery::Failed => "failed",
        }
    }
}

/// A message of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// What it is for.
    pub kind: MessageKind,
    /// The stage at the time.
    pub stage: Stage,
    /// When it was received or queued.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: Actor,
    /// The subject line.
    #[serde(default)]
    pub subject: String,
    /// The text. Untrusted when it came in.
    pub body: String,
    /// Attached artifacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<ArtifactRef>,
    /// RFC 5322 Message-ID without angle brackets.
    pub rfc_id: String,
    /// The Message-ID it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The ids of the thread so far, oldest first (RFC 5322 References).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The address it goes to or comes from.
    #[serde(default)]
    pub address: String,
    /// Which voice wrote it, or nothing for a person or the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
    /// False when the sender was only matched by his address.
    #[serde(default = "yes")]
    pub verified: bool,
}

fn yes() -> bool {
    true
}

/// What the aggregate keeps of a message; the text stands in the log and the message table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageMeta {
    /// Its id.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// What it is for.
    pub kind: MessageKind,
    /// How far it has come.
    pub delivery: Delivery,
    /// When it was received or queued.
    pub at: Timestamp,
    /// RFC 5322 Message-ID.
    pub rfc_id: String,
    /// When the channel took it, for one that left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// True when no person wrote it.
    pub automatic: bool,
    /// SHA-256 of the text, so that no follow-up says the same twice.
    pub text: Digest,
}
