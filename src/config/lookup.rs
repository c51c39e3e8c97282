//! Where programs are looked for: the project's own tools first, then PATH; where a project file sets PATH, there first.

use std::{
    cell::RefCell,
    collections::HashMap,
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{Host, place};

/// What execvp(3) falls back to, near enough, where PATH is unset.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The folders in which an app's programs are looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The project's: `node_modules/.bin` and the virtual environments of Python, nearest folder first.
    local: Vec<PathBuf>,
    /// Those of PATH.
    path: Vec<PathBuf>,
    /// Whether PATH is the project file's: it is meant as it stands there, and the app has no other.
    declared: bool,
    /// What was found, or not: a project of many apps asks for few programs.
    found: Rc<RefCell<HashMap<String, Option<PathBuf>>>>,
}

/// The folders for each place and PATH, worked out once.
#[derive(Debug, Default)]
pub struct Searches {
    by_folder: RefCell<HashMap<(PathBuf, Option<OsString>), Search>>,
}

impl Searches {
    /// The folders for something that lives in `from`. `path`: the PATH that a project file sets.
    pub fn from(&self, from: &Path, path: Option<&OsStr>, host: &Host) -> Search {
        let mut known = self.by_folder.borrow_mut();
        let search = || match path {
            Some(path) => Search { path: env::split_paths(path).collect(), declared: true, ..Search::new(from, host) },
            None => Search::new(from, host),
        };
        known.entry((from.to_owned(), path.map(OsStr::to_owned))).or_insert_with(search).clone()
    }
}

impl Search {
    /// The folders for something that lives in `from`.
    pub fn new(from: &Path, host: &Host) -> Self {
        let mut local = Vec::new();
        for folder in from.ancestors() {
            let bin = folder.join("node_modules/.bin");
            if bin.is_dir() {
                local.push(bin);
            }
            // A virtual environment of the home folder is a person's, not the project's.
            if Some(folder) != host.home.as_deref() {
                let environments = [".venv", "venv"].map(|name| folder.join(name));
                local.extend(environments.into_iter().filter(|found| found.join("pyvenv.cfg").is_file()).map(|found| found.join("bin")));
            }
        }
        local.extend(host.text("VIRTUAL_ENV").map(|active| Path::new(active).join("bin")).filter(|bin| bin.is_dir()));
        let mut seen = Vec::new();
        local.retain(|folder| !seen.contains(folder) && (seen.push(folder.clone()), true).1);
        let path = host.var("PATH").map_or_else(|| OsString::from(DEFAULT_PATH), Clone::clone);
        let path = env::split_paths(&path).filter(|folder| !local.contains(folder)).collect();
        Self { local, path, declared: false, found: Rc::default() }
    }

    /// A program by name, in the project and then on PATH; or the other way round.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let mut found = self.found.borrow_mut();
        let on_path = || first(&self.path, program);
        let look =
            || if self.declared { on_path().or_else(|| self.find_local(program)) } else { self.find_local(program).or_else(on_path) };
        found.entry(program.to_owned()).or_insert_with(look).clone()
    }

    /// A program by name, in the project alone.
    pub fn find_local(&self, program: &str) -> Option<PathBuf> {
        first(&self.local, program)
    }

    /// The word by which an app finds this program: its name, or its path where the name alone means nothing or another one to the app.
    pub fn word(&self, name: &str, program: &Path) -> OsString {
        let by_name = if self.declared { first(&self.path, name) } else { self.find(name) };
        if by_name.as_deref() == Some(program) { name.into() } else { program.into() }
    }

    /// The PATH that finds the same.
    pub fn path(&self) -> OsString {
        // A folder whose name has a colon cannot stand in PATH; the rest still can.
        let fits = |folder: &&PathBuf| !folder.as_os_str().as_encoded_bytes().contains(&b':');
        env::join_paths(self.local.iter().chain(&self.path).filter(fits)).unwrap_or_else(|_| DEFAULT_PATH.into())
    }

    /// The names of all programs, for hints.
    pub fn names(&self) -> Vec<String> {
        let folders = self.local.iter().chain(&self.path);
        let entries = folders.filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

fn first(folders: &[PathBuf], program: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(OsStr::new(program))).find(|path| place::executable(path))
}
