//! As whom a program runs and what it may use, ready to be carried out: numbers, no names to look up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A limit that is none: as high as the system lets it be, RLIM_INFINITY.
pub const UNLIMITED: u64 = u64::MAX;

/// What a program is given and denied between our fork and its first instruction. `None` and `false`: what the runner itself has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardening {
    /// Who it runs as.
    pub identity: Option<Identity>,
    /// Open files, RLIMIT_NOFILE, soft and hard.
    pub nofile: Option<u64>,
    /// Processes of its user, RLIMIT_NPROC, soft and hard.
    pub nproc: Option<u64>,
    /// Bytes of a core dump, RLIMIT_CORE, soft and hard.
    pub core: Option<u64>,
    /// nice(2), -20 to 19.
    pub nice: Option<i32>,
    /// `/proc/self/oom_score_adj`, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// The mask of new files, umask(2).
    pub umask: Option<u32>,
    /// PR_SET_NO_NEW_PRIVS, prctl(2).
    pub no_new_privs: bool,
    /// It gets the descriptors that the runner was started with.
    pub inherit_fds: bool,
}

impl Hardening {
    /// The same for what is run on behalf of a program: its build, its hooks, its probes. They have its user and its rights; what the program
    /// itself may use says nothing about them.
    #[must_use]
    pub fn of_tools(&self) -> Self {
        Self { nofile: None, nproc: None, nice: None, oom_score_adj: None, inherit_fds: false, ..self.clone() }
    }
}

/// A user with its groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
    /// All its groups, `group` included: initgroups(3).
    pub groups: Vec<u32>,
    /// The user's name; a number that the system has no name for, as text.
    pub name: String,
    /// The user's home folder.
    pub home: PathBuf,
}
