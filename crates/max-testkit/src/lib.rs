//! Test helpers: manual clock, builders, in-memory store, contract suites.
