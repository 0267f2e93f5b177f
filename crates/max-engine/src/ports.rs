//! What the engine asks of the world. Adapters implement these; the engine knows no driver.
//!
//! Store, folders and artifacts are synchronous on purpose: they are called from threads that may block, and a
//! trait without futures is one that a test can implement in a page.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use max_core::effect::Notice;
use max_core::event::Entry;
use max_core::id::{ApprovalId, Digest, EscalationId, ExternalRef, LeadId, LeadRef, MessageId, SignalId, TaskId};
use max_core::lead::{Actor, ApprovalKind, Draft, Lead, Message, Status, Task};
use max_core::policy::Policy;
use max_core::signal::Signal;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::StageResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runs::{MicroUsd, Run, Transport};
use crate::spend::{Meter, Spending};

// ---- the log -----------------------------------------------------------------------------------------------------

/// A lead's `ClientState` as JSON, and the version it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedState {
    /// The lead's version.
    pub version: u64,
    /// Compact JSON.
    pub json: Vec<u8>,
}

impl RenderedState {
    /// Renders a lead.
    pub fn of(lead: &Lead) -> Self {
        let state = max_core::lead::ClientState::from(lead);
        Self { version: lead.version, json: serde_json::to_vec(&state).unwrap_or_default() }
    }
}

/// The log and the tables beside it. One process writes at a time per lead; `commit` is the only writer of leads.
///
/// Invariants that the contract suite in `max-testkit` checks over every backend: a committed write is durable and
/// visible to every later read; a write whose `entry.version` is not the lead's version plus one changes nothing
/// ([`WriteError::Conflict`]); a failed write leaves the other writes of its batch alone.
pub trait Store: Send + Sync + 'static {
    /// Appends each write in its own savepoint and makes all of them durable at once. The outer error means that
    /// nothing of the batch counts.
    fn commit(&self, batch: &[Write]) -> Result<Vec<Result<Position, WriteError>>, StoreError>;

    /// The lead with all its entries applied.
    fn lead(&self, id: LeadId) -> Result<Option<Lead>, StoreError>;
    /// The lead's `ClientState`, rendered. A store may keep it beside the log, so that it is one read.
    fn state(&self, id: LeadId) -> Result<Option<RenderedState>, StoreError> {
        Ok(self.lead(id)?.map(|lead| RenderedState::of(&lead)))
    }
    /// The id behind a reference. For a UUID: the lead with this id, if it exists.
    fn resolve(&self, reference: &LeadRef) -> Result<Option<LeadId>, StoreError>;
    /// The newest lead without an outcome whose [`max_core::lead::NewLead::person_key`] is this.
    fn open_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError>;
    /// The newest lead of any status whose person key is this.
    fn any_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError>;
    /// The newest leads that gave this domain as their company's ([`max_core::lead::NewLead::company_domains`]).
    fn leads_of_company(&self, domain: &str, limit: usize) -> Result<Vec<LeadId>, StoreError>;
    /// The lead that came in with this fingerprint at or after `since`.
    fn lead_with_fingerprint(&self, fingerprint: Digest, since: Timestamp) -> Result<Option<LeadId>, StoreError>;
    /// The lead whose conversation holds this RFC 5322 Message-ID.
    fn lead_of_thread(&self, rfc_id: &str) -> Result<Option<LeadId>, StoreError>;
    /// What was done under this idempotency key.
    fn idempotency(&self, key: &str) -> Result<Option<Idempotency>, StoreError>;
    /// Keeps the keys of requests that appended nothing, durably. A key that is known stays as it is.
    fn keep_keys(&self, keys: &[Idempotency]) -> Result<(), StoreError>;

    /// A page of leads, newest change first.
    fn list(&self, filter: &LeadFilter) -> Result<Page, StoreError>;
    /// How many leads there are by stage and status.
    fn counts(&self) -> Result<Vec<(Stage, Status, u64)>, StoreError>;
    /// Entries of one lead after `after` (0 for all), oldest first.
    fn entries(&self, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError>;
    /// Entries of all leads after a position, oldest first.
    fn entries_after(&self, position: Position, limit: usize) -> Result<Vec<Logged>, StoreError>;
    /// The position of the newest entry, 0 for none.
    fn last_position(&self) -> Result<Position, StoreError>;

    /// Open tasks, oldest first: all, or those of one Eidolon.
    fn open_tasks(&self, eidolon: Option<Eidolon>, limit: usize) -> Result<Vec<TaskRow>, StoreError>;
    /// The lead of an open task.
    fn lead_of_task(&self, task: TaskId) -> Result<Option<LeadId>, StoreError>;
    /// Pending approvals, oldest first.
    fn pending_approvals(&self, limit: usize) -> Result<Vec<ApprovalRow>, StoreError>;
    /// The lead of an approval, pending or decided.
    fn lead_of_approval(&self, approval: ApprovalId) -> Result<Option<LeadId>, StoreError>;
    /// Open escalations, oldest first.
    fn open_escalations(&self, limit: usize) -> Result<Vec<EscalationRow>, StoreError>;
    /// The lead of an open escalation.
    fn lead_of_escalation(&self, escalation: EscalationId) -> Result<Option<LeadId>, StoreError>;
    /// Messages that wait to leave or were on their way.
    fn outbox(&self, limit: usize) -> Result<Vec<(LeadId, MessageId)>, StoreError>;
    /// Leads whose wake-up time is at or before `now`, earliest first.
    fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<LeadId>, StoreError>;
    /// The earliest wake-up time of all leads.
    fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// A small named value (watermarks, versions).
    fn meta(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// Sets a small named value, durably.
    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError>;

    /// All access tokens.
    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;
    /// Adds a token.
    fn add_token(&self, token: &TokenRow) -> Result<(), StoreError>;
    /// Removes a token; false when there was none with this id.
    fn revoke_token(&self, id: &str) -> Result<bool, StoreError>;

    /// All standing wake-ups.
    fn sapwaves(&self) -> Result<Vec<SapWave>, StoreError>;
    /// Adds a wake-up or replaces the one with its name.
    fn put_sapwave(&self, wave: &SapWave) -> Result<(), StoreError>;
    /// Removes a wake-up; false when there was none with this name.
    fn remove_sapwave(&self, name: &str) -> Result<bool, StoreError>;

    /// What is kept of an address on the suppression list, by its keyed hash.
    fn suppression(&self, _: Digest) -> Result<Option<Suppression>, StoreError> {
        Ok(None)
    }
    /// The whole suppression list, newest first.
    fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        Ok(Vec::new())
    }
    /// Puts an address on the suppression list; what is known of it already stays as it is.
    fn put_suppression(&self, _: &Suppression) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("this store keeps no suppression list".into()))
    }
    /// Takes an address off the list; false when it was not on it.
    fn remove_suppression(&self, _: Digest) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Leads that were erased, or are to be: an entry that erases a lead puts it here in the same commit.
    fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        Ok(Vec::new())
    }
    /// Writes down how far an erasure has come.
    fn put_erasure(&self, _: &Erasure) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("this store cannot erase".into()))
    }
    /// Blanks everything the store holds of a lead whose last entry erased it: payloads (the first becomes `left`, the
    /// JSON of one [`max_core::event::Event::LeadErased`]), who and what is found by, the keys it came under. Digests
    /// and seals stay, so that [`Store::verify`] finds the chain whole. Again is harmless.
    fn erase(&self, _: LeadId, _left: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("this store cannot erase".into()))
    }
    /// Makes sure that what was blanked is nowhere in the store's files any more. Takes as long as reading the
    /// store, while others go on writing.
    fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes a run down, or how it stands now.
    fn record_run(&self, _: &Run) -> Result<(), StoreError> {
        Ok(())
    }
    /// The runs of a lead, oldest first.
    fn runs(&self, _: LeadId) -> Result<Vec<Run>, StoreError> {
        Ok(Vec::new())
    }
    /// What runs have cost. Those of erased leads still count.
    fn spent(&self, _: Spending) -> Result<MicroUsd, StoreError> {
        Ok(MicroUsd::default())
    }
    /// Marks runs as lost that an earlier process has left running.
    fn end_lost_runs(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes a consistent copy to a path while the store is in use.
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
    /// Recomputes every audit chain; the leads whose chain is broken, with the version of the first bad entry.
    fn verify(&self) -> Result<Vec<(LeadId, u64)>, StoreError>;
}

/// An address that nothing automatic goes to, known by its keyed hash alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// HMAC-SHA256 of the address in lower case.
    pub hash: Digest,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub at: Timestamp,
    /// Who put it there.
    pub by: String,
}

/// Why an address is on the suppression list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The person wants no more mail.
    OptOut,
    /// The address bounced.
    Bounced,
    /// The person's data was erased.
    Erased,
    /// A person of the agency put it there.
    Manual,
}

impl SuppressionReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OptOut, Self::Bounced, Self::Erased, Self::Manual];

    /// The word as it stands in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::Bounced => "bounced",
            Self::Erased => "erased",
            Self::Manual => "manual",
        }
    }
}

/// An erasure and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The lead.
    pub lead: LeadId,
    /// When it was decided.
    pub at: Timestamp,
    /// True once nothing is left to do.
    pub done: bool,
}

/// By what the files of a lead are recognised before it is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// The agency's own name for the lead.
    pub external_ref: Option<ExternalRef>,
    /// Addresses it was written from and to.
    pub addresses: Vec<String>,
    /// RFC 5322 Message-IDs of its conversation.
    pub rfc_ids: Vec<String>,
    /// Signals that were taken in.
    pub signals: Vec<String>,
    /// Its messages.
    pub messages: Vec<MessageId>,
}

/// The order of entries over all leads; strictly increasing, gaps allowed.
pub type Position = i64;

/// One entry to append, with what the tables beside the log say afterwards.
#[derive(Clone, Debug)]
pub struct Write {
    /// The facts.
    pub entry: Entry,
    /// The entry's audit hashes.
    pub seal: Seal,
    /// The events as JSON, as they are stored and as `seal.payload` was taken over them.
    pub payload: Vec<u8>,
    /// The lead with the entry applied; its `chain` is the seal's.
    pub after: Arc<Lead>,
    /// When the lead wants to be woken, if ever ([`max_core::decide::due`]).
    pub wake_at: Option<Timestamp>,
    /// The idempotency key the request came under: kept with the entry, or neither.
    pub idempotency: Option<OnceKey>,
}

/// The audit hashes of an entry.
///
/// `payload` is the SHA-256 of the events' JSON as stored; `chain` is the SHA-256 of
/// `"max2" ‖ previous chain ‖ lead ‖ version ‖ at ‖ SHA-256(by) ‖ SHA-256(signal id) ‖ payload`. Everything that a person
/// may have written is there as a digest only, so all of it can be erased and the chain still verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of the payload.
    pub payload: Digest,
    /// SHA-256 of the link.
    pub chain: Digest,
}

/// What stands before the digest of a text that was erased from an entry's header.
const ERASED: &str = "erased-";

impl Seal {
    /// Seals an entry whose events were serialised as `payload`.
    pub fn new(previous: Digest, entry: &Entry, payload: &[u8]) -> Self {
        Self::from_digest(previous, entry, Digest::of(payload))
    }

    /// The same when only the payload's digest is left.
    pub fn from_digest(previous: Digest, entry: &Entry, payload: Digest) -> Self {
        let mut link = b"max2".to_vec();
        link.extend_from_slice(&previous.0);
        link.extend_from_slice(entry.lead.0.as_bytes());
        link.extend_from_slice(&entry.version.to_be_bytes());
        link.extend_from_slice(&entry.at.as_nanosecond().to_be_bytes());
        link.extend_from_slice(&commitment(&String::from(entry.by.clone())).0);
        link.extend_from_slice(&commitment(entry.signal_id.as_ref().map_or("", |s| s.as_str())).0);
        link.extend_from_slice(&payload.0);
        Self { payload, chain: Digest::of(&link) }
    }

    /// Whether an entry follows on `previous` and ends in `chain`.
    pub fn holds(previous: Digest, entry: &Entry, payload: Digest, chain: Digest) -> bool {
        Self::from_digest(previous, entry, payload).chain == chain
            || Self::first_form(previous, entry, payload).chain == chain
    }

    /// What is left of an entry's header when it is erased: who and which signal, where the sender chose the words. An
    /// entry in the first form of seals keeps its header, because its seal is over the words themselves.
    pub fn erased_header(previous: Digest, entry: &Entry, payload: Digest, chain: Digest) -> (Actor, Option<SignalId>) {
        if Self::from_digest(previous, entry, payload).chain != chain {
            return (entry.by.clone(), entry.signal_id.clone());
        }
        let by = match &entry.by {
            Actor::Signal(_) => Actor::Person(erased(&String::from(entry.by.clone()))),
            by => by.clone(),
        };
        // An id that MAX made itself tells nothing, and it still tells a second copy of the signal.
        let own = |id: &SignalId| id.as_str().starts_with("file-") || id.as_str().starts_with(ERASED);
        let signal = entry.signal_id.clone().map(|id| match own(&id) {
            true => id,
            false => SignalId::try_from(erased(id.as_str())).unwrap_or(id),
        });
        (by, signal)
    }

    /// As seals were at first: over the words of the header themselves.
    fn first_form(previous: Digest, entry: &Entry, payload: Digest) -> Self {
        let mut link = Vec::with_capacity(192);
        link.extend_from_slice(&previous.0);
        link.extend_from_slice(entry.lead.0.as_bytes());
        link.extend_from_slice(&entry.version.to_be_bytes());
        link.extend_from_slice(&entry.at.as_nanosecond().to_be_bytes());
        let by = String::from(entry.by.clone());
        link.extend_from_slice(&(by.len() as u64).to_be_bytes());
        link.extend_from_slice(by.as_bytes());
        let signal = entry.signal_id.as_ref().map_or("", |s| s.as_str());
        link.extend_from_slice(&(signal.len() as u64).to_be_bytes());
        link.extend_from_slice(signal.as_bytes());
        link.extend_from_slice(&payload.0);
        Self { payload, chain: Digest::of(&link) }
    }
}

fn erased(text: &str) -> String {
    format!("{ERASED}{}", Digest::of(text.as_bytes()))
}

/// The digest of a text, also of one that was replaced by it.
fn commitment(text: &str) -> Digest {
    let bare = text.strip_prefix("person:").unwrap_or(text);
    bare.strip_prefix(ERASED).and_then(|digits| digits.parse().ok()).unwrap_or_else(|| Digest::of(text.as_bytes()))
}

/// A key under which a request is carried out at most once, with the digest of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// The key with its scope, for example `api:<token>:<key>` or `signal:<id>`.
    pub key: String,
    /// SHA-256 of the request. The same key with another one is a conflict.
    pub body: Digest,
}

/// What was done under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, and what was asked under it.
    pub once: OnceKey,
    /// What was done.
    pub done: Done,
    /// When.
    pub at: Timestamp,
}

/// What a request did that came under a key, and with it how its second copy is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It changed this lead, or found it as it was wanted: the second copy is told how the lead is now.
    Lead(LeadId),
    /// It was about no lead: the second copy gets the same answer.
    Answered(KeptAnswer),
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// JSON, or nothing. Never a secret and never a client's words: nobody erases it.
    pub body: String,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Where it stands.
    pub position: Position,
    /// The entry. When its payload was erased: without events, but for what was left in the first one.
    pub entry: Entry,
    /// Its hashes.
    pub seal: Seal,
    /// True when the payload was erased.
    pub erased: bool,
}

/// Why one write of a batch does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another writer was first: load the lead again and decide again.
    #[error("another writer changed the lead first")]
    Conflict,
    /// The `external_ref` belongs to another lead.
    #[error("external_ref `{0}` belongs to another lead")]
    ExternalRefTaken(ExternalRef),
    /// The idempotency key was used meanwhile.
    #[error("the idempotency key was used before")]
    KeyTaken,
    /// The store refused the row.
    #[error("the store refused the entry: {0}")]
    Refused(String),
}

/// Why the store could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room: nothing was written; free some and try again.
    #[error("the disk is full ({0}); free some space, nothing was half-written")]
    Full(String),
    /// The folder cannot be written.
    #[error("the store cannot be written ({0}); check the folder's permissions")]
    ReadOnly(String),
    /// Something else; trying again may help.
    #[error("the store failed: {0}")]
    Unavailable(String),
    /// The data is not what was written.
    #[error("the store is damaged: {0}; restore a backup or run `max rebuild`")]
    Damaged(String),
}

/// Which leads to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Only this stage.
    pub stage: Option<Stage>,
    /// Only this status.
    pub status: Option<Status>,
    /// Words that name, company, address or external reference contain, without regard to case.
    pub search: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many (1 to 500).
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<LeadRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A lead in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadRow {
    /// The lead.
    pub lead_id: LeadId,
    /// The agency's own name for it.
    pub external_ref: Option<ExternalRef>,
    /// The person.
    pub name: String,
    /// The address.
    pub email: String,
    /// The company.
    pub company: Option<String>,
    /// Its stage.
    pub current_stage: Stage,
    /// Its status.
    pub status: Status,
    /// Its outcome, once there is one.
    pub outcome: Option<String>,
    /// A sentence a person can act on.
    pub next_action: String,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl LeadRow {
    /// The row of a lead.
    pub fn of(lead: &Lead) -> Self {
        Self {
            lead_id: lead.id,
            external_ref: lead.contact.external_ref.clone(),
            name: lead.contact.name.clone(),
            email: lead.contact.email.clone(),
            company: lead.contact.company.clone(),
            current_stage: lead.stage,
            status: lead.status(),
            outcome: lead.outcome().map(|o| o.name().to_owned()),
            next_action: lead.next_action(),
            created_at: lead.created_at,
            updated_at: lead.updated_at,
        }
    }
}

/// An open task in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskRow {
    /// The lead.
    pub lead: LeadId,
    /// The task.
    #[serde(flatten)]
    pub task: Task,
}

/// A pending approval in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalRow {
    /// The approval.
    pub id: ApprovalId,
    /// The lead.
    pub lead: LeadId,
    /// Its kind.
    pub kind: ApprovalKind,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it should be decided.
    pub due_at: Timestamp,
}

/// An open escalation in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EscalationRow {
    /// The escalation.
    pub id: EscalationId,
    /// The lead.
    pub lead: LeadId,
    /// When help was called for.
    pub at: Timestamp,
}

/// An access token; the secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its public id.
    pub id: String,
    /// What it is for, in the owner's words.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: Digest,
    /// `ingest`, `read`, `operate`, `admin`, or `eidolon:<id>`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A durable wake-up of an Eidolon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SapWave {
    /// Its name, unique.
    pub name: String,
    /// Whom it wakes.
    pub eidolon: Eidolon,
    /// When: a cron expression (five fields, in UTC) or one moment.
    pub when: SapWaveTime,
    /// What it is told.
    pub message: String,
    /// When it last ran.
    pub last_run: Option<Timestamp>,
    /// When it runs next; nothing when it has run for the last time.
    pub next_run: Option<Timestamp>,
}

/// When a wake-up happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SapWaveTime {
    /// Again and again.
    Cron(String),
    /// Once.
    Once(Timestamp),
}

// ---- files -------------------------------------------------------------------------------------------------------

/// The artifacts' content, by lead and digest. Durable before `put` returns.
pub trait ArtifactStore: Send + Sync + 'static {
    /// Stores some bytes; the same bytes again cost nothing.
    fn put(&self, lead: LeadId, bytes: &[u8]) -> Result<Digest, StoreError>;
    /// The bytes with this digest; checked against it.
    fn get(&self, lead: LeadId, digest: Digest) -> Result<Vec<u8>, StoreError>;
}

/// The readable side: `state.json`, stage folders, inbox copies. Projections: atomic, not synced one by one, and
/// rebuilt from the log at any time.
pub trait Folders: Send + Sync + 'static {
    /// Writes a lead's `state.json`, creates the folders of the stages it has entered, and places its artifacts and
    /// summaries there.
    fn write_lead(&self, lead: &Lead, artifacts: &dyn ArtifactStore) -> Result<(), StoreError>;
    /// Writes an inbox copy.
    fn write_delivery(&self, to: Eidolon, signal: &Signal) -> Result<(), StoreError>;
    /// Moves an inbox copy to `.processed/` once its task is over.
    fn retire_delivery(&self, to: Eidolon, signal: &Signal) -> Result<(), StoreError>;
    /// Moves inbox copies of tasks to `.processed/` that are not among the `open` ones: what a process that died could
    /// not move any more. Files that no task is named in are left alone.
    fn reconcile_deliveries(&self, open: &HashSet<TaskId>) -> Result<(), StoreError>;
    /// Writes a signal for the world to read (`PROJECT_COMPLETE`).
    fn announce(&self, signal: &Signal) -> Result<(), StoreError>;
    /// Removes everything of a lead: its folder, copies in inboxes, signals that brought it, the homes of voices.
    fn erase(&self, _: LeadId, _: &Traces) -> Result<(), StoreError> {
        Ok(())
    }
    /// The list of erasures that is kept beside the store, so that a restored copy learns of those it was made before.
    fn erasure_list(&self) -> Result<Vec<(LeadId, Timestamp)>, StoreError> {
        Ok(Vec::new())
    }
    /// Adds to that list, durably; twice is harmless.
    fn note_erasure(&self, _: LeadId, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
    /// The thread that writes them calls this once before it begins: whoever answers requests goes first.
    fn in_background(&self) {}
    /// Forgets what it remembers to have written, so that it is all looked up and written again.
    fn forget(&self) {}
    /// Makes everything written so far durable (`syncfs`).
    fn sync(&self) -> Result<(), StoreError>;
}

// ---- checks ------------------------------------------------------------------------------------------------------

/// Looks into files: what code can tell about a document's content. Called by MAX itself before work counts and before
/// an approval is carried out, never by a mind.
pub trait Linter: Send + Sync + 'static {
    /// What it finds.
    fn lint(&self, work: &Linted<'_>) -> Vec<max_core::stages::Finding>;
}

/// What a linter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Linted<'a> {
    /// The lead as it is, without the work at hand.
    pub lead: &'a Lead,
    /// The owner's rules.
    pub policy: &'a Policy,
    /// The files.
    pub files: &'a [File],
    /// The moment.
    pub now: Timestamp,
}

/// A linter that finds nothing, for engines that are tested without documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinter;

impl Linter for NoLinter {
    fn lint(&self, _: &Linted<'_>) -> Vec<max_core::stages::Finding> {
        Vec::new()
    }
}

// ---- voices ------------------------------------------------------------------------------------------------------

/// One inner voice. It drafts; code checks and executes.
pub trait Voice: Send + Sync + 'static {
    /// Its name: `playbook`, a script's name, `claude` ….
    fn name(&self) -> &str;
    /// How it is reached.
    fn transport(&self) -> Transport {
        Transport::House
    }
    /// Works one turn.
    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>>;
}

/// What a voice is given for one turn.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The lead as it is.
    pub lead: Arc<Lead>,
    /// The turn.
    pub task: Task,
    /// Which attempt this is.
    pub attempt: u32,
    /// The whole conversation, oldest first. Text from outside is untrusted.
    pub messages: Vec<Message>,
    /// The owner's rules.
    pub policy: Arc<Policy>,
    /// The moment.
    pub now: Timestamp,
    /// What checks found in an earlier try of this turn.
    pub findings: Vec<max_core::stages::Finding>,
    /// Other leads of the same company, for LeadGen to name and a person to merge.
    pub related: Vec<Related>,
    /// What the voice may spend on it, and where it writes down what it spent.
    pub meter: Meter,
}

/// A lead that belongs to the same company as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The other lead.
    pub lead: LeadId,
    /// The domain they share.
    pub domain: String,
}

/// What a voice gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// The typed result.
    pub result: StageResult,
    /// Messages it would like to send.
    pub messages: Vec<Draft>,
    /// Files for the stage's folder.
    pub files: Vec<File>,
    /// What happened, in a sentence or two.
    pub summary: String,
}

/// A file that a voice wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Its name inside the stage's folder.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

/// How a voice can fail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFail {
    /// It took too long.
    #[error("no answer within {0:#}")]
    Timeout(SignedDuration),
    /// It was asked too often.
    #[error("it was asked too often and may be asked again at {until:.0}")]
    RateLimited {
        /// When it may be asked again.
        until: Timestamp,
    },
    /// Nothing is left of what was paid for.
    #[error("its quota or credit is used up: {0}")]
    QuotaOut(String),
    /// Its key or login does not count (any more).
    #[error("its key or login is not accepted: {0}")]
    AuthExpired(String),
    /// It answered nothing.
    #[error("the answer was empty")]
    Empty,
    /// It answered something else than was asked.
    #[error("the answer was not what was asked: {0}")]
    Malformed(String),
    /// It would not.
    #[error("the voice refused: {0}")]
    Refused(String),
    /// The lead is too long for it.
    #[error("the lead does not fit into the model's context")]
    ContextTooLong,
    /// It died.
    #[error("the voice died: {0}")]
    Crash(String),
    /// The owner's budget does not allow the call.
    #[error("the budget does not allow it: {0}")]
    BudgetDenied(String),
    /// It cannot work on this at all.
    #[error("the voice cannot do this: {0}")]
    Unable(String),
}

// ---- the world ---------------------------------------------------------------------------------------------------

/// A way out for messages.
pub trait Channel: Send + Sync + 'static {
    /// Hands a message of a lead over. Called again with the same message after a crash: the second must not be a
    /// second mail.
    fn send<'a>(
        &'a self,
        lead: LeadId,
        message: &'a Message,
        attachments: &'a [File],
    ) -> BoxFuture<'a, Result<(), SendError>>;
    /// Removes the copies of messages that it keeps itself; what was delivered cannot be taken back.
    fn forget<'a>(&'a self, _: LeadId, _: &'a [MessageId]) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Why a message did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again later.
    #[error("{0}")]
    Later(String),
    /// It will never work.
    #[error("{0}")]
    Never(String),
}

/// Tells the people of the agency that something waits for them.
pub trait Notifier: Send + Sync + 'static {
    /// Tells them. Must not fail the caller; what goes wrong is logged.
    fn notify<'a>(&'a self, lead: &'a Lead, notice: &'a Notice) -> BoxFuture<'a, ()>;
}

/// The time. Nothing else in MAX reads a clock.
pub trait Clock: Send + Sync + 'static {
    /// The moment.
    fn now(&self) -> Timestamp;
    /// Returns when `at` has come (also when the clock jumps over it), and at the latest when as much time has passed as
    /// was left: after a clock was set back, `at` may still lie ahead.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}
