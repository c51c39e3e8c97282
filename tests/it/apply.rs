//! Edits of the project file and of env files while the runner runs: the plan that is told, what starts again, and what runs on untouched.

use crate::support::{
    PATIENCE, Project, Runner, Saying,
    clock::comes_true,
    processes::Process,
    words::{self, app_says, plan, prefixed},
};

/// Says who it is and what it was given, and stays.
const APP: &str = "name=${0##*/}\necho \"${name%.sh} pid=$$ port=${PORT-none} mode=${MODE-none} args=$*.\"\nexec sleep 1000000\n";

const PROJECT: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
args = \"one two\"
watch = [\"api.sh\"]
env = { PORT = \"3000\", MODE = \"fast\" }

[[apps]]
name = \"web\"
script = \"web.sh\"
watch = [\"web.sh\"]
";

/// A project whose apps `api` and `web` run.
fn project(file: &str) -> Project {
    let project = Project::empty();
    for app in ["api", "web", "new"] {
        project.script(&format!("{app}.sh"), APP);
    }
    project.save("pmdev.toml", file);
    project
}

fn start<'a>(project: &'a Project, arguments: &[&str]) -> Runner<'a> {
    project.let_stamps_pass();
    let mut runner = project.start(arguments);
    runner.wait_for(&words::watching());
    runner.wait_for(&runs("api"));
    runner.wait_for(&runs("web"));
    runner
}

fn runs(app: &str) -> Saying {
    app_says(format!("{app} pid="))
}

/// The pids of the runs of an app so far.
fn pids(runner: &Runner<'_>, app: &str) -> Vec<i32> {
    let lines = runner.lines(&runs(app)).into_iter().map(|line| line.text());
    lines
        .map(|line| {
            line.split("pid=")
                .nth(1)
                .and_then(|rest| rest.split(' ').next())
                .and_then(|pid| pid.parse().ok())
                .expect("the app prints its pid")
        })
        .collect()
}

/// One run of this app, from its beginning on, and it lives.
#[track_caller]
fn untouched(runner: &Runner<'_>, app: &str) {
    let pids = pids(runner, app);
    assert_eq!(pids.len(), 1, "{app} ran as {pids:?}");
    assert!(Process::read(pids[0]).is_some_and(|process| process.is_alive()), "{app} is gone");
}

/// The last run lives, and those before it do not.
#[track_caller]
fn only_the_last_lives(runner: &Runner<'_>, app: &str) {
    let pids = pids(runner, app);
    let alive = |pid: &i32| Process::read(*pid).is_some_and(|process| process.is_alive());
    let (last, before) = pids.split_last().expect("it ran");
    assert!(alive(last) && !before.iter().any(alive), "{app} ran as {pids:?}");
}

/// Waits until a process has ended.
#[track_caller]
fn gone(pid: i32) {
    assert!(comes_true(PATIENCE, || Process::read(pid).is_none_or(|process| !process.is_alive())), "{pid} lives");
}

#[test]
fn a_variable_changes() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", "3000", "4000");
    runner.wait_for(&plan("api: env PORT 3000 -> 4000, restart"));
    runner.wait_for(&plan("web: unchanged"));
    runner.wait_for(&prefixed("api", "port=4000 mode=fast args=one two."));
    runner.wait_for(&words::restarted_by("pmdev.toml"));
    only_the_last_lives(&runner, "api");
    untouched(&runner, "web");
}

#[test]
fn a_variable_goes_and_is_really_gone() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", ", MODE = \"fast\"", "");
    runner.wait_for(&plan("api: env MODE removed, restart"));
    runner.wait_for(&prefixed("api", "port=3000 mode=none"));
    only_the_last_lives(&runner, "api");
    untouched(&runner, "web");
}

#[test]
fn arguments_change() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", "one two", "one three");
    runner.wait_for(&plan("api: args two -> three, restart"));
    runner.wait_for(&prefixed("api", "args=one three."));
    only_the_last_lives(&runner, "api");
    untouched(&runner, "web");
}

#[test]
fn a_watch_rule_changes_without_a_restart_and_is_in_force() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", "[\"web.sh\"]", "[\"web.sh\", \"lib\"]");
    runner.wait_for(&words::refused("pmdev.toml"));
    project.save("lib/a.txt", "old");
    project.edit("pmdev.toml", "[\"web.sh\", \"lib\"]", "[\"web.sh\", \"lib/\"]");
    runner.wait_for(&plan("web: watch web.sh -> web.sh lib"));
    runner.wait_for(&plan("api: unchanged"));
    // The engine takes the new rules right after the plan was told; a save before that is found as well.
    project.save("lib/a.txt", "new");
    runner.wait_for(&words::restarted_by("lib/a.txt"));
    runner.wait_for(&runs("web"));
    assert_eq!(pids(&runner, "web").len(), 2, "the edit itself restarts nothing");
    only_the_last_lives(&runner, "web");
    untouched(&runner, "api");
}

#[test]
fn an_app_comes_and_goes() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.save("pmdev.toml", format!("{PROJECT}\n[[apps]]\nname = \"worker\"\nscript = \"new.sh\"\n"));
    for line in ["api: unchanged", "web: unchanged", "worker: added"] {
        runner.wait_for(&plan(line));
    }
    runner.wait_for(&prefixed("worker", "new pid="));
    project.save("new.sh", format!("{APP}# new\n"));
    runner.wait_for(&words::app_restarted("worker"));
    let last = *pids(&runner, "new").last().expect("it ran");
    project.save("pmdev.toml", PROJECT);
    runner.wait_for(&plan("worker: removed"));
    runner.wait_for(&words::says("worker is stopped and gone"));
    gone(last);
    untouched(&runner, "api");
    untouched(&runner, "web");
}

#[test]
fn a_new_name_is_another_app_that_waits_for_the_old_one_to_be_gone() {
    let project = project(PROJECT);
    // It takes a while to stop, and two of it at once would be seen.
    let lock = "trap 'sleep 0.3; rmdir held; exit 0' INT\nmkdir held || exit 9\necho \"api pid=$$ held.\"\nwhile :; do sleep 0.05; done\n";
    project.script("api.sh", lock);
    let mut runner = start(&project, &[]);
    let first = pids(&runner, "api")[0];
    project.edit("pmdev.toml", "name = \"api\"", "name = \"server\"");
    runner.wait_for(&plan("server: added"));
    runner.wait_for(&plan("api: removed"));
    runner.wait_for(&prefixed("server", "held."));
    gone(first);
    assert_eq!(pids(&runner, "api").len(), 2, "the script ran once under each name");
    untouched(&runner, "web");
}

#[test]
fn a_broken_file_changes_nothing_until_it_is_right_again() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", "[[apps]]\nname = \"api\"", "[[apps]\nname = \"api\"");
    runner.wait_for(&words::refused("pmdev.toml"));
    runner.wait_for(&words::says("pmdev.toml:1"));
    // What is right in form, and wrong in what it says.
    project.save("pmdev.toml", PROJECT.replace("\"one two\"", "7").replace("web.sh\"\nwatch", "nowhere.sh\"\nwatch"));
    runner.wait_for(&words::refused("pmdev.toml"));
    untouched(&runner, "api");
    untouched(&runner, "web");
    project.save("pmdev.toml", PROJECT.replace("3000", "5000"));
    runner.wait_for(&plan("api: env PORT 3000 -> 5000, restart"));
    runner.wait_for(&prefixed("api", "port=5000"));
    untouched(&runner, "web");
}

#[test]
fn an_env_file_is_edited() {
    let project = project(&PROJECT.replace("[\"web.sh\"]", "[\"web.sh\", \"web.env\"]\nenv_file = \"web.env\""));
    project.save("web.env", "MODE=slow\nAPI_KEY=one\n");
    let mut runner = start(&project, &[]);
    project.save("web.env", "MODE=slower\nAPI_KEY=two\n");
    runner.wait_for(&plan("web: env API_KEY changed, env MODE slow -> slower, restart"));
    runner.wait_for(&plan("api: unchanged"));
    runner.wait_for(&prefixed("web", "mode=slower"));
    runner.wait_for(&words::restarted_by("web.env"));
    project.save("web.env", "this is no line\n");
    runner.wait_for(&words::refused("web.env"));
    project.save("web.env", "PORT=1\n");
    runner.wait_for(&plan("web: env PORT added (1), env API_KEY removed, env MODE removed, restart"));
    runner.wait_for(&prefixed("web", "port=1 mode=none"));
    assert_eq!(pids(&runner, "web").len(), 3, "an env file is in no change set");
    only_the_last_lives(&runner, "web");
    untouched(&runner, "api");
}

#[test]
fn an_env_file_of_the_command_line_is_edited() {
    let project = project(PROJECT);
    project.save("some.env", "MODE=slow\n");
    let mut runner = start(&project, &["api.sh", "web.sh", "--env-file", "some.env"]);
    // At once, so that nobody reads a file that is only half written.
    for text in ["MODE=slow\n", "PORT=1\n"] {
        project.save("some.env.new", text);
        std::fs::rename(project.path("some.env.new"), project.path("some.env")).expect("the project can be written");
    }
    runner.wait_for(&plan("api: env PORT added (1), env MODE removed, restart"));
    runner.wait_for(&plan("web: env PORT added (1), env MODE removed, restart"));
    runner.wait_for(&prefixed("api", "port=1 mode=none"));
    runner.wait_for(&prefixed("web", "port=1 mode=none"));
    runner.wait_for(&words::restarted_by("some.env"));
    runner.wait_for(&words::restarted_by("some.env"));
    assert_eq!((pids(&runner, "api").len(), pids(&runner, "web").len()), (2, 2));
}

#[test]
fn a_restart_policy_takes_effect_without_a_restart() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.edit("pmdev.toml", "script = \"api.sh\"", "script = \"api.sh\"\nautorestart = true\nrestart_delay = 50");
    runner.wait_for(&plan("api: restart off -> after 50 ms"));
    untouched(&runner, "api");
    let pid = pids(&runner, "api")[0];
    crate::support::processes::send(pid, rustix::process::Signal::KILL);
    runner.wait_for(&words::says("api crashed (SIGKILL), starting again in 50 ms"));
    assert!(comes_true(PATIENCE, || pids(&runner, "api").len() == 2), "it is started again by itself");
    untouched(&runner, "web");
}

#[test]
fn two_edits_at_once_are_both_carried_out() {
    let project = project(PROJECT);
    let mut runner = start(&project, &[]);
    project.save("pmdev.toml", PROJECT.replace("3000", "3001"));
    project.save("pmdev.toml", PROJECT.replace("3000", "3002").replace("\"web.sh\"\nwatch", "\"web.sh\"\nargs = \"three\"\nwatch"));
    runner.wait_for(&prefixed("api", "port=3002"));
    runner.wait_for(&prefixed("web", "args=three."));
    runner.wait_for(&plan("web: args none -> three, restart"));
    assert_eq!(pids(&runner, "web").len(), 2);
    only_the_last_lives(&runner, "api");
}

#[test]
fn the_same_bytes_and_another_comment_are_nothing() {
    let project = project(PROJECT);
    let mut runner = start(&project, &["--explain"]);
    project.save("pmdev.toml", PROJECT);
    runner.wait_for(&words::says("pmdev.toml was saved with the bytes it had"));
    project.save("pmdev.toml", format!("# nothing new\n{PROJECT}"));
    runner.wait_for(&plan("pmdev.toml was read again: nothing changes"));
    project.edit("pmdev.toml", "3000", "4000");
    runner.wait_for(&plan("api: env PORT 3000 -> 4000, restart"));
    runner.wait_for(&prefixed("api", "port=4000"));
    assert_eq!(runner.count(&plan("web: unchanged")), 1, "one plan was told");
    untouched(&runner, "web");
}

#[test]
fn a_file_in_javascript_is_read_by_a_child_and_holds_nobody_up() {
    if !crate::support::programs::have(&["node"]) {
        return;
    }
    let project = project(PROJECT);
    std::fs::remove_file(project.path("pmdev.toml")).expect("it was just written");
    let file = |port: u32, before: &str| {
        format!(
            "{before}\nmodule.exports = {{ apps: [\n  {{ name: 'api', script: 'api.sh', watch: ['api.sh'], env: {{ PORT: {port} }} }},\n  \
             {{ name: 'web', script: 'web.sh', watch: ['web.sh'] }},\n] }};\n"
        )
    };
    project.save("pmdev.config.js", file(1, ""));
    let mut runner = start(&project, &["--explain"]);
    // While one reading hangs, a save of an app restarts it, and a newer edit is read as soon as that is over.
    project.save("pmdev.config.js", file(2, "require('fs').writeFileSync('reading', ''); while (require('fs').existsSync('reading'));"));
    assert!(comes_true(PATIENCE, || project.path("reading").exists()), "the file is read");
    project.save("web.sh", format!("{APP}# new\n"));
    runner.wait_for(&words::restarted_by("web.sh"));
    runner.wait_for(&words::says("what shall run was edited: pmdev.config.js"));
    project.save("pmdev.config.js", file(3, ""));
    runner.wait_for(&words::says("what shall run was edited: pmdev.config.js"));
    std::fs::remove_file(project.path("reading")).expect("it was seen");
    runner.wait_for(&plan("api: env PORT 1 -> 3, restart"));
    runner.wait_for(&prefixed("api", "port=3"));
    project.save("pmdev.config.js", "throw new Error('not today')");
    runner.wait_for(&words::refused("pmdev.config.js"));
    runner.wait_for(&words::says("not today"));
    only_the_last_lives(&runner, "api");
    assert_eq!((pids(&runner, "api").len(), pids(&runner, "web").len()), (2, 2));
}

#[test]
fn what_is_doubtful_is_told_once() {
    let doubtful = PROJECT.replace("args = \"one two\"", "args = \"one two\"\ncolour = 1");
    let project = project(&doubtful);
    let mut runner = start(&project, &[]);
    runner.wait_for(&words::says("colour is no key that pmdev knows"));
    project.save(
        "pmdev.toml",
        format!("# moved by a line\n{}", doubtful.replace("3000", "4000").replace("script = \"web.sh\"", "script = \"web.sh\"\ncolor = 2")),
    );
    runner.wait_for(&words::says("color is no key that pmdev knows"));
    runner.wait_for(&plan("api: env PORT 3000 -> 4000, restart"));
    let many: String = (0..9).map(|nth| format!("other{nth} = 1\n")).collect();
    project.save("pmdev.toml", doubtful.replace("watch = [\"web.sh\"]\n", &format!("watch = [\"web.sh\"]\n{many}")));
    runner.wait_for(&words::says("and 4 more: pmdev check"));
    runner.wait_for(&plan("api: env PORT 4000 -> 3000, restart"));
    let count = |text: &str| runner.count(&words::says(text));
    assert_eq!((count("colour is no key"), count("color is no key"), count("other4 is no key"), count("other5 is no key")), (1, 1, 1, 0));
}
