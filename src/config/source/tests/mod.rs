//! Project files in a folder of their own, read as people have them read.

mod broken;
mod discovery;
mod formats;
mod javascript;
mod random;

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{Format, read};
use crate::{
    config::{
        End, Host, Output, Owner, Pipes, Seen,
        node::{Document, Node, Value},
    },
    model::{Error, Exit, Launch, Signal},
};

struct Project {
    host: Host,
    _folder: TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let cwd = folder.path().canonicalize().unwrap();
        let env = std::env::vars_os().collect();
        let refuse = |_: &Launch| Err(Error::failed("nothing is to be asked"));
        Self {
            host: Host {
                cwd,
                env,
                home: None,
                colour: false,
                ask: std::sync::Arc::new(refuse),
                run: std::sync::Arc::new(run),
                owner: Owner::default(),
                asks_as: None,
                pipes: Pipes::default(),
                seen: Seen::default(),
            },
            _folder: folder,
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.host.cwd.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        file
    }

    fn read(&self, name: &str) -> Document {
        read(Path::new(name), false, &self.host).unwrap_or_else(|error| panic!("{}", self.told(&error)))
    }

    /// Why a file is refused, as people read it.
    fn refusal(&self, name: &str) -> String {
        match read(Path::new(name), false, &self.host) {
            Ok(document) => panic!("{name} was read: {}", tree(&document.root)),
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{error}");
                self.told(&error)
            }
        }
    }

    fn told(&self, error: &Error) -> String {
        let causes: String = error.causes.iter().map(|cause| format!("\nbecause: {cause}")).collect();
        let hint: String = error.hint.iter().map(|hint| format!("\nhint: {hint}")).collect();
        format!("{}{causes}{hint}", error.message).replace(self.host.cwd.to_str().unwrap(), "")
    }
}

/// Writes one file and gives the refusal of it.
fn refusal(name: &str, content: impl AsRef<[u8]>) -> String {
    let project = Project::new();
    project.file(name, content);
    project.refusal(name)
}

/// Writes one file and gives its tree.
fn parsed(name: &str, content: impl AsRef<[u8]>) -> String {
    let project = Project::new();
    project.file(name, content);
    tree(&project.read(name).root)
}

/// A tree without its places, in one line.
fn tree(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(nodes) => format!("[{}]", nodes.iter().map(tree).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| format!("{}: {}", entry.key, tree(&entry.node))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Regex { source, flags } => format!("/{source}/{flags}"),
        Value::Other(what) => format!("<{what}>"),
    }
}

/// Runs a child to its end, as the command line does but for the limit.
fn run(launch: &Launch, _: Duration) -> Result<Output, Error> {
    let output = Command::new(&launch.argv[0])
        .args(&launch.argv[1..])
        .current_dir(&launch.cwd)
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let signal = || Exit::Signal { signal: Signal(output.status.signal().unwrap()), core: false };
    Ok(Output { end: End::Exited(output.status.code().map_or_else(signal, Exit::Code)), said })
}
