//! The gate before a new version: its build runs while the old version serves, a failing one leaves it serving, a newer save cancels it.

use std::{io::Read as _, net::TcpStream};

use crate::support::{
    PATIENCE, Project, Runner,
    clock::until,
    programs,
    words::{self, app_says, build_failed, building},
};

/// Answers every connection with its version.
const SERVER: &str = "\
mod version;

fn main() {
    let listener = std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();
    println!(\"port {}\", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        let _ = std::io::Write::write_all(&mut stream.unwrap(), version::VERSION.as_bytes());
    }
}
";

/// Builds what `source.txt` says: `slow` for ever, `bad` not at all.
const BUILD: &str = "\
source=$(cat source.txt)
echo \"builds $source.\"
case $source in
  slow) exec sleep 1000000 ;;
  bad) exit 3 ;;
esac
echo \"$source\" > built.txt
";

const GATED: &str = "\
[[apps]]
name = \"app\"
script = \"app.sh\"
build = \"sh build.sh\"
watch = [\"source.txt\"]
";

/// The port that the newest run told.
fn port(runner: &mut Runner<'_>) -> u16 {
    let line = runner.wait_for(&app_says("port ")).text();
    line.rsplit(' ').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line:?} has no port"))
}

/// What a server answers.
#[track_caller]
fn answer(port: u16) -> String {
    let answer = until(PATIENCE, || {
        let mut text = String::new();
        TcpStream::connect(("127.0.0.1", port)).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    });
    answer.unwrap_or_else(|| panic!("nobody answers on port {port}"))
}

/// A project with a build of its own.
fn gated(source: &str) -> Project {
    let project = Project::empty();
    project.save("source.txt", source);
    project.script("app.sh", "echo \"serves $(cat built.txt).\"\nexec sleep 1000000\n");
    project.script("build.sh", BUILD);
    project.save("pmdev.toml", GATED);
    project
}

#[test]
fn a_failing_cargo_build_leaves_the_old_binary_answering() {
    if !programs::have(&["cargo"]) {
        return;
    }
    let project = Project::fixture("cargo");
    project.save("src/main.rs", SERVER);
    let mut runner = project.start(["Cargo.toml"]);
    let first = port(&mut runner);
    runner.wait_for(&words::watching());
    assert_eq!(answer(first), "v1");
    project.save("src/version.rs", "pub const VERSION: &str = v2;\n");
    runner.wait_for(&build_failed("app", "the old version keeps running"));
    assert_eq!(answer(first), "v1", "the old binary answers on");
    project.save("src/version.rs", "pub const VERSION: &str = \"v3\";\n");
    let second = port(&mut runner);
    assert_eq!(answer(second), "v3");
    assert_eq!(runner.count(&app_says("port ")), 2, "the failed build started nothing");
}

#[test]
fn a_save_during_a_build_cancels_it_and_builds_anew() {
    let project = gated("one");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&app_says("serves one."));
    runner.wait_for(&words::watching());
    project.save("source.txt", "slow");
    runner.wait_for(&app_says("builds slow."));
    project.save("source.txt", "two");
    runner.wait_for(&app_says("builds two."));
    runner.wait_for(&app_says("serves two."));
    assert_eq!(runner.count(&building("app")), 3);
    assert_eq!(runner.count(&app_says("serves ")), 2);
}

#[test]
fn a_first_build_that_fails_waits_for_a_save() {
    let project = gated("bad");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&build_failed("app", "(exit code 3), waiting for a change"));
    runner.wait_for(&words::watching());
    assert_eq!(runner.count(&app_says("serves ")), 0);
    project.save("source.txt", "good");
    runner.wait_for(&app_says("serves good."));
}
