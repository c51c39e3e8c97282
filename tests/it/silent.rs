//! Clients that say nothing, or read nothing: what they cost the runner, for how long, and that its apps come first.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with},
    process::Signal,
};
use serde_json::Value;

use crate::support::{
    PATIENCE, Project, Runner,
    clock::comes_true,
    processes,
    words::{app_says, says},
};

const LIST: &str = r#"{"protocol":1,"pmdev":"0.1.0","request":{"verb":"list","targets":[],"env":true}}"#;
const PING: &str = r#"{"protocol":1,"pmdev":"0.1.0","request":{"verb":"hello"}}"#;

/// Has the runner started with so few files that it may have open.
const FEW_FILES: [&str; 4] = ["sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"];

fn logs(follow: bool) -> String {
    format!(
        r#"{{"protocol":1,"pmdev":"0.1.0","request":{{"verb":"logs","targets":[],"lines":1000,"history":"none","follow":{follow},"notices":true}}}}"#
    )
}

fn socket(project: &Project, runner: &Runner) -> PathBuf {
    project.root.with_file_name("run").join("pmdev").join(format!("{}.sock", runner.runner_pid()))
}

/// Connects, and says this.
fn say(socket: &Path, words: &str) -> UnixStream {
    let mut stream = UnixStream::connect(socket).expect("the runner listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("the time is not zero");
    // Who is turned away at once may not get that far.
    let _ = stream.write_all(words.as_bytes());
    stream
}

/// Whether the runner ends a connection, whatever else comes over it.
fn is_ended(mut stream: UnixStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn api(project: &Project) {
    project.script("api.sh", "echo first\nexec sleep 1000000\n");
}

fn restarts(project: &Project, runner: &mut Runner, text: &str) {
    project.save("api.sh", format!("echo {text}\nexec sleep 1000000\n"));
    runner.wait_for(&app_says(text));
}

#[test]
fn logs_that_nobody_reads_cost_the_runner_little() {
    const APPS: usize = 8;
    let project = Project::empty();
    let line = "x".repeat(120);
    let talker = format!("for i in $(seq 1500); do echo \"$i {line}\"; echo \"$i {line}\" >&2; done\necho all said\nexec sleep 1000000\n");
    let names: Vec<String> = (0..APPS).map(|number| format!("talker{number}.sh")).collect();
    names.iter().for_each(|name| project.script(name, &talker));
    api(&project);
    let mut runner = project.start(names.iter().map(String::as_str).chain(["api.sh"]));
    for _ in 0..APPS {
        runner.wait_for(&app_says("all said"));
    }
    let socket = socket(&project, &runner);
    let asked = |follow: bool| {
        let stream = say(&socket, &(logs(follow) + "\n"));
        let mut first = String::new();
        // Its answer has begun: what the runner keeps for it, it keeps by now.
        let mut reader = BufReader::with_capacity(16, stream);
        reader.read_line(&mut first).expect("the runner answers");
        assert!(first.contains("\"source\""), "{first}");
        reader
    };
    let warm: Vec<_> = (0..4).map(|_| asked(true)).collect();
    let before = processes::resident(runner.runner_pid());
    let clients: Vec<_> = (0..60).map(|number| asked(number % 2 == 0)).collect();
    assert_eq!(project.pmdev(["restart", "api"]).finish().code, Some(0));
    let grown = processes::resident(runner.runner_pid()).saturating_sub(before);
    eprintln!("{} clients cost {grown} KiB", clients.len());
    // Each could have had 2 MB of lines copied for it.
    assert!(grown < 24 << 10, "{} clients cost {grown} KiB", clients.len());
    // Whoever reads after all gets every line that is still there, up to now.
    let mut reader = warm.into_iter().next().expect("there are some");
    let (mut said, mut left) = (0, 0);
    loop {
        let mut text = String::new();
        reader.read_line(&mut text).expect("the runner goes on to answer");
        let reply: Value = serde_json::from_str(&text).expect("it is a reply");
        match reply["reply"].as_str() {
            Some("lines") => said += reply["lines"].as_array().map_or(0, Vec::len),
            Some("left_out") => left += reply["lines"].as_u64().unwrap_or(0),
            Some("live") => break,
            _ => {}
        }
    }
    assert!(said > APPS * 1500 && left == 0, "{said} lines came, {left} were left out");
}

#[test]
fn silent_clients_leave_the_apps_the_files_they_need_and_others_are_told_so() {
    let project = Project::empty();
    api(&project);
    let mut runner = project.pmdev(["start", "api.sh"]).wrapped(&FEW_FILES).spawn();
    runner.wait_for(&says("api started"));
    let socket = socket(&project, &runner);
    let silent: Vec<UnixStream> = (0..300).map(|_| say(&socket, &(logs(true) + "\n"))).collect();
    for number in 0..3 {
        restarts(&project, &mut runner, &format!("again {number}"));
    }
    let list = project.pmdev(["list"]).finish();
    assert!(list.code == Some(1) && list.err.contains("The runner has too many connections open"), "{}", list.all());
    assert!(processes::descriptors(runner.runner_pid()) < 150, "{}", processes::descriptors(runner.runner_pid()));
    drop(silent);
    assert!(comes_true(PATIENCE, || project.pmdev(["list"]).finish().code == Some(0)));
}

#[test]
fn a_runner_whose_apps_have_all_the_files_says_so_to_who_asks() {
    let project = Project::empty();
    // Each takes several, so that the last ones get none.
    let names: Vec<String> = (0..60).map(|number| format!("app{number}.sh")).collect();
    names.iter().for_each(|name| project.script(name, "echo runs\nexec sleep 1000000\n"));
    let start = ["start", "--no-watch"].into_iter().chain(names.iter().map(String::as_str));
    let mut runner = project.pmdev(start).wrapped(&FEW_FILES).spawn();
    runner.wait_for(&says("Too many open files"));
    let list = project.pmdev(["list"]).finish();
    assert_eq!(list.code, Some(0), "those that are few are served: {}", list.all());
    let socket = socket(&project, &runner);
    let silent: Vec<UnixStream> = (0..20).map(|_| say(&socket, &(logs(true) + "\n"))).collect();
    let list = project.pmdev(["list"]).finish();
    let told = "The runner may not have more files open, and keeps those that are left for its apps";
    assert!(list.code == Some(1) && list.err.contains(told), "{}", list.all());
    drop(silent);
    assert!(comes_true(PATIENCE, || project.pmdev(["list"]).finish().code == Some(0)));
}

#[test]
fn the_runner_may_have_as_many_files_as_it_can_and_its_apps_have_what_was_set() {
    let project = Project::empty();
    project.script("api.sh", "echo \"files $(ulimit -Sn) of $(ulimit -Hn)\"\nexec sleep 1000000\n");
    let mut runner = project.pmdev(["start", "api.sh"]).wrapped(&["sh", "-c", "ulimit -Sn 300; ulimit -Hn 700; exec \"$@\"", "sh"]).spawn();
    runner.wait_for(&app_says("files 300 of 700"));
    let limits = fs::read_to_string(format!("/proc/{}/limits", runner.runner_pid())).expect("it lives");
    let own = limits.lines().find(|line| line.starts_with("Max open files")).expect("there is one");
    assert_eq!(own.split_ascii_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["700", "700"], "{own}");
}

#[test]
fn who_says_nothing_or_half_a_request_or_does_not_read_is_left_after_a_while() {
    let project = Project::empty();
    api(&project);
    let names: Vec<String> = (0..8).map(|number| format!("app{number}.sh")).collect();
    names.iter().for_each(|name| project.script(name, "exec sleep 1000000\n"));
    let start = ["start", "--no-watch", "api.sh"].into_iter().chain(names.iter().map(String::as_str));
    // The answer to a list with variables is larger than what a socket holds.
    let mut runner = project.pmdev(start).env("LARGE", "x".repeat(100_000)).spawn();
    for name in names.iter().map(|name| name.trim_end_matches(".sh")).chain(["api"]) {
        runner.wait_for(&says(format!("{name} started")));
    }
    let socket = socket(&project, &runner);
    // A list has two files of each app in /proc stay open.
    let before = processes::descriptors(runner.runner_pid()) + 2 * (names.len() + 1);
    let deaf = say(&socket, &format!("{LIST}\n"));
    let silent = say(&socket, "");
    let half = say(&socket, &LIST[..LIST.len() / 2]);
    // What these do not read fits into the socket, so that nobody waits for them.
    let short: Vec<UnixStream> = (0..50).map(|_| say(&socket, &format!("{PING}\n"))).collect();
    let open = || processes::descriptors(runner.runner_pid());
    assert!(comes_true(PATIENCE, || open() <= before + 3), "{} are open, {before} before", open());
    assert!(is_ended(silent) && is_ended(half));
    assert!(comes_true(PATIENCE, || open() <= before), "{} are open, {before} before", open());
    drop((deaf, short));
}

#[test]
fn a_stopped_runner_whom_many_have_asked_is_named_and_not_waited_for() {
    let project = Project::empty();
    api(&project);
    let mut runner = project.start(["api.sh"]);
    runner.wait_for(&says("api started"));
    let socket = socket(&project, &runner);
    processes::send(runner.runner_pid(), Signal::STOP);
    // As prompts and monitors of many hours: the queue of those that it has not taken is full.
    let mut queue = Vec::new();
    let address = SocketAddrUnix::new(&socket).expect("it is short");
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    loop {
        let next = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("there are files left");
        if connect(&next, &address).is_err() {
            break;
        }
        queue.push(next);
    }
    let list = project.pmdev(["list"]).spawn().finish_within(Duration::from_secs(20));
    assert!(list.code == Some(1) && list.err.contains("does not answer"), "{} wait: {}", queue.len(), list.all());
    processes::send(runner.runner_pid(), Signal::CONT);
    drop(queue);
    assert!(comes_true(PATIENCE, || project.pmdev(["list"]).finish().code == Some(0)));
}
