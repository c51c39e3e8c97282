//! Watch rules that have an action of their own, and commands that run first.

use rustix::process::Signal;

use crate::support::{Project, Runner, words};

/// An app that says what reaches it, and a rule with these keys for `*.html`.
fn project(rule: &str) -> Project {
    let project = Project::empty();
    project.script("api.sh", "trap 'echo told' HUP\necho \"run $(cat made 2>/dev/null)\"\nwhile :; do sleep 1000000 & wait; done\n");
    let watch = format!(r#"["src", {{ "paths": ["*.html"], {rule} }}]"#);
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", "watch": {watch}, "instances": 1 }}]"#));
    project.save("src/a.txt", "one");
    project.save("a.html", "one");
    project
}

fn start(project: &Project) -> Runner<'_> {
    project.let_stamps_pass();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::watching());
    runner.wait_for(&words::app_says("run "));
    runner
}

/// A file that no rule is for restarts the app; so what came before is over.
fn conclude(project: &Project, runner: &mut Runner<'_>) {
    project.save("src/a.txt", "two");
    runner.wait_for(&words::restarted_by("src/a.txt"));
}

#[test]
fn a_command_runs_first_and_its_lines_are_the_apps() {
    let project = project(r#""run": "echo making; cp a.html made", "action": "restart""#);
    let mut runner = start(&project);
    project.save("a.html", "two");
    runner.wait_for(&words::app_says("making"));
    runner.wait_for(&words::restarted_by("a.html"));
    runner.wait_for(&words::app_says("run two"));
    conclude(&project, &mut runner);
    assert_eq!(runner.count(&words::restarted()), 2, "what the command wrote is no change of its own");
}

#[test]
fn a_command_that_fails_leaves_the_app_alone() {
    let project = project(r#""run": "echo oops; exit 3", "action": "restart""#);
    let mut runner = start(&project);
    project.save("a.html", "two");
    runner.wait_for(&words::app_says("oops"));
    runner.wait_for(&words::says("(exit code 3)"));
    assert_eq!(runner.count(&words::restarted()), 0);
    conclude(&project, &mut runner);
}

#[test]
fn a_reload_replaces_the_run_and_a_signal_does_not() {
    let reloads = project(r#""action": "reload""#);
    let mut runner = start(&reloads);
    reloads.save("a.html", "two");
    runner.wait_for(&words::restarted_by("a.html"));
    drop(runner);
    let signals = project(r#""signal": "SIGHUP""#);
    let mut runner = start(&signals);
    signals.save("a.html", "two");
    runner.wait_for(&words::app_says("told"));
    assert_eq!(runner.count(&words::restarted()), 0);
    conclude(&signals, &mut runner);
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}
