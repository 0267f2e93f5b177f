//! Reading the agency's folder: the owner's files first, then the built-in ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use max_documents::Lang;
use max_documents::contract::{self, Clause};
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::de::DeserializeOwned;

use super::AgencyError;
use super::embedded::{CLAUSES, MAILS, TABLES};

/// Where files come from: the owner's folder first, then the built-in ones.
pub(super) struct Folder<'a> {
    pub(super) dir: Option<&'a Path>,
}

impl Folder<'_> {
    /// The owner's file, if there is one.
    fn own(&self, name: &str) -> Result<Option<String>, AgencyError> {
        let Some(dir) = self.dir else { return Ok(None) };
        match fs::read_to_string(dir.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AgencyError::new(name, error)),
        }
    }

    pub(super) fn toml<T: DeserializeOwned>(&self, name: &str) -> Result<T, AgencyError> {
        let own = self.own(name)?;
        let text = match &own {
            Some(text) => text.as_str(),
            None => TABLES.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text),
        };
        toml::from_str(text).map_err(|error| AgencyError::new(name, error.to_string().trim()))
    }

    /// The clauses by language, ordered by file name. An empty file leaves a built-in clause out; a new one adds one.
    pub(super) fn clauses(&self) -> Result<BTreeMap<Lang, Vec<Clause>>, AgencyError> {
        let mut all = BTreeMap::new();
        for lang in Lang::ALL {
            let mut clauses = Vec::new();
            let folder = format!("clauses/{}", lang.tag());
            for (name, text) in self.texts(&folder, "md", CLAUSES)? {
                let text = text.trim().to_owned();
                if text.is_empty() {
                    continue;
                }
                let Some((title, body)) = text.strip_prefix("# ").and_then(|t| t.split_once('\n')) else {
                    return Err(AgencyError::new(&name, "a clause begins with `# ` and its title, then its text"));
                };
                let id = name.rsplit('/').next().unwrap_or(&name).trim_end_matches(".md");
                let clause = Clause { id: id.into(), title: title.trim().into(), text: body.trim().into() };
                contract::try_clause(&clause).map_err(|error| AgencyError::new(&name, error))?;
                clauses.push(clause);
            }
            all.insert(lang, clauses);
        }
        Ok(all)
    }

    pub(super) fn mails(&self) -> Result<Environment<'static>, AgencyError> {
        let mut mails = Environment::new();
        mails.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        for lang in Lang::ALL {
            for (name, text) in self.texts(&format!("templates/{}", lang.tag()), "txt", MAILS)? {
                if !text.starts_with("Subject:") {
                    return Err(AgencyError::new(&name, "a mail begins with a line `Subject: …`"));
                }
                mails.add_template_owned(name.clone(), text).map_err(|error| AgencyError::new(&name, &error))?;
                mails
                    .get_template(&name)
                    .and_then(|mail| mail.render(example_slots()))
                    .map_err(|error| AgencyError::new(&name, format!("{error}; known are {}", SLOTS.join(", "))))?;
            }
        }
        Ok(mails)
    }

    /// The texts of a folder by name: the built-in ones, replaced and added to by the owner's.
    fn texts(
        &self,
        folder: &str,
        ending: &str,
        builtin: &[(&str, &str)],
    ) -> Result<BTreeMap<String, String>, AgencyError> {
        let mut texts: BTreeMap<String, String> = builtin
            .iter()
            .filter(|(name, _)| name.starts_with(folder))
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let Some(dir) = self.dir else { return Ok(texts) };
        let entries = match fs::read_dir(dir.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(texts),
            Err(error) => return Err(AgencyError::new(folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| AgencyError::new(folder, error))?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            if file.starts_with('.') || Path::new(&file).extension().is_none_or(|e| e != ending) {
                continue;
            }
            let name = format!("{folder}/{file}");
            if let Some(text) = self.own(&name)? {
                texts.insert(name, text);
            }
        }
        Ok(texts)
    }
}

/// What mails may refer to.
const SLOTS: &[&str] = &[
    "person",
    "agency",
    "agency_mail",
    "contact",
    "privacy",
    "persona",
    "disclosure",
    "project",
    "quote",
    "asks",
    "foreign_language",
    "languages",
    "human",
    "topic",
    "service",
    "ask",
    "revision",
    "in_return",
    "changes",
    "document",
    "milestone",
    "title",
    "colour",
    "report",
    "slipped",
    "order",
    "defect",
    "in_scope",
    "change",
    "dropped",
    "received",
    "amount",
    "due",
    "reference",
    "steps",
    "moved",
];

/// Every slot filled, so that a mail that refers to anything else is found when the folder is read.
fn example_slots() -> Value {
    let fill = |name: &str| match name {
        "revision" => Value::from(2),
        "asks" | "changes" => Value::from(vec!["example"]),
        _ => Value::from("example"),
    };
    Value::from_pairs(SLOTS.iter().map(|name| (*name, fill(name))))
}
