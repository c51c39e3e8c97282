//! From what the spec names to the folders that are walked: globs to their fixed prefixes, links resolved, roots inside roots.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use globset::{GlobMatcher, GlobSet, GlobSetBuilder};

use super::{paths, pattern};
use crate::model::{Error, WatchRoot, WatchSpec};

/// What is watched.
#[derive(Debug)]
pub struct Plan {
    /// The folders, an outer one before those inside it, none twice.
    pub roots: Vec<Root>,
    /// The files named, each watched through its folder.
    pub named: Vec<PathBuf>,
}

/// A folder and what counts below it.
#[derive(Debug)]
pub struct Root {
    /// The folder, canonical.
    pub path: PathBuf,
    /// Whether the user named it: then nothing filters the folder itself, and ignore files above it do not apply.
    pub explicit: bool,
    /// Where only globs of `watch` count: those below this folder and below the folders it lies in.
    pub globs: Vec<Globs>,
    /// How many links to folders were followed to come here.
    pub hops: u8,
}

/// The globs of one fixed prefix.
#[derive(Debug, Clone)]
pub struct Globs {
    prefix: PathBuf,
    set: GlobSet,
    /// Per glob, what its folders must fit, level by level.
    shapes: Vec<Shape>,
}

/// Which folders below its prefix a glob can match in.
#[derive(Debug, Clone)]
struct Shape {
    levels: Vec<GlobMatcher>,
    /// Whether anything may follow the levels (`**`).
    deep: bool,
}

impl Plan {
    /// The plan of a spec; a glob that is none is a usage error.
    pub fn new(spec: &WatchSpec, base: &Path) -> Result<Self, Error> {
        let mut plan = Self { roots: Vec::new(), named: Vec::new() };
        let mut globs: Vec<(PathBuf, Vec<(String, &str)>)> = Vec::new();
        for root in &spec.roots {
            match root {
                WatchRoot::Tree { path, .. } if path.is_file() => plan.named.push(paths::canonical_entry(path)),
                WatchRoot::Tree { path, explicit } => plan.add(Root::tree(paths::canonical(path), *explicit)),
                WatchRoot::File(path) => plan.named.push(paths::canonical_entry(path)),
                WatchRoot::Glob(text) => {
                    let (prefix, rest) = split(text, &spec.base, base);
                    match globs.iter_mut().find(|(path, _)| *path == prefix) {
                        Some((_, list)) => list.push((rest, text)),
                        None => globs.push((prefix, vec![(rest, text)])),
                    }
                }
            }
        }
        globs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut outer: Vec<Globs> = Vec::new();
        for (prefix, list) in globs {
            outer.retain(|globs| paths::below(&prefix, &globs.prefix).is_some());
            outer.push(Globs::new(prefix.clone(), &list)?);
            plan.add(Root { path: prefix, explicit: true, globs: outer.clone(), hops: 0 });
        }
        plan.roots.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(plan)
    }

    /// Adds a root; one that is there already takes the wider meaning of the two.
    pub fn add(&mut self, root: Root) {
        match self.roots.iter_mut().find(|known| known.path == root.path) {
            Some(known) => {
                known.explicit |= root.explicit;
                if root.globs.is_empty() {
                    known.globs.clear();
                }
            }
            None => self.roots.push(root),
        }
    }

    /// Whether a folder is a root itself.
    pub fn is_root(&self, dir: &Path) -> bool {
        self.roots.iter().any(|root| root.path.as_os_str() == dir.as_os_str())
    }

    /// The deepest root that a path lies in, or is.
    pub fn deepest(&self, path: &Path) -> Option<usize> {
        let inside = self.roots.iter().enumerate().filter(|(_, root)| paths::below(path, &root.path).is_some());
        inside.max_by_key(|(_, root)| root.path.as_os_str().len()).map(|(index, _)| index)
    }
}

impl Root {
    /// A folder below which everything counts.
    pub fn tree(path: PathBuf, explicit: bool) -> Self {
        Self { path, explicit, globs: Vec::new(), hops: 0 }
    }

    /// Whether the globs leave a path in: a file that fits one, a folder that may hold such a file.
    pub fn admits(&self, path: &Path, is_dir: bool) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|globs| globs.admit(path, is_dir))
    }
}

impl Globs {
    fn new(prefix: PathBuf, list: &[(String, &str)]) -> Result<Self, Error> {
        let mut set = GlobSetBuilder::new();
        let mut shapes = Vec::new();
        for (rest, text) in list {
            set.add(pattern::compile("watch entry", rest, text)?);
            shapes.push(Shape::new(rest));
            // `packages/*/src` may mean a folder, and then all it holds.
            if rest.rsplit('/').next().is_some_and(|last| !is_glob(last)) {
                let inside = format!("{rest}/**");
                set.add(pattern::compile("watch entry", &inside, text)?);
                shapes.push(Shape::new(&inside));
            }
        }
        let set = set.build().map_err(|e| Error::usage("The globs in watch are too large together").because(e))?;
        Ok(Self { prefix, set, shapes })
    }

    fn admit(&self, path: &Path, is_dir: bool) -> bool {
        let Some(rest) = paths::below(path, &self.prefix) else { return false };
        if is_dir { self.shapes.iter().any(|shape| shape.admits(rest)) } else { self.set.is_match(rest) }
    }
}

impl Shape {
    fn new(rest: &str) -> Self {
        let mut levels = Vec::new();
        let parts: Vec<_> = rest.split('/').collect();
        // A brace may hold a slash; then the parts are not levels.
        let split_well = !rest.contains('{') || parts.iter().all(|part| part.matches('{').count() == part.matches('}').count());
        for part in &parts[..parts.len() - 1] {
            match pattern::compile("watch entry", part, rest) {
                Ok(glob) if split_well && *part != "**" => levels.push(glob.compile_matcher()),
                Ok(_) | Err(_) => return Self { levels, deep: true },
            }
        }
        Self { levels, deep: parts.last() == Some(&"**") }
    }

    fn admits(&self, rest: &Path) -> bool {
        let mut levels = self.levels.iter();
        for part in rest.iter() {
            match levels.next() {
                Some(level) if level.is_match(part) => {}
                Some(_) => return false,
                None => return self.deep,
            }
        }
        true
    }
}

/// A glob's fixed prefix, canonical, and the glob below it. What stands of the app's folder in it is no glob, whatever its name.
pub fn split(text: &str, base_as_written: &Path, base: &Path) -> (PathBuf, String) {
    let written = base_as_written.to_string_lossy();
    let (mut prefix, rest) = match text.strip_prefix(&*written).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => (base.to_owned(), rest),
        None => (PathBuf::from("/"), text.trim_start_matches('/')),
    };
    let mut parts: Vec<_> = rest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    while parts.len() > 1 && !is_glob(parts[0]) {
        match parts.remove(0) {
            ".." => {
                prefix.pop();
            }
            part => prefix.push(part),
        }
    }
    (paths::canonical(&prefix), parts.join("/"))
}

/// Whether a path has a part that is a glob.
pub fn has_glob(path: &str) -> bool {
    path.split('/').any(is_glob)
}

fn is_glob(part: &str) -> bool {
    part.contains(['*', '?', '[', '{', '\\']) || part.contains("@(")
}
