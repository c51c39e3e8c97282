//! The mask of whoever has started us: apps have it, and what the runner itself makes is written by its user alone, whatever it allows.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{PATIENCE, Project, clock, programs, verb, words};

/// Starts something with a mask of its own.
fn masked(mask: &str) -> [String; 4] {
    ["sh".to_owned(), "-c".to_owned(), format!("umask {mask}; exec \"$@\""), "sh".to_owned()]
}

/// Everything below a folder that others than its user can write, and how many were looked at.
fn writable(folder: &Path) -> (Vec<(PathBuf, u32)>, usize) {
    let (mut found, mut seen, mut left) = (Vec::new(), 0, vec![folder.to_owned()]);
    while let Some(path) = left.pop() {
        // Some come and go meanwhile.
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        seen += 1;
        let mode = about.permissions().mode() & 0o7777;
        if !about.is_symlink() && mode & 0o022 != 0 {
            found.push((path.clone(), mode));
        }
        if about.is_dir() {
            left.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    (found, seen)
}

#[track_caller]
fn ours_alone(project: &Project, made: &[&str]) {
    let all = project.root.parent().expect("it lies in a folder");
    for path in made {
        assert!(clock::comes_true(PATIENCE, || all.join(path).exists()), "{path} is not there");
    }
    let (found, seen) = writable(all);
    assert!(found.is_empty() && seen > made.len(), "{found:?}");
}

fn project() -> Project {
    let project = Project::empty();
    project.script(
        "app.sh",
        "#!/bin/sh\ntrap 'exit 0' INT\necho \"mask=$(umask)\"\n[ -e down ] || { (umask 077; touch down); exit 1; }\nwhile :; do sleep 0.05; done\n",
    );
    let app = json!({
        "name": "api", "script": "./app.sh", "autorestart": true, "pid_file": "run/deep/api.pid", "watch": false, "crash_capsules": true,
        "logs": { "out": "logs/deep/out.log", "error": false, "file": true },
    });
    project.save("pmdev.json", json!([app]).to_string());
    project
}

#[test]
fn others_write_nothing_that_a_runner_in_the_foreground_makes() {
    for (mask, profile, seen) in [("0", "dev", "0"), ("002", "dev", "2"), ("0", "prod", "27"), ("002", "prod", "27")] {
        let project = project();
        let by = masked(mask);
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let mut runner = project.pmdev(["start", "--profile", profile]).wrapped(&by).spawn();
        // It crashes once, so that there is a capsule.
        let shown = || runner.lines(&words::says("mask=")).iter().filter(|line| line.text().contains("mask=")).count();
        assert!(clock::comes_true(PATIENCE, || shown() == 2), "it does not come back");
        let line = runner.wait_for(&words::says("mask=")).text();
        assert_eq!(line.rsplit('=').next().map(|mask| mask.trim_start_matches('0')), Some(seen.trim_start_matches('0')), "{line}");
        ours_alone(&project, &["project/run/deep/api.pid", "project/logs/deep/out.log", "home/.pmdev/crashes"]);
        runner.signal(Signal::INT);
        assert_eq!(runner.finish().code, Some(0));
    }
}

#[test]
fn nor_what_one_in_the_background_makes() {
    for mask in ["0", "002"] {
        let project = project();
        project.save("down", "");
        let by = masked(mask);
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let started = project.pmdev(["start", "-d"]).wrapped(&by).spawn().finish();
        assert_eq!(started.code, Some(0), "{}", started.all());
        assert_eq!(project.pmdev(["save"]).wrapped(&by).spawn().finish().code, Some(0));
        ours_alone(&project, &["project/run/deep/api.pid", "project/logs/deep/out.log", "home/.pmdev/pmdev.log", "home/.pmdev/dump.pmdev"]);
        let dump = fs::metadata(project.root.with_file_name("home/.pmdev/dump.pmdev")).expect("it is there").permissions().mode();
        assert_eq!(dump & 0o777, 0o600);
        verb(&project, &["kill"], 0);
    }
}

#[test]
fn nor_the_folders_into_which_programs_are_built() {
    if !programs::have(&["go"]) {
        return;
    }
    let project = Project::empty();
    project.save("main.go", "package main\n\nfunc main() { println(\"built\") }\n");
    project.save("go.mod", "module example.com/built\n\ngo 1.20\n");
    let by = masked("0");
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let ended = project
        .pmdev(["start", "--prod", "main.go"])
        .env("XDG_CACHE_HOME", project.outside("cache"))
        .wrapped(&by)
        .spawn()
        .finish_within(PATIENCE * 4);
    assert!(ended.all().contains("built"), "{}", ended.all());
    for folder in ["cache", "cache/pmdev", "cache/pmdev/build"] {
        let mode = fs::metadata(project.outside(folder)).expect("it was made").permissions().mode();
        assert_eq!(mode & 0o022, 0, "{folder}: {mode:o}");
    }
}
