//! The seven stages of the pipeline and the nine Eidolons that work in it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a lead is in the pipeline. The order of the variants is the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    /// Score the lead and decide whether it is a fit.
    LeadGen,
    /// The first useful reply.
    FirstResponder,
    /// Questions, then the scope.
    Scoping,
    /// The clickable mockup.
    Orchestra,
    /// Proposal, contract, signature, deposit.
    Closer,
    /// Workspace, checklist, welcome pack.
    Onboarding,
    /// Plan, check-ins, milestones, sign-off.
    DeliveryPM,
}

impl Stage {
    /// All stages in the order of the pipeline.
    pub const ALL: [Stage; 7] = [
        Stage::LeadGen,
        Stage::FirstResponder,
        Stage::Scoping,
        Stage::Orchestra,
        Stage::Closer,
        Stage::Onboarding,
        Stage::DeliveryPM,
    ];

    /// The name as it stands in `state.json`, signals and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::LeadGen => "LeadGen",
            Stage::FirstResponder => "FirstResponder",
            Stage::Scoping => "Scoping",
            Stage::Orchestra => "Orchestra",
            Stage::Closer => "Closer",
            Stage::Onboarding => "Onboarding",
            Stage::DeliveryPM => "DeliveryPM",
        }
    }

    /// The stage's folder inside the lead's folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Stage::LeadGen => "stage-1-leadgen",
            Stage::FirstResponder => "stage-2-first",
            Stage::Scoping => "stage-3-scoping",
            Stage::Orchestra => "stage-4-mockup",
            Stage::Closer => "stage-5-closer",
            Stage::Onboarding => "stage-6-onboarding",
            Stage::DeliveryPM => "stage-7-delivery",
        }
    }

    /// The stage's position, 1 to 7.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The stage after this one, if there is one.
    pub fn next(self) -> Option<Stage> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The Eidolon that works this stage.
    pub const fn eidolon(self) -> Eidolon {
        match self {
            Stage::LeadGen => Eidolon::LeadGen,
            Stage::FirstResponder => Eidolon::FirstResponder,
            Stage::Scoping => Eidolon::Scoping,
            Stage::Orchestra => Eidolon::Orchestra,
            Stage::Closer => Eidolon::Closer,
            Stage::Onboarding => Eidolon::Onboarding,
            Stage::DeliveryPM => Eidolon::DeliveryPM,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A standard unit of agency: one persona with four voices, a Conductor and an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Eidolon {
    /// Works the stage LeadGen.
    LeadGen,
    /// Works the stage FirstResponder.
    FirstResponder,
    /// Works the stage Scoping.
    Scoping,
    /// Works the stage Orchestra.
    Orchestra,
    /// Works the stage Closer.
    Closer,
    /// Works the stage Onboarding.
    Onboarding,
    /// Works the stage DeliveryPM.
    DeliveryPM,
    /// The Core Orchestra in service: takes escalations first.
    Mach42v2,
    /// The Core Orchestra standing by.
    Maestro,
}

impl Eidolon {
    /// All Eidolons: seven stages, then the Core Orchestra.
    pub const ALL: [Eidolon; 9] = [
        Eidolon::LeadGen,
        Eidolon::FirstResponder,
        Eidolon::Scoping,
        Eidolon::Orchestra,
        Eidolon::Closer,
        Eidolon::Onboarding,
        Eidolon::DeliveryPM,
        Eidolon::Mach42v2,
        Eidolon::Maestro,
    ];

    /// The fixed id used in inboxes, sessions, streams, tokens and commands.
    pub const fn id(self) -> &'static str {
        match self {
            Eidolon::LeadGen => "leadgen",
            Eidolon::FirstResponder => "firstresponder",
            Eidolon::Scoping => "scoping",
            Eidolon::Orchestra => "orchestra",
            Eidolon::Closer => "closer",
            Eidolon::Onboarding => "onboarding",
            Eidolon::DeliveryPM => "deliverypm",
            Eidolon::Mach42v2 => "mach42v2",
            Eidolon::Maestro => "maestro",
        }
    }

    /// The stage it works, or nothing for the Core Orchestra.
    pub fn stage(self) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.eidolon() == self)
    }

    /// The persona's default name; the agency may choose another.
    pub const fn persona(self) -> &'static str {
        match self {
            Eidolon::LeadGen => "LILLy",
            Eidolon::FirstResponder => "Mike",
            Eidolon::Scoping => "Clara",
            Eidolon::Orchestra => "Aria",
            Eidolon::Closer => "Finn",
            Eidolon::Onboarding => "Anya",
            Eidolon::DeliveryPM => "Atlas",
            Eidolon::Mach42v2 => "Mach42v2",
            Eidolon::Maestro => "Maestro",
        }
    }

    /// The name of its inbox folder below `signals/`.
    pub fn inbox(self) -> String {
        format!("{}_inbox", self.id())
    }

    /// How it signs a signal: the stage's name, or its own for the Core Orchestra.
    pub fn signature(self) -> &'static str {
        self.stage().map_or(self.id(), Stage::name)
    }
}

impl fmt::Display for Eidolon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Eidolon {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Aliases::default().eidolon(text)
    }
}

impl FromStr for Stage {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Aliases::default().stage(text)
    }
}

/// A stage or Eidolon that nobody here is called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no stage or Eidolon; use one of LeadGen, FirstResponder, Scoping, Orchestra, Closer, Onboarding, DeliveryPM"
)]
pub struct UnknownName(pub String);

/// Resolves every spelling of a stage or Eidolon: `Scoping`, `ScopingAgent`, `scoping`, `first_responder`,
/// `Delivery PM`, `Clara`. The agency's own persona names come in by [`Aliases::with_persona`].
#[derive(Clone, Debug)]
pub struct Aliases {
    personas: Vec<(String, Eidolon)>,
}

impl Default for Aliases {
    fn default() -> Self {
        let mut personas: Vec<_> = Eidolon::ALL.into_iter().map(|e| (fold(e.persona()), e)).collect();
        personas.push((fold("Pulse"), Eidolon::LeadGen));
        personas.push((fold("Mach42"), Eidolon::Mach42v2));
        Self { personas }
    }
}

impl Aliases {
    /// Lets `name` stand for `eidolon` too. The agency's own name wins over a default one.
    #[must_use]
    pub fn with_persona(mut self, name: &str, eidolon: Eidolon) -> Self {
        self.personas.insert(0, (fold(name), eidolon));
        self
    }

    /// The Eidolon that `text` names.
    pub fn eidolon(&self, text: &str) -> Result<Eidolon, UnknownName> {
        let folded = fold(text);
        let bare = folded.strip_suffix("agent").unwrap_or(&folded);
        Eidolon::ALL
            .into_iter()
            .find(|e| e.id() == bare)
            .or_else(|| self.personas.iter().find(|(name, _)| *name == folded || name == bare).map(|(_, e)| *e))
            .ok_or_else(|| UnknownName(text.chars().take(80).collect()))
    }

    /// The stage that `text` names.
    pub fn stage(&self, text: &str) -> Result<Stage, UnknownName> {
        self.eidolon(text)?.stage().ok_or_else(|| UnknownName(text.chars().take(80).collect()))
    }
}

/// Lower case without spaces, hyphens and underscores, so that all spellings meet.
fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_stage_resolves() {
        for (text, stage) in [
            ("Scoping", Stage::Scoping),
            ("ScopingAgent", Stage::Scoping),
            ("Scoping Agent", Stage::Scoping),
            ("scoping_agent", Stage::Scoping),
            ("Clara", Stage::Scoping),
            ("first_responder", Stage::FirstResponder),
            ("First Responder", Stage::FirstResponder),
            ("delivery_pm", Stage::DeliveryPM),
            ("DeliveryPMAgent", Stage::DeliveryPM),
            ("Pulse", Stage::LeadGen),
            ("lead_gen", Stage::LeadGen),
            ("LILLy", Stage::LeadGen),
        ] {
            assert_eq!(text.parse::<Stage>(), Ok(stage), "{text}");
        }
        assert!("Sales".parse::<Stage>().is_err());
        assert!("maestro".parse::<Stage>().is_err());
        assert_eq!("maestro".parse::<Eidolon>(), Ok(Eidolon::Maestro));
    }

    #[test]
    fn an_agency_can_rename_a_persona() {
        let aliases = Aliases::default().with_persona("Clara", Eidolon::Closer).with_persona("Zoë", Eidolon::Scoping);
        assert_eq!(aliases.stage("clara"), Ok(Stage::Closer));
        assert_eq!(aliases.stage("Zoë"), Ok(Stage::Scoping));
    }

    #[test]
    fn stages_follow_each_other_to_the_end() {
        let mut stage = Stage::LeadGen;
        let mut seen = vec![stage];
        while let Some(next) = stage.next() {
            stage = next;
            seen.push(stage);
        }
        assert_eq!(seen, Stage::ALL);
    }
}
