//! `pmdev why PATH` without a runner: the same rules, asked about one path.

use std::path::Path;

use super::{paths, tree::Tree};
use crate::model::{Decision, Error, WatchSpec};

/// Whether changes of the path would count, and which rule says so. Reads only the ignore files on the way to it.
pub fn decide(spec: &WatchSpec, path: &Path) -> Result<Decision, Error> {
    let (tree, _) = Tree::new(spec)?;
    let path = paths::canonical_entry(path);
    Ok(tree.ask(&path, path.is_dir()))
}
