//! The process tree as `/proc` shows it, proc_pid_stat(5) and proc_tid_children(5).

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::DirEntryExt as _,
    path::Path,
};

use crate::model::Signal;

/// A process that cannot be mistaken for a later one of the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Its pid.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

/// What `/proc/PID/stat` says that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Pid and start time.
    pub id: Identity,
    /// The pid of its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Whether any of its threads still runs: false for a zombie that waits to be reaped.
    pub alive: bool,
    /// Whether it is stopped by a signal, as by Ctrl-Z.
    pub stopped: bool,
    /// Whether its main thread runs, or would if it had a processor or an answer of a disk.
    pub busy: bool,
    /// How many threads it has.
    pub threads: i32,
    /// Its processor time, and that of its children that were waited for, in clock ticks.
    pub cpu_ticks: u64,
    /// Its resident memory in pages.
    pub resident_pages: u64,
}

/// Whether a process is stopped by a signal, as by Ctrl-Z.
pub fn is_stopped(pid: i32) -> bool {
    Stat::read(pid).is_some_and(|stat| stat.stopped)
}

/// A mask of signals of a process, `self` or a pid, as proc_pid_status(5) has it: `SigIgn`, `SigCgt`. None of them where it cannot be read.
pub fn signals(process: &str, mask: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(mask)?.strip_prefix(':'));
    line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok()).unwrap_or(0)
}

/// Whether a process has a handler for a signal.
pub fn handles(pid: i32, signal: Signal) -> bool {
    signals(&pid.to_string(), "SigCgt") & 1 << (signal.0 - 1) != 0
}

impl Stat {
    /// Reads a process; `None` if it is gone.
    pub fn read(pid: i32) -> Option<Self> {
        let mut buffer = [0; STAT];
        Self::parse(pid, at_once(Path::new(&stat_of(pid)), &mut buffer)?)
    }

    /// The text of a `stat`. The name in parentheses may hold anything, parentheses and bytes that are no UTF-8 included: the fields begin after the last one.
    pub(super) fn parse(pid: i32, text: &[u8]) -> Option<Self> {
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let rest = str::from_utf8(text.get(end + 2..)?).ok()?;
        let mut fields = [""; 24 - 2];
        rest.split_ascii_whitespace().zip(&mut fields).for_each(|(field, place)| *place = field);
        // proc_pid_stat(5) counts from 1 and the state is its field 3.
        let number = |field: usize| fields[field - 3].parse::<i32>().ok();
        let count = |field: usize| fields[field - 3].parse::<u64>().ok();
        let threads = number(20)?;
        // A process whose main thread has left shows as a zombie while its other threads live on.
        let alive = !matches!(fields[0], "Z" | "X" | "x") || threads > 1;
        Some(Self {
            id: Identity { pid, started: count(22)? },
            parent: number(4)?,
            group: number(5)?,
            session: number(6)?,
            alive,
            stopped: fields[0] == "T",
            busy: matches!(fields[0], "R" | "D"),
            threads,
            cpu_ticks: count(14)? + count(15)? + count(16)? + count(17)?,
            // The kernel's counters may be below zero for a moment.
            resident_pages: count(24).unwrap_or(0),
        })
    }
}

/// What one read gives of a small file of `/proc`, which is all of it: half the system calls of reading to the end.
fn at_once<'a>(file: &Path, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let length = File::open(file).ok()?.read(buffer).ok()?;
    Some(&buffer[..length])
}

/// Where a process tells how it is.
pub(super) fn stat_of(pid: i32) -> String {
    format!("/proc/{pid}/stat")
}

/// Where the children are listed that its main thread has started.
pub(super) fn children_of_main(pid: i32) -> String {
    format!("/proc/{pid}/task/{pid}/children")
}

/// The present time as [`Identity::started`] counts it.
pub fn ticks_since_boot() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime writes to the struct it is given; sysconf takes any number.
    let per_second = unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time);
        libc::sysconf(libc::_SC_CLK_TCK)
    };
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    let per_second = number(per_second).clamp(1, 1_000_000_000);
    number(time.tv_sec) * per_second + number(time.tv_nsec) / (1_000_000_000 / per_second)
}

/// Our own pid.
pub fn own_pid() -> i32 {
    i32::try_from(std::process::id()).expect("a pid fits an i32")
}

/// Every process that is shown to us, with the inode of its folder in `/proc`.
pub fn every_process() -> impl Iterator<Item = (i32, u64)> {
    let process = |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, entry.ino()));
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(process)
}

/// Every process that is shown to us.
pub fn every_pid() -> impl Iterator<Item = i32> {
    every_process().map(|(pid, _)| pid)
}

/// The children of a process, zombies included, in the order they came. Empty if it is gone.
///
/// The kernel keeps a list for each thread, and it is complete only while no listed child goes away: so for us, who alone reap ours,
/// and for a stopped process.
pub fn children(pid: i32) -> Vec<i32> {
    let mut all = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return all };
    for thread in threads.flatten() {
        all.extend(children_of_thread(thread.path().join("children")));
    }
    all
}

/// Those of its main thread alone: it has started all that such a process has started, and the kernel gives it the orphans while it lives.
pub fn main_children(pid: i32) -> Vec<i32> {
    children_of_thread(children_of_main(pid))
}

fn children_of_thread(file: impl AsRef<Path>) -> Vec<i32> {
    let mut buffer = [0; PAGE];
    pids(at_once(file.as_ref(), &mut buffer), file)
}

/// The numbers in what one read gave of a list of children.
pub(super) fn pids(text: Option<&[u8]>, file: impl AsRef<Path>) -> Vec<i32> {
    let numbers = |text: &str| text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    match text {
        None => Vec::new(),
        // The kernel fills a page with whole numbers; what leaves room for another was all there is.
        Some(text) if text.len() < PAGE - 16 => numbers(str::from_utf8(text).unwrap_or_default()),
        Some(_) => numbers(&fs::read_to_string(file).unwrap_or_default()),
    }
}

/// What the kernel writes at most in one go, seq_file.
pub(super) const PAGE: usize = 4096;

/// What is read of a `stat` at most, which is longer than any.
pub(super) const STAT: usize = 1024;

/// Whether this kernel lists children (`CONFIG_PROC_CHILDREN`).
pub fn probe() -> io::Result<()> {
    let pid = own_pid();
    fs::read(children_of_main(pid)).map(drop)
}

/// Every live process at or below the given roots, parents before their children. `visit` sees a process before its children are
/// read: one that is stopped there has all its children listed, since fork(2) fails with a signal pending.
pub fn walk(roots: impl IntoIterator<Item = i32>, visit: impl FnMut(&Stat)) -> Vec<Stat> {
    follow(roots, Stat::read, visit, |stat| children(stat.id.pid))
}

/// The same, with the ways to look at a process and to list its children.
pub(super) fn follow(
    roots: impl IntoIterator<Item = i32>,
    read: impl Fn(i32) -> Option<Stat>,
    mut visit: impl FnMut(&Stat),
    children: impl Fn(&Stat) -> Vec<i32>,
) -> Vec<Stat> {
    let mut found: Vec<Stat> = Vec::new();
    let mut known = HashSet::new();
    let mut next: Vec<(i32, Option<i32>)> = roots.into_iter().map(|pid| (pid, None)).collect();
    let own = own_pid();
    while !next.is_empty() {
        for (pid, parent) in std::mem::take(&mut next) {
            let Some(stat) = read(pid) else { continue };
            // A child whose parent died meanwhile is ours now; any other parent means that the pid was used again.
            let expected = parent.is_none_or(|parent| stat.parent == parent || stat.parent == own);
            if !expected || !known.insert(stat.id) {
                continue;
            }
            if stat.alive {
                visit(&stat);
                found.push(stat);
            }
            next.extend(children(&stat).into_iter().map(|child| (child, Some(pid))));
        }
    }
    found
}

/// The command line of a process, or its name in brackets where it has none, as ps(1) shows it.
pub fn command(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy).collect();
    if words.is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim_end());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_and_spaces() {
        let text = b"7 (a) S 1 (b\xff) R 1 2 3 0 -1 0 0 0 0 0 40 3 2 1 20 0 1 0 4711 0 99 0";
        let stat = Stat::parse(7, text).expect("it is well formed");
        let id = Identity { pid: 7, started: 4711 };
        let expected = Stat {
            id,
            parent: 1,
            group: 2,
            session: 3,
            alive: true,
            stopped: false,
            busy: true,
            threads: 1,
            cpu_ticks: 46,
            resident_pages: 99,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn a_zombie_is_dead_unless_other_threads_live() {
        let text = |threads: u8| format!("7 (a) Z 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 4711 0 0").into_bytes();
        assert!(!Stat::parse(7, &text(1)).expect("well formed").alive);
        let leader_left = Stat::parse(7, &text(2)).expect("well formed");
        assert!(leader_left.alive && !leader_left.busy);
    }

    #[test]
    fn a_list_of_children_is_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for count in [0, 1, 500, 585, 586, 5000] {
            let file = folder.path().join("children");
            let all: Vec<i32> = (1_000_000..1_000_000 + count).collect();
            fs::write(&file, all.iter().map(|pid| format!("{pid} ")).collect::<String>()).expect("it can be written");
            assert_eq!(children_of_thread(&file), all);
        }
        assert_eq!(children_of_thread(folder.path().join("none")), [0; 0]);
    }

    #[test]
    fn reads_ourselves() {
        let stat = Stat::read(own_pid()).expect("we are there");
        assert!(stat.alive && stat.id.started > 0);
        assert!(ticks_since_boot().checked_sub(stat.id.started).is_some_and(|age| age < 360_000), "we are younger than an hour");
        assert_eq!(u32::try_from(stat.parent), Ok(std::os::unix::process::parent_id()));
        assert!(!command(own_pid()).is_empty());
    }
}
