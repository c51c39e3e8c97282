//! The text of a file, and places in it. What is no text, or more than anybody writes, is refused before a parser sees it.

use std::{cell::Cell, fs::File, io::Read as _, iter, ops::Range, path::Path};

use super::Format;
use crate::config::{node::Place, problem::Problem};

/// The longest project file, in bytes; a file with 200 apps has a tenth of it.
const LONGEST: u64 = 1 << 20;

/// Why a file cannot be read, and its text where the place of the problem can be shown.
type Refusal = (Box<Problem>, Option<String>);

/// The text of a project file, without a byte order mark.
pub fn read(file: &Path, format: Format) -> Result<String, Refusal> {
    let refuse = |message: &str| (Box::new(Problem::error(file, Place::Unknown, message)), None);
    let unreadable = |error: std::io::Error| refuse(&format!("it cannot be read: {}", reason(&error)));
    let kind = file.metadata().map_err(unreadable)?;
    if kind.is_dir() {
        return Err(refuse("it is a folder, where a file is needed"));
    }
    // A pipe might never end, and a device has no end.
    if !kind.is_file() {
        return Err(refuse("it is neither a file nor a link to one"));
    }
    let mut bytes = Vec::new();
    File::open(file).and_then(|open| open.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(refuse("it is longer than 1 MiB, which no project file needs; is it another file?"));
    }
    decode(bytes, file, format)
}

fn decode(bytes: Vec<u8>, file: &Path, format: Format) -> Result<String, Refusal> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let problem = Problem::error(file, Place::Unknown, "it is UTF-16 text; save it as UTF-8");
        return Err((Box::new(problem), None));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let place = Lines::new(&valid).place(valid.len()..valid.len());
        (Box::new(Problem::error(file, place, "a byte here is no UTF-8 text; save it as UTF-8")), Some(valid))
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if let Some(at) = text.find('\0') {
        let place = Lines::new(&text).place(at..at + 1);
        return Err((Box::new(Problem::error(file, place, "a NUL byte stands here, so it is no text file")), Some(text)));
    }
    if text.trim().is_empty() {
        return Err((Box::new(Problem::error(file, Place::Unknown, "it is empty").example(format.example())), None));
    }
    Ok(text)
}

/// `No such file or directory`, without the number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// From offsets in bytes to lines and columns.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    /// Where each line begins.
    begins: Vec<usize>,
    /// The last start that was asked for, and its column from 0: a file may be one long line, and places are asked for in its order.
    last: Cell<(usize, usize)>,
}

impl<'a> Lines<'a> {
    /// The lines of a text.
    pub fn new(text: &'a str) -> Self {
        let begins = iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Self { text, begins, last: Cell::new((0, 0)) }
    }

    /// A line, counted from 1, without its end; empty where there is none.
    pub fn line(&self, number: usize) -> &'a str {
        let begin = number.checked_sub(1).and_then(|above| self.begins.get(above)).copied().unwrap_or(self.text.len());
        self.text[begin..].lines().next().unwrap_or_default()
    }

    /// The place of a range of bytes. Bounds beyond the text or inside a character are moved back to where a character begins.
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = self.boundary(range.start);
        let end = self.boundary(range.end).max(start);
        let line = self.begins.partition_point(|begin| *begin <= start) - 1;
        let (from, columns) = match self.last.get() {
            (last, columns) if (self.begins[line]..=start).contains(&last) => (last, columns),
            _ => (self.begins[line], 0),
        };
        let column = columns + self.text[from..start].chars().count();
        self.last.set((start, column));
        let len = self.text[start..end].split(['\r', '\n']).next().unwrap_or_default().chars().count();
        place(line, column, len)
    }

    fn boundary(&self, at: usize) -> usize {
        (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
    }
}

/// A place from counts that begin at 0.
pub fn place(line: usize, column: usize, len: usize) -> Place {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place::At { line: number(line + 1), column: number(column + 1), len: number(len) }
}
