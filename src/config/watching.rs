//! What is watched for an app, from flags, profile and folders.

use std::path::Path;

use globset::GlobBuilder;

use crate::model::{Error, Level, Notice, NoticeKind, PollMode, WatchRoot, WatchSpec};

use super::{Host, Request, WatchArg, place, profile::Profile, program::Build, target};

/// What is known of an app when its watching is worked out.
#[derive(Debug)]
pub struct App<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its folder.
    pub cwd: &'a Path,
    /// The file it runs, where there is one.
    pub script: Option<&'a Path>,
    /// Its build.
    pub build: Option<&'a Build>,
}

/// What is watched for an app; `None`: nothing.
pub fn spec(app: &App, request: &Request, profile: Profile, host: &Host, notices: &mut Vec<Notice>) -> Result<Option<WatchSpec>, Error> {
    let asked = !request.watch.is_empty();
    if request.no_watch || !(asked || profile.watches()) {
        return Ok(None);
    }
    let mut roots = Vec::new();
    let default = [WatchArg::Default];
    for arg in if asked { request.watch.as_slice() } else { &default } {
        match arg {
            WatchArg::Default => roots.extend(default_root(app, host, notices)),
            WatchArg::List(list) => {
                for entry in split(list) {
                    roots.push(root(&entry, app, host)?);
                }
            }
            WatchArg::One(entry) => roots.push(root(entry, app, host)?),
        }
    }
    if roots.is_empty() {
        return Ok(None);
    }
    let mut unique = Vec::new();
    roots.retain(|root| !unique.contains(root) && (unique.push(root.clone()), true).1);
    let list = |arg: &WatchArg| match arg {
        WatchArg::Default => Vec::new(),
        WatchArg::List(list) => split(list),
        WatchArg::One(pattern) => vec![pattern.clone()],
    };
    Ok(Some(WatchSpec {
        roots,
        base: app.cwd.to_owned(),
        ignore: request.ignore_watch.iter().flat_map(list).collect(),
        ext: extensions(&request.ext),
        gitignore: !request.no_gitignore,
        defaults: !request.no_default_ignore,
        gate: !request.no_gate,
        delay: request.watch_delay,
        poll: request.poll.unwrap_or(PollMode::Auto),
        follow_symlinks: true,
        script: app.script.map(Path::to_owned),
        own: app.build.map(|build| build.output.clone()).unwrap_or_default(),
        early_stop: app.build.is_none(),
    }))
}

/// What would be watched for an app that is not watched; what is wrong with it is nobody's concern until it is asked for.
pub fn aside(app: &App, request: &Request, host: &Host) -> Option<WatchSpec> {
    let mut request = Request { no_watch: false, ..request.clone() };
    if request.watch.is_empty() {
        request.watch.push(WatchArg::Default);
    }
    spec(app, &request, Profile::Dev, host, &mut Vec::new()).ok().flatten()
}

/// The app's folder if the script lies below it, else the script's folder; never `/` or the home folder.
fn default_root(app: &App, host: &Host, notices: &mut Vec<Notice>) -> Option<WatchRoot> {
    let tree = |path: &Path| Some(WatchRoot::Tree { path: path.to_owned(), explicit: false });
    let folder = app.script.map(place::folder);
    let wanted = match app.script {
        Some(script) if !script.starts_with(app.cwd) => place::folder(script),
        Some(_) | None => app.cwd,
    };
    let Some(too_big) = too_big(wanted, host) else { return tree(wanted) };
    let mut tell = |level, instead: &str| {
        let text = format!("{}: {too_big} is never watched as a whole; {instead}", app.name);
        notices.push(Notice::new(level, NoticeKind::Watch, text).about(app.name).hint("to watch something else: --watch PATH"));
    };
    match (folder, app.script) {
        (Some(folder), _) if self::too_big(folder, host).is_none() => {
            tell(Level::Info, &format!("the script's folder is watched: {}", folder.display()));
            tree(folder)
        }
        (_, Some(script)) => {
            tell(Level::Warning, &format!("the script alone is watched: {}", script.display()));
            Some(WatchRoot::File(script.to_owned()))
        }
        (_, None) => {
            tell(Level::Warning, "nothing is watched");
            None
        }
    }
}

/// What to call a folder that is never a default root.
fn too_big(folder: &Path, host: &Host) -> Option<&'static str> {
    let same =
        |other: &Path| folder == other || folder.canonicalize().is_ok_and(|real| other.canonicalize().is_ok_and(|other| real == other));
    if same(Path::new("/")) {
        Some("the root folder")
    } else if host.home.as_deref().is_some_and(same) {
        Some("the home folder")
    } else {
        None
    }
}

/// A path or glob of `--watch`; looked for where it was typed, then in the app's folder.
fn root(entry: &str, app: &App, host: &Host) -> Result<WatchRoot, Error> {
    let typed = Path::new(entry);
    match place::find(&[&host.cwd, app.cwd], typed) {
        Some(path) if path.is_dir() => Ok(WatchRoot::Tree { path, explicit: true }),
        Some(path) => Ok(WatchRoot::File(path)),
        None if entry.contains(['*', '?', '[', '{']) => {
            GlobBuilder::new(entry).literal_separator(true).backslash_escape(true).build().map_err(|error| {
                Error::usage(format!("--watch {entry} is not a glob: {}", error.kind()))
                    .hint("examples: --watch 'src/**/*.js', --watch '*.{js,json}'")
            })?;
            let relative = entry.strip_prefix("./").unwrap_or(entry);
            let base = globset::escape(&app.cwd.to_string_lossy());
            Ok(WatchRoot::Glob(if typed.is_absolute() { entry.to_owned() } else { format!("{}/{relative}", base.trim_end_matches('/')) }))
        }
        None => {
            let error = target::missing(typed, &host.cwd, format!("--watch {entry} was not found: there is no such file or folder"));
            Err(if error.hint.is_some() {
                error
            } else {
                error.hint("to watch what is not there yet, write a glob in quotes: --watch 'dist/**'")
            })
        }
    }
}

/// A list with commas between; those inside `{a,b}` belong to the glob.
fn split(list: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let parts = list.split(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Suffixes without their dots; `*` among them means all.
fn extensions(lists: &[String]) -> Vec<String> {
    let words = lists.iter().flat_map(|list| list.split([',', ' ']));
    let words: Vec<_> =
        words.map(|word| word.strip_prefix("*.").unwrap_or(word).trim_start_matches('.')).filter(|word| !word.is_empty()).collect();
    if words.contains(&"*") { Vec::new() } else { words.into_iter().map(str::to_owned).collect() }
}
