//! What watching costs on a big tree, and what happens at the kernel's limit.

use std::fs;

use rustix::process::Signal;

use crate::{
    support::{Project, clock::comes_true, processes, programs, words},
    witness,
};

/// Makes so many folders, in a tree as wide as projects are, each with files.
fn grow(project: &Project, below: &str, folders: usize, files: usize) {
    for number in 0..folders {
        let folder = project.path(below).join(format!("{}/{}/{}", number / 100, number / 10 % 10, number % 10));
        fs::create_dir_all(&folder).expect("the project can be written");
        for file in 0..files {
            fs::write(folder.join(format!("{file}.txt")), "").expect("the project can be written");
        }
    }
}

/// How many folders there are, `below` included.
fn folders(project: &Project, below: &str) -> usize {
    let found = project.run("find", &[below, "-type", "d", "-printf", "x"]);
    found.len()
}

#[test]
fn a_tree_costs_as_many_watches_as_it_has_kept_folders() {
    let project = witness::project();
    // 1,800 folders, 180 and 18 above those, and three more on top.
    grow(&project, "src/tree", 1_800, 1);
    let kept = folders(&project, ".");
    grow(&project, "node_modules", 5_000, 12);
    let runner = witness::start(&project, &[]);
    let watches = processes::watches(runner.runner_pid());
    let ignored = folders(&project, "node_modules") + 60_000;
    eprintln!(
        "{kept} kept folders, {ignored} ignored entries: {watches} watches, {} KiB resident",
        processes::resident(runner.runner_pid())
    );
    assert!(kept >= 2_000 && ignored >= 65_000, "{kept} kept, {ignored} ignored");
    assert_eq!(watches, kept);
    witness::sentinel(&project, &runner);
}

#[test]
fn three_apps_in_one_project_cost_one_set_of_watches() {
    let project = Project::empty();
    grow(&project, "src", 50, 1);
    for name in ["one", "two", "three"] {
        project.script(&format!("{name}.sh"), "echo runs; exec sleep 1000000\n");
    }
    let mut runner = project.start(["one.sh", "two.sh", "three.sh"]);
    runner.wait_for(&words::watching());
    assert_eq!(processes::watches(runner.runner_pid()), folders(&project, "."));
}

#[test]
fn at_the_limit_of_watches_the_rest_is_polled() {
    let limited = "echo 20 > /proc/sys/user/max_inotify_watches && exec \"$@\"";
    let wrapper = ["unshare", "-Ur", "sh", "-c", limited, "sh"];
    let project = witness::project();
    if !programs::have(&["unshare"]) {
        return;
    }
    if let Err(why) = project.try_run("unshare", &["-Ur", "sh", "-c", "echo 20 > /proc/sys/user/max_inotify_watches"]) {
        programs::skip(&format!("no user namespaces here: {why}"));
        return;
    }
    grow(&project, "src/tree", 50, 1);
    let mut runner = project.pmdev(["start", "app.pl"]).wrapped(&wrapper).spawn();
    runner.wait_for(&words::watch_limit());
    runner.wait_for(&words::watching());
    runner.wait_for(&words::app_says("saw "));
    assert!(processes::watches(runner.runner_pid()) <= 20, "the limit holds");
    let deep = "src/tree/0/4/9/0.txt";
    project.save(deep, "changed where only polling looks");
    runner.wait_for(&words::restarted_by(deep));
    runner.wait_for(&words::app_says(witness::sum(&project)));
    assert_eq!(runner.count(&words::watch_limit()), 1, "it is said once");
}

#[test]
fn an_overflow_of_the_kernels_queue_is_one_restart_and_nothing_stays_unwatched() {
    let project = witness::project();
    grow(&project, "src/tree", 50, 0);
    let mut runner = witness::start(&project, &[]);
    let before = runner.count(&words::restarted());
    // Stopped, it reads no event; the queue holds 16,384, and an empty new file makes two.
    let pid = runner.runner_pid();
    processes::send(pid, Signal::STOP);
    let stopped = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "));
    assert!(comes_true(crate::support::PATIENCE, stopped), "the runner does not stop");
    grow(&project, "src/tree", 50, 200);
    project.save("src/unseen/a.txt", "made when nobody could be told");
    processes::send(pid, Signal::CONT);
    // Who started it stops with it, as for Ctrl-Z.
    runner.signal(Signal::CONT);
    runner.wait_for(&words::queue_full());
    assert_eq!(witness::conclude(&project, &mut runner) - before, 1);
    project.save("src/unseen/a.txt", "saved later");
    runner.wait_for(&words::restarted_by("src/unseen/a.txt"));
    witness::stop(runner);
}
