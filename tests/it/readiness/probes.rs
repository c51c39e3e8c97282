//! Signs that are asked for, and lines: given, and missing.

use std::fs;

use rustix::process::Signal;

use super::{index, not_ready, port, project, ready};
use crate::support::{PATIENCE, clock::comes_true, programs, words};

#[test]
fn a_port_on_either_of_the_local_addresses() {
    if !programs::have(&["node"]) {
        return;
    }
    let (four, six) = (port(), port());
    let project = project(&format!(
        "apps:\n\
         - {{ name: four, script: four.js, ready: {{ tcp: {four}, timeout: 20s }} }}\n\
         - {{ name: six, script: six.js, ready: {{ tcp: localhost:{six}, timeout: 20s }} }}\n"
    ));
    let listen = |port: u16, host: &str| {
        format!(
            "const net = require('net'); const server = net.createServer(socket => socket.end());\nserver.listen({port}, '{host}', () => console.log('{host} listens'));\n"
        )
    };
    project.save("four.js", listen(four, "127.0.0.1"));
    project.save("six.js", listen(six, "::1"));
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("four"));
    runner.wait_for(&ready("six"));
    runner.wait_for(&words::prefixed("four", "127.0.0.1 listens"));
    runner.wait_for(&words::prefixed("six", "::1 listens"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn without_a_sign_the_start_has_failed() {
    let port = port();
    let project =
        project(&format!("apps:\n- {{ name: api, script: api.sh, ready: {{ tcp: {port}, timeout: 300ms }}, max_restarts: 0 }}\n"));
    project.save("api.sh", "echo here\nsleep 1000\n");
    for profile in ["--prod", "--no-watch"] {
        let ending = project.start([profile]).finish();
        assert_eq!(ending.code, Some(1), "{}", ending.all());
        let told = index(&ending.all(), "api was not ready within 300 ms");
        let hint = ending.all().lines().nth(told + 1).unwrap_or_default().to_owned();
        assert!(hint.contains(&format!("the last try: nothing listens at 127.0.0.1:{port} or [::1]:{port}")), "{}", ending.all());
        assert!(!ending.all().contains("is ready after"), "{}", ending.all());
        project.nothing_alive(PATIENCE, "the end");
    }
}

#[test]
fn an_app_that_gives_no_sign_is_tried_again_and_then_errored_in_prod() {
    let project = project(
        "apps:\n- { name: api, script: api.sh, ready: { log: up, timeout: 100ms }, max_restarts: 2, exp_backoff_restart_delay: 1ms }\n",
    );
    project.save("api.sh", "echo run\nsleep 1000\n");
    let mut runner = project.start(["--prod"]);
    for _ in 0..2 {
        runner.wait_for(&not_ready("api"));
    }
    let ending = runner.finish();
    assert_ne!(ending.code, Some(0), "{}", ending.all());
    assert!(ending.all().contains("no line of its output matched \"up\""), "{}", ending.all());
    project.nothing_alive(PATIENCE, "the end");
}

#[test]
fn a_url_counts_from_its_first_good_status() {
    if !programs::have(&["node"]) {
        return;
    }
    let port = port();
    let project =
        project(&format!("apps:\n- {{ name: web, script: web.js, ready: {{ http: 'http://localhost:{port}/up?x', timeout: 20s }} }}\n"));
    project.save(
        "web.js",
        format!(
            "let asked = 0;\n\
             require('http').createServer((request, response) => {{\n\
               asked += 1;\n\
               console.log(`asked ${{asked}} for ${{request.url}} at ${{request.headers.host}}`);\n\
               response.writeHead(asked < 3 ? 503 : 302, {{ location: '/login' }});\n\
               response.end('x'.repeat(100000));\n\
             }}).listen({port}, '::1');\n"
        ),
    );
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("web"));
    runner.wait_for(&words::app_says(format!("asked 3 for /up?x at localhost:{port}")));
    assert_eq!(runner.count(&words::app_says("asked 4")), 0, "nobody asks once it is ready");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn a_bad_status_is_named() {
    if !programs::have(&["node"]) {
        return;
    }
    let port = port();
    let project =
        project(&format!("apps:\n- {{ name: web, script: web.js, ready: {{ http: 'http://127.0.0.1:{port}', timeout: 3s }} }}\n"));
    project.save(
        "web.js",
        format!("require('http').createServer((_, response) => {{ response.statusCode = 500; response.end(); }}).listen({port});\n"),
    );
    let ending = project.start(["--no-watch"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert!(ending.all().contains(&format!("the last try: http://127.0.0.1:{port}/ answers with status 500")), "{}", ending.all());
}

#[test]
fn a_line_that_comes_in_pieces_and_in_colour() {
    let project = project(
        "apps:\n- { name: api, script: api.sh, ready: { log: '^listening on \\d+$', timeout: 20s } }\n- { name: other, script: other.sh }\n",
    );
    project.save(
        "api.sh",
        "wait_for() { until [ -e \"../outside/$1\" ]; do sleep 0.01; done; rm \"../outside/$1\"; }\n\
         echo 'not listening on 1' >&2\n\
         printf '\\033[32mlist' >&2; wait_for one; printf 'ening\\033[0m on ' >&2; wait_for two; echo 3000 >&2\n\
         wait_for three\n",
    );
    project.save("other.sh", "echo 'listening on 5'\nsleep 1000\n");
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::prefixed("other", "listening on 5"));
    runner.wait_for(&words::prefixed("api", "not listening"));
    for piece in ["one", "two"] {
        assert_eq!(runner.count(&ready("api")), 0, "before {piece}");
        fs::write(project.outside(piece), "").expect("it is ours");
        assert!(comes_true(PATIENCE, || !project.outside(piece).exists()), "the app waits for {piece}");
    }
    runner.wait_for(&ready("api"));
}

#[test]
fn a_line_of_the_run_before_does_not_count() {
    let project = project("apps:\n- { name: api, script: api.sh, ready: { log: up, timeout: 20s } }\n");
    project.save("api.sh", "[ -e ../outside/second ] && { echo waiting; until [ -e ../outside/go ]; do sleep 0.01; done; }\ntouch ../outside/second\necho up\nsleep 1000\n");
    let mut runner = project.pmdev(["start", "--no-watch"]).typed().spawn();
    runner.wait_for(&ready("api"));
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::app_says("waiting"));
    assert_eq!(runner.count(&words::app_restarted("api")), 0, "it has not said so yet");
    fs::write(project.outside("go"), "").expect("it is ours");
    runner.wait_for(&words::app_restarted("api"));
}

#[test]
fn a_command_is_asked_one_after_the_other_with_the_variables_of_the_app() {
    let project = project(
        "apps:\n- { name: api, script: api.sh, env: { WANTED: '3' }, ready: { command: './probe.sh \"$WANTED\"', timeout: 20s } }\n",
    );
    project.save("api.sh", "sleep 1000\n");
    project.script(
        "probe.sh",
        "#!/bin/sh\nmkdir ../outside/lock || touch ../outside/piled\nsleep 0.1\nrmdir ../outside/lock\n\
         echo >>../outside/asked\n[ -n \"$NODE_CHANNEL_FD\" ] && touch ../outside/channel\n[ \"$(wc -l <../outside/asked)\" -ge \"$1\" ]\n",
    );
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&ready("api"));
    let asked = fs::read_to_string(project.outside("asked")).expect("it was asked").lines().count();
    assert_eq!(asked, 3);
    assert!(!project.outside("piled").exists(), "two probes ran at once");
}

#[test]
fn a_command_that_hangs_is_gone_with_the_run() {
    let project = project("apps:\n- { name: api, script: api.sh, ready: { command: 'sleep 4711', timeout: 20s } }\n");
    project.save("api.sh", "until [ -e ../outside/go ]; do sleep 0.01; done\nexit 3\n");
    let runner = project.start(["--no-watch"]);
    let probe = || project.alive().iter().any(|process| process.command.contains("4711"));
    assert!(comes_true(PATIENCE, probe), "it is asked");
    fs::write(project.outside("go"), "").expect("it is ours");
    let ending = runner.finish();
    assert_eq!(ending.code, Some(3), "{}", ending.all());
    project.nothing_alive(PATIENCE, "the end");
}

#[test]
fn what_a_command_says_is_told() {
    let project = project("apps:\n- { name: api, script: api.sh, ready: { command: './probe.sh', timeout: 500ms } }\n");
    project.save("api.sh", "sleep 1000\n");
    project.script("probe.sh", "#!/bin/sh\necho 'no response' >&2\nexit 2\n");
    let ending = project.start(["--no-watch"]).finish();
    assert!(ending.all().contains("the last try: `./probe.sh` failed (exit code 2): no response"), "{}", ending.all());
}
