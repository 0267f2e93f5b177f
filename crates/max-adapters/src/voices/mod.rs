//! Voices that run on this machine.
//! Voices: what drafts a turn. Code checks and executes what they draft.

pub mod playbook;
pub mod script;
