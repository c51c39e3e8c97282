//! Whom the signal of a stop reaches, and that those are named whom it does not.

use std::fs;

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, clock::comes_true, words};

/// What a child of the app's main process was told by the time all of it is gone.
fn told(treekill: bool) -> String {
    let project = Project::empty();
    project
        .script("child.sh", "trap 'echo USR1 >> told' USR1; trap 'echo TERM >> told; exit' TERM; : > up; while :; do sleep 0.01; done\n");
    // A shell that has two signals before it may do the second one's bidding alone: the child is to be done with the first.
    let first = if treekill { "while [ ! -s told ]; do sleep 0.01; done; " } else { "" };
    project.script("api.sh", &format!("trap '{first}exit 0' USR1; ./child.sh & while :; do wait; done\n"));
    let app = format!(r#"[{{ "name": "api", "script": "api.sh", "watch": false, "kill_signal": "SIGUSR1", "treekill": {treekill} }}]"#);
    project.save("pmdev.json", app);
    let runner = project.start([""; 0]);
    assert!(comes_true(PATIENCE, || project.path("up").exists()), "the child does not start");
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
    project.nothing_alive(PATIENCE, "the end");
    fs::read_to_string(project.path("told")).unwrap_or_default()
}

#[test]
fn without_treekill_the_main_process_alone_is_told_and_what_it_leaves_is_swept() {
    assert_eq!(told(false), "TERM\n");
    assert_eq!(told(true), "USR1\nTERM\n");
}

#[test]
fn processes_that_an_app_leaves_behind_are_named_when_they_are_killed() {
    let project = Project::empty();
    let left = |count: usize| {
        project.script("api.sh", &format!("trap '' TERM; for one in $(seq {count}); do sleep 100000$one & done; exit 1\n"));
        let mut runner = project.start(["api.sh", "--no-watch"]);
        let said = runner
            .wait_for(&words::says("[pmdev] api left processes behind that did not stop within 1 s of SIGTERM and were killed: "))
            .text();
        drop(runner);
        let numbers = |text: &str| text.chars().filter(|one| !one.is_ascii_digit()).collect::<String>();
        said.split_once("killed: ").map(|(_, names)| (names.to_owned(), numbers(names))).expect("it was just found")
    };
    let (names, form) = left(1);
    assert!(names.starts_with("pid ") && names.ends_with(" (sleep 1000001)"), "{names}");
    assert_eq!(form, "pid  (sleep )");
    let (names, form) = left(5);
    assert_eq!(form, "pid  (sleep ), pid  (sleep ), pid  (sleep ) and  more");
    assert!(names.ends_with(" and 2 more"), "{names}");
}
