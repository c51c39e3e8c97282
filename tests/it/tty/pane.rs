//! `pmdev attach` in a real terminal: raw keys, sizes, and the terminal as it was afterwards.

use std::fs;

use rustix::process::Signal;

use super::{app, running, verb};
use crate::support::{
    PATIENCE, Pane, Project, Saying,
    clock::{comes_true, until},
    processes, words,
};

/// A shell with a prompt of its own.
const SHELL: &str = "export PS1='inner> '\nexec bash --norc --noprofile -i\n";

#[test]
fn keys_go_to_the_app_and_the_terminal_is_as_it_was() {
    let project = app(SHELL);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    let attach = format!(
        "stty -a > ../outside/before; {} attach api; stty -a > ../outside/after; cmp ../outside/before ../outside/after && echo 'the same 'modes",
        crate::support::programs::PMDEV
    );
    pane.type_line(&attach);
    pane.wait_for(&words::says("[pmdev] attached to api, Ctrl-] leaves"));
    pane.wait_for(&words::says("inner>"));
    // Ctrl-C is the app's: it ends what the shell runs, and nothing else.
    pane.type_line("echo begun; sleep 1000000");
    pane.wait_for(&crate::support::words::alone("begun"));
    pane.press(&["C-c"]);
    pane.type_line("echo \"ended by $?\"");
    pane.wait_for(&words::says("ended by 130"));
    // So is Ctrl-Z.
    pane.type_line("sleep 1000001");
    pane.press(&["C-z"]);
    pane.wait_for(&words::says("Stopped"));
    pane.type_line("kill %1; stty size");
    pane.wait_for(&words::says("50 180"));
    pane.type_line("trap 'echo \"now $(stty size)\"' WINCH; echo 'set 'now");
    pane.wait_for(&words::says("set now"));
    pane.resize(90, 20);
    pane.type_line("");
    pane.wait_for(&words::says("now 20 90"));
    pane.resize(180, 50);
    pane.type_line("");
    pane.wait_for(&words::says("now 50 180"));
    // What an app has made of the terminal is taken back.
    pane.type_line("printf '\\033[?1049h\\033[?25l'; echo drawn");
    pane.wait_for(&crate::support::Saying::new("drawn alone", |line| line == "drawn"));
    pane.press(&["C-]"]);
    pane.wait_for(&words::says("[pmdev] left api"));
    pane.wait_for(&words::says("the same modes"));
    assert_eq!(pane.flags(), "0 1", "another screen, the cursor");
    // Nobody is attached: the runner's own terminal counts again, and it has none.
    verb(&project, &["send", "api", "stty size > ../outside/size"], 0);
    assert!(crate::support::clock::comes_true(crate::support::PATIENCE, || {
        std::fs::read_to_string(project.outside("size")).is_ok_and(|size| size == "24 80\n")
    }));
}

/// Has margins, and new ones when it is asked for them.
const MARGINS: &str = r#"trap "printf '\033[3;10r\033[3;1Hnew margins\r\n'" USR1
printf '\033[1;10r\033[4hsmaller\r\n'
sleep 1000000 & while :; do wait; done
"#;

#[test]
fn margins_and_inserting_are_the_apps_and_no_more_the_shells() {
    let project = app(MARGINS);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    let region = |wanted: &str| assert!(comes_true(PATIENCE, || pane.region() == wanted), "{} is not {wanted}", pane.region());
    region("0-49 0");
    pane.type_line("pmdev attach api");
    pane.wait_for(&words::says("smaller"));
    // The size is another one than that of the first lines, and margins do not outlive that.
    region("0-49 1");
    verb(&project, &["signal", "USR1", "api"], 0);
    pane.wait_for(&words::says("new margins"));
    region("2-9 1");
    pane.press(&["C-]"]);
    pane.wait_for(&words::says("left api"));
    region("0-49 0");
    // What comes next stands below what was shown.
    let shown = pane.text();
    let at = |what: &str| shown.lines().position(|line| line.contains(what));
    assert!(at("new margins") < at("left api"), "{shown}");
    pane.type_line("clear; seq 1 40");
    pane.wait_for(&words::alone("40"));
    let shown = pane.text();
    assert!(shown.lines().any(|line| line == "1"), "nothing has scrolled away: {shown}");
    // Who comes again finds it as the app has it, and so does who goes on.
    pane.type_line("pmdev attach api");
    pane.wait_for(&words::says("attached to api"));
    region("0-49 1");
    verb(&project, &["signal", "USR1", "api"], 0);
    region("2-9 1");
    processes::send(client(&project), Signal::TSTP);
    pane.wait_for(&words::says("Stopped"));
    region("0-49 0");
    pane.type_line("fg");
    region("2-9 1");
    pane.press(&["C-]"]);
    region("0-49 0");
}

/// The pid of the client.
fn client(project: &Project) -> i32 {
    let pid = || project.alive().into_iter().find(|process| process.command.ends_with("pmdev attach api")).map(|process| process.pid);
    until(PATIENCE, pid).expect("the client runs")
}

/// What attaches, and says afterwards how it ended and whether the terminal is as it was.
const ATTACH: &str = "stty -a > ../outside/before; pmdev attach api; echo \"code $?\"; stty -a > ../outside/after; cmp ../outside/before ../outside/after && echo 'the same 'modes";

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let project = app(SHELL);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    for (time, (signal, code)) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131), (Signal::INT, 130)].into_iter().enumerate()
    {
        pane.type_line("clear");
        pane.type_line(ATTACH);
        pane.wait_for(&words::says("inner>"));
        // What the app has made of it as well.
        pane.type_line(&format!("printf '\\033[?1049h\\033[?25l'; echo drawn {time}"));
        pane.wait_for(&Saying::new("drawn alone", move |line| line == format!("drawn {time}")));
        processes::send(client(&project), signal);
        pane.wait_for(&words::says(format!("code {code}")));
        pane.wait_for(&words::says("the same modes"));
        assert_eq!(pane.flags(), "0 1", "{signal:?}");
        verb(&project, &["send", "api", "printf '\\033[?25h\\033[?1049l'; clear"], 0);
    }
}

/// Draws how often it was told of which size, on a screen of its own, and only if it is another one: as ncurses has it.
const DRAWS: &str = r#"draw() { printf '\033[?1049h\033[?25l\033[H\033[2Jpicture of %s\n' "$1"; }
told() { now=$(stty size); echo "$now" >> ../outside/told; [ "$now" = "$size" ] || { size=$now; draw "$now"; }; }
trap told WINCH
size=$(stty size); draw "$size"
sleep 1000000 & while :; do wait; done
"#;

#[test]
fn a_picture_is_drawn_anew_once_for_who_comes_and_who_goes_on() {
    let project = app(DRAWS);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    let told = || fs::read_to_string(project.outside("told")).unwrap_or_default();
    pane.type_line(ATTACH);
    pane.wait_for(&words::says("picture of 50 180"));
    assert_eq!(told(), "50 180\n", "the other size is reason enough");
    assert_eq!(pane.flags(), "1 0");
    // Somebody who has no size of his own, so that nothing but this has it drawn.
    let mut other = project.pmdev(["attach", "api"]).typed().spawn();
    other.wait_for(&words::says("picture of 50 180"));
    assert!(told().ends_with("49 180\n50 180\n"), "{}", told());
    // The shell has put its words where the picture was.
    processes::send(client(&project), Signal::TSTP);
    pane.wait_for(&words::says("Stopped"));
    assert_eq!(pane.flags(), "0 1");
    pane.type_line("echo in the shell");
    pane.wait_for(&Saying::new("the shell's answer", |line| line == "in the shell"));
    pane.type_line("fg");
    pane.wait_for(&words::says("picture of 50 180"));
    assert_eq!(pane.flags(), "1 0");
    pane.press(&["C-]"]);
    pane.wait_for(&words::says("left api"));
    pane.wait_for(&words::says("the same modes"));
    assert_eq!(pane.flags(), "0 1");
}

#[test]
fn what_was_typed_right_before_leaving_arrives() {
    let project = app("stty -echo; echo ready; while read -r line; do echo \"$line\" >> ../outside/typed; done\n");
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    for time in 0..20 {
        pane.type_line("clear; pmdev attach api");
        pane.wait_for(&words::says("attached to api"));
        pane.wait_for(&words::says("ready"));
        pane.press(&["x", "y", &format!("{time}"), "Enter", "C-]"]);
        pane.wait_for(&words::says("left api"));
        let typed = format!("xy{time}\n");
        let read = || fs::read_to_string(project.outside("typed")).unwrap_or_default();
        assert!(comes_true(PATIENCE, || read().ends_with(&typed)), "{:?}", read());
    }
}

#[test]
fn old_questions_are_not_answered_once_more() {
    // It asks where the cursor is and who the terminal is, before anybody could answer, and shows what it is given.
    let project = app("stty raw -echo; printf 'who \\033[6nare \\033[cyou\\033]11;?\\007?\\r\\n'; exec cat > ../outside/typed\n");
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("pmdev attach api");
    pane.wait_for(&words::says("who are you?"));
    pane.press(&["z", "C-]"]);
    pane.wait_for(&words::says("left api"));
    verb(&project, &["stop", "api"], 0);
    let typed = fs::read_to_string(project.outside("typed")).expect("it was written");
    assert_eq!(typed, "z", "nothing else was typed");
}

#[test]
fn the_runners_terminal_gives_the_size_while_nobody_is_attached() {
    let project = app("trap 'echo \"now $(stty size)\"' WINCH; echo \"at first $(stty size)\"; while :; do sleep 0.1; done\n");
    let Some(pane) = Pane::open(&project, &[crate::support::programs::PMDEV, "start", "app.sh", "--tty"]) else { return };
    pane.wait_for(&words::says("at first 50 180"));
    pane.resize(100, 30);
    pane.wait_for(&words::says("now 30 100"));
}

#[test]
fn what_an_app_makes_of_its_terminal_is_not_made_of_the_runners() {
    let project = app("printf 'above\\n\\033[?1049h\\033[2J\\033[?25l\\033[31mpicture\\033[0m\\n'; exec sleep 1000000\n");
    let Some(pane) = Pane::open(&project, &[crate::support::programs::PMDEV, "start", "app.sh", "--tty"]) else { return };
    pane.wait_for(&words::says("picture"));
    pane.wait_for(&words::says("above"));
    assert_eq!(pane.flags(), "0 1", "another screen, the cursor");
}
