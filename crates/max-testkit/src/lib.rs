//! Test helpers: manual clock, builders, in-memory store, contract suites.

pub mod builders;
pub mod contract;
pub mod memory;

pub use max_adapters::clock::ManualClock;
pub use memory::MemoryStore;
