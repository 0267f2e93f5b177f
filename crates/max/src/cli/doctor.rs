//! `max doctor`: stub
use super::Context;
use crate::exit::{Exit, Failure};

/// Check
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_args: &Args, _context: &Context<'_>) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
