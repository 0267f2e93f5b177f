//! What both sides do after the signature, and what people decide, as it is seen over HTTP, on the pages and in a shell.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use jiff::civil::date;
use max_core::apply::apply;
use max_core::command::{Command, Request as Ask};
use max_core::event::{Entry, Event};
use max_core::id::{ApprovalId, Digest, LeadId, MessageId, TaskId};
use max_core::lead::{
    Actor, Approval, ApprovalKind, ClientAsk, ClientWait, IdentityCheck, NewLead, StageTransition, Wish,
};
use max_core::stage::Stage;
use max_core::stages::Next;
use max_engine::ports::{Seal, Store as _, Write};
use serde_json::{Value, json};

use crate::process;
use crate::support::{Answer, Max, Wishes, ada};

// ---- the words ---------------------------------------------------------------------------------------------------

fn at() -> jiff::Timestamp {
    "2026-11-23T09:00:00Z".parse().expect("a moment")
}

fn id(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

const LEAD: LeadId = LeadId(uuid::Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0077));

/// Writes an entry of this lead into the log, as the ledger would.
fn commit(max: &Max, events: Vec<Event>) {
    let before = max.store.lead(LEAD).expect("readable");
    let (chain, version) = before.as_ref().map_or((Digest([0; 32]), 1), |l| (l.chain, l.version + 1));
    let entry = Entry { lead: LEAD, version, at: at(), by: Actor::Director, signal_id: None, events };
    let payload = serde_json::to_vec(&entry.events).expect("events");
    let seal = Seal::new(chain, &entry, &payload);
    let mut after = apply(before, &entry).expect("a lead");
    after.chain = seal.chain;
    let write = Write { entry, seal, payload, after: Arc::new(after), wake_at: None, idempotency: None };
    max.store.commit(&[write]).expect("committed").into_iter().for_each(|one| assert!(one.is_ok()));
}

fn entered(stage: Stage) -> Event {
    let transition = StageTransition {
        from_stage: None,
        to_stage: stage,
        at: at(),
        by: Actor::Director,
        signal_id: None,
        summary: "it goes on".into(),
        data_path: None,
    };
    Event::StageEntered { transition, reason: None }
}

fn submitted(result: &str, value: Value) -> Event {
    Event::WorkSubmitted {
        task: TaskId(id(9)),
        attempt: 1,
        result: result.into(),
        value,
        artifacts: Vec::new(),
        summary: "done".into(),
        voice: "playbook".into(),
        instead_of: Vec::new(),
    }
}

/// A client who signed, and whose deposit of 1,000 EUR is waited for.
async fn owes_the_deposit() -> Max {
    let max = Max::start().await;
    let client = NewLead {
        name: "Ada Lovelace".into(),
        email: "ada@example.org".into(),
        message: "We need a page.".into(),
        locale: Some("en".into()),
        ..NewLead::default()
    };
    let then = Next::Advance;
    let approval = Approval {
        id: ApprovalId(id(3)),
        kind: ApprovalKind::Deposit,
        stage: Stage::Closer,
        task: TaskId(id(9)),
        title: "confirm that the deposit arrived".into(),
        artifacts: Vec::new(),
        outgoing: Vec::new(),
        payload_sha256: Approval::digest(ApprovalKind::Deposit, &[], &[], &then),
        then,
        requested_at: at(),
        due_at: at() + SignedDuration::from_hours(168),
        reminders: 0,
        findings: Vec::new(),
        waived: Vec::new(),
    };
    let document = Digest::of(b"the contract");
    let invoice = json!({
        "to": "Ada", "mail": "ada@example.org", "reference": "Booking page", "payment_reference": "D-ABC",
        "gross_minor": 100_000, "vat_minor": 0, "due": "2026-12-07",
    });
    let signed = json!({"deposit_minor": 100_000, "currency": "EUR", "invoice": invoice});
    commit(
        &max,
        vec![
            Event::LeadIngested { lead: Box::new(client), message: MessageId(id(1)) },
            entered(Stage::Closer),
            Event::DocumentSigned {
                document,
                signer: "Ada".into(),
                milestone: None,
                change_order: None,
                evidence: None,
            },
            submitted("contract_signed", signed),
            Event::ApprovalRequested { approval: Box::new(approval) },
        ],
    );
    max
}

async fn page(max: &Max) -> String {
    let answer = max.send(Request::builder().uri(max.state.portal.path(LEAD)).body(Body::empty()).expect("one")).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.text()
}

async fn post_form(max: &Max, path: &str, form: &[(&str, &str)]) -> Answer {
    let body = serde_urlencoded::to_string(form).expect("a form");
    let request = Request::builder().method("POST").uri(path);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    max.send(request.body(Body::from(body)).expect("a request")).await
}

fn hidden<'a>(page: &'a str, field: &str) -> &'a str {
    let value = page.split(&format!("name=\"{field}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{field} in {page}"));
    value.split('"').next().expect("a value")
}

/// The in-memory MAX on a port of its own, for programs.
async fn served(max: &Max) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = max.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn shell(max: &Max, server: &str, args: &[&str]) -> (bool, String) {
    let mut command = process::max();
    command.args(args).env("MAX_SERVER", server).env("MAX_TOKEN", &max.admin);
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("the command");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.success(), said)
}

// ---- the deposit -------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_payment_is_recorded_once_by_api_and_by_shell() {
    let max = owes_the_deposit().await;
    let shown = page(&max).await;
    assert!(shown.contains("1,000.00") && shown.contains("D-ABC"), "the client sees what to pay: {shown}");
    let path = format!("/api/leads/{LEAD}/deposit");
    let future = json!({"received_on": "2027-01-01"});
    assert_eq!(max.post(&path, future).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let server = served(&max).await;
    let lead = LEAD.to_string();
    let args = ["lead", "deposit", &lead, "--amount", "1000.00", "--reference", "statement 12/3", "--on", "2026-11-20"];
    let (done, said) = shell(&max, &server, &args).await;
    assert!(done, "{said}");
    let state = max.get(&format!("/api/status/{LEAD}")).await.json();
    assert_eq!(state["current_stage"], "Onboarding", "{state}");
    let version = max.get(&format!("/api/leads/{LEAD}")).await.json()["version"].clone();
    let again = max.post(&path, json!({"amount_minor": 100_000, "reference": "statement 12/3"})).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    assert_eq!(max.get(&format!("/api/leads/{LEAD}")).await.json()["version"], version, "nothing happens twice");
    let approval = max.get(&format!("/api/approvals/{}", id(3))).await.json();
    assert_eq!(approval["state"], "approved");
    let export = max.get(&format!("/api/leads/{LEAD}/export")).await.json();
    assert_eq!(export["deposit"]["reference"], "statement 12/3");
    assert!(page(&max).await.contains("The deposit has arrived"));
}

// ---- the client's own steps, and what lapsed ----------------------------------------------------------------------

fn step(number: u32, owner: &str) -> Value {
    json!({
        "id": format!("O-{number}"), "title": format!("step <b>{number}</b>"), "owner": owner, "state": "open",
        "undo": "ask again", "due": "2026-12-01", "instructions": "as agreed",
    })
}

#[tokio::test]
async fn the_client_marks_his_steps_on_his_page_and_people_theirs_in_a_shell() {
    let max = owes_the_deposit().await;
    let list = json!({"steps": [step(1, "client"), step(2, "agency")]});
    commit(&max, vec![entered(Stage::Onboarding), submitted("checklist", list)]);
    let shown = page(&max).await;
    assert!(shown.contains("O-1") && !shown.contains("O-2"), "only his own");
    assert!(shown.contains("step &lt;b&gt;1&lt;/b&gt;"), "words stay words");
    let path = format!("{}/steps", max.state.portal.path(LEAD));
    let form = shown.split(&format!("action=\"{path}\"")).nth(1).expect("the form").to_owned();
    let slip = hidden(&form, "slip");
    for wrong in [
        [("step", "O-1"), ("slip", "00"), ("proof", "it is there")],
        [("step", "O-2"), ("slip", slip), ("proof", "it is there")],
        [("step", "O-1"), ("slip", slip), ("proof", "  ")],
    ] {
        assert_eq!(post_form(&max, &path, &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    }
    let done = post_form(&max, &path, &[("step", "O-1"), ("slip", slip), ("proof", "Kim approves <i>all</i>")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let shown = page(&max).await;
    assert!(shown.contains("Kim approves &lt;i&gt;all&lt;/i&gt;") && !shown.contains(&path), "nothing is left to do");
    let server = served(&max).await;
    let lead = LEAD.to_string();
    let (marked, said) = shell(&max, &server, &["lead", "step", &lead, "O-2", "--proof", "booked"]).await;
    assert!(marked, "{said}");
    let (refused, said) = shell(&max, &server, &["lead", "step", &lead, "O-7", "--proof", "booked"]).await;
    assert!(!refused && said.contains("there are O-1, O-2"), "{said}");
    let steps = max.get(&format!("/api/leads/{LEAD}")).await.json()["steps"].clone();
    assert_eq!((&steps[0]["marked"]["by"], &steps[1]["proof"]), (&json!("client"), &json!("booked")), "{steps}");
}

#[tokio::test]
async fn a_change_order_that_lapsed_cannot_be_signed_and_the_page_says_so() {
    let max = owes_the_deposit().await;
    let wait = |ask| Event::ClientAwaited { wait: ClientWait { ask, since: at(), follow_ups: 0 } };
    let document = Digest::of(b"change order");
    commit(&max, vec![entered(Stage::DeliveryPM), wait(ClientAsk::ChangeOrder { number: 1, document })]);
    let shown = page(&max).await;
    assert!(!shown.contains("/sign\""), "nobody signs a file that was not sent to him");
    let view = max.get(&format!("/api/leads/{LEAD}")).await.json();
    assert_eq!(view["to_sign"]["what"], "change order CO-1");
    assert_eq!(view["to_sign"]["document"], document.to_string());
    let max = owes_the_deposit().await;
    let lapsed = Event::ChangeOrderLapsed { number: 1, valid_until: date(2026, 11, 20) };
    commit(&max, vec![entered(Stage::DeliveryPM), wait(ClientAsk::ChangeOrder { number: 1, document }), lapsed]);
    let shown = page(&max).await;
    assert!(shown.contains("No longer valid") && shown.contains("CO-1"), "{shown}");
    let view = max.get(&format!("/api/leads/{LEAD}")).await.json();
    assert_eq!((&view["lapsed_change_orders"]["1"], &view["to_sign"]), (&json!("2026-11-20"), &Value::Null));
    let sign = json!({"document": document, "signer": "Ada"});
    max.post(&format!("/api/leads/{LEAD}/sign"), sign).await.problem(409);
}

// ---- who asks about his data -------------------------------------------------------------------------------------

const TOKEN: &str = "c0ffee";

fn asked(wish: Wish) -> Event {
    let check = IdentityCheck {
        wish,
        token: Digest::of(TOKEN.as_bytes()),
        asked_at: at(),
        expires_at: at() + SignedDuration::from_hours(72),
        confirmed_at: None,
    };
    Event::IdentityAsked { check }
}

async fn look(max: &Max, path: &str) -> Answer {
    max.send(Request::builder().uri(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn looking_at_the_link_confirms_nothing_and_the_form_once_does() {
    let max = owes_the_deposit().await;
    commit(&max, vec![asked(Wish::Erasure)]);
    let path = format!("/p/confirm/{LEAD}/{TOKEN}");
    let nobody = look(&max, "/p/x").await;
    for wrong in [format!("/p/confirm/{LEAD}/other"), format!("/p/confirm/{}/{TOKEN}", id(5)), "/p/confirm/x/y".into()]
    {
        let answer = look(&max, &wrong).await;
        assert_eq!((answer.status, &answer.body, &answer.headers), (nobody.status, &nobody.body, &nobody.headers));
    }
    let shown = look(&max, &path).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.header("content-security-policy").contains("default-src 'none'"));
    assert!(!shown.text().contains("Ada"), "whoever opens it learns nothing");
    let restricted = || async { max.state.director.lead(LEAD).await.expect("a lead").lead.is_restricted() };
    assert!(!restricted().await, "a mail scanner opens links");
    assert_eq!(post_form(&max, &path, &[("slip", "00")]).await.status, StatusCode::NOT_FOUND);
    let text = shown.text();
    let slip = hidden(&text, "slip");
    assert_eq!(post_form(&max, &path, &[("slip", slip)]).await.status, StatusCode::SEE_OTHER);
    assert!(restricted().await, "from now on nothing automatic happens");
    let pending = max.get("/api/approvals").await.json();
    let erasure =
        pending["approvals"].as_array().expect("a list").iter().find(|a| a["kind"] == "erasure").expect("one");
    assert!(erasure["title"].as_str().is_some_and(|t| t.contains("it is known that it was the client")), "{erasure}");
    assert!(look(&max, &path).await.text().contains("It is confirmed that you asked"), "a person carries it out");
}

#[tokio::test]
async fn a_copy_is_handed_over_behind_the_link_and_nowhere_else() {
    let max = owes_the_deposit().await;
    commit(&max, vec![asked(Wish::Export)]);
    let path = format!("/p/confirm/{LEAD}/{TOKEN}");
    let text = look(&max, &path).await.text();
    assert!(!text.contains("ada@example.org"));
    let slip = hidden(&text, "slip");
    let json = post_form(&max, &path, &[("slip", slip), ("format", "json")]).await;
    assert!(json.header("content-disposition").starts_with("attachment"), "{:?}", json.headers);
    assert_eq!(json.json()["contact"]["email"], "ada@example.org");
    let html = post_form(&max, &path, &[("slip", slip), ("format", "html")]).await;
    assert!(html.text().starts_with("<!DOCTYPE html>") && html.text().contains("ada@example.org"), "both forms");
    assert!(!max.state.director.lead(LEAD).await.expect("a lead").lead.is_restricted());
}

// ---- approvals ---------------------------------------------------------------------------------------------------

/// A scope that waits for a person, with a letter that promises too much.
async fn blocked(max: &Max) -> Value {
    let import = json!({"lead": ada(), "stage": "Scoping"});
    assert_eq!(max.post("/api/import", import).await.status, StatusCode::CREATED);
    let (task, attempt) = max.claim("scoping").await;
    let submit = json!({
        "attempt": attempt, "summary": "the scope stands", "result": scope(),
        "files": [{"name": "scope.json", "text": "{}"}],
        "messages": [{"kind": "reply", "subject": "The scope", "body": "Here it is. It costs 9,999 EUR, we guarantee it."}],
    });
    let answer = max.post(&format!("/api/tasks/{task}/submit"), submit).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    max.get("/api/approvals").await.json()["approvals"][0].clone()
}

fn scope() -> Value {
    json!({
        "kind": "scope", "title": "Booking page", "goal": "people book a room", "out_of_scope": ["an app"],
        "assumptions": [], "client_duties": [],
        "deliverables": [{
            "id": "D-1", "name": "Booking page", "description": "The page with its bookings",
            "acceptance": "a booking arrives", "requirements": ["R-001"], "milestone": "first release",
        }],
        "open_questions": [{"id": "Q-1", "topic": "budget", "text": "What may it cost?"}],
        "wishes": [{"quote": "a booking page", "source": "lead", "met_by": ["R-001"]}],
        "requirements": [{
            "id": "R-001", "text": "A visitor books a room.", "priority": "must", "acceptance": "a booking arrives",
            "source": "lead", "quote": "a booking page", "effort_quarter_days": 8,
        }],
    })
}

#[tokio::test]
async fn what_blocks_is_waived_one_by_one_on_the_page_and_in_the_shell() {
    let max = Max::start().await;
    let pending = blocked(&max).await;
    let id = pending["id"].as_str().expect("an id").to_owned();
    let found: Vec<(String, String)> = pending["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|f| f["weight"] == "blocks")
        .map(|f| (f["rule"].as_str().expect("a rule").into(), f["place"].as_str().unwrap_or_default().into()))
        .collect();
    assert!(found.iter().any(|(rule, _)| rule == "OG-1") && found.iter().any(|(rule, _)| rule == "OG-4"), "{found:?}");
    let api = format!("/api/approvals/{id}");
    let yes = json!({"decision": "approve", "payload_sha256": pending["payload_sha256"]});
    let no = max.post(&api, yes.clone()).await.problem(409);
    assert!(no["findings"].as_array().is_some_and(|f| f.len() >= 2), "a yes is checked when it is carried out: {no}");

    // On the page, by a form that only the page can send, and only with a reason.
    let link = max.post("/api/login", json!({})).await.json()["path"].as_str().expect("a path").to_owned();
    let signed_in = look(&max, &link).await;
    let cookie = signed_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let with = |method: &str, path: &str| {
        Request::builder().method(method).uri(path).header("cookie", &cookie).header("host", "max.test")
    };
    let home = max.send(with("GET", "/").body(Body::empty()).expect("a request")).await.text();
    assert!(home.contains(&format!("/approvals/{id}/waive")) && home.contains("OG-1"), "the form stands on the page");
    let csrf = hidden(&home, "csrf").to_owned();
    let send = |csrf: &str, reason: &str| {
        let (rule, place) = &found[0];
        let form = [("csrf", csrf), ("rule", rule.as_str()), ("place", place.as_str()), ("reason", reason)];
        let body = serde_urlencoded::to_string(form).expect("a form");
        let request = with("POST", &format!("/approvals/{id}/waive")).header("origin", "http://max.test");
        request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).expect("a request")
    };
    assert_eq!(max.send(send("guess", "agreed by telephone")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(max.send(send(&csrf, " ")).await.status, StatusCode::UNPROCESSABLE_ENTITY, "why?");
    let done = max.send(send(&csrf, "agreed by telephone")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let waived = max.get(&api).await.json()["waived"].clone();
    assert_eq!((waived.as_array().map(Vec::len), &waived[0]["reason"]), (Some(1), &json!("agreed by telephone")));
    max.post(&api, yes.clone()).await.problem(409);

    // The others in a shell.
    let server = served(&max).await;
    for (rule, place) in &found[1..] {
        let args = ["approvals", "waive", &id, rule, "--place", place, "--reason", "it stands in the offer of May"];
        let (done, said) = shell(&max, &server, &args).await;
        assert!(done, "{said}");
    }
    let (shown, said) = shell(&max, &server, &["approvals", "show", &id]).await;
    assert!(shown && said.contains("waived by") && said.contains("agreed by telephone"), "{said}");
    assert_eq!(max.post(&api, yes).await.json()["current_stage"], "Orchestra");
}

#[tokio::test]
async fn a_word_of_the_client_voids_what_was_to_be_approved() {
    let max = Max::start().await;
    let pending = blocked(&max).await;
    let path = format!("/api/approvals/{}", pending["id"].as_str().expect("an id"));
    let word = json!({"body": "One more thing: the rooms have names."});
    assert_eq!(max.post("/api/leads/abc-123/messages", word).await.status, StatusCode::OK);
    let view = max.get(&path).await.json();
    assert_eq!(view["state"], "void", "{view}");
    let yes = json!({"decision": "approve", "payload_sha256": pending["payload_sha256"]});
    max.post(&path, yes).await.problem(404);
    let (task, attempt) = max.claim("scoping").await;
    let submit = json!({
        "attempt": attempt, "summary": "the scope stands", "result": scope(), "messages": [],
        "files": [{"name": "scope.json", "text": "{}"}],
    });
    max.post(&format!("/api/tasks/{task}/submit"), submit).await;
    let anew = max.get("/api/approvals").await.json()["approvals"][0].clone();
    assert!(anew["id"] != pending["id"] && anew["payload_sha256"] != pending["payload_sha256"], "asked for again");
}

#[tokio::test]
async fn nothing_is_approved_by_silence() {
    let max = Max::start_with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let pending = blocked(&max).await;
    let path = format!("/api/approvals/{}", pending["id"].as_str().expect("an id"));
    let (from, due): (jiff::Timestamp, jiff::Timestamp) = (
        pending["requested_at"].as_str().expect("when").parse().expect("a moment"),
        pending["due_at"].as_str().expect("when").parse().expect("a moment"),
    );
    let lead: LeadId = LeadId(pending["lead_id"].as_str().expect("an id").parse().expect("a UUID"));
    let wake = |at: jiff::Timestamp| {
        let max = &max;
        async move {
            let moved = max.post("/api/clock", json!({"at": at})).await;
            assert_eq!(moved.status, StatusCode::OK, "{}", moved.text());
            max.state.director.act(lead, Ask::new(Actor::Director, Command::Wake), None).await.expect("woken");
        }
    };
    let half = from + due.duration_since(from) / 2;
    wake(half - SignedDuration::from_secs(1)).await;
    assert_eq!(max.get(&path).await.json()["reminders"], 0, "not before half of the time");
    wake(half).await;
    assert_eq!(max.get(&path).await.json()["reminders"], 1);
    wake(due).await;
    let state = max.get("/api/status/abc-123").await.json();
    assert_eq!(state["status"], "escalated", "{state}");
    wake(due + SignedDuration::from_hours(24 * 60)).await;
    let view = max.get(&path).await.json();
    assert_eq!(
        (&view["state"], &view["decided"]),
        (&json!("pending"), &Value::Null),
        "it waits for as long as it takes"
    );
    let messages = max.get("/api/leads/abc-123/messages").await.json();
    let sent = messages["messages"].as_array().expect("a list").iter().filter(|m| m["direction"] == "out").count();
    assert_eq!(sent, 0, "and nothing has left the house");
}
