//! Sizes of memory and files: `512M`, `1.5G`, a number of bytes. Units count by 1024, as in PM2.

use serde_json::{Value as Json, json};

use super::{Element, Reader};
use crate::config::node::{Node, Value};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// Reads `512M`, `1.5 GiB`, `1048576`.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || number == "." || shift == 0 && !part.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: f64 = if part.is_empty() { 0.0 } else { format!("0.{part}").parse().ok()? };
    // Less than a unit, so it fits; `as` cuts at most a byte.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 <= part < 1 and shift <= 40"
    )]
    let rest = (part * (1_u64 << shift) as f64) as u64;
    whole.checked_mul(1 << shift)?.checked_add(rest)
}

impl Element for Size {
    const WHAT: &'static str = "a size: bytes, or a number with K, M or G";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let bytes = match &node.value {
            Value::Text(text) => parse(text),
            _ => super::number::whole(node).and_then(|number| number.try_into().ok()),
        };
        bytes.map(Self).or_else(|| reader.wrong(node))
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": r"^\s*[0-9.]+\s*([KMGTkmgt]?(i?[Bb])?)\s*$" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{read, refused},
        *,
    };

    #[test]
    fn units_count_by_1024() {
        let cases = [
            ("512M", 512 << 20),
            ("1.5G", 3 << 29),
            ("300k", 300 << 10),
            ("2 GiB", 2 << 30),
            ("10MB", 10 << 20),
            ("1048576", 1 << 20),
            (".5K", 512),
            ("0", 0),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "M", "lots", "1.5", "-1M", "1,5G", ".", "1..5G", "99999999999G"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(read("1048576"), Some(Size(1 << 20)));
        insta::assert_snapshot!(refused::<Size>(r#""lots""#), @r#"key is "lots", but it takes a size: bytes, or a number with K, M or G"#);
    }
}
