//! Tells the people of the agency what waits for them: one notice at a time, the leads in turn.
//!
//! The owner's command may take half a minute. A client who writes without pause must not keep the notices of all other
//! leads behind his own.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use max_core::effect::Notice;
use max_core::id::LeadId;
use max_core::lead::Lead;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ports::Notifier;

/// A notice with the lead as it was then.
pub(crate) type Noticed = (Arc<Lead>, Notice);

/// Tells until stopped. What is untold then waits in the lists for whoever looks.
pub(crate) async fn run(
    notifier: Arc<dyn Notifier>,
    mut noticed: mpsc::UnboundedReceiver<Noticed>,
    stop: CancellationToken,
) {
    let mut lines = Lines::default();
    loop {
        while let Ok((lead, notice)) = noticed.try_recv() {
            lines.add(lead, notice);
        }
        if let Some((lead, notice)) = lines.next() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = notifier.notify(&lead, &notice) => {}
            }
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            one = noticed.recv() => match one {
                Some((lead, notice)) => lines.add(lead, notice),
                None => return,
            },
        }
    }
}

/// What is to be told, in a line per lead.
#[derive(Default)]
struct Lines {
    lines: HashMap<LeadId, VecDeque<Noticed>>,
    /// Leads with something to tell, each once, in turn.
    turns: VecDeque<LeadId>,
}

impl Lines {
    /// Adds a notice, unless the same words about the lead wait already.
    fn add(&mut self, lead: Arc<Lead>, notice: Notice) {
        let line = self.lines.entry(lead.id).or_default();
        if line.iter().any(|(_, waiting)| *waiting == notice) {
            return;
        }
        if line.is_empty() {
            self.turns.push_back(lead.id);
        }
        line.push_back((lead, notice));
    }

    fn next(&mut self) -> Option<Noticed> {
        let id = self.turns.pop_front()?;
        let line = self.lines.get_mut(&id)?;
        let first = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&id);
        } else {
            self.turns.push_back(id);
        }
        first
    }
}
