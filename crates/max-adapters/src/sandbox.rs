//! The wall around a program that MAX did not write: bubblewrap, or nothing runs.
//!
//! Inside there is the system's software (`/usr`, read-only), the program's own file, an empty `/tmp` and one folder,
//! `/workspace`, which is a copy that somebody made for this run. There is no network, no capability, no other process,
//! no `/etc` with accounts, no home, and nothing of MAX: neither its log nor its tokens nor another lead. A MAX that runs
//! as root starts the program as `nobody`, so that the wall does not rest on namespaces alone. What the program may use
//! up is limited too; memory by process, because control groups are not there for everybody.

use std::io;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::program::{Program, RunError};

/// The folder as the program sees it.
const INSIDE: &str = "/workspace";
/// The user and group a program runs as when MAX is root: `nobody`.
const NOBODY: u32 = 65_534;
/// How much fits into `/tmp`, which is memory, in bytes.
const SCRATCH: &str = "67108864";
/// How often the folder's growth is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Devices that programs expect and that do no harm.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// What programs need of `/etc` to start at all; no accounts, no names of machines, no configuration.
const SETTINGS: [&str; 4] = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/ssl/certs"];

/// A way to run programs behind the wall.
#[derive(Clone, Debug)]
pub struct Sandbox {
    bubblewrap: PathBuf,
    prlimit: PathBuf,
    /// What a program may use up.
    pub limits: Limits,
}

/// What a program may use up before it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How many processes it may have at once.
    pub processes: u32,
    /// How much memory each of them may fill, in bytes.
    pub memory: u64,
    /// How large one file may become, in bytes.
    pub file: u64,
    /// How much its folder may hold, in bytes.
    pub folder: u64,
    /// How many files and folders its folder may hold.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            processes: 64,
            memory: 1 << 30,
            file: 16 << 20,
            folder: 256 << 20,
            entries: 10_000,
        }
    }
}

impl Sandbox {
    /// The sandbox of this machine.
    ///
    /// # Errors
    /// What is missing, and the package that brings it.
    pub fn find() -> Result<Self, String> {
        let program = |name: &str, package: &str| {
            installed(name).ok_or_else(|| format!("{package} is not installed (on Debian: apt install {package})"))
        };
        Ok(Self {
            bubblewrap: program("bwrap", "bubblewrap")?,
            prlimit: program("prlimit", "util-linux")?,
            limits: Limits::default(),
        })
    }

    /// Whether it really works here: a kernel or a container may forbid the namespaces it is made of.
    ///
    /// # Errors
    /// What is missing, or what bubblewrap complains about.
    pub async fn check() -> Result<(), String> {
        let sandbox = Self::find()?;
        let folder = tempfile::tempdir().map_err(|e| format!("no folder to try it in: {e}"))?;
        sandbox.run(&["/usr/bin/true".to_owned()], folder.path(), Timestamp::UNIX_EPOCH).await
    }

    /// Runs a command over `folder`, which is its own and is changed. `at` is the time that programs which make the
    /// same files from the same input go by (`SOURCE_DATE_EPOCH`).
    ///
    /// # Errors
    /// Why it did not end well, in a sentence that begins with what it did.
    pub async fn run(&self, command: &[String], folder: &Path, at: Timestamp) -> Result<(), String> {
        let checked = Program::new(command, self.limits.time).map_err(|e| e.to_string())?;
        let root = rustix::process::geteuid().is_root();
        if root {
            give(folder, NOBODY).map_err(|e| format!("the workspace could not be handed over: {e}"))?;
        }
        let mut line = vec![self.bubblewrap.display().to_string()];
        line.extend(self.wall(&checked.path, folder, at));
        line.extend(self.lowered());
        line.push(checked.path.display().to_string());
        line.extend(checked.args);
        let program = Program::new(&line, self.limits.time).map_err(|e| e.to_string())?;
        let ended = tokio::select! {
            ended = program.run_as(root.then_some(NOBODY), folder, b"", &[]) => ended,
            why = self.too_large(folder) => return Err(why),
        };
        match ended {
            Ok(ended) if ended.status.success() => Ok(()),
            Ok(ended) => Err(format!("it ended with {}: {}", ended.status, ended.stderr)),
            Err(RunError::Start(error)) => Err(format!("it could not be started: {error}")),
            Err(other) => Err(other.to_string()),
        }
    }

    /// The arguments of bubblewrap up to the command.
    fn wall(&self, program: &Path, folder: &Path, at: Timestamp) -> Vec<String> {
        let mut wall = Wall::default();
        // The namespaces are asked for by name where `--unshare-all` would go on without them.
        wall.add(&["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]);
        wall.add(&["--uid", "65534", "--gid", "65534", "--hostname", "workspace"]);
        wall.add(&["--die-with-parent", "--new-session", "--clearenv"]);
        let epoch = at.as_second().max(0).to_string();
        for (name, value) in [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("HOME", INSIDE),
            ("TMPDIR", "/tmp"),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("SOURCE_DATE_EPOCH", &epoch),
        ] {
            wall.add(&["--setenv", name, value]);
        }
        wall.add(&["--ro-bind", "/usr", "/usr"]);
        for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            wall.mirror(Path::new(name));
        }
        for name in SETTINGS {
            wall.add(&["--ro-bind-try", name, name]);
        }
        for device in DEVICES {
            wall.add(&["--dev-bind-try", device, device]);
        }
        wall.add(&["--proc", "/proc", "--size", SCRATCH, "--tmpfs", "/tmp"]);
        if program.canonicalize().is_ok_and(|real| !real.starts_with("/usr")) {
            let file = program.display().to_string();
            wall.add(&["--ro-bind", &file, &file]);
        }
        wall.add(&["--bind", &folder.display().to_string(), INSIDE, "--chdir", INSIDE]);
        // The root itself is made of memory; nobody fills it.
        wall.add(&["--remount-ro", "/", "--"]);
        wall.0
    }

    /// Lowers what the program may use up, from within: there the processes of its own namespace are counted alone.
    fn lowered(&self) -> Vec<String> {
        let Limits { time, processes, memory, file, .. } = self.limits;
        let mut line = vec![self.prlimit.display().to_string()];
        line.push(format!("--nproc={processes}"));
        line.push(format!("--data={memory}"));
        // Runtimes reserve far more addresses than they fill.
        line.push(format!("--as={}", memory.saturating_mul(8)));
        line.push(format!("--fsize={file}"));
        line.push(format!("--cpu={}", time.as_secs().max(1)));
        line.extend(["--nofile=256", "--core=0", "--"].map(str::to_owned));
        line
    }

    /// Comes back when the folder holds more than it may, with the reason.
    async fn too_large(&self, folder: &Path) -> String {
        let Limits { folder: bytes, entries, .. } = self.limits;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let path = folder.to_owned();
            let held = tokio::task::spawn_blocking(move || holds(&path, bytes, entries)).await;
            if held.is_ok_and(|held| held == Held::TooMuch) {
                return format!("it filled its folder with more than {bytes} bytes or {entries} files");
            }
        }
    }
}

/// A program where systems keep theirs. `PATH` is the environment's and is not asked.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let found = ["/usr/bin", "/usr/local/bin", "/bin"].into_iter().map(|dir| Path::new(dir).join(name));
    found.into_iter().find(|path| path.is_file())
}

/// Arguments of bubblewrap.
#[derive(Default)]
struct Wall(Vec<String>);

impl Wall {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
    }

    /// A folder of the system as it is here: a link into `/usr`, or a folder of its own.
    fn mirror(&mut self, path: &Path) {
        let name = path.display().to_string();
        match std::fs::read_link(path) {
            Ok(target) => self.add(&["--symlink", &target.display().to_string(), &name]),
            Err(_) if path.is_dir() => self.add(&["--ro-bind", &name, &name]),
            Err(_) => {}
        }
    }
}

/// Hands a folder with all that is in it to a user. Links are handed over themselves, never what they point to.
fn give(path: &Path, user: u32) -> io::Result<()> {
    lchown(path, Some(user), Some(user))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Little,
    TooMuch,
}

/// Adds up what a folder holds, and stops as soon as it is too much.
fn holds(folder: &Path, bytes: u64, entries: usize) -> Held {
    let (mut sum, mut seen) = (0u64, 0usize);
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        // What vanishes meanwhile takes no room.
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let Ok(about) = entry.path().symlink_metadata() else { continue };
            (sum, seen) = (sum.saturating_add(about.len()), seen + 1);
            if sum > bytes || seen > entries {
                return Held::TooMuch;
            }
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Held::Little
}

#[cfg(test)]
mod tests;
