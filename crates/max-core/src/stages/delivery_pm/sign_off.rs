//! Milestones handed over for sign-off, and the end of a project.

use jiff::Span;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Finding, Work};
use super::Plan;
use super::order::check_signed_file;
use super::request::sorted_requests;
use crate::id::Digest;
use crate::lead::Lead;
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::closer::Promised;

/// A milestone is ready for sign-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MilestoneReady {
    /// The milestone.
    pub id: String,
    /// SHA-256 of the file that is signed off.
    pub document: Digest,
    /// That file, a PDF that goes to the client; empty in hand-overs of before it was named.
    #[serde(default)]
    pub file: String,
    /// Defects the client knows of and takes the milestone with, by id of the request.
    #[serde(default)]
    pub open_defects: Vec<String>,
    /// Defects reported before that this version mends; they are settled with the signature.
    #[serde(default)]
    pub mended: Vec<String>,
}

/// Everything is signed off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectClosed {
    /// A closing sentence.
    pub reason: String,
    /// What is left to the client, and from when on.
    #[serde(default)]
    pub closing: Closing,
}

/// What a closing letter says beside thanks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Closing {
    /// What the client receives.
    pub hand_over: Vec<String>,
    /// Whose access ends, and to what.
    pub access_removed: Vec<String>,
    /// The last day on which defects are mended without charge.
    pub warranty_until: Option<Date>,
    /// The day on which the agency deletes what it keeps of the project.
    pub kept_until: Option<Date>,
    /// What the client is asked about the work.
    pub feedback: String,
}

impl Closing {
    /// The last days of warranty and retention, by what the signed contract says, counted from the last sign-off.
    pub fn last_days(lead: &Lead, policy: &Policy) -> (Option<Date>, Option<Date>) {
        let terms = Promised::of(lead, policy);
        let last = lead.accepted_milestones.values().map(|s| policy.today(s.at)).max();
        let after = |span: Span| last.and_then(|day| day.checked_add(span).ok());
        let (days, years) = (Span::new().days(terms.warranty_days), Span::new().years(terms.retention_years));
        (after(days), after(years))
    }
}

/// Rule DL-8.
pub(in super::super) fn check_milestone(lead: &Lead, ready: &MilestoneReady, work: &Work, findings: &mut Vec<Finding>) {
    let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan");
    if plan.is_none_or(|plan| plan.milestone(&ready.id).is_none()) {
        findings.push(Finding::new("X-4", format!("{} is no milestone of the plan", ready.id)));
    }
    if lead.accepted_milestones.contains_key(&ready.id) {
        findings.push(Finding::new("DL-8", format!("{} is signed off already", ready.id)).at(&ready.id));
    }
    check_signed_file("DL-8", &ready.file, ready.document, work, findings);
    let requests = sorted_requests(lead);
    for id in ready.open_defects.iter().chain(&ready.mended) {
        if !requests.iter().any(|r| r.id == *id && r.is_open_defect()) {
            findings.push(Finding::new("X-4", format!("{id} is no open defect")).at("open_defects"));
        }
    }
    for defect in requests.iter().filter(|r| r.is_open_defect()) {
        if !ready.open_defects.contains(&defect.id) && !ready.mended.contains(&defect.id) {
            let detail = format!("{} is reported, and is named neither as open nor as mended", defect.id);
            findings.push(Finding::new("DL-8", detail).at("open_defects").mend("list it where it belongs"));
        }
    }
}

/// Rule DL-9, and DL-8 for what was never signed off.
pub(in super::super) fn check_closed(
    lead: &Lead,
    closed: &ProjectClosed,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan");
    let open: Vec<String> = plan
        .iter()
        .flat_map(|p| &p.milestones)
        .filter(|m| !lead.accepted_milestones.contains_key(&m.id))
        .map(|m| m.id.clone())
        .collect();
    if plan.is_none() {
        findings.push(Finding::new("DL-8", "there is no plan to have been delivered"));
    } else if !open.is_empty() {
        findings.push(Finding::new("DL-8", format!("not signed off yet: {}", open.join(", "))));
    }
    let closing = &closed.closing;
    for (what, missing) in [
        ("a list of what is handed over", closing.hand_over.is_empty()),
        ("whose access is removed", closing.access_removed.is_empty()),
        ("the warranty's end", closing.warranty_until.is_none()),
        ("the day until which data is kept", closing.kept_until.is_none()),
        ("a request for feedback", closing.feedback.trim().is_empty()),
    ] {
        if missing {
            findings.push(Finding::new("DL-9", format!("the closing lacks {what}")).at("closing"));
        }
    }
    let (warranty, kept) = Closing::last_days(lead, policy);
    for (what, said, counted) in
        [("warranty", closing.warranty_until, warranty), ("retention", closing.kept_until, kept)]
    {
        if let (Some(said), Some(counted)) = (said, counted)
            && said != counted
        {
            findings.push(
                Finding::new("DL-9", format!("by the signed contract {what} ends on {counted}, not on {said}"))
                    .at("closing")
                    .mend(format!("say {counted}")),
            );
        }
    }
}
