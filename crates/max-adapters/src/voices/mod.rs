//! Voices that run on this machine.

pub mod script;
