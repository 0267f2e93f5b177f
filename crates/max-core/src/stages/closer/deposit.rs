//! What is due after the signature: the deposit, and the facts of its invoice.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::price::money;
use super::{Finding, agreed};
use crate::id::LeadId;
use crate::lead::{ApprovalKind, Lead};
use crate::policy::Policy;
use crate::stages::Next;

/// The contract is signed; what is due now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractSigned {
    /// The deposit in minor units, 0 for none.
    pub deposit_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What the invoice over the deposit says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Invoice>,
}

/// The facts of an invoice, for whoever writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// Who pays.
    pub to: String,
    /// Where it is sent.
    pub mail: String,
    /// What it is for, in the client's language.
    pub reference: String,
    /// What the client writes on the transfer, so that the account shows whose it is.
    #[serde(default)]
    pub payment_reference: String,
    /// What is due.
    pub gross_minor: i64,
    /// The tax in it, by the offer's own share.
    pub vat_minor: i64,
    /// Until when.
    pub due: Date,
}

/// What a client writes on his transfer: short enough to copy, and no other lead's.
pub fn payment_reference(lead: LeadId) -> String {
    let digits = lead.0.simple().to_string().to_uppercase();
    // The end of an id is chance, its beginning the time.
    format!("D-{}", &digits[digits.len() - 10..])
}

/// How it stands about the deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deposit {
    /// None is asked, or nothing is signed yet.
    None,
    /// It was asked for and has time.
    Requested,
    /// Its time is up: people are reminded, then called.
    Overdue,
    /// It arrived.
    Confirmed,
}

/// How it stands about a lead's deposit.
pub fn deposit(lead: &Lead, policy: &Policy, now: Timestamp) -> Deposit {
    if lead.deposit_confirmed {
        return Deposit::Confirmed;
    }
    let due = agreed(lead).map_or(0, |offer| offer.deposit_minor());
    if lead.signature.is_none() || !policy.wants_deposit() || due == 0 {
        return Deposit::None;
    }
    let asked = lead.pending_approval().filter(|a| a.kind == ApprovalKind::Deposit);
    if asked.is_some_and(|a| a.due_at <= now) { Deposit::Overdue } else { Deposit::Requested }
}

pub(in crate::stages) fn after_signature(lead: &Lead, signed: &ContractSigned, policy: &Policy) -> Next {
    if !policy.wants_deposit() || signed.deposit_minor == 0 || lead.deposit_confirmed {
        return Next::Advance;
    }
    Next::Advance.approved(
        ApprovalKind::Deposit,
        format!("confirm that the deposit of {} arrived", money(signed.deposit_minor, &signed.currency)),
        policy,
    )
}

pub(in crate::stages) fn check_signed(lead: &Lead, signed: &ContractSigned, findings: &mut Vec<Finding>) {
    if lead.signature.is_none() {
        findings.push(Finding::new("ON-1", "the contract is not signed"));
    }
    let Some(proposal) = agreed(lead) else { return };
    let due = proposal.deposit_minor();
    if signed.deposit_minor != due {
        findings
            .push(Finding::new("X-5", format!("the deposit is {due}, not {}, in minor units", signed.deposit_minor)));
    }
    if signed.invoice.as_ref().is_some_and(|invoice| invoice.gross_minor != due || invoice.vat_minor > due) {
        findings.push(Finding::new("X-5", "the invoice is not over the deposit").at("invoice"));
    }
    let reference = payment_reference(lead.id);
    if signed.invoice.as_ref().is_some_and(|i| !i.payment_reference.is_empty() && i.payment_reference != reference) {
        let detail = format!("the reference of this client's payment is {reference}");
        findings.push(Finding::new("X-5", detail).at("invoice"));
    }
}
