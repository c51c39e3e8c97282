//! A second `start` in a folder whose runner lives: two runners side by side are fine, one app twice is not.

use std::{env, fs, path::Path};

use crate::{
    cli::reach::ReachArgs,
    config::Resolved,
    control::{Folders, endpoint},
    model::Error,
    process::guard,
};

/// Whether these apps, or their project file, are run by another runner of this folder already.
///
/// # Errors
/// They are; the message says by which. Or one is stopped, and cannot say what it runs.
pub fn check(resolved: &Resolved, cwd: &Path) -> Result<(), Error> {
    check_stopped(cwd)?;
    for runner in ReachArgs::awake().into_iter().filter(|runner| Path::new(&runner.hello.cwd) == cwd && !runner.hello.background) {
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

/// A runner of this folder that is stopped: to ask it would take two seconds, and tell nothing.
fn check_stopped(cwd: &Path) -> Result<(), Error> {
    let sockets = Folders::find(|name| env::var_os(name)).map(|folders| folders.sockets()).unwrap_or_default();
    for socket in sockets {
        let Some(pid) = Folders::foreground_pid(&socket) else { continue };
        let stopped = guard::stopped(pid);
        let is_here = || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == cwd);
        if stopped.is_empty() || !is_here() || endpoint::is_stale(&socket) {
            continue;
        }
        let pids = stopped.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
        let text = format!("A runner of this folder is stopped (Ctrl-Z), with pid {pid}, and its apps with it");
        let hint = format!("have it go on: fg in its terminal, or kill -CONT {pids}; end it: kill {pid}, and then the same");
        return Err(Error::failed(text).hint(hint));
    }
    Ok(())
}
