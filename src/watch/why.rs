//! `pmdev why PATH` without a runner: the same rules, asked about one path.

use std::path::Path;

use super::{actions::Actions, paths, tree::Tree};
use crate::model::{ActionRule, Decision, Error, WatchSpec};

/// Whether changes of the path would count, and which rule says so. Reads only the ignore files on the way to it.
pub fn decide(spec: &WatchSpec, path: &Path) -> Result<Decision, Error> {
    let (mut tree, _) = Tree::new(spec)?;
    Ok(tree.ask_through_links(path))
}

/// The rules with an action that a change of the path matches, in their order; none: a change restarts the app.
///
/// # Errors
/// A glob of a rule that is none.
pub fn actions(spec: &WatchSpec, rules: &[ActionRule], path: &Path) -> Result<Vec<ActionRule>, Error> {
    let actions = Actions::new(rules, spec)?;
    let matches = actions.of([paths::canonical_entry(path).as_path()]);
    Ok(actions.rules(&matches).cloned().collect())
}
