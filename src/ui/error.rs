//! A stand-in: failures as they stand on standard error.
use super::Style;
use crate::model::Error;

/// A failure as whole lines.
pub fn render(error: &Error, _style: Style) -> Vec<u8> {
    let mut shown = format!("pmdev: {}\n", error.message);
    for cause in &error.causes {
        shown.push_str(&format!("  because: {cause}\n"));
    }
    for (number, line) in error.hint.iter().flat_map(|hint| hint.lines()).enumerate() {
        shown.push_str(&format!("{} {line}\n", if number == 0 { "hint:" } else { "     " }));
    }
    shown.into_bytes()
}
