//! The world behind the ports: SQLite, files, mail, programs, clocks.

pub mod agency;
pub mod artifacts;
pub mod browser;
pub mod channels;
pub mod clock;
mod files;
pub mod folders;
pub mod linter;
pub mod mail;
pub mod notifier;
pub mod program;
pub mod sandbox;
pub mod signals;
pub mod steps;
pub mod store;
mod text;
pub mod voices;

#[cfg(test)]
mod samples;
