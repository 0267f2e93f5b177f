//! A MAX without a disk, on a clock that the test moves, for tests of what the engine promises.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::SignedDuration;
use max_core::effect::Notice;
use max_core::id::{Digest, LeadId, TaskId};
use max_core::lead::{Actor, Lead, Message};
use max_core::policy::Policy;
use max_core::signal::Signal;
use max_core::stage::Eidolon;
use max_engine::director::Director;
use max_engine::engine::{Engine, Options, Parts};
use max_engine::mind::Seat;
use max_engine::ports::{ArtifactStore, Channel, Clock, File, Folders, Notifier, SendError, Store, StoreError, Voice};
use max_testkit::builders::{beginning, new_lead};
use max_testkit::{ManualClock, MemoryStore};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// The parts that outlive a restart.
#[derive(Clone)]
pub struct House {
    pub store: Arc<MemoryStore>,
    pub world: Arc<World>,
    pub clock: ManualClock,
    pub policy: Policy,
}

/// Everything outside, in memory.
#[derive(Default)]
pub struct World {
    /// The version last written of each lead.
    pub written: Mutex<HashMap<LeadId, u64>>,
    /// Leads whose folder cannot be written.
    pub broken: Mutex<HashSet<LeadId>>,
    pub delivered: Mutex<Vec<Signal>>,
    pub sent: Mutex<Vec<Message>>,
    /// Whom the agency was told of, in order.
    pub told: Mutex<Vec<LeadId>>,
    /// While set, whoever tells somebody waits for a permit first.
    pub slow: Mutex<Option<Arc<Semaphore>>>,
    artifacts: Mutex<HashMap<Digest, Vec<u8>>>,
}

impl House {
    pub fn new() -> Self {
        let clock = ManualClock::new(beginning());
        Self { store: Arc::default(), world: Arc::default(), clock, policy: Policy::default() }
    }

    /// Starts an engine; each start is a new process to it.
    pub fn start(&self) -> Engine {
        self.start_on(Arc::new(self.clock.clone()), Options::new(uuid::Uuid::new_v4().to_string()))
    }

    /// Starts an engine on another clock, or with other options.
    pub fn start_on(&self, clock: Arc<dyn Clock>, options: Options) -> Engine {
        let parts = Parts {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            artifacts: Arc::clone(&self.world) as Arc<dyn ArtifactStore>,
            linter: Arc::new(max_engine::ports::NoLinter),
            folders: Arc::clone(&self.world) as Arc<dyn Folders>,
            channel: Arc::clone(&self.world) as Arc<dyn Channel>,
            notifier: Arc::clone(&self.world) as Arc<dyn Notifier>,
            clock,
        };
        Engine::start(parts, Arc::new(self.policy.clone()), options).expect("an engine")
    }

    /// Starts an engine whose Eidolons think with this voice.
    pub fn start_with(&self, voice: Arc<dyn Voice>, workers: usize) -> Engine {
        let mut engine = self.start();
        for eidolon in Eidolon::ALL {
            let seat = Seat { name: "scripted".into(), voice: Ok(Arc::clone(&voice)) };
            engine.add_eidolon(eidolon, vec![seat], workers);
        }
        engine
    }

    pub fn lead(&self, id: LeadId) -> Lead {
        self.store.lead(id).expect("a store").expect("a lead")
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

pub async fn ingest(director: &Director, name: &str) -> LeadId {
    director.ingest(new_lead(name), Actor::Client, None, None).await.expect("a lead").lead.id
}

/// Waits until something is true. The time is a limit for a test that fails, nothing that passes depends on it.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

impl Folders for World {
    fn write_lead(&self, lead: &Lead, _: &dyn ArtifactStore) -> Result<(), StoreError> {
        if self.broken.lock().contains(&lead.id) {
            return Err(StoreError::ReadOnly("the folder is broken".into()));
        }
        self.written.lock().insert(lead.id, lead.version);
        Ok(())
    }
    fn write_delivery(&self, _: Eidolon, signal: &Signal) -> Result<(), StoreError> {
        self.delivered.lock().push(signal.clone());
        Ok(())
    }
    fn retire_delivery(&self, _: Eidolon, _: &Signal) -> Result<(), StoreError> {
        Ok(())
    }
    fn reconcile_deliveries(&self, _: &HashSet<TaskId>) -> Result<(), StoreError> {
        Ok(())
    }
    fn announce(&self, _: &Signal) -> Result<(), StoreError> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl ArtifactStore for World {
    fn put(&self, _: LeadId, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        self.artifacts.lock().insert(digest, bytes.to_vec());
        Ok(digest)
    }
    fn get(&self, _: LeadId, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.artifacts.lock().get(&digest).cloned().ok_or_else(|| StoreError::Damaged("it is missing".into()))
    }
}

impl Channel for World {
    fn send<'a>(&'a self, _: LeadId, message: &'a Message, _: &'a [File]) -> BoxFuture<'a, Result<(), SendError>> {
        self.sent.lock().push(message.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Notifier for World {
    fn notify<'a>(&'a self, lead: &'a Lead, _: &'a Notice) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let slow = self.slow.lock().clone();
            if let Some(slow) = slow {
                slow.acquire().await.expect("an open semaphore").forget();
            }
            self.told.lock().push(lead.id);
        })
    }
}
