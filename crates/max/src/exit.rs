//! How the command ends: documented exit codes, and failures that say what to do.

use std::fmt;

/// What a script can rely on when a `max` command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// The operation ran and failed, or an expectation was not met.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// `max.toml` or the environment is wrong.
    Config = 3,
    /// No server answered.
    Unreachable = 4,
    /// The lead's state forbids it (HTTP 409).
    Refused = 5,
    /// There is no such lead, approval, file … (HTTP 404).
    NotFound = 6,
    /// The input is wrong (HTTP 400, 413, 422).
    Invalid = 7,
    /// The token is missing, unknown or may not do this (HTTP 401, 403).
    NotAllowed = 8,
}

impl Exit {
    /// All codes in order.
    pub const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Config,
        Exit::Unreachable,
        Exit::Refused,
        Exit::NotFound,
        Exit::Invalid,
        Exit::NotAllowed,
    ];

    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for `max help exit-codes`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "everything was done",
            Exit::Failed => "the operation failed, an expectation was not met, or a row could not be taken in",
            Exit::Usage => "the command line is wrong",
            Exit::Config => "max.toml or an environment variable is wrong",
            Exit::Unreachable => "no server answered; start one with `max up`, or name it with --server",
            Exit::Refused => "refused as things stand (HTTP 409); the message says what is allowed",
            Exit::NotFound => "no such lead, approval, file or folder (HTTP 404)",
            Exit::Invalid => "the input is wrong (HTTP 400, 413, 422); the message names the field",
            Exit::NotAllowed => "the token is missing, unknown or may not do this (HTTP 401, 403)",
        }
    }
}

/// Why a command did not do what was asked, and what the person can do about it.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do, where the message does not say so itself.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure that ends with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The operation failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The command line was wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that could not be read or written.
    pub fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Self::new(exit, format!("{doing} {} failed: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_in_order() {
        for (expected, exit) in Exit::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(exit.code()), expected);
        }
    }
}
