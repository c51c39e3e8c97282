//! `pmdev app.js` is short for `pmdev start app.js`, options may stand before the verb, and a verb may be misspelt.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use crate::{config, model::Error};

/// The verb that may be left out.
const DEFAULT: &str = "start";

/// The arguments with the verb at its place.
pub fn insert(mut args: Vec<OsString>, cli: &Command) -> Vec<OsString> {
    let verbs = verbs(cli);
    let is_verb = |word: &OsString| verbs.iter().any(|verb| word == verb);
    // PM2's letter for it; behind other words it is theirs.
    if args.len() == 2 && args[1] == "-v" {
        args[1] = "--version".into();
    }
    let alone = args.get(1).is_some_and(|first| ["--help", "-h", "--version", "-V"].iter().any(|known| first == known));
    if alone {
        return args;
    }
    let verb = match first_word(&args, cli) {
        Some(at) if is_verb(&args[at]) && !is_value(&args, at, cli) => args.remove(at),
        Some(_) | None => DEFAULT.into(),
    };
    args.insert(1.min(args.len()), verb);
    args
}

/// All verbs by all their names. clap adds its own `help` later than here.
fn verbs(cli: &Command) -> Vec<&str> {
    let names = cli.get_subcommands().flat_map(|verb| [verb.get_name()].into_iter().chain(verb.get_all_aliases()));
    names.chain(["help"]).collect()
}

/// Verbs of PM2 that are none here, and what does the same, or why nothing does.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["update", "updatePM2"], "a new pmdev runs after: pmdev save && pmdev kill && pmdev resurrect"),
    (&["gracefulReload"], "it is called reload here: pmdev reload NAME"),
    (&["report", "examples"], "what keeps apps from running well: pmdev doctor"),
    (
        &["conf", "config", "set", "get", "unset", "multiset"],
        "settings are keys of the project file, and environment variables: pmdev check",
    ),
    (&["install", "uninstall", "logrotate"], "there are no modules; log files are rotated without one: pmdev schema --markdown"),
    (&["serve", "expose"], "start a server of files as any other app: pmdev start -d \"npx serve dist\""),
    (&["deploy", "pull", "forward", "backward"], "get the new version there by other means, then: pmdev reload NAME"),
    (&["link", "unlink", "plus", "register", "login", "trigger", "publish"], "it belongs to PM2's service, which pmdev knows nothing of"),
];

/// A first word that is no verb, but much like one, or one of PM2's.
#[derive(Debug, PartialEq, Eq)]
pub struct Slip {
    word: String,
    /// What is to be said of it.
    said: Said,
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// The command line that was meant.
    Meant(String),
    /// What there is instead.
    Elsewhere(&'static str),
}

impl Slip {
    /// Looks for one in what was typed, the program's name among it.
    pub fn find(args: &[OsString], cli: &Command) -> Option<Self> {
        let at = first_word(args, cli)?;
        // Shorter ones are like too many.
        let is_like = |word: &&str| word.len() >= 3 && word.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
        let word = args[at].to_str().filter(is_like)?;
        if let Some((_, instead)) = ELSEWHERE.iter().find(|(words, _)| words.contains(&word)) {
            return Some(Self { word: word.to_owned(), said: Said::Elsewhere(instead) });
        }
        let verbs = verbs(cli);
        let verb = config::nearest(word, verbs.iter().copied()).filter(|verb| *verb != word)?;
        let typed = args.iter().enumerate().skip(1).map(|(nth, arg)| if nth == at { verb.into() } else { arg.to_string_lossy() });
        Some(Self { word: word.to_owned(), said: Said::Meant(format!("pmdev {}", shell_words::join(typed))) })
    }

    /// What is said where nothing of that name can be run either.
    pub fn explain(&self, error: Error) -> Error {
        if !error.message.starts_with(&format!("{} was not found", self.word)) {
            return error;
        }
        match &self.said {
            Said::Meant(line) => Error::usage(format!("{} is no file and no verb", self.word)).hint(format!("did you mean {line}?")),
            Said::Elsewhere(instead) => {
                Error::usage(format!("{} is a verb of PM2 that pmdev does not have, and no file", self.word)).hint(*instead)
            }
        }
    }
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

/// Whether a word that is a verb is the value of the option before it, since that is none of the verb's: `--ignore-watch logs`.
fn is_value(args: &[OsString], at: usize, cli: &Command) -> bool {
    let Some(before) = at.checked_sub(1).filter(|before| *before > 0).map(|before| args[before].to_string_lossy()) else { return false };
    let has = |verb: &str, takes_value: bool| {
        let options = cli.find_subcommand(verb).into_iter().flat_map(Command::get_arguments);
        let may = |option: &&Arg| matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && !option.is_require_equals_set();
        options.filter(|option| !takes_value || may(option)).any(|option| is_called(option, &before))
    };
    has(DEFAULT, true) && !args[at].to_str().is_some_and(|verb| has(verb, false))
}

/// Whether an option as typed (`--name`, `-n`, not `--name=x`) needs the next argument as its value.
fn takes_next(option: &Arg, typed: &str) -> bool {
    let optional = option.get_num_args().is_some_and(|range| range.min_values() == 0);
    is_called(option, typed) && matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && !optional
}

/// Whether an option is the one that was typed.
pub fn is_called(option: &Arg, typed: &str) -> bool {
    let long = option.get_long_and_visible_aliases().unwrap_or_default();
    typed.strip_prefix("--").is_some_and(|name| long.contains(&name) || option.get_all_aliases().is_some_and(|all| all.contains(&name)))
        || typed.strip_prefix('-').is_some_and(|name| option.get_short().is_some_and(|short| name == short.to_string()))
}

/// `--stop-exit-codes 0 143` as PM2 takes it: the numbers that follow are all of it.
pub fn join_codes(args: Vec<OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(args.len());
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.next() {
        if arg == "--" {
            joined.push(arg);
            joined.extend(args);
            return joined;
        }
        let takes = arg == "--stop-exit-codes";
        joined.push(arg);
        if takes && let Some(mut codes) = args.next() {
            let is_code = |arg: &OsString| arg.to_str().is_some_and(|text| text.parse::<u8>().is_ok());
            while let Some(more) = args.next_if(|more| is_code(&codes_end(&codes)) && is_code(more)) {
                codes.push(",");
                codes.push(more);
            }
            joined.push(codes);
        }
    }
    joined
}

/// The last of some codes.
fn codes_end(codes: &OsString) -> OsString {
    codes.to_str().and_then(|codes| codes.rsplit(',').next()).unwrap_or_default().into()
}
