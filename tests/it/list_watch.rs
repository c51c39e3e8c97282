//! `pmdev list --watch` in a real terminal: it borrows the screen, and gives it back whatever ends or stops it.

use std::fs;

use rustix::process::Signal;

use crate::support::{
    PATIENCE, Pane, Project, Runner, Saying,
    clock::{comes_true, until},
    processes,
    words::{alone, says},
};

fn running(project: &Project) -> Runner<'_> {
    project.script("api.sh", "exec sleep 1000000\n");
    let mut runner = project.start(["api.sh", "--no-watch"]);
    runner.wait_for(&says("api started"));
    runner
}

/// The pid of the list.
fn list(project: &Project) -> i32 {
    let pid = || project.alive().into_iter().find(|process| process.command.ends_with("pmdev list --watch")).map(|process| process.pid);
    until(PATIENCE, pid).expect("the list runs")
}

/// How often it has gone on after it had waited, proc_pid_status(5).
fn wakes(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).expect("every process has them");
    count.trim().parse().expect("a number")
}

fn row() -> Saying {
    says("api").and(says("online"))
}

#[test]
fn whatever_ends_it_the_shells_screen_is_there_again() {
    let project = Project::empty();
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    type End = fn(&Pane<'_>, &Project);
    let endings: [(&str, End); 5] = [
        ("C-c", |pane, _| pane.press(&["C-c"])),
        ("C-backslash", |pane, _| pane.press(&["C-\\"])),
        ("TERM", |_, project| processes::send(list(project), Signal::TERM)),
        ("HUP", |_, project| processes::send(list(project), Signal::HUP)),
        ("QUIT", |_, project| processes::send(list(project), Signal::QUIT)),
    ];
    for (name, end) in endings {
        pane.type_line(&format!("pmdev list --watch; echo {name} ended with $?"));
        pane.wait_for(&row());
        assert_eq!(pane.flags(), "1 0", "a screen of its own, no cursor");
        end(&pane, &project);
        pane.wait_for(&alone(format!("{name} ended with 0")));
        assert_eq!(pane.flags(), "0 1", "{name}");
    }
    assert_eq!(pane.count(&row()), 0, "nothing of it stays:\n{}", pane.text());
}

#[test]
fn it_stops_and_goes_on_like_any_job_and_draws_nothing_in_the_background() {
    let project = Project::empty();
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("pmdev list --watch");
    pane.wait_for(&row());
    let list = list(&project);
    let stops: [&dyn Fn(); 2] = [&|| pane.press(&["C-z"]), &|| processes::send(list, Signal::TSTP)];
    for (time, stop) in stops.iter().enumerate() {
        stop();
        pane.wait_for_times(&says("Stopped"), time + 1);
        assert_eq!(pane.flags(), "0 1");
        let before = wakes(list);
        pane.type_line("bg");
        assert!(comes_true(PATIENCE, || wakes(list) >= before + 20), "it goes on to look");
        assert_eq!(pane.flags(), "0 1", "in the background");
        assert_eq!(pane.count(&row()), 0, "{}", pane.text());
        pane.type_line("fg");
        pane.wait_for(&row());
        assert_eq!(pane.flags(), "1 0");
    }
    pane.press(&["C-c"]);
    pane.wait_for_none(&row());
    assert_eq!(pane.flags(), "0 1");
}

#[test]
fn what_a_small_terminal_has_no_room_for_is_told() {
    let project = Project::empty();
    project.script("api.sh", "exec sleep 1000000\n");
    let mut runner = project.start(["api.sh", "--no-watch", "-i", "12"]);
    runner.wait_for(&says("api started"));
    let Some(pane) = Pane::shell(&project) else { return };
    pane.resize(120, 12);
    pane.type_line("pmdev list --watch");
    pane.wait_for(&says("and 5 more (the terminal has 12 lines)"));
    pane.resize(120, 30);
    pane.wait_for(&says("api:11"));
    pane.wait_for_none(&says("more (the terminal"));
    pane.press(&["C-c"]);
}
