//! The verdict as a person of the agency reads it: score, evidence, threshold, and how it is reviewed.

use max_core::stages::lead_gen::{Decision, Qualification};
use max_documents::Lang;
use max_documents::doc::{Block, Column, Doc, Row, Table, Text, Tone};

use super::super::text;
use super::super::turn::Turn;

/// The report, in the agency's own language.
pub fn report(turn: &Turn, q: &Qualification) -> Doc {
    let lang = turn.agency.profile.languages.first().copied().unwrap_or(Lang::En);
    let say = |texts: [&'static str; 4]| lang.pick(texts);
    let kind = say(["Qualification", "Bewertung", "Beoordeling", "Évaluation"]);
    let mut doc = Doc::new(kind, format!("{kind}: {}", turn.client()), &turn.head(), lang);
    let decision = match q.decision {
        Decision::Fit => say(["a fit", "passt", "past", "correspond"]),
        Decision::Unclear => say(["unclear", "unklar", "onduidelijk", "incertain"]),
        Decision::NotAFit => say(["not a fit", "passt nicht", "past niet", "ne correspond pas"]),
        Decision::Spam => say(["spam", "Werbung", "reclame", "publicité"]),
    };
    doc.push(Block::Facts(vec![
        (say(["Decision", "Entscheidung", "Besluit", "Décision"]).into(), decision.into()),
        (say(["Score", "Punkte", "Score", "Score"]).into(), format!("{} / 100", q.score).into()),
        (say(["Threshold", "Schwelle", "Drempel", "Seuil"]).into(), q.threshold.to_string().into()),
        (say(["Reason", "Grund", "Reden", "Motif"]).into(), q.reason.as_str().into()),
    ]));
    doc.section(say(["Factors", "Faktoren", "Factoren", "Facteurs"])).push(Block::Table(factors(q, lang)));
    if let Some(question) = &q.next_question {
        doc.section(say(["Ask next", "Als Nächstes fragen", "Vraag hierna", "À demander ensuite"]))
            .para(question.as_str());
    }
    if !q.enrichment.is_empty() {
        doc.section(say(["Looked up", "Nachgeschlagen", "Opgezocht", "Recherché"]));
        doc.list(q.enrichment.iter().map(|e| format!("{}: {} ({}, {})", e.field, e.value, e.url, e.at)));
    }
    if !q.possible_duplicates.is_empty() {
        doc.section(say([
            "Perhaps the same client",
            "Vielleicht derselbe Kunde",
            "Misschien dezelfde klant",
            "Peut-être le même client",
        ]));
        doc.list(q.possible_duplicates.iter().map(|d| format!("{}: {}", d.lead, d.why)));
    }
    if let Some(by) = &q.review_by {
        doc.section(say([
            "Review by a person",
            "Prüfung durch einen Menschen",
            "Beoordeling door een mens",
            "Réexamen par une personne",
        ]));
        doc.para(format!(
            "{} {by}. `max lead reopen`",
            say([
                "The client was told that a person looks at it again:",
                "Dem Kunden wurde gesagt, dass ein Mensch es noch einmal ansieht:",
                "De klant is verteld dat een mens er opnieuw naar kijkt:",
                "Le client sait qu'une personne réexamine sa demande :",
            ])
        ));
    }
    doc
}

fn factors(q: &Qualification, lang: Lang) -> Table {
    let column = |texts: [&str; 4], number| Column { title: lang.pick(texts).into(), number };
    let unknown = lang.pick(["unknown", "unbekannt", "onbekend", "inconnu"]);
    let row = |factor: &max_core::stages::lead_gen::Factor| Row {
        cells: vec![
            factor.name.as_str().into(),
            format!("{} / {}", factor.points, factor.most).into(),
            factor.evidence.as_ref().map_or_else(|| Text::default().soft(unknown), |e| text::tame(e, 300).into()),
        ],
        tone: Tone::Plain,
    };
    Table {
        columns: vec![
            column(["Factor", "Faktor", "Factor", "Facteur"], false),
            column(["Points", "Punkte", "Punten", "Points"], true),
            column(
                [
                    "In the client's words",
                    "In den Worten des Kunden",
                    "In de woorden van de klant",
                    "Dans les mots du client",
                ],
                false,
            ),
        ],
        rows: q.factors.iter().map(row).collect(),
    }
}
