//! Where lines go, and what they look like there.

use std::fs;

use serde_json::Value;

use super::listed_as;
use crate::{
    background::Home,
    support::{PATIENCE, Project, clock::comes_true, words::says},
};

#[test]
fn logs_lie_where_pm2_users_look_for_them() {
    let project = Project::empty();
    project.script("a.sh", "echo out\necho err >&2\nexec sleep 1000000\n");
    let mut runner = project.start(["--prod", "a.sh"]);
    runner.wait_for(&says("a started"));
    let home = project.root.with_file_name("home").join(".pmdev");
    let holds = |path: &str, text: &str| comes_true(PATIENCE, || fs::read_to_string(home.join(path)).is_ok_and(|have| have.contains(text)));
    assert!(holds("logs/a-out.log", "out") && holds("logs/a-error.log", "err"));
}

/// Both streams, one line each.
const BOTH: &str = "echo out\necho err >&2\nexec sleep 1000000\n";

/// The lines of a file of the project, once it has so many.
#[track_caller]
fn lines(home: &Home, path: &str, count: usize) -> Vec<String> {
    let read = || fs::read_to_string(home.project.path(path)).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(comes_true(PATIENCE, || read().len() >= count), "{path}: {:?}", read());
    read()
}

/// A line with a 0 in the place of every digit.
fn shape(line: &str) -> String {
    line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

#[test]
fn null_and_the_null_device_mean_no_file() {
    let home = Home::new();
    home.project.script("both.sh", BOTH);
    home.verb(&["start", "-d", "both.sh", "-o", "NULL", "-e", "/dev/null", "-l", "all.log"], 0);
    // It has said everything by then.
    assert_eq!(lines(&home, "all.log", 2).len(), 2);
    let env = listed_as(&home, "both");
    assert_eq!((&env["pm_out_log_path"], &env["pm_err_log_path"]), (&"/dev/null".into(), &"/dev/null".into()));
    assert!(!home.project.path("NULL").exists());
    let kept = fs::read_dir(home.path("logs")).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>());
    assert!(kept.as_ref().map_or(true, Vec::is_empty), "{kept:?}");
}

#[test]
fn both_streams_go_into_the_one_file_and_their_own() {
    let home = Home::new();
    home.project.script("both.sh", BOTH);
    home.verb(&["start", "-d", "both.sh", "-o", "new/out.log", "-e", "new/deep/err.log", "-l", "all.log"], 0);
    let mut all = lines(&home, "all.log", 2);
    all.sort();
    assert_eq!(all, ["err", "out"]);
    assert_eq!((lines(&home, "new/out.log", 1), lines(&home, "new/deep/err.log", 1)), (vec!["out".into()], vec!["err".into()]));
    let log = home.project.path("all.log");
    assert_eq!(listed_as(&home, "both")["pm_log_path"], log.to_str().expect("it is a text"));
}

#[test]
fn lines_have_the_time_in_the_form_that_is_asked_for() {
    let home = Home::new();
    home.project.script("both.sh", BOTH);
    for (name, flags, expected) in [
        ("time", &["--time"][..], "0000-00-00T00:00:00: out"),
        ("tokens", &["--log-date-format", "DD.MM.YY HH:mm:ss.SSS [by] Z"], "00.00.00 00:00:00.000 by +00:00: out"),
        ("plain", &[], "out"),
    ] {
        let file = format!("{name}.log");
        home.verb_with(&[&["start", "-d", "both.sh", "-n", name, "-o", &file][..], flags].concat(), &[("TZ", "UTC")], 0);
        assert_eq!(shape(&lines(&home, &file, 1)[0]), expected, "{name}");
    }
}

#[test]
fn a_line_of_json_is_one_compact_object_of_pm2s_fields_in_their_order() {
    let home = Home::new();
    home.project.script("both.sh", "echo 'say \"hi\"'\necho err >&2\nexec sleep 1000000\n");
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["start", "-d", "both.sh", "-n", "json", "-o", "out.json", "-e", "err.json", "--log-type", "json"], 0);
    let object = |message: &str, stream: &str| {
        format!(r#"{{"message":"{message}","timestamp":"0000-00-00T00:00:00.000Z","type":"{stream}","process_id":0,"app_name":"json"}}"#)
    };
    assert_eq!(shape(&lines(&home, "out.json", 1)[0]), object(r#"say \"hi\""#, "out"));
    assert_eq!(shape(&lines(&home, "err.json", 1)[0]), object("err", "err"));
    let first: Value = serde_json::from_str(&lines(&home, "out.json", 1)[0]).expect("it is JSON");
    assert_eq!(first["process_id"], 1, "the id, not the pid");
}
