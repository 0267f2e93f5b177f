//! What a client reads while the project runs: the plan, reports on it, milestones to sign off, the closing letter.

use jiff::civil::Date;
use max_core::lead::Signature;
use max_core::stages::change_order::ChangeOrder;
use max_core::stages::delivery_pm::{Closing, Colour, Milestone, Plan, SortedRequest, StatusReport};
use max_core::stages::scoping::Requirement;

use crate::doc::{Block, Card, Column, Doc, Row, Signer, Table, Text, Tone};
use crate::engine::{label, label_with};
use crate::{Lang, Letterhead};

/// The project that a document is about.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// Its name.
    pub title: &'a str,
    /// What was agreed on.
    pub requirements: &'a [Requirement],
    /// Who writes to whom.
    pub head: &'a Letterhead,
    /// The reader's language.
    pub lang: Lang,
}

impl Project<'_> {
    fn doc(&self, kind: &str) -> Doc {
        Doc::new(self.say(kind), self.title, self.head, self.lang)
    }

    fn say(&self, key: &str) -> String {
        label(self.lang, &format!("dl_{key}")).to_owned()
    }

    fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    fn money(&self, minor: i64, currency: &str) -> String {
        self.lang.money(minor, currency)
    }
}

/// `plan`: dates, milestones, what the client brings, when he hears from us.
pub fn plan(plan: &Plan, project: Project<'_>) -> Doc {
    let lang = project.lang;
    let mut doc = project.doc("plan");
    doc.meta.version = plan.revision;
    doc.push(Block::Standfirst(project.say("plan_text").into()));
    let mut facts = vec![
        (project.say("start"), lang.date(plan.start).into()),
        (project.say("end"), lang.date(plan.last_day()).into()),
    ];
    let total: i64 = plan.milestones.iter().map(|m| m.gross_minor).sum();
    if !plan.currency.is_empty() {
        facts.push((project.say("price"), project.money(total, &plan.currency).into()));
    }
    doc.push(Block::Facts(facts));
    doc.section(project.say("milestones"));
    doc.push(Block::Table(overview(plan, total, project)));
    for milestone in &plan.milestones {
        doc.push(Block::Card(card(milestone, project)));
    }
    if !plan.duties.is_empty() {
        doc.section(project.say("duties"));
        doc.para(project.say("duties_text"));
        doc.push(Block::Table(Table {
            columns: columns(&["id", "what", "due"], &[], project),
            rows: plan
                .duties
                .iter()
                .map(|d| row([Text::default().code(&d.id), (&d.text).into(), lang.date(d.due).into()]))
                .collect(),
        }));
    }
    if !plan.check_ins.is_empty() {
        doc.section(project.say("check_ins"));
        doc.para(project.say("check_ins_text"));
        doc.list(plan.check_ins.iter().map(|day| lang.date(*day)));
    }
    doc
}

fn overview(plan: &Plan, total: i64, project: Project<'_>) -> Table {
    let lang = project.lang;
    let priced = !plan.currency.is_empty();
    let mut names = vec!["id", "milestone", "due", "share"];
    names.extend(priced.then_some("amount"));
    let mut rows: Vec<Row> = plan
        .milestones
        .iter()
        .map(|m| {
            let mut cells: Vec<Text> = vec![
                Text::default().code(&m.id),
                (&m.title).into(),
                lang.date(m.due).into(),
                lang.percent(m.share_basis_points).into(),
            ];
            cells.extend(priced.then(|| project.money(m.gross_minor, &plan.currency).into()));
            Row { cells, tone: Tone::Plain }
        })
        .collect();
    let mut sum: Vec<Text> = vec!["".into(), project.say("total").into(), "".into(), lang.percent(10_000).into()];
    sum.extend(priced.then(|| project.money(total, &plan.currency).into()));
    rows.push(Row { cells: sum, tone: Tone::Total });
    Table { columns: columns(&names, &["share", "amount"], project), rows }
}

fn card(milestone: &Milestone, project: Project<'_>) -> Card {
    let mut facts: Vec<(String, Text)> = Vec::new();
    for id in &milestone.requirements {
        let text = project.requirement(id).map_or("", |r| r.text.as_str());
        facts.push((id.clone(), text.into()));
    }
    facts.push((project.say("acceptance"), (&milestone.acceptance).into()));
    if !milestone.owner.is_empty() {
        facts.push((project.say("owner"), (&milestone.owner).into()));
    }
    if !milestone.depends_on.is_empty() {
        facts.push((project.say("depends_on"), milestone.depends_on.join(", ").into()));
    }
    Card {
        id: milestone.id.clone(),
        tag: project.lang.date(milestone.due),
        tone: Tone::Plain,
        title: milestone.title.clone(),
        facts,
    }
}

/// `status-report`: status first, then done, next, risks, decisions, money (rule DL-4).
pub fn report(report: &StatusReport, plan: &Plan, project: Project<'_>) -> Doc {
    let lang = project.lang;
    let mut doc = project.doc("status_report");
    doc.meta.version = report.number;
    doc.section(project.say("status"));
    doc.push(Block::Card(status(report, project)));
    if !report.slips.is_empty() {
        doc.section(project.say("slips"));
        doc.para(project.say("slips_text"));
        doc.push(Block::Table(Table {
            columns: columns(&["id", "planned", "forecast"], &[], project),
            rows: report
                .slips
                .iter()
                .map(|s| {
                    let forecast = Text::default().strong(lang.date(s.forecast));
                    row([Text::default().code(&s.milestone), lang.date(s.planned).into(), forecast])
                })
                .collect(),
        }));
    }
    for (heading, ids) in [("done", &report.done), ("comes_next", &report.next)] {
        doc.section(project.say(heading));
        if ids.is_empty() {
            doc.para(project.say("nothing"));
        } else {
            doc.push(Block::Table(standing(ids, plan, project)));
        }
    }
    doc.section(project.say("risks"));
    if report.risks.is_empty() {
        doc.para(project.say("no_risks"));
    } else {
        doc.list(report.risks.iter().map(|r| Text::default().code(&r.about).plain(format!(" {}", r.text))));
    }
    doc.section(project.say("decisions"));
    if report.decisions.is_empty() {
        doc.para(project.say("no_decisions"));
    } else {
        doc.push(Block::Table(Table {
            columns: columns(&["id", "what", "by"], &[], project),
            rows: report
                .decisions
                .iter()
                .map(|d| {
                    let by = Text::default().strong(lang.date(d.by));
                    row([Text::default().code(&d.about), (&d.text).into(), by])
                })
                .collect(),
        }));
    }
    if !report.currency.is_empty() {
        doc.section(project.say("money"));
        let money = |minor| Text::from(project.money(minor, &report.currency));
        doc.push(Block::Facts(vec![
            (project.say("money_used"), money(report.used_minor)),
            (project.say("money_planned"), money(report.planned_minor)),
            (project.say("money_total"), money(report.total_minor)),
        ]));
    }
    doc
}

fn status(report: &StatusReport, project: Project<'_>) -> Card {
    let (tone, word, sentence) = match report.colour {
        Colour::Green => (Tone::Good, "green", "green_text"),
        Colour::Amber => (Tone::Warn, "amber", "amber_text"),
        Colour::Red => (Tone::Bad, "red", "red_text"),
    };
    let mut facts = vec![(project.say("as_of"), project.lang.date(report.day).into())];
    if !report.reason.is_empty() {
        facts.push((project.say("why"), (&report.reason).into()));
    }
    Card {
        id: format!("SR-{}", report.number),
        tag: project.say(word),
        tone,
        title: label_with(project.lang, &format!("dl_{sentence}"), &[("days", &report.days_late.to_string())]),
        facts,
    }
}

fn standing(ids: &[String], plan: &Plan, project: Project<'_>) -> Table {
    let rows = ids
        .iter()
        .filter_map(|id| plan.milestone(id))
        .map(|m| row([Text::default().code(&m.id), (&m.title).into(), project.lang.date(m.due).into()]));
    Table { columns: columns(&["id", "milestone", "due"], &[], project), rows: rows.collect() }
}

/// What a client signs a milestone off with.
pub struct SignOff<'a> {
    /// The milestone.
    pub milestone: &'a Milestone,
    /// What a person asked to be said.
    pub note: &'a str,
    /// Defects the client knows of and takes the milestone with.
    pub open_defects: Vec<&'a SortedRequest>,
    /// Defects reported before that this version mends.
    pub mended: Vec<&'a SortedRequest>,
    /// ISO 4217; empty without a price.
    pub currency: &'a str,
}

/// `milestone-M-1`: what is handed over for sign-off (rule DL-8).
pub fn milestone(sign_off: &SignOff<'_>, project: Project<'_>) -> Doc {
    let (milestone, lang) = (sign_off.milestone, project.lang);
    let mut doc = project.doc("sign_off_document");
    doc.title = format!("{}: {}", milestone.id, milestone.title);
    doc.push(Block::Standfirst(project.say("milestone_text").into()));
    let mut facts = vec![
        (project.say("project"), project.title.into()),
        (project.say("due"), lang.date(milestone.due).into()),
        (project.say("share"), lang.percent(milestone.share_basis_points).into()),
    ];
    if !sign_off.currency.is_empty() {
        facts.push((project.say("amount"), project.money(milestone.gross_minor, sign_off.currency).into()));
    }
    doc.push(Block::Facts(facts));
    if !sign_off.note.is_empty() {
        doc.push(Block::Note(sign_off.note.into()));
    }
    doc.section(project.say("handed_over"));
    for requirement in milestone.requirements.iter().filter_map(|id| project.requirement(id)) {
        doc.push(Block::Card(Card {
            id: requirement.id.clone(),
            title: requirement.text.clone(),
            facts: vec![(project.say("acceptance"), (&requirement.acceptance).into())],
            ..Card::default()
        }));
    }
    doc.section(project.say("open_defects"));
    if sign_off.open_defects.is_empty() && sign_off.mended.is_empty() {
        doc.para(project.say("no_defects"));
    }
    let line = |r: &&SortedRequest, state: &str| Text::default().code(&r.id).plain(format!(" {}. {state}", r.quote));
    let open = project.say("defect_open");
    let mended = project.say("defect_mended");
    let defects = sign_off.open_defects.iter().map(|r| line(r, &open));
    doc.list(defects.chain(sign_off.mended.iter().map(|r| line(r, &mended))));
    doc.section(project.say("sign_off"));
    doc.para(project.say("sign_off_text"));
    doc.push(Block::Signatures(vec![Signer {
        role: project.say("for_client"),
        name: project.head.client.clone(),
        note: project.say("place_date"),
    }]));
    doc
}

/// `closing`: every milestone with its signature, and what happens after (rule DL-9).
pub fn closing(
    plan: &Plan,
    closing: &Closing,
    signature: impl Fn(&str) -> Option<Signature>,
    project: Project<'_>,
) -> Doc {
    let lang = project.lang;
    let mut doc = project.doc("closing");
    doc.push(Block::Standfirst(project.say("closing_text").into()));
    doc.section(project.say("milestones"));
    for milestone in &plan.milestones {
        let mut facts: Vec<(String, Text)> = Vec::new();
        if let Some(signed) = signature(&milestone.id) {
            let day = signed.at.to_zoned(jiff::tz::TimeZone::UTC).date();
            facts.push((project.say("signed_by"), format!("{}, {}", signed.signer, lang.date(day)).into()));
            facts.push((project.say("fingerprint"), Text::default().code(signed.document.to_string())));
        }
        doc.push(Block::Card(Card {
            id: milestone.id.clone(),
            title: milestone.title.clone(),
            facts,
            ..Card::default()
        }));
    }
    doc.section(project.say("hand_over_list"));
    doc.list(&closing.hand_over);
    doc.section(project.say("access_removed"));
    doc.list(&closing.access_removed);
    doc.section(project.say("after"));
    let dates = [("warranty_until", closing.warranty_until), ("kept_until", closing.kept_until)];
    let facts = dates
        .into_iter()
        .filter_map(|(key, day): (_, Option<Date>)| Some((project.say(key), Text::from(lang.date(day?)))));
    doc.push(Block::Facts(facts.collect()));
    doc.section(project.say("feedback"));
    doc.para(&closing.feedback);
    doc
}

fn columns(keys: &[&str], numbers: &[&str], project: Project<'_>) -> Vec<Column> {
    let column = |key: &&str| Column { title: project.say(&format!("col_{key}")), number: numbers.contains(key) };
    keys.iter().map(column).collect()
}

fn row<const N: usize>(cells: [Text; N]) -> Row {
    Row { cells: cells.into(), tone: Tone::Plain }
}

/// `CO-1`: what is added, what it costs, what it does to the dates (rule DL-7). `before` is the price agreed on so far.
pub fn change_order(order: &ChangeOrder, before: i64, project: Project<'_>) -> Doc {
    let lang = project.lang;
    let money = |minor| Text::from(project.money(minor, &order.currency));
    let mut doc = project.doc("change_order");
    doc.title = format!("{}: {}", order.id(), project.title);
    doc.push(Block::Standfirst(project.say("change_text").into()));
    if !order.quote.is_empty() {
        doc.push(Block::Quote { text: order.quote.clone(), source: project.say("asked_in") });
    }
    doc.para(&order.reason);
    doc.section(project.say("added"));
    for requirement in &order.added {
        doc.push(Block::Card(Card {
            id: requirement.id.clone(),
            title: requirement.text.clone(),
            facts: vec![
                (project.say("acceptance"), (&requirement.acceptance).into()),
                (project.say("effort"), lang.days(requirement.effort_quarter_days).into()),
            ],
            ..Card::default()
        }));
    }
    doc.section(project.say("price"));
    let mut facts = vec![(project.say("net"), money(order.net_minor))];
    for vat in &order.vat {
        facts.push((format!("{} {}", project.say("vat"), lang.percent(vat.basis_points)), money(vat.vat_minor)));
    }
    facts.push((project.say("gross"), Text::default().strong(project.money(order.gross_minor, &order.currency))));
    facts.push((project.say("new_total"), money(before.saturating_add(order.gross_minor))));
    facts.push((project.say("valid_until"), lang.date(order.valid_until).into()));
    facts.push((project.say("changes_contract"), Text::default().code(order.contract.to_string())));
    doc.push(Block::Facts(facts));
    doc.section(project.say("slips"));
    if order.shifts.is_empty() {
        doc.para(project.say("dates_stay"));
    } else {
        let rows = order.shifts.iter().map(|s| {
            let to = Text::default().strong(lang.date(s.to));
            row([Text::default().code(&s.milestone), lang.date(s.from).into(), to])
        });
        let table = Table { columns: columns(&["id", "from", "to"], &[], project), rows: rows.collect() };
        doc.push(Block::Table(table));
    }
    doc.push(Block::Signatures(vec![Signer {
        role: project.say("for_client"),
        name: project.head.client.clone(),
        note: project.say("place_date"),
    }]));
    doc
}
