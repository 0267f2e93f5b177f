//! A document as Markdown. Every string is escaped; one source line per paragraph, item or row, so that diffs read well.

use super::{NAME_AT_MOST, cut, line};
use crate::doc::{Block, Card, Doc, Row, Signer, Style, Table, Text, Tone};
use crate::engine::label;
use crate::escape;

/// Where a paragraph of somebody's own words begins a new line.
const HARD_BREAK: &str = "\\\n";

pub fn write(doc: &Doc) -> String {
    let mut out = String::new();
    block(&mut out, &format!("# {}", escape::markdown(&doc.headline())));
    block(&mut out, &escape::markdown(&line(&doc.kind)));
    // The other forms have the agency at the top of the page.
    let agency = (label(doc.lang, "doc_from"), cut(&line(&doc.head.agency), NAME_AT_MOST));
    let facts = doc.under_title().into_iter().chain((!agency.1.is_empty()).then_some(agency));
    let facts: Vec<String> =
        facts.map(|(name, value)| format!("- **{name}:** {}", escape::markdown_within(&value))).collect();
    block(&mut out, &facts.join("\n"));
    for content in doc.content() {
        block(&mut out, &write_block(content));
    }
    block(&mut out, "---");
    block(&mut out, &escape::markdown(&doc.drafted()));
    block(&mut out, &escape::markdown(&line(&doc.head.disclosure)));
    let head = &doc.head;
    let sender = [&head.agency, &head.agency_address, &head.agency_mail].map(|part| cut(&line(part), 240));
    block(
        &mut out,
        &escape::markdown(&sender.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(" · ")),
    );
    let marks: Vec<String> = doc.marks().iter().map(|(name, value)| format!("{name}={}", comment(value))).collect();
    block(&mut out, &format!("<!-- MAX; {} -->", marks.join("; ")));
    out
}

fn block(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(text);
    out.push('\n');
}

fn write_block(content: &Block) -> String {
    match content {
        Block::Heading { level, text } => {
            format!("{} {}", "#".repeat(usize::from((*level).clamp(2, 6))), escaped(text))
        }
        Block::Para(text) | Block::Standfirst(text) => opening(text, HARD_BREAK),
        Block::Quote { text, source } => quote(text, source),
        Block::List { ordered, items } => list(*ordered, items),
        Block::Facts(facts) => facts.iter().map(fact).collect::<Vec<_>>().join("\n"),
        Block::Table(table) => write_table(table),
        Block::Card(card) => write_card(card),
        Block::Note(text) => format!("> {}", opening(text, " ")),
        Block::Signatures(signers) => signers.iter().map(signer).collect::<Vec<_>>().join("\n"),
        Block::PageBreak => "---".into(),
    }
}

fn escaped(text: &str) -> String {
    escape::markdown_within(&line(text))
}

/// A paragraph or an item: it begins a line.
fn opening(text: &Text, joint: &str) -> String {
    escape::guard(inline(text, joint))
}

/// Spans in a row; `joint` stands where the text goes on in a new line.
fn inline(text: &Text, joint: &str) -> String {
    let mut out = String::new();
    for span in &text.0 {
        let words = super::clean(&span.text);
        // Emphasis begins and ends at a letter, so the spaces around it stay outside.
        let inner = words.trim_matches([' ', '\n', '\t']);
        let (before, after) = (words.starts_with([' ', '\n', '\t']), words.ends_with([' ', '\n', '\t']));
        if inner.is_empty() {
            if before {
                out.push(' ');
            }
            continue;
        }
        let lines: Vec<String> = inner
            .split('\n')
            .enumerate()
            .map(|(i, l)| if i > 0 { escape::guard(escaped(l)) } else { escaped(l) })
            .filter(|l| !l.is_empty())
            .collect();
        let lines = lines.join(joint);
        if before {
            out.push(' ');
        }
        match span.style {
            Style::Strong => out.push_str(&format!("**{lines}**")),
            Style::Code => out.push_str(&code(inner)),
            Style::Plain | Style::Soft => out.push_str(&lines),
        }
        if after {
            out.push(' ');
        }
    }
    out.trim().to_owned()
}

/// A code span has no escapes, so it holds only what needs none.
fn code(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._:/#,+-=@".contains(c);
    let text = line(text);
    if text.chars().all(plain) { format!("`{text}`") } else { escape::markdown_within(&text) }
}

fn quote(text: &str, source: &str) -> String {
    let mut lines: Vec<String> = super::clean(text).split('\n').map(|l| escape::guard(escaped(l))).collect();
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    let mut out: Vec<String> = lines.iter().map(|l| format!("> {l}").trim_end().to_owned()).collect();
    if !source.is_empty() {
        out.push(">".into());
        out.push(format!("> — {}", escaped(source)));
    }
    out.join("\n")
}

fn list(ordered: bool, items: &[Text]) -> String {
    let bullet = |i: usize| if ordered { format!("{}.", i + 1) } else { "-".into() };
    items
        .iter()
        .enumerate()
        .map(|(i, item)| format!("{} {}", bullet(i), opening(item, " ")))
        .collect::<Vec<_>>()
        .join("\n")
}

fn fact((name, value): &(String, Text)) -> String {
    format!("- **{}:** {}", escaped(name), inline(value, " "))
}

fn write_table(table: &Table) -> String {
    let cells = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut out = vec![cells(table.columns.iter().map(|c| escaped(&c.title)).collect())];
    out.push(cells(table.columns.iter().map(|c| if c.number { "---:" } else { "---" }.into()).collect()));
    out.extend(table.rows.iter().map(|row| cells(write_row(row))));
    out.join("\n")
}

fn write_row(row: &Row) -> Vec<String> {
    let heavy = matches!(row.tone, Tone::Sum | Tone::Total);
    let cell = |text: &Text| {
        let words = inline(text, " ");
        if heavy && !words.is_empty() && !words.contains("**") { format!("**{words}**") } else { words }
    };
    row.cells.iter().map(cell).collect()
}

fn write_card(card: &Card) -> String {
    let mut head = format!("### {}", escaped(&card.id));
    if !card.title.is_empty() {
        head.push_str(&format!(" · {}", escaped(&card.title)));
    }
    if !card.tag.is_empty() {
        head.push_str(&format!(" ({})", escaped(&card.tag)));
    }
    if card.facts.is_empty() {
        return head;
    }
    format!("{head}\n\n{}", card.facts.iter().map(fact).collect::<Vec<_>>().join("\n"))
}

fn signer(signer: &Signer) -> String {
    let parts = [&signer.name, &signer.note].map(|part| escaped(part));
    let rest = parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
    format!(
        "- **{}:** {}",
        escaped(&signer.role),
        if rest.is_empty() { "\\_\\_\\_\\_\\_\\_\\_\\_".into() } else { rest }
    )
}

/// A comment must not end early.
fn comment(text: &str) -> String {
    text.replace(['<', '>', ';'], "").replace("--", "-")
}
