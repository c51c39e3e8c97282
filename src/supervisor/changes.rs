//! Change sets that act together: one restart for all of them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use crate::model::{AppSpec, Cause, ChangeKind, ChangeSet};

/// As many paths as a change set keeps.
const KEPT: usize = 100;

/// A change set as people are shown it, also where no path is known.
pub(super) fn shown(changes: &ChangeSet) -> String {
    if !changes.shown.is_empty() {
        return changes.shown.clone();
    }
    match changes.cause {
        Cause::Files => "files changed".to_owned(),
        Cause::Rescan => "changes may have been missed".to_owned(),
    }
}

/// A path as people are shown it: relative to what is watched.
pub(super) fn shown_path(path: &Path, spec: &AppSpec) -> String {
    let base = spec.watch.as_ref().map_or(spec.launch.cwd.as_path(), |watch| &watch.base);
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

/// Both change sets as one; what the newer one shows comes first.
pub(super) fn merge(older: &ChangeSet, newer: &ChangeSet, spec: &AppSpec) -> Arc<ChangeSet> {
    let mut merged = newer.clone();
    let mut again = 0;
    for (path, kind) in &older.paths {
        if newer.paths.iter().any(|(known, _)| known == path) {
            again += 1;
        } else if merged.paths.len() < KEPT {
            merged.paths.push((path.clone(), *kind));
        }
    }
    merged.total = newer.total + older.total - again;
    merged.matched.extend(&older.matched);
    merged.matched.sort_unstable();
    merged.matched.dedup();
    merged.unmatched |= older.unmatched;
    merged.first = older.first.min(newer.first);
    merged.last = older.last.max(newer.last);
    if merged.total > newer.total {
        merged.shown = match (merged.paths.first(), merged.total - 1) {
            (None, _) => String::new(),
            (Some((first, _)), 0) => shown_path(first, spec),
            (Some((first, _)), more) => format!("{} and {more} more", shown_path(first, spec)),
        };
    }
    Arc::new(merged)
}

/// A change set of one path that was seen just now.
pub(super) fn of_path(path: PathBuf, shown: String, now: Instant) -> Arc<ChangeSet> {
    let paths = vec![(path, ChangeKind::Written)];
    Arc::new(ChangeSet { paths, total: 1, first: now, last: now, cause: Cause::Files, matched: Vec::new(), unmatched: true, shown })
}
