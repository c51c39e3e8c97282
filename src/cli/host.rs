//! The surroundings of a request, as this process has them.

use std::{env, io, path::PathBuf, sync::Arc};

use rustix::process::{getegid, geteuid};

use super::child;
use crate::{
    boot::notify,
    config::{Host, Owner, Pipes, Seen},
    model::{Error, Launch},
};

/// This process's folder and environment.
pub fn host(colour: bool) -> Result<Host, Error> {
    let cwd = env::current_dir().map_err(|error| Error::failed("The current folder cannot be read; was it removed?").because(error))?;
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let owner = Owner { user: geteuid().as_raw(), group: getegid().as_raw() };
    // What the service manager says to this process is for nobody it starts.
    let env = env::vars_os().filter(|(name, _)| notify::VARIABLES.iter().all(|own| name != own)).collect();
    let (pipes, seen) = (Pipes::default(), Seen::default());
    Ok(Host { cwd, env, home, colour, ask: Arc::new(ask), run: Arc::new(child::run), owner, asks_as: None, pipes, seen })
}

/// Runs a tool to its end, before any runner exists, and gives its standard output.
fn ask(launch: &Launch) -> Result<String, Error> {
    let shown = child::shown(launch);
    let output = child::command(launch)
        .output()
        .map_err(|error: io::Error| Error::failed(format!("{shown} could not be started")).because(error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let error = Error::failed(format!("{shown} failed ({})", output.status));
    Err(if said.trim().is_empty() { error } else { error.because(said.trim()) })
}
