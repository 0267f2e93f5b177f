//! What a text is, told by its little words: its language, how it addresses its reader, whether it says that a machine
//! wrote it, and what it promises. For texts in en, de, nl and fr; what is not clear is said to be unknown.

pub mod wishes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a text addresses its reader, in a language that knows the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// Sie, u, vous.
    Formal,
    /// Du, je, tu.
    Informal,
}

impl Address {
    /// The word as it stands in results.
    pub const fn name(self) -> &'static str {
        match self {
            Address::Formal => "formal",
            Address::Informal => "informal",
        }
    }

    /// The form with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Address::Formal, Address::Informal].into_iter().find(|address| address.name() == name)
    }
}

/// The languages with their most frequent words, without those that several of them share.
const LITTLE: [(&str, &str); 4] = [
    ("en", "the and our need for with you your are would like please hello can my to this that from have it of"),
    (
        "de",
        "der die das und wir ich unser unsere unseren brauchen brauche für mit ein eine einen einem ist sind bitte guten \
         möchte möchten suche suchen nicht auf zu den dem auch sie ihre ihr",
    ),
    (
        "nl",
        "het een wij ik onze ons nodig voor met zijn graag goedendag wil willen zoek zoeken naar van op niet ook dat \
         deze uw u jullie jouw bij aan wordt",
    ),
    (
        "fr",
        "le la les des et nous notre nos besoin pour avec un une est sont bonjour cherche cherchons voudrais souhaitons \
         du ce cette pas aussi vous votre vos sur dans que qui",
    ),
];

/// Words that name things and give their language away all the same: enquiries are often nothing but these.
const TELLING: [(&str, &str); 4] = [
    ("en", "quote website shop"),
    ("de", "schnell anfrage angebot webseite dringend"),
    ("nl", "offerte aanvraag spoed"),
    ("fr", "devis site boutique"),
];

/// How many of its most frequent words each language has here, most first; languages without any are left out.
pub fn little_words(text: &str) -> Vec<(&'static str, usize)> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let count = |list: &str| words.iter().filter(|w| list.split_whitespace().any(|l| l == **w)).count();
    let mut counts: Vec<(&str, usize)> = LITTLE
        .iter()
        .zip(TELLING)
        .map(|((tag, list), (_, telling))| (*tag, count(list) + count(telling)))
        .filter(|(_, n)| *n > 0)
        .collect();
    counts.sort_by_key(|(_, n)| usize::MAX - n);
    counts
}

/// The language of a text where its little words leave no doubt: three of them at least, and twice as many as any
/// other language has.
pub fn language(text: &str) -> Option<&'static str> {
    let counts = little_words(text);
    let (tag, most) = *counts.first()?;
    let next = counts.get(1).map_or(0, |(_, n)| *n);
    (most >= 3 && most >= 2 * next).then_some(tag)
}

/// How a text in `language` addresses its reader; nothing where it does not, or does both.
pub fn address(text: &str, language: &str) -> Option<Address> {
    // German writes the formal words with a capital, which is all that tells them from "they".
    let (formal, informal, phrases): (&[&str], &[&str], &[&str]) = match primary(language) {
        "de" => (
            &["Sie", "Ihnen", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer"],
            &[
                "du", "Du", "dir", "Dir", "dich", "Dich", "dein", "deine", "deinen", "deiner", "deinem", "Dein",
                "Deine", "euch", "Euch", "euer", "eure", "euren", "eurer", "Eure",
            ],
            &["könnt ihr", "habt ihr", "macht ihr", "seid ihr", "bietet ihr", "baut ihr", "hättet ihr", "wollt ihr"],
        ),
        "nl" => (&["u", "U", "uw", "Uw"], &["je", "Je", "jij", "jou", "jouw", "Jouw", "jullie", "Jullie"], &[]),
        "fr" => {
            (&["vous", "Vous", "votre", "Votre", "vos", "Vos"], &["tu", "Tu", "toi", "ton", "Ton", "tes", "Tes"], &[])
        }
        _ => return None,
    };
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let count = |list: &[&str]| words().filter(|w| list.contains(w)).count();
    let lower = text.to_lowercase();
    let informal = count(informal) + phrases.iter().filter(|p| lower.contains(*p)).count();
    match (count(formal), informal) {
        (0, 0) => None,
        (formal, 0) if formal > 0 => Some(Address::Formal),
        (0, _) => Some(Address::Informal),
        // In German a sentence may begin with "Sie" and mean "they"; du is always du.
        (formal, informal) if primary(language) == "de" && informal >= formal => Some(Address::Informal),
        _ => None,
    }
}

/// True when a text says that an AI or another program wrote it.
pub fn names_ai(text: &str) -> bool {
    let own = |w: &str| matches!(w, "AI" | "KI" | "IA" | "A.I" | "I.A");
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '.'));
    words.map(|w| w.trim_matches('.')).any(own)
        || [
            "artificial intelligence",
            "künstliche intelligenz",
            "kunstmatige intelligentie",
            "intelligence artificielle",
        ]
        .iter()
        .any(|w| text.to_lowercase().contains(w))
}

/// The first word of a text that promises something nobody has approved, with the words it was found by.
pub fn promise(text: &str) -> Option<&'static str> {
    const PROMISES: &[&str] = &[
        // en
        "guarantee",
        "we promise",
        "i promise",
        "free of charge",
        "for free",
        "at no cost",
        "no extra cost",
        "discount",
        "by tomorrow",
        "by monday",
        "by friday",
        "next week",
        "within 24 hours",
        "within a week",
        "within two weeks",
        "refund",
        "money back",
        "we will deliver",
        "always on time",
        // de
        "garantier",
        "garantie",
        "verspreche",
        "versprochen",
        "kostenlos",
        "kostenfrei",
        "gratis",
        "rabatt",
        "bis morgen",
        "bis montag",
        "bis freitag",
        "nächste woche",
        "innerhalb von",
        "binnen einer woche",
        "geld zurück",
        "erstattung",
        // nl
        "garande",
        "beloven",
        "beloofd",
        "kosteloos",
        "korting",
        "voor morgen",
        "volgende week",
        "binnen een week",
        "binnen twee weken",
        "geld terug",
        // fr
        "garantis",
        "garanti ",
        "garantie",
        "promets",
        "promettons",
        "gratuit",
        "remise",
        "d'ici demain",
        "la semaine prochaine",
        "sous 24 heures",
        "sous huit jours",
        "rembours",
    ];
    let lower = text.to_lowercase().replace('’', "'");
    PROMISES.iter().copied().find(|promise| {
        lower.match_indices(promise).any(|(at, _)| {
            lower.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric())
        })
    })
}

/// The text without what it quotes: a client's words are not the writer's.
pub fn without(text: &str, quotes: &[String]) -> String {
    let mut own = text.to_owned();
    for quote in quotes.iter().filter(|q| q.trim().chars().count() > 1) {
        own = own.replace(quote.as_str(), " … ");
    }
    own
}

/// Letters and digits in lower case, for telling whether two texts say the same: spaces, signs and brackets may have
/// been mended in one of them.
pub fn normalised(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// True when `quote` stands in `text`, whatever the case, the spaces and the signs in between.
pub fn quotes(text: &str, quote: &str) -> bool {
    let plain = |text: &str| split(text).collect::<Vec<_>>().join(" ");
    let quote = plain(quote.trim_end_matches('…'));
    !quote.is_empty() && plain(text).contains(&quote)
}

/// The words of a text in lower case with single spaces, for finding them again. Words that are taken out wherever a
/// client's words are repeated, because they look like our own placeholders, are left out on both sides.
pub fn words(text: &str) -> String {
    let placeholder = |word: &str| {
        ["tbd", "todo", "xxx"].contains(&word) || ["lorem", "ipsum", "undefined"].iter().any(|w| word.contains(w))
    };
    split(text).filter(|word| !placeholder(word)).collect::<Vec<_>>().join(" ")
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let visible: String = text.chars().flat_map(char::to_lowercase).filter(|c| !is_invisible(*c)).collect();
    let words: Vec<String> =
        visible.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect();
    words.into_iter()
}

/// Characters that change how a text looks and not what it says.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// True for words that name something: one of four letters at least that is no little word. A script without spaces
/// between its words names something with fewer.
pub fn is_concrete(quote: &str) -> bool {
    let lower = quote.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let little = LITTLE.iter().any(|(_, list)| list.split_whitespace().any(|l| l == word));
        let dense = word.chars().any(|c| matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'));
        !little && (letters >= 4 || (dense && letters >= 2))
    })
}

/// A text without the line breaks of its mail program: a sentence that was broken because the next word did not fit
/// goes on in the same line, so that it is read, and quoted, as a whole.
///
/// The width is the longest line's; a break is taken for one of the program's when the next word would have gone beyond
/// it. Paragraphs, lists, quoted lines and texts in short lines stay as they are. A break becomes a space, so positions
/// and length stay the same.
pub fn unwrapped(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let long = |line: &str| line.trim_end().chars().count();
    let width = lines.iter().map(|line| long(line)).filter(|len| *len <= WRAPPED_AT_MOST).max().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        out.push_str(line);
        let Some(next) = lines.get(at + 1) else { break };
        out.push(if goes_on(line, next, width) { ' ' } else { '\n' });
    }
    out
}

/// Programs break lines before this many characters (RFC 5322, 2.1.1, recommends 78).
const WRAPPED_AT_MOST: usize = 120;

fn goes_on(line: &str, next: &str, width: usize) -> bool {
    let (line, next) = (line.trim(), next.trim());
    let len = line.chars().count();
    let word = next.split_whitespace().next().unwrap_or_default();
    let apart = |text: &str| text.is_empty() || text.starts_with(['>', '-', '*', '•', '–', '·']);
    let numbered = word.ends_with(['.', ')']) && word.starts_with(|c: char| c.is_ascii_digit());
    // A capital may begin the next sentence: then the line has to be as long as programs make them.
    let least = if word.starts_with(char::is_uppercase) { 58 } else { 45 };
    !apart(line)
        && !apart(next)
        && !numbered
        && !line.ends_with(':')
        && (least..=WRAPPED_AT_MOST).contains(&len)
        && len + 1 + word.chars().count() > width
}

/// `de` of `de-AT`.
pub fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_by_its_little_words() {
        assert_eq!(language("Thank you for your message. We need a bit more from you."), Some("en"));
        assert_eq!(language("Vielen Dank für Ihre Nachricht. Wir brauchen noch etwas, bitte."), Some("de"));
        assert_eq!(language("Bedankt voor uw bericht. Wij hebben het voor u klaar, ook op uw telefoon."), Some("nl"));
        assert_eq!(language("Merci pour votre message. Nous avons besoin de vous pour la suite."), Some("fr"));
        assert_eq!(language("Hello!"), None);
    }

    #[test]
    fn a_line_that_a_mail_program_broke_goes_on_and_no_other() {
        let wrapped = "We have photos and we write the texts ourselves. There are no other systems to\nconnect. Our customers \
                       are families from the town, and nearly all of them order with\nTelefon und App.\n\nRegards\nAda";
        let whole = unwrapped(wrapped);
        assert_eq!(whole.len(), wrapped.len());
        assert!(whole.contains("no other systems to connect. Our") && whole.contains("order with Telefon"), "{whole}");
        assert!(whole.ends_with("App.\n\nRegards\nAda"), "{whole}");
        for as_it_is in [
            "Website\nOnline shop\nNewsletter",
            "What we need, and all of it before the summer begins in our town:\nbooking\n- a shop with a cart\n2) vouchers",
            "We need a new website for our bakery in the old town\nIt should show what is fresh",
            "> an older message that was quoted by the program and broken here,\n> twice",
            "",
            "\n\n",
        ] {
            assert_eq!(unwrapped(as_it_is), as_it_is);
        }
    }

    #[test]
    fn an_address_is_formal_informal_or_unknown() {
        assert_eq!(address("Wann können Sie beginnen?", "de-AT"), Some(Address::Formal));
        assert_eq!(address("Hi, könnt ihr uns eine Website bauen?", "de"), Some(Address::Informal));
        assert_eq!(address("Kun je ons helpen?", "nl"), Some(Address::Informal));
        assert_eq!(address("Pouvez-vous nous aider ?", "fr"), Some(Address::Formal));
        assert_eq!(address("Wir brauchen eine Website.", "de"), None);
        assert_eq!(address("Can you help?", "en"), None);
    }

    #[test]
    fn promises_are_found_in_four_languages() {
        for text in ["We guarantee it.", "Das ist kostenlos.", "Wij garanderen dat.", "C’est gratuit."] {
            assert!(promise(text).is_some(), "{text}");
        }
        assert_eq!(promise("The next step is a short list of what would be built."), None);
    }

    #[test]
    fn a_quote_is_found_whatever_stands_between_its_words() {
        assert!(quotes("We need\n a  \u{202e}Website, with [booking]!", "website with (booking)"));
        assert!(!quotes("We need a website", "a web shop") && !quotes("anything", "…"));
        assert!(is_concrete("a new website") && is_concrete("予約") && !is_concrete("for our") && !is_concrete("!?"));
    }
}
