//! Instances and apps that write into one file: their lines are counted together, each is there once, and none is said to be another's.

use std::{collections::BTreeMap, fs, path::Path};

use rustix::process::Signal;
use serde_json::json;

use super::{apps, archives};
use crate::support::{PATIENCE, Project, Runner, clock, verb, words};

/// Prints so many numbered lines with the number of its instance, and lives on.
fn counter(lines: u32) -> String {
    format!(
        "#!/usr/bin/env bash\ntrap 'exit 0' INT\nfor ((i = 0; i < {lines}; i++)); do printf '%s %05d %40s\\n' \"$NODE_APP_INSTANCE\" $i x; done\nwhile :; do sleep 0.05; done\n"
    )
}

/// Two instances that have said all they say into one file.
fn two(project: &Project, lines: u32) -> Runner<'_> {
    project.script("app.sh", &counter(lines));
    let logs = json!({ "out": "logs/all.log", "max_size": "50K", "keep": 1000, "compress": true, "merge": true });
    apps(project, json!([{ "name": "api", "script": "./app.sh", "instances": 2, "logs": logs, "watch": false }]));
    let mut runner = project.start([""; 0]);
    for instance in ["0", "1"] {
        runner.wait_within(PATIENCE * 2, &words::says(format!("{instance} {:05}", lines - 1)));
    }
    runner
}

/// What stands in the file and those put away, oldest first.
fn written(log: &Path) -> Vec<String> {
    let all = archives(log).into_iter().flat_map(|(_, bytes)| bytes).collect();
    String::from_utf8(all).expect("it is text").lines().map(str::to_owned).collect()
}

/// What `pmdev logs` shows: whose each line is said to be, and the line.
#[track_caller]
fn shown(project: &Project, arguments: &[&str]) -> Vec<(String, String)> {
    let out = verb(project, &[&["logs", "--nostream", "--json"][..], arguments].concat(), 0).out;
    let lines = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    lines
        .filter_map(|line| {
            let text = line["message"].as_str()?.to_owned();
            let app = line["app_name"].as_str()?;
            Some((line["instance"].as_u64().map_or_else(|| app.to_owned(), |instance| format!("{app}:{instance}")), text))
        })
        .collect()
}

fn texts(shown: &[(String, String)]) -> Vec<&str> {
    shown.iter().map(|(_, text)| text.as_str()).collect()
}

/// Names that are right: an instance's own, and the app's where that is allowed.
#[track_caller]
fn rightly_named(shown: &[(String, String)], or_app: bool) {
    for (name, text) in shown {
        let instance = format!("api:{}", &text[..1]);
        assert!(*name == instance || (or_app && name == "api"), "{name} | {text}");
    }
}

#[test]
fn instances_are_counted_together_and_named_over_files_that_are_put_away_and_packed() {
    let project = Project::empty();
    let runner = two(&project, 900);
    let log = project.path("logs/all.log");
    assert!(clock::comes_true(PATIENCE, || written(&log).len() == 1800), "{} lines", written(&log).len());
    let packed = || archives(&log).iter().filter(|(file, _)| file.extension().is_some_and(|ending| ending == "gz")).count();
    assert!(clock::comes_true(PATIENCE, || packed() > 0), "nothing was packed");
    let all = written(&log);
    for lines in [1, 15, 1000, 5000] {
        let seen = shown(&project, &["api", "-n", &lines.to_string()]);
        assert_eq!(texts(&seen), all[all.len().saturating_sub(lines)..], "the last {lines}");
        rightly_named(&seen, false);
    }
    let own = shown(&project, &["api:1", "-n", "20"]);
    assert_eq!((own.len(), own[19].1.starts_with("1 00899")), (20, true), "{own:?}");
    rightly_named(&own, false);
    // Of one alone the runner holds all that it has said.
    let told = verb(&project, &["logs", "--nostream", "api:1", "-n", "5000"], 0).out;
    assert_eq!((told.lines().count(), told.contains("[pmdev]")), (902, true), "what was put away may be older: {told}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn nothing_is_said_to_stand_in_a_file_that_holds_what_the_runner_holds() {
    let project = Project::empty();
    let runner = two(&project, 5);
    let log = project.path("logs/all.log");
    assert!(clock::comes_true(PATIENCE, || written(&log).len() == 10), "{:?}", written(&log));
    let told = verb(&project, &["logs", "--nostream", "api:1"], 0).out;
    assert_eq!((told.lines().count(), told.contains("[pmdev]")), (5, false), "{told}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    let mut again = project.start([""; 0]);
    again.wait_for(&words::says("1 00004"));
    let told = verb(&project, &["logs", "--nostream", "api:1"], 0).out;
    assert_eq!((told.lines().count(), told.contains("[pmdev] What api:1 said before, if anything, stands in ")), (7, true), "{told}");
    again.signal(Signal::INT);
    assert_eq!(again.finish().code, Some(0));
}

#[test]
fn what_the_runner_no_longer_holds_has_the_apps_name_and_is_not_said_to_be_of_one_instance() {
    let project = Project::empty();
    let runner = two(&project, 1500);
    let log = project.path("logs/all.log");
    assert!(clock::comes_true(PATIENCE, || written(&log).len() == 3000), "{} lines", written(&log).len());
    let seen = shown(&project, &["api", "-n", "9999"]);
    assert_eq!(texts(&seen), written(&log));
    rightly_named(&seen, true);
    let own = shown(&project, &["api:1", "-n", "9999"]);
    let numbers: Vec<&str> = own.iter().map(|(_, text)| &text[..7]).collect();
    let expected: Vec<String> = (1500 - own.len()..1500).map(|number| format!("1 {number:05}")).collect();
    assert_eq!(numbers, expected, "each once");
    assert!(own.len() >= 500, "{}", own.len());
    rightly_named(&own, false);
    let said = verb(&project, &["logs", "--nostream", "api:1", "-n", "9999"], 0).out;
    assert!(said.contains("What api:1 said before, if anything, stands in ") && said.contains("`pmdev logs api`"), "{said}");
    let enough = verb(&project, &["logs", "--nostream", "api:1", "-n", "20"], 0).out;
    assert!(!enough.contains("[pmdev]"), "{enough}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn lines_of_another_app_in_the_same_file_are_not_said_to_be_ones_own() {
    let project = Project::empty();
    for (file, text) in [("one.sh", "of one"), ("two.sh", "of two")] {
        project.script(
            file,
            &format!("#!/usr/bin/env bash\ntrap 'exit 0' INT\necho {text}\necho {text}, oops >&2\nwhile :; do sleep 0.05; done\n"),
        );
    }
    let logs = json!({ "file": "logs/all.log", "out": null, "error": null });
    let one = |name: &str| json!({ "name": name, "script": format!("./{name}.sh"), "logs": logs, "watch": false });
    apps(&project, json!([one("one"), one("two")]));
    fs::create_dir_all(project.path("logs")).expect("the folder is ours");
    project.save("logs/all.log", "of nobody known\n");
    let mut runner = project.start([""; 0]);
    for text in ["of one, oops", "of two, oops"] {
        runner.wait_for(&words::says(text));
    }
    let log = project.path("logs/all.log");
    assert!(clock::comes_true(PATIENCE, || written(&log).len() == 5), "{:?}", written(&log));
    let counts = |arguments: &[&str]| {
        let mut counts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, text) in shown(&project, arguments) {
            counts.entry(name).or_default().push(text);
        }
        counts.values_mut().for_each(|lines| lines.sort());
        counts
    };
    let own = |name: &str| vec![format!("of {name}"), format!("of {name}, oops")];
    let expected = BTreeMap::from([("one".to_owned(), own("one"))]);
    assert_eq!(counts(&["one"]), expected);
    assert_eq!(counts(&["one", "--err"]), BTreeMap::from([("one".to_owned(), vec!["of one, oops".to_owned()])]));
    let mut all = counts(&[]);
    assert_eq!(all.remove("one, two"), Some(vec!["of nobody known".to_owned()]));
    assert_eq!(all, BTreeMap::from([("one".to_owned(), own("one")), ("two".to_owned(), own("two"))]));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}
