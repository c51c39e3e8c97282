//! Events that are lost, and changes of which none came.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::watch::{
    FileKind, WatchError, WatchSet,
    backend::{Pace, shared::Backends},
};

/// A kernel whose events nobody has read yet.
#[derive(Clone)]
struct Unread(Feed, Rc<RefCell<Vec<Raw>>>);

impl Backends for Unread {
    fn native(&mut self, _source: u64) -> Result<Box<dyn WatchSet>, WatchError> {
        Ok(Box::new(self.clone()))
    }

    fn polling(&mut self, _interval: Option<Duration>) -> (Box<dyn WatchSet>, Pace) {
        (Box::new(self.clone()), Pace::default())
    }
}

impl WatchSet for Unread {
    fn add(&mut self, _dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        Vec::new()
    }

    fn remove(&mut self, _dirs: &[PathBuf]) {}

    fn hand_over(&mut self) {
        self.1.take().into_iter().for_each(|raw| self.0.raw(now(), raw));
    }
}

#[test]
fn a_burst_is_not_over_because_its_events_come_late() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path(), |_| ());
    let built = vec![(spec.clone(), Tree::new(&spec).unwrap())];
    let ((feed, inbox), (tx, mut rx)) = (feed::channel(), unbounded_channel());
    let unread = Unread(feed.clone(), Rc::default());
    let mut engine = Engine::new(built, true, feed.clone(), inbox, tx);
    engine.set = Shared::with(Box::new(unread.clone()));
    engine.begin((now(), stamp()), without_files(vec![Watched { app: AppId(0), name: "api".into(), spec, rules: Vec::new() }]));
    for name in ["a.js", "b.js", "c.js"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let events = |name: &str| [Raw::New(dir.path().join(name), FileKind::File), Raw::Done(dir.path().join(name))];
    events("a.js").into_iter().for_each(|raw| feed.raw(now(), raw));
    unread.1.borrow_mut().extend(events("b.js").into_iter().chain(events("c.js")));
    let changes = loop {
        assert_eq!(engine.turn(), Flow::On);
        let mut told = std::iter::from_fn(|| rx.try_recv().ok());
        if let Some(Out::Changed { changes, .. }) = told.find(|out| matches!(out, Out::Changed { .. })) {
            break changes;
        }
    };
    assert_eq!(changes.total, 3, "{}", changes.shown);
}

#[test]
fn lost_events_are_one_rescan_that_finds_what_nobody_told() {
    let mut world = World::new(|_| (), |_| ());
    // What an overflow hides: a folder of which no event came.
    world.watcher.feed.raw(now(), Raw::Rescan);
    world.watcher.feed.raw(now(), Raw::Rescan);
    fs::create_dir(world.path("hidden")).unwrap();
    world.write("hidden/a.js", "x");
    world.skipped("the kernel dropped file events (queue full); looked again at 2 directories and restarted once");
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
    world.skipped("the kernel's file events ended unexpectedly; looked again at 1 directory and restarted once");
    assert_eq!(world.changed("a rescan").1.cause, Cause::Rescan);
    world.sentinel(1);
    // The second time within a minute, everything is polled.
    world.watcher.feed.send(Message::SourceEnded(1));
    world.watcher.feed.send(Message::SourceEnded(2));
    assert_eq!(world.changed("a second rescan").1.cause, Cause::Rescan);
    world.sentinel(2);
}

#[test]
fn a_full_channel_is_a_rescan_as_well() {
    let (feed, inbox) = feed::channel();
    for _ in 0..=feed::CAPACITY {
        feed.raw(now(), Raw::Write("/elsewhere/a.js".into()));
    }
    let dir = tempfile::tempdir().unwrap();
    let app = Watched { app: AppId(0), name: "api".into(), spec: spec(dir.path(), |_| ()), rules: Vec::new() };
    let (tx, rx) = unbounded_channel();
    let watcher = Watcher::with(without_files(vec![app]), true, tx, (feed, inbox)).unwrap();
    let mut world = World { dir, watcher, rx, heard: Vec::new(), dirs: 0 };
    world.skipped("more file events came than could be kept");
    assert_eq!(world.changed("the rescan").1.cause, Cause::Rescan);
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
    let app = Watched { app: AppId(0), name: "api".into(), spec: spec(dir.path(), |_| ()), rules: Vec::new() };
    let watcher = Watcher::start(without_files(vec![app]), true, tx).unwrap();
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
