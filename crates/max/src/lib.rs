//! MAX takes an agency's client from first contact to signed-off project: the product around the engine.
//!
//! `wiring` is the only place that names adapters, `config` the only one that reads files and environment for
//! settings, and only `main` ends the process.

pub mod api;
pub mod approval_key;
pub mod backup;
pub mod bench;
pub mod cli;
pub mod client;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod exit;
pub mod launcher;
pub mod portal;
mod secret;
pub mod simulate;
pub mod telemetry;
pub mod wire;
pub mod wiring;
