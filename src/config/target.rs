//! What a TARGET is: a project file, a script or executable, a folder, or a command line, in this order.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::model::Error;

use super::{
    Host,
    command::{self, Command},
    lookup::Search,
    near, place, source,
};

/// A TARGET, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A project file.
    ProjectFile(PathBuf),
    /// A file to be run.
    Script(PathBuf),
    /// A folder to look into.
    Folder(PathBuf),
    /// A command line.
    Line(String),
}

/// Finds out what was typed; looked for where it was typed, then in the app's folder.
pub fn classify(typed: &OsStr, app_cwd: Option<&Path>, host: &Host) -> Result<Target, Error> {
    if typed.is_empty() {
        return Err(Error::usage("An empty TARGET was given").hint("name a script, a folder or a command line: pmdev start app.js"));
    }
    let cwd = app_cwd.unwrap_or(&host.cwd);
    let path = Path::new(typed);
    match place::find(&[&host.cwd, cwd], path) {
        Some(found) if found.is_dir() => return Ok(Target::Folder(found)),
        Some(found) if found.is_file() && source::is_project_file(&found) => return Ok(Target::ProjectFile(found)),
        // To read the first line of a pipe would be to take it from the program.
        Some(found) if !found.is_file() => return Err(Error::usage(format!("{} is neither a file nor a folder", path.display()))),
        Some(found) => return Ok(Target::Script(found)),
        None => {}
    }
    let Some(line) = typed.to_str() else {
        return Err(missing(path, &host.cwd, format!("{} was not found: there is no such file", path.display())));
    };
    let several_words = line.trim().contains(char::is_whitespace);
    match command::parse(line) {
        Err(why) if several_words => return Err(Error::usage(format!("{line:?} cannot be read as a command line: {why}"))),
        Ok(Command::Simple(_)) | Err(_) if !several_words => {}
        _ => return Ok(Target::Line(line.to_owned())),
    }
    if !line.contains('/') && Search::new(cwd, host).find(line).is_some() {
        return Ok(Target::Line(line.to_owned()));
    }
    let what = if line.contains('/') { "there is no such file or folder" } else { "there is no such file, folder or program" };
    Err(missing(path, &host.cwd, format!("{line} was not found: {what} (looked in {})", host.cwd.display())))
}

/// An error about a file that is not there, with a file that may have been meant.
pub fn missing(typed: &Path, base: &Path, message: String) -> Error {
    let error = Error::usage(message);
    // The nearest folder of what was typed that does exist is where to look first.
    let folder = place::absolute(base, typed);
    let folder = place::folder(&folder);
    let near = |below: &Path| near::nearest_file(below, typed).map(|file| place::shown(base, &below.join(file)));
    let found = if folder.is_dir() { near(folder) } else { None }.or_else(|| near(base));
    match found {
        Some(file) => error.hint(format!("did you mean {file}?")),
        None => error,
    }
}
