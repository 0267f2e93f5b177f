//! Removing everything of a lead below the root, and the list that remembers of whom.
//!
//! The lead's own folder goes as a whole. Signals lie in folders that all leads share, so each file there is looked at:
//! it goes when it names the lead, its address or one of its messages, or when it is a signal that the lead's log has.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use max_core::id::LeadId;
use max_core::signal::derived_id;
use max_engine::ports::Traces;

use crate::files::sync_folder;
use crate::signals::yaml::{FileKind, MAX_BYTES, parse};

/// The list of erasures: a line with id and time for each, below the root.
pub(super) const LIST: &str = "erasures.txt";

/// Removes the lead's folder, the homes of voices that worked on it, and every signal that tells of it.
pub(super) fn erase(root: &Path, lead: LeadId, traces: &Traces) -> io::Result<()> {
    let pipeline = root.join("max-pipeline");
    remove_tree(&pipeline.join(lead.to_string()))?;
    sync_if_there(&pipeline)?;
    let marks = Marks::new(lead, traces);
    remove_homes(&root.join("voices"), &marks.lead)?;
    remove_signals(&root.join("signals"), &marks, false)
}

/// What is gone already needs no removing. Links inside are removed and not followed.
fn remove_tree(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn sync_if_there(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { sync_folder(folder) } else { Ok(()) }
}

/// Folders of voices are named by the lead, at whatever depth.
fn remove_homes(folder: &Path, lead: &str) -> io::Result<()> {
    for (path, name, kind) in entries(folder)? {
        if !kind.is_dir() {
            continue;
        }
        if name.contains(lead) { remove_tree(&path)? } else { remove_homes(&path, lead)? }
    }
    sync_if_there(folder)
}

/// `put_away`: below a folder whose name begins with a dot, so that nobody is about to read what lies there.
fn remove_signals(folder: &Path, marks: &Marks<'_>, put_away: bool) -> io::Result<()> {
    let mut removed = false;
    for (path, name, kind) in entries(folder)? {
        if kind.is_dir() {
            // Whoever has a file in `.processing` settles it himself and puts it away.
            if name != ".processing" {
                remove_signals(&path, marks, put_away || name.starts_with('.') || name.ends_with("_inbox"))?;
            }
        } else if put_away && kind.is_file() && marks.are_in(&path, &name)? {
            std::fs::remove_file(&path)?;
            remove_reason(folder, &name)?;
            removed = true;
        }
    }
    if removed { sync_folder(folder) } else { Ok(()) }
}

/// Why a signal was rejected stands beside it and may quote it.
fn remove_reason(folder: &Path, name: &str) -> io::Result<()> {
    match std::fs::remove_file(folder.join(format!("{name}.reason.txt"))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn entries(folder: &Path) -> io::Result<Vec<(std::path::PathBuf, String, std::fs::FileType)>> {
    let all = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        all => all?,
    };
    all.map(|entry| {
        let entry = entry?;
        Ok((entry.path(), entry.file_name().to_string_lossy().into_owned(), entry.file_type()?))
    })
    .collect()
}

/// What a file of the lead is recognised by.
struct Marks<'a> {
    lead: String,
    /// In lower case, because addresses are written in any.
    words: Vec<String>,
    traces: &'a Traces,
}

impl<'a> Marks<'a> {
    fn new(lead: LeadId, traces: &'a Traces) -> Self {
        let lead = lead.to_string();
        let words = traces.addresses.iter().chain(&traces.rfc_ids).map(|word| word.trim().to_lowercase());
        let words = std::iter::once(lead.clone()).chain(words).filter(|word| word.len() > 3).collect();
        Self { lead, words, traces }
    }

    fn are_in(&self, path: &Path, name: &str) -> io::Result<bool> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            bytes => bytes?,
        };
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let named = name.to_lowercase();
        if self.words.iter().any(|word| text.contains(word.as_str()) || named.contains(word.as_str())) {
            return Ok(true);
        }
        let is_ours = |id: &str| self.traces.signals.iter().any(|known| known == id);
        if is_ours(derived_id(name, &bytes).as_str()) || is_ours(derived_id("mail", &bytes).as_str()) {
            return Ok(true);
        }
        Ok(self.signal_is_ours(name, &bytes, is_ours))
    }

    /// A signal that gives its own id, or names the lead by the agency's reference.
    fn signal_is_ours(&self, name: &str, bytes: &[u8], is_ours: impl Fn(&str) -> bool) -> bool {
        if bytes.len() > MAX_BYTES {
            return false;
        }
        let kind = if name.contains(".md") { FileKind::Markdown } else { FileKind::Yaml };
        let Ok(signal) = parse(bytes, kind) else { return false };
        let reference = self.traces.external_ref.as_ref().map(|r| r.as_str());
        let named = [signal.lead_id.as_deref(), signal.extra_text("external_ref")];
        signal.id.as_ref().is_some_and(|id| is_ours(id.as_str()))
            || reference.is_some() && named.contains(&reference)
            || signal.extra.get("lead").and_then(|l| l.get("external_ref")?.as_str()) == reference
                && reference.is_some()
    }
}

/// Who was erased, oldest first.
pub(super) fn list(root: &Path) -> io::Result<Vec<(LeadId, Timestamp)>> {
    let text = match std::fs::read_to_string(root.join(LIST)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let mut known = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let lead = words.next().and_then(|word| word.parse::<LeadId>().ok());
        let at = words.next().and_then(|word| word.parse::<Timestamp>().ok());
        match (lead, at) {
            (Some(lead), Some(at)) => drop(known.entry(lead).or_insert(at)),
            // The last line of a list that was written when the machine stopped.
            _ => tracing::warn!(line, "a line of the list of erasures cannot be read; it should be `<lead id> <time>`"),
        }
    }
    let mut all: Vec<_> = known.into_iter().collect();
    all.sort_by_key(|(lead, at)| (*at, *lead));
    Ok(all)
}

/// Adds to the list, durably.
pub(super) fn note(root: &Path, lead: LeadId, at: Timestamp) -> io::Result<()> {
    if list(root)?.iter().any(|(known, _)| *known == lead) {
        return Ok(());
    }
    let path = root.join(LIST);
    let new = !path.exists();
    let mut file: File = OpenOptions::new().create(true).append(true).open(&path)?;
    if new {
        writeln!(file, "# Leads that were erased. Keep a copy of this file apart from the backups: a restored backup")?;
        writeln!(file, "# erases them again when it finds them here. It names nobody: only ids and times.")?;
    }
    writeln!(file, "{lead} {at}")?;
    file.sync_all()?;
    sync_folder(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead() -> LeadId {
        "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11".parse().expect("an id")
    }

    #[test]
    fn the_list_of_erasures_is_added_to_once_and_survives_a_torn_line() {
        let root = tempfile::tempdir().expect("a folder");
        let at: Timestamp = "2026-11-23T09:00:00Z".parse().expect("a moment");
        assert_eq!(list(root.path()).expect("a list"), []);
        note(root.path(), lead(), at).expect("noted");
        note(root.path(), lead(), at).expect("noted again");
        let torn = std::fs::read_to_string(root.path().join(LIST)).expect("a list") + "0197e1d2-6b";
        std::fs::write(root.path().join(LIST), torn).expect("torn");
        assert_eq!(list(root.path()).expect("a list"), [(lead(), at)]);
    }

    #[test]
    fn only_what_is_the_leads_goes() {
        let root = tempfile::tempdir().expect("a folder");
        let signals = root.path().join("signals");
        let files = [
            (".processed/2026-11-23/a.yaml", "type: LEAD\nemail: ADA@example.org\nmessage: hello\n", false),
            (".processed/2026-11-23/b.yaml", "type: LEAD\nemail: bob@example.org\nmessage: hello\n", true),
            (".processed/2026-11-23/c.yaml", "type: CLIENT_MESSAGE\nlead_id: shop-17\nbody: hi\n", false),
            (".processed/2026-11-23/d.yaml", "type: CLIENT_MESSAGE\nlead_id: shop-18\nbody: shop-17\n", true),
            (".processed/2026-11-23/e.yaml", "type: LEAD\nid: sig-1\nname: Ada\nmessage: hello\n", false),
            (".rejected/f.eml", "From: ada@example.org\n\nhello\n", false),
            (".rejected/f.eml.reason.txt", "the mail is odd", false),
            ("scoping_inbox/.processed/2026-11-23/g.yaml", "lead_id: 0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11\n", false),
            ("h.yaml", "email: ada@example.org\n", true),
        ];
        for (name, text, _) in files {
            let path = signals.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let home = root.path().join("voices/claude").join(lead().to_string());
        let folder = root.path().join("max-pipeline").join(lead().to_string()).join("stage-1-leadgen");
        for path in [&home, &folder] {
            std::fs::create_dir_all(path).expect("a folder");
        }
        let traces = Traces {
            external_ref: Some("shop-17".to_owned().try_into().expect("a reference")),
            addresses: vec!["ada@example.org".into()],
            signals: vec!["sig-1".into()],
            ..Traces::default()
        };
        for _ in 0..2 {
            erase(root.path(), lead(), &traces).expect("erased, and again");
        }
        for (name, _, stays) in files {
            assert_eq!(signals.join(name).exists(), stays, "{name}");
        }
        assert!(!home.exists() && !folder.exists());
    }
}
