//! Who an app runs as: users and groups by name or number, looked up in the system's tables, and what a process is told of it.

use std::{ffi::CString, fs, path::Path};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use super::{Host, element::Given, near, problem::Problem};
use crate::model::{AppSpec, Hardening, Identity, Limits};

/// The user and the group of `uid` and `gid`. `None`: as the runner itself, asked for or not.
pub fn identity(
    uid: Option<&Given<String>>,
    gid: Option<&Given<String>>,
    app: &str,
    file: &Path,
    host: &Host,
) -> Result<Option<Identity>, Box<Problem>> {
    let Some(first) = uid.or(gid) else { return Ok(None) };
    let user = uid.map(|given| user(given, app, file)).transpose()?;
    let group = gid.map(|given| group(given, app, file)).transpose()?;
    if host.owner.user != 0 {
        let other_user = uid.filter(|_| user.as_ref().is_some_and(|user| user.number != host.owner.user)).map(|given| ("user", given));
        let other_group = gid.filter(|_| group.is_some_and(|group| group != host.owner.group)).map(|given| ("group", given));
        return match other_user.or(other_group) {
            Some((what, given)) => Err(Box::new(not_root(what, given, app, file, host))),
            None => Ok(None),
        };
    }
    let user = user.unwrap_or_else(|| Account::of(host.owner.user));
    let Some(group) = group.or(user.group) else {
        let message = format!("{app}: user {} is not in the table of users, so its group is not known; `gid` has to say it", user.number);
        return Err(Box::new(Problem::error(file, first.place, message).example(format!("uid: {0}, gid: {0}", user.number))));
    };
    let groups = user.name.as_deref().map(|name| groups(name, group)).unwrap_or_default();
    let groups = if groups.is_empty() { vec![group] } else { groups };
    let name = user.name.unwrap_or_else(|| user.number.to_string());
    Ok(Some(Identity { user: user.number, group, groups, name, home: user.home }))
}

/// What people call a user; a number that the system has no name for, as text.
pub fn user_name(number: u32) -> String {
    Account::of(number).name.unwrap_or_else(|| number.to_string())
}

/// Puts the limits of a spec, and who it runs as, into everything that is started for it.
pub fn harden(spec: &mut AppSpec, identity: Option<Identity>) {
    // Named one by one, so that a new limit cannot be forgotten here.
    let Limits { memory_soft: _, memory_hard: _, nofile, nproc, core, nice, oom_score_adj, umask, no_new_privs, inherit_fds } = spec.limits;
    let hardening = Hardening { identity, nofile, nproc, core, nice, oom_score_adj, umask, no_new_privs, inherit_fds };
    if let Some(build) = &mut spec.build {
        build.hardening = hardening.of_tools();
    }
    spec.launch.hardening = hardening;
}

/// A user, as far as the system knows it.
struct Account {
    number: u32,
    name: Option<String>,
    group: Option<u32>,
    home: std::path::PathBuf,
}

impl Account {
    /// A user by number, which need not have an entry.
    fn of(number: u32) -> Self {
        match User::from_uid(Uid::from_raw(number)) {
            Ok(Some(user)) => Self::from(user),
            Ok(None) | Err(_) => Self { number, name: None, group: None, home: "/".into() },
        }
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self { number: user.uid.as_raw(), group: Some(user.gid.as_raw()), home: user.dir, name: Some(user.name) }
    }
}

fn user(given: &Given<String>, app: &str, file: &Path) -> Result<Account, Box<Problem>> {
    match number(&given.value) {
        Some(number) => Ok(Account::of(number)),
        None => match User::from_name(&given.value) {
            Ok(Some(user)) => Ok(user.into()),
            Ok(None) => Err(unknown("user", given, "/etc/passwd", app, file)),
            Err(error) => Err(unread("user", given, error, app, file)),
        },
    }
}

fn group(given: &Given<String>, app: &str, file: &Path) -> Result<u32, Box<Problem>> {
    match number(&given.value) {
        Some(number) => Ok(number),
        None => match Group::from_name(&given.value) {
            Ok(Some(group)) => Ok(group.gid.as_raw()),
            Ok(None) => Err(unknown("group", given, "/etc/group", app, file)),
            Err(error) => Err(unread("group", given, error, app, file)),
        },
    }
}

/// A number; the highest means "as it was" to the system calls, and is nobody's.
fn number(written: &str) -> Option<u32> {
    written.parse().ok().filter(|number| *number != u32::MAX)
}

/// All groups of a user, initgroups(3).
fn groups(name: &str, group: u32) -> Vec<u32> {
    let Ok(name) = CString::new(name) else { return Vec::new() };
    getgrouplist(&name, Gid::from_raw(group)).unwrap_or_default().into_iter().map(Gid::as_raw).collect()
}

fn unknown(what: &str, given: &Given<String>, table: &str, app: &str, file: &Path) -> Box<Problem> {
    let text = fs::read_to_string(table).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split(':').next());
    let meant = near::nearest(&given.value, names).map(str::to_owned);
    let message = format!("{app}: there is no {what} \"{}\" on this system", given.value);
    Box::new(Problem { suggestion: meant, ..Problem::error(file, given.place, message) })
}

fn unread(what: &str, given: &Given<String>, error: nix::Error, app: &str, file: &Path) -> Box<Problem> {
    let message = format!("{app}: the {what} \"{}\" could not be looked up: {}", given.value, error.desc());
    Box::new(Problem::error(file, given.place, message))
}

fn not_root(what: &str, Given { value, place, path }: &Given<String>, app: &str, file: &Path, host: &Host) -> Problem {
    let key = path.rsplit('.').next().unwrap_or(what);
    let message = format!("{app}: only root can run it as {what} \"{value}\"; pmdev itself runs as user {}", host.owner.user);
    let sudo = if what == "user" { "-u" } else { "-g" };
    let hash = if number(value).is_some() { "#" } else { "" };
    let who = shell_words::quote(&format!("{hash}{value}")).into_owned();
    let example = format!("no `{key}`, and the whole of pmdev started so: sudo {sudo} {who} pmdev start");
    Problem::error(file, *place, message).example(example)
}
