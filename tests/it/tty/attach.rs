//! `pmdev attach` on pipes: whom it reaches, what it shows, how it ends.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
};

use rustix::process::Signal;

use super::{app, running, verb};
use crate::{
    background::Home,
    support::{PATIENCE, Project, Runner, clock::comes_true, processes, words},
};

/// Echoes lines.
const ECHO: &str = "stty -echo; echo \"run $$\"; while read -r line; do echo \"got $line\"; done\n";

/// A client on pipes.
fn attached(project: &Project) -> Runner<'_> {
    let mut client = project.pmdev(["attach", "api"]).typed().spawn();
    client.wait_for(&words::says("attached to api, the end of the input leaves"));
    client
}

#[test]
fn what_cannot_be_attached_to_says_why() {
    let project = app("exec sleep 1000000\n");
    assert!(verb(&project, &["attach", "api"], 3).err.contains("No runner"));
    project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"api\"\nscript = \"app.sh\"\n\n[[apps]]\nname = \"two\"\nscript = \"app.sh\"\ninstances = 2\ntty = true\n",
    );
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::says("two started (2 instances)"));
    let refusal = |target: &str| verb(&project, &["attach", target], 1).err;
    assert!(refusal("api").contains("api has no terminal: start it with tty: true (--tty)"));
    assert!(refusal("nobody").contains("nobody is no app of this runner; it has api, two"));
    let several = refusal("two");
    assert!(several.contains("two names 2 instances") && several.contains("name one of two:0, two:1"), "{several}");
    let ending = verb(&project, &["attach", "two:1"], 0);
    assert!(ending.err.contains("attached to two:1") && ending.err.contains("left two:1"), "{}", ending.err);
}

#[test]
fn clients_see_the_same_and_one_that_is_killed_harms_nobody() {
    let project = app(ECHO);
    let _runner = running(&project);
    let (mut one, mut two) = (attached(&project), attached(&project));
    one.type_line("from one");
    two.type_line("from two");
    for client in [&mut one, &mut two] {
        client.wait_for(&words::says("got from one"));
        client.wait_for(&words::says("got from two"));
    }
    one.signal(Signal::KILL);
    assert!(comes_true(PATIENCE, || one.exit().is_some()));
    two.type_line("still there");
    two.wait_for(&words::says("got still there"));
    // Whoever comes later sees the end of what there was, and what is piped in arrives before its end.
    let mut three = attached(&project);
    three.type_line("piped");
    three.end_input();
    three.wait_for(&words::says("got piped"));
    two.wait_for(&words::says("got piped"));
    assert_eq!(three.finish().code, Some(0));
    two.signal(Signal::TERM);
    assert_eq!(two.finish().code, Some(143));
}

#[test]
fn a_restart_keeps_clients_and_a_stop_or_deletion_lets_them_go() {
    let project = app(ECHO);
    let _runner = running(&project);
    let mut client = attached(&project);
    verb(&project, &["restart", "api"], 0);
    client.wait_for(&words::says("[pmdev] api restarted"));
    client.wait_for(&words::says("run "));
    client.type_line("again");
    client.wait_for(&words::says("got again"));
    verb(&project, &["stop", "api"], 0);
    client.wait_for(&words::says("left api: it is stopped"));
    assert_eq!(client.finish().code, Some(0));
    // Who comes to an app that does not run waits for it.
    let mut early = attached(&project);
    early.wait_for(&words::says("api does not run now"));
    verb(&project, &["start", "api"], 0);
    early.type_line("first");
    early.wait_for(&words::says("got first"));
    verb(&project, &["delete", "api"], 0);
    early.wait_for(&words::says("left api: it was deleted"));
    assert_eq!(early.finish().code, Some(0));
}

#[test]
fn an_app_in_the_background_is_reached_and_its_log_is_as_any_other() {
    let home = Home::new();
    home.project.script("echo.sh", ECHO);
    home.verb(&["start", "echo.sh", "--tty", "--name", "api", "-d"], 0);
    let mut client = attached(&home.project);
    home.verb(&["send", "api", "hello"], 0);
    client.wait_for(&words::says("got hello"));
    let mut logs = home.project.pmdev(["logs", "api", "--raw"]).spawn();
    logs.wait_for(&words::says("got hello"));
    client.type_line("on and on");
    logs.wait_for(&words::says("got on and on"));
    home.verb(&["restart", "api"], 0);
    client.wait_for(&words::says("[pmdev] api restarted"));
    home.verb(&["delete", "api"], 0);
    client.wait_for(&words::says("left api: it was deleted"));
    assert_eq!(client.finish().code, Some(0));
    logs.signal(Signal::INT);
    assert!(!logs.finish().out.contains('\r'), "a terminal's ends of lines are those of any other");
}

#[test]
fn a_crash_is_told_to_clients_and_the_end_of_the_runner_ends_them() {
    let project = app("echo begins; read -r line; [ \"$line\" = die ] && exit 4; exec sleep 1000000\n");
    let mut runner = running(&project);
    runner.wait_for(&words::watching());
    let mut client = attached(&project);
    client.type_line("die");
    client.wait_for(&words::says("api crashed (exit code 4), waiting for a change"));
    project.save("other.txt", "1");
    client.wait_for(&words::says("api restarted"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    let ending = client.finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    assert!(ending.err.contains("left api: "), "{}", ending.err);
}

#[test]
fn a_client_that_stands_still_delays_nobody_and_costs_little() {
    let project = app(
        "read -r line; head -c 10000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo; echo all written; read -r line; echo last words\n",
    );
    project.save("pmdev.toml", "[[apps]]\nname = \"api\"\nscript = \"app.sh\"\ntty = true\ndisable_logs = true\n");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::says("api started"));
    let (mut still, mut other) = (attached(&project), attached(&project));
    let before = processes::resident(runner.runner_pid());
    still.signal(Signal::STOP);
    other.type_line("go");
    other.wait_for(&words::says("all written"));
    let after = processes::resident(runner.runner_pid());
    assert!(after < before + (16 << 20), "{} KiB before, {} KiB after", before >> 10, after >> 10);
    still.signal(Signal::CONT);
    still.wait_for(&words::says("bytes were left out, because this terminal was too slow for them"));
    // What it missed lies in between: it sees how it stands now.
    still.wait_for(&words::says("all written"));
    other.type_line("end");
    still.wait_for(&words::says("last words"));
}

#[test]
fn the_protocol_in_any_language() {
    let project = app("stty raw -echo; echo ready; exec od -An -v -tx1 -w1\n");
    let runner = running(&project);
    let socket = project.root.with_file_name("run").join("pmdev").join(format!("{}.sock", runner.runner_pid()));
    let mut stream = UnixStream::connect(socket).expect("the runner listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    stream
        .write_all(
            b"{\"protocol\":1,\"pmdev\":\"0.1.0\",\"request\":{\"verb\":\"attach\",\"target\":\"api\",\"columns\":80,\"lines\":24}}\n",
        )
        .expect("the runner reads");
    let mut lines = BufReader::new(stream.try_clone().expect("it can be shared")).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("{\"reply\":\"attached\",\"name\":\"api\"}"));
    let mut seen = String::new();
    let mut wait_for = |text: &str| {
        while !seen.contains(text) {
            let line = lines.next().unwrap_or_else(|| panic!("no {text:?} in {seen:?}"));
            let reply: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
            seen.push_str(reply["bytes"].as_str().expect("it is what the terminal shows"));
        }
    };
    wait_for("ready");
    // Every byte arrives as it is.
    stream.write_all("{\"say\":\"keys\",\"bytes\":\"\\u0000\\u0003\\u001aÿ\"}\n".as_bytes()).expect("the runner reads");
    ["00", "03", "1a", "ff"].iter().for_each(|byte| wait_for(byte));
    // Nonsense is hung up on.
    stream.write_all(b"{\"say\":\"keys\",\"bytes\":\"\xc4\x80\"}\n").expect("the runner reads");
    let rest = lines.count();
    assert!(rest < 100, "the connection ends");
    verb(&project, &["ping"], 0);
}
