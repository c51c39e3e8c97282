//! One logical change is one restart, and the run that stays has seen all of it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    time::{Duration, SystemTime},
};

use crate::{
    support::{Project, Writer, clock, programs, words},
    witness::{self, many, restarts_once, write_many},
};

const VALUE: &str = "src/value.txt";

/// Starts the app, has the writer do this, and expects the restarts that are right.
#[track_caller]
fn one_restart(prepare: impl FnOnce(&Project), act: impl FnOnce(&mut Writer<'_>)) {
    let project = witness::project();
    prepare(&project);
    let mut runner = witness::start(&project, &[]);
    restarts_once(&project, &mut runner, Writer::new(&project), act);
    witness::stop(runner);
}

fn nothing(_: &Project) {}

fn touch(file: &File) {
    #[expect(clippy::disallowed_methods, reason = "touch means now")]
    file.set_modified(SystemTime::now()).expect("it is ours");
}

fn rename(project: &Project, from: &str, to: &str) {
    fs::rename(project.path(from), project.path(to)).expect("it is there, and there is one file system");
}

#[test]
fn a_plain_write() {
    one_restart(nothing, |writer| writer.act(|project| project.save(VALUE, "two")));
}

#[test]
fn a_touch() {
    one_restart(nothing, |writer| {
        writer.act(|project| touch(&OpenOptions::new().append(true).open(project.path(VALUE)).expect("the file is there")));
    });
}

#[test]
fn the_touch_command_twice() {
    let project = witness::project();
    let mut runner = witness::start(&project, &[]);
    for _ in 0..2 {
        project.run("touch", &[VALUE]);
        runner.wait_for(&words::restarted_by(VALUE));
        runner.wait_for(&words::app_says("saw "));
    }
    assert_eq!(witness::sentinel(&project, &runner), 2);
}

#[test]
fn a_touch_through_a_descriptor_that_stays_open() {
    one_restart(nothing, |writer| {
        let path = writer.project.path(VALUE);
        let file = OpenOptions::new().append(true).open(path).expect("the file is there");
        writer.act(|_| {
            touch(&file);
            clock::at(clock::now() + Duration::from_millis(5));
            drop(file);
        });
    });
}

#[test]
fn write_to_a_temporary_file_and_rename() {
    one_restart(nothing, |writer| {
        writer.act(|project| project.save("src/value.txt.tmp123", "two"));
        writer.act(|project| rename(project, "src/value.txt.tmp123", VALUE));
    });
}

#[test]
fn vims_backup_dance() {
    one_restart(nothing, |writer| {
        writer.act(|project| {
            drop(File::create(project.path("src/4913")).expect("the project can be written"));
            fs::remove_file(project.path("src/4913")).expect("it was just made");
        });
        writer.act(|project| rename(project, VALUE, "src/value.txt~"));
        writer.act(|project| project.save(VALUE, "two"));
        writer.act(|project| fs::remove_file(project.path("src/value.txt~")).expect("it was just made"));
    });
}

#[test]
fn truncate_and_write() {
    one_restart(nothing, |writer| {
        writer.act(|project| drop(File::create(project.path(VALUE)).expect("the project can be written")));
        writer.act(|project| project.save(VALUE, "two"));
    });
}

#[test]
fn one_file_in_pieces_through_one_descriptor() {
    /// How long a file that is being written holds everything up.
    const HOLD: Duration = Duration::from_millis(500);
    let project = witness::project();
    let mut runner = witness::start(&project, &[]);
    restarts_once(&project, &mut runner, Writer::settling(&project, HOLD), |writer| {
        let mut file = File::create(project.path(VALUE)).expect("the project can be written");
        let begun = clock::now();
        writer.act(|_| writeln!(file, "first piece").expect("the project can be written"));
        writer.act(|_| {
            for piece in 1..7 {
                clock::at(begun + Duration::from_millis(25) * piece);
                writeln!(file, "piece {piece}").expect("the project can be written");
            }
        });
    });
}

#[test]
fn thirty_files_within_200_ms() {
    one_restart(
        |project| many(project, "many", 30, "one"),
        |writer| {
            let begun = clock::now();
            for number in 0..30 {
                clock::at(begun + Duration::from_micros(6_600) * number);
                writer.act(|project| project.save(format!("src/many/{number}.txt"), "two"));
            }
        },
    );
}

#[test]
fn a_checkout_of_2000_files() {
    if !programs::have(&["git"]) {
        return;
    }
    let prepare = |project: &Project| {
        for folder in ["a", "b", "c", "d"] {
            many(project, folder, 500, "one");
        }
        project.repository();
        project.git(&["checkout", "--quiet", "-b", "other"]);
        for folder in ["a", "b", "c", "d"] {
            many(project, folder, 500, "other");
        }
        project.commit("other");
        project.git(&["checkout", "--quiet", "main"]);
    };
    one_restart(prepare, |writer| writer.act(|project| drop(project.git(&["checkout", "--quiet", "other"]))));
}

#[test]
fn a_stash_pop() {
    if !programs::have(&["git"]) {
        return;
    }
    let prepare = |project: &Project| {
        many(project, "some", 20, "one");
        project.repository();
        many(project, "some", 20, "stashed");
        project.git(&["stash", "push", "--quiet"]);
    };
    one_restart(prepare, |writer| writer.act(|project| drop(project.git(&["stash", "pop", "--quiet"]))));
}

#[test]
fn a_formatter_while_the_save_still_settles() {
    let project = witness::project();
    let mut runner = witness::start(&project, &["--watch-delay", "1"]);
    let writer = Writer::settling(&project, Duration::from_secs(1));
    restarts_once(&project, &mut runner, writer, |writer| {
        writer.act(|project| project.save(VALUE, "a=1"));
        clock::at(clock::now() + Duration::from_millis(120));
        writer.act(|project| project.save(VALUE, "a = 1"));
    });
}

#[test]
fn a_new_nested_folder_whose_files_are_written_at_once() {
    one_restart(nothing, |writer| write_many(writer, "a/b/c/d/e", 10, "new"));
}

#[test]
fn a_tree_moved_in() {
    one_restart(nothing, |writer| {
        let outside = writer.project.outside("tree");
        for number in 0..20 {
            let folder = outside.join(format!("deep/{number}"));
            fs::create_dir_all(&folder).expect("the folder is ours");
            fs::write(folder.join("file.txt"), "moved").expect("the folder is ours");
        }
        writer.act(|project| fs::rename(&outside, project.path("src/tree")).expect("one file system"));
    });
}

#[test]
fn a_folder_renamed() {
    one_restart(|project| many(project, "old", 10, "one"), |writer| writer.act(|project| rename(project, "src/old", "src/new")));
}

#[test]
fn a_folder_moved_out_and_written_to_there() {
    let project = witness::project();
    many(&project, "gone", 10, "one");
    let mut runner = witness::start(&project, &[]);
    restarts_once(&project, &mut runner, Writer::new(&project), |writer| {
        writer.act(|project| fs::rename(project.path("src/gone"), project.outside("gone")).expect("one file system"));
    });
    let before = runner.count(&words::restarted());
    fs::write(project.outside("gone/0.txt"), "nobody watches this").expect("the folder is ours");
    assert_eq!(witness::sentinel(&project, &runner), before, "what was moved out is nobody's any more");
}

#[test]
fn npm_install_of_a_local_package() {
    if !programs::have(&["node", "npm"]) {
        return;
    }
    let project = witness::project();
    project.save("package.json", "{ \"name\": \"witness\", \"version\": \"1.0.0\", \"private\": true }\n");
    fs::create_dir(project.outside("local")).expect("the folder is ours");
    fs::write(project.outside("local/package.json"), "{ \"name\": \"local\", \"version\": \"1.0.0\" }\n").expect("the folder is ours");
    let mut runner = witness::start(&project, &[]);
    let mut gap = Duration::ZERO;
    let before = runner.count(&words::restarted());
    project.run("npm", &["install", "--offline", "--no-audit", "--no-fund", &project.outside("local").to_string_lossy()]);
    let saved = ["package.json", "package-lock.json"]
        .map(|file| fs::metadata(project.path(file)).and_then(|data| data.modified()).expect("npm wrote it"));
    if let Ok(between) = saved[0].duration_since(saved[1]).or_else(|_| saved[1].duration_since(saved[0])) {
        gap = between;
    }
    runner.wait_for(&words::restarted());
    let allowed = 1 + usize::from(gap > Duration::from_millis(250));
    let restarts = witness::conclude(&project, &mut runner) - before;
    assert!((1..=allowed).contains(&restarts), "{restarts} restarts where {allowed} are right (manifests {gap:?} apart)");
}

#[test]
fn a_save_while_the_app_is_stopping() {
    let project = witness::project();
    let leave = project.outside("leave");
    let mut runner = project.pmdev(["start", "app.pl", "--kill-timeout", "30s"]).env("LINGER", &leave).spawn();
    runner.wait_for(&words::watching());
    runner.wait_for(&words::app_says("saw "));
    project.save(VALUE, "two");
    runner.wait_for(&words::app_says("lingers"));
    project.save(VALUE, "three, seen by the next run");
    fs::write(&leave, "").expect("the folder is ours");
    let restarts = witness::conclude(&project, &mut runner);
    assert!((1..=2).contains(&restarts), "{restarts} restarts for a save and one more while the app stopped");
}

#[test]
fn a_save_while_the_app_is_starting() {
    let project = witness::project();
    let go = project.outside("go");
    let mut runner = project.pmdev(["start", "app.pl"]).env("GATE", &go).spawn();
    runner.wait_for(&words::app_says("arrived"));
    runner.wait_for(&words::watching());
    project.save(VALUE, "two");
    runner.wait_for(&words::app_says("arrived"));
    fs::write(&go, "").expect("the folder is ours");
    runner.wait_for(&words::app_says(witness::sum(&project)));
    assert_eq!(witness::sentinel(&project, &runner), 1, "one restart for the save");
}
