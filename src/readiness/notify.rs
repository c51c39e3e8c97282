//! systemd's notify protocol, sd_notify(3): a datagram socket whose path stands in `NOTIFY_SOCKET`, and lines of `NAME=value` sent to it.
//!
//! The socket is a file, not an abstract name: not every library knows those, and an app in another network namespace would not find it.
//! Everybody can write to it, also an app that runs as another user, so each sender is looked at: the kernel says which process it is.

use std::{
    fs::{self, Permissions},
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::{fd::AsFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt::set_socket_passcred};
use tempfile::TempDir;
use tokio::{io::Interest, net::UnixDatagram};

/// The variable that says where to send.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// The variable that says how often a sign of life is expected, in microseconds, sd_watchdog_enabled(3).
pub const WATCHDOG: &str = "WATCHDOG_USEC";

/// The longest path of a socket, unix(7), with its final zero.
const LONGEST_PATH: usize = 108;

/// The longest message; systemd takes as much.
const LONGEST_MESSAGE: usize = 4096;

/// The folder of the sockets of a runner. It goes when this is dropped.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// Makes one in the first of these folders whose path is short enough. Nobody can list it, and whoever was told a path can use it.
    ///
    /// # Errors
    /// None of them can be written to, or all are too long.
    pub fn new(parents: &[PathBuf]) -> io::Result<Self> {
        // `/pmdev-` and six more, `/` and a number of 20 digits at most.
        let room = LONGEST_PATH - 1 - "/pmdev-".len() - 6 - 1 - 20;
        let mut failure = io::Error::new(io::ErrorKind::InvalidFilename, "every path is too long for a socket");
        for parent in parents.iter().filter(|parent| parent.as_os_str().len() <= room) {
            let made = tempfile::Builder::new().prefix("pmdev-").permissions(Permissions::from_mode(0o711)).tempdir_in(parent);
            match made.and_then(|folder| fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).map(|()| folder)) {
                Ok(folder) => return Ok(Self(folder)),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Writes a file that everybody can read whom its path is told, unless it is there.
    ///
    /// # Errors
    /// The folder is gone or full.
    pub fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.0.path().join(name);
        if !path.exists() {
            fs::write(&path, text)?;
            fs::set_permissions(&path, Permissions::from_mode(0o444))?;
        }
        Ok(path)
    }

    /// Makes the socket of a run.
    ///
    /// # Errors
    /// The folder is gone or full, or the run has one already.
    pub fn socket(&self, number: u64) -> io::Result<Socket> {
        let path = self.0.path().join(number.to_string());
        let socket = UnixDatagram::bind(&path)?;
        let socket = Socket { socket, path };
        set_socket_passcred(&socket.socket, true)?;
        fs::set_permissions(&socket.path, Permissions::from_mode(0o666))?;
        Ok(socket)
    }
}

/// The socket of a run; its file goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A folder that is gone has taken it along.
        let _ = fs::remove_file(&self.path);
    }
}

/// Who sent a message, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The process; it may have ended since.
    pub pid: i32,
    /// Its user.
    pub user: u32,
}

/// What an app says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// `READY=1`.
    Ready,
    /// `WATCHDOG=1`.
    Alive,
    /// `WATCHDOG=trigger`: it knows itself that it is not well.
    Unwell,
    /// `STATUS=`: how it goes, for people.
    Status(String),
}

impl Socket {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next message that says something. Descriptors that come with one are closed, which is what the barrier of
    /// sd_notify_barrier(3) waits for.
    ///
    /// # Errors
    /// The socket cannot be read any more.
    pub async fn next(&self) -> io::Result<(Sender, Vec<Word>)> {
        loop {
            let (sender, text) = self.socket.async_io(Interest::READABLE, || receive(&self.socket)).await?;
            let words = words(&text);
            if let (Some(sender), false) = (sender, words.is_empty()) {
                return Ok((sender, words));
            }
        }
    }
}

fn receive(socket: &UnixDatagram) -> io::Result<(Option<Sender>, Vec<u8>)> {
    let mut text = vec![0; LONGEST_MESSAGE];
    // Without room for descriptors the kernel closes them.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)?;
    text.truncate(received.bytes);
    let sender = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(by) => Some(Sender { pid: by.pid.as_raw_nonzero().get(), user: by.uid.as_raw() }),
        _ => None,
    });
    Ok((sender, text))
}

/// The words of a message, in order. What else there is, is no business of a runner: MAINPID names another main process than the one that
/// was started, but a process set is known by its descent; EXTEND_TIMEOUT_USEC asks for more time than the file gives, and the file is
/// what people can read.
fn words(message: &[u8]) -> Vec<Word> {
    let word = |line: &[u8]| match line {
        b"READY=1" => Some(Word::Ready),
        b"WATCHDOG=1" => Some(Word::Alive),
        b"WATCHDOG=trigger" => Some(Word::Unwell),
        _ => Some(Word::Status(String::from_utf8_lossy(line.strip_prefix(b"STATUS=")?).into_owned())),
    };
    message.split(|byte| *byte == b'\n').filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram as Plain;

    use super::*;

    fn folder() -> (TempDir, Folder) {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(&[PathBuf::from("/nowhere"), PathBuf::from("x".repeat(100)), parent.path().to_owned()]).unwrap();
        (parent, folder)
    }

    #[test]
    fn what_is_said() {
        assert_eq!(
            words(b"STATUS=up \xff\nREADY=1\nMAINPID=7\nWATCHDOG=1"),
            [Word::Status("up \u{fffd}".into()), Word::Ready, Word::Alive]
        );
        assert_eq!(words(b"WATCHDOG=trigger\n"), [Word::Unwell]);
        assert_eq!(words(b"READY=0\nREADY=1x\n\nEXTEND_TIMEOUT_USEC=5"), []);
    }

    #[tokio::test]
    async fn the_kernel_names_the_sender() {
        let (_parent, folder) = folder();
        let socket = folder.socket(7).unwrap();
        let client = Plain::unbound().unwrap();
        client.send_to(b"MAINPID=1", socket.path()).unwrap();
        client.send_to(b"READY=1", socket.path()).unwrap();
        let (sender, words) = socket.next().await.unwrap();
        let own = std::process::id().cast_signed();
        assert_eq!((sender.pid, words), (own, vec![Word::Ready]));
        assert_eq!(sender.user, rustix::process::getuid().as_raw());
    }

    #[test]
    fn nobody_lists_the_folder_and_nothing_is_left() {
        let (parent, folder) = folder();
        let entries = || fs::read_dir(parent.path()).unwrap().count();
        let mode = fs::metadata(folder.0.path()).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, entries()), (0o711, 1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let socket = folder.socket(u64::MAX).unwrap();
        let path = socket.path().to_owned();
        assert!(path.exists());
        drop(socket);
        assert!(!path.exists());
        drop(folder);
        assert_eq!(entries(), 0);
    }

    #[test]
    fn a_place_for_sockets_must_have_a_short_path() {
        assert_eq!(Folder::new(&[PathBuf::from(format!("/{}", "x".repeat(90)))]).unwrap_err().kind(), io::ErrorKind::InvalidFilename);
        assert_eq!(Folder::new(&[PathBuf::from("/nowhere")]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
