//! What it takes to start one program, and how starting can fail.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
};

use super::Hardening;

/// Everything needed to start one program. Whoever needs a child hands one of these to the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Program and arguments; never empty. A program without a slash is looked up on the PATH of `env`.
    pub argv: Vec<OsString>,
    /// The folder to run in, absolute.
    pub cwd: PathBuf,
    /// The whole environment, sorted by name, each name once.
    pub env: Vec<(OsString, OsString)>,
    /// As whom it runs and what it may use.
    pub hardening: Hardening,
}

impl Launch {
    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }
}

/// A step of starting a program, in the order they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Stage {
    /// The runner starts its own image as the shim.
    Shim,
    /// A session of its own, setsid(2).
    Session,
    /// What the runner itself inherited becomes close-on-exec, close_range(2).
    Inheritance,
    /// Standard input, output and error.
    Descriptors,
    /// The terminal, where it has one, as that of its session.
    Terminal,
    /// Open files, setrlimit(2).
    OpenFiles,
    /// Core dumps, setrlimit(2).
    CoreDumps,
    /// nice(2).
    Niceness,
    /// `/proc/self/oom_score_adj`.
    OomScore,
    /// Supplementary groups, setgroups(2).
    Groups,
    /// The group, setgid(2).
    Group,
    /// The user, setuid(2).
    User,
    /// Processes of the user, setrlimit(2), when it is the user's already: root has no such limit.
    UserProcesses,
    /// Entering the working directory, as the user.
    Directory,
    /// PR_SET_NO_NEW_PRIVS, prctl(2).
    NoNewPrivs,
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
            Self::Inheritance => "closing what pmdev was started with",
            Self::Descriptors => "connecting the descriptors",
            Self::Terminal => "taking the terminal",
            Self::OpenFiles => "limiting open files",
            Self::CoreDumps => "limiting core dumps",
            Self::Niceness => "setting the niceness",
            Self::OomScore => "setting oom_score_adj",
            Self::Groups => "joining the groups",
            Self::Group => "becoming group",
            Self::User => "becoming user",
            Self::UserProcesses => "limiting the processes of its user",
            Self::Directory => "changing directory",
            Self::NoNewPrivs => "giving up new privileges",
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
    /// What it was tried on: the directory, the program, `to 65536 (the hard limit is 4096)`.
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

impl LaunchFailure {
    /// What to do about it, where that is known. Whether a missing program is to be installed only its spec knows.
    pub fn hint(&self) -> Option<String> {
        let (denied, unmapped, missing_right) = (self.errno == EACCES, self.errno == EINVAL, matches!(self.errno, EPERM | EACCES));
        let raise = |flag: &str, key: &str| {
            let unit = key.to_ascii_uppercase();
            format!("raise the hard limit of whoever starts pmdev (ulimit -H{flag}, Limit{unit}= of a systemd unit), or lower limits.{key}")
        };
        let capability = |name: &str| format!("this takes root with CAP_{name}; a container gets it by --cap-add {name}");
        match self.stage {
            Stage::Inheritance => Some("limits.inherit_fds: true leaves it open for the app".to_owned()),
            Stage::OpenFiles if missing_right => Some(raise("n", "nofile") + "; nobody gets more than /proc/sys/fs/nr_open"),
            Stage::CoreDumps if missing_right => Some(raise("c", "core")),
            Stage::UserProcesses if missing_right => Some(raise("u", "nproc")),
            Stage::Niceness if missing_right => {
                Some(capability("SYS_NICE") + "; without it limits.nice can only be higher than the runner's own")
            }
            Stage::OomScore if missing_right => {
                Some(capability("SYS_RESOURCE") + "; without it limits.oom_score_adj can only be higher than the runner's own")
            }
            Stage::Descriptors | Stage::Terminal if missing_right => Some(capability("CHOWN")),
            Stage::Groups | Stage::Group if missing_right => Some(capability("SETGID")),
            Stage::User if missing_right => Some(capability("SETUID")),
            Stage::Descriptors | Stage::Terminal | Stage::Groups | Stage::Group | Stage::User if unmapped => {
                Some("that user or group has no number in this user namespace: see /proc/self/uid_map and gid_map".to_owned())
            }
            Stage::User | Stage::Exec if self.errno == EAGAIN => {
                Some("its user has as many processes as limits.nproc, or ulimit -u, lets it have".to_owned())
            }
            Stage::Directory if denied => Some("its user must be allowed to enter (x) that folder and every folder above it".to_owned()),
            Stage::Exec if denied => {
                Some("its user must be allowed to execute (x) that file, and to enter every folder above it".to_owned())
            }
            Stage::Shim
            | Stage::Session
            | Stage::Descriptors
            | Stage::Terminal
            | Stage::OpenFiles
            | Stage::CoreDumps
            | Stage::Niceness
            | Stage::OomScore
            | Stage::Groups
            | Stage::Group
            | Stage::User
            | Stage::UserProcesses
            | Stage::Directory
            | Stage::NoNewPrivs
            | Stage::ParentDeath
            | Stage::Signals
            | Stage::Exec => None,
        }
    }
}

// Their numbers are the same on every architecture of Linux; `model` depends on nothing that could name them.
const EPERM: i32 = 1;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EINVAL: i32 = 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_depends_on_the_stage_and_the_reason() {
        let hint = |stage, errno| LaunchFailure { stage, object: String::new(), errno }.hint();
        let has = |stage, errno, part: &str| hint(stage, errno).is_some_and(|hint| hint.contains(part));
        assert!(has(Stage::OpenFiles, EPERM, "ulimit -Hn, LimitNOFILE="));
        assert!(has(Stage::CoreDumps, EPERM, "limits.core"));
        assert!(has(Stage::Niceness, EACCES, "CAP_SYS_NICE"));
        assert!(has(Stage::User, EPERM, "--cap-add SETUID"));
        assert!(has(Stage::User, EINVAL, "/proc/self/uid_map"));
        assert!(has(Stage::Exec, EAGAIN, "limits.nproc"));
        assert!(has(Stage::Directory, EACCES, "folder"));
        assert_eq!(hint(Stage::Exec, 2), None, "what is missing, and how to get it, stands in the spec");
        assert_eq!(hint(Stage::NoNewPrivs, EINVAL), None);
    }
}
