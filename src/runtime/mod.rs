//! The only place where the rooms meet: the loop that takes the next event, asks the supervisor, and performs what it answers.
//! It decides nothing about apps and formats no sentence of its own where another room owns the fact; nothing here blocks.
//! Start reading with [`runner`], then `effects`.

mod apps;
pub mod background;
pub mod capsule;
mod chance;
mod checklist;
mod cluster;
mod control;
mod cron;
mod deaths;
mod decisions;
mod desk;
mod effects;
mod files;
mod follow;
mod hooks;
mod inbox;
mod journal;
mod keys;
mod leftovers;
mod logs;
mod lookups;
mod memory;
mod pid_file;
mod port;
mod project;
mod reload;
mod runner;
mod saved;
mod screens;
mod service;
mod sharing;
mod signals;
mod signs;
mod sources;
mod stdin;
mod streams;
mod targets;
pub mod terminal;
mod tool;
mod usage;
mod version;
mod views;
mod waits;
mod warnings;
pub mod why;

pub use journal::note;

use std::time::SystemTime;

use crate::{
    boot::Manager,
    config::{Host, Request, Resolved},
    control::{Folders, endpoint::Turn},
    log::{ConsoleConfig, Format},
    model::{Error, Signal, TimestampFormat},
};

/// What a runner is started with.
#[derive(Debug)]
pub struct Options {
    /// The apps, at least one, the files that say so, and what was said about them; shown first.
    pub resolved: Resolved,
    /// When those files were read, by [`watch::stamp`](crate::watch::stamp).
    pub read_at: SystemTime,
    /// What was asked for and where, to be completed again when those files are edited.
    pub request: Request,
    /// Its surroundings; what starts children is replaced.
    pub host: Host,
    /// How output looks.
    pub output: Output,
    /// The app, by name, that gets the lines typed at the runner.
    pub stdin: Option<String>,
    /// Whether decisions about files are told.
    pub explain: bool,
    /// Where the runner can be reached; `None`: nowhere.
    pub folders: Option<Folders>,
    /// What keeps others from becoming the runner of the same apps, until this one answers.
    pub turn: Option<Turn>,
    /// The signal that says the guard is dead, where there is a guard.
    pub guard_death: Option<Signal>,
    /// What makes it the background runner; `None`: it is one of a folder.
    pub background: Option<background::Background>,
    /// The service manager that started us and wants to be told how it goes.
    pub manager: Option<Manager>,
}

/// How output looks.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// One JSON object a line.
    pub json: bool,
    /// Lines of apps as they are, without a prefix.
    pub raw: bool,
    /// Warnings and errors of the runner alone.
    pub quiet: bool,
    /// A time before each line, in this format; empty: the default one.
    pub timestamp: Option<String>,
    /// Whether colours are used.
    pub colour: bool,
}

/// Runs the apps until none can start again by itself or somebody ends the runner; gives the runner's exit code.
///
/// Must be called on the main thread: the death signal of children follows the thread that starts them (prctl(2), PR_SET_PDEATHSIG).
///
/// # Errors
///
/// What makes the start impossible: a bad watch pattern, a bad time format, no memory for a thread. Nothing runs then.
pub fn run(options: Options) -> Result<u8, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::failed("the event loop could not be started").because(cause))?;
    let local = tokio::task::LocalSet::new();
    let code = local.block_on(&runtime, async { runner::Runner::start(options)?.run().await });
    drop(local);
    runtime.shutdown_background();
    code
}

fn console_config(output: &Output) -> Result<ConsoleConfig, Error> {
    let format = if output.json { Format::Json } else { Format::Text };
    let timestamp = output.timestamp.as_deref().map(str::parse::<TimestampFormat>).transpose();
    let timestamp = timestamp.map_err(|why| Error::usage(format!("--timestamp: {why}")))?;
    Ok(ConsoleConfig { format, timestamp, raw: output.raw })
}
