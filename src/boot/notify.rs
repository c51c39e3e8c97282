//! The protocol of sd_notify(3): datagrams of `NAME=value` lines to the socket that NOTIFY_SOCKET names. Its own few lines, because a
//! message must neither wait for a manager that does not read nor get lost, and the variables must not reach the apps.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::model::Error;

/// The variables by which a service manager speaks to this process alone.
pub const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// A manager that has not read so many messages is not there any more; the oldest are dropped.
const UNREAD: usize = 64;

/// The service manager that started us and wants to be told.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    /// How long it waits for a sign of life.
    watchdog: Option<Duration>,
    /// What it has not taken yet, oldest first.
    waiting: VecDeque<String>,
}

/// Something a manager is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// The start, or a reload, is over.
    Ready,
    /// A reload begins.
    Reloading,
    /// The end begins.
    Stopping,
    /// A sentence for people.
    Status(&'a str),
    /// The loop turns.
    Watchdog,
}

impl Message<'_> {
    fn line(self) -> String {
        match self {
            Self::Ready => "READY=1".to_owned(),
            Self::Reloading => format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()),
            Self::Stopping => "STOPPING=1".to_owned(),
            // A line break would begin another assignment.
            Self::Status(text) => format!("STATUS={}", text.replace(char::is_control, " ")),
            Self::Watchdog => "WATCHDOG=1".to_owned(),
        }
    }
}

impl Manager {
    /// The manager that the variables of process `pid` name; `None`: nobody wants to be told.
    ///
    /// # Errors
    /// If the socket is named in no way that can be spoken to, or the system has no sockets left.
    pub fn of(pid: u32, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, Error> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Ok(None) };
        let failed = |cause: io::Error| {
            Error::failed(format!("NOTIFY_SOCKET {} cannot be spoken to", name.display()))
                .because(cause)
                .hint("the service manager sets it to a path or to @ and the name of an abstract socket; without it nobody is told")
        };
        let address = address(&name).map_err(failed)?;
        let socket = UnixDatagram::unbound().map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        // Without a pid it is meant for everyone who gets the variable, sd_watchdog_enabled(3).
        let ours = variable("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(pid.into());
        let watchdog = number("WATCHDOG_USEC").filter(|time| *time > 0 && ours).map(Duration::from_micros);
        Ok(Some(Self { socket, address, watchdog, waiting: VecDeque::new() }))
    }

    /// How often the manager is to be told that the loop turns: twice in the time it waits, as sd_watchdog_enabled(3) advises.
    pub fn beat(&self) -> Option<Duration> {
        self.watchdog.map(|interval| interval / 2)
    }

    /// Tells it something, in one datagram; what it cannot take now it is told with the next message.
    pub fn tell(&mut self, messages: &[Message<'_>]) {
        let lines: Vec<String> = messages.iter().map(|message| message.line()).collect();
        if self.waiting.len() == UNREAD {
            self.waiting.pop_front();
        }
        self.waiting.push_back(lines.join("\n"));
        self.flush();
    }

    /// Tells it what it could not take before.
    pub fn flush(&mut self) {
        while let Some(text) = self.waiting.front() {
            match self.socket.send_to_addr(text.as_bytes(), &self.address) {
                // It reads later.
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return,
                // ENOBUFS passes; anything else is the manager's end, which is no reason for ours.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => return,
                Ok(_) | Err(_) => drop(self.waiting.pop_front()),
            }
        }
    }

    /// Whether it has not taken everything.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// `/run/…` is a path, `@…` an abstract name.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name),
        [b'@', rest @ ..] if !rest.is_empty() => SocketAddr::from_abstract_name(rest),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither an absolute path nor an abstract name")),
    }
}

/// CLOCK_MONOTONIC, by which systemd tells this reload from an earlier one.
fn monotonic_microseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(variables: &[(&str, &str)]) -> Result<Option<Manager>, Error> {
        Manager::of(7, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 4096];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn a_path_and_an_abstract_name_are_both_spoken_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("pmdev-notify-test-{}", std::process::id());
        let sockets = [
            (UnixDatagram::bind(&path).unwrap(), path.display().to_string()),
            (UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap(), format!("@{abstract_name}")),
        ];
        for (socket, name) in sockets {
            let mut manager = manager(&[("NOTIFY_SOCKET", &name)]).unwrap().expect("it wants to be told");
            manager.tell(&[Message::Ready, Message::Status("2 apps\nonline")]);
            assert_eq!(received(&socket), "READY=1\nSTATUS=2 apps online", "a line break begins no assignment of its own");
            manager.tell(&[Message::Reloading]);
            let reloading = received(&socket);
            let stamp = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("both belong to it");
            assert!(stamp.parse::<u64>().unwrap() > 0);
            assert_eq!(manager.beat(), None);
        }
    }

    #[test]
    fn the_watchdog_is_for_the_process_it_names() {
        let with = |variables: &[(&str, &str)]| manager(&[&[("NOTIFY_SOCKET", "@x")], variables].concat()).unwrap().unwrap().beat();
        assert_eq!(with(&[("WATCHDOG_USEC", "3000000"), ("WATCHDOG_PID", "7")]), Some(Duration::from_millis(1500)));
        assert_eq!(with(&[("WATCHDOG_USEC", "3000000")]), Some(Duration::from_millis(1500)));
        assert_eq!(with(&[("WATCHDOG_USEC", "3000000"), ("WATCHDOG_PID", "8")]), None);
        assert_eq!(with(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(with(&[("WATCHDOG_USEC", "soon")]), None);
    }

    #[test]
    fn nobody_is_told_without_a_socket_and_a_wrong_name_is_an_error() {
        assert!(manager(&[]).unwrap().is_none());
        assert!(manager(&[("NOTIFY_SOCKET", "")]).unwrap().is_none());
        for wrong in ["run/notify", "@", "vsock:2:1234"] {
            let error = manager(&[("NOTIFY_SOCKET", wrong)]).unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_manager_that_does_not_read_is_told_later_and_one_that_is_gone_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut manager = manager(&[("NOTIFY_SOCKET", &path.display().to_string())]).unwrap().unwrap();
        // The kernel takes a few datagrams (net.unix.max_dgram_qlen) before it says that there is no room.
        let mut told = 0;
        while !manager.is_behind() {
            manager.tell(&[Message::Status(&told.to_string())]);
            told += 1;
            assert!(told < 10_000, "the kernel takes everything");
        }
        manager.tell(&[Message::Stopping]);
        let mut heard = Vec::new();
        while manager.is_behind() {
            heard.push(received(&socket));
            manager.flush();
        }
        socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 64];
        while let Ok(count) = socket.recv(&mut bytes) {
            heard.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
        }
        let expected: Vec<String> = (0..told).map(|number| format!("STATUS={number}")).chain(["STOPPING=1".to_owned()]).collect();
        assert_eq!(heard, expected, "in order, and none lost");
        drop(socket);
        manager.tell(&[Message::Ready]);
        assert!(!manager.is_behind());
    }
}
