//! A project file as it is written: typed, each value with its place, nothing completed. Reads nothing but the tree.

use super::{
    Host,
    element::{
        Element, Given, Reader,
        interpreters::Interpreters,
        keyed::snake,
        reader::{Note, shown},
        variables::Variables,
    },
    flags::{self, Flag},
    keys::AppKeys,
    near,
    node::{Document, Node, Place, Value},
    problem::Problem,
    profile::Profile,
};

/// A project file.
#[derive(Debug)]
pub struct Raw {
    /// Its apps, in its order.
    pub apps: Vec<RawApp>,
    /// How scripts are run, above the table.
    pub interpreters: Interpreters,
    /// Everything that is wrong with how it is written.
    pub problems: Vec<Problem>,
    /// The keys whose use has to be told.
    pub notes: Vec<Note>,
}

/// An app.
#[derive(Debug)]
pub struct RawApp {
    /// Where it begins.
    pub place: Place,
    /// Its path: `apps[0]`; empty where the file is the app.
    pub path: String,
    base: Layer,
    dev: Option<Box<Layer>>,
    prod: Option<Box<Layer>>,
}

/// The keys of an app, as one profile sees them.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// Those of the table.
    pub keys: AppKeys,
    /// `env_NAME`, by name.
    pub named_env: Vec<(String, Given<Variables>)>,
}

impl RawApp {
    /// The keys with the overrides of a profile.
    pub fn layer(&self, profile: Profile) -> &Layer {
        let over = match profile {
            Profile::Dev => self.dev.as_deref(),
            Profile::Prod => self.prod.as_deref(),
            Profile::Background => None,
        };
        over.unwrap_or(&self.base)
    }
}

impl Raw {
    /// Lays flags over all apps.
    pub fn lay(&mut self, flags: &[Flag], host: &Host) {
        for app in &mut self.apps {
            let layers = [Some(&mut app.base), app.dev.as_deref_mut(), app.prod.as_deref_mut()];
            layers.into_iter().flatten().for_each(|layer| flags::lay(flags, layer, host));
        }
    }
}

/// Keys of the file itself, beside its apps.
const TOP: [&str; 6] = ["apps", "pm2", "deploy", "static", "interpreters", "$schema"];
/// The keys that make a map an app: `script` by any name.
const SCRIPT: [&str; 4] = ["script", "exec", "cmd", "command"];

/// The least that is right.
const EXAMPLE: &str = r#"apps: [{ name: "api", script: "server.js" }]"#;

/// Reads a file: `apps` (or `pm2`), a bare list, or one bare app.
pub fn read(document: &Document) -> Raw {
    let mut reader = Reader::new(&document.file);
    let mut raw = Raw { apps: Vec::new(), interpreters: Interpreters::default(), problems: Vec::new(), notes: Vec::new() };
    let root = &document.root;
    match &root.value {
        Value::List(list) => apps(list, &mut reader, &mut raw),
        Value::Map(entries) if SCRIPT.iter().any(|key| root.get(key).is_some()) => {
            // Keys of the file may stand in a bare app.
            let (top, own): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|entry| TOP.contains(&entry.key.as_str()));
            for entry in &top {
                reader.inside(&format!(".{}", entry.key), |reader| self::top(&entry.key, entry.place, &entry.node, reader, &mut raw));
            }
            raw.apps.push(app(&Node { value: Value::Map(own), place: root.place }, &mut reader));
        }
        Value::Map(entries) => {
            for entry in entries {
                reader.inside(&format!(".{}", entry.key), |reader| self::top(&entry.key, entry.place, &entry.node, reader, &mut raw));
            }
            let named = root.get("apps").or_else(|| root.get("pm2"));
            if named.is_none() {
                let problem = Problem::error(&document.file, Place::Unknown, "the file declares no apps: it has no key `apps`");
                reader.problems.push(problem.example(EXAMPLE));
            }
        }
        other => {
            let message = format!("the file is {}, but a project file is a map with `apps`, a list of apps, or one app", shown(other));
            reader.problems.push(Problem::error(&document.file, root.place, message).example(EXAMPLE));
        }
    }
    raw.problems = document.warnings.clone();
    raw.problems.append(&mut reader.problems);
    raw.notes = reader.notes;
    raw
}

fn top(key: &str, place: Place, node: &Node, reader: &mut Reader, raw: &mut Raw) {
    match key {
        "apps" | "pm2" => match &node.value {
            Value::List(list) => apps(list, reader, raw),
            // PM2: one app needs no list.
            Value::Map(_) => raw.apps.push(app(node, reader)),
            Value::Null => {}
            other => {
                let message = format!("{key} is {}, but it takes a list of apps", shown(other));
                reader.problems.push(reader.error(node.place, message).example(EXAMPLE));
            }
        },
        "interpreters" => raw.interpreters = Interpreters::read(node, reader).unwrap_or_default(),
        "deploy" => reader.warn(place, "deploy is not carried out: pmdev runs apps and copies them nowhere".to_owned(), None),
        "static" => {
            let text = "static is not carried out: to serve files, declare an app that does".to_owned();
            let example = r#"apps: [{ name: "web", script: "npx serve -l 8080 public" }]"#;
            reader.problems.push(reader.error(place, text).warning().example(example));
        }
        "$schema" => {}
        _ => {
            let names = TOP.into_iter().chain(AppKeys::KEYS.iter().map(|key| key.about.name));
            let meant = near::nearest(&snake(key), names).map(|name| match TOP.contains(&name) {
                true => name.to_owned(),
                false => format!("{name}, inside of an app"),
            });
            reader.warn(place, format!("{key} is no key of a project file, and nothing reads it"), meant);
        }
    }
}

fn apps(list: &[Node], reader: &mut Reader, raw: &mut Raw) {
    for (at, node) in list.iter().enumerate() {
        reader.inside(&format!("[{at}]"), |reader| match &node.value {
            Value::Map(_) => raw.apps.push(app(node, reader)),
            other => {
                let message = format!("{} is {}, but an app is a map of keys", reader.path(), shown(other));
                reader.problems.push(reader.error(node.place, message).example(r#"{ name: "api", script: "server.js" }"#));
            }
        });
    }
}

fn app(node: &Node, reader: &mut Reader) -> RawApp {
    let path = reader.path().to_owned();
    reader.app(|reader| {
        let mut base = Layer::default();
        lay(node, &mut base, reader);
        let profiles = base.keys.profiles.as_ref().map(|given| given.value.clone()).unwrap_or_default();
        let mut over = |profile: Option<(String, Node)>| {
            let (name, node) = profile?;
            let mut layer = Box::new(base.clone());
            reader.inside(&format!(".profiles.{name}"), |reader| lay(&node, &mut layer, reader));
            Some(layer)
        };
        let (dev, prod) = (over(profiles.dev), over(profiles.prod));
        RawApp { place: node.place, path, base, dev, prod }
    })
}

/// Lays the keys of a map over those that are there. Variables are added to the ones that are there, everything else is replaced.
fn lay(node: &Node, layer: &mut Layer, reader: &mut Reader) {
    let Layer { keys, named_env } = layer;
    let below = keys.env.take();
    reader.keys(node, AppKeys::KEYS, keys, |reader, key, node, _| {
        let Some(name) = key.strip_prefix("env_").filter(|name| !name.is_empty()) else { return false };
        if node.value != Value::Null
            && let Some(given) = reader.given::<Variables>(node)
        {
            match named_env.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.value.0.extend(given.value.0),
                None => named_env.push((name.to_owned(), given)),
            }
        }
        true
    });
    keys.env = match (below, keys.env.take()) {
        (Some(mut below), Some(above)) => {
            below.value.0.extend(above.value.0);
            Some(below)
        }
        (below, above) => above.or(below),
    };
}
