//! What makes restarts look alike: the same delay after the start, the same paths.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::When;

/// How many paths of a change set are kept as evidence.
const KEYS: usize = 16;
/// An app that writes later than this after its start is not found out.
const LATEST: Duration = Duration::from_secs(5);
/// Hardly anybody saves again this soon after a restart, three times in a row.
const SOON: Duration = Duration::from_secs(1);
/// Delays that differ by less are the same, and longer ones that differ by less than this part of the longest.
const JITTER: (Duration, u32) = (Duration::from_millis(100), 10);
/// How much later than ever seen a change may come and still fit.
const SLACK: Duration = Duration::from_millis(500);
/// The shortest and the longest probe.
const HOLD: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(6));

/// Where in the life of the app the first event of a change set was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// This long after the start.
    AfterStart(Duration),
    /// Between the stop signal and the end.
    WhileStopping,
}

/// One restart that files caused.
#[derive(Debug)]
pub struct Restart {
    delay: Delay,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// The paths that restarts have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// These very paths.
    Files(Vec<PathBuf>),
    /// No path twice, but always in these folders.
    Folders(Vec<PathBuf>),
}

/// A suspicion.
#[derive(Debug)]
pub struct Suspect {
    /// The paths.
    pub keys: Keys,
    /// The app was held to see whether they go quiet, and they did.
    pub probed: bool,
    delay: Delay,
}

impl Restart {
    /// The evidence of one restart.
    pub fn new(delay: Delay, paths: &[&Path]) -> Self {
        let files: Vec<PathBuf> = paths.iter().take(KEYS).map(|path| path.to_path_buf()).collect();
        let mut folders: Vec<PathBuf> = files.iter().filter_map(|path| path.parent()).map(Path::to_path_buf).collect();
        folders.sort();
        folders.dedup();
        Self { delay, files, folders }
    }

    /// Whether it came so soon after the start, or while the app was stopping, that a person is hardly the cause.
    pub fn is_soon(&self) -> bool {
        match self.delay {
            Delay::AfterStart(delay) => delay < SOON,
            Delay::WhileStopping => true,
        }
    }
}

impl Keys {
    /// Whether a change of this path fits.
    pub fn covers(&self, path: &Path) -> bool {
        match self {
            Self::Files(files) => files.iter().any(|file| file == path),
            Self::Folders(folders) => folders.iter().any(|folder| path.parent() == Some(folder)),
        }
    }

    /// Whether all of these fit.
    pub fn cover(&self, paths: &[&Path]) -> bool {
        paths.iter().all(|path| self.covers(path))
    }

    fn common(history: &[Restart]) -> Option<Self> {
        let in_all = |of: fn(&Restart) -> &Vec<PathBuf>| -> Vec<PathBuf> {
            let Some(first) = history.first() else { return Vec::new() };
            of(first).iter().filter(|path| history.iter().all(|restart| of(restart).contains(path))).cloned().collect()
        };
        let files = in_all(|restart| &restart.files);
        if !files.is_empty() {
            return Some(Self::Files(files));
        }
        let folders = in_all(|restart| &restart.folders);
        (!folders.is_empty()).then_some(Self::Folders(folders))
    }
}

impl Suspect {
    /// The suspicion that these restarts raise, if they look alike.
    pub fn from(history: &[Restart]) -> Option<Self> {
        let delay = alike(history)?;
        Some(Self { keys: Keys::common(history)?, probed: false, delay })
    }

    /// Whether a change set looks like those before.
    pub fn fits(&self, delay: Option<Delay>, paths: &[&Path]) -> bool {
        let in_time = match (self.delay, delay) {
            (Delay::AfterStart(max), Some(Delay::AfterStart(delay))) => delay <= window(max),
            (Delay::WhileStopping, Some(Delay::WhileStopping)) => true,
            (Delay::AfterStart(_) | Delay::WhileStopping, Some(_) | None) => false,
        };
        in_time && self.keys.cover(paths)
    }

    /// Whether it is about what happens after starts; what is written while stopping needs no probe, the next run sees it.
    pub fn after_start(&self) -> bool {
        matches!(self.delay, Delay::AfterStart(_))
    }

    /// How long the app is held.
    pub fn hold(&self) -> Duration {
        match self.delay {
            Delay::AfterStart(max) => (2 * max).clamp(HOLD.0, HOLD.1),
            Delay::WhileStopping => HOLD.0,
        }
    }

    /// When changes are absorbed once it is confirmed.
    pub fn when(&self) -> When {
        match self.delay {
            Delay::AfterStart(max) => When::AfterStart { about: max, within: window(max) },
            Delay::WhileStopping => When::WhileStopping,
        }
    }
}

fn window(max: Duration) -> Duration {
    2 * max + SLACK
}

fn alike(history: &[Restart]) -> Option<Delay> {
    if history.iter().all(|restart| restart.delay == Delay::WhileStopping) {
        return Some(Delay::WhileStopping);
    }
    let delays: Option<Vec<Duration>> = history
        .iter()
        .map(|restart| match restart.delay {
            Delay::AfterStart(delay) => Some(delay),
            Delay::WhileStopping => None,
        })
        .collect();
    let delays = delays?;
    let (min, max) = (*delays.iter().min()?, *delays.iter().max()?);
    (max < LATEST && max - min <= JITTER.0.max(max / JITTER.1)).then_some(Delay::AfterStart(max))
}
