//! Maps with known keys: one row a key, from which its reading, its schema and its documentation come.

use serde_json::{Value as Json, json};

use super::Reader;
use crate::config::node::{Node, Value};

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does what it says.
    Honoured,
    /// It is checked and kept, and a later version carries it out; told once where it is used.
    Later(Told),
    /// It is accepted and does nothing, for this reason; told once where it asks for something.
    Ignored(&'static str),
}

/// Which value of a key asks for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Anything but nothing: not `false`, `0` or an empty list.
    On,
}

impl Told {
    /// Whether this value asks for something.
    pub fn says(self, value: &Value) -> bool {
        match self {
            Self::On => !super::reader::is_off(value),
        }
    }
}

/// A row of a table of keys, without the way to read it.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The key as we write it, in snake_case.
    pub name: &'static str,
    /// Other names; camelCase of every name is accepted as well.
    pub aliases: &'static [&'static str],
    /// What it is for, in one line.
    pub doc: &'static str,
    /// What it takes.
    pub what: &'static str,
    /// A valid value, as JSON.
    pub example: &'static str,
    /// What becomes of it.
    pub fate: Fate,
    /// Its schema.
    pub schema: fn() -> Json,
    /// The keys inside it.
    pub inner: fn() -> Vec<About>,
}

/// A row of a table of keys.
pub struct Key<S: 'static> {
    /// All but the way to read it.
    pub about: About,
    /// Reads the value into its field.
    pub set: fn(&mut S, &Node, &mut Reader),
}

impl About {
    /// The name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.aliases.iter().copied())
    }

    /// Whether a key as written is this one.
    pub fn is(&self, written: &str) -> bool {
        if self.names().any(|name| name == written) {
            return true;
        }
        let humped = written.contains(|c: char| c.is_ascii_uppercase()) && !written.contains('_');
        humped && {
            let snake = snake(written);
            self.names().any(|name| name == snake)
        }
    }
}

/// `killTimeout` as `kill_timeout`, and `kill-timeout` too.
pub fn snake(written: &str) -> String {
    let mut snake = String::with_capacity(written.len() + 4);
    for c in written.chars() {
        match c {
            'A'..='Z' => {
                snake.push('_');
                snake.push(c.to_ascii_lowercase());
            }
            '-' => snake.push('_'),
            other => snake.push(other),
        }
    }
    snake
}

/// `kill_timeout` as `killTimeout`.
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut chars = word.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.push_str(chars.as_str());
        camel
    })
}

/// The properties of a map by its table: every name, its aliases and their camelCase. Null counts as not given.
pub fn properties(table: &[About]) -> serde_json::Map<String, Json> {
    let mut properties = serde_json::Map::new();
    for about in table {
        let alternatives = json!([(about.schema)(), { "type": "null" }]);
        let example: Json = serde_json::from_str(about.example).unwrap_or_default();
        properties.insert(about.name.to_owned(), json!({ "description": about.doc.trim(), "examples": [example], "anyOf": alternatives }));
        for spelled in about.names().flat_map(|name| [name.to_owned(), camel(name)]).filter(|spelled| spelled != about.name) {
            // An alias points at its key, so that editors offer the key first.
            let described = format!("The same as {}", about.name);
            properties.insert(spelled, json!({ "description": described, "deprecated": true, "anyOf": alternatives }));
        }
    }
    properties
}

/// The schema of a map by its table.
pub fn schema(table: &[About]) -> Json {
    json!({ "type": "object", "properties": properties(table) })
}

/// Makes a map with known keys from one row a key: `/// doc`, `name: Element, ["alias"], "a valid value as JSON", Fate;`.
macro_rules! keyed {
    ($(#[$meta:meta])* pub struct $name:ident {
        $( $(#[doc = $doc:literal])+ $field:ident: $type:ty, [$($alias:literal),*], $example:literal, $fate:expr; )*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: Option<$crate::config::element::Given<$type>>, )*
        }

        impl $name {
            /// The table.
            pub const KEYS: &'static [$crate::config::element::Key<Self>] = &[$(
                $crate::config::element::Key {
                    about: $crate::config::element::About {
                        name: stringify!($field),
                        aliases: &[$($alias),*],
                        doc: concat!($($doc),+),
                        what: <$type as $crate::config::element::Element>::WHAT,
                        example: $example,
                        fate: $fate,
                        schema: <$type as $crate::config::element::Element>::schema,
                        inner: <$type as $crate::config::element::Element>::inner,
                    },
                    set: |all, node, reader| all.$field = reader.given(node),
                },
            )*];
        }
    };
}

/// Makes a map of [`keyed!`] an element that takes its keys and no others.
macro_rules! keyed_element {
    ($name:ident, $what:literal) => {
        impl $crate::config::element::Element for $name {
            const WHAT: &'static str = $what;

            fn read(node: &$crate::config::node::Node, reader: &mut $crate::config::element::Reader) -> Option<Self> {
                let $crate::config::node::Value::Map(_) = &node.value else { return reader.wrong(node) };
                let mut all = Self::default();
                reader.keys(node, Self::KEYS, &mut all, |_, _, _, _| false);
                Some(all)
            }

            fn schema() -> serde_json::Value {
                $crate::config::element::keyed::schema(&Self::inner())
            }

            fn inner() -> Vec<$crate::config::element::About> {
                Self::KEYS.iter().map(|key| key.about).collect()
            }
        }
    };
}

pub(in crate::config) use {keyed, keyed_element};
