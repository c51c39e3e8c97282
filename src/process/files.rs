//! How many files we may have open ourselves. The pipes of every app are among them, so that the soft limit, which is low for the sake of
//! programs that use select(2), is not ours to keep; whatever we start has it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::shim;
use crate::model::{LaunchFailure, Stage};

/// More is of no use to us.
const MOST: u64 = 1 << 20;

/// Raises our own soft limit as far as it goes; gives the one that programs are to have instead, where they would not have it anyway.
pub fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let before = limit.current?;
    let wanted = limit.maximum.unwrap_or(MOST).min(MOST);
    let raised = before < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok();
    raised.then_some(before)
}

/// How many files may stay open for no other reason than speed, each of which may cost the kernel a page: few, since pipes and sockets of
/// apps come first.
pub fn spare() -> usize {
    let most = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    most / 8
}

/// Gives this process the soft limit that a program is to have.
pub fn lower(soft: Option<u64>) -> Result<(), LaunchFailure> {
    let Some(soft) = soft else { return Ok(()) };
    let limit = Rlimit { current: Some(soft), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).map_err(|errno| shim::failure(Stage::OpenFiles, &format!("to {soft}"), &errno.into()))
}
