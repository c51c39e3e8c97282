//! The types at the seams: what backends report, what the engine is told, what it answers, and the two traits the tests replace.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::model::{ActionRule, AppId, ChangeSet, Notice, WatchSpec};

/// What a backend reports; the time it was seen travels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// Bytes were written (inotify MODIFY); never a change by itself.
    Write(PathBuf),
    /// A descriptor that could write was closed (CLOSE_WRITE).
    Done(PathBuf),
    /// Something new has this name (CREATE).
    New(PathBuf, FileKind),
    /// The name is gone (DELETE, MOVED_FROM).
    Gone(PathBuf),
    /// Something was renamed to this name (MOVED_TO): file or folder, lstat tells.
    MovedIn(PathBuf),
    /// Metadata changed (ATTRIB).
    Meta(PathBuf),
    /// A backend without close events saw a difference (polling).
    Touched(PathBuf),
    /// Events were lost.
    Rescan,
    /// The backend is in trouble, in its own words.
    Error(String),
}

/// What a path is, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Link,
    /// A socket, a device, a pipe.
    Other,
}

/// What lstat(2) says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes.
    pub len: u64,
    /// When the contents last changed.
    pub mtime: SystemTime,
    /// When contents or metadata last changed.
    pub ctime: SystemTime,
    /// Device and inode.
    pub id: (u64, u64),
    /// Hard links.
    pub links: u64,
}

/// The file system as the pure parts see it.
pub trait Fs {
    /// lstat(2); `None`: not there, or not to be seen.
    fn lstat(&mut self, path: &Path) -> Option<Stat>;
    /// Length and xxh3-64 of a file's contents; `None`: it cannot be read.
    fn digest(&mut self, path: &Path) -> Option<(u64, u64)>;
    /// Whether its times are those of [`Fs::now`], finer than 50 ms: not so where another machine sets them.
    fn keeps_our_time(&mut self, path: &Path, stat: &Stat) -> bool;
    /// The file system's own clock, against which ctime is compared.
    fn now(&mut self) -> SystemTime;
}

/// A set of watched folders, none of them recursive.
pub trait WatchSet {
    /// Watches these folders, in this order, in one batch where the backend can. What failed comes back; the rest is watched.
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)>;
    /// Ends the watches of these folders. A folder that is not watched is nothing special.
    fn remove(&mut self, dirs: &[PathBuf]);
    /// Returns when every event that the kernel has by now is handed over. What looks for itself has nothing to hand over.
    fn hand_over(&mut self) {}
}

/// Why a folder could not be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchError {
    /// It is not there any more.
    Gone,
    /// It may not be read.
    Denied,
    /// The kernel's limit of watches is reached.
    Limit,
    /// Anything else, in the system's words.
    Other(String),
}

/// What the rest of the program tells the engine about one app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ctl {
    /// A run's program executes since then; `by_files`: a change set caused this start.
    Started {
        /// When.
        at: Instant,
        /// Whether files caused it.
        by_files: bool,
    },
    /// Its stop signal was sent then.
    Stopping(Instant),
    /// Its process set is empty since then.
    Exited(Instant),
    /// A person restarted it.
    Manual,
    /// It is down after a failure: any save starts it.
    Down,
}

/// What the engine tells the rest of the program.
#[derive(Debug, Clone)]
pub enum Out {
    /// Everything is watched.
    Ready {
        /// Watched folders.
        dirs: usize,
        /// Files in them that count.
        files: usize,
        /// How long it took from the engine's start.
        took: Duration,
        /// How many of the folders are polled.
        polled: usize,
    },
    /// The first confirmed change of a batch, where a restart follows from it: the old run may begin to stop. `Changed` follows in any case,
    /// and asks for a restart.
    Early {
        /// For which app.
        app: AppId,
        /// The changed path.
        path: PathBuf,
    },
    /// A settled change set.
    Changed {
        /// For which app.
        app: AppId,
        /// What changed.
        changes: Arc<ChangeSet>,
    },
    /// A batch that turned out to be no change, or events that were none; the latter told only while decisions are explained.
    Skipped {
        /// For which app.
        app: AppId,
        /// The files of a batch, some of them where they are many and decisions are not explained.
        paths: Vec<PathBuf>,
        /// One sentence a path: which, and why not.
        why: Vec<String>,
    },
    /// The loop guard wants the app stopped and held until `ProbeOver`.
    Probe {
        /// Which app.
        app: AppId,
        /// The suspected path.
        path: PathBuf,
    },
    /// The probe is over: start the app again.
    ProbeOver {
        /// Which app.
        app: AppId,
    },
    /// Files that say what shall run were edited; without paths: events were lost, and they may have been.
    ProjectFile {
        /// The files.
        paths: Vec<PathBuf>,
    },
    /// Something people should know.
    Notice(Notice),
}

/// Everything that is to be watched.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The apps whose files are watched.
    pub apps: Vec<Watched>,
    /// The files that say what shall run: they are in no app's change sets, and told as [`Out::ProjectFile`].
    pub files: Vec<PathBuf>,
    /// What those files load: told as they are, but apps may load it too, so a change of it is in their change sets as any other. Nothing
    /// stops early for it.
    pub modules: Vec<PathBuf>,
    /// When those files were read, as [`stamp`](super::stamp) tells it: what changed since is told, also for apps that are watched from now on.
    pub read_at: SystemTime,
}

/// One app and what is watched for it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The app.
    pub app: AppId,
    /// Its name, for notices.
    pub name: String,
    /// What is watched.
    pub spec: WatchSpec,
    /// What saves below given paths do instead of a restart; each app's own, also where several share what is watched.
    pub rules: Vec<ActionRule>,
}
