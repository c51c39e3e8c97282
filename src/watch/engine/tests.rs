//! The whole engine on real folders and real events. Every wait has a deadline and prints what was told so far when it fails.

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
    watch::Fs,
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

impl World {
    /// One app that watches a folder prepared by `prepare`, in which nothing has changed since.
    fn new(prepare: impl FnOnce(&Path), change: impl FnOnce(&mut WatchSpec)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let spec = spec(dir.path(), change);
        Self::start(dir, vec![Watched { app: AppId(0), name: "api".into(), spec }])
    }

    fn start(dir: tempfile::TempDir, apps: Vec<Watched>) -> Self {
        let (tx, rx) = unbounded_channel();
        let watcher = Watcher::start(apps, true, tx).unwrap();
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
}

#[test]
fn a_save_is_one_change_set_and_the_same_bytes_are_none() {
    let mut world = World::new(|dir| fs::write(dir.join("a.js"), "old").unwrap(), |_| ());
    world.write("a.js", "new");
    let early = world.until("early", |out| match out {
        Out::Early { path, .. } => Some(path.clone()),
        _ => None,
    });
    assert_eq!(early, paths::canonical(&world.path("a.js")));
    let (app, changes) = world.changed("change set");
    assert_eq!((app, changes.shown.as_str(), changes.total, changes.cause), (AppId(0), "a.js", 1, Cause::Files));
    world.write("a.js", "new");
    world.skipped("a.js was saved with the bytes it had");
    fs::OpenOptions::new().read(true).append(true).open(world.path("a.js")).unwrap();
    world.skipped("a.js was saved with the bytes it had");
    world.sentinel(1);
}

#[test]
fn what_rules_drop_is_named_with_its_rule() {
    let mut world = World::new(|dir| fs::write(dir.join(".gitignore"), "*.out\n").unwrap(), |spec| spec.gitignore = true);
    fs::create_dir(world.path(".git")).unwrap();
    world.skipped(".git is ignored: ");
    world.write("a.swp", "x");
    world.skipped("a.swp is ignored: the built-in pattern");
    fs::create_dir(world.path("node_modules")).unwrap();
    world.skipped("node_modules is ignored: the built-in pattern");
    fs::remove_dir(world.path("node_modules")).unwrap();
    fs::create_dir(world.path("empty")).unwrap();
    world.skipped("empty is a folder without files that count");
    fs::rename(world.path("empty"), world.path("target")).unwrap();
    world.skipped("target is ignored");
    world.sentinel(1);
}

#[test]
fn nothing_is_lost_in_folders_made_and_filled_at_once() {
    let mut world = World::new(|_| (), |spec| spec.ext = vec!["js".into(), "sentinel".into()]);
    let mut want = Vec::new();
    for trial in 0..15 {
        let deep = world.path(&format!("t{trial}/b/c/d/e"));
        fs::create_dir_all(&deep).unwrap();
        for (nth, dir) in deep.ancestors().take(5).enumerate() {
            fs::write(dir.join(format!("f{nth}.js")), "x").unwrap();
            want.push(dir.join(format!("f{nth}.js")));
        }
    }
    // A tree prepared elsewhere and moved in.
    let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
    fs::create_dir_all(outside.path().join("m/n")).unwrap();
    for nth in 0..10 {
        fs::write(outside.path().join(format!("m/n/{nth}.js")), "x").unwrap();
        want.push(world.path(&format!("m/n/{nth}.js")));
    }
    fs::rename(outside.path().join("m"), world.path("m")).unwrap();
    let mut seen = std::collections::HashSet::new();
    while seen.len() < want.len() {
        let (_, changes) = world.changed("the rest of the new files");
        assert!(changes.total <= 100, "all paths are named");
        seen.extend(changes.paths.iter().map(|(path, _)| path.clone()));
    }
    for path in &want {
        assert!(seen.contains(&paths::canonical(path)), "{} was lost", path.display());
    }
    // And later saves in them are seen.
    world.write("t7/b/c/d/e/f0.js", "later");
    while world.changed("a save in a new folder").1.shown != "t7/b/c/d/e/f0.js" {}
    world.write("m/n/3.js", "later");
    while world.changed("a save in a moved-in folder").1.shown != "m/n/3.js" {}
}

#[test]
fn folders_renamed_moved_out_and_replaced_stay_seen() {
    let mut world = World::new(
        |dir| {
            fs::create_dir_all(dir.join("d/e")).unwrap();
            fs::write(dir.join("d/e/a.js"), "x").unwrap();
        },
        |_| (),
    );
    fs::rename(world.path("d"), world.path("r")).unwrap();
    let (_, changes) = world.changed("the renamed folder");
    let shown: Vec<_> =
        changes.paths.iter().map(|(path, _)| path.strip_prefix(paths::canonical(world.dir.path())).unwrap().to_owned()).collect();
    assert!(shown.contains(&PathBuf::from("r/e/a.js")), "{shown:?}");
    world.write("r/e/a.js", "new");
    assert_eq!(world.changed("a save in the renamed folder").1.shown, "r/e/a.js");
    let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
    fs::rename(world.path("r"), outside.path().join("r")).unwrap();
    assert_eq!(world.changed("the moved-out folder").1.shown, "r");
    fs::write(outside.path().join("r/e/a.js"), "not ours any more").unwrap();
    world.sentinel(1);
    // Replaced under its name, again and again: the new one is watched.
    for nth in 0..10 {
        let _none_the_first_time = fs::remove_dir_all(world.path("d"));
        fs::create_dir(world.path("d")).unwrap();
        fs::write(world.path("d/a.js"), nth.to_string()).unwrap();
    }
    world.sentinel_after("the replaced folder");
    world.write("d/a.js", "later");
    assert_eq!(world.changed("a save in the replaced folder").1.shown, "d/a.js");
    fs::remove_dir_all(world.path("d")).unwrap();
    assert!(world.changed("the removed folder").1.paths.iter().any(|(path, _)| path.ends_with("d")));
    world.sentinel(3);
}

impl World {
    /// Change sets up to one with the sentinel, which is saved now.
    fn sentinel_after(&mut self, what: &str) {
        self.write("sentinel", what);
        self.changes_until_quiet();
    }
}

#[test]
fn a_checkout_under_gits_lock_is_one_change_set() {
    let mut world = World::new(|dir| fs::create_dir(dir.join(".git")).unwrap(), |_| ());
    world.write(".git/index.lock", "");
    for folder in 0..40 {
        fs::create_dir(world.path(&format!("d{folder}"))).unwrap();
        for file in 0..50 {
            world.write(&format!("d{folder}/{file}.js"), "x");
        }
    }
    fs::remove_file(world.path(".git/index.lock")).unwrap();
    let (_, changes) = world.changed("the checkout");
    assert_eq!((changes.total, changes.paths.len()), (2_000, 100));
    world.sentinel(1);
}

#[test]
fn lost_events_are_one_rescan_that_finds_what_nobody_told() {
    let mut world = World::new(|_| (), |_| ());
    // What an overflow hides: a folder of which no event came.
    world.watcher.feed.raw(now(), Raw::Rescan);
    world.watcher.feed.raw(now(), Raw::Rescan);
    fs::create_dir(world.path("hidden")).unwrap();
    world.write("hidden/a.js", "x");
    world.skipped("the kernel dropped file events (queue full); looked again at 2 folders and restarted once");
    let (_, changes) = world.changed("the rescan");
    assert_eq!(changes.cause, Cause::Rescan);
    world.sentinel_after("the rescan");
    world.write("hidden/a.js", "later");
    assert_eq!(world.changed("a save in a folder found by the rescan").1.shown, "hidden/a.js");
}

#[test]
fn a_watcher_that_ends_is_replaced() {
    let mut world = World::new(|_| (), |_| ());
    world.watcher.feed.send(Message::SourceEnded(1));
    world.skipped("the kernel's file events ended unexpectedly; looked again at 1 folder");
    assert_eq!(world.changed("a rescan").1.cause, Cause::Rescan);
    world.sentinel(1);
}

#[test]
fn apps_with_other_folders_are_told_of_their_own_changes_alone() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["api", "web", "lib"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("a.js"), "x").unwrap();
    }
    let roots = |names: &[&str]| -> Vec<WatchRoot> {
        names.iter().map(|name| WatchRoot::Tree { path: dir.path().join(name), explicit: true }).collect()
    };
    let apps = [&["api", "lib"][..], &["web", "lib"], &["web", "lib"]];
    let apps: Vec<Watched> = apps
        .iter()
        .zip(0..)
        .map(|(names, n)| Watched { app: AppId(n), name: format!("app{n}"), spec: spec(dir.path(), |spec| spec.roots = roots(names)) })
        .collect();
    let mut world = World::start(dir, apps);
    assert_eq!(world.dirs, 3, "a folder that several groups watch is watched once");
    world.write("api/a.js", "new");
    assert_eq!(world.changed("api's change").0, AppId(0));
    for round in 0..2 {
        // Nobody else was told, and the same bytes, known to one group, are new to the other.
        world.write("lib/a.js", format!("new {round}"));
        let mut told: Vec<u32> = (0..3).map(|_| world.changed("lib's change").0.0).collect();
        told.sort_unstable();
        assert_eq!(told, [0, 1, 2]);
    }
    world.write("web/a.js", "new");
    let mut told: Vec<u32> = (0..2).map(|_| world.changed("web's change").0.0).collect();
    told.sort_unstable();
    assert_eq!(told, [1, 2]);
}

#[test]
fn a_root_that_goes_and_comes_back_is_watched_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("app");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.js"), "x").unwrap();
    let app = Watched { app: AppId(0), name: "api".into(), spec: spec(&root, |_| ()) };
    let mut world = World::start(dir, vec![app]);
    fs::remove_dir_all(&root).unwrap();
    world.changed("the end of the root");
    fs::create_dir(&root).unwrap();
    world.write("app/a.js", "back");
    while world.changed("the root's return").1.shown != "a.js" {}
    world.write("app/a.js", "later");
    assert_eq!(world.changed("a save after the return").1.shown, "a.js");
}

#[test]
fn a_new_link_to_a_folder_elsewhere_is_followed() {
    let mut world = World::new(|_| (), |_| ());
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.js"), "x").unwrap();
    std::os::unix::fs::symlink(outside.path(), world.path("shared")).unwrap();
    assert_eq!(world.changed("the link").1.shown, "shared");
    fs::write(outside.path().join("a.js"), "new").unwrap();
    let (_, changes) = world.changed("a save behind the link");
    assert_eq!(changes.paths[0].0, paths::canonical(&outside.path().join("a.js")));
    world.sentinel(1);
}

#[test]
fn a_save_while_the_folders_are_walked_is_one_change_set() {
    let dir = tempfile::tempdir().unwrap();
    for nth in 0..300 {
        fs::create_dir(dir.path().join(format!("d{nth}"))).unwrap();
        fs::write(dir.path().join(format!("d{nth}/a.js")), "x").unwrap();
    }
    fs::create_dir(dir.path().join(".git")).unwrap();
    let (tx, rx) = unbounded_channel();
    let app = Watched { app: AppId(0), name: "api".into(), spec: spec(dir.path(), |_| ()) };
    let watcher = Watcher::start(vec![app], true, tx).unwrap();
    let began = Disk::default().now();
    let mut world = World { dir, watcher, rx, heard: Vec::new(), dirs: 0 };
    // The kernel stamps files by its tick: until that passes, what is written looks as if written before.
    while fs::metadata(world.path(".git/clock")).ok().and_then(|clock| clock.modified().ok()).is_none_or(|clock| clock < began) {
        world.write(".git/clock", "x");
    }
    world.write("d250/a.js", "new");
    assert_eq!(world.changed("a save during the walk").1.shown, "d250/a.js");
    world.sentinel(1);
}

#[test]
fn polling_alone_finds_a_save() {
    let mut world =
        World::new(|dir| fs::write(dir.join("a.js"), "old").unwrap(), |spec| spec.poll = PollMode::Always(Some(Duration::from_millis(50))));
    world.write("a.js", "new");
    assert_eq!(world.changed("a polled change").1.shown, "a.js");
}

#[test]
fn dropping_the_handle_ends_the_thread() {
    let world = World::new(|_| (), |_| ());
    let World { watcher, mut rx, .. } = world;
    drop(watcher);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, async { while rx.recv().await.is_some() {} }).await });
    assert!(ended.is_ok(), "the thread holds the sender while it lives");
}

#[test]
fn a_pattern_that_cannot_be_read_is_an_error_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (tx, _rx) = unbounded_channel();
    let spec = spec(dir.path(), |spec| spec.ignore = vec!["^(".into()]);
    let error = Watcher::start(vec![Watched { app: AppId(0), name: "api".into(), spec }], false, tx).unwrap_err();
    assert_eq!(error.exit_code(), 2);
}
