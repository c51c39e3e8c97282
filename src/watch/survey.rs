//! What watching would take, and what is taken of it already: looked at from outside, nothing is watched.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    api::{WatchError, WatchSet},
    mounts::Silent,
    tree::Tree,
};
use crate::model::{Error, PollMode, WatchSpec};

/// What an app's watching takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many of the kernel's watches; 0 where everything is polled.
    pub watches: usize,
    /// The mounts that do not tell all changes, and their kinds.
    pub silent: Vec<(PathBuf, String)>,
}

impl Survey {
    /// Walks all that would be watched.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn of(spec: &WatchSpec) -> Result<Self, Error> {
        let (mut tree, _) = Tree::new(spec)?;
        let roots: Vec<PathBuf> = tree.roots().map(Path::to_owned).collect();
        let silent = Silent::find(&roots.iter().map(PathBuf::as_path).collect::<Vec<_>>());
        let mut count = Count(0);
        if !matches!(spec.poll, PollMode::Always(_)) {
            tree.add_roots(&mut count);
        }
        Ok(Self { watches: count.0, silent: silent.into_mounts() })
    }
}

/// Counts what it is told to watch.
struct Count(usize);

impl WatchSet for Count {
    fn add(&mut self, dirs: &[PathBuf]) -> Vec<(PathBuf, WatchError)> {
        self.0 += dirs.len();
        Vec::new()
    }

    fn remove(&mut self, dirs: &[PathBuf]) {
        self.0 = self.0.saturating_sub(dirs.len());
    }
}

/// How much of the limits of inotify(7) a user's processes have taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Inotify instances.
    pub instances: u64,
    /// Their watches.
    pub watches: u64,
}

impl Taken {
    /// Counts those of the processes of this user that may be looked at, proc_pid_fdinfo(5).
    pub fn by(user: u32) -> Self {
        let mut taken = Self::default();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let is_its = |process: &PathBuf| fs::metadata(process).is_ok_and(|data| data.uid() == user);
        let is_process =
            |entry: &fs::DirEntry| entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        for process in entries.filter(is_process).map(|entry| entry.path()).filter(is_its) {
            for descriptor in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
                if fs::read_link(descriptor.path()).is_ok_and(|link| link == Path::new("anon_inode:inotify")) {
                    let info = fs::read_to_string(process.join("fdinfo").join(descriptor.file_name())).unwrap_or_default();
                    taken.instances += 1;
                    taken.watches += watches(&info);
                }
            }
        }
        taken
    }
}

/// The watches in the text of an inotify descriptor: a line `inotify wd:2 ino:…` each.
fn watches(info: &str) -> u64 {
    info.lines().filter(|line| line.starts_with("inotify wd:")).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WatchRoot;

    #[test]
    fn folders_that_count_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["src/a", "src/b", "node_modules/x/y"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let spec = WatchSpec::new(vec![WatchRoot::Tree { path: root.clone(), explicit: false }], root.clone());
        assert_eq!(Survey::of(&spec).unwrap().watches, 4, "the root, src, src/a and src/b");
        let polled = WatchSpec { poll: PollMode::Always(None), ..spec };
        assert_eq!(Survey::of(&polled).unwrap().watches, 0);
    }

    #[test]
    fn watches_are_lines_of_fdinfo() {
        let info = "pos:\t0\nflags:\t02004000\nmnt_id:\t15\nino:\t1057\ninotify wd:2 ino:ec sdev:1a mask:fce ignored_mask:0 fhandle-bytes:c\n\
             inotify wd:1 ino:eb sdev:1a mask:fce\n";
        assert_eq!(watches(info), 2);
        assert_eq!(watches(""), 0);
    }

    #[test]
    fn what_we_have_is_counted() {
        use rustix::fs::inotify;
        let instance = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&instance, "/", inotify::WatchFlags::CREATE).unwrap();
        let taken = Taken::by(rustix::process::geteuid().as_raw());
        assert!(taken.instances >= 1 && taken.watches >= 1, "{taken:?}");
    }
}
