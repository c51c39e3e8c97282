//! The file that holds the pid of a run, from its first instruction to the end of its main process.

use std::{
    io::{self, Read as _, Write as _},
    path::PathBuf,
};

use rustix::fs::{Mode, OFlags};

use super::runner::Runner;
use crate::{
    log::file::place::{self, Spot},
    model::{Level, Notice, NoticeKind, RunId},
    supervisor::Event,
};

/// A pid file; dropping it removes what it wrote.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    /// The pid that it holds, and where that was written.
    written: Option<(i32, Spot)>,
}

impl PidFile {
    /// Not written yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, written: None }
    }

    /// Writes `PID` and a line end. What stands there is replaced and never followed: in a folder that others can write it might be a link
    /// to something that only we can write. Nor does root follow links of others on the way there.
    pub fn write(&mut self, pid: i32) -> io::Result<()> {
        let spot = place::name(&self.path, Some(Mode::from_raw_mode(place::OPEN)))?;
        remove(&spot)?;
        let mut file = spot.open(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, place::READABLE)?;
        self.written = Some((pid, spot));
        file.write_all(format!("{pid}\n").as_bytes())
    }

    /// Writes what it held, where nothing stands there.
    fn write_again(&mut self) -> io::Result<()> {
        match &self.written {
            Some((pid, spot)) if spot.about().is_err() => self.write(*pid),
            Some(_) | None => Ok(()),
        }
    }

    /// What is told when that failed; the app runs all the same.
    pub fn unwritten(&self, app: &str, error: &io::Error) -> Notice {
        let text = format!("{app} runs without its pid file: {} could not be written: {error}", self.path.display());
        let hint = place::remedy(error).unwrap_or("name a file in a folder that pmdev can write: pid_file: \"run/api.pid\"");
        Notice::new(Level::Warning, NoticeKind::Config, text).about(app).hint(hint)
    }
}

impl Runner {
    /// A background runner leaves its own pid in its home.
    pub fn write_own_pid(&mut self) {
        let Some(background) = &self.background else { return };
        let mut file = PidFile::new(background.home.join("pmdev.pid"));
        match file.write(i32::try_from(std::process::id()).expect("a pid fits an i32")) {
            Ok(()) => self.own_pid = Some(file),
            Err(error) => self.say(&file.unwritten("the background runner", &error)),
        }
    }

    /// A run executes: its pid is written where that is asked for.
    pub fn executed(&mut self, run: RunId, pid: i32) {
        self.write_pid(run, pid);
        self.look_for_version(run);
        self.handle(Event::Spawned { run, pid });
    }

    fn write_pid(&mut self, run: RunId, pid: i32) {
        let Some(live) = self.runs.get_mut(&run) else { return };
        let Some(file) = &mut live.pid_file else { return };
        if let Err(error) = file.write(pid) {
            let name = self.apps.name(live.instance.app).unwrap_or("an app that is gone");
            let notice = file.unwritten(name, &error);
            self.say(&notice);
        }
    }

    /// The main process of a run has ended: from here on its pid may be another's. Where it was to take the place of one that goes on, that
    /// one's pid stands there again.
    pub fn remove_pid(&mut self, run: RunId) {
        let Some(live) = self.runs.get_mut(&run) else { return };
        let instance = live.instance;
        if live.pid_file.take().is_none() {
            return;
        }
        let others = self
            .runs
            .iter_mut()
            .filter(|(_, live)| live.instance == instance)
            .filter_map(|(run, live)| Some((run, live.pid_file.as_mut()?)));
        if let Some((_, file)) = others.max_by_key(|(run, _)| **run) {
            // Whoever took the file away since is left to it.
            let _ = file.write_again();
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let Some((pid, spot)) = &self.written else { return };
        let own = format!("{pid}\n");
        let mut there = Vec::new();
        let file = spot.open(OFlags::RDONLY, 0);
        // Another run may have put its own there by now.
        if file.and_then(|file| file.take(own.len() as u64 + 1).read_to_end(&mut there)).is_ok() && there == own.as_bytes() {
            let _ = remove(spot);
        }
    }
}

fn remove(spot: &Spot) -> io::Result<()> {
    match spot.remove() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_there_while_the_run_is_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/deep/api.pid");
        let mut first = PidFile::new(path.clone());
        first.write(7).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "7\n");
        let mut second = PidFile::new(path.clone());
        second.write(8).unwrap();
        drop(first);
        assert_eq!(fs::read_to_string(&path).unwrap(), "8\n", "the file of the next run stays");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (folder.path().join("target"), folder.path().join("api.pid"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        PidFile::new(path.clone()).write(7).unwrap();
        assert_eq!(fs::read_to_string(target).unwrap(), "precious");
        fs::create_dir(&path).unwrap();
        let mut file = PidFile::new(path);
        let error = file.write(7).unwrap_err();
        assert!(file.unwritten("api", &error).text.starts_with("api runs without its pid file: "));
    }
}
