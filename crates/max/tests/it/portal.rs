//! The client's own page: what it shows, what it keeps to itself, and signing on it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use max_core::apply::apply;
use max_core::event::{Entry, Event};
use max_core::id::{Digest, LeadId, MessageId, TaskId};
use max_core::lead::{
    Actor, ArtifactRef, ClientAsk, ClientWait, Direction, Ending, Message, MessageKind, NewLead, Outcome, SigningMethod,
};
use max_core::stage::Stage;
use max_engine::ports::{Seal, Store as _, Write};
use max_testkit::browser::{Browser, Page};
use serde_json::json;

use crate::support::{Answer, Max};

const CONTRACT: &[u8] = b"%PDF the contract";
const DRAFT: &[u8] = b"<p>not sent yet</p>";
const MOCKUP: &[u8] = b"<!doctype html><title>m</title><p>mockup";

/// A client who was sent a mockup and a contract and is asked to sign it.
struct Client {
    max: Max,
    lead: LeadId,
    path: String,
    document: Digest,
}

impl Client {
    async fn asked_to_sign(language: &str) -> Self {
        let max = Max::start().await;
        let lead = LeadId(uuid::Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0042));
        let mut artifacts = Vec::new();
        for (stage, name, bytes) in [
            (Stage::Closer, "contract.pdf", CONTRACT),
            (Stage::Orchestra, "mockup.html", MOCKUP),
            (Stage::Closer, "draft.html", DRAFT),
        ] {
            let sha256 = max.state.director.put_artifact(lead, bytes.to_vec()).await.expect("stored");
            artifacts.push(ArtifactRef {
                stage,
                name: name.into(),
                version: 1,
                sha256,
                bytes: bytes.len() as u64,
                superseded: false,
            });
        }
        let client = NewLead {
            name: "Ada <script>alert(1)</script>".into(),
            email: "ada@example.org".into(),
            message: "We need <b>a page</b>.".into(),
            locale: Some(language.into()),
            ..NewLead::default()
        };
        let document = artifacts[0].sha256;
        let wait = ClientWait { ask: ClientAsk::Signature { document }, since: at(), follow_ups: 0 };
        let sent = message(2, "The contract", "Please sign.", artifacts[..2].to_vec());
        let held = message(3, "A secret draft", "Nobody approved this.", Vec::new());
        let events = vec![
            Event::LeadIngested { lead: Box::new(client), message: MessageId(uuid::Uuid::from_u128(1)) },
            Event::WorkSubmitted {
                task: TaskId(uuid::Uuid::from_u128(9)),
                attempt: 1,
                result: "contract".into(),
                value: json!({}),
                artifacts,
                summary: "a contract".into(),
                voice: "playbook".into(),
            },
            Event::MessageQueued { message: Box::new(held) },
            Event::MessageHeld { message: MessageId(uuid::Uuid::from_u128(3)), why: "taken over".into() },
            Event::MessageQueued { message: Box::new(sent) },
            Event::MessageReleased { message: MessageId(uuid::Uuid::from_u128(2)), rule: "approved".into() },
            Event::MessageSent { message: MessageId(uuid::Uuid::from_u128(2)) },
            Event::ClientAwaited { wait },
        ];
        commit(&max, lead, 1, events);
        let path = max.state.portal.path(lead);
        Self { max, lead, path, document }
    }

    async fn get(&self, path: &str) -> Answer {
        self.max.send(Request::builder().uri(path).body(Body::empty()).expect("a request")).await
    }

    async fn page(&self) -> Answer {
        self.get(&self.path).await
    }

    async fn post(&self, deed: &str, form: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(form).expect("a form");
        let request = Request::builder().method("POST").uri(format!("{}/{deed}", self.path));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Example/1.0")
            .header("x-forwarded-for", "203.0.113.9");
        self.max.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// What the form on the page carries.
    async fn slip(&self, form: &str) -> String {
        let page = self.page().await.text();
        let form = page.split(&format!("action=\"{}/{form}\"", self.path)).nth(1).expect("the form");
        let field = form.split("name=\"slip\" value=\"").nth(1).expect("the slip");
        field.split('"').next().expect("a value").to_owned()
    }
}

fn at() -> jiff::Timestamp {
    "2026-11-23T09:00:00Z".parse().expect("a moment")
}

fn message(id: u128, subject: &str, body: &str, attachments: Vec<ArtifactRef>) -> Message {
    Message {
        id: MessageId(uuid::Uuid::from_u128(id)),
        direction: Direction::Out,
        kind: MessageKind::Contract,
        stage: Stage::Closer,
        at: at(),
        by: Actor::Director,
        subject: subject.into(),
        body: body.into(),
        attachments,
        rfc_id: format!("m{id}@agency.example"),
        in_reply_to: None,
        references: Vec::new(),
        address: "ada@example.org".into(),
        written_by: Some("playbook".into()),
        verified: true,
    }
}

fn commit(max: &Max, lead: LeadId, version: u64, events: Vec<Event>) {
    let before = max.store.lead(lead).expect("readable");
    let chain = before.as_ref().map_or(Digest([0; 32]), |l| l.chain);
    let entry = Entry { lead, version, at: at(), by: Actor::Director, signal_id: None, events };
    let payload = serde_json::to_vec(&entry.events).expect("events");
    let seal = Seal::new(chain, &entry, &payload);
    let mut after = apply(before, &entry).expect("a lead");
    after.chain = seal.chain;
    let write = Write { entry, seal, payload, after: Arc::new(after), wake_at: None, idempotency: None };
    for written in max.store.commit(&[write]).expect("committed") {
        written.expect("counted");
    }
}

#[tokio::test]
async fn the_page_shows_what_was_sent_and_nothing_else() {
    let client = Client::asked_to_sign("en").await;
    let page = client.page().await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let text = page.text();
    assert!(
        text.contains("Please sign.") && text.contains("contract.pdf") && text.contains("AI writes here."),
        "{text}"
    );
    assert!(text.contains("https://agency.example/privacy") && text.contains(&client.document.to_string()));
    assert!(!text.contains("Nobody approved this") && !text.contains("draft.html"), "what did not leave is not shown");
    assert!(!text.contains("<script") && text.contains("&lt;script&gt;"), "the client's words stay words");
    assert!(text.contains("<iframe sandbox=\"\""), "the mockup is shown in a frame that trusts it with nothing");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("x-robots-tag").contains("noindex"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src") && !policy.contains("unsafe"));

    let contract = client.get(&format!("{}/files/stage-5-closer/contract.pdf", client.path)).await;
    assert_eq!((contract.body.as_slice(), contract.header("content-type")), (CONTRACT, "application/pdf"));
    let mockup = client.get(&format!("{}/files/stage-4-mockup/mockup.html", client.path)).await;
    assert_eq!(mockup.body, MOCKUP);
    assert!(
        mockup.header("content-security-policy").starts_with("sandbox; default-src 'none'"),
        "no script runs in it"
    );
    for hidden in ["stage-5-closer/draft.html", "stage-5-closer/../../state.json", "state.json", "stage-5-closer/x"] {
        let answer = client.get(&format!("{}/files/{hidden}", client.path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{hidden}");
    }
}

#[tokio::test]
async fn the_page_speaks_the_clients_language() {
    for (language, word) in [
        ("de", "Ein Dokument wartet auf Ihre Unterschrift"),
        ("nl", "wacht op uw handtekening"),
        ("fr", "attend votre signature"),
    ] {
        let client = Client::asked_to_sign(language).await;
        let page = client.page().await.text();
        assert!(page.contains(word) && page.contains(&format!("<html lang=\"{language}\"")), "{page}");
    }
}

/// The page as a browser has it: with its style, which it would fetch, and without the mockup, which is looked at elsewhere.
fn seen(name: &str, page: &Answer) -> Page {
    let style = "<link rel=\"stylesheet\" href=\"/p/portal.css\">";
    let html = page.text();
    assert!(html.contains(style), "{name}: {html}");
    let css = format!("<style>{}</style>", include_str!("../../src/portal/portal.css"));
    let html =
        html.replace(style, &css).replace("<details>", "<details open>").replace(" src=\"/p/", " data-src=\"/p/");
    Page::new(name, html)
}

#[tokio::test]
async fn every_state_of_the_page_passes_axe_at_three_widths() {
    let Some(browser) = Browser::find() else { return };
    let mut pages = Vec::new();
    for language in ["en", "de", "nl", "fr"] {
        let client = Client::asked_to_sign(language).await;
        pages.push(seen(&format!("{language} asked to sign"), &client.page().await));
    }
    let client = Client::asked_to_sign("en").await;
    let (slip, document) = (client.slip("sign").await, client.document.to_string());
    for (what, name, consent, slip) in [
        ("no name", " ", "yes", &*slip),
        ("no consent", "Ada Lovelace", "", &slip),
        ("stale", "Ada Lovelace", "yes", "00"),
    ] {
        let form = [("document", document.as_str()), ("slip", slip), ("name", name), ("consent", consent)];
        pages.push(seen(what, &client.post("sign", &form).await));
    }
    let write = client.slip("messages").await;
    pages.push(seen("no message", &client.post("messages", &[("slip", &write), ("message", " ")]).await));
    let long = format!("One question, {} \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "Donaudampfschifffahrt".repeat(30));
    client.post("messages", &[("slip", &write), ("message", &long)]).await;
    pages.push(seen("written", &client.page().await).at("written"));

    let client = Client::asked_to_sign("en").await;
    let slip = client.slip("sign").await;
    let form = [("document", document.as_str()), ("slip", &slip), ("name", "Ada Lovelace"), ("consent", "yes")];
    assert_eq!(client.post("sign", &form).await.status, StatusCode::SEE_OTHER);
    pages.push(seen("signed", &client.page().await).at("signed"));

    let client = Client::asked_to_sign("en").await;
    for (version, ask) in (2..).zip([ClientAsk::Reply, ClientAsk::Answers, ClientAsk::Decision]) {
        let wait = ClientWait { ask, since: at(), follow_ups: 0 };
        let name = format!("asked for {}", wait.ask.sentence());
        commit(&client.max, client.lead, version, vec![Event::ClientAwaited { wait }]);
        pages.push(seen(&name, &client.page().await));
    }
    let ending = Ending { outcome: Outcome::Lost, reason: "silent".into(), merged_into: None, at: at() };
    commit(&client.max, client.lead, 5, vec![Event::Closed { ending }]);
    pages.push(seen("ended", &client.page().await));
    pages.push(seen("nobody", &client.get("/p/x").await));
    if let Some(keep) = std::env::var_os("MAX_TEST_KEEP").map(std::path::PathBuf::from) {
        for page in &pages {
            std::fs::write(keep.join(format!("portal {}.html", page.name)), &page.html).expect("kept");
        }
    }
    let wrong = tokio::task::spawn_blocking(move || browser.look(&pages)).await.expect("looked");
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_address_gets_one_answer_whatever_is_wrong_with_it() {
    let client = Client::asked_to_sign("en").await;
    let token = client.path.trim_start_matches("/p/");
    let mut forged = token.to_owned();
    forged.replace_range(10..11, if &token[10..11] == "A" { "B" } else { "A" });
    let unknown = client.max.state.portal.path(LeadId(uuid::Uuid::from_u128(5)));
    let one = client.get("/p/x").await;
    assert_eq!(one.status, StatusCode::NOT_FOUND);
    for path in [format!("/p/{forged}"), unknown, format!("/p/{}", &token[..40]), format!("/p/{forged}/files/a/b")] {
        let other = client.get(&path).await;
        assert_eq!((other.status, &other.body), (one.status, &one.body), "{path}");
        assert_eq!(other.headers, one.headers, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_gone_with_its_leads_data() {
    let client = Client::asked_to_sign("en").await;
    let ending = Ending { outcome: Outcome::Erased, reason: "asked for".into(), merged_into: None, at: at() };
    commit(&client.max, client.lead, 2, vec![Event::Closed { ending }]);
    assert_eq!(client.page().await.body, client.get("/p/x").await.body);
}

#[tokio::test]
async fn looking_never_signs_and_signing_needs_name_consent_and_the_document_shown() {
    let client = Client::asked_to_sign("en").await;
    let looked = client.get(&format!("{}/sign", client.path)).await;
    assert_eq!(looked.status, StatusCode::METHOD_NOT_ALLOWED, "a link decides nothing");
    let slip = client.slip("sign").await;
    let document = client.document.to_string();
    let other = Digest::of(b"another").to_string();
    for (name, consent, slip, document) in [
        ("Ada Lovelace", "yes", "", &document),
        ("Ada Lovelace", "yes", "00ff", &document),
        ("Ada Lovelace", "yes", slip.as_str(), &other),
        ("Ada Lovelace", "", slip.as_str(), &document),
        (" ", "yes", slip.as_str(), &document),
    ] {
        let form = [("document", document.as_str()), ("slip", slip), ("name", name), ("consent", consent)];
        let refused = client.post("sign", &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(refused.text().contains("role=\"alert\""));
    }
    let unsigned = client.max.state.director.lead(client.lead).await.expect("a lead");
    assert!(unsigned.lead.signature.is_none());

    let form = [("document", document.as_str()), ("slip", &slip), ("name", "Ada Lovelace"), ("consent", "yes")];
    let signed = client.post("sign", &form).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());
    assert_eq!(signed.header("location"), format!("{}#signed", client.path));
    let lead = client.max.state.director.lead(client.lead).await.expect("a lead");
    let signature = lead.lead.signature.clone().expect("a signature");
    assert_eq!(
        (signature.document, signature.signer.as_str(), &signature.by),
        (client.document, "Ada Lovelace", &Actor::Client)
    );
    let evidence = signature.evidence.expect("evidence");
    assert_eq!((evidence.method, evidence.consent_version.as_str()), (SigningMethod::Portal, "2026-11-en"));
    assert!(evidence.consent.contains("sign it electronically") && evidence.ip.contains("203.0.113.9"));
    assert_eq!((evidence.user_agent.as_str(), evidence.address.as_str()), ("Example/1.0", "ada@example.org"));
    let page = client.page().await.text();
    assert!(page.contains("Ada Lovelace") && !page.contains("/sign\""), "it is signed and asked for no longer");
    assert_eq!(client.post("sign", &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "once");
}

#[tokio::test]
async fn the_client_writes_on_the_page() {
    let client = Client::asked_to_sign("en").await;
    assert_eq!(
        client.post("messages", &[("slip", "00"), ("message", "Hi")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let slip = client.slip("messages").await;
    assert_eq!(
        client.post("messages", &[("slip", &slip), ("message", " ")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let written = client.post("messages", &[("slip", &slip), ("message", "One question <i>first</i>.")]).await;
    assert_eq!(written.status, StatusCode::SEE_OTHER);
    assert!(client.page().await.text().contains("One question &lt;i&gt;first&lt;/i&gt;."));
}

#[tokio::test]
async fn people_find_the_address_and_an_api_signature_carries_its_evidence() {
    let client = Client::asked_to_sign("en").await;
    let view = client.max.get(&format!("/api/leads/{}", client.lead)).await.json();
    assert_eq!(view["portal"], client.path.as_str());
    let path = format!("/api/leads/{}/sign", client.lead);
    let mut sign = json!({"document": client.document, "signer": "Ada", "consent": "I agree."});
    client.max.post(&path, sign.clone()).await.problem(422);
    sign["consent_version"] = json!("house-3");
    sign["ip"] = json!("203.0.113.77");
    assert_eq!(client.max.post(&path, sign).await.status, StatusCode::OK);
    let lead = client.max.state.director.lead(client.lead).await.expect("a lead");
    let evidence = lead.lead.signature.clone().and_then(|s| s.evidence).expect("evidence");
    assert_eq!((evidence.method, evidence.ip.as_str()), (SigningMethod::Api, "203.0.113.77"));
}
