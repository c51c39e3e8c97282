//! What `start` does to what is there already, and when it answers.

use serde_json::json;

use super::listed_as;
use crate::{
    background::Home,
    support::{PATIENCE, clock::comes_true, programs},
};

#[test]
fn a_start_by_name_starts_what_is_down_and_restarts_what_runs() {
    let home = Home::new();
    home.verb_with(&["start", "-d", "api.sh", "web.sh"], &[("X", "first")], 0);
    home.verb(&["stop", "web"], 0);
    home.verb(&["start", "all"], 0);
    assert_eq!(home.states(), ["0 api online 1", "1 web online 0"]);
    // With -d it is the same.
    home.verb(&["start", "-d", "api"], 0);
    home.verb(&["start", "-d", "1", "default"], 0);
    assert_eq!(home.states(), ["0 api online 3", "1 web online 1"]);
    let runs = || std::fs::read_to_string(home.path("logs/api-out.log")).expect("it is there").matches("X=first").count();
    assert!(comes_true(PATIENCE, || runs() == 4), "they keep their environment");
    home.verb_with(&["start", "-d", "api", "-a"], &[("X", "second")], 0);
    home.logged("api", "X=second");
    home.verb(&["stop", "all"], 0);
    assert!(home.verb(&["start", "-d", "/i|b/"], 0).out.contains("api, web are online"));
    assert_eq!(home.states(), ["0 api online 4", "1 web online 1"]);
    // A file that is there is no name.
    home.project.script("other", "#!/bin/sh\nexec sleep 1000000\n");
    home.verb(&["start", "-d", "other"], 0);
    assert_eq!(home.states()[2], "2 other online 0");
    let nobody = home.verb(&["start", "-d", "api", "nobody"], 2);
    assert!(nobody.err.contains("was not found"), "{}", nobody.all());
}

#[test]
fn a_name_that_is_a_number_wins_over_an_id() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["start", "-d", "web.sh", "-n", "0"], 0);
    home.verb(&["stop", "0"], 0);
    assert_eq!(home.states(), ["0 api online 0", "1 0 stopped 0"]);
    home.verb(&["restart", "1"], 0);
    home.verb(&["delete", "0"], 0);
    assert_eq!(home.states(), ["0 api online 0"]);
    home.verb(&["restart", "0"], 0);
    assert_eq!(home.states(), ["0 api online 1"], "no app is called so any more");
}

#[test]
fn with_wait_ready_a_start_answers_when_the_app_has_said_so() {
    if !programs::have(&["node"]) {
        return;
    }
    let home = Home::new();
    let says = "setTimeout(() => { require('fs').writeFileSync('said', ''); process.send('ready'); }, 300); setInterval(() => {}, 1e9);";
    home.project.save("late.js", says);
    for mode in [&[][..], &["-i", "1"]] {
        home.verb(&[&["start", "-d", "late.js", "--wait-ready"], mode].concat(), 0);
        assert!(home.project.path("said").exists(), "{mode:?}: it answered too early");
        home.verb(&["delete", "late"], 0);
        std::fs::remove_file(home.project.path("said")).expect("it is there");
    }
}

#[test]
fn an_app_is_given_up_after_16_deaths_that_came_within_a_second_each() {
    let home = Home::new();
    home.project.script("dies.sh", "exit 1\n");
    home.verb(&["start", "-d", "--no-wait", "dies.sh"], 0);
    assert!(comes_true(PATIENCE, || home.states() == ["0 dies errored 15"]), "{:?}", home.states());
    let env = listed_as(&home, "dies");
    assert_eq!((&env["max_restarts"], &env["min_uptime"], &env["restart_delay"]), (&json!(16), &json!(1000), &json!(0)));
    // Whoever starts it again gives it as many chances.
    home.verb(&["start", "--no-wait", "dies"], 0);
    assert!(comes_true(PATIENCE, || home.states() != ["0 dies errored 15"] && home.states()[0].contains("errored")), "{:?}", home.states());
}
