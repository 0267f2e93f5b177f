//! A document as one HTML file: self-contained, printable, readable from 320 pixels on. Every string goes through maud,
//! which escapes it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{cut, is_narrow, line};
use crate::doc::{Block, Card, Doc, Row, Signer, Style, Table, Text, Tone};
use crate::engine::label;

const STYLE: &str = include_str!("document.css");

pub fn write(doc: &Doc) -> String {
    let title = doc.headline();
    let marks: Vec<String> = doc.marks().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let keywords = marks.join(", ");
    let generator = format!("MAX; {}", marks.join("; "));
    let page = html! {
        (DOCTYPE)
        html lang=(doc.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (line(&doc.kind)) }
                meta name="generator" content=(generator);
                meta name="author" content=(cut(&line(&doc.head.agency), 160));
                meta name="keywords" content=(keywords);
                meta name="description" content=(doc.drafted());
                meta name="date" content=(doc.head.date.to_string());
                style { (PreEscaped(STYLE)) ":root{--accent:" (doc.accent()) "}" }
            }
            body {
                (letterhead(doc))
                main { (opening(doc, &title)) @for block in doc.content() { (write_block(doc, block)) } }
                (colophon(doc))
            }
        }
    };
    page.into_string() + "\n"
}

fn letterhead(doc: &Doc) -> Markup {
    html! {
        header.letterhead {
            p.agency { bdi { (cut(&line(&doc.head.agency), 160)) } }
            p.address { bdi { (cut(&line(&doc.head.agency_address), 240)) } br; bdi { (cut(&line(&doc.head.agency_mail), 160)) } }
        }
    }
}

fn opening(doc: &Doc, title: &str) -> Markup {
    html! {
        p.kind { (line(&doc.kind)) }
        h1 dir="auto" { (title) }
        dl.under { @for (name, value) in doc.under_title() { div { dt { (name) } dd dir="auto" { (value) } } } }
    }
}

fn colophon(doc: &Doc) -> Markup {
    html! {
        footer {
            p { (doc.drafted()) }
            @if !doc.head.disclosure.trim().is_empty() { p { (line(&doc.head.disclosure)) } }
        }
    }
}

fn write_block(doc: &Doc, block: &Block) -> Markup {
    match block {
        Block::Heading { level: 0..=2, text } => html! { h2 dir="auto" { (line(text)) } },
        Block::Heading { text, .. } => html! { h3 dir="auto" { (line(text)) } },
        Block::Para(text) => html! { p dir="auto" { (inline(text)) } },
        Block::Standfirst(text) => html! { p.standfirst dir="auto" { (inline(text)) } },
        Block::Quote { text, source } => html! {
            figure.quote {
                blockquote dir="auto" { (lines(text)) }
                @if !source.is_empty() { figcaption { (line(source)) } }
            }
        },
        Block::List { ordered: true, items } => {
            html! { ol { @for item in items { li dir="auto" { (inline(item)) } } } }
        }
        Block::List { items, .. } => html! { ul { @for item in items { li dir="auto" { (inline(item)) } } } },
        Block::Facts(facts) => html! { dl.facts { (write_facts(facts)) } },
        Block::Table(table) => write_table(table),
        Block::Card(card) => write_card(card),
        Block::Note(text) => html! { p.note dir="auto" { (inline(text)) } },
        Block::Signatures(signers) => html! {
            div.signatures { @for signer in signers { (write_signer(doc, signer)) } }
        },
        Block::PageBreak => html! { hr.page; },
    }
}

fn inline(text: &Text) -> Markup {
    html! {
        @for span in &text.0 {
            @match span.style {
                Style::Plain => { (lines(&span.text)) }
                Style::Strong => { strong { (lines(&span.text)) } }
                Style::Soft => { span.soft { (lines(&span.text)) } }
                Style::Code => { code { (lines(&span.text)) } }
            }
        }
    }
}

/// Words whose line ends mean something.
fn lines(text: &str) -> Markup {
    let text = super::clean(text);
    html! { @for (i, line) in text.split('\n').enumerate() { @if i > 0 { br; } (line) } }
}

fn write_facts(facts: &[(String, Text)]) -> Markup {
    html! { @for (name, value) in facts { div { dt { (line(name)) } dd dir="auto" { (inline(value)) } } } }
}

/// The roles keep it a table for those who listen, where a narrow screen sets its rows as blocks.
fn write_table(table: &Table) -> Markup {
    let looks: Vec<Option<&str>> = (0..table.columns.len()).map(|i| look(table, i)).collect();
    html! {
        table role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    @for (column, look) in table.columns.iter().zip(&looks) {
                        th scope="col" role="columnheader" class=[*look] { (line(&column.title)) }
                    }
                }
            }
            tbody role="rowgroup" { @for row in &table.rows { (write_row(table, &looks, row)) } }
        }
    }
}

/// The class of a column's cells.
fn look(table: &Table, column: usize) -> Option<&'static str> {
    match (table.columns.get(column)?.number, is_narrow(table, column)) {
        (true, true) => Some("number narrow"),
        (true, false) => Some("number"),
        (false, narrow) => narrow.then_some("narrow"),
    }
}

fn write_row(table: &Table, looks: &[Option<&str>], row: &Row) -> Markup {
    html! {
        tr role="row" class=[tone(row.tone)] {
            @for ((column, look), cell) in table.columns.iter().zip(looks).zip(&row.cells) {
                td role="cell" dir="auto" class=[*look] data-label=(line(&column.title)) {
                    span { (inline(cell)) }
                }
            }
        }
    }
}

fn write_card(card: &Card) -> Markup {
    html! {
        section.card.(tone(card.tone).unwrap_or("plain")) id=[anchor(&card.id)] {
            h3 {
                span.id { (line(&card.id)) } " "
                span.title dir="auto" { (line(&card.title)) }
                @if !card.tag.is_empty() { " " span.tag { (line(&card.tag)) } }
            }
            @if !card.facts.is_empty() { dl.facts { (write_facts(&card.facts)) } }
        }
    }
}

fn write_signer(doc: &Doc, signer: &Signer) -> Markup {
    html! {
        div.signer {
            p.line { span.unseen { (label(doc.lang, "doc_signature")) } }
            p { strong { (line(&signer.role)) } }
            @if !signer.name.is_empty() { p dir="auto" { (line(&signer.name)) } }
            @if !signer.note.is_empty() { p.soft { (line(&signer.note)) } }
        }
    }
}

/// An id that may stand in an address.
fn anchor(id: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!id.is_empty() && id.bytes().all(plain)).then_some(id)
}

fn tone(tone: Tone) -> Option<&'static str> {
    (tone != Tone::Plain).then(|| tone.name())
}
