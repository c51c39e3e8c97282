//! What is unsafe on a server.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use super::{
    Subject,
    machine::{quoted, several},
};
use crate::{
    config::{self, Host, Writers},
    model::AppSpec,
    ui::findings::Finding,
};

/// The check of files that root would not even read.
pub const REFUSED: &str = "writable-file";

/// Who can read and write a file that says what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// As people know it.
    pub file: String,
    /// For a shell.
    pub quoted: String,
    /// Who besides its owner and root can write it.
    pub writers: Option<Writers>,
    /// The owner, where that is neither we nor root.
    pub stranger: Option<u32>,
    /// Its folder, and who can put another file in its place.
    pub folder: Option<(String, Writers)>,
    /// Its secrets, where everybody can read them.
    pub secrets: Vec<String>,
    /// Whether it is a project file, which may be JavaScript and is not even read where others can write it.
    pub is_program: bool,
}

impl Rights {
    /// Of a project file or an env file; what cannot be looked at has none, nor has a pipe or a device.
    pub fn of(file: &Path, is_env: bool, host: &Host) -> Option<Self> {
        let data = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        // Its own group is the user's, where each has one.
        let is_other = |data: &fs::Metadata| host.owner.user == 0 || data.mode() & 0o002 != 0 || data.gid() != host.owner.group;
        let writers = |data: &fs::Metadata| config::writers(data).filter(|_| is_other(data));
        let folder = file.parent().unwrap_or(Path::new("/"));
        let replaced = fs::metadata(folder).ok().filter(|data| data.mode() & 0o1000 == 0).and_then(|data| writers(&data));
        let is_read = is_env && data.mode() & 0o004 != 0;
        Some(Self {
            file: config::shown(&host.cwd, file),
            quoted: quoted(Path::new(&config::shown(&host.cwd, file))),
            writers: writers(&data),
            stranger: Some(data.uid()).filter(|owner| *owner != 0 && *owner != host.owner.user),
            folder: replaced.map(|writers| (quoted(Path::new(&config::shown(&host.cwd, folder))), writers)),
            secrets: if is_read { config::secrets_of(file) } else { Vec::new() },
            is_program: !is_env,
        })
    }
}

/// What matters of an app on a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Whether its memory is limited.
    pub limited: bool,
    /// Whether saves restart it.
    pub watched: bool,
    /// `NODE_ENV` of a Node app, where that is not `production`.
    pub node_env: Option<String>,
    /// The option by which a debugger may come in.
    pub inspected: Option<String>,
}

impl App {
    fn of(app: &AppSpec) -> Self {
        let words: Vec<String> = app.launch.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let variable = |name: &str| app.launch.variable(name).map(|value| value.to_string_lossy().into_owned());
        let is_node = words.first().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == "node" || name == "bun");
        let options = variable("NODE_OPTIONS").unwrap_or_default();
        let own = words.iter().take_while(|word| app.script.as_deref().is_none_or(|script| app.launch.cwd.join(word) != *script)).cloned();
        let inspected = own.chain(options.split_whitespace().map(str::to_owned)).find(|word| word.starts_with("--inspect"));
        Self {
            name: app.name.clone(),
            limited: app.limits.memory_soft.is_some() || app.limits.memory_hard.is_some(),
            watched: app.watch.is_some(),
            node_env: is_node.then(|| variable("NODE_ENV").unwrap_or_default()).filter(|value| value != "production"),
            inspected: inspected.filter(|_| is_node),
        }
    }
}

/// What is to be said of the rights of a file.
pub fn of_file(rights: &Rights, root: bool) -> Vec<Finding> {
    let Rights { file, quoted, writers, stranger, folder, secrets, is_program } = rights;
    let runs = if root { "root runs what it says" } else { "you run what it says" };
    let mut found = Vec::new();
    if let Some(Writers { who, chmod }) = writers {
        let refused = if root { ", so pmdev start --prod refuses it" } else { "" };
        let finding = Finding::problem(REFUSED, format!("{file} can be written by {who}, and {runs}{refused}"));
        let unread = if root && *is_program { "; until then nothing is known of its apps, for it is not read" } else { "" };
        found.push(finding.advice(format!("take that right away{unread}")).command(format!("chmod {chmod} {quoted}")));
    }
    if let Some((folder, Writers { who, chmod })) = folder {
        let finding =
            Finding::warning("replaceable-file", format!("{file} can be replaced by {who}, who can write its folder, and {runs}"));
        found.push(finding.advice("take that right away").command(format!("chmod {chmod} {folder}")));
    }
    if let Some(owner) = stranger {
        let text = format!("{file} belongs to user {}, and {runs}", config::user_name(*owner));
        let command = if root { format!("chown root {quoted}") } else { format!("sudo chown \"$(id -un)\" {quoted}") };
        found.push(Finding::warning("file-owner", text).advice("make it yours, or run pmdev as that user").command(command));
    }
    if !secrets.is_empty() {
        let text = format!("{file} can be read by everybody on this machine, and holds {}", several(secrets));
        found.push(Finding::warning("secrets", text).advice("keep it to yourself").command(format!("chmod o= {quoted}")));
    }
    found
}

/// What is to be said of the apps.
pub fn of_apps(apps: &[App]) -> Vec<Finding> {
    let named = |is: &dyn Fn(&App) -> bool| -> Vec<String> { apps.iter().filter(|app| is(app)).map(|app| app.name.clone()).collect() };
    let has = |names: &[String]| if names.len() == 1 { "has" } else { "have" };
    let mut found = Vec::new();
    let unlimited = named(&|app| !app.limited);
    if !unlimited.is_empty() {
        let text = format!(
            "{} {} no limit of memory: one that leaks takes all there is, and the kernel then kills what it likes",
            several(&unlimited),
            has(&unlimited)
        );
        found
            .push(Finding::warning("memory-limit", text).advice("say what each may use in the project file: max_memory_restart: \"512M\""));
    }
    let watched = named(&|app| app.watched);
    if !watched.is_empty() {
        let verb = if watched.len() == 1 { "is" } else { "are" };
        let text = format!("{} {verb} watched, so a deployment restarts it in the middle of its copying", several(&watched));
        found.push(
            Finding::warning("watched", text)
                .advice("leave watch out of the project file, or say it in a profile of its own (profiles: { dev: { watch: true } })"),
        );
    }
    for app in apps {
        if let Some(value) = &app.node_env {
            let value = if value.is_empty() { "not set".to_owned() } else { value.clone() };
            let text = format!("NODE_ENV of {} is {value}: many packages are slower then, and tell visitors about errors", app.name);
            found.push(
                Finding::warning("node-env", text)
                    .advice("say env: { NODE_ENV: \"production\" } in the project file, or leave NODE_ENV out of it and of this shell"),
            );
        }
        if let Some(option) = &app.inspected {
            let text = format!("{} is started with {option}: whoever reaches its port can run what they like in it", app.name);
            found.push(Finding::problem("inspector", text).advice("leave that option out on a server"));
        }
    }
    found
}

/// The apps, as far as it matters here.
pub fn look(subject: &Subject) -> Vec<App> {
    subject.apps.iter().map(App::of).collect()
}
