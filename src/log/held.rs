//! The last lines of an instance as they were at one instant, for somebody who takes them bit by bit: they stay where they are kept anyway, so
//! that who is slow costs nothing. Those that newer ones push out meanwhile are counted.

use std::fmt;

use super::{
    Stream,
    ring::{Kept, Ring},
};

/// Lines of one piece have up to this many bytes.
const PIECE: usize = 16 << 10;

/// Lets see where lines are kept, as long as that is there.
type Look = Box<dyn Fn(&mut dyn FnMut(&Ring)) + Send>;

/// Lines that were there at one instant, oldest first, of both streams in the order in which they came.
pub struct Held {
    ring: Look,
    spans: Vec<Span>,
    /// The number of the first line that came later.
    end: u64,
}

/// What is still to come of a stream.
#[derive(Debug)]
struct Span {
    stream: Stream,
    /// The number from which on.
    from: u64,
    lines: usize,
}

/// The next of them.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// So many have gone.
    Gone(u64),
    /// Lines of one stream that came at one time.
    Lines(Stream, Vec<Kept>),
}

impl Held {
    /// The last lines of these streams. `look`: lets see where they are kept, as long as that is there.
    pub(super) fn new(ring: &Ring, streams: &[Stream], lines: usize, look: impl Fn(&mut dyn FnMut(&Ring)) + Send + 'static) -> Self {
        let span = |stream: &Stream| {
            let (from, lines) = ring.last_lines(*stream, lines);
            Span { stream: *stream, from, lines }
        };
        Self { ring: Box::new(look), spans: streams.iter().map(span).collect(), end: ring.next() }
    }

    /// How many of a stream are still to come.
    pub fn lines(&self, stream: Stream) -> usize {
        self.spans.iter().filter(|span| span.stream == stream).map(|span| span.lines).sum()
    }

    /// Bytes of all that are still to come.
    pub fn bytes(&self) -> usize {
        let mut bytes = 0;
        (self.ring)(&mut |ring| {
            bytes = self.spans.iter().map(|span| ring.bytes(span.stream, span.from, self.end)).sum();
        });
        bytes
    }

    fn next_of(ring: &Ring, spans: &mut [Span], end: u64) -> Option<Piece> {
        let mut gone = 0;
        for span in &mut *spans {
            let there = ring.count(span.stream, span.from, end);
            gone += span.lines.saturating_sub(there) as u64;
            span.lines = there;
        }
        if gone > 0 {
            return Some(Piece::Gone(gone));
        }
        let first = |span: &Span| ring.since(span.stream, span.from).next().map(|kept| kept.number);
        let starts: Vec<Option<u64>> = spans.iter().map(|span| first(span).filter(|_| span.lines > 0)).collect();
        let (index, start) =
            starts.iter().enumerate().filter_map(|(index, start)| Some((index, (*start)?))).min_by_key(|(_, start)| *start)?;
        let until = starts.iter().flatten().copied().filter(|other| *other > start).min().unwrap_or(end).min(end);
        let span = &mut spans[index];
        let mut bytes = 0;
        let mut lines: Vec<Kept> = Vec::new();
        for kept in ring.since(span.stream, start).take_while(|kept| kept.number < until) {
            bytes += kept.line.len();
            if lines.first().is_some_and(|first| first.time != kept.time || bytes > PIECE) {
                break;
            }
            lines.push(kept);
        }
        span.lines -= lines.len();
        span.from = lines.last().map_or(end, |last| last.number + 1);
        Some(Piece::Lines(span.stream, lines))
    }
}

impl Iterator for Held {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let Self { ring, spans, end } = self;
        let mut next = None;
        let mut seen = false;
        ring(&mut |ring| {
            seen = true;
            next = Self::next_of(ring, spans, *end);
        });
        if !seen {
            // What the instance has said went with it.
            let gone = spans.drain(..).map(|span| span.lines as u64).sum();
            return (gone > 0).then_some(Piece::Gone(gone));
        }
        next
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("spans", &self.spans).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const BOTH: [Stream; 2] = [Stream::Out, Stream::Err];

    fn held(ring: &Arc<Mutex<Ring>>, lines: usize) -> Held {
        let weak = Arc::downgrade(ring);
        let look = move |see: &mut dyn FnMut(&Ring)| {
            if let Some(ring) = weak.upgrade() {
                see(&ring.lock().unwrap());
            }
        };
        Held::new(&ring.lock().unwrap(), &BOTH, lines, look)
    }

    fn shown(piece: &Piece) -> String {
        match piece {
            Piece::Gone(lines) => format!("{lines} gone"),
            Piece::Lines(stream, lines) => {
                let texts: Vec<_> = lines.iter().map(|kept| String::from_utf8_lossy(&kept.line).into_owned()).collect();
                format!("{stream:?} {}: {}", lines[0].time, texts.join(" "))
            }
        }
    }

    #[test]
    fn both_streams_come_in_their_order_and_nothing_that_was_said_later() {
        let ring = Arc::new(Mutex::new(Ring::default()));
        let feed = |stream, lines: &str, time| ring.lock().unwrap().feed(stream, lines.as_bytes(), time);
        feed(Stream::Out, "old\na\nb\n", 1);
        feed(Stream::Err, "c\n", 1);
        feed(Stream::Out, "d\n", 1);
        feed(Stream::Out, "e\n", 2);
        let mut all = held(&ring, 4);
        assert_eq!((all.lines(Stream::Out), all.lines(Stream::Err), all.bytes()), (4, 1, 5));
        let first = all.next().unwrap();
        feed(Stream::Out, "later\n", 2);
        let rest: Vec<String> = all.map(|piece| shown(&piece)).collect();
        assert_eq!(shown(&first), "Out 1: a b");
        assert_eq!(rest, ["Err 1: c", "Out 1: d", "Out 2: e"]);
    }

    #[test]
    fn what_goes_before_its_turn_is_counted_and_what_is_left_comes() {
        let ring = Arc::new(Mutex::new(Ring::default()));
        let feed = |lines: &str, time| ring.lock().unwrap().feed(Stream::Out, lines.as_bytes(), time);
        let many: String = (0..1000).map(|number| format!("{number}\n")).collect();
        feed(&many, 1);
        let mut slow = held(&ring, 1000);
        for number in 0..990 {
            feed(&format!("new {number}\n"), 2);
        }
        assert_eq!(slow.next().map(|piece| shown(&piece)), Some("990 gone".to_owned()));
        feed("one more\n", 3);
        assert_eq!(slow.next().map(|piece| shown(&piece)), Some("1 gone".to_owned()));
        let rest: Vec<String> = slow.map(|piece| shown(&piece)).collect();
        assert_eq!(rest, ["Out 1: 991 992 993 994 995 996 997 998 999"]);
        let mut forgotten = held(&ring, 5);
        drop(ring);
        assert_eq!((forgotten.next(), forgotten.next()), (Some(Piece::Gone(5)), None));
    }
}
