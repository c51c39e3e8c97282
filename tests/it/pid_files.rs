//! Pid files: there while the app runs, replaced with it, gone with it, and no reason for a restart.

use std::fs;

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, clock::comes_true, words};

const APP: &str = "#!/bin/sh\necho \"pid $$ number $pm_id\"\nexec sleep 1000000\n";

fn project(pid_file: &str, more: &str) -> Project {
    let project = Project::empty();
    project.script("app.sh", APP);
    project.save("pmdev.json", format!(r#"[{{ "name": "my app", "script": "app.sh", "pid_file": {pid_file}{more} }}]"#));
    project
}

/// The pid and the number that an app prints.
fn said(line: &str) -> (String, String) {
    let after = |word: &str| line.split_ascii_whitespace().skip_while(|other| *other != word).nth(1).expect("it is printed").to_owned();
    (after("pid"), after("number"))
}

#[test]
fn the_file_follows_the_runs_of_the_app() {
    // No name that is ignored anyway.
    let project = project(r#""run/app.id""#, "");
    let file = project.path("run/app.id");
    let mut runner = project.start([""; 0]);
    let holds = |pid: &str| comes_true(PATIENCE, || fs::read_to_string(&file).is_ok_and(|text| text == format!("{pid}\n")));
    let (first, _) = said(&runner.wait_for(&words::app_says("pid ")).text());
    runner.wait_for(&words::watching());
    assert!(holds(&first), "{first}");
    project.edit("app.sh", "number", "still number");
    let (second, _) = said(&runner.wait_for(&words::app_says("still number")).text());
    assert!(first != second && holds(&second), "{second}");
    runner.wait_for(&words::restarted_by("app.sh"));
    assert_eq!(runner.count(&words::restarted()), 1, "its own file is no change");
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
    assert!(!file.exists());
}

#[test]
fn several_instances_have_a_file_each_and_the_default_one_is_numbered() {
    for (pid_file, more, folder, name) in
        [(r#""run/app.pid""#, r#", "instances": 2"#, "run", "app"), ("true", "", "../home/.pmdev/pids", "my-app")]
    {
        let project = project(pid_file, more);
        let mut runner = project.start(["--no-watch"]);
        for _ in 0..if more.is_empty() { 1 } else { 2 } {
            let (pid, number) = said(&runner.wait_for(&words::app_says("pid ")).text());
            let file = project.path(folder).join(format!("{name}-{number}.pid"));
            assert!(comes_true(PATIENCE, || fs::read_to_string(&file).is_ok_and(|text| text == format!("{pid}\n"))), "{}", file.display());
        }
        runner.signal(Signal::TERM);
        runner.finish();
        assert_eq!(fs::read_dir(project.path(folder)).expect("it was made").count(), 0);
    }
}

#[test]
fn one_that_cannot_be_written_is_a_warning() {
    let project = project(r#""run""#, "");
    project.save("run/a-folder-is-in-its-place", "");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::says("my app runs without its pid file: "));
    runner.wait_for(&words::app_says("pid "));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}
