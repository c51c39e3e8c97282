//! Whether the channel over which Node programs send and receive messages reaches the program of a launch.

use std::path::Path;

use crate::model::Launch;

use super::{interpreter::shebang, place};

/// What takes the channel of the process it is given to, and knows its messages.
const SPEAKERS: [&str; 2] = ["node", "bun"];

/// What executes something else in its own place, or hands on the channel it does not know; tsx hands on the messages.
const PASSERS: [&str; 9] = ["sh", "bash", "dash", "zsh", "env", "nice", "stdbuf", "time", "tsx"];

/// Node programs that keep the channel from the one they start.
const KEEPERS: [&str; 7] = ["npm", "npx", "yarn", "pnpm", "bunx", "nodemon", "--watch"];

/// Who has the channel that a launch is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// The program itself, which is Node's.
    Held,
    /// Probably a Node program behind a shell or the like.
    PassedOn,
    /// This program, which does nothing with it or keeps it to itself.
    Lost(String),
}

/// Who has it.
pub fn channel(launch: &Launch) -> Channel {
    let words: Vec<String> = launch.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let first = words.first().map(|word| base(word)).unwrap_or_default();
    if PASSERS.contains(&first) {
        let kept = words[1..].iter().flat_map(|word| word.split_whitespace()).map(base).find(|word| KEEPERS.contains(word));
        return kept.map_or(Channel::PassedOn, |keeper| Channel::Lost(keeper.to_owned()));
    }
    let script = words.first().filter(|word| word.contains('/')).map(|word| place::absolute(&launch.cwd, Path::new(word)));
    let speaker = match script.and_then(|script| shebang::read(&script)).map(|line| line.program()) {
        // Of npm, which is a script for node, what counts is what it does.
        Some(program) if !KEEPERS.contains(&first) => SPEAKERS.contains(&program.as_str()),
        Some(_) | None => SPEAKERS.contains(&first),
    };
    match words[1..].iter().take_while(|word| word.starts_with('-')).find(|word| KEEPERS.contains(&word.as_str())) {
        Some(keeper) if speaker => Channel::Lost(format!("{first} {keeper}")),
        Some(_) | None if speaker => Channel::Held,
        Some(_) | None => Channel::Lost(first.to_owned()),
    }
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hardening;

    #[test]
    fn who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("serve"), "#!/usr/bin/env node\n").unwrap();
        let of = |line: &str| {
            let argv = shell_words::split(line).unwrap().into_iter().map(Into::into).collect();
            channel(&Launch { argv, cwd: folder.path().to_owned(), env: Vec::new(), hardening: Hardening::default() })
        };
        for line in ["node server.js", "/usr/bin/node --enable-source-maps a.js", "bun a.ts", "./serve"] {
            assert_eq!(of(line), Channel::Held, "{line}");
        }
        for line in ["sh -c 'X=1 node a.js'", "env -u X node a.js", "nice -n 5 node a.js", "node_modules/.bin/tsx a.ts"] {
            assert_eq!(of(line), Channel::PassedOn, "{line}");
        }
        for (line, keeper) in [
            ("npm start", "npm"),
            ("sh -c 'cd x && npm start'", "npm"),
            ("node --watch a.js", "node --watch"),
            ("python3 a.py", "python3"),
            ("./missing", "missing"),
        ] {
            assert_eq!(of(line), Channel::Lost(keeper.to_owned()), "{line}");
        }
        assert_eq!(of("node a.js --watch"), Channel::Held, "what follows the script is the script's");
    }
}
