use rustix::process::Signal;

use super::{SERVER, load::Load, node, port, ready, verb};
use crate::support::{
    PATIENCE, Project,
    clock::comes_true,
    processes,
    words::{app_says, says},
};

/// The time to listen is for a busy machine.
const GRACEFUL: &str = "instances: 2, drain_timeout: 5s, listen_timeout: 20s";

/// Waits until so many more requests are served.
#[track_caller]
pub fn more(load: &Load, many: usize) {
    let before = load.served();
    assert!(comes_true(PATIENCE, || load.served() >= before + many), "nothing is served any more");
}

/// The processes of workers, by their script.
pub fn workers(project: &Project) -> Vec<processes::Process> {
    project.alive().into_iter().filter(|process| process.command.contains("api.js")).collect()
}

#[test]
fn a_reload_under_load_refuses_and_cuts_nothing() {
    let port = port();
    let Some(project) = node(GRACEFUL, port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 3, 3);
    more(&load, 50);
    let mut before = load.take_pids();
    for round in 0..10 {
        let ending = verb(&project, &["reload", "api"], 0);
        assert!(ending.out.contains("api:0, api:1 are reloaded"), "{}", ending.all());
        // What the old ones have begun may still come, for as long as they drain.
        let mut after = before.clone();
        let replaced = comes_true(PATIENCE, || {
            more(&load, 50);
            after = load.take_pids();
            after.is_disjoint(&before)
        });
        assert!(replaced, "reload {round} left {before:?} in their places: {after:?}");
        before = workers(&project).iter().map(|worker| worker.pid).collect();
    }
    let noticed = load.finish();
    eprintln!("{} requests over 10 reloads", noticed.served);
    assert!(noticed.refused.is_empty() && noticed.cut.is_empty(), "{noticed:?}");
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
}

#[test]
fn workers_that_cannot_say_when_they_are_done_cut_no_fresh_connection() {
    let port = port();
    // As under a Node that does not say which servers there are.
    let mute = "const send = process.send; process.send = function (what, ...more) { return what.cmd === 'NODE_PMDEV' || send.call(this, what, ...more); };\n";
    let Some(project) = node(GRACEFUL, port, &format!("{mute}{SERVER}")) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 4, 0);
    for _ in 0..5 {
        more(&load, 50);
        let before: Vec<_> = workers(&project).iter().map(|worker| worker.pid).collect();
        verb(&project, &["reload", "api"], 0);
        assert!(comes_true(PATIENCE, || workers(&project).iter().all(|worker| !before.contains(&worker.pid))), "{before:?} stay");
    }
    let noticed = load.finish();
    assert!(noticed.refused.is_empty() && noticed.cut.is_empty(), "{noticed:?}");
}

#[test]
fn a_reload_to_a_version_that_dies_keeps_the_old_one() {
    let port = port();
    let Some(project) = node(GRACEFUL, port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 2, 2);
    more(&load, 50);
    project.save("api.js", "throw new Error('broken');\n");
    let ending = verb(&project, &["reload", "api"], 1);
    assert!(ending.all().contains("api:0 goes on as it was"), "{}", ending.all());
    runner.wait_for(&says("api:0 (new run) crashed (exit code 1), so the old one goes on"));
    runner.wait_for(&says("api is not reloaded any further, because api:0 failed before it was ready: 2 instances"));
    load.take_pids();
    more(&load, 200);
    assert_eq!(load.take_pids().len(), 2);
    project.save("api.js", SERVER);
    verb(&project, &["reload", "api"], 0);
    let noticed = load.finish();
    assert!(noticed.refused.is_empty() && noticed.cut.is_empty(), "{noticed:?}");
}

#[test]
fn while_every_worker_is_killed_connections_wait() {
    let port = port();
    let Some(project) = node("instances: 2, autorestart: true, restart_delay: 10, max_restarts: unlimited", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 4, 0);
    for _ in 0..5 {
        more(&load, 50);
        let before = workers(&project);
        assert_eq!(before.len(), 2, "{}", processes::list(&before));
        before.iter().for_each(|worker| processes::send(worker.pid, Signal::KILL));
        assert!(comes_true(PATIENCE, || before
            .iter()
            .all(|worker| processes::Process::read(worker.pid).is_none_or(|now| !now.is_alive()))));
        assert!(comes_true(PATIENCE, || workers(&project).len() == 2));
    }
    more(&load, 50);
    let noticed = load.finish();
    // What was being answered goes with the processes.
    assert!(noticed.refused.is_empty() && noticed.cut.len() <= 5 * 4, "{noticed:?}");
}

#[test]
fn a_restart_refuses_nobody() {
    let port = port();
    let Some(project) = node("instances: 2", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 4, 0);
    for _ in 0..3 {
        more(&load, 50);
        verb(&project, &["restart", "api"], 0);
    }
    more(&load, 50);
    let noticed = load.finish();
    assert!(noticed.refused.is_empty(), "{noticed:?}");
}

#[test]
fn scaling_up_and_down_refuses_and_cuts_nothing() {
    let port = port();
    let Some(project) = node("instances: 1, drain_timeout: 5s, listen_timeout: 20s", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let load = Load::start(port, 3, 3);
    more(&load, 50);
    verb(&project, &["scale", "api", "3"], 0);
    assert!(comes_true(PATIENCE, || {
        more(&load, 50);
        load.take_pids().len() == 3
    }));
    verb(&project, &["scale", "api", "1"], 0);
    more(&load, 100);
    load.take_pids();
    more(&load, 100);
    assert_eq!(load.take_pids().len(), 1);
    let noticed = load.finish();
    assert!(noticed.refused.is_empty() && noticed.cut.is_empty(), "{noticed:?}");
}

#[test]
fn many_reloads_leave_nothing_behind() {
    let port = port();
    let Some(project) = node("instances: 1, drain_timeout: 5s, listen_timeout: 20s", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let of_runner = runner.runner_pid();
    let reload = |many: usize| {
        for _ in 0..many {
            verb(&project, &["reload", "api"], 0);
        }
        assert!(comes_true(PATIENCE, || workers(&project).len() == 1), "old workers stay");
    };
    let descriptors = || processes::descriptors(of_runner);
    reload(10);
    let (fds, resident) = (comes_to_rest(descriptors), processes::resident(of_runner));
    reload(40);
    // What is left of the last ones goes with them.
    assert!(comes_true(PATIENCE, || descriptors() <= fds + 1), "{fds} descriptors became {}", descriptors());
    let later_resident = processes::resident(of_runner);
    eprintln!("{fds} descriptors, then {}; {resident} KiB, then {later_resident}", descriptors());
    assert!(later_resident < resident + (4 << 10), "{resident} KiB became {later_resident}");
}

/// A number once it is the same for ten looks.
fn comes_to_rest(look: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (look(), 0);
    comes_true(PATIENCE, || {
        let now = look();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same >= 10
    });
    last
}

#[test]
fn killed_with_its_runner() {
    let port = port();
    let Some(project) = node("instances: 2", port, SERVER) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    runner.wait_for(&app_says("up"));
    processes::send(runner.runner_pid(), Signal::KILL);
    project.nothing_alive(PATIENCE, "the runner was killed");
}
