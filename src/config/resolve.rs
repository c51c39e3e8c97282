//! The order in which a request becomes specs: profile, targets, project files, names, environment, watching.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use crate::model::{ActionRule, AppSpec, Error, Notice, WatchSpec};

use super::{
    Host, Request, WatchArg, account,
    draft::{Draft, Drafter, app_folder},
    ecosystem::{self, Ecosystem},
    environment::EnvRecipe,
    flags, logs,
    lookup::Searches,
    name,
    node::Document,
    place,
    profile::Profile,
    source,
    target::{self, Target},
    watching, writable,
};

/// A request, completed.
#[derive(Debug, Default)]
pub struct Resolved {
    /// What shall run, in the order of the targets.
    pub apps: Vec<AppSpec>,
    /// What each app's environment was made of, in the same order: to be read again when an env file was edited.
    pub env: Vec<EnvRecipe>,
    /// What people should know before anything runs.
    pub notices: Vec<Notice>,
    /// The project files, and the env files they name, absolute: an edit of one of them is applied.
    pub files: Vec<PathBuf>,
    /// What project files of JavaScript load, absolute: an edit of one of them is applied, and is a save for the apps that watch it.
    pub modules: Vec<PathBuf>,
}

impl Resolved {
    /// The same with these apps alone.
    #[must_use]
    pub fn keep(self, mut kept: impl FnMut(&AppSpec) -> bool) -> Self {
        let Self { apps, env, notices, files, modules } = self;
        let (apps, env) = apps.into_iter().zip(env).filter(|(app, _)| kept(app)).unzip();
        Self { apps, env, notices, files, modules }
    }
}

/// What a target stands for.
enum Planned {
    /// One app.
    App(Box<Draft>),
    /// Apps of a project file, already complete.
    Apps(Ecosystem),
}

/// Completes a request. It reads files, looks for programs, and may ask node or cargo through [`Host::ask`].
///
/// # Errors
/// Anything that keeps an app from being run as it was asked for; then none is.
pub fn resolve(request: &Request, host: &Host) -> Result<Resolved, Error> {
    let profile = Profile::choose(request, host)?;
    profile.stop(request, host)?;
    profile.ready(host)?;
    let (layer, identity) = flags::layer(&request.flags, host)?;
    let asking = Host { asks_as: identity.clone(), ..host.clone() };
    let host = &asking;
    let request = &Request { source_maps: ecosystem::source_maps(&layer), ..request.clone() };
    let mut resolved = Resolved::default();
    let searches = Searches::default();
    let mut drafter =
        Drafter { request, host, profile, cwd: app_folder(request, host)?, path: None, searches: &searches, notices: Vec::new() };
    let planned = plan(&mut drafter, &mut resolved)?;
    if let (Some(first), true) = (only(request).first(), planned.iter().all(|planned| matches!(planned, Planned::App(_)))) {
        return Err(Error::usage(format!("--only {first} names an app of a project file, and no TARGET is one"))
            .hint("leave out --only, or the TARGETs that are to stay away"));
    }
    let drafts: Vec<&Draft> = planned
        .iter()
        .filter_map(|planned| match planned {
            Planned::App(draft) => Some(&**draft),
            Planned::Apps(_) => None,
        })
        .collect();
    let namings: Vec<_> = drafts.iter().map(|draft| draft.naming.clone()).collect();
    let lone = match planned.as_slice() {
        [Planned::Apps(ecosystem)] if ecosystem.apps.len() == 1 && request.names.len() == 1 => request.names.first().cloned(),
        _ => None,
    };
    let mut names = name::settle(if lone.is_some() { &[] } else { &request.names }, &namings)?.into_iter();
    for planned in planned {
        match planned {
            Planned::App(draft) => {
                let name = names.next().expect("every draft was given a name");
                let cwd = draft.cwd.clone();
                let (spec, recipe) = drafter.spec(*draft, name, ecosystem::declared(&layer, profile, request, &[]))?;
                let mut spec = ecosystem::complete_spec(spec, &layer, &cwd, Vec::new(), host);
                account::harden(&mut spec, identity.clone());
                resolved.apps.push(spec);
                resolved.env.push(recipe);
            }
            Planned::Apps(ecosystem) => {
                resolved.apps.extend(ecosystem.apps);
                resolved.env.extend(ecosystem.env);
                resolved.notices.extend(ecosystem.notices);
                resolved.files.extend(ecosystem.files);
            }
        }
    }
    if let (Some(name), [app]) = (lone, resolved.apps.as_mut_slice()) {
        app.name = name;
    }
    resolved.notices.append(&mut drafter.notices);
    // What was a pipe does not change any more.
    let named = resolved.env.iter().flat_map(EnvRecipe::files).filter(|file| file.is_file() || !host.pipes.knows(file)).cloned();
    resolved.files.extend(named.collect::<Vec<_>>());
    let mut seen = HashSet::new();
    resolved.files.retain(|file| seen.insert(file.clone()));
    let read: BTreeSet<&PathBuf> = resolved.env.iter().flat_map(EnvRecipe::files).collect();
    for file in read {
        writable::check(file, profile, host, &mut resolved.notices)?;
    }
    resolved.notices.extend(writable::as_root(&resolved.apps, &request.told_as_root, profile, host));
    distinct(&resolved.apps)?;
    logs::settle(&mut resolved.apps, &resolved.files, request, host, &mut resolved.notices)?;
    Ok(resolved)
}

/// Apps of several project files, or of one and a script, may share a name.
fn distinct(apps: &[AppSpec]) -> Result<(), Error> {
    let twice = apps.iter().enumerate().find(|(at, app)| apps[..*at].iter().any(|other| other.name == app.name));
    match twice {
        Some((_, app)) => Err(Error::usage(format!("{} is the name of two apps, but names tell apps apart", app.name))
            .hint("start them from two terminals, or give one of them another name")),
        None => Ok(()),
    }
}

/// What each target stands for.
fn plan(drafter: &mut Drafter, resolved: &mut Resolved) -> Result<Vec<Planned>, Error> {
    let (request, host) = (drafter.request, drafter.host);
    if request.targets.is_empty() {
        let folder = drafter.folder_of_apps();
        if let Some(file) = source::discover(&folder) {
            return Ok(vec![project(&file, folder, &only(request), drafter, resolved)?]);
        }
        still_there(&folder, request, host)?;
        if let Some(first) = only(request).first() {
            return Err(Error::usage(format!("--only {first} names an app of a project file, and {} has none", folder.display())));
        }
        return Ok(vec![Planned::App(Box::new(drafter.folder(&folder, "No TARGET was given, and this folder")?))]);
    }
    let mut planned = Vec::new();
    // Apps of the folder's own file that were named, to be completed together.
    let mut members: Vec<String> = Vec::new();
    let mut own: Option<(PathBuf, Document, Vec<String>)> = None;
    for typed in &request.targets {
        let cwd = drafter.folder_of_apps();
        let exists = place::find(&[&host.cwd, &cwd], Path::new(typed)).is_some();
        if let (false, Some(name)) = (exists, typed.to_str()) {
            if own.is_none()
                && let Some(file) = source::discover(&cwd)
            {
                let document = read(&file, drafter)?;
                let names = ecosystem::names(&document, request, drafter.profile);
                own = Some((file, document, names));
            }
            if own.as_ref().is_some_and(|(_, _, names)| names.iter().any(|known| known == name)) {
                members.push(name.to_owned());
                continue;
            }
        }
        planned.push(match target::classify(typed, drafter.cwd.as_deref(), host)? {
            Target::ProjectFile(file) => project(&file, cwd, &only(request), drafter, resolved)?,
            Target::Folder(folder) => match source::discover(&folder) {
                Some(file) => project(&file, folder, &only(request), drafter, resolved)?,
                None => {
                    still_there(&folder, request, host)?;
                    Planned::App(Box::new(drafter.target(typed, Target::Folder(folder))?))
                }
            },
            target @ (Target::Script(_) | Target::Line(_)) => Planned::App(Box::new(drafter.target(typed, target)?)),
        });
    }
    if let (false, Some((file, document, _))) = (members.is_empty(), own) {
        resolved.files.push(file);
        resolved.modules.extend(document.modules.iter().cloned());
        let bases = [drafter.folder_of_apps()];
        let ecosystem = ecosystem::apps(&document, &bases, &members, drafter.profile, request, host)?;
        planned.insert(0, Planned::Apps(ecosystem));
    }
    Ok(planned)
}

/// Refuses a folder that has lost its project file: what else it could be made to run was never asked for.
fn still_there(folder: &Path, request: &Request, host: &Host) -> Result<(), Error> {
    let is_lost = |file: &&PathBuf| file.parent() == Some(folder) && source::Format::of(file).is_some();
    match request.known.iter().find(is_lost) {
        Some(file) => {
            let file = place::shown(&host.cwd, file);
            Err(Error::usage(format!("{file} does not say any more what shall run, and nothing else in its folder does"))
                .hint("put it back; to stop its apps, end pmdev"))
        }
        None => Ok(()),
    }
}

/// The apps of a project file. Its paths count from `base`, as in PM2 the folder the command was typed in, and then from its own folder.
fn project(file: &Path, base: PathBuf, only: &[String], drafter: &mut Drafter, resolved: &mut Resolved) -> Result<Planned, Error> {
    let document = read(file, drafter)?;
    let mut bases = vec![base];
    let own = place::folder(&document.file).to_owned();
    if !bases.contains(&own) {
        bases.push(own);
    }
    resolved.files.push(document.file.clone());
    resolved.modules.extend(document.modules.iter().cloned());
    ecosystem::apps(&document, &bases, only, drafter.profile, drafter.request, drafter.host).map(Planned::Apps)
}

/// Reads a project file, unless others could have written it, or what it loads: JavaScript runs as it is read.
fn read(file: &Path, drafter: &mut Drafter) -> Result<Document, Error> {
    let file = place::absolute(&drafter.host.cwd, file);
    let (profile, host, notices) = (drafter.profile, drafter.host, &mut drafter.notices);
    writable::check(&file, profile, host, notices)?;
    let document = source::read(&file, writable::refuses(profile, host), host)?;
    for module in &document.modules {
        writable::check(module, profile, host, notices)?;
    }
    Ok(document)
}

/// The names of `--only`, with commas or blanks between.
fn only(request: &Request) -> Vec<String> {
    let words = request.only.iter().flat_map(|list| list.split([',', ' ']));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The names of the apps of a project file.
///
/// # Errors
/// It cannot be read.
pub fn app_names(file: &Path, host: &Host) -> Result<Vec<String>, Error> {
    let document = source::read(file, false, host)?;
    Ok(ecosystem::names(&document, &Request::default(), Profile::Background))
}

/// What is watched for an app, and what saves do to it.
#[derive(Debug)]
pub struct Watching {
    /// The app's name.
    pub name: String,
    /// What is watched.
    pub spec: WatchSpec,
    /// What saves below given paths do instead of a restart.
    pub rules: Vec<ActionRule>,
}

/// What would be watched, by app, whatever the profile says. Without a target and anything to detect: what would be for a program in this folder.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_watch(request: &Request, host: &Host) -> Result<Vec<Watching>, Error> {
    let mut request = request.clone();
    request.no_watch = false;
    let in_project =
        request.targets.is_empty() && source::discover(&app_folder(&request, host)?.unwrap_or_else(|| host.cwd.clone())).is_some();
    if request.watch.is_empty() && !in_project {
        request.watch.push(WatchArg::Default);
    }
    let specs = match resolve(&request, host) {
        Ok(resolved) => {
            resolved.apps.into_iter().filter_map(|app| Some(Watching { name: app.name, spec: app.watch?, rules: app.rules })).collect()
        }
        Err(_) if request.targets.is_empty() && !in_project => {
            let cwd = app_folder(&request, host)?.unwrap_or_else(|| host.cwd.clone());
            let name = name::of_folder(&cwd);
            let app = watching::App { name: &name, cwd: &cwd, script: None, build: None };
            let spec = watching::spec(&app, &request, Profile::Dev, host, &mut Vec::new())?;
            spec.map(|spec| Watching { name, spec, rules: Vec::new() }).into_iter().collect()
        }
        Err(error) => return Err(error),
    };
    Ok(specs)
}
