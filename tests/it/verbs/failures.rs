//! What a verb answers when an app does not stay online: why, and what it said, with exit code 1.

use std::{fs, net::TcpListener};

use crate::{
    background::Home,
    support::{PATIENCE, clock::comes_true, programs, runner::Ending},
};

/// Stays, unless a file says that it cannot.
const MOODY: &str = "if [ -e bad ]; then echo 'the schema is too old' >&2; exit 4; fi\necho \"is up\"\nexec sleep 1000000\n";

#[track_caller]
fn tells(ending: &Ending, parts: &[&str]) {
    assert!(parts.iter().all(|part| ending.err.contains(part)), "{parts:?}: {}", ending.all());
}

#[test]
fn every_verb_that_waits_for_online_tells_of_one_that_dies_at_once() {
    let home = Home::new();
    home.project.script("moody.sh", MOODY);
    let bad = home.project.path("bad");
    home.verb(&["start", "-d", "moody.sh", "--no-autorestart"], 0);
    home.verb(&["start", "-d", "moody.sh", "--name", "again"], 0);
    let starts = [
        &["restart", "moody"][..],
        &["start", "moody"],
        &["reload", "moody"],
        &["restart", "moody", "--update-env"],
        &["restart", "0"],
        &["scale", "moody", "2"],
    ];
    for words in starts {
        if words[0] == "start" {
            home.verb(&["stop", "moody"], 0);
        }
        fs::write(&bad, "").expect("the folder is ours");
        tells(&home.verb(words, 1), &["moody", "crashed (exit code 4)", "last lines of moody", "  the schema is too old"]);
        home.verb(&["restart", "moody", "--no-wait"], 0);
        fs::remove_file(&bad).expect("it is ours");
        assert!(home.verb(&["restart", "moody"], 0).out.contains("online again"));
    }
    fs::write(&bad, "").expect("the folder is ours");
    tells(&home.verb(&["restart", "again"], 1), &["again ", "the last lines of again:", "  the schema is too old"]);
}

#[test]
fn who_is_not_ready_in_time_is_told_with_its_last_lines() {
    let home = Home::new();
    home.project.script("late.sh", MOODY);
    home.project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"late\"\nscript = \"late.sh\"\nautorestart = false\nready = { log = \"is up\", timeout = \"200ms\" }\n",
    );
    home.verb(&["start", "-d", "pmdev.toml"], 0);
    home.project.script("late.sh", "echo 'waits for its database'\nexec sleep 1000000\n");
    for word in ["restart", "reload"] {
        tells(&home.verb(&[word, "late"], 1), &["late", "it was not ready within 200 ms", "  waits for its database"]);
    }
}

#[test]
fn a_reload_that_was_taken_back_tells_why() {
    if !programs::have(&["node"]) {
        return;
    }
    let home = Home::new();
    let app = "require('http').createServer().listen(process.env.PORT)";
    home.project.save("w.js", app);
    home.verb(&["start", "-d", "w.js", "-i", "2", "-p", "0"], 0);
    home.project.save("w.js", "console.error('schema 3 is too old'); process.exit(4)");
    let failed = home.verb(&["reload", "w"], 1);
    let why =
        ["w:0 goes on as it was, since its new run failed: it crashed (exit code 4)", "the last lines of w:0:", "  schema 3 is too old"];
    tells(&failed, &why);
    assert!(!failed.err.contains("last lines of w:1"), "its new run was never tried: {}", failed.all());
}

#[test]
fn whoever_waits_for_what_is_deleted_meanwhile_is_told_so() {
    let home = Home::new();
    home.project.script("late.sh", "trap '' INT\necho waits\nwhile :; do sleep 0.02; done\n");
    home.project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"late\"\nscript = \"late.sh\"\nkill_timeout = 300\nready = { log = \"is up\", timeout = \"5m\" }\n",
    );
    home.verb(&["start", "-d", "pmdev.toml", "--no-wait"], 0);
    let waits = home.project.pmdev(["restart", "late"]).spawn();
    // From its stop on, which takes a while, it is the restart that is under way.
    let restarts = |state: &String| state.contains("late stopping") || state == "0 late launching 1";
    assert!(comes_true(PATIENCE, || home.states().iter().any(restarts)), "{:?}", home.states());
    home.verb(&["delete", "late"], 0);
    let told = waits.finish();
    assert_eq!(told.code, Some(1), "{}", told.all());
    let truly = ["late was deleted meanwhile", "is no app of this runner any more"];
    assert!(truly.iter().any(|part| told.err.contains(part)) && !told.err.contains("the runner ends"), "{}", told.all());
}

#[test]
fn a_job_that_has_ended_is_no_failure_and_not_called_online() {
    let home = Home::new();
    home.project.script("job.sh", "exit 0\n");
    home.verb(&["start", "-d", "job.sh", "--no-autorestart"], 0);
    let again = home.verb(&["restart", "job"], 0);
    assert_eq!(again.out, "job is stopped", "{}", again.all());
}

#[test]
fn who_holds_a_port_is_named_in_answers_and_by_why() {
    let home = Home::new();
    let held = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = held.local_addr().expect("it is bound").port();
    home.project.script("api.sh", &format!("echo 'Error: listen EADDRINUSE: address already in use :::{port}' >&2\nexit 1\n"));
    let holder = format!("api could not listen on port {port}, which pid {} (", std::process::id());
    let todo = format!("stop it (kill {}), or give api another port", std::process::id());
    for words in [&["start", "-d", "api.sh", "--no-autorestart"][..], &["restart", "api"], &["start", "api"]] {
        tells(&home.verb(words, 1), &[&holder, &todo, "Error: listen EADDRINUSE"]);
    }
    let why = home.verb(&["why", "api"], 0);
    assert!(why.out.contains(&holder), "{}", why.all());
    drop(held);
    home.project.script("api.sh", "exec sleep 1000000\n");
    home.verb(&["restart", "api"], 0);
    home.verb(&["stop", "api"], 0);
    let why = home.verb(&["why", "api"], 0);
    assert!(!why.out.contains("could not listen"), "{}", why.all());
}
