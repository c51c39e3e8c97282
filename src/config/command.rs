//! Command lines: which of them need a shell, and what an app made from one is called.

use std::path::Path;

/// A command line, taken apart as far as it can be without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Words that can be executed as they are.
    Simple(Vec<String>),
    /// Shell syntax, for `sh -c`.
    Shell(String),
}

/// Words that mean something to a shell alone, as the first of a line.
const SHELL_WORDS: &[&str] = &[
    "!", ".", ":", "alias", "case", "cd", "command", "eval", "exec", "export", "for", "if", "set", "source", "trap", "type", "ulimit",
    "umask", "unset", "until", "wait", "while", "{",
];

/// Programs that run something else, whose own name says little.
const RUNNERS: &[&str] = &[
    "bash",
    "bun",
    "bunx",
    "bundle",
    "cargo",
    "cross-env",
    "deno",
    "dotenv",
    "dotnet",
    "env",
    "exec",
    "go",
    "java",
    "just",
    "make",
    "mix",
    "nice",
    "node",
    "npm",
    "npx",
    "perl",
    "php",
    "pipenv",
    "pnpm",
    "poetry",
    "python",
    "python3",
    "rake",
    "ruby",
    "sh",
    "stdbuf",
    "sudo",
    "task",
    "time",
    "tsx",
    "uv",
    "yarn",
];

/// What such programs are told to do, where it says little either.
const VERBS: &[&str] = &["dlx", "exec", "run", "run-script", "task", "x"];

/// Takes a command line apart. The error is a clause that says what is wrong with its quotes.
pub fn parse(line: &str) -> Result<Command, String> {
    let words = shell_words::split(line).map_err(|_| "a quote is not closed".to_owned())?;
    let first = words.first().ok_or("it is empty")?;
    let shell = has_shell_syntax(line) || assigns(first) || SHELL_WORDS.contains(&first.as_str());
    Ok(if shell { Command::Shell(line.to_owned()) } else { Command::Simple(words) })
}

/// The name of an app that runs this command line: its first meaningful word, so `npm run dev` is `dev`, `cd api && node server.js` is `server`.
pub fn name(line: &str) -> Option<String> {
    let parts = line.split(['&', '|', ';', '\n']);
    parts.filter_map(|part| shell_words::split(part).ok()).find_map(|words| name_of(&words))
}

fn name_of(words: &[String]) -> Option<String> {
    let mut last = None;
    for word in words.iter().filter(|word| !word.starts_with('-') && !assigns(word)) {
        let stem = Path::new(word).file_stem()?.to_str()?;
        match (last, stem) {
            (None, "cd" | "export" | "set" | "source" | "." | "ulimit" | "umask") => return None,
            (Some(_), verb) if VERBS.contains(&verb) => {}
            (_, runner) if RUNNERS.contains(&runner) => last = Some(stem),
            _ => return Some(stem.to_owned()),
        }
    }
    last.map(str::to_owned)
}

fn assigns(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a line has anything but words and quotes in it (POSIX shell, 2.2 Quoting): operators, globs and comments outside quotes,
/// expansions outside single quotes.
fn has_shell_syntax(line: &str) -> bool {
    let mut quote = None;
    let mut word_start = true;
    let mut chars = line.trim_end().chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                chars.next();
            }
            (_, '$' | '`') => return true,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '\n') => return true,
            (None, '#' | '~') if word_start => return true,
            (None, _) => {}
        }
        word_start = quote.is_none() && c.is_whitespace();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_commands_are_words() {
        let cases = [
            ("npm run dev", vec!["npm", "run", "dev"]),
            ("  serve  'a b'  ", vec!["serve", "a b"]),
            (r#"node -e "console.log('*')""#, vec!["node", "-e", "console.log('*')"]),
            (r"grep a\*b", vec!["grep", "a*b"]),
            ("curl 'http://x/?a=1&b=$c'", vec!["curl", "http://x/?a=1&b=$c"]),
            ("rsync a#b x~", vec!["rsync", "a#b", "x~"]),
            ("tool {} --set a=b", vec!["tool", "{}", "--set", "a=b"]),
        ];
        for (line, words) in cases {
            assert_eq!(parse(line), Ok(Command::Simple(words.into_iter().map(str::to_owned).collect())), "{line}");
        }
    }

    #[test]
    fn shell_syntax_goes_to_a_shell() {
        let lines = [
            "a | b",
            "a && b",
            "a; b",
            "a &",
            "a > out",
            "a < in",
            "(a)",
            "ls *.js",
            "ls a?",
            "ls [ab]",
            "echo $HOME",
            "echo \"$HOME\"",
            "echo `date`",
            "PORT=3 node app.js",
            "cd api",
            "exec node app.js",
            "a # comment",
            "ls ~/x",
            "! a",
            "a\nb",
        ];
        for line in lines {
            assert_eq!(parse(line), Ok(Command::Shell(line.to_owned())), "{line}");
        }
    }

    #[test]
    fn broken_lines_say_why() {
        assert_eq!(parse("echo 'a").unwrap_err(), "a quote is not closed");
        assert_eq!(parse("  ").unwrap_err(), "it is empty");
    }

    #[test]
    fn names_come_from_the_first_meaningful_word() {
        let cases = [
            ("npm run dev", "dev"),
            ("npm start", "start"),
            ("pnpm --filter api run dev", "api"),
            ("node --inspect src/app.js", "app"),
            ("python -m uvicorn main:app", "uvicorn"),
            ("poetry run python manage.py runserver", "manage"),
            ("PORT=3 NODE_ENV=x node server.js", "server"),
            ("cd api && npm run watch", "watch"),
            ("cargo run", "cargo"),
            ("cargo run -p api", "api"),
            ("make", "make"),
            ("./bin/serve --port 3", "serve"),
            ("vite", "vite"),
            ("a | b", "a"),
        ];
        for (line, expected) in cases {
            assert_eq!(name(line).as_deref(), Some(expected), "{line}");
        }
    }
}
