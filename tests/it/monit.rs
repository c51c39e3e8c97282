//! The monitor in a real terminal: what it shows, what its keys do, and that the terminal is afterwards as it was before.

use std::fs;

use rustix::process::Signal;

use crate::support::{
    PATIENCE, Pane, Project, Runner, Saying,
    clock::comes_true,
    processes,
    words::{self, alone, says},
};

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
instances = 2

[[apps]]
name = \"web\"
script = \"web.sh\"
";

/// It tries to name the terminal's window and to leave the screen, and says again what it is sent.
const WEB: &str = "\
echo web runs
printf '\\033]2;owned\\007\\033[?1049l\\033[31ma red needle\\033[0m\\n'
while read -r line; do echo \"web got $line\"; done
exec sleep 1000000
";

/// A project with an api of two instances and a web front, and a runner of it.
fn shop(project: &Project) -> Runner<'_> {
    project.script("api.sh", "echo api runs\nexec sleep 1000000\n");
    project.script("web.sh", WEB);
    project.save("pmdev.toml", FILE);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("web started"));
    runner.wait_for(&says("api started (2 instances)"));
    runner
}

/// The row that is selected is that of this name.
fn selects(name: &str) -> Saying {
    let name = name.to_owned();
    Saying::new(format!("that {name} is selected"), move |line| line.starts_with('▸') && line.split_whitespace().any(|word| word == name))
}

/// The pid of the monitor.
fn monitor(project: &Project) -> i32 {
    let pid = || project.alive().into_iter().find(|process| process.command.ends_with("pmdev monit")).map(|process| process.pid);
    crate::support::clock::until(PATIENCE, pid).expect("the monitor runs")
}

#[test]
fn apps_are_shown_and_keys_act_on_them() {
    let project = Project::empty();
    let mut runner = shop(&project);
    let Some(pane) = Pane::open(&project, &["pmdev", "monit"]) else { return };
    pane.wait_for(&says("3 online").and(says(format!("runner {}", runner.runner_pid()))));
    pane.wait_for(&selects("all"));
    pane.wait_for(&says("api:1").and(says("online")));

    pane.press(&["Down", "Down", "Down", "Down"]);
    pane.wait_for(&selects("web"));
    pane.press(&["r"]);
    pane.wait_for(&says("── web · online · restarted once, because it was asked to"));
    runner.wait_for(&says("web restarted"));

    pane.press(&["x"]);
    pane.wait_for(&says("web").and(says("stopped")));
    pane.press(&["s"]);
    pane.wait_for(&says("── web · online"));
    pane.press(&["+"]);
    pane.wait_for(&says("web:1").and(says("online")));
    pane.press(&["p"]);
    pane.wait_for(&says("online, watching is paused"));
    runner.wait_for(&says("watching is paused"));

    pane.press(&["?"]);
    pane.wait_for(&says("leave; the apps run on"));
    pane.press(&["?"]);
    pane.wait_for_none(&says("leave; the apps run on"));
    pane.resize(50, 10);
    pane.wait_for(&says("too small: 50×10"));
    pane.resize(90, 24);
    pane.wait_for(&says("pmdev monit"));
    pane.press(&["q"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
    assert_eq!(project.pmdev(["ping"]).finish().code, Some(0), "the runner runs on");
}

#[test]
fn the_terminal_is_given_back_as_it_was() {
    let project = Project::empty();
    let _runner = shop(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    let modes = |name: &str| fs::read_to_string(project.outside(name)).unwrap_or_default();
    let ask = |name: &str| {
        pane.type_line(&format!("stty -a > {}; echo asked {name}", project.outside(name).display()));
        pane.wait_for(&alone(format!("asked {name}")));
    };
    ask("before");
    type End = fn(&Pane<'_>, &Project);
    let endings: [(&str, End); 5] = [
        ("q", |pane, _| pane.press(&["q"])),
        ("C-c", |pane, _| pane.press(&["C-c"])),
        ("TERM", |_, project| processes::send(monitor(project), Signal::TERM)),
        ("HUP", |_, project| processes::send(monitor(project), Signal::HUP)),
        ("QUIT", |_, project| processes::send(monitor(project), Signal::QUIT)),
    ];
    for (name, end) in endings {
        let code = match name {
            "TERM" => 143,
            "HUP" => 129,
            "QUIT" => 131,
            _ => 0,
        };
        pane.type_line(&format!("pmdev monit; echo {name} ended with $?"));
        pane.wait_for(&says("3 online"));
        end(&pane, &project);
        pane.wait_for(&alone(format!("{name} ended with {code}")));
        ask(name);
        assert_eq!(modes(name), modes("before"), "{name}");
        assert!(pane.count(&says("asked before")) > 0, "the screen is the one before:\n{}", pane.text());
        assert_eq!(pane.flags(), "0 1", "{name}: no screen of its own, and the cursor is seen");
    }
}

#[test]
fn it_stops_and_goes_on_like_any_job() {
    let project = Project::empty();
    let _runner = shop(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("pmdev monit");
    pane.wait_for(&says("3 online"));
    pane.press(&["C-z"]);
    pane.wait_for(&says("Stopped"));
    assert_eq!(pane.flags(), "0 1");
    pane.type_line("echo in the shell");
    pane.wait_for(&alone("in the shell"));
    pane.type_line("fg");
    pane.wait_for(&says("3 online"));
    assert_eq!(pane.flags(), "1 0");
    // From outside, it is the monitor alone that stops, and its keys are the shell's again.
    processes::send(monitor(&project), Signal::TSTP);
    pane.wait_for_times(&says("Stopped"), 2);
    assert_eq!(pane.flags(), "0 1");
    pane.type_line("echo in the shell again");
    pane.wait_for(&alone("in the shell again"));
    pane.type_line("fg");
    pane.wait_for(&says("3 online"));
    assert_eq!(pane.flags(), "1 0");
    pane.press(&["q"]);
    pane.wait_for_none(&says("3 online"));
    assert_eq!(pane.flags(), "0 1");
}

#[test]
fn it_waits_for_a_runner_that_comes_back() {
    let project = Project::empty();
    let runner = shop(&project);
    let Some(pane) = Pane::open(&project, &["pmdev", "monit"]) else { return };
    pane.wait_for(&says("3 online"));
    assert_eq!(project.pmdev(["kill"]).finish().code, Some(0));
    assert_eq!(runner.finish().code, Some(0));
    pane.wait_for(&says("has ended; waiting for it to come back"));
    let runner = shop(&project);
    pane.wait_for(&says(format!("the runner is back, with pid {}", runner.runner_pid())));
    pane.wait_for(&says("3 online"));
    pane.press(&["q"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
}

#[test]
fn a_monitor_that_is_stopped_costs_the_runner_nothing() {
    let project = Project::empty();
    project.script("loud.sh", "while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done\n");
    project.script("quiet.sh", "echo quiet runs\nexec sleep 1000000\n");
    project.save(
        "pmdev.toml",
        "[[apps]]\nname = \"loud\"\nscript = \"loud.sh\"\nout_file = \"/dev/null\"\n\n[[apps]]\nname = \"quiet\"\nscript = \"quiet.sh\"\n",
    );
    let mut runner = project.start([""; 0]);
    runner.wait_for(&words::app_says("quiet runs"));
    let Some(pane) = Pane::open(&project, &["pmdev", "monit"]) else { return };
    pane.wait_for(&says("2 online"));
    let monitor = monitor(&project);
    processes::send(monitor, Signal::STOP);
    assert!(comes_true(PATIENCE, || processes::Process::read(monitor).is_some_and(|process| process.state == 'T')));
    let before = processes::resident(runner.runner_pid());
    for _ in 0..20 {
        assert_eq!(project.pmdev(["restart", "quiet"]).finish().code, Some(0));
    }
    let grown = processes::resident(runner.runner_pid()).saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB more");
    processes::send(monitor, Signal::CONT);
    pane.wait_for(&says("quiet").and(says(" 20")));
    pane.press(&["q"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
}

#[test]
fn without_a_runner_or_a_terminal_it_says_so() {
    let project = Project::empty();
    for name in ["monit", "top", "dash"] {
        let ending = project.pmdev([name]).finish();
        assert_eq!(ending.code, Some(3), "{}", ending.all());
        assert!(ending.err.contains("No runner"), "{}", ending.all());
    }
    let _runner = shop(&project);
    let ending = project.pmdev(["monit"]).finish();
    assert_eq!(ending.code, Some(2), "{}", ending.all());
    assert!(ending.err.contains("needs a terminal") && ending.err.contains("pmdev list"), "{}", ending.all());
}

#[test]
fn lines_are_shown_searched_and_scrolled_and_steer_nothing() {
    let project = Project::empty();
    let mut runner = shop(&project);
    let Some(pane) = Pane::open(&project, &["pmdev", "monit"]) else { return };
    // The lines of all, in the order in which they were said, with names before them.
    pane.wait_for(&words::prefixed("api:0", "api runs"));
    pane.wait_for(&words::prefixed("web", "a red needle"));
    pane.press(&["Down", "Down", "Down", "Down"]);
    pane.wait_for(&selects("web"));
    pane.wait_for(&Saying::new("a line without a name", |line| line.trim_end() == "a red needle"));
    assert_eq!(pane.flags(), "1 0", "an app cannot leave the monitor's screen");
    assert_ne!(pane.title(), "owned", "nor name the window");

    // Live lines, by what the app is sent.
    for number in 0..100 {
        assert_eq!(project.pmdev(["send", "web", &format!("number {number}")]).finish().code, Some(0));
    }
    pane.wait_for(&says("web got number 99"));
    pane.press(&["PPage"]);
    pane.wait_for(&says("End: live"));
    let text = pane.text();
    let of = text.lines().find_map(|line| line.split_once(" of ")?.1.split_once(", End: live")).expect("it was just seen").0.to_owned();
    let count: usize = of.parse().expect("it is a number");
    let seen = |pane: &Pane<'_>| {
        pane.text().lines().filter(|line| line.starts_with("web got")).map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    let before = seen(&pane);
    assert_eq!(project.pmdev(["send", "web", "one more"]).finish().code, Some(0));
    runner.wait_for(&says("web got one more"));
    pane.wait_for(&Saying::new("one line more", move |line| line.contains(&format!("of {}, End: live", count + 1))));
    assert_eq!(seen(&pane), before, "what is read stays where it is");
    pane.press(&["/"]);
    pane.type_line("NEEDLE");
    pane.wait_for(&says("\"NEEDLE\" not found"));
    pane.press(&["/"]);
    pane.type_line("needle");
    pane.wait_for(&says("\"needle\" 1 of 1"));
    pane.wait_for(&says("a red needle"));
    pane.press(&["Escape"]);
    pane.wait_for(&says("web got one more"));
    pane.press(&["C-c"]);
    assert_eq!(pane.finish_within(PATIENCE), 0);
}
