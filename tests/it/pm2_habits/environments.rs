//! The environment of apps, and what that of the runner decides for them.

use serde_json::{Value, json};

use super::{all_told, node_project, values};
use crate::{
    background::Home,
    support::{Project, verb, words::says},
};

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
fn a_restart_and_a_reload_keep_the_variables_and_an_edit_of_the_file_takes_removed_ones_away() {
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
    let reloaded = project.pmdev(["reload", "tell"]).env("FROM_SHELL", "of the verb").finish();
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.all());
    assert_eq!(all_told(&runner, 3).remove(2), again, "so does a reload");
    project.save("pmdev.json", r#"{ "apps": [{ "name": "tell", "script": "tell.js", "watch": false, "env": { "PLACE": "b" } }] }"#);
    let edited = all_told(&runner, 4).remove(3);
    assert_eq!((&edited["PLACE"], &edited["GONE"]), (&serde_json::json!("b"), &Value::Null));
}

#[test]
fn node_app_instance_is_the_number_of_any_process_and_the_lowest_free_one_after_a_scale() {
    let project = Project::empty();
    project.script("a.sh", "echo \"slot $NODE_APP_INSTANCE of $SLOT\"\nexec sleep 1000000\n");
    let mut runner = project.start(["a.sh", "-i", "3", "--no-watch"]);
    for slot in 0..3 {
        runner.wait_for(&says(format!("slot {slot} of")));
    }
    verb(&project, &["scale", "a", "1"], 0);
    verb(&project, &["scale", "a", "+2"], 0);
    for slot in 1..3 {
        runner.wait_for(&says(format!("slot {slot} of")));
    }
    assert_eq!((runner.count(&says("slot 0 of")), runner.count(&says("slot 3 of"))), (1, 0));
}

#[test]
fn variables_of_the_runner_are_for_apps_that_do_not_say() {
    let home = Home::new();
    let traps = "trap 'echo TERM; exit' TERM\ntrap 'echo USR1; exit' USR1\ntrap 'echo INT; exit' INT\n";
    home.project.script("app.sh", &format!("{traps}echo up\nwhile :; do sleep 0.02; done\n"));
    home.project.script("deaf.sh", "trap '' TERM USR1\necho up\nwhile :; do sleep 0.02; done\n");
    home.project.save(
        "ecosystem.config.json",
        json!({ "apps": [
            { "name": "silent", "script": "app.sh" },
            { "name": "says", "script": "app.sh", "kill_signal": "SIGUSR1" },
            { "name": "deaf", "script": "deaf.sh" },
            { "name": "deaf-says", "script": "deaf.sh", "kill_timeout": 150 },
        ] })
        .to_string(),
    );
    let variables = [("PMDEV_KILL_SIGNAL", "TERM"), ("PMDEV_KILL_TIMEOUT", "160")];
    home.verb_with(&["start", "-d", "ecosystem.config.json"], &variables, 0);
    ["silent", "says", "deaf", "deaf-says"].iter().for_each(|name| home.logged(name, "up"));
    home.verb(&["stop", "all"], 0);
    home.logged("silent", "up\nTERM\n");
    home.logged("says", "up\nUSR1\n");
    let journal = std::fs::read_to_string(home.path("pmdev.log")).expect("it is there");
    for told in ["deaf did not stop within 160 ms", "deaf-says did not stop within 150 ms"] {
        assert!(journal.contains(told), "{told}: {journal}");
    }
}
