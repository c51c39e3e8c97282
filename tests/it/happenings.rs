//! Hooks of an app: what they are told, when, and that nothing waits for them.

use std::{fs, time::Duration};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{PATIENCE, Project, clock::comes_true, processes::Process, words};

/// A project with the app `api`, which has these other keys.
fn project(script: &str, keys: &str) -> Project {
    let project = Project::empty();
    project.script("api.sh", script);
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", "watch": false, {keys} }}]"#));
    project
}

/// What hooks have written, an object a line.
fn told(project: &Project, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(project.path(file)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn each_kind_is_told_by_standard_input_and_by_the_environment() {
    let script = "i=0; while [ $i -lt 25 ]; do echo \"error $i\" >&2; i=$((i+1)); done; exit 3\n";
    let keys = r#""autorestart": true, "max_restarts": 1, "restart_delay": 0, "env": { "OWN": "own" }, "hooks": {
        "on_ready": "cat >> told", "on_exit": "cat >> told", "on_errored": "cat >> told",
        "on_crash": "cat >> told; echo \"$PMDEV_EVENT $PMDEV_APP $PMDEV_INSTANCE $PMDEV_EXIT_CODE [$PMDEV_SIGNAL] $PMDEV_RESTARTS $OWN: $PMDEV_REASON\"" }"#;
    let project = project(script, keys);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::prefixed("api on_crash", "crash api api 3 [] 0 own: it crashed (exit code 3)"));
    let ending = runner.finish();
    assert_eq!(ending.code, Some(3), "hooks do not change the code: {}", ending.all());
    let told = told(&project, "told");
    let mut events: Vec<&str> = told.iter().filter_map(|told| told["event"].as_str()).collect();
    // Several run at once.
    events.sort_unstable();
    assert_eq!(events, ["crash", "errored", "exit", "ready"], "those of the last moments too: {told:#?}");
    let crash = told.iter().find(|told| told["event"] == "crash").expect("it is among them");
    assert_eq!(
        (crash["app"].as_str(), crash["exit_code"].as_i64(), &crash["signal"], crash["reason"].as_str(), crash["restarts"].as_u64()),
        (Some("api"), Some(3), &Value::Null, Some("it crashed (exit code 3)"), Some(0))
    );
    assert!(crash["pid"].as_i64().is_some_and(|pid| pid > 1) && crash["time"].as_str().is_some(), "{crash}");
    let lines: Vec<&str> = ending.out.lines().collect();
    let last = lines.iter().position(|line| line.ends_with("last lines of api's error output:")).expect("they are shown once more");
    assert_eq!(lines[last + 1].trim(), "error 5", "the last twenty: {:?}", &lines[last..]);
    assert_eq!(lines[last + 20].trim(), "error 24");
}

#[test]
fn a_hook_that_fails_or_cannot_start_is_told() {
    let keys = r#""hooks": { "on_ready": "echo warming; exit 4", "on_exit": "./no-such-program" }"#;
    let project = project("echo up; exec sleep 1000000\n", keys);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::prefixed("api on_ready", "warming"));
    runner.wait_for(&words::says("[pmdev] api on_ready failed (exit code 4)"));
    runner.signal(Signal::TERM);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(0));
    assert!(ending.out.contains("[pmdev] api on_exit could not be started: "), "{}", ending.out);
}

#[test]
fn what_a_hook_leaves_behind_lives_until_the_runner_ends() {
    let keys = r#""hooks": { "on_ready": "sleep 1000000 & echo daemon $!" }"#;
    let project = project("exec sleep 1000000\n", keys);
    let mut runner = project.start([""; 0]);
    let said = runner.wait_for(&words::prefixed("api on_ready", "daemon ")).text();
    let pid: i32 = said.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("the hook prints it");
    // The hook itself is over: its shell is gone, and the daemon was given to the runner.
    let adopted = || Process::read(pid).is_some_and(|daemon| daemon.parent == runner.runner_pid());
    assert!(comes_true(PATIENCE, adopted), "{:?}", Process::read(pid));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
    assert!(Process::read(pid).is_none_or(|daemon| !daemon.is_alive()));
}

#[test]
fn hooks_that_hang_hold_up_neither_restarts_nor_the_end() {
    let keys = r#""autorestart": true, "restart_delay": 0, "max_restarts": "unlimited", "hooks": { "on_crash": "exec sleep 1000000" }"#;
    let project = project("echo run; exit 1\n", keys);
    let mut runner = project.start([""; 0]);
    assert!(comes_true(PATIENCE, || runner.count(&words::app_says("run")) > 120), "it is started again and again");
    runner.wait_for(&words::says("[pmdev] api has more hooks to run than it runs"));
    let hanging = || {
        let hook = |process: &&Process| process.command == "sleep 1000000" && crate::support::processes::names(process, &project.root);
        crate::support::processes::all().iter().filter(hook).count()
    };
    assert_eq!(hanging(), 4, "four run at once");
    runner.signal(Signal::TERM);
    // Two seconds, and what a busy machine adds.
    let ending = runner.finish_within(Duration::from_secs(15));
    assert_eq!(ending.code, Some(0));
    assert!(ending.out.contains("[pmdev] api on_crash was killed, because the runner ends"), "{}", ending.out);
    assert!(ending.out.contains(" hooks of api were left out, because the runner ends"), "{}", ending.out);
    assert_eq!(hanging(), 0);
}

#[test]
fn a_hook_that_takes_too_long_is_ended_with_all_its_children_and_holds_up_nothing() {
    let hook = "setsid sleep 1000001 & sleep 1000002 & echo hangs; exec sleep 1000003";
    let project = project(
        "echo run $$; exec sleep 1000000\n",
        &format!(r#""autorestart": true, "restart_delay": 0, "hooks": {{ "on_ready": "{hook}", "timeout": "15s" }}"#),
    );
    let hanging = || {
        let of_hook = |process: &&Process| process.command.starts_with("sleep 100000") && process.command != "sleep 1000000";
        let found = crate::support::processes::all().into_iter().filter(|process| of_hook(&process));
        found.filter(|process| process.is_alive() && crate::support::processes::names(process, &project.root)).count()
    };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::prefixed("api on_ready", "hangs"));
    assert!(comes_true(PATIENCE, || hanging() == 3), "{} are there", hanging());
    // It is supervised meanwhile.
    let first = runner.wait_for(&words::app_says("run ")).text();
    let pid = first.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("the app prints it");
    crate::support::processes::send(pid, Signal::KILL);
    runner.wait_for(&words::app_says("run "));
    assert_eq!(runner.count(&words::says("on_ready was killed")), 0, "the first hook still hangs");
    runner.wait_for(&words::says("[pmdev] api on_ready was killed, because it did not end within 15 s"));
    runner.wait_for(&words::says("[pmdev] api on_ready was killed, because it did not end within 15 s"));
    assert!(comes_true(PATIENCE, || hanging() == 0), "{} outlive it", hanging());
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_reload_and_every_stop_are_told() {
    let keys = r#""instances": 2, "hooks": { "on_reload": "cat >> told", "on_exit": "cat >> told" }"#;
    let project = project("echo \"run $NODE_APP_INSTANCE\"; exec sleep 1000000\n", keys);
    let text = fs::read_to_string(project.path("pmdev.json")).expect("it was just written");
    project.save("pmdev.json", text.replace(r#""watch": false"#, r#""watch": [{ "paths": ["*.html"], "action": "reload" }]"#));
    project.save("a.html", "one");
    project.let_stamps_pass();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::watching());
    runner.wait_for(&words::says("api started (2 instances)"));
    project.save("a.html", "two");
    runner.wait_for(&words::restarted_by("a.html"));
    let events = |event: &str| told(&project, "told").iter().filter(|told| told["event"] == event).count();
    assert!(comes_true(PATIENCE, || events("reload") == 1 && events("exit") == 2), "{:#?}", told(&project, "told"));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
    assert_eq!(events("exit"), 4, "also of the last stop: {:#?}", told(&project, "told"));
}
