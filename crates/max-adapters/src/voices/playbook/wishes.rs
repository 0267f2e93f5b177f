//! Finds the wishes in a client's words: what is to be built, how much it matters, and where it was said.
//!
//! The words stand in tables (`words`), a list for each turn of speech with all languages in it. Reading is linear in
//! the length of the text.

mod words;

use std::collections::HashMap;

use max_core::stages::scoping::Priority;

pub use self::words::Finder;
use self::words::{COULD, FRONT, JOINTS, MONEY, NEGATED, NOT, SHOULD, STRESS, TALK, TIME, WANT, WEIGHT, WISH, WONT};
use super::text::{self, Said, Sentence, sentences};
use super::turn::Words;
use crate::agency::{Catalog, Feature};
use max_core::prose::normalised;

/// One wish.
pub struct Wish<'a> {
    /// In the client's words, shortened to the thing itself.
    pub text: String,
    /// The message it stands in.
    pub source: String,
    /// The whole sentence.
    pub quote: String,
    pub priority: Priority,
    /// True when the client said that it matters, and not only that it is wanted.
    pub stressed: bool,
    pub feature: Option<&'a Feature>,
}

/// A sentence that wishes, and what it came to.
pub struct Spoken {
    pub source: String,
    pub quote: String,
    /// Numbers of the wishes in it; empty for a sentence about the frame of the project.
    pub wishes: Vec<usize>,
    /// The section of the scope that takes up a sentence about the frame.
    pub section: &'static str,
}

/// Everything that was wished.
#[derive(Default)]
pub struct Wishes<'a> {
    /// The wishes in the order in which they were said, none of them twice.
    pub all: Vec<Wish<'a>>,
    /// The sentences that they stand in, every one of them.
    pub spoken: Vec<Spoken>,
    known: HashMap<String, usize>,
}

/// A longer sentence is read in pieces.
const PIECE: usize = 600;
/// Whether one wish is part of another is looked at among so many; beyond that only the same words are the same wish.
const COMPARED: usize = 80;

/// The wishes of a conversation.
pub fn wishes<'a>(said: &[Words], catalog: &'a Catalog) -> Wishes<'a> {
    let reader = Reader::new(catalog);
    let mut found = Wishes::default();
    for words in said {
        let mut list_of_wishes = false;
        for sentence in sentences(&words.text) {
            for piece in pieces(sentence.text) {
                let of = Said::new(piece);
                let feature = reader.feature(of.lower());
                let wish = is_wish(&of);
                if !sentence.bullet {
                    list_of_wishes = sentence.colon && (wish || feature.is_some());
                }
                let item = (sentence.bullet && (list_of_wishes || feature.is_some()))
                    || (feature.is_some() && starts_negated(piece));
                if item || wish {
                    found.take(&sentence, &of, &words.source, feature, &reader);
                }
            }
        }
    }
    found
}

impl<'a> Wishes<'a> {
    fn take(&mut self, of: &Sentence, said: &Said, source: &str, feature: Option<&'a Feature>, reader: &Reader<'a>) {
        let section = if feature.is_some() { "" } else { frame(of, said) };
        let mut numbers = Vec::new();
        if section.is_empty() {
            for wish in split(said, feature, source, reader) {
                numbers.push(self.add(wish));
            }
            numbers.dedup();
        }
        // What holds no thing at all (`we need`) says that something is wanted, which is the goal.
        let section = if section.is_empty() && numbers.is_empty() { "goal" } else { section };
        let quote = said.original.clone();
        self.spoken.push(Spoken { source: source.to_owned(), quote, wishes: numbers, section });
    }

    /// The number of the wish, old or new.
    fn add(&mut self, wish: Wish<'a>) -> usize {
        let new = normalised(&wish.text);
        let part = || {
            let compared = self.known.len() <= COMPARED && new.len() > 12;
            let inside = |old: &str| old.len() > 12 && (old.contains(&new) || new.contains(old));
            // The map has no order; the earliest of several is taken.
            compared.then(|| self.known.iter().filter(|(old, _)| inside(old)).map(|(_, at)| *at).min()).flatten()
        };
        let known = self.known.get(&new).copied().or_else(part);
        if let Some(at) = known
            && let Some(known) = self.all.get_mut(at)
        {
            // What was said later counts more: `we need a shop`, then `we do not need the shop`.
            if wish.priority == Priority::Wont {
                known.priority = Priority::Wont;
                known.quote = wish.quote;
                known.source = wish.source;
            }
            known.stressed |= wish.stressed;
            return at;
        }
        self.known.insert(new, self.all.len());
        self.all.push(wish);
        self.all.len() - 1
    }
}

/// The features of a catalogue, to be found in one pass.
struct Reader<'a> {
    catalog: &'a Catalog,
    features: Finder,
}

impl<'a> Reader<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let words =
            catalog.features.iter().enumerate().flat_map(|(i, f)| f.keywords.iter().map(move |k| (k.as_str(), i)));
        Self { catalog, features: Finder::new(words) }
    }

    /// The first feature of the catalogue that a text (lower case) is about.
    fn feature(&self, lower: &str) -> Option<&'a Feature> {
        self.features.smallest(lower).and_then(|i| self.catalog.features.get(i))
    }
}

/// A sentence in pieces that end at a word, so that none is too long to be quoted.
fn pieces(sentence: &str) -> impl Iterator<Item = &str> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if rest.len() <= PIECE {
            rest.len()
        } else {
            let most = text::floor(rest, PIECE);
            rest[..most].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most)
        };
        let (piece, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(piece.trim())
    })
}

/// What a text says yes to: its wishes first, then the rest, without the sentences that say `we do not need`.
pub fn affirmed(message: &str) -> String {
    let kept = sentences(message).into_iter().filter(|s| !is_refusal(s.text));
    let (wishes, rest): (Vec<_>, Vec<_>) = kept.partition(|s| is_wish(&Said::new(s.text)));
    wishes.iter().chain(&rest).map(|s| s.text).collect::<Vec<_>>().join("\n")
}

/// True for a sentence that says what is not wanted.
pub fn is_refusal(sentence: &str) -> bool {
    starts_negated(sentence) || WONT.any(Said::new(sentence).lower())
}

/// True when somebody says that they want something, or do not.
pub fn is_wish(said: &Said) -> bool {
    WISH.any(said.lower())
}

/// The feature a text is about.
pub fn feature<'a>(said: &Said, catalog: &'a Catalog) -> Option<&'a Feature> {
    catalog.features.iter().find(|f| said.has(&f.keywords))
}

/// The section that takes up a sentence about money, time or the talk itself, which is no requirement.
fn frame(sentence: &Sentence, said: &Said) -> &'static str {
    if sentence.colon {
        // `We need the following:` announces wishes and is none.
        "goal"
    } else if MONEY.any(said.lower()) || text::amount(said).is_some() {
        "budget"
    } else if TIME.any(said.lower()) {
        "timeline"
    } else if TALK.any(said.lower()) {
        "answers"
    } else {
        ""
    }
}

/// One sentence may name several things: it is cut where another feature begins.
fn split<'a>(whole: &Said, about: Option<&'a Feature>, source: &str, reader: &Reader<'a>) -> Vec<Wish<'a>> {
    let (priority, stressed) = priority(whole);
    let (negated, rest) = object(whole);
    let groups = group(rest, reader);
    let several = groups.len() > 1;
    groups
        .into_iter()
        .filter_map(|part| {
            let words = Said::new(part.as_str());
            let no = starts_negated(&part);
            let shown = text::capitalised(&text::tame(bare(&part), 180));
            let feature = reader.feature(words.lower()).or_else(|| about.filter(|_| !several));
            let out = no || (negated && !several);
            (shown.chars().filter(|c| c.is_alphanumeric()).count() > 2).then(|| Wish {
                text: shown,
                source: source.to_owned(),
                quote: whole.original.clone(),
                priority: if out { Priority::Wont } else { priority },
                stressed: stressed && !out,
                feature,
            })
        })
        .collect()
}

/// Cuts at commas and joining words, and joins again what belongs to the feature before.
fn group(rest: &str, reader: &Reader) -> Vec<String> {
    let mut groups: Vec<(String, Option<&str>)> = Vec::new();
    let mut rest = rest;
    let mut joint = "";
    loop {
        let cut = JOINTS.iter().filter_map(|j| rest.find(j).map(|at| (at, *j))).min_by_key(|(at, j)| (*at, j.len()));
        let part = cut.map_or(rest, |(at, _)| &rest[..at]);
        let about = reader.feature(Said::new(part).lower()).map(|f| f.id.as_str());
        match groups.last_mut() {
            Some((_, Some(before))) if about.is_some_and(|a| a != *before) || starts_negated(part) => {
                groups.push((part.to_owned(), about.or(Some(""))));
            }
            // `It should work on phones and have a contact form` are two wishes.
            Some((text, None)) if about.is_some() && is_wish(&Said::new(text.as_str())) => {
                groups.push((part.to_owned(), about));
            }
            Some((text, before)) => {
                text.push_str(joint);
                text.push_str(part);
                *before = before.or(about);
            }
            None => groups.push((part.to_owned(), about)),
        }
        let Some((at, next)) = cut else { break };
        joint = next;
        rest = &rest[at + next.len()..];
    }
    groups.into_iter().map(|(text, _)| text).collect()
}

/// The sentence without `we need` and the like, and whether it was `we do not need`.
pub fn object(said: &Said) -> (bool, &str) {
    let (sentence, lower) = (said.original.as_str(), said.lower());
    for (finder, negated) in [(&*NOT, true), (&*WANT, false)] {
        // `Need a page` is a wish of the writer, `guests need a page` says more with its subject.
        let alone = |at: usize, len: usize| lower.get(at..at + len) == Some("need") && at > 0;
        let first = finder.hits(lower).find(|h| !alone(h.at, h.len)).map(|h| h.at);
        let hit = first.and_then(|at| finder.hits(lower).filter(|h| h.at == at).max_by_key(|h| h.len));
        let Some(hit) = hit else { continue };
        let after = sentence.get(hit.at + hit.len..).unwrap_or_default();
        // `kein` may go on as `keine` or `keinen`; `d'` is followed by the thing at once.
        let elided = lower.get(..hit.at + hit.len).is_some_and(|s| s.ends_with(['\'', '’']));
        let after = if elided { after } else { after.trim_start_matches(|c: char| c.is_alphabetic()) };
        let after = after.trim_start_matches([':', ',', ' ']);
        let enough = after.chars().filter(|c| c.is_alphanumeric()).count() > 2;
        // `We want to sell …` reads better whole.
        if enough && !after.to_lowercase().starts_with("to ") {
            return (negated, after);
        }
        return (negated, sentence);
    }
    (false, sentence)
}

fn starts_negated(part: &str) -> bool {
    let lower = text::head(part.trim_start(), 20).to_lowercase();
    NEGATED.iter().any(|n| lower.starts_with(n))
}

/// Without articles and negations at the front.
fn bare(part: &str) -> &str {
    let mut rest = part.trim();
    for _ in 0..3 {
        let before = rest;
        for front in FRONT {
            let starts = rest.get(..front.len()).is_some_and(|head| head.eq_ignore_ascii_case(front));
            if starts {
                rest = rest[front.len()..].trim_start();
            }
        }
        if rest == before {
            break;
        }
    }
    without_weight(rest)
}

/// `A blog would be nice to have` is about a blog; how much it matters stands in the priority.
fn without_weight(part: &str) -> &str {
    let lower = Said::new(part);
    let cut = WEIGHT.iter().filter(|w| lower.lower().ends_with(**w)).map(|w| part.len() - w.len()).min();
    cut.and_then(|at| part.get(..at)).filter(|p| p.chars().count() > 2).unwrap_or(part)
}

/// How much it matters, and whether that was said in so many words.
fn priority(said: &Said) -> (Priority, bool) {
    let lower = said.lower();
    if WONT.any(lower) {
        (Priority::Wont, false)
    } else if COULD.any(lower) {
        (Priority::Could, false)
    } else if STRESS.any(lower) {
        (Priority::Must, true)
    } else if SHOULD.any(lower) {
        (Priority::Should, false)
    } else {
        (Priority::Must, false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::work;
    use super::*;
    use crate::agency::Agency;

    fn read(message: &str) -> Vec<(String, Priority)> {
        let agency = Agency::load(None).expect("the built-in agency");
        let said = [Words { source: "lead".into(), text: message.into() }];
        wishes(&said, &agency.catalog).all.into_iter().map(|w| (w.text, w.priority)).collect()
    }

    #[test]
    fn one_sentence_becomes_one_requirement_per_feature() {
        let found = read(
            "Hello, we are a yoga studio. We need a new website with online booking and a photo gallery for our studio in Ulm.",
        );
        assert_eq!(
            found,
            [
                ("New website".into(), Priority::Must),
                ("Online booking".into(), Priority::Must),
                ("Photo gallery for our studio in Ulm".into(), Priority::Must),
            ]
        );
    }

    #[test]
    fn the_wording_says_how_much_it_matters() {
        let found = read(
            "Guests must be able to reserve a table. The menu should be easy to change. \
             A newsletter would be nice to have. We do not need an online shop. Our budget is 9,000 EUR.",
        );
        let priorities: Vec<Priority> = found.iter().map(|(_, p)| *p).collect();
        assert_eq!(priorities, [Priority::Must, Priority::Should, Priority::Could, Priority::Wont], "{found:?}");
    }

    #[test]
    fn a_long_enquiry_is_read_in_one_pass() {
        let agency = Agency::load(None).expect("the built-in agency");
        let read = |lines: usize| {
            let line = |n| format!("House {n} must have a gallery of its own and a contact form, as on sheet {n}. ");
            let said = [Words { source: "lead".into(), text: (0..lines).map(line).collect() }];
            let bytes = said[0].text.len();
            (work::of(|| wishes(&said, &agency.catalog)) as f64 / bytes as f64, bytes)
        };
        let ((short, _), (long, bytes)) = (read(100), read(1_500));
        assert!(bytes > 100_000 && long < short * 1.05, "each word is read {short:.1} and then {long:.1} times");
    }

    #[test]
    fn lists_are_read_in_german_too() {
        let found = read(
            "Wir brauchen:\n- eine Website\n- ein Kontaktformular\n- Terminbuchung\nWir brauchen keinen Onlineshop.",
        );
        let texts: Vec<&str> = found.iter().map(|(t, _)| t.as_str()).collect();
        assert_eq!(texts, ["Website", "Kontaktformular", "Terminbuchung", "Onlineshop"]);
        assert_eq!(found[3].1, Priority::Wont);
    }

    #[test]
    fn wishes_and_refusals_are_read_in_dutch_and_french() {
        let cases = [
            (
                "Wij zoeken een nieuwe website met een agenda. Een nieuwsbrief zou mooi zijn. Het formulier moet op de \
                 telefoon werken. We hebben geen webshop nodig.",
                [Priority::Must, Priority::Must, Priority::Could, Priority::Must, Priority::Wont],
            ),
            (
                "Nous cherchons un nouveau site web avec un calendrier. Une newsletter serait un plus. Le formulaire doit \
                 fonctionner sur téléphone. Nous n’avons pas besoin d’un shop.",
                [Priority::Must, Priority::Must, Priority::Could, Priority::Must, Priority::Wont],
            ),
        ];
        for (message, priorities) in cases {
            let found = read(message);
            assert_eq!(found.iter().map(|(_, p)| *p).collect::<Vec<_>>(), priorities, "{found:?}");
        }
        for refusal in
            ["Geen webshop", "Pas de boutique", "Nous ne voulons pas de blog", "Een blog is niet nodig", "Sans blog"]
        {
            assert!(is_refusal(refusal), "{refusal}");
        }
    }

    #[test]
    fn every_sentence_that_wishes_is_among_what_was_spoken() {
        let agency = Agency::load(None).expect("the built-in agency");
        let message = "We need a website: soon. Our budget must stay below 9,000 EUR. Please call us, we need your help. \
                       It has to launch in May.\n- Kein Blog\nNous voulons un site.\nWe need";
        let said = [Words { source: "lead".into(), text: message.into() }];
        let found = wishes(&said, &agency.catalog);
        for sentence in sentences(message).iter().filter(|s| is_wish(&Said::new(s.text))) {
            let spoken = found.spoken.iter().find(|s| s.quote == sentence.text);
            let spoken = spoken.unwrap_or_else(|| panic!("lost: {}", sentence.text));
            assert!(!spoken.wishes.is_empty() || !spoken.section.is_empty(), "{}", sentence.text);
        }
    }
}
