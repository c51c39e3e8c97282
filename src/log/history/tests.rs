use std::{fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};

use super::*;

const STAMPS: [&str; 3] = ["20260101T000000.001Z", "20260101T000000.002Z", "20260101T000000.003Z"];

/// Numbered lines of all lengths.
fn text(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers.flat_map(|number| format!("{number} {}\n", "x".repeat(number * 7919 % 300)).into_bytes()).collect()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The numbers of the lines, as they are read.
fn numbers(path: &Path, until: Option<&Position>) -> Vec<usize> {
    let mut lines = Lines::of(path, until).unwrap();
    std::iter::from_fn(|| lines.line().unwrap())
        .map(|line| {
            let line = String::from_utf8(line).unwrap();
            let (number, rest) = line.split_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            assert_eq!(rest.len(), number * 7919 % 300, "it is whole");
            number
        })
        .collect()
}

#[test]
fn lines_come_backwards_over_all_files_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let put = |stamp: &str, ending: &str, bytes: &[u8]| fs::write(folder.path().join(format!("a.log.{stamp}{ending}")), bytes).unwrap();
    assert!(numbers(&path, None).is_empty(), "there is none");
    put(STAMPS[0], ".gz", &packed(&text(0..1000)));
    put(STAMPS[1], "", &text(1000..2500));
    // Both are there while the one is made of the other.
    put(STAMPS[2], "", &text(2500..2600));
    put(STAMPS[2], ".gz", &packed(&text(2500..2600)));
    put(STAMPS[2], ".gz.tmp", b"half");
    fs::write(folder.path().join("a.log.1"), "another's\n").unwrap();
    assert_eq!(numbers(&path, None), (0..2600).rev().collect::<Vec<_>>());
    fs::write(&path, text(2600..4000)).unwrap();
    assert_eq!(numbers(&path, None), (0..4000).rev().collect::<Vec<_>>());
    fs::write(&path, [&text(2600..4000)[..], b"4000 "].concat()).unwrap();
    let mut lines = Lines::of(&path, None).unwrap();
    assert_eq!(lines.line().unwrap().unwrap(), b"4000 ", "half a line is one");
}

#[test]
fn what_was_written_after_a_moment_is_not_read_wherever_it_is_by_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let away = |stamp: &str, ending: &str| folder.path().join(format!("a.log.{stamp}{ending}"));
    fs::write(away(STAMPS[0], ""), text(0..10)).unwrap();
    fs::write(&path, text(10..20)).unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
    let until = Position { put_away: Some(STAMPS[0].into()), inode, length: text(10..15).len() as u64 };
    let expected: Vec<usize> = (0..15).rev().collect();
    assert_eq!(numbers(&path, Some(&until)), expected);
    fs::rename(&path, away(STAMPS[1], "")).unwrap();
    fs::write(&path, text(20..30)).unwrap();
    assert_eq!(numbers(&path, Some(&until)), expected, "it was put away");
    fs::write(away(STAMPS[1], ".gz"), packed(&text(10..20))).unwrap();
    fs::remove_file(away(STAMPS[1], "")).unwrap();
    fs::rename(&path, away(STAMPS[2], "")).unwrap();
    assert_eq!(numbers(&path, Some(&until)), expected, "it was compressed, and another one put away");
    let first = Position { put_away: None, inode: 0, length: 0 };
    assert!(numbers(&folder.path().join("b.log"), Some(&first)).is_empty(), "there was none");
    let other = Position { put_away: Some(STAMPS[2].into()), inode: 1, length: 9 };
    assert_eq!(numbers(&path, Some(&other)).first(), Some(&29), "somebody else has taken it away");
}

#[test]
fn long_lines_and_empty_ones_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let long = vec![b'y'; 300_000];
    fs::write(&path, [b"\n\n", &long[..], b"\n\nend\n"].concat()).unwrap();
    let mut lines = Lines::of(&path, None).unwrap();
    let all: Vec<Vec<u8>> = std::iter::from_fn(|| lines.line().unwrap()).collect();
    assert_eq!(all, [b"end".to_vec(), Vec::new(), long, Vec::new(), Vec::new()]);
    assert!(lines.written() > 0);
}
