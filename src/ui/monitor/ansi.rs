//! Lines of apps as text with looks: colours are translated, and nothing else that steers a terminal passes (ECMA-48).

use std::{iter::Peekable, str::Chars};

use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar as _;

use crate::ui::clean::is_unfit;

/// The longest line that is kept, in bytes; the rest of it is left out.
const LONGEST: usize = 16 * 1024;

/// Columns between tab stops.
const TAB: usize = 8;

/// A text without control characters, and how its parts look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Painted {
    /// The text.
    pub text: String,
    /// Where each look ends, in bytes of the text, in rising order; the last one at the text's end.
    pub looks: Vec<(usize, Style)>,
}

impl Painted {
    /// A text in one look.
    pub fn plain(text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        Self { looks: vec![(text.len(), style)], text }
    }

    /// Translates a line. What stands before a carriage return is overwritten, as on a terminal.
    pub fn translate(line: &str) -> Self {
        let mut painted = Self::default();
        let mut style = Style::new();
        let mut column = 0;
        let mut chars = line.trim_end_matches(['\r', '\n']).chars().peekable();
        while let Some(char) = chars.next() {
            if painted.text.len() >= LONGEST {
                painted.push("…", style);
                break;
            }
            match char {
                '\x1b' => escape(&mut chars, &mut style),
                '\u{9b}' => control(&mut chars, &mut style),
                '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
                '\r' => (painted, column) = (Self::default(), 0),
                '\t' => {
                    let gap = TAB - column % TAB;
                    painted.push(&" ".repeat(gap), style);
                    column += gap;
                }
                char if is_unfit(char) => {}
                char => {
                    painted.push(char.encode_utf8(&mut [0; 4]), style);
                    column += char.width().unwrap_or_default();
                }
            }
        }
        painted
    }

    fn push(&mut self, text: &str, style: Style) {
        self.text.push_str(text);
        match self.looks.last_mut() {
            Some((end, last)) if *last == style => *end = self.text.len(),
            Some(_) | None => self.looks.push((self.text.len(), style)),
        }
    }
}

/// What follows an escape character.
fn escape(chars: &mut Peekable<Chars<'_>>, style: &mut Style) {
    match chars.next() {
        Some('[') => control(chars, style),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        // Intermediate bytes up to a final one, as in the choice of a character set.
        Some(' '..='/') => while chars.next().is_some_and(|char| (' '..='/').contains(&char)) {},
        Some(_) | None => {}
    }
}

/// A control sequence: parameters up to the letter that says what is to be done. Only what colours is done.
fn control(chars: &mut Peekable<Chars<'_>>, style: &mut Style) {
    let mut parameters = String::new();
    while let Some(char) = chars.next_if(|char| (' '..='?').contains(char)) {
        parameters.push(char);
    }
    if chars.next_if(|char| ('@'..='~').contains(char)) == Some('m') {
        *style = coloured(*style, &parameters);
    }
}

/// A string for the terminal itself (a title, a link): up to BEL or ST.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(char) = chars.next() {
        match char {
            '\x07' | '\u{9c}' => return,
            '\x1b' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// The style after Select Graphic Rendition. What is not known changes nothing.
fn coloured(mut style: Style, parameters: &str) -> Style {
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u8>().ok() };
    let mut words = parameters.split(';');
    while let Some(word) = words.next() {
        let parts: Vec<&str> = word.split(':').collect();
        let Some(code) = number(parts[0]) else { continue };
        match code {
            0 => style = Style::new(),
            1 => style.add_modifier |= Modifier::BOLD,
            2 => style.add_modifier |= Modifier::DIM,
            3 => style.add_modifier |= Modifier::ITALIC,
            4 if parts.get(1) == Some(&"0") => style.add_modifier -= Modifier::UNDERLINED,
            4 | 21 => style.add_modifier |= Modifier::UNDERLINED,
            7 => style.add_modifier |= Modifier::REVERSED,
            9 => style.add_modifier |= Modifier::CROSSED_OUT,
            22 => style.add_modifier -= Modifier::BOLD | Modifier::DIM,
            23 => style.add_modifier -= Modifier::ITALIC,
            24 => style.add_modifier -= Modifier::UNDERLINED,
            27 => style.add_modifier -= Modifier::REVERSED,
            29 => style.add_modifier -= Modifier::CROSSED_OUT,
            30..=37 => style.fg = Some(Color::Indexed(code - 30)),
            40..=47 => style.bg = Some(Color::Indexed(code - 40)),
            90..=97 => style.fg = Some(Color::Indexed(code - 90 + 8)),
            100..=107 => style.bg = Some(Color::Indexed(code - 100 + 8)),
            39 => style.fg = None,
            49 => style.bg = None,
            38 | 48 => {
                let colour = if parts.len() > 1 { exact(parts[1..].iter().copied()) } else { exact(&mut words) };
                match (code, colour) {
                    (_, None) => {}
                    (38, Some(colour)) => style.fg = Some(colour),
                    (_, Some(colour)) => style.bg = Some(colour),
                }
            }
            _ => {}
        }
    }
    style
}

/// A colour by number or by its parts: `5;208`, `2;255;128;0`, and `2::255:128:0` with a colour space.
fn exact<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Color> {
    match words.next()? {
        "5" => Some(Color::Indexed(words.next()?.parse().ok()?)),
        "2" => {
            let mut first = words.next()?;
            if first.is_empty() {
                first = words.next()?;
            }
            Some(Color::Rgb(first.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text[fg]` of each part.
    fn parts(line: &str) -> String {
        let painted = Painted::translate(line);
        let mut begin = 0;
        let mut shown = String::new();
        for (end, style) in painted.looks {
            let look = match (style.fg, style.bg, style.add_modifier) {
                (None, None, modifier) if modifier.is_empty() => String::new(),
                (fg, bg, modifier) => {
                    let colour = |colour: Option<Color>| colour.map_or_else(|| "-".to_owned(), |colour| format!("{colour}"));
                    format!("[{} {} {modifier:?}]", colour(fg), colour(bg))
                }
            };
            shown.push_str(&format!("{}{look}", &painted.text[begin..end]));
            begin = end;
        }
        shown
    }

    #[test]
    fn colours_are_translated() {
        insta::assert_snapshot!(
            [
                "plain \x1b[31mred\x1b[0m plain",
                "\x1b[1;32;44mall\x1b[22m less\x1b[39;49m none",
                "\x1b[38;5;208morange\x1b[m \x1b[48;2;1;2;3mexact\x1b[0m",
                "\x1b[38:2::9:8:7mcolons\x1b[0m \x1b[4:3mcurly\x1b[4:0m off",
                "\x1b[91mbright\x1b[107m ground",
                "\x1b[38;5mcut \x1b[999mhuge \x1b[38;9;1modd",
            ]
            .map(parts)
            .join("\n"),
            @"
        plain red[1 - NONE] plain
        all[2 4 BOLD] less[2 4 NONE] none
        orange[208 - NONE] exact[- #010203 NONE]
        colons[#090807 - NONE] curly[- - UNDERLINED] off
        bright[9 - NONE] ground[9 15 NONE]
        cut huge odd[- - BOLD]
        "
        );
    }

    #[test]
    fn nothing_else_that_steers_a_terminal_passes() {
        for (line, text) in [
            ("\x1b[2J\x1b[1;1Hhome", "home"),
            ("\x1b]0;title\x07after \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "after link"),
            ("\x1bP1$r0m\x1b\\dcs \x1b_apc\u{9c}\u{9b}31mc1 \u{9d}0;t\x07end", "dcs c1 end"),
            ("\x1b(Bset \x1b7save \x1b=keys\x1b", "set save keys"),
            ("bell\x07 back\x08space nul\0 del\x7f", "bell backspace nul del"),
            ("txt.\u{202e}sj \u{2066}x\u{2028}", "txt.sj x"),
            ("10%\r50%\r100%\r", "100%"),
            ("a\tb\t名\tc", "a       b       名      c"),
            ("never ends \x1b]0;title", "never ends "),
            ("größe 名前 🦀", "größe 名前 🦀"),
        ] {
            assert_eq!(Painted::translate(line).text, text, "{line:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let painted = Painted::translate(&"x".repeat(1 << 20));
        assert!(painted.text.len() < LONGEST + 8 && painted.text.ends_with('…'), "{}", painted.text.len());
        assert_eq!(painted.looks.last().map(|(end, _)| *end), Some(painted.text.len()));
    }
}
