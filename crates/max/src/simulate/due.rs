//! When the clock brings something about for a lead, seen from outside.

use jiff::{Timestamp, tz::TimeZone};
use max_core::policy::Policy;
use serde_json::Value;

use crate::wire::LeadView;

/// The moment by which something certainly happens to the lead without anybody doing anything: a retry, a follow-up
/// to the client, a reminder or the end of an approval's time.
///
/// The client's time zone is not visible here, so the latest of all zones is taken: not before the moment, at most
/// some hours after it, and still in working hours.
pub(super) fn next(view: &LeadView, policy: &Policy) -> Option<Timestamp> {
    if let Some(task) = &view.task {
        return task.not_before;
    }
    if view.escalation.is_some() {
        return None;
    }
    if let Some(approval) = &view.approval {
        let half = approval.due_at.duration_since(approval.requested_at) / 2;
        return match approval.reminders {
            0 => Some(approval.requested_at + half),
            1 => Some(approval.due_at),
            _ => None,
        };
    }
    follow_up(view.waits.as_ref()?, policy)
}

fn follow_up(waits: &Value, policy: &Policy) -> Option<Timestamp> {
    if waits["kind"] != "client" {
        return None;
    }
    let since: Timestamp = waits["since"].as_str()?.parse().ok()?;
    let written = usize::try_from(waits["follow_ups"].as_u64()?).ok()?;
    let ask = waits["for"].as_str()?;
    let offer = ask.starts_with("decision") || ask.starts_with("signature");
    let days = *if offer { &policy.offer_follow_ups } else { &policy.nudges }.get(written)?;
    let hours = &policy.working_hours;
    let zones = policy.zones.values().cloned().chain([hours.zone.clone(), TimeZone::UTC]);
    zones.map(|zone| hours.opening_after(since, days, &zone)).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn follow_ups_are_foreseen_until_there_are_no_more() {
        let policy = Policy::default();
        let waits = |for_: &str, follow_ups: u8| json!({"kind": "client", "for": for_, "since": "2026-11-23T10:00:00Z", "follow_ups": follow_ups});
        let at = |text: &str| Some(text.parse().expect("a moment"));
        assert_eq!(follow_up(&waits("decision on the offer", 0), &policy), at("2026-11-25T10:00:00Z"));
        assert_eq!(follow_up(&waits("decision on the offer", 3), &policy), at("2026-12-14T10:00:00Z"));
        assert_eq!(follow_up(&waits("reply", 3), &policy), None);
        assert_eq!(follow_up(&json!({"kind": "need"}), &policy), None);
    }
}
