//! Prices, computed: lines from the rate card, concessions, tax by rate, payments to the cent.
//!
//! Nothing here takes a sum from a mind. A line is `quarter days / 4 x day rate`, the list price is the sum of the
//! lines, the net price is the list price less the levers, each tax is a share of what it taxes, and the payments sum
//! to the gross price because the last one is what remains.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::proposal::{
    Lever, LeverKind, OptionKind, Payment, Phase, PriceLine, PriceOption, Proposal, Sections, VatShare,
};
use crate::policy::{Policy, RateCard};
use crate::stages::scoping::{Priority, Requirement, Scope};

/// What has been conceded in a negotiation, and what the client gives back for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concessions {
    /// A part of the price, in basis points of the list price.
    pub cut_basis_points: u32,
    /// Whether the odd sum above a round one is let off.
    pub round: bool,
    /// Requirements that are built and not charged.
    pub free_items: Vec<String>,
    /// Days after acceptance until which half of the last payment has time.
    pub later_days: Option<u16>,
    /// Shoulds and Coulds that the client wants to do without.
    pub left_out: Vec<String>,
    /// Coulds that the client wants to have.
    pub added: Vec<String>,
    /// What the client gives back, by lever.
    pub in_return: BTreeMap<LeverKind, String>,
}

impl Concessions {
    /// What an offer has conceded, so that a new revision takes nothing back.
    pub fn of(offer: &Proposal, scope: &Scope) -> Self {
        let mut so_far = Self::default();
        for lever in &offer.levers {
            match lever.kind {
                LeverKind::PriceCut => so_far.cut_basis_points = lever.basis_points,
                LeverKind::Rounding => so_far.round = true,
                LeverKind::FreeItem => so_far.free_items.push(lever.requirement.clone()),
                LeverKind::LaterPayment => so_far.later_days = offer.schedule.iter().find_map(later_days),
                LeverKind::Upfront => {}
            }
            so_far.in_return.insert(lever.kind, lever.in_return.clone());
        }
        if offer.levers.is_empty() && offer.discount_basis_points > 0 {
            so_far.cut_basis_points = offer.discount_basis_points;
            so_far.in_return.insert(LeverKind::PriceCut, offer.in_return.clone());
        }
        if let Some(tailored) = offer.options.iter().find(|o| o.kind == OptionKind::Tailored) {
            let priced = |id: &str| tailored.lines.iter().any(|l| l.requirements.iter().any(|r| r == id));
            for r in &scope.requirements {
                match r.priority {
                    Priority::Should if !priced(&r.id) => so_far.left_out.push(r.id.clone()),
                    Priority::Could if priced(&r.id) => so_far.added.push(r.id.clone()),
                    _ => {}
                }
            }
        }
        so_far
    }

    fn tailors(&self) -> bool {
        !self.left_out.is_empty() || !self.added.is_empty() || !self.free_items.is_empty()
    }

    fn back(&self, kind: LeverKind) -> String {
        self.in_return.get(&kind).cloned().unwrap_or_default()
    }
}

impl Proposal {
    /// Prices a scope with a discount in basis points of the list price; the first revision.
    pub fn price(scope: &Scope, rates: &RateCard, policy: &Policy, discount_basis_points: u32, today: Date) -> Self {
        let concessions = Concessions { cut_basis_points: discount_basis_points, ..Concessions::default() };
        Self::offer(scope, rates, policy, &concessions, today)
    }

    /// Prices a scope: every option with its lines, concessions, sums and payments; the first revision.
    pub fn offer(scope: &Scope, rates: &RateCard, policy: &Policy, concessions: &Concessions, today: Date) -> Self {
        let options = options(scope, rates, policy, concessions);
        let chosen = [OptionKind::Tailored, OptionKind::Recommended]
            .into_iter()
            .find(|kind| options.iter().any(|o| o.kind == *kind))
            .unwrap_or(OptionKind::Recommended);
        let empty = Self {
            revision: 1,
            currency: rates.currency.clone(),
            chosen: None,
            lines: Vec::new(),
            discount_basis_points: 0,
            in_return: String::new(),
            levers: Vec::new(),
            list_minor: 0,
            net_minor: 0,
            vat_minor: 0,
            vat_basis_points: rates.vat_basis_points,
            vat: Vec::new(),
            gross_minor: 0,
            schedule: Vec::new(),
            valid_until: today.saturating_add(jiff::Span::new().days(i64::from(rates.valid_days))),
            options,
            sections: Sections::default(),
            pages: None,
        };
        let mut offer = empty.with(chosen).unwrap_or(empty);
        offer.sections.timetable = timetable(&offer.lines, scope);
        offer
    }
}

/// The options of an offer, in rising order of what they hold: at most three, and two wherever there is a choice.
fn options(scope: &Scope, rates: &RateCard, policy: &Policy, concessions: &Concessions) -> Vec<PriceOption> {
    let free = |r: &Requirement| concessions.free_items.contains(&r.id);
    let holds = |kind: OptionKind, r: &Requirement| match (kind, r.priority) {
        (_, Priority::Wont) => false,
        (_, Priority::Must) => true,
        (OptionKind::Essentials, _) => false,
        (OptionKind::Full, _) => true,
        (OptionKind::Tailored, Priority::Should) => !concessions.left_out.contains(&r.id),
        (OptionKind::Tailored, Priority::Could) => concessions.added.contains(&r.id) || free(r),
        (OptionKind::Recommended | OptionKind::Upfront, priority) => priority == Priority::Should,
    };
    let option = |kind: OptionKind| {
        let lines = scope.requirements.iter().filter(|r| holds(kind, r)).map(|r| line(r, rates)).collect();
        price(kind, lines, rates, policy, concessions)
    };
    let has = |priority: Priority| scope.requirements.iter().any(|r| r.priority == priority);
    let mut kinds = Vec::new();
    if has(Priority::Should) {
        kinds.push(OptionKind::Essentials);
    }
    if concessions.tailors() {
        kinds.push(OptionKind::Tailored);
    }
    kinds.push(OptionKind::Recommended);
    if has(Priority::Could) && kinds.len() < 3 {
        kinds.push(OptionKind::Full);
    }
    if kinds.len() < 2 && rates.upfront_basis_points > 0 {
        kinds.push(OptionKind::Upfront);
    }
    kinds.into_iter().map(option).collect()
}

/// The line of one requirement.
pub fn line(requirement: &Requirement, rates: &RateCard) -> PriceLine {
    let rate = rates.day_rate(&requirement.service);
    let vat = rates.vat(&requirement.service);
    PriceLine {
        text: requirement.text.clone(),
        requirements: vec![requirement.id.clone()],
        quarter_days: requirement.effort_quarter_days,
        day_rate_minor: rate,
        total_minor: line_total(requirement.effort_quarter_days, rate),
        service: requirement.service.clone(),
        vat_basis_points: (vat != rates.vat_basis_points).then_some(vat),
    }
}

/// An option over these lines.
fn price(
    kind: OptionKind,
    lines: Vec<PriceLine>,
    rates: &RateCard,
    policy: &Policy,
    concessions: &Concessions,
) -> PriceOption {
    let list_minor = list(&lines);
    let levers = levers(kind, &lines, rates, policy.discount_limit_basis_points, concessions);
    let net_minor = list_minor.saturating_sub(worth(&levers));
    let vat = vat_by_rate(&lines, net_minor, rates.vat_basis_points);
    let vat_minor = vat.iter().map(|v| v.vat_minor).fold(0, i64::saturating_add);
    let gross_minor = net_minor.saturating_add(vat_minor);
    let later = concessions.later_days;
    PriceOption {
        kind,
        discount_basis_points: discount(&levers, list_minor),
        schedule: schedule(kind, gross_minor, policy.deposit_basis_points, later),
        lines,
        list_minor,
        levers,
        net_minor,
        vat,
        vat_minor,
        gross_minor,
    }
}

fn levers(
    kind: OptionKind,
    lines: &[PriceLine],
    rates: &RateCard,
    limit: u32,
    concessions: &Concessions,
) -> Vec<Lever> {
    let list_minor = list(lines);
    let mut levers = Vec::new();
    let by_share = |kind: LeverKind, points: u32| Lever {
        kind,
        basis_points: points,
        amount_minor: share_down(list_minor, points),
        in_return: concessions.back(kind),
        requirement: String::new(),
    };
    if concessions.cut_basis_points > 0 {
        levers.push(by_share(LeverKind::PriceCut, concessions.cut_basis_points));
    }
    // On top of a price cut it must not go beyond what anybody may give.
    let upfront = rates.upfront_basis_points.min(limit.saturating_sub(concessions.cut_basis_points));
    if kind == OptionKind::Upfront && upfront > 0 {
        let mut lever = by_share(LeverKind::Upfront, upfront);
        if lever.in_return.is_empty() {
            // The words are the code's own: the document says them in the client's language.
            lever.in_return = "payment in advance".into();
        }
        levers.push(lever);
    }
    for id in &concessions.free_items {
        if let Some(line) = lines.iter().find(|l| l.requirements.contains(id)) {
            levers.push(Lever {
                kind: LeverKind::FreeItem,
                basis_points: 0,
                amount_minor: line.total_minor,
                in_return: concessions.back(LeverKind::FreeItem),
                requirement: id.clone(),
            });
        }
    }
    let odd = list_minor.saturating_sub(worth(&levers)).rem_euclid(rates.rounding_minor.max(1));
    if concessions.round && odd > 0 {
        levers.push(Lever {
            kind: LeverKind::Rounding,
            basis_points: 0,
            amount_minor: odd,
            in_return: concessions.back(LeverKind::Rounding),
            requirement: String::new(),
        });
    }
    if concessions.later_days.is_some() && kind != OptionKind::Upfront {
        levers.push(Lever {
            kind: LeverKind::LaterPayment,
            basis_points: 0,
            amount_minor: 0,
            in_return: concessions.back(LeverKind::LaterPayment),
            requirement: String::new(),
        });
    }
    levers
}

/// The payments of an option: a deposit, the rest on acceptance, half of that later where it was conceded.
fn schedule(kind: OptionKind, gross: i64, deposit_basis_points: u32, later: Option<u16>) -> Vec<Payment> {
    let payment = |on: &str, gross_minor: i64| Payment { on: on.into(), gross_minor };
    if kind == OptionKind::Upfront {
        return vec![payment("signature", gross)];
    }
    let deposit = share(gross, deposit_basis_points);
    let rest = gross - deposit;
    let postponed = if later.is_some() { rest / 2 } else { 0 };
    let mut schedule = vec![payment("acceptance", rest - postponed)];
    if deposit > 0 {
        schedule.insert(0, payment("signature", deposit));
    }
    if let Some(days) = later.filter(|_| postponed > 0) {
        schedule.push(payment(&format!("acceptance+{days}"), postponed));
    }
    schedule
}

/// The days of an `acceptance+30`.
pub fn later_days(payment: &Payment) -> Option<u16> {
    payment.on.strip_prefix("acceptance+")?.parse().ok()
}

/// The work in order: what must be, then what should be, then the rest, each in working days after the start.
pub fn timetable(lines: &[PriceLine], scope: &Scope) -> Vec<Phase> {
    let mut phases = Vec::new();
    let mut quarters = 0u32;
    for priority in [Priority::Must, Priority::Should, Priority::Could] {
        let of_it = |line: &&PriceLine| {
            line.requirements.first().and_then(|id| scope.requirement(id)).is_some_and(|r| r.priority == priority)
        };
        let part: Vec<&PriceLine> = lines.iter().filter(of_it).collect();
        if part.is_empty() {
            continue;
        }
        let from_day = quarters / 4 + 1;
        quarters = part.iter().fold(quarters, |sum, line| sum.saturating_add(line.quarter_days));
        phases.push(Phase {
            requirements: part.iter().flat_map(|line| line.requirements.clone()).collect(),
            from_day,
            to_day: quarters.div_ceil(4).max(from_day),
        });
    }
    phases
}

/// The tax by rate, the discount spread over the rates in proportion to what they tax.
pub fn vat_by_rate(lines: &[PriceLine], net_minor: i64, usual: u32) -> Vec<VatShare> {
    let mut listed: BTreeMap<u32, i64> = BTreeMap::new();
    for line in lines {
        let sum = listed.entry(line.vat_basis_points.unwrap_or(usual)).or_default();
        *sum = sum.saturating_add(line.total_minor);
    }
    let mut left_list = listed.values().copied().fold(0, i64::saturating_add);
    let mut left_net = net_minor;
    let mut shares = Vec::new();
    // Each rate takes its part of what is left, so that the parts sum to the net price to the cent.
    for (basis_points, list) in listed {
        let share_of_net = if left_list == 0 { left_net } else { part(left_net, list, left_list) };
        left_list -= list;
        left_net -= share_of_net;
        let vat_minor = share(share_of_net, basis_points);
        shares.push(VatShare { basis_points, net_minor: share_of_net, vat_minor });
    }
    shares
}

/// `amount * part / whole`, rounded half up; nothing of nothing.
pub fn part(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let (amount, part, whole) = (i128::from(amount), i128::from(part), i128::from(whole));
    i64::try_from((2 * amount * part + whole).div_euclid(2 * whole)).unwrap_or(i64::MAX)
}

/// What remains of a price after what the work costs the agency itself. For the agency's own people only: it stands in
/// no result and in no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// What the work costs.
    pub cost_minor: i64,
    /// Net price less cost, in basis points of the net price; less than 0 for a loss.
    pub basis_points: i64,
}

/// The margin of a net price for these lines, where the rate card knows the costs of all of them.
pub fn margin(lines: &[PriceLine], net_minor: i64, rates: &RateCard) -> Option<Margin> {
    let mut cost_minor = 0i64;
    for line in lines {
        let cost = Some(rates.day_cost(&line.service)).filter(|cost| *cost > 0)?;
        cost_minor = cost_minor.saturating_add(line_total(line.quarter_days, cost));
    }
    let left = i128::from(net_minor) - i128::from(cost_minor);
    let basis_points = if net_minor <= 0 { -10_000 } else { (left * 10_000).div_euclid(i128::from(net_minor)) };
    Some(Margin { cost_minor, basis_points: i64::try_from(basis_points).unwrap_or(i64::MIN) })
}

/// Sum of the lines.
pub fn list(lines: &[PriceLine]) -> i64 {
    lines.iter().map(|l| l.total_minor).fold(0, i64::saturating_add)
}

/// What the levers are worth together.
pub fn worth(levers: &[Lever]) -> i64 {
    levers.iter().map(|l| l.amount_minor).fold(0, i64::saturating_add)
}

/// All levers together in basis points of the list price, rounded up: half a cent too much is too much.
pub fn discount(levers: &[Lever], list_minor: i64) -> u32 {
    let (worth, list) = (i128::from(worth(levers)), i128::from(list_minor));
    if list <= 0 || worth <= 0 {
        return 0;
    }
    u32::try_from((worth * 10_000 + list - 1) / list).unwrap_or(u32::MAX)
}

/// What the client gives back, over all levers, each thing once.
pub fn in_return(levers: &[Lever]) -> String {
    let mut said: Vec<&str> = Vec::new();
    for lever in levers.iter().map(|l| l.in_return.trim()).filter(|r| !r.is_empty()) {
        if !said.contains(&lever) {
            said.push(lever);
        }
    }
    said.join("; ")
}

/// `quarter_days / 4 * rate`, rounded half up.
pub fn line_total(quarter_days: u32, day_rate_minor: i64) -> i64 {
    let quarters = i64::from(quarter_days).saturating_mul(day_rate_minor);
    quarters.saturating_add(2).div_euclid(4)
}

/// A share in basis points, rounded half up.
pub fn share(amount: i64, basis_points: u32) -> i64 {
    let scaled = i128::from(amount) * i128::from(basis_points) + 5_000;
    i64::try_from(scaled.div_euclid(10_000)).unwrap_or(i64::MAX)
}

/// A share in basis points, rounded down: a concession is never more than was granted.
fn share_down(amount: i64, basis_points: u32) -> i64 {
    let scaled = i128::from(amount) * i128::from(basis_points);
    i64::try_from(scaled.div_euclid(10_000)).unwrap_or(i64::MAX)
}

/// An amount for people: `1234.50 EUR`. Locale-aware output is the documents' business.
pub fn money(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} {currency}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_lines_round_half_up() {
        assert_eq!(share(12_345, 1_900), 2_346);
        assert_eq!(share(50, 1_000), 5);
        assert_eq!(line_total(3, 80_000), 60_000);
        assert_eq!(line_total(1, 33_333), 8_333);
        assert_eq!(money(-5, "EUR"), "-0.05 EUR");
    }
}
