//! `max approvals sign`: a decision as a file, for the drop box of a MAX that this shell cannot reach.

use std::path::{Path, PathBuf};

use max_core::id::{ApprovalId, Digest, SignalId};
use max_core::signal::{Signal, SignalType, file_name};
use max_engine::usecase::route_signal::ApprovalSlip;
use serde_json::json;

use super::super::Context;
use super::super::output::line;
use crate::approval_key::ApprovalKey;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::ApprovalView;

/// Write your decision as a signed signal file, for the drop box
///
/// Who may read <root>/run/approval.key may sign. The file counts for exactly one approval, one decision and what you
/// saw: edited, or after anything has changed, it is rejected. Taken in twice, it changes nothing the second time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max approvals sign 0197c6c4-… --approve                    into <root>/signals/: decided at once
  max approvals sign 0197c6c4-… --reject 'the shop is missing' --out decision.yaml
  max approvals sign 0197c6c4-… --approve --hash 3f5a…       without asking a server")]
#[command(group = clap::ArgGroup::new("decision").args(["approve", "reject"]).required(true))]
pub struct Sign {
    /// The approval's id, as `max approvals list` shows it
    id: ApprovalId,
    /// Agree: what was shown goes out
    #[arg(long)]
    approve: bool,
    /// Refuse, with what has to change
    #[arg(long, value_name = "REASON")]
    reject: Option<String>,
    /// A remark for the record
    #[arg(long, requires = "approve")]
    reason: Option<String>,
    /// The hash of what you saw; asked of the server when absent
    #[arg(long, value_name = "SHA256")]
    hash: Option<Digest>,
    /// Where the file goes; `-` prints it [default: a new file in <root>/signals/]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(args: &Sign, context: &Context<'_>) -> Result<Exit, Failure> {
    let key = key(context)?;
    let payload_sha256 = match args.hash {
        Some(hash) => hash,
        None => shown_now(args.id, context).await?,
    };
    let reason = args.reject.as_ref().or(args.reason.as_ref()).map(|text| text.trim().to_owned());
    if args.reject.is_some() && reason.as_deref() == Some("") {
        return Err(Failure::new(Exit::Usage, "a rejection needs a reason, so that the next try can be better"));
    }
    let mut slip = ApprovalSlip {
        approval: args.id,
        payload_sha256,
        decision: if args.approve { "approve" } else { "reject" }.into(),
        reason,
        signature: String::new(),
    };
    slip.signature = key.sign(&slip);
    let signal = signal(&slip)?;
    let text = context.launcher.signal_text(&signal);
    let file = match &args.out {
        Some(out) if out.as_os_str() == "-" => {
            context.output.print(text.trim_end());
            return Ok(Exit::Done);
        }
        Some(out) => out.clone(),
        None => {
            let id = signal.id.clone().unwrap_or_else(|| SignalId::from(args.id.0));
            let at = jiff::Timestamp::now();
            context.root.join("signals").join(file_name(at, signal.kind, &signal.from, &signal.to, &id))
        }
    };
    write(&file, &text)?;
    if context.json() {
        context.output.print_json(&json!({"file": file, "decision": slip.decision, "payload_sha256": payload_sha256}));
    } else {
        context.output.print(&line(&file.display().to_string()));
        if args.out.is_some() {
            context.output.say("put it into <root>/signals/ to decide");
        }
    }
    Ok(Exit::Done)
}

/// The key of this root. A root without one has no approvals; none is made here.
fn key(context: &Context<'_>) -> Result<ApprovalKey, Failure> {
    let file = context.root.join(ApprovalKey::FILE);
    if !file.exists() {
        let said = format!("there is no key {}", file.display());
        return Err(Failure::new(Exit::NotFound, said).hint("name the root with --root; `max up` makes its key"));
    }
    ApprovalKey::open(&context.root).map_err(|error| Failure::file("reading", &file, &error))
}

async fn shown_now(id: ApprovalId, context: &Context<'_>) -> Result<Digest, Failure> {
    let answer = context.get(&format!("/api/approvals/{}", segment(&id.to_string()))).await?;
    Ok(answer.read::<ApprovalView>()?.approval.payload_sha256)
}

/// The same decision is the same signal, so its id is made from the signature.
fn signal(slip: &ApprovalSlip) -> Result<Signal, Failure> {
    let mut signal = Signal::new(SignalType::Approval, "owner", "Director");
    let id = format!("approval-{}", slip.signature.get(..32).unwrap_or(&slip.signature));
    signal.id = Some(SignalId::try_from(id).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?);
    let fields = [
        ("approval_id", Some(slip.approval.to_string())),
        ("payload_sha256", Some(slip.payload_sha256.to_string())),
        ("decision", Some(slip.decision.clone())),
        ("reason", slip.reason.clone()),
        ("signature", Some(slip.signature.clone())),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            signal.extra.insert(key.into(), json!(value));
        }
    }
    Ok(signal)
}

/// Whole or not at all: the drop box may look at any moment, and passes over names that begin with a dot.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| Failure::file("writing", file, error);
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = file.with_file_name(format!(".{name}.part"));
    std::fs::write(&beside, text).map_err(|error| failed(&error))?;
    std::fs::rename(&beside, file).map_err(|error| failed(&error))
}
