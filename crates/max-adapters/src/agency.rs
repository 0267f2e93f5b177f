//! The agency's own folder: who it is, what it does and for how much, its clauses and mails. Every file is optional;
//! what is absent is the built-in example.

mod embedded;
mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use max_core::policy::{RateCard, Service};
use max_core::stage::Eidolon;
use max_core::stages::onboarding::Owner;
use max_documents::Lang;
use max_documents::contract::Clause;
use minijinja::Environment;
use serde::Deserialize;

use folder::Folder;

/// Everything that is particular to one agency.
#[derive(Debug)]
pub struct Agency {
    /// Who the agency is.
    pub profile: Profile,
    /// What it does, and how it words scopes.
    pub catalog: Catalog,
    /// How a project begins.
    pub onboarding: Onboarding,
    rates: RateCard,
    personas: BTreeMap<Eidolon, String>,
    clauses: BTreeMap<Lang, Vec<Clause>>,
    mails: Environment<'static>,
}

/// A text in every language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    en: String,
    de: String,
}

impl Text {
    /// The text in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::De => &self.de,
        }
    }
}

/// `profile.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The agency's name.
    pub name: String,
    /// Its postal address, line by line.
    pub address: Vec<String>,
    /// Where a client reaches a person.
    pub mail: String,
    /// That person's name.
    pub contact: String,
    /// Its time zone (IANA).
    pub time_zone: String,
    /// The languages it answers in, the preferred one first.
    pub languages: Vec<Lang>,
    /// Where it says how it treats data.
    pub privacy: String,
    /// The law of its contracts.
    pub law: Text,
    /// Their venue.
    pub venue: Text,
    /// What a client gives for a discount that MAX may grant alone.
    pub discount_in_return: Text,
    /// Says that AI writes and how to reach a person.
    pub disclosure: Text,
}

/// `services.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(rename = "service")]
    services: Vec<ServiceEntry>,
    /// What a requirement can be about; the first match counts.
    #[serde(rename = "feature")]
    pub features: Vec<Feature>,
    /// For a wish that no feature matches.
    pub other_feature: OtherFeature,
    /// What is not part of a project unless asked for.
    #[serde(rename = "exclusion", default)]
    pub exclusions: Vec<Exclusion>,
    /// What is asked when the client has not said it.
    #[serde(rename = "question", default)]
    pub questions: Vec<TopicQuestion>,
    /// What every client brings.
    #[serde(rename = "duty", default)]
    pub duties: Vec<Duty>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    id: String,
    name: Text,
    keywords: Vec<String>,
    #[serde(default = "yes")]
    offered: bool,
}

fn yes() -> bool {
    true
}

/// What a requirement is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its id.
    pub id: String,
    /// Words that point to it, lower case.
    pub keywords: Vec<String>,
    /// Its effort in quarters of a day.
    pub quarter_days: u32,
    /// The service it is priced by; the day rate when empty.
    #[serde(default)]
    pub service: String,
    /// Its face in the mockup; `none` for what has none.
    pub screen: String,
    /// The heading of that screen.
    pub title: Text,
    /// How it is accepted.
    pub acceptance: Text,
}

/// What is taken for a wish that no feature matches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherFeature {
    /// Its effort in quarters of a day.
    pub quarter_days: u32,
    /// The heading of its screen.
    pub title: Text,
    /// How it is accepted.
    pub acceptance: Text,
}

/// Something that is not part of a project.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// What.
    pub text: Text,
    /// Words by which a client asks for it after all.
    pub unless: Vec<String>,
}

/// A question about something every project needs to know.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicQuestion {
    /// Its topic: `timeline`, `budget`, `audience` ….
    pub topic: String,
    /// The topic as people read it.
    pub label: Text,
    /// Words that show that it was said.
    pub known_by: Vec<String>,
    /// The question.
    pub text: Text,
}

/// Something every client brings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// What.
    pub text: Text,
}

/// `onboarding.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Onboarding {
    /// The steps in order.
    #[serde(rename = "step")]
    pub steps: Vec<StepTemplate>,
    /// The folders of a workspace.
    #[serde(rename = "folder", default)]
    pub folders: Vec<FolderTemplate>,
}

/// One step of the checklist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTemplate {
    /// By whom.
    pub owner: Owner,
    /// What.
    pub title: Text,
    /// How it is undone.
    pub undo: Text,
    /// The file that a step of MAX makes.
    #[serde(default)]
    pub makes: String,
}

/// A folder of the workspace.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderTemplate {
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub purpose: Text,
}

/// What is wrong with a file of the agency's folder.
#[derive(Debug, thiserror::Error)]
#[error("the agency's file `{file}` cannot be used: {problem}")]
pub struct AgencyError {
    /// The file, relative to the folder.
    pub file: String,
    /// What is wrong, naming the field where there is one.
    pub problem: String,
}

impl AgencyError {
    fn new(file: &str, problem: impl ToString) -> Self {
        Self { file: file.into(), problem: problem.to_string() }
    }
}

impl Agency {
    /// Reads the agency's folder; each file that is absent is the built-in one. Without a folder: the example agency.
    pub fn load(dir: Option<&Path>) -> Result<Self, AgencyError> {
        let folder = Folder { dir };
        let agency = Self {
            profile: folder.toml("profile.toml")?,
            catalog: folder.toml("services.toml")?,
            onboarding: folder.toml("onboarding.toml")?,
            rates: folder.toml("rates.toml")?,
            personas: folder.toml("personas.toml")?,
            clauses: folder.clauses()?,
            mails: folder.mails()?,
        };
        agency.validate()?;
        Ok(agency)
    }

    /// Writes the built-in files into a folder, so that the owner can edit them. Never overwrites; gives back the
    /// names of the files that were written.
    pub fn write_defaults(dir: &Path) -> Result<Vec<String>, AgencyError> {
        let mut written = Vec::new();
        for (name, text) in embedded::builtin() {
            let path = dir.join(&name);
            let failed = |error: std::io::Error| AgencyError::new(&name, error);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            match fs::File::create_new(&path) {
                Ok(mut file) => {
                    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
                    written.push(name);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(written)
    }

    /// The prices.
    pub fn rate_card(&self) -> &RateCard {
        &self.rates
    }

    /// The services as the core's policy knows them.
    pub fn services(&self) -> Vec<Service> {
        self.catalog
            .services
            .iter()
            .map(|s| Service {
                id: s.id.clone(),
                name: s.name.get(Lang::En).to_owned(),
                keywords: s.keywords.clone(),
                offered: s.offered,
            })
            .collect()
    }

    /// A service's name in a language; its id when it is not in the catalogue.
    pub fn service_name<'a>(&'a self, id: &'a str, lang: Lang) -> &'a str {
        self.catalog.services.iter().find(|s| s.id == id).map_or(id, |s| s.name.get(lang))
    }

    /// The name an Eidolon goes by.
    pub fn persona(&self, eidolon: Eidolon) -> &str {
        self.personas.get(&eidolon).map_or(eidolon.persona(), String::as_str)
    }

    /// Says that AI writes and how to reach a person.
    pub fn disclosure(&self, lang: Lang) -> &str {
        self.profile.disclosure.get(lang)
    }

    /// The contract's clauses in order.
    pub fn clauses(&self, lang: Lang) -> &[Clause] {
        self.clauses.get(&lang).map_or(&[], Vec::as_slice)
    }

    /// Renders a mail: its subject and its text.
    pub fn mail(&self, lang: Lang, name: &str, slots: minijinja::Value) -> Result<(String, String), AgencyError> {
        let file = format!("templates/{}/{name}.txt", lang.tag());
        let failed = |error: minijinja::Error| AgencyError::new(&file, format!("{error}"));
        let text = self.mails.get_template(&file).and_then(|t| t.render(slots)).map_err(failed)?;
        let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = head.strip_prefix("Subject:").unwrap_or(head).trim();
        Ok((subject.to_owned(), body.trim().to_owned()))
    }

    fn validate(&self) -> Result<(), AgencyError> {
        let p = &self.profile;
        for (field, value) in [("name", &p.name), ("mail", &p.mail), ("contact", &p.contact)] {
            if value.trim().is_empty() {
                return Err(AgencyError::new("profile.toml", format!("`{field}` is empty; fill it in")));
            }
        }
        for lang in Lang::ALL {
            if p.disclosure.get(lang).trim().is_empty() {
                let problem = format!("`disclosure.{}` is empty; people must be told that AI writes", lang.tag());
                return Err(AgencyError::new("profile.toml", problem));
            }
        }
        if jiff::tz::TimeZone::get(&p.time_zone).is_err() {
            let problem = format!("`time_zone` is `{}`, which is no IANA time zone such as Europe/Berlin", p.time_zone);
            return Err(AgencyError::new("profile.toml", problem));
        }
        if p.languages.is_empty() {
            return Err(AgencyError::new("profile.toml", "`languages` is empty; name at least one of en, de"));
        }
        if self.rates.day_rate_minor <= 0 {
            return Err(AgencyError::new("rates.toml", "`day_rate_minor` must be more than 0"));
        }
        if let Some(feature) = self.catalog.features.iter().find(|f| f.quarter_days == 0) {
            let problem = format!("feature `{}`: `quarter_days` must be at least 1", feature.id);
            return Err(AgencyError::new("services.toml", problem));
        }
        let step = self.onboarding.steps.iter().find(|s| s.owner == Owner::Max && s.makes.is_empty());
        if let Some(step) = step {
            let problem = format!("step `{}`: a step of max names what it `makes`", step.title.get(Lang::En));
            return Err(AgencyError::new("onboarding.toml", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_agency_is_complete_in_both_languages() {
        let agency = Agency::load(None).expect("the built-in agency");
        assert_eq!(agency.clauses(Lang::En).len(), 17);
        assert_eq!(agency.clauses(Lang::En).len(), agency.clauses(Lang::De).len());
        assert_eq!(agency.persona(Eidolon::Scoping), "Clara");
        assert!(agency.services().iter().any(|s| !s.offered));
    }

    #[test]
    fn defaults_are_written_once_and_never_over_the_owners_words() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("personas.toml"), "scoping = \"Zoë\"\n").expect("written");
        let written = Agency::write_defaults(dir.path()).expect("written");
        assert!(written.contains(&"profile.toml".to_owned()) && !written.contains(&"personas.toml".to_owned()));
        assert_eq!(Agency::write_defaults(dir.path()).expect("again"), Vec::<String>::new());
        let agency = Agency::load(Some(dir.path())).expect("loads");
        assert_eq!((agency.persona(Eidolon::Scoping), agency.persona(Eidolon::Closer)), ("Zoë", "Finn"));
    }

    #[test]
    fn an_owner_adds_and_leaves_out_clauses() {
        let dir = tempfile::tempdir().expect("a folder");
        let clauses = dir.path().join("clauses/en");
        fs::create_dir_all(&clauses).expect("made");
        fs::write(clauses.join("08-revisions.md"), "").expect("written");
        fs::write(clauses.join("18-travel.md"), "# Travel\n\nTravel is charged at cost.\n").expect("written");
        let agency = Agency::load(Some(dir.path())).expect("loads");
        let ids: Vec<&str> = agency.clauses(Lang::En).iter().map(|c| c.id.as_str()).collect();
        assert!(ids.contains(&"18-travel") && !ids.contains(&"08-revisions"));
    }

    #[test]
    fn an_error_names_the_file_and_the_field() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("rates.toml"), "day_rate = 5\n").expect("written");
        let error = Agency::load(Some(dir.path())).expect_err("unknown field").to_string();
        assert!(error.contains("rates.toml") && error.contains("day_rate"), "{error}");
    }
    #[test]
    fn a_slot_that_nobody_fills_is_found_when_the_folder_is_read() {
        for (name, text) in [
            ("clauses/en/05-price.md", "# Price\n\nThe price is {{ prize }}.\n"),
            ("templates/de/welcome.txt", "Subject: Hallo\n\n{{ vorname }}\n"),
        ] {
            let dir = tempfile::tempdir().expect("a folder");
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
            let error = Agency::load(Some(dir.path())).expect_err("an unknown slot").to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
