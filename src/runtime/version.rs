//! The versions of apps, as lists show them: that of the nearest package.json, Cargo.toml or pyproject.toml above the script that has one.
//! They are read when an app starts, since what is deployed may bring a new one, and by a thread of their own, since disks may be slow.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    thread,
};

use toml::de::DeTable;

use super::runner::{Inbox, Runner};
use crate::{
    model::{AppId, AppSpec, RunId},
    supervisor::Role,
};

/// A manifest that is longer is none.
const LONGEST: u64 = 1 << 20;

/// A version that was read.
pub type Read = (AppId, Option<String>);

/// What is known of versions.
#[derive(Debug, Default)]
pub struct Versions {
    known: HashMap<AppId, Option<String>>,
    /// Those to be read once the thread is back.
    due: BTreeSet<AppId>,
    is_reading: bool,
}

impl Versions {
    /// Forgets an app.
    pub fn forget(&mut self, app: AppId) {
        self.known.remove(&app);
        self.due.remove(&app);
    }

    /// The version of an app, as far as it is known.
    pub fn of(&self, app: AppId) -> Option<&str> {
        self.known.get(&app)?.as_deref()
    }
}

impl Runner {
    /// A run has started: its version is looked for.
    pub fn look_for_version(&mut self, run: RunId) {
        if let Some(live) = self.runs.get(&run).filter(|live| live.role == Role::App) {
            self.known.versions.due.insert(live.instance.app);
            self.read_versions();
        }
    }

    /// Apps may be there that have not started: theirs are looked for too.
    pub fn look_for_versions(&mut self) {
        let unknown = self.apps.all().map(|(app, _)| app).filter(|app| !self.known.versions.known.contains_key(app));
        self.known.versions.due.extend(unknown.collect::<Vec<_>>());
        self.read_versions();
    }

    fn read_versions(&mut self) {
        if self.known.versions.is_reading || self.known.versions.due.is_empty() {
            return;
        }
        let folder = |app: AppId| {
            let project = self.apps.owner(app).and_then(|owner| self.projects.get(owner));
            project.map(|project| project.host.cwd.clone()).unwrap_or_default()
        };
        let due = std::mem::take(&mut self.known.versions.due);
        let places: Vec<(AppId, PathBuf, PathBuf)> = due
            .into_iter()
            .filter_map(|app| {
                let spec = self.apps.spec(app)?;
                Some((app, place(spec), top(spec, &folder(app))))
            })
            .collect();
        let inbox = self.inbox.clone();
        let read = move || {
            let mut seen = BTreeMap::new();
            let read = places.into_iter().map(|(app, from, to)| {
                let version = seen.entry((from, to)).or_insert_with_key(|(from, to)| above(from, to));
                (app, version.clone())
            });
            let _ = inbox.send(Inbox::Versions(read.collect()));
        };
        // Without a thread the list has no versions, which is no reason to say anything.
        self.known.versions.is_reading = thread::Builder::new().name("pmdev-versions".to_owned()).spawn(read).is_ok();
    }

    /// They were read.
    pub fn versions_read(&mut self, read: Vec<Read>) {
        self.known.versions.is_reading = false;
        // Some may be gone meanwhile.
        self.known.versions.known.extend(read.into_iter().filter(|(app, _)| self.apps.owner(*app).is_some()));
        self.read_versions();
    }
}

/// Where an app's manifest is looked for first.
fn place(spec: &AppSpec) -> PathBuf {
    let folder = spec.script.as_deref().and_then(Path::parent);
    folder.unwrap_or(&spec.launch.cwd).to_owned()
}

/// And last: in the runner's folder or the app's, whichever lies above; for a script elsewhere, in the topmost folder of all.
fn top(spec: &AppSpec, runner: &Path) -> PathBuf {
    let from = place(spec);
    let above = [runner, &spec.launch.cwd].into_iter().filter(|folder| from.starts_with(folder));
    above.min_by_key(|folder| folder.components().count()).unwrap_or(Path::new("/")).to_owned()
}

/// The version of the nearest manifest that has one, from a folder upwards.
fn above(from: &Path, to: &Path) -> Option<String> {
    from.ancestors().take_while(|folder| folder.starts_with(to)).find_map(|folder| {
        let text = |name: &str| -> Option<String> {
            let mut text = String::new();
            let path = folder.join(name);
            // A pipe of that name would never be at its end.
            path.metadata().ok().filter(|about| about.is_file() && about.len() <= LONGEST)?;
            File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
            Some(text)
        };
        text("package.json")
            .and_then(|text| of_package(&text))
            .or_else(|| of_toml(&text("Cargo.toml")?, &[&["package"], &["workspace", "package"]]))
            .or_else(|| of_toml(&text("pyproject.toml")?, &[&["project"], &["tool", "poetry"]]))
    })
}

fn of_package(text: &str) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(text).ok()?;
    manifest.get("version")?.as_str().map(str::to_owned)
}

fn of_toml(text: &str, tables: &[&[&str]]) -> Option<String> {
    let manifest = DeTable::parse(text).ok()?;
    tables.iter().find_map(|path| {
        let mut table = manifest.get_ref();
        for name in *path {
            table = table.get(*name)?.get_ref().as_table()?;
        }
        // `version.workspace = true` is no text: its workspace has it.
        table.get("version")?.get_ref().as_str().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_manifest_with_a_version_counts_up_to_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("package.json", r#"{ "version": "9.9.9" }"#);
        write("shop/package.json", r#"{ "name": "shop", "version": "1.2.3" }"#);
        write("shop/dist/package.json", r#"{ "type": "module" }"#);
        write("shop/api/Cargo.toml", "[package]\nname = \"api\"\nversion.workspace = true\n");
        write("shop/Cargo.toml", "[workspace.package]\nversion = \"0.4.0\"\n");
        write("shop/py/pyproject.toml", "[project]\nversion = \"2.0\"\n");
        write("shop/poetry/pyproject.toml", "[tool.poetry]\nversion = \"3.1\"\n");
        write("shop/broken/package.json", "{ version");
        write("bare/x.js", "");
        let of = |from: &str, to: &str| above(&root.join(from), &root.join(to));
        for (from, version) in [
            ("shop", Some("1.2.3")),
            ("shop/dist", Some("1.2.3")),
            ("shop/api", Some("1.2.3")),
            ("shop/py", Some("2.0")),
            ("shop/poetry", Some("3.1")),
            ("shop/broken", Some("1.2.3")),
        ] {
            assert_eq!(of(from, "shop").as_deref(), version, "{from}");
        }
        fs::remove_file(root.join("shop/package.json")).unwrap();
        assert_eq!(of("shop/api", "shop").as_deref(), Some("0.4.0"), "that of its workspace");
        assert_eq!(of("bare", "bare"), None, "what lies above the project is another one's");
        assert_eq!(of("bare", "").as_deref(), Some("9.9.9"));
    }
}
