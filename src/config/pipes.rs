//! Files that can be read only once, such as the pipe of `--env-file <(decrypt .env)`: what came out of them is kept for the next reading.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
};

use crate::model::HumanDuration;

/// As much as is read of what has no length, in bytes.
const LONGEST: u64 = 1 << 20;

/// What was read from pipes; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pipes {
    kept: Arc<Mutex<HashMap<PathBuf, String>>>,
    limit: Option<Duration>,
}

impl Pipes {
    /// The same, and nobody is waited for longer than this: whoever reads then has other things to do.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self.clone() }
    }

    /// The text of a file: as it is now, or as it was when it was read first where it is no regular file.
    ///
    /// # Errors
    /// As of `read_to_string`; a pipe that is not read to its end in time, and with a limit anything else that may be waited for.
    pub fn read(&self, file: &Path) -> io::Result<String> {
        if file.is_file() {
            return fs::read_to_string(file);
        }
        if let Some(text) = self.text(file) {
            return Ok(text);
        }
        let text = match self.limit {
            None => io::read_to_string(File::open(file)?.take(LONGEST))?,
            Some(_) if !file.metadata()?.file_type().is_fifo() => {
                let why = "it is neither a file nor a pipe; what a terminal or a device holds is read at the start of pmdev alone";
                return Err(io::Error::other(why));
            }
            Some(limit) => read_within(file, limit)?,
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned(), text.clone());
        Ok(text)
    }

    /// Whether this file was read, and cannot be again.
    pub fn knows(&self, file: &Path) -> bool {
        self.text(file).is_some()
    }

    fn text(&self, file: &Path) -> Option<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }
}

/// Reads a pipe to its end. Opened so, a pipe that nobody has opened for writing can be waited for (fifo(7)).
#[expect(clippy::disallowed_methods, reason = "the limit is one of time, and a slow writer must not begin it anew with each byte")]
fn read_within(file: &Path, limit: Duration) -> io::Result<String> {
    let deadline = Instant::now() + limit;
    let late = || {
        let why = format!(
            "it is a pipe, and nobody wrote it to its end within {}; save the project file again once somebody does",
            HumanDuration(limit)
        );
        io::Error::other(why)
    };
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).expect("the flags of open(2) are an int");
    let mut pipe = OpenOptions::new().read(true).custom_flags(flags).open(file)?.take(LONGEST);
    let mut bytes = Vec::new();
    loop {
        let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).map_err(io::Error::other)?;
        let mut waited = [PollFd::new(pipe.get_ref(), PollFlags::IN)];
        match poll(&mut waited, Some(&left)) {
            Ok(0) => return Err(late()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match pipe.read_to_end(&mut bytes) {
            Ok(_) => return String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
