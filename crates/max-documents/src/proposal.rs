//! The offer as the client reads it: the problem in his words, what is built, options, prices with their formula,
//! payments, people, and what happens next (rule PC-1, in that order).

use max_core::prose::normalised;
use max_core::stages::closer::{
    Lever, LeverKind, OptionKind, Payment, PriceLine, PriceOption, Proposal, ValueClaim, VatShare,
};
use max_core::stages::scoping::Scope;

use crate::doc::{Block, Column, Doc, Meta, Row, Signer, Table, Text, Tone};
use crate::engine::{RenderError, label, label_with, quoted};
use crate::{Lang, Letterhead, Rendered};

/// The offer in every form.
pub fn render(
    proposal: &Proposal,
    scope: &Scope,
    head: &Letterhead,
    meta: Meta,
    lang: Lang,
) -> Result<Rendered, RenderError> {
    document(proposal, scope, head, meta, lang).render()
}

/// The offer as a document.
pub fn document(proposal: &Proposal, scope: &Scope, head: &Letterhead, meta: Meta, lang: Lang) -> Doc {
    let mut doc = Doc::new(label(lang, "proposal"), scope.title.as_str(), head, lang);
    doc.meta = Meta { version: proposal.revision, ..meta };
    let paper = Paper { offer: proposal, scope, head, lang };
    paper.opening(&mut doc);
    paper.solution(&mut doc);
    paper.options(&mut doc);
    paper.price(&mut doc);
    paper.work(&mut doc);
    paper.closing(&mut doc);
    doc
}

struct Paper<'a> {
    offer: &'a Proposal,
    scope: &'a Scope,
    head: &'a Letterhead,
    lang: Lang,
}

impl Paper<'_> {
    fn say(&self, key: &'static str) -> &'static str {
        label(self.lang, key)
    }

    fn money(&self, minor: i64) -> String {
        self.lang.money(minor, &self.offer.currency)
    }

    fn opening(&self, doc: &mut Doc) {
        let sections = &self.offer.sections;
        // What the client wrote is not said to him twice on one page.
        let quoted = sections.problem.iter().any(|said| normalised(&said.quote) == normalised(&self.scope.goal));
        if !quoted {
            doc.push(Block::Standfirst(self.scope.goal.as_str().into()));
        }
        if !sections.changes.is_empty() {
            doc.section(label_with(self.lang, "offer_changes", &[("revision", &self.offer.revision.to_string())]));
            doc.list(&sections.changes);
        }
        if !sections.problem.is_empty() || sections.value.is_some() {
            doc.section(self.say("offer_problem"));
            for said in &sections.problem {
                let source = self.say("offer_you_wrote").to_owned();
                doc.push(Block::Quote { text: said.quote.clone(), source });
            }
            if let Some(value) = &sections.value {
                self.value(doc, value);
            }
        }
    }

    /// The formula, and where each of its numbers was said.
    fn value(&self, doc: &mut Doc, value: &ValueClaim) {
        let number = |value: i64, money: bool| if money { self.money(value) } else { value.to_string() };
        let product: Vec<String> =
            value.factors.iter().map(|f| format!("{} {}", number(f.value, f.money), f.label)).collect();
        let sentence = Text::from(self.say("offer_value"))
            .plain(" ")
            .plain(product.join(" × "))
            .plain(" = ")
            .strong(self.money(value.yearly_minor))
            .plain(".");
        doc.push(Block::Para(sentence));
        let said: Vec<Text> = value
            .factors
            .iter()
            .filter_map(|f| {
                let said = f.said.as_ref()?;
                Some(Text::from(number(f.value, f.money)).plain(": ").soft(quoted(self.lang, &said.quote)))
            })
            .collect();
        doc.list(said);
    }

    fn solution(&self, doc: &mut Doc) {
        doc.section(self.say("what_you_get"));
        let columns = columns(&[
            (self.say("offer_number"), false),
            (self.say("offer_requirement"), false),
            (self.say("offer_accepted_when"), false),
        ]);
        let ids = self.offer.lines.iter().flat_map(|line| &line.requirements);
        let rows = ids.filter_map(|id| self.scope.requirement(id)).map(|r| Row {
            cells: vec![Text::default().code(r.id.as_str()), r.text.as_str().into(), r.acceptance.as_str().into()],
            tone: Tone::from(r.priority),
        });
        doc.push(Block::Table(Table { columns, rows: rows.collect() }));
        if !self.offer.sections.excluded.is_empty() {
            doc.section(self.say("offer_excluded"));
            doc.list(&self.offer.sections.excluded);
        }
    }

    fn options(&self, doc: &mut Doc) {
        if self.offer.options.len() < 2 {
            return;
        }
        doc.section(self.say("offer_options"));
        let columns = columns(&[
            ("", false),
            (self.say("offer_option"), false),
            (self.say("offer_effort"), true),
            (self.say("net"), true),
            (self.say("gross"), true),
        ]);
        let rows = self.offer.options.iter().enumerate().map(|(at, option)| {
            let chosen = self.offer.chosen == Some(option.kind);
            let mut name = Text::default().strong(option_name(option.kind, self.lang));
            if chosen {
                name = name.plain(" ").soft(self.say("offer_this_one"));
            }
            name = name.plain(": ").plain(self.contents(option));
            Row {
                cells: vec![
                    Text::default().code(letter(at)),
                    name,
                    self.lang.days(quarters(&option.lines)).into(),
                    self.money(option.net_minor).into(),
                    Text::default().strong(self.money(option.gross_minor)),
                ],
                tone: if chosen { Tone::Good } else { Tone::Plain },
            }
        });
        doc.push(Block::Table(Table { columns, rows: rows.collect() }));
        doc.para(self.say("offer_options_text"));
    }

    /// What an option holds, in a line.
    fn contents(&self, option: &PriceOption) -> String {
        let key = match option.kind {
            OptionKind::Essentials => "option_essentials_text",
            OptionKind::Tailored => "option_tailored_text",
            OptionKind::Recommended => "option_recommended_text",
            OptionKind::Full => "option_full_text",
            OptionKind::Upfront => "option_upfront_text",
        };
        let ids: Vec<&str> = option.lines.iter().flat_map(|l| &l.requirements).map(String::as_str).collect();
        format!("{} ({})", self.say(key), spans(&ids))
    }

    fn price(&self, doc: &mut Doc) {
        doc.section(self.say("offer_price"));
        doc.push(Block::Table(price_table(self.offer, self.lang)));
        let back: Vec<Text> = self
            .offer
            .levers
            .iter()
            .filter(|l| !l.in_return.trim().is_empty())
            .map(|l| Text::from(lever_name(l, self.lang)).plain(": ").plain(l.in_return.as_str()))
            .collect();
        if !back.is_empty() {
            doc.push(Block::Heading { level: 3, text: self.say("in_return").into() });
            doc.list(back);
        }
        doc.section(self.say("payments"));
        doc.push(Block::Table(payment_table(&self.offer.schedule, &self.offer.currency, self.lang)));
    }

    fn work(&self, doc: &mut Doc) {
        let sections = &self.offer.sections;
        if !sections.timetable.is_empty() {
            doc.section(self.say("offer_timetable"));
            doc.para(self.say("offer_timetable_text"));
            let columns = columns(&[(self.say("offer_working_days"), false), (self.say("offer_built"), false)]);
            let rows = sections.timetable.iter().map(|phase| {
                let ids: Vec<&str> = phase.requirements.iter().map(String::as_str).collect();
                let days = match (phase.from_day, phase.to_day) {
                    (from, to) if from == to => from.to_string(),
                    (from, to) => format!("{from} – {to}"),
                };
                Row { cells: vec![days.into(), spans(&ids).into()], tone: Tone::Plain }
            });
            doc.push(Block::Table(Table { columns, rows: rows.collect() }));
        }
        if !sections.team.is_empty() {
            doc.section(self.say("offer_team"));
            let facts = sections.team.iter().map(|m| {
                let what = if m.person { self.say("offer_person") } else { self.say("offer_persona") };
                (m.name.clone(), Text::from(m.role.as_str()).plain(" ").soft(format!("({what})")))
            });
            doc.push(Block::Facts(facts.collect()));
        }
        if !sections.assumptions.is_empty() {
            doc.section(self.say("offer_assumptions"));
            doc.list(&sections.assumptions);
        }
    }

    fn closing(&self, doc: &mut Doc) {
        doc.section(self.say("next_step"));
        let step = self.offer.sections.next_step.trim();
        doc.para(if step.is_empty() { self.say("next_step_text") } else { step });
        let until =
            Text::from(self.say("valid_until")).plain(" ").strong(self.lang.date(self.offer.valid_until)).plain(".");
        doc.push(Block::Note(until));
        doc.push(Block::Signatures(signers(self.head, self.lang)));
    }
}

/// The price table: every line with its formula, then what follows from the lines.
pub(crate) fn price_table(offer: &Proposal, lang: Lang) -> Table {
    let money = |minor: i64| lang.money(minor, &offer.currency);
    let columns = columns(&[
        (label(lang, "offer_number"), false),
        (label(lang, "line"), false),
        (label(lang, "offer_formula"), true),
        (label(lang, "price"), true),
    ]);
    let mut rows: Vec<Row> = offer
        .lines
        .iter()
        .map(|line| Row {
            cells: vec![
                Text::default().code(line.requirements.join(", ")),
                line.text.as_str().into(),
                format!("{} × {}", lang.days(line.quarter_days), money(line.day_rate_minor)).into(),
                money(line.total_minor).into(),
            ],
            tone: Tone::Plain,
        })
        .collect();
    let mut sum = |name: String, formula: String, minor: i64, tone: Tone| {
        rows.push(Row { cells: vec!["".into(), name.into(), formula.into(), money(minor).into()], tone });
    };
    let days = lang.days(quarters(&offer.lines));
    if !offer.levers.is_empty() {
        sum(label(lang, "list_price").into(), days.clone(), offer.list_minor, Tone::Sum);
        for lever in offer.levers.iter().filter(|l| l.amount_minor != 0) {
            let formula =
                if lever.basis_points > 0 { lang.percent(lever.basis_points) } else { lever.requirement.clone() };
            sum(lever_name(lever, lang), formula, -lever.amount_minor, Tone::Plain);
        }
        sum(label(lang, "net").into(), String::new(), offer.net_minor, Tone::Sum);
    } else {
        sum(label(lang, "net").into(), days, offer.net_minor, Tone::Sum);
    }
    for share in &offer.vat {
        let formula = format!("{} × {}", lang.percent(share.basis_points), money(share.net_minor));
        sum(label(lang, "vat").into(), formula, share.vat_minor, Tone::Plain);
    }
    sum(label(lang, "gross").into(), String::new(), offer.gross_minor, Tone::Total);
    Table { columns, rows }
}

/// The payments and their sum.
pub(crate) fn payment_table(schedule: &[Payment], currency: &str, lang: Lang) -> Table {
    let mut rows: Vec<Row> = schedule
        .iter()
        .map(|payment| Row {
            cells: vec![occasion(&payment.on, lang).into(), lang.money(payment.gross_minor, currency).into()],
            tone: Tone::Plain,
        })
        .collect();
    let all = schedule.iter().map(|p| p.gross_minor).sum();
    rows.push(Row { cells: vec![label(lang, "gross").into(), lang.money(all, currency).into()], tone: Tone::Total });
    let columns = columns(&[(label(lang, "offer_when"), false), (label(lang, "offer_amount"), true)]);
    Table { columns, rows }
}

/// Lines to sign on, for both sides.
pub(crate) fn signers(head: &Letterhead, lang: Lang) -> Vec<Signer> {
    let note = label(lang, "place_date_name").to_owned();
    vec![
        Signer { role: label(lang, "for_client").into(), name: head.client.clone(), note: note.clone() },
        Signer { role: label(lang, "for_agency").into(), name: head.agency.clone(), note },
    ]
}

/// The tax of an offer in words, by rate: `19 %: 380,00 €`.
pub(crate) fn vat_in_words(vat: &[VatShare], currency: &str, lang: Lang) -> String {
    let shares = vat.iter().map(|v| format!("{}: {}", lang.percent(v.basis_points), lang.money(v.vat_minor, currency)));
    shares.collect::<Vec<_>>().join(", ")
}

/// The name of an option, as the client reads it.
pub fn option_name(kind: OptionKind, lang: Lang) -> &'static str {
    let key = match kind {
        OptionKind::Essentials => "option_essentials",
        OptionKind::Tailored => "option_tailored",
        OptionKind::Recommended => "option_recommended",
        OptionKind::Full => "option_full",
        OptionKind::Upfront => "option_upfront",
    };
    label(lang, key)
}

/// What is conceded, as the client reads it.
pub fn lever_name(lever: &Lever, lang: Lang) -> String {
    let key = match lever.kind {
        LeverKind::PriceCut => "discount",
        LeverKind::Upfront => "lever_upfront",
        LeverKind::Rounding => "lever_rounding",
        LeverKind::FreeItem => "lever_free_item",
        LeverKind::LaterPayment => "lever_later",
    };
    label(lang, key).into()
}

/// The letter by which a client names an option.
pub fn letter(at: usize) -> &'static str {
    ["A", "B", "C", "D", "E"].get(at).copied().unwrap_or("-")
}

/// What makes a payment due, in the reader's language.
pub fn occasion(on: &str, lang: Lang) -> String {
    if let Some(days) = on.strip_prefix("acceptance+") {
        return label_with(lang, "due_after_acceptance", &[("days", days)]);
    }
    match on {
        "signature" => label(lang, "due_signature").into(),
        "acceptance" => label(lang, "due_acceptance").into(),
        other => other.into(),
    }
}

/// Ids in a line, runs shortened: `R-001 – R-004, R-007`.
fn spans(ids: &[&str]) -> String {
    let number = |id: &str| id.rsplit('-').next().and_then(|n| n.parse::<u32>().ok());
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < ids.len() {
        let mut end = at;
        while end + 1 < ids.len()
            && number(ids[end]).map(|n| n + 1) == number(ids[end + 1])
            && number(ids[end]).is_some()
        {
            end += 1;
        }
        if end >= at + 2 {
            out.push(format!("{} – {}", ids[at], ids[end]));
        } else {
            out.extend(ids[at..=end].iter().map(|id| (*id).to_owned()));
        }
        at = end + 1;
    }
    out.join(", ")
}

fn quarters(lines: &[PriceLine]) -> u32 {
    lines.iter().fold(0, |sum, line| sum.saturating_add(line.quarter_days))
}

pub(crate) fn columns(titles: &[(&str, bool)]) -> Vec<Column> {
    titles.iter().map(|(title, number)| Column { title: (*title).to_owned(), number: *number }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ids_are_shortened() {
        assert_eq!(
            spans(&["R-001", "R-002", "R-003", "R-005", "R-007", "R-008"]),
            "R-001 – R-003, R-005, R-007, R-008"
        );
        assert_eq!(spans(&[]), "");
    }

    #[test]
    fn a_payment_says_what_makes_it_due() {
        assert_eq!(occasion("acceptance+30", Lang::En), "30 days after final acceptance");
        assert_eq!(occasion("signature", Lang::De), "bei Unterschrift (Anzahlung)");
    }
}
