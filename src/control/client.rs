//! The client's end: blocking, since a verb has nothing else to do.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::{
    codec,
    protocol::{Envelope, Hello, Reply, Request, VERSION},
};
use crate::model::Error;

/// How long a runner may take to say who it is. It answers from its loop, which never waits.
const TO_GREET: Duration = Duration::from_secs(2);

/// A connection to a runner, for one request.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(UnixStream::connect(path)?) })
    }

    /// Says what is wanted; the replies come from [`Self::reply`].
    ///
    /// # Errors
    /// The runner is gone.
    pub fn ask(&mut self, request: Request) -> Result<(), Error> {
        let envelope = Envelope { protocol: VERSION, pmdev: env!("CARGO_PKG_VERSION").to_owned(), request };
        let line = codec::line(&envelope).map_err(gone)?;
        self.stream.get_mut().write_all(&line).map_err(gone)
    }

    /// The next reply; `None` after the last one.
    ///
    /// # Errors
    /// The runner is gone, or says what this version does not understand.
    pub fn reply(&mut self) -> Result<Option<Reply>, Error> {
        let mut line = Vec::new();
        let longest = codec::LONGEST_REPLY as u64;
        let count = (&mut self.stream).take(longest).read_until(b'\n', &mut line).map_err(gone)?;
        if count == 0 {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(|error| {
            Error::failed("The runner answered something that this pmdev does not understand")
                .because(error)
                .hint("restart the runner with this version, or use the pmdev that started it")
        })
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
pub fn greet(path: &Path) -> Option<Hello> {
    let mut connection = Connection::open(path).ok()?;
    connection.stream.get_ref().set_read_timeout(Some(TO_GREET)).ok()?;
    match connection.answer(Request::Hello) {
        Ok(Reply::Hello(hello)) => Some(hello),
        Ok(_) | Err(_) => None,
    }
}

/// What a runner refused, as a failure of the verb.
pub fn refusal(code: u8, message: String, hint: Option<String>) -> Error {
    let error = if code == 2 { Error::usage(message) } else { Error::failed(message) };
    Error { hint, ..error }
}

fn gone(cause: impl std::fmt::Display) -> Error {
    Error::failed("The runner is gone").because(cause)
}
