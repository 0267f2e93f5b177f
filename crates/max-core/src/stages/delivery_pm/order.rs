//! Change orders of a running project: which were drafted, which are signed, which wait for the client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Finding, Work};
use super::{Agreed, Plan};
use crate::id::Digest;
use crate::lead::Lead;
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::change_order::ChangeOrder;

/// A change order as it goes to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrderReady {
    /// The order.
    pub order: ChangeOrder,
    /// SHA-256 of the file that the client signs.
    pub document: Digest,
    /// That file, a PDF that goes to the client; empty in orders of before it was named.
    #[serde(default)]
    pub file: String,
}

impl ChangeOrderReady {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let money = crate::stages::closer::money(self.order.gross_minor, &self.order.currency);
        format!("send change order {} to {}: {money} gross", self.order.id(), lead.contact.display_name())
    }
}

/// The newest version of every change order, by number.
pub(super) fn standing_orders(lead: &Lead) -> Vec<ChangeOrderReady> {
    let drafted: Vec<ChangeOrderReady> = lead.stage_value(Stage::DeliveryPM, "change_orders").unwrap_or_default();
    let mut standing: Vec<ChangeOrderReady> = Vec::new();
    for ready in drafted {
        standing.retain(|s| s.order.number != ready.order.number);
        standing.push(ready);
    }
    standing
}

/// The change orders that the client signed, in order.
pub fn signed_orders(lead: &Lead) -> Vec<ChangeOrder> {
    let signed =
        |o: &ChangeOrderReady| lead.signed_changes.get(&o.order.number).is_some_and(|s| s.document == o.document);
    standing_orders(lead).into_iter().filter(signed).map(|o| o.order).collect()
}

/// The change order that was drafted and neither signed nor dropped, and has not lapsed.
pub fn open_order(lead: &Lead) -> Option<ChangeOrderReady> {
    let dropped: Vec<u32> = dropped_orders(lead);
    let open = |o: &ChangeOrderReady| {
        let number = o.order.number;
        !lead.signed_changes.contains_key(&number)
            && !lead.lapsed_changes.contains_key(&number)
            && !dropped.contains(&number)
    };
    standing_orders(lead).into_iter().find(open)
}

/// The change orders that lapsed, in order. One that is wanted after all is offered again under the next number.
pub fn lapsed_orders(lead: &Lead) -> Vec<ChangeOrder> {
    let lapsed = |o: &ChangeOrderReady| lead.lapsed_changes.contains_key(&o.order.number);
    standing_orders(lead).into_iter().filter(lapsed).map(|o| o.order).collect()
}

/// The change orders that the client does not want after all.
fn dropped_orders(lead: &Lead) -> Vec<u32> {
    let rounds: Vec<super::RequestSorted> = lead.stage_value(Stage::DeliveryPM, "requests").unwrap_or_default();
    rounds.into_iter().flat_map(|r| r.orders_dropped).collect()
}

/// The number of the next change order.
pub fn next_number(lead: &Lead) -> u32 {
    standing_orders(lead).iter().map(|o| o.order.number).max().unwrap_or(0) + 1
}

/// What is signed is a file that the client gets: a PDF that goes with the mail, named by what it holds.
pub(super) fn check_signed_file(rule: &str, file: &str, document: Digest, work: &Work, findings: &mut Vec<Finding>) {
    let stored = work.artifacts.iter().any(|a| a.name == file && a.sha256 == document);
    let goes = work.messages.iter().any(|m| m.attachments.iter().any(|a| a == file));
    if !stored || !goes || !file.ends_with(".pdf") {
        findings.push(
            Finding::new(rule, "what the client is to sign is not a PDF that goes with the mail")
                .at("document")
                .mend("store the PDF, attach it, and name it in `file` with its SHA-256"),
        );
    }
}

/// Rules DL-7 and PC-12 for a change order that is to go out.
pub(in super::super) fn check_order(
    lead: &Lead,
    ready: &ChangeOrderReady,
    work: &Work,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    let order = &ready.order;
    // A rejected draft is written again under its number; what is signed keeps its own.
    let redrafted = open_order(lead).is_some_and(|o| o.order.number == order.number);
    let before = if redrafted { order.number.saturating_sub(1) } else { next_number(lead) - 1 };
    order.check(before, findings);
    match &lead.signature {
        Some(signature) if signature.document == order.contract => {}
        _ => findings.push(Finding::new("DL-7", "a change order changes the contract that was signed").at("contract")),
    }
    check_signed_file("DL-7", &ready.file, ready.document, work, findings);
    let agreed = Agreed::of(lead).unwrap_or_default();
    for requirement in &order.added {
        if agreed.requirement(&requirement.id).is_some() {
            findings.push(Finding::new("DL-7", format!("{} was agreed on before", requirement.id)).at("added"));
        }
        if requirement.acceptance.trim().is_empty() || requirement.effort_quarter_days == 0 {
            findings.push(Finding::new("DL-7", format!("{} needs acceptance and effort", requirement.id)).at("added"));
        }
    }
    let calendar = policy.calendar_of(lead);
    let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan");
    for shift in &order.shifts {
        if let Some(why) = calendar.why_closed(shift.to) {
            findings
                .push(Finding::new("DL-1", format!("{} moves to {}, {why}", shift.milestone, shift.to)).at("shifts"));
        }
        let known = plan.as_ref().and_then(|p| p.milestone(&shift.milestone));
        if known.is_some_and(|m| m.due != shift.from) {
            findings
                .push(Finding::new("X-4", format!("{} is not due on {}", shift.milestone, shift.from)).at("shifts"));
        }
    }
}
