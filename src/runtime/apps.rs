//! The apps of the runner under their ids, and the console source of each of their instances.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{pid_file::PidFile, project::ProjectId};
use crate::{
    config::{EnvRecipe, Plan, Resolved, diff::Step, hidden, words_without_secrets},
    log::{Console, Label, Source},
    model::{AppId, AppSpec, InstanceId, Launch, Level, Notice, NoticeKind},
    supervisor::Edit,
    ui::{Labels, Style},
};

/// The apps, in the order in which they are declared.
#[derive(Debug, Default)]
pub struct Apps {
    list: Vec<(AppId, Arc<AppSpec>)>,
    /// What each app's environment is made of, for the variables that differ from instance to instance.
    recipes: HashMap<AppId, EnvRecipe>,
    /// The number of each instance among all of the runner's: in the order of declaration, at first and with each edit; never given to another while there is any app.
    numbers: HashMap<InstanceId, usize>,
    /// The next instance's number.
    next_number: usize,
    /// The next app's id: none is used twice.
    next: u32,
    /// Apps that were removed, of which something may still be alive.
    going: Vec<AppId>,
    sources: HashMap<InstanceId, Source>,
    labels: Labels,
    /// Whose request each app is of.
    owners: HashMap<AppId, ProjectId>,
    /// When each app was declared.
    declared: HashMap<AppId, Timestamp>,
    /// The numbers that apps to come are to get, by name and slot.
    reserved: HashMap<String, Vec<usize>>,
}

impl Apps {
    /// The first apps.
    pub fn new(owner: ProjectId, specs: Vec<AppSpec>, recipes: Vec<EnvRecipe>) -> Self {
        let mut apps = Self::default();
        for (spec, recipe) in specs.into_iter().zip(recipes) {
            let app = apps.id();
            apps.count(app, spec.instances);
            apps.recipes.insert(app, recipe);
            apps.owners.insert(app, owner);
            apps.list.push((app, Arc::new(spec)));
        }
        apps
    }

    /// The plan that leads from the apps of a project to others.
    pub fn plan(&self, owner: ProjectId, specs: &[AppSpec], recipes: &[EnvRecipe]) -> Plan {
        let mut plan = Plan::between(self.of(owner).map(|(_, spec)| spec.as_ref()), specs);
        for (spec, recipe) in specs.iter().zip(recipes) {
            let known = self.named(&spec.name).and_then(|app| self.recipes.get(&app));
            if known.is_some_and(|known| known.counting() != recipe.counting()) {
                plan.restart(&spec.name, "variables of its instances changed");
            }
        }
        plan
    }

    /// The launch of an instance, with the variables that are its own.
    pub fn launch(&mut self, instance: InstanceId, spec: &AppSpec) -> Launch {
        let mut launch = spec.launch.clone();
        let number = self.number(instance);
        if let Some(recipe) = self.recipes.get(&instance.app) {
            recipe.add_instance(&mut launch.env, &spec.name, instance.slot, number);
        }
        launch
    }

    /// Where the pid of an instance goes.
    pub fn pid_file(&mut self, instance: InstanceId, spec: &AppSpec) -> Option<PidFile> {
        let number = self.number(instance);
        spec.pid_file.as_ref().map(|file| PidFile::new(file.path_of(number, spec.instances)))
    }

    /// Numbers the instances of an app: what has no number yet has no log files.
    fn count(&mut self, app: AppId, instances: u16) {
        for slot in 0..instances {
            self.number(InstanceId { app, slot });
        }
    }

    /// Gives apps that come from now on these numbers, by name and slot, where nobody has them; nobody else gets them.
    pub fn reserve(&mut self, numbers: Vec<(String, Vec<usize>)>) {
        let highest = numbers.iter().flat_map(|(_, numbers)| numbers).max();
        let next = highest.and_then(|highest| highest.checked_add(1)).unwrap_or_default();
        self.next_number = self.next_number.max(next);
        self.reserved = numbers.into_iter().collect();
    }

    /// The numbers of an app's instances, slot by slot.
    pub fn numbers_of(&self, app: AppId) -> Vec<usize> {
        let instances = self.spec(app).map_or(0, |spec| spec.instances);
        (0..instances).map_while(|slot| self.numbers.get(&InstanceId { app, slot }).copied()).collect()
    }

    /// Gives a new app the numbers that are reserved for it.
    fn take_reserved(&mut self, app: AppId, name: &str, instances: u16) {
        let reserved = self.reserved.remove(name).unwrap_or_default();
        for (slot, number) in (0..instances).zip(reserved) {
            if !self.numbers.values().any(|taken| *taken == number) {
                self.numbers.insert(InstanceId { app, slot }, number);
            }
        }
    }

    fn number(&mut self, instance: InstanceId) -> usize {
        let next = &mut self.next_number;
        *self.numbers.entry(instance).or_insert_with(|| std::mem::replace(next, *next + 1))
    }

    /// What shall run, in order.
    pub fn specs(&self) -> impl Iterator<Item = &Arc<AppSpec>> {
        self.list.iter().map(|(_, spec)| spec)
    }

    /// Every app with its spec, in order.
    pub fn all(&self) -> impl Iterator<Item = (AppId, &Arc<AppSpec>)> {
        self.list.iter().map(|(app, spec)| (*app, spec))
    }

    /// The spec of an app.
    pub fn spec(&self, app: AppId) -> Option<&Arc<AppSpec>> {
        self.list.iter().find(|(id, _)| *id == app).map(|(_, spec)| spec)
    }

    /// When an app was declared.
    pub fn declared(&self, app: AppId) -> Option<Timestamp> {
        self.declared.get(&app).copied()
    }

    /// The number of an instance among all of the runner's.
    pub fn number_of(&mut self, instance: InstanceId) -> usize {
        self.number(instance)
    }

    /// The environment of an instance.
    pub fn environment(&mut self, instance: InstanceId) -> Option<Launch> {
        let spec = Arc::clone(self.spec(instance.app)?);
        Some(self.launch(instance, &spec))
    }

    /// Whether what declares an app holds a secret: a variable that it sets, or a word of its arguments.
    pub fn declares_secret(&self, app: AppId, spec: &AppSpec) -> bool {
        let words: Vec<String> = spec.launch.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut declared = self.recipes.get(&app).into_iter().flat_map(EnvRecipe::declared);
        words_without_secrets(&words) != words || declared.any(|(name, value)| hidden(name, value) != value)
    }

    /// Another number of instances; `None`: there is no such app.
    pub fn scale(&mut self, app: AppId, instances: u16) -> Option<Edit> {
        let (_, spec) = self.list.iter_mut().find(|(id, _)| *id == app)?;
        *spec = Arc::new(AppSpec { instances, ..AppSpec::clone(spec) });
        let spec = Arc::clone(spec);
        self.count(app, instances);
        Some(Edit::Change { app, spec, restart: false })
    }

    /// Watches an app that is not watched, or no more one that is; `None`: there is no such app, or nothing that could be watched for it.
    pub fn toggle_watch(&mut self, app: AppId) -> Option<Edit> {
        let (_, spec) = self.list.iter_mut().find(|(id, spec)| *id == app && (spec.watch.is_some() || spec.unwatched.is_some()))?;
        let mut toggled = AppSpec::clone(spec);
        toggled.toggle_watch();
        *spec = Arc::new(toggled);
        Some(Edit::Change { app, spec: Arc::clone(spec), restart: false })
    }

    /// Takes an app out; what is known of it is kept until [`Self::forget`].
    pub fn remove(&mut self, app: AppId) -> Option<Edit> {
        let index = self.list.iter().position(|(id, _)| *id == app)?;
        self.list.remove(index);
        self.going.push(app);
        Some(Edit::Remove { app })
    }

    /// Whether apps were removed that are not forgotten yet.
    pub fn are_going(&self) -> bool {
        !self.going.is_empty()
    }

    /// Forgets those removed of which nothing is alive any more; they come back.
    pub fn forget(&mut self, is_alive: impl Fn(AppId) -> bool) -> Vec<AppId> {
        let (going, gone) = std::mem::take(&mut self.going).into_iter().partition(|app| is_alive(*app));
        self.going = going;
        let is_gone = |app: &AppId| gone.contains(app);
        self.recipes.retain(|app, _| !is_gone(app));
        self.owners.retain(|app, _| !is_gone(app));
        self.declared.retain(|app, _| !is_gone(app));
        self.numbers.retain(|id, _| !is_gone(&id.app));
        self.sources.retain(|id, _| !is_gone(&id.app));
        // As under PM2: or every `delete all` would leave another set of numbered log files behind.
        if self.numbers.is_empty() {
            self.next_number = 0;
            self.reserved.clear();
        }
        gone
    }

    /// The name of an app.
    pub fn name(&self, app: AppId) -> Option<&str> {
        self.list.iter().find(|(id, _)| *id == app).map(|(_, spec)| spec.name.as_str())
    }

    /// The app of this name.
    pub fn named(&self, name: &str) -> Option<AppId> {
        self.list.iter().find(|(_, spec)| spec.name == name).map(|(id, _)| *id)
    }

    /// Whose request an app is of.
    pub fn owner(&self, app: AppId) -> Option<ProjectId> {
        self.owners.get(&app).copied()
    }

    /// Gives an app to another request.
    pub fn give(&mut self, app: AppId, owner: ProjectId) {
        self.owners.insert(app, owner);
    }

    /// The apps of a request, in order.
    pub fn of(&self, owner: ProjectId) -> impl Iterator<Item = (AppId, &Arc<AppSpec>)> {
        self.all().filter(move |(app, _)| self.owner(*app) == Some(owner))
    }

    /// What a request stands for, without apps whose names others of another request have.
    pub fn without_others(&self, owner: ProjectId, resolved: Resolved) -> Resolved {
        let taken = |app: &AppSpec| self.named(&app.name).is_some_and(|known| self.owner(known) != Some(owner));
        let told = resolved.apps.iter().filter(|app| taken(app)).map(|app| {
            let text = format!("{} is left out: an app of this name, of another request, runs already", app.name);
            Notice::new(Level::Warning, NoticeKind::Config, text).about(&app.name)
        });
        let told: Vec<Notice> = told.collect();
        let mut resolved = resolved.keep(|app| !taken(app));
        resolved.notices.extend(told);
        resolved
    }

    /// Takes other apps in the place of those of a project; what that means for whom.
    pub fn replace(&mut self, owner: ProjectId, specs: Vec<AppSpec>, recipes: Vec<EnvRecipe>, plan: &Plan) -> Vec<Edit> {
        let (mut old, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.list).into_iter().partition(|(app, _)| self.owner(*app) == Some(owner));
        self.list = others;
        let mut edits = Vec::new();
        for (spec, recipe) in specs.into_iter().zip(recipes) {
            let spec = Arc::new(spec);
            let known = old.iter().position(|(_, known)| known.name == spec.name).map(|index| old.swap_remove(index).0);
            let app = known.unwrap_or_else(|| {
                let app = self.id();
                self.take_reserved(app, &spec.name, spec.instances);
                app
            });
            match plan.step(&spec.name) {
                Some(Step::Added) => edits.push(Edit::Add { app, spec: Arc::clone(&spec) }),
                Some(Step::Changed { needs_restart, .. }) => {
                    edits.push(Edit::Change { app, spec: Arc::clone(&spec), restart: *needs_restart });
                }
                Some(Step::Unchanged | Step::Removed) | None => {}
            }
            self.recipes.insert(app, recipe);
            self.owners.insert(app, owner);
            self.count(app, spec.instances);
            self.list.push((app, spec));
        }
        self.going.extend(old.iter().map(|(app, _)| *app));
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

    /// Every instance that has a source: its app, its number, the source.
    pub fn instances(&self) -> Vec<(Arc<AppSpec>, usize, Source)> {
        let slots = self.list.iter().flat_map(|(app, spec)| (0..spec.instances).map(move |slot| (spec, InstanceId { app: *app, slot })));
        let instances = slots.filter_map(|(spec, id)| Some((Arc::clone(spec), *self.numbers.get(&id)?, self.sources.get(&id)?.clone())));
        instances.collect()
    }

    /// Where the lines of an instance go.
    pub fn source(&self, instance: InstanceId) -> Option<&Source> {
        self.sources.get(&instance)
    }

    /// Where the lines of all instances go.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    fn id(&mut self) -> AppId {
        self.next += 1;
        let app = AppId(self.next - 1);
        self.declared.insert(app, Timestamp::now());
        app
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Hardening, RestartPolicy, Signal, StopSpec};

    fn spec(name: &str) -> AppSpec {
        let launch = Launch { argv: vec!["x".into()], cwd: "/".into(), env: Vec::new(), hardening: Hardening::default() };
        let restart = RestartPolicy {
            after_exit: crate::model::AfterExit::Wait,
            min_uptime: Duration::ZERO,
            max_restarts: None,
            window: Duration::ZERO,
            stop_exit_codes: Vec::new(),
            stuck_blocks: false,
        };
        AppSpec { instances: 2, ..AppSpec::new(name, launch, restart, StopSpec::new(Signal::TERM, Duration::ZERO)) }
    }

    #[test]
    fn nothing_is_left_of_apps_that_come_and_go_and_no_number_is_given_twice() {
        let owner = ProjectId(0);
        let mut apps = Apps::new(owner, vec![spec("stays")], vec![EnvRecipe::default()]);
        let mut last = 1;
        for round in 0..1000 {
            let name = format!("app{round}");
            let specs = || vec![spec("stays"), spec(&name)];
            let recipes = || vec![EnvRecipe::default(), EnvRecipe::default()];
            let plan = apps.plan(owner, &specs(), &recipes());
            apps.replace(owner, specs(), recipes(), &plan);
            let app = apps.named(&name).expect("it was added");
            let number = apps.number_of(InstanceId { app, slot: 1 });
            assert!(number > last, "{number} after {last}");
            last = number;
            if round % 2 == 0 {
                apps.remove(app);
            } else {
                let plan = apps.plan(owner, &[spec("stays")], &[EnvRecipe::default()]);
                apps.replace(owner, vec![spec("stays")], vec![EnvRecipe::default()], &plan);
            }
            assert!(apps.are_going() && apps.forget(|_| true).is_empty(), "something of it is alive");
            assert_eq!(apps.number_of(InstanceId { app, slot: 1 }), number, "it keeps its number as long");
            assert_eq!(apps.forget(|_| false), [app]);
        }
        let Apps { list, recipes, numbers, sources, owners, declared, going, .. } = &apps;
        let left = [list.len(), recipes.len(), owners.len(), declared.len(), numbers.len() / 2, sources.len() + 1, going.len() + 1];
        assert_eq!(left, [1; 7]);
        assert_eq!(apps.number_of(InstanceId { app: AppId(0), slot: 0 }), 0);
        let stays = apps.named("stays").expect("it was never removed");
        apps.remove(stays);
        apps.forget(|_| false);
        assert_eq!(apps.number_of(InstanceId { app: AppId(9999), slot: 0 }), 0, "an empty runner begins anew");
    }
}
