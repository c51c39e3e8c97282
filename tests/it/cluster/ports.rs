use std::{
    collections::HashSet,
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
};

use rustix::process::Signal;
use serde_json::Value;

use super::{SERVER, load, node, port, ready, verb};
use crate::support::{
    PATIENCE,
    clock::comes_true,
    words::{app_says, says},
};

/// Who answers, until so many have.
#[track_caller]
fn answered_by(port: u16, many: usize) {
    let mut pids = HashSet::new();
    let all = comes_true(PATIENCE, || {
        pids.extend(load::answer(port).ok());
        pids.len() == many
    });
    assert!(all, "{pids:?} answer");
}

#[test]
fn workers_share_a_port_and_see_that_they_are_workers() {
    let port = port();
    let script = format!(
        "{SERVER}console.log('is', require('cluster').isWorker, process.env.NODE_APP_INSTANCE, process.env.NODE_CHANNEL_FD, process.env.NODE_UNIQUE_ID);\n"
    );
    let Some(project) = node("instances: 2", port, &script) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    runner.wait_for(&app_says("is true 0 undefined undefined"));
    runner.wait_for(&app_says("is true 1 undefined undefined"));
    answered_by(port, 2);
    let listed = verb(&project, &["list", "--json"], 0).out;
    let instances: Vec<Value> = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{error}: {listed}"));
    assert!(instances.len() == 2 && instances.iter().all(|view| view["mode"] == "cluster"), "{listed}");
    verb(&project, &["stop", "api"], 0);
    assert!(comes_true(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_err()), "the port of a stopped app is still open");
    verb(&project, &["start", "api"], 0);
    answered_by(port, 2);
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn workers_share_a_port_also_with_workers_of_another_app_on_the_same_port() {
    let port = port();
    let Some(project) = node("instances: 1", port, SERVER) else { return };
    let app = |name: &str| format!("- {{ name: {name}, script: api.js, instances: 1, watch: false, env: {{ PORT: '{port}' }} }}\n");
    project.save("pmdev.yaml", format!("apps:\n{}{}", app("one"), app("two")));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("one"));
    runner.wait_for(&ready("two"));
    answered_by(port, 2);
    verb(&project, &["delete", "one"], 0);
    answered_by(port, 1);
}

#[test]
fn a_port_that_somebody_else_has_is_an_error_of_the_app() {
    let holder = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let port = holder.local_addr().expect("it is bound").port();
    let Some(project) = node("instances: 1", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&app_says("failed EADDRINUSE bind"));
    runner.wait_for(&says("[pmdev] api crashed (exit code 1)"));
}

#[test]
fn other_sockets_and_messages() {
    let script = "const net = require('net'), path = require('path').resolve('api.sock');\n\
        const server = net.createServer(socket => socket.end('hello')).listen(path, () => {\n\
          require('dgram').createSocket('udp4').bind(0, '127.0.0.1', function () { console.log('udp', this.address().port > 0);\n\
            net.createServer().listen(0, function () { console.log('any', this.address().port > 0, this.address().family);\n\
              const again = net.createServer().on('error', error => console.log('twice', error.code)).listen(path);\n\
              net.connect(path, function () { process.send('handle', this, error => console.log('handle', error)); });\n\
            });\n\
          });\n\
        });\n";
    let Some(project) = node("instances: 1", 1, script) else { return };
    let mut runner = project.start([""; 0]);
    for said in ["udp true", "any true IPv6", "twice EADDRINUSE", "handle null"] {
        runner.wait_for(&app_says(said));
    }
    let path = project.path("api.sock");
    assert!(UnixStream::connect(&path).is_ok());
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    assert!(!path.exists(), "the unix socket is left behind");
}

#[test]
fn a_worker_that_listens_on_nothing_counts_as_ready_after_its_time() {
    let Some(project) = node("instances: 1, listen_timeout: 300", 1, "console.log('works'); setInterval(() => {}, 1000);\n") else {
        return;
    };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&app_says("works"));
    runner.wait_for(&ready("api"));
    verb(&project, &["reload", "api"], 0);
}

#[test]
fn what_keeps_the_channel_to_itself_runs_in_fork_mode_and_says_so() {
    let Some(project) = node("instances: 1", 1, SERVER) else { return };
    project.save("pmdev.yaml", "apps:\n- { name: api, script: npm start, exec_mode: cluster, watch: false }\n");
    let ending = verb(&project, &["check"], 0);
    assert!(ending.all().contains("api runs in fork mode, and its instances share no port: pmdev starts npm"), "{}", ending.all());
}
