//! An Eidolon's mind: four seats with a cor-daemon each, and the house voices behind them.
//!
//! Each stage thinks in *solo* mode: the first voice that is present works; when it fails the next one takes over,
//! visibly. How several voices deliberate belongs here too, once there are several.

use std::sync::Arc;

use jiff::Timestamp;
use max_core::id::LeadId;
use max_core::stage::Eidolon;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::ports::{Brief, CallFail, Clock, Thought, Voice};

/// The four seats of every mind.
pub const SEATS: [&str; 4] = ["claude", "gemini", "codex", "copilot"];

/// A place in a mind, taken or not.
#[derive(Clone)]
pub struct Seat {
    /// The seat's name: one of [`SEATS`], or a house voice such as `playbook`.
    pub name: String,
    /// Who sits there, or what would make somebody sit there.
    pub voice: Result<Arc<dyn Voice>, String>,
}

/// How one voice is, derived from its work and never claimed by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoiceHealth {
    /// The seat.
    pub voice: String,
    /// What it is doing.
    pub state: VoiceState,
    /// What shows it.
    pub evidence: String,
    /// Since when.
    pub since: Timestamp,
    /// The lead it works on.
    pub lead: Option<LeadId>,
    /// The last failure, with its time.
    pub last_error: Option<String>,
    /// Turns that came to something.
    pub turns: u64,
    /// Turns that did not.
    pub failures: u64,
    /// Tokens used.
    pub tokens: u64,
    /// Money spent, in US dollars.
    pub cost_usd: f64,
    /// The terminal session, where there is one.
    pub session: Option<String>,
}

/// What a voice is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoiceState {
    /// Nobody sits there.
    Absent,
    /// Ready, holding nothing.
    Idle,
    /// Thinking.
    Working,
    /// The last turn failed.
    Failing,
}

/// One mind.
pub struct Mind {
    seats: Vec<Daemon>,
}

/// The cor-daemon of a seat: the loop that keeps its voice alive and knows how it is.
struct Daemon {
    name: String,
    health: Arc<Mutex<VoiceHealth>>,
    calls: Option<mpsc::Sender<Call>>,
}

struct Call {
    brief: Brief,
    reply: oneshot::Sender<Result<Thought, CallFail>>,
}

/// An answer, with who gave it and who could not.
pub struct Answer {
    /// The answer.
    pub thought: Thought,
    /// Whose.
    pub voice: String,
    /// Voices that were asked before, and how they failed.
    pub failed: Vec<(String, CallFail)>,
}

impl Mind {
    /// Starts the cor-daemons of a mind. `seats` are asked in order.
    pub fn start(_eidolon: Eidolon, seats: Vec<Seat>, clock: &Arc<dyn Clock>, at_once: usize) -> Self {
        let seats = seats.into_iter().map(|seat| Daemon::start(seat, Arc::clone(clock), at_once)).collect();
        Self { seats }
    }

    /// Thinks about a brief: the first voice present that can.
    pub async fn think(&self, brief: &Brief) -> Result<Answer, CallFail> {
        let mut failed = Vec::new();
        for seat in &self.seats {
            let Some(calls) = &seat.calls else { continue };
            let (reply, answer) = oneshot::channel();
            let sent = calls.send(Call { brief: brief.clone(), reply }).await;
            let thought = match sent {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(CallFail::Crash("its daemon ended".into()))),
                Err(_) => Err(CallFail::Crash("its daemon ended".into())),
            };
            match thought {
                Ok(thought) => return Ok(Answer { thought, voice: seat.name.clone(), failed }),
                Err(failure) => failed.push((seat.name.clone(), failure)),
            }
        }
        let last = failed.pop().map(|(voice, failure)| (voice, failure.to_string()));
        Err(match last {
            Some((voice, failure)) => CallFail::Crash(format!("{voice}: {failure}")),
            None => CallFail::Unable("no voice is present; enable one in max.toml or keep the playbook on".into()),
        })
    }

    /// How its voices are.
    pub fn health(&self) -> Vec<VoiceHealth> {
        self.seats.iter().map(|seat| seat.health.lock().clone()).collect()
    }
}

impl Daemon {
    fn start(seat: Seat, clock: Arc<dyn Clock>, at_once: usize) -> Self {
        let health = VoiceHealth {
            voice: seat.name.clone(),
            state: if seat.voice.is_ok() { VoiceState::Idle } else { VoiceState::Absent },
            evidence: match &seat.voice {
                Ok(_) => "started, no turn yet".into(),
                Err(remedy) => remedy.clone(),
            },
            since: clock.now(),
            lead: None,
            last_error: None,
            turns: 0,
            failures: 0,
            tokens: 0,
            cost_usd: 0.0,
            session: None,
        };
        let health = Arc::new(Mutex::new(health));
        let calls = seat.voice.ok().map(|voice| {
            let (sender, receiver) = mpsc::channel(at_once.max(1));
            tokio::spawn(cor_daemon(voice, receiver, Arc::clone(&health), clock, at_once));
            sender
        });
        Self { name: seat.name, health, calls }
    }
}

/// Takes calls, works up to `at_once` of them side by side, and writes down how it went.
async fn cor_daemon(
    voice: Arc<dyn Voice>,
    mut calls: mpsc::Receiver<Call>,
    health: Arc<Mutex<VoiceHealth>>,
    clock: Arc<dyn Clock>,
    at_once: usize,
) {
    let slots = Arc::new(tokio::sync::Semaphore::new(at_once.max(1)));
    while let Some(call) = calls.recv().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let (voice, health, clock) = (Arc::clone(&voice), Arc::clone(&health), Arc::clone(&clock));
        tokio::spawn(async move {
            let Call { brief, mut reply } = call;
            {
                let mut health = health.lock();
                health.state = VoiceState::Working;
                health.evidence = format!("thinking about {} of lead {}", brief.lead.stage, brief.lead.id);
                health.since = clock.now();
                health.lead = Some(brief.lead.id);
            }
            let result = tokio::select! {
                result = voice.think(&brief) => result,
                // Nobody waits for the answer any more (a take-over, a stop): end the turn.
                () = reply.closed() => {
                    let mut health = health.lock();
                    health.state = VoiceState::Idle;
                    health.evidence = "the turn was taken off it".into();
                    health.since = clock.now();
                    health.lead = None;
                    return;
                }
            };
            note(&mut health.lock(), &result, clock.now());
            drop(slot);
            drop(reply.send(result));
        });
    }
}

fn note(health: &mut VoiceHealth, result: &Result<Thought, CallFail>, now: Timestamp) {
    health.since = now;
    health.lead = None;
    match result {
        Ok(thought) => {
            health.turns += 1;
            health.state = VoiceState::Idle;
            health.evidence = format!("delivered a {}", thought.result.name());
        }
        Err(failure) => {
            health.failures += 1;
            health.state = VoiceState::Failing;
            health.evidence = "the last turn failed".into();
            health.last_error = Some(format!("{now}: {failure}"));
        }
    }
}
