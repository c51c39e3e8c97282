//! The surroundings of a request, as this process has them.

use std::{
    env, io,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    config::Host,
    model::{Error, Launch},
};

/// This process's folder and environment.
pub fn host(colour: bool) -> Result<Host, Error> {
    let cwd = env::current_dir().map_err(|error| Error::failed("The current folder cannot be read; was it removed?").because(error))?;
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    Ok(Host { cwd, env: env::vars_os().collect(), home, colour, ask })
}

/// Runs a tool to its end, before any runner exists, and gives its standard output.
fn ask(launch: &Launch) -> Result<String, Error> {
    let shown = shell_words::join(launch.argv.iter().map(|word| word.to_string_lossy()));
    let output = Command::new(&launch.argv[0])
        .args(&launch.argv[1..])
        .current_dir(&launch.cwd)
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .map_err(|error: io::Error| Error::failed(format!("{shown} could not be started")).because(error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let error = Error::failed(format!("{shown} failed ({})", output.status));
    Err(if said.trim().is_empty() { error } else { error.because(said.trim()) })
}
