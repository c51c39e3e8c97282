//! The environment of an app, from low to high: what the profile and the interpreter need where nobody has set it; files of `--env-file`;
//! the caller's variables, as far as they are passed on; files of `env_file`; `env`, `port` and `env_NAME`.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::model::{Error, Identity};

use super::{Host, Pipes, element::filter_env::FilterEnv, lookup::Search, place, profile::Profile, program::Program, secret};

/// Variables by which people have already said what they think of colour: <https://no-color.org>, <https://force-color.org>, <https://bixense.com/clicolors>.
const COLOUR_SAID: [&str; 5] = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "NODE_DISABLE_COLORS"];

/// Variables by which a shell tells how large its terminal is.
const SIZE: [&str; 2] = ["COLUMNS", "LINES"];

/// The kind of a terminal where nobody says: a service has none. Every terminal that people attach from today understands it.
const USUAL_TERMINAL: &str = "xterm-256color";

/// Variables by which Node finds the channel to its parent. They name a descriptor that the app does not have, or should not rely on: Node ends at once over it.
const CHANNEL: [&str; 3] = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"];

/// What a project file says of an app's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// What of the caller's is not passed on; `None`: what the profile says.
    pub filter: Option<FilterEnv>,
    /// Files above the caller's variables, absolute; a later one wins.
    pub files: Vec<PathBuf>,
    /// Variables above all files, in order; `None` takes one away.
    pub set: Vec<(String, Option<String>)>,
    /// The variable with the number of the instance, where not PM2's `NODE_APP_INSTANCE`.
    pub instance_var: Option<String>,
    /// The variable that counts up by one an instance.
    pub increment_var: Option<String>,
    /// Who the app runs as, where not as the runner.
    pub identity: Option<Identity>,
    /// Whether it has a terminal of its own.
    pub tty: bool,
}

impl Declared {
    /// The PATH that is set, which the app has as it stands there.
    pub fn path(&self) -> Option<&str> {
        self.set.iter().rev().find(|(name, _)| name == "PATH").and_then(|(_, value)| value.as_deref())
    }
}

/// What an app's environment is made of, kept so that edited env files can be read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvRecipe {
    inherited: BTreeMap<OsString, OsString>,
    /// Those of flags, then those of the project file.
    files: Vec<PathBuf>,
    below: usize,
    declared: Declared,
    defaults: Vec<(OsString, OsString)>,
    colour: Vec<(OsString, OsString)>,
    fixed: Vec<(OsString, OsString)>,
}

impl EnvRecipe {
    /// The recipe for a program that runs in `cwd`, with the files of `--env-file` already found.
    pub(super) fn new(
        host: &Host,
        profile: Profile,
        program: &Program,
        search: &Search,
        cwd: &Path,
        mut files: Vec<PathBuf>,
        declared: Declared,
    ) -> Self {
        let holds_back = |name: &str| match &declared.filter {
            Some(FilterEnv::None) => false,
            Some(filter) => profile.holds_back(name) || filter.drops(name),
            None => profile.holds_back(name),
        };
        let passed = |name: &OsString| !name.to_str().is_some_and(|name| CHANNEL.contains(&name) || holds_back(name));
        let mut inherited: BTreeMap<_, _> = host.env.iter().filter(|(name, _)| passed(name)).cloned().collect();
        if let Some(identity) = &declared.identity {
            become_user(&mut inherited, identity);
        }
        let mut defaults: Vec<_> =
            profile.node_env().map(|value| (OsString::from("NODE_ENV"), OsString::from(value))).into_iter().collect();
        defaults.extend(program.env.iter().map(|(name, value)| (OsString::from(name), value.clone())));
        let mut fixed = vec![(OsString::from("PATH"), search.path())];
        fixed.extend(program.fixed.iter().map(|(name, value)| (OsString::from(name), value.clone())));
        // A shell keeps PWD true; Go, sh and make believe it.
        if inherited.contains_key(OsStr::new("PWD")) {
            fixed.push((OsString::from("PWD"), cwd.into()));
        }
        if declared.tty {
            // What the terminal knows itself, and better: it may get another size.
            SIZE.iter().for_each(|name| drop(inherited.remove(OsStr::new(name))));
            defaults.push((OsString::from("TERM"), OsString::from(USUAL_TERMINAL)));
        }
        // On a terminal tools colour by themselves.
        let colour = if host.colour && !declared.tty { colour(host) } else { Vec::new() };
        let below = files.len();
        files.extend(declared.files.iter().cloned());
        Self { inherited, files, below, declared, defaults, colour, fixed }
    }

    /// The variables that the project file itself sets.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &str)> {
        self.declared.set.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// The env files, absolute.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The environment as the env files say now, sorted by name. A variable of the caller wins over `--env-file`, as in
    /// `node --env-file`, and loses against the project file; a later file wins over an earlier one. The error names file and line.
    pub fn read(&self, pipes: &Pipes) -> Result<Vec<(OsString, OsString)>, Error> {
        let mut env = BTreeMap::new();
        let (below, above) = self.files.split_at(self.below);
        for file in below {
            env.extend(read_file(file, pipes)?);
        }
        env.extend(self.inherited.clone());
        for file in above {
            env.extend(read_file(file, pipes)?);
        }
        for (name, value) in &self.declared.set {
            match value {
                Some(value) => env.insert(name.into(), value.into()),
                None => env.remove(OsStr::new(name)),
            };
        }
        if !COLOUR_SAID.iter().any(|name| env.contains_key(OsStr::new(name))) {
            set_missing(&mut env, &self.colour);
        }
        set_missing(&mut env, &self.defaults);
        for (name, value) in &self.fixed {
            // A PATH of the project file is meant as it stands there.
            let is_declared = name == "PATH" && self.declared.path().is_some();
            if !is_declared {
                env.insert(name.clone(), value.clone());
            }
        }
        Ok(env.into_iter().collect())
    }

    /// Which variables count the instances, and how.
    pub fn counting(&self) -> impl PartialEq {
        (self.declared.instance_var.clone(), self.declared.increment_var.clone())
    }

    /// Adds what differs from instance to instance, as PM2's users expect it: the number of the instance among the app's, the app's
    /// name, the number of the instance among all of the runner's.
    pub fn add_instance(&self, env: &mut Vec<(OsString, OsString)>, name: &str, slot: u16, id: usize) {
        let Declared { instance_var, increment_var, set: declared, .. } = &self.declared;
        let number = instance_var.as_deref().unwrap_or("NODE_APP_INSTANCE");
        for (variable, value) in [(number, slot.to_string()), ("name", name.to_owned()), ("pm_id", id.to_string())] {
            // As in PM2, one that the file declares stays.
            if !declared.iter().any(|(set, _)| set == variable) {
                put(env, variable, value);
            }
        }
        if let Some(counted) = increment_var {
            let first =
                env.iter().find(|(known, _)| known == OsStr::new(counted)).and_then(|(_, value)| value.to_str()?.trim().parse().ok());
            put(env, counted, first.unwrap_or(0_i64).saturating_add(i64::from(slot)).to_string());
        }
    }
}

/// Variables that lead into the home of a user; without them every program falls back to HOME.
const HOMES: [&str; 5] = ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"];

/// What of the caller's environment speaks of the caller speaks of this user instead.
pub(super) fn become_user(env: &mut BTreeMap<OsString, OsString>, identity: &Identity) {
    env.retain(|name, _| !HOMES.iter().any(|home| name == home));
    env.insert("HOME".into(), identity.home.clone().into());
    env.extend(["USER", "LOGNAME"].map(|name| (name.into(), identity.name.clone().into())));
}

/// Sets a variable where they are sorted by name.
fn put(env: &mut Vec<(OsString, OsString)>, name: &str, value: String) {
    match env.binary_search_by(|(known, _)| known.as_os_str().cmp(OsStr::new(name))) {
        Ok(at) => env[at].1 = value.into(),
        Err(at) => env.insert(at, (name.into(), value.into())),
    }
}

fn set_missing(env: &mut BTreeMap<OsString, OsString>, values: &[(OsString, OsString)]) {
    for (name, value) in values {
        env.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// What asks tools for colours although they write into a pipe. The number of `FORCE_COLOR` is the depth that Node and chalk use.
fn colour(host: &Host) -> Vec<(OsString, OsString)> {
    let depth = match (host.text("COLORTERM"), host.text("TERM")) {
        (Some("truecolor" | "24bit"), _) => "3",
        (_, Some(term)) if term.contains("256color") => "2",
        _ => "1",
    };
    [("FORCE_COLOR", depth), ("CLICOLOR_FORCE", "1"), ("PY_COLORS", "1"), ("CARGO_TERM_COLOR", "always")]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
}

/// The env files as typed, made absolute; looked for where they were typed, then in the app's folder.
pub fn find_files(typed: &[PathBuf], host: &Host, cwd: &Path) -> Result<Vec<PathBuf>, Error> {
    typed
        .iter()
        .map(|file| {
            let known = || Some(place::absolute(&host.cwd, file)).filter(|file| host.pipes.knows(file));
            place::find(&[&host.cwd, cwd], file).filter(|found| !found.is_dir()).or_else(known).ok_or_else(|| {
                super::target::missing(file, &host.cwd, format!("--env-file {} was not found: there is no such file", file.display()))
            })
        })
        .collect()
}

/// The names of the variables of an env file whose values are secrets; none where it cannot be read.
pub fn secrets(file: &Path) -> Vec<String> {
    let variables = read_file(file, &Pipes::default()).unwrap_or_default();
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    variables.into_iter().filter_map(text).filter(|(name, value)| secret::is(name, value)).map(|(name, _)| name).collect()
}

fn read_file(file: &Path, pipes: &Pipes) -> Result<Vec<(OsString, OsString)>, Error> {
    let unreadable = |why: String| Error::usage(format!("{} cannot be read as an env file", file.display())).because(why);
    let text = pipes.read(file).map_err(|error| unreadable(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    dotenvy::from_read_iter(text.as_bytes())
        .map(|item| match item {
            Ok((name, value)) => Ok((name.into(), value.into())),
            Err(dotenvy::Error::LineParse(line, _)) => {
                let (number, line) = place_of(text, &line);
                // A value may be a secret, and what has no name may be the second line of one.
                let shown = match line.split_once('=') {
                    Some((name, _)) if is_name(name) => format!(": {name}=…"),
                    Some(_) | None => String::new(),
                };
                Err(Error::usage(format!("{}:{number} is not a line of variables{shown}", file.display()))
                    .hint("write NAME=value, or NAME=\"a value with blanks or # in it\""))
            }
            Err(other) => Err(unreadable(other.to_string())),
        })
        .collect()
}

/// Line number, from 1, and first line of what the parser could not read.
fn place_of<'a>(text: &str, broken: &'a str) -> (usize, &'a str) {
    let broken = broken.trim();
    let at = text.find(broken).unwrap_or_default();
    (text[..at].matches('\n').count() + 1, broken.lines().next().unwrap_or_default())
}

/// Whether a variable could be called so, `export` before it included.
fn is_name(text: &str) -> bool {
    let name = text.strip_prefix("export ").unwrap_or(text).trim();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
