//! What root refuses to read, who may become whom, and what of the caller's environment an app does not see.

use std::{os::unix::fs::chown, path::Path};

use serde_json::{Value, json};

use super::{nobody, open, project};
use crate::support::{Project, programs, words};

const ALLOW: &str = "PMDEV_ALLOW_WRITABLE_CONFIG";

/// `pmdev check`: its exit code and all it says.
fn check(project: &Project, flags: &[&str], allow: &str) -> (Option<i32>, String) {
    let ending = project.pmdev([&["check"], flags].concat()).env(ALLOW, allow).finish();
    (ending.code, ending.all())
}

#[test]
fn roots_server_reads_no_file_that_others_can_write() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = project(json!({ "uid": "root", "env_file": "my.env" }));
    project.save("my.env", "A=1\n");
    let (config, env) = (project.path("pmdev.json"), project.path("my.env"));
    open(&config, 0o644);
    open(&env, 0o644);
    assert_eq!(check(&project, &["--prod"], "").0, Some(0));
    for (file, mode, group, words, chmod) in [
        (&config, 0o646, 0, "pmdev.json can be written by everybody (mode 646), and root runs what it says", "chmod o-w pmdev.json"),
        (&config, 0o664, 1, "pmdev.json can be written by group 1 (mode 664)", "chmod g-w pmdev.json"),
        (&env, 0o666, 1, "my.env can be written by everybody (mode 666)", "chmod go-w my.env"),
    ] {
        chown(file, None, Some(group)).expect("we are root");
        open(file, mode);
        let (code, told) = check(&project, &["--prod"], "");
        assert!(code == Some(2) && told.contains(words) && told.contains(chmod) && told.contains(ALLOW), "{code:?} {told}");
        let (code, told) = check(&project, &["--prod"], "1");
        assert!(code == Some(0) && told.contains(words), "it is said all the same: {told}");
        assert!(check(&project, &[], "").1.find(words).is_none(), "dev does not mind");
        open(file, 0o644);
    }
    chown(&config, None, Some(0)).expect("we are root");
    open(&config, 0o664);
    assert_eq!(check(&project, &["--prod"], "").0, Some(0), "root's group is root");
}

#[test]
fn a_program_that_others_can_write_is_not_even_read() {
    if !crate::process::can_become_others() || !programs::have(&["node"]) {
        return;
    }
    let project = Project::empty();
    project.save("app.js", "");
    project.save("pmdev.config.js", "require('fs').writeFileSync('ran', ''); module.exports = [{ script: 'app.js' }]");
    open(&project.path("pmdev.config.js"), 0o666);
    let (code, told) = check(&project, &["--prod"], "");
    assert!(code == Some(2) && !project.path("ran").exists(), "{code:?} {told}");
    open(&project.path("pmdev.config.js"), 0o644);
    assert_eq!(check(&project, &["--prod"], "").0, Some(0));
    assert!(project.path("ran").exists());
}

#[test]
fn another_owner_and_a_folder_of_others_are_doubtful() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = project(json!({ "uid": "root" }));
    chown(project.path("pmdev.json"), Some(12345), None).expect("we are root");
    let (code, told) = check(&project, &["--prod"], "");
    assert!(code == Some(0) && told.contains("pmdev.json belongs to user 12345, and root runs what it says"), "{told}");
    chown(project.path("pmdev.json"), Some(0), None).expect("we are root");
    open(&project.root, 0o777);
    let (code, told) = check(&project, &["--prod"], "");
    assert!(code == Some(0) && told.contains("pmdev.json can be replaced by everybody") && told.contains("chmod o-w ."), "{told}");
    open(&project.root, 0o1777);
    assert!(!check(&project, &["--prod"], "").1.contains("replaced"), "sticky, as /tmp is");
}

#[test]
fn apps_that_run_as_root_on_a_server_are_named() {
    if !rustix::process::geteuid().is_root() {
        programs::skip("only root runs apps as root");
        return;
    }
    let project = project(json!({}));
    let told = check(&project, &["--prod"], "").1;
    assert!(told.contains("app runs as root, because pmdev does"), "{told}");
    assert!(!check(&project, &[], "").1.contains("as root"), "dev does not mind");
    super::declare(&project, json!({ "uid": "root" }));
    assert!(!check(&project, &["--prod"], "").1.contains("because pmdev does"), "it is meant");
}

#[test]
fn an_edit_names_only_those_that_are_new() {
    if !rustix::process::geteuid().is_root() {
        programs::skip("only root runs apps as root");
        return;
    }
    let project = project(json!({}));
    let apps = |names: &[&str]| {
        let app = |name: &&str| json!({ "name": name, "script": "sleep 1000000" });
        project.save("pmdev.json", Value::from_iter(names.iter().map(app)).to_string());
    };
    apps(&["one"]);
    let mut runner = project.start(["--prod"]);
    runner.wait_for(&words::says("one runs as root, because pmdev does"));
    runner.wait_for(&words::says("one started"));
    for (names, told) in [(&["one", "two"][..], "two: added"), (&["one"], "two: removed"), (&["one", "three"], "three: added")] {
        apps(names);
        runner.wait_for(&words::says(told));
    }
    let told = runner.lines(&words::says(" as root, because pmdev does"));
    let told: Vec<String> = told.iter().map(|line| line.text()).collect();
    let expected = ["one", "two", "three"].map(|name| format!("[pmdev] {name} runs as root, because pmdev does"));
    assert_eq!(told, expected);
}

#[test]
fn a_user_that_is_not_there_is_an_error_with_a_suggestion() {
    let project = project(json!({ "uid": "nobdoy", "gid": "no-such-group-at-all" }));
    let (code, told) = check(&project, &[], "");
    assert!(code == Some(2) && told.contains("app: there is no user \"nobdoy\" on this system"), "{told}");
    assert!(told.contains("did you mean nobody?"), "{told}");
    super::declare(&project, json!({ "uid": 54321 }));
    if crate::process::can_become_others() {
        let (code, told) = check(&project, &[], "");
        assert!(code == Some(2) && told.contains("user 54321 is not in the table of users, so its group is not known"), "{told}");
    }
}

#[test]
fn a_runner_that_is_not_root_says_that_it_has_to_be() {
    let project = project(json!({ "uid": "root" }));
    let copy = crate::process::for_everybody(project.outside("").as_path(), Path::new(programs::PMDEV));
    let copy = copy.to_str().expect("its name is UTF-8");
    let argv = if rustix::process::geteuid().is_root() {
        let Some((_, user, group)) = nobody() else { return };
        let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
        ["setpriv".to_owned(), user, group, "--clear-groups".to_owned(), copy.to_owned(), "check".to_owned()].to_vec()
    } else {
        vec![copy.to_owned(), "check".to_owned()]
    };
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let ending = project.hook(&argv).finish();
    assert_eq!(ending.code, Some(2), "{}", ending.all());
    assert!(ending.all().contains("app: only root can run it as user \"root\"; pmdev itself runs as user "), "{}", ending.all());
}

#[test]
fn what_speaks_to_the_caller_alone_is_not_passed_on_by_a_server() {
    let project = project(json!({}));
    let names =
        ["PMDEV_OTHER", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "SUDO_USER"];
    let printed = |flags: &[&str]| {
        let start = project.pmdev([&["start", "--no-watch", "--raw"], flags].concat()).env("PASSED_ON", "1");
        let ending = names.iter().fold(start, |start, name| start.env(name, "1")).finish();
        let seen = |name: &&str| ending.out.lines().any(|line| line.trim().starts_with(&format!("env:{name}=")));
        assert!(seen(&"PASSED_ON") && seen(&"PMDEV_RUN"), "{}", ending.all());
        names.into_iter().filter(|name| seen(name)).collect::<Vec<_>>()
    };
    assert_eq!(printed(&["--prod"]), [""; 0]);
    // What the service manager or a parent in Node says to us alone is for nobody in any profile.
    assert_eq!(printed(&[]), ["PMDEV_OTHER", "LISTEN_FDS", "LISTEN_PID", "SUDO_USER"], "dev passes everything else on");
    // What a file says is no accident.
    super::declare(&project, json!({ "env": { "LISTEN_FDS": "1" } }));
    assert_eq!(printed(&["--prod"]), ["LISTEN_FDS"]);
    // The filter is off where the file says so, and adds to the server's own where it names others.
    super::declare(&project, json!({ "filter_env": false }));
    assert_eq!(printed(&["--prod"]), ["PMDEV_OTHER", "LISTEN_FDS", "LISTEN_PID", "SUDO_USER"]);
    super::declare(&project, json!({ "filter_env": ["NOTHING_IS_CALLED_SO"] }));
    assert_eq!(printed(&["--prod"]), [""; 0]);
}

#[test]
fn limits_that_no_kernel_knows_are_told_before_anything_runs() {
    for (keys, told) in [
        (json!({ "umask": "0888" }), "umask"),
        (json!({ "umask": "1777" }), "umask"),
        (json!({ "limits": { "nice": 20 } }), "limits.nice"),
        (json!({ "limits": { "oom_score_adj": -1001 } }), "limits.oom_score_adj"),
        (json!({ "limits": { "no_new_privs": "perhaps" } }), "limits.no_new_privs"),
    ] {
        let project = project(keys);
        let ending = project.pmdev(["start", "--no-watch", "--raw"]).finish();
        assert!(
            ending.code == Some(2) && ending.all().contains(told) && ending.all().contains("but it takes "),
            "{told}: {}",
            ending.all()
        );
        assert!(!ending.out.contains("uid="), "{told}: it ran");
    }
}

#[test]
fn a_plan_shows_as_whom_and_with_what() {
    let Some((name, user, group)) = nobody() else { return };
    let project = project(json!({ "uid": name, "limits": { "nofile": "unlimited" } }));
    let text = check(&project, &["--prod"], "").1;
    assert!(text.contains(&format!("as        {name} (user {user}, group {group}")), "{text}");
    assert!(text.contains("limits    unlimited open files, no core dumps, umask 027, no new privileges"), "{text}");
    let json = project.pmdev(["check", "--json", "--prod"]).finish().out;
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(plan.pointer("/apps/0/identity/user").map(ToString::to_string), Some(user));
}
