//! `pmdev monit`: the monitor's shell. News come over one channel, from threads that wait for them; nothing here waits for the terminal.

mod feed;
mod keys;
mod link;
mod screen;
mod typed;

use std::{
    env,
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use clap::Args;
use tokio::sync::mpsc;

use crate::{
    cli::{
        borrowed::{Guard, OwnScreen, RawKeys},
        reach::ReachArgs,
        signals::{Sign, Signals},
    },
    model::{Error, Exit},
    process::terminal::{self, Stopped},
    ui::{
        Style,
        monitor::{Command, Message, State},
    },
};
use feed::Feed;
use link::Link;
use screen::Screen;

/// A screen of our own, no cursor, and pasted text told from typed keys (xterm's control sequences).
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// The same on a screen that is ours already.
const ENTER_AGAIN: &str = "\x1b[?25l\x1b[?2004h";

/// The reverse of [`ENTER`], and no colour.
const LEAVE: &str = "\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Between two pictures.
const PACE: Duration = Duration::from_millis(33);

/// News that may wait.
const WAITING: usize = 256;

/// Pieces with lines that may wait, beside all other news. Beyond, nothing is read, and the runner leaves out for us what does not fit.
const LINES_WAITING: usize = 8;

/// Watch the apps of a runner live, and act on them
#[derive(Debug, Args)]
#[command(visible_aliases = ["top", "dash"], aliases = ["dashboard", "imonit"], after_help = KEYS)]
pub struct Monit {
    #[command(flatten)]
    pub reach: ReachArgs,
}

const KEYS: &str = "\
↑ ↓ select an app, r restarts it, l reloads, s starts, x stops, + and - scale, p pauses watching;
PgUp and PgDn scroll its lines, / searches them; ? shows all keys, q leaves. The apps run on.";

/// What the loop is told.
#[derive(Debug)]
enum News {
    /// For the monitor.
    Message(Message),
    /// The terminal went away.
    Gone,
    /// A thread of ours broke.
    Broken,
}

/// The ways into the loop.
#[derive(Debug, Clone)]
struct Newsroom {
    /// For all news but lines.
    news: mpsc::Sender<News>,
    /// For lines, of which there may be many.
    lines: mpsc::Sender<Message>,
}

impl Newsroom {
    /// Brings news, from a thread; false: nobody takes them any more.
    fn bring(&self, news: News) -> bool {
        self.news.blocking_send(news).is_ok()
    }

    /// Brings news from the loop itself.
    fn leave(&self, message: Message) {
        // Where so many wait, somebody will say it again.
        let _ = self.news.try_send(News::Message(message));
    }
}

impl Monit {
    /// Shows it until somebody leaves.
    pub fn run(self) -> Result<u8, Error> {
        let runner = self.reach.need()?;
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Error::usage("pmdev monit needs a terminal, for keys and for its picture")
                .hint("elsewhere: pmdev list, with --json for programs"));
        }
        let failed = |error: io::Error| Error::failed("The terminal could not be prepared").because(error);
        let tasks = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let style = Style::decide(false, |name| env::var_os(name), true);
        tasks.block_on(async {
            let mut signals = Signals::listen().map_err(failed)?;
            let guard = borrow().map_err(failed)?;
            let mut monitor = Monitor::new(Link::new(runner), style, &guard).map_err(failed)?;
            monitor.run(&mut signals).await
        })
    }
}

/// Borrows the terminal, and gives it back after a panic as well.
fn borrow() -> io::Result<Guard<OwnScreen>> {
    let keys = Some(RawKeys::new()?);
    let guard = Guard::enter(OwnScreen { keys, enter: ENTER, again: ENTER_AGAIN, leave: LEAVE })?;
    guard.restore_on_panic();
    Ok(guard)
}

/// The monitor and what it works on.
struct Monitor<'a> {
    state: State,
    link: Link,
    feed: Option<Feed>,
    screen: Screen,
    guard: &'a Guard<OwnScreen>,
    room: Newsroom,
    news: mpsc::Receiver<News>,
    lines: mpsc::Receiver<Message>,
}

impl<'a> Monitor<'a> {
    fn new(link: Link, style: Style, guard: &'a Guard<OwnScreen>) -> io::Result<Self> {
        let (to_news, news) = mpsc::channel(WAITING);
        let (to_lines, lines) = mpsc::channel(LINES_WAITING);
        let room = Newsroom { news: to_news, lines: to_lines };
        typed::listen(&room)?;
        let size = screen::size();
        let state = State::new(size, style.colour, now());
        Ok(Self { state, link, feed: None, screen: Screen::new()?, guard, room, news, lines })
    }

    /// Returns the exit code.
    async fn run(&mut self, signals: &mut Signals) -> Result<u8, Error> {
        let mut drawn: Option<Instant> = None;
        let mut fresh = true;
        if self.tell(Message::Tick) {
            return Ok(0);
        }
        loop {
            let deadline = self.state.next_deadline();
            let due = drawn.map(|drawn| drawn + PACE);
            let news = tokio::select! {
                biased;
                sign = signals.next() => match sign {
                    Sign::Leave(signal) => return Ok(Exit::Signal { signal, core: false }.shell_code()),
                    Sign::Resized => {
                        let (columns, lines) = screen::size();
                        News::Message(Message::Resized(columns, lines))
                    }
                    Sign::Stop => {
                        self.suspend(Stopped::Ourselves);
                        continue;
                    }
                    Sign::Continued => {
                        self.guard.enter_again();
                        let (columns, lines) = screen::size();
                        News::Message(Message::Resized(columns, lines))
                    }
                },
                () = self.screen.ready(due), if fresh => {
                    self.screen.draw(&self.state);
                    (drawn, fresh) = (Some(now()), false);
                    continue;
                }
                news = self.news.recv() => news.expect("we hold a sender ourselves"),
                () = sleep_until(deadline), if deadline.is_some() => News::Message(Message::Tick),
                lines = self.lines.recv() => {
                    // Lines that never end would leave no turn to timers and signals.
                    tokio::task::yield_now().await;
                    News::Message(lines.expect("we hold a sender ourselves"))
                }
            };
            fresh = true;
            match news {
                News::Gone => return Ok(128 + 1),
                News::Broken => return Err(Error::failed("pmdev monit broke down; the apps run on")),
                News::Message(message) => {
                    if self.tell(message) {
                        return Ok(0);
                    }
                }
            }
        }
    }

    /// Tells the state, and does what it wants; true: leave.
    fn tell(&mut self, message: Message) -> bool {
        for command in self.state.update(message, now()) {
            match command {
                Command::Look => self.link.look(&self.room),
                Command::Ask { number, request } => self.link.ask(number, request, &self.room),
                Command::Follow { number, target } => self.feed = Some(Feed::open(&self.link, number, target, &self.room)),
                Command::Redraw => self.screen.forget(),
                Command::Suspend => self.suspend(Stopped::OurGroup),
                Command::Quit => return true,
            }
        }
        false
    }

    /// Gives the terminal back, and stops until somebody has us go on.
    fn suspend(&mut self, who: Stopped) {
        self.screen.wait();
        self.guard.suspend(|| terminal::stop(who));
        self.screen.forget();
    }
}

#[expect(clippy::disallowed_methods, reason = "the monitor's shell: everything below it is told the time")]
fn now() -> Instant {
    Instant::now()
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline.into()).await;
    }
}

/// Starts a thread that brings news; one that panics is news as well.
fn spawn(name: &str, room: &Newsroom, work: impl FnOnce(&Newsroom) + Send + 'static) -> io::Result<()> {
    let room = room.clone();
    let guarded = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&room))).is_err() {
            room.bring(News::Broken);
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(guarded).map(drop)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use super::*;

    const NAME: &str = "cli::commands::monit::tests::after_a_panic_the_terminal_is_as_it_was";

    /// Has this test run itself in a terminal, and looks at what that was shown and is like before and after.
    #[test]
    fn after_a_panic_the_terminal_is_as_it_was() {
        if env::var_os("PMDEV_TEST_PANICS").is_some() {
            let _guard = borrow().unwrap();
            io::stdout().write_all(b"\r\nraw ").unwrap();
            assert!(Command::new("stty").arg("-g").status().unwrap().success());
            panic!("as a bug would");
        }
        let test = env::current_exe().unwrap();
        let line = format!("printf 'before '; stty -g; {} --exact {NAME} --nocapture; printf '\\nafter '; stty -g", test.display());
        let output = Command::new("script").args(["-qc", &line, "/dev/null"]).env("PMDEV_TEST_PANICS", "1").stdin(Stdio::null()).output();
        let shown = String::from_utf8(output.unwrap().stdout).unwrap();
        let modes = |when: &str| {
            let line = shown.lines().find_map(|line| line.strip_prefix(when)).unwrap_or_else(|| panic!("{when}: {shown:?}"));
            line.trim().to_owned()
        };
        assert_eq!(modes("before "), modes("after "));
        assert_ne!(modes("before "), modes("raw "));
        let at = |what: &str| shown.find(what).unwrap_or_else(|| panic!("{what:?}: {shown:?}"));
        assert!(at(ENTER) < at(LEAVE) && at(LEAVE) < at("as a bug would"), "what is told stays on the screen: {shown:?}");
        assert_eq!(shown.matches(LEAVE).count(), 1);
    }
}
