//! What the monitor knows, and what follows from news.

use std::time::{Duration, Instant};

use ratatui::{crossterm::event::KeyEvent, layout::Size};

use super::{
    pane::{Entry, Pane},
    rows::{Row, Rows, Target},
    view,
};
use crate::control::{InstanceView, Request};

/// Between two looks at the runner.
const LOOK: Duration = Duration::from_secs(1);

/// Two looks closer to each other are one in the drawn figures.
const ONE_LOOK: Duration = Duration::from_millis(900);

/// How long an app has to stay selected before its lines are asked for: who walks down a list does not ask for all of them.
const SETTLED: Duration = Duration::from_millis(120);

/// Before lines that ended are asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long an answer is shown, and one that says no.
const SHOWN: Duration = Duration::from_secs(5);
const SHOWN_BAD: Duration = Duration::from_secs(15);

/// News for the monitor.
#[derive(Debug)]
pub enum Message {
    /// A deadline has come.
    Tick,
    /// The terminal has another size: columns and lines.
    Resized(u16, u16),
    /// A key was pressed.
    Key(KeyEvent),
    /// Something was pasted.
    Pasted(String),
    /// How the runner is.
    Listed(Listing),
    /// The runner cannot be reached: why, as a sentence.
    Lost(String),
    /// The answer to [`Command::Ask`]: how long it took, or why not, as a sentence.
    Answered {
        /// Which.
        number: u64,
        /// How it went.
        outcome: Result<Duration, String>,
    },
    /// Lines for [`Command::Follow`], in their order.
    Lines {
        /// Which.
        number: u64,
        /// What came.
        entries: Vec<Entry>,
    },
    /// No more lines come.
    LinesEnded {
        /// Which.
        number: u64,
        /// Why, as a sentence.
        why: String,
        /// Whether it may go better another time.
        again: bool,
    },
}

/// A runner, as it says at one moment.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Its pid.
    pub pid: i32,
    /// Where it runs, as people are told.
    pub place: String,
    /// The moment, in milliseconds since 1970.
    pub at: i64,
    /// Its instances, in the order of their ids.
    pub instances: Vec<InstanceView>,
}

/// Something for whoever runs the monitor.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Look how the runner is, and say so by [`Message::Listed`] or [`Message::Lost`].
    Look,
    /// Ask the runner, and say how it went by [`Message::Answered`].
    Ask {
        /// Which.
        number: u64,
        /// What.
        request: Request,
    },
    /// Bring the last lines of a target and then those to come, and end whatever was brought before.
    Follow {
        /// Which.
        number: u64,
        /// Whose, as the runner takes it.
        target: String,
    },
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back until we are continued.
    Suspend,
    /// End.
    Quit,
}

/// What keys mean at the moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mode {
    /// They act.
    Browse,
    /// They are a word that is looked for.
    Search(String),
    /// They end the help.
    Help,
    /// They answer a question.
    Confirm(Box<Question>),
}

/// Asked before something that cannot be taken back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub text: String,
    pub wish: Wish,
}

/// Something that is asked of the runner, and how it is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    pub request: Request,
    /// `api is being restarted`.
    pub doing: String,
    /// `api is online again`.
    pub done: String,
}

/// What was said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub text: String,
    pub bad: bool,
    until: Instant,
}

/// The runner, as far as it can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// It was not asked yet.
    New,
    /// It answers.
    Up,
    /// It does not.
    Lost(String),
}

/// When the runner is looked at.
#[derive(Debug)]
enum Look {
    Due(Instant),
    Asked,
}

/// Whose lines are shown.
#[derive(Debug, Default)]
struct Follow {
    number: u64,
    of: Option<Target>,
    due: Option<Instant>,
}

/// The monitor.
#[derive(Debug)]
pub struct State {
    pub(super) colour: bool,
    pub(super) size: Size,
    pub(super) link: Link,
    pub(super) pid: Option<i32>,
    pub(super) place: String,
    pub(super) at: i64,
    pub(super) rows: Rows,
    pub(super) selected: Option<Target>,
    /// Where the selected one was: its neighbour takes its place when it goes.
    index: usize,
    /// The first row that is seen.
    pub(super) first: usize,
    pub(super) pane: Pane,
    pub(super) mode: Mode,
    pub(super) said: Option<Said>,
    pub(super) pending: Vec<(u64, Wish)>,
    next: u64,
    look: Look,
    looked: Option<Instant>,
    follow: Follow,
}

impl State {
    /// Knows nothing yet. `size`: columns and lines of the terminal.
    pub fn new(size: (u16, u16), colour: bool, now: Instant) -> Self {
        Self {
            colour,
            size: Size::new(size.0, size.1),
            link: Link::New,
            pid: None,
            place: String::new(),
            at: 0,
            rows: Rows::default(),
            selected: None,
            index: 0,
            first: 0,
            pane: Pane::new(),
            mode: Mode::Browse,
            said: None,
            pending: Vec::new(),
            next: 0,
            look: Look::Due(now),
            looked: None,
            follow: Follow::default(),
        }
    }

    /// Columns and lines of the picture.
    pub fn size(&self) -> (u16, u16) {
        (self.size.width, self.size.height)
    }

    /// When [`Message::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let look = match self.look {
            Look::Due(at) => Some(at),
            Look::Asked => None,
        };
        [look, self.follow.due, self.said.as_ref().map(|said| said.until)].into_iter().flatten().min()
    }

    /// Takes news; what is to be done comes back.
    #[must_use]
    pub fn update(&mut self, message: Message, now: Instant) -> Vec<Command> {
        let mut commands = Vec::new();
        match message {
            Message::Tick => {}
            Message::Resized(columns, lines) => {
                self.size = Size::new(columns, lines);
                commands.push(Command::Redraw);
            }
            Message::Key(key) => self.key(key, now, &mut commands),
            Message::Pasted(text) => self.pasted(&text),
            Message::Listed(listing) => self.listed(listing, now),
            Message::Lost(why) => {
                self.link = Link::Lost(why);
                self.look = Look::Due(now + LOOK);
            }
            Message::Answered { number, outcome } => self.answered(number, outcome, now),
            Message::Lines { number, entries } => {
                if number == self.follow.number {
                    entries.into_iter().for_each(|entry| self.pane.push(entry));
                }
                // They are many, and change nothing else.
                return commands;
            }
            Message::LinesEnded { number, why, again } => {
                if number == self.follow.number {
                    self.pane.push(Entry::Note(why));
                    self.follow.due = again.then_some(now + AGAIN);
                }
            }
        }
        self.settle(now);
        self.fire(now, &mut commands);
        commands
    }

    fn listed(&mut self, listing: Listing, now: Instant) {
        let is_other = self.pid.is_some_and(|pid| pid != listing.pid);
        if is_other {
            self.say(format!("the runner is back, with pid {}", listing.pid), false, now);
            self.follow.of = None;
        }
        let look = self.looked.is_none_or(|looked| now.duration_since(looked) >= ONE_LOOK);
        if look {
            self.looked = Some(now);
        }
        self.rows.take(&listing.instances, look);
        (self.link, self.pid, self.place, self.at) = (Link::Up, Some(listing.pid), listing.place, listing.at);
        self.look = Look::Due(now + LOOK);
    }

    fn answered(&mut self, number: u64, outcome: Result<Duration, String>, now: Instant) {
        let Some(at) = self.pending.iter().position(|(other, _)| *other == number) else { return };
        let (_, wish) = self.pending.remove(at);
        match outcome {
            Ok(took) if took.is_zero() => self.say(wish.done, false, now),
            Ok(took) => self.say(format!("{} (in {})", wish.done, crate::model::HumanDuration(took)), false, now),
            Err(why) => self.say(why, true, now),
        }
        if let Look::Due(at) = &mut self.look {
            *at = now;
        }
    }

    pub(super) fn say(&mut self, text: impl Into<String>, bad: bool, now: Instant) {
        self.said = Some(Said { text: text.into(), bad, until: now + if bad { SHOWN_BAD } else { SHOWN } });
    }

    /// Asks the runner for something, but not for the same while that is still to come: a key that is held down repeats itself.
    pub(super) fn wish(&mut self, wish: Wish, now: Instant, commands: &mut Vec<Command>) {
        if let Link::Lost(_) | Link::New = self.link {
            return self.say("no runner is there to be asked", true, now);
        }
        if let Some((_, open)) = self.pending.iter().find(|(_, open)| open.request == wish.request) {
            return self.say(format!("{} already", open.doing), false, now);
        }
        self.next += 1;
        commands.push(Command::Ask { number: self.next, request: wish.request.clone() });
        self.pending.push((self.next, wish));
    }

    /// The row that is selected.
    pub(super) fn row(&self) -> Option<&Row> {
        let selected = self.selected.as_ref()?;
        self.rows.shown().into_iter().find(|row| row.target == *selected)
    }

    /// Selects the row that is so many rows below, or above.
    pub(super) fn select(&mut self, by: isize) {
        let shown = self.rows.shown();
        let Some(last) = shown.len().checked_sub(1) else { return };
        let index = self.index.saturating_add_signed(by).min(last);
        self.selected = Some(shown[index].target.clone());
    }

    /// Shows the lines of what is selected from their newest on, again.
    pub(super) fn follow_again(&mut self) {
        self.follow.of = None;
    }

    /// Brings what is selected, what is seen and whose lines are shown in line with what there is.
    fn settle(&mut self, now: Instant) {
        let shown = self.rows.shown();
        let position = |target: &Target| shown.iter().position(|row| row.target == *target);
        let selected = self.selected.as_ref();
        let app = selected.and_then(|target| match target {
            Target::Instance(name, _) => position(&Target::App(name.clone())),
            Target::All | Target::App(_) => None,
        });
        let index = selected.and_then(position).or(app).unwrap_or(self.index.min(shown.len().saturating_sub(1)));
        let target = shown.get(index).map(|row| row.target.clone());
        let count = shown.len();
        if target.is_some() {
            (self.index, self.selected) = (index, target);
        }
        let height = view::table_height(self.size, count);
        self.first = self.first.min(self.index).max((self.index + 1).saturating_sub(height)).min(count.saturating_sub(height));
        if self.follow.of != self.selected {
            self.follow.of.clone_from(&self.selected);
            let is_first = self.follow.number == 0;
            // Nothing of the one before is taken for the next one's.
            self.next += 1;
            self.follow.number = self.next;
            self.follow.due = Some(if is_first { now } else { now + SETTLED });
            self.pane.clear();
        }
        self.pane.labels = self.row().is_some_and(|row| row.target == Target::All || row.folded.is_some());
    }

    fn fire(&mut self, now: Instant, commands: &mut Vec<Command>) {
        if let Look::Due(at) = self.look
            && at <= now
        {
            self.look = Look::Asked;
            commands.push(Command::Look);
        }
        if self.said.as_ref().is_some_and(|said| said.until <= now) {
            self.said = None;
        }
        if self.link == Link::Up
            && self.follow.due.is_some_and(|due| due <= now)
            && let Some(target) = &self.follow.of
        {
            self.follow.due = None;
            self.next += 1;
            self.follow.number = self.next;
            self.pane.clear();
            commands.push(Command::Follow { number: self.follow.number, target: target.word() });
        } else if self.link != Link::Up && self.follow.due.is_some_and(|due| due <= now) {
            // It is asked for once there is somebody to ask.
            self.follow.due = Some(now + AGAIN);
        }
    }
}
