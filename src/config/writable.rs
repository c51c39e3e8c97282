//! Whom root obeys: a file that says what root runs must not be writable by others, sudoers(5) and sshd_config(5) StrictModes.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{Host, place, profile::Profile};
use crate::model::{AppSpec, Error, Level, Notice, NoticeKind, listed};

/// The variable that turns the refusal off. A key of the file could not: whoever can write the file could write the key.
const ALLOW: &str = "PMDEV_ALLOW_WRITABLE_CONFIG";

/// What every such message ends with.
const SO: &str = "and root runs what it says";

/// Links followed on the way; the kernel's own limit, path_resolution(7).
const LINKS: usize = 40;

/// Write permission of the group, and of everybody.
const BY_GROUP: u32 = 0o020;
const BY_ALL: u32 = 0o002;

/// Refuses a project or env file that others can write, where root reads it for a server; what is only doubtful goes to the notices.
///
/// # Errors
/// Exit code 2, with the chmod to run.
pub fn check(file: &Path, profile: Profile, host: &Host, notices: &mut Vec<Notice>) -> Result<(), Error> {
    if !minds(profile, host) {
        return Ok(());
    }
    // What cannot be looked at cannot be read, which is told in its place. A pipe is its maker's, and a device (`/dev/null`) has no text.
    let Some(data) = fs::metadata(file).ok().filter(Metadata::is_file) else { return Ok(()) };
    let shown = place::shown(&host.cwd, file);
    let mut doubt = |text: String, hint: String| notices.push(Notice::new(Level::Warning, NoticeKind::Config, text).hint(hint));
    if let Some(writers) = writers(&data) {
        let text = format!("{shown} can be written by {} (mode {:03o}), {SO}", writers.who, data.mode() & 0o777);
        let hint = format!("chmod {} {}", writers.chmod, shell_words::quote(&shown));
        if refuses(profile, host) {
            return Err(Error::usage(text).hint(format!("{hint}\nto run it all the same: {ALLOW}=1")));
        }
        doubt(text, hint);
    }
    if let Some((link, owner)) = link_of_another(file, host.owner.user, LINKS) {
        let link = place::shown(&host.cwd, &link);
        let quoted = shell_words::quote(&link);
        let found = if link == shown { String::new() } else { format!("found over {link}, ") };
        doubt(format!("{shown} is {found}a link of user {owner}, {SO}"), format!("chown -h root {quoted}, or name the file itself"));
    }
    if data.uid() != host.owner.user {
        doubt(
            format!("{shown} belongs to user {}, {SO}", data.uid()),
            format!("chown root {}, or run pmdev as that user", shell_words::quote(&shown)),
        );
    }
    let folder = place::folder(file);
    // Where the sticky bit is set a file can be replaced by its owner alone.
    let replaced = fs::metadata(folder).ok().filter(|data| data.mode() & 0o1000 == 0).and_then(|data| self::writers(&data));
    if let Some(writers) = replaced {
        let folder = place::shown(&host.cwd, folder);
        doubt(
            format!("{shown} can be replaced by {}, who can write its folder, {SO}", writers.who),
            format!("chmod {} {}", writers.chmod, shell_words::quote(&folder)),
        );
    }
    Ok(())
}

fn minds(profile: Profile, host: &Host) -> bool {
    profile.distrusts_writers() && host.owner.user == 0
}

/// Whether a file that others can write is refused.
pub fn refuses(profile: Profile, host: &Host) -> bool {
    minds(profile, host) && host.text(ALLOW).is_none_or(|value| value == "0")
}

/// The first link on the way to a file that is another user's, with its owner.
fn link_of_another(file: &Path, own: u32, most: usize) -> Option<(PathBuf, u32)> {
    let mut way: Vec<&Path> = file.ancestors().collect();
    way.reverse();
    for at in way {
        let data = fs::symlink_metadata(at).ok()?;
        if !data.is_symlink() {
            continue;
        }
        if data.uid() != own {
            return Some((at.to_owned(), data.uid()));
        }
        let target = place::folder(at).join(fs::read_link(at).ok()?);
        let rest = file.strip_prefix(at).ok().filter(|rest| !rest.as_os_str().is_empty());
        let next = rest.map_or_else(|| target.clone(), |rest| target.join(rest));
        return link_of_another(&next, own, most.checked_sub(1)?);
    }
    None
}

/// The same surroundings, in which nothing is refused: for whoever looks at the rights of files and runs nothing.
pub fn refusing_nothing(host: &Host) -> Host {
    let mut host = host.clone();
    host.env.push((ALLOW.into(), "1".into()));
    host
}

/// Whether a notice is one of [`check`].
pub fn is_about_writers(notice: &Notice) -> bool {
    notice.text.ends_with(SO)
}

/// Says which apps run as root on a server although nobody said so, but those of which it was told.
pub fn as_root(apps: &[AppSpec], told: &[String], profile: Profile, host: &Host) -> Option<Notice> {
    if !minds(profile, host) {
        return None;
    }
    let new = apps.iter().filter(|app| app.account.user.is_none() && !told.contains(&app.name));
    let names: Vec<&str> = new.map(|app| app.name.as_str()).collect();
    let text = match names.as_slice() {
        [] => return None,
        [one] => format!("{one} runs as root, because pmdev does"),
        several => format!("{} run as root, because pmdev does", listed(several)),
    };
    let hint = "say who it runs as in the project file, uid: \"www-data\" (uid: \"root\" if that is meant), or start pmdev as that user";
    Some(Notice::new(Level::Warning, NoticeKind::Config, text).hint(hint))
}

/// Who besides its owner and root can write something, and what takes it from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writers {
    /// `everybody`, or the group.
    pub who: String,
    /// The mode for chmod(1).
    pub chmod: &'static str,
}

/// Who besides its owner and root can write something of these rights; `None`: nobody.
pub fn writers(data: &Metadata) -> Option<Writers> {
    let by_group = data.mode() & BY_GROUP != 0 && data.gid() != 0;
    let by_all = data.mode() & BY_ALL != 0;
    let (who, chmod) = match (by_group, by_all) {
        (false, false) => return None,
        (true, false) => (format!("group {}", data.gid()), "g-w"),
        (false, true) => ("everybody".to_owned(), "o-w"),
        (true, true) => ("everybody".to_owned(), "go-w"),
    };
    Some(Writers { who, chmod })
}
