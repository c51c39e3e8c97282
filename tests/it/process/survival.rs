//! Nothing of an app outlives its runner, whatever ended the runner and however the app behaves.

use rustix::process::Signal;

use super::bare::{Bare, example, send};

const MISBEHAVIOURS: &[&str] = &[
    "--ignore INT --ignore TERM --children 2",
    "--ignore INT --daemon",
    "--clean-daemon",
    "--children 3 --exit 0",
    "--bomb 40",
    "--bomb-sessions 40",
    "--chain",
];

#[test]
fn nothing_outlives_a_killed_runner() {
    for switches in MISBEHAVIOURS {
        let mut bare = Bare::start();
        bare.misbehave(1, switches);
        send(bare.runner, Signal::KILL);
        assert_eq!(bare.expect_end().code(), Some(137), "{switches}");
        bare.expect_all_dead();
    }
}

#[test]
fn nothing_outlives_a_killed_guard() {
    for switches in MISBEHAVIOURS {
        let mut bare = Bare::start();
        bare.misbehave(1, switches);
        send(bare.guard(), Signal::KILL);
        bare.expect("finished");
        bare.expect_all_dead();
    }
}

#[test]
fn nothing_outlives_a_runner_or_guard_killed_in_the_middle_of_restarts() {
    for kill_guard in [false, true] {
        let mut bare = Bare::start();
        bare.misbehave(1, "--clean-daemon --exit 0");
        let (program, pids) = (example("misbehave"), bare.pids_file());
        bare.tell(&format!("cycle 100000 / {} --pids {} --daemon", program.display(), pids.display()));
        bare.wait_until("restarts are under way", || bare.noted().len() > 20);
        send(if kill_guard { bare.guard() } else { bare.runner }, Signal::KILL);
        bare.expect_end();
        bare.wait_until("the runner is gone", || super::state(bare.runner).is_none_or(|state| state == 'Z'));
        bare.expect_all_dead();
    }
}

#[test]
fn nothing_outlives_a_kill_of_the_set() {
    for switches in MISBEHAVIOURS {
        let mut bare = Bare::start();
        bare.misbehave(1, switches);
        bare.tell("kill 1");
        bare.expect("empty 1");
        bare.expect_all_dead();
    }
}

#[test]
fn nothing_outlives_the_ordinary_end() {
    for switches in MISBEHAVIOURS {
        let mut bare = Bare::start();
        bare.misbehave(1, switches);
        send(bare.guard(), Signal::TERM);
        assert_eq!(bare.expect("finished"), "[]", "{switches}");
        assert_eq!(bare.expect_end().code(), Some(0), "{switches}");
        bare.expect_all_dead();
    }
}
