//! What a client wants of an offer, in four languages. Conservative: what is not clear changes no price.

use max_core::stages::closer::OptionKind;
use max_core::stages::scoping::Scope;

use super::super::intent::{self, Haggle};
use super::super::text::{self, Said, sentences};

/// A wish about the terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A lower price.
    Lower(Haggle),
    /// A round sum.
    Round,
    /// Time to pay.
    PayLater,
    /// No deposit at all.
    NoDeposit,
    /// Something for nothing, in the client's words.
    Free(String),
    /// Without something, in the client's words.
    Drop(String),
    /// With something more, in the client's words.
    Add(String),
}

/// Everything the client asks for, in order.
pub fn asks(message: &str) -> Vec<Ask> {
    let mut asks = Vec::new();
    for sentence in sentences(message) {
        let said = Said::new(sentence.text);
        let ask = if said.has(NO_DEPOSIT) {
            Ask::NoDeposit
        } else if said.has(LATER) {
            Ask::PayLater
        } else if said.has(FREE) {
            Ask::Free(sentence.text.to_owned())
        } else if said.has(ROUND) {
            Ask::Round
        } else if let Some(haggle) = haggles(sentence.text) {
            Ask::Lower(haggle)
        } else if said.has(DROP) {
            Ask::Drop(sentence.text.to_owned())
        } else if said.has(ADD) {
            Ask::Add(sentence.text.to_owned())
        } else {
            continue;
        };
        // Two ways of asking for less are one wish: the plainer one counts.
        let vague = |ask: &Ask| matches!(ask, Ask::Lower(Haggle::Lower));
        if vague(&ask) && asks.iter().any(|a| matches!(a, Ask::Lower(_))) {
            continue;
        }
        if matches!(ask, Ask::Lower(_)) {
            asks.retain(|a| !vague(a));
        }
        asks.push(ask);
    }
    asks
}

/// Whether and how the client asks for a lower price.
pub fn haggles(sentence: &str) -> Option<Haggle> {
    let said = Said::new(sentence);
    intent::haggles(sentence).or_else(|| {
        said.has(LOWER).then(|| match (intent::percent(sentence), text::amount(&said)) {
            (Some(points), _) => Haggle::By(points),
            (None, Some((units, _))) => Haggle::To(units),
            (None, None) => Haggle::Lower,
        })
    })
}

/// True when a person should answer: the client is angry, or speaks of lawyers and courts.
pub fn threatens(message: &str) -> bool {
    Said::new(message).has(THREATS)
}

/// True when the client takes the offer, without an if or a but; with the option he names, if he names one.
pub fn accepts(message: &str, offered: &[OptionKind]) -> Option<Option<OptionKind>> {
    let named = sentences(message).iter().find_map(|s| {
        let said = Said::new(s.text);
        let kind = option_named(s.text, offered)?;
        (!s.question && said.has(TAKES) && !said.has(BUT)).then_some(kind)
    });
    let plain = intent::accepts(message)
        || sentences(message).iter().any(|s| {
            let said = Said::new(s.text);
            !s.question && said.has(YES) && !said.has(BUT)
        });
    match (named, plain) {
        (Some(kind), _) => Some(Some(kind)),
        (None, true) => Some(sentences(message).iter().find_map(|s| option_named(s.text, offered))),
        (None, false) => None,
    }
}

/// The option a sentence names, by its letter or by its name.
pub fn option_named(sentence: &str, offered: &[OptionKind]) -> Option<OptionKind> {
    let lower = sentence.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let letter = words.windows(2).find_map(|pair| match pair {
        ["option" | "optie" | "variante" | "variant", letter] => {
            ["a", "b", "c", "d", "e"].iter().position(|l| l == letter)
        }
        _ => None,
    });
    if let Some(kind) = letter.and_then(|at| offered.get(at)) {
        return Some(*kind);
    }
    let said = Said::new(sentence);
    let names: [(OptionKind, &[&str]); 4] = [
        (OptionKind::Essentials, &["essentials", "das wesentliche", "de kern", "l'essentiel", "smallest option"]),
        (OptionKind::Recommended, &["recommended", "empfohlene", "aanbevolen", "recommandée"]),
        (OptionKind::Full, &["everything option", "full option", "alles-option", "tout compris"]),
        (OptionKind::Upfront, &["in advance", "vorauszahlung", "vooruitbetaling", "paiement d'avance"]),
    ];
    names
        .into_iter()
        .filter(|(kind, _)| offered.contains(kind))
        .find(|(_, words)| said.has(words))
        .map(|(kind, _)| kind)
}

/// The requirement that a sentence speaks of: by its id, else by the words both share.
pub fn requirement<'a>(sentence: &str, scope: &'a Scope) -> Option<&'a str> {
    let upper = sentence.to_uppercase();
    if let Some(r) = scope.built().find(|r| upper.contains(&r.id)) {
        return Some(&r.id);
    }
    let spoken = stems(sentence);
    let shared = |text: &str| stems(text).iter().filter(|stem| spoken.contains(stem)).count();
    let best = scope.built().map(|r| (shared(&r.text), r)).filter(|(n, _)| *n > 0).max_by_key(|(n, _)| *n)?;
    // Two that fit equally well are not told apart by guessing.
    let tied = scope.built().filter(|r| shared(&r.text) == best.0).count() > 1;
    (!tied).then_some(best.1.id.as_str())
}

/// The beginnings of the words that mean something.
fn stems(text: &str) -> Vec<String> {
    const EMPTY: &[&str] = &[
        "witho", "could", "would", "shoul", "pleas", "throw", "inclu", "leave", "drop", "remov", "price", "offer",
        "want", "need", "with", "that", "this", "have", "from", "what", "also", "free", "charg", "guest", "custo",
        "clien", "kunde", "kunden", "ohne", "bitte", "könne", "könnt", "möcht", "preis", "angeb", "koste", "diese",
        "eine", "einen", "einer", "werde", "noch", "auch", "wegla", "strei", "zonde", "grati", "prijs", "offer",
        "klant", "kunne", "graag", "sans", "gratu", "prix", "offre", "avec", "pouve", "pourr", "nous", "vous",
    ];
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() >= 4)
        .map(|w| w.chars().take(5).collect::<String>())
        .filter(|stem| !EMPTY.contains(&stem.as_str()))
        .collect()
}

const LOWER: &[&str] = &[
    "another agency is cheaper",
    "better offer",
    "knock off",
    "sharpen your pencil",
    "anderes angebot",
    "korting",
    "goedkoper",
    "te duur",
    "lagere prijs",
    "boven ons budget",
    "remise",
    "rabais",
    "moins cher",
    "trop cher",
    "réduction",
    "baisser le prix",
    "au-dessus de notre budget",
    "ristourne",
];

const ROUND: &[&str] = &[
    "round it down",
    "round sum",
    "round number",
    "round figure",
    "runde summe",
    "runder betrag",
    "runden betrag",
    "abrunden",
    "rond bedrag",
    "afronden",
    "somme ronde",
    "montant rond",
    "arrondir",
];

const LATER: &[&str] = &[
    "pay later",
    "more time to pay",
    "pay in instalments",
    "pay in installments",
    "in instalments",
    "later payment",
    "after we go live",
    "später zahlen",
    "später bezahlen",
    "ratenzahlung",
    "in raten",
    "zahlungsziel",
    "zahlungsaufschub",
    "later betalen",
    "in termijnen",
    "gespreid betalen",
    "payer plus tard",
    "en plusieurs fois",
    "payer après",
    "délai de paiement",
    "échelonner",
];

const NO_DEPOSIT: &[&str] = &[
    "no deposit",
    "without a deposit",
    "without deposit",
    "skip the deposit",
    "keine anzahlung",
    "ohne anzahlung",
    "geen aanbetaling",
    "zonder aanbetaling",
    "pas d'acompte",
    "sans acompte",
];

const FREE: &[&str] = &[
    "for free",
    "free of charge",
    "at no charge",
    "at no cost",
    "throw in",
    "on the house",
    "kostenlos",
    "gratis",
    "ohne berechnung",
    "umsonst",
    "obendrauf",
    "cadeau",
    "gratuit",
    "sans frais",
];

const DROP: &[&str] = &[
    "without the",
    "leave out",
    "leave away",
    "drop the",
    "remove the",
    "do not need the",
    "don't need the",
    "what if we skip",
    "skip the",
    "ohne die",
    "ohne den",
    "ohne das",
    "weglassen",
    "brauchen wir nicht",
    "streichen",
    "zonder de",
    "zonder het",
    "weglaten",
    "laten vallen",
    "hebben we niet nodig",
    "sans le",
    "sans la",
    "sans les",
    "supprimer",
    "enlever",
    "retirer",
];

const ADD: &[&str] = &[
    "add the",
    "include the",
    "also want the",
    "with the",
    "hinzunehmen",
    "auch die",
    "auch den",
    "auch das",
    "dazu nehmen",
    "toevoegen",
    "ook de",
    "ook het",
    "ajouter",
    "inclure",
];

const THREATS: &[&str] = &[
    "lawyer",
    "attorney",
    "solicitor",
    "legal action",
    "take you to court",
    "sue you",
    "ridiculous",
    "outrageous",
    "rip-off",
    "ripoff",
    "unacceptable",
    "furious",
    "waste of time",
    "anwalt",
    "rechtliche schritte",
    "vor gericht",
    "verklagen",
    "unverschämt",
    "frechheit",
    "abzocke",
    "inakzeptabel",
    "advocaat",
    "juridische stappen",
    "naar de rechter",
    "schandalig",
    "belachelijk",
    "onacceptabel",
    "avocat",
    "poursuites",
    "tribunal",
    "scandaleux",
    "inadmissible",
    "inacceptable",
    "c'est une honte",
];

const TAKES: &[&str] = &[
    "we take",
    "we'll take",
    "we choose",
    "we go with",
    "we'll go with",
    "let's go with",
    "we prefer",
    "we accept",
    "i accept",
    "we would like",
    "i take",
    "wir nehmen",
    "wir wählen",
    "wir entscheiden uns für",
    "wir möchten",
    "ich nehme",
    "wij nemen",
    "we nemen",
    "wij kiezen",
    "we kiezen",
    "ik kies",
    "nous prenons",
    "nous choisissons",
    "nous optons",
    "nous acceptons",
    "je choisis",
];

const YES: &[&str] = &[
    "akkoord",
    "wij aanvaarden",
    "we aanvaarden",
    "wij gaan akkoord",
    "wij accepteren",
    "ga maar door",
    "bon pour accord",
    "nous acceptons",
    "j'accepte",
    "c'est d'accord",
    "nous sommes d'accord",
    "vous pouvez commencer",
];

const BUT: &[&str] = &[
    "if ",
    "unless",
    "provided",
    "but ",
    "cannot",
    "can't",
    "not ",
    "don't",
    "before we",
    "wenn ",
    "falls ",
    "sofern",
    "aber ",
    "nicht",
    "kein",
    "vorausgesetzt",
    "als u",
    "indien",
    "mits",
    "maar ",
    "niet ",
    "geen ",
    "si vous",
    "à condition",
    "mais ",
    "ne pas",
    "n'est pas",
    "pas encore",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_told_apart_in_four_languages() {
        assert_eq!(asks("Could you give us 15 % discount?"), [Ask::Lower(Haggle::By(1_500))]);
        assert_eq!(asks("Kunt u 5 % korting geven?"), [Ask::Lower(Haggle::By(500))]);
        assert_eq!(asks("C'est trop cher."), [Ask::Lower(Haggle::Lower)]);
        assert_eq!(asks("Geht das auch in Raten?"), [Ask::PayLater]);
        assert_eq!(asks("Peut-on payer plus tard ?"), [Ask::PayLater]);
        assert_eq!(asks("Können Sie das auf eine runde Summe bringen?"), [Ask::Round]);
        assert!(matches!(asks("Can you throw in the newsletter?").as_slice(), [Ask::Free(_)]));
        assert!(matches!(asks("What would it cost without the gallery?").as_slice(), [Ask::Drop(_)]));
        assert_eq!(asks("Thank you, we look at it on Monday."), []);
    }

    #[test]
    fn an_option_is_taken_by_its_letter_or_its_name_and_only_plainly() {
        let offered = [OptionKind::Essentials, OptionKind::Recommended];
        assert_eq!(accepts("We take option A.", &offered), Some(Some(OptionKind::Essentials)));
        assert_eq!(accepts("Wir nehmen Option B.", &offered), Some(Some(OptionKind::Recommended)));
        assert_eq!(accepts("We choose the essentials.", &offered), Some(Some(OptionKind::Essentials)));
        assert_eq!(accepts("Bon pour accord.", &offered), Some(None));
        assert_eq!(accepts("We take option A if it is 10 % cheaper.", &offered), None);
        assert_eq!(accepts("What does option A hold?", &offered), None);
    }

    #[test]
    fn anger_and_lawyers_are_for_people() {
        assert!(threatens("This is outrageous."));
        assert!(threatens("Sie hören von meinem Anwalt."));
        assert!(!threatens("That is a fair offer."));
    }
}
