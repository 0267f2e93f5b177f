//! Typed artifacts rendered for people: Markdown and HTML, in the client's language.
//!
//! Every renderer takes a typed result of `max_core::stages` and a [`Letterhead`] and gives back text. Client text is
//! escaped by the template engine (HTML) or by [`escape::markdown`] (Markdown), never by the caller.
//!
//! To add a document: a view struct and a function in its module, a template per format in `templates/`, its
//! labels in `labels/<document>.json`, each in every language.

pub mod certificate;
pub mod contract;
pub mod delivery;
pub mod diff;
pub mod doc;
mod engine;
pub mod escape;
pub mod lint;
pub mod locale;
pub mod mockup;
pub mod onboarding;
pub mod proposal;
pub mod scope;
mod write;

pub use engine::RenderError;
pub use locale::Lang;
pub use write::Pdf;

use jiff::civil::Date;
use serde::Serialize;

/// Who writes to whom: what stands at the top and bottom of every document.
#[derive(Clone, Debug, Serialize)]
pub struct Letterhead {
    /// The agency's name.
    pub agency: String,
    /// The agency's postal address on one line.
    pub agency_address: String,
    /// Where a person of the agency is reached.
    pub agency_mail: String,
    /// The client as a company, else as a person.
    pub client: String,
    /// The person, else the client.
    pub person: String,
    /// Says that AI was involved and how to reach a person.
    pub disclosure: String,
    /// The day the document was written.
    pub date: Date,
}

/// A document in the forms it is kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// For people with an editor, and for diffs.
    pub markdown: String,
    /// For people with a browser: self-contained, printable.
    pub html: String,
    /// For people with paper: tagged (PDF/UA-1), the same bytes for the same document.
    pub pdf: Vec<u8>,
    /// How many pages the PDF has.
    pub pages: usize,
}
