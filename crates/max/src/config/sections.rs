//! The file as a whole, and its smaller sections.

use jiff::SignedDuration;
use max_engine::spend::Budget;

use super::Config;
use super::eidolons::{Eidolons, Voices};
use super::keys::{Dollars, Keys, OneOf, Section};

pub(super) const HEADING: &str = "The settings of MAX. Every key is written with its default: change what you need, delete the rest.\n\
     A key that is not known is an error, so a slip is never silent. `max doctor` reads this file and tells.\n\
     Prices, services, clauses and templates are not here but in the folder agency/.";

/// The whole file.
pub(super) struct File<'a>(pub(super) &'a mut Config);

impl Section for File<'_> {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.table("server", "The server.", &mut Server(self.0));
        keys.table("policy", "The rules by which MAX decides.", &mut self.0.policy);
        keys.table("mail", "How mail leaves the house.", &mut self.0.mail);
        keys.table("notify", "How people learn that something waits for them.", &mut self.0.notify);
        keys.table("signals", "The drop box for signals.", &mut self.0.signals);
        keys.table("mockup", "What goes with a mockup.", &mut self.0.mockup);
        keys.table("portal", "The client's page.", &mut self.0.portal);
        keys.table("limits", "Sizes and rates.", &mut self.0.limits);
        keys.named(
            "voices",
            "The inner voices. The playbook works from rules and templates and costs nothing.",
            "[voices.my-script]              # a program of yours: a brief as JSON in, a thought as JSON out\n\
             kind = \"script\"\n\
             program = \"/usr/local/bin/my-voice\"\n\
             timeout = \"2m\"\n\
             [voices.fast]                   # a model behind an HTTP interface; see docs/voices.md\n\
             kind = \"api\"\n\
             api = \"anthropic\"\n\
             model = \"the-model\"\n\
             api_key_env = \"ANTHROPIC_API_KEY\"\n\
             price_input = 1.00              # dollars for a million tokens, from the vendor's price list\n\
             price_output = 5.00",
            &mut Voices(&mut self.0.voices),
        );
        let budget =
            "What voices may spend, in US dollars. A call that could pass a limit is not made; the next voice works.";
        keys.table("budget", budget, &mut self.0.budget);
        keys.table("eidolons", "The nine Eidolons.", &mut Eidolons(&mut self.0.eidolons));
    }
}

struct Server<'a>(&'a mut Config);

impl Section for Server<'_> {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "listen",
            "The address to listen on. Port 0 picks a free one. Keep it on 127.0.0.1 unless a proxy with TLS is before it.",
            &mut self.0.listen,
        );
        keys.key(
            "lease",
            "How long a task stays with a worker that has stopped giving signs of life.",
            &mut self.0.lease,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.0.lease < SignedDuration::from_secs(1) {
            return vec![("lease", "must be at least one second".into())];
        }
        Vec::new()
    }
}

impl Section for Budget {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("per_day", "On one day (UTC), over all leads.", &mut Dollars(&mut self.per_day));
        keys.key("per_lead", "On one lead, ever.", &mut Dollars(&mut self.per_lead));
        keys.key("per_stage", "On one lead in one stage, ever.", &mut Dollars(&mut self.per_stage));
    }
}

/// `[mail]`: how mail leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// The sender's name and address.
    pub from: String,
    /// The domain of the Message-IDs that MAX makes.
    pub domain: String,
    /// By which way: `folder` writes `<root>/outbox/*.eml`.
    pub channel: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { from: "Agency <hello@agency.example>".into(), domain: "agency.example".into(), channel: "folder".into() }
    }
}

impl Section for MailConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key("from", "The sender's name and address.", &mut self.from);
        keys.key("domain", "The domain of Message-IDs; your own mail domain.", &mut self.domain);
        keys.key(
            "channel",
            "By which way: `folder` writes every mail to <root>/outbox/*.eml and sends nothing.",
            &mut OneOf { value: &mut self.channel, words: &["folder"] },
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if !self.from.contains('@') || self.from.contains(['\r', '\n']) {
            wrong.push(("from", "must be an address, such as \"Ada <ada@agency.example>\"".into()));
        }
        let plain = self.domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if !plain || self.domain.is_empty() {
            wrong.push(("domain", "must be a domain, such as \"agency.example\"".into()));
        }
        wrong
    }
}

/// `[notify]`: how people are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyConfig {
    /// The program and its arguments; empty for none. The notice comes as JSON on its standard input.
    pub command: Vec<String>,
}

impl Section for NotifyConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "command",
            "A program with its arguments, run when something waits for a person; the notice is JSON on its standard\n\
             input. Such as [\"/usr/local/bin/notify\", \"--chat\", \"sales\"]. Empty for none.",
            &mut self.command,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        match self.command.first() {
            Some(program) if !program.starts_with('/') => {
                vec![("command", "must begin with the absolute path of a program; nothing is looked up in PATH".into())]
            }
            _ => Vec::new(),
        }
    }
}

/// `[signals]`: the drop box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalsConfig {
    /// How often the drop box is looked through although nothing was reported.
    pub rescan: SignedDuration,
}

impl Default for SignalsConfig {
    fn default() -> Self {
        Self { rescan: SignedDuration::from_secs(10) }
    }
}

impl Section for SignalsConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "rescan",
            "How often the drop box is looked through even when the file system reports nothing (NFS never does).",
            &mut self.rescan,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.rescan < SignedDuration::from_millis(100) {
            return vec![("rescan", "must be at least 100ms".into())];
        }
        Vec::new()
    }
}

/// `[mockup]`: what goes with a mockup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockupConfig {
    /// `auto` takes pictures of the screens when a Chromium is installed, `off` never does.
    pub stills: String,
}

impl Default for MockupConfig {
    fn default() -> Self {
        Self { stills: "auto".into() }
    }
}

impl Section for MockupConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "stills",
            "Pictures of the screens: `auto` takes them with the Chromium of this machine when there is one, `off` never.",
            &mut OneOf { value: &mut self.stills, words: &["auto", "off"] },
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// `[portal]`: the client's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortalConfig {
    /// Where clients reach this server, without a slash at the end; empty while they cannot.
    pub url: String,
}

impl Section for PortalConfig {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "url",
            "Where clients reach /p/… of this server from outside, such as \"https://portal.agency.example\". Mails that ask\n\
             for a decision or a signature then name the client's page. Empty while it cannot be reached from outside.",
            &mut self.url,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        let host = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let plain = |h: &str| {
            !h.is_empty() && !h.ends_with('/') && h.chars().all(|c| c.is_ascii_graphic() && !"?#\"<>".contains(c))
        };
        if self.url.is_empty() || host.is_some_and(plain) {
            return Vec::new();
        }
        vec![("url", "must be an address without a slash at the end, such as \"https://portal.agency.example\"".into())]
    }
}

/// `[limits]`: sizes and rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Leads kept in memory.
    pub cached_leads: usize,
    /// Requests of one token in a minute; 0 for no limit. The local admin token has none.
    pub requests_per_minute: u32,
    /// Ingestions of one token in a minute; 0 for no limit.
    pub ingests_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cached_leads: 16_384, requests_per_minute: 6_000, ingests_per_minute: 600 }
    }
}

impl Section for Limits {
    fn keys(&mut self, keys: &mut dyn Keys) {
        keys.key(
            "cached_leads",
            "Leads kept in memory, at about 5 KB each; at most twice as many. Others are read when they are asked for.",
            &mut self.cached_leads,
        );
        keys.key(
            "requests_per_minute",
            "Requests of one token in a minute; 0 for no limit. The local admin token has none.",
            &mut self.requests_per_minute,
        );
        keys.key(
            "ingests_per_minute",
            "Leads taken in for one token in a minute; 0 for no limit.",
            &mut self.ingests_per_minute,
        );
    }

    fn check(&self) -> Vec<(&'static str, String)> {
        if self.cached_leads == 0 {
            return vec![("cached_leads", "must be at least 1".into())];
        }
        Vec::new()
    }
}
