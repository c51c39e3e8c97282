//! A line of a file as people are shown it: with a caret below the offending text, without the values of variables.

use unicode_width::UnicodeWidthChar as _;

use crate::config::secret;

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
    let hidden = hidden(&chars, secret || is_among_variables(text, line_number));
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
fn hidden(chars: &[char], mut all: bool) -> Vec<bool> {
    let mut hidden = vec![false; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        if !matches!(chars[at], ':' | '=') {
            at += 1;
            continue;
        }
        let name = name_before(&chars[..at]);
        // The rest of `env: { token: …, … }` are variables.
        all |= is_env(&name);
        if !(all || is_variable(&name)) {
            at += 1;
            continue;
        }
        let begin = at + 1 + chars[at + 1..].iter().take_while(|char| char.is_whitespace()).count();
        let end = begin + value_len(&chars[begin..]);
        hidden[begin..end].fill(true);
        at = end.max(at + 1);
    }
    hide_arguments(chars, &mut hidden);
    hidden
}

/// Hides the values of options that are named like secrets, and the passwords of URLs.
fn hide_arguments(chars: &[char], hidden: &mut [bool]) {
    let ends = |char: &char| char.is_whitespace() || "\"'`,]}".contains(*char);
    let at = |from: usize, text: &str| chars.len() >= from + text.len() && text.chars().zip(&chars[from..]).all(|(a, b)| a == *b);
    for begin in 0..chars.len() {
        if at(begin, "--") && (begin == 0 || chars[begin - 1] != '-') {
            let is_name = |char: &&char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
            let name: String = chars[begin + 2..].iter().take_while(is_name).collect();
            let behind = begin + 2 + name.len();
            let gap = chars[behind..].iter().take_while(|char| ends(char) || **char == '=').count();
            let value = behind + gap;
            if gap > 0 && secret::tells(&name) && !name.starts_with("no-") && !at(value, "-") {
                let len = chars[value..].iter().take_while(|char| !ends(char)).count();
                hidden[value..value + len].fill(true);
            }
        } else if at(begin, "://") {
            let authority: Vec<char> =
                chars[begin + 3..].iter().copied().take_while(|char| !ends(char) && !"/?#".contains(*char)).collect();
            let host = authority.iter().rposition(|char| *char == '@');
            let user = authority.iter().position(|char| *char == ':');
            if let (Some(user), Some(host)) = (user, host)
                && user < host
            {
                hidden[begin + 3 + user + 1..begin + 3 + host].fill(true);
            }
        }
    }
}

/// The key before a colon or an equals sign, without quotes: `TOKEN` of `"TOKEN" `, `env` of `apps.env`.
fn name_before(before: &[char]) -> String {
    let is_frame = |char: &&char| char.is_whitespace() || matches!(char, '"' | '\'');
    let name = before.iter().rev().skip_while(is_frame).take_while(|char| char.is_alphanumeric() || **char == '_');
    name.collect::<Vec<_>>().into_iter().rev().collect()
}

/// Whether a name is one as variables have it: `TOKEN`, `DB_URL`.
fn is_variable(name: &str) -> bool {
    name.contains(|char: char| char.is_ascii_uppercase()) && !name.contains(char::is_lowercase)
}

/// Whether the values below a key are variables.
fn is_env(name: &str) -> bool {
    name == "env" || name.starts_with("env_") && name != "env_file"
}

/// Whether a line stands below a key `env` or in a table of that name, by its indentation and by headers: the file may be broken, so no
/// parser can tell.
fn is_among_variables(text: &str, number: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let above: Vec<&str> = text.lines().take(number).collect();
    let Some((line, above)) = above.split_last() else { return false };
    let mut depth = indent(line);
    for line in above.iter().rev().filter(|line| !line.trim().is_empty()) {
        if line.trim_start().starts_with('[') && line.trim_end().ends_with(']') {
            return is_env(line.trim_matches(|char: char| !char.is_alphanumeric()).rsplit('.').next().unwrap_or_default().trim());
        }
        if indent(line) < depth {
            depth = indent(line);
            let chars: Vec<char> = line.chars().collect();
            let key = chars.iter().position(|char| matches!(char, ':' | '=')).map(|at| name_before(&chars[..at]));
            if key.is_some_and(|key| is_env(&key)) {
                return true;
            }
        }
    }
    false
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
