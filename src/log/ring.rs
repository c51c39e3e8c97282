//! The last lines of an instance, kept for those who look for a reason after it died, and for those who look at its log.

use std::collections::VecDeque;

use super::Stream;

/// Lines kept of each stream: one that says much leaves the other its own.
pub(super) const LINES: usize = 1000;

/// Bytes kept of each stream.
const BYTES: usize = 128 << 10;

/// Bytes kept of a line: its last ones.
pub(super) const LINE: usize = 4096;

/// A line that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its place among those of both streams.
    pub number: u64,
    /// When it came, in milliseconds since 1970.
    pub time: i64,
    /// The line without its end.
    pub line: Vec<u8>,
}

/// The last lines of both streams in the order they ended.
#[derive(Debug, Default)]
pub(super) struct Ring {
    shelves: [Shelf; 2],
    /// Numbers the lines of both.
    next: u64,
    /// The first line of the newest run.
    run: u64,
}

/// Those of one stream, their bytes one behind the other.
#[derive(Debug, Default)]
struct Shelf {
    lines: VecDeque<Place>,
    bytes: VecDeque<u8>,
    /// Bytes that have gone.
    gone: u64,
    /// Whether any line is kept no more.
    lost: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    time: i64,
    /// How many bytes came before it.
    start: u64,
    length: usize,
}

impl Ring {
    /// Takes the next whole lines of a stream, which came at this time, in milliseconds since 1970.
    pub(super) fn feed(&mut self, stream: Stream, lines: &[u8], time: i64) {
        let Self { shelves, next, .. } = self;
        let shelf = &mut shelves[stream as usize];
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        // Only lines that stay are looked at: of a fast stream that is one in many.
        let far = memchr::memrchr_iter(b'\n', lines).nth(LINES - 1).map_or(0, |newline| newline + 1);
        let large = lines.len().saturating_sub(BYTES);
        let skipped = if large > far { memchr::memchr(b'\n', &lines[large..]).map_or(far, |newline| large + newline + 1) } else { far };
        shelf.lost |= skipped > 0;
        for line in lines[skipped..].split(|&byte| byte == b'\n') {
            shelf.push(&line[line.len().saturating_sub(LINE)..], *next, time);
            *next += 1;
        }
    }

    /// The last lines of both streams in the newest run, oldest first, without line ends.
    pub(super) fn last(&self, lines: usize) -> Vec<Vec<u8>> {
        let mut all: Vec<Kept> = [Stream::Out, Stream::Err]
            .into_iter()
            .flat_map(|stream| self.kept(stream, lines))
            .filter(|kept| kept.number >= self.run)
            .collect();
        all.sort_unstable_by_key(|kept| kept.number);
        all.drain(..all.len().saturating_sub(lines));
        all.into_iter().map(|kept| kept.line).collect()
    }

    /// The last lines of one stream, in the same way.
    pub(super) fn last_of(&self, stream: Stream, lines: usize) -> Vec<Vec<u8>> {
        self.kept(stream, lines).filter(|kept| kept.number >= self.run).map(|kept| kept.line).collect()
    }

    /// The last lines of one stream over all runs, oldest first.
    pub(super) fn kept(&self, stream: Stream, lines: usize) -> impl Iterator<Item = Kept> {
        let shelf = &self.shelves[stream as usize];
        shelf.kept(shelf.lines.len().saturating_sub(lines))
    }

    /// The lines of one stream from this number on, oldest first.
    pub(super) fn since(&self, stream: Stream, number: u64) -> impl Iterator<Item = Kept> {
        let shelf = &self.shelves[stream as usize];
        shelf.kept(shelf.before(number))
    }

    /// How many lines of one stream are kept from this number on to before another.
    pub(super) fn count(&self, stream: Stream, from: u64, to: u64) -> usize {
        let shelf = &self.shelves[stream as usize];
        shelf.before(to).saturating_sub(shelf.before(from))
    }

    /// How many bytes these have.
    pub(super) fn bytes(&self, stream: Stream, from: u64, to: u64) -> usize {
        let shelf = &self.shelves[stream as usize];
        let start = |index| shelf.lines.get(index).map_or(shelf.gone + shelf.bytes.len() as u64, |place: &Place| place.start);
        let (from, to) = (shelf.before(from), shelf.before(to));
        usize::try_from(start(to.max(from)) - start(from)).expect("they are among the bytes that are kept")
    }

    /// The number of the first of the last lines of one stream, and how many they are.
    pub(super) fn last_lines(&self, stream: Stream, lines: usize) -> (u64, usize) {
        let places = &self.shelves[stream as usize].lines;
        let skipped = places.len().saturating_sub(lines);
        (places.get(skipped).map_or(self.next, |first| first.number), places.len() - skipped)
    }

    /// Whether there were lines of one stream that are kept no more.
    pub(super) fn has_lost(&self, stream: Stream) -> bool {
        self.shelves[stream as usize].lost
    }

    /// The number of the next line.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// A new run begins.
    pub(super) fn begin_run(&mut self) {
        self.run = self.next;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.shelves = Default::default();
    }
}

impl Shelf {
    fn push(&mut self, line: &[u8], number: u64, time: i64) {
        while self.lines.len() >= LINES || self.bytes.len() + line.len() > BYTES {
            let Some(first) = self.lines.pop_front() else { break };
            self.lost = true;
            self.bytes.drain(..first.length);
            self.gone += first.length as u64;
        }
        self.lines.push_back(Place { number, time, start: self.gone + self.bytes.len() as u64, length: line.len() });
        self.bytes.extend(line);
    }

    /// How many lines have a smaller number.
    fn before(&self, number: u64) -> usize {
        self.lines.partition_point(|place| place.number < number)
    }

    fn kept(&self, skipped: usize) -> impl Iterator<Item = Kept> {
        self.lines.range(skipped..).map(|place| {
            let at = usize::try_from(place.start - self.gone).expect("it is among the bytes that are kept");
            Kept { number: place.number, time: place.time, line: self.bytes.range(at..at + place.length).copied().collect() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_however_they_arrive() {
        let lines: Vec<String> = (0..3000).map(|number| format!("line {number}\n")).collect();
        let expected: Vec<Vec<u8>> = (2000..3000).map(|number| format!("line {number}").into_bytes()).collect();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            let mut ring = Ring::default();
            let mut rest = lines.as_slice();
            while !rest.is_empty() {
                let (some, after) = rest.split_at(random.usize(1..=rest.len()));
                ring.feed(Stream::Out, some.concat().as_bytes(), 0);
                rest = after;
            }
            assert_eq!(ring.last(usize::MAX), expected);
            assert_eq!(ring.last(2), expected[998..]);
        }
    }

    #[test]
    fn a_stream_that_says_much_leaves_the_other_its_lines() {
        let mut ring = Ring::default();
        ring.feed(Stream::Err, b"why\n", 1);
        for number in 0..5000 {
            ring.feed(Stream::Out, format!("{number}\n").as_bytes(), 2);
        }
        ring.feed(Stream::Err, b"\nlast\n", 3);
        assert_eq!(ring.last_of(Stream::Err, 20), [b"why".to_vec(), b"".to_vec(), b"last".to_vec()]);
        assert_eq!(ring.last_of(Stream::Out, 1), [b"4999".to_vec()]);
        assert_eq!(ring.last(3), [b"4999".to_vec(), b"".to_vec(), b"last".to_vec()]);
        assert!(ring.has_lost(Stream::Out) && !ring.has_lost(Stream::Err));
        assert_eq!(ring.last(usize::MAX).len(), LINES + 3);
        let kept: Vec<(u64, i64)> = ring.kept(Stream::Err, 9).map(|kept| (kept.number, kept.time)).collect();
        assert_eq!(kept, [(0, 1), (5001, 3), (5002, 3)]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_of_a_long_line_its_end_is() {
        let mut ring = Ring::default();
        let long = [vec![b'a'; 3 * LINE], b"the end\n".to_vec()].concat();
        for piece in [&long[..], &long.repeat(2), &long.repeat(40)] {
            ring.feed(Stream::Out, piece, 0);
            let kept = ring.last(usize::MAX);
            assert!(kept.iter().all(|line| line.len() == LINE && line.ends_with(b"the end")));
            assert!(kept.len() <= BYTES / LINE);
        }
        ring.feed(Stream::Out, b"short\n", 0);
        assert_eq!(ring.last(1), [b"short".to_vec()]);
        assert!(ring.shelves[0].bytes.len() <= BYTES);
    }

    #[test]
    fn a_new_run_leaves_the_lines_of_the_old_ones_to_those_who_look_at_the_log() {
        let mut ring = Ring::default();
        ring.feed(Stream::Out, b"old\n", 1);
        ring.begin_run();
        assert!(ring.last(9).is_empty() && ring.last_of(Stream::Out, 9).is_empty());
        ring.feed(Stream::Out, b"new\n", 2);
        assert_eq!(ring.last(9), [b"new".to_vec()]);
        assert_eq!(ring.kept(Stream::Out, 9).count(), 2);
        ring.clear();
        assert_eq!(ring.kept(Stream::Out, 9).count(), 0);
        assert!(ring.last(9).is_empty());
    }
}
