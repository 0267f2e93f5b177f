//! The scope as the client reads and signs it.

use max_core::stages::scoping::{Budget, Priority, QualityKind, Requirement, Scope};
use serde::Serialize;

use crate::doc::{Block, Card, Column, Doc, Meta, Row, Table, Text, Tone};
use crate::engine::{RenderError, label, label_with, quoted};
use crate::{Lang, Letterhead, Rendered};

/// As many wishes as the annex shows; the JSON beside the document lists every one.
const WISHES_SHOWN: usize = 150;

/// A requirement with its words for people.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    pub id: &'a str,
    pub text: &'a str,
    pub acceptance: &'a str,
    pub quote: &'a str,
    pub priority: &'static str,
    pub class: &'static str,
    pub effort: String,
}

impl<'a> Line<'a> {
    pub(crate) fn of(requirement: &'a Requirement, lang: Lang) -> Self {
        let (priority, class) = priority(requirement.priority, lang);
        Self {
            id: &requirement.id,
            text: &requirement.text,
            acceptance: &requirement.acceptance,
            quote: &requirement.quote,
            priority,
            class,
            effort: lang.days(requirement.effort_quarter_days),
        }
    }
}

/// The scope in all its forms.
pub fn render(scope: &Scope, head: &Letterhead, lang: Lang, meta: Meta) -> Result<Rendered, RenderError> {
    doc(scope, head, lang, meta).render()
}

/// The scope as a document.
pub fn doc(scope: &Scope, head: &Letterhead, lang: Lang, meta: Meta) -> Doc {
    let mut page = Page { doc: Doc { meta, ..Doc::new(label(lang, "scope"), &scope.title, head, lang) }, lang };
    page.goal(scope);
    page.contents(scope);
    page.requirements(scope);
    page.ground(scope);
    page.frame(scope);
    page.agreement(scope);
    page.annex(scope);
    page.doc
}

/// The document while it is written.
struct Page {
    doc: Doc,
    lang: Lang,
}

impl Page {
    fn t(&self, key: &'static str) -> &'static str {
        label(self.lang, key)
    }

    fn section(&mut self, key: &'static str) {
        self.doc.section(self.t(key));
    }

    /// A heading inside a section.
    fn part(&mut self, key: &'static str) {
        self.doc.push(Block::Heading { level: 3, text: self.t(key).into() });
    }

    /// What is to be reached, how it is measured, and for whom.
    fn goal(&mut self, scope: &Scope) {
        self.section("goal");
        self.doc.push(Block::Standfirst(scope.goal.as_str().into()));
        if !scope.measures.is_empty() {
            self.part("scope_measures");
            let items = scope.measures.iter().map(|m| {
                let by = m.by.map(|by| {
                    format!(" ({})", label_with(self.lang, "scope_measured_by", &[("date", &self.lang.date(by))]))
                });
                Text::from(m.text.as_str()).soft(by.unwrap_or_default())
            });
            self.doc.list(items.collect::<Vec<_>>());
        }
        if !scope.users.is_empty() {
            self.part("scope_users");
            self.doc.list(scope.users.iter().map(|u| u.text.as_str()));
        }
    }

    /// What is handed over and what is not part of it.
    fn contents(&mut self, scope: &Scope) {
        if !scope.deliverables.is_empty() {
            self.section("scope_in_scope");
            let titles = ["", "scope_deliverable", "acceptance", "scope_milestone"];
            let rows = scope.deliverables.iter().map(|d| {
                let due = d.due.map_or_else(|| d.milestone.clone(), |due| self.lang.date(due));
                let name = Text::default().strong(&d.name).plain(format!(" {}", d.description));
                vec![Text::default().code(&d.id), name, d.acceptance.as_str().into(), due.into()]
            });
            let rows = rows.map(|cells| Row { cells, tone: Tone::Plain }).collect();
            self.table(&titles, &[], rows);
        } else if !scope.in_scope.is_empty() {
            self.section("scope_in_scope");
            self.doc.list(&scope.in_scope);
        }
        let wont: Vec<&Requirement> = scope.requirements.iter().filter(|r| r.priority == Priority::Wont).collect();
        self.section("out_of_scope");
        let wont = wont.iter().map(|r| Text::default().code(&r.id).plain(format!(" {}", r.text)));
        let out: Vec<Text> = wont.chain(scope.out_of_scope.iter().map(Text::from)).collect();
        self.doc.list(out);
    }

    /// Weights first, then each requirement as a card, the weightiest first.
    fn requirements(&mut self, scope: &Scope) {
        self.section("requirements");
        self.weights(scope);
        let mut sorted: Vec<&Requirement> = scope.built().collect();
        sorted.sort_by_key(|r| r.priority);
        for requirement in sorted {
            let card = self.card(requirement);
            self.doc.push(Block::Card(card));
        }
    }

    /// MoSCoW with the effort of each weight and its share.
    fn weights(&mut self, scope: &Scope) {
        let row = |cells: [String; 4], tone| Row { cells: cells.map(Text::from).to_vec(), tone };
        let mut rows: Vec<Row> = Vec::new();
        for of in Priority::ALL {
            let all: Vec<&Requirement> = scope.requirements.iter().filter(|r| r.priority == of).collect();
            let effort: u32 = all.iter().map(|r| r.effort_quarter_days).fold(0, u32::saturating_add);
            let (days, share) = match of {
                Priority::Wont => ("–".to_owned(), "–".to_owned()),
                _ => (self.lang.days(effort), self.lang.percent((scope.share(of) + 50) / 100 * 100)),
            };
            rows.push(row([priority(of, self.lang).0.into(), all.len().to_string(), days, share], Tone::from(of)));
        }
        let total = [
            self.t("total_effort").to_owned(),
            scope.built().count().to_string(),
            self.lang.days(scope.quarter_days()),
            self.lang.percent(10_000),
        ];
        rows.push(row(total, Tone::Total));
        self.table(&["priority", "scope_how_many", "effort", "scope_share"], &[1, 2, 3], rows);
    }

    fn card(&self, r: &Requirement) -> Card {
        let (word, _) = priority(r.priority, self.lang);
        let mut facts = vec![
            (self.t("acceptance").to_owned(), Text::from(r.acceptance.as_str())),
            (self.t("effort").to_owned(), self.lang.days(r.effort_quarter_days).into()),
        ];
        if !r.depends_on.is_empty() {
            facts.push((self.t("scope_after").to_owned(), Text::default().code(r.depends_on.join(", "))));
        }
        if !r.quote.trim().is_empty() {
            facts.push((self.t("source").to_owned(), self.said(&r.quote, &r.source)));
        }
        Card { id: r.id.clone(), tag: word.into(), tone: Tone::from(r.priority), title: r.text.clone(), facts }
    }

    /// The client's words, with the message they stand in.
    fn said(&self, quote: &str, source: &str) -> Text {
        Text::from(quoted(self.lang, quote)).plain(" ").soft(format!("({})", self.message(source)))
    }

    /// The message that words stand in, as its writer knows it; its id stands in the JSON.
    fn message(&self, source: &str) -> &'static str {
        self.t(if source == "lead" { "scope_first_message" } else { "scope_later_message" })
    }

    /// What is assumed, what has to be there first, what the client brings.
    fn ground(&mut self, scope: &Scope) {
        if !scope.assumptions.is_empty() {
            self.section("assumptions");
            let rows = scope
                .assumptions
                .iter()
                .map(|a| vec![a.text.as_str().into(), a.owner.as_str().into(), a.if_wrong.as_str().into()]);
            let rows = rows.map(|cells| Row { cells, tone: Tone::Plain }).collect();
            self.table(&["scope_assumption", "scope_owner", "scope_if_wrong"], &[], rows);
        }
        if !scope.dependencies.is_empty() {
            self.section("scope_dependencies");
            let items = scope.dependencies.iter().map(|d| {
                Text::from(d.text.as_str()).soft(format!(" ({}: ", d.owner)).code(d.requirements.join(", ")).soft(")")
            });
            self.doc.list(items);
        }
        if !scope.client_duties.is_empty() {
            self.section("client_duties");
            self.doc.list(&scope.client_duties);
        }
    }

    /// How well, for how much, by when, and what may go wrong.
    fn frame(&mut self, scope: &Scope) {
        if !scope.qualities.is_empty() {
            self.section("scope_qualities");
            let facts = scope.qualities.iter().map(|q| (self.t(quality(q.of)).to_owned(), q.text.as_str().into()));
            let facts = facts.collect();
            self.doc.push(Block::Facts(facts));
        }
        self.section("scope_budget");
        match &scope.budget {
            Some(budget) => self.budget(budget),
            None => {
                self.doc.para(self.t("scope_budget_unknown"));
            }
        }
        self.section("scope_timeline");
        let time = &scope.timeline;
        match time.end {
            Some(end) => {
                let by = label_with(self.lang, "scope_in_use_by", &[("date", &self.lang.date(end))]);
                self.doc.para(by);
            }
            None if time.text.is_empty() => {
                self.doc.para(self.t("scope_timeline_unknown"));
            }
            None => {}
        }
        if !time.quote.trim().is_empty() {
            self.quote(&time.quote, &time.source);
        }
        if !scope.risks.is_empty() {
            self.section("scope_risks");
            let rows = scope.risks.iter().map(|r| {
                vec![
                    r.text.as_str().into(),
                    r.effect.as_str().into(),
                    r.answer.as_str().into(),
                    r.owner.as_str().into(),
                ]
            });
            let rows = rows.map(|cells| Row { cells, tone: Tone::Plain }).collect();
            self.table(&["scope_risk", "scope_risk_effect", "scope_risk_answer", "scope_owner"], &[], rows);
        }
    }

    fn budget(&mut self, budget: &Budget) {
        let money = |minor| self.lang.money(minor, &budget.currency);
        let key = if budget.low_minor == 0 { "scope_budget_up_to" } else { "scope_budget_range" };
        let range =
            label_with(self.lang, key, &[("low", &money(budget.low_minor)), ("high", &money(budget.high_minor))]);
        let vat = self.t(if budget.includes_vat { "scope_with_vat" } else { "scope_without_vat" });
        self.doc.para(Text::default().strong(range).plain(format!(", {vat}.")));
        self.quote(&budget.quote, &budget.source);
        if !budget.flag.is_empty() {
            self.doc.push(Block::Note(budget.flag.as_str().into()));
        }
    }

    fn quote(&mut self, text: &str, source: &str) {
        let source = self.message(source).to_owned();
        self.doc.push(Block::Quote { text: text.into(), source });
    }

    /// Acceptance, changes, what is open, and the words used.
    fn agreement(&mut self, scope: &Scope) {
        self.section("scope_acceptance_of_all");
        if !scope.acceptance.is_empty() {
            self.doc.para(&scope.acceptance);
        }
        self.section("scope_changes");
        let rule = if scope.change_rule.is_empty() { self.t("change_rule") } else { &scope.change_rule };
        let rule = rule.to_owned();
        self.doc.para(rule);
        if !scope.open_questions.is_empty() {
            self.section("open_questions");
            let items = scope.open_questions.iter().map(|q| {
                let text = Text::default().code(&q.id).plain(format!(" {}", q.text));
                let text = if q.owner.is_empty() { text } else { text.soft(format!(" ({})", q.owner)) };
                if q.requirements.is_empty() { text } else { text.soft(" ").code(q.requirements.join(", ")) }
            });
            self.doc.list(items);
        }
        if !scope.glossary.is_empty() {
            self.section("scope_glossary");
            let terms = scope.glossary.iter().map(|g| (g.term.clone(), g.means.as_str().into())).collect();
            self.doc.push(Block::Facts(terms));
        }
    }

    /// What was asked and said, and where each wish went.
    fn annex(&mut self, scope: &Scope) {
        if scope.answers.iter().any(|a| !a.quote.is_empty()) {
            self.section("scope_answers");
            for answer in scope.answers.iter().filter(|a| !a.quote.is_empty()) {
                self.doc.para(Text::default().strong(&answer.text));
                self.quote(&answer.quote, &answer.source);
            }
        }
        if scope.wishes.is_empty() {
            return;
        }
        self.section("scope_wishes");
        let shown = scope.wishes.iter().take(WISHES_SHOWN);
        let rows: Vec<Row> = shown
            .map(|w| {
                let to = if !w.met_by.is_empty() {
                    Text::default().code(w.met_by.join(", "))
                } else if !w.question.is_empty() {
                    Text::default().code(&w.question)
                } else if w.wont {
                    self.t("out_of_scope").into()
                } else {
                    self.t(match w.section.as_str() {
                        "budget" => "scope_budget",
                        "timeline" => "scope_timeline",
                        "answers" => "scope_noted",
                        _ => "goal",
                    })
                    .into()
                };
                Row { cells: vec![w.quote.as_str().into(), to], tone: Tone::Plain }
            })
            .collect();
        self.table(&["scope_wish", "scope_met_by"], &[], rows);
        if scope.wishes.len() > WISHES_SHOWN {
            let slots = [("shown", &*WISHES_SHOWN.to_string()), ("all", &*scope.wishes.len().to_string())];
            let more = label_with(self.lang, "scope_more_wishes", &slots);
            self.doc.push(Block::Note(more.into()));
        }
    }

    /// A table under these labels; `numbers` are the columns that stand on the right.
    fn table(&mut self, titles: &[&'static str], numbers: &[usize], rows: Vec<Row>) {
        let columns = titles.iter().enumerate().map(|(i, key)| Column {
            title: if key.is_empty() { String::new() } else { self.t(key).to_owned() },
            number: numbers.contains(&i),
        });
        let columns = columns.collect();
        self.doc.push(Block::Table(Table { columns, rows }));
    }
}

fn quality(of: QualityKind) -> &'static str {
    match of {
        QualityKind::Accessibility => "scope_accessibility",
        QualityKind::Privacy => "scope_privacy",
        QualityKind::Performance => "scope_performance",
        QualityKind::Hosting => "scope_hosting",
        QualityKind::Languages => "scope_languages",
    }
}

fn priority(priority: Priority, lang: Lang) -> (&'static str, &'static str) {
    match priority {
        Priority::Must => (lang.pick(["Must", "Muss", "Moet", "Indispensable"]), "must"),
        Priority::Should => (lang.pick(["Should", "Soll", "Gewenst", "Important"]), "should"),
        Priority::Could => (lang.pick(["Could", "Kann", "Optie", "Souhaitable"]), "could"),
        Priority::Wont => (lang.pick(["Won't", "Nicht", "Niet", "Exclu"]), "wont"),
    }
}
