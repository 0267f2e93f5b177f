//! Mail as clients, robots and attackers write it.

use proptest::prelude::*;

use super::*;

fn mail(text: &str) -> InboundMail {
    parse(text.trim_start().replace('\n', "\r\n").as_bytes()).expect("a mail")
}

#[test]
fn a_clients_answer_is_read() {
    let mail = mail(
        "
From: =?utf-8?Q?Anna_M=C3=BCller?= <anna@client.example>
To: hello@agency.example
Subject: =?utf-8?B?UmU6IFTDtnJ0Y2hlbg==?=
Message-ID: <2@client.example>
In-Reply-To: <1@agency.example>
References: <0@client.example>
 <1@agency.example>
Date: Sun, 22 Nov 2026 11:11:12 +0100
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6n, ja.

On Sat, 21 Nov 2026, Mike wrote:
> Passt das?
--y
Content-Type: text/html

<p>Schön, ja.</p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename=\"logo.pdf\"

%PDF
--x--
",
    );
    assert_eq!(mail.from_address, "anna@client.example");
    assert_eq!(mail.from_name.as_deref(), Some("Anna Müller"));
    assert_eq!(mail.subject, "Re: Törtchen");
    assert_eq!(mail.text, "Schön, ja.");
    assert!(mail.history.as_deref().is_some_and(|text| text.contains("Passt das?")));
    assert_eq!(mail.message_id.as_deref(), Some("2@client.example"));
    assert_eq!(mail.in_reply_to.as_deref(), Some("1@agency.example"));
    assert_eq!(mail.references, ["0@client.example", "1@agency.example"]);
    assert_eq!((mail.kind, mail.automatic), (MessageKind::Reply, false));
    assert_eq!(mail.attachments, ["logo.pdf"]);
    assert_eq!(mail.date, "2026-11-22T10:11:12Z".parse().ok());
}

#[test]
fn html_alone_is_reduced_to_text() {
    let mail = mail(
        "
From: a@client.example
Subject: Hi
Content-Type: text/html; charset=utf-8

<html><head><style>p{x:y}</style><script>alert(1)</script></head><body><p>Zwei &lt;b&gt; &amp; drei</p><img src=x onerror=alert(2)></body></html>
",
    );
    assert_eq!(mail.text, "Zwei <b> & drei");
}

#[test]
fn robots_are_told_from_people() {
    for (header, automatic) in [
        ("Auto-Submitted: auto-replied", true),
        ("Auto-Submitted: auto-generated; owner-email=\"x@y\"", true),
        ("Auto-Submitted: no", false),
        ("List-Id: <news.client.example>", true),
        ("List-Unsubscribe: <mailto:x@y.example>", true),
        ("Precedence: bulk", true),
        ("Precedence: Junk", true),
        ("Precedence: first-class", false),
        ("X-Auto-Response-Suppress: All", true),
        ("Return-Path: <>", true),
        ("Return-Path: <a@client.example>", false),
        ("X-Other: yes", false),
    ] {
        let mail = mail(&format!("From: a@client.example\n{header}\nSubject: Hello\n\nHi\n"));
        assert_eq!(mail.automatic, automatic, "{header}");
    }
    assert!(mail("From: MAILER-DAEMON@mx.example\nSubject: x\n\nHi\n").automatic);
    assert!(mail("From: no-reply@shop.example\nSubject: x\n\nHi\n").automatic);
}

#[test]
fn absences_and_wishes_are_recognised() {
    for (head, text, kind) in [
        ("Subject: Automatic reply: Offer", "I am away.", MessageKind::OutOfOffice),
        ("Subject: Abwesenheitsnotiz: Angebot", "Bin weg.", MessageKind::OutOfOffice),
        ("Subject: Re: Offer\nAuto-Submitted: auto-replied", "Away.", MessageKind::OutOfOffice),
        ("Subject: Our out of office is leaking", "Can you build a new site?", MessageKind::Reply),
        ("Subject: Re: Offer", "STOP", MessageKind::OptOut),
        ("Subject: Re: Angebot", "Bitte keine Mails mehr.\n\n> Guten Tag", MessageKind::OptOut),
        ("Subject: Re: Offer\nPrecedence: bulk", "unsubscribe", MessageKind::Reply),
        ("Subject: Re: Offer", "We need an unsubscribe page.", MessageKind::Reply),
    ] {
        let mail = mail(&format!("From: a@client.example\n{head}\n\n{text}\n"));
        assert_eq!(mail.kind, kind, "{head} {text}");
    }
}

fn report(action: &str) -> InboundMail {
    mail(&format!(
        "
From: Mail Delivery System <MAILER-DAEMON@mx.example>
Subject: Delivery status
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

It did not work.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; anna@client.example
Action: {action}
Status: 5.1.1
--x
Content-Type: text/rfc822-headers

From: hello@agency.example
Message-ID: <1@agency.example>
Subject: Offer
--x--
"
    ))
}

#[test]
fn a_bounce_names_the_address_and_the_message() {
    let bounce = report("failed");
    assert_eq!((bounce.kind, bounce.automatic), (MessageKind::Bounce, true));
    assert_eq!(bounce.failed_recipient.as_deref(), Some("anna@client.example"));
    assert_eq!(bounce.in_reply_to.as_deref(), Some("1@agency.example"));
    // A delay is no reason to give an address up, and no answer either.
    assert_eq!(report("delayed").kind, MessageKind::OutOfOffice);
    let plain = mail("From: mailer-daemon@mx.example\nSubject: Undelivered Mail Returned to Sender\n\nSorry\n");
    assert_eq!(plain.kind, MessageKind::Bounce);
}

#[test]
fn what_is_no_mail_is_refused() {
    assert_eq!(parse(b""), Err(MailError::NoMail));
    assert_eq!(parse(b"Subject: hi\r\n\r\nno sender"), Err(MailError::NoSender));
    assert_eq!(parse(b"From: not an address\r\n\r\nhi"), Err(MailError::NoSender));
    assert!(matches!(parse(&vec![b'x'; MAX_BYTES + 1]), Err(MailError::TooLarge(_))));
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
    assert_eq!(parse(format!("From: a@b.example\r\n{nested}").as_bytes()), Err(MailError::TooManyParts));
    let many = "--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n".repeat(1_000);
    let many = format!("From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{many}--x--\r\n");
    assert_eq!(parse(many.as_bytes()), Err(MailError::TooManyParts));
}

#[test]
fn the_most_nesting_that_is_let_through_does_no_harm() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(MAX_PARTS);
    assert!(parse(format!("From: a@b.example\r\n{nested}").as_bytes()).is_ok());
    let digests: String =
        (0..MAX_PARTS).map(|n| format!("Content-Type: multipart/digest; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    assert!(parse(format!("From: a@b.example\r\n{digests}").as_bytes()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_mail_like_text_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "From: a@b.example\r\n", "From: \"x\" <a@b>, (c) d@e\r\n", "Subject: =?utf-8?Q?=C3?=\r\n", "Subject: =?x?B?@@?=\r\n",
            "Content-Type: multipart/mixed; boundary=\"x\"\r\n", "Content-Type: multipart/report; boundary=x\r\n",
            "Content-Type: message/rfc822\r\n", "Content-Type: text/html; charset=utf-16\r\n",
            "Content-Type: message/delivery-status\r\n", "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n", "\r\n", "--x\r\n", "--x--\r\n", "<script>&#x110000;&#", "<p>a",
            "=F6=\r\n", "/9j/4AA=", "Date: 99 Foo 0000 77:77\r\n", "References: <a <b> >\r\n", "Message-ID: <>\r\n", "> q\r\n",
            "On 1 wrote:\r\n", "\u{fffd}\u{1f382}", "Return-Path: <>\r\n", "Action: failed\r\n", "Final-Recipient: rfc822;\r\n",
        ]), 0..30),
        noise in prop::collection::vec(any::<u8>(), 0..20), at in any::<prop::sample::Index>(),
    ) {
        let mut bytes = parts.concat().into_bytes();
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, noise);
        if let Ok(mail) = parse(&bytes) {
            prop_assert!(!mail.subject.contains(['\r', '\n']) && mail.from_address.contains('@'));
            prop_assert!(!mail.from_address.contains(['\r', '\n', ' ', '<', '>']));
        }
    }
}
