//! What scripts for PM2 type: flags of `start`, targets, and what they find on the disk afterwards.

use std::fs;

use serde_json::{Value, json};

use super::Home;
use crate::support::{PATIENCE, clock::comes_true, programs};

/// What `jlist` says of an app.
fn pm2_env(home: &Home, name: &str) -> Value {
    let listed: Value = serde_json::from_str(&home.verb(&["jlist"], 0).out).expect("it is JSON");
    let app = listed.as_array().expect("a list").iter().find(|app| app["name"] == name).unwrap_or_else(|| panic!("{name}: {listed}"));
    app["pm2_env"].clone()
}

/// What is planned for an app.
fn plan(home: &Home, name: &str) -> Value {
    let shown: Value = serde_json::from_str(&home.verb(&["show", name, "--json"], 0).out).expect("it is JSON");
    shown[0]["detail"]["plan"].clone()
}

#[track_caller]
fn holds(home: &Home, path: &str, text: &str) {
    let path = home.project.path(path);
    let read = || fs::read_to_string(&path).unwrap_or_default();
    assert!(comes_true(PATIENCE, || read().contains(text)), "{}: {:?}", path.display(), read());
}

#[test]
fn every_flag_of_a_script_is_taken() {
    let home = Home::new();
    fs::create_dir(home.project.path("sub")).expect("it is ours");
    home.project.script("sub/app.sh", "echo \"$1 $2 ${A_TOKEN-none} in $PWD\"\nexec sleep 1000000\n");
    let typed = "start -d app.sh -n named -i 2 -f -x -o out.log -e err.log -l all.log -p run/named.pid --merge-logs --watch src --ignore-watch tmp
        --watch-delay 100 --ext js,sh --interpreter bash --interpreter-args --norc --log-date-format YYYY --log-type json --time --namespace ns
        --cwd sub --wait-ready --listen-timeout 200 --kill-timeout 1234 --restart-delay 5 --max-memory-restart 300M --max-restarts 5
        --stop-exit-codes 3 --no-autorestart --no-autostart --no-treekill --shutdown-with-message --cron 0 --update-env --filter-env TOKEN
        --disable-source-map-support --no-pmx --no-automation --no-vizion --trace --v8 --event-loop-inspector --deep-monitoring -s -- --port two";
    let words: Vec<&str> = typed.split_whitespace().collect();
    fs::create_dir(home.project.path("sub/src")).expect("it is ours");
    let quiet = home.verb_with(&words, &[("A_TOKEN", "x")], 0);
    assert_eq!(quiet.all().trim(), "", "-s is silent");
    assert_eq!(home.states(), ["0 named stopped 0", "1 named stopped 0"], "--no-autostart");
    let env = pm2_env(&home, "named");
    let root = home.project.path("sub");
    for (key, value) in [
        ("namespace", json!("ns")),
        ("instances", json!(2)),
        ("exec_mode", json!("fork_mode")),
        ("exec_interpreter", json!("bash")),
        ("node_args", json!(["--norc"])),
        ("args", json!(["--port", "two"])),
        ("pm_cwd", json!(root)),
        ("pm_exec_path", json!(root.join("app.sh"))),
        ("pm_out_log_path", json!(home.project.path("out.log"))),
        ("pm_err_log_path", json!(home.project.path("err.log"))),
        ("pm_log_path", json!(home.project.path("all.log"))),
        ("watch", json!(["src"])),
        ("ignore_watch", json!(["tmp"])),
        ("autorestart", json!(false)),
        ("autostart", json!(false)),
        ("max_memory_restart", json!(300 << 20)),
    ] {
        assert_eq!(env[key], value, "{key}: {env:#}");
    }
    assert!(env.get("cron_restart").is_none_or(Value::is_null), "0 ends it: {env:#}");
    let plan = plan(&home, "named");
    assert_eq!(plan["stop"], json!({ "drain_ms": 5000, "message": true, "signal": "SIGINT", "timeout_ms": 1234, "tree": false }));
    assert_eq!(plan["ready"], json!({ "by": "message", "timeout_ms": 200 }));
    assert_eq!((&plan["restart"]["max_restarts"], &plan["restart"]["stop_exit_codes"]), (&json!(5), &json!([3])));
    assert_eq!((&plan["watch"]["ext"], &plan["watch"]["delay_ms"]), (&json!(["js", "sh"]), &json!(100_000)));
}

#[test]
fn targets_are_also_scripts_and_nothing_that_matches_is_a_failure() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh", "web.sh"], 0);
    home.verb(&["restart", "api.sh"], 0);
    home.verb(&["stop", "./web.sh"], 0);
    assert_eq!(home.states(), ["0 api online 1", "1 web stopped 0"]);
    home.verb(&["delete", "api", "1"], 0);
    for target in ["all", "api", "0", "/api/", "nobody:1"] {
        home.verb(&["restart", target], 1);
    }
    let unknown = home.verb(&["start", "-d", "no-such-command --flag"], 2);
    assert!(unknown.err.contains("no-such-command"), "{}", unknown.all());
}

#[test]
fn a_delayed_restart_counts_when_it_happens_and_a_reload_without_workers_is_a_restart() {
    let home = Home::new();
    home.project.script("ends.sh", "sleep 0.4\nexit 1\n");
    home.verb(&["start", "-d", "ends.sh", "--restart-delay", "1h"], 0);
    assert!(comes_true(PATIENCE, || home.states() == ["0 ends waiting restart 0"]), "{:?}", home.states());
    home.verb(&["start", "-d", "api.sh"], 0);
    let before = home.listed()[1]["pid"].clone();
    home.verb(&["reload", "api"], 0);
    assert_eq!(home.states()[1], "1 api online 1");
    assert_ne!(home.listed()[1]["pid"], before);
}

#[test]
fn logs_go_where_the_flags_say_and_folders_are_made() {
    let home = Home::new();
    home.project.script("both.sh", "echo \"out $NODE_APP_INSTANCE\"\necho \"err $NODE_APP_INSTANCE\" >&2\nexec sleep 1000000\n");
    home.verb(&["start", "-d", "both.sh", "-n", "one", "-o", "new/folder/one.log", "-e", "NULL"], 0);
    holds(&home, "new/folder/one.log", "out 0\n");
    home.verb(&["start", "-d", "both.sh", "-n", "two", "-i", "2", "-o", "two.log", "-e", "/dev/null", "-l", "two-all.log"], 0);
    holds(&home, "two-1.log", "out 0\n");
    holds(&home, "two-all-2.log", "err 1\n");
    assert!(!home.project.path("two.log").exists());
    home.verb(&["start", "-d", "both.sh", "-n", "merged", "-i", "2", "--merge-logs", "-o", "merged.log"], 0);
    holds(&home, "merged.log", "out 0\n");
    holds(&home, "merged.log", "out 1\n");
    home.verb(&["start", "-d", "both.sh", "-n", "json", "-l", "json.log", "--log-type", "json", "--log-date-format", "[at] YYYY"], 0);
    holds(&home, "json.log", "\"type\":\"err\"");
    let text = fs::read_to_string(home.project.path("json.log")).expect("it is there");
    let object: Value =
        serde_json::from_str(text.lines().find(|line| line.contains("out 0")).expect("it is there")).expect("an object a line");
    let keys: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    for key in ["message", "timestamp", "type", "process_id", "app_name"] {
        assert!(keys.contains(&key), "{key}: {text}");
    }
    assert!(object["timestamp"].as_str().is_some_and(|at| at.starts_with("at 20")), "{text}");
    assert_eq!((&object["message"], &object["type"], &object["app_name"]), (&json!("out 0"), &json!("out"), &json!("json")));

    home.verb(&["flush", "merged"], 0);
    assert_eq!(fs::metadata(home.project.path("merged.log")).expect("it stays").len(), 0);
    fs::rename(home.project.path("json.log"), home.project.path("away.log")).expect("it is ours");
    home.verb(&["reloadLogs"], 0);
    assert!(home.project.path("json.log").exists());
}

#[test]
fn relative_paths_of_a_file_count_from_where_it_was_typed() {
    let home = Home::new();
    for (path, says) in [("run.sh", "here"), ("sub/run.sh", "below")] {
        home.project.script(path, &format!("echo 'the one {says}'\nexec sleep 1000000\n"));
    }
    home.project.script("sub/only.sh", "echo \"in $PWD.\"\nexec sleep 1000000\n");
    let apps = "{ apps: [{ name: 'typed', script: './run.sh', error_file: 'err.log' }, { name: 'only', script: './only.sh' }] }";
    home.project.save("sub/ecosystem.json", apps);
    home.verb(&["start", "-d", "sub/ecosystem.json"], 0);
    home.logged("typed", "the one here");
    assert!(home.project.path("err.log").exists());
    // One that is beside its file alone is found there.
    home.logged("only", &format!("in {}.", home.project.path("sub").display()));
}

#[test]
fn the_files_variables_end_with_their_keys_when_it_is_acted_on_again() {
    let home = Home::new();
    home.project.script("env.sh", "echo \"A=$A B=$B X=$X.\"\nexec sleep 1000000\n");
    let file =
        |env: &str| home.project.save("ecosystem.config.json", format!("{{ apps: [{{ name: 'env', script: 'env.sh', env: {env} }}] }}"));
    file("{ A: 1, B: { c: true } }");
    home.verb_with(&["start", "-d", "ecosystem.config.json"], &[("X", "first")], 0);
    home.logged("env", "A=1 B={\"c\":true} X=first.");
    file("{ A: 2 }");
    home.verb_with(&["restart", "ecosystem.config.json"], &[("X", "second")], 0);
    home.logged("env", "A=2 B= X=second.");
}

#[test]
fn how_often_memory_is_looked_at_is_the_runners_environment() {
    let home = Home::new();
    if !programs::have(&["node"]) {
        return;
    }
    home.project.save("grows.js", "const kept = Buffer.alloc(150 << 20, 1); setInterval(() => kept.fill(2), 1e6);");
    let wrong = home.verb_with(&["start", "-d", "grows.js"], &[("PMDEV_WORKER_INTERVAL", "often")], 1);
    assert!(wrong.err.contains("PMDEV_WORKER_INTERVAL"), "{}", wrong.all());
    // An hour between two looks: in seconds, which another app counts, nothing happens. It is the next runner that looks in time.
    home.verb_with(&["start", "-d", "grows.js", "--max-memory-restart", "100M"], &[("PMDEV_WORKER_INTERVAL", "3600000")], 0);
    home.verb(&["start", "-d", "api.sh", "-n", "clock", "--cron", "* * * * * *"], 0);
    assert!(comes_true(PATIENCE, || home.listed()[1]["restarts"].as_u64() >= Some(4)), "{:?}", home.states());
    assert_eq!(home.states()[0], "0 grows online 0");
    assert!(home.listed()[0]["memory"].as_u64() > Some(100 << 20), "{:?}", home.listed());
    home.verb(&["kill"], 0);
    home.verb_with(&["start", "-d", "grows.js", "--max-memory-restart", "100M", "--no-wait"], &[("PMDEV_WORKER_INTERVAL", "200")], 0);
    let restarted = || home.listed()[0]["restarts"].as_u64() > Some(0);
    assert!(comes_true(PATIENCE, restarted), "{:?}", home.states());
}

#[test]
fn stop_ends_watching_and_a_file_that_says_so_begins_it_again() {
    let home = Home::new();
    home.project.save("ecosystem.config.json", json!({ "apps": [{ "name": "api", "script": "api.sh", "watch": true }] }).to_string());
    let watching = || home.listed()[0]["watching"].as_bool().expect("it is told");
    for verb in ["restart", "start", "startOrRestart"] {
        let words: &[&str] = if verb == "start" { &["start", "-d", "ecosystem.config.json"] } else { &[verb, "ecosystem.config.json"] };
        home.verb(words, 0);
        assert!(watching(), "{verb}");
        home.verb(&["stop", "api", "--watch"], 0);
        assert!(!watching(), "{verb}");
        // By its name it stays as it was left.
        home.verb(&["restart", "api"], 0);
        assert!(!watching(), "{verb}");
        home.verb(words, 0);
        assert!(watching(), "{verb}");
    }
}

#[test]
fn traces_of_node_are_those_of_the_sources_where_a_map_lies_beside_the_script() {
    if !programs::have(&["node"]) {
        return;
    }
    let home = Home::new();
    home.project.save("built.js", "console.log(new Error('here').stack); setInterval(() => {}, 1e9);\n//# sourceMappingURL=built.js.map\n");
    // All of its first line is line 10 of the source.
    let map = json!({ "version": 3, "file": "built.js", "sources": ["src/real.ts"], "names": [], "mappings": "AASA" });
    home.project.save("built.js.map", map.to_string());
    home.project.save("plain.js", "console.log(new Error('there').stack); setInterval(() => {}, 1e9);\n");
    home.verb(&["start", "-d", "built.js", "plain.js"], 0);
    home.logged("built", "src/real.ts:10:");
    home.logged("plain", "plain.js:1:");
    home.verb(&["start", "-d", "built.js", "-n", "unmapped", "--disable-source-map-support"], 0);
    home.logged("unmapped", "built.js:1:");
}
