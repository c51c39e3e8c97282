//! Every interpreter that CI can install starts its app, restarts it on a save, and stops it; a missing one is named.

use std::{fs, path::Path, time::Duration};

use rustix::process::Signal;

use crate::support::{Project, programs, words};

/// Starts `target` in a copy of the fixture, changes its version file, and stops it.
#[track_caller]
fn runs(needs: &[&str], fixture: &str, target: &str, version: &str) {
    if !programs::have(needs) {
        return;
    }
    let project = Project::fixture(fixture);
    let mut runner = project.start([target]);
    runner.wait_for(&words::app_says("app v1"));
    runner.wait_for(&words::watching());
    project.edit(version, "v1", "v2, saved");
    runner.wait_for(&words::app_says("app v2, saved"));
    assert_eq!(runner.lines(&words::restarted_by(version)).len(), 1, "one restart, by the save of {version}");
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
    project.nothing_alive(Duration::from_secs(1), "the runner's end");
}

#[test]
fn node() {
    runs(&["node"], "node", "app.js", "version.js");
}

#[test]
fn python() {
    runs(&["python3"], "python", "app.py", "version.py");
}

#[test]
fn bash() {
    runs(&["bash"], "bash", "app.sh", "version.sh");
}

#[test]
fn perl() {
    runs(&["perl"], "perl", "app.pl", "Release.pm");
}

#[test]
fn ruby() {
    runs(&["ruby"], "ruby", "app.rb", "version.rb");
}

#[test]
fn php() {
    runs(&["php"], "php", "app.php", "version.php");
}

#[test]
fn lua() {
    runs(&["lua"], "lua", "app.lua", "version.lua");
}

#[test]
fn go() {
    runs(&["go"], "go", "main.go", "version.go");
}

#[test]
fn cargo_by_its_manifest() {
    runs(&["cargo"], "cargo", "Cargo.toml", "src/version.rs");
}

#[test]
fn cargo_by_its_folder() {
    runs(&["cargo"], "cargo", ".", "src/version.rs");
}

#[test]
fn a_failing_build_leaves_the_old_version_running() {
    if !programs::have(&["cargo"]) {
        return;
    }
    let project = Project::fixture("cargo");
    let mut runner = project.start(["Cargo.toml"]);
    runner.wait_for(&words::app_says("app v1"));
    runner.wait_for(&words::watching());
    let app = || project.alive().into_iter().find(|process| process.command.ends_with("debug/app")).map(|process| process.pid);
    let old = app();
    assert!(old.is_some(), "the app is alive");
    project.edit("src/version.rs", "= \"v1\"", "= v2");
    runner.wait_for(&words::build_failed("app", "the old version keeps running"));
    assert_eq!(app(), old, "the old version runs on");
    project.edit("src/version.rs", "= v2", "= \"v2\"");
    runner.wait_for(&words::app_says("app v2"));
    assert_ne!(app(), old);
    assert_eq!(runner.count(&words::restarted()), 1);
}

#[test]
fn an_executable_without_extension_runs_as_it_is() {
    let project = Project::fixture("bash");
    fs::rename(project.path("app.sh"), project.path("app")).expect("the fixture has it");
    let mut runner = project.start(["./app"]);
    runner.wait_for(&words::app_says("app v1"));
    runner.wait_for(&words::watching());
    project.edit("version.sh", "v1", "v2");
    runner.wait_for(&words::app_says("app v2"));
}

#[test]
fn a_command_line_runs_by_the_shell_where_it_needs_one() {
    let project = Project::fixture("bash");
    let mut runner = project.start(["printf 'shell %s\\n' one && ./app.sh"]);
    runner.wait_for(&words::app_says("shell one"));
    runner.wait_for(&words::app_says("app v1"));
    runner.wait_for(&words::watching());
    project.edit("version.sh", "v1", "v2");
    runner.wait_for(&words::app_says("app v2"));
}

#[test]
fn several_targets_run_side_by_side_with_their_names_before_their_lines() {
    let project = Project::empty();
    for name in ["one", "two"] {
        project.script(&format!("{name}/{name}.sh"), &format!("echo {name} runs; exec sleep 1000000\n"));
    }
    let mut runner = project.start(["one/one.sh", "two/two.sh"]);
    for name in ["one", "two"] {
        runner.wait_for(&words::prefixed(name, &format!("{name} runs")));
    }
    runner.wait_for(&words::watching());
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_missing_interpreter_is_named_with_what_to_do() {
    let project = Project::empty();
    project.save("app.coffee", "console.log 1\n");
    let empty = project.outside("no-programs");
    fs::create_dir(&empty).expect("the folder is ours");
    let ending = project.pmdev(["start", "app.coffee"]).env("PATH", &empty).finish();
    assert_eq!(ending.code, Some(2), "{}", ending.all());
    assert!(ending.err.contains("coffee"), "it names what was looked for: {}", ending.err);
    assert!(ending.err.contains("--interpreter"), "it says how to set another: {}", ending.err);
}

#[test]
fn the_projects_own_tools_come_first() {
    let project = Project::empty();
    project.script("node_modules/.bin/coffee", "#!/bin/sh\necho \"own coffee runs $1\"; exec sleep 1000000\n");
    project.save("app.coffee", "console.log 1\n");
    let mut runner = project.start(["app.coffee"]);
    let line = runner.wait_for(&words::app_says("own coffee runs")).text();
    assert!(Path::new(line.rsplit(' ').next().expect("a line has words")).ends_with("app.coffee"), "{line}");
}
