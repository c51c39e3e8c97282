//! Bytes that nobody wrote: whatever they are, they are read or refused, and everything that is refused has a place in the file.

use super::*;
use crate::config::{
    node::Place,
    problem::Problems,
    source::{Parsed, json, package, procfile, text, toml, yaml},
};

const JSON: &str =
    "{ // c\n 'apps': [{ name: \"a\\u00e4\", n: [1, -2.5e3, 0x1F, true, null, 'it''s'], env: { A: 'ü', \"B\": .5 } /* d */ }, [[{}]]], }";
const YAML: &str = "%YAML 1.2\n---\nbase: &b {x: 1, y: [a, 'b', \"c\\n\"]}\napps:\n  - <<: *b\n    s: |+2\n      text\n    t: >-\n      x\n  - !!str 5\n  - ? q\n    : r\n# c\n...\n";
const TOML: &str = "a = 1 # c\n[[apps]]\nname = \"x\\u00e4\"\nw = ['a', 1.5, 0x1F, 2024-01-01T00:00:00Z, true]\nenv.A = '''x\ny'''\n[apps.env]\nB = { c = \"\"\"d\"\"\", e.f = inf }\n";
const PROCFILE: &str = "# c\nweb: node web.js\nworker_1: a:b $X\n";

type Parse = fn(&Path, &str) -> Parsed;

/// Half of the cases are a sound file that was cut, doubled, and sprinkled; the others are bytes, most of them with a meaning somewhere.
fn case(random: &mut fastrand::Rng, sound: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"{}[]:,'\"\\#&*!|>-?%@` \n\t\r=.0123456789aeflnrstux<~+_/\xc3\xa4\xf0\x00";
    let mut bytes = if random.bool() { sound.as_bytes().to_vec() } else { Vec::new() };
    let count = random.usize(1..if bytes.is_empty() { 40 } else { 6 });
    for _ in 0..count {
        let at = random.usize(..=bytes.len());
        match random.u8(..10) {
            0 if !bytes.is_empty() => bytes.truncate(at),
            1 if !bytes.is_empty() => {
                let end = (at + random.usize(..20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            2 if !bytes.is_empty() => {
                let end = (at + random.usize(..10)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => bytes.insert(at, random.u8(..)),
            _ => bytes.insert(at, SIGNS[random.usize(..SIGNS.len())]),
        }
    }
    bytes
}

#[test]
fn no_bytes_break_a_parser() {
    let formats: [(Format, &str, Parse); 5] = [
        (Format::Json, JSON, json::parse),
        (Format::Yaml, YAML, yaml::parse),
        (Format::Toml, TOML, toml::parse),
        (Format::Procfile, PROCFILE, procfile::parse),
        (Format::Package, JSON, package::parse),
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let file = Path::new("/p/file");
    for (format, sound, parse) in formats {
        let (mut read, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let bytes = case(&mut random, sound);
            let Ok(text) = text::decode(bytes, file, format) else { continue };
            match std::panic::catch_unwind(|| parse(file, &text)) {
                Err(_) => panic!("{format:?} panics at {text:?}"),
                Ok(Ok((root, _))) => {
                    read += 1;
                    assert!(inside(&text, root.place), "{:?} in {text:?}", root.place);
                }
                Ok(Err(problems)) => {
                    refused += 1;
                    check(&problems, &text);
                }
            }
        }
        assert!(refused > 1_000, "{format:?}: {read} read, {refused} refused");
        assert!(read > 100 || format == Format::Package, "{format:?}: {read} read, {refused} refused");
    }
}

fn check(problems: &Problems, text: &str) {
    assert!(problems.has_error());
    for problem in &problems.0 {
        assert!(inside(text, problem.place), "{problem:?} in {text:?}");
    }
    assert!(problems.render(Some(text), Path::new("/")).starts_with("p/file"));
}

/// Whether a place lies in a text, or right behind a line of it.
fn inside(text: &str, place: Place) -> bool {
    let Place::At { line, column, len } = place else { return true };
    let lines: Vec<&str> = text.split('\n').collect();
    let found = (line as usize).checked_sub(1).and_then(|above| lines.get(above));
    found.is_some_and(|line| column >= 1 && (column + len) as usize <= line.chars().count() + 2)
}
