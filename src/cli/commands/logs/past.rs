//! What was said before: from what a runner holds, from files, or from both, in the order of time.
//!
//! The runner knows when each line came that it holds; a file knows it where it has times. A line of a file is given the runner's time where
//! the two agree from the end on; of others it is kept beside the file when they came. Where that is not known, a line counts as said as late
//! as it can have been: before the next one whose time is known, and before its file was written. Lines of one file stay in their order.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    io,
    path::Path,
};

use super::Query;
use crate::log::{
    Stream,
    file::Position,
    history::{Lines, Said, When, Writing},
};

/// Bytes that a runner holds of a line at most: its last ones.
const HELD: usize = 4096;

/// Whose a line is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whose {
    /// The number of the instance among all of the runner's, where one is meant.
    pub id: Option<usize>,
    /// The app's name.
    pub name: String,
    /// Its number among the app's, where that has several and one is meant.
    pub instance: Option<u16>,
}

impl Whose {
    /// As people call it.
    pub fn shown(&self) -> String {
        match self.instance {
            Some(instance) => format!("{}:{instance}", self.name),
            None => self.name.clone(),
        }
    }

    /// An app, whichever of its instances it was.
    pub fn app(name: &str) -> Self {
        Self { id: None, name: name.to_owned(), instance: None }
    }
}

/// A line that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who said it.
    pub whose: Whose,
    /// On which stream.
    pub stream: Stream,
    /// When, in milliseconds since 1970, where that is known.
    pub time: Option<i64>,
    /// The same, or when it was said at the latest; then its place among those that the runner has told, 0 where it has not.
    pub key: (i64, u64),
    /// What, without the line's end.
    pub line: Vec<u8>,
}

/// One of those who write into a file.
#[derive(Debug, Clone)]
pub struct User {
    /// Who.
    pub whose: Whose,
    /// On which stream.
    pub stream: Stream,
    /// What the runner holds of it, oldest first.
    pub held: Vec<Line>,
    /// Whether it has said more than that to this runner.
    pub more: bool,
}

/// What is wanted of lines of one stream that a runner holds, of one instance or of those that share a file.
pub fn held(lines: Vec<Line>, query: &Query) -> Vec<Line> {
    let mut lines: Vec<Line> =
        lines.into_iter().filter(|line| query.since.is_none_or(|since| line.key.0 >= since) && query.wants(&line.line)).collect();
    lines.sort_by_key(|line| line.key);
    if let Some(most) = query.lines {
        lines.drain(..lines.len().saturating_sub(most));
    }
    lines
}

/// What is wanted of a file, oldest first.
///
/// # Errors
/// It cannot be read.
pub fn file(path: &Path, until: Option<&Position>, users: &[User], writing: &Writing, query: &Query) -> io::Result<Vec<Line>> {
    let mut users = users.to_vec();
    // Those who share a file are asked for together: of what they say, nobody knows in which order, but the file.
    let streams =
        usize::from(users.iter().any(|user| user.stream == Stream::Out)) + usize::from(users.iter().any(|user| user.stream == Stream::Err));
    let mut lines = Lines::of(path, until)?;
    let mut found: Vec<Line> = Vec::new();
    let mut counts = [0; 2];
    let mut agrees = true;
    let mut latest = i64::MAX;
    while let Some(bytes) = lines.line()? {
        let said = writing.read(bytes);
        if said.number.is_some() && owner(&users, said.number).is_none() {
            continue;
        }
        let matching = if agrees { take_held(&mut users, &said) } else { None };
        agrees = matching.is_some();
        let known = matching.is_some() || said.stream.is_some() || users.iter().all(|user| user.stream == users[0].stream);
        let (whose, stream, time, place) = match matching {
            Some(line) => {
                latest = latest.min(line.key.0);
                (line.whose, line.stream, line.time, line.key.1)
            }
            None => {
                let Some(whose) = owner(&users, said.number) else { continue };
                let stream = said.stream.or(users.first().filter(|_| known).map(|user| user.stream)).unwrap_or(Stream::Out);
                let (when, written) = (lines.when(), lines.written());
                let stands = said.time.map(|time| time.as_millisecond());
                latest = latest.min(stands.map_or(when.latest(), |time| time.min(written)));
                let known = match when {
                    When::At(time) => Some(time),
                    When::By(_) => None,
                };
                (whose, stream, stands.or(known), 0)
            }
        };
        if query.since.is_some_and(|since| latest < since) {
            break;
        }
        if query.stream.is_some_and(|only| only != stream) || !query.wants(&said.line) {
            continue;
        }
        if let Some(wanted) = query.lines {
            let limit = wanted.saturating_mul(if known { 1 } else { streams });
            let own = &mut counts[stream as usize];
            if *own < limit {
                *own += 1;
                found.push(Line { whose, stream, time, key: (latest, place), line: said.line });
            }
            if found.len() >= wanted.saturating_mul(streams) {
                break;
            }
        } else {
            found.push(Line { whose, stream, time, key: (latest, place), line: said.line });
        }
    }
    found.reverse();
    Ok(found)
}

/// The newest line that is held of any of these who may have said this, if it is this one.
fn take_held(users: &mut [User], said: &Said) -> Option<Line> {
    let end = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // What the runner tells is text; what is none was replaced there.
        String::from_utf8_lossy(&line[line.len().saturating_sub(HELD - 1)..]).into_owned()
    };
    let shown = end(&said.line);
    let may = |user: &User| {
        said.number.is_none_or(|number| user.whose.id == Some(number)) && said.stream.is_none_or(|stream| user.stream == stream)
    };
    let is_it = |user: &&mut User| may(user) && user.held.last().is_some_and(|held| end(&held.line) == shown);
    if users.iter().any(|user| may(user) && user.more && user.held.is_empty()) {
        // Who has said more than is held of it may have said this as well.
        return None;
    }
    let user = users.iter_mut().filter(is_it).max_by_key(|user| user.held.last().map(|held| held.key))?;
    user.held.pop()
}

/// Whose a line is: that of the number that stands in it, else of the only one, else of the app or the apps; `None`: nobody's who is wanted.
fn owner(users: &[User], number: Option<usize>) -> Option<Whose> {
    let first = users.first()?;
    if let Some(number) = number {
        // Where nobody could be asked, all numbers are unknown.
        let of_number = users.iter().find(|user| user.whose.id == Some(number)).map(|user| user.whose.clone());
        return of_number.or_else(|| first.whose.id.is_none().then(|| first.whose.clone()));
    }
    let is_one = users.iter().all(|user| user.whose == first.whose);
    let names: BTreeSet<&str> = users.iter().map(|user| user.whose.name.as_str()).collect();
    Some(if is_one { first.whose.clone() } else { Whose::app(&Vec::from_iter(names).join(", ")) })
}

/// Lines of several places, each in their order, in the order of time; of those of one time and of no known place, standard output first.
pub fn merged(mut places: Vec<Vec<Line>>) -> Vec<Line> {
    places.sort_by_key(|lines| lines.first().map(|line| line.stream as usize));
    let mut places: Vec<_> = places.into_iter().map(|lines| lines.into_iter().peekable()).collect();
    let mut next: BinaryHeap<_> = places.iter_mut().enumerate().filter_map(|(at, lines)| Some(Reverse((lines.peek()?.key, at)))).collect();
    let mut all = Vec::new();
    while let Some(Reverse((_, at))) = next.pop() {
        all.extend(places[at].next());
        next.extend(places[at].peek().map(|line| Reverse((line.key, at))));
    }
    all
}

#[cfg(test)]
mod tests;
