//! Where a signal's `data_path` leads.

use std::path::{Component, Path, PathBuf};

use max_core::id::{ExternalRef, LeadId};

/// Maps the logical path of a signal to a path in the lead's folder `<root>/max-pipeline/<lead>`.
///
/// `/AI_Agents` or `root` itself, then `max-pipeline/<uuid or external_ref>`, stands for that folder; a relative path
/// starts in it. The path need not exist.
///
/// # Errors
/// A sentence, when the path leads outside: by `..`, by a link, to another lead or to anywhere else.
pub fn resolve_data_path(
    text: &str,
    root: &Path,
    lead: LeadId,
    external_ref: Option<&ExternalRef>,
) -> Result<PathBuf, String> {
    let refuse = |what: &str| {
        let shown: String = text.chars().take(120).collect();
        let folder = external_ref.map_or_else(|| lead.to_string(), ToString::to_string);
        Err(format!(
            "`data_path` {what}: `{}`; give a path below /AI_Agents/max-pipeline/{folder}/, or one relative to it",
            shown.escape_debug()
        ))
    };
    if text.contains('\0') || text.len() > 4_096 {
        return refuse("is no path");
    }
    let given = Path::new(text);
    if given.components().any(|part| part == Component::ParentDir) {
        return refuse("may not hold `..`");
    }
    let home = root.join("max-pipeline").join(lead.to_string());
    let inside = if given.is_absolute() {
        let Some(below) = given.strip_prefix("/AI_Agents").or_else(|_| given.strip_prefix(root)).ok() else {
            return refuse("leads outside the pipeline");
        };
        let mut parts = below.components();
        if parts.next() != Some(Component::Normal("max-pipeline".as_ref())) {
            return refuse("leads outside the pipeline");
        }
        let named = match parts.next() {
            Some(Component::Normal(name)) => name.to_str().unwrap_or_default(),
            _ => "",
        };
        let is_this_lead =
            named.parse::<LeadId>() == Ok(lead) || external_ref.is_some_and(|known| known.as_str() == named);
        if !is_this_lead {
            return refuse("belongs to another lead");
        }
        parts.as_path().to_owned()
    } else {
        given.to_owned()
    };
    let path = home.join(inside);
    if leaves_by_link(&home, &path) {
        return refuse("leads outside by a link");
    }
    Ok(path)
}

/// True when a link on the way leads out of `home`. What does not exist yet cannot be a link.
fn leaves_by_link(home: &Path, path: &Path) -> bool {
    let Ok(real_home) = home.canonicalize() else {
        // No folder yet, so nothing in it can be a link; but the folder's own name must not be a dangling one.
        return home.symlink_metadata().is_ok();
    };
    // The lead's folder is made by MAX; a link in its place was put there by somebody else.
    if home.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        return true;
    }
    let mut step = home.to_owned();
    for part in path.strip_prefix(home).unwrap_or(Path::new("")).components() {
        step.push(part);
        match step.canonicalize() {
            Ok(real) if real.starts_with(&real_home) => {}
            Ok(_) => return true,
            // Missing, or a link to nowhere.
            Err(_) => return step.symlink_metadata().is_ok_and(|meta| meta.is_symlink()),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn logical_paths_lead_to_the_leads_folder_and_nowhere_else() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        let lead: LeadId = "0197e5a0-0000-7000-8000-000000000001".parse().expect("an id");
        let name = ExternalRef::try_from("abc-123".to_owned()).expect("a reference");
        let home = root.join("max-pipeline").join(lead.to_string());
        std::fs::create_dir_all(home.join("stage-2-first")).expect("folders");
        std::fs::create_dir_all(root.join("elsewhere")).expect("folders");
        symlink(root.join("elsewhere"), home.join("out")).expect("a link");
        symlink("nowhere", home.join("dangling")).expect("a link");
        symlink("stage-2-first", home.join("in")).expect("a link");
        let resolve = |text: &str| resolve_data_path(text, root, lead, Some(&name));

        let stage = home.join("stage-2-first");
        assert_eq!(resolve("/AI_Agents/max-pipeline/abc-123/stage-2-first/"), Ok(stage.clone()));
        assert_eq!(resolve(&format!("/AI_Agents/max-pipeline/{lead}/stage-2-first")), Ok(stage.clone()));
        assert_eq!(resolve(&format!("{}/max-pipeline/abc-123/stage-2-first", root.display())), Ok(stage.clone()));
        assert_eq!(resolve("stage-2-first/"), Ok(stage));
        assert_eq!(resolve("stage-3-scoping/new.md"), Ok(home.join("stage-3-scoping/new.md")));
        assert_eq!(resolve("in/x.md"), Ok(home.join("in/x.md")));
        assert_eq!(resolve(""), Ok(home.clone()));
        for outside in [
            "/etc/passwd",
            "../other",
            "/AI_Agents/max-pipeline/abc-123/../other",
            "/AI_Agents/max-pipeline/xyz-9/stage-2-first",
            "/AI_Agents/max-pipeline",
            "/AI_Agents/signals",
            "/AI_Agents",
            "out/secret",
            "out",
            "dangling",
            "a\0b",
        ] {
            let refusal = resolve(outside).expect_err(outside);
            assert!(refusal.contains("give a path below /AI_Agents/max-pipeline/abc-123/"), "{refusal}");
        }
    }
}
