//! Write-behind: `state.json`, stage folders and inbox copies follow the log, coalesced, on a thread of their own.
//!
//! The watermark says up to which log position everything readable is on disk and synced; a start projects again what
//! is newer. So no file is synced one by one, and none can stay stale for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use max_core::effect::{Effect, deliver, effects};
use max_core::event::{Entry, Event};
use max_core::id::{LeadId, TaskId};
use max_core::lead::Lead;
use max_core::signal::Signal;
use max_core::stage::Eidolon;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::fail;
use crate::ledger::Committed;
use crate::ports::{ArtifactStore, Folders, Position, Store};

/// The name under which the store keeps the watermark.
pub const WATERMARK: &str = "projected_to";

/// At most this many leads are taken at a time, so that a stop or a settle is answered soon.
const BATCH: usize = 256;
/// How long a changed lead is left alone before it is written, so that a burst of steps costs one file and not many.
const DWELL: Duration = Duration::from_millis(100);
/// How often the file system is synced while there is work. A sync makes the log's own commits wait, so it is rare; what
/// it costs is that a start after a crash writes a few seconds of copies again.
const SYNC_EVERY: Duration = Duration::from_secs(5);
/// How long a failing folder is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Takes note of what changed; the thread writes it.
pub struct Projector {
    /// What was noted and not looked at yet. The thread that writes gives way to all others, so nobody may wait for a
    /// lock that it holds while it thinks: this one is only held for a move.
    incoming: Mutex<Vec<Committed>>,
    /// The thread has nothing to do and must be woken; while it dwells or writes it looks again by itself.
    idle: AtomicBool,
    state: Mutex<State>,
    work: Condvar,
    settled: Condvar,
}

#[derive(Default)]
struct State {
    dirty: HashMap<LeadId, Dirty>,
    /// The dirty leads in the order in which they became so, with the moment.
    order: VecDeque<(Instant, LeadId)>,
    /// Somebody waits for everything to be written: no dwelling.
    hurry: bool,
    announcements: Vec<(Position, Signal)>,
    seen: Position,
    /// Leads that are being written right now count as unsettled, too.
    writing: usize,
    unsynced: bool,
    /// What is believed to be on disk may not be there.
    doubted: bool,
    stopping: bool,
}

struct Dirty {
    lead: Arc<Lead>,
    since: Position,
}

impl Default for Projector {
    fn default() -> Self {
        Self {
            incoming: Mutex::default(),
            idle: AtomicBool::new(false),
            state: Mutex::default(),
            work: Condvar::new(),
            settled: Condvar::new(),
        }
    }
}

impl Projector {
    /// Takes note of committed entries.
    pub fn note(&self, committed: &[Committed]) {
        self.incoming.lock().extend_from_slice(committed);
        self.wake();
    }

    fn wake(&self) {
        if self.idle.load(Ordering::SeqCst) {
            // It is about to wait, or waits: only then the lock is free.
            drop(self.state.lock());
            self.work.notify_one();
        }
    }

    /// Looks at what was noted; true when there was something.
    fn look(&self, state: &mut State) -> bool {
        let incoming = std::mem::take(&mut *self.incoming.lock());
        for one in &incoming {
            state.seen = state.seen.max(one.position);
            state.announce(&one.lead, &one.entry, one.position);
            state.mark(Arc::clone(&one.lead), one.position);
        }
        !incoming.is_empty()
    }

    /// Waits for something to do, at most for so long.
    fn rest(&self, state: &mut MutexGuard<'_, State>, most: Option<Duration>) {
        self.idle.store(true, Ordering::SeqCst);
        // Whoever noted something before this line did not see that it has to wake us.
        if !self.look(state) {
            match most {
                Some(most) => drop(self.work.wait_for(state, most)),
                None => self.work.wait(state),
            }
        }
        self.idle.store(false, Ordering::SeqCst);
        self.look(state);
    }

    /// Marks a lead as changed since a position (at start, or to write it again).
    pub fn mark(&self, lead: Arc<Lead>, since: Position) {
        let mut state = self.state.lock();
        state.seen = state.seen.max(since);
        state.mark(lead, since);
        self.work.notify_one();
    }

    /// From now on nothing is taken to be on disk because it was written before: somebody may have removed it.
    pub fn doubt(&self) {
        self.state.lock().doubted = true;
    }

    /// Takes note of what an entry has the world told (at start: what an earlier process may not have come to).
    pub fn announce(&self, lead: &Lead, entry: &Entry, position: Position) {
        self.state.lock().announce(lead, entry, position);
        self.work.notify_one();
    }

    /// Waits until everything noted so far is written, or the time is over; true when it is.
    pub fn settle(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut state = self.state.lock();
        self.look(&mut state);
        state.hurry = true;
        self.work.notify_one();
        while !state.dirty.is_empty() || state.writing > 0 || !state.announcements.is_empty() {
            if self.settled.wait_until(&mut state, until).timed_out() {
                return false;
            }
        }
        true
    }

    /// How many leads wait to be written.
    pub fn backlog(&self) -> usize {
        let state = self.state.lock();
        state.dirty.len() + state.writing + self.incoming.lock().len()
    }

    /// Asks the thread to finish what is noted and end.
    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.work.notify_all();
    }

    /// The thread: writes until stopped, then finishes what is noted.
    pub fn run(&self, store: &dyn Store, folders: &dyn Folders, artifacts: &dyn ArtifactStore) {
        folders.in_background();
        let mut deliveries = Deliveries::default();
        let mut synced = Instant::now();
        loop {
            let mut state = self.state.lock();
            self.look(&mut state);
            while state.dirty.is_empty() && state.announcements.is_empty() && !state.stopping && !state.unsynced {
                self.rest(&mut state, None);
            }
            if state.dirty.is_empty() && state.announcements.is_empty() {
                if state.unsynced && !state.stopping {
                    // Quiet: give the work a moment to come back before paying for a sync.
                    self.rest(&mut state, Some(SYNC_EVERY.saturating_sub(synced.elapsed())));
                    if !state.dirty.is_empty() || !state.announcements.is_empty() {
                        continue;
                    }
                }
                let stopping = state.stopping;
                let unsynced = std::mem::take(&mut state.unsynced);
                let seen = state.seen;
                drop(state);
                if unsynced {
                    self.sync(store, folders, seen);
                    synced = Instant::now();
                }
                if stopping {
                    return;
                }
                continue;
            }
            if let Some(wait) = state.dwelling() {
                self.work.wait_for(&mut state, wait);
                continue;
            }
            let batch = state.take(BATCH);
            let announcements = std::mem::take(&mut state.announcements);
            state.writing = batch.len().max(1);
            state.unsynced = true;
            let doubted = std::mem::take(&mut state.doubted);
            drop(state);
            if doubted {
                folders.forget();
                deliveries = Deliveries::default();
            }
            let failed = write(batch, announcements, folders, artifacts, &mut deliveries);
            let mut state = self.state.lock();
            state.writing = 0;
            let trouble = !failed.leads.is_empty() || !failed.announcements.is_empty();
            for (lead, since) in failed.leads {
                state.mark(lead, since);
            }
            state.announcements.extend(failed.announcements);
            if state.dirty.is_empty() && state.announcements.is_empty() {
                state.hurry = false;
                self.settled.notify_all();
            }
            let due = synced.elapsed() >= SYNC_EVERY;
            let safe = if due { state.safe() } else { 0 };
            if trouble {
                if state.stopping {
                    tracing::warn!("leaving readable copies unwritten; the next start writes them");
                    return;
                }
                self.work.wait_for(&mut state, RETRY_AFTER);
            }
            drop(state);
            if due && !trouble {
                self.sync(store, folders, safe);
                synced = Instant::now();
            }
        }
    }

    fn sync(&self, store: &dyn Store, folders: &dyn Folders, safe: Position) {
        let done = fail::point("projector.sync")
            .and_then(|()| folders.sync())
            .and_then(|()| fail::point("projector.synced"))
            .and_then(|()| store.set_meta(WATERMARK, &safe.to_string()));
        if let Err(error) = done {
            tracing::warn!(%error, "the readable copies could not be synced; the next start writes them again");
        }
    }
}

impl State {
    /// Up to here everything is written.
    fn safe(&self) -> Position {
        let leads = self.dirty.values().map(|dirty| dirty.since - 1);
        let announcements = self.announcements.iter().map(|(position, _)| position - 1);
        leads.chain(announcements).min().unwrap_or(self.seen)
    }

    fn announce(&mut self, lead: &Lead, entry: &Entry, position: Position) {
        if !entry.events.iter().any(|event| matches!(event, Event::Closed { .. })) {
            return;
        }
        for effect in effects(lead, entry) {
            if let Effect::Announce { signal } = effect {
                self.announcements.push((position, *signal));
            }
        }
    }

    fn mark(&mut self, lead: Arc<Lead>, since: Position) {
        match self.dirty.get_mut(&lead.id) {
            Some(dirty) if dirty.lead.version <= lead.version => dirty.lead = lead,
            Some(_) => {}
            None => {
                self.order.push_back((Instant::now(), lead.id));
                self.dirty.insert(lead.id, Dirty { lead, since });
            }
        }
    }

    /// How long the oldest dirty lead still wants to be left alone; nothing when there is something to write now.
    fn dwelling(&self) -> Option<Duration> {
        if self.hurry || self.stopping || !self.announcements.is_empty() {
            return None;
        }
        let (since, _) = self.order.front()?;
        DWELL.checked_sub(since.elapsed()).filter(|left| !left.is_zero())
    }

    /// The oldest dirty leads that have been left alone for long enough.
    fn take(&mut self, most: usize) -> Vec<(Arc<Lead>, Position)> {
        let all = self.hurry || self.stopping;
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some((since, id)) = self.order.front().copied()
            && (all || since.elapsed() >= DWELL)
        {
            self.order.pop_front();
            taken.extend(self.dirty.remove(&id).map(|d| (d.lead, d.since)));
        }
        taken
    }
}

/// The inbox copies that lie in inboxes now.
#[derive(Default)]
struct Deliveries(HashMap<LeadId, (TaskId, Eidolon, Signal)>);

#[derive(Default)]
struct Failed {
    leads: Vec<(Arc<Lead>, Position)>,
    announcements: Vec<(Position, Signal)>,
}

fn write(
    batch: Vec<(Arc<Lead>, Position)>,
    announcements: Vec<(Position, Signal)>,
    folders: &dyn Folders,
    artifacts: &dyn ArtifactStore,
    deliveries: &mut Deliveries,
) -> Failed {
    let mut failed = Failed::default();
    for (lead, since) in batch {
        let written = fail::point("projector.lead")
            .and_then(|()| folders.write_lead(&lead, artifacts))
            .and_then(|()| fail::point("projector.delivery"))
            .and_then(|()| deliveries.follow(&lead, folders));
        if let Err(error) = written {
            if failed.leads.is_empty() {
                tracing::warn!(lead = %lead.id, %error, "a lead's folder could not be written; trying again");
            }
            failed.leads.push((lead, since));
        }
    }
    for (position, signal) in announcements {
        if let Err(error) = fail::point("projector.announce").and_then(|()| folders.announce(&signal)) {
            tracing::warn!(%error, "an announcement could not be written; trying again");
            failed.announcements.push((position, signal));
        }
    }
    failed
}

impl Deliveries {
    /// Puts the copy of the lead's open task into its inbox, and takes the copy of an older one out.
    fn follow(&mut self, lead: &Lead, folders: &dyn Folders) -> Result<(), crate::ports::StoreError> {
        let waiting = lead.open_task().filter(|task| task.holder.is_none()).map(|task| task.id);
        if let Some((task, to, signal)) = self.0.get(&lead.id) {
            if Some(*task) == waiting {
                return Ok(());
            }
            folders.retire_delivery(*to, signal)?;
            self.0.remove(&lead.id);
        }
        if let Some(Effect::Deliver { to, task, signal }) = waiting.and_then(|task| deliver(lead, task)) {
            folders.write_delivery(to, &signal)?;
            self.0.insert(lead.id, (task, to, *signal));
        }
        Ok(())
    }
}
