//! The user's own patterns: PM2's `ignore_watch` globs, regexes where one looks like it, `!pattern` takes back.
//! PM2 hands them to chokidar 3 with `cwd`: a glob is relative to that folder, covers what lies below a match, and `*` stops at `/`.

mod extglob;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use globset::{Candidate, Glob, GlobBuilder, GlobSet};
use regex::bytes::Regex;

use super::paths;
use crate::model::Error;

/// A list of patterns; the last one that matches decides.
#[derive(Debug)]
pub struct Patterns {
    base: PathBuf,
    list: Vec<Pattern>,
    relative: Set,
    absolute: Set,
    regexes: Vec<(usize, Regex)>,
}

/// One pattern of the list.
#[derive(Debug)]
pub struct Pattern {
    /// As the user wrote it.
    pub text: String,
    /// Whether it takes back.
    pub negated: bool,
    /// The folder it is written for and the glob below it, where it is a relative glob.
    pub glob: Option<String>,
    /// Whether it means folders only: it ended with `/`.
    dirs_only: bool,
    /// Whether it begins with `**/`, and so has a meaning outside the base too.
    anywhere: bool,
}

/// Globs tested together, with the pattern each belongs to.
#[derive(Debug, Default)]
struct Set {
    globs: GlobSet,
    of: Vec<usize>,
}

impl Patterns {
    /// Compiles the list. An error names the pattern and the line to write instead.
    pub fn new(base: &Path, texts: &[String]) -> Result<Self, Error> {
        let mut list = Vec::with_capacity(texts.len());
        let (mut relative, mut absolute, mut regexes) = (Building::default(), Building::default(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            let (negated, body) = match text.strip_prefix('!') {
                Some(rest) if !rest.starts_with('(') => (true, rest),
                Some(_) | None => (false, text.as_str()),
            };
            let mut pattern = Pattern { text: text.clone(), negated, glob: None, dirs_only: false, anywhere: false };
            if is_regex(body) {
                regexes.push((index, compile_regex(body, text)?));
            } else {
                pattern.dirs_only = body.ends_with('/');
                let body = body.trim_end_matches('/');
                let body = body.strip_suffix("/**").unwrap_or(body);
                let body = body.trim_start_matches("./");
                if body.starts_with('/') {
                    absolute.push(index, compile("ignore pattern", body, text)?);
                } else if body.starts_with("../") {
                    let (up, rest) = climb(base, body);
                    let whole = format!("{}/{rest}", globset::escape(&up.to_string_lossy()));
                    absolute.push(index, compile("ignore pattern", &whole, text)?);
                } else {
                    pattern.anywhere = body.starts_with("**");
                    relative.push(index, compile("ignore pattern", body, text)?);
                    pattern.glob = Some(body.to_owned());
                }
            }
            list.push(pattern);
        }
        Ok(Self { base: base.to_owned(), list, relative: relative.build()?, absolute: absolute.build()?, regexes })
    }

    /// The pattern that decides about a path below `root`.
    pub fn matching(&self, path: &Path, root: &Path, is_dir: bool) -> Option<&Pattern> {
        if self.list.is_empty() {
            return None;
        }
        let mut last = None;
        let mut consider = |index: usize| {
            if (is_dir || !self.list[index].dirs_only) && last.is_none_or(|before| before < index) {
                last = Some(index);
            }
        };
        match paths::below(path, &self.base) {
            Some(rest) => self.relative.each(rest, &mut consider),
            None => {
                let rest = paths::below(path, root).unwrap_or(path);
                self.relative.each(rest, &mut |index| {
                    if self.list[index].anywhere {
                        consider(index);
                    }
                });
            }
        }
        self.absolute.each(path, &mut consider);
        for (index, regex) in &self.regexes {
            let bytes = path.as_os_str().as_bytes();
            // People write `/logs/` and mean the folder too.
            if regex.is_match(bytes) || (is_dir && regex.is_match(&[bytes, b"/"].concat())) {
                consider(*index);
            }
        }
        last.map(|index| &self.list[index])
    }

    /// All patterns, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.list.iter()
    }
}

impl Set {
    fn each(&self, path: &Path, f: &mut dyn FnMut(usize)) {
        if !self.of.is_empty() {
            for index in self.globs.matches_candidate(&Candidate::new(path)) {
                f(self.of[index]);
            }
        }
    }
}

/// A [`Set`] before it is compiled.
#[derive(Default)]
struct Building {
    globs: Vec<Glob>,
    of: Vec<usize>,
}

impl Building {
    fn push(&mut self, index: usize, glob: Glob) {
        self.globs.push(glob);
        self.of.push(index);
    }

    fn build(self) -> Result<Set, Error> {
        let globs = GlobSet::new(&self.globs).map_err(|e| Error::usage("The ignore patterns are too large together").because(e))?;
        Ok(Set { globs, of: self.of })
    }
}

/// A string with a backslash, a leading `^` or a trailing `$` cannot be a sensible glob: its author meant a regex.
fn is_regex(body: &str) -> bool {
    body.contains('\\') || body.starts_with('^') || body.ends_with('$')
}

fn compile_regex(body: &str, text: &str) -> Result<Regex, Error> {
    Regex::new(body).map_err(|e| {
        let error =
            Error::usage(format!("The ignore pattern {text:?} looks like a regex, but is none that is understood")).because(last_line(&e));
        if body.contains("(?!") || body.contains("(?=") || body.contains("(?<") {
            error.hint("look-around does not exist here: write one pattern for what to ignore, and after it \"!PATTERN\" for what to keep")
        } else {
            error.hint("a glob has no backslash, no leading ^ and no trailing $: write it with / and * alone")
        }
    })
}

/// The regex crate draws a picture; its last line is the sentence.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Takes `..` off the front of a pattern and off the end of the folder.
fn climb<'a>(base: &Path, mut body: &'a str) -> (PathBuf, &'a str) {
    let mut up = base.to_owned();
    while let Some(rest) = body.strip_prefix("../") {
        up.pop();
        body = rest;
    }
    (up, body)
}

/// Compiles one glob: `*` stops at `/`, `\` takes the meaning of the next sign away, `@(a|b)` is `{a,b}`.
/// `what` is what the user calls it, `text` how it was written.
pub fn compile(what: &str, body: &str, text: &str) -> Result<Glob, Error> {
    let body = extglob::rewrite(what, body, text)?;
    GlobBuilder::new(&body).literal_separator(true).backslash_escape(true).build().map_err(|e| {
        Error::usage(format!("The {what} {text:?} is not a glob that is understood"))
            .because(e.kind())
            .hint("put a sign that shall stand for itself in brackets: [{] instead of {")
    })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
