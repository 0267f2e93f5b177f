//! The PipelineDirector: the only way to change a lead, for everyone inside and outside.
//!
//! It hands requests to the ledger, reads from cache and store, and knows the board of open tasks. It is a handle:
//! clone it freely.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use max_core::command::{Command, Import, Request};
use max_core::id::{ApprovalId, LeadId, LeadRef, MessageId, SignalId, TaskId};
use max_core::lead::{Actor, Lead, NewLead};
use max_core::policy::Policy;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::{StoredArtifact, Work};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use crate::board::Board;
use crate::cache::{Cached, LeadCache};
use crate::error::Error;
use crate::ledger::{Acted, Committed, Ingested, Job};
use crate::ports::{
    ArtifactStore, Brief, Clock, Linter, Logged, OnceKey, Related, RenderedState, SapWave, Store, StoreError, Thought,
};
use crate::projector::Projector;
use crate::spend::Meter;
use crate::timings::{Part, Timings};
use crate::usecase::suppress::PrivacyKey;
use crate::view;

/// The PipelineDirector.
#[derive(Clone)]
pub struct Director {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) linter: Arc<dyn Linter>,
    pub(crate) cache: Arc<LeadCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) board: Arc<Board>,
    pub(crate) projector: Arc<Projector>,
    pub(crate) timings: Arc<Timings>,
    pub(crate) committed: broadcast::Sender<Committed>,
    /// Wakes the timers.
    pub(crate) changed: Arc<Notify>,
    pub(crate) instance: String,
    /// Under which addresses are hashed.
    pub(crate) privacy_key: PrivacyKey,
    /// Whether readable copies are written.
    pub(crate) projects: bool,
}

/// So many leads of one company are named; a person who merges looks at the newest first.
const RELATED_AT_MOST: usize = 5;

/// A task that was claimed: work on it, then submit with its fencing token.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The lead as it was at the claim.
    pub lead: Arc<Lead>,
    /// The task.
    pub task: TaskId,
    /// Which attempt this is; the fencing token's second half.
    pub attempt: u32,
}

impl Director {
    // ---- changing -------------------------------------------------------------------------------------------------

    /// Takes in a lead. Idempotent by key, by reference, and by person and message within a day.
    pub async fn ingest(
        &self,
        mut lead: NewLead,
        by: Actor,
        signal_id: Option<SignalId>,
        once: Option<OnceKey>,
    ) -> Result<Ingested, Error> {
        self.admit(&mut lead).await?;
        let command = Command::Ingest { lead: Box::new(lead.clone()) };
        self.take_in(lead, Request::new(by, command).by_signal(signal_id), once).await
    }

    /// Takes in a project already under way.
    pub async fn import(&self, mut import: Import, by: Actor, once: Option<OnceKey>) -> Result<Ingested, Error> {
        self.admit(&mut import.lead).await?;
        let lead = import.lead.clone();
        self.take_in(lead, Request::new(by, Command::Import(Box::new(import))), once).await
    }

    /// Turns away cold rows for suppressed addresses, and hashes network addresses before anything is kept.
    async fn admit(&self, lead: &mut NewLead) -> Result<(), Error> {
        self.check_cold(lead).await?;
        if let Some(consent) = &mut lead.consent {
            self.inner.privacy_key.hash_ips(consent);
        }
        Ok(())
    }

    async fn take_in(&self, lead: NewLead, request: Request, once: Option<OnceKey>) -> Result<Ingested, Error> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Ingest { lead: Box::new(lead), request, once, reply };
        self.inner.jobs.send(job).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }

    /// Carries out a request on a lead. When it returns, what happened is durable.
    pub async fn act(&self, lead: LeadId, request: Request, once: Option<OnceKey>) -> Result<Acted, Error> {
        let request = self.look_up(lead, request).await?;
        let (reply, answer) = oneshot::channel();
        let asked = Instant::now();
        self.inner.jobs.send(Job::Act { lead, request, once, reply }).await.map_err(|_| Error::Stopping)?;
        let answer = answer.await.map_err(|_| Error::Stopping)?;
        self.inner.timings.note(Part::Asked, asked.elapsed());
        answer
    }

    /// Adds a standing wake-up or replaces the one with its name, and has the timers look at it.
    pub async fn put_sapwave(&self, wave: SapWave) -> Result<(), Error> {
        self.read(move |store| store.put_sapwave(&wave)).await?;
        self.inner.changed.notify_one();
        Ok(())
    }

    /// Ends the writer: what was asked before is still answered, everything after it is [`Error::Stopping`].
    pub(crate) async fn close(&self) {
        // The writer may be gone already.
        drop(self.inner.jobs.send(Job::Close).await);
    }

    /// Carries out a command of MAX's own.
    pub(crate) async fn act_as(&self, by: Actor, lead: LeadId, command: Command) -> Result<Acted, Error> {
        self.act(lead, Request::new(by, command), None).await
    }

    /// Waits until the readable copies of everything that can be read from the store now are written, or the time is
    /// over; true when they are.
    pub async fn settle(&self, within: Duration) -> Result<bool, Error> {
        // What was committed can be read a moment before the projector is told of it. The writer has told it before it
        // comes to this.
        let (reply, told) = oneshot::channel();
        self.inner.jobs.send(Job::Pass { reply }).await.map_err(|_| Error::Stopping)?;
        told.await.map_err(|_| Error::Stopping)??;
        let projector = Arc::clone(&self.inner.projector);
        blocking(move || Ok(projector.settle(within))).await
    }

    // ---- work -----------------------------------------------------------------------------------------------------

    /// Waits for a task of an Eidolon and claims it.
    pub async fn next_task(&self, eidolon: Eidolon, holder: &str) -> Assignment {
        loop {
            match self.try_next_task(eidolon, holder, None).await {
                Ok(Some(assignment)) => return assignment,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%eidolon, %error, "a task could not be claimed; trying again");
                    self.inner.clock.sleep_until(self.now() + jiff::SignedDuration::from_secs(1)).await;
                    continue;
                }
            }
            self.inner.board.wait(eidolon).await;
        }
    }

    /// Claims the next task of an Eidolon, if there is one.
    pub async fn try_next_task(
        &self,
        eidolon: Eidolon,
        holder: &str,
        once: Option<OnceKey>,
    ) -> Result<Option<Assignment>, Error> {
        while let Some((lead, task)) = self.inner.board.take(eidolon) {
            // Whoever waits here may be gone in the middle (a caller that hangs up): the task goes to the next one.
            let _offer = Offer { board: &self.inner.board, task };
            let claim = || self.claim(lead, task, eidolon, holder, once.clone());
            let claimed = match claim().await {
                // The claim may be durable all the same: asking again tells, and is a repeat then.
                Err(Error::Store(_)) => claim().await,
                claimed => claimed,
            };
            match claimed {
                Err(Error::Refused(_) | Error::NotFound(_)) => self.inner.board.decline(task),
                claimed => return claimed.map(Some),
            }
        }
        Ok(None)
    }

    /// Claims one task for `holder`.
    pub async fn claim(
        &self,
        lead: LeadId,
        task: TaskId,
        eidolon: Eidolon,
        holder: &str,
        once: Option<OnceKey>,
    ) -> Result<Assignment, Error> {
        let claim = Command::Claim { task, holder: holder.to_owned() };
        let acted = self.act(lead, Request::new(Actor::Eidolon(eidolon), claim), once).await?;
        let attempt = acted.lead.open_task().filter(|t| t.id == task).map(|t| t.attempt);
        let attempt = attempt.ok_or_else(|| Error::NotFound(format!("open task {task}")))?;
        Ok(Assignment { lead: acted.lead, task, attempt })
    }

    /// Renews a lease; an error when the attempt is over.
    pub async fn renew(&self, task: TaskId, attempt: u32) -> Result<(), Error> {
        if self.inner.board.renew(task, attempt, self.now()) {
            Ok(())
        } else {
            Err(Error::NotFound(format!("running attempt {attempt} of task {task}")))
        }
    }

    /// What a voice is given for a claimed task.
    pub async fn brief(&self, assignment: &Assignment) -> Result<Brief, Error> {
        let log = self.entries(assignment.lead.id, 0, usize::MAX).await?;
        let task = assignment.lead.open_task().cloned();
        let task = task.ok_or_else(|| Error::NotFound(format!("open task {}", assignment.task)))?;
        Ok(Brief {
            lead: Arc::clone(&assignment.lead),
            task,
            attempt: assignment.attempt,
            messages: view::messages(&log).into_iter().map(|m| m.message).collect(),
            policy: Arc::clone(&self.inner.policy),
            now: self.now(),
            findings: Vec::new(),
            related: self.related(&assignment.lead).await?,
            meter: Meter::default(),
        })
    }

    /// Other leads of the same company: looked up once, when a lead is judged.
    async fn related(&self, lead: &Lead) -> Result<Vec<Related>, Error> {
        let domains = lead.contact.company_domains();
        if lead.stage != Stage::LeadGen || domains.is_empty() {
            return Ok(Vec::new());
        }
        let id = lead.id;
        self.read(move |store| {
            let mut related: Vec<Related> = Vec::new();
            for domain in domains {
                for lead in store.leads_of_company(&domain, RELATED_AT_MOST)? {
                    if lead != id && related.iter().all(|r| r.lead != lead) {
                        related.push(Related { lead, domain: domain.clone() });
                    }
                }
            }
            Ok(related)
        })
        .await
    }

    /// Stores a thought's files and submits it. The files are durable before the submission counts.
    ///
    /// `instead_of` names the voices that were asked before and why they did not deliver.
    pub async fn submit(
        &self,
        assignment: &Assignment,
        thought: Thought,
        voice: &str,
        instead_of: &[String],
        once: Option<OnceKey>,
    ) -> Result<Acted, Error> {
        let lead = assignment.lead.id;
        let eidolon = assignment.lead.open_task().map_or(assignment.lead.stage.eidolon(), |t| t.eidolon);
        let Thought { result, messages, files, summary } = thought;
        let artifacts = Arc::clone(&self.inner.artifacts);
        let stored = blocking(move || {
            let mut stored = Vec::with_capacity(files.len());
            for file in &files {
                let sha256 = artifacts.put(lead, &file.bytes)?;
                stored.push(StoredArtifact { name: file.name.clone(), sha256, bytes: file.bytes.len() as u64 });
            }
            Ok(stored)
        })
        .await?;
        let (voice, instead_of) = (voice.to_owned(), instead_of.to_vec());
        let work = Work { result, messages, artifacts: stored, summary, voice, instead_of };
        let submit = Command::Submit { task: assignment.task, attempt: assignment.attempt, work: Box::new(work) };
        self.act(lead, Request::new(Actor::Eidolon(eidolon), submit), once).await
    }

    /// Reports that an attempt failed.
    pub async fn fail(
        &self,
        assignment: &Assignment,
        error: &str,
        retryable: bool,
        once: Option<OnceKey>,
    ) -> Result<Acted, Error> {
        let eidolon = assignment.lead.open_task().map_or(assignment.lead.stage.eidolon(), |t| t.eidolon);
        let fail =
            Command::Fail { task: assignment.task, attempt: assignment.attempt, error: error.to_owned(), retryable };
        self.act(assignment.lead.id, Request::new(Actor::Eidolon(eidolon), fail), once).await
    }

    // ---- reading --------------------------------------------------------------------------------------------------

    /// The id behind a reference.
    pub async fn resolve(&self, reference: &LeadRef) -> Result<LeadId, Error> {
        if let LeadRef::Id(id) = reference
            && self.inner.cache.get(*id).is_some()
        {
            return Ok(*id);
        }
        let wanted = reference.clone();
        let found = self.read(move |store| store.resolve(&wanted)).await?;
        found.ok_or_else(|| Error::NotFound(format!("lead {reference}")))
    }

    /// The lead with its rendered state, if it is in memory: the answer that costs nothing.
    pub fn cached(&self, id: LeadId) -> Option<Arc<Cached>> {
        self.inner.cache.get(id)
    }

    /// The lead with its rendered state.
    ///
    /// A lead that is not in memory is read right here: an indexed read and a fold take tens of microseconds, less than
    /// handing the question to a thread that may block and waiting for the answer.
    pub async fn lead(&self, id: LeadId) -> Result<Arc<Cached>, Error> {
        if let Some(cached) = self.inner.cache.get(id) {
            return Ok(cached);
        }
        let lead = self.inner.store.lead(id)?;
        let lead = lead.ok_or_else(|| Error::NotFound(format!("lead {id}")))?;
        let cached = Cached::new(Arc::new(lead));
        self.inner.cache.put(Arc::clone(&cached));
        Ok(cached)
    }

    /// The rendered state of a lead that is not in memory ([`Director::cached`]), with its version. It stays out of
    /// memory: who asks about many leads in turn does not push out those that are worked on.
    pub async fn state(&self, id: LeadId) -> Result<RenderedState, Error> {
        self.inner.store.state(id)?.ok_or_else(|| Error::NotFound(format!("lead {id}")))
    }

    /// The lead, once it is newer than `version` or the time is over.
    pub async fn changed_lead(&self, id: LeadId, version: u64, within: Duration) -> Result<Arc<Cached>, Error> {
        let mut committed = self.subscribe();
        let lead = self.lead(id).await?;
        if lead.lead.version > version {
            return Ok(lead);
        }
        let newer = async {
            loop {
                match committed.recv().await {
                    Ok(one) if one.lead.id == id && one.lead.version > version => return,
                    Ok(_) => {}
                    // Too much happened to follow: look at the lead itself.
                    Err(broadcast::error::RecvError::Lagged(_)) => match self.lead(id).await {
                        Ok(now) if now.lead.version > version => return,
                        _ => {}
                    },
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        };
        let _ = tokio::time::timeout(within, newer).await;
        self.lead(id).await
    }

    /// Entries of a lead.
    pub async fn entries(&self, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, Error> {
        self.read(move |store| store.entries(lead, after, limit)).await
    }

    /// The conversation of a lead.
    pub async fn messages(&self, lead: LeadId) -> Result<Vec<view::MessageView>, Error> {
        Ok(view::messages(&self.entries(lead, 0, usize::MAX).await?))
    }

    /// One message of a lead with its text.
    pub async fn message(&self, lead: LeadId, id: MessageId) -> Result<max_core::lead::Message, Error> {
        let log = self.entries(lead, 0, usize::MAX).await?;
        view::message(&log, id).ok_or_else(|| Error::NotFound(format!("message {id}")))
    }

    /// The approvals of a lead.
    pub async fn approvals_of(&self, lead: LeadId) -> Result<Vec<view::ApprovalView>, Error> {
        Ok(view::approvals(&self.entries(lead, 0, usize::MAX).await?))
    }

    /// The lead of an approval.
    pub async fn lead_of_approval(&self, id: ApprovalId) -> Result<LeadId, Error> {
        let lead = self.read(move |store| store.lead_of_approval(id)).await?;
        lead.ok_or_else(|| Error::NotFound(format!("approval {id}")))
    }

    /// An artifact's content.
    pub async fn artifact(&self, lead: LeadId, digest: max_core::id::Digest) -> Result<Vec<u8>, Error> {
        let artifacts = Arc::clone(&self.inner.artifacts);
        blocking(move || artifacts.get(lead, digest)).await
    }

    /// Stores an artifact's content, durably, before it is named in a command.
    pub async fn put_artifact(&self, lead: LeadId, bytes: Vec<u8>) -> Result<max_core::id::Digest, Error> {
        let artifacts = Arc::clone(&self.inner.artifacts);
        blocking(move || artifacts.put(lead, &bytes)).await
    }

    /// Reads the store from a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.inner.store);
        blocking(move || read(&*store)).await
    }

    /// Every entry from now on, in the order of the log.
    pub fn subscribe(&self) -> broadcast::Receiver<Committed> {
        self.inner.committed.subscribe()
    }

    /// The moment.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// The owner's rules.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.inner.policy
    }

    /// The board of open tasks.
    pub fn board(&self) -> &Board {
        &self.inner.board
    }

    /// The write-behind of readable copies.
    pub fn projector(&self) -> &Projector {
        &self.inner.projector
    }

    /// Where the time of requests went.
    pub fn timings(&self) -> &Timings {
        &self.inner.timings
    }

    /// This process, as leases name it.
    pub fn instance(&self) -> &str {
        &self.inner.instance
    }

    /// Writes a consistent copy of the store.
    pub async fn backup(&self, to: &Path) -> Result<(), Error> {
        let to = to.to_owned();
        self.read(move |store| store.backup(&to)).await
    }
}

/// A task between being taken from the board and being claimed. Gives it back when dropped unclaimed.
struct Offer<'a> {
    board: &'a Board,
    task: TaskId,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.board.give_back(self.task);
    }
}

/// Runs something that may block on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Error::Store),
        Err(_) => Err(Error::Stopping),
    }
}
