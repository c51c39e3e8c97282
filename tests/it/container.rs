//! As the first process of a container, which is what a pid namespace makes of it: signals, strangers, exit codes.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, Runner, clock::comes_true, processes, programs, words};

/// Makes the rest of its arguments the first process of a namespace. Its process group is then one that the namespace has no number for.
const NAMESPACE: [&str; 5] = ["unshare", "-Ur", "--pid", "--fork", "--mount-proc"];

/// Signals that end a process unless it handles them, and that nobody means for pmdev.
const DEADLY: [Signal; 6] = [Signal::ALARM, Signal::PROF, Signal::VTALARM, Signal::IO, Signal::POWER, Signal::XCPU];

/// An empty project where namespaces can be made; elsewhere a printed skip.
fn project() -> Option<Project> {
    let project = Project::empty();
    if !programs::have(&["unshare"]) {
        return None;
    }
    if let Err(why) = project.try_run(NAMESPACE[0], &[&NAMESPACE[1..], &["true"]].concat()) {
        programs::skip(&format!("no user and pid namespaces here: {why}"));
        return None;
    }
    Some(project)
}

/// An app that says when it is told to stop.
const POLITE: &str = "trap 'echo bye; exit 0' INT\necho \"process $$ of $PPID\"\nwhile :; do sleep 0.05; done\n";

fn start<'a>(project: &'a Project, arguments: &[&str]) -> Runner<'a> {
    project.script("app.sh", POLITE);
    let mut runner = project.pmdev(["start", "app.sh"].iter().chain(arguments)).wrapped(&NAMESPACE).typed().spawn();
    runner.wait_for(&words::app_says(" of 1"));
    runner
}

#[test]
fn it_ends_with_the_code_of_its_app() {
    let Some(project) = project() else { return };
    project.script("app.sh", "echo \"process $$ of $PPID\"\nsleep 1000 &\nexit 3\n");
    let ending = project.pmdev(["start", "app.sh", "--no-watch"]).wrapped(&NAMESPACE).finish();
    assert_eq!(ending.code, Some(3), "{}", ending.all());
    assert!(ending.out.contains(" of 1\n"), "no guard is needed above process 1: {}", ending.all());
    project.script("app.sh", "kill -SEGV $$\n");
    let ending = project.pmdev(["start", "app.sh", "--no-watch"]).wrapped(&NAMESPACE).finish();
    assert_eq!(ending.code, Some(128 + 11), "{}", ending.all());
}

#[test]
fn what_stops_a_container_stops_the_app_first() {
    let Some(project) = project() else { return };
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP] {
        let runner = start(&project, &["--prod"]);
        processes::send(runner.runner_pid(), signal);
        let ending = runner.finish();
        assert_eq!(ending.code, Some(0), "{signal:?}: {}", ending.all());
        assert!(ending.out.ends_with("bye"), "{signal:?}: {}", ending.all());
        project.nothing_alive(Duration::ZERO, &format!("{signal:?}"));
    }
}

/// Signals that would end a program by themselves, and what is said of them instead.
const ANSWERED: [(Signal, &str); 2] = [
    (Signal::USR1, "SIGUSR1 means nothing to pmdev and no app handles it, so nothing was done"),
    (Signal::USR2, "the log files are opened again (SIGUSR2)"),
];

#[test]
fn a_signal_that_means_nothing_ends_nothing() {
    let Some(project) = project() else { return };
    let mut runner = start(&project, &["--no-watch"]);
    let first = runner.runner_pid();
    for (signal, said) in ANSWERED {
        processes::send(first, signal);
        runner.wait_for(&words::says(said));
    }
    DEADLY.iter().for_each(|signal| processes::send(first, *signal));
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::restarted());
    assert_eq!(runner.exit(), None);
}

#[test]
fn a_signal_that_means_something_to_an_app_is_passed_on() {
    let Some(project) = project() else { return };
    project.script("app.sh", "trap 'echo rotated' USR1\necho ready\nwhile :; do sleep 0.02; done\n");
    let mut runner = project.pmdev(["start", "app.sh", "--no-watch"]).wrapped(&NAMESPACE).spawn();
    runner.wait_for(&words::app_says("ready"));
    processes::send(runner.runner_pid(), Signal::USR1);
    runner.wait_for(&words::says("[pmdev] SIGUSR1 was passed on to app"));
    runner.wait_for(&words::app_says("rotated"));
}

#[test]
fn outside_a_container_what_means_nothing_ends_nothing_as_well() {
    let project = Project::fixture("bash");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::app_says("app v1"));
    for (signal, said) in ANSWERED {
        runner.signal(signal);
        runner.wait_for(&words::says(said));
    }
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn what_strangers_leave_behind_is_reaped_and_not_killed() {
    let Some(project) = project() else { return };
    if !programs::have(&["nsenter"]) {
        return;
    }
    let mut runner = start(&project, &["--no-watch"]);
    let first = runner.runner_pid();
    // As `docker exec` does: a shell that comes in from outside, and leaves something.
    let target = first.to_string();
    let enter = ["-t", &target, "-U", "-p", "-m", "--preserve-credentials", "sh", "-c", "sleep 1000001 >/dev/null 2>&1 & true"];
    project.run("nsenter", &enter);
    let orphans = || processes::children(first).into_iter().filter(|child| child.command == "sleep 1000001").collect::<Vec<_>>();
    assert!(
        comes_true(PATIENCE, || orphans().len() == 1),
        "the stranger's is a child of process 1:\n{}",
        processes::list(&processes::children(first))
    );
    let orphan = orphans()[0].pid;
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::restarted());
    assert!(processes::Process::read(orphan).is_some_and(|process| process.is_alive()), "a restart is about the app alone");
    processes::send(orphan, Signal::KILL);
    assert!(comes_true(PATIENCE, || processes::Process::read(orphan).is_none()), "it stays a zombie");
    assert!(processes::zombies(first).is_empty(), "{}", processes::list(&processes::zombies(first)));
    processes::send(first, Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}

/// The instructions of the Dockerfile: a word in capitals, and the rest.
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string(programs::repository("fixtures/docker/Dockerfile")).expect("it is there");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(|line| line.split_once(' ')).map(|(word, rest)| (word.to_owned(), rest.to_owned())).collect()
}

/// The arguments of the one instruction of this name that ends in a JSON list.
fn command(name: &str) -> Vec<String> {
    let all = instructions();
    let found: Vec<&String> = all.iter().filter(|(word, _)| word == name).map(|(_, rest)| rest).collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    let list = &found[0][found[0].find('[').expect("a list, so that no shell stands between")..];
    serde_json::from_str(list).expect("it is JSON")
}

#[test]
fn what_the_dockerfile_copies_is_there_and_is_enough_to_build() {
    let project = Project::empty();
    let sources: Vec<String> = instructions()
        .into_iter()
        .filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from"))
        .flat_map(|(_, rest)| {
            let words: Vec<String> = rest.split(' ').map(str::to_owned).collect();
            words[..words.len() - 1].to_vec()
        })
        .collect();
    assert!(sources.len() >= 6, "{sources:?}");
    for source in &sources {
        let from = programs::repository(source);
        assert!(from.exists(), "COPY {source}: there is no such thing");
        let to = project.path(source);
        fs::create_dir_all(to.parent().expect("it lies in the project")).expect("it is ours");
        if !to.exists() {
            std::os::unix::fs::symlink(from, to).expect("it is ours");
        }
    }
    // Cargo reads the manifest, and looks for every target that it names.
    project.run("cargo", &["metadata", "--offline", "--no-deps", "--format-version", "1", "--quiet"]);
    let manifest = fs::read_to_string(programs::repository("Cargo.toml")).expect("it is there");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("it is said").trim_matches('"');
    assert!(instructions()[0].1.starts_with(&format!("rust:{version}-")), "the image has the Rust that Cargo.toml asks for");
}

#[test]
fn what_the_dockerfile_runs_serves_is_healthy_and_stops() {
    let Some(project) = project() else { return };
    if !programs::have(&["node"]) {
        return;
    }
    for entry in fs::read_dir(programs::repository("fixtures/docker/app")).expect("it is there").flatten() {
        project.save(entry.file_name(), fs::read(entry.path()).expect("it is a file"));
    }
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free").port().to_string();
    let entrypoint = command("ENTRYPOINT");
    assert_eq!(entrypoint[0], "pmdev");
    let mut runner = project.pmdev(&entrypoint[1..]).wrapped(&NAMESPACE).env("PORT", &free).spawn();
    runner.wait_for(&words::app_says(format!("listening on {free}, process ")));
    let health = command("HEALTHCHECK");
    let healthy = |folder: &Path| {
        let mut check = Command::new(&health[0]);
        check.args(&health[1..]).current_dir(folder).env("PORT", &free).stdout(Stdio::null());
        check.status().expect("node runs").success()
    };
    assert!(healthy(&project.root));
    processes::send(runner.runner_pid(), Signal::TERM);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    assert!(ending.out.ends_with("closing"), "{}", ending.all());
    assert!(!healthy(&project.root), "nobody listens any more");
}
