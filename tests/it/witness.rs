//! The app that says what it saw, and the stories about it: changes, how often it restarted, and what its last run saw.

use std::{fs, process, time::Duration};

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, Runner, Writer, clock::comes_true, words};

/// The file whose save ends a story. It lies outside `src`, so what the app sees does not change.
const SENTINEL: &str = "sentinel.txt";

/// A copy of the fixture, with a sentinel.
pub fn project() -> Project {
    let project = Project::fixture("witness");
    project.save(SENTINEL, "0");
    project
}

/// The checksum the app must say now.
pub fn sum(project: &Project) -> String {
    let sum = project.run("sh", &["-c", "find src -type f -exec cksum {} + | LC_ALL=C sort -k3 | cksum"]);
    format!("saw {}", sum.trim_end().replace(' ', "-"))
}

/// Starts the app, watched.
pub fn start<'a>(project: &'a Project, flags: &[&str]) -> Runner<'a> {
    let mut runner = project.start(["app.pl"].iter().chain(flags));
    runner.wait_for(&words::watching());
    let first = words::app_says(sum(project));
    assert!(comes_true(PATIENCE, || runner.count(&first) > 0), "the app does not say what it sees");
    runner
}

/// Waits until the app's last run has seen everything, then saves the sentinel, which must cause one restart of its own: whatever was
/// still to come would show in it. Gives how many restarts there were before that one.
#[track_caller]
pub fn conclude(project: &Project, runner: &mut Runner<'_>) -> usize {
    let everything = words::app_says(sum(project));
    let last = || runner.lines(&words::app_says("saw ")).last().is_some_and(|line| everything.is(&line.text()));
    assert!(comes_true(PATIENCE, last), "the last run has not seen everything: {}", everything.name);
    sentinel(project, runner)
}

/// Saves the sentinel and waits for the restart that it alone causes. Gives how many restarts there were before that one.
#[track_caller]
pub fn sentinel(project: &Project, runner: &Runner<'_>) -> usize {
    let (alone, said) = (words::restarted_by(SENTINEL), words::app_says("saw "));
    let (before, runs) = (runner.count(&alone), runner.count(&said));
    project.save(SENTINEL, format!("{} {before}", process::id()));
    assert!(comes_true(PATIENCE, || runner.count(&alone) > before), "the sentinel alone does not cause a restart");
    assert!(comes_true(PATIENCE, || runner.count(&said) > runs), "the restarted app does not speak");
    let restarts = runner.lines(&words::restarted());
    restarts.iter().rposition(|line| alone.is(&line.text())).expect("it was counted")
}

/// A story: changes by a writer, after which the app has restarted at least once and at most once for each time it might have settled.
#[track_caller]
pub fn restarts_once(project: &Project, runner: &mut Runner<'_>, mut writer: Writer<'_>, act: impl FnOnce(&mut Writer<'_>)) {
    let before = runner.count(&words::restarted());
    act(&mut writer);
    assert!(comes_true(PATIENCE, || runner.count(&words::restarted()) > before), "no restart");
    let restarts = conclude(project, runner) - before;
    let allowed = writer.allowed();
    assert!((1..=allowed).contains(&restarts), "{restarts} restarts where 1 to {allowed} are right");
    project.timeline.note(format!("{restarts} restarts, {allowed} allowed"));
}

/// Waits until a file's last change is that long ago.
pub fn wait_until_old(project: &Project, path: &str, age: Duration) {
    let changed = fs::metadata(project.path(path)).and_then(|data| data.modified()).expect("the file is there");
    assert!(comes_true(PATIENCE, || changed.elapsed().is_ok_and(|elapsed| elapsed > age)), "{path} does not grow old");
}

/// Stops the runner.
pub fn stop(runner: Runner<'_>) {
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

/// Writes many small files: `src/<folder>/<n>.txt`.
pub fn many(project: &Project, folder: &str, count: usize, text: &str) {
    write_many(&mut Writer::new(project), folder, count, text);
}

/// The same by a writer that notes its gaps.
pub fn write_many(writer: &mut Writer<'_>, folder: &str, count: usize, text: &str) {
    let folder = writer.project.path("src").join(folder);
    writer.act(|_| fs::create_dir_all(&folder).expect("the project can be written"));
    for number in 0..count {
        writer.act(|_| fs::write(folder.join(format!("{number}.txt")), format!("{text} {number}\n")).expect("the project can be written"));
    }
}
