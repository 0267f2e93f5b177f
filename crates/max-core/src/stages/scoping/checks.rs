//! What code decides about a scope, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::vague::vague;
use super::{Priority, Questions, Scope};
use crate::lead::{Direction, Lead, MessageKind};
use crate::policy::Policy;
use crate::prose::normalised;
use crate::stages::{Finding, Work};

/// A client answers a handful of questions; a questionnaire is put aside.
pub const QUESTIONS_AT_MOST: usize = 5;
/// After this many rounds the scope is written with its open questions.
pub const ROUNDS_AT_MOST: u8 = 3;
/// The largest share of the Musts, in basis points: the rest is the room that a fixed date needs.
const MUSTS_AT_MOST: u32 = 6_000;

/// Questions are few, and each is asked once.
pub(in crate::stages) fn check_questions(q: &Questions, work: &Work, findings: &mut Vec<Finding>) {
    let mut found = |detail: String| findings.push(Finding::new("SC-0", detail).at("questions"));
    if q.questions.is_empty() {
        found("nothing is asked: submit the scope instead".into());
    }
    if q.questions.len() > QUESTIONS_AT_MOST {
        found(format!("{} questions at once; ask the {QUESTIONS_AT_MOST} weightiest", q.questions.len()));
    }
    if q.round > ROUNDS_AT_MOST {
        found(format!(
            "round {} of questions; after {ROUNDS_AT_MOST} write the scope with its open questions",
            q.round
        ));
    }
    if let Some(again) =
        q.questions.iter().find(|q2| q.earlier.iter().any(|e| e.topic == q2.topic || e.text == q2.text))
    {
        found(format!("`{}` was asked before; nobody is asked the same twice", again.text));
    }
    if !work.messages.iter().any(|m| m.kind == MessageKind::Questions) {
        found("questions need a message of kind questions that asks them".into());
    }
}

/// Every rule about the scope alone.
pub(in crate::stages) fn check_scope(
    lead: &Lead,
    scope: &Scope,
    work: &Work,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    check_requirements(scope, findings);
    check_exclusions(scope, findings);
    check_musts(scope, findings);
    check_deliverables(scope, findings);
    check_assumptions(scope, findings);
    check_budget(scope, policy, findings);
    check_open_questions(scope, findings);
    check_wishes(scope, findings);
    check_words(scope, findings);
    check_dates(scope, lead.created_at.to_zoned(jiff::tz::TimeZone::UTC).date(), findings);
    check_sources(lead, scope, findings);
    if !work.artifacts.iter().any(|a| a.name == "scope.json") {
        findings.push(Finding::new("X-1", "the scope needs its file scope.json"));
    }
}

/// SC-1: ids, one sentence, acceptance, source, effort; at least one Must.
pub fn check_requirements(scope: &Scope, findings: &mut Vec<Finding>) {
    let mut ids = BTreeSet::new();
    for (i, requirement) in scope.requirements.iter().enumerate() {
        let mut found = |detail: String| findings.push(Finding::new("SC-1", detail).at(format!("requirements[{i}]")));
        if !is_requirement_id(&requirement.id) || !ids.insert(requirement.id.as_str()) {
            found(format!("`{}` must be R- and three digits, once", requirement.id));
        }
        for (field, value) in
            [("text", &requirement.text), ("acceptance", &requirement.acceptance), ("source", &requirement.source)]
        {
            if value.trim().is_empty() {
                found(format!("{} has no {field}", requirement.id));
            }
        }
        if requirement.priority != Priority::Wont && requirement.effort_quarter_days == 0 {
            found(format!("{} has no effort", requirement.id));
        }
    }
    if scope.musts().next().is_none() {
        findings.push(Finding::new("SC-1", "a scope needs at least one Must").at("requirements"));
    }
    let dangling = scope.requirements.iter().flat_map(|r| r.depends_on.iter().map(move |on| (r, on)));
    for (requirement, on) in dangling.filter(|(r, on)| **on == r.id || !ids.contains(on.as_str())) {
        let detail = format!("{} depends on {on}, which is not another requirement of this scope", requirement.id);
        findings.push(Finding::new("SC-1", detail).at(requirement.id.clone()));
    }
}

/// SC-2 and SC-6: something is left out, and nothing is both in and out.
pub fn check_exclusions(scope: &Scope, findings: &mut Vec<Finding>) {
    if !scope.requirements.iter().any(|r| r.priority == Priority::Wont) && scope.out_of_scope.is_empty() {
        let found = Finding::new("SC-2", "nothing is said to be left out").at("out_of_scope");
        findings.push(found.mend("name at least one thing that is not part of it"));
    }
    let wont = scope.requirements.iter().filter(|r| r.priority == Priority::Wont).map(|r| &r.text);
    let out: BTreeSet<String> = scope.out_of_scope.iter().chain(wont).map(|text| normalised(text)).collect();
    let built = scope.built().map(|r| (r.id.as_str(), &r.text));
    let inside = scope.in_scope.iter().map(|text| ("in_scope", text)).chain(built);
    for (place, text) in inside.filter(|(_, text)| out.contains(&normalised(text))) {
        let found = Finding::new("SC-6", format!("`{text}` is in scope and out of it")).at(place);
        findings.push(found.mend("decide, and leave it in one place"));
    }
}

/// SC-3: the Musts leave room. A single Must cannot be traded for anything, so it may be as large as it is.
pub fn check_musts(scope: &Scope, findings: &mut Vec<Finding>) {
    let share = scope.share(Priority::Must);
    if scope.musts().count() > 1 && share > MUSTS_AT_MOST {
        let detail = format!("the Musts are {} % of the effort, more than {} %", share / 100, MUSTS_AT_MOST / 100);
        let found = Finding::new("SC-3", detail).at("requirements");
        findings.push(found.mend("make Shoulds of what the project could do without on its first day, or say why not"));
    }
}

/// SC-4: what is handed over has a name, a description, an acceptance and a moment, and every Must is in it.
pub fn check_deliverables(scope: &Scope, findings: &mut Vec<Finding>) {
    if scope.deliverables.is_empty() {
        findings.push(Finding::new("SC-4", "nothing is handed over").at("deliverables").mend("list the deliverables"));
        return;
    }
    for (i, d) in scope.deliverables.iter().enumerate() {
        let place = format!("deliverables[{i}]");
        for (field, value) in [("name", &d.name), ("description", &d.description), ("acceptance", &d.acceptance)] {
            if value.trim().is_empty() {
                findings.push(Finding::new("SC-4", format!("{} has no {field}", d.id)).at(&place));
            }
        }
        if d.due.is_none() && d.milestone.trim().is_empty() {
            findings.push(Finding::new("SC-4", format!("{} has neither milestone nor due date", d.id)).at(&place));
        }
        for id in d.requirements.iter().filter(|id| scope.requirement(id).is_none()) {
            findings.push(Finding::new("X-4", format!("{} names {id}, which does not exist", d.id)).at(&place));
        }
    }
    let handed: BTreeSet<&str> =
        scope.deliverables.iter().flat_map(|d| d.requirements.iter().map(String::as_str)).collect();
    for must in scope.musts().filter(|m| !handed.contains(m.id.as_str())) {
        let found = Finding::new("SC-4", format!("no deliverable holds {}", must.id)).at(must.id.clone());
        findings.push(found.mend("add it to a deliverable"));
    }
}

/// SC-5: an assumption has an owner and a consequence.
pub fn check_assumptions(scope: &Scope, findings: &mut Vec<Finding>) {
    for (i, a) in scope.assumptions.iter().enumerate() {
        for (field, value) in [("text", &a.text), ("owner", &a.owner), ("consequence", &a.if_wrong)] {
            if value.trim().is_empty() {
                let found = Finding::new("SC-5", format!("the assumption `{}` has no {field}", a.text));
                findings.push(found.at(format!("assumptions[{i}]")).mend("say whose it is and what follows if wrong"));
            }
        }
    }
}

/// SC-7: the budget covers the estimate, or it is said that it does not; without a budget somebody has to ask.
pub fn check_budget(scope: &Scope, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(budget) = &scope.budget else {
        if !scope.open_questions.iter().any(|q| q.topic == "budget") {
            let found = Finding::new("SC-7", "no budget is known, and nobody asks for one").at("budget");
            findings.push(found.mend("add an open question on the topic budget"));
        }
        return;
    };
    if budget.low_minor < 0 || budget.high_minor < budget.low_minor {
        findings.push(Finding::new("SC-7", "the budget ends before it begins").at("budget"));
    }
    let outside = budget.outside(scope, policy);
    if budget.flag.trim().is_empty()
        && let Some(what) = outside
    {
        let found = Finding::new("SC-7", what).at("budget");
        findings.push(found.mend("lower the effort, or say in `flag` what is done about it"));
    }
}

impl super::Budget {
    /// How the estimate misses the range, if it does: a sentence for people. Below the range is no miss.
    pub fn outside(&self, scope: &Scope, policy: &Policy) -> Option<String> {
        let rates = &policy.rate_card;
        let net = scope.estimate(rates);
        let vat = if self.includes_vat { net.saturating_mul(i64::from(rates.vat_basis_points)) / 10_000 } else { 0 };
        let estimate = net.saturating_add(vat);
        if self.currency != rates.currency {
            return Some(format!("the budget is in {}, the rate card in {}", self.currency, rates.currency));
        }
        (estimate > self.high_minor).then(|| {
            let money = |minor: i64| format!("{} {}.{:02}", rates.currency, minor / 100, minor.rem_euclid(100));
            format!("the estimate of {} is above the budget of {}", money(estimate), money(self.high_minor))
        })
    }
}

/// SC-8: no Must hangs on an open question.
pub fn check_open_questions(scope: &Scope, findings: &mut Vec<Finding>) {
    for (i, q) in scope.open_questions.iter().enumerate() {
        let place = format!("open_questions[{i}]");
        for id in &q.requirements {
            match scope.requirement(id) {
                None => findings
                    .push(Finding::new("X-4", format!("an open question names {id}, which does not exist")).at(&place)),
                Some(r) if r.priority == Priority::Must => {
                    let found = Finding::new("SC-8", format!("{id} is a Must and depends on `{}`", q.text)).at(&place);
                    findings.push(found.mend("get the answer, or write down what is assumed until then"));
                }
                Some(_) => {}
            }
        }
    }
}

/// SC-9: every wish went somewhere, and everything built comes from a wish.
pub fn check_wishes(scope: &Scope, findings: &mut Vec<Finding>) {
    let questions: BTreeSet<&str> = scope.open_questions.iter().map(|q| q.id.as_str()).collect();
    let ids: BTreeSet<&str> = scope.requirements.iter().map(|r| r.id.as_str()).collect();
    let mut lost = 0usize;
    for (i, wish) in scope.wishes.iter().enumerate() {
        let place = format!("wishes[{i}]");
        for id in wish.met_by.iter().filter(|id| !ids.contains(id.as_str())) {
            findings.push(Finding::new("X-4", format!("a wish is met by {id}, which does not exist")).at(&place));
        }
        let asked = !wish.question.is_empty() && questions.contains(wish.question.as_str());
        let framed = ["budget", "timeline", "goal", "answers"].contains(&wish.section.as_str());
        if wish.met_by.is_empty() && !wish.wont && !asked && !framed {
            lost += 1;
            let found = Finding::new("SC-9", format!("the wish `{}` went nowhere", head(&wish.quote))).at(place);
            findings.push(found.mend("meet it by a requirement, leave it out by a Won't, or ask about it"));
        }
    }
    let met: BTreeSet<&str> = scope.wishes.iter().flat_map(|w| w.met_by.iter().map(String::as_str)).collect();
    if let Some(unasked) = scope.built().find(|r| !met.contains(r.id.as_str())) {
        let found = Finding::new("SC-9", format!("no wish asks for {}", unasked.id)).at(unasked.id.clone());
        findings.push(found.mend("list the client's wish that it meets, or leave it out"));
    }
    if lost > 0 {
        let covered = scope.wishes.len() - lost;
        findings.push(Finding::new("SC-9", format!("{covered} of {} wishes are covered", scope.wishes.len())));
    }
}

/// SC-11: a vague word is measured, or noticed.
pub fn check_words(scope: &Scope, findings: &mut Vec<Finding>) {
    for r in scope.built() {
        // What the acceptance measures is no longer vague.
        let measured = r.acceptance.chars().any(|c| c.is_ascii_digit());
        if let Some(word) = vague(&r.text).filter(|_| !measured) {
            let found = Finding::new("SC-11", format!("`{word}` in {} means something else to everybody", r.id));
            findings.push(found.at(r.id.clone()).mend("say how much: a number, a time, a case to try"));
        }
    }
}

/// dates lie in order and inside the project, and the project lies after the enquiry.
pub fn check_dates(scope: &Scope, came_in: Date, findings: &mut Vec<Finding>) {
    let (start, end) = (scope.timeline.start, scope.timeline.end);
    let mut found = |place: &str, detail: String| findings.push(Finding::new("X-6", detail).at(place));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        found("timeline", format!("it starts on {start} and ends before, on {end}"));
    }
    for (place, date) in [("timeline.start", start), ("timeline.end", end)] {
        if let Some(date) = date.filter(|d| *d < came_in) {
            found(place, format!("{date} lies before the enquiry of {came_in}"));
        }
    }
    let dues = scope.deliverables.iter().filter_map(|d| Some((d.id.as_str(), d.due?)));
    for (id, due) in dues {
        if start.is_some_and(|start| due < start) || end.is_some_and(|end| due > end) || due < came_in {
            found(id, format!("{id} is due on {due}, outside the project"));
        }
    }
}

/// X-8 as far as the lead alone can tell: sources exist, and quotes from the first message stand in it.
pub fn check_sources(lead: &Lead, scope: &Scope, findings: &mut Vec<Finding>) {
    let c = &lead.contact;
    let fields = [&c.budget, &c.timeline, &c.role, &c.website].into_iter().flatten();
    let opening = fields.fold(c.message.clone(), |text, field| text + "\n" + field);
    let known: BTreeSet<String> =
        lead.messages.iter().filter(|m| m.direction == Direction::In).map(|m| m.id.to_string()).collect();
    // The texts of later messages are not part of the lead's state; that they came in is.
    for cited in cited(scope) {
        if cited.source != "lead" && !known.contains(cited.source) {
            let found = Finding::new("X-8", format!("`{}` is no message of this client", head(cited.source)));
            findings.push(found.at(cited.place).mend("name the message: its id, or `lead` for the first one"));
        }
    }
    check_quotes(scope, &BTreeMap::from([("lead", opening.as_str())]), findings);
}

/// X-8 over the texts at hand, by source: each quote is found in the message that it names.
pub fn check_quotes(scope: &Scope, said: &BTreeMap<&str, &str>, findings: &mut Vec<Finding>) {
    let texts: BTreeMap<&str, String> = said.iter().map(|(source, text)| (*source, plain(text))).collect();
    // Quotes come mostly in the order of the text: each is looked for behind the one before it, then from the start.
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for cited in cited(scope) {
        let Some(text) = texts.get(cited.source) else { continue };
        let quote = plain(cited.quote);
        let from = last.get(cited.source).copied().unwrap_or(0);
        let behind = text.get(from..).and_then(|rest| rest.find(&quote)).map(|at| from + at);
        match behind.or_else(|| text.find(&quote)) {
            Some(at) => {
                last.insert(cited.source, at);
            }
            None => {
                let found = Finding::new("X-8", format!("`{}` was not said in `{}`", head(&quote), cited.source));
                findings.push(found.at(cited.place).mend("quote the client's own words, unchanged"));
            }
        }
    }
}

/// Words of the client that a scope repeats.
struct Cited<'a> {
    place: String,
    source: &'a str,
    quote: &'a str,
}

fn cited(scope: &Scope) -> impl Iterator<Item = Cited<'_>> {
    let requirements = scope.requirements.iter().map(|r| (r.id.clone(), &r.source, &r.quote));
    let each = |name: &'static str| move |i: usize| format!("{name}[{i}]");
    let wishes = scope.wishes.iter().enumerate().map(move |(i, w)| (each("wishes")(i), &w.source, &w.quote));
    let measures = scope.measures.iter().enumerate().map(move |(i, m)| (each("measures")(i), &m.source, &m.quote));
    let users = scope.users.iter().enumerate().map(move |(i, u)| (each("users")(i), &u.source, &u.quote));
    let assumed = scope.assumptions.iter().enumerate().map(move |(i, a)| (each("assumptions")(i), &a.source, &a.quote));
    let answers = scope.answers.iter().map(|a| (a.id.clone(), &a.source, &a.quote));
    let budget = scope.budget.iter().map(|b| ("budget".to_owned(), &b.source, &b.quote));
    let timeline = std::iter::once(("timeline".to_owned(), &scope.timeline.source, &scope.timeline.quote));
    requirements
        .chain(wishes)
        .chain(measures)
        .chain(users)
        .chain(assumed)
        .chain(answers)
        .chain(budget)
        .chain(timeline)
        .filter(|(_, source, quote)| !source.is_empty() && !quote.trim().is_empty())
        .map(|(place, source, quote)| Cited { place, source, quote })
}

/// Words with single spaces between them: how a line was broken does not matter to what was said.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// As much of a text as a finding has room for.
fn head(text: &str) -> String {
    let head: String = text.chars().take(80).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}

fn is_requirement_id(id: &str) -> bool {
    id.strip_prefix("R-").is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
}
