//! What comes in from outside, turned into requests: one use case a file.

pub mod erase;
pub mod export;
mod look_up;
pub mod receive_mail;
pub mod route_signal;
pub mod suppress;
