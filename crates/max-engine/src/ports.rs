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
use max_core::id::{ApprovalId, Digest, ExternalRef, LeadId, LeadRef, MessageId, TaskId};
use max_core::lead::{ApprovalKind, Draft, Lead, Message, Status, Task};
use max_core::policy::Policy;
use max_core::signal::Signal;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::StageResult;
use serde::{Deserialize, Serialize};

// ---- the log -----------------------------------------------------------------------------------------------------

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
    /// The id behind a reference. For a UUID: the lead with this id, if it exists.
    fn resolve(&self, reference: &LeadRef) -> Result<Option<LeadId>, StoreError>;
    /// The newest lead without an outcome whose [`max_core::lead::NewLead::person_key`] is this.
    fn open_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError>;
    /// The newest lead of any status whose person key is this.
    fn any_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError>;
    /// The lead that came in with this fingerprint at or after `since`.
    fn lead_with_fingerprint(&self, fingerprint: Digest, since: Timestamp) -> Result<Option<LeadId>, StoreError>;
    /// The lead whose conversation holds this RFC 5322 Message-ID.
    fn lead_of_thread(&self, rfc_id: &str) -> Result<Option<LeadId>, StoreError>;
    /// What was done under this idempotency key.
    fn idempotency(&self, key: &str) -> Result<Option<Idempotency>, StoreError>;

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

    /// Writes a consistent copy to a path while the store is in use.
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
    /// Recomputes every audit chain; the leads whose chain is broken, with the version of the first bad entry.
    fn verify(&self) -> Result<Vec<(LeadId, u64)>, StoreError>;
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
    /// The idempotency key the request came under.
    pub idempotency: Option<Idempotency>,
}

/// The audit hashes of an entry.
///
/// `payload` is the SHA-256 of the events' JSON as stored; `chain` is the SHA-256 of
/// `previous chain ‖ lead ‖ version ‖ at ‖ by ‖ signal id ‖ payload`. So a payload can be erased and the chain
/// still verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of the payload.
    pub payload: Digest,
    /// SHA-256 of the link.
    pub chain: Digest,
}

impl Seal {
    /// Seals an entry whose events were serialised as `payload`.
    pub fn new(previous: Digest, entry: &Entry, payload: &[u8]) -> Self {
        Self::from_digest(previous, entry, Digest::of(payload))
    }

    /// The same when only the payload's digest is left.
    pub fn from_digest(previous: Digest, entry: &Entry, payload: Digest) -> Self {
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

/// What was done under an idempotency key. The same key with another `body` is a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key with its scope, for example `api:<token>:<key>` or `signal:<id>`.
    pub key: String,
    /// SHA-256 of the request's body.
    pub body: Digest,
    /// The lead it was about.
    pub lead: LeadId,
    /// When.
    pub at: Timestamp,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Where it stands.
    pub position: Position,
    /// The entry. Without events when its payload was erased.
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Forgets what it remembers to have written, so that it is all looked up and written again.
    fn forget(&self) {}
    /// Makes everything written so far durable (`syncfs`).
    fn sync(&self) -> Result<(), StoreError>;
}

// ---- voices ------------------------------------------------------------------------------------------------------

/// One inner voice. It drafts; code checks and executes.
pub trait Voice: Send + Sync + 'static {
    /// Its name: `playbook`, a script's name, `claude` ….
    fn name(&self) -> &str;
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
    /// It answered nothing.
    #[error("the answer was empty")]
    Empty,
    /// It answered something else than was asked.
    #[error("the answer was not what was asked: {0}")]
    Malformed(String),
    /// It would not.
    #[error("the voice refused: {0}")]
    Refused(String),
    /// It died.
    #[error("the voice died: {0}")]
    Crash(String),
    /// It cannot work on this at all.
    #[error("the voice cannot do this: {0}")]
    Unable(String),
}

// ---- the world ---------------------------------------------------------------------------------------------------

/// A way out for messages.
pub trait Channel: Send + Sync + 'static {
    /// Hands a message over. Called again with the same message after a crash: the second must not be a second mail.
    fn send<'a>(&'a self, message: &'a Message, attachments: &'a [File]) -> BoxFuture<'a, Result<(), SendError>>;
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
