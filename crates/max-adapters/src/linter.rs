//! The linter of documents, as the engine calls it.

use jiff::tz::TimeZone;
use max_core::stages::Finding;
use max_documents::lint::{self, Record};
use max_engine::ports::{Linted, Linter};

/// Looks into documents with what is known of lead and agency.
#[derive(Clone, Debug)]
pub struct DocumentLinter {
    /// The agency's name.
    pub agency: String,
}

impl Linter for DocumentLinter {
    fn lint(&self, work: &Linted<'_>) -> Vec<Finding> {
        let today = work.now.to_zoned(TimeZone::UTC).date();
        let record = Record::of(work.lead).at_agency(&self.agency, &work.policy.rate_card.currency, today);
        let files: Vec<lint::File<'_>> =
            work.files.iter().map(|file| lint::File { name: &file.name, bytes: &file.bytes }).collect();
        lint::files(&record, &files)
    }
}
