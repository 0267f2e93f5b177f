//! A project of forty requirements, carried from its enquiry to its contract by the real rules and the playbook: in
//! memory, with a person who approves and a client who accepts.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use max_adapters::agency::Agency;
use max_adapters::voices::playbook::Playbook;
use max_core::apply::apply;
use max_core::command::{Command, Incoming, Request};
use max_core::decide::{Decision, decide};
use max_core::event::{Entry, Event};
use max_core::id::{Digest, Fresh, LeadId};
use max_core::lead::{Actor, ClientAsk, Delivery, Direction, Lead, Message, MessageKind, NewLead, Turn};
use max_core::policy::Policy;
use max_core::rules::Weight;
use max_core::stage::Stage;
use max_core::stages::closer::{self, Contract, Proposal};
use max_core::stages::orchestra::Mockup;
use max_core::stages::scoping::Scope;
use max_core::stages::{Finding, StageResult, StoredArtifact, Work};
use max_documents::{Lang, Letterhead};
use max_engine::ports::Brief;

use crate::config::Config;
use crate::wiring;

/// What the project's documents are written from.
#[derive(Clone)]
pub struct Project {
    pub agency: Arc<Agency>,
    pub policy: Arc<Policy>,
    pub lead: Lead,
    pub scope: Scope,
    pub mockup: Mockup,
    pub offer: Proposal,
    pub contract: Contract,
    pub now: Timestamp,
    /// What checks held against it on the way and a person let pass.
    pub waived: Vec<Finding>,
}

impl Project {
    /// Plays the project up to its contract.
    ///
    /// # Errors
    /// When the built-in agency folder cannot be read or a step is refused, which is a fault of this build.
    pub fn play() -> anyhow::Result<Project> {
        let agency = Arc::new(Agency::load(None).context("the built-in agency folder")?);
        let policy = Arc::new(wiring::policy(&Config::default(), &agency));
        let mut desk = Desk::open(Arc::clone(&agency), policy)?;
        desk.carry_to_the_contract()?;
        let Desk { lead, policy, now, waived, .. } = desk;
        let of = |stage: Stage, key: &str| format!("the {key} of {}", stage.name());
        let (scope, mockup) = (Stage::Scoping, Stage::Orchestra);
        Ok(Project {
            scope: lead.stage_value(scope, "scope").with_context(|| of(scope, "scope"))?,
            mockup: lead.stage_value(mockup, "mockup").with_context(|| of(mockup, "mockup"))?,
            offer: closer::agreed(&lead).with_context(|| of(Stage::Closer, "offer"))?,
            contract: lead.stage_value(Stage::Closer, "contract").with_context(|| of(Stage::Closer, "contract"))?,
            agency,
            policy,
            lead,
            now,
            waived,
        })
    }

    /// The same project of another client, whose name stands in every document.
    #[must_use]
    pub fn of_client(&self, number: usize) -> Project {
        let mut other = self.clone();
        let name = format!("{COMPANY} {number}");
        let renamed = |text: &str| text.replace(COMPANY, &name);
        other.lead.contact.company = Some(name.clone());
        other.scope.title = renamed(&self.scope.title);
        other.mockup.client = renamed(&self.mockup.client);
        other.contract.slots.values_mut().for_each(|value| *value = renamed(value));
        other
    }

    /// Who writes to whom.
    pub fn head(&self) -> Letterhead {
        let profile = &self.agency.profile;
        Letterhead {
            agency: profile.name.clone(),
            agency_address: profile.address.join(", "),
            agency_mail: profile.mail.clone(),
            client: self.lead.contact.company.clone().unwrap_or_default(),
            person: self.lead.contact.name.clone(),
            disclosure: self.agency.disclosure(Lang::En).to_owned(),
            date: self.now.to_zoned(TimeZone::UTC).date(),
        }
    }
}

/// The lead on its way: one log in memory.
struct Desk {
    lead: Lead,
    messages: Vec<Message>,
    policy: Arc<Policy>,
    playbook: Playbook,
    now: Timestamp,
    steps: u128,
    waived: Vec<Finding>,
}

/// More turns than this and it does not end.
const TURNS_AT_MOST: usize = 60;

impl Desk {
    fn open(agency: Arc<Agency>, policy: Arc<Policy>) -> anyhow::Result<Self> {
        // A Monday at ten in the morning in Berlin.
        let now: Timestamp = "2026-11-23T09:00:00Z".parse()?;
        let id = LeadId(uuid::Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0040));
        let new = NewLead {
            name: "Erin Example".into(),
            email: "erin@example.com".into(),
            company: Some(COMPANY.into()),
            message: ENQUIRY.into(),
            locale: Some("en".into()),
            ..NewLead::default()
        };
        let request = Request::new(Actor::Client, Command::Ingest { lead: Box::new(new) });
        let decision = decide(None, id, &request, &mut Fresh::new(now, 1), &policy).map_err(refused)?;
        let Decision::Events(events) = decision else { bail!("a new lead is taken in") };
        let entry = Entry { lead: id, version: 1, at: now, by: Actor::Client, signal_id: None, events };
        let lead = apply(None, &entry).context("the lead")?;
        let first = lead.messages.first().context("the first message")?;
        let messages = vec![Message {
            id: first.id,
            direction: Direction::In,
            kind: MessageKind::Reply,
            stage: lead.stage,
            at: now,
            by: Actor::Client,
            subject: String::new(),
            body: ENQUIRY.into(),
            attachments: Vec::new(),
            rfc_id: String::new(),
            in_reply_to: None,
            references: Vec::new(),
            address: lead.contact.email.clone(),
            written_by: None,
            verified: true,
        }];
        Ok(Self { lead, messages, policy, playbook: Playbook::new(agency), now, steps: 1, waived: Vec::new() })
    }

    fn carry_to_the_contract(&mut self) -> anyhow::Result<()> {
        for _ in 0..TURNS_AT_MOST {
            if self.lead.open_task().is_some() {
                self.work()?;
            } else if self.lead.pending_approval().is_some() {
                self.approve()?;
            } else {
                let Turn::AwaitingClient(wait) = &self.lead.turn else {
                    bail!("the project stopped: {:?}", self.lead.turn)
                };
                match wait.ask {
                    ClientAsk::Signature { .. } => return Ok(()),
                    ClientAsk::Decision => self.hear(YES)?,
                    _ => self.hear(ANSWERS)?,
                }
            }
        }
        bail!("the project has no contract after {TURNS_AT_MOST} turns")
    }

    fn give(&mut self, by: Actor, command: Command) -> anyhow::Result<()> {
        self.steps += 1;
        self.now += SignedDuration::from_mins(61);
        let request = Request::new(by.clone(), command);
        let mut fresh = Fresh::new(self.now, self.steps);
        let decision = decide(Some(&self.lead), self.lead.id, &request, &mut fresh, &self.policy).map_err(refused)?;
        let Decision::Events(events) = decision else { return Ok(()) };
        for event in &events {
            if let Event::MessageQueued { message } | Event::MessageReceived { message } = event {
                self.messages.push((**message).clone());
            }
        }
        let version = self.lead.version + 1;
        let entry = Entry { lead: self.lead.id, version, at: self.now, by, signal_id: None, events };
        self.lead = apply(Some(self.lead.clone()), &entry).context("the lead")?;
        Ok(())
    }

    fn work(&mut self) -> anyhow::Result<()> {
        let open = self.lead.open_task().context("an open task")?;
        let (task, eidolon) = (open.id, Actor::Eidolon(open.eidolon));
        self.give(eidolon.clone(), Command::Claim { task, holder: "bench#1".into() })?;
        let open = self.lead.open_task().context("the claimed task")?.clone();
        let attempt = open.attempt;
        let brief = Brief {
            lead: Arc::new(self.lead.clone()),
            attempt,
            task: open,
            messages: self.messages.clone(),
            policy: Arc::clone(&self.policy),
            now: self.now,
            findings: Vec::new(),
            related: Vec::new(),
        };
        let thought = self.playbook.work(&brief).map_err(|fail| anyhow::anyhow!("the playbook: {fail:?}"))?;
        if let StageResult::NeedsPerson(needed) = &thought.result {
            bail!("a person is needed: {}", needed.reason);
        }
        let stored = thought.files.iter().map(|file| StoredArtifact {
            name: file.name.clone(),
            sha256: Digest::of(&file.bytes),
            bytes: file.bytes.len() as u64,
        });
        let work = Work {
            artifacts: stored.collect(),
            result: thought.result,
            messages: thought.messages,
            summary: thought.summary,
            voice: "playbook".into(),
        };
        self.give(eidolon, Command::Submit { task, attempt, work: Box::new(work) })?;
        self.let_go()
    }

    fn approve(&mut self) -> anyhow::Result<()> {
        let person = Actor::Person("bench".into());
        let approval = self.lead.pending_approval().context("a pending approval")?.clone();
        for finding in approval.findings.iter().filter(|f| f.weight >= Weight::Blocks) {
            let command = Command::WaiveFinding {
                approval: approval.id,
                rule: finding.rule.clone(),
                place: finding.place.clone(),
                reason: "the benchmark's client wants everything".into(),
            };
            self.give(person.clone(), command)?;
            self.waived.push(finding.clone());
        }
        let (id, payload_sha256) = (approval.id, approval.payload_sha256);
        self.give(person, Command::Decide { approval: id, payload_sha256, approve: true, reason: None })?;
        self.let_go()
    }

    fn let_go(&mut self) -> anyhow::Result<()> {
        let queued: Vec<_> = self.lead.outbox().filter(|m| m.delivery == Delivery::Queued).map(|m| m.id).collect();
        for message in queued {
            self.give(Actor::Director, Command::Release { message })?;
            if self.lead.messages.iter().any(|m| m.id == message && m.delivery == Delivery::Sending) {
                self.give(Actor::Director, Command::RecordSent { message })?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, body: &str) -> anyhow::Result<()> {
        let incoming = Incoming {
            kind: MessageKind::Reply,
            subject: String::new(),
            body: body.into(),
            address: self.lead.contact.email.clone(),
            rfc_id: None,
            in_reply_to: None,
            verified: true,
        };
        self.give(Actor::Client, Command::Receive(Box::new(incoming)))
    }
}

fn refused(refusal: max_core::error::Refusal) -> anyhow::Error {
    let findings: Vec<String> = refusal.findings.iter().map(|f| format!("{}: {}", f.rule, f.detail)).collect();
    anyhow::anyhow!("{} ({})", refusal.reason, findings.join("; "))
}

/// How the client is called; no word of it stands elsewhere in his texts.
const COMPANY: &str = "Example Bakery";

/// What the client says to the offer.
const YES: &str = "Great, we accept the offer.";

/// What he says to every question.
pub const ANSWERS: &str = "Our customers are regulars of seven branches who order on the phone today. We have all texts and \
                       photos. English only. The owner decides. Our till stays. The budget is \
                       95,000 EUR, and it should be live by the end of June 2027.";

/// Forty wishes, an item each.
pub const ENQUIRY: &str = include_str!("enquiry.txt");
