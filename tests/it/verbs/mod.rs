//! Verbs from another terminal: whom they reach, what they do, what they say and with which code they end.

mod failures;
mod reads;
mod table;
mod waiting;

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{PATIENCE, Project, clock::comes_true, processes, verb, words::says};

const APP: &str = "echo \"$name runs\"\nwhile read -r line; do echo \"$name got $line\"; done\nexec sleep 1000000\n";

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
namespace = \"backend\"
instances = 2

[[apps]]
name = \"web\"
script = \"web.sh\"

[[apps]]
name = \"7\"
script = \"web.sh\"
autostart = false
";

fn project() -> Project {
    let project = Project::empty();
    for app in ["api", "web"] {
        project.script(&format!("{app}.sh"), APP);
    }
    project.save("pmdev.toml", FILE);
    project
}

/// The state and the restarts of every instance, by its name in the table.
fn states(project: &Project) -> Vec<String> {
    let listed = verb(project, &["list", "--json"], 0).out;
    let instances: Vec<Value> = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"));
    let text = |view: &Value, key: &str| view[key].as_str().map(str::to_owned).expect("it is a text");
    let state = |view: &Value| {
        format!("{} {}:{} {} {}", view["pm_id"], text(view, "name"), view["instance"], text(view, "status"), view["restarts"])
    };
    instances.iter().map(state).collect()
}

#[test]
fn without_a_runner_verbs_say_so_and_lists_are_empty() {
    let project = project();
    for (arguments, code) in [
        (&["list"][..], 0),
        (&["list", "--json"], 0),
        (&["kill"], 0),
        (&["ping"], 3),
        (&["stop", "all"], 3),
        (&["restart", "api"], 3),
        (&["reload", "api"], 3),
        (&["delete", "api"], 3),
        (&["reset", "api"], 3),
        (&["scale", "api", "3"], 3),
        (&["signal", "HUP", "api"], 3),
        (&["send", "api", "x"], 3),
    ] {
        let ending = verb(&project, arguments, code);
        if code == 3 {
            assert!(ending.err.contains("No runner") && ending.err.contains("pmdev start"), "{arguments:?}: {}", ending.all());
        }
    }
    assert_eq!(verb(&project, &["list", "--json"], 0).out.trim(), "[]");
}

#[test]
fn verbs_act_on_names_ids_instances_namespaces_and_regexes_and_wait_until_it_is_true() {
    let project = project();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("web started"));
    runner.wait_for(&says("api started (2 instances)"));
    assert_eq!(states(&project), ["0 api:0 online 0", "1 api:1 online 0", "2 web:0 online 0", "3 7:0 stopped 0"]);

    assert!(verb(&project, &["stop", "api:1"], 0).out.contains("api:1 is stopped"));
    assert_eq!(states(&project)[1], "1 api:1 stopped 0");
    verb(&project, &["start", "1"], 0);
    assert_eq!(states(&project)[1], "1 api:1 online 0", "a start after a stop is no restart");
    verb(&project, &["restart", "backend"], 0);
    assert_eq!(states(&project)[..2], ["0 api:0 online 1", "1 api:1 online 1"]);
    verb(&project, &["restart", "/^w/", "0"], 0);
    assert_eq!(states(&project)[..3], ["0 api:0 online 2", "1 api:1 online 1", "2 web:0 online 1"]);
    verb(&project, &["reload", "api"], 0);
    assert_eq!(states(&project)[..2], ["0 api:0 online 3", "1 api:1 online 2"]);
    verb(&project, &["reset", "all"], 0);
    assert_eq!(states(&project)[..3], ["0 api:0 online 0", "1 api:1 online 0", "2 web:0 online 0"]);

    verb(&project, &["start", "7"], 0);
    assert_eq!(states(&project)[3], "3 7:0 online 0", "a name that is a number wins over an id");
    verb(&project, &["stop", "7"], 0);
    assert!(verb(&project, &["scale", "7", "2"], 0).out.contains("7 has 2 instances"), "what rests is only counted");
    verb(&project, &["scale", "7", "1"], 0);

    verb(&project, &["send", "web", "hello you"], 0);
    runner.wait_for(&says("web got hello you"));

    assert!(verb(&project, &["scale", "web", "+2"], 0).out.contains("web has 3 instances"));
    assert_eq!(states(&project).iter().filter(|state| state.contains("web:")).count(), 3);
    verb(&project, &["scale", "web", "1"], 0);
    assert_eq!(states(&project).iter().filter(|state| state.contains("web:")).count(), 1);

    for (arguments, code, part) in [
        (&["stop", "nobody", "api"][..], 1, "nobody is no app of this runner; it has api, web, 7"),
        (&["restart", "99"], 1, "99 is no app"),
        (&["stop", "/(/"], 2, "is not a regex"),
        (&["signal", "EXPLODE", "api"], 2, "is not a signal"),
        (&["scale", "api", "0"], 2, "is no number of instances for api, which has 2"),
        (&["delete", "api:0"], 1, "Of api its last instances alone can be deleted, the last one is api:1"),
        (&["delete", "web", "nobody"], 1, "nothing was done to the others"),
        (&["restart", "missing.json"], 1, "there is no file missing.json here"),
        (&["signal", "HUP", "7"], 1, "7 does not run, so nothing was signalled"),
        (&["start", "web", "-i", "2"], 2, "starting changes no options (-i)"),
    ] {
        let ending = verb(&project, arguments, code);
        assert!(ending.err.contains(part), "{arguments:?}: {}", ending.all());
    }
    assert_eq!(states(&project).len(), 4, "what is refused changes nothing");

    assert!(verb(&project, &["delete", "1"], 0).out.contains("1 is gone"), "one of several instances");
    assert_eq!(states(&project)[0], "0 api:0 online 0");
    assert_eq!(states(&project).len(), 3);
    verb(&project, &["scale", "api", "2"], 0);
    verb(&project, &["delete", "web", "7"], 0);
    assert_eq!(states(&project), ["0 api:0 online 0", "1 api:1 online 0"]);
    // What was deleted stays so when the file is edited.
    project.edit("pmdev.toml", "namespace = \"backend\"", "namespace = \"front\"");
    runner.wait_for(&says("namespace backend -> front"));
    assert_eq!(states(&project).len(), 2);

    assert!(verb(&project, &["kill"], 0).out.contains("has ended"));
    project.nothing_alive(PATIENCE, "kill");
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_start_that_fails_is_told_to_whoever_asked() {
    let project = project();
    project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"job\"\nscript = \"job.sh\"\nautostart = false\n\n[[apps]]\nname = \"web\"\nscript = \"web.sh\"\n",
    );
    project.script("job.sh", "echo no >&2\nexit 3\n");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("web started"));
    for words in [["restart", "job"], ["start", "job"], ["reload", "job"]] {
        let failed = verb(&project, &words, 1);
        let told = ["job is crashed: it crashed (exit code 3)", "the last lines of job:", "  no"];
        assert!(told.iter().all(|part| failed.err.contains(part)), "{words:?}: {}", failed.all());
    }
    verb(&project, &["restart", "job", "--no-wait"], 0);
    runner.wait_for(&says("job crashed (exit code 3)"));
}

#[test]
fn sockets_are_private_and_go_with_their_runner() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = project();
    let mut runner = project.start(["--only", "web"]);
    runner.wait_for(&says("web started"));
    let folder = project.root.with_file_name("run").join("pmdev");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let socket = folder.join(format!("{}.sock", runner.runner_pid()));
    assert_eq!((mode(&folder), mode(&socket)), (0o700, 0o600));
    verb(&project, &["kill", "--runner", &runner.runner_pid().to_string()], 0);
    assert_eq!(runner.finish().code, Some(0));
    assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0, "nothing is left of it");
}

#[test]
fn a_second_start_is_the_verb_or_a_second_runner_but_never_the_same_apps_twice() {
    let project = project();
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("web started"));
    let again = verb(&project, &["start"], 1);
    assert!(again.err.contains("pmdev.toml is run already") && again.err.contains("pmdev restart all"), "{}", again.all());
    let same = verb(&project, &["start", "api.sh"], 1);
    assert!(same.err.contains("api runs already"), "{}", same.all());
    assert!(verb(&project, &["start", "web"], 0).out.contains("web is online"));
    let mut beside = project.start(["web.sh", "--name", "other"]);
    beside.wait_for(&says("other started"));
    let several = verb(&project, &["list"], 2);
    assert!(several.err.contains("2 runners could be meant") && several.err.contains("other"), "{}", several.all());
    verb(&project, &["kill", "--runner", &beside.runner_pid().to_string()], 0);
    assert_eq!(states(&project).len(), 4);
}

#[test]
fn beside_a_runner_that_is_stopped_none_is_started_for_it_cannot_say_what_it_runs() {
    let project = project();
    let mut runner = project.start(["--only", "web"]);
    runner.wait_for(&says("web started"));
    let pid = runner.runner_pid();
    processes::send(pid, Signal::STOP);
    for words in [&["start"][..], &["start", "api.sh", "--name", "other"]] {
        let refused = verb(&project, words, 1);
        let text = format!("A runner of this folder is stopped (Ctrl-Z), with pid {pid}, and its apps with it");
        assert!(refused.err.contains(&text) && refused.err.contains("fg in its terminal, or kill -CONT "), "{}", refused.all());
    }
    // One of another folder is in nobody's way.
    let elsewhere = project.outside("elsewhere");
    fs::create_dir_all(&elsewhere).expect("the folder is ours");
    fs::copy(project.path("web.sh"), elsewhere.join("web.sh")).expect("the folder is ours");
    let shell = format!("cd {} && exec \"$@\"", elsewhere.display());
    let mut other = project.pmdev(["start", "web.sh"]).wrapped(&["sh", "-c", &shell, "sh"]).spawn();
    other.wait_for(&says("web started"));
    other.signal(Signal::INT);
    assert_eq!(other.finish().code, Some(0));
    let continued = || {
        let refused = project.pmdev(["start"]).finish();
        refused.err.contains("pmdev.toml is run already")
    };
    runner.signal(Signal::CONT);
    processes::send(pid, Signal::CONT);
    assert!(comes_true(PATIENCE, continued), "it does not go on");
}

#[test]
fn arguments_that_are_secrets_are_not_listed() {
    let project = project();
    project.edit("pmdev.toml", "script = \"api.sh\"", "script = \"api.sh\"\nargs = \"--token s3cret --db pg://u:s3cret@h --port 3\"");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("api runs"));
    let listed = verb(&project, &["list", "--json"], 0).out;
    assert!(listed.contains("--token") && listed.contains("--port") && !listed.contains("s3cret"), "{listed}");
}

#[test]
fn watching_is_turned_on_and_off_while_apps_run() {
    let project = project();
    let mut runner = project.start(["--only", "web"]);
    runner.wait_for(&says("web started"));
    let watching = || {
        let listed: Value = serde_json::from_str(&verb(&project, &["list", "--json"], 0).out).expect("it is JSON");
        listed[0]["watching"].as_bool().expect("it is told")
    };
    assert!(watching());
    assert!(verb(&project, &["restart", "web", "--watch"], 0).out.contains("web is not watched from now on"));
    assert!(!watching());
    project.save("web.sh", format!("{APP}# more\n"));
    // The file of the project is read again, and changes nothing about that: what was saved above would have been told by then.
    project.edit("pmdev.toml", "namespace = \"backend\"", "namespace = \"back\"");
    runner.wait_for(&says("pmdev.toml was read again"));
    assert_eq!(states(&project), ["0 web:0 online 1"]);
    assert!(verb(&project, &["restart", "web", "--watch"], 0).out.contains("web is watched from now on"));
    project.save("web.sh", format!("{APP}# still more\n"));
    runner.wait_for(&says("web restarted").and(says("(web.sh)")));
    assert!(verb(&project, &["stop", "web", "--watch"], 0).out.contains("web is not watched from now on"));
    assert!(!watching());
    // Of what goes there is nothing to watch.
    verb(&project, &["delete", "web", "--update-env", "--watch"], 0);
}

#[test]
fn what_is_not_watched_by_its_profile_can_be_while_it_runs() {
    let project = project();
    let mut runner = project.start(["--prod", "web.sh"]);
    runner.wait_for(&says("web started"));
    assert!(verb(&project, &["restart", "web", "--watch"], 0).out.contains("web is watched from now on"));
    runner.wait_for(&says("watching 1 folder"));
    project.save("web.sh", format!("{APP}# more\n"));
    runner.wait_for(&says("web restarted").and(says("(web.sh)")));
}
