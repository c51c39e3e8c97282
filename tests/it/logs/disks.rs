//! Disks that are full, or may not be written: on a small one of our own.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use rustix::process::Signal;
use serde_json::json;

use super::{FILTER, TICKER, Tail, apps, archives, holds, numbers, torture};
use crate::support::{PATIENCE, Project, Runner, clock, programs, words};

/// Mounts a disk of 20 MB at `disk` and goes on; in a user namespace, where that needs no rights.
const MOUNT: &str = "mount -t tmpfs -o size=20m tmpfs disk || exit 1; ";

/// Starts `pmdev start --prod` with a disk of its own, or says why there can be none.
fn start(project: &Project) -> Option<Runner<'_>> {
    fs::create_dir(project.path("disk")).expect("it is ours");
    if !programs::have(&["unshare", "mount"]) {
        return None;
    }
    let may = project.hook(&["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "disk"]).finish();
    if may.code != Some(0) {
        programs::skip(&format!("the kernel lets us mount nothing: {}", may.err));
        return None;
    }
    Some(project.pmdev(["start", "--prod"]).wrapped(&["unshare", "-Urm", "bash", "-c", &format!("{MOUNT}{FILTER}"), "bash"]).spawn())
}

/// The disk as the runner sees it: it is mounted for the runner alone.
fn seen(project: &Project, runner: &Runner) -> std::path::PathBuf {
    Path::new(&format!("/proc/{}/root", runner.pid)).join(project.path("disk").strip_prefix("/").expect("it is absolute"))
}

/// How many lines the runner has said are missing in a log; none of it before it is written again.
fn missing(runner: &Runner, log: &str) -> u64 {
    let said = runner.lines(&words::says(format!("{log} is written again")));
    let counts = said.iter().map(|line| {
        let text = line.text();
        let before = text.split(" line").next().expect("a split has a first part").to_owned();
        before
            .rsplit(' ')
            .next()
            .map_or(0, |word| if word == "no" { 0 } else { word.parse().unwrap_or_else(|_| panic!("no number: {text}")) })
    });
    counts.sum()
}

#[test]
fn on_a_full_disk_the_app_runs_on_and_what_is_lost_is_counted() {
    let project = Project::empty();
    let mib = torture::mib();
    let app = |name: &str| {
        json!({
            "name": name, "script": programs::misbehave(), "args": ["--numbers", mib.to_string(), "--await-line"], "cwd": project.root,
            "out_file": format!("disk/{name}.log"), "error_file": "NULL", "disable_logs": false,
            "logs": { "max_size": "5M", "keep": 100_000, "total_size": 0, "compress": true },
        })
    };
    project.script("ticker.sh", TICKER);
    let ticker = json!({ "name": "ticker", "script": "./ticker.sh", "out_file": "disk/ticker.log", "error_file": "NULL" });
    apps(&project, json!([app("one"), app("two"), ticker]));
    let Some(mut runner) = start(&project) else { return };
    runner.wait_for(&words::says("one started"));
    let disk = seen(&project, &runner);
    let tails = ["one.log", "two.log"].map(|name| Tail::new(disk.join(name)));
    for name in ["one", "two"] {
        runner.wait_within(PATIENCE * 4, &words::says(format!("disk/{name}.log cannot be written (No space left on device")));
    }
    // They print to their end all the same.
    let printed = |name: &str| words::prefixed(name, "ready ");
    runner.wait_within(PATIENCE * 4, &printed("one"));
    runner.wait_within(PATIENCE * 4, &printed("two"));
    // Everything that could be written stands there in whole lines.
    let mut there: [BTreeSet<u64>; 2] = Default::default();
    let read = |there: &mut [BTreeSet<u64>; 2]| {
        for (name, there) in ["one.log", "two.log"].iter().zip(there) {
            let mut last = None;
            for (file, bytes) in archives(&disk.join(name)) {
                for number in numbers(&bytes) {
                    assert!(last.is_none_or(|last| number > last), "{number} after {last:?} in {}", file.display());
                    last = Some(number);
                    there.insert(number);
                }
            }
        }
    };
    read(&mut there);
    assert!(there.iter().map(BTreeSet::len).sum::<usize>() > 10 << 14, "20 MB hold more than that");
    for entry in fs::read_dir(&disk).expect("it is mounted") {
        let path = entry.expect("it can be read").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".log.2")) {
            let _ = fs::remove_file(path);
        }
    }
    // What was held back is written, and nothing more is lost. The apps' last lines were lost with others, or stand there.
    let all = mib * ((1 << 20) / 64) + 1;
    let (mut ready, mut lost) = (0, [0; 2]);
    let complete = clock::comes_true(PATIENCE, || {
        read(&mut there);
        lost = ["one", "two"].map(|name| missing(&runner, &format!("disk/{name}.log")));
        let last = |name: &str| fs::read_to_string(disk.join(name)).is_ok_and(|text| text.contains("ready "));
        ready = ["one.log", "two.log"].into_iter().filter(|name| last(name)).count() as u64;
        there.iter().map(|there| there.len() as u64).sum::<u64>() + lost.iter().sum::<u64>() + ready == 2 * all
    });
    let seen = tails.map(Tail::seen);
    eprintln!("2 x {mib} MiB on 20 MB: {:?} lines written, {lost:?} lost, the readers saw {seen:?}", there.each_ref().map(BTreeSet::len));
    assert!(lost.iter().all(|lost| *lost > 0));
    assert!(complete, "written, lost and {ready} last lines are not all {all} of each");
    let ticks = fs::read_to_string(disk.join("ticker.log")).expect("it is there");
    holds(&disk.join("ticker.log"), &format!("tick {}\n", ticks.lines().count() + 5));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_disk_that_may_not_be_written_for_a_while_loses_nothing_of_a_quiet_app() {
    let project = Project::empty();
    project.script("ticker.sh", TICKER);
    apps(&project, json!([{ "name": "ticker", "script": "./ticker.sh", "out_file": "disk/ticker.log", "error_file": "NULL" }]));
    let Some(mut runner) = start(&project) else { return };
    runner.wait_for(&words::says("ticker started"));
    let log = seen(&project, &runner).join("ticker.log");
    holds(&log, "tick 3\n");
    let pid = runner.runner_pid().to_string();
    let inside = |argv: &[&str]| {
        let enter = ["nsenter", "-t", &pid, "-U", "-m", "--preserve-credentials"];
        let ending = project.hook(&[&enter, argv].concat()).finish();
        assert_eq!(ending.code, Some(0), "{argv:?}: {}", ending.err);
    };
    let disk = project.path("disk").display().to_string();
    // Over the one that is there, which is in use and would not let itself be made read-only.
    inside(&["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", &disk]);
    runner.signal(Signal::USR2);
    runner.wait_for(&words::says("ticker.log cannot be written (Read-only file system"));
    let at = runner.count(&words::app_says("tick "));
    runner.wait_for(&words::app_says(format!("tick {}", at + 10)));
    inside(&["umount", &disk]);
    runner.wait_for(&words::says("ticker.log is written again, and no line is missing in it"));
    let text = holds(&log, &format!("tick {}\n", at + 10));
    assert!(text.lines().enumerate().all(|(at, line)| line == format!("tick {at}")), "{text}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_log_file_that_is_read_only_costs_lines_that_are_counted_and_nothing_else() {
    // Root writes whatever the mode, unless that right is taken from it.
    let wrapper: &[&str] = match rustix::process::geteuid().is_root() {
        true if !programs::have(&["setpriv"]) => return,
        true => &["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all"],
        false => &[],
    };
    let project = Project::empty();
    let mib = 4;
    let app = json!({
        "name": "loud", "script": programs::misbehave(), "args": ["--numbers", mib.to_string(), "--await-line"], "cwd": project.root,
        "out_file": "out.log", "error_file": "NULL",
    });
    project.script("ticker.sh", TICKER);
    let ticker = json!({ "name": "ticker", "script": "./ticker.sh", "out_file": "ticker.log", "error_file": "NULL" });
    apps(&project, json!([app, ticker]));
    for file in ["out.log", "ticker.log"] {
        project.save(file, "");
        mode(&project, file, 0o444);
    }
    let filtered = [wrapper, &["bash", "-c", FILTER, "bash"]].concat();
    let mut runner = project.pmdev(["start", "--prod"]).wrapped(&filtered).spawn();
    runner.wait_for(&words::says("out.log cannot be written (Permission denied"));
    // It prints to its end all the same, and the quiet one goes on.
    runner.wait_for(&words::prefixed("loud", "ready "));
    let at = runner.count(&words::prefixed("ticker", "tick "));
    runner.wait_for(&words::prefixed("ticker", &format!("tick {}", at + 10)));
    assert_eq!(fs::metadata(project.path("out.log")).expect("it is there").len(), 0);
    mode(&project, "out.log", 0o644);
    runner.wait_for(&words::says("out.log is written again, and "));
    let lost = missing(&runner, "out.log");
    let all = mib * ((1 << 20) / 64) + 1;
    let mut there = 0;
    let complete = clock::comes_true(PATIENCE, || {
        there = fs::read_to_string(project.path("out.log")).map_or(0, |text| text.lines().count() as u64);
        there + lost == all
    });
    assert!(complete && lost > 0, "{there} lines are there and {lost} lost, of {all}");
    mode(&project, "ticker.log", 0o644);
    runner.wait_for(&words::says("ticker.log is written again, and no line is missing in it"));
    let text = holds(&project.path("ticker.log"), &format!("tick {}\n", at + 10));
    assert!(text.lines().enumerate().all(|(at, line)| line == format!("tick {at}")), "{text}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

fn mode(project: &Project, file: &str, mode: u32) {
    fs::set_permissions(project.path(file), fs::Permissions::from_mode(mode)).expect("it is ours");
}
