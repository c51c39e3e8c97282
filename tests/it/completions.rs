//! The completions in real shells, with a runner that has apps.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::support::{PATIENCE, Pane, Project, Runner, processes, programs, words::says};

const FILE: &str = "[[apps]]\nname = \"frontend\"\nscript = \"web.sh\"\nnamespace = \"site\"\ninstances = 2\n\n[[apps]]\nname = \"fridge\"\nscript = \"web.sh\"\nautostart = false\n";

fn project() -> Project {
    let project = Project::empty();
    project.script("web.sh", "exec sleep 1000000\n");
    project.save("pmdev.toml", FILE);
    project
}

fn running(project: &Project) -> Runner<'_> {
    let mut runner = project.start([""; 0]);
    runner.wait_for(&says("frontend started"));
    runner
}

/// What a shell says; its own words do not matter.
fn said(project: &Project, argv: &[&str]) -> String {
    // A machine that runs all tests at once is slower than anybody's shell.
    let ending = project.hook(argv).env("PMDEV_COMPLETE_TIMEOUT", "10000").finish();
    assert_eq!(ending.code, Some(0), "{argv:?}: {}", ending.all());
    assert!(!ending.err.contains("error") && !ending.err.contains("hint:"), "{argv:?}: {}", ending.err);
    ending.out
}

/// What bash would offer, one a line, as its completion function fills COMPREPLY.
fn bash(project: &Project, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let script = format!(
        "source <(pmdev completions bash); COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9; _clap_complete_pmdev pmdev '{}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words.last().expect("there is one")
    );
    said(project, &["bash", "--norc", "-c", &script])
}

fn fish(project: &Project, line: &str) -> String {
    said(project, &["fish", "--no-config", "-c", &format!("pmdev completions fish | source; complete -C '{line}'")])
}

/// What zsh inserts, in a terminal of its own (zpty), when Tab is typed after the line.
fn zsh(project: &Project, line: &str) -> String {
    let rc = project.outside("zsh");
    fs::create_dir_all(&rc).expect("the folder is ours");
    fs::write(rc.join(".zshrc"), "PS1='> '\nautoload -Uz compinit\ncompinit -u -D\nsource <(pmdev completions zsh)\nprint READY\n")
        .expect("the folder is ours");
    let script = format!(
        "zmodload zsh/zpty; zpty shell 'ZDOTDIR={} zsh -i'; zpty -r shell out '*READY*'; zpty -w -n shell '{line}'$'\\t'; zpty -r shell out '*frontend*'; print -r -- $out; zpty -d shell",
        rc.display()
    );
    said(project, &["zsh", "-f", "-c", &script])
}

#[test]
fn bash_completes_what_runs() {
    if !programs::have(&["bash"]) {
        return;
    }
    let project = project();
    assert!(!bash(&project, "pmdev restart fr").contains("fr"), "without a runner there is nothing, and no word of it");
    let _runner = running(&project);
    assert_eq!(bash(&project, "pmdev restart fr"), "frontend\nfridge");
    assert_eq!(bash(&project, "pmdev stop si"), "site");
    assert_eq!(bash(&project, "pmdev reload frontend:"), "frontend:0\nfrontend:1");
    assert!(bash(&project, "pmdev restart ").contains("all"), "{}", bash(&project, "pmdev restart "));
    assert_eq!(bash(&project, "pmdev start fr"), "fridge", "what runs needs no start");
    assert!(bash(&project, "pmdev we").contains("web.sh"), "the verb may be left out");
    assert!(bash(&project, "pmdev resta").contains("restart"));
    assert_eq!(bash(&project, "pmdev start --profile "), "dev\nprod");
    assert!(bash(&project, "pmdev scale fr").contains("frontend"));
}

#[test]
fn bash_completes_words_with_colons_and_equals_signs_where_they_are_typed() {
    let project = project();
    let _runner = running(&project);
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("export PMDEV_COMPLETE_TIMEOUT=10000; source <(pmdev completions bash); echo sour''ced");
    pane.wait_for(&says("sourced"));
    pane.press(&["pmdev restart frontend:", "Tab", "Tab"]);
    pane.wait_for(&says("0  1"));
    pane.press(&["1", "Tab"]);
    pane.wait_for(&says("pmdev restart frontend:1"));
    pane.press(&["C-u", "pmdev start --profile=pr", "Tab"]);
    pane.wait_for(&says("pmdev start --profile=prod"));
}

#[test]
fn fish_completes_what_runs_and_says_what_it_is() {
    if !programs::have(&["fish"]) {
        return;
    }
    let project = project();
    let _runner = running(&project);
    let offered = fish(&project, "pmdev restart fr");
    assert!(offered.contains("frontend\tonline, 2 instances") && offered.contains("fridge\tstopped"), "{offered}");
}

#[test]
fn zsh_completes_what_runs() {
    if !programs::have(&["zsh"]) {
        return;
    }
    let project = project();
    let _runner = running(&project);
    assert!(zsh(&project, "pmdev restart fron").contains("frontend"));
}

/// What pmdev itself offers a shell for the last of these words; `timeout`: how long runners may take for it.
fn offered(project: &Project, words: &[&str], timeout: Option<&str>) -> String {
    let number = words.len() - 1;
    let start = project.pmdev([&["--"], words].concat()).env("PMDEV_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", number.to_string());
    let start = start.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_IFS", "\n");
    let start = timeout.into_iter().fold(start, |start, timeout| start.env("PMDEV_COMPLETE_TIMEOUT", timeout));
    // Whoever asks a stopped runner without a limit waits for two seconds.
    let ending = start.spawn().finish_within(if timeout.is_some() { PATIENCE } else { Duration::from_millis(1500) });
    assert_eq!((ending.code, ending.err.as_str()), (Some(0), ""), "{}", ending.all());
    ending.out
}

#[test]
fn a_runner_that_is_stopped_holds_up_no_shell() {
    let project = project();
    let runner = running(&project);
    assert!(offered(&project, &["pmdev", "restart", ""], Some("10000")).contains("frontend"));
    processes::send(runner.runner_pid(), Signal::STOP);
    let words = offered(&project, &["pmdev", "restart", ""], None);
    assert!(!words.contains("frontend") && words.contains("pmdev.toml"), "what needs no runner is there: {words}");
    let words = offered(&project, &["pmdev", "restart", "--runner", ""], None);
    assert!(!words.contains(&runner.runner_pid().to_string()), "{words}");
    [runner.pid, runner.runner_pid()].into_iter().for_each(|pid| processes::send(pid, Signal::CONT));
}

#[test]
fn they_are_installed_where_the_shell_looks_and_overwrite_nobody() {
    let project = project();
    let installed = project.pmdev(["completions", "fish", "--install"]).finish();
    assert_eq!(installed.code, Some(0), "{}", installed.all());
    let path = project.root.with_file_name("home").join(".config/fish/completions/pmdev.fish");
    assert!(installed.out.contains(path.to_str().expect("it is a text")));
    assert!(fs::read_to_string(&path).expect("it is there").contains("PMDEV_COMPLETE"));
    assert_eq!(project.pmdev(["completions", "fish", "--install"]).finish().code, Some(0), "ours is written anew");
    fs::write(&path, "complete -c pmdev\n").expect("it is ours");
    let refused = project.pmdev(["completions", "fish", "--install"]).finish();
    assert!(refused.code == Some(1) && refused.err.contains("not one of pmdev's"), "{}", refused.all());
    assert_eq!(project.pmdev(["completions", "tcsh"]).finish().code, Some(2));
}

#[test]
fn what_cannot_be_written_is_said_with_what_to_do() {
    let project = project();
    // Files where folders would have to be: root can write into every folder.
    for name in [".local", ".zfunc", ".config"] {
        fs::write(project.root.with_file_name("home").join(name), "").expect("the folder is ours");
    }
    fs::write(project.outside("file"), "").expect("the folder is ours");
    for (words, named, hint) in [
        (
            &["completions", "bash", "--install"][..],
            "bash-completion/completions/pmdev could not be written",
            "pmdev completions bash > FILE",
        ),
        (&["completions", "zsh", "--install"], ".zfunc/_pmdev could not be written", "pmdev completions zsh > FILE"),
        (&["completions", "fish", "--install"], "pmdev.fish could not be written", "pmdev completions fish > FILE"),
        (&["man", "--dir", "../outside/file/man"], "Pages could not be written into ../outside/file/man", "name a folder of yours"),
    ] {
        let ending = project.pmdev(words).finish();
        assert_eq!(ending.code, Some(1), "{words:?}: {}", ending.all());
        assert!(ending.err.contains(named) && ending.err.contains(hint), "{words:?}: {}", ending.all());
    }
}

#[test]
fn on_a_terminal_a_page_is_one_for_people() {
    if !programs::have(&["man"]) {
        return;
    }
    let project = project();
    let Some(pane) = Pane::shell(&project) else { return };
    pane.type_line("MANPAGER=cat pmdev man ls");
    pane.wait_for(&says("pmdev-list - Show the apps of a runner"));
    pane.wait_for(&says("pmdev ls, pmdev ps, pmdev status"));
}

#[test]
fn manual_pages_are_read_by_man() {
    let project = project();
    let written = project.pmdev(["man", "--dir", "pages"]).finish();
    assert_eq!(written.code, Some(0), "{}", written.all());
    assert!(project.path("pages/pmdev-restart.1").is_file() && project.path("pages/pmdev.1").is_file());
    assert!(project.pmdev(["man", "start"]).finish().out.contains("kill\\-timeout"));
    assert!(project.pmdev(["man", "del"]).finish().out.contains(".TH pmdev-delete 1"));
    assert_eq!(offered(&project, &["pmdev", "man", "rest"], None), "restart");
    assert_eq!(project.pmdev(["man", "dance"]).finish().code, Some(2));
    if programs::have(&["groff"]) {
        let checked = project.hook(&["groff", "-man", "-ww", "-z", "pages/pmdev.1", "pages/pmdev-start.1"]).finish();
        assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
    }
}
