//! A scripted child: how long it takes for everything, and how badly it behaves.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::model::{Exit, LaunchFailure, Signal, Stage};

/// What a child does; times in milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// From the spawn to the execution of its program.
    pub exec_ms: u64,
    /// Its program is never executed, for this reason.
    pub fails: Option<Fails>,
    /// It ends by itself with this code …
    pub exit: Option<i32>,
    /// … or by this signal …
    pub dies_of: Option<i32>,
    /// … so long after its program began.
    pub after_ms: u64,
    /// From the first signal to the end of its main process.
    pub stop_ms: u64,
    /// It ends by SIGKILL alone.
    pub ignores: bool,
    /// What its main process leaves behind.
    pub leaves: Leaves,
    /// From the execution of its program to the sign that it is ready, where that is waited for; negative: never.
    pub ready_ms: i64,
    /// From the wish that it finishes what it serves to the end of that; negative: never.
    pub drain_ms: i64,
    /// From the execution of its program on, its answers to questions are bad.
    pub sick_after_ms: Option<u64>,
    /// It answers badly before that.
    pub sick_until_ms: u64,
    /// It answers no question.
    pub mute: bool,
    /// The kernel says that it killed it because memory ran out.
    pub oom: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fails {
    pub stage: Stage,
    pub on: String,
    pub errno: i32,
}

/// Descendants of a child besides its main process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    Nothing,
    /// It ends 1 ms after any signal.
    Tame,
    /// It ends by SIGKILL alone.
    Stubborn,
    /// It outlives SIGKILL, as a process that waits for a dead disk does.
    Immortal,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            exec_ms: 2,
            fails: None,
            exit: None,
            dies_of: None,
            after_ms: 0,
            stop_ms: 5,
            ignores: false,
            leaves: Leaves::Nothing,
            ready_ms: 3,
            drain_ms: 4,
            sick_after_ms: None,
            sick_until_ms: 0,
            mute: false,
            oom: false,
        }
    }
}

/// A child as it is at one moment.
#[derive(Debug)]
pub struct Child {
    pub script: Script,
    pub name: String,
    pub main: bool,
    pub rest: bool,
    pub executes: bool,
    /// When its program began.
    pub began: Option<Instant>,
    /// Named as something that outlived SIGKILL.
    pub stuck: bool,
}

/// What a child does next.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    Executes,
    FailsToExecute,
    SaysReady,
    Drains,
    Answers(u32),
    MainEnds(Exit),
    RestEnds,
}

impl Child {
    pub fn new(script: Script, name: String) -> Self {
        let rest = script.leaves != Leaves::Nothing;
        Self { script, name, main: true, rest, executes: false, began: None, stuck: false }
    }

    pub fn alive(&self) -> bool {
        self.main || self.rest
    }

    /// What it does by itself once it is spawned, and when.
    pub fn begins(&self) -> (u64, Act) {
        (self.script.exec_ms, if self.script.fails.is_some() { Act::FailsToExecute } else { Act::Executes })
    }

    /// How it ends by itself, counted from the execution of its program.
    pub fn ends(&self) -> Option<(u64, Act)> {
        let signal = self.script.dies_of.map(|signal| Exit::Signal { signal: Signal(signal), core: false });
        let exit = self.script.exit.map(Exit::Code).or(signal)?;
        Some((self.script.after_ms, Act::MainEnds(exit)))
    }

    /// What it says to a question at that time.
    pub fn answer(&self, now: Instant) -> Result<(), String> {
        let lived = self.began.map_or(Duration::ZERO, |began| now - began).as_millis();
        let sick = self.script.sick_after_ms.is_some_and(|after| lived >= after.into()) || lived < self.script.sick_until_ms.into();
        if sick { Err("status 500".to_owned()) } else { Ok(()) }
    }

    pub fn signalled(&self, signal: Signal) -> Vec<(u64, Act)> {
        let killed = signal == Signal::KILL;
        let exit = Act::MainEnds(Exit::Signal { signal, core: false });
        let main = if killed { Some(1) } else { (!self.script.ignores).then_some(self.script.stop_ms) };
        let rest = match self.script.leaves {
            Leaves::Nothing | Leaves::Immortal => None,
            Leaves::Tame => Some(1),
            Leaves::Stubborn => killed.then_some(1),
        };
        main.map(|after| (after, exit)).into_iter().chain(rest.map(|after| (after, Act::RestEnds))).collect()
    }

    pub fn failure(&self) -> Option<LaunchFailure> {
        let fails = self.script.fails.as_ref()?;
        Some(LaunchFailure { stage: fails.stage, object: fails.on.clone(), errno: fails.errno })
    }
}
