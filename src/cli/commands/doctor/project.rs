//! What shall run: all of it, or what is left where something of it is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Subject, prod};
use crate::{
    config::{self, Host, Request, Resolved, source},
    model::{Error, ErrorKind, Level, Notice},
    ui::findings::Finding,
};

/// What was read.
pub struct Project {
    /// The apps, as far as they could be completed.
    pub subject: Subject,
    /// What is wrong, and what people should know.
    pub findings: Vec<Finding>,
    /// Whether what says what shall run is itself wrong, as opposed to the machine.
    pub broken: bool,
}

/// Reads what a start would be asked for.
pub fn read(request: &Request, prod: bool, host: &Host) -> Project {
    let files = project_files(request, host);
    let mut project =
        Project { subject: Subject { prod, cwd: host.cwd.clone(), ..Subject::default() }, findings: Vec::new(), broken: false };
    if prod {
        let rights: Vec<prod::Rights> = files.iter().filter_map(|file| prod::Rights::of(file, false, host)).collect();
        let open: Vec<Finding> = rights.iter().flat_map(|rights| prod::of_file(rights, host.owner.user == 0)).collect();
        let is_refused = host.owner.user == 0 && open.iter().any(|finding| finding.check == prod::REFUSED);
        project.findings.extend(open);
        // It may be JavaScript, which runs as it is read.
        if is_refused {
            project.subject.files = files;
            return project;
        }
    }
    match resolve(request, &files, prod, host) {
        Ok((resolved, wrong)) => {
            project.broken = wrong.iter().any(|error| error.kind != ErrorKind::Missing);
            project.findings.extend(wrong.iter().map(finding));
            project.take(resolved, &files, host);
        }
        Err(_) if request.targets.is_empty() && files.is_empty() => {
            let text = format!("{} has nothing to run, so only the machine was looked at", host.cwd.display());
            project.findings.push(
                Finding::ok("project", text)
                    .advice("name a project file or a program to have it looked at as well")
                    .command("pmdev doctor FILE"),
            );
        }
        Err(error) => {
            project.broken = error.kind != ErrorKind::Missing;
            project.findings.push(finding(&error));
            project.subject.files = files;
        }
    }
    project
}

impl Project {
    fn take(&mut self, resolved: Resolved, files: &[PathBuf], host: &Host) {
        let Resolved { apps, env, notices, files: read, modules: _ } = resolved;
        let prod = self.subject.prod;
        let subject = &mut self.subject;
        let mut env_files: Vec<PathBuf> = env.iter().flat_map(config::EnvRecipe::files).cloned().collect();
        env_files.sort();
        env_files.dedup();
        let told = notices.iter().filter(|notice| notice.level > Level::Info);
        if prod {
            let rights = env_files.iter().filter_map(|file| prod::Rights::of(file, true, host));
            self.findings.extend(rights.flat_map(|rights| prod::of_file(&rights, host.owner.user == 0)));
        }
        // About rights more is said already.
        self.findings.extend(told.filter(|notice| !prod || !config::is_about_writers(notice)).map(warning));
        (subject.apps, subject.files) = (apps, if read.is_empty() { files.to_vec() } else { read });
        if self.findings.is_empty() && !subject.apps.is_empty() {
            let names: Vec<String> = subject.apps.iter().map(|app| app.name.clone()).collect();
            let from = files.iter().map(|file| config::shown(&host.cwd, file)).collect::<Vec<_>>().join(" and ");
            let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
            self.findings.push(Finding::ok("project", format!("project: {}{from}", super::machine::several(&names))));
        }
    }
}

/// The request, completed, and what is wrong with apps that had to be left out for that.
fn resolve(request: &Request, files: &[PathBuf], prod: bool, host: &Host) -> Result<(Resolved, Vec<Error>), Error> {
    // Of the rights of files all is said elsewhere, and nothing runs.
    let trusting = config::refusing_nothing(host);
    let host = if prod { &trusting } else { host };
    let all = match config::resolve(request, host) {
        Ok(resolved) => return Ok((resolved, Vec::new())),
        Err(error) => error,
    };
    let [file] = files else { return Err(all) };
    let Ok(names) = config::app_names(file, host) else { return Err(all) };
    let (mut kept, mut wrong): (Resolved, Vec<Error>) = (Resolved::default(), Vec::new());
    let is_asked =
        |name: &&String| request.only.is_empty() || request.only.iter().any(|list| list.split([',', ' ']).any(|only| only == *name));
    for name in names.iter().filter(is_asked) {
        match config::resolve(&Request { only: vec![name.clone()], ..request.clone() }, host) {
            Ok(one) => {
                let Resolved { apps, env, notices, files, modules } = one.keep(|app| kept.apps.iter().all(|known| known.name != app.name));
                kept.apps.extend(apps);
                kept.env.extend(env);
                kept.modules.extend(modules);
                kept.notices.extend(notices.into_iter().filter(|notice| !kept.notices.contains(notice)).collect::<Vec<_>>());
                kept.files.extend(files.into_iter().filter(|file| !kept.files.contains(file)).collect::<Vec<_>>());
            }
            Err(error) => wrong.extend(Some(error).filter(|error| wrong.iter().all(|known: &Error| known.message != error.message))),
        }
    }
    if kept.apps.is_empty() || wrong.is_empty() { Err(all) } else { Ok((kept, wrong)) }
}

/// The project files that are meant: those named, or the folder's.
fn project_files(request: &Request, host: &Host) -> Vec<PathBuf> {
    if request.targets.is_empty() {
        return source::discover(&host.cwd).into_iter().collect();
    }
    let named = request.targets.iter().map(|typed| config::absolute(&host.cwd, Path::new(typed)));
    let mut files: Vec<PathBuf> = Vec::new();
    for path in named {
        let file = match fs::metadata(&path) {
            Ok(data) if data.is_dir() => source::discover(&path),
            Ok(data) => Some(path).filter(|path| data.is_file() && source::is_project_file(path)),
            // It may be an app of the folder's own.
            Err(_) => source::discover(&host.cwd),
        };
        files.extend(file.filter(|file| !files.contains(file)));
    }
    files
}

fn finding(error: &Error) -> Finding {
    let finding = Finding::problem(if error.kind == ErrorKind::Missing { "programs" } else { "project" }, error.to_string());
    Finding { advice: error.hint.clone(), ..finding }
}

fn warning(notice: &Notice) -> Finding {
    Finding { advice: notice.hint.clone(), ..Finding::warning("project", notice.text.clone()) }
}
