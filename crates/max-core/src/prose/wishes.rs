//! The sentences in which somebody asks for something, found by our own code: what a mind lists as a client's wishes is
//! held against them (rule SC-9), so that no wish is lost because nobody wrote it down.
//!
//! Reading is linear in the length of the text.

use std::sync::LazyLock;

use crate::figures::{self, Value};

/// A longer sentence is read in pieces, in bytes.
const PIECE: usize = 600;

/// True when somebody says that they want something, or do not.
pub fn is_wish(text: &str) -> bool {
    WISH.any(&text.to_lowercase())
}

/// The section of a scope that takes up a sentence about money, time or the talk itself, which is no requirement.
pub fn frame(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let names_money = || figures::find(text).iter().any(|figure| matches!(figure.value, Value::Money(_)));
    if MONEY.any(&lower) || names_money() {
        Some("budget")
    } else if TIME.any(&lower) {
        Some("timeline")
    } else if TALK.any(&lower) {
        Some("answers")
    } else {
        None
    }
}

/// A sentence of a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// Without its bullet and its full stop.
    pub text: &'a str,
    /// True for an item of a list.
    pub bullet: bool,
    /// True when it ends with a question mark.
    pub question: bool,
    /// True when it announces a list.
    pub colon: bool,
}

/// The sentences of a message, without what it quotes of an earlier one.
pub fn sentences(message: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    for line in message.lines().map(str::trim) {
        if line.starts_with('>') {
            continue;
        }
        let (bullet, line) = strip_bullet(line);
        let mut rest = line;
        while !rest.is_empty() {
            let end = sentence_end(rest);
            let (sentence, after) = rest.split_at(end);
            let sentence = sentence.trim();
            let bare = sentence.trim_end_matches(['.', '!', '?', ';', ':', '？', '。']).trim();
            if bare.chars().any(char::is_alphanumeric) {
                found.push(Sentence {
                    text: bare,
                    bullet,
                    question: sentence.ends_with(['?', '？']),
                    colon: sentence.ends_with(':'),
                });
            }
            rest = after.trim_start();
        }
    }
    found
}

/// Where the first sentence of a line ends: after a stop that a space follows and no abbreviation or number precedes.
fn sentence_end(line: &str) -> usize {
    let mut before = ' ';
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, n)| *n);
        let stop = match c {
            '!' | '?' | ';' => next.is_none_or(char::is_whitespace),
            '.' => {
                next.is_none_or(char::is_whitespace) && !before.is_ascii_digit() && before != '.' && {
                    // `z. B.` and `e. g.` have one letter before the stop.
                    let word = line[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
                    word.chars().count() > 1
                }
            }
            '？' | '。' => true,
            _ => false,
        };
        if stop {
            return at + c.len_utf8();
        }
        before = c;
    }
    line.len()
}

fn strip_bullet(line: &str) -> (bool, &str) {
    if let Some(rest) = line.strip_prefix(['-', '*', '•', '–', '·']) {
        return (true, rest.trim_start());
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line[digits..].strip_prefix(['.', ')']) {
        Some(rest) if (1..=2).contains(&digits) && rest.starts_with(' ') => (true, rest.trim_start()),
        _ => (false, line),
    }
}

/// A sentence in pieces that end at a word, so that none is too long to be quoted.
pub fn pieces(sentence: &str) -> impl Iterator<Item = &str> {
    let mut rest = sentence;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if rest.len() <= PIECE {
            rest.len()
        } else {
            let most = floor(rest, PIECE);
            rest[..most].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most)
        };
        let (piece, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(piece.trim())
    })
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// Words to look for. One pass over a text finds all of them, however many there are.
#[derive(Debug)]
pub struct Finder {
    /// By their first byte: a table is looked up sooner than a hash of two bytes is made.
    by: [Vec<(String, usize)>; 256],
}

/// Where one of the words stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins, in bytes.
    pub at: usize,
    /// How long it is, in bytes.
    pub len: usize,
    /// The number it was given.
    pub index: usize,
}

impl Finder {
    /// `words` (lower case) with a number each. A straight apostrophe stands for a curly one as well.
    pub fn new<'w>(words: impl IntoIterator<Item = (&'w str, usize)>) -> Self {
        let mut by = [const { Vec::new() }; 256];
        for (word, index) in words {
            let curly = word.contains('\'').then(|| word.replace('\'', "’"));
            for word in std::iter::once(word.to_owned()).chain(curly) {
                let first = word.bytes().next().unwrap_or_default();
                by[usize::from(first)].push((word, index));
            }
        }
        Self { by }
    }

    /// A table of words: each between bars or on a line of its own.
    pub fn table(words: &str) -> Self {
        Self::new(words.split(['|', '\n']).map(str::trim).filter(|w| !w.is_empty()).map(|w| (w, 0)))
    }

    /// Every place where a word begins with one of the words, in order.
    pub fn hits<'f>(&'f self, lower: &'f str) -> impl Iterator<Item = Hit> + 'f {
        let mut before = ' ';
        lower.char_indices().flat_map(move |(at, c)| {
            let begins = !before.is_alphanumeric() || !c.is_alphanumeric();
            before = c;
            let rest = &lower[at..];
            let candidates: &[(String, usize)] = if begins { &self.by[usize::from(rest.as_bytes()[0])] } else { &[] };
            candidates.iter().filter(move |(word, _)| rest.starts_with(word.as_str())).map(move |(word, index)| Hit {
                at,
                len: word.len(),
                index: *index,
            })
        })
    }

    /// True when one of the words occurs.
    pub fn any(&self, lower: &str) -> bool {
        self.hits(lower).next().is_some()
    }

    /// The word with the smallest number.
    pub fn smallest(&self, lower: &str) -> Option<usize> {
        self.hits(lower).map(|hit| hit.index).min()
    }
}

/// Somebody says that they want something, or do not.
static WISH: LazyLock<Finder> = LazyLock::new(|| {
    Finder::table(
        "need | we want | i want | looking for | would like | we'd like | i'd like | should | must | has to | have to
        can you build | could you build | can you make | can you help | could you help | help with | could you make
        would love | nice to have | would be nice | would be great | require | we wish | important | maybe later
        optional | ideally | want to be able | be able to | we expect | please add | please include | essential
        brauch | benötig | wir suchen | ich suche | möchte | hätten gern | hätte gern | wünsch | soll | muss | müss
        wollen | schön wäre | wäre schön | wäre toll | wichtig | vielleicht später | idealerweise | könnten sie
        könnt ihr | notwendig | unverzichtbar | erforderlich
        nodig | we willen | wij willen | ik wil | we zoeken | wij zoeken | ik zoek | op zoek naar | graag | zouden we
        zou ik | moet | zou mooi zijn | zou leuk zijn | zou fijn zijn | belangrijk | misschien later | optioneel
        idealiter | kunnen jullie | kunt u | wensen | vereist | noodzakelijk | het liefst | we wensen
        besoin | nous voulons | je veux | on veut | nous cherchons | je cherche | on cherche | nous souhait | je souhait
        on souhait | nous aimerions | j'aimerais | on aimerait | voudrions | voudrais | devrai | doit | doivent
        il faut | il faudrait | serait bien | serait utile | serait appréci | serait un plus | souhaitable | idéalement
        important | indispensable | facultatif | peut-être plus tard | pouvez-vous | pourriez-vous | nécessaire
        à la recherche d",
    )
});

/// A sentence about money.
static MONEY: LazyLock<Finder> = LazyLock::new(|| {
    Finder::table(
        "budget | spend | cost | price | an offer | your offer | a quote | your quote | quote for | estimate
        angebot | preis | kosten | ausgeben
        begroting | offerte | prijs | kost | besteden | uitgeven
        devis | prix | coût | coûte | dépenser | tarif",
    )
});

/// A sentence about when.
static TIME: LazyLock<Finder> = LazyLock::new(|| {
    Finder::table(
        "deadline | need it by | need this by | launch | go live | bis ende | bis zum | fertig sein
        klaar zijn | live gaan | uiterlijk | tegen het einde | voor het einde | mise en ligne | d'ici | au plus tard | échéance",
    )
});

/// A sentence about the talk itself.
static TALK: LazyLock<Finder> = LazyLock::new(|| {
    Finder::table(
        "call us | call me | meeting | let me know | more information | your help | hear from you | your answer
        termin mit ihnen | anrufen | mehr informationen | ihre hilfe | von ihnen zu hören | rückmeldung
        bel mij | bel ons | terugbellen | meer informatie | uw hulp | van u te horen | afspraak met u
        appelez | rappel | plus d'informations | votre aide | votre réponse | rendez-vous avec vous | de vos nouvelles",
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_finds_what_begins_a_word() {
        let finder = Finder::new([("gallery", 1), ("gall", 2), ("€", 3), ("l'app", 4)]);
        let of = |text: &str| finder.hits(text).map(|h| h.index).collect::<Vec<_>>();
        assert_eq!(of("a gallery, 5€ and l’app"), [1, 2, 3, 4]);
        assert_eq!(of("agallery"), Vec::<usize>::new());
    }
}
