//! The linter: what code can tell about the content of files, whoever wrote them.
//!
//! [`files`] looks at some files of one lead together, because a document is judged by its source beside it. Each check
//! is a function over one file and the [`Record`], what is known of the lead; a check that lacks what it needs is silent.
//! Findings of content block and do not refuse: a client may well write `TODO` himself, and a person can see that.

pub mod checks;
pub mod mockup;
mod page;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::civil::Date;
use max_core::id::Digest;
use max_core::lead::{ClientState, Lead};
use max_core::stage::Stage;
use max_core::stages::Finding;
use max_core::stages::scoping::Scope;
use serde::Deserialize as _;
use serde_json::Value;

use crate::Lang;

pub use read::Kind;

/// A file to look at.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name, with its folders.
    pub name: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// What is known of the lead whose files are looked at. Empty fields are not known, and nothing is held against them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How the client is called: the person and the company.
    pub client: Vec<String>,
    /// How the agency is called.
    pub agency: String,
    /// The client's language.
    pub language: Option<Lang>,
    /// The agency's currency (ISO 4217).
    pub currency: String,
    /// The day the lead came in.
    pub since: Option<Date>,
    /// Today.
    pub today: Option<Date>,
    /// The ids of the scope's requirements.
    pub requirements: BTreeSet<String>,
    /// The ids of the plan's milestones.
    pub milestones: BTreeSet<String>,
    /// The scope that counts.
    pub scope: Option<Scope>,
    /// SHA-256 of its file.
    pub scope_sha256: Option<Digest>,
    /// SHA-256 of every file the lead has.
    pub digests: BTreeSet<Digest>,
    /// The client's own words, in lower case.
    pub his_words: String,
}

impl Record {
    /// What a lead says about itself.
    pub fn of(lead: &Lead) -> Self {
        let mut record = Self::from(&ClientState::from(lead));
        record.language = lead.language.as_deref().and_then(Lang::of_tag).or(record.language);
        record.scope_sha256 = lead.artifact(Stage::Scoping, "scope.json").filter(|a| !a.superseded).map(|a| a.sha256);
        record.digests = lead.artifacts.iter().map(|a| a.sha256).collect();
        record
    }

    /// The same, knowing the agency and the day.
    #[must_use]
    pub fn at_agency(self, agency: &str, currency: &str, today: Date) -> Self {
        Self { agency: agency.into(), currency: currency.into(), today: Some(today), ..self }
    }
}

/// What `state.json` says: enough to look at a lead's folder without a server.
impl From<&ClientState> for Record {
    fn from(state: &ClientState) -> Self {
        let lead = &state.data["lead"];
        let text = |key: &str| lead.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let ids = |value: Option<&Value>, key: &str| {
            let items = value.and_then(|v| v.get(key)).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.get("id")?.as_str().map(str::to_owned)).collect::<BTreeSet<String>>()
        };
        let of = |stage: Stage, key: &str| state.data.get(stage.name()).and_then(|values| values.get(key));
        let mut words = ["message", "budget", "timeline"].map(text).join("\n");
        read::client_words(&Value::Object(state.data.clone()), &mut words);
        let mut requirements: BTreeSet<String> = ids(of(Stage::Scoping, "scope"), "requirements");
        if let Some(delivery) = state.data.get(Stage::DeliveryPM.name()).filter(|_| !requirements.is_empty()) {
            read::added(delivery, &mut requirements);
        }
        Self {
            client: [text("name"), text("company")].into_iter().filter(|name| !name.is_empty()).collect(),
            language: Lang::of_tag(&text("locale")),
            since: Some(state.created_at.to_zoned(jiff::tz::TimeZone::UTC).date()),
            requirements,
            scope: of(Stage::Scoping, "scope").and_then(|scope| Scope::deserialize(scope).ok()),
            milestones: ids(of(Stage::DeliveryPM, "plan"), "milestones"),
            his_words: words.to_lowercase(),
            ..Self::default()
        }
    }
}

/// What is found in some files of one lead.
pub fn files(record: &Record, files: &[File<'_>]) -> Vec<Finding> {
    let mut record = record.clone();
    // What comes with the files is newer than what the lead says.
    for file in files {
        record.digests.insert(Digest::of(file.bytes));
        read::ids_of(file, &mut record);
    }
    let mut findings = Vec::new();
    for file in files {
        for check in checks::ALL {
            check(&record, files, file, &mut findings);
        }
    }
    findings
}
