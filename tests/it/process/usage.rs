//! What a process set uses, and who killed it.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use super::bare::{self, Bare, example};
use crate::support::programs;

/// What the runner says of a run: resident and exact memory in MiB, and how many processes.
struct Usage {
    resident: u64,
    exact: u64,
    processes: u64,
}

fn usage(bare: &mut Bare, run: u32) -> Usage {
    bare.tell(&format!("usage {run}"));
    let told = bare.expect(&format!("usage {run}"));
    let numbers: Vec<u64> = told.split(' ').map(|number| number.parse().expect("numbers are told")).collect();
    Usage { resident: numbers[0], exact: numbers[1], processes: numbers[2] }
}

#[test]
fn memory_of_a_child_counts_as_the_sets() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--child-eats 200");
    let Usage { resident, exact, processes } = usage(&mut bare, 1);
    assert_eq!(processes, 2);
    assert!((200..230).contains(&resident) && (200..230).contains(&exact), "{resident} {exact}");
    bare.misbehave(2, "--daemon");
    let Usage { resident, processes, .. } = usage(&mut bare, 2);
    assert!(resident < 30 && processes == 2, "a detached daemon counts, the other run does not: {resident} {processes}");
}

#[test]
fn what_forked_workers_share_counts_once() {
    let mut bare = Bare::start();
    for switches in ["--eat 300 --children 4", "--share 300 --children 4"] {
        bare.misbehave(1, switches);
        let Usage { resident, exact, processes } = usage(&mut bare, 1);
        assert_eq!(processes, 5);
        assert!(resident >= 5 * 300, "{switches}: {resident}");
        assert!((300..400).contains(&exact), "{switches}: {exact}");
        bare.tell("kill 1");
        bare.expect("empty 1");
    }
}

#[test]
fn what_a_process_has_at_two_places_counts_once() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--twice 300");
    let Usage { resident, exact, processes } = usage(&mut bare, 1);
    assert!(processes == 1 && resident >= 600 && (300..400).contains(&exact), "{resident} {exact}");
}

#[test]
fn what_workers_of_another_user_share_counts_once_where_the_runner_may_not_look() {
    if !super::can_become_others() {
        return;
    }
    // Docker's capabilities: everything a runner needs, and no right to look into others.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-sys_ptrace,-perfmon,-sys_admin", "--inh-caps=-all"]).arg(example("bare-runner"));
    let mut bare = Bare::start_by(command);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let program = super::for_everybody(folder.path(), &example("misbehave"));
    bare.tell("as 65534 65534");
    for switches in ["--eat 300 --children 4", "--share 300 --children 4"] {
        bare.tell(&format!("spawn 1 / {} {switches}", program.display()));
        bare.expect("out 1 ready");
        let pid: i32 = bare.expect("executed 1").parse().expect("a pid");
        may_not_look(pid);
        let Usage { resident, exact, processes } = usage(&mut bare, 1);
        assert!(processes == 5 && resident >= 5 * 300 && (300..400).contains(&exact), "{switches}: {resident} {exact}");
        bare.tell("kill 1");
        bare.expect("empty 1");
    }
}

/// Whoever has Docker's capabilities.
fn may_not_look(pid: i32) {
    let mut look = Command::new("setpriv");
    look.args(["--bounding-set=-sys_ptrace,-perfmon,-sys_admin", "--inh-caps=-all", "cat"]).arg(format!("/proc/{pid}/smaps_rollup"));
    assert!(!look.output().expect("setpriv is there").status.success(), "nobody may look");
}

#[test]
fn a_signal_to_the_main_process_reaches_nobody_else() {
    let mut bare = Bare::start();
    bare.misbehave(1, "--children 2");
    bare.wait_until("all have noted their pids", || bare.noted().len() == 3);
    bare.tell("signal-main 1 15");
    assert_eq!(bare.expect("exited 1"), "SIGTERM");
    bare.tell("members 1");
    assert_eq!(bare.expect("members 1").split(' ').count(), 2, "the children live on");
    bare.tell("signal-main 1 15");
    bare.tell("members 1");
    assert_eq!(bare.expect("members 1").split(' ').count(), 2, "nobody is in the place of a main process that has ended");
    bare.tell("signal 1 15");
    bare.expect("empty 1");
}

/// A control group with a limit of memory, version 1 or 2, whichever is there; it is removed with this.
struct Group(PathBuf);

impl Group {
    fn new(megabytes: u32) -> Option<Self> {
        let name = format!("pmdev-it-{}", std::process::id());
        let groups = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];
        groups.into_iter().find_map(|(root, limit)| {
            let folder = Path::new(root).join(&name);
            if !Path::new(root).join("cgroup.procs").exists() || fs::create_dir(&folder).is_err() {
                return None;
            }
            let group = Self(folder);
            fs::write(group.0.join(limit), format!("{megabytes}M")).ok().map(|()| group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes are dead, or about to be.
        for _ in 0..1000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            rustix::event::poll(&mut [], Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 5_000_000 })).expect("a pause");
        }
    }
}

#[test]
fn a_kill_for_want_of_memory_is_told_apart_from_any_other() {
    let Some(group) = Group::new(64) else {
        programs::skip("no control group of memory can be made here");
        return;
    };
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$1/cgroup.procs\" && exec \"$0\""]).arg(example("bare-runner")).arg(&group.0);
    let mut bare = Bare::start_by(command);
    for _ in 0..2 {
        bare.tell(&format!("spawn 1 / {} --eat 200", example("misbehave").display()));
        assert_eq!(bare.expect("exited 1"), "SIGKILL, out of memory");
        bare.expect("empty 1");
    }
    bare.misbehave(1, "");
    let pid: i32 = bare.noted()[0];
    bare::send(pid, Signal::KILL);
    assert_eq!(bare.expect("exited 1"), "SIGKILL", "somebody else");
    bare.misbehave(2, "");
    bare.tell("kill 2");
    assert_eq!(bare.expect("exited 2"), "SIGKILL", "ourselves");
    // The kernel kills a child; that explains no other death where its log can be read.
    let means_our_pids = fs::metadata("/proc/self/ns/pid").is_ok_and(|about| about.ino() == 0xEFFF_FFFC);
    if !means_our_pids || fs::File::open("/dev/kmsg").is_err() {
        programs::skip("the kernel's log cannot be read here");
        return;
    }
    bare.misbehave(3, "--child-eats 200");
    bare.misbehave(4, "");
    let pid = *bare.noted().last().expect("it has noted its pid");
    bare::send(pid, Signal::KILL);
    assert_eq!(bare.expect("exited 4"), "SIGKILL", "somebody else, just after the kernel");
    drop(bare);
}
