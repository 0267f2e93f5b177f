//! Where a person releases every reply: a receipt goes out at once, everything else waits.

#[expect(dead_code, reason = "this file uses its own part of the house")]
#[path = "playbook/house.rs"]
mod house;

use house::{House, policy};
use max_core::lead::{ApprovalKind, ClientAsk, Lead, MessageKind, NewLead, Outcome};
use max_core::policy::Policy;
use max_core::stage::Stage;
use max_core::stages::StageResult;

fn strict() -> Policy {
    let mut policy = policy();
    policy.approvals.insert(ApprovalKind::Reply, true);
    policy
}

fn lead(message: &str) -> NewLead {
    NewLead { name: "Ada".into(), email: "ada@yoga.example".into(), message: message.into(), ..NewLead::default() }
}

const WISH: &str = "Hello, we need a new website with a booking page for our yoga studio.";
const ANSWERS: &str = "By March. About 9000 EUR. Our students book classes, we have texts and photos, no other systems. \
                       I decide.";

/// Works until somebody else has the turn; nothing is approved.
fn work(house: &mut House) {
    while house.lead.open_task().is_some() {
        house.work();
    }
}

fn held(lead: &Lead) -> Vec<MessageKind> {
    let approval = lead.pending_approval().unwrap_or_else(|| panic!("nothing is held: {:?}", lead.turn));
    assert_eq!(approval.kind, ApprovalKind::Reply);
    approval.outgoing.iter().map(|draft| draft.kind).collect()
}

#[test]
fn a_receipt_goes_out_at_once_and_only_once_while_the_reply_waits() {
    let mut house = House::with(lead(WISH), strict());
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::Reply]);
    let receipt = house.sent(MessageKind::Receipt)[0];
    assert!(receipt.body.contains("has arrived") && !receipt.body.contains("yoga"), "neutral: {}", receipt.body);
    assert!(house.sent(MessageKind::Reply).is_empty());

    house.decide(false, Some("say that we know studios"));
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::Reply], "the reply is written again");
    assert!(matches!(house.results.last(), Some(StageResult::Reply(_))));
    assert_eq!(house.sent(MessageKind::Receipt).len(), 1, "one message is acknowledged once");

    house.decide(true, None);
    assert_eq!(house.sent(MessageKind::Reply).len(), 1);
    assert_eq!(house.ask(), ClientAsk::Reply);
}

#[test]
fn without_that_rule_there_is_no_receipt() {
    let mut house = House::with(lead(WISH), policy());
    work(&mut house);
    assert_eq!((house.sent(MessageKind::Receipt).len(), house.sent(MessageKind::Reply).len()), (0, 1));
}

#[test]
fn questions_and_follow_ups_wait_for_a_person_and_keep_their_calendar() {
    let mut house = House::with(lead(WISH), strict());
    work(&mut house);
    house.decide(true, None);
    house.hears("Thanks, please go on.");
    work(&mut house);
    assert_eq!(house.lead.stage, Stage::Scoping);
    assert_eq!(held(&house.lead), [MessageKind::Questions]);
    house.decide(true, None);
    assert_eq!(house.ask(), ClientAsk::Answers);
    let since = house.lead.last_wait.as_ref().expect("a wait").since;

    house.wait();
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::FollowUp]);
    house.decide(true, None);
    let wait = house.lead.last_wait.clone().expect("a wait");
    assert_eq!((wait.follow_ups, wait.since, wait.ask), (1, since, ClientAsk::Answers));

    // One that is rejected is left out.
    house.wait();
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::FollowUp]);
    house.decide(false, Some("we spoke on the telephone"));
    assert!(house.lead.open_task().is_none());
    assert_eq!(house.lead.last_wait.as_ref().expect("a wait").follow_ups, 2);
    assert_eq!(house.sent(MessageKind::FollowUp).len(), 1);

    // The last one closes; rejected, it is a person's business.
    house.wait();
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::FollowUp]);
    house.decide(false, Some("do not close yet"));
    let why = house.lead.escalation.as_ref().expect("an escalation").reason.clone();
    assert!(why.contains("do not close yet"), "{why}");
    assert_eq!(house.outcome(), None);
    house.hears(ANSWERS);
    assert_eq!(house.sent(MessageKind::FollowUp).len(), 1);
}

#[test]
fn goodbyes_and_polite_refusals_wait_too() {
    let mut house = House::with(lead(WISH), strict());
    work(&mut house);
    house.decide(true, None);
    house.hears("We have decided against it, please cancel.");
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::Reply]);
    assert_eq!(house.outcome(), None, "not before the mail is released");
    house.decide(true, None);
    assert_eq!(house.outcome(), Some(Outcome::Lost));

    let mut house = House::with(lead("Can you fix my laptop?"), strict());
    work(&mut house);
    assert_eq!(held(&house.lead), [MessageKind::Decline]);
    assert!(house.sent(MessageKind::Receipt).is_empty());
    house.decide(true, None);
    assert_eq!(house.outcome(), Some(Outcome::Disqualified));
}
