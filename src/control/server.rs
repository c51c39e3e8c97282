//! The runner's end: connections are read and written by tasks of their own, so that a slow or hostile client costs the loop nothing.

use std::{
    cell::Cell,
    future::poll_fn,
    io,
    os::unix::net::UnixListener as StdListener,
    pin::{Pin, pin},
    rc::Rc,
};

use rustix::net::{SendFlags, send};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::mpsc,
    time::timeout,
};

use super::{
    codec,
    endpoint::is_trusted,
    feed::Feed,
    protocol::{self, Reply, Request},
    terminal::Said,
};

/// Connections at a time; more are closed at once.
const MOST: usize = 512;

/// Replies that may wait for a client.
const WAITING: usize = 64;

/// What is said after a request, and may wait for who does it.
const SAID: usize = 4;

/// A request, and where its replies go.
#[derive(Debug)]
pub struct Incoming {
    /// What is asked.
    pub request: Request,
    /// Where the replies go; the connection ends with it.
    pub responder: Responder,
    /// What the client goes on to say; it ends with the client. Nothing, where a request is all there is to say.
    pub said: mpsc::Receiver<Said>,
}

/// Takes the replies to one request.
#[derive(Debug, Clone)]
pub struct Responder(mpsc::Sender<Answer>);

/// What comes back from a request.
#[derive(Debug)]
enum Answer {
    One(Reply),
    Following(Feed),
}

impl Responder {
    /// Says something to the client; false if it is gone, or reads too slowly to be waited for.
    pub fn say(&self, reply: Reply) -> bool {
        self.0.try_send(Answer::One(reply)).is_ok()
    }

    /// Has the client told what comes into a feed, until that ends.
    pub fn follow(&self, feed: &Feed) {
        if self.0.try_send(Answer::Following(feed.clone())).is_err() {
            feed.leave();
        }
    }

    /// The same, and waits until the client has read enough; false if it is gone.
    pub async fn tell(&self, reply: Reply) -> bool {
        self.0.send(Answer::One(reply)).await.is_ok()
    }

    /// Whether the client is gone.
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

/// Takes connections for as long as it is polled, and hands on what they ask.
///
/// # Errors
/// The socket cannot be waited for.
pub async fn serve(listener: StdListener, incoming: impl Fn(Incoming) + Clone + 'static) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let open = Rc::new(Cell::new(0_usize));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // No descriptors are left, say: those that wait are served when there are.
            Err(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        if !is_trusted(&stream) {
            turn_away(&stream, "This runner belongs to another user, and answers that user and root alone");
            continue;
        }
        if open.get() >= MOST {
            turn_away(&stream, "The runner has too many connections open; try again");
            continue;
        }
        open.set(open.get() + 1);
        let (open, incoming) = (Rc::clone(&open), incoming.clone());
        tokio::task::spawn_local(async move {
            // A client that goes away in the middle is no event for anybody.
            let _ = attend(stream, incoming).await;
            open.set(open.get() - 1);
        });
    }
}

/// Says why a connection is not taken, if that can be said at once.
fn turn_away(stream: &UnixStream, why: &str) {
    if let Ok(line) = codec::line(&Reply::refused(1, why)) {
        // Not through tokio, which has not yet seen that a new connection can be written to.
        let _ = send(stream, &line, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

async fn attend(stream: UnixStream, incoming: impl Fn(Incoming)) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut limited = BufReader::new(read).take(codec::LONGEST_REQUEST as u64);
    let asked = timeout(codec::TO_ASK, limited.read_until(b'\n', &mut line)).await;
    if !matches!(asked, Ok(Ok(count)) if count > 0) {
        return Ok(());
    }
    let (sender, mut replies) = mpsc::channel(WAITING);
    let (saying, said) = mpsc::channel(SAID);
    let mut goes_on = false;
    match protocol::parse(&line) {
        Ok(request) => {
            goes_on = request.goes_on();
            incoming(Incoming { request, responder: Responder(sender), said });
        }
        Err(refusal) => {
            let _ = sender.try_send(Answer::One(refusal));
            drop(sender);
        }
    }
    let rest = limited.into_inner();
    let mut more = pin!(async move { if goes_on { hear(rest, &saying).await } else { ignore(rest).await } });
    loop {
        tokio::select! {
            // What is already said comes before the end of a client that has shut down its side.
            biased;
            answer = replies.recv() => match answer {
                None => return write.shutdown().await,
                // Who is attached may have been stopped; it misses something then, and goes on.
                Some(Answer::One(reply)) if goes_on => {
                    let line = codec::line(&reply)?;
                    tokio::select! {
                        written = write.write_all(&line) => written?,
                        more = &mut more => return more,
                    }
                }
                Some(Answer::One(reply)) => timeout(codec::TO_READ, write.write_all(&codec::line(&reply)?)).await??,
                Some(Answer::Following(feed)) => {
                    let told = tell(&feed, write, more).await;
                    feed.leave();
                    return told;
                }
            },
            more = &mut more => return more,
        }
    }
}

/// A client has said all; its end is what is waited for.
async fn ignore(mut rest: impl AsyncBufRead + Unpin) -> io::Result<()> {
    let mut beyond = [0_u8; 512];
    while rest.read(&mut beyond).await? > 0 {}
    Ok(())
}

/// Passes on what a client goes on to say, as fast as it is done, until it has gone or says what is nothing.
async fn hear(rest: impl AsyncBufRead + Unpin, said: &mpsc::Sender<Said>) -> io::Result<()> {
    let mut limited = rest.take(0);
    let mut line = Vec::new();
    loop {
        limited.set_limit(codec::LONGEST_REQUEST as u64);
        line.clear();
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let Ok(word) = serde_json::from_slice(&line) else { return Ok(()) };
        if said.send(word).await.is_err() {
            // What is over has its last replies to write.
            return ignore(limited.into_inner()).await;
        }
    }
}

/// Tells a client what comes into a feed, however slowly it reads.
async fn tell(feed: &Feed, mut write: OwnedWriteHalf, mut gone: Pin<&mut impl Future<Output = io::Result<()>>>) -> io::Result<()> {
    loop {
        tokio::select! {
            reply = poll_fn(|context| feed.next(context)) => {
                let Some(reply) = reply else { return write.shutdown().await };
                write.write_all(&codec::line(&reply)?).await?;
            }
            gone = &mut gone => return gone,
        }
    }
}
