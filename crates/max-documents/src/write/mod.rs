//! The writers: a [`Doc`] as Markdown, HTML and PDF, with the same content in the same order.
//!
//! Each writer escapes every string for its own format; what all three share (characters that may not be shown, the
//! words around a document) stands here.

mod html;
mod markdown;
mod pdf;

use crate::doc::{Block, Doc, Table};
use crate::engine::{label, label_with};
use crate::{RenderError, Rendered};

pub use pdf::Pdf;

/// Nobody's name is longer; what is goes on in the JSON.
const NAME_AT_MOST: usize = 160;
/// Dates are the longest that a narrow column holds.
const NARROW: usize = 18;
/// The same of a column of numbers: `11.75 days × €1,200.00`.
const NUMBER_AT_MOST: usize = 24;
/// What a line at the foot of a page has room for.
const FOOT_AT_MOST: usize = 48;

impl Doc {
    /// The document in all its forms.
    pub fn render(&self) -> Result<Rendered, RenderError> {
        let pdf = self.pdf()?;
        Ok(Rendered { markdown: self.markdown(), html: self.html(), pdf: pdf.bytes, pages: pdf.pages })
    }

    /// For people with an editor, and for diffs.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }

    /// For people with a browser: one self-contained, printable file.
    pub fn html(&self) -> String {
        html::write(self)
    }

    /// For people with paper. The same document gives the same bytes.
    pub fn pdf(&self) -> Result<Pdf, RenderError> {
        pdf::write(self)
    }

    /// What there is to write: a list without items or a table without columns is nothing.
    fn content(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| match block {
            Block::List { items, .. } => !items.is_empty(),
            Block::Facts(facts) => !facts.is_empty(),
            Block::Table(table) => !table.columns.is_empty(),
            Block::Signatures(signers) => !signers.is_empty(),
            _ => true,
        })
    }

    /// The title as far as a title goes.
    fn headline(&self) -> String {
        cut(&line(&self.title), NAME_AT_MOST)
    }

    /// What stands under the title: for whom, when, which version.
    fn under_title(&self) -> Vec<(&'static str, String)> {
        let client = cut(&line(&self.head.client), NAME_AT_MOST);
        let person = cut(&line(&self.head.person), NAME_AT_MOST);
        let whom = if person.is_empty() || person == client { client } else { format!("{client}, {person}") };
        let mut facts =
            vec![(label(self.lang, "doc_for"), whom), (label(self.lang, "doc_date"), self.lang.date(self.head.date))];
        if self.meta.version > 1 {
            facts.push((label(self.lang, "doc_version"), self.meta.version.to_string()));
        }
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    /// Who drafted it and who answers for it (rule X-7), in a sentence.
    fn drafted(&self) -> String {
        let key = match (self.meta.voice.as_str(), self.meta.persona.is_empty()) {
            (_, true) => "doc_drafted",
            ("playbook", false) => "doc_drafted_playbook",
            (_, false) => "doc_drafted_by",
        };
        let slots = [("persona", self.meta.persona.as_str()), ("voice", self.meta.voice.as_str())];
        let mut sentence = label_with(self.lang, key, &slots);
        if !self.meta.approver.is_empty() {
            sentence.push(' ');
            sentence.push_str(&label_with(self.lang, "doc_approver", &[("approver", &self.meta.approver)]));
        }
        cut(&line(&sentence), 3 * NAME_AT_MOST)
    }

    /// What a machine reads about the making of the document, in the order of the metadata: name and value.
    fn marks(&self) -> Vec<(&'static str, String)> {
        let mut marks = vec![("AI-drafted", "yes".to_owned())];
        for (name, value) in
            [("persona", &self.meta.persona), ("voice", &self.meta.voice), ("approver", &self.meta.approver)]
        {
            if !value.is_empty() {
                marks.push((name, cut(&line(value), NAME_AT_MOST)));
            }
        }
        marks.push(("version", self.meta.version.max(1).to_string()));
        marks.push(("language", self.lang.tag().to_owned()));
        if let Some(source) = &self.meta.source {
            marks.push(("source-sha256", source.to_string()));
        }
        marks
    }

    /// The colour of the document: the one asked for if it can be read on white, else the house's.
    fn accent(&self) -> &str {
        self.meta.accent.as_deref().filter(|colour| readable_on_white(colour)).unwrap_or(HOUSE_COLOUR)
    }
}

/// A dark petrol: 9.4 to 1 on white.
const HOUSE_COLOUR: &str = "#17494d";

/// True for `#rrggbb` with a contrast of 4.5 to 1 or more on white, which WCAG asks of text.
fn readable_on_white(colour: &str) -> bool {
    let Some(hex) = colour.strip_prefix('#').filter(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()))
    else {
        return false;
    };
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or(255)) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4);
    1.05 / (luminance + 0.05) >= 4.5
}

/// Text without characters that have no look of their own: controls, and the overrides that can make `50` read `05`.
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").chars().filter(|c| !invisible(*c)).collect()
}

fn invisible(c: char) -> bool {
    match c {
        '\n' => false,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control() && c != '\t',
    }
}

/// The same on one line. `split_whitespace` would take no-break spaces for spaces and lose them.
fn line(text: &str) -> String {
    clean(text).split([' ', '\n', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// At most this many characters, with an ellipsis where something is missing.
fn cut(text: &str, at_most: usize) -> String {
    match text.char_indices().nth(at_most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// How many characters the longest cell of a column holds, its title among them.
fn longest(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().filter_map(|row| row.cells.get(column));
    let cells = cells.map(|cell| cell.0.iter().map(|span| span.text.chars().count()).sum());
    let title = table.columns.get(column).map_or(0, |c| c.title.chars().count());
    cells.max().unwrap_or(0usize).max(title)
}

/// True for a column that stays on one line and takes the room it needs: ids, dates, amounts.
fn is_narrow(table: &Table, column: usize) -> bool {
    let number = table.columns.get(column).is_some_and(|c| c.number);
    longest(table, column) <= if number { NUMBER_AT_MOST } else { NARROW }
}

/// True when the first letter that has a direction is read from right to left.
fn right_to_left(text: &str) -> bool {
    text.chars().find(|c| c.is_alphabetic()).is_some_and(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

#[cfg(test)]
mod tests;
