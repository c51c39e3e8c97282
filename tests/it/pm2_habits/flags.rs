//! Flags of `start` that no other test is about. Those that are keys are looked at in the plan: what each key does has its own test.

use std::fs;

use serde_json::{Value, json};

use super::listed_as;
use crate::{
    background::Home,
    support::{PATIENCE, Project, clock::comes_true, programs, verb},
};

/// What would run with these flags.
#[track_caller]
fn plan(project: &Project, flags: &[&str]) -> Value {
    let text = verb(project, &[&["check", "--json", "app.sh"][..], flags].concat(), 0).out;
    let mut plan: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    plan["apps"][0].take()
}

fn project() -> Project {
    let project = Project::empty();
    project.script("app.sh", "exec sleep 1000000\n");
    project
}

#[test]
fn flags_that_are_keys_are_in_the_plan() {
    let project = project();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for (flags, pointer, expected) in [
        (&["-i", "3"][..], "/instances", json!(3)),
        (&["-i", "max"], "/instances", json!(processors)),
        (&["-i", "0"], "/instances", json!(processors)),
        (&["-i", "-1"], "/instances", json!((processors - 1).max(1))),
        (&["-c", "0 3 * * *"], "/cron", json!("0 3 * * *")),
        (&["--cron", "0 3 * * *"], "/cron", json!("0 3 * * *")),
        (&["--cron-restart", "0 3 * * *"], "/cron", json!("0 3 * * *")),
        (&["--prod", "--restart-delay", "5"], "/restart/delay_ms", json!(5)),
        (&["--prod", "--exp-backoff-restart-delay", "150"], "/restart/backoff_from_ms", json!(150)),
        (&["--prod", "--max-restarts", "5"], "/restart/max_restarts", json!(5)),
        (&["--prod", "--stop-exit-codes", "3", "4"], "/restart/stop_exit_codes", json!([3, 4])),
        (&["--interpreter-args", "--norc"], "/argv", json!(["bash", "--norc", "app.sh"])),
        (&["--node-args", "--norc"], "/argv", json!(["bash", "--norc", "app.sh"])),
        (&["--", "-i", "--port"], "/argv", json!(["bash", "app.sh", "-i", "--port"])),
        (&["--watch-delay", "3"], "/watch/delay_ms", json!(3000)),
        (&["--watch-delay", "300ms"], "/watch/delay_ms", json!(300)),
        (&["--listen-timeout", "700"], "/ready/timeout_ms", json!(700)),
        (&["-k", "700"], "/stop/timeout_ms", json!(700)),
        (&["--kill-timeout", "700"], "/stop/timeout_ms", json!(700)),
        (&["--source-map-support"], "/argv", json!(["bash", "app.sh"])),
    ] {
        assert_eq!(plan(&project, flags).pointer(pointer), Some(&expected), "{flags:?}");
    }
    // Oneself, which anybody may name; who is not root stays so without further ado.
    let own = rustix::process::geteuid();
    let expected = if own.is_root() { json!(0) } else { Value::Null };
    for flag in ["-u", "--user", "--uid"] {
        let plan = plan(&project, &[flag, &own.as_raw().to_string(), "--gid", &rustix::process::getegid().as_raw().to_string()]);
        assert_eq!(plan.pointer("/identity/user").unwrap_or(&Value::Null), &expected, "{flag}");
    }
    // It wins over the file, which says otherwise.
    project.save("pmdev.json", r#"[{ "name": "app", "script": "app.sh", "cron_restart": "0 0 * * *" }]"#);
    let file = |flags: &[&str]| {
        let text = verb(&project, &[&["check", "--json"][..], flags].concat(), 0).out;
        serde_json::from_str::<Value>(&text).expect("it is JSON")["apps"][0]["cron"].take()
    };
    assert_eq!((file(&[]), file(&["--cron", "0"])), (json!("0 0 * * *"), Value::Null), "0 ends it");
}

#[test]
fn flags_of_pm2s_service_are_taken_and_change_nothing() {
    let project = project();
    let plain = plan(&project, &[]);
    let page = fs::read_to_string(programs::repository("docs/pm2.md")).expect("it is there");
    let (_, section) = page.split_once("### Accepted, and nothing follows\n").expect("it is told which");
    let list = section.trim_start().lines().next().expect("a list").split(": ").next().expect("a list");
    let service: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    assert!(service.len() >= 9, "{service:?}");
    assert_eq!(plan(&project, &service), plain);
    for flag in &service {
        assert_eq!(plan(&project, &[*flag]), plain, "{flag}");
    }
}

#[test]
fn what_flags_do_to_processes() {
    let home = Home::new();
    let project = &home.project;
    // No shell runs a file of that name by itself.
    project.save(
        "words.txt",
        "echo \"$1 and $2\"\necho \"SOME_TOKEN=${SOME_TOKEN-none} OTHER=${OTHER-none} X=${X-none}\"\nexec sleep 1000000\n",
    );
    let typed = ["start", "-d", "words.txt", "--interpreter", "sh", "-p", "run/words.pid", "--filter-env", "TOKEN", "--filter-env", "OTH"];
    let variables = [("SOME_TOKEN", "x"), ("OTHER", "x"), ("X", "x")];
    home.verb_with(&[&typed[..], &["--update-env", "--", "--port", "-i"]].concat(), &variables, 0);
    home.logged("words", "--port and -i\nSOME_TOKEN=none OTHER=none X=x\n");
    let env = listed_as(&home, "words");
    let file = project.path("run/words.pid");
    assert_eq!((&env["exec_interpreter"], &env["pm_pid_path"]), (&json!("sh"), &json!(file)));
    let pid = home.listed()[0]["pid"].to_string();
    assert_eq!(fs::read_to_string(&file).expect("it is there").trim(), pid);
    home.verb(&["stop", "words"], 0);
    assert!(!file.exists(), "it goes with the process");
}

#[test]
fn a_cron_pattern_of_a_file_ends_with_0() {
    let home = Home::new();
    let app = json!({ "apps": [{ "name": "api", "script": "api.sh", "cron_restart": "0 0 * * *" }] });
    home.project.save("ecosystem.config.json", app.to_string());
    home.verb(&["start", "-d", "ecosystem.config.json"], 0);
    assert_eq!(listed_as(&home, "api")["cron_restart"], "0 0 * * *");
    home.verb(&["start", "-d", "ecosystem.config.json", "-c", "0"], 0);
    assert_eq!(listed_as(&home, "api")["cron_restart"], Value::Null);
}

#[test]
fn source_maps_are_also_on_for_who_says_so() {
    if !programs::have(&["node"]) {
        return;
    }
    let project = Project::empty();
    project.save("app.js", "");
    let argv = |flags: &[&str]| {
        let text = verb(&project, &[&["check", "--json", "app.js"][..], flags].concat(), 0).out;
        serde_json::from_str::<Value>(&text).expect("it is JSON")["apps"][0]["argv"].take()
    };
    assert_eq!(argv(&[]), json!(["node", "app.js"]));
    assert_eq!(argv(&["--source-map-support"]), json!(["node", "--enable-source-maps", "app.js"]));
}

#[test]
fn with_x_instances_of_node_are_processes_like_any_other() {
    if !programs::have(&["node"]) {
        return;
    }
    let home = Home::new();
    home.project.save("app.js", "console.log('worker', require('cluster').isWorker); setInterval(() => {}, 1e9);");
    home.verb(&["start", "-d", "app.js", "-i", "2", "-x", "--no-wait"], 0);
    home.verb(&["start", "-d", "app.js", "-n", "shared", "-i", "2", "--no-wait"], 0);
    for (name, mode, worker) in [("app", "fork_mode", false), ("shared", "cluster_mode", true)] {
        assert_eq!(listed_as(&home, name)["exec_mode"], mode);
        for view in home.listed().iter().filter(|view| view["name"] == name) {
            home.logged(&format!("{name}-out-{}", view["pm_id"]), &format!("worker {worker}"));
        }
    }
}

#[test]
fn an_app_that_is_only_registered_starts_when_somebody_says_so() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh", "--no-autostart"], 0);
    assert_eq!(home.states(), ["0 api stopped 0"]);
    home.verb(&["start", "api"], 0);
    assert_eq!(home.states(), ["0 api online 0"]);
    // Nor does it start again by itself, with the other flag.
    home.project.script("once.sh", "exit 0\n");
    home.verb(&["start", "-d", "once.sh", "--no-autorestart", "--no-wait"], 0);
    assert!(comes_true(PATIENCE, || home.states()[1] == "1 once stopped 0"), "{:?}", home.states());
}
