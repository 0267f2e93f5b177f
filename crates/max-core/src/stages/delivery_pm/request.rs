//! What a client asks for while the project runs, sorted: a defect, in scope, or a change that costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Finding;
use super::order::standing_orders;
use super::{Agreed, MilestoneReady};
use crate::lead::Lead;
use crate::stage::Stage;

/// From here on a class is certain enough to act on without a person.
const SURE: u8 = 50;

/// The requests of one or more messages, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSorted {
    /// Each request.
    pub requests: Vec<SortedRequest>,
    /// Defects that were mended since, by id of the request.
    #[serde(default)]
    pub mended: Vec<String>,
    /// Change requests that the client took back or refused to pay for, by id of the request.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// Change orders that the client does not want after all, by number.
    #[serde(default)]
    pub orders_dropped: Vec<u32>,
    /// Client duties that the client says are done, by id in the plan.
    #[serde(default)]
    pub duties_done: Vec<String>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SortedRequest {
    /// `RQ-1` …, counted over the whole project.
    pub id: String,
    /// The message it stands in.
    pub source: String,
    /// The client's words.
    pub quote: String,
    /// What it is.
    pub class: Class,
    /// The requirement it concerns; a change may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// How sure, in percent.
    pub confidence: u8,
    /// Why this class, in a sentence.
    pub reason: String,
    /// Set when it was mended, dropped or ordered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

impl SortedRequest {
    /// True for a defect that nobody has mended.
    pub fn is_open_defect(&self) -> bool {
        self.class == Class::Defect && !self.settled
    }

    /// True for a change that was neither ordered nor dropped.
    pub fn is_open_change(&self) -> bool {
        self.class == Class::Change && !self.settled
    }
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Something agreed on does not do what its acceptance says.
    Defect,
    /// It is part of what was agreed on.
    InScope,
    /// It is not: it needs a change order.
    Change,
}

impl Class {
    /// The word as it stands in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Defect => "defect",
            Class::InScope => "in_scope",
            Class::Change => "change",
        }
    }
}

/// Every request sorted so far, with what became of it.
pub fn sorted_requests(lead: &Lead) -> Vec<SortedRequest> {
    let rounds: Vec<RequestSorted> = lead.stage_value(Stage::DeliveryPM, "requests").unwrap_or_default();
    let hand_overs: Vec<MilestoneReady> = lead.stage_value(Stage::DeliveryPM, "hand_overs").unwrap_or_default();
    let signed = |h: &MilestoneReady| lead.accepted_milestones.get(&h.id).is_some_and(|s| s.document == h.document);
    let settled = |id: &String| {
        rounds.iter().any(|r| r.mended.contains(id) || r.dropped.contains(id))
            || hand_overs.iter().any(|h| h.mended.contains(id) && signed(h))
    };
    let mut requests: Vec<SortedRequest> = rounds.iter().flat_map(|r| r.requests.iter().cloned()).collect();
    for request in &mut requests {
        request.settled |= settled(&request.id) || ordered(lead, request);
    }
    requests
}

/// The changes asked for that stand in no change order yet.
pub fn pending_changes(lead: &Lead) -> Vec<SortedRequest> {
    sorted_requests(lead).into_iter().filter(SortedRequest::is_open_change).collect()
}

/// Whether a change order takes care of this request.
fn ordered(lead: &Lead, request: &SortedRequest) -> bool {
    standing_orders(lead).iter().any(|o| o.order.source == request.source && o.order.quote == request.quote)
}

/// Rule DL-7 for the sorting itself.
pub(in super::super) fn check_sorted(lead: &Lead, sorted: &RequestSorted, findings: &mut Vec<Finding>) {
    let agreed = Agreed::of(lead).unwrap_or_default();
    let before = sorted_requests(lead);
    let settles = !sorted.mended.is_empty() || !sorted.dropped.is_empty() || !sorted.orders_dropped.is_empty();
    if sorted.requests.is_empty() && !settles && sorted.duties_done.is_empty() {
        findings.push(Finding::new("DL-7", "nothing is sorted: answer the client instead").at("requests"));
    }
    for (index, request) in sorted.requests.iter().enumerate() {
        let wrong = |detail: String| Finding::new("DL-7", detail).at(&request.id);
        let twice = before.iter().chain(&sorted.requests[..index]).any(|r| r.id == request.id);
        if twice || !request.id.starts_with("RQ-") {
            findings.push(wrong(format!("`{}` must be RQ- and a number, once", request.id)));
        }
        if !lead.messages.iter().any(|m| m.id.to_string() == request.source) {
            findings.push(Finding::new("X-4", format!("{} names no message of this client", request.id)));
        }
        if request.quote.trim().is_empty() || request.reason.trim().is_empty() {
            findings.push(wrong(format!("{} needs the client's words and a reason", request.id)));
        }
        match &request.requirement {
            Some(id) if agreed.requirement(id).is_none() => {
                findings.push(Finding::new("X-4", format!("{} names {id}, which was not agreed on", request.id)));
            }
            None if request.class != Class::Change => {
                findings.push(
                    wrong(format!("{} is a {} of no requirement", request.id, request.class.name()))
                        .mend("name the requirement it concerns, or call it a change"),
                );
            }
            _ => {}
        }
        if !(SURE..=100).contains(&request.confidence) {
            findings.push(
                wrong(format!("{} is sorted with a confidence of {} %", request.id, request.confidence))
                    .mend("leave to a person what is less than half sure"),
            );
        }
    }
    for id in sorted.mended.iter().chain(&sorted.dropped) {
        if !before.iter().any(|r| r.id == *id) {
            findings.push(Finding::new("X-4", format!("{id} is no request of this project")));
        }
    }
}
