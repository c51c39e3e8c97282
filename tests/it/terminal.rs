//! What people see and type: whole lines, whatever apps print; keys; a crash that stays on the screen; Ctrl-Z.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::support::{PATIENCE, Pane, Project, clock::comes_true, processes, programs, words};

/// An app of one shell script.
fn app(script: &str) -> Project {
    let project = Project::empty();
    project.script("app.sh", script);
    project
}

#[test]
fn a_crash_leaves_its_error_and_waits_for_a_change() {
    let project = app("echo 'TypeError: x is not a function' >&2; exit 1\n");
    let mut runner = project.start(["app.sh", "--name", "api"]);
    let error = runner.wait_for(&words::app_says("TypeError"));
    let crash = runner.wait_for(&words::crashed("exit code 1"));
    assert!(error.at <= crash.at, "the error stands before the crash");
    assert_eq!(crash.text(), "[pmdev] api crashed (exit code 1), waiting for a change");
    runner.wait_for(&words::watching());
    project.save("app.sh", "echo works; exec sleep 1000000\n");
    runner.wait_for(&words::app_says("works"));
}

#[test]
fn a_crashed_app_starts_again_by_a_save_of_the_same_bytes() {
    let project = app("[ -e ../outside/fixed ] && echo works && exec sleep 1000000; exit 1\n");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::watching());
    for _ in 0..2 {
        runner.wait_for(&words::crashed("exit code 1"));
        project.save("other.txt", "same");
    }
    runner.wait_for(&words::crashed("exit code 1"));
    fs::write(project.outside("fixed"), "").expect("the folder is ours");
    project.save("other.txt", "same");
    runner.wait_for(&words::app_says("works"));
}

#[test]
fn an_app_that_ends_well_waits_for_a_change() {
    let project = app("echo done\n");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::ended());
    runner.wait_for(&words::watching());
    project.save("other.txt", "1");
    runner.wait_for(&words::ended());
}

#[test]
fn with_explanations_the_list_says_why() {
    let project = app("echo runs; exec sleep 1000000\n");
    let mut runner = project.pmdev(["start", "app.sh", "--explain"]).typed().spawn();
    runner.wait_for(&words::app_says("runs"));
    runner.wait_for(&words::watching());
    project.save("file.txt", "a change");
    runner.wait_for(&words::restarted_by("file.txt"));
    runner.type_line("l");
    runner.wait_for(&words::says("app is online: it has been up for "));
    runner.wait_for(&words::says("app last started ").and(words::says("because of a change (file.txt)")));
}

#[test]
fn keys() {
    let project = app("echo runs; exec sleep 1000000\n");
    let mut runner = project.pmdev(["start", "app.sh", "--name", "api"]).typed().spawn();
    runner.wait_for(&words::app_says("runs"));
    runner.wait_for(&words::watching());
    runner.type_line("h");
    runner.wait_for(&words::says(words::RESTART_KEY).and(words::says("restart")));
    runner.type_line("l");
    runner.wait_for(&words::says("online").and(words::says("api")));
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::restarted());
    runner.type_line("r api");
    runner.wait_for(&words::app_restarted("api"));
    runner.type_line("r nothing");
    runner.wait_for(&words::says("nothing"));
    runner.type_line("bogus");
    runner.wait_for(&words::says("bogus"));
    runner.type_line("p");
    runner.wait_for(&words::any().and(words::says("pause")));
    project.save("file.txt", "while paused");
    runner.type_line("p");
    runner.wait_for(&words::restarted_by("file.txt"));
    runner.type_line("q");
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn blank_lines_are_kept_and_the_tail_is_not_lost() {
    let project = app("printf 'first\\n\\nthird\\nno end'\n");
    let ending = project.pmdev(["start", "app.sh", "--no-watch"]).finish();
    let lines: Vec<&str> = ending.out.lines().filter(|line| !words::any().is(line)).collect();
    assert_eq!(lines, ["first", "", "third", "no end"]);
}

#[test]
fn a_line_of_10_mb_comes_whole() {
    const LENGTH: usize = 10 * 1024 * 1024;
    let project = app("head -c 10485760 /dev/zero | tr '\\0' x; echo; echo after\n");
    let mut runner = project.start(["app.sh"]);
    let line = runner.wait_for(&words::Saying::new("a long line", |line| line.len() > 1024));
    assert_eq!(line.bytes.len(), LENGTH);
    assert!(line.bytes.iter().all(|byte| *byte == b'x'));
    runner.wait_for(&words::app_says("after"));
}

#[test]
fn bad_utf_8_passes_as_it_is() {
    let project = app("printf 'bad \\377\\300 bytes\\n'\n");
    let mut runner = project.start(["app.sh"]);
    let line = runner.wait_for(&words::app_says("bad"));
    assert_eq!(line.bytes, b"bad \xff\xc0 bytes");
}

#[test]
fn a_prompt_shows_without_a_line_end() {
    let project = app("printf 'password: '; exec sleep 1000000\n");
    let Some(pane) = Pane::open(&project, &[programs::PMDEV, "start", "app.sh"]) else { return };
    pane.wait_for(&words::says("password:"));
}

#[test]
fn a_progress_bar_of_several_apps_shows_its_last_state() {
    let project = app("printf '10%%\\r50%%\\r100%%\\n'; exec sleep 1000000\n");
    project.script("other.sh", "echo runs; exec sleep 1000000\n");
    let mut runner = project.start(["app.sh", "other.sh"]);
    let line = runner.wait_for(&words::prefixed("app", "%")).text();
    assert!(line.contains("100%") && !line.contains("10%\r"), "{line:?}");
}

#[test]
fn a_reader_that_stopped_does_not_stop_supervision() {
    let project = app("echo run >> ../outside/runs; yes 'a line that nobody reads'\n");
    let runs = || fs::read_to_string(project.outside("runs")).unwrap_or_default().lines().count();
    let runner = project.pmdev(["start", "app.sh", "--kill-timeout", "1s"]).unread().spawn();
    assert!(comes_true(PATIENCE, || runs() == 1));
    let runner_pid = runner.runner_pid();
    assert!(comes_true(PATIENCE, || processes::watches(runner_pid) > 0), "files are watched");
    project.save("file.txt", "1");
    assert!(comes_true(PATIENCE, || runs() == 2), "a save restarts the app");
    runner.signal(Signal::TERM);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(0));
    project.nothing_alive(Duration::ZERO, "TERM");
}

#[test]
fn ctrl_z_stops_everything_and_fg_goes_on() {
    let project = app("echo runs; exec sleep 1000000\n");
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("pmdev start app.sh");
    pane.wait_for(&words::Saying::new("the app's first line", |line| line == "runs"));
    let app = || project.alive().into_iter().find(|process| process.command == "sleep 1000000").map(|process| process.state);
    assert!(comes_true(PATIENCE, || app() == Some('S')), "the app sleeps");
    pane.press(&["C-z"]);
    assert!(comes_true(PATIENCE, || app() == Some('T')), "the app is stopped: {:?}", app());
    pane.wait_for(&words::says("Stopped"));
    pane.type_line("fg");
    assert!(comes_true(PATIENCE, || app() == Some('S')), "the app goes on: {:?}", app());
    pane.type_line(words::RESTART_KEY);
    pane.wait_for(&words::restarted());
    pane.press(&["C-c"]);
    assert!(comes_true(PATIENCE, || project.alive().is_empty()));
    pane.type_line("echo \"code $?\"");
    pane.wait_for(&words::says("code 0"));
}

#[test]
fn a_held_port_is_named_with_its_holder() {
    if !programs::have(&["node"]) {
        return;
    }
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = holder.local_addr().expect("it is bound").port().to_string();
    let project = Project::fixture("node");
    let mut runner = project.pmdev(["start", "app.js"]).env("PORT", &port).spawn();
    runner.wait_for(&words::crashed("exit code 1"));
    let held = runner.wait_for(&words::any().and(words::says(format!("port {port}")))).text();
    let this = std::env::args().next().expect("a program has a name");
    let holder = format!("which pid {} ({this}", std::process::id());
    assert!(held.contains(&holder) && held.contains("), not of this runner, holds"), "pid, command and whose it is: {held}");
}
