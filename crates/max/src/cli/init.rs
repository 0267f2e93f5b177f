//! `max init`: a folder to start in.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Context;
use crate::config::{Config, FILE_NAME};
use crate::exit::{Exit, Failure};

/// Set up a folder: a commented max.toml and the agency's own files
///
/// Nothing that exists is overwritten. Everything has a default, so this is for changing things, not a condition.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max init                              in ./AI_Agents
  max --root /srv/max init")]
pub struct Args {}

pub(super) fn run(_args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let root = &context.root;
    make_folder(root)?;
    let file = root.join(FILE_NAME);
    let mut written = Vec::new();
    let mut kept = Vec::new();
    if write_new(&file, &Config::commented_defaults())? { &mut written } else { &mut kept }.push(file);
    let config = context.config()?;
    let agency = config.agency_folder();
    make_folder(&agency)?;
    written.extend(context.launcher.write_agency(&agency)?);
    if context.json() {
        context.output.print_json(&json!({"root": root, "written": written, "kept": kept}));
        return Ok(Exit::Done);
    }
    let (inner, outer): (Vec<_>, Vec<_>) = written.iter().partition(|path| path.starts_with(&agency));
    for path in &outer {
        context.output.print(&format!("wrote {}", path.display()));
    }
    match inner.len() {
        0 => context.output.print(&format!("kept  {}", agency.display())),
        count if context.verbose == 0 => {
            context.output.print(&format!("wrote {count} files into {}", agency.display()))
        }
        _ => inner.iter().for_each(|path| context.output.print(&format!("wrote {}", path.display()))),
    }
    for path in &kept {
        context.output.print(&format!("kept  {} (it was there before)", path.display()));
    }
    context.output.say(&next_steps(root, &agency));
    Ok(Exit::Done)
}

fn next_steps(root: &Path, agency: &Path) -> String {
    let flag = if root == Path::new(crate::config::DEFAULT_ROOT) {
        String::new()
    } else {
        format!(" --root {}", root.display())
    };
    format!(
        "\nNext:\n  1. put your name, services and prices into {}\n  2. max{flag} doctor      what is missing, and the \
         command that mends it\n  3. max{flag} up          start working",
        agency.display()
    )
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| Failure::file("making the folder", path, &error))
}

/// Writes a file that is not there yet; false when it is.
fn write_new(path: &PathBuf, text: &str) -> Result<bool, Failure> {
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).map_err(|error| Failure::file("writing", path, &error))?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Failure::file("writing", path, &error)),
    }
}
