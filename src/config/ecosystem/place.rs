//! Where an app's files are, and how failures that were worded for flags are said of keys.

use std::path::{Path, PathBuf};

use crate::{
    config::{
        Host, Request,
        draft::app_folder,
        element::Given,
        keys::AppKeys,
        node::Place,
        place,
        problem::Problem,
        target::{self, Target},
    },
    model::{Error, ErrorKind},
};

use super::App;

/// Finds an app's files, and says at which key something is wrong.
pub struct Places<'a> {
    /// The app.
    pub app: &'a App<'a>,
    /// The project file.
    pub file: &'a Path,
}

impl Places<'_> {
    /// The folder the app runs in: `--cwd`, `cwd`, else the first base that has its script.
    pub fn folder(&self, bases: &[PathBuf], flags: &Request, host: &Host) -> Result<PathBuf, Box<Problem>> {
        let keys = &self.app.layer.keys;
        if let Some(folder) =
            app_folder(flags, host).map_err(|error| Box::new(self.problem(error, &self.app.raw.path, self.app.raw.place)))?
        {
            return Ok(folder);
        }
        let Some(cwd) = &keys.cwd else {
            let has_script = |base: &&PathBuf| keys.script.as_ref().is_some_and(|script| base.join(&script.value).exists());
            return Ok(bases.iter().find(has_script).or_else(|| bases.first()).cloned().unwrap_or_default());
        };
        let typed = Path::new(&cwd.value);
        match find(bases, typed) {
            Some(folder) if folder.is_dir() => Ok(folder),
            Some(_) => Err(Box::new(self.problem(Error::usage(format!("{} is not a folder", cwd.value)), &cwd.path, cwd.place))),
            None => {
                let base = bases.first().map_or(Path::new("/"), PathBuf::as_path);
                let error = target::missing(typed, base, format!("{} was not found: there is no such folder", cwd.value));
                Err(Box::new(self.problem(error, &cwd.path, cwd.place)))
            }
        }
    }

    /// What the script is: a file or folder where the app runs, else whatever it would be as a TARGET.
    pub fn target(&self, script: &str, cwd: &Path, host: &Host) -> Result<Target, Error> {
        let path = place::absolute(cwd, Path::new(script));
        if path.is_dir() {
            return Ok(Target::Folder(path));
        }
        // What a build makes need not be there yet.
        let builds = self.app.layer.keys.build.is_some() && !script.contains(char::is_whitespace);
        if path.is_file() || builds && (script.contains('/') || path.extension().is_some()) {
            return Ok(Target::Script(path));
        }
        target::classify(script.as_ref(), Some(cwd), host)
    }

    /// The files of `env_file`, absolute; looked for where the app runs, then in the bases.
    pub fn env_files(&self, cwd: &Path, bases: &[PathBuf], host: &Host, wrong: &mut Vec<Problem>) -> Vec<PathBuf> {
        let Some(files) = &self.app.layer.keys.env_file else { return Vec::new() };
        let folders: Vec<PathBuf> = [cwd.to_owned()].into_iter().chain(bases.iter().cloned()).collect();
        let mut found = Vec::new();
        for file in &files.value.0 {
            match find(&folders, Path::new(file)).filter(|found| !found.is_dir()) {
                Some(path) => {
                    host.seen.own(&path);
                    found.push(path);
                }
                None => {
                    host.seen.own(&place::absolute(cwd, Path::new(file)));
                    let error = target::missing(Path::new(file), cwd, format!("{file} was not found: there is no such file"));
                    wrong.push(self.problem(error, &files.path, files.place));
                }
            }
        }
        found
    }

    /// Where `env_file` stands, where it does.
    pub fn of_env_files(&self) -> Option<(&str, Place)> {
        self.app.layer.keys.env_file.as_ref().map(|given| (given.path.as_str(), given.place))
    }

    /// The app says nothing that could run.
    pub fn without_script(&self) -> Problem {
        let who = if self.app.raw.path.is_empty() { "the app" } else { &self.app.raw.path };
        Problem::error(self.file, self.app.raw.place, format!("{who} has no script, so there is nothing to run"))
            .about(&self.app.raw.path)
            .example(r#"script: "server.js""#)
    }

    /// A failure at a key. One that begins with a flag is about the key of the same name.
    pub fn problem(&self, error: Error, path: &str, at: Place) -> Problem {
        let mut message = error.message;
        let (mut path, mut at) = (path.to_owned(), at);
        if let Some((flag, rest)) = message.strip_prefix("--").and_then(|rest| rest.split_once(' ')) {
            let key = flag.replace('-', "_");
            if let Some((key_path, key_place)) = self.key(&key) {
                (path, at) = (key_path, key_place);
                message = rest.to_owned();
            }
        }
        for cause in &error.causes {
            message.push_str(&format!(": {cause}"));
        }
        let mut problem = Problem { missing: error.kind == ErrorKind::Missing, ..Problem::error(self.file, at, String::new()) }.about(path);
        if let Some(hint) = error.hint.map(|hint| as_keys(&hint)) {
            match hint.strip_prefix("did you mean ").and_then(|rest| rest.split_once('?')) {
                Some((meant, "")) => problem = problem.suggestion(meant),
                Some(_) | None => message.push_str(&format!("; {}", hint.replace('\n', "; "))),
            }
        }
        problem.message = as_keys(&message);
        problem
    }

    /// Where a key that has a flag stands.
    fn key(&self, name: &str) -> Option<(String, Place)> {
        fn at<T>(given: &Option<Given<T>>) -> Option<(String, Place)> {
            given.as_ref().map(|given| (given.path.clone(), given.place))
        }
        let keys = &self.app.layer.keys;
        match name {
            "watch" => at(&keys.watch),
            "ignore_watch" => at(&keys.ignore_watch),
            "interpreter" => at(&keys.interpreter),
            "interpreter_args" => at(&keys.interpreter_args),
            _ => None,
        }
    }
}

fn find(bases: &[PathBuf], typed: &Path) -> Option<PathBuf> {
    bases.iter().map(|base| place::absolute(base, typed)).find(|path| path.exists())
}

/// `--interpreter PROGRAM` as `interpreter: PROGRAM`, for flags that are keys as well.
pub fn as_keys(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, from) = rest.split_at(at);
        said.push_str(before);
        let end = from[2..].find(|c: char| !c.is_ascii_lowercase() && c != '-').map_or(from.len(), |end| end + 2);
        let key = from[2..end].replace('-', "_");
        rest = &from[end..];
        if !key.is_empty() && AppKeys::KEYS.iter().any(|known| known.about.name == key) {
            said.push_str(&key);
            // A value follows, not the next word of a sentence.
            if rest.starts_with(" '") || rest.starts_with('=') || rest.trim_start().starts_with(|c: char| c.is_ascii_uppercase()) {
                said.push_str(": ");
                rest = rest.trim_start_matches(['=', ' ']);
            }
        } else {
            said.push_str(&from[..end]);
        }
    }
    said.push_str(rest);
    said
}
