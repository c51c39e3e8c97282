//! What a generation of an app is there for.

use std::{sync::Arc, time::Instant};

use crate::model::{AppSpec, ChangeSet, Generation};

use super::changes;

/// One generation of an app.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub generation: Generation,
    pub reason: Reason,
    /// How its runs take the place of older ones.
    pub strategy: Strategy,
    /// What it runs.
    pub spec: Arc<AppSpec>,
    /// Since when somebody waits for it: the last event of a change set, or the request.
    pub asked: Instant,
}

/// How the runs of a new generation take the place of older ones. With sockets of their own, an old and a new run of one instance cannot serve
/// together, so each is stopped before its successor starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// All at once.
    Recreate,
    /// One instance after the other, each ready before the next goes.
    Rolling,
}

/// Why there is a new generation.
#[derive(Debug, Clone)]
pub(super) enum Reason {
    /// The runner began.
    Begin,
    /// The app came to a runner that was there.
    Added,
    /// Files changed.
    Files(Arc<ChangeSet>),
    /// A change that the restart-loop guard held back; the path as people are shown it.
    Probe(String),
    /// Somebody asked for it.
    Request,
    /// Its `cron_restart` came.
    Cron,
    /// What shall run was edited; the file as people are shown it.
    Edit(String),
}

impl Reason {
    /// Whether a change set caused it, for the restart-loop guard.
    pub fn by_files(&self) -> bool {
        match self {
            Self::Files(_) | Self::Probe(_) => true,
            Self::Begin | Self::Added | Self::Request | Self::Cron | Self::Edit(_) => false,
        }
    }

    /// What stands in brackets behind a restart: `src/api.js`.
    pub fn shown(&self) -> String {
        match self {
            Self::Begin | Self::Added => "first start".to_owned(),
            Self::Files(changes) => changes::shown(changes),
            Self::Probe(path) => path.clone(),
            Self::Request => "on request".to_owned(),
            Self::Cron => "cron_restart".to_owned(),
            Self::Edit(file) => file.clone(),
        }
    }

    /// The reason for a version that takes the place of one that never ran: the changes of both.
    pub fn folded(&self, newer: Self, spec: &AppSpec) -> Self {
        match (self, newer) {
            (Self::Files(older), Self::Files(newer)) => Self::Files(changes::merge(older, &newer, spec)),
            (Self::Begin | Self::Added | Self::Files(_) | Self::Probe(_) | Self::Request | Self::Cron | Self::Edit(_), newer) => newer,
        }
    }
}
