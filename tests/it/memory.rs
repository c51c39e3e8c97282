//! Memory limits, with processes that take real memory.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, Saying, clock::comes_true, programs, words};

/// How long a kill at once may take: far less than the app has to stop.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A project file with apps of the badly behaved program: name, switches, keys.
fn project(apps: &[(&str, &str, &str)]) -> Project {
    let project = Project::empty();
    let program = programs::misbehave();
    let app = |(name, switches, keys): &(&str, &str, &str)| {
        format!(r#"{{ "name": "{name}", "script": "{} {switches}", "watch": false, {keys} }}"#, program.display())
    };
    project.save("pmdev.json", format!("[{}]", apps.iter().map(app).collect::<Vec<_>>().join(",\n")));
    project
}

fn above(app: &str) -> Saying {
    words::says(format!("[pmdev] {app} uses ")).and(words::says("of memory, above its limit of"))
}

#[test]
fn a_child_that_eats_is_caught_and_what_shares_or_has_its_memory_twice_is_left_alone() {
    let hog = ("hog", "--child-eats 150", r#""max_memory_restart": "100M", "autorestart": true"#);
    let shares = r#""limits": { "memory": "400M" }, "autorestart": true"#;
    let project = project(&[hog, ("server", "--share 300 --children 4", shares), ("twice", "--twice 300", shares)]);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::prefixed("server", "ready"));
    runner.wait_for(&words::prefixed("twice", "ready"));
    for _ in 0..3 {
        // Each time both were looked at.
        let told = runner.wait_for(&above("hog")).text();
        let used: u64 =
            told.split("uses ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|mib| mib.parse().ok()).expect("a size");
        assert!((150..180).contains(&used), "{told}");
        runner.wait_for(&words::says("[pmdev] hog restarted "));
    }
    for name in ["server", "twice"] {
        assert_eq!(runner.count(&words::says(format!("[pmdev] {name} "))), 1, "it has started, and nothing else is told of it");
    }
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn above_the_soft_limit_an_app_may_finish_what_it_does() {
    let project = project(&[("api", "--eat 150 --slow-stop 300", r#""max_memory_restart": "100M", "autorestart": true"#)]);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&above("api"));
    runner.wait_for(&words::app_says("stopping"));
    runner.wait_for(&words::says("of memory, with a limit of 100 MiB"));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn above_the_hard_limit_it_is_killed_at_once() {
    let keys = r#""limits": { "memory_hard": "100M" }, "autorestart": true, "kill_timeout": "10m""#;
    let project = project(&[("api", "--ignore INT --ignore TERM --eat 150", keys)]);
    let mut runner = project.start([""; 0]);
    runner.wait_within(AT_ONCE, &words::says("[pmdev] api is killed: it uses "));
    runner.wait_within(AT_ONCE, &words::says("[pmdev] api restarted "));
}

#[test]
fn a_limit_that_is_edited_in_counts_for_the_run_that_is_there() {
    let project = project(&[("api", "--eat 150", r#""autorestart": true"#)]);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("ready"));
    project.let_stamps_pass();
    project.edit("pmdev.json", r#""watch": false"#, r#""watch": false, "max_memory_restart": "100M""#);
    runner.wait_for(&words::says("memory limit none/none -> 100 MiB/none"));
    runner.wait_for(&above("api"));
    assert!(comes_true(PATIENCE, || runner.count(&words::app_says("ready")) >= 2));
}
