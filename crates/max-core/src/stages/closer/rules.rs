//! What is checked about offers and contracts.

use crate::rules::{Rule, Weight};

/// What is checked here.
pub const RULES: &[Rule] = &[
    rule(
        "PC-1",
        "an offer has all its sections: the client's problem, what is not included, two or three options, a schedule of \
         work, payments, a team with a person in it, assumptions, a last day, a next step",
        Weight::Blocks,
        "stages::closer::check::sections",
        "pc_1_an_offer_has_all_its_sections",
    ),
    rule(
        "PC-2",
        "an offer has at most 8 pages without its annex",
        Weight::Blocks,
        "stages::closer::check::pages",
        "pc_2_an_offer_has_at_most_8_pages",
    ),
    rule(
        "PC-3",
        "every price line names its requirements and a rate of the rate card, and every Must is priced exactly once in \
         every option",
        Weight::Refuses,
        "stages::closer::check::lines",
        "pc_3_every_must_is_priced_exactly_once_in_every_option",
    ),
    rule(
        "PC-4",
        "the total lies inside the budget range of the approved scope, or the scope says that it does not",
        Weight::Blocks,
        "stages::closer::check::range",
        "pc_4_the_total_lies_inside_the_approved_range",
    ),
    rule(
        "PC-5",
        "the discount over all levers together stays inside what anybody may give, and the margin above its floor",
        Weight::Refuses,
        "stages::closer::check::authority",
        "pc_5_no_offer_goes_beyond_the_authority_or_below_the_floor",
    ),
    rule(
        "PC-6",
        "every concession says what the client gives back for it",
        Weight::Refuses,
        "stages::closer::check::give_get",
        "pc_6_every_concession_names_what_is_given_back",
    ),
    rule(
        "PC-7",
        "an approval holds for exactly what was shown: whatever is edited is a draft again",
        Weight::Refuses,
        "decide::approvals::check_decision",
        "an_approval_is_bound_to_exactly_what_was_shown",
    ),
    rule(
        "PC-8",
        "no text around an offer or a contract names an amount, a percentage or a date that its figures do not hold",
        Weight::Blocks,
        "stages::closer::texts::figures",
        "pc_8_a_text_names_no_figure_that_the_offer_does_not_hold",
    ),
    rule(
        "PC-9",
        "a value claim is the product of its numbers, and each of them stands in words of the client",
        Weight::Refuses,
        "stages::closer::texts::value",
        "pc_9_a_value_claim_shows_its_formula_and_its_sources",
    ),
    rule(
        "PC-10",
        "a contract is made of the owner's clauses as they are, with every topic a contract needs; only slots are filled",
        Weight::Blocks,
        "stages::closer::contract::clauses",
        "pc_10_a_contract_is_made_of_the_owners_clauses",
    ),
    rule(
        "PC-12",
        "what is signed stands; it is changed by numbered change orders only",
        Weight::Refuses,
        "stages::closer::contract::unsigned",
        "pc_12_what_is_signed_is_changed_by_change_orders_only",
    ),
    rule(
        "X-5",
        "money is computed: a line is days times rate, the net price is the lines less the levers, the tax is its rate, \
         the payments sum to the gross price to the cent",
        Weight::Refuses,
        "stages::closer::check::sums",
        "x_5_every_sum_follows_from_the_lines",
    ),
];

const fn rule(id: &'static str, says: &'static str, weight: Weight, check: &'static str, test: &'static str) -> Rule {
    Rule { id, says, weight, check, test }
}
