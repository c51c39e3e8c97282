//! Apps with a terminal of their own: what they see, what is seen of them, and who is led there.

mod attach;
mod pane;

use std::{fs, path::Path};

use rustix::process::{Signal, geteuid};

use crate::support::{PATIENCE, Project, Runner, clock::comes_true, processes, programs, verb, words};

/// A project with this script.
fn app(script: &str) -> Project {
    let project = Project::empty();
    project.script("app.sh", script);
    project
}

/// It runs as `api`, on a terminal.
fn running(project: &Project) -> Runner<'_> {
    let mut runner = project.start(["app.sh", "--tty", "--name", "api"]);
    runner.wait_for(&words::says("api started"));
    runner
}

/// Tells what the app sees, then echoes lines.
const LOOKS: &str = r#"for fd in 0 1 2; do [ -t $fd ] && echo "terminal $fd"; done
echo "size $(stty size) term $TERM colour ${FORCE_COLOR:-unsaid} columns ${COLUMNS:-unsaid}"
echo "to stderr" >&2
[ "$(ps -o tpgid= -p $$ | tr -d ' ')" = $$ ] && echo "in its foreground"
while read -r line; do echo "got $line"; done
"#;

#[test]
fn an_app_sees_a_terminal_and_its_lines_are_lines() {
    let project = app(LOOKS);
    project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"api\"\nscript = \"app.sh\"\ntty = true\nout_file = \"out.log\"\nerror_file = \"error.log\"\n",
    );
    let mut runner = project.pmdev(["start", "--json", "--stdin"]).env("COLUMNS", "7").env("CLICOLOR_FORCE", "").typed().spawn();
    for part in ["terminal 0", "terminal 1", "terminal 2", "in its foreground"] {
        runner.wait_for(&words::says(part).and(words::says("\"stream\":\"out\"")));
    }
    runner.wait_for(&words::says("size 24 80 term xterm-256color colour unsaid columns unsaid"));
    runner.wait_for(&words::says("to stderr").and(words::says("\"stream\":\"out\"")));
    verb(&project, &["send", "api", "hello"], 0);
    runner.wait_for(&words::says("got hello"));
    runner.type_line("typed here");
    runner.wait_for(&words::says("got typed here"));
    let log = fs::read_to_string(project.path("out.log")).expect("it is written");
    assert!(log.contains("terminal 0\nterminal 1\n") && !log.contains('\r'), "{log:?}");
    assert!(fs::read(project.path("error.log")).unwrap_or_default().is_empty(), "a terminal is one stream");
    // On a terminal an end of file is a key.
    runner.end_input();
    runner.wait_for(&words::says("api ended"));
}

#[test]
fn last_words_stand_before_the_news_of_the_death() {
    let project = app("i=0; while [ $i -lt 200 ]; do echo \"line $i\"; i=$((i+1)); done; printf 'no end'; exit 3\n");
    let mut runner = project.start(["app.sh", "--tty", "--name", "api"]);
    let last = runner.wait_for(&words::says("no end"));
    let crash = runner.wait_for(&words::crashed("exit code 3"));
    assert!(last.at <= crash.at);
    assert_eq!(runner.count(&words::app_says("line ")), 200);
}

#[test]
fn nothing_of_the_set_outlives_a_stop_and_a_daemon_may_hold_the_terminal() {
    let project = app("(setsid sleep 1000001 &) ; sleep 1000002 & echo runs; exec sleep 1000003\n");
    let mut runner = running(&project);
    runner.wait_for(&words::app_says("runs"));
    verb(&project, &["restart", "api"], 0);
    verb(&project, &["stop", "api"], 0);
    let sleeps = || {
        processes::all()
            .iter()
            .filter(|process| processes::names(process, &project.root) && process.command.contains("sleep 10000"))
            .count()
    };
    assert!(comes_true(PATIENCE, || sleeps() == 0));
    runner.signal(Signal::INT);
    assert_eq!(runner.finish().code, Some(0));
    project.nothing_alive(PATIENCE, "the end of the runner");
}

#[test]
fn a_hundred_runs_leave_no_descriptor_behind() {
    let project = app("echo runs; [ -e ../outside/enough ] && exec sleep 1000000; exit 1\n");
    project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"api\"\nscript = \"app.sh\"\ntty = true\nautorestart = true\nrestart_delay = 1\nmax_restarts = \"unlimited\"\n",
    );
    let runner = project.start(["--no-watch"]);
    let runs = || runner.count(&words::app_says("runs"));
    assert!(comes_true(PATIENCE, || runs() >= 5), "{} runs", runs());
    fs::write(project.outside("enough"), "").expect("the folder is ours");
    let is_up = |project: &Project| verb(project, &["list", "--json"], 0).out.contains("online");
    assert!(comes_true(PATIENCE, || is_up(&project)));
    let before = processes::descriptors(runner.runner_pid());
    fs::remove_file(project.outside("enough")).expect("it was written");
    verb(&project, &["signal", "KILL", "api"], 0);
    let after = runs() + 100;
    assert!(comes_true(PATIENCE * 4, || runs() >= after), "{} runs", runs());
    fs::write(project.outside("enough"), "").expect("the folder is ours");
    assert!(comes_true(PATIENCE, || is_up(&project) && processes::descriptors(runner.runner_pid()) <= before));
}

#[test]
fn the_terminal_is_its_users() {
    if !geteuid().is_root() {
        return programs::skip("only root runs apps as somebody else");
    }
    let project = app("echo \"owner $(stat -c '%u %a' \"$(tty)\")\"; echo opened > /dev/tty; exec sleep 1000000\n");
    let open = |path: &Path| fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    open(project.root.parent().expect("it lies in a folder"));
    open(&project.root);
    open(&project.path("app.sh"));
    let mut runner = project.start(["app.sh", "--tty", "--name", "api", "--uid", "65534"]);
    runner.wait_for(&words::app_says("owner 65534 6"));
    runner.wait_for(&words::app_says("opened"));
}

#[test]
fn taking_the_terminal_away_is_a_restart() {
    let project = app("[ -t 1 ] && echo on a terminal || echo on a pipe; exec sleep 1000000\n");
    project.save("pmdev.toml", "[[apps]]\nname = \"api\"\nscript = \"app.sh\"\ntty = true\n");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("on a terminal"));
    runner.wait_for(&words::watching());
    project.edit("pmdev.toml", "tty = true", "tty = false");
    runner.wait_for(&words::says("tty true -> false"));
    runner.wait_for(&words::app_says("on a pipe"));
}
