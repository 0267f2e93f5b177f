//! Writing a signal for somebody to pick up, and checking one before it is dropped.

use std::io;
use std::path::{Path, PathBuf};

use max_core::id::{Digest, SignalId};
use max_core::signal::{Signal, SignalType, file_name};

use super::look::{Found, look};
use crate::files::Hidden;
use crate::signals::yaml::to_yaml;

/// Writes a signal under its proper name, atomically: a reader sees the whole file or none. Not synced; whoever
/// needs that syncs the folder. The same signal again is the same file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_signal(folder: &Path, signal: &Signal) -> io::Result<PathBuf> {
    let text = to_yaml(signal);
    let id = match &signal.id {
        Some(id) => id.clone(),
        None => short_id(&text),
    };
    let at = signal.at.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let target = folder.join(file_name(at, signal.kind, &signal.from, &signal.to, &id));
    Hidden::write(folder, text.as_bytes())?.replace(&target)?;
    Ok(target)
}

fn short_id(text: &str) -> SignalId {
    let digest = Digest::of(text.as_bytes()).to_string();
    SignalId::try_from(digest[..16].to_owned()).unwrap_or_else(|_| SignalId::from(uuid::Uuid::nil()))
}

/// What is wrong with a signal file, one sentence each; nothing when it would be taken in as far as one can tell
/// without the leads.
pub fn lint(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap_or_default();
    match look(path, name) {
        Ok(Found::Signal(inbound)) => doubts(&inbound.signal),
        Ok(Found::Never(reason) | Found::NotYet(reason)) => vec![reason.0],
        Ok(Found::Gone) => vec![format!("{} does not exist", path.display())],
        Err(error) => vec![format!("{} cannot be read: {error}", path.display())],
    }
}

/// What is readable but will hardly do what was meant.
fn doubts(signal: &Signal) -> Vec<String> {
    let mut doubts = Vec::new();
    let unknown_stage = |field: &str, value: &Option<String>| {
        let stage = value.as_ref()?.parse::<max_core::stage::Stage>();
        stage.err().map(|error| format!("`{field}`: {error}"))
    };
    doubts.extend(unknown_stage("previous_stage", &signal.previous_stage));
    doubts.extend(unknown_stage("next_stage", &signal.next_stage));
    if let Some(lead) = &signal.lead_id
        && let Err(error) = lead.parse::<max_core::id::LeadRef>()
    {
        doubts.push(format!("`lead_id`: {error}"));
    }
    let needed: &[&str] = match signal.kind {
        SignalType::Approval => &["approval_id", "payload_sha256", "signature"],
        _ => &[],
    };
    doubts.extend(
        needed
            .iter()
            .filter(|field| !signal.extra.contains_key(**field))
            .map(|field| format!("the field `{field}` is missing; an APPROVAL is written by `max approvals`")),
    );
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::yaml::{FileKind, parse};

    #[test]
    fn a_written_signal_reads_back_and_lints_clean() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut signal = Signal::new(SignalType::PipelineTransition, "FirstResponder", "Scoping");
        signal.lead_id = Some("abc-123".into());
        signal.next_stage = Some("ScopingAgent".into());
        signal.at = Some("2026-11-22T10:11:12Z".parse().expect("a moment"));
        signal.id = Some(SignalId::try_from("0197".to_owned()).expect("an id"));
        let path = write_signal(folder.path(), &signal).expect("a file");
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name");
        assert_eq!(name, "20261122-101112_PIPELINE_TRANSITION_FirstResponder_to_Scoping_0197.yaml");
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(parse(&bytes, FileKind::Yaml), Ok(signal.clone()));
        assert_eq!(lint(&path), Vec::<String>::new());
        assert_eq!(write_signal(folder.path(), &signal).expect("again"), path);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);

        let wrong = folder.path().join("wrong.yaml");
        std::fs::write(&wrong, "type: APPROVAL\nnext_stage: Sales\nlead_id: a b").expect("a file");
        let found = lint(&wrong).join("\n");
        for words in ["`Sales`", "`lead_id`", "`approval_id`", "`payload_sha256`", "`signature`"] {
            assert!(found.contains(words), "{found}");
        }
        assert!(lint(&folder.path().join("none.yaml"))[0].contains("does not exist"));
    }
}
