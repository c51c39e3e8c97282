//! The environment of runs: read again before each start where env files are in it, so that an edited file counts from the next run on.

use crate::{
    config::EnvRecipe,
    model::{AppId, Launch, Level, Notice, NoticeKind},
};

/// The recipes of all apps, in the order of declaration.
pub struct Environments {
    recipes: Vec<EnvRecipe>,
}

impl Environments {
    pub fn new(recipes: Vec<EnvRecipe>) -> Self {
        Self { recipes }
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
