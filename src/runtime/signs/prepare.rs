//! What a run is given so that it can give signs: a listener to its lines, a socket, a channel.

use std::{ffi::OsString, io, os::fd::OwnedFd, path::PathBuf, sync::Arc};

use tokio::sync::Semaphore;

use super::Signs;
use crate::{
    config::{self, Channel},
    log::Listener,
    model::{AppSpec, Launch, Level, Notice, NoticeKind, Probe, RunId},
    process::descriptors,
    readiness::{Matcher, notify},
    runtime::{
        runner::{Inbox, Runner},
        signs::Sign,
    },
    socket::channel::{self, Said},
};

/// Messages of one run that may wait to be looked at.
const UNREAD: usize = 16;

/// What a run is started with.
#[derive(Default)]
pub struct Prepared {
    /// Kept while it runs.
    pub signs: Signs,
    /// Its descriptors besides the three.
    pub fds: Vec<OwnedFd>,
    /// Hears its lines.
    pub listener: Option<Listener>,
}

impl Runner {
    /// Prepares what the signs of a run need, and puts what it has to know into its environment.
    pub fn prepare_signs(&mut self, run: RunId, spec: &AppSpec, launch: &mut Launch) -> Prepared {
        let mut prepared = Prepared::default();
        if let Probe::Log(regex) = &spec.ready.by {
            prepared.listener = Matcher::new(regex).map(|matcher| self.listener(run, matcher));
        }
        let name = &spec.name;
        if spec.is_notified()
            && let Err(error) = self.notify_socket(run, spec, launch, &mut prepared)
        {
            self.say(&without(name, "a socket for systemd's protocol", "READY=1 or WATCHDOG=1", &error));
        }
        // A worker has the channel of its cluster.
        if !spec.shares_ports()
            && spec.is_messaged()
            && let Err(error) = self.node_channel(run, launch, &mut prepared)
        {
            self.say(&without(name, "a channel for messages", "ready, or be told to shut down", &error));
        }
        prepared
    }

    fn listener(&self, run: RunId, mut matcher: Matcher) -> Listener {
        let inbox = self.inbox.clone();
        Box::new(move |stream, bytes| {
            let found = matcher.feed(stream as usize, bytes);
            if found {
                let _ = inbox.send(Inbox::Sign(run, Sign::Ready));
            }
            !found
        })
    }

    /// The folder of what apps are given to speak by, which is made when the first one needs it.
    pub fn own_folder(&mut self) -> io::Result<&mut notify::Folder> {
        Ok(match &mut self.sockets {
            Some(folder) => folder,
            none @ None => none.insert(notify::Folder::new(&places())?),
        })
    }

    fn notify_socket(&mut self, run: RunId, spec: &AppSpec, launch: &mut Launch, prepared: &mut Prepared) -> io::Result<()> {
        let socket = self.own_folder()?.socket(run.0)?;
        set(&mut launch.env, notify::VARIABLE, socket.path().into());
        if let Some(health) = spec.health.as_ref().filter(|health| health.probe == Probe::Notify) {
            set(&mut launch.env, notify::WATCHDOG, health.interval.as_micros().to_string().into());
        }
        let (inbox, unread) = (self.inbox.clone(), Arc::new(Semaphore::new(UNREAD)));
        prepared.signs.listening.spawn_local(async move {
            while let (Ok(permit), Ok((sender, words))) = (Arc::clone(&unread).acquire_owned().await, socket.next().await) {
                let _ = inbox.send(Inbox::Sign(run, Sign::Notified(sender, words, permit)));
            }
        });
        Ok(())
    }

    fn node_channel(&mut self, run: RunId, launch: &mut Launch, prepared: &mut Prepared) -> io::Result<()> {
        let (ours, mouth, theirs) = channel::open()?;
        let number = usize::try_from(descriptors::FIRST).expect("it is small") + prepared.fds.len();
        set(&mut launch.env, channel::VARIABLE, number.to_string().into());
        set(&mut launch.env, channel::FORM.0, channel::FORM.1.into());
        prepared.fds.push(theirs);
        prepared.signs.speaks = config::channel(launch) == Channel::Held;
        prepared.signs.mouth = Some(mouth);
        let (inbox, unheard) = (self.inbox.clone(), self.inbox.clone());
        let mut told = Vec::new();
        prepared.signs.listening.spawn_local(async move {
            // The first of each: an app may say a hundred thousand things a second.
            let once = |said: Said| {
                if !told.contains(&said) {
                    told.push(said);
                    let _ = inbox.send(Inbox::Sign(run, Sign::Said(said)));
                }
            };
            if !ours.serve(once).await {
                let _ = unheard.send(Inbox::Sign(run, Sign::Unheard));
            }
        });
        Ok(())
    }
}

/// Where the sockets may be: the user's own folder for such things, else that for temporary files. Apps that run as another user cannot
/// enter root's.
fn places() -> Vec<PathBuf> {
    let own =
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute() && !rustix::process::getuid().is_root());
    own.into_iter().chain([std::env::temp_dir(), "/tmp".into(), "/run".into()]).collect()
}

/// Sets a variable; they are sorted.
pub fn set(env: &mut Vec<(OsString, OsString)>, name: &str, value: OsString) {
    match env.binary_search_by(|(known, _)| known.as_os_str().cmp(name.as_ref())) {
        Ok(at) => env[at].1 = value,
        Err(at) => env.insert(at, (name.into(), value)),
    }
}

fn without(name: &str, what: &str, so: &str, error: &io::Error) -> Notice {
    let text = format!("{name} could not be given {what} ({error}), so it cannot say {so}");
    Notice::new(Level::Error, NoticeKind::Output, text).about(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stay_sorted_and_single() {
        let mut env: Vec<(OsString, OsString)> = [("A", "1"), ("Z", "2")].map(|(name, value)| (name.into(), value.into())).into();
        set(&mut env, "M", "3".into());
        set(&mut env, "A", "4".into());
        set(&mut env, "ZZ", "5".into());
        let shown: Vec<String> = env.iter().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect();
        assert_eq!(shown, ["A=4", "M=3", "Z=2", "ZZ=5"]);
    }
}
