//! What the machine has: watches, open files, memory, disks, a clock.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access, statvfs},
    io::Errno,
    process::{Resource, getrlimit},
};

use super::{Subject, open_files};
use crate::{
    config::{self, Host},
    model::{AppSpec, UNLIMITED, WatchSpec, listed},
    process,
    ui::{findings::Finding, monitor::size},
    watch::{
        limits::{Limit, thousands},
        survey::{Survey, Taken},
    },
};

/// A disk with less is as good as full.
const LITTLE_DISK: u64 = 256 << 20;
/// No clock that was ever set says less: 2024-01-01.
const EARLIEST: i64 = 1_704_067_200;

/// Something of which there is only so much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// How much; `None`: that cannot be read.
    pub limit: Option<u64>,
    /// How much is taken.
    pub taken: u64,
    /// What to set, for sysctl(8).
    pub proposal: String,
}

/// A folder that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder; where it is not there yet, it will be made.
    pub folder: PathBuf,
    /// What is written there.
    pub what: String,
    /// Whether we may.
    pub writable: bool,
    /// Whether its file system is mounted so that nobody may.
    pub read_only: bool,
    /// What its disk has left, in bytes.
    pub free: Option<u64>,
}

/// What the apps ask of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Watches, and not yet taken by a runner.
    pub watches: usize,
    /// Instances, all together.
    pub instances: u64,
    /// Limits of open files, by app.
    pub files: Vec<(String, u64)>,
    /// Apps of a server that have the usual limit of open files.
    pub usual_files: Vec<String>,
    /// Limits of memory, by app, all its instances together.
    pub memory: Vec<(String, u64)>,
    /// Apps that the clock restarts.
    pub clocked: Vec<String>,
}

/// All that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Whether we are root.
    pub root: bool,
    /// The user's name, for chown(1).
    pub user: String,
    /// Watches of inotify.
    pub watches: Budget,
    /// Instances of inotify.
    pub instances: Budget,
    /// File systems that do not tell all changes, and their kinds.
    pub silent: Vec<(PathBuf, String)>,
    /// Open files of a process, soft and hard; `None`: no limit.
    pub files: (Option<u64>, Option<u64>),
    /// How many files a process may have open whatever its rights are.
    pub most_files: u64,
    /// Whether we may raise hard limits, capabilities(7).
    pub raises: bool,
    /// All memory, in bytes.
    pub memory: u64,
    /// What of it is left.
    pub available: u64,
    /// What the control group may use.
    pub group: Option<u64>,
    /// Where the runner writes.
    pub places: Vec<Place>,
    /// Seconds since 1970 by the clock.
    pub now: i64,
    /// The time zone; `None`: nobody has said.
    pub zone: Option<String>,
    /// What the apps ask for.
    pub wanted: Wanted,
}

impl Machine {
    /// Looks at it.
    pub fn look(subject: &Subject, host: &Host) -> Self {
        let taken = Taken::by(host.owner.user);
        let budget = |limit: Limit, taken| Budget { limit: limit.value(), taken, proposal: limit.proposal() };
        // What several apps watch is watched once.
        let mut specs: Vec<&WatchSpec> = Vec::new();
        for spec in subject.apps.iter().filter_map(|app| app.watch.as_ref()) {
            if !specs.contains(&spec) {
                specs.push(spec);
            }
        }
        // A bad pattern is told with the project file.
        let surveys: Vec<Survey> = specs.into_iter().filter_map(|spec| Survey::of(spec).ok()).collect();
        let mut silent: Vec<_> = surveys.iter().flat_map(|survey| survey.silent.clone()).collect();
        silent.sort();
        silent.dedup();
        let watches = if subject.runs { 0 } else { surveys.iter().map(|survey| survey.watches).sum() };
        let limit = getrlimit(Resource::Nofile);
        let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let zone = jiff::tz::TimeZone::try_system().ok().map(|zone| zone.iana_name().unwrap_or("/etc/localtime").to_owned());
        Self {
            root: host.owner.user == 0,
            user: config::user_name(host.owner.user),
            watches: budget(Limit::watches(), taken.watches),
            instances: budget(Limit::instances(), taken.instances),
            silent,
            files: (limit.current, limit.maximum),
            most_files: open_files::most(),
            raises: open_files::raises(),
            memory: kibibytes(&info, "MemTotal:"),
            available: kibibytes(&info, "MemAvailable:"),
            group: process::memory_limit(),
            places: places(&subject.apps, host),
            now: jiff::Timestamp::now().as_second(),
            zone,
            wanted: Wanted::of(&subject.apps, watches, subject.prod),
        }
    }

    /// What is to be said of it.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = self.inotify();
        found.extend(self.silent.iter().map(|(mount, kind)| silent_mount(mount, kind)));
        found.extend(self.open_files());
        found.extend(self.memory());
        found.extend(self.disks());
        found.extend(self.clock());
        found
    }

    /// A command that only root may run.
    pub(super) fn rooted(&self, command: &str) -> String {
        if self.root { command.to_owned() } else { format!("sudo {command}") }
    }

    fn inotify(&self) -> Vec<Finding> {
        let (Some(watches), Some(instances)) = (self.watches.limit, self.instances.limit) else { return Vec::new() };
        let raise = |finding: Finding, budget: &Budget| {
            let keep = format!("sh -c 'echo {} >> /etc/sysctl.d/60-pmdev.conf'", budget.proposal);
            let finding = finding.advice("raise the limit, now and, by the second command, from the next boot on");
            finding.command(self.rooted(&format!("sysctl {}", budget.proposal))).command(self.rooted(&keep))
        };
        let mut found = Vec::new();
        let (taken, needed) = (self.watches.taken, self.wanted.watches as u64);
        let of_watches = format!("{} of the {} watches that inotify has for this user are taken", count(taken), count(watches));
        if taken.saturating_add(needed) > watches {
            let text = format!(
                "{of_watches}, and this project needs {} more; folders without one are looked at from time to time, which is slower",
                count(needed)
            );
            found.push(raise(Finding::warning("inotify", text), &self.watches));
        } else if nearly(taken, watches) {
            found.push(raise(Finding::warning("inotify", of_watches), &self.watches));
        }
        let of_instances = format!("{} of the {} inotify instances of this user are taken", count(self.instances.taken), count(instances));
        if self.instances.taken >= instances {
            let text = format!("{of_instances}: a runner that starts now looks at all files from time to time, which is slower");
            found.push(raise(Finding::warning("inotify", text), &self.instances));
        } else if nearly(self.instances.taken, instances) {
            found.push(raise(Finding::warning("inotify", of_instances), &self.instances));
        }
        if found.is_empty() {
            let project = match needed {
                0 => String::new(),
                needed => format!("; this project needs {} more", count(needed)),
            };
            let text = format!(
                "inotify: {} of {} watches and {} of {} instances are taken{project}",
                count(taken),
                count(watches),
                count(self.instances.taken),
                count(instances)
            );
            found.push(Finding::ok("inotify", text));
        }
        found
    }

    fn memory(&self) -> Option<Finding> {
        let has = self.group.map_or(self.memory, |group| group.min(self.memory));
        let whose = if has < self.memory { "the control group that pmdev runs in may use" } else { "the machine has" };
        let sum: u64 = self.wanted.memory.iter().map(|(_, bytes)| bytes).sum();
        if self.memory == 0 {
            return None;
        }
        if sum > has {
            let names: Vec<String> = self.wanted.memory.iter().map(|(app, _)| app.clone()).collect();
            let text = format!(
                "The memory limits of {} come to {}, and {whose} {}: the kernel may kill before pmdev restarts",
                several(&names),
                size(sum),
                size(has)
            );
            let finding = Finding::warning("memory", text);
            return Some(finding.advice("lower max_memory_restart or limits.memory in the project file, or run fewer instances"));
        }
        let group = if has < self.memory { format!("; {whose} {}", size(has)) } else { String::new() };
        Some(Finding::ok("memory", format!("memory: {} of {} are available{group}", size(self.available), size(self.memory))))
    }

    fn disks(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for Place { folder, what, writable, read_only, free } in &self.places {
            let shown = folder.display();
            if *read_only {
                let text = format!("{shown} lies on a file system that is mounted read-only, and {what} are to lie there");
                let advice = "name another folder (PMDEV_HOME, or logs: { out: …, error: … }), mount a disk or a volume there, or this one for writing";
                let mount = self.rooted(&format!("mount -o remount,rw \"$(findmnt -n -o TARGET --target {})\"", quoted(nearest(folder))));
                found.push(Finding::problem("folders", text).advice(advice).command(mount));
            } else if !writable {
                let text = format!("{shown} cannot be written by {}, and {what} are to lie there", self.user);
                let folder = quoted(folder);
                let make = self.rooted(&format!("install -d -o {} {folder}", self.user));
                found.push(Finding::problem("folders", text).advice("make it this user's, or name another folder").command(make));
            } else if free.is_some_and(|free| free < LITTLE_DISK) {
                let text = format!("{shown} has {} left on its disk, and {what} lie there", left(*free));
                let finding =
                    Finding::warning("folders", text).advice("make room; pmdev flush empties log files; this shows what takes the most");
                found.push(finding.command(format!("du -xh {} | sort -h | tail", quoted(folder))));
            }
        }
        if let (true, Some(first)) = (found.is_empty(), self.places.first()) {
            found.push(Finding::ok("folders", format!("{}: {} left on its disk", first.folder.display(), left(first.free))));
        }
        found
    }

    fn clock(&self) -> Option<Finding> {
        if self.now < EARLIEST {
            let finding = Finding::problem("clock", "The clock of this machine was never set: logs, crons and certificates go by it");
            return Some(finding.advice("set it by the network").command(self.rooted("timedatectl set-ntp true")));
        }
        if self.wanted.clocked.is_empty() {
            return None;
        }
        let apps = several(&self.wanted.clocked);
        Some(match &self.zone {
            Some(zone) => Finding::ok("clock", format!("clock: crons go by the time of {zone} ({apps})")),
            None => Finding::warning("clock", format!("The time zone of this machine is not known, so crons go by UTC ({apps})"))
                .advice("set it, for example so")
                .command(self.rooted("timedatectl set-timezone Europe/Berlin")),
        })
    }
}

impl Wanted {
    fn of(apps: &[AppSpec], watches: usize, prod: bool) -> Self {
        let mut wanted = Self { watches, ..Self::default() };
        for app in apps {
            let instances = u64::from(app.instances);
            let named = || app.name.clone();
            wanted.instances += instances;
            match app.limits.nofile {
                // Unlimited is as many as there may be.
                Some(UNLIMITED) => {}
                Some(files) => wanted.files.push((named(), files)),
                None if prod => wanted.usual_files.push(named()),
                None => {}
            }
            let limit = app.limits.memory_hard.or(app.limits.memory_soft);
            wanted.memory.extend(limit.map(|bytes| (named(), bytes.saturating_mul(instances))));
            wanted.clocked.extend(app.cron.as_ref().map(|_| named()));
        }
        wanted
    }
}

fn silent_mount(mount: &Path, kind: &str) -> Finding {
    let text = format!(
        "{} is a {kind} file system, which does not tell all changes, so it is looked at from time to time as well",
        mount.display()
    );
    Finding::warning("file-systems", text)
        .advice("keep the project on a disk of this machine; where nobody else changes the files, --no-poll spares the looking")
}

pub fn count(number: u64) -> String {
    thousands(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Whether little is left.
fn nearly(taken: u64, limit: u64) -> bool {
    taken.saturating_mul(10) >= limit.saturating_mul(9)
}

fn left(free: Option<u64>) -> String {
    match free {
        Some(0) => "nothing".to_owned(),
        Some(free) => size(free),
        None => "an unknown amount is".to_owned(),
    }
}

/// `api`, `api and web`, `api, web and 3 others`.
pub fn several(names: &[String]) -> String {
    match names {
        [one, two, rest @ ..] if rest.len() > 1 => format!("{one}, {two} and {} others", rest.len()),
        few => listed(few),
    }
}

/// A path for a shell.
pub fn quoted(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

fn kibibytes(info: &str, name: &str) -> u64 {
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Where the runner writes: its own folder, and those of log files.
fn places(apps: &[AppSpec], host: &Host) -> Vec<Place> {
    let own = config::home(host).map(|home| (home, "the sockets and logs of pmdev".to_owned()));
    let mut wanted: Vec<(PathBuf, String)> = own.into_iter().collect();
    for app in apps {
        for (_, file) in app.logs.paths() {
            let Some(folder) = file.parent().filter(|folder| !folder.starts_with("/dev") && !folder.starts_with("/proc")) else { continue };
            if wanted.iter().all(|(known, _)| !folder.starts_with(known)) {
                wanted.push((folder.to_owned(), format!("log files of {}", app.name)));
            }
        }
    }
    wanted.into_iter().map(|(folder, what)| place(folder, what)).collect()
}

/// What is there of a folder that is still to be made.
fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}

fn place(folder: PathBuf, what: String) -> Place {
    let nearest = nearest(&folder);
    let allowed = access(nearest, Access::WRITE_OK | Access::EXEC_OK);
    let writable = nearest.is_dir() && allowed.is_ok();
    let free = statvfs(nearest).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    Place { writable, read_only: allowed == Err(Errno::ROFS), free, folder, what }
}
