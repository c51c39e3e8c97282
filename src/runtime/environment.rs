//! The environment of runs: read again before each start where env files are in it, so that an edited file counts from the next run on,
//! and with the variables that differ from instance to instance.

use std::{collections::HashMap, sync::Arc};

use crate::{
    config::EnvRecipe,
    model::{AppId, AppSpec, InstanceId, Launch, Level, Notice, NoticeKind},
};

/// The recipes of all apps, in the order of declaration.
pub struct Environments {
    recipes: Vec<EnvRecipe>,
    /// The number of each instance among all of the runner's: in the order of declaration, then of first starts; never given to another.
    ids: HashMap<InstanceId, usize>,
}

impl Environments {
    pub fn new(recipes: Vec<EnvRecipe>, apps: &[Arc<AppSpec>]) -> Self {
        let slots = |(app, spec): (u32, &Arc<AppSpec>)| (0..spec.instances).map(move |slot| InstanceId { app: AppId(app), slot });
        let ids = (0..).zip(apps).flat_map(slots).zip(0..).collect();
        Self { recipes, ids }
    }

    /// Adds what differs from instance to instance.
    pub fn add_instance(&mut self, instance: InstanceId, name: &str, launch: &mut Launch) {
        let next = self.ids.len();
        let id = *self.ids.entry(instance).or_insert(next);
        if let Some(recipe) = usize::try_from(instance.app.0).ok().and_then(|index| self.recipes.get(index)) {
            recipe.add_instance(&mut launch.env, name, instance.slot, id);
        }
    }

    /// The launch with the environment of this moment. Where a file cannot be read now, the launch stays as it was, and people are told.
    pub fn fresh(&self, app: AppId, name: &str, mut launch: Launch) -> (Launch, Option<Notice>) {
        // What is no file, such as the pipe of `--env-file <(decrypt .env)`, can be read once; that was at the start.
        let again = |recipe: &&EnvRecipe| !recipe.files().is_empty() && recipe.files().iter().all(|file| !file.exists() || file.is_file());
        let recipe = usize::try_from(app.0).ok().and_then(|index| self.recipes.get(index)).filter(again);
        match recipe.map(EnvRecipe::read) {
            None => (launch, None),
            Some(Ok(env)) => {
                launch.env = env;
                (launch, None)
            }
            Some(Err(error)) => {
                let text = format!("{name} starts with the variables of the start: {error}");
                let notice = Notice::new(Level::Warning, NoticeKind::Config, text).about(name);
                (
                    launch,
                    Some(match error.hint {
                        Some(hint) => notice.hint(hint),
                        None => notice,
                    }),
                )
            }
        }
    }
}
