//! What apps are to each other: their names, which of them are meant, what they need, whose port they share.

use std::path::Path;

use crate::{
    config::{
        Host, Request, command,
        name::{self, Naming},
        near,
        node::Document,
        place,
        problem::Problem,
        profile::Profile,
        raw::{Raw, RawApp},
    },
    model::Error,
};

use super::{App, request::value};

/// All apps with their names; two apps of one name are told.
pub fn named<'a>(raw: &'a Raw, profile: Profile, request: &Request, document: &Document, problems: &mut Vec<Problem>) -> Vec<App<'a>> {
    let given: Vec<Option<String>> = raw.apps.iter().map(|app| value(&app.layer(profile).keys.name)).collect();
    // Names that were given come first, so that the others make room for them.
    let mut order: Vec<usize> = (0..given.len()).collect();
    order.sort_by_key(|at| given[*at].is_none());
    let namings: Vec<Naming> = order.iter().map(|at| by_script(&raw.apps[*at], profile, document)).collect();
    let fixed: Vec<String> = order.iter().map_while(|at| given[*at].clone()).collect();
    let unique = name::distinct(&fixed, &namings);
    let mut names = vec![String::new(); given.len()];
    for (at, name) in order.into_iter().zip(unique) {
        names[at] = name;
    }
    let mut apps: Vec<App> = Vec::with_capacity(names.len());
    for (app, name) in raw.apps.iter().zip(names) {
        let layer = app.layer(profile);
        let name = complete(name, app, profile, request);
        let at = layer.keys.name.as_ref();
        let (path, place) = at.map_or((&app.path, app.place), |given| (&given.path, given.place));
        if name.trim().is_empty() {
            let problem = Problem::error(&document.file, place, format!("{path} is empty, but a name tells apps apart")).about(path);
            problems.push(problem.example(r#"name: "api""#));
        } else if let Some(other) = apps.iter().find(|other| other.name == name) {
            let other = if other.raw.path.is_empty() { "another app" } else { &other.raw.path };
            let message = format!("{path} is {name:?}, which is also the name of {other}, but names tell apps apart");
            problems.push(Problem::error(&document.file, place, message).about(path).example(format!("name: \"{name}-2\"")));
        }
        apps.push(App { raw: app, layer, name });
    }
    apps
}

/// With prefix and chosen environment.
fn complete(name: String, app: &RawApp, profile: Profile, request: &Request) -> String {
    let keys = &app.layer(profile).keys;
    let name = match value(&keys.name_prefix) {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name,
    };
    match &request.env_name {
        Some(env) if value(&keys.append_env_to_name) == Some(true) => format!("{name}-{env}"),
        Some(_) | None => name,
    }
}

/// What an app is called after its script.
fn by_script(app: &RawApp, profile: Profile, document: &Document) -> Naming {
    let keys = &app.layer(profile).keys;
    let file_folder = place::folder(&document.file);
    let folder = value(&keys.cwd).map_or(file_folder.to_owned(), |cwd| place::absolute(file_folder, Path::new(&cwd)));
    let script = value(&keys.script).unwrap_or_default();
    let path = place::absolute(&folder, Path::new(&script));
    let is_project = ["Cargo.toml", "go.mod"].iter().any(|name| path.ends_with(name));
    let name = if script.contains(char::is_whitespace) {
        command::name(&script).unwrap_or_else(|| "app".to_owned())
    } else if is_project || path.is_dir() {
        name::of_folder(if is_project { place::folder(&path) } else { &path })
    } else {
        name::of_file(&path)
    };
    Naming { name, folder: place::folder(&path).to_owned() }
}

/// The apps that are meant: all, or those that were named.
pub fn chosen<'a, 'b>(apps: &'b [App<'a>], only: &[String], document: &Document, host: &Host) -> Result<Vec<&'b App<'a>>, Error> {
    if only.is_empty() {
        return Ok(apps.iter().collect());
    }
    for wanted in only {
        if !apps.iter().any(|app| app.name == *wanted) {
            let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
            let file = place::shown(&host.cwd, &document.file);
            let error = Error::usage(format!("{wanted} is no app of {file}; there is {}", names.join(", ")));
            return Err(match near::nearest(wanted, names) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            });
        }
    }
    Ok(apps.iter().filter(|app| only.contains(&app.name)).collect())
}

/// Names in `depends_on` that no app has, and circles.
pub fn check_needs(apps: &[App], document: &Document, problems: &mut Vec<Problem>) {
    let needs = |app: &App| app.layer.keys.depends_on.as_ref().map(|given| given.value.0.clone()).unwrap_or_default();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); apps.len()];
    for (at, app) in apps.iter().enumerate() {
        let Some(given) = &app.layer.keys.depends_on else { continue };
        for (needed, place) in needs(app) {
            let place = if place == crate::config::node::Place::Unknown { given.place } else { place };
            match apps.iter().position(|other| other.name == needed.app) {
                Some(other) => edges[at].push(other),
                None => {
                    let message = format!("{} names {:?}, but no app has that name", given.path, needed.app);
                    let problem = Problem::error(&document.file, place, message).about(&given.path);
                    let names = apps.iter().map(|app| app.name.as_str());
                    let meant = near::nearest(&needed.app, names).map(str::to_owned);
                    problems.push(Problem { suggestion: meant, ..problem });
                }
            }
        }
    }
    let mut told: Vec<usize> = Vec::new();
    for start in 0..apps.len() {
        let Some(circle) = circle(&edges, start).filter(|circle| !circle.iter().any(|at| told.contains(at))) else { continue };
        let Some(given) = &apps[start].layer.keys.depends_on else { continue };
        let names: Vec<&str> = circle.iter().chain([&start]).map(|at| apps[*at].name.as_str()).collect();
        let message = match names.as_slice() {
            [one, _] => format!("{} says that {one} needs itself, so it could never start", given.path),
            several => format!("{} goes in a circle, so none of its apps could start first: {}", given.path, several.join(" needs ")),
        };
        problems.push(Problem::error(&document.file, given.place, message).about(&given.path));
        told.extend(circle);
    }
}

/// The way from an app back to itself, where there is one: the apps on it, itself first.
fn circle(edges: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; edges.len()];
    let mut todo = vec![start];
    while let Some(at) = todo.pop() {
        for next in &edges[at] {
            if *next == start {
                let mut way = vec![at];
                let mut back = at;
                while back != start {
                    back = from[back]?;
                    way.push(back);
                }
                way.reverse();
                return Some(way);
            }
            if from[*next].is_none() {
                from[*next] = Some(at);
                todo.push(*next);
            }
        }
    }
    None
}

/// Two apps with one port are doubtful; one of them may be meant to wait for the other's end.
pub fn check_ports(apps: &[App], document: &Document, problems: &mut Vec<Problem>) {
    let mut ports: Vec<(u16, &str)> = Vec::new();
    for app in apps {
        let Some(port) = app.layer.keys.port.as_ref().filter(|port| port.value != 0) else { continue };
        match ports.iter().find(|(other, _)| *other == port.value) {
            Some((_, other)) => {
                let message = format!("{} is {}, which {other} has as well; one of them will not get it", port.path, port.value);
                problems.push(Problem::error(&document.file, port.place, message).warning().about(&port.path));
            }
            None => ports.push((port.value, &app.name)),
        }
    }
}
