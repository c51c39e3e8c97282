//! What an edited project file means for the apps that run: per app, what differs and whether its processes have to be replaced.
//! Pure: it compares specs and says what it sees; who acts on it is no concern of it.
//! Start reading with [`Plan::between`]; `spec` goes through the parts of an app.

mod spec;
#[cfg(test)]
mod tests;

use crate::model::AppSpec;

/// What becomes of every app, in the order of the new specs; those that go come last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of an app, and what becomes of it.
    pub apps: Vec<(String, Step)>,
}

/// What becomes of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It stays as it is.
    Unchanged,
    /// It is another one under its old name.
    Changed {
        /// What differs, each as `env PORT 3000 -> 4000`; secrets are masked.
        what: Vec<String>,
        /// Whether its processes are replaced.
        needs_restart: bool,
    },
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

/// From so many apps on, those that stay as they are have one line together.
const NAMED_UNCHANGED: usize = 10;

impl Plan {
    /// The plan that leads from the old specs to the new ones. An app is the same where its name is.
    pub fn between<'a>(old: impl IntoIterator<Item = &'a AppSpec>, new: impl IntoIterator<Item = &'a AppSpec>) -> Self {
        let mut old: Vec<_> = old.into_iter().collect();
        let mut apps = Vec::new();
        for spec in new {
            let step = match old.iter().position(|known| known.name == spec.name) {
                None => Step::Added,
                Some(index) => spec::compare(old.remove(index), spec),
            };
            apps.push((spec.name.clone(), step));
        }
        apps.extend(old.into_iter().map(|spec| (spec.name.clone(), Step::Removed)));
        Self { apps }
    }

    /// What becomes of the app of this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.apps.iter().find(|(known, _)| known == name).map(|(_, step)| step)
    }

    /// Something else differs in this app, so that its processes have to be replaced.
    pub fn restart(&mut self, name: &str, why: &str) {
        for (_, step) in self.apps.iter_mut().filter(|(known, _)| known == name) {
            match step {
                Step::Unchanged => *step = Step::Changed { what: vec![why.to_owned()], needs_restart: true },
                Step::Changed { what, needs_restart } => {
                    what.push(why.to_owned());
                    *needs_restart = true;
                }
                Step::Added | Step::Removed => {}
            }
        }
    }

    /// Whether it leaves everything as it is.
    pub fn is_empty(&self) -> bool {
        self.apps.iter().all(|(_, step)| *step == Step::Unchanged)
    }

    /// The plan as people read it: `api: env PORT 3000 -> 4000, restart`, `web: unchanged`. Each line with the app it is about, if it is
    /// about one.
    pub fn lines(&self) -> Vec<(Option<&str>, String)> {
        let unchanged = self.apps.iter().filter(|(_, step)| *step == Step::Unchanged).count();
        let one_by_one = unchanged < NAMED_UNCHANGED;
        let named = self.apps.iter().filter(|(_, step)| one_by_one || *step != Step::Unchanged);
        let mut lines: Vec<_> = named.map(|(name, step)| (Some(name.as_str()), format!("{name}: {step}"))).collect();
        if !one_by_one {
            lines.push((None, format!("{unchanged} apps: unchanged")));
        }
        lines
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged => f.write_str("unchanged"),
            Self::Changed { what, needs_restart: true } => write!(f, "{}, restart", what.join(", ")),
            Self::Changed { what, needs_restart: false } => f.write_str(&what.join(", ")),
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
        }
    }
}
