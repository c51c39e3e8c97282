//! What scripts and files written for PM2 rely on, where no other test is about it: the environment of apps, Node's view of itself, the files in the
//! wild, flags one by one. `docs/pm2.md` names the test of each habit.

mod environments;
mod files;
mod flags;
mod logs;
mod starting;
mod watching;

use serde_json::Value;

use crate::{
    background::Home,
    support::{PATIENCE, Project, Runner, clock::comes_true, programs, words::says},
};

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

/// What `jlist` says of the first instance of an app.
fn listed_as(home: &Home, name: &str) -> Value {
    let listed: Value = serde_json::from_str(&home.verb(&["jlist"], 0).out).expect("it is JSON");
    let app = listed.as_array().expect("a list").iter().find(|app| app["name"] == name);
    app.unwrap_or_else(|| panic!("{name}: {listed:#}"))["pm2_env"].clone()
}
