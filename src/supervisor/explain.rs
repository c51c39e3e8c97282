//! Why an app is in its state, and why it last restarted or did not.

use std::time::Instant;

use crate::model::HumanDuration;

use super::{
    Supervisor, Target,
    app::{App, Gate},
    changes,
    instance::{End, Hold, Instance, Rest, State},
    restart::Verdict,
    run::{Phase, StopCause},
    wording,
};

/// The answer to "why"; without apps where the target names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The apps that were asked about, in the order of declaration.
    pub apps: Vec<AppExplanation>,
}

/// Why an app is as it is: whole sentences that start with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppExplanation {
    /// Its name.
    pub name: String,
    /// Why each instance is in its state.
    pub states: Vec<String>,
    /// Why each instance last started.
    pub starts: Vec<String>,
    /// Why a change has not led to a restart, where that is so.
    pub waits: Vec<String>,
}

impl Supervisor {
    /// Why the apps of a target are as they are at `now`.
    pub fn explain(&self, target: &Target, now: Instant) -> Explanation {
        Explanation { apps: self.targets(target).into_iter().map(|index| self.apps[index].explain(now)).collect() }
    }
}

impl App {
    fn explain(&self, now: Instant) -> AppExplanation {
        let starts = self.instances.iter().filter_map(|instance| {
            let start = instance.start.as_ref()?;
            Some(format!("{} last started {} ago, because {}", instance.name, ago(start.at, now), start.why))
        });
        AppExplanation {
            name: self.spec.name.clone(),
            states: self.instances.iter().map(|instance| self.explain_state(instance, now)).collect(),
            starts: starts.collect(),
            waits: self.explain_waits(),
        }
    }

    fn explain_state(&self, instance: &Instance, now: Instant) -> String {
        let status = self.status(instance);
        let why = match &instance.state {
            State::Up(run) => match run.phase {
                Phase::Starting => "its program is being started".to_owned(),
                Phase::Warming { ready_by } => format!("it is given {} to become ready", ago(now, ready_by)),
                Phase::Ready => {
                    let up = format!("it has been up for {}", ago(run.started.unwrap_or(run.spawned), now));
                    if instance.coming.is_some() { format!("{up}, and is replaced once its new run is ready") } else { up }
                }
                Phase::Dumping { until, .. } => format!("it hangs, and has {} to tell where before it is stopped", ago(now, until)),
                Phase::Draining { until, .. } => format!("it finishes what it serves, for {} at most", ago(now, until)),
                Phase::Stopping { kill_at, cause, .. } => {
                    format!("{}; it is killed in {} unless it stops before", stopped_because(cause), ago(now, kill_at))
                }
                Phase::Sweeping { .. } => "its main process has ended, and the rest of its processes were asked to".to_owned(),
                Phase::Killed { .. } => "it did not stop in time and is being killed".to_owned(),
            },
            State::Down { hold, .. } => match self.gate() {
                Gate::Open(_) if instance.rests() => rests(instance.rest),
                Gate::Open(_) => self.explain_hold(instance, *hold, now),
                Gate::Unwanted => "the runner ends".to_owned(),
                Gate::Resting => rests(instance.rest),
                Gate::Preparing => "a command of a watch rule runs first".to_owned(),
                Gate::Waiting => self.waits_until(),
                Gate::Removed => "it is no app of this runner any more".to_owned(),
                Gate::Preceded => {
                    "an app that was removed, and has its name, its program, or a port or file of its, has to be gone first".to_owned()
                }
                Gate::Probing => "it is seen whether a file changes without it".to_owned(),
                Gate::Settling => "files are changing".to_owned(),
                Gate::Building => "its build has to succeed first".to_owned(),
                Gate::Unbuilt => "its build failed".to_owned(),
            },
        };
        format!("{} is {status}: {why}", instance.name)
    }

    fn explain_hold(&self, instance: &Instance, hold: Hold, now: Instant) -> String {
        let ended = self.how_it_ended(instance);
        match hold {
            Hold::None => "it is about to start".to_owned(),
            Hold::Backoff { until } => format!("{ended}; it starts again in {}", ago(now, until)),
            Hold::Crashed | Hold::Exited | Hold::Errored if self.spec.watch.is_some() => {
                format!("{ended}; it starts again with the next save")
            }
            Hold::Crashed | Hold::Exited | Hold::Errored => format!("{ended}; it starts again when somebody restarts it"),
        }
    }

    /// What it waits for, and why that will not come by itself where it will not.
    pub fn waits_until(&self) -> String {
        let needed = || self.blocked.as_ref().map(wording::needs).unwrap_or_default();
        self.vain.as_ref().map_or_else(|| format!("it waits until {}", needed()), |why| format!("it {why}"))
    }

    /// How an instance ended by itself, and why it was given up.
    pub fn how_it_ended(&self, instance: &Instance) -> String {
        let hold = match &instance.state {
            State::Up(run) => run.next().unwrap_or(Hold::None),
            State::Down { hold, .. } => *hold,
        };
        self.end_of(instance).map_or_else(|| "it does not run".to_owned(), |end| had_ended_for_good(end, hold))
    }

    fn explain_waits(&self) -> Vec<String> {
        let paused = self
            .pending
            .as_ref()
            .map(|changes| format!("{} has not restarted for {}, because watching is paused", self.spec.name, changes::shown(changes)));
        let failed = self.tried.as_ref().and_then(|(_, end)| end.as_ref()).map(|end| {
            let what = if self.built.is_some() { format!("restarted for {}", self.version.reason.shown()) } else { "started".to_owned() };
            format!("{} has not {what}: {}", self.spec.name, wording::build_failure(&self.spec.name, &end.outcome))
        });
        let aborted = self.aborted.filter(|aborted| *aborted == self.version.generation);
        let aborted = aborted.map(|_| wording::rollout_over(&self.spec.name, &self.version.reason));
        paused.into_iter().chain(failed).chain(aborted).chain(self.unworked.clone()).collect()
    }
}

/// How something ended and why it was given up, or is not started again, where that holds it.
fn had_ended_for_good(end: &End, hold: Hold) -> String {
    let how = wording::had_ended(&end.outcome);
    match (end.verdict, hold) {
        (Verdict::GiveUp(why), Hold::Errored) => format!("{how} and {}", wording::given_up(why)),
        (Verdict::StopCode, Hold::Exited) => {
            format!("it ended (exit code {}, one of its stop_exit_codes)", end.outcome.code().unwrap_or_default())
        }
        (
            Verdict::Wait | Verdict::StopCode | Verdict::Again(_) | Verdict::Kept | Verdict::GiveUp(_),
            Hold::None | Hold::Backoff { .. } | Hold::Crashed | Hold::Exited | Hold::Errored,
        ) => how,
    }
}

fn ago(from: Instant, to: Instant) -> HumanDuration {
    HumanDuration(to.saturating_duration_since(from))
}

fn rests(rest: Rest) -> String {
    match rest {
        Rest::No | Rest::Stopped => "somebody stopped it".to_owned(),
        Rest::Unstarted => "it starts when somebody starts it (autostart is off)".to_owned(),
    }
}

fn stopped_because(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Replaced => "a newer version takes its place",
        StopCause::Settling => "files are changing",
        StopCause::Probing => "it is seen whether a file changes without it",
        StopCause::Rest => "somebody stopped it",
        StopCause::NotReady => "it was not ready in time",
        StopCause::Unhealthy => "it is unhealthy",
        StopCause::Memory => "it uses too much memory",
        StopCause::Removed => "it is no app of this runner any more",
        StopCause::Shutdown => "the runner ends",
    }
}
