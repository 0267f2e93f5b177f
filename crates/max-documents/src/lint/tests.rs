//! Documents as they leave the house, and what is wrong with those that should not.

use jiff::civil::date;
use max_core::rules::Weight;

use super::*;

const SCOPE: &str = r#"{"title":"Booking page","requirements":[{"id":"R-001","text":"Book a table","quote":"TODO: a booking page"}],"a":{"b":{}}}"#;

fn lead() -> Record {
    Record {
        client: vec!["Mina Berg".into(), "Berg & Söhne".into()],
        since: Some(date(2026, 11, 20)),
        language: Some(Lang::De),
        his_words: "todo: a booking page".into(),
        ..Record::default()
    }
    .at_agency("Studio Fiktiv", "EUR", date(2026, 11, 23))
}

/// A page as our writer makes it.
fn page(body: &str) -> String {
    let source = Digest::of(SCOPE.as_bytes());
    format!(
        "<!DOCTYPE html><html lang=\"de\"><head><meta name=\"generator\" content=\"MAX; AI-drafted=yes\">\
         <meta name=\"author\" content=\"Studio Fiktiv\">\
         <meta name=\"keywords\" content=\"AI-drafted=yes, approver=Ada, source-sha256={source}\">\
         <meta name=\"date\" content=\"2026-11-23\"><style>a{{b{{}}}}</style></head>\
         <body><h1>Für Berg &amp; Söhne</h1><p>{body}</p></body></html>"
    )
}

fn found(given: &[(&str, &str)]) -> Vec<String> {
    let given: Vec<File<'_>> = given.iter().map(|(name, text)| File { name, bytes: text.as_bytes() }).collect();
    let findings = files(&lead(), &given);
    assert!(findings.iter().all(|f| f.weight <= Weight::Blocks), "content refuses: {findings:?}");
    findings.into_iter().map(|f| format!("{} {}", f.rule, f.place)).collect()
}

fn in_page(html: &str) -> Vec<String> {
    found(&[("scope.json", SCOPE), ("scope.html", html)])
}

#[test]
fn an_honest_document_passes() {
    assert_eq!(in_page(&page("R-001 bis 2026-12-01, TODO: a booking page")), Vec::<String>::new());
}

#[test]
fn x_1_a_document_is_made_from_the_json_beside_it() {
    let other = page("").replace(&Digest::of(SCOPE.as_bytes()).to_string(), &Digest::of(b"else").to_string());
    assert_eq!(in_page(&other), ["X-1 scope.html"]);
    let none = page("").replace("source-sha256=", "from=");
    assert_eq!(in_page(&none), ["X-1 scope.html"]);
    let paper = format!("%PDF-1.7 source-sha256={} ", Digest::of(b"else"));
    assert_eq!(found(&[("scope.json", SCOPE), ("scope.pdf", &paper)]), ["X-1 scope.pdf"]);
    assert_eq!(found(&[("scope.html", &other)]), ["X-1 scope.html"], "no file of the lead is its source");
}

#[test]
fn x_2_nothing_is_left_to_fill_in() {
    for left in ["Lorem ipsum dolor", "TBD", "{{ name }}", "[client name]", "Summe: NaN €", "undefined"] {
        assert_eq!(in_page(&page(left)), ["X-2 scope.html"], "{left}");
        assert_eq!(found(&[("brief.md", left)]), ["X-2 brief.md"], "{left}");
    }
    assert_eq!(found(&[("offer.json", r#"{"text":"TBD","quote":"XXX"}"#)]), ["X-2 offer.json"]);
    assert_eq!(found(&[("offer.json", r#"{"quote":"XXX","a":{"b":{}}}"#)]), Vec::<String>::new());
}

#[test]
fn x_3_names_language_and_currency_are_the_leads() {
    assert_eq!(in_page(&page("").replace("lang=\"de\"", "lang=\"fr\"")), ["X-3 scope.html"]);
    assert_eq!(in_page(&page("").replace("content=\"Studio Fiktiv\"", "content=\"Other\"")), ["X-3 scope.html"]);
    assert_eq!(in_page(&page("").replace("Berg &amp; Söhne", "Somebody else")), ["X-3 scope.html"]);
    assert_eq!(found(&[("proposal.json", r#"{"currency":"USD"}"#)]), ["X-3 proposal.json"]);
    assert_eq!(found(&[("scope.json", r#"{"budget":{"currency":"USD"}}"#)]), Vec::<String>::new());
}

#[test]
fn x_4_ids_exist_and_the_scope_is_the_newest() {
    assert_eq!(in_page(&page("R-001 und R-007")), ["X-4 scope.html"]);
    let plan = r#"{"milestones":[{"id":"M-1"}]}"#;
    assert_eq!(found(&[("plan.json", plan), ("plan.md", "M-1, then M-2")]), ["X-4 plan.md"]);
    let contract = format!(r#"{{"scope":"{}"}}"#, Digest::of(b"the old scope"));
    assert_eq!(found(&[("scope.json", SCOPE), ("contract.json", &contract)]), ["X-4 contract.json"]);
}

#[test]
fn x_6_dates_are_days_and_in_order() {
    assert_eq!(in_page(&page("bis 2026-02-30")), ["X-6 scope.html"]);
    assert_eq!(found(&[("plan.json", r#"{"start":"2026-12-01","end":"2026-11-30"}"#)]), ["X-6 plan.json"]);
    assert_eq!(in_page(&page("").replace("2026-11-23", "2025-11-23")), ["X-6 scope.html"]);
    assert_eq!(found(&[("plan.md", "call 2026-11-2 or 1234-567-89")]), Vec::<String>::new());
}

#[test]
fn x_7_ai_and_the_person_who_answers_are_named() {
    assert_eq!(in_page(&page("").replace("\"AI-drafted=yes, ", "\"")), ["X-7 scope.html"]);
    assert_eq!(in_page(&page("").replace("approver=Ada, ", "")), ["X-7 scope.html"]);
}
