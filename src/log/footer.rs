//! Lines that stay below everything: taken away before what is written next, and put back after it.
//!
//! They are drawn with the cursor left above them, at the start of an empty line. So they are taken away by erasing what is below the
//! cursor, whatever became of them meanwhile: the terminal may have another width, and what is typed is echoed on the empty line.

use std::collections::VecDeque;

use super::queue::Chunk;

/// To the start of the line, and everything from there on erased (ECMA-48, 8.3.39: ED).
const ERASE: &[u8] = b"\r\x1b[J";

/// The footer that is to be seen, and the one that is.
#[derive(Debug, Default)]
pub(super) struct Footer {
    /// What draws it; empty: nothing.
    wanted: Vec<u8>,
    drawn: Vec<u8>,
}

impl Footer {
    /// Another footer from now on: these lines, without line ends, each no wider than the terminal.
    pub fn set(&mut self, lines: &[String]) {
        self.wanted.clear();
        for line in lines {
            self.wanted.extend_from_slice(b"\r\n");
            self.wanted.extend_from_slice(line.as_bytes());
        }
        if !lines.is_empty() {
            self.wanted.extend_from_slice(format!("\r\x1b[{}A", lines.len()).as_bytes());
        }
    }

    /// Whether it is to be drawn, or taken away. `at_start`: the cursor is at the start of a line; elsewhere there is no place for it.
    pub fn is_due(&self, at_start: bool) -> bool {
        self.target(at_start) != self.drawn
    }

    /// Whether nothing of it is to be seen.
    pub fn is_gone(&self) -> bool {
        self.drawn.is_empty()
    }

    /// Puts what takes it away before what is written next, and what draws it behind. `at_start`: where the cursor is then.
    pub fn around(&mut self, batch: &mut VecDeque<Chunk>, at_start: bool) {
        if !self.drawn.is_empty() {
            batch.push_front(Chunk::free(ERASE));
        }
        self.drawn = self.target(at_start).to_vec();
        if !self.drawn.is_empty() {
            batch.push_back(Chunk::free(&self.drawn));
        }
    }

    fn target(&self, at_start: bool) -> &[u8] {
        if at_start { &self.wanted } else { &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(footer: &mut Footer, text: &str, at_start: bool) -> String {
        let mut batch: VecDeque<Chunk> = (!text.is_empty()).then(|| Chunk::free(text.as_bytes())).into_iter().collect();
        footer.around(&mut batch, at_start);
        batch.iter().map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned()).collect()
    }

    #[test]
    fn it_is_taken_away_before_and_put_back_after() {
        let mut footer = Footer::default();
        assert!(!footer.is_due(true));
        footer.set(&["one".into(), "two".into()]);
        assert!(footer.is_due(true) && !footer.is_due(false));
        assert_eq!(written(&mut footer, "a\n", true), "a\n\r\none\r\ntwo\r\x1b[2A");
        assert!(!footer.is_due(true) && !footer.is_gone());
        assert_eq!(written(&mut footer, "b\n", true), "\r\x1b[Jb\n\r\none\r\ntwo\r\x1b[2A");
        footer.set(&[]);
        assert!(footer.is_due(true));
        assert_eq!(written(&mut footer, "", true), "\r\x1b[J");
        assert!(!footer.is_due(true) && footer.is_gone());
    }

    #[test]
    fn behind_an_unfinished_line_it_has_no_place() {
        let mut footer = Footer::default();
        footer.set(&["one".into()]);
        assert_eq!(written(&mut footer, "", true), "\r\none\r\x1b[1A");
        assert_eq!(written(&mut footer, "half", false), "\r\x1b[Jhalf");
        assert!(!footer.is_due(false) && footer.is_due(true));
        assert_eq!(written(&mut footer, " whole\n", true), " whole\n\r\none\r\x1b[1A");
    }
}
