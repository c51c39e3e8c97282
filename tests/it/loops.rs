//! An app that writes a watched file at every start is found out, named, and stops looping; people's saves go on counting.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Project, clock, words};

/// A project whose app writes `data/out.json` at every start.
fn project() -> Project {
    let project = Project::empty();
    project.save("data/out.json", "{}");
    project.script("app.sh", "echo runs; date +%N > data/out.json; exec sleep 1000000\n");
    project
}

#[test]
fn a_restart_loop_is_named_and_ends() {
    let project = project();
    let mut runner = project.start(["app.sh"]);
    let found = runner.wait_for(&words::restart_loop("data/out.json"));
    runner.wait_for(&words::says("echo data/out.json >> .pmdevignore"));
    let starts = runner.count(&words::app_says("runs"));
    assert!((3..=12).contains(&starts), "{starts} starts before the loop was found: {found}");
    // What it writes now is taken for its own; a loop would have its next turn long before this.
    clock::at(clock::now() + Duration::from_secs(2));
    let quiet = runner.count(&words::app_says("runs"));
    assert!(quiet <= starts + 1, "{quiet} starts, {starts} when the loop was found");
    project.save("other.txt", "a person's save");
    runner.wait_for(&words::restarted_by("other.txt"));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn the_line_that_was_advised_prevents_it() {
    let project = project();
    project.save(".pmdevignore", "data/out.json\n");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::watching());
    for save in ["one", "two"] {
        project.save("other.txt", save);
        runner.wait_for(&words::restarted_by("other.txt"));
    }
    assert_eq!(runner.count(&words::restarted()), 2);
}
