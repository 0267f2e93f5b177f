//! Who comes in during the demonstration, and how each behaves.

use serde_json::{Map, Value};

use crate::simulate::Script;

/// An example lead with its script.
pub struct Example {
    /// A short name for the screen.
    pub name: &'static str,
    lead: &'static str,
    script: &'static str,
}

const KEEN_EN: &str = include_str!("../../examples/scripts/keen-en.yaml");
const KEEN_DE: &str = include_str!("../../examples/scripts/keen-de.yaml");
const SILENT: &str = include_str!("../../examples/scripts/silent.yaml");

/// The eight of them. Leads stand in `crates/max/examples/*.json`, scripts in `crates/max/examples/scripts/`.
pub const EXAMPLES: [Example; 8] = [
    Example { name: "hair salons", lead: include_str!("../../examples/hair-salons.json"), script: KEEN_EN },
    Example { name: "Tischlerei", lead: include_str!("../../examples/tischlerei.json"), script: KEEN_DE },
    Example { name: "yoga studio", lead: include_str!("../../examples/yoga-studio.json"), script: KEEN_EN },
    Example { name: "Weinhandlung", lead: include_str!("../../examples/weinhandlung.json"), script: KEEN_DE },
    Example { name: "bike shop", lead: include_str!("../../examples/bike-shop.json"), script: KEEN_EN },
    Example { name: "silent bakery", lead: include_str!("../../examples/silent-bakery.json"), script: SILENT },
    Example { name: "laptop repair", lead: include_str!("../../examples/laptop-repair.json"), script: "{}" },
    Example { name: "spam", lead: include_str!("../../examples/spam.json"), script: "{}" },
];

impl Example {
    /// The lead as it comes in.
    ///
    /// # Errors
    /// Never for the shipped ones: a test reads them all.
    pub fn lead(&self) -> Result<Map<String, Value>, String> {
        serde_json::from_str(self.lead).map_err(|error| format!("the example {} is broken: {error}", self.name))
    }

    /// How client and owner behave.
    ///
    /// # Errors
    /// As [`Example::lead`].
    pub fn script(&self) -> Result<Script, String> {
        Script::parse(self.script).map_err(|error| format!("the script of {} is broken: {error}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_can_be_read() {
        for example in EXAMPLES {
            assert!(example.lead().expect(example.name).contains_key("message"));
            example.script().expect(example.name);
        }
    }
}
