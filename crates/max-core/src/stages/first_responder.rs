//! FirstResponder: the first useful reply, in the client's language, within a minute.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, StageResult, Work, placeholder};
use crate::figures::{self, Value};
use crate::lead::{Direction, Draft, Lead, MessageKind};
use crate::policy::Policy;
use crate::prose::{self, Address};
use crate::rules::{Rule, Weight};
use crate::stage::Stage;

/// What is checked here.
pub const RULES: &[Rule] = &[
    Rule {
        id: "FR-1",
        says: "A reply is one message of at most 160 words and three questions, with one next step.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_length",
        test: "fr_1_a_reply_is_short_with_few_questions_and_one_next_step",
    },
    Rule {
        id: "FR-1b",
        says: "The first reply leaves within 60 seconds of the enquiry; how long it took is measured from the log.",
        weight: Weight::Advises,
        check: "stages::first_responder::check_speed",
        test: "fr_1b_a_first_reply_that_took_longer_is_found",
    },
    Rule {
        id: "FR-1c",
        says: "Where no reply has left after 60 seconds (a person must release it, a mind is slow), a neutral receipt does.",
        weight: Weight::Refuses,
        check: "decide::time::receipt_due",
        test: "fr_1c_a_receipt_leaves_when_the_reply_takes_longer",
    },
    Rule {
        id: "FR-2",
        says: "The first reply takes up a concrete word of the client's message.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_quote",
        test: "fr_2_the_first_reply_takes_up_a_concrete_word",
    },
    Rule {
        id: "FR-3",
        says: "A reply is written in the language it claims, which is the client's, and addresses the client as the client \
               addresses the agency.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_language",
        test: "fr_3_language_and_form_of_address_are_the_clients",
    },
    Rule {
        id: "FR-3b",
        says: "Who says du, je or tu is addressed so in every later mail, and who is addressed formally stays so.",
        weight: Weight::Blocks,
        check: "stages::first_responder::check_every_mail",
        test: "fr_3b_the_form_of_address_is_kept_in_later_mails",
    },
    Rule {
        id: "FR-4",
        says: "Every reply, and whatever else is the first mail to a client, says that a machine wrote it and how to reach a \
               person.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_disclosure",
        test: "fr_4_a_machines_reply_says_so_and_names_a_person",
    },
    Rule {
        id: "FR-5",
        says: "A reply names no price, percentage or date and promises nothing.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_promises",
        test: "fr_5_a_reply_names_no_price_or_date_and_promises_nothing",
    },
    Rule {
        id: "FR-6",
        says: "A reply continues the client's thread.",
        weight: Weight::Refuses,
        check: "decide::outbox::queue",
        test: "fr_6_a_reply_continues_the_clients_thread",
    },
    Rule {
        id: "FR-8",
        says: "The first mail links to how the agency treats personal data.",
        weight: Weight::Refuses,
        check: "stages::first_responder::check_privacy",
        test: "fr_8_the_first_mail_links_to_how_data_is_treated",
    },
];

/// An answer to the client; the conversation goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The client's language (BCP 47).
    pub language: String,
    /// Words of the client that the reply takes up.
    pub quotes: Vec<String>,
    /// What is asked of the client.
    #[serde(default)]
    pub asks: Vec<String>,
    /// The language the reply is written in, where it is not the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_in: Option<String>,
}

/// Who the client is and what he wants, as far as he has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The language to write in (BCP 47).
    pub language: String,
    /// `formal` or `informal` address, where the language knows the difference.
    pub address: String,
    /// What the client wants, in his words.
    pub wants: Vec<String>,
    /// Facts with the words that show them.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

/// Something the client said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is about: `budget`, `timeline`, `decision`, `audience` …
    pub topic: String,
    /// The client's words.
    pub quote: String,
    /// The message they stand in: its id, or `lead` for what came in first.
    #[serde(default = "first_message")]
    pub source: String,
}

/// Older records name no message: the first one was the only one then.
fn first_message() -> String {
    super::sources::LEAD.into()
}

pub(super) fn check(lead: &Lead, work: &Work, _policy: &Policy, findings: &mut Vec<Finding>) {
    let StageResult::Reply(reply) = &work.result else { return };
    let answers: Vec<&Draft> = work.messages.iter().filter(|m| m.kind != MessageKind::Receipt).collect();
    if answers.len() != 1 || answers.iter().any(|m| m.kind != MessageKind::Reply) {
        findings.push(Finding::new("FR-1", "a reply is exactly one message of kind reply").at("messages"));
    }
    let first = !lead.messages.iter().any(|m| m.direction == Direction::Out && m.kind != MessageKind::Receipt);
    for draft in answers {
        check_length(draft, reply, findings);
        if first {
            check_quote(lead, draft, reply, findings);
            check_privacy(draft, findings);
        }
        check_language(lead, draft, reply, findings);
        check_promises(lead, draft, reply, findings);
    }
}

/// What holds for the mails of every stage: the first one discloses the AI, and none changes the form of address.
pub(super) fn check_every_mail(lead: &Lead, work: &Work, findings: &mut Vec<Finding>) {
    let reply = matches!(work.result, StageResult::Reply(_));
    let first = !lead.messages.iter().any(|m| m.direction == Direction::Out);
    for draft in work.messages.iter().filter(|_| reply || first) {
        check_disclosure(draft, findings);
    }
    let Some(language) = lead.language.as_deref().filter(|_| !reply) else { return };
    let profile = lead.stage_value::<Profile>(Stage::FirstResponder, "profile");
    // Formal is what a profile says of who said nothing; he may still say du.
    let by_profile = profile.and_then(|p| Address::named(&p.address)).filter(|a| *a == Address::Informal);
    let Some(theirs) = prose::address(&lead.contact.message, language).or(by_profile) else { return };
    for (index, draft) in work.messages.iter().enumerate() {
        let ours = prose::address(&draft.body, language).filter(|ours| *ours != theirs);
        if let Some(ours) = ours.filter(|_| prose::language(&draft.body) == Some(prose::primary(language))) {
            findings.push(
                Finding::new(
                    "FR-3b",
                    format!("the client's address is {}, the mail's is {}", theirs.name(), ours.name()),
                )
                .at(format!("messages[{index}].body"))
                .mend("address the client as before"),
            );
        }
    }
}

/// How soon a client was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirstReply {
    /// The seconds until the neutral receipt left, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_after_seconds: Option<i64>,
    /// The seconds until the first mail left that says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_after_seconds: Option<i64>,
    /// The seconds that it may take.
    pub at_most_seconds: i64,
}

impl FirstReply {
    /// How soon this lead was answered, by its log; nothing where nobody is to be answered.
    pub fn of(lead: &Lead, policy: &Policy) -> Option<Self> {
        // A project that was taken over under way had its first reply elsewhere.
        let from_the_start = lead.history.first()?.to_stage == Stage::LeadGen;
        if !from_the_start || lead.contact.email.trim().is_empty() {
            return None;
        }
        let asked = lead.created_at;
        let first = |receipt: bool| {
            let mut sent = lead.messages.iter().filter(|m| (m.kind == MessageKind::Receipt) == receipt);
            let at = sent.find_map(|m| m.sent_at.filter(|_| m.direction == Direction::Out))?;
            Some(at.duration_since(asked).as_secs())
        };
        let (receipt, reply) = (first(true), first(false));
        let at_most_seconds = policy.first_reply_within.as_secs();
        Some(Self { receipt_after_seconds: receipt, reply_after_seconds: reply, at_most_seconds })
    }
}

/// FR-1: how long the first reply took, or has taken so far.
pub fn check_speed(lead: &Lead, policy: &Policy, now: Timestamp) -> Option<Finding> {
    let measured = FirstReply::of(lead, policy)?;
    let waiting = (lead.outcome().is_none() && lead.stage <= Stage::FirstResponder)
        .then(|| now.duration_since(lead.created_at).as_secs());
    let (took, word) = match measured.reply_after_seconds {
        Some(took) => (took, "took"),
        None => (waiting?, "has been waited for since"),
    };
    (took > measured.at_most_seconds).then(|| {
        let receipt = match measured.receipt_after_seconds {
            Some(after) => format!("; a receipt left after {after} s"),
            None => String::new(),
        };
        let detail =
            format!("the first reply {word} {took} s; it should leave within {} s{receipt}", measured.at_most_seconds);
        Finding::new("FR-1b", detail).at("messages").mend("look at who held it: a release by a person, or a slow voice")
    })
}

/// Ways to ask for something, by what is asked for: a reply asks for one.
const NEXT_STEPS: [&[&str]; 5] = [
    &[
        "answer this mail",
        "reply to this",
        "just reply",
        "just answer",
        "antworten sie",
        "antworte einfach",
        "antwortet einfach",
        "beantwoord deze",
        "antwoord gewoon",
        "antwoord op deze",
        "répondez",
        "réponds",
    ],
    &[
        "call us",
        "call me",
        "give us a call",
        "rufen sie uns",
        "ruf uns",
        "bel ons",
        "bel mij",
        "appelez-nous",
        "appelle-nous",
    ],
    &["click here", "click on", "klicken sie", "klick hier", "klik hier", "klik op", "cliquez", "clique ici"],
    &[
        "book a call",
        "book a meeting",
        "schedule a call",
        "schedule a meeting",
        "vereinbaren sie einen",
        "plan een gesprek",
        "boek een gesprek",
        "prenez rendez-vous",
        "réservez un",
    ],
    &["fill in the", "fill out the", "füllen sie das", "füllen sie den", "vul het", "remplissez le"],
];

fn check_length(draft: &Draft, reply: &Reply, findings: &mut Vec<Finding>) {
    let mut finding = |detail: String, remedy: &str| {
        findings.push(Finding::new("FR-1", detail).at("messages[0].body").mend(remedy));
    };
    let words = draft.body.split_whitespace().count();
    if words > 160 {
        finding(format!("the reply has {words} words; at most 160"), "say less");
    }
    let questions = draft.body.matches(['?', '？']).count();
    if questions > 3 {
        finding(format!("the reply asks {questions} questions; at most 3"), "keep the most important ones");
    }
    let own = prose::without(&draft.body, &reply.quotes).to_lowercase();
    let steps = NEXT_STEPS.iter().filter(|ways| ways.iter().any(|way| own.contains(way))).count();
    if steps > 1 {
        finding(format!("the reply asks for {steps} next steps at once"), "ask for one");
    }
}

fn check_quote(lead: &Lead, draft: &Draft, reply: &Reply, findings: &mut Vec<Finding>) {
    let said = format!("{}\n{}", lead.contact.message, lead.contact.company.as_deref().unwrap_or_default());
    // A message of three signs, or of nothing but placeholders, names nothing that could be taken up.
    if !lead.contact.message.split_whitespace().any(|word| prose::is_concrete(word) && placeholder(word).is_none()) {
        return;
    }
    let takes_up =
        |quote: &String| prose::is_concrete(quote) && prose::quotes(&said, quote) && prose::quotes(&draft.body, quote);
    if !reply.quotes.iter().any(takes_up) {
        findings.push(
            Finding::new("FR-2", "the reply takes up none of the client's words")
                .at("quotes")
                .mend("name the thing the client wrote about, in the client's words"),
        );
    }
}

fn check_language(lead: &Lead, draft: &Draft, reply: &Reply, findings: &mut Vec<Finding>) {
    let mut finding = |detail: String, remedy: &str| {
        findings.push(Finding::new("FR-3", detail).at("messages[0].body").mend(remedy));
    };
    let own = prose::without(&draft.body, &reply.quotes);
    let claimed = reply.written_in.as_deref().unwrap_or(&reply.language);
    if let Some(found) = prose::language(&own)
        && found != prose::primary(claimed)
    {
        finding(
            format!("the reply says it is written in `{claimed}` but reads like `{found}`"),
            "write in one language",
        );
    }
    // Little words alone do not outvote what LeadGen found and the reply follows.
    let known = lead.language.as_deref().map(prose::primary).filter(|known| *known == prose::primary(&reply.language));
    let heard = prose::language(&lead.contact.message)
        .filter(|heard| known.is_none_or(|known| known == *heard))
        .filter(|_| lead.stage_value::<Profile>(Stage::FirstResponder, "profile").is_none());
    if let Some(heard) = heard.filter(|heard| *heard != prose::primary(&reply.language)) {
        finding(
            format!("the client writes `{heard}`, the reply takes it for `{}`", reply.language),
            "answer in the client's language",
        );
    }
    // The client's form is read from the client's own words, in the client's own language.
    let theirs = prose::address(&lead.contact.message, &reply.language);
    if let (None, Some(theirs), Some(ours)) = (&reply.written_in, theirs, prose::address(&own, &reply.language))
        && ours != theirs
    {
        finding(
            format!("the client's address is {}, the reply's is {}", theirs.name(), ours.name()),
            "address the client as the client does",
        );
    }
}

fn check_disclosure(draft: &Draft, findings: &mut Vec<Finding>) {
    if draft.written_by.is_empty() || (prose::names_ai(&draft.body) && draft.body.contains('@')) {
        return;
    }
    findings.push(
        Finding::new("FR-4", "the mail does not say that an AI wrote it and where a person is reached")
            .at("messages[0].body")
            .mend("end with the agency's disclosure; it cannot be left out (EU AI Act, article 50)"),
    );
}

fn check_promises(lead: &Lead, draft: &Draft, reply: &Reply, findings: &mut Vec<Finding>) {
    let own = prose::without(&draft.body, &reply.quotes);
    let mut finding = |detail: String| {
        findings.push(
            Finding::new("FR-5", detail).at("messages[0].body").mend("leave it to the offer, which a person approves"),
        );
    };
    for figure in figures::find(&own) {
        let words = own.get(figure.span.clone()).unwrap_or_default();
        // Somebody may be called 0K; a greeting is no price.
        if prose::quotes(&lead.contact.name, words) {
            continue;
        }
        let kind = match figure.value {
            Value::Money(_) => "a price",
            Value::Percent(_) => "a percentage",
            Value::Date(_) | Value::Day { .. } | Value::Month { .. } => "a date",
        };
        finding(format!("the reply names {kind}, `{words}`"));
    }
    if let Some(promise) = prose::promise(&own).filter(|promise| !prose::quotes(&lead.contact.name, promise)) {
        finding(format!("the reply promises something: `{promise}`"));
    }
}

/// Who is written to for the first time hears how the agency treats what they wrote (GDPR 13).
fn check_privacy(draft: &Draft, findings: &mut Vec<Finding>) {
    if !draft.body.contains("https://") && !draft.body.contains("http://") {
        findings.push(
            Finding::new("FR-8", "the first mail has no link to how data is treated")
                .at("messages[0].body")
                .mend("add the address of the privacy notice"),
        );
    }
}
