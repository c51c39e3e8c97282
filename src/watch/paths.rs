//! Questions about paths that are asked for every file: by bytes, because all paths here are canonical.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// The part of `path` below `dir`, empty where they are equal; `None` where it lies elsewhere.
pub fn below<'a>(path: &'a Path, dir: &Path) -> Option<&'a Path> {
    let (path, dir) = (path.as_os_str().as_bytes(), dir.as_os_str().as_bytes());
    let rest = path.strip_prefix(dir)?;
    let rest = match rest {
        [] => rest,
        [b'/', rest @ ..] => rest,
        _ if dir == b"/" => rest,
        _ => return None,
    };
    Some(Path::new(OsStr::from_bytes(rest)))
}

/// The last component, as bytes.
pub fn name(path: &Path) -> &[u8] {
    let bytes = path.as_os_str().as_bytes();
    &bytes[bytes.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1)..]
}

/// The folder a path lies in.
pub fn folder(path: &Path) -> Option<&Path> {
    let bytes = path.as_os_str().as_bytes();
    match bytes.iter().rposition(|&b| b == b'/')? {
        0 if bytes.len() == 1 => None,
        0 => Some(Path::new("/")),
        at => Some(Path::new(OsStr::from_bytes(&bytes[..at]))),
    }
}

/// Makes `path` that of the entry `name` of `dir`, in the buffer it has.
pub fn entry(path: &mut PathBuf, dir: &Path, name: &[u8]) {
    path.clear();
    path.push(dir);
    path.push(OsStr::from_bytes(name));
}

/// The path without `.`, `..` and double slashes, as text alone.
pub fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(component),
        }
    }
    out
}

/// The path with the links in it resolved, as far as it exists.
pub fn canonical(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => plain(path),
    }
}

/// The path with the links in its folders resolved, its own name kept.
pub fn canonical_entry(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => canonical(path),
    }
}

/// The path as [`canonical_entry`] has it, the links among the folders it names, and all it leads through where it is a link: links, also of
/// folders on the way, and the file at the end. Whoever swaps or edits one of them changes what is read under the path.
pub fn with_links(path: &Path) -> Vec<PathBuf> {
    /// As many as the kernel follows (path_resolution(7)).
    const MOST: usize = 40;
    let mut found = vec![canonical_entry(path)];
    let mut at = found[0].clone();
    for _ in 0..MOST {
        let (Ok(target), Some(dir)) = (at.read_link(), folder(&at)) else { break };
        let mut way = if target.is_absolute() { PathBuf::from("/") } else { dir.to_owned() };
        let mut parts: Vec<Component> = target.components().filter(|part| *part != Component::RootDir).collect();
        let Some(last) = parts.pop() else { break };
        for part in parts {
            way.push(part);
            // Of an absolute path, only the end is of the project.
            if !target.is_absolute() && way.is_symlink() {
                found.push(way.clone());
            }
            way = canonical(&way);
        }
        at = way.join(last);
        if found.contains(&at) {
            break;
        }
        found.push(at.clone());
    }
    // What they end at is no file, and only swapped.
    let folders = path.ancestors().skip(1).filter(|folder| folder.is_symlink()).flat_map(with_links).filter(|folder| folder.is_symlink());
    found.extend(folders);
    found
}

/// How a path is shown: relative to `base` where it lies below it.
pub fn shown<'a>(path: &'a Path, base: &Path) -> std::path::Display<'a> {
    match below(path, base) {
        Some(rest) if !rest.as_os_str().is_empty() => rest.display(),
        Some(_) | None => path.display(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_respects_component_borders() {
        let cases = [
            ("/a/b/c", "/a/b", Some("c")),
            ("/a/b", "/a/b", Some("")),
            ("/a/bc", "/a/b", None),
            ("/a", "/a/b", None),
            ("/a", "/", Some("a")),
        ];
        for (path, dir, expected) in cases {
            assert_eq!(below(Path::new(path), Path::new(dir)), expected.map(Path::new), "{path} below {dir}");
        }
    }

    #[test]
    fn links_lead_through_files_and_folders() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, real.join(name)).unwrap();
        // As Kubernetes lays out a ConfigMap.
        std::fs::create_dir(real.join("..2026")).unwrap();
        std::fs::write(real.join("..2026/app.env"), "").unwrap();
        link("..2026", "..data");
        link("..data/app.env", "app.env");
        link(real.join("app.env").to_str().unwrap(), "absolute");
        link("nowhere", "dangling");
        link("circle", "circle");
        let found =
            |name: &str| -> Vec<String> { with_links(&real.join(name)).iter().map(|path| shown(path, &real).to_string()).collect() };
        assert_eq!(found("app.env"), ["app.env", "..data", "..2026/app.env"]);
        assert_eq!(found("absolute"), ["absolute", "app.env", "..data", "..2026/app.env"]);
        assert_eq!(found("dangling"), ["dangling", "nowhere"]);
        assert_eq!(found("circle"), ["circle"]);
        assert_eq!(found("..2026/app.env"), ["..2026/app.env"]);
        assert_eq!(found("missing"), ["missing"]);
        assert_eq!(found("..data/app.env"), ["..2026/app.env", "..data"], "whoever swaps the folder swaps the file");
        link("..data", "current");
        assert_eq!(found("current/app.env"), ["..2026/app.env", "current", "..data"]);
    }

    #[test]
    fn names_and_folders() {
        let cases = [("/a/b", "b", Some("/a")), ("/a", "a", Some("/")), ("/", "", None), ("a", "a", None)];
        for (path, last, parent) in cases {
            assert_eq!(name(Path::new(path)), last.as_bytes(), "{path}");
            assert_eq!(folder(Path::new(path)), parent.map(Path::new), "{path}");
        }
    }

    #[test]
    fn canonical_resolves_as_far_as_there_is_something() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("real")).unwrap();
        std::os::unix::fs::symlink(real.join("real"), real.join("link")).unwrap();
        assert_eq!(canonical(&real.join("link/not/there")), real.join("real/not/there"));
        assert_eq!(canonical_entry(&real.join("link")), real.join("link"));
        assert_eq!(plain(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
