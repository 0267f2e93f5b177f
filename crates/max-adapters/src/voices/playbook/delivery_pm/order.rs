//! A change order: what the client asked for beyond the scope, priced by the rate card, with what it does to the dates.

use max_core::lead::MessageKind;
use max_core::stages::StageResult;
use max_core::stages::change_order::{Change, ChangeOrder, DateShift};
use max_core::stages::delivery_pm::{ChangeOrderReady, Plan, SortedRequest, next_number};
use max_core::stages::scoping::{Priority, Requirement};
use max_documents::delivery;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::super::text::{self, Said};
use super::super::turn::needs_person;
use super::{Running, plan};

pub(super) fn draft(running: &Running, plan: &Plan, change: &SortedRequest) -> Result<Thought, CallFail> {
    send(running, plan, next_number(running.turn.lead), &change.source, &change.quote)
}

/// The same order once more: a person rejected it, or what was being asked was interrupted.
pub(super) fn draft_again(running: &Running, plan: &Plan, open: &ChangeOrderReady) -> Result<Thought, CallFail> {
    send(running, plan, open.order.number, &open.order.source, &open.order.quote)
}

/// What lapsed, once more: under a number of its own, at today's price and for today's dates.
pub(super) fn draft_anew(running: &Running, plan: &Plan, lapsed: &ChangeOrder) -> Result<Thought, CallFail> {
    send(running, plan, next_number(running.turn.lead), &lapsed.source, &lapsed.quote)
}

fn send(running: &Running, plan: &Plan, number: u32, source: &str, quote: &str) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let (Some(offer), Some(signature)) = (turn.proposal(), turn.lead.signature.as_ref()) else {
        return Ok(needs_person("the client asks for a change, and there is no signed offer on record to price it by"));
    };
    let added = vec![requirement(running, source, quote)];
    let due = plan::due_of(plan, &added.iter().collect::<Vec<_>>(), turn.today(), &turn.calendar());
    let next = format!("M-{}", plan.milestones.len() + 1);
    let change = Change {
        number,
        contract: signature.document,
        reason: turn
            .lang
            .pick([
                "The client asked for it after the contract was signed.",
                "Der Kunde hat nach Vertragsschluss darum gebeten.",
                "De klant vroeg erom na ondertekening van het contract.",
                "Le client l'a demandé après la signature du contrat.",
            ])
            .into(),
        source: source.to_owned(),
        quote: quote.to_owned(),
        added,
        dropped: Vec::new(),
        shifts: vec![DateShift { milestone: next, from: plan.last_day(), to: due }],
    };
    let order = ChangeOrder::price(change, &offer, &turn.policy.rate_card, turn.today());
    let doc = delivery::change_order(&order, running.agreed.gross_minor, running.project());
    let name = format!("change-orders/{}", order.id());
    let files = turn.document(&name, &order, doc)?;
    let file = format!("{name}.pdf");
    let document = super::signed_form(&files, &file);
    let slots = context! { order => order.id(), document => document.to_string() };
    Ok(Thought {
        summary: format!("{}: {} gross", order.id(), turn.lang.money(order.gross_minor, &order.currency)),
        messages: turn.mail_with(MessageKind::Contract, "change-order", slots, &[&file])?,
        result: StageResult::ChangeOrder(ChangeOrderReady { order, document, file }),
        files,
    })
}

/// The wish as a requirement: by the feature of the catalogue that it names, else as an unknown of its own size.
fn requirement(running: &Running, source: &str, quote: &str) -> Requirement {
    let turn = running.turn;
    let catalog = &turn.agency.catalog;
    let said = Said::new(quote);
    let feature = catalog.features.iter().find(|f| said.has(&f.keywords));
    let (quarters, service, acceptance) = match feature {
        Some(f) => (f.quarter_days, f.service.clone(), f.acceptance.get(turn.lang)),
        None => (catalog.other_feature.quarter_days, String::new(), catalog.other_feature.acceptance.get(turn.lang)),
    };
    let number = running.agreed.requirements.iter().filter_map(|r| r.id.strip_prefix("R-")?.parse::<u32>().ok()).max();
    Requirement {
        id: format!("R-{:03}", number.unwrap_or(0) + 1),
        text: text::capitalised(&text::tame(quote, 240)),
        priority: Priority::Should,
        acceptance: acceptance.to_owned(),
        source: source.to_owned(),
        quote: quote.to_owned(),
        effort_quarter_days: quarters.max(1),
        service,
        depends_on: Vec::new(),
    }
}
