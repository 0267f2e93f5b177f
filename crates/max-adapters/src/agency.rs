//! The agency's own folder: who it is, what it does and for how much, its clauses and mails. Every file is optional;
//! what is absent is the built-in example.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use max_core::policy::{RateCard, Service};
use max_core::stage::Eidolon;
use max_core::stages::onboarding::Owner;
use max_documents::Lang;
use max_documents::contract::Clause;
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;
use serde::de::DeserializeOwned;

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
        for (name, text) in builtin() {
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
        let failed = |error: minijinja::Error| AgencyError::new(&file, format!("{error:#}"));
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

/// Where files come from: the owner's folder first, then the built-in ones.
struct Folder<'a> {
    dir: Option<&'a Path>,
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

    fn toml<T: DeserializeOwned>(&self, name: &str) -> Result<T, AgencyError> {
        let own = self.own(name)?;
        let text = match &own {
            Some(text) => text.as_str(),
            None => TABLES.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text),
        };
        toml::from_str(text).map_err(|error| AgencyError::new(name, error.to_string().trim()))
    }

    /// The clauses by language, ordered by file name. An empty file leaves a built-in clause out; a new one adds one.
    fn clauses(&self) -> Result<BTreeMap<Lang, Vec<Clause>>, AgencyError> {
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
                clauses.push(Clause { id: id.into(), title: title.trim().into(), text: body.trim().into() });
            }
            all.insert(lang, clauses);
        }
        Ok(all)
    }

    fn mails(&self) -> Result<Environment<'static>, AgencyError> {
        let mut mails = Environment::new();
        mails.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        for lang in Lang::ALL {
            for (name, text) in self.texts(&format!("templates/{}", lang.tag()), "txt", MAILS)? {
                if !text.starts_with("Subject:") {
                    return Err(AgencyError::new(&name, "a mail begins with a line `Subject: …`"));
                }
                mails
                    .add_template_owned(name.clone(), text)
                    .map_err(|error| AgencyError::new(&name, format!("{error:#}")))?;
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

/// Every built-in file by name.
fn builtin() -> impl Iterator<Item = (String, &'static str)> {
    TABLES.iter().chain(CLAUSES).chain(MAILS).map(|(name, text)| ((*name).to_owned(), *text))
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../agency/", $name)))),+] };
}

const TABLES: &[(&str, &str)] =
    files!("profile.toml", "services.toml", "rates.toml", "onboarding.toml", "personas.toml",);

const CLAUSES: &[(&str, &str)] = files!(
    "clauses/de/01-parties.md",
    "clauses/de/02-scope.md",
    "clauses/de/03-deliverables.md",
    "clauses/de/04-timetable.md",
    "clauses/de/05-price.md",
    "clauses/de/06-late-payment.md",
    "clauses/de/07-changes.md",
    "clauses/de/08-revisions.md",
    "clauses/de/09-acceptance.md",
    "clauses/de/10-rights.md",
    "clauses/de/11-warranty.md",
    "clauses/de/12-confidentiality.md",
    "clauses/de/13-data.md",
    "clauses/de/14-liability.md",
    "clauses/de/15-termination.md",
    "clauses/de/16-law.md",
    "clauses/de/17-ai.md",
    "clauses/en/01-parties.md",
    "clauses/en/02-scope.md",
    "clauses/en/03-deliverables.md",
    "clauses/en/04-timetable.md",
    "clauses/en/05-price.md",
    "clauses/en/06-late-payment.md",
    "clauses/en/07-changes.md",
    "clauses/en/08-revisions.md",
    "clauses/en/09-acceptance.md",
    "clauses/en/10-rights.md",
    "clauses/en/11-warranty.md",
    "clauses/en/12-confidentiality.md",
    "clauses/en/13-data.md",
    "clauses/en/14-liability.md",
    "clauses/en/15-termination.md",
    "clauses/en/16-law.md",
    "clauses/en/17-ai.md",
);

const MAILS: &[(&str, &str)] = files!(
    "templates/de/closing.txt",
    "templates/de/contract-1.txt",
    "templates/de/contract-2.txt",
    "templates/de/contract-3.txt",
    "templates/de/contract-4.txt",
    "templates/de/contract.txt",
    "templates/de/decline.txt",
    "templates/de/first-reply.txt",
    "templates/de/human.txt",
    "templates/de/keep-talking.txt",
    "templates/de/milestone.txt",
    "templates/de/mockup.txt",
    "templates/de/nudge-1.txt",
    "templates/de/nudge-2.txt",
    "templates/de/nudge-3.txt",
    "templates/de/nudge-4.txt",
    "templates/de/offer-1.txt",
    "templates/de/offer-2.txt",
    "templates/de/offer-3.txt",
    "templates/de/offer-4.txt",
    "templates/de/plan.txt",
    "templates/de/proposal.txt",
    "templates/de/questions.txt",
    "templates/de/receipt.txt",
    "templates/de/sign-off-1.txt",
    "templates/de/sign-off-2.txt",
    "templates/de/sign-off-3.txt",
    "templates/de/sign-off-4.txt",
    "templates/de/welcome.txt",
    "templates/de/withdrawn.txt",
    "templates/en/closing.txt",
    "templates/en/contract-1.txt",
    "templates/en/contract-2.txt",
    "templates/en/contract-3.txt",
    "templates/en/contract-4.txt",
    "templates/en/contract.txt",
    "templates/en/decline.txt",
    "templates/en/first-reply.txt",
    "templates/en/human.txt",
    "templates/en/keep-talking.txt",
    "templates/en/milestone.txt",
    "templates/en/mockup.txt",
    "templates/en/nudge-1.txt",
    "templates/en/nudge-2.txt",
    "templates/en/nudge-3.txt",
    "templates/en/nudge-4.txt",
    "templates/en/offer-1.txt",
    "templates/en/offer-2.txt",
    "templates/en/offer-3.txt",
    "templates/en/offer-4.txt",
    "templates/en/plan.txt",
    "templates/en/proposal.txt",
    "templates/en/questions.txt",
    "templates/en/receipt.txt",
    "templates/en/sign-off-1.txt",
    "templates/en/sign-off-2.txt",
    "templates/en/sign-off-3.txt",
    "templates/en/sign-off-4.txt",
    "templates/en/welcome.txt",
    "templates/en/withdrawn.txt",
);

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
}
