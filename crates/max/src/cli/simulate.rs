//! `max simulate`: scenarios played and judged.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Context;
use super::output::{Style, line, short};
use crate::exit::{Exit, Failure};
use crate::simulate::cast::Audience;
use crate::simulate::{Check, SHIPPED, Scenario, Theatre, play};
use crate::wire::LeadView;

/// Play scenarios: clients, people and time from a file, and what must come of it
///
/// Each scenario runs on a private server with a clock of its own, in a temporary folder; nothing of yours is touched.
/// Exit code 1 names the expectation that was not met.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max simulate --list
  max simulate good-fit-en -v              a shipped one, told as it happens
  max simulate my-rules.yaml --keep        leave the folder with all artifacts
  max simulate my-rules.yaml --agency AI_Agents/agency     with your own texts and prices
  max simulate scenarios/*.yaml --json
The format: max help scenarios")]
pub struct Args {
    /// Scenario files, or names of shipped ones
    #[arg(required_unless_present = "list")]
    scenarios: Vec<String>,
    /// List the scenarios that come with MAX
    #[arg(long)]
    list: bool,
    /// Leave the folder of each story, and say where it is
    #[arg(long)]
    keep: bool,
    /// Play with a copy of your own texts, prices and clauses instead of the built-in example agency
    #[arg(long, value_name = "DIR")]
    agency: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    if args.list {
        return list(context);
    }
    let scenarios = args.scenarios.iter().map(|name| read(name)).collect::<Result<Vec<_>, _>>()?;
    let mut reports = Vec::new();
    let mut exit = Exit::Done;
    for scenario in &scenarios {
        let (checks, broken) = match perform(scenario, args, context).await {
            Ok(checks) => (checks, None),
            Err(failure) if failure.exit == Exit::Failed => (Vec::new(), Some(failure)),
            Err(failure) => return Err(failure),
        };
        let met = broken.is_none() && checks.iter().all(|check| check.met);
        if !met {
            exit = Exit::Failed;
        }
        if !context.json() {
            tell(context, scenario, &checks, broken.as_ref(), met);
        }
        reports.push(json!({
            "scenario": scenario.name, "met": met, "error": broken.map(|failure| failure.to_string()),
            "expectations": checks.iter().map(Check::to_json).collect::<Vec<Value>>(),
        }));
    }
    if context.json() {
        context.output.print_json(&json!({"met": exit == Exit::Done, "scenarios": reports}));
    }
    Ok(exit)
}

async fn perform(scenario: &Scenario, args: &Args, context: &Context<'_>) -> Result<Vec<Check>, Failure> {
    let audience = Teller { context, last: RefCell::default() };
    if context.named_server().is_some() {
        if !scenario.policy.is_empty() {
            return Err(Failure::usage("a running server takes no `policy` from a scenario; leave out --server"));
        }
        if args.agency.is_some() {
            return Err(Failure::usage("a running server has an agency folder of its own; leave out --server"));
        }
        return play(scenario, &context.client()?, None, &audience).await;
    }
    let theatre = Theatre::open(context.launcher, &scenario.policy, scenario.clock, args.agency.as_deref()).await?;
    let result = play(scenario, &theatre.client, Some(&theatre.root), &audience).await;
    // What was written behind should be there when somebody wants to look.
    let settled = if args.keep { theatre.client.get_long("/api/settle").await.map(drop) } else { Ok(()) };
    let root = theatre.root.clone();
    theatre.close(args.keep).await;
    if args.keep {
        context.output.say(&format!("kept {}", root.display()));
    }
    let checks = result?;
    settled?;
    Ok(checks)
}

fn tell(context: &Context<'_>, scenario: &Scenario, checks: &[Check], broken: Option<&Failure>, met: bool) {
    let out = context.output;
    let word = if met { out.paint(Style::Green, "ok") } else { out.paint(Style::Red, "FAILED") };
    out.print(&format!("{word}  {} ({} expectations)", line(&scenario.name), checks.len()));
    if let Some(failure) = broken {
        out.print(&format!("    {}", line(&failure.message)));
    }
    for check in checks.iter().filter(|check| !check.met) {
        out.print(&format!("    {}", line(&check.to_string())));
    }
    if context.verbose > 0 {
        for check in checks.iter().filter(|check| check.met) {
            out.print(&out.paint(Style::Dim, &format!("    as expected: {}", line(&check.what))));
        }
    }
}

fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    let scenarios = SHIPPED
        .iter()
        .map(|(name, text)| Scenario::parse(Path::new(name), text).map(|scenario| (*name, scenario)))
        .collect::<Result<Vec<_>, _>>()?;
    if context.json() {
        let rows: Vec<Value> =
            scenarios.iter().map(|(name, s)| json!({"name": name, "title": s.name, "about": s.about})).collect();
        context.output.print_json(&json!({"scenarios": rows}));
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> =
        scenarios.iter().map(|(name, s)| vec![(*name).to_owned(), short(&s.about, 120)]).collect();
    context.output.table(&["NAME", "WHAT IT SHOWS"], &rows);
    Ok(Exit::Done)
}

/// A file, or else the shipped scenario of this name.
fn read(name: &str) -> Result<Scenario, Failure> {
    let file = PathBuf::from(name);
    let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    match (file.is_file(), shipped) {
        (false, Some((_, text))) => Scenario::parse(&file, text),
        (false, None) if file.extension().is_none() => {
            Err(Failure::new(Exit::NotFound, format!("there is no file and no shipped scenario `{name}`"))
                .hint("`max simulate --list` shows what comes with MAX"))
        }
        _ => {
            let text = std::fs::read_to_string(&file).map_err(|error| Failure::file("reading", &file, &error))?;
            Scenario::parse(&file, &text)
        }
    }
}

/// Tells the story on stderr, when asked to.
struct Teller<'a> {
    context: &'a Context<'a>,
    /// What was told last, so that nothing is told twice.
    last: RefCell<String>,
}

impl Audience for Teller<'_> {
    fn see(&self, _player: usize, view: &LeadView) {
        if self.context.verbose == 0 {
            return;
        }
        let state = &view.state;
        let (stage, status) = (state.current_stage, state.status.name());
        let text = format!("  {stage}, {status}: {}", line(&state.next_action));
        if *self.last.borrow() != text {
            self.context.output.say(&text);
            *self.last.borrow_mut() = text;
        }
    }

    fn hear(&self, _player: usize, at: Timestamp, words: &str) {
        if self.context.verbose > 0 {
            self.context.output.say(&format!("{} {}", at.strftime("%Y-%m-%d %H:%M"), short(words, 160)));
        }
    }
}
