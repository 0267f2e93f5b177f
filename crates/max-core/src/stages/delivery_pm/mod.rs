//! DeliveryPM: the plan, reports on it, the client's requests sorted, milestones signed off, the closing.
//!
//! A plan is a promise of dates. Code keeps it honest: every date is a working day of both sides, every requirement
//! agreed on has its one milestone, and how a project stands is computed from what was signed, never felt.

mod order;
mod plan;
mod report;
mod request;
mod sign_off;

pub use order::{ChangeOrderReady, lapsed_orders, next_number, open_order, signed_orders};
pub(crate) use plan::steps_of_duties;
pub use plan::{Agreed, Cadence, Duty, Milestone, Plan, duties_come_late, is_duty, open_duties};
pub use report::{Colour, DecisionNeeded, Risk, Slip, Standing, StatusReport, report_due};
pub use request::{Class, RequestSorted, SortedRequest, pending_changes, sorted_requests};
pub use sign_off::{Closing, MilestoneReady, ProjectClosed};

pub(super) use order::check_order;
pub(super) use plan::check_plan;
pub(super) use report::check_report;
pub(super) use request::check_sorted;
pub(super) use sign_off::{check_closed, check_milestone};

use super::Next;
use crate::lead::{ClientAsk, Lead};
use crate::rules::{Rule, Weight};
use crate::stage::Stage;

/// What the client is asked now and has not answered: a sign-off that still stands.
pub fn standing_ask(lead: &Lead) -> Option<&ClientAsk> {
    let ask = lead.last_wait.as_ref().map(|wait| &wait.ask)?;
    match ask {
        ClientAsk::Milestone { id, document } => {
            let plan: Plan = lead.stage_value(Stage::DeliveryPM, "plan")?;
            let newest = lead.stage_value::<MilestoneReady>(Stage::DeliveryPM, "milestone_ready");
            let stands = newest.is_none_or(|ready| ready.document == *document);
            (stands && plan.open_milestone(lead)?.id == *id && !sent_back(lead)).then_some(ask)
        }
        ClientAsk::ChangeOrder { number, document } => {
            let open = open_order(lead)?;
            (open.order.number == *number && open.document == *document).then_some(ask)
        }
        _ => None,
    }
}

/// True when the client reported a defect after the milestone was handed over: that version is not signed any more.
fn sent_back(lead: &Lead) -> bool {
    let Some(since) = lead.last_wait.as_ref().map(|wait| wait.since) else { return false };
    let defects = sorted_requests(lead);
    let sources = defects.iter().filter(|r| r.is_open_defect()).map(|r| r.source.as_str());
    sources.into_iter().any(|id| lead.messages.iter().any(|m| m.at > since && m.id.to_string() == id))
}

/// After a report the client is asked what was asked before, and the work goes on where it was.
pub(super) fn after_report(lead: &Lead) -> Next {
    standing_ask(lead).map_or(Next::Continue, |ask| Next::AskClient { ask: ask.clone() })
}

/// What is checked here.
pub const RULES: &[Rule] = &[
    Rule {
        id: "DL-1",
        says: "every Must and every priced Should stands in exactly one milestone; every milestone lies inside the \
               plan, falls due on a working day of both sides, and leaves working days enough for its estimate",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_plan",
        test: "dl_1_every_must_and_priced_should_has_one_milestone",
    },
    Rule {
        id: "DL-2",
        says: "every milestone has its acceptance test, its owner and its share of the price; the shares sum to 100 % \
               and the amounts to the price, to the cent",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_plan",
        test: "dl_2_payment_shares_sum_to_the_whole_price",
    },
    Rule {
        id: "DL-3",
        says: "what depends on what has no cycle, and every client duty is a node with a due date",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_plan",
        test: "dl_3_the_plan_has_no_cycle_and_duties_are_nodes",
    },
    Rule {
        id: "DL-4",
        says: "a status report says status, done, next, risks, decisions with their date, and money used against plan, \
               as the records have them",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_report",
        test: "dl_4_a_report_says_what_the_records_say",
    },
    Rule {
        id: "DL-5",
        says: "the colour is computed: green for no day late, amber up to five, red beyond; never green with a late \
               Must; more than one step in a week needs a reason",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_report",
        test: "dl_5_the_colour_is_computed_and_moves_one_step_a_week",
    },
    Rule {
        id: "DL-6",
        says: "a date that slips is told to the client, with the new date, before the client asks",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_report",
        test: "dl_6_a_date_that_slips_is_told_before_the_client_asks",
    },
    Rule {
        id: "DL-7",
        says: "a request is a defect, in scope or a change, with requirement, confidence and reason; what is added \
               stands in the plan only after its change order was signed, by its last day, in the file that was sent",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_sorted",
        test: "dl_7_a_request_names_its_requirement_and_a_change_is_signed_first",
    },
    Rule {
        id: "DL-8",
        says: "a milestone is signed off once, by name, bound to the very file that was sent, with its open defects \
               listed",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_milestone",
        test: "dl_8_a_sign_off_is_bound_to_the_version_and_lists_defects",
    },
    Rule {
        id: "DL-9",
        says: "closing needs every milestone signed off, a hand-over list, access removed, a request for feedback, and \
               the end of warranty and retention as the signed contract counts them",
        weight: Weight::Refuses,
        check: "stages::delivery_pm::check_closed",
        test: "dl_9_closing_hands_over_and_removes_access",
    },
];
