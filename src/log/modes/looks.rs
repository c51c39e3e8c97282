//! How what is written next looks (SGR).

use std::{collections::BTreeMap, fmt::Write as _};

use super::place::number;

/// What is not as usual: for each kind of looks the parameters that have set it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Looks(BTreeMap<u16, String>);

impl Looks {
    /// Takes the parameters of a sequence.
    pub fn change(&mut self, parameters: &[u8]) {
        let mut parts = parameters.split(|byte| *byte == b';');
        while let Some(part) = parts.next() {
            let code = number(part);
            let mut text = String::from_utf8_lossy(part).into_owned();
            if matches!(code, 38 | 48 | 58) && !part.contains(&b':') {
                // A colour: 5 and its number, or 2 and its three parts.
                let Some(how) = parts.next() else { return };
                let more = if number(how) == 2 { 3 } else { 1 };
                for part in std::iter::once(how).chain(parts.by_ref().take(more)) {
                    let _ = write!(text, ";{}", String::from_utf8_lossy(part));
                }
            }
            match (code, text.as_str()) {
                (0, _) => self.0.clear(),
                (22, _) => self.0.retain(|kind, _| ![1, 2].contains(kind)),
                (_, "4:0") => self.unset(4),
                (4 | 21, _) => self.set(4, text),
                (30..=38 | 90..=97, _) => self.set(39, text),
                (40..=48 | 100..=107, _) => self.set(49, text),
                (58, _) => self.set(59, text),
                (39 | 49 | 59, _) => self.unset(code),
                (1..=9 | 53, _) => self.set(code, text),
                (23..=29, _) => self.unset(code - 20),
                (55, _) => self.unset(53),
                _ => {}
            }
        }
    }

    fn set(&mut self, kind: u16, text: String) {
        self.0.insert(kind, text);
    }

    fn unset(&mut self, kind: u16) {
        self.0.remove(&kind);
    }

    /// What has a usual terminal write so.
    pub fn enter(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let all: Vec<&str> = self.0.values().map(String::as_str).collect();
        format!("\x1b[{}m", all.join(";"))
    }
}
