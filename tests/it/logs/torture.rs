//! As much as apps can print: nothing is missing, nothing twice, and the runner stays small.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::json;

use super::{FILTER, Tail, apps, archives, numbers};
use crate::support::{PATIENCE, Project, clock, programs, words};

/// Lines in a MiB of `misbehave --numbers`.
const LINES: u64 = (1 << 20) / 64;

/// The most memory the runner may have had at any time, in KiB.
const MEMORY: u64 = 64 << 10;

/// How much each app prints: 60 MiB, or `PMDEV_TORTURE_MIB`.
pub fn mib() -> u64 {
    env::var("PMDEV_TORTURE_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// For how long so much may take: a machine that does other work besides prints a MiB a second.
fn patience() -> Duration {
    (PATIENCE * 4).max(Duration::from_secs(mib()))
}

/// The most memory a process has had, in KiB: VmHWM of proc_pid_status(5).
pub fn peak(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Two apps that print as much as they can and end.
fn declare(project: &Project, mib: u64) -> [PathBuf; 2] {
    let app = |name: &str| {
        json!({
            "name": name, "script": programs::misbehave(), "args": ["--numbers", mib.to_string(), "--await-line"], "cwd": project.root,
            "autorestart": false, "log_type": "raw",
            "logs": { "max_size": "5M", "keep": 100_000, "total_size": 0, "compress": true },
        })
    };
    apps(project, json!([app("one"), app("two")]));
    let home = project.root.with_file_name("home");
    ["one", "two"].map(|name| home.join(format!(".pmdev/logs/{name}-out.log")))
}

/// Every number is there once and in order, over all files of a log.
#[track_caller]
fn all_there(log: &Path, mib: u64) {
    let files = archives(log);
    let mut next = 0;
    for (file, bytes) in &files {
        for number in numbers(bytes) {
            assert_eq!(number, next, "in {}", file.display());
            next += 1;
        }
        assert!(bytes.len() <= 5 << 20, "{} holds {} bytes", file.display(), bytes.len());
    }
    let compressed = compressed(&files);
    eprintln!("{}: {next} lines in {} files, {compressed} of them compressed", log.display(), files.len());
    assert_eq!(next, mib * LINES);
    assert!(files.len() as u64 >= mib / 5 && compressed + 1 == files.len());
}

fn compressed(files: &[(PathBuf, Vec<u8>)]) -> usize {
    files.iter().filter(|(file, _)| file.extension().is_some_and(|ending| ending == "gz")).count()
}

/// Whether the app's last word is in its file.
fn is_done(log: &PathBuf) -> bool {
    fs::read(log).is_ok_and(|bytes| String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(100)..]).contains("ready "))
}

/// Waits until everything is written, and everything that was put away compressed.
#[track_caller]
fn compresses(logs: &[PathBuf]) {
    assert!(clock::comes_true(patience(), || logs.iter().all(is_done)), "not everything comes to the files");
    let plain = |log: &PathBuf| {
        let names = fs::read_dir(log.parent().expect("it has a folder"))
            .expect("it was made")
            .map(|entry| entry.expect("it can be read").file_name());
        let own = log.file_name().expect("it has a name").to_string_lossy().into_owned();
        names.filter_map(|name| name.into_string().ok()).any(|name| name.starts_with(&format!("{own}.")) && !name.ends_with(".gz"))
    };
    assert!(clock::comes_true(patience(), || !logs.iter().any(plain)), "what was put away stays as it is");
}

#[test]
fn two_apps_print_as_fast_as_they_can_and_every_line_is_there_once_and_in_order() {
    let project = Project::empty();
    let mib = mib();
    let logs = declare(&project, mib);
    let tails = logs.clone().map(Tail::new);
    let mut runner = project.pmdev(["start", "--prod"]).wrapped(&["bash", "-c", FILTER, "bash"]).spawn();
    let patience = patience();
    runner.wait_within(patience, &words::prefixed("one", "ready "));
    runner.wait_within(patience, &words::prefixed("two", "ready "));
    compresses(&logs);
    let peak = peak(runner.runner_pid());
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    let seen = tails.map(Tail::seen);
    eprintln!("2 x {mib} MiB: at most {peak} KiB of memory; the readers saw {seen:?} lines");
    logs.iter().for_each(|log| all_there(log, mib));
    assert!(peak < MEMORY, "the runner had {peak} KiB");
    assert!(seen.iter().all(|seen| *seen > 0));
}

#[test]
fn a_terminal_that_takes_nothing_costs_the_file_no_line_and_the_runner_no_memory() {
    let project = Project::empty();
    let mib = mib();
    let logs = declare(&project, mib);
    let runner = project.pmdev(["start", "--prod", "--only", "one"]).unread().spawn();
    assert!(clock::comes_true(patience(), || is_done(&logs[0])), "it is held back by the terminal");
    compresses(&logs[..1]);
    let peak = peak(runner.runner_pid());
    assert!(peak < MEMORY && peak > 0, "the runner had {peak} KiB");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    all_there(&logs[0], mib);
}
