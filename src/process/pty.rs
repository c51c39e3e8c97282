//! Pseudo-terminals: pty(7). A run that gets one has it as its controlling terminal and as standard input, output and error.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::ioctl_fionbio,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// How many characters a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// In a line.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

/// Both ends of a new terminal, close-on-exec.
#[derive(Debug)]
pub struct Pty {
    /// Ours; it never blocks. Reading fails with EIO once nobody has the other end open.
    pub master: OwnedFd,
    /// The app's.
    pub slave: OwnedFd,
}

impl Pty {
    /// Makes a terminal of this size.
    ///
    /// # Errors
    /// There are no more of them (`/proc/sys/kernel/pty/max`), or `/dev/pts` is not mounted.
    pub fn open(size: Size) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        // A runner without a terminal that leads a session must not get this one.
        let slave = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        resize(&master, size)?;
        ioctl_fionbio(&master, true)?;
        Ok(Self { master, slave })
    }
}

/// Gives a terminal another size. If it is another one, the kernel tells its foreground process group with SIGWINCH.
pub fn resize(terminal: impl AsFd, size: Size) -> io::Result<()> {
    Ok(tcsetwinsize(terminal, Winsize { ws_col: size.columns, ws_row: size.lines, ws_xpixel: 0, ws_ypixel: 0 })?)
}

#[cfg(test)]
mod tests {
    use rustix::{
        io::{Errno, FdFlags, fcntl_getfd, read, write},
        termios::{isatty, tcgetwinsize},
    };

    use super::*;

    #[test]
    fn a_new_terminal_has_its_size_and_both_ends_are_ours_alone() {
        let pty = Pty::open(Size { columns: 97, lines: 31 }).unwrap();
        assert!(isatty(&pty.slave));
        assert!([&pty.master, &pty.slave].iter().all(|fd| fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)));
        let size = tcgetwinsize(&pty.slave).unwrap();
        assert_eq!((size.ws_col, size.ws_row), (97, 31));
        resize(&pty.master, Size { columns: 40, lines: 10 }).unwrap();
        assert_eq!(tcgetwinsize(&pty.slave).unwrap().ws_col, 40);
    }

    #[test]
    fn what_is_written_arrives_and_the_end_of_the_last_user_is_eio() {
        let pty = Pty::open(Size { columns: 80, lines: 24 }).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(read(&pty.master, &mut buffer), Err(Errno::AGAIN), "ours does not block");
        write(&pty.slave, b"hi\n").unwrap();
        drop(pty.slave);
        let count = read(&pty.master, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"hi\r\n", "a terminal ends lines with both");
        assert_eq!(read(&pty.master, &mut buffer), Err(Errno::IO));
    }
}
