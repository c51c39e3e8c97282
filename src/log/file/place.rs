//! Where a file that we write really is, a log file or another: its folder is opened and held, so that what is done later is done there, whatever becomes of the path.
//! Root follows no link of another user, and writes into nothing that another could have put there for it: what systemd's chase() calls an
//! unsafe transition, and logrotate(8) insecure permissions.

use std::{
    error,
    ffi::{OsStr, OsString},
    fmt,
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStringExt as _, fs::MetadataExt as _},
    },
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use rustix::{
    event::{Timespec, poll},
    fs::{
        AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat, flock, fstat, mkdirat, openat, readlinkat,
        renameat_with, statat, unlinkat,
    },
    io::Errno,
    process::geteuid,
};

/// Links followed on the way; the kernel's own limit, path_resolution(7).
const LINKS: usize = 40;

/// How often, and how long apart, it is looked whether another runner is done.
const LOOKS: usize = 200;
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// Write permission of the group, and of everybody.
const BY_GROUP: u32 = 0o020;
const BY_ALL: u32 = 0o002;

/// What a path leads to.
#[derive(Debug)]
pub enum Place {
    /// A file in a folder, whether it is there or not.
    Spot(Spot),
    /// A device, or what `/dev/stdout` leads to: no place to put anything away.
    Device(PathBuf),
}

/// A name in a folder that is held open.
#[derive(Debug, Clone)]
pub struct Spot {
    folder: Arc<OwnedFd>,
    path: PathBuf,
    /// For root: who else can put things there.
    others: Option<Others>,
}

/// Those who can put things into a folder that root writes into.
#[derive(Debug, Clone, Copy)]
struct Others {
    /// The folder's owner.
    owner: u32,
}

/// What root does not do, because another user could have laid it out.
#[derive(Debug)]
pub struct Refused {
    what: String,
    /// What makes it possible.
    pub remedy: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl error::Error for Refused {}

/// What makes possible what was refused; `None`: it failed for another reason.
pub fn remedy(error: &io::Error) -> Option<&str> {
    error.get_ref()?.downcast_ref::<Refused>().map(|refused| refused.remedy.as_str())
}

fn refused(what: String, remedy: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, Refused { what, remedy })
}

/// The mode of a file that others may read, whatever the mask of whoever has started us allows: umask 0 is no wish to have them write there.
pub const READABLE: u32 = 0o644;

/// The mode of a folder that others may enter, in the same way.
pub const OPEN: u32 = 0o755;

/// Follows a path; `make`: folders are made where they are missing, with this mode.
pub fn find(path: &Path, make: Option<Mode>) -> io::Result<Place> {
    follow(path, make, true)
}

/// Follows a path to the folder of its last name; what has that name is not followed.
///
/// # Errors
/// Also where devices are: nothing can be put there.
pub fn name(path: &Path, make: Option<Mode>) -> io::Result<Spot> {
    match follow(path, make, false)? {
        Place::Spot(spot) => Ok(spot),
        Place::Device(path) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is among devices", path.display()))),
    }
}

fn follow(path: &Path, make: Option<Mode>, last: bool) -> io::Result<Place> {
    let careful = geteuid().is_root();
    let mut left = parts(path);
    let root = || openat(CWD, "/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let (mut folder, mut at) = (root()?, PathBuf::from("/"));
    let mut links = 0;
    while let Some(name) = left.pop() {
        let here = at.join(&name);
        if is_device(&here) {
            let mut device = here;
            device.extend(left.iter().rev());
            return Ok(Place::Device(device));
        }
        if name == ".." {
            folder = openat(&folder, "..", FOLDER, Mode::empty())?;
            at.pop();
            continue;
        }
        // With O_DIRECTORY a folder is mounted that is mounted on demand.
        match if left.is_empty() { Err(Errno::NOTDIR) } else { openat(&folder, &name, FOLDER, Mode::empty()) } {
            Ok(next) => (folder, at) = (next, here),
            Err(Errno::NOTDIR | Errno::LOOP) => match statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(about) if FileType::from_raw_mode(about.st_mode) == FileType::Symlink && (last || !left.is_empty()) => {
                    links += 1;
                    if links > LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = PathBuf::from(OsString::from_vec(readlinkat(&folder, &name, Vec::new())?.into_bytes()));
                    // Another could lead root anywhere by it.
                    if careful && about.st_uid != 0 {
                        return Err(not_followed(&here, &target, about.st_uid));
                    }
                    if target.is_absolute() {
                        (folder, at) = (root()?, PathBuf::from("/"));
                    }
                    left.extend(parts(&target));
                }
                Ok(_) | Err(Errno::NOENT) if left.is_empty() => {
                    let others = if careful { Others::of(&fstat(&folder)?) } else { None };
                    return Ok(Place::Spot(Spot { folder: Arc::new(folder), path: here, others }));
                }
                Ok(_) => return Err(Errno::NOTDIR.into()),
                Err(error) => return Err(error.into()),
            },
            Err(Errno::NOENT) if make.is_some() => match mkdirat(&folder, &name, make.unwrap_or(Mode::empty())) {
                Ok(()) | Err(Errno::EXIST) => left.push(name),
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::ISDIR.into())
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The names on the way, the first of them last.
fn parts(path: &Path) -> Vec<OsString> {
    let named = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    let mut parts: Vec<OsString> = path.components().filter_map(named).collect();
    parts.reverse();
    parts
}

/// Shared memory is a file system like any other.
fn is_device(path: &Path) -> bool {
    (path.starts_with("/dev") && path != Path::new("/dev") && !path.starts_with("/dev/shm")) || path.starts_with("/proc")
}

fn not_followed(link: &Path, target: &Path, owner: u32) -> io::Error {
    let what = format!("{} is a link of user {owner}, and root follows its own alone", link.display());
    let (link, target) = (shell_words::quote(&link.display().to_string()).into_owned(), target.display());
    refused(what, format!("name {target} itself, or make the link root's: chown -h root {link}"))
}

impl Others {
    fn of(folder: &Stat) -> Option<Self> {
        let by_group = folder.st_mode & BY_GROUP != 0 && folder.st_gid != 0;
        let by_all = folder.st_mode & BY_ALL != 0;
        (folder.st_uid != 0 || by_group || by_all).then_some(Self { owner: folder.st_uid })
    }
}

impl Spot {
    /// Where it is, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What lies in the same folder under the name of this path.
    pub fn beside(&self, path: &Path) -> Self {
        Self { path: self.path.with_file_name(path.file_name().unwrap_or_default()), ..self.clone() }
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Opens it, and nothing that a link there leads to. Nobody waits for the other end of a pipe.
    ///
    /// # Errors
    /// Also where another user could have put it there for root.
    pub fn open(&self, flags: OFlags, mode: u32) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&*self.folder, self.name(), flags, Mode::from_raw_mode(mode))?);
        let Some(others) = self.others else { return Ok(file) };
        let about = file.metadata()?;
        // The group and others get no say over what is root's by a second name of it.
        let is_own = about.uid() == 0 && about.nlink() <= 1 || about.uid() != 0 && about.uid() == others.owner;
        if about.is_file() && is_own {
            return Ok(file);
        }
        let path = self.path.display();
        let what = match about.is_file() {
            true if about.uid() == 0 => format!("{path} is root's and has other names as well"),
            true => format!("{path} is a file of user {}", about.uid()),
            false => format!("{path} is no file"),
        };
        let folder = self.path.parent().unwrap_or(&self.path).display();
        let remedy = format!("take it away, or name a file in a folder that root alone can write; users besides root can write {folder}");
        Err(refused(format!("{what}, in a folder that others can write"), remedy))
    }

    /// What lies there, a link as itself.
    pub fn about(&self) -> io::Result<Stat> {
        Ok(statat(&*self.folder, self.name(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Whether this open file lies there.
    pub fn holds(&self, file: &File) -> bool {
        let (Ok(own), Ok(there)) = (file.metadata(), self.about()) else { return false };
        (own.dev(), own.ino()) == (there.st_dev, there.st_ino)
    }

    /// Gives it a name that nothing in its folder has.
    ///
    /// # Errors
    /// `AlreadyExists` where something has it; where the file system cannot tell, that is replaced.
    pub fn rename(&self, to: &Self) -> io::Result<()> {
        match renameat_with(&*self.folder, self.name(), &*to.folder, to.name(), RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => self.replace(to),
            result => Ok(result?),
        }
    }

    /// Gives it this name, and takes away what has it.
    pub fn replace(&self, to: &Self) -> io::Result<()> {
        Ok(rustix::fs::renameat(&*self.folder, self.name(), &*to.folder, to.name())?)
    }

    /// Takes it away.
    pub fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&*self.folder, self.name(), AtFlags::empty())?)
    }

    /// Keeps other runners from putting away what lies in this folder while the file is there that comes back, where that can be had before
    /// long: one of them may be stopped.
    pub fn alone(&self) -> Option<OwnedFd> {
        let folder = self.listing().ok()?;
        let have = || flock(&folder, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK);
        for _ in 0..LOOKS {
            if have() {
                break;
            }
            let _ = poll(&mut [], Some(&LOOK));
        }
        Some(folder)
    }

    fn listing(&self) -> io::Result<OwnedFd> {
        Ok(openat(&*self.folder, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// All names in its folder.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let names =
            Dir::new(self.listing()?)?.filter_map(|entry| Some(OsString::from_vec(entry.ok()?.file_name().to_owned().into_bytes())));
        Ok(names.collect())
    }
}

#[cfg(test)]
mod tests;
