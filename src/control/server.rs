//! The runner's end: connections are read and written by tasks of their own, so that a slow or hostile client costs the loop nothing.

use std::{
    cell::Cell,
    fs,
    future::poll_fn,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixListener as StdListener,
    },
    pin::{Pin, pin},
    rc::Rc,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags},
    net::{SendFlags, SocketFlags, accept_with, send},
    process::{Resource, getrlimit},
};
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

/// Connections at a time; more are told so, and closed. Of the files that we may have open at least three quarters are the apps'.
const MOST: usize = 512;
const SHARE: usize = 4;

/// Connections that there may be while the apps have more than that.
const FEW: usize = 8;

/// How long nobody is taken where there is no file left to say so.
const EXHAUSTED: Duration = Duration::from_millis(100);

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
    let files = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let mut spare = Spare::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // No descriptors are left, say: those that wait are told so, or served when there are.
            Err(_) => {
                spare.turn_away(&listener);
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        if !is_trusted(&stream) {
            turn_away(&stream, &Reply::refused(1, "This runner belongs to another user, and answers that user and root alone"));
            continue;
        }
        if open.get() >= MOST.min(files / SHARE) {
            turn_away(&stream, &too_many("The runner has too many connections open"));
            continue;
        }
        if open.get() >= FEW && are_short(files) {
            turn_away(&stream, &no_files());
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

/// A descriptor that is given up for the moment in which somebody is told that there is none left.
struct Spare(Option<OwnedFd>);

impl Spare {
    fn new() -> Self {
        // Without it, those who come then wait.
        Self(rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok())
    }

    /// Takes those who wait, and tells them, as far as that goes.
    fn turn_away(&mut self, listener: &UnixListener) {
        for _ in 0..MOST {
            self.0 = None;
            let accepted = accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
            if let Ok(stream) = &accepted {
                turn_away(stream, &no_files());
            }
            let is_last = accepted.is_err();
            drop(accepted);
            *self = Self::new();
            if is_last {
                return;
            }
        }
    }
}

/// Whether more than the apps' share of the files that we may have is open.
fn are_short(files: usize) -> bool {
    fs::read_dir("/proc/self/fd").is_ok_and(|open| open.count() >= files - files / SHARE)
}

fn too_many(what: &str) -> Reply {
    Reply::Refused {
        code: 1,
        message: what.to_owned(),
        hint: Some("try again in a moment, or end some of those who follow logs".to_owned()),
    }
}

fn no_files() -> Reply {
    Reply::Refused {
        code: 1,
        message: "The runner may not have more files open, and keeps those that are left for its apps".to_owned(),
        hint: Some("try again in a moment, or start it with a higher hard limit (ulimit -Hn, LimitNOFILE= of a systemd unit)".to_owned()),
    }
}

/// Says why a connection is not taken, if that can be said at once.
fn turn_away(stream: impl AsFd, why: &Reply) {
    if let Ok(line) = codec::line(why) {
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

/// Tells a client what comes into a feed, one that follows however slowly it reads.
async fn tell(feed: &Feed, mut write: OwnedWriteHalf, mut gone: Pin<&mut impl Future<Output = io::Result<()>>>) -> io::Result<()> {
    loop {
        tokio::select! {
            reply = poll_fn(|context| feed.next(context)) => {
                let Some(reply) = reply else { return write.shutdown().await };
                let line = codec::line(&reply)?;
                // It may be long before all of that is read.
                drop(reply);
                if feed.follows() {
                    write.write_all(&line).await?;
                } else {
                    timeout(codec::TO_READ, write.write_all(&line)).await??;
                }
            }
            gone = &mut gone => return gone,
        }
    }
}
