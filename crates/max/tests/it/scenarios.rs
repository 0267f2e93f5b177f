//! Every shipped scenario is played by the real command against the real server, and a failing one is told by name.

use crate::process;

use serde_json::Value;

#[test]
fn every_shipped_scenario_meets_its_expectations() {
    let names: Vec<&str> = max_app::simulate::SHIPPED.iter().map(|(name, _)| *name).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let played = process::max()
        .arg("simulate")
        .args(&names)
        .arg("--json")
        .current_dir(folder.path())
        .output()
        .expect("max simulate");
    let report: Value = serde_json::from_slice(&played.stdout).expect("a report");
    assert!(played.status.success(), "{report:#}");
    assert_eq!(report["scenarios"].as_array().map(Vec::len), Some(names.len()));
}

/// Plays a story of the test's own; exit code, and everything that was said.
fn played(story: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("story.yaml");
    std::fs::write(&file, story).expect("written");
    let played = process::max().arg("simulate").arg(&file).args(arguments).output().expect("max simulate");
    let said = String::from_utf8_lossy(&played.stdout).into_owned() + &String::from_utf8_lossy(&played.stderr);
    (played.status.code(), said)
}

fn shipped(name: &str) -> &'static str {
    max_app::simulate::SHIPPED.iter().find(|(shipped, _)| *shipped == name).expect("shipped").1
}

#[test]
fn broken_behaviour_breaks_the_scenario_that_is_about_it() {
    // Each story with one thing changed that its expectations are there to see.
    for (name, from, to, expectation) in [
        (
            "duplicate-three-channels",
            "enquire: {via: api}",
            "enquire: {via: api, email: t@other.example}",
            "other_leads",
        ),
        ("not-a-fit", "repair my laptop", "build our website", "outcome"),
        ("erasure-look-alike", "approve: true", "reject: we want to keep it", "outcome"),
        ("slow-sign-off", "after: 13d", "after: 3d", "messages[0]"),
        ("take-over", "hand_back: true", "silent: true", "stage"),
    ] {
        let story = shipped(name);
        assert!(story.contains(from), "{name} has changed: {from}");
        let (code, said) = played(&story.replace(from, to), &[]);
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(expectation), "{name}: {said}");
    }
}

#[test]
fn the_clock_stops_at_everything_that_comes_due_on_its_way() {
    // The client is not said to be silent: he answers after a while, and every reminder before comes on its day. The
    // third one would be due on the last day of the year, when the agency is closed, and comes after the holidays.
    for (days, reminders) in [(12, 2), (16, 3)] {
        let story = format!(
            "
clock: 2026-12-21T09:00:00Z
lead: {{name: Mary Major, email: mary@bakery.example, company: Major Bakery, role: Owner, locale: de-DE,
       budget: 6000 EUR, message: 'We need a website with a map and opening hours for our bakery, by summer please.'}}
client:
  - {{on: {{message: reply, stage: FirstResponder}}, after: {days}d,
     send: 'Thank you, I decide myself. Our customers are families.'}}
expect: {{messages: [{{kind: follow_up, count: {reminders}}}, {{direction: in, count: 2}}]}}
"
        );
        let (code, said) = played(&story, &["-v"]);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_story_is_played_with_the_owners_own_agency() {
    let root = tempfile::tempdir().expect("a folder");
    let made = process::max().arg("--root").arg(root.path()).arg("init").output().expect("max init");
    assert!(made.status.success(), "{made:?}");
    let agency = root.path().join("agency");
    let profile = std::fs::read_to_string(agency.join("profile.toml")).expect("the profile");
    std::fs::write(agency.join("profile.toml"), profile.replace("Example Agency", "Studio Nord")).expect("written");
    let story = "
lead: {name: Mary Major, email: mary@bakery.example, company: Major Bakery, role: Owner, budget: 6000 EUR,
       message: 'We need a website with a map and opening hours for our bakery, by summer please.'}
expect: {messages: [{kind: reply, contains: Studio Nord}]}
";
    let folder = agency.display().to_string();
    assert_eq!(played(story, &["--agency", &folder]).0, Some(0));
    let (code, said) = played(story, &[]);
    assert_eq!(code, Some(1), "{said}");
    std::fs::write(agency.join("profile.toml"), "name = 7").expect("written");
    let (code, said) = played(story, &["--agency", &folder]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("profile.toml"), "{said}");
    assert_eq!(played(story, &["--agency", "nowhere"]).0, Some(6));
}

#[test]
fn an_expectation_that_is_not_met_is_named_and_ends_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.yaml");
    let spam = max_app::simulate::SHIPPED.iter().find(|(name, _)| *name == "spam").expect("shipped").1;
    std::fs::write(&file, spam.replace("outcome: spam", "outcome: delivered")).expect("written");
    let played = process::max().arg("simulate").arg(&file).output().expect("max simulate");
    let said = String::from_utf8_lossy(&played.stdout).into_owned();
    assert_eq!(played.status.code(), Some(1), "{said}");
    assert!(said.contains("outcome: expected delivered, was spam"), "{said}");
}
