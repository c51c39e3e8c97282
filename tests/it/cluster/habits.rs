//! What users of PM2 are used to of clusters and reloads; each test is named after its sentence.

use serde_json::Value;

use super::{SERVER, node, port, ready, verb};
use crate::support::{
    PATIENCE, Project,
    clock::comes_true,
    words::{app_says, says},
};

/// What `jlist` says of each instance: its app and its mode.
fn modes(project: &Project) -> Vec<(String, String)> {
    let listed = verb(project, &["jlist"], 0).out;
    let instances: Vec<Value> = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"));
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    instances.iter().map(|one| (text(&one["name"]), text(&one["pm2_env"]["exec_mode"]))).collect()
}

#[test]
fn node_scripts_with_instances_are_cluster_mode_and_other_interpreters_stay_fork_mode_with_as_many_processes() {
    let Some(project) = node("instances: 2", 0, SERVER) else { return };
    let alone = "- { name: alone, script: alone.js, watch: false }\n- { name: alone-cluster, script: alone.js, exec_mode: cluster, watch: false }\n";
    let shell = "- { name: shell, script: work.sh, instances: 3, watch: false }\n";
    let api = std::fs::read_to_string(project.path("pmdev.yaml")).expect("it was saved");
    project.save("pmdev.yaml", format!("{api}{alone}{shell}"));
    project.save("alone.js", "console.log('alone'); setInterval(() => {}, 1000);\n");
    project.script("work.sh", "#!/bin/sh\necho \"works $$\"\nexec sleep 1000000\n");
    let mut runner = project.start([""; 0]);
    for _ in 0..3 {
        runner.wait_for(&app_says("works "));
    }
    let expected =
        [("api", "cluster"); 2].into_iter().chain([("alone", "fork"), ("alone-cluster", "cluster")]).chain([("shell", "fork"); 3]);
    let expected: Vec<_> = expected.map(|(name, mode)| (name.to_owned(), format!("{mode}_mode"))).collect();
    assert_eq!(modes(&project), expected);
}

#[test]
fn ready_and_the_shutdown_message_work_in_both_modes() {
    let script = format!(
        "{SERVER}process.on('message', message => {{ console.log('told', message); process.exit(0); }});\n\
         setTimeout(() => {{ require('fs').writeFileSync('said', ''); process.send('ready'); }}, 300);\n"
    );
    for mode in ["fork", "cluster"] {
        let keys = format!("exec_mode: {mode}, wait_ready: true, shutdown_with_message: true, listen_timeout: 20s");
        let Some(project) = node(&keys, port(), &script) else { return };
        let mut runner = project.start([""; 0]);
        runner.wait_for(&ready("api"));
        assert!(project.path("said").exists(), "{mode}: listening alone is not being ready");
        verb(&project, &["reload", "api"], 0);
        assert!(comes_true(PATIENCE, || runner.count(&app_says("told shutdown")) == 1), "{mode}: the old one was not told");
        verb(&project, &["stop", "api"], 0);
        assert!(comes_true(PATIENCE, || runner.count(&app_says("told shutdown")) == 2), "{mode}");
    }
}

#[test]
fn argv_require_main_and_module_paths_are_as_under_plain_node() {
    let script = "console.log('sees', JSON.stringify([process.argv, process.execArgv, require.main === module, require.main.filename,\n\
        require.main.id, module.parent, module.paths, __filename, process.title]));\nif (process.env.STAYS) setInterval(() => {}, 1000);\n";
    let Some(project) = node("instances: 1, args: [one, two], listen_timeout: 100", 1, script) else { return };
    project.edit("pmdev.yaml", "PORT: '1'", "STAYS: '1'");
    let plain = project.run("node", &["api.js", "one", "two"]);
    let mut runner = project.start([""; 0]);
    let worker = runner.wait_for(&app_says("sees ")).text();
    let worker = &worker[worker.find("sees ").expect("it was waited for")..];
    assert_eq!(worker.trim(), plain.trim());
}

/// Writes what happens to it into one file, in order.
const TELLS: &str = "const fs = require('fs');\n\
    const tell = what => fs.appendFileSync('order', what + '\\n');\n\
    process.on('SIGINT', () => { tell('SIGINT'); process.exit(0); });\n\
    require('http').createServer(() => {}).listen(Number(process.env.PORT), '127.0.0.1', () => {\n\
      tell('listening');\n\
      if (process.env.LATE) setTimeout(() => { tell('ready'); process.send('ready'); }, 300);\n\
    });\n";

/// What was told during a start, a reload and a stop.
fn told(keys: &str, late: bool) -> Option<String> {
    let project = node(&format!("{keys}, listen_timeout: 20s"), port(), TELLS)?;
    if late {
        project.edit("pmdev.yaml", "env: {", "env: { LATE: 'yes',");
    }
    let mut runner = project.start([""; 0]);
    // In cluster mode it is ready once it listens, in fork mode once it has started.
    runner.wait_for(&if keys.contains("fork") { says("[pmdev] api started") } else { ready("api") });
    let read = || std::fs::read_to_string(project.path("order")).unwrap_or_default();
    assert!(comes_true(PATIENCE, || read().contains("listening")));
    verb(&project, &["reload", "api"], 0);
    assert!(comes_true(PATIENCE, || read().matches("listening").count() == 2 && read().contains("SIGINT")), "{}", read());
    verb(&project, &["stop", "api"], 0);
    Some(read().replace('\n', " "))
}

#[test]
fn reload_brings_the_new_worker_up_listening_or_ready_before_the_old_one_gets_sigint() {
    let Some(order) = told("instances: 1", false) else { return };
    assert_eq!(order, "listening listening SIGINT SIGINT ");
    assert_eq!(told("instances: 1, wait_ready: true", true).as_deref(), Some("listening ready listening ready SIGINT SIGINT "));
}

#[test]
fn in_fork_mode_reload_is_a_restart() {
    let Some(order) = told("exec_mode: fork", false) else { return };
    assert_eq!(order, "listening SIGINT listening SIGINT ");
}
