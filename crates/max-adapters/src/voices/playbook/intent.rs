//! What a client means by an answer. Conservative: what is not clear is no yes and no no.

use super::text::{Said, sentences};

/// True when the client says plainly that they want nothing more.
pub fn withdraws(message: &str) -> bool {
    const NO: &[&str] = &[
        "not interested any more",
        "not interested anymore",
        "no longer interested",
        "we are not interested",
        "i am not interested",
        "i'm not interested",
        "we're not interested",
        "please stop writing",
        "stop contacting",
        "we decided against",
        "we have decided against",
        "decided not to go ahead",
        "not going ahead",
        "we went with another",
        "we have chosen another",
        "we chose another",
        "found another agency",
        "no thanks",
        "no, thanks",
        "no thank you",
        "no, thank you",
        "we decline",
        "please cancel",
        "we have to cancel",
        "kein interesse",
        "nicht mehr interessiert",
        "haben uns dagegen entschieden",
        "habe mich dagegen entschieden",
        "haben uns anders entschieden",
        "haben uns für eine andere",
        "haben uns für einen anderen",
        "nein danke",
        "nein, danke",
        "wir sagen ab",
        "wir müssen absagen",
        "möchten absagen",
        "bitte nicht mehr schreiben",
        "wir lehnen ab",
        "hat sich erledigt",
    ];
    sentences(message).iter().any(|s| !s.question && Said::new(s.text).has(NO))
}

/// True when the client asks whether a person is writing.
pub fn asks_for_a_human(message: &str) -> bool {
    const ASKS: &[&str] = &[
        "are you human",
        "are you a human",
        "are you a real person",
        "are you a person",
        "are you a bot",
        "are you a robot",
        "are you an ai",
        "are you ai",
        "is this a bot",
        "is this an ai",
        "am i talking to a",
        "am i writing with a",
        "am i speaking with a",
        "talk to a human",
        "talk to a person",
        "speak to a human",
        "speak to a person",
        "speak with a person",
        "a real human",
        "sind sie ein mensch",
        "bist du ein mensch",
        "sind sie ein bot",
        "bist du ein bot",
        "sind sie eine ki",
        "bist du eine ki",
        "ist das ein bot",
        "ist das eine ki",
        "schreibe ich mit einem menschen",
        "schreibe ich mit einem bot",
        "schreibe ich mit einer ki",
        "spreche ich mit einem menschen",
        "ein echter mensch",
        "mit einem menschen sprechen",
    ];
    Said::new(message).has(ASKS)
}

/// True when the client accepts, without an if or a but.
pub fn accepts(message: &str) -> bool {
    const YES: &[&str] = &[
        "we accept",
        "i accept",
        "accepted",
        "we agree",
        "i agree",
        "agreed",
        "go ahead",
        "let's do it",
        "lets do it",
        "let us do it",
        "let's go",
        "sounds good",
        "we would like to proceed",
        "we'd like to proceed",
        "please proceed",
        "happy to proceed",
        "deal",
        "you have our approval",
        "please send the contract",
        "we take the offer",
        "yes please",
        "yes, please",
        "approved",
        "einverstanden",
        "wir nehmen an",
        "nehmen das angebot an",
        "nehmen ihr angebot an",
        "wir akzeptieren",
        "ich akzeptiere",
        "angenommen",
        "machen wir",
        "so machen wir",
        "legen sie los",
        "legt los",
        "auftrag erteilt",
        "wir beauftragen",
        "ich beauftrage",
        "passt so",
        "wir stimmen zu",
        "ja, gerne",
        "ja gerne",
        "zusage",
        "bitte den vertrag",
        "bitte schicken sie den vertrag",
    ];
    const BUT: &[&str] = &[
        "if ",
        "unless",
        "provided",
        "only when",
        "but ",
        "cannot",
        "can't",
        "can not",
        "not ",
        "don't",
        "won't",
        "before we",
        "wenn ",
        "falls ",
        "sofern",
        "aber ",
        "nicht",
        "kein",
        "vorausgesetzt",
        "erst wenn",
        "bevor wir",
    ];
    sentences(message).iter().any(|s| {
        let said = Said::new(s.text);
        !s.question && said.has(YES) && !said.has(BUT)
    })
}

/// A wish for a lower price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haggle {
    /// By so much, in basis points.
    By(u32),
    /// Down to an amount, in whole units.
    To(u64),
    /// Just lower.
    Lower,
}

/// Whether and how the client asks for a lower price.
pub fn haggles(message: &str) -> Option<Haggle> {
    const WORDS: &[&str] = &[
        "discount",
        "cheaper",
        "lower price",
        "reduce the price",
        "lower the price",
        "come down",
        "too expensive",
        "too much money",
        "better price",
        "over our budget",
        "above our budget",
        "more than our budget",
        "% off",
        "percent off",
        "could you do it for",
        "can you do it for",
        "would you do it for",
        "rabatt",
        "nachlass",
        "günstiger",
        "billiger",
        "zu teuer",
        "preis senken",
        "am preis",
        "besserer preis",
        "besseren preis",
        "über unserem budget",
        "skonto",
        "prozent weniger",
        "% weniger",
        "für die hälfte",
        "machen sie es für",
        "geht es auch für",
    ];
    let said = Said::new(message);
    if !said.has(WORDS) {
        return None;
    }
    if let Some(points) = percent(message) {
        return Some(Haggle::By(points));
    }
    Some(super::text::amount(&said).map_or(Haggle::Lower, |(units, _)| Haggle::To(units)))
}

/// The first percentage in a text, in basis points.
pub fn percent(message: &str) -> Option<u32> {
    let lower = message.to_lowercase();
    lower.match_indices(['%']).map(|(at, _)| at).chain(lower.find("percent")).chain(lower.find("prozent")).find_map(
        |at| {
            let before = lower[..at].trim_end();
            let digits = before.chars().rev().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).count();
            let number = &before[before.len() - digits..];
            let value: f64 = number.replace(',', ".").parse().ok()?;
            (0.0..=100.0).contains(&value).then_some((value * 100.0).round() as u32)
        },
    )
}

/// True when the client reports that something does not work or is missing.
pub fn complains(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "does not work",
        "doesn't work",
        "not working",
        "is broken",
        "defect",
        "is missing",
        "are missing",
        "bug",
        "error",
        "disappointed",
        "unacceptable",
        "angry",
        "complain",
        "lawyer",
        "funktioniert nicht",
        "geht nicht",
        "kaputt",
        "mangel",
        "mängel",
        "fehlt",
        "fehler",
        "enttäuscht",
        "inakzeptabel",
        "ärger",
        "beschwer",
        "anwalt",
    ];
    Said::new(message).has(WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_with_a_condition_is_no_yes() {
        assert!(accepts("Great, we accept. Can you start on Monday?"));
        assert!(accepts("Einverstanden!"));
        assert!(!accepts("We accept if you give us 10% off."));
        assert!(!accepts("We cannot accept this."));
        assert!(!accepts("Do you need us to go ahead?"));
        assert!(!accepts("Wir sind nicht einverstanden."));
    }

    #[test]
    fn only_a_plain_no_withdraws() {
        assert!(withdraws("Thank you, but we went with another agency."));
        assert!(withdraws("Das hat sich erledigt."));
        assert!(!withdraws("No newsletter please, just the shop."));
        assert!(!withdraws("What happens if we decide against it?"));
    }

    #[test]
    fn haggling_is_read_with_its_measure() {
        assert_eq!(haggles("Could you give us a 7,5 % discount?"), Some(Haggle::By(750)));
        assert_eq!(haggles("Could you do it for 9,000 EUR?"), Some(Haggle::To(9_000)));
        assert_eq!(haggles("Das ist uns zu teuer."), Some(Haggle::Lower));
        assert_eq!(haggles("We accept."), None);
    }
}
