//! A thousand restarts leave nothing behind.

use crate::support::{PATIENCE, Project, clock::comes_true, processes, programs, words};

/// How many.
pub const RESTARTS: usize = 1_000;

/// How much more memory the last hundred may need than the third, in KiB: noise of the allocator.
pub const NOISE: u64 = 1_024;

#[test]
fn a_thousand_restarts_leave_nothing_behind() {
    let project = Project::empty();
    let app = programs::misbehave();
    let mut runner = project.pmdev(["start".as_ref(), app.as_os_str()]).typed().spawn();
    let ready = words::app_says("ready");
    runner.wait_for(&ready);
    runner.type_line(words::RESTART_KEY);
    assert!(comes_true(PATIENCE, || runner.count(&ready) == 2 && runner.count(&words::restarted()) == 1));
    let pid = runner.runner_pid();
    let state = |pid: i32| (processes::descriptors(pid), processes::Process::read(pid).map(|process| process.threads));
    let (before, guard_before) = (state(pid), state(runner.pid));
    let mut resident = Vec::with_capacity(RESTARTS);
    for done in 1..=RESTARTS {
        runner.type_line(words::RESTART_KEY);
        let all = comes_true(PATIENCE, || runner.count(&ready) == done + 2 && runner.count(&words::restarted()) == done + 1);
        assert!(all, "restart {done} of {RESTARTS} has not happened");
        resident.push(processes::resident(pid));
    }
    let settled = comes_true(PATIENCE, || processes::children(pid).len() == 1 && processes::zombies(pid).is_empty());
    assert!(settled, "children of the runner:\n{}", processes::list(&processes::children(pid)));
    assert!(comes_true(PATIENCE, || state(pid) == before), "descriptors and threads: {:?} before, {:?} after", before, state(pid));
    assert_eq!(state(runner.pid), guard_before, "descriptors and threads of the guard");
    assert_eq!(processes::zombies(runner.pid).len(), 0, "zombies of the guard");
    let early = median(&resident[200..300]);
    let late = median(&resident[900..]);
    eprintln!("resident memory after restarts 200-300: {early} KiB, 900-1,000: {late} KiB; descriptors and threads {before:?}");
    assert!(late <= early + NOISE, "memory grows: {early} KiB, then {late} KiB");
}

/// The value in the middle.
pub fn median(values: &[u64]) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values[values.len() / 2]
}
