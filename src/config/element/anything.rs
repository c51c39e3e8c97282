//! Any value: for keys that are accepted and do nothing.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::Node;

/// Whatever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anything;

impl Element for Anything {
    const WHAT: &'static str = "anything";

    fn read(_: &Node, _: &mut Reader) -> Option<Self> {
        Some(Self)
    }

    fn schema() -> Json {
        json!({})
    }
}
