//! Who is waiting for what over the socket: the answer goes out once it is true, or cannot come true by itself.

use std::{os::unix::net::UnixListener, time::Instant};

use super::{
    follow::Follows,
    runner::{Inbox, Runner, now},
    waits::Wait,
};
use crate::{
    control::{
        Folders, Reply, Responder,
        endpoint::{self, Bound, NotBound, Turn},
        server,
    },
    model::{Error, InstanceId, Level, Notice, NoticeKind},
    supervisor::Goal,
};

/// The open socket, and who waits.
#[derive(Debug, Default)]
pub struct Desk {
    bound: Option<Bound>,
    /// What keeps others from becoming the runner of the same apps, until this one answers.
    turn: Option<Turn>,
    waits: Vec<Wait>,
    /// Who looks at logs.
    pub follows: Follows,
    /// Who waits for the end of the runner, and since when.
    ends: Vec<(Responder, Instant)>,
}

impl Desk {
    /// One that is not open yet.
    pub fn new(turn: Option<Turn>) -> Self {
        Self { turn, ..Self::default() }
    }

    /// From here on the runner answers.
    pub fn answers(&mut self) {
        self.turn = None;
    }
}

impl Runner {
    /// Makes the socket. A runner of a folder that cannot be reached runs its apps all the same.
    ///
    /// # Errors
    /// A background runner cannot be reached, or there is one already.
    pub fn open_desk(&mut self, folders: Option<Folders>) -> Result<(), Error> {
        let Some(folders) = folders else { return Ok(()) };
        self.end_leftovers(&folders);
        if self.background.is_some() {
            return match endpoint::bind(&folders.background_socket()) {
                Ok((listener, bound)) => {
                    self.serve(listener, bound);
                    Ok(())
                }
                Err(NotBound::Taken) => Err(endpoint::taken(&folders.home)),
                Err(NotBound::Failed(error)) => Err(error),
            };
        }
        self.open_own_desk(&folders);
        Ok(())
    }

    fn open_own_desk(&mut self, folders: &Folders) {
        if let Err(error) = folders.make_foreground() {
            return self.unreachable(&error);
        }
        let bound = endpoint::bind(&folders.foreground_socket(std::process::id()));
        let (listener, bound) = match bound {
            Ok(bound) => bound,
            Err(NotBound::Taken) => return self.unreachable(&Error::failed("Its socket is another runner's")),
            Err(NotBound::Failed(error)) => return self.unreachable(&error),
        };
        self.serve(listener, bound);
    }

    fn serve(&mut self, listener: UnixListener, bound: Bound) {
        self.desk.bound = Some(bound);
        let inbox = self.inbox.clone();
        tokio::task::spawn_local(server::serve(listener, move |incoming| {
            let _ = inbox.send(Inbox::Asked(incoming));
        }));
    }

    fn unreachable(&mut self, error: &Error) {
        let text = "other terminals cannot reach this runner (list, restart and the other verbs do not work)";
        self.first_words.push(Notice::new(Level::Warning, NoticeKind::Config, text).hint(error.to_string()));
    }

    /// Answers once these instances are where they shall be.
    pub fn answer_when(&mut self, goals: Vec<(InstanceId, Goal)>, responder: Responder) {
        self.desk.waits.push(Wait::new(goals, Vec::new(), responder));
        self.look_at_desk();
    }

    /// Answers once these instances are where they shall be, and those that are to be online have stayed so for a moment.
    pub fn answer_when_steady(&mut self, goals: Vec<(InstanceId, Goal)>, responder: Responder) {
        let steady = self.to_stay(&goals);
        self.desk.waits.push(Wait::new(goals, steady, responder));
        self.look_at_desk();
    }

    /// When somebody is to be answered although nothing has happened.
    pub fn desk_deadline(&self) -> Option<Instant> {
        self.desk.waits.iter().filter_map(Wait::deadline).min()
    }

    /// Answers when the runner ends.
    pub fn answer_at_end(&mut self, responder: Responder) {
        self.desk.ends.push((responder, now()));
    }

    /// Whether anything that somebody waits for has come.
    pub fn look_at_desk(&mut self) {
        if self.desk.waits.is_empty() {
            return;
        }
        for mut wait in std::mem::take(&mut self.desk.waits) {
            match self.looked_at(&mut wait) {
                Some(reply) => Self::answer_to(&wait, reply),
                None if wait.is_gone() => {}
                None => self.desk.waits.push(wait),
            }
        }
    }

    /// The end of the runner is told to those who wait for it, and to those whose wish cannot come true any more.
    pub async fn close_desk(&mut self) {
        self.end_follows().await;
        for (responder, began) in std::mem::take(&mut self.desk.ends) {
            responder.say(Reply::Done { instances: Vec::new(), took_ms: milliseconds_since(began) });
        }
        for wait in std::mem::take(&mut self.desk.waits) {
            self.answer_at_last(wait);
        }
        self.desk.bound = None;
        // The tasks of the connections write what was just said.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}

fn milliseconds_since(began: Instant) -> u64 {
    u64::try_from(now().duration_since(began).as_millis()).unwrap_or(u64::MAX)
}
