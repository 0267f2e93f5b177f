//! Each rule with an offer or a contract that breaks it.

use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::contract::{TOPICS, check_contract};
use super::price::{later_days, list, share, worth};
use super::*;
use crate::apply::apply;
use crate::event::{Entry, Event};
use crate::id::{Digest, LeadId, MessageId};
use crate::lead::{Actor, Draft, MessageKind, NewLead};
use crate::stages::scoping::{Budget, Priority, Requirement, Scope};
use crate::stages::{StageResult, StoredArtifact, Work};

const SAID: &str = "We lose 6 hours a week to phone bookings, each hour costs us 40 EUR. Our budget is 9.000 EUR.";

fn requirement(number: u32, priority: Priority, effort: u32) -> Requirement {
    Requirement {
        id: format!("R-{number:03}"),
        text: format!("A guest does thing {number}"),
        priority,
        acceptance: "It is done".into(),
        source: "lead".into(),
        quote: "phone bookings".into(),
        effort_quarter_days: effort,
        ..Requirement::default()
    }
}

fn the_scope() -> Scope {
    Scope {
        title: "Booking page".into(),
        requirements: vec![
            requirement(1, Priority::Must, 13),
            requirement(2, Priority::Should, 6),
            requirement(3, Priority::Could, 3),
            requirement(4, Priority::Wont, 0),
        ],
        out_of_scope: vec!["an app".into()],
        ..Scope::default()
    }
}

/// A lead in Closer with this scope approved.
fn lead_with(scope: &Scope) -> Lead {
    let contact = NewLead { message: SAID.into(), email: "client@example.org".into(), ..NewLead::default() };
    let value = serde_json::to_value(scope).expect("a scope");
    let data = BTreeMap::from([(Stage::Scoping, [("scope".to_owned(), value)].into_iter().collect())]);
    let event = Event::LeadImported {
        lead: Box::new(contact),
        message: MessageId(uuid::Uuid::from_u128(7)),
        data,
        artifacts: Vec::new(),
        approved_scope: Some(Digest::of(b"scope")),
        signed: false,
    };
    let at = "2026-11-23T09:00:00Z".parse().expect("a timestamp");
    let id = LeadId(uuid::Uuid::from_u128(1));
    let entry = Entry { lead: id, version: 1, at, by: Actor::Client, signal_id: None, events: vec![event] };
    apply(None, &entry).expect("a lead")
}

fn offer_of(scope: &Scope, policy: &Policy, concessions: &Concessions) -> Proposal {
    let mut offer = Proposal::offer(scope, &policy.rate_card, policy, concessions, date(2026, 11, 23));
    offer.sections.problem = vec![Sourced { quote: "phone bookings".into(), source: "lead".into() }];
    offer.sections.excluded = scope.out_of_scope.clone();
    offer.sections.assumptions = vec!["The client provides the texts.".into()];
    offer.sections.team = vec![TeamMember { name: "Alex Example".into(), role: "lead".into(), person: true }];
    offer.sections.next_step = "Answer the mail.".into();
    offer
}

fn the_offer(policy: &Policy) -> Proposal {
    offer_of(&the_scope(), policy, &Concessions::default())
}

fn conceding(cut: u32, policy: &Policy) -> Proposal {
    let in_return = [(LeverKind::PriceCut, "a reference".to_owned())].into();
    offer_of(&the_scope(), policy, &Concessions { cut_basis_points: cut, in_return, ..Concessions::default() })
}

fn work_of(result: StageResult, body: &str) -> Work {
    let draft = Draft {
        kind: MessageKind::Proposal,
        subject: "Our offer".into(),
        body: body.into(),
        attachments: Vec::new(),
        written_by: "test".into(),
    };
    Work {
        result,
        messages: vec![draft],
        artifacts: Vec::new(),
        summary: "done".into(),
        voice: "test".into(),
        instead_of: Vec::new(),
    }
}

fn found_in(scope: &Scope, offer: &Proposal, policy: &Policy, body: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let work = work_of(StageResult::Proposal(offer.clone()), body);
    check_proposal(&lead_with(scope), offer, &work, policy, &mut findings);
    findings
}

/// The rules that an offer breaks.
#[track_caller]
fn breaks(offer: &Proposal, policy: &Policy, rule: &str) {
    let findings = found_in(&the_scope(), offer, policy, "Here it is.");
    assert!(findings.iter().any(|f| f.rule == rule), "{rule} is not found in {findings:?}");
}

/// The default offer with a change.
fn changed(change: impl FnOnce(&mut Proposal)) -> Proposal {
    let mut offer = the_offer(&Policy::default());
    change(&mut offer);
    offer
}

#[test]
fn an_honest_offer_breaks_no_rule() {
    let policy = Policy::default();
    assert_eq!(found_in(&the_scope(), &the_offer(&policy), &policy, "Here it is."), []);
    assert_eq!(found_in(&the_scope(), &conceding(1_500, &policy), &policy, "A discount of 15 %."), []);
}

#[test]
fn pc_1_an_offer_has_all_its_sections() {
    let policy = Policy::default();
    breaks(&changed(|p| p.sections.problem.clear()), &policy, "PC-1");
    breaks(&changed(|p| p.sections.excluded.clear()), &policy, "PC-1");
    breaks(&changed(|p| p.sections.timetable.clear()), &policy, "PC-1");
    breaks(&changed(|p| p.sections.team[0].person = false), &policy, "PC-1");
    breaks(&changed(|p| p.sections.assumptions.clear()), &policy, "PC-1");
    breaks(&changed(|p| p.sections.next_step = " ".into()), &policy, "PC-1");
    breaks(&changed(|p| p.options.truncate(1)), &policy, "PC-1");
    breaks(&changed(|p| p.revision = 2), &policy, "PC-1");
}

#[test]
fn pc_2_an_offer_has_at_most_8_pages() {
    let policy = Policy::default();
    breaks(&changed(|p| p.pages = Some(9)), &policy, "PC-2");
    let short = changed(|p| p.pages = Some(8));
    assert_eq!(found_in(&the_scope(), &short, &policy, "Here it is."), []);
}

#[test]
fn pc_3_every_must_is_priced_exactly_once_in_every_option() {
    let policy = Policy::default();
    breaks(&changed(|p| p.options[0].lines.clear()), &policy, "PC-3");
    breaks(&changed(|p| p.lines[1].requirements = vec!["R-001".into()]), &policy, "PC-3");
    breaks(&changed(|p| p.lines[0].requirements = vec!["R-099".into()]), &policy, "PC-3");
    breaks(&changed(|p| p.lines[0].requirements = vec!["R-004".into()]), &policy, "PC-3");
    breaks(&changed(|p| p.lines[0].day_rate_minor += 1), &policy, "PC-3");
    breaks(&changed(|p| p.lines[0].quarter_days -= 1), &policy, "PC-3");
    breaks(&changed(|p| p.lines[0].vat_basis_points = Some(700)), &policy, "PC-3");
}

#[test]
fn pc_4_the_total_lies_inside_the_approved_range() {
    let policy = Policy::default();
    let offer = the_offer(&policy);
    let budget = Budget { high_minor: offer.net_minor - 1, currency: "EUR".into(), ..Budget::default() };
    let rules = |budget: Budget| {
        let scope = Scope { budget: Some(budget), ..the_scope() };
        found_in(&scope, &offer, &policy, "Here it is.").into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(budget.clone()), ["PC-4"]);
    assert_eq!(rules(Budget { flag: "it is more than you said".into(), ..budget.clone() }), Vec::<String>::new());
    assert_eq!(rules(Budget { high_minor: offer.net_minor, includes_vat: true, ..budget }), ["PC-4"]);
}

#[test]
fn pc_5_no_offer_goes_beyond_the_authority_or_below_the_floor() {
    let policy = Policy::default();
    breaks(&conceding(2_001, &policy), &policy, "PC-5");
    assert_eq!(found_in(&the_scope(), &conceding(2_000, &policy), &policy, "Here it is."), []);
    // A cut inside the limit that costs more than the work brings in.
    let rate_card = RateCardWith { day_cost_minor: 60_000, margin_floor_basis_points: 2_000 }.over(&policy);
    let dear = Policy { rate_card, ..policy };
    assert_eq!(found_in(&the_scope(), &conceding(500, &dear), &dear, "Here it is."), []);
    breaks(&conceding(1_000, &dear), &dear, "PC-5");
}

struct RateCardWith {
    day_cost_minor: i64,
    margin_floor_basis_points: u32,
}

impl RateCardWith {
    fn over(self, policy: &Policy) -> crate::policy::RateCard {
        crate::policy::RateCard {
            day_cost_minor: self.day_cost_minor,
            margin_floor_basis_points: self.margin_floor_basis_points,
            ..policy.rate_card.clone()
        }
    }
}

#[test]
fn pc_5_stacked_levers_count_together() {
    let policy = Policy::default();
    let in_return: BTreeMap<LeverKind, String> =
        [LeverKind::PriceCut, LeverKind::FreeItem].map(|kind| (kind, "a reference".to_owned())).into();
    let stacked =
        Concessions { cut_basis_points: 1_000, free_items: vec!["R-003".into()], in_return, ..Concessions::default() };
    let offer = offer_of(&the_scope(), &policy, &stacked);
    assert!(offer.discount_basis_points > 2_000 && offer.chosen == Some(OptionKind::Tailored));
    breaks(&offer, &policy, "PC-5");
}

#[test]
fn a_person_decides_what_max_may_not_give_alone() {
    let policy = Policy { approvals: [(ApprovalKind::Proposal, false)].into(), ..Policy::default() };
    let lead = lead_with(&the_scope());
    assert!(matches!(after_proposal(&lead, &conceding(1_000, &policy), &policy), Next::AskClient { .. }));
    assert!(matches!(after_proposal(&lead, &conceding(1_001, &policy), &policy), Next::Approve { .. }));
}

#[test]
fn pc_6_every_concession_names_what_is_given_back() {
    let policy = Policy::default();
    let mut offer = conceding(500, &policy);
    offer.options.iter_mut().flat_map(|o| &mut o.levers).for_each(|l| l.in_return = " ".into());
    breaks(&offer, &policy, "PC-6");
}

#[test]
fn pc_8_a_text_names_no_figure_that_the_offer_does_not_hold() {
    let policy = Policy::default();
    let rules = |body: &str, offer: &Proposal| {
        let findings = found_in(&the_scope(), offer, &policy, body);
        findings.into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    let offer = the_offer(&policy);
    let gross = money(offer.gross_minor, "EUR");
    assert_eq!(rules(&format!("It is {gross} in all, valid until 2026-12-23."), &offer), Vec::<String>::new());
    // The client's own figure may be repeated.
    assert_eq!(rules("You said 9,000 EUR.", &offer), Vec::<String>::new());
    assert_eq!(rules("It is only 4,999.00 EUR.", &offer), ["PC-8"]);
    assert_eq!(rules("You get 12 % off.", &offer), ["PC-8"]);
    assert_eq!(rules("It is ready on 1 March 2027.", &offer), ["PC-8"]);
    let promised = changed(|p| p.sections.next_step = "Pay 100 EUR now.".into());
    assert_eq!(rules("Here it is.", &promised), ["PC-8"]);
    let beside = changed(|p| p.options[0].lines[0].text = "Work, later for 77 EUR".into());
    assert_eq!(rules("Here it is.", &beside), ["PC-8"], "an option that is not chosen says no more");
}

#[test]
fn pc_9_a_value_claim_shows_its_formula_and_its_sources() {
    let policy = Policy::default();
    let said = |quote: &str| Some(Sourced { quote: quote.into(), source: "lead".into() });
    let claim = ValueClaim {
        factors: vec![
            Factor { label: "hours".into(), value: 6, money: false, said: said("We lose 6 hours a week") },
            Factor { label: "weeks".into(), value: 52, money: false, said: None },
            Factor { label: "an hour".into(), value: 4_000, money: true, said: said("each hour costs us 40 EUR") },
        ],
        yearly_minor: 6 * 52 * 4_000,
    };
    let with = |change: &dyn Fn(&mut ValueClaim)| {
        changed(|p| {
            let mut claim = claim.clone();
            change(&mut claim);
            p.sections.value = Some(claim);
        })
    };
    assert_eq!(found_in(&the_scope(), &with(&|_| {}), &policy, "Here it is."), []);
    breaks(&with(&|c| c.yearly_minor += 1), &policy, "PC-9");
    breaks(&with(&|c| c.factors[0].said = None), &policy, "PC-9");
    breaks(&with(&|c| c.factors[2].said = said("We lose 6 hours a week")), &policy, "PC-9");
    breaks(&with(&|c| c.factors[1].value = 50), &policy, "PC-9");
}

#[test]
fn x_5_every_sum_follows_from_the_lines() {
    let policy = Policy::default();
    breaks(&changed(|p| p.lines[0].total_minor += 1), &policy, "X-5");
    breaks(&changed(|p| p.list_minor += 1), &policy, "X-5");
    breaks(&changed(|p| p.net_minor -= 1), &policy, "X-5");
    breaks(&changed(|p| p.vat_minor += 1), &policy, "X-5");
    breaks(&changed(|p| p.vat.clear()), &policy, "X-5");
    breaks(&changed(|p| p.gross_minor += 1), &policy, "X-5");
    breaks(&changed(|p| p.schedule[0].gross_minor += 1), &policy, "X-5");
    breaks(&changed(|p| p.options[0].net_minor -= 1), &policy, "X-5");
    breaks(&changed(|p| p.chosen = Some(OptionKind::Full)), &policy, "X-5");
    breaks(&changed(|p| p.discount_basis_points = 500), &policy, "X-5");
}

#[test]
fn x_6_days_and_phases_are_in_order() {
    let policy = Policy::default();
    breaks(&changed(|p| p.valid_until = date(2026, 11, 22)), &policy, "X-6");
    breaks(&changed(|p| p.sections.timetable[0].from_day = 9), &policy, "X-6");
    breaks(&changed(|p| p.sections.timetable[0].to_day = 0), &policy, "X-6");
}

// ---- contracts ---------------------------------------------------------------------------------------------------

fn library() -> BTreeMap<String, Digest> {
    (1..).zip(TOPICS).map(|(n, topic)| (format!("{n:02}-{topic}"), Digest::of(topic.as_bytes()))).collect()
}

fn with_library() -> Policy {
    Policy { clauses: [("en".to_owned(), library())].into(), ..Policy::default() }
}

/// A lead that was sent this offer.
fn offered(offer: &Proposal) -> Lead {
    let mut lead = lead_with(&the_scope());
    let value = serde_json::to_value(offer).expect("an offer");
    lead.data.entry(Stage::Closer).or_default().insert("proposal".into(), value);
    lead
}

fn the_contract(offer: &Proposal) -> Contract {
    let scope = the_scope();
    let annex = (1u32..).zip(&offer.lines).map(|(price_line, line)| {
        let r = scope.requirement(&line.requirements[0]).expect("of the scope");
        AnnexLine {
            requirement: r.id.clone(),
            text: r.text.clone(),
            acceptance: r.acceptance.clone(),
            price_line,
            price_minor: line.total_minor,
        }
    });
    Contract {
        clauses: library(),
        document: Digest::of(b"contract"),
        file: "contract.pdf".into(),
        proposal_revision: offer.revision,
        gross_minor: offer.gross_minor,
        option: offer.chosen,
        scope: Some(Digest::of(b"scope")),
        language: "en".into(),
        slots: BTreeMap::new(),
        currency: offer.currency.clone(),
        net_minor: offer.net_minor,
        vat: offer.vat.clone(),
        schedule: offer.schedule.clone(),
        annex: annex.collect(),
    }
}

fn contract_rules(lead: &Lead, contract: &Contract) -> Vec<String> {
    let mut findings = Vec::new();
    let mut work = work_of(StageResult::Contract(contract.clone()), "Here is the contract.");
    work.artifacts = vec![StoredArtifact { name: contract.file.clone(), sha256: Digest::of(b"contract"), bytes: 8 }];
    check_contract(lead, contract, &work, &with_library(), &mut findings);
    findings.into_iter().map(|f| f.rule).collect()
}

#[test]
fn a_contract_stands_on_the_option_that_was_accepted() {
    let offer = the_offer(&Policy::default());
    let lead = offered(&offer);
    for option in &offer.options {
        let accepted = offer.with(option.kind).expect("an option of the offer");
        assert_eq!(contract_rules(&lead, &the_contract(&accepted)), Vec::<String>::new());
    }
    let mut other = the_contract(&offer);
    other.option = Some(OptionKind::Full);
    assert_eq!(contract_rules(&lead, &other), ["X-4"]);
    let mut cheaper = the_contract(&offer);
    cheaper.net_minor -= 1;
    assert_eq!(contract_rules(&lead, &cheaper), ["X-5"]);
    let mut thinner = the_contract(&offer);
    thinner.annex.pop();
    assert_eq!(contract_rules(&lead, &thinner), ["X-4"]);
}

#[test]
fn pc_10_a_contract_is_made_of_the_owners_clauses() {
    let offer = the_offer(&Policy::default());
    let lead = offered(&offer);
    let with = |change: &dyn Fn(&mut Contract)| {
        let mut contract = the_contract(&offer);
        change(&mut contract);
        contract_rules(&lead, &contract)
    };
    assert_eq!(with(&|_| {}), Vec::<String>::new());
    assert_eq!(with(&|c| c.clauses.clear()), ["PC-10"]);
    assert_eq!(
        with(&|c| {
            c.clauses.remove("14-liability");
        }),
        ["PC-10"]
    );
    assert_eq!(
        with(&|c| {
            c.clauses.insert("05-price".into(), Digest::of(b"mine"));
        }),
        ["PC-10"]
    );
    let foreign = with(&|c| c.language = "sv".into());
    assert!(foreign.contains(&"PC-10".to_owned()), "a language in which the owner has no clauses: {foreign:?}");
    assert_eq!(
        with(&|c| {
            c.clauses.insert("18-mine".into(), Digest::of(b"mine"));
        }),
        ["PC-10"]
    );
}

#[test]
fn pc_12_what_is_signed_is_changed_by_change_orders_only() {
    let offer = the_offer(&Policy::default());
    let mut lead = offered(&offer);
    let at = lead.created_at;
    let signature = crate::lead::Signature {
        document: Digest::of(b"contract"),
        signer: "A Client".into(),
        at,
        by: Actor::Client,
        evidence: None,
    };
    lead.signature = Some(signature);
    assert_eq!(contract_rules(&lead, &the_contract(&offer)), ["PC-12"]);
    let mut findings = Vec::new();
    let work = work_of(StageResult::Proposal(offer.clone()), "Another offer.");
    check_proposal(&lead, &offer, &work, &Policy::default(), &mut findings);
    assert_eq!(findings.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(), ["PC-12"]);
}

#[test]
fn a_deposit_is_requested_then_overdue_then_confirmed() {
    let (offer, policy) = (the_offer(&Policy::default()), Policy::default());
    let mut lead = offered(&offer);
    let now = lead.created_at;
    assert_eq!(deposit(&lead, &policy, now), Deposit::None);
    let by = Actor::Client;
    lead.signature = Some(crate::lead::Signature {
        document: Digest::of(b"c"),
        signer: "A Client".into(),
        at: now,
        by,
        evidence: None,
    });
    assert_eq!(deposit(&lead, &policy, now), Deposit::Requested);
    lead.deposit_confirmed = true;
    assert_eq!(deposit(&lead, &policy, now), Deposit::Confirmed);
}

// ---- properties --------------------------------------------------------------------------------------------------

prop_compose! {
    fn any_scope()(
        parts in proptest::collection::vec((0usize..3, 1u32..200, 0usize..3), 0..30),
        first in 1u32..100,
    ) -> Scope {
        let mut requirements = vec![requirement(1, Priority::Must, first)];
        for (number, (priority, effort, service)) in (2..).zip(parts) {
            let priority = [Priority::Must, Priority::Should, Priority::Could][priority];
            let mut r = requirement(number, priority, effort);
            r.service = ["", "shop", "books"][service].into();
            requirements.push(r);
        }
        Scope { requirements, ..the_scope() }
    }
}

prop_compose! {
    fn any_policy()(
        day in 1i64..500_000, shop in 1i64..500_000, vat in 0u32..3_000, books in 0u32..3_000,
        deposit in 0u32..10_001, upfront in 0u32..500, rounding in 1i64..100_000,
    ) -> Policy {
        let rate_card = crate::policy::RateCard {
            day_rate_minor: day,
            services: [("shop".to_owned(), shop)].into(),
            vat_basis_points: vat,
            vat_by_service: [("books".to_owned(), books)].into(),
            upfront_basis_points: upfront,
            rounding_minor: rounding,
            ..crate::policy::RateCard::default()
        };
        // Discounts have their own rule; here the arithmetic is tried.
        Policy { rate_card, deposit_basis_points: deposit, discount_limit_basis_points: 10_000, ..Policy::default() }
    }
}

prop_compose! {
    fn any_concessions()(cut in 0u32..9_000, round: bool, later in proptest::option::of(1u16..400), free: bool)
        -> Concessions
    {
        let kinds = [LeverKind::PriceCut, LeverKind::Rounding, LeverKind::FreeItem, LeverKind::LaterPayment];
        Concessions {
            cut_basis_points: cut,
            round,
            later_days: later,
            free_items: free.then(|| "R-002".to_owned()).into_iter().collect(),
            in_return: kinds.map(|kind| (kind, "a reference".to_owned())).into(),
            ..Concessions::default()
        }
    }
}

proptest! {
    #[test]
    fn every_option_sums_up_to_the_cent(scope in any_scope(), policy in any_policy(), given in any_concessions()) {
        let offer = offer_of(&scope, &policy, &given);
        // More given away than there is to pay is found by PC-5; its sums mean nothing.
        prop_assume!(offer.options.iter().all(|o| o.net_minor >= 0));
        for option in &offer.options {
            prop_assert_eq!(option.list_minor, list(&option.lines));
            prop_assert_eq!(option.net_minor, option.list_minor - worth(&option.levers));
            prop_assert_eq!(option.vat.iter().map(|v| v.net_minor).sum::<i64>(), option.net_minor);
            prop_assert_eq!(option.vat.iter().map(|v| v.vat_minor).sum::<i64>(), option.vat_minor);
            prop_assert_eq!(option.gross_minor, option.net_minor + option.vat_minor);
            prop_assert_eq!(option.schedule.iter().map(|p| p.gross_minor).sum::<i64>(), option.gross_minor);
        }
        // What code computes, code accepts: nothing but an absurd discount is ever found.
        let findings = found_in(&scope, &offer, &policy, "Here it is.");
        prop_assert!(findings.iter().all(|f| f.rule == "PC-5"), "{:?}", findings);
    }

    #[test]
    fn a_discount_never_gives_more_than_was_granted(scope in any_scope(), policy in any_policy(), cut in 0u32..2_001) {
        let in_return = [(LeverKind::PriceCut, "a reference".to_owned())].into();
        let given = Concessions { cut_basis_points: cut, in_return, ..Concessions::default() };
        for option in offer_of(&scope, &policy, &given).options {
            let cut = option.levers.iter().filter(|l| l.kind == LeverKind::PriceCut).map(|l| l.amount_minor).sum::<i64>();
            prop_assert!(i128::from(cut) * 10_000 <= i128::from(option.list_minor) * i128::from(given.cut_basis_points));
        }
    }

    #[test]
    fn a_new_revision_takes_nothing_back(scope in any_scope(), policy in any_policy(), given in any_concessions()) {
        let offer = offer_of(&scope, &policy, &given);
        let again = offer_of(&scope, &policy, &Concessions::of(&offer, &scope));
        prop_assert_eq!(again.net_minor, offer.net_minor);
        prop_assert_eq!(again.schedule.iter().find_map(later_days), offer.schedule.iter().find_map(later_days));
    }

    #[test]
    fn a_share_is_exact_to_half_a_cent(amount in 0i64..1_000_000_000_000, points in 0u32..10_001) {
        let exact = i128::from(amount) * i128::from(points);
        let off = i128::from(share(amount, points)) * 10_000 - exact;
        prop_assert!((-5_000..=5_000).contains(&off));
    }
}
