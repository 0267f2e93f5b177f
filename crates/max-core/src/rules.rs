//! The rules that a program can decide, each under the id that findings, documents and people use for it.
//!
//! A stage lists its rules beside the checks that apply them (`stages::<stage>::RULES`); what holds for every stage
//! is listed here. `docs/rules.md` is made from these lists, and a test keeps it so: every rule names the function
//! that checks it and a test that fails without the check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decide, guard, stages};

/// A rule and where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, such as `SC-3`.
    pub id: &'static str,
    /// What it demands, in a sentence.
    pub says: &'static str,
    /// What a finding of it does.
    pub weight: Weight,
    /// The function that decides it, `module::function`.
    pub check: &'static str,
    /// The test that fails without the check: the name of a test function.
    pub test: &'static str,
}

/// What a finding does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth knowing; nothing waits for it.
    Advises,
    /// No approval until it is mended, or waived by a person with a reason.
    Blocks,
    /// The work does not count and is done again; nobody can waive it.
    #[default]
    Refuses,
}

impl Weight {
    /// The word as it stands in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Weight::Advises => "advises",
            Weight::Blocks => "blocks",
            Weight::Refuses => "refuses",
        }
    }
}

/// Every rule, in the order of the pipeline.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        COMMON,
        guard::RULES,
        decide::outbox::RULES,
        decide::time::RULES,
        stages::lead_gen::RULES,
        stages::first_responder::RULES,
        stages::scoping::RULES,
        stages::orchestra::RULES,
        stages::closer::RULES,
        decide::signing::RULES,
        decide::identity::RULES,
        stages::onboarding::RULES,
        stages::delivery_pm::RULES,
    ]
    .into_iter()
    .flatten()
}

/// Sentences about deliverables and mail that no check decides here, each with the reason. They stand in `docs/rules.md`
/// beside the rules, so that nobody takes silence for a check.
pub const UNDECIDED: &[(&str, &str)] = &[
    ("X-9", "Whether the language is plain and boasts nothing is judged by a person or another mind."),
    ("FR-7", "Whether a reply is warm and not gushing is judged by a person or another mind."),
    (
        "SC-10",
        "Whether a third person could decide \"in or out\" two years later is judged by a person or another mind.",
    ),
    ("MK-10", "Whether the main task can be clicked through as a script is judged by whoever tries it."),
    (
        "PC-13",
        "Whether a lawyer has reviewed a template is a fact of the agency; clauses are bound by their SHA-256 (PC-10).",
    ),
    (
        "LG-3",
        "Five runs of one mind are compared in tests; at run time a new verdict on the same words is held against the last.",
    ),
    ("MK-4", "That no script fails is decided by there being none (MK-11)."),
    (
        "MK-6",
        "The axe run needs a browser: the tests make it at three widths; before an approval the linter decides what it can.",
    ),
    (
        "M-1",
        "SPF, DKIM and DMARC are looked up in DNS and belong to sending by SMTP; the folder channel sends nothing.",
    ),
    ("M-2", "That both List-Unsubscribe headers are covered by the DKIM signature belongs to sending by SMTP."),
];

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// What holds for every stage.
pub const COMMON: &[Rule] = &[
    Rule {
        id: "X-0",
        says: "A result belongs to the stage its lead is in; a review, and only a review, is answered with a recommendation.",
        weight: Weight::Refuses,
        check: "stages::check",
        test: "x_0_work_belongs_to_the_stage_at_hand",
    },
    Rule {
        id: "X-1",
        says: "JSON is the source: documents are made from it and say from which by its SHA-256. Work has its files, summary and texts.",
        weight: Weight::Refuses,
        check: "lint::checks::source",
        test: "x_1_a_document_is_made_from_the_json_beside_it",
    },
    Rule {
        id: "X-2",
        says: "Nothing is left to be filled in. Refuses in messages, blocks in files.",
        weight: Weight::Refuses,
        check: "lint::checks::placeholders",
        test: "x_2_nothing_is_left_to_fill_in",
    },
    Rule {
        id: "X-3",
        says: "Client, agency, language and currency are those of the lead.",
        weight: Weight::Blocks,
        check: "lint::checks::record",
        test: "x_3_names_language_and_currency_are_the_leads",
    },
    Rule {
        id: "X-4",
        says: "Every id exists and is in the version that counts. Refuses in results, blocks in files.",
        weight: Weight::Refuses,
        check: "lint::checks::ids",
        test: "x_4_ids_exist_and_the_scope_is_the_newest",
    },
    Rule {
        id: "X-7",
        says: "A document says that AI drafted it, and which person answers for it.",
        weight: Weight::Blocks,
        check: "lint::checks::marks",
        test: "x_7_ai_and_the_person_who_answers_are_named",
    },
    Rule {
        id: "TR-1",
        says: "Every Must leads from a message over scope, screen, price, annex and milestone to its acceptance, and nothing exists that no requirement asked for.",
        weight: Weight::Blocks,
        check: "trace::trace",
        test: "tr_1_a_must_that_is_lost_on_the_way_is_found",
    },
    Rule {
        id: "FU-1",
        says: "A follow-up is written when its day has come, with its number.",
        weight: Weight::Refuses,
        check: "stages::check_follow_up",
        test: "fu_1_a_follow_up_has_the_number_asked_for",
    },
    Rule {
        id: "FU-2",
        says: "A follow-up is exactly one message.",
        weight: Weight::Refuses,
        check: "stages::check_follow_up",
        test: "fu_2_a_follow_up_is_one_message",
    },
    Rule {
        id: "FU-3",
        says: "A follow-up never says the same twice.",
        weight: Weight::Refuses,
        check: "stages::check_follow_up",
        test: "fu_3_a_follow_up_never_says_the_same_twice",
    },
    Rule {
        id: "X-6",
        says: "Dates lie in order, inside the project, and not before the enquiry.",
        weight: Weight::Blocks,
        check: "stages::scoping::check_dates",
        test: "x_6_dates_lie_in_order_and_inside_the_project",
    },
    Rule {
        id: "X-8",
        says: "What is said about the client names a message of his, the first or a later one, and the quote is found in it.",
        weight: Weight::Refuses,
        check: "stages::sources::check",
        test: "x_8_a_quote_is_found_in_the_message_it_names",
    },
];
