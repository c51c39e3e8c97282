//! A project file and a profile become specs: the apps that are meant, each completed by the code that completes targets, and everything that is wrong at once.
//! It reads no project file itself and starts nothing; what a key may hold was settled when it was read.
//! Start reading with [`apps`], then [`request`] (an app as if it were typed) and [`spec`](mod@spec) (the keys that no flag has).

mod graph;
mod notes;
mod place;
mod request;
mod spec;

use std::path::{Path, PathBuf};

use crate::model::{AppSpec, Error, Notice};

use super::{
    Host, Request,
    draft::Drafter,
    environment::EnvRecipe,
    node::Document,
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
    let mut problems = std::mem::take(&mut raw.problems);
    let named = graph::named(&raw, profile, request, document, &mut problems);
    graph::check_needs(&named, document, &mut problems);
    graph::check_ports(&named, document, &mut problems);
    let chosen = graph::chosen(&named, only, document, host)?;
    notes::tell(&raw, &chosen, profile, document, &mut problems);
    notes::check_env_name(&chosen, request, document, &mut problems);
    let mut ecosystem = Ecosystem::default();
    for app in &chosen {
        match complete(app, &raw, bases, profile, request, host, document, &mut ecosystem.notices) {
            Ok((spec, recipe, files)) => {
                ecosystem.apps.push(spec);
                ecosystem.env.push(recipe);
                ecosystem.files.extend(files);
            }
            Err(mut wrong) => problems.append(&mut wrong),
        }
    }
    ecosystem.files.sort();
    ecosystem.files.dedup();
    let problems = Problems(problems);
    if problems.has_error() {
        return Err(problems.into_error(document.text.as_deref(), &host.cwd));
    }
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
    notices: &mut Vec<Notice>,
) -> Result<(AppSpec, EnvRecipe, Vec<PathBuf>), Vec<Problem>> {
    let finder = place::Places { app, file: &document.file };
    let folder = finder.folder(bases, flags, host);
    let env_files = finder.env_files(folder.as_deref().unwrap_or_else(|_| Path::new("/")), bases);
    let (cwd, env_files) = match (folder, env_files) {
        (Ok(cwd), Ok(files)) => (cwd, files),
        // Without a folder nothing else can be judged.
        (Err(problem), _) => return Err(vec![problem]),
        (Ok(_), Err(problems)) => return Err(problems),
    };
    let Some(script) = &app.layer.keys.script else { return Err(vec![finder.without_script()]) };
    let request = request::of(app.layer, flags, &cwd, &raw.interpreters);
    let mut drafter = Drafter { request: &request, host, profile, cwd: Some(cwd.clone()), notices: Vec::new() };
    let wrong = |error| vec![finder.problem(error, &script.path, script.place)];
    let target = finder.target(&script.value, &cwd, host).map_err(wrong)?;
    let mut draft = drafter.target(script.value.as_ref(), target).map_err(wrong)?;
    draft.chosen = None;
    spec::build(&mut draft, app.layer);
    let declared = request::declared(app.layer, profile, flags, &env_files);
    let (path, place) = finder.of_env_files().unwrap_or((&script.path, script.place));
    let (spec, recipe) = drafter.spec(draft, app.name.clone(), declared).map_err(|error| vec![finder.problem(error, path, place)])?;
    notices.append(&mut drafter.notices);
    let mut own = env_files.clone();
    own.push(document.file.clone());
    Ok((spec::complete(spec, app.layer, &cwd, own), recipe, env_files))
}
