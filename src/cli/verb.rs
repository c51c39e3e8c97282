//! `pmdev app.js` is short for `pmdev start app.js`, and options may stand before the verb.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// The verb that may be left out.
const DEFAULT: &str = "start";

/// The arguments with the verb at its place.
pub fn insert(mut args: Vec<OsString>, cli: &Command) -> Vec<OsString> {
    let verbs: Vec<&str> = cli.get_subcommands().flat_map(|verb| [verb.get_name()].into_iter().chain(verb.get_all_aliases())).collect();
    // clap adds its own `help` later than here.
    let is_verb = |word: &OsString| word == "help" || verbs.iter().any(|verb| word == verb);
    let alone = args.get(1).is_some_and(|first| ["--help", "-h", "--version", "-V"].iter().any(|known| first == known));
    if alone {
        return args;
    }
    let verb = match first_word(&args, cli) {
        Some(at) if is_verb(&args[at]) => args.remove(at),
        Some(_) | None => DEFAULT.into(),
    };
    args.insert(1.min(args.len()), verb);
    args
}

/// Where the first argument stands that is neither an option nor the value of one.
fn first_word(args: &[OsString], cli: &Command) -> Option<usize> {
    let start = cli.find_subcommand(DEFAULT)?;
    let mut at = 1;
    loop {
        let arg = args.get(at)?.to_string_lossy();
        if arg == "--" {
            return None;
        }
        if !arg.starts_with('-') || arg == "-" {
            return Some(at);
        }
        at += if start.get_arguments().any(|option| takes_next(option, &arg)) { 2 } else { 1 };
    }
}

/// Whether an option as typed (`--name`, `-n`, not `--name=x`) needs the next argument as its value.
fn takes_next(option: &Arg, typed: &str) -> bool {
    let long = option.get_long_and_visible_aliases().unwrap_or_default();
    let is_it = typed
        .strip_prefix("--")
        .is_some_and(|name| long.contains(&name) || option.get_all_aliases().is_some_and(|all| all.contains(&name)))
        || typed.strip_prefix('-').is_some_and(|name| option.get_short().is_some_and(|short| name == short.to_string()));
    let optional = option.get_num_args().is_some_and(|range| range.min_values() == 0);
    is_it && matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && !optional
}
