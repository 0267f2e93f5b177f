//! What stands in a lead's folder already, so that only what changed is written.

use std::collections::HashMap;
use std::io;

use max_core::id::Digest;
use max_core::lead::{ArtifactRef, Lead};
use max_core::stage::Stage;
use max_core::stages::is_artifact_name;
use max_engine::ports::{ArtifactStore, StoreError};

use super::summary;
use crate::files::Dir;

/// The folder for what later work made void.
const SUPERSEDED: &str = "superseded";

/// What this process has placed in one lead's folder. A hint: an empty one is always right, only slower.
#[derive(Default)]
pub(super) struct Placed {
    /// One bit per stage folder.
    stages: u8,
    /// How often a stage had been left when its summary was written.
    summaries: [usize; Stage::ALL.len()],
    artifacts: HashMap<(Stage, String), (Digest, bool)>,
}

impl Placed {
    /// Makes the folders of the stages entered so far.
    pub(super) fn stages(&mut self, folder: &Dir, lead: &Lead) -> io::Result<()> {
        for transition in &lead.history {
            let bit = 1 << transition.to_stage as u8;
            if self.stages & bit == 0 {
                folder.make(transition.to_stage.folder())?;
                self.stages |= bit;
            }
        }
        Ok(())
    }

    /// Writes `summary.md` of each stage that was left, or that the lead ended in, since it was last written.
    pub(super) fn summaries(&mut self, folder: &Dir, lead: &Lead) -> io::Result<()> {
        for stage in Stage::ALL {
            let finished = summary::times_finished(lead, stage);
            let written = &mut self.summaries[stage as usize];
            if *written == finished || !summary::has_substance(lead, stage) {
                continue;
            }
            folder.enter(stage.folder())?.0.write("summary.md", summary::summary(lead, stage).as_bytes())?;
            *written = finished;
        }
        Ok(())
    }

    /// Places a copy of each artifact that is not there yet and moves away what is void. One that cannot be placed
    /// does not keep the others out; the first error is told.
    pub(super) fn artifacts(
        &mut self,
        folder: &Dir,
        lead: &Lead,
        content: &dyn ArtifactStore,
        error: impl Fn(io::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        let mut told = Ok(());
        for artifact in &lead.artifacts {
            let key = (artifact.stage, artifact.name.clone());
            let state = (artifact.sha256, artifact.superseded);
            if self.artifacts.get(&key) == Some(&state) {
                continue;
            }
            // Names were checked when the work was; one from an import or an old log is checked here.
            if !is_artifact_name(&artifact.name) {
                tracing::warn!(lead = %lead.id, name = ?artifact.name, "an artifact's name could leave its folder");
                self.artifacts.insert(key, state);
                continue;
            }
            let placed = if artifact.superseded {
                retire(folder, artifact, artifact.version).map_err(&error)
            } else {
                place(folder, lead, artifact, content, &error)
            };
            match placed {
                Ok(()) => {
                    self.artifacts.insert(key, state);
                }
                Err(error) => told = told.and(Err(error)),
            }
        }
        told
    }
}

fn place(
    folder: &Dir,
    lead: &Lead,
    artifact: &ArtifactRef,
    content: &dyn ArtifactStore,
    error: &impl Fn(io::Error) -> StoreError,
) -> Result<(), StoreError> {
    let stage = folder.enter(artifact.stage.folder()).map_err(error)?.0;
    let (parent, name) = parent_of(stage, &artifact.name).map_err(error)?;
    match parent.read(name).map_err(error)? {
        Some(bytes) if Digest::of(&bytes) == artifact.sha256 => return Ok(()),
        Some(_) => retire(folder, artifact, artifact.version.saturating_sub(1)).map_err(error)?,
        None => {}
    }
    let bytes = content.get(lead.id, artifact.sha256)?;
    parent.write(name, &bytes).map_err(error)
}

/// Moves what stands under the artifact's name to `superseded/v<version>/`.
fn retire(folder: &Dir, artifact: &ArtifactRef, version: u32) -> io::Result<()> {
    let stage = folder.enter(artifact.stage.folder())?.0;
    let void = stage.enter(SUPERSEDED)?.0.enter(&format!("v{version}"))?.0;
    let (from, name) = parent_of(stage, &artifact.name)?;
    let (to, _) = parent_of(void, &artifact.name)?;
    match from.rename(name, &to, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// The folder that a relative name stands in, made where there is none, and the last part of the name.
fn parent_of(mut folder: Dir, name: &str) -> io::Result<(Dir, &str)> {
    let mut rest = name;
    while let Some((part, more)) = rest.split_once('/') {
        folder = folder.enter(part)?.0;
        rest = more;
    }
    Ok((folder, rest))
}
