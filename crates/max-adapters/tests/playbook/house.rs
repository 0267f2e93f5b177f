//! A whole house in memory: the real `decide` and `apply` with the playbook as the only voice, a client who answers
//! by script and people who decide.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use max_adapters::agency::Agency;
use max_adapters::voices::playbook::Playbook;
use max_core::apply::apply;
use max_core::command::{Command, Incoming, Request, Seen};
use max_core::decide::{Decision, decide, due};
use max_core::error::Refusal;
use max_core::event::{Entry, Event};
use max_core::id::{Digest, Fresh, LeadId};
use max_core::lead::{
    Actor, ApprovalKind, ClientAsk, Delivery, Direction, Lead, Message, MessageKind, NewLead, Outcome, Turn,
};
use max_core::policy::Policy;
use max_core::rules::Weight;
use max_core::stages::{StageResult, StoredArtifact, Work, placeholder};
use max_engine::ports::{Brief, Related, Thought};

static AGENCY: LazyLock<Arc<Agency>> = LazyLock::new(|| Arc::new(Agency::load(None).expect("the built-in agency")));

/// One lead in the house.
pub struct House {
    pub lead: Lead,
    pub messages: Vec<Message>,
    pub files: HashMap<String, Vec<u8>>,
    pub results: Vec<StageResult>,
    pub policy: Arc<Policy>,
    pub now: Timestamp,
    /// Other leads of the same company, as the engine would find them.
    pub related: Vec<Related>,
    steps: u128,
}

pub fn policy() -> Policy {
    Policy {
        rate_card: AGENCY.rate_card().clone(),
        services: AGENCY.services(),
        clauses: AGENCY.clause_digests(),
        calendar: AGENCY.calendar(),
        ..Policy::default()
    }
}

pub fn person() -> Actor {
    Actor::Person("alex".into())
}

impl House {
    /// Takes in a lead.
    pub fn ingest(new: NewLead) -> Self {
        Self::with(new, policy())
    }

    pub fn with(new: NewLead, policy: Policy) -> Self {
        // A Monday at 10:00 in Berlin.
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().expect("a timestamp");
        let id = LeadId(uuid::Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001));
        let request = Request::new(Actor::Client, Command::Ingest { lead: Box::new(new) });
        let mut fresh = Fresh::new(now, 1);
        let Decision::Events(events) = decide(None, id, &request, &mut fresh, &policy).expect("ingested") else {
            panic!("a new lead is events")
        };
        let entry = Entry { lead: id, version: 1, at: now, by: Actor::Client, signal_id: None, events };
        let lead = apply(None, &entry).expect("a lead");
        let mut house = Self {
            lead,
            messages: Vec::new(),
            files: HashMap::new(),
            results: Vec::new(),
            policy: policy.into(),
            now,
            related: Vec::new(),
            steps: 1,
        };
        let opening = &house.lead.messages[0];
        house.messages.push(Message {
            id: opening.id,
            direction: Direction::In,
            kind: MessageKind::Reply,
            stage: house.lead.stage,
            at: now,
            by: Actor::Client,
            subject: String::new(),
            body: house.lead.contact.message.clone(),
            attachments: Vec::new(),
            rfc_id: String::new(),
            in_reply_to: None,
            references: Vec::new(),
            address: house.lead.contact.email.clone(),
            written_by: None,
            verified: true,
        });
        house
    }

    /// Gives a command and applies what comes of it.
    pub fn give(&mut self, by: Actor, command: Command) -> Result<(), Box<Refusal>> {
        self.steps += 1;
        self.now += SignedDuration::from_mins(61);
        let mut fresh = Fresh::new(self.now, self.steps);
        let his = self.messages.iter().filter(|m| m.direction == Direction::In);
        let said = his.map(|m| (m.id.to_string(), m.body.clone())).collect();
        let request = Request::new(by.clone(), command).having_seen(Seen { said, ..Seen::default() });
        let decision = decide(Some(&self.lead), self.lead.id, &request, &mut fresh, &self.policy).map_err(Box::new)?;
        let Decision::Events(events) = decision else {
            return Ok(());
        };
        for event in &events {
            if let Event::MessageQueued { message } | Event::MessageReceived { message } = event {
                self.messages.push((**message).clone());
            }
        }
        let entry =
            Entry { lead: self.lead.id, version: self.lead.version + 1, at: self.now, by, signal_id: None, events };
        self.lead = apply(Some(self.lead.clone()), &entry).expect("a lead");
        Ok(())
    }

    /// Lets the playbook think about the open task; nothing is submitted.
    pub fn think(&self) -> Thought {
        let task = self.lead.open_task().expect("an open task").clone();
        let brief = Brief {
            lead: Arc::new(self.lead.clone()),
            attempt: task.attempt,
            task,
            messages: self.messages.clone(),
            policy: self.policy.clone(),
            now: self.now,
            findings: Vec::new(),
            related: self.related.clone(),
            meter: max_engine::spend::Meter::default(),
        };
        let playbook = Playbook::new(AGENCY.clone());
        let thought = playbook.work(&brief).expect("the playbook has an answer");
        assert_eq!(thought, playbook.work(&brief).expect("again"), "the same brief gives the same thought");
        thought
    }

    /// Works one turn: claim, think, store, submit; then the outbox lets everything go.
    pub fn work(&mut self) {
        let task = self.lead.open_task().expect("an open task").id;
        let eidolon = Actor::Eidolon(self.lead.open_task().expect("open").eidolon);
        self.give(eidolon.clone(), Command::Claim { task, holder: "test#1".into() }).expect("claimed");
        let attempt = self.lead.open_task().expect("claimed").attempt;
        let thought = self.think();
        for draft in &thought.messages {
            assert_eq!(draft.written_by, "playbook");
            assert_eq!(placeholder(&draft.body), None, "{}", draft.body);
        }
        let artifacts = thought
            .files
            .iter()
            .map(|f| {
                self.files.insert(f.name.clone(), f.bytes.clone());
                StoredArtifact { name: f.name.clone(), sha256: Digest::of(&f.bytes), bytes: f.bytes.len() as u64 }
            })
            .collect();
        let work = Work {
            result: thought.result.clone(),
            messages: thought.messages,
            artifacts,
            summary: thought.summary,
            voice: "playbook".into(),
            instead_of: Vec::new(),
        };
        self.results.push(thought.result);
        self.give(eidolon, Command::Submit { task, attempt, work: Box::new(work) })
            .unwrap_or_else(|refusal| panic!("submitted: {} {:?}", refusal.reason, refusal.findings));
        self.let_go();
    }

    /// Claims the open task and gives up on it for good.
    pub fn fail(&mut self, error: &str) {
        let task = self.lead.open_task().expect("an open task").id;
        let eidolon = Actor::Eidolon(self.lead.open_task().expect("open").eidolon);
        self.give(eidolon.clone(), Command::Claim { task, holder: "test#1".into() }).expect("claimed");
        let attempt = self.lead.open_task().expect("claimed").attempt;
        let fail = Command::Fail { task, attempt, error: error.into(), retryable: false };
        self.give(eidolon, fail).expect("recorded");
    }

    fn let_go(&mut self) {
        let queued: Vec<_> = self.lead.outbox().filter(|m| m.delivery == Delivery::Queued).map(|m| m.id).collect();
        for message in queued {
            self.give(Actor::Director, Command::Release { message }).expect("released");
            let sending = self.lead.messages.iter().any(|m| m.id == message && m.delivery == Delivery::Sending);
            if sending {
                self.give(Actor::Director, Command::RecordSent { message }).expect("sent");
            }
        }
    }

    /// Works and decides until the client, or nobody, has the turn. People approve everything.
    pub fn settle(&mut self) {
        for _ in 0..40 {
            if self.lead.open_task().is_some() {
                self.work();
            } else if self.lead.pending_approval().is_some() {
                self.decide(true, None);
            } else {
                return;
            }
        }
        panic!("it does not settle: {:?}", self.lead.turn);
    }

    /// Works until an approval of this kind is pending; approves all others.
    pub fn settle_until(&mut self, kind: ApprovalKind) {
        for _ in 0..40 {
            if self.lead.open_task().is_some() {
                self.work();
            } else if let Some(approval) = self.lead.pending_approval() {
                if approval.kind == kind {
                    return;
                }
                self.decide(true, None);
            } else {
                break;
            }
        }
        panic!("{kind:?} is never asked: {:?}", self.lead.turn);
    }

    /// Works until the scope waits for approval, answering the questions once more on the way.
    pub fn settle_until_scope(&mut self) {
        while self.lead.open_task().is_some() {
            self.work();
        }
        if self.lead.pending_approval().is_none() {
            self.hears("That is all we know.");
            self.settle_until(ApprovalKind::Scope);
        }
    }

    pub fn decide(&mut self, approve: bool, reason: Option<&str>) {
        let approval = self.lead.pending_approval().expect("a pending approval").clone();
        for finding in approval.findings.iter().filter(|f| approve && f.weight >= Weight::Blocks) {
            let command = Command::WaiveFinding {
                approval: approval.id,
                rule: finding.rule.clone(),
                place: finding.place.clone(),
                reason: "a person looked at it".into(),
            };
            self.give(person(), command).expect("waived");
        }
        let command = Command::Decide {
            approval: approval.id,
            payload_sha256: approval.payload_sha256,
            approve,
            reason: reason.map(str::to_owned),
        };
        self.give(person(), command).expect("decided");
        self.let_go();
    }

    /// The client writes.
    pub fn hears(&mut self, body: &str) {
        let incoming = Incoming {
            kind: MessageKind::Reply,
            subject: "Re:".into(),
            body: body.into(),
            address: self.lead.contact.email.clone(),
            rfc_id: None,
            in_reply_to: None,
            verified: true,
        };
        self.give(Actor::Client, Command::Receive(Box::new(incoming))).expect("received");
    }

    /// The client signs what waits for a signature.
    pub fn sign(&mut self) {
        let Turn::AwaitingClient(wait) = &self.lead.turn else { panic!("nothing waits: {:?}", self.lead.turn) };
        let document = wait.ask.document().expect("a document to sign");
        self.give(Actor::Client, Command::Sign { document, signer: "The Client".into() }).expect("signed");
    }

    /// Moves the clock to what is due and lets it happen.
    pub fn wait(&mut self) {
        let (at, _) = due(&self.lead, &self.policy).expect("something is due");
        self.now = self.now.max(at);
        self.give(Actor::Director, Command::Wake).expect("woken");
    }

    pub fn ask(&self) -> ClientAsk {
        match &self.lead.turn {
            Turn::AwaitingClient(wait) => wait.ask.clone(),
            other => panic!("it does not wait for the client: {other:?}"),
        }
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.lead.outcome()
    }

    pub fn sent(&self, kind: MessageKind) -> Vec<&Message> {
        self.messages.iter().filter(|m| m.direction == Direction::Out && m.kind == kind).collect()
    }

    pub fn text(&self, file: &str) -> &str {
        let bytes = self.files.get(file).unwrap_or_else(|| panic!("no file {file}; there are {:?}", self.files.keys()));
        std::str::from_utf8(bytes).expect("text")
    }

    /// Plays the client's side of an ordinary project to its end.
    pub fn play_to_the_end(&mut self, answers: &str, yes: &str) {
        self.settle();
        assert_eq!(self.ask(), ClientAsk::Reply);
        self.hears(answers);
        self.settle();
        if self.ask() == ClientAsk::Answers {
            self.hears(answers);
            self.settle();
        }
        assert_eq!(self.ask(), ClientAsk::Decision);
        self.hears(yes);
        self.settle();
        for _ in 0..8 {
            if self.outcome().is_some() {
                return;
            }
            self.sign();
            self.settle();
        }
    }
}
