//! What root reads, runs and writes where other users have a say: links of theirs, and files that a project file loads.

use std::{
    fs,
    os::unix::fs::{chown, lchown, symlink},
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use serde_json::json;

use super::{open, project};
use crate::support::{PATIENCE, Project, clock::comes_true, programs, runner::Ending, words};

/// A user that is nobody here.
const ANN: u32 = 12_345;

fn check(project: &Project, allow: &str) -> Ending {
    project.pmdev(["check", "--prod"]).env("PMDEV_ALLOW_WRITABLE_CONFIG", allow).finish()
}

/// A link of another user.
fn link_of_ann(at: &Path, target: &Path) {
    symlink(target, at).expect("the folder is ours");
    lchown(at, Some(ANN), None).expect("we are root");
}

#[test]
fn what_a_project_file_loads_is_not_even_run_where_others_can_write_it() {
    if !crate::process::can_become_others() || !programs::have(&["node"]) {
        return;
    }
    let apps = "[{ name: 'app', script: 'app.js', uid: 'root' }]";
    for (name, text, module) in [
        ("pmdev.config.js", "module.exports = require('./lib/apps')", "lib/apps.js"),
        ("pmdev.config.js", "module.exports = require(['.', 'lib', 'apps.js'].join('/'))", "lib/apps.js"),
        ("pmdev.config.js", "module.exports = require('apps')", "node_modules/apps/index.js"),
        ("pmdev.config.mjs", "export { default } from './lib/apps.mjs'", "lib/apps.mjs"),
    ] {
        let project = Project::empty();
        project.save("app.js", "");
        project.save(name, text);
        let export = if module.ends_with(".mjs") { "export default" } else { "module.exports =" };
        let write = if module.ends_with(".mjs") { "(await import('fs'))" } else { "require('fs')" };
        project.save(module, format!("{write}.writeFileSync('ran', ''); {export} {apps}"));
        open(&project.path(module), 0o666);
        let ending = check(&project, "");
        let told =
            format!("it loads {}, which others than root can write (mode 666), and root runs what it says", project.path(module).display());
        assert!(ending.code == Some(2) && ending.all().contains(&told), "{text}: {}", ending.all());
        assert!(!project.path("ran").exists(), "{text}: it was run");
        assert_eq!(check(&project, "1").code, Some(0), "{text}: allowed");
        open(&project.path(module), 0o644);
        assert_eq!(check(&project, "").code, Some(0), "{text}");
        chown(project.path(module), Some(ANN), None).expect("we are root");
        let told = check(&project, "");
        let doubtful = told.all().contains("belongs to user 12345, and root runs what it says");
        assert!(told.code == Some(0) && doubtful != module.starts_with("node_modules"), "{text}: {}", told.all());
    }
}

#[test]
fn a_project_file_behind_a_link_of_another_user_is_doubtful() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = project(json!({ "uid": "root" }));
    let real = project.path("real.json");
    fs::rename(project.path("pmdev.json"), &real).expect("it is ours");
    symlink(&real, project.path("pmdev.json")).expect("the folder is ours");
    assert!(!check(&project, "").all().contains("a link of user"), "our own is");
    lchown(project.path("pmdev.json"), Some(ANN), None).expect("we are root");
    let ending = check(&project, "");
    let told = "pmdev.json is a link of user 12345, and root runs what it says";
    assert!(ending.code == Some(0) && ending.all().contains(told), "{}", ending.all());
    assert!(ending.all().contains("chown -h root pmdev.json"), "{}", ending.all());
    lchown(project.path("pmdev.json"), Some(0), None).expect("we are root");
    link_of_ann(&project.path("way"), &project.root);
    let ending = project.pmdev(["check", "--prod", "way/real.json"]).finish();
    assert!(ending.all().contains("way/real.json is found over way, a link of user 12345"), "{}", ending.all());
}

#[test]
fn roots_crash_capsules_go_over_no_link_of_another_user() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = Project::empty();
    project.script("api.sh", "exit 3\n");
    let home = project.root.with_file_name("home").join(".pmdev");
    fs::create_dir_all(&home).expect("the folder is ours");
    let elsewhere = project.outside("elsewhere");
    fs::create_dir(&elsewhere).expect("it is ours");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "max_restarts": 0, "uid": "root" }]"#);
    link_of_ann(&home.join("crashes"), &elsewhere);
    let ending = project.pmdev(["start", "--prod"]).finish();
    let link = home.join("crashes").display().to_string();
    let told = format!("{link} is a link of user 12345, and root follows its own alone");
    assert!(ending.all().contains("crash capsules are not kept, because ") && ending.all().contains(&told), "{}", ending.all());
    assert!(ending.all().contains(&format!("chown -h root {link}")), "{}", ending.all());
    let files = || fs::read_dir(&elsewhere).expect("it is ours").count();
    assert_eq!((ending.code, files()), (Some(3), 0));
    lchown(home.join("crashes"), Some(0), None).expect("we are root");
    assert_eq!(project.pmdev(["start", "--prod"]).finish().code, Some(3));
    assert_eq!(files(), 1, "over its own it goes");
    assert!(project.pmdev(["why", "api"]).finish().out.contains("it crashed (exit code 3)"));
}

#[test]
fn roots_pid_files_go_over_no_link_of_another_user() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = Project::empty();
    project.script("api.sh", "exec sleep 1000000\n");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "pid_file": "ann/run/api.pid" }]"#);
    let elsewhere = project.outside("elsewhere");
    fs::create_dir(&elsewhere).expect("it is ours");
    fs::write(elsewhere.join("api.pid"), "precious").expect("it is ours");
    fs::create_dir(project.path("ann")).expect("the folder is ours");
    let link = project.path("ann/run");
    link_of_ann(&link, &elsewhere);
    let there = || fs::read_to_string(elsewhere.join("api.pid")).unwrap_or_default();
    let run = |told: &str, holds: &dyn Fn(&str) -> bool| {
        let mut runner = project.start(["--no-watch"]);
        runner.wait_for(&words::says(told));
        assert!(comes_true(PATIENCE, || holds(&there())), "{}", there());
        runner.signal(Signal::TERM);
        runner.finish()
    };
    let told = format!("api runs without its pid file: {} could not be written: ", project.path("ann/run/api.pid").display());
    let ending = run(&told, &|text| text == "precious");
    let why = format!("{} is a link of user 12345, and root follows its own alone", link.display());
    assert!(ending.all().contains(&why) && ending.all().contains("chown -h root "), "{}", ending.all());
    assert_eq!(there(), "precious", "nor is anything taken away there");
    lchown(&link, Some(0), None).expect("we are root");
    run("api started", &|text| text.trim().parse::<i32>().is_ok());
    assert!(!PathBuf::from(&elsewhere).join("api.pid").exists(), "it is gone with the run");
}
