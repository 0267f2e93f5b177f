//! One document model for everything that is read on paper: built once, written as Markdown, HTML and PDF.
//!
//! A document's module turns a typed result into a [`Doc`]; the writers know nothing of scopes or prices. Text from
//! a client is always content here, never markup: each writer escapes every [`Span`] for its own format.

use max_core::id::Digest;
use max_core::stages::scoping::Priority;

use crate::{Lang, Letterhead};

/// A document before it takes a form.
#[derive(Clone, Debug)]
pub struct Doc {
    /// What kind of document it is, in the reader's language: `Scope`, `Angebot`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// The reader's language.
    pub lang: Lang,
    /// Who writes to whom.
    pub head: Letterhead,
    /// What is recorded about its making, in HTML and PDF metadata.
    pub meta: Meta,
    /// Its content, in order.
    pub blocks: Vec<Block>,
}

/// How a document came to be (rule X-7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Which persona drafted it, such as `Clara`.
    pub persona: String,
    /// Which voice drafted it, such as `playbook`.
    pub voice: String,
    /// The person of the agency who answers for its release.
    pub approver: String,
    /// 1 for the first version.
    pub version: u32,
    /// SHA-256 of the JSON it was rendered from (rule X-1).
    pub source: Option<Digest>,
    /// The agency's or client's colour, `#rrggbb`; the house colour when absent or too light to read on white.
    pub accent: Option<String>,
}

/// A piece of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading; level 2 is a section, 3 a part of one.
    Heading {
        /// 2 or 3.
        level: u8,
        /// The words.
        text: String,
    },
    /// A paragraph.
    Para(Text),
    /// The opening paragraph, set larger.
    Standfirst(Text),
    /// Somebody's own words.
    Quote {
        /// The words.
        text: String,
        /// Where they were said.
        source: String,
    },
    /// A list.
    List {
        /// Numbered or not.
        ordered: bool,
        /// Its items.
        items: Vec<Text>,
    },
    /// Names with their values: dates, totals, people.
    Facts(Vec<(String, Text)>),
    /// A table.
    Table(Table),
    /// A requirement or another numbered thing, kept together on a page.
    Card(Card),
    /// A box for what must not be overlooked.
    Note(Text),
    /// Lines to sign on.
    Signatures(Vec<Signer>),
    /// What follows begins a new page.
    PageBreak,
}

/// Words with emphasis, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Span>);

/// Some words of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The words.
    pub text: String,
    /// How they are set.
    pub style: Style,
}

/// How words are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As the text around them.
    #[default]
    Plain,
    /// To be noticed.
    Strong,
    /// Quieter than the rest.
    Soft,
    /// Ids and digests.
    Code,
}

/// A table with a header row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Numbers and amounts stand on the right.
    pub number: bool,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As many cells as there are columns.
    pub cells: Vec<Text>,
    /// What kind of row.
    pub tone: Tone,
}

/// How a row or a card stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Not at all.
    #[default]
    Plain,
    /// A sum.
    Sum,
    /// The sum of sums.
    Total,
    /// Of first weight.
    Must,
    /// Of second weight.
    Should,
    /// Of third weight.
    Could,
    /// Left out.
    Wont,
    /// Well.
    Good,
    /// To be watched.
    Warn,
    /// Bad.
    Bad,
}

impl Tone {
    /// The word for it in HTML classes and in the PDF's program.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Sum => "sum",
            Tone::Total => "total",
            Tone::Must => "must",
            Tone::Should => "should",
            Tone::Could => "could",
            Tone::Wont => "wont",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

impl From<Priority> for Tone {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Must => Tone::Must,
            Priority::Should => Tone::Should,
            Priority::Could => Tone::Could,
            Priority::Wont => Tone::Wont,
        }
    }
}

/// A numbered thing with its facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// `R-001`, `M-2`, `CO-1`; also its anchor in HTML.
    pub id: String,
    /// A word beside the id, such as the priority.
    pub tag: String,
    /// The tag's tone.
    pub tone: Tone,
    /// What it is.
    pub title: String,
    /// Its facts.
    pub facts: Vec<(String, Text)>,
}

/// A line to sign on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// For whom: `For the client`.
    pub role: String,
    /// The name, where it is known.
    pub name: String,
    /// What is to be filled in, or what was: place, date.
    pub note: String,
}

impl Doc {
    /// An empty document.
    pub fn new(kind: impl Into<String>, title: impl Into<String>, head: &Letterhead, lang: Lang) -> Self {
        Self {
            kind: kind.into(),
            title: title.into(),
            lang,
            head: head.clone(),
            meta: Meta { version: 1, ..Meta::default() },
            blocks: Vec::new(),
        }
    }

    /// Adds a section's heading.
    pub fn section(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Heading { level: 2, text: text.into() })
    }

    /// Adds a paragraph.
    pub fn para(&mut self, text: impl Into<Text>) -> &mut Self {
        self.push(Block::Para(text.into()))
    }

    /// Adds a list, unless it would be empty.
    pub fn list<T: Into<Text>>(&mut self, items: impl IntoIterator<Item = T>) -> &mut Self {
        let items: Vec<Text> = items.into_iter().map(Into::into).collect();
        if items.is_empty() { self } else { self.push(Block::List { ordered: false, items }) }
    }

    /// Adds anything.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }
}

impl Text {
    /// Adds words to notice.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.with(text, Style::Strong)
    }

    /// Adds plain words.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(text, Style::Plain)
    }

    /// Adds quieter words.
    #[must_use]
    pub fn soft(self, text: impl Into<String>) -> Self {
        self.with(text, Style::Soft)
    }

    /// Adds an id or a digest.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.with(text, Style::Code)
    }

    fn with(mut self, text: impl Into<String>, style: Style) -> Self {
        self.0.push(Span { text: text.into(), style });
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::default().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::default().plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Text::default().plain(text.as_str())
    }
}
