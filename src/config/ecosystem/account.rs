//! Apps that are to run as somebody else: this version starts them as the runner's own user, which must not be root by surprise.

use std::{fs, path::Path};

use crate::config::{Host, element::Given, problem::Problem};

use super::App;

/// What keeps an app from running as anybody but root.
pub fn refusals(app: &App, file: &Path, host: &Host) -> Vec<Problem> {
    if host.owner.user != 0 {
        return Vec::new();
    }
    let keys = &app.layer.keys;
    let user = keys.uid.as_ref().filter(|given| number(&given.value, "/etc/passwd") != Some(host.owner.user));
    let group = keys.gid.as_ref().filter(|given| number(&given.value, "/etc/group") != Some(host.owner.group));
    let wrong = [("user", user), ("group", group)].into_iter().filter_map(|(what, given)| Some(refusal(what, given?, app, file)));
    wrong.collect()
}

fn refusal(what: &str, Given { value, place, path }: &Given<String>, app: &App, file: &Path) -> Problem {
    let key = path.rsplit('.').next().unwrap_or(what);
    let name = &app.name;
    let message = format!("{name}: {what} \"{value}\" cannot be carried out by this version; it would run as root");
    let sudo = if what == "user" { "-u" } else { "-g" };
    let number = if value.starts_with(|c: char| c.is_ascii_digit()) { "#" } else { "" };
    let who = shell_words::quote(&format!("{number}{value}")).into_owned();
    let example = format!("no `{key}`, and the whole of pmdev started so: sudo {sudo} {who} pmdev start");
    Problem::error(file, *place, message).example(example)
}

/// The number of a user or group: as written, or by its name (passwd(5), group(5): `name:password:number:…`).
fn number(written: &str, table: &str) -> Option<u32> {
    written.parse().ok().or_else(|| {
        let text = fs::read_to_string(table).unwrap_or_default();
        let named = text.lines().find_map(|line| line.strip_prefix(written)?.strip_prefix(':'));
        named?.split(':').nth(1)?.parse().ok()
    })
}
