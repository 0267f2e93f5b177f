//! Scripts that behave and scripts that do not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use max_core::policy::Policy;
use tempfile::TempDir;

use super::*;
use crate::samples;

const ANSWER: &str = r#"{"result":{"kind":"needs_person","reason":"too hard"},
 "messages":[{"kind":"reply","subject":"Hi","body":"Hello","written_by":"a liar"}],
 "files":[{"name":"a.txt","text":"x"},{"name":"b/c.bin","base64":"AAE="}],"summary":"Asked for help."}"#;

/// A script in a folder of its own, and a voice that runs it.
struct Script {
    folder: TempDir,
    voice: ScriptVoice,
}

impl Script {
    fn new(text: &str) -> Self {
        Self::with(text, Duration::from_secs(20), 1024 * 1024)
    }

    fn with(text: &str, time_limit: Duration, output_limit: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("script");
        let text = text.replace("@FOLDER@", &folder.path().display().to_string()).replace("@ANSWER@", ANSWER);
        std::fs::write(&path, text).expect("a script");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it can be run");
        // Run through its interpreter: another test's fork may still hold the fresh script open for writing.
        let interpreter = if std::fs::read(&path).is_ok_and(|t| t.starts_with(b"#!/usr/bin/env python3")) {
            "/usr/bin/env python3"
        } else {
            "/bin/sh"
        };
        let mut command: Vec<String> = interpreter.split(' ').map(str::to_owned).collect();
        command.push(path.display().to_string());
        let mut program = Program::new(&command, time_limit).expect("a program");
        program.output_limit = output_limit;
        Self { folder, voice: ScriptVoice::new("helper", program) }
    }

    async fn think(&self) -> Result<Thought, CallFail> {
        let lead = samples::lead();
        let task = lead.open_task().expect("a task").clone();
        let brief = Brief {
            lead: Arc::new(lead),
            task,
            attempt: 2,
            messages: vec![max_core::lead::Message { direction: Direction::In, ..samples::message() }],
            policy: Arc::new(Policy::default()),
            now: samples::now(),
            findings: vec![Finding::new("LG-1", "the sum is wrong")],
            related: Vec::new(),
            meter: max_engine::spend::Meter::default(),
        };
        self.voice.think(&brief).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// Waits for a process to be gone.
async fn is_gone(pid: &str) {
    let pid: u32 = pid.trim().parse().expect("a process id");
    let waiting = async {
        // A zombie is dead; who buries it is not ours to say.
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("the process is gone");
}

#[tokio::test]
async fn a_script_reads_the_brief_and_answers() {
    let script =
        Script::new("cat > @FOLDER@/brief; env > @FOLDER@/env; pwd > @FOLDER@/cwd\ncat <<'END'\n@ANSWER@\nEND\n");
    let thought = script.think().await.expect("a thought");
    assert_eq!(thought.result.name(), "needs_person");
    assert_eq!(thought.messages[0].written_by, "helper", "who wrote it is not the script's to say");
    assert_eq!(thought.files[1], File { name: "b/c.bin".into(), bytes: vec![0, 1] });

    let brief: Value = serde_json::from_str(&script.read("brief")).expect("JSON");
    assert_eq!(brief["schema"], "max.brief/1");
    assert_eq!(brief["stage"], "LeadGen");
    assert_eq!(brief["attempt"], 2);
    assert_eq!(brief["lead"]["contact"]["email"], "anna@client.example");
    assert_eq!(brief["messages"][0]["untrusted"], true);
    assert_eq!(brief["policy"]["qualification_cut"], 40);
    assert_eq!(brief["findings"][0]["rule"], "LG-1");

    let env = script.read("env");
    assert!(!env.contains("HOME=") && !env.contains("CARGO"), "{env}");
    assert!(script.read("cwd").contains("max-script-"));
    assert!(!PathBuf::from(script.read("cwd").trim()).exists(), "its folder is gone");
}

#[tokio::test]
async fn bad_answers_are_told_apart() {
    for (text, expected) in [
        ("true", "empty"),
        ("echo; echo '  '", "empty"),
        ("echo '{\"result\": {\"kind\"'", "not what was asked"),
        ("echo '[]'", "not what was asked"),
        ("echo '{\"result\":{\"kind\":\"unheard_of\"},\"summary\":\"x\"}'", "not what was asked"),
        (
            "echo '{\"result\":{\"kind\":\"needs_person\",\"reason\":\"x\"},\"summary\":\"x\",\"more\":1}'",
            "unknown field `more`",
        ),
        (
            "echo '{\"result\":{\"kind\":\"needs_person\",\"reason\":\"x\"},\"summary\":\"x\",\"files\":[{\"name\":\"../x\",\"text\":\"\"}]}'",
            "no plain relative name",
        ),
        (
            "echo '{\"result\":{\"kind\":\"needs_person\",\"reason\":\"x\"},\"summary\":\"x\",\"files\":[{\"name\":\"x\"}]}'",
            "needs either `text` or `base64`",
        ),
        ("echo half a th; echo 'out of cheese' >&2; exit 3", "out of cheese"),
        ("kill -9 $$", "signal: 9"),
        ("echo x; printf '\\377'", "not what was asked"),
    ] {
        let error = Script::new(text).think().await.expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_crash() {
    let program = Program::new(&["/nonexistent/script".into()], Duration::from_secs(5)).expect("a program");
    let script = Script { voice: ScriptVoice::new("none", program), folder: tempfile::tempdir().expect("a folder") };
    assert!(matches!(script.think().await, Err(CallFail::Crash(_))));
    assert!(Program::new(&["sh".into()], Duration::from_secs(5)).is_err());
    assert!(Program::new(&[], Duration::from_secs(5)).is_err());
}

#[tokio::test]
async fn endless_output_is_cut_off() {
    let script = Script::with("echo $$ > @FOLDER@/pid; exec yes", Duration::from_secs(60), 64 * 1024);
    let error = script.think().await.expect_err("too much");
    assert!(matches!(&error, CallFail::Malformed(text) if text.contains("65536")), "{error}");
    is_gone(&script.read("pid")).await;

    let large = "#!/usr/bin/env python3\nimport sys\nsys.stdout.write('x' * 100_000_000)\n";
    let error = Script::with(large, Duration::from_secs(60), 1024 * 1024).think().await.expect_err("too much");
    assert!(matches!(&error, CallFail::Malformed(text) if text.contains("1048576")), "{error}");
}

#[tokio::test]
async fn complaints_without_end_do_no_harm() {
    let script = Script::new(
        "i=0; while [ $i -lt 20000 ]; do echo 'a long complaint about nothing' >&2; i=$((i+1)); done; exit 1",
    );
    let error = script.think().await.expect_err("a crash").to_string();
    assert!(error.contains("a long complaint") && error.len() < 2_000, "{}", error.len());
}

#[tokio::test]
async fn a_script_that_never_ends_is_killed_with_its_children() {
    let script = Script::with(
        "trap '' TERM INT HUP\nsh -c 'trap \"\" TERM; echo $$ > @FOLDER@/child; while :; do sleep 1; done' &\n\
         echo $$ > @FOLDER@/pid\nwhile :; do sleep 1; done",
        Duration::from_secs(2),
        1024,
    );
    assert!(matches!(script.think().await, Err(CallFail::Timeout(_))));
    is_gone(&script.read("pid")).await;
    is_gone(&script.read("child")).await;
}

#[tokio::test]
async fn children_that_outlive_their_script_are_found_even_in_a_session_of_their_own() {
    let script = Script::new(
        "#!/usr/bin/env python3\nimport os, sys, time\nread, write = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n\
         \x20   open('@FOLDER@/child', 'w').write(str(os.getpid()))\n    os.write(write, b'x')\n    time.sleep(1000)\n\
         os.read(read, 1)\nprint('''@ANSWER@''')\n",
    );
    assert_eq!(script.think().await.expect("an answer").summary, "Asked for help.");
    is_gone(&script.read("child")).await;
}

#[tokio::test]
async fn nobody_waiting_any_more_ends_the_script() {
    let script = Script::new("echo $$ > @FOLDER@/pid.new; mv @FOLDER@/pid.new @FOLDER@/pid; while :; do sleep 1; done");
    let started = async {
        while !script.path("pid").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        thought = script.think() => panic!("it never ends: {thought:?}"),
        () = started => {}
    }
    is_gone(&script.read("pid")).await;
}

#[tokio::test]
async fn a_large_brief_does_not_hang_on_a_script_that_ignores_it() {
    let script = Script::new("cat <<'END'\n@ANSWER@\nEND\n");
    let program = &script.voice.program;
    let input = vec![b'x'; 8 * 1024 * 1024];
    let finished = program.run(script.folder.path(), &input, &[]).await.expect("it ends");
    assert!(finished.status.success());
}
