//! One group with its tree: events go through the rules into the settle.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Instant, SystemTime},
};

use crate::{
    model::{Decision, Level, Notice, NoticeKind, Rule, WatchSpec},
    watch::{FileKind, Fs, Out, Raw, Stat, WatchError, WatchSet, group::Group, paths, tree::Added, tree::Tree},
};

/// Above this many files nobody looks for changes made during the walk.
const SWEEP_MAX: usize = 50_000;

/// A group and the folders it watches.
pub struct Room {
    /// What it was made from.
    pub spec: WatchSpec,
    /// The files that say what shall run.
    pub project: Rc<Project>,
    /// The folders.
    pub tree: Tree,
    /// The apps.
    pub group: Group,
    /// Its number in the shared set.
    pub number: usize,
    /// The last event was the end of a folder, perhaps the first half of a rename.
    pub folder_left: bool,
}

/// The files that say what shall run, canonical, with all that links among them lead through.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// They are no app's change.
    pub own: HashSet<PathBuf>,
    /// What they load: an app's change as well, but nothing stops early for it, because their plan comes first.
    pub modules: HashSet<PathBuf>,
}

impl Project {
    /// From the files as they were named.
    pub fn new(files: &[PathBuf], modules: &[PathBuf]) -> Self {
        let own: HashSet<PathBuf> = files.iter().flat_map(|path| paths::with_links(path)).collect();
        let modules = modules.iter().flat_map(|path| paths::with_links(path)).filter(|path| !own.contains(path)).collect();
        Self { own, modules }
    }

    /// All of them, in an order that stays.
    pub fn all(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = self.own.union(&self.modules).cloned().collect();
        all.sort();
        all
    }
}

/// What an event needs of the world.
pub struct World<'a> {
    /// The watches.
    pub set: &'a mut dyn WatchSet,
    /// The file system.
    pub fs: &'a mut dyn Fs,
    /// What is told.
    pub out: &'a mut Vec<Out>,
}

impl Room {
    /// Watches everything; how many files count.
    pub fn walk(&mut self, world: &mut World<'_>) -> usize {
        let added = self.tree.add_roots(world.set);
        let kept = added.kept;
        self.take(None, added, world);
        kept
    }

    /// What the files that say what shall run hold is known, unless they were changed since they were read.
    pub fn know_project(&mut self, since: SystemTime, fs: &mut dyn Fs) {
        if !self.group.is_project() {
            return;
        }
        for path in self.project.own.union(&self.project.modules) {
            if let Some(stat) = fs.lstat(path).filter(|stat| stat.ctime < since) {
                self.group.settle.know(path, &stat, fs);
            }
        }
    }

    /// Changes made while the tree was being walked; none of their events need have been seen.
    pub fn sweep(&mut self, since: SystemTime, now: Instant, kept: usize, fs: &mut dyn Fs) {
        if kept > SWEEP_MAX {
            return;
        }
        let mut changed = Vec::new();
        self.tree.for_each_kept_file(&mut |path, stat| {
            if stat.ctime >= since && !self.is_apart(path) {
                changed.push(path.to_path_buf());
            }
        });
        for path in changed {
            self.group.settle.arrived(now, &path, fs);
        }
    }

    /// An event.
    pub fn offer(&mut self, at: Instant, raw: &Raw, world: &mut World<'_>) {
        let folder_left = std::mem::take(&mut self.folder_left);
        match raw {
            Raw::Write(path) => {
                if self.may_count(path) {
                    self.group.settle.wrote(at, path);
                }
            }
            Raw::Done(path) => {
                if self.counts(at, path, world) {
                    self.group.settle.closed(at, path, world.fs);
                }
            }
            Raw::New(path, FileKind::Dir) => self.new_folder(at, path, world),
            Raw::New(path, FileKind::File | FileKind::Link | FileKind::Other) => self.created(at, path, world),
            // A folder's new name, which it has left again: its end there is no deleted file.
            Raw::MovedIn(path) if folder_left && world.fs.lstat(path).is_none() => self.group.settle.folder_seen(path),
            Raw::MovedIn(path) => self.moved_in(at, path, world),
            Raw::Gone(path) => self.gone(at, path, world),
            Raw::Meta(path) => {
                if self.may_count(path) {
                    self.group.settle.meta(path);
                }
            }
            Raw::Touched(path) => self.touched(at, path, world),
            Raw::Rescan => self.group.settle.lost(at),
            // The engine's own affair.
            Raw::Error(_) => {}
        }
    }

    fn created(&mut self, at: Instant, path: &Path, world: &mut World<'_>) {
        if !self.is_here(path) {
            return;
        }
        let stat = world.fs.lstat(path);
        let kind = stat.map(|stat| stat.kind);
        self.tree.note_special(path, kind == Some(FileKind::Other));
        match kind {
            Some(FileKind::Dir) => self.new_folder(at, path, world),
            // Nobody reads a socket, a pipe or a device to learn what the app is.
            Some(FileKind::Other) => self.group.skip(vec![format!("{} is no file with contents", self.group.shown(path))], world.out),
            Some(FileKind::File | FileKind::Link) | None => {
                if self.counts(at, path, world) {
                    self.group.settle.created(at, path, stat, world.fs);
                    self.follow(at, path, stat, world);
                }
            }
        }
    }

    fn moved_in(&mut self, at: Instant, path: &Path, world: &mut World<'_>) {
        if !self.is_here(path) {
            return;
        }
        // Where it moved on already, whether it was a folder is not known.
        let Some(stat) = world.fs.lstat(path) else { return };
        self.tree.unfollow(path, world.set);
        self.tree.note_special(path, stat.kind == FileKind::Other);
        if stat.kind == FileKind::Dir {
            self.new_folder(at, path, world);
        } else if self.counts(at, path, world) {
            self.group.settle.arrived(at, path, world.fs);
            self.follow(at, path, Some(stat), world);
        }
    }

    fn new_folder(&mut self, at: Instant, dir: &Path, world: &mut World<'_>) {
        if !self.is_here(dir) {
            return;
        }
        self.group.settle.folder_seen(dir);
        let decision = self.tree.judge(dir, true);
        let added = self.tree.add(dir, world.set);
        if !decision.watched {
            self.explain(dir, &decision, world.out);
        } else if added.files.is_empty() {
            self.group.skip(vec![format!("{} is a folder without files that count", self.group.shown(dir))], world.out);
        }
        self.take(Some(at), added, world);
    }

    fn gone(&mut self, at: Instant, path: &Path, world: &mut World<'_>) {
        if !self.is_here(path) {
            return;
        }
        let removed = self.tree.remove(path, world.set);
        self.folder_left = removed.was_watched || self.group.settle.was_folder(path);
        if removed.was_watched {
            self.group.settle.folder_gone(at, path, removed.held_files);
            if !removed.held_files {
                self.group.skip(vec![format!("{} was a folder without files that count", self.group.shown(path))], world.out);
            }
            self.take(Some(at), removed.added, world);
        } else if self.group.settle.was_folder(path) {
            self.group.skip(vec![format!("{} was a folder", self.group.shown(path))], world.out);
        } else if self.tree.note_special(path, false) {
            self.group.settle.forget(path);
            self.group.skip(vec![format!("{} was no file with contents", self.group.shown(path))], world.out);
        } else if self.counts(at, path, world) && self.group.settle.gone(at, path) {
            self.group.skip(vec![format!("{} was made and removed again", self.group.shown(path))], world.out);
        }
    }

    fn touched(&mut self, at: Instant, path: &Path, world: &mut World<'_>) {
        if !self.is_here(path) {
            return;
        }
        let kind = world.fs.lstat(path).map(|stat| stat.kind);
        let was_special = self.tree.note_special(path, kind == Some(FileKind::Other));
        match kind {
            Some(FileKind::Dir) if self.tree.holds(path) => {}
            Some(FileKind::Dir) => {
                self.new_folder(at, path, world);
                self.group.settle.no_closes();
            }
            None if self.tree.holds(path) || self.group.settle.was_folder(path) => self.gone(at, path, world),
            None if was_special => self.group.settle.forget(path),
            Some(FileKind::File | FileKind::Link | FileKind::Other) | None => {
                if self.counts(at, path, world) && !self.group.settle.touched(at, path, world.fs) {
                    self.group.skip(vec![format!("{} is gone, which was told before", self.group.shown(path))], world.out);
                }
            }
        }
    }

    /// A new link may lead to a folder that is to be watched as well: the walk that follows links looks at its folder again.
    fn follow(&mut self, at: Instant, path: &Path, stat: Option<Stat>, world: &mut World<'_>) {
        if stat.is_some_and(|stat| stat.kind == FileKind::Link) && path.is_dir() {
            let added = self.tree.ignore_file_changed(path, world.set);
            self.take(Some(at), added, world);
        }
    }

    /// Whether a folder of this tree is concerned at all.
    fn is_here(&self, path: &Path) -> bool {
        paths::folder(path).is_some_and(|dir| self.tree.holds(dir)) || self.tree.holds(path)
    }

    /// Whether the path counts, where nothing follows from it yet.
    fn may_count(&self, path: &Path) -> bool {
        self.is_here(path) && !self.is_apart(path) && !self.tree.is_ignore_file(path) && self.tree.judge(path, false).watched
    }

    /// Whether it is a file that says what shall run, and this the room of apps.
    fn is_apart(&self, path: &Path) -> bool {
        !self.group.is_project() && self.project.own.contains(path)
    }

    /// Whether the path counts. An ignore file is read again instead; what a rule drops is explained.
    fn counts(&mut self, at: Instant, path: &Path, world: &mut World<'_>) -> bool {
        if !self.is_here(path) {
            return false;
        }
        if self.is_apart(path) {
            self.group.explain(|| format!("{} says what shall run: it acts through its plan alone", self.group.shown(path)), world.out);
            return false;
        }
        if self.tree.is_ignore_file(path) {
            let added = self.tree.ignore_file_changed(path, world.set);
            self.group.skip(vec![format!("{} was read again", self.group.shown(path))], world.out);
            self.take(Some(at), added, world);
            return false;
        }
        let decision = self.tree.judge(path, false);
        if !decision.watched {
            self.explain(path, &decision, world.out);
        }
        decision.watched
    }

    fn explain(&self, path: &Path, decision: &Decision, out: &mut Vec<Out>) {
        if decision.rule == Rule::Outside {
            return;
        }
        let pruned = |dir: &PathBuf| format!(" (decided at {})", self.group.shown(dir));
        self.group.explain(
            || {
                let at = decision.pruned_at.as_ref().map(pruned).unwrap_or_default();
                format!("{} is ignored: {}{at}", self.group.shown(path), decision.rule)
            },
            out,
        );
    }

    /// What a walk brought: every file it lists is a change.
    fn take(&mut self, at: Option<Instant>, added: Added, world: &mut World<'_>) {
        world.out.extend(added.notices.into_iter().map(Out::Notice));
        for (path, error) in added.errors {
            let why = match error {
                // The set itself tells of the limit, once and with what to do.
                WatchError::Limit | WatchError::Gone => continue,
                WatchError::Denied => "it may not be read".to_owned(),
                WatchError::Other(why) => why,
            };
            let text = format!("{} is not watched: {why}", self.group.shown(&path));
            world.out.push(Out::Notice(Notice::new(Level::Warning, NoticeKind::Watch, text)));
        }
        let Some(at) = at else { return };
        for path in added.files.iter().filter(|path| !self.is_apart(path)).collect::<Vec<_>>() {
            self.group.settle.arrived(at, path, world.fs);
        }
    }
}
