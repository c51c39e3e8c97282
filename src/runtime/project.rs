//! What shall run, as it was asked for: one request in the foreground, one for each `start -d` in the background.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime},
};

use super::{sources::Sources, warnings::Warnings};
use crate::{
    config::{Host, Request, Resolved},
    control::Run,
    model::{AppId, ChangeSet, Notice},
    watch::{Wanted, Watched},
};

/// A project among those of a runner; none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectId(pub u32);

/// A request, and the files that say the rest.
#[derive(Debug)]
pub struct Project {
    pub id: ProjectId,
    pub request: Request,
    pub host: Host,
    /// The words it came with and where they were typed, where it came over the socket.
    pub typed: Option<Run>,
    /// The files.
    pub sources: Sources,
    /// Saves of what they load, in apps: an app that the plan restarts is not restarted again.
    pub held: Vec<(AppId, Arc<ChangeSet>)>,
    /// What was said about them.
    pub warnings: Warnings,
    pub state: State,
    /// What was said over the socket about apps of these files.
    pub said: Said,
}

/// Whether the files are being read.
#[derive(Debug)]
pub enum State {
    Idle,
    /// Since then.
    Reading(Instant),
    /// They were edited again since that began, these of them.
    Outdated(Vec<PathBuf>),
}

/// What holds for apps whatever their files say: they were deleted, or have another number of instances.
#[derive(Debug, Clone, Default)]
pub struct Said {
    deleted: HashSet<String>,
    /// The number that the file had then, and that of now.
    scaled: HashMap<String, (u16, u16)>,
    /// Apps whose watching was turned on or off, and whether the file had it on then.
    watched: HashMap<String, bool>,
}

impl Said {
    /// An app was deleted, or is another project's from now on: edits of its file do not bring it back.
    pub fn delete(&mut self, app: &str) {
        self.deleted.insert(app.to_owned());
    }

    /// An app has another number of instances, until its file names another one as well.
    pub fn scale(&mut self, app: &str, before: u16, count: u16) {
        self.scaled.entry(app.to_owned()).or_insert((before, count)).1 = count;
    }

    /// An app is watched, or not, the other way round than its file says, until the file changes that as well.
    pub fn toggle_watch(&mut self, app: &str, before: bool) {
        if self.watched.remove(app).is_none() {
            self.watched.insert(app.to_owned(), before);
        }
    }

    /// The apps with another number of instances, by name, and that number.
    pub fn scales(&self) -> Vec<(String, u16)> {
        let mut scales: Vec<_> = self.scaled.iter().map(|(name, (_, count))| (name.clone(), *count)).collect();
        scales.sort();
        scales
    }

    /// The apps that are watched the other way round than their file says, by name.
    pub fn toggled(&self) -> Vec<String> {
        let mut names: Vec<_> = self.watched.keys().cloned().collect();
        names.sort();
        names
    }

    /// The apps that are not of it any more, by name.
    pub fn deleted_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.deleted.iter().cloned().collect();
        names.sort();
        names
    }

    /// Lays it over what files say.
    pub fn over(&self, resolved: Resolved) -> Resolved {
        let mut resolved = resolved.keep(|app| !self.deleted.contains(&app.name));
        for app in &mut resolved.apps {
            if let Some((before, count)) = self.scaled.get(&app.name)
                && *before == app.instances
            {
                app.instances = *count;
            }
            if self.watched.get(&app.name).is_some_and(|before| *before == app.watch.is_some()) {
                app.toggle_watch();
            }
        }
        resolved
    }
}

impl Project {
    pub fn new(id: ProjectId, request: Request, host: Host, sources: Sources, told: &[Notice]) -> Self {
        let warnings = Warnings::new(told);
        Self { id, request, host, typed: None, sources, held: Vec::new(), warnings, state: State::Idle, said: Said::default() }
    }

    /// What was edited, as people are shown it; without a path, the first of the files.
    pub fn shown(&self, edited: &[PathBuf]) -> String {
        let path = edited.first().or(self.sources.files.first());
        let shown = path.map(|path| path.strip_prefix(&self.host.cwd).unwrap_or(path).display().to_string()).unwrap_or_default();
        match edited.len() {
            0 | 1 => shown,
            several => format!("{shown} and {} more", several - 1),
        }
    }
}

/// The projects of a runner, in the order in which they came.
#[derive(Debug, Default)]
pub struct Projects {
    list: Vec<Project>,
    next: u32,
}

impl Projects {
    /// Takes one in.
    pub fn add(&mut self, request: Request, host: Host, sources: Sources, told: &[Notice]) -> &mut Project {
        self.list.push(Project::new(ProjectId(self.next), request, host, sources, told));
        self.next += 1;
        self.list.last_mut().expect("it was just added")
    }

    pub fn get(&self, id: ProjectId) -> Option<&Project> {
        self.list.iter().find(|project| project.id == id)
    }

    pub fn get_mut(&mut self, id: ProjectId) -> Option<&mut Project> {
        self.list.iter_mut().find(|project| project.id == id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Project> {
        self.list.iter()
    }

    /// Those whose files these are; an edit of what nobody is known to have named is everybody's.
    pub fn of_files(&self, paths: &[PathBuf]) -> Vec<ProjectId> {
        // Nobody else is to be told from it.
        if let [only] = self.list.as_slice() {
            return vec![only.id];
        }
        let named: Vec<_> = self.list.iter().filter(|project| project.sources.name_one_of(paths)).collect();
        let meant = if named.is_empty() { self.list.iter().collect() } else { named };
        meant.into_iter().map(|project| project.id).collect()
    }

    /// The one that loads everything that changed.
    pub fn that_loads(&mut self, changes: &ChangeSet) -> Option<&mut Project> {
        self.list.iter_mut().find(|project| project.sources.are_all_of(changes))
    }

    /// Forgets those that have no apps any more.
    pub fn retain(&mut self, has_apps: impl Fn(ProjectId) -> bool) {
        self.list.retain(|project| has_apps(project.id));
    }

    /// Every file that says what shall run.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().flat_map(|project| project.sources.files.iter().map(PathBuf::as_path))
    }

    /// What is to be watched, for their files and for apps. `read_at`: when they were read.
    pub fn wanted(&self, apps: Vec<Watched>, read_at: SystemTime) -> Wanted {
        let mut wanted = Wanted { apps, files: Vec::new(), modules: Vec::new(), read_at };
        for project in &self.list {
            project.sources.add_to(&mut wanted);
        }
        wanted
    }
}
