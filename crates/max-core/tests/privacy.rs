//! What the law asks of a lead: consent, disclosure, restriction at once, and erasure by two different hands.

#[expect(dead_code, reason = "each test file uses its own part")]
mod common;

use common::{Case, honest_work, incoming, ingest, new_lead, person};
use max_core::apply::apply;
use max_core::command::{Command, Incoming, Request};
use max_core::decide::{Decision, due};
use max_core::effect::{Effect, Notice, effects};
use max_core::event::{Entry, Event};
use max_core::lead::{
    Actor, ApprovalKind, ClientState, Delivery, Draft, Lead, MessageKind, NewLead, Outcome, Purpose, Status, Wish,
};
use max_core::policy::Policy;

const WISH: &str = "Hello, please delete all my data. Mina";

fn case() -> Case {
    let mut case = Case::new(Policy::default());
    give(&mut case, person(), ingest());
    case
}

fn give(case: &mut Case, by: Actor, command: Command) -> Vec<Event> {
    let verb = command.verb();
    let entry = case.ask(&Request::new(by, command)).unwrap_or_else(|no| panic!("{verb}: {no}"));
    entry.map(|e| e.events).unwrap_or_default()
}

fn lead(case: &Case) -> &Lead {
    case.lead.as_ref().expect("a lead")
}

fn from(address: &str, body: &str) -> Command {
    Command::Receive(Box::new(Incoming {
        kind: MessageKind::Reply,
        subject: "My data".into(),
        body: body.into(),
        address: address.into(),
        rfc_id: None,
        in_reply_to: None,
        verified: false,
    }))
}

fn decide(case: &mut Case, approve: bool) -> Vec<Event> {
    let approval = lead(case).pending_approval().expect("an approval").clone();
    let reason = (!approve).then(|| "it was not the client".to_owned());
    let decide = Command::Decide { approval: approval.id, payload_sha256: approval.payload_sha256, approve, reason };
    give(case, person(), decide)
}

/// A person has made sure in another way who asked.
fn waive_the_asker(case: &mut Case) {
    let approval = lead(case).pending_approval().expect("an approval").id;
    let (rule, place, reason) = ("ID-1".into(), "asked_by".into(), "called back the number on file".into());
    give(case, person(), Command::WaiveFinding { approval, rule, place, reason });
}

/// A house whose pages clients can reach.
fn reachable() -> Case {
    let mut case = Case::new(Policy { portal_url: "https://agency.example".into(), ..Policy::default() });
    give(&mut case, person(), ingest());
    until_a_mail_waits(&mut case);
    case
}

/// The link that was mailed last, and to which address.
fn link(events: &[Event]) -> (String, String) {
    let mails = events.iter().filter_map(|e| match e {
        Event::MessageQueued { message } if message.kind == MessageKind::Identity => Some(message),
        _ => None,
    });
    let [mail] = mails.collect::<Vec<_>>()[..] else { panic!("one mail with a link: {events:?}") };
    let link = mail.body.split_whitespace().find(|word| word.starts_with("https://")).expect("a link");
    (link.rsplit('/').next().expect("a token").to_owned(), mail.address.clone())
}

#[test]
fn id_1_an_erasure_waits_until_it_is_known_who_asked() {
    let mut case = reachable();
    let asked = give(&mut case, Actor::Client, from("mina@studio.example", WISH));
    let (token, to) = link(&asked);
    assert_eq!(to, "mina@studio.example");
    let mail = lead(&case).messages.last().expect("a mail").id;
    let gone = give(&mut case, Actor::Director, Command::Release { message: mail });
    assert!(
        matches!(&gone[..], [Event::MessageReleased { .. }]),
        "the link leaves although all else is stopped: {gone:?}"
    );
    let approval = lead(&case).pending_approval().expect("an approval").clone();
    let yes =
        Command::Decide { approval: approval.id, payload_sha256: approval.payload_sha256, approve: true, reason: None };
    let no = case.would(&Request::new(person(), yes.clone())).expect_err("nobody knows who asked");
    assert!(no.findings.iter().any(|f| f.rule == "ID-1"), "{no:?}");
    // A second mail of the same kind sends no second link, and a wrong link confirms nothing.
    let again = give(&mut case, Actor::Client, from("mina@studio.example", WISH));
    assert!(!again.iter().any(|e| matches!(e, Event::IdentityAsked { .. })), "{again:?}");
    let confirm = |token: &str| Request::new(Actor::Client, Command::ConfirmIdentity { token: token.into() });
    assert!(case.would(&confirm("0000")).is_err());
    give(&mut case, Actor::Client, Command::ConfirmIdentity { token: token.clone() });
    assert_eq!(case.would(&confirm(&token)), Ok(Decision::Repeat), "once");
    let title = &lead(&case).pending_approval().expect("it still waits for a person").title;
    assert!(title.contains("it is known that it was the client"), "{title}");
    assert!(case.would(&Request::new(person(), yes)).is_ok());
}

#[test]
fn a_look_alike_gets_nothing_and_the_address_on_file_gets_the_link() {
    for address in ["mina@studio.exampl3", "mina@ѕtudio.example", "someone@else.example"] {
        let mut case = reachable();
        let events = give(&mut case, Actor::Client, from(address, WISH));
        let (token, to) = link(&events);
        assert_eq!(to, "mina@studio.example", "never to {address}");
        assert!(!lead(&case).is_restricted(), "nothing is stopped by a stranger");
        // The client himself asked from another address of his: his click is what counts.
        give(&mut case, Actor::Client, Command::ConfirmIdentity { token });
        assert!(lead(&case).is_restricted());
        assert!(lead(&case).pending_approval().expect("asked").findings.is_empty());
    }
}

#[test]
fn a_link_counts_for_three_days() {
    let mut case = reachable();
    let (token, _) = link(&give(&mut case, Actor::Client, from("mina@studio.example", WISH)));
    case.pass(jiff::SignedDuration::from_hours(73));
    let confirm = Request::new(Actor::Client, Command::ConfirmIdentity { token });
    assert!(case.would(&confirm).expect_err("refused").reason.contains("too old"));
}

#[test]
fn a_copy_of_the_data_is_behind_the_same_link() {
    let mut case = reachable();
    let wish = "Please send me a copy of my data.";
    let events = give(&mut case, Actor::Client, from("mina@studio.exampl3", wish));
    let (token, to) = link(&events);
    assert_eq!(to, "mina@studio.example");
    assert!(!lead(&case).is_restricted(), "a copy stops nothing");
    give(&mut case, Actor::Client, Command::ConfirmIdentity { token });
    let check = lead(&case).privacy.identity.as_ref().expect("a check");
    assert!(check.wish == Wish::Export && check.confirmed_at.is_some());
    // Where clients cannot reach their pages, a person has to do it.
    let mut alone = self::case();
    until_a_mail_waits(&mut alone);
    give(&mut alone, Actor::Client, from("mina@studio.example", wish));
    assert_eq!(lead(&alone).status(), Status::Escalated);
    assert!(lead(&alone).escalation.as_ref().is_some_and(|e| e.reason.contains("max lead export")));
}

/// Works until a message to the client waits.
fn until_a_mail_waits(case: &mut Case) -> max_core::id::MessageId {
    for _ in 0..6 {
        if let Some(waiting) = lead(case).outbox().next() {
            return waiting.id;
        }
        let task = lead(case).open_task().expect("a task").clone();
        give(case, Actor::Director, Command::Claim { task: task.id, holder: "worker".into() });
        let task = lead(case).open_task().expect("a task").clone();
        let work = honest_work(lead(case), &task, &case.policy, 0);
        give(
            case,
            Actor::Eidolon(task.eidolon),
            Command::Submit { task: task.id, attempt: task.attempt, work: Box::new(work) },
        );
    }
    panic!("no mail: {:?}", lead(case).turn);
}

#[test]
fn a_request_restricts_at_once_and_erases_nothing() {
    let mut case = case();
    let mail = until_a_mail_waits(&mut case);
    give(&mut case, person(), Command::RequestErasure { reason: "by telephone".into(), asked_by: "Mina Berg".into() });
    assert!(lead(&case).is_restricted() && lead(&case).open_task().is_none());
    assert_eq!(lead(&case).status(), Status::AwaitingHuman);
    assert_eq!(lead(&case).contact.name, "Mina Berg", "nothing is erased yet");
    let held = give(&mut case, Actor::Director, Command::Release { message: mail });
    assert!(matches!(&held[..], [Event::MessageHeld { .. }]), "{held:?}");
    let refused = case.would(&Request::new(person(), Command::Retry)).expect_err("refused");
    assert!(refused.to_string().contains("erasure"), "{refused}");
    let again = Command::RequestErasure { reason: String::new(), asked_by: String::new() };
    assert_eq!(case.would(&Request::new(person(), again)), Ok(Decision::Repeat));
    let state = ClientState::from(lead(&case));
    assert_eq!(state.data["waiting_for"]["approval"], "erasure");
    assert!(due(lead(&case), &case.policy).is_some(), "people are reminded");
}

#[test]
fn only_a_person_erases_and_only_after_a_request() {
    let mut case = case();
    let by = |by: Actor, command: Command| Request::new(by, command);
    let wish = || Command::RequestErasure { reason: String::new(), asked_by: String::new() };
    for actor in [Actor::Client, Actor::Director, Actor::Eidolon(max_core::stage::Eidolon::Closer)] {
        assert!(case.would(&by(actor, wish())).is_err());
    }
    assert!(case.would(&by(person(), Command::Erase)).is_err(), "no way past the approval");
    give(&mut case, person(), wish());
    let approval = lead(&case).pending_approval().expect("an approval").clone();
    assert_eq!(approval.kind, ApprovalKind::Erasure);
    let decide = |by: Actor, sha| {
        let decide = Command::Decide { approval: approval.id, payload_sha256: sha, approve: true, reason: None };
        case.would(&Request::new(by, decide))
    };
    assert!(decide(Actor::Director, approval.payload_sha256).is_err());
    assert!(decide(person(), max_core::id::Digest::of(b"something else")).is_err());
    assert!(decide(person(), approval.payload_sha256).is_ok());
}

#[test]
fn an_approved_erasure_leaves_a_shell_and_the_blanked_log_folds_to_the_same() {
    let mut case = case();
    until_a_mail_waits(&mut case);
    give(&mut case, Actor::Client, incoming(MessageKind::Reply, WISH, Some("m1@studio.example")));
    assert!(lead(&case).privacy.asked.as_ref().is_some_and(|a| a.from_client));
    waive_the_asker(&mut case);
    decide(&mut case, true);
    let shell = lead(&case).clone();
    assert_eq!((shell.outcome(), shell.status()), (Some(Outcome::Erased), Status::Completed));
    let text = serde_json::to_string(&ClientState::from(&shell)).expect("JSON");
    for word in ["Mina", "studio.example", "yoga", "Berg", "12000"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let left = case.log.last().and_then(|e| e.events.iter().find(|e| matches!(e, Event::LeadErased { .. }))).cloned();
    let mut folded = None;
    for entry in &case.log {
        let events = if entry.version == 1 { vec![left.clone().expect("the event")] } else { Vec::new() };
        folded = apply(folded, &Entry { events, ..entry.clone() });
    }
    assert_eq!(folded.as_ref(), Some(&shell));
    // Nothing brings it back, and a second copy of the decision is known.
    for command in
        [Command::Reopen { reason: "please".into() }, from("mina@studio.example", "hello?"), Command::TakeOver]
    {
        let refused = case.would(&Request::new(person(), command)).expect_err("refused");
        assert!(refused.to_string().contains("what is erased stays erased"), "{refused}");
    }
    let id = *shell.decided.keys().next().expect("the approval");
    let again =
        Command::Decide { approval: id, payload_sha256: max_core::id::Digest::of(b""), approve: true, reason: None };
    assert_eq!(case.would(&Request::new(person(), again)), Ok(Decision::Repeat));
    assert_eq!(due(&shell, &case.policy), None);
}

#[test]
fn a_rejected_erasure_lets_the_lead_go_on() {
    let mut case = case();
    give(&mut case, person(), Command::RequestErasure { reason: String::new(), asked_by: String::new() });
    decide(&mut case, false);
    assert!(!lead(&case).is_restricted());
    assert!(lead(&case).open_task().is_some(), "the work is taken up again");
}

#[test]
fn a_mail_from_another_address_changes_nothing_and_says_nothing() {
    for address in ["mina@studio.exampl3", "mina@studio-example.com", "mina@ѕtudio.example", "someone@else.example"] {
        let mut case = case();
        until_a_mail_waits(&mut case);
        let before = lead(&case).messages.len();
        give(&mut case, Actor::Client, from(address, WISH));
        assert!(!lead(&case).is_restricted() && lead(&case).pending_approval().is_none(), "{address}");
        assert_eq!(lead(&case).status(), Status::Escalated, "a person looks at it");
        let out = lead(&case).messages.iter().skip(before).filter(|m| m.delivery == Delivery::Queued).count();
        assert_eq!(out, 0, "nothing is said");
    }
}

#[test]
fn the_address_on_file_asks_a_person_and_people_are_told_how_sure_that_is() {
    let mut case = case();
    give(&mut case, Actor::Client, from(" Mina@Studio.example ", WISH));
    let approval = lead(&case).pending_approval().expect("an approval");
    assert!(approval.title.contains("make sure that it was the client"), "{}", approval.title);
    let told = effects(lead(&case), case.log.last().expect("an entry"));
    assert!(told.iter().any(|e| matches!(e, Effect::Notify { notice: Notice::Approval { .. } })), "{told:?}");
    assert_eq!(lead(&case).contact.name, "Mina Berg");
}

#[test]
fn a_stranger_who_asks_for_erasure_gets_a_neutral_word_and_a_person() {
    let mut case = Case::new(Policy::default());
    let new = NewLead { message: WISH.into(), ..new_lead() };
    let events = give(&mut case, Actor::Client, Command::Ingest { lead: Box::new(new) });
    let said: Vec<&str> = events
        .iter()
        .filter_map(|e| match e {
            Event::MessageQueued { message } => Some(message.body.as_str()),
            _ => None,
        })
        .collect();
    let [said] = said[..] else { panic!("{said:?}") };
    assert!(!said.contains("data") && said.contains("A person of our team"), "{said}");
    assert_eq!(lead(&case).status(), Status::Escalated);
    assert!(lead(&case).open_task().is_none(), "no voice answers it");
}

#[test]
fn an_ended_lead_is_restricted_too_and_is_what_it_was_when_the_request_is_rejected() {
    let mut case = case();
    give(
        &mut case,
        person(),
        Command::Close { outcome: Outcome::Lost, reason: "bought elsewhere".into(), merged_into: None },
    );
    give(&mut case, person(), Command::RequestErasure { reason: String::new(), asked_by: String::new() });
    assert_eq!(lead(&case).status(), Status::AwaitingHuman);
    decide(&mut case, false);
    assert_eq!((lead(&case).status(), lead(&case).outcome()), (Status::Completed, Some(Outcome::Lost)));
}

#[test]
fn a_held_message_is_recorded_with_its_reason_and_a_person_is_told() {
    let mut case = case();
    let mail = until_a_mail_waits(&mut case);
    let hold = Command::Hold { message: mail, why: "the address is on the suppression list".into() };
    let events = give(&mut case, Actor::Director, hold.clone());
    assert!(matches!(&events[0], Event::MessageHeld { why, .. } if why.contains("suppression list")), "{events:?}");
    assert_eq!(lead(&case).status(), Status::Escalated);
    assert_eq!(case.would(&Request::new(Actor::Director, hold)), Ok(Decision::Repeat));
}

#[test]
fn consent_is_kept_apart_by_purpose_and_can_be_taken_back() {
    let mut case = case();
    assert!(!lead(&case).privacy.marketing());
    let record = |given| Command::RecordConsent {
        purpose: Purpose::Marketing,
        given,
        text_version: "news-3".into(),
        source: "a call".into(),
    };
    give(&mut case, person(), record(true));
    assert!(lead(&case).privacy.marketing());
    give(&mut case, person(), record(false));
    assert!(!lead(&case).privacy.marketing());
    assert_eq!(lead(&case).privacy.consents.len(), 3, "each answer stays provable");
}

#[test]
fn the_words_of_the_disclosure_are_recorded_once_with_their_version() {
    let told = "An AI wrote this; ask for a person at any time.";
    let policy = Policy { disclosures: [("en".to_owned(), told.to_owned())].into(), ..Policy::default() };
    let mut case = Case::new(policy);
    give(&mut case, person(), ingest());
    for round in 0..2 {
        let task = lead(&case).open_task().expect("a task").clone();
        give(&mut case, Actor::Director, Command::Claim { task: task.id, holder: "worker".into() });
        let task = lead(&case).open_task().expect("a task").clone();
        let mut work = honest_work(lead(&case), &task, &case.policy, 0);
        work.messages.iter_mut().for_each(|draft: &mut Draft| draft.body.push_str(&format!("\n\n{told}")));
        let submit = Command::Submit { task: task.id, attempt: task.attempt, work: Box::new(work) };
        give(&mut case, Actor::Eidolon(task.eidolon), submit);
        if lead(&case).open_task().is_none() {
            give(&mut case, Actor::Client, incoming(MessageKind::Reply, &format!("Go on, please. {round}"), None));
        }
    }
    let [known] = &lead(&case).privacy.disclosures[..] else { panic!("{:?}", lead(&case).privacy) };
    assert_eq!((known.text.as_str(), known.version.len()), (told, 12));
}
