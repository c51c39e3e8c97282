//! What `/proc` tells about the processes of a runner, proc(5).

use std::{collections::HashMap, fs, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use crate::clock;

/// How long processes have to end when they are asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether a process has a variable with this value; children keep it.
pub fn has_variable(pid: i32, name: &str, value: &str) -> bool {
    let wanted = format!("{name}={value}");
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()))
}

/// Whether a process is one of ours in the role of an app.
pub fn is_app(pid: i32) -> bool {
    let own = fs::read_link("/proc/self/exe").ok();
    own.is_some() && fs::read_link(format!("/proc/{pid}/exe")).ok() == own
}

/// Asks processes to end, waits, and kills what is left. `find` is asked again, since they may start others meanwhile.
pub fn end(mut find: impl FnMut() -> Vec<i32>) {
    let began = clock::now();
    find().into_iter().for_each(|pid| send(pid, Signal::TERM));
    while !find().is_empty() && clock::since(began) < PATIENCE * 2 {
        if clock::since(began) > PATIENCE {
            find().into_iter().for_each(|pid| send(pid, Signal::KILL));
        }
        clock::rest(Duration::from_millis(10));
    }
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Gone already is as good.
        let _ = kill_process(pid, signal);
    }
}

/// Inotify watches, the `inotify wd:` lines of the descriptors.
pub fn watches(pids: &[i32]) -> usize {
    let mut count = 0;
    for pid in pids {
        let Ok(folder) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for fd in folder.flatten().filter(|fd| fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == "anon_inode:inotify")) {
            let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", fd.file_name().display())).unwrap_or_default();
            count += text.lines().filter(|line| line.starts_with("inotify ")).count();
        }
    }
    count
}

/// Memory in kilobytes, `smaps_rollup`.
pub struct Memory {
    /// What the largest process has resident.
    pub largest: u64,
    /// What all have resident, where pages that they share count once for each.
    pub resident: u64,
    /// The same, where shared pages count in proportion.
    pub proportional: u64,
}

/// The memory of these processes.
pub fn memory(pids: &[i32]) -> Memory {
    let texts: Vec<String> = pids.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()).collect();
    let each = |field: &'static str| texts.iter().filter_map(move |text| number(text, field));
    Memory { largest: each("Rss:").max().unwrap_or(0), resident: each("Rss:").sum(), proportional: each("Pss:").sum() }
}

/// Context switches so far, by thread.
pub fn switches(pids: &[i32]) -> HashMap<i32, u64> {
    let threads = pids.iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok()).flatten().flatten();
    let of = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let kinds = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        Some((thread.file_name().to_str()?.parse().ok()?, kinds.iter().filter_map(|kind| number(&status, kind)).sum()))
    };
    threads.filter_map(of).collect()
}

/// Processor time so far, in ticks of 10 ms: fields 14 and 15 of `stat`.
pub fn ticks(pids: &[i32]) -> u64 {
    let of = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
        Some(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>())
    };
    pids.iter().filter_map(of).sum()
}

/// Every process of the machine.
pub fn all() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn number(text: &str, field: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}
