//! Which files there are, what stands in them, and what becomes of them while the runner runs.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{TICKER, apps, archives, holds, started};
use crate::support::{PATIENCE, Project, clock, verb, words};

/// The names in a folder, but those of the times beside log files.
fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.expect("it can be read").file_name())).into_iter().flatten();
    entries.map(|name| name.into_string().expect("it is ours")).filter(|name| !name.ends_with(".times")).collect()
}

fn ends(project: &Project, runner: crate::support::Runner) {
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    project.nothing_alive(PATIENCE, "the end");
}

#[test]
fn the_production_profile_keeps_both_streams_in_the_users_own_folder() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let mut runner = project.start(["--prod", "--name", "shop:api v1", "app.sh"]);
    runner.wait_for(&words::app_says("tick 1"));
    let home = project.root.with_file_name("home").join(".pmdev");
    assert!(holds(&home.join("logs/shop-api-v1-out.log"), "tick 2\n").starts_with("tick 0\ntick 1\n"));
    assert!(holds(&home.join("logs/shop-api-v1-error.log"), "oops 2\n").starts_with("oops 0\noops 1\n"));
    assert_eq!(fs::metadata(&home).expect("it was made").permissions().mode() & 0o777, 0o700);
    assert_eq!(names(&home.join("logs")).len(), 2);
    ends(&project, runner);
}

#[test]
fn in_development_there_are_no_files_but_those_asked_for() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let mut runner =
        project.start(["app.sh", "-o", "logs/o.log", "-e", "NULL", "-l", "../outside/both.log", "--log-type", "json", "--time=HH"]);
    runner.wait_for(&words::says("tick 1"));
    let one: Value =
        serde_json::from_str(holds(&project.path("logs/o.log"), "tick 2\"").lines().next().expect("a line")).expect("an object");
    assert_eq!(one["message"], "tick 0");
    assert_eq!((&one["type"], &one["process_id"], &one["app_name"]), (&json!("out"), &json!(0), &json!("app")));
    assert_eq!(one["timestamp"].as_str().map(str::len), Some(2));
    let both = holds(&project.outside("both.log"), "oops 2\"");
    assert!(both.contains("tick 1\"") && both.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert_eq!(names(&project.path("logs")), BTreeSet::from(["o.log".to_owned()]));
    assert!(!project.root.with_file_name("home").join(".pmdev").exists());
    ends(&project, runner);
}

#[test]
fn instances_have_files_of_their_own_unless_they_are_merged() {
    let project = Project::empty();
    project.script("app.sh", "#!/bin/sh\necho \"i am $NODE_APP_INSTANCE\"\nexec sleep 1000\n");
    let app = |name: &str, more: Value| {
        let mut app = json!({ "name": name, "script": "./app.sh", "error_file": "/dev/null" });
        app.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        app
    };
    apps(
        &project,
        json!([
            app("one", json!({ "out_file": "logs/shared.txt", "time": true })),
            app("two", json!({ "instances": 2, "out_file": "logs/two.log" })),
            app("merged", json!({ "instances": 2, "merge_logs": true, "out_file": "logs/shared.txt" })),
            app("quiet", json!({ "disable_logs": true, "out_file": "logs/quiet.log" })),
        ]),
    );
    let runner = project.start([""; 0]);
    assert_eq!(holds(&project.path("logs/two-1.log"), "\n"), "i am 0\n");
    assert_eq!(holds(&project.path("logs/two-2.log"), "\n"), "i am 1\n");
    let shared = holds(&project.path("logs/shared.txt"), "i am 1\n");
    assert!(clock::comes_true(PATIENCE, || fs::read_to_string(project.path("logs/shared.txt")).is_ok_and(|text| text.lines().count() == 3)));
    let timed = shared.lines().find(|line| line.contains("T")).expect("the one with a time");
    assert!(timed.ends_with(": i am 0") && timed.len() == "2026-11-25T20:28:00: i am 0".len(), "{timed}");
    assert_eq!(names(&project.path("logs")), ["shared.txt", "two-1.log", "two-2.log"].map(str::to_owned).into());
    assert_eq!(runner.count(&words::says("restarted")), 0, "no log file is anybody's change");
    // One that is added later has its own, or the one that all share, as well.
    verb(&project, &["scale", "two", "3"], 0);
    assert_eq!(holds(&project.path("logs/two-6.log"), "\n"), "i am 2\n");
    verb(&project, &["scale", "merged", "3"], 0);
    holds(&project.path("logs/shared.txt"), "i am 2\n");
    assert!(runner.count(&words::says("quiet | i am")) == 0, "nothing of it is shown");
    assert_eq!(fs::metadata("/dev/null").expect("it is there").permissions().mode() & 0o777, 0o666);
    ends(&project, runner);
}

#[test]
fn an_edit_of_the_files_needs_no_restart() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let declare = |logs: Value| apps(&project, json!([{ "name": "api", "script": "./app.sh", "watch": false, "logs": logs }]));
    declare(json!({ "out": "logs/one.log" }));
    project.let_stamps_pass();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("tick 3"));
    declare(json!({ "out": "logs/two.log", "timestamp": "[<]YYYY[>]" }));
    runner.wait_for(&words::plan("api: logs changed"));
    let two = holds(&project.path("logs/two.log"), "tick ");
    let one = fs::read_to_string(project.path("logs/one.log")).expect("it is there");
    let last = one.lines().last().and_then(|line| line.strip_prefix("tick ")).and_then(|number| number.parse::<u32>().ok());
    assert!(two.starts_with('<') && two.contains(&format!(">: tick {}\n", last.expect("a number") + 1)), "{one}\n{two}");
    assert_eq!(one.lines().filter(|line| *line == "tick 0").count(), 1, "it was not started again");
    declare(json!({ "disabled": true }));
    runner.wait_for(&words::plan("api: logs changed"));
    let mut before = String::new();
    // The pipe may hold some more lines, then there is nothing.
    assert!(clock::comes_true(PATIENCE, || {
        let now = fs::read_to_string(project.path("logs/two.log")).expect("it is there");
        std::mem::replace(&mut before, now.clone()) == now
    }));
    ends(&project, runner);
}

#[test]
fn files_that_others_put_away_are_opened_again_at_usr2() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let mut runner = project.start(["app.sh", "--no-watch", "-o", "logs/out.log"]);
    let (log, aside) = (project.path("logs/out.log"), project.path("logs/out.log.1"));
    holds(&log, "tick 3\n");
    fs::rename(&log, &aside).expect("it is there");
    runner.signal(Signal::USR2);
    runner.wait_for(&words::says("[pmdev] the log files are opened again (SIGUSR2)"));
    let second = holds(&log, "\n");
    let first = fs::read_to_string(&aside).expect("it is there");
    ends(&project, runner);
    let last = first.lines().count();
    assert!(first.ends_with(&format!("tick {}\n", last - 1)) && second.starts_with(&format!("tick {last}\n")), "{first}---\n{second}");
}

#[test]
fn a_removed_folder_is_made_again_and_lines_go_on() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let mut runner = project.start(["app.sh", "--no-watch", "-o", "logs/deep/out.log"]);
    let log = project.path("logs/deep/out.log");
    for _ in 0..2 {
        holds(&log, "\ntick ");
        fs::remove_dir_all(project.path("logs")).expect("it is there");
    }
    let text = holds(&log, "\ntick ");
    let numbers: Vec<u32> = text.lines().map(|line| line["tick ".len()..].parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) && numbers[0] > 0, "{numbers:?}");
    assert_eq!(runner.count(&words::says("cannot be written")), 0);
    runner.wait_for(&words::app_says("tick"));
    ends(&project, runner);
}

#[test]
fn files_that_are_put_away_restart_nothing_and_keep_to_their_bounds() {
    let project = Project::empty();
    project.script(
        "app.sh",
        "#!/usr/bin/env bash\nfor ((i = 0; i < 3000; i++)); do echo \"number $i of many\"; done\necho done >&2\nexec sleep 1000\n",
    );
    let logs = json!({ "out": "logs/out.txt", "max_size": "4K", "keep": 50, "total_size": "20K", "compress": true });
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "watch": true, "ignore_watch": ["nothing"], "logs": logs }]));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("done"));
    let log = project.path("logs/out.txt");
    holds(&log, "number 2999 of many\n");
    let over = clock::comes_true(PATIENCE, || {
        let sizes = fs::read_dir(project.path("logs")).expect("it is there").map(|entry| entry.and_then(|entry| entry.metadata()));
        // One that goes while we look.
        sizes.flatten().map(|about| about.len()).sum::<u64>() <= 20 << 10
    });
    assert!(over, "the files take more than they may: {:?}", names(&project.path("logs")));
    let archives = archives(&log);
    assert!(archives.len() > 2 && archives.len() <= 51, "{} files", archives.len());
    let text: String = archives.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let first: usize = text["number ".len()..].split(' ').next().and_then(|word| word.parse().ok()).expect("a number");
    let expected: String = (first..3000).map(|number| format!("number {number} of many\n")).collect();
    assert!(text == expected, "the newest lines are not all there, in order");
    assert!(archives.iter().all(|(_, bytes)| bytes.len() <= 4 << 10), "a file is larger than it may be");
    assert_eq!(runner.count(&words::restarted()), 0, "its own log files restarted it");
    ends(&project, runner);
}

#[test]
fn what_cannot_be_a_log_file_is_refused_before_anything_starts() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    fs::create_dir(project.path("folder")).expect("it is ours");
    for (arguments, part) in [
        (["-o", "app.sh"], "app cannot write its lines into "),
        (["-e", "folder"], "which is a folder"),
        (["--log-date-format", "%H"], "YYYY MM DD"),
        (["--log-type", "xml"], "raw, json"),
    ] {
        let ending = project.pmdev(["start", "app.sh", arguments[0], arguments[1]]).finish();
        assert!(ending.code == Some(2) && ending.all().contains(part), "{arguments:?}: {ending:?}");
    }
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "log_date_format": "%H" }]));
    let ending = project.pmdev(["check"]).finish();
    assert!(ending.code == Some(2) && ending.all().contains("apps[0].log_date_format"), "{ending:?}");
    assert_eq!(fs::read_to_string(project.path("app.sh")).expect("it is there"), TICKER);
}

#[test]
fn check_shows_where_lines_will_go() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    apps(
        &project,
        json!([{ "name": "my api", "script": "./app.sh", "instances": 2, "time": true, "logs": { "rotate_every": "day", "file": true } }]),
    );
    let ending = project.pmdev(["check", "--prod", "-o", "out.log"]).env("PMDEV_HOME", project.outside("p")).finish();
    let outside = project.outside("");
    let out = format!("{}\n", ending.out)
        .replace(outside.to_str().expect("it is ours"), "HOME/")
        .replace(project.root.to_str().expect("it is ours"), "PROJECT");
    for line in [
        "  logs      out PROJECT/out-0.log and so on\n",
        "            error HOME/p/logs/my-api-error-0.log and so on\n",
        "            all HOME/p/logs/my-api-0.log and so on\n",
        "            with the time as YYYY-MM-DDTHH:mm:ss, rotated at 10 MiB and every day, 10 kept of each, compressed, 500 MiB together\n",
    ] {
        assert!(out.contains(line), "{line}{out}");
    }
}

#[test]
fn an_app_that_cannot_be_logged_runs() {
    let project = Project::empty();
    project.script("app.sh", TICKER);
    project.save("in the way", "");
    let mut runner = project.start(["app.sh", "--no-watch", "-o", "in the way/out.log"]);
    runner.wait_for(&started("app"));
    runner.wait_for(&words::says("in the way/out.log cannot be written (Not a directory"));
    runner.wait_for(&words::app_says("tick 3"));
    fs::remove_file(project.path("in the way")).expect("it is there");
    runner.wait_for(&words::says("in the way/out.log is written again, and no line is missing in it"));
    assert!(holds(&project.path("in the way/out.log"), "tick 3\n").starts_with("tick 0\ntick 1\n"));
    ends(&project, runner);
}

#[test]
fn a_file_of_an_app_that_says_nothing_is_opened_again_as_often_as_somebody_asks() {
    let project = Project::empty();
    project.script("app.sh", "echo once\nexec sleep 1000\n");
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "watch": false, "logs": { "out": "logs/out.log" } }]));
    let runner = project.start([""; 0]);
    let log = project.path("logs/out.log");
    holds(&log, "once\n");
    fs::remove_file(&log).expect("it is there");
    fs::create_dir(&log).expect("the folder is ours");
    for _ in 0..3 {
        verb(&project, &["reloadLogs"], 1);
    }
    fs::remove_dir(&log).expect("it is empty");
    verb(&project, &["reloadLogs"], 0);
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}
