//! Crash capsules: what a failure leaves behind, for `pmdev why` to tell of.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{PATIENCE, Project, clock::comes_true, programs, words};

fn files(project: &Project) -> Vec<PathBuf> {
    let folder = project.root.with_file_name("home").join(".pmdev/crashes");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files
}

fn capsule(file: &PathBuf) -> Value {
    serde_json::from_slice(&fs::read(file).expect("it is there")).expect("a capsule is JSON")
}

#[test]
fn each_failure_leaves_one_and_why_tells_of_the_last() {
    let project = Project::empty();
    let app = format!("echo starting; echo oops >&2; exec {} --eat 60 --exit 7\n", programs::misbehave().display());
    project.script("api.sh", &app);
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "restart_delay": 0, "max_restarts": 3 }]"#);
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(7), "{}", ending.all());
    let files = files(&project);
    assert_eq!(files.len(), 3, "{files:?}");
    let mode = |path: &PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&files[0]), mode(&files[0].parent().expect("it has one").to_owned())), (0o600, 0o700));
    let last = capsule(&files[2]);
    assert_eq!(last["reason"], "it crashed (exit code 7)");
    assert_eq!((last["exit_code"].as_i64(), last["restarts"].as_u64(), &last["signal"]), (Some(7), Some(2), &Value::Null));
    assert_eq!(last["cwd"].as_str(), project.root.to_str());
    let mut said: Vec<&str> = last["lines"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    said.sort_unstable();
    assert!(said[0] == "oops" && said[1].starts_with("ready ") && said[2] == "starting", "{said:?}");
    let peak = last["peak_memory"].as_u64().expect("it is more than the runner has");
    assert!((60 << 20..100 << 20).contains(&peak), "{peak}");
    let why = project.pmdev(["why", "api"]).finish();
    assert_eq!(why.code, Some(0), "{}", why.all());
    for part in ["api failed ", " ago, at ", "it crashed (exit code 7)", "oops", files[2].to_str().expect("UTF-8")] {
        assert!(why.out.contains(part), "{part}: {}", why.out);
    }
    let json: Value = serde_json::from_str(&project.pmdev(["why", "api", "--json"]).finish().out).expect("it is an object");
    assert_eq!((json["file"].as_str(), json["exit_code"].as_i64()), (files[2].to_str(), Some(7)));
    project.save("api", "a file of that name");
    assert!(project.pmdev(["why", "api"]).finish().out.contains("is watched"), "a path comes first");
}

#[test]
fn in_dev_there_are_none_unless_asked_for_and_they_name_what_changed() {
    let project = Project::empty();
    project.script("api.sh", ". ./version.sh\n");
    project.save("version.sh", "echo good; exec sleep 1000000\n");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "watch": ["version.sh"] }]"#);
    project.let_stamps_pass();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::watching());
    runner.wait_for(&words::app_says("good"));
    project.save("version.sh", "echo bad; exit 5\n");
    runner.wait_for(&words::crashed("exit code 5"));
    let why = project.pmdev(["why", "api"]).finish();
    assert!(why.out.contains("api has left no crash capsule in "), "{}", why.out);
    project.edit("pmdev.json", r#""watch""#, r#""crash_capsules": true, "watch""#);
    runner.wait_for(&words::says("crash_capsules false -> true"));
    project.save("version.sh", "echo worse; exit 6\n");
    runner.wait_for(&words::crashed("exit code 6"));
    assert!(comes_true(PATIENCE, || files(&project).len() == 1), "{:?}", files(&project));
    let capsule = capsule(&files(&project)[0]);
    assert_eq!(capsule["changed"], serde_json::json!([project.path("version.sh")]), "{capsule}");
}

#[test]
fn where_none_can_be_kept_it_is_told_once() {
    let project = Project::empty();
    project.script("api.sh", "exit 1\n");
    let logs = r#""out_file": false, "error_file": false"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", "restart_delay": 0, "max_restarts": 9, {logs} }}]"#));
    project.save("occupied", "no folder");
    let ending = project.pmdev(["start", "--prod"]).env("PMDEV_HOME", project.path("occupied")).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert_eq!(ending.out.matches("crash capsules are not kept, because ").count(), 1, "{}", ending.out);
}

#[test]
fn an_app_that_is_killed_for_its_memory_leaves_one_too() {
    let project = Project::empty();
    let app = format!("exec {} --ignore INT --eat 150\n", programs::misbehave().display());
    project.script("api.sh", &app);
    let keys = r#""limits": { "memory_hard": "100M" }"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", {keys} }}]"#));
    let mut runner = project.start(["--prod"]);
    runner.wait_for(&words::says("api is killed: it uses "));
    assert!(comes_true(PATIENCE, || !files(&project).is_empty()));
    let capsule = capsule(&files(&project)[0]);
    assert!(capsule["peak_memory"].as_u64().is_some_and(|peak| peak > 150 << 20), "{capsule}");
    assert!(capsule["reason"].as_str().is_some_and(|reason| reason.contains("of memory")), "{capsule}");
    runner.signal(Signal::TERM);
    runner.finish();
}

#[test]
fn an_app_that_cannot_be_started_leaves_one_too() {
    let project = Project::empty();
    project.script("api", "#!/no/such/interpreter\n");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "./api", "interpreter": "none", "max_restarts": 0 }]"#);
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(127), "{}", ending.all());
    let files = files(&project);
    assert_eq!(files.len(), 1, "{files:?}");
    let capsule = capsule(&files[0]);
    assert!(capsule["reason"].as_str().is_some_and(|reason| reason.starts_with("it could not be started")), "{capsule}");
    assert_eq!((&capsule["exit_code"], &capsule["pid"]), (&Value::Null, &Value::Null), "{capsule}");
}

#[test]
fn what_an_app_without_logs_says_is_nowhere_to_be_read() {
    let project = Project::empty();
    project.script("api.sh", "echo card 4111; echo card 4112 >&2; exit 1\n");
    let keys = r#""disable_logs": true, "restart_delay": 0, "max_restarts": 1"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", {keys} }}]"#));
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert!(ending.out.contains("is given up") && !ending.all().contains("card"), "{}", ending.all());
    let files = files(&project);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(capsule(&files[0])["lines"], serde_json::json!([]));
}

#[test]
fn a_run_that_never_began_has_not_said_what_the_one_before_it_did() {
    let project = Project::empty();
    let copy = project.outside("pmdev");
    fs::copy(programs::PMDEV, &copy).expect("it is there");
    project.script("api.sh", "echo of the first run >&2; chmod 644 \"$COPY\"; exit 1\n");
    let app = serde_json::json!({ "name": "api", "script": "api.sh", "restart_delay": 0, "max_restarts": 2, "env": { "COPY": copy } });
    project.save("pmdev.json", serde_json::json!([app]).to_string());
    let ending = project.hook(&[copy.to_str().expect("UTF-8"), "start", "--prod"]).finish();
    assert!(ending.out.contains("starting the launcher"), "{}", ending.all());
    let lines: Vec<Value> = files(&project).iter().map(|file| capsule(file)["lines"].clone()).collect();
    assert_eq!(lines, [serde_json::json!(["of the first run"]), serde_json::json!([])]);
    assert!(!ending.out.contains("last lines of api's error output"), "{}", ending.out);
}

#[test]
fn the_last_two_hundred_lines_are_kept() {
    let project = Project::empty();
    project.script("api.sh", "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo \"line $i\"; done; exit 1\n");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "max_restarts": 1 }]"#);
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    let lines: Vec<String> = (101..=300).map(|line| format!("line {line}")).collect();
    assert_eq!(capsule(&files(&project)[0])["lines"], serde_json::json!(lines));
}

#[test]
fn without_restarts_a_crash_is_errored_at_once() {
    let project = Project::empty();
    project.script("api.sh", "exit 4\n");
    project.save("pmdev.json", r#"[{ "name": "api", "script": "api.sh", "max_restarts": 0 }]"#);
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(4), "{}", ending.all());
    assert!(ending.out.contains("api crashed (exit code 4) and is not started again (max_restarts is 0)"), "{}", ending.all());
}

#[test]
fn how_long_it_was_there_counts_also_where_it_was_never_ready() {
    let project = Project::empty();
    project.script("api.sh", "exec sleep 1000\n");
    let ready = r#""ready": { "log": "^never$", "timeout": "1s" }, "max_restarts": 0"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", {ready} }}]"#));
    let ending = project.pmdev(["start", "--prod"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    let capsule = capsule(&files(&project)[0]);
    assert!(capsule["uptime_ms"].as_u64().is_some_and(|uptime| uptime >= 900), "{capsule}");
}
