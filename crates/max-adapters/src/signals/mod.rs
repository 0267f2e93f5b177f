//! Signals on disk: how one is written and read ([`yaml`]), and the drop box ([`files`]).

pub mod files;
pub mod yaml;
