//! Voices: what drafts a turn. Code checks and executes what they draft.

pub mod api;
pub mod brief;
pub mod playbook;
pub mod script;
