//! The list of what is still to come, on a real terminal, and nowhere else.

use std::fs;

use super::{project, ready};
use crate::support::{PATIENCE, Pane, Project, clock::comes_true, programs, words};

fn apps() -> Project {
    let project = project(
        "apps:\n\
         - { name: api, script: app.sh, args: api, depends_on: db, ready: { log: is there, timeout: 60s } }\n\
         - { name: db, script: app.sh, args: db, ready: { log: is there, timeout: 60s } }\n\
         - { name: chat, script: chat.sh }\n",
    );
    project.save("app.sh", "until [ -e \"../outside/$1\" ]; do sleep 0.01; done\necho \"$1 is there\"\nsleep 1000\n");
    project.save("chat.sh", "i=0\nwhile :; do i=$((i + 1)); echo \"chat $i\"; sleep 0.05; done\n");
    project
}

fn go(project: &Project, app: &str) {
    fs::write(project.outside(app), "").expect("it is ours");
}

/// The list is gone from the screen.
#[track_caller]
fn gone(pane: &Pane<'_>) {
    let gone = comes_true(PATIENCE, || !pane.text().contains(['…', '✓', '✗']));
    assert!(gone, "{}", pane.text());
}

#[test]
fn it_stays_below_what_is_said_and_goes_when_all_are_up() {
    let project = apps();
    let Some(pane) = Pane::open(&project, &[programs::PMDEV, "start", "--no-watch"]) else { return };
    pane.wait_for(&words::says("… api waits until db is ready"));
    pane.wait_for(&words::says("… db starting"));
    pane.wait_for(&words::says("✓ chat started"));
    // It is redrawn with every line, and stands there once.
    pane.wait_for(&words::prefixed("chat", "chat 20"));
    let once = || {
        let text = pane.text();
        text.matches("… api waits").count() == 1 && text.trim_end().lines().last().is_some_and(|line| line.starts_with(['…', '✓']))
    };
    assert!(comes_true(PATIENCE, once), "{}", pane.text());
    go(&project, "db");
    pane.wait_for(&words::says("✓ db ready in "));
    pane.wait_for(&words::says("… api starting"));
    go(&project, "api");
    pane.wait_for(&ready("api"));
    gone(&pane);
    let numbers: Vec<u32> = pane.text().lines().filter_map(|line| line.strip_prefix("chat | chat ")?.trim().parse().ok()).collect();
    assert!(numbers.iter().copied().eq(1..=u32::try_from(numbers.len()).expect("it fits")), "lines are missing: {}", pane.text());
    pane.press(&["C-c"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
}

#[test]
fn it_goes_with_ctrl_c_and_with_ctrl_z_and_comes_back() {
    let project = apps();
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line(&format!("{} start --no-watch", programs::PMDEV));
    pane.wait_for(&words::says("… api waits until db is ready"));
    pane.press(&["C-z"]);
    pane.wait_for(&words::says("Stopped"));
    gone(&pane);
    pane.type_line("fg");
    pane.wait_for(&words::says("… api waits until db is ready"));
    pane.press(&["C-c"]);
    pane.wait_for(&words::says("are being stopped"));
    gone(&pane);
}

#[test]
fn it_is_for_terminals_alone_and_not_for_those_who_want_other_output() {
    let project = apps();
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::prefixed("chat", "chat 10"));
    go(&project, "db");
    runner.wait_for(&ready("db"));
    assert_eq!(runner.count(&words::says("…")) + runner.count(&words::says("\x1b")), 0);
    drop(runner);
    for flag in ["--json", "--raw", "--quiet"] {
        let Some(pane) = Pane::open(&project, &[programs::PMDEV, "start", "--no-watch", flag]) else { return };
        pane.wait_for(&words::says("chat 20"));
        assert!(!pane.text().contains(['…', '✓']), "{flag}: {}", pane.text());
        pane.press(&["C-c"]);
        pane.finish_within(PATIENCE);
        fs::remove_file(project.outside("code")).expect("it was noted");
    }
}
