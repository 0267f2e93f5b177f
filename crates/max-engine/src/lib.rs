//! Orchestration: use cases over ports, no drivers.

pub mod ports;
