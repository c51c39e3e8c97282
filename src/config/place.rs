//! Paths as typed into absolute paths, and back into what people recognise.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

use super::Host;

/// The absolute path of what was typed in `base`, without `.` and `..`. Where it exists and has `..`, links are followed, as the system would.
pub fn absolute(base: &Path, typed: &Path) -> PathBuf {
    let joined = base.join(typed);
    if joined.components().any(|part| part == Component::ParentDir)
        && let Ok(real) = joined.canonicalize()
    {
        return real;
    }
    let mut clean = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(part),
        }
    }
    clean
}

/// What was typed, looked for where it was typed and then in the app's folder: PM2's users expect either.
pub fn find(bases: &[&Path], typed: &Path) -> Option<PathBuf> {
    bases.iter().map(|base| absolute(base, typed)).find(|path| path.exists())
}

/// A path as people are shown it: relative to `base` where it lies below.
pub fn shown(base: &Path, path: &Path) -> String {
    match path.strip_prefix(base) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

/// The folder in which a runner keeps what outlives it: `PMDEV_HOME`, else `~/.pmdev`.
pub fn home(host: &Host) -> Option<PathBuf> {
    let own = host.var("PMDEV_HOME").filter(|path| !path.is_empty()).map(|path| absolute(&host.cwd, Path::new(path)));
    own.or_else(|| Some(host.home.as_ref()?.join(".pmdev")))
}

/// Whether the system would execute it.
pub fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The folder a file lies in.
pub fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}
