//! What apps said whose runner has ended: their log files in the runner's own folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use super::{
    Query,
    past::{self, User, Whose},
    view::View,
};
use crate::{
    cli::{print, reach::nobody},
    config,
    control::Folders,
    log::{Stream, file::rotate, history::Writing},
    model::{Error, Level},
};

/// Shows what is in the files.
pub fn show_all(targets: &[String], query: &Query, mut view: View, follow: bool) -> Result<u8, Error> {
    let folder = Folders::find(|name| env::var_os(name)).ok_or_else(nobody)?.home.join("logs");
    let known = files(&folder);
    if known.is_empty() {
        return Err(nobody());
    }
    let names = meant(targets, known.keys()).map_err(|unknown| {
        let there: Vec<&str> = known.keys().map(String::as_str).collect();
        Error::no_runner(format!("No runner is there, and {} has no log files of {unknown}", folder.display()))
            .hint(format!("it has some of {}", there.join(", ")))
    })?;
    let mut places = Vec::new();
    let mut all = BTreeMap::new();
    for name in names {
        let whose = Whose::app(&name);
        for (path, streams) in &known[&name] {
            let users: Vec<User> =
                streams.iter().map(|stream| User { whose: whose.clone(), stream: *stream, held: Vec::new(), more: false }).collect();
            if users.iter().any(|user| query.stream.is_none_or(|only| only == user.stream)) {
                let read = past::file(path, None, &users, &Writing::unknown(), query);
                places.push(read.map_err(|error| Error::failed(format!("{} cannot be read", path.display())).because(error))?);
            }
        }
        all.insert(whose, None);
    }
    view.set(all);
    let mut shown: Vec<u8> = past::merged(places).iter().flat_map(|line| view.line(line)).collect();
    if follow {
        shown.extend(view.say(Level::Info, format!("no runner is there: this is what stands in {}", folder.display())));
    }
    print(&shown);
    Ok(0)
}

/// The log files of a folder by the names in them, with what goes into each.
fn files(folder: &Path) -> BTreeMap<String, BTreeMap<PathBuf, Vec<Stream>>> {
    let mut found: BTreeMap<String, BTreeMap<PathBuf, Vec<Stream>>> = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = entry.file_name();
        let Some((file, name, streams)) = own.to_str().and_then(named) else { continue };
        found.entry(name).or_default().insert(folder.join(file), streams);
    }
    found
}

/// The log file that an entry is part of, put away or not, the app's name in it, and what goes there: `api-out.log`, `api-error-2.log`,
/// `api.log` for both.
fn named(entry: &str) -> Option<(&str, String, Vec<Stream>)> {
    let end = entry.find(".log")? + ".log".len();
    let (file, rest) = entry.split_at(end);
    if !rest.is_empty() {
        rotate::stamp(rest.strip_prefix('.')?)?;
    }
    let stem = file.strip_suffix(".log")?;
    let numbered = stem.rsplit_once('-').filter(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    for stem in [Some(stem), numbered.map(|(stem, _)| stem)].into_iter().flatten() {
        for (ending, stream) in [("-out", Stream::Out), ("-error", Stream::Err)] {
            if let Some(name) = stem.strip_suffix(ending) {
                return Some((file, name.to_owned(), vec![stream]));
            }
        }
    }
    Some((file, stem.to_owned(), vec![Stream::Out, Stream::Err]))
}

/// The names that are meant, or the first word that means none.
fn meant<'a>(targets: &[String], known: impl Iterator<Item = &'a String> + Clone) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    for word in targets {
        let regex = word.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).and_then(|pattern| Regex::new(pattern).ok());
        let plain = config::logs::plain(word);
        let is_meant = |name: &&String| word == "all" || **name == plain || regex.as_ref().is_some_and(|regex| regex.is_match(name));
        let before = names.len();
        names.extend(known.clone().filter(is_meant).cloned());
        if names.len() == before && !known.clone().any(|name| is_meant(&name)) {
            return Err(word.clone());
        }
    }
    if targets.is_empty() {
        names.extend(known.cloned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_files() {
        let shown = |entry: &str| named(entry).map(|(file, name, streams)| format!("{file} {name} {streams:?}"));
        for (entry, expected) in [
            ("api-out.log", Some("api-out.log api [Out]")),
            ("api-2-error.log", Some("api-2-error.log api-2 [Err]")),
            ("api-out-2.log.20260304T183709.042Z.gz", Some("api-out-2.log api [Out]")),
            ("api.log", Some("api.log api [Out, Err]")),
            ("api-out.log.1", None),
            ("notes.txt", None),
        ] {
            assert_eq!(shown(entry).as_deref(), expected, "{entry}");
        }
    }

    #[test]
    fn words_mean_names() {
        let known = ["api".to_owned(), "shop-web".to_owned()];
        let names = |targets: &[&str]| {
            let targets: Vec<String> = targets.iter().map(|word| (*word).to_owned()).collect();
            meant(&targets, known.iter()).map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&[]).unwrap(), "api shop-web");
        assert_eq!(names(&["api", "all"]).unwrap(), "api shop-web");
        assert_eq!(names(&["shop:web"]).unwrap(), "shop-web");
        assert_eq!(names(&["/^sh/"]).unwrap(), "shop-web");
        assert_eq!(names(&["api", "nobody"]).unwrap_err(), "nobody");
    }
}
