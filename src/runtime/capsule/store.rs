//! Capsules as files: `APP-TIME-RUN.json` in one folder, so that their names sort by time.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::Capsule;
use crate::config;

/// How many are kept of an app.
const KEPT: usize = 20;

/// Where capsules are kept below the folder of everything that is kept.
pub fn folder(home: &Path) -> PathBuf {
    home.join("crashes")
}

/// Writes one, whole or not at all, and removes those that are too old.
pub fn write(folder: &Path, capsule: &Capsule) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let app = config::logs::plain(&capsule.app);
    let path = folder.join(format!("{app}-{}-{}.json", capsule.time.strftime("%Y%m%dT%H%M%S%3f"), capsule.run));
    let begun = path.with_extension("part");
    let mut text = serde_json::to_vec_pretty(capsule)?;
    text.push(b'\n');
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&begun).and_then(|mut file| file.write_all(&text));
    if let Err(error) = written.and_then(|()| fs::rename(&begun, &path)) {
        // A disk that is full has room for nothing that is half there.
        let _ = fs::remove_file(&begun);
        return Err(error);
    }
    let known = of_app(folder, &app)?;
    for old in known.iter().rev().skip(KEPT) {
        fs::remove_file(old)?;
    }
    Ok(())
}

/// The newest one of an app, and its file.
pub fn newest(folder: &Path, app: &str) -> Option<(PathBuf, Capsule)> {
    let read = |path: PathBuf| {
        let capsule: Capsule = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        // Two names may be the same in the name of a file.
        (capsule.app == app).then_some((path, capsule))
    };
    of_app(folder, &config::logs::plain(app)).ok()?.into_iter().rev().find_map(read)
}

/// The files of an app, by the plain form of its name, from old to new.
fn of_app(folder: &Path, app: &str) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| path.file_name().and_then(OsStr::to_str).and_then(app_of) == Some(app));
    found.sort_by_cached_key(|path| path.file_stem().and_then(OsStr::to_str).map(order));
    Ok(found)
}

/// The app of a file's name; times and numbers of runs have no dash.
fn app_of(name: &str) -> Option<&str> {
    name.strip_suffix(".json")?.rsplitn(3, '-').nth(2)
}

/// The time, and the number of the run among those of one moment.
fn order(stem: &str) -> (String, u64) {
    let mut parts = stem.rsplitn(3, '-');
    let run = parts.next().and_then(|run| run.parse().ok()).unwrap_or(0);
    (parts.next().unwrap_or_default().to_owned(), run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        assert_eq!(app_of("api-20260304T120000123-7.json"), Some("api"));
        assert_eq!(app_of("api-v2-20260304T120000123-7.json"), Some("api-v2"));
        assert_eq!(app_of("api-20260304T120000123-7.part"), None);
        assert_eq!(app_of("README.json"), None);
        assert!(order("a-20260304T120000123-9") < order("a-20260304T120000123-10"));
    }
}
