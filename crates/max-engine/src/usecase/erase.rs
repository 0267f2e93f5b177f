//! Erasing a lead, once a person has approved it: what goes, what stays, and carrying it out.
//!
//! The order makes a crash anywhere harmless. The approving entry already folds the lead to an empty shell and puts it
//! on the store's list of erasures, so a start finds it again. Files go first, because only the log still tells which
//! ones they are; then the log is blanked; then the store's own files are scrubbed; then it is written down as done.
//! Each step again changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use max_core::event::{Entry, Event};
use max_core::id::LeadId;
use max_core::lead::{Delivery, Direction, Lead, Message, NewLead, Outcome};
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cache::Cached;
use crate::director::{Director, blocking};
use crate::error::Error;
use crate::fail;
use crate::ports::{
    Channel, Erasure, Folders, LeadFilter, Logged, Store, StoreError, Suppression, SuppressionReason, Traces,
};

/// How long an erasure that met trouble waits for another try.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long readable copies that are being written may take.
const SETTLE: Duration = Duration::from_secs(30);

/// What an erasure would do, told before anybody asks for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Preview {
    /// What goes.
    pub goes: Vec<Portion>,
    /// What stays, and why.
    pub stays: Vec<String>,
    /// What is out of reach.
    pub out_of_reach: Vec<String>,
    /// Other leads of the same address, which are not erased with this one.
    pub other_leads: Vec<LeadId>,
}

/// Some things of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Portion {
    /// Of which kind.
    pub what: String,
    /// How many.
    pub count: u64,
}

impl Director {
    /// What the erasure of a lead would do.
    pub async fn erasure_preview(&self, id: LeadId) -> Result<Preview, Error> {
        let lead = Arc::clone(&self.lead(id).await?.lead);
        if lead.outcome() == Some(Outcome::Erased) {
            return Ok(Preview { stays: stays(), ..Preview::default() });
        }
        let log = self.entries(id, 0, usize::MAX).await?;
        let messages = crate::view::messages(&log);
        let sent = messages.iter().filter(|m| m.delivery == Delivery::Sent).count() as u64;
        let versions: u64 = log.iter().flat_map(|l| &l.entry.events).map(artifacts_in).sum();
        let signals = log.iter().filter(|l| l.entry.signal_id.is_some()).count() as u64;
        let portion = |what: &str, count: u64| Portion { what: what.into(), count };
        let goes = vec![
            portion("contact details and everything the client told about himself", 1),
            portion("entries of the log, whose content is replaced by its digest", log.len() as u64),
            portion("messages of the conversation", messages.len() as u64),
            portion("versions of artifacts, with the lead's whole folder", versions),
            portion("signals that were taken in, with their files", signals),
            portion("mails in the outbox folder", sent),
        ];
        let mut out_of_reach = Vec::new();
        if sent > 0 {
            out_of_reach.push(format!("{sent} mails that were delivered: they lie in the client's mailbox"));
        }
        out_of_reach
            .push("backups made before: when one is restored, the list of erasures is applied at its start".into());
        out_of_reach.push("what people of the agency copied elsewhere".into());
        let other_leads = self.others_of(&lead).await?;
        Ok(Preview { goes, stays: stays(), out_of_reach, other_leads })
    }

    /// Other leads of the same address.
    async fn others_of(&self, lead: &Lead) -> Result<Vec<LeadId>, Error> {
        let address = lead.contact.email.trim().to_lowercase();
        if address.is_empty() {
            return Ok(Vec::new());
        }
        let own = lead.id;
        self.read(move |store| {
            let filter = LeadFilter { search: Some(address.clone()), limit: 100, ..LeadFilter::default() };
            let rows = store.list(&filter)?.rows;
            let same = |email: &str| email.trim().to_lowercase() == address;
            Ok(rows.into_iter().filter(|r| r.lead_id != own && same(&r.email)).map(|r| r.lead_id).collect())
        })
        .await
    }
}

fn stays() -> Vec<String> {
    [
        "the lead's id, its stage, and when it came in, changed and was erased",
        "who of the agency did something when, and the digests and seals of the entries, so that the log can be verified",
        "the keyed hash of the address on the suppression list, so that nobody writes to it by mistake",
        "the lead's id on the list of erasures, so that a restored backup erases it again",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn artifacts_in(event: &Event) -> u64 {
    match event {
        Event::WorkSubmitted { artifacts, .. } | Event::LeadImported { artifacts, .. } => artifacts.len() as u64,
        _ => 0,
    }
}

/// Carries out what was approved.
pub(crate) struct Eraser {
    pub(crate) director: Director,
    pub(crate) folders: Arc<dyn Folders>,
    pub(crate) channel: Arc<dyn Channel>,
    /// Rung when a lead was erased.
    pub(crate) wake: Arc<Notify>,
}

impl Eraser {
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            let retry = match self.work().await {
                Ok(_) => Duration::MAX,
                Err(error) => {
                    tracing::warn!(%error, "an erasure did not finish; trying again");
                    RETRY_AFTER
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(retry.min(Duration::from_secs(3_600))) => {}
            }
        }
    }

    /// Finishes every erasure that is open; how many there were.
    pub(crate) async fn work(&self) -> Result<usize, Error> {
        let all = self.director.read(|store| store.erasures()).await?;
        let open: Vec<Erasure> = all.into_iter().filter(|e| !e.done).collect();
        if open.is_empty() {
            return Ok(0);
        }
        for one in &open {
            self.erase(*one).await?;
        }
        // Once for all of them: it reads the whole store.
        fail::point("erase.scrub")?;
        self.director.read(|store| store.scrub()).await?;
        fail::point("erase.scrubbed")?;
        for one in &open {
            let done = Erasure { done: true, ..*one };
            self.director.read(move |store| store.put_erasure(&done)).await?;
            tracing::info!(lead = %one.lead, "a lead was erased");
        }
        Ok(open.len())
    }

    async fn erase(&self, one: Erasure) -> Result<(), Error> {
        let id = one.lead;
        let log = self.director.entries(id, 0, usize::MAX).await?;
        let Some(left) = tombstone(&log) else {
            return Ok(());
        };
        let traces = traces(&log);
        let folders = Arc::clone(&self.folders);
        blocking(move || folders.note_erasure(id, one.at)).await?;
        self.suppress(&log, &traces, one).await?;
        self.settle(id).await?;
        fail::point("erase.files")?;
        let (folders, known) = (Arc::clone(&self.folders), traces.clone());
        blocking(move || folders.erase(id, &known)).await?;
        let forgotten = self.channel.forget(id, &traces.messages).await;
        forgotten.map_err(|error| Error::Store(StoreError::Unavailable(error.to_string())))?;
        fail::point("erase.log")?;
        let artifacts = Arc::clone(&self.director.inner.store);
        blocking(move || artifacts.erase(id, &left)).await?;
        fail::point("erase.logged")?;
        self.director.inner.cache.forget(id);
        self.settle(id).await
    }

    /// The address must not be written to by mistake, although nobody knows it any more.
    async fn suppress(&self, log: &[Logged], traces: &Traces, one: Erasure) -> Result<(), Error> {
        let by = format!("erasure of lead {}", one.lead);
        let own = log.first().and_then(|first| first.entry.events.first()).and_then(contact).map(|c| c.email.clone());
        let addresses = traces.addresses.iter().filter(|address| own.as_ref().is_some_and(|o| same(o, address)));
        for address in addresses {
            let hash = self.director.inner.privacy_key.address(address);
            let kept = Suppression { hash, reason: SuppressionReason::Erased, at: one.at, by: by.clone() };
            self.director
                .read(move |store| store.remove_suppression(hash).and_then(|_| store.put_suppression(&kept)))
                .await?;
        }
        Ok(())
    }

    /// Has the readable copies of the lead written as it is now, and waits until nothing older is being written.
    async fn settle(&self, id: LeadId) -> Result<(), Error> {
        let director = self.director.clone();
        let done = tokio::task::spawn_blocking(move || -> Result<bool, StoreError> {
            if let Some(lead) = director.inner.store.lead(id)? {
                let lead = Arc::new(lead);
                director.inner.cache.put(Cached::new(Arc::clone(&lead)));
                let now = director.inner.store.last_position()?;
                if director.inner.projects {
                    director.inner.projector.mark(lead, now);
                }
            }
            Ok(!director.inner.projects || director.inner.projector.settle(SETTLE))
        });
        match done.await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => {
                Err(Error::Store(StoreError::Unavailable("readable copies are still being written".into())))
            }
            Ok(Err(error)) => Err(Error::Store(error)),
            Err(_) => Err(Error::Stopping),
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// What is left of the log: the one event that says when and how it was erased.
fn tombstone(log: &[Logged]) -> Option<Vec<u8>> {
    let events = log.iter().rev().flat_map(|logged| logged.entry.events.iter().rev());
    let erased = events.into_iter().find(|event| matches!(event, Event::LeadErased { .. }))?;
    serde_json::to_vec(&[erased]).ok()
}

fn contact(event: &Event) -> Option<&NewLead> {
    match event {
        Event::LeadIngested { lead, .. } | Event::LeadImported { lead, .. } => Some(lead),
        _ => None,
    }
}

/// By what the lead's files are recognised, as the log tells it.
fn traces(log: &[Logged]) -> Traces {
    let mut traces = Traces::default();
    let (mut addresses, mut rfc_ids) = (BTreeSet::new(), BTreeSet::new());
    for Logged { entry, .. } in log {
        traces.signals.extend(entry.signal_id.iter().map(|id| id.as_str().to_owned()));
        for event in &entry.events {
            if let Some(lead) = contact(event) {
                traces.external_ref = lead.external_ref.clone();
                addresses.insert(lead.email.clone());
                let given = lead.extra.get("message_id").and_then(|id| id.as_str());
                rfc_ids.extend(given.map(str::to_owned));
            }
            if let Some(message) = message(event) {
                addresses.insert(message.address.clone());
                rfc_ids.insert(message.rfc_id.clone());
                if message.direction == Direction::Out {
                    traces.messages.push(message.id);
                }
            }
        }
    }
    traces.addresses = addresses.into_iter().filter(|a| a.contains('@')).collect();
    traces.rfc_ids = rfc_ids.into_iter().filter(|id| id.len() > 5).collect();
    traces
}

fn message(event: &Event) -> Option<&Message> {
    match event {
        Event::MessageReceived { message } | Event::MessageQueued { message } => Some(message),
        _ => None,
    }
}

/// True for an entry that erases its lead.
pub(crate) fn erases(entry: &Entry) -> bool {
    entry.events.iter().any(|event| matches!(event, Event::LeadErased { .. }))
}

/// Leads that the list beside the store, or the store's own, knows as erased and the log does not: a copy was restored.
pub(crate) fn forgotten_erasures(store: &dyn Store, folders: &dyn Folders) -> Result<Vec<LeadId>, StoreError> {
    let known = store.erasures()?;
    for one in &known {
        folders.note_erasure(one.lead, one.at)?;
    }
    let mut again = Vec::new();
    for (lead, at) in folders.erasure_list()? {
        if known.iter().any(|e| e.lead == lead) {
            continue;
        }
        match store.lead(lead)? {
            Some(known) if known.outcome() != Some(Outcome::Erased) => again.push(lead),
            Some(_) => store.put_erasure(&Erasure { lead, at, done: false })?,
            // The copy is older than the lead. Its name stays on the list for the next one.
            None => store.put_erasure(&Erasure { lead, at, done: true })?,
        }
    }
    Ok(again)
}
