//! The file that `max init` writes is understood, and what is not understood is said well.

use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    config.read(Path::new("max.toml"), text).map(|()| config)
}

fn complaint(text: &str) -> String {
    read(text).expect_err("this must be refused").to_string()
}

#[test]
fn the_commented_file_says_exactly_the_defaults() {
    let text = Config::commented_defaults();
    assert_eq!(read(&text), Ok(Config::default()));
    assert_eq!(read(""), Ok(Config::default()));
    insta::assert_snapshot!(text);
}

#[test]
fn every_key_can_be_changed() {
    let config = read(
        r#"
        [server]
        listen = "0.0.0.0:0"
        lease = "2m"
        [policy]
        max_attempts = 2
        deposit_percent = 12.5
        offer_follow_ups = [1, 3]
        approval_time = "2d"
        [policy.approvals]
        scope = false
        [policy.working_hours]
        from = "08:30"
        zone = "Europe/Berlin"
        [policy.zones]
        US = "America/New_York"
        [mail]
        domain = "studio.example"
        [voices.mine]
        program = "/opt/mine"
        args = ["--fast"]
        [eidolons.scoping]
        persona = "Zoë"
        seats = { codex = "mine" }
        "#,
    )
    .expect("all of this is allowed");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.policy.deposit_basis_points, 1_250);
    assert_eq!(config.policy.approval_time, SignedDuration::from_hours(48));
    assert!(!config.policy.needs_approval(max_core::lead::ApprovalKind::Scope));
    assert!(config.policy.needs_approval(max_core::lead::ApprovalKind::Contract));
    assert!(config.policy.zones.contains_key("us"));
    assert_eq!(config.policy.mail_domain, "studio.example");
    assert_eq!(config.voices["mine"].args, ["--fast"]);
    assert_eq!(config.aliases().stage("Zoë"), Ok(max_core::stage::Stage::Scoping));
    assert!(!config.only_playbook());
}

#[test]
fn mistakes_name_line_key_and_remedy_all_at_once() {
    insta::assert_snapshot!(complaint(
        r#"
[server]
listne = "127.0.0.1:1"
[policy]
max_attempts = 0
approval_time = "soon"
nudges = [5, 2]
deposit_percent = 140
[policy.approvals]
scoop = true
[polcy]
x = 1
[mail]
channel = "smtp"
[notify]
command = ["notify-send"]
[voices.Mine]
kind = "script"
[voices.other]
program = "relative"
[eidolons.scoping.seats]
chatgpt = "other"
"#
    ));
}

#[test]
fn broken_toml_and_wrong_shapes_name_the_line() {
    insta::assert_snapshot!(
        [
            complaint("[server\nlisten = 1"),
            complaint("server = 3"),
            complaint("[policy]\nmax_attempts = \"four\"\n"),
            complaint("[eidolons.scoping.seats]\ncodex = \"playbok\"\n"),
        ]
        .join("\n--\n")
    );
}

#[test]
fn a_named_file_must_be_there_and_others_need_not() {
    let root = tempfile::tempdir().expect("a folder");
    let named = root.path().join("missing.toml");
    assert!(Config::load(root.path(), Some(&named)).is_err());
    let config = Config::load(root.path(), None).expect("defaults");
    assert_eq!(config.file, None);
    std::fs::write(root.path().join(FILE_NAME), "[server]\nlisten = \"127.0.0.1:9\"\n").expect("written");
    assert_eq!(Config::load(root.path(), None).expect("read").listen.port(), 9);
}
