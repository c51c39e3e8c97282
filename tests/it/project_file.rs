//! A project file from end to end: what it says is what each app sees, in every interpreter; in every format; in both profiles.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Project, programs, words};

/// What tells the runner's own processes, of all variables the only one an app gets of it.
const MARKER: &str = "PMDEV_RUN";

/// An app of the fixture `print`.
struct App {
    name: &'static str,
    program: &'static str,
    script: &'static str,
    interpreter_args: &'static [&'static str],
    port: u16,
    /// The variable with the number of the instance.
    instance: &'static str,
    /// The variable that counts up, and where from.
    counted: (&'static str, u16),
}

impl App {
    const fn new(
        name: &'static str,
        program: &'static str,
        script: &'static str,
        interpreter_args: &'static [&'static str],
        port: u16,
    ) -> Self {
        Self { name, program, script, interpreter_args, port, instance: "NODE_APP_INSTANCE", counted: ("PORT", port) }
    }
}

/// In the order of the file.
const APPS: [App; 7] = [
    App::new("bash", "bash", "print.sh", &["-u"], 3000),
    App::new("node", "node", "print.js", &["--no-warnings", "--enable-source-maps"], 3010),
    App { instance: "WORKER", ..App::new("python", "python3", "print.py", &["-B"], 3020) },
    App { counted: ("COUNTED", 0), ..App::new("perl", "perl", "print.pl", &["-w"], 3030) },
    App::new("ruby", "ruby", "print.rb", &["-W0"], 3040),
    App::new("php", "php", "print.php", &["-d", "display_errors=1"], 3050),
    App::new("lua", "lua", "print.lua", &["-e", "x = 1"], 3060),
];

/// What an app printed of its own start.
struct Printed {
    argv: Vec<String>,
    command: Vec<String>,
    cwd: String,
    env: BTreeMap<String, String>,
}

/// Runs the apps of the fixture that can run here, to their end; what they printed, by name and `pm_id`.
fn print(project: &Project, flags: &[&str]) -> (Vec<&'static App>, BTreeMap<(String, usize), Printed>) {
    let apps: Vec<_> = APPS.iter().filter(|app| programs::have(&[app.program])).collect();
    let only = apps.iter().map(|app| app.name).collect::<Vec<_>>().join(",");
    let ending = project.pmdev(["start", "--no-watch", "--raw", "--only", &only].iter().chain(flags)).finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    let lines = ending.out.lines().filter(|line| line.starts_with('{'));
    let printed = lines.map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned();
        let list = |key: &str| value[key].as_array().expect("a list").iter().map(text).collect();
        let env: BTreeMap<_, _> =
            value["env"].as_object().expect("a map").iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let id = env.get("pm_id").and_then(|id| id.parse().ok()).expect("every app has a number");
        assert_eq!(env.get("name"), Some(&text(&value["app"])), "the name of the app is its variable `name`");
        ((text(&value["app"]), id), Printed { argv: list("argv"), command: list("command"), cwd: text(&value["cwd"]), env })
    });
    (apps, printed.collect())
}

/// Asserts what each instance of each app printed; `own`: what is expected of the variables of the profile.
#[track_caller]
fn is_as_written(project: &Project, flags: &[&str], own: &[(&str, &str)]) {
    let (apps, printed) = print(project, flags);
    assert_eq!(printed.len(), apps.len() * 2, "two instances each, with numbers of their own: {:?}", printed.keys());
    let args = ["--title", "two words", "a \"quote\""];
    for (index, (app, slot)) in apps.iter().flat_map(|app| [(app, 0), (app, 1)]).enumerate() {
        let Printed { argv, command, cwd, env } = printed
            .get(&(app.name.to_owned(), index))
            .unwrap_or_else(|| panic!("{} has no instance {index}: {:?}", app.name, printed.keys()));
        let script = project.path(app.script).display().to_string();
        assert_eq!(argv, &args, "{}", app.name);
        let words: Vec<&str> = app.interpreter_args.iter().copied().chain([script.as_str()]).chain(args).collect();
        assert_eq!(command[1..], words, "{}", app.name);
        assert_eq!(cwd, &project.path("work").display().to_string(), "{}", app.name);
        let (counted, first) = app.counted;
        let number = slot.to_string();
        let shared = [("FROM_FILE", "of the file"), ("BOTH", "env"), ("LIMITS", r#"{"files":3}"#), (app.instance, &number)];
        for (name, value) in shared.iter().chain(own) {
            assert_eq!(env.get(*name).map(String::as_str), Some(*value), "{name} of {} {slot}", app.name);
        }
        assert_eq!(env.get(counted), Some(&(first + slot).to_string()), "{counted} of {} {slot}", app.name);
        let port = if counted == "PORT" { app.port + slot } else { app.port };
        assert_eq!(env.get("PORT"), Some(&port.to_string()), "PORT of {} {slot}", app.name);
        assert_eq!(env.contains_key("NODE_APP_INSTANCE"), app.instance == "NODE_APP_INSTANCE", "{}", app.name);
    }
}

#[test]
fn every_interpreter_sees_what_is_written() {
    is_as_written(&Project::fixture("print"), &[], &[("MODE", "fast"), ("NODE_ENV", "development")]);
}

#[test]
fn every_interpreter_sees_what_is_written_for_production() {
    is_as_written(&Project::fixture("print"), &["--prod"], &[("MODE", "safe"), ("NODE_ENV", "production")]);
}

#[test]
fn nothing_of_the_runner_leaks_into_an_app() {
    let project = Project::fixture("print");
    let callers: BTreeSet<_> = project.environment().into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let declared = ["FROM_FILE", "BOTH", "LIMITS", "MODE", "PORT", "NODE_ENV", "name", "pm_id"];
    for flags in [&[][..], &["--prod"]] {
        let (apps, printed) = print(&project, flags);
        // Python is started by a wrapper on many machines, which sets variables of its own.
        for app in apps.iter().filter(|app| app.program != "python3") {
            let (_, printed) = printed.iter().find(|((name, _), _)| name == app.name).expect("it printed");
            let mut expected: BTreeSet<_> =
                declared.iter().chain([&app.instance, &app.counted.0, &MARKER]).map(ToString::to_string).collect();
            // In production not even what the caller has for the runner is passed on.
            expected.extend(callers.iter().filter(|name| flags.is_empty() || !name.starts_with("PMDEV_")).cloned());
            assert_eq!(printed.env.keys().cloned().collect::<BTreeSet<_>>(), expected, "{} with {flags:?}", app.name);
        }
    }
}

/// The same two apps in every format that can say them.
const FILES: [(&str, &str); 7] = [
    (
        "pmdev.toml",
        "[[apps]]\nname = \"api\"\nscript = \"api.sh\"\nargs = \"one two\"\nenv = { MODE = \"fast\" }\n[[apps]]\nname = \"web\"\nscript = \"web.sh\"\n",
    ),
    (
        "ecosystem.config.yaml",
        "apps:\n  - name: api\n    script: api.sh\n    args: one two\n    env: { MODE: fast }\n  - { name: web, script: web.sh }\n",
    ),
    (
        "ecosystem.config.json",
        r#"{ "apps": [{ "name": "api", "script": "api.sh", "args": "one two", "env": { "MODE": "fast" } }, { "name": "web", "script": "web.sh" }] }"#,
    ),
    (
        "ecosystem.config.json5",
        "{ apps: [{ name: 'api', script: 'api.sh', args: ['one', 'two'], env: { MODE: 'fast' }, }, { name: 'web', script: 'web.sh' }] } // two\n",
    ),
    (
        "ecosystem.config.cjs",
        "module.exports = { apps: [{ name: 'api', script: 'api.sh', args: 'one two', env: { MODE: 'fast' } }, { name: 'web', script: 'web.sh' }] };\n",
    ),
    (
        "pmdev.config.mjs",
        "const web = { name: 'web', script: 'web.sh' };\nexport default async () => ({ apps: [{ name: 'api', script: 'api.sh', args: 'one two', env: { MODE: 'fast' } }, web] });\n",
    ),
    (
        "package.json",
        r#"{ "name": "shop", "pmdev": { "apps": [{ "name": "api", "script": "api.sh", "args": "one two", "env": { "MODE": "fast" } }, { "name": "web", "script": "web.sh" }] } }"#,
    ),
];

/// Starts the apps of one project file, named or found, and ends them.
#[track_caller]
fn runs(file: &str, text: &str, targets: &[&str], signal: Signal) {
    let project = Project::empty();
    for app in ["api", "web"] {
        project.script(&format!("{app}.sh"), "echo \"name=$name mode=${MODE-none} args=$*.\"\nexec sleep 1000000\n");
    }
    project.save(file, text);
    let mut runner = project.start(targets);
    runner.wait_for(&words::prefixed("api", "name=api mode=fast args=one two."));
    runner.wait_for(&words::prefixed("web", "name=web mode=none args=."));
    runner.wait_for(&words::watching());
    runner.signal(signal);
    assert_eq!(runner.finish().code, Some(0), "{file}");
    project.nothing_alive(Duration::from_secs(1), &format!("{signal:?} to the apps of {file}"));
}

#[test]
fn every_format_runs_the_same_apps_and_stops_them() {
    for (file, text) in FILES {
        let javascript = file.ends_with("js");
        if !javascript || programs::have(&["node"]) {
            runs(file, text, &[], Signal::INT);
            runs(file, text, &[file], Signal::TERM);
        }
    }
}

#[test]
fn a_procfile_runs_its_commands_with_the_env_file_beside_it() {
    let project = Project::empty();
    project.script("app.sh", "echo \"name=$name mode=${MODE-none} args=$*.\"\nexec sleep 1000000\n");
    project.save("Procfile", "# two\napi: MODE=own ./app.sh one 'two three'\nweb: ./app.sh $MODE\n");
    project.save(".env", "MODE=fast\n");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::prefixed("api", "name=api mode=own args=one two three."));
    runner.wait_for(&words::prefixed("web", "name=web mode=fast args=fast."));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    project.nothing_alive(Duration::from_secs(1), "the end of the apps of a Procfile");
}

#[test]
fn only_the_apps_that_are_named_run() {
    let project = Project::empty();
    for app in ["api", "web", "job"] {
        project.script(&format!("{app}.sh"), "echo \"runs as $pm_id\"\n");
    }
    project.save("pmdev.json", r#"[{ "script": "api.sh" }, { "script": "web.sh" }, { "script": "job.sh" }]"#);
    let ran = |arguments: &[&str]| {
        let ending = project.pmdev(["start", "--no-watch"].iter().chain(arguments)).finish();
        assert_eq!(ending.code, Some(0), "{arguments:?}: {}", ending.all());
        let apps = ending.out.lines().filter(|line| words::app_says("runs as").is(line));
        apps.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    assert_eq!(ran(&[]), names(&["api", "job", "web"]));
    assert_eq!(ran(&["--only", "web,job"]), names(&["job", "web"]));
    assert_eq!(ran(&["api", "job"]), names(&["api", "job"]));
    let ending = project.pmdev(["start", "--only", "wep"]).finish();
    assert_eq!(ending.code, Some(2), "{}", ending.all());
    assert!(ending.err.contains("wep") && ending.err.contains("web"), "{}", ending.err);
}
