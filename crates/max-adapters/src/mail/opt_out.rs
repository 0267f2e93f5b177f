//! Whether a client wants no more mail. Only a message that says just that counts: a client who asks for an
//! unsubscribe page is a client.

/// Words that may stand before the wish.
const BEFORE: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "dear",
    "sir",
    "madam",
    "team",
    "all",
    "please",
    "kindly",
    "i",
    "we",
    "want",
    "wish",
    "to",
    "would",
    "like",
    "hallo",
    "guten",
    "tag",
    "moin",
    "sehr",
    "geehrte",
    "damen",
    "und",
    "herren",
    "bitte",
    "ich",
    "wir",
    "möchte",
    "möchten",
    "will",
    "wollen",
    "mich",
    "uns",
    "von",
    "aus",
    "ihrem",
    "ihrer",
    "dem",
    "der",
    "newsletter",
    "verteiler",
    "liste",
    "mir",
    "senden",
    "schicken",
    "schreiben",
    "sie",
];

/// The wish itself.
const WISHES: &[&[&str]] = &[
    &["unsubscribe"],
    &["unsubscribed"],
    &["be", "unsubscribed"],
    &["opt", "out"],
    &["optout"],
    &["remove", "me"],
    &["remove", "us"],
    &["remove", "my", "address"],
    &["take", "me", "off"],
    &["take", "us", "off"],
    &["no", "more", "mail"],
    &["no", "more", "mails"],
    &["no", "more", "emails"],
    &["no", "more", "email"],
    &["stop", "emailing"],
    &["stop", "mailing"],
    &["stop", "writing"],
    &["stop", "contacting"],
    &["stop", "sending"],
    &["do", "not", "contact"],
    &["do", "not", "email"],
    &["do", "not", "write"],
    &["dont", "contact"],
    &["dont", "email"],
    &["dont", "write"],
    &["abmelden"],
    &["abbestellen"],
    &["austragen"],
    &["keine", "mails", "mehr"],
    &["keine", "emails", "mehr"],
    &["keine", "mail", "mehr"],
    &["keine", "nachrichten", "mehr"],
    &["keine", "werbung", "mehr"],
    &["keine", "weiteren", "mails"],
    &["keine", "weiteren", "emails"],
    &["keine", "weiteren", "nachrichten"],
    &["nicht", "mehr", "kontaktieren"],
    &["nicht", "mehr", "anschreiben"],
    &["kontaktieren", "sie", "mich", "nicht", "mehr"],
    &["schreiben", "sie", "mir", "nicht", "mehr"],
    &["löschen", "sie", "mich"],
    &["nehmen", "sie", "mich"],
    &["streichen", "sie", "mich"],
];

/// Words that may stand behind it.
const AFTER: &[&str] = &[
    "me",
    "us",
    "my",
    "address",
    "from",
    "of",
    "off",
    "this",
    "that",
    "the",
    "your",
    "list",
    "lists",
    "mailing",
    "mail",
    "mails",
    "email",
    "emails",
    "newsletter",
    "again",
    "anymore",
    "any",
    "more",
    "please",
    "now",
    "immediately",
    "to",
    "you",
    "und",
    "bitte",
    "mich",
    "uns",
    "mir",
    "von",
    "aus",
    "dem",
    "der",
    "ihrem",
    "ihrer",
    "verteiler",
    "liste",
    "newsletter",
    "sofort",
    "an",
    "diese",
    "adresse",
    "senden",
    "schicken",
    "zusenden",
    "schreiben",
    "heraus",
    "raus",
];

/// Words that begin a farewell; what follows is a name.
const FAREWELL: &[&str] = &[
    "thanks", "thank", "regards", "best", "kind", "cheers", "danke", "vielen", "mit", "mfg", "gruß", "grüße", "lg",
    "vg",
];

/// True when the mail is essentially a wish for no more mail.
pub(super) fn is_opt_out(subject: &str, text: &str) -> bool {
    let text = text.split("\n-- \n").next().unwrap_or_default();
    if text.trim().is_empty() { says_so(subject) } else { says_so(text) }
}

fn says_so(text: &str) -> bool {
    let words = words(text);
    let Some(words) = words.as_deref() else { return false };
    let without_farewell = words.iter().position(|w| FAREWELL.contains(&w.as_str())).unwrap_or(words.len());
    // A farewell is short; a letter that goes on is more than a wish.
    if words.len() - without_farewell > 8 {
        return false;
    }
    let words = &words[..without_farewell];
    // The bare word means mail only when nothing else is said: "Stop by on Monday" is an invitation.
    let bare: Vec<_> = words.iter().filter(|w| !matches!(w.as_str(), "please" | "bitte" | "hi" | "hallo")).collect();
    if !bare.is_empty() && bare.iter().all(|w| matches!(w.as_str(), "stop" | "stopp")) {
        return true;
    }
    (0..words.len())
        .take_while(|&at| words[..at].iter().all(|w| BEFORE.contains(&w.as_str())))
        .any(|at| WISHES.iter().any(|wish| is_wish(&words[at..], wish)))
}

fn is_wish(words: &[String], wish: &[&str]) -> bool {
    words.len() >= wish.len()
        && words.iter().zip(wish).all(|(word, wished)| word == wished)
        && words[wish.len()..].iter().all(|word| AFTER.contains(&word.as_str()))
}

/// The words in lower case, or nothing when there are too many for a mere wish.
fn words(text: &str) -> Option<Vec<String>> {
    let plain = text.to_lowercase().replace(['\'', '’', '-'], "");
    let words: Vec<String> =
        plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(26).map(str::to_owned).collect();
    (words.len() <= 25).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_no_more_mail_is_told_from_a_client_who_talks_about_it() {
        for text in [
            "STOP",
            "Stop please!",
            "unsubscribe",
            "Please unsubscribe me from this list. Thanks, Bob",
            "Hello, please remove me from your mailing list.",
            "Don't contact me again",
            "Bitte keine Mails mehr!",
            "Bitte keine E-Mails mehr.\n\nMit freundlichen Grüßen\nAnna Muster",
            "Ich möchte mich abmelden",
            "Bitte schreiben Sie mir nicht mehr",
            "Bitte nehmen Sie mich aus dem Verteiler",
        ] {
            assert!(is_opt_out("Re: your offer", text), "{text}");
        }
        for text in [
            "Stop by our office on Monday",
            "We need an unsubscribe page",
            "Unsubscribe links are what our newsletter lacks; can you build that?",
            "Please remove the second page from the offer",
            "No more questions from our side, please go ahead",
            "Users should be able to opt out of tracking",
            "Bitte keine Mails mehr an den alten Shop, sondern an die neue Adresse senden; wann können wir starten?",
            "Yes",
            "",
        ] {
            assert!(!is_opt_out("Re: your offer", text), "{text}");
        }
        assert!(is_opt_out("Unsubscribe", " "));
    }
}
