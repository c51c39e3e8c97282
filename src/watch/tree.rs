//! The folders that are watched for one group of apps, and the decision about every path in them.
//! A folder's watch is added before it is listed: what was there before is listed, what comes later makes an event.

mod add;
#[cfg(test)]
pub(super) mod project;
mod start;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    api::{FileKind, Stat, WatchError, WatchSet},
    paths,
    plan::Plan,
    rules::{Reason, Rules, Verdict, scope::Scope},
    walk::{self, Listing},
};
use crate::model::{Decision, Notice, Rule};

/// The watched folders of one group of equal specs. Paths in and out are canonical: links in the roots' own paths are resolved.
pub struct Tree {
    plan: Plan,
    /// How many of the roots were planned; the others came through links.
    planned: usize,
    rules: Rules,
    base: PathBuf,
    follow: bool,
    nodes: HashMap<PathBuf, Node>,
    /// Roots and folders of named files that are not there; the nearest existing folder above each is watched instead.
    missing: Vec<PathBuf>,
    /// Followed links and their targets.
    links: Vec<Link>,
    /// Notices already given, so that a rescan does not repeat them.
    told: HashSet<String>,
}

/// A watched folder.
struct Node {
    /// `None`: it is watched for named files in it or missing folders below it, and for nothing else.
    place: Option<Place>,
    /// Whether it ever held a file that counts.
    held: Cell<bool>,
    /// How many watched folders lie directly in it.
    children: u32,
    /// Folders in it that do not count: when one goes, nothing else says that it was a folder.
    pruned: Vec<Box<[u8]>>,
    /// Sockets, pipes and devices in it: when one goes, nothing else says that it was no file with contents.
    specials: Vec<Box<[u8]>>,
}

/// A followed link to a folder outside every root.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    target: PathBuf,
    /// Device and inode of the target.
    id: (u64, u64),
}

/// What decides in a folder.
#[derive(Clone)]
struct Place {
    root: usize,
    scope: Arc<Scope>,
}

/// What a walk brought.
#[derive(Debug, Default)]
pub struct Added {
    /// The files that count, where a change made the walk: filled by `add` and `remove`, empty after `add_roots` and `ignore_file_changed`.
    pub files: Vec<PathBuf>,
    /// How many files that count were seen, whether listed in `files` or not.
    pub kept: usize,
    /// Folders that could not be watched. Those that vanished meanwhile are not among them.
    pub errors: Vec<(PathBuf, WatchError)>,
    /// What people should know.
    pub notices: Vec<Notice>,
}

/// What the end of a folder took away.
#[derive(Debug, Default)]
pub struct Removed {
    /// Whether it was watched.
    pub was_watched: bool,
    /// Whether it, or a folder below it, ever held a file that counts.
    pub held_files: bool,
    /// Where a root is gone, the nearest existing folder above it is watched from now on; what that brought.
    pub added: Added,
}

impl Tree {
    /// A folder, or something that may have been one, is gone. Where one of that name is there again, it is watched anew.
    pub fn remove(&mut self, dir: &Path, set: &mut dyn WatchSet) -> Removed {
        let mut removed = Removed::default();
        self.unfollow(dir, set);
        if !self.nodes.contains_key(dir) {
            return removed;
        }
        removed.was_watched = true;
        removed.held_files = self.drop_below(dir, None, set);
        let lost: Vec<_> = self.wanted().filter(|path| paths::below(path, dir).is_some()).map(Path::to_owned).collect();
        for path in lost {
            if !self.missing.contains(&path) {
                self.missing.push(path);
            }
        }
        // The report may be late: a deleted folder that is some process's cwd tells of its end when that process leaves it.
        removed.added = if walk::is_dir(dir) || !self.missing.is_empty() { self.add(dir, set) } else { Added::default() };
        removed
    }

    /// A link is gone or another now: what was watched for it alone is let go.
    pub fn unfollow(&mut self, path: &Path, set: &mut dyn WatchSet) {
        let Some(index) = self.links.iter().position(|link| link.path == path) else { return };
        let Link { target, .. } = self.links.swap_remove(index);
        let leads_there = |link: &Link| link.target == target && paths::below(&link.path, &target).is_none();
        if self.links.iter().any(leads_there) {
            return;
        }
        self.drop_below(&target, None, set);
        if let Some(gone) = self.plan.roots[self.planned..].iter().position(|root| root.path == target) {
            let gone = self.planned + gone;
            self.plan.roots.remove(gone);
            let places = self.nodes.values_mut().filter_map(|node| node.place.as_mut());
            places.filter(|place| place.root > gone).for_each(|place| place.root -= 1);
        }
        while let Some(inner) = self.links.iter().find(|link| paths::below(&link.path, &target).is_some()) {
            self.unfollow(&inner.path.clone(), set);
        }
    }

    /// Whether changes of the path count, and which rule says so.
    pub fn judge(&self, path: &Path, is_dir: bool) -> Decision {
        if !is_dir && self.rules.is_named(path) {
            return Decision { watched: true, rule: Rule::Named, pruned_at: None };
        }
        if is_dir && (self.plan.is_root(path) || self.missing.iter().any(|gone| paths::below(gone, path).is_some())) {
            return Decision { watched: true, rule: Rule::Default, pruned_at: None };
        }
        let outside = Decision { watched: false, rule: Rule::Outside, pruned_at: None };
        let Some((node, verdict)) = self.verdict(path, is_dir) else {
            // Nothing is watched there: the first folder on the way that is not says why.
            let Some(top) = path.ancestors().skip(1).find(|dir| paths::folder(dir).is_some_and(|above| self.nodes.contains_key(above)))
            else {
                return outside;
            };
            return match self.verdict(top, true) {
                Some((_, verdict)) if !verdict.watched && !matches!(verdict.reason, Reason::Outside) => {
                    Decision { pruned_at: Some(top.to_owned()), ..verdict.decision() }
                }
                Some(_) | None => outside,
            };
        };
        if verdict.watched && !is_dir {
            node.held.set(true);
        }
        verdict.decision()
    }

    /// The verdict about a path in a watched folder.
    fn verdict(&self, path: &Path, is_dir: bool) -> Option<(&Node, Verdict<'_>)> {
        let node = self.nodes.get(paths::folder(path)?)?;
        let Some(place) = &node.place else {
            return Some((node, Verdict { watched: false, reason: Reason::Outside }));
        };
        let is_dir = is_dir || node.pruned.iter().any(|pruned| **pruned == *paths::name(path));
        Some((node, self.rules.verdict(&self.plan.roots[place.root], &place.scope, path, is_dir)))
    }

    /// Takes note whether a path is a socket, a pipe or a device now. True: it was one.
    pub fn note_special(&mut self, path: &Path, is: bool) -> bool {
        let Some(node) = paths::folder(path).and_then(|dir| self.nodes.get_mut(dir)) else { return false };
        let name = paths::name(path);
        let before = node.specials.len();
        node.specials.retain(|special| **special != *name);
        let was = node.specials.len() < before;
        if is {
            node.specials.push(name.into());
        }
        was
    }

    /// Whether this folder is watched.
    pub fn holds(&self, dir: &Path) -> bool {
        self.nodes.contains_key(dir)
    }

    /// Whether the path is an ignore file in use. Ask before `judge`: such a file is read again and is no change itself.
    pub fn is_ignore_file(&self, path: &Path) -> bool {
        let name = paths::name(path);
        if !self.rules.is_ignore_file(name) {
            return false;
        }
        let Some(dir) = paths::folder(path) else { return false };
        let above = || self.plan.roots[..self.planned].iter().any(|root| self.rules.above_dirs(root).any(|above| above == dir));
        self.nodes.get(dir).is_some_and(|node| node.place.is_some() || (name == b".gitignore" && above()))
    }

    /// Forgets every folder and keeps rules and roots: the start of a rescan, with a new watch set.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.missing.clear();
        self.links.clear();
        self.plan.roots.truncate(self.planned);
    }

    /// Ends the watch of every folder; nothing is left.
    pub fn release(&mut self, set: &mut dyn WatchSet) {
        let all: Vec<PathBuf> = self.nodes.keys().cloned().collect();
        set.remove(&all);
        self.clear();
    }

    /// Lists the watched folders again and shows every file that counts: the sweep after the start.
    pub fn for_each_kept_file(&self, f: &mut dyn FnMut(&Path, &Stat)) {
        let mut listing = Listing::new();
        let mut path = PathBuf::new();
        for (dir, node) in &self.nodes {
            let Some(place) = &node.place else { continue };
            if listing.read(dir).is_err() {
                continue;
            }
            for name in listing.iter().filter(|(_, kind)| matches!(kind, FileKind::File | FileKind::Link)).map(|(name, _)| name) {
                if self.rules.is_ignore_file(name) {
                    continue;
                }
                paths::entry(&mut path, dir, name);
                if self.rules.verdict(&self.plan.roots[place.root], &place.scope, &path, false).watched
                    && let Some(stat) = listing.lstat(name)
                {
                    f(&path, &stat);
                }
            }
        }
        for path in &self.plan.named {
            let listed = paths::folder(path).and_then(|dir| self.nodes.get(dir)).is_some_and(|node| node.place.is_some());
            if let Some(stat) = walk::lstat(path).filter(|_| !listed) {
                f(path, &stat);
            }
        }
    }

    /// Drops a folder and all below it with their watches; with `of`, only what that root holds. Whether any held a file that counts.
    fn drop_below(&mut self, dir: &Path, of: Option<usize>, set: &mut dyn WatchSet) -> bool {
        let Some(node) = self.nodes.get(dir) else { return false };
        let alone = node.children == 0 && !self.wanted().any(|path| path != dir && paths::below(path, dir).is_some());
        let is_its = |node: &Node| of.is_none() || node.place.as_ref().map(|place| place.root) == of;
        let gone: Vec<PathBuf> = if alone {
            vec![dir.to_owned()]
        } else {
            let inside = self.nodes.iter().filter(|(path, node)| is_its(node) && paths::below(path, dir).is_some());
            inside.map(|(path, _)| path.clone()).collect()
        };
        let mut held = false;
        for path in &gone {
            held |= self.nodes.remove(path).is_some_and(|node| node.held.get());
        }
        if let Some(parent) = paths::folder(dir).and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children = parent.children.saturating_sub(1);
        }
        set.remove(&gone);
        held
    }

    /// The folders that are walked.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        self.plan.roots.iter().map(|root| root.path.as_path())
    }

    /// The folders that must be watched whenever they exist: the planned roots and those of the named files.
    fn wanted(&self) -> impl Iterator<Item = &Path> {
        let roots = self.plan.roots[..self.planned].iter().map(|root| root.path.as_path());
        roots.chain(self.plan.named.iter().filter_map(|path| paths::folder(path)))
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("plan", &self.plan).field("dirs", &self.nodes.len()).finish_non_exhaustive()
    }
}
