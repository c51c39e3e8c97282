//! A project in a folder of its own, with a PATH on which only made-up programs lie.

mod builds;
mod detection;
mod ecosystems;
mod environments;
mod flags;
mod formats;
mod interpreters;
mod key_table;
mod logs;
mod mistakes;
mod needs;
mod profiles;
mod reference;
mod targets;
mod watches;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use super::{Host, Output, Owner, Pipes, Request, Resolved, Seen, resolve};
use crate::model::{AppSpec, Error, Launch};

struct Project {
    host: Host,
    root: PathBuf,
    _folder: TempDir,
}

impl Project {
    /// A project `p` in the home folder of somebody, with these programs on PATH.
    fn new(programs: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (home, cwd) = (root.join("home"), root.join("home/p"));
        fs::create_dir_all(&cwd).unwrap();
        fs::create_dir(root.join("bin")).unwrap();
        let env = vec![("PATH".into(), root.join("bin").into())];
        let project = Self {
            host: Host {
                cwd,
                env,
                home: Some(home),
                colour: false,
                ask: Arc::new(silent),
                run: Arc::new(idle),
                owner: Owner { user: 1000, group: 1000 },
                asks_as: None,
                pipes: Pipes::default(),
                seen: Seen::default(),
            },
            root,
            _folder: folder,
        };
        for program in programs {
            project.program(&format!("../../bin/{program}"));
        }
        project
    }

    /// Writes a file, with the folders above it; the path is relative to the project.
    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.host.cwd.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn files(&self, paths: &[&str]) {
        for path in paths {
            self.file(path, "");
        }
    }

    /// Writes a file that may be executed.
    fn program(&self, path: &str) -> PathBuf {
        let path = self.file(path, "");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn var(&mut self, name: &str, value: impl Into<OsString>) {
        self.host.env.push((name.into(), value.into()));
    }

    fn resolve(&self, request: &Request) -> Resolved {
        resolve(request, &self.host).unwrap_or_else(|error| panic!("{}", self.told(&error)))
    }

    /// The only app of a request for one target.
    fn app(&self, target: &str) -> AppSpec {
        self.app_of(&request(&[target]))
    }

    fn app_of(&self, request: &Request) -> AppSpec {
        let mut apps = self.resolve(request).apps;
        assert_eq!(apps.len(), 1);
        apps.remove(0)
    }

    /// The words an app is started with, as a line; the project's parent folders are `/`.
    fn line(&self, target: &str) -> String {
        self.words(&self.app(target).launch)
    }

    fn words(&self, launch: &Launch) -> String {
        let words: Vec<_> = launch.argv.iter().map(|word| word.to_str().unwrap()).collect();
        self.short(&words.join(" "))
    }

    /// The failure of a request, as people read it.
    fn refusal(&self, request: &Request) -> String {
        match resolve(request, &self.host) {
            Ok(resolved) => panic!("expected an error, got {:?}", resolved.apps),
            Err(error) => {
                assert_eq!(error.exit_code(), 2);
                self.told(&error)
            }
        }
    }

    fn told(&self, error: &Error) -> String {
        let causes: String = error.causes.iter().map(|cause| format!("\nbecause: {cause}")).collect();
        let hint = error.hint.iter().map(|hint| format!("\nhint: {hint}")).collect::<String>();
        self.short(&format!("{}{causes}{hint}", error.message))
    }

    fn short(&self, text: &str) -> String {
        text.replace(self.root.to_str().unwrap(), "")
    }

    fn notices(&self, request: &Request) -> Vec<String> {
        let notices = self.resolve(request).notices;
        notices.iter().map(|notice| self.short(&format!("{}\n{}", notice.text, notice.hint.as_deref().unwrap_or_default()))).collect()
    }
}

fn request(targets: &[&str]) -> Request {
    Request { targets: targets.iter().map(OsString::from).collect(), ..Request::default() }
}

fn silent(launch: &Launch) -> Result<String, Error> {
    Err(Error::failed(format!("{} was not to be asked", launch.argv[0].display())))
}

fn idle(launch: &Launch, _: Duration) -> Result<Output, Error> {
    Err(Error::failed(format!("{} was not to be run", launch.argv[0].display())))
}

fn var<'a>(app: &'a AppSpec, name: &str) -> Option<&'a str> {
    app.launch.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_str().unwrap())
}

fn names(resolved: &Resolved) -> Vec<&str> {
    resolved.apps.iter().map(|app| app.name.as_str()).collect()
}

#[test]
fn near_files_are_found_in_other_folders_and_with_other_endings() {
    let project = Project::new(&[]);
    project.files(&["src/app.js", "src/deep/er/server.py", "node_modules/x/worker.js", ".git/hook.sh"]);
    let near = |typed: &str| super::near::nearest_file(&project.host.cwd, Path::new(typed)).map(|path| path.display().to_string());
    assert_eq!(near("app.js").as_deref(), Some("src/app.js"));
    assert_eq!(near("app").as_deref(), Some("src/app.js"));
    assert_eq!(near("sevrer.py").as_deref(), Some("src/deep/er/server.py"));
    assert_eq!(near("worker.js"), None);
    assert_eq!(near("hook.sh"), None);
}
