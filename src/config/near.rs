//! "Did you mean": the nearest of some names.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

/// How many files are looked at before giving up: a hint is not worth a walk of a big tree.
const LOOKED_AT: usize = 2_000;
/// How deep the files of a hint may lie.
const DEPTH: usize = 3;

/// The name that is most like `wanted`, where one is like it at all.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wanted.chars().count() / 3).max(1);
    // Of `npm` and `cmp`, both one step from `nmp`, the one with the same letters is meant.
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let same = letters(wanted);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(wanted, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, name)| (*distance, letters(name) != same))
        .map(|(_, name)| name)
}

/// A file below `base` that a person who typed `wanted` may have meant, relative to `base`: the same name in another folder,
/// the same name with an extension, or a name much like it.
pub fn nearest_file(base: &Path, wanted: &Path) -> Option<PathBuf> {
    let name = wanted.file_name()?.to_str()?;
    let files = files_below(base);
    let like =
        |matches: &dyn Fn(&str) -> bool| files.iter().find(|file| file.file_name().and_then(|n| n.to_str()).is_some_and(matches)).cloned();
    like(&|other| other == name).or_else(|| like(&|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))).or_else(
        || {
            let names = files.iter().filter_map(|file| file.file_name()?.to_str());
            let near = nearest(name, names)?.to_owned();
            like(&|other| other == near)
        },
    )
}

/// Files and folders below `base`, breadth first and in order of name, without the folders nobody means.
fn files_below(base: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = VecDeque::from([(PathBuf::new(), 0)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let Ok(entries) = fs::read_dir(base.join(&folder)) else { continue };
        let mut entries: Vec<_> = entries.flatten().take(LOOKED_AT).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let skipped = hidden || ["node_modules", "target", "venv", "__pycache__"].iter().any(|name| entry.file_name() == *name);
            if !skipped && depth < DEPTH && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push_back((path.clone(), depth + 1));
            }
            if !hidden {
                found.push(path);
            }
        }
        if found.len() >= LOOKED_AT {
            break;
        }
    }
    found
}
