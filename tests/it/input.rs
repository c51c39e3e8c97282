//! What is typed for an app, and what becomes of it when the terminal or the pipe is at its end.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{PATIENCE, Pane, Project, clock::comes_true, processes, programs, words};

/// Shows every line it reads.
const READER: &str = "while read -r line; do echo \"got $line\"; done; echo over\n";

fn reader() -> Project {
    let project = Project::empty();
    project.script("app.sh", READER);
    project
}

#[test]
fn ctrl_d_ends_the_input_of_the_app_at_once() {
    let project = reader();
    let Some(pane) = Pane::open(&project, &[programs::PMDEV, "start", "app.sh", "--stdin"]) else { return };
    pane.wait_for(&words::watching());
    pane.type_line("one");
    pane.wait_for(&words::app_says("got one"));
    pane.press(&["C-d"]);
    pane.wait_for(&words::ended());
    // The terminal itself goes on: keys, and the input of the next run.
    pane.type_line(words::RESTART_KEY);
    pane.wait_for(&words::restarted());
    pane.type_line("two");
    pane.wait_for(&words::app_says("got two"));
}

#[test]
fn an_app_that_does_not_run_takes_no_lines_and_people_are_told() {
    let project = reader();
    let mut runner = project.pmdev(["start", "app.sh", "--stdin"]).typed().spawn();
    runner.wait_for(&words::watching());
    runner.end_input();
    runner.wait_for(&words::app_says("over"));
    project.save("app.sh", "cat; echo at its end\n");
    runner.wait_for(&words::app_says("at its end"));

    let project = reader();
    project.script("app.sh", "exit 1\n");
    let mut runner = project.pmdev(["start", "app.sh", "--stdin"]).typed().spawn();
    runner.wait_for(&words::crashed("exit code 1"));
    runner.type_line("hello");
    runner.wait_for(&words::says("app takes no lines now"));
}

#[test]
fn a_terminal_may_go_away_where_hang_ups_are_ignored() {
    let project = Project::empty();
    project.script("app.sh", "while :; do echo line; sleep 0.1; done\n");
    let start = format!("trap '' HUP; exec {} start app.sh", programs::PMDEV);
    let Some(pane) = Pane::open(&project, &["sh", "-c", &start]) else { return };
    pane.wait_for(&words::watching());
    let runners: Vec<i32> = project.alive().iter().filter(|one| one.command.starts_with(programs::PMDEV)).map(|one| one.pid).collect();
    pane.close();
    let lost = |pid: &i32| {
        let file = std::fs::read_link(format!("/proc/{pid}/fd/0"));
        file.is_ok_and(|file| file.to_string_lossy().contains("deleted"))
    };
    assert!(comes_true(PATIENCE, || runners.iter().all(lost)), "the terminal of {runners:?} is gone");
    let runs = || std::fs::read_to_string(project.outside("runs")).unwrap_or_default().lines().count();
    project.save("app.sh", "echo run >> ../outside/runs; exec sleep 1000000\n");
    assert!(comes_true(PATIENCE, || runs() == 1), "a save still restarts the app");
    runners.iter().for_each(|pid| processes::send(*pid, Signal::TERM));
    project.nothing_alive(Duration::from_secs(10), "TERM");
}

#[test]
fn an_env_file_may_be_a_pipe_which_can_be_read_once() {
    let project = Project::empty();
    project.script("app.sh", "echo \"it is $SECRET\"\n");
    let line = "exec pmdev start app.sh --no-watch --env-file <(echo SECRET=known)";
    let ending = project.hook(&["bash", "-c", line]).finish();
    assert!(ending.out.contains("it is known"), "{}", ending.all());
}
