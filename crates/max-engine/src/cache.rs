//! Leads in memory, so that the hot ones cost no read. Bounded; the store stays the truth.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use max_core::id::LeadId;
use max_core::lead::Lead;
use parking_lot::Mutex;

use crate::ports::RenderedState;

/// A lead with its rendered `ClientState`, made once and shared by everyone who asks.
#[derive(Debug)]
pub struct Cached {
    /// The lead.
    pub lead: Arc<Lead>,
    json: OnceLock<Arc<[u8]>>,
}

impl Cached {
    /// Wraps a lead; its JSON is made when first asked for.
    pub fn new(lead: Arc<Lead>) -> Arc<Self> {
        Arc::new(Self { lead, json: OnceLock::new() })
    }

    /// The `ClientState` as compact JSON.
    pub fn json(&self) -> Arc<[u8]> {
        Arc::clone(self.json.get_or_init(|| RenderedState::of(&self.lead).json.into()))
    }
}

/// Two generations: what is used moves to the young one; when that is full the old one is dropped. Constant time,
/// and nothing that is in use is ever lost, unlike a cache that is emptied when full.
pub struct LeadCache {
    shards: Vec<Mutex<Generations>>,
    per_shard: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<LeadId, Arc<Cached>>,
    old: HashMap<LeadId, Arc<Cached>>,
}

impl LeadCache {
    /// A cache of at least `leads` and at most twice as many.
    pub fn new(leads: usize) -> Self {
        let shards = 16;
        Self { shards: (0..shards).map(|_| Mutex::default()).collect(), per_shard: leads.div_ceil(shards).max(1) }
    }

    fn shard(&self, id: LeadId) -> &Mutex<Generations> {
        // The random tail of a version 7 UUID spreads evenly.
        &self.shards[usize::from(id.0.as_bytes()[15]) % self.shards.len()]
    }

    /// The lead, if it is here.
    pub fn get(&self, id: LeadId) -> Option<Arc<Cached>> {
        let mut shard = self.shard(id).lock();
        if let Some(found) = shard.young.get(&id) {
            return Some(Arc::clone(found));
        }
        let found = shard.old.remove(&id)?;
        Self::insert(&mut shard, id, Arc::clone(&found), self.per_shard);
        Some(found)
    }

    /// Keeps a lead, unless a newer version of it is here.
    pub fn put(&self, cached: Arc<Cached>) {
        let id = cached.lead.id;
        let mut shard = self.shard(id).lock();
        let known = shard.young.get(&id).or_else(|| shard.old.get(&id));
        if known.is_some_and(|k| k.lead.version > cached.lead.version) {
            return;
        }
        shard.old.remove(&id);
        Self::insert(&mut shard, id, cached, self.per_shard);
    }

    /// Forgets a lead.
    pub fn forget(&self, id: LeadId) {
        let mut shard = self.shard(id).lock();
        shard.young.remove(&id);
        shard.old.remove(&id);
    }

    fn insert(shard: &mut Generations, id: LeadId, cached: Arc<Cached>, most: usize) {
        if shard.young.len() >= most && !shard.young.contains_key(&id) {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(id, cached);
    }
}
