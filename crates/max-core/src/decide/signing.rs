//! The client signs: the contract, or a milestone. A signature given in time is never lost to a race.

use std::collections::BTreeSet;

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::Digest;
use crate::lead::{Actor, ArtifactRef, ClientAsk, Need, SigningEvidence, SigningMethod, TaskReason, Turn};
use crate::rules::{Rule, Weight};
use crate::stage::Stage;
use crate::stages::closer::{Contract, Proposal};
use crate::stages::delivery_pm::{MilestoneReady, open_order};
use crate::stages::{Finding, Work};

/// What is checked when somebody signs.
pub const RULES: &[Rule] = &[Rule {
    id: "PC-11",
    says: "a signature carries the document's hash, signer, address, consent with its version, time, network address, \
           browser and method",
    weight: Weight::Refuses,
    check: "decide::signing::check_evidence",
    test: "pc_11_a_signature_carries_its_evidence",
}];

/// The contract with its certificate, as it is kept after the signature.
pub const SIGNED_CONTRACT: &str = "contract-signed.pdf";

impl Deciding<'_> {
    pub(super) fn sign(&mut self, document: Digest, signer: &str) -> Result<(), Refusal> {
        let signer = signer.trim();
        if signer.is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "a signature needs the signer's name"));
        }
        if matches!(self.request.by, Actor::Eidolon(_)) {
            return Err(self.refuse(RefusalKind::State, "only the client signs; a person may record it"));
        }
        self.check_evidence()?;
        let changes = self.lead.signed_changes.values();
        let known = self.lead.signature.iter().chain(self.lead.accepted_milestones.values()).chain(changes);
        if known.into_iter().any(|s| s.document == document) {
            return Ok(());
        }
        if matches!(self.lead.turn, Turn::AwaitingNeed { need: Need::Signature, .. }) {
            return self.sign_what_is_missing(document, signer);
        }
        let (milestone, change_order) = match self.asked_to_sign() {
            Some(ClientAsk::Signature { document: asked }) if *asked == document => (None, None),
            Some(ClientAsk::Milestone { id, document: asked }) if *asked == document => (Some(id.clone()), None),
            Some(ClientAsk::ChangeOrder { number, document: asked }) if *asked == document => {
                let number = *number;
                self.check_still_valid(number)?;
                (None, Some(number))
            }
            Some(_) => {
                return Err(self.refuse(RefusalKind::State, "another version of the document waits for the signature"));
            }
            None => return Err(self.refuse(RefusalKind::State, "nothing waits for a signature")),
        };
        self.leave_turn("the client signed");
        let evidence = self.evidence();
        let signer = signer.into();
        self.events.push(Event::DocumentSigned { document, signer, milestone, change_order, evidence });
        if !self.at_rest() {
            self.open_task(self.lead.stage.eidolon(), TaskReason::Signed);
        } else if matches!(self.lead.turn, Turn::AwaitingClient(_)) {
            // Nothing is asked of the client any more; whoever lets the lead go on begins the next turn.
            self.events.push(Event::TurnPaused {});
        }
        Ok(())
    }

    /// A change order binds the agency until its last day, and nobody after it.
    fn check_still_valid(&self, number: u32) -> Result<(), Refusal> {
        let today = self.policy.today(self.fresh.now());
        let last = open_order(self.lead).filter(|o| o.order.number == number).map(|o| o.order.valid_until);
        match last {
            Some(last) if last < today => {
                let why = format!("change order CO-{number} could be signed until {last}; ask for a new one");
                Err(self.refuse(RefusalKind::State, why))
            }
            _ => Ok(()),
        }
    }

    /// What shows that the signature was given. What the caller does not say is said here: who records it, vouches.
    fn evidence(&self) -> Option<Box<SigningEvidence>> {
        let mut evidence = self.request.seen.signing.clone().unwrap_or_default();
        evidence.address = self.lead.contact.email.trim().to_owned();
        Some(evidence)
    }

    /// A signature on the client's page stands on the words he agreed to and on where it came from (PC-11).
    fn check_evidence(&self) -> Result<(), Refusal> {
        let Some(evidence) = self.request.seen.signing.as_deref() else { return Ok(()) };
        let long = |text: &str| text.chars().count() > 4_000;
        if [&evidence.consent, &evidence.consent_version, &evidence.ip, &evidence.user_agent]
            .into_iter()
            .any(|t| long(t))
        {
            return Err(self.refuse(RefusalKind::Invalid, "what shows the signature is longer than 4,000 characters"));
        }
        let agreed = !evidence.consent.trim().is_empty() && !evidence.consent_version.trim().is_empty();
        let traced = !evidence.ip.trim().is_empty() && !evidence.user_agent.trim().is_empty();
        match evidence.method {
            SigningMethod::Portal if !agreed || !traced => {
                let why =
                    "a signature on the client's page needs the consent he gave with its version, address and browser";
                Err(self.refuse(RefusalKind::Invalid, why))
            }
            SigningMethod::Api if !agreed => {
                let why = "a signature by API needs the consent that was given, with its version; else record it";
                Err(self.refuse(RefusalKind::Invalid, why))
            }
            _ => Ok(()),
        }
    }

    /// What is signed stays as it is: no later work replaces the file (PC-12).
    pub(super) fn check_signed_files(&self, work: &Work) -> Vec<Finding> {
        let later = self.lead.accepted_milestones.values().chain(self.lead.signed_changes.values());
        let signed: BTreeSet<Digest> = self.lead.signature.iter().chain(later).map(|s| s.document).collect();
        let kept = |a: &&ArtifactRef| {
            let certificate = a.stage == Stage::Closer && a.name == SIGNED_CONTRACT && self.lead.signature.is_some();
            a.stage == self.lead.stage && (signed.contains(&a.sha256) || certificate)
        };
        let kept = self.lead.artifacts.iter().filter(kept);
        let replaced = kept.filter(|a| work.artifacts.iter().any(|w| w.name == a.name && w.sha256 != a.sha256));
        replaced
            .map(|a| {
                Finding::new("PC-12", format!("`{}` is signed and stays as it is", a.name))
                    .at(a.name.clone())
                    .mend("write what changes into a change order with a name of its own")
            })
            .collect()
    }

    /// What the client is asked to sign, also while somebody writes to him meanwhile: what counts is that nothing
    /// newer has been put up since it was sent.
    fn asked_to_sign(&self) -> Option<&ClientAsk> {
        let wait = match &self.lead.turn {
            Turn::AwaitingClient(wait) => wait,
            Turn::Ended(_) | Turn::AwaitingNeed { .. } => return None,
            Turn::Working(_) | Turn::AwaitingApproval(_) | Turn::Paused { .. } | Turn::Exhausted { .. } => {
                self.lead.last_wait.as_ref().filter(|wait| self.is_newest(&wait.ask))?
            }
        };
        Some(&wait.ask).filter(|ask| ask.document().is_some())
    }

    fn is_newest(&self, ask: &ClientAsk) -> bool {
        match ask {
            ClientAsk::Signature { document } => {
                self.contract().is_none_or(|contract| {
                    let proposal = self.lead.stage_value::<Proposal>(Stage::Closer, "proposal");
                    contract.document == *document && proposal.is_none_or(|p| p.revision == contract.proposal_revision)
                }) && self.lead.signature.is_none()
            }
            ClientAsk::Milestone { id, document } => {
                let ready = self.lead.stage_value::<MilestoneReady>(Stage::DeliveryPM, "milestone_ready");
                ready.is_none_or(|r| r.document == *document) && !self.lead.accepted_milestones.contains_key(id)
            }
            ClientAsk::ChangeOrder { .. } => crate::stages::delivery_pm::standing_ask(self.lead) == Some(ask),
            _ => false,
        }
    }

    fn contract(&self) -> Option<Contract> {
        self.lead.stage_value(Stage::Closer, "contract")
    }

    /// A stage misses the signature: the client may sign the contract he was sent, and a person may record one
    /// that was given outside.
    fn sign_what_is_missing(&mut self, document: Digest, signer: &str) -> Result<(), Refusal> {
        let sent = self.contract().is_some_and(|contract| contract.document == document);
        if !sent && !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "another version of the document waits for the signature"));
        }
        let evidence = self.evidence();
        self.events.push(Event::DocumentSigned {
            document,
            signer: signer.into(),
            milestone: None,
            change_order: None,
            evidence,
        });
        if !self.at_rest() {
            self.begin(TaskReason::Signed);
        }
        Ok(())
    }
}
