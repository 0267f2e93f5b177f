//! The owner's rules: retries, time limits, authority, approvals, follow-ups. Data, not code; `max.toml` fills it.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Country};
use crate::guard;
use crate::id::Digest;
use crate::lead::{ApprovalKind, ClientAsk, Lead};
use crate::stage::Stage;
use crate::stages::delivery_pm::Plan;

/// The rules a decision is made under.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How often a task is tried before it is escalated.
    pub max_attempts: u32,
    /// How often the Core Orchestra may ask for another round in one stage before people decide.
    pub core_retries: u32,
    /// The wait after the first failed attempt; it doubles each time.
    pub backoff_base: SignedDuration,
    /// The longest wait between attempts.
    pub backoff_cap: SignedDuration,
    /// The score from which a lead is a fit, 0 to 100.
    pub qualification_cut: u8,
    /// Which kinds of approval a person must give.
    pub approvals: BTreeMap<ApprovalKind, bool>,
    /// How long a person has to decide; a reminder comes at half time, an escalation at the end.
    pub approval_time: SignedDuration,
    /// Whether work starts only after the deposit.
    pub deposit_required: bool,
    /// Share of the gross total due on signature, in basis points (1/100 of a percent).
    pub deposit_basis_points: u32,
    /// The largest discount MAX may give alone, in basis points over all levers together.
    pub discount_alone_basis_points: u32,
    /// The largest discount at all, with approval, in basis points.
    pub discount_limit_basis_points: u32,
    /// Working days after an offer on which a silent client is reminded; the last closes politely.
    pub offer_follow_ups: Vec<u16>,
    /// The same for every other question.
    pub nudges: Vec<u16>,
    /// When mail may go out without having been asked for.
    pub working_hours: WorkingHours,
    /// Time zones of clients by region subtag (`de`, `gb` …) of their locale.
    pub zones: BTreeMap<String, TimeZone>,
    /// Where clients reach their own pages, without a slash at the end; empty while they cannot.
    pub portal_url: String,
    /// The domain of the Message-IDs that MAX makes.
    pub mail_domain: String,
    /// The sentence by which an AI discloses itself, by language tag; what was said is recorded with the lead.
    pub disclosures: BTreeMap<String, String>,
    /// How soon the first reply leaves; after that a neutral receipt does.
    pub first_reply_within: SignedDuration,
    /// How long nobody gets another receipt (RFC 3834: one automatic answer to a sender in a period).
    pub receipt_every: SignedDuration,
    /// The neutral receipt, by language tag; empty where the agency has none.
    pub receipts: BTreeMap<String, Receipt>,
    /// Automatic mails to one address in an hour without a person before MAX stops and escalates.
    pub automatic_mails_per_hour: usize,
    /// What the agency may always say of itself: its name, address, mail, telephone.
    pub own_words: Vec<String>,
    /// The agency's prices.
    pub rate_card: RateCard,
    /// What the agency does not do; a lead that asks for it is not a fit.
    pub services: Vec<Service>,
    /// SHA-256 of the owner's contract clauses, by language tag and clause id; empty where they are not known.
    pub clauses: BTreeMap<String, BTreeMap<String, Digest>>,
    /// The days on which the agency works.
    pub calendar: Calendar,
}

/// A mail that says that a message arrived, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The subject line.
    pub subject: String,
    /// The text, with its disclosure.
    pub body: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            core_retries: 1,
            backoff_base: SignedDuration::from_secs(2),
            backoff_cap: SignedDuration::from_mins(10),
            qualification_cut: 40,
            approvals: BTreeMap::from([(ApprovalKind::Reply, false)]),
            approval_time: SignedDuration::from_hours(24),
            deposit_required: true,
            deposit_basis_points: 3_000,
            discount_alone_basis_points: 1_000,
            discount_limit_basis_points: 2_000,
            offer_follow_ups: vec![2, 5, 10, 21],
            nudges: vec![2, 5, 10],
            working_hours: WorkingHours::default(),
            zones: BTreeMap::new(),
            portal_url: String::new(),
            mail_domain: "agency.example".into(),
            disclosures: BTreeMap::new(),
            first_reply_within: SignedDuration::from_secs(60),
            receipt_every: SignedDuration::from_hours(24),
            receipts: BTreeMap::new(),
            automatic_mails_per_hour: 5,
            own_words: Vec::new(),
            rate_card: RateCard::default(),
            services: Vec::new(),
            clauses: BTreeMap::new(),
            calendar: Calendar::default(),
        }
    }
}

impl Policy {
    /// Whether a person must decide this kind.
    pub fn needs_approval(&self, kind: ApprovalKind) -> bool {
        self.approvals.get(&kind).copied().unwrap_or(true)
    }

    /// The mail addresses among the agency's own words.
    pub fn own_addresses(&self) -> impl Iterator<Item = String> + '_ {
        self.own_words.iter().flat_map(|words| guard::addresses(words))
    }

    /// Whether a deposit is asked at all: one of nothing needs no confirmation.
    pub fn wants_deposit(&self) -> bool {
        self.deposit_required && self.deposit_basis_points > 0
    }

    /// The wait before attempt `failed + 1`: doubling, capped, with equal jitter from `fraction` in 0.0..1.0
    /// (half fixed, half random), so that leads that failed together do not come back together.
    pub fn backoff(&self, failed: u32, fraction: f64) -> SignedDuration {
        let doubled =
            self.backoff_base.as_secs_f64() * f64::from(2u32.saturating_pow(failed.saturating_sub(1).min(20)));
        let full = doubled.min(self.backoff_cap.as_secs_f64());
        SignedDuration::from_secs_f64(full / 2.0 + full / 2.0 * fraction.clamp(0.0, 1.0))
    }

    /// The follow-up days for what is asked.
    pub fn follow_up_days(&self, ask: &ClientAsk) -> &[u16] {
        match ask {
            ClientAsk::Decision | ClientAsk::Signature { .. } => &self.offer_follow_ups,
            // A milestone waits for as long as it takes: the client has paid for it. A person looks at it when the
            // reminders are over.
            ClientAsk::Milestone { .. } | ClientAsk::ChangeOrder { .. } | ClientAsk::Reply | ClientAsk::Answers => {
                &self.nudges
            }
        }
    }

    /// When follow-up number `number` (1 for the first) is due after `since`, or nothing when there are no more.
    pub fn follow_up_at(&self, ask: &ClientAsk, since: Timestamp, number: u8, zone: &TimeZone) -> Option<Timestamp> {
        let days = *self.follow_up_days(ask).get(usize::from(number).checked_sub(1)?)?;
        Some(self.working_hours.opening_after(since, days, zone))
    }

    /// When silence through all follow-ups becomes a person's business, for an ask that silence does not close: one
    /// more gap of the calendar after its last day.
    pub fn silent_at(&self, ask: &ClientAsk, since: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let days = self.follow_up_days(ask);
        let last = *days.last()?;
        let before = days.len().checked_sub(2).and_then(|i| days.get(i)).copied().unwrap_or_default();
        let gap = last.saturating_sub(before).max(1);
        Some(self.working_hours.opening_after(since, last.saturating_add(gap), zone))
    }

    /// True when `number` is the follow-up that closes politely. A milestone is never closed by silence.
    pub fn is_last_follow_up(&self, ask: &ClientAsk, number: u8) -> bool {
        !matches!(ask, ClientAsk::Milestone { .. } | ClientAsk::ChangeOrder { .. })
            && usize::from(number) >= self.follow_up_days(ask).len()
    }

    /// The client's time zone: by the region of his locale, else by his language, else the agency's.
    pub fn zone_of(&self, lead: &Lead) -> &TimeZone {
        let locale = lead.contact.locale.as_deref().or(lead.language.as_deref()).unwrap_or_default();
        locale
            .rsplit(['-', '_'])
            .find_map(|part| self.zones.get(&part.to_lowercase()))
            .unwrap_or(&self.working_hours.zone)
    }

    /// The days on which both the agency and this client work.
    pub fn calendar_of(&self, lead: &Lead) -> Calendar {
        self.calendar.clone().and(Country::of_lead(lead))
    }

    /// `at` itself, or the next opening after the holidays of either side.
    pub fn off_holidays(&self, at: Timestamp, lead: &Lead) -> Timestamp {
        let (zone, calendar) = (self.zone_of(lead), self.calendar_of(lead));
        let day = at.to_zoned(zone.clone()).date();
        let working = calendar.on_or_after(day);
        if working == day { at } else { self.opening_on(working, lead).unwrap_or(at) }
    }

    /// The agency's calendar day at this moment.
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.working_hours.zone.clone()).date()
    }

    /// The moment at which the client's working day `day` begins.
    pub fn opening_on(&self, day: Date, lead: &Lead) -> Option<Timestamp> {
        let opening = day.to_datetime(self.working_hours.from).to_zoned(self.zone_of(lead).clone());
        opening.ok().map(|z| z.timestamp())
    }

    /// When an approval of this kind should be decided, if it is asked at `now`.
    pub fn approval_due(&self, kind: ApprovalKind, now: Timestamp, lead: &Lead) -> Timestamp {
        let zone = &self.working_hours.zone;
        let milestone = || {
            let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan")?;
            let next = plan.milestones.iter().find(|m| !lead.accepted_milestones.contains_key(&m.id))?;
            next.due.to_zoned(zone.clone()).ok().map(|z| z.timestamp())
        };
        let usual = now + self.approval_time;
        match kind {
            // Work has to be done first; the plan says until when.
            ApprovalKind::Milestone => milestone().unwrap_or(usual).max(usual),
            // A bank transfer and manual steps take days, not hours.
            ApprovalKind::Deposit | ApprovalKind::ManualSteps => now + self.approval_time * 7,
            _ => usual,
        }
    }
}

/// The hours in which a client may be written to unasked, in the client's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingHours {
    /// Opening time.
    pub from: Time,
    /// Closing time.
    pub to: Time,
    /// The agency's time zone, for clients whose own is not known.
    pub zone: TimeZone,
}

impl Default for WorkingHours {
    fn default() -> Self {
        Self { from: Time::constant(9, 0, 0, 0), to: Time::constant(17, 0, 0, 0), zone: TimeZone::UTC }
    }
}

impl WorkingHours {
    /// The same time of day `days` days after `since`, moved forward into working hours.
    pub fn opening_after(&self, since: Timestamp, days: u16, zone: &TimeZone) -> Timestamp {
        let start = since.to_zoned(zone.clone());
        let due = start.checked_add(i64::from(days).days()).map_or(since, |z| z.timestamp());
        self.next_open(due, zone)
    }

    /// `at` itself when it is in working hours, else the next opening. Saturdays and Sundays are closed.
    pub fn next_open(&self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let mut local = at.to_zoned(zone.clone());
        for _ in 0..14 {
            let closed_day = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
            if !closed_day && local.time() < self.from {
                return local.with().time(self.from).build().map_or(at, |z| z.timestamp());
            }
            if !closed_day && local.time() < self.to {
                return local.timestamp();
            }
            let Ok(morning) = local.tomorrow().and_then(|z| z.with().time(Time::midnight()).build()) else { return at };
            local = morning;
        }
        at
    }
}

/// The agency's prices: one rate for a day of work, and the tax on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateCard {
    /// ISO 4217.
    pub currency: String,
    /// One day of work, in minor units (cents).
    pub day_rate_minor: i64,
    /// Rates of particular services that differ from it, in minor units, by service id.
    pub services: BTreeMap<String, i64>,
    /// Value added tax in basis points: 1900 is 19 %.
    pub vat_basis_points: u32,
    /// Tax rates of particular services that differ from it, in basis points, by service id.
    pub vat_by_service: BTreeMap<String, u32>,
    /// How many days an offer is valid.
    pub valid_days: u16,
    /// What is taken off for paying everything on signature, in basis points; 0 to leave that option out.
    pub upfront_basis_points: u32,
    /// Where the odd sum is let off, the price is a multiple of this, in minor units.
    pub rounding_minor: i64,
    /// How long half of the last payment may wait where a client needs time to pay, in days after acceptance.
    pub later_days: u16,
    /// What one day of work costs the agency itself, in minor units; 0 when it is not known.
    pub day_cost_minor: i64,
    /// The same for particular services, by service id.
    pub costs: BTreeMap<String, i64>,
    /// Below this margin nobody offers, in basis points of the net price. Only meant where the costs are known.
    pub margin_floor_basis_points: u32,
    /// The usual terms of a contract.
    pub terms: ContractTerms,
}

/// What the clauses of a contract say in numbers, unless the owner writes numbers into the clauses themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContractTerms {
    /// Working days after hand-over until a milestone counts as accepted.
    pub acceptance_days: u16,
    /// Days after acceptance in which defects are mended without charge, 30 to 90.
    pub warranty_days: u16,
    /// Years after the last sign-off for which the agency keeps what belongs to the project.
    pub retention_years: u16,
    /// Rounds of revision that are included.
    pub revision_rounds: u16,
    /// Days until an invoice is payable.
    pub payment_days: u16,
    /// What the client pays of the price of work not yet done when he ends the contract early, in basis points.
    pub kill_fee_basis_points: u32,
    /// The most that is paid for slight negligence, in basis points of the gross price.
    pub liability_basis_points: u32,
}

impl Default for ContractTerms {
    fn default() -> Self {
        Self {
            acceptance_days: 10,
            warranty_days: 90,
            retention_years: 10,
            revision_rounds: 2,
            payment_days: 14,
            kill_fee_basis_points: 1_500,
            liability_basis_points: 10_000,
        }
    }
}

impl Default for RateCard {
    fn default() -> Self {
        Self {
            currency: "EUR".into(),
            day_rate_minor: 80_000,
            services: BTreeMap::new(),
            vat_basis_points: 1_900,
            vat_by_service: BTreeMap::new(),
            valid_days: 30,
            upfront_basis_points: 200,
            rounding_minor: 5_000,
            later_days: 30,
            day_cost_minor: 0,
            costs: BTreeMap::new(),
            margin_floor_basis_points: 0,
            terms: ContractTerms::default(),
        }
    }
}

impl RateCard {
    /// The price of a day of a service.
    pub fn day_rate(&self, service: &str) -> i64 {
        self.services.get(service).copied().unwrap_or(self.day_rate_minor)
    }

    /// The tax on a service, in basis points.
    pub fn vat(&self, service: &str) -> u32 {
        self.vat_by_service.get(service).copied().unwrap_or(self.vat_basis_points)
    }

    /// What a day of a service costs the agency itself; 0 when it is not known.
    pub fn day_cost(&self, service: &str) -> i64 {
        self.costs.get(service).copied().unwrap_or(self.day_cost_minor)
    }

    /// The prices without what they cost the agency: what a voice that reads a client's words may know.
    #[must_use]
    pub fn without_costs(&self) -> Self {
        Self { day_cost_minor: 0, costs: BTreeMap::new(), margin_floor_basis_points: 0, ..self.clone() }
    }
}

/// Something the agency does, and the words by which a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its id, as the rate card names it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Words that point to it, lower case, in every language served.
    pub keywords: Vec<String>,
    /// False for something the agency is asked for and does not do.
    #[serde(default = "offered")]
    pub offered: bool,
}

fn offered() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn back_off_doubles_to_its_cap_and_jitters_within_half() {
        let policy = Policy::default();
        assert_eq!(policy.backoff(1, 0.0), SignedDuration::from_secs(1));
        assert_eq!(policy.backoff(1, 1.0), SignedDuration::from_secs(2));
        assert_eq!(policy.backoff(3, 1.0), SignedDuration::from_secs(8));
        assert_eq!(policy.backoff(60, 1.0), policy.backoff_cap);
    }

    #[test]
    fn follow_ups_come_in_the_clients_working_hours_and_never_on_a_weekend() {
        let policy = Policy::default();
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        // A Thursday, 22:30 in Berlin: two days later is a Saturday, so Monday 09:00 (08:00 UTC).
        let since = at("2026-11-19T21:30:00Z");
        let first = policy.follow_up_at(&ClientAsk::Decision, since, 1, &berlin);
        assert_eq!(first, Some(at("2026-11-23T08:00:00Z")));
        let all: Vec<_> = (1..=5).map(|n| policy.follow_up_at(&ClientAsk::Decision, since, n, &berlin)).collect();
        assert_eq!(all.iter().flatten().count(), 4);
        assert!(policy.is_last_follow_up(&ClientAsk::Decision, 4));
        assert!(!policy.is_last_follow_up(&ClientAsk::Decision, 3));
    }

    #[test]
    fn inside_working_hours_nothing_moves() {
        let hours = WorkingHours::default();
        let noon = at("2026-11-23T12:00:00Z");
        assert_eq!(hours.next_open(noon, &TimeZone::UTC), noon);
        assert_eq!(hours.next_open(at("2026-11-23T17:00:00Z"), &TimeZone::UTC), at("2026-11-24T09:00:00Z"));
        assert_eq!(hours.next_open(at("2026-11-23T03:00:00Z"), &TimeZone::UTC), at("2026-11-23T09:00:00Z"));
    }
}
