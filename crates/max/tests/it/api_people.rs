//! What people and their tools do with leads: lists, messages, approvals, escalations, tasks, signals, the owner's
//! doings and the pages.

use crate::support::{Answer, Max, Wishes, ada};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use max_app::api::auth::Scope;
use serde_json::{Value, json};

// ---- leads -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn leads_are_listed_filtered_and_paged() {
    let max = Max::start().await;
    max.ada().await;
    for name in ["Grace Hopper", "Katherine Johnson"] {
        max.post("/api/ingest-lead", json!({"name": name, "message": "A web site, please."})).await;
    }
    max.post("/api/handoff/abc-123", json!({})).await;
    let names = |answer: &Answer| -> Vec<String> {
        let list = answer.json();
        let leads = list["leads"].as_array().expect("a list").clone();
        leads.iter().map(|l| l["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&max.get("/api/leads").await).len(), 3);
    assert_eq!(names(&max.get("/api/leads?stage=first_responder").await), ["Ada Lovelace"]);
    assert_eq!(names(&max.get("/api/leads?q=HOPPER&status=in_progress").await), ["Grace Hopper"]);
    let first = max.get("/api/leads?limit=2").await;
    let next = first.json()["next"].as_str().expect("a cursor").to_owned();
    let second = max.get(&format!("/api/leads?limit=2&cursor={next}")).await;
    let mut all = names(&first);
    all.extend(names(&second));
    all.sort();
    assert_eq!(all, ["Ada Lovelace", "Grace Hopper", "Katherine Johnson"]);
    assert_eq!(second.json()["next"], Value::Null);
    for (query, field) in
        [("limit=0", "limit"), ("limit=x", "limit"), ("stage=Sales", "stage"), ("status=open", "status")]
    {
        assert_eq!(max.get(&format!("/api/leads?{query}")).await.problem(422)["field"], field);
    }
}

#[tokio::test]
async fn a_lead_is_shown_with_what_may_be_done() {
    let max = Max::start().await;
    max.ada().await;
    let view = max.get("/api/leads/abc-123").await.json();
    assert_eq!((&view["version"], &view["external_ref"], &view["messages"]), (&json!(1), &json!("abc-123"), &json!(1)));
    assert_eq!(view["task"]["eidolon"], "leadgen");
    assert!(view["allowed"].as_array().expect("a list").iter().any(|a| a == "take over"), "{view}");
    max.get("/api/leads/nobody").await.problem(404);
}

#[tokio::test]
async fn people_take_over_hand_back_escalate_retry_close_and_reopen() {
    let max = Max::start().await;
    max.ada().await;
    let act = async |what: &str, body: Value| max.post(&format!("/api/leads/abc-123/{what}"), body).await;
    assert_eq!(act("take-over", json!({})).await.json()["status"], "awaiting_human");
    assert_eq!(act("hand-back", json!({})).await.json()["status"], "in_progress");
    act("hand-back", json!({})).await.problem(409);
    assert_eq!(act("escalate", json!({})).await.problem(422)["field"], "reason");
    assert_eq!(act("escalate", json!({"reason": "the client is angry"})).await.json()["status"], "escalated");
    assert_eq!(act("retry", json!({})).await.json()["status"], "in_progress");
    assert_eq!(act("close", json!({"outcome": "gone", "reason": "x"})).await.problem(422)["field"], "outcome");
    assert_eq!(act("close", json!({"outcome": "lost", "reason": "said no"})).await.json()["data"]["outcome"], "lost");
    let problem = act("take-over", json!({})).await.problem(409);
    assert_eq!(problem["allowed"], json!(["reopen with a reason"]));
    assert_eq!(act("reopen", json!({"reason": "called back"})).await.json()["status"], "in_progress");
    act("sign", json!({"document": "12", "signer": "Ada"})).await.problem(422);
    act("sign", json!({"document": "0".repeat(64), "signer": "Ada"})).await.problem(409);
}

#[tokio::test]
async fn what_happened_can_be_read_in_pages() {
    let max = Max::start().await;
    max.ada().await;
    max.post("/api/handoff/abc-123", json!({})).await;
    let page = max.get("/api/leads/abc-123/events?limit=1").await.json();
    assert_eq!((&page["events"][0]["type"], &page["events"][0]["version"]), (&json!("LeadIngested"), &json!(1)));
    assert_eq!(page["events"][0]["data"]["lead"]["name"], "Ada Lovelace");
    assert_eq!(page["next"], 1);
    let rest = max.get("/api/leads/abc-123/events?after=1").await.json();
    let kinds: Vec<&str> =
        rest["events"].as_array().expect("a list").iter().filter_map(|e| e["type"].as_str()).collect();
    assert_eq!(kinds, ["TaskSuperseded", "StageEntered", "TaskOpened"]);
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn messages_go_in_and_out() {
    let max = Max::start().await;
    max.ada().await;
    let path = "/api/leads/abc-123/messages";
    let taken = max.post(path, json!({"body": "Any news?", "message_id": "<m1@example.org>"})).await.json();
    max.post(path, json!({"body": "Hello?", "message_id": "m2@example.org"})).await;
    let again = max.post(path, json!({"body": "Any news?", "message_id": "m1@example.org"})).await.json();
    assert_eq!(taken["message_id"], again["message_id"], "the same Message-ID is the same message");
    let sent = max.post(path, json!({"direction": "out", "subject": "Hello", "body": "Soon."})).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());
    let list = max.get(path).await.json();
    let seen: Vec<(&str, &str)> = list["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| (m["direction"].as_str().unwrap_or(""), m["delivery"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(seen, [("in", "received"), ("in", "received"), ("in", "received"), ("out", "queued")]);
    assert_eq!(list["messages"][1]["address"], "ada@example.org");
    for (body, field) in [
        (json!({"body": " "}), "body"),
        (json!({"body": 1}), "body"),
        (json!({}), "body"),
        (json!({"body": "x", "kind": "proposal"}), "kind"),
        (json!({"body": "x", "direction": "up"}), "direction"),
        (json!({"body": "x", "direction": "out", "from": "me"}), "direction"),
    ] {
        assert_eq!(max.post(path, body.clone()).await.problem(422)["field"], field, "{body}");
    }
}

// ---- tasks and approvals -----------------------------------------------------------------------------------------

/// The mind cannot go on alone.
fn needs_person() -> Value {
    json!({"kind": "needs_person", "reason": "the client asks for a lawyer"})
}

#[tokio::test]
async fn an_eidolon_elsewhere_claims_renews_and_submits_and_a_stranger_does_not() {
    let max = Max::start().await;
    let id = max.ada().await;
    let mine = max.token(&[Scope::parse("eidolon:leadgen").expect("a scope")]).await;
    let theirs = max.token(&[Scope::parse("eidolon:scoping").expect("a scope")]).await;
    let post = |token: &str, path: &str, body: Value| {
        let request = max.request_with(token, "POST", path).header("content-type", "application/json");
        request.body(Body::from(body.to_string())).expect("a request")
    };
    let claim = json!({"eidolon": "LILLy", "holder": "box/1"});
    max.send(post(&theirs, "/api/tasks/claim", claim.clone())).await.problem(403);
    let claimed = max.send(post(&mine, "/api/tasks/claim", claim.clone())).await.json();
    assert_eq!((&claimed["lead"]["lead_id"], &claimed["attempt"]), (&json!(id), &json!(1)));
    assert_eq!(claimed["brief"]["messages"][0]["body"], ada()["message"]);
    let empty = max.send(post(&mine, "/api/tasks/claim", claim)).await;
    assert_eq!(empty.status, StatusCode::NO_CONTENT);

    let task = claimed["task_id"].as_str().expect("an id");
    let at = |verb: &str| format!("/api/tasks/{task}/{verb}");
    assert_eq!(max.send(post(&mine, &at("renew"), json!({"attempt": 1}))).await.status, StatusCode::NO_CONTENT);
    max.send(post(&mine, &at("renew"), json!({"attempt": 2}))).await.problem(409);
    max.send(post(&theirs, &at("renew"), json!({"attempt": 1}))).await.problem(403);

    let wrong = json!({"attempt": 1, "summary": "", "result": needs_person()});
    let findings = max.send(post(&mine, &at("submit"), wrong)).await.problem(422);
    assert_eq!(findings["findings"][0]["rule"], "X-1");
    let stale = json!({"attempt": 7, "summary": "done", "result": needs_person()});
    max.send(post(&mine, &at("submit"), stale)).await.problem(409);
    let unknown = json!({"attempt": 1, "summary": "done", "result": {"kind": "poem"}});
    max.send(post(&mine, &at("submit"), unknown)).await.problem(422);
    let work = json!({"attempt": 1, "summary": "a person must look", "result": needs_person(), "lead_id": id});
    let state = max.send(post(&mine, &at("submit"), work.clone())).await.json();
    assert_eq!(state["status"], "escalated");
    let again = max.send(post(&mine, &at("submit"), work)).await;
    assert_eq!(again.status, StatusCode::OK, "a second copy is a repeat: {}", again.text());
    max.send(post(&mine, &at("fail"), json!({"attempt": 1, "error": "x"}))).await.problem(409);
    max.post("/api/tasks/not-a-task/renew", json!({"attempt": 1})).await.problem(404);
}

#[tokio::test]
async fn a_failed_attempt_waits_for_its_next_try() {
    let max = Max::start().await;
    max.ada().await;
    assert_eq!(max.get("/api/tasks?eidolon=leadgen").await.json()["tasks"].as_array().map(Vec::len), Some(1));
    assert_eq!(max.get("/api/signals/leadgen").await.json()["signals"].as_array().map(Vec::len), Some(1));
    let (task, attempt) = max.claim("leadgen").await;
    assert_eq!(max.get("/api/signals/leadgen").await.json()["signals"], json!([]), "what is claimed lies in no inbox");
    let failed = max.post(&format!("/api/tasks/{task}/fail"), json!({"attempt": attempt, "error": "no network"})).await;
    assert!(failed.json()["next_action"].as_str().is_some_and(|a| a.contains("again")), "{}", failed.text());
    max.get("/api/signals/nobody").await.problem(404);
    assert_eq!(max.get("/api/tasks?eidolon=x").await.problem(422)["field"], "eidolon");
}

#[tokio::test]
async fn an_escalation_is_listed_and_settled() {
    let max = Max::start().await;
    max.ada().await;
    max.post("/api/leads/abc-123/escalate", json!({"reason": "angry"})).await;
    let list = max.get("/api/escalations").await.json();
    let one = &list["escalations"][0];
    assert_eq!((&one["reason"], &one["lead_name"]), (&json!("angry"), &json!("Ada Lovelace")));
    let path = format!("/api/escalations/{}", one["id"].as_str().expect("an id"));
    assert_eq!(max.post(&path, json!({"decision": "close"})).await.problem(422)["field"], "outcome");
    assert_eq!(max.post(&path, json!({"decision": "shrug"})).await.problem(422)["field"], "decision");
    let state = max.post(&path, json!({"decision": "hand_off", "to": "FirstResponder"})).await.json();
    assert_eq!((&state["status"], &state["current_stage"]), (&json!("in_progress"), &json!("FirstResponder")));
    max.post(&path, json!({"decision": "retry"})).await.problem(404);
    assert_eq!(max.get("/api/escalations").await.json()["escalations"], json!([]));
}

/// Brings Ada's project to where a person must approve its scope.
async fn approval(max: &Max) -> Value {
    let import = json!({"lead": ada(), "stage": "Scoping"});
    assert_eq!(max.post("/api/import", import).await.status, StatusCode::CREATED);
    let (task, attempt) = max.claim("scoping").await;
    let submit = json!({
        "attempt": attempt,
        "summary": "the scope stands",
        "result": scope(),
        "files": [{"name": "scope.json", "text": "{}"}, {"name": "scope.md", "text": "# Scope\n"}, {"name": "mock/index.html", "base64": "PGgxPkhpPC9oMT4="}],
        "messages": [],
    });
    let answer = max.post(&format!("/api/tasks/{task}/submit"), submit).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let list = max.get("/api/approvals").await.json();
    list["approvals"][0].clone()
}

fn scope() -> Value {
    json!({
        "kind": "scope", "title": "Booking page", "goal": "people book a room", "out_of_scope": ["an app"],
        "assumptions": [], "client_duties": [], "in_scope": ["a page for bookings"],
        "measures": [{"text": "Rooms are booked without a call", "number": "100 %", "by": "2027-06-30"}],
        "users": [{"text": "guests"}],
        "dependencies": [{"text": "Pictures of the rooms are there first", "owner": "the client", "requirements": []}],
        "qualities": [
            {"of": "accessibility", "text": "axe finds nothing"}, {"of": "privacy", "text": "no data leaves"},
            {"of": "performance", "text": "two seconds"}, {"of": "hosting", "text": "in the Union"},
        ],
        "risks": [{"text": "pictures come late", "effect": "a later date", "answer": "a reminder", "owner": "the agency"}],
        "acceptance": "Every Must passes its test.", "change_rule": "A change order.",
        "glossary": [{"term": "room", "means": "what a guest books"}],
        "deliverables": [{
            "id": "D-1", "name": "Booking page", "description": "The page with its bookings",
            "acceptance": "a booking arrives", "requirements": ["R-001"], "milestone": "first release",
        }],
        "open_questions": [{"id": "Q-1", "topic": "budget", "text": "What may it cost?"}],
        "wishes": [{"quote": "We need a booking page for our studio", "source": "lead", "met_by": ["R-001"]}],
        "requirements": [{
            "id": "R-001", "text": "A visitor books a room.", "priority": "must", "acceptance": "a booking arrives",
            "source": "lead", "quote": "a booking page", "effort_quarter_days": 8,
        }],
    })
}

#[tokio::test]
async fn what_waits_for_a_person_is_decided_by_its_digest_once() {
    let max = Max::start().await;
    let pending = approval(&max).await;
    assert_eq!((&pending["kind"], &pending["lead_name"]), (&json!("scope"), &json!("Ada Lovelace")));
    let path = format!("/api/approvals/{}", pending["id"].as_str().expect("an id"));
    assert_eq!(max.get(&path).await.json()["state"], "pending");
    let digest = pending["payload_sha256"].clone();
    let other = json!({"decision": "approve", "payload_sha256": "0".repeat(64)});
    max.post(&path, other).await.problem(409);
    assert_eq!(max.post(&path, json!({"decision": "approve"})).await.problem(422)["field"], "payload_sha256");
    let no = json!({"decision": "reject", "payload_sha256": digest});
    assert_eq!(max.post(&path, no).await.problem(422)["field"], "reason");
    let yes = json!({"decision": "approve", "payload_sha256": digest});
    assert_eq!(max.post(&path, yes.clone()).await.json()["current_stage"], "Orchestra");
    assert_eq!(max.post(&path, yes).await.status, StatusCode::OK, "the second yes changes nothing");
    let view = max.get(&path).await.json();
    assert_eq!((&view["state"], &view["decided"]["by"]), (&json!("approved"), &json!("person:local admin (api)")));
    max.get("/api/approvals/0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11").await.problem(404);
    max.get("/api/approvals/x").await.problem(404);
}

#[tokio::test]
async fn artifacts_are_served_so_that_a_browser_trusts_them_with_nothing() {
    let max = Max::start().await;
    approval(&max).await;
    let list = max.get("/api/leads/abc-123/artifacts").await.json();
    let urls: Vec<&str> =
        list["artifacts"].as_array().expect("a list").iter().filter_map(|a| a["url"].as_str()).collect();
    assert_eq!(urls.len(), 3);
    let scope = max.get("/api/leads/abc-123/artifacts/stage-3-scoping/scope.md").await;
    assert_eq!((scope.text().as_str(), scope.header("x-content-type-options")), ("# Scope\n", "nosniff"));
    let page = max.get("/api/leads/abc-123/artifacts/stage-3-scoping/mock/index.html").await;
    assert_eq!(page.text(), "<h1>Hi</h1>");
    assert!(
        page.header("content-security-policy").starts_with("sandbox; default-src 'none'"),
        "no script runs, nothing is reached"
    );
    for path in
        ["stage-3-scoping/none.md", "stage-3-scoping/../../state.json", "stage-3-scoping/%2e%2e/x", "state.json"]
    {
        max.get(&format!("/api/leads/abc-123/artifacts/{path}")).await.problem(404);
    }
}

#[tokio::test]
async fn a_person_reads_what_changed_between_two_versions_of_a_document() {
    let max = Max::start().await;
    let pending = approval(&max).await;
    let path = format!("/api/approvals/{}", pending["id"].as_str().expect("an id"));
    let no = json!({"decision": "reject", "payload_sha256": pending["payload_sha256"], "reason": "say which rooms"});
    assert_eq!(max.post(&path, no).await.status, StatusCode::OK);
    let (task, attempt) = max.claim("scoping").await;
    let submit = json!({
        "attempt": attempt, "summary": "the scope stands", "result": scope(), "messages": [],
        "files": [{"name": "scope.json", "text": "{}"}, {"name": "scope.md", "text": "# Scope\n\nRooms <b>1 to 9</b>.\n"}],
    });
    let answer = max.post(&format!("/api/tasks/{task}/submit"), submit).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let scope = "/api/leads/abc-123/artifacts/stage-3-scoping/scope.md";
    assert_eq!(max.get(&format!("{scope}?version=1")).await.text(), "# Scope\n");
    let diff = max.get(&format!("{scope}?diff=1")).await;
    assert!(diff.text().contains("**New:** Rooms \\<b\\>1 to 9"), "{}", diff.text());
    let page = max.get(&format!("{scope}?diff=1&as=html")).await;
    assert!(page.text().contains("Rooms &lt;b&gt;1 to 9"), "{}", page.text());
    assert!(page.header("content-security-policy").starts_with("sandbox"));
    assert_eq!(max.get(&format!("{scope}?diff=1&as=json")).await.json()["changes"][0]["kind"], "added");
    assert_eq!(max.get(&format!("{scope}?diff=7")).await.problem(404)["status"], 404);
}

// ---- signals, wake-ups, the owner --------------------------------------------------------------------------------

#[tokio::test]
async fn a_signal_is_routed_put_off_or_rejected_with_a_reason() {
    let max = Max::start().await;
    let routed = max.post("/api/signals", json!({"type": "HEARTBEAT", "from": "ct201", "id": "h-1"})).await;
    assert_eq!(routed.status, StatusCode::ACCEPTED);
    assert_eq!(routed.json(), json!({"id": "h-1", "routed": "ct201 is alive"}));
    let derived = max.post("/api/signals", json!({"type": "HEARTBEAT"})).await.json();
    assert!(derived["id"].as_str().is_some_and(|id| id.starts_with("http-")), "{derived}");
    max.post("/api/signals", json!({"type": "APPROVAL"})).await.problem(409);
    max.post("/api/signals", json!({"type": "CONSULT"})).await.problem(422);
    assert_eq!(max.post("/api/signals", json!({"type": "SHOUT"})).await.problem(422)["field"], "type");
    assert_eq!(max.post("/api/signals", json!({"from": "x"})).await.problem(422)["field"], "type");
}

#[tokio::test]
async fn wake_ups_are_kept_by_name() {
    let max = Max::start().await;
    let wave = json!({"name": "weekly", "eidolon": "maestro", "cron": "0 7 * * 1", "message": "write the review"});
    let put = max.post("/api/sapwaves", wave.clone()).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text());
    assert!(put.json()["next_run"].as_str().is_some());
    assert_eq!(max.get("/api/sapwaves").await.json()["sapwaves"][0]["cron"], "0 7 * * 1");
    for (field, value) in [
        ("cron", json!("every monday")),
        ("eidolon", json!("nobody")),
        ("name", json!("no good name")),
        ("at", json!("tomorrow")),
        ("cron", json!(null)),
    ] {
        let mut wrong = wave.clone();
        wrong[field] = value;
        assert_eq!(max.post("/api/sapwaves", wrong.clone()).await.problem(422)["field"], field, "{wrong}");
    }
    assert_eq!(max.delete("/api/sapwaves/weekly").await.status, StatusCode::NO_CONTENT);
    max.delete("/api/sapwaves/weekly").await.problem(404);
}

#[tokio::test]
async fn a_manual_clock_moves_and_the_systems_does_not() {
    let max = Max::start().await;
    max.post("/api/clock", json!({"advance": 1})).await.problem(409);
    assert_eq!(max.get("/api/clock").await.json()["manual"], false);
    let max = Max::start_with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    for (advance, now) in [
        (json!(90), "2026-11-23T09:01:30Z"),
        (json!("2d4h"), "2026-11-25T13:01:30Z"),
        (json!("P1D"), "2026-11-26T13:01:30Z"),
    ] {
        assert_eq!(max.post("/api/clock", json!({"advance": advance})).await.json()["now"], now);
    }
    assert_eq!(max.post("/api/clock", json!({"at": "2026-12-01T00:00:00Z"})).await.json()["manual"], true);
    assert_eq!(max.post("/api/clock", json!({"at": "2020-01-01T00:00:00Z"})).await.problem(422)["field"], "at");
    for wrong in [json!({}), json!({"advance": "soon"}), json!({"advance": -1}), json!({"advance": []})] {
        assert_eq!(max.post("/api/clock", wrong).await.problem(422)["field"], "advance");
    }
}

#[tokio::test]
async fn a_project_under_way_is_imported_with_its_files() {
    let max = Max::start().await;
    let import = json!({
        "lead": {"name": "Ada", "email": "ada@example.org"},
        "stage": "Delivery PM",
        "signed": true,
        "data": {"scoping": {"note": "done before"}},
        "artifacts": [{"stage": "Closer", "name": "contract.txt", "text": "signed"}],
    });
    let first = max.post("/api/import", import.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let state = first.json();
    assert_eq!(
        (&state["current_stage"], &state["data"]["Scoping"]["note"]),
        (&json!("DeliveryPM"), &json!("done before"))
    );
    assert_eq!(state["history"][0]["by"], "import:local admin (api)");
    let id = state["lead_id"].as_str().expect("an id");
    let contract = max.get(&format!("/api/leads/{id}/artifacts/stage-5-closer/contract.txt")).await;
    assert_eq!(contract.text(), "signed");
    assert_eq!(max.post("/api/import", import.clone()).await.status, StatusCode::OK);
    for (pointer, value, field) in [
        ("/stage", json!("Sales"), "stage"),
        ("/lead/email", json!("x"), "lead.email"),
        ("/artifacts/0/name", json!("../x"), "artifacts[0].name"),
        ("/artifacts/0/text", json!(null), "artifacts[0]"),
    ] {
        let mut wrong = import.clone();
        *wrong.pointer_mut(pointer).expect("a place") = value;
        assert_eq!(max.post("/api/import", wrong).await.problem(422)["field"], field);
    }
}

#[tokio::test]
async fn the_owner_backs_up_rebuilds_and_settles() {
    let max = Max::start().await;
    max.ada().await;
    let to = max.root.path().join("copies/today");
    let body = json!({"to": to});
    assert_eq!(max.post("/api/backup", body.clone()).await.json()["bytes"], 6);
    assert_eq!(max.post("/api/backup", body).await.problem(422)["field"], "to", "a backup overwrites nothing");
    assert_eq!(max.post("/api/rebuild", json!({})).await.json(), json!({"leads": 1}));
    assert_eq!(max.get("/api/settle").await.json(), json!({"settled": true}));
}

#[tokio::test]
async fn figures_tell_leads_tasks_and_requests() {
    let max = Max::start().await;
    max.ada().await;
    max.get("/api/status/abc-123").await;
    let text = max.get("/metrics").await.text();
    for line in [
        "max_leads{stage=\"LeadGen\",status=\"in_progress\"} 1",
        "max_tasks{eidolon=\"leadgen\",state=\"ready\"} 1",
        "max_commits_total 1",
        "max_http_requests_total{method=\"GET\",route=\"/api/status/{lead_id}\",status=\"200\"} 1",
        "max_http_request_seconds_count{route=\"/api/status/{lead_id}\"} 1",
        "max_outbox_messages 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(text.contains("max_process_resident_memory_bytes ") && text.contains("max_projector_backlog_leads "));
}

// ---- pages -------------------------------------------------------------------------------------------------------

/// Signs a browser in: its cookie and CSRF token.
async fn browser(max: &Max) -> (String, String) {
    let link = max.post("/api/login", json!({})).await.json();
    let path = link["path"].as_str().expect("a path").to_owned();
    let open = || Request::builder().uri(&path).body(Body::empty()).expect("a request");
    let answer = max.send(open()).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(max.send(open()).await.status, StatusCode::UNAUTHORIZED, "a link works once");
    let cookie = cookie.split(';').next().expect("a value").to_owned();
    let page = max.send(with_cookie(&cookie, "GET", "/").body(Body::empty()).expect("a request")).await;
    let csrf = page.text().split("name=\"csrf\" value=\"").nth(1).and_then(|t| t.split('"').next().map(str::to_owned));
    (cookie, csrf.unwrap_or_default())
}

fn with_cookie(cookie: &str, method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("cookie", cookie).header("host", "max.test")
}

#[tokio::test]
async fn pages_want_a_sign_in_and_say_how() {
    let max = Max::start().await;
    let answer = max.send(Request::builder().uri("/").body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains("max login"));
    let link = max.post("/api/login", json!({})).await.json()["path"].as_str().expect("a path").to_owned();
    let head = Request::builder().method("HEAD").uri(&link).body(Body::empty()).expect("a request");
    assert_eq!(max.send(head).await.status, StatusCode::NO_CONTENT);
    let open = Request::builder().uri(&link).body(Body::empty()).expect("a request");
    assert_eq!(max.send(open).await.status, StatusCode::SEE_OTHER, "a look at the link has not used it up");
}

#[tokio::test]
async fn a_browser_decides_by_a_form_that_only_our_page_can_send() {
    let max = Max::start().await;
    let pending = approval(&max).await;
    let (cookie, csrf) = browser(&max).await;
    let path = format!("/approvals/{}", pending["id"].as_str().expect("an id"));
    let digest = pending["payload_sha256"].as_str().expect("a digest");
    let send = |csrf: &str, origin: &str, decision: &str| {
        let body = format!("csrf={csrf}&payload_sha256={digest}&reason=&decision={decision}");
        let request = with_cookie(&cookie, "POST", &path).header("origin", origin);
        request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).expect("a request")
    };
    assert_eq!(max.send(send("guess", "http://max.test", "approve")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(max.send(send(&csrf, "http://evil.test", "approve")).await.status, StatusCode::FORBIDDEN);
    let unreasoned = max.send(send(&csrf, "http://max.test", "reject")).await;
    assert_eq!(unreasoned.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = max.send(send(&csrf, "http://max.test", "approve")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert_eq!(max.get("/api/status/abc-123").await.json()["current_stage"], "Orchestra");

    // The interface for programs wants the token in a header.
    let api = || with_cookie(&cookie, "POST", "/api/leads/abc-123/take-over");
    max.send(api().body(Body::empty()).expect("a request")).await.problem(403);
    let with = api().header("x-max-csrf", &csrf).body(Body::empty()).expect("a request");
    assert_eq!(max.send(with).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_client_wrote_is_shown_as_text_and_never_as_markup() {
    let max = Max::start().await;
    let evil = "<script>alert(1)</script>";
    let lead = json!({"name": evil, "company": evil, "message": evil, "external_ref": "evil"});
    max.post("/api/ingest-lead", lead).await;
    for path in ["/", "/leads/evil"] {
        let page = max.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text().contains(evil), "{path}");
        assert!(page.text().contains("&lt;script&gt;"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
    }
    assert!(max.get("/leads/evil").await.text().contains("untrusted"));
    assert_eq!(max.get("/leads/nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_empty_page_says_what_to_do() {
    let max = Max::start().await;
    let page = max.get("/").await.text();
    assert!(page.contains("max lead add") && page.contains("Playbook only"));
    for asset in ["/assets/app.css", "/assets/app.js"] {
        assert_eq!(max.get(asset).await.status, StatusCode::OK);
    }
}
