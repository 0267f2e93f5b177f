//! Mail into a folder: `<root>/outbox/<message id>.eml`, so that everyone sees what "sent" means.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::future::BoxFuture;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use max_core::id::{LeadId, MessageId};
use max_core::lead::{Actor, Message, MessageKind};
use max_core::stage::Eidolon;
use max_engine::ports::{Channel, File, SendError};

use crate::files::{Hidden, point, sync_folder};
use crate::mail::address::{is_address, is_message_id};
use crate::text::{lines, one_line};

/// The most characters of a subject or a name.
const MAX_LINE: usize = 900;

/// Writes each message as a file that a mail program opens. The same message again is the same file.
#[derive(Clone)]
pub struct FolderChannel {
    outbox: PathBuf,
    from: Sender,
    leave_at: Option<LeaveAt>,
}

/// Where a client unsubscribes in one click, where clients can reach this server.
pub type LeaveAt = Arc<dyn Fn(LeadId) -> Option<String> + Send + Sync>;

/// In whose name mail goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The agency's display name.
    pub name: String,
    /// The agency's address.
    pub address: String,
    /// The personas' names where the agency has chosen others than the default ones.
    pub personas: BTreeMap<Eidolon, String>,
}

impl FolderChannel {
    /// Writes into `outbox`, in the name of `from`.
    pub fn new(outbox: impl Into<PathBuf>, from: Sender) -> Self {
        Self { outbox: outbox.into(), from, leave_at: None }
    }

    /// The same, naming the address to unsubscribe at in mail that nobody asked for.
    #[must_use]
    pub fn with_leave(self, leave_at: LeaveAt) -> Self {
        Self { leave_at: Some(leave_at), ..self }
    }

    fn write(&self, lead: LeadId, message: &Message, attachments: &[File]) -> Result<(), SendError> {
        let target = self.outbox.join(format!("{}.eml", message.id));
        let later = |error: io::Error| {
            SendError::Later(format!("{} cannot be written: {error}; check space and permissions", target.display()))
        };
        if target.try_exists().map_err(later)? {
            // It may have got its name in a try that ended before the name was durable.
            return sync_folder(&self.outbox).map_err(later);
        }
        let leave_at = self.leave_at.as_ref().and_then(|leave_at| leave_at(lead));
        let mail = compose(lead, message, attachments, &self.from, leave_at.as_deref())?;
        durable_write(&self.outbox, &target, &mail).map_err(later)
    }

    /// Removes the mails of a lead: those named, and any other that says it is this lead's.
    fn remove(&self, lead: LeadId, messages: &[MessageId]) -> Result<(), SendError> {
        let later = |error: io::Error| {
            SendError::Later(format!("{} cannot be cleaned: {error}; check its permissions", self.outbox.display()))
        };
        let mark = format!("X-MAX-Lead: {lead}");
        let entries = match std::fs::read_dir(&self.outbox) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(later)?,
        };
        for entry in entries {
            let entry = entry.map_err(later)?;
            if !entry.file_type().map_err(later)?.is_file() {
                continue;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let named = messages.iter().any(|id| name.contains(&id.to_string()));
            if named || head(&entry.path()).map_err(later)?.contains(&mark) {
                std::fs::remove_file(entry.path()).map_err(later)?;
            }
        }
        sync_folder(&self.outbox).map_err(later)
    }
}

impl Channel for FolderChannel {
    fn send<'a>(
        &'a self,
        lead: LeadId,
        message: &'a Message,
        attachments: &'a [File],
    ) -> BoxFuture<'a, Result<(), SendError>> {
        let (channel, message, attachments) = (self.clone(), message.clone(), attachments.to_vec());
        Box::pin(async move {
            tokio::task::spawn_blocking(move || channel.write(lead, &message, &attachments))
                .await
                .unwrap_or_else(|error| Err(SendError::Later(error.to_string())))
        })
    }

    fn forget<'a>(&'a self, lead: LeadId, messages: &'a [MessageId]) -> BoxFuture<'a, Result<(), SendError>> {
        let (channel, messages) = (self.clone(), messages.to_vec());
        Box::pin(async move {
            tokio::task::spawn_blocking(move || channel.remove(lead, &messages))
                .await
                .unwrap_or_else(|error| Err(SendError::Later(error.to_string())))
        })
    }
}

/// The first part of a mail, where its headers stand.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(8 * 1024).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes all of it or nothing, and makes file and name durable.
fn durable_write(folder: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    point("channel.write")?;
    std::fs::create_dir_all(folder)?;
    let mail = Hidden::write_durably(folder, bytes)?;
    point("channel.written")?;
    // When another attempt at the same message was first, its file says the same.
    mail.name(target)?;
    point("channel.named")?;
    sync_folder(folder)
}

/// The mail as it would travel (RFC 5322, MIME, RFC 3834).
///
/// Header values are built here from checked parts: the builder encodes what it is given, but lets line breaks pass
/// in short values and quotes encoded words, which readers then show as they stand. A follow-up names `leave_at`, where
/// a POST unsubscribes (RFC 8058).
pub fn compose(
    lead: LeadId,
    message: &Message,
    attachments: &[File],
    from: &Sender,
    leave_at: Option<&str>,
) -> Result<Vec<u8>, SendError> {
    let raw = |value: String| Raw::new(value);
    let mut mail = MessageBuilder::new()
        .date(message.at.as_second())
        .header("From", raw(mailbox(&from.name_for(message), &from.address)?))
        .header("To", raw(mailbox("", &message.address)?))
        .header("Subject", Text::new(one_line(&message.subject, MAX_LINE)))
        .header("Message-ID", raw(format!("<{}>", checked_id(&message.rfc_id)?)));
    if let Some(id) = &message.in_reply_to {
        mail = mail.header("In-Reply-To", raw(format!("<{}>", checked_id(id)?)));
    }
    if !message.references.is_empty() {
        // A stranger's odd id in the thread is no reason to keep the answer.
        let ids: Vec<_> = message.references.iter().filter_map(|id| checked_id(id).ok()).collect();
        mail = mail.header("References", raw(ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ")));
    }
    if message.written_by.is_some() {
        let how = if message.in_reply_to.is_some() { "auto-replied" } else { "auto-generated" };
        mail = mail.header("Auto-Submitted", raw(how.into()));
        let persona = persona(message).unwrap_or(message.stage.eidolon());
        mail = mail.header("X-MAX-Generated", raw(format!("ai; persona={persona}")));
    }
    let plain =
        |url: &&str| url.starts_with("http") && url.bytes().all(|b| b.is_ascii_graphic() && !b"<>,".contains(&b));
    if let Some(url) = leave_at.filter(plain).filter(|_| message.kind == MessageKind::FollowUp) {
        mail = mail
            .header("List-Unsubscribe", raw(format!("<{url}>")))
            .header("List-Unsubscribe-Post", raw("List-Unsubscribe=One-Click".into()));
    }
    mail = mail
        .header("X-MAX-Lead", raw(lead.to_string()))
        .header("X-MAX-Message", raw(message.id.to_string()))
        .text_body(body(&message.body));
    for file in attachments {
        let name = file_name(&file.name);
        mail = mail.attachment(content_type(&name), name.clone(), file.bytes.clone());
    }
    mail.write_to_vec().map_err(|error| SendError::Never(format!("the mail cannot be built: {error}")))
}

impl Sender {
    /// Machine-written mail carries the persona's name before the agency's.
    fn name_for(&self, message: &Message) -> String {
        let Some(eidolon) = persona(message).filter(|_| message.written_by.is_some()) else { return self.name.clone() };
        let persona = self.personas.get(&eidolon).map_or(eidolon.persona(), String::as_str);
        if self.name.is_empty() { persona.to_owned() } else { format!("{persona} ({})", self.name) }
    }
}

/// The Eidolon that wrote it.
fn persona(message: &Message) -> Option<Eidolon> {
    match message.by {
        Actor::Eidolon(eidolon) => Some(eidolon),
        _ => None,
    }
}

/// `name <address>`, the name encoded where it is not plain.
fn mailbox(name: &str, address: &str) -> Result<String, SendError> {
    let address = address.trim();
    if !is_address(address) || !address.is_ascii() {
        return Err(SendError::Never(format!("`{}` is no mail address", one_line(address, 80))));
    }
    let name = one_line(name, MAX_LINE);
    Ok(if name.is_empty() { format!("<{address}>") } else { format!("{} <{address}>", phrase(&name)) })
}

/// A display name: as it is, quoted, or as encoded words (RFC 2047), each at most 75 characters.
fn phrase(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || " -'".contains(c)) {
        return name.to_owned();
    }
    if name.is_ascii() && name.len() < 70 {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in name.chars() {
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word))).collect::<Vec<_>>().join(" ")
}

fn checked_id(id: &str) -> Result<&str, SendError> {
    if is_message_id(id) { Ok(id) } else { Err(SendError::Never(format!("`{}` is no Message-ID", one_line(id, 80)))) }
}

/// The text with a line end at its end, and nothing that a terminal or mail program would obey.
fn body(text: &str) -> String {
    let plain = lines(text, usize::MAX);
    format!("{}\n", plain.trim_end())
}

/// The last part of an artifact's name, in plain characters.
fn file_name(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    let plain: String =
        last.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(100).collect();
    if plain.trim_matches(['.', '_']).is_empty() { "attachment".into() } else { plain }
}

fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "pdf" => "application/pdf",
        "html" | "htm" => "text/html; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "zip" => "application/zip",
        "ics" => "text/calendar; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
