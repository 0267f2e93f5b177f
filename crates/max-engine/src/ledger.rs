//! The one writer. Requests queue up here; each round decides all that are waiting, commits them together and only
//! then answers (group commit). So an answer means "durable", and a hundred requests cost one `fdatasync`.
//!
//! Ingestion is decided here too, because whether a lead is a repeat depends on what was ingested a moment ago,
//! perhaps in the same round.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use max_core::command::{Command, Incoming, Request};
use max_core::decide::{Decision, decide, due};
use max_core::event::Entry;
use max_core::id::{Digest, ExternalRef, Fresh, LeadId, LeadRef, SignalId};
use max_core::lead::{Actor, Lead, MessageKind, NewLead};
use max_core::policy::Policy;
use tokio::sync::{mpsc, oneshot};

use crate::cache::{Cached, LeadCache};
use crate::error::Error;
use crate::fail;
use crate::ports::{Clock, Done, Idempotency, OnceKey, Position, Seal, Store, StoreError, Write, WriteError};
use crate::timings::{Part, Timings};

/// An entry that is durable now, with the lead after it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Where it stands in the log.
    pub position: Position,
    /// The facts.
    pub entry: Arc<Entry>,
    /// The lead after them.
    pub lead: Arc<Lead>,
    /// When the lead wants to be woken.
    pub wake_at: Option<Timestamp>,
}

/// What a request came to.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The lead as it is now.
    pub lead: Arc<Lead>,
    /// True when nothing changed because it was done before.
    pub repeated: bool,
}

/// What an ingestion came to.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// The lead as it is now.
    pub lead: Arc<Lead>,
    /// What was done with what came in.
    pub how: IngestedAs,
}

/// What was done with what came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestedAs {
    /// A new lead.
    New,
    /// The same as before; nothing changed.
    Repeat,
    /// A further message of an open lead.
    Message,
}

/// Work for the writer.
pub(crate) enum Job {
    Act {
        lead: LeadId,
        request: Request,
        once: Option<OnceKey>,
        reply: oneshot::Sender<Result<Acted, Error>>,
    },
    /// Nothing to do; answered once everything before it is committed and told.
    Pass {
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// The last one: the writer ends after the round it is in.
    Close,
    /// Ingestion or import of `lead`.
    Ingest {
        lead: Box<NewLead>,
        request: Request,
        once: Option<OnceKey>,
        reply: oneshot::Sender<Result<Ingested, Error>>,
    },
}

/// Tells everyone inside what was committed.
pub(crate) type Publish = Box<dyn Fn(&[Committed]) + Send>;

/// The writer's hands.
pub(crate) struct Writer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cache: Arc<LeadCache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    /// Called for each round after its commit, before the answers: whatever must know of every entry.
    pub(crate) publish: Publish,
    /// Where the time goes.
    pub(crate) timings: Arc<Timings>,
    /// Leads whose last commit ended in an error, with their version before it: it may have become durable.
    pub(crate) suspects: Vec<(LeadId, u64)>,
}

/// At most this many requests share a commit; more would only make the first of them wait longer.
const ROUND: usize = 256;
/// How long the same person with the same message is a repeat.
const REPEAT_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How often the store is asked what became of a commit that ended in an error.
const HEAL_EVERY: std::time::Duration = std::time::Duration::from_millis(100);
/// How often a request is decided again when another writer was first.
const CONFLICT_TRIES: u32 = 5;

impl Writer {
    /// Works until [`Job::Close`], or until all senders are gone.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(ROUND);
        while let Some(first) = self.next(&mut jobs) {
            waiting.push(first);
            while waiting.len() < ROUND {
                match jobs.try_recv() {
                    Ok(job) => waiting.push(job),
                    Err(_) => break,
                }
            }
            let begun = Instant::now();
            let closing = waiting.iter().any(|job| matches!(job, Job::Close));
            let mut again = std::mem::take(&mut waiting);
            for _ in 0..CONFLICT_TRIES {
                again = self.round(again);
                if again.is_empty() {
                    break;
                }
            }
            for job in again {
                job.refuse(Error::Store(StoreError::Unavailable("other writers were faster too often".into())));
            }
            self.timings.note(Part::Round, begun.elapsed());
            if closing {
                return;
            }
            waiting.reserve(ROUND);
        }
    }

    /// Carries out one request on this thread, before the writer runs.
    pub(crate) fn now(&mut self, lead: LeadId, request: Request) -> Result<(), Error> {
        let (reply, mut answer) = oneshot::channel();
        self.round(vec![Job::Act { lead, request, once: None, reply }]);
        answer.try_recv().map_or(Err(Error::Stopping), |done| done.map(drop))
    }

    /// Waits for a job. While it is open whether something became durable, it looks for that, too.
    fn next(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
        while !self.suspects.is_empty() {
            match jobs.try_recv() {
                Ok(job) => return Some(job),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(HEAL_EVERY),
            }
            self.heal();
        }
        jobs.blocking_recv()
    }

    /// Tells everyone of entries that became durable although their commit ended in an error; why it could not.
    fn heal(&mut self) -> Option<StoreError> {
        let mut trouble = None;
        let read = |lead: &LeadId, before: &u64| -> Result<_, StoreError> {
            Ok((self.store.entries(*lead, *before, usize::MAX)?, self.store.lead(*lead)?))
        };
        self.suspects.retain(|(lead, before)| {
            let (log, after) = match read(lead, before) {
                Ok(found) => found,
                Err(error) => {
                    trouble = Some(error);
                    return true;
                }
            };
            let Some(after) = after.filter(|_| !log.is_empty()).map(Arc::new) else { return false };
            let wake_at = due(&after, &self.policy).map(|(at, _)| at);
            let healed: Vec<Committed> = log
                .into_iter()
                .map(|l| Committed {
                    position: l.position,
                    entry: Arc::new(l.entry),
                    lead: Arc::clone(&after),
                    wake_at,
                })
                .collect();
            (self.publish)(&healed);
            false
        });
        trouble
    }

    /// Commits a round. The failpoints stand for a crash or an error just before and just after it.
    fn make_durable(&self, writes: &[Write]) -> Result<Vec<Result<Position, WriteError>>, StoreError> {
        fail::point("ledger.commit")?;
        let begun = Instant::now();
        let results = self.store.commit(writes)?;
        self.timings.note(Part::Commit, begun.elapsed());
        fail::point("ledger.committed")?;
        Ok(results)
    }

    /// Decides and commits one round; returns the jobs that another writer overtook.
    fn round(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        // What follows would be told to everyone before what came first, so it has to wait.
        if !self.suspects.is_empty()
            && let Some(error) = self.heal()
        {
            jobs.into_iter().for_each(|job| job.refuse(Error::Store(error.clone())));
            return Vec::new();
        }
        let mut round = Round { writer: self, writes: Vec::new(), decided: Vec::new(), fresh: Overlay::default() };
        for job in jobs {
            round.decide(job);
        }
        let (overtaken, suspects) = round.commit();
        for (lead, before) in suspects {
            // Several writes of one lead: whatever became durable of them comes after the first.
            if self.suspects.iter().all(|(known, _)| *known != lead) {
                self.suspects.push((lead, before));
            }
        }
        if !self.suspects.is_empty() {
            self.heal();
        }
        overtaken
    }
}

/// What this round has decided and not committed yet, so that later requests of the round build on it.
#[derive(Default)]
struct Overlay {
    /// With the newest write of this round.
    leads: HashMap<LeadId, (Arc<Lead>, usize)>,
    people: HashMap<String, LeadId>,
    fingerprints: HashMap<Digest, LeadId>,
    references: HashMap<ExternalRef, LeadId>,
    /// The keys used in this round, with their leads.
    keys: HashMap<String, (Digest, LeadId)>,
}

struct Round<'a> {
    writer: &'a Writer,
    writes: Vec<Write>,
    decided: Vec<Decided>,
    fresh: Overlay,
}

/// A job with the answer it gets once the write it rests on is durable.
struct Decided {
    job: Job,
    outcome: Outcome,
}

enum Answer {
    Acted(Acted),
    Ingested(Ingested),
}

/// What deciding one job came to.
struct Outcome {
    /// The write that the answer rests on: its own, or for a repeat the one of this round that it repeats.
    write: Option<usize>,
    /// The key of a request that changed nothing; one that did is kept with its write.
    keep: Option<Idempotency>,
    answer: Answer,
}

impl Round<'_> {
    fn decide(&mut self, job: Job) {
        // A fault of ours in one decision must not end the one writer, and with it every lead. What a decision has
        // added to the round it adds at its end, so nothing half-made stays behind.
        let result = catch_unwind(AssertUnwindSafe(|| match &job {
            Job::Act { lead, request, once, .. } => Some(self.act(*lead, request, once.as_ref())),
            Job::Ingest { lead, request, once, .. } => Some(self.ingest(lead, request, once.as_ref())),
            Job::Pass { .. } | Job::Close => None,
        }));
        match result {
            Ok(Some(Ok(outcome))) => self.decided.push(Decided { job, outcome }),
            Ok(Some(Err(error))) => job.refuse(error),
            Ok(None) => job.pass(),
            Err(_) => job.refuse(Error::Store(StoreError::Unavailable(
                "a fault in MAX itself kept this request from being decided; nothing was changed".into(),
            ))),
        }
    }

    fn act(&mut self, id: LeadId, request: &Request, once: Option<&OnceKey>) -> Result<Outcome, Error> {
        if let Some(before) = self.done_before(once)? {
            let lead = self.lead(before)?.ok_or_else(|| Error::NotFound(format!("lead {before}")))?;
            let answer = Answer::Acted(Acted { lead, repeated: true });
            return Ok(Outcome { write: self.pending(before), keep: None, answer });
        }
        let lead = self.lead(id)?;
        let (lead, write) = self.step(lead, id, request, once)?;
        let keep = once.filter(|_| write.is_none()).map(|once| self.keep(once, id));
        let answer = Answer::Acted(Acted { lead, repeated: write.is_none() });
        Ok(Outcome { write: write.or_else(|| self.pending(id)), keep, answer })
    }

    /// A request that changes nothing uses its key all the same: told again later, it must not change something then.
    fn keep(&mut self, once: &OnceKey, lead: LeadId) -> Idempotency {
        self.fresh.keys.insert(once.key.clone(), (once.body, lead));
        Idempotency { once: once.clone(), done: Done::Lead(lead), at: whole_milliseconds(self.writer.clock.now()) }
    }

    fn ingest(&mut self, new: &NewLead, request: &Request, once: Option<&OnceKey>) -> Result<Outcome, Error> {
        let answer = |lead, how, write| Outcome { write, keep: None, answer: Answer::Ingested(Ingested { lead, how }) };
        if let Some(before) = self.done_before(once)? {
            let lead = self.lead(before)?.ok_or_else(|| Error::NotFound(format!("lead {before}")))?;
            return Ok(answer(lead, IngestedAs::Repeat, self.pending(before)));
        }
        let now = self.writer.clock.now();
        if let Some(known) = self.known(new, now)? {
            let said = new.fingerprint() == known.contact.fingerprint();
            if said || matches!(request.command, Command::Import(_)) {
                let rests_on = self.pending(known.id);
                let keep = once.map(|once| self.keep(once, known.id));
                return Ok(Outcome { keep, ..answer(known, IngestedAs::Repeat, rests_on) });
            }
            let receive = Request::new(Actor::Client, Command::Receive(Box::new(as_message(new))))
                .by_signal(request.signal_id.clone());
            let id = known.id;
            let (lead, write) = self.step(Some(known), id, &receive, once)?;
            let fingerprint = new.fingerprint();
            self.fresh.fingerprints.insert(fingerprint, id);
            let keep = once.filter(|_| write.is_none()).map(|once| self.keep(once, id));
            return Ok(Outcome { keep, ..answer(lead, IngestedAs::Message, write.or_else(|| self.pending(id))) });
        }
        let id = LeadId(Fresh::new(now, entropy()).uuid());
        let (lead, write) = self.step(None, id, request, once)?;
        self.fresh.people.insert(new.person_key(), id);
        self.fresh.fingerprints.insert(new.fingerprint(), id);
        if let Some(reference) = &new.external_ref {
            self.fresh.references.insert(reference.clone(), id);
        }
        Ok(answer(lead, IngestedAs::New, write))
    }

    /// The lead that what came in belongs to: by its reference, by the same words of the same person within a day,
    /// or by the address of an open lead.
    fn known(&mut self, new: &NewLead, now: Timestamp) -> Result<Option<Arc<Lead>>, Error> {
        let store = &self.writer.store;
        if let Some(reference) = &new.external_ref {
            let id = match self.fresh.references.get(reference) {
                Some(id) => Some(*id),
                None => store.resolve(&LeadRef::External(reference.clone()))?,
            };
            if let Some(lead) = id.map(|id| self.lead(id)).transpose()?.flatten() {
                return if lead.contact.person_key() == new.person_key() {
                    Ok(Some(lead))
                } else {
                    Err(Error::ExternalRefTaken(reference.clone()))
                };
            }
        }
        let fingerprint = new.fingerprint();
        let same = match self.fresh.fingerprints.get(&fingerprint) {
            Some(id) => Some(*id),
            None => store.lead_with_fingerprint(fingerprint, now - REPEAT_WINDOW)?,
        };
        let id = match same {
            Some(id) => Some(id),
            None if new.email.trim().is_empty() => None,
            None => match self.fresh.people.get(&new.person_key()) {
                Some(id) => Some(*id),
                None => store.open_lead_of(&new.person_key())?,
            },
        };
        let Some(lead) = id.map(|id| self.lead(id)).transpose()?.flatten() else { return Ok(None) };
        // A reference that is new does not turn another project of the same person into the old one.
        let other_project = new.external_ref.is_some() && lead.contact.external_ref.is_some();
        let ended = same.is_none() && lead.outcome().is_some();
        Ok((!other_project && !ended).then_some(lead))
    }

    /// Decides one request on one lead and keeps what comes of it for the commit.
    fn step(
        &mut self,
        lead: Option<Arc<Lead>>,
        id: LeadId,
        request: &Request,
        once: Option<&OnceKey>,
    ) -> Result<(Arc<Lead>, Option<usize>), Error> {
        // A clock that jumped back must not put a lead's history out of order.
        let clock = whole_milliseconds(self.writer.clock.now());
        let now = lead.as_ref().map_or(clock, |l| clock.max(l.updated_at));
        let mut fresh = Fresh::new(now, entropy());
        let events = match decide(lead.as_deref(), id, request, &mut fresh, &self.writer.policy)? {
            Decision::Events(events) => events,
            Decision::Repeat => {
                let lead = lead.ok_or_else(|| Error::NotFound(format!("lead {id}")))?;
                return Ok((lead, None));
            }
        };
        let (version, chain) = lead.as_ref().map_or((1, Digest([0; 32])), |l| (l.version + 1, l.chain));
        let entry =
            Entry { lead: id, version, at: now, by: request.by.clone(), signal_id: request.signal_id.clone(), events };
        let payload = serde_json::to_vec(&entry.events)
            .map_err(|e| Error::Store(StoreError::Unavailable(format!("an event cannot be written as JSON: {e}"))))?;
        let seal = Seal::new(chain, &entry, &payload);
        let before = lead.map(|l| Arc::try_unwrap(l).unwrap_or_else(|shared| Lead::clone(&shared)));
        let Some(mut after) = max_core::apply::apply(before, &entry) else {
            return Err(Error::NotFound(format!("lead {id}")));
        };
        after.chain = seal.chain;
        let after = Arc::new(after);
        if let Some(once) = once {
            self.fresh.keys.insert(once.key.clone(), (once.body, id));
        }
        let idempotency = once.cloned();
        let wake_at = due(&after, &self.writer.policy).map(|(at, _)| at);
        self.fresh.leads.insert(id, (Arc::clone(&after), self.writes.len()));
        self.writes.push(Write { entry, seal, payload, after: Arc::clone(&after), wake_at, idempotency });
        Ok((after, Some(self.writes.len() - 1)))
    }

    /// The newest write of this round for a lead: what is not durable yet of what a repeat is told.
    fn pending(&self, id: LeadId) -> Option<usize> {
        self.fresh.leads.get(&id).map(|(_, write)| *write)
    }

    /// The lead as this round sees it.
    fn lead(&mut self, id: LeadId) -> Result<Option<Arc<Lead>>, Error> {
        if let Some((lead, _)) = self.fresh.leads.get(&id) {
            return Ok(Some(Arc::clone(lead)));
        }
        if let Some(cached) = self.writer.cache.get(id) {
            return Ok(Some(Arc::clone(&cached.lead)));
        }
        let Some(lead) = self.writer.store.lead(id)? else { return Ok(None) };
        let cached = Cached::new(Arc::new(lead));
        self.writer.cache.put(Arc::clone(&cached));
        Ok(Some(Arc::clone(&cached.lead)))
    }

    /// The lead of an earlier request with the same key; an error when its body was another.
    fn done_before(&self, once: Option<&OnceKey>) -> Result<Option<LeadId>, Error> {
        let Some(once) = once else { return Ok(None) };
        if let Some((body, lead)) = self.fresh.keys.get(&once.key) {
            return if *body == once.body { Ok(Some(*lead)) } else { Err(Error::KeyReused) };
        }
        match self.writer.store.idempotency(&once.key)? {
            Some(Idempotency { once: known, done: Done::Lead(lead), .. }) if known.body == once.body => Ok(Some(lead)),
            Some(_) => Err(Error::KeyReused),
            None => Ok(None),
        }
    }

    /// Makes the round durable, publishes it and answers. Returns the jobs that another writer overtook, and the leads
    /// of which an error left open whether their entries are durable.
    fn commit(self) -> (Vec<Job>, Vec<(LeadId, u64)>) {
        let Self { writer, writes, decided, .. } = self;
        let results = if writes.is_empty() { Ok(Vec::new()) } else { writer.make_durable(&writes) };
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                tracing::error!(error = %error, requests = decided.len(), "the log could not be written; nothing was changed");
                for Decided { job, .. } in decided {
                    job.refuse(Error::Store(error.clone()));
                }
                let suspects = writes.iter().map(|w| (w.entry.lead, w.entry.version - 1));
                return (Vec::new(), suspects.inspect(|(lead, _)| writer.cache.forget(*lead)).collect());
            }
        };
        let mut committed = Vec::with_capacity(writes.len());
        for (write, result) in writes.into_iter().zip(&results) {
            match result {
                Ok(position) => {
                    writer.cache.put(Cached::new(Arc::clone(&write.after)));
                    committed.push(Committed {
                        position: *position,
                        entry: Arc::new(write.entry),
                        lead: write.after,
                        wake_at: write.wake_at,
                    });
                }
                Err(_) => writer.cache.forget(write.entry.lead),
            }
        }
        if !committed.is_empty() {
            let begun = Instant::now();
            (writer.publish)(&committed);
            writer.timings.note(Part::Told, begun.elapsed());
        }
        let stands = |outcome: &Outcome| outcome.write.is_none_or(|index| results[index].is_ok());
        let keys: Vec<Idempotency> =
            decided.iter().filter(|d| stands(&d.outcome)).filter_map(|d| d.outcome.keep.clone()).collect();
        let kept = if keys.is_empty() { Ok(()) } else { writer.store.keep_keys(&keys) };
        let mut overtaken = Vec::new();
        for Decided { job, outcome } in decided {
            match outcome.write.map(|index| &results[index]) {
                None | Some(Ok(_)) => match &kept {
                    Err(error) if outcome.keep.is_some() => job.refuse(Error::Store(error.clone())),
                    _ => job.answer(outcome.answer),
                },
                Some(Err(WriteError::Conflict | WriteError::KeyTaken)) => overtaken.push(job),
                Some(Err(WriteError::ExternalRefTaken(reference))) => {
                    job.refuse(Error::ExternalRefTaken(reference.clone()))
                }
                Some(Err(WriteError::Refused(why))) => job.refuse(Error::Store(StoreError::Unavailable(why.clone()))),
            }
        }
        (overtaken, Vec::new())
    }
}

impl Job {
    fn answer(self, answer: Answer) {
        // Whoever asked may have gone away; what was decided stands all the same.
        match (self, answer) {
            (Job::Act { reply, .. }, Answer::Acted(acted)) => drop(reply.send(Ok(acted))),
            (Job::Ingest { reply, .. }, Answer::Ingested(ingested)) => drop(reply.send(Ok(ingested))),
            _ => {}
        }
    }

    fn refuse(self, error: Error) {
        match self {
            Job::Act { reply, .. } => drop(reply.send(Err(error))),
            Job::Ingest { reply, .. } => drop(reply.send(Err(error))),
            Job::Pass { reply } => drop(reply.send(Err(error))),
            Job::Close => {}
        }
    }

    fn pass(self) {
        if let Job::Pass { reply } = self {
            drop(reply.send(Ok(())));
        }
    }
}

/// A further enquiry of somebody whose lead is open: an ordinary message, matched by nothing but its address.
fn as_message(new: &NewLead) -> Incoming {
    Incoming {
        kind: MessageKind::Reply,
        subject: String::new(),
        body: new.message.clone(),
        address: new.email.clone(),
        rfc_id: new.extra.get("message_id").and_then(|v| v.as_str()).map(str::to_owned),
        in_reply_to: None,
        verified: false,
    }
}

/// Milliseconds are what people, other languages and UUIDs of version 7 can tell apart.
fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn entropy() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

/// The signal id under which a request of the API can be told again.
pub fn signal_key(id: &SignalId) -> String {
    format!("signal:{id}")
}
