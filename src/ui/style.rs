//! When and how things are coloured, and the labels before the lines of apps.

use std::{
    borrow::Cow,
    collections::HashMap,
    ffi::{OsStr, OsString},
};

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

/// Which of the eight colours a name has by itself.
pub(super) fn choice(name: &str) -> usize {
    usize::try_from(xxh3_64(name.as_bytes()) % NAMES.len() as u64).expect("it is below the palette's length")
}

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

    /// The label before the lines of something beside the apps: `api on_crash | `.
    pub fn aside(self, name: &str) -> Vec<u8> {
        (self.paint(&format!("{} |", clean(name)), owo_colors::Style::new().dimmed()) + " ").into_bytes()
    }

    /// The text in a style of `owo_colors`, or as it is.
    pub(super) fn paint(self, text: &str, style: owo_colors::Style) -> String {
        if self.colour { text.style(style).to_string() } else { text.to_owned() }
    }
}

/// As many names keep their colours when they go.
const REMEMBERED: usize = 1000;

/// The labels of instances, and the colours that names have had so far: a name keeps its colour whoever comes and goes beside it.
#[derive(Debug, Default)]
pub struct Labels {
    chosen: HashMap<String, AnsiColors>,
}

impl Labels {
    /// The labels before the lines of these instances (`api    | `, `worker | `), aligned; empty where there is only one instance.
    pub fn prefixes(&mut self, names: &[String], style: Style) -> Vec<Vec<u8>> {
        if self.chosen.len() > REMEMBERED {
            self.chosen.retain(|known, _| names.contains(known));
        }
        self.choose(names.iter().map(String::as_str));
        if names.len() < 2 {
            return vec![Vec::new(); names.len()];
        }
        let cleaned: Vec<_> = names.iter().map(|name| clean(name)).collect();
        let width = cleaned.iter().map(|name| name.width()).max().unwrap_or_default();
        let label = |(name, shown): (&String, &Cow<'_, str>)| {
            let padded = format!("{shown}{:1$} |", "", width - shown.width());
            (style.paint(&padded, owo_colors::Style::new().color(self.chosen[name])) + " ").into_bytes()
        };
        names.iter().zip(&cleaned).map(label).collect()
    }

    /// A colour for each name, by the name alone, so that it is the same tomorrow; only where a neighbour has it, the next.
    fn choose<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let mut last = None;
        for name in names {
            let colour = self.chosen.entry(name.to_owned()).or_insert_with(|| {
                let choice = choice(name);
                if last == Some(NAMES[choice]) { NAMES[(choice + 1) % NAMES.len()] } else { NAMES[choice] }
            });
            last = Some(*colour);
        }
    }
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
        Labels::default().prefixes(&names, style).into_iter().map(|prefix| String::from_utf8(prefix).unwrap()).collect()
    }

    #[test]
    fn labels_are_aligned_by_what_a_terminal_shows() {
        assert_eq!(texts(&["api", "worker:10"], Style::PLAIN), ["api       | ", "worker:10 | "]);
        assert_eq!(texts(&["名前", "abc"], Style::PLAIN), ["名前 | ", "abc  | "]);
        assert_eq!(texts(&["a\x1b[2J", "b"], Style::PLAIN), [r"a\u{1b}[2J | ", "b          | "]);
        assert_eq!(texts(&["alone"], Style { colour: true }), [""]);
        assert!(Labels::default().prefixes(&[], Style::PLAIN).is_empty());
    }

    #[test]
    fn a_coloured_label_ends_its_colour_before_the_line() {
        for label in texts(&["api", "web"], Style { colour: true }) {
            assert!(label.starts_with("\x1b[") && label.ends_with(" |\x1b[0m "), "{label:?}");
        }
    }

    fn colours(names: &[&str]) -> Vec<AnsiColors> {
        let mut labels = Labels::default();
        labels.choose(names.iter().copied());
        names.iter().map(|name| labels.chosen[*name]).collect()
    }

    #[test]
    fn names_keep_their_colour_and_neighbours_differ() {
        assert_eq!(colours(&["api", "web"])[0], colours(&["api", "db", "x"])[0]);
        let names: Vec<String> = (0..500).map(|number| number.to_string()).collect();
        let chosen = colours(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(chosen.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(NAMES.iter().all(|colour| chosen.contains(colour)), "some colour is never used");
    }

    #[test]
    fn a_colour_stays_when_neighbours_go() {
        let names: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let mut labels = Labels::default();
        labels.prefixes(&names, Style::PLAIN);
        let before = labels.chosen.clone();
        labels.prefixes(&names.iter().step_by(2).cloned().collect::<Vec<_>>(), Style::PLAIN);
        assert_eq!(labels.chosen, before);
    }
}
