//! The drop box: a folder where people and scripts leave signals.
//!
//! A file is looked at, claimed by renaming it into `.processing/<name>.<instance>`, given to the [`Intake`], and then
//! moved to `.processed/<date>/`, or to `.rejected/` beside a `<name>.reason.txt`. Nothing is ever deleted. A crash
//! between any two of these steps leaves the file in exactly one folder, from which it is taken up again; that the
//! intake then sees a signal twice is harmless, because the signal has the same id both times.
//!
//! Noticing is a hint and looking is the truth: inotify wakes at once, a rescan finds what no event told (network
//! file systems send none). A file that cannot be read yet may still be growing, so it gets time to settle before it
//! is rejected.

mod data_path;
mod desk;
mod look;
mod shelf;
mod watch;
mod write;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use max_core::id::Digest;
use max_core::signal::Signal;
use max_engine::ports::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::mail::parse::InboundMail;

pub use data_path::resolve_data_path;
pub use write::{lint, write_signal};

/// A signal on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// What it says; its id is set, derived from name and content where the file has none.
    pub signal: Signal,
    /// The mail it was made from, for a dropped `.eml`.
    pub mail: Option<Box<InboundMail>>,
    /// The name of its file, for messages. Odd bytes are replaced.
    pub file_name: String,
    /// SHA-256 of the file's bytes.
    pub raw_digest: Digest,
}

/// What became of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its effect is durable, or it was a repeat.
    Accepted,
    /// It will never work; the sentence says why and how to mend it.
    Rejected(String),
    /// It cannot be told yet (the store is full, say); the file is offered again later.
    Retry(String),
}

/// Who decides about signals. May be called twice with the same signal.
pub trait Intake: Send + Sync + 'static {
    /// Takes a signal in. `Accepted` promises that its effect is durable.
    fn take_in(&self, inbound: Inbound) -> BoxFuture<'static, Verdict>;
}

impl<F> Intake for F
where
    F: Fn(Inbound) -> BoxFuture<'static, Verdict> + Send + Sync + 'static,
{
    fn take_in(&self, inbound: Inbound) -> BoxFuture<'static, Verdict> {
        self(inbound)
    }
}

/// How patient the drop box is. Real time, whatever clock the leads live by: files are written in real time.
#[derive(Clone, Debug)]
pub struct DropBoxConfig {
    /// How often the folder is read through.
    pub rescan: Duration,
    /// How long a file must have been left alone before it is rejected.
    pub settle: Duration,
    /// How long to wait after `Retry` or a failed file operation.
    pub retry: Duration,
    /// How many signals are taken in at once.
    pub concurrency: usize,
}

impl Default for DropBoxConfig {
    fn default() -> Self {
        Self {
            rescan: Duration::from_secs(1),
            settle: Duration::from_secs(2),
            retry: Duration::from_secs(2),
            concurrency: 8,
        }
    }
}

/// The drop box, before it is opened.
pub struct DropBox;

impl DropBox {
    /// Opens the drop box `folder` (`<root>/signals`) under the name `instance`, which no other running process has.
    ///
    /// Files claimed by instances other than `live` are returned to the box, and so are those that an earlier process
    /// of the same name left behind. The clock only dates the folders of `.processed/`.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn start(
        folder: impl Into<PathBuf>,
        instance: &str,
        live: HashSet<String>,
        intake: Arc<dyn Intake>,
        clock: Arc<dyn Clock>,
        config: DropBoxConfig,
    ) -> io::Result<DropBoxHandle> {
        let shelf = shelf::Shelf::open(folder.into(), instance)?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let live = live.iter().map(|instance| shelf::plain_instance(instance)).collect();
        let desk = desk::Desk::new(shelf, intake, clock, config, live, orders.clone());
        Ok(DropBoxHandle { orders, task: Some(tokio::spawn(desk.work(inbox))) })
    }
}

/// The running drop box. Dropping it stops the intake at once; what was under way is taken up by the next start.
pub struct DropBoxHandle {
    orders: mpsc::UnboundedSender<desk::Order>,
    task: Option<JoinHandle<()>>,
}

impl DropBoxHandle {
    /// Names the instances that are alive; what others have claimed is returned to the box.
    pub fn set_live(&self, live: HashSet<String>) {
        let _ = self.orders.send(desk::Order::Live(live.iter().map(|i| shelf::plain_instance(i)).collect()));
    }

    /// Reads the folder through now.
    pub fn rescan(&self) {
        let _ = self.orders.send(desk::Order::Rescan);
    }

    /// Stops taking in and waits for what is under way.
    pub async fn shutdown(mut self) {
        let _ = self.orders.send(desk::Order::Stop);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for DropBoxHandle {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
