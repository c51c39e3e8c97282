//! The order in which a request becomes specs: profile, targets, programs, names, environment, watching.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::model::{AppSpec, Error, Launch, Level, Notice, NoticeKind, WatchSpec};

use super::{
    Host, Request, WatchArg,
    command::{self, Command},
    detect::{self, What},
    environment::{self, EnvRecipe},
    interpreter::{self, Script, table},
    lookup::Search,
    name::{self, Naming},
    near, place,
    profile::Profile,
    program::Program,
    target::{self, Target},
    watching,
};

/// A request, completed.
#[derive(Debug)]
pub struct Resolved {
    /// What shall run, in the order of the targets.
    pub apps: Vec<AppSpec>,
    /// What each app's environment was made of, in the same order: to be read again when an env file was edited.
    pub env: Vec<EnvRecipe>,
    /// What people should know before anything runs.
    pub notices: Vec<Notice>,
    /// The files that say what shall run besides the command line, absolute: an edit of one acts through a plan.
    pub files: Vec<PathBuf>,
}

/// One target on its way to a spec.
struct Draft {
    naming: Naming,
    cwd: PathBuf,
    script: Option<PathBuf>,
    search: Search,
    program: Program,
    /// What was chosen without being asked for: what, and why.
    chosen: Option<(String, String)>,
}

struct Resolver<'a> {
    request: &'a Request,
    host: &'a Host,
    profile: Profile,
    /// `--cwd`, absolute.
    cwd: Option<PathBuf>,
    notices: Vec<Notice>,
}

/// Completes a request. It reads files, looks for programs, and may ask node or cargo through [`Host::ask`].
pub fn resolve(request: &Request, host: &Host) -> Result<Resolved, Error> {
    let profile = Profile::choose(request, host)?;
    let stop = profile.stop(request, host)?;
    let mut resolver = Resolver { request, host, profile, cwd: app_folder(request, host)?, notices: Vec::new() };
    let drafts = resolver.drafts()?;
    let namings: Vec<_> = drafts.iter().map(|draft| draft.naming.clone()).collect();
    let names = name::settle(&request.names, &namings)?;
    let mut resolved = Resolved { apps: Vec::new(), env: Vec::new(), notices: Vec::new(), files: Vec::new() };
    for (draft, name) in drafts.into_iter().zip(names) {
        let (launch, build, recipe) = resolver.launches(&draft)?;
        if let Some((what, why)) = &draft.chosen {
            resolver.notices.push(detected(&name, what, why));
        }
        let program = draft.program;
        let app = watching::App { name: &name, cwd: &draft.cwd, script: draft.script.as_deref(), build: program.build.as_ref() };
        let watch = watching::spec(&app, request, profile, host, &mut resolver.notices)?;
        let port = launch.env.iter().find(|(name, _)| name == "PORT").and_then(|(_, value)| value.to_str()?.trim().parse().ok());
        let missing_hint = program.hint;
        let restart = profile.restart();
        let spec = AppSpec::new(name, launch, restart, stop.clone());
        resolved.apps.push(AppSpec { build, watch, port, missing_hint, ..spec });
        resolved.files.extend(recipe.files().iter().filter(|file| !resolved.files.contains(file)).cloned().collect::<Vec<_>>());
        resolved.env.push(recipe);
    }
    resolved.notices = resolver.notices;
    Ok(resolved)
}

/// What would be watched, by app, whatever the profile says. Without a target and anything to detect: what would be for a program in this folder.
pub fn resolve_watch(request: &Request, host: &Host) -> Result<Vec<(String, WatchSpec)>, Error> {
    let mut request = request.clone();
    request.no_watch = false;
    if request.watch.is_empty() {
        request.watch.push(WatchArg::Default);
    }
    let specs = match resolve(&request, host) {
        Ok(resolved) => resolved.apps.into_iter().filter_map(|app| Some((app.name, app.watch?))).collect(),
        Err(_) if request.targets.is_empty() => {
            let cwd = app_folder(&request, host)?.unwrap_or_else(|| host.cwd.clone());
            let name = name::of_folder(&cwd);
            let app = watching::App { name: &name, cwd: &cwd, script: None, build: None };
            let spec = watching::spec(&app, &request, Profile::Dev, host, &mut Vec::new())?;
            spec.map(|spec| (name, spec)).into_iter().collect()
        }
        Err(error) => return Err(error),
    };
    Ok(specs)
}

/// `--cwd`, absolute.
fn app_folder(request: &Request, host: &Host) -> Result<Option<PathBuf>, Error> {
    let Some(typed) = &request.cwd else { return Ok(None) };
    let folder = place::absolute(&host.cwd, typed);
    if folder.is_dir() {
        return Ok(Some(folder));
    }
    let what = if folder.exists() { "is not a folder" } else { "was not found: there is no such folder" };
    Err(target::missing(typed, &host.cwd, format!("--cwd {} {what}", typed.display())))
}

fn detected(name: &str, what: &str, why: &str) -> Notice {
    let written = if what.contains(' ') { format!("\"{what}\"") } else { what.to_owned() };
    Notice::new(Level::Info, NoticeKind::Detected, format!("{name} runs {what} ({why})"))
        .about(name)
        .hint(format!("to choose yourself: pmdev start {written}"))
}

impl Resolver<'_> {
    fn drafts(&mut self) -> Result<Vec<Draft>, Error> {
        if self.request.targets.is_empty() {
            let folder = self.cwd.clone().unwrap_or_else(|| self.host.cwd.clone());
            return Ok(vec![self.folder(&folder, "No TARGET was given, and this folder")?]);
        }
        let targets = self.request.targets.clone();
        targets.iter().map(|typed| self.target(typed)).collect()
    }

    fn target(&mut self, typed: &OsStr) -> Result<Draft, Error> {
        let shown = typed.to_string_lossy();
        let cwd = self.cwd.clone().unwrap_or_else(|| self.host.cwd.clone());
        match target::classify(typed, self.cwd.as_deref(), self.host)? {
            Target::Script(path) => {
                let folder = place::folder(&path).to_owned();
                self.script(path, cwd, shown.into_owned(), folder)
            }
            Target::Folder(folder) => self.folder(&folder, &shown),
            Target::Line(line) => self.line(&line, cwd),
        }
    }

    /// What a folder runs, in that folder.
    fn folder(&mut self, folder: &Path, shown: &str) -> Result<Draft, Error> {
        if let Some(file) = target::project_file_in(folder) {
            return Err(target::project_file(Path::new(&place::shown(&self.host.cwd, &file))));
        }
        let Some(detected) = detect::folder(folder, self.profile, self.host) else {
            return Err(Error::usage(format!("{shown} has nothing that pmdev knows how to run (looked in {})", folder.display()))
                .because(format!("it has none of {}", detect::LOOKED_FOR))
                .hint("name what to run: pmdev start app.js, or pmdev start \"npm run dev\""));
        };
        let cwd = self.cwd.clone().unwrap_or_else(|| folder.to_owned());
        let (mut draft, what) = match detected.what {
            What::Script(path) => {
                let what = place::shown(&self.host.cwd, &path);
                (self.script(path, cwd, what.clone(), folder.to_owned())?, what)
            }
            What::Line(line) => (self.line(&line, cwd)?, line),
        };
        let name = detected.name.or(draft.program.name.clone());
        draft.naming = Naming { name: name.unwrap_or_else(|| name::of_folder(folder)), folder: folder.to_owned() };
        draft.chosen = Some((what, detected.why));
        Ok(draft)
    }

    fn script(&mut self, path: PathBuf, cwd: PathBuf, shown: String, folder: PathBuf) -> Result<Draft, Error> {
        let search = Search::new(place::folder(&path), self.host);
        let args = interpreter::arguments(self.request)?;
        let script = Script { path: &path, shown, cwd: &cwd, search: &search, args };
        let program = interpreter::choose(&script, self.request, self.host)?;
        let name = program.name.clone().unwrap_or_else(|| name::of_file(&path));
        Ok(Draft { naming: Naming { name, folder }, cwd, script: Some(path), search, program, chosen: None })
    }

    fn line(&mut self, line: &str, cwd: PathBuf) -> Result<Draft, Error> {
        let search = Search::new(&cwd, self.host);
        let mut script = None;
        let argv = match command::parse(line).map_err(|why| Error::usage(format!("{line:?} cannot be read as a command line: {why}")))? {
            Command::Simple(words) => {
                let known = |word: &&String| table::row(Path::new(word)).is_some();
                script = words.iter().filter(known).map(|word| place::absolute(&cwd, Path::new(word))).find(|file| file.is_file());
                check_program(line, &words[0], &cwd, &search)?;
                words.into_iter().map(OsString::from).collect()
            }
            // As npm does it, arguments go to the last command of the line.
            Command::Shell(line) if self.request.script_args.is_empty() => vec!["sh".into(), "-c".into(), line.into()],
            Command::Shell(line) => vec!["sh".into(), "-c".into(), format!("{line} \"$@\"").into(), "sh".into()],
        };
        if self.request.interpreter.is_some() || !self.request.interpreter_args.is_empty() {
            let text = format!("{line:?} names its program itself, so --interpreter and --interpreter-args do nothing to it");
            self.notices.push(Notice::new(Level::Warning, NoticeKind::Config, text));
        }
        let name = command::name(line).unwrap_or_else(|| name::of_folder(&cwd));
        let hint = Some("the command line was given as TARGET; its program must be on PATH or in the project's own tools".to_owned());
        let program = Program { argv, env: table::unbuffered(), hint, ..Program::default() };
        Ok(Draft { naming: Naming { name, folder: cwd.clone() }, cwd, script, search, program, chosen: None })
    }

    /// The launches of app and build, and what their environment was made of.
    fn launches(&self, draft: &Draft) -> Result<(Launch, Option<Launch>, EnvRecipe), Error> {
        let files = environment::find_files(&self.request.env_files, self.host, &draft.cwd)?;
        let recipe = EnvRecipe::new(self.host, self.profile, &draft.program, &draft.search, &draft.cwd, files);
        let env = recipe.read()?;
        let argv = draft.program.argv.iter().chain(&self.request.script_args).cloned().collect();
        let build = draft.program.build.as_ref().map(|build| Launch { argv: build.argv.clone(), cwd: build.cwd.clone(), env: env.clone() });
        Ok((Launch { argv, cwd: draft.cwd.clone(), env }, build, recipe))
    }
}

/// Whether the program of a command line is there.
fn check_program(line: &str, program: &str, cwd: &Path, search: &Search) -> Result<(), Error> {
    if program.contains('/') {
        let path = place::absolute(cwd, Path::new(program));
        if place::executable(&path) {
            return Ok(());
        }
        if path.is_file() {
            return Err(Error::usage(format!("{line:?} cannot be run: {program} is not executable"))
                .hint(format!("make it executable: chmod +x {program}, or run it as a script: pmdev start {program} -- ARGS")));
        }
        return Err(target::missing(
            Path::new(program),
            cwd,
            format!("{line:?} cannot be run: there is no {program} in {}", cwd.display()),
        ));
    }
    if search.find(program).is_some() {
        return Ok(());
    }
    let error = Error::usage(format!("{line:?} cannot be run: {program} is neither in the project's own tools nor on PATH"));
    if cwd.join(program).is_file() {
        return Err(error.hint(format!("put its arguments after --: pmdev start {program} -- ARGS")));
    }
    let names = search.names();
    Err(match near::nearest(program, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("install {program}, or name another program")),
    })
}
