//! An export as one page that needs nothing else. Everything in it came from outside at some time, so all is escaped.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;\
background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem;border-bottom:1px solid #ccc}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;\
border-bottom:1px solid #e5e5e5;overflow-wrap:anywhere}th{width:14rem;font-weight:600}pre{white-space:pre-wrap;\
overflow-wrap:anywhere;background:#f6f6f6;padding:.8rem;border-radius:4px}.quiet{color:#555}";

/// The parts of the page: the key in the export, and its heading in English, German, Dutch and French.
const PARTS: [(&str, [&str; 4]); 20] = [
    ("contact", ["Who you are", "Wer Sie sind", "Wie u bent", "Qui vous êtes"]),
    ("state", ["Where it stands", "Stand", "Stand van zaken", "État"]),
    (
        "consent",
        ["What you agreed to", "Wozu Sie zugestimmt haben", "Waarmee u hebt ingestemd", "Ce que vous avez accepté"],
    ),
    (
        "told_that_an_ai_writes",
        ["How you were told of AI", "Hinweis auf KI", "Vermelding van AI", "Information sur l’IA"],
    ),
    ("conversation", ["Conversation", "Schriftwechsel", "Correspondentie", "Échanges"]),
    (
        "assessments",
        ["Scores and their reasons", "Bewertungen mit Gründen", "Beoordelingen met redenen", "Évaluations et motifs"],
    ),
    ("notes_of_the_ai", ["Notes of the AI", "Notizen der KI", "Notities van de AI", "Notes de l’IA"]),
    ("results", ["Results of each stage", "Ergebnisse je Abschnitt", "Resultaten per fase", "Résultats par étape"]),
    (
        "decisions_of_people",
        ["Decisions of people", "Entscheidungen von Menschen", "Beslissingen van mensen", "Décisions humaines"],
    ),
    ("signature", ["Signature", "Unterschrift", "Handtekening", "Signature"]),
    ("milestones_signed_off", ["Milestones", "Meilensteine", "Mijlpalen", "Jalons"]),
    (
        "change_orders_signed",
        ["Change orders signed", "Unterschriebene Änderungsaufträge", "Ondertekende wijzigingen", "Avenants signés"],
    ),
    (
        "change_orders_lapsed",
        [
            "Change orders lapsed",
            "Verfallene Änderungsaufträge",
            "Vervallen wijzigingen",
            "Avenants non signés à temps",
        ],
    ),
    ("deposit", ["Deposit", "Anzahlung", "Aanbetaling", "Acompte"]),
    ("artifacts", ["Files", "Dateien", "Bestanden", "Fichiers"]),
    ("moves", ["Moves", "Verlauf", "Verloop", "Parcours"]),
    ("erasure_asked", ["Erasure asked for", "Verlangte Löschung", "Gevraagde wissing", "Effacement demandé"]),
    ("suppression", ["Suppression list", "Sperrliste", "Blokkeerlijst", "Liste d’exclusion"]),
    (
        "sent_to_model_providers",
        [
            "Sent to providers of AI models",
            "An Anbieter von KI-Modellen gesendet",
            "Verzonden aan aanbieders van AI-modellen",
            "Envoyé à des fournisseurs de modèles d’IA",
        ],
    ),
    ("audit_trail", ["Audit trail", "Protokoll", "Logboek", "Journal"]),
];

/// The page.
pub fn page(export: &Value, agency: &str) -> String {
    let tag = export["language"].as_str().or(export["contact"]["locale"].as_str()).unwrap_or("en");
    let tag = tag.get(..2).unwrap_or("en").to_lowercase();
    let lang = ["en", "de", "nl", "fr"].iter().position(|known| **known == tag).unwrap_or(0);
    let title = ["Your data", "Ihre Daten", "Uw gegevens", "Vos données"][lang];
    let nothing = ["Nothing.", "Nichts.", "Niets.", "Rien."][lang];
    let page = html! {
        (DOCTYPE)
        html lang=(["en", "de", "nl", "fr"][lang]) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p class="quiet" { (agency) " · " (text(&export["exported_at"])) " · " (text(&export["lead_id"])) }
                @for (key, headings) in PARTS {
                    h2 id=(key) { (headings[lang]) }
                    @if is_empty(&export[key]) { p class="quiet" { (nothing) } } @else { (value(&export[key], 0)) }
                }
            }
        }
    };
    page.into_string()
}

/// Objects and lists as tables, texts as they are.
fn value(value: &Value, depth: usize) -> Markup {
    match value {
        Value::Object(fields) if depth < 6 => html! {
            table { tbody {
                @for (name, field) in fields.iter().filter(|(_, field)| !is_empty(field)) {
                    tr { th scope="row" { (name.replace('_', " ")) } td { (self::value(field, depth + 1)) } }
                }
            } }
        },
        Value::Array(items) if depth < 6 => html! {
            @for item in items { div { (self::value(item, depth + 1)) } }
        },
        Value::String(said) if said.contains('\n') => html! { pre { (said) } },
        other => html! { (text(other)) },
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_somebody_wrote_becomes_markup() {
        let export = json!({
            "lead_id": "1", "exported_at": "2026-11-23T09:00:00Z", "language": "de",
            "contact": {"name": "<script>alert(1)</script>", "\"><img src=x>": "=HYPERLINK(\"http://evil\")"},
            "conversation": [{"body": "one\n</pre><b>two"}],
        });
        let page = page(&export, "<b>Agency</b>");
        for markup in ["<script", "<img", "<b>", "</pre><"] {
            assert!(!page.replace("</pre></td>", "").contains(markup), "{markup} in {page}");
        }
        assert!(page.contains("lang=\"de\"") && page.contains("Schriftwechsel") && page.contains("&lt;script&gt;"));
        assert!(!page.contains("src=\"http") && !page.contains("<link"), "it needs nothing else");
    }
}
