//! What code finds wrong with an offer. Every sum is computed again from the lines.

use std::collections::BTreeSet;

use super::Finding;
use super::contract::unsigned;
use super::price::{discount, in_return, line_total, list, margin, vat_by_rate, worth};
use super::proposal::{Lever, LeverKind, OptionKind, Payment, PriceLine, PriceOption, Proposal, VatShare};
use super::texts;
use crate::lead::Lead;
use crate::policy::{Policy, RateCard};
use crate::stage::Stage;
use crate::stages::Work;
use crate::stages::scoping::{Priority, Scope};

/// More pages than this nobody reads, and nobody signs.
const PAGES_AT_MOST: u32 = 8;

/// Everything about an offer.
pub(crate) fn check_proposal(lead: &Lead, p: &Proposal, work: &Work, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else {
        findings.push(Finding::new("X-4", "there is no scope to price"));
        return;
    };
    unsigned(lead, findings);
    let priced = std::iter::once(Priced::of(p)).chain(p.options.iter().map(Priced::option));
    for priced in priced {
        lines(&priced, &scope, &policy.rate_card, findings);
        sums(&priced, &policy.rate_card, findings);
        authority(&priced, policy, findings);
        give_get(&priced, findings);
    }
    options(p, findings);
    sections(p, &scope, &policy.rate_card, findings);
    pages(p, work, findings);
    range(p, &scope, findings);
    dates(lead, p, findings);
    texts::value(p, findings);
    texts::figures(lead, p, &scope, work, findings);
}

/// The figures of the offer itself or of one of its options.
struct Priced<'a> {
    place: String,
    lines: &'a [PriceLine],
    levers: &'a [Lever],
    discount: u32,
    list: i64,
    net: i64,
    vat: &'a [VatShare],
    vat_minor: i64,
    gross: i64,
    schedule: &'a [Payment],
}

impl<'a> Priced<'a> {
    fn of(p: &'a Proposal) -> Self {
        Self {
            place: "the offer".into(),
            lines: &p.lines,
            levers: &p.levers,
            discount: p.discount_basis_points,
            list: p.list_minor,
            net: p.net_minor,
            vat: &p.vat,
            vat_minor: p.vat_minor,
            gross: p.gross_minor,
            schedule: &p.schedule,
        }
    }

    fn option(o: &'a PriceOption) -> Self {
        Self {
            place: format!("option {}", o.kind.name()),
            lines: &o.lines,
            levers: &o.levers,
            discount: o.discount_basis_points,
            list: o.list_minor,
            net: o.net_minor,
            vat: &o.vat,
            vat_minor: o.vat_minor,
            gross: o.gross_minor,
            schedule: &o.schedule,
        }
    }
}

/// PC-3: what is priced, at which rate, and how often.
fn lines(priced: &Priced, scope: &Scope, rates: &RateCard, findings: &mut Vec<Finding>) {
    let mut found = |detail: String| findings.push(Finding::new("PC-3", detail).at(priced.place.clone()));
    let mut seen = BTreeSet::new();
    for line in priced.lines {
        if line.requirements.is_empty() {
            found(format!("the line `{}` names no requirement", line.text));
        }
        if line.day_rate_minor != rates.day_rate(&line.service) {
            found(format!("the line `{}` uses a rate that the rate card does not know", line.text));
        }
        if line.vat_basis_points.unwrap_or(rates.vat_basis_points) != rates.vat(&line.service) {
            found(format!("the line `{}` uses a tax rate that the rate card does not know", line.text));
        }
        for id in &line.requirements {
            match scope.requirement(id) {
                None => found(format!("the line `{}` prices {id}, which is in no scope", line.text)),
                Some(r) if r.priority == Priority::Wont => found(format!("{id} is a Won't and is priced")),
                Some(_) => {}
            }
            if !seen.insert(id.as_str()) {
                found(format!("{id} is priced twice"));
            }
        }
        let effort = line.requirements.iter().filter_map(|id| scope.requirement(id)).map(|r| r.effort_quarter_days);
        if line.quarter_days != effort.fold(0u32, u32::saturating_add) {
            found(format!("the line `{}` has another effort than the scope", line.text));
        }
    }
    for must in scope.musts().filter(|r| !seen.contains(r.id.as_str())) {
        found(format!("{} is a Must and is not priced", must.id));
    }
}

/// every sum, from the lines up.
fn sums(priced: &Priced, rates: &RateCard, findings: &mut Vec<Finding>) {
    let mut found = |detail: String| findings.push(Finding::new("X-5", detail).at(priced.place.clone()));
    for line in priced.lines {
        if line.total_minor != line_total(line.quarter_days, line.day_rate_minor) {
            found(format!("the line `{}` is not days times rate", line.text));
        }
    }
    for lever in priced.levers {
        if lever.amount_minor < 0 || lever.kind == LeverKind::LaterPayment && lever.amount_minor != 0 {
            found(format!("a concession ({}) has an amount that it cannot have", lever_word(lever.kind)));
        }
        let line = priced.lines.iter().find(|l| l.requirements.contains(&lever.requirement));
        if lever.kind == LeverKind::FreeItem && line.map(|l| l.total_minor) != Some(lever.amount_minor) {
            found(format!("{} is given for nothing, and its value is not its price", lever.requirement));
        }
    }
    let net = list(priced.lines).saturating_sub(worth(priced.levers));
    let vat = vat_by_rate(priced.lines, net, rates.vat_basis_points);
    let vat_minor = vat.iter().map(|v| v.vat_minor).fold(0, i64::saturating_add);
    let computed = (list(priced.lines), net, vat_minor, net.saturating_add(vat_minor));
    if (priced.list, priced.net, priced.vat_minor, priced.gross) != computed || priced.vat != vat {
        found("list, net, tax and gross do not follow from the lines and the levers".into());
    }
    if priced.discount != discount(priced.levers, priced.list) {
        found("the discount is not what the levers are worth".into());
    }
    let paid = priced.schedule.iter().map(|s| s.gross_minor).fold(0, i64::saturating_add);
    if paid != priced.gross || priced.schedule.iter().any(|s| s.gross_minor < 0) {
        found("the payments do not sum to the gross total".into());
    }
}

/// PC-5: what nobody may give.
fn authority(priced: &Priced, policy: &Policy, findings: &mut Vec<Finding>) {
    let limit = policy.discount_limit_basis_points;
    let given = discount(priced.levers, list(priced.lines)).max(priced.discount);
    if given > limit || priced.net < 0 {
        let detail = format!("nobody may give a discount of {given} basis points; the limit is {limit}");
        findings
            .push(Finding::new("PC-5", detail).at(priced.place.clone()).mend("take a lever back, or offer less work"));
    }
    let rates = &policy.rate_card;
    if below_floor(priced.lines, priced.net, rates) {
        // The floor itself is the agency's secret: a voice reads findings.
        let detail = "the price lies below what the agency accepts for this work";
        findings.push(Finding::new("PC-5", detail).at(priced.place.clone()).mend("take a lever back"));
    }
}

/// Whether a price leaves less than the margin floor.
pub fn below_floor(lines: &[PriceLine], net_minor: i64, rates: &RateCard) -> bool {
    let margin = margin(lines, net_minor, rates);
    margin.is_some_and(|m| m.basis_points < i64::from(rates.margin_floor_basis_points))
}

/// PC-6: give and get.
fn give_get(priced: &Priced, findings: &mut Vec<Finding>) {
    for lever in priced.levers.iter().filter(|l| l.in_return.trim().is_empty()) {
        let detail = format!("a concession ({}) says what is given in return", lever_word(lever.kind));
        findings.push(Finding::new("PC-6", detail).at(priced.place.clone()).mend("fill `in_return`"));
    }
}

fn lever_word(kind: LeverKind) -> &'static str {
    match kind {
        LeverKind::PriceCut => "price cut",
        LeverKind::Upfront => "payment in advance",
        LeverKind::Rounding => "rounding",
        LeverKind::FreeItem => "free item",
        LeverKind::LaterPayment => "later payment",
    }
}

/// The figures at the top are those of the chosen option, and no option stands twice.
fn options(p: &Proposal, findings: &mut Vec<Finding>) {
    let mut kinds = BTreeSet::new();
    for option in p.options.iter().filter(|o| !kinds.insert(o.kind)) {
        findings.push(Finding::new("PC-3", format!("option {} stands twice", option.kind.name())).at("options"));
    }
    let Some(kind) = p.chosen else { return };
    let top = Proposal { in_return: in_return(&p.levers), ..p.clone() };
    if p.with(kind).is_none_or(|chosen| chosen != top) {
        let detail = format!("the figures of the offer are not those of its option {}", kind.name());
        findings.push(Finding::new("X-5", detail).at("chosen"));
    }
}

/// PC-1: the parts that an offer needs.
fn sections(p: &Proposal, scope: &Scope, rates: &RateCard, findings: &mut Vec<Finding>) {
    let sections = &p.sections;
    let simple = scope.built().all(|r| r.priority == Priority::Must) && rates.upfront_basis_points == 0;
    let enough = if simple { 1..=3 } else { 2..=3 };
    let parts = [
        (!sections.problem.is_empty(), "sections.problem", "the problem in the client's words"),
        (!sections.excluded.is_empty(), "sections.excluded", "what is not included"),
        (enough.contains(&p.options.len()), "options", "two or three options"),
        (p.chosen.is_some(), "chosen", "which option is recommended"),
        (!sections.timetable.is_empty(), "sections.timetable", "the schedule of work"),
        (!p.schedule.is_empty(), "schedule", "the payment plan"),
        (sections.team.iter().any(|m| m.person), "sections.team", "a team with a responsible person"),
        (!sections.assumptions.is_empty(), "sections.assumptions", "the assumptions"),
        (!sections.next_step.trim().is_empty(), "sections.next_step", "the next step"),
        (p.revision == 1 || !sections.changes.is_empty(), "sections.changes", "what this revision changes"),
    ];
    for (_, place, what) in parts.iter().filter(|(there, ..)| !there) {
        findings.push(Finding::new("PC-1", format!("the offer does not say {what}")).at(*place));
    }
    // An option in the middle of an offer that holds more than the one after it is no choice but a riddle.
    let by_work =
        |o: &&PriceOption| matches!(o.kind, OptionKind::Essentials | OptionKind::Recommended | OptionKind::Full);
    let sizes: Vec<i64> = p.options.iter().filter(by_work).map(|o| o.list_minor).collect();
    if sizes.windows(2).any(|pair| pair[0] > pair[1]) {
        findings.push(Finding::new("PC-1", "the options do not stand in rising order").at("options"));
    }
}

/// PC-2: short enough to be read.
fn pages(p: &Proposal, work: &Work, findings: &mut Vec<Finding>) {
    if p.pages.is_none() && work.artifacts.iter().any(|a| a.name == "proposal.pdf") {
        let found = Finding::new("PC-2", "nobody has counted the pages of the offer").at("proposal.pdf");
        findings.push(found.mend("say in `pages` how many it has without its annex"));
    }
    if let Some(pages) = p.pages.filter(|pages| *pages > PAGES_AT_MOST) {
        findings.push(
            Finding::new("PC-2", format!("the offer has {pages} pages; at most {PAGES_AT_MOST} are read"))
                .at("proposal.pdf")
                .mend("shorten requirements, or group them"),
        );
    }
}

/// PC-4: inside what the client said he would spend.
fn range(p: &Proposal, scope: &Scope, findings: &mut Vec<Finding>) {
    let Some(budget) = scope.budget.as_ref().filter(|b| b.flag.trim().is_empty() && b.high_minor > 0) else { return };
    let total = if budget.includes_vat { p.gross_minor } else { p.net_minor };
    if budget.currency == p.currency && total > budget.high_minor {
        findings.push(
            Finding::new("PC-4", format!("{total} is more than the {} of the approved scope", budget.high_minor))
                .at("gross_minor")
                .mend("recommend a smaller option, or say in the scope that the budget is too small"),
        );
    }
}

/// days and phases in order.
fn dates(lead: &Lead, p: &Proposal, findings: &mut Vec<Finding>) {
    let written = lead.updated_at.to_zoned(jiff::tz::TimeZone::UTC).date();
    if p.valid_until < written {
        let detail = format!("the offer is valid until {}, which is past", p.valid_until);
        findings.push(Finding::new("X-6", detail).at("valid_until"));
    }
    let mut ended = 0;
    for phase in &p.sections.timetable {
        // A phase may begin on the day on which the one before it ends.
        if phase.from_day == 0 || phase.to_day < phase.from_day || phase.from_day > ended + 1 {
            let detail = format!("the phase from day {} to day {} is out of order", phase.from_day, phase.to_day);
            findings.push(Finding::new("X-6", detail).at("sections.timetable"));
        }
        ended = phase.to_day;
    }
}
