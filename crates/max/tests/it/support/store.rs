//! A log in memory: only what the endpoints need, until the testkit's store takes its place.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use max_core::event::Event;
use max_core::id::{ApprovalId, Digest, LeadId, LeadRef, MessageId, TaskId};
use max_core::lead::{Lead, Status};
use max_core::stage::{Eidolon, Stage};
use max_engine::ports::{
    ApprovalRow, Idempotency, LeadFilter, LeadRow, Logged, Page, Position, SapWave, Store, StoreError, TaskRow,
    TokenRow, Write, WriteError,
};
use parking_lot::Mutex;

#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// What every call answers with, when a test breaks the store.
    pub broken: Mutex<Option<StoreError>>,
}

#[derive(Default)]
struct State {
    log: Vec<Logged>,
    leads: HashMap<LeadId, Lead>,
    approvals: HashMap<ApprovalId, LeadId>,
    keys: HashMap<String, Idempotency>,
    meta: HashMap<String, String>,
    tokens: BTreeMap<String, TokenRow>,
    waves: BTreeMap<String, SapWave>,
}

impl MemoryStore {
    fn state(&self) -> Result<parking_lot::MutexGuard<'_, State>, StoreError> {
        match &*self.broken.lock() {
            Some(error) => Err(error.clone()),
            None => Ok(self.state.lock()),
        }
    }
}

impl State {
    fn newest(&self, fits: impl Fn(&Lead) -> bool) -> Option<LeadId> {
        self.leads.values().filter(|l| fits(l)).max_by_key(|l| (l.created_at, l.id)).map(|l| l.id)
    }

    fn append(&mut self, write: &Write) -> Result<Position, WriteError> {
        let version = self.leads.get(&write.entry.lead).map_or(0, |l| l.version);
        if write.entry.version != version + 1 {
            return Err(WriteError::Conflict);
        }
        if let Some(once) = &write.idempotency
            && self.keys.insert(once.key.clone(), once.clone()).is_some()
        {
            return Err(WriteError::KeyTaken);
        }
        for event in &write.entry.events {
            if let Event::ApprovalRequested { approval } = event {
                self.approvals.insert(approval.id, write.entry.lead);
            }
        }
        let position = self.log.len() as Position + 1;
        self.log.push(Logged { position, entry: write.entry.clone(), seal: write.seal, erased: false });
        self.leads.insert(write.entry.lead, (*write.after).clone());
        Ok(position)
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &[Write]) -> Result<Vec<Result<Position, WriteError>>, StoreError> {
        let mut state = self.state()?;
        Ok(batch.iter().map(|write| state.append(write)).collect())
    }
    fn lead(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        Ok(self.state()?.leads.get(&id).cloned())
    }
    fn resolve(&self, reference: &LeadRef) -> Result<Option<LeadId>, StoreError> {
        let state = self.state()?;
        Ok(match reference {
            LeadRef::Id(id) => state.leads.contains_key(id).then_some(*id),
            LeadRef::External(name) => state.newest(|l| l.contact.external_ref.as_ref() == Some(name)),
        })
    }
    fn open_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.newest(|l| l.outcome().is_none() && l.contact.person_key() == person_key))
    }
    fn any_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.newest(|l| l.contact.person_key() == person_key))
    }
    fn leads_of_company(&self, _domain: &str, _limit: usize) -> Result<Vec<LeadId>, StoreError> {
        self.state().map(|_| Vec::new())
    }
    fn lead_with_fingerprint(&self, print: Digest, since: Timestamp) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.newest(|l| l.created_at >= since && l.contact.fingerprint() == print))
    }
    fn lead_of_thread(&self, rfc_id: &str) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.newest(|l| l.messages.iter().any(|m| m.rfc_id == rfc_id)))
    }
    fn idempotency(&self, key: &str) -> Result<Option<Idempotency>, StoreError> {
        Ok(self.state()?.keys.get(key).cloned())
    }
    fn list(&self, filter: &LeadFilter) -> Result<Page, StoreError> {
        let state = self.state()?;
        let mut leads: Vec<&Lead> = state.leads.values().collect();
        leads.sort_by_key(|l| std::cmp::Reverse((l.updated_at, l.id)));
        let fits = |l: &&&Lead| {
            filter.stage.is_none_or(|s| s == l.stage)
                && filter.status.is_none_or(|s| s == l.status())
                && filter.search.as_ref().is_none_or(|q| {
                    let c = &l.contact;
                    let all = format!("{} {} {}", c.name, c.email, c.company.as_deref().unwrap_or_default());
                    all.to_lowercase().contains(&q.to_lowercase())
                })
        };
        let skip: usize = filter.cursor.as_ref().and_then(|c| c.parse().ok()).unwrap_or(0);
        let fitting: Vec<&&Lead> = leads.iter().filter(fits).collect();
        let next = skip + filter.limit;
        let rows = fitting.iter().skip(skip).take(filter.limit).map(|l| LeadRow::of(l)).collect();
        Ok(Page { rows, next: (next < fitting.len()).then(|| next.to_string()) })
    }
    fn counts(&self) -> Result<Vec<(Stage, Status, u64)>, StoreError> {
        let mut counts = BTreeMap::new();
        for lead in self.state()?.leads.values() {
            *counts.entry((lead.stage, lead.status())).or_insert(0) += 1;
        }
        Ok(counts.into_iter().map(|((stage, status), n)| (stage, status, n)).collect())
    }
    fn entries(&self, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let state = self.state()?;
        Ok(state.log.iter().filter(|l| l.entry.lead == lead && l.entry.version > after).take(limit).cloned().collect())
    }
    fn entries_after(&self, position: Position, limit: usize) -> Result<Vec<Logged>, StoreError> {
        Ok(self.state()?.log.iter().filter(|l| l.position > position).take(limit).cloned().collect())
    }
    fn last_position(&self) -> Result<Position, StoreError> {
        Ok(self.state()?.log.len() as Position)
    }
    fn open_tasks(&self, eidolon: Option<Eidolon>, limit: usize) -> Result<Vec<TaskRow>, StoreError> {
        let state = self.state()?;
        let open = |l: &Lead| l.open_task().cloned().map(|task| TaskRow { lead: l.id, task });
        let mut rows: Vec<TaskRow> = state.leads.values().filter_map(open).collect();
        rows.retain(|row| eidolon.is_none_or(|e| e == row.task.eidolon));
        rows.sort_by_key(|row| (row.task.opened_at, row.task.id));
        rows.truncate(limit);
        Ok(rows)
    }
    fn lead_of_task(&self, task: TaskId) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.newest(|l| l.open_task().is_some_and(|t| t.id == task)))
    }
    fn pending_approvals(&self, limit: usize) -> Result<Vec<ApprovalRow>, StoreError> {
        let state = self.state()?;
        let mut rows: Vec<ApprovalRow> = state
            .leads
            .values()
            .filter_map(|l| {
                let a = l.pending_approval()?;
                let (id, kind, requested_at, due_at) = (a.id, a.kind, a.requested_at, a.due_at);
                Some(ApprovalRow { id, lead: l.id, kind, requested_at, due_at })
            })
            .collect();
        rows.sort_by_key(|row| (row.requested_at, row.id));
        rows.truncate(limit);
        Ok(rows)
    }
    fn lead_of_approval(&self, approval: ApprovalId) -> Result<Option<LeadId>, StoreError> {
        Ok(self.state()?.approvals.get(&approval).copied())
    }
    fn outbox(&self, limit: usize) -> Result<Vec<(LeadId, MessageId)>, StoreError> {
        let state = self.state()?;
        Ok(state.leads.values().flat_map(|l| l.outbox().map(|m| (l.id, m.id))).take(limit).collect())
    }
    fn due(&self, _: Timestamp, _: usize) -> Result<Vec<LeadId>, StoreError> {
        Ok(Vec::new())
    }
    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
    fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.state()?.meta.get(key).cloned())
    }
    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.state()?.meta.insert(key.into(), value.into());
        Ok(())
    }
    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        Ok(self.state()?.tokens.values().cloned().collect())
    }
    fn add_token(&self, token: &TokenRow) -> Result<(), StoreError> {
        self.state()?.tokens.insert(token.id.clone(), token.clone());
        Ok(())
    }
    fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.state()?.tokens.remove(id).is_some())
    }
    fn sapwaves(&self) -> Result<Vec<SapWave>, StoreError> {
        Ok(self.state()?.waves.values().cloned().collect())
    }
    fn put_sapwave(&self, wave: &SapWave) -> Result<(), StoreError> {
        self.state()?.waves.insert(wave.name.clone(), wave.clone());
        Ok(())
    }
    fn remove_sapwave(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.state()?.waves.remove(name).is_some())
    }
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError> {
        std::fs::write(to, b"a copy").map_err(|e| StoreError::Unavailable(e.to_string()))
    }
    fn verify(&self) -> Result<Vec<(LeadId, u64)>, StoreError> {
        Ok(Vec::new())
    }
}
