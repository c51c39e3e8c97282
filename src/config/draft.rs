//! One thing that shall run, on its way to a spec: what it is, how it is run, what it is called, what its environment is made of.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::model::{AppSpec, Error, Hardening, Launch, Level, Notice, NoticeKind};

use super::{
    Host, Request, account,
    command::{self, Command},
    detect::{self, What},
    ecosystem,
    environment::{self, Declared, EnvRecipe},
    interpreter::{self, Script, table},
    lookup::{Search, Searches},
    name::{self, Naming},
    near, place,
    profile::Profile,
    program::Program,
    target::{self, Target},
    watching,
};

/// One target on its way to a spec.
#[derive(Debug)]
pub struct Draft {
    /// What it could be called.
    pub naming: Naming,
    /// The folder it runs in.
    pub cwd: PathBuf,
    /// The file it runs, where there is one.
    pub script: Option<PathBuf>,
    /// Where its programs are looked for.
    pub search: Search,
    /// How it is run.
    pub program: Program,
    /// What was chosen without being asked for: what, and why.
    pub chosen: Option<(String, String)>,
}

/// Makes drafts of targets and specs of drafts.
#[derive(Debug)]
pub struct Drafter<'a> {
    /// What is asked for.
    pub request: &'a Request,
    /// Where.
    pub host: &'a Host,
    /// The table of defaults.
    pub profile: Profile,
    /// The folder of the apps, absolute, where it was given.
    pub cwd: Option<PathBuf>,
    /// The PATH that a project file sets for the app.
    pub path: Option<OsString>,
    /// Where programs are looked for.
    pub searches: &'a Searches,
    /// What people should know.
    pub notices: Vec<Notice>,
}

/// `--cwd`, absolute.
pub fn app_folder(request: &Request, host: &Host) -> Result<Option<PathBuf>, Error> {
    let Some(typed) = &request.cwd else { return Ok(None) };
    let folder = place::absolute(&host.cwd, typed);
    if folder.is_dir() {
        return Ok(Some(folder));
    }
    let what = if folder.exists() { "is not a folder" } else { "was not found: there is no such folder" };
    Err(target::missing(typed, &host.cwd, format!("--cwd {} {what}", typed.display())))
}

/// `here`: whether it was found in the caller's folder, which is the one that `init` writes in.
fn detected(name: &str, what: &str, why: &str, here: bool) -> Notice {
    let written = if what.contains(' ') { format!("\"{what}\"") } else { what.to_owned() };
    Notice::new(Level::Info, NoticeKind::Detected, format!("{name} runs {what} ({why})"))
        .about(name)
        .hint(format!("to choose yourself: pmdev start {written}{}", if here { "; to write it down: pmdev init" } else { "" }))
}

impl Drafter<'_> {
    /// The folder apps run in where nothing else is said.
    pub fn folder_of_apps(&self) -> PathBuf {
        self.cwd.clone().unwrap_or_else(|| self.host.cwd.clone())
    }

    /// A draft for what a target is.
    pub fn target(&mut self, typed: &OsStr, target: Target) -> Result<Draft, Error> {
        let shown = typed.to_string_lossy();
        let cwd = self.folder_of_apps();
        match target {
            Target::Script(path) => {
                let folder = place::folder(&path).to_owned();
                self.script(path, cwd, shown.into_owned(), folder)
            }
            Target::Folder(folder) => self.folder(&folder, &shown),
            Target::Line(line) => self.line(&line, cwd),
            Target::ProjectFile(file) => Err(Error::usage(format!("{} is a project file, which is no program", file.display()))),
        }
    }

    /// What a folder runs, in that folder.
    pub fn folder(&mut self, folder: &Path, shown: &str) -> Result<Draft, Error> {
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
        let search = self.searches.from(place::folder(&path), self.path.as_deref(), self.host);
        let args = interpreter::arguments(self.request)?;
        let script = Script { path: &path, shown, cwd: &cwd, search: &search, args };
        let program = interpreter::choose(&script, self.request, self.host)?;
        let name = program.name.clone().unwrap_or_else(|| name::of_file(&path));
        Ok(Draft { naming: Naming { name, folder }, cwd, script: Some(path), search, program, chosen: None })
    }

    fn line(&mut self, line: &str, cwd: PathBuf) -> Result<Draft, Error> {
        let search = self.searches.from(&cwd, self.path.as_deref(), self.host);
        let mut script = None;
        let argv = match command::parse(line).map_err(|why| Error::usage(format!("{line:?} cannot be read as a command line: {why}")))? {
            Command::Simple(words) => {
                let known = |word: &&String| table::row(Path::new(word)).is_some();
                script = words.iter().filter(known).map(|word| place::absolute(&cwd, Path::new(word))).find(|file| file.is_file());
                let program = check_program(line, &words[0], &cwd, &search)?;
                [program].into_iter().chain(words.into_iter().skip(1).map(OsString::from)).collect()
            }
            // As npm does it, arguments go to the last command of the line.
            Command::Shell(line) if self.request.script_args.is_empty() => vec!["sh".into(), "-c".into(), line.into()],
            Command::Shell(line) => vec!["sh".into(), "-c".into(), format!("{line} \"$@\"").into(), "sh".into()],
        };
        // `none` asks for just that.
        let interpreter = self.request.interpreter.as_ref().is_some_and(|name| name != "none");
        if interpreter || !self.request.interpreter_args.is_empty() {
            let text = format!("{line:?} names its program itself, so --interpreter and --interpreter-args do nothing to it");
            self.notices.push(Notice::new(Level::Warning, NoticeKind::Config, text));
        }
        let name = command::name(line).unwrap_or_else(|| name::of_folder(&cwd));
        let hint = Some("the command line was given as TARGET; its program must be on PATH or in the project's own tools".to_owned());
        let program = Program { argv, env: table::unbuffered(), hint, ..Program::default() };
        Ok(Draft { naming: Naming { name, folder: cwd.clone() }, cwd, script, search, program, chosen: None })
    }

    /// The spec of a draft, and what its environment was made of. `declared`: what a project file adds.
    pub fn spec(&mut self, draft: Draft, name: String, declared: Declared) -> Result<(AppSpec, EnvRecipe), Error> {
        let files = environment::find_files(&self.request.env_files, self.host, &draft.cwd)?;
        let recipe = EnvRecipe::new(self.host, self.profile, &draft.program, &draft.search, &draft.cwd, files.clone(), declared);
        let env = recipe.read(&self.host.pipes)?;
        let Draft { naming: _, cwd, script, search: _, program, chosen } = draft;
        let build = program.build.as_ref().map(|build| Launch {
            argv: build.argv.clone(),
            cwd: build.cwd.clone(),
            env: env.clone(),
            hardening: Hardening::default(),
        });
        if let Some((what, why)) = &chosen {
            self.notices.push(detected(&name, what, why, cwd == self.host.cwd));
        }
        let app = watching::App { name: &name, cwd: &cwd, script: script.as_deref(), build: program.build.as_ref() };
        let watch = watching::spec(&app, self.request, self.profile, self.host, &mut self.notices)?;
        let unwatched = if watch.is_none() { watching::aside(&app, self.request, self.host) } else { None };
        let port = env.iter().find(|(name, _)| name == "PORT").and_then(|(_, value)| value.to_str()?.trim().parse().ok());
        let argv = program.argv.into_iter().chain(self.request.script_args.iter().cloned()).collect();
        let stop = self.profile.stop(self.request, self.host)?;
        let pid_file = if self.profile.pid_files() { ecosystem::default_pid_file(&name, self.host) } else { None };
        let spec = AppSpec::new(name, Launch { argv, cwd, env, hardening: Hardening::default() }, self.profile.restart(), stop);
        let (logs, limits, ready) = (self.profile.logs(), self.profile.limits(), self.profile.ready(self.host)?);
        let mut spec = AppSpec {
            script,
            build,
            watch,
            unwatched,
            port,
            missing_hint: program.hint,
            ready,
            logs,
            limits,
            capsules: self.profile.capsules(),
            pid_file,
            ..spec
        };
        account::harden(&mut spec, None);
        Ok((spec, recipe))
    }
}

/// The program of a command line, which is there.
fn check_program(line: &str, program: &str, cwd: &Path, search: &Search) -> Result<OsString, Error> {
    if program.contains('/') {
        let path = place::absolute(cwd, Path::new(program));
        if place::executable(&path) {
            return Ok(program.into());
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
    if let Some(path) = search.find(program) {
        return Ok(search.word(program, &path));
    }
    let error = Error::missing(format!("{line:?} cannot be run: {program} is neither in the project's own tools nor on PATH"));
    if cwd.join(program).is_file() {
        return Err(error.hint(format!("put its arguments after --: pmdev start {program} -- ARGS")));
    }
    let names = search.names();
    Err(match near::nearest(program, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("install {program}, or name another program")),
    })
}
