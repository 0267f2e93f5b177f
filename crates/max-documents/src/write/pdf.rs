//! A document as PDF, set by typst.
//!
//! The layout is one fixed program, `document.typ`. A document reaches it as JSON, in the only file that the program can
//! open: strings stay strings and are never read as markup or code, and there is no other file, package or network to
//! reach. The fonts are the ones built in, so that the same document gives the same bytes on every machine; what they
//! do not hold is shown as `▯` and said at the end of the document.

use std::sync::LazyLock;

use serde_json::{Value, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic, SourceResult};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::layout::Abs;
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook, FontInstance, FontStyle, FontVariant, FontVariations, FontWeight};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::{FOOT_AT_MOST, NAME_AT_MOST, cut, is_narrow, line, longest, right_to_left};
use crate::RenderError;
use crate::doc::{Block, Card, Doc, Style, Table, Text};
use crate::engine::label;

/// A document on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
}

pub fn write(doc: &Doc) -> Result<Pdf, RenderError> {
    // Marks that are combined in ways no font foresaw can still come out without a glyph. Then the document is set once
    // more with ordinary letters alone: what a client writes never keeps a document from being made.
    let result = set(doc, shown).or_else(|_| set(doc, |c| ordinary(c) && shown(c)));
    // What typst remembers of this document is of no use for the next one.
    typst::comemo::evict(0);
    result.map_err(|errors| RenderError { document: format!("{}.pdf", line(&doc.kind)), cause: sentence(&errors) })
}

/// The document with the characters that `shown` lets through.
fn set(doc: &Doc, shown: fn(char) -> bool) -> SourceResult<Pdf> {
    let paper = Paper { content: Bytes::from_string(Content::showing(shown).of(doc).to_string()) };
    let document: PagedDocument = typst::compile(&paper).output?;
    let options = PdfOptions {
        ident: Smart::Custom(identity(doc)),
        creator: Smart::Custom(Some("MAX".into())),
        standards: ACCESSIBLE.clone(),
        ..PdfOptions::default()
    };
    Ok(Pdf { bytes: typst_pdf::pdf(&document, &options)?, pages: document.pages().len() })
}

/// What tells this document from every other one.
fn identity(doc: &Doc) -> String {
    let source = doc.meta.source.map(|digest| digest.to_string()).unwrap_or_default();
    format!("{}\n{}\n{}\n{}\n{source}", doc.head.agency, doc.kind, doc.title, doc.meta.version)
}

fn sentence(errors: &[SourceDiagnostic]) -> String {
    let said = |e: &SourceDiagnostic| {
        std::iter::once(e.message.as_str()).chain(e.hints.iter().map(|h| h.v.as_str())).collect::<Vec<_>>().join("; ")
    };
    errors.iter().take(3).map(said).collect::<Vec<_>>().join(" · ")
}

// ---- what the layout program may reach ------------------------------------------------------------------------------

/// The world of one document: the program, its content and the fonts.
struct Paper {
    content: Bytes,
}

impl World for Paper {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        PROGRAM.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == PROGRAM.id() { Ok(PROGRAM.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *CONTENT { Ok(self.content.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

static PROGRAM: LazyLock<Source> =
    LazyLock::new(|| Source::new(file_id("document.typ"), include_str!("document.typ").into()));

static CONTENT: LazyLock<FileId> = LazyLock::new(|| file_id("document.json"));

/// PDF/UA-1: tagged, titled, with a language. A document that does not reach it is an error, not a lesser document.
static ACCESSIBLE: LazyLock<PdfStandards> =
    LazyLock::new(|| PdfStandards::new(&[PdfStandard::Ua_1]).unwrap_or_default());

#[expect(clippy::unreachable, reason = "both names are literals without dots or separators")]
fn file_id(name: &str) -> FileId {
    match VirtualPath::new(name) {
        Ok(path) => RootedPath::new(VirtualRoot::Project, path).intern(),
        Err(_) => unreachable!("{name} is a path"),
    }
}

/// The fonts built in, and which characters can be set with them.
struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    /// One bit per code point.
    settable: Vec<u64>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    let book = FontBook::from_fonts(&fonts);
    let faces: Vec<FontInstance> = fonts
        .iter()
        .map(|font| font.clone().instantiate(FontVariant::default(), Abs::pt(10.0), &FontVariations::default()))
        .collect();
    let mut held: Vec<u32> = fonts.iter().flat_map(|font| font.info().coverage.iter()).collect();
    held.sort_unstable();
    held.dedup();
    let mut settable = vec![0u64; 0x11_0000 / 64];
    // Small headings are set in capitals.
    for c in held
        .into_iter()
        .filter_map(char::from_u32)
        .filter(|c| c.to_uppercase().chain([*c]).all(|c| has_a_glyph(&book, &faces, c)))
    {
        if let Some(word) = settable.get_mut(c as usize / 64) {
            *word |= 1 << (c as usize % 64);
        }
    }
    Fonts { book: LazyHash::new(book), fonts, settable }
});

/// The families that `document.typ` names, in its order, for words and for code.
const FAMILIES: [&[&str]; 2] =
    [&["libertinus serif", "new computer modern", "dejavu sans mono"], &["dejavu sans mono", "libertinus serif"]];

/// Whether a character has a glyph however the layout sets it.
///
/// That some font claims it is not enough: Libertinus Serif has an entry for `℡` that leads to no glyph, and a semibold
/// holds less than its regular. PDF/UA allows no character without a glyph, so this asks as the layout does, in every
/// weight and slope that `document.typ` uses. What stands for private use says nothing.
fn has_a_glyph(book: &FontBook, faces: &[FontInstance], c: char) -> bool {
    if matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..) {
        return false;
    }
    let holds = |id: usize, c: char| {
        let glyph = faces.get(id).and_then(|face| face.ttf().glyph_index(c));
        glyph.is_some_and(|glyph| glyph.0 != 0)
    };
    let text = c.to_string();
    [400, 600].into_iter().flat_map(|weight| [FontStyle::Normal, FontStyle::Italic].map(|style| (weight, style))).all(
        |(weight, style)| {
            let variant = FontVariant { style, weight: FontWeight::from_number(weight), ..FontVariant::default() };
            FAMILIES.into_iter().all(|families| {
                let chosen: Vec<usize> = families.iter().filter_map(|f| book.select(f, variant)).collect();
                let last = || book.select_fallback(chosen.first().and_then(|id| book.info(*id)), variant, &text);
                chosen.iter().any(|id| holds(*id, c)) || last().is_some_and(|id| !chosen.contains(&id) && holds(id, c))
            })
        },
    )
}

fn shown(c: char) -> bool {
    let c = c as usize;
    FONTS.settable.get(c / 64).is_some_and(|word| word >> (c % 64) & 1 == 1)
}

/// Latin, Greek and Cyrillic letters, figures, punctuation, currencies and simple signs.
fn ordinary(c: char) -> bool {
    matches!(c, ' '..='\u{24f}' | '\u{370}'..='\u{481}' | '\u{48a}'..='\u{52f}' | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20bf}' | '\u{2190}'..='\u{2193}' | '\u{2212}')
}

// ---- the content ----------------------------------------------------------------------------------------------------

/// A word longer than this may be broken anywhere.
const WORD_AT_MOST: usize = 24;
/// A card longer than this may go over a page, because it might not fit on one.
const CARD_KEEPS_TO: usize = 1_400;
/// The same of names with their values.
const FACTS_KEEP_TO: usize = 1_000;

/// Turns a document into what the layout program reads, and remembers whether a character had no glyph.
struct Content {
    shown: fn(char) -> bool,
    missing: bool,
    /// The level of the last heading; PDF/UA allows no level to be left out.
    level: u8,
}

impl Content {
    fn showing(shown: fn(char) -> bool) -> Self {
        Self { shown, missing: false, level: 0 }
    }

    fn of(mut self, doc: &Doc) -> Value {
        let date = doc.head.date;
        let blocks: Vec<Value> = doc.content().map(|block| self.block(doc, block)).collect();
        let foot: Vec<String> = [&doc.head.agency, &doc.kind].map(|t| self.words(&cut(&line(t), FOOT_AT_MOST))).into();
        let mut value = json!({
            "lang": doc.lang.tag(),
            "accent": doc.accent(),
            "kind": self.words(&line(&doc.kind)),
            "title": self.words(&unwidowed(&doc.headline())),
            "under": doc.under_title().iter().map(|(name, value)| json!([name, self.words(value)])).collect::<Vec<_>>(),
            "agency": self.words(&cut(&line(&doc.head.agency), NAME_AT_MOST)),
            "address": self.words(&cut(&line(&doc.head.agency_address), 240)),
            "mail": self.words(&cut(&line(&doc.head.agency_mail), NAME_AT_MOST)),
            "date": [i32::from(date.year().max(0)), i32::from(date.month()), i32::from(date.day())],
            "keywords": doc.marks().iter().map(|(n, v)| if v == "yes" { (*n).into() } else { format!("{n}={v}") }).collect::<Vec<_>>(),
            "foot": foot.join(" · "),
            "page": label(doc.lang, "doc_page"),
            "drafted": self.words(&doc.drafted()),
            "disclosure": self.words(&line(&doc.head.disclosure)),
            "blocks": blocks,
        });
        value["missing"] = if self.missing { label(doc.lang, "doc_missing").into() } else { Value::Null };
        value
    }

    fn block(&mut self, doc: &Doc, block: &Block) -> Value {
        match block {
            Block::Heading { level, text } => {
                json!({"is": "heading", "level": self.level((*level).clamp(2, 3) - 1), "text": self.line(text)})
            }
            Block::Para(text) => json!({"is": "para", "text": self.text(text)}),
            Block::Standfirst(text) => json!({"is": "standfirst", "text": self.text(text)}),
            Block::Quote { text, source } => {
                json!({"is": "quote", "text": self.text(&text.into()), "source": self.line(source)})
            }
            Block::List { ordered, items } => {
                json!({"is": "list", "ordered": ordered, "items": items.iter().map(|i| self.text(i)).collect::<Vec<_>>()})
            }
            Block::Facts(facts) => {
                let keep = facts.iter().map(|(name, value)| name.len() + length(value)).sum::<usize>() <= FACTS_KEEP_TO;
                json!({"is": "facts", "keep": keep, "facts": self.facts(facts)})
            }
            Block::Table(table) => self.table(table),
            Block::Card(card) => self.card(card),
            Block::Note(text) => json!({"is": "note", "text": self.text(text)}),
            Block::Signatures(signers) => json!({
                "is": "signatures",
                "label": label(doc.lang, "doc_signature"),
                "signers": signers.iter().map(|s| json!([self.line(&s.role), self.line(&s.name), self.line(&s.note)])).collect::<Vec<_>>(),
            }),
            Block::PageBreak => json!({"is": "pagebreak"}),
        }
    }

    /// A heading's level, at most one deeper than the last.
    fn level(&mut self, wanted: u8) -> u8 {
        let level = wanted.min(self.level + 1);
        self.level = self.level.max(level);
        level
    }

    fn facts(&mut self, facts: &[(String, Text)]) -> Value {
        facts.iter().map(|(name, value)| json!([self.line(name), self.text(value)])).collect()
    }

    fn table(&mut self, table: &Table) -> Value {
        let rows = table.rows.iter().map(|row| {
            let cells: Vec<Value> =
                (0..table.columns.len()).map(|i| self.text(row.cells.get(i).unwrap_or(&Text::default()))).collect();
            json!({"tone": row.tone.name(), "cells": cells})
        });
        let rows: Vec<Value> = rows.collect();
        json!({
            "is": "table",
            "columns": table.columns.iter().map(|c| json!({"title": self.line(&c.title), "number": c.number})).collect::<Vec<_>>(),
            "widths": widths(table),
            "rows": rows,
        })
    }

    fn card(&mut self, card: &Card) -> Value {
        let length =
            card.title.len() + card.facts.iter().map(|(name, value)| name.len() + length(value)).sum::<usize>();
        json!({
            "is": "card",
            "level": self.level(2),
            "keep": length <= CARD_KEEPS_TO,
            "id": self.line(&card.id),
            "tag": self.line(&card.tag),
            "tone": card.tone.name(),
            "title": self.line(&card.title),
            "facts": self.facts(&card.facts),
        })
    }

    /// Spans, each a list of lines.
    fn text(&mut self, text: &Text) -> Value {
        let all: String = text.0.iter().map(|span| span.text.as_str()).collect();
        let spans: Vec<Value> = text
            .0
            .iter()
            .map(|span| {
                let clean = glued(&super::clean(&span.text));
                let lines: Vec<String> = clean.split('\n').map(|l| self.words(l)).collect();
                json!({"style": style(span.style), "lines": lines})
            })
            .collect();
        json!({"rtl": right_to_left(&all), "spans": spans})
    }

    fn line(&mut self, text: &str) -> String {
        self.words(&glued(&line(text)))
    }

    /// Words that can be set: every character has a glyph, and no word is too long for a line.
    fn words(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 8);
        for word in text.split_inclusive([' ', '\t']) {
            let long = word.chars().count() > WORD_AT_MOST;
            let mut run = 0;
            for c in word.chars() {
                match c {
                    '\t' => out.push(' '),
                    // They belong to the character before, which has no glyph, or to one that looks well without.
                    '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => continue,
                    c if (self.shown)(c) => out.push(c),
                    // A modifier or a mark on something else.
                    '\u{300}'..='\u{36f}' | '\u{1f3fb}'..='\u{1f3ff}' => continue,
                    _ => {
                        self.missing = true;
                        if !out.ends_with('▯') {
                            out.push('▯');
                        }
                    }
                }
                run += 1;
                if long && run >= 12 {
                    out.push('\u{200b}');
                    run = 0;
                }
            }
        }
        out
    }
}

/// Keeps a number on the line of what it counts: `24 December`, `2.998,80 €`, `5 days`.
fn glued(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut number = false;
    while let Some((at, space)) = rest.char_indices().find(|(_, c)| c.is_whitespace()) {
        let (word, after) = rest.split_at(at);
        let after = &after[space.len_utf8()..];
        out.push_str(word);
        let next = after.split(char::is_whitespace).next().unwrap_or_default();
        let counts = is_number(word) && !number && is_counted(next);
        out.push(if counts && space == ' ' { '\u{a0}' } else { space });
        // One word stays with its number; the next may go on in a new line.
        number = counts;
        rest = after;
    }
    out.push_str(rest);
    out
}

fn is_number(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '“', '„', '«']);
    word.len() <= 12 && word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains(char::is_alphabetic)
}

/// A unit, a month, a currency: short, and no number itself.
fn is_counted(word: &str) -> bool {
    (1..=12).contains(&word.chars().count())
        && word.starts_with(|c: char| c.is_alphabetic() || matches!(c, '€' | '$' | '£' | '%' | '×'))
}

/// Keeps a short last word from standing alone on a line.
fn unwidowed(title: &str) -> String {
    match title.rsplit_once(' ') {
        Some((before, last)) if last.chars().count() <= 8 => format!("{before}\u{a0}{last}"),
        _ => title.to_owned(),
    }
}

fn length(text: &Text) -> usize {
    text.0.iter().map(|span| span.text.len()).sum()
}

/// How wide each column is: 0 for what its content needs, else its share of the rest.
fn widths(table: &Table) -> Vec<u32> {
    let mut widths: Vec<u32> = (0..table.columns.len())
        .map(|i| if is_narrow(table, i) { 0 } else { u32::try_from(longest(table, i).clamp(20, 90)).unwrap_or(90) })
        .collect();
    // A table spans the page: where nothing asks for the rest, the last column of words takes it, so that what belongs
    // together stands together.
    if widths.iter().all(|w| *w == 0) {
        let rest = table.columns.iter().rposition(|column| !column.number).unwrap_or(0);
        if let Some(width) = widths.get_mut(rest) {
            *width = 1;
        }
    }
    widths
}

fn style(style: Style) -> &'static str {
    match style {
        Style::Plain => "plain",
        Style::Strong => "strong",
        Style::Soft => "soft",
        Style::Code => "code",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::tests::sample;

    #[test]
    fn a_number_stays_with_what_it_counts() {
        for (text, set) in [
            ("valid until 24 December 2026.", "valid until 24·December 2026."),
            ("bis 24. Dezember 2026", "bis 24.·Dezember 2026"),
            ("2.356,20 € bei Unterschrift", "2.356,20·€ bei Unterschrift"),
            ("19 % × €8,400.00", "19·% × €8,400.00"),
            ("(5 days)", "(5·days)"),
            ("in 2026 we\nand 4", "in 2026·we\nand 4"),
            ("1 2 3 four", "1 2 3·four"),
            ("  two  spaces ", "  two  spaces "),
        ] {
            assert_eq!(glued(text), set.replace('·', "\u{a0}"), "{text}");
        }
    }

    /// A document that sets these characters in every way the layout knows.
    fn with(characters: &[char]) -> Doc {
        let words: String = characters.iter().flat_map(|c| [*c, ' ']).collect();
        let mut doc = sample(crate::Lang::En);
        let all = Text::default().plain(&words).strong(&words).code(&words).soft(&words);
        doc.blocks = vec![Block::Para(all), Block::Quote { text: words.clone(), source: words.clone() }];
        doc.blocks.push(Block::Heading { level: 2, text: words.clone() });
        (doc.title, doc.kind) = (words.clone(), words);
        doc
    }

    #[test]
    fn every_character_that_is_called_settable_can_be_set() {
        let all: Vec<char> = (0..=0x10_ffff).filter_map(char::from_u32).filter(|c| shown(*c)).collect();
        assert!(all.len() > 5_000, "{} characters", all.len());
        for some in all.chunks(400) {
            let failed = write(&with(some)).err().map(|e| (e, some.iter().collect::<String>()));
            assert!(failed.is_none(), "{failed:?}");
        }
    }

    #[test]
    fn a_character_that_only_some_weights_hold_does_not_stop_the_document() {
        for c in ['\u{2121}', '\u{f130}', '\u{10fffd}', '\u{0}', '\u{fffe}'] {
            let written = write(&with(&[c, 'x']));
            assert!(written.is_ok(), "U+{:04X}: {written:?}", c as u32);
        }
    }

    #[test]
    fn the_ordinary_letters_can_all_be_set() {
        let all: Vec<char> = (' '..='\u{ffff}').filter(|c| ordinary(*c) && shown(*c)).collect();
        assert!(all.len() > 800 && "aßéłœŘĳαЖ€–“”…".chars().all(|c| all.contains(&c)), "{} letters", all.len());
        assert!(set(&with(&all), ordinary).is_ok_and(|pdf| pdf.pages > 0));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(48))]
        #[test]
        fn any_words_can_be_set(words in proptest::collection::vec("\\PC{1,12}|[a-z]\\p{M}{1,4}|\\p{L}{1,6}", 1..12)) {
            let words: Vec<char> = words.join(" ").chars().collect();
            let written = write(&with(&words));
            proptest::prop_assert!(written.is_ok(), "{words:?}: {written:?}");
        }
    }
}
