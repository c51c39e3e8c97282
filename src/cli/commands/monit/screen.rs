//! Pictures on their way to the terminal: each is compared with the one before, and written by a thread of its own, one at a time. While the
//! terminal is slow, pictures are left out, and nobody waits for it.

use std::{
    io,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use ratatui::{
    backend::{Backend as _, ClearType, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};
use tokio::sync::Notify;

use crate::{
    cli::borrowed,
    ui::monitor::{self, State},
};

/// How long a terminal may take for the last picture.
const TO_FINISH: Duration = Duration::from_millis(500);

/// The screen.
pub struct Screen {
    /// What is on it; `None`: nobody knows.
    shown: Option<Buffer>,
    writer: mpsc::SyncSender<Vec<u8>>,
    idle: Arc<Idle>,
}

/// Whether the writer has nothing to write.
#[derive(Default)]
struct Idle {
    busy: Mutex<bool>,
    changed: std::sync::Condvar,
    told: Notify,
}

impl Idle {
    fn set(&self, busy: bool) {
        *self.lock() = busy;
        if !busy {
            self.changed.notify_all();
            self.told.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.busy.lock().expect("nobody panics with it")
    }
}

/// The columns and lines of the terminal; 80 and 24 where it does not know.
pub fn size() -> (u16, u16) {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

impl Screen {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn new() -> io::Result<Self> {
        let (writer, pictures) = mpsc::sync_channel::<Vec<u8>>(1);
        let idle = Arc::new(Idle::default());
        let done = Arc::clone(&idle);
        thread::Builder::new().name("pmdev-screen".into()).spawn(move || {
            while let Ok(picture) = pictures.recv() {
                borrowed::write_all(&picture);
                done.set(false);
            }
        })?;
        Ok(Self { shown: None, writer, idle })
    }

    /// Returns when a picture can be drawn: at `due`, and not before the one before is written.
    pub async fn ready(&self, due: Option<Instant>) {
        super::sleep_until(due).await;
        loop {
            let told = self.idle.told.notified();
            if !*self.idle.lock() {
                return;
            }
            told.await;
        }
    }

    /// Draws the picture.
    pub fn draw(&mut self, state: &State) {
        let (width, height) = state.size();
        let area = Rect::new(0, 0, width, height);
        let mut picture = Buffer::empty(area);
        monitor::draw(state, &mut picture);
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        let before = match self.shown.take().filter(|shown| shown.area == area) {
            Some(shown) => shown,
            None => {
                backend.clear_region(ClearType::All).expect("a Vec takes everything");
                Buffer::empty(area)
            }
        };
        backend.draw(before.diff(&picture).into_iter()).expect("a Vec takes everything");
        self.shown = Some(picture);
        self.idle.set(true);
        if self.writer.send(bytes).is_err() {
            self.idle.set(false);
        }
    }

    /// Draws everything anew the next time.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// Waits a moment for the last picture, so that it does not follow what gives the terminal back.
    pub fn wait(&self) {
        let busy = self.idle.lock();
        let _ = self.idle.changed.wait_timeout_while(busy, TO_FINISH, |busy| *busy);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.wait();
    }
}
