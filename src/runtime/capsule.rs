//! Crash capsules: a file for each failure of an app, with what is known of it, for whoever comes later. The newest stay.
//!
//! They are written by a thread of their own, which begins with the first of them: a slow disk delays nothing, and what cannot be written is
//! told once and lost.

mod format;
mod store;

pub use format::Capsule;
pub use store::{folder, newest};

use std::{
    path::PathBuf,
    sync::mpsc::{self, SyncSender, TrySendError},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::runner::{Inbox, Runner};
use crate::{
    config::{self, Host},
    log::file::place,
    model::{Crash, InstanceId, Level, Notice, NoticeKind, RunId},
    process,
};

/// Lines of output that a capsule holds.
const LINES: usize = 200;
/// How many may wait to be written.
const WAITING: usize = 64;
/// How long those that are left have at the end.
const AT_EXIT: Duration = Duration::from_secs(1);

/// The way to the thread that writes.
pub struct Capsules {
    /// Where they are kept, if that is known.
    folder: Option<PathBuf>,
    writer: Option<SyncSender<Work>>,
    /// Something is amiss, and people were told.
    told: bool,
}

enum Work {
    Keep(Box<Capsule>),
    /// Everything before is written.
    Done(oneshot::Sender<()>),
}

impl Capsules {
    /// Nothing is written yet.
    pub fn new(host: &Host) -> Self {
        Self { folder: config::home(host).map(|home| folder(&home)), writer: None, told: false }
    }
}

impl Runner {
    /// Keeps what is known of a failure, where the app keeps such things.
    pub fn keep(&mut self, instance: InstanceId, run: RunId, crash: Crash) {
        // Of a program that could not be started there is nothing any more.
        let live = self.runs.get(&run);
        let Some(spec) = self.apps.spec(instance.app).or(live.map(|live| &live.spec)).filter(|spec| spec.capsules) else { return };
        let lines = self.apps.source(instance).map(|source| source.ring(LINES)).unwrap_or_default();
        // It may run on: then it is being stopped.
        let now = crash.happening.pid.filter(|_| crash.happening.exit.is_none()).and_then(process::peak);
        let peak = live.and_then(|live| live.peak).max(now);
        let capsule = Capsule::new(&crash, run, &spec.launch.cwd, &lines, peak, Timestamp::now());
        if let Err(why) = self.capsules.send(capsule, &self.inbox) {
            self.miss_capsule(&why);
        }
    }

    fn miss_capsule(&mut self, why: &str) {
        if !std::mem::replace(&mut self.capsules.told, true) {
            self.say(&unwritten(why));
        }
    }

    /// Has written what waits, for so long.
    pub async fn finish_capsules(&mut self) {
        let Some(writer) = self.capsules.writer.take() else { return };
        let (done, wait) = oneshot::channel();
        if writer.try_send(Work::Done(done)).is_ok() {
            let _ = tokio::time::timeout(AT_EXIT, wait).await;
        }
        // What it said last was said after the loop.
        while let Some(notice) = self.last_notice() {
            self.say(&notice);
        }
    }
}

impl Capsules {
    fn send(&mut self, capsule: Capsule, inbox: &tokio::sync::mpsc::UnboundedSender<Inbox>) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Err("neither HOME nor PMDEV_HOME says where".to_owned()) };
        let writer = match &self.writer {
            Some(writer) => writer,
            None => {
                let (sender, work) = mpsc::sync_channel(WAITING);
                let (folder, inbox) = (folder.clone(), inbox.clone());
                let write = move || write(&folder, work.into_iter(), |notice| drop(inbox.send(Inbox::Notice(notice))));
                thread::Builder::new().name("pmdev-capsules".to_owned()).spawn(write).map_err(|error| error.to_string())?;
                self.writer.insert(sender)
            }
        };
        match writer.try_send(Work::Keep(Box::new(capsule))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err("the disk is too slow for them".to_owned()),
            Err(TrySendError::Disconnected(_)) => Err("the thread that writes them is gone".to_owned()),
        }
    }
}

/// Writes what comes. A failure is told once, until one is written again.
fn write(folder: &std::path::Path, work: impl Iterator<Item = Work>, tell: impl Fn(Notice)) {
    let mut failing = false;
    for work in work {
        match work {
            Work::Keep(capsule) => {
                let written = store::write(folder, &capsule);
                if let (Err(error), false) = (&written, failing) {
                    tell(refused(unwritten(&format!("{} cannot be written: {error}", folder.display())), error));
                }
                failing = written.is_err();
            }
            Work::Done(done) => drop(done.send(())),
        }
    }
}

/// With what makes possible what was refused, where something was.
fn refused(notice: Notice, error: &std::io::Error) -> Notice {
    match place::remedy(error) {
        Some(remedy) => notice.hint(remedy),
        None => notice,
    }
}

fn unwritten(why: &str) -> Notice {
    let text = format!("crash capsules are not kept, because {why}");
    let hint = "the apps run on; without capsules (crash_capsules: false) this is not said";
    Notice::new(Level::Warning, NoticeKind::Capsule, text).hint(hint)
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;

    fn notices(folder: &Path, count: u64) -> Vec<Notice> {
        let told = RefCell::new(Vec::new());
        let work = (0..count).map(|run| Work::Keep(Box::new(format::tests::capsule("api", run))));
        write(folder, work, |notice| told.borrow_mut().push(notice));
        told.into_inner()
    }

    #[test]
    fn a_folder_that_cannot_be_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let told = notices(&file.join("crashes"), 5);
        assert_eq!(told.len(), 1);
        assert!(told[0].text.starts_with("crash capsules are not kept, because /"), "{}", told[0].text);
    }

    #[test]
    fn the_newest_twenty_stay_for_us_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = folder(&home.path().join("deep/.pmdev"));
        assert!(notices(&folder, 25).is_empty());
        let mut kept: Vec<String> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        kept.sort();
        assert_eq!(kept.len(), 20, "{kept:?}");
        assert!(kept[0].ends_with("-5.json") && kept[19].ends_with("-24.json"), "{kept:?}");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(folder.parent().unwrap()), mode(&folder.join(&kept[0]))), (0o700, 0o700, 0o600));
        let (path, capsule) = newest(&folder, "api").unwrap();
        assert_eq!((capsule.run, path.file_name().unwrap().to_str().unwrap()), (24, kept[19].as_str()));
        assert!(newest(&folder, "ap").is_none());
    }
}
