//! The real binary with a model's API as a voice of LeadGen: asked, counted, and made way for, with nothing of the key
//! anywhere.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use max_testkit::model_server::{Fault, ModelServer, Reply};
use serde_json::{Value, json};

use crate::process::{Server, max};

const KEY: &str = "sk-test-7b1e9c44d0";
const MESSAGE: &str =
    "!We need a new web site by March; $HOME `id` \"quotes\"\n\nOur budget is 12000 EUR. \u{1f680} I am the owner.";

fn judgement() -> String {
    json!({
        "services": {"website": true}, "advertises": false,
        "factors": {
            "fit": {"points": 30, "evidence": "new web site"},
            "budget": {"points": 25, "evidence": "Our budget is 12000 EUR"},
            "authority": {"points": 15, "evidence": "I am the owner"},
            "need": {"points": 15, "evidence": "We need a new web site"},
            "time": {"points": 10, "evidence": "by March"},
        },
        "reason": "A clear project.", "next_question": null,
    })
    .to_string()
}

/// A root with a voice of this format at LeadGen, its key in a file.
fn root(wire: &str, url: &str, more: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "[voices.fast]\nkind = \"api\"\napi = \"{wire}\"\nbase_url = \"{url}\"\nmodel = \"scripted-1\"\n\
         price_input = 1\nprice_cached = 0.1\nprice_output = 5\n{more}\n\
         [eidolons.leadgen.seats]\nclaude = \"fast\"\n"
    );
    std::fs::write(root.path().join("max.toml"), settings).expect("settings");
    root
}

fn in_a_file() -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{KEY}\n")).expect("a key");
    let setting = format!("api_key_file = \"{}\"", file.path().display());
    (file, setting)
}

/// Brings a lead in and waits until LeadGen is over; its id.
async fn judged(server: &Server, message: &str) -> String {
    let lead = json!({"name": "Ada Example", "email": "ada@studio.example", "message": message});
    let (status, lead) = server.call("POST", "/api/ingest-lead", &lead).await.expect("an answer");
    assert_eq!(status, 201, "{lead}");
    let id = lead["lead_id"].as_str().expect("an id").to_owned();
    for _ in 0..6_000 {
        let (_, state) = server.call("GET", &format!("/api/status/{id}"), &Value::Null).await.expect("an answer");
        if state["current_stage"] != "LeadGen" || state["status"] == "completed" {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("LeadGen is not over");
}

async fn get(server: &Server, path: &str) -> Value {
    let (status, answer) = server.call("GET", path, &Value::Null).await.expect("an answer");
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// What the log says of LeadGen's work.
async fn work(server: &Server, id: &str) -> Value {
    let log = get(server, &format!("/api/leads/{id}/events")).await;
    let events = log["events"].as_array().expect("events");
    let of_lead_gen = |event: &&Value| event["type"] == "WorkSubmitted" && event["data"]["result"] == "qualification";
    events.iter().find(of_lead_gen).unwrap_or_else(|| panic!("no qualification in {log}"))["data"].clone()
}

/// Every file below a folder that holds these bytes.
fn holders(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holders(&path, bytes));
        } else if std::fs::read(&path).is_ok_and(|text| text.windows(bytes.len()).any(|w| w == bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_judged_by_a_model_and_the_cost_is_told() {
    for wire in ["anthropic", "openai-responses", "openai-chat", "gemini"] {
        let model = ModelServer::in_order(vec![Reply::says(judgement())]).await;
        let (_key, setting) = in_a_file();
        let root = root(wire, &model.url(), &setting);
        let server = Server::start(root.path(), &[], &[("MAX_LOG", "trace")]);
        let id = judged(&server, MESSAGE).await;
        let log = model.log();
        assert_eq!(log.len(), 1, "{wire}");
        assert!(log[0].asked().contains(&format!("\n{MESSAGE}\n")), "byte for byte: {}", log[0].asked());

        let submitted = work(&server, &id).await;
        assert_eq!((&submitted["voice"], &submitted["value"]["score"]), (&json!("claude"), &json!(95)));
        let runs = get(&server, &format!("/api/leads/{id}/runs")).await;
        let run = &runs["runs"][0];
        assert_eq!(
            (&run["voice"], &run["transport"], &run["outcome"]),
            (&json!("claude"), &json!("api"), &json!("delivered"))
        );
        assert_eq!(
            (&run["tokens_in"], &run["tokens_cached"], &run["tokens_out"]),
            (&json!(1200), &json!(1000), &json!(80))
        );
        // 200 at a dollar a million, 1000 at a tenth, 80 at five.
        assert_eq!((&run["cost_micro_usd"], &runs["total"]["cost_micro_usd"]), (&json!(700), &json!(700)), "{wire}");
        assert_eq!((&run["model"], run["prompt_sha256"].as_str().map(str::len)), (&json!("scripted-1"), Some(64)));
        let health = get(&server, "/api/agents/health").await;
        let seat = &health["eidolons"][0]["voices"][0];
        assert_eq!(
            (&seat["voice"], &seat["tokens"], &seat["cost_usd"]),
            (&json!("claude"), &json!(1280), &json!(0.0007))
        );

        let told = max().args(["lead", "cost", &id, "--root"]).arg(root.path()).output().expect("max");
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("leadgen/claude") && told.contains("together $0.0007"), "{told}");
        assert_eq!(server.stop(), Some(0));
        assert_eq!(holders(root.path(), KEY.as_bytes()), Vec::<String>::new(), "the key is in no file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_makes_way_visibly_and_nothing_it_said_is_repeated() {
    for (fault, class) in [
        (Fault::Unauthorized, "auth_expired"),
        (Fault::RateLimited(Some("600".into())), "rate_limited"),
        (Fault::Cut(judgement()), "crash"),
        (Fault::ContextTooLong, "context_too_long"),
    ] {
        let model = ModelServer::in_order(vec![Reply::Fault(fault)]).await;
        let (_key, setting) = in_a_file();
        let root = root("anthropic", &model.url(), &setting);
        let server = Server::start(root.path(), &[], &[("MAX_LOG", "trace")]);
        let id = judged(&server, MESSAGE).await;
        let submitted = work(&server, &id).await;
        assert_eq!(submitted["voice"], "playbook");
        assert_eq!(submitted["instead_of"], json!([format!("claude: {class}")]), "the log says instead of whom");
        let runs = get(&server, &format!("/api/leads/{id}/runs")).await["runs"].clone();
        let outcomes: Vec<(&str, &str)> = runs
            .as_array()
            .expect("runs")
            .iter()
            .map(|run| (run["voice"].as_str().expect("a voice"), run["outcome"].as_str().expect("an outcome")))
            .collect();
        assert_eq!(outcomes, [("claude", class), ("playbook", "delivered")]);
        let health = get(&server, "/api/agents/health").await;
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["eidolons"][0]["voices"][0]["state"], "failing");
        assert_eq!(server.stop(), Some(0));
        assert_eq!(holders(root.path(), KEY.as_bytes()), Vec::<String>::new(), "the key is in no file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_the_call_before_it_is_made() {
    let model = ModelServer::in_order(vec![Reply::says(judgement())]).await;
    let root = root("openai-chat", &model.url(), "[budget]\nper_lead = 0.000001\n");
    let server = Server::start(root.path(), &[], &[]);
    let id = judged(&server, MESSAGE).await;
    assert_eq!(model.log().len(), 0, "nobody was asked");
    let submitted = work(&server, &id).await;
    assert_eq!(submitted["instead_of"], json!(["claude: budget_denied"]));
}

#[test]
fn a_voice_without_its_key_is_told_by_doctor_and_keeps_nobody_from_working() {
    let doctor = |root: &Path, value: Option<&str>| {
        let mut command = max();
        command.env_remove("MAX_TEST_MODEL_KEY").args(["doctor", "--root"]).arg(root);
        if let Some(value) = value {
            command.env("MAX_TEST_MODEL_KEY", value);
        }
        String::from_utf8_lossy(&command.output().expect("max").stdout).into_owned()
    };
    let by_name = root("anthropic", "https://model.example", "api_key_env = \"MAX_TEST_MODEL_KEY\"");
    let told = doctor(by_name.path(), None);
    assert!(
        told.contains("voice fast: it has no key: the environment variable MAX_TEST_MODEL_KEY is not set"),
        "{told}"
    );
    assert!(!doctor(by_name.path(), Some(KEY)).contains("voice fast"));
    let broken = doctor(by_name.path(), Some("two words"));
    assert!(broken.contains("its key in MAX_TEST_MODEL_KEY") && !broken.contains("two words"), "{broken}");

    let (key, setting) = in_a_file();
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o644)).expect("set");
    let told = doctor(root("gemini", "https://model.example", &setting).path(), None);
    assert!(told.contains("can be read by others; run `chmod 600"), "{told}");
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o600)).expect("set");
    let told = doctor(root("gemini", "http://model.example", &setting).path(), None);
    assert!(told.contains("base_url must begin with https://"), "{told}");

    let server = Server::start(by_name.path(), &[], &[]);
    assert_eq!(server.stop(), Some(0), "MAX starts all the same");
}

/// The real small model of `./test`; nothing where it is not installed (never in CI).
struct SmallModel {
    child: std::process::Child,
    url: String,
}

impl Drop for SmallModel {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn small_model() -> Option<SmallModel> {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/process/small_model.py");
    let mut child = crate::process::python()?
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Python");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let url = lines.find_map(|line| line.ok()?.strip_prefix("listening on ").map(str::to_owned));
    let Some(url) = url else {
        drop(child.wait());
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "the small model is not installed: run the tests by ./test"
        );
        eprintln!("left out: the small model is not installed; run ./test");
        return None;
    };
    std::thread::spawn(move || lines.for_each(drop));
    Some(SmallModel { child, url })
}

/// The way there and back with a real model: what it judges is its own business.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_small_model_judges_a_lead() {
    let Some(model) = small_model() else { return };
    let more = "timeout = \"4m\"\nidle_timeout = \"3m\"\nmax_output_tokens = 600";
    let root = root("openai-chat", &model.url, more);
    let server = Server::start(root.path(), &[], &[]);
    let id = judged(&server, "We need a new web site by March.").await;
    let runs = get(&server, &format!("/api/leads/{id}/runs")).await;
    let submitted = work(&server, &id).await;
    assert_eq!(submitted["voice"], "claude", "the model's judgement counts: {runs}");
    let run = runs["runs"].as_array().and_then(|runs| runs.last()).expect("a run");
    assert_eq!((&run["outcome"], &run["transport"]), (&json!("delivered"), &json!("api")), "{runs}");
    assert!(run["tokens_in"].as_u64() > Some(100) && run["tokens_out"].as_u64() > Some(20), "it counted: {runs}");
}
