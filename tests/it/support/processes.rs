//! Processes as /proc shows them.

use std::{fmt::Write, fs, os::unix::ffi::OsStrExt, path::Path};

use rustix::process::{Pid, Signal, kill_process};

/// One process, at the moment it was looked at.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Its session.
    pub session: i32,
    /// The state's letter, proc_pid_stat(5).
    pub state: char,
    /// How many threads it has.
    pub threads: usize,
    /// Its command line, or its name in brackets where it has none.
    pub command: String,
}

impl Process {
    /// Reads one; `None`: it is gone.
    pub fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, tail) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = tail.split(' ').collect();
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&arguments).trim_end_matches('\0').replace('\0', " ");
        let name = head.split_once('(').map_or("", |(_, name)| name);
        Some(Self {
            pid,
            parent: fields[1].parse().ok()?,
            session: fields[3].parse().ok()?,
            state: fields[0].chars().next()?,
            threads: fields[17].parse().ok()?,
            command: if command.is_empty() { format!("[{name}]") } else { command },
        })
    }

    /// Whether it can still do something: neither a zombie nor gone.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// All processes there are.
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(Process::read).collect()
}

/// Whether the environment, the working directory or the command line of another process names this folder. An emptied environment
/// leaves the other two.
pub fn names(process: &Process, folder: &Path) -> bool {
    let needle = folder.as_os_str().as_bytes();
    let proc = Path::new("/proc").join(process.pid.to_string());
    let holds = |file: &str| fs::read(proc.join(file)).is_ok_and(|bytes| contains(&bytes, needle));
    let inside = || fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    process.pid != std::process::id().cast_signed() && (holds("environ") || holds("cmdline") || inside())
}

/// The live children of a process.
pub fn children(pid: i32) -> Vec<Process> {
    all().into_iter().filter(|process| process.parent == pid && process.is_alive()).collect()
}

/// Children of a process that wait to be reaped.
pub fn zombies(parent: i32) -> Vec<Process> {
    all().into_iter().filter(|process| process.parent == parent && process.state == 'Z').collect()
}

/// Sends a signal; a process that is gone is nothing special.
pub fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Open descriptors of a process.
pub fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Resident memory of a process in KiB.
pub fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
}

/// Processor time that a process has used, in ticks of 10 ms.
pub fn ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
}

/// inotify watches of a process, proc_pid_fdinfo(5).
pub fn watches(pid: i32) -> usize {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fdinfo")) else { return 0 };
    let texts = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
    texts.map(|text| text.lines().filter(|line| line.starts_with("inotify ")).count()).sum()
}

/// Processes for people, one a line.
pub fn list(processes: &[Process]) -> String {
    processes.iter().fold(String::new(), |mut text, process| {
        let Process { pid, parent, session, state, command, .. } = process;
        writeln!(text, "  {pid} (parent {parent}, session {session}, {state}) {command}").expect("a String takes everything");
        text
    })
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
