//! What changed between two versions of a document, for people: whole lines of its Markdown, and the words that differ
//! inside a line, under the section they stand in.

use maud::{Markup, html};
use serde::Serialize;
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use crate::engine::label;
use crate::{Lang, escape};

/// Longer lines are compared as a whole: nobody reads a marked-up wall of text, and a turn stays cheap.
const WORDS_AT_MOST: usize = 1_500;
/// More lines than this have no readable diff.
const LINES_AT_MOST: usize = 20_000;
/// Lines that share less than this are two lines, not one that changed.
const ALIKE: f32 = 0.4;

/// One line that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The heading it stands under; empty before the first.
    pub section: String,
    /// What happened to it.
    pub kind: Kind,
    /// Its words in order, old and new.
    pub pieces: Vec<Piece>,
}

/// What happened to a line or some of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is in both versions.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Some of its words are others.
    Changed,
}

/// Some words of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// `Same`, `Added` or `Removed`.
    pub kind: Kind,
    /// The words.
    pub text: String,
}

/// What differs between two versions of a document's Markdown, in the order of the new one.
pub fn readable(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (lines(old), lines(new));
    let mut changes = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &texts(&old), &texts(&new)) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_index, old_len, .. } => removed(&mut changes, &old[old_index..old_index + old_len]),
            DiffOp::Insert { new_index, new_len, .. } => added(&mut changes, &new[new_index..new_index + new_len]),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                replaced(&mut changes, &old[old_index..old_index + old_len], &new[new_index..new_index + new_len]);
            }
        }
    }
    changes
}

/// The changes as Markdown.
pub fn markdown(changes: &[Change], lang: Lang) -> String {
    let mut out = format!("# {}\n", label(lang, "diff_title"));
    if changes.is_empty() {
        out.push_str(&format!("\n{}\n", label(lang, "diff_none")));
    }
    for (section, changes) in by_section(changes) {
        if !section.is_empty() {
            out.push_str(&format!("\n## {}\n", escape::markdown(section)));
        }
        out.push('\n');
        for change in changes {
            let words: String = change.pieces.iter().map(|piece| marked(change.kind, piece)).collect();
            out.push_str(&format!("- **{}:** {}\n", label(lang, name(change.kind)), words.trim()));
        }
    }
    out
}

/// The changes as a page of their own.
pub fn page(title: &str, changes: &[Change], lang: Lang) -> String {
    let page = html! {
        (maud::DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (label(lang, "diff_title")) " · " (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { h1 { (label(lang, "diff_title")) } p { (title) } (fragment(changes, lang)) } }
        }
    };
    page.into_string() + "\n"
}

/// The changes as a part of a page.
pub fn fragment(changes: &[Change], lang: Lang) -> Markup {
    html! {
        @if changes.is_empty() { p { (label(lang, "diff_none")) } }
        @for (section, changes) in by_section(changes) {
            @if !section.is_empty() { h2 dir="auto" { (section) } }
            ul.diff {
                @for change in changes {
                    li class=(name(change.kind)) dir="auto" {
                        strong { (label(lang, name(change.kind))) ": " }
                        @for piece in &change.pieces {
                            @match piece.kind {
                                Kind::Removed => { del { (piece.text) } }
                                Kind::Added => { ins { (piece.text) } }
                                Kind::Same | Kind::Changed => { (piece.text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "body{max-width:54rem;margin:2rem auto;padding:0 1.25rem;font:1.0625rem/1.6 Georgia,serif;color:#1c2226;background:#fff;overflow-wrap:anywhere}\
h1{font-size:1.8rem;line-height:1.2}h2{font-size:1.2rem;margin:2rem 0 .5rem}.diff{list-style:none;padding:0}\
li{margin:.5rem 0;padding:.4rem .9rem;border-inline-start:3px solid #566069}.diff_added{border-color:#1a6b43}.diff_removed{border-color:#a9281d}\
ins{background:#dff3e6;color:#114b2e;text-decoration:underline}del{background:#fbe4e1;color:#7d1d15;text-decoration:line-through}";

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "diff_added",
        Kind::Removed => "diff_removed",
        Kind::Same | Kind::Changed => "diff_changed",
    }
}

/// In a changed line the words are marked; a line that is new or gone needs no marks of its own.
fn marked(line: Kind, piece: &Piece) -> String {
    let (start, end) = match (line, piece.kind) {
        (Kind::Changed, Kind::Removed) => ("~~", "~~"),
        (Kind::Changed, Kind::Added) => ("**", "**"),
        _ => ("", ""),
    };
    let words = escape::markdown_within(&piece.text);
    if words.is_empty() {
        return piece.text.clone();
    }
    // Marks stand at the words, spaces outside of them.
    let before = if piece.text.starts_with(' ') { " " } else { "" };
    let after = if piece.text.ends_with(' ') { " " } else { "" };
    format!("{before}{start}{words}{end}{after}")
}

fn by_section(changes: &[Change]) -> impl Iterator<Item = (&str, &[Change])> {
    changes.chunk_by(|a, b| a.section == b.section).map(|group| (group[0].section.as_str(), group))
}

// ---- lines ----------------------------------------------------------------------------------------------------------

struct Line {
    section: String,
    text: String,
}

/// The lines that a reader sees: without Markdown's own signs, rules, table rulers and comments.
fn lines(source: &str) -> Vec<Line> {
    let mut section = String::new();
    let mut out = Vec::new();
    for raw in source.lines().take(LINES_AT_MOST) {
        let text = plain(raw);
        if text.is_empty() || raw.starts_with("<!--") {
            continue;
        }
        if raw.starts_with("## ") || raw.starts_with("### ") {
            section.clone_from(&text);
        }
        out.push(Line { section: section.clone(), text });
    }
    out
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

/// A line of Markdown as it is read.
fn plain(raw: &str) -> String {
    let line = raw.trim();
    if line.chars().all(|c| matches!(c, '-' | '|' | ':' | ' ' | '>' | '\\')) {
        return String::new();
    }
    let line = line.trim_start_matches('>').trim_start();
    let line = if line.starts_with('#') { line.trim_start_matches('#').trim_start() } else { line };
    let line = line.strip_prefix("- ").unwrap_or(line).trim_end_matches('\\');
    let cells = line.strip_prefix('|').and_then(|l| l.strip_suffix('|'));
    let mut out = String::with_capacity(line.len());
    let mut rest = cells.unwrap_or(line).trim().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '*' if rest.peek() == Some(&'*') => drop(rest.next()),
            '`' => {}
            '|' if cells.is_some() => out.push('·'),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

fn added(changes: &mut Vec<Change>, lines: &[Line]) {
    changes.extend(lines.iter().map(|line| whole(line, Kind::Added)));
}

fn removed(changes: &mut Vec<Change>, lines: &[Line]) {
    changes.extend(lines.iter().map(|line| whole(line, Kind::Removed)));
}

fn whole(line: &Line, kind: Kind) -> Change {
    let pieces = vec![Piece { kind, text: line.text.clone() }];
    Change { section: line.section.clone(), kind, pieces }
}

/// Some lines for others: those that are alike changed, the rest is gone or new.
fn replaced(changes: &mut Vec<Change>, old: &[Line], new: &[Line]) {
    let pairs = old.len().min(new.len());
    for (before, after) in old.iter().zip(new) {
        match changed(before, after) {
            Some(change) => changes.push(change),
            None => changes.extend([whole(before, Kind::Removed), whole(after, Kind::Added)]),
        }
    }
    removed(changes, &old[pairs..]);
    added(changes, &new[pairs..]);
}

fn changed(old: &Line, new: &Line) -> Option<Change> {
    let words = |line: &Line| line.text.split(' ').count();
    if words(old).max(words(new)) > WORDS_AT_MOST {
        return None;
    }
    let diff = TextDiff::from_words(old.text.as_str(), new.text.as_str());
    if diff.ratio() < ALIKE {
        return None;
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for change in diff.iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => Kind::Same,
            ChangeTag::Delete => Kind::Removed,
            ChangeTag::Insert => Kind::Added,
        };
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => pieces.push(Piece { kind, text: change.value().to_owned() }),
        }
    }
    Some(Change { section: new.section.clone(), kind: Kind::Changed, pieces })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str =
        "# Scope\n\n## Price\n\nNet is **€3,300.00** for the shop.\n\n- one\n- two\n\n<!-- MAX; version=1 -->\n";
    const NEW: &str = "# Scope\n\n## Price\n\nNet is **€3,900.00** for the shop.\n\n- one\n- three \\<b\\>\n\n<!-- MAX; version=2 -->\n";

    #[test]
    fn a_reader_sees_the_words_that_changed_and_where() {
        let changes = readable(OLD, NEW);
        let kinds: Vec<Kind> = changes.iter().map(|c| c.kind).collect();
        assert_eq!(kinds, [Kind::Changed, Kind::Removed, Kind::Added], "{changes:?}");
        assert!(changes.iter().all(|c| c.section == "Price"));
        let pieces = &changes[0].pieces;
        assert!(pieces.iter().any(|p| p.kind == Kind::Removed && p.text.contains("€3,300.00")), "{pieces:?}");
        assert!(pieces.iter().any(|p| p.kind == Kind::Added && p.text.contains("€3,900.00")), "{pieces:?}");
        assert_eq!(changes[2].pieces[0].text, "three <b>");
    }

    #[test]
    fn a_diff_escapes_what_it_shows() {
        let changes = readable(OLD, NEW);
        let text = markdown(&changes, Lang::En);
        assert!(text.contains("~~€3,300.00~~") && text.contains("three \\<b\\>"), "{text}");
        let html = page("<scope>", &changes, Lang::De);
        assert!(html.contains("&lt;b&gt;") && !html.contains("<scope>"), "{html}");
        assert!(html.contains("<del>") && html.contains("<ins>"));
    }

    #[test]
    fn the_same_document_has_no_changes() {
        assert!(readable(NEW, NEW).is_empty());
        assert!(markdown(&[], Lang::Fr).contains("identiques"));
    }

    #[test]
    fn very_long_lines_are_compared_as_a_whole() {
        let (old, new) = ("a ".repeat(50_000), "b ".repeat(50_000));
        assert_eq!(readable(&old, &new).len(), 2);
    }
}
