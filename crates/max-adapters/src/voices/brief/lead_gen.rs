//! LeadGen by a model: it judges five factors with the lead's own words as evidence, names the services that are asked
//! for and says whether it is advertising. Score, threshold, decision, enrichment and the polite no are computed.

use std::collections::BTreeMap;

use max_core::lead::NewLead;
use max_core::policy::Service;
use max_core::stage::{Eidolon, Stage};
use max_engine::ports::Thought;
use serde::Deserialize;

use super::super::playbook::lead_gen::factors::{MOST, judged};
use super::super::playbook::lead_gen::{self, Judgement};
use super::super::playbook::text::tame;
use super::super::playbook::turn::Turn;
use super::{Fence, NoThought, Prompt, schema};

pub fn ask(turn: &Turn, fence: &Fence) -> Prompt {
    let services = turn.services();
    Prompt {
        stable: stable(turn, &services),
        fresh: fresh(turn, fence),
        name: "lead_judgement",
        schema: closed(&services),
    }
}

/// What is the same for every lead of this agency.
fn stable(turn: &Turn, services: &[Service]) -> String {
    let mut text = format!(
        "You are {persona}, who works the stage {stage} for the agency {agency}. You judge whether an enquiry is one that \
         the agency can help with. You write to nobody and decide nothing: code adds up your points and decides.\n\n\
         Answer with one JSON object and nothing else.\n\n\
         Five factors make the score. For each give `points` and `evidence`:\n",
        persona = turn.agency.persona(Eidolon::LeadGen),
        stage = Stage::LeadGen,
        agency = turn.agency.profile.name,
    );
    for (name, most) in MOST {
        text.push_str(&format!("- {name}, 0 to {most}: {}\n", about(name)));
    }
    text.push_str(
        "`evidence` is a quotation from the enquiry, letter by letter and not longer than a sentence. Without words that \
         show a factor, `evidence` is null and `points` is 0: what is unknown never counts as good. Judge by the words \
         alone, never by who somebody seems to be: name, sex, age, origin, religion and health are no factors.\n\n\
         `services` says for each of these ids whether the enquiry asks for it, also for what the agency does not do:\n",
    );
    for service in services {
        let offered = if service.offered { "" } else { " (not offered)" };
        text.push_str(&format!("- {}: {}{offered}\n", service.id, service.name));
    }
    text.push_str(
        "`advertises` is true only for a message that wants to sell something and asks for nothing.\n\
         `next_question` is the one question to the client that would tell most, in the client's language; null when all \
         five factors are known.\n\
         `reason` is one sentence on the judgement, for the people of the agency.\n",
    );
    text
}

fn about(factor: &str) -> &'static str {
    match factor {
        "fit" => "asks for something that the agency does",
        "budget" => "names a budget, and it is enough for a project",
        "authority" => "decides, or speaks for the one who does",
        "need" => "says what it needs, and why now",
        _ => "says by when",
    }
}

/// The enquiry, quoted.
fn fresh(turn: &Turn, fence: &Fence) -> String {
    let NewLead { name, company, role, website, budget, timeline, message, .. } = &turn.lead.contact;
    let mut text = fence.rule();
    let fields =
        [("company", company), ("role", role), ("web site", website), ("budget", budget), ("timeline", timeline)];
    let known = fields.into_iter().filter_map(|(label, value)| Some((label, value.as_deref()?)));
    for (label, value) in std::iter::once(("name", name.as_str())).chain(known) {
        if !value.trim().is_empty() {
            text.push_str(&format!("\nThe enquiry's {label}:\n{}", fence.quote(value)));
        }
    }
    text.push_str(&format!("\nThe enquiry:\n{}", fence.quote(message)));
    text
}

fn closed(services: &[Service]) -> serde_json::Value {
    let factor = |(name, most): (&'static str, u8)| {
        let fields = [
            ("points", schema::number(&format!("0 to {most}"))),
            ("evidence", schema::text_or_null("words of the enquiry, letter by letter, or null")),
        ];
        (name, schema::object(fields))
    };
    schema::object([
        ("services", schema::each_of(services.iter().map(|s| s.id.as_str()))),
        ("advertises", schema::truth("wants to sell something and asks for nothing")),
        ("factors", schema::object(MOST.map(factor))),
        ("next_question", schema::text_or_null("one question to the client, or null")),
        ("reason", schema::text("one sentence")),
    ])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    services: BTreeMap<String, bool>,
    advertises: bool,
    factors: Factors,
    next_question: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factors {
    fit: Judged,
    budget: Judged,
    authority: Judged,
    need: Judged,
    time: Judged,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judged {
    points: i64,
    evidence: Option<String>,
}

pub fn understand(turn: &Turn, answer: &str) -> Result<Thought, NoThought> {
    let answer: Answer = super::read(answer)?;
    let services = turn.services();
    let asked = |service: &Service| answer.services.get(&service.id).copied().unwrap_or_default();
    let wanted: Vec<Service> = services.into_iter().filter(asked).collect();
    let Factors { fit, budget, authority, need, time } = answer.factors;
    let factors = [("fit", fit), ("budget", budget), ("authority", authority), ("need", need), ("time", time)]
        .into_iter()
        .map(|(name, factor)| {
            let points = u8::try_from(factor.points.clamp(0, 100)).unwrap_or_default();
            judged(name, points, factor.evidence.and_then(|quote| evidence(turn, quote)).as_deref())
        })
        .collect();
    let line = |text: &str, most: usize| Some(tame(text, most)).filter(|line| !line.is_empty());
    let judgement = Judgement {
        // Somebody who asks for something is never turned away as an advertiser.
        spam: answer.advertises && wanted.is_empty(),
        wanted,
        factors,
        remark: line(&answer.reason, 240),
        next_question: answer.next_question.as_deref().and_then(|question| line(question, 240)),
    };
    Ok(lead_gen::conclude(turn, judgement)?)
}

/// A quotation as it stands in the lead. One that stands nowhere is left for the checks to refuse; when they have done
/// that once, it shows nothing.
fn evidence(turn: &Turn, quote: String) -> Option<String> {
    let contact = &turn.lead.contact;
    let more = [&contact.company, &contact.role, &contact.website, &contact.budget, &contact.timeline];
    let fields = std::iter::once(contact.message.as_str()).chain(more.into_iter().filter_map(|field| field.as_deref()));
    let found = fields.into_iter().find_map(|field| find(field, &quote)).map(str::to_owned);
    match found {
        None if turn.brief.findings.is_empty() && !quote.trim().is_empty() => Some(quote),
        found => found,
    }
}

/// Where a text holds a quotation, whatever the case, the spaces and the kind of quotation marks.
fn find<'t>(text: &'t str, quote: &str) -> Option<&'t str> {
    let wanted: String = plain(quote.trim()).map(|(_, c)| c).collect();
    let wanted = wanted.trim_matches(['"', ' ']);
    if wanted.is_empty() {
        return None;
    }
    let mut at = Vec::new();
    let mut plainly = String::new();
    for (index, c) in plain(text) {
        at.resize(plainly.len() + c.len_utf8(), index);
        plainly.push(c);
    }
    let start = plainly.find(wanted)?;
    let last = *at.get(start + wanted.len() - 1)?;
    let end = last + text.get(last..)?.chars().next()?.len_utf8();
    text.get(*at.get(start)?..end)
}

/// The characters of a text with their places: lower case, one space for many, straight marks.
fn plain(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut spaced = false;
    text.char_indices().filter_map(move |(at, c)| {
        let space = c.is_whitespace();
        let repeated = space && spaced;
        spaced = space;
        let c = match c {
            _ if repeated => return None,
            _ if space => ' ',
            '\u{2018}' | '\u{2019}' | '\u{201a}' => '\'',
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => '"',
            '\u{2010}'..='\u{2015}' => '-',
            c => c.to_lowercase().next().unwrap_or(c),
        };
        Some((at, c))
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_quotation_is_found_as_it_stands() {
        let text = "We “need” a\n  new   Web-Site by March – really. Ünïcode 🎉 too";
        for (quote, found) in [
            ("we \"need\" a new web-site", "We “need” a\n  new   Web-Site"),
            ("by march - really", "by March – really"),
            ("\"ünïcode 🎉\"", "Ünïcode 🎉"),
            ("too", "too"),
        ] {
            assert_eq!(find(text, quote), Some(found));
        }
        for quote in ["", "  ", "\"", "we need nothing", "toot"] {
            assert_eq!(find(text, quote), None, "{quote:?}");
        }
    }
}
