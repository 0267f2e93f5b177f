//! Telling the people of the agency: by a command of the owner's, or not at all.

use std::io;

use futures::future::BoxFuture;
use max_core::effect::Notice;
use max_core::lead::Lead;
use max_engine::ports::Notifier;
use serde_json::json;

use crate::program::Program;

/// Runs the owner's `notify.command` for each notice.
///
/// The command is a list of words and no shell sees it. What it is about comes in the environment
/// (`MAX_NOTICE_KIND`, `MAX_NOTICE_TITLE`, `MAX_LEAD_ID`, `MAX_LEAD_NAME`) and as JSON on standard input:
/// `{"schema": "max.notice/1", "kind", "title", "notice", "lead": {"id", "name", "company", "stage", "status"}}`.
/// Name, company and title may hold a client's words: data, never commands.
#[derive(Clone, Debug)]
pub struct CommandNotifier {
    program: Program,
}

impl CommandNotifier {
    /// A notifier that runs `program`.
    pub fn new(program: Program) -> Self {
        Self { program }
    }

    async fn tell(&self, lead: &Lead, notice: &Notice) -> Result<(), String> {
        let folder = tempfile::Builder::new().prefix("max-notify-").tempdir().map_err(|e: io::Error| e.to_string())?;
        let (kind, title) = (kind(notice), title(notice));
        let env = [
            ("MAX_NOTICE_KIND", kind.to_owned()),
            ("MAX_NOTICE_TITLE", one_line(title)),
            ("MAX_LEAD_ID", lead.id.to_string()),
            ("MAX_LEAD_NAME", one_line(lead.contact.display_name())),
        ];
        let input = json!({
            "schema": "max.notice/1",
            "kind": kind,
            "title": title,
            "notice": notice,
            "lead": {
                "id": lead.id,
                "name": lead.contact.display_name(),
                "company": lead.contact.company,
                "stage": lead.stage,
                "status": lead.status(),
            },
        });
        let input = format!("{input}\n");
        let finished =
            self.program.run(folder.path(), input.as_bytes(), &env).await.map_err(|error| error.to_string())?;
        if finished.status.success() {
            return Ok(());
        }
        Err(format!("it ended with {}: {}", finished.status, finished.stderr))
    }
}

impl Notifier for CommandNotifier {
    fn notify<'a>(&'a self, lead: &'a Lead, notice: &'a Notice) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.tell(lead, notice).await {
                tracing::warn!(lead = %lead.id, command = %self.program.path.display(), error, "notify.command failed");
            }
        })
    }
}

/// Tells nobody: for tests, simulations and owners who look at the queue themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentNotifier;

impl Notifier for SilentNotifier {
    fn notify<'a>(&'a self, _: &'a Lead, _: &'a Notice) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn kind(notice: &Notice) -> &'static str {
    match notice {
        Notice::Approval { .. } => "approval",
        Notice::Escalation { .. } => "escalation",
        Notice::Need { .. } => "need",
        Notice::Message { .. } => "message",
    }
}

fn title(notice: &Notice) -> &str {
    match notice {
        Notice::Approval { title, .. } | Notice::Need { title } | Notice::Message { title } => title,
        Notice::Escalation { reason, .. } => reason,
    }
}

/// A variable is one line without zero bytes, or the program cannot be started at all.
fn one_line(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
