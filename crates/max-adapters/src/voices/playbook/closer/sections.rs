//! The words around the figures of an offer: taken from the client and the approved scope, or fixed texts.

use max_core::stage::Eidolon;
use max_core::stages::closer::{OptionKind, Proposal, Sections, Sourced, TeamMember, price};
use max_core::stages::scoping::{Priority, Scope};
use max_documents::proposal::{letter, option_name};

use super::super::text;
use super::super::turn::Turn;
use super::value;
use max_core::prose::{self, normalised};

/// At most so many of the client's sentences say what the problem is.
const QUOTES: usize = 3;

pub fn sections(turn: &Turn, scope: &Scope, offer: &Proposal, changes: Vec<String>) -> Sections {
    Sections {
        problem: problem(turn, scope),
        value: value::claim(turn),
        excluded: excluded(scope, offer),
        assumptions: assumptions(turn, scope),
        team: team(turn),
        timetable: price::timetable(&offer.lines, scope),
        next_step: next_step(turn, offer),
        changes,
    }
}

/// What the weightiest requirements were asked for with.
fn problem(turn: &Turn, scope: &Scope) -> Vec<Sourced> {
    // Words from which something was taken out (a placeholder, say) are no quote any more.
    let message = normalised(&turn.lead.contact.message);
    let whole = |quote: &str, source: &str| source != "lead" || message.contains(&normalised(quote));
    let mut quotes: Vec<Sourced> = Vec::new();
    for r in scope.musts() {
        let quote = text::tame(&r.quote, 400);
        let new = !quote.is_empty() && !r.source.is_empty() && !quotes.iter().any(|q| q.quote == quote);
        if new && whole(&quote, &r.source) {
            quotes.push(Sourced { quote, source: r.source.clone() });
        }
        if quotes.len() == QUOTES {
            break;
        }
    }
    if quotes.is_empty() {
        let opening = prose::unwrapped(&turn.lead.contact.message);
        let opening = text::sentences(&opening).first().map(|s| text::tame(s.text, 400));
        quotes.extend(
            opening.filter(|q| !q.is_empty() && whole(q, "lead")).map(|quote| Sourced { quote, source: "lead".into() }),
        );
    }
    quotes
}

/// What the scope leaves out, and what the chosen option does.
fn excluded(scope: &Scope, offer: &Proposal) -> Vec<String> {
    let wont = scope.requirements.iter().filter(|r| r.priority == Priority::Wont).map(|r| r.text.clone());
    let unpriced = scope.built().filter(|r| offer.line_of(&r.id).is_none()).map(|r| format!("{}: {}", r.id, r.text));
    let mut excluded: Vec<String> = Vec::new();
    for text in unpriced.chain(wont).chain(scope.out_of_scope.iter().cloned()) {
        if !excluded.contains(&text) {
            excluded.push(text);
        }
    }
    excluded
}

fn assumptions(turn: &Turn, scope: &Scope) -> Vec<String> {
    let content = turn.lang.pick([
        "The client provides texts, pictures and access in time.",
        "Der Kunde stellt Texte, Bilder und Zugänge rechtzeitig bereit.",
        "De klant levert teksten, beelden en toegang op tijd aan.",
        "Le client fournit textes, images et accès à temps.",
    ]);
    let mut assumptions: Vec<String> = scope.assumptions.iter().map(|a| a.text.clone()).take(8).collect();
    assumptions.push(content.into());
    assumptions
}

/// The personas that do the work and the person who answers for it.
fn team(turn: &Turn) -> Vec<TeamMember> {
    let lang = turn.lang;
    let persona = |eidolon: Eidolon, role: [&str; 4]| TeamMember {
        name: turn.agency.persona(eidolon).to_owned(),
        role: lang.pick(role).to_owned(),
        person: false,
    };
    let answers = [
        "answers for this offer and for the work",
        "verantwortlich für Angebot und Umsetzung",
        "verantwoordelijk voor offerte en uitvoering",
        "répond de l'offre et de la réalisation",
    ];
    vec![
        TeamMember { name: turn.agency.profile.contact.clone(), role: lang.pick(answers).into(), person: true },
        persona(
            Eidolon::Closer,
            ["offer and contract", "Angebot und Vertrag", "offerte en contract", "offre et contrat"],
        ),
        persona(Eidolon::Onboarding, ["start of the project", "Projektstart", "projectstart", "démarrage du projet"]),
        persona(
            Eidolon::DeliveryPM,
            [
                "plan, reports and sign-off",
                "Plan, Berichte und Abnahmen",
                "planning, verslagen en oplevering",
                "planning, rapports et réception",
            ],
        ),
    ]
}

fn next_step(turn: &Turn, offer: &Proposal) -> String {
    let at = offer.options.iter().position(|o| Some(o.kind) == offer.chosen).unwrap_or(0);
    let kind = offer.chosen.unwrap_or(OptionKind::Recommended);
    let (letter, name) = (letter(at), option_name(kind, turn.lang));
    turn.lang.pick([
        format!("Answer the mail this came with and name the option you choose, for example “we take option {letter}” ({name}). You then get a contract to read and sign; nothing is binding before that."),
        format!("Antworten Sie auf die Mail, mit der dieses Angebot kam, und nennen Sie Ihre Option, zum Beispiel „wir nehmen Option {letter}“ ({name}). Sie erhalten dann einen Vertrag zum Lesen und Unterschreiben; vorher ist nichts verbindlich."),
        format!("Beantwoord de mail waarmee deze offerte kwam en noem de optie die u kiest, bijvoorbeeld “wij nemen optie {letter}” ({name}). U krijgt dan een contract om te lezen en te ondertekenen; daarvoor is niets bindend."),
        format!("Répondez au courriel qui accompagne cette offre en nommant l'option choisie, par exemple « nous prenons l'option {letter} » ({name}). Vous recevrez alors un contrat à lire et à signer ; rien ne vous engage avant."),
    ])
}
