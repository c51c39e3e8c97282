//! As a service of systemd: what the manager that started it is told, in order, and that no app hears of the manager.

use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use rustix::process::Signal;

use crate::support::{PATIENCE, Project, clock, processes, words};

/// How long the manager waits for a sign of life.
const WATCHDOG: Duration = Duration::from_secs(1);

/// The socket of a manager, and what it was told.
struct Manager<'a> {
    project: &'a Project,
    socket: UnixDatagram,
    /// Each message's lines, signs of life left out.
    told: Vec<Vec<String>>,
    /// When it heard a sign of life.
    beats: Vec<std::time::Instant>,
}

impl<'a> Manager<'a> {
    fn new(project: &'a Project, socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(Duration::from_millis(5))).expect("it can wait");
        Self { project, socket, told: Vec::new(), beats: Vec::new() }
    }

    /// At a path.
    fn at_a_path(project: &'a Project) -> (Self, String) {
        let path = project.outside("notify");
        let socket = UnixDatagram::bind(&path).expect("the folder is ours");
        (Self::new(project, socket), path.display().to_string())
    }

    /// At an abstract name.
    fn abstract_one(project: &'a Project) -> (Self, String) {
        let name = format!("{}/manager", project.outside("").display());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("it is short")).expect("nobody else has it");
        (Self::new(project, socket), format!("@{name}"))
    }

    /// Takes one message, if there is one.
    fn listen(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let Ok(count) = self.socket.recv(&mut bytes) else { return false };
        let text = String::from_utf8(bytes[..count].to_vec()).expect("it is text");
        self.project.timeline.note(format!("the manager is told {text:?}"));
        let (beats, lines): (Vec<&str>, Vec<&str>) = text.split('\n').partition(|line| *line == "WATCHDOG=1");
        if !beats.is_empty() {
            self.beats.push(clock::now());
        }
        if !lines.is_empty() {
            self.told.push(lines.into_iter().map(str::to_owned).collect());
        }
        true
    }

    /// Listens until it was told this line after `from` messages; the number of the message with it.
    #[track_caller]
    fn hears(&mut self, line: &str, from: usize) -> usize {
        let found = clock::until(PATIENCE, || {
            self.listen();
            (from..self.told.len()).find(|at| self.told[*at].iter().any(|told| told == line))
        });
        found.unwrap_or_else(|| panic!("the manager was not told {line}, but {:?}", self.told))
    }

    /// How many messages have this line.
    fn count(&self, line: &str) -> usize {
        self.told.iter().flatten().filter(|told| *told == line).count()
    }
}

/// Starts what follows as systemd does: with the word that the process is the one it started.
const EXEC: [&str; 4] = ["sh", "-c", "SYSTEMD_EXEC_PID=$$ exec \"$@\"", "sh"];

/// Says its name, and what it knows of a manager.
const APP: &str = "env | grep -E 'NOTIFY_SOCKET|WATCHDOG' && echo 'it knows the manager'\necho \"$1 up $V\"\nexec sleep 1000000\n";

/// Two apps; what `env` says of the first is the version that it says.
pub const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"app.sh\"
args = \"api\"
env = { V = \"1\" }

[[apps]]
name = \"web\"
script = \"app.sh\"
args = \"web\"
";

fn project() -> Project {
    let project = Project::empty();
    project.script("app.sh", APP);
    project.save("pmdev.toml", FILE);
    project
}

#[test]
fn the_manager_is_told_what_becomes_of_its_service() {
    for profile in ["dev", "prod"] {
        let project = project();
        let (mut manager, name) = if profile == "dev" { Manager::at_a_path(&project) } else { Manager::abstract_one(&project) };
        let mut runner = project.pmdev(["start", "--profile", profile, "--no-watch"]).wrapped(&EXEC).env("NOTIFY_SOCKET", &name).spawn();
        let ready = manager.hears("READY=1", 0);
        assert!(manager.told[ready].contains(&"STATUS=2 apps online".to_owned()), "{:?}", manager.told);
        assert!(manager.told[..ready].iter().flatten().all(|line| line.contains("launching")), "{:?}", manager.told);
        assert_eq!(runner.runner_pid(), runner.pid, "systemd kills what outlives it, so there is no guard");

        project.let_stamps_pass();
        project.edit("pmdev.toml", "V = \"1\"", "V = \"2\"");
        let reloading = manager.hears("RELOADING=1", ready + 1);
        let stamp = manager.told[reloading].iter().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(stamp.is_some_and(|stamp| stamp.parse::<u64>().is_ok_and(|stamp| stamp > 0)), "{:?}", manager.told);
        manager.hears("READY=1", reloading + 1);
        runner.wait_for(&words::prefixed("api", "api up 2"));
        // An edit that is refused, and one that changes nothing, are no reload.
        project.save("pmdev.toml", "[[apps");
        runner.wait_for(&words::refused("pmdev.toml"));
        project.save("pmdev.toml", FILE.replace("V = \"1\"", "V = \"2\""));
        runner.wait_for(&words::says("pmdev.toml was read again: nothing changes"));

        let before = manager.told.len();
        runner.signal(Signal::TERM);
        manager.hears("STOPPING=1", before);
        let ending = runner.finish();
        assert_eq!(ending.code, Some(0), "{}", ending.all());
        while manager.listen() {}
        for (line, times) in [("READY=1", 2), ("RELOADING=1", 1), ("STOPPING=1", 1)] {
            assert_eq!(manager.count(line), times, "{line}: {:?}", manager.told);
        }
        assert!(manager.beats.is_empty(), "nobody asked for signs of life");
        assert!(!ending.all().contains("it knows the manager"), "{}", ending.all());
    }
}

#[test]
fn the_start_is_over_when_the_last_app_was_started() {
    let project = project();
    project.save("pmdev.toml", format!("{FILE}build = \"bash build.sh\"\n"));
    project.script("build.sh", "until [ -e ../outside/go ]; do sleep 0.01; done\n");
    let (mut manager, name) = Manager::at_a_path(&project);
    let mut runner = project.pmdev(["start", "--no-watch"]).env("NOTIFY_SOCKET", &name).spawn();
    runner.wait_for(&words::prefixed("api", "api up 1"));
    manager.hears("STATUS=1 app online, 1 building", 0);
    assert_eq!(manager.count("READY=1"), 0, "{:?}", manager.told);
    std::fs::write(project.outside("go"), "").expect("the folder is ours");
    let ready = manager.hears("READY=1", 0);
    assert!(manager.told[ready].contains(&"STATUS=2 apps online".to_owned()), "{:?}", manager.told);
}

#[test]
fn an_app_that_fails_is_told_of_and_holds_up_nothing() {
    let project = project();
    project.script("app.sh", "[ \"$1\" = api ] && exec sleep 1000000\nexit 3\n");
    let (mut manager, name) = Manager::at_a_path(&project);
    let runner = project.pmdev(["start"]).env("NOTIFY_SOCKET", &name).spawn();
    manager.hears("READY=1", 0);
    manager.hears("STATUS=1 app online, 1 crashed", 0);
    drop(runner);
    // A service whose apps have all ended was ready, and stops.
    project.script("app.sh", "exit 0\n");
    let before = manager.told.len();
    let ending = project.pmdev(["start", "--no-watch"]).env("NOTIFY_SOCKET", &name).finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    let ready = manager.hears("READY=1", before);
    manager.hears("STOPPING=1", ready);
}

#[test]
fn the_watchdog_hears_of_the_loop_while_it_turns() {
    let project = project();
    let (mut manager, name) = Manager::at_a_path(&project);
    let interval = WATCHDOG.as_micros().to_string();
    let runner = project.pmdev(["start", "--no-watch"]).env("NOTIFY_SOCKET", &name).env("WATCHDOG_USEC", &interval).spawn();
    manager.hears("READY=1", 0);
    let heard = clock::comes_true(PATIENCE, || {
        manager.listen();
        manager.beats.len() >= 4
    });
    assert!(heard, "{:?}", manager.beats);
    let longest = manager.beats.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    assert!(longest < WATCHDOG, "the manager would have waited for {WATCHDOG:?}, and once heard nothing for {longest:?}");
    // A runner that hangs is one whose loop does not turn.
    processes::send(runner.runner_pid(), Signal::STOP);
    while manager.listen() {}
    let before = manager.beats.len();
    let begun = clock::now();
    while clock::now() < begun + 2 * WATCHDOG {
        manager.listen();
    }
    assert_eq!(manager.beats.len(), before, "it is stopped");
    processes::send(runner.runner_pid(), Signal::CONT);
    assert!(clock::comes_true(PATIENCE, || manager.listen() && manager.beats.len() > before), "it turns again");
}

#[test]
fn a_manager_that_cannot_be_spoken_to_is_no_reason_not_to_run() {
    let project = project();
    let mut runner = project.pmdev(["start", "--no-watch"]).env("NOTIFY_SOCKET", "vsock:2:1234").spawn();
    runner.wait_for(&words::says("NOTIFY_SOCKET vsock:2:1234 cannot be spoken to"));
    runner.wait_for(&words::prefixed("web", "web up"));
    runner.signal(Signal::TERM);
    assert_eq!(runner.finish().code, Some(0));
}
