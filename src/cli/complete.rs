//! What a shell is offered after `pmdev`: verbs, options and files by clap's definitions, apps by the runners that are there.
//! The shell's script (see `commands::completions`) calls pmdev with `PMDEV_COMPLETE` set; nothing is printed here but candidates.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::Write as _,
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _},
};

use super::{Cli, reach::ReachArgs};
use crate::{
    config,
    control::{InstanceView, Shown},
};

/// The variable by which a shell asks.
pub const VARIABLE: &str = "PMDEV_COMPLETE";

/// How long runners may take in all, in milliseconds, where [`TIMEOUT`] says nothing else: what takes longer is felt while typing.
const PATIENCE: u64 = 40;

/// The variable that says so, for machines on which that is too short.
const TIMEOUT: &str = "PMDEV_COMPLETE_TIMEOUT";

/// Verbs whose TARGET is something to be run, not something that runs.
const RUN: [&str; 6] = ["start", "check", "doctor", "startup", "startOrRestart", "startOrReload"];

/// Answers a shell that asks; whether one did.
pub fn answer(args: &[OsString]) -> bool {
    if env::var_os(VARIABLE).is_none() {
        return false;
    }
    let folder = env::current_dir().ok();
    let asked = CompleteEnv::with_factory(command).var(VARIABLE).bin("pmdev").completer("pmdev");
    // A word that cannot be completed is no failure of the shell's line.
    asked.try_complete(args.iter().cloned(), folder.as_deref()).unwrap_or(true)
}

/// The command line, with candidates for its values. At the place of the verb stands, as `start` may be left out, a file as well.
fn command() -> Command {
    let target = Arg::new("file").add(ArgValueCompleter::new(|typed: &OsStr| PathCompleter::any().complete(typed)));
    Cli::command()
        .mut_subcommands(|verb| {
            let runs = RUN.contains(&verb.get_name());
            let needs_runner = verb.get_arguments().any(|arg| arg.get_id() == "runner");
            verb.mut_args(|arg| with_candidates(arg, runs, needs_runner))
        })
        .arg(target)
}

fn with_candidates(arg: Arg, runs: bool, needs_runner: bool) -> Arg {
    let names: Vec<String> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let is = |name: &str| names.iter().any(|known| known.split('|').any(|part| part == name));
    if arg.get_id() == "runner" {
        return arg.add(ArgValueCompleter::new(runners));
    }
    match (runs, needs_runner) {
        (true, _) if is("TARGET") => arg.add(ArgValueCompleter::new(|typed: &OsStr| {
            let stopped = |view: &InstanceView| view.status != "online";
            PathCompleter::any().complete(typed).into_iter().chain(apps(typed, stopped)).collect::<Vec<_>>()
        })),
        (false, true) if is("TARGET") || is("APP") => arg.add(ArgValueCompleter::new(targets)),
        (..) if is("PROFILE") || arg.get_id() == "profile" => {
            arg.add(ArgValueCompleter::new(|typed: &OsStr| words(typed, &["dev", "prod"])))
        }
        (..) if is("VERB") => arg.add(ArgValueCompleter::new(|typed: &OsStr| {
            let cli = Cli::command();
            let verbs: Vec<&str> = cli.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name).collect();
            words(typed, &verbs)
        })),
        (..) => arg,
    }
}

fn words(typed: &OsStr, words: &[&str]) -> Vec<CompletionCandidate> {
    words.iter().filter(|word| starts(word, typed)).map(CompletionCandidate::new).collect()
}

fn starts(word: &str, typed: &OsStr) -> bool {
    typed.to_str().is_some_and(|typed| word.starts_with(typed))
}

/// The instances of the runner that a verb here would talk to; nothing where that is unclear.
fn instances() -> Vec<InstanceView> {
    soon(|limit| {
        // One that is stopped must not cost the names of another that answers.
        let Some(runner) = ReachArgs::glance(limit / 2) else { return Vec::new() };
        runner.instances(&[], Shown::default()).unwrap_or_default()
    })
}

/// What is known in time; what takes longer is left behind, and ends with us.
fn soon<T: Default + Send + 'static>(ask: impl FnOnce(Duration) -> T + Send + 'static) -> T {
    let limit = env::var(TIMEOUT).ok().and_then(|text| text.parse().ok()).unwrap_or(PATIENCE);
    let limit = Duration::from_millis(limit.max(1));
    let (answer, answered) = mpsc::channel();
    // Nobody is left to be told when it comes too late.
    thread::spawn(move || answer.send(ask(limit)));
    answered.recv_timeout(limit).unwrap_or_default()
}

/// Names of apps, once each.
fn apps(typed: &OsStr, wanted: impl Fn(&InstanceView) -> bool) -> Vec<CompletionCandidate> {
    let mut all = instances();
    all.retain(|view| view.instance == 0 && wanted(view) && starts(&view.name, typed));
    all.iter().map(|view| CompletionCandidate::new(&view.name).help(Some(about(view).into()))).collect()
}

fn about(view: &InstanceView) -> String {
    match view.instances {
        1 => view.status.clone(),
        several => format!("{}, {several} instances", view.status),
    }
}

/// What verbs act on: names, ids, namespaces, `name:instance`, `all`, project files.
fn targets(typed: &OsStr) -> Vec<CompletionCandidate> {
    let all = instances();
    let mut found: Vec<(String, String)> = Vec::new();
    found.extend(all.iter().filter(|view| view.instance == 0).map(|view| (view.name.clone(), about(view))));
    let mut groups: Vec<&str> = all.iter().map(|view| view.namespace.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    found.extend(groups.into_iter().map(|group| (group.to_owned(), "namespace".to_owned())));
    if !all.is_empty() {
        found.push(("all".to_owned(), "every app".to_owned()));
    }
    found.extend(all.iter().map(|view| (view.pm_id.to_string(), format!("id of {}", crate::ui::list::called(view)))));
    if typed.to_str().is_some_and(|typed| typed.contains(':')) {
        found.extend(all.iter().map(|view| (format!("{}:{}", view.name, view.instance), view.status.clone())));
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|(word, _)| starts(word, typed) && seen.insert(word.clone()));
    let files = PathCompleter::file().filter(config::is_project_file).complete(typed);
    found.into_iter().map(|(word, about)| CompletionCandidate::new(word).help(Some(about.into()))).chain(files).collect()
}

/// Runners, by their pids.
fn runners(typed: &OsStr) -> Vec<CompletionCandidate> {
    let candidates = soon(|limit| ReachArgs::all_within(limit / 2)).into_iter().map(|runner| {
        let place = if runner.hello.background { "in the background".to_owned() } else { runner.hello.cwd };
        (runner.hello.pid.to_string(), place)
    });
    candidates.filter(|(pid, _)| starts(pid, typed)).map(|(pid, place)| CompletionCandidate::new(pid).help(Some(place.into()))).collect()
}

/// bash takes words apart at colons and equals signs (COMP_WORDBREAKS), which names of instances and options have: the last one is put
/// together again, and what was typed of it is cut off what is offered.
const WHOLE_WORDS: &str = r#"_pmdev() {
    local line="${COMP_LINE:0:COMP_POINT}" word="" at=$COMP_CWORD
    local typed="${line##*[[:space:]]}" begin
    begin="${typed%"${typed##*[:=]}"}"
    if [[ -n "$begin" && "$COMP_WORDBREAKS" == *"${begin: -1}"* ]]; then
        word="${COMP_WORDS[at]}"
        while [[ "$word" != "$typed" && $at -gt 1 ]]; do
            at=$((at - 1))
            word="${COMP_WORDS[at]}$word"
        done
    fi
    if [[ -z "$word" || "$word" != "$typed" ]]; then
        _clap_complete_pmdev "$@"
        return
    fi
    local COMP_WORDS=("${COMP_WORDS[@]:0:at}" "$typed") COMP_CWORD=$at
    _clap_complete_pmdev "$1" "$typed" "$3"
    COMPREPLY=("${COMPREPLY[@]#"$begin"}")
}
"#;

/// The script that has a shell ask; `None`: we know no such shell.
pub fn script(shell: &str) -> Option<Vec<u8>> {
    let mut script = b"# Completions of pmdev for ".to_vec();
    writeln!(script, "{shell}: pmdev completions {shell}").expect("a vector can be written to");
    let shells = clap_complete::env::Shells::builtins();
    let registered = shells.completer(shell)?.write_registration(VARIABLE, "pmdev", "pmdev", "pmdev", &mut script);
    registered.expect("a vector can be written to");
    let text = String::from_utf8_lossy(&script).trim_end().to_owned();
    let text = match shell {
        // bash wants to know what is typed whole; what it is called by comes last.
        "bash" => {
            let text = text.replace("-F _clap_complete_pmdev ", "-F _pmdev ");
            text.replacen("\nif [[", &format!("\n{WHOLE_WORDS}if [["), 1)
        }
        // zsh wants to find this in the first line, and calls the file itself where it lies in a folder of $fpath.
        "zsh" => format!(
            "#compdef pmdev\n{}\nif [ \"$funcstack[1]\" = \"_pmdev\" ]; then\n    _clap_dynamic_completer_pmdev \"$@\"\nfi",
            text.replace("#compdef pmdev\n", "")
        ),
        _ => text,
    };
    Some((text + "\n").into_bytes())
}
