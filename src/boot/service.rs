//! What every unit is made of.

use std::path::{Path, PathBuf};

use super::{account::Account, needs::Needs};
use crate::model::{AppSpec, Error};

/// Where programs lie that everyone may use: what init systems set as PATH, more or less.
pub const USUAL_PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Whose init system it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The machine's.
    System,
    /// One user's own.
    User,
}

/// pmdev with a project file, as an init system shall run it. All of it is text that a unit can hold.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name, without an ending.
    pub name: String,
    /// pmdev, absolute.
    pub program: String,
    /// What pmdev is given.
    pub args: Vec<String>,
    /// The project file, absolute.
    pub file: String,
    /// The folder it runs in, absolute.
    pub folder: String,
    /// Who it runs as.
    pub account: Account,
    /// Whose init system it is.
    pub scope: Scope,
    /// pmdev's own folder, absolute.
    pub pmdev_home: String,
    /// Where the apps' tools lie besides the usual folders.
    pub path: Vec<String>,
    /// What the apps ask for.
    pub needs: Needs,
}

/// What a service is made from.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Its name; `None`: that of the project's folder.
    pub name: Option<String>,
    /// pmdev, absolute.
    pub program: &'a Path,
    /// What is typed after the project file: `--prod`.
    pub options: Vec<String>,
    /// The project file, absolute.
    pub file: &'a Path,
    /// Who it runs as.
    pub account: Account,
    /// Whose init system it is.
    pub scope: Scope,
    /// pmdev's own folder; `None`: that of the account.
    pub pmdev_home: Option<PathBuf>,
    /// Where the apps' tools lie besides the usual folders.
    pub path: Vec<PathBuf>,
    /// The apps, as they will run.
    pub apps: &'a [AppSpec],
    /// What else the apps write to, absolute.
    pub writable: Vec<PathBuf>,
}

impl Service {
    /// Puts it together.
    ///
    /// # Errors
    /// If a name or a path is nothing that a unit can hold, or the apps need rights that the account does not have.
    pub fn new(parts: Parts<'_>) -> Result<Self, Error> {
        let Parts { name, program, options, file, account, scope, pmdev_home, path, apps, writable } = parts;
        let folder = file.parent().unwrap_or(Path::new("/"));
        let name = match name {
            Some(name) => checked(name)?,
            None => default_name(folder),
        };
        let pmdev_home = pmdev_home.unwrap_or_else(|| account.pmdev_home());
        let needs = Needs::of(apps, &account, scope, &[folder, program, &pmdev_home], file, writable)?;
        let file = text(file)?;
        let path = path.iter().map(|folder| text(folder)).collect::<Result<_, _>>()?;
        let args = ["start".to_owned(), file.clone()].into_iter().chain(options).collect();
        let (program, folder, pmdev_home) = (text(program)?, text(folder)?, text(&pmdev_home)?);
        let service = Self { name, program, args, file, folder, account, scope, pmdev_home, path, needs };
        if let Some(word) = service.args.iter().find(|word| word.contains(char::is_control)) {
            return Err(Error::usage(format!("{word:?} cannot stand in a unit, because it has a control character")));
        }
        Ok(service)
    }

    /// Its PATH.
    pub fn search_path(&self) -> String {
        let folders: Vec<&str> = self.path.iter().map(String::as_str).chain(USUAL_PATH).collect();
        folders.join(":")
    }

    /// What people call it: the name without the `pmdev-` that tells it from other services.
    pub fn title(&self) -> &str {
        self.name.strip_prefix("pmdev-").unwrap_or(&self.name)
    }

    /// The line by which a unit is known as ours, and for which project file.
    pub fn mark(&self) -> String {
        format!("{MARK}{}", self.file)
    }
}

/// How the line begins by which a unit is known as ours.
pub const MARK: &str = "pmdev startup: ";

/// `pmdev-shop`, after the folder of the project.
pub fn default_name(folder: &Path) -> String {
    let folder = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let words = folder.split(|c| !is_plain(c) || c == '-').filter(|word| !word.is_empty());
    let plain: String = words.collect::<Vec<_>>().join("-").chars().take(180).collect();
    if plain.is_empty() { "pmdev".to_owned() } else { format!("pmdev-{plain}") }
}

/// A name that was given: what all init systems take as the name of a service and of a file.
///
/// # Errors
/// If it is none.
pub fn checked(name: String) -> Result<String, Error> {
    let bare = name.strip_suffix(".service").unwrap_or(&name);
    let begins = bare.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if begins && bare.len() <= 200 && bare.chars().all(is_plain) {
        return Ok(bare.to_owned());
    }
    Err(Error::usage(format!("--service-name {name:?} is not a name for a service"))
        .hint("letters, digits, -, _ and dots, 200 at most: --service-name shop"))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c)
}

/// A path as text that a unit can hold.
pub fn text(path: &Path) -> Result<String, Error> {
    let refuse = |why: &str| Error::usage(format!("{} cannot stand in a unit, because {why}", path.display()));
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    if text.contains(char::is_control) { Err(refuse("it has a control character")) } else { Ok(text.to_owned()) }
}
