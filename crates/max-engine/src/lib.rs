//! Orchestration: use cases over ports, no drivers.
//!
//! A request goes: [`director::Director`] → ledger (decide, commit, answer) → publisher → board, projector, outbox,
//! subscribers. Everything after the commit is a projection that can be made again from the log.

pub mod board;
pub mod cache;
pub mod director;
pub mod eidolon;
pub mod engine;
pub mod error;
pub mod fail;
pub mod ledger;
pub mod mind;
mod notices;
pub mod ports;
pub mod projector;
mod relay;
pub mod runs;
pub mod spend;
pub mod timers;
pub mod timings;
pub mod usecase;
pub mod view;
