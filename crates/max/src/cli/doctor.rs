//! `max doctor`: what is missing, and the command that mends it.

use std::path::Path;

use serde_json::{Value, json};

use super::Context;
use super::launch::ScriptCheck;
use super::output::{Style, line};
use crate::client::running_server;
use crate::config::{Config, PLAYBOOK};
use crate::exit::{Exit, Failure};
use crate::wire::{AgentsHealth, VoiceState};

/// Check this installation: what is missing, and the command that mends it
///
/// It looks at max.toml, the root (can it be written, is there space), the clock, the agency folder (texts, clauses,
/// prices), the sandbox of your onboarding scripts, mail and notices, the server (does one run, does it answer), and the voices and their seats. Each finding is
/// a line: `ok`, `hint` (works, could be better) or `problem` (keeps MAX from working), with the command that mends it
/// beneath. Run it after `max init`, after a change of max.toml, and when something does not happen that should.
///
/// Exit code 1 when something keeps MAX from working; hints alone do not change it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max doctor                        everything, in a few seconds; changes nothing
  max doctor --json | jq '.findings[] | select(.level == \"problem\")'")]
pub struct Args {}

/// The least free space on the root's disk that is no problem, in bytes.
const ENOUGH_SPACE: u64 = 500 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// As it should be.
    Ok,
    /// Works, and could be better.
    Hint,
    /// Keeps MAX from working.
    Problem,
}

struct Finding {
    level: Level,
    about: &'static str,
    what: String,
    /// The command or change that mends it.
    mend: Option<String>,
}

fn ok(about: &'static str, what: impl Into<String>) -> Finding {
    Finding { level: Level::Ok, about, what: what.into(), mend: None }
}

fn hint(about: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { level: Level::Hint, about, what: what.into(), mend: Some(mend.into()) }
}

fn problem(about: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { level: Level::Problem, about, what: what.into(), mend: Some(mend.into()) }
}

pub(super) async fn run(_args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let max = max_with_root(context);
    let mut findings = vec![root(&context.root, &max), space(&context.root), clock()];
    match context.config() {
        Err(failure) => {
            findings.push(problem("config", failure.message, "mend the lines named, or move the file aside"))
        }
        Ok(config) => {
            findings.push(match &config.file {
                Some(file) => ok("config", format!("{} is good", file.display())),
                None => hint("config", "no max.toml: everything runs on its defaults", format!("{max} init")),
            });
            findings.extend(agency(context, &config, &max));
            findings.push(scripts(context.launcher.check_scripts(&config.agency_folder()).await));
            findings.extend(mail(&config));
            let health = server(context, &max, &mut findings).await;
            findings.extend(voices(context, &config, health.as_ref()));
        }
    }
    Ok(report(context, &findings))
}

fn max_with_root(context: &Context<'_>) -> String {
    if context.root == Path::new(crate::config::DEFAULT_ROOT) {
        "max".into()
    } else {
        format!("max --root {}", context.root.display())
    }
}

/// Whether the root can be written: by writing, because permissions alone do not tell (a read-only mount).
fn root(root: &Path, max: &str) -> Finding {
    if !root.exists() {
        return hint("root", format!("{} does not exist yet", root.display()), format!("{max} init"));
    }
    match tempfile::NamedTempFile::new_in(root) {
        Ok(_) => ok("root", format!("{} can be written", root.display())),
        Err(error) => problem(
            "root",
            format!("{} cannot be written: {error}", root.display()),
            format!("sudo chown -R \"$(id -un)\" {}", root.display()),
        ),
    }
}

fn space(root: &Path) -> Finding {
    let nearest = root.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(nearest) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let what = format!("{} MiB free", free >> 20);
            if free < ENOUGH_SPACE {
                problem("disk", what, "free some space: a full disk stops everything, though nothing is lost")
            } else {
                ok("disk", what)
            }
        }
        Err(error) => hint("disk", format!("free space cannot be told: {error}"), "df -h"),
    }
}

/// A clock before this release is certainly wrong, and follow-ups would go out at odd times.
fn clock() -> Finding {
    let now = jiff::Zoned::now();
    if now.year() < 2026 {
        return problem("clock", format!("the machine says it is {now}"), "timedatectl set-ntp true");
    }
    ok("clock", format!("the machine says it is {}", now.strftime("%Y-%m-%d %H:%M %Z")))
}

fn agency(context: &Context<'_>, config: &Config, max: &str) -> Vec<Finding> {
    let folder = config.agency_folder();
    if !folder.is_dir() {
        let what = "no agency folder: the built-in example agency answers with its own prices and clauses";
        return vec![hint("agency", what, format!("{max} init, then put your own words into {}", folder.display()))];
    }
    let wrong = context.launcher.check_agency(&folder);
    if wrong.is_empty() {
        return vec![ok("agency", format!("{} is good", folder.display()))];
    }
    wrong.into_iter().map(|what| problem("agency", what, format!("edit the file in {}", folder.display()))).collect()
}

/// The owner's onboarding scripts, which run in a sandbox or not at all.
fn scripts(check: ScriptCheck) -> Finding {
    let ScriptCheck { scripts, sandbox } = check;
    let named = scripts.join(", ");
    let mend = "install the Debian package bubblewrap (apt install bubblewrap); in a container, allow user namespaces";
    match (sandbox, scripts.is_empty()) {
        (Ok(()), true) => ok("scripts", "the sandbox works; onboarding.toml names no scripts of yours"),
        (Ok(()), false) => ok("scripts", format!("the sandbox works, and these scripts run in it: {named}")),
        (Err(why), true) => hint("scripts", format!("no script of yours could run in onboarding: {why}"), mend),
        (Err(why), false) => problem("scripts", format!("{named} cannot run, people do these steps: {why}"), mend),
    }
}

fn mail(config: &Config) -> Vec<Finding> {
    let default = config.mail == crate::config::MailConfig::default();
    let mut findings = Vec::new();
    if default {
        let what = format!("mails come from {} and lie in {}/outbox", config.mail.from, config.root.display());
        findings.push(hint("mail", what, "set from and domain under [mail] in max.toml"));
    }
    if config.notify.command.is_empty() {
        findings.push(hint("notify", "nobody is told when something waits", "set command under [notify] in max.toml"));
    } else if !Path::new(&config.notify.command[0]).is_file() {
        let what = format!("{} is no program", config.notify.command[0]);
        findings.push(problem("notify", what, "correct command under [notify] in max.toml"));
    }
    findings
}

async fn server(context: &Context<'_>, max: &str, findings: &mut Vec<Finding>) -> Option<AgentsHealth> {
    let found = running_server(&context.root.join("run"));
    if found.is_none() && context.named_server().is_none() {
        findings.push(hint("server", "no server runs on this root", format!("{max} up")));
        return None;
    }
    let client = match context.client() {
        Ok(client) => client,
        Err(failure) => {
            findings.push(problem("server", failure.message, format!("{max} up")));
            return None;
        }
    };
    if let Err(error) = client.get("/readyz").await {
        // A server that died leaves its file behind; the lock itself is free then.
        let mend = found
            .map_or_else(|| format!("{max} up"), |found| format!("{max} up (process {} is gone or stuck)", found.pid));
        findings.push(problem("server", error.to_string(), mend));
        return None;
    }
    match client.get("/api/agents/health").await.and_then(|answer| answer.read()) {
        Ok(health) => {
            findings.push(ok("server", format!("{} answers and holds the lock of this root", client.base())));
            Some(health)
        }
        Err(error) => {
            findings.push(problem(
                "token",
                error.to_string(),
                format!("{max} token new doctor read, then set MAX_TOKEN"),
            ));
            None
        }
    }
}

/// The seats: as the running server sees them, else as the settings say.
fn voices(context: &Context<'_>, config: &Config, health: Option<&AgentsHealth>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, what) in context.launcher.check_voices(config) {
        let mend = format!("see [voices.{name}] in max.toml, and docs/voices.md; the next voice works meanwhile");
        findings.push(problem("voices", format!("voice {name}: {what}"), mend));
    }
    for (name, voice) in config.voices.iter().filter(|(_, voice)| voice.enabled && voice.kind == "script") {
        if !Path::new(&voice.program).is_file() {
            let what = format!("voice {name}: {} is no program", voice.program);
            findings.push(problem("voices", what, format!("correct program under [voices.{name}] in max.toml")));
        }
    }
    if !config.voices.get(PLAYBOOK).is_some_and(|voice| voice.enabled) && config.only_playbook() {
        let mend = "set enabled = true under [voices.playbook] in max.toml";
        findings.push(problem("voices", "nobody can think: the playbook is off and no other voice is on", mend));
    } else if config.only_playbook() {
        let what = "only the playbook works: rules and templates, no model";
        let mend = "add a voice under [voices] and a seat under [eidolons.<id>.seats] in max.toml";
        findings.push(hint("voices", what, mend));
    }
    match health {
        None => {
            let seats = config.eidolons.len() * max_engine::mind::SEATS.len();
            let taken: usize = config.eidolons.values().map(|eidolon| eidolon.seats.len()).sum();
            findings.push(ok("seats", format!("{taken} of {seats} seats are taken, as max.toml says")));
        }
        Some(health) => findings.extend(seats(health)),
    }
    findings
}

fn seats(health: &AgentsHealth) -> Vec<Finding> {
    let all: Vec<_> =
        health.eidolons.iter().flat_map(|e| e.voices.iter().map(move |voice| (e.eidolon, voice))).collect();
    let mut findings = Vec::new();
    let absent: Vec<_> = all.iter().filter(|(_, voice)| voice.state == VoiceState::Absent).collect();
    if let Some((_, first)) = absent.first() {
        let what = format!("{} seats are empty", absent.len());
        findings.push(hint("seats", what, first.evidence.clone()));
    }
    for (eidolon, voice) in all.iter().filter(|(_, voice)| voice.state == VoiceState::Failing) {
        let error = voice.last_error.as_deref().unwrap_or(&voice.evidence);
        let what = format!("{eidolon}/{} fails: {error}", voice.voice);
        findings.push(problem("seats", what, "max agents, and the server's log"));
    }
    findings
}

fn report(context: &Context<'_>, findings: &[Finding]) -> Exit {
    let broken = findings.iter().any(|finding| finding.level == Level::Problem);
    let exit = if broken { Exit::Failed } else { Exit::Done };
    let word = |level: Level| match level {
        Level::Ok => "ok",
        Level::Hint => "hint",
        Level::Problem => "problem",
    };
    if context.json() {
        let rows: Vec<Value> = findings
            .iter()
            .map(|f| json!({"level": word(f.level), "about": f.about, "what": f.what, "mend": f.mend}))
            .collect();
        context.output.print_json(&json!({"ok": !broken, "findings": rows}));
        return exit;
    }
    for finding in findings {
        let style = match finding.level {
            Level::Ok => Style::Green,
            Level::Hint => Style::Yellow,
            Level::Problem => Style::Red,
        };
        let label = context.output.paint(style, &format!("{:8}", word(finding.level)));
        context.output.print(&format!("{label}{:8} {}", finding.about, line(&finding.what)));
        if let Some(mend) = &finding.mend {
            context.output.print(&format!("{:17}-> {}", "", line(mend)));
        }
    }
    exit
}
