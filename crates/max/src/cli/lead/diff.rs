//! `max lead diff`: what changed in a document.

use super::Context;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::ArtifactList;

/// Show what changed between two versions of a document
///
/// PATH is a file of the lead's folder as `max lead show` lists it. Without --from the newest version is compared with
/// the one before.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead diff shop-17 stage-3-scoping/scope.md
  max lead diff shop-17 stage-5-closer/proposal.pdf --from 1 --to 3
  max lead diff shop-17 stage-3-scoping/scope.md --json | jq .changes")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// The document's path
    path: String,
    /// The older version [default: the one before]
    #[arg(long, value_name = "VERSION")]
    from: Option<u32>,
    /// The newer version [default: the newest]
    #[arg(long, value_name = "VERSION")]
    to: Option<u32>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let path: Vec<String> = args.path.split('/').map(segment).collect();
    let base = format!("/api/leads/{}/artifacts", segment(&args.lead));
    let from = match (args.from, args.to) {
        (Some(from), _) => from,
        (None, Some(to)) => to.saturating_sub(1).max(1),
        (None, None) => {
            let list = client.get(&base).await?.read::<ArtifactList>()?;
            let newest = list.artifacts.iter().find(|a| a.path == args.path).map_or(1, |a| a.artifact.version);
            newest.saturating_sub(1).max(1)
        }
    };
    let to = args.to.map(|to| format!("&version={to}")).unwrap_or_default();
    let url = format!("{base}/{}?diff={from}{to}", path.join("/"));
    if context.json() {
        context.output.print_json(&client.get(&format!("{url}&as=json")).await?.body);
    } else {
        let text = client.bytes(&format!("{url}&as=markdown")).await?;
        context.output.print(String::from_utf8_lossy(&text).trim_end());
    }
    Ok(Exit::Done)
}
