use super::*;
use crate::control::LogSource;

fn next(feed: &Feed) -> Poll<Option<Reply>> {
    feed.next(&mut Context::from_waker(Waker::noop()))
}

/// What comes, to where it is waited for more.
fn all(feed: &Feed) -> Vec<Reply> {
    std::iter::from_fn(|| match next(feed) {
        Poll::Ready(reply) => reply,
        Poll::Pending => None,
    })
    .collect()
}

fn source(id: usize, name: &str) -> Reply {
    let (name, files) = (name.to_owned(), Vec::new());
    Reply::Source(LogSource { id, name, instance: 0, instances: 1, json: false, time: None, files })
}

fn notice(text: String) -> Reply {
    Reply::Notice { time: 0, level: "info".to_owned(), app: None, text, hint: None }
}

#[test]
fn lines_of_one_stream_and_moment_are_one_reply() {
    let feed = Feeds::default().feed(true);
    for (id, stream, time) in [(0, Stream::Out, 1), (0, Stream::Out, 1), (0, Stream::Err, 1), (1, Stream::Err, 1), (1, Stream::Err, 2)] {
        assert!(feed.lines(id, stream, time, b"a\n\nb\xff\n"));
    }
    let counts: Vec<usize> = all(&feed)
        .into_iter()
        .map(|reply| match reply {
            Reply::Lines { lines, .. } => {
                assert_eq!(lines[..3], ["a", "", "b\u{fffd}"]);
                lines.len()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, [6, 3, 3, 3]);
}

#[test]
fn every_line_comes_or_is_counted_the_last_one_comes_and_what_waits_is_bounded() {
    let feeds = Feeds::default();
    let feed = feeds.feed(true);
    let (mut said, mut came, mut left, mut told, mut newest) = (0_usize, 0_u64, 0_u64, 0, String::new());
    let mut random = fastrand::Rng::with_seed(3);
    let mut take = |reply: Reply, newest: &mut String| match reply {
        Reply::Lines { lines, .. } => {
            came += lines.len() as u64;
            newest.clone_from(lines.last().expect("no reply is empty"));
        }
        Reply::LeftOut { lines } => (left, told) = (left + lines, told + 1),
        other => panic!("{other:?}"),
    };
    for _ in 0..200 {
        for _ in 0..random.usize(..400) {
            // Also of many streams in turn, and very short ones: what they cost besides their bytes counts.
            let (id, count) = if random.bool() { (random.usize(..9), 1) } else { (0, random.usize(1..2000)) };
            let lines: String = (0..count).map(|number| format!("{}\n", said + number)).collect();
            said += count;
            assert!(feed.lines(id, Stream::Out, 0, lines.as_bytes()));
        }
        assert!(feeds.bytes() <= ROOM + LAST, "{}", feeds.bytes());
        for _ in 0..random.usize(..60) {
            match next(&feed) {
                Poll::Ready(Some(reply)) => take(reply, &mut newest),
                Poll::Pending => break,
                Poll::Ready(None) => panic!("it has not ended"),
            }
        }
    }
    all(&feed).into_iter().for_each(|reply| take(reply, &mut newest));
    assert!(told > 1 && left > 0);
    assert_eq!(came + left, said as u64);
    assert_eq!(newest, (said - 1).to_string(), "who is slow misses the middle, not the end");
    assert_eq!(feeds.bytes(), 0);
}

#[test]
fn notices_and_news_of_sources_are_bounded_as_lines_are() {
    let feeds = Feeds::default();
    let feed = feeds.feed(true);
    for number in 0..100_000 {
        feed.tell(notice("x".repeat(1000)));
        feed.tell(source(number, "gone"));
        feed.tell(source(7, &format!("app {number}")));
        feed.retain_sources(|id| id == 7);
    }
    feed.tell(notice("the last".to_owned()));
    feed.tell(Reply::Ended);
    feed.end();
    assert!(feeds.bytes() <= ROOM + LAST, "{}", feeds.bytes());
    let kept = feed.state().gap.as_ref().map_or(0, |gap| gap.kept.len());
    assert_eq!(kept, 1, "of each source that is there the newest");
    let told = all(&feed);
    assert_eq!(told[told.len() - 2..], [notice("the last".to_owned()), Reply::Ended]);
    let named = told.iter().rev().find(|reply| matches!(reply, Reply::Source(source) if source.id == 7));
    assert_eq!(named, Some(&source(7, "app 99999")));
}

#[test]
fn many_who_do_not_read_cost_little_together_and_leave_the_others_some_room() {
    let feeds = Feeds::default();
    let silent: Vec<Feed> = (0..256).map(|_| feeds.feed(true)).collect();
    let chunk = "x".repeat(63).repeat(100) + "\n";
    for _ in 0..200 {
        silent.iter().for_each(|feed| assert!(feed.lines(0, Stream::Out, 0, chunk.as_bytes())));
    }
    assert!(feeds.bytes() <= ALL + 256 * 2 * LEAST, "{}", feeds.bytes());
    let reads = feeds.feed(true);
    for number in 0..100 {
        assert!(reads.lines(0, Stream::Out, number, b"one of those who read\n"));
        assert_eq!(all(&reads).len(), 1);
    }
    silent.iter().for_each(Feed::leave);
    assert_eq!(feeds.bytes(), 0);
}

#[test]
fn a_line_larger_than_the_room_comes_alone_and_who_is_gone_gets_nothing() {
    let feeds = Feeds::default();
    let feed = feeds.feed(true);
    let large = [vec![b'x'; 2 * ROOM], b"\n".to_vec()].concat();
    assert!(feed.lines(0, Stream::Out, 0, &large) && feed.lines(0, Stream::Out, 0, &large) && feed.lines(0, Stream::Out, 0, b"more\n"));
    assert!(matches!(&all(&feed)[..], [Reply::Lines { .. }, Reply::LeftOut { lines: 1 }, Reply::Lines { .. }]));
    feed.say(Reply::Live);
    feed.leave();
    assert!(!feed.lines(0, Stream::Out, 0, b"x\n") && feed.is_gone());
    feed.say(Reply::Live);
    feed.end();
    assert_eq!(next(&feed), Poll::Ready(None));
    assert_eq!(feeds.bytes(), 0);
}

#[test]
fn what_is_drawn_is_made_when_its_turn_comes() {
    let feed = Feeds::default().feed(false);
    let drawn = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&drawn);
    feed.say(source(0, "api"));
    feed.draw(move || {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        (number < 2).then(|| notice(number.to_string()))
    });
    feed.say(Reply::Live);
    feed.end();
    assert_eq!(drawn.load(Ordering::Relaxed), 0);
    assert_eq!(all(&feed), [source(0, "api"), notice("0".into()), notice("1".into()), Reply::Live]);
}
