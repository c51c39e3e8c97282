//! `pmdev attach`: this terminal as that of an app.

mod keys;
mod lent;

use std::{
    future::pending,
    io::{self, IsTerminal as _, Write as _},
    pin::Pin,
    time::Duration,
};

use clap::Args;
use rustix::termios::tcgetwinsize;
use tokio::{
    sync::mpsc::{Receiver, WeakSender},
    time::{Sleep, sleep, timeout},
};

use self::{
    keys::{Key, Keys},
    lent::{Lent, Made},
};
use super::act::target_word;
use crate::{
    cli::{
        borrowed::Guard,
        reach::ReachArgs,
        signals::{Sign, Signals},
    },
    control::{
        AttachRequest, Bytes, Reply, Request, Said,
        client::refusal,
        conversation::{self, Replies, Words},
    },
    model::{Error, Exit, Signal},
    process::terminal::{Stopped, stop},
    ui::clean::clean,
};

/// How long the runner may take to read what was piped in, once that is at its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long it may take to read what was typed before somebody left.
const LAST_KEYS: Duration = Duration::from_millis(500);

/// How long an app has another size, so that it notices and draws anew.
const OTHER_SIZE: Duration = Duration::from_millis(50);

/// Use the terminal of an app that was started with `tty: true`; Ctrl-] leaves
#[derive(Debug, Args)]
pub struct Attach {
    /// A name or an id; one of several instances as NAME:NUMBER
    #[arg(value_name = "APP")]
    pub target: String,
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// What ended it.
enum End {
    /// Ctrl-], or the end of the input.
    Left,
    /// The app, for good.
    Detached(String),
    /// A signal.
    Signal(Signal),
}

impl Attach {
    /// Attaches until somebody leaves; the terminal is then as it was.
    pub fn run(self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        let failed = |cause: io::Error| Error::failed("This terminal cannot be used").because(cause);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (columns, lines) = size();
        let request = Request::Attach(AttachRequest { target: target_word(&self.target), columns, lines });
        let result = runtime.block_on(async {
            let (mut replies, words) = conversation::begin(&runner.socket, request).await?;
            let name = match replies.next().await? {
                Some(Reply::Attached { name }) => name,
                Some(Reply::Refused { code, message, hint }) => return Err(refusal(code, message, hint)),
                Some(_) | None => return Err(Error::failed("The runner did not answer the request to attach")),
            };
            let mut screen = Screen::new();
            let leaves = if io::stdin().is_terminal() { "Ctrl-] leaves" } else { "the end of the input leaves" };
            screen.say(&format!("attached to {name}, {leaves}"));
            // Before anything is made of the terminal, so that no signal leaves it so.
            let signals = Signals::listen().map_err(failed)?;
            let lent = Guard::enter(Lent::new(screen.made.clone()).map_err(failed)?).map_err(failed)?;
            lent.restore_on_panic();
            let end = converse(replies, words, &mut screen, &lent, signals).await;
            drop(lent);
            match end? {
                End::Left => screen.say(&format!("left {name}")),
                End::Detached(why) => screen.say(&format!("left {name}: {why}")),
                End::Signal(signal) => return Ok(Exit::Signal { signal, core: false }.shell_code()),
            }
            Ok(0)
        });
        // The thread that reads the terminal may wait for a key that nobody presses any more.
        runtime.shutdown_background();
        result
    }
}

/// Passes on what is typed and shows what comes, until one of both has an end.
async fn converse(mut replies: Replies, words: Words, screen: &mut Screen, lent: &Guard<Lent>, mut signals: Signals) -> Result<End, Error> {
    let failed = |cause: io::Error| Error::failed("This terminal cannot be used").because(cause);
    let Keys { typed, mut left, resize } = keys::listen().map_err(failed)?;
    let spoken = speak(words, typed);
    tokio::pin!(spoken);
    let mut right_size: Option<Pin<Box<Sleep>>> = None;
    loop {
        let is_right_size = async {
            match &mut right_size {
                Some(time) => time.await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            sign = signals.next() => match sign {
                Sign::Leave(signal) => return Ok(End::Signal(signal)),
                Sign::Resized => tell_size(&resize, size()),
                Sign::Stop | Sign::Continued => {
                    match sign {
                        Sign::Stop => lent.suspend(|| stop(Stopped::Ourselves)),
                        // A shell has put the terminal right for itself meanwhile.
                        _ => lent.enter_again(),
                    }
                    let (columns, lines) = size();
                    if screen.made.draws() && lines > 1 {
                        // What the app has drawn is gone: it draws everything when the size is another one, and only then.
                        tell_size(&resize, (columns, lines - 1));
                        right_size = Some(Box::pin(sleep(OTHER_SIZE)));
                    } else {
                        tell_size(&resize, (columns, lines));
                    }
                }
            },
            Some(()) = left.recv() => {
                // Whatever was typed before it is the app's; a runner that does not take it keeps nobody here.
                let _ = timeout(LAST_KEYS, &mut spoken).await;
                return Ok(End::Left);
            }
            said = &mut spoken => {
                if left.try_recv().is_ok() {
                    return said.map(|_words| End::Left);
                }
                // What was typed is with the runner, or the runner has ended the conversation; what it still says is shown. Were our side
                // closed meanwhile, it would say nothing more.
                let rest = timeout(LAST_WORDS, show_rest(&mut replies, screen)).await.unwrap_or(Ok(End::Left))?;
                return match rest {
                    End::Detached(why) => Ok(End::Detached(why)),
                    end => said.map(|_words| end),
                };
            }
            () = is_right_size => {
                right_size = None;
                tell_size(&resize, size());
            }
            reply = replies.next() => match reply? {
                Some(Reply::Detached { why }) => return Ok(End::Detached(why)),
                Some(reply) => screen.show(reply),
                None => return Err(Error::failed("The runner is gone")),
            },
        }
    }
}

async fn show_rest(replies: &mut Replies, screen: &mut Screen) -> Result<End, Error> {
    loop {
        match replies.next().await? {
            Some(Reply::Detached { why }) => return Ok(End::Detached(why)),
            Some(reply) => screen.show(reply),
            None => return Ok(End::Left),
        }
    }
}

/// Says everything that is typed, to its end; the conversation stays open.
async fn speak(mut words: Words, mut typed: Receiver<Key>) -> Result<Words, Error> {
    while let Some(key) = typed.recv().await {
        let said = match key {
            Key::Bytes(bytes) => Said::Keys { bytes },
            Key::Size(columns, lines) => Said::Size { columns, lines },
        };
        words.say(&said).await?;
    }
    Ok(words)
}

/// Puts a size of this terminal among what is typed, unless that is at its end.
fn tell_size(typing: &WeakSender<Key>, (columns, lines): (u16, u16)) {
    if let Some(typing) = typing.upgrade() {
        // With so much that waits nobody sees the app draw anyway.
        let _ = typing.try_send(Key::Size(columns, lines));
    }
}

/// Columns and lines of this terminal; 0 where there is none.
fn size() -> (u16, u16) {
    let size = tcgetwinsize(rustix::stdio::stdout()).or_else(|_| tcgetwinsize(rustix::stdio::stdin()));
    size.map_or((0, 0), |size| (size.ws_col, size.ws_row))
}

/// What is shown here.
struct Screen {
    made: Made,
    terminal: bool,
    /// Whether the cursor stands at the beginning of a line, as far as is known.
    fresh: bool,
}

impl Screen {
    fn new() -> Self {
        Self { made: Made::default(), terminal: io::stdout().is_terminal(), fresh: true }
    }

    fn show(&mut self, reply: Reply) {
        match reply {
            Reply::Bytes(Bytes { bytes }) => {
                self.made.feed(&bytes);
                self.write(&bytes);
            }
            Reply::Note { text } => self.say(&text),
            Reply::Missed { bytes } => self.say(&format!("{bytes} bytes were left out, because this terminal was too slow for them")),
            // A newer runner may say more.
            _ => {}
        }
    }

    /// A line of ours: on the terminal, else on standard error, so that a pipe has what the app wrote and nothing else.
    fn say(&mut self, text: &str) {
        let line = format!("[pmdev] {}", clean(text));
        if self.terminal {
            let before = if self.fresh { "" } else { "\r\n" };
            self.write(format!("{before}{line}\r\n").as_bytes());
        } else {
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            self.fresh = *last == b'\n';
        }
        let mut out = io::stdout().lock();
        // A terminal that went away sends HUP; a pipe without a reader is no reason to leave what reads our input.
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }
}
