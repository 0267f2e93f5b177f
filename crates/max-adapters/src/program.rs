//! Running a program of the owner's: no shell, a cleared environment, a process group of its own, limits on time and
//! output, and nothing left behind when it ends, runs out of time or nobody waits for it any more.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Names of environment variables that every program may see.
const HARMLESS: [&str; 5] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];

/// How much of the standard error stream is kept: its end.
const STDERR_TAIL: usize = 4 * 1024;

/// How long a pipe may stay open after the program itself has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The mark by which processes that left their group are found again.
const MARK: &str = "MAX_RUN";

/// A program from the owner's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The executable, an absolute path.
    pub path: PathBuf,
    /// Its arguments, each passed as it is.
    pub args: Vec<String>,
    /// Names of environment variables it may see beside the harmless ones (`PATH`, `LANG`, `LC_*`, `TZ`).
    pub env_allow: Vec<String>,
    /// How long it may run.
    pub time_limit: Duration,
    /// How many bytes it may write to standard output.
    pub output_limit: usize,
}

impl Program {
    /// A program by its command line: the first word must be an absolute path.
    pub fn new(command: &[String], time_limit: Duration) -> Result<Self, NotAbsolute> {
        let (path, args) = command.split_first().ok_or(NotAbsolute(String::new()))?;
        if !Path::new(path).is_absolute() {
            return Err(NotAbsolute(path.clone()));
        }
        Ok(Self {
            path: path.into(),
            args: args.to_vec(),
            env_allow: Vec::new(),
            time_limit,
            output_limit: 4 * 1024 * 1024,
        })
    }

    /// Runs it once in `folder`, with `input` on standard input and `env` in its environment.
    pub(crate) async fn run(&self, folder: &Path, input: &[u8], env: &[(&str, String)]) -> Result<Finished, RunError> {
        self.run_as(None, folder, input, env).await
    }

    /// The same as another user, with his group and no other; only root can.
    pub(crate) async fn run_as(
        &self,
        user: Option<u32>,
        folder: &Path,
        input: &[u8],
        env: &[(&str, String)],
    ) -> Result<Finished, RunError> {
        let mark = uuid::Uuid::new_v4().to_string();
        let mut command = Command::new(&self.path);
        command.args(&self.args).current_dir(folder).env_clear();
        for name in HARMLESS.into_iter().chain(self.env_allow.iter().map(String::as_str)) {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command.env("TMPDIR", folder).env(MARK, &mark);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().map_err(RunError::Start)?;
        let family = Family { group: child.id(), mark, over: AtomicBool::new(false) };
        let outcome = tokio::time::timeout(self.time_limit, talk(&mut child, &family, input, self.output_limit)).await;
        drop(family);
        outcome.unwrap_or(Err(RunError::Timeout(self.time_limit)))
    }
}

/// Feeds the program, listens to it and waits for its end.
async fn talk(child: &mut Child, family: &Family, input: &[u8], limit: usize) -> Result<Finished, RunError> {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take().map(|pipe| Ear::first(pipe, limit));
    let stderr = child.stderr.take().map(|pipe| Ear::last(pipe, STDERR_TAIL));
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(RunError::Start(io::Error::other("the program has no pipes")));
    };
    let feed = async {
        // A program that does not read its input closes the pipe; that is its right.
        let _ = stdin.write_all(input).await;
        let _ = stdin.shutdown().await;
        drop(stdin);
        std::future::pending::<Infallible>().await
    };
    let status = tokio::select! {
        status = child.wait() => status.map_err(RunError::Start)?,
        () = stdout.full.notified() => return Err(RunError::TooMuch(limit)),
        never = feed => match never {},
    };
    family.end();
    let (stdout, stderr) = tokio::join!(stdout.rest(), stderr.rest());
    if stdout.len() > limit {
        return Err(RunError::TooMuch(limit));
    }
    Ok(Finished { status, stdout, stderr: String::from_utf8_lossy(&stderr).trim().to_owned() })
}

/// How a program ended by itself.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// The end of what it complained about.
    pub stderr: String,
}

/// Why a program did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// It could not be started.
    #[error("it could not be started: {0}")]
    Start(io::Error),
    /// It ran too long and was killed.
    #[error("it did not end within {0:?}")]
    Timeout(Duration),
    /// It wrote too much and was killed.
    #[error("it wrote more than {0} bytes")]
    TooMuch(usize),
}

/// A command that is not to be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program `{0}` must be given by its absolute path, such as /usr/local/bin/tell-me; a shell is not used")]
pub struct NotAbsolute(pub String);

/// The program with everything it started. Ends them all when dropped.
struct Family {
    group: Option<u32>,
    mark: String,
    over: AtomicBool,
}

impl Family {
    /// Kills the process group, then whoever has left it. Once: later the group's number may be somebody else's.
    fn end(&self) {
        if self.over.swap(true, Ordering::SeqCst) {
            return;
        }
        let group = self.group.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // Nobody left in it is the usual case.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        // Who is being killed may be starting another at that moment.
        for _ in 0..10 {
            let left = marked(&self.mark);
            if left.is_empty() {
                return;
            }
            for pid in left {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processes that carry this run's mark in the environment they were started with.
fn marked(mark: &str) -> Vec<rustix::process::Pid> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            std::fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|env| env.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()))
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

/// Listens to a pipe and keeps its first or its last bytes.
struct Ear {
    heard: Arc<Mutex<VecDeque<u8>>>,
    full: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Ear {
    /// Keeps the first `limit` bytes and one more, which tells that there were more.
    fn first(pipe: impl AsyncRead + Send + Unpin + 'static, limit: usize) -> Self {
        Self::listen(pipe, move |heard, new| {
            let room = (limit + 1).saturating_sub(heard.len());
            heard.extend(&new[..room.min(new.len())]);
            heard.len() > limit
        })
    }

    /// Keeps the last `limit` bytes.
    fn last(pipe: impl AsyncRead + Send + Unpin + 'static, limit: usize) -> Self {
        Self::listen(pipe, move |heard, new| {
            heard.extend(new);
            let surplus = heard.len().saturating_sub(limit);
            heard.drain(..surplus);
            false
        })
    }

    fn listen(
        mut pipe: impl AsyncRead + Send + Unpin + 'static,
        keep: impl Fn(&mut VecDeque<u8>, &[u8]) -> bool + Send + 'static,
    ) -> Self {
        let heard = Arc::new(Mutex::new(VecDeque::new()));
        let full = Arc::new(Notify::new());
        let (into, tell) = (heard.clone(), full.clone());
        let task = tokio::spawn(async move {
            let mut chunk = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
                if keep(&mut into.lock(), &chunk[..read]) {
                    return tell.notify_one();
                }
            }
        });
        Self { heard, full, task }
    }

    /// Everything kept, once the pipe is closed or nobody can be expected to close it.
    async fn rest(mut self) -> Vec<u8> {
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.task).await;
        let heard = std::mem::take(&mut *self.heard.lock());
        heard.into()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}
