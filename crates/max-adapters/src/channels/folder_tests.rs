//! Mail as other programs read it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;

use super::*;
use crate::samples;

fn lead() -> LeadId {
    "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11".parse().expect("an id")
}

fn agency() -> Sender {
    named("Agentur Grün & Söhne")
}

fn named(name: &str) -> Sender {
    Sender { name: name.into(), address: "hello@agency.example".into(), personas: BTreeMap::new() }
}

fn files() -> Vec<File> {
    vec![
        File { name: "offer/Proposal-1.pdf".into(), bytes: (0..=255).collect() },
        File { name: "mockup.html".into(), bytes: "<p>Törtchen</p>\n".into() },
        File { name: "../\r\nEvil: yes\".exe".into(), bytes: b"x".to_vec() },
    ]
}

/// What Python's standard library understands, strictly.
fn python(mail: &[u8]) -> Value {
    let script = r#"
import sys, json, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [p for p in message.walk() if not p.is_multipart()]
print(json.dumps({
    "headers": {k: str(v) for k, v in message.items()},
    "names": [k for k, v in message.items()],
    "from": [[a.display_name, a.addr_spec] for a in message["From"].addresses],
    "to": [a.addr_spec for a in message["To"].addresses],
    "defects": [str(d) for p in message.walk() for d in p.defects] + [str(d) for k, v in message.items() for d in v.defects],
    "text": message.get_body(("plain",)).get_content(),
    "files": [[p.get_filename(), p.get_content_type(), len(p.get_payload(decode=True))] for p in message.iter_attachments()],
    "charset": message.get_body(("plain",)).get_content_charset(),
}))
"#;
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    child.stdin.take().expect("a pipe").write_all(mail).expect("the mail is read");
    let output = child.wait_with_output().expect("an answer");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_machine_written_answer_is_a_correct_mail() {
    let message = samples::message();
    let mail = compose(lead(), &message, &files(), &agency(), None).expect("a mail");

    let seen = python(&mail);
    assert_eq!(seen["defects"], Value::Array(vec![]), "{}", String::from_utf8_lossy(&mail));
    assert_eq!(seen["from"][0][0], "Mike (Agentur Grün & Söhne)");
    assert_eq!(seen["from"][0][1], "hello@agency.example");
    assert_eq!(seen["to"][0], "anna@client.example");
    let headers = &seen["headers"];
    assert_eq!(headers["Subject"], "Re: Ein Onlineshop für Törtchen 🎂");
    assert_eq!(headers["Date"], "Sun, 22 Nov 2026 10:11:12 +0000");
    assert_eq!(headers["Message-ID"], "<0197.1@agency.example>");
    assert_eq!(headers["In-Reply-To"], "<first@client.example>");
    assert_eq!(headers["References"], "<zero@client.example> <first@client.example>");
    assert_eq!(headers["Auto-Submitted"], "auto-replied");
    assert_eq!(headers["X-MAX-Generated"], "ai; persona=firstresponder");
    assert_eq!(seen["text"].as_str().expect("a text").replace("\r\n", "\n"), message.body);
    assert!(!String::from_utf8_lossy(&mail).contains("=0D"), "line ends are line ends");
    assert_eq!(seen["charset"], "utf-8");
    assert_eq!(seen["files"][0], serde_json::json!(["Proposal-1.pdf", "application/pdf", 256]));
    assert_eq!(seen["files"][1][1], "text/html");
    assert_eq!(seen["files"][2][1], "application/octet-stream");
    assert!(headers.get("Evil").is_none());

    let parsed = MessageParser::default().parse(&mail).expect("a mail");
    assert_eq!(parsed.subject(), Some("Re: Ein Onlineshop für Törtchen 🎂"));
    assert_eq!(parsed.from().and_then(|f| f.first()).and_then(|a| a.name()), Some("Mike (Agentur Grün & Söhne)"));
    assert_eq!(parsed.message_id(), Some("0197.1@agency.example"));
    assert_eq!(parsed.body_text(0).expect("a text").replace("\r\n", "\n"), message.body);
    let attached: Vec<_> = parsed.attachments().collect();
    assert_eq!(attached[0].attachment_name(), Some("Proposal-1.pdf"));
    assert_eq!(attached[0].contents(), (0..=255).collect::<Vec<u8>>());
    assert_eq!(attached[1].contents(), "<p>Törtchen</p>\n".as_bytes());
    assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 998), "no line is too long to travel");
}

#[test]
fn a_persons_mail_claims_no_machine() {
    let message =
        Message { written_by: None, by: Actor::Person("owner".into()), in_reply_to: None, ..samples::message() };
    let seen = python(&compose(lead(), &message, &[], &agency(), None).expect("a mail"));
    assert_eq!(seen["from"][0][0], "Agentur Grün & Söhne");
    for name in ["Auto-Submitted", "X-MAX-Generated", "In-Reply-To"] {
        assert!(seen["headers"].get(name).is_none(), "{name}");
    }
    let renamed =
        Sender { personas: BTreeMap::from([(Eidolon::FirstResponder, "Zoë".to_owned())]), ..named("Agency") };
    let seen = python(&compose(lead(), &samples::message(), &[], &renamed, None).expect("a mail"));
    assert_eq!(seen["from"][0][0], "Zoë (Agency)");
    let unasked = Message { in_reply_to: None, ..samples::message() };
    let seen = python(&compose(lead(), &unasked, &[], &agency(), None).expect("a mail"));
    assert_eq!(seen["headers"]["Auto-Submitted"], "auto-generated");
}

/// The header lines of a mail, unfolded.
fn headers(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    text.split("\n\n").next().unwrap_or_default().replace("\n\t", " ").replace("\n ", " ")
}

#[test]
fn m_2a_a_follow_up_can_be_unsubscribed_from_in_one_click() {
    const LEAVE: &str = "https://agency.example/p/abc/unsubscribe";
    let mail = |kind, leave_at| {
        let message = Message { kind, ..samples::message() };
        headers(&compose(lead(), &message, &[], &agency(), leave_at).expect("a mail"))
    };
    let reminder = mail(MessageKind::FollowUp, Some(LEAVE));
    assert!(reminder.contains(&format!("List-Unsubscribe: <{LEAVE}>")), "{reminder}");
    assert!(reminder.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{reminder}");
    // An answer that was asked for is no advertising; without a page there is nothing to click; nothing is smuggled in.
    for other in [
        mail(MessageKind::Reply, Some(LEAVE)),
        mail(MessageKind::FollowUp, None),
        mail(MessageKind::FollowUp, Some("https://x/\r\nBcc: all@client.example")),
    ] {
        assert!(!other.contains("List-Unsubscribe") && !other.contains("Bcc"), "{other}");
    }
}

#[test]
fn m_4a_unattended_mail_says_so() {
    let says = |message: &Message| {
        let mail = headers(&compose(lead(), message, &[], &agency(), None).expect("a mail"));
        mail.lines().find_map(|line| line.strip_prefix("Auto-Submitted: ").map(str::to_owned))
    };
    let answer = samples::message();
    assert_eq!(says(&answer).as_deref(), Some("auto-replied"));
    assert_eq!(says(&Message { in_reply_to: None, ..answer.clone() }).as_deref(), Some("auto-generated"));
    assert_eq!(says(&Message { written_by: None, ..answer }), None, "a person is no machine");
}

#[test]
fn m_5c_a_mail_is_plain_text_without_anything_to_track() {
    for body in ["Hello, see https://agency.example/p/abc", "<img src=https://t.example/1.gif> & more"] {
        let message = Message { body: body.into(), ..samples::message() };
        let mail = compose(lead(), &message, &files(), &agency(), None).expect("a mail");
        let parsed = MessageParser::default().parse(&mail).expect("a mail");
        assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, parsed.html_body.len()));
        let text = parsed.text_bodies().next().expect("a text");
        assert!(text.is_text() && !text.is_text_html(), "the text itself is plain");
        assert_eq!(parsed.body_text(0).expect("a text").trim_end(), body);
        // Whatever HTML there is, is a file that somebody opens himself.
        let shown = parsed.html_bodies().filter(|part| part.is_text_html());
        assert_eq!(shown.count(), 0, "nothing that a mail program would render");
    }
}

#[test]
fn nothing_that_is_handed_in_becomes_a_header() {
    let evil = "x\r\nBcc: all@client.example\r\n\r\nbody\u{85}\u{2028}\0";
    let message = Message {
        subject: evil.into(),
        body: format!("{evil}\r\n.\r\nQUIT\r\n\x1b[2J"),
        references: vec![evil.into(), "ok@client.example".into()],
        written_by: Some(evil.into()),
        by: Actor::Person(evil.into()),
        ..samples::message()
    };
    let from = named(evil);
    let mail = compose(lead(), &message, &[File { name: evil.into(), bytes: vec![] }], &from, None).expect("a mail");
    let seen = python(&mail);
    let allowed = [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "X-MAX-Generated",
        "X-MAX-Lead",
        "X-MAX-Message",
        "MIME-Version",
        "Content-Type",
    ];
    for name in seen["names"].as_array().expect("names") {
        assert!(allowed.contains(&name.as_str().expect("a name")), "{name}");
    }
    assert_eq!(seen["headers"]["References"], "<ok@client.example>");
    assert_eq!(seen["to"], serde_json::json!(["anna@client.example"]));

    for broken in [
        Message { address: evil.into(), ..samples::message() },
        Message { address: "a@b, c@d".into(), ..samples::message() },
        Message { address: String::new(), ..samples::message() },
        Message { rfc_id: evil.into(), ..samples::message() },
        Message { rfc_id: "a>b".into(), ..samples::message() },
    ] {
        assert!(matches!(compose(lead(), &broken, &[], &agency(), None), Err(SendError::Never(_))));
    }
}

#[test]
fn names_of_every_kind_survive() {
    for name in [
        "Finn",
        "O'Neill - Partner",
        "Müller, \"Grün\" \\ Co.",
        "Comma, Quote \" Backslash \\",
        "安いウェブサイト制作会社の長い長い名前、とても長い名前株式会社",
        "",
    ] {
        let message = Message { by: Actor::Person("owner".into()), written_by: None, ..samples::message() };
        let mail = compose(lead(), &message, &[], &named(name), None).expect("a mail");
        let parsed = MessageParser::default().parse(&mail).expect("a mail");
        let shown = parsed.from().and_then(|from| from.first()).and_then(|addr| addr.name()).unwrap_or_default();
        assert_eq!(shown, name);
        let seen = python(&mail);
        // Python 3.11 shows a space where two encoded words meet; RFC 2047 section 6.2 says that none is there.
        let shown = seen["from"][0][0].as_str().expect("a name").replace(' ', "");
        assert_eq!(shown, name.replace(' ', ""));
        assert_eq!(seen["defects"], Value::Array(vec![]), "{name}");
    }
}

#[tokio::test]
async fn the_same_message_twice_is_one_mail() {
    let root = tempfile::tempdir().expect("a folder");
    let outbox = root.path().join("outbox");
    let channel = FolderChannel::new(&outbox, named("Agency"));
    let message = samples::message();
    channel.send(lead(), &message, &files()).await.expect("sent");
    let first = std::fs::read(outbox.join(format!("{}.eml", message.id))).expect("a mail");
    channel.send(lead(), &message, &files()).await.expect("sent again");
    assert_eq!(std::fs::read(outbox.join(format!("{}.eml", message.id))).expect("a mail"), first);
    let other = Message { id: MessageId(uuid::Uuid::nil()), ..message };
    channel.send(lead(), &other, &[]).await.expect("sent");
    assert_eq!(std::fs::read_dir(&outbox).expect("a folder").count(), 2);

    let blocked = FolderChannel::new(outbox.join(format!("{}.eml", other.id)), agency());
    assert!(matches!(blocked.send(lead(), &other, &[]).await, Err(SendError::Later(_))));
}

#[tokio::test]
async fn the_mails_of_a_lead_say_so_and_can_be_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = folder.path().join("outbox");
    let channel = FolderChannel::new(&outbox, agency());
    let other: LeadId = "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a22".parse().expect("an id");
    let theirs = Message { id: MessageId(uuid::Uuid::from_u128(7)), ..samples::message() };
    channel.send(lead(), &samples::message(), &[]).await.expect("sent");
    channel.send(other, &theirs, &[]).await.expect("sent");
    let text = std::fs::read_to_string(outbox.join(format!("{}.eml", theirs.id))).expect("a mail");
    assert!(text.contains(&format!("X-MAX-Lead: {other}")) && text.contains("X-MAX-Generated: ai; persona="), "{text}");
    channel.forget(lead(), &[]).await.expect("forgotten");
    channel.forget(lead(), &[samples::message().id]).await.expect("forgotten again");
    let left: Vec<_> = std::fs::read_dir(&outbox).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, [std::ffi::OsString::from(format!("{}.eml", theirs.id))]);
}
