//! When lines were said that only files still have: in which order they come, and how old they are.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{apps, archives, started};
use crate::support::{PATIENCE, Project, clock, verb};

/// What `pmdev logs --nostream ARGS` prints.
#[track_caller]
fn shown(project: &Project, arguments: &[&str]) -> String {
    verb(project, &[&["logs", "--nostream", "--no-color"][..], arguments].concat(), 0).out
}

/// Waits until the app has said this.
#[track_caller]
fn says(project: &Project, line: &str) {
    let said = || !shown(project, &["api", "--raw", "--grep", &format!("^{line}$")]).is_empty();
    assert!(clock::comes_true(PATIENCE, said), "no {line:?}: {}", shown(project, &["api"]));
}

#[test]
fn lines_of_an_earlier_runner_are_as_old_as_they_are() {
    let project = Project::empty();
    let log = project.path("logs/out.log");
    let logs = json!({ "out": log, "max_size": "1K", "keep": 99, "total_size": 0, "compress": true });
    apps(&project, json!([{ "name": "api", "script": "./app.sh", "logs": logs }]));
    project.save("logs/out.log", "somebody's\n");
    let file = fs::OpenOptions::new().append(true).open(&log).expect("it is there");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_649_000)).expect("it is ours");
    let mut before = Vec::new();
    for round in 0..3 {
        project.script(
            "app.sh",
            &format!("#!/bin/sh\nfor i in $(seq 200); do echo said $i in round {round}; done\necho end {round}\nexec sleep 1000000\n"),
        );
        before.push(Timestamp::now());
        let mut runner = project.start(["--prod"]);
        runner.wait_for(&started("api"));
        let since = |round: usize| {
            let out = shown(&project, &["api", "--json", "--since", &before[round].to_string()]);
            out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>()
        };
        assert!(clock::comes_true(PATIENCE, || since(round).len() == 201), "of round {round}: {:?}", since(round));
        for first in 0..=round {
            let lines = since(first);
            assert_eq!(lines.len(), 201 * (round - first + 1), "of round {round} from {first} on");
            let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
            assert_eq!(messages[0], format!("said 1 in round {first}"));
            let times: Vec<Timestamp> =
                lines.iter().map(|line| line["timestamp"].as_str().and_then(|time| time.parse().ok()).expect("a time")).collect();
            assert!(times.is_sorted() && times[times.len() - 1] <= Timestamp::now(), "{times:?}");
        }
        runner.signal(Signal::INT);
        assert_eq!(runner.finish().code, Some(0));
    }
    assert!(archives(&log).len() > 10, "they were put away");
    let beside = |path: &std::path::Path| {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        path.with_file_name(format!(".{}.times", name.trim_end_matches(".gz")))
    };
    assert!(archives(&log).iter().skip(1).all(|(path, _)| beside(path).exists()), "each with when its lines came");
}

#[test]
fn both_streams_come_in_their_order_each_time() {
    let project = Project::empty();
    let wait = "while [ ! -e go$i ]; do sleep 0.01; done";
    project.script(
        "app.sh",
        &format!("#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo out $i; echo err $i >&2; {wait}; done\necho end\nexec sleep 1000000\n"),
    );
    apps(&project, json!([{ "name": "api", "script": "./app.sh" }]));
    let expected: String = (1..=6).map(|number| format!("out {number}\nerr {number}\n")).collect::<String>() + "end\n";
    let all = || shown(&project, &["api", "--raw"]).lines().map(|line| format!("{line}\n")).collect::<String>();
    let mut runner = project.start(["--prod"]);
    runner.wait_for(&started("api"));
    for number in 1..=6 {
        says(&project, &format!("out {number}"));
        says(&project, &format!("err {number}"));
        project.save(format!("go{number}"), "");
    }
    says(&project, "end");
    for _ in 0..3 {
        assert_eq!(all(), expected);
    }
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    // Now nobody holds them any more.
    for _ in 0..3 {
        assert_eq!(all(), expected);
    }
    project.script("app.sh", "#!/bin/sh\necho later\nexec sleep 1000000\n");
    let mut runner = project.start(["--prod"]);
    runner.wait_for(&started("api"));
    says(&project, "later");
    assert_eq!(all(), expected + "later\n");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}
