//! Workers that want everything, or talk without listening: what they get, and what the others notice.

use std::{io::Read as _, net::TcpStream};

use super::{SERVER, node, port, ready, verb};
use crate::support::{PATIENCE, Project, clock::comes_true, processes, words::says};

/// Adds an app that behaves, at a port of its own.
fn with_web(project: &Project) -> u16 {
    let port = port();
    let file = std::fs::read_to_string(project.path("pmdev.yaml")).expect("it is there");
    let web = format!("- {{ name: web, script: web.js, env: {{ PORT: '{port}' }}, watch: false, exec_mode: cluster }}\n");
    project.save("pmdev.yaml", file + &web);
    project.save("web.js", SERVER);
    port
}

/// Whether a server answers within the patience of tests.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(PATIENCE)).expect("the time is not zero");
    let asked = std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Asks for one socket after the other, and never comes to read an answer; stays once nobody listens to it any more.
const DEAF: &str = "const fs = require('fs');\n\
    const fd = process.channel.fd ?? 3;\n\
    const ask = index => ({ cmd: 'NODE_CLUSTER', act: 'queryServer', seq: index, address: '127.0.0.1', port: 0, addressType: 4, index });\n\
    let lines = '';\n\
    for (let index = 0; ; index++) {\n\
      lines += JSON.stringify(ask(index)) + '\\n' + JSON.stringify({ cmd: 'NODE_CLUSTER', act: 'listening', seq: 0 }) + '\\n';\n\
      if (lines.length < 4000) continue;\n\
      try { lines = lines.slice(fs.writeSync(fd, lines)); } catch (error) { if (error.code !== 'EAGAIN') break; }\n\
    }\n\
    console.log('nobody listens');\n\
    process.on('disconnect', () => {});\n\
    setInterval(() => {}, 1000);\n";

#[test]
fn a_worker_that_asks_without_end_and_reads_nothing_is_cut_off_and_delays_nobody() {
    let Some(project) = node("exec_mode: cluster", port(), DEAF) else { return };
    let web = with_web(&project);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("web"));
    runner.wait_for(&says("[pmdev] api asks for ports without reading the answers, so its channel was closed"));
    runner.wait_for(&says("nobody listens"));
    assert!(answers(web));
    let open = processes::descriptors(runner.runner_pid());
    assert!(open < 1200, "{open} descriptors");
    let resident = processes::resident(runner.runner_pid());
    assert!(resident < 64 << 10, "{resident} KiB");
    verb(&project, &["restart", "web"], 0);
    verb(&project, &["delete", "api"], 0);
    assert!(comes_true(PATIENCE, || processes::descriptors(runner.runner_pid()) < 100), "its sockets are closed");
    assert!(answers(web));
}

#[test]
fn a_worker_that_wants_too_many_ports_is_refused_some_and_the_log_says_so() {
    let script = "const net = require('net');\n\
        let up = 0, refused = 0;\n\
        const tell = () => { if (up + refused === 1100) console.log(`${up} up, ${refused} refused`); };\n\
        for (let index = 0; index < 1100; index++) {\n\
          net.createServer().on('error', error => { if (error.code === 'EMFILE') refused++; tell(); }).listen(0, '127.0.0.1', () => { up++; tell(); });\n\
        }\n";
    let Some(project) = node("exec_mode: cluster", port(), script) else { return };
    let web = with_web(&project);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("web"));
    runner.wait_for(&says("1024 up, 76 refused"));
    runner.wait_for(&says("[pmdev] api listens on 1024 ports and sockets, and gets no more of them"));
    assert_eq!(runner.count(&says("gets no more of them")), 1);
    assert!(answers(web));
}

#[test]
fn a_datagram_socket_for_which_a_worker_has_no_descriptor_is_answered() {
    // What a worker may have open is used up while it asks.
    let script = "const fs = require('fs');\n\
        const socket = require('dgram').createSocket('udp4');\n\
        const taken = [];\n\
        socket.on('error', error => { taken.forEach(fd => fs.closeSync(fd)); console.log('told', error.code); });\n\
        socket.on('listening', () => console.log('it was given one'));\n\
        setTimeout(() => {\n\
          socket.bind(0, '127.0.0.1');\n\
          try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}\n\
        }, 10);\n\
        setInterval(() => {}, 1000);\n";
    let Some(project) = node("exec_mode: cluster, limits: { nofile: 60 }", port(), script) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("told EMFILE"));
}
