//! The outbox: asks once more whether a message may leave, hands it to the channel, records what came of it.
//!
//! A crash at any point is healed by doing the step again: the permission is recorded before the send, the channel
//! takes the same message only once, and what is still open is found in the store at the next start.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::SignedDuration;
use max_core::command::Command;
use max_core::id::{LeadId, MessageId};
use max_core::lead::{Actor, Delivery, Message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::director::Director;
use crate::error::Error;
use crate::fail;
use crate::ports::{Channel, Clock, File, SendError};

/// How long a message that could not leave waits for its next try.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);

pub(crate) struct Relay {
    pub(crate) director: Director,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Relay {
    /// Sends what is in the store, then what comes in, until stopped.
    pub(crate) async fn run(self, mut queued: mpsc::UnboundedReceiver<(LeadId, MessageId)>, stop: CancellationToken) {
        let mut later: HashSet<(LeadId, MessageId)> = HashSet::new();
        let mut next_sweep = self.clock.now();
        loop {
            let one = tokio::select! {
                () = stop.cancelled() => return,
                one = queued.recv() => match one {
                    Some(one) => one,
                    None => return,
                },
                () = self.clock.sleep_until(next_sweep) => {
                    next_sweep = self.clock.now() + RETRY_AFTER;
                    later.clear();
                    self.sweep(&mut later).await;
                    continue;
                }
            };
            self.send(one, &mut later).await;
        }
    }

    /// Everything that waits in the store: after a crash, and what a channel put off.
    async fn sweep(&self, later: &mut HashSet<(LeadId, MessageId)>) {
        match self.director.read(|store| store.outbox(10_000)).await {
            Ok(waiting) => {
                for one in waiting {
                    self.send(one, later).await;
                }
            }
            Err(error) => tracing::warn!(%error, "the outbox could not be read; trying again"),
        }
    }

    async fn send(&self, (lead, id): (LeadId, MessageId), later: &mut HashSet<(LeadId, MessageId)>) {
        if later.contains(&(lead, id)) {
            return;
        }
        if let Err(error) = self.try_send(lead, id).await {
            tracing::warn!(%lead, message = %id, %error, "a message could not leave; trying again");
            later.insert((lead, id));
        }
    }

    async fn try_send(&self, lead: LeadId, id: MessageId) -> Result<(), String> {
        fail::point("relay.release").map_err(|e| e.to_string())?;
        let released = self.director.act_as(Actor::Director, lead, Command::Release { message: id }).await;
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
        let record = match self.channel.send(&message, &attachments).await {
            Ok(()) => Command::RecordSent { message: id },
            Err(SendError::Never(error)) => Command::RecordSendFailure { message: id, error },
            Err(SendError::Later(error)) => return Err(error),
        };
        fail::point("relay.sent").map_err(|e| e.to_string())?;
        match self.director.act_as(Actor::Director, lead, record).await {
            Ok(_) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
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
