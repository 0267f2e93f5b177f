//! Plays scripts against a server: settles every lead, lets client and people do what their scripts say, moves the
//! clock when nothing else can happen, and ends when nothing is left to do.
//!
//! Nothing here sleeps to pass time. It waits for facts (long polling), and the server's clock moves only when every
//! lead stands still, so that the leads of one cast share one time.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use max_core::id::{ApprovalId, MessageId};
use max_core::lead::{ApprovalKind, ClientState, Delivery, Direction, Message, Outcome, Status};
use max_core::trace::Trace;
use serde_json::{Map, Value, json};

use super::door::Door;
use super::scenario::{Action, Script, Step, Trigger};
use crate::client::{Client, ClientError};
use crate::exit::{Exit, Failure};
use crate::wire::{ApprovalState, ApprovalView, LeadList, LeadView, MessageList, MessageView};

/// How long, in real time, a lead may be worked on before the story is called stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one question to the server waits for a change.
const POLL: Duration = Duration::from_secs(10);
/// How often a lead that is being erased is looked at.
const ERASING: Duration = Duration::from_millis(50);

/// Who watches the story.
pub trait Audience {
    /// A lead was looked at.
    fn see(&self, player: usize, view: &LeadView);
    /// Something was done.
    fn hear(&self, player: usize, at: Timestamp, line: &str);
}

/// Several leads with their scripts, on one server and one clock.
pub struct Cast<'a> {
    client: &'a Client,
    door: Door<'a>,
    audience: &'a dyn Audience,
    players: Vec<Player>,
    /// The leads that were there before.
    before: BTreeSet<String>,
    now: Timestamp,
}

/// What a player needs to act.
#[derive(Clone, Copy)]
struct Scene<'s> {
    client: &'s Client,
    door: &'s Door<'s>,
    audience: &'s dyn Audience,
    now: Timestamp,
}

/// One lead with its script, and how far it has come.
struct Player {
    index: usize,
    lead: String,
    /// As it came in.
    fields: Map<String, Value>,
    script: Script,
    uses: Vec<u32>,
    seen_messages: BTreeSet<MessageId>,
    /// The approvals that were asked, with what is known of each.
    approvals: Vec<(ApprovalId, ApprovalKind, ApprovalState)>,
    scheduled: Vec<Scheduled>,
    /// The version at which a step on a state fired last, by step.
    fired_at: Vec<Option<u64>>,
    /// Whether time may pass for it.
    idle: bool,
    view: Option<LeadView>,
    messages: Vec<MessageView>,
}

/// A step that waits for its time.
struct Scheduled {
    at: Timestamp,
    by_client: bool,
    action: Action,
    approval: Option<ApprovalId>,
}

/// How a story ended.
pub struct Ending {
    /// The state.
    pub state: ClientState,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The approvals that were asked, in order, with how each ended.
    pub approvals: Vec<(ApprovalKind, String)>,
    /// The artifacts' paths with their content, as text.
    pub artifacts: Vec<(String, String)>,
    /// The way of every requirement.
    pub trace: Trace,
    /// The conversations of other leads that the story brought about.
    pub others: Vec<Vec<Message>>,
}

/// Something a step can wait for.
enum Moment<'m> {
    Message(&'m MessageView),
    Approval(ApprovalKind),
    State,
}

impl<'a> Cast<'a> {
    /// A cast on a server whose clock is manual. `root` is its folder, where files are dropped.
    ///
    /// # Errors
    /// When the server cannot be reached or its clock cannot be moved.
    pub async fn new(client: &'a Client, root: Option<&'a Path>, audience: &'a dyn Audience) -> Result<Self, Failure> {
        let clock = client.get("/api/clock").await?;
        if clock.body["manual"] != true {
            return Err(Failure::new(Exit::Refused, "the server's clock is not manual, so no time can be played")
                .hint("start it with `max up --clock manual`, or leave out --server"));
        }
        let now = moment(&clock.body)?;
        let before = leads(client).await?.into_iter().collect();
        Ok(Self { client, door: Door::new(client, root), audience, players: Vec::new(), before, now })
    }

    /// Moves the clock to where the story begins.
    pub async fn begin_at(&mut self, at: Timestamp) -> Result<(), Failure> {
        if at > self.now { self.move_clock(at).await } else { Ok(()) }
    }

    /// Brings a lead in, with its script.
    pub async fn add(&mut self, lead: &Map<String, Value>, script: Script) -> Result<(), Failure> {
        let answer = self.client.post("/api/ingest-lead", &Value::Object(lead.clone())).await?;
        let id = answer.body["lead_id"].as_str().unwrap_or_default().to_owned();
        let steps = script.client.len() + script.people.len();
        let index = self.players.len();
        self.audience.hear(index, self.now, "the lead came in");
        self.players.push(Player {
            index,
            lead: id,
            fields: lead.clone(),
            script,
            uses: vec![0; steps],
            seen_messages: BTreeSet::new(),
            approvals: Vec::new(),
            scheduled: Vec::new(),
            fired_at: vec![None; steps],
            idle: false,
            view: None,
            messages: Vec::new(),
        });
        Ok(())
    }

    /// Plays until nothing is left to do, or `limit` of simulated time has passed.
    pub async fn play(&mut self, limit: SignedDuration) -> Result<(), Failure> {
        let end = self.now + limit;
        loop {
            let scene = Scene { client: self.client, door: &self.door, audience: self.audience, now: self.now };
            let turns = self.players.iter_mut().map(|player| player.turn(scene));
            let mut acted = false;
            for turn in futures::future::join_all(turns).await {
                acted |= turn?;
            }
            if acted {
                continue;
            }
            let Some(next) = self.players.iter().filter_map(Player::next).min() else { return Ok(()) };
            // The clock stops at whatever comes due for anybody on the way.
            let due = self.players.iter().filter_map(Player::due).min();
            let at = due.map_or(next, |due| due.min(next));
            if at > end {
                return Ok(());
            }
            self.move_clock(at).await?;
            self.await_what_is_due().await?;
        }
    }

    /// How each story ended, in the order in which the leads were added.
    pub async fn endings(&self) -> Result<Vec<Ending>, Failure> {
        let others = self.others().await?;
        let mut endings = Vec::with_capacity(self.players.len());
        for player in &self.players {
            endings.push(player.ending(self.client, others.clone()).await?);
        }
        Ok(endings)
    }

    /// The conversations of leads that came in during the story and are nobody's part, once they are at rest.
    async fn others(&self) -> Result<Vec<Vec<Message>>, Failure> {
        let mut others = Vec::new();
        // On a server of somebody's own others come in too; only stories that knock again have some of theirs.
        if !self.players.iter().any(Player::knocks_again) {
            return Ok(others);
        }
        let known = |id: &String| self.before.contains(id) || self.players.iter().any(|player| player.lead == *id);
        for id in leads(self.client).await?.into_iter().filter(|id| !known(id)) {
            let (_, messages) = at_rest(self.client, &id, self.now, &|_| ()).await?;
            others.push(messages.into_iter().map(|view| view.message).collect());
        }
        Ok(others)
    }

    async fn move_clock(&mut self, at: Timestamp) -> Result<(), Failure> {
        if at > self.now {
            let answer = self.client.post("/api/clock", &json!({"at": at})).await?;
            self.now = moment(&answer.body)?;
        }
        Ok(())
    }

    /// After the clock moved: waits until what came due for a lead has happened to it.
    async fn await_what_is_due(&self) -> Result<(), Failure> {
        let due = self.players.iter().filter_map(|player| {
            let at = player.due().filter(|at| *at <= self.now)?;
            Some((player, player.view.as_ref()?.version, at))
        });
        for (player, version, at) in due {
            let started = Instant::now();
            let mut newest = version;
            while newest == version {
                if started.elapsed() > PATIENCE {
                    let why = format!("something was due for lead {} at {at}, and nothing happened", player.lead);
                    return Err(Failure::failed(why));
                }
                let (_, seen) = self.client.status(&player.lead, Some(version), POLL).await?;
                newest = seen.unwrap_or(version);
            }
        }
        Ok(())
    }
}

impl Player {
    /// Settles the lead and does what the scripts say about what is new. True when something was done.
    async fn turn(&mut self, scene: Scene<'_>) -> Result<bool, Failure> {
        let see = |view: &LeadView| scene.audience.see(self.index, view);
        let (view, messages) = at_rest(scene.client, &self.lead, scene.now, &see).await?;
        (self.view, self.messages) = (Some(view), messages);
        self.follow_script(scene.now);
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.scheduled).into_iter().partition(|step| step.at <= scene.now);
        self.scheduled = later;
        let acted = due.iter().any(|step| step.action != Action::Silent);
        for step in due {
            self.carry_out(scene, step).await?;
        }
        Ok(acted)
    }

    /// Looks for steps that what is new brings about, and schedules them.
    fn follow_script(&mut self, now: Timestamp) {
        let Some(view) = self.view.take() else { return };
        let messages = std::mem::take(&mut self.messages);
        for message in &messages {
            let reached = message.message.direction == Direction::Out && message.delivery == Delivery::Sent;
            if reached && self.seen_messages.insert(message.message.id) {
                self.idle = false;
                self.schedule(&Moment::Message(message), &view, now);
            }
        }
        if let Some(approval) = &view.approval
            && self.approvals.iter().all(|(id, ..)| *id != approval.id)
        {
            self.approvals.push((approval.id, approval.kind, ApprovalState::Pending));
            self.schedule(&Moment::Approval(approval.kind), &view, now);
        }
        self.schedule(&Moment::State, &view, now);
        (self.view, self.messages) = (Some(view), messages);
    }

    /// Schedules what waits for this moment: of each side the first unused step for a message or an approval, and
    /// every unused step for a state.
    fn schedule(&mut self, moment: &Moment<'_>, view: &LeadView, now: Timestamp) {
        let clients = self.script.client.len();
        let at_most = if matches!(moment, Moment::State) { usize::MAX } else { 1 };
        for (by_client, range) in [(true, 0..clients), (false, clients..clients + self.script.people.len())] {
            let found: Vec<usize> = range.filter(|index| self.fits(*index, moment, view)).take(at_most).collect();
            for index in found {
                let step = self.step(index);
                let approval = view.approval.as_ref().map(|approval| approval.id);
                let scheduled = Scheduled { at: now + step.after, by_client, action: step.action.clone(), approval };
                self.scheduled.push(scheduled);
                self.uses[index] += 1;
                self.fired_at[index] = Some(view.version);
            }
        }
    }

    fn fits(&self, index: usize, moment: &Moment<'_>, view: &LeadView) -> bool {
        let step = self.step(index);
        let fired_now = matches!(moment, Moment::State) && self.fired_at[index] == Some(view.version);
        step.times.is_none_or(|times| self.uses[index] < times) && matches(&step.on, moment, view) && !fired_now
    }

    fn step(&self, index: usize) -> &Step {
        let clients = self.script.client.len();
        if index < clients { &self.script.client[index] } else { &self.script.people[index - clients] }
    }

    /// The next moment for which time passes on account of this lead.
    fn next(&self) -> Option<Timestamp> {
        let planned = self.scheduled.iter().map(|step| step.at).min();
        // Time passes for a lead that somebody lets wait, and for work that is tried again later.
        let passes = self.idle || self.view.as_ref().is_some_and(|view| view.task.is_some());
        let due = if passes { self.due() } else { None };
        planned.into_iter().chain(due).min()
    }

    /// When the clock brings something about for this lead.
    fn due(&self) -> Option<Timestamp> {
        self.view.as_ref()?.due_at
    }

    /// Whether its client comes in a second time.
    fn knocks_again(&self) -> bool {
        self.script.client.iter().any(|step| matches!(step.action, Action::Enquire { .. }))
    }

    async fn carry_out(&mut self, scene: Scene<'_>, step: Scheduled) -> Result<(), Failure> {
        let who = if step.by_client { "simulated client" } else { "simulated owner" };
        let Scene { client, audience, now, .. } = scene;
        audience.hear(self.index, now, &format!("{who} {}", step.action.line()));
        let base = format!("/api/leads/{}", self.lead);
        let result = match &step.action {
            Action::Silent => {
                self.idle = true;
                return Ok(());
            }
            Action::Write { text, kind, from } => {
                let mut body = json!({"direction": "in", "body": text});
                if let Some(kind) = kind {
                    body["kind"] = json!(kind);
                }
                if let Some(from) = from {
                    body["from"] = json!(from);
                }
                // As people write: in answer to the last mail they got.
                let last = self.messages.iter().rev().find(|m| m.message.direction == Direction::Out);
                if let Some(last) = last {
                    body["in_reply_to"] = json!(last.message.rfc_id);
                }
                client.post(&format!("{base}/messages"), &body).await.map(drop)
            }
            Action::Enquire { way, fields } => {
                let mut lead = self.fields.clone();
                lead.extend(fields.clone());
                scene.door.bring(*way, &lead, now).await?;
                Ok(())
            }
            Action::Sign { signer } => {
                let waits = self.view.as_ref().and_then(|view| view.waits.clone()).unwrap_or_default();
                let body = json!({"document": waits["document"], "signer": signer});
                client.post(&format!("{base}/sign"), &body).await.map(drop)
            }
            Action::Approve => self.decide(client, step.approval, "approve", None).await,
            Action::Reject { reason } => self.decide(client, step.approval, "reject", Some(reason)).await,
            Action::Move { path, body } => client.post(&format!("{base}/{path}"), body).await.map(drop),
            Action::HandOff { body } => client.post(&format!("/api/handoff/{}", self.lead), body).await.map(drop),
        };
        match result {
            Ok(()) => Ok(()),
            Err(ClientError::Problem(problem)) => {
                let done = step.action.line();
                let why = format!("{who} {done}: the server says no to lead {}: {}", self.lead, problem.detail);
                Err(Failure::failed(why))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Decides an approval as it was shown. What is void by now is left alone, as a person would.
    async fn decide(
        &mut self,
        client: &Client,
        approval: Option<ApprovalId>,
        decision: &str,
        reason: Option<&String>,
    ) -> Result<(), ClientError> {
        let Some(known) = self.approvals.iter_mut().find(|(id, ..)| Some(*id) == approval) else { return Ok(()) };
        let path = format!("/api/approvals/{}", known.0);
        let seen: ApprovalView = client.get(&path).await?.read()?;
        if seen.state != ApprovalState::Pending {
            return Ok(());
        }
        let mut body = json!({"decision": decision, "payload_sha256": seen.approval.payload_sha256});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        client.post(&path, &body).await?;
        known.2 = if reason.is_none() { ApprovalState::Approved } else { ApprovalState::Rejected };
        Ok(())
    }

    async fn ending(&self, client: &Client, others: Vec<Vec<Message>>) -> Result<Ending, Failure> {
        let base = format!("/api/leads/{}", self.lead);
        let view: LeadView = client.get(&base).await?.read()?;
        let messages: MessageList = client.get(&format!("{base}/messages")).await?.read()?;
        let mut approvals = Vec::new();
        for (id, kind, known) in &self.approvals {
            let state = match client.get(&format!("/api/approvals/{id}")).await {
                Ok(answer) => answer.read::<ApprovalView>()?.state,
                // It was erased with the lead; what came of it is known.
                Err(ClientError::Problem(problem)) if problem.status == 404 => *known,
                Err(error) => return Err(error.into()),
            };
            approvals.push((*kind, state_word(state).to_owned()));
        }
        let mut artifacts = Vec::new();
        for artifact in &view.artifacts {
            let bytes = client.bytes(&format!("{base}/artifacts/{}", artifact.path)).await?;
            artifacts.push((artifact.path.clone(), String::from_utf8_lossy(&bytes).into_owned()));
        }
        let trace = client.get(&format!("{base}/trace")).await?.read()?;
        let messages = messages.messages.into_iter().map(|view| view.message).collect();
        Ok(Ending { state: view.state, messages, approvals, artifacts, trace, others })
    }
}

/// Waits until nobody works on a lead and no message is on its way.
async fn at_rest(
    client: &Client,
    lead: &str,
    now: Timestamp,
    see: &dyn Fn(&LeadView),
) -> Result<(LeadView, Vec<MessageView>), Failure> {
    let started = Instant::now();
    let base = format!("/api/leads/{lead}");
    loop {
        let view: LeadView = client.get(&base).await?.read()?;
        see(&view);
        let later = view.task.as_ref().and_then(|task| task.not_before).is_some_and(|at| at > now);
        let busy = (view.task.is_some() || view.state.status == Status::InProgress) && !later;
        let version = view.version;
        if !busy {
            let list: MessageList = client.get(&format!("{base}/messages")).await?.read()?;
            let leaving = list.messages.iter().any(|m| matches!(m.delivery, Delivery::Queued | Delivery::Sending));
            // A person who took over holds back what was queued; it may stay so for long.
            let held = view.waits.as_ref().is_some_and(|waits| waits["kind"] == "take_over");
            // The log is blanked behind the approval of an erasure; its version says nothing of that.
            let outcome = view.state.data.get("outcome").and_then(Value::as_str);
            let erasing = outcome == Some(Outcome::Erased.name()) && !list.messages.is_empty();
            if erasing && started.elapsed() <= PATIENCE {
                tokio::time::sleep(ERASING).await;
                continue;
            }
            if !leaving || held {
                return Ok((view, list.messages));
            }
        }
        if started.elapsed() > PATIENCE {
            let why = format!("lead {lead} does not come to rest: {}", view.state.next_action);
            return Err(Failure::failed(why).hint("the server's log on stderr says what it is doing"));
        }
        client.status(lead, Some(version), POLL).await?;
    }
}

/// The ids of the leads that changed last.
async fn leads(client: &Client) -> Result<Vec<String>, Failure> {
    let list: LeadList = client.get("/api/leads?limit=500").await?.read()?;
    Ok(list.leads.into_iter().map(|row| row.lead_id.to_string()).collect())
}

/// Whether a step waits for this moment, as the lead stands.
fn matches(on: &Trigger, moment: &Moment<'_>, view: &LeadView) -> bool {
    let waited_for = match moment {
        Moment::Message(message) => {
            let text = || format!("{}\n{}", message.message.subject, message.message.body);
            on.message.is_some_and(|kind| kind.is(&message.message.kind))
                && on.contains.as_ref().is_none_or(|part| super::expect::contains(&text(), part))
        }
        Moment::Approval(kind) => on.approval.is_some_and(|wanted| wanted.is(kind)),
        Moment::State => on.message.is_none() && on.approval.is_none(),
    };
    let outcome = view.state.data.get("outcome").and_then(Value::as_str);
    waited_for
        && on.stage.is_none_or(|stage| stage == view.state.current_stage)
        && on.status.is_none_or(|status| status == view.state.status)
        && on.outcome.is_none_or(|wanted| outcome == Some(wanted.name()))
}

fn state_word(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "pending",
        ApprovalState::Approved => "approved",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Void => "void",
    }
}

fn moment(clock: &Value) -> Result<Timestamp, Failure> {
    let now = clock["now"].as_str().and_then(|text| text.parse().ok());
    now.ok_or_else(|| Failure::failed("the server does not say what time it is"))
}
