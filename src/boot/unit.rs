//! Where a unit lies; writing it, taking it away, and what is to be typed then.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    Platform, launchd, openrc,
    service::{MARK, Scope, Service},
    systemd,
};
use crate::model::Error;

/// A service of an init system: its file, and how the init system is spoken to.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The init system.
    pub platform: Platform,
    /// Whose init system it is.
    pub scope: Scope,
    /// The service's name, without an ending.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What is there while the service runs, where its file is needed to stop it.
    started: Option<PathBuf>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is new.
    New,
    /// It took the place of an older one.
    Replaced,
    /// It was there already.
    Same,
}

impl Unit {
    /// The unit of this name. `root`: what stands before every path, `/` but for the image of another machine; `home`: the user's own
    /// folder.
    ///
    /// # Errors
    /// If the init system has no services of users.
    pub fn new(platform: Platform, scope: Scope, name: &str, root: &Path, home: &Path) -> Result<Self, Error> {
        let home = || root.join(home.strip_prefix("/").unwrap_or(home));
        let path = match (platform, scope) {
            (Platform::Systemd, Scope::System) => root.join("etc/systemd/system").join(format!("{name}.service")),
            (Platform::Systemd, Scope::User) => home().join(".config/systemd/user").join(format!("{name}.service")),
            (Platform::OpenRc, Scope::System) => root.join("etc/init.d").join(name),
            (Platform::OpenRc, Scope::User) => {
                return Err(Error::usage("--user is for systemd and launchd; OpenRC's services are the machine's")
                    .hint("leave it out, and name who it runs as: -u USER"));
            }
            (Platform::Launchd, Scope::System) => root.join("Library/LaunchDaemons").join(format!("{name}.plist")),
            (Platform::Launchd, Scope::User) => home().join("Library/LaunchAgents").join(format!("{name}.plist")),
        };
        let started = match platform {
            Platform::OpenRc => Some(root.join("run/openrc/started").join(name)),
            Platform::Systemd | Platform::Launchd => None,
        };
        Ok(Self { platform, scope, name: name.to_owned(), path, started })
    }

    /// The text for a service.
    ///
    /// # Errors
    /// If something of the service cannot stand in it.
    pub fn text(&self, service: &Service) -> Result<String, Error> {
        match self.platform {
            Platform::Systemd => Ok(systemd::unit(service)),
            Platform::OpenRc => openrc::script(service),
            Platform::Launchd => launchd::list(service),
        }
    }

    /// What the file holds now; `None`: there is none.
    ///
    /// # Errors
    /// If it cannot be read, or was not written by pmdev.
    pub fn current(&self) -> Result<Option<Owned>, Error> {
        let text = match fs::read(&self.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::failed(format!("{} cannot be read", self.path.display())).because(error)),
        };
        match mark(&text) {
            Some(file) => Ok(Some(Owned { file: file.to_owned(), text })),
            None => Err(Error::usage(format!("{} was not written by pmdev startup, so it is left as it is", self.path.display()))
                .hint("give this service another name: --service-name NAME")),
        }
    }

    /// Writes the text, whole or not at all.
    ///
    /// # Errors
    /// If the file is another's or another project's, or cannot be written.
    pub fn write(&self, text: &str) -> Result<Written, Error> {
        let before = self.current()?;
        if let (Some(before), Some(file)) = (&before, mark(text))
            && before.file != file
        {
            return Err(Error::usage(format!("{} is there already, for {}", self.path.display(), before.file))
                .hint("give this service another name: --service-name NAME\nor take that one away first: pmdev unstartup"));
        }
        if before.as_ref().is_some_and(|before| before.text == text) {
            return Ok(Written::Same);
        }
        self.put(text).map_err(|error| self.unwritable(error))?;
        Ok(if before.is_some() { Written::Replaced } else { Written::New })
    }

    fn put(&self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        if self.scope == Scope::User {
            fs::create_dir_all(folder)?;
        }
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        let mode = match self.platform {
            Platform::OpenRc => 0o755,
            Platform::Systemd | Platform::Launchd => 0o644,
        };
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// Takes the file away, and the links by which the init system starts it.
    ///
    /// # Errors
    /// If the file is another's, or cannot be removed, or is still needed to end the service.
    pub fn remove(&self) -> Result<(), Error> {
        self.current()?;
        if let Some(started) = self.started.as_ref().filter(|started| started.is_symlink() || started.exists()) {
            return Err(Error::usage(format!("{} runs ({}), and its script is what stops it", self.name, started.display()))
                .hint(format!("first: rc-service {} stop", self.name)));
        }
        for link in self.links() {
            fs::remove_file(&link).map_err(|error| self.unwritable(error))?;
        }
        fs::remove_file(&self.path).map_err(|error| self.unwritable(error))
    }

    /// The links that an init system made when the service was enabled.
    pub fn links(&self) -> Vec<PathBuf> {
        let (above, name) = match (self.platform, self.path.parent(), self.path.file_name()) {
            (Platform::Systemd, Some(folder), Some(name)) => (folder.to_owned(), name),
            (Platform::OpenRc, Some(folder), Some(name)) => (folder.with_file_name("runlevels"), name),
            (Platform::Launchd, _, _) | (_, None, _) | (_, _, None) => return Vec::new(),
        };
        let wants = |folder: &Path| self.platform == Platform::OpenRc || folder.extension().is_some_and(|ending| ending == "wants");
        let folders = fs::read_dir(above).into_iter().flatten().flatten().map(|entry| entry.path());
        let links = folders.filter(|folder| wants(folder)).map(|folder| folder.join(name));
        let mut links: Vec<PathBuf> = links.filter(|link| link.is_symlink()).collect();
        links.sort();
        links
    }

    /// The services in the same folder that are ours, by name.
    pub fn siblings(&self) -> Vec<String> {
        let files = fs::read_dir(self.path.parent().unwrap_or(Path::new("/"))).into_iter().flatten().flatten();
        let ours = files.map(|entry| entry.path()).filter(|path| fs::read_to_string(path).is_ok_and(|text| mark(&text).is_some()));
        let mut names: Vec<String> = ours.filter_map(|path| Some(self.name_of(&path)?.to_owned())).collect();
        names.sort();
        names
    }

    fn name_of<'a>(&self, path: &'a Path) -> Option<&'a str> {
        match self.platform {
            Platform::OpenRc => path.file_name()?.to_str(),
            Platform::Systemd | Platform::Launchd => path.file_stem()?.to_str(),
        }
    }

    fn unwritable(&self, error: io::Error) -> Error {
        let text = format!("{} cannot be written", self.path.display());
        match error.kind() {
            io::ErrorKind::NotFound => Error::usage(text)
                .because(error)
                .hint(format!("is this a machine with {}? --root FOLDER is for the image of another one", self.platform)),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::usage(text).because(error),
            _ => Error::failed(text).because(error),
        }
    }

    /// What is typed to have the init system start the service now and at every boot.
    pub fn enable(&self, account: &str) -> Vec<String> {
        let Self { name, .. } = self;
        let path = shell_words::quote(&self.path.to_string_lossy()).into_owned();
        match (self.platform, self.scope) {
            (Platform::Systemd, Scope::System) => {
                vec!["systemctl daemon-reload".to_owned(), format!("systemctl enable --now {name}.service")]
            }
            (Platform::Systemd, Scope::User) => vec![
                "systemctl --user daemon-reload".to_owned(),
                format!("systemctl --user enable --now {name}.service"),
                format!("loginctl enable-linger {account}"),
            ],
            (Platform::OpenRc, _) => vec![format!("rc-update add {name} default"), format!("rc-service {name} start")],
            (Platform::Launchd, Scope::System) => vec![format!("launchctl bootstrap system {path}")],
            (Platform::Launchd, Scope::User) => vec![format!("launchctl bootstrap gui/$(id -u) {path}")],
        }
    }

    /// What is typed before the file goes: the service ends, now and for later boots.
    pub fn disable(&self) -> Vec<String> {
        let Self { name, .. } = self;
        match (self.platform, self.scope) {
            (Platform::Systemd, Scope::System) => vec![format!("systemctl disable --now {name}.service")],
            (Platform::Systemd, Scope::User) => vec![format!("systemctl --user disable --now {name}.service")],
            (Platform::OpenRc, _) => vec![format!("rc-service {name} stop"), format!("rc-update delete {name} default")],
            (Platform::Launchd, Scope::System) => vec![format!("launchctl bootout system/{name}")],
            (Platform::Launchd, Scope::User) => vec![format!("launchctl bootout gui/$(id -u)/{name}")],
        }
    }

    /// What is typed once the file has gone. `stopped`: the service was ended before.
    pub fn forget(&self, stopped: bool) -> Vec<String> {
        let Self { name, .. } = self;
        let user = match self.scope {
            Scope::System => "",
            Scope::User => " --user",
        };
        match self.platform {
            Platform::Systemd if stopped => vec![format!("systemctl{user} daemon-reload")],
            Platform::Systemd => vec![format!("systemctl{user} stop {name}.service"), format!("systemctl{user} daemon-reload")],
            Platform::Launchd if !stopped => self.disable(),
            // Its script is what stops it; see `remove`.
            Platform::Launchd | Platform::OpenRc => Vec::new(),
        }
    }
}

/// A file that pmdev wrote.
#[derive(Debug)]
pub struct Owned {
    /// The project file it is for.
    pub file: String,
    /// All of it.
    pub text: String,
}

/// The project file that a unit of ours names.
fn mark(text: &str) -> Option<&str> {
    let line = text.lines().take(3).find_map(|line| line.split_once(MARK).map(|(_, file)| file))?;
    Some(line.strip_suffix(" -->").unwrap_or(line))
}
