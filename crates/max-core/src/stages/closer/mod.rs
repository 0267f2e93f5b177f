//! Closer: a priced proposal, the contract, the signature, the deposit. Every sum is computed here.
//!
//! [`proposal`] is the offer as data, [`price`] computes it, [`check`] and `texts` find what is wrong with it,
//! [`contract`] does the same for the contract, `deposit` says what is due after the signature.

pub mod check;
pub mod contract;
pub mod deposit;
pub mod price;
pub mod proposal;
mod rules;
#[cfg(test)]
mod tests;
mod texts;

pub use check::below_floor;
pub use contract::{AnnexLine, Contract, Promised};
pub use deposit::{ContractSigned, Deposit, Invoice, deposit, payment_reference};
pub use price::{Concessions, Margin, margin, money};
pub use proposal::{
    Factor, Lever, LeverKind, OptionKind, Payment, Phase, PriceLine, PriceOption, Proposal, Sections, Sourced,
    TeamMember, ValueClaim, VatShare,
};
pub use rules::RULES;

pub(super) use check::check_proposal;
pub(super) use contract::check_contract;
pub(super) use deposit::{after_signature, check_signed};

use super::{Finding, Next};
use crate::lead::{ApprovalKind, ClientAsk, Lead};
use crate::policy::Policy;
use crate::stage::Stage;

/// What follows on an offer: a person releases it. One whose discount is more than MAX may give alone is decided by a
/// person whatever the policy says about offers.
pub(super) fn after_proposal(lead: &Lead, p: &Proposal, policy: &Policy) -> Next {
    let asked = Next::AskClient { ask: ClientAsk::Decision };
    let most = p.options.iter().map(|o| o.discount_basis_points).fold(p.discount_basis_points, u32::max);
    if most <= policy.discount_alone_basis_points {
        return asked.approved(ApprovalKind::Proposal, p.title(lead), policy);
    }
    let title = format!("{} (more than MAX may give alone)", p.title(lead));
    Next::Approve { kind: ApprovalKind::Proposal, title, then: Box::new(asked) }
}

/// The offer as the client agreed to it: with the option that the contract stands on, once there is one.
pub fn agreed(lead: &Lead) -> Option<Proposal> {
    let offer = lead.stage_value::<Proposal>(Stage::Closer, "proposal")?;
    let contract = lead.stage_value::<Contract>(Stage::Closer, "contract");
    let option = contract.filter(|c| c.proposal_revision == offer.revision).and_then(|c| c.option);
    Some(option.and_then(|kind| offer.with(kind)).unwrap_or(offer))
}
