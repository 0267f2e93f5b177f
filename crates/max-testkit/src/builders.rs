//! Leads and log entries as the product makes them: decided, applied and sealed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use max_core::apply::apply;
use max_core::command::{Command, Request};
use max_core::decide::{Decision, decide, due};
use max_core::event::Entry;
use max_core::id::{Digest, Fresh, LeadId};
use max_core::lead::{Actor, Lead, NewLead};
use max_core::policy::Policy;
use max_core::stages::scoping::{
    Deliverable, Dependency, Measure, OpenQuestion, Priority, Quality, QualityKind, Requirement, Risk, Scope, Term,
    Users, Wish,
};
use max_core::stages::{StageResult, StoredArtifact, Work};
use max_engine::ports::{OnceKey, Seal, Write};
use uuid::Uuid;

/// A lead with a name, an address made from it, and a message.
pub fn new_lead(name: &str) -> NewLead {
    NewLead {
        name: name.into(),
        email: format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
        message: format!("Hello, this is {name}. We need a new web site."),
        ..NewLead::default()
    }
}

/// The moment every story begins at.
pub fn beginning() -> Timestamp {
    "2026-11-23T09:00:00.123456789Z".parse().expect("a moment")
}

/// One lead's story: each step is decided, applied and sealed, and moves the story on by a second.
#[derive(Clone, Debug)]
pub struct Story {
    /// The rules it is decided under.
    pub policy: Policy,
    /// When the next step happens.
    pub now: Timestamp,
    id: LeadId,
    lead: Option<Arc<Lead>>,
}

impl Story {
    /// A story that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let now = beginning();
        let id = LeadId(Fresh::new(now, entropy()).uuid());
        Self { policy: Policy::default(), now, id, lead: None }
    }

    /// A story with its first step, the ingestion of [`new_lead`].
    pub fn of(name: &str) -> (Self, Write) {
        Self::with(new_lead(name))
    }

    /// A story with its first step, the ingestion of this lead.
    pub fn with(lead: NewLead) -> (Self, Write) {
        let mut story = Self::new();
        let write = story.step(Actor::Person("test".into()), Command::Ingest { lead: Box::new(lead) });
        (story, write)
    }

    /// The lead's id, also before the first step.
    pub fn id(&self) -> LeadId {
        self.id
    }

    /// The lead after the steps so far.
    ///
    /// # Panics
    /// Before the first step.
    pub fn lead(&self) -> &Arc<Lead> {
        self.lead.as_ref().expect("the story has begun")
    }

    /// The next step, asked for by a person of the agency.
    pub fn person(&mut self, command: Command) -> Write {
        self.step(Actor::Person("test".into()), command)
    }

    /// The next step.
    ///
    /// # Panics
    /// When the core refuses it or it changes nothing.
    pub fn step(&mut self, by: Actor, command: Command) -> Write {
        self.request(Request::new(by, command))
    }

    /// The next step, as a whole request.
    ///
    /// # Panics
    /// When the core refuses it or it changes nothing.
    pub fn request(&mut self, request: Request) -> Write {
        self.now += SignedDuration::from_secs(1);
        let mut fresh = Fresh::new(self.now, entropy());
        let events = match decide(self.lead.as_deref(), self.id, &request, &mut fresh, &self.policy) {
            Ok(Decision::Events(events)) => events,
            other => panic!("expected events, got {other:?}"),
        };
        let before = self.lead.as_deref();
        let entry = Entry {
            lead: self.id,
            version: before.map_or(0, |l| l.version) + 1,
            at: self.now,
            by: request.by,
            signal_id: request.signal_id,
            events,
        };
        let payload = serde_json::to_vec(&entry.events).expect("events serialise");
        let seal = Seal::new(before.map_or(Digest([0; 32]), |l| l.chain), &entry, &payload);
        let mut after = apply(before.cloned(), &entry).expect("the entry begins or continues a lead");
        after.chain = seal.chain;
        let after = Arc::new(after);
        self.lead = Some(Arc::clone(&after));
        let wake_at = due(&after, &self.policy).map(|(at, _)| at);
        Write { entry, seal, payload, after, wake_at, idempotency: None }
    }

    /// A handoff to the next stage.
    pub fn hand_off(&mut self) -> Write {
        self.person(Command::HandOff {
            to: None,
            expected: None,
            summary: "ready for the next stage".into(),
            reason: None,
        })
    }

    /// From the ingestion to a scope that waits for approval.
    pub fn to_scope_approval(&mut self) -> Vec<Write> {
        let mut writes = vec![self.hand_off(), self.hand_off()];
        let task = self.lead().open_task().expect("an open task").id;
        let eidolon = Actor::Eidolon(max_core::stage::Eidolon::Scoping);
        writes.push(self.step(eidolon.clone(), Command::Claim { task, holder: "test-1".into() }));
        writes.push(self.step(eidolon, Command::Submit { task, attempt: 1, work: Box::new(scope_work()) }));
        writes
    }
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

/// A write under an idempotency key.
#[must_use]
pub fn keyed(mut write: Write, key: &str) -> Write {
    write.idempotency = Some(OnceKey { key: key.into(), body: Digest::of(key.as_bytes()) });
    write
}

/// A scope that passes its checks.
pub fn scope_work() -> Work {
    let requirement = Requirement {
        id: "R-001".into(),
        text: "The site lists the products.".into(),
        priority: Priority::Must,
        acceptance: "All products are on the page.".into(),
        source: "lead".into(),
        quote: "We need a new web site".into(),
        effort_quarter_days: 8,
        ..Requirement::default()
    };
    let scope = Scope {
        title: "Web site".into(),
        goal: "A new web site".into(),
        requirements: vec![requirement],
        out_of_scope: vec!["A shop".into()],
        open_questions: vec![OpenQuestion {
            id: "Q-1".into(),
            topic: "budget".into(),
            text: "Who writes the texts, and what may it cost?".into(),
            ..OpenQuestion::default()
        }],
        deliverables: vec![Deliverable {
            id: "D-1".into(),
            name: "The site".into(),
            description: "The web site with its products".into(),
            acceptance: "All products are on the page.".into(),
            requirements: vec!["R-001".into()],
            milestone: "first release".into(),
            due: None,
        }],
        measures: vec![Measure {
            text: "Products are found without a call".into(),
            number: "100 %".into(),
            by: Some(jiff::civil::date(2027, 6, 30)),
            ..Measure::default()
        }],
        users: vec![Users { text: "The client's customers".into(), ..Users::default() }],
        in_scope: vec!["The site".into()],
        qualities: [QualityKind::Accessibility, QualityKind::Privacy, QualityKind::Performance, QualityKind::Hosting]
            .map(|of| Quality { of, text: "measured at the end".into() })
            .into(),
        dependencies: vec![Dependency {
            text: "Texts are there before their pages".into(),
            owner: "the client".into(),
            requirements: Vec::new(),
        }],
        risks: vec![Risk {
            text: "Texts come late".into(),
            effect: "a later date".into(),
            answer: "a reminder".into(),
            owner: "the agency".into(),
        }],
        acceptance: "Every Must passes its test.".into(),
        change_rule: "A change order.".into(),
        glossary: vec![Term { term: "product".into(), means: "what the client sells".into() }],
        wishes: vec![Wish {
            quote: "We need a new web site".into(),
            source: "lead".into(),
            met_by: vec!["R-001".into()],
            ..Wish::default()
        }],
        ..Scope::default()
    };
    let file = serde_json::to_vec(&scope).expect("a scope serialises");
    Work {
        artifacts: vec![StoredArtifact {
            name: "scope.json".into(),
            sha256: Digest::of(&file),
            bytes: file.len() as u64,
        }],
        result: StageResult::Scope(scope),
        messages: Vec::new(),
        summary: "the scope is written".into(),
        voice: "playbook".into(),
        instead_of: Vec::new(),
    }
}

/// Chance, so that two stories never meet.
fn entropy() -> u128 {
    Uuid::new_v4().as_u128()
}
