//! The constants of settling, and what `--watch-delay` makes of them.

use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Longest quiet period that gaps between files ask for.
pub const QUIET_MAX: Duration = ms(250);
/// Quiet period of a batch with a manifest or lock file: package managers write it long before they are done.
pub const QUIET_MANIFEST: Duration = ms(250);
/// The quiet period is at least this many times the widest gap seen between two events of the batch.
pub const GAP_FACTOR: u32 = 3;
/// A batch that opens this soon after a change set is no single save.
pub const COOL: Duration = ms(500);
/// How long a file being written holds the batch, from its first write: counted from the last, a steady log writer starves every restart.
pub const WRITER_HOLD: Duration = ms(500);
/// How long a git lock is believed.
pub const GIT_LOCK_MAX: Duration = Duration::from_secs(30);
/// How often a git lock is looked at.
pub const GIT_LOOK: Duration = ms(10);
/// A descriptor opened read-write and closed unused leaves a ctime older than the batch by more than this.
pub const BARE_CLOSE: Duration = Duration::from_secs(2);
/// mtime and ctime this close together: the time was set on purpose (`touch`); chmod(2) leaves mtime behind.
pub const TOUCH: Duration = ms(10);
/// Without close events, a file changed this recently may still be growing.
pub const GROWING: Duration = ms(30);
/// How often a growing file is looked at.
pub const GROWING_LOOK: Duration = ms(20);
/// How long growing files are waited for.
pub const GROWING_MAX: Duration = ms(500);

/// The waits that a user can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Quiet period after one finished file.
    pub one: Duration,
    /// Quiet period after more.
    pub many: Duration,
    /// The oldest a batch gets, git's lock aside.
    pub batch_max: Duration,
    /// When people are told that a batch does not settle.
    pub tell_after: Duration,
}

impl Timing {
    /// The defaults, or the user's settle time for both quiet periods.
    pub fn new(delay: Option<Duration>) -> Self {
        let tell_after = Duration::from_secs(2);
        let batch_max = Duration::from_secs(10);
        match delay {
            None => Self { one: ms(10), many: ms(50), batch_max, tell_after },
            Some(n) => Self { one: n, many: n, batch_max: batch_max.max(4 * n), tell_after: tell_after.max(2 * n) },
        }
    }
}

/// Files whose change starts a longer series: what package managers write.
const MANIFESTS: &[&str] = &[
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.json",
    "deno.lock",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "go.sum",
    "go.work",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Pipfile",
    "Pipfile.lock",
    "requirements.txt",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "mix.exs",
    "mix.lock",
];

/// Whether a package manager writes files of this name.
pub fn is_manifest(path: &std::path::Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| MANIFESTS.contains(&name))
}
