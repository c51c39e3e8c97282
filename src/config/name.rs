//! Names of apps: as given, else from what is run; made unique by folders.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::model::Error;

/// What an app could be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The name it gets if no other app has it.
    pub name: String,
    /// The folder that tells it from others of that name, absolute.
    pub folder: PathBuf,
}

/// Gives every app its name: those given first, in order, then unique ones for the rest. Two equal given names are an error.
pub fn settle(given: &[String], apps: &[Naming]) -> Result<Vec<String>, Error> {
    if given.len() > apps.len() {
        let extra = &given[apps.len()];
        let error =
            Error::usage(format!("--name {extra} names nothing: {} for {}", count(given.len(), "name"), count(apps.len(), "TARGET")));
        return Err(error.hint("give one --name for each TARGET, in their order"));
    }
    for (at, name) in given.iter().enumerate() {
        if name.trim().is_empty() {
            return Err(Error::usage("--name was given without a name").hint("example: --name api"));
        }
        if given[..at].contains(name) {
            return Err(Error::usage(format!("--name {name} was given twice, but names tell apps apart")));
        }
    }
    Ok(distinct(given, apps))
}

/// Names for all: those given for the first, in order, then unique ones for the rest.
pub fn distinct(given: &[String], apps: &[Naming]) -> Vec<String> {
    let mut names: Vec<String> = apps.iter().map(|app| app.name.clone()).collect();
    names[..given.len()].clone_from_slice(given);
    // Each round takes one more folder into the names that still clash; a chain of folders ends at the root.
    for depth in 1.. {
        let clashing = clashes(&names, given.len());
        let Some(deepest) = clashing.iter().map(|at| apps[*at].folder.components().count()).max() else { break };
        if depth > deepest {
            break;
        }
        for at in clashing {
            names[at] = prefixed(&apps[at], depth);
        }
    }
    for at in given.len()..names.len() {
        let wanted = names[at].clone();
        let mut number = 2;
        while names[..at].contains(&names[at]) {
            names[at] = format!("{wanted}-{number}");
            number += 1;
        }
    }
    names
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The apps after the first `fixed` whose name another app has as well.
fn clashes(names: &[String], fixed: usize) -> Vec<usize> {
    let mut times = BTreeMap::<&str, usize>::new();
    for name in names {
        *times.entry(name).or_default() += 1;
    }
    (fixed..names.len()).filter(|at| times[names[*at].as_str()] > 1).collect()
}

/// `api-index` from `…/api` and `index`, with as many folders as `depth` says.
fn prefixed(app: &Naming, depth: usize) -> String {
    let folders: Vec<_> = app.folder.iter().skip(1).map(|part| part.to_string_lossy()).collect();
    let kept = &folders[folders.len().saturating_sub(depth)..];
    let mut parts: Vec<&str> = kept.iter().map(AsRef::as_ref).collect();
    // A folder's own name is not repeated: `web/api` and `old/api` are `web-api` and `old-api`.
    if parts.last() != Some(&app.name.as_str()) {
        parts.push(&app.name);
    }
    parts.join("-")
}

/// A file's stem, or the file's name where it has none.
pub fn of_file(path: &Path) -> String {
    path.file_stem().or(path.file_name()).map_or_else(|| "app".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// A folder's name.
pub fn of_folder(path: &Path) -> String {
    path.file_name().map_or_else(|| "app".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps(list: &[(&str, &str)]) -> Vec<Naming> {
        list.iter().map(|(name, folder)| Naming { name: (*name).to_owned(), folder: PathBuf::from(folder) }).collect()
    }

    #[test]
    fn clashes_get_their_folder() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: [Case; 7] = [
            (&[("app", "/p"), ("worker", "/p")], &["app", "worker"]),
            (&[("index", "/p/api"), ("index", "/p/web")], &["api-index", "web-index"]),
            (&[("index", "/p/api"), ("worker", "/p"), ("index", "/p/web")], &["api-index", "worker", "web-index"]),
            (&[("app", "/p/a/x"), ("app", "/p/b/x")], &["a-x-app", "b-x-app"]),
            (&[("api", "/p/web/api"), ("api", "/p/old/api")], &["web-api", "old-api"]),
            (&[("app", "/p"), ("app", "/p")], &["p-app", "p-app-2"]),
            (&[("app", "/"), ("app", "/")], &["app", "app-2"]),
        ];
        for (given, expected) in cases {
            assert_eq!(settle(&[], &apps(given)).unwrap(), expected, "{given:?}");
        }
    }

    #[test]
    fn given_names_stay_and_come_first() {
        let both = apps(&[("a", "/p"), ("api", "/p/web")]);
        assert_eq!(settle(&["api".into()], &both).unwrap(), ["api", "web-api"]);
        let one = apps(&[("a", "/p")]);
        insta::assert_snapshot!(settle(&["x".into(), "y".into()], &one).unwrap_err(), @"--name y names nothing: 2 names for 1 TARGET");
        insta::assert_snapshot!(settle(&["x".into(), "x".into()], &both).unwrap_err(), @"--name x was given twice, but names tell apps apart");
    }
}
