//! The only place where the rooms meet: the loop that takes the next event, asks the supervisor, and performs what it answers.
//! It decides nothing about apps and formats no sentence of its own where another room owns the fact; nothing here blocks.
//! Start reading with [`runner`], then `effects`.

mod effects;
mod environment;
mod keys;
mod port;
mod runner;
mod signals;
mod stdin;
mod terminal;

use std::{collections::HashMap, sync::Arc};

use crate::{
    config::EnvRecipe,
    log::{Console, ConsoleConfig, Format, Label, Source, TimestampFormat},
    model::{AppSpec, Error, InstanceId, Notice, Signal},
    ui::{self, Style},
};

/// What a runner is started with.
#[derive(Debug)]
pub struct Options {
    /// The apps, at least one.
    pub apps: Vec<AppSpec>,
    /// How to make the environment of each app anew, in the same order.
    pub env: Vec<EnvRecipe>,
    /// What was said while they were resolved; shown first.
    pub notices: Vec<Notice>,
    /// How output looks.
    pub output: Output,
    /// The app, by name, that gets the lines typed at the runner.
    pub stdin: Option<String>,
    /// Whether decisions about files are told.
    pub explain: bool,
    /// The signal that says the guard is dead, where there is a guard.
    pub guard_death: Option<Signal>,
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

/// A source for each instance of each app.
fn sources(console: &Console, apps: &[Arc<AppSpec>], style: Style) -> HashMap<InstanceId, Source> {
    let slots = |app: &AppSpec| 0..app.instances;
    let of_app = |(index, app): (usize, &Arc<AppSpec>)| {
        let app_id = runner::app_id(index);
        let several = app.instances > 1;
        slots(app).map(|slot| (InstanceId { app: app_id, slot }, app.name.clone(), several.then_some(slot))).collect::<Vec<_>>()
    };
    let instances: Vec<_> = apps.iter().enumerate().flat_map(of_app).collect();
    let shown = |(_, app, slot): &(InstanceId, String, Option<u16>)| match slot {
        Some(slot) => format!("{app}:{slot}"),
        None => app.clone(),
    };
    let names: Vec<String> = instances.iter().map(shown).collect();
    let labelled = instances.into_iter().zip(ui::style::prefixes(&names, style));
    labelled.map(|((id, app, instance), prefix)| (id, console.source(Label { app, instance, prefix }))).collect()
}
