//! `fork` or `cluster`, with PM2's longer names.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::{
    config::node::{Node, Value},
    model::ExecMode,
};

impl Element for ExecMode {
    const WHAT: &'static str = "fork or cluster";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "fork" || text == "fork_mode" => Some(Self::Fork),
            Value::Text(text) if text == "cluster" || text == "cluster_mode" => Some(Self::Cluster),
            _ => reader.wrong(node),
        }
    }

    fn schema() -> Json {
        json!({ "enum": ["fork", "cluster", "fork_mode", "cluster_mode"] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn short_and_long_names() {
        assert_eq!(read(r#""fork_mode""#), Some(ExecMode::Fork));
        assert_eq!(read(r#""cluster""#), Some(ExecMode::Cluster));
        insta::assert_snapshot!(refused::<ExecMode>(r#""threads""#), @r#"key is "threads", but it takes fork or cluster"#);
    }
}
