//! What would run, for people and programs to read before it does: every app of a [`Resolved`] request, nothing left out, secrets hidden.
//! It runs nothing and completes nothing; what is not in a spec is not in a plan.
//! [`json`] has all fields, [`text`](fn@text) the ones people ask for.

mod fields;
mod lines;

pub use fields::action;
pub use lines::bytes;

use std::ffi::OsString;

use jiff::Zoned;
use serde_json::{Value as Json, json};

use super::{EnvRecipe, Host, Resolved, schedule::Schedule, secret};
use crate::model::AppSpec;

/// A variable of an app that differs from the caller's; without a value it is taken away.
pub type Difference = (String, Option<String>);

/// All apps, each as an object, in their order, with the times to come after this one.
pub fn json(resolved: &Resolved, host: &Host, now: &Zoned) -> Json {
    json!({ "apps": each(resolved, host, |app, env, _| fields::app(app, env, now)) })
}

/// The same as paragraphs.
pub fn text(resolved: &Resolved, host: &Host, now: &Zoned) -> String {
    each(resolved, host, |app, env, first_id| lines::app(app, env, first_id, now)).join("\n")
}

/// One app as an object, without its variables.
pub fn object(app: &AppSpec, now: &Zoned) -> Json {
    let mut object = fields::app(app, &[], now);
    object.as_object_mut().into_iter().for_each(|fields| drop(fields.remove("env")));
    object
}

/// The same for people: a title, empty where it is that of the line before, and what it says. `first_id`: the number of its first instance.
pub fn rows(app: &AppSpec, first_id: usize, now: &Zoned) -> Vec<(&'static str, String)> {
    let mut rows = lines::rows(app, &[], first_id, now);
    rows.extend(lines::signs(app));
    rows
}

/// When the clock restarts an app next.
pub fn next(app: &AppSpec, now: &Zoned) -> Option<Zoned> {
    app.cron.as_ref()?.parse::<Schedule>().ok()?.next(now)
}

fn each<T>(resolved: &Resolved, host: &Host, show: impl Fn(&AppSpec, &[Difference], usize) -> T) -> Vec<T> {
    let mut id = 0;
    let apps = resolved.apps.iter().zip(&resolved.env);
    apps.map(|(app, recipe)| {
        let shown = show(app, &differences(app, recipe, host, id), id);
        id += usize::from(app.instances);
        shown
    })
    .collect()
}

/// What the first instance sees that its caller does not, and the other way round; sorted by name, secrets hidden.
fn differences(app: &AppSpec, recipe: &EnvRecipe, host: &Host, id: usize) -> Vec<Difference> {
    let mut env = app.launch.env.clone();
    recipe.add_instance(&mut env, &app.name, 0, id);
    let text = |text: &OsString| text.to_string_lossy().into_owned();
    let mut found: Vec<Difference> = Vec::new();
    for (name, value) in &env {
        if host.var(&text(name)) != Some(value) {
            found.push((text(name), Some(secret::hidden(&text(name), &text(value)))));
        }
    }
    let gone = host.env.iter().filter(|(name, _)| !env.iter().any(|(known, _)| known == name));
    found.extend(gone.map(|(name, _)| (text(name), None)));
    found.sort();
    found.dedup();
    found
}
