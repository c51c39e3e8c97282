//! `check`, `schema` and `init` as processes, what becomes of a broken file, and what a folder without a project file is found to run.

use std::fs;

use serde_json::Value;

use crate::support::{PATIENCE, Project, programs, runner::Ending, words};

/// Leaves a mark when it runs.
const APP: &str = "touch ran\nexec sleep 1000000\n";

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
args = \"one 'two three'\"
env = { LOG_LEVEL = \"debug\", API_TOKEN = \"hunter2\" }

[[apps]]
name = \"web\"
script = \"web.sh\"
env_production = { LOG_LEVEL = \"warn\" }
";

fn project() -> Project {
    let project = Project::empty();
    for app in ["api", "web"] {
        project.script(&format!("{app}.sh"), APP);
    }
    project
}

/// Runs `pmdev ARGS`, which must not start an app.
#[track_caller]
fn starts_nothing(project: &Project, arguments: &[&str]) -> Ending {
    let ending = project.pmdev(arguments).finish();
    project.nothing_alive(PATIENCE, &arguments.join(" "));
    assert!(!project.path("ran").exists(), "{arguments:?} ran an app: {}", ending.all());
    ending
}

/// The same; it must succeed, and its output is one JSON value.
#[track_caller]
fn json(project: &Project, arguments: &[&str]) -> Value {
    let ending = starts_nothing(project, arguments);
    assert_eq!(ending.code, Some(0), "{arguments:?}: {}", ending.all());
    serde_json::from_str(&ending.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ending.out))
}

#[test]
fn check_shows_what_would_run_and_hides_secrets() {
    let project = project();
    project.save("pmdev.toml", FILE);
    let ending = starts_nothing(&project, &["check"]);
    assert_eq!((ending.code, ending.err.as_str()), (Some(0), ""), "{}", ending.all());
    for part in ["api", "web", "api.sh one 'two three'", "LOG_LEVEL=debug", "API_TOKEN="] {
        assert!(ending.out.contains(part), "the plan speaks of {part}: {}", ending.out);
    }
    assert!(!ending.out.contains("hunter2"), "a secret is shown: {}", ending.out);
    let only = starts_nothing(&project, &["check", "pmdev.toml", "--only", "web", "--prod"]);
    assert!(only.out.contains("LOG_LEVEL=warn") && !only.out.contains("api"), "{}", only.all());
}

#[test]
fn check_answers_in_json() {
    let project = project();
    project.save("pmdev.toml", FILE);
    let plan = json(&project, &["check", "--json"]);
    assert_eq!(plan["apps"].as_array().map(Vec::len), Some(2), "{plan:#}");
    let api = &plan["apps"][0];
    assert_eq!(api["name"], "api");
    assert_eq!(api["argv"], serde_json::json!(["bash", "api.sh", "one", "two three"]));
    assert_eq!(api["cwd"], project.root.display().to_string());
    assert_eq!(api["env"]["LOG_LEVEL"], "debug");
    assert!(!plan.to_string().contains("hunter2"), "a secret is shown: {plan:#}");
    assert_eq!(json(&project, &["check", "--json", "--prod"])["apps"][1]["env"]["LOG_LEVEL"], "warn");
}

#[test]
fn a_broken_file_tells_all_that_is_wrong_and_starts_nothing() {
    let project = project();
    let broken =
        FILE.replace("web.sh", "nowhere.sh").replace("name = \"api\"", "name = \"api\"\nmax_memory_restart = \"lots\"\nkill_timeout = []");
    project.save("pmdev.toml", &broken);
    project.save("ecosystem.config.json", r#"{ "apps": [{ "name": "api", "script": "api.sh" }, { "name": "web", "script": "web.sh" "#);
    project.save("twice.json", r#"[{ "name": "api", "script": "api.sh" }, { "name": "api", "script": "web.sh" }]"#);
    let whole =
        ["pmdev.toml:3:", "max_memory_restart", "\"lots\"", "512M", "pmdev.toml:4:", "kill_timeout", "pmdev.toml:11:", "nowhere.sh"];
    for (file, parts) in [("pmdev.toml", &whole[..]), ("ecosystem.config.json", &["ecosystem.config.json:1:"]), ("twice.json", &["api"])] {
        for verb in ["check", "start"] {
            let ending = starts_nothing(&project, &[verb, file]);
            assert_eq!((ending.code, ending.out.as_str()), (Some(2), ""), "{}", ending.all());
            for part in parts {
                assert!(ending.err.contains(part), "{verb} {file} speaks of {part}: {}", ending.err);
            }
        }
    }
    // The problem of one app stops the others, too, unless it is left out.
    assert_eq!(starts_nothing(&project, &["check", "--only", "web"]).code, Some(2));
}

#[test]
fn a_broken_file_in_javascript_shows_its_own_exception() {
    if !programs::have(&["node"]) {
        return;
    }
    let project = project();
    project.save("ecosystem.config.js", "console.log('loaded');\nconst port = undefined;\nmodule.exports = { apps: port.apps };\n");
    for verb in ["check", "start"] {
        let ending = starts_nothing(&project, &[verb]);
        assert_eq!((ending.code, ending.out.as_str()), (Some(2), ""), "{}", ending.all());
        for part in ["ecosystem.config.js:3:", "TypeError", "apps"] {
            assert!(ending.err.contains(part), "{verb} speaks of {part}: {}", ending.err);
        }
    }
}

#[test]
fn schema_prints_the_schema_and_the_reference() {
    let project = Project::empty();
    let schema = json(&project, &["schema"]);
    assert!(schema["$schema"].is_string(), "{schema:#}");
    let text = schema.to_string();
    for key in ["script", "max_memory_restart", "interpreter_args", "env_file"] {
        assert!(text.contains(&format!("\"{key}\"")), "the schema has {key}");
    }
    let reference = project.pmdev(["schema", "--markdown"]).finish();
    assert_eq!(reference.code, Some(0));
    assert!(reference.out.contains("### `script`"), "{}", reference.out);
}

#[test]
fn init_writes_down_what_would_run_without_it() {
    for (format, file) in [("toml", "pmdev.toml"), ("yaml", "pmdev.yaml"), ("json", "pmdev.json"), ("js", "pmdev.config.js")] {
        if !programs::have(if format == "js" { &["python3", "node"] } else { &["python3"] }) {
            continue;
        }
        let project = Project::empty();
        project.save("main.py", "open('ran', 'w')\n");
        let mut before = json(&project, &["check", "--json"]);
        before["apps"][0]["watch"]["own"].take();
        let ending = starts_nothing(&project, &["init", format]);
        assert_eq!(ending.code, Some(0), "{}", ending.all());
        assert!(ending.out.contains(file) && ending.out.contains("main.py"), "{}", ending.out);
        let mut after = json(&project, &["check", "--json"]);
        assert_eq!(after["apps"][0]["watch"]["own"].take(), serde_json::json!([project.path(file)]), "an edit of {file} acts by itself");
        assert_eq!(after, before, "{file} runs the same");
        let written = fs::read(project.path(file)).expect("it was written");
        let again = starts_nothing(&project, &["init", format]);
        assert_eq!(again.code, Some(2), "{}", again.all());
        assert!(again.err.contains(file), "{}", again.err);
        assert_eq!(fs::read(project.path(file)).expect("it is there"), written, "a file that is there is left as it is");
    }
}

/// Asks what a folder runs; `chosen`: what the notice says, `told`: how to have it without the notice.
#[track_caller]
fn detects(needs: &[&str], project: &Project, chosen: &str, told: &str) {
    if !programs::have(needs) {
        return;
    }
    let ending = starts_nothing(project, &["check"]);
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    for part in [chosen, told, "pmdev init"] {
        assert!(ending.err.contains(part), "the notice says {part:?}: {}", ending.err);
    }
}

#[test]
fn what_a_folder_runs_is_found_and_told() {
    let with = |files: &[(&str, &str)]| {
        let project = Project::empty();
        files.iter().for_each(|(path, text)| project.save(path, text));
        project
    };
    let package = with(&[("package.json", r#"{ "name": "web", "scripts": { "dev": "node server.js" } }"#)]);
    detects(&["npm"], &package, "web runs npm run dev (scripts.dev in package.json)", "pmdev start \"npm run dev\"");
    let main = with(&[("package.json", r#"{ "name": "web", "main": "lib/server.js" }"#), ("lib/server.js", "")]);
    detects(&["node"], &main, "web runs lib/server.js (main in package.json)", "pmdev start lib/server.js");
    detects(&["cargo"], &Project::fixture("cargo"), "app runs Cargo.toml (the folder is a crate)", "pmdev start Cargo.toml");
    detects(&["go"], &Project::fixture("go"), "runs go.mod (the folder is a Go module)", "pmdev start go.mod");
    detects(&["python3"], &Project::fixture("python"), "runs app.py (the folder has it)", "pmdev start app.py");
    let django = with(&[("manage.py", ""), ("app.py", "")]);
    detects(&["python3"], &django, "runs python3 manage.py runserver --noreload", "pmdev start \"python3 manage.py");
}

#[test]
fn what_is_found_runs_and_is_told_before() {
    if !programs::have(&["python3"]) {
        return;
    }
    let project = Project::empty();
    project.save("main.py", "import time\nprint('main runs', flush=True)\ntime.sleep(1000000)\n");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::says("runs main.py (the folder has it)"));
    runner.wait_for(&words::says("to choose yourself: pmdev start main.py; to write it down: pmdev init"));
    runner.wait_for(&words::app_says("main runs"));
    // Another folder's file is not what init would write.
    project.save("worker/main.py", "print('worker runs')\n");
    let ending = project.pmdev(["start", "worker", "--no-watch"]).finish();
    assert!(ending.all().contains("to choose yourself: pmdev start") && !ending.all().contains("pmdev init"), "{}", ending.all());
}

#[test]
fn a_folder_with_nothing_to_run_says_what_was_looked_for() {
    let project = Project::empty();
    for verb in ["check", "start"] {
        let ending = starts_nothing(&project, &[verb]);
        assert_eq!(ending.code, Some(2), "{}", ending.all());
        for part in ["package.json", "main.py", "hint:"] {
            assert!(ending.err.contains(part), "{verb} speaks of {part}: {}", ending.err);
        }
    }
}
