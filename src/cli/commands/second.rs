//! A second `start` in a folder whose runner lives: two runners side by side are fine, one app twice is not.

use std::path::Path;

use crate::{cli::reach::ReachArgs, config::Resolved, model::Error};

/// Whether these apps, or their project file, are run by another runner of this folder already.
///
/// # Errors
/// They are; the message says by which.
pub fn check(resolved: &Resolved, cwd: &Path) -> Result<(), Error> {
    for runner in ReachArgs::all().into_iter().filter(|runner| Path::new(&runner.hello.cwd) == cwd && !runner.hello.background) {
        let hello = &runner.hello;
        // Several runners may well share an env file.
        let is_env = |file: &Path| resolved.env.iter().any(|recipe| recipe.files().iter().any(|known| known == file));
        let file = resolved
            .files
            .iter()
            .filter(|file| !is_env(file))
            .find(|file| hello.files.iter().any(|other| Path::new(other) == file.as_path()));
        let app = resolved.apps.iter().find(|app| hello.apps.contains(&app.name));
        let what = match (file, app) {
            (Some(file), _) => format!("{} is run already", file.strip_prefix(cwd).unwrap_or(file).display()),
            (None, Some(app)) => format!("{} runs already", app.name),
            (None, None) => continue,
        };
        return Err(Error::failed(format!("{what}, by the runner of this folder with pid {}", hello.pid))
            .hint("restart its apps: pmdev restart all; end it: pmdev kill; or start others beside it, under other names (--name)"));
    }
    Ok(())
}
