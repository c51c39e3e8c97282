//! A runner of root whose log files lie in another user's folder.

use std::{
    fs,
    os::unix::fs::{chown, lchown, symlink},
};

use rustix::process::Signal;
use serde_json::json;

use super::{TICKER, apps, archives, holds};
use crate::support::{PATIENCE, Project, clock, words};

/// A user that is nobody here.
const ANN: u32 = 12_345;

#[test]
fn root_writes_into_nothing_that_a_link_of_another_user_leads_to() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = Project::empty();
    project.script("app.sh", TICKER);
    let logs = project.path("ann");
    fs::create_dir(&logs).expect("the project is ours");
    let secret = project.outside("shadow");
    fs::write(&secret, "root:x\n").expect("it is ours");
    symlink(&secret, logs.join("out.log")).expect("the folder is ours");
    lchown(logs.join("out.log"), Some(ANN), None).expect("we are root");
    chown(&logs, Some(ANN), None).expect("we are root");
    let files = json!({ "max_size": 400, "keep": 3, "total_size": 0 });
    apps(&project, json!([{ "name": "app", "script": "app.sh", "out_file": "ann/out.log", "error_file": "ann/error.log", "logs": files }]));
    let mut runner = project.start(["--prod"]);
    let told = runner.wait_for(&words::says("ann/out.log cannot be written ("));
    assert!(told.text().contains("out.log is a link of user 12345, and root follows its own alone)"), "{}", told.text());
    runner.wait_for(&words::says("make the link root's: chown -h root "));
    // What is not led anywhere is written, put away and compressed.
    let packed = || archives(&logs.join("error.log")).iter().any(|(file, _)| file.extension().is_some_and(|ending| ending == "gz"));
    assert!(clock::comes_true(PATIENCE, packed));
    assert_eq!(fs::read_to_string(&secret).expect("it is there"), "root:x\n");
    fs::remove_file(logs.join("out.log")).expect("we are root");
    runner.wait_for(&words::says("ann/out.log is written again, and no line is missing in it"));
    holds(&logs.join("out.log"), "tick ");
    // A link that comes in the place of a file is put away as what it is.
    fs::remove_file(logs.join("error.log")).expect("we are root");
    symlink(&secret, logs.join("error.log")).expect("we are root");
    lchown(logs.join("error.log"), Some(ANN), None).expect("we are root");
    runner.wait_for(&words::says("ann/error.log cannot be written ("));
    assert_eq!(fs::read_to_string(&secret).expect("it is there"), "root:x\n");
    runner.signal(Signal::INT);
    runner.finish();
}
