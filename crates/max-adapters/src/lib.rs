//! The world behind the ports: SQLite, files, mail, programs, clocks.

pub mod channels;
pub mod mail;
pub mod notifier;
pub mod program;
pub mod signals;
mod text;
pub mod voices;

#[cfg(test)]
mod samples;
