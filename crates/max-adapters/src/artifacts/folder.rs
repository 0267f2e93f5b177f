//! Artifacts by digest in the lead's own folder: `<root>/max-pipeline/<lead>/.objects/<sha256>`.

use std::io;
use std::path::{Path, PathBuf};

use max_core::id::{Digest, LeadId};
use max_engine::ports::{ArtifactStore, StoreError};
use parking_lot::Mutex;

use crate::files::{self, Dir};

/// The folder inside a lead's folder.
const OBJECTS: &str = ".objects";

/// Content-addressed files, durable before they are acknowledged.
pub struct FolderArtifacts {
    pipeline: PathBuf,
    // Two writers of the same bytes at once: the second must not answer before the first one's sync.
    writing: [Mutex<()>; 16],
}

impl FolderArtifacts {
    /// The artifacts below this root.
    pub fn new(root: &Path) -> Result<Self, StoreError> {
        let pipeline = root.join("max-pipeline");
        std::fs::create_dir_all(&pipeline).map_err(|e| files::store_error("create", &pipeline, &e))?;
        Ok(Self { pipeline, writing: Default::default() })
    }

    fn path(&self, lead: LeadId, digest: Digest) -> PathBuf {
        self.pipeline.join(lead.to_string()).join(OBJECTS).join(digest.to_string())
    }

    fn store(&self, lead: LeadId, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        files::point("artifacts.write")?;
        let pipeline = Dir::open(&self.pipeline)?;
        let (folder, new_folder) = pipeline.enter(&lead.to_string())?;
        let (objects, new_objects) = folder.enter(OBJECTS)?;
        if new_folder {
            pipeline.sync()?;
        }
        if new_objects {
            folder.sync()?;
        }
        let name = digest.to_string();
        // A file under this name is whole, because it got the name after its sync. Its length is looked at anyway,
        // so that a file cut short by somebody else is mended by storing it again.
        if objects.length(&name)? == Some(bytes.len() as u64) {
            // It may have got its name in a try that ended before the name was durable.
            return objects.sync();
        }
        objects.write_durably(&name, bytes)
    }
}

impl ArtifactStore for FolderArtifacts {
    fn put(&self, lead: LeadId, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let _one_at_a_time = self.writing.get(usize::from(digest.0[0] % 16)).map(Mutex::lock);
        self.store(lead, digest, bytes).map_err(|e| files::store_error("write", &self.path(lead, digest), &e))?;
        Ok(digest)
    }

    fn get(&self, lead: LeadId, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path(lead, digest);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Damaged(format!("the artifact {} is missing", path.display())));
            }
            Err(error) => return Err(files::store_error("read", &path, &error)),
        };
        if Digest::of(&bytes) != digest {
            return Err(StoreError::Damaged(format!("the artifact {} is not what was stored", path.display())));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead() -> LeadId {
        "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11".parse().expect("an id")
    }

    #[test]
    fn what_was_put_comes_back_and_the_same_bytes_are_one_file() {
        let root = tempfile::tempdir().expect("a folder");
        let artifacts = FolderArtifacts::new(root.path()).expect("artifacts");
        let digest = artifacts.put(lead(), b"# Scope").expect("stored");
        assert_eq!(artifacts.put(lead(), b"# Scope"), Ok(digest));
        assert_eq!(artifacts.get(lead(), digest), Ok(b"# Scope".to_vec()));
        let folder = artifacts.path(lead(), digest).parent().map(Path::to_owned).expect("a folder");
        let names: Vec<_> =
            std::fs::read_dir(folder).expect("a listing").map(|f| f.expect("a file").file_name()).collect();
        assert_eq!(names, [std::ffi::OsString::from(digest.to_string())], "no temporary file stays behind");
    }

    #[test]
    fn changed_and_missing_content_is_damage_and_can_be_stored_again() {
        let root = tempfile::tempdir().expect("a folder");
        let artifacts = FolderArtifacts::new(root.path()).expect("artifacts");
        let digest = artifacts.put(lead(), b"# Scope").expect("stored");
        std::fs::write(artifacts.path(lead(), digest), b"# S").expect("cut short");
        assert!(matches!(artifacts.get(lead(), digest), Err(StoreError::Damaged(_))));
        artifacts.put(lead(), b"# Scope").expect("stored again");
        assert_eq!(artifacts.get(lead(), digest), Ok(b"# Scope".to_vec()));
        assert!(matches!(artifacts.get(lead(), Digest::of(b"other")), Err(StoreError::Damaged(_))));
    }
}
