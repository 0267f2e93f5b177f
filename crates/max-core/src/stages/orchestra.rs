//! Orchestra: an offline clickable mockup in which every Must is shown.
//!
//! What the typed result says is checked here; what only the file can tell (links, requests, states, contrast) is
//! checked by `max_documents::lint::mockup`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoping::Scope;
use super::{Finding, Work, counted, placeholder};
use crate::lead::Lead;
use crate::rules::{Rule, Weight};
use crate::stage::Stage;

/// What is checked here.
pub const RULES: &[Rule] = &[
    Rule {
        id: "MK-1",
        says: "every Must has a screen, marked with its id in the file, or a reason why it has none",
        weight: Weight::Refuses,
        check: "stages::orchestra::check_coverage",
        test: "mk_1_every_must_has_a_screen_or_a_reason",
    },
    Rule {
        id: "MK-2",
        says: "every link leads somewhere, every screen can be reached, none is a dead end",
        weight: Weight::Blocks,
        check: "lint::mockup::links",
        test: "mk_2_a_link_to_nowhere_and_an_unreachable_screen_are_found",
    },
    Rule {
        id: "MK-3",
        says: "the mockup carries the client's name and terms he used himself, and no filler text; that it has none of his \
               terms is noticed",
        weight: Weight::Blocks,
        check: "stages::orchestra::check_words",
        test: "mk_3_terms_are_the_clients_own",
    },
    Rule {
        id: "MK-4",
        says: "the file asks nothing of any network",
        weight: Weight::Blocks,
        check: "lint::mockup::requests",
        test: "mk_4_every_way_to_the_network_is_found",
    },
    Rule {
        id: "MK-5",
        says: "the page fits 360, 768 and 1280 px without sideways scrolling",
        weight: Weight::Blocks,
        check: "lint::mockup::fits",
        test: "mk_5_widths_that_no_phone_has_are_found",
    },
    Rule {
        id: "MK-6",
        says: "what a program can tell about accessibility holds: language, title, names, contrast of 4.5:1",
        weight: Weight::Blocks,
        check: "lint::mockup::accessible",
        test: "mk_6_missing_names_and_faint_colours_are_found",
    },
    Rule {
        id: "MK-7",
        says: "each list and form is shown filled, empty, busy and failed",
        weight: Weight::Blocks,
        check: "lint::mockup::states",
        test: "mk_7_a_list_without_its_states_is_found",
    },
    Rule {
        id: "MK-8",
        says: "the watermark says that it is an illustration and not the product",
        weight: Weight::Blocks,
        check: "lint::mockup::watermark",
        test: "mk_8_a_mockup_without_its_watermark_is_found",
    },
    Rule {
        id: "MK-9",
        says: "a new version says what changed, each change with the feedback it answers",
        weight: Weight::Blocks,
        check: "stages::orchestra::check_changes",
        test: "mk_9_a_new_version_names_the_feedback_it_answers",
    },
    Rule {
        id: "MK-11",
        says: "the file holds no script and nothing that could leave its frame",
        weight: Weight::Blocks,
        check: "lint::mockup::inert",
        test: "mk_11_scripts_and_embedded_pages_are_found",
    },
];

/// The file that the client opens.
const FILE: &str = "mockup.html";

/// What the mockup shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mockup {
    /// Whose product it illustrates: the name that stands in its head.
    #[serde(default)]
    pub client: String,
    /// 1 for the first version.
    #[serde(default)]
    pub revision: u32,
    /// The colour it is built on, `#rrggbb`.
    #[serde(default)]
    pub accent: String,
    /// Names of services, products and things that the client used himself and the mockup repeats.
    #[serde(default)]
    pub terms: Vec<String>,
    /// Its screens.
    pub screens: Vec<Screen>,
    /// Requirements without a face, with the reason.
    #[serde(default)]
    pub omitted: Vec<Omitted>,
    /// What is different from the version before.
    #[serde(default)]
    pub changes: Vec<Change>,
}

impl Mockup {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!("send the mockup to {}: {}", lead.contact.display_name(), counted(self.screens.len(), "screen"))
    }
}

/// One screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// Its anchor in the file.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What kind of screen it is.
    #[serde(default)]
    pub face: Face,
    /// The requirements it shows.
    pub requirements: Vec<String>,
}

/// What a screen looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// Words and pictures.
    #[default]
    Page,
    /// Days and times to choose from.
    Booking,
    /// Things to buy.
    Shop,
    /// Pictures.
    Gallery,
    /// A form.
    Form,
    /// Signing in, and what is behind it.
    Account,
    /// How to get there.
    Map,
    /// Entries by date.
    News,
    /// Figures.
    Dashboard,
}

impl Face {
    /// The face with this name; a page for a name that is none.
    pub fn named(name: &str) -> Face {
        match name {
            "booking" => Face::Booking,
            "shop" => Face::Shop,
            "gallery" => Face::Gallery,
            "form" => Face::Form,
            "account" => Face::Account,
            "map" => Face::Map,
            "news" => Face::News,
            "dashboard" => Face::Dashboard,
            _ => Face::Page,
        }
    }
}

/// A requirement that no screen can show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// The requirement.
    pub requirement: String,
    /// Why.
    pub reason: String,
}

/// Something that is different from the version before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it answers: the id of a message or of a rejected approval, or `move-3` for the third move of the history.
    pub feedback: String,
    /// What was asked, in a sentence.
    pub text: String,
}

pub(super) fn check(lead: &Lead, mockup: &Mockup, work: &Work, findings: &mut Vec<Finding>) {
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else {
        findings.push(Finding::new("X-4", "there is no scope to show"));
        return;
    };
    check_coverage(mockup, &scope, findings);
    check_words(lead, mockup, &scope, findings);
    check_changes(lead, mockup, work, findings);
    if !work.artifacts.iter().any(|a| a.name == FILE) {
        findings.push(Finding::new("X-1", "the mockup needs its file mockup.html"));
    }
}

/// Every Must is shown or explained, and nothing is shown that nobody asked for (MK-1).
fn check_coverage(mockup: &Mockup, scope: &Scope, findings: &mut Vec<Finding>) {
    let shown: BTreeSet<&str> = mockup.screens.iter().flat_map(|s| s.requirements.iter().map(String::as_str)).collect();
    let omitted: BTreeSet<&str> =
        mockup.omitted.iter().filter(|o| !o.reason.trim().is_empty()).map(|o| o.requirement.as_str()).collect();
    for must in scope.musts() {
        if !shown.contains(must.id.as_str()) && !omitted.contains(must.id.as_str()) {
            findings.push(
                Finding::new("MK-1", format!("{} is a Must and no screen shows it", must.id))
                    .at(must.id.clone())
                    .mend("give it a screen, or list it under `omitted` with the reason"),
            );
        }
    }
    for id in shown.iter().chain(&omitted) {
        if scope.requirement(id).is_none() {
            findings.push(Finding::new("X-4", format!("{id} is no requirement of the scope")));
        }
    }
    let mut ids = BTreeSet::new();
    for (index, screen) in mockup.screens.iter().enumerate() {
        if !is_anchor(&screen.id) || !ids.insert(screen.id.as_str()) {
            findings.push(
                Finding::new("X-4", format!("`{}` is no anchor, or stands twice", screen.id))
                    .at(format!("screens[{index}]"))
                    .mend("use lower-case letters, digits and -, each id once"),
            );
        }
    }
}

/// The words are the client's and no filler (MK-3).
fn check_words(lead: &Lead, mockup: &Mockup, scope: &Scope, findings: &mut Vec<Finding>) {
    let names = [Some(lead.contact.name.as_str()), lead.contact.company.as_deref(), Some(scope.title.as_str())];
    let shown = plain(mockup.client.trim_end_matches('…'));
    if shown.is_empty() || !names.into_iter().flatten().any(|name| plain(name).contains(&shown)) {
        findings.push(
            Finding::new("MK-3", format!("`{}` is not what this client is called", mockup.client))
                .at("client")
                .mend("put the client's company or name into the head of the mockup"),
        );
    }
    if mockup.terms.is_empty() {
        let found = Finding::new("MK-3", "the mockup repeats no word of the client's trade").at("terms");
        let found = found.mend("name a service or product as the client calls it");
        findings.push(Finding { weight: Weight::Advises, ..found });
    }
    for (index, screen) in mockup.screens.iter().enumerate() {
        if screen.title.trim().is_empty() || placeholder(&screen.title).is_some() {
            findings.push(Finding::new("MK-3", "a screen has no real heading").at(format!("screens[{index}].title")));
        }
    }
    let quotes = scope.requirements.iter().map(|r| r.quote.as_str());
    let said: Vec<&str> = std::iter::once(lead.contact.message.as_str()).chain(quotes).collect();
    let said = plain(&said.join("\n"));
    for (index, term) in mockup.terms.iter().enumerate() {
        if plain(term).is_empty() || !said.contains(&plain(term)) {
            findings.push(
                Finding::new("MK-3", format!("the client never said `{term}`"))
                    .at(format!("terms[{index}]"))
                    .mend("take terms from the client's messages, letter by letter"),
            );
        }
    }
}

/// A new version answers feedback that was really given (MK-9).
fn check_changes(lead: &Lead, mockup: &Mockup, work: &Work, findings: &mut Vec<Finding>) {
    let before = lead.artifact(Stage::Orchestra, FILE).map(|a| a.sha256);
    let now = work.artifacts.iter().find(|a| a.name == FILE).map(|a| a.sha256);
    if before.is_some() && before != now && mockup.changes.is_empty() {
        findings.push(
            Finding::new("MK-9", "this is not the first version, and nothing says what changed")
                .at("changes")
                .mend("list each change with the id of the message or rejection it answers"),
        );
    }
    for (index, change) in mockup.changes.iter().enumerate() {
        if !is_feedback(lead, &change.feedback) || change.text.trim().is_empty() {
            findings.push(
                Finding::new("MK-9", format!("`{}` is no feedback of this lead", change.feedback))
                    .at(format!("changes[{index}]"))
                    .mend("name a message, a rejected approval, or `move-<n>` of the history"),
            );
        }
    }
}

fn is_feedback(lead: &Lead, id: &str) -> bool {
    let a_move = id.strip_prefix("move-").and_then(|n| n.parse::<usize>().ok());
    a_move.is_some_and(|n| (1..=lead.history.len()).contains(&n))
        || lead.messages.iter().any(|m| m.id.to_string() == id)
        || lead.decided.keys().any(|approval| approval.to_string() == id)
}

/// True for what can be an `id` in HTML and a target in CSS without any escaping.
fn is_anchor(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Letters and digits in lower case with single spaces, for finding words again.
fn plain(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::Finding;

    fn scope() -> Scope {
        serde_json::from_value(serde_json::json!({
            "title": "Website for Pine Yoga", "goal": "g", "out_of_scope": [], "assumptions": [], "client_duties": [],
            "requirements": [{
                "id": "R-001", "text": "Booking of classes", "priority": "must", "acceptance": "a", "source": "lead",
                "quote": "we need online booking for our Hatha classes", "effort_quarter_days": 4,
            }],
        }))
        .expect("a scope")
    }

    fn mockup() -> Mockup {
        let screen =
            Screen { id: "s-1".into(), title: "Book".into(), face: Face::Booking, requirements: vec!["R-001".into()] };
        Mockup { screens: vec![screen], ..Mockup::default() }
    }

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|f| f.rule.as_str()).collect()
    }

    #[test]
    fn mk_1_every_must_has_a_screen_or_a_reason() {
        let of = |mockup: &Mockup| {
            let mut findings = Vec::new();
            check_coverage(mockup, &scope(), &mut findings);
            findings
        };
        assert_eq!(rules(&of(&mockup())), Vec::<&str>::new());
        let mut hidden = mockup();
        hidden.screens[0].requirements.clear();
        assert_eq!(rules(&of(&hidden)), ["MK-1"]);
        hidden.omitted = vec![Omitted { requirement: "R-001".into(), reason: " ".into() }];
        assert_eq!(rules(&of(&hidden)), ["MK-1"], "a reason is more than white space");
        hidden.omitted[0].reason = "works in the background".into();
        assert_eq!(rules(&of(&hidden)), Vec::<&str>::new());
        let mut strange = mockup();
        strange.screens[0].id = "1\" onload=".into();
        strange.screens[0].requirements.push("R-009".into());
        assert_eq!(rules(&of(&strange)), ["X-4", "X-4"]);
    }
}
