//! What the words of a verb mean: names, ids, instances, namespaces, scripts, regexes, `all`.

use std::{collections::BTreeSet, path::Path};

use regex::RegexBuilder;

use super::{
    project::ProjectId,
    runner::{Runner, now},
};
use crate::{
    control::Reply,
    model::{AppSnapshot, InstanceId},
};

/// How many targets one request may name, and how many regexes among them: they are looked up between two steps of the supervision.
const MOST: (usize, usize) = (1000, 16);

/// How large a regex may become, in bytes.
const LARGEST: usize = 1 << 18;

/// What stands between slashes.
fn pattern(word: &str) -> Option<&str> {
    word.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|pattern| !pattern.is_empty())
}

impl Runner {
    /// The instances that words name, each once, in the order of their ids; or the refusal that names what was not found. PM2's order: a name
    /// wins over an id, also where it is a number.
    pub fn targets(&mut self, words: &[String]) -> Result<Vec<InstanceId>, Reply> {
        let words: BTreeSet<&String> = words.iter().collect();
        let regexes = words.iter().filter(|word| pattern(word).is_some()).count();
        if words.len() > MOST.0 || regexes > MOST.1 {
            return Err(Reply::refused(
                2,
                format!("More than {} targets, or {} regexes among them, are not looked up at once", MOST.0, MOST.1),
            ));
        }
        let apps = self.supervisor.snapshot(now()).apps;
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for word in words {
            let meant = self.meant(word, &apps)?;
            if meant.is_empty() {
                unknown.push((*word).clone());
            }
            found.extend(meant);
        }
        if !unknown.is_empty() {
            return Err(self.not_found(&unknown, &apps));
        }
        let mut numbered: Vec<_> = found.into_iter().map(|id| (self.apps.number_of(id), id)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.dedup();
        Ok(numbered.into_iter().map(|(_, id)| id).collect())
    }

    fn meant(&mut self, word: &str, apps: &[AppSnapshot]) -> Result<Vec<InstanceId>, Reply> {
        let of = |meant: &dyn Fn(&AppSnapshot) -> bool| -> Vec<InstanceId> {
            apps.iter().filter(|app| meant(app)).flat_map(|app| app.instances.iter().map(|instance| instance.id)).collect()
        };
        if word == "all" {
            return Ok(of(&|_| true));
        }
        if let Some(pattern) = pattern(word) {
            let regex = RegexBuilder::new(pattern)
                .size_limit(LARGEST)
                .build()
                .map_err(|error| Reply::refused(2, format!("{word} is not a regex: {error}")))?;
            return Ok(of(&|app| regex.is_match(&app.name)));
        }
        let named = of(&|app| app.name == word);
        if !named.is_empty() {
            return Ok(named);
        }
        if let Ok(number) = word.parse::<usize>() {
            let all = of(&|_| true);
            return Ok(all.into_iter().filter(|id| self.apps.number_of(*id) == number).collect());
        }
        if let Some((name, slot)) = word.rsplit_once(':').and_then(|(name, slot)| Some((name, slot.parse::<u16>().ok()?))) {
            let one = of(&|app| app.name == name);
            return Ok(one.into_iter().filter(|id| id.slot == slot).collect());
        }
        let spec = |app: &AppSnapshot| self.apps.spec(app.id);
        let grouped = of(&|app| spec(app).is_some_and(|spec| spec.namespace == word));
        if !grouped.is_empty() {
            return Ok(grouped);
        }
        let path = Path::new(word);
        let filed: Vec<ProjectId> = self
            .projects
            .iter()
            .filter(|project| project.sources.files.iter().any(|file| file == path))
            .map(|project| project.id)
            .collect();
        if !filed.is_empty() {
            return Ok(of(&|app| self.apps.owner(app.id).is_some_and(|owner| filed.contains(&owner))));
        }
        Ok(of(&|app| spec(app).and_then(|spec| spec.script.as_deref()).is_some_and(|script| script == Path::new(word))))
    }

    fn not_found(&self, unknown: &[String], apps: &[AppSnapshot]) -> Reply {
        if apps.is_empty() && unknown == ["all"] {
            return Reply::refused(1, "The runner has no apps");
        }
        let (what, verb) = (unknown.join(", "), if unknown.len() == 1 { "is" } else { "are" });
        let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        Reply::refused(1, format!("{what} {verb} no app of this runner; {known}"))
    }
}
