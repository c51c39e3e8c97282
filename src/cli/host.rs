//! The surroundings of a request, as this process has them.

use std::{env, ffi::OsString, io, path::PathBuf, sync::Arc};

use rustix::process::{getegid, geteuid};

use super::child;
use crate::{
    boot::notify,
    config::{Host, Owner, Pipes, Seen},
    model::{Error, Launch},
};

/// This process's folder and environment.
pub fn host(colour: bool) -> Result<Host, Error> {
    let cwd = cwd()?;
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let owner = Owner { user: geteuid().as_raw(), group: getegid().as_raw() };
    let (pipes, seen) = (Pipes::default(), Seen::default());
    Ok(Host {
        cwd,
        env: environment().collect(),
        home,
        colour,
        ask: Arc::new(ask),
        run: Arc::new(child::run),
        owner,
        asks_as: None,
        pipes,
        seen,
    })
}

/// The folder we are in.
pub fn cwd() -> Result<PathBuf, Error> {
    env::current_dir().map_err(|error| Error::failed("The current folder cannot be read; was it removed?").because(error))
}

/// Our environment. What the service manager says to this process is for nobody it starts.
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os().filter(|(name, _)| notify::VARIABLES.iter().all(|own| name != own))
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
