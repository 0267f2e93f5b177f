//! Where the artifacts' content lives.

pub mod folder;

pub use folder::FolderArtifacts;
