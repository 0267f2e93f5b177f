//! The offer as the client reads it: prices by requirement, what is due when.

use max_core::stages::closer::Proposal;
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::{Lang, Letterhead, Rendered};

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    goal: &'a str,
    revision: u32,
    lines: Vec<Line<'a>>,
    list: String,
    discount: Option<Discount<'a>>,
    net: String,
    vat: String,
    vat_rate: String,
    gross: String,
    schedule: Vec<Due>,
    valid_until: String,
    out_of_scope: Vec<&'a str>,
    assumptions: &'a [String],
    effort: String,
}

#[derive(Serialize)]
struct Line<'a> {
    ids: String,
    text: &'a str,
    effort: String,
    rate: String,
    total: String,
}

#[derive(Serialize)]
struct Discount<'a> {
    rate: String,
    amount: String,
    in_return: &'a str,
}

#[derive(Serialize)]
struct Due {
    on: String,
    amount: String,
}

/// The offer in both forms.
pub fn render(proposal: &Proposal, scope: &Scope, head: &Letterhead, lang: Lang) -> Result<Rendered, RenderError> {
    let money = |minor: i64| lang.money(minor, &proposal.currency);
    let discount = (proposal.discount_basis_points > 0).then(|| Discount {
        rate: lang.percent(proposal.discount_basis_points),
        amount: money(proposal.net_minor - proposal.list_minor),
        in_return: &proposal.in_return,
    });
    let wont = scope.requirements.iter().filter(|r| r.priority == max_core::stages::scoping::Priority::Wont);
    let view = View {
        title: &scope.title,
        goal: &scope.goal,
        revision: proposal.revision,
        lines: proposal
            .lines
            .iter()
            .map(|l| Line {
                ids: l.requirements.join(", "),
                text: &l.text,
                effort: lang.days(l.quarter_days),
                rate: money(l.day_rate_minor),
                total: money(l.total_minor),
            })
            .collect(),
        list: money(proposal.list_minor),
        discount,
        net: money(proposal.net_minor),
        vat: money(proposal.vat_minor),
        vat_rate: lang.percent(proposal.vat_basis_points),
        gross: money(proposal.gross_minor),
        schedule: schedule(proposal, lang),
        valid_until: lang.date(proposal.valid_until),
        out_of_scope: wont.map(|r| r.text.as_str()).chain(scope.out_of_scope.iter().map(String::as_str)).collect(),
        assumptions: &scope.assumptions,
        effort: lang.days(proposal.lines.iter().fold(0u32, |sum, l| sum.saturating_add(l.quarter_days))),
    };
    engine::both("proposal", &view, head, lang)
}

/// The payments in words.
fn schedule(proposal: &Proposal, lang: Lang) -> Vec<Due> {
    proposal
        .schedule
        .iter()
        .map(|payment| Due {
            on: occasion(&payment.on, lang),
            amount: lang.money(payment.gross_minor, &proposal.currency),
        })
        .collect()
}

/// What makes a payment due, in the reader's language.
pub fn occasion(on: &str, lang: Lang) -> String {
    match (on, lang) {
        ("signature", Lang::En) => "on signature (deposit)".into(),
        ("signature", Lang::De) => "bei Unterschrift (Anzahlung)".into(),
        ("acceptance", Lang::En) => "on final acceptance".into(),
        ("acceptance", Lang::De) => "bei der Schlussabnahme".into(),
        (other, _) => other.into(),
    }
}
