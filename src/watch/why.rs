//! `pmdev why PATH` without a runner: the same rules, asked about one path.

use std::path::Path;

use super::tree::Tree;
use crate::model::{Decision, Error, WatchSpec};

/// Whether changes of the path would count, and which rule says so. Reads only the ignore files on the way to it.
pub fn decide(spec: &WatchSpec, path: &Path) -> Result<Decision, Error> {
    let (mut tree, _) = Tree::new(spec)?;
    Ok(tree.ask_through_links(path))
}
