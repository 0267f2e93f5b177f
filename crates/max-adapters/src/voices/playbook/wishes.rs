//! Finds the wishes in a client's words: what is to be built, how much it matters, and where it was said.

use max_core::stages::scoping::Priority;

use super::text::{self, Said, Sentence, sentences};
use super::turn::Words;
use crate::agency::{Catalog, Feature};

/// One wish.
pub struct Wish<'a> {
    /// In the client's words, shortened to the thing itself.
    pub text: String,
    /// The message it stands in.
    pub source: String,
    /// The whole sentence.
    pub quote: String,
    pub priority: Priority,
    pub feature: Option<&'a Feature>,
}

/// A scope beyond this is talked through by people first.
const AT_MOST: usize = 60;

/// The wishes of a conversation, in the order in which they were said, none of them twice.
pub fn wishes<'a>(said: &[Words], catalog: &'a Catalog) -> Vec<Wish<'a>> {
    let mut found: Vec<Wish> = Vec::new();
    for words in said {
        let mut list_of_wishes = false;
        for sentence in sentences(&words.text) {
            let of = Said::new(sentence.text);
            if !sentence.bullet {
                list_of_wishes = sentence.colon && (is_wish(&of) || feature(&of, catalog).is_some());
            }
            let names_something = feature(&of, catalog).is_some();
            let item = (sentence.bullet && (list_of_wishes || names_something))
                || (names_something && starts_negated(sentence.text));
            if (item || is_wish(&of)) && !announces(&sentence, &of, catalog) && !is_frame(&of, catalog) {
                for wish in split(sentence.text, &words.source, catalog) {
                    add(&mut found, wish);
                }
            }
            if found.len() >= AT_MOST {
                return found;
            }
        }
    }
    found
}

/// What a text says yes to: its wishes first, then the rest, without the sentences that say `we do not need`.
pub fn affirmed(message: &str) -> String {
    let kept = sentences(message).into_iter().filter(|s| !is_refusal(s.text));
    let (wishes, rest): (Vec<_>, Vec<_>) = kept.partition(|s| is_wish(&Said::new(s.text)));
    wishes.iter().chain(&rest).map(|s| s.text).collect::<Vec<_>>().join("\n")
}

/// True for a sentence that says what is not wanted.
pub fn is_refusal(sentence: &str) -> bool {
    starts_negated(sentence) || priority(&Said::new(sentence)) == Priority::Wont
}

/// True when somebody says that they want something, or do not.
pub fn is_wish(said: &Said) -> bool {
    const WISH: &[&str] = &[
        "need",
        "we want",
        "i want",
        "looking for",
        "would like",
        "we'd like",
        "i'd like",
        "should",
        "must",
        "has to",
        "have to",
        "can you build",
        "could you build",
        "can you make",
        "can you help",
        "could you help",
        "help with",
        "could you make",
        "would love",
        "nice to have",
        "would be nice",
        "would be great",
        "require",
        "we wish",
        "important",
        "maybe later",
        "optional",
        "ideally",
        "brauch",
        "benötig",
        "wir suchen",
        "ich suche",
        "möchte",
        "hätten gern",
        "hätte gern",
        "wünsch",
        "soll",
        "muss",
        "müss",
        "wollen",
        "schön wäre",
        "wäre schön",
        "wäre toll",
        "wichtig",
        "vielleicht später",
        "idealerweise",
        "könnten sie",
        "könnt ihr",
    ];
    said.has(WISH)
}

/// The feature a text is about.
pub fn feature<'a>(said: &Said, catalog: &'a Catalog) -> Option<&'a Feature> {
    catalog.features.iter().find(|f| said.has(&f.keywords))
}

/// `We need the following:` announces wishes and is none, unless it names something itself.
fn announces(sentence: &Sentence, said: &Said, catalog: &Catalog) -> bool {
    sentence.colon && feature(said, catalog).is_none()
}

/// True for a sentence about money, time or the talk itself, which is no requirement.
fn is_frame(said: &Said, catalog: &Catalog) -> bool {
    const FRAME: &[&str] = &[
        "budget",
        "deadline",
        "need it by",
        "need this by",
        "launch",
        "offer",
        "quote",
        "estimate",
        "call us",
        "call me",
        "meeting",
        "let me know",
        "spend",
        "cost",
        "price",
        "more information",
        "your help",
        "angebot",
        "preis",
        "kosten",
        "termin mit ihnen",
        "anrufen",
        "bis ende",
        "bis zum",
        "mehr informationen",
        "ihre hilfe",
        "ausgeben",
    ];
    feature(said, catalog).is_none() && (said.has(FRAME) || text::amount(said).is_some())
}

/// One sentence may name several things: it is cut where another feature begins.
fn split<'a>(sentence: &str, source: &str, catalog: &'a Catalog) -> Vec<Wish<'a>> {
    let whole = Said::new(sentence);
    let priority = priority(&whole);
    let (negated, rest) = object(sentence);
    let groups = group(rest, catalog);
    let several = groups.len() > 1;
    groups
        .into_iter()
        .filter_map(|part| {
            let words = Said::new(part.as_str());
            let no = starts_negated(&part);
            let shown = text::capitalised(&text::tame(bare(&part), 180));
            let feature = feature(&words, catalog).or_else(|| feature(&whole, catalog).filter(|_| !several));
            let priority = if no || (negated && !several) { Priority::Wont } else { priority };
            (shown.chars().filter(|c| c.is_alphanumeric()).count() > 2).then(|| Wish {
                text: shown,
                source: source.to_owned(),
                quote: text::head(sentence, 600).to_owned(),
                priority,
                feature,
            })
        })
        .collect()
}

/// Cuts at commas and joining words, and joins again what belongs to the feature before.
fn group(rest: &str, catalog: &Catalog) -> Vec<String> {
    const JOINTS: &[&str] = &[
        ", ",
        " and ",
        " with ",
        " plus ",
        " including ",
        " but ",
        " und ",
        " mit ",
        " sowie ",
        " inklusive ",
        " aber ",
    ];
    let mut groups: Vec<(String, Option<&str>)> = Vec::new();
    let mut rest = rest;
    let mut joint = "";
    loop {
        let cut = JOINTS.iter().filter_map(|j| rest.find(j).map(|at| (at, *j))).min_by_key(|(at, j)| (*at, j.len()));
        let part = cut.map_or(rest, |(at, _)| &rest[..at]);
        let about = feature(&Said::new(part), catalog).map(|f| f.id.as_str());
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
pub fn object(sentence: &str) -> (bool, &str) {
    const NOT: &[&str] = &[
        "we do not need",
        "we don't need",
        "i do not need",
        "i don't need",
        "we need no",
        "we do not want",
        "we don't want",
        "there is no need for",
        "no need for",
        "wir brauchen kein",
        "ich brauche kein",
        "wir benötigen kein",
        "wir möchten kein",
        "wir wollen kein",
    ];
    const WANT: &[&str] = &[
        "ich suche jemanden für",
        "wir suchen jemanden für",
        "looking for somebody for",
        "looking for someone for",
        "need",
        "can you help us with",
        "can you help me with",
        "could you help us with",
        "could you help me with",
        "we need",
        "i need",
        "we want",
        "i want",
        "we are looking for",
        "i am looking for",
        "we're looking for",
        "i'm looking for",
        "looking for",
        "we would like to have",
        "we would like",
        "i would like to have",
        "i would like",
        "we'd like",
        "i'd like",
        "we also need",
        "we require",
        "can you build us",
        "can you build",
        "could you build us",
        "could you build",
        "can you make us",
        "can you make",
        "nice to have would be",
        "and need",
        "and want",
        "and are looking for",
        "und brauchen",
        "und suchen",
        "und möchten",
        "und wollen",
        "nice to have",
        "it would be nice to have",
        "would be nice to have",
        "wir brauchen auch",
        "wir brauchen",
        "ich brauche",
        "wir suchen",
        "ich suche",
        "wir benötigen",
        "ich benötige",
        "wir möchten",
        "ich möchte",
        "wir wollen",
        "wir wünschen uns",
        "wir hätten gerne",
        "wir hätten gern",
        "ich hätte gerne",
        "ich hätte gern",
        "schön wäre auch",
        "schön wäre",
    ];
    let said = Said::new(sentence);
    for (phrases, negated) in [(NOT, true), (WANT, false)] {
        let Some((at, phrase)) = phrases
            .iter()
            .filter_map(|p| said.position(p).map(|at| (at, *p)))
            // `Need a page` is a wish of the writer, `guests need a page` says more with its subject.
            .filter(|(at, p)| *p != "need" || *at == 0)
            .min_by_key(|(at, p)| (*at, usize::MAX - p.len()))
        else {
            continue;
        };
        let after = sentence.get(at + phrase.len()..).unwrap_or_default();
        // `kein` may go on as `keine` or `keinen`.
        let after = after.trim_start_matches(|c: char| c.is_alphabetic()).trim_start_matches([':', ',', ' ']);
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
    ["no ", "not ", "without a ", "kein ", "keine ", "keinen ", "nicht ", "ohne "].iter().any(|n| lower.starts_with(n))
}

/// Without articles and negations at the front.
fn bare(part: &str) -> &str {
    const FRONT: &[&str] = &[
        "have ", "has ", "a ", "an ", "the ", "no ", "not ", "also ", "some ", "and ", "eine ", "einen ", "ein ",
        "einem ", "die ", "der ", "das ", "keine ", "keinen ", "kein ", "nicht ", "auch ", "und ",
    ];
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
    const WEIGHT: &[&str] = &[
        " would be nice to have",
        " would be nice",
        " would be great",
        " is a must",
        " is important",
        " is optional",
        " wäre schön",
        " wäre toll",
        " ist wichtig",
        " ist ein muss",
    ];
    let lower = Said::new(part);
    let cut = WEIGHT.iter().find_map(|w| lower.position(w).filter(|at| at + w.len() == part.len()));
    cut.and_then(|at| part.get(..at)).filter(|p| p.chars().count() > 2).unwrap_or(part)
}

fn priority(said: &Said) -> Priority {
    const WONT: &[&str] = &[
        "do not need",
        "don't need",
        "not needed",
        "no need for",
        "not necessary",
        "not required",
        "out of scope",
        "nicht nötig",
        "nicht notwendig",
        "brauchen kein",
        "brauche kein",
        "benötigen kein",
        "brauchen wir nicht",
        "wollen kein",
        "möchten kein",
        "nicht gebraucht",
    ];
    const COULD: &[&str] = &[
        "nice to have",
        "would be nice",
        "would be great",
        "would love",
        "maybe",
        "perhaps",
        "optional",
        "later",
        "if possible",
        "schön wäre",
        "wäre schön",
        "wäre toll",
        "vielleicht",
        "eventuell",
        "später",
        "wenn möglich",
    ];
    const SHOULD: &[&str] = &[
        "should",
        "ideally",
        "would like",
        "we'd like",
        "i'd like",
        "soll",
        "idealerweise",
        "hätten gern",
        "hätte gern",
    ];
    const MUST: &[&str] =
        &["must", "need", "has to", "have to", "required", "important", "muss", "müss", "brauch", "benötig", "wichtig"];
    if said.has(WONT) {
        Priority::Wont
    } else if said.has(COULD) {
        Priority::Could
    } else if said.has(MUST) {
        Priority::Must
    } else if said.has(SHOULD) {
        Priority::Should
    } else {
        Priority::Must
    }
}

fn add<'a>(found: &mut Vec<Wish<'a>>, wish: Wish<'a>) {
    let new = text::normalised(&wish.text);
    let known = found.iter_mut().find(|w| {
        let old = text::normalised(&w.text);
        old == new || (old.len() > 12 && new.len() > 12 && (old.contains(&new) || new.contains(&old)))
    });
    match known {
        // What was said later counts more: `we need a shop`, then `we do not need the shop`.
        Some(known) if wish.priority == Priority::Wont => known.priority = Priority::Wont,
        Some(_) => {}
        None => found.push(wish),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agency::Agency;

    fn read(message: &str) -> Vec<(String, Priority)> {
        let agency = Agency::load(None).expect("the built-in agency");
        let said = [Words { source: "lead".into(), text: message.into() }];
        wishes(&said, &agency.catalog).into_iter().map(|w| (w.text, w.priority)).collect()
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
    fn lists_are_read_in_german_too() {
        let found = read(
            "Wir brauchen:\n- eine Website\n- ein Kontaktformular\n- Terminbuchung\nWir brauchen keinen Onlineshop.",
        );
        let texts: Vec<&str> = found.iter().map(|(t, _)| t.as_str()).collect();
        assert_eq!(texts, ["Website", "Kontaktformular", "Terminbuchung", "Onlineshop"]);
        assert_eq!(found[3].1, Priority::Wont);
    }
}
