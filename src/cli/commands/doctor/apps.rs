//! What the apps need: their programs, and their ports.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Subject, machine::several};
use crate::{
    config::{self, End, Host, without_secrets},
    control::Hello,
    model::{AppSpec, Hardening, Launch, Listen, Probe},
    process::ports,
    ui::findings::Finding,
};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// Programs that say their version when asked for it, and do nothing else.
const SPEAKING: [&str; 11] = ["node", "bun", "deno", "python", "python3", "ruby", "perl", "php", "npm", "npx", "dotnet"];

/// Where programs are looked for by an app that has no PATH, as when it is started.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Where ports begin that everybody may use, ip(7).
const FIRST_FREE: u16 = 1024;

/// The program of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The app.
    pub app: String,
    /// As it would be started.
    pub name: String,
    /// Where it is; `None`: nowhere.
    pub path: Option<PathBuf>,
    /// What it says of its version.
    pub version: Option<String>,
    /// How to have it, or another.
    pub hint: Option<String>,
}

/// A port that an app wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The app.
    pub app: String,
    /// Which one.
    pub port: u16,
    /// Whether it shares it with other apps of its kind.
    pub shares: bool,
    /// Who listens there.
    pub holders: Vec<Holder>,
}

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its pid; `None`: it is another user's.
    pub pid: Option<i32>,
    /// Its command line, without secrets.
    pub command: String,
    /// The runner that it belongs to, as people know it, and whether that runs this project.
    pub runner: Option<(String, bool)>,
}

/// Looks for the programs.
pub fn programs(subject: &Subject, host: &Host) -> Vec<Program> {
    let mut versions: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    let mut look = |app: &AppSpec| {
        let launch = &app.launch;
        let name = launch.argv.first()?.to_string_lossy().into_owned();
        let path = find(launch);
        // What a build makes is not there before.
        if path.is_none() && app.build.is_some() {
            return None;
        }
        let known = path.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).is_some_and(|name| SPEAKING.contains(&name));
        let version = match &path {
            Some(path) if known => versions.entry(path.clone()).or_insert_with(|| version(path, launch, host)).clone(),
            Some(_) | None => None,
        };
        Some(Program { app: app.name.clone(), name, path, version, hint: app.missing_hint.clone() })
    };
    subject.apps.iter().filter_map(&mut look).collect()
}

/// A command of an app besides its own program, whose program is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The app.
    pub app: String,
    /// The key that has it.
    pub key: &'static str,
    /// The program.
    pub program: String,
}

/// Looks for what builds the apps, asks and helps them.
pub fn lost(subject: &Subject) -> Vec<Lost> {
    let of_app = |app: &AppSpec| {
        let hooks = &app.hooks;
        let probe = |probe: &Probe| if let Probe::Command(line) = probe { Some(line.clone()) } else { None };
        let lines = [
            ("ready", probe(&app.ready.by)),
            ("health", app.health.as_ref().and_then(|health| probe(&health.probe))),
            ("on_ready", hooks.on_ready.clone()),
            ("on_exit", hooks.on_exit.clone()),
            ("on_crash", hooks.on_crash.clone()),
            ("on_errored", hooks.on_errored.clone()),
            ("on_reload", hooks.on_reload.clone()),
        ];
        let rules = app.rules.iter().map(|rule| ("watch", rule.run.clone()));
        let lines = lines.into_iter().chain(rules).filter_map(|(key, line)| Some((key, config::command_line(&line?, &app.launch))));
        let all = app.build.clone().map(|build| ("build", build)).into_iter().chain(lines);
        let is_made = |name: &str| name.contains('/') && app.build.is_some();
        let missing = all.filter(|(_, launch)| find(launch).is_none()).filter_map(|(key, launch)| {
            let program = launch.argv.first()?.to_string_lossy().into_owned();
            Some(Lost { app: app.name.clone(), key, program })
        });
        missing.filter(|lost| lost.key == "build" || !is_made(&lost.program)).collect::<Vec<_>>()
    };
    subject.apps.iter().flat_map(of_app).collect()
}

/// What is to be said of such commands.
pub fn of_lost(lost: &[Lost]) -> Vec<Finding> {
    let finding = |Lost { app, key, program }: &Lost| {
        let finding = Finding::problem("commands", format!("{app} has {program} run by its key {key}, and {program} was not found"));
        finding.advice(format!("install {program}, or name another program there"))
    };
    lost.iter().map(finding).collect()
}

/// Where the program of a launch is, as execvp(3) would find it.
fn find(launch: &Launch) -> Option<PathBuf> {
    let name = Path::new(launch.argv.first()?);
    if name.to_string_lossy().contains('/') {
        return Some(launch.cwd.join(name)).filter(|path| config::executable(path));
    }
    let path = launch.variable("PATH").unwrap_or(OsStr::new(DEFAULT_PATH));
    std::env::split_paths(path).map(|folder| launch.cwd.join(folder).join(name)).find(|path| config::executable(path))
}

/// The first line that it says, asked as whoever will run it.
fn version(path: &Path, launch: &Launch, host: &Host) -> Option<String> {
    let hardening = Hardening { identity: launch.hardening.identity.clone(), ..Hardening::default() };
    let asked = Launch { argv: vec![path.into(), "--version".into()], hardening, ..launch.clone() };
    let output = (host.run)(&asked, PATIENCE).ok()?;
    let line = output.said.lines().next()?.trim().to_owned();
    matches!(output.end, End::Exited(exit) if exit.success()).then_some(line).filter(|line| !line.is_empty())
}

/// Looks who has the ports. `alive`: the runners there are.
pub fn ports(subject: &Subject, alive: &[&Hello]) -> Vec<Port> {
    let wanted = subject.apps.iter().flat_map(|app| {
        let bound = app.listen.iter().filter_map(|listen| match listen {
            Listen::Tcp(address) => Some(address.port()),
            Listen::Unix(_) => None,
        });
        bound.chain(app.port).map(|port| (app.name.clone(), port, app.shares_ports()))
    });
    let holder = |holder: ports::Holder| {
        let runner = holder.pid.and_then(|pid| alive.iter().find(|hello| ports::descends(pid, hello.pid)));
        Holder {
            pid: holder.pid,
            command: without_secrets(&holder.command),
            runner: runner.map(|hello| (super::runners::named(hello), subject.is_run_by(hello))),
        }
    };
    wanted.map(|(app, port, shares)| Port { holders: ports::holders(port).into_iter().map(holder).collect(), app, port, shares }).collect()
}

/// The first port that needs no right.
pub fn first_free_port() -> u16 {
    let file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(FIRST_FREE)
}

/// What is to be said of programs.
pub fn of_programs(programs: &[Program]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut there: Vec<(String, Vec<String>)> = Vec::new();
    for Program { app, name, path, version, hint } in programs {
        let Some(path) = path else {
            let text = format!("{app} is run by {name}, which was not found");
            let finding = Finding::problem("programs", text);
            found.push(finding.advice(hint.clone().unwrap_or_else(|| format!("install {name}, or name another program"))));
            continue;
        };
        let said = match version {
            Some(version) if version.to_lowercase().contains(&file_name(path)) => version.clone(),
            Some(version) => format!("{} {version}", file_name(path)),
            None => file_name(path),
        };
        let text = format!("{said} ({})", path.display());
        match there.iter_mut().find(|(known, _)| *known == text) {
            Some((_, apps)) => apps.push(app.clone()),
            None => there.push((text, vec![app.clone()])),
        }
    }
    found.extend(there.into_iter().map(|(text, apps)| Finding::ok("programs", format!("{}: {text}", several(&apps)))));
    found
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is to be said of ports. `first_free`: below it they are root's; `root`: whether that is us.
pub fn of_ports(ports: &[Port], first_free: u16, root: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut free: Vec<String> = Vec::new();
    for (at, Port { app, port, shares, holders }) in ports.iter().enumerate() {
        if let Some(other) = ports[..at].iter().find(|other| other.port == *port && other.app != *app && !(*shares && other.shares)) {
            let text = format!("{} and {app} both want port {port}, and only one of them can have it", other.app);
            found.push(Finding::problem("ports", text).advice("give one of them another port in the project file"));
        }
        if *port < first_free && !root {
            let text = format!("{app} wants port {port}, and below {first_free} they are root's");
            let finding = Finding::problem("ports", text).advice("give it a higher one, or let everybody have them from this one on");
            found.push(finding.command(format!("sudo sysctl net.ipv4.ip_unprivileged_port_start={port}")));
        }
        match holders.first() {
            None => free.push(format!("{port} for {app}")),
            Some(holder) => found.push(held(app, *port, holder)),
        }
    }
    if !free.is_empty() {
        found.push(Finding::ok("ports", format!("ports: {} {} free", free.join(", "), if free.len() == 1 { "is" } else { "are" })));
    }
    found
}

fn held(app: &str, port: u16, holder: &Holder) -> Finding {
    let Holder { pid, command, runner } = holder;
    let Some(pid) = pid else {
        let finding = Finding::problem("ports", format!("{app} wants port {port}, which a process of another user holds"));
        return finding
            .advice("see who it is, and stop it, or give the app another port")
            .command(format!("sudo ss -tlnp sport = :{port}"));
    };
    match runner {
        Some((runner, true)) => Finding::ok("ports", format!("ports: {app} runs already and holds {port} (pid {pid}, runner {runner})")),
        Some((runner, false)) => {
            let text = format!("{app} wants port {port}, which pid {pid} ({command}) holds, an app of the runner {runner}");
            Finding::problem("ports", text).advice("stop that app there, or give one of the two another port")
        }
        None => Finding::problem("ports", format!("{app} wants port {port}, which pid {pid} ({command}) holds"))
            .advice(format!("stop it, or give {app} another port"))
            .command(format!("kill {pid}")),
    }
}
