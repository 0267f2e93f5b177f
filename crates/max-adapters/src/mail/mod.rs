//! Mail: reading what came in ([`parse`]).

pub(crate) mod address;
mod history;
mod opt_out;
pub mod parse;
