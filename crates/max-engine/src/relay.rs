//! The outbox: asks once more whether a message may leave, hands it to the channel, records what came of it.
//!
//! A crash at any point is healed by doing the step again: the permission is recorded before the send, the channel
//! takes the same message only once, and what is still open is found in the store at the next start.
//!
//! The messages of one lead leave in their order, one after the other; several leads are served side by side.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use max_core::command::Command;
use max_core::id::{LeadId, MessageId};
use max_core::lead::{Actor, Delivery, Message, Outcome};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::director::Director;
use crate::error::Error;
use crate::fail;
use crate::ports::{Channel, Clock, File, SendError};

/// How many leads are served at once: a slow attachment or a slow channel holds up no other lead.
const AT_ONCE: usize = 8;
/// How often the store is asked for what nobody told of.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// How long a lead whose message could not leave waits at first; twice as long each further time.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(1);
/// The longest such wait.
const LAST_RETRY: SignedDuration = SignedDuration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) director: Director,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Relay {
    /// Sends what is in the store, then what comes in, until stopped; what is on its way then still arrives.
    pub(crate) async fn run(self, mut queued: mpsc::UnboundedReceiver<(LeadId, MessageId)>, stop: CancellationToken) {
        let mut lines = Lines::default();
        let mut sending = JoinSet::new();
        let mut next_sweep = self.clock.now();
        loop {
            let now = self.clock.now();
            // A clock that was set back must not keep the sweep away.
            next_sweep = next_sweep.min(now + SWEEP_EVERY);
            lines.ripen(now);
            while sending.len() < AT_ONCE
                && let Some((lead, message)) = lines.next()
            {
                let relay = self.clone();
                sending.spawn(async move { (lead, relay.send(lead, message).await) });
            }
            let wake = lines.next_retry().map_or(next_sweep, |at| at.min(next_sweep));
            tokio::select! {
                () = stop.cancelled() => break,
                one = queued.recv() => match one {
                    Some((lead, message)) => lines.add(lead, message),
                    None => break,
                },
                Some(Ok((lead, left))) = sending.join_next() => lines.settle(lead, left, self.clock.now()),
                () = self.clock.sleep_until(wake) => {
                    if self.clock.now() >= next_sweep {
                        next_sweep = self.clock.now() + SWEEP_EVERY;
                        self.sweep(&mut lines).await;
                    }
                }
            }
        }
        while sending.join_next().await.is_some() {}
    }

    /// Everything that waits in the store: after a crash, and what a failed commit kept from us.
    async fn sweep(&self, lines: &mut Lines) {
        match self.director.read(|store| store.outbox(10_000)).await {
            Ok(waiting) => waiting.into_iter().for_each(|(lead, message)| lines.add(lead, message)),
            Err(error) => tracing::warn!(%error, "the outbox could not be read; trying again"),
        }
    }

    /// True when the message needs nothing more from us.
    async fn send(&self, lead: LeadId, id: MessageId) -> bool {
        // A message that makes a channel panic must not hold up the others.
        let tried = AssertUnwindSafe(self.try_send(lead, id)).catch_unwind().await;
        match tried.unwrap_or_else(|_| Err("sending it panicked".into())) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%lead, message = %id, %error, "a message could not leave; trying again");
                false
            }
        }
    }

    async fn try_send(&self, lead: LeadId, id: MessageId) -> Result<(), String> {
        fail::point("relay.release").map_err(|e| e.to_string())?;
        let released = match self.director.suppressed(lead, id).await.map_err(|e| e.to_string())? {
            Some(why) => Command::Hold { message: id, why },
            None => Command::Release { message: id },
        };
        let released = self.director.act_as(Actor::Director, lead, released).await;
        let after = match released {
            Ok(acted) => acted.lead,
            // It left already, or was held: nothing more to do.
            Err(Error::Refused(_) | Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let sending = after.messages.iter().any(|m| m.id == id && m.delivery == Delivery::Sending);
        if !sending {
            return Ok(());
        }
        let message = self.director.message(lead, id).await.map_err(|e| e.to_string())?;
        let attachments = self.attachments(lead, &message).await?;
        fail::point("relay.send").map_err(|e| e.to_string())?;
        let record = match self.channel.send(lead, &message, &attachments).await {
            Ok(()) => Command::RecordSent { message: id },
            Err(SendError::Never(error)) => Command::RecordSendFailure { message: id, error },
            Err(SendError::Later(error)) => return Err(error),
        };
        fail::point("relay.sent").map_err(|e| e.to_string())?;
        match self.director.act_as(Actor::Director, lead, record).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(_)) => self.forget_if_erased(lead, id).await,
            Err(error) => Err(error.to_string()),
        }
    }

    /// A message that was on its way while its lead was erased must not leave a copy behind.
    async fn forget_if_erased(&self, lead: LeadId, id: MessageId) -> Result<(), String> {
        let erased = self.director.lead(lead).await.is_ok_and(|c| c.lead.outcome() == Some(Outcome::Erased));
        if !erased {
            return Ok(());
        }
        self.channel.forget(lead, &[id]).await.map_err(|e| e.to_string())
    }

    async fn attachments(&self, lead: LeadId, message: &Message) -> Result<Vec<File>, String> {
        let mut files = Vec::with_capacity(message.attachments.len());
        for artifact in &message.attachments {
            let bytes = self.director.artifact(lead, artifact.sha256).await.map_err(|e| e.to_string())?;
            files.push(File { name: artifact.name.clone(), bytes });
        }
        Ok(files)
    }
}

/// What waits, in a line per lead.
#[derive(Default)]
struct Lines {
    lines: HashMap<LeadId, Line>,
    /// Leads whose first message can go, each once, in turn.
    ready: VecDeque<LeadId>,
}

#[derive(Default)]
struct Line {
    /// The first one may be on its way.
    messages: VecDeque<MessageId>,
    failures: u32,
    /// Set while the line waits for another try.
    retry_at: Option<Timestamp>,
}

impl Lines {
    fn add(&mut self, lead: LeadId, message: MessageId) {
        let line = self.lines.entry(lead).or_default();
        if line.messages.contains(&message) {
            return;
        }
        line.messages.push_back(message);
        if line.messages.len() == 1 {
            self.ready.push_back(lead);
        }
    }

    /// The next message to send; its line is out of turn until it is settled.
    fn next(&mut self) -> Option<(LeadId, MessageId)> {
        let lead = self.ready.pop_front()?;
        let first = self.lines.get(&lead)?.messages.front()?;
        Some((lead, *first))
    }

    /// Goes on with the line of a message that left, or lets it wait.
    fn settle(&mut self, lead: LeadId, left: bool, now: Timestamp) {
        let Some(line) = self.lines.get_mut(&lead) else { return };
        if !left {
            let wait = FIRST_RETRY * 2_i32.pow(line.failures.min(5));
            line.failures += 1;
            line.retry_at = Some(now + wait.min(LAST_RETRY));
            return;
        }
        line.failures = 0;
        line.messages.pop_front();
        if line.messages.is_empty() {
            self.lines.remove(&lead);
        } else {
            self.ready.push_back(lead);
        }
    }

    fn ripen(&mut self, now: Timestamp) {
        for (lead, line) in &mut self.lines {
            // The wait is never longer than `LAST_RETRY`; a later moment comes from a clock that was set back.
            if line.retry_at.is_some_and(|at| at <= now || at > now + LAST_RETRY) {
                line.retry_at = None;
                self.ready.push_back(*lead);
            }
        }
    }

    fn next_retry(&self) -> Option<Timestamp> {
        self.lines.values().filter_map(|line| line.retry_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_lead_is_served_in_order_and_in_turn() {
        let now = Timestamp::UNIX_EPOCH;
        let (a, b) = (LeadId(Uuid::from_u128(1)), LeadId(Uuid::from_u128(2)));
        let message = |n| MessageId(Uuid::from_u128(n));
        let mut lines = Lines::default();
        for (lead, number) in [(a, 1), (a, 2), (a, 2), (b, 3)] {
            lines.add(lead, message(number));
        }
        assert_eq!(lines.next(), Some((a, message(1))));
        assert_eq!(lines.next(), Some((b, message(3))));
        assert_eq!(lines.next(), None, "the second message of a lead waits for its first");
        lines.settle(a, false, now);
        lines.settle(b, true, now);
        assert_eq!(lines.next_retry(), Some(now + FIRST_RETRY));
        lines.ripen(now + FIRST_RETRY);
        assert_eq!(lines.next(), Some((a, message(1))));
        lines.settle(a, true, now);
        assert_eq!(lines.next(), Some((a, message(2))));
        lines.settle(a, true, now);
        assert_eq!((lines.next(), lines.next_retry(), lines.lines.len()), (None, None, 0));
    }
}
