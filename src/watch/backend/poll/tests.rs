//! Against real files, with deadlines: an event that does not come fails the test with all that came.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use notify::{Config, PathOp, Watcher};

use super::{Pace, polling, scan::Scanner};
use crate::watch::{
    api::{Raw, WatchSet},
    feed::{self, Inbox, Message},
};

struct Polled {
    dir: tempfile::TempDir,
    set: Box<dyn WatchSet>,
    pace: Pace,
    inbox: Inbox,
}

/// A folder with these files, long unchanged, polled so often that a test need not wait.
fn polled(files: &[&str]) -> Polled {
    let dir = tempfile::tempdir().unwrap();
    for name in files {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), "old").unwrap();
    }
    let (feed, inbox) = feed::channel();
    let (set, pace) = polling(Some(Duration::from_millis(20)), feed);
    let mut polled = Polled { dir, set, pace, inbox };
    polled.watch("");
    // The files are so new that they may be told as changed while the folder was added.
    polled.mark("first mark");
    polled
}

impl Polled {
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Watches a folder and waits until it was looked at.
    fn watch(&mut self, name: &str) {
        assert!(self.set.add(&[self.at(name)]).is_empty());
        assert_eq!(self.pace.interval(Duration::from_secs(10)), Some(Duration::from_millis(20)));
    }

    /// Makes a new file and waits for it: all that was told before it.
    fn mark(&self, name: &str) -> BTreeSet<PathBuf> {
        fs::write(self.at(name), "x").unwrap();
        self.until(&[name])
    }

    /// Waits until all these were told as touched; what else came is told with a failure.
    #[expect(clippy::disallowed_methods, reason = "the deadline of a test against real files")]
    fn until(&self, names: &[&str]) -> BTreeSet<PathBuf> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut missing: BTreeSet<_> = names.iter().map(|name| self.at(name)).collect();
        let mut came = BTreeSet::new();
        while !missing.is_empty() {
            match self.inbox.wait(Some(deadline)) {
                Some(Message::Raw(_, Raw::Touched(path))) => {
                    missing.remove(&path);
                    came.insert(path);
                }
                other => panic!("{missing:?} did not come, but {other:?} after {came:#?}"),
            }
        }
        came
    }
}

fn set_mtime(path: &Path, at: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

#[test]
fn new_changed_and_removed_files() {
    let polled = polled(&["a.js", "b.js", "c.js"]);
    fs::write(polled.at("a.js"), "new text").unwrap();
    fs::remove_file(polled.at("b.js")).unwrap();
    fs::write(polled.at("new.js"), "x").unwrap();
    fs::create_dir(polled.at("folder")).unwrap();
    let came = polled.until(&["a.js", "b.js", "new.js", "folder"]);
    assert!(!came.contains(&polled.at("c.js")), "{came:?}");
}

#[test]
fn an_older_file_moved_over_it() {
    let polled = polled(&["app.js", "spare"]);
    set_mtime(&polled.at("spare"), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    polled.until(&["spare"]);
    fs::rename(polled.at("spare"), polled.at("app.js")).unwrap();
    polled.until(&["spare", "app.js"]);
}

#[test]
fn a_save_that_keeps_the_mtime() {
    let polled = polled(&["app.js"]);
    let before = fs::metadata(polled.at("app.js")).unwrap().modified().unwrap();
    fs::write(polled.at("app.js"), "longer than before").unwrap();
    set_mtime(&polled.at("app.js"), before);
    polled.until(&["app.js"]);
    assert_eq!(fs::metadata(polled.at("app.js")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_folder_that_vanishes_is_told_once_and_the_others_go_on() {
    let mut polled = polled(&["sub/a.js", "b.js"]);
    polled.watch("sub");
    fs::remove_dir_all(polled.at("sub")).unwrap();
    polled.until(&["sub"]);
    fs::write(polled.at("b.js"), "new text").unwrap();
    polled.until(&["b.js"]);
    fs::create_dir(polled.at("sub")).unwrap();
    polled.until(&["sub"]);
    polled.watch("sub");
    fs::write(polled.at("sub/again.js"), "x").unwrap();
    polled.until(&["sub/again.js"]);
}

#[test]
fn what_changes_while_a_folder_is_added_is_told() {
    let mut polled = polled(&["late/a.js"]);
    let at = polled.at("late");
    assert!(polled.set.add(&[at]).is_empty());
    fs::write(polled.at("late/a.js"), "as the walk goes on").unwrap();
    polled.until(&["late/a.js"]);
}

#[test]
fn a_removed_folder_is_silent() {
    let mut polled = polled(&["sub/a.js", "b.js"]);
    polled.watch("sub");
    polled.mark("before");
    let at = polled.at("sub");
    polled.set.remove(&[at]);
    fs::write(polled.at("sub/a.js"), "new text").unwrap();
    let came = polled.mark("after");
    assert!(!came.contains(&polled.at("sub/a.js")), "{came:?}");
}

#[test]
fn a_scan_looks_at_everything_before_it_tells() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
    for dir in [&one, &two] {
        fs::create_dir(dir).unwrap();
    }
    let (tx, told) = std::sync::mpsc::channel();
    let meanwhile = two.join("meanwhile");
    let handler = move |event: notify::Result<notify::Event>| {
        fs::write(&meanwhile, "x").unwrap();
        tx.send(event.unwrap().paths.remove(0)).unwrap();
    };
    let mut scanner = Scanner::new(handler, Config::default()).unwrap();
    let mut scan = || scanner.update_paths([&one, &two].map(PathOp::watch_non_recursive).into()).unwrap();
    scan();
    fs::write(one.join("a"), "x").unwrap();
    scan();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [one.join("a")], "what happens while it is told belongs to the next scan");
    scan();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [two.join("meanwhile")]);
}
