//! What the apps ask of the place they run in: time to start and stop, folders to write to, rights.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    account::{Account, is_in_a_home},
    service::{Scope, text},
};
use crate::model::{AppSpec, Condition, Error, Launch, Listen, LogFile, Probe, UNLIMITED};

/// What the runner itself needs after the last app, and then some.
const MARGIN: Duration = Duration::from_secs(10);
/// systemd's own default for a start.
const LEAST_START: Duration = Duration::from_secs(90);
/// Servers hold many connections, and 1024, the usual limit, is there for select(2) alone.
const OPEN_FILES: u64 = 65_536;
/// Ports below are the system's, ip(7).
const FIRST_FREE_PORT: u16 = 1024;

/// What the apps ask for.
#[derive(Debug, Clone)]
pub struct Needs {
    /// How long the start of all may take; `None`: nobody knows.
    pub start: Option<Duration>,
    /// How long the stop of all may take.
    pub stop: Duration,
    /// What is written to, outermost folders alone.
    pub writable: Vec<Writable>,
    /// The rights of root that the apps need, capabilities(7).
    pub capabilities: BTreeSet<&'static str>,
    /// The apps that listen on a port below 1024, where that needs a right.
    pub low_ports: Vec<String>,
    /// Open files of a process.
    pub open_files: u64,
    /// Whether something lies in a home folder.
    pub in_a_home: bool,
    /// Something that lies in a folder for temporary files.
    pub in_temporary: Option<String>,
    /// Why memory must be both written and executed; `None`: nothing does that.
    pub compiles: Option<String>,
}

/// A folder that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writable {
    /// The folder, absolute.
    pub path: String,
    /// What writes there.
    pub why: String,
}

impl Needs {
    /// Of these apps; `places`: the project's folder, pmdev, and pmdev's folder. `extra`: what people know of besides.
    ///
    /// # Errors
    /// If a path is no text, or the account may not become another one that an app asks for.
    pub fn of(
        apps: &[AppSpec],
        account: &Account,
        scope: Scope,
        places: &[&Path; 3],
        file: &Path,
        extra: Vec<PathBuf>,
    ) -> Result<Self, Error> {
        let others = check_accounts(apps, account, scope)?;
        let writable = writable(apps, account, places[2], extra)?;
        let everything = || {
            let programs = apps.iter().flat_map(|app| app.launch.argv.first()).map(Path::new).filter(|path| path.is_absolute());
            let folders = apps.iter().map(|app| app.launch.cwd.as_path());
            places.iter().copied().chain(programs).chain(folders).chain(writable.iter().map(|writable| Path::new(&writable.path)))
        };
        let low_ports = apps.iter().filter(|app| ports(app).any(|port| port < FIRST_FREE_PORT)).map(|app| app.name.clone());
        let low_ports: Vec<String> = low_ports.collect();
        let mut capabilities = BTreeSet::new();
        if !low_ports.is_empty() || account.root {
            capabilities.insert("CAP_NET_BIND_SERVICE");
        }
        if account.root {
            // The files of a project, and logs, belong to others as well.
            capabilities.extend(["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]);
        }
        if others {
            capabilities.extend(["CAP_SETGID", "CAP_SETUID", "CAP_KILL"]);
        }
        if apps.iter().any(|app| app.limits.nice.is_some_and(|nice| nice < 0)) {
            capabilities.insert("CAP_SYS_NICE");
        }
        if apps.iter().any(|app| app.limits.oom_score_adj.is_some_and(|score| score < 0)) {
            capabilities.insert("CAP_SYS_RESOURCE");
        }
        let temporary = everything().find(|path| ["/tmp", "/var/tmp"].iter().any(|folder| path.starts_with(folder)));
        Ok(Self {
            start: start(apps),
            stop: longest(apps, |app| app.stop.timeout) + MARGIN,
            in_a_home: everything().any(is_in_a_home),
            in_temporary: temporary.map(text).transpose()?,
            capabilities,
            low_ports: if account.root { Vec::new() } else { low_ports },
            open_files: apps.iter().filter_map(|app| app.limits.nofile).filter(|limit| *limit != UNLIMITED).fold(OPEN_FILES, u64::max),
            compiles: compiles(apps, file),
            writable,
        })
    }
}

/// Whether apps run as others than the runner, which only root can arrange.
fn check_accounts(apps: &[AppSpec], account: &Account, scope: Scope) -> Result<bool, Error> {
    let other = apps.iter().find_map(|app| Some((app, app.account.user.as_deref().or(app.account.group.as_deref())?)));
    match other {
        None => Ok(false),
        Some((_, user)) if *user == account.name => Ok(false),
        Some(_) if account.root && scope == Scope::System => Ok(true),
        Some((app, user)) if account.root => {
            let error =
                Error::usage(format!("{} is to run as {user}, which a service of a user cannot arrange, not even root's", app.name));
            Err(error.hint("the same without --user, or no uid and gid in the project file"))
        }
        Some((app, user)) => {
            let error = Error::usage(format!("{} is to run as {user}, which {} cannot arrange, only root can", app.name, account.name));
            Err(error.hint(format!("-u root, or -u {user} and no uid and gid in the project file")))
        }
    }
}

/// How long the start of all may take: as long as the longest chain of apps that wait for one another to be ready.
fn start(apps: &[AppSpec]) -> Option<Duration> {
    let endless = |app: &AppSpec| app.build.is_some() || app.depends_on.iter().any(|needed| needed.condition == Condition::Completed);
    if apps.iter().any(endless) {
        return None;
    }
    let ready = longest(apps, |app| if app.ready.by == Probe::Started { Duration::ZERO } else { app.ready.timeout });
    Some((ready + MARGIN).max(LEAST_START))
}

/// The largest sum along a chain of apps of which each needs the next.
fn longest(apps: &[AppSpec], time: impl Fn(&AppSpec) -> Duration) -> Duration {
    fn sum<'a>(
        app: &'a AppSpec,
        apps: &'a [AppSpec],
        time: &impl Fn(&AppSpec) -> Duration,
        known: &mut HashMap<&'a str, Duration>,
    ) -> Duration {
        if let Some(sum) = known.get(app.name.as_str()) {
            return *sum;
        }
        // A circle is refused with the file; if there were one, it would end here.
        known.insert(&app.name, Duration::ZERO);
        let needed = app.depends_on.iter().filter_map(|needed| apps.iter().find(|other| other.name == needed.app));
        let below = needed.map(|other| sum(other, apps, time, known)).max().unwrap_or_default();
        let total = time(app).saturating_add(below);
        known.insert(&app.name, total);
        total
    }
    let mut known = HashMap::new();
    apps.iter().map(|app| sum(app, apps, &time, &mut known)).max().unwrap_or_default()
}

/// The folders that are written to.
fn writable(apps: &[AppSpec], account: &Account, home: &Path, extra: Vec<PathBuf>) -> Result<Vec<Writable>, Error> {
    let mut all: Vec<(PathBuf, String)> = vec![(home.to_owned(), "pmdev's own folder: its logs, its socket".to_owned())];
    for app in apps {
        let beside = |file: &Path| file.parent().map(Path::to_owned);
        let logs = [&app.logs.out, &app.logs.error, &app.logs.combined].into_iter().filter_map(|log| match log {
            LogFile::At(file) => beside(file),
            LogFile::None | LogFile::Default => None,
        });
        all.extend(logs.map(|folder| (folder, format!("log files of {}", app.name))));
        all.extend(
            app.pid_file.iter().filter_map(|file| beside(&file.path)).map(|folder| (folder, format!("the pid file of {}", app.name))),
        );
        let sockets = app.listen.iter().filter_map(|listen| match listen {
            Listen::Unix(socket) => beside(socket),
            Listen::Tcp(_) => None,
        });
        all.extend(sockets.map(|folder| (folder, format!("a socket of {}", app.name))));
        if let Some(build) = &app.build {
            all.push((build.cwd.clone(), format!("the build of {}", app.name)));
        }
        let tools = app.build.iter().chain([&app.launch]).flat_map(|launch| caches(launch));
        all.extend(tools.map(|cache| (account.home.join(cache), format!("what the tools of {} keep", app.name))));
    }
    all.extend(extra.into_iter().map(|path| (path, "--writable".to_owned())));
    // These are no files of a disk, and systemd keeps them as they are.
    all.retain(|(path, _)| path != Path::new("/") && !["/dev", "/proc", "/sys"].iter().any(|system| path.starts_with(system)));
    let mut kept: Vec<Writable> = Vec::new();
    for (at, (path, why)) in all.iter().enumerate() {
        let covered = all.iter().enumerate().any(|(other, (outer, _))| path.starts_with(outer) && (path != outer || other < at));
        if !covered {
            kept.push(Writable { path: text(path)?, why: why.clone() });
        }
    }
    Ok(kept)
}

/// What a tool keeps in the home folder.
fn caches(launch: &Launch) -> &'static [&'static str] {
    match program(launch) {
        "npm" | "npx" => &[".npm"],
        "cargo" => &[".cargo"],
        "go" => &[".cache/go-build", "go"],
        _ => &[],
    }
}

/// Why memory must be both written and executed. Only of what is compiled here it is known that it does not compile as it runs.
fn compiles(apps: &[AppSpec], file: &Path) -> Option<String> {
    if is_javascript(file) {
        return Some("the project file is JavaScript, whose engine compiles as it runs".to_owned());
    }
    let compiled = |app: &&AppSpec| app.build.as_ref().is_some_and(|build| ["cargo", "go"].contains(&program(build)));
    let other = apps.iter().find(|app| !compiled(app))?;
    Some(format!("{} may compile as it runs, as JavaScript, Java and others do", other.name))
}

/// Whether a project file is a program.
pub fn is_javascript(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ["js", "cjs", "mjs"].iter().any(|known| ending == *known))
}

/// The name of the program of a launch.
pub fn program(launch: &Launch) -> &str {
    launch.argv.first().and_then(|program| Path::new(program).file_name()?.to_str()).unwrap_or_default()
}

/// The ports that an app is known to listen on.
fn ports(app: &AppSpec) -> impl Iterator<Item = u16> {
    let bound = app.listen.iter().filter_map(|listen| match listen {
        Listen::Tcp(address) => Some(address.port()),
        Listen::Unix(_) => None,
    });
    bound.chain(app.port)
}
