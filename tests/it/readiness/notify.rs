//! systemd's notify protocol, spoken by Python as its libraries do.

use std::{fs, os::unix::net::UnixDatagram};

use rustix::process::Signal;

use super::{again, project, ready};
use crate::support::{PATIENCE, Project, Runner, clock::comes_true, programs, words};

const PYTHON: &str = "import os, socket, subprocess, sys, time\n\
    def say(text):\n    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), os.environ['NOTIFY_SOCKET'])\n\
    def wait_for(name):\n    while not os.path.exists('../outside/' + name): time.sleep(0.01)\n\
    print('socket', os.environ['NOTIFY_SOCKET'], flush=True)\n";

fn python(keys: &str, script: &str) -> Option<Project> {
    programs::have(&["python3"]).then(|| {
        let project = project(&format!("apps:\n- {{ name: api, script: api.py, {keys} }}\n"));
        project.save("api.py", format!("{PYTHON}{script}"));
        project
    })
}

/// The path of the socket, as the app says it.
fn socket(runner: &mut Runner<'_>) -> String {
    let line = runner.wait_for(&words::app_says("socket /")).text();
    line.split_once("socket ").expect("it was asked for").1.to_owned()
}

fn go(project: &Project, name: &str) {
    fs::write(project.outside(name), "").expect("it is ours");
}

#[test]
fn it_says_itself_that_it_is_ready() {
    let script =
        "say('STATUS=loading')\nprint('loading', flush=True)\nwait_for('go')\nsay('STATUS=up\\nREADY=1\\nMAINPID=1')\ntime.sleep(1000)\n";
    let Some(project) = python("ready: { notify: true, timeout: 20s }", script) else { return };
    let mut runner = project.start(["--no-watch"]);
    let path = socket(&mut runner);
    runner.wait_for(&words::app_says("loading"));
    assert_eq!(runner.count(&ready("api")), 0);
    go(&project, "go");
    runner.wait_for(&ready("api"));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    assert!(!std::path::Path::new(&path).parent().expect("it is in a folder").exists(), "{path} is left");
}

#[test]
fn a_process_of_its_own_may_say_it_even_if_that_is_gone_at_once() {
    let script = "subprocess.run([sys.executable, '-c', \"import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\"])\ntime.sleep(1000)\n";
    let Some(project) = python("ready: { notify: true, timeout: 20s }", script) else { return };
    project.start(["--no-watch"]).wait_for(&ready("api"));
}

#[test]
fn a_stranger_may_not() {
    let Some(project) = python("ready: { notify: true, timeout: 20s }", "wait_for('go')\nsay('READY=1')\ntime.sleep(1000)\n") else {
        return;
    };
    let mut runner = project.start(["--no-watch"]);
    let path = socket(&mut runner);
    let stranger = UnixDatagram::unbound().expect("there are descriptors");
    for _ in 0..3 {
        stranger.send_to(b"READY=1", &path).expect("the socket takes it");
    }
    let own = std::process::id();
    let ignored = words::says(format!("api was notified of by process {own}, which is none of its own and is not heard"));
    runner.wait_for(&ignored);
    assert_eq!(runner.count(&ready("api")), 0);
    go(&project, "go");
    runner.wait_for(&ready("api"));
    assert_eq!(runner.count(&ignored), 1, "it is told once");
}

#[test]
fn without_a_word_the_last_status_is_told() {
    let Some(project) = python("ready: { notify: true, timeout: 6s }", "say('STATUS=loading the index')\ntime.sleep(1000)\n") else {
        return;
    };
    let ending = project.start(["--no-watch"]).finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    let why = "READY=1 never came over NOTIFY_SOCKET; its last status was \"loading the index\"";
    assert!(ending.all().contains(why), "{}", ending.all());
}

#[test]
fn missing_signs_of_life_restart_it_and_so_does_its_own_word() {
    let script = "print('every', os.environ['WATCHDOG_USEC'], flush=True)\n\
        if not os.path.exists('../outside/hung'):\n    \
            say('WATCHDOG=1')\n    wait_for('hang')\n    open('../outside/hung', 'w')\n    time.sleep(1000)\n\
        if not os.path.exists('../outside/unwell'):\n    \
            open('../outside/unwell', 'w')\n    say('WATCHDOG=trigger')\n    time.sleep(1000)\n\
        print('well', flush=True)\n\
        while True:\n    say('WATCHDOG=1')\n    time.sleep(0.05)\n";
    let keys = "autorestart: true, restart_delay: 1, health: { notify: true, interval: 2s, failures: 1 }";
    let Some(project) = python(keys, script) else { return };
    let mut runner = project.start(["--no-watch"]);
    runner.wait_for(&words::app_says("every 2000000"));
    go(&project, "hang");
    runner.wait_for(&again("api", "after it was unhealthy (1 failure: there was no answer within 2 s)"));
    runner.wait_for(&again("api", "after it was unhealthy (1 failure: it says so itself)"));
    runner.wait_for(&words::app_says("well"));
}

#[test]
fn sockets_go_with_their_runs() {
    let Some(project) = python("ready: { notify: true, timeout: 20s }", "say('READY=1')\ntime.sleep(1000)\n") else { return };
    let mut runner = project.pmdev(["start", "--no-watch"]).typed().spawn();
    let path = socket(&mut runner);
    runner.wait_for(&ready("api"));
    let folder = std::path::Path::new(&path).parent().expect("it is in a folder").to_owned();
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::app_restarted("api"));
    let alone = || fs::read_dir(&folder).expect("it is there").count() == 1;
    assert!(comes_true(PATIENCE, alone), "the socket of the first run is left");
}
