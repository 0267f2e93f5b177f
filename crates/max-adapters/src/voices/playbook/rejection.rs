//! What a person of the agency asks for when he rejects work, as far as rules can carry it out.
//!
//! A reason is written for colleagues and never repeated to the client. What is understood here is carried out; of
//! anything else the person is told what would be understood, and the work stays where it is.

use max_core::policy::Policy;
use max_core::stages::scoping::Priority;
use max_engine::ports::Thought;

use super::intent;
use super::text::{self, Said, sentences};
use super::turn::needs_person;

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The same once more.
    Again,
    /// Words that the client shall read: the person wrote them for that.
    Words(String),
    /// A requirement weighs more or less, or is left out.
    Weigh(String, Priority),
    /// No discount.
    NoDiscount,
    /// This discount, in basis points of the list price.
    Discount(u32),
    /// A round total.
    Round,
}

/// What can be asked for, by what was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A scope.
    Scope,
    /// An offer.
    Offer,
    /// A mockup.
    Mockup,
    /// The hand-over of a milestone.
    Milestone,
}

impl Of {
    fn accepts(self, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Again => true,
            Wanted::Words(_) => matches!(self, Of::Scope | Of::Milestone),
            Wanted::Weigh(..) => self == Of::Scope,
            Wanted::NoDiscount | Wanted::Discount(_) | Wanted::Round => self == Of::Offer,
        }
    }

    /// What a person may write, as a sentence with examples.
    fn understood(self) -> &'static str {
        match self {
            Of::Scope => {
                "`R-003 is a Should` (or Must, Could), `leave out R-003`, `note: <words that the client shall read>`, \
                 `once more`"
            }
            Of::Offer => "`no discount`, `10 % discount`, `round the total`, `once more`",
            Of::Mockup => "`once more`; it draws what the scope says, so hand the lead back to Scoping to change that",
            Of::Milestone => "`note: <words that the client shall read>`, `once more`",
        }
    }
}

/// What a reason asks for, or the part of it that no rule reads.
pub fn read(reason: &str, of: Of) -> Result<Vec<Wanted>, String> {
    let mut wanted = Vec::new();
    for line in reason.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(words) = dictated(line) {
            wanted.push(Wanted::Words(words));
            continue;
        }
        for sentence in sentences(line) {
            wanted.push(one(sentence.text).ok_or_else(|| sentence.text.to_owned())?);
        }
    }
    match wanted.iter().find(|w| !of.accepts(w)) {
        Some(_) => Err(reason.to_owned()),
        None if wanted.is_empty() => Err(reason.to_owned()),
        None => Ok(wanted),
    }
}

/// The person is told what rules can do; nothing goes to the client.
pub fn not_understood(part: &str, of: Of) -> Thought {
    needs_person(&format!(
        "the playbook cannot carry out `{}`; nothing of it was sent. It understands {}. Say \"retry\" to have the work \
         put up again unchanged and reject it in those words, or take over and write it yourself",
        text::tame(part, 200),
        of.understood()
    ))
}

/// The words behind `note:`.
fn dictated(line: &str) -> Option<String> {
    let (head, words) = line.split_once(':')?;
    let marker = head.trim().to_lowercase();
    let known = ["note", "hinweis", "notiz", "opmerking", "remarque"].contains(&marker.as_str());
    Some(text::tame(words, 400)).filter(|words| known && !words.is_empty())
}

fn one(sentence: &str) -> Option<Wanted> {
    let said = Said::new(sentence);
    if let Some(id) = requirement_id(sentence) {
        return priority(&said).map(|priority| Wanted::Weigh(id, priority));
    }
    if said.says(NO_DISCOUNT) {
        return Some(Wanted::NoDiscount);
    }
    if let Some(points) = intent::percent(sentence).filter(|_| sentence.split_whitespace().count() <= 8) {
        return Some(Wanted::Discount(points));
    }
    if said.has(ROUND) {
        return Some(Wanted::Round);
    }
    (said.says(AGAIN) && sentence.split_whitespace().count() <= 5).then_some(Wanted::Again)
}

/// The only requirement that a sentence names.
fn requirement_id(sentence: &str) -> Option<String> {
    let words = sentence.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut ids = words.filter(|w| w.len() == 5 && w.starts_with("R-") && w[2..].bytes().all(|b| b.is_ascii_digit()));
    let id = ids.next()?;
    ids.next().is_none().then(|| id.to_owned())
}

fn priority(said: &Said) -> Option<Priority> {
    [(LEAVE_OUT, Priority::Wont), (MUST, Priority::Must), (SHOULD, Priority::Should), (COULD, Priority::Could)]
        .into_iter()
        .find(|(words, _)| said.says(words))
        .map(|(_, priority)| priority)
}

const LEAVE_OUT: &[&str] = &[
    "leave out",
    "drop",
    "remove",
    "without",
    "won't",
    "wont",
    "weglassen",
    "streichen",
    "ohne",
    "weglaten",
    "schrappen",
    "zonder",
    "retirer",
    "enlever",
    "sans",
];
const MUST: &[&str] = &["must", "muss", "moet", "doit"];
const SHOULD: &[&str] = &["should", "soll", "sollte", "zou", "devrait"];
const COULD: &[&str] = &["could", "kann", "könnte", "kan", "pourrait"];
const AGAIN: &[&str] =
    &["once more", "again", "noch einmal", "nochmal", "erneut", "nog een keer", "opnieuw", "encore une fois"];
const ROUND: &[&str] = &["round", "rund", "rond", "arrond"];
const NO_DISCOUNT: &[&str] = &[
    "no discount",
    "without discount",
    "kein rabatt",
    "kein nachlass",
    "ohne nachlass",
    "geen korting",
    "sans remise",
];

/// A discount that a person asks for and nobody may give.
pub fn beyond_authority(points: u32, policy: &Policy) -> Option<Thought> {
    let limit = policy.discount_limit_basis_points;
    (points > limit).then(|| {
        let percent = |points: u32| max_documents::Lang::En.percent(points);
        needs_person(&format!(
            "a discount of {} is more than anybody may give ({}); offer less work or let go",
            percent(points),
            percent(limit)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_carried_out_or_its_writer_is_told() {
        let scope = |reason: &str| read(reason, Of::Scope);
        assert_eq!(scope("R-003 is a Should."), Ok(vec![Wanted::Weigh("R-003".into(), Priority::Should)]));
        assert_eq!(scope("Bitte R-002 weglassen"), Ok(vec![Wanted::Weigh("R-002".into(), Priority::Wont)]));
        assert_eq!(
            scope("Note: the old data is taken over. All of it.\nonce more"),
            Ok(vec![Wanted::Words("the old data is taken over. All of it.".into()), Wanted::Again])
        );
        for strange in [
            "This client is a pain, be careful.",
            "R-003 is too cheap",
            "once more, but nicer and with a better feeling",
            "R-001 and R-002 are Musts",
            "no discount",
            "",
        ] {
            assert!(scope(strange).is_err(), "{strange}");
        }
        let offer = |reason: &str| read(reason, Of::Offer);
        assert_eq!(offer("No discount, please"), Ok(vec![Wanted::NoDiscount]));
        assert_eq!(offer("Give 7.5 % discount. Round the total."), Ok(vec![Wanted::Discount(750), Wanted::Round]));
        assert!(offer("note: we love you").is_err() && offer("too cheap").is_err());
        assert_eq!(read("noch einmal", Of::Mockup), Ok(vec![Wanted::Again]));
        let told = format!("{:?}", not_understood("He is a pain", Of::Offer));
        assert!(told.contains("no discount") && told.contains("He is a pain"), "{told}");
    }
}
