//! What the core's tests share: a lead under a moved clock, and honest work for every stage.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use max_core::apply::apply;
use max_core::command::{Command, Incoming, Request};
use max_core::decide::{Decision, decide};
use max_core::error::Refusal;
use max_core::event::Entry;
use max_core::id::{Digest, Fresh, LeadId};
use max_core::lead::{Actor, ArtifactRef, ClientAsk, Draft, Lead, MessageKind, NewLead, Task, TaskReason};
use max_core::policy::Policy;
use max_core::stage::Stage;
use max_core::stages::change_order::{Change, ChangeOrder};
use max_core::stages::closer::{AnnexLine, Contract, ContractSigned, Proposal, Sourced, TeamMember};
use max_core::stages::delivery_pm::{
    Cadence, ChangeOrderReady, Class, Closing, Colour, DecisionNeeded, Milestone, MilestoneReady, Plan, ProjectClosed,
    RequestSorted, Risk, Slip, SortedRequest, Standing, StatusReport,
};
use max_core::stages::first_responder::{Profile, Reply};
use max_core::stages::lead_gen::{Decision as Verdict, Factor, Qualification};
use max_core::stages::onboarding::{
    Access, Checklist, Cover, HandOver, Link, Owner, Reminder, Step, StepState, Way, Welcome,
};
use max_core::stages::orchestra::{Face, Mockup, Screen};
use max_core::stages::scoping::{
    Bid, Deliverable, Dependency, Measure, OpenQuestion, Priority, Quality, QualityKind, Question, Questions,
    Requirement, Risk as ScopeRisk, Scope, Term, Users, Wish,
};
use max_core::stages::{Answer, FollowUp, NeedsPerson, Recommendation, StageResult, StoredArtifact, Withdrawn, Work};

/// A Monday morning.
pub const MONDAY: &str = "2026-11-23T09:00:00Z";

/// One lead, its log, and a clock that is moved by hand.
pub struct Case {
    pub lead: Option<Lead>,
    pub log: Vec<Entry>,
    pub now: Timestamp,
    pub policy: Policy,
    pub id: LeadId,
    asked: u128,
}

impl Case {
    pub fn new(policy: Policy) -> Self {
        let now = MONDAY.parse().expect("a timestamp");
        let id = LeadId(Fresh::new(now, 0).uuid());
        Self { lead: None, log: Vec::new(), now, policy, id, asked: 0 }
    }

    /// The ids of the decision to come.
    pub fn fresh(&self) -> Fresh {
        Fresh::new(self.now, self.asked)
    }

    /// What `request` would come to, without carrying it out.
    pub fn would(&self, request: &Request) -> Result<Decision, Refusal> {
        decide(self.lead.as_ref(), self.id, request, &mut self.fresh(), &self.policy)
    }

    /// Decides `request` and carries it out; the entry, if anything happened.
    pub fn ask(&mut self, request: &Request) -> Result<Option<Entry>, Refusal> {
        let decision = self.would(request);
        self.asked += 1;
        let Decision::Events(events) = decision? else { return Ok(None) };
        let entry = Entry {
            lead: self.id,
            version: self.log.len() as u64 + 1,
            at: self.now,
            by: request.by.clone(),
            signal_id: request.signal_id.clone(),
            events,
        };
        self.lead = apply(self.lead.take(), &entry);
        self.log.push(entry.clone());
        Ok(Some(entry))
    }

    pub fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }
}

pub fn person() -> Actor {
    Actor::Person("ada".into())
}

pub fn new_lead() -> NewLead {
    NewLead {
        name: "Mina Berg".into(),
        email: "mina@studio.example".into(),
        company: Some("Studio Berg".into()),
        message: "We need a booking page for our yoga studio. Our budget is 12000 EUR.".into(),
        source: Some("web".into()),
        locale: Some("en".into()),
        ..NewLead::default()
    }
}

pub fn incoming(kind: MessageKind, body: &str, rfc_id: Option<&str>) -> Command {
    Command::Receive(Box::new(Incoming {
        kind,
        subject: "Re: your project".into(),
        body: body.into(),
        address: "mina@studio.example".into(),
        rfc_id: rfc_id.map(str::to_owned),
        in_reply_to: None,
        verified: true,
    }))
}

pub fn ingest() -> Command {
    Command::Ingest { lead: Box::new(new_lead()) }
}

// ---- work --------------------------------------------------------------------------------------------------------

pub fn work(result: StageResult) -> Work {
    let summary = format!("submitted a {}", result.name());
    Work {
        result,
        messages: Vec::new(),
        artifacts: Vec::new(),
        summary,
        voice: "playbook".into(),
        instead_of: Vec::new(),
    }
}

impl WorkExt for Work {
    fn says(mut self, kind: MessageKind, body: &str) -> Work {
        self.messages.push(Draft {
            kind,
            subject: "Your project".into(),
            body: body.into(),
            attachments: Vec::new(),
            written_by: "playbook".into(),
        });
        self
    }

    fn attaches(mut self, name: &str) -> Work {
        self.messages.iter_mut().for_each(|draft| draft.attachments.push(name.into()));
        self
    }

    fn leaves(mut self, name: &str, content: &str) -> Work {
        self.artifacts.push(StoredArtifact {
            name: name.into(),
            sha256: Digest::of(content.as_bytes()),
            bytes: content.len() as u64,
        });
        self
    }
}

/// Short words for building work.
pub trait WorkExt {
    fn says(self, kind: MessageKind, body: &str) -> Work;
    fn leaves(self, name: &str, content: &str) -> Work;
    /// Sends a file along with every message so far.
    fn attaches(self, name: &str) -> Work;
}

pub fn qualification(decision: Verdict) -> Work {
    let (points, evidence) = match decision {
        Verdict::Fit => (70, Some("booking page".to_owned())),
        _ => (0, None),
    };
    let result = work(StageResult::Qualification(Qualification {
        language: "en".into(),
        score: points,
        threshold: 40,
        factors: vec![Factor { name: "need".into(), points, most: 100, evidence }],
        decision,
        reason: "judged by what the lead says".into(),
        services: Vec::new(),
        enrichment: Vec::new(),
        possible_duplicates: Vec::new(),
        next_question: None,
        review_by: Some("hello@agency.example".into()),
        judged: None,
    }));
    match decision {
        Verdict::NotAFit => result.says(
            MessageKind::Decline,
            "Thank you, but we cannot help with this. I am an AI; a review: hello@agency.example.",
        ),
        _ => result,
    }
}

pub fn reply() -> Work {
    let quotes = vec!["booking page".to_owned()];
    work(StageResult::Reply(Reply { language: "en".into(), quotes, ..Reply::default() })).says(
        MessageKind::Reply,
        "You need a booking page: who will use it? I am an AI assistant; a person is at hello@agency.example. Privacy: \
         https://agency.example/privacy",
    )
}

pub fn profile() -> Work {
    work(StageResult::Profile(Profile {
        language: "en".into(),
        address: "informal".into(),
        wants: vec!["a booking page".into()],
        facts: Vec::new(),
    }))
}

pub fn bid() -> Work {
    work(StageResult::Bid(Bid {
        reasons: vec!["it is long".into()],
        characters: 120_000,
        wishes: 200,
        effort_quarter_days: 900,
        declined: None,
    }))
}

pub fn questions() -> Work {
    let question = Question { id: "Q-1".into(), topic: "payment".into(), text: "How do people pay?".into(), round: 1 };
    work(StageResult::Questions(Questions { questions: vec![question], round: 1, earlier: Vec::new() }))
        .says(MessageKind::Questions, "How do people pay?")
}

pub fn the_scope(title: &str) -> Scope {
    let requirement = |id: &str, text: &str, priority, effort| Requirement {
        id: id.into(),
        text: text.into(),
        priority,
        acceptance: "it works in a browser".into(),
        source: "lead".into(),
        quote: "booking page".into(),
        effort_quarter_days: effort,
        ..Requirement::default()
    };
    Scope {
        title: title.into(),
        goal: "bookings without phone calls".into(),
        requirements: vec![
            requirement("R-001", "A guest books a class", Priority::Must, 12),
            requirement("R-002", "A guest cancels a class", Priority::Should, 4),
        ],
        out_of_scope: vec!["an app".into()],
        deliverables: vec![Deliverable {
            id: "D-1".into(),
            name: "The booking page".into(),
            description: "The page on which guests book".into(),
            acceptance: "a guest books".into(),
            requirements: vec!["R-001".into(), "R-002".into()],
            milestone: "first release".into(),
            due: None,
        }],
        measures: vec![Measure {
            text: "Classes are booked without a call".into(),
            number: "40 a week".into(),
            by: Some(date(2027, 6, 30)),
            ..Measure::default()
        }],
        users: vec![Users { text: "Guests of the studio".into(), ..Users::default() }],
        in_scope: vec!["The booking page".into()],
        qualities: [QualityKind::Accessibility, QualityKind::Privacy, QualityKind::Performance, QualityKind::Hosting]
            .map(|of| Quality { of, text: "measured at the end".into() })
            .into(),
        dependencies: vec![Dependency {
            text: "Texts are there before their pages".into(),
            owner: "the client".into(),
            requirements: Vec::new(),
        }],
        risks: vec![ScopeRisk {
            text: "Texts come late".into(),
            effect: "a later date".into(),
            answer: "a reminder".into(),
            owner: "Alex Example".into(),
        }],
        acceptance: "every Must passes its test".into(),
        change_rule: "a change order".into(),
        glossary: vec![Term { term: "guest".into(), means: "whoever books a class".into() }],
        wishes: vec![Wish {
            quote: "We need a booking page for our yoga studio".into(),
            source: "lead".into(),
            met_by: vec!["R-001".into(), "R-002".into()],
            ..Wish::default()
        }],
        open_questions: vec![OpenQuestion {
            id: "Q-1".into(),
            topic: "budget".into(),
            text: "What may it cost?".into(),
            ..OpenQuestion::default()
        }],
        ..Scope::default()
    }
}

pub fn scope(title: &str) -> Work {
    work(StageResult::Scope(the_scope(title))).leaves("scope.json", title)
}

pub fn mockup() -> Work {
    let screen =
        Screen { id: "book".into(), title: "Book".into(), face: Face::Booking, requirements: vec!["R-001".into()] };
    work(StageResult::Mockup(Mockup {
        client: "Studio Berg".into(),
        terms: vec!["yoga studio".into()],
        screens: vec![screen],
        ..Mockup::default()
    }))
    .leaves("mockup.html", "<h1>Book</h1>")
    .says(MessageKind::Mockup, "Here is your mockup.")
}

pub fn the_proposal(policy: &Policy, revision: u32) -> Proposal {
    let scope = the_scope("Booking page");
    let mut offer = Proposal::price(&scope, &policy.rate_card, policy, 0, date(2026, 11, 23));
    offer.revision = revision;
    offer.sections.problem = vec![Sourced { quote: "booking page".into(), source: "lead".into() }];
    offer.sections.excluded = scope.out_of_scope;
    offer.sections.assumptions = vec!["the client provides texts".into()];
    offer.sections.team = vec![TeamMember { name: "Alex Example".into(), role: "project lead".into(), person: true }];
    offer.sections.next_step = "Answer this mail.".into();
    offer.sections.changes = (revision > 1).then(|| "another revision".to_owned()).into_iter().collect();
    offer
}

pub fn proposal(policy: &Policy, revision: u32) -> Work {
    work(StageResult::Proposal(the_proposal(policy, revision)))
        .leaves("proposal.md", &format!("offer {revision}"))
        .says(MessageKind::Proposal, &format!("Here is offer {revision}."))
}

pub fn contract_text(revision: u32) -> String {
    format!("contract on offer {revision}")
}

pub fn contract(policy: &Policy, revision: u32) -> Work {
    let text = contract_text(revision);
    let (offer, scope) = (the_proposal(policy, revision), the_scope("Booking page"));
    let annex = (1u32..).zip(&offer.lines).map(|(price_line, line)| {
        let requirement = scope.requirement(&line.requirements[0]).expect("priced from the scope");
        AnnexLine {
            requirement: requirement.id.clone(),
            text: requirement.text.clone(),
            acceptance: requirement.acceptance.clone(),
            price_line,
            price_minor: line.total_minor,
        }
    });
    work(StageResult::Contract(Contract {
        clauses: [("scope".to_owned(), Digest::of(b"clause"))].into(),
        document: Digest::of(text.as_bytes()),
        file: "contract.md".into(),
        proposal_revision: revision,
        gross_minor: offer.gross_minor,
        option: None,
        scope: None,
        language: String::new(),
        slots: Default::default(),
        currency: offer.currency.clone(),
        net_minor: offer.net_minor,
        vat: offer.vat.clone(),
        schedule: offer.schedule.clone(),
        annex: annex.collect(),
    }))
    .leaves("contract.md", &text)
    .says(MessageKind::Contract, "Here is the contract.")
}

pub fn contract_signed(policy: &Policy) -> Work {
    let proposal = the_proposal(policy, 1);
    let deposit = proposal.schedule.iter().filter(|p| p.on == "signature").map(|p| p.gross_minor).sum();
    work(StageResult::ContractSigned(ContractSigned { deposit_minor: deposit, currency: "EUR".into(), invoice: None }))
}

/// The documents that stand, as a hand-over links them.
fn links(lead: Option<&Lead>) -> Vec<Link> {
    let wanted = |a: &&ArtifactRef| !a.superseded && ["scope.json", "mockup.html"].contains(&a.name.as_str());
    let standing = lead.into_iter().flat_map(|l| &l.artifacts).filter(wanted);
    standing.map(|a| Link { stage: a.stage, name: a.name.clone(), sha256: a.sha256 }).collect()
}

pub fn checklist(lead: Option<&Lead>) -> Work {
    let step = |id: &str, owner, state, proof: &str| Step {
        id: id.into(),
        title: "a step".into(),
        owner,
        state,
        proof: proof.into(),
        undo: "put it back".into(),
        due: Some(date(2027, 1, 4)),
        instructions: "as agreed".into(),
        script: None,
        covers_duty: None,
        covers: (owner == Owner::Agency).then_some(Cover::InvoiceFacts),
        marked: None,
    };
    work(StageResult::Checklist(Checklist {
        steps: vec![
            step("O-1", Owner::Max, StepState::Done, "folder made"),
            step("O-2", Owner::Agency, StepState::Open, ""),
            Step { covers: Some(Cover::DataProcessing), ..step("O-3", Owner::Agency, StepState::Open, "") },
            step("O-4", Owner::Client, StepState::Open, ""),
        ],
        welcome: Welcome {
            agency_contact: "Alex Example".into(),
            client_contact: "Mina Berg".into(),
            approver: "Mina Berg".into(),
            kick_off: Some(date(2027, 1, 4)),
            agenda: vec!["who does what".into()],
            communication: "by mail, answered within a working day".into(),
            status: "a report every week".into(),
        },
        access: vec![Access {
            who: "Alex Example".into(),
            what: "the domain".into(),
            rights: "change records".into(),
            by: Way::Invitation,
        }],
        hand_over: HandOver { documents: links(lead), promises: Vec::new() },
        reminder: Some(Reminder {
            subject: "Still open".into(),
            opening: "These are still open:".into(),
            closing: "An AI wrote this.".into(),
        }),
    }))
    .says(MessageKind::Welcome, "Welcome aboard.")
}

pub fn plan(lead: Option<&Lead>) -> Work {
    let offer = lead.and_then(|l| l.stage_value::<Proposal>(Stage::Closer, "proposal"));
    let gross = offer.as_ref().map_or(0, |p| p.gross_minor);
    let half = gross / 2;
    let milestone = |id: &str, requirement: &str, due, gross_minor| Milestone {
        id: id.into(),
        title: "a milestone".into(),
        requirements: vec![requirement.into()],
        due,
        acceptance: "shown and tried".into(),
        share_basis_points: 5_000,
        gross_minor,
        owner: "Alex Example".into(),
        depends_on: Vec::new(),
    };
    work(StageResult::Plan(Plan {
        start: date(2026, 12, 7),
        milestones: vec![
            milestone("M-1", "R-001", date(2026, 12, 18), half),
            milestone("M-2", "R-002", date(2027, 1, 15), gross - half),
        ],
        check_ins: Vec::new(),
        revision: 1,
        end: None,
        duties: Vec::new(),
        cadence: Cadence::Weekly,
        currency: offer.map(|p| p.currency).unwrap_or_default(),
    }))
    .leaves("plan.md", "the plan")
}

/// One request of each class.
pub fn sorted() -> Work {
    let request = |id: &str, class, requirement: Option<&str>| SortedRequest {
        id: id.into(),
        source: "lead".into(),
        quote: "the button does nothing".into(),
        class,
        requirement: requirement.map(str::to_owned),
        confidence: 80,
        reason: "it names what was agreed on".into(),
        settled: false,
    };
    work(StageResult::RequestSorted(RequestSorted {
        requests: vec![
            request("RQ-1", Class::Defect, Some("R-001")),
            request("RQ-2", Class::InScope, Some("R-001")),
            request("RQ-3", Class::Change, None),
        ],
        mended: Vec::new(),
        dropped: Vec::new(),
        orders_dropped: Vec::new(),
        duties_done: Vec::new(),
    }))
}

/// What the records say on a day, with a new date for whatever is late.
pub fn the_report(lead: &Lead, policy: &Policy, day: Date) -> StatusReport {
    let plan: Plan = lead.stage_value(Stage::DeliveryPM, "plan").expect("a plan");
    let standing = Standing::on(lead, &plan, policy, day);
    let before = lead.stage_value::<StatusReport>(Stage::DeliveryPM, "status_report");
    let late = plan.milestones.iter().filter(|m| standing.slipped.contains(&m.id));
    let forecast = policy.calendar_of(lead).after(day, 5);
    StatusReport {
        number: before.map_or(1, |b| b.number + 1),
        day,
        colour: standing.colour,
        days_late: standing.days_late,
        reason: if standing.colour == Colour::Green { String::new() } else { "work took longer".into() },
        risks: Vec::new(),
        decisions: Vec::new(),
        slips: late.map(|m| Slip { milestone: m.id.clone(), planned: m.due, forecast }).collect(),
        done: standing.done,
        next: standing.next,
        used_minor: standing.used_minor,
        planned_minor: standing.planned_minor,
        total_minor: standing.total_minor,
        currency: plan.currency,
    }
}

pub fn status_report(lead: &Lead, policy: &Policy, day: Date) -> Work {
    work(StageResult::StatusReport(the_report(lead, policy, day)))
        .says(MessageKind::Report, &format!("How it stands on {day}. An AI wrote this; hello@agency.example"))
}

pub fn milestone_text(id: &str) -> String {
    format!("delivered {id}")
}

pub fn milestone_ready(id: &str) -> Work {
    work(StageResult::MilestoneReady(MilestoneReady {
        id: id.into(),
        document: Digest::of(milestone_text(id).as_bytes()),
        file: format!("milestone-{id}.pdf"),
        open_defects: Vec::new(),
        mended: Vec::new(),
    }))
    .leaves(&format!("milestone-{id}.pdf"), &milestone_text(id))
    .says(MessageKind::Milestone, &format!("Milestone {id} is ready. An AI wrote this; hello@agency.example"))
    .attaches(&format!("milestone-{id}.pdf"))
}

/// A change order over something new, for the contract that this lead signed.
pub fn change_order(lead: &Lead, policy: &Policy, number: u32, day: Date) -> Work {
    let added = vec![Requirement {
        id: "R-050".into(),
        text: "A guest pays by card".into(),
        priority: Priority::Should,
        acceptance: "a payment arrives".into(),
        source: "lead".into(),
        quote: lead.contact.message.clone(),
        effort_quarter_days: 8,
        ..Requirement::default()
    }];
    let change = Change {
        number,
        contract: lead.signature.as_ref().expect("a signature").document,
        reason: "the client asked for it".into(),
        source: "lead".into(),
        quote: lead.contact.message.clone(),
        added,
        dropped: Vec::new(),
        shifts: Vec::new(),
    };
    let offer = lead.stage_value::<Proposal>(Stage::Closer, "proposal").expect("an offer");
    let order = ChangeOrder::price(change, &offer, &policy.rate_card, day);
    let (file, text) = (format!("change-orders/CO-{number}.pdf"), format!("change order {number} of {day}"));
    let document = Digest::of(text.as_bytes());
    work(StageResult::ChangeOrder(ChangeOrderReady { order, document, file: file.clone() }))
        .leaves(&file, &text)
        .says(MessageKind::Contract, &format!("Here is change order {number}. An AI wrote this; hello@agency.example"))
        .attaches(&file)
}

/// The closing of a project whose milestones are signed off, by the days that its contract counts.
pub fn closed(lead: &Lead, policy: &Policy) -> Work {
    let mut work = project_closed();
    if let StageResult::ProjectClosed(closed) = &mut work.result {
        let (warranty, kept) = Closing::last_days(lead, policy);
        closed.closing.warranty_until = warranty.or(closed.closing.warranty_until);
        closed.closing.kept_until = kept.or(closed.closing.kept_until);
    }
    work
}

pub fn project_closed() -> Work {
    let closing = Closing {
        hand_over: vec!["the code".into()],
        access_removed: vec!["Alex Example: the domain".into()],
        warranty_until: Some(date(2027, 4, 15)),
        kept_until: Some(date(2028, 1, 15)),
        feedback: "What went well, and what did not?".into(),
    };
    work(StageResult::ProjectClosed(ProjectClosed { reason: "everything is signed off".into(), closing }))
        .says(MessageKind::Closing, "Thank you for working with us.")
}

pub fn follow_up(number: u8, body: &str) -> Work {
    work(StageResult::FollowUp(FollowUp { number })).says(MessageKind::FollowUp, body)
}

pub fn answer(ask: ClientAsk) -> Work {
    work(StageResult::Answer(Answer { ask })).says(MessageKind::Reply, "Good question: yes.")
}

pub fn withdrawn() -> Work {
    work(StageResult::Withdrawn(Withdrawn { reason: "the client chose somebody else".into() }))
}

pub fn needs_person() -> Work {
    work(StageResult::NeedsPerson(NeedsPerson { reason: "the client is angry".into() }))
}

pub fn recommendation(retry: bool) -> Work {
    let advice = if retry { "try again" } else { "call the client" };
    work(StageResult::Recommendation(Recommendation { retry, advice: advice.into() }))
}

/// One of each.
pub fn every_kind_of_work() -> Vec<Work> {
    let policy = Policy::default();
    let reported = work(StageResult::StatusReport(StatusReport {
        number: 1,
        day: date(2026, 12, 14),
        colour: Colour::Green,
        days_late: 0,
        reason: String::new(),
        done: Vec::new(),
        next: vec!["M-1".into()],
        risks: vec![Risk { about: "D-1".into(), text: "the texts are missing".into() }],
        decisions: vec![DecisionNeeded { about: "D-1".into(), text: "send it".into(), by: date(2026, 12, 15) }],
        slips: Vec::new(),
        used_minor: 0,
        planned_minor: 0,
        total_minor: 100,
        currency: "EUR".into(),
    }));
    vec![
        qualification(Verdict::Fit),
        reply(),
        profile(),
        bid(),
        questions(),
        scope("Booking page"),
        mockup(),
        proposal(&policy, 1),
        contract(&policy, 1),
        contract_signed(&policy),
        checklist(None),
        plan(None),
        reported,
        sorted(),
        milestone_ready("M-1"),
        project_closed(),
        follow_up(1, "Still there?"),
        withdrawn(),
        answer(ClientAsk::Milestone { id: "M-1".into(), document: Digest::of(b"it") }),
        needs_person(),
        recommendation(true),
    ]
}

/// What an honest mind submits for this turn. `variant` chooses where there is a choice.
pub fn honest_work(lead: &Lead, task: &Task, policy: &Policy, variant: u8) -> Work {
    match (&task.reason, lead.stage) {
        (TaskReason::Review { .. }, _) => recommendation(variant.is_multiple_of(2)),
        (TaskReason::FollowUp { number, .. }, _) => follow_up(*number, &format!("Still there? ({})", task.id)),
        (_, Stage::LeadGen) => qualification(if variant == 7 { Verdict::NotAFit } else { Verdict::Fit }),
        (TaskReason::StageEntered, Stage::FirstResponder) => reply(),
        (_, Stage::FirstResponder) => profile(),
        (TaskReason::StageEntered, Stage::Scoping) => questions(),
        (_, Stage::Scoping) => scope("Booking page"),
        (_, Stage::Orchestra) => mockup(),
        (reason, Stage::Closer) => closer_work(lead, reason, policy),
        (_, Stage::Onboarding) => checklist(Some(lead)),
        (_, Stage::DeliveryPM) => delivery_work(lead, task, policy),
    }
}

fn closer_work(lead: &Lead, reason: &TaskReason, policy: &Policy) -> Work {
    let offered = lead.stage_value::<Proposal>(Stage::Closer, "proposal");
    match (offered, reason) {
        _ if lead.signature.is_some() => contract_signed(policy),
        (None, _) => proposal(policy, 1),
        (Some(offer), TaskReason::Rejected { .. }) => proposal(policy, offer.revision + 1),
        (Some(offer), _) => contract(policy, offer.revision),
    }
}

fn delivery_work(lead: &Lead, task: &Task, policy: &Policy) -> Work {
    let Some(plan_made) = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan") else { return plan(Some(lead)) };
    if task.reason == TaskReason::Report {
        return status_report(lead, policy, task.opened_at.to_zoned(jiff::tz::TimeZone::UTC).date());
    }
    let open = plan_made.milestones.iter().find(|m| !lead.accepted_milestones.contains_key(&m.id));
    open.map_or_else(|| closed(lead, policy), |m| milestone_ready(&m.id))
}
