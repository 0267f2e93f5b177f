//! `[policy]`: the owner's rules. Prices and services are the agency folder's, not here.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use max_core::lead::ApprovalKind;
use max_core::policy::{Policy, WorkingHours};

use super::keys::{Keys, Percent, Section};

/// The rules as they are without a file: every approval listed, and the zones of the countries near by.
pub(super) fn default_policy() -> Policy {
    let mut policy = Policy::default();
    for kind in ApprovalKind::ALL {
        let needed = policy.needs_approval(kind);
        policy.approvals.insert(kind, needed);
    }
    let zones = [("de", "Europe/Berlin"), ("at", "Europe/Vienna"), ("ch", "Europe/Zurich"), ("gb", "Europe/London")];
    for (region, zone) in zones {
        // A machine without a time zone database falls back to the agency's own zone.
        if let Ok(zone) = TimeZone::get(zone) {
            policy.zones.insert(region.to_owned(), zone);
        }
    }
    policy
}

impl Section for Policy {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("max_attempts", "How often a task is tried before people are asked.", &mut self.max_attempts);
        keys.key(
            "core_retries",
            "How often the Core Orchestra may ask for another round in one stage before people decide.",
            &mut self.core_retries,
        );
        keys.key("backoff_base", "The wait after the first failed attempt; it doubles.", &mut self.backoff_base);
        keys.key("backoff_cap", "The longest wait between attempts.", &mut self.backoff_cap);
        keys.key("qualification_cut", "The score from which a lead is a fit, 0 to 100.", &mut self.qualification_cut);
        keys.key(
            "approval_time",
            "How long a person has to decide; a reminder comes at half time, an escalation at the end.",
            &mut self.approval_time,
        );
        keys.key("deposit_required", "Whether work starts only after the deposit.", &mut self.deposit_required);
        keys.key(
            "deposit_percent",
            "The share of the gross total that is due on signature.",
            &mut Percent(&mut self.deposit_basis_points),
        );
        keys.key(
            "discount_alone_percent",
            "The largest discount without a person's approval, all levers together.",
            &mut Percent(&mut self.discount_alone_basis_points),
        );
        keys.key(
            "discount_limit_percent",
            "The largest discount at all.",
            &mut Percent(&mut self.discount_limit_basis_points),
        );
        keys.key(
            "offer_follow_ups",
            "Days after an offer on which a silent client is reminded; the last one closes politely.",
            &mut self.offer_follow_ups,
        );
        keys.key("nudges", "The same for every other question to the client.", &mut self.nudges);
        keys.key(
            "automatic_mails_per_hour",
            "Mails to one client in an hour, without a person in between, before MAX stops and asks.",
            &mut self.automatic_mails_per_hour,
        );
        keys.table(
            "approvals",
            "What a person must approve before it counts or leaves the house.",
            &mut Approvals(&mut self.approvals),
        );
        keys.table(
            "working_hours",
            "When a client may be written to without having asked, in the client's time zone.\n\
             Saturdays and Sundays are closed.",
            &mut self.working_hours,
        );
        keys.named(
            "zones",
            "Time zones of clients, by the region of their locale (`de` for de-DE).",
            "us = \"America/New_York\"",
            &mut self.zones,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.max_attempts == 0 {
            wrong.push(("max_attempts", "must be at least 1, or no task would ever be worked on".into()));
        }
        if self.qualification_cut > 100 {
            wrong.push(("qualification_cut", "must be at most 100: scores end there".into()));
        }
        if self.backoff_cap < self.backoff_base {
            wrong.push(("backoff_cap", "must not be shorter than backoff_base".into()));
        }
        if self.discount_alone_basis_points > self.discount_limit_basis_points {
            wrong.push(("discount_alone_percent", "must not be larger than discount_limit_percent".into()));
        }
        for (key, days) in [("offer_follow_ups", &self.offer_follow_ups), ("nudges", &self.nudges)] {
            if days.windows(2).any(|pair| pair[0] >= pair[1]) || days.first() == Some(&0) {
                wrong.push((key, "must be days counted from the question, each later than the one before".into()));
            }
        }
        wrong
    }
}

impl Section for WorkingHours {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("from", "Opening time.", &mut self.from);
        keys.key("to", "Closing time.", &mut self.to);
        keys.key("zone", "The agency's time zone, for clients whose own is not known.", &mut self.zone);
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.from < self.to { Vec::new() } else { vec![("to", "must be later than from".into())] }
    }
}

struct Approvals<'a>(&'a mut BTreeMap<ApprovalKind, bool>);

impl Section for Approvals<'_> {
    fn keys(&mut self, keys: &mut dyn Keys) {
        for kind in ApprovalKind::ALL {
            keys.key(kind.name(), about(kind), self.0.entry(kind).or_insert(true));
        }
    }
}

fn about(kind: ApprovalKind) -> &'static str {
    match kind {
        ApprovalKind::Reply => "Every reply to a client (a neutral receipt goes out at once).",
        ApprovalKind::Scope => "The scope, before it is built on.",
        ApprovalKind::Mockup => "The mockup, before it leaves the house.",
        ApprovalKind::Proposal => "The priced proposal.",
        ApprovalKind::Contract => "The contract.",
        ApprovalKind::Deposit => "That the deposit arrived.",
        ApprovalKind::ManualSteps => "That the agency's own onboarding steps are done.",
        ApprovalKind::Milestone => "A milestone, before it is handed over for sign-off.",
        ApprovalKind::ChangeOrder => "Changed scope, price or dates after signature.",
        ApprovalKind::Bid => "Whether to go for an enquiry that is too large or too unusual for rules.",
        ApprovalKind::Erasure => "The erasure of a person's data.",
    }
}
