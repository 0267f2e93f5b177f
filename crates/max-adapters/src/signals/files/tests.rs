//! The drop box as people and scripts use it.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use max_core::signal::SignalType;
use max_engine::ports::Clock;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

const LEAD: &str = "type: LEAD\nname: Anna\nmessage: A shop, please.\n";

/// A clock that stands still.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        "2026-11-22T10:11:12Z".parse().expect("a moment")
    }
    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

/// A drop box in a folder of its own, and what it was given.
struct Box_ {
    root: TempDir,
    handle: Option<DropBoxHandle>,
    seen: UnboundedReceiver<Inbound>,
}

fn patient() -> DropBoxConfig {
    // Long enough that a test which relied on the rescan alone would be seen.
    DropBoxConfig { rescan: Duration::from_millis(50), settle: Duration::from_millis(200), ..fast() }
}

fn fast() -> DropBoxConfig {
    DropBoxConfig {
        rescan: Duration::from_millis(20),
        settle: Duration::from_millis(60),
        retry: Duration::from_millis(20),
        concurrency: 8,
    }
}

impl Box_ {
    fn open(config: DropBoxConfig, verdict: impl Fn(&Inbound) -> Verdict + Send + Sync + 'static) -> Self {
        Self::open_in(tempfile::tempdir().expect("a folder"), config, &[], verdict)
    }

    fn open_in(
        root: TempDir,
        config: DropBoxConfig,
        live: &[&str],
        verdict: impl Fn(&Inbound) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let (tell, seen) = unbounded_channel();
        let intake = move |inbound: Inbound| -> BoxFuture<'static, Verdict> {
            let verdict = verdict(&inbound);
            let _ = tell.send(inbound);
            async move { verdict }.boxed()
        };
        let live: HashSet<String> = live.iter().map(|name| (*name).to_owned()).collect();
        let handle = DropBox::start(root.path(), "me.1", live, Arc::new(intake), Arc::new(Stopped), config)
            .expect("the drop box opens");
        Self { root, handle: Some(handle), seen }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// Puts a file there as a careful script does.
    fn drop_file(&self, name: impl AsRef<Path>, content: &[u8]) {
        let aside = self.path(".aside");
        std::fs::write(&aside, content).expect("a file");
        std::fs::rename(aside, self.path(name)).expect("a rename");
    }

    async fn next(&mut self) -> Inbound {
        tokio::time::timeout(Duration::from_secs(60), self.seen.recv())
            .await
            .expect("a signal in time")
            .expect("a signal")
    }

    /// Waits until a path exists.
    async fn appears(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.path(name);
        until(|| path.symlink_metadata().is_ok(), &path).await;
        path
    }

    async fn reason(&self, name: &str) -> String {
        let path = self.appears(format!(".rejected/{name}.reason.txt")).await;
        self.appears(format!(".rejected/{name}")).await;
        std::fs::read_to_string(path).expect("a reason")
    }
}

async fn until(fact: impl Fn() -> bool, what: &Path) {
    let waiting = async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap_or_else(|_| panic!("{what:?} in time"));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_dropped_signal_is_taken_in_and_kept() {
    let mut box_ = Box_::open(patient(), |_| Verdict::Accepted);
    box_.drop_file("a.yaml", LEAD.as_bytes());
    let inbound = box_.next().await;
    assert_eq!(inbound.signal.kind, SignalType::Lead);
    assert_eq!(inbound.file_name, "a.yaml");
    assert_eq!(inbound.raw_digest, Digest::of(LEAD.as_bytes()));
    assert_eq!(inbound.signal.id, Some(max_core::signal::derived_id("a.yaml", LEAD.as_bytes())));
    let kept = box_.appears(".processed/2026-11-22/a.yaml").await;
    assert_eq!(std::fs::read_to_string(kept).expect("a file"), LEAD);

    // The same name again is another signal, or the same one again; the intake knows.
    box_.drop_file("a.yaml", LEAD.as_bytes());
    assert_eq!(box_.next().await.signal.id, inbound.signal.id);
    box_.appears(".processed/2026-11-22/a-2.yaml").await;
    assert!(names(&box_.path(".processing")).is_empty());
}

#[tokio::test]
async fn every_kind_of_file_is_understood() {
    let mut box_ = Box_::open(patient(), |_| Verdict::Accepted);
    box_.drop_file("a.yml", b"type: HEARTBEAT");
    assert_eq!(box_.next().await.signal.kind, SignalType::Heartbeat);
    box_.drop_file("b.MD", b"---\ntype: CLIENT_MESSAGE\n---\nHello");
    assert_eq!(box_.next().await.signal.extra_text("body"), Some("Hello"));
    box_.drop_file(
        "c.eml",
        b"From: Anna <anna@client.example>\r\nMessage-ID: <1@client.example>\r\nSubject: Re: Offer\r\n\r\nYes.\r\n",
    );
    let mail = box_.next().await;
    assert_eq!(mail.signal.kind, SignalType::ClientMessage);
    assert_eq!(mail.signal.extra_text("address"), Some("anna@client.example"));
    assert_eq!(mail.signal.extra_text("body"), Some("Yes."));
    assert_eq!(mail.mail.expect("the mail").message_id.as_deref(), Some("1@client.example"));
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_put_aside_with_a_reason() {
    let box_ = Box_::open(fast(), |inbound| match inbound.signal.kind {
        SignalType::Heartbeat => Verdict::Rejected("nobody waits for it; send a LEAD".into()),
        _ => Verdict::Accepted,
    });
    std::fs::create_dir(box_.path("folder")).expect("a folder");
    std::fs::write(box_.path("folder/inside.yaml"), LEAD).expect("a file");
    std::fs::create_dir(box_.path("scoping_inbox")).expect("a folder");
    std::fs::write(box_.path(".hidden.yaml"), LEAD).expect("a file");
    std::os::unix::fs::symlink("/etc/passwd", box_.path("link.yaml")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, box_.path("pipe.yaml"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .expect("a pipe");
    box_.drop_file("broken.yaml", b"type: LEAD\n  x: [");
    box_.drop_file("wrong.yaml", b"type: HELLO");
    box_.drop_file("big.yaml", &vec![b'x'; 2 * 1024 * 1024]);
    box_.drop_file("notes.docx", b"PK");
    box_.drop_file("none", b"");
    box_.drop_file("empty.yaml", b"");
    box_.drop_file("refused.yaml", b"type: HEARTBEAT");
    box_.drop_file("no.eml", b"\0\0");
    for (name, words) in [
        ("folder", "a folder is no signal"),
        ("link.yaml", "a symbolic link is not followed"),
        ("pipe.yaml", "only ordinary files"),
        ("broken.yaml", "cannot be read"),
        ("wrong.yaml", "`HELLO` is unknown"),
        ("big.yaml", "2097152 bytes"),
        ("notes.docx", ".yaml, .yml, .md or .eml"),
        ("none", ".yaml, .yml, .md or .eml"),
        ("empty.yaml", "the file is empty"),
        ("refused.yaml", "nobody waits for it"),
        ("no.eml", "mail"),
    ] {
        let reason = box_.reason(name).await;
        assert!(reason.contains(words), "{name}: {reason}");
    }
    assert!(box_.path(".rejected/folder/inside.yaml").exists());
    assert!(box_.path(".rejected/link.yaml").is_symlink());
    assert!(box_.path(".hidden.yaml").exists() && box_.path("scoping_inbox").exists());
    assert!(names(&box_.path(".processing")).is_empty());

    box_.drop_file("wrong.yaml", b"type: HELLO");
    assert!(box_.reason("wrong-2.yaml").await.contains("unknown"));

    // A crash between the reason and the move leaves a reason too many; it is not taken for another file's.
    std::fs::write(box_.path(".rejected/crashed.yaml.reason.txt"), "older").expect("a file");
    box_.drop_file("crashed.yaml", b"type: HELLO");
    assert!(box_.reason("crashed-2.yaml").await.contains("unknown"));
    assert_eq!(std::fs::read_to_string(box_.path(".rejected/crashed.yaml.reason.txt")).expect("a file"), "older");
}

#[tokio::test]
async fn odd_names_are_taken_or_refused_and_break_nothing() {
    let mut box_ = Box_::open(fast(), |_| Verdict::Accepted);
    let odd: Vec<&[u8]> = vec![
        b"two words.yaml",
        "grüße 🎉.yaml".as_bytes(),
        b"new\nline.yaml",
        b"-rf.yaml",
        b"$(reboot);'\".yaml",
        b"\xff\xfe.yaml",
        b"a.b.c.yaml",
        b"*.yaml",
    ];
    for name in &odd {
        box_.drop_file(std::ffi::OsStr::from_bytes(name), LEAD.as_bytes());
    }
    for _ in &odd {
        assert_eq!(box_.next().await.signal.kind, SignalType::Lead);
    }
    for name in &odd {
        box_.appears(Path::new(".processed/2026-11-22").join(std::ffi::OsStr::from_bytes(name))).await;
    }
    let long = format!("{}.yaml", "x".repeat(250));
    box_.drop_file(&long, LEAD.as_bytes());
    assert!(box_.reason(&long[..200]).await.contains("shorten it"));
}

#[tokio::test]
async fn a_file_in_the_making_is_waited_for() {
    use std::io::Write;
    let mut box_ = Box_::open(DropBoxConfig { settle: Duration::from_secs(3600), ..fast() }, |_| Verdict::Accepted);
    let path = box_.path("slow.yaml");
    std::fs::write(&path, "type: LE").expect("the first half");
    // A second signal shows that the first has been looked at and left alone.
    box_.drop_file("other.yaml", LEAD.as_bytes());
    assert_eq!(box_.next().await.file_name, "other.yaml");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("the file is still there");
    file.write_all(b"AD\nname: Anna\nmessage: hi\n").expect("the second half");
    drop(file);
    assert_eq!(box_.next().await.signal.extra_text("message"), Some("hi"));
    assert!(names(&box_.path(".rejected")).is_empty());
}

#[tokio::test]
async fn a_signal_that_cannot_be_taken_in_now_is_offered_again() {
    let tries = AtomicUsize::new(0);
    let mut box_ = Box_::open(fast(), move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0..3 => Verdict::Retry("the store is full".into()),
        _ => Verdict::Accepted,
    });
    box_.drop_file("a.yaml", LEAD.as_bytes());
    let first = box_.next().await;
    for _ in 0..3 {
        assert_eq!(box_.next().await, first);
    }
    box_.appears(".processed/2026-11-22/a.yaml").await;
}

#[tokio::test]
async fn what_a_dead_instance_has_claimed_is_taken_up_and_what_a_living_one_has_is_not() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join(".processing")).expect("a folder");
    for claim in ["dead.yaml.gone", "mine.yaml.me1", "theirs.yaml.you"] {
        std::fs::write(root.path().join(".processing").join(claim), LEAD).expect("a claim");
    }
    // A new file has taken the name of a claimed one: both count, each under the name that its id comes from.
    std::fs::write(root.path().join("dead.yaml"), "type: HEARTBEAT\n").expect("a file");
    let mut box_ = Box_::open_in(root, fast(), &["you"], |_| Verdict::Accepted);
    let mut seen: Vec<_> = Vec::new();
    for _ in 0..3 {
        let inbound = box_.next().await;
        seen.push((inbound.file_name, inbound.signal.kind.name()));
    }
    seen.sort_unstable();
    let expected = [("dead.yaml", "HEARTBEAT"), ("dead.yaml", "LEAD"), ("mine.yaml", "LEAD")];
    assert_eq!(seen, expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(names(&box_.path(".processing")).iter().filter(|n| n.contains("theirs")).count(), 1);

    box_.handle.as_ref().expect("a handle").set_live(HashSet::new());
    assert_eq!(box_.next().await.file_name, "theirs.yaml");
}

#[tokio::test]
async fn two_instances_share_a_box_without_taking_a_signal_twice() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let root = tempfile::tempdir().expect("a folder");
    let live: HashSet<String> = ["a".to_owned(), "b".to_owned()].into();
    let handles: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|instance| {
            let seen = seen.clone();
            let intake = move |inbound: Inbound| -> BoxFuture<'static, Verdict> {
                seen.lock().push(inbound.file_name);
                std::future::ready(Verdict::Accepted).boxed()
            };
            DropBox::start(root.path(), instance, live.clone(), Arc::new(intake), Arc::new(Stopped), fast())
                .expect("the drop box opens")
        })
        .collect();
    for number in 0..200 {
        let aside = root.path().join(".aside");
        std::fs::write(&aside, LEAD).expect("a file");
        std::fs::rename(aside, root.path().join(format!("{number}.yaml"))).expect("a rename");
    }
    let done = root.path().join(".processed/2026-11-22");
    until(|| done.exists() && names(&done).len() == 200, &done).await;
    for handle in handles {
        handle.shutdown().await;
    }
    let mut seen = seen.lock().clone();
    assert_eq!(seen.len(), 200);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 200);
    assert!(names(&root.path().join(".rejected")).is_empty());
}

#[tokio::test]
async fn many_files_at_once_are_taken_in_a_few_at_a_time() {
    let root = tempfile::tempdir().expect("a folder");
    for number in 0..2_000 {
        std::fs::write(root.path().join(format!("{number:05}.yaml")), LEAD).expect("a file");
    }
    let (now, most, all) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (now.clone(), most.clone(), all.clone());
    let intake = move |_: Inbound| -> BoxFuture<'static, Verdict> {
        let (now, most, all) = counts.clone();
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            all.fetch_add(1, Ordering::SeqCst);
            Verdict::Accepted
        }
        .boxed()
    };
    let handle = DropBox::start(root.path(), "me", HashSet::new(), Arc::new(intake), Arc::new(Stopped), fast())
        .expect("the drop box opens");
    let done = root.path().join(".processed/2026-11-22");
    until(|| done.exists() && names(&done).len() == 2_000, &done).await;
    handle.shutdown().await;
    assert_eq!(all.load(Ordering::SeqCst), 2_000);
    assert!(most.load(Ordering::SeqCst) <= 8);
}

#[tokio::test]
async fn an_intake_that_panics_does_not_stop_the_box() {
    let panicked = AtomicUsize::new(0);
    let mut box_ = Box_::open(fast(), move |inbound| {
        if inbound.file_name == "bad.yaml" && panicked.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("on purpose");
        }
        Verdict::Accepted
    });
    box_.drop_file("bad.yaml", LEAD.as_bytes());
    assert_eq!(box_.next().await.file_name, "bad.yaml");
    box_.appears(".processed/2026-11-22/bad.yaml").await;
}

#[tokio::test]
async fn folders_that_vanish_are_made_again() {
    let mut box_ = Box_::open(fast(), |_| Verdict::Accepted);
    for sub in [".processing", ".processed", ".rejected"] {
        std::fs::remove_dir_all(box_.path(sub)).expect("the folder goes");
    }
    box_.drop_file("a.yaml", LEAD.as_bytes());
    box_.next().await;
    box_.appears(".processed/2026-11-22/a.yaml").await;
}

/// Not a test of time, a look at it: `cargo test --release -p max-adapters wake_latency -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn wake_latency() {
    let mut box_ = Box_::open(DropBoxConfig::default(), |_| Verdict::Accepted);
    for (what, gap) in [("one by one", 0), ("every 10 ms", 10), ("every 2 ms", 2)] {
        let mut times = Vec::new();
        for number in 0..1_000 {
            let aside = box_.path(".aside");
            std::fs::write(&aside, LEAD).expect("a file");
            let start = std::time::Instant::now();
            std::fs::rename(aside, box_.path(format!("{what} {number}.yaml"))).expect("a rename");
            box_.next().await;
            times.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(gap)).await;
        }
        times.sort();
        println!("{what}: p50 {:?}, p99 {:?}, most {:?}", times[500], times[990], times[999]);
    }
    let start = std::time::Instant::now();
    for number in 0..10_000 {
        box_.drop_file(format!("{number}.yaml"), LEAD.as_bytes());
    }
    println!("10,000 dropped in {:?}", start.elapsed());
    for _ in 0..10_000 {
        box_.next().await;
    }
    println!("and taken in after {:?}", start.elapsed());
}

#[tokio::test]
async fn an_intake_cut_off_again_and_again_loses_nothing() {
    let mut root = tempfile::tempdir().expect("a folder");
    for number in 0..300 {
        let text = if number % 10 == 0 { "type: HELLO\n" } else { LEAD };
        std::fs::write(root.path().join(format!("{number:03}.yaml")), text).expect("a file");
    }
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let settled = |root: &Path| {
        let count = |folder: &str| {
            let folder = root.join(folder);
            if folder.exists() { names(&folder).iter().filter(|name| name.ends_with(".yaml")).count() } else { 0 }
        };
        (count(".processed/2026-11-22"), count(".rejected"))
    };
    while settled(root.path()) != (270, 30) {
        let known = seen.clone();
        let mut box_ = Box_::open_in(root, fast(), &[], move |inbound| {
            known.lock().insert(inbound.file_name.clone());
            Verdict::Accepted
        });
        // Some signals, or the end of the work, whatever comes first; then the box is cut off in the middle.
        for _ in 0..40 {
            tokio::select! {
                inbound = box_.seen.recv() => drop(inbound),
                () = async {
                    while settled(box_.root.path()) != (270, 30) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                } => break,
            }
        }
        drop(box_.handle.take());
        root = box_.root;
    }
    assert_eq!(seen.lock().len(), 270);
    for name in names(&root.path().join(".rejected")).iter().filter(|name| name.ends_with(".yaml")) {
        assert!(root.path().join(".rejected").join(format!("{name}.reason.txt")).exists(), "{name}");
    }
}
