//! A thousand crashes leave nothing behind, and neither does what a crashed app has forked.

use std::fs;

use rustix::process::Signal;

use crate::{
    restarts::{NOISE, RESTARTS, median},
    support::{PATIENCE, Project, clock::comes_true, processes, programs, words},
};

#[test]
fn a_thousand_crashes_leave_nothing_behind() {
    let project = Project::empty();
    let app = format!("{} --await-line --exit 1", programs::misbehave().display());
    let keys = r#""restart_delay": 0, "max_restarts": "unlimited", "autorestart": true, "watch": false"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "{app}", {keys} }}]"#));
    // An app that crashes when it is told to: so each crash is one that was looked at.
    let mut runner = project.pmdev(["start", "--stdin=api"]).typed().spawn();
    let ready = words::app_says("ready");
    let crash = |runner: &mut crate::support::Runner<'_>, done: usize| {
        runner.type_line("crash");
        let all = comes_true(PATIENCE, || runner.count(&ready) == done + 1);
        assert!(all, "crash {done} of {RESTARTS}: it has not started again");
    };
    runner.wait_for(&ready);
    crash(&mut runner, 1);
    let pid = runner.runner_pid();
    let state = |pid: i32| (processes::descriptors(pid), processes::Process::read(pid).map(|process| process.threads));
    let mut resident = Vec::with_capacity(RESTARTS);
    // Threads that look for the holder of a port end by themselves after a while.
    assert!(comes_true(PATIENCE, || processes::children(pid).len() == 1));
    let before = state(pid);
    for done in 2..RESTARTS + 2 {
        crash(&mut runner, done);
        resident.push(processes::resident(pid));
    }
    let settled = comes_true(PATIENCE, || processes::children(pid).len() == 1 && processes::zombies(pid).is_empty());
    assert!(settled, "children of the runner:\n{}", processes::list(&processes::children(pid)));
    assert!(comes_true(PATIENCE, || state(pid) == before), "descriptors and threads: {:?} before, {:?} after", before, state(pid));
    assert_eq!(processes::zombies(runner.pid).len(), 0, "zombies of the guard");
    let (early, late) = (median(&resident[200..300]), median(&resident[900..]));
    eprintln!("resident memory after crashes 200-300: {early} KiB, 900-1,000: {late} KiB; descriptors and threads {before:?}");
    assert!(late <= early + NOISE, "memory grows: {early} KiB, then {late} KiB");
}

#[test]
fn a_detached_child_of_a_crashed_app_is_gone_before_the_next_start() {
    let project = Project::empty();
    // The next run looks whether the child of the one before is still there.
    let app = format!(
        "for pid in $(cat pids 2>/dev/null); do kill -0 $pid 2>/dev/null && echo \"still there: $pid\"; done; rm -f pids; echo looked\nexec {} --ignore INT --ignore TERM --daemon --pids pids --exit 1\n",
        programs::misbehave().display()
    );
    project.script("api.sh", &app);
    let keys = r#""restart_delay": 0, "max_restarts": 10, "autorestart": true, "watch": false"#;
    project.save("pmdev.json", format!(r#"[{{ "name": "api", "script": "api.sh", {keys} }}]"#));
    let runner = project.start([""; 0]);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(1), "{}", ending.all());
    assert_eq!(ending.out.matches("looked").count(), 10, "{}", ending.out);
    assert!(!ending.out.contains("still there"), "{}", ending.out);
    let pids = fs::read_to_string(project.path("pids")).expect("the last run has written its pids");
    assert!(pids.lines().count() >= 2, "the app and its child: {pids}");
    for pid in pids.lines().map(|pid| pid.parse().expect("a pid")) {
        assert!(processes::Process::read(pid).is_none_or(|process| !process.is_alive()));
        processes::send(pid, Signal::KILL);
    }
}
