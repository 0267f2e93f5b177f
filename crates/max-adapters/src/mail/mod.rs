//! Mail: reading what came in ([`parse`]).

mod history;
mod opt_out;
pub mod parse;
