//! Runs `fixtures/scenarios/*.toml`: each a story with its expected timeline. A new bug is a new file.
//!
//! `PMDEV_WRITE_SCENARIOS=1 cargo test scenarios` writes the timelines that came out into the files, to be read before they are committed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;

use super::specs::App;
use crate::{
    model::{Cause, ChangeKind, ChangeSet, InstanceId, InstanceSnapshot, RunId, Status},
    supervisor::{
        Event, Request, ShutdownCause, Target,
        sim::{Change, Sim},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    title: String,
    /// Lines of a time in milliseconds and what happens then.
    story: String,
    #[serde(rename = "app")]
    apps: Vec<App>,
    /// What edits of the project file bring, by name; of several with one name, each the next.
    #[serde(default)]
    later: Vec<App>,
    #[serde(default)]
    expect: Expect,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Expect {
    timeline: String,
}

const OPENING: &str = "\n[expect]\ntimeline = \"\"\"\n";

#[test]
fn every_story_has_its_timeline() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 30, "{} holds {} scenarios", folder.display(), files.len());
    let wrong: Vec<_> = files.iter().filter_map(|file| check(file).err()).collect();
    assert!(wrong.is_empty(), "{} of {} stories went otherwise:\n\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

fn check(file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).unwrap();
    let scenario: Scenario = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let got = play(&scenario, file);
    if got == scenario.expect.timeline {
        return Ok(());
    }
    if std::env::var_os("PMDEV_WRITE_SCENARIOS").is_some() {
        let head = text.split(OPENING).next().unwrap();
        fs::write(file, format!("{}{OPENING}{got}\"\"\"\n", head.trim_end_matches('\n').to_owned() + "\n")).unwrap();
        return Ok(());
    }
    Err(format!("--- {}: {}\n{}", file.display(), scenario.title, differences(&scenario.expect.timeline, &got)))
}

fn differences(expected: &str, got: &str) -> String {
    let same = expected.lines().zip(got.lines()).take_while(|(expected, got)| expected == got).count();
    let rest = |text: &str, mark: &str| text.lines().skip(same).map(|line| format!("{mark} {line}\n")).collect::<String>();
    let before: String = got.lines().take(same).map(|line| format!("  {line}\n")).collect();
    format!("{before}{}{}", rest(expected, "-"), rest(got, "+"))
}

fn play(scenario: &Scenario, file: &Path) -> String {
    let apps = scenario.apps.iter().map(|app| (app.spec(), app.cast())).collect();
    let mut sim = Sim::new(7, apps);
    let epoch = sim.now;
    let mut suspended = Duration::ZERO;
    let mut later = scenario.later.clone();
    for line in scenario.story.lines().filter(|line| !line.trim().is_empty()) {
        let (at, what) = line.trim().split_once(' ').unwrap_or_else(|| panic!("{}: {line}", file.display()));
        let at = Duration::from_millis(at.parse().unwrap_or_else(|_| panic!("{}: {line}", file.display())));
        sim.run_until(epoch + at + suspended);
        suspended += happens(&mut sim, what.trim(), &mut later);
    }
    assert!(sim.run_dry(Duration::from_secs(600)), "{}: it goes on for ever", file.display());
    sim.timeline.to_string()
}

/// What a line of a story means; how long the clock stood still.
fn happens(sim: &mut Sim, what: &str, later: &mut Vec<App>) -> Duration {
    let words: Vec<_> = what.split_whitespace().collect();
    let event = match words[..] {
        ["begin", "staying"] => {
            sim.supervisor = sim.supervisor.clone().staying();
            Event::Begin { apps: sim.specs() }
        }
        ["begin"] => Event::Begin { apps: sim.specs() },
        ["changing", app, path] => Event::FilesChanging { app: sim.app(app), path: absolute(path) },
        ["changed", app, rules, ref paths @ ..] if rules.starts_with('@') => {
            Event::FilesChanged { app: sim.app(app), changes: changes(sim, paths, rules) }
        }
        ["changed", app, ref paths @ ..] => Event::FilesChanged { app: sim.app(app), changes: changes(sim, paths, "@+") },
        ["memory", run, mib] => {
            Event::Memory { run: run_of(sim, run), bytes: mib.parse::<u64>().unwrap_or_else(|_| panic!("{mib}")) << 20 }
        }
        ["alive", run] => Event::Health { run: run_of(sim, run), check: None, answer: Ok(()) },
        ["cron", app] => Event::Cron { app: sim.app(app) },
        ["probe", app, path] => Event::Probe { app: sim.app(app), path: absolute(path) },
        ["probe-over", app] => Event::ProbeOver { app: sim.app(app) },
        ["rs"] => Event::Request(Request::Restart(Target::All)),
        ["start", ref names @ ..] => Event::Request(Request::Start(targets(sim, names))),
        ["stop", ref names @ ..] => Event::Request(Request::Stop(targets(sim, names))),
        ["restart", ref names @ ..] => Event::Request(Request::Restart(targets(sim, names))),
        ["reload", ref names @ ..] => Event::Request(Request::Reload(targets(sim, names))),
        ["reset", ref names @ ..] => Event::Request(Request::Reset(targets(sim, names))),
        ["signal", signal, ref names @ ..] => Event::Request(Request::Signal(targets(sim, names), signal.parse().unwrap())),
        ["r", name] => Event::Request(Request::Restart(Target::Name(name.to_owned()))),
        ["p"] => Event::Request(Request::TogglePause),
        ["q"] => Event::Shutdown(ShutdownCause::Key),
        ["hangup"] => Event::Shutdown(ShutdownCause::Terminal),
        ["force", code] => Event::ForceShutdown { code: code.parse().unwrap() },
        ["suspended", time, "ms"] => {
            let time = Duration::from_millis(time.parse().unwrap());
            sim.suspend(time);
            return time;
        }
        ["apply", ..] => {
            let edits = what.trim_start_matches("apply ").split(", ").map(|words| edit(sim, words, later)).collect();
            sim.apply(edits);
            return Duration::ZERO;
        }
        ["why", app] => {
            let explanation = sim.supervisor.explain(&Target::Name(app.to_owned()), sim.now);
            for app in &explanation.apps {
                for line in app.states.iter().chain(&app.starts).chain(&app.waits) {
                    sim.timeline.line(sim.now, format!("why: {line}"));
                }
            }
            return Duration::ZERO;
        }
        ["list"] => {
            for app in sim.supervisor.snapshot(sim.now).apps {
                let why = |one: &InstanceSnapshot| match (one.status, &one.why) {
                    (Status::Errored, Some(why)) => format!(" because {why}"),
                    _ => String::new(),
                };
                let states: Vec<_> =
                    app.instances.iter().map(|one| format!("{}{}, {} restarts", one.status, why(one), one.restarts)).collect();
                sim.timeline.line(sim.now, format!("list: {} is {}", app.name, states.join("; ")));
            }
            return Duration::ZERO;
        }
        [signal] if signal.starts_with("SIG") => Event::Shutdown(ShutdownCause::Signal(signal.parse().unwrap())),
        _ => panic!("{what:?} is nothing that can happen"),
    };
    sim.tell(event);
    Duration::ZERO
}

/// An edit: `add web`, `change api` (without a restart), `restart api` (with one), `remove api`.
fn edit(sim: &Sim, words: &str, later: &mut Vec<App>) -> Change {
    let (what, name) = words.split_once(' ').unwrap_or_else(|| panic!("{words:?} is no edit"));
    let mut next = || {
        let index = later.iter().position(|app| app.name == name).unwrap_or_else(|| panic!("no later {name} is left"));
        later.remove(index)
    };
    match what {
        "add" => {
            let app = next();
            Change::Add(app.spec(), app.cast())
        }
        "change" => Change::Spec(sim.app(name), next().spec(), false),
        "restart" => Change::Spec(sim.app(name), next().spec(), true),
        "remove" => Change::Remove(sim.app(name)),
        _ => panic!("{words:?} is no edit"),
    }
}

/// Instances by name and slot, `api:1`, or apps by name.
fn targets(sim: &Sim, names: &[&str]) -> Target {
    let ids = names.iter().flat_map(|name| match name.split_once(':') {
        Some((app, slot)) => vec![InstanceId { app: sim.app(app), slot: slot.parse().unwrap() }],
        None => {
            let app = sim.app(name);
            (0..sim.specs()[app.0 as usize].instances).map(|slot| InstanceId { app, slot }).collect()
        }
    });
    Target::Instances(ids.collect())
}

/// A run that lives, by its name in the timeline: `api#3`.
fn run_of(sim: &Sim, name: &str) -> RunId {
    let found = sim.children().iter().find(|(_, child)| child.name == name);
    *found.unwrap_or_else(|| panic!("{name} was never spawned")).0
}

/// A change set as the watch engine makes it: its last event came 10 ms ago. `rules`: which rules match, and `+` where a path matches none,
/// as in `@0,2+`.
fn changes(sim: &Sim, paths: &[&str], rules: &str) -> Arc<ChangeSet> {
    let rules = rules.trim_start_matches('@');
    let unmatched = rules.ends_with('+');
    let matched = rules.trim_end_matches('+').split(',').filter_map(|rule| rule.parse().ok()).collect();
    let last = sim.now.checked_sub(Duration::from_millis(10)).unwrap();
    let shown = match paths {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    };
    let cause = if paths.is_empty() { Cause::Rescan } else { Cause::Files };
    let paths: Vec<_> = paths.iter().map(|path| (absolute(path), ChangeKind::Written)).collect();
    Arc::new(ChangeSet { total: paths.len(), paths, first: last, last, cause, matched, unmatched, shown })
}

fn absolute(path: &str) -> PathBuf {
    Path::new("/project").join(path)
}
