//! What has to be told of keys that are used: those that do nothing, and those that a later version carries out. This is the one place
//! that knows what is not carried out yet, together with the table of keys.

use crate::config::{
    Request,
    element::Fate,
    near,
    node::{Document, Place},
    plan::bytes,
    problem::Problem,
    profile::Profile,
    raw::Raw,
};
use crate::model::AppSpec;

use super::App;

/// The use of a key by some apps.
struct Use {
    key: String,
    fate: Fate,
    apps: Vec<String>,
    place: Place,
}

/// Tells every such key once, with the apps that use it.
pub fn tell(raw: &Raw, chosen: &[&App], profile: Profile, document: &Document, problems: &mut Vec<Problem>) {
    let mut uses: Vec<Use> = Vec::new();
    let mut add = |key: &str, fate: Fate, app: &str, place: Place| match uses.iter_mut().find(|known| known.key == key) {
        Some(known) => known.apps.push(app.to_owned()),
        None => uses.push(Use { key: key.to_owned(), fate, apps: vec![app.to_owned()], place }),
    };
    const OF_PROFILES: [&str; 4] = ["profiles.prod", "profiles.production", "profiles.dev", "profiles.development"];
    let other = match profile {
        Profile::Dev => &OF_PROFILES[..2],
        Profile::Prod => &OF_PROFILES[2..],
        Profile::Background => &OF_PROFILES[..],
    };
    for app in chosen {
        let own =
            |path: &str| path.strip_prefix(app.raw.path.as_str()).is_some_and(|rest| app.raw.path.is_empty() || rest.starts_with('.'));
        for note in raw.notes.iter().filter(|note| own(&note.path) && !other.iter().any(|other| note.key.starts_with(other))) {
            let key = note.key.strip_prefix("profiles.").and_then(|rest| rest.split_once('.')).map_or(note.key.as_str(), |(_, key)| key);
            add(key, note.fate, &app.name, note.place);
        }
    }
    for Use { key, fate, apps, place } in uses {
        let who = match apps.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => format!("{first}, {second}, {third} and {} more", rest.len()),
            several => several.join(", "),
        };
        let message = match fate {
            Fate::Later(_) => format!("{key} ({who}) is checked and kept, but this version does not carry it out yet"),
            Fate::Ignored(why) => format!("{key} ({who}) does nothing: {why}"),
            Fate::Honoured => continue,
        };
        problems.push(Problem::error(&document.file, place, message).warning());
    }
}

/// A soft limit of memory that the hard one leaves no room for.
pub fn tell_idle_limits(chosen: &[&App], specs: &[AppSpec], document: &Document, problems: &mut Vec<Problem>) {
    for (app, spec) in chosen.iter().zip(specs) {
        let keys = &app.layer.keys;
        let (Some(soft), Some(hard)) = (spec.limits.memory_soft, spec.limits.memory_hard) else { continue };
        let group = keys.limits.as_ref().map(|given| &given.value);
        let given = group.and_then(|limits| limits.memory.as_ref()).or(keys.max_memory_restart.as_ref());
        if let Some(given) = given.filter(|_| soft >= hard) {
            let (name, soft, hard) = (&spec.name, bytes(soft), bytes(hard));
            let message = format!(
                "{name} is to be restarted gracefully at {soft} of memory, but it is killed at {hard} (limits.memory_hard) before that"
            );
            let problem = Problem::error(&document.file, given.place, message).warning();
            problems.push(problem.example("limits: { memory: 512M, memory_hard: 1G }"));
        }
    }
}

/// `--env NAME` that no app has.
pub fn check_env_name(chosen: &[&App], request: &Request, document: &Document, problems: &mut Vec<Problem>) {
    let Some(wanted) = &request.env_name else { return };
    let names: Vec<&str> = chosen.iter().flat_map(|app| &app.layer.named_env).map(|(name, _)| name.as_str()).collect();
    if names.contains(&wanted.as_str()) {
        return;
    }
    let message = format!("--env {wanted} changes nothing: no app that is to run has env_{wanted}");
    let problem = Problem::error(&document.file, Place::Unknown, message).warning();
    problems.push(Problem { suggestion: near::nearest(wanted, names).map(str::to_owned), ..problem });
}
