//! Programs that are built before they run: the build that gates a restart, and the file it produces.
//! It starts no build itself; it asks cargo where things are, and makes the folder that a compiler writes to.
//! [`cargo`] knows crates, [`go`] modules.

mod cargo;
mod go;

pub use go::is_main as is_go_main;

use std::{
    ffi::OsString,
    fs::DirBuilder,
    os::unix::{ffi::OsStrExt, fs::DirBuilderExt as _},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_64;

use crate::model::Error;

use super::{
    Host,
    interpreter::{Script, table::Builder},
    program::Program,
};

/// The program for a source file, `Cargo.toml` or `go.mod`. `--interpreter-args` are the build's.
pub fn program(builder: Builder, script: &Script, host: &Host) -> Result<Program, Error> {
    match builder {
        Builder::Go => go::program(script, host),
        Builder::Cargo => cargo::program(script, host),
    }
}

/// The compiler, or an error that says how to do without.
fn compiler(name: &str, script: &Script) -> Result<OsString, Error> {
    match script.search.find(name) {
        Some(_) => Ok(name.into()),
        None => Err(Error::missing(format!("{} needs {name} to be built, which was not found on PATH", script.shown))
            .hint(format!("install {name}, or name a program that runs it: --interpreter PROGRAM"))),
    }
}

/// The nearest folder above a file that has a file of this name.
fn folder_with(name: &str, from: &Path) -> Option<PathBuf> {
    from.ancestors().find(|folder| folder.join(name).is_file()).map(Path::to_owned)
}

/// A file of this name outside every watched tree, always the same for the same source: under `$XDG_CACHE_HOME`, else `~/.cache`
/// (XDG Base Directory Specification), else the folder for temporary files.
fn output(source: &Path, name: &str, host: &Host) -> Result<PathBuf, Error> {
    let cache = host.text("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.or_else(|| host.home.as_ref().map(|home| home.join(".cache"))).unwrap_or_else(std::env::temp_dir);
    let folder = cache.join("pmdev/build").join(format!("{:016x}", xxh3_64(source.as_os_str().as_bytes())));
    DirBuilder::new().recursive(true).mode(0o755).create(&folder).map_err(|error| {
        Error::failed(format!("{} cannot be made, and builds go there", folder.display()))
            .because(error)
            .hint("set XDG_CACHE_HOME to a folder of yours")
    })?;
    Ok(folder.join(name))
}
