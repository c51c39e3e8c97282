//! The whole engine on real folders and real events. Every wait has a deadline and prints what was told so far when it fails.

mod actions;
mod folders;
mod losses;
mod reforms;
mod saves;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{now, *};
use crate::{
    model::{Cause, ChangeSet, PollMode, WatchRoot},
    watch::{Fs, paths},
};

const PATIENCE: Duration = Duration::from_secs(10);

struct World {
    dir: tempfile::TempDir,
    watcher: Watcher,
    rx: UnboundedReceiver<Out>,
    heard: Vec<String>,
    /// Watched folders when it was ready.
    dirs: usize,
}

fn spec(root: &Path, change: impl FnOnce(&mut WatchSpec)) -> WatchSpec {
    let mut spec = crate::watch::sim::spec();
    spec.roots = vec![WatchRoot::Tree { path: root.to_path_buf(), explicit: false }];
    spec.base = root.to_path_buf();
    change(&mut spec);
    spec
}

/// Apps, and no file that says what shall run.
fn without_files(apps: Vec<Watched>) -> Wanted {
    Wanted { apps, files: Vec::new(), modules: Vec::new(), read_at: SystemTime::UNIX_EPOCH }
}

impl World {
    /// One app that watches a folder prepared by `prepare`, in which nothing has changed since.
    fn new(prepare: impl FnOnce(&Path), change: impl FnOnce(&mut WatchSpec)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let spec = spec(dir.path(), change);
        Self::start(dir, vec![Watched { app: AppId(0), name: "api".into(), spec, rules: Vec::new() }])
    }

    fn start(dir: tempfile::TempDir, apps: Vec<Watched>) -> Self {
        Self::with(dir, without_files(apps))
    }

    fn with(dir: tempfile::TempDir, wanted: Wanted) -> Self {
        let (tx, rx) = unbounded_channel();
        let watcher = Watcher::start(wanted, true, tx).unwrap();
        let mut world = Self { dir, watcher, rx, heard: Vec::new(), dirs: 0 };
        world.dirs = world.until("ready", |out| match out {
            Out::Ready { dirs, .. } => Some(*dirs),
            _ => None,
        });
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The first message from now on for which `want` has an answer.
    fn until<T>(&mut self, what: &str, mut want: impl FnMut(&Out) -> Option<T>) -> T {
        let deadline = now() + PATIENCE;
        loop {
            let out = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
                .block_on(async { tokio::time::timeout(deadline.saturating_duration_since(now()), self.rx.recv()).await });
            let Ok(Some(out)) = out else { panic!("no {what}; told so far:\n{}", self.heard.join("\n")) };
            self.heard.push(format!("{out:?}"));
            if let Some(found) = want(&out) {
                return found;
            }
        }
    }

    fn changed(&mut self, what: &str) -> (AppId, Arc<ChangeSet>) {
        self.until(what, |out| match out {
            Out::Changed { app, changes } => Some((*app, Arc::clone(changes))),
            _ => None,
        })
    }

    /// All change sets up to and with the one that a sentinel makes; the sentinel is saved when all before it is settled.
    fn changes_until_quiet(&mut self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        loop {
            let (_, changes) = self.changed("change set");
            paths.extend(changes.paths.iter().map(|(path, _)| path.clone()));
            if paths.iter().any(|path| path.ends_with("sentinel")) {
                return paths;
            }
        }
    }

    fn skipped(&mut self, text: &str) {
        self.until(text, |out| match out {
            Out::Skipped { why, .. } => why.iter().any(|why| why.contains(text)).then_some(()),
            Out::Notice(notice) => notice.text.contains(text).then_some(()),
            _ => None,
        });
    }

    /// A save in a file of its own: one change set with it alone shows that nothing else was pending.
    fn sentinel(&mut self, nth: usize) {
        self.write("sentinel", nth.to_string());
        let (_, changes) = self.changed("the sentinel's change set");
        assert_eq!(changes.shown, "sentinel", "{}", self.heard.join("\n"));
    }

    /// Change sets up to one with the sentinel, which is saved now.
    fn sentinel_after(&mut self, what: &str) {
        self.write("sentinel", what);
        self.changes_until_quiet();
    }
}
