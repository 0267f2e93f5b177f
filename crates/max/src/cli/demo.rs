//! `max demo`: everything at once, on this machine, without any model.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Context;
use super::output::{Style, short};
use crate::demo::{EXAMPLES, Screen};
use crate::exit::{Exit, Failure};
use crate::simulate::Theatre;
use crate::simulate::cast::{Cast, Ending};

/// Watch eight example leads go through all seven stages
///
/// Everything runs in ./max-demo with a clock of its own; clients and the owner are simulated and say so. Only the
/// playbook works: rules and templates, no model, no network, no mail leaves. An earlier demo is kept aside.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max demo
  max demo --keep          stay up at the end, to look at the pages
  max demo -v              tell everything as it happens")]
pub struct Args {
    /// Stay up at the end
    #[arg(long)]
    keep: bool,
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "./max-demo")]
    folder: PathBuf,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let out = context.output;
    if let Some(aside) = set_aside(&args.folder)? {
        out.say(&format!("an earlier demo is now in {}", aside.display()));
    }
    std::fs::create_dir_all(&args.folder).map_err(|error| Failure::file("making", &args.folder, &error))?;
    context.launcher.write_agency(&args.folder.join("agency"))?;
    let mut theatre = Theatre::open_at(context.launcher, &args.folder, &Map::new(), None).await?;
    out.say(&format!(
        "Playing {} example leads in {} with SIMULATED clients and a SIMULATED owner; only the playbook works.",
        EXAMPLES.len(),
        args.folder.display()
    ));
    out.say(&format!("page: {}/   sign in once: {}\n", theatre.client.base(), theatre.sign_in_link()));
    let result = perform(&theatre, context).await;
    let settled = theatre.client.get_long("/api/settle").await;
    let told = match result {
        Ok(endings) => Ok(tell(context, args, &endings)),
        Err(failure) => Err(failure),
    };
    if args.keep && told.is_ok() {
        out.say(&format!("\nstill up at {}/ (interrupt to end)", theatre.client.base()));
        theatre.stay_open().await?;
    }
    theatre.close(true).await;
    settled?;
    told
}

async fn perform(theatre: &Theatre, context: &Context<'_>) -> Result<Vec<Ending>, Failure> {
    let names = EXAMPLES.map(|example| example.name);
    let screen = Screen::new(context.output, context.verbose > 0, &names);
    let mut cast = Cast::new(&theatre.client, None, &screen).await?;
    for example in &EXAMPLES {
        let lead = example.lead().map_err(Failure::failed)?;
        cast.add(&lead, example.script().map_err(Failure::failed)?).await?;
    }
    cast.play(jiff::SignedDuration::from_hours(24 * 120)).await?;
    screen.finish();
    cast.endings().await
}

/// The summary; fails when a lead did not come to an end, because then the demo has shown nothing.
fn tell(context: &Context<'_>, args: &Args, endings: &[Ending]) -> Exit {
    let out = context.output;
    let folder = |ending: &Ending| args.folder.join("max-pipeline").join(ending.state.lead_id.to_string());
    let outcome =
        |ending: &Ending| ending.state.data.get("outcome").and_then(Value::as_str).unwrap_or("not ended").to_owned();
    let ended = endings.iter().all(|ending| ending.state.data.contains_key("outcome"));
    if context.json() {
        let rows: Vec<Value> = endings
            .iter()
            .zip(&EXAMPLES)
            .map(|(ending, example)| {
                json!({"lead": example.name, "lead_id": ending.state.lead_id, "stage": ending.state.current_stage,
                    "status": ending.state.status, "outcome": outcome(ending), "folder": folder(ending),
                    "next_action": ending.state.next_action})
            })
            .collect();
        out.print_json(&json!({"ended": ended, "leads": rows}));
    } else {
        let rows: Vec<Vec<String>> = endings
            .iter()
            .zip(&EXAMPLES)
            .map(|(ending, example)| {
                vec![
                    example.name.to_owned(),
                    ending.state.current_stage.to_string(),
                    ending.state.status.name().to_owned(),
                    outcome(ending),
                    ending.artifacts.len().to_string(),
                    folder(ending).display().to_string(),
                ]
            })
            .collect();
        out.print("");
        out.table(&["LEAD", "STAGE", "STATUS", "OUTCOME", "FILES", "FOLDER"], &rows);
        out.print(&format!("\nMails that would have left: {}/outbox/*.eml", args.folder.display()));
        out.print(&format!("Look around: max --root {0} up   then   max --root {0} lead list", args.folder.display()));
    }
    if ended {
        return Exit::Done;
    }
    for ending in endings.iter().filter(|ending| !ending.state.data.contains_key("outcome")) {
        let stuck = format!("not ended: {} ({})", ending.state.lead_id, short(&ending.state.next_action, 160));
        out.say(&out.paint(Style::Red, &stuck));
    }
    Exit::Failed
}

/// Keeps an earlier demo under another name.
fn set_aside(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(None);
    }
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "max-demo".into());
    let aside = (0..100u32)
        .map(|n| if n == 0 { format!("{name}-{stamp}") } else { format!("{name}-{stamp}-{n}") })
        .map(|name| folder.with_file_name(name))
        .find(|path| !path.exists());
    let Some(aside) = aside else {
        return Err(Failure::failed("too many earlier demos; remove some max-demo-* folders"));
    };
    std::fs::rename(folder, &aside).map_err(|error| Failure::file("keeping aside", folder, &error))?;
    Ok(Some(aside))
}
