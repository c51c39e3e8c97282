//! When saves count.

use serde_json::{Value, json};

use super::listed_as;
use crate::{
    background::Home,
    support::{Project, verb, words::says},
};

#[test]
fn a_stopped_app_is_started_by_no_save_and_counts_no_restart() {
    let project = Project::empty();
    project.script("a.sh", "echo runs\nexec sleep 1000000\n");
    let mut runner = project.start(["a.sh", "a.sh", "--name", "one", "--name", "two"]);
    runner.wait_for(&says("one started"));
    runner.wait_for(&says("two started"));
    verb(&project, &["stop", "one"], 0);
    project.script("a.sh", "echo runs again\nexec sleep 1000000\n");
    runner.wait_for(&says("two restarted"));
    verb(&project, &["restart", "one"], 0);
    let listed: Value = serde_json::from_str(&verb(&project, &["list", "--json"], 0).out).expect("it is JSON");
    assert_eq!((&listed[0]["name"], &listed[0]["restarts"], &listed[0]["status"]), (&"one".into(), &0.into(), &"online".into()));
    // The next save counts for it again.
    project.script("a.sh", "echo runs once more\nexec sleep 1000000\n");
    runner.wait_for(&says("one restarted"));
}

#[test]
fn after_a_stop_the_file_that_watches_is_watched_again_by_the_next_start_or_restart_of_it() {
    let home = Home::new();
    home.project.save("ecosystem.config.json", json!({ "apps": [{ "name": "api", "script": "api.sh", "watch": true }] }).to_string());
    let mut saves = 0;
    let mut save = || {
        saves += 1;
        home.project.script("api.sh", &format!("echo 'save {saves}'\nexec sleep 1000000\n"));
        format!("save {saves}\n")
    };
    for again in [&["start", "-d", "ecosystem.config.json"][..], &["restart", "ecosystem.config.json"], &["start", "api"]] {
        home.verb(&["start", "-d", "ecosystem.config.json"], 0);
        assert_eq!(listed_as(&home, "api")["watch"], true, "as given");
        home.verb(&["stop", "api"], 0);
        let missed = save();
        home.verb(again, 0);
        home.logged("api", &missed);
        let seen = save();
        home.logged("api", &seen);
    }
}
