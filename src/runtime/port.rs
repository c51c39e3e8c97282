//! Which port an app wanted, found after a failure: the declared one, or the number in its own last words.

use crate::{
    config::without_secrets,
    model::{AppSpec, Level, Notice, NoticeKind},
    process::ports::Holder,
};

/// How many of the last lines are looked at.
pub const LAST_LINES: usize = 50;

/// A port that an app wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The app's name.
    pub app: String,
    /// Which one.
    pub port: u16,
    /// Whether the app itself said that it is in use; else it is only the declared one.
    said: bool,
}

impl Wanted {
    /// What an app wanted that died with these last lines.
    pub fn find(lines: &[Vec<u8>], spec: &AppSpec) -> Option<Self> {
        let said = in_use(lines);
        let port = said.or(spec.port)?;
        Some(Self { app: spec.name.clone(), port, said: said.is_some() })
    }

    /// Names who has it instead.
    pub fn held_by(&self, holder: &Holder) -> Notice {
        let Self { app, port, said } = self;
        let what = if *said { format!("{app} could not listen on port {port}") } else { format!("{app} was told to use port {port}") };
        let command = without_secrets(&holder.command);
        let (who, stop) = match holder.pid {
            Some(pid) if holder.ours => (format!("pid {pid} ({command}) of this runner"), "give one of the two".to_owned()),
            Some(pid) => (format!("pid {pid} ({command}), not of this runner,"), format!("stop it (kill {pid}), or give {app}")),
            None => ("a process of another user".to_owned(), format!("stop it, or give {app}")),
        };
        let text = format!("{what}, which {who} holds");
        Notice::new(Level::Warning, NoticeKind::PortHeld, text).about(app).hint(format!("{stop} another port"))
    }
}

/// The port in a line that says an address is in use: Node's `EADDRINUSE: address already in use :::3000`, Python's and Go's
/// `bind: address already in use` beside `:3000`, Rust's `Address already in use (os error 98)`. The last number after a colon,
/// after `port` or in asyncio's `('127.0.0.1', 8000)`, counts.
pub fn in_use(lines: &[Vec<u8>]) -> Option<u16> {
    let mut seen = None;
    for line in lines.iter().rev() {
        let line = String::from_utf8_lossy(line);
        let lower = line.to_ascii_lowercase();
        if lower.contains("eaddrinuse") || lower.contains("address already in use") || lower.contains("address in use") {
            if let Some(port) = port_of(&lower) {
                return Some(port);
            }
            seen = Some(());
        }
    }
    // The number may stand in a neighbouring line, as in Node's `port: 3000` below the message.
    seen.and_then(|()| lines.iter().rev().find_map(|line| port_after(&String::from_utf8_lossy(line).to_ascii_lowercase(), "port: ")))
}

fn port_of(line: &str) -> Option<u16> {
    port_after(line, "port ").or_else(|| port_after(line, "', ")).or_else(|| {
        let mut found = None;
        for (index, _) in line.match_indices(':') {
            found = number(&line[index + 1..]).or(found);
        }
        found
    })
}

fn port_after(line: &str, word: &str) -> Option<u16> {
    line.match_indices(word).find_map(|(index, _)| number(&line[index + word.len()..]))
}

/// The port at the beginning of a text: one to five digits that do not go on as a number, not 0.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let port: u16 = text[..digits].parse().ok()?;
    let ends = !text[digits..].starts_with(|next: char| next.is_ascii_alphanumeric());
    (port != 0 && ends).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_port_in_the_words_of_many_languages() {
        for (line, port) in [
            ("Error: listen EADDRINUSE: address already in use :::3000", Some(3000)),
            ("Error: listen EADDRINUSE: address already in use 127.0.0.1:8080", Some(8080)),
            ("listen tcp :4000: bind: address already in use", Some(4000)),
            ("listen tcp 0.0.0.0:4000: bind: address already in use", Some(4000)),
            ("ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use", Some(8000)),
            ("[Errno 98] Address already in use: port 5000 is taken", Some(5000)),
            ("Failed to listen on localhost:8000 (reason: Address already in use)", Some(8000)),
            ("listening on :3000", None),
            ("Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }", None),
        ] {
            assert_eq!(in_use(&[line.as_bytes().to_vec()]), port, "{line}");
        }
        let node: Vec<Vec<u8>> =
            ["Error: address already in use", "  code: 'EADDRINUSE',", "  port: 3000", "}"].map(|line| line.as_bytes().to_vec()).into();
        assert_eq!(in_use(&node), Some(3000));
    }

    #[test]
    fn the_holder_is_named_and_what_to_do() {
        let shown = |said, pid, ours| {
            let holder = Holder { pid, command: "node b.js".to_owned(), ours };
            let notice = Wanted { app: "a".to_owned(), port: 3000, said }.held_by(&holder);
            format!("{} / {}", notice.text, notice.hint.unwrap())
        };
        for (got, expected) in [
            (
                shown(true, Some(7), true),
                "a could not listen on port 3000, which pid 7 (node b.js) of this runner holds / give one of the two another port",
            ),
            (
                shown(true, Some(7), false),
                "a could not listen on port 3000, which pid 7 (node b.js), not of this runner, holds / \
                 stop it (kill 7), or give a another port",
            ),
            (
                shown(false, None, false),
                "a was told to use port 3000, which a process of another user holds / stop it, or give a another port",
            ),
        ] {
            assert_eq!(got, expected);
        }
    }
}
