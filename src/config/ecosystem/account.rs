//! Apps that are to run as somebody else: this version starts them as the runner's own user, which must not be root by surprise.

use std::{fs, path::Path};

use crate::config::{Host, element::Given, keys::AppKeys, problem::Problem};

use super::App;

/// A user or group that an app cannot be given.
#[derive(Debug)]
pub struct Refused<'a> {
    what: &'static str,
    given: &'a Given<String>,
    /// The key or flag.
    pub path: &'a str,
}

impl<'a> Refused<'a> {
    /// What keeps an app from running as anybody but root.
    pub fn all(keys: &'a AppKeys, host: &Host) -> Vec<Self> {
        if host.owner.user != 0 {
            return Vec::new();
        }
        let user = keys.uid.as_ref().filter(|given| number(&given.value, "/etc/passwd") != Some(host.owner.user));
        let group = keys.gid.as_ref().filter(|given| number(&given.value, "/etc/group") != Some(host.owner.group));
        let both = [("user", user), ("group", group)].into_iter();
        both.filter_map(|(what, given)| given.map(|given| Self { what, given, path: &given.path })).collect()
    }

    /// Why, as a clause.
    pub fn why(&self) -> String {
        format!("{} \"{}\" cannot be carried out by this version; it would run as root", self.what, self.given.value)
    }

    /// What to do instead.
    pub fn instead(&self) -> String {
        let key = self.path.rsplit('.').next().unwrap_or(self.what);
        let sudo = if self.what == "user" { "-u" } else { "-g" };
        let value = &self.given.value;
        let number = if value.starts_with(|c: char| c.is_ascii_digit()) { "#" } else { "" };
        let who = shell_words::quote(&format!("{number}{value}")).into_owned();
        format!("no `{key}`, and the whole of pmdev started so: sudo {sudo} {who} pmdev start")
    }
}

/// The same, as problems of the file.
pub fn refusals(app: &App, file: &Path, host: &Host) -> Vec<Problem> {
    let problem = |refused: Refused| {
        let message = format!("{}: {}", app.name, refused.why());
        Problem::error(file, refused.given.place, message).example(refused.instead())
    };
    Refused::all(&app.layer.keys, host).into_iter().map(problem).collect()
}

/// The number of a user or group: as written, or by its name (passwd(5), group(5): `name:password:number:…`).
fn number(written: &str, table: &str) -> Option<u32> {
    written.parse().ok().or_else(|| {
        let text = fs::read_to_string(table).unwrap_or_default();
        let named = text.lines().find_map(|line| line.strip_prefix(written)?.strip_prefix(':'));
        named?.split(':').nth(1)?.parse().ok()
    })
}
