//! Scenarios: clients, people and time played from a file, and what must come of it.
//!
//! `scenario` reads the file, `cast` plays it over HTTP, `door` brings in what comes by another way, `expect` compares,
//! `theatre` is the private server it runs on.

pub mod cast;
mod door;
mod expect;
mod scenario;
mod shipped;
mod theatre;

pub use expect::{Check, Expect};
pub use scenario::{Action, OrAny, Scenario, Script, Step, Trigger, Way};
pub use shipped::SHIPPED;
pub use theatre::Theatre;

use std::path::Path;

use crate::client::Client;
use crate::exit::Failure;
use cast::{Audience, Cast};

/// How scenarios are written, for `max help scenarios`.
pub const GUIDE: &str = include_str!("../../../../docs/simulate.md");

/// Plays a scenario on a server with a manual clock and compares every expectation. `root` is the server's folder, for
/// what comes in as a file; nothing where it is somebody else's.
///
/// # Errors
/// When the story cannot be played to its end; expectations that are not met are no error but a [`Check`].
pub async fn play(
    scenario: &Scenario,
    client: &Client,
    root: Option<&Path>,
    audience: &dyn Audience,
) -> Result<Vec<Check>, Failure> {
    let mut cast = Cast::new(client, root, audience).await?;
    if let Some(at) = scenario.clock {
        cast.begin_at(at).await?;
    }
    cast.add(&scenario.lead, scenario.script.clone()).await?;
    cast.play(scenario.limit).await?;
    let endings = cast.endings().await?;
    Ok(endings.iter().flat_map(|ending| scenario.expect.check(ending)).collect())
}

#[cfg(test)]
mod tests;
