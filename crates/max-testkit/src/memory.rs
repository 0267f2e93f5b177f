//! A store without a disk: the simplest thing that keeps the port's promises.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use max_core::event::Event;
use max_core::id::{ApprovalId, Digest, EscalationId, LeadId, LeadRef, MessageId, TaskId};
use max_core::lead::{Lead, Status};
use max_core::stage::{Eidolon, Stage};
use max_engine::ports::{
    ApprovalRow, Done, Erasure, EscalationRow, Idempotency, LeadFilter, LeadRow, Logged, OnceKey, Page, Position,
    SapWave, Seal, Store, StoreError, Suppression, TaskRow, TokenRow, Write, WriteError,
};
use max_engine::runs::{MicroUsd, Run, RunOutcome};
use max_engine::spend::Spending;
use parking_lot::{Mutex, MutexGuard};

/// A store in memory. Forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    all: Mutex<All>,
    broken: Mutex<Option<StoreError>>,
}

#[derive(Default)]
struct All {
    log: Vec<Row>,
    /// In the order of ingestion.
    leads: Vec<Kept>,
    index: HashMap<LeadId, usize>,
    threads: HashMap<String, LeadId>,
    approvals: HashMap<ApprovalId, LeadId>,
    keys: HashMap<String, Idempotency>,
    meta: HashMap<String, String>,
    tokens: BTreeMap<String, TokenRow>,
    sapwaves: BTreeMap<String, SapWave>,
    suppressions: BTreeMap<Digest, Suppression>,
    erasures: BTreeMap<LeadId, Erasure>,
    /// With the lead, until it is erased.
    runs: Vec<(Option<LeadId>, Run)>,
}

struct Kept {
    lead: Arc<Lead>,
    wake_at: Option<Timestamp>,
}

struct Row {
    logged: Logged,
    payload: Vec<u8>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a payload behind the log's back, as damage or a forger would.
    pub fn tamper(&self, lead: LeadId, version: u64) {
        self.with_row(lead, version, |row| row.payload.push(b' '));
    }

    /// Erases a payload and leaves its digest.
    pub fn erase(&self, lead: LeadId, version: u64) {
        self.with_row(lead, version, |row| {
            row.payload.clear();
            row.logged.entry.events.clear();
            row.logged.erased = true;
        });
    }

    fn with_row(&self, lead: LeadId, version: u64, change: impl FnOnce(&mut Row)) {
        let mut all = self.all.lock();
        let row = all.log.iter_mut().find(|r| r.logged.entry.lead == lead && r.logged.entry.version == version);
        change(row.expect("the entry exists"));
    }

    /// From now on every call fails with this, until [`MemoryStore::mend`].
    pub fn break_with(&self, error: StoreError) {
        *self.broken.lock() = Some(error);
    }

    /// Ends what [`MemoryStore::break_with`] began.
    pub fn mend(&self) {
        *self.broken.lock() = None;
    }

    fn all(&self) -> Result<MutexGuard<'_, All>, StoreError> {
        self.broken.lock().clone().map_or_else(|| Ok(self.all.lock()), Err)
    }

    fn find(&self, matches: impl Fn(&Lead) -> bool) -> Result<Option<LeadId>, StoreError> {
        Ok(self.all()?.leads.iter().rev().find(|k| matches(&k.lead)).map(|k| k.lead.id))
    }
}

impl All {
    fn append(&mut self, write: &Write) -> Result<Position, WriteError> {
        let entry = &write.entry;
        let known = self.index.get(&entry.lead).copied();
        let version = known.map_or(0, |at| self.leads[at].lead.version);
        if version + 1 != entry.version {
            return Err(WriteError::Conflict);
        }
        if let Some(used) = &write.idempotency
            && self.keys.contains_key(&used.key)
        {
            return Err(WriteError::KeyTaken);
        }
        if known.is_none()
            && let Some(name) = &write.after.contact.external_ref
            && self.leads.iter().any(|k| k.lead.contact.external_ref.as_ref() == Some(name))
        {
            return Err(WriteError::ExternalRefTaken(name.clone()));
        }
        let kept = Kept { lead: Arc::clone(&write.after), wake_at: write.wake_at };
        match known {
            Some(at) => self.leads[at] = kept,
            None => {
                self.index.insert(entry.lead, self.leads.len());
                self.leads.push(kept);
            }
        }
        self.keys.extend(write.idempotency.iter().map(|once| {
            let used = Idempotency { once: once.clone(), done: Done::Lead(entry.lead), at: entry.at };
            (once.key.clone(), used)
        }));
        self.note(write);
        let position = self.log.len() as Position + 1;
        let logged = Logged { position, entry: entry.clone(), seal: write.seal, erased: false };
        self.log.push(Row { logged, payload: write.payload.clone() });
        Ok(position)
    }

    /// Digests in the place of everything that was said of a lead.
    fn blank(&mut self, lead: LeadId, left: &[Event]) {
        let mut previous = Digest([0; 32]);
        let mut shell = None;
        for Row { logged, payload } in self.log.iter_mut().filter(|row| row.logged.entry.lead == lead) {
            let chain = logged.seal.chain;
            (logged.entry.by, logged.entry.signal_id) =
                Seal::erased_header(previous, &logged.entry, logged.seal.payload, chain);
            logged.entry.events = if logged.entry.version == 1 { left.to_vec() } else { Vec::new() };
            logged.erased = true;
            payload.clear();
            previous = chain;
            shell = max_core::apply::apply(shell, &logged.entry);
            if let Some(shell) = &mut shell {
                shell.chain = chain;
            }
        }
        if let (Some(at), Some(shell)) = (self.index.get(&lead), shell) {
            self.leads[*at] = Kept { lead: Arc::new(shell), wake_at: None };
        }
        self.threads.retain(|_, of| *of != lead);
        for (of, _) in self.runs.iter_mut().filter(|(of, _)| *of == Some(lead)) {
            *of = None;
        }
        let of_lead = self.keys.values().filter(|used| used.done == Done::Lead(lead));
        let keys: Vec<String> = of_lead.map(|used| used.once.key.clone()).collect();
        for key in keys.into_iter().filter(|key| !key.starts_with("erased-")) {
            if let Some(kept) = self.keys.remove(&key) {
                let once = OnceKey { key: erased_key(&key), ..kept.once };
                self.keys.insert(once.key.clone(), Idempotency { once, ..kept });
            }
        }
    }

    fn note(&mut self, write: &Write) {
        for event in &write.entry.events {
            if let Event::LeadErased { at, .. } = event {
                let one = Erasure { lead: write.entry.lead, at: *at, done: false };
                self.erasures.entry(one.lead).or_insert(one);
            }
            let rfc_id = match event {
                Event::LeadIngested { .. } | Event::LeadImported { .. } => {
                    write.after.messages.first().map(|m| m.rfc_id.clone())
                }
                Event::MessageReceived { message } | Event::MessageQueued { message } => Some(message.rfc_id.clone()),
                Event::ApprovalRequested { approval } => {
                    self.approvals.insert(approval.id, write.entry.lead);
                    None
                }
                _ => None,
            };
            if let Some(rfc_id) = rfc_id.filter(|id| !id.is_empty()) {
                self.threads.entry(rfc_id).or_insert(write.entry.lead);
            }
        }
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &[Write]) -> Result<Vec<Result<Position, WriteError>>, StoreError> {
        let mut all = self.all()?;
        Ok(batch.iter().map(|write| all.append(write)).collect())
    }

    fn lead(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        let all = self.all()?;
        Ok(all.index.get(&id).map(|at| Lead::clone(&all.leads[*at].lead)))
    }

    fn resolve(&self, reference: &LeadRef) -> Result<Option<LeadId>, StoreError> {
        match reference {
            LeadRef::Id(id) => self.find(|l| l.id == *id),
            LeadRef::External(name) => self.find(|l| l.contact.external_ref.as_ref() == Some(name)),
        }
    }

    fn open_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        self.find(|l| l.outcome().is_none() && l.contact.person_key() == person_key)
    }

    fn any_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        self.find(|l| l.contact.person_key() == person_key)
    }

    fn leads_of_company(&self, domain: &str, limit: usize) -> Result<Vec<LeadId>, StoreError> {
        let all = self.all()?;
        let of = |lead: &Lead| lead.contact.company_domains().iter().any(|d| d == domain);
        Ok(all.leads.iter().rev().filter(|k| of(&k.lead)).take(limit).map(|k| k.lead.id).collect())
    }

    fn lead_with_fingerprint(&self, fingerprint: Digest, since: Timestamp) -> Result<Option<LeadId>, StoreError> {
        self.find(|l| l.created_at >= since && l.contact.fingerprint() == fingerprint)
    }

    fn lead_of_thread(&self, rfc_id: &str) -> Result<Option<LeadId>, StoreError> {
        Ok(self.all()?.threads.get(rfc_id).copied())
    }

    fn idempotency(&self, key: &str) -> Result<Option<Idempotency>, StoreError> {
        let all = self.all()?;
        let known = all.keys.get(key).or_else(|| all.keys.get(&erased_key(key)));
        let once = |used: &Idempotency| OnceKey { key: key.to_owned(), ..used.once.clone() };
        Ok(known.map(|used| Idempotency { once: once(used), ..used.clone() }))
    }

    fn keep_keys(&self, keys: &[Idempotency]) -> Result<(), StoreError> {
        let mut all = self.all()?;
        for used in keys {
            all.keys.entry(used.once.key.clone()).or_insert_with(|| used.clone());
        }
        Ok(())
    }

    fn list(&self, filter: &LeadFilter) -> Result<Page, StoreError> {
        let all = self.all()?;
        let mut found: Vec<(Timestamp, usize, LeadRow)> = all
            .leads
            .iter()
            .enumerate()
            .map(|(no, kept)| (kept.lead.updated_at, no, LeadRow::of(&kept.lead)))
            .filter(|(_, _, row)| matches(row, filter))
            .collect();
        found.sort_by_key(|(at, no, _)| std::cmp::Reverse((*at, *no)));
        let start = match &filter.cursor {
            None => 0,
            Some(cursor) => {
                let after = |(at, no, _): &(Timestamp, usize, LeadRow)| format!("{at}/{no}") == *cursor;
                found
                    .iter()
                    .position(after)
                    .map(|at| at + 1)
                    .ok_or_else(|| StoreError::Unavailable(format!("`{cursor}` is no cursor of a list")))?
            }
        };
        let limit = filter.limit.clamp(1, 500);
        let more = found.len() > start + limit;
        let page: Vec<_> = found.into_iter().skip(start).take(limit).collect();
        let next = page.last().filter(|_| more).map(|(at, no, _)| format!("{at}/{no}"));
        Ok(Page { rows: page.into_iter().map(|(_, _, row)| row).collect(), next })
    }

    fn counts(&self) -> Result<Vec<(Stage, Status, u64)>, StoreError> {
        let mut counts = BTreeMap::<(Stage, Status), u64>::new();
        for kept in &self.all()?.leads {
            *counts.entry((kept.lead.stage, kept.lead.status())).or_default() += 1;
        }
        Ok(counts.into_iter().map(|((stage, status), n)| (stage, status, n)).collect())
    }

    fn entries(&self, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let all = self.all()?;
        let of_lead = all.log.iter().map(|r| &r.logged).filter(|l| l.entry.lead == lead && l.entry.version > after);
        Ok(of_lead.take(limit).cloned().collect())
    }

    fn entries_after(&self, position: Position, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let all = self.all()?;
        Ok(all.log.iter().map(|r| &r.logged).filter(|l| l.position > position).take(limit).cloned().collect())
    }

    fn last_position(&self) -> Result<Position, StoreError> {
        Ok(self.all()?.log.len() as Position)
    }

    fn open_tasks(&self, eidolon: Option<Eidolon>, limit: usize) -> Result<Vec<TaskRow>, StoreError> {
        let all = self.all()?;
        let mut tasks: Vec<TaskRow> = all
            .leads
            .iter()
            .filter_map(|k| Some(TaskRow { lead: k.lead.id, task: k.lead.open_task()?.clone() }))
            .filter(|row| eidolon.is_none_or(|only| row.task.eidolon == only))
            .collect();
        tasks.sort_by_key(|row| (row.task.opened_at, row.task.id));
        tasks.truncate(limit);
        Ok(tasks)
    }

    fn lead_of_task(&self, task: TaskId) -> Result<Option<LeadId>, StoreError> {
        self.find(|l| l.open_task().is_some_and(|t| t.id == task))
    }

    fn pending_approvals(&self, limit: usize) -> Result<Vec<ApprovalRow>, StoreError> {
        let all = self.all()?;
        let pending = all.leads.iter().filter_map(|k| {
            let a = k.lead.pending_approval()?;
            Some(ApprovalRow {
                id: a.id,
                lead: k.lead.id,
                kind: a.kind,
                requested_at: a.requested_at,
                due_at: a.due_at,
            })
        });
        let mut rows: Vec<_> = pending.collect();
        rows.sort_by_key(|row| (row.requested_at, row.id));
        rows.truncate(limit);
        Ok(rows)
    }

    fn lead_of_approval(&self, approval: ApprovalId) -> Result<Option<LeadId>, StoreError> {
        Ok(self.all()?.approvals.get(&approval).copied())
    }

    fn open_escalations(&self, limit: usize) -> Result<Vec<EscalationRow>, StoreError> {
        let all = self.all()?;
        let open = all.leads.iter().filter_map(|k| {
            let escalation = k.lead.escalation.as_ref()?;
            Some(EscalationRow { id: escalation.id, lead: k.lead.id, at: escalation.at })
        });
        let mut rows: Vec<_> = open.collect();
        rows.sort_by_key(|row| (row.at, row.id));
        rows.truncate(limit);
        Ok(rows)
    }

    fn lead_of_escalation(&self, escalation: EscalationId) -> Result<Option<LeadId>, StoreError> {
        self.find(|l| l.escalation.as_ref().is_some_and(|open| open.id == escalation))
    }

    fn outbox(&self, limit: usize) -> Result<Vec<(LeadId, MessageId)>, StoreError> {
        let all = self.all()?;
        let mut waiting: Vec<_> = all.leads.iter().flat_map(|k| k.lead.outbox().map(|m| (k.lead.id, m.id))).collect();
        waiting.sort_by_key(|(_, message)| *message);
        waiting.truncate(limit);
        Ok(waiting)
    }

    fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<LeadId>, StoreError> {
        let all = self.all()?;
        let mut due: Vec<_> =
            all.leads.iter().filter_map(|k| Some((k.wake_at.filter(|at| *at <= now)?, k.lead.id))).collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, id)| id).collect())
    }

    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.all()?.leads.iter().filter_map(|k| k.wake_at).min())
    }

    fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.all()?.meta.get(key).cloned())
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.all()?.meta.insert(key.into(), value.into());
        Ok(())
    }

    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        Ok(self.all()?.tokens.values().cloned().collect())
    }

    fn add_token(&self, token: &TokenRow) -> Result<(), StoreError> {
        self.all()?.tokens.insert(token.id.clone(), token.clone());
        Ok(())
    }

    fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.all()?.tokens.remove(id).is_some())
    }

    fn sapwaves(&self) -> Result<Vec<SapWave>, StoreError> {
        Ok(self.all()?.sapwaves.values().cloned().collect())
    }

    fn put_sapwave(&self, wave: &SapWave) -> Result<(), StoreError> {
        self.all()?.sapwaves.insert(wave.name.clone(), wave.clone());
        Ok(())
    }

    fn remove_sapwave(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.all()?.sapwaves.remove(name).is_some())
    }

    fn suppression(&self, hash: Digest) -> Result<Option<Suppression>, StoreError> {
        Ok(self.all()?.suppressions.get(&hash).cloned())
    }

    fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        let mut all: Vec<_> = self.all()?.suppressions.values().cloned().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        Ok(all)
    }

    fn put_suppression(&self, one: &Suppression) -> Result<(), StoreError> {
        self.all()?.suppressions.entry(one.hash).or_insert_with(|| one.clone());
        Ok(())
    }

    fn remove_suppression(&self, hash: Digest) -> Result<bool, StoreError> {
        Ok(self.all()?.suppressions.remove(&hash).is_some())
    }

    fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        Ok(self.all()?.erasures.values().copied().collect())
    }

    fn put_erasure(&self, one: &Erasure) -> Result<(), StoreError> {
        self.all()?.erasures.insert(one.lead, *one);
        Ok(())
    }

    fn erase(&self, lead: LeadId, left: &[u8]) -> Result<(), StoreError> {
        let left: Vec<Event> = serde_json::from_slice(left).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        self.all()?.blank(lead, &left);
        Ok(())
    }

    fn record_run(&self, run: &Run) -> Result<(), StoreError> {
        let mut all = self.all()?;
        match all.runs.iter_mut().find(|(_, known)| known.id == run.id) {
            Some((_, known)) => *known = run.clone(),
            None => all.runs.push((Some(run.lead), run.clone())),
        }
        Ok(())
    }

    fn runs(&self, lead: LeadId) -> Result<Vec<Run>, StoreError> {
        let all = self.all()?;
        let mut runs: Vec<Run> =
            all.runs.iter().filter(|(of, _)| *of == Some(lead)).map(|(_, run)| run.clone()).collect();
        runs.sort_by_key(|run| (run.started_at, run.id));
        Ok(runs)
    }

    fn spent(&self, spending: Spending) -> Result<MicroUsd, StoreError> {
        let all = self.all()?;
        let counts = |(of, run): &&(Option<LeadId>, Run)| match spending {
            Spending::Since(at) => run.started_at >= at,
            Spending::Lead(lead) => *of == Some(lead),
            Spending::Stage(lead, stage) => *of == Some(lead) && run.stage == stage,
        };
        Ok(all.runs.iter().filter(counts).fold(MicroUsd::default(), |sum, (_, run)| sum + run.cost))
    }

    fn end_lost_runs(&self) -> Result<(), StoreError> {
        for (_, run) in &mut self.all()?.runs {
            if run.outcome == RunOutcome::Running {
                run.outcome = RunOutcome::Lost;
            }
        }
        Ok(())
    }

    /// What is in memory is gone with it: a word stands for the copy.
    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        std::fs::write(to, "a copy").map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn verify(&self) -> Result<Vec<(LeadId, u64)>, StoreError> {
        let all = self.all()?;
        let mut chains = HashMap::<LeadId, Digest>::new();
        let mut broken = BTreeMap::<LeadId, u64>::new();
        for Row { logged, payload } in &all.log {
            let chain = chains.entry(logged.entry.lead).or_insert(Digest([0; 32]));
            let seal = match logged.erased {
                true => logged.seal.payload,
                false => Digest::of(payload),
            };
            if !Seal::holds(*chain, &logged.entry, seal, logged.seal.chain) {
                broken.entry(logged.entry.lead).or_insert(logged.entry.version);
            }
            *chain = logged.seal.chain;
        }
        Ok(broken.into_iter().collect())
    }
}

/// What is left of a key when its lead is erased.
fn erased_key(key: &str) -> String {
    format!("erased-{}", Digest::of(key.as_bytes()))
}

fn matches(row: &LeadRow, filter: &LeadFilter) -> bool {
    let text = [
        &*row.name,
        &*row.email,
        row.company.as_deref().unwrap_or_default(),
        row.external_ref.as_ref().map_or("", |r| r.as_str()),
    ]
    .join("\n")
    .to_lowercase();
    filter.stage.is_none_or(|stage| row.current_stage == stage)
        && filter.status.is_none_or(|status| row.status == status)
        && filter.search.iter().flat_map(|s| s.split_whitespace()).all(|word| text.contains(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::store::{Meddling, Subject, run};

    #[test]
    fn keeps_the_promises_of_a_store() {
        run(|| {
            let store = Arc::new(MemoryStore::new());
            let meddled = Arc::clone(&store);
            Subject::new(store, move |lead, version, how| match how {
                Meddling::Tamper => meddled.tamper(lead, version),
                Meddling::Erase => meddled.erase(lead, version),
            })
        });
    }
}
