//! Who may work on what: the open tasks, in memory. A projection of the leads; the log decides who really has a task.
//!
//! Tasks of an Eidolon are handed out in the order in which they became ready. A lead has one open task at a time,
//! so a busy lead cannot push the others aside.

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use max_core::id::{LeadId, TaskId};
use max_core::lead::{Lead, Task};
use max_core::stage::Eidolon;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The board. Cheap to ask, never waits.
pub struct Board {
    state: Mutex<State>,
    ready: [Notify; Eidolon::ALL.len()],
    /// Rung when something with a time of its own (a back-off) was put up.
    pub(crate) delayed: Notify,
    lease: SignedDuration,
}

#[derive(Default)]
struct State {
    slots: HashMap<TaskId, Slot>,
    by_lead: HashMap<LeadId, TaskId>,
    ready: [VecDeque<TaskId>; Eidolon::ALL.len()],
    delayed: BTreeSet<(Timestamp, TaskId)>,
    /// Claimed tasks by the end of their lease.
    leases: BTreeSet<(Timestamp, TaskId)>,
}

struct Slot {
    lead: LeadId,
    eidolon: Eidolon,
    attempt: u32,
    phase: Phase,
    /// Cancelled when the slot is gone or another attempt began: whoever works on it can stop.
    over: CancellationToken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ready,
    Delayed(Timestamp),
    /// Handed to a worker that has not claimed it yet.
    Offered,
    Leased(Timestamp),
}

/// A task whose lease ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The lead.
    pub lead: LeadId,
    /// The task.
    pub task: TaskId,
    /// The attempt that is over.
    pub attempt: u32,
}

/// How busy an Eidolon is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Tasks that wait to be claimed.
    pub ready: usize,
    /// Tasks that wait for their back-off.
    pub delayed: usize,
    /// Tasks somebody works on.
    pub working: usize,
}

impl Board {
    /// An empty board with leases of this length.
    pub fn new(lease: SignedDuration) -> Self {
        Self { state: Mutex::default(), ready: Default::default(), delayed: Notify::new(), lease }
    }

    /// Brings the board in line with a lead. Telling it twice changes nothing.
    pub fn follow(&self, lead: &Lead, now: Timestamp) {
        self.follow_task(lead.id, lead.open_task(), now);
    }

    /// The same, when only the lead's open task is at hand.
    pub fn follow_task(&self, lead: LeadId, open: Option<&Task>, now: Timestamp) {
        let mut state = self.state.lock();
        if let Some(known) = state.by_lead.get(&lead).copied()
            && open.is_none_or(|task| task.id != known)
        {
            state.remove(known);
        }
        let Some(task) = open else { return };
        let known = state.slots.get(&task.id).map(|slot| (slot.phase, slot.attempt));
        match (known, &task.holder) {
            (Some((Phase::Leased(_), attempt)), Some(_)) if attempt == task.attempt => {}
            (_, Some(_)) => {
                let until = now + self.lease;
                state.put(lead, task, Phase::Leased(until));
            }
            (Some((Phase::Ready | Phase::Offered | Phase::Delayed(_), _)), None) if task.not_before.is_none() => {}
            (_, None) => match task.not_before.filter(|at| *at > now) {
                Some(at) => {
                    state.put(lead, task, Phase::Delayed(at));
                    self.delayed.notify_one();
                }
                None => {
                    state.put(lead, task, Phase::Ready);
                    self.ready[task.eidolon as usize].notify_one();
                }
            },
        }
    }

    /// The next task of an Eidolon, if one is ready. Whoever takes it must claim it or give it back.
    pub fn take(&self, eidolon: Eidolon) -> Option<(LeadId, TaskId)> {
        let mut state = self.state.lock();
        while let Some(id) = state.ready[eidolon as usize].pop_front() {
            if let Some(slot) = state.slots.get_mut(&id)
                && slot.phase == Phase::Ready
            {
                slot.phase = Phase::Offered;
                return Some((slot.lead, id));
            }
        }
        None
    }

    /// Puts a task back that was taken and not claimed.
    pub fn give_back(&self, task: TaskId) {
        let mut state = self.state.lock();
        let Some(slot) = state.slots.get_mut(&task).filter(|slot| slot.phase == Phase::Offered) else { return };
        slot.phase = Phase::Ready;
        let eidolon = slot.eidolon;
        state.ready[eidolon as usize].push_back(task);
        self.ready[eidolon as usize].notify_one();
    }

    /// Drops a task that was taken and turned out not to be claimable. If somebody holds it by now, it stays.
    pub fn decline(&self, task: TaskId) {
        let mut state = self.state.lock();
        if state.slots.get(&task).is_some_and(|slot| slot.phase == Phase::Offered) {
            state.remove(task);
        }
    }

    /// Drops a task that turned out not to be open.
    pub fn forget(&self, task: TaskId) {
        self.state.lock().remove(task);
    }

    /// Waits until an Eidolon may have something to take, or somebody woke it.
    pub async fn wait(&self, eidolon: Eidolon) {
        self.ready[eidolon as usize].notified().await;
    }

    /// Wakes an Eidolon without a task (a SapWave).
    pub fn wake(&self, eidolon: Eidolon) {
        self.ready[eidolon as usize].notify_one();
    }

    /// Renews a lease; false when nobody holds this attempt.
    pub fn renew(&self, task: TaskId, attempt: u32, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        let Some(slot) = state.slots.get_mut(&task).filter(|s| s.attempt == attempt) else { return false };
        let Phase::Leased(before) = slot.phase else { return false };
        let until = now + self.lease;
        slot.phase = Phase::Leased(until);
        state.leases.remove(&(before, task));
        state.leases.insert((until, task));
        true
    }

    /// Moves tasks whose back-off is over to the ready ones.
    pub fn ripen(&self, now: Timestamp) {
        let mut state = self.state.lock();
        while let Some((at, id)) = state.delayed.first().copied().filter(|(at, _)| *at <= now) {
            state.delayed.remove(&(at, id));
            if let Some(slot) = state.slots.get_mut(&id) {
                slot.phase = Phase::Ready;
                let eidolon = slot.eidolon;
                state.ready[eidolon as usize].push_back(id);
                self.ready[eidolon as usize].notify_one();
            }
        }
    }

    /// The earliest end of a back-off.
    pub fn next_ripe(&self) -> Option<Timestamp> {
        self.state.lock().delayed.first().map(|(at, _)| *at)
    }

    /// Cancelled when this attempt is over, however it ends. Cancelled already when nobody holds it.
    pub fn over(&self, task: TaskId, attempt: u32) -> CancellationToken {
        let state = self.state.lock();
        let slot = state.slots.get(&task).filter(|s| s.attempt == attempt && matches!(s.phase, Phase::Leased(_)));
        slot.map_or_else(
            || {
                let over = CancellationToken::new();
                over.cancel();
                over
            },
            |slot| slot.over.clone(),
        )
    }

    /// The earliest end of a lease.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.state.lock().leases.first().map(|(at, _)| *at)
    }

    /// Tasks whose lease ran out by now.
    pub fn expired(&self, now: Timestamp) -> Vec<Expired> {
        let state = self.state.lock();
        state
            .leases
            .iter()
            .take_while(|(until, _)| *until <= now)
            .filter_map(|(_, id)| state.slots.get(id).map(|s| Expired { lead: s.lead, task: *id, attempt: s.attempt }))
            .collect()
    }

    /// How busy an Eidolon is.
    pub fn load(&self, eidolon: Eidolon) -> Load {
        let state = self.state.lock();
        let mut load = Load::default();
        for slot in state.slots.values().filter(|slot| slot.eidolon == eidolon) {
            match slot.phase {
                Phase::Ready => load.ready += 1,
                Phase::Delayed(_) => load.delayed += 1,
                Phase::Offered | Phase::Leased(_) => load.working += 1,
            }
        }
        load
    }

    /// True when the board knows the task.
    pub fn knows(&self, task: TaskId) -> bool {
        self.state.lock().slots.contains_key(&task)
    }
}

impl State {
    fn put(&mut self, lead: LeadId, task: &Task, phase: Phase) {
        self.remove(task.id);
        match phase {
            Phase::Ready => self.ready[task.eidolon as usize].push_back(task.id),
            Phase::Delayed(at) => drop(self.delayed.insert((at, task.id))),
            Phase::Leased(until) => drop(self.leases.insert((until, task.id))),
            Phase::Offered => {}
        }
        let over = CancellationToken::new();
        self.slots.insert(task.id, Slot { lead, eidolon: task.eidolon, attempt: task.attempt, phase, over });
        self.by_lead.insert(lead, task.id);
    }

    fn remove(&mut self, id: TaskId) {
        let Some(slot) = self.slots.remove(&id) else { return };
        slot.over.cancel();
        match slot.phase {
            Phase::Delayed(at) => drop(self.delayed.remove(&(at, id))),
            Phase::Leased(until) => drop(self.leases.remove(&(until, id))),
            // `take` skips ids whose slot is gone.
            Phase::Ready | Phase::Offered => {}
        }
        if self.by_lead.get(&slot.lead) == Some(&id) {
            self.by_lead.remove(&slot.lead);
        }
    }
}
