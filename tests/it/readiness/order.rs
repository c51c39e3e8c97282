//! Which app starts and stops before which.

use std::fs;

use rustix::process::Signal;

use super::{index, project, ready};
use crate::support::{PATIENCE, words};

/// An app that is ready when it may, and says when it stops.
const APP: &str = "trap 'echo \"$1 stops\"; exit 0' INT\n\
    echo \"$1 up\"\n\
    until [ -e \"../outside/$1\" ]; do sleep 0.01; done\n\
    echo \"$1 is there\"\n\
    while :; do sleep 0.01; done\n";

#[test]
fn ready_started_and_what_needs_nothing() {
    let project = project(
        "apps:\n\
         - { name: api, script: app.sh, args: api, depends_on: { db: ready, cache: started } }\n\
         - { name: db, script: app.sh, args: db, ready: { log: is there, timeout: 20s } }\n\
         - { name: cache, script: app.sh, args: cache, ready: { log: is there, timeout: 20s } }\n",
    );
    project.save("app.sh", APP);
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::says("[pmdev] api waits until "));
    // Both are alive, and neither is ready: they were started side by side.
    runner.wait_for(&words::prefixed("db", "db up"));
    runner.wait_for(&words::prefixed("cache", "cache up"));
    assert_eq!(runner.count(&words::prefixed("api", "api up")), 0);
    fs::write(project.outside("db"), "").expect("it is ours");
    runner.wait_for(&ready("db"));
    runner.wait_for(&words::prefixed("api", "api up"));
    assert_eq!(runner.count(&ready("cache")), 0, "that it was started is enough");
    runner.signal(Signal::INT);
    let said = runner.finish().out;
    assert!(index(&said, "api stops") < index(&said, "db stops"), "{said}");
    assert!(index(&said, "api stops") < index(&said, "cache stops"), "{said}");
}

#[test]
fn apps_that_need_nothing_of_each_other_are_started_side_by_side() {
    // Each is ready only once all the others are alive.
    let names = ["a", "b", "c", "d"];
    let apps = names.map(|name| format!("- {{ name: {name}, script: app.sh, args: {name}, ready: {{ log: all here, timeout: 30s }} }}\n"));
    let project = project(&format!("apps:\n{}", apps.concat()));
    project.save(
        "app.sh",
        "touch \"../outside/$1\"\nfor other in a b c d; do until [ -e \"../outside/$other\" ]; do sleep 0.01; done; done\necho all here\nsleep 1000\n",
    );
    let mut runner = project.start(["--no-watch"]);
    names.into_iter().for_each(|name| drop(runner.wait_for(&ready(name))));
}

#[test]
fn a_job_comes_first() {
    let project = project(
        "apps:\n\
         - { name: api, script: app.sh, args: api, depends_on: { migrate: completed } }\n\
         - { name: migrate, script: migrate.sh }\n",
    );
    project.save("app.sh", APP);
    project.save("migrate.sh", "echo migrating\nuntil [ -e ../outside/go ]; do sleep 0.01; done\necho migrated\n");
    for profile in ["--prod", "--no-watch"] {
        let _ = fs::remove_file(project.outside("go"));
        let mut runner = project.start([profile]);
        runner.wait_for(&words::prefixed("migrate", "migrating"));
        assert_eq!(runner.count(&words::prefixed("api", "api up")), 0);
        fs::write(project.outside("go"), "").expect("it is ours");
        runner.wait_for(&words::prefixed("api", "api up"));
        runner.signal(Signal::INT);
        let said = runner.finish().out;
        assert!(index(&said, "migrated") < index(&said, "api up"), "{said}");
        assert_eq!(said.matches("migrated").count(), 1, "it is not done again: {said}");
    }
}

#[test]
fn a_job_that_fails_keeps_others_away() {
    let project = project(
        "apps:\n\
         - { name: api, script: app.sh, args: api, depends_on: { migrate: completed } }\n\
         - { name: migrate, script: migrate.sh, max_restarts: 0 }\n",
    );
    project.save("app.sh", APP);
    project.save("migrate.sh", "exit 3\n");
    for profile in ["--prod", "--no-watch"] {
        let ending = project.start([profile]).finish();
        assert_eq!(ending.code, Some(3), "{}", ending.all());
        assert!(!ending.all().contains("api up"), "{}", ending.all());
    }
}

#[test]
fn one_that_is_never_ready_keeps_others_away() {
    let project = project(
        "apps:\n\
         - { name: api, script: app.sh, args: api, depends_on: db }\n\
         - { name: db, script: app.sh, args: db, ready: { log: is there, timeout: 300ms }, max_restarts: 0 }\n",
    );
    project.save("app.sh", APP);
    let ending = project.start(["--prod"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert!(!ending.all().contains("api up"), "{}", ending.all());
    project.nothing_alive(PATIENCE, "the end");
}
