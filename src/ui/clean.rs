//! Text from outside (names, paths, other programs' messages) made fit for one line of a terminal.

use std::borrow::Cow;

/// The text with every control character, line separator and direction mark escaped (`\n`, `\u{1b}`): a file name must neither move the
/// cursor nor pass for another line or another name.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unfit) {
        return text.into();
    }
    text.chars().map(|char| if is_unfit(char) { char.escape_default().to_string() } else { char.to_string() }).collect()
}

/// Text of programs on a line of its own: without colours, and fit for a terminal.
pub fn plain(text: &str) -> String {
    clean(&without_escapes(text)).into_owned()
}

/// Unicode's Cc, Zl and Zp, and the Bidi_Control property.
pub(super) fn is_unfit(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without the sequences that colour it or steer a terminal (ECMA-48's CSI, such as `\x1b[31m`).
pub fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains("\x1b[") {
        return text.into();
    }
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Parameters up to the letter that says what is to be done.
        let end = part.find(|char: char| ('@'..='~').contains(&char)).map_or(part.len(), |end| end + 1);
        plain.push_str(&part[end..]);
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        for (text, expected) in [
            ("src/api.js", "src/api.js"),
            ("größe 名前 🦀", "größe 名前 🦀"),
            ("a\nb\tc\r", r"a\nb\tc\r"),
            ("\x1b[31mred\x07", r"\u{1b}[31mred\u{7}"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("txt.\u{202e}sj", r"txt.\u{202e}sj"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn colours_of_others_are_left_out() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\x1b[1;31merror\x1b[0m: no \x1b[Kfile", "error: no file"),
            ("cut \x1b[38;5", "cut "),
            ("é\x1b[0mß", "éß"),
        ] {
            assert_eq!(without_escapes(text), expected);
        }
    }
}
