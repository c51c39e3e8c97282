//! The standard input of runs: a pipe that stays open for the life of the run, or their terminal; and, for one app, the lines typed at the
//! runner.

use std::{collections::HashMap, io, os::fd::OwnedFd};

use tokio::{
    io::{AsyncWriteExt, Interest, unix::AsyncFd},
    net::unix::pipe,
    sync::mpsc::{self, Receiver, Sender},
    task,
};

use super::runner::Runner;
use crate::model::{AppId, RunId};

/// Lines that may wait for an app besides what its pipe holds; while there are so many, nothing more is read.
const WAITING: usize = 16;

/// What a terminal makes an end of file, termios(3).
const END_OF_FILE: u8 = 0x04;

/// The inputs of all runs.
#[derive(Default)]
pub struct Inputs {
    open: HashMap<RunId, Input>,
    target: Option<AppId>,
    /// Nothing will be typed any more.
    over: bool,
    /// It was told that nobody takes lines now.
    told: bool,
}

enum Input {
    /// Kept open, and not written so far.
    Idle(OwnedFd),
    /// It is written to on request alone; nobody who types waits for it.
    Told(Sender<Vec<u8>>),
    /// A task writes what is sent here, so that an app that does not read holds up nobody but the typist.
    Fed(Sender<Vec<u8>>),
    /// Its terminal, which is written in the same way; whether the typist's lines go there.
    Terminal(Sender<Vec<u8>>, bool),
}

/// What became of a typed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Lines are not for an app.
    Ours,
    /// The app has it.
    Sent,
    /// It is the app's, but no run of it takes input.
    Lost {
        /// Whether this is the first such line since its last run began.
        first: bool,
    },
}

impl Runner {
    /// Typed lines go to the app that shall have them, whatever its id is now.
    pub fn feed_input(&mut self) {
        if let Some(app) = self.stdin.as_ref().and_then(|name| self.apps.named(name)) {
            self.inputs.feed(app);
        }
    }
}

impl Inputs {
    /// Typed lines go to this app.
    pub fn feed(&mut self, app: AppId) {
        self.target = Some(app);
    }

    /// Keeps the pipe of a new run.
    pub fn opened(&mut self, app: AppId, run: RunId, pipe: OwnedFd) {
        if self.target == Some(app) {
            self.told = false;
            if !self.over {
                self.open.extend(feed(pipe).map(|input| (run, input)));
            }
        } else {
            self.open.insert(run, Input::Idle(pipe));
        }
    }

    /// Takes the terminal of a new run; gives what takes the keys that are pressed there.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn opened_terminal(&mut self, app: AppId, run: RunId, terminal: OwnedFd) -> io::Result<Sender<Vec<u8>>> {
        #[expect(deprecated, reason = "an OwnedFd keeps the promise for which the newer call asks for unsafe")]
        let terminal = AsyncFd::with_interest(terminal, Interest::WRITABLE)?;
        let (keys, queue) = mpsc::channel(WAITING);
        task::spawn_local(press_all(terminal, queue));
        let fed = self.target == Some(app);
        self.told &= !fed;
        self.open.insert(run, Input::Terminal(keys.clone(), fed));
        Ok(keys)
    }

    /// Closes the input of a run that is over.
    pub fn closed(&mut self, run: RunId) {
        self.open.remove(&run);
    }

    /// Waits until the app has room for one more line: an app that does not read must not fill our memory.
    pub async fn room(&self) {
        for input in self.open.values() {
            match input {
                // An error means that it closed its input; then its lines go nowhere.
                Input::Fed(lines) | Input::Terminal(lines, true) => drop(lines.reserve().await),
                Input::Idle(_) | Input::Told(_) | Input::Terminal(_, false) => {}
            }
        }
    }

    /// Sends a typed line to the app's runs, which have [`room`](Self::room).
    pub fn line(&mut self, mut line: Vec<u8>) -> Fate {
        if self.target.is_none() {
            return Fate::Ours;
        }
        line.push(b'\n');
        let mut sent = false;
        for input in self.open.values() {
            match input {
                Input::Fed(lines) => sent |= lines.try_send(line.clone()).is_ok(),
                Input::Terminal(keys, true) => sent |= keys.try_send(as_keys(line.clone())).is_ok(),
                Input::Idle(_) | Input::Told(_) | Input::Terminal(_, false) => {}
            }
        }
        if sent { Fate::Sent } else { Fate::Lost { first: !std::mem::replace(&mut self.told, true) } }
    }

    /// One reading is at its end: the input of the app's present runs ends too.
    pub fn end(&mut self) {
        self.open.retain(|_, input| match input {
            Input::Fed(_) => false,
            // There is no other way to say so on a terminal, and it stays open.
            Input::Terminal(keys, true) => {
                let _ = keys.try_send(vec![END_OF_FILE]);
                true
            }
            Input::Idle(_) | Input::Told(_) | Input::Terminal(_, false) => true,
        });
    }

    /// Sends bytes to a run, whoever gets what is typed; false if it has no open input, or does not read it.
    pub fn send(&mut self, run: RunId, bytes: Vec<u8>) -> bool {
        let Some(input) = self.open.remove(&run) else { return false };
        let input = match input {
            Input::Idle(pipe) => {
                let Some(lines) = lines_into(pipe) else { return false };
                Input::Told(lines)
            }
            Input::Told(_) | Input::Fed(_) | Input::Terminal(..) => input,
        };
        let sent = match &input {
            Input::Told(lines) | Input::Fed(lines) => lines.try_send(bytes).is_ok(),
            Input::Terminal(keys, _) => keys.try_send(as_keys(bytes)).is_ok(),
            Input::Idle(_) => false,
        };
        self.open.insert(run, input);
        sent
    }

    /// Nothing will be typed any more: the input of later runs is at its end from the beginning.
    pub fn over(&mut self) {
        self.over = true;
        self.end();
    }
}

fn feed(pipe: OwnedFd) -> Option<Input> {
    lines_into(pipe).map(Input::Fed)
}

fn lines_into(pipe: OwnedFd) -> Option<Sender<Vec<u8>>> {
    // It is a pipe of our own making; without memory for one more registration the app finds its input at an end.
    let pipe = pipe::Sender::from_owned_fd(pipe).ok()?;
    let (lines, queue) = mpsc::channel(WAITING);
    task::spawn_local(write_all(pipe, queue));
    Some(lines)
}

/// A line as it is typed: the key that ends it is Return, which a terminal makes a line end of where the app leaves that to it.
fn as_keys(mut line: Vec<u8>) -> Vec<u8> {
    if let Some(end @ b'\n') = line.last_mut() {
        *end = b'\r';
    }
    line
}

async fn press_all(terminal: AsyncFd<OwnedFd>, mut keys: Receiver<Vec<u8>>) {
    while let Some(bytes) = keys.recv().await {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Ok(mut ready) = terminal.writable().await else { return };
            match ready.try_io(|terminal| Ok(rustix::io::write(terminal, rest)?)) {
                Ok(Ok(count)) => rest = &rest[count..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return,
                Err(_would_block) => {}
            }
        }
    }
}

async fn write_all(mut pipe: pipe::Sender, mut lines: Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if pipe.write_all(&line).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read as _, time::Duration};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);
    const APP: AppId = AppId(0);

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        task::LocalSet::new().block_on(&runtime, async { tokio::time::timeout(DEADLINE, test).await.expect("the test takes too long") });
    }

    fn fed() -> Inputs {
        let mut inputs = Inputs::default();
        inputs.feed(APP);
        inputs
    }

    /// Begins a run; returns the app's end of its input.
    fn begin(inputs: &mut Inputs, run: u64) -> File {
        let (theirs, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe can be made");
        inputs.opened(APP, RunId(run), ours);
        File::from(theirs)
    }

    /// Whether there is room, when everything has come to rest.
    async fn has_room(inputs: &Inputs) -> bool {
        tokio::select! {
            biased;
            () = inputs.room() => true,
            () = async { for _ in 0..1000 { task::yield_now().await } } => false,
        }
    }

    #[test]
    fn an_app_that_does_not_read_holds_the_typist_back_until_it_reads() {
        const LINE: usize = 4096;
        run(async {
            let mut inputs = fed();
            let mut app = begin(&mut inputs, 1);
            let mut lines = 0;
            while has_room(&inputs).await {
                assert_eq!(inputs.line(vec![b'x'; LINE - 1]), Fate::Sent);
                lines += 1;
                assert!(lines * LINE <= (64 << 10) + (WAITING + 1) * LINE, "{lines} lines were taken");
            }
            let mut read = vec![0; LINE * lines];
            let reading = task::spawn_blocking(move || app.read_exact(&mut read).map(|()| app));
            inputs.room().await;
            let _open = reading.await.expect("it does not panic").expect("every line arrives");
        });
    }

    #[test]
    fn an_app_that_ends_without_reading_holds_nobody_back() {
        run(async {
            let mut inputs = fed();
            let _app = begin(&mut inputs, 1);
            while has_room(&inputs).await {
                inputs.line(vec![b'x'; 4096]);
            }
            inputs.closed(RunId(1));
            assert!(has_room(&inputs).await);
            assert_eq!(inputs.line(b"a".to_vec()), Fate::Lost { first: true });
            assert_eq!(inputs.line(b"b".to_vec()), Fate::Lost { first: false });
            let _app = begin(&mut inputs, 2);
            assert_eq!(inputs.line(b"c".to_vec()), Fate::Sent);
        });
    }

    #[test]
    fn ctrl_d_ends_the_input_of_the_run_and_the_end_of_a_pipe_that_of_every_run() {
        run(async {
            let read = |mut app: File| task::spawn_blocking(move || app.read_to_end(&mut Vec::new()).expect("it can be read"));
            let mut inputs = fed();
            let first = begin(&mut inputs, 1);
            inputs.line(b"bye".to_vec());
            inputs.end();
            assert_eq!(read(first).await.expect("it does not panic"), 4, "what was typed before arrives");
            let second = begin(&mut inputs, 2);
            assert_eq!(inputs.line(b"again".to_vec()), Fate::Sent);
            inputs.over();
            assert_eq!(read(second).await.expect("it does not panic"), 6);
            assert_eq!(read(begin(&mut inputs, 3)).await.expect("it does not panic"), 0);
        });
    }

    #[test]
    fn without_a_reader_lines_are_ours_and_inputs_stay_open() {
        run(async {
            let mut inputs = Inputs::default();
            let app = begin(&mut inputs, 1);
            inputs.over();
            assert_eq!(inputs.line(b"rs".to_vec()), Fate::Ours);
            rustix::io::ioctl_fionbio(&app, true).expect("it is a pipe");
            assert_eq!(rustix::io::read(&app, &mut [0; 8]).unwrap_err(), rustix::io::Errno::AGAIN, "no end of file");
        });
    }
}
