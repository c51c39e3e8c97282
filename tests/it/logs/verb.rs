//! `pmdev logs`, `flush` and `reloadLogs`: what was said and what is said, each line once and in order, whatever the files do meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{FILTER, TICKER, apps, archives, holds, started, torture};
use crate::support::{PATIENCE, Project, Runner, clock, programs, verb, words};

/// Prints numbered lines as fast as a shell can, for ever.
const COUNTER: &str = "#!/usr/bin/env bash\ntrap 'exit 0' INT\ni=0\nwhile :; do printf '%010d %52s\\n' $i x; i=$((i + 1)); done\n";

/// What a client shows when lines were left out for it.
const LEFT_OUT: &str = "[pmdev] ";

/// What `pmdev logs --nostream ARGS` shows, in whole lines.
#[track_caller]
fn shown(project: &Project, arguments: &[&str]) -> String {
    let out = verb(project, &[&["logs", "--nostream", "--no-color"][..], arguments].concat(), 0).out;
    out.lines().map(|line| format!("{line}\n")).collect()
}

/// Starts `pmdev logs ARGS`, its output going into a file.
fn client<'a>(project: &'a Project, arguments: &[&str], to: &Path) -> Runner<'a> {
    let exec = format!("exec \"$@\" > {}", to.display());
    project.pmdev(["logs"].iter().chain(arguments)).wrapped(&["bash", "-c", &exec, "bash"]).spawn()
}

/// Ends a client as its user would.
#[track_caller]
fn leave(client: Runner) {
    client.signal(Signal::INT);
    assert_eq!(client.finish().code, Some(0));
}

/// The last whole line of a file.
fn last_line(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let start = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    String::from_utf8_lossy(&bytes[start..end]).into_owned()
}

/// Goes through what a client has shown of numbered lines: each comes once and in order, and what is missing was said to be. How many came,
/// and how many were said to be left out.
#[track_caller]
fn contiguous(shown: &Path) -> (u64, u64) {
    let bytes = fs::read(shown).expect("it is there");
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let (mut next, mut came, mut left, mut gap) = (0, 0, 0, 0);
    for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        if let Some(said) = line.strip_prefix(LEFT_OUT) {
            let (count, what) = said.split_once(' ').expect("a sentence");
            assert!(what.ends_with("left out: this terminal is too slow"), "{line}");
            gap += count.parse::<u64>().unwrap_or_else(|error| panic!("{error}: {line}"));
            continue;
        }
        if line.starts_with("ready ") {
            continue;
        }
        let number = line.get(..10).and_then(|digits| digits.parse::<u64>().ok()).unwrap_or_else(|| panic!("no whole line: {line:?}"));
        assert_eq!(number, next + gap, "after {next} with {gap} left out");
        (next, came, left, gap) = (number + 1, came + 1, left + gap, 0);
    }
    (came, left + gap)
}

fn log_file(project: &Project, name: &str) -> PathBuf {
    project.root.with_file_name("home").join(format!(".pmdev/logs/{name}-out.log"))
}

fn packed(log: &Path) -> usize {
    let names = fs::read_dir(log.parent().expect("it has a folder")).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".gz")).count()
}

#[test]
fn history_and_what_follows_are_one_over_files_that_are_put_away_and_packed() {
    let project = Project::empty();
    let mib = torture::mib();
    apps(
        &project,
        json!([{
            "name": "one", "script": programs::misbehave(), "args": ["--numbers", mib.to_string(), "--await-line"], "cwd": project.root,
            "autorestart": false, "logs": { "max_size": "2M", "keep": 100_000, "total_size": 0, "compress": true },
        }]),
    );
    let mut runner = project.pmdev(["start", "--prod"]).wrapped(&["bash", "-c", FILTER, "bash"]).spawn();
    let log = log_file(&project, "one");
    assert!(clock::comes_true(PATIENCE, || packed(&log) > 0), "nothing was packed");
    let (one, two) = (project.outside("one"), project.outside("two"));
    let first = client(&project, &["one", "--lines", "100000000", "--raw"], &one);
    let second = client(&project, &["--out", "-n", "100000000"], &two);
    runner.wait_within(PATIENCE * 4, &words::says("ready "));
    for (client, shown) in [(first, &one), (second, &two)] {
        // Whatever is left out on the way, the end is not.
        let done = clock::comes_true(PATIENCE * 2, || last_line(shown).starts_with("ready "));
        assert!(done, "{}", last_line(shown));
        leave(client);
        let (came, left) = contiguous(shown);
        eprintln!("{came} lines came, {left} were left out");
        let total = mib * (1 << 20) / 64;
        assert!(came + left == total, "{came} + {left} of {total}");
        assert!(came > 0);
    }
    let all = verb(&project, &["logs", "--nostream", "--lines", "1000000000", "--raw"], 0);
    assert_eq!(all.out.lines().count() as u64, mib * (1 << 20) / 64 + 1);
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn many_who_come_at_any_time_see_every_line_once() {
    let project = Project::empty();
    project.script("app.sh", COUNTER);
    let logs = json!({ "max_size": "50K", "keep": 100_000, "total_size": 0, "compress": true });
    apps(&project, json!([{ "name": "one", "script": "./app.sh", "logs": logs }]));
    let runner = project.pmdev(["start", "--prod"]).wrapped(&["bash", "-c", FILTER, "bash"]).spawn();
    let log = log_file(&project, "one");
    let mut packs = 0;
    for round in 0..6 {
        assert!(clock::comes_true(PATIENCE, || packed(&log) > packs), "nothing more was packed");
        packs = packed(&log);
        let shown = project.outside(format!("client{round}"));
        let client = client(&project, &["-n", "100000000"], &shown);
        let seen = clock::comes_true(PATIENCE, || {
            let last = last_line(&shown).get(..10).and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(0);
            last > packs * 850 + 2000
        });
        assert!(seen, "{}", last_line(&shown));
        leave(client);
        let (came, _) = contiguous(&shown);
        assert!(came > 2000);
    }
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn who_is_stopped_holds_nobody_back_and_is_told_what_was_left_out() {
    let project = Project::empty();
    let app = json!({
        "name": "one", "script": programs::misbehave(), "args": ["--numbers", "20", "--await-line"], "cwd": project.root, "autostart": false,
    });
    project.script("web.sh", "#!/bin/sh\nexec sleep 1000000\n");
    apps(&project, json!([app, { "name": "web", "script": "./web.sh" }]));
    let mut runner = project.pmdev(["start"]).wrapped(&["bash", "-c", FILTER, "bash"]).spawn();
    runner.wait_for(&started("web"));
    let shown = project.outside("shown");
    let client = client(&project, &["one", "--events"], &shown);
    // It listens once it is told what the runner says.
    let listens = || {
        verb(&project, &["restart", "web"], 0);
        fs::read_to_string(&shown).is_ok_and(|text| text.contains("[pmdev] web restarted"))
    };
    assert!(clock::comes_true(PATIENCE, listens), "it hears nothing");
    client.signal(Signal::STOP);
    verb(&project, &["start", "one"], 0);
    runner.wait_within(PATIENCE * 2, &words::prefixed("one", "ready "));
    let peak = torture::peak(runner.runner_pid());
    assert!(peak < 64 << 10, "the runner had {peak} KiB");
    client.signal(Signal::CONT);
    holds(&shown, "lines left out: this terminal is too slow");
    let total = 20 * (1 << 20) / 64 + 1;
    let mut counted = (0, 0);
    let all = clock::comes_true(PATIENCE, || {
        let text = fs::read_to_string(&shown).expect("it is there");
        let left = text.lines().filter_map(|line| line.strip_suffix(" lines left out: this terminal is too slow")?.strip_prefix(LEFT_OUT));
        let came = text.lines().filter(|line| !line.starts_with(LEFT_OUT)).count();
        counted = (came, left.map(|count| count.parse::<usize>().expect("a number")).sum());
        counted.0 + counted.1 == total
    });
    assert!(all && counted.0 > 0 && counted.1 > 0, "{counted:?} of {total}");
    leave(client);
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn of_apps_without_files_the_runner_holds_the_last_lines_over_restarts() {
    let project = Project::empty();
    project.script("app.sh", "#!/bin/sh\nfor i in 1 2 3; do echo \"$name out $i\"; echo \"$name err $i\" >&2; done\nexec sleep 1000000\n");
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "instances": 2 }, { "name": "web", "script": "./app.sh" }]));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&started("web"));
    runner.wait_for(&words::says("api started (2 instances)"));
    verb(&project, &["restart", "web"], 0);
    let out = |arguments: &[&str]| shown(&project, arguments);
    let web = |line: &str| format!("web {line}\n");
    assert!(clock::comes_true(PATIENCE, || out(&["web", "--out"]).lines().count() == 6), "{}", out(&["web"]));
    assert_eq!(out(&["web", "--out", "-n", "2"]), web("out 2") + &web("out 3"));
    assert_eq!(out(&["web", "--err", "--lines=1"]), web("err 3"));
    assert_eq!(out(&["web", "--grep", "out 1$"]), web("out 1").repeat(2));
    assert!(out(&["web", "-n0"]).is_empty());
    let several = out(&["api:1", "web", "--out", "-n", "1"]);
    assert!(
        several.contains("api:1 | api out 3\n") && several.contains("web   | web out 3\n") && several.lines().count() == 2,
        "{several}"
    );
    assert_eq!(out(&["-n1"]).lines().count(), 6);
    assert_eq!(out(&["/^a/", "--raw", "--err", "-n1"]), "api err 3\n".repeat(2));
    for line in out(&["all", "--json", "-n1"]).lines() {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let (app, stream, said) = (object["app_name"].as_str(), object["type"].as_str(), object["message"].as_str());
        assert_eq!(said, Some(format!("{} {} 3", app.expect("a name"), stream.expect("a stream")).as_str()));
        assert!(object["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')) && object["process_id"].is_u64(), "{line}");
    }
    assert!(out(&["web", "--format", "-n1"]).contains(" app=web id=2 type=out message=web out 3\n"));
    assert!(out(&["web", "--since", "1h"]).lines().count() == 12 && out(&["web", "--since", "2000-01-01"]).lines().count() == 12);
    assert!(out(&["web", "--since", "2100-01-01"]).is_empty());
    assert!(out(&["--timestamp", "web", "-n1", "--out"]).contains("T"), "the word behind it is a target");
    assert!(out(&["--timestamp", "[at] YYYY", "web", "-n1", "--out"]).starts_with("at 20"));
    assert!(out(&["--timestamp", "[at] YYYY", "--raw", "web", "-n1", "--out"]).starts_with("at 20"));
    for (arguments, code, part) in [
        (&["web", "--follow"][..], 2, "--follow"),
        (&["web", "--raw", "--format"], 2, "--raw"),
        (&["web", "--json", "--highlight", "x"], 2, "--highlight"),
        (&["nobody", "web"], 1, "nobody is no app of this runner; it has api, web"),
        (&["web", "--since", "soon"], 2, "--since soon is no time"),
        (&["web", "--grep", "("], 2, "--grep ( is not a regex"),
    ] {
        let ending = verb(&project, &[&["logs", "--nostream"][..], arguments].concat(), code);
        assert!(ending.err.contains(part), "{}", ending.all());
    }
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn whoever_comes_while_somebody_follows_is_heard_and_the_end_is_told() {
    let project = Project::empty();
    project.script("app.sh", "#!/bin/sh\necho \"$name $NODE_APP_INSTANCE runs\"\nexec sleep 1000000\n");
    let declare = |names: &[&str]| {
        let all: Vec<Value> = names.iter().map(|name| json!({ "name": name, "script": "./app.sh", "watch": false })).collect();
        apps(&project, all.into());
    };
    declare(&["api"]);
    project.let_stamps_pass();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("api 0 runs"));
    let mut all = project.pmdev(["logs", "--no-color"]).spawn();
    let mut named = project.pmdev(["logs", "api", "--no-color"]).spawn();
    for follows in [&mut all, &mut named] {
        follows.wait_for(&words::says("api 0 runs"));
    }
    verb(&project, &["restart", "api"], 0);
    for follows in [&mut all, &mut named] {
        follows.wait_for(&words::says("api 0 runs"));
    }
    verb(&project, &["scale", "api", "2"], 0);
    for follows in [&mut all, &mut named] {
        follows.wait_for(&words::prefixed("api:1", "api 1 runs"));
    }
    declare(&["api", "web"]);
    all.wait_for(&words::prefixed("web", "web 0 runs"));
    assert_eq!(named.count(&words::says("web")), 0);
    verb(&project, &["kill"], 0);
    for follows in [all, named] {
        let ending = follows.finish();
        assert_eq!(ending.code, Some(0));
        assert!(ending.out.ends_with("[pmdev] the runner has ended"), "{}", ending.all());
    }
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn what_stands_in_files_is_found_whatever_their_form_and_without_a_runner_too() {
    let project = Project::empty();
    let ended = verb(&project, &["logs", "one"], 3);
    assert!(ended.err.contains("No runner"), "{}", ended.all());
    project.script("app.sh", "#!/bin/sh\nfor i in 1 2 3; do echo \"$name out $i\"; echo \"$name err $i\" >&2; done\nexec sleep 1000000\n");
    let app = |name: &str, more: Value| {
        let mut app = json!({ "name": name, "script": "./app.sh" });
        app.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        app
    };
    apps(
        &project,
        json!([
            app("plain", json!({})),
            app("timed", json!({ "log_date_format": "YYYY-MM-DD HH:mm:ss.SSS Z" })),
            app("json", json!({ "log_type": "json", "instances": 2, "merge_logs": true })),
        ]),
    );
    let out = |arguments: &[&str]| shown(&project, arguments);
    // The second runner holds nothing of what the first one's apps said.
    for run in 1..=2 {
        let mut runner = project.start(["--prod"]);
        for app in ["plain", "timed", "json"] {
            runner.wait_for(&started(app));
            let count = if app == "json" { 2 } else { 1 };
            let there = || out(&[app, "--grep", " out 3"]).lines().count() == run * count;
            assert!(clock::comes_true(PATIENCE, there), "{}", out(&[app]));
        }
        if run == 2 {
            assert_eq!(out(&["plain", "--out", "-n", "5"]), "plain out 2\nplain out 3\nplain out 1\nplain out 2\nplain out 3\n");
            let times: Vec<Value> =
                out(&["timed", "plain", "--json"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(times.len(), 24);
            let known = |app: &str| times.iter().filter(|line| line["app_name"] == app && line["timestamp"].is_string()).count();
            assert_eq!((known("timed"), known("plain")), (12, 12), "what has a time of its own, and what has it beside the file");
            assert!(out(&["timed", "--out", "-n1"]).ends_with(": timed out 3\n"));
            let one = out(&["json:1", "--json"]);
            assert_eq!((one.lines().count(), one.matches("\"instance\":1").count()), (12, 12), "{one}");
        }
        runner.signal(Signal::INT);
        assert_eq!(runner.finish().code, Some(0));
    }
    assert_eq!(out(&["plain", "--err", "-n2"]), "plain err 2\nplain err 3\n");
    assert_eq!(out(&["json", "--out", "-n", "12"]).lines().count(), 12);
    let since = out(&["timed", "--since", "1h", "--json"]);
    assert!(since.lines().count() == 12 && since.lines().all(|line| line.contains("Z\"")), "{since}");
    let follows = verb(&project, &["logs", "plain", "-n1"], 0);
    assert!(follows.out.contains("[pmdev] no runner is there"), "{}", follows.all());
    let unknown = verb(&project, &["logs", "nobody"], 3);
    assert!(unknown.err.contains("no log files of nobody") && unknown.err.contains("json, plain, timed"), "{}", unknown.all());
}

#[test]
fn files_are_emptied_and_opened_again_between_lines() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let logs = json!({ "out": "logs/out.log", "error": "logs/err.log" });
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "watch": false, "logs": logs }, { "name": "web", "script": "./app.sh" }]));
    for arguments in [&["flush"][..], &["reloadLogs"]] {
        verb(&project, arguments, 3);
    }
    let mut runner = project.start([""; 0]);
    runner.wait_for(&started("api"));
    runner.wait_for(&started("web"));
    let log = project.path("logs/out.log");
    let number =
        |line: &str| line.strip_prefix("tick ").and_then(|number| number.parse::<u32>().ok()).unwrap_or_else(|| panic!("{line:?}"));
    for _ in 0..5 {
        holds(&log, "\ntick ");
        let told: Value = serde_json::from_str(&verb(&project, &["flush", "api", "--json"], 0).out).expect("JSON");
        assert!(told["files"] == 2 && told["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{told}");
        let text = holds(&log, "\n");
        let numbers: Vec<u32> = text.lines().map(number).collect();
        assert!(numbers[0] > 0 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{text}");
        assert!(!verb(&project, &["logs", "api", "--nostream", "--raw", "--out", "-n", "9999"], 0).out.contains("tick 0\n"));
    }
    assert!(verb(&project, &["flush", "web"], 0).out.contains("there are no log files"));
    assert!(verb(&project, &["flush", "nobody"], 1).err.contains("nobody is no app of this runner"));
    let mut before = 0;
    for round in 0..5 {
        holds(&log, "\ntick ");
        let aside = project.path(format!("logs/aside.{round}"));
        fs::rename(&log, &aside).expect("it is there");
        assert!(verb(&project, &["reload-logs"], 0).out.contains("2 log files were opened again"));
        // Whoever packs it now misses nothing.
        let text = fs::read_to_string(&aside).expect("it is there");
        let numbers: Vec<u32> = text.lines().map(number).collect();
        assert!(text.ends_with('\n') && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{text}");
        assert!(round == 0 || numbers[0] == before + 1, "{before} is followed by {}", numbers[0]);
        before = numbers[numbers.len() - 1];
    }
    assert!(archives(&log).len() == 1, "nothing was put away");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_file_that_cannot_be_opened_again_is_named_with_the_reason() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let logs = json!({ "out": "logs/out.log", "error": "logs/err.log" });
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "watch": false, "logs": logs }]));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&started("api"));
    let log = project.path("logs/out.log");
    holds(&log, "\ntick ");
    fs::rename(&log, project.path("logs/aside")).expect("it is there");
    fs::create_dir(&log).expect("the folder is ours");
    // At first because of this very request, then while the file fails anyway.
    for _ in 0..3 {
        let failed = verb(&project, &["reloadLogs"], 1);
        let why = format!("{} (Is a directory (os error 21)) could not be opened again", log.display());
        assert!(failed.err.contains(&why) && failed.err.contains("can write there"), "{}", failed.all());
        assert!(failed.out.contains("1 log file was opened again"), "the other one was: {}", failed.all());
    }
    let told: Value = serde_json::from_str(&verb(&project, &["reloadLogs", "--json"], 1).out).expect("JSON");
    assert!(told["files"] == 1 && told["failed"][0].as_str() == log.to_str() && told["why"][0].is_string(), "{told}");
    fs::remove_dir(&log).expect("it is empty");
    assert!(verb(&project, &["reloadLogs"], 0).out.contains("2 log files were opened again"));
    holds(&log, "\ntick ");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}
