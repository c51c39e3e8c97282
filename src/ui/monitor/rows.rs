//! The apps as a tree of rows: everything, each app, and the instances of an app that has several.

use std::collections::{HashMap, HashSet};

use super::figures::Series;
use crate::{control::InstanceView, ui::clean::clean};

/// An app with more instances shows them only when asked.
const UNFOLDED: usize = 8;

/// What a row stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every app of the runner.
    All,
    /// An app.
    App(String),
    /// One instance of several.
    Instance(String, u16),
}

impl Target {
    /// As the runner takes it.
    pub fn word(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::App(name) => name.clone(),
            Self::Instance(name, slot) => format!("{name}:{slot}"),
        }
    }

    /// The app it is, or belongs to.
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::App(name) | Self::Instance(name, _) => Some(name),
        }
    }

    /// As people call it.
    pub fn called(&self) -> String {
        match self {
            Self::All => "all apps".to_owned(),
            Self::App(_) | Self::Instance(..) => clean(&self.word()).into_owned(),
        }
    }
}

/// How a state is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// It rests, as was asked.
    Off,
    /// As it shall be.
    Good,
    /// On the way.
    Busy,
    /// Somebody has to look.
    Bad,
}

/// Whether saves restart something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Nothing is watched.
    No,
    /// They do.
    On,
    /// They wait.
    Paused,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it stands for.
    pub target: Target,
    /// The name as shown, indented below its app.
    pub name: String,
    /// The runner's number, where it stands for one instance.
    pub id: Option<usize>,
    /// The state in words.
    pub state: String,
    /// How that is to be taken: the worst of all.
    pub mood: Mood,
    /// The pid, where it stands for one instance.
    pub pid: Option<i32>,
    /// Since when it has been up, in milliseconds since 1970; the youngest of all.
    pub since: Option<i64>,
    /// Per cent of one processor, together.
    pub cpu: f64,
    /// Bytes, together.
    pub memory: u64,
    /// How often it was started again, together.
    pub restarts: u64,
    /// Why it started last, or how it ended where it has to be looked at.
    pub why: String,
    /// Whether saves restart it.
    pub watch: Watch,
    /// Whether its instances are hidden; `None`: it has no rows of its own for them.
    pub folded: Option<bool>,
    /// How its load went.
    pub loads: Series,
    /// How its memory went.
    pub sizes: Series,
}

/// All rows, those that are hidden included.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// The state of each instance.
    states: Vec<(String, Mood)>,
    /// The apps that are not as they would be by themselves.
    turned: HashSet<String>,
}

impl Rows {
    /// Takes what the runner says now. `look`: whether the figures are a new look, by which they are drawn.
    pub fn take(&mut self, instances: &[InstanceView], look: bool) {
        let mut before: HashMap<Target, (Series, Series)> =
            std::mem::take(&mut self.rows).into_iter().map(|row| (row.target, (row.loads, row.sizes))).collect();
        let mut apps: Vec<(&str, Vec<&InstanceView>)> = Vec::new();
        for view in instances {
            match apps.iter_mut().find(|(name, _)| *name == view.name) {
                Some((_, own)) => own.push(view),
                None => apps.push((&view.name, vec![view])),
            }
        }
        let mut rows = Vec::new();
        if apps.len() > 1 {
            rows.push(row(Target::All, "all apps".to_owned(), &instances.iter().collect::<Vec<_>>()));
        }
        for (name, own) in &apps {
            let shown = clean(name);
            let mut app = row(Target::App((*name).to_owned()), shown.to_string(), own);
            if own.len() > 1 {
                app.folded = Some((own.len() > UNFOLDED) != self.turned.contains(*name));
            }
            let folded = app.folded;
            rows.push(app);
            if folded.is_some() {
                let one = |view: &&InstanceView| {
                    row(Target::Instance(view.name.clone(), view.instance), format!("  {shown}:{}", view.instance), &[view])
                };
                rows.extend(own.iter().map(one));
            }
        }
        for row in &mut rows {
            (row.loads, row.sizes) = before.remove(&row.target).unwrap_or_default();
            if look {
                row.loads.push(row.cpu);
                #[expect(clippy::cast_precision_loss, reason = "it is drawn in eight steps")]
                row.sizes.push(row.memory as f64);
            }
        }
        self.rows = rows;
        self.states = instances.iter().map(|view| (clean(&view.status).into_owned(), mood(&view.status))).collect();
    }

    /// The state of each instance, in words and how that is to be taken.
    pub fn states(&self) -> impl Iterator<Item = (&str, Mood)> {
        self.states.iter().map(|(state, mood)| (state.as_str(), *mood))
    }

    /// The rows that are shown.
    pub fn shown(&self) -> Vec<&Row> {
        let folded: HashSet<&str> = self.rows.iter().filter(|row| row.folded == Some(true)).filter_map(|row| row.target.app()).collect();
        let is_hidden = |target: &Target| matches!(target, Target::Instance(name, _) if folded.contains(name.as_str()));
        self.rows.iter().filter(|row| !is_hidden(&row.target)).collect()
    }

    /// Shows the instances of an app, or hides them.
    pub fn fold(&mut self, name: &str) {
        let app = self.rows.iter_mut().find(|row| row.folded.is_some() && row.target == Target::App(name.to_owned()));
        let Some(Row { folded: Some(folded), .. }) = app else { return };
        *folded = !*folded;
        if !self.turned.remove(name) {
            self.turned.insert(name.to_owned());
        }
    }

    /// The apps, without the rows of their instances.
    pub fn apps(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.target, Target::App(_)))
    }
}

fn row(target: Target, name: String, own: &[&InstanceView]) -> Row {
    let online = own.iter().filter(|view| view.status == "online").count();
    let state = match own {
        [] => String::new(),
        [first, rest @ ..] if rest.iter().all(|view| view.status == first.status) => clean(&first.status).into_owned(),
        _ => format!("{online}/{} online", own.len()),
    };
    let single = |value: Option<usize>| value.filter(|_| own.len() == 1);
    let watch = match own {
        _ if own.iter().any(|view| view.paused) => Watch::Paused,
        _ if own.iter().any(|view| view.watching) => Watch::On,
        _ => Watch::No,
    };
    Row {
        target,
        name,
        id: single(own.first().map(|view| view.pm_id)),
        state,
        mood: own.iter().map(|view| mood(&view.status)).max().unwrap_or(Mood::Off),
        pid: own.first().filter(|_| own.len() == 1).and_then(|view| view.pid),
        since: own.iter().filter(|view| view.pid.is_some()).filter_map(|view| view.started_at).max(),
        cpu: own.iter().map(|view| view.cpu).sum(),
        memory: own.iter().map(|view| view.memory).sum(),
        restarts: own.iter().map(|view| view.restarts).sum(),
        why: own.iter().max_by_key(|view| (view.restarts > 0, view.started_at)).map(|view| why(view)).unwrap_or_default(),
        watch,
        folded: None,
        loads: Series::default(),
        sizes: Series::default(),
    }
}

/// Why it started last: `a change (src/api.js)`, `it was asked to`; how it ended where it has to be looked at: `exit code 1`.
fn why(view: &InstanceView) -> String {
    if let (Mood::Bad, Some(code)) = (mood(&view.status), view.exit_code) {
        return format!("exit code {code}");
    }
    let why = view.why.as_deref().unwrap_or_default();
    clean(why.strip_prefix("of ").unwrap_or(why)).into_owned()
}

fn mood(status: &str) -> Mood {
    match status {
        "online" => Mood::Good,
        "stopped" => Mood::Off,
        "errored" | "crashed" => Mood::Bad,
        // What a newer runner says is on some way as well.
        _ => Mood::Busy,
    }
}
