//! Starting in the background, a second time, and what is told of a failure.

use std::fs;

use rustix::process::Signal;

use super::Home;
use crate::support::{PATIENCE, Pane, clock::comes_true, processes, words::says};

#[test]
fn the_first_start_brings_the_runner_and_the_next_add_to_it() {
    let home = Home::new();
    let first = home.verb(&["start", "-d", "api.sh"], 0);
    assert!(first.out.contains("api is online in the background"), "{}", first.all());
    let pid = home.pid();
    home.verb(&["start", "-d", "web.sh", "--name", "front"], 0);
    assert_eq!(home.pid(), pid, "there is one runner");
    assert_eq!(home.states(), ["0 api online 0", "1 front online 0"]);
    for (file, name) in [("pids/api-0.pid", "api"), ("pids/front-1.pid", "front")] {
        let listed = home.listed();
        let view = listed.iter().find(|view| view["name"] == name).expect("it is listed");
        assert_eq!(fs::read_to_string(home.path(file)).expect("it is there").trim(), view["pid"].to_string());
    }
    home.logged("api", "runs in");
    home.logged("front", "runs in");
    assert!(home.path("logs/api-error.log").exists());
    // It has a session of its own and nothing of the terminal it was started from.
    assert_eq!(fs::read_link(format!("/proc/{pid}/fd/0")).expect("it has one").to_str(), Some("/dev/null"));
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).expect("it has one").to_str(), Some("/"));
}

#[test]
fn a_killed_runner_is_gone_with_everything_and_ids_begin_anew() {
    let home = Home::new();
    assert_eq!(home.verb(&["list", "--json"], 0).out.trim(), "[]");
    home.verb(&["kill"], 0);
    home.verb(&["start", "-d", "api.sh", "web.sh"], 0);
    home.verb(&["delete", "all"], 0);
    assert!(home.states().is_empty());
    home.verb(&["stop", "all"], 1);
    home.verb(&["ping"], 0);
    home.verb(&["start", "-d", "api.sh"], 0);
    assert_eq!(home.states(), ["2 api online 0"], "ids go on while it lives");
    home.verb(&["kill"], 0);
    home.project.nothing_alive(std::time::Duration::ZERO, "kill returns when everything is gone");
    assert!(!home.path("pmdev.pid").exists() && !home.path("pmdev.sock").exists() && !home.path("pids/api-2.pid").exists());
    home.verb(&["start", "-d", "api.sh"], 0);
    assert_eq!(home.states(), ["0 api online 0"]);
}

#[test]
fn term_to_its_pid_stops_all_and_kill_leaves_nothing() {
    let home = Home::new();
    for signal in [Signal::TERM, Signal::KILL] {
        home.verb(&["start", "-d", "api.sh", "web.sh"], 0);
        let pid = home.pid();
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).expect("it runs"), "pmdev\n");
        processes::send(pid, signal);
        home.project.nothing_alive(PATIENCE, "the runner was ended");
        let word = format!("[pmdev] the runner (pid {pid}) was killed (SIGKILL), ");
        let log = fs::read_to_string(home.path("pmdev.log")).expect("it wrote one");
        assert_eq!(log.contains(&word), signal == Signal::KILL, "{log}");
    }
    // Its socket and its pid file were left behind, and hold nobody up.
    home.verb(&["start", "-d", "api.sh"], 0);
    assert_eq!(home.states(), ["0 api online 0"]);
}

#[test]
fn what_outlives_a_kill_9_of_runner_and_guard_goes_before_the_next_start() {
    let home = Home::new();
    home.project.script("leaves.sh", "setsid sleep 1001 &\necho left\nwait\n");
    home.verb(&["start", "-d", "leaves.sh"], 0);
    home.logged("leaves", "left");
    let sleeps = || home.project.alive().iter().any(|process| process.command == "sleep 1001");
    assert!(comes_true(PATIENCE, sleeps));
    let guard = processes::Process::read(home.pid()).expect("it runs").parent;
    let both = [home.pid(), guard];
    for signal in [Signal::STOP, Signal::KILL] {
        both.iter().for_each(|pid| processes::send(*pid, signal));
    }
    let gone = || both.iter().all(|pid| processes::Process::read(*pid).is_none_or(|process| !process.is_alive()));
    assert!(comes_true(PATIENCE, gone) && sleeps());
    home.verb(&["start", "-d", "api.sh"], 0);
    assert!(!sleeps());
    let log = fs::read_to_string(home.path("pmdev.log")).expect("it wrote one");
    assert!(log.contains("[pmdev] killed what a runner had left that was killed itself: pid "), "{log}");
}

#[test]
fn many_first_starts_at_once_make_one_runner() {
    let home = Home::new();
    let mut starts: Vec<_> =
        (0..6).map(|number| home.project.pmdev(["start", "-d", "api.sh", "--name", &format!("app{number}")]).spawn()).collect();
    for start in starts.drain(..) {
        let ending = start.finish();
        assert_eq!(ending.code, Some(0), "{}", ending.all());
    }
    let mut names: Vec<_> = home.listed().iter().map(|view| view["name"].as_str().expect("it has one").to_owned()).collect();
    names.sort();
    assert_eq!(names, ["app0", "app1", "app2", "app3", "app4", "app5"]);
}

#[test]
fn a_start_that_fails_is_told_with_the_last_lines() {
    let home = Home::new();
    home.project.script("bad.sh", "echo 'no database' >&2\nexit 3\n");
    let failed = home.verb(&["start", "-d", "bad.sh"], 1);
    assert!(failed.err.contains("bad") && failed.err.contains("no database"), "{}", failed.all());
    let errored = || home.states() == ["0 bad errored 15"];
    assert!(comes_true(PATIENCE, errored), "as PM2: 16 deaths in a row; {:?}", home.states());

    let missing = home.verb(&["start", "-d", "nothing.sh"], 2);
    assert!(missing.err.contains("nothing.sh was not found"), "{}", missing.all());
    let wrong = home.verb(&["start", "-d", "api.sh", "--cron-restart", "every monday"], 2);
    assert!(wrong.err.contains("--cron-restart"), "{}", wrong.all());
    home.project.save("broken.json", "{ \"apps\": [ { \"name\": 7 } ] }");
    home.verb(&["start", "-d", "broken.json"], 2);
    assert_eq!(home.states(), ["0 bad errored 15"], "nothing was half done");
}

#[test]
fn what_is_busy_until_it_fails_is_waited_for() {
    let home = Home::new();
    let clock = "$(($(date +%s%N) / 1000000))";
    // The second is longer than a run that counts as unstable.
    for (name, busy) in [("soon.sh", 600), ("late.sh", 1500)] {
        home.project.script(name, &format!("end=$(({clock} + {busy}))\nwhile [ {clock} -lt $end ]; do :; done\necho broken >&2\nexit 3\n"));
        let failed = home.verb(&["start", "-d", name], 1);
        assert!(failed.err.contains("broken"), "{}", failed.all());
    }
}

#[test]
fn without_ready_the_start_has_failed() {
    let home = Home::new();
    if !crate::support::programs::have(&["node"]) {
        return;
    }
    home.project.save("late.js", "setInterval(() => {}, 1e9)");
    let failed = home.verb(&["start", "-d", "late.js", "--wait-ready", "--listen-timeout", "300", "--no-autorestart"], 1);
    assert!(failed.err.contains("late"), "{}", failed.all());
    home.project.save("soon.js", "setTimeout(() => process.send('ready'), 100); setInterval(() => {}, 1e9)");
    home.verb(&["start", "-d", "soon.js", "--wait-ready"], 0);
}

#[test]
fn a_script_starts_twice_by_force_alone_and_what_is_stopped_starts_again() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    let twice = home.verb(&["start", "-d", "api.sh"], 1);
    assert!(twice.err.contains("api runs already") && twice.err.contains("-f"), "{}", twice.all());
    home.verb(&["start", "-d", "-f", "api.sh"], 0);
    assert_eq!(home.states(), ["0 api online 0", "1 api-2 online 0"]);
    home.verb(&["stop", "api"], 0);
    home.verb(&["start", "-d", "api.sh"], 0);
    assert_eq!(home.states()[0], "0 api online 0");
    home.verb(&["stop", "api"], 0);
    home.verb(&["start", "api"], 0);
    assert_eq!(home.states()[0], "0 api online 0", "a start after a stop is no restart");
}

#[test]
fn it_watches_when_asked_and_restarts_at_once() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["start", "-d", "web.sh", "--watch", "web.sh"], 0);
    let watching: Vec<_> = home.listed().iter().map(|view| view["watching"].as_bool()).collect();
    assert_eq!(watching, [Some(false), Some(true)]);
    home.project.script("web.sh", "echo changed\nexec sleep 1000000\n");
    home.logged("web", "changed");
    let pid = i32::try_from(home.listed()[0]["pid"].as_i64().expect("it runs")).expect("it is a pid");
    processes::send(pid, Signal::KILL);
    assert!(comes_true(PATIENCE, || home.states()[0] == "0 api online 1"), "{:?}", home.states());
}

#[test]
fn whoever_attaches_sees_what_it_says_and_leaves_it_running() {
    let home = Home::new();
    home.project.script("talks.sh", "while read -r line; do echo \"got $line\"; done < in\nexec sleep 1000000\n");
    let made = home.project.hook(&["mkfifo", "in"]).finish();
    assert_eq!(made.code, Some(0), "{}", made.all());
    let mut attached = home.project.pmdev(["start", "-d", "--attach", "talks.sh"]).spawn();
    attached.wait_for(&says("talks is online in the background"));
    fs::write(home.project.path("in"), "hello\n").expect("it reads");
    attached.wait_for(&says("got hello"));
    attached.signal(Signal::INT);
    assert_eq!(attached.finish().code, Some(0));
    assert_eq!(home.states(), ["0 talks online 0"]);
}

#[test]
fn a_monitor_tells_the_next_runner_from_the_one_before_and_counts_instances() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh", "-i", "3"], 0);
    let first = home.pid();
    let Some(pane) = Pane::open(&home.project, &["pmdev", "monit"]) else { return };
    pane.wait_for(&says(format!("runner {first} ")).and(says("3 online")));
    home.verb(&["kill"], 0);
    home.verb(&["start", "-d", "web.sh", "-i", "2"], 0);
    pane.wait_for(&says(format!("runner {} ", home.pid())).and(says("2 online")));
    home.verb(&["stop", "web:1"], 0);
    pane.wait_for(&says("1 online, 1 stopped"));
    pane.press(&["q"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
    home.verb(&["delete", "all"], 0);
    let none = home.verb(&["stop", "all"], 1);
    assert!(none.err.contains("The runner has no apps"), "{}", none.all());
}
