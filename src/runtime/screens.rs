//! The terminals of apps that have one: how large they are, what is typed into them, and who is attached.

use std::{cell::RefCell, collections::HashMap, io, os::fd::OwnedFd, pin::pin, rc::Rc, time::Duration};

use tokio::{
    sync::mpsc::{Receiver, Sender},
    time::sleep,
};

use super::{
    runner::{Runner, now},
    terminal,
};
use crate::{
    control::{AttachRequest, Bytes, Reply, Responder, Said},
    log::{Screen, screen::Seen},
    model::{self, AppSpec, InstanceId, LaunchFailure, Notice, RunId, Stage, Status},
    process::pty::{self, Pty, Size},
};

/// How long an app has another size, so that it notices.
const OTHER_SIZE: Duration = Duration::from_millis(50);

/// The terminals, by whose they are: each outlives its runs.
#[derive(Default)]
pub struct Screens(HashMap<InstanceId, Rc<Seat>>);

/// The terminal of an instance.
#[derive(Default)]
struct Seat {
    screen: Screen,
    now: RefCell<Now>,
}

#[derive(Default)]
struct Now {
    /// The run that has it.
    live: Option<Live>,
    /// What the latest of those who are attached said of theirs.
    size: Option<Size>,
}

struct Live {
    run: RunId,
    /// Takes what is typed.
    keys: Sender<Vec<u8>>,
    master: OwnedFd,
}

impl Seat {
    /// That of who is attached, else of the runner's own terminal.
    fn size(&self) -> Size {
        self.now.borrow().size.unwrap_or_else(own_size)
    }

    /// A client without a terminal has no size (0), and leaves this one as it is. Whether the app has to draw everything: it is told only
    /// of another size.
    fn resize(&self, size: Size) -> bool {
        if size.columns == 0 || size.lines == 0 {
            return false;
        }
        self.change_size(Some(size))
    }

    /// Nobody is attached any more.
    fn left(&self) {
        self.change_size(None);
    }

    /// Has it the size of who is attached; whether that is another one.
    fn change_size(&self, attached: Option<Size>) -> bool {
        let before = self.size();
        self.now.borrow_mut().size = attached;
        let size = self.size();
        if before != size {
            self.screen.resized();
        }
        self.set_size(size);
        before != size
    }

    fn set_size(&self, size: Size) {
        if let Some(live) = &self.now.borrow().live {
            // It fails only once the terminal is of no use to anybody.
            let _ = pty::resize(&live.master, size);
        }
    }

    /// Has the app draw everything: programs do when the size is another one, and only then. They are given time to notice, since two
    /// changes at once would be none.
    fn redraw(self: &Rc<Self>) {
        let size = self.size();
        self.set_size(Size { lines: if size.lines > 1 { size.lines - 1 } else { 2 }, ..size });
        let seat = Rc::clone(self);
        tokio::task::spawn_local(async move {
            sleep(OTHER_SIZE).await;
            // It may be another one meanwhile.
            seat.set_size(seat.size());
        });
    }

    /// Waits until the app has room for it; what is typed while there is no run goes nowhere.
    async fn type_in(&self, bytes: Vec<u8>) {
        let keys = self.now.borrow().live.as_ref().map(|live| live.keys.clone());
        if let Some(keys) = keys {
            // An error means that the run has ended meanwhile.
            let _ = keys.send(bytes).await;
        }
    }
}

/// The size of the runner's own terminal.
fn own_size() -> Size {
    let (columns, lines) = terminal::size();
    Size { columns: u16::try_from(columns).unwrap_or(u16::MAX), lines: u16::try_from(lines).unwrap_or(u16::MAX) }
}

impl Screens {
    /// Makes the terminal for a run of an instance that is about to start.
    pub fn open(&self, instance: InstanceId) -> Result<Pty, LaunchFailure> {
        let size = self.0.get(&instance).map_or_else(own_size, |seat| seat.size());
        Pty::open(size).map_err(|error| LaunchFailure {
            stage: Stage::Terminal,
            object: String::new(),
            errno: error.raw_os_error().unwrap_or_default(),
        })
    }

    /// A run has its terminal; `keys` takes what is typed. Gives what shows what it says.
    ///
    /// # Errors
    /// No descriptors are left.
    pub fn begin(&mut self, instance: InstanceId, run: RunId, master: &OwnedFd, keys: Sender<Vec<u8>>) -> io::Result<Screen> {
        let master = master.try_clone()?;
        let seat = self.0.entry(instance).or_default();
        seat.screen.renew();
        seat.now.borrow_mut().live = Some(Live { run, keys, master });
        Ok(seat.screen.clone())
    }

    /// Nothing of a run is left: what still holds its terminal feels a hang-up.
    pub fn closed(&mut self, run: RunId) {
        for seat in self.0.values() {
            seat.now.borrow_mut().live.take_if(|live| live.run == run);
        }
    }

    /// The runner's own terminal has another size; it counts where nobody is attached.
    pub fn resized(&self) {
        for seat in self.0.values().filter(|seat| seat.now.borrow().size.is_none()) {
            seat.screen.resized();
            seat.set_size(own_size());
        }
    }

    /// Tells those who are attached that this was all.
    pub fn end(&mut self, why: &str) {
        self.0.drain().for_each(|(_, seat)| seat.screen.end(why));
    }
}

impl Runner {
    /// Attaches a client to the terminal of an instance.
    pub fn attach(&mut self, request: AttachRequest, responder: &Responder, said: Receiver<Said>) -> Result<(), Reply> {
        let AttachRequest { target, columns, lines } = request;
        let ids = self.targets(std::slice::from_ref(&target))?;
        let [id] = ids[..] else { return Err(self.too_many(&target, &ids)) };
        let Some(spec) = self.apps.spec(id.app).cloned() else { return Err(Reply::refused(1, format!("{target} is being deleted"))) };
        let name = called(&spec, id);
        if !spec.tty {
            return Err(Reply::refused(1, format!("{name} has no terminal: start it with tty: true (--tty)")));
        }
        let seat = Rc::clone(self.screens.0.entry(id).or_default());
        let told = seat.resize(Size { columns, lines });
        let (view, bytes, draws) = seat.screen.view(usize::from(lines));
        if seat.now.borrow().live.is_none() {
            seat.screen.note(&format!("{name} does not run now"));
        }
        let responder = responder.clone();
        tokio::task::spawn_local(async move {
            let seen = Rc::clone(&seat);
            let shown = async move {
                let begun = responder.tell(Reply::Attached { name }).await && responder.tell(Reply::Bytes(Bytes { bytes })).await;
                if begun && draws && !told {
                    seen.redraw();
                }
                while let Some(next) = view.next().await {
                    if matches!(next, Seen::LeftOut(_)) && seen.screen.draws() {
                        seen.redraw();
                    }
                    let reply = match next {
                        Seen::Bytes(bytes) => Reply::Bytes(Bytes { bytes }),
                        Seen::Note(text) => Reply::Note { text },
                        Seen::LeftOut(bytes) => Reply::Missed { bytes },
                        Seen::End(why) => Reply::Detached { why },
                    };
                    if !responder.tell(reply).await {
                        return;
                    }
                }
            };
            let mut typed = pin!(hear(&seat, said));
            tokio::select! {
                // It is over with the app, or with the client, who may have said something before it went.
                () = shown => typed.await,
                () = &mut typed => {}
            }
            if !seat.screen.is_seen() {
                seat.left();
            }
        });
        Ok(())
    }

    fn too_many(&self, target: &str, ids: &[InstanceId]) -> Reply {
        let named = |id: &InstanceId| self.apps.spec(id.app).map(|spec| called(spec, *id));
        let names: Vec<String> = ids.iter().filter_map(named).collect();
        let message = format!("{target} names {} instances, and one at a time is attached to", ids.len());
        Reply::Refused { code: 1, message, hint: Some(format!("name one of {}", names.join(", "))) }
    }

    /// Tells those who are attached to an app what people are told of it.
    pub fn tell_attached(&self, notice: &Notice) {
        let Some(about) = &notice.app else { return };
        for (id, seat) in self.screens.0.iter().filter(|(_, seat)| seat.screen.is_seen()) {
            if self.apps.spec(id.app).is_some_and(|spec| *about == spec.name || *about == called(spec, *id)) {
                seat.screen.note(&notice.text);
            }
        }
    }

    /// Lets go those whose app was stopped or deleted: nothing comes by itself there any more.
    pub fn look_at_screens(&mut self) {
        if self.screens.0.values().all(|seat| seat.now.borrow().live.is_some()) {
            return;
        }
        let apps = self.supervisor.snapshot(now()).apps;
        self.screens.0.retain(|id, seat| {
            if seat.now.borrow().live.is_some() {
                return true;
            }
            let known = apps.iter().find(|app| app.id == id.app).map(|app| (app, app.instances.iter().find(|one| one.id == *id)));
            let Some((app, Some(instance))) = known else {
                seat.screen.end("it was deleted");
                return false;
            };
            if instance.status == Status::Stopped && seat.screen.is_seen() {
                match instance.exit {
                    // A save starts it again.
                    Some(_) if app.watched => {}
                    Some(_) => seat.screen.end("it has ended, and is not started again by itself"),
                    None => seat.screen.end("it is stopped"),
                }
            }
            true
        });
    }
}

/// Does what a client says, until it has gone.
async fn hear(seat: &Seat, mut said: Receiver<Said>) {
    while let Some(said) = said.recv().await {
        match said {
            Said::Keys { bytes } => seat.type_in(bytes).await,
            Said::Size { columns, lines } => {
                seat.resize(Size { columns, lines });
            }
        }
    }
}

fn called(spec: &AppSpec, id: InstanceId) -> String {
    model::called(&spec.name, spec.instances, id.slot)
}
