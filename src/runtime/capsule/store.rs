//! Capsules as files: `APP-TIME-RUN.json` in one folder, so that their names sort by time.

use std::{
    ffi::OsStr,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use super::Capsule;
use crate::{
    config,
    log::file::place::{self, Spot},
};

/// How many are kept of an app.
const KEPT: usize = 20;

/// Where capsules are kept below the folder of everything that is kept.
pub fn folder(home: &Path) -> PathBuf {
    home.join("crashes")
}

/// Writes one, whole or not at all, and removes those that are too old. Root follows no link of another user there.
pub fn write(folder: &Path, capsule: &Capsule) -> io::Result<()> {
    let app = config::logs::plain(&capsule.app);
    let path = folder.join(format!("{app}-{}-{}.json", capsule.time.strftime("%Y%m%dT%H%M%S%3f"), capsule.run));
    let whole = place::name(&path, Some(Mode::from_raw_mode(0o700)))?;
    let begun = whole.beside(&path.with_extension("part"));
    let mut text = serde_json::to_vec_pretty(capsule)?;
    text.push(b'\n');
    let written = begun.open(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, 0o600).and_then(|mut file| file.write_all(&text));
    if let Err(error) = written.and_then(|()| begun.replace(&whole)) {
        // A disk that is full has room for nothing that is half there.
        let _ = begun.remove();
        return Err(error);
    }
    for old in of_app(&whole, &app)?.iter().rev().skip(KEPT) {
        old.remove()?;
    }
    Ok(())
}

/// The newest one of an app, and its file.
pub fn newest(folder: &Path, app: &str) -> Option<(PathBuf, Capsule)> {
    let read = |spot: &Spot| {
        let mut text = Vec::new();
        spot.open(OFlags::RDONLY, 0).and_then(|mut file| file.read_to_end(&mut text)).ok()?;
        let capsule: Capsule = serde_json::from_slice(&text).ok()?;
        // Two names may be the same in the name of a file.
        (capsule.app == app).then(|| (spot.path().to_owned(), capsule))
    };
    let any = place::name(&folder.join("any"), None).ok()?;
    of_app(&any, &config::logs::plain(app)).ok()?.iter().rev().find_map(read)
}

/// The files of an app, by the plain form of its name, from old to new: those in the folder of another.
fn of_app(other: &Spot, app: &str) -> io::Result<Vec<Spot>> {
    let is_of_app = |name: &OsStr| name.to_str().and_then(app_of) == Some(app);
    let mut found: Vec<Spot> =
        other.names()?.into_iter().filter(|name| is_of_app(name)).map(|name| other.beside(Path::new(&name))).collect();
    found.sort_by_cached_key(|spot| spot.path().file_stem().and_then(OsStr::to_str).map(order));
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
