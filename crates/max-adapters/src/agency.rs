//! The agency's own folder: who it is, what it does and for how much, its clauses and mails. Every file is optional;
//! what is absent is the built-in example.

mod embedded;
mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use jiff::civil::Date;
use max_core::calendar::{Calendar, Country};
use max_core::id::Digest;
use max_core::policy::{RateCard, Receipt, Service};
use max_core::stage::Eidolon;
use max_core::stages::onboarding::{Cover, Owner};
use max_core::stages::scoping::QualityKind;
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

/// A text by language. English and German are always there; another language falls back to English.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    en: String,
    de: String,
    #[serde(default)]
    nl: Option<String>,
    #[serde(default)]
    fr: Option<String>,
}

impl Text {
    fn of([en, de, nl, fr]: [&str; 4]) -> Self {
        Self { en: en.into(), de: de.into(), nl: Some(nl.into()), fr: Some(fr.into()) }
    }

    /// The text in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::De => &self.de,
            Lang::Nl => self.nl.as_deref().unwrap_or(&self.en),
            Lang::Fr => self.fr.as_deref().unwrap_or(&self.en),
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
    /// The country whose public holidays it keeps.
    #[serde(default)]
    pub country: Option<Country>,
    /// Other days on which it is closed.
    #[serde(default)]
    pub holidays: Vec<Date>,
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
    /// How well everything has to work.
    #[serde(rename = "quality", default)]
    pub qualities: Vec<QualityTemplate>,
    /// What may go wrong.
    #[serde(rename = "risk", default)]
    pub risks: Vec<RiskTemplate>,
    /// Words that both sides use in one sense.
    #[serde(rename = "term", default)]
    pub terms: Vec<TermTemplate>,
    /// What has to stand before what.
    #[serde(rename = "order", default)]
    pub orders: Vec<Order>,
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
    /// How much hangs on it: 2 for what every scope needs, 1 for what is good to know.
    #[serde(default = "heavy")]
    pub weight: u8,
    /// Only asked when this feature is wanted; always when empty.
    #[serde(default)]
    pub feature: String,
    /// What is assumed as long as nobody has answered.
    #[serde(default)]
    pub assume: Option<Text>,
}

fn heavy() -> u8 {
    2
}

/// How well everything has to work, in one respect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityTemplate {
    /// In which respect.
    pub of: QualityKind,
    /// What is demanded, with its measure.
    pub text: Text,
}

/// Something that may go wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskTemplate {
    /// Only where this feature is wanted; always when empty.
    #[serde(default)]
    pub feature: String,
    /// What.
    pub text: Text,
    /// What would follow.
    pub effect: Text,
    /// What is done about it.
    pub answer: Text,
}

/// A word and its sense.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermTemplate {
    /// The word.
    pub term: Text,
    /// What it means.
    pub means: Text,
}

/// A feature that is built after others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The feature.
    pub feature: String,
    /// The features it needs, where they are wanted.
    pub after: Vec<String>,
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
    /// What the welcome says beside the steps.
    #[serde(default)]
    pub welcome: WelcomeTemplate,
    /// Who gets into what.
    #[serde(rename = "access", default)]
    pub access: Vec<AccessTemplate>,
    /// Programs that steps of MAX may run; there are no others.
    #[serde(rename = "script", default)]
    pub scripts: Vec<ScriptTemplate>,
    /// Only says what the programs would do.
    #[serde(default)]
    pub dry_run: bool,
}

/// What the welcome says beside the steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WelcomeTemplate {
    /// How many working days after the start the kick-off is.
    pub kick_off_days: u32,
    /// What is talked about then.
    pub agenda: Vec<Text>,
    /// How both sides talk, and how soon an answer comes.
    pub communication: Text,
    /// Where the client sees how it stands.
    pub status: Text,
}

impl Default for WelcomeTemplate {
    fn default() -> Self {
        Self {
            kick_off_days: 3,
            agenda: vec![
                Text::of(["Who does what", "Wer was macht", "Wie wat doet", "Qui fait quoi"]),
                Text::of([
                    "The plan and its dates",
                    "Der Plan und seine Termine",
                    "Het plan en de data",
                    "Le plan et ses dates",
                ]),
                Text::of([
                    "What we need from you, and by when",
                    "Was wir von Ihnen brauchen, und bis wann",
                    "Wat we van u nodig hebben, en wanneer",
                    "Ce dont nous avons besoin, et pour quand",
                ]),
            ],
            communication: Text::of([
                "Answer any of our mails; everything about the project stays in one conversation. On working days you have an answer by the next working day.",
                "Antworten Sie einfach auf eine unserer Mails; alles zum Projekt bleibt in einem Gespräch. An Werktagen haben Sie spätestens am nächsten Werktag eine Antwort.",
                "Beantwoord gewoon een van onze mails; alles over het project blijft in één gesprek. Op werkdagen hebt u uiterlijk de volgende werkdag antwoord.",
                "Répondez à l'un de nos e-mails ; tout ce qui concerne le projet reste dans un seul échange. Les jours ouvrés, vous avez une réponse au plus tard le jour ouvré suivant.",
            ]),
            status: Text::of([
                "In the weekly report that comes by mail",
                "Im wöchentlichen Bericht, der per Mail kommt",
                "In het wekelijkse verslag dat per mail komt",
                "Dans le rapport hebdomadaire envoyé par e-mail",
            ]),
        }
    }
}

/// Somebody's way into something; always by invitation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessTemplate {
    /// `agency` for the agency's contact, `client` for the client's.
    pub who: Owner,
    /// Into what.
    pub what: Text,
    /// What may be done there.
    pub rights: Text,
}

/// A program that a step may run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptTemplate {
    /// Its id, as steps name it.
    pub id: String,
    /// Its absolute path and its arguments.
    pub command: Vec<String>,
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
    /// How people do it.
    #[serde(default)]
    pub instructions: Option<Text>,
    /// By how many working days after the start it is due.
    #[serde(default = "three_days")]
    pub due_days: u32,
    /// What every project needs that it takes care of.
    #[serde(default)]
    pub covers: Option<Cover>,
    /// The script that makes the file.
    #[serde(default)]
    pub script: Option<String>,
}

const fn three_days() -> u32 {
    3
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

    /// The days on which the agency works.
    pub fn calendar(&self) -> Calendar {
        let closed = self.profile.holidays.iter().copied().collect();
        Calendar { countries: self.profile.country.into_iter().collect(), closed }
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

    /// The contract's clauses in order; the English ones where a language has none.
    pub fn clauses(&self, lang: Lang) -> &[Clause] {
        let own = self.clauses.get(&lang).filter(|clauses| !clauses.is_empty());
        own.or_else(|| self.clauses.get(&Lang::En)).map_or(&[], Vec::as_slice)
    }

    /// SHA-256 of every clause, by language and id, so that a contract can be held against the library.
    pub fn clause_digests(&self) -> BTreeMap<String, BTreeMap<String, Digest>> {
        let of = |lang: Lang| self.clauses(lang).iter().map(|c| (c.id.clone(), c.digest())).collect();
        Lang::ALL.into_iter().map(|lang| (lang.tag().to_owned(), of(lang))).collect()
    }

    /// The neutral receipt by language tag, for a client whose reply takes longer. It greets nobody by name: the clock
    /// sends it, without a voice.
    pub fn receipts(&self) -> BTreeMap<String, Receipt> {
        let profile = &self.profile;
        let receipt = |lang: Lang| {
            let slots = minijinja::context! {
                agency => profile.name.as_str(),
                agency_mail => profile.mail.as_str(),
                contact => profile.contact.as_str(),
                privacy => profile.privacy.as_str(),
                persona => self.persona(Eidolon::FirstResponder),
                disclosure => self.disclosure(lang),
            };
            let (subject, body) = self.mail(lang, false, "receipt", slots).ok()?;
            Some((lang.tag().to_owned(), Receipt { subject, body }))
        };
        self.profile.languages.iter().filter_map(|lang| receipt(*lang)).collect()
    }

    /// Renders a mail: its subject and its text. `informal` takes `<name>.informal.txt` where there is one.
    ///
    /// A text that leaves the disclosure out gets it at its end: people are told that AI writes, whatever the owner's
    /// templates say.
    pub fn mail(
        &self,
        lang: Lang,
        informal: bool,
        name: &str,
        slots: minijinja::Value,
    ) -> Result<(String, String), AgencyError> {
        let own = format!("templates/{}/{name}", lang.tag());
        // A language without this text falls back to English.
        let files = [format!("{own}.informal.txt"), format!("{own}.txt"), format!("templates/en/{name}.txt")];
        let first = usize::from(!informal);
        let exists = |file: &&String| self.mails.get_template(file).is_ok();
        let file = files.iter().skip(first).find(exists).unwrap_or(&files[2]);
        let failed = |error: minijinja::Error| AgencyError::new(file, format!("{error}"));
        let text = self.mails.get_template(file).and_then(|t| t.render(slots)).map_err(failed)?;
        let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
        let subject = head.strip_prefix("Subject:").unwrap_or(head).trim();
        let disclosure = self.disclosure(if *file == files[2] { Lang::En } else { lang });
        let mut body = body.trim().to_owned();
        if !body.contains(disclosure) {
            body = format!("{body}\n\n{disclosure}");
        }
        Ok((subject.to_owned(), body))
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
            return Err(AgencyError::new("profile.toml", "`languages` is empty; name at least one of en, de, nl, fr"));
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

    /// The slots of a template or clause: `{{ slot }}`, `{% if slot %}`, `{% for x in slot %}`.
    fn slots(text: &str) -> Vec<String> {
        let inside = |open: &'static str, close: &'static str| {
            text.split(open).skip(1).filter_map(move |rest| rest.split(close).next()).map(str::to_owned)
        };
        let words = inside("{{", "}}").chain(inside("{%", "%}"));
        let mut slots: Vec<String> = words
            .flat_map(|words| {
                words.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect::<Vec<_>>()
            })
            .filter(|word| word.len() > 1 && word.parse::<u32>().is_err())
            .filter(|word| {
                !["if", "else", "endif", "for", "in", "endfor", "loop", "index", "ask"].contains(&word.as_str())
            })
            // Only the English text ever answers in place of another language.
            .filter(|word| !["foreign_language", "languages"].contains(&word.as_str()))
            .collect();
        slots.sort();
        slots.dedup();
        slots
    }

    #[test]
    fn every_mail_and_clause_exists_in_all_four_languages_with_the_same_slots() {
        let all: BTreeMap<String, &str> = embedded::builtin().collect();
        let english = |name: &&String| name.starts_with("templates/en/") || name.starts_with("clauses/en/");
        let mut seen = 0;
        for name in all.keys().filter(english) {
            for lang in Lang::ALL {
                let other = name.replace("/en/", &format!("/{}/", lang.tag()));
                let text = all.get(&other).unwrap_or_else(|| panic!("{other} is missing"));
                assert_eq!(slots(text), slots(all[name]), "{other}");
                seen += 1;
            }
        }
        assert!(seen >= 4 * (30 + 17), "{seen}");
        for name in all.keys().filter(|name| name.contains(".informal.")) {
            let formal = name.replace(".informal", "");
            assert_eq!(slots(all[name]), slots(all[&formal]), "{name}");
            for tag in ["de", "nl", "fr"] {
                let other = format!("templates/{tag}/{}", name.rsplit('/').next().unwrap_or_default());
                assert!(all.contains_key(&other), "{other} is missing");
            }
        }
    }

    #[test]
    fn every_text_of_the_tables_exists_in_all_four_languages() {
        fn texts(value: &toml::Value, file: &str, seen: &mut usize) {
            match value {
                toml::Value::Table(table) if table.contains_key("en") => {
                    *seen += 1;
                    for lang in Lang::ALL {
                        let text = table.get(lang.tag()).and_then(toml::Value::as_str).unwrap_or_default();
                        assert!(!text.trim().is_empty(), "{file}: {table} has no {}", lang.tag());
                    }
                }
                toml::Value::Table(table) => table.values().for_each(|v| texts(v, file, seen)),
                toml::Value::Array(list) => list.iter().for_each(|v| texts(v, file, seen)),
                _ => {}
            }
        }
        let mut seen = 0;
        for (name, text) in embedded::builtin().filter(|(name, _)| name.ends_with(".toml")) {
            texts(&text.parse::<toml::Table>().expect("a table").into(), &name, &mut seen);
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn an_informal_mail_says_du_and_a_formal_one_sie() {
        use max_core::prose::{Address, address};
        let all: BTreeMap<String, &str> = embedded::builtin().collect();
        for (name, text) in all.iter().filter(|(name, _)| name.starts_with("templates/")) {
            let tag = name.split('/').nth(1).unwrap_or_default();
            let expected = if name.contains(".informal.") { Address::Informal } else { Address::Formal };
            let found = address(text, tag);
            assert!(found.is_none() || found == Some(expected), "{name}: {found:?}");
        }
    }

    #[test]
    fn the_disclosure_cannot_be_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        for lang in Lang::ALL {
            let folder = dir.path().join("templates").join(lang.tag());
            fs::create_dir_all(&folder).expect("made");
            fs::write(folder.join("first-reply.txt"), "Subject: Hi\n\nI am a person, really.\n").expect("written");
        }
        let agency = Agency::load(Some(dir.path())).expect("loads");
        for lang in Lang::ALL {
            let (_, body) = agency.mail(lang, false, "first-reply", minijinja::context! {}).expect("a mail");
            assert!(body.ends_with(agency.disclosure(lang)), "{body}");
            assert!(max_core::prose::names_ai(&body) && body.contains('@'), "{body}");
        }
    }

    #[test]
    fn the_example_agency_is_complete_in_all_languages() {
        let agency = Agency::load(None).expect("the built-in agency");
        assert_eq!(agency.clauses(Lang::En).len(), 17);
        assert!(Lang::ALL.iter().all(|lang| agency.clauses(*lang).len() == 17));
        assert_eq!(agency.profile.languages, Lang::ALL);
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
