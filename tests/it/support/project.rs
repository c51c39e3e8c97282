//! A project of its own in a temporary folder, with a private home.

use std::{
    cell::Cell,
    env,
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    process::Signal,
    time::{ClockId, clock_gettime},
};
use tempfile::TempDir;

use super::{
    PATIENCE,
    clock::comes_true,
    processes::{self, Process},
    programs,
    timeline::Timeline,
};

/// A project folder, a home, and every process started for it. Dropping it kills them all and prints the timeline of a failed test.
pub struct Project {
    /// The project folder.
    pub root: PathBuf,
    /// What happened so far.
    pub timeline: Timeline,
    /// The processes of the harness's own terminal: tmux's server, and what runs directly in its pane.
    pub terminal: Cell<Option<(i32, i32)>>,
    base: TempDir,
}

impl Project {
    /// An empty project.
    pub fn empty() -> Self {
        let base = tempfile::Builder::new().prefix("pmdev-it-").tempdir().expect("the temporary folder can be written");
        let path = base.path().canonicalize().expect("it was just made");
        for folder in ["project", "home", "tmp", "run", "outside"] {
            fs::create_dir(path.join(folder)).expect("it is ours and empty");
        }
        fs::set_permissions(path.join("run"), fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self { root: path.join("project"), timeline: Timeline::new(), terminal: Cell::default(), base }
    }

    /// A copy of `fixtures/projects/<name>`.
    pub fn fixture(name: &str) -> Self {
        let project = Self::empty();
        copy(&programs::repository("fixtures/projects").join(name), &project.root);
        project
    }

    /// A path in the project.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A path that is the project's own but lies beside its folder.
    pub fn outside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.with_file_name("outside").join(path)
    }

    /// Writes a file as `echo >` does: in place. Folders are made.
    pub fn save(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let full = self.path(path.as_ref());
        fs::create_dir_all(full.parent().expect("a file has a folder")).expect("the project can be written");
        self.timeline.note(format!("saves {}", path.as_ref().display()));
        fs::write(full, text).expect("the project can be written");
    }

    /// Writes a program.
    pub fn script(&self, path: &str, text: &str) {
        self.save(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// Returns when everything saved so far is older than the clock by which a runner tells what it has read from what came later:
    /// that one goes in ticks, clock_gettime(2).
    pub fn let_stamps_pass(&self) {
        let file = self.outside("stamp");
        fs::write(&file, "").expect("the folder is ours");
        let about = fs::metadata(file).expect("it was just written");
        let passed = || {
            let now = clock_gettime(ClockId::RealtimeCoarse);
            (now.tv_sec, now.tv_nsec) > (about.ctime(), about.ctime_nsec())
        };
        assert!(comes_true(PATIENCE, passed), "the clock stands still");
    }

    /// Replaces a text in a file, which must hold it.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).expect("the file is there");
        assert!(text.contains(from), "{path} does not contain {from:?}: {text}");
        self.save(path, text.replace(from, to));
    }

    /// The whole environment of everything started here: nothing of the tester's but where tools are and where they keep their caches.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let own = |name: &str, folder: &str| (name.into(), self.root.with_file_name(folder).into());
        let mut path = Path::new(programs::PMDEV).parent().expect("a program has a folder").as_os_str().to_owned();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
        let cache = |name: &str, below: &str| (name.into(), env::var_os(name).unwrap_or_else(|| home.join(below).into()));
        let mut variables: Vec<(OsString, OsString)> = vec![
            own("HOME", "home"),
            own("TMPDIR", "tmp"),
            own("XDG_RUNTIME_DIR", "run"),
            own("XDG_CONFIG_HOME", "home/.config"),
            own("XDG_CACHE_HOME", "home/.cache"),
            own("XDG_STATE_HOME", "home/.local/state"),
            own("XDG_DATA_HOME", "home/.local/share"),
            own("GIT_CONFIG_GLOBAL", "home/.gitconfig"),
            own("PMDEV_TEST_PROJECT", "project"),
            cache("CARGO_HOME", ".cargo"),
            cache("RUSTUP_HOME", ".rustup"),
            cache("GOCACHE", ".cache/go-build"),
            ("PATH".into(), path),
            ("LANG".into(), "C.UTF-8".into()),
            ("TERM".into(), "xterm-256color".into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("CARGO_NET_OFFLINE".into(), "true".into()),
        ];
        if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
            variables.push(("RUSTUP_TOOLCHAIN".into(), toolchain));
        }
        variables
    }

    /// Everything alive that was started for this project, however it was forked: by environment, working directory or command line,
    /// one of which names the private folder.
    pub fn alive(&self) -> Vec<Process> {
        let is_ours = |process: &Process| {
            // tmux starts small programs of its own when a pane ends.
            self.terminal.get().is_some_and(|(server, inside)| [server, inside].contains(&process.pid) || process.parent == server)
        };
        let is_it = |process: &Process| process.is_alive() && !is_ours(process) && processes::names(process, self.base.path());
        processes::all().into_iter().filter(is_it).collect()
    }

    /// Fails unless everything started for this project is gone within `patience`.
    #[track_caller]
    pub fn nothing_alive(&self, patience: std::time::Duration, after: &str) {
        let mut alive = Vec::new();
        let gone = comes_true(patience, || {
            alive = self.alive();
            alive.is_empty()
        });
        assert!(gone, "alive {patience:?} after {after}:\n{}", processes::list(&alive));
        self.timeline.note(format!("nothing alive after {after}"));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}\nalive:\n{}", self.timeline, processes::list(&self.alive()));
        }
        comes_true(PATIENCE, || {
            let alive = self.alive();
            alive.iter().for_each(|process| processes::send(process.pid, Signal::KILL));
            alive.is_empty()
        });
    }
}

/// Copies a folder with everything in it, modes included.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the project can be written");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("the fixture can be read");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("the fixture can be read");
        }
    }
}
