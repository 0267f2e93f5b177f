//! The page of one lead, and the decision of an approval by a form.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use max_core::command::Request;
use max_core::lead::{Direction, Lead, Through};
use max_core::stages::onboarding::{Owner, Step, StepState};
use max_core::trace::{CellState, Column, Trace, trace};

use super::layout::{approval_card, moment, page, status};
use super::session::{Visitor, failed};
use crate::api::auth::{Scope, check_csrf};
use crate::api::input::Raw;
use crate::api::problem::Problem;
use crate::api::respond::At;
use crate::api::{App, approvals, events, leads};
use crate::wire::{
    ArtifactView, DecideApproval, EventView, LeadView, MessageView, PendingApproval, Verdict, WaiveFinding,
};

/// How many of the newest entries of the log are shown.
const ENTRIES: usize = 200;

/// The page of one lead.
pub async fn lead(State(app): State<Arc<App>>, visitor: Visitor, At(id): At<String>) -> Response {
    match render(&app, &visitor, &id).await {
        Ok((title, body)) => page(&app, &title, &body),
        Err(problem) => failed(&app, &problem),
    }
}

async fn render(app: &App, visitor: &Visitor, id: &str) -> Result<(String, Markup), Problem> {
    let cached = app.lead(id).await?;
    let lead = &cached.lead;
    let messages = app.state.director.messages(lead.id).await?;
    let messages: Vec<MessageView> = messages.into_iter().map(MessageView::from).collect();
    let after = lead.version.saturating_sub(ENTRIES as u64);
    let log = app.state.director.entries(lead.id, after, ENTRIES).await?;
    let facts: Vec<EventView> = log.iter().rev().flat_map(events::views).collect();
    let view = leads::view(lead);
    let title = lead.contact.display_name().to_owned();
    let body = html! {
        nav aria-label="Where you are" { a href="/" { "Status" } " › " (title) }
        h1 { (title) }
        div id="live" data-live {
            (facts_of(lead, &view))
            @if let Some(approval) = &view.approval {
                (approval_card(&PendingApproval {
                    approval: approval.clone(), lead_id: lead.id, lead_name: title.clone(),
                }, visitor.csrf()))
            }
            (steps(&view.steps))
            (trace_matrix(&trace(lead)))
            (conversation(&messages))
            (artifacts(&view.artifacts))
            (history(&view))
            (log_of(&facts))
        }
    };
    Ok((title, body))
}

fn facts_of(lead: &Lead, view: &LeadView) -> Markup {
    let contact = &lead.contact;
    let known = [
        ("Address", Some(contact.email.as_str()).filter(|e| !e.is_empty())),
        ("Telephone", contact.phone.as_deref()),
        ("Company", contact.company.as_deref()),
        ("Role", contact.role.as_deref()),
        ("Web site", contact.website.as_deref()),
        ("Budget", contact.budget.as_deref()),
        ("Timeline", contact.timeline.as_deref()),
        ("Source", contact.source.as_deref()),
        ("Reference", contact.external_ref.as_ref().map(|r| r.as_str())),
    ];
    html! {
        section class="card" aria-label="State" {
            p { (status(view.state.status)) " in " strong { (view.state.current_stage) } }
            p class="next" { (view.state.next_action) }
            @if let Some(escalation) = &view.escalation {
                p class="alarm" { "Escalated: " (escalation.reason) }
            }
            p class="quiet" { "You may " (view.allowed.join("; ")) "." }
            dl class="facts" {
                @for (name, value) in known {
                    @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
                }
                div { dt { "Came in" } dd { (moment(lead.created_at)) } }
                div { dt { "Lead" } dd { code { (lead.id) } } }
            }
        }
    }
}

/// The onboarding checklist as it stands: who does what, until when, and what shows that it is done.
fn steps(steps: &[Step]) -> Markup {
    html! {
        @if !steps.is_empty() {
            section aria-labelledby="steps" {
                h2 id="steps" { "Onboarding checklist" }
                div class="scroll" tabindex="0" role="region" aria-labelledby="steps" {
                    table {
                        thead { tr {
                            th scope="col" { "Step" } th scope="col" { "Who" } th scope="col" { "Due" } th scope="col" { "State" }
                        } }
                        tbody { @for step in steps { tr {
                            th scope="row" { (step.id) " " (step.title) }
                            td { (match step.owner { Owner::Max => "MAX", Owner::Agency => "the agency", Owner::Client => "the client" }) }
                            td { @if let Some(due) = step.due { (due) } }
                            td { @if step.state == StepState::Done { "✓ done: " (step.proof) } @else { "… open" } }
                        } } }
                    }
                }
            }
        }
    }
}

/// The trace as a table: each cell says how it stands in words, and where it leads.
fn trace_matrix(trace: &Trace) -> Markup {
    html! {
        section aria-labelledby="trace" {
            h2 id="trace" { "Trace: from the client's words to acceptance" }
            @if trace.rows.is_empty() {
                p class="quiet" { "There is no scope yet. Once there is, every requirement can be followed here." }
            } @else {
                p { @if trace.is_whole() { "Nothing is missing." } @else { strong class="alarm" { "Something is missing; it blocks approvals." } } }
                div class="scroll" tabindex="0" role="region" aria-labelledby="trace" {
                    table {
                        thead { tr {
                            th scope="col" { "Requirement" }
                            @for column in Column::ALL { th scope="col" { (column.name()) } }
                        } }
                        tbody { @for row in &trace.rows { tr {
                            th scope="row" { (row.requirement) " " span class="quiet" { (row.priority_name()) " · " (row.text) } }
                            @for cell in &row.cells { td class=[class_of(cell.state)] { (mark(cell.state)) " " (cell.note) } }
                        } } }
                    }
                }
                @if !trace.strays.is_empty() {
                    p { "Nobody asked for:" }
                    ul { @for stray in &trace.strays { li class="alarm" { "✗ " (stray.thing) ": " (stray.detail) } } }
                }
            }
        }
    }
}

/// How a cell stands, as a sign with its word: the colour only repeats it.
fn mark(state: CellState) -> &'static str {
    match state {
        CellState::Ok => "✓ ok:",
        CellState::Missing => "✗ missing:",
        CellState::NotYet => "… not yet:",
        CellState::Excused => "– excused:",
    }
}

fn class_of(state: CellState) -> Option<&'static str> {
    match state {
        CellState::Ok => Some("done"),
        CellState::Missing => Some("alarm"),
        CellState::NotYet | CellState::Excused => Some("quiet"),
    }
}

fn conversation(messages: &[MessageView]) -> Markup {
    html! {
        section aria-labelledby="conversation" {
            h2 id="conversation" { "Conversation" }
            @if messages.is_empty() { p class="quiet" { "Nobody has written yet." } }
            ol class="talk" {
                @for MessageView { message, delivery, note } in messages {
                    @let inward = message.direction == Direction::In;
                    li class={ "card " (if inward { "in" } else { "out" }) } {
                        p class="quiet" {
                            @if inward {
                                strong { "From the client" } " · not checked, treat as untrusted"
                                @if !message.verified { " · sender matched by address only" }
                            } @else {
                                strong { "To the client" } " · " (delivery_word(*delivery)) " · "
                                (message.written_by.as_deref().map_or_else(|| message.by.to_string(), |v| format!("by {v}")))
                            }
                            " · " (moment(message.at))
                        }
                        @if !message.subject.is_empty() { p { strong { (message.subject) } } }
                        pre class="letter" { (message.body) }
                        @if let Some(note) = note { p class="alarm" { (note) } }
                    }
                }
            }
        }
    }
}

fn delivery_word(delivery: max_core::lead::Delivery) -> &'static str {
    use max_core::lead::Delivery;
    match delivery {
        Delivery::Received => "received",
        Delivery::Queued => "waits to leave",
        Delivery::Sending => "is leaving",
        Delivery::Sent => "sent",
        Delivery::Held => "held",
        Delivery::Failed => "failed",
    }
}

fn artifacts(artifacts: &[ArtifactView]) -> Markup {
    html! {
        section aria-labelledby="artifacts" {
            h2 id="artifacts" { "Artifacts" }
            @if artifacts.is_empty() { p class="quiet" { "No stage has left a file yet; they appear here as the work goes on." } }
            ul class="files" {
                @for one in artifacts {
                    li {
                        a href=(one.url) { (one.path) }
                        span class="quiet" {
                            " version " (one.artifact.version) ", " (one.artifact.bytes) " bytes"
                            @if one.artifact.superseded { ", superseded" }
                        }
                        @if let Some(before) = one.artifact.version.checked_sub(1).filter(|v| *v > 0 && readable(&one.path)) {
                            " " a href=(format!("{}?diff={before}&as=html", one.url)) { "what changed since version " (before) }
                        }
                    }
                }
            }
        }
    }
}

/// One comparison per document: it is made from the Markdown, whatever the form.
fn readable(path: &str) -> bool {
    path.ends_with(".md")
}

fn history(view: &LeadView) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 id="history" { "History" }
            ol class="steps" {
                @for step in &view.state.history {
                    li { strong { (step.to_stage) } " " (step.summary)
                        span class="quiet" { " · " (step.by) " · " (moment(step.at)) } }
                }
            }
        }
    }
}

fn log_of(facts: &[EventView]) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 id="log" { "Everything that happened, newest first" }
            div class="scroll" tabindex="0" role="region" aria-labelledby="log" {
                table {
                    thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } } }
                    tbody {
                        @for fact in facts { tr { td { (moment(fact.at)) } td { (fact.by) } td { (fact.line) } } }
                    }
                }
            }
        }
    }
}

/// Where a form leads, or why it does not count.
fn go_to(app: &App, done: Result<String, Problem>) -> Response {
    match done {
        Ok(to) => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
        Err(problem) => failed(app, &problem),
    }
}

/// Decides an approval by a form: the session's CSRF token stands in a field of it.
pub async fn decide(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    At(id): At<String>,
    headers: HeaderMap,
    raw: Raw,
) -> Response {
    go_to(&app, decided(&app, &visitor, &id, &headers, &raw).await)
}

/// Waives a finding of an approval by a form, and shows the approval again.
pub async fn waive(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    At(id): At<String>,
    headers: HeaderMap,
    raw: Raw,
) -> Response {
    go_to(&app, waived(&app, &visitor, &id, &headers, &raw).await)
}

async fn decided(app: &App, visitor: &Visitor, id: &str, headers: &HeaderMap, raw: &Raw) -> Result<String, Problem> {
    let form = Form::read(visitor, headers, raw)?;
    let approval = approvals::parse(id)?;
    let decision = match form.field("decision") {
        Some("approve") => Verdict::Approve,
        Some("reject") => Verdict::Reject,
        _ => return Err(Problem::field("decision", "press Approve or Reject")),
    };
    let payload_sha256 = form.field("payload_sha256").unwrap_or_default();
    let payload_sha256 = payload_sha256.parse().map_err(|e| Problem::field("payload_sha256", e))?;
    let reason = form.field("reason").map(str::to_owned);
    let command = approvals::command(approval, DecideApproval { decision, payload_sha256, reason })?;
    let lead = app.state.director.lead_of_approval(approval).await?;
    let request = Request::new(visitor.principal.actor(), command);
    app.state.director.act(lead, request.having_seen(approvals::by_way_of(Through::Dashboard)), None).await?;
    Ok(format!("/leads/{lead}"))
}

async fn waived(app: &App, visitor: &Visitor, id: &str, headers: &HeaderMap, raw: &Raw) -> Result<String, Problem> {
    let form = Form::read(visitor, headers, raw)?;
    let approval = approvals::parse(id)?;
    let text = |name: &str| form.field(name).unwrap_or_default().to_owned();
    let waiver = WaiveFinding { rule: text("rule"), place: text("place"), reason: text("reason") };
    let lead = app.state.director.lead_of_approval(approval).await?;
    let request = Request::new(visitor.principal.actor(), approvals::waiver(approval, waiver)?);
    app.state.director.act(lead, request, None).await?;
    Ok(format!("/leads/{lead}#approval-{approval}"))
}

/// The fields of a form that a signed-in person sent from one of our own pages.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(visitor: &Visitor, headers: &HeaderMap, raw: &Raw) -> Result<Self, Problem> {
        let form = Self(raw.form()?);
        let session = visitor.session.as_ref().ok_or_else(|| Problem::unauthorized("sign in with a browser first"))?;
        check_csrf(headers, form.field("csrf"), session)?;
        visitor.principal.needs(Scope::Operate)?;
        Ok(form)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
