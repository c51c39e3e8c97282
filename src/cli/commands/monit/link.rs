//! The runner, over its socket: every question is a connection and a thread of its own, so that none waits for another.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;

use super::{News, Newsroom, spawn};
use crate::{
    cli::reach::{ReachArgs, Reached},
    control::{Connection, InstanceView, Reply, Request, client},
    model::Error,
    ui::monitor::{Listing, Message},
};

/// How long a runner may take to say how it is. It answers from its loop, which never waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// The runner that is shown, or the one that took its place.
#[derive(Debug, Clone)]
pub struct Link(Arc<Mutex<Reached>>);

impl Link {
    /// To a runner that answers.
    pub fn new(runner: Reached) -> Self {
        Self(Arc::new(Mutex::new(runner)))
    }

    /// The runner as it was reached last.
    pub fn runner(&self) -> Reached {
        self.0.lock().expect("nobody panics with it").clone()
    }

    /// Looks how it is; the answer is news.
    pub fn look(&self, room: &Newsroom) {
        let link = self.clone();
        let begun = spawn("pmdev-look", room, move |room| {
            let message = link.listed().map_or_else(|error| Message::Lost(sentence(&error)), Message::Listed);
            room.bring(News::Message(message));
        });
        if let Err(error) = begun {
            room.leave(Message::Lost(format!("pmdev monit cannot look at the runner: {error}")));
        }
    }

    /// Asks it for something; the answer is news.
    pub fn ask(&self, number: u64, request: Request, room: &Newsroom) {
        let link = self.clone();
        let begun = spawn("pmdev-ask", room, move |room| {
            let outcome = match link.runner().answer(request) {
                Ok(Reply::Done { took_ms, .. }) => Ok(Duration::from_millis(took_ms)),
                Ok(_) => Ok(Duration::ZERO),
                Err(error) => Err(sentence(&error)),
            };
            room.bring(News::Message(Message::Answered { number, outcome }));
        });
        if let Err(error) = begun {
            room.leave(Message::Answered { number, outcome: Err(format!("The runner was not asked: {error}")) });
        }
    }

    /// How the runner is, or the one that has come in its place.
    fn listed(&self) -> Result<Listing, Error> {
        let mut runner = self.runner();
        let pid = runner.hello.pid;
        if let Some(instances) = list(&runner)? {
            // The next runner of a home has the socket of the one before.
            if let Some(hello) = client::greet_within(PATIENCE, &runner.socket)?.filter(|hello| hello.pid != pid) {
                runner.hello = hello;
                *self.0.lock().expect("nobody panics with it") = runner.clone();
            }
            return Ok(listing(&runner, instances));
        }
        let in_its_place = |other: &Reached| {
            let (old, new) = (&runner.hello, &other.hello);
            new.pid != old.pid && new.background == old.background && (old.background || new.cwd == old.cwd)
        };
        let successor = ReachArgs::all().into_iter().find(in_its_place);
        let ended = || Error::failed(format!("the runner with pid {pid} has ended"));
        let successor = successor.ok_or_else(ended)?;
        let instances = list(&successor)?.ok_or_else(ended)?;
        let listing = listing(&successor, instances);
        *self.0.lock().expect("nobody panics with it") = successor;
        Ok(listing)
    }
}

/// Its instances; `None`: it is not there any more.
fn list(runner: &Reached) -> Result<Option<Vec<InstanceView>>, Error> {
    let Ok(mut connection) = Connection::open(&runner.socket) else { return Ok(None) };
    let silent = || Error::failed(format!("the runner with pid {} does not answer", runner.hello.pid));
    connection.patience(PATIENCE).map_err(|_| silent())?;
    connection.ask(Request::List { targets: Vec::new(), env: false, reveal: false, detail: false }).map_err(|_| silent())?;
    match connection.reply() {
        Ok(Some(Reply::List { instances })) => Ok(Some(instances)),
        Ok(Some(Reply::Refused { message, .. })) => Err(Error::failed(message)),
        Ok(Some(_)) | Err(_) => Err(silent()),
        Ok(None) => Ok(None),
    }
}

fn listing(runner: &Reached, instances: Vec<InstanceView>) -> Listing {
    let hello = &runner.hello;
    Listing { pid: hello.pid, place: hello.place(), at: Timestamp::now().as_millisecond(), instances }
}

/// A failure in one line.
pub fn sentence(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("; {}", hint.lines().collect::<Vec<_>>().join(", ")));
    format!("{error}{}", hint.unwrap_or_default())
}
