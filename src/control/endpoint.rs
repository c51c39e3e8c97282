//! Where sockets lie, who may use them, and who may take the place of a dead runner's.
//!
//! A lock file beside each socket is held by its runner for as long as that lives, so that a socket without a holder is a dead one's.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::{
        fd::AsFd,
        unix::{
            fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    event::{Timespec, poll},
    fs::{FlockOperation, flock},
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with, sockopt::socket_peercred},
    process::geteuid,
};

use crate::model::Error;

/// The pause between two tries to connect, or to get a [`Turn`].
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// How often it is tried to get a turn: ten seconds in all.
const TURN: u32 = 2_000;

/// The folders of runners, for one user and home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `$PMDEV_HOME`: the background runner's.
    pub home: PathBuf,
    /// The sockets of runners in the foreground.
    pub foreground: PathBuf,
}

impl Folders {
    /// By `PMDEV_HOME` (else `~/.pmdev`) and `XDG_RUNTIME_DIR` (else a folder of the home); `None` without any of them.
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let path = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = path("PMDEV_HOME").or_else(|| Some(path("HOME")?.join(".pmdev")))?;
        let foreground = path("XDG_RUNTIME_DIR").map_or_else(|| home.join("run"), |run| run.join("pmdev"));
        Some(Self { home, foreground })
    }

    /// The background runner's socket.
    pub fn background_socket(&self) -> PathBuf {
        self.home.join("pmdev.sock")
    }

    /// The home, and the folder on the way to what lies in it that we may not enter; `None`: we may, or it is not there.
    pub fn barred(&self) -> Option<(PathBuf, PathBuf)> {
        let is_denied = |path: &Path| fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        let folder = self.home.ancestors().find(|folder| !is_denied(folder))?;
        is_denied(&self.background_socket()).then(|| (self.home.clone(), folder.to_owned()))
    }

    /// Makes the folder of the sockets in the foreground. Made on the way to it, the home is as private as what lies in it.
    ///
    /// # Errors
    /// It cannot be made, or is somebody else's.
    pub fn make_foreground(&self) -> Result<(), Error> {
        if self.foreground.starts_with(&self.home) && !self.home.exists() {
            private_folder(&self.home)?;
        }
        private_folder(&self.foreground)
    }

    /// The socket of a runner in the foreground.
    pub fn foreground_socket(&self, pid: u32) -> PathBuf {
        self.foreground.join(format!("{pid}.sock"))
    }

    /// The reverse: the runner in the foreground that has a socket, or had it.
    pub fn foreground_pid(socket: &Path) -> Option<i32> {
        socket.file_stem()?.to_str()?.parse().ok()
    }

    /// Every socket there is, the background runner's first.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(&self.foreground)
            .map(|entries| {
                entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "sock")).collect()
            })
            .unwrap_or_default();
        found.sort();
        let background = Some(self.background_socket()).filter(|socket| socket.exists());
        background.into_iter().chain(found).collect()
    }
}

/// A bound socket. Dropping it removes the file; the lock goes with the process in any case.
#[derive(Debug)]
pub struct Bound {
    path: PathBuf,
    _lock: File,
}

/// Why a socket was not bound.
#[derive(Debug)]
pub enum NotBound {
    /// A live runner has it.
    Taken,
    /// It cannot be.
    Failed(Error),
}

/// Connects within a time: where a runner is stopped, even the queue of those who want to talk to it is full some day.
///
/// # Errors
/// Nobody listens there; or somebody does, and takes nobody in time ([`io::ErrorKind::TimedOut`]).
pub fn connect(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let looks = limit.as_nanos() / u128::from(PAUSE.tv_nsec.unsigned_abs());
    for look in 0.. {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(Errno::AGAIN | Errno::INTR) if look < looks => {}
            Err(Errno::AGAIN | Errno::INTR) => break,
            Err(errno) => return Err(errno.into()),
        }
        // Interrupted, it was a shorter pause.
        let _ = poll(&mut [], Some(&PAUSE));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "it takes nobody any more"))
}

/// The turn of one who looks which runners there are and then becomes one: nobody else of this user does so meanwhile. It ends when this is
/// dropped.
#[derive(Debug)]
pub struct Turn {
    path: PathBuf,
    _lock: File,
}

impl Turn {
    /// Waits for it. `None`: there is no place for a lock, nor for a socket then.
    ///
    /// # Errors
    /// Somebody else has it, and does not come to an end.
    pub fn take(folders: &Folders) -> Result<Option<Self>, Error> {
        let path = folders.foreground.join("start.lock");
        // Why there can be no socket is told when it is made.
        if folders.make_foreground().is_err() {
            return Ok(None);
        }
        let (mut left, mut held) = (TURN, None);
        while left > 0 {
            left -= 1;
            // Each turn has a file of its own: as long as they change, it is only a long queue.
            let now = fs::metadata(&path).ok().map(|about| (about.ino(), about.ctime(), about.ctime_nsec()));
            if now != held {
                (left, held) = (TURN, now);
            }
            match lock(&path) {
                Ok(Some(lock)) => return Ok(Some(Self { path, _lock: lock })),
                Ok(None) => {}
                Err(_) => return Ok(None),
            }
            // Interrupted, it was a shorter pause.
            let _ = poll(&mut [], Some(&PAUSE));
        }
        Err(Error::failed("Another pmdev start of this user is under way, and does not come to an end")
            .because(format!("it holds {}", path.display()))
            .hint("it may be stopped: fg lets it go on; or end it"))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before it is let go of: whoever finds it gone makes its own.
        let _ = fs::remove_file(&self.path);
    }
}

/// What a runner says that finds another one in its place.
pub fn taken(home: &Path) -> Error {
    Error::failed(format!("The background runner of {} runs already", home.display()))
}

/// Whether somebody has said [`taken`].
pub fn is_taken(home: &Path, said: &str) -> bool {
    said.contains(&taken(home).message)
}

/// Makes a folder for us alone, or makes sure of one that is there.
///
/// # Errors
/// It cannot be made, or is somebody else's.
pub fn private_folder(folder: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::failed(format!("{} cannot be made a private folder", folder.display())).because(error);
    if let Some(parent) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let about = fs::metadata(folder).map_err(failed)?;
    if !about.is_dir() || about.uid() != geteuid().as_raw() {
        return Err(Error::failed(format!("{} is not a folder of this user", folder.display())).hint("set PMDEV_HOME to one that is"));
    }
    if about.mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Binds a socket that this user alone can use, in a private folder; one that a dead runner left is taken over.
///
/// # Errors
/// A live runner has it, or it cannot be bound.
pub fn bind(path: &Path) -> Result<(UnixListener, Bound), NotBound> {
    let failed = |error: io::Error| NotBound::Failed(Error::failed(format!("The socket {} cannot be made", path.display())).because(error));
    private_folder(path.parent().unwrap_or(Path::new("/"))).map_err(NotBound::Failed)?;
    let lock = lock(path).map_err(failed)?.ok_or(NotBound::Taken)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok((listener, Bound { path: path.to_owned(), _lock: lock }))
}

/// The lock of a socket, held; `None`: a live runner holds it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = path.with_extension("lock");
    loop {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        // Whoever held it until now may have removed it, and then it keeps nobody away.
        if fs::metadata(&file).is_ok_and(|found| lock.metadata().is_ok_and(|held| (found.dev(), found.ino()) == (held.dev(), held.ino()))) {
            return Ok(Some(lock));
        }
    }
}

/// Whether the runner of a socket is gone: nobody listens, and nobody holds its lock. A stopped one still has both.
pub fn is_stale(path: &Path) -> bool {
    // First, since a lock of ours would for this moment be in the way of one that starts.
    if !connect(path, Duration::ZERO).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
        return false;
    }
    match OpenOptions::new().write(true).open(path.with_extension("lock")) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockShared).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes a socket whose runner is gone, and its lock; whether it was so.
///
/// # Errors
/// It cannot be removed.
pub fn remove_stale(path: &Path) -> io::Result<bool> {
    if !is_stale(path) {
        return Ok(false);
    }
    let Some(lock) = lock(path)? else { return Ok(false) };
    // Nobody can bind it while we hold the lock.
    fs::remove_file(path)?;
    let removed = fs::remove_file(path.with_extension("lock"));
    drop(lock);
    removed.map(|()| true)
}

impl Drop for Bound {
    fn drop(&mut self) {
        // The lock file goes last: whoever finds it gone makes its own, and has a socket that is not ours to remove.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(self.path.with_extension("lock"));
    }
}

/// Whether the other end of a socket is this user or root.
pub fn is_trusted(socket: impl AsFd) -> bool {
    socket_peercred(socket).is_ok_and(|peer| peer.uid == geteuid() || peer.uid.is_root())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_from_the_environment() {
        let find = |variables: &[(&str, &str)]| {
            Folders::find(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value)))
        };
        let folders = |home: &str, foreground: &str| Some(Folders { home: home.into(), foreground: foreground.into() });
        assert_eq!(find(&[("HOME", "/h")]), folders("/h/.pmdev", "/h/.pmdev/run"));
        assert_eq!(find(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/1")]), folders("/h/.pmdev", "/run/1/pmdev"));
        assert_eq!(find(&[("PMDEV_HOME", "/p"), ("XDG_RUNTIME_DIR", "relative")]), folders("/p", "/p/run"));
        assert_eq!(find(&[]), None);
    }

    #[test]
    fn a_live_socket_is_never_taken_and_a_dead_one_always() {
        let base = tempfile::tempdir().expect("a folder can be made");
        let path = base.path().join("deep/run/1.sock");
        let (_listener, bound) = bind(&path).expect("nobody has it");
        assert!(matches!(bind(&path), Err(NotBound::Taken)));
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("it lies in a folder"))), (0o600, 0o700));
        drop(bound);
        assert!(!path.exists());
        // As after a kill: the files are there, and nobody holds the lock.
        fs::write(path.with_extension("lock"), "").expect("the folder is ours");
        drop(UnixListener::bind(&path).expect("nobody has it"));
        assert!(path.exists());
        drop(bind(&path).expect("its runner is dead"));
    }

    #[test]
    fn a_runner_that_takes_nobody_is_waited_for_no_longer_than_said() {
        let base = tempfile::tempdir().expect("a folder can be made");
        let path = base.path().join("run/1.sock");
        let (_listener, _bound) = bind(&path).expect("nobody has it");
        let open = || connect(&path, Duration::ZERO);
        let queue: Vec<UnixStream> = std::iter::repeat_with(open).map_while(Result::ok).take(100_000).collect();
        let full = connect(&path, Duration::from_millis(20)).expect_err("its queue is full");
        assert_eq!((full.kind(), is_stale(&path)), (io::ErrorKind::TimedOut, false), "{} wait", queue.len());
        let gone = connect(&base.path().join("2.sock"), Duration::from_secs(60)).expect_err("there is none");
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_what_a_dead_runner_left_is_stale_and_removed() {
        let base = tempfile::tempdir().expect("a folder can be made");
        let path = base.path().join("run/1.sock");
        let (listener, bound) = bind(&path).expect("nobody has it");
        assert!(!is_stale(&path) && !remove_stale(&path).expect("there is nothing to do"), "its runner lives");
        drop(listener);
        assert!(!is_stale(&path), "its runner holds the lock");
        // As after a kill: the files are there, and nobody holds the lock.
        let copy = base.path().join("run/2.sock");
        drop(UnixListener::bind(&copy).expect("nobody has it"));
        assert!(is_stale(&copy), "without a lock file, too");
        fs::write(copy.with_extension("lock"), "").expect("the folder is ours");
        assert!(is_stale(&copy) && remove_stale(&copy).expect("it is ours"));
        assert!(!copy.exists() && !copy.with_extension("lock").exists() && !is_stale(&copy) && path.exists());
        drop(bound);
        assert!(!path.exists() && !path.with_extension("lock").exists());
    }

    #[test]
    fn a_folder_that_others_can_read_is_made_private() {
        let base = tempfile::tempdir().expect("a folder can be made");
        let folder = base.path().join("run");
        fs::create_dir(&folder).expect("it is ours");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("it is ours");
        private_folder(&folder).expect("it is ours");
        assert_eq!(fs::metadata(&folder).expect("it is there").mode() & 0o777, 0o700);
        fs::write(base.path().join("file"), "").expect("it is ours");
        assert!(private_folder(&base.path().join("file")).is_err());
    }
}
