//! The frame of every page, and the small parts that pages share.

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use max_core::lead::{Approval, ApprovalKind, Status};
use max_core::rules::Weight;
use max_core::stages::{Finding, Next};

use crate::api::App;
use crate::wire::PendingApproval;

/// What a page may load and where its forms may go: its own.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                          img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page with its frame and its headers.
pub fn page(app: &App, title: &str, body: &Markup) -> Response {
    let playbook_only = app.state.mode == "playbook";
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · " (app.state.agency) " · MAX" }
                link rel="stylesheet" href="/assets/app.css";
                link rel="icon" href="data:,";
                script src="/assets/app.js" defer {}
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" {
                    a class="home" href="/" { "MAX" }
                    span class="agency" { (app.state.agency) }
                    nav aria-label="Pages" {
                        a href="/" { "Status" }
                        a href="/docs" { "HTTP" }
                    }
                    button type="button" id="pause" hidden { "Pause updates" }
                }
                @if playbook_only {
                    p class="banner" role="note" {
                        strong { "Playbook only. " }
                        "No model voice is enabled: MAX works by rules and templates, and everything it writes is marked so. "
                        code { "max doctor" } " says how to enable voices."
                    }
                }
                main id="main" tabindex="-1" { (body) }
                p id="news" class="quiet" role="status" aria-live="polite" {}
                footer class="quiet" { "MAX " (app.state.version) }
            }
        }
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (headers, markup).into_response()
}

/// A moment, exact for programs and short for people.
pub fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M")) " UTC" } }
}

/// A status as a word with a shape, so that colour alone tells nothing.
pub fn status(status: Status) -> Markup {
    let (class, sign) = match status {
        Status::InProgress => ("going", "▸"),
        Status::AwaitingHuman => ("waiting", "◆"),
        Status::Completed => ("done", "✓"),
        Status::Escalated => ("alarm", "!"),
        Status::Failed => ("alarm", "✕"),
    };
    html! { span class={"status " (class)} { span aria-hidden="true" { (sign) " " } (status.name().replace('_', " ")) } }
}

/// What will happen when somebody says yes, exactly, and the two buttons. Without a session the buttons are missing.
pub fn approval_card(pending: &PendingApproval, csrf: Option<&str>) -> Markup {
    let PendingApproval { approval, lead_id, lead_name } = pending;
    html! {
        article class="card needs" id={"approval-" (approval.id)} {
            h3 { a href={"/leads/" (lead_id)} { (lead_name) } ": " (approval.title) }
            p class="quiet" {
                (approval.stage) " · asked " (moment(approval.requested_at)) " · due " (moment(approval.due_at))
            }
            p { strong { "On approval: " } (consequence(approval.kind, &approval.then)) }
            @if approval.outgoing.is_empty() { p { "No message goes out." } }
            @for draft in &approval.outgoing {
                details open {
                    summary { "Goes to the client: " (draft.subject) }
                    @if !draft.attachments.is_empty() { p { "With " (draft.attachments.join(", ")) } }
                    pre class="letter" { (draft.body) }
                    @if !draft.written_by.is_empty() { p class="quiet" { "Written by: " (draft.written_by) } }
                }
            }
            @if !approval.artifacts.is_empty() {
                p { "Concerns " }
                ul class="files" {
                    @for artifact in &approval.artifacts {
                        li {
                            a href={"/api/leads/" (lead_id) "/artifacts/" (artifact.stage.folder()) "/" (artifact.name)} {
                                (artifact.name)
                            }
                            " (version " (artifact.version) ")"
                        }
                    }
                }
            }
            (findings(approval, csrf))
            @if let Some(csrf) = csrf {
                form method="post" action={"/approvals/" (approval.id)} {
                    input type="hidden" name="csrf" value=(csrf);
                    input type="hidden" name="payload_sha256" value=(approval.payload_sha256);
                    label {
                        "Reason (needed to reject)"
                        input type="text" name="reason" maxlength="2000" autocomplete="off";
                    }
                    div class="buttons" {
                        button type="submit" name="decision" value="approve" class="yes" { "Approve" }
                        button type="submit" name="decision" value="reject" class="no" { "Reject" }
                    }
                }
            }
        }
    }
}

/// What checks found in what is decided, each with its way out.
fn findings(approval: &Approval, csrf: Option<&str>) -> Markup {
    let blocking = approval.blocking().count();
    html! {
        @if !approval.findings.is_empty() {
            section aria-label="Findings" class="findings" {
                p { strong {
                    @match blocking {
                        0 => { "Nothing blocks the approval. Worth knowing:" }
                        1 => { "1 finding blocks the approval: waive it with a reason, or reject." }
                        n => { (n) " findings block the approval: waive each with a reason, or reject." }
                    }
                } }
                ul { @for finding in &approval.findings { li { (one_finding(approval, finding, csrf)) } } }
            }
        }
    }
}

fn one_finding(approval: &Approval, finding: &Finding, csrf: Option<&str>) -> Markup {
    let waiver = approval.waived.iter().find(|w| w.rule == finding.rule && w.place == finding.place);
    let blocks = finding.weight == Weight::Blocks && waiver.is_none();
    html! {
        p class=[blocks.then_some("alarm")] {
            strong { (finding.rule) } " " (if waiver.is_some() { "waived" } else { finding.weight.name() }) ": "
            (finding.detail)
            @if !finding.place.is_empty() { " (" code { (finding.place) } ")" }
        }
        @if !finding.remedy.is_empty() { p class="quiet" { "To mend it: " (finding.remedy) } }
        @if let Some(waiver) = waiver {
            p class="quiet" { "Waived by " (waiver.by) " · " (moment(waiver.at)) ": " (waiver.reason) }
        }
        @if let Some(csrf) = csrf.filter(|_| blocks) {
            form method="post" action={"/approvals/" (approval.id) "/waive"} {
                input type="hidden" name="csrf" value=(csrf);
                input type="hidden" name="rule" value=(finding.rule);
                input type="hidden" name="place" value=(finding.place);
                label {
                    "Why this may go out all the same"
                    input type="text" name="reason" maxlength="2000" autocomplete="off" required;
                }
                button type="submit" { "Waive " (finding.rule) }
            }
        }
    }
}

/// What follows on a yes, in a sentence.
fn consequence(kind: ApprovalKind, then: &Next) -> String {
    match then {
        Next::Advance => "the lead goes on to the next stage.".into(),
        Next::Continue => "the stage goes on.".into(),
        Next::AskClient { ask } => format!("MAX waits for the client's {}.", ask.sentence()),
        Next::Approve { title, .. } => format!("the next question is asked: {title}."),
        Next::Close { outcome, reason } => format!("the lead is closed as {}: {reason}.", outcome.name()),
        Next::Escalate { reason } => format!("a person looks at it: {reason} ({}).", kind.name()),
    }
}
