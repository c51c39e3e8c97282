//! The built-in patterns: what no project wants to restart for. Not `dist`, `build`, `out`: projects run from there.

/// Version-control folders (or, in a git worktree, the file of that name): never watched.
pub fn version_control(name: &[u8]) -> Option<&'static str> {
    match name {
        b".git" => Some(".git"),
        b".hg" => Some(".hg"),
        b".svn" => Some(".svn"),
        b".jj" => Some(".jj"),
        _ => None,
    }
}

/// The built-in pattern that fits a name.
pub fn pattern(name: &[u8], is_dir: bool) -> Option<&'static str> {
    let folder = match name {
        _ if !is_dir => None,
        b"node_modules" => Some("node_modules/"),
        b"bower_components" => Some("bower_components/"),
        b"target" => Some("target/"),
        b"__pycache__" => Some("__pycache__/"),
        b".venv" => Some(".venv/"),
        b".tox" => Some(".tox/"),
        b".mypy_cache" => Some(".mypy_cache/"),
        b".pytest_cache" => Some(".pytest_cache/"),
        b".ruff_cache" => Some(".ruff_cache/"),
        b".next" => Some(".next/"),
        b".nuxt" => Some(".nuxt/"),
        b".turbo" => Some(".turbo/"),
        b".cache" => Some(".cache/"),
        b"coverage" => Some("coverage/"),
        b".nyc_output" => Some(".nyc_output/"),
        b".idea" => Some(".idea/"),
        b".vscode" => Some(".vscode/"),
        _ => None,
    };
    folder.or_else(|| any_kind(name)).or_else(|| temporary(name).filter(|pattern| !matches!(*pattern, "*.sw?")))
}

/// Patterns that fit files and folders alike, besides the temporary ones.
fn any_kind(name: &[u8]) -> Option<&'static str> {
    match name {
        b"4913" => return Some("4913"), // vim probes with this name whether it may write to a folder
        b".DS_Store" => return Some(".DS_Store"),
        b"Thumbs.db" => return Some("Thumbs.db"),
        _ => {}
    }
    // JetBrains puts these behind the name of the file it saves.
    if name.ends_with(b"___jb_tmp___") {
        return Some("*___jb_tmp___");
    }
    if name.ends_with(b"___jb_old___") {
        return Some("*___jb_old___");
    }
    if name.starts_with(b".goutputstream-") {
        return Some(".goutputstream-*");
    }
    match extension(name)? {
        b"log" => Some("*.log"),
        b"pid" => Some("*.pid"),
        b"sock" => Some("*.sock"),
        b"pyc" => Some("*.pyc"),
        b"swp" => Some("*.swp"),
        b"swo" => Some("*.swo"),
        b"swx" => Some("*.swx"),
        b"sqlite-wal" => Some("*.sqlite-wal"),
        b"sqlite-shm" => Some("*.sqlite-shm"),
        b"sqlite-journal" => Some("*.sqlite-journal"),
        _ => None,
    }
}

/// The editor and temporary patterns that even a `.env` file may not fit: vim's `.env.swp`.
pub fn temporary(name: &[u8]) -> Option<&'static str> {
    match (name.first()?, name.last()?) {
        (_, b'~') => return Some("*~"),
        (b'#', b'#') if name.len() > 1 => return Some("#*#"),
        (b'.', _) if name.starts_with(b".#") => return Some(".#*"),
        _ => {}
    }
    match extension(name)? {
        b"tmp" => Some("*.tmp"),
        [b's', b'w', _] => Some("*.sw?"),
        _ => None,
    }
}

fn extension(name: &[u8]) -> Option<&[u8]> {
    name.iter().rposition(|&b| b == b'.').map(|dot| &name[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_of_the_table() {
        let folders = "node_modules bower_components target __pycache__ .venv .tox .mypy_cache .pytest_cache .ruff_cache .next .nuxt .turbo .cache \
                       coverage .nyc_output .idea .vscode";
        for name in folders.split_whitespace() {
            assert_eq!(pattern(name.as_bytes(), true), Some(&*format!("{name}/")), "{name}");
            assert_eq!(pattern(name.as_bytes(), false), None, "{name} as a file");
        }
        let files = [
            ("a.log", "*.log"),
            ("a.pid", "*.pid"),
            ("a.sock", "*.sock"),
            ("a.pyc", "*.pyc"),
            ("a.tmp", "*.tmp"),
            ("a.js~", "*~"),
            (".a.js.swp", "*.swp"),
            (".a.js.swo", "*.swo"),
            (".a.js.swx", "*.swx"),
            (".#a.js", ".#*"),
            ("#a.js#", "#*#"),
            ("4913", "4913"),
            (".DS_Store", ".DS_Store"),
            ("Thumbs.db", "Thumbs.db"),
            ("db.sqlite-wal", "*.sqlite-wal"),
            ("db.sqlite-shm", "*.sqlite-shm"),
            ("db.sqlite-journal", "*.sqlite-journal"),
            ("a.js___jb_tmp___", "*___jb_tmp___"),
            ("a.js___jb_old___", "*___jb_old___"),
            (".goutputstream-8LZ0N2", ".goutputstream-*"),
        ];
        for (name, expected) in files {
            assert_eq!(pattern(name.as_bytes(), false), Some(expected), "{name}");
        }
        for name in ["app.js", "dist", "build", "out", "log", "a.logs", "#", "#a", "a.swf", "db.sqlite", ".env", ".gitignore", "49131"] {
            assert_eq!(pattern(name.as_bytes(), true), None, "{name}");
        }
    }

    #[test]
    fn temporary_is_wider_for_env_files() {
        for (name, expected) in [
            (".env.swp", Some("*.sw?")),
            (".env.swn", Some("*.sw?")),
            (".env~", Some("*~")),
            (".env.tmp", Some("*.tmp")),
            (".env.local", None),
        ] {
            assert_eq!(temporary(name.as_bytes()), expected, "{name}");
        }
    }
}
