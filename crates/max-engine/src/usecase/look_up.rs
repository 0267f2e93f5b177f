//! What a decision has to know and the core cannot see: what stands in files, what a message says, whose an address is.
//!
//! Every request passes here on its way to the ledger, so there is no way around it, and nothing a caller brought along
//! under these heads is believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use max_core::apply::waiver;
use max_core::command::{Command, OutgoingText, Request, Seen};
use max_core::event::Event;
use max_core::guard;
use max_core::id::{ApprovalId, Digest, LeadId, MessageId};
use max_core::lead::{Approval, Direction, Draft, Lead, NewLead, Waiver};
use max_core::stages::Finding;

use crate::director::{Director, blocking};
use crate::error::Error;
use crate::ports::{File, Linted, Logged};
use crate::view::{self, MessageView};

impl Director {
    /// The request with what is known about it now.
    pub(crate) async fn look_up(&self, lead: LeadId, mut request: Request) -> Result<Request, Error> {
        let Seen { through, signing, .. } = request.seen;
        request.seen = Seen { through, signing, ..Seen::default() };
        match &request.command {
            Command::Submit { work, .. } => {
                let files = work.artifacts.iter().map(|a| (a.name.clone(), a.sha256)).collect();
                request.seen.findings = self.lint_files(lead, files).await?;
                request.seen.strangers = self.strangers(lead, &work.messages).await?;
                request.seen.said = self.said(lead).await?;
            }
            Command::Decide { approval, approve: true, .. } | Command::WaiveFinding { approval, .. } => {
                if let Some(approval) = self.pending(lead, *approval).await? {
                    let files = approval.artifacts.iter().map(|a| (a.name.clone(), a.sha256)).collect();
                    request.seen.findings = self.lint_files(lead, files).await?;
                    request.seen.strangers = self.strangers(lead, &approval.outgoing).await?;
                    request.seen.said = self.said(lead).await?;
                }
            }
            Command::Release { message } => {
                let log = self.entries(lead, 0, usize::MAX).await?;
                let (text, waived) = text_and_waivers(&log, *message);
                request.seen.strangers = self.strangers_in(lead, text.iter().map(|t| t.body.as_str())).await?;
                request.seen.text = text;
                request.seen.said = words_of_the_client(view::messages(&log));
                request.seen.waived = waived;
            }
            _ => {}
        }
        Ok(request)
    }

    async fn pending(&self, lead: LeadId, id: ApprovalId) -> Result<Option<Approval>, Error> {
        let cached = match self.lead(lead).await {
            Ok(cached) => cached,
            // The ledger says so in its own words.
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(cached.lead.pending_approval().filter(|approval| approval.id == id).cloned())
    }

    /// What the linter finds in the files of a lead that stand in the artifact store.
    pub async fn lint_files(&self, id: LeadId, files: Vec<(String, Digest)>) -> Result<Vec<Finding>, Error> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let lead = match self.lead(id).await {
            Ok(cached) => Arc::clone(&cached.lead),
            Err(Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let inner = Arc::clone(&self.inner);
        let now = self.now();
        blocking(move || {
            let read =
                |(name, digest): (String, Digest)| inner.artifacts.get(id, digest).map(|bytes| File { name, bytes });
            let files = files.into_iter().map(read).collect::<Result<Vec<File>, _>>()?;
            Ok(inner.linter.lint(&Linted { lead: &lead, policy: &inner.policy, files: &files, now }))
        })
        .await
    }

    /// Everything that is found in a lead as it stands: its files, its trace, and what waits for a decision.
    pub async fn lint_lead(&self, lead: &Arc<Lead>) -> Result<Vec<Finding>, Error> {
        let current = lead.artifacts.iter().filter(|a| !a.superseded);
        let mut findings = self.lint_files(lead.id, current.map(|a| (a.name.clone(), a.sha256)).collect()).await?;
        findings.extend(max_core::trace::trace(lead).findings(None));
        findings.extend(max_core::stages::first_responder::check_speed(lead, &self.inner.policy, self.now()));
        if let Some(approval) = lead.pending_approval() {
            let strangers = self.strangers(lead.id, &approval.outgoing).await?;
            findings.extend(approval.findings.iter().cloned());
            let seen = Seen { strangers, said: self.said(lead.id).await?, ..Seen::default() };
            findings.extend(guard::check_drafts(lead, &self.inner.policy, &approval.outgoing, &seen));
        }
        let mut once: Vec<Finding> = Vec::with_capacity(findings.len());
        findings.into_iter().for_each(|f| {
            if !once.contains(&f) {
                once.push(f)
            }
        });
        Ok(once)
    }

    /// All that the client has written to us, by message.
    async fn said(&self, lead: LeadId) -> Result<BTreeMap<String, String>, Error> {
        Ok(words_of_the_client(self.messages(lead).await?))
    }

    async fn strangers(&self, lead: LeadId, drafts: &[Draft]) -> Result<Vec<String>, Error> {
        self.strangers_in(lead, drafts.iter().map(|draft| draft.body.as_str())).await
    }

    /// Addresses in texts under which another lead came in, and this one did not.
    async fn strangers_in<'t>(&self, id: LeadId, texts: impl Iterator<Item = &'t str>) -> Result<Vec<String>, Error> {
        let mut addresses: Vec<String> = texts.flat_map(guard::addresses).collect();
        if addresses.is_empty() {
            return Ok(addresses);
        }
        let own = self.lead(id).await.map(|cached| cached.lead.contact.person_key()).unwrap_or_default();
        let agency = self.inner.policy.own_words.join("\n").to_lowercase();
        addresses.retain(|address| *address != own && !agency.contains(address.as_str()));
        self.read(move |store| {
            let mut strangers = Vec::new();
            for address in addresses {
                let key = NewLead { email: address.clone(), ..NewLead::default() }.person_key();
                if store.any_lead_of(&key)?.is_some_and(|other| other != id) {
                    strangers.push(address);
                }
            }
            Ok(strangers)
        })
        .await
    }
}

fn words_of_the_client(messages: Vec<MessageView>) -> BTreeMap<String, String> {
    let his = messages.into_iter().map(|view| view.message).filter(|m| m.direction == Direction::In);
    his.map(|m| (m.id.to_string(), m.body)).collect()
}

/// The text of a queued message, and what a person let pass in the approval by which it was queued.
fn text_and_waivers(log: &[Logged], id: MessageId) -> (Option<OutgoingText>, Vec<Waiver>) {
    let queued = log.iter().find_map(|logged| {
        let message = logged.entry.events.iter().find_map(|event| match event {
            Event::MessageQueued { message } if message.id == id => Some(message),
            _ => None,
        })?;
        Some((logged, message))
    });
    let Some((logged, message)) = queued else { return (None, Vec::new()) };
    let approved = logged.entry.events.iter().find_map(|event| match event {
        Event::ApprovalDecided { approval, approved: true, .. } => Some(*approval),
        _ => None,
    });
    let waivers = log.iter().flat_map(|l| l.entry.events.iter().map(move |event| (&l.entry, event)));
    let waived = waivers.filter_map(|(entry, event)| match event {
        Event::FindingWaived { approval, rule, place, reason } if Some(*approval) == approved => {
            Some(waiver(entry, rule, place, reason))
        }
        _ => None,
    });
    (Some(OutgoingText { subject: message.subject.clone(), body: message.body.clone() }), waived.collect())
}
