//! `/openapi.json` and `/docs`. Paths come from the annotations of the handlers, schemas from the types themselves
//! (`schemars`), so the document cannot say something else than the code.

use maud::{DOCTYPE, Markup, html};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::wire;

/// Finishes the document: schemas, security, and the problems that every endpoint can answer with.
pub fn complete(paths: utoipa::openapi::OpenApi, version: &str) -> String {
    let mut document = serde_json::to_value(paths).unwrap_or_default();
    document["info"] = json!({
        "title": "MAX",
        "version": version,
        "description": "MAX takes an agency's client from first contact to signed-off project. Errors are RFC 9457 \
                        problem documents; any POST takes an `Idempotency-Key`.",
        "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
    });
    document["components"] = json!({
        "schemas": schemas(),
        "parameters": {"IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": IDEMPOTENCY,
        }},
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "max_<id>_<secret>"},
            "session": {"type": "apiKey", "in": "cookie", "name": super::auth::COOKIE_NAME},
        },
    });
    document["security"] = json!([{"token": []}, {"session": []}]);
    document["tags"] = json!(TAGS.map(|(name, description)| json!({"name": name, "description": description})));
    if let Some(paths) = document["paths"].as_object_mut() {
        *paths = std::mem::take(paths).into_iter().map(|(path, item)| finished(path, item)).collect();
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

const IDEMPOTENCY: &str = "Under one key a request is carried out once, however often it is sent. A second copy is \
                           answered with the lead as it is now, or with the first answer (but for secrets, which are \
                           shown once) and `Idempotent-Replayed: true`; the same key with another request is a 409. \
                           A request that is refused leaves its key free.";

const TAGS: [(&str, &str); 9] = [
    ("leads", "Leads: in, on, and what they hold"),
    ("people", "What waits for a person"),
    ("agents", "The Eidolons"),
    ("signals", "Signals and wake-ups"),
    ("tasks", "Work for Eidolons on other machines"),
    ("events", "What happens, live"),
    ("owner", "Tokens, imports, backups, the clock"),
    ("operations", "For operators and their tools"),
    ("pages", "For browsers"),
];

/// Writes `{*path}` the way OpenAPI does, and adds the problems that need no word at each handler.
fn finished(path: String, mut item: Value) -> (String, Value) {
    for (method, operation) in item.as_object_mut().into_iter().flatten() {
        if method == "post"
            && let Some(operation) = operation.as_object_mut()
            && let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()
        {
            parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
        }
        let open = operation.get("security").is_some_and(|s| *s == json!([{}]));
        let takes_body = operation.get("requestBody").is_some();
        let has_variable = path.contains('{');
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        let mut add = |status: &str, description: &str| {
            let problem = json!({
                "description": description,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            });
            responses.entry(status).or_insert(problem);
        };
        if takes_body {
            add("400", "The body cannot be read");
            add("413", "The body is too large");
            add("415", "The body is of another kind");
            add("422", "A field is wrong");
        }
        if has_variable {
            add("404", "There is no such thing");
        }
        if !open {
            add("401", "No token, or an unknown one");
            add("403", "The token lacks a scope");
            add("429", "Too many requests with one token");
        }
        add("default", "Any other problem");
        problems_by_their_name(responses);
    }
    (path.replace("{*", "{"), item)
}

/// Problem documents have a media type of their own.
fn problems_by_their_name(responses: &mut Map<String, Value>) {
    for response in responses.values_mut() {
        let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { continue };
        let is_problem = content
            .get("application/json")
            .is_some_and(|c| c["schema"]["$ref"] == json!("#/components/schemas/ProblemDocument"));
        if is_problem && let Some(problem) = content.shift_remove("application/json") {
            content.insert(super::problem::PROBLEM_JSON.into(), problem);
        }
    }
}

/// Every type that travels, by name.
fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.definitions_path = "/components/schemas".into();
        s.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let add = &mut schemas;
    // requests
    named::<max_core::lead::NewLead>(add);
    named::<max_core::signal::Signal>(add);
    named::<wire::Nothing>(add);
    named::<wire::Handoff>(add);
    named::<wire::NewMessage>(add);
    named::<wire::Sign>(add);
    named::<wire::RecordDeposit>(add);
    named::<wire::MarkStep>(add);
    named::<wire::Because>(add);
    named::<wire::CloseLead>(add);
    named::<wire::DecideApproval>(add);
    named::<wire::WaiveFinding>(add);
    named::<wire::DecideEscalation>(add);
    named::<wire::ClaimTask>(add);
    named::<wire::RenewTask>(add);
    named::<wire::SubmitTask>(add);
    named::<wire::FailTask>(add);
    named::<wire::NewSapWave>(add);
    named::<wire::NewToken>(add);
    named::<wire::ImportLead>(add);
    named::<wire::BackupTo>(add);
    named::<wire::MoveClock>(add);
    named::<wire::RequestErasure>(add);
    named::<wire::RecordConsent>(add);
    named::<wire::NewSuppression>(add);
    // answers
    named::<wire::ProblemDocument>(add);
    named::<max_core::lead::ClientState>(add);
    named::<wire::LeadList>(add);
    named::<wire::LeadView>(add);
    named::<wire::FindingList>(add);
    named::<max_core::trace::Trace>(add);
    named::<wire::RunList>(add);
    named::<wire::EventList>(add);
    named::<wire::LiveEvent>(add);
    named::<wire::MessageList>(add);
    named::<wire::MessageTaken>(add);
    named::<wire::ArtifactList>(add);
    named::<wire::ApprovalList>(add);
    named::<wire::ApprovalView>(add);
    named::<wire::EscalationList>(add);
    named::<wire::SignalRouted>(add);
    named::<wire::SignalList>(add);
    named::<wire::TaskList>(add);
    named::<wire::Claimed>(add);
    named::<wire::SapWaveList>(add);
    named::<wire::SapWaveView>(add);
    named::<wire::TokenList>(add);
    named::<wire::TokenMade>(add);
    named::<wire::SignInLink>(add);
    named::<wire::BackupDone>(add);
    named::<wire::Rebuilt>(add);
    named::<wire::Settled>(add);
    named::<wire::ClockView>(add);
    named::<wire::AgentsHealth>(add);
    named::<wire::ErasurePreview>(add);
    named::<wire::SuppressionList>(add);
    named::<wire::SuppressionView>(add);
    schemas.take_definitions(true)
}

fn named<T: JsonSchema>(generator: &mut SchemaGenerator) {
    let _ = generator.subschema_for::<T>();
}

/// The document as one page that needs nothing else.
pub fn page(document: &str) -> Markup {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let none = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&none);
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "MAX: the HTTP interface" }
                link rel="stylesheet" href="/assets/app.css";
            }
            body {
                header class="top" { a class="home" href="/" { "MAX" } span { "the HTTP interface" } }
                main {
                    h1 { "The HTTP interface" }
                    p { (text(&document["info"]["description"])) " The document itself: "
                        a href="/openapi.json" { "/openapi.json" } "." }
                    p { "Send " code { "Authorization: Bearer <token>" } ", except where it says “open”. Scopes: ingest, "
                        "read, operate, admin (each includes those before it; ingest alone reads nothing), and "
                        code { "eidolon:<id>" } " for tasks." }
                    @for (name, about) in TAGS {
                        @let mine = operations(paths, name);
                        @if !mine.is_empty() {
                            h2 id=(name) { (about) }
                            @for (path, method, operation) in mine { (operation_card(path, method, operation)) }
                        }
                    }
                    h2 id="problems" { "Problems" }
                    (problem_kinds())
                    h2 id="schemas" { "Types" }
                    @for (name, schema) in schemas {
                        details id=(format!("schema-{name}")) {
                            summary { code { (name) } " " (text(&schema["description"])) }
                            pre { (serde_json::to_string_pretty(schema).unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

fn operations<'a>(paths: &'a Map<String, Value>, tag: &str) -> Vec<(&'a str, &'a str, &'a Value)> {
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(|(_, _, operation)| operation["tags"][0] == tag).collect()
}

fn operation_card(path: &str, method: &str, operation: &Value) -> Markup {
    let open = operation["security"] == json!([{}]);
    let none = Map::new();
    let responses = operation["responses"].as_object().unwrap_or(&none);
    html! {
        details id=(text(&operation["operationId"])) {
            summary {
                strong { (method.to_uppercase()) } " " code { (path) }
                @if open { " " span class="tag" { "open" } }
                " " (text(&operation["summary"]))
            }
            @if let Some(more) = operation["description"].as_str() { p { (more) } }
            @if let Some(parameters) = operation["parameters"].as_array() {
                dl {
                    @for parameter in parameters.iter().filter(|parameter| parameter["name"].is_string()) {
                        dt { code { (text(&parameter["name"])) } " (" (text(&parameter["in"])) ")" }
                        dd { (text(&parameter["description"])) }
                    }
                }
            }
            @if let Some(body) = reference(&operation["requestBody"]) { p { "Body: " (schema_link(&body)) } }
            dl {
                @for (status, response) in responses {
                    dt { code { (status) } }
                    dd {
                        (text(&response["description"]))
                        @if let Some(name) = reference(response) { ": " (schema_link(&name)) }
                    }
                }
            }
        }
    }
}

fn problem_kinds() -> Markup {
    let kinds = [
        ("bad-request", "400", "What was sent cannot be read at all."),
        ("unauthorized", "401", "There is no token, or it is unknown or revoked."),
        ("forbidden", "403", "The token lacks a scope, or the request came from another page."),
        ("not-found", "404", "What was named does not exist."),
        ("method", "405", "The address does not know this method."),
        ("conflict", "409", "The state forbids it; `allowed` says what is possible."),
        ("too-large", "413", "The body is larger than 1 MiB."),
        ("media-type", "415", "The body is of another kind than the endpoint reads."),
        ("invalid", "422", "A value is wrong; `field` names it, `findings` say what checks found."),
        ("too-many-requests", "429", "Wait as long as `Retry-After` says."),
        ("internal", "500", "A fault of MAX; the server's log says more."),
        ("unavailable", "503", "It may work later; `Retry-After` says when to ask."),
    ];
    html! {
        dl {
            @for (kind, status, about) in kinds {
                dt id=(kind) { code { (status) } " " (kind) }
                dd { (about) }
            }
        }
    }
}

fn schema_link(name: &str) -> Markup {
    html! { a href=(format!("#schema-{name}")) { code { (name) } } }
}

/// The name of the schema that a body refers to.
fn reference(body: &Value) -> Option<String> {
    let content = body["content"].as_object()?.values().next()?;
    content["schema"]["$ref"].as_str()?.rsplit('/').next().map(str::to_owned)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
