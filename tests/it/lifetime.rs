//! Nothing of an app is alive when the runner has ended, whatever ended it and however the app was forked.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Pane, Project, Runner, clock, clock::comes_true, processes, programs, words};

/// How long an app may take to stop in these tests.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);

/// Within this time of being asked to, the runner has ended: the kill timeout, and what a machine takes for the rest on which the burdens of
/// other tests have sessions of their own, each with its share of the processor, sched(7).
const STOPPED: Duration = Duration::from_secs(10);

/// Within this time of the death of one of pmdev's own processes nothing is alive.
const SWEPT: Duration = Duration::from_secs(10);

/// Moments after `rs` at which a restart is under way; the last is that of the kill.
const MIDDLES: [Duration; 3] = [Duration::from_millis(1), Duration::from_millis(100), KILL_TIMEOUT];

/// An app that is hard to end.
struct Burden {
    name: &'static str,
    app: App,
}

enum App {
    /// The badly behaved one, with the switches that make it so.
    Misbehaves(&'static str),
    /// `npm run dev`, which runs sh, which runs node.
    NpmChain,
}

use App::{Misbehaves, NpmChain};

const BURDENS: [Burden; 8] = [
    Burden { name: "ignores INT", app: Misbehaves("--ignore INT") },
    Burden { name: "ignores every polite signal", app: Misbehaves("--ignore INT --ignore TERM --ignore HUP --ignore QUIT") },
    Burden { name: "double-forks into a new session", app: Misbehaves("--ignore INT --ignore TERM --daemon") },
    Burden { name: "forks faster than it is killed", app: Misbehaves("--ignore INT --ignore TERM --bomb-sessions 40") },
    Burden { name: "flees from session to session", app: Misbehaves("--ignore INT --ignore TERM --chain") },
    Burden { name: "its parent dies first", app: Misbehaves("--ignore INT --ignore TERM --children 3 --exit 0") },
    Burden { name: "env -i setsid", app: Misbehaves("--ignore INT --ignore TERM --clean-daemon") },
    Burden { name: "is npm, sh and node", app: NpmChain },
];

/// Those that can run here.
fn burdens() -> impl Iterator<Item = &'static Burden> {
    BURDENS.iter().filter(|burden| matches!(burden.app, Misbehaves(_)) || programs::have(&["node", "npm"]))
}

impl Burden {
    /// A project in which it can run, and the arguments of `pmdev` that run it.
    fn project(&self, kill_timeout: &str) -> (Project, [String; 4]) {
        let (project, app) = match self.app {
            Misbehaves(switches) => {
                (Project::empty(), format!("{} {switches}", shell_words::quote(&programs::misbehave().to_string_lossy())))
            }
            NpmChain => (Project::fixture("npm-chain"), "npm run dev".to_owned()),
        };
        project.timeline.note(format!("an app that {}", self.name));
        (project, ["start".into(), app, "--kill-timeout".into(), kill_timeout.into()])
    }

    /// What it says when it is up.
    fn ready(&self) -> &'static str {
        match self.app {
            Misbehaves(_) => "ready",
            NpmChain => "chain app v1",
        }
    }

    /// Whether what was asked to stop may end before it is forced.
    fn may_end_early(&self) -> bool {
        match self.app {
            Misbehaves(switches) => switches.contains("--exit"),
            NpmChain => true,
        }
    }
}

/// Runs each burden until it is up and does this to its runner.
#[track_caller]
fn each(mut end: impl FnMut(&Project, Runner<'_>, &Burden)) {
    for burden in burdens() {
        let (project, arguments) = burden.project("1s");
        let mut runner = project.pmdev(arguments).typed().spawn();
        runner.wait_for(&words::app_says(burden.ready()));
        end(&project, runner, burden);
    }
}

#[track_caller]
fn ends_by(signal: Signal) {
    each(|project, runner, burden| {
        runner.signal(signal);
        let ending = runner.finish_within(STOPPED);
        assert_eq!(ending.code, Some(0), "{}: {}", burden.name, ending.all());
        project.nothing_alive(Duration::ZERO, &format!("{signal:?} ({})", burden.name));
    });
}

#[test]
fn int() {
    ends_by(Signal::INT);
}

#[test]
fn term() {
    ends_by(Signal::TERM);
}

#[test]
fn hup() {
    ends_by(Signal::HUP);
}

#[test]
fn quit() {
    ends_by(Signal::QUIT);
}

/// Opens a terminal for each burden, with this kill timeout, and does this to it.
#[track_caller]
fn each_in_a_terminal(timeout: &str, end: impl Fn(&Project, &Pane<'_>, &Burden)) {
    for burden in burdens() {
        let (project, arguments) = burden.project(timeout);
        let argv: Vec<&str> = [programs::PMDEV].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        let Some(pane) = Pane::open(&project, &argv) else { return };
        pane.wait_for(&words::app_says(burden.ready()));
        end(&project, &pane, burden);
    }
}

#[test]
fn ctrl_c() {
    each_in_a_terminal("1s", |project, pane, burden| {
        pane.press(&["C-c"]);
        assert_eq!(pane.finish_within(STOPPED), 0, "{}", burden.name);
        project.nothing_alive(Duration::ZERO, "Ctrl-C");
    });
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    each_in_a_terminal("60s", |project, pane, burden| {
        let first = clock::now();
        pane.press(&["C-c"]);
        // Sooner, it would be the same key press.
        clock::at(first + Duration::from_millis(300));
        pane.press(&["C-c"]);
        let code = pane.finish_within(STOPPED);
        // What had already died when it was asked leaves nothing to force.
        assert!(code == 130 || (burden.may_end_early() && code == 0), "{}: {code}", burden.name);
        project.nothing_alive(Duration::ZERO, "the second Ctrl-C");
    });
}

#[test]
fn the_terminal_closes() {
    each_in_a_terminal("1s", |project, pane, _| {
        pane.close();
        project.nothing_alive(STOPPED, "the end of the terminal");
    });
}

#[test]
fn kill_9_of_the_runner() {
    each(|project, runner, _| {
        let pid = runner.runner_pid();
        processes::send(pid, Signal::KILL);
        let ending = runner.finish_within(SWEPT);
        project.nothing_alive(SWEPT, "kill -9 of the runner");
        let word = format!("[pmdev] the runner (pid {pid}) was killed (SIGKILL), and everything that it had started is ended\n");
        assert!(ending.err.contains(&word), "{}", ending.all());
    });
}

#[test]
fn kill_9_of_a_runner_below_a_unit_of_an_older_systemd() {
    let project = Project::empty();
    project.script("api.sh", "setsid sleep 1000 &\necho ready $$\nwait\n");
    for variable in ["INVOCATION_ID", "NOTIFY_SOCKET"] {
        let mut runner = project.pmdev(["start", "--prod", "api.sh"]).env(variable, "@0123456789abcdef").spawn();
        runner.wait_for(&words::says("ready "));
        processes::send(runner.runner_pid(), Signal::KILL);
        runner.finish_within(SWEPT);
        project.nothing_alive(SWEPT, &format!("kill -9 of a runner with {variable}"));
    }
}

#[test]
fn kill_9_of_the_guard() {
    each(|project, runner, _| {
        assert_ne!(runner.pid, runner.runner_pid(), "a guard stands before the runner");
        processes::send(runner.pid, Signal::KILL);
        project.nothing_alive(SWEPT, "kill -9 of the guard");
    });
}

#[test]
fn what_outlives_a_kill_9_of_runner_and_guard_goes_before_the_next_start() {
    let project = Project::empty();
    project.script("api.sh", "setsid sh -c 'trap \"\" TERM INT HUP; sleep 1001 & sleep 1002; :' &\necho ready\nwait\n");
    project.script("other.sh", "echo other\nexec sleep 1003\n");
    project.script("next.sh", "echo next\nexec sleep 1004\n");
    let sleeps = || {
        let alive = project.alive();
        let mut sleeps: Vec<_> = alive.iter().filter_map(|process| process.command.strip_prefix("sleep ").map(str::to_owned)).collect();
        sleeps.sort();
        sleeps.join(" ")
    };
    let is_now = |wanted: &str| assert!(comes_true(SWEPT, || sleeps() == wanted), "{}", processes::list(&project.alive()));
    let mut other = project.start(["other.sh"]);
    other.wait_for(&words::app_says("other"));
    let mut runner = project.start(["api.sh"]);
    runner.wait_for(&words::app_says("ready"));
    is_now("1001 1002 1003");
    // Stopped, neither can do anything about the end of the other.
    let both = [runner.runner_pid(), runner.pid];
    for signal in [Signal::STOP, Signal::KILL] {
        both.iter().for_each(|pid| processes::send(*pid, signal));
    }
    is_now("1001 1002 1003");
    let mut next = project.start(["next.sh"]);
    next.wait_for(&words::says("[pmdev] killed what a runner had left that was killed itself: pid "));
    next.wait_for(&words::app_says("next"));
    // What a runner has that lives is its own.
    is_now("1003 1004");
    let folder = project.root.with_file_name("run").join("pmdev");
    let sockets = std::fs::read_dir(folder)
        .expect("it is there")
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "sock")));
    assert_eq!(sockets.count(), 2, "that of the dead one is gone");
}

#[test]
fn whoever_runs_below_a_killed_runner_is_spared_whatever_its_environment_says() {
    let project = Project::empty();
    project.script("next.sh", "echo next of $PPID\nexec sleep 1004\n");
    let inner = format!("while [ ! -e go ]; do sleep 0.02; done; env -u PMDEV_RUN {} start next.sh; true", programs::PMDEV);
    project.script("outer.sh", &format!("setsid sh -c '{inner}' >inner.log 2>&1 &\necho ready\nwait\n"));
    let mut runner = project.start(["outer.sh", "--no-watch"]);
    runner.wait_for(&words::app_says("ready"));
    let both = [runner.runner_pid(), runner.pid];
    for signal in [Signal::STOP, Signal::KILL] {
        both.iter().for_each(|pid| processes::send(*pid, signal));
    }
    project.save("go", "");
    let log = || std::fs::read_to_string(project.path("inner.log")).unwrap_or_default();
    assert!(comes_true(SWEPT, || log().contains("next of ")), "{}\n{}", log(), processes::list(&project.alive()));
    assert!(!log().contains("killed what"), "{}", log());
}

/// Kills one of pmdev's own processes at several moments of a restart.
#[track_caller]
fn killed_in_the_middle_of_a_restart(victim: impl Fn(&Runner<'_>) -> i32) {
    for after in MIDDLES {
        each(|project, mut runner, burden| {
            let victim = victim(&runner);
            runner.type_line(words::RESTART_KEY);
            clock::at(clock::now() + after);
            processes::send(victim, Signal::KILL);
            project.nothing_alive(SWEPT, &format!("kill -9 {after:?} after rs ({})", burden.name));
        });
    }
}

#[test]
fn kill_9_of_the_runner_in_the_middle_of_a_restart() {
    killed_in_the_middle_of_a_restart(|runner| runner.runner_pid());
}

#[test]
fn kill_9_of_the_guard_in_the_middle_of_a_restart() {
    killed_in_the_middle_of_a_restart(|runner| runner.pid);
}

#[test]
fn an_app_lives_on_while_the_runner_has_nothing_to_do() {
    /// Longer than tokio keeps an idle thread: the death signal of a child follows the thread that started it.
    const IDLE: Duration = Duration::from_secs(16);
    let project = Project::fixture("bash");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::app_says("app v1"));
    let begun = clock::now();
    clock::at(begun + IDLE);
    assert_eq!(runner.exit(), None);
    assert_eq!(runner.count(&words::crashed("SIGKILL")), 0);
    assert_eq!(runner.count(&words::app_says("app v1")), 1);
    assert!(project.alive().iter().any(|process| process.command.contains("sleep 1000000")), "the app is alive");
}
