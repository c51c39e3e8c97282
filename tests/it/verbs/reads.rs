//! Verbs that ask and change nothing.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::verb;
use crate::support::{
    PATIENCE, Pane, Project, Runner,
    clock::{self, comes_true},
    programs,
    words::says,
};

/// What apps use is looked at every half second at most.
const SEVERAL_LOOKS: Duration = Duration::from_secs(2);

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"src/api.js\"
args = \"--port 3 --token s3cret\"
node_args = \"--no-warnings\"
namespace = \"backend\"
instances = 2
exec_mode = \"fork\"
watch = [\"src\"]
ignore_watch = [\"*.tmp\"]
out_file = \"logs/api.log\"
env = { PORT = \"3000\", API_TOKEN = \"s3cret\", status = \"mine\" }

[[apps]]
name = \"web\"
script = \"web.sh\"
watch = false
autostart = false
cron_restart = \"0 3 * * *\"
max_memory_restart = \"300M\"
";

fn project() -> Project {
    let project = Project::empty();
    project.save("src/api.js", "console.log('api runs'); setInterval(() => {}, 1000)\n");
    project.script("web.sh", "exec sleep 1000000\n");
    project.save("package.json", r#"{ "version": "4.5.6" }"#);
    project.save("pmdev.toml", FILE);
    project
}

fn running(project: &Project) -> Runner<'_> {
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("api started (2 instances)"));
    runner.wait_for(&says("watching "));
    runner
}

fn json_of(project: &Project, arguments: &[&str]) -> Value {
    let text = verb(project, arguments, 0).out;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

#[test]
fn without_a_runner_lists_are_empty_and_questions_have_nobody_to_go_to() {
    let project = project();
    let table = verb(&project, &["ls"], 0).out;
    assert!(table.contains("│ id │ name │") && table.lines().count() == 3, "{table}");
    assert_eq!(verb(&project, &["jlist"], 0).out, "[]");
    assert_eq!(verb(&project, &["prettylist"], 0).out, "[]");
    for arguments in [&["show", "api"][..], &["env", "api"], &["pid"], &["id", "api"], &["why"]] {
        let ending = verb(&project, arguments, 3);
        assert!(ending.err.contains("No runner"), "{arguments:?}: {}", ending.all());
    }
    assert_eq!(verb(&project, &["id", "api"], 3).out, "[]", "scripts look for that");
}

#[test]
fn names_that_are_not_there_are_told_and_exit_with_1() {
    let project = project();
    let _runner = running(&project);
    for read in ["list", "show", "env", "pid", "id"] {
        for arguments in [&[read, "nobody"][..], &[read, "api", "nobody"], &[read, "nobody", "--json"]] {
            let ending = verb(&project, arguments, 1);
            assert!(ending.err.contains("nobody is no app of this runner; it has api, web"), "{arguments:?}: {}", ending.all());
        }
    }
    assert_eq!(verb(&project, &["id", "nobody"], 1).out, "[]");
    for field in ["version", "mode", "restarts:desc", "user", "watching"] {
        verb(&project, &["list", "--sort", field], 0);
    }
    let wrong = verb(&project, &["list", "--sort", "size:desc"], 2);
    assert!(wrong.err.contains("there are id, name, "), "{}", wrong.all());
}

#[test]
fn small_questions_have_small_answers() {
    let project = project();
    let _runner = running(&project);
    assert_eq!(verb(&project, &["id", "backend"], 0).out, "[ 0, 1 ]");
    assert_eq!(json_of(&project, &["id", "web", "api", "--json"]), json!([0, 1, 2]));
    let pids = json_of(&project, &["pid", "--json"]);
    let lines: String = pids.as_array().expect("a list").iter().map(|pid| format!("{pid}\n")).collect();
    assert_eq!(verb(&project, &["pid"], 0).out + "\n", lines);
    assert!(pids[0].as_i64() > Some(0) && pids[2] == 0, "{pids}");
    assert_eq!(verb(&project, &["pid", "web"], 0).out, "0");

    let env = verb(&project, &["env", "0"], 0).out;
    assert!(env.lines().any(|line| line == "PORT: 3000") && !env.contains("s3cret"), "{env}");
    assert!(env.contains("API_TOKEN: ********\n") && verb(&project, &["env", "0", "--reveal"], 0).out.contains("API_TOKEN: s3cret\n"));
    let both = verb(&project, &["env", "api"], 0).out;
    assert!(both.starts_with("api:0\n") && both.contains("\n\napi:1\n"), "{both}");
    let env = json_of(&project, &["env", "api:1", "--json"]);
    assert_eq!((&env[0]["pm_id"], &env[0]["env"]["PORT"], &env[0]["env"]["API_TOKEN"]), (&json!(1), &json!("3000"), &json!("********")));
}

#[test]
fn what_a_child_of_an_app_with_many_threads_uses_is_counted_at_every_look() {
    if !programs::have(&["node"]) {
        return;
    }
    let project = Project::empty();
    // More threads than all apps may have before all processes are looked at instead.
    let file = "[[apps]]\nname = \"api\"\nscript = \"api.js\"\nwatch = false\nenv = { UV_THREADPOOL_SIZE = \"150\" }\n";
    project.save("pmdev.toml", file);
    let child = "const kept = Buffer.alloc(150 << 20, 1); console.log(`full`); setInterval(() => kept.fill(2), 1e6)";
    project.save(
        "api.js",
        format!(
            "const fs = require('fs'); for (let n = 0; n < 300; n++) fs.stat(__filename, () => {{}});
            require('child_process').spawn(process.execPath, ['-e', '{child}'], {{ stdio: 'inherit' }});"
        ),
    );
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("full"));
    let begun = clock::now();
    while begun.elapsed() < SEVERAL_LOOKS {
        let api = &json_of(&project, &["list", "--json"])[0];
        assert!(api["memory"].as_u64() > Some(150 << 20), "{api}");
        let threads = fs::read_dir(format!("/proc/{}/task", api["pid"])).expect("it runs").count();
        assert!(threads > 150, "{threads}");
    }
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn lists_tell_what_instances_use_in_every_form() {
    let project = project();
    let mut runner = running(&project);
    runner.wait_for(&says("api:0 | api runs"));
    let views = json_of(&project, &["list", "--json"]);
    let known = || json_of(&project, &["list", "--json"]).as_array().expect("a list").iter().all(|view| view["version"] == "4.5.6");
    assert!(comes_true(PATIENCE, known), "versions are read beside the loop");
    let api = &views[0];
    assert!(api["memory"].as_u64() > Some(10 << 20) && api["cpu"].as_f64() > Some(0.0), "node has just started: {api}");
    assert!(
        !api["user"].as_str().unwrap_or_default().is_empty() && api["out_file"].as_str().unwrap_or_default().ends_with("logs/api-0.log")
    );
    assert_eq!((&views[2]["memory"], &views[2]["cpu"]), (&json!(0), &json!(0.0)));

    let table = verb(&project, &["ps", "--sort", "memory:desc"], 0).out;
    let ids: Vec<&str> = table.lines().skip(3).filter_map(|line| line.split('│').nth(1)).map(str::trim).collect();
    assert_eq!(ids.last(), Some(&"2"), "{table}");
    assert!(table.contains("│ watching │") && table.contains("│ enabled  │") && !table.contains('\x1b'), "{table}");
    assert_eq!(verb(&project, &["l", "web"], 0).out.lines().count(), 5);
    let mini = verb(&project, &["ls", "-m", "api:1"], 0).out;
    assert!(mini.starts_with("+--- api:1\nnamespace : backend\nversion : 4.5.6\npid : "), "{mini}");

    let shown = verb(&project, &["show", "web", "api"], 0).out;
    for part in
        ["│ exec mode         │ fork_mode", "0 3 * * *, next at", "300 MiB of memory", "│ script args       │ --port 3 --token ********"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("web is stopped: it starts when somebody starts it") && shown.contains("api:0 last started "), "{shown}");
    assert!(!shown.contains("s3cret") && verb(&project, &["describe", "api", "--reveal"], 0).out.contains("--token s3cret"));
    let shown = json_of(&project, &["info", "api:0", "--json"]);
    let detail = &shown[0]["detail"];
    assert_eq!((&detail["watch"], &detail["ignore_watch"], &detail["plan"]["name"]), (&json!(["src"]), &json!(["*.tmp"]), &json!("api")));
}

/// What scripts that were written for PM2 take from its list.
const SCRIPT: &str = r#"
const assert = require('node:assert')
const list = JSON.parse(require('node:child_process').execFileSync('pmdev', ['jlist']))
const [api, second, web] = list
const env = api.pm2_env
assert.deepStrictEqual(list.map(app => app.name), ['api', 'api', 'web'])
assert.deepStrictEqual(list.map(app => app.pm2_env.NODE_APP_INSTANCE), [0, 1, 0])
assert.ok(list.filter(app => app.pm2_env.status === 'online').every(app => process.kill(app.pid, 0)))
assert.ok(Number.isInteger(api.monit.memory) && api.monit.memory > 0 && typeof api.monit.cpu === 'number')
assert.strictEqual(api.pm_id, env.pm_id)
assert.ok(Date.now() - env.pm_uptime < 60000 && env.created_at <= Date.now())
assert.deepStrictEqual([env.restart_time, env.unstable_restarts, env.instances], [0, 0, 2])
assert.deepStrictEqual([env.exec_mode, env.exec_interpreter], ['fork_mode', 'node'])
assert.deepStrictEqual(env.node_args, ['--no-warnings'])
assert.deepStrictEqual(web.pm2_env.node_args, [])
assert.deepStrictEqual(env.args, ['--port', '3', '--token', '********'])
assert.ok(env.pm_exec_path.endsWith('/src/api.js') && require('node:fs').existsSync(env.pm_exec_path))
assert.strictEqual(env.pm_cwd, process.cwd())
assert.ok(env.pm_out_log_path.endsWith('/logs/api-0.log') && second.pm2_env.pm_out_log_path.endsWith('/logs/api-1.log'))
assert.strictEqual(env.pm_err_log_path, '/dev/null')
assert.ok(!('pm_log_path' in env) && 'pm_pid_path' in env && !('exit_code' in env))
assert.deepStrictEqual(env.watch, ['src'])
assert.deepStrictEqual(env.ignore_watch, ['*.tmp'])
assert.deepStrictEqual([web.pm2_env.watch, web.pid, web.pm2_env.status], [false, 0, 'stopped'])
assert.deepStrictEqual([env.namespace, env.autorestart, web.pm2_env.autostart], ['backend', false, false])
assert.deepStrictEqual([web.pm2_env.cron_restart, web.pm2_env.max_memory_restart], ['0 3 * * *', 300 * 1024 * 1024])
assert.strictEqual(env.username, require('node:os').userInfo().username)
assert.deepStrictEqual([env.PORT, env.env.PORT, env.API_TOKEN], ['3000', '3000', '********'])
assert.deepStrictEqual([env.status, env.env.status], ['online', 'mine'])
assert.deepStrictEqual([env.axm_actions, env.axm_monitor], [[], {}])
console.log('as in pm2')
"#;

#[test]
fn scripts_read_the_list_as_they_read_that_of_pm2() {
    let project = project();
    let _runner = running(&project);
    project.save("check.js", SCRIPT);
    let ending = project.hook(&["node", "check.js"]).finish();
    assert_eq!((ending.code, ending.out.trim()), (Some(0), "as in pm2"), "{}", ending.all());
    let revealed = json_of(&project, &["jlist", "--reveal"]);
    assert_eq!(revealed[0]["pm2_env"]["API_TOKEN"], "s3cret");
    assert_eq!(revealed[0]["pm2_env"]["args"][3], "s3cret");
    assert!(verb(&project, &["prettylist"], 0).out.lines().count() > 100);
}

#[test]
fn a_runner_tells_why_it_did_what_it_did() {
    let project = project();
    project.let_stamps_pass();
    let mut runner = running(&project);
    project.save("src/api.js", "console.log('second'); setInterval(() => {}, 1000)\n");
    runner.wait_for(&says("api restarted in "));
    let bytes = fs::read(project.path("src/api.js")).expect("it is there");
    project.save("src/api.js", &bytes);
    let mut text = String::new();
    let told = || {
        text = verb(&project, &["why"], 0).out;
        text.contains("src/api.js was saved with the bytes it had, generation 2")
    };
    assert!(comes_true(PATIENCE, told), "the gate's decision is remembered");
    let order = ["api started (2 instances), generation 1", "src/api.js changed: api restarts, generation 2", "api restarted in "];
    let places: Vec<_> = order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"))).collect();
    assert!(places.is_sorted(), "{text}");

    let why = verb(&project, &["why", "api"], 0).out;
    for part in ["api:0 is online: it has been up for ", "because of a change (src/api.js)", "src/api.js changed: api restarts"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(!why.contains("web"), "{why}");
    let of_app = json_of(&project, &["why", "api", "--json"]);
    assert_eq!((&of_app["app"], &of_app["crash"], &of_app["decisions"][1]["action"]), (&json!("api"), &Value::Null, &json!("restart")));

    let paths = verb(&project, &["why", "src/api.js", "src/x.tmp"], 0).out;
    assert!(paths.contains("src/api.js is watched by api: no rule ignores it\n  last: "), "{paths}");
    assert!(paths.contains("was saved with the bytes it had") && paths.contains("src/x.tmp is ignored by api: "), "{paths}");
    let objects = verb(&project, &["why", "src/api.js", "--json"], 0).out;
    let of_path: Value = serde_json::from_str(objects.lines().next().unwrap_or_default()).expect("an object a line");
    assert_eq!((&of_path["watched"], &of_path["last"]["action"]), (&json!(true), &json!("none")));
    // Options of a start are about one that is still to come.
    assert!(verb(&project, &["why", "src/api.js", "--ext", "ts"], 0).out.contains("src/api.js is ignored by api: its extension"));
}

#[test]
fn lists_tell_why_an_app_was_given_up() {
    let project = Project::empty();
    project.script("bad.sh", "exit 3\n");
    project.script("good.sh", "exec sleep 1000000\n");
    let bad = json!({ "name": "bad", "script": "bad.sh", "autorestart": true, "max_restarts": 2, "restart_delay": 0 });
    project.save("pmdev.json", json!([bad, { "name": "good", "script": "good.sh" }]).to_string());
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&says("bad crashed (exit code 3) and is given up after 2 runs in a row that were up for less than 1 s"));
    let why = "it crashed (exit code 3) and is given up after 2 runs in a row that were up for less than 1 s";
    let list = json_of(&project, &["list", "--json"]);
    assert_eq!((&list[0]["status"], &list[0]["why"], &list[1]["why"]), (&json!("errored"), &json!(why), &json!("the runner began")));
    assert_eq!(json_of(&project, &["jlist"])[0]["pm2_env"]["why"], why);
    assert!(verb(&project, &["show", "bad"], 0).out.contains(&format!("bad is errored: {why}")));
}

#[test]
fn watched_lists_are_drawn_in_place_and_leave_the_terminal_as_it_was() {
    let project = project();
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("echo before; pmdev ls --watch; echo code $?");
    pane.wait_for_times(&says("│ online "), 2);
    assert_eq!(pane.count(&says("before")), 0, "it has a screen of its own");
    verb(&project, &["stop", "api:1"], 0);
    pane.wait_for_times(&says("│ stopped "), 2);
    assert_eq!(pane.count(&says("│ status")), 1, "in the same place");
    pane.press(&["C-c"]);
    pane.wait_for(&says("code 0"));
    assert!(pane.count(&says("before")) > 0 && pane.count(&says("│ status")) == 0, "{}", pane.text());
}

#[test]
fn a_home_that_may_not_be_entered_is_no_home_without_a_runner() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = Project::empty();
    let outer = project.root.parent().expect("it lies in a folder").to_owned();
    let copy = crate::process::for_everybody(&outer, std::path::Path::new(programs::PMDEV));
    let home = project.outside("ann");
    for folder in [home.clone(), home.join("deep/.pmdev")] {
        fs::create_dir_all(&folder).expect("the folder is ours");
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let nobody = |home: &std::path::Path, words: &[&str]| {
        let copy = copy.to_str().expect("UTF-8");
        let argv = [&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy][..], words].concat();
        project.hook(&argv).env("PMDEV_HOME", home).finish()
    };
    for (at, shown) in [(home.clone(), ""), (home.join("deep/.pmdev"), "deep/.pmdev")] {
        for words in [&["list"][..], &["jlist"], &["kill"], &["logs", "--nostream"], &["restart", "all"]] {
            let refused = nobody(&at, words);
            let text = format!("{} may not be entered, so the background runner", home.display());
            assert_eq!(refused.code, Some(1), "{words:?}: {}", refused.all());
            assert!(refused.err.contains(&text) && refused.err.contains("it is root's"), "{words:?}: {}", refused.all());
            assert!(refused.err.contains(shown), "{}", refused.all());
        }
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let none = nobody(&home, &["list", "--json"]);
    assert_eq!((none.code, none.out.trim()), (Some(0), "[]"), "{}", none.all());
}
