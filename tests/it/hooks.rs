//! pmdev behind a line of `package.json` and behind a cargo alias: it starts, a save restarts, and Ctrl-C passes through.

use std::time::Duration;

use crate::support::{PATIENCE, Pane, Project, programs, words};

/// Types the hook in a terminal, saves, and presses Ctrl-C.
#[track_caller]
fn hooks(needs: &[&str], fixture: &str, command: &[&str], app: &str, version: &str) {
    if !programs::have(needs) {
        return;
    }
    let project = Project::fixture(fixture);
    let Some(pane) = Pane::open(&project, command) else { return };
    pane.wait_for(&words::app_says(format!("{app} v1")));
    pane.wait_for(&words::watching());
    project.edit(version, "v1", "v2");
    pane.wait_for(&words::app_says(format!("{app} v2")));
    assert_eq!(pane.count(&words::restarted()), 1, "{}", pane.text());
    pane.press(&["C-c"]);
    pane.finish_within(PATIENCE);
    project.nothing_alive(Duration::from_secs(1), "Ctrl-C");
}

#[test]
fn npm_run_dev() {
    hooks(&["node", "npm"], "npm-script", &["npm", "run", "dev"], "npm app", "version.js");
}

#[test]
fn a_cargo_alias() {
    hooks(&["cargo"], "cargo-xtask", &["cargo", "dev"], "alias app", "version.sh");
}

#[test]
fn two_npm_scripts_side_by_side() {
    if !programs::have(&["node", "npm"]) {
        return;
    }
    let project = Project::fixture("npm-script");
    project.edit(
        "package.json",
        "\"dev\": \"pmdev start app.js\"",
        "\"dev\": \"pmdev start app.js\", \"other\": \"pmdev start app.js --name other\"",
    );
    let scripts = ["dev", "other"].map(|script| {
        let mut runner = project.hook(&["npm", "run", script]).spawn();
        runner.wait_for(&words::app_says("npm app v1"));
        runner.wait_for(&words::watching());
        runner
    });
    project.edit("version.js", "v1", "v2");
    for mut runner in scripts {
        runner.wait_for(&words::app_says("npm app v2"));
    }
}
