//! `POST /api/ingest-lead`: takes in what came about a potential client, as JSON or as a form post.
//!
//! Wrong types are refused with the field's name; what MAX does not know is kept under `data.lead.extra`, never lost.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use max_core::id::ExternalRef;
use max_core::lead::NewLead;
use max_engine::ledger::IngestedAs;
use serde_json::{Map, Value};

use super::AppState;
use super::auth::Ingest;
use super::input::{Kind, Raw};
use super::problem::Problem;

/// Takes in a lead. A name or an address, and a message, are enough; other fields are kept as they come.
#[utoipa::path(
    post, path = "/api/ingest-lead", tag = "leads", operation_id = "ingest_lead",
    request_body(content(
        (ref("#/components/schemas/NewLead") = "application/json"),
        (ref("#/components/schemas/NewLead") = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 201, description = "A new lead", body = ref("#/components/schemas/ClientState"), headers(("Location"))),
        (status = 200, description = "A repeat, or a further message of an open lead", body = ref("#/components/schemas/ClientState")),
        (status = 409, description = "The key or the reference was used for something else", body = ref("#/components/schemas/ProblemDocument")),
        (status = 413, description = "The body is too large", body = ref("#/components/schemas/ProblemDocument")),
        (status = 422, description = "A field is wrong", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn ingest_lead(State(app): AppState, caller: Ingest, raw: Raw) -> Result<Response, Problem> {
    let fields = match raw.kind() {
        Kind::Form => raw.form()?.into_iter().map(|(key, value)| (key, Value::String(value))).collect(),
        _ => raw.json::<Map<String, Value>>()?,
    };
    let lead = read_lead(fields)?;
    if lead.message.trim().is_empty() {
        return Err(Problem::field(
            "message",
            "say what the person wrote; a name or an address and a message are enough",
        ));
    }
    let once = raw.once();
    let ingested = app.state.director.ingest(lead, caller.actor(), None, once).await?;
    let status = if ingested.how == IngestedAs::New { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = app.state_of(&ingested.lead, status);
    if status == StatusCode::CREATED
        && let Ok(location) = HeaderValue::try_from(format!("/api/leads/{}", ingested.lead.id))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Reads a lead out of the fields that came.
///
/// # Errors
/// A problem that names the field with a wrong type or value.
pub fn read_lead(fields: Map<String, Value>) -> Result<NewLead, Problem> {
    let mut lead = NewLead::default();
    for (key, value) in fields {
        if value.is_null() {
            continue;
        }
        match key.as_str() {
            "name" => lead.name = displayable(&text(&key, value)?),
            "email" => lead.email = email(text(&key, value)?)?,
            "message" => lead.message = text(&key, value)?,
            "phone" => lead.phone = Some(text(&key, value)?),
            "company" => lead.company = Some(displayable(&text(&key, value)?)),
            "role" => lead.role = Some(displayable(&text(&key, value)?)),
            "website" => lead.website = Some(text(&key, value)?),
            "source" => lead.source = Some(text(&key, value)?),
            "locale" => lead.locale = Some(text(&key, value)?),
            "budget" => lead.budget = Some(text_or_number(&key, value)?),
            "timeline" => lead.timeline = Some(text(&key, value)?),
            "consent" => lead.consent = Some(value),
            "external_ref" => lead.external_ref = reference(text(&key, value)?)?,
            "extra" => match value {
                Value::Object(more) => lead.extra.extend(more),
                other => return Err(wrong_type("extra", "an object", &other)),
            },
            _ => drop(lead.extra.insert(key, value)),
        }
    }
    if lead.name.trim().is_empty() && lead.email.trim().is_empty() {
        return Err(Problem::field("email", "give a name or an email address"));
    }
    Ok(lead)
}

fn text(field: &str, value: Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(field, "text", &other)),
    }
}

fn text_or_number(field: &str, value: Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(wrong_type(field, "text or a number", &other)),
    }
}

fn wrong_type(field: &str, wanted: &str, got: &Value) -> Problem {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Problem::field(field, format!("this must be {wanted}, not {got}"))
}

/// A light check: what fails it cannot be answered. Whether the address works only a mail can tell.
fn email(text: String) -> Result<String, Problem> {
    if text.is_empty() {
        return Ok(text);
    }
    let parts: Vec<&str> = text.split('@').collect();
    let odd = text.chars().any(|c| c.is_whitespace() || c.is_control());
    match parts[..] {
        [local, domain] if !odd && !local.is_empty() && !domain.is_empty() => Ok(text),
        _ => Err(Problem::field("email", "this is no email address; write it as name@example.org")),
    }
}

/// An empty reference, as a form sends it, is none.
fn reference(text: String) -> Result<Option<ExternalRef>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    ExternalRef::try_from(text).map(Some).map_err(|e| Problem::field("external_ref", e))
}

/// Without what could garble a list or a terminal: control characters other than line break and tab.
fn displayable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
