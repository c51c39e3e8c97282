//! Adding folders, level by level: one batch of watches, then the listings, which bring the next level.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashSet},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Added, Link, Node, Place, Tree};
use crate::{
    model::{Level, Notice, NoticeKind},
    watch::{
        api::{FileKind, WatchError, WatchSet},
        paths,
        plan::Root,
        rules::scope::{Found, Scope},
        walk::{self, Listing},
    },
};

/// A link is not followed behind this many others.
const MAX_HOPS: u8 = 8;

/// A folder to be watched and listed.
struct Todo {
    path: PathBuf,
    root: usize,
    /// The ignore files that apply from above.
    outer: Arc<Scope>,
}

/// One walk: what it is for and what it has found so far.
struct Walk<'a> {
    set: &'a mut dyn WatchSet,
    added: &'a mut Added,
    /// Whether the files found are changes.
    collect: bool,
    listing: Listing,
    next: Vec<Todo>,
    /// Folders that may not be read, by root.
    denied: BTreeMap<usize, usize>,
}

impl Tree {
    /// Watches everything from the roots down.
    pub fn add_roots(&mut self, set: &mut dyn WatchSet) -> Added {
        let mut added = Added::default();
        for path in self.wanted().map(Path::to_owned).collect::<Vec<_>>() {
            if !self.missing.contains(&path) {
                self.missing.push(path);
            }
        }
        self.seek_missing(set, false, &mut added);
        added.notices.extend(self.idle_patterns());
        self.tell_once(&mut added);
        added
    }

    /// A folder was created or moved in. It is judged here: call this for every new folder, so that an ignored one is known as a folder
    /// when it goes.
    pub fn add(&mut self, dir: &Path, set: &mut dyn WatchSet) -> Added {
        let mut added = Added::default();
        if self.missing.iter().any(|path| paths::below(path, dir).is_some()) {
            self.seek_missing(set, true, &mut added);
        }
        let known = self.nodes.get(dir).is_some_and(|node| node.place.is_some());
        if !known && let Some((_, verdict)) = self.verdict(dir, true) {
            let watched = verdict.watched;
            let parent = paths::folder(dir).and_then(|parent| self.nodes.get_mut(parent)).expect("a verdict comes from the parent's node");
            match &parent.place {
                Some(place) if watched => {
                    let todo = Todo { path: dir.to_owned(), root: place.root, outer: place.scope.clone() };
                    self.walk(vec![todo], set, true, &mut added);
                }
                Some(_) => {
                    let name = paths::name(dir);
                    if !parent.pruned.iter().any(|pruned| **pruned == *name) {
                        parent.pruned.push(name.into());
                    }
                }
                None => {}
            }
        }
        self.tell_once(&mut added);
        added
    }

    /// Reads the ignore files of that folder again and walks it: drops what became ignored, adds what no longer is.
    pub fn ignore_file_changed(&mut self, path: &Path, set: &mut dyn WatchSet) -> Added {
        let mut added = Added::default();
        let Some(dir) = paths::folder(path) else { return added };
        let Some(Place { root, scope }) = self.nodes.get(dir).and_then(|node| node.place.clone()) else { return added };
        let outer = match &scope.parent {
            Some(parent) if scope.dir == dir => parent.clone(),
            Some(_) | None => scope,
        };
        self.walk(vec![Todo { path: dir.to_owned(), root, outer }], set, false, &mut added);
        self.tell_once(&mut added);
        added
    }

    /// Watches what is missing and there after all, and for the rest the nearest folder that exists.
    fn seek_missing(&mut self, set: &mut dyn WatchSet, collect: bool, added: &mut Added) {
        let mut level = Vec::new();
        for path in std::mem::take(&mut self.missing) {
            let root = self.plan.roots[..self.planned].iter().position(|root| root.path == path);
            if walk::is_dir(&path) {
                match root {
                    Some(root) => level.push(Todo { path, root, outer: self.rules.above(&self.plan.roots[root], &mut added.notices) }),
                    None => self.missing.push(path),
                }
            } else {
                let text = format!("{} is not there: it is watched as soon as it appears", paths::shown(&path, &self.base));
                added.notices.push(Notice::new(Level::Warning, NoticeKind::Watch, text));
                self.missing.push(path);
            }
        }
        self.walk(level, set, collect, added);
        let mut appeared = false;
        for path in std::mem::take(&mut self.missing) {
            let is_root = self.plan.roots[..self.planned].iter().any(|root| root.path == path);
            if !self.nodes.contains_key(&path) && !self.anchor(&path, set, added) {
                self.missing.push(path);
            } else if !is_root {
                let inside = self.plan.named.iter().filter(|file| collect && paths::folder(file) == Some(&path));
                added.files.extend(inside.filter(|file| file.symlink_metadata().is_ok()).cloned());
            } else if self.nodes[&path].place.is_none() {
                appeared = true;
                self.missing.push(path);
            }
        }
        if appeared {
            return self.seek_missing(set, collect, added);
        }
        let named = self.plan.named.iter().filter_map(|path| paths::folder(path));
        let nearest = self.missing.iter().filter_map(|path| path.ancestors().find(|dir| self.nodes.contains_key(*dir)));
        let needed: HashSet<_> = named.chain(nearest).collect();
        let idle = self.nodes.iter().filter(|(dir, node)| node.place.is_none() && !needed.contains(dir.as_path()));
        let idle: Vec<_> = idle.map(|(dir, _)| dir.clone()).collect();
        for dir in idle {
            self.nodes.remove(&dir);
            set.remove(&[dir]);
        }
    }

    /// Watches the nearest existing folder of a path that is not walked. Whether that is the path itself.
    fn anchor(&mut self, path: &Path, set: &mut dyn WatchSet, added: &mut Added) -> bool {
        loop {
            let Some(nearest) = path.ancestors().find(|dir| walk::is_dir(dir)) else { return false };
            if !self.nodes.contains_key(nearest) {
                match set.add(&[nearest.to_owned()]).pop() {
                    None => {
                        added.dirs += 1;
                        self.insert(nearest.to_owned(), None);
                    }
                    Some((_, WatchError::Gone)) => continue,
                    Some(error) => {
                        added.errors.push(error);
                        return false;
                    }
                }
            }
            // What came between the look and the watch makes no event.
            if path.ancestors().find(|dir| walk::is_dir(dir)) == Some(nearest) {
                return nearest == path;
            }
        }
    }

    fn walk(&mut self, mut level: Vec<Todo>, set: &mut dyn WatchSet, collect: bool, added: &mut Added) {
        let mut walk = Walk { set, added, collect, listing: Listing::new(), next: Vec::new(), denied: BTreeMap::new() };
        while !level.is_empty() {
            let fresh: Vec<_> = level.iter().filter(|todo| !self.nodes.contains_key(&todo.path)).map(|todo| todo.path.clone()).collect();
            let failed: HashSet<_> = match fresh.is_empty() {
                true => HashSet::new(),
                false => walk.set.add(&fresh).into_iter().map(|(path, error)| self.failed(path, error, &level, &mut walk)).collect(),
            };
            for todo in level {
                if !failed.contains(&todo.path) {
                    self.visit(todo, &mut walk);
                }
            }
            level = std::mem::take(&mut walk.next);
        }
        for (root, count) in std::mem::take(&mut walk.denied) {
            let root = paths::shown(&self.plan.roots[root].path, &self.base).to_string();
            // Once a root, whatever the number.
            if self.told.insert(format!("{root} denied")) {
                let what = if count == 1 { "1 folder in it".to_owned() } else { format!("{count} folders in it") };
                let text = format!("{root} is not watched completely: {what} may not be read");
                walk.added.notices.push(Notice::new(Level::Warning, NoticeKind::Watch, text));
            }
        }
    }

    /// A watch could not be added.
    fn failed(&mut self, path: PathBuf, error: WatchError, level: &[Todo], walk: &mut Walk<'_>) -> PathBuf {
        let root = level.iter().find(|todo| todo.path == path).map(|todo| todo.root);
        match (error, root) {
            (WatchError::Gone, _) => {
                if self.wanted().any(|wanted| wanted == path) {
                    self.missing.push(path.clone());
                }
            }
            (WatchError::Denied, Some(root)) => *walk.denied.entry(root).or_default() += 1,
            (error, _) => walk.added.errors.push((path.clone(), error)),
        }
        path
    }

    /// Lists a watched folder and decides about everything in it.
    fn visit(&mut self, todo: Todo, walk: &mut Walk<'_>) {
        let Todo { path: dir, root, outer } = todo;
        if let Err(error) = walk.listing.read(&dir) {
            self.nodes.remove(&dir);
            walk.set.remove(std::slice::from_ref(&dir));
            self.failed(dir.clone(), error, &[Todo { path: dir, root, outer }], walk);
            return;
        }
        let mut found = Found::default();
        walk.listing.iter().for_each(|(name, _)| found.see(name));
        let scope = self.rules.scope(&dir, &outer, found, &mut walk.added.notices);
        if scope.dir == dir {
            walk.added.notices.extend(self.idle_lines(&scope));
        }
        let (mut path, mut held) = (PathBuf::new(), false);
        let (mut pruned, mut specials, mut dropped, mut links) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let place = Place { root, scope };
        for (name, kind) in walk.listing.iter() {
            paths::entry(&mut path, &dir, name);
            let says = |is_dir| self.rules.verdict(&self.plan.roots[root], &place.scope, &path, is_dir).watched;
            if kind == FileKind::Other {
                specials.push(name.into());
            } else if kind != FileKind::Dir {
                if says(false) && !self.rules.is_ignore_file(name) {
                    held = true;
                    walk.added.kept += 1;
                    if walk.collect {
                        walk.added.files.push(path.clone());
                    }
                    if kind == FileKind::Link && self.follow && says(true) {
                        links.push(path.clone());
                    }
                }
            } else if !self.plan.is_root(&path) {
                if says(true) {
                    walk.next.push(Todo { path: path.clone(), root, outer: place.scope.clone() });
                } else {
                    pruned.push(name.into());
                    if self.nodes.contains_key(&path) {
                        dropped.push(path.clone());
                    }
                }
            }
        }
        if !self.nodes.contains_key(&dir) {
            walk.added.dirs += 1;
        }
        let node = self.insert(dir, Some(place));
        node.held.set(node.held.get() || held);
        node.pruned = pruned;
        node.specials = specials;
        for path in dropped {
            self.drop_below(&path, Some(root), walk.set);
        }
        for link in links {
            walk.next.extend(self.follow_link(link, root).map(|root| Todo {
                path: self.plan.roots[root].path.clone(),
                root,
                outer: Arc::default(),
            }));
        }
    }

    /// The node of a folder, new or with a new place.
    fn insert(&mut self, dir: PathBuf, place: Option<Place>) -> &mut Node {
        if !self.nodes.contains_key(&dir) {
            if let Some(parent) = paths::folder(&dir).and_then(|parent| self.nodes.get_mut(parent)) {
                parent.children += 1;
            }
            // A root inside another may have been there first.
            let is_child = |root: &&Root| paths::folder(&root.path) == Some(&dir) && self.nodes.contains_key(&root.path);
            let children = u32::try_from(self.plan.roots.iter().filter(is_child).count()).unwrap_or(u32::MAX);
            self.nodes
                .insert(dir.clone(), Node { place: None, held: Cell::new(false), children, pruned: Vec::new(), specials: Vec::new() });
        }
        let node = self.nodes.get_mut(&dir).expect("it was inserted above where it was not there");
        node.place = place.or(node.place.take());
        node
    }

    /// Makes the target of a link a root of its own, where it is a folder outside every root that was not come to before.
    pub(super) fn follow_link(&mut self, path: PathBuf, root: usize) -> Option<usize> {
        let hops = self.plan.roots[root].hops + 1;
        let target = std::fs::metadata(&path).ok().filter(|target| target.is_dir() && hops <= MAX_HOPS)?;
        let id = (target.dev(), target.ino());
        let target = path.canonicalize().ok()?;
        if let Some(known) = self.links.iter().find(|link| link.id == id) {
            let target = known.target.clone();
            if self.links.iter().all(|link| link.path != path) {
                self.links.push(Link { path, target, id });
            }
            return None;
        }
        let touches = |root: &Root| paths::below(&target, &root.path).is_some() || paths::below(&root.path, &target).is_some();
        if self.plan.roots.iter().any(touches) {
            return None;
        }
        let index = self.plan.roots.len();
        self.plan.roots.push(Root { hops, ..Root::tree(target.clone(), true) });
        self.links.push(Link { path, target, id });
        Some(index)
    }

    fn tell_once(&mut self, added: &mut Added) {
        added.notices.retain(|notice| self.told.insert(notice.text.clone()));
    }
}
