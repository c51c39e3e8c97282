//! The log files of the apps: which instance writes into which, and what people are told of them.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    apps::Apps,
    runner::{Runner, now},
};
use crate::{
    config::{self, Host},
    log::{
        self, Files, Form, News, Recording, Rotation,
        file::{Answer, Done, Settings, place},
    },
    model::{AppId, AppSpec, Level, Logs, Notice, NoticeKind, WatchRoot, WatchSpec},
    watch::Watched,
};

/// How long log files have at the end to take what is left, and the pipes of apps that have any to be read.
const FILES_AT_EXIT: Duration = Duration::from_secs(2);

/// All log files, and what is heard of them.
pub struct LogFiles {
    files: Files,
    news: UnboundedReceiver<News>,
    /// The runner's own folder, where one is known.
    home: Option<PathBuf>,
}

impl LogFiles {
    /// None yet.
    pub fn new(host: &Host) -> Self {
        let (files, news) = Files::new();
        Self { files, news, home: config::home(host) }
    }

    /// All of them.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The next news. Cancelling it loses nothing.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }
}

/// The files of an instance with this number, with what goes into each.
pub fn paths(logs: &Logs, number: usize) -> impl Iterator<Item = (&'static str, PathBuf)> {
    logs.paths().map(move |(what, path)| (what, if logs.merge { path.to_owned() } else { config::logs::of_instance(path, number) }))
}

/// The files of all instances with these numbers, for those who must not take them for the app's own.
pub fn all(spec: &AppSpec, numbers: impl Iterator<Item = usize>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = numbers.flat_map(|number| paths(&spec.logs, number)).map(|(_, path)| path).collect();
    all.sort();
    all.dedup();
    all
}

impl Apps {
    /// The apps whose files are watched; none of them has a log file of any app among its changes.
    pub fn watched(&self) -> Vec<Watched> {
        let logs = |(app, spec): (AppId, &Arc<AppSpec>)| all(spec, self.numbers_of(app).into_iter());
        let all: BTreeSet<PathBuf> = self.all().flat_map(logs).collect();
        let watched = |(app, spec): (AppId, &Arc<AppSpec>)| {
            let mut watch: WatchSpec = spec.watch.clone()?;
            let may_see = |log: &&PathBuf| {
                watch.roots.iter().any(|root| match root {
                    WatchRoot::Tree { path, .. } | WatchRoot::File(path) => log.starts_with(path),
                    WatchRoot::Glob(_) => true,
                })
            };
            let seen: Vec<PathBuf> = all.iter().filter(may_see).cloned().collect();
            watch.own.extend(seen);
            Some(Watched { app, name: spec.name.clone(), spec: watch, rules: spec.rules.clone() })
        };
        self.all().filter_map(watched).collect()
    }
}

fn rotation(logs: &Logs) -> Rotation {
    Rotation { max_size: logs.max_size, every: logs.rotate_every, keep: logs.keep, compress: logs.compress, total: logs.total_size }
}

impl Runner {
    /// Gives every instance its label and its log files.
    pub fn label(&mut self) {
        let runs = &self.runs;
        self.apps.label(&self.console, self.style, |instance| runs.values().any(|live| live.instance == instance));
        self.record();
        self.instances_changed();
        self.look_for_versions();
    }

    /// Gives every instance its log files of now. Where apps share one, it is kept as the first of them says.
    fn record(&mut self) {
        let instances = self.apps.instances();
        let mut settings: HashMap<PathBuf, Settings> = HashMap::new();
        let mut together: HashMap<&str, Vec<PathBuf>> = HashMap::new();
        for (spec, number, _) in &instances {
            together.entry(&spec.name).or_default().extend(paths(&spec.logs, *number).map(|(_, path)| path));
        }
        for (spec, number, _) in &instances {
            let mut together = together.get(spec.name.as_str()).cloned().unwrap_or_default();
            together.sort();
            together.dedup();
            for (_, path) in paths(&spec.logs, *number) {
                let (together, private) = (together.clone(), self.logs.home.clone());
                settings.entry(path).or_insert_with(|| Settings {
                    rotation: rotation(&spec.logs),
                    together,
                    private,
                    times: !spec.logs.json,
                });
            }
        }
        for (spec, number, source) in &instances {
            source.record(self.recording(spec, *number, &settings));
        }
    }

    fn recording(&self, spec: &Arc<AppSpec>, number: usize, settings: &HashMap<PathBuf, Settings>) -> Recording {
        let logs = &spec.logs;
        let open = |path: &Path| settings.get(path).map(|settings| self.logs.files.open(path, settings.clone()));
        let (mut out, mut error) = (Vec::new(), Vec::new());
        for (what, path) in paths(logs, number) {
            let Some(file) = open(&path) else { continue };
            match what {
                "out" => add(&mut out, file),
                "error" => add(&mut error, file),
                _ => {
                    add(&mut out, file.clone());
                    add(&mut error, file);
                }
            }
        }
        let form = Form { app: spec.name.clone(), number, json: logs.json, timestamp: logs.timestamp.clone() };
        Recording { out, error, form, muted: logs.disabled, files: Some(self.logs.files.clone()) }
    }

    /// Opens all log files anew, `why`; each tells when that is done.
    pub fn reopen_logs(&self, why: &str, done: impl Fn(&Path) -> Answer<Done<()>>) {
        self.logs.files.reopen(done);
        self.say(&Notice::new(Level::Info, NoticeKind::Log, format!("the log files are opened again ({why})")));
    }

    /// Tells what is heard of log files.
    pub fn log_news(&self, news: News) {
        self.say(&told(news));
    }

    /// Has written what is left of everything, for so long.
    pub async fn finish_logs(&mut self) {
        let end = now() + FILES_AT_EXIT;
        let left = || end.saturating_duration_since(now());
        for source in self.apps.sources().filter(|source| source.is_recorded()) {
            source.drained(left()).await;
            source.tell_unshown();
        }
        self.logs.files.finish(left()).await;
        while let Ok(news) = self.logs.news.try_recv() {
            self.say(&told(news));
        }
    }
}

/// One file may be that of two streams.
fn add(files: &mut Vec<log::file::Handle>, file: log::file::Handle) {
    if !files.iter().any(|known| known.is_same(&file)) {
        files.push(file);
    }
}

fn told(news: News) -> Notice {
    let notice = |level, text| Notice::new(level, NoticeKind::Log, text);
    match news {
        News::Failing { path, error } => {
            let text = "until it can, lines beyond 1 MiB of each app are lost and counted";
            let goes_on = "the apps run on, and writing goes on by itself once it is possible";
            let hint = match place::remedy(&error) {
                Some(remedy) => format!("{remedy}\n{goes_on}"),
                None => goes_on.to_owned(),
            };
            notice(Level::Error, format!("{} cannot be written ({error}); {text}", path.display())).hint(hint)
        }
        News::Resumed { path, lost: 0 } => {
            notice(Level::Info, format!("{} is written again, and no line is missing in it", path.display()))
        }
        News::Resumed { path, lost } => notice(Level::Warning, format!("{} is written again, and {} in it", path.display(), missing(lost))),
        News::Lost { path, lost } => {
            notice(Level::Warning, format!("{} was not written to the end: {} in it", path.display(), missing(lost)))
        }
        News::Unrotated { path, error } => {
            notice(Level::Warning, format!("{} is full but cannot be put away ({error}), so it grows on", path.display()))
        }
        News::Unshown { app, lines } => {
            let text = match lines {
                1 => format!("{app}: 1 line is not shown, because the terminal was too slow for it; it is in the log file"),
                _ => format!("{app}: {lines} lines are not shown, because the terminal was too slow for them; they are in the log file"),
            };
            notice(Level::Warning, text).about(app)
        }
    }
}

fn missing(lines: u64) -> String {
    if lines == 1 { "1 line is missing".to_owned() } else { format!("{lines} lines are missing") }
}
