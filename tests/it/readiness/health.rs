//! Apps that run and are not well.

use std::fs;

use rustix::process::Signal;

use super::{again, port, project, ready};
use crate::support::{Project, programs, words};

const AGAIN: &str = "autorestart: true, restart_delay: 1";

#[test]
fn a_server_that_stops_answering_is_restarted() {
    if !programs::have(&["node"]) {
        return;
    }
    let port = port();
    let project = project(&format!(
        "apps:\n- {{ name: web, script: web.js, {AGAIN}, ready: {{ tcp: {port}, timeout: 20s }},\n    \
         health: {{ http: 'http://127.0.0.1:{port}/healthz', interval: 100ms, timeout: 500ms, failures: 2 }} }}\n"
    ));
    project.save(
        "web.js",
        format!(
            "const fs = require('fs');\n\
             let asked = 0;\n\
             require('http').createServer((request, response) => {{\n\
               asked += 1;\n\
               if (fs.existsSync('../outside/hang')) return console.log('hangs');\n\
               response.end('well');\n\
               if (asked === 3) console.log('was asked');\n\
             }}).listen({port}, '127.0.0.1');\n"
        ),
    );
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("web"));
    runner.wait_for(&words::app_says("was asked"));
    assert_eq!(runner.count(&words::says("is unhealthy")), 0);
    fs::write(project.outside("hang"), "").expect("it is ours");
    let why = "web is unhealthy (2 failures in a row, the last: there was no answer within 500 ms), starting again";
    runner.wait_for(&words::says(why));
    fs::remove_file(project.outside("hang")).expect("it is ours");
    runner.wait_for(&again("web", "after it was unhealthy (2 failures in a row"));
    runner.wait_for(&words::app_says("was asked"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_hung_loop_tells_where_it_hangs_before_it_goes() {
    if !programs::have(&["python3"]) {
        return;
    }
    let port = port();
    let project = project(&format!(
        "apps:\n- {{ name: api, script: api.py, {AGAIN}, kill_timeout: 200, ready: {{ tcp: {port}, timeout: 20s }},\n    \
         health: {{ tcp: '127.0.0.1:{port}', interval: 100ms, timeout: 1s, failures: 1, dump_signal: SIGQUIT }} }}\n"
    ));
    project.save(
        "api.py",
        format!(
            "import faulthandler, os, signal, socket\n\
             faulthandler.register(signal.SIGQUIT)\n\
             signal.signal(signal.SIGINT, signal.SIG_IGN)\n\
             listener = socket.create_server(('127.0.0.1', {port}))\n\
             def hangs_here():\n    listener.close()\n    while True: pass\n\
             print('up', flush=True)\n\
             while not os.path.exists('../outside/hang'):\n    listener.accept()[0].close()\n\
             os.remove('../outside/hang')\n\
             hangs_here()\n"
        ),
    );
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("api"));
    fs::write(project.outside("hang"), "").expect("it is ours");
    runner.wait_for(&words::says(format!("api is unhealthy (1 failure: nothing listens at 127.0.0.1:{port}), starting again")));
    runner.wait_for(&words::app_says("in hangs_here"));
    runner.wait_for(&again("api", "after it was unhealthy"));
    assert_eq!(runner.count(&words::app_says("in hangs_here")), 1);
}

/// An app that is asked by a command which fails once it shall.
fn by_command(keys: &str, probe: &str) -> Project {
    let project = project(&format!(
        "apps:\n- {{ name: api, script: api.sh, {keys}, health: {{ command: ./probe.sh, interval: 50ms, timeout: 500ms, start_period: 0, failures: 1 }} }}\n"
    ));
    project.save("api.sh", "echo up\nsleep 1000\n");
    project.script("probe.sh", probe);
    project
}

#[test]
fn a_command_says_why() {
    let project =
        by_command(AGAIN, "#!/bin/sh\n[ -e ../outside/sick ] || exit 0\nrm ../outside/sick\necho 'the queue is full' >&2\nexit 7\n");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("up"));
    fs::write(project.outside("sick"), "").expect("it is ours");
    runner.wait_for(&words::says("api is unhealthy (1 failure: `./probe.sh` failed (exit code 7): the queue is full), starting again"));
    runner.wait_for(&words::app_says("up"));
}

#[test]
fn a_command_that_hangs_is_a_bad_answer_and_does_not_stay() {
    let project = by_command(AGAIN, "#!/bin/sh\n[ -e ../outside/sick ] || exit 0\nrm ../outside/sick\nsleep 4711\n");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("up"));
    fs::write(project.outside("sick"), "").expect("it is ours");
    runner.wait_for(&words::says("api is unhealthy (1 failure: "));
    runner.wait_for(&again("api", "after it was unhealthy"));
    let stays = project.alive().into_iter().filter(|process| process.command.contains("4711")).count();
    assert_eq!(stays, 0, "the probe of the run before");
}

#[test]
fn an_app_that_is_never_well_is_errored_in_prod() {
    let project = by_command("max_restarts: 2, exp_backoff_restart_delay: 1", "#!/bin/sh\nexit 1\n");
    let ending = project.start(["--prod"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert_eq!(ending.all().lines().filter(|line| line.contains("api is unhealthy")).count(), 2, "{}", ending.all());
}
