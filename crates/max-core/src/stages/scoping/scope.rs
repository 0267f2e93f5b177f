//! The scope: what will be built, what will not, and everything both sides rely on while it is built.
//!
//! Sections that older records lack are empty in them; an assumption or an open question that an older record holds
//! as a sentence is read as one without owner and consequence.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::lead::Lead;
use crate::policy::RateCard;
use crate::stages::counted;

/// What will be built, and what will not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The project's name.
    pub title: String,
    /// What the client wants to reach, in his words.
    pub goal: String,
    /// How both sides see that it was reached.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// Who will use it.
    #[serde(default)]
    pub users: Vec<Users>,
    /// What is part of it, in a line each.
    #[serde(default)]
    pub in_scope: Vec<String>,
    /// The requirements.
    pub requirements: Vec<Requirement>,
    /// What is handed over.
    #[serde(default)]
    pub deliverables: Vec<Deliverable>,
    /// What is not part of it.
    pub out_of_scope: Vec<String>,
    /// What is taken for granted.
    #[serde(deserialize_with = "assumptions")]
    pub assumptions: Vec<Assumption>,
    /// What has to be there before something else can be done.
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// What the client has to bring.
    pub client_duties: Vec<String>,
    /// How well it has to work: accessibility, privacy, performance, hosting.
    #[serde(default)]
    pub qualities: Vec<Quality>,
    /// The range of money, where the client named one.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// When it is wanted.
    #[serde(default)]
    pub timeline: Timeline,
    /// What may go wrong.
    #[serde(default)]
    pub risks: Vec<Risk>,
    /// How the whole is accepted.
    #[serde(default)]
    pub acceptance: String,
    /// How this scope is changed.
    #[serde(default)]
    pub change_rule: String,
    /// What is still open.
    #[serde(default, deserialize_with = "open_questions")]
    pub open_questions: Vec<OpenQuestion>,
    /// Words that both sides use in one sense.
    #[serde(default)]
    pub glossary: Vec<Term>,
    /// Every wish the client spoke, and where it went.
    #[serde(default)]
    pub wishes: Vec<Wish>,
    /// What was asked, and what the client said to it.
    #[serde(default)]
    pub answers: Vec<Answered>,
}

impl Scope {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!(
            "approve the scope for {}: {}, {} days of work",
            lead.contact.display_name(),
            counted(self.requirements.len(), "requirement"),
            f64::from(self.quarter_days()) / 4.0
        )
    }

    /// The requirements that have to be met.
    pub fn musts(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|r| r.priority == Priority::Must)
    }

    /// The requirements that are built, of whatever weight.
    pub fn built(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|r| r.priority != Priority::Wont)
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// The effort of everything that is built, in quarters of a day.
    pub fn quarter_days(&self) -> u32 {
        self.built().fold(0, |sum, r| sum.saturating_add(r.effort_quarter_days))
    }

    /// The effort of one priority as a share of what is built, in basis points.
    pub fn share(&self, priority: Priority) -> u32 {
        let of = self.built().filter(|r| r.priority == priority).map(|r| u64::from(r.effort_quarter_days)).sum::<u64>();
        let all = u64::from(self.quarter_days());
        (of * 10_000).checked_div(all).map_or(0, |share| u32::try_from(share).unwrap_or(10_000))
    }

    /// What everything that is built comes to by the rate card, net, in minor units.
    pub fn estimate(&self, rates: &RateCard) -> i64 {
        self.built().fold(0i64, |sum, r| {
            let rate = rates.services.get(&r.service).copied().unwrap_or(rates.day_rate_minor);
            // Half a cent counts as one.
            let quarters = rate.saturating_mul(i64::from(r.effort_quarter_days));
            sum.saturating_add(quarters.saturating_add(2).div_euclid(4))
        })
    }
}

/// One thing that will be built, or will not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `R-001` ….
    pub id: String,
    /// What, in one sentence.
    pub text: String,
    /// MoSCoW.
    pub priority: Priority,
    /// How it is accepted.
    pub acceptance: String,
    /// The message it comes from (an id), or `lead` for the first one.
    pub source: String,
    /// The client's words it comes from.
    pub quote: String,
    /// The effort in quarters of a day.
    pub effort_quarter_days: u32,
    /// The service it is priced by, an id of the rate card; the day rate when empty.
    #[serde(default)]
    pub service: String,
    /// The requirements that have to stand before it.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// MoSCoW.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Without it the project has failed.
    Must,
    /// Important, but the project stands without it.
    #[default]
    Should,
    /// If there is time.
    Could,
    /// Not this time.
    Wont,
}

impl Priority {
    /// All of them, the weightiest first.
    pub const ALL: [Priority; 4] = [Priority::Must, Priority::Should, Priority::Could, Priority::Wont];
}

/// A sign of success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What is looked at.
    pub text: String,
    /// The number, where the client gave one: `30 %`, `20 bookings a week`.
    #[serde(default)]
    pub number: String,
    /// By when, where the client gave a date.
    #[serde(default)]
    pub by: Option<Date>,
    /// The message it comes from, `lead` for the first one; empty for a measure that the agency proposes.
    #[serde(default)]
    pub source: String,
    /// The client's words.
    #[serde(default)]
    pub quote: String,
}

/// A group of people who will use it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// Who, and what is known about them.
    pub text: String,
    /// The message it comes from; empty where the agency assumes it.
    #[serde(default)]
    pub source: String,
    /// The client's words.
    #[serde(default)]
    pub quote: String,
}

/// Something that is handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliverable {
    /// `D-1` ….
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// How it is accepted.
    pub acceptance: String,
    /// The requirements it meets.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The milestone it is handed over with, in words; the plan gives it a date.
    #[serde(default)]
    pub milestone: String,
    /// When it is due, where that is known already.
    #[serde(default)]
    pub due: Option<Date>,
}

/// Something taken for granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// What.
    pub text: String,
    /// Who makes sure of it: a side or a person.
    pub owner: String,
    /// What follows if it is wrong.
    pub if_wrong: String,
    /// The message it comes from, where it is the client's.
    #[serde(default)]
    pub source: String,
    /// The client's words.
    #[serde(default)]
    pub quote: String,
}

/// Something that has to be there first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// What.
    pub text: String,
    /// Whose it is.
    pub owner: String,
    /// The requirements that wait for it.
    #[serde(default)]
    pub requirements: Vec<String>,
}

/// How well it has to work, in one respect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// In which respect.
    pub of: QualityKind,
    /// What is demanded, with its measure.
    pub text: String,
}

/// A respect in which something works well or badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QualityKind {
    /// Whether everybody can use it.
    Accessibility,
    /// What happens with personal data.
    Privacy,
    /// How long one waits.
    Performance,
    /// Where it runs and who looks after it.
    Hosting,
    /// The languages it speaks.
    Languages,
}

/// The range of money that the client named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The lower end in minor units; 0 where only an upper one was named.
    pub low_minor: i64,
    /// The upper end in minor units.
    pub high_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// True when the client counts VAT in.
    #[serde(default)]
    pub includes_vat: bool,
    /// The message it comes from; `lead` also for the form's own field.
    pub source: String,
    /// The client's words.
    pub quote: String,
    /// Says that the estimate lies outside, and what is done about it; empty when it lies inside.
    #[serde(default)]
    pub flag: String,
}

/// When it is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Not before this day.
    #[serde(default)]
    pub start: Option<Date>,
    /// In use by this day.
    #[serde(default)]
    pub end: Option<Date>,
    /// What is said about it.
    #[serde(default)]
    pub text: String,
    /// The message it comes from; `lead` also for the form's own field.
    #[serde(default)]
    pub source: String,
    /// The client's words.
    #[serde(default)]
    pub quote: String,
}

/// Something that may go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// What.
    pub text: String,
    /// What would follow.
    pub effect: String,
    /// What is done about it.
    pub answer: String,
    /// Who watches it.
    pub owner: String,
}

/// Something that nobody knows yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenQuestion {
    /// `Q-1` ….
    #[serde(default)]
    pub id: String,
    /// What it is about: `budget`, `timeline` …; empty for a question of the client's.
    #[serde(default)]
    pub topic: String,
    /// The question.
    pub text: String,
    /// The requirements that hang on the answer.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Who has to answer it.
    #[serde(default)]
    pub owner: String,
}

/// A word and its sense.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The word.
    pub term: String,
    /// What both sides mean by it.
    pub means: String,
}

/// A wish of the client's, and where it went (rule SC-9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The client's words.
    pub quote: String,
    /// The message it stands in, `lead` for the first one.
    pub source: String,
    /// The requirements that meet it, also a Won't; empty when it went elsewhere.
    #[serde(default)]
    pub met_by: Vec<String>,
    /// True when it is left out on purpose and stands under what is not part of the project.
    #[serde(default)]
    pub wont: bool,
    /// The open question it became.
    #[serde(default)]
    pub question: String,
    /// The section that takes it up when it is about the frame: `budget`, `timeline`, `goal`, `answers`.
    #[serde(default)]
    pub section: String,
}

/// A question that was asked, and the client's words to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The question's id, `Q-1` ….
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// The question.
    pub text: String,
    /// The message that answers it; empty when nothing did.
    #[serde(default)]
    pub source: String,
    /// The client's words.
    #[serde(default)]
    pub quote: String,
}

/// A sentence of an older record, or the whole thing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either<T> {
    Sentence(String),
    Whole(T),
}

fn assumptions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Assumption>, D::Error> {
    either(from, |text| Assumption { text, ..Assumption::default() })
}

fn open_questions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<OpenQuestion>, D::Error> {
    either(from, |text| OpenQuestion { text, ..OpenQuestion::default() })
}

fn either<'de, D, T>(from: D, read: impl Fn(String) -> T) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::<Either<T>>::deserialize(from)?;
    Ok(all
        .into_iter()
        .map(|one| match one {
            Either::Sentence(text) => read(text),
            Either::Whole(whole) => whole,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_an_older_record_is_still_read() {
        let old = serde_json::json!({
            "title": "Booking page", "goal": "bookings", "out_of_scope": ["an app"], "client_duties": [],
            "assumptions": ["Texts are there"], "open_questions": ["Who decides?"],
            "requirements": [{
                "id": "R-001", "text": "A guest books.", "priority": "must", "acceptance": "it works",
                "source": "lead", "quote": "book", "effort_quarter_days": 8,
            }],
        });
        let scope: Scope = serde_json::from_value(old).expect("a scope");
        assert_eq!(scope.assumptions[0].text, "Texts are there");
        assert_eq!(scope.open_questions[0].text, "Who decides?");
        let again: Scope = serde_json::from_value(serde_json::to_value(&scope).expect("JSON")).expect("again");
        assert_eq!(again, scope);
    }

    #[test]
    fn the_estimate_is_days_times_rate_of_each_requirement() {
        let requirement = |effort, service: &str, priority| Requirement {
            effort_quarter_days: effort,
            service: service.into(),
            priority,
            ..Requirement::default()
        };
        let scope = Scope {
            requirements: vec![
                requirement(4, "", Priority::Must),
                requirement(2, "shop", Priority::Should),
                requirement(9, "", Priority::Wont),
            ],
            ..Scope::default()
        };
        let rates = RateCard { services: [("shop".to_owned(), 100_000)].into(), ..RateCard::default() };
        assert_eq!(scope.estimate(&rates), 80_000 + 50_000);
        assert_eq!((scope.share(Priority::Must), scope.share(Priority::Should)), (6_666, 3_333));
    }
}
