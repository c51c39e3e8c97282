//! A project file and a profile become specs: the apps that are meant, each completed by the code that completes targets, and everything that is wrong at once.
//! It reads no project file itself and starts nothing; what a key may hold was settled when it was read.
//! Start reading with [`apps`], then [`request`] (an app as if it were typed) and [`spec`](mod@spec) (the keys that no flag has).

mod graph;
mod needs;
mod notes;
mod place;
mod request;
mod spec;

pub use request::{declared, source_maps};
pub use spec::{complete as complete_spec, default_pid_file};

use std::{ffi::OsString, path::PathBuf};

use crate::model::{AppSpec, Error, Notice};

use super::{
    Host, Request, account,
    draft::Drafter,
    environment::{Declared, EnvRecipe},
    lookup::Searches,
    node::{Document, Place},
    problem::{Problem, Problems},
    profile::Profile,
    raw::{self, Layer, RawApp},
};

/// The apps of a project file, ready to run.
#[derive(Debug, Default)]
pub struct Ecosystem {
    /// What shall run, in the order of the file.
    pub apps: Vec<AppSpec>,
    /// What each app's environment was made of.
    pub env: Vec<EnvRecipe>,
    /// The env files the project file names.
    pub files: Vec<PathBuf>,
    /// What people should know before anything runs.
    pub notices: Vec<Notice>,
}

/// An app of the file, and what it is called.
struct App<'a> {
    raw: &'a RawApp,
    layer: &'a Layer,
    name: String,
}

/// The names of the apps of a project file, for a TARGET that may be one of them.
pub fn names(document: &Document, request: &Request, profile: Profile) -> Vec<String> {
    let raw = raw::read(document);
    graph::named(&raw, profile, request, document, &mut Vec::new()).into_iter().map(|app| app.name).collect()
}

/// Completes the apps of a project file, or those that `only` names. `bases`: the folders that paths of the file count from, the first
/// one that has something wins.
///
/// # Errors
/// Everything that is wrong with the file and its apps, at once, with places; exit code 2.
pub fn apps(
    document: &Document,
    bases: &[PathBuf],
    only: &[String],
    profile: Profile,
    request: &Request,
    host: &Host,
) -> Result<Ecosystem, Error> {
    let mut raw = raw::read(document);
    raw.lay(&request.flags, host);
    let mut problems = std::mem::take(&mut raw.problems);
    let named = graph::named(&raw, profile, request, document, &mut problems);
    graph::check_needs(&named, document, &mut problems);
    graph::check_ports(&named, document, &mut problems);
    let chosen = graph::chosen(&named, only, document, host)?;
    notes::check_env_name(&chosen, request, document, &mut problems);
    let searches = Searches::default();
    let mut ecosystem = Ecosystem::default();
    for app in &chosen {
        match complete(app, &raw, bases, profile, request, host, document, &searches, &mut ecosystem.notices) {
            Ok((spec, recipe, files)) => {
                ecosystem.apps.push(spec);
                ecosystem.env.push(recipe);
                ecosystem.files.extend(files);
            }
            Err(mut wrong) => problems.append(&mut wrong),
        }
    }
    needs::tell_left_out(&chosen, &named, document, &mut problems);
    ecosystem.files.sort();
    ecosystem.files.dedup();
    let mut problems = Problems(problems);
    if problems.has_error() {
        return Err(problems.into_error(document.text.as_deref(), &host.cwd));
    }
    if named.is_empty() {
        let nothing = Problem::error(&document.file, Place::Unknown, "it has no apps, so nothing runs");
        problems.0.push(nothing.warning());
    }
    needs::let_jobs_end(&chosen, &mut ecosystem.apps);
    needs::tell_lost_channels(&chosen, &ecosystem.apps, document, &mut problems.0);
    notes::tell_idle_limits(&chosen, &ecosystem.apps, document, &mut problems.0);
    notes::tell(&raw, &chosen, profile, document, &mut problems.0);
    let told = problems.0.iter().map(|problem| problem.notice(document.text.as_deref(), &host.cwd));
    ecosystem.notices.splice(..0, told);
    Ok(ecosystem)
}

/// One app, or all that is wrong with it.
#[expect(clippy::too_many_arguments, reason = "they are the whole of what an app is completed from, and nothing keeps them together")]
fn complete(
    app: &App,
    raw: &raw::Raw,
    bases: &[PathBuf],
    profile: Profile,
    flags: &Request,
    host: &Host,
    document: &Document,
    searches: &Searches,
    notices: &mut Vec<Notice>,
) -> Result<(AppSpec, EnvRecipe, Vec<PathBuf>), Vec<Problem>> {
    let finder = place::Places { app, file: &document.file };
    // Without a folder nothing else can be judged.
    let cwd = finder.folder(bases, flags, host).map_err(|problem| vec![*problem])?;
    let mut wrong = Vec::new();
    let env_files = finder.env_files(&cwd, bases, host, &mut wrong);
    let keys = &app.layer.keys;
    let identity = account::identity(keys.uid.as_ref(), keys.gid.as_ref(), &app.name, &document.file, host);
    let identity = identity.map_err(|problem| wrong.push(*problem)).unwrap_or_default();
    let declared = Declared { identity: identity.clone(), ..request::declared(app.layer, profile, flags, &env_files) };
    let asking = Host { asks_as: identity.clone(), ..host.clone() };
    let host = &asking;
    let Some(script) = &keys.script else {
        wrong.push(finder.without_script());
        return Err(wrong);
    };
    let request = request::of(app.layer, flags, &cwd, &raw.interpreters);
    let mut drafter = Drafter {
        request: &request,
        host,
        profile,
        cwd: Some(cwd.clone()),
        path: declared.path().map(OsString::from),
        searches,
        notices: Vec::new(),
    };
    let draft = finder.target(&script.value, &cwd, host).and_then(|target| drafter.target(script.value.as_ref(), target));
    let spec = match draft {
        Ok(mut draft) => {
            draft.chosen = None;
            spec::build(&mut draft, app.layer);
            let (path, place) = finder.of_env_files().unwrap_or((&script.path, script.place));
            drafter.spec(draft, app.name.clone(), declared).map_err(|error| finder.problem(error, path, place))
        }
        Err(error) => Err(finder.problem(error, &script.path, script.place)),
    };
    let (spec, recipe) = match spec {
        Ok(done) if wrong.is_empty() => done,
        Ok(_) => return Err(wrong),
        Err(problem) => {
            wrong.push(problem);
            return Err(wrong);
        }
    };
    notices.append(&mut drafter.notices);
    let mut own = env_files.clone();
    own.push(document.file.clone());
    let mut spec = spec::complete(spec, app.layer, &cwd, own, host);
    account::harden(&mut spec, identity);
    Ok((spec, recipe, env_files))
}
