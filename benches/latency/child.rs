//! The programs that are run: this executable again, in another role.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
};

/// The first argument of the role that tells its first instruction: a line `PID NANOSECONDS` into the pipe named next, then rest.
pub const STAMP: &str = "stamp";

/// The first argument of the role that prints as many megabytes as the next argument says; it notes when it began in the file named after that.
pub const FLOOD: &str = "flood";

/// The first argument of the role that prints whole numbers from 0 on, one each so many milliseconds.
pub const COUNT: &str = "count";

/// A line of a chatty app, 100 bytes.
pub const LINE: &[u8; 100] = b"GET /api/v1/orders/4711?expand=items,customer 200 in 12 ms, 4 queries, request id 0123456789abcdef0\n";

/// What a chatty app writes at once, in bytes.
pub const BLOCK: usize = 64_000;

/// Plays a role, if the arguments name one.
pub fn play(args: &[String], began: u64) -> Option<io::Result<()>> {
    match (args.first()?.as_str(), args.get(1)?) {
        (STAMP, pipe) => Some(stamp(pipe, began)),
        (COUNT, interval) => Some(count(interval.parse().ok()?)),
        (FLOOD, megabytes) => Some(flood(megabytes.parse().ok()?, args.get(2).map(|note| (note.as_str(), began)))),
        _ => None,
    }
}

fn stamp(pipe: &str, began: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(pipe)?.write_all(format!("{} {began}\n", std::process::id()).as_bytes())?;
    loop {
        std::thread::park();
    }
}

fn count(interval: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for number in 0_u64.. {
        writeln!(out, "{number}")?;
        crate::clock::rest(std::time::Duration::from_millis(interval));
    }
    Ok(())
}

fn flood(megabytes: usize, note: Option<(&str, u64)>) -> io::Result<()> {
    if let Some((note, began)) = note {
        std::fs::write(note, began.to_string())?;
    }
    let block = LINE.repeat(BLOCK / LINE.len());
    let mut out = io::stdout().lock();
    for _ in 0..megabytes * 1_000_000 / block.len() {
        out.write_all(&block)?;
    }
    Ok(())
}
