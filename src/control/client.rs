//! The client's end: blocking, since a verb has nothing else to do.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde::Deserialize;

use super::{
    codec, endpoint,
    protocol::{Envelope, InstanceView, Reply, Request, VERSION},
    view::Hello,
};
use crate::model::{Error, HumanDuration};

/// How long a runner may take to say who it is. It answers from its loop, which never waits.
const TO_GREET: Duration = Duration::from_secs(2);

/// What may be the matter with a runner that says nothing.
const SILENT: &str = "it may be stopped (fg, or kill -CONT, has it go on) or very busy; --runner names another one";

/// How a runner begins a list.
const LIST: &[u8] = br#"{"reply":"list","#;

/// What follows.
#[derive(Deserialize)]
struct List {
    instances: Vec<InstanceView>,
}

/// A connection to a runner, for one request.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there, or nobody is taken within 2 s.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_within(TO_GREET, path)
    }

    fn open_within(limit: Duration, path: &Path) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(endpoint::connect(path, limit)?) })
    }

    /// Waits no longer than this for any piece of a reply.
    ///
    /// # Errors
    /// The socket takes no limit.
    pub fn patience(&self, limit: Duration) -> io::Result<()> {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(limit)).and_then(|()| stream.set_write_timeout(Some(limit)))
    }

    /// Another handle to the same connection, by which it can be ended from elsewhere.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn handle(&self) -> io::Result<UnixStream> {
        self.stream.get_ref().try_clone()
    }

    /// Says what is wanted; the replies come from [`Self::reply`].
    ///
    /// # Errors
    /// The runner is gone.
    pub fn ask(&mut self, request: Request) -> Result<(), Error> {
        match self.stream.get_mut().write_all(&envelope(request)?) {
            // Who was turned away at once is told why by the reply that waits.
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
            written => written.map_err(lost),
        }
    }

    /// The next reply; `None` after the last one.
    ///
    /// # Errors
    /// The runner is gone, or says what this version does not understand.
    pub fn reply(&mut self) -> Result<Option<Reply>, Error> {
        self.line().map_err(lost)?.map(|line| parse(&line)).transpose()
    }

    /// The next line; `None` after the last one.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let count = (&mut self.stream).take(codec::LONGEST_REPLY as u64).read_until(b'\n', &mut line)?;
        Ok((count > 0).then_some(line))
    }

    /// Asks, and gives the one reply there is.
    ///
    /// # Errors
    /// The runner is gone, or refuses.
    pub fn answer(&mut self, request: Request) -> Result<Reply, Error> {
        self.ask(request)?;
        match self.reply()? {
            Some(Reply::Refused { code, message, hint }) => Err(refusal(code, message, hint)),
            Some(reply) => Ok(reply),
            None => Err(gone("it ended the connection without an answer")),
        }
    }
}

/// Who listens at a socket; `None`: nobody.
///
/// # Errors
/// Somebody does, but turns us away (another user's runner, another version), or does not answer within 2 s.
pub fn greet(path: &Path) -> Result<Option<Hello>, Error> {
    greet_within(TO_GREET, path)
}

/// The same, with another limit of time.
///
/// # Errors
/// As [`greet`].
pub fn greet_within(limit: Duration, path: &Path) -> Result<Option<Hello>, Error> {
    let silent = |cause: &dyn std::fmt::Display| {
        Error::failed(format!("The runner at {} does not answer", path.display())).because(cause).hint(SILENT)
    };
    let in_time = format!("it said nothing within {}", HumanDuration(limit));
    let mut connection = match Connection::open_within(limit, path) {
        Ok(connection) => connection,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(silent(&in_time)),
        Err(_) => return Ok(None),
    };
    connection.patience(limit).map_err(|error| silent(&error))?;
    connection.ask(Request::Hello)?;
    let line = match connection.line() {
        Ok(Some(line)) => line,
        // It ended in this moment.
        Ok(None) => return Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Err(silent(&in_time)),
        Err(error) => return Err(silent(&error)),
    };
    match parse(&line) {
        Ok(Reply::Hello(hello)) => Ok(Some(hello)),
        Ok(Reply::Refused { code, message, hint }) => Err(refusal(code, message, hint)),
        Ok(_) => Err(silent(&"what it says is no greeting")),
        Err(error) => Err(error),
    }
}

/// What a runner refused, as a failure of the verb.
pub fn refusal(code: u8, message: String, hint: Option<String>) -> Error {
    let error = if code == 2 { Error::usage(message) } else { Error::failed(message) };
    Error { hint, ..error }
}

/// A request as a line.
pub(super) fn envelope(request: Request) -> Result<Vec<u8>, Error> {
    let envelope = Envelope { protocol: VERSION, pmdev: env!("CARGO_PKG_VERSION").to_owned(), request };
    codec::line(&envelope).map_err(gone)
}

/// A line as a reply.
pub(super) fn parse(line: &[u8]) -> Result<Reply, Error> {
    // By its beginning a list is known, and it need not be kept until its end says what it is.
    let reply = if line.starts_with(LIST) {
        serde_json::from_slice(line).map(|List { instances }| Reply::List { instances })
    } else {
        serde_json::from_slice(line)
    };
    reply.map_err(|error| {
        let unknown =
            codec::unknown(line, "reply", &error).map(|name| format!("{name} is no answer that pmdev {} knows", env!("CARGO_PKG_VERSION")));
        Error::failed("The runner answered something that this pmdev does not understand")
            .because(unknown.unwrap_or_else(|| error.to_string()))
            .hint("restart the runner with this version, or use the pmdev that started it")
    })
}

/// Why nothing could be said or heard.
pub fn lost(cause: io::Error) -> Error {
    match cause.kind() {
        // A limit of time on a socket ends so.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::failed("The runner did not answer in time").hint(SILENT),
        _ => gone(cause),
    }
}

pub(super) fn gone(cause: impl std::fmt::Display) -> Error {
    Error::failed("The runner is gone").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_known_by_its_beginning() {
        let line = codec::line(&Reply::List { instances: Vec::new() }).expect("it can be written");
        assert!(line.starts_with(LIST), "{}", String::from_utf8_lossy(&line));
        assert!(parse(br#"{"reply":"list","instances":[{}]}"#).is_err(), "what it lacks is missed");
    }
}
