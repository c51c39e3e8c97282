//! When and how things are coloured, and the labels before the lines of apps.

use std::ffi::{OsStr, OsString};

use owo_colors::{AnsiColors, OwoColorize as _};
use unicode_width::UnicodeWidthStr as _;
use xxhash_rust::xxh3::xxh3_64;

use super::clean::clean;

/// Colours of names: readable on dark and on light ground, as bright cyan and yellow are not. Red and the greys are left to errors and asides.
const NAMES: [AnsiColors; 8] = [
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Blue,
    AnsiColors::BrightGreen,
    AnsiColors::BrightMagenta,
    AnsiColors::BrightBlue,
];

/// Whether things are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether they are.
    pub colour: bool,
}

impl Style {
    /// Without colour.
    pub const PLAIN: Self = Self { colour: false };

    /// Decides for one output. `no_color`: the flag; `env`: looks up a variable; `terminal`: whether the output is one. In this order:
    /// `--no-color`, NO_COLOR (<https://no-color.org>), FORCE_COLOR and CLICOLOR_FORCE (<https://bixense.com/clicolors>; `0` and `false`
    /// are no), TERM=dumb and CLICOLOR=0, the terminal.
    pub fn decide(no_color: bool, env: impl Fn(&str) -> Option<OsString>, terminal: bool) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let is_no = |value: &OsStr| value == "0" || value == "false";
        let forced = [set("FORCE_COLOR"), set("CLICOLOR_FORCE")];
        let colour = if no_color || set("NO_COLOR").is_some() {
            false
        } else if forced.iter().flatten().any(|value| !is_no(value)) {
            true
        } else {
            let refused =
                forced[0].is_some() || set("TERM").is_some_and(|term| term == "dumb") || set("CLICOLOR").is_some_and(|value| is_no(&value));
            terminal && !refused
        };
        Self { colour }
    }

    /// The text in a style of `owo_colors`, or as it is.
    pub(super) fn paint(self, text: &str, style: owo_colors::Style) -> String {
        if self.colour { text.style(style).to_string() } else { text.to_owned() }
    }
}

/// The labels before the lines of these instances (`api    | `, `worker | `), aligned; empty where there is only one instance.
pub fn prefixes(names: &[String], style: Style) -> Vec<Vec<u8>> {
    if names.len() < 2 {
        return vec![Vec::new(); names.len()];
    }
    let names: Vec<_> = names.iter().map(|name| clean(name)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or_default();
    let colours = colours(names.iter().map(AsRef::as_ref));
    let label = |(name, colour): (&std::borrow::Cow<'_, str>, AnsiColors)| {
        let padded = format!("{name}{:1$} |", "", width - name.width());
        (style.paint(&padded, owo_colors::Style::new().color(colour)) + " ").into_bytes()
    };
    names.iter().zip(colours).map(label).collect()
}

/// A colour for each name, by the name alone, so that it is the same tomorrow; only where a neighbour has it, the next.
fn colours<'a>(names: impl Iterator<Item = &'a str>) -> Vec<AnsiColors> {
    let mut last = None;
    let choose = |name: &str| {
        let mut choice = usize::try_from(xxh3_64(name.as_bytes()) % NAMES.len() as u64).expect("it is below the palette's length");
        if last == Some(choice) {
            choice = (choice + 1) % NAMES.len();
        }
        last = Some(choice);
        NAMES[choice]
    };
    names.map(choose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(flag: bool, env: &[(&str, &str)], terminal: bool) -> bool {
        let find = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Style::decide(flag, find, terminal).colour
    }

    #[test]
    fn colour_is_decided_by_flag_then_environment_then_terminal() {
        assert!(decide(false, &[], true));
        assert!(!decide(false, &[], false));
        assert!(!decide(true, &[("FORCE_COLOR", "1")], true));
        assert!(!decide(false, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], true));
        assert!(decide(false, &[("NO_COLOR", "")], true));
        assert!(decide(false, &[("FORCE_COLOR", "3"), ("TERM", "dumb")], false));
        assert!(decide(false, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!decide(false, &[("CLICOLOR_FORCE", "0")], false));
        assert!(!decide(false, &[("FORCE_COLOR", "0")], true));
        assert!(!decide(false, &[("FORCE_COLOR", "false")], true));
        assert!(!decide(false, &[("TERM", "dumb")], true));
        assert!(!decide(false, &[("CLICOLOR", "0")], true));
        assert!(decide(false, &[("CLICOLOR", "1"), ("TERM", "xterm")], true));
    }

    fn texts(names: &[&str], style: Style) -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        prefixes(&names, style).into_iter().map(|prefix| String::from_utf8(prefix).unwrap()).collect()
    }

    #[test]
    fn labels_are_aligned_by_what_a_terminal_shows() {
        assert_eq!(texts(&["api", "worker:10"], Style::PLAIN), ["api       | ", "worker:10 | "]);
        assert_eq!(texts(&["名前", "abc"], Style::PLAIN), ["名前 | ", "abc  | "]);
        assert_eq!(texts(&["a\x1b[2J", "b"], Style::PLAIN), [r"a\u{1b}[2J | ", "b          | "]);
        assert_eq!(texts(&["alone"], Style { colour: true }), [""]);
        assert!(prefixes(&[], Style::PLAIN).is_empty());
    }

    #[test]
    fn a_coloured_label_ends_its_colour_before_the_line() {
        for label in texts(&["api", "web"], Style { colour: true }) {
            assert!(label.starts_with("\x1b[") && label.ends_with(" |\x1b[0m "), "{label:?}");
        }
    }

    #[test]
    fn names_keep_their_colour_and_neighbours_differ() {
        assert_eq!(colours(["api", "web"].into_iter())[0], colours(["api", "db", "x"].into_iter())[0]);
        let mut random = fastrand::Rng::with_seed(3);
        let names: Vec<String> = (0..500).map(|_| random.u8(..).to_string()).collect();
        let chosen = colours(names.iter().map(String::as_str));
        assert!(chosen.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(NAMES.iter().all(|colour| chosen.contains(colour)), "some colour is never used");
    }
}
