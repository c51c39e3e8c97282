//! The environment of an app: the caller's, then env files, then what the profile and the interpreter need where nobody has set it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use crate::model::Error;

use super::{Host, lookup::Search, place, profile::Profile, program::Program};

/// Variables by which people have already said what they think of colour: <https://no-color.org>, <https://force-color.org>, <https://bixense.com/clicolors>.
const COLOUR_SAID: [&str; 5] = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "NODE_DISABLE_COLORS"];

/// What an app's environment is made of, kept so that edited env files can be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvRecipe {
    inherited: BTreeMap<OsString, OsString>,
    files: Vec<PathBuf>,
    defaults: Vec<(OsString, OsString)>,
    colour: Vec<(OsString, OsString)>,
    fixed: Vec<(OsString, OsString)>,
}

impl EnvRecipe {
    /// The recipe for a program that runs in `cwd`, with the env files already found.
    pub(super) fn new(host: &Host, profile: Profile, program: &Program, search: &Search, cwd: &Path, files: Vec<PathBuf>) -> Self {
        let inherited: BTreeMap<_, _> = host.env.iter().cloned().collect();
        let mut defaults = vec![(OsString::from("NODE_ENV"), OsString::from(profile.node_env()))];
        defaults.extend(program.env.iter().map(|(name, value)| (OsString::from(name), value.clone())));
        let mut fixed = vec![(OsString::from("PATH"), search.path())];
        fixed.extend(program.fixed.iter().map(|(name, value)| (OsString::from(name), value.clone())));
        // A shell keeps PWD true; Go, sh and make believe it.
        if inherited.contains_key(OsStr::new("PWD")) {
            fixed.push((OsString::from("PWD"), cwd.into()));
        }
        Self { inherited, files, defaults, colour: if host.colour { colour(host) } else { Vec::new() }, fixed }
    }

    /// The env files, absolute.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The environment as the env files say now, sorted by name. A variable of the caller wins over the files, as in `node --env-file`;
    /// a later file wins over an earlier one. The error names file and line.
    pub fn read(&self) -> Result<Vec<(OsString, OsString)>, Error> {
        let mut env = BTreeMap::new();
        for file in &self.files {
            env.extend(read_file(file)?);
        }
        env.extend(self.inherited.clone());
        if !COLOUR_SAID.iter().any(|name| env.contains_key(OsStr::new(name))) {
            set_missing(&mut env, &self.colour);
        }
        set_missing(&mut env, &self.defaults);
        env.extend(self.fixed.iter().cloned());
        Ok(env.into_iter().collect())
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
            place::find(&[&host.cwd, cwd], file).filter(|found| !found.is_dir()).ok_or_else(|| {
                super::target::missing(file, &host.cwd, format!("--env-file {} was not found: there is no such file", file.display()))
            })
        })
        .collect()
}

fn read_file(file: &Path) -> Result<Vec<(OsString, OsString)>, Error> {
    let unreadable = |why: String| Error::usage(format!("{} cannot be read as an env file", file.display())).because(why);
    let text = fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    dotenvy::from_read_iter(text.as_bytes())
        .map(|item| match item {
            Ok((name, value)) => Ok((name.into(), value.into())),
            Err(dotenvy::Error::LineParse(line, _)) => {
                let (number, line) = place_of(text, &line);
                Err(Error::usage(format!("{}:{number} is not a line of variables: {line}", file.display()))
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
