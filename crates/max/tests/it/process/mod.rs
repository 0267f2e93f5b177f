//! The real binary, started on a folder of its own and a free port, for tests that look at it from outside.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use max_app::bench::load::{Connection, request};
use serde_json::Value;

/// The path of the `max` binary under test.
pub fn max() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_max"));
    command.env_remove("MAX_ROOT").env_remove("MAX_CONFIG").env_remove("MAX_SERVER").env_remove("MAX_TOKEN");
    command.env("NO_COLOR", "1");
    command
}

/// A running `max up`. Killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// The local admin token.
    pub token: String,
}

impl Server {
    /// Starts `max up` on `root` and waits until it accepts work.
    pub fn start(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::try_start(root, arguments, variables).unwrap_or_else(|said| panic!("max up did not start: {said}"))
    }

    /// The same; when the process ends before it listens, what it said.
    pub fn try_start(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self, String> {
        Self::try_start_as("up", root, arguments, variables)
    }

    /// The same for another command that serves.
    pub fn try_start_as(
        role: &str,
        root: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(root.join("max.log")).expect("a log file");
        let mut child = max()
            .args([role, "--listen", "127.0.0.1:0", "--root"])
            .arg(root)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the max binary");
        let stdout = child.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines();
        let address = lines.find_map(|line| {
            line.ok()?.trim().strip_prefix("listening on http://").map(|address| address.parse().expect("an address"))
        });
        let Some(address) = address else {
            drop(child.wait());
            let said = std::fs::read_to_string(root.join("max.log")).unwrap_or_default();
            return Err(said.lines().rev().take(8).collect::<Vec<_>>().join("\n"));
        };
        // Its further output must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let token = std::fs::read_to_string(root.join("run/token")).expect("the local token").trim().to_owned();
        Ok(Self { child, address, token })
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("the process");
        self.child.wait().expect("the process");
    }

    /// Asks it to stop and waits; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        self.child.wait().expect("the process").code()
    }

    /// Whether it ended by itself (a failpoint).
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the process").is_some()
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends one request; status and body.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let mut connection = Connection::open(self.address).await?;
        call(&mut connection, &self.token, method, path, body).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends one request on a connection; status and body (null when there is none).
pub async fn call(
    connection: &mut Connection,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> anyhow::Result<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let status = connection.send(&request(method, path, token, &body)).await?;
    let answer = serde_json::from_slice(connection.body()).unwrap_or(Value::Null);
    Ok((status, answer))
}

/// The Python of `./test`, with pydantic; nothing when the tests run without it (never in CI).
pub fn python() -> Option<Command> {
    match std::env::var_os("MAX_TEST_PYTHON") {
        Some(python) => Some(Command::new(python)),
        None if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("MAX_TEST_PYTHON is not set: run the tests by ./test")
        }
        None => {
            eprintln!("left out: MAX_TEST_PYTHON is not set; run ./test");
            None
        }
    }
}
