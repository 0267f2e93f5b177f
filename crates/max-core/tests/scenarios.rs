//! What happens to a lead, told in the words of the agency: one story per promise of DESIGN 3, 4 and 5.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use common::{
    Case, WorkExt, answer, checklist, contract, contract_signed, contract_text, follow_up, honest_work, incoming,
    ingest, milestone_text, mockup, needs_person, new_lead, person, profile, proposal, qualification, questions,
    recommendation, reply, scope, withdrawn,
};
use insta::{assert_json_snapshot, assert_snapshot};
use jiff::SignedDuration;
use max_core::command::{Command, Import, Request, Seen};
use max_core::decide::{Due, due};
use max_core::effect::{Effect, effects};
use max_core::error::{Refusal, RefusalKind};
use max_core::event::Event;
use max_core::id::{Digest, SignalId};
use max_core::lead::{
    Actor, ApprovalKind, ClientState, Delivery, Lead, MessageKind, Outcome, SigningEvidence, SigningMethod, Status,
    Task, TaskReason, Turn,
};
use max_core::policy::Policy;
use max_core::signal::SignalType;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::lead_gen::Decision as Verdict;
use max_core::stages::orchestra::Change;
use max_core::stages::{StageResult, StoredArtifact, Work};

// ---- the words ---------------------------------------------------------------------------------------------------

/// A lead and what is done to it, one word per thing that people, clients and Eidolons do.
struct Story(Case);

/// A lead that just came in.
fn lead() -> Story {
    lead_under(Policy::default())
}

fn lead_under(policy: Policy) -> Story {
    let mut story = Story(Case::new(policy));
    story.does(Actor::Client, ingest());
    story
}

impl Story {
    fn lead(&self) -> &Lead {
        self.0.lead.as_ref().expect("a lead")
    }

    fn state(&self) -> ClientState {
        ClientState::from(self.lead())
    }

    fn task(&self) -> Task {
        self.lead().open_task().unwrap_or_else(|| panic!("no open task: {:?}", self.lead().turn)).clone()
    }

    /// Carries a command out; the facts it brought about.
    fn does(&mut self, by: Actor, command: Command) -> Vec<Event> {
        let verb = command.verb();
        let entry = self.0.ask(&Request::new(by, command)).unwrap_or_else(|no| panic!("{verb}: {no}"));
        entry.map(|e| e.events).unwrap_or_default()
    }

    fn refused(&mut self, by: Actor, command: Command) -> Refusal {
        let verb = command.verb();
        self.0.ask(&Request::new(by, command)).err().unwrap_or_else(|| panic!("{verb} was not refused"))
    }

    fn claims(&mut self) -> &mut Self {
        let task = self.task().id;
        self.does(Actor::Director, Command::Claim { task, holder: "worker".into() });
        self
    }

    fn submits(&mut self, work: Work) -> &mut Self {
        if self.task().holder.is_none() {
            self.claims();
        }
        let Task { id, attempt, eidolon, .. } = self.task();
        self.does(Actor::Eidolon(eidolon), Command::Submit { task: id, attempt, work: Box::new(work) });
        self
    }

    fn submit_refused(&mut self, work: Work) -> Refusal {
        let Task { id, attempt, .. } = self.claims().task();
        self.refused(Actor::Director, Command::Submit { task: id, attempt, work: Box::new(work) })
    }

    /// What blocks the pending approval: rule and place.
    fn blocking(&self) -> Vec<String> {
        let approval = self.lead().pending_approval().unwrap_or_else(|| panic!("{:?}", self.lead().turn));
        approval.blocking().map(|finding| format!("{} {}", finding.rule, finding.place)).collect()
    }

    fn fails(&mut self, error: &str) -> &mut Self {
        if let Some(at) = self.task().not_before {
            self.0.now = at;
        }
        let Task { id, attempt, .. } = self.claims().task();
        self.does(Actor::Director, Command::Fail { task: id, attempt, error: error.into(), retryable: true });
        self
    }

    fn fails_for_good(&mut self) -> &mut Self {
        for _ in 0..self.0.policy.max_attempts {
            self.fails("no answer within 45 s");
        }
        self
    }

    fn decision(&self, approve: bool, reason: Option<&str>) -> Command {
        let approval = self.lead().pending_approval().unwrap_or_else(|| panic!("{:?}", self.lead().turn));
        let payload_sha256 = approval.payload_sha256;
        Command::Decide { approval: approval.id, payload_sha256, approve, reason: reason.map(str::to_owned) }
    }

    fn approved(&mut self) -> &mut Self {
        let decision = self.decision(true, None);
        self.does(person(), decision);
        self
    }

    fn rejected(&mut self, reason: &str) -> &mut Self {
        let decision = self.decision(false, Some(reason));
        self.does(person(), decision);
        self
    }

    fn client_writes(&mut self, body: &str) -> &mut Self {
        self.client_sends(MessageKind::Reply, body)
    }

    fn client_sends(&mut self, kind: MessageKind, body: &str) -> &mut Self {
        self.does(Actor::Client, incoming(kind, body, None));
        self
    }

    fn client_signs(&mut self, text: &str) -> &mut Self {
        let document = Digest::of(text.as_bytes());
        self.does(Actor::Client, Command::Sign { document, signer: "Mina Berg".into() });
        self
    }

    fn handed_off(&mut self, to: Stage, reason: Option<&str>) -> &mut Self {
        self.does(person(), hand_off(to, reason));
        self
    }

    fn hand_off_refused(&mut self, to: Stage, reason: Option<&str>) -> Refusal {
        self.refused(person(), hand_off(to, reason))
    }

    /// Everything in the outbox leaves.
    fn mail_leaves(&mut self) -> &mut Self {
        for id in self.lead().outbox().map(|m| m.id).collect::<Vec<_>>() {
            self.does(Actor::Director, Command::Release { message: id });
            if self.delivery_of_last_mail() == Delivery::Sending {
                self.does(Actor::Director, Command::RecordSent { message: id });
            }
        }
        self
    }

    fn delivery_of_last_mail(&self) -> Delivery {
        self.lead().messages.last().expect("a message").delivery
    }

    /// Waits until something is due, and lets it happen.
    fn waits(&mut self) -> Due {
        let (at, what) = due(self.lead(), &self.0.policy).expect("something is due");
        self.0.now = self.0.now.max(at);
        self.does(Actor::Director, Command::Wake);
        what
    }

    /// Days since the story began.
    fn day(&self) -> i64 {
        let start = common::MONDAY.parse().expect("a timestamp");
        self.0.now.duration_since(start).as_hours() / 24
    }

    /// Works honestly, agrees to everything and answers for the client until the lead is in `stage`.
    fn reaches(&mut self, stage: Stage) -> &mut Self {
        while self.lead().stage != stage {
            self.goes_on();
        }
        self
    }

    /// The same until the client is asked to sign something.
    fn reaches_signature(&mut self) -> &mut Self {
        while !matches!(&self.lead().turn, Turn::AwaitingClient(wait) if wait.ask.document().is_some()) {
            self.goes_on();
        }
        self
    }

    fn goes_on(&mut self) {
        match self.lead().turn.clone() {
            Turn::Working(task) => {
                let work = honest_work(self.lead(), &task, &self.0.policy, 0);
                self.submits(work);
            }
            Turn::AwaitingApproval(_) => drop(self.approved()),
            Turn::AwaitingClient(wait) => match wait.ask.document() {
                Some(document) => {
                    drop(self.does(Actor::Client, Command::Sign { document, signer: "Mina Berg".into() }))
                }
                None => drop(self.client_writes("Yes please.")),
            },
            turn => panic!("stands still: {turn:?}"),
        }
    }

    /// Status, what it waits for and what to do, in three lines.
    fn stands(&self) -> String {
        let state = self.state();
        let status = state.status.name();
        let waits = state.data.get("waiting_for").and_then(|w| w["kind"].as_str()).unwrap_or("-");
        format!("{} {status}\nwaits for: {waits}\n{}", state.current_stage, state.next_action)
    }
}

fn hand_off(to: Stage, reason: Option<&str>) -> Command {
    let reason = reason.map(str::to_owned);
    Command::HandOff { to: Some(to), expected: None, summary: "ready".into(), reason }
}

fn close(outcome: Outcome) -> Command {
    Command::Close { outcome, reason: "on request".into(), merged_into: None }
}

// ---- moves -------------------------------------------------------------------------------------------------------

#[test]
fn a_lead_walks_from_the_first_message_to_the_sign_off() {
    let mut story = lead();
    let mut seen = Vec::new();
    while story.lead().outcome().is_none() {
        seen.push(story.stands());
        story.goes_on();
    }
    seen.push(story.stands());
    assert_eq!(story.lead().outcome(), Some(Outcome::Delivered));
    assert_snapshot!("the whole way", seen.join("\n\n"));
}

#[test]
fn a_lead_that_is_not_a_fit_ends_with_a_polite_answer() {
    let mut story = lead();
    story.submits(qualification(Verdict::NotAFit)).mail_leaves();
    assert_eq!(story.lead().outcome(), Some(Outcome::Disqualified));
    assert_eq!(story.delivery_of_last_mail(), Delivery::Sent);
    assert_snapshot!(story.stands(), @r"
    LeadGen completed
    waits for: -
    Nothing: closed as disqualified (judged by what the lead says).
    ");
}

#[test]
fn a_handoff_goes_one_forward_back_with_a_reason_or_past_a_stage_with_one() {
    let mut story = lead();
    story.claims();
    let task = story.task();
    story.handed_off(Stage::FirstResponder, None);
    assert_eq!(story.task().eidolon, Eidolon::FirstResponder);
    // Whoever worked on LeadGen is fenced.
    let late = Command::Submit { task: task.id, attempt: 1, work: Box::new(qualification(Verdict::Fit)) };
    assert_eq!(story.refused(Actor::Director, late).kind, RefusalKind::Fenced);

    assert_snapshot!(story.hand_off_refused(Stage::Orchestra, None), @"cannot hand off a lead that is in_progress in FirstResponder (working): going past a stage from FirstResponder to Orchestra needs a reason; allowed: hand off to Scoping, past a stage to Orchestra or Closer or Onboarding or DeliveryPM with a reason, back to LeadGen with a reason, take over, close with a reason");
    assert_snapshot!(story.hand_off_refused(Stage::LeadGen, Some("  ")), @"cannot hand off a lead that is in_progress in FirstResponder (working): going back from FirstResponder to LeadGen needs a reason; allowed: hand off to Scoping, past a stage to Orchestra or Closer or Onboarding or DeliveryPM with a reason, back to LeadGen with a reason, take over, close with a reason");
    assert_snapshot!(story.hand_off_refused(Stage::FirstResponder, Some("again")), @"cannot hand off a lead that is in_progress in FirstResponder (working): it is in FirstResponder already; allowed: hand off to Scoping, past a stage to Orchestra or Closer or Onboarding or DeliveryPM with a reason, back to LeadGen with a reason, take over, close with a reason");
    assert_snapshot!(story.refused(Actor::Eidolon(Eidolon::Closer), hand_off(Stage::Scoping, None)), @"cannot hand off a lead that is in_progress in FirstResponder (working): a handoff is a person's move; a voice submits its task; allowed: hand off to Scoping, past a stage to Orchestra or Closer or Onboarding or DeliveryPM with a reason, back to LeadGen with a reason, take over, close with a reason");

    story.handed_off(Stage::Orchestra, Some("the client sent a scope"));
    assert_snapshot!(story.stands(), @r"
    Orchestra awaiting_human
    waits for: need
    Orchestra waits for an approved scope: hand the lead back to Scoping with a reason.
    ");
    story.handed_off(Stage::Scoping, Some("nobody approved it"));
    assert_eq!(story.lead().status(), Status::InProgress);
    let moves: Vec<_> = story.lead().history.iter().map(|t| (t.from_stage, t.to_stage, t.summary.as_str())).collect();
    assert_json_snapshot!(moves);
}

#[test]
fn the_same_transition_twice_moves_once() {
    let mut story = lead();
    let transition = |previous| Command::HandOff {
        to: Some(Stage::FirstResponder),
        expected: Some(previous),
        summary: "qualified".into(),
        reason: None,
    };
    let drop_box = || Actor::Signal("LeadGen".into());
    assert!(!story.does(drop_box(), transition(Stage::LeadGen)).is_empty());
    assert!(story.does(drop_box(), transition(Stage::LeadGen)).is_empty(), "it is there already");
    let wrong = Command::HandOff {
        to: Some(Stage::Orchestra),
        expected: Some(Stage::Scoping),
        summary: String::new(),
        reason: None,
    };
    assert_snapshot!(story.refused(drop_box(), wrong), @"cannot hand off a lead that is in_progress in FirstResponder (working): previous_stage is Scoping, but the lead is in FirstResponder; allowed: hand off to Scoping, past a stage to Orchestra or Closer or Onboarding or DeliveryPM with a reason, back to LeadGen with a reason, take over, close with a reason");

    // With an id, the id alone decides.
    let signal_id = Some(SignalId::try_from("t-1".to_owned()).expect("an id"));
    let next = Command::HandOff { to: None, expected: None, summary: "ready".into(), reason: None };
    let request = Request::new(person(), next).by_signal(signal_id);
    assert!(story.0.ask(&request).expect("it moves").is_some());
    assert_eq!(story.0.ask(&request), Ok(None));
    assert_eq!(story.lead().stage, Stage::Scoping);
}

#[test]
fn an_entered_stage_is_told_by_a_transition_signal() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit));
    let entry = story.0.log.last().expect("an entry").clone();
    let all = effects(story.lead(), &entry);
    let [Effect::Deliver { to, signal, .. }] = &all[..] else { panic!("{all:?}") };
    assert_eq!((*to, signal.kind), (Eidolon::FirstResponder, SignalType::PipelineTransition));
    assert_eq!(signal.previous_stage.as_deref(), Some("LeadGen"));
    assert_eq!(signal.next_stage.as_deref(), Some("FirstResponder"));
}

#[test]
fn rework_voids_what_was_agreed_and_marks_later_files() {
    let mut story = lead();
    story.reaches(Stage::Orchestra).submits(mockup());
    let approval = story.lead().pending_approval().expect("an approval").clone();
    story.handed_off(Stage::Scoping, Some("a requirement is missing"));
    assert_eq!(story.lead().approved_scope, None);
    assert!(story.lead().artifact(Stage::Orchestra, "mockup.html").is_some_and(|a| a.superseded));
    assert!(story.lead().artifact(Stage::Scoping, "scope.json").is_some_and(|a| !a.superseded));
    let late =
        Command::Decide { approval: approval.id, payload_sha256: approval.payload_sha256, approve: true, reason: None };
    assert_eq!(story.refused(person(), late).kind, RefusalKind::NotFound);
    assert!(story.lead().outbox().all(|m| m.kind != MessageKind::Mockup), "a handoff sends nothing");
    // Forward again without a new approval: the stage names what it misses.
    story.handed_off(Stage::Orchestra, None);
    assert_snapshot!(story.stands(), @r"
    Orchestra awaiting_human
    waits for: need
    Orchestra waits for an approved scope: hand the lead back to Scoping with a reason.
    ");
}

#[test]
fn after_the_signature_the_way_back_is_a_change_order() {
    let mut story = lead();
    story.reaches(Stage::Onboarding);
    assert_snapshot!(story.hand_off_refused(Stage::Scoping, Some("one more screen")), @"cannot hand off a lead that is in_progress in Onboarding (working): the contract is signed; the way back is a change order; allowed: hand off to DeliveryPM, take over, close with a reason");
}

#[test]
fn a_project_under_way_comes_in_where_it_stands() {
    let values = serde_json::to_value(common::the_scope("Booking page")).expect("a scope as JSON");
    let import = |stage, signed| {
        let data = [(Stage::Scoping, serde_json::Map::from_iter([("scope".to_owned(), values.clone())]))].into();
        let (lead, artifacts) = (new_lead(), Vec::new());
        Command::Import(Box::new(Import { lead, stage, data, artifacts, approved_scope: None, signed }))
    };
    let mut signed = Story(Case::new(Policy::default()));
    signed.does(Actor::Import("ada".into()), import(Stage::DeliveryPM, true));
    assert_eq!(signed.task().eidolon, Eidolon::DeliveryPM);
    signed.reaches_signature().client_signs(&milestone_text("M-1"));

    let mut unsigned = Story(Case::new(Policy::default()));
    unsigned.does(Actor::Import("ada".into()), import(Stage::Onboarding, false));
    assert_snapshot!(unsigned.stands(), @r"
    Onboarding awaiting_human
    waits for: need
    Onboarding waits for the client's signature under the contract: record the signature, or hand the lead back to Closer with a reason.
    ");
    // A person records the signature, then confirms the deposit, and work begins.
    unsigned.does(person(), Command::Sign { document: Digest::of(b"paper"), signer: "Mina Berg".into() });
    assert_snapshot!(unsigned.stands(), @r"
    Onboarding awaiting_human
    waits for: approval
    Decide: confirm that the deposit of Mina Berg arrived.
    ");
    unsigned.rejected("not on the account");
    assert_snapshot!(unsigned.stands(), @r"
    Onboarding awaiting_human
    waits for: need
    Onboarding waits for the deposit: retry once it has arrived.
    ");
    unsigned.does(person(), Command::Retry);
    unsigned.approved();
    assert_eq!(unsigned.task().eidolon, Eidolon::Onboarding);
}

// ---- approvals ---------------------------------------------------------------------------------------------------

#[test]
fn an_approval_is_bound_to_exactly_what_was_shown() {
    let mut story = lead();
    story.reaches(Stage::Scoping).submits(questions()).client_writes("By card.").submits(scope("Booking page"));
    let approval = story.lead().pending_approval().expect("an approval").clone();
    assert_eq!(approval.kind, ApprovalKind::Scope);
    let decide =
        |payload_sha256, approve| Command::Decide { approval: approval.id, payload_sha256, approve, reason: None };
    let other = story.refused(person(), decide(Digest::of(b"another scope"), true));
    assert!(other.reason.starts_with("what goes out has changed"), "{other}");
    let voice = story.refused(Actor::Eidolon(Eidolon::Scoping), decide(approval.payload_sha256, true));
    assert_eq!(voice.reason, "only a person decides an approval");
    let bare = story.refused(person(), decide(approval.payload_sha256, false));
    assert_eq!((bare.kind, bare.reason.contains("reason")), (RefusalKind::Invalid, true));

    story.rejected("say what is not part of it");
    assert_eq!(story.task().reason, TaskReason::Rejected { reason: "say what is not part of it".into() });
    // A second copy of the verdict is a repeat, the opposite verdict is not.
    let reason = Some("say what is not part of it".to_owned());
    let again =
        Command::Decide { approval: approval.id, payload_sha256: approval.payload_sha256, approve: false, reason };
    assert!(story.does(person(), again).is_empty());
    let opposite = story.refused(person(), decide(approval.payload_sha256, true));
    assert!(opposite.reason.ends_with("was rejected before"), "{opposite}");

    story.submits(scope("Booking page, no app")).approved();
    assert_eq!(story.lead().stage, Stage::Orchestra);
    assert_eq!(story.lead().approved_scope, Some(Digest::of(b"Booking page, no app")));
}

#[test]
fn an_attachment_from_an_earlier_turn_is_part_of_what_is_approved() {
    let mut story = lead();
    story.reaches(Stage::Closer).submits(proposal(&Policy::default(), 1)).approved().client_writes("Once more?");
    let mut work = proposal(&Policy::default(), 2);
    work.artifacts.clear();
    work.messages[0].attachments.push("proposal.md".into());
    story.submits(work);
    let approval = story.lead().pending_approval().expect("an approval");
    assert_eq!(approval.artifacts[0].sha256, Digest::of(b"offer 1"));
}

#[test]
fn a_word_of_the_client_voids_a_pending_approval() {
    let mut story = lead();
    story.reaches(Stage::Orchestra).submits(mockup()).client_writes("Wait, one more thing.");
    assert!(matches!(story.task().reason, TaskReason::ClientMessage { .. }));
    story.submits(mockup());
    assert_eq!(story.lead().artifact(Stage::Orchestra, "mockup.html").map(|a| a.version), Some(1));
}

#[test]
fn an_approval_nobody_decides_is_reminded_then_escalated_and_still_decidable() {
    let mut story = lead();
    story.reaches(Stage::Orchestra).submits(mockup());
    assert_eq!(story.waits(), Due::Remind);
    assert_eq!(story.waits(), Due::Overdue);
    assert_snapshot!(story.stands(), @r"
    Orchestra escalated
    waits for: escalation
    Decide the approval, retry, hand off or close this lead: nobody decided in time: send the mockup to Mina Berg: 1 screen.
    ");
    story.approved();
    assert_eq!((story.lead().stage, story.lead().status()), (Stage::Closer, Status::InProgress));
}

// ---- messages and time -------------------------------------------------------------------------------------------

#[test]
fn a_silent_client_is_reminded_on_the_calendar_and_then_lost_and_a_reply_reopens() {
    let mut story = lead();
    story.reaches(Stage::Closer).submits(proposal(&Policy::default(), 1)).approved();
    let mut days = Vec::new();
    for number in 1..=4 {
        assert_eq!(story.waits(), Due::FollowUp { number, last: number == 4 });
        days.push(story.day());
        let same = follow_up(number, "Here is offer 1.");
        assert_eq!(story.submit_refused(same).findings[0].rule, "FU-3");
        story.submits(follow_up(number, &format!("Reminder {number}"))).mail_leaves();
    }
    // Day 5 is a Saturday: the reminder waits for Monday.
    assert_eq!(days, [2, 7, 10, 21]);
    assert_snapshot!(story.stands(), @r"
    Closer completed
    waits for: -
    Nothing: closed as lost (the client stayed silent through all follow-ups).
    ");
    assert_eq!(due(story.lead(), &story.0.policy), None);
    story.client_writes("Sorry, I was away. Yes!");
    assert_eq!(story.lead().stage, Stage::Closer);
    assert!(matches!(story.task().reason, TaskReason::ClientMessage { .. }));
}

#[test]
fn a_long_stop_does_not_pour_out_all_reminders_at_once() {
    let mut story = lead();
    story.reaches(Stage::Closer).submits(proposal(&Policy::default(), 1)).approved();
    story.0.pass(SignedDuration::from_hours(24 * 30));
    story.waits();
    let before = story.0.now;
    story.submits(follow_up(1, "Reminder 1"));
    story.waits();
    assert!(story.0.now.duration_since(before) >= SignedDuration::from_hours(20), "{before} {}", story.0.now);
}

#[test]
fn an_out_of_office_answer_moves_the_sequence_and_is_no_reply() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(reply());
    let (before, _) = due(story.lead(), &story.0.policy).expect("a follow-up");
    story.0.pass(SignedDuration::from_hours(24));
    story.client_sends(MessageKind::OutOfOffice, "I am away.");
    assert_eq!(story.lead().unanswered, 0);
    let (after, _) = due(story.lead(), &story.0.policy).expect("a follow-up");
    assert_eq!(after.duration_since(before), SignedDuration::from_hours(24));
}

#[test]
fn a_bounce_calls_a_person_and_stops_what_is_automatic() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(reply());
    story.client_sends(MessageKind::Bounce, "no such user");
    assert_snapshot!(story.stands(), @r"
    FirstResponder escalated
    waits for: escalation
    Retry, hand off or close this lead: the client's address bounces; find another way to reach them.
    ");
    story.does(person(), Command::Retry);
    assert_snapshot!(story.stands(), @r"
    FirstResponder awaiting_human
    waits for: client
    Reach the client another way (the address bounced) for the reply.
    ");
    assert_eq!(due(story.lead(), &story.0.policy), None);
    // What still waits in the outbox is held, and said.
    story.mail_leaves();
    assert_eq!((story.delivery_of_last_mail(), story.lead().status()), (Delivery::Received, Status::Escalated));
    assert!(story.lead().messages.iter().any(|m| m.delivery == Delivery::Held));
}

#[test]
fn an_opt_out_ends_a_lead_but_not_a_signed_project() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(reply()).client_sends(MessageKind::OptOut, "stop");
    assert_eq!(story.lead().outcome(), Some(Outcome::Lost));
    let mut signed = lead();
    signed.reaches(Stage::DeliveryPM).client_sends(MessageKind::OptOut, "stop");
    assert_eq!((signed.lead().outcome(), signed.lead().status()), (None, Status::Escalated));
}

#[test]
fn the_same_mail_twice_is_one_message() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(reply());
    let mail = || incoming(MessageKind::Reply, "Yes.", Some("a@b"));
    assert!(!story.does(Actor::Client, mail()).is_empty());
    assert!(story.does(Actor::Client, mail()).is_empty());
}

// ---- signatures --------------------------------------------------------------------------------------------------

#[test]
fn a_signature_wins_the_race_against_a_reminder_and_against_an_answer() {
    let mut reminded = lead();
    reminded.reaches_signature();
    reminded.waits();
    assert!(matches!(reminded.claims().task().reason, TaskReason::FollowUp { .. }));
    reminded.client_signs(&contract_text(1));
    assert_eq!(reminded.task().reason, TaskReason::Signed);

    let mut asked = lead();
    asked.reaches_signature().client_writes("Is the tax in it?").client_signs(&contract_text(1));
    assert_eq!(asked.task().reason, TaskReason::Signed);
}

#[test]
fn an_old_version_is_not_signed() {
    let policy = Policy::default();
    let mut story = lead();
    story.reaches_signature().client_writes("Cheaper, please.").submits(proposal(&policy, 2));
    let old = Command::Sign { document: Digest::of(contract_text(1).as_bytes()), signer: "Mina Berg".into() };
    assert_eq!(story.refused(Actor::Client, old.clone()).reason, "nothing waits for a signature");
    story.approved().client_writes("Yes.").submits(contract(&policy, 2)).approved();
    assert_eq!(story.refused(Actor::Client, old).reason, "another version of the document waits for the signature");
    story.client_signs(&contract_text(2));
}

#[test]
fn a_signature_under_an_escalation_is_not_asked_for_again() {
    let mut story = lead();
    story.reaches_signature();
    story.does(person(), Command::Escalate { reason: "they phoned, angry".into() });
    story.client_signs(&contract_text(1));
    assert_eq!(story.lead().status(), Status::Escalated);
    story.does(person(), Command::Retry);
    story.submits(contract_signed(&Policy::default()));
    assert_eq!(story.lead().pending_approval().map(|a| a.kind), Some(ApprovalKind::Deposit));
}

#[test]
fn a_deposit_of_nothing_or_of_the_wrong_sum_passes_nobody_by() {
    let nothing = Policy { deposit_basis_points: 0, ..Policy::default() };
    let mut story = lead_under(nothing.clone());
    story.reaches_signature().client_signs(&contract_text(1)).submits(contract_signed(&nothing));
    assert_eq!((story.lead().stage, story.lead().status()), (Stage::Onboarding, Status::InProgress));

    let mut story = lead();
    story.reaches_signature().client_signs(&contract_text(1));
    assert_eq!(story.submit_refused(contract_signed(&nothing)).findings[0].rule, "X-5");
}

#[test]
fn an_answer_cannot_ask_for_a_signature_that_nobody_approved() {
    let mut story = lead();
    story.reaches_signature().client_writes("Is the tax in it?");
    let forged = max_core::lead::ClientAsk::Signature { document: Digest::of(b"another contract") };
    assert_eq!(story.submit_refused(answer(forged)).findings[0].rule, "PC-12");
}

// ---- people ------------------------------------------------------------------------------------------------------

#[test]
fn a_take_over_stops_the_ai_until_the_lead_is_handed_back() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(reply());
    story.does(person(), Command::TakeOver);
    assert_snapshot!(story.stands(), @r"
    FirstResponder awaiting_human
    waits for: take_over
    ada has taken over; hand the lead back when done.
    ");
    // The reply has not left yet: it stays here, and the client was never asked.
    let id = story.lead().outbox().next().expect("the reply").id;
    story.does(Actor::Director, Command::Release { message: id });
    assert_eq!(story.delivery_of_last_mail(), Delivery::Held);
    story.client_writes("Hello?");
    assert_eq!(story.lead().open_task(), None);
    story.does(person(), Command::Send { subject: "Hello".into(), body: "I am here.".into() });
    story.mail_leaves();
    assert_eq!(story.delivery_of_last_mail(), Delivery::Sent);
    let grace = Actor::Person("grace".into());
    assert!(story.refused(grace, Command::TakeOver).reason.contains("has taken over already"));
    story.does(person(), Command::HandBack);
    assert_eq!(story.task().reason, TaskReason::HandedBack);
}

#[test]
fn a_take_over_fences_the_running_turn_and_the_review() {
    let mut story = lead();
    let task = story.claims().task();
    story.does(person(), Command::TakeOver);
    let late = Command::Submit { task: task.id, attempt: 1, work: Box::new(qualification(Verdict::Fit)) };
    assert_eq!(story.refused(Actor::Director, late).kind, RefusalKind::Fenced);

    let mut failed = lead();
    let review = failed.fails_for_good().claims().task();
    failed.does(person(), Command::TakeOver);
    let advice = Command::Submit { task: review.id, attempt: 1, work: Box::new(recommendation(true)) };
    assert_eq!(failed.refused(Actor::Director, advice).kind, RefusalKind::Fenced);
    failed.does(person(), Command::Retry);
    assert_eq!(failed.lead().open_task(), None, "not before it is handed back");
    failed.does(person(), Command::HandBack);
    assert_eq!(failed.lead().status(), Status::InProgress);
}

#[test]
fn an_interrupted_reminder_returns_to_the_calendar() {
    let mut story = lead();
    story.reaches(Stage::Closer).submits(proposal(&Policy::default(), 1)).approved();
    assert_eq!(story.waits(), Due::FollowUp { number: 1, last: false });
    story.does(person(), Command::TakeOver);
    story.does(person(), Command::HandBack);
    assert_eq!(story.waits(), Due::FollowUp { number: 1, last: false });
}

#[test]
fn exhausted_attempts_go_to_the_core_orchestra_and_then_to_people() {
    let mut story = lead();
    story.fails("no answer within 45 s");
    assert_snapshot!(story.stands(), @r"
    LeadGen in_progress
    waits for: -
    LILLy tries LeadGen again at 2026-11-23T09:00:01Z.
    ");
    for _ in 1..4 {
        story.fails("no answer within 45 s");
    }
    assert_snapshot!(story.stands(), @r"
    LeadGen failed
    waits for: escalation
    Retry, hand off or close this lead: LeadGen failed 4 times: no answer within 45 s. The Core Orchestra is looking at it.
    ");
    assert_eq!(story.task().eidolon, Eidolon::Mach42v2);
    story.submits(recommendation(true));
    assert_eq!((story.task().eidolon, story.task().attempt), (Eidolon::LeadGen, 0));

    // A second round fails too: now the Core Orchestra may only recommend.
    story.fails_for_good().submits(recommendation(true));
    assert_snapshot!(story.stands(), @r"
    LeadGen failed
    waits for: escalation
    Retry, hand off or close this lead: LeadGen failed 4 times: no answer within 45 s. The Core Orchestra recommends: try again.
    ");
    assert_eq!(story.lead().open_task(), None);
    story.does(person(), Command::Retry);
    story.submits(qualification(Verdict::Fit));
    assert_eq!(story.lead().stage, Stage::FirstResponder);
}

#[test]
fn a_person_hands_an_exhausted_lead_on() {
    let mut story = lead();
    story.fails_for_good().handed_off(Stage::FirstResponder, None);
    assert_eq!((story.lead().status(), &story.lead().escalation), (Status::InProgress, &None));
}

#[test]
fn nobody_waits_for_a_back_off_once_the_cause_is_mended() {
    let mut story = lead();
    let old = story.fails("the disk is full").task();
    story.does(person(), Command::Retry);
    assert_ne!(story.task().id, old.id);
    assert_eq!(story.task().not_before, None);
    story.claims();
    assert_snapshot!(story.refused(person(), Command::Retry), @"cannot retry a lead that is in_progress in LeadGen (working): there is nothing to retry; allowed: hand off to FirstResponder, past a stage to Scoping or Orchestra or Closer or Onboarding or DeliveryPM with a reason, take over, close with a reason");
}

#[test]
fn the_core_orchestras_retry_leaves_a_pending_approval_alone() {
    let mut story = lead();
    story.reaches(Stage::Orchestra).submits(mockup());
    story.does(Actor::Eidolon(Eidolon::Orchestra), Command::Escalate { reason: "unsure".into() });
    story.submits(recommendation(true));
    assert_eq!(story.lead().pending_approval().map(|a| a.kind), Some(ApprovalKind::Mockup));
    assert_eq!(story.lead().status(), Status::AwaitingHuman);
}

#[test]
fn what_has_ended_is_reopened_and_what_is_erased_stays_so() {
    let mut story = lead();
    story.does(person(), close(Outcome::Lost));
    assert!(story.does(person(), close(Outcome::Lost)).is_empty());
    assert_snapshot!(story.hand_off_refused(Stage::Scoping, Some("back")), @"cannot hand off a lead that is completed in LeadGen (completed): its outcome is lost; reopen it first; allowed: reopen with a reason");
    story.does(person(), Command::Reopen { reason: "they called".into() });
    assert_eq!(story.task().reason, TaskReason::Reopened);
    story.does(person(), close(Outcome::Lost));
    assert_eq!(story.refused(person(), close(Outcome::Erased)).kind, RefusalKind::Invalid, "closing erases nothing");
    story.does(person(), Command::RequestErasure { reason: "on request".into(), asked_by: "ada".into() });
    story.approved();
    assert_snapshot!(story.refused(person(), Command::Reopen { reason: "please".into() }), @"cannot reopen a lead that is completed in LeadGen (completed): what is erased stays erased");
}

#[test]
fn a_milestone_is_never_closed_by_silence() {
    let mut story = lead();
    story.reaches(Stage::DeliveryPM).reaches_signature();
    for number in 1..=3 {
        assert_eq!(story.waits(), Due::FollowUp { number, last: false });
        story.submits(follow_up(number, &format!("Reminder {number}")));
    }
    assert_eq!(story.waits(), Due::Silent);
    assert_snapshot!(story.stands(), @r"
    DeliveryPM escalated
    waits for: escalation
    Retry, hand off or close this lead: the client does not answer; DeliveryPM waits for the sign-off of milestone M-1.
    ");
    story.does(person(), Command::Retry);
    assert_eq!(story.waits(), Due::FollowUp { number: 1, last: false });
}

// ---- checks ------------------------------------------------------------------------------------------------------

#[test]
fn a_mind_that_cannot_go_on_calls_for_help_and_a_client_who_says_no_is_let_go() {
    let mut story = lead();
    story.submits(qualification(Verdict::Fit)).submits(needs_person());
    assert_eq!((story.lead().status(), story.task().eidolon), (Status::Escalated, Eidolon::Mach42v2));
    let mut story = lead();
    story.reaches(Stage::Closer).submits(withdrawn());
    assert_eq!(story.lead().outcome(), Some(Outcome::Lost));
}

#[test]
fn work_that_fails_its_checks_is_refused_and_nothing_changes() {
    let mut story = lead();
    story.reaches(Stage::FirstResponder);
    let wrong_stage = story.submit_refused(checklist(None));
    assert_eq!(wrong_stage.kind, RefusalKind::Checks);
    let odd = profile().leaves("../escape", "x").says(MessageKind::Reply, "Dear {{name}}");
    let rules: Vec<_> = story.submit_refused(odd).findings.into_iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["X-2", "FR-4", "X-4"]);
    let mut twice = profile().leaves("a.md", "1");
    twice.artifacts.push(StoredArtifact { name: "a.md".into(), sha256: Digest::of(b"2"), bytes: 1 });
    assert_eq!(story.submit_refused(twice).findings[0].rule, "X-4");
    assert_eq!(story.lead().status(), Status::InProgress);
}

// ---- the mockup --------------------------------------------------------------------------------------------------

#[test]
fn mk_3_terms_are_the_clients_own() {
    let mut story = lead();
    story.reaches(Stage::Orchestra);
    let with = |term: &str| {
        let mut work = mockup();
        let StageResult::Mockup(mockup) = &mut work.result else { panic!("a mockup") };
        mockup.terms = vec![term.into()];
        work
    };
    let said = story.lead().contact.message.split_whitespace().take(3).collect::<Vec<_>>().join(" ").to_uppercase();
    assert_eq!(story.submits(with("Quantum Spa Package")).blocking(), ["MK-3 terms[0]"]);
    story.rejected("that is not his word");
    assert_eq!(story.submits(with(&said)).blocking(), Vec::<String>::new());
    story.rejected("once more");
    let mut other = with(&said);
    let StageResult::Mockup(mockup) = &mut other.result else { panic!("a mockup") };
    mockup.client = "Another Studio".into();
    assert_eq!(story.submits(other).blocking(), ["MK-3 client"]);
}

#[test]
fn mk_9_a_new_version_names_the_feedback_it_answers() {
    let mut story = lead();
    story.reaches(Stage::Orchestra).submits(mockup());
    let rejected = story.lead().pending_approval().expect("an approval").id;
    story.rejected("show the timetable first");
    let again = |feedback: Option<String>| {
        let mut work = mockup();
        work.artifacts.clear();
        let StageResult::Mockup(mockup) = &mut work.result else { panic!("a mockup") };
        mockup.changes = feedback
            .map(|feedback| Change { feedback, text: "the timetable comes first".into() })
            .into_iter()
            .collect();
        work.leaves("mockup.html", "<p>another</p>")
    };
    for unknown in [None, Some("m-1".into()), Some("move-99".into())] {
        let blocking = story.submits(again(unknown.clone())).blocking();
        assert!(blocking.iter().any(|one| one.starts_with("MK-9")), "{unknown:?}: {blocking:?}");
        story.rejected("say what it answers");
    }
    assert_eq!(story.submits(again(Some(rejected.to_string()))).blocking(), Vec::<String>::new());
}

// ---- the signature -----------------------------------------------------------------------------------------------

fn signing(document: Digest, evidence: SigningEvidence) -> Request {
    let seen = Seen { signing: Some(Box::new(evidence)), ..Seen::default() };
    Request::new(Actor::Client, Command::Sign { document, signer: "Mina Berg".into() }).having_seen(seen)
}

#[test]
fn pc_11_a_signature_carries_its_evidence() {
    let mut story = lead();
    story.reaches_signature();
    let document = Digest::of(contract_text(1).as_bytes());
    let whole = SigningEvidence {
        method: SigningMethod::Portal,
        consent: "I agree to sign electronically.".into(),
        consent_version: "1".into(),
        ip: "203.0.113.9".into(),
        user_agent: "Example/1.0".into(),
        ..SigningEvidence::default()
    };
    for missing in [
        SigningEvidence { consent: " ".into(), ..whole.clone() },
        SigningEvidence { consent_version: String::new(), ..whole.clone() },
        SigningEvidence { ip: String::new(), ..whole.clone() },
        SigningEvidence { user_agent: String::new(), ..whole.clone() },
        SigningEvidence { method: SigningMethod::Api, consent: String::new(), ..whole.clone() },
        SigningEvidence { user_agent: "x".repeat(5_000), ..whole.clone() },
    ] {
        let refusal = story.0.ask(&signing(document, missing)).expect_err("refused");
        assert_eq!(refusal.kind, RefusalKind::Invalid);
    }
    assert!(story.lead().signature.is_none());
    story.0.ask(&signing(document, whole.clone())).expect("signed");
    let signature = story.lead().signature.clone().expect("a signature");
    let address = story.lead().contact.email.clone();
    assert_eq!(signature.evidence.as_deref(), Some(&SigningEvidence { address, ..whole }));
    assert_eq!((signature.document, signature.signer.as_str()), (document, "Mina Berg"));
}

#[test]
fn a_signature_that_a_person_records_says_so_and_old_logs_still_fold() {
    let mut story = lead();
    story.reaches_signature().client_signs(&contract_text(1));
    let evidence = story.lead().signature.as_ref().and_then(|s| s.evidence.clone()).expect("evidence");
    assert_eq!(evidence.method, SigningMethod::Recorded);
    let old =
        serde_json::json!({"type": "DocumentSigned", "document": Digest::of(b"x"), "signer": "A", "milestone": null});
    let event: Event = serde_json::from_value(old).expect("an event of before there was evidence");
    assert!(matches!(event, Event::DocumentSigned { evidence: None, .. }));
}

#[test]
fn pc_12_a_signed_file_is_never_replaced() {
    let mut story = lead();
    story.reaches_signature().client_signs(&contract_text(1));
    let mut work = contract_signed(&story.0.policy);
    work.artifacts.clear();
    let file = story.lead().artifacts.iter().find(|a| a.sha256 == Digest::of(contract_text(1).as_bytes()));
    let name = file.expect("the contract").name.clone();
    let refused = story.submit_refused(work.clone().leaves(&name, "another text"));
    assert_eq!((refused.findings[0].rule.as_str(), refused.findings[0].place.as_str()), ("PC-12", name.as_str()));
    story.submits(work.leaves(&name, &contract_text(1)).leaves("contract-signed.pdf", "with its certificate"));
}
