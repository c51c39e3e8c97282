//! `pmdev doctor`: what is wrong is found and told with what to do, what is well is left in peace.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::PathBuf, process};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    readiness,
    support::{PATIENCE, Project, Runner, clock::comes_true, processes, programs, runner::Ending, words::says},
};

const FILE: &str = "[[apps]]\nname = \"api\"\nscript = \"api.sh\"\n";

fn project(file: &str) -> Project {
    let project = Project::empty();
    project.script("api.sh", "exec sleep 1000000\n");
    project.save("pmdev.toml", file);
    project
}

#[track_caller]
fn doctor(project: &Project, flags: &[&str], code: i32) -> String {
    let ending: Ending = project.pmdev([&["doctor"], flags].concat()).finish();
    assert_eq!((ending.code, ending.err.as_str()), (Some(code), ""), "{flags:?}: {}", ending.all());
    ending.out
}

/// The sockets of runners in the foreground.
fn sockets(project: &Project) -> Vec<PathBuf> {
    let folder = fs::read_dir(project.root.with_file_name("run").join("pmdev")).expect("a runner has made it");
    folder.map(|entry| entry.expect("it can be read").path()).filter(|path| path.extension().is_some_and(|end| end == "sock")).collect()
}

fn running(project: &Project) -> Runner<'_> {
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("api started"));
    runner
}

#[test]
fn all_is_well() {
    let project = project(FILE);
    let told = doctor(&project, &[], 0);
    for part in ["ok       inotify: ", "ok       open files: ", "ok       memory: ", "ok       project: api from pmdev.toml", "sh (/"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("problem"), "{told}");
    assert!(!project.root.with_file_name("home").join(".pmdev").exists(), "it makes nothing");
}

#[test]
fn a_folder_with_nothing_to_run_has_a_machine_all_the_same() {
    let told = doctor(&Project::empty(), &[], 0);
    assert!(told.contains("inotify: ") && told.contains("has nothing to run, so only the machine was looked at"), "{told}");
    let told = doctor(&Project::empty(), &["nowhere.toml"], 2);
    assert!(told.contains("problem  nowhere.toml was not found") && told.contains("inotify: "), "{told}");
}

#[test]
fn programs_read_an_object() {
    let told = doctor(&project(FILE), &["--json", "--prod"], 0);
    let object: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!(object["problems"], 0, "{told}");
    let checks = object["checks"].as_array().expect("it is a list");
    let unlimited = checks.iter().find(|check| check["check"] == "memory-limit").expect("it is said");
    assert_eq!((&unlimited["grade"], &unlimited["commands"]), (&"warning".into(), &Value::Array(Vec::new())));
    assert!(unlimited["advice"].as_str().is_some_and(|advice| advice.contains("max_memory_restart")), "{told}");
}

#[test]
fn a_broken_project_file_is_shown_with_its_place() {
    let told = doctor(&project("[[apps]]\nname = \n"), &[], 2);
    assert!(told.contains("problem  pmdev.toml:2:8: ") && told.contains("inotify: ") && told.contains("1 problem"), "{told}");
    let told = doctor(&project(&format!("{FILE}instances = \"many\"\n\n[[apps]]\nname = \"web\"\nscript = \"api.sh\"\n")), &[], 2);
    assert!(told.contains("apps[0].instances"), "{told}");
}

#[test]
fn an_interpreter_that_is_missing_hides_nothing_else() {
    let project = project(&format!("{FILE}\n[[apps]]\nname = \"old\"\nscript = \"old.lua\"\ninterpreter = \"nolua\"\n"));
    project.save("old.lua", "");
    let told = doctor(&project, &[], 1);
    assert!(told.contains("problem  pmdev.toml:8:15: ") && told.contains("nolua was not found"), "{told}");
    assert!(told.contains("api: ") && told.contains("sh (/"), "the other one is looked at: {told}");
    assert!(!doctor(&project, &["--only", "api"], 0).contains("nolua"));
}

#[test]
fn what_builds_asks_and_helps_an_app_is_looked_for_on_the_apps_own_path() {
    let project = project("");
    project.script("bin/tells", "exit 0\n");
    let bin = project.path("bin").to_string_lossy().into_owned();
    let own = "hooks = { on_crash = \"tells\" }\nenv = { PATH = \"BIN:/bin:/usr/bin\" }\n";
    let api =
        "build = \"nobuilder all\"\nready = { command = \"noready\" }\nhooks = { on_crash = \"nohook --now\", on_exit = \"./made\" }\n";
    let file = format!("{FILE}{api}\n[[apps]]\nname = \"own\"\nscript = \"api.sh\"\n{own}");
    project.save("pmdev.toml", file.replace("BIN", &bin));
    let told = doctor(&project, &[], 1);
    let joined = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for (key, program) in [("build", "nobuilder"), ("ready", "noready"), ("on_crash", "nohook")] {
        assert!(joined.contains(&format!("problem api has {program} run by its key {key}, and {program} was not found")), "{told}");
    }
    // What the build makes, and what the app's own PATH has.
    assert!(!told.contains("./made") && !told.contains("tells") && told.contains("3 problems"), "{told}");
    // Nobody else's is asked.
    project.save("pmdev.toml", file.replace("BIN:", ""));
    let told = doctor(&project, &["--only", "own"], 1);
    assert!(told.contains("own has tells run by its key on_crash"), "{told}");
}

#[test]
fn a_port_in_use_is_told_with_its_holder() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let project = project(&format!("{FILE}port = {port}\n"));
    let told = doctor(&project, &[], 1);
    let name = std::env::args().next().expect("we have a name");
    let name = PathBuf::from(name).file_name().expect("it is a file").to_string_lossy().into_owned();
    let said = format!("api wants port {port}, which pid {} (", process::id());
    assert!(told.contains(&said) && told.contains(&name), "{told}");
    assert!(told.contains(&format!("kill {}", process::id())), "{told}");
    drop(listener);
    assert!(doctor(&project, &[], 0).contains(&format!("{port} for api is free")));
}

#[test]
fn a_port_that_the_app_itself_has_is_well() {
    if !programs::have(&["python3"]) {
        return;
    }
    let port = readiness::port();
    let file = format!("[[apps]]\nname = \"api\"\nscript = \"api.py\"\nport = {port}\n");
    let project = project(&file);
    project.save(
        "api.py",
        "import os, socket\nlistener = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\nprint('listening', flush=True)\n\
         while True: listener.accept()\n",
    );
    // Another project that wants the same.
    project.save("other/pmdev.toml", file.replace("api.py", "../api.py").replace("\"api\"", "\"web\""));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("listening"));
    let told = doctor(&project, &[], 0);
    assert!(told.contains(&format!("api runs already and holds {port}")), "{told}");
    let told = doctor(&project, &["other/pmdev.toml"], 1);
    assert!(told.contains("web wants port") && told.contains("an app of the runner"), "{told}");
}

#[test]
fn what_a_dead_runner_left_is_removed_when_asked_and_nothing_else() {
    let project = project(FILE);
    let alive = running(&project);
    // In this order, since a start removes what it finds of those that are dead.
    let mut dead = project.start(["api.sh", "--name", "other"]);
    dead.wait_for(&says("other started"));
    let pid = dead.runner_pid();
    processes::send(pid, Signal::KILL);
    assert!(comes_true(PATIENCE, || dead.exit().is_some()), "the guard ends with it");
    let mut stale = sockets(&project);
    stale.retain(|socket| !socket.ends_with(format!("{}.sock", alive.runner_pid())));
    assert_eq!(stale.len(), 1, "{stale:?}");
    let told = doctor(&project, &[], 0);
    let shown = stale[0].display().to_string();
    assert!(told.contains(&format!("warning  {shown} is the socket of a runner that is gone")), "{told}");
    assert!(told.contains("pmdev doctor --fix") && told.contains(&format!("runners: {}", alive.runner_pid())), "{told}");
    assert!(stale[0].exists(), "it was only looked at");

    // A stopped runner answers nobody, but lives.
    let runner = alive.runner_pid();
    processes::send(runner, Signal::STOP);
    let guard_stops = || processes::all().iter().any(|process| process.pid == alive.pid && process.state == 'T');
    assert!(comes_true(PATIENCE, guard_stops), "the guard stops with it");
    let told = doctor(&project, &["--fix"], 0);
    assert!(told.contains(&format!("removed what dead runners left: {shown}")), "{told}");
    assert!(told.contains(&format!("The runner {} is stopped", alive.runner_pid())), "{told}");
    assert!(told.contains(&format!("kill -CONT {} {}", alive.pid, runner)), "{told}");
    assert!(!stale[0].exists() && !stale[0].with_extension("lock").exists());
    assert_eq!(sockets(&project).len(), 1, "that of the stopped one stays");
    [alive.pid, runner].into_iter().for_each(|pid| processes::send(pid, Signal::CONT));
    let told = doctor(&project, &["--fix"], 0);
    assert!(!told.contains("socket") && !told.contains("removed"), "{told}");
    assert_eq!(project.pmdev(["ping"]).finish().code, Some(0), "it is as it was");
}

#[test]
fn two_runners_of_one_file_are_named() {
    let project = project(&format!("{FILE}env_file = \"my.env\"\n"));
    project.save("my.env", "A=1\n");
    project.save("web/pmdev.toml", "[[apps]]\nname = \"web\"\nscript = \"../api.sh\"\nenv_file = \"../my.env\"\n");
    let _one = running(&project);
    let start = |folder: &str| project.hook(&["sh", "-c", &format!("cd {folder} && exec pmdev start")]).spawn();
    let mut neighbour = start("web");
    neighbour.wait_for(&says("web started"));
    let told = doctor(&project, &[], 0);
    assert!(!told.contains("two runners"), "they share no more than an env file: {told}");
    fs::create_dir(project.path("api")).expect("it is ours");
    let mut rival = project.hook(&["sh", "-c", "cd api && exec pmdev start ../pmdev.toml"]).spawn();
    rival.wait_for(&says("api started"));
    let told = doctor(&project, &[], 0);
    assert!(told.contains("pmdev.toml is run by two runners") && told.contains("pmdev kill --runner "), "{told}");
}

#[test]
fn what_is_unsafe_on_a_server_is_told_before_anything_of_it_runs() {
    let open = |project: &Project, file: &str, mode| {
        fs::set_permissions(project.path(file), fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    let project = project(&format!("{FILE}env_file = \"my.env\"\nwatch = true\n"));
    project.save("my.env", "DB_PASSWORD=secret\nCOLOUR=red\n");
    open(&project, "pmdev.toml", 0o644);
    open(&project, "my.env", 0o666);
    let told = doctor(&project, &["--prod"], 1);
    for part in [
        "problem  my.env can be written by everybody",
        "chmod o-w my.env",
        "my.env can be read by everybody on this machine, and holds DB_PASSWORD\n",
        "chmod o= my.env",
        "api has no limit of memory",
        "api is watched",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("secret\n"), "{told}");
    assert_eq!(told.contains("api runs as root, because pmdev does"), rustix::process::geteuid().is_root(), "{told}");
    assert!(!doctor(&project, &[], 0).contains("my.env"), "dev does not mind");
    open(&project, "my.env", 0o600);
    assert!(!doctor(&project, &["--prod"], 0).contains("my.env"));
    open(&project, "pmdev.toml", 0o646);
    let told = doctor(&project, &["--prod"], 1);
    assert!(told.contains("problem  pmdev.toml can be written by everybody") && told.contains("chmod o-w pmdev.toml"), "{told}");
}

#[test]
fn root_does_not_read_a_program_that_others_can_write() {
    if !crate::process::can_become_others() || !programs::have(&["node"]) {
        return;
    }
    let project = Project::empty();
    project.save("pmdev.config.js", "require('fs').writeFileSync('ran', ''); module.exports = [{ name: 'api', script: 'app.js' }]");
    project.save("app.js", "");
    fs::set_permissions(project.path("pmdev.config.js"), fs::Permissions::from_mode(0o666)).expect("it is ours");
    for flags in [&["--prod"][..], &["--prod", "api"], &["--prod", "."], &["--prod", "pmdev.config.js"]] {
        let told = doctor(&project, flags, 1);
        assert!(told.contains("it is not read") && !project.path("ran").exists(), "{flags:?} {told}");
    }
    fs::set_permissions(project.path("pmdev.config.js"), fs::Permissions::from_mode(0o644)).expect("it is ours");
    assert!(doctor(&project, &["--prod", "api"], 0).contains("api: node v") && project.path("ran").exists());
}

#[test]
fn a_folder_that_the_user_of_an_app_may_not_enter_is_told_before_it_does_not_start() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = project(&format!("{FILE}uid = \"nobody\"\n"));
    let outer = project.root.parent().expect("it lies in a folder");
    let mode = |path: &std::path::Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(outer, 0o700);
    let told = doctor(&project, &["--prod", "--json"], 1);
    let object: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let entry = object["checks"].as_array().and_then(|checks| checks.iter().find(|check| check["check"] == "entry")).expect("it is said");
    let text = entry["text"].as_str().expect("it is a sentence");
    let expected = format!(
        "api is to run as nobody in {}, and that user may not enter {}: it does not start",
        project.root.display(),
        outer.display()
    );
    assert_eq!(text, expected);
    assert_eq!(entry["commands"][0], format!("chmod o+x {}", outer.display()));
    let mut runner = project.start(["--prod"]);
    runner.wait_for(&says("ermission denied"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    mode(outer, 0o711);
    mode(&project.root, 0o700);
    assert!(doctor(&project, &["--prod", "--json"], 1).contains("which that user may not enter: it does not start"));
    mode(&project.root, 0o711);
    assert!(!doctor(&project, &["--prod", "--json"], 0).contains("may not enter"));
}

#[test]
fn a_limit_that_nobody_can_have_is_told() {
    let project = project(&format!("{FILE}limits = {{ nofile = 4000000000 }}\n"));
    let told = doctor(&project, &[], 1);
    assert!(told.contains("api is to have 4,000,000,000 open files") && told.contains("sysctl fs.nr_open=4000000000"), "{told}");
}
