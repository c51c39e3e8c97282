//! An app of a project file as if it had been typed: its keys where no flag says otherwise.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    config::{
        Request, WatchArg,
        element::{Given, interpreters::Interpreters, watch::Watch, words::Words},
        environment::Declared,
        place,
        profile::Profile,
        raw::Layer,
    },
    model::PollMode,
};

/// The value of a key.
pub fn value<T: Clone>(given: &Option<Given<T>>) -> Option<T> {
    given.as_ref().map(|given| given.value.clone())
}

/// The keys of an app under the flags.
pub fn of(layer: &Layer, flags: &Request, cwd: &Path, interpreters: &Interpreters) -> Request {
    let keys = &layer.keys;
    let options = value(&keys.watch_options).unwrap_or_default();
    let (watch, no_watch) = watch(layer, flags, cwd);
    let mut ignore: Vec<WatchArg> = Vec::new();
    for patterns in [value(&options.ignored), value(&keys.ignore_watch)].into_iter().flatten() {
        ignore.extend(patterns.0.into_iter().map(WatchArg::One));
    }
    ignore.extend(flags.ignore_watch.iter().cloned());
    let poll = match (value(&options.use_polling), value(&options.interval)) {
        (Some(true), interval) => Some(PollMode::Always(interval.map(|interval| interval.0))),
        (Some(false), _) | (None, _) => None,
    };
    let off = |key: &Option<Given<bool>>| value(key) == Some(false);
    let words = |given: &Option<Given<Words>>| value(given).unwrap_or_default().0;
    Request {
        script_args: if flags.script_args.is_empty() {
            words(&keys.args).into_iter().map(OsString::from).collect()
        } else {
            flags.script_args.clone()
        },
        interpreter: flags.interpreter.clone().or_else(|| value(&keys.interpreter).map(|name| program(&name, cwd))),
        interpreter_args: if flags.interpreter_args.is_empty() {
            words(&keys.interpreter_args).iter().map(|word| shell_words::quote(word).into_owned()).collect()
        } else {
            flags.interpreter_args.clone()
        },
        interpreters: interpreters.0.iter().map(|(ext, words)| (ext.clone(), own_program(words, cwd))).collect(),
        env_files: flags.env_files.clone(),
        watch,
        no_watch,
        ignore_watch: ignore,
        ext: if flags.ext.is_empty() { value(&keys.ext).unwrap_or_default().0 } else { flags.ext.clone() },
        watch_delay: flags.watch_delay.or(value(&keys.watch_delay)),
        poll: flags.poll.or(value(&keys.poll)).or(poll),
        no_gitignore: flags.no_gitignore || off(&keys.gitignore),
        no_default_ignore: flags.no_default_ignore || off(&keys.default_ignore),
        no_gate: flags.no_gate || off(&keys.gate),
        kill_signal: flags.kill_signal.or(value(&keys.kill_signal)),
        kill_timeout: flags.kill_timeout.or(value(&keys.kill_timeout)),
        source_maps: source_maps(layer),
        ..Request::default()
    }
}

/// Whether Node maps stack traces to the sources, where that is said.
pub fn source_maps(layer: &Layer) -> Option<bool> {
    match (value(&layer.keys.disable_source_map_support), value(&layer.keys.source_map_support)) {
        (Some(true), _) => Some(false),
        (Some(false) | None, said) => said,
    }
}

/// What to watch, and whether to watch nothing.
fn watch(layer: &Layer, flags: &Request, cwd: &Path) -> (Vec<WatchArg>, bool) {
    if flags.no_watch || !flags.watch.is_empty() {
        return (flags.watch.clone(), flags.no_watch);
    }
    // Written in the file, a path counts from where the app runs.
    let one = |path: &String| {
        let inside = place::absolute(cwd, Path::new(path));
        WatchArg::One(match inside.to_str() {
            Some(inside) if Path::new(inside).exists() => inside.to_owned(),
            Some(_) | None => path.clone(),
        })
    };
    match value(&layer.keys.watch) {
        None => (Vec::new(), false),
        Some(Watch::Off) => (Vec::new(), true),
        Some(Watch::On) => (vec![WatchArg::Default], false),
        Some(Watch::List(paths, rules)) => {
            let mut args: Vec<WatchArg> = if paths.is_empty() { vec![WatchArg::Default] } else { paths.iter().map(one).collect() };
            args.extend(rules.iter().flat_map(|rule| rule.paths.iter().map(one)));
            (args, false)
        }
    }
}

/// A program by its path counts from where the app runs.
fn program(name: &str, cwd: &Path) -> String {
    if !name.contains('/') {
        return name.to_owned();
    }
    place::absolute(cwd, Path::new(name)).to_str().map_or_else(|| name.to_owned(), str::to_owned)
}

fn own_program(words: &[String], cwd: &Path) -> Vec<String> {
    words.iter().enumerate().map(|(at, word)| if at == 0 { program(word, cwd) } else { word.clone() }).collect()
}

/// What the file says of the app's environment: `env`, `port`, the profile's `env_NAME`, then that of `--env`.
pub fn declared(layer: &Layer, profile: Profile, flags: &Request, env_files: &[PathBuf]) -> Declared {
    let keys = &layer.keys;
    let mut set = value(&keys.env).unwrap_or_default().0;
    set.extend(value(&keys.port).map(|port| ("PORT".to_owned(), Some(port.to_string()))));
    for name in profile.env_names().iter().copied().chain(flags.env_name.as_deref()) {
        set.extend(layer.named_env.iter().filter(|(known, _)| known == name).flat_map(|(_, given)| given.value.0.iter().cloned()));
    }
    Declared {
        filter: value(&keys.filter_env),
        files: env_files.to_vec(),
        set,
        instance_var: value(&keys.instance_var),
        increment_var: value(&keys.increment_var),
        identity: None,
        tty: value(&keys.tty).unwrap_or(false),
    }
}
