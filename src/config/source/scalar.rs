//! Words that stand for numbers, truth and nothing.

use crate::config::node::Value;

/// The largest whole number that a double holds exactly, 2^53: above it JavaScript's numbers are no longer what was written.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number of JSON5, <https://spec.json5.org/#numbers>. There is one kind of number in JavaScript, so `5.0` is 5.
pub fn json_number(text: &str) -> Value {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let sign = if negative { -1 } else { 1 };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return match i64::from_str_radix(hex, 16) {
            Ok(number) => Value::Int(sign * number),
            Err(_) => Value::Float(
                f64::from(i32::try_from(sign).unwrap_or(1))
                    * hex.chars().filter_map(|digit| digit.to_digit(16)).fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit)),
            ),
        };
    }
    match text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
        Ok(number) => Value::Int(number),
        Err(_) => text.parse().map_or_else(|_| Value::Text(text.to_owned()), double),
    }
}

/// A double, as a whole number where it is one.
pub fn double(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and its size was just compared")]
    if number.fract() == 0.0 && number.abs() <= EXACT { Value::Int(number as i64) } else { Value::Float(number) }
}

/// A plain scalar of YAML by the core schema, <https://yaml.org/spec/1.2.2/#103-core-schema>: `yes` and `on` are text.
pub fn yaml_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    yaml_int(text).or_else(|| yaml_float(text)).unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// `12`, `-3`, `0o17`, `0x1F`; a whole number that is too big becomes a float.
pub fn yaml_int(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let radix = |prefix: &str, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
    if let Some(number) = radix("0o", 8).or_else(|| radix("0x", 16)) {
        return (!text[2..].starts_with(['-', '+'])).then_some(Value::Int(number));
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().map(Value::Int).ok().or_else(|| text.parse().map(Value::Float).ok())
}

/// `1.5`, `.5`, `1e3`; Rust's `inf` and `nan` are text in YAML.
pub fn yaml_float(text: &str) -> Option<Value> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = plain && text.bytes().any(|byte| byte.is_ascii_digit());
    number.then(|| text.parse().ok()).flatten().map(Value::Float)
}
