//! Sorting what a client writes while the project runs: a defect, in scope, or a change. Words and overlap with what
//! was agreed on decide; what stays below half sure is not sorted.

use std::collections::BTreeSet;

use max_core::id::Digest;
use max_core::lead::{Direction, Lead, Message, MessageKind};
use max_core::stages::StageResult;
use max_core::stages::change_order::ChangeOrder;
use max_core::stages::delivery_pm::{
    Class, Plan, RequestSorted, SortedRequest, lapsed_orders, open_order, sorted_requests,
};
use max_core::stages::scoping::{Priority, Requirement};
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::super::text::{self, Said, sentences};
use super::super::turn::json;
use super::Running;

/// At most so many requests of one message are sorted; more are a new project.
const AT_MOST: usize = 8;

/// True when the client is so unhappy that only a person should answer.
pub(super) fn is_angry(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "disappointed",
        "unacceptable",
        "angry",
        "furious",
        "fed up",
        "complain",
        "lawyer",
        "refund",
        "enttäuscht",
        "inakzeptabel",
        "verärgert",
        "stinksauer",
        "unverschämt",
        "beschwer",
        "anwalt",
        "geld zurück",
        "teleurgesteld",
        "onacceptabel",
        "boos",
        "klacht",
        "advocaat",
        "geld terug",
        "déçu",
        "inacceptable",
        "furieux",
        "plainte",
        "avocat",
        "rembours",
    ];
    Said::new(message).has(WORDS)
}

/// True when the client asks for the state of things.
pub(super) fn asks_how_it_stands(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "how is it going",
        "how are things",
        "how does it stand",
        "status",
        "any news",
        "on track",
        "on schedule",
        "wie steht",
        "wie ist der stand",
        "wie läuft",
        "im plan",
        "gibt es neuigkeiten",
        "hoe staat het",
        "hoe gaat het",
        "stand van zaken",
        "op schema",
        "où en est",
        "où en êtes",
        "des nouvelles",
        "avancement",
    ];
    Said::new(message).has(WORDS)
}

fn reports_defect(said: &Said) -> bool {
    said.has(&[
        "does not work",
        "doesn't work",
        "not working",
        "do not work",
        "don't work",
        "is broken",
        "are broken",
        "crash",
        "defect",
        " bug",
        "error",
        "is wrong",
        "nothing happens",
        "funktioniert nicht",
        "funktionieren nicht",
        "geht nicht",
        "gehen nicht",
        "kaputt",
        "stürzt ab",
        "fehler",
        "ist falsch",
        "passiert nichts",
        "werkt niet",
        "werken niet",
        "kapot",
        "fout",
        "er gebeurt niets",
        "ne fonctionne pas",
        "ne fonctionnent pas",
        "ne marche pas",
        "cassé",
        "en panne",
        "erreur",
        "il ne se passe rien",
    ])
}

fn wishes_something(said: &Said) -> bool {
    said.has(&[
        "could you add",
        "can you add",
        "please add",
        "could you also",
        "can you also",
        "we also need",
        "we also want",
        "we would also like",
        "we'd also like",
        "i would also like",
        "we need another",
        "in addition",
        "additionally",
        "we would like to have",
        "would be great to have",
        "one more thing",
        "and also",
        "we want",
        "we need",
        "könnten sie noch",
        "können sie noch",
        "bitte noch",
        "wir brauchen noch",
        "wir brauchen auch",
        "wir hätten gern",
        "wir möchten auch",
        "wir möchten noch",
        "zusätzlich",
        "außerdem",
        "dazu noch",
        "noch eine",
        "noch ein",
        "kunt u ook",
        "kun je ook",
        "we willen ook",
        "wij willen ook",
        "we hebben ook",
        "graag ook",
        "daarnaast",
        "nog een",
        "pourriez-vous ajouter",
        "pouvez-vous ajouter",
        "nous aimerions",
        "nous voudrions",
        "il nous faut aussi",
        "nous avons aussi besoin",
        "en plus",
        "ajouter",
    ])
}

/// A no to a change order: short and plain.
fn declines(said: &Said) -> bool {
    said.has(&[
        "we do not want it",
        "we don't want it",
        "leave it",
        "not worth it",
        "without it",
        "drop it",
        "forget it",
        "no, thank",
        "no thank",
        "too expensive",
        "brauchen wir nicht",
        "lassen wir",
        "lassen sie",
        "ohne das",
        "wollen wir nicht",
        "möchten wir nicht",
        "nein danke",
        "nein, danke",
        "zu teuer",
        "laat maar",
        "hoeft niet",
        "nee dank",
        "nee, dank",
        "te duur",
        "willen we niet",
        "laissez tomber",
        "non merci",
        "non, merci",
        "trop cher",
        "n'en voulons pas",
        "sans cela",
    ])
}

/// The lapsed change order that the client names and wants after all.
pub(super) fn asks_again(lead: &Lead, message: &str) -> Option<ChangeOrder> {
    let said = Said::new(message);
    if declines(&said) || open_order(lead).is_some() {
        return None;
    }
    let words: Vec<String> =
        message.to_uppercase().split(|c: char| !c.is_alphanumeric() && c != '-').map(str::to_owned).collect();
    lapsed_orders(lead).into_iter().rev().find(|order| words.contains(&order.id()))
}

fn says_it_is_there(said: &Said) -> bool {
    said.has(&[
        "attached",
        "here are",
        "here is",
        "we have sent",
        "we sent",
        "we have invited",
        "invited you",
        "anbei",
        "im anhang",
        "angehängt",
        "haben wir geschickt",
        "haben sie eingeladen",
        "hier sind",
        "hier ist",
        "bijgevoegd",
        "bijlage",
        "hebben we gestuurd",
        "uitgenodigd",
        "ci-joint",
        "en pièce jointe",
        "voici",
        "avons envoyé",
        "avons invité",
    ])
}

/// The requests in what the client wrote last, or nothing when there is none to be sure of.
pub(super) fn sort(running: &Running, plan: &Plan) -> Result<Option<Thought>, CallFail> {
    let turn = running.turn;
    let mut sorted = RequestSorted {
        requests: Vec::new(),
        mended: Vec::new(),
        dropped: Vec::new(),
        orders_dropped: Vec::new(),
        duties_done: Vec::new(),
    };
    let before = sorted_requests(turn.lead);
    for message in news(running) {
        for sentence in sentences(text::head(&message.body, 20_000)) {
            let said = Said::new(sentence.text);
            let id = format!("RQ-{}", before.len() + sorted.requests.len() + 1);
            let source = message.id.to_string();
            // The same words in the same message were sorted by an earlier try.
            let known = before.iter().any(|r| r.source == source && r.quote == text::tame(sentence.text, 300));
            if known || sorted.requests.len() == AT_MOST {
                continue;
            }
            if open_order(turn.lead)
                .is_some_and(|o| declines(&said) && !sorted.orders_dropped.contains(&o.order.number))
            {
                sorted.orders_dropped.extend(open_order(turn.lead).map(|o| o.order.number));
            } else if let Some(duty) =
                plan.duties.iter().find(|d| says_it_is_there(&said) && overlap(&d.text, sentence.text) > 0)
            {
                sorted.duties_done.push(duty.id.clone());
            } else {
                let milestone = plan.open_milestone(turn.lead).map(|m| m.requirements.as_slice()).unwrap_or_default();
                sorted.requests.extend(class_of(sentence.text, &said, running, milestone).map(|judged| {
                    SortedRequest {
                        id,
                        source,
                        quote: text::tame(sentence.text, 300),
                        class: judged.class,
                        requirement: judged.requirement,
                        confidence: judged.confidence,
                        reason: judged.reason.into(),
                        settled: false,
                    }
                }));
            }
        }
    }
    // What was asked for in an order that the client declines is not asked for any more.
    if let Some(open) = open_order(turn.lead).filter(|o| sorted.orders_dropped.contains(&o.order.number)) {
        let asked = |r: &&SortedRequest| r.source == open.order.source && r.quote == open.order.quote;
        sorted.dropped.extend(before.iter().filter(asked).map(|r| r.id.clone()));
    }
    let empty = sorted.requests.is_empty() && sorted.orders_dropped.is_empty() && sorted.duties_done.is_empty();
    if empty { Ok(None) } else { answer(running, sorted).map(Some) }
}

/// What the client wrote after the last message to them.
fn news<'a>(running: &'a Running) -> Vec<&'a Message> {
    let automatic = [MessageKind::OutOfOffice, MessageKind::Bounce, MessageKind::OptOut];
    let newest = running.turn.brief.messages.iter().rev().filter(|m| m.kind != MessageKind::Receipt);
    let mut news: Vec<&Message> = newest.take_while(|m| m.direction == Direction::In).collect();
    news.retain(|m| !automatic.contains(&m.kind));
    news.reverse();
    news
}

struct Judged {
    class: Class,
    requirement: Option<String>,
    confidence: u8,
    reason: &'static str,
}

fn class_of(sentence: &str, said: &Said, running: &Running, milestone: &[String]) -> Option<Judged> {
    let built = running.agreed.requirements.iter().filter(|r| r.priority != Priority::Wont);
    let closest = built
        .map(|r| (overlap(&r.text, sentence), r))
        .max_by_key(|(words, r)| (*words, std::cmp::Reverse(r.id.clone())));
    let close = closest.filter(|(words, _)| *words > 0);
    let id = |r: &Requirement| Some(r.id.clone());
    if reports_defect(said) {
        return Some(match close {
            Some((words, r)) => Judged {
                class: Class::Defect,
                requirement: id(r),
                confidence: if words > 1 { 90 } else { 75 },
                reason: "the client says that something agreed on does not work",
            },
            None => Judged {
                class: Class::Defect,
                requirement: milestone.first().cloned().or_else(|| running.agreed.requirements.first().and_then(id)),
                confidence: 55,
                reason: "the client says that something does not work; which requirement it is follows from the milestone",
            },
        });
    }
    if !wishes_something(said) {
        return None;
    }
    Some(match close {
        // Two words of the requirement, and half of what it says.
        Some((words, r)) if words > 1 && 2 * words >= content(&r.text).len() => Judged {
            class: Class::InScope,
            requirement: id(r),
            confidence: 80,
            reason: "it says in other words what was agreed on",
        },
        Some((_, r)) => Judged {
            class: Class::Change,
            requirement: id(r),
            confidence: 70,
            reason: "it goes beyond the requirement it touches",
        },
        None => {
            Judged { class: Class::Change, requirement: None, confidence: 80, reason: "nothing agreed on says this" }
        }
    })
}

/// How many words of weight two texts share.
fn overlap(one: &str, other: &str) -> usize {
    let (one, other) = (content(one), content(other));
    one.iter().filter(|word| other.iter().any(|o| alike(word, o))).count()
}

/// Words are taken for the same when the longer one only adds an ending, as plurals and cases do.
fn alike(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short == long || long.starts_with(short) && long.len() - short.len() <= 2
}

fn content(text: &str) -> BTreeSet<String> {
    const EMPTY: [&str; 52] = [
        "also",
        "another",
        "could",
        "have",
        "need",
        "please",
        "should",
        "that",
        "their",
        "there",
        "they",
        "this",
        "want",
        "with",
        "would",
        "work",
        "works",
        "working",
        "auch",
        "bitte",
        "brauchen",
        "eine",
        "einen",
        "einer",
        "haben",
        "noch",
        "sollen",
        "soll",
        "kann",
        "können",
        "unser",
        "unsere",
        "wird",
        "werden",
        "möchten",
        "nicht",
        "funktioniert",
        "graag",
        "hebben",
        "moet",
        "onze",
        "werkt",
        "willen",
        "avec",
        "avons",
        "besoin",
        "dans",
        "fonctionne",
        "notre",
        "nous",
        "pour",
        "être",
    ];
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() > 3);
    words.filter(|w| !EMPTY.contains(w)).map(str::to_owned).collect()
}

fn answer(running: &Running, sorted: RequestSorted) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let any = |class: Class| sorted.requests.iter().any(|r| r.class == class);
    let slots = context! {
        defect => any(Class::Defect),
        in_scope => any(Class::InScope),
        change => any(Class::Change),
        dropped => !sorted.orders_dropped.is_empty(),
        received => !sorted.duties_done.is_empty(),
    };
    let mut messages = turn.mail(MessageKind::Reply, "sorted", slots)?;
    for draft in &mut messages {
        // Two requests of one kind get the same words; what they were about tells the answers apart.
        if turn.was_said(&draft.body) {
            let ids: Vec<&str> = sorted.requests.iter().map(|r| r.id.as_str()).collect();
            draft.body.push_str(&format!("\n\n({})", ids.join(", ")));
        }
    }
    let classes: Vec<String> = sorted.requests.iter().map(|r| format!("{} {}", r.id, r.class.name())).collect();
    let file = json(&format!("requests/{}.json", Digest::of_json(&sorted)), &sorted)?;
    let what = if classes.is_empty() { "an order or a duty settled".to_owned() } else { classes.join(", ") };
    Ok(Thought {
        summary: format!("Sorted what the client wrote: {what}"),
        result: StageResult::RequestSorted(sorted),
        messages,
        files: vec![file],
    })
}
