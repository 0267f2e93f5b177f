//! Test helpers: manual clock, builders, in-memory store, scripted voices, contract suites.

pub mod browser;
pub mod builders;
pub mod contract;
pub mod memory;
pub mod voices;

pub use max_adapters::clock::ManualClock;
pub use memory::MemoryStore;
