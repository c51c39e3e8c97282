//! The stages between our fork and the program.

use std::fs;

use serde_json::{Value, json};

use super::{nobody, open, project, value};
use crate::support::{Project, programs};

/// Runs the app to its end; what it printed.
#[track_caller]
fn run(project: &Project, wrapper: &[&str], flags: &[&str]) -> String {
    let ending = project.pmdev([&["start", "--no-watch", "--raw"], flags].concat()).wrapped(wrapper).finish();
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    ending.out
}

#[test]
fn an_app_becomes_the_user_with_its_groups_home_and_pipes() {
    let Some((name, user, group)) = nobody() else { return };
    let project = project(json!({ "uid": name }));
    // Groups of the runner that are not the user's.
    let out = run(&project, &["setpriv", "--groups=4,24"], &[]);
    assert_eq!(value(&out, "uid"), [user.as_str(); 4].join(" "));
    assert_eq!(value(&out, "gid"), [group.as_str(); 4].join(" "));
    let groups = project.run("id", &["-G", name]);
    assert_eq!(value(&out, "groups"), groups.trim());
    let home = project.run("sh", &["-c", "grep ^nobody: /etc/passwd | cut -d: -f6"]);
    assert_eq!(value(&out, "home"), format!("{} user={name} logname={name}", home.trim()));
    assert_eq!(value(&out, "reopened"), "yes", "/dev/stdout is the user's own");
    assert!(!out.contains("env:XDG_"), "nothing leads into the runner's home: {out}");
}

#[test]
fn a_number_needs_no_name_but_a_group() {
    if !crate::process::can_become_others() {
        return;
    }
    let project = project(json!({ "uid": 54321, "gid": 4321, "env": { "HOME": "/srv" } }));
    let out = run(&project, &[], &[]);
    assert_eq!(value(&out, "uid"), ["54321"; 4].join(" "));
    assert_eq!(value(&out, "gid"), ["4321"; 4].join(" "));
    assert_eq!(value(&out, "groups"), "4321");
    assert_eq!(value(&out, "home"), "/srv user=54321 logname=54321", "what the file says of HOME stands");
}

#[test]
fn limits_are_those_of_the_file() {
    let limits = json!({ "nofile": 123, "nproc": 777, "core": "1M", "nice": 7, "oom_score_adj": 321, "no_new_privs": true });
    let project = project(json!({ "limits": limits, "umask": "037" }));
    let out = run(&project, &[], &[]);
    assert_eq!(value(&out, "nofile"), "123 123");
    assert_eq!(value(&out, "nproc"), "777 777");
    assert_eq!(value(&out, "core"), "1048576 1048576");
    assert_eq!(value(&out, "nice"), "7");
    assert_eq!(value(&out, "oom_score_adj"), "321");
    assert_eq!(value(&out, "no_new_privs"), "1");
    assert!(value(&out, "umask").ends_with("037"), "{out}");
}

#[test]
fn what_pmdev_was_started_with_is_an_apps_only_where_its_file_says_so() {
    let project = project(json!({}));
    let shell = ["sh", "-c", "exec 7</etc/passwd; exec \"$@\"", "sh"];
    let inherited = |profile: &str| {
        let out = run(&project, &shell, &["--profile", profile]);
        value(&out, "descriptors").split(' ').any(|number| number == "7")
    };
    assert!(!inherited("dev") && !inherited("prod"));
    super::declare(&project, json!({ "limits": { "inherit_fds": true } }));
    assert!(inherited("dev") && inherited("prod"));
    // The launcher's own are closed all the same, and nothing has to be where the kernel cannot do it.
    let descriptors = run(&project, &[programs::misbehave().to_str().expect("UTF-8"), "--refuse", "close_range"], &[]);
    assert_eq!(value(&descriptors, "descriptors"), value(&run(&project, &[], &[]), "descriptors"));
}

#[test]
fn production_has_limits_of_its_own_and_each_has_a_key() {
    if !programs::have(&["prlimit"]) {
        return;
    }
    let project = project(json!({}));
    let facts = |out: &str| ["core", "umask", "no_new_privs"].map(|name| value(out, name).trim_start_matches('0').to_owned());
    let [core, umask, privileges] = facts(&run(&project, &["prlimit", "--core=0:4096"], &["--prod"]));
    assert_eq!((core.as_str(), umask.as_str(), privileges.as_str()), (" 0", "27", "1"));
    let [.., privileges] = facts(&run(&project, &[], &[]));
    assert_eq!(privileges, "", "dev takes nothing away");
    let off = json!({ "limits": { "core": "unlimited", "no_new_privs": false }, "umask": "022" });
    super::declare(&project, off);
    // Without the right to raise it, unlimited is what the hard limit lets be.
    let bounded = ["prlimit", "--core=0:4096", "setpriv", "--bounding-set=-sys_resource", "--inh-caps=-all"];
    if crate::process::can_become_others() {
        let [core, umask, privileges] = facts(&run(&project, &bounded, &["--prod"]));
        assert_eq!((core.as_str(), umask.as_str(), privileges.as_str()), ("4096 4096", "22", ""));
    }
}

#[test]
fn a_build_runs_as_the_user_of_its_app() {
    let Some((name, user, _)) = nobody() else { return };
    let project = project(json!({ "uid": name, "limits": { "nofile": 200 }, "build": "sh -c 'id -u; ulimit -n'" }));
    let out = project.pmdev(["start", "--no-watch", "--raw"]).wrapped(&["prlimit", "--nofile=500:500"]).finish().out;
    let at = out.lines().position(|line| line.trim() == user).unwrap_or_else(|| panic!("the build said no user:\n{out}"));
    assert_eq!(out.lines().nth(at + 1).map(str::trim), Some("500"), "the limits of an app are not those of its build");
    assert_eq!(value(&out, "nofile"), "200 200");
}

/// A runner without a right.
fn without(right: &'static str) -> Vec<&'static str> {
    vec!["setpriv", right, "--inh-caps=-all"]
}

/// Fails to start, with these words about the stage.
#[track_caller]
fn fails(wrapper: &[&str], keys: Value, words: &str) {
    refuses(&project(keys), wrapper, words);
}

#[track_caller]
fn refuses(project: &Project, wrapper: &[&str], words: &str) {
    let ending = project.pmdev(["start", "--no-watch"]).wrapped(wrapper).finish();
    let told = format!("app could not be started ({words})");
    assert!(ending.all().contains(&told), "not {told}: {}", ending.all());
    assert!(ending.code.is_some_and(|code| code != 0), "{:?}", ending.code);
    project.nothing_alive(crate::support::PATIENCE, "a failed start");
}

#[test]
fn each_stage_that_fails_is_named() {
    let Some((name, user, group)) = nobody() else { return };
    let nr_open = fs::read_to_string("/proc/sys/fs/nr_open").expect("it is there").trim().parse::<u32>().expect("a number");
    let bounded = |resource: &'static str| [vec!["prlimit", resource], without("--bounding-set=-sys_resource")].concat();
    let nofile = nr_open.saturating_add(1);
    fails(
        &["prlimit", "--nofile=1000:2000"],
        json!({ "limits": { "nofile": nofile } }),
        &format!("limiting open files to {nofile} (the hard limit is 2000): Operation not permitted"),
    );
    fails(
        &bounded("--core=0:0"),
        json!({ "limits": { "core": "1M" } }),
        "limiting core dumps to 1048576 (the hard limit is 0): Operation not permitted",
    );
    fails(&without("--bounding-set=-sys_nice"), json!({ "limits": { "nice": -5 } }), "setting the niceness to -5: Permission denied");
    fails(
        &without("--bounding-set=-sys_resource"),
        json!({ "limits": { "oom_score_adj": -500 } }),
        "setting oom_score_adj to -500: Permission denied",
    );
    fails(
        &without("--bounding-set=-setgid"),
        json!({ "uid": name, "gid": 4321 }),
        &format!("joining the groups 4321 of {name}: Operation not permitted"),
    );
    let same_groups = format!("--groups={group}");
    fails(
        &[vec!["setpriv", same_groups.as_str()], without("--bounding-set=-setgid")].concat(),
        json!({ "uid": name }),
        &format!("becoming group {group}: Operation not permitted"),
    );
    fails(&without("--bounding-set=-setuid"), json!({ "uid": name }), &format!("becoming user {user} ({name}): Operation not permitted"));
    fails(
        &["prlimit", "--nproc=500:500"],
        json!({ "uid": name, "limits": { "nproc": 5000 } }),
        "limiting the processes of its user to 5000 (the hard limit is 500): Operation not permitted",
    );
}

#[test]
fn what_the_kernel_refuses_a_launcher_is_named() {
    let misbehave = programs::misbehave().display().to_string();
    for (what, keys, words) in [
        ("setsid", json!({}), "making a session: Operation not permitted"),
        ("close_range", json!({}), "closing what pmdev was started with: Operation not permitted"),
        ("no_new_privs", json!({ "limits": { "no_new_privs": true } }), "giving up new privileges: Operation not permitted"),
        ("parent_death", json!({}), "tying it to the runner: Operation not permitted"),
        ("signals", json!({}), "resetting signals: Operation not permitted"),
    ] {
        fails(&[&misbehave, "--refuse", what], keys, words);
    }
}

#[test]
fn the_folder_and_the_program_are_those_the_user_can_reach() {
    let Some((name, ..)) = nobody() else { return };
    let project = project(json!({ "uid": name, "cwd": "private", "script": "../rights.sh" }));
    project.save("private/file", "");
    super::declare(&project, json!({ "uid": name, "cwd": "private", "script": "../rights.sh" }));
    open(&project.path("private"), 0o700);
    let folder = project.path("private").display().to_string();
    refuses(&project, &[], &format!("changing directory {folder}: Permission denied"));
    super::declare(&project, json!({ "uid": name }));
    open(&project.path("rights.sh"), 0o700);
    let program = project.path("rights.sh").display().to_string();
    refuses(&project, &[], &format!("executing {program}: Permission denied"));
}

#[test]
fn a_user_without_a_number_in_our_namespace_is_told_at_the_descriptors() {
    if !programs::have(&["unshare"]) {
        return;
    }
    let project = project(json!({ "uid": 54321, "gid": 54321 }));
    if let Err(why) = project.try_run("unshare", &["-Ur", "true"]) {
        programs::skip(&format!("no user namespaces here: {why}"));
        return;
    }
    refuses(&project, &["unshare", "-Ur"], "connecting the descriptors of user 54321: Invalid argument");
    // Its own groups it has already; in such a namespace nobody may set any.
    super::declare(&project, json!({ "uid": "root" }));
    let out = run(&project, &["unshare", "-Ur"], &[]);
    assert_eq!(value(&out, "uid"), "0 0 0 0");
}
