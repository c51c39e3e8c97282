//! Hooks: command lines that are told what happens to an app. Nothing waits for them but the end of the runner, and that not for long.

use std::{
    collections::{HashMap, VecDeque},
    ffi::OsString,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    runner::{Inbox, Runner},
    tool::{Answer, Question},
};
use crate::{
    config::{self, End},
    log::{Form, Label, Recording},
    model::{AppId, AppSpec, Exit, Happening, HookKind, HumanDuration, InstanceId, Launch, LaunchFailure, Level, Notice, NoticeKind},
};

/// How many of an app run at once.
const AT_ONCE: usize = 4;
/// How many of an app wait at most; beyond, the oldest is left out.
const WAITING: usize = 100;

/// The hooks that run and wait.
#[derive(Debug, Default)]
pub struct Hooks {
    apps: HashMap<AppId, Queue>,
    /// When those that are left are given up.
    end: Option<Instant>,
}

#[derive(Debug, Default)]
struct Queue {
    app: String,
    waiting: VecDeque<Call>,
    running: Vec<String>,
    /// How many were left out since nothing waited.
    left_out: usize,
}

#[derive(Debug)]
struct Call {
    slot: Option<u16>,
    kind: HookKind,
    instance: String,
    launch: Launch,
    input: Vec<u8>,
    limit: Duration,
    muted: bool,
}

/// A hook that is over.
pub struct Over {
    app: AppId,
    name: String,
    limit: Duration,
    result: Result<Answer, LaunchFailure>,
}

impl Queue {
    /// Takes one more; true: others are left out from now on.
    fn add(&mut self, call: Call) -> bool {
        self.waiting.push_back(call);
        if self.waiting.len() <= WAITING {
            return false;
        }
        self.waiting.pop_front();
        self.left_out += 1;
        self.left_out == 1
    }
}

impl Hooks {
    /// They have until then.
    pub fn end_by(&mut self, end: Instant) {
        self.end = Some(end);
    }

    /// When those that are left are given up.
    pub fn deadline(&self) -> Option<Instant> {
        self.end
    }

    /// Whether none is left, or the time of those is over.
    pub fn are_over(&self, now: Instant) -> bool {
        self.apps.is_empty() || self.end.is_some_and(|end| end <= now)
    }
}

impl Runner {
    /// Has the hook of an app run for something that happened.
    pub fn hook(&mut self, instance: InstanceId, happening: Happening, spec: &AppSpec) {
        let Some(line) = spec.hooks.command(happening.kind) else { return };
        let mut launch = config::command_line(line, &self.apps.launch(instance, spec));
        let input = describe(&happening, Timestamp::now(), &mut launch.env);
        let Happening { kind, app, instance: name, .. } = happening;
        let slot = (spec.instances > 1).then_some(instance.slot);
        let call = Call { slot, kind, instance: name, launch, input, limit: spec.hooks.timeout, muted: spec.logs.disabled };
        let queue = self.hooks.apps.entry(instance.app).or_default();
        queue.app = app;
        if queue.add(call) {
            let text = format!("{} has more hooks to run than it runs: the oldest of those that wait are left out", queue.app);
            let notice = hook_notice(Level::Warning, &queue.app, text).hint(format!(
                "{AT_ONCE} run at once, and {WAITING} may wait; let the hook do its work in the background, or name one that happens less often"
            ));
            self.say(&notice);
        }
        self.start_hooks(instance.app);
    }

    fn start_hooks(&mut self, app: AppId) {
        while let Some(queue) = self.hooks.apps.get_mut(&app)
            && queue.running.len() < AT_ONCE
            && let Some(call) = queue.waiting.pop_front()
        {
            let Call { slot, kind, instance, launch, input, limit, muted } = call;
            let name = format!("{instance} {kind}");
            queue.running.push(name.clone());
            let shown = self.console.source(Label { app: name.clone(), instance: slot, prefix: self.style.aside(&name) });
            shown.record(Recording { muted, form: Form::default(), ..Recording::default() });
            let inbox = self.inbox.clone();
            let over = move |result| drop(inbox.send(Inbox::HookOver(Over { app, name, limit, result })));
            self.start_tool(Question { launch, limit, input, of: None, shown: Some(shown), reply: Box::new(over) });
        }
    }

    /// A hook is over: the next one that waits begins.
    pub fn hook_over(&mut self, over: Over) {
        let Over { app, name, limit, result } = over;
        let Some(queue) = self.hooks.apps.get_mut(&app) else { return };
        if let Some(index) = queue.running.iter().position(|running| *running == name) {
            queue.running.remove(index);
        }
        let mut notices: Vec<Notice> =
            failure(&name, limit, &result).map(|text| hook_notice(Level::Warning, &queue.app, text)).into_iter().collect();
        if queue.waiting.is_empty() {
            notices.extend(left_out(&queue.app, std::mem::take(&mut queue.left_out), "others came faster than they ended"));
        }
        if queue.waiting.is_empty() && queue.running.is_empty() {
            self.hooks.apps.remove(&app);
        }
        notices.iter().for_each(|notice| self.say(notice));
        self.start_hooks(app);
    }

    /// The runner ends, and with it what is left of hooks.
    pub fn abandon_hooks(&mut self) {
        for queue in std::mem::take(&mut self.hooks.apps).into_values() {
            for name in queue.running {
                self.say(&hook_notice(Level::Warning, &queue.app, format!("{name} was killed, because the runner ends")));
            }
            let count = queue.left_out + queue.waiting.len();
            left_out(&queue.app, count, "the runner ends").iter().for_each(|notice| self.say(notice));
        }
    }
}

fn hook_notice(level: Level, app: &str, text: String) -> Notice {
    Notice::new(level, NoticeKind::Hook, text).about(app)
}

fn left_out(app: &str, count: usize, because: &str) -> Option<Notice> {
    let text = match count {
        0 => return None,
        1 => format!("1 hook of {app} was left out, because {because}"),
        _ => format!("{count} hooks of {app} were left out, because {because}"),
    };
    Some(hook_notice(Level::Warning, app, text))
}

/// What is told of a hook that did not do what it should.
fn failure(name: &str, limit: Duration, result: &Result<Answer, LaunchFailure>) -> Option<String> {
    match result {
        Ok(Answer { end: End::Exited(exit), .. }) if exit.success() => None,
        Ok(Answer { end: End::Exited(exit), .. }) => Some(format!("{name} failed ({exit})")),
        Ok(Answer { end: End::Limit, .. }) => Some(format!("{name} was killed, because it did not end within {}", HumanDuration(limit))),
        Err(failure) => Some(format!("{name} could not be started: {failure}")),
    }
}

/// What a hook is told, as it is read from standard input.
#[derive(serde::Serialize)]
struct Told<'a> {
    event: HookKind,
    time: String,
    app: &'a str,
    instance: &'a str,
    pid: Option<i32>,
    exit_code: Option<i32>,
    signal: Option<String>,
    reason: &'a str,
    restarts: u64,
    uptime_ms: u64,
}

/// The object for standard input; the same goes into the environment. What is not known there is not set.
fn describe(happening: &Happening, now: Timestamp, env: &mut Vec<(OsString, OsString)>) -> Vec<u8> {
    let Happening { kind, app, instance, pid, exit, reason, restarts, uptime } = happening;
    let (exit_code, signal) = match exit {
        Some(Exit::Code(code)) => (Some(*code), None),
        Some(Exit::Signal { signal, core: _ }) => (None, Some(signal.to_string())),
        None => (None, None),
    };
    let event = kind.to_string().trim_start_matches("on_").to_owned();
    let set = [
        ("EVENT", Some(event)),
        ("APP", Some(app.clone())),
        ("INSTANCE", Some(instance.clone())),
        ("PID", pid.map(|pid| pid.to_string())),
        ("EXIT_CODE", exit_code.map(|code| code.to_string())),
        ("SIGNAL", signal.clone()),
        // A variable cannot hold a zero byte.
        ("REASON", Some(reason.replace('\0', "\u{fffd}"))),
        ("RESTARTS", Some(restarts.to_string())),
    ];
    let set = set.map(|(name, value)| (OsString::from(format!("PMDEV_{name}")), value));
    env.retain(|(name, _)| set.iter().all(|(own, _)| own != name));
    env.extend(set.into_iter().filter_map(|(name, value)| Some((name, value?.into()))));
    let told = Told {
        event: *kind,
        time: format!("{now:.3}"),
        app,
        instance,
        pid: *pid,
        exit_code,
        signal,
        reason,
        restarts: *restarts,
        uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
    };
    let mut input = serde_json::to_vec(&told).expect("texts and numbers always serialize");
    input.push(b'\n');
    input
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Signal;

    fn happening(exit: Option<Exit>) -> Happening {
        let reason = "it crashed (SIGKILL)\0".to_owned();
        let (app, instance, uptime) = ("api".to_owned(), "api:1".to_owned(), Duration::from_millis(1500));
        Happening { kind: HookKind::Crash, app, instance, pid: Some(7), exit, reason, restarts: 3, uptime }
    }

    #[test]
    fn the_object_and_the_variables_say_the_same() {
        let mut env = vec![("PMDEV_EXIT_CODE".into(), "of somebody else".into()), ("A".into(), "1".into())];
        let exit = Exit::Signal { signal: Signal::KILL, core: false };
        let input = describe(&happening(Some(exit)), Timestamp::constant(1_772_649_429, 42_000_000), &mut env);
        insta::assert_snapshot!(String::from_utf8(input).unwrap(), @r#"{"event":"crash","time":"2026-03-04T18:37:09.042Z","app":"api","instance":"api:1","pid":7,"exit_code":null,"signal":"SIGKILL","reason":"it crashed (SIGKILL)\u0000","restarts":3,"uptime_ms":1500}"#);
        let shown: Vec<String> = env.iter().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        A=1
        PMDEV_EVENT=crash
        PMDEV_APP=api
        PMDEV_INSTANCE=api:1
        PMDEV_PID=7
        PMDEV_SIGNAL=SIGKILL
        PMDEV_REASON=it crashed (SIGKILL)�
        PMDEV_RESTARTS=3
        ");
        let mut env = Vec::new();
        describe(&happening(Some(Exit::Code(3))), Timestamp::UNIX_EPOCH, &mut env);
        assert!(env.contains(&("PMDEV_EXIT_CODE".into(), "3".into())) && env.iter().all(|(name, _)| name != "PMDEV_SIGNAL"));
    }

    #[test]
    fn the_oldest_is_left_out_when_too_many_wait() {
        let call = |number: usize| Call {
            slot: None,
            kind: HookKind::Exit,
            instance: number.to_string(),
            launch: Launch { argv: Vec::new(), cwd: "/".into(), env: Vec::new(), hardening: Default::default() },
            input: Vec::new(),
            limit: Duration::ZERO,
            muted: false,
        };
        let mut queue = Queue::default();
        let told: Vec<usize> = (0..WAITING + 3).filter(|number| queue.add(call(*number))).collect();
        assert_eq!(told, [WAITING], "it is told once");
        assert_eq!((queue.waiting.len(), queue.left_out, queue.waiting[0].instance.as_str()), (WAITING, 3, "3"));
        assert_eq!(left_out("api", 1, "the runner ends").unwrap().text, "1 hook of api was left out, because the runner ends");
    }
}
