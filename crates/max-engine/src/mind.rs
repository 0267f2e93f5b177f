//! An Eidolon's mind: four seats with a cor-daemon each, and the house voices behind them.
//!
//! Each stage thinks in *solo* mode: the first voice that is present works; when it fails the next one takes over,
//! visibly: in health, in the runs of the lead, and in the log, which says instead of whom a voice worked. How several voices deliberate belongs here too, once there are several.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use max_core::id::LeadId;
use max_core::stage::Eidolon;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::ports::{Brief, CallFail, Clock, Thought, Voice};
use crate::runs::{FailClass, MicroUsd, RunOutcome, Transport, Usage};
use crate::spend::Purse;

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

/// How long nobody calls a voice whose key is not accepted: an owner who mends it need not restart MAX.
const AUTH_PARKED: SignedDuration = SignedDuration::from_mins(15);
/// How long nobody calls a voice whose quota is used up.
const QUOTA_PARKED: SignedDuration = SignedDuration::from_mins(60);

/// The cor-daemon of a seat: the loop that keeps its voice alive and knows how it is.
struct Daemon {
    name: String,
    health: Arc<Mutex<VoiceHealth>>,
    calls: Option<mpsc::Sender<Call>>,
}

struct Call {
    brief: Brief,
    /// Whether other voices were asked before.
    stands_in: bool,
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
    pub fn start(
        _eidolon: Eidolon,
        seats: Vec<Seat>,
        clock: &Arc<dyn Clock>,
        purse: &Arc<Purse>,
        at_once: usize,
    ) -> Self {
        let start = |seat| Daemon::start(seat, Arc::clone(clock), Arc::clone(purse), at_once);
        let seats = seats.into_iter().map(start).collect();
        Self { seats }
    }

    /// Thinks about a brief: the first voice present that can. Voices named in `aside` are not asked.
    pub async fn think(&self, brief: &Brief, aside: &[String]) -> Result<Answer, CallFail> {
        let mut failed = Vec::new();
        let mut brief = brief.clone();
        for seat in &self.seats {
            let Some(calls) = seat.calls.as_ref().filter(|_| !aside.contains(&seat.name)) else { continue };
            let (reply, answer) = oneshot::channel();
            let stands_in = !(failed.is_empty() && aside.is_empty());
            let sent = calls.send(Call { brief: brief.clone(), stands_in, reply }).await;
            let thought = match sent {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(CallFail::Crash("its daemon ended".into()))),
                Err(_) => Err(CallFail::Crash("its daemon ended".into())),
            };
            match thought {
                Ok(thought) => return Ok(Answer { thought, voice: seat.name.clone(), failed }),
                Err(failure) => failed.push((seat.name.clone(), failure)),
            }
            // They are about the work of the one that was asked first.
            brief.findings.clear();
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
    fn start(seat: Seat, clock: Arc<dyn Clock>, purse: Arc<Purse>, at_once: usize) -> Self {
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
            let (name, health) = (seat.name.clone(), Arc::clone(&health));
            let shift = Arc::new(Shift { name, voice, health, clock, purse, parked: Mutex::default() });
            tokio::spawn(cor_daemon(shift, receiver, at_once));
            sender
        });
        Self { name: seat.name, health, calls }
    }
}

/// What a cor-daemon works with.
struct Shift {
    name: String,
    voice: Arc<dyn Voice>,
    health: Arc<Mutex<VoiceHealth>>,
    clock: Arc<dyn Clock>,
    purse: Arc<Purse>,
    /// Until when nobody calls the voice, and why.
    parked: Mutex<Option<(Timestamp, CallFail)>>,
}

/// Takes calls, works up to `at_once` of them side by side, and writes down how it went.
async fn cor_daemon(shift: Arc<Shift>, mut calls: mpsc::Receiver<Call>, at_once: usize) {
    let slots = Arc::new(tokio::sync::Semaphore::new(at_once.max(1)));
    while let Some(call) = calls.recv().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let shift = Arc::clone(&shift);
        tokio::spawn(async move {
            shift.work(call).await;
            drop(slot);
        });
    }
}

impl Shift {
    async fn work(&self, call: Call) {
        let Call { mut brief, stands_in, mut reply } = call;
        if let Some(failure) = self.parked() {
            return drop(reply.send(Err(failure)));
        }
        // The playbook's own turns stand in the log and cost nothing; only where it stood in is there more to tell.
        if self.voice.transport() != Transport::House || stands_in {
            brief.meter = self.purse.open(&brief, &self.name, self.voice.transport());
        }
        self.begins(&brief);
        let result = tokio::select! {
            result = self.voice.think(&brief) => Some(result),
            // Nobody waits for the answer any more (a take-over, a stop): end the turn.
            () = reply.closed() => None,
        };
        let (outcome, error) = match &result {
            Some(Ok(_)) => (RunOutcome::Delivered, None),
            Some(Err(failure)) => (RunOutcome::Failed(failure.class()), Some(failure.to_string())),
            None => (RunOutcome::Cancelled, None),
        };
        brief.meter.close(outcome, error).await;
        self.ended(result.as_ref(), brief.meter.spent());
        if let Some(result) = result {
            drop(reply.send(result));
        }
    }

    /// Why the voice is not called now, if it is not.
    fn parked(&self) -> Option<CallFail> {
        let mut parked = self.parked.lock();
        match &*parked {
            Some((until, failure)) if *until > self.clock.now() => Some(failure.clone()),
            _ => {
                *parked = None;
                None
            }
        }
    }

    fn begins(&self, brief: &Brief) {
        let mut health = self.health.lock();
        health.state = VoiceState::Working;
        health.evidence = format!("thinking about {} of lead {}", brief.lead.stage, brief.lead.id);
        health.since = self.clock.now();
        health.lead = Some(brief.lead.id);
    }

    fn ended(&self, result: Option<&Result<Thought, CallFail>>, (usage, cost): (Usage, MicroUsd)) {
        let now = self.clock.now();
        let until = result.and_then(|result| result.as_ref().err()).and_then(|failure| parked_until(failure, now));
        let mut health = self.health.lock();
        health.since = now;
        health.lead = None;
        health.tokens += usage.total();
        health.cost_usd += cost.dollars();
        match result {
            None => {
                health.state = VoiceState::Idle;
                health.evidence = "the turn was taken off it".into();
            }
            Some(Ok(thought)) => {
                health.turns += 1;
                health.state = VoiceState::Idle;
                health.evidence = format!("delivered a {}", thought.result.name());
            }
            Some(Err(failure)) => {
                health.failures += 1;
                health.state = VoiceState::Failing;
                health.evidence = match until {
                    Some(until) => format!("not called before {until:.0}: {}", failure.class().name()),
                    None => "the last turn failed".into(),
                };
                health.last_error = Some(format!("{now}: {failure}"));
                *self.parked.lock() = until.map(|until| (until, failure.clone()));
            }
        }
    }
}

/// Until when a voice that failed like this is left alone. The next voice works meanwhile.
fn parked_until(failure: &CallFail, now: Timestamp) -> Option<Timestamp> {
    match (failure, failure.class()) {
        (CallFail::RateLimited { until }, _) => Some(*until),
        (_, FailClass::AuthExpired) => Some(now + AUTH_PARKED),
        (_, FailClass::QuotaOut) => Some(now + QUOTA_PARKED),
        _ => None,
    }
}
