//! `pmdev attach` in a real terminal: raw keys, sizes, and the terminal as it was afterwards.

use super::{app, running, verb};
use crate::support::{Pane, words};

/// A shell with a prompt of its own.
const SHELL: &str = "export PS1='inner> '\nexec bash --norc --noprofile -i\n";

#[test]
fn keys_go_to_the_app_and_the_terminal_is_as_it_was() {
    let project = app(SHELL);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    let attach = format!(
        "stty -a > before; {} attach api; stty -a > after; cmp before after && echo 'the same 'modes",
        crate::support::programs::PMDEV
    );
    pane.type_line(&attach);
    pane.wait_for(&words::says("[pmdev] attached to api, Ctrl-] leaves"));
    pane.wait_for(&words::says("inner>"));
    // Ctrl-C is the app's: it ends what the shell runs, and nothing else.
    pane.type_line("echo begun; sleep 1000000");
    pane.wait_for(&crate::support::Saying::new("begun alone", |line| line == "begun"));
    pane.press(&["C-c"]);
    pane.type_line("echo \"ended by $?\"");
    pane.wait_for(&words::says("ended by 130"));
    // So is Ctrl-Z.
    pane.type_line("sleep 1000001");
    pane.press(&["C-z"]);
    pane.wait_for(&words::says("Stopped"));
    pane.type_line("kill %1; stty size");
    pane.wait_for(&words::says("50 180"));
    pane.type_line("trap 'echo \"now $(stty size)\"' WINCH");
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
    verb(&project, &["send", "api", "stty size > size"], 0);
    assert!(crate::support::clock::comes_true(crate::support::PATIENCE, || {
        std::fs::read_to_string(project.path("size")).is_ok_and(|size| size == "24 80\n")
    }));
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let project = app(SHELL);
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line(&format!(
        "stty -a > before; {} attach api; echo \"code $?\"; stty -a > after; cmp before after && echo 'the same 'modes",
        crate::support::programs::PMDEV
    ));
    pane.wait_for(&words::says("inner>"));
    let client = crate::support::processes::all().into_iter().find(|process| {
        process.command.contains("attach api")
            && process.command.contains("pmdev")
            && !process.command.contains("stty")
            && crate::support::processes::names(process, &project.root)
    });
    crate::support::processes::send(client.expect("it runs").pid, rustix::process::Signal::TERM);
    pane.wait_for(&words::says("code 143"));
    pane.wait_for(&words::says("the same modes"));
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
