//! The status page: what needs a person first, then the board, the leads, and how the Eidolons are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use max_core::lead::Status;
use max_core::stage::Stage;
use max_engine::ports::LeadFilter;
use serde::Deserialize;

use super::layout::{approval_card, moment, page, status};
use super::session::{Visitor, failed};
use crate::api::problem::Problem;
use crate::api::{App, agents, approvals, escalations, input::Params};
use crate::wire::{AgentsHealth, EscalationView, LeadRow, PendingApproval, VoiceState};

/// How many leads a page shows.
const ROWS: usize = 50;
/// How many approvals are shown with all they would do.
const CARDS: usize = 20;

/// Which leads to show.
#[derive(Debug, Default, Deserialize)]
pub struct Query {
    stage: Option<String>,
    status: Option<String>,
    q: Option<String>,
    cursor: Option<String>,
}

type Counts = Vec<(Stage, Status, u64)>;

/// The status page.
pub async fn home(State(app): State<Arc<App>>, visitor: Visitor, query: Result<Params<Query>, Problem>) -> Response {
    match render(&app, &visitor, query).await {
        Ok(body) => page(&app, "Status", &body),
        Err(problem) => failed(&app, &problem),
    }
}

async fn render(app: &App, visitor: &Visitor, query: Result<Params<Query>, Problem>) -> Result<Markup, Problem> {
    let Params(query) = query?;
    let counts: Counts = app.state.director.read(|store| store.counts()).await?;
    let approvals = approvals::pending(app).await?;
    let escalations = escalations::open(app).await?;
    let filter = filter(app, &query)?;
    let leads = app.state.director.read(move |store| store.list(&filter)).await?;
    let rows: Vec<LeadRow> = leads.rows;
    let health = agents::of(app);
    let total: u64 = counts.iter().map(|(_, _, n)| n).sum();
    Ok(html! {
        h1 { "Status" }
        div id="live" data-live {
            @if total == 0 {
                (welcome())
            } @else {
                (figures(&counts, approvals.len() + escalations.len()))
                (needs_you(&approvals, &escalations, visitor))
                (board(app, &counts))
                (lead_table(&rows, &query, leads.next.as_deref()))
            }
            (eidolons(&health))
        }
    })
}

fn filter(app: &App, query: &Query) -> Result<LeadFilter, Problem> {
    let given = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    let stage = given(&query.stage).map(|text| app.stage("stage", &text)).transpose()?;
    let status = given(&query.status).and_then(|text| Status::ALL.into_iter().find(|s| s.name() == text));
    Ok(LeadFilter { stage, status, search: given(&query.q), cursor: given(&query.cursor), limit: ROWS })
}

fn welcome() -> Markup {
    html! {
        section class="card" {
            h2 { "No lead has come in yet" }
            p { "Leads appear here with their stage and what happens next. Bring the first one in:" }
            pre { "max lead add --name \"Ada Lovelace\" --email ada@example.org \\\n  --message \"We need a booking page for our studio.\"" }
            p { "or send one from your web site to " code { "POST /api/ingest-lead" } " (" a href="/docs#ingest_lead" { "how" } "). "
                code { "max demo" } " plays a few through all seven stages, apart from your data." }
        }
    }
}

fn figures(counts: &Counts, waiting: usize) -> Markup {
    let of = |wanted: Status| counts.iter().filter(|(_, s, _)| *s == wanted).map(|(_, _, n)| n).sum::<u64>();
    html! {
        dl class="figures" {
            div { dt { "Waiting for you" } dd { a href="#needs-you" { (waiting) } } }
            @for one in Status::ALL {
                div { dt { (status(one)) } dd { a href={"/?status=" (one.name())} { (of(one)) } } }
            }
        }
    }
}

fn needs_you(approvals: &[PendingApproval], escalations: &[EscalationView], visitor: &Visitor) -> Markup {
    html! {
        section aria-labelledby="needs-you" {
            h2 id="needs-you" { "Needs you" }
            @if approvals.is_empty() && escalations.is_empty() {
                p class="quiet" { "Nothing waits for a decision. New questions appear here; until then there is nothing to do." }
            }
            @for one in escalations {
                article class="card alarm" {
                    h3 { a href={"/leads/" (one.lead_id)} { (one.lead_name) } " is escalated" }
                    p { (one.escalation.reason) }
                    @if let Some(advice) = &one.escalation.recommendation {
                        p { strong { "The Core Orchestra recommends: " } (advice) }
                    }
                    p class="quiet" { "Since " (moment(one.escalation.at)) ". You may " (one.allowed.join("; ")) "." }
                }
            }
            @for one in approvals.iter().take(CARDS) { (approval_card(one, visitor.csrf())) }
            @if approvals.len() > CARDS {
                p { (approvals.len() - CARDS) " more follow when these are decided." }
            }
        }
    }
}

fn board(app: &App, counts: &Counts) -> Markup {
    html! {
        section aria-labelledby="board" {
            h2 id="board" { "The seven stages" }
            ol class="board" {
                @for stage in Stage::ALL {
                    @let here: Vec<(Status, u64)> =
                        counts.iter().filter(|(s, _, _)| *s == stage).map(|(_, status, n)| (*status, *n)).collect();
                    @let sum: u64 = here.iter().map(|(_, n)| n).sum();
                    li {
                        a href={"/?stage=" (stage)} { (stage) }
                        span class="persona" { (app.state.persona(stage.eidolon())) }
                        strong class="sum" { (sum) }
                        @for (one, n) in here { span { (status(one)) " " (n) } }
                    }
                }
            }
        }
    }
}

fn lead_table(rows: &[LeadRow], query: &Query, next: Option<&str>) -> Markup {
    let filtered =
        [&query.stage, &query.status, &query.q].into_iter().any(|f| f.as_ref().is_some_and(|t| !t.is_empty()));
    html! {
        section aria-labelledby="leads" {
            h2 id="leads" { "Leads" }
            form method="get" action="/" role="search" class="search" {
                label { "Name, company, address or reference"
                    input type="search" name="q" value=(query.q.as_deref().unwrap_or_default()); }
                button type="submit" { "Search" }
                @if filtered { a href="/" { "Show all" } }
            }
            @if rows.is_empty() {
                p { "No lead fits. " a href="/" { "Show all" } }
            } @else {
                ul class="leads" {
                    @for row in rows {
                        li class="card" {
                            h3 {
                                a href={"/leads/" (row.lead_id)} { (if row.name.is_empty() { &row.email } else { &row.name }) }
                                @if let Some(company) = &row.company { span class="quiet" { " · " (company) } }
                            }
                            p { (status(row.status)) " in " (row.current_stage)
                                @if let Some(outcome) = &row.outcome { " · " (outcome) } }
                            p { (row.next_action) }
                            p class="quiet" { "Changed " (moment(row.updated_at)) }
                        }
                    }
                }
            }
            @if let Some(next) = next {
                form method="get" action="/" {
                    @for (name, value) in [("stage", &query.stage), ("status", &query.status), ("q", &query.q)] {
                        @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                    }
                    input type="hidden" name="cursor" value=(next);
                    button type="submit" { "Older leads" }
                }
            }
        }
    }
}

fn eidolons(health: &AgentsHealth) -> Markup {
    html! {
        section aria-labelledby="eidolons" {
            h2 id="eidolons" { "Eidolons" }
            @if health.eidolons.is_empty() {
                p { "No Eidolon runs in this process. Start some with " code { "max eidolon <name>" } "." }
            } @else {
                div class="scroll" tabindex="0" role="region" aria-labelledby="eidolons" {
                    table {
                        thead { tr { th scope="col" { "Eidolon" } th scope="col" { "Work" } th scope="col" { "Voices" } } }
                        tbody {
                            @for one in &health.eidolons {
                                tr {
                                    th scope="row" { (one.persona) " " span class="quiet" { (one.eidolon) } }
                                    td { (one.load.ready) " ready, " (one.load.working) " in work, " (one.load.delayed) " delayed" }
                                    td { ul class="voices" { @for voice in &one.voices {
                                        li class=(voice_class(voice.state)) title=(voice.evidence) {
                                            (voice.voice) ": " (voice_word(voice.state))
                                        }
                                    } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn voice_word(state: VoiceState) -> &'static str {
    match state {
        VoiceState::Absent => "absent",
        VoiceState::Idle => "idle",
        VoiceState::Working => "working",
        VoiceState::Failing => "failing",
    }
}

fn voice_class(state: VoiceState) -> &'static str {
    match state {
        VoiceState::Absent => "quiet",
        VoiceState::Idle => "done",
        VoiceState::Working => "going",
        VoiceState::Failing => "alarm",
    }
}
