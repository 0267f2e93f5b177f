//! Ways out for messages.

pub mod folder;
