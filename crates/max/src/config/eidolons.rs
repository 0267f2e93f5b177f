//! `[eidolons]` and `[voices]`: who works, under which name, and with which inner voices.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use max_core::stage::{Aliases, Eidolon};
use max_engine::mind::SEATS;

use super::keys::{Item, Keys, Named, OneOf, Section};

/// How one Eidolon is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EidolonConfig {
    /// The persona's name; it also resolves in signals and commands.
    pub persona: String,
    /// How many leads it works on at the same time.
    pub workers: usize,
    /// Which voice of `[voices]` takes which seat (`claude`, `gemini`, `codex`, `copilot`). An absent seat is empty.
    pub seats: BTreeMap<String, String>,
}

impl EidolonConfig {
    fn of(eidolon: Eidolon) -> Self {
        Self { persona: eidolon.persona().to_owned(), workers: 4, seats: BTreeMap::new() }
    }
}

/// All nine as they are without a file.
pub(super) fn default_eidolons() -> BTreeMap<Eidolon, EidolonConfig> {
    Eidolon::ALL.into_iter().map(|eidolon| (eidolon, EidolonConfig::of(eidolon))).collect()
}

/// Every name under which the Eidolons are known.
pub(super) fn aliases(eidolons: &BTreeMap<Eidolon, EidolonConfig>) -> Aliases {
    eidolons.iter().fold(Aliases::default(), |aliases, (eidolon, config)| {
        if config.persona == eidolon.persona() { aliases } else { aliases.with_persona(&config.persona, *eidolon) }
    })
}

/// The section of all nine.
pub(super) struct Eidolons<'a>(pub(super) &'a mut BTreeMap<Eidolon, EidolonConfig>);

impl Section for Eidolons<'_> {
    fn keys(&mut self, keys: &mut dyn Keys) {
        for eidolon in Eidolon::ALL {
            let about = match eidolon.stage() {
                Some(stage) => format!("Works the stage {stage}."),
                None if eidolon == Eidolon::Mach42v2 => "The Core Orchestra: takes escalations first.".into(),
                None => "The Core Orchestra, standing by.".into(),
            };
            let config = self.0.entry(eidolon).or_insert_with(|| EidolonConfig::of(eidolon));
            keys.table(eidolon.id(), &about, config);
        }
    }
}

impl Section for EidolonConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("persona", "The persona's name, as clients and signals know it.", &mut self.persona);
        keys.key("workers", "How many leads it works on at the same time.", &mut self.workers);
        keys.named(
            "seats",
            "Which voice takes which of the seats claude, gemini, codex and copilot.",
            "codex = \"my-script\"    # a voice from [voices]",
            &mut Seats(&mut self.seats),
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.persona.trim().is_empty() {
            wrong.push(("persona", "must be a name".into()));
        }
        if !(1..=64).contains(&self.workers) {
            wrong.push(("workers", "must be from 1 to 64".into()));
        }
        wrong
    }
}

struct Seats<'a>(&'a mut BTreeMap<String, String>);

impl Named for Seats<'_> {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn entry(&mut self, name: &str) -> Result<Item<'_>, String> {
        if !SEATS.contains(&name) {
            return Err(format!("there is no such seat; the seats are {}", SEATS.join(", ")));
        }
        Ok(Item::Setting(self.0.entry(name.to_owned()).or_default()))
    }
}

/// One voice of `[voices]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceConfig {
    /// Whether it may work.
    pub enabled: bool,
    /// What it is: `playbook` or `script`.
    pub kind: String,
    /// For a script: the program, an absolute path.
    pub program: String,
    /// For a script: its arguments. They are passed as they are, no shell reads them.
    pub args: Vec<String>,
    /// For a script: the longest turn.
    pub timeout: SignedDuration,
    /// For a script: the most it may print, in bytes.
    pub output_limit: usize,
}

/// The name of the built-in voice.
pub const PLAYBOOK: &str = "playbook";
const KINDS: &[&str] = &["playbook", "script"];

impl VoiceConfig {
    fn playbook() -> Self {
        Self { enabled: true, kind: PLAYBOOK.into(), ..Self::script() }
    }

    fn script() -> Self {
        Self {
            enabled: true,
            kind: "script".into(),
            program: String::new(),
            args: Vec::new(),
            timeout: SignedDuration::from_secs(120),
            output_limit: 1 << 20,
        }
    }
}

/// The voices as they are without a file: the playbook alone.
pub(super) fn default_voices() -> BTreeMap<String, VoiceConfig> {
    BTreeMap::from([(PLAYBOOK.to_owned(), VoiceConfig::playbook())])
}

/// The section of all voices.
pub(super) struct Voices<'a>(pub(super) &'a mut BTreeMap<String, VoiceConfig>);

impl Named for Voices<'_> {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn entry(&mut self, name: &str) -> Result<Item<'_>, String> {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || name.is_empty() || name.len() > 32 {
            return Err("a voice's name is a-z, 0-9 and hyphens, at most 32 of them".into());
        }
        Ok(Item::Section(self.0.entry(name.to_owned()).or_insert_with(VoiceConfig::script)))
    }
}

impl Section for VoiceConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("enabled", "Whether this voice may work.", &mut self.enabled);
        keys.key("kind", "`playbook` (built in) or `script`.", &mut OneOf { value: &mut self.kind, words: KINDS });
        if self.kind == PLAYBOOK {
            return;
        }
        keys.key("program", "The program, an absolute path.", &mut self.program);
        keys.key("args", "Its arguments; no shell reads them.", &mut self.args);
        keys.key("timeout", "The longest turn.", &mut self.timeout);
        keys.key("output_limit", "The most it may print, in bytes.", &mut self.output_limit);
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.kind == "script" && self.enabled && !self.program.starts_with('/') {
            let why = "must be the absolute path of the program; nothing is looked up in PATH";
            return vec![("program", why.into())];
        }
        Vec::new()
    }
}
