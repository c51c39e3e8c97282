//! A line of a file as people are shown it: with a caret below the offending text, without the values of variables.

use unicode_width::UnicodeWidthChar as _;

/// How many columns of a long line are shown.
const COLUMNS: usize = 100;
/// How many of them stand before the offending text.
const BEFORE: usize = 40;
/// What stands for something that is not shown.
const HIDDEN: char = '…';

/// The line with its number, and the caret below; nothing where the file has no such line. `secret`: every value of the line is hidden,
/// else those of keys that look like variables (`TOKEN: …`).
pub fn shown(text: &str, line: u32, column: u32, len: u32, secret: bool) -> Vec<String> {
    let (Ok(line_number), Ok(column), Ok(len)) = (usize::try_from(line), usize::try_from(column), usize::try_from(len)) else {
        return Vec::new();
    };
    let Some(source) = line_number.checked_sub(1).and_then(|above| text.lines().nth(above)) else { return Vec::new() };
    let chars: Vec<char> = source.chars().collect();
    let begin = column.saturating_sub(1).min(chars.len());
    let end = (begin + len.max(1)).min(chars.len()).max(begin);
    let hidden = hidden(&chars, secret);
    let first = if chars.len() > COLUMNS { begin.saturating_sub(BEFORE) } else { 0 };
    let last = (first + COLUMNS).min(chars.len());
    let (mut line, mut caret) = (String::new(), String::new());
    let mut put = |shown: &str, width: usize, marked: bool| {
        line.push_str(shown);
        caret.push_str(&if marked { "^" } else { " " }.repeat(width));
    };
    if first > 0 {
        put("…", 1, false);
    }
    let mut before = false;
    for at in first..last {
        let marked = (begin..end).contains(&at);
        match chars[at] {
            // What is hidden is one sign long, however long it is.
            _ if hidden[at] => {
                if !before || marked && !(begin..end).contains(&(at - 1)) {
                    put(&HIDDEN.to_string(), 1, marked);
                }
            }
            '\t' => put("    ", 4, marked),
            other if other.is_control() => put("\u{fffd}", 1, marked),
            other => put(&other.to_string(), other.width().unwrap_or(1), marked),
        }
        before = hidden[at];
    }
    if last < chars.len() {
        put("…", 1, false);
    }
    if begin >= chars.len() {
        caret.push('^');
    }
    let number = format!("{line_number:>4}");
    vec![format!("{number} | {line}").trim_end().to_owned(), format!("{:1$} | {2}", "", number.len(), caret.trim_end())]
}

/// Which characters belong to the value of a variable.
fn hidden(chars: &[char], all: bool) -> Vec<bool> {
    let mut hidden = vec![false; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        if !matches!(chars[at], ':' | '=') || !(all || is_variable(&chars[..at])) {
            at += 1;
            continue;
        }
        let begin = at + 1 + chars[at + 1..].iter().take_while(|char| char.is_whitespace()).count();
        let end = begin + value_len(&chars[begin..]);
        hidden[begin..end].fill(true);
        at = end.max(at + 1);
    }
    hidden
}

/// Whether what stands before a colon or an equals sign is a name as variables have it: `TOKEN`, `"DB_URL" `.
fn is_variable(before: &[char]) -> bool {
    let name: Vec<char> = before
        .iter()
        .rev()
        .skip_while(|char| char.is_whitespace() || matches!(char, '"' | '\''))
        .take_while(|char| char.is_alphanumeric() || **char == '_')
        .copied()
        .collect();
    name.iter().any(char::is_ascii_uppercase) && !name.iter().any(|char| char.is_lowercase())
}

/// How long the value is that begins here: a quoted text to its end, else to what ends it; 0 for a list or map, whose keys speak for themselves.
fn value_len(chars: &[char]) -> usize {
    match chars.first() {
        None | Some('{' | '[') => 0,
        Some(quote @ ('"' | '\'' | '`')) => {
            let mut escaped = false;
            let close = chars[1..].iter().position(|char| {
                let closes = char == quote && !escaped;
                escaped = *char == '\\' && !escaped;
                closes
            });
            close.map_or(chars.len(), |at| at + 2)
        }
        Some(_) => chars.iter().position(|char| matches!(char, ',' | '}' | ']')).unwrap_or(chars.len()),
    }
}
