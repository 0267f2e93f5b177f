//! `max lint`: what checks find in a file, in a folder, or in a lead.

use std::path::{Path, PathBuf};

use max_core::lead::ClientState;
use max_core::rules::Weight;
use max_core::stages::Finding;
use max_documents::lint::{self, Record};
use serde_json::json;

use super::Context;
use super::output::{Style, line};
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::FindingList;

/// Check a document, a folder of documents, or a lead against the rules of docs/rules.md
///
/// A file or folder is looked at without a server; `state.json` in the folder (or in a folder above) says whose it is. A
/// lead is looked at by the server, with its trace and what waits for a decision. Ends with 1 when something blocks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lint shop-17                                       a lead
  max lint AI_Agents/max-pipeline/0197c6c4-…/            all of its documents, offline
  max lint stage-5-closer/contract.html --json | jq '.findings[].rule'")]
pub struct Args {
    /// A file, a folder, or the lead's id or reference
    #[arg(value_name = "ARTIFACT|LEAD")]
    what: String,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let path = Path::new(&args.what);
    let findings = if path.exists() {
        offline(path)?
    } else if args.what.contains('/') {
        // No lead is called so.
        return Err(Failure::new(Exit::NotFound, format!("there is no file or folder {}", path.display())));
    } else {
        let answer = context.get(&format!("/api/leads/{}/lint", segment(&args.what))).await?;
        answer.read::<FindingList>()?.findings
    };
    let blocks = findings.iter().any(|finding| finding.weight >= Weight::Blocks);
    if context.json() {
        context.output.print_json(&json!({"findings": findings}));
    } else {
        show(context, &findings);
    }
    Ok(if blocks { Exit::Failed } else { Exit::Done })
}

fn show(context: &Context<'_>, findings: &[Finding]) {
    let out = context.output;
    if findings.is_empty() {
        out.say("nothing was found");
    }
    for finding in findings {
        let rule = out.paint(Style::Bold, &line(&finding.rule));
        let place = if finding.place.is_empty() { String::new() } else { format!(" {}", line(&finding.place)) };
        out.print(&format!("{rule} {}{place}: {}", finding.weight.name(), line(&finding.detail)));
        if !finding.remedy.is_empty() {
            out.print(&format!("  to mend it: {}", line(&finding.remedy)));
        }
    }
}

/// The largest file that is looked into, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

fn offline(path: &Path) -> Result<Vec<Finding>, Failure> {
    let state = state_above(path);
    let record = state.as_ref().map(Record::from).unwrap_or_default();
    let mut names = Vec::new();
    if path.is_dir() {
        gather(path, &mut names, 0)?;
    } else {
        if lint::Kind::of(&path.to_string_lossy()) == lint::Kind::Other {
            let why = format!("{} is no document that has rules", path.display());
            return Err(Failure::new(Exit::Invalid, why)
                .hint("give a file that ends in .json, .md, .html or .pdf, a folder, or a lead"));
        }
        names.push(path.to_owned());
        // A document is judged by its source beside it.
        names.extend(Some(path.with_extension("json")).filter(|json| json != path && json.is_file()));
    }
    if names.is_empty() {
        let why = format!("{} holds no document that has rules", path.display());
        return Err(Failure::new(Exit::NotFound, why).hint("name the lead's folder below max-pipeline/, or the lead"));
    }
    let mut read = Vec::with_capacity(names.len());
    for name in names {
        let bytes = std::fs::read(&name).map_err(|error| unreadable(&name, &error))?;
        let shown = if path.is_dir() { name.strip_prefix(path).unwrap_or(&name) } else { name.as_path() };
        read.push((shown.display().to_string(), bytes));
    }
    let files: Vec<lint::File<'_>> = read.iter().map(|(name, bytes)| lint::File { name, bytes }).collect();
    Ok(lint::files(&record, &files))
}

/// The `state.json` of the lead that a path belongs to.
fn state_above(path: &Path) -> Option<ClientState> {
    let path = path.canonicalize().ok()?;
    let file = path.ancestors().take(4).map(|folder| folder.join("state.json")).find(|file| file.is_file())?;
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Documents of a folder in the order of their names; what begins with a dot is MAX's own.
fn gather(folder: &Path, names: &mut Vec<PathBuf>, depth: usize) -> Result<(), Failure> {
    let listed = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut inside: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    inside.sort();
    for path in inside {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let Ok(kind) = path.symlink_metadata() else { continue };
        if name.starts_with('.') || name == "state.json" || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() && depth < 6 {
            gather(&path, names, depth + 1)?;
        } else if kind.is_file() && kind.len() <= LARGEST && lint::Kind::of(&name) != lint::Kind::Other {
            names.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::NotFound, format!("{} cannot be read: {error}", path.display()))
}
