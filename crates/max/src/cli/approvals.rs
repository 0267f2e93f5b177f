//! `max approvals`: what waits for a person, exactly what will happen, and the decision.

mod sign;

use clap::Subcommand;
use max_core::lead::Approval;
use max_core::stages::Next;
use serde_json::json;

use super::Context;
use super::lead::show_state;
use super::output::{Style, indent, line, short};
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::{ApprovalList, ApprovalState, ApprovalView};

/// What waits for your decision
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what waits for a decision, oldest first
    #[command(after_help = "Example:\n  max approvals list")]
    List,
    Show(Show),
    Approve(Approve),
    Reject(Reject),
    Waive(Waive),
    Sign(sign::Sign),
}

/// Let an approval pass in spite of a finding that blocks it, and say why
///
/// The reason is recorded with your name. The waiver counts for this approval only: what is made again is checked again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max approvals waive 0197c6c4-… TR-1 --place R-003 --reason 'the client takes this one over himself'
  max approvals waive 0197c6c4-… X-2 --reason 'TODO is the name of his product'   where the rule was found once")]
pub struct Waive {
    /// The approval's id
    id: String,
    /// The finding's rule, as `max approvals show` names it
    rule: String,
    /// The finding's place; needed where the rule was found more than once
    #[arg(long)]
    place: Option<String>,
    /// Why this may go out all the same
    #[arg(long)]
    reason: String,
}

/// Show exactly what is decided: the messages as they would go out, and the files
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max approvals show 0197c6c4-…")]
pub struct Show {
    /// The approval's id, as `max approvals list` shows it
    id: String,
}

/// Approve: what was shown goes out
///
/// The decision carries the hash of what is shown here. If anything changes in between, it is refused and you look
/// again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max approvals approve 0197c6c4-…
  max approvals approve 0197c6c4-… --hash 3f5a…      exactly what you saw before, or nothing")]
pub struct Approve {
    /// The approval's id
    id: String,
    /// The hash of what you saw; refused when it has changed since
    #[arg(long, value_name = "SHA256")]
    hash: Option<String>,
    /// A remark for the record
    #[arg(long)]
    reason: Option<String>,
}

/// Reject, with what has to change; the stage works on it again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max approvals reject 0197c6c4-… --reason 'leave out R-004; R-002 is a Should'
  max approvals reject 0197c6c4-… --reason 'note: The texts come from you.'

The client never reads the reason, except what stands behind `note:`. The playbook carries out, of a scope:
`R-003 is a Should`, `leave out R-003`, `note: …`; of an offer: `no discount`, `10 % discount`, `round the total`;
of both, a mockup and a milestone: `once more`. Anything else comes back to a person.")]
pub struct Reject {
    /// The approval's id
    id: String,
    /// What has to change
    #[arg(long)]
    reason: String,
    /// The hash of what you saw; refused when it has changed since
    #[arg(long, value_name = "SHA256")]
    hash: Option<String>,
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::List => list(context).await,
        Command::Show(args) => show(&args, context).await,
        Command::Approve(args) => {
            decide(context, &args.id, "approve", args.hash.as_deref(), args.reason.as_deref()).await
        }
        Command::Reject(args) => decide(context, &args.id, "reject", args.hash.as_deref(), Some(&args.reason)).await,
        Command::Waive(args) => waive(&args, context).await,
        Command::Sign(args) => sign::run(&args, context).await,
    }
}

async fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get("/api/approvals").await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let list: ApprovalList = answer.read()?;
    if list.approvals.is_empty() {
        context.output.say("nothing waits for a decision");
    }
    let rows: Vec<Vec<String>> = list
        .approvals
        .iter()
        .map(|pending| {
            let approval = &pending.approval;
            vec![
                approval.id.to_string(),
                approval.kind.name().to_owned(),
                short(&pending.lead_name, 28),
                approval.due_at.strftime("%Y-%m-%d %H:%M").to_string(),
                short(&approval.title, 80),
            ]
        })
        .collect();
    context.output.table(&["APPROVAL", "KIND", "LEAD", "DUE (UTC)", "WHAT"], &rows);
    Ok(Exit::Done)
}

async fn show(args: &Show, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get(&format!("/api/approvals/{}", segment(&args.id))).await?;
    if context.json() {
        context.output.print_json(&answer.body);
    } else {
        let view: ApprovalView = answer.read()?;
        page(context, &view);
        if view.state == ApprovalState::Pending {
            context.output.print(&line(&format!("May be decided by: {}", view.approvers.join(", "))));
            let id = view.approval.id;
            context
                .output
                .say(&format!("decide: max approvals approve {id}   or   max approvals reject {id} --reason '…'"));
        }
    }
    Ok(Exit::Done)
}

async fn decide(
    context: &Context<'_>,
    id: &str,
    decision: &str,
    hash: Option<&str>,
    reason: Option<&str>,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    let path = format!("/api/approvals/{}", segment(id));
    let seen = client.get(&path).await?;
    let view: ApprovalView = seen.read()?;
    let now = view.approval.payload_sha256.to_string();
    if hash.is_some_and(|hash| hash != now) {
        return Err(Failure::new(Exit::Refused, format!("approval {id} is not what you saw: its hash is {now} now"))
            .hint(format!("look again with `max approvals show {id}`")));
    }
    if !context.json() && view.state == ApprovalState::Pending {
        page(context, &view);
        context.output.print("");
    }
    let mut body = json!({"decision": decision, "payload_sha256": now});
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    let answer = client.post(&path, &body).await?;
    show_state(context, &answer)
}

async fn waive(args: &Waive, context: &Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let path = format!("/api/approvals/{}", segment(&args.id));
    let view: ApprovalView = client.get(&path).await?.read()?;
    let place = match &args.place {
        Some(place) => place.clone(),
        None => only_place(&view.approval, &args.rule)?,
    };
    let body = json!({"rule": args.rule, "place": place, "reason": args.reason});
    let answer = client.post(&format!("{path}/waive"), &body).await?;
    show_state(context, &answer)
}

/// The place of the one finding of a rule.
fn only_place(approval: &Approval, rule: &str) -> Result<String, Failure> {
    let mut places: Vec<&str> = approval.findings.iter().filter(|f| f.rule == rule).map(|f| f.place.as_str()).collect();
    places.dedup();
    match places.as_slice() {
        [] => Ok(String::new()),
        [only] => Ok((*only).to_owned()),
        several => Err(Failure::new(Exit::Usage, format!("{rule} was found in {} places", several.len()))
            .hint(format!("name one with --place: {}", several.join(", ")))),
    }
}

/// What checks found, and what was waived.
fn findings(context: &Context<'_>, approval: &Approval) {
    let out = context.output;
    for finding in &approval.findings {
        let place = if finding.place.is_empty() { String::new() } else { format!(" at {}", line(&finding.place)) };
        let waiver = approval.waived.iter().find(|w| w.rule == finding.rule && w.place == finding.place);
        let weight = if waiver.is_some() { "waived" } else { finding.weight.name() };
        out.print(&format!("{} {weight}{place}: {}", out.paint(Style::Bold, &finding.rule), line(&finding.detail)));
        if !finding.remedy.is_empty() {
            out.print(&format!("  to mend it: {}", line(&finding.remedy)));
        }
        if let Some(waiver) = waiver {
            out.print(&line(&format!("  waived by {} at {}: {}", waiver.by, waiver.at, waiver.reason)));
        }
    }
}

/// What the person agrees to: everything that the hash covers.
fn page(context: &Context<'_>, view: &ApprovalView) {
    let out = context.output;
    let approval = &view.approval;
    out.print(&out.paint(Style::Bold, &line(&approval.title)));
    out.print(&format!("{} of {} for lead {}", approval.kind.name(), approval.stage, view.lead_id));
    out.print(&format!("asked {}, due {}", approval.requested_at, approval.due_at));
    if let Some(decided) = &view.decided {
        let why = decided.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let state = format!("{:?}", view.state).to_lowercase();
        let way = decided.through.map(|way| format!(" through {}", way.sentence())).unwrap_or_default();
        out.print(&line(&format!("{state} by {} at {}{way}{why}", decided.by, decided.at)));
    }
    findings(context, approval);
    for artifact in &approval.artifacts {
        out.print(&format!(
            "file {}/{} v{}, {} bytes, {}",
            artifact.stage.folder(),
            artifact.name,
            artifact.version,
            artifact.bytes,
            artifact.sha256
        ));
    }
    if approval.outgoing.is_empty() {
        out.print("No message goes out.");
    }
    for draft in &approval.outgoing {
        out.print(&format!("\n{} {}", out.paint(Style::Dim, "Subject:"), line(&draft.subject)));
        if !draft.attachments.is_empty() {
            out.print(&format!("{} {}", out.paint(Style::Dim, "With:"), line(&draft.attachments.join(", "))));
        }
        out.print(&format!("{}\n", indent(&draft.body, 2)));
    }
    out.print(&format!("then: {}", line(&sentence(&approval.then))));
    out.print(&format!("hash {}", approval.payload_sha256));
}

/// What follows on approval, in words.
fn sentence(next: &Next) -> String {
    match next {
        Next::Advance => "the lead goes on to the next stage".into(),
        Next::Continue => "the stage goes on".into(),
        Next::AskClient { ask } => format!("the lead waits for the client's {}", ask.sentence()),
        Next::Approve { title, .. } => format!("the next decision: {title}"),
        Next::Close { outcome, reason } => format!("the lead is closed as {}: {reason}", outcome.name()),
        Next::Escalate { reason } => format!("people are called: {reason}"),
    }
}
