//! The workspace as files, its repository, and the owner's own scripts over it.

use super::*;
use crate::agency::Agency;

fn files() -> Vec<File> {
    let file = |name: &str, text: &str| File { name: name.into(), bytes: text.into() };
    vec![
        file("workspace/README.md", "# A project\n"),
        file("workspace/design/README.md", "Drafts\n"),
        file("welcome.md", "not part of the workspace"),
        file("workspace/../../escape.md", "no name of an artifact"),
    ]
}

fn tree(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        walk(folder).iter().map(|p| p.strip_prefix(folder).expect("inside").display().to_string()).collect();
    names.sort();
    names
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    entries.flat_map(|p| if p.is_dir() { [vec![p.clone()], walk(&p)].concat() } else { vec![p] }).collect()
}

#[test]
fn laying_out_twice_changes_nothing_and_taking_back_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    lay_out(folder.path(), &files()).expect("laid out");
    let first = tree(folder.path());
    assert_eq!(first, ["README.md", "design", "design/README.md"]);
    let written = std::fs::metadata(folder.path().join("README.md")).expect("there").modified().expect("a time");
    lay_out(folder.path(), &files()).expect("again");
    assert_eq!(tree(folder.path()), first);
    let again = std::fs::metadata(folder.path().join("README.md")).expect("there").modified().expect("a time");
    assert_eq!(written, again, "what stands is not written again");
    take_back(folder.path(), &files()).expect("taken back");
    take_back(folder.path(), &files()).expect("twice");
    assert_eq!(tree(folder.path()), Vec::<String>::new());
}

#[test]
fn taking_back_leaves_what_somebody_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    lay_out(folder.path(), &files()).expect("laid out");
    std::fs::write(folder.path().join("design/README.md"), "My own words\n").expect("written");
    take_back(folder.path(), &files()).expect("taken back");
    assert_eq!(tree(folder.path()), ["design", "design/README.md"]);
}

#[tokio::test]
async fn the_repository_is_the_same_every_time() {
    let mut steps = Steps::of(&Agency::load(None).expect("the built-in agency").onboarding);
    let at = Timestamp::UNIX_EPOCH;
    let first = steps.run(&files(), at).await;
    assert_eq!(first, steps.run(&files(), at).await);
    // A machine without git leaves the step to people, and says why.
    match steps.git.take() {
        Some(_) => {
            let made: Vec<&str> = first.made.iter().map(|f| f.name.as_str()).collect();
            assert_eq!(made, ["workspace/repository.bundle"], "{:?}", first.left);
        }
        None => assert!(first.left["git"].contains("not installed")),
    }
    assert!(steps.run(&files(), at).await.left["git"].contains("not installed"));
    steps.dry_run = true;
    assert!(steps.run(&files(), at).await.left["git"].contains("would run"));
}

/// The steps of an agency that has one script of its own.
fn own(command: &[&str], makes: &str) -> Steps {
    let script = ScriptTemplate { id: "crm".into(), command: command.iter().map(|c| (*c).to_owned()).collect() };
    Steps {
        git: None,
        sandbox: Sandbox::find(),
        scripts: vec![script],
        makes: vec![("crm".into(), makes.into())],
        dry_run: false,
    }
}

/// Whether the wall can be built; in CI it has to be.
fn walled() -> bool {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    match Sandbox::find() {
        Err(missing) if ci => panic!("{missing}: run the tests by ./test"),
        Err(missing) => {
            eprintln!("left out: {missing}");
            false
        }
        Ok(_) => true,
    }
}

#[tokio::test]
async fn only_listed_scripts_run_and_only_behind_the_wall() {
    let nowhere =
        Steps { sandbox: Err("bubblewrap is not installed".into()), ..own(&["/bin/true"], "workspace/crm.txt") };
    let ran = nowhere.run(&files(), Timestamp::UNIX_EPOCH).await;
    assert!(ran.left["crm"].contains("bubblewrap is not installed; without it"), "{ran:?}");
    assert_eq!(ran.made, Vec::new());
    let unlisted = Steps { makes: vec![("rm -rf".into(), "workspace/crm.txt".into())], ..own(&["/bin/true"], "x") };
    assert!(unlisted.run(&files(), Timestamp::UNIX_EPOCH).await.left["rm -rf"].contains("no script"));
}

#[tokio::test]
async fn a_script_of_the_owners_makes_its_file_out_of_the_workspace_again_and_again() {
    if !walled() {
        return;
    }
    let steps = own(&["/bin/sh", "-c", "wc -c README.md >crm.txt; echo not taken >other.txt"], "workspace/crm.txt");
    let first = steps.run(&files(), Timestamp::UNIX_EPOCH).await;
    let made = [File { name: "workspace/crm.txt".into(), bytes: "12 README.md\n".into() }];
    assert_eq!((first.made.as_slice(), first.left.len()), (made.as_slice(), 0), "{first:?}");
    assert_eq!(steps.run(&files(), Timestamp::UNIX_EPOCH).await, first);
    let dry = Steps { dry_run: true, ..steps }.run(&files(), Timestamp::UNIX_EPOCH).await;
    assert!(dry.made.is_empty() && dry.left["crm"].contains("would run /bin/sh -c wc -c"), "{dry:?}");
}

#[tokio::test]
async fn what_a_script_leaves_is_looked_at_before_it_is_taken() {
    if !walled() {
        return;
    }
    for (script, makes, why) in [
        ("true", "workspace/crm.txt", "did not make workspace/crm.txt"),
        ("ln -s /etc/hostname crm.txt", "workspace/crm.txt", "did not make"),
        ("rm -r design; ln -s /etc design", "workspace/design/hostname", "did not make"),
        ("mkdir crm.txt", "workspace/crm.txt", "is no file"),
        ("mkfifo crm.txt", "workspace/crm.txt", "is no file"),
        ("echo broken >&2; exit 3", "workspace/crm.txt", "exit status: 3: broken"),
        ("true", "crm.txt", "is no file of the workspace"),
    ] {
        let ran = own(&["/bin/sh", "-c", script], makes).run(&files(), Timestamp::UNIX_EPOCH).await;
        assert!(ran.made.is_empty() && ran.left["crm"].contains(why), "{script}: {ran:?}");
    }
}
