//! The nouns every room shares: ids, the fully resolved spec, launches, change sets, statuses, snapshots, notices, errors.
//! No behaviour beyond construction, comparison and display; no I/O, no clock, no dependency on any other room.
//! Start reading with [`spec`] (what shall run) and [`notice`] (what people are told).

pub mod change;
pub mod decision;
pub mod declared;
pub mod duration;
pub mod error;
pub mod exit;
pub mod happening;
pub mod hardening;
pub mod ids;
pub mod launch;
pub mod names;
pub mod notice;
pub mod signal;
pub mod snapshot;
pub mod spec;
pub mod status;
pub mod stream;
pub mod timestamp;

pub use change::{Cause, ChangeKind, ChangeSet};
pub use decision::{Decision, Rule};
pub use declared::{
    Account, ActionRule, Condition, Dependency, ExecMode, Health, Hooks, HttpUrl, Limits, Listen, LogFile, Logs, PidFile, Probe, Ready,
    RotateEvery, SaveAction,
};
pub use duration::HumanDuration;
pub use error::{Error, ErrorKind};
pub use exit::Exit;
pub use happening::{Crash, Happening, HookKind};
pub use hardening::{Hardening, Identity, UNLIMITED};
pub use ids::{AppId, Generation, InstanceId, RunId};
pub use launch::{Launch, LaunchFailure, Stage};
pub use names::{called, listed};
pub use notice::{Level, Notice, NoticeKind};
pub use signal::Signal;
pub use snapshot::{AppSnapshot, InstanceSnapshot, Snapshot};
pub use spec::{AfterExit, AppSpec, Backoff, PollMode, RestartPolicy, StopSpec, WatchRoot, WatchSpec};
pub use status::Status;
pub use stream::Stream;
pub use timestamp::TimestampFormat;
