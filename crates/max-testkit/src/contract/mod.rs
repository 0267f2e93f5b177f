//! What every implementation of a port promises, as suites that each implementation's tests run.

pub mod store;
