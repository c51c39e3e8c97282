//! Starting, signalling and killing process sets, with a runner that has nothing else.

mod bare;
mod survival;
mod usage;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use bare::{Bare, example, is_alive, state};
use rustix::process::Signal;

use crate::support::programs;

#[test]
fn a_run_executes_ends_and_is_empty_in_this_order() {
    let mut bare = Bare::start();
    for (argv, exit) in [("true", "exit code 0"), ("sh -c 'exit 3'", "exit code 3"), ("sh -c 'kill -SEGV $$'", "SIGSEGV")] {
        bare.tell(&format!("spawn 1 / {argv}"));
        let pid = bare.next().strip_prefix("spawned 1 ").expect("that comes first").to_owned();
        assert_eq!(bare.next(), format!("executed 1 {pid}"));
        assert!(bare.next().starts_with(&format!("exited 1 {exit}")));
        assert_eq!(bare.next(), "empty 1");
    }
    bare.tell("spawn 2 / sh -c 'kill -40 $$'");
    assert_eq!(bare.expect("exited 2"), "signal 40", "a real-time signal is a cause like any other");
}

#[test]
fn a_prepared_shim_becomes_the_next_run_and_one_that_died_is_replaced() {
    let mut bare = Bare::start();
    bare.tell("prepare");
    bare.wait_until("the shim is there", || children_of(bare.runner) == 1);
    let shim = list_children(bare.runner)[0];
    bare.tell("spawn 1 / sleep 60");
    assert_eq!(bare.expect("spawned 1"), shim.to_string());
    bare.expect("executed 1");
    bare.tell("members 1");
    assert_eq!(bare.expect("members 1"), shim.to_string());
    bare.tell("prepare");
    bare.wait_until("the next shim is there", || children_of(bare.runner) == 2);
    let next = list_children(bare.runner)[1];
    bare.tell("members 1");
    assert_eq!(bare.expect("members 1"), shim.to_string(), "a shim that waits is no member of a set");
    bare::send(next, Signal::KILL);
    bare.wait_until("the next shim is dead", || is_over(next));
    bare.tell("spawn 2 / sh -c 'exit 3'");
    assert_ne!(bare.expect("spawned 2"), next.to_string());
    assert!(bare.expect("exited 2").starts_with("exit code 3"));
    bare.tell("prepare");
    bare.wait_until("the last shim is there", || children_of(bare.runner) == 2);
    let unused = list_children(bare.runner)[1];
    bare::send(bare.runner, Signal::TERM);
    bare.expect_end();
    bare.wait_until("nothing outlives the runner", || is_over(unused) && is_over(shim));
}

#[test]
fn a_failed_start_names_the_stage_and_the_reason() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("it is ours");
        path.display().to_string()
    };
    let (denied, plain, script) = (file("denied", "", 0o644), file("plain", "echo hi\n", 0o755), file("script", "#!/no/such\n", 0o755));
    let mut bare = Bare::start();
    for (cwd, program, failure) in [
        ("/", "no-such-program", "executing no-such-program: No such file or directory".to_owned()),
        ("/", "/no/such/program", "executing /no/such/program: No such file or directory".to_owned()),
        ("/no/such/folder", "true", "changing directory /no/such/folder: No such file or directory".to_owned()),
        ("/", &denied, format!("executing {denied}: Permission denied")),
        ("/", &plain, format!("executing {plain}: Exec format error")),
        ("/", &script, format!("executing /no/such, the interpreter named in {script}: No such file or directory")),
    ] {
        bare.tell(&format!("spawn 1 {cwd} {program}"));
        assert_eq!(bare.expect("failed 1"), failure);
    }
    bare.wait_until("the shims are reaped", || children_of(bare.runner) == 0);
}

#[test]
fn a_program_starts_with_clean_signals_and_descriptors() {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP PIPE USR1; exec 9</dev/null; exec \"$0\""]).arg(example("bare-runner"));
    let mut bare = Bare::start_by(command);
    bare.tell("spawn 1 /tmp grep -E 'Sig(Blk|Ign)' /proc/self/status");
    // The C library ignores its own two signals, 32 and 33, in what it spawns, and lets nobody change that.
    const OF_THE_C_LIBRARY: u64 = 0b11 << 31;
    for field in ["SigBlk", "SigIgn"] {
        let mask = u64::from_str_radix(&bare.expect(&format!("out 1 {field}:")), 16).expect("a mask is hexadecimal");
        assert_eq!(mask & !OF_THE_C_LIBRARY, 0, "{field}: {mask:x}");
    }
    bare.tell("spawn 2 /tmp sh -c 'echo fds $(ls /proc/self/fd); echo cwd $(pwd); echo session $(cut -d\" \" -f6 /proc/$$/stat) $$'");
    assert_eq!(bare.expect("out 2 fds"), "0 1 2 3", "ls itself has the fourth");
    assert_eq!(bare.expect("out 2 cwd"), "/tmp");
    let session = bare.expect("out 2 session");
    assert!(session.split_once(' ').is_some_and(|(session, pid)| session == pid), "{session}");
}

#[test]
fn a_program_that_is_still_being_written_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let program = folder.path().join("program");
    std::fs::copy("/bin/true", &program).expect("it can be copied");
    let writer = std::fs::OpenOptions::new().append(true).open(&program).expect("it is ours");
    let mut bare = Bare::start();
    bare.tell(&format!("spawn 1 / {}", program.display()));
    bare.expect("spawned 1");
    drop(writer);
    bare.expect("executed 1");
}

#[test]
fn a_run_keeps_its_standard_input_and_gets_lines() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--await-line --exit 7");
    bare.tell("input 1 go");
    assert_eq!(bare.expect("exited 1"), "exit code 7");
}

#[test]
fn what_a_dead_main_process_leaves_belongs_to_its_set() {
    for switches in ["--children 3 --exit 0", "--daemon --exit 0", "--clean-daemon --exit 0"] {
        let mut bare = Bare::start();
        bare.misbehave(1, switches);
        bare.expect("exited 1");
        bare.tell("members 1");
        let members = bare.expect("members 1");
        bare.wait_until("the daemon notes its pid", || bare.noted().len() >= 2);
        let alive: Vec<i32> = bare.noted().into_iter().filter(|pid| is_alive(*pid)).collect();
        assert!(alive.iter().all(|pid| members.split(' ').any(|member| member == pid.to_string())), "{switches}: {members} {alive:?}");
        bare.tell("kill 1");
        bare.expect("empty 1");
        bare.expect_all_dead();
    }
}

#[test]
fn a_daemon_without_traces_is_found_beside_another_run() {
    let mut bare = Bare::start();
    bare.tell("spawn 2 /tmp sleep 60");
    bare.expect("executed 2");
    bare.misbehave(1, "--clean-daemon --await-line --exit 0");
    bare.tell("input 1 go");
    bare.expect("exited 1");
    bare.tell("kill 1");
    bare.expect("empty 1");
    bare.expect_all_dead();
    bare.tell("members 2");
    assert!(!bare.expect("members 2").is_empty(), "the other run lives");
}

#[test]
fn a_signal_reaches_the_whole_set_and_a_slow_stop_is_waited_for() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--children 3 --slow-stop 200");
    bare.wait_until("all have noted their pids", || bare.noted().len() == 4);
    bare.tell("signal 1 15");
    bare.expect("out 1 stopping");
    assert_eq!(bare.expect("exited 1"), "exit code 0");
    bare.expect("empty 1");
    bare.expect_all_dead();
}

#[test]
fn freezing_stops_every_set_and_thawing_continues_it() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--children 2 --daemon");
    bare.misbehave(2, "");
    bare.wait_until("all have noted their pids", || bare.noted().len() == 5);
    bare.tell("freeze");
    bare.wait_until("all stand still", || bare.noted().into_iter().all(|pid| state(pid) == Some('T')));
    bare.tell("thaw");
    bare.wait_until("all go on", || bare.noted().into_iter().all(|pid| state(pid) == Some('S')));
}

#[test]
fn a_thousand_runs_leave_no_descriptor_thread_or_child() {
    let mut bare = Bare::start();
    let look = |bare: &mut Bare| {
        bare.tell("look");
        bare.expect("look")
    };
    let before = look(&mut bare);
    for _ in 0..4 {
        bare.tell(&format!("cycle 250 / {}", example("misbehave").display()));
        bare.expect("cycled");
    }
    assert_eq!(look(&mut bare), before, "descriptors, threads, children");
}

#[test]
fn the_guard_passes_signals_on_stops_with_the_runner_and_ends_with_its_code() {
    let mut bare = Bare::start();
    bare.misbehave(1, "");
    bare::send(bare.runner, Signal::STOP);
    bare.wait_until("the guard stops with the runner", || state(bare.guard()) == Some('T'));
    bare::send(bare.guard(), Signal::CONT);
    bare.wait_until("the runner goes on with the guard", || state(bare.runner) == Some('S'));
    bare::send(bare.guard(), Signal::TERM);
    bare.expect("finished");
    assert_eq!(bare.expect_end().code(), Some(0));
    bare.expect_all_dead();
}

#[test]
fn a_signal_ignored_at_start_stays_ignored() {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\""]).arg(example("bare-runner"));
    let mut bare = Bare::start_by(command);
    bare::send(bare.guard(), Signal::HUP);
    bare::send(bare.runner, Signal::HUP);
    bare::send(bare.guard(), Signal::TERM);
    bare.expect("finished");
}

#[test]
fn the_shim_cannot_be_called_by_hand() {
    for args in [&["__exec"][..], &["__exec", "1", "2"], &["__exec", "77", "78"], &["__exec", "x", "y"]] {
        let status = Command::new(example("bare-runner")).args(args).status().expect("it starts");
        assert_eq!(status.code(), Some(2), "{args:?}");
    }
}

/// Whether programs can be started as other users here, and rights be taken from a runner.
pub fn can_become_others() -> bool {
    if rustix::process::geteuid().is_root() && programs::have(&["setpriv", "prlimit"]) {
        return true;
    }
    programs::skip("only root can start programs as other users");
    false
}

/// A copy of a program that every user can execute, in a folder that every user can enter.
pub fn for_everybody(folder: &Path, program: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let copy = folder.join(program.file_name().expect("it is a file"));
    std::fs::copy(program, &copy).expect("it can be copied");
    copy
}

fn children_of(pid: i32) -> usize {
    list_children(pid).len()
}

fn is_over(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z'))
}

fn list_children(pid: i32) -> Vec<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it is there");
    text.split_ascii_whitespace().map(|pid| pid.parse().expect("the kernel lists numbers")).collect()
}
