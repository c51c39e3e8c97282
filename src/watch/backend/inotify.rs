//! The kernel's events, through notify: one watch per folder, none recursive.

use std::{io, path::PathBuf, time::Instant};

use notify::{Config, ErrorKind, EventKindMask, INotifyWatcher, PathOp, UpdatePathsError, Watcher};

use crate::watch::{
    api::{WatchError, WatchSet},
    classify,
    feed::Feed,
};

/// What an inotify watch is asked for. Not OPEN and not CLOSE_NOWRITE: a grep would flood the queue.
const EVENTS: EventKindMask = EventKindMask::CREATE
    .union(EventKindMask::REMOVE)
    .union(EventKindMask::MODIFY_DATA)
    .union(EventKindMask::MODIFY_NAME)
    .union(EventKindMask::MODIFY_META)
    .union(EventKindMask::ACCESS_CLOSE);

struct Native {
    /// There until it is dropped.
    watcher: Option<INotifyWatcher>,
}

impl Drop for Native {
    fn drop(&mut self) {
        // A watcher whose thread has ended panics when it is dropped. What is lost with it is a descriptor.
        if self.operate(Vec::new()).is_err() {
            std::mem::forget(self.watcher.take());
        }
    }
}

/// A set that watches through inotify(7). `Limit`: the user has no more inotify instances, or the process no more descriptors.
#[expect(clippy::disallowed_methods, reason = "an event gets its time where it is read")]
pub fn native(feed: Feed) -> Result<Box<dyn WatchSet>, WatchError> {
    let config = Config::default().with_follow_symlinks(false).with_event_kinds(EVENTS);
    let on_event = move |event: notify::Result<notify::Event>| {
        let at = Instant::now();
        match event {
            Ok(event) => classify::native(event).into_iter().for_each(|raw| feed.raw(at, raw)),
            Err(error) => feed.raw(at, classify::trouble(&error)),
        }
    };
    match INotifyWatcher::new(on_event, config) {
        Ok(watcher) => Ok(Box::new(Native { watcher: Some(watcher) })),
        Err(error) => Err(failure(&error)),
    }
}

impl Native {
    fn operate(&mut self, ops: Vec<PathOp>) -> Result<(), UpdatePathsError> {
        self.watcher.as_mut().map_or(Ok(()), |watcher| watcher.update_paths(ops))
    }

    /// All operations; what fails does not keep the rest from being done, but at the limit of watches nothing more is tried.
    fn update(&mut self, mut ops: Vec<PathOp>) -> Vec<(PathBuf, WatchError)> {
        let mut failed = Vec::new();
        while !ops.is_empty() {
            let Err(error) = self.operate(ops) else { break };
            let why = failure(&error.source);
            let stopped = why == WatchError::Limit || error.origin.is_none();
            failed.extend(error.origin.map(|op| (op.into_path(), why.clone())));
            ops = error.remaining;
            if stopped {
                failed.extend(ops.drain(..).map(|op| (op.into_path(), why.clone())));
            }
        }
        failed
    }
}

impl WatchSet for Native {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        self.update(dirs.iter().map(PathOp::watch_non_recursive).collect())
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        let _mostly_gone_before_us = self.update(dirs.iter().map(PathOp::unwatch).collect());
    }

    fn hand_over(&mut self) {
        // notify reads the kernel's queue before it answers, and passes on what it read before it takes the next request.
        for _ in 0..2 {
            let _its_end_is_told_by_the_feed = self.operate(Vec::new());
        }
    }
}

fn failure(error: &notify::Error) -> WatchError {
    match &error.kind {
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => WatchError::Gone,
        ErrorKind::MaxFilesWatch => WatchError::Limit,
        ErrorKind::Io(error) => match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => WatchError::Limit,
            Some(rustix::io::Errno::NOTDIR) => WatchError::Gone,
            _ if error.kind() == io::ErrorKind::PermissionDenied => WatchError::Denied,
            _ => WatchError::Other(error.to_string()),
        },
        ErrorKind::Generic(text) => WatchError::Other(text.clone()),
        ErrorKind::InvalidConfig(_) => WatchError::Other("notify refuses its configuration".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::watch::{
        api::{FileKind, Raw},
        feed::{self, Inbox, Message},
    };

    #[expect(clippy::disallowed_methods, reason = "the deadline of a test against the real kernel")]
    fn until(inbox: &Inbox, wanted: &Raw) -> Vec<Raw> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut seen = Vec::new();
        loop {
            match inbox.wait(Some(deadline)) {
                Some(Message::Raw(_, raw)) => {
                    seen.push(raw.clone());
                    if raw == *wanted {
                        return seen;
                    }
                }
                Some(_) => {}
                None => panic!("{wanted:?} did not come: {seen:#?}"),
            }
        }
    }

    #[test]
    fn hands_over_what_happened_before_it_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let (feed, inbox) = feed::channel();
        let mut set = native(feed).unwrap();
        assert_eq!(set.add(&[dir.path().to_path_buf()]), []);
        for number in 0..500 {
            let path = dir.path().join(number.to_string());
            fs::write(&path, "x").unwrap();
            set.hand_over();
            let waiting: Vec<_> = std::iter::from_fn(|| inbox.take()).collect();
            let is_last = |message: &Message| matches!(message, Message::Raw(_, Raw::Done(done)) if *done == path);
            assert!(waiting.last().is_some_and(is_last), "{number}: {waiting:#?}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the deadline of a test against the real kernel")]
    fn a_watcher_whose_thread_has_ended_can_be_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let ends = |_: notify::Result<notify::Event>| panic!("this ends the thread, as it should here");
        let watcher = INotifyWatcher::new(ends, Config::default()).unwrap();
        let mut set = Native { watcher: Some(watcher) };
        assert_eq!(set.add(&[dir.path().to_path_buf()]), []);
        fs::write(dir.path().join("a"), "x").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while set.operate(Vec::new()).is_ok() {
            assert!(Instant::now() < deadline, "the thread goes on");
        }
        set.hand_over();
        drop(set);
    }

    #[test]
    fn goes_on_behind_folders_that_are_gone_and_sends_no_reads() {
        let dir = tempfile::tempdir().unwrap();
        let (a, gone, b) = (dir.path().join("a"), dir.path().join("gone"), dir.path().join("b"));
        fs::create_dir(&a).unwrap();
        fs::create_dir(&b).unwrap();
        fs::write(b.join("old"), "x").unwrap();
        let (feed, inbox) = feed::channel();
        let mut set = native(feed).unwrap();
        assert_eq!(set.add(&[a.clone(), gone.clone(), b.clone()]), [(gone.clone(), WatchError::Gone)]);
        fs::read(b.join("old")).unwrap();
        fs::read_dir(&b).unwrap().count();
        fs::write(b.join("new"), "x").unwrap();
        let seen = until(&inbox, &Raw::Done(b.join("new")));
        assert_eq!(seen.first(), Some(&Raw::New(b.join("new"), FileKind::File)), "a read was told: {seen:#?}");
        set.remove(&[gone, b.clone()]);
        fs::write(b.join("later"), "x").unwrap();
        fs::write(a.join("last"), "x").unwrap();
        let seen = until(&inbox, &Raw::Done(a.join("last")));
        assert!(!seen.contains(&Raw::Done(b.join("later"))), "{seen:#?}");
    }
}
