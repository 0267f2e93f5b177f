//! What code decides about a scope, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::vague::vague;
use super::{Priority, QualityKind, Questions, Scope, Wish};
use crate::lead::{Direction, Lead, MessageKind};
use crate::policy::Policy;
use crate::prose::wishes::{frame, is_wish, pieces, sentences};
use crate::prose::{normalised, unwrapped};
use crate::rules::Weight;
use crate::stages::{Finding, Work, sources};

/// A client answers a handful of questions; a questionnaire is put aside.
pub const QUESTIONS_AT_MOST: usize = 5;
/// After this many rounds the scope is written with its open questions.
pub const ROUNDS_AT_MOST: u8 = 3;
/// The largest share of the Musts, in basis points: the rest is the room that a fixed date needs.
const MUSTS_AT_MOST: u32 = 6_000;
/// What counts as about a fifth for the Coulds, in basis points.
const COULDS_ABOUT: std::ops::RangeInclusive<u32> = 1_000..=4_000;

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
    check_sections(scope, findings);
    check_dates(scope, lead.created_at.to_zoned(jiff::tz::TimeZone::UTC).date(), findings);
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
        if is_several_sentences(&requirement.text) {
            found(format!("{} says more than one thing; give each sentence its own id", requirement.id));
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
    // About a fifth: what the client did not wish for cannot be made up, so this is only worth knowing.
    let spare = scope.share(Priority::Could);
    if scope.musts().count() > 1 && !COULDS_ABOUT.contains(&spare) {
        let detail =
            format!("the Coulds are {} % of the effort; about 20 % is the room a fixed date needs", spare / 100);
        let found = Finding::new("SC-3", detail).at("requirements");
        findings.push(Finding { weight: Weight::Advises, ..found }.mend("ask what would be nice to have and can wait"));
    }
}

/// SC-12: every section that each project needs says something.
pub fn check_sections(scope: &Scope, findings: &mut Vec<Finding>) {
    let asked = |topic: &str| scope.open_questions.iter().any(|q| q.topic == topic);
    let timeline = &scope.timeline;
    let dated = timeline.end.is_some() || scope.measures.iter().any(|m| m.by.is_some());
    let measured = |m: &super::Measure| m.number.chars().any(|c| c.is_ascii_digit()) && !m.text.trim().is_empty();
    let sections = [
        ("goal", !scope.goal.trim().is_empty(), "what the client wants to reach"),
        ("measures", !scope.measures.is_empty() && scope.measures.iter().all(measured), "success, in a number"),
        (
            "measures",
            dated || !timeline.text.trim().is_empty() || asked("timeline"),
            "by when success is measured, or a question about it",
        ),
        ("users", scope.users.iter().any(|u| !u.text.trim().is_empty()), "who will use it"),
        ("in_scope", !scope.in_scope.is_empty(), "what is part of it"),
        ("client_duties", !scope.client_duties.is_empty() || !scope.dependencies.is_empty(), "what the client brings"),
        (
            "timeline",
            !timeline.text.trim().is_empty() || dated || asked("timeline"),
            "when it is wanted, or a question",
        ),
        ("risks", !scope.risks.is_empty(), "what may go wrong"),
        ("acceptance", !scope.acceptance.trim().is_empty(), "how the whole is accepted"),
        ("change_rule", !scope.change_rule.trim().is_empty(), "how changes are agreed"),
        ("glossary", !scope.glossary.is_empty(), "the words that both sides use in one sense"),
    ];
    for (place, _, what) in sections.into_iter().filter(|(_, there, _)| !there) {
        findings
            .push(Finding::new("SC-12", format!("the scope does not say {what}")).at(place).mend("fill the section"));
    }
    for of in [QualityKind::Accessibility, QualityKind::Privacy, QualityKind::Performance, QualityKind::Hosting] {
        if !scope.qualities.iter().any(|q| q.of == of && !q.text.trim().is_empty()) {
            let found = Finding::new("SC-12", format!("the scope says nothing about {of:?}").to_lowercase());
            findings.push(found.at("qualities").mend("say what is demanded, with its measure"));
        }
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
    let ids: BTreeSet<&str> = scope.requirements.iter().map(|r| r.id.as_str()).collect();
    let mut lost = 0usize;
    for (i, wish) in scope.wishes.iter().enumerate() {
        let place = format!("wishes[{i}]");
        for id in wish.met_by.iter().filter(|id| !ids.contains(id.as_str())) {
            findings.push(Finding::new("X-4", format!("a wish is met by {id}, which does not exist")).at(&place));
        }
        if !went(scope, wish) {
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

/// SC-9 over the client's own words: each sentence in which he asks for something is among the wishes that went
/// somewhere. A mind lists wishes; that it listed all of them is decided here.
pub fn check_heard(lead: &Lead, scope: &Scope, said: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    let quotes = taken_up(scope);
    let opening = (sources::LEAD.to_owned(), lead.contact.message.as_str());
    // The first message stands in the lead itself; what a machine or a farewell says is no wish.
    let answers = lead.messages.iter().skip(1).filter(|m| m.direction == Direction::In && m.kind == MessageKind::Reply);
    let later = answers.filter_map(|m| Some((m.id.to_string(), said.get(&m.id.to_string())?.as_str())));
    for (source, text) in std::iter::once(opening).chain(later) {
        // As the reader of wishes does: a sentence that a mail program broke is one.
        let text = unwrapped(text);
        let wishes = sentences(&text).into_iter().flat_map(|s| pieces(s.text).map(move |piece| (piece, s.colon)));
        let lost = wishes.filter(|(piece, announces)| is_wish(piece) && !quotes.hold(piece, *announces));
        for (wish, _) in lost {
            let found = Finding::new("SC-9", format!("`{}` asks for something and is nowhere taken up", head(wish)));
            let found = found.at(format!("message {source}"));
            findings.push(found.mend("list it under `wishes`, and meet it, leave it out by a Won't, or ask about it"));
        }
    }
}

/// The client's words that a scope takes up.
struct Quotes {
    all: BTreeSet<String>,
    /// Said to be no more than the goal: believed of `We need the following:` and of what stands in the goal.
    goals: BTreeSet<String>,
}

/// What the scope does something about: the quotes of its parts, and of the wishes that went somewhere.
fn taken_up(scope: &Scope) -> Quotes {
    let requirements = scope.requirements.iter().map(|r| &r.quote);
    let goal = normalised(&scope.goal);
    let (goals, wishes): (Vec<&Wish>, Vec<&Wish>) =
        scope.wishes.iter().filter(|wish| went(scope, wish)).partition(|wish| {
            wish.section == "goal" && wish.met_by.is_empty() && !goal.contains(&normalised(&wish.quote))
        });
    let wishes = wishes.into_iter().map(|wish| &wish.quote);
    let measures = scope.measures.iter().map(|m| &m.quote);
    let users = scope.users.iter().map(|u| &u.quote);
    let assumptions = scope.assumptions.iter().map(|a| &a.quote);
    let answers = scope.answers.iter().map(|a| &a.quote);
    let frame = scope.budget.iter().map(|b| &b.quote).chain([&scope.timeline.quote]);
    let all = requirements.chain(wishes).chain(measures).chain(users).chain(assumptions).chain(answers).chain(frame);
    Quotes {
        all: all.map(|quote| normalised(quote)).filter(|quote| !quote.is_empty()).collect(),
        goals: goals.into_iter().map(|wish| normalised(&wish.quote)).collect(),
    }
}

impl Quotes {
    /// Whether a sentence was taken up: as a whole, or for the greater part in pieces.
    fn hold(&self, sentence: &str, announces: bool) -> bool {
        let names_nothing = announces || sentence.split_whitespace().count() <= 4;
        let sentence = normalised(sentence);
        let inside = || self.all.iter().filter(|quote| sentence.contains(*quote)).map(String::len).sum::<usize>();
        self.all.contains(&sentence)
            || (names_nothing && self.goals.contains(&sentence))
            || self.all.iter().any(|quote| quote.contains(&sentence))
            || 2 * inside() >= sentence.len()
    }
}

/// Whether a wish went somewhere. That it belongs to the frame of a project (money, time, the talk) is believed only
/// where our own reading of the words says so too.
fn went(scope: &Scope, wish: &Wish) -> bool {
    let asked = !wish.question.is_empty() && scope.open_questions.iter().any(|q| q.id == wish.question);
    let framed = match wish.section.as_str() {
        "budget" | "timeline" | "answers" => frame(&wish.quote).is_some(),
        "goal" => true,
        _ => false,
    };
    !wish.met_by.is_empty() || wish.wont || asked || framed
}

/// As much of a text as a finding has room for.
fn head(text: &str) -> String {
    let head: String = text.chars().take(80).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}

/// A full stop inside a text, with a word before it and a capital behind: `z. B.` and `R-001. ` are no sentences.
fn is_several_sentences(text: &str) -> bool {
    text.match_indices(['.', '!', '?']).any(|(at, _)| {
        let word = text[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
        let long = word.chars().count() >= 4 && word.chars().all(char::is_alphabetic);
        let mut after = text[at + 1..].chars();
        long && after.next().is_some_and(char::is_whitespace)
            && after.find(|c| !c.is_whitespace()).is_some_and(char::is_uppercase)
    })
}

fn is_requirement_id(id: &str) -> bool {
    id.strip_prefix("R-").is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
}
