//! The entries of a map while it is read: in order, each key once.

use std::collections::HashMap;

use crate::config::node::{Entry, Place};

/// Entries in order, found by key.
#[derive(Debug, Default)]
pub struct Entries {
    list: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Entries {
    /// Adds an entry whose key is new, or gives back that entry and the place of the first.
    pub fn add(&mut self, entry: Entry) -> Result<(), Box<(Entry, Place)>> {
        match self.index.get(&entry.key) {
            Some(at) => Err(Box::new((entry, self.list[*at].place))),
            None => {
                self.index.insert(entry.key.clone(), self.list.len());
                self.list.push(entry);
                Ok(())
            }
        }
    }

    /// Puts an entry in the place of the one with the same key.
    pub fn replace(&mut self, entry: Entry) {
        if let Some(at) = self.index.get(&entry.key) {
            self.list[*at] = entry;
        }
    }

    /// The entries in order.
    pub fn into_list(self) -> Vec<Entry> {
        self.list
    }
}

/// `in line 3`, of the first of two.
pub fn line_of(place: Place) -> String {
    match place {
        Place::At { line, .. } => format!("in line {line}"),
        Place::Unknown => "above".to_owned(),
    }
}
