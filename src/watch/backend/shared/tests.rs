use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use super::{Backends, Shared};
use crate::{
    model::{PollMode, WatchSpec},
    watch::{
        api::{WatchError, WatchSet},
        backend::Pace,
        mounts::Silent,
        tree::project::{Project, texts},
    },
};

/// What the backends hold, and how they fail.
#[derive(Default)]
struct Book {
    native: BTreeSet<PathBuf>,
    polled: BTreeSet<PathBuf>,
    calls: usize,
    limit: Option<usize>,
    no_instance: Option<WatchError>,
    interval: Option<Duration>,
    made: Vec<u64>,
}

#[derive(Clone, Default)]
struct Fakes(Rc<RefCell<Book>>);

struct Set {
    book: Rc<RefCell<Book>>,
    polls: bool,
}

impl Backends for Fakes {
    fn native(&mut self, source: u64) -> Result<Box<dyn WatchSet>, WatchError> {
        let mut book = self.0.borrow_mut();
        book.made.push(source);
        book.native.clear();
        match book.no_instance.clone() {
            Some(error) => Err(error),
            None => Ok(Box::new(Set { book: self.0.clone(), polls: false })),
        }
    }

    fn polling(&mut self, interval: Option<Duration>) -> (Box<dyn WatchSet>, Pace) {
        let mut book = self.0.borrow_mut();
        book.interval = interval;
        book.polled.clear();
        (Box::new(Set { book: self.0.clone(), polls: true }), Pace::default())
    }
}

impl WatchSet for Set {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        let mut book = self.book.borrow_mut();
        book.calls += 1;
        let mut failed = Vec::new();
        for dir in dirs {
            if self.polls {
                assert!(book.polled.insert(dir.clone()), "{} is polled twice", dir.display());
            } else if dir.ends_with("denied") {
                failed.push((dir.clone(), WatchError::Denied));
            } else if book.limit.is_some_and(|limit| book.native.len() >= limit) {
                failed.push((dir.clone(), WatchError::Limit));
            } else {
                assert!(book.native.insert(dir.clone()), "{} is watched twice", dir.display());
            }
        }
        failed
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        let mut book = self.book.borrow_mut();
        for dir in dirs {
            let set = if self.polls { &mut book.polled } else { &mut book.native };
            assert!(set.remove(dir), "{} was not there", dir.display());
        }
    }
}

fn shared(book: Book, modes: &[PollMode]) -> (Shared, Fakes) {
    let fakes = Fakes(Rc::new(RefCell::new(book)));
    let mut shared = Shared::with(Box::new(fakes.clone()));
    let project = Project::new(&[]);
    for mode in modes {
        shared.join(&WatchSpec { poll: *mode, ..project.spec() });
    }
    (shared, fakes)
}

fn dirs(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

fn names(paths: &BTreeSet<PathBuf>) -> Vec<&str> {
    paths.iter().filter_map(|path| path.to_str()).collect()
}

#[test]
fn a_folder_of_several_groups_costs_one_watch_until_the_last_leaves() {
    let (mut shared, fakes) = shared(Book::default(), &[PollMode::Auto, PollMode::Never]);
    shared.group(0).add(&dirs(&["/a", "/a/b"]));
    shared.group(1).add(&dirs(&["/a/b", "/c"]));
    shared.group(1).add(&dirs(&["/a/b"]));
    assert_eq!(names(&fakes.0.borrow().native), ["/a", "/a/b", "/c"]);
    assert_eq!((shared.dirs(), shared.polled()), (3, 0));
    shared.group(0).remove(&dirs(&["/a", "/a/b", "/never"]));
    assert_eq!(names(&fakes.0.borrow().native), ["/a/b", "/c"]);
    shared.group(1).remove(&dirs(&["/a/b"]));
    assert_eq!(names(&fakes.0.borrow().native), ["/c"]);
    assert!(shared.notices().is_empty());
}

#[test]
fn what_the_kernel_cannot_hold_is_polled_and_told_once() {
    let (mut shared, fakes) = shared(Book { limit: Some(2), ..Book::default() }, &[PollMode::Auto, PollMode::Auto]);
    assert!(shared.group(0).add(&dirs(&["/a", "/b", "/c"])).is_empty());
    let calls = fakes.0.borrow().calls;
    assert!(shared.group(0).add(&dirs(&["/d"])).is_empty());
    assert_eq!(fakes.0.borrow().calls, calls + 1, "the kernel is not asked again");
    assert!(shared.group(1).add(&dirs(&["/d", "/a"])).is_empty());
    assert_eq!(names(&fakes.0.borrow().native), ["/a", "/b"]);
    assert_eq!(names(&fakes.0.borrow().polled), ["/c", "/d"]);
    let told = texts(&shared.notices());
    assert!(told.len() == 1 && told[0].starts_with("watch: 2 of 4 directories are polled: the kernel's limit of "), "{told:?}");
    assert!(shared.notices().is_empty());
    shared.group(0).remove(&dirs(&["/c"]));
    assert_eq!(names(&fakes.0.borrow().polled), ["/d"]);

    fakes.0.borrow_mut().limit = None;
    shared.renew(true);
    assert!(shared.group(0).add(&dirs(&["/a", "/b", "/c"])).is_empty());
    assert_eq!((shared.dirs(), shared.polled(), shared.source()), (3, 0, 2), "a rescan tries again");
}

#[test]
fn where_polling_is_forbidden_the_limit_is_an_error_and_told() {
    let (mut shared, fakes) = shared(Book { limit: Some(1), ..Book::default() }, &[PollMode::Never]);
    let failed = shared.group(0).add(&dirs(&["/a", "/b"]));
    assert_eq!(failed, [(PathBuf::from("/b"), WatchError::Limit)]);
    assert!(fakes.0.borrow().polled.is_empty());
    let told = texts(&shared.notices());
    assert!(told.len() == 1 && told[0].starts_with("watch: 1 of 2 directories is not watched: the kernel's limit of "), "{told:?}");
}

#[test]
fn without_an_instance_everything_is_polled() {
    let (mut shared, fakes) = shared(Book { no_instance: Some(WatchError::Limit), ..Book::default() }, &[PollMode::Auto]);
    assert!(shared.group(0).add(&dirs(&["/a", "/b"])).is_empty());
    assert_eq!((shared.dirs(), shared.polled(), fakes.0.borrow().made.len()), (2, 2, 1));
    assert_ne!(fakes.0.borrow().made, [shared.source()], "the end of what could not be made is no end of a watcher in use");
    let told = texts(&shared.notices());
    assert!(told[0].starts_with("watch: all 2 directories are polled: the kernel's limit of "), "{told:?}");
    assert!(told[0].ends_with(" inotify instances is reached"), "{told:?}");
    shared.renew(false);
    shared.group(0).add(&dirs(&["/a"]));
    assert_eq!(fakes.0.borrow().made.len(), 1, "told to poll, it does not ask for an instance");
    assert_eq!(shared.polled(), 1);
}

#[test]
fn polling_asked_for_needs_no_instance() {
    let hundred = Duration::from_millis(100);
    let (mut shared, fakes) = shared(Book::default(), &[PollMode::Always(Some(hundred)), PollMode::Auto]);
    shared.group(0).add(&dirs(&["/a"]));
    assert!(fakes.0.borrow().made.is_empty());
    assert_eq!((fakes.0.borrow().interval, shared.polled()), (Some(hundred), 1));
    shared.group(1).add(&dirs(&["/a"]));
    assert_eq!(names(&fakes.0.borrow().native), ["/a"], "another group wants events");
    assert!(shared.notices().is_empty());
}

#[test]
fn a_mount_without_events_is_watched_and_polled() {
    let (mut shared, fakes) = shared(Book::default(), &[PollMode::Auto, PollMode::Never]);
    let table = "30 27 0:40 / /mnt/c rw,noatime - 9p C: rw";
    shared.silent.extend(Silent::among(table, &[Path::new("/mnt")], &|_| None));
    shared.group(0).add(&dirs(&["/mnt", "/mnt/c", "/mnt/c/denied", "/mnt/c/src"]));
    shared.group(1).add(&dirs(&["/mnt/c/never"]));
    assert_eq!(names(&fakes.0.borrow().native), ["/mnt", "/mnt/c", "/mnt/c/never", "/mnt/c/src"]);
    assert_eq!(names(&fakes.0.borrow().polled), ["/mnt/c", "/mnt/c/src"]);
    let told = texts(&shared.notices());
    assert_eq!(told, ["watch: /mnt/c is a 9p file system, which does not tell all changes, so it is polled as well"]);
}
