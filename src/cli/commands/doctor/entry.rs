//! Whether an app may enter the folder that it runs in, as the user that it runs as.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Subject, machine::quoted};
use crate::{
    config::Host,
    model::{Hardening, Identity, Launch},
    ui::findings::Finding,
};

/// How long the look may take: a folder may lie on a disk that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says the first of its arguments that cannot be entered.
const LOOK: &str = "for folder; do cd -- \"$folder\" 2>/dev/null || { printf '%s' \"$folder\"; exit 1; }; done";

/// A folder that is closed to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The app.
    pub app: String,
    /// Its user's name.
    pub user: String,
    /// The folder that it is to run in.
    pub cwd: PathBuf,
    /// The one on the way there, or that one itself, that its user may not enter.
    pub at: PathBuf,
}

/// Looks as the users of the apps, so that whatever decides (modes, groups, access lists) is asked itself; once for all apps of a user in a
/// folder.
pub fn look(subject: &Subject, host: &Host) -> Vec<Closed> {
    let mut known: HashMap<(u32, &Path), Option<PathBuf>> = HashMap::new();
    let mut closed = Vec::new();
    for app in &subject.apps {
        let (Some(identity), cwd) = (&app.launch.hardening.identity, app.launch.cwd.as_path()) else { continue };
        if let Some(at) = known.entry((identity.user, cwd)).or_insert_with(|| in_the_way(identity, cwd, host)) {
            closed.push(Closed { app: app.name.clone(), user: identity.name.clone(), cwd: cwd.to_owned(), at: at.clone() });
        }
    }
    closed
}

/// The first folder on the way to one that a user may not enter.
fn in_the_way(identity: &Identity, cwd: &Path, host: &Host) -> Option<PathBuf> {
    let mut way: Vec<&Path> = cwd.ancestors().collect();
    way.reverse();
    let words = ["/bin/sh", "-c", LOOK, "sh"].map(Into::into);
    let argv = words.into_iter().chain(way.into_iter().map(Into::into)).collect();
    let hardening = Hardening { identity: Some(identity.clone()), ..Hardening::default() };
    // Whoever may not become that user cannot look, nor start the app.
    let output = (host.run)(&Launch { argv, cwd: "/".into(), env: Vec::new(), hardening }, PATIENCE).ok()?;
    let at = PathBuf::from(output.said);
    (!at.as_os_str().is_empty()).then_some(at)
}

/// What is to be said of such folders.
pub fn of_closed(closed: &[Closed]) -> Vec<Finding> {
    let finding = |Closed { app, user, cwd, at }: &Closed| {
        let which =
            if at == cwd { "which that user may not enter".to_owned() } else { format!("and that user may not enter {}", at.display()) };
        let text = format!("{app} is to run as {user} in {}, {which}: it does not start", cwd.display());
        let advice = "put the project where that user may go (/srv, /opt), name another cwd, or let others pass through that folder";
        Finding::problem("entry", text).advice(advice).command(format!("chmod o+x {}", quoted(at)))
    };
    closed.iter().map(finding).collect()
}
