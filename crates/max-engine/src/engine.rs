//! One running MAX: the writer, the projector, the outbox, the timers and the Eidolons, started and stopped together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use max_core::command::{Command, Request};
use max_core::effect::{Effect, effects};
use max_core::event::{Entry, Event};
use max_core::id::{LeadId, MessageId};
use max_core::lead::{Actor, Lead};
use max_core::policy::Policy;
use max_core::stage::Eidolon;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::board::{Board, Load};
use crate::cache::LeadCache;
use crate::director::{Director, Inner};
use crate::eidolon::EidolonUnit;
use crate::error::Error;
use crate::ledger::{Committed, Writer};
use crate::mind::{Mind, Seat, VoiceHealth};
use crate::notices::{self, Noticed};
use crate::ports::{ArtifactStore, Channel, Clock, Folders, Linter, Notifier, Store};
use crate::projector::{Projector, WATERMARK};
use crate::relay::Relay;
use crate::spend::{Budget, Purse};
use crate::timers::Timers;
use crate::timings::Timings;
use crate::usecase::erase::{Eraser, erases, forgotten_erasures};
use crate::usecase::suppress::{self, PrivacyKey};

/// The adapters that an engine runs on.
#[derive(Clone)]
pub struct Parts {
    /// The log.
    pub store: Arc<dyn Store>,
    /// The artifacts' content.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// What looks into files.
    pub linter: Arc<dyn Linter>,
    /// The readable copies.
    pub folders: Arc<dyn Folders>,
    /// The way out.
    pub channel: Arc<dyn Channel>,
    /// How people are told.
    pub notifier: Arc<dyn Notifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of this process, new at every start; leases carry it.
    pub instance: String,
    /// How long a lease lasts without being renewed.
    pub lease: SignedDuration,
    /// Leads kept in memory (at most twice as many).
    pub cached_leads: usize,
    /// Whether readable copies are written at all (a benchmark of the log alone turns it off).
    pub project: bool,
    /// Whether the outbox and the timers run here.
    pub relay: bool,
    /// Under which addresses are hashed for the suppression list.
    pub privacy_key: PrivacyKey,
    /// What voices may spend.
    pub budget: Budget,
}

impl Options {
    /// The usual ones.
    pub fn new(instance: impl Into<String>) -> Self {
        Self {
            instance: instance.into(),
            lease: SignedDuration::from_secs(60),
            cached_leads: 16_384,
            project: true,
            relay: true,
            privacy_key: PrivacyKey::default(),
            budget: Budget::default(),
        }
    }
}

/// A running MAX.
pub struct Engine {
    director: Director,
    eidolons: Vec<EidolonUnit>,
    /// What all voices here spend from.
    purse: Arc<Purse>,
    parts: Parts,
    options: Options,
    /// Ends the loops that take up new work.
    stop: CancellationToken,
    tasks: TaskTracker,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    projector: Mutex<Option<std::thread::JoinHandle<()>>>,
    /// Earlier processes on this store; the timers take them over.
    gone: Mutex<HashSet<String>>,
}

/// How an Eidolon and its voices are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EidolonHealth {
    /// Which.
    pub eidolon: Eidolon,
    /// The persona's name.
    pub persona: String,
    /// How much work waits.
    pub load: Load,
    /// The four seats first, then the house voices.
    pub voices: Vec<VoiceHealth>,
}

impl Engine {
    /// Starts the writer, the projector, the outbox and the timers. Eidolons are added by [`Engine::add_eidolon`].
    ///
    /// # Errors
    /// When the store cannot be read, or a thread cannot be started.
    pub fn start(parts: Parts, policy: Arc<Policy>, options: Options) -> Result<Self, Error> {
        let gone = succeed(&*parts.store, &options)?;
        parts.store.end_lost_runs()?;
        let purse = Arc::new(Purse::new(Arc::clone(&parts.store), Arc::clone(&parts.clock), options.budget));
        let cache = Arc::new(LeadCache::new(options.cached_leads));
        let board = Arc::new(Board::new(options.lease));
        let projector = Arc::new(Projector::default());
        let (jobs, queue) = mpsc::channel(4_096);
        let (committed, _) = broadcast::channel(8_192);
        let (outbox, outgoing) = mpsc::unbounded_channel();
        let (notices, noticed) = mpsc::unbounded_channel();
        let changed = Arc::new(Notify::new());
        let erasing = Arc::new(Notify::new());
        let again = forgotten_erasures(&*parts.store, &*parts.folders)?;
        let publisher = Publisher {
            board: Arc::clone(&board),
            projector: options.project.then(|| Arc::clone(&projector)),
            committed: committed.clone(),
            outbox,
            notices,
            changed: Arc::clone(&changed),
            clock: Arc::clone(&parts.clock),
            store: Arc::clone(&parts.store),
            privacy_key: options.privacy_key.clone(),
            erasing: Arc::clone(&erasing),
        };
        let timings = Arc::new(Timings::default());
        let mut writer = Writer {
            store: Arc::clone(&parts.store),
            cache: Arc::clone(&cache),
            clock: Arc::clone(&parts.clock),
            policy: Arc::clone(&policy),
            publish: Box::new(move |round| publisher.publish(round)),
            timings: Arc::clone(&timings),
            suspects: Vec::new(),
        };
        // Before anything else may happen to them.
        for lead in again {
            tracing::warn!(%lead, "the list of erasures knows this lead: it is erased again");
            writer.now(lead, Request::new(Actor::Director, Command::Erase))?;
        }
        let writer = spawn("max-ledger", move || writer.run(queue))?;
        let director = Director {
            inner: Arc::new(Inner {
                jobs,
                store: Arc::clone(&parts.store),
                artifacts: Arc::clone(&parts.artifacts),
                linter: Arc::clone(&parts.linter),
                cache,
                clock: Arc::clone(&parts.clock),
                policy,
                board,
                projector: Arc::clone(&projector),
                timings,
                committed,
                changed: Arc::clone(&changed),
                instance: options.instance.clone(),
                privacy_key: options.privacy_key.clone(),
                projects: options.project,
            }),
        };
        let projecting = if options.project {
            mark_unprojected(&*parts.store, &projector, &options.privacy_key)?;
            tidy_inboxes(&*parts.store, &*parts.folders, &projector)?;
            let (store, folders, artifacts) =
                (Arc::clone(&parts.store), Arc::clone(&parts.folders), Arc::clone(&parts.artifacts));
            Some(spawn("max-projector", move || projector.run(&*store, &*folders, &*artifacts))?)
        } else {
            None
        };
        let engine = Self {
            director,
            eidolons: Vec::new(),
            purse,
            parts,
            options,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            writer: Mutex::new(Some(writer)),
            projector: Mutex::new(projecting),
            gone: Mutex::new(gone),
        };
        if engine.options.relay {
            engine.start_loops(outgoing, noticed, changed, erasing);
        }
        Ok(engine)
    }

    fn start_loops(
        &self,
        outgoing: mpsc::UnboundedReceiver<(LeadId, MessageId)>,
        noticed: mpsc::UnboundedReceiver<Noticed>,
        changed: Arc<Notify>,
        erasing: Arc<Notify>,
    ) {
        let relay = Relay {
            director: self.director.clone(),
            channel: Arc::clone(&self.parts.channel),
            clock: Arc::clone(&self.parts.clock),
        };
        let timers = Timers {
            director: self.director.clone(),
            clock: Arc::clone(&self.parts.clock),
            folders: Arc::clone(&self.parts.folders),
            changed,
            gone: std::mem::take(&mut *self.gone.lock()),
        };
        let eraser = Eraser {
            director: self.director.clone(),
            folders: Arc::clone(&self.parts.folders),
            channel: Arc::clone(&self.parts.channel),
            wake: erasing,
        };
        self.tasks.spawn(eraser.run(self.stop.clone()));
        self.tasks.spawn(relay.run(outgoing, self.stop.clone()));
        self.tasks.spawn(timers.run(self.stop.clone()));
        self.tasks.spawn(notices::run(Arc::clone(&self.parts.notifier), noticed, self.stop.clone()));
    }

    /// Adds an Eidolon with its seats and starts `workers` loops for it.
    pub fn add_eidolon(&mut self, eidolon: Eidolon, seats: Vec<Seat>, workers: usize) {
        let mind = Mind::start(eidolon, seats, &self.parts.clock, &self.purse, workers);
        let unit = EidolonUnit::new(eidolon, mind);
        unit.start(&self.director, workers, self.options.lease, &self.stop, &self.tasks);
        self.eidolons.push(unit);
    }

    /// The handle through which everything is asked.
    pub fn director(&self) -> &Director {
        &self.director
    }

    /// How the Eidolons here are.
    pub fn health(&self) -> Vec<EidolonHealth> {
        self.eidolons
            .iter()
            .map(|unit| EidolonHealth {
                eidolon: unit.eidolon,
                persona: unit.eidolon.persona().to_owned(),
                load: self.director.board().load(unit.eidolon),
                voices: unit.health(),
            })
            .collect()
    }

    /// Stops in two stages: no new work, turns that run get `grace` to end; then the readable copies are written, and
    /// the rest is left to the next start.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("turns still running at the end of the grace period are left to the next start");
        }
        self.director.close().await;
        let (writer, thread) = (self.writer.lock().take(), self.projector.lock().take());
        let projector = Arc::clone(&self.director.inner.projector);
        let joined = tokio::task::spawn_blocking(move || {
            writer.map(std::thread::JoinHandle::join);
            // Only now has everything been noted that it has to write.
            projector.stop();
            thread.map(std::thread::JoinHandle::join);
        });
        drop(joined.await);
    }
}

/// The name under which the store keeps the processes that worked on it last, newest first.
const INSTANCES: &str = "instances";
/// How many of them are kept: one that died and left a task claimed is among them even when many starts in a row died
/// before their first look. What is older loses its lease by time.
const INSTANCES_KEPT: usize = 32;

/// Writes this process down and names its predecessors. A store has one Director at a time, so they are dead.
fn succeed(store: &dyn Store, options: &Options) -> Result<HashSet<String>, Error> {
    if !options.relay {
        return Ok(HashSet::new());
    }
    let known = store.meta(INSTANCES)?.unwrap_or_default();
    let before = known.split_whitespace().filter(|name| **name != options.instance).take(INSTANCES_KEPT);
    let gone: Vec<&str> = before.collect();
    store.set_meta(INSTANCES, &[&[&*options.instance], gone.as_slice()].concat().join(" "))?;
    Ok(gone.into_iter().map(str::to_owned).collect())
}

/// Takes copies out of the inboxes whose task is over (the process that wrote them died before it could), and has the
/// others written again, so that this process knows of them.
fn tidy_inboxes(store: &dyn Store, folders: &dyn Folders, projector: &Projector) -> Result<(), Error> {
    let waiting: Vec<_> =
        store.open_tasks(None, usize::MAX)?.into_iter().filter(|row| row.task.holder.is_none()).collect();
    let open = waiting.iter().map(|row| row.task.id).collect();
    if let Err(error) = folders.reconcile_deliveries(&open) {
        tracing::warn!(%error, "old inbox copies could not be put away; the next start tries again");
    }
    let since = store.last_position()?;
    for row in waiting {
        if let Some(lead) = store.lead(row.lead)? {
            projector.mark(Arc::new(lead), since);
        }
    }
    Ok(())
}

/// Leads that changed after the watermark are written again, and what was to be told the world is told again.
fn mark_unprojected(store: &dyn Store, projector: &Projector, key: &PrivacyKey) -> Result<(), Error> {
    let watermark = store.meta(WATERMARK)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut after = watermark;
    let mut leads = HashMap::new();
    loop {
        let entries = store.entries_after(after, 1_000)?;
        let Some(last) = entries.last() else { break };
        after = last.position;
        for logged in &entries {
            if let Some(lead) = ended(&logged.entry, store)? {
                projector.announce(&lead, &logged.entry, logged.position);
            }
            if logged.entry.events.iter().any(|event| matches!(event, Event::MessageReceived { .. }))
                && let Some(lead) = store.lead(logged.entry.lead)?
            {
                suppress::follow(store, key, &logged.entry, &lead)?;
            }
            leads.entry(logged.entry.lead).or_insert(logged.position);
        }
    }
    for (id, since) in leads {
        if let Some(lead) = store.lead(id)? {
            projector.mark(Arc::new(lead), since);
        }
    }
    Ok(())
}

/// The lead of an entry that closed it.
fn ended(entry: &Entry, store: &dyn Store) -> Result<Option<Lead>, Error> {
    let closed = entry.events.iter().any(|event| matches!(event, Event::Closed { .. }));
    if closed { Ok(store.lead(entry.lead)?) } else { Ok(None) }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map_err(|e| Error::Store(crate::ports::StoreError::Unavailable(format!("a thread could not be started: {e}"))))
}

/// Tells everyone inside what was committed. Runs on the writer's thread, so it only passes things on.
struct Publisher {
    board: Arc<Board>,
    projector: Option<Arc<Projector>>,
    committed: broadcast::Sender<Committed>,
    outbox: mpsc::UnboundedSender<(LeadId, MessageId)>,
    notices: mpsc::UnboundedSender<Noticed>,
    changed: Arc<Notify>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    privacy_key: PrivacyKey,
    /// Rung when a lead was erased.
    erasing: Arc<Notify>,
}

impl Publisher {
    fn publish(&self, round: &[Committed]) {
        let now = self.clock.now();
        let mut wakes = false;
        for one in round {
            self.board.follow(&one.lead, now);
            wakes |= one.wake_at.is_some();
            if one.entry.events.iter().any(speaks_to_somebody) {
                self.pass_on(one);
                // What fails here is done by the next start, because the watermark has not passed it.
                if let Err(error) = suppress::follow(&*self.store, &self.privacy_key, &one.entry, &one.lead) {
                    tracing::warn!(%error, "the suppression list could not be written");
                }
            }
            if erases(&one.entry) {
                self.erasing.notify_one();
            }
            // Nobody may be listening; that is no failure.
            drop(self.committed.send(one.clone()));
        }
        if let Some(projector) = &self.projector {
            projector.note(round);
        }
        if wakes {
            self.changed.notify_one();
        }
    }

    fn pass_on(&self, one: &Committed) {
        for effect in effects(&one.lead, &one.entry) {
            match effect {
                Effect::Send { message } => drop(self.outbox.send((one.lead.id, message))),
                Effect::Notify { notice } => drop(self.notices.send((Arc::clone(&one.lead), notice))),
                // The board and the projector follow the lead itself.
                Effect::Deliver { .. } | Effect::Announce { .. } => {}
            }
        }
    }
}

/// Facts that a message or a notice may follow on; the others are the bulk and cost nothing here.
fn speaks_to_somebody(event: &Event) -> bool {
    matches!(
        event,
        Event::MessageQueued { .. }
            | Event::MessageReceived { .. }
            | Event::ApprovalRequested { .. }
            | Event::ApprovalReminded { .. }
            | Event::Escalated { .. }
            | Event::EscalationReviewed { .. }
            | Event::NeedMissed { .. }
    )
}
