//! What is watched: yes or no, a path, or a list of paths and of rules that give paths an action of their own.

use serde_json::{Value as Json, json};

use super::{Element, Fate, Reader, keyed, keyed_element, reader::is_off, texts::Texts};
use crate::{
    config::node::{Node, Value},
    model::{SaveAction, Signal},
};

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Off,
    /// The default root.
    On,
    /// These paths and globs; and what saves below others do.
    List(Vec<String>, Vec<Rule>),
}

/// Paths with an action of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Paths and globs, at least one.
    pub paths: Vec<String>,
    /// A command line that runs first.
    pub run: Option<String>,
    /// What follows.
    pub action: SaveAction,
}

/// `restart`, `reload` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(SaveAction);

keyed! {
    /// A rule as written.
    pub struct RawRule {
        /// Paths and globs the rule is for.
        paths: Texts, ["path"], r#"["templates/**"]"#, Fate::Honoured;
        /// What a save there does: `restart`, `reload`, or `none`.
        action: Action, [], r#""reload""#, Fate::Honoured;
        /// A signal that the app gets instead of a restart.
        signal: Signal, [], r#""SIGHUP""#, Fate::Honoured;
        /// A command line that runs first.
        run: String, [], r#""make proto""#, Fate::Honoured;
    }
}
keyed_element!(RawRule, "a path, or a rule with paths and an action");

impl Element for Action {
    const WHAT: &'static str = "restart, reload or none";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "restart" => Some(Self(SaveAction::Restart)),
            Value::Text(text) if text == "reload" => Some(Self(SaveAction::Reload)),
            Value::Text(text) if text == "none" => Some(Self(SaveAction::Nothing)),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "enum": ["restart", "reload", "none"] })
    }
}

/// A rule, or a path alone.
enum Item {
    Path(String),
    Rule(Rule),
}

impl Element for Item {
    const WHAT: &'static str = "a path, or a rule with paths and an action";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            let Value::Text(path) = &node.value else { return reader.wrong(node) };
            return Some(Self::Path(path.clone()));
        }
        let RawRule { paths, action, signal, run } = RawRule::read(node, reader)?;
        let Some(paths) = paths.map(|given| given.value.0).filter(|paths| !paths.is_empty()) else {
            let message = format!("{} is a rule without paths", reader.path());
            return reader.refuse(node, message);
        };
        let run = run.map(|given| given.value);
        let action = match (action.map(|given| given.value.0), signal.map(|given| given.value)) {
            (Some(_), Some(_)) => {
                let message = format!("{} has both an action and a signal, but one thing follows a save", reader.path());
                return reader.refuse(node, message);
            }
            (Some(action), None) => action,
            (None, Some(signal)) => SaveAction::Signal(signal),
            // A command alone is what the rule is for.
            (None, None) if run.is_some() => SaveAction::Nothing,
            (None, None) => SaveAction::Restart,
        };
        Some(Self::Rule(Rule { paths, run, action }))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "string" }, RawRule::schema()] })
    }
}

impl Element for Watch {
    const WHAT: &'static str = "true, false, a path, or a list of paths and rules";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(_) => bool::read(node, reader).map(|on| if on { Self::On } else { Self::Off }),
            Value::Text(text) if text == "true" => Some(Self::On),
            value @ Value::Text(_) if is_off(value) => Some(Self::Off),
            Value::Text(path) => Some(Self::List(vec![path.clone()], Vec::new())),
            // PM2: an empty list is `true`.
            Value::List(list) if list.is_empty() => Some(Self::On),
            Value::List(list) => {
                let (mut paths, mut rules) = (Vec::new(), Vec::new());
                for item in reader.items::<Item>(list)? {
                    match item {
                        Item::Path(path) => paths.push(path),
                        Item::Rule(rule) => rules.push(rule),
                    }
                }
                Some(Self::List(paths, rules))
            }
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": ["boolean", "string"] }, { "type": "array", "items": Item::schema() }] })
    }

    fn inner() -> Vec<super::About> {
        RawRule::inner()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused, warned},
        *,
    };

    #[test]
    fn yes_no_paths_and_rules() {
        assert_eq!(read("true"), Some(Watch::On));
        assert_eq!(read("[]"), Some(Watch::On));
        assert_eq!(read("false"), Some(Watch::Off));
        assert_eq!(read(r#""src lib""#), Some(Watch::List(vec!["src lib".into()], Vec::new())));
        let rule = |paths: &str, run: Option<&str>, action| Rule { paths: vec![paths.into()], run: run.map(str::to_owned), action };
        let list = r#"["src", {"paths": ["t/**"], "action": "reload"}, {"paths": "c", "signal": "HUP"}, {"path": "p", "run": "make"}]"#;
        let rules = vec![
            rule("t/**", None, SaveAction::Reload),
            rule("c", None, SaveAction::Signal(Signal::HUP)),
            rule("p", Some("make"), SaveAction::Nothing),
        ];
        assert_eq!(read(list), Some(Watch::List(vec!["src".into()], rules)));
    }

    #[test]
    fn broken_rules() {
        insta::assert_snapshot!(refused::<Watch>("3"), @"key is 3, but it takes true, false, a path, or a list of paths and rules");
        insta::assert_snapshot!(refused::<Watch>(r#"[3, {"action": "reload"}, {"paths": "a", "action": "explode"}]"#), @r#"
        key[0] is 3, but it takes a path, or a rule with paths and an action
        key[1] is a rule without paths
        key[2].action is "explode", but it takes restart, reload or none
        "#);
        insta::assert_snapshot!(refused::<Watch>(r#"[{"paths": "a", "action": "reload", "signal": 1}]"#), @"key[0] has both an action and a signal, but one thing follows a save");
        insta::assert_snapshot!(warned::<Watch>(r#"[{"paths": "a", "actoin": "reload"}]"#), @"key[0].actoin is no key that pmdev knows, and nothing reads it");
    }
}
