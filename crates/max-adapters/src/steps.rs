//! Running the steps of onboarding that programs do: the workspace as a tree of files, its Git repository, and the
//! owner's own scripts.
//!
//! Every run starts from a fresh copy of the lead's workspace, so running twice comes to the same files. What runs is
//! on a list: the built-in step `git`, and the scripts that `onboarding.toml` names by absolute path. An owner's script
//! runs only behind the wall of [`Sandbox`]. Where that cannot be built its step is left to people, and the step says so.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use max_core::stages::is_artifact_name;
use max_engine::ports::File;

use crate::agency::{Onboarding, ScriptTemplate};
use crate::program::Program;
use crate::sandbox::{Sandbox, installed};

/// The built-in step that makes a Git repository.
const GIT: &str = "git";
/// The folder of a workspace among a stage's files.
const WORKSPACE: &str = "workspace/";
/// How long one call of git may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The largest file that a step may leave.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The programs that may run.
#[derive(Clone, Debug)]
pub struct Steps {
    git: Option<PathBuf>,
    /// The wall for the owner's scripts, or why there is none.
    sandbox: Result<Sandbox, String>,
    scripts: Vec<ScriptTemplate>,
    /// Script and the file it makes.
    makes: Vec<(String, String)>,
    dry_run: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// The files that were made.
    pub made: Vec<File>,
    /// Why a script did not run, or what it would do, by script.
    pub left: BTreeMap<String, String>,
}

impl Steps {
    /// The programs of an agency, as far as this machine has them.
    pub fn of(onboarding: &Onboarding) -> Self {
        let named = onboarding.steps.iter().filter_map(|s| Some((s.script.clone()?, s.makes.clone())));
        Self {
            git: installed("git"),
            sandbox: Sandbox::find(),
            scripts: onboarding.scripts.clone(),
            makes: named.collect(),
            dry_run: onboarding.dry_run,
        }
    }

    /// Whether there is anything to run.
    pub fn is_empty(&self) -> bool {
        self.makes.is_empty()
    }

    /// Runs every script over a copy of the workspace in `files`.
    pub async fn run(&self, files: &[File], at: Timestamp) -> Ran {
        let mut ran = Ran::default();
        for (script, makes) in &self.makes {
            let done = match self.dry_run {
                true => Err(format!("dry run: MAX would run {}", self.line(script))),
                false => self.one(script, makes, files, at).await,
            };
            match done {
                Ok(file) => ran.made.push(file),
                Err(why) => drop(ran.left.insert(script.clone(), why)),
            }
        }
        ran
    }

    /// What a script is, for people.
    fn line(&self, script: &str) -> String {
        let own = self.scripts.iter().find(|s| s.id == script).map(|s| s.command.join(" "));
        own.unwrap_or_else(|| format!("the built-in step `{script}`"))
    }

    async fn one(&self, script: &str, makes: &str, files: &[File], at: Timestamp) -> Result<File, String> {
        let inside = makes.strip_prefix(WORKSPACE).filter(|_| is_artifact_name(makes));
        let inside = inside.ok_or_else(|| format!("`{makes}` is no file of the workspace"))?;
        let copy = tempfile::tempdir().map_err(|e| format!("no folder to work in: {e}"))?;
        lay_out(copy.path(), files).map_err(|e| format!("the workspace could not be copied: {e}"))?;
        match (script, self.scripts.iter().find(|s| s.id == script)) {
            (_, Some(own)) => self.own(own, copy.path(), at).await?,
            (GIT, None) => self.repository(copy.path(), inside, at).await?,
            (other, None) => return Err(format!("no script `{other}` is on the list of onboarding.toml")),
        }
        let made = made_in(copy.path(), inside).ok_or_else(|| format!("it did not make {makes}"))?;
        let size = std::fs::symlink_metadata(&made).map_err(|e| format!("{makes} cannot be read: {e}"))?;
        if !size.is_file() || size.len() > LARGEST {
            return Err(format!("{makes} is no file, or larger than {LARGEST} bytes"));
        }
        let bytes = std::fs::read(&made).map_err(|e| format!("{makes} cannot be read: {e}"))?;
        Ok(File { name: makes.to_owned(), bytes })
    }

    /// A script of the owner's, behind the wall or not at all.
    async fn own(&self, script: &ScriptTemplate, folder: &Path, at: Timestamp) -> Result<(), String> {
        match &self.sandbox {
            Ok(sandbox) => sandbox.run(&script.command, folder, at).await,
            Err(missing) => Err(format!("{missing}; without it only built-in steps run")),
        }
    }

    /// The workspace as a Git repository with one commit, in one file: who clones it has both.
    async fn repository(&self, folder: &Path, bundle: &str, at: Timestamp) -> Result<(), String> {
        let git = self.git.as_ref().ok_or("git is not installed")?.display().to_string();
        // The same words, names and dates give the same commit; no configuration of the machine's has a say.
        let when = format!("@{} +0000", at.as_second());
        let env = [
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
            ("HOME", folder.display().to_string()),
            ("GIT_AUTHOR_NAME", "MAX".to_owned()),
            ("GIT_AUTHOR_EMAIL", "max@agency.example".to_owned()),
            ("GIT_COMMITTER_NAME", "MAX".to_owned()),
            ("GIT_COMMITTER_EMAIL", "max@agency.example".to_owned()),
            ("GIT_AUTHOR_DATE", when.clone()),
            ("GIT_COMMITTER_DATE", when),
        ];
        let steps: [&[&str]; 4] = [
            &["init", "--quiet", "--template=", "--initial-branch=main"],
            &["-c", "core.autocrlf=false", "add", "--all"],
            &["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message=Start the project"],
            &["-c", "pack.threads=1", "bundle", "create", "--quiet", bundle, "main"],
        ];
        for step in steps {
            let command: Vec<String> =
                std::iter::once(git.clone()).chain(step.iter().map(|s| (*s).to_owned())).collect();
            run(&command, folder, &env).await?;
        }
        Ok(())
    }
}

/// Where the file stands that a step was to make, if it does: in the folder itself, not behind a link that leads out.
fn made_in(folder: &Path, inside: &str) -> Option<PathBuf> {
    let made = folder.canonicalize().ok()?.join(inside);
    (made.canonicalize().ok()? == made).then_some(made)
}

async fn run(command: &[String], folder: &Path, env: &[(&str, String)]) -> Result<(), String> {
    let program = Program::new(command, TIME_LIMIT).map_err(|e| e.to_string())?;
    let ended = program.run(folder, b"", env).await.map_err(|e| e.to_string())?;
    if ended.status.success() { Ok(()) } else { Err(format!("it ended with {}: {}", ended.status, ended.stderr)) }
}

/// Writes the workspace among `files` into a folder. A file that stands as it should is left alone, so a second time
/// changes nothing.
///
/// # Errors
/// What the file system says.
pub fn lay_out(folder: &Path, files: &[File]) -> io::Result<()> {
    for (path, file) in inside(folder, files) {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if std::fs::read(&path).ok().as_ref() != Some(&file.bytes) {
            std::fs::write(&path, &file.bytes)?;
        }
    }
    Ok(())
}

/// Takes the workspace back out of a folder: every file that still is what was laid out, and folders left empty. What
/// somebody changed or added stays.
///
/// # Errors
/// What the file system says.
pub fn take_back(folder: &Path, files: &[File]) -> io::Result<()> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for (path, file) in inside(folder, files) {
        if std::fs::read(&path).ok().as_ref() == Some(&file.bytes) {
            std::fs::remove_file(&path)?;
        }
        folders.extend(path.ancestors().skip(1).take_while(|a| *a != folder).map(Path::to_path_buf));
    }
    // The deepest first.
    folders.sort_by_key(|f| std::cmp::Reverse(f.components().count()));
    folders.dedup();
    for empty in folders {
        match std::fs::remove_dir(&empty) {
            Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn inside<'a>(folder: &'a Path, files: &'a [File]) -> impl Iterator<Item = (PathBuf, &'a File)> {
    let safe = files.iter().filter(|f| is_artifact_name(&f.name));
    safe.filter_map(move |f| Some((folder.join(f.name.strip_prefix(WORKSPACE)?), f)))
}

#[cfg(test)]
mod tests;
