//! The frame of a scope: goal, measures, users, money, time, what is assumed, what may go wrong, what is open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use max_core::figures::{self, Value};
use max_core::stages::scoping::{
    Answered, Assumption, Budget, Deliverable, Dependency, Measure, OpenQuestion, Priority, Quality, Risk, Scope, Term,
    Timeline, Users,
};
use max_documents::Lang;

use super::plan::{self, Topics};
use super::requirements::Built;
use crate::agency::TopicQuestion;
use crate::voices::playbook::intent;
use crate::voices::playbook::text::{self, Said, sentences};
use crate::voices::playbook::turn::{Turn, Words};
use crate::voices::playbook::wishes;
use max_core::prose::normalised;

/// What the sections are made from.
pub struct Frame<'t, 'a> {
    pub turn: &'t Turn<'a>,
    pub said: &'t [Words],
    pub answers: Vec<Answered>,
    pub open: Vec<&'a TopicQuestion>,
    /// Topic, message and sentence, in the order in which they were said.
    about: Vec<(&'a str, &'t str, &'t str)>,
}

/// Topics that have a section of their own and are no assumption.
const OWN_SECTION: [&str; 4] = ["budget", "timeline", "audience", "success"];

impl<'t, 'a> Frame<'t, 'a> {
    pub fn new(turn: &'t Turn<'a>, said: &'t [Words], answers: Vec<Answered>, open: Vec<&'a TopicQuestion>) -> Self {
        let about = Topics::new(turn).sentences(said);
        Self { turn, said, answers, open, about }
    }

    fn lang(&self) -> Lang {
        self.turn.lang
    }

    fn client(&self) -> String {
        self.lang().pick(["Client", "Kunde", "Klant", "Client"]).into()
    }

    fn agency(&self) -> String {
        self.turn.agency.profile.name.clone()
    }

    /// The words on a topic: the answer to its question first, then what was said of its own accord.
    fn words(&self, topic: &str) -> Option<(&str, &str)> {
        let answer = self.answers.iter().find(|a| a.topic == topic && !a.quote.is_empty());
        let answer = answer.map(|a| (a.source.as_str(), a.quote.as_str()));
        answer.or_else(|| self.about.iter().find(|(t, _, _)| *t == topic).map(|(_, source, words)| (*source, *words)))
    }

    /// Signs of success with a number, in the client's words; else the one that the agency proposes.
    pub fn measures(&self) -> Vec<Measure> {
        let spoken = self.about.iter().filter(|(topic, _, words)| {
            *topic == "success" && words.chars().any(|c| c.is_ascii_digit()) && !plan::not_known(words)
        });
        let answer = self.answers.iter().filter(|a| a.topic == "success" && !a.quote.is_empty());
        let all = spoken.map(|(_, source, words)| (*source, *words)).chain(answer.map(|a| (&*a.source, &*a.quote)));
        let mut seen = BTreeSet::new();
        let measures: Vec<Measure> = all
            .filter(|(_, words)| seen.insert(normalised(words)))
            .take(4)
            .map(|(source, words)| Measure {
                text: text::tame(words, 240),
                number: number(words),
                by: self.day(words),
                source: source.to_owned(),
                quote: words.to_owned(),
            })
            .collect();
        if !measures.is_empty() {
            return measures;
        }
        let text = self.lang().pick([
            "Every Must passes its acceptance test, shown by the client on a phone and a computer.",
            "Jedes Muss besteht seinen Abnahmetest, vom Kunden auf Telefon und Computer gezeigt.",
            "Elke Moet doorstaat zijn opleveringstest, door de klant getoond op telefoon en computer.",
            "Chaque Indispensable passe son test de recette, montré par le client sur téléphone et ordinateur.",
        ]);
        vec![Measure { text: text.into(), number: "100 %".into(), by: self.timeline().end, ..Measure::default() }]
    }

    pub fn users(&self) -> Vec<Users> {
        let mut seen = BTreeSet::new();
        let spoken = self.about.iter().filter(|(topic, _, words)| *topic == "audience" && seen.insert(*words)).take(3);
        let users: Vec<Users> = spoken
            .map(|(_, source, words)| Users {
                text: text::tame(words, 240),
                source: (*source).to_owned(),
                quote: (*words).to_owned(),
            })
            .collect();
        if !users.is_empty() {
            return users;
        }
        let text = self.lang().pick([
            "Visitors on a phone or a computer, without an account; the client's staff who look after the content.",
            "Besucher auf Telefon oder Computer, ohne Konto; Mitarbeitende des Kunden, die Inhalte pflegen.",
            "Bezoekers op telefoon of computer, zonder account; medewerkers van de klant die de inhoud beheren.",
            "Des visiteurs sur téléphone ou ordinateur, sans compte ; les équipes du client qui tiennent le contenu.",
        ]);
        vec![Users { text: text.into(), ..Users::default() }]
    }

    /// The range that the client named, in the form, as an answer, or in a sentence about money.
    pub fn budget(&self) -> Option<Budget> {
        let form = self.turn.lead.contact.budget.iter().map(|b| ("lead", b.as_str()));
        let answer = self.answers.iter().filter(|a| a.topic == "budget").map(|a| (&*a.source, &*a.quote));
        let spoken = self.about.iter().filter(|(t, _, _)| *t == "budget").map(|(_, s, w)| (*s, *w));
        let short = self.said.iter().flat_map(|w| sentences(&w.text).into_iter().map(|s| (&*w.source, s.text)));
        let short = short.filter(|(_, words)| words.split_whitespace().count() <= 5);
        let (source, words, read) = form.chain(answer).chain(spoken).chain(short).find_map(|(source, words)| {
            // A year or a number of rooms is no money unless it says so.
            let named = words.len() <= 400 && figures::find(words).iter().any(|f| matches!(f.value, Value::Money(_)));
            let read = figures::budget(words).filter(|b| b.high > 0 && (named || source == "lead"))?;
            (named || read.currency.is_some() || self.turn.lead.contact.budget.as_deref() == Some(words))
                .then_some((source, words, read))
        })?;
        let currency = read.currency.unwrap_or_else(|| self.turn.policy.rate_card.currency.clone());
        Some(Budget {
            low_minor: if read.low == read.high { 0 } else { read.low },
            high_minor: read.high,
            currency,
            includes_vat: read.net == Some(false),
            source: source.to_owned(),
            quote: words.to_owned(),
            flag: String::new(),
        })
    }

    /// Says that the estimate lies outside the range, where it does.
    pub fn flag(&self, scope: &Scope) -> String {
        let budget = scope.budget.as_ref();
        if budget.and_then(|b| b.outside(scope, self.turn.policy)).is_none() {
            return String::new();
        }
        self.lang()
            .pick([
                "The estimate for everything listed here lies outside this range. The offer shows what fits into it and what does not.",
                "Die Schätzung für alles hier Aufgeführte liegt außerhalb dieses Rahmens. Das Angebot zeigt, was hineinpasst und was nicht.",
                "De schatting voor alles wat hier staat valt buiten dit bereik. De offerte laat zien wat erin past en wat niet.",
                "L'estimation de tout ce qui figure ici sort de cette fourchette. L'offre montre ce qui y entre et ce qui n'y entre pas.",
            ])
            .into()
    }

    pub fn timeline(&self) -> Timeline {
        let form = self.turn.lead.contact.timeline.as_deref().filter(|t| !t.trim().is_empty()).map(|t| ("lead", t));
        let Some((source, words)) = form.or_else(|| self.words("timeline")) else { return Timeline::default() };
        Timeline {
            start: None,
            end: self.day(words).filter(|day| *day >= self.came_in()),
            text: text::tame(words, 240),
            source: source.to_owned(),
            quote: words.to_owned(),
        }
    }

    fn came_in(&self) -> Date {
        self.turn.lead.created_at.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// The day that some words name: a date, a month of a year, or the next such month.
    fn day(&self, words: &str) -> Option<Date> {
        let from = self.came_in();
        let named = figures::find(text::head(words, 2_000)).into_iter().find_map(|figure| match figure.value {
            Value::Date(days) if days.len() == 1 => days.first().copied(),
            Value::Day { month, day } => next(from, month, Some(day)),
            Value::Month { year, month } => Date::new(year, month, 1).ok().map(|d| d.last_of_month()),
            _ => None,
        });
        named.or_else(|| next(from, month(words)?, None))
    }

    pub fn assumptions(&self, built: &[Built]) -> Vec<Assumption> {
        let (open, close) = self.lang().pick([("“", "”"), ("„", "“"), ("“", "”"), ("« ", " »")]);
        let change = self.lang().pick([
            "Effort and dates are looked at again, as a change order",
            "Aufwand und Termine werden neu betrachtet, als Nachtrag",
            "Inspanning en data worden opnieuw bekeken, als meerwerk",
            "La charge et les dates sont revues, par avenant",
        ]);
        let mut all = Vec::new();
        for question in &self.turn.agency.catalog.questions {
            let label = question.label.get(self.lang());
            let known = self.words(&question.topic).filter(|_| !OWN_SECTION.contains(&question.topic.as_str()));
            let unknown = self.open.iter().any(|q| q.topic == question.topic);
            if let Some((source, words)) = known.filter(|(_, words)| !plan::not_known(words)) {
                let shown = text::tame(words, 240);
                if !shown.is_empty() {
                    all.push(Assumption {
                        text: format!("{label}: {open}{shown}{close}"),
                        owner: self.client(),
                        if_wrong: change.into(),
                        source: source.to_owned(),
                        quote: words.to_owned(),
                    });
                }
            } else if let Some(assumed) = question.assume.as_ref().filter(|_| unknown || self.is_about(question, built))
            {
                all.push(Assumption {
                    text: format!("{label}: {}", assumed.get(self.lang())),
                    owner: self.agency(),
                    if_wrong: change.into(),
                    ..Assumption::default()
                });
            }
        }
        all.extend(self.changes(change));
        all
    }

    /// True for a question about a feature that is built.
    fn is_about(&self, question: &TopicQuestion, built: &[Built]) -> bool {
        !question.feature.is_empty()
            && built.iter().any(|b| b.feature.is_some_and(|f| f.id == question.feature))
            && self.words(&question.topic).is_none_or(|(_, words)| plan::not_known(words))
    }

    /// What people of the agency asked to change, now and before.
    fn changes(&self, if_wrong: &str) -> Vec<Assumption> {
        let changed = self.lang().pick([
            "Changed at the agency's request",
            "Auf Wunsch der Agentur geändert",
            "Gewijzigd op verzoek van het bureau",
            "Modifié à la demande de l'agence",
        ]);
        let earlier = self.turn.scope().map(|s| s.assumptions).unwrap_or_default();
        let mut all: Vec<Assumption> = earlier.into_iter().filter(|a| a.text.starts_with(changed)).collect();
        all.extend(self.turn.rejection().map(|reason| Assumption {
            text: format!("{changed}: {reason}"),
            owner: self.agency(),
            if_wrong: if_wrong.into(),
            ..Assumption::default()
        }));
        all
    }

    pub fn dependencies(&self, built: &[Built]) -> Vec<Dependency> {
        let of = |features: &[&str]| -> Vec<String> {
            let about = built.iter().filter(|b| b.feature.is_some_and(|f| features.contains(&f.id.as_str())));
            about.filter(|b| b.requirement.priority != Priority::Wont).map(|b| b.requirement.id.clone()).collect()
        };
        let texts = self.lang().pick([
            "Texts and pictures are there before the pages that show them are built",
            "Texte und Bilder sind da, bevor die Seiten gebaut werden, die sie zeigen",
            "Teksten en beelden zijn er voordat de pagina's worden gebouwd die ze tonen",
            "Les textes et les images sont là avant la réalisation des pages qui les montrent",
        ]);
        let access = self.lang().pick([
            "Access to the systems to be connected, with a test account, before work on the connection starts",
            "Zugang zu den anzubindenden Systemen, mit Testkonto, bevor die Arbeit an der Anbindung beginnt",
            "Toegang tot de te koppelen systemen, met testaccount, voordat het werk aan de koppeling begint",
            "Accès aux systèmes à relier, avec un compte de test, avant le début du travail sur le lien",
        ]);
        [(texts, of(&["website", "gallery", "news", "shop", "languages"])), (access, of(&["integration", "payment"]))]
            .into_iter()
            .filter(|(_, requirements)| !requirements.is_empty())
            .map(|(text, requirements)| Dependency { text: text.into(), owner: self.client(), requirements })
            .collect()
    }

    pub fn qualities(&self) -> Vec<Quality> {
        let all = &self.turn.agency.catalog.qualities;
        all.iter().map(|q| Quality { of: q.of, text: q.text.get(self.lang()).to_owned() }).collect()
    }

    pub fn risks(&self, built: &[Built]) -> Vec<Risk> {
        let wanted = |id: &str| {
            id.is_empty() || built.iter().any(|b| b.requirement.priority != Priority::Wont && b.is_about(id))
        };
        let all = self.turn.agency.catalog.risks.iter().filter(|r| wanted(&r.feature));
        all.map(|r| Risk {
            text: r.text.get(self.lang()).to_owned(),
            effect: r.effect.get(self.lang()).to_owned(),
            answer: r.answer.get(self.lang()).to_owned(),
            owner: self.agency(),
        })
        .collect()
    }

    pub fn glossary(&self) -> Vec<Term> {
        let all = &self.turn.agency.catalog.terms;
        all.iter()
            .map(|t| Term { term: t.term.get(self.lang()).to_owned(), means: t.means.get(self.lang()).to_owned() })
            .collect()
    }

    /// What the client asked, and what is still not known. A Must waits for no answer: there the assumption stands in.
    pub fn open_questions(&self, built: &[Built]) -> Vec<OpenQuestion> {
        let own = self
            .said
            .iter()
            .skip(1)
            .flat_map(|w| sentences(&w.text))
            .filter(|s| s.question && !wishes::is_wish(&Said::new(s.text)) && !intent::asks_for_a_human(s.text))
            .map(|s| format!("{}?", text::tame(s.text, 240)))
            .filter(|q| q.len() > 4)
            .take(8)
            .map(|text| OpenQuestion { text, owner: self.agency(), ..OpenQuestion::default() });
        let waits = |q: &TopicQuestion| -> Vec<String> {
            let hangs = |b: &&Built| !q.feature.is_empty() && b.is_about(&q.feature);
            let built = built.iter().filter(hangs).map(|b| &b.requirement);
            let later = built.filter(|r| matches!(r.priority, Priority::Should | Priority::Could));
            later.map(|r| r.id.clone()).collect()
        };
        let unknown = self.open.iter().map(|q| OpenQuestion {
            topic: q.topic.clone(),
            text: q.text.get(self.lang()).to_owned(),
            requirements: waits(q),
            owner: self.client(),
            ..OpenQuestion::default()
        });
        let mut all: Vec<OpenQuestion> = own.chain(unknown).collect();
        let catalog = &self.turn.agency.catalog.questions;
        if self.budget().is_none()
            && !all.iter().any(|q| q.topic == "budget")
            && let Some(budget) = catalog.iter().find(|q| q.topic == "budget")
        {
            all.push(OpenQuestion {
                topic: "budget".into(),
                text: budget.text.get(self.lang()).to_owned(),
                owner: self.client(),
                ..OpenQuestion::default()
            });
        }
        for (i, question) in all.iter_mut().enumerate() {
            question.id = format!("Q-{}", i + 1);
        }
        all
    }

    /// One deliverable for each thing that is built, handed over with the first release that it is a Must of.
    pub fn deliverables(&self, built: &[Built]) -> Vec<Deliverable> {
        let other = &self.turn.agency.catalog.other_feature;
        let mut groups: Vec<(&str, Vec<&Built>)> = Vec::new();
        let mut at: BTreeMap<&str, usize> = BTreeMap::new();
        for one in built.iter().filter(|b| b.requirement.priority != Priority::Wont) {
            let name = one.feature.map_or(&other.title, |f| &f.title).get(self.lang());
            let number = *at.entry(name).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[number].1.push(one);
        }
        let (first, second) = self.lang().pick([
            ("First release", "Second release"),
            ("Erste Veröffentlichung", "Zweite Veröffentlichung"),
            ("Eerste oplevering", "Tweede oplevering"),
            ("Première livraison", "Deuxième livraison"),
        ]);
        groups
            .into_iter()
            .enumerate()
            .map(|(i, (name, all))| {
                let texts: Vec<&str> = all.iter().take(4).map(|b| b.requirement.text.as_str()).collect();
                let more = if all.len() > 4 { "; …" } else { "" };
                let must = all.iter().any(|b| b.requirement.priority == Priority::Must);
                let acceptance = all[0].feature.map_or(&other.acceptance, |f| &f.acceptance).get(self.lang());
                Deliverable {
                    id: format!("D-{}", i + 1),
                    name: name.to_owned(),
                    description: format!("{}{more}", texts.join("; ")),
                    acceptance: acceptance.to_owned(),
                    requirements: all.iter().map(|b| b.requirement.id.clone()).collect(),
                    milestone: if must { first } else { second }.to_owned(),
                    due: None,
                }
            })
            .collect()
    }

    pub fn acceptance(&self) -> String {
        self.lang()
            .pick([
                "Each requirement is accepted by its own test, tried by the client within ten working days after hand-over. What fails is mended and tried again; what nobody tries in that time counts as accepted as far as the contract says so.",
                "Jede Anforderung wird durch ihren eigenen Test abgenommen, den der Kunde binnen zehn Werktagen nach der Übergabe durchführt. Was nicht besteht, wird nachgebessert und erneut geprüft; was in dieser Zeit niemand prüft, gilt als abgenommen, soweit der Vertrag das vorsieht.",
                "Elke eis wordt opgeleverd met een eigen test, die de klant binnen tien werkdagen na overdracht uitvoert. Wat niet slaagt wordt hersteld en opnieuw getest; wat in die tijd niemand test geldt als aanvaard voor zover het contract dat bepaalt.",
                "Chaque exigence est reçue par son propre test, fait par le client dans les dix jours ouvrés après la livraison. Ce qui échoue est corrigé et testé de nouveau ; ce que personne ne teste dans ce délai est réputé accepté dans la mesure prévue au contrat.",
            ])
            .into()
    }

    pub fn change_rule(&self) -> String {
        self.lang()
            .pick([
                "Changes to this scope are agreed in writing as a numbered change order with its price and its effect on dates, before work on them starts.",
                "Änderungen an diesem Umfang werden schriftlich als nummerierter Nachtrag mit Preis und Wirkung auf die Termine vereinbart, bevor die Arbeit daran beginnt.",
                "Wijzigingen van deze scope worden schriftelijk overeengekomen als genummerd meerwerk, met prijs en gevolg voor de data, voordat het werk eraan begint.",
                "Toute modification de ce périmètre fait l'objet d'un avenant écrit et numéroté, avec son prix et son effet sur les dates, avant le début du travail.",
            ])
            .into()
    }
}

/// The number in some words, with what it counts: `30 %`, `20 bookings`.
fn number(words: &str) -> String {
    let Some(at) = words.find(|c: char| c.is_ascii_digit()) else { return String::new() };
    let rest = &words[at..];
    let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || b",.".contains(b)).count();
    let unit = rest[digits..].split_whitespace().next().unwrap_or_default();
    format!("{} {}", rest[..digits].trim_end_matches([',', '.']), text::tame(unit, 20)).trim().to_owned()
}

/// The month (1 to 12) that a text names, in four languages.
fn month(words: &str) -> Option<i8> {
    const MONTHS: [&[&str]; 12] = [
        &["january", "januar", "janvier"],
        &["february", "februar", "février", "fevrier"],
        &["march", "märz", "maart", "mars"],
        &["april", "avril"],
        &["may", "mai", "mei"],
        &["june", "juni", "juin"],
        &["july", "juli", "juillet"],
        &["august", "augustus", "août", "aout"],
        &["september", "septembre"],
        &["october", "oktober", "octobre"],
        &["november", "novembre"],
        &["december", "dezember", "décembre", "decembre"],
    ];
    let said = Said::new(words);
    let named =
        (1..).zip(MONTHS).filter_map(|(n, names)| Some((names.iter().filter_map(|w| said.position(w)).min()?, n)));
    named.min().map(|(_, n)| n)
}

/// The next such day on or after `from`; the last of the month where no day is named.
fn next(from: Date, month: i8, day: Option<i8>) -> Option<Date> {
    let of = |year| match day {
        Some(day) => Date::new(year, month, day).ok(),
        None => Date::new(year, month, 1).ok().map(Date::last_of_month),
    };
    of(from.year()).filter(|d| *d >= from).or_else(|| of(from.year().checked_add(1)?))
}

/// What a requirement may not come before, as the catalogue orders features.
pub fn depends_on(turn: &Turn, of: &Built, all: &[Built]) -> Vec<String> {
    let Some(feature) = of.feature else { return Vec::new() };
    let after = turn.agency.catalog.orders.iter().filter(|o| o.feature == feature.id).flat_map(|o| &o.after);
    // The first requirement of a feature builds it; the others add to it.
    after
        .filter_map(|id| all.iter().find(|b| b.is_about(id) && b.is_built()))
        .map(|b| b.requirement.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_without_a_year_is_the_next_one() {
        let from = date(2026, 11, 23);
        assert_eq!(next(from, month("by the end of March").expect("a month"), None), Some(date(2027, 3, 31)));
        assert_eq!(next(from, month("Ende November").expect("a month"), None), Some(date(2026, 11, 30)));
        assert_eq!(next(from, 2, Some(30)), None);
        assert_eq!(number("we want 30 % more bookings"), "30 %");
    }
}
