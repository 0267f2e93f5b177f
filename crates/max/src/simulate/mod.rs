//! Scenarios: clients, people and time played from a file, and what must come of it.
//!
//! `scenario` reads the file, `cast` plays it over HTTP, `expect` compares, `due` knows what the clock will bring,
//! `theatre` is the private server it runs on.

pub mod cast;
mod due;
mod expect;
mod scenario;
mod shipped;
mod theatre;

pub use expect::{Check, Expect};
pub use scenario::{Action, OrAny, Scenario, Script, Step, Trigger};
pub use shipped::SHIPPED;
pub use theatre::Theatre;

use max_core::policy::Policy;

use crate::client::Client;
use crate::exit::Failure;
use cast::{Audience, Cast};

/// How scenarios are written, for `max help scenarios`.
pub const GUIDE: &str = include_str!("../../../../docs/simulate.md");

/// Plays a scenario on a server with a manual clock and compares every expectation.
///
/// # Errors
/// When the story cannot be played to its end; expectations that are not met are no error but a [`Check`].
pub async fn play(
    scenario: &Scenario,
    client: &Client,
    policy: Policy,
    audience: &dyn Audience,
) -> Result<Vec<Check>, Failure> {
    let mut cast = Cast::new(client, policy, audience).await?;
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
