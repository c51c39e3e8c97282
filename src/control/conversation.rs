//! The client's end of a request after which it goes on to speak.

use std::path::Path;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{
    client::{envelope, gone, lost, parse},
    codec,
    protocol::{Reply, Request},
    terminal::Said,
};
use crate::model::Error;

/// What the runner says.
#[derive(Debug)]
pub struct Replies {
    read: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
}

/// What the client says. The runner hears its end when this is dropped.
#[derive(Debug)]
pub struct Words(OwnedWriteHalf);

/// Connects, and asks.
///
/// # Errors
/// The runner is gone.
pub async fn begin(path: &Path, request: Request) -> Result<(Replies, Words), Error> {
    let stream = UnixStream::connect(path).await.map_err(gone)?;
    let (read, mut write) = stream.into_split();
    write.write_all(&envelope(request)?).await.map_err(gone)?;
    Ok((Replies { read: BufReader::new(read), line: Vec::new() }, Words(write)))
}

impl Replies {
    /// The next reply; `None` after the last one. Cancelling it loses nothing.
    ///
    /// # Errors
    /// The runner is gone, or says what this version does not understand.
    pub async fn next(&mut self) -> Result<Option<Reply>, Error> {
        let room = codec::LONGEST_REPLY.saturating_sub(self.line.len());
        let count = (&mut self.read).take(room as u64).read_until(b'\n', &mut self.line).await.map_err(lost)?;
        if count == 0 && self.line.is_empty() {
            return Ok(None);
        }
        parse(&std::mem::take(&mut self.line)).map(Some)
    }
}

impl Words {
    /// Says something.
    ///
    /// # Errors
    /// The runner is gone.
    pub async fn say(&mut self, said: &Said) -> Result<(), Error> {
        self.0.write_all(&codec::line(said).map_err(gone)?).await.map_err(gone)
    }
}
