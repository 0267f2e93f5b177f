//! What a program behind the wall can see, reach and use up. The tests run the real bubblewrap.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOON: Timestamp = Timestamp::UNIX_EPOCH;

/// The sandbox, or a word that its tests are left out (never in CI).
fn sandbox() -> Option<Sandbox> {
    match Sandbox::find() {
        Ok(sandbox) => Some(sandbox),
        Err(missing) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("{missing}: run the tests by ./test")
        }
        Err(missing) => {
            eprintln!("left out: {missing}");
            None
        }
    }
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

/// Runs a shell script behind the wall, over a folder of its own.
async fn play(sandbox: &Sandbox, script: &str) -> (Result<(), String>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = sandbox.run(&shell(script), folder.path(), NOON).await;
    (ended, folder)
}

fn report(folder: &tempfile::TempDir) -> String {
    std::fs::read_to_string(folder.path().join("report")).expect("the script's report")
}

/// How many processes carry a word in their command line.
fn alive(word: &str) -> usize {
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    all.filter(|entry| {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        entry.file_name() != std::process::id().to_string().as_str() && String::from_utf8_lossy(&command).contains(word)
    })
    .count()
}

async fn nobody_is_left(word: &str) {
    for _ in 0..200 {
        if alive(word) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} processes are left", alive(word));
}

#[tokio::test]
async fn nothing_of_max_or_of_the_machine_is_there() {
    let Some(sandbox) = sandbox() else { return };
    // Open to everybody, so that it is the wall that keeps the script out and not the permissions.
    let root = tempfile::tempdir().expect("a root");
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).expect("open");
    let secrets = ["max.db", "run/token", "max-pipeline/another-lead/state.json"];
    for name in secrets {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, "swordfish").expect("written");
    }
    let mut script = String::from("exec 2>&1 >report\n");
    for name in secrets {
        script.push_str(&format!("cat {}/{name} && echo LEAK\n", root.path().display()));
    }
    script.push_str(
        "for f in /etc/shadow /etc/passwd /etc/hostname /proc/1/root/etc/shadow; do\n\
           grep -q . $f && echo \"LEAK $f\"\n\
         done\n\
         for d in /root /home /var /run /srv /opt /sys; do [ -e $d ] && echo \"LEAK $d\"; done\n\
         for f in /x /etc/x /usr/x /dev/x /proc/sys/kernel/hostname; do\n\
           echo y 2>/dev/null >$f && echo \"WROTE $f\"\n\
         done\n\
         echo y >/tmp/scratch && echo 'tmp is writable'\n\
         ls / | tr '\\n' ' '\n",
    );
    let (ended, folder) = play(&sandbox, &script).await;
    assert_eq!(ended, Ok(()));
    let said = report(&folder);
    assert!(!said.contains("swordfish") && !said.contains("LEAK") && !said.contains("WROTE"), "{said}");
    assert!(said.contains("tmp is writable") && said.contains("workspace"), "{said}");
    // The test itself can read them, so there was something to find.
    assert_eq!(std::fs::read_to_string(root.path().join("run/token")).expect("readable"), "swordfish");
}

#[tokio::test]
async fn it_is_nobody_without_rights_and_sees_no_other_process() {
    let Some(sandbox) = sandbox() else { return };
    let script = "{ id -u; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' '
        unshare --user true 2>/dev/null && echo NESTED
        ls /proc | grep -c '^[0-9]'; hostname; env | sort; tr '\\0' '\\n' </proc/1/environ >first; } >report";
    let (ended, folder) = play(&sandbox, script).await;
    assert_eq!(ended, Ok(()));
    let said = report(&folder);
    let mut lines = said.lines();
    assert_eq!((lines.next(), lines.next()), (Some("65534"), Some("65534")), "{said}");
    for fact in ["CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1", "workspace"] {
        assert!(said.contains(fact), "{fact}: {said}");
    }
    assert!(!said.contains("NESTED"), "no further namespace can be made: {said}");
    let processes: usize = said.lines().find_map(|line| line.parse().ok().filter(|n| *n < 1_000)).expect("a count");
    assert!(processes < 10, "only its own processes: {said}");
    let names: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(names, ["HOME", "LANG", "PATH", "PWD", "SOURCE_DATE_EPOCH", "TMPDIR", "TZ"], "{said}");
    // What bubblewrap itself was started with can be read; there is nothing of MAX's in it.
    let first = std::fs::read_to_string(folder.path().join("first")).expect("the first process");
    let harmless = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "MAX_RUN", "PWD"];
    let odd: Vec<&str> =
        first.lines().filter(|line| !harmless.contains(&line.split('=').next().unwrap_or(""))).collect();
    assert_eq!(odd, Vec::<&str>::new());
}

#[tokio::test]
async fn there_is_no_way_to_the_network_not_even_to_this_machine() {
    let Some(sandbox) = sandbox() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("an address").port();
    let script = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' 2>report && echo CONNECTED >report; true");
    let (ended, folder) = play(&sandbox, &script).await;
    assert_eq!(ended, Ok(()));
    let said = report(&folder);
    assert!(said.contains("refused") || said.contains("unreachable"), "{said}");
    assert_eq!(listener.accept().map(drop).map_err(|e| e.kind()), Err(io::ErrorKind::WouldBlock), "nobody came");
}

#[tokio::test]
async fn endless_output_and_an_endless_run_are_cut_and_nothing_stays_behind() {
    let Some(mut sandbox) = sandbox() else { return };
    let (ended, _folder) = play(&sandbox, "yes").await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("wrote more than")), "{ended:?}");
    sandbox.limits.time = Duration::from_millis(700);
    let mark = format!("9{}", std::process::id());
    let (ended, folder) = play(&sandbox, &format!("echo begun >report; setsid sleep {mark} & sleep {mark}")).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("did not end within")), "{ended:?}");
    assert_eq!(report(&folder), "begun\n");
    nobody_is_left(&mark).await;
}

#[tokio::test]
async fn a_fork_bomb_comes_to_its_limit_and_to_its_end() {
    let Some(mut sandbox) = sandbox() else { return };
    sandbox.limits = Limits { processes: 24, time: Duration::from_secs(20), ..sandbox.limits };
    let mark = format!("8{}", std::process::id());
    let script = format!("i=0; while [ $i -lt 500 ]; do echo $i >report; sleep {mark} & i=$((i+1)); done");
    let (ended, folder) = play(&sandbox, &script).await;
    assert!(ended.as_ref().is_err_and(|why| why.to_lowercase().contains("fork")), "{ended:?}");
    let started: u32 = report(&folder).trim().parse().expect("a number");
    assert!((5..24).contains(&started), "{started} were started");
    nobody_is_left(&mark).await;
}

#[tokio::test]
async fn memory_and_room_are_limited() {
    let Some(mut sandbox) = sandbox() else { return };
    let full = "for i in 1 2 3 4 5 6 7 8; do head -c 10000000 /dev/zero >/tmp/$i || exit 9; done";
    let (ended, _folder) = play(&sandbox, full).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("No space left")), "{ended:?}");
    sandbox.limits = Limits { memory: 32 << 20, file: 1 << 20, folder: 4 << 20, ..sandbox.limits };
    // `tail` keeps a line that never ends.
    let (ended, _folder) = play(&sandbox, "head -c 200000000 /dev/zero | tail >/dev/null").await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("memory")), "{ended:?}");
    let (ended, folder) = play(&sandbox, "dd if=/dev/zero of=large bs=1M count=3").await;
    assert!(ended.is_err());
    assert!(std::fs::metadata(folder.path().join("large")).expect("begun").len() <= 1 << 20);
    let endless = "i=0; while :; do head -c 1000000 /dev/zero >f$i; i=$((i+1)); done";
    let (ended, _folder) = play(&sandbox, endless).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("filled its folder")), "{ended:?}");
    sandbox.limits = Limits { entries: 50, ..Limits::default() };
    let (ended, _folder) = play(&sandbox, "i=0; while :; do mkdir d$i; i=$((i+1)); done").await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("50 files")), "{ended:?}");
}

#[tokio::test]
async fn the_same_input_gives_the_same_files_wherever_the_copy_lies() {
    let Some(sandbox) = sandbox() else { return };
    let script = "{ pwd; echo $SOURCE_DATE_EPOCH; cat given; } >report";
    let mut reports = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("given"), "a project\n").expect("written");
        let ended = sandbox.run(&shell(script), folder.path(), Timestamp::constant(1_000, 0)).await;
        assert_eq!(ended, Ok(()));
        reports.push(report(&folder));
    }
    assert_eq!(reports[0], "/workspace\n1000\na project\n");
    assert_eq!(reports[0], reports[1]);
}

#[tokio::test]
async fn a_script_outside_the_system_is_seen_alone_and_cannot_be_changed() {
    let Some(sandbox) = sandbox() else { return };
    let home = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).expect("open");
    let (written, script) = (home.path().join("draft"), home.path().join("open-project"));
    std::fs::write(&written, "#!/bin/sh\nls \"${0%/*}\" >report\necho more >>\"$0\" || echo kept >>report\n")
        .expect("written");
    // Made by another process: a file that this one still had open could not be started.
    for (program, arguments) in [("cp", ["-p"]), ("chmod", ["0777"])] {
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        if program == "cp" {
            command.arg(&written);
        }
        assert!(command.arg(&script).status().expect(program).success());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ended = sandbox.run(&[script.display().to_string()], folder.path(), NOON).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(report(&folder), "open-project\nkept\n");
    assert!(!std::fs::read_to_string(&script).expect("the script").contains("more\nmore"));
}

#[tokio::test]
async fn what_cannot_be_started_says_so() {
    let Some(mut sandbox) = sandbox() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let ended = sandbox.run(&["/usr/bin/no-such-program".into()], folder.path(), NOON).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("no-such-program")), "{ended:?}");
    let ended = sandbox.run(&["sh".into()], folder.path(), NOON).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("absolute path")), "{ended:?}");
    sandbox.bubblewrap = "/usr/bin/no-bwrap".into();
    let ended = sandbox.run(&shell("true"), folder.path(), NOON).await;
    assert!(ended.as_ref().is_err_and(|why| why.contains("could not be started")), "{ended:?}");
    assert_eq!(Sandbox::check().await, Ok(()));
}
