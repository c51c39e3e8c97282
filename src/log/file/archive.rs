//! The files of a log on disk: those put away are listed, put away, thinned out and compressed.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, BufWriter, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use rustix::{
    fs::{FlockOperation, OFlags, Stat, flock},
    io::Errno,
};

use super::{
    place::{self, Place, Spot},
    rotate::{self, Archive, COMPRESSED, Present, Rotation, Step, UNFINISHED},
    times,
};

/// How many runners may put the same file away in the same millisecond.
const AT_ONCE: usize = 100;

/// How much less of the processor compressing gets than everything else, nice(2).
const NICE: i32 = 10;

/// A log file and what was put away of it.
fn present(spot: &Spot) -> io::Result<Present> {
    let path = spot.path().to_owned();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut archives: Vec<Archive> = Vec::new();
    for own in spot.names()? {
        let rest = own.to_str().and_then(|own| own.strip_prefix(name)?.strip_prefix('.'));
        let Some((stamp, ending)) = rest.and_then(rotate::stamp) else { continue };
        let Ok(about) = spot.beside(Path::new(&own)).about() else { continue };
        let bytes = size(&about);
        match archives.iter_mut().find(|archive| archive.stamp == stamp) {
            Some(archive) => archive.forms.push((ending, bytes)),
            None => archives.push(Archive { stamp: stamp.to_owned(), forms: vec![(ending, bytes)] }),
        }
    }
    let size = spot.about().map_or(0, |about| size(&about));
    Ok(Present { path, size, archives })
}

fn size(about: &Stat) -> u64 {
    u64::try_from(about.st_size).unwrap_or(0)
}

/// The stamps of those that were put away of a file, the newest last.
pub fn stamps(spot: &Spot) -> Vec<String> {
    // A folder is not read at one moment: one whose compressed form takes its place meanwhile may be seen in neither, but only once.
    let looks = [present(spot), present(spot)];
    let mut stamps: Vec<String> = looks.into_iter().flatten().flat_map(|look| look.archives).map(|archive| archive.stamp).collect();
    stamps.sort();
    stamps.dedup();
    stamps
}

/// Puts a file away at this time and thins out what was put away of it and of those that count together with it; without a time, thins
/// out alone. What may be compressed comes back: while somebody has it open to write, it is not.
///
/// # Errors
/// It cannot be put away. What cannot be deleted stays, and is met again the next time.
pub fn rotate(spot: &Spot, together: &[PathBuf], rotation: &Rotation, now: Option<Timestamp>) -> io::Result<Vec<Spot>> {
    let found = together.iter().filter_map(|path| match place::find(path, None) {
        Ok(Place::Spot(other)) if other.path() != spot.path() => Some(other),
        // What cannot be looked at is not there.
        Ok(_) | Err(_) => None,
    });
    let spots: Vec<Spot> = std::iter::once(spot.clone()).chain(found).collect();
    'again: for _ in 0..AT_ONCE {
        let files: Vec<Present> = spots.iter().filter_map(|spot| present(spot).ok()).collect();
        let own = |path: &Path| spots.iter().find(|spot| spot.path().parent() == path.parent()).unwrap_or(spot).beside(path);
        let mut plain = Vec::new();
        for step in rotate::steps(rotation, &files, now) {
            match step {
                Step::Rename { from, to } => match own(&from).rename(&own(&to)) {
                    // Another runner has put one away in the same millisecond.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue 'again,
                    result => {
                        result?;
                        // It may have none.
                        let _ = own(&times::beside(&from)).replace(&own(&times::beside(&to)));
                    }
                },
                Step::Delete(path) => {
                    let _ = (own(&path).remove(), own(&times::beside(&path)).remove());
                }
                Step::Compress(path) => plain.push(own(&path)),
            }
        }
        return Ok(plain);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The thread `pmdev-compress`, which is there while there is something to compress.
#[derive(Debug, Clone, Default)]
pub struct Compressor(Arc<Mutex<Work>>);

#[derive(Debug, Default)]
struct Work {
    files: VecDeque<Spot>,
    thread: bool,
}

impl Compressor {
    /// Compresses files that were put away, some time. Where there can be no thread they stay as they are until the next one is put away.
    pub fn add(&self, files: Vec<Spot>) {
        let mut work = self.work();
        for file in files {
            if !work.files.iter().any(|known| known.path() == file.path()) {
                work.files.push_back(file);
            }
        }
        if !work.thread && !work.files.is_empty() {
            let own = self.clone();
            work.thread = std::thread::Builder::new().name("pmdev-compress".to_owned()).spawn(move || own.run()).is_ok();
        }
    }

    fn run(&self) {
        // In Linux a thread has a niceness of its own; where it has not, it stays as it is.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        loop {
            let Some(file) = self.next() else { return };
            // A full disk: the file is good as it is, and there are fewer of them later.
            let _ = compress(&file);
        }
    }

    fn next(&self) -> Option<Spot> {
        let mut work = self.work();
        let next = work.files.pop_front();
        work.thread = next.is_some();
        next
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says of an open file that nobody may compress it, or that nobody else may write or compress it; false: somebody else has said so. Runners
/// may share a file, and one of them may still write into what the other has put away.
pub fn claim(file: &File, alone: bool) -> bool {
    let operation = if alone { FlockOperation::NonBlockingLockExclusive } else { FlockOperation::NonBlockingLockShared };
    // Where there are no locks, as on some network file systems, nobody else has one.
    flock(file, operation) != Err(Errno::WOULDBLOCK)
}

/// Compresses a file beside itself; at no time is there less than one whole copy of it.
fn compress(spot: &Spot) -> io::Result<()> {
    let named = |ending: &str| {
        let mut name = spot.path().as_os_str().to_owned();
        name.push(ending);
        spot.beside(Path::new(&name))
    };
    let (unfinished, done) = (named(UNFINISHED), named(COMPRESSED));
    let mut plain = spot.open(OFlags::RDONLY, 0)?;
    if !claim(&plain, true) || !spot.holds(&plain) {
        return Ok(());
    }
    let result = write_compressed(&mut plain, &unfinished).and_then(|()| {
        // It may have been deleted meanwhile, because too many were put away after it.
        spot.about()?;
        unfinished.replace(&done)?;
        spot.remove()
    });
    if result.is_err() {
        let _ = unfinished.remove();
    }
    result
}

fn write_compressed(plain: &mut File, to: &Spot) -> io::Result<()> {
    // One that a runner left when it was killed is no use to anybody.
    let _ = to.remove();
    let file = to.open(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, plain.metadata()?.mode() & 0o777)?;
    let mut encoder = GzEncoder::new(BufWriter::new(file), Compression::default());
    io::copy(&mut BufReader::with_capacity(64 << 10, &mut *plain), &mut encoder)?;
    let mut out = encoder.finish()?;
    out.flush()?;
    // That is when the last of its lines was written, at the latest.
    out.get_ref().set_modified(plain.metadata()?.modified()?)?;
    // Before the plain file goes.
    out.get_ref().sync_data()
}

#[cfg(test)]
mod tests;
