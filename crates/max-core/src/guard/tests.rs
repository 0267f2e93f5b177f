//! The guard, in the words of mails that must not leave, and of those that nearly look like them.

use serde_json::json;

use super::{check, *};
use crate::apply::apply;
use crate::event::{Entry, Event};
use crate::id::{Fresh, LeadId};
use crate::lead::{Actor, NewLead};
use crate::stage::Stage;

/// A client who was offered 12,345.50 EUR with 19 % tax, valid until 31 January 2027.
fn lead() -> Lead {
    let at: jiff::Timestamp = "2026-11-23T09:00:00Z".parse().expect("a timestamp");
    let mut fresh = Fresh::new(at, 7);
    let id = LeadId(fresh.uuid());
    let lead = NewLead {
        name: "Mina Berg".into(),
        email: "mina@studio-berg.example".into(),
        phone: Some("+49 30 1234567".into()),
        message: "We have €8k, and my colleague jo@gmail.com asks whether hosting is free of charge.".into(),
        ..NewLead::default()
    };
    let message = crate::id::MessageId(fresh.uuid());
    let events = vec![Event::LeadIngested { lead: Box::new(lead), message }];
    let entry = Entry { lead: id, version: 1, at, by: Actor::Client, signal_id: None, events };
    let mut lead = apply(None, &entry).expect("a lead");
    let offer = json!({
        "gross_minor": 1_234_550, "vat_basis_points": 1_900, "currency": "EUR", "valid_until": "2027-01-31",
        "facts": [{"quote": "at most 9,000 euros", "low_minor": 900_000}],
    });
    lead.data.entry(Stage::Closer).or_default().insert("proposal".into(), offer);
    lead
}

fn rules(body: &str) -> Vec<String> {
    let policy = Policy { own_words: vec!["hello@agency.example, +31 20 765 4321".into()], ..Policy::default() };
    let text = OutgoingText { subject: "Your offer".into(), body: body.into() };
    check(&lead(), &policy, &text, &Seen::default()).into_iter().map(|f| f.rule).collect()
}

fn passes(body: &str) {
    assert_eq!(rules(body), Vec::<String>::new(), "{body}");
}

fn holds(rule: &str, body: &str) {
    assert_eq!(rules(body), [rule], "{body}");
}

#[test]
fn og_1_an_amount_that_nobody_agreed_to_is_held_in_every_locale() {
    for right in ["It is €12,345.50.", "Es sind 12.345,50 €.", "Het is € 12.345,50.", "C'est 12\u{202f}345,50\u{a0}€."]
    {
        passes(right);
    }
    for wrong in ["It is €12,345.05.", "Es sind 12.435,50 €.", "Het is € 12.345.", "C'est 1\u{202f}234,55\u{a0}€."]
    {
        holds("OG-1", wrong);
    }
    holds("OG-1", "It is $12,345.50.");
    // What the client named is his: as a quotation it may stand, as ours it may not.
    passes("You wrote “We have €8k”; that is a good start.");
    passes("Sie schrieben „8.000 €“.");
    passes("> We have €8k\nThank you.");
    holds("OG-1", "We will do it for €8k.");
    holds("OG-1", "You wrote “We have €7k”.");
    holds("OG-1", "We will do it for 9,000 euros.");
    holds("OG-1", "An opening mark quotes nothing: “ €8k.");
}

#[test]
fn og_2_a_percentage_that_nobody_agreed_to_is_held() {
    passes("Tax is 19 %.");
    passes("La TVA est de 19\u{a0}%.");
    passes("30 % are due on signature.");
    for wrong in ["We give you 15% off.", "Wir geben 15 % Rabatt.", "U krijgt 15% korting.", "Une remise de 15 %."] {
        holds("OG-2", wrong);
    }
}

#[test]
fn og_3_a_date_that_nobody_agreed_to_is_held() {
    for right in
        ["Valid until 31 January 2027.", "Gültig bis 31.01.2027.", "Geldig tot 31 januari 2027.", "Le 31 janvier."]
    {
        passes(right);
    }
    passes("Thank you for your message of 23 November 2026.");
    for wrong in ["Ready on 1 March 2027.", "Fertig am 01.03.2027.", "Klaar op 1 maart 2027.", "Prêt le 1er mars 2027."]
    {
        holds("OG-3", wrong);
    }
}

#[test]
fn og_4_a_promise_is_held_in_every_language() {
    for wrong in [
        "We guarantee first place.",
        "Hosting is free of\ncharge.",
        "Wir garantieren das.",
        "Das Hosting ist kostenlos.",
        "Wij garanderen dat.",
        "Dat is gratis.",
        "Nous garantissons cela.",
        "C'est gratuit.",
    ] {
        holds("OG-4", wrong);
    }
    passes("You asked “whether hosting is free of charge”; the offer says what it costs.");
    passes("Feel free to ask. Fees are in the offer; offering a time would help.");
}

#[test]
fn what_is_agreed_to_cost_nothing_may_be_said_to_and_nothing_else_may() {
    let mut lead = lead();
    let request = json!({"id": "RQ-1", "source": "lead", "quote": "the booking form is broken", "class": "defect", "confidence": 90, "reason": "it was agreed"});
    let defect = json!([{"requests": [request]}]);
    lead.data.entry(Stage::DeliveryPM).or_default().insert("requests".into(), defect);
    let rules = |body: &str| -> Vec<String> {
        let text = OutgoingText { subject: "Your report".into(), body: body.into() };
        check(&lead, &Policy::default(), &text, &Seen::default()).into_iter().map(|f| f.rule).collect()
    };
    for said in [
        "We mend the booking form at no charge.",
        "Wir beheben RQ-1 kostenlos.",
        "Wij herstellen RQ-1 gratis, zoals afgesproken.",
        "Pour RQ-1, c'est gratuit.",
    ] {
        assert_eq!(rules(said), Vec::<String>::new(), "{said}");
    }
    // The defect makes nothing else free, also not in the sentence after it.
    for said in [
        "Hosting is free of charge.",
        "We mend the booking form. Hosting is free of charge.",
        "RQ-1 is on our list.\n\nDas Hosting ist kostenlos.",
        "The form for your newsletter is free of charge.",
        "We mend it and guarantee that RQ-1 never breaks again.",
    ] {
        assert_eq!(rules(said), ["OG-4"], "{said}");
    }
}

#[test]
fn og_5_a_placeholder_is_held() {
    holds("OG-5", "Dear {{ name }},");
    holds("OG-5", "Dear [client name], the rest is TBD.");
    passes("Dear Mina [Berg], do {not} worry.");
}

#[test]
fn og_6_a_secret_is_held_and_not_repeated() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let policy = Policy::default();
    let text = OutgoingText { subject: "Access".into(), body: format!("Use {token} please.") };
    let found = check(&lead(), &policy, &text, &Seen::default());
    assert_eq!(found[0].rule, "OG-6");
    assert!(!format!("{found:?}").contains("a1B2"), "a finding repeats the secret");
    holds("OG-6", "-----BEGIN RSA PRIVATE KEY-----");
    holds("OG-6", "Your password: hunter2!");
    holds("OG-6", "Ihr Passwort = geheim99");
    holds("OG-6", "Votre mot de passe : soleil42");
    holds("OG-6", "The key is Zx81QwErTy90AsDfGh27JkLmNb36VcXz.");
    passes("Password: you set it yourself by the invitation.");
    passes("The document is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.");
    passes("Open https://agency.example/p/Zx81QwErTy90AsDfGh27JkLmNb36VcXz please.");
}

#[test]
fn og_7_other_peoples_data_is_held() {
    passes("We write to mina@studio-berg.example and to accounts@studio-berg.example.");
    passes("You may include jo@gmail.com, whom you named.");
    passes("A person reads hello@agency.example; or call +31 20 7654321.");
    passes("We call you at 0049 30 1234567.");
    passes(&format!("Your number here is {}.", lead().id));
    holds("OG-7", "Ask bob@other-client.example how it went.");
    holds("OG-7", "Ask someone@gmail.com.");
    holds("OG-7", "Call +44 20 7946 0958.");
    holds("OG-7", "See 0197c6c4-0000-7000-8000-00000000abcd.");
    let text = OutgoingText { subject: "Hello".into(), body: "Like jo@gmail.com said.".into() };
    let found =
        check(&lead(), &Policy::default(), &text, &Seen { strangers: vec!["jo@gmail.com".into()], ..Seen::default() });
    assert!(found[0].detail.contains("another client"), "{found:?}");
}
