//! Reading a mail that came in: who wrote, what they wrote, and whether a person did.
//!
//! A mail is a stranger's bytes. Size and number of parts are limited, HTML is reduced to text, addresses and ids
//! are checked, and whatever cannot be read is refused with a sentence.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders, PartType};
use max_core::lead::{MessageKind, is_robot};

use super::address::{is_address, is_message_id};
use super::{history, opt_out};
use crate::text::{lines, one_line};

/// The largest mail in bytes, with its attachments.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most parts that a mail may announce. Deep nesting costs stack, many parts cost time.
const MAX_PARTS: usize = 300;

/// The most characters that are kept of the text.
const MAX_TEXT: usize = 200_000;

/// The most characters of a subject, a name or another header.
const MAX_LINE: usize = 500;

/// A mail that came in. Everything in it is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMail {
    /// The sender's address.
    pub from_address: String,
    /// The sender's display name, if there is one.
    pub from_name: Option<String>,
    /// The subject line.
    pub subject: String,
    /// What was written, without what it quotes.
    pub text: String,
    /// The quoted history below it.
    pub history: Option<String>,
    /// Its Message-ID without brackets.
    pub message_id: Option<String>,
    /// The Message-ID it answers; for a bounce the one that came back.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first.
    pub references: Vec<String>,
    /// What it is for: `Reply`, `OutOfOffice` (any automatic answer), `Bounce` or `OptOut`.
    pub kind: MessageKind,
    /// True when no person wrote it, so that it must not be answered (RFC 3834).
    pub automatic: bool,
    /// The address that does not work, for a bounce.
    pub failed_recipient: Option<String>,
    /// The names of attached files.
    pub attachments: Vec<String>,
    /// When it was written, by its own word.
    pub date: Option<Timestamp>,
}

/// Why a mail cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It is larger than [`MAX_BYTES`].
    #[error("the mail holds {0} bytes, but {MAX_BYTES} is the most; save it without its attachments")]
    TooLarge(usize),
    /// It has more parts than are looked at.
    #[error("the mail has more than {MAX_PARTS} parts; save its text as a mail of its own")]
    TooManyParts,
    /// It is no mail.
    #[error("the file is no mail; an .eml file begins with header lines such as `From: …` and `Subject: …`")]
    NoMail,
    /// It has no usable sender.
    #[error("the mail names no sender; it needs a header `From: name <address>`")]
    NoSender,
}

/// Reads a mail.
pub fn parse(bytes: &[u8]) -> Result<InboundMail, MailError> {
    if bytes.len() > MAX_BYTES {
        return Err(MailError::TooLarge(bytes.len()));
    }
    if announced_parts(bytes) > MAX_PARTS {
        return Err(MailError::TooManyParts);
    }
    // The parser promises not to panic. A stranger's mail is not the place to take its word for it.
    catch_unwind(AssertUnwindSafe(|| read(bytes))).unwrap_or(Err(MailError::NoMail))
}

/// Each part, and each level of nesting, needs a Content-Type of its own.
fn announced_parts(bytes: &[u8]) -> usize {
    const NAME: &[u8] = b"content-type";
    bytes.windows(NAME.len()).filter(|window| window.eq_ignore_ascii_case(NAME)).count()
}

fn read(bytes: &[u8]) -> Result<InboundMail, MailError> {
    let message = MessageParser::default().parse(bytes).ok_or(MailError::NoMail)?;
    let sender = message.from().and_then(|from| from.first());
    let from_address = sender.and_then(|addr| address(addr.address()?)).ok_or(MailError::NoSender)?;
    let subject = line(message.subject().unwrap_or_default());
    let (text, history) = history::split(&body(&message));
    let report = Report::of(&message);
    let mut mail = InboundMail {
        from_name: sender.and_then(|addr| addr.name()).map(line).filter(|name| !name.is_empty()),
        message_id: message.message_id().and_then(message_id),
        in_reply_to: ids(message.in_reply_to()).into_iter().next_back(),
        references: ids(message.references()),
        kind: MessageKind::Reply,
        automatic: is_automatic(&message, &from_address),
        failed_recipient: None,
        attachments: message.attachments().take(50).filter_map(|part| part.attachment_name().map(line)).collect(),
        date: message.date().filter(|date| date.is_valid()).and_then(|d| Timestamp::from_second(d.to_timestamp()).ok()),
        from_address,
        subject,
        text,
        history,
    };
    mail.kind = kind(&message, &mail, &report);
    if mail.kind == MessageKind::Bounce {
        mail.in_reply_to = report.returned.or(mail.in_reply_to);
        mail.failed_recipient = report.recipient;
    }
    Ok(mail)
}

fn kind(message: &Message<'_>, mail: &InboundMail, report: &Report) -> MessageKind {
    let daemon = is_robot(&mail.from_address);
    if report.failed || (daemon && !report.is_report && says_undelivered(&mail.subject)) {
        MessageKind::Bounce
    } else if report.is_report || is_automatic_answer(message, mail) {
        MessageKind::OutOfOffice
    } else if !mail.automatic && opt_out::is_opt_out(&mail.subject, &mail.text) {
        MessageKind::OptOut
    } else {
        MessageKind::Reply
    }
}

// ---- who wrote it ------------------------------------------------------------------------------------------------

fn is_automatic(message: &Message<'_>, from: &str) -> bool {
    let says = |name: &str| raw(message, name);
    let auto_submitted = says("Auto-Submitted").is_some_and(|value| first_word(&value) != "no");
    let bulk = says("Precedence")
        .is_some_and(|value| matches!(first_word(&value).as_str(), "bulk" | "list" | "junk" | "auto_reply"));
    let suppress = says("X-Auto-Response-Suppress").is_some_and(|value| first_word(&value) != "none");
    let list = message.headers().iter().any(|header| {
        let name = header.name().to_ascii_lowercase();
        name.starts_with("list-") || matches!(name.as_str(), "x-autoreply" | "x-autorespond" | "x-autoresponder")
    });
    let null_sender = says("Return-Path").is_some_and(|value| value.trim().replace(' ', "") == "<>");
    auto_submitted || bulk || suppress || list || null_sender || is_robot(from)
}

fn says_undelivered(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    [
        "undeliver",
        "delivery status",
        "delivery failure",
        "delivery failed",
        "failure notice",
        "returned mail",
        "mail delivery failed",
        "delivery has failed",
        "could not be delivered",
        "unzustellbar",
        "nicht zugestellt",
        "zustellung fehlgeschlagen",
    ]
    .iter()
    .any(|words| subject.contains(words))
}

fn is_automatic_answer(message: &Message<'_>, mail: &InboundMail) -> bool {
    let replied = raw(message, "Auto-Submitted").is_some_and(|value| first_word(&value) == "auto-replied");
    let precedence = raw(message, "Precedence").is_some_and(|value| first_word(&value) == "auto_reply");
    let responder = ["X-Autoreply", "X-Autorespond", "X-Autoresponder"].iter().any(|name| raw(message, name).is_some());
    let subject = mail.subject.to_lowercase();
    let says = [
        "out of office",
        "out of the office",
        "automatic reply",
        "auto reply",
        "auto-reply",
        "autoreply",
        "automatische antwort",
        "abwesenheitsnotiz",
        "abwesenheitsmeldung",
        "abwesenheit:",
        "automatische abwesenheit",
        "nicht im büro",
        "réponse automatique",
    ]
    .iter()
    .any(|words| subject.starts_with(words));
    replied || precedence || responder || says
}

/// What a delivery report says (RFC 3464).
#[derive(Default)]
struct Report {
    is_report: bool,
    failed: bool,
    recipient: Option<String>,
    returned: Option<String>,
}

impl Report {
    fn of(message: &Message<'_>) -> Self {
        let is_report = message.content_type().is_some_and(|kind| {
            kind.c_type.eq_ignore_ascii_case("multipart")
                && kind.c_subtype.as_deref().is_some_and(|sub| sub.eq_ignore_ascii_case("report"))
        });
        let mut report = Self { is_report, ..Self::default() };
        if !report.is_report {
            return report;
        }
        for part in message.parts.iter().take(MAX_PARTS) {
            match &part.body {
                PartType::Message(inner) => {
                    report.returned = report.returned.or_else(|| inner.message_id().and_then(message_id));
                }
                PartType::Text(_) | PartType::Binary(_) | PartType::InlineBinary(_) => report.read(part),
                _ => {}
            }
        }
        report
    }

    fn read(&mut self, part: &mail_parser::MessagePart<'_>) {
        let subtype = part.content_type().and_then(|kind| kind.c_subtype.as_deref()).unwrap_or_default();
        let text = String::from_utf8_lossy(part.contents()).into_owned();
        let fields =
            text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()));
        for (name, value) in fields {
            if subtype.eq_ignore_ascii_case("delivery-status") {
                if name.eq_ignore_ascii_case("action") {
                    self.failed |= value.eq_ignore_ascii_case("failed");
                } else if name.eq_ignore_ascii_case("final-recipient")
                    || name.eq_ignore_ascii_case("original-recipient")
                {
                    let found = value.rsplit(';').next().and_then(address);
                    self.recipient = self.recipient.take().or(found);
                }
            } else if subtype.eq_ignore_ascii_case("rfc822-headers") && name.eq_ignore_ascii_case("message-id") {
                self.returned = self.returned.take().or_else(|| message_id(value.trim_matches(['<', '>'])));
            }
        }
    }
}

// ---- reading its parts safely ------------------------------------------------------------------------------------

/// The text parts one after the other; HTML, where there is nothing else, without its marks.
fn body(message: &Message<'_>) -> String {
    let mut text = String::new();
    for number in 0..message.text_body_count().min(20) {
        if let Some(part) = message.body_text(number) {
            text.push_str(&part);
            text.push('\n');
        }
    }
    lines(&text, MAX_TEXT)
}

/// The value of a header, unfolded.
fn raw(message: &Message<'_>, name: &str) -> Option<String> {
    let value = message.headers_raw().find(|(found, _)| found.eq_ignore_ascii_case(name))?.1;
    Some(line(value))
}

fn first_word(value: &str) -> String {
    value.split([';', ',', ' ', '\t', '(']).find(|word| !word.is_empty()).unwrap_or_default().to_lowercase()
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let list = value.as_text_list().unwrap_or_default();
    list.iter().filter_map(|id| message_id(id)).take(100).collect()
}

fn message_id(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| is_message_id(text)).map(str::to_owned)
}

fn address(text: &str) -> Option<String> {
    Some(text.trim().trim_matches(['<', '>'])).filter(|text| is_address(text)).map(str::to_owned)
}

fn line(text: &str) -> String {
    one_line(text, MAX_LINE)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
