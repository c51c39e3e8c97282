//! Bash's extended globs, which chokidar understands and globset does not: `@(a|b)` is rewritten, the others are refused with the line to write.

use std::borrow::Cow;

use crate::model::Error;

/// A group like `@(a|b)`: where it stands and what is in it.
struct Group<'a> {
    kind: u8,
    before: &'a str,
    inner: &'a str,
    after: &'a str,
}

/// The pattern with every `@(a|b)` as `{a,b}`; an error for the groups that no glob can say.
pub fn rewrite<'a>(what: &str, body: &'a str, text: &str) -> Result<Cow<'a, str>, Error> {
    let mut out = Cow::Borrowed(body);
    while let Some(group) = find(&out) {
        if group.kind != b'@' {
            let sign = char::from(group.kind);
            return Err(Error::usage(format!("The {what} {text:?} uses {sign}(...), which is not understood")).hint(instead(&group)));
        }
        let next = format!("{}{{{}}}{}", group.before, group.inner.replace('|', ","), group.after);
        out = Cow::Owned(next);
    }
    Ok(out)
}

/// The innermost group that ends first.
fn find(body: &str) -> Option<Group<'_>> {
    let mut open = None;
    let bytes = body.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' if at > 0 && b"@+*?!".contains(&bytes[at - 1]) => open = Some(at),
            b')' => {
                if let Some(from) = open {
                    let (before, inner, after) = (&body[..from - 1], &body[from + 1..at], &body[at + 1..]);
                    return Some(Group { kind: bytes[from - 1], before, inner, after });
                }
            }
            _ => {}
        }
    }
    None
}

/// What to write instead.
fn instead(group: &Group<'_>) -> String {
    let Group { kind, before, inner, after } = group;
    match kind {
        b'!' => {
            let back: Vec<_> = inner.split('|').map(|name| format!("\"!{before}{name}{after}\"")).collect();
            format!("write \"{before}*{after}\", and after it {}", back.join(", "))
        }
        b'?' => format!("write \"{before}{after}\" and \"{before}{{{}}}{after}\"", inner.replace('|', ",")),
        kind => {
            let names: Vec<_> = inner.split('|').map(regex_of).collect();
            format!("write it as a regex: \"/{}({}){}{}$\"", regex_of(before), names.join("|"), char::from(*kind), regex_of(after))
        }
    }
}

/// A simple glob as a regex.
fn regex_of(glob: &str) -> String {
    let mut out = String::new();
    let mut rest = glob;
    while let Some(sign) = rest.chars().next() {
        let taken = match sign {
            '*' if rest.starts_with("**/") => {
                out.push_str("(.*/)?");
                3
            }
            '*' => {
                out.push_str("[^/]*");
                1
            }
            '?' => {
                out.push_str("[^/]");
                1
            }
            other => {
                out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4])));
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}
