//! Flags that are keys of a project file: read by the same elements, and laid over what a file says.

use std::{fmt, path::Path};

use crate::model::{Error, Identity, Probe};

use super::{
    Host, account,
    element::{Key, Reader},
    keys::AppKeys,
    node::{Node, Place, Value},
    place,
    raw::Layer,
};

/// A key of an app, as a flag has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// The flag, with its dashes; empty where it follows from another one.
    name: &'static str,
    /// The key.
    key: &'static str,
    value: Value,
}

/// A text for a key. The error is a clause with a valid value.
pub fn flag(name: &'static str, key: &'static str, text: &str) -> Result<Flag, String> {
    let flag = Flag { name, key, value: Value::Text(text.to_owned()) };
    flag.check().map(|()| flag)
}

/// The same for a key that takes a list: texts with commas or blanks between.
pub fn list_flag(name: &'static str, key: &'static str, text: &str) -> Result<Flag, String> {
    let items = text.split([',', ' ']).filter(|item| !item.is_empty());
    let node = |item: &str| Node { value: Value::Text(item.to_owned()), place: Place::Unknown };
    let flag = Flag { name, key, value: Value::List(items.map(node).collect()) };
    flag.check().map(|()| flag)
}

impl Flag {
    /// A key that is turned on or off.
    pub fn switch(name: &'static str, key: &'static str, on: bool) -> Self {
        Self { name, key, value: Value::Bool(on) }
    }

    /// Several flags of a list as one.
    pub fn joined(flags: Vec<Self>) -> Option<Self> {
        let mut flags = flags.into_iter();
        let mut first = flags.next()?;
        for more in flags {
            if let (Value::List(all), Value::List(more)) = (&mut first.value, more.value) {
                all.extend(more);
            }
        }
        Some(first)
    }

    fn row(&self) -> &'static Key<AppKeys> {
        AppKeys::KEYS.iter().find(|key| key.about.name == self.key).expect("a flag is one of the table's keys")
    }

    fn check(&self) -> Result<(), String> {
        let mut reader = Reader::new(Path::new(""));
        let mut keys = AppKeys::default();
        reader.inside(self.key, |reader| (self.row().set)(&mut keys, &self.node(), reader));
        let Some(problem) = reader.problems.into_iter().next() else { return Ok(()) };
        let about = self.row().about;
        let shown = problem.found.unwrap_or_default();
        let why = if problem.message.contains("but it takes") {
            format!("{shown} is not {}", about.what)
        } else {
            let path = problem.message.split(" is ").next().unwrap_or_default();
            problem.message[path.len()..].trim_start_matches(" is ").to_owned()
        };
        Err(format!("{why}; example: {}", about.example.trim_matches('"')))
    }

    fn node(&self) -> Node {
        Node { value: self.value.clone(), place: Place::Unknown }
    }
}

/// Lays flags over the keys of an app; what is typed as a path counts from where it was typed.
pub fn lay(flags: &[Flag], layer: &mut Layer, host: &Host) {
    let mut reader = Reader::new(Path::new(""));
    for flag in flags {
        let mut node = flag.node();
        if let (true, Value::Text(path)) = (flag.key == "pid_file", &mut node.value) {
            *path = place::absolute(&host.cwd, Path::new(path)).to_string_lossy().into_owned();
        }
        reader.inside(flag.name, |reader| (flag.row().set)(&mut layer.keys, &node, reader));
        clear(flag, &mut layer.keys);
    }
}

/// Takes away what says the same in a group of keys, which would win over the key alone.
fn clear(flag: &Flag, keys: &mut AppKeys) {
    match (flag.key, &mut keys.ready, &mut keys.limits) {
        ("wait_ready", Some(ready), _) => ready.value.by = Probe::Message,
        ("listen_timeout", Some(ready), _) => ready.value.timeout = None,
        ("max_memory_restart", _, Some(limits)) => limits.value.memory = None,
        _ => {}
    }
}

/// The keys of flags alone, for what is no app of a project file.
///
/// # Errors
/// A user or group that is not there, or cannot be given to an app.
pub fn layer(flags: &[Flag], host: &Host) -> Result<(Layer, Option<Identity>), Error> {
    let mut layer = Layer::default();
    lay(flags, &mut layer, host);
    let (user, group) = (layer.keys.uid.as_ref(), layer.keys.gid.as_ref());
    let named = user.or(group).map(|given| given.path.clone()).unwrap_or_default();
    let identity = account::identity(user, group, &named, Path::new(""), host).map_err(|problem| {
        let error = Error::usage(problem.message);
        match (problem.suggestion, problem.example) {
            (Some(near), _) => error.hint(format!("did you mean {near}?")),
            (None, Some(example)) => error.hint(example),
            (None, None) => error,
        }
    })?;
    Ok((layer, identity))
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |node: &Node| match &node.value {
            Value::Text(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        match &self.value {
            Value::List(items) => write!(f, "{} = [{}]", self.key, items.iter().map(text).collect::<Vec<_>>().join(", ")),
            Value::Bool(on) => write!(f, "{} = {on}", self.key),
            _ => write!(f, "{} = {}", self.key, text(&self.node())),
        }
    }
}
