//! Telling the people of the agency: by a command of the owner's, or not at all.

use std::io;

use futures::future::BoxFuture;
use max_core::effect::Notice;
use max_core::lead::Lead;
use max_engine::ports::Notifier;
use serde_json::json;

use crate::program::Program;
use crate::text::one_line;

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
        // One line each: with a zero byte in a variable the command could not be started at all.
        let env = [
            ("MAX_NOTICE_KIND", kind.to_owned()),
            ("MAX_NOTICE_TITLE", one_line(title, 300)),
            ("MAX_LEAD_ID", lead.id.to_string()),
            ("MAX_LEAD_NAME", one_line(lead.contact.display_name(), 300)),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::samples;

    #[tokio::test]
    async fn the_command_is_told_by_environment_and_standard_input_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = format!("env > {0}/env; cat > {0}/input; echo $# > {0}/count", folder.path().display());
        let command = ["/bin/sh".to_owned(), "-c".to_owned(), script];
        let notifier = CommandNotifier::new(Program::new(&command, Duration::from_secs(20)).expect("a program"));
        let mut lead = samples::lead();
        lead.contact.name = "$(touch /tmp/pwned)\nMAX_LEAD_ID=other\0".into();
        let notice = Notice::Need { title: "Closer waits for an approved scope".into() };
        notifier.notify(&lead, &notice).await;

        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
        let env = read("env");
        assert!(env.contains("MAX_NOTICE_KIND=need\n"), "{env}");
        assert!(env.contains("MAX_NOTICE_TITLE=Closer waits for an approved scope\n"), "{env}");
        assert_eq!(env.lines().filter(|line| line.starts_with("MAX_LEAD_ID=")).count(), 1);
        assert!(env.contains("MAX_LEAD_NAME=$(touch /tmp/pwned) MAX_LEAD_ID=other"), "{env}");
        let input: serde_json::Value = serde_json::from_str(&read("input")).expect("JSON");
        assert_eq!(input["lead"]["id"], lead.id.to_string());
        assert_eq!(input["notice"]["title"], "Closer waits for an approved scope");
        assert_eq!(read("count").trim(), "0");
    }

    #[tokio::test]
    async fn a_command_that_fails_or_hangs_does_not_fail_the_caller() {
        for script in ["exit 7", "while :; do sleep 1; done"] {
            let command = ["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
            let program = Program::new(&command, Duration::from_millis(300)).expect("a program");
            let notice = Notice::Message { title: "Anna wrote".into() };
            let notifier = CommandNotifier::new(program);
            assert!(notifier.tell(&samples::lead(), &notice).await.is_err());
            notifier.notify(&samples::lead(), &notice).await;
        }
        SilentNotifier.notify(&samples::lead(), &Notice::Message { title: "x".into() }).await;
    }
}
