//! What is shown, written and counted while an old worker and a new one run side by side.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::{
    load::Load,
    node, port, ready,
    reloads::{more, workers},
    verb,
};
use crate::support::{
    PATIENCE, Project,
    clock::comes_true,
    words::{app_says, says},
};

/// Listens once there is a file `go`, and dies once there is a file `die`.
const WAITS: &str = "const fs = require('fs');\n\
    const server = require('http').createServer((request, response) => response.end(String(process.pid)));\n\
    const wait = () => {\n\
      if (fs.existsSync('die')) process.exit(1);\n\
      if (!fs.existsSync('go')) return setTimeout(wait, 20);\n\
      server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up', process.pid));\n\
    };\n\
    wait();\n";

/// The state, pid, mode and restarts of the only instance, as `jlist` tells them.
fn listed(project: &Project) -> (String, i64, String, i64) {
    let listed = verb(project, &["jlist"], 0).out;
    let instances: Vec<Value> = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"));
    let [one] = &instances[..] else { panic!("{listed}") };
    let (env, text) = (&one["pm2_env"], |value: &Value| value.as_str().expect("it is text").to_owned());
    let number = |value: &Value| value.as_i64().expect("it is a number");
    (text(&env["status"]), number(&one["pid"]), text(&env["exec_mode"]), number(&env["restart_time"]))
}

#[test]
fn the_worker_that_serves_is_shown_until_the_new_one_has_its_place() {
    let keys = "instances: 1, pid_file: run/api.pid, listen_timeout: 60s, autorestart: true";
    let Some(project) = node(keys, port(), WAITS) else { return };
    project.save("go", "");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let old = i64::from(workers(&project)[0].pid);
    let state = |pid, restarts| ("online".to_owned(), pid, "cluster_mode".to_owned(), restarts);
    let written =
        |pid: i64| comes_true(PATIENCE, || fs::read_to_string(project.path("run/api.pid")).is_ok_and(|text| text == format!("{pid}\n")));
    assert!(listed(&project) == state(old, 0) && written(old));

    fs::remove_file(project.path("go")).expect("it was saved");
    let reload = project.pmdev(["reload", "api"]).spawn();
    assert!(comes_true(PATIENCE, || workers(&project).len() == 2), "no new worker");
    assert_eq!(listed(&project), state(old, 0));
    let table = verb(&project, &["list"], 0).out;
    assert_eq!(table.matches("online").count(), 1, "{table}");
    let why = verb(&project, &["why", "api"], 0).all();
    assert!(why.contains("api is online: it has been up for") && why.contains("and is replaced once its new run is ready"), "{why}");
    project.save("die", "");
    let ending = reload.finish();
    assert!(ending.code == Some(1) && ending.all().contains("api goes on as it was, since its new run failed"), "{}", ending.all());
    assert!(listed(&project) == state(old, 0) && written(old));
    let why = verb(&project, &["why", "api"], 0).all();
    assert!(why.contains("api was not reloaded any further (on request), because a new run failed before it was ready"), "{why}");

    fs::remove_file(project.path("die")).expect("it was saved");
    project.save("go", "");
    verb(&project, &["reload", "api"], 0);
    assert!(comes_true(PATIENCE, || workers(&project).len() == 1));
    let new = i64::from(workers(&project)[0].pid);
    assert!(new != old && listed(&project) == state(new, 1) && written(new));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    assert!(!project.path("run/api.pid").exists());
}

#[test]
fn above_its_memory_limit_a_worker_is_replaced_by_one_that_is_ready_first() {
    let port = port();
    let script = format!(
        "{WAITS}const grow = () => fs.existsSync('grow') ? (fs.unlinkSync('grow'), global.kept = Buffer.alloc(150 << 20, 1)) : setTimeout(grow, 20);\n\
         grow();\nprocess.on('SIGINT', () => {{ console.log('stops', process.pid); process.exit(); }});\n"
    );
    let keys = "instances: 1, max_memory_restart: 120M, autorestart: true, drain_timeout: 5s, listen_timeout: 20s";
    let Some(project) = node(keys, port, &script) else { return };
    project.save("go", "");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 2, 2);
    more(&load, 50);
    let old = workers(&project)[0].pid;
    project.save("grow", "");
    runner.wait_for(&says("[pmdev] api uses ").and(says("above its limit of 120 MiB")));
    runner.wait_for(&says("of memory, with a limit of 120 MiB"));
    runner.wait_for(&app_says(format!("stops {old}")));
    assert!(comes_true(PATIENCE, || workers(&project).iter().all(|worker| worker.pid != old)));
    more(&load, 50);
    let noticed = load.finish();
    assert!(noticed.refused.is_empty() && noticed.cut.is_empty(), "{noticed:?}");
}
