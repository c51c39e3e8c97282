//! Whether the kernel killed for want of memory: a SIGKILL of the OOM killer looks like any other, but the kernel counts what it kills.
//!
//! Counted for our control group, memory.events(.local) of version 2 and memory.oom_control of version 1 (cgroups(7)); where it has none,
//! for the whole system, /proc/vmstat. The kernel counts before it kills, so whoever reaps the victim finds it counted. Where we may read
//! its log, that names the victim.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// A victim is reaped sooner after its kill than this; looks that follow each other faster forget nothing.
const REAPED: Duration = Duration::from_secs(2);

/// How often it is looked when nothing else is done: what was killed a few minutes ago, whoever it was, is no reason for a death of now.
const IDLE: Duration = Duration::from_secs(60);

/// A record of the kernel's log that is older is about an earlier process of the same pid.
const RECENT: Duration = Duration::from_secs(60);

/// The namespace of pids that the kernel's log means, PROC_PID_INIT_INO.
const FIRST_PIDS: u64 = 0xEFFF_FFFC;

/// Remembers how many the kernel had killed.
#[derive(Debug)]
pub struct Witness {
    counter: Option<Counter>,
    /// Kills that are accounted for.
    seen: u64,
    /// What was counted when last looked without a reason.
    looked: u64,
    /// When that was.
    at: Option<Instant>,
}

/// The least memory that our control group, or one around it, may use, in bytes; `None`: as much as there is. memory.max of version 2,
/// memory.limit_in_bytes of version 1.
pub fn memory_limit() -> Option<u64> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let groups = groups(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let limits = groups.iter().flat_map(|group| {
        let around = group.ancestors().take_while(|folder| folder.starts_with("/sys/fs/cgroup"));
        around.flat_map(|folder| ["memory.max", "memory.limit_in_bytes"].map(|name| folder.join(name)))
    });
    limits.filter_map(|file| bytes(&fs::read_to_string(file).ok()?)).min()
}

/// A limit as written; without one, version 2 says `max` and version 1 the highest number of pages there can be.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 62)
}

/// The folders of the groups that count our memory, the nearest first.
fn groups(cgroup: &str, mounts: &str) -> Vec<PathBuf> {
    let files = candidates(cgroup, mounts).into_iter().filter(|file| file.starts_with("/sys"));
    let mut folders: Vec<PathBuf> = files.filter_map(|file| Some(file.parent()?.to_owned())).collect();
    folders.dedup();
    folders
}

/// A file with a line `NAME NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counter {
    file: PathBuf,
}

impl Witness {
    /// From now on.
    pub fn new() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let candidates = candidates(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        let counter = candidates.into_iter().map(|file| Counter { file }).find(|counter| counter.read().is_some());
        let seen = counter.as_ref().and_then(Counter::read).unwrap_or(0);
        Self { counter, seen, looked: seen, at: None }
    }

    /// Whether the kernel killed this process: it killed something that no death is explained by yet, and as far as its log can be read,
    /// that was this one. Each kill explains one.
    pub fn explains(&mut self, pid: i32) -> bool {
        self.explains_unless(|| is_logged(pid) == Some(false))
    }

    fn explains_unless(&mut self, was_another: impl FnOnce() -> bool) -> bool {
        let explains = self.now() > self.seen && !was_another();
        if explains {
            self.seen += 1;
        }
        explains
    }

    /// Forgets kills that were counted before the last such look: their victims were others than our main processes. To be called whenever
    /// something else is done anyway, as often as that is; a victim needs a moment from the kill until it can be reaped.
    pub fn look(&mut self, now: Instant) {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) < REAPED) {
            return;
        }
        self.seen = self.seen.max(self.looked);
        self.looked = self.now();
        self.at = Some(now);
    }

    /// When it is to be looked in any case.
    pub fn due(&self) -> Option<Instant> {
        self.at.filter(|_| self.counter.is_some()).map(|at| at + IDLE)
    }

    fn now(&self) -> u64 {
        self.counter.as_ref().and_then(Counter::read).unwrap_or(self.seen)
    }
}

impl Counter {
    fn read(&self) -> Option<u64> {
        parse(&fs::read_to_string(&self.file).ok()?)
    }
}

/// Whether the kernel's log says that it killed this process for want of memory; `None`: we may not read it, or it means other pids.
fn is_logged(pid: i32) -> Option<bool> {
    if fs::metadata("/proc/self/ns/pid").ok()?.ino() != FIRST_PIDS {
        return None;
    }
    let mut log = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").ok()?;
    // The log's own clock is set by nobody either.
    let now = clock_gettime(ClockId::MonotonicRaw);
    let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
    let mut record = [0; 8 << 10];
    loop {
        match log.read(&mut record) {
            Ok(0) => return Some(false),
            Ok(length) if victim(&record[..length], now) == Some(pid) => return Some(true),
            // Records that were overwritten before they were read.
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(false),
            Err(_) => return None,
        }
    }
}

/// Who was killed lately by a record of `/dev/kmsg`, `PRIORITY,NUMBER,MICROSECONDS,…;… Killed process PID (NAME) …`. `now`: since boot.
fn victim(record: &[u8], now: Duration) -> Option<i32> {
    let text = str::from_utf8(record).ok()?;
    let (head, message) = text.split_once(';')?;
    let at = Duration::from_micros(head.split(',').nth(2)?.parse().ok()?);
    let (cause, killed) = message.split_once("Killed process ")?;
    let is_it = cause.to_ascii_lowercase().contains("out of memory") && now.saturating_sub(at) < RECENT;
    killed.split(' ').next()?.trim_end_matches(',').parse().ok().filter(|_| is_it)
}

fn parse(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The files that may count our group's kills, the nearest first: by `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn candidates(cgroup: &str, mounts: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in cgroup.lines() {
        // HIERARCHY:CONTROLLERS:PATH
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (kind, files): (_, &[&str]) = match controllers {
            "" => ("cgroup2", &["memory.events.local", "memory.events"]),
            list if list.split(',').any(|controller| controller == "memory") => ("cgroup", &["memory.oom_control"]),
            _ => continue,
        };
        let folder = mounts.lines().find_map(|mount| folder(mount, kind, path));
        found.extend(folder.iter().flat_map(|folder| files.iter().map(|file| folder.join(file))));
    }
    found.push("/proc/vmstat".into());
    found
}

/// Where a group is below a line of mountinfo, `ID PARENT DEVICE ROOT POINT OPTIONS … - TYPE SOURCE SUPER-OPTIONS`: `None` if that is
/// something else.
fn folder(mount: &str, kind: &str, group: &str) -> Option<PathBuf> {
    let (own, system) = mount.split_once(" - ")?;
    let mut own = own.split(' ').skip(3);
    let (root, point) = (own.next()?, own.next()?);
    let mut system = system.split(' ');
    if system.next()? != kind || kind == "cgroup" && !system.nth(1)?.split(',').any(|option| option == "memory") {
        return None;
    }
    // In a container the group's own folder may be all that is mounted.
    let below = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
    Some(Path::new(point).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "time has to count from some instant")]
    fn epoch() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_limit_is_a_number_and_no_limit_is_none() {
        assert_eq!(bytes("1073741824\n"), Some(1 << 30));
        assert_eq!(bytes("max\n"), None);
        assert_eq!(bytes("9223372036854771712\n"), None);
        let v2 = "25 30 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(groups("0::/system.slice/api.service\n", v2), [Path::new("/sys/fs/cgroup/system.slice/api.service")]);
        assert!(groups("", v2).is_empty());
    }

    #[test]
    fn the_groups_own_count_is_looked_for_first() {
        let shown = |cgroup: &str, mounts: &str| {
            candidates(cgroup, mounts).iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        let v2 = "25 30 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(
            shown("0::/system.slice/api.service\n", v2),
            "/sys/fs/cgroup/system.slice/api.service/memory.events.local /sys/fs/cgroup/system.slice/api.service/memory.events /proc/vmstat"
        );
        let container = "25 30 0:22 /docker/4711 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert!(shown("0::/docker/4711\n", container).starts_with("/sys/fs/cgroup/memory.events.local "));
        assert!(shown("0::/\n", container).starts_with("/sys/fs/cgroup/memory.events.local "), "with a namespace of its own");
        let v1 =
            "34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(shown("5:cpu:/x\n4:memory:/a/b\n", v1), "/sys/fs/cgroup/memory/a/b/memory.oom_control /proc/vmstat");
        assert_eq!(shown("", ""), "/proc/vmstat");
    }

    #[test]
    fn a_kill_is_read_from_each_kind_of_file() {
        assert_eq!(parse("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"), Some(1));
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), Some(4));
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\n"), None, "before Linux 4.13");
    }

    #[test]
    fn the_kernels_log_names_its_victims() {
        let now = Duration::from_secs(1000);
        let of = |record: &str| victim(record.as_bytes(), now);
        let group =
            "3,4711,990000000,-;Memory cgroup out of memory: Killed process 23325 (a (b) c) total-vm:222460kB, UID:0\n SUBSYSTEM=x\n";
        assert_eq!(of(group), Some(23325));
        assert_eq!(of("3,1,999999999,-,caller=T1;Out of memory: Killed process 7, UID 0, (sh) total-vm:1kB\n"), Some(7));
        assert_eq!(of("3,1,1000000001,-;Out of memory: Killed process 7 (sh)\n"), Some(7), "clocks differ a little");
        assert_eq!(of("3,1,900000000,-;Out of memory: Killed process 7 (sh)\n"), None, "long ago");
        assert_eq!(of("3,1,999000000,-;init: Killed process 7 (sh)\n"), None);
        assert_eq!(of("6,1,999000000,-;eth0: link up\n"), None);
        assert_eq!(of("nonsense"), None);
    }

    #[test]
    fn each_kill_explains_one_death_and_an_old_one_none() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("memory.events");
        let count = |number: u32| fs::write(&file, format!("oom_kill {number}\n")).expect("it can be written");
        count(3);
        let mut witness = Witness { counter: Some(Counter { file: file.clone() }), seen: 3, looked: 3, at: None };
        let mut time = epoch();
        assert!(!witness.explains_unless(|| false));
        count(5);
        assert!(!witness.explains_unless(|| true), "it was another one");
        assert!(witness.explains_unless(|| false) && witness.explains_unless(|| false) && !witness.explains_unless(|| false));
        count(6);
        for _ in 0..3 {
            witness.look(time);
            time += REAPED / 4;
        }
        assert!(witness.explains_unless(|| false), "its victim may only just be reaped");
        count(7);
        for _ in 0..3 {
            witness.look(time);
            time += REAPED;
        }
        assert!(!witness.explains_unless(|| false), "its victim was somebody else");
        // A runner of which nothing is wanted looks all the same.
        count(8);
        for _ in 0..2 {
            time = witness.due().expect("it has looked");
            witness.look(time);
        }
        assert!(!witness.explains_unless(|| false), "it is over");
        assert_eq!(witness.due(), Some(time + IDLE));
        fs::remove_file(&file).expect("it is there");
        assert!(!witness.explains_unless(|| false), "nothing is said where nothing can be read");
    }
}
