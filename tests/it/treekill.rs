//! Whom the signal of a stop reaches.

use std::fs;

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, clock::comes_true};

/// What a child of the app's main process was told by the time all of it is gone.
fn told(treekill: bool) -> String {
    let project = Project::empty();
    project
        .script("child.sh", "trap 'echo USR1 >> told' USR1; trap 'echo TERM >> told; exit' TERM; : > up; while :; do sleep 0.01; done\n");
    project.script("api.sh", "trap 'exit 0' USR1; ./child.sh & while :; do wait; done\n");
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
