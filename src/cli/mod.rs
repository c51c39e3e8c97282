//! The command line: arguments in, an exit code out; failures and help are printed here and nowhere else.
//! It decides nothing about apps: arguments become a [`config::Request`](crate::config::Request), the rest is done by the rooms below.
//! Start reading with [`args`], then [`commands::start`].

mod args;
mod background;
mod borrowed;
mod change;
mod child;
mod commands;
mod complete;
mod failure;
mod host;
mod keys;
mod reach;
mod signals;
mod verb;

#[cfg(test)]
mod tests;

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::{
    model::{Error, Level, Notice, NoticeKind},
    process::shim,
    ui::{self, Style, notice},
};
use commands::Verb;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "pmdev",
    version,
    about = "Runs a project's apps, and has the new version running the moment a save settles",
    after_help = "`pmdev app.js` is short for `pmdev start app.js`; `pmdev` alone runs what the folder is made to run.\n`pmdev start --help` has the options.",
    subcommand_required = true,
    max_term_width = 120
)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    verb: Verb,
}

/// The program: everything but the exit itself.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().collect();
    // Before anything else, because this happens at every start of every app.
    if args.get(1).is_some_and(|first| first == shim::COMMAND) {
        return shim::main(&args[2..]).unwrap_or_else(|message| fail(&Error::usage(message)));
    }
    if complete::answer(&args) {
        return ExitCode::SUCCESS;
    }
    let command = Cli::command();
    let slip = verb::Slip::find(&args, &command);
    match parse_by(command, args) {
        Ok(cli) => match cli.verb.run() {
            Ok(0) => written(),
            Ok(code) => ExitCode::from(code),
            Err(error) => fail(&match slip {
                Some(slip) => slip.explain(error),
                None => error,
            }),
        },
        Err(failure::Stop::Text(text)) => {
            print(text.as_bytes());
            written()
        }
        Err(failure::Stop::Error(error)) => fail(&error),
    }
}

/// Reads the arguments, the program's name among them.
fn parse(args: Vec<OsString>) -> Result<Cli, failure::Stop> {
    parse_by(Cli::command(), args)
}

/// The same by definitions that are there: making them costs as much as all the rest of a short command.
fn parse_by(command: clap::Command, args: Vec<OsString>) -> Result<Cli, failure::Stop> {
    let args = verb::join_codes(verb::insert(args, &command));
    let verb = args.get(1).map(|verb| verb.to_string_lossy().into_owned()).unwrap_or_default();
    let matches = command.try_get_matches_from(&args).map_err(|error| failure::stop(&error, &verb))?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| failure::stop(&error, &verb))?;
    if let (Verb::Start(start), Some((_, matches))) = (&mut cli.verb, matches.subcommand()) {
        let has_target = !start.targets.is_empty();
        let options = &mut start.options;
        start.targets.extend(args::give_back_target(&mut options.watch, &mut options.logs, has_target, matches, &args));
    }
    Ok(cli)
}

fn fail(error: &Error) -> ExitCode {
    let style = Style::decide(false, |name| env::var_os(name), io::stderr().is_terminal());
    // Nobody is left to be told when standard error is gone.
    let _ = io::stderr().write_all(&ui::error::render(error, style));
    ExitCode::from(error.exit_code())
}

/// Tells on standard error, so that standard output holds the answer alone.
fn tell(told: &Notice) {
    let style = Style::decide(false, |name| env::var_os(name), io::stderr().is_terminal());
    // Nobody is left to be told when standard error is gone.
    let _ = io::stderr().write_all(&notice::render(told, style, false, jiff::Timestamp::UNIX_EPOCH));
}

/// Tells of what is wrong but no failure; lines after the first are what to do about it.
fn warn(text: impl Into<String>) {
    let text = text.into();
    let notice = |text: &str| Notice::new(Level::Warning, NoticeKind::Config, text);
    tell(&text.split_once('\n').map_or_else(|| notice(&text), |(text, hint)| notice(text).hint(hint)));
}

/// Whether a part of the answer could not be written.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// The code of what has gone well, if it could be told.
fn written() -> ExitCode {
    if UNWRITTEN.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Writes to standard output; a reader that has seen enough (`| head`) is no failure, but half an answer in a file is one.
fn print(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            if !UNWRITTEN.swap(true, Ordering::Relaxed) {
                fail(&Error::failed("The answer could not be written").because(error));
            }
        }
        Ok(()) | Err(_) => {}
    }
}
