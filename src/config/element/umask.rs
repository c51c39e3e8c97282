//! A file mode mask, in octal. A number is refused: `027` is 27 in YAML and nothing in JSON.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// A mask, umask(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Umask(pub u32);

impl Element for Umask {
    const WHAT: &'static str = "an octal mask in quotes";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Value::Text(text) = &node.value else { return reader.wrong(node) };
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let mask = u32::from_str_radix(digits, 8).ok().filter(|mask| *mask <= 0o777 && !digits.starts_with('+'));
        mask.map(Self).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(0o)?[0-7]{1,4}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn octal_in_quotes() {
        assert_eq!(read(r#""027""#), Some(Umask(0o27)));
        assert_eq!(read(r#""0o22""#), Some(Umask(0o22)));
        insta::assert_snapshot!(refused::<Umask>("27"), @"key is 27, but it takes an octal mask in quotes");
        insta::assert_snapshot!(refused::<Umask>(r#""1777""#), @r#"key is "1777", but it takes an octal mask in quotes"#);
    }
}
