//! Node's channel: what an app says over it, and what it is told.

use rustix::process::Signal;

use super::{project, ready};
use crate::support::{PATIENCE, Project, clock::comes_true, processes, programs, words};

fn node(keys: &str, script: &str) -> Option<Project> {
    programs::have(&["node"]).then(|| {
        let project = project(&format!("apps:\n- {{ name: api, script: api.js, {keys} }}\n"));
        project.save("api.js", script);
        project
    })
}

#[test]
fn ready_comes_among_other_messages() {
    // Without an answer to the descriptor, nothing after it would ever be sent.
    let script = "const server = require('net').createServer().listen(0, () => {\n\
          for (let i = 0; i < 20000; i++) process.send({ type: 'log', cmd: 'NODE_', text: 'x'.repeat(i % 2000) });\n\
          process.send('handle', server);\n\
          process.send('ready', error => console.log('sent', error));\n\
        });\n\
        console.log('channel', process.connected, process.env.NODE_CHANNEL_FD, require('cluster').isPrimary);\n\
        process.on('SIGINT', () => process.exit(0));\n\
        setInterval(() => {}, 1000);\n";
    let Some(project) = node("wait_ready: true, listen_timeout: 20s", script) else { return };
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("channel true undefined true"));
    runner.wait_for(&ready("api"));
    runner.wait_for(&words::app_says("sent null"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn without_ready_the_start_has_failed() {
    let Some(project) = node("wait_ready: true, listen_timeout: 1s", "process.send('almost'); setInterval(() => {}, 1000);\n") else {
        return;
    };
    let ending = project.start(["--no-watch"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert!(
        ending.all().contains("api was not ready within 1 s") && ending.all().contains("process.send('ready') never came"),
        "{}",
        ending.all()
    );
}

#[test]
fn it_is_told_to_shut_down_by_a_message() {
    let script = "process.on('SIGINT', () => console.log('a signal'));\n\
        process.on('message', message => { console.log('told', JSON.stringify(message)); process.exit(0); });\n\
        console.log('up');\n";
    let Some(project) = node("shutdown_with_message: true", script) else { return };
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("up"));
    runner.signal(Signal::INT);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    assert!(ending.out.contains("told \"shutdown\"") && !ending.out.contains("a signal"), "{}", ending.all());
}

#[test]
fn without_a_channel_it_gets_the_signal_itself_and_its_children_do_not() {
    let script = "const child = require('child_process').spawn('sh', ['-c', \"trap 'echo child' INT; echo started; sleep 1000 & wait; wait\"], { stdio: 'inherit' });\n\
        process.on('SIGINT', () => { console.log('a signal'); process.exit(0); });\n\
        process.disconnect();\n\
        setInterval(() => {}, 1000);\n";
    let Some(project) = node("shutdown_with_message: true", script) else { return };
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("started"));
    runner.signal(Signal::INT);
    let ending = runner.finish();
    assert!(ending.out.contains("a signal") && !ending.out.lines().any(|line| line == "child"), "{}", ending.all());
    project.nothing_alive(PATIENCE, "the end");
}

#[test]
fn a_program_that_is_not_nodes_gets_the_signal() {
    let project = project("apps:\n- { name: api, script: api.sh, shutdown_with_message: true }\n");
    project.save("api.sh", "trap 'echo a signal; exit 0' INT\necho up\nwhile :; do sleep 0.01; done\n");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("up"));
    runner.signal(Signal::INT);
    let ending = runner.finish();
    assert!(ending.out.contains("a signal"), "{}", ending.all());
}

#[test]
fn behind_a_shell_the_channel_works_once_it_was_used() {
    let Some(project) =
        node("", "process.on('message', message => { console.log('told', message); process.exit(0); });\nprocess.send('ready');\n")
    else {
        return;
    };
    project.save(
        "pmdev.yaml",
        "apps:\n- { name: api, script: 'X=1 node api.js; true', wait_ready: true, listen_timeout: 20s, shutdown_with_message: true }\n",
    );
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("api"));
    runner.signal(Signal::INT);
    let ending = runner.finish();
    assert!(ending.out.contains("told shutdown"), "{}", ending.all());
}

#[test]
fn a_message_to_an_app_that_never_looks_is_not_waited_for_longer_than_it_has() {
    let script = "process.send('ready');\nsetImmediate(() => { for (;;); });\n";
    let Some(project) = node("wait_ready: true, listen_timeout: 20s, shutdown_with_message: true, kill_timeout: 200", script) else {
        return;
    };
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("api"));
    runner.signal(Signal::INT);
    let ending = runner.finish();
    assert!(ending.all().contains("api did not stop within 200 ms of being told to shut down and was killed"), "{}", ending.all());
}

#[test]
fn the_channel_of_the_caller_is_not_the_apps() {
    let Some(project) = node("", "console.log('connected', process.connected);\n") else { return };
    let ending = project.pmdev(["start", "--no-watch"]).env("NODE_CHANNEL_FD", "3").env("NODE_UNIQUE_ID", "1").finish();
    assert!(ending.out.contains("connected undefined") || ending.out.contains("connected false"), "{}", ending.all());
}

#[test]
fn channels_go_with_their_runs() {
    let Some(project) = node("wait_ready: true, listen_timeout: 20s", "process.send('ready'); setInterval(() => {}, 1000);\n") else {
        return;
    };
    let mut runner = project.pmdev(["start", "--no-watch"]).typed().spawn();
    runner.wait_for(&ready("api"));
    let pid = runner.runner_pid();
    let before = processes::descriptors(pid);
    for _ in 0..5 {
        runner.type_line(words::RESTART_KEY);
        runner.wait_for(&words::app_restarted("api"));
    }
    assert!(comes_true(PATIENCE, || processes::descriptors(pid) <= before), "{before} descriptors, then {}", processes::descriptors(pid));
}
