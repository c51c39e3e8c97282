//! `#!` lines, execve(2): an interpreter and at most one argument, with env(1)'s name lookup and its `-S` on top.

use std::{fs::File, io::Read, path::Path};

/// How much of a first line the kernel reads (BINPRM_BUF_SIZE).
const READ: u64 = 256;

/// A `#!` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shebang {
    /// As written.
    pub line: String,
    /// The program and its arguments, `env` taken away; never empty.
    pub words: Vec<String>,
}

impl Shebang {
    /// The program's name without its folder.
    pub fn program(&self) -> String {
        let first = self.words.first().map(String::as_str).unwrap_or_default();
        first.rsplit('/').next().unwrap_or(first).to_owned()
    }
}

/// The `#!` line of a file, where it has one that says something.
pub fn read(script: &Path) -> Option<Shebang> {
    let mut start = Vec::new();
    File::open(script).ok()?.take(READ).read_to_end(&mut start).ok()?;
    parse(&String::from_utf8_lossy(&start))
}

fn parse(text: &str) -> Option<Shebang> {
    let line = text.lines().next()?.strip_prefix("#!")?.trim();
    let (program, rest) = line.split_once([' ', '\t']).map_or((line, ""), |(program, rest)| (program, rest.trim()));
    let words = if program.ends_with("/env") {
        let split = rest.strip_prefix("-S").or_else(|| rest.strip_prefix("--split-string="));
        // Without -S the kernel hands env one argument; people mean the words all the same.
        let words = shell_words::split(split.unwrap_or(rest)).ok()?;
        words.into_iter().skip_while(|word| word.starts_with('-') || word.contains('=')).collect()
    } else {
        [program, rest].into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    (!words.is_empty()).then(|| Shebang { line: format!("#!{line}"), words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_first_lines() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("#!/bin/sh\necho", Some(&["/bin/sh"])),
            ("#! /usr/bin/perl -w\n", Some(&["/usr/bin/perl", "-w"])),
            ("#!/usr/bin/awk -f -v x\n", Some(&["/usr/bin/awk", "-f -v x"])),
            ("#!/usr/bin/env node\r\n", Some(&["node"])),
            ("#!/usr/bin/env -S deno run --allow-net\n", Some(&["deno", "run", "--allow-net"])),
            ("#!/usr/bin/env -S FOO=1 python3 -u", Some(&["python3", "-u"])),
            ("#!", None),
            ("#!/usr/bin/env\n", None),
            ("// #!/bin/sh", None),
            ("", None),
        ];
        for (text, words) in cases {
            let read = parse(text).map(|shebang| shebang.words);
            assert_eq!(read.as_deref(), words.map(|w| w.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref(), "{text:?}");
        }
    }
}
