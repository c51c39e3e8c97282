//! The command line: errors that name what was typed, exit codes, and the forms of output.

use std::time::Duration;

use rustix::process::Signal;

use crate::{
    support::{PATIENCE, Pane, Project, clock::comes_true, programs, words},
    witness,
};

/// Runs `pmdev` with bad arguments: exit code 2, and an error that has all these words.
#[track_caller]
fn is_refused(project: &Project, arguments: &[&str], words: &[&str]) {
    let ending = project.pmdev(arguments).finish();
    assert_eq!(ending.code, Some(2), "{arguments:?}: {}", ending.all());
    assert_eq!(ending.out, "", "errors go to standard error");
    for word in words {
        assert!(ending.err.contains(word), "{arguments:?} should speak of {word}: {}", ending.err);
    }
}

#[test]
fn what_was_named_and_is_wrong_is_named() {
    let project = Project::fixture("bash");
    is_refused(&project, &["start", "nothing.js"], &["nothing.js"]);
    is_refused(&project, &["start", "app.sh", "--cwd", "nowhere"], &["nowhere"]);
    is_refused(&project, &["start", "app.sh", "--interpreter", "no-such-program"], &["no-such-program"]);
    is_refused(&project, &["start", "app.sh", "--kill-signal", "SIGNOTHING"], &["SIGNOTHING", "SIGTERM"]);
    is_refused(&project, &["start", "app.sh", "--env-file", "missing.env"], &["missing.env"]);
    is_refused(&project, &["start", "app.sh", "--no-such-flag"], &["--no-such-flag"]);
    is_refused(&project, &["start", "app.sh", "--watch-delay", "soon"], &["soon"]);
    is_refused(&project, &["start", "app.sh", "--timestamp=%H"], &["%H", "HH"]);
    is_refused(&project, &["start", "app.sh", "--profile", "nothing"], &["nothing", "prod"]);
}

#[test]
fn help_and_version_are_no_errors() {
    let project = Project::empty();
    for arguments in [&["--help"][..], &["start", "--help"], &["why", "--help"], &["--version"], &["-v"]] {
        let ending = project.pmdev(arguments).finish();
        assert_eq!(ending.code, Some(0), "{arguments:?}: {}", ending.all());
        assert!(ending.out.contains("pmdev"), "{arguments:?}: {}", ending.out);
    }
    let help = project.pmdev(["start", "--help"]).finish().out;
    for flag in ["--watch", "--ignore-watch", "--ext", "--watch-delay", "--poll", "--kill-signal", "--stdin", "--timestamp", "--prod"] {
        assert!(help.contains(flag), "the help of start has {flag}: {help}");
    }
}

#[test]
fn when_every_app_has_ended_the_code_is_that_of_the_first_that_failed() {
    let project = Project::empty();
    project.script("good.sh", "exit 0\n");
    project.script("bad.sh", "exit 3\n");
    project.script("killed.sh", "kill -TERM $$\n");
    for (targets, code) in [(&["good.sh"][..], 0), (&["bad.sh"], 3), (&["killed.sh"], 143), (&["good.sh", "bad.sh"], 3)] {
        let ending = project.pmdev(["start", "--no-watch"].iter().chain(targets)).finish();
        assert_eq!(ending.code, Some(code), "{targets:?}: {}", ending.all());
    }
}

#[test]
fn a_stop_by_signal_is_no_failure() {
    let project = Project::fixture("bash");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut runner = project.start(["app.sh"]);
        runner.wait_for(&words::app_says("app v1"));
        runner.signal(signal);
        assert_eq!(runner.finish().code, Some(0), "{signal:?}");
        project.nothing_alive(Duration::from_secs(1), &format!("{signal:?}"));
    }
}

#[test]
fn arguments_after_two_dashes_are_the_apps() {
    let project = Project::empty();
    project.script("app.sh", "echo \"got $# arguments, $1\"; exec sleep 1000000\n");
    let mut runner = project.start(["app.sh", "--", "--port", "80"]);
    runner.wait_for(&words::app_says("got 2 arguments, --port"));
}

#[test]
fn a_script_needs_no_verb() {
    let project = Project::fixture("bash");
    let mut runner = project.pmdev(["app.sh"]).spawn();
    runner.wait_for(&words::app_says("app v1"));
}

#[test]
fn the_environment_comes_from_the_profile_and_the_file() {
    let project = Project::empty();
    project.script("app.sh", "echo \"env=$NODE_ENV from=$FROM_FILE\"; exec sleep 1000000\n");
    project.save("some.env", "FROM_FILE='a b'\n");
    let mut runner = project.start(["app.sh", "--env-file", "some.env"]);
    runner.wait_for(&words::app_says("env=development from=a b"));
    drop(runner);
    let mut runner = project.start(["app.sh", "--prod"]);
    runner.wait_for(&words::app_says("env=production from="));
}

#[test]
fn prod_restarts_after_a_crash_and_watches_nothing() {
    let project = Project::empty();
    project.script("app.sh", "echo \"run\"; exit 4\n");
    let runner = project.start(["app.sh", "--prod"]);
    assert!(comes_true(PATIENCE, || runner.count(&words::app_says("run")) >= 2), "it is started again after a delay");
    assert_eq!(runner.count(&words::watching()), 0);
}

#[test]
fn why_names_the_rule_and_its_place() {
    let project = Project::fixture("node");
    project.save(".gitignore", "# built\n*.map\n");
    project.save(".git/HEAD", "ref: refs/heads/main\n");
    for (path, watched, words) in [
        ("app.js", true, &["app.js"][..]),
        ("app.js.map", false, &[".gitignore", "2", "*.map"]),
        ("node_modules/x/index.js", false, &["node_modules"]),
        (".env", true, &[".env"]),
    ] {
        let ending = project.pmdev(["why", path]).finish();
        assert_eq!(ending.code, Some(0), "{path}: {}", ending.all());
        let says_watched = ending.out.contains("is watched") && !ending.out.contains("not watched");
        assert_eq!(says_watched, watched, "{path}: {}", ending.out);
        for word in words {
            assert!(ending.out.contains(word), "{path} should speak of {word}: {}", ending.out);
        }
    }
}

#[test]
fn json_is_one_object_a_line() {
    let project = Project::fixture("bash");
    let mut runner = project.start(["app.sh", "--json"]);
    runner.wait_for(&words::says(r#""event":"watching""#));
    runner.wait_for(&words::says("bash app v1"));
    project.edit("version.sh", "v1", "v2");
    runner.wait_for(&words::says(r#""event":"restarted""#));
    runner.wait_for(&words::says("bash app v2"));
    runner.signal(Signal::TERM);
    let ending = runner.finish();
    assert_eq!(ending.code, Some(0));
    for line in ending.out.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value.is_object(), "{line}");
    }
    assert_eq!(ending.err, "", "with --json everything is an object on standard output");
}

#[test]
fn raw_lines_have_no_prefix_and_times_stand_before_lines() {
    let project = Project::empty();
    for name in ["one", "two"] {
        project.script(&format!("{name}.sh"), "echo \"a line\"; exit 1\n");
    }
    let lines = |flag: &str| {
        let ending = project.pmdev(["start", "one.sh", "two.sh", "--no-watch", flag]).finish();
        assert_eq!(ending.code, Some(1), "{}", ending.all());
        ending.out.lines().filter(|line| line.ends_with("a line")).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(lines("--raw"), ["a line", "a line"]);
    for line in lines("--timestamp") {
        assert!(line.starts_with("20") && line.contains(':') && line.contains("| a line"), "{line}");
    }
    for line in lines("--timestamp=HH:mm") {
        assert_eq!(line.find(':'), Some(2), "{line}");
        assert!(line.contains("| a line"), "{line}");
    }
}

#[test]
fn colours_are_for_terminals_and_can_be_refused() {
    let project = Project::empty();
    project.script("app.sh", "exit 1\n");
    let escapes = |ending: crate::support::runner::Ending| ending.all().contains('\x1b');
    assert!(!escapes(project.pmdev(["start", "app.sh", "--no-watch"]).finish()), "a pipe gets none");
    let shown = |flags: &str| {
        let pane = Pane::shell(&project)?;
        pane.type_line(&format!("script -qec 'pmdev start app.sh --no-watch {flags}' /dev/null | grep -c $'\\x1b' ; echo \"co\"de"));
        pane.wait_for(&words::alone("code"));
        pane.text().lines().rev().find_map(|line| line.parse::<u32>().ok())
    };
    if !programs::have(&["tmux", "script"]) {
        return;
    }
    assert!(shown("").is_some_and(|lines| lines > 0), "a terminal gets some");
    assert_eq!(shown("--no-color"), Some(0));
}

#[test]
fn quiet_leaves_the_apps_and_what_is_wrong() {
    let project = Project::fixture("bash");
    let mut runner = project.start(["app.sh", "--quiet"]);
    runner.wait_for(&words::app_says("app v1"));
    // Without the runner's word for it, only a restart shows that files are watched: the sweep after the walk sees an early save.
    project.edit("version.sh", "v1", "v2");
    runner.wait_for(&words::app_says("app v2"));
    project.edit("version.sh", "VERSION=", "echo broken; exit 9; VERSION=");
    runner.wait_for(&words::crashed("exit code 9"));
    assert_eq!(runner.count(&words::any()), 1, "the crash is all the runner speaks of");
}

#[test]
fn lines_go_to_the_app_with_stdin_but_not_the_key() {
    let project = Project::empty();
    project.script("app.sh", "echo \"reads\"; while read -r line; do echo \"got $line\"; done; echo \"no more\"; exec sleep 1000000\n");
    let mut runner = project.pmdev(["start", "app.sh", "--stdin"]).typed().spawn();
    runner.wait_for(&words::app_says("reads"));
    runner.type_line("hello");
    runner.wait_for(&words::app_says("got hello"));
    runner.type_line("l");
    runner.wait_for(&words::app_says("got l"));
    runner.type_line(words::RESTART_KEY);
    runner.wait_for(&words::restarted());
    runner.type_line("again");
    runner.wait_for(&words::app_says("got again"));
    runner.end_input();
    runner.wait_for(&words::app_says("no more"));
}

#[test]
fn an_app_keeps_an_open_input_without_the_flag() {
    let project = Project::empty();
    project.script("app.sh", "echo \"reads\"; read -r line; echo \"input ended\"\n");
    let mut runner = project.start(["app.sh"]);
    runner.wait_for(&words::app_says("reads"));
    runner.wait_for(&words::watching());
    project.save("other.txt", "1");
    runner.wait_for(&words::restarted());
    assert_eq!(runner.count(&words::says("input ended")), 0);
}

#[test]
fn names_that_clash_get_their_folder_before_them() {
    let project = Project::empty();
    for folder in ["one", "two"] {
        project.script(&format!("{folder}/app.sh"), "echo runs; exec sleep 1000000\n");
    }
    let runner = project.start(["one/app.sh", "two/app.sh"]);
    for folder in ["one", "two"] {
        let line = words::app_says("runs").and(words::says(folder));
        assert!(comes_true(PATIENCE, || runner.count(&line) == 1), "the app of {folder} speaks under its folder's name");
    }
}

#[test]
fn a_save_restarts_only_the_app_that_watches_it() {
    if !programs::have(&["python3"]) {
        return;
    }
    let project = Project::empty();
    for folder in ["one", "two", "three"] {
        project.save(format!("{folder}/main.py"), format!("import time\nprint('{folder} runs')\ntime.sleep(1000000)\n"));
    }
    let mut runner = project.start(["one", "two", "three"]);
    runner.wait_for(&words::watching());
    for folder in ["one", "two", "three"] {
        runner.wait_for(&words::prefixed(folder, "runs"));
    }
    for folder in ["two", "three"] {
        project.save(format!("{folder}/main.py"), format!("import time\nprint('{folder} runs anew')\ntime.sleep(1000000)\n"));
        runner.wait_for(&words::app_restarted(folder));
        runner.wait_for(&words::prefixed(folder, "runs anew"));
    }
    assert_eq!(runner.count(&words::restarted()), 2);
}

#[test]
fn polling_sees_a_save_as_well() {
    let project = witness::project();
    // What changed a moment before the first scan is taken for a change, to be safe.
    witness::wait_until_old(&project, "sentinel.txt", Duration::from_millis(200));
    let mut runner = witness::start(&project, &["--poll=100ms"]);
    project.save("src/value.txt", "two, longer");
    runner.wait_for(&words::restarted_by("src/value.txt"));
}

#[test]
fn a_misspelt_verb_is_no_target() {
    let project = Project::empty();
    project.script("x", "exec sleep 1000000\n");
    let ending = project.pmdev(["strat", "x"]).finish();
    assert_eq!(ending.code, Some(2));
    assert!(ending.err.contains("strat is no file and no verb") && ending.err.contains("did you mean pmdev start x?"), "{}", ending.err);
    // What is there is run, whatever it is called.
    project.script("strat", "#!/bin/sh\nexit 7\n");
    assert_eq!(project.pmdev(["strat", "--no-watch"]).finish().code, Some(7));
}

#[test]
fn flags_of_pm2_are_carried_out() {
    let project = Project::empty();
    project.script("app.sh", "echo \"$NODE_APP_INSTANCE:${A_SECRET-none}\"\nexit 3\n");
    let line = [
        "start",
        "app.sh",
        "-i",
        "2",
        "--filter-env",
        "SECRET",
        "--no-watch",
        "--prod",
        "--restart-delay",
        "1ms",
        "--stop-exit-codes",
        "0",
        "3",
    ];
    let ending = project.pmdev(line.into_iter().chain(["--no-pmx", "--no-vizion", "-f"])).env("A_SECRET", "x").finish();
    assert_eq!(ending.code, Some(3), "{}", ending.all());
    for said in ["0:none", "1:none"] {
        assert_eq!(ending.out.matches(said).count(), 1, "{}", ending.all());
    }
}

#[test]
fn stack_traces_of_node_are_those_of_the_sources() {
    if !crate::support::programs::have(&["node"]) {
        return;
    }
    let project = Project::empty();
    project.save("app.js", "'use strict';\nthrow new Error('boom');\n//# sourceMappingURL=app.js.map\n");
    // Line 2 of app.js is line 41 of app.ts.
    project.save("app.js.map", r#"{ "version": 3, "file": "app.js", "sources": ["app.ts"], "names": [], "mappings": "AAAA;AAwCA" }"#);
    let said = |arguments: &[&str]| project.pmdev(["start", "app.js", "--no-watch"].iter().chain(arguments)).finish().all();
    assert!(said(&[]).contains("app.ts:41"), "{}", said(&[]));
    let off = said(&["--disable-source-map-support"]);
    assert!(off.contains("app.js:2") && !off.contains("app.ts"), "{off}");
}
