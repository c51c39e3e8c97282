//! What scripts and files written for PM2 rely on, where no other test is about it: the environment of apps, Node's view of itself, the files in the wild.

use std::fs;

use serde_json::Value;

use crate::support::{PATIENCE, Project, Runner, clock::comes_true, programs, verb, words::says};

/// Prints what it was given as JSON on one line, and stays.
const TELL: &str = "\
const of = (names) => Object.fromEntries(names.map((name) => [name, process.env[name]]));
console.log('told ' + JSON.stringify({
  ...of(['NODE_APP_INSTANCE', 'SLOT', 'PORT', 'OBJECT', 'PLACE', 'ONLY_PROD', 'GONE', 'FROM_SHELL']),
  argv: process.argv.slice(2), script: process.argv[1], main: require.main === module, filename: __filename, module: (() => {
    try { return require('elsewhere'); } catch (error) { return error.code; }
  })(),
}));
setInterval(() => {}, 1e9);
";

fn node_project() -> Option<Project> {
    programs::have(&["node"]).then(|| {
        let project = Project::empty();
        project.save("tell.js", TELL);
        project
    })
}

/// What apps have told so far, in order.
fn told(runner: &Runner) -> Vec<Value> {
    let line = |text: String| serde_json::from_str(text.split_once("told ").expect("it is such a line").1).expect("it is JSON");
    runner.lines(&says("told {")).into_iter().map(|line_| line(line_.text())).collect()
}

/// Waits for so many.
#[track_caller]
fn all_told(runner: &Runner, count: usize) -> Vec<Value> {
    assert!(comes_true(PATIENCE, || told(runner).len() >= count), "{:?}", told(runner));
    told(runner)
}

/// The values of a variable, sorted.
fn values(told: &[Value], name: &str) -> Vec<String> {
    let mut values: Vec<String> = told.iter().map(|told| told[name].as_str().unwrap_or("-").to_owned()).collect();
    values.sort();
    values
}

#[test]
fn variables_come_from_the_file_by_layers_and_objects_are_json() {
    let Some(project) = node_project() else { return };
    project.save(
        "ecosystem.config.js",
        "module.exports = { apps: [{ name: 'tell', script: 'tell.js', args: ['one', 'two words'],
            env: { PLACE: 'all', OBJECT: { a: [1, 'x'] }, PORT: 3000, NODE_PATH: 'modules' },
            env_production: { PLACE: 'production', ONLY_PROD: 'yes' } }] };",
    );
    project.save("modules/elsewhere.js", "module.exports = 'found by NODE_PATH';");
    let runner = project.pmdev(["start", "--env", "production"]).env("FROM_SHELL", "kept").spawn();
    let told = all_told(&runner, 1).remove(0);
    assert_eq!(told["PLACE"], "production");
    assert_eq!(told["ONLY_PROD"], "yes");
    assert_eq!(told["OBJECT"], r#"{"a":[1,"x"]}"#);
    assert_eq!(told["PORT"], "3000");
    assert_eq!(told["FROM_SHELL"], "kept");
    assert_eq!(told["module"], "found by NODE_PATH");
    // As under plain node.
    let script = project.path("tell.js");
    assert_eq!(told["argv"], serde_json::json!(["one", "two words"]));
    assert_eq!((&told["script"], &told["filename"]), (&serde_json::json!(script), &serde_json::json!(script)));
    assert_eq!(told["main"], true);
}

#[test]
fn instances_are_counted_and_a_scale_fills_the_lowest_free_number() {
    let Some(project) = node_project() else { return };
    project.save(
        "ecosystem.config.json",
        r#"{ "apps": [{ "name": "tell", "script": "tell.js", "instances": 3, "exec_mode": "fork", "watch": false,
            "instance_var": "SLOT", "increment_var": "PORT", "env": { "PORT": 3000 } }] }"#,
    );
    let runner = project.start(["ecosystem.config.json"]);
    let first = all_told(&runner, 3);
    assert_eq!(values(&first, "SLOT"), ["0", "1", "2"]);
    assert_eq!(values(&first, "PORT"), ["3000", "3001", "3002"]);
    assert_eq!(values(&first, "NODE_APP_INSTANCE"), ["-", "-", "-"], "instance_var renames it");
    verb(&project, &["scale", "tell", "1"], 0);
    verb(&project, &["scale", "tell", "+1"], 0);
    let more = all_told(&runner, 4);
    assert_eq!(values(&more[3..], "SLOT"), ["1"], "the lowest that is free");
    assert_eq!(values(&more[3..], "PORT"), ["3001"]);
}

#[test]
fn a_restart_keeps_the_variables_and_an_edit_of_the_file_takes_removed_ones_away() {
    let Some(project) = node_project() else { return };
    project.save(
        "pmdev.json",
        r#"{ "apps": [{ "name": "tell", "script": "tell.js", "watch": false, "env": { "PLACE": "a", "GONE": "soon" } }] }"#,
    );
    let runner = project.pmdev(["start"]).env("FROM_SHELL", "of the runner").spawn();
    all_told(&runner, 1);
    let restarted = project.pmdev(["restart", "tell"]).env("FROM_SHELL", "of the verb").finish();
    assert_eq!(restarted.code, Some(0), "{}", restarted.all());
    let again = all_told(&runner, 2).remove(1);
    assert_eq!((&again["FROM_SHELL"], &again["GONE"]), (&serde_json::json!("of the runner"), &serde_json::json!("soon")));
    project.save("pmdev.json", r#"{ "apps": [{ "name": "tell", "script": "tell.js", "watch": false, "env": { "PLACE": "b" } }] }"#);
    let edited = all_told(&runner, 3).remove(2);
    assert_eq!((&edited["PLACE"], &edited["GONE"]), (&serde_json::json!("b"), &Value::Null));
}

#[test]
fn process_files_in_the_wild_are_read() {
    let project = Project::empty();
    project.script("a.sh", "echo \"$0 runs\"\nexec sleep 1000000\n");
    for (name, text) in [
        ("comments.json", "// apps\n{ apps: [ { name: 'wild', script: './a.sh', /* once */ watch: false, }, ], }"),
        ("pm2.json", r#"{ "pm2": [ { "name": "wild", "script": "a.sh" } ] }"#),
        ("list.json", r#"[ { "name": "wild", "cmd": "a.sh" } ]"#),
        ("one.json", r#"{ "name": "wild", "command": "a.sh" }"#),
    ] {
        project.save(name, text);
        let mut runner = project.start([name, "--no-watch"]);
        runner.wait_for(&says("a.sh runs"));
        assert!(verb(&project, &["list", "--json"], 0).out.contains("\"wild\""), "{name}");
        verb(&project, &["kill"], 0);
        assert_eq!(runner.finish().code, Some(0));
    }
}

#[test]
fn a_stopped_app_is_started_by_no_save_and_counts_no_restart() {
    let project = Project::empty();
    project.script("a.sh", "echo runs\nexec sleep 1000000\n");
    let mut runner = project.start(["a.sh", "a.sh", "--name", "one", "--name", "two"]);
    runner.wait_for(&says("one started"));
    runner.wait_for(&says("two started"));
    verb(&project, &["stop", "one"], 0);
    project.script("a.sh", "echo runs again\nexec sleep 1000000\n");
    runner.wait_for(&says("two restarted"));
    verb(&project, &["restart", "one"], 0);
    let listed: Value = serde_json::from_str(&verb(&project, &["list", "--json"], 0).out).expect("it is JSON");
    assert_eq!((&listed[0]["name"], &listed[0]["restarts"], &listed[0]["status"]), (&"one".into(), &0.into(), &"online".into()));
    // The next save counts for it again.
    project.script("a.sh", "echo runs once more\nexec sleep 1000000\n");
    runner.wait_for(&says("one restarted"));
}

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
