//! Command lines: which of them need a shell, and what an app made from one is called.

use std::path::Path;

use crate::model::Launch;

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
    "dash",
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
    "zsh",
];

/// Those of them that take a command line with `-c`.
const SHELLS: &[&str] = &["bash", "dash", "sh", "zsh"];

/// Commands that prepare or end something.
const SAYS_LITTLE: &[&str] = &["echo", "false", "kill", "mkdir", "printf", "rm", "sleep", "test", "trap", "true", "wait", "["];

/// What such programs are told to do, where it says little either.
const VERBS: &[&str] = &["dlx", "exec", "run", "run-script", "task", "x"];

/// Takes a command line apart. The error is a clause that says what is wrong with its quotes.
pub fn parse(line: &str) -> Result<Command, String> {
    let words = shell_words::split(line).map_err(|_| "a quote is not closed".to_owned())?;
    let first = words.first().ok_or("it is empty")?;
    let shell = has_shell_syntax(line) || assigns(first) || SHELL_WORDS.contains(&first.as_str());
    Ok(if shell { Command::Shell(line.to_owned()) } else { Command::Simple(words) })
}

/// What runs a command line in the folder and with the variables of an app: its hooks, probes and rules.
pub fn launch(line: &str, like: &Launch) -> Launch {
    let argv = match parse(line) {
        Ok(Command::Simple(words)) => words.into_iter().map(Into::into).collect(),
        // The shell tells best what is wrong with it.
        Ok(Command::Shell(_)) | Err(_) => vec!["sh".into(), "-c".into(), line.into()],
    };
    Launch { argv, hardening: like.hardening.of_tools(), ..like.clone() }
}

/// The name of an app that runs this command line: its first meaningful word, so `npm run dev` is `dev`, `cd api && node server.js` is
/// `server` and `sh -c 'sleep 1; ./serve'` is `serve`. Where there is none, the first program: `sleep`.
pub fn name(line: &str) -> Option<String> {
    let commands: Vec<_> = commands(line).into_iter().filter_map(|part| shell_words::split(part).ok()).collect();
    let meaningful = commands.iter().filter(|words| words.first().is_none_or(|first| !SAYS_LITTLE.contains(&first.as_str())));
    meaningful.chain(&commands).find_map(|words| name_of(words))
}

/// The simple commands of a line: what stands between operators outside of quotes.
fn commands(line: &str) -> Vec<&str> {
    let mut quote = None;
    let mut escaped = false;
    line.split(|c: char| {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '&' | '|' | ';' | '\n') => return true,
            (_, _) => {}
        }
        false
    })
    .collect()
}

fn name_of(words: &[String]) -> Option<String> {
    let mut last: Option<&str> = None;
    for (at, word) in words.iter().enumerate().filter(|(_, word)| !assigns(word)) {
        match last.filter(|program| takes_code(program, word)) {
            Some(program) if SHELLS.contains(&program) => return words.get(at + 1).and_then(|code| name(code)).or(last.map(str::to_owned)),
            // A program in another language has no name.
            Some(program) => return Some(program.to_owned()),
            None if word.starts_with('-') || last.is_some() && VERBS.contains(&word.as_str()) => continue,
            None => {}
        }
        let stem = Path::new(word).file_stem()?.to_str()?;
        match (last, stem) {
            (None, "cd" | "export" | "set" | "source" | "." | "ulimit" | "umask" | "exit") => return None,
            (_, runner) if RUNNERS.contains(&runner) => last = Some(stem),
            _ => return Some(stem.to_owned()),
        }
    }
    last.map(str::to_owned)
}

/// Whether what follows this option is the text of a program.
fn takes_code(program: &str, option: &str) -> bool {
    match program {
        shell if SHELLS.contains(&shell) => option.starts_with('-') && !option.starts_with("--") && option.ends_with('c'),
        "node" | "bun" | "tsx" => ["-e", "-p", "-pe", "--eval", "--print"].contains(&option),
        "python" | "python3" => option == "-c",
        "perl" | "ruby" => option == "-e",
        "php" => option == "-r",
        _ => false,
    }
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
            ("sh -c 'exit 3'", "sh"),
            ("sh -c 'cd api && node server.js'", "server"),
            ("bash -lc \"sleep 1; ./serve --x\"", "serve"),
            ("sh -c 'sleep 5'", "sleep"),
            ("sleep 5 && npm run dev", "dev"),
            ("sh -c 'kill -SEGV $$'", "kill"),
            ("grep 'a;b' x", "grep"),
            ("node -e 'setInterval(f, 9)'", "node"),
            ("python3 -c \"import time; time.sleep(9)\"", "python3"),
            ("sh run.sh", "run"),
        ];
        for (line, expected) in cases {
            assert_eq!(name(line).as_deref(), Some(expected), "{line}");
        }
    }
}
