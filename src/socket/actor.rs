//! The thread of the sockets that workers share: it binds, accepts and hands over. A flood of log lines in the runner delays no connection.

use std::{
    collections::{HashMap, HashSet},
    io,
    os::fd::OwnedFd,
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use rustix::process::{Resource, geteuid, getrlimit};
use tokio::{
    io::unix::AsyncFd,
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
    },
    time::sleep,
};

use super::{
    channel,
    held::{self, Socket},
    link::{self, End, Outgoing},
    state::{ConnId, Effect, KeyId, State, WorkerId},
    wire::{self, Said},
};
use crate::model::Identity;

/// How long a socket is kept that its last holder has closed: it may be about to listen again.
const CLOSED: Duration = Duration::from_millis(250);
/// How long one is kept that those in the place of its last holder have not asked for.
const UNASKED: Duration = Duration::from_secs(10);
/// How long after a refusal by every worker a connection is offered again.
const REFUSED: Duration = Duration::from_millis(100);
/// How long a worker goes on at least after it has left the rotation; and one without our preload, which cannot say when it serves nothing any
/// more, before it closes its servers.
const LEAST: Duration = Duration::from_millis(200);
/// How long a worker whose channel is closed may take to end by itself.
const CLOSING: Duration = Duration::from_millis(300);
/// What a worker may have said that is not seen to yet; what else it says is not read meanwhile.
const UNSEEN: usize = 64;
/// Of the files that we may have open the share that is for the sockets of workers.
const SHARE: usize = 4;
/// How long a worker may take to listen on what the one before it does, once it listens at all.
const REST: Duration = Duration::from_secs(1);

/// News of a worker, by its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It listens on all that the one before it does.
    Listening(u64),
    /// What an app says for itself.
    Said(u64, channel::Said),
    /// It is gone or has closed the channel without taking what it was told.
    Unheard(u64),
    /// It was to leave, and has nothing left to serve.
    Drained(u64),
    /// It wants more sockets than may be, the first of its app, which has so many.
    Full(u64, usize),
    /// It asks without end and reads no answer, so its channel was closed.
    Deaf(u64),
}

enum Input {
    Attach {
        worker: WorkerId,
        app: u32,
        slot: u16,
        socket: OwnedFd,
        user: Option<Identity>,
    },
    Say(WorkerId, &'static str),
    Retire(WorkerId),
    Drain(WorkerId, Duration),
    Release(u32),
    /// With the room that it takes up until it is seen to.
    Said(WorkerId, Said, OwnedSemaphorePermit),
    Gone(WorkerId, End),
    Accepted(KeyId, OwnedFd),
    Unheld(KeyId),
    Retry,
    Drained(WorkerId),
    Late(WorkerId),
    Left(WorkerId),
}

/// The way to the thread. Dropping it closes every socket and channel, and waits for that.
#[derive(Debug)]
pub struct Cluster {
    inputs: Option<UnboundedSender<Input>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

impl Cluster {
    /// Starts the thread; `tell` is called on it.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(tell: impl Fn(News) + Send + 'static) -> io::Result<Self> {
        let (inputs, news) = mpsc::unbounded_channel();
        let own = inputs.downgrade();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("pmdev-cluster".to_owned()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            let files = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            let actor = Actor {
                state: State::with(files / SHARE),
                links: HashMap::new(),
                sockets: HashMap::new(),
                conns: HashMap::new(),
                conn: 0,
                retrying: false,
                unheld: HashSet::new(),
                full: HashSet::new(),
                own,
                tell: Box::new(tell),
            };
            local.block_on(&runtime, actor.run(news));
        })?;
        Ok(Self { inputs: Some(inputs), thread: Some(thread) })
    }

    fn tell(&self, input: Input) {
        // The thread ends only with us.
        if let Some(inputs) = &self.inputs {
            let _ = inputs.send(input);
        }
    }

    /// Our end of the channel of a run that is about to begin. `user`: in whose name its sockets are bound, where that is not our own.
    pub fn attach(&self, run: u64, app: u32, slot: u16, socket: OwnedFd, user: Option<Identity>) {
        self.tell(Input::Attach { worker: run, app, slot, socket, user });
    }

    /// Tells a worker to shut down, as PM2 does.
    pub fn shut_down(&self, run: u64) {
        self.tell(Input::Say(run, "\"shutdown\""));
    }

    /// A worker is being stopped: it gets no new connections.
    pub fn retire(&self, run: u64) {
        self.tell(Input::Retire(run));
    }

    /// A worker is to finish what it serves within this time; the answer is `Drained`.
    pub fn drain(&self, run: u64, time: Duration) {
        self.tell(Input::Drain(run, time));
    }

    /// An app is to have no run any more: what is bound for it alone is closed.
    pub fn release(&self, app: u32) {
        self.tell(Input::Release(app));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.inputs = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Link {
    out: UnboundedSender<Outgoing>,
    user: Option<Identity>,
    /// The preload is there.
    drains: bool,
    /// It was told to leave.
    leaves: bool,
    /// People know that it listens, or will soon.
    told: bool,
    late: bool,
    app: u32,
    heard: Vec<channel::Said>,
}

struct Actor {
    state: State,
    links: HashMap<WorkerId, Link>,
    sockets: HashMap<KeyId, Socket>,
    conns: HashMap<ConnId, Rc<OwnedFd>>,
    conn: ConnId,
    retrying: bool,
    /// Sockets that are closed soon unless those asks for them that came in the place of their last holder.
    unheld: HashSet<KeyId>,
    /// Apps of which it was told that they want too many.
    full: HashSet<u32>,
    own: mpsc::WeakUnboundedSender<Input>,
    tell: Box<dyn Fn(News)>,
}

impl Actor {
    async fn run(mut self, mut news: UnboundedReceiver<Input>) {
        while let Some(input) = news.recv().await {
            self.handle(input);
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Attach { worker, app, slot, socket, user } => self.attach(worker, app, slot, socket, user),
            Input::Say(worker, text) if self.links.contains_key(&worker) => self.say(worker, text.to_owned(), None),
            // It has closed its channel, and may run on.
            Input::Say(worker, _) => (self.tell)(News::Unheard(worker)),
            Input::Retire(worker) => self.state.leave(worker),
            Input::Drain(worker, time) => self.drain(worker, time),
            Input::Release(app) => {
                self.full.remove(&app);
                let effects = self.state.release(app);
                self.perform(effects);
            }
            Input::Said(worker, said, _room) => self.said(worker, said),
            Input::Gone(worker, end) => self.gone(worker, end),
            Input::Accepted(key, conn) => {
                self.conn += 1;
                self.conns.insert(self.conn, Rc::new(conn));
                let effects = self.state.accepted(key, self.conn);
                self.perform(effects);
            }
            Input::Unheld(key) => {
                self.unheld.remove(&key);
                let effects = self.state.close_unless_held(key);
                self.perform(effects);
            }
            Input::Retry => {
                self.retrying = false;
                let effects = self.state.retry();
                self.perform(effects);
            }
            Input::Drained(worker) => self.drained(worker),
            Input::Late(worker) => self.is_up(worker, true),
            Input::Left(worker) => (self.tell)(News::Drained(worker)),
        }
    }

    fn attach(&mut self, worker: WorkerId, app: u32, slot: u16, socket: OwnedFd, user: Option<Identity>) {
        #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
        let Ok(socket) = AsyncFd::new(socket) else { return };
        let (out, told) = mpsc::unbounded_channel();
        let user = user.filter(|user| user.user != geteuid().as_raw());
        self.state.attach(worker, app, slot, user.as_ref().map(|user| user.user));
        self.links.insert(worker, Link { out, user, drains: false, leaves: false, told: false, late: false, app, heard: Vec::new() });
        let own = self.own.clone();
        tokio::task::spawn_local(async move {
            // The first of each of the app's: it may say a hundred thousand things a second.
            let (mut ready, mut other) = (false, false);
            let room = Arc::new(Semaphore::new(UNSEEN));
            let tell = |input| own.upgrade().map(|own| own.send(input).is_ok());
            let end = link::serve(socket, told, async |said| {
                let known = match said {
                    Said::Ready => std::mem::replace(&mut ready, true),
                    Said::Other => std::mem::replace(&mut other, true),
                    Said::Nothing => true,
                    _ => false,
                };
                if !known && let Ok(permit) = Arc::clone(&room).acquire_owned().await {
                    tell(Input::Said(worker, said, permit));
                }
            });
            let end = end.await;
            tell(Input::Gone(worker, end));
        });
    }

    fn say(&self, worker: WorkerId, text: String, descriptor: Option<Rc<OwnedFd>>) {
        // What a worker that is gone was to get, the news of its end sees to.
        if let Some(link) = self.links.get(&worker) {
            let _ = link.out.send(Outgoing { text, descriptor });
        }
    }

    fn said(&mut self, worker: WorkerId, said: Said) {
        let Some(link) = self.links.get_mut(&worker) else { return };
        let own = if said == Said::Ready { channel::Said::Ready } else { channel::Said::Something };
        if !link.heard.contains(&own) {
            link.heard.push(own);
            (self.tell)(News::Said(worker, own));
        }
        link.drains |= said == Said::Drains;
        let (up, drained) = (said == Said::Listening, said == Said::Drained && link.leaves);
        let user = link.user.as_ref();
        let Self { state, sockets, .. } = self;
        let effects = state.said(worker, said, &mut |key, query, stale| held::open(sockets, key, query, stale, user));
        self.perform(effects);
        if up {
            self.is_up(worker, false);
        }
        if drained {
            self.drained(worker);
        }
    }

    /// A server of a worker is up. `late`: it has had its time for the rest.
    fn is_up(&mut self, worker: WorkerId, late: bool) {
        let Some(link) = self.links.get_mut(&worker).filter(|link| !link.told) else { return };
        match self.state.listens(worker) {
            Some(all) if all || late => {
                link.told = true;
                (self.tell)(News::Listening(worker));
            }
            Some(_) if std::mem::replace(&mut link.late, true) => {}
            Some(_) => self.later(REST, Input::Late(worker)),
            None => {}
        }
    }

    fn drain(&mut self, worker: WorkerId, time: Duration) {
        self.state.leave(worker);
        let Some(link) = self.links.get_mut(&worker) else {
            // Its channel is gone already.
            (self.tell)(News::Drained(worker));
            return;
        };
        link.leaves = true;
        let time = if link.drains { time.max(LEAST) } else { LEAST };
        self.say(worker, wire::drain(), None);
        self.later(time, Input::Drained(worker));
    }

    /// By the preload's word, or by time, whichever comes first.
    fn drained(&mut self, worker: WorkerId) {
        let Some(link) = self.links.get_mut(&worker).filter(|link| link.leaves) else { return };
        link.leaves = false;
        if link.drains {
            // It is stopped as any other, and over a channel that is open: by the message or the signal that it has a handler for.
            (self.tell)(News::Drained(worker));
        } else {
            let effects = self.state.disconnect(worker);
            self.perform(effects);
        }
    }

    fn gone(&mut self, worker: WorkerId, end: End) {
        self.links.remove(&worker);
        match end {
            End::Heard => {}
            End::Unheard => (self.tell)(News::Unheard(worker)),
            End::Deaf => {
                (self.tell)(News::Deaf(worker));
                (self.tell)(News::Unheard(worker));
            }
        }
        let effects = self.state.gone(worker);
        self.perform(effects);
        self.later(CLOSING, Input::Left(worker));
    }

    fn later(&self, after: Duration, input: Input) {
        let own = self.own.clone();
        tokio::task::spawn_local(async move {
            sleep(after).await;
            own.upgrade().map(|own| own.send(input).is_ok())
        });
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(worker, text) => self.say(worker, text, None),
                Effect::SendSocket(worker, text, key) => {
                    let socket = self.sockets.get(&key).map(|socket| Rc::clone(&socket.listening));
                    self.say(worker, text, socket);
                }
                Effect::SendConnection(worker, text, conn) => self.say(worker, text, self.conns.get(&conn).cloned()),
                Effect::Accept(key) => self.accept(key),
                Effect::Drop(conn) => drop(self.conns.remove(&conn)),
                Effect::CloseUnlessHeld(key, true) => self.later(CLOSED, Input::Unheld(key)),
                Effect::CloseUnlessHeld(key, false) if self.unheld.insert(key) => self.later(UNASKED, Input::Unheld(key)),
                Effect::CloseUnlessHeld(_, false) => {}
                Effect::Full(worker, own) => {
                    if let Some(link) = self.links.get(&worker)
                        && self.full.insert(link.app)
                    {
                        (self.tell)(News::Full(worker, own));
                    }
                }
                Effect::Close(key) => drop(self.sockets.remove(&key)),
            }
        }
        if self.state.is_refused() && !self.retrying {
            self.retrying = true;
            self.later(REFUSED, Input::Retry);
        }
    }

    fn accept(&mut self, key: KeyId) {
        let Some(socket) = self.sockets.get_mut(&key) else { return };
        let own = self.own.clone();
        socket.accept(move |conn| drop(own.upgrade().map(|own| own.send(Input::Accepted(key, conn)))));
    }
}
