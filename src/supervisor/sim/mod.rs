//! A world for the supervisor: a virtual clock, and scripted children that behave badly.
//! It performs effects by the book, checks after every event what no event may break, and knows nothing of what is decided and why.
//! Read [`child`] for what children can do, `timeline` for what is printed when a test fails.

pub mod child;
mod oracle;
mod policy;
mod timeline;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Edit, Effect, Event, Role, Supervisor};
use crate::model::{AppId, AppSpec, InstanceId, RunId, Signal};
use child::{Act, Child, Script};
use oracle::Oracle;
pub use policy::Asked;
pub use timeline::Timeline;

/// What the children of one app do, run by run; the last script is that of all later ones.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    pub runs: Vec<Script>,
    pub builds: Vec<Script>,
    pub commands: Vec<Script>,
}

/// Whose scripts a run plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    App,
    Build,
    Command,
}

fn part(role: Role) -> Part {
    match role {
        Role::App => Part::App,
        Role::Build => Part::Build,
        Role::Rule(_) => Part::Command,
    }
}

/// An edit of what shall run.
#[derive(Debug, Clone)]
pub enum Change {
    Add(AppSpec, Cast),
    /// Another spec for an app, with or without a restart.
    Spec(AppId, AppSpec, bool),
    Remove(AppId),
}

/// More events than any test needs: a world that comes to no rest is a failure, not a test that hangs.
const MOST: u32 = 20_000;

/// A supervisor in its world.
pub struct Sim {
    pub supervisor: Supervisor,
    pub now: Instant,
    pub timeline: Timeline,
    /// The exit code, once the runner has ended.
    pub ended: Option<u8>,
    apps: Vec<(Arc<AppSpec>, Cast)>,
    used: HashMap<(AppId, Part), usize>,
    children: HashMap<RunId, Child>,
    queue: BTreeMap<(Instant, u64), (RunId, Act)>,
    queued: u64,
    told: u32,
    oracle: Oracle,
}

impl Sim {
    #[expect(clippy::disallowed_methods, reason = "virtual time has to count from some instant, and there is no other way to get one")]
    pub fn new(seed: u64, apps: Vec<(AppSpec, Cast)>) -> Self {
        let now = Instant::now();
        Self {
            supervisor: Supervisor::new(seed),
            now,
            timeline: Timeline::new(now),
            ended: None,
            apps: apps.into_iter().map(|(spec, cast)| (Arc::new(spec), cast)).collect(),
            used: HashMap::new(),
            children: HashMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            told: 0,
            oracle: Oracle::default(),
        }
    }

    pub fn begin(&mut self) {
        let apps = self.specs();
        self.tell(Event::Begin { apps });
    }

    pub fn specs(&self) -> Vec<Arc<AppSpec>> {
        self.apps.iter().map(|(spec, _)| Arc::clone(spec)).collect()
    }

    /// Hands an event to the supervisor and performs what it answers.
    pub fn tell(&mut self, event: Event) {
        self.told += 1;
        assert!(self.told < MOST, "{MOST} events, and no end of them");
        self.timeline.event(self.now, &event, &self.apps, &self.children);
        self.oracle.before(&event, self.now);
        let effects = self.supervisor.handle(self.now, event);
        for effect in effects {
            self.timeline.effect(self.now, &effect, &self.apps, &self.children);
            self.oracle.effect(&effect, self.now, &self.children);
            self.perform(effect);
        }
        self.oracle.after(&self.supervisor, self.now, self.ended);
    }

    /// What shall run is edited.
    pub fn apply(&mut self, changes: Vec<Change>) {
        let edits = changes.into_iter().map(|change| match change {
            Change::Add(spec, cast) => {
                let (app, spec) = (id(self.apps.len()), Arc::new(spec));
                self.apps.push((Arc::clone(&spec), cast));
                Edit::Add { app, spec }
            }
            Change::Spec(app, spec, restart) => {
                let spec = Arc::new(spec);
                self.apps[app.0 as usize].0 = Arc::clone(&spec);
                Edit::Change { app, spec, restart }
            }
            Change::Remove(app) => Edit::Remove { app },
        });
        let edits = edits.collect();
        self.tell(Event::Apply { edits, shown: "pmdev.toml".to_owned() });
    }

    /// Lets time pass until then; whatever is due meanwhile happens.
    pub fn run_until(&mut self, then: Instant) {
        while let Some(next) = self.next().filter(|next| *next <= then) {
            self.happen(next);
        }
        self.now = self.now.max(then);
    }

    /// Lets time pass until nothing is due any more, at most for so long; false: something still is.
    pub fn run_dry(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        while let Some(next) = self.next() {
            if next > end {
                return false;
            }
            self.happen(next);
        }
        true
    }

    /// Everything but the clock stops for so long, as by Ctrl-Z.
    pub fn suspend(&mut self, time: Duration) {
        self.now += time;
        self.queue = std::mem::take(&mut self.queue).into_iter().map(|((at, order), what)| ((at + time, order), what)).collect();
        self.oracle.shift(time);
        self.tell(Event::Continued { stopped_for: time });
    }

    pub fn app(&self, name: &str) -> AppId {
        id(self.apps.iter().rposition(|(spec, _)| spec.name == name).unwrap_or_else(|| panic!("no app is called {name}")))
    }

    pub fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// How many events it was told.
    pub fn told(&self) -> u32 {
        self.told
    }

    pub fn children(&self) -> &HashMap<RunId, Child> {
        &self.children
    }

    fn next(&self) -> Option<Instant> {
        let act = self.queue.keys().next().map(|(at, _)| *at);
        let deadline = self.supervisor.next_deadline();
        act.into_iter().chain(deadline).min()
    }

    fn happen(&mut self, at: Instant) {
        self.now = self.now.max(at);
        match self.queue.first_key_value() {
            Some(((due, _), _)) if *due <= at => {
                let (_, (run, act)) = self.queue.pop_first().expect("it was there");
                self.act(run, act);
            }
            _ => self.tell(Event::Deadline),
        }
    }

    fn act(&mut self, run: RunId, act: Act) {
        let Some(child) = self.children.get_mut(&run) else { return };
        match act {
            Act::Executes if child.main => {
                child.executes = true;
                child.began = Some(self.now);
                let ends = child.ends();
                self.tell(Event::Spawned { run, pid: pid(run) });
                self.later(run, ends);
            }
            Act::FailsToExecute if child.main => {
                (child.main, child.rest) = (false, false);
                let failure = child.failure().expect("its script says how it fails");
                self.tell(Event::SpawnFailed { run, failure });
            }
            Act::MainEnds(exit) if child.main => {
                child.main = false;
                let (empty, oom) = (!child.rest, child.script.oom);
                self.tell(Event::MainExited { run, exit, oom });
                if empty {
                    self.tell(Event::SetEmpty { run });
                }
            }
            Act::RestEnds if child.rest => {
                child.rest = false;
                if !child.main {
                    self.tell(Event::SetEmpty { run });
                }
            }
            Act::SaysReady if child.main => self.tell(Event::Ready { run }),
            Act::Drains if child.main => self.tell(Event::Drained { run }),
            Act::Answers(check) if child.main => {
                let answer = child.answer(self.now);
                self.tell(Event::Health { run, check: Some(check), answer });
            }
            Act::Executes | Act::FailsToExecute | Act::SaysReady | Act::Drains | Act::Answers(_) | Act::MainEnds(_) | Act::RestEnds => {}
        }
    }

    fn later(&mut self, run: RunId, acts: impl IntoIterator<Item = (u64, Act)>) {
        for (after, act) in acts {
            self.queued += 1;
            self.queue.insert((self.now + Duration::from_millis(after), self.queued), (run, act));
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn { run, instance, role, .. } => {
                let child = Child::new(self.script(instance, role), self.name(run, instance, role));
                self.later(run, [child.begins()]);
                self.children.insert(run, child);
            }
            Effect::Signal { run, signal } | Effect::ShutdownMessage { run, signal } => self.signal(run, signal),
            // What takes it for a hint goes on, as with HUP and QUIT.
            Effect::SignalMain { signal: Signal::HUP | Signal::QUIT, .. } => {}
            Effect::SignalMain { run, signal } => self.signal_main(run, signal),
            Effect::AwaitReady { run, .. } => {
                let after = self.children.get(&run).and_then(|child| u64::try_from(child.script.ready_ms).ok());
                self.later(run, after.map(|after| (after, Act::SaysReady)));
            }
            Effect::Drain { run, .. } => {
                let after = self.children.get(&run).and_then(|child| u64::try_from(child.script.drain_ms).ok());
                self.later(run, after.map(|after| (after, Act::Drains)));
            }
            Effect::CheckHealth { run, check, .. } => {
                let mute = self.children.get(&run).is_none_or(|child| child.script.mute);
                self.later(run, (!mute).then_some((1, Act::Answers(check))));
            }
            Effect::Kill { run } => self.signal(run, Signal::KILL),
            Effect::ReportStuck { run, .. } => {
                if let Some(child) = self.children.get_mut(&run) {
                    child.stuck = true;
                }
            }
            Effect::Exit { code } => self.ended = Some(code),
            Effect::LookUpPort { .. }
            | Effect::Watch { .. }
            | Effect::Hook { .. }
            | Effect::Record { .. }
            | Effect::ShowLastErrors { .. }
            | Effect::NameRest { .. }
            | Effect::ExplainLate { .. }
            | Effect::Notice(_) => {}
        }
    }

    fn signal(&mut self, run: RunId, signal: Signal) {
        if let Some(child) = self.children.get(&run) {
            let acts = child.signalled(signal);
            self.later(run, acts);
        }
    }

    fn signal_main(&mut self, run: RunId, signal: Signal) {
        if let Some(child) = self.children.get(&run) {
            let acts: Vec<_> = child.signalled(signal).into_iter().filter(|(_, act)| matches!(act, Act::MainEnds(_))).collect();
            self.later(run, acts);
        }
    }

    fn script(&mut self, instance: InstanceId, role: Role) -> Script {
        let cast = &self.apps[instance.app.0 as usize].1;
        let scripts = match part(role) {
            Part::App => &cast.runs,
            Part::Build => &cast.builds,
            Part::Command => &cast.commands,
        };
        let used = self.used.entry((instance.app, part(role))).or_default();
        let script = scripts.get(*used).or(scripts.last()).cloned().unwrap_or_else(|| match part(role) {
            Part::App | Part::Build => Script::default(),
            Part::Command => Script { exit: Some(0), after_ms: 20, ..Script::default() },
        });
        *used += 1;
        script
    }

    fn name(&self, run: RunId, instance: InstanceId, role: Role) -> String {
        let spec = &self.apps[instance.app.0 as usize].0;
        let slot = if spec.instances > 1 && role == Role::App { format!(":{}", instance.slot) } else { String::new() };
        let build = match role {
            Role::App => "",
            Role::Build => "build of ",
            Role::Rule(_) => "command of ",
        };
        format!("{build}{}{slot}#{}", spec.name, run.0)
    }
}

fn id(index: usize) -> AppId {
    AppId(u32::try_from(index).expect("a test has few apps"))
}

pub fn pid(run: RunId) -> i32 {
    1000 + i32::try_from(run.0).expect("a test has few runs")
}

impl Drop for Sim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.timeline);
        }
    }
}
