//! What is no change restarts nothing. Where the runner decides so, the decision is waited for; then a sentinel is saved in another
//! file, and it alone causes the next restart.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use crate::{
    support::{Project, programs, words},
    witness,
};

const VALUE: &str = "src/value.txt";

const SAME: &str = "src/value.txt was saved with the bytes it had";

/// Does this to a watched project; nothing may come of it. `decided`: what the runner must say of it, where it decides anything.
#[track_caller]
fn nothing_happens(prepare: impl FnOnce(&Project), decided: Option<&str>, act: impl FnOnce(&Project)) {
    let project = witness::project();
    prepare(&project);
    let mut runner = witness::start(&project, &["--explain"]);
    // The first save of a file always counts: nobody knows yet what was in it.
    project.save(VALUE, "two");
    runner.wait_for(&words::restarted_by(VALUE));
    runner.wait_for(&words::app_says(witness::sum(&project)));
    project.timeline.note("what must not restart anything:");
    act(&project);
    if let Some(why) = decided {
        runner.wait_for(&words::skipped(why));
    }
    assert_eq!(witness::sentinel(&project, &runner), 1, "the save at the beginning is the only restart before the sentinel's");
    witness::stop(runner);
}

fn no_preparation(_: &Project) {}

#[test]
fn saving_the_same_bytes_again() {
    nothing_happens(no_preparation, Some(SAME), |project| project.save(VALUE, "two"));
}

#[test]
fn the_same_bytes_by_rename() {
    nothing_happens(no_preparation, Some(SAME), |project| {
        fs::write(project.outside("value"), "two").expect("the folder is ours");
        fs::rename(project.outside("value"), project.path(VALUE)).expect("one file system");
    });
}

#[test]
fn chmod() {
    nothing_happens(no_preparation, Some("src/value.txt changed in its metadata alone"), |project| {
        fs::set_permissions(project.path(VALUE), Permissions::from_mode(0o600)).expect("it is ours");
    });
}

#[test]
fn a_file_opened_for_writing_and_closed() {
    let prepare = |project: &Project| project.save("src/old.txt", "never written to again");
    nothing_happens(prepare, Some("src/old.txt was opened for writing and closed without a write"), |project| {
        // A file written a moment ago might have been written through this descriptor.
        witness::wait_until_old(project, "src/old.txt", Duration::from_millis(2_500));
        drop(OpenOptions::new().read(true).write(true).open(project.path("src/old.txt")).expect("it is there"));
    });
}

#[test]
fn an_empty_folder_made_and_removed() {
    nothing_happens(no_preparation, Some("src/stays is a folder without files that count"), |project| {
        fs::create_dir(project.path("src/empty")).expect("the project can be written");
        fs::remove_dir(project.path("src/empty")).expect("it was just made");
        fs::create_dir(project.path("src/stays")).expect("the project can be written");
    });
}

#[test]
fn a_build_into_an_ignored_folder() {
    let prepare = |project: &Project| {
        project.save(".gitignore", "/out/\n*.map\n");
        fs::create_dir_all(project.path(".git")).expect("the project can be written");
        fs::create_dir(project.path("out")).expect("the project can be written");
    };
    nothing_happens(prepare, Some("src/bundle.js.map is ignored: "), |project| {
        project.save("out/bundle.js", "1");
        project.save("out/deep/er/chunk.js", "1");
        project.save("src/bundle.js.map", "{}");
    });
}

#[test]
fn anything_in_the_folders_that_tools_own() {
    nothing_happens(no_preparation, Some("src/node_modules is ignored: "), |project| {
        for folder in ["node_modules/x/dist", "target/debug", ".git", ".git/refs/heads", "__pycache__", ".venv/lib", "src/node_modules/y"] {
            project.save(format!("{folder}/file"), "1");
            project.save(format!("{folder}/file"), "2");
        }
    });
}

#[test]
fn git_status_commit_and_fetch() {
    if !programs::have(&["git"]) {
        return;
    }
    nothing_happens(Project::repository, None, |project| {
        project.git(&["status"]);
        project.git(&["add", "--all"]);
        project.git(&["commit", "--quiet", "-m", "second"]);
        project.git(&["branch", "other"]);
    });
}

#[test]
fn what_the_runner_itself_has_built() {
    if !programs::have(&["cargo"]) {
        return;
    }
    let project = Project::fixture("cargo");
    // No pattern keeps `target` out: it is known as the runner's own.
    let mut runner = project.start(["Cargo.toml", "--no-default-ignore", "--no-gitignore"]);
    runner.wait_for(&words::app_says("app v1"));
    runner.wait_for(&words::watching());
    for (old, new) in [("v1", "v2"), ("v2", "v3")] {
        project.edit("src/version.rs", old, new);
        runner.wait_for(&words::restarted_by("src/version.rs"));
        runner.wait_for(&words::app_says(format!("app {new}")));
    }
    assert_eq!(runner.count(&words::restarted()), 2, "what the builds wrote restarts nothing");
    witness::stop(runner);
}

#[test]
fn editor_swap_files() {
    nothing_happens(no_preparation, Some("src/4913 is ignored: "), |project| {
        for file in [".value.txt.swp", ".value.txt.swx", "value.txt~", "#value.txt#", ".#value.txt", "4913"] {
            let path = format!("src/{file}");
            project.save(&path, "1");
            project.save(&path, "2");
            fs::remove_file(project.path(path)).expect("it was just made");
        }
    });
}

#[test]
fn what_the_user_ignores_while_an_exception_counts() {
    let project = witness::project();
    fs::create_dir_all(project.path("data")).expect("the project can be written");
    let mut runner = witness::start(&project, &["--ignore-watch", "data/*,!data/kept.json"]);
    project.save("data/cache.json", "1");
    assert_eq!(witness::sentinel(&project, &runner), 0);
    project.save("data/kept.json", "1");
    runner.wait_for(&words::restarted_by("data/kept.json"));
}

#[test]
fn files_without_the_wanted_extension() {
    let project = witness::project();
    let mut runner = witness::start(&project, &["--ext", "pl,txt"]);
    project.save("src/style.css", "1");
    assert_eq!(witness::sentinel(&project, &runner), 0);
    project.save("src/deep/new.txt", "1");
    runner.wait_for(&words::restarted_by("src/deep/new.txt"));
}
