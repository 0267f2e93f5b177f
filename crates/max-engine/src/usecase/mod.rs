//! What comes in from outside, turned into requests: one use case a file.

pub mod receive_mail;
pub mod route_signal;
