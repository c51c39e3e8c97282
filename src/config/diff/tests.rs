use std::{path::PathBuf, time::Duration};

use super::*;
use crate::model::{
    AfterExit, Backoff, Launch, RestartPolicy, Signal, StopSpec, WatchRoot, WatchSpec,
    declared::{ExecMode, Limits, Listen, Logs},
};

fn launch(words: &str, env: &[(&str, &str)]) -> Launch {
    let mut env: Vec<_> = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    env.sort();
    Launch { argv: words.split(' ').map(Into::into).collect(), cwd: PathBuf::from("/project"), env, hardening: Default::default() }
}

fn policy() -> RestartPolicy {
    RestartPolicy {
        after_exit: AfterExit::Wait,
        min_uptime: Duration::from_secs(1),
        max_restarts: Some(16),
        window: Duration::from_secs(60),
        stop_exit_codes: Vec::new(),
        stuck_blocks: false,
    }
}

fn app(name: &str) -> AppSpec {
    let stop = StopSpec::new(Signal::INT, Duration::from_secs(5));
    let spec = AppSpec::new(name, launch("node app.js", &[("PORT", "3000"), ("MODE", "dev")]), policy(), stop);
    AppSpec { watch: Some(watch(&["src"])), ..spec }
}

fn watch(roots: &[&str]) -> WatchSpec {
    let base = PathBuf::from("/project");
    WatchSpec::new(roots.iter().map(|root| WatchRoot::Tree { path: base.join(root), explicit: true }).collect(), base)
}

/// What the line of an edited app says.
fn line(edit: impl FnOnce(&mut AppSpec)) -> String {
    let (old, mut new) = (app("api"), app("api"));
    edit(&mut new);
    Plan::between([&old], [&new]).lines().remove(0).1
}

#[test]
fn what_a_process_is_born_with_costs_a_restart() {
    let env = |env: &[(&str, &str)]| {
        let launch = launch("node app.js", env);
        line(|app| app.launch = launch)
    };
    assert_eq!(env(&[("PORT", "4000"), ("MODE", "dev")]), "api: env PORT 3000 -> 4000, restart");
    assert_eq!(env(&[("PORT", "3000")]), "api: env MODE removed, restart");
    assert_eq!(env(&[("PORT", ""), ("MODE", "dev"), ("A", "b")]), "api: env A added (b), env PORT 3000 -> \"\", restart");
    assert_eq!(line(|app| app.launch.argv.push("--port".into())), "api: args none -> --port, restart");
    assert_eq!(line(|app| app.launch.argv[1] = "b.js".into()), "api: args app.js -> b.js, restart");
    assert_eq!(line(|app| app.launch.argv[0] = "bun".into()), "api: command node app.js -> bun app.js, restart");
    assert_eq!(line(|app| app.launch.cwd = "/other".into()), "api: cwd /project -> /other, restart");
    assert_eq!(line(|app| app.build = Some(launch("make", &[]))), "api: build added, restart");
    assert_eq!(line(|app| app.exec_mode = ExecMode::Cluster), "api: exec_mode changed, restart");
    assert_eq!(line(|app| app.listen.push(Listen::Unix("/s".into()))), "api: listen changed, restart");
    assert_eq!(line(|app| app.limits = Limits { nofile: Some(9), ..Limits::default() }), "api: limits changed, restart");
}

#[test]
fn what_only_the_runner_knows_does_not() {
    assert_eq!(line(|app| app.watch = Some(watch(&["src", "lib"]))), "api: watch src -> src lib");
    assert_eq!(line(|app| app.watch = None), "api: watch off");
    assert_eq!(line(|app| app.watch.iter_mut().for_each(|watch| watch.gate = false)), "api: watch options changed");
    assert_eq!(line(|app| app.watch.iter_mut().for_each(|watch| watch.ignore.push("*.log".into()))), "api: ignore_watch none -> *.log");
    assert_eq!(line(|app| app.restart.max_restarts = None), "api: max_restarts 16 -> unlimited");
    let backoff = AfterExit::Restart(Backoff::Exponential { initial: Duration::from_millis(100) });
    assert_eq!(line(|app| app.restart.after_exit = backoff), "api: restart off -> with backoff from 100 ms");
    assert_eq!(line(|app| app.stop.timeout = Duration::from_secs(1)), "api: kill_timeout 5 s -> 1 s");
    assert_eq!(line(|app| app.limits.memory_soft = Some(1 << 30)), "api: memory limit none/none -> 1024 MiB/none");
    assert_eq!(line(|app| app.logs = Logs { json: true, ..Logs::default() }), "api: logs changed");
    assert_eq!(line(|app| app.instances = 3), "api: instances 1 -> 3");
    assert_eq!(line(|app| app.missing_hint = Some("install it".to_owned())), "api: unchanged");
}

#[test]
fn secrets_are_masked_and_long_values_cut() {
    let with = |name: &str, value: &str| AppSpec { launch: launch("node", &[(name, value)]), ..app("api") };
    let line = |old: &AppSpec, new: &AppSpec| Plan::between([old], [new]).lines().remove(0).1;
    assert_eq!(line(&with("API_KEY", "one"), &with("API_KEY", "two")), "api: env API_KEY changed, restart");
    assert_eq!(line(&with("A", "one"), &with("API_KEY", "two")), "api: env API_KEY added (********), env A removed, restart");
    let (plain, url) = ("postgres://db", "postgres://me:pw@db");
    assert_eq!(line(&with("DB", url), &with("DB", plain)), "api: env DB changed, restart");
    let run = |words: &str| AppSpec { launch: launch(words, &[]), ..app("api") };
    let (one, two) = (run("node a --token one -v"), run("node a --token two"));
    assert_eq!(line(&one, &two), "api: args ******** -v -> ********, restart");
    assert_eq!(line(&run("node --token=one"), &run("node --token=two")), "api: args changed, restart");
    assert_eq!(
        line(&run("node --db pg://u:one@h"), &run("bun --db pg://u:two@h")),
        "api: command node --db pg://u:********@h -> bun --db pg://u:********@h, restart"
    );
    let long = "x\n".repeat(100);
    assert_eq!(line(&with("A", "1"), &with("A", &long)), format!("api: env A 1 -> {}…, restart", "x ".repeat(30)));
}

#[test]
fn a_change_of_the_build_names_its_variables_once() {
    let built = |port: &str, words: &str| {
        let env = [("PORT", port)];
        AppSpec { launch: launch("./api", &env), build: Some(launch(words, &env)), ..app("api") }
    };
    let line = |old: &AppSpec, new: &AppSpec| Plan::between([old], [new]).lines().remove(0).1;
    assert_eq!(line(&built("1", "make"), &built("2", "make")), "api: env PORT 1 -> 2, restart");
    assert_eq!(line(&built("1", "make"), &built("1", "make fast")), "api: build make -> make fast, restart");
}

#[test]
fn apps_are_the_same_where_their_names_are() {
    let [api, web, old, new] = ["api", "web", "old", "new"].map(app);
    let changed = AppSpec { instances: 2, ..api.clone() };
    let plan = Plan::between([&api, &web, &old], [&new, &web, &changed]);
    let lines: Vec<_> = plan.lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["new: added", "web: unchanged", "api: instances 1 -> 2", "old: removed"]);
    assert!(!plan.is_empty());
    assert!(Plan::between([&api, &web], [&web, &api]).is_empty());
}

#[test]
fn many_unchanged_apps_are_one_line() {
    let apps: Vec<_> = (0..12).map(|number| app(&number.to_string())).collect();
    let plan = Plan::between(&apps, apps.iter().skip(1));
    assert_eq!(plan.lines(), [(Some("0"), "0: removed".to_owned()), (None, "11 apps: unchanged".to_owned())]);
}
