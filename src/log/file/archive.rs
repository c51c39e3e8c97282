//! The files of a log on disk: those put away are listed, put away, thinned out and compressed.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;

use super::rotate::{self, Archive, COMPRESSED, Present, Rotation, Step, UNFINISHED};

/// Links followed to find out where a log file really is; the kernel's own limit, path_resolution(7).
const LINKS: usize = 40;

/// How much less of the processor compressing gets than everything else, nice(2).
const NICE: i32 = 10;

/// Where a log file really is, links followed; `None` where it is no place to put anything away: a device, or what `/dev/stdout` leads to.
pub fn real(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if path.starts_with("/dev") || path.starts_with("/proc") {
            return None;
        }
        match fs::read_link(&path) {
            Ok(target) => {
                let joined = path.parent().unwrap_or(Path::new("/")).join(target);
                path = if joined.components().any(|part| part == Component::ParentDir) { parent_resolved(&joined)? } else { joined };
            }
            Err(_) => return Some(path),
        }
    }
    None
}

fn parent_resolved(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// A log file and what was put away of it; what cannot be looked at is not there.
fn present(path: &Path) -> Option<Present> {
    let path = real(path)?;
    let name = path.file_name()?.to_str()?;
    let mut archives: Vec<Archive> = Vec::new();
    for entry in fs::read_dir(path.parent()?).into_iter().flatten().flatten() {
        let own = entry.file_name();
        let rest = own.to_str().and_then(|own| own.strip_prefix(name)?.strip_prefix('.'));
        let Some((stamp, ending)) = rest.and_then(rotate::stamp) else { continue };
        let Ok(about) = entry.metadata() else { continue };
        match archives.iter_mut().find(|archive| archive.stamp == stamp) {
            Some(archive) => archive.forms.push((ending, about.len())),
            None => archives.push(Archive { stamp: stamp.to_owned(), forms: vec![(ending, about.len())] }),
        }
    }
    let size = fs::metadata(&path).map_or(0, |about| about.len());
    Some(Present { path, size, archives })
}

/// The stamps of those that were put away of a file, the newest last.
pub fn stamps(path: &Path) -> Vec<String> {
    // A folder is not read at one moment: one whose compressed form takes its place meanwhile may be seen in neither, but only once.
    let looks = [present(path), present(path)];
    let mut stamps: Vec<String> = looks.into_iter().flatten().flat_map(|look| look.archives).map(|archive| archive.stamp).collect();
    stamps.sort();
    stamps.dedup();
    stamps
}

/// Puts a file away at this time and thins out what was put away of it and of those that count together with it; without a time, thins
/// out alone.
///
/// # Errors
/// It cannot be put away. What cannot be deleted stays, and is met again the next time.
pub fn rotate(path: &Path, together: &[PathBuf], rotation: &Rotation, now: Option<Timestamp>, compressor: &Compressor) -> io::Result<()> {
    let others = together.iter().filter(|other| *other != path);
    let files: Vec<Present> = std::iter::once(path).chain(others.map(PathBuf::as_path)).filter_map(present).collect();
    for step in rotate::steps(rotation, &files, now) {
        match step {
            Step::Rename { from, to } => fs::rename(from, to)?,
            Step::Delete(path) => drop(fs::remove_file(path)),
            Step::Compress(path) => compressor.add(path),
        }
    }
    Ok(())
}

/// The thread `pmdev-compress`, which is there while there is something to compress.
#[derive(Debug, Clone, Default)]
pub struct Compressor(Arc<Mutex<Work>>);

#[derive(Debug, Default)]
struct Work {
    files: VecDeque<PathBuf>,
    thread: bool,
}

impl Compressor {
    /// Compresses a file that was put away, some time. Where there can be no thread it stays as it is until the next one is put away.
    fn add(&self, path: PathBuf) {
        let mut work = self.work();
        if !work.files.contains(&path) {
            work.files.push_back(path);
        }
        if !work.thread {
            let own = self.clone();
            work.thread = std::thread::Builder::new().name("pmdev-compress".to_owned()).spawn(move || own.run()).is_ok();
        }
    }

    fn run(&self) {
        // In Linux a thread has a niceness of its own; where it has not, it stays as it is.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        loop {
            let Some(path) = self.next() else { return };
            // A full disk: the file is good as it is, and there are fewer of them later.
            let _ = compress(&path);
        }
    }

    fn next(&self) -> Option<PathBuf> {
        let mut work = self.work();
        let next = work.files.pop_front();
        work.thread = next.is_some();
        next
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compresses a file beside itself; at no time is there less than one whole copy of it.
fn compress(path: &Path) -> io::Result<()> {
    let named = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (unfinished, done) = (named(UNFINISHED), named(COMPRESSED));
    let mut plain = File::open(path)?;
    let result = write_compressed(&mut plain, &unfinished).and_then(|()| {
        // It may have been deleted meanwhile, because too many were put away after it.
        fs::metadata(path)?;
        fs::rename(&unfinished, &done)?;
        fs::remove_file(path)
    });
    if result.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    result
}

fn write_compressed(plain: &mut File, to: &Path) -> io::Result<()> {
    // One that a runner left when it was killed is no use to anybody.
    let _ = fs::remove_file(to);
    let file = OpenOptions::new().write(true).create_new(true).mode(plain.metadata()?.mode() & 0o777).open(to)?;
    let mut encoder = GzEncoder::new(BufWriter::new(file), Compression::default());
    io::copy(&mut BufReader::with_capacity(64 << 10, plain), &mut encoder)?;
    let mut out = encoder.finish()?;
    out.flush()?;
    // Before the plain file goes.
    out.get_ref().sync_data()
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::fs::symlink};

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn links_are_followed_and_devices_are_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        fs::create_dir(base.join("big")).unwrap();
        symlink("big/out.log", base.join("out.log")).unwrap();
        symlink("/dev/stdout", base.join("screen.log")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        assert_eq!(real(&base.join("plain.log")), Some(base.join("plain.log")));
        assert_eq!(real(&base.join("out.log")), Some(base.join("big/out.log")));
        for none in [base.join("screen.log"), base.join("loop"), "/dev/stdout".into()] {
            assert_eq!(real(&none), None, "{}", none.display());
        }
    }

    #[test]
    fn what_is_put_away_is_compressed_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.log"), folder.path().join("a.log.20200101T000000.000Z"));
        let text: Vec<u8> = (0..20_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
        for file in [&path, &other] {
            OpenOptions::new().write(true).create_new(true).mode(0o640).open(file).unwrap().write_all(&text).unwrap();
        }
        fs::write(folder.path().join("a.log.20200101T000000.000Z.gz.tmp"), "left by a runner that was killed").unwrap();
        fs::write(folder.path().join("a.log.1"), "another's").unwrap();
        let rotation = Rotation { max_size: None, every: None, keep: 5, compress: false, total: None };
        rotate(&path, std::slice::from_ref(&path), &rotation, Some(Timestamp::now()), &Compressor::default()).unwrap();
        assert!(!path.exists());
        let archives = present(&path).unwrap().archives;
        assert_eq!(archives.len(), 2);
        for archive in archives {
            let plain = rotate::archive(&path, &archive.stamp, "");
            compress(&plain).unwrap();
            assert!(!plain.exists());
            let done = File::open(rotate::archive(&path, &archive.stamp, COMPRESSED)).unwrap();
            assert_eq!(done.metadata().unwrap().mode() & 0o777, 0o640);
            let mut unpacked = Vec::new();
            MultiGzDecoder::new(done).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == text);
        }
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.ends_with(".tmp")).count(), 0);
        assert!(folder.path().join("a.log.1").exists());
    }

    #[test]
    fn a_file_deleted_meanwhile_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(compress(&folder.path().join("a.log.20200101T000000.000Z")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
