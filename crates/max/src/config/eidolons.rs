//! `[eidolons]` and `[voices]`: who works, under which name, and with which inner voices.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;
use max_core::stage::{Aliases, Eidolon};
use max_engine::mind::SEATS;
use max_engine::runs::Price;

use super::env;
use super::keys::{Dollars, Item, Keys, Named, OneOf, Section};

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
    /// What it is: `playbook`, `script` or `api`.
    pub kind: String,
    /// For a script: the program, an absolute path.
    pub program: String,
    /// For a script: its arguments. They are passed as they are, no shell reads them.
    pub args: Vec<String>,
    /// The longest turn.
    pub timeout: SignedDuration,
    /// For a script: the most it may print, in bytes. For an API: the most an answer may be.
    pub output_limit: usize,
    /// For an API: how it is reached and what it costs.
    pub api: ApiConfig,
}

/// How a model's API is reached and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Which format it speaks: one of `WIRES`.
    pub wire: String,
    /// Where it is; empty for the vendor's own address.
    pub base_url: String,
    /// The model.
    pub model: String,
    /// The name of the environment variable that holds the key.
    pub key_env: String,
    /// The file that holds the key.
    pub key_file: String,
    /// The longest wait for the first byte of an answer, and between two.
    pub idle_timeout: SignedDuration,
    /// The most tokens of an answer.
    pub max_output_tokens: u32,
    /// How often a call is tried again that failed before it cost anything.
    pub retries: u32,
    /// Whether the answer comes as a stream.
    pub stream: bool,
    /// Whether the service keeps to the answer's schema.
    pub structured: bool,
    /// What a million tokens cost.
    pub price: Price,
}

/// Where a key is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Nowhere: the service wants none.
    Nowhere,
    /// In this environment variable; nothing when it is not set.
    Variable(String, Option<String>),
    /// In this file.
    File(PathBuf),
}

impl ApiConfig {
    /// Where the key is, with its text where that is at hand.
    pub fn key(&self) -> KeySource {
        match (self.key_env.as_str(), self.key_file.as_str()) {
            ("", "") => KeySource::Nowhere,
            ("", file) => KeySource::File(file.into()),
            (name, _) => KeySource::Variable(name.to_owned(), env::text(name)),
        }
    }

    /// Whether it runs on this machine, where nobody asks for money.
    pub fn is_local(&self) -> bool {
        ["http://127.", "http://localhost", "http://[::1]"].iter().any(|here| self.base_url.starts_with(here))
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            wire: String::new(),
            base_url: String::new(),
            model: String::new(),
            key_env: String::new(),
            key_file: String::new(),
            idle_timeout: SignedDuration::from_secs(60),
            max_output_tokens: 4_000,
            retries: 2,
            stream: true,
            structured: true,
            price: Price::default(),
        }
    }
}

/// The name of the built-in voice.
pub const PLAYBOOK: &str = "playbook";
/// The kind of voice that is a model behind an HTTP interface.
pub const API: &str = "api";
/// The formats of such interfaces.
pub const WIRES: &[&str] = &["anthropic", "openai-responses", "openai-chat", "gemini"];
const KINDS: &[&str] = &["playbook", "script", API];

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
            api: ApiConfig::default(),
        }
    }
}

impl VoiceConfig {
    fn api_keys(&mut self, keys: &mut dyn Keys) {
        let api = &mut self.api;
        let wires = "What it speaks: anthropic, openai-responses, openai-chat (also most other servers) or gemini.";
        keys.key("api", wires, &mut OneOf { value: &mut api.wire, words: WIRES });
        keys.key(
            "base_url",
            "Where it is: https, or http on this machine. Empty for the vendor's own.",
            &mut api.base_url,
        );
        keys.key("model", "The model, as the service names it.", &mut api.model);
        keys.key(
            "api_key_env",
            "The environment variable that holds the key. Keys never stand in this file.",
            &mut api.key_env,
        );
        keys.key("api_key_file", "Or the file that holds it, mode 600.", &mut api.key_file);
        keys.key("timeout", "The longest turn, tries again included.", &mut self.timeout);
        keys.key("idle_timeout", "The longest wait for an answer to begin, or to go on.", &mut api.idle_timeout);
        keys.key("max_output_tokens", "The most tokens of an answer, thinking included.", &mut api.max_output_tokens);
        keys.key("output_limit", "The most bytes of an answer as it comes over the wire.", &mut self.output_limit);
        keys.key("retries", "How often a call that cost nothing is tried again.", &mut api.retries);
        keys.key("stream", "Whether the answer comes as a stream.", &mut api.stream);
        keys.key(
            "structured",
            "Whether the service is given the answer's JSON Schema to keep to.",
            &mut api.structured,
        );
        let about = "What a million tokens cost, in US dollars: that go in,";
        keys.key("price_input", about, &mut Dollars(&mut api.price.input));
        keys.key("price_cached", "that come from the service's cache,", &mut Dollars(&mut api.price.cached));
        keys.key("price_cache_write", "that go into it,", &mut Dollars(&mut api.price.cache_write));
        keys.key("price_output", "that come out.", &mut Dollars(&mut api.price.output));
    }

    fn check_api(&self) -> Vec<(&'static str, String)> {
        let api = &self.api;
        let mut wrong = Vec::new();
        if api.wire.is_empty() {
            wrong.push(("api", format!("must be one of {}", WIRES.join(", "))));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
        if api.model.is_empty() || !api.model.bytes().all(plain) {
            wrong.push(("model", "must be the model's name, as the service writes it".into()));
        }
        if !api.key_env.is_empty() && !api.key_file.is_empty() {
            wrong.push(("api_key_file", "must be empty where api_key_env is set: the key is in one place".into()));
        }
        if !api.key_env.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            // What stands there may be the key itself, so it is not repeated.
            wrong.push((
                "api_key_env",
                "must be the name of an environment variable; keys never stand in this file".into(),
            ));
        }
        if api.idle_timeout < SignedDuration::from_millis(1) || self.timeout < SignedDuration::from_millis(1) {
            wrong.push(("timeout", "must be longer than nothing, and so must idle_timeout".into()));
        }
        if !(1..=200_000).contains(&api.max_output_tokens) {
            wrong.push(("max_output_tokens", "must be from 1 to 200000".into()));
        }
        if !api.is_local() && (api.price.input.0 == 0 || api.price.output.0 == 0) {
            let why = "must be set, and price_output too: without prices no budget can be kept";
            wrong.push(("price_input", why.into()));
        }
        wrong
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
        let kinds =
            "`playbook` (built in), `script` (a program of yours) or `api` (a model behind HTTP; docs/voices.md).";
        keys.key("kind", kinds, &mut OneOf { value: &mut self.kind, words: KINDS });
        match self.kind.as_str() {
            PLAYBOOK => return,
            API => return self.api_keys(keys),
            _ => {}
        }
        keys.key("program", "The program, an absolute path.", &mut self.program);
        keys.key("args", "Its arguments; no shell reads them.", &mut self.args);
        keys.key("timeout", "The longest turn.", &mut self.timeout);
        keys.key("output_limit", "The most it may print, in bytes.", &mut self.output_limit);
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.kind == API && self.enabled {
            return self.check_api();
        }
        if self.kind == "script" && self.enabled && !self.program.starts_with('/') {
            let why = "must be the absolute path of the program; nothing is looked up in PATH";
            return vec![("program", why.into())];
        }
        Vec::new()
    }
}
