//! The lines people type to the runner.

/// What a typed line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `rs`: restart everything.
    RestartAll,
    /// `r NAME`: restart one app.
    Restart(String),
    /// `l`: list the apps.
    List,
    /// `p`: pause watching, or go on with it.
    Pause,
    /// `c`: clear the screen.
    Clear,
    /// `h`: help.
    Help,
    /// `q`: stop everything and end.
    Quit,
    /// An empty line, which people type to see where new output begins.
    Blank,
    /// Anything else; the answer to it.
    Unknown(String),
}

/// What `h` answers, one line for each key.
pub const HELP: &str = "\
rs      restarts everything
r NAME  restarts one app
l       lists the apps
p       pauses watching, or goes on with it
c       clears the screen
h       shows this help
q       stops everything and ends
Each is followed by Enter.";

impl Key {
    /// Reads a line, with or without its end; spaces around it and the case of a key do not matter.
    pub fn parse(line: &str) -> Self {
        let line = line.trim();
        let (key, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (key.to_ascii_lowercase().as_str(), rest.trim()) {
            ("", _) => Self::Blank,
            ("rs", "") => Self::RestartAll,
            ("r", "") => Self::Unknown("r needs the name of an app: r NAME (rs restarts everything)".into()),
            ("r" | "rs", name) => Self::Restart(name.into()),
            ("l", "") => Self::List,
            ("p", "") => Self::Pause,
            ("c", "") => Self::Clear,
            ("h" | "?", "") => Self::Help,
            ("q", "") => Self::Quit,
            (_, _) => {
                let shown: String = line.chars().take(40).collect();
                let more = if shown.len() < line.len() { "…" } else { "" };
                Self::Unknown(format!("{shown}{more} is no key; h and Enter shows them all"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_with_stray_spaces_and_case() {
        for (line, key) in [
            ("rs", Key::RestartAll),
            (" RS \r\n", Key::RestartAll),
            ("r api", Key::Restart("api".into())),
            ("rs api", Key::Restart("api".into())),
            ("r   my app ", Key::Restart("my app".into())),
            ("l\n", Key::List),
            ("p", Key::Pause),
            ("c", Key::Clear),
            ("h", Key::Help),
            ("?", Key::Help),
            ("q", Key::Quit),
            ("", Key::Blank),
            ("  \n", Key::Blank),
        ] {
            assert_eq!(Key::parse(line), key, "{line:?}");
        }
    }

    #[test]
    fn anything_else_is_answered_with_the_way_to_the_help() {
        for line in ["x", "quit", "l api", "restart"] {
            assert_eq!(Key::parse(line), Key::Unknown(format!("{line} is no key; h and Enter shows them all")));
        }
        assert!(matches!(Key::parse("r"), Key::Unknown(answer) if answer.contains("r NAME")));
        assert!(matches!(Key::parse(&"ü".repeat(900)), Key::Unknown(answer) if answer.len() < 200 && answer.contains('…')));
    }

    #[test]
    fn the_help_names_every_key_and_no_other() {
        for line in HELP.lines().take_while(|line| !line.starts_with("Each")) {
            let key = line.split("  ").next().unwrap();
            assert!(!matches!(Key::parse(key), Key::Unknown(_) | Key::Blank), "{key}");
        }
    }
}
