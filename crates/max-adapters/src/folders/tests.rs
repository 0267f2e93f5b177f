//! The readable side as people and scripts find it.

use max_core::command::Command;
use max_core::lead::ArtifactRef;
use max_core::signal::SignalType;
use max_core::stage::Stage;
use max_testkit::builders::{Story, new_lead, scope_work};

use super::*;
use crate::artifacts::FolderArtifacts;

struct Place {
    root: tempfile::TempDir,
    folders: FileFolders,
    artifacts: FolderArtifacts,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folders = folders(root.path());
        let artifacts = FolderArtifacts::new(root.path()).expect("artifacts");
        Self { root, folders, artifacts }
    }

    fn lead_folder(&self, lead: &Lead) -> PathBuf {
        self.root.path().join("max-pipeline").join(lead.id.to_string())
    }

    fn write(&self, lead: &Lead) {
        self.folders.write_lead(lead, &self.artifacts).expect("written");
    }

    fn read(&self, lead: &Lead, name: &str) -> Option<String> {
        std::fs::read_to_string(self.lead_folder(lead).join(name)).ok()
    }

    /// A lead in scoping with this file as an artifact.
    fn with_artifact(&self, name: &str, content: &str) -> Lead {
        let mut story = Story::of("Ada").0;
        story.hand_off();
        story.hand_off();
        let mut lead = Lead::clone(story.lead());
        lead.artifacts.push(self.artifact(&lead, name, 1, content));
        lead
    }

    fn artifact(&self, lead: &Lead, name: &str, version: u32, content: &str) -> ArtifactRef {
        let sha256 = self.artifacts.put(lead.id, content.as_bytes()).expect("stored");
        let bytes = content.len() as u64;
        ArtifactRef { stage: Stage::Scoping, name: name.into(), version, sha256, bytes, superseded: false }
    }
}

fn folders(root: &Path) -> FileFolders {
    FileFolders::new(root, |signal| format!("type: {}\n", signal.kind)).expect("folders")
}

#[test]
fn state_json_holds_the_client_state_and_stages_have_folders_once_entered() {
    let place = Place::new();
    let mut story = Story::of("Ada").0;
    place.write(story.lead());
    story.hand_off();
    place.write(story.lead());
    let text = place.read(story.lead(), "state.json").expect("a file");
    let state: ClientState = serde_json::from_str(&text).expect("a ClientState");
    assert_eq!(state, ClientState::from(story.lead().as_ref()));
    let mut names: Vec<_> = std::fs::read_dir(place.lead_folder(story.lead()))
        .expect("a listing")
        .map(|f| f.expect("a file").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    assert_eq!(names, ["stage-1-leadgen", "stage-2-first", "state.json"], "and nothing unfinished stays behind");
}

#[test]
fn artifacts_stand_in_their_stage_and_the_earlier_version_in_superseded() {
    let place = Place::new();
    let mut lead = place.with_artifact("docs/scope.md", "one");
    place.write(&lead);
    assert_eq!(place.read(&lead, "stage-3-scoping/docs/scope.md").as_deref(), Some("one"));
    lead.artifacts[0] = place.artifact(&lead, "docs/scope.md", 2, "two");
    place.write(&lead);
    assert_eq!(place.read(&lead, "stage-3-scoping/docs/scope.md").as_deref(), Some("two"));
    assert_eq!(place.read(&lead, "stage-3-scoping/superseded/v1/docs/scope.md").as_deref(), Some("one"));
    lead.artifacts[0].superseded = true;
    place.write(&lead);
    assert_eq!(place.read(&lead, "stage-3-scoping/docs/scope.md"), None);
    assert_eq!(place.read(&lead, "stage-3-scoping/superseded/v2/docs/scope.md").as_deref(), Some("two"));
}

#[test]
fn a_new_process_finds_what_the_old_one_placed() {
    let place = Place::new();
    let mut lead = place.with_artifact("scope.md", "one");
    place.write(&lead);
    let after_restart = folders(place.root.path());
    after_restart.write_lead(&lead, &place.artifacts).expect("written");
    assert_eq!(place.read(&lead, "stage-3-scoping/superseded/v0/scope.md"), None, "the same content is no new version");
    lead.artifacts[0] = place.artifact(&lead, "scope.md", 2, "two");
    folders(place.root.path()).write_lead(&lead, &place.artifacts).expect("written");
    assert_eq!(place.read(&lead, "stage-3-scoping/scope.md").as_deref(), Some("two"));
    assert_eq!(place.read(&lead, "stage-3-scoping/superseded/v1/scope.md").as_deref(), Some("one"));
}

#[test]
fn an_artifact_never_leaves_its_stage() {
    let place = Place::new();
    let outside = place.root.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    let lead = place.with_artifact("../../../outside/scope.md", "one");
    place.write(&lead);
    let lead = place.with_artifact("docs/scope.md", "one");
    let stage = place.lead_folder(&lead).join("stage-3-scoping");
    std::fs::create_dir_all(&stage).expect("a folder");
    std::os::unix::fs::symlink(&outside, stage.join("docs")).expect("a symlink");
    let refused = place.folders.write_lead(&lead, &place.artifacts);
    assert!(refused.is_err(), "a symlink is not followed");
    assert_eq!(std::fs::read_dir(&outside).expect("a listing").count(), 0);
    assert!(place.read(&lead, "state.json").is_some(), "the state is written all the same");
}

#[test]
fn a_symlink_in_a_files_place_is_replaced_and_not_written_through() {
    let place = Place::new();
    let outside = place.root.path().join("outside.txt");
    std::fs::write(&outside, "mine").expect("a file");
    let lead = place.with_artifact("scope.md", "one");
    let stage = place.lead_folder(&lead).join("stage-3-scoping");
    std::fs::create_dir_all(&stage).expect("a folder");
    std::os::unix::fs::symlink(&outside, stage.join("scope.md")).expect("a symlink");
    place.write(&lead);
    assert_eq!(std::fs::read_to_string(&outside).expect("still there"), "mine");
    assert_eq!(place.read(&lead, "stage-3-scoping/scope.md").as_deref(), Some("one"));
}

#[test]
fn a_finished_stage_leaves_a_short_summary() {
    let place = Place::new();
    let mut lead = new_lead("Ada");
    lead.name = "Ada\n# <b>Lovelace</b>".into();
    let mut story = Story::with(lead).0;
    story.to_scope_approval();
    assert_eq!(place.read(story.lead(), "stage-3-scoping/summary.md"), None);
    let approval = story.lead().pending_approval().expect("an approval").clone();
    story.person(Command::Decide {
        approval: approval.id,
        payload_sha256: approval.payload_sha256,
        approve: true,
        reason: None,
    });
    let scope = serde_json::to_vec(&scope_of()).expect("a scope");
    place.artifacts.put(story.id(), &scope).expect("stored");
    place.write(story.lead());
    let summary = place.read(story.lead(), "stage-3-scoping/summary.md").expect("a summary");
    for part in
        ["A new web site", "R-001", "the scope was approved", "Who writes the texts, and", "scope.json (version 1"]
    {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    assert!(summary.starts_with("# Scoping: Ada # \\<b\\>"), "a name is no markup: {summary}");
    assert_eq!(place.read(story.lead(), "stage-1-leadgen/summary.md"), None, "a stage without work has none");
}

#[test]
fn a_summary_stays_short_whatever_the_stage_has_left() {
    let mut lead = Lead::clone(Story::of("Ada").0.lead());
    let words = "Wörter und noch mehr Wörter. ".repeat(40);
    let many: Vec<_> = (0..200).map(|n| serde_json::json!({"id": n, "text": words})).collect();
    let data = serde_json::json!({"scope": {"requirements": many, "open_questions": vec![words; 50]}});
    lead.data.insert(Stage::Scoping, data.as_object().expect("an object").clone());
    let summary = summary::summary(&lead, Stage::Scoping);
    assert!(summary.chars().count() <= 3_960, "{} characters", summary.chars().count());
    assert!(summary.contains("more"), "what is left out is said");
}

#[test]
fn a_delivery_is_written_to_the_inbox_and_retired_by_day() {
    let place = Place::new();
    let mut signal = Signal::new(SignalType::TaskAssignment, "Director", "Scoping");
    signal.at = Some("2026-11-22T10:00:00Z".parse().expect("a moment"));
    signal.id = Some(SignalId::try_from("abc".to_owned()).expect("an id"));
    let name = "20261122-100000_TASK_ASSIGNMENT_Director_to_Scoping_abc.yaml";
    let inbox = place.root.path().join("signals/scoping_inbox");
    place.folders.write_delivery(Eidolon::Scoping, &signal).expect("written");
    place.folders.write_delivery(Eidolon::Scoping, &signal).expect("written again");
    assert_eq!(std::fs::read_to_string(inbox.join(name)).expect("a file"), "type: TASK_ASSIGNMENT\n");
    place.folders.retire_delivery(Eidolon::Scoping, &signal).expect("retired");
    place.folders.retire_delivery(Eidolon::Scoping, &signal).expect("a second time is no fault");
    assert!(inbox.join(".processed/2026-11-22").join(name).exists());
    assert!(!inbox.join(name).exists());
    place.folders.announce(&signal).expect("announced");
    assert!(place.root.path().join("signals/.announced/2026-11-22").join(name).exists());
    place.folders.sync().expect("synced");
}

#[test]
fn copies_of_tasks_that_are_over_are_put_away_and_everything_else_stays() {
    let place = Place::new();
    let inbox = place.root.path().join("signals/scoping_inbox");
    let copy = |id: &str| format!("20261122-100000_TASK_ASSIGNMENT_Director_to_Scoping_{id}.yaml");
    let (over, open) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let others = ["20261122-100000_SAPWAVE_Director_to_Scoping_look-1.yaml", "note.txt", "ä.yaml"];
    for name in [copy(&over.to_string()), copy(&open.to_string())].iter().map(String::as_str).chain(others) {
        std::fs::write(inbox.join(name), "type: TASK_ASSIGNMENT").expect("a file");
    }
    for _ in 0..2 {
        place.folders.reconcile_deliveries(&HashSet::from([TaskId(open)])).expect("tidy");
    }
    assert!(inbox.join(".processed/2026-11-22").join(copy(&over.to_string())).exists());
    assert!(!inbox.join(copy(&over.to_string())).exists());
    for name in [copy(&open.to_string())].iter().map(String::as_str).chain(others) {
        assert!(inbox.join(name).exists(), "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let story = Story::of("Ada").0;
    std::fs::write(place.lead_folder(story.lead()), "in the way").expect("a file");
    let refused = place.folders.write_lead(story.lead(), &place.artifacts).expect_err("refused");
    assert!(refused.to_string().contains(&story.id().to_string()), "{refused}");
}

fn scope_of() -> max_core::stages::scoping::Scope {
    match scope_work().result {
        max_core::stages::StageResult::Scope(scope) => scope,
        other => panic!("a scope, not {other:?}"),
    }
}

#[test]
fn the_thread_that_writes_copies_steps_back_and_no_other() {
    let root = tempfile::tempdir().expect("a folder");
    let folders = folders(root.path());
    let before = rustix::process::getpriority_process(None).expect("a priority");
    let there = std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            folders.in_background();
            rustix::process::getpriority_process(None).expect("a priority")
        });
        writes.join().expect("a thread")
    });
    assert_eq!(there, BACKGROUND);
    assert_eq!(rustix::process::getpriority_process(None), Ok(before));
}
