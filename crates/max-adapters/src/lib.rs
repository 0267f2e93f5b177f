//! The world behind the ports: SQLite, files, mail, programs, clocks.

pub mod artifacts;
pub mod clock;
mod files;
pub mod folders;
pub mod store;
