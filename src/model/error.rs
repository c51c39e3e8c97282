//! Failures: a kind that fixes the exit code, a cause chain, and a hint where one is known.

use std::fmt;

/// What kind of failure it is; the kind fixes the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operation failed: exit code 1.
    Failed,
    /// Bad usage, a bad file, something missing that was named: exit code 2.
    Usage,
    /// A program that is not on this machine, though nothing is wrong with what asks for it: exit code 2.
    Missing,
    /// There is no runner to talk to: exit code 3.
    NoRunner,
}

/// A failure with what was tried, why it failed, and what to do.
#[derive(Debug)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// A whole sentence that starts with what the user named.
    pub message: String,
    /// The chain of causes, nearest first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// Bad usage or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// A program that is not there.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Missing, ..Self::usage(message) }
    }

    /// An operation that failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Failed, ..Self::usage(message) }
    }

    /// No runner to talk to.
    pub fn no_runner(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::NoRunner, ..Self::usage(message) }
    }

    /// The same, with a cause.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 1, 2 or 3.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Failed => 1,
            ErrorKind::Usage | ErrorKind::Missing => 2,
            ErrorKind::NoRunner => 3,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
