//! The background runner's own words, in a file: nobody looks at a terminal of it.
//! A thread of its own writes, so that a slow disk holds nobody up; what it cannot take is counted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender},
    },
    thread,
};

use jiff::{Timestamp, Zoned};

use crate::{
    control::endpoint::private_folder,
    model::{Error, Notice},
    ui::{Style, notice},
};

/// How large the file grows before it is put away as `pmdev.log.1`.
const LARGEST: u64 = 10 << 20;

/// As many lines wait at most.
const WAITING: usize = 1000;

/// Takes the words.
#[derive(Debug)]
pub struct Journal {
    lines: SyncSender<Vec<u8>>,
    lost: Arc<AtomicUsize>,
}

impl Journal {
    /// Opens `pmdev.log` in a home, which is made private.
    pub fn open(home: &Path) -> Result<Self, Error> {
        private_folder(home)?;
        let path = home.join("pmdev.log");
        let failed = |error: io::Error| Error::failed(format!("{} could not be opened", path.display())).because(error);
        let mut file = append(&path).map_err(failed)?;
        let (lines, waiting) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let lost = Arc::new(AtomicUsize::new(0));
        let missing = Arc::clone(&lost);
        let write = {
            let path = path.clone();
            move || {
                for line in waiting {
                    let gone = missing.swap(0, Ordering::Relaxed);
                    let gap = if gone > 0 { format!("[pmdev] {gone} lines are missing here\n") } else { String::new() };
                    let whole = [gap.as_bytes(), &line].concat();
                    let written = put_away(&path, &mut file).and_then(|()| file.write_all(&whole));
                    if written.is_err() {
                        missing.fetch_add(gone + 1, Ordering::Relaxed);
                    }
                }
            }
        };
        thread::Builder::new().name("pmdev-journal".to_owned()).spawn(write).map_err(failed)?;
        Ok(Self { lines, lost })
    }

    /// Writes whole lines, each after the time.
    pub fn write(&self, lines: &[u8]) {
        if self.lines.try_send(stamped(lines)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes a word of somebody else than the runner, which is not there to do it, into the file of a home.
pub fn note(home: &Path, notice: &Notice) {
    let lines = stamped(&notice::render(notice, Style { colour: false }, false, Timestamp::UNIX_EPOCH));
    // Nobody is left to be told of a file that cannot be written.
    let _ = append(&home.join("pmdev.log")).and_then(|mut file| file.write_all(&lines));
}

/// Whole lines, each after the time.
fn stamped(lines: &[u8]) -> Vec<u8> {
    let time = Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z ").to_string();
    lines.split_inclusive(|byte| *byte == b'\n').flat_map(|line| [time.as_bytes(), line].concat()).collect()
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Begins another file where this one is full, or gone.
fn put_away(path: &PathBuf, file: &mut File) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(about) if about.len() < LARGEST => return Ok(()),
        Ok(_) => fs::rename(path, path.with_extension("log.1"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    *file = append(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(look: impl Fn() -> bool) -> bool {
        (0..10_000).any(|_| {
            thread::yield_now();
            look() || {
                thread::park_timeout(std::time::Duration::from_millis(1));
                false
            }
        })
    }

    #[test]
    fn words_are_stamped_and_a_full_file_is_put_away() {
        let base = tempfile::tempdir().expect("a folder can be made");
        let home = base.path().join("home");
        let journal = Journal::open(&home).expect("the folder is ours");
        let path = home.join("pmdev.log");
        journal.write(b"[pmdev] one\n        more of it\n");
        assert!(until(|| fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 2)));
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.lines().all(|line| line.starts_with("20")) && text.contains(" [pmdev] one\n"), "{text}");
        OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(LARGEST)).expect("it is ours");
        journal.write(b"[pmdev] two\n");
        assert!(until(|| fs::read_to_string(&path).is_ok_and(|text| text.ends_with("two\n") && text.lines().count() == 1)));
        assert!(home.join("pmdev.log.1").exists());
        fs::remove_file(&path).expect("it is ours");
        journal.write(b"[pmdev] three\n");
        assert!(until(|| fs::read_to_string(&path).is_ok_and(|text| text.ends_with("three\n"))), "a file that was removed is made again");
    }
}
