//! An offer: two or three options, each with its lines, concessions, sums and payments, and the words around them.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::price::{self, money};
use crate::lead::Lead;

/// An offer: what each requirement costs, what is due when. Amounts are minor units (cents).
///
/// The figures at the top are those of the [`chosen`](Self::chosen) option; the others stand in
/// [`options`](Self::options). The agency's margin stands nowhere in here: [`margin`](super::margin) computes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// 1 for the first, counted up by negotiation.
    pub revision: u32,
    /// ISO 4217.
    pub currency: String,
    /// The option that is recommended, or that the client chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<OptionKind>,
    /// What is paid for.
    pub lines: Vec<PriceLine>,
    /// Discount over all levers together, in basis points of the list price, rounded up.
    pub discount_basis_points: u32,
    /// What the client gives for it; must be said when there is a discount.
    #[serde(default)]
    pub in_return: String,
    /// The concessions one by one.
    #[serde(default)]
    pub levers: Vec<Lever>,
    /// Sum of the lines.
    pub list_minor: i64,
    /// After the discount, before tax.
    pub net_minor: i64,
    /// The tax.
    pub vat_minor: i64,
    /// Its usual rate in basis points.
    pub vat_basis_points: u32,
    /// The tax by rate.
    #[serde(default)]
    pub vat: Vec<VatShare>,
    /// What the client pays.
    pub gross_minor: i64,
    /// When it is due; the shares sum to the gross total to the cent.
    pub schedule: Vec<Payment>,
    /// The last day of validity.
    pub valid_until: Date,
    /// Every option, the chosen one among them, in rising order of what they hold.
    #[serde(default)]
    pub options: Vec<PriceOption>,
    /// The words around the figures.
    #[serde(default)]
    pub sections: Sections,
    /// The pages of the rendered document without its annex, once it was rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
}

/// One line of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceLine {
    /// What it is.
    pub text: String,
    /// The requirements it pays for.
    pub requirements: Vec<String>,
    /// Quarters of a day.
    pub quarter_days: u32,
    /// The price of a day.
    pub day_rate_minor: i64,
    /// The line's price.
    pub total_minor: i64,
    /// The service it is priced by, an id of the rate card; empty for the usual day rate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Its tax rate in basis points where it is not the offer's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_basis_points: Option<u32>,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// What makes it due: `signature`, `acceptance`, or `acceptance+30` for so many days after it.
    pub on: String,
    /// How much.
    pub gross_minor: i64,
}

/// One of the options an offer leaves to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceOption {
    /// Which one; an offer holds each kind once.
    pub kind: OptionKind,
    /// What is paid for.
    pub lines: Vec<PriceLine>,
    /// Sum of the lines.
    pub list_minor: i64,
    /// The concessions, each with what is given back for it.
    pub levers: Vec<Lever>,
    /// All levers together, in basis points of the list price, rounded up.
    pub discount_basis_points: u32,
    /// List less levers.
    pub net_minor: i64,
    /// The tax by rate.
    pub vat: Vec<VatShare>,
    /// The tax.
    pub vat_minor: i64,
    /// What the client pays.
    pub gross_minor: i64,
    /// When it is due.
    pub schedule: Vec<Payment>,
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// The Musts only.
    Essentials,
    /// What the client asked for in a negotiation: more or less than the others.
    Tailored,
    /// Musts and Shoulds.
    Recommended,
    /// Everything that is not a Won't.
    Full,
    /// The recommended work, paid in advance for a lower price.
    Upfront,
}

impl OptionKind {
    /// All of them.
    pub const ALL: [OptionKind; 5] =
        [OptionKind::Essentials, OptionKind::Tailored, OptionKind::Recommended, OptionKind::Full, OptionKind::Upfront];

    /// The word as it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            OptionKind::Essentials => "essentials",
            OptionKind::Tailored => "tailored",
            OptionKind::Recommended => "recommended",
            OptionKind::Full => "full",
            OptionKind::Upfront => "upfront",
        }
    }
}

/// A concession and what is given back for it. Its amount reduces the net price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lever {
    /// What is conceded.
    pub kind: LeverKind,
    /// The share of the list price it was computed from, in basis points; 0 where it is an amount.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub basis_points: u32,
    /// What it is worth, in minor units, net.
    pub amount_minor: i64,
    /// What the client gives back.
    pub in_return: String,
    /// The requirement that is given for nothing, for a free item.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub requirement: String,
}

/// What can be conceded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeverKind {
    /// A part of the price.
    PriceCut,
    /// A part of the price for paying in advance.
    Upfront,
    /// The odd sum above a round one.
    Rounding,
    /// A requirement that is built and not charged.
    FreeItem,
    /// Time to pay; it costs no price and still wants something in return.
    LaterPayment,
}

/// The tax at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VatShare {
    /// The rate in basis points.
    pub basis_points: u32,
    /// What is taxed.
    pub net_minor: i64,
    /// The tax on it, rounded half up.
    pub vat_minor: i64,
}

/// The words around the figures. What stands here names no figure that the offer does not hold (rule PC-8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sections {
    /// The problem in the client's own words.
    pub problem: Vec<Sourced>,
    /// What solving it is worth, where the client gave numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueClaim>,
    /// What is not included.
    pub excluded: Vec<String>,
    /// What the price takes for granted.
    pub assumptions: Vec<String>,
    /// Who works on it.
    pub team: Vec<TeamMember>,
    /// The work in order, in working days after the start.
    pub timetable: Vec<Phase>,
    /// What happens next.
    pub next_step: String,
    /// What this revision changes, beginning with the second.
    pub changes: Vec<String>,
}

/// Words with the message they were said in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sourced {
    /// The words, as they were said.
    pub quote: String,
    /// The message (an id), or `lead` for the first one.
    pub source: String,
}

/// What a solution is worth, from the client's own numbers: the product of the factors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueClaim {
    /// What is multiplied, in order.
    pub factors: Vec<Factor>,
    /// The product, in minor units, for a year.
    pub yearly_minor: i64,
}

/// One number of a value claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What it counts, in the client's language.
    pub label: String,
    /// The number; minor units when `money` is set.
    pub value: i64,
    /// Whether it is an amount of money.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub money: bool,
    /// The client's words that hold it; nothing for a number of the calendar, such as 52 weeks in a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Sourced>,
}

/// Somebody who works on the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The name.
    pub name: String,
    /// What they do, in the client's language.
    pub role: String,
    /// True for a person, false for an AI persona.
    pub person: bool,
}

/// A part of the work, in working days after the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The requirements that are built in it.
    pub requirements: Vec<String>,
    /// Its first working day, 1 for the start.
    pub from_day: u32,
    /// Its last working day.
    pub to_day: u32,
}

impl Proposal {
    /// The same offer with another of its options chosen, if it has that option.
    #[must_use]
    pub fn with(&self, kind: OptionKind) -> Option<Self> {
        let option = self.options.iter().find(|o| o.kind == kind)?.clone();
        let mut chosen = self.clone();
        chosen.chosen = Some(kind);
        chosen.in_return = price::in_return(&option.levers);
        chosen.lines = option.lines;
        chosen.list_minor = option.list_minor;
        chosen.levers = option.levers;
        chosen.discount_basis_points = option.discount_basis_points;
        chosen.net_minor = option.net_minor;
        chosen.vat = option.vat;
        chosen.vat_minor = option.vat_minor;
        chosen.gross_minor = option.gross_minor;
        chosen.schedule = option.schedule;
        Some(chosen)
    }

    /// What is due on signature, in minor units.
    pub fn deposit_minor(&self) -> i64 {
        self.schedule.iter().filter(|p| p.on == "signature").map(|p| p.gross_minor).sum()
    }

    /// The price line that pays for a requirement.
    pub fn line_of(&self, requirement: &str) -> Option<&PriceLine> {
        self.lines.iter().find(|l| l.requirements.iter().any(|r| r == requirement))
    }

    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let discount = match self.discount_basis_points {
            0 => String::new(),
            points => format!(", {}.{:02} % discount", points / 100, points % 100),
        };
        format!(
            "send the proposal to {}: {} gross{discount}",
            lead.contact.display_name(),
            money(self.gross_minor, &self.currency)
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_zero(points: &u32) -> bool {
    *points == 0
}
