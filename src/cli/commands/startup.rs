//! `pmdev startup`.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use rustix::process::geteuid;

use crate::{
    boot::{
        Platform, Unit,
        account::{Account, Asked},
        needs::is_javascript,
        service::{Parts, Scope, Service},
        tools,
        unit::Written,
    },
    cli::{host, print, tell},
    config::{self, Host, Request, source},
    model::{Error, Level, Notice, NoticeKind},
};

/// Print, or write, what makes the init system run this folder's project file from boot on
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Startup {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The project file [default: that of this folder]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The account that it runs as [default: yours, also below sudo]
    #[arg(short = 'u', value_name = "USER", conflicts_with = "user")]
    pub account: Option<String>,
    /// The account's home folder; pmdev's own is .pmdev in it [default: by /etc/passwd]
    #[arg(long, value_name = "HOME")]
    pub hp: Option<PathBuf>,
    /// A folder that the apps write to besides pmdev's own and their logs'; repeatable
    #[arg(long, value_name = "FOLDER")]
    pub writable: Vec<PathBuf>,
    /// Table of defaults that the apps run by
    #[arg(long, value_name = "NAME", default_value = "prod")]
    pub profile: String,
    /// Lay the project file's env_NAME on top
    #[arg(long = "env", value_name = "NAME")]
    pub env_name: Option<String>,
    /// Apps of the project file by name, with commas between; repeatable [default: all of them]
    #[arg(long, value_name = "NAMES")]
    pub only: Vec<String>,
    /// Write it instead of printing it; the commands that enable it are printed
    #[arg(long)]
    pub write: bool,
}

/// Where a unit lies: the options that startup and unstartup share.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// systemd, openrc or launchd, or a system that has one of them, such as debian [default: the one that runs here]
    #[arg(value_name = "INIT")]
    pub init: Option<String>,
    /// Your own systemd or launchd instead of the machine's
    #[arg(long)]
    pub user: bool,
    /// Its name [default: pmdev- and the folder's name]
    #[arg(long, value_name = "NAME")]
    pub service_name: Option<String>,
    /// What stands before its place, for the image of another machine
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub root: PathBuf,
}

const EXAMPLES: &str = "\
The project file is completed as `pmdev start --prod` would, so what is wrong with it is said here, and the unit knows the apps: their kill \
timeouts, their log folders, the ports that need a right. The unit goes to standard output, everything else to standard error.

Examples:
  pmdev startup                             look at it
  sudo pmdev startup --write                write it; it runs as whoever called sudo
  pmdev startup --user --write              for your own systemd, without root
  pmdev startup systemd -u www-data         for an account of its own
  pmdev startup --writable data,uploads     folders that the apps write to
  pmdev startup alpine > shop.initd         for another machine";

impl Startup {
    /// Prints the unit, or writes it.
    pub fn run(self) -> Result<u8, Error> {
        let mut host = host::host(false)?;
        host.cwd = typed_folder(host.cwd, env::var_os("PWD"));
        let (platform, scope) = self.place.platform()?;
        let account = Account::find(&self.asked(&host, scope), &passwd())?;
        let file = self.project_file(&host)?;
        let writable = self.writable.iter().flat_map(|list| split(list)).map(|folder| config::absolute(&host.cwd, &folder)).collect();
        // As the unit will have it.
        file.parent().unwrap_or(Path::new("/")).clone_into(&mut host.cwd);
        let request = Request {
            targets: vec![file.clone().into_os_string()],
            profile: Some(self.profile.clone()),
            env_name: self.env_name.clone(),
            only: self.only.clone(),
            ..Request::default()
        };
        let resolved = config::resolve(&request, &host)?;
        resolved.notices.iter().filter(|told| told.level > Level::Info).for_each(tell);
        let service = Service::new(Parts {
            name: self.place.service_name.clone(),
            program: &program(&host)?,
            options: self.options(),
            file: &file,
            pmdev_home: if self.hp.is_none() { host.text("PMDEV_HOME").map(PathBuf::from) } else { None },
            account,
            scope,
            path: tools::folders(&resolved.apps, is_javascript(&file), &folders(&host), |path| path.is_file()),
            apps: &resolved.apps,
            writable,
        })?;
        let unit = Unit::new(platform, scope, &service.name, &self.place.root, &service.account.home)?;
        let text = unit.text(&service)?;
        if self.write { self.write(&unit, &service, &text) } else { self.show(&unit, &service, &text) }
    }

    fn asked<'a>(&'a self, host: &'a Host, scope: Scope) -> Asked<'a> {
        let sudo = host.text("SUDO_USER").filter(|_| scope == Scope::System);
        Asked { name: self.account.as_deref(), home: self.hp.clone(), sudo, user: geteuid().as_raw() }
    }

    /// The project file that was named, else that of the folder.
    fn project_file(&self, host: &Host) -> Result<PathBuf, Error> {
        let Some(file) = &self.file else {
            return source::discover(&host.cwd).ok_or_else(|| {
                Error::usage(format!("{} has no project file, and a service is made from one", host.cwd.display()))
                    .hint("pmdev init writes one; --file FILE names one that lies elsewhere")
            });
        };
        let file = config::absolute(&host.cwd, file);
        match file.is_file() {
            true if source::is_project_file(&file) => Ok(file),
            true => Err(Error::usage(format!("{} is no project file, and a service is made from one", file.display()))
                .hint("pmdev init writes one that runs it")),
            false => Err(Error::usage(format!("{} was not found: there is no such file", file.display()))),
        }
    }

    /// What pmdev is given besides the project file.
    fn options(&self) -> Vec<String> {
        let mut options = match self.profile.as_str() {
            "prod" => vec!["--prod".to_owned()],
            other => vec!["--profile".to_owned(), other.to_owned()],
        };
        options.extend(self.env_name.iter().flat_map(|name| ["--env".to_owned(), name.clone()]));
        options.extend(self.only.iter().flat_map(|names| ["--only".to_owned(), names.clone()]));
        options
    }

    fn show(&self, unit: &Unit, service: &Service, text: &str) -> Result<u8, Error> {
        print(text.as_bytes());
        let said = format!("{} was not written: this is what would stand there", unit.path.display());
        let typed = again(unit.scope, &service.program, &["--write"]);
        tell(&Notice::new(Level::Info, NoticeKind::Answer, said).hint(format!("to write it: {typed}")));
        Ok(0)
    }

    fn write(&self, unit: &Unit, service: &Service, text: &str) -> Result<u8, Error> {
        let written = unit.write(text).map_err(|error| as_root(error, unit.scope, &service.program))?;
        let mut said = match written {
            Written::New => format!("{} was written.", unit.path.display()),
            Written::Replaced => format!("{} was written anew.", unit.path.display()),
            Written::Same => format!("{} is there already, just so.", unit.path.display()),
        };
        said.push_str(" To have it started now and at every boot:\n");
        let account = &service.account;
        let own = Path::new(&service.pmdev_home);
        let made = |folder: &Path, mode: &str| match unit.scope {
            Scope::User => format!("mkdir -p {}", quoted(folder)),
            Scope::System => format!("install -d -o {0} -g \"$(id -g {0})\" -m {mode} {1}", account.name, quoted(folder)),
        };
        // In the sandbox of a service nothing can be made but below what is there already.
        let folders = service.needs.writable.iter().map(|folder| Path::new(&folder.path)).filter(|folder| !folder.exists());
        let missing = folders.map(|folder| made(folder, if folder == own { "700" } else { "750" }));
        let missing = missing.filter(|_| unit.platform != Platform::OpenRc);
        said.extend(missing.chain(unit.enable(&account.name)).map(|command| format!("    {}\n", rooted(unit.scope, &command))));
        if written == Written::Replaced {
            let typed = match unit.platform {
                Platform::Systemd if unit.scope == Scope::User => format!("systemctl --user restart {}.service", unit.name),
                Platform::Systemd => format!("systemctl restart {}.service", unit.name),
                Platform::OpenRc => format!("rc-service {} restart", unit.name),
                Platform::Launchd => unit.disable().join("; "),
            };
            said.push_str(&format!("If it runs already, what is new counts from its next start:\n    {}\n", rooted(unit.scope, &typed)));
        }
        print(said.as_bytes());
        Ok(0)
    }
}

impl PlaceArgs {
    /// The init system that was named, else the one that runs here.
    pub fn platform(&self) -> Result<(Platform, Scope), Error> {
        let platform = match &self.init {
            Some(name) => Platform::named(name).map_err(|error| match self.user {
                // `--user USER` is how PM2 has it.
                true => error.hint(format!("--user means your own systemd and takes no name; for the account {name}: -u {name}")),
                false => error,
            })?,
            None => Platform::detect(Path::exists)?,
        };
        Ok((platform, if self.user { Scope::User } else { Scope::System }))
    }
}

/// The folder as the shell has it, links included: one that is swapped for each release outlives what it leads to today.
fn typed_folder(real: PathBuf, shell: Option<OsString>) -> PathBuf {
    let shell = shell.map(PathBuf::from).filter(|shell| shell.is_absolute() && config::absolute(Path::new("/"), shell) == *shell);
    shell.filter(|shell| shell.canonicalize().is_ok_and(|folder| folder == real)).unwrap_or(real)
}

/// The accounts of this machine.
pub fn passwd() -> String {
    fs::read("/etc/passwd").map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// pmdev as it is found on PATH, where that is this very program: a link that is kept when a new version is installed.
pub fn program(host: &Host) -> Result<PathBuf, Error> {
    let this = env::current_exe().map_err(|error| Error::failed("The path of pmdev cannot be read").because(error))?;
    let found =
        folders(host).into_iter().map(|folder| folder.join("pmdev")).find(|path| path.canonicalize().is_ok_and(|real| real == this));
    Ok(found.unwrap_or(this))
}

/// The folders of PATH.
fn folders(host: &Host) -> Vec<PathBuf> {
    let path = host.var("PATH").map_or(OsStr::new(""), OsString::as_os_str);
    env::split_paths(path).filter(|folder| folder.is_absolute()).collect()
}

/// A list with commas between.
fn split(list: &Path) -> Vec<PathBuf> {
    match list.to_str() {
        Some(text) => text.split(',').filter(|part| !part.is_empty()).map(PathBuf::from).collect(),
        None => vec![list.to_owned()],
    }
}

/// The command that was typed, and `more`.
pub fn again(scope: Scope, program: &str, more: &[&str]) -> String {
    let typed = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(program.to_owned()).chain(typed).chain(more.iter().map(ToString::to_string)).collect();
    let command = shell_words::join(&words);
    // sudo has a PATH of its own, on which node may not be.
    if scope == Scope::System && !geteuid().is_root() { format!("sudo env \"PATH=$PATH\" {command}") } else { command }
}

/// A command for root, as whoever runs this would type it.
pub fn rooted(scope: Scope, command: &str) -> String {
    // Lingering is root's to allow.
    let root = scope == Scope::System || command.starts_with("loginctl");
    if root && !geteuid().is_root() { format!("sudo {command}") } else { command.to_owned() }
}

/// An error of somebody who is not root, with the command that would do it.
pub fn as_root(error: Error, scope: Scope, program: &str) -> Error {
    if scope == Scope::System && !geteuid().is_root() && error.hint.is_none() {
        let typed = again(scope, program, &[]);
        error.hint(format!("root may: {typed}"))
    } else {
        error
    }
}

fn quoted(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}
