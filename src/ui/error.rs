//! Failures, as they stand on standard error.

use std::borrow::Cow;

use owo_colors::Style as Paint;

use super::{Style, clean::clean};
use crate::model::Error;

/// A failure as whole lines: `pmdev: sentence`, its causes below it, then the hint.
pub fn render(error: &Error, style: Style) -> Vec<u8> {
    let mut shown = format!("{} {}\n", style.paint("pmdev:", Paint::new().bold().red()), paragraph(&error.message));
    for cause in &error.causes {
        shown.push_str(&format!("  because: {}\n", paragraph(cause)));
    }
    for (number, line) in error.hint.iter().flat_map(|hint| hint.lines()).enumerate() {
        let head = if number == 0 { style.paint("hint:", Paint::new().bold().cyan()) } else { "     ".into() };
        shown.push_str(&format!("{head} {}\n", clean(line.trim_end())));
    }
    shown.into_bytes()
}

/// Several lines stay several, each after the first indented: messages of other programs and places in files have their own form.
fn paragraph(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.trim_end().lines().map(clean).collect();
    lines.join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_causes_and_hint() {
        let error = Error::usage("app.js cannot be started")
            .because("executing nodee: No such file or directory")
            .because("line 1\nline \x1b[2J2\n")
            .hint("Install node,\nor set --interpreter.");
        assert_eq!(
            String::from_utf8(render(&error, Style::PLAIN)).unwrap(),
            "pmdev: app.js cannot be started\n  because: executing nodee: No such file or directory\n  because: line 1\n    line \\u{1b}[2J2\n\
             hint: Install node,\n      or set --interpreter.\n"
        );
        let coloured = String::from_utf8(render(&error, Style { colour: true })).unwrap();
        assert!(coloured.starts_with("\x1b["), "{coloured:?}");
    }
}
