//! The world behind the ports: SQLite, files, mail, programs, clocks.

pub mod agency;
pub mod voices;
