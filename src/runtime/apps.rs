//! The apps of the runner under their ids, and the console source of each of their instances.

use std::{collections::HashMap, sync::Arc};

use crate::{
    config::diff::{Plan, Step},
    log::{Console, Label, Source},
    model::{AppId, AppSpec, InstanceId, WatchSpec},
    supervisor::Edit,
    ui::{Labels, Style},
    watch::Watched,
};

/// The apps, in the order in which they are declared.
#[derive(Debug, Default)]
pub struct Apps {
    list: Vec<(AppId, Arc<AppSpec>)>,
    /// The next app's id: none is used twice.
    next: u32,
    sources: HashMap<InstanceId, Source>,
    labels: Labels,
}

impl Apps {
    /// The first apps.
    pub fn new(specs: Vec<AppSpec>) -> Self {
        let mut apps = Self::default();
        for spec in specs {
            let id = apps.id();
            apps.list.push((id, Arc::new(spec)));
        }
        apps
    }

    /// What shall run, in order.
    pub fn specs(&self) -> impl Iterator<Item = &Arc<AppSpec>> {
        self.list.iter().map(|(_, spec)| spec)
    }

    /// The app of this name.
    pub fn named(&self, name: &str) -> Option<AppId> {
        self.list.iter().find(|(_, spec)| spec.name == name).map(|(id, _)| *id)
    }

    /// The apps whose files are watched.
    pub fn watched(&self) -> Vec<Watched> {
        let watched = |(app, spec): &(AppId, Arc<AppSpec>)| {
            let watch: WatchSpec = spec.watch.clone()?;
            Some(Watched { app: *app, name: spec.name.clone(), spec: watch })
        };
        self.list.iter().filter_map(watched).collect()
    }

    /// Takes other apps in the place of these; what that means for whom.
    pub fn replace(&mut self, specs: Vec<AppSpec>, plan: &Plan) -> Vec<Edit> {
        let mut old = std::mem::take(&mut self.list);
        let mut edits = Vec::new();
        for spec in specs {
            let spec = Arc::new(spec);
            let known = old.iter().position(|(_, known)| known.name == spec.name).map(|index| old.swap_remove(index).0);
            let app = known.unwrap_or_else(|| self.id());
            match plan.step(&spec.name) {
                Some(Step::Added) => edits.push(Edit::Add { app, spec: Arc::clone(&spec) }),
                Some(Step::Changed { needs_restart, .. }) => {
                    edits.push(Edit::Change { app, spec: Arc::clone(&spec), restart: *needs_restart });
                }
                Some(Step::Unchanged | Step::Removed) | None => {}
            }
            self.list.push((app, spec));
        }
        edits.extend(old.into_iter().map(|(app, _)| Edit::Remove { app }));
        edits
    }

    /// Makes the sources that are missing, gives all the labels of now, and drops those that nobody needs: not an app, and `runs` not.
    pub fn label(&mut self, console: &Console, style: Style, runs: impl Fn(InstanceId) -> bool) {
        let mut instances = Vec::new();
        for (app, spec) in &self.list {
            let several = spec.instances > 1;
            instances.extend(
                (0..spec.instances.max(1)).map(|slot| (InstanceId { app: *app, slot }, spec.name.clone(), several.then_some(slot))),
            );
        }
        let shown = |(_, app, slot): &(InstanceId, String, Option<u16>)| match slot {
            Some(slot) => format!("{app}:{slot}"),
            None => app.clone(),
        };
        let names: Vec<String> = instances.iter().map(shown).collect();
        let prefixes = self.labels.prefixes(&names, style);
        self.sources.retain(|id, _| runs(*id) || instances.iter().any(|(known, ..)| known == id));
        for ((id, app, instance), prefix) in instances.into_iter().zip(prefixes) {
            let label = Label { app, instance, prefix };
            match self.sources.get(&id) {
                Some(source) => source.relabel(label),
                None => drop(self.sources.insert(id, console.source(label))),
            }
        }
    }

    /// Where the lines of an instance go.
    pub fn source(&self, instance: InstanceId) -> Option<&Source> {
        self.sources.get(&instance)
    }

    fn id(&mut self) -> AppId {
        self.next += 1;
        AppId(self.next - 1)
    }
}
