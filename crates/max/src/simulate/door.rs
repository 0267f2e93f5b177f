//! The ways by which somebody comes in: the API, a signal in the drop box, a mail.
//!
//! Signals and mails are files in the server's folder, put there as a person or a script would; the story goes on when
//! the drop box has dealt with them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::scenario::Way;
use crate::client::Client;
use crate::exit::{Exit, Failure};

/// How long, in real time, the drop box may take over a file.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the drop box is looked into.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Where enquiries come in.
pub(super) struct Door<'a> {
    client: &'a Client,
    /// `<root>/signals/`, where the server's folder is at hand.
    signals: Option<PathBuf>,
    /// How many files were dropped.
    dropped: AtomicUsize,
}

impl<'a> Door<'a> {
    pub(super) fn new(client: &'a Client, root: Option<&Path>) -> Self {
        Self { client, signals: root.map(|root| root.join("signals")), dropped: AtomicUsize::new(0) }
    }

    /// Brings an enquiry in, and waits until MAX has taken it.
    pub(super) async fn bring(&self, way: Way, lead: &Map<String, Value>, now: Timestamp) -> Result<(), Failure> {
        let text = |key: &str| lead.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        match way {
            Way::Api => {
                self.client.post("/api/ingest-lead", &Value::Object(lead.clone())).await?;
                Ok(())
            }
            Way::Signal => {
                let mut fields = lead.clone();
                fields.insert("type".into(), "LEAD".into());
                fields.insert("from".into(), "Simulation".into());
                fields.insert("to".into(), "Director".into());
                // JSON is YAML.
                self.drop_file(&format!("story-{number}.yaml"), &Value::Object(fields).to_string()).await
            }
            Way::Email => {
                let (name, address) = (header(text("name")), header(text("email")));
                let subject = match header(text("subject")) {
                    none if none.is_empty() => "Enquiry".into(),
                    subject => subject,
                };
                let id = format!("story-{number}-{}@simulation.example", now.as_second());
                let date = now.strftime("%a, %d %b %Y %H:%M:%S +0000");
                let mail = format!(
                    "From: {name} <{address}>\r\nTo: <agency@simulation.example>\r\nSubject: {subject}\r\n\
                     Message-ID: <{id}>\r\nDate: {date}\r\nMIME-Version: 1.0\r\n\
                     Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
                    text("message").replace("\r\n", "\n").replace('\n', "\r\n"),
                );
                self.drop_file(&format!("story-{number}.eml"), &mail).await
            }
        }
    }

    /// Puts a file into the drop box and waits until it was dealt with.
    async fn drop_file(&self, name: &str, text: &str) -> Result<(), Failure> {
        let Some(signals) = &self.signals else {
            return Err(Failure::new(
                Exit::Usage,
                "signals and mails come in as files, and this server's are not at hand",
            )
            .hint("leave out --server, or use `via: api`"));
        };
        let failed = |error: std::io::Error| Failure::file("writing", &signals.join(name), &error);
        let beside = signals.join(format!(".{name}.new"));
        std::fs::write(&beside, text).map_err(failed)?;
        std::fs::rename(&beside, signals.join(name)).map_err(failed)?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let reason = signals.join(".rejected").join(format!("{name}.reason.txt"));
            if let Ok(why) = std::fs::read_to_string(reason) {
                return Err(Failure::failed(format!("the drop box rejected {name}: {}", why.trim())));
            }
            let days = std::fs::read_dir(signals.join(".processed")).into_iter().flatten().flatten();
            if days.map(|day| day.path().join(name)).any(|path| path.is_file()) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(Failure::failed(format!("nobody took {name} out of the drop box")))
    }
}

/// A text as the value of a header: on one line, without what ends it.
fn header(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>' | '"')).collect()
}
