//! What it takes to start one program, and how starting can fail.

use std::{ffi::OsString, fmt, path::PathBuf};

/// Everything needed to start one program. Whoever needs a child hands one of these to the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Program and arguments; never empty. A program without a slash is looked up on the PATH of `env`.
    pub argv: Vec<OsString>,
    /// The folder to run in, absolute.
    pub cwd: PathBuf,
    /// The whole environment, sorted by name, each name once.
    pub env: Vec<(OsString, OsString)>,
}

/// A step of starting a program, in the order they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Stage {
    /// The runner starts its own image as the shim.
    Shim,
    /// A session of its own, setsid(2).
    Session,
    /// Standard input, output and error; everything else close-on-exec.
    Descriptors,
    /// Entering the working directory.
    Directory,
    /// The parent-death signal, prctl(2).
    ParentDeath,
    /// Default handlers and an empty mask.
    Signals,
    /// Becoming the program, execve(2).
    Exec,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shim => "starting the launcher",
            Self::Session => "making a session",
            Self::Descriptors => "connecting the descriptors",
            Self::Directory => "changing directory",
            Self::ParentDeath => "tying it to the runner",
            Self::Signals => "resetting signals",
            Self::Exec => "executing",
        })
    }
}

/// A program that could not be started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LaunchFailure {
    /// The step that failed.
    pub stage: Stage,
    /// What it was tried on: the directory, the program.
    pub object: String,
    /// The system's error number, errno(3).
    pub errno: i32,
}

impl fmt::Display for LaunchFailure {
    /// `changing directory to /nowhere: No such file or directory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = std::io::Error::from_raw_os_error(self.errno).to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default();
        if self.object.is_empty() { write!(f, "{}: {reason}", self.stage) } else { write!(f, "{} {}: {reason}", self.stage, self.object) }
    }
}
