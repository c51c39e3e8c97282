//! What the shim is told: a launch, the marker in its environment, and who its parent is.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::fd::OwnedFd,
};

use serde::{Deserialize, Serialize};

use crate::model::{Hardening, Launch};

/// Everything the shim needs to become the program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan<'a> {
    /// Program and arguments.
    pub argv: Cow<'a, [OsString]>,
    /// The folder to run in.
    pub cwd: Cow<'a, OsStr>,
    /// The whole environment.
    pub env: Vec<(Cow<'a, OsStr>, Cow<'a, OsStr>)>,
    /// As whom it runs and what it may use.
    pub hardening: Cow<'a, Hardening>,
    /// Files that it may have open, soft, where that is not what we may have ourselves and nothing else is said of it.
    pub open_files: Option<u64>,
    /// Whether the last of the descriptors handed over is the terminal that it gets instead of its pipes.
    pub terminal: bool,
    /// The pid of the runner: any other parent means that the runner is gone.
    pub parent: i32,
}

impl<'a> Plan<'a> {
    /// The plan for a launch, its environment marked.
    pub fn new(launch: &'a Launch, marker: (&'a str, &'a str), open_files: Option<u64>, terminal: bool, parent: i32) -> Self {
        let (name, value) = (OsStr::new(marker.0), OsStr::new(marker.1));
        let kept = launch.env.iter().filter(|(other, _)| other != name).map(|(name, value)| (Cow::from(name), Cow::from(value)));
        let env = kept.chain([(Cow::from(name), Cow::from(value))]).collect();
        let (argv, cwd) = (Cow::from(&launch.argv), Cow::from(launch.cwd.as_os_str()));
        Self { argv, cwd, env, hardening: Cow::Borrowed(&launch.hardening), open_files, terminal, parent }
    }

    /// A file without a name for a plan; unlike a pipe it takes any size at once.
    pub fn file() -> io::Result<File> {
        Ok(File::from(rustix::fs::memfd_create("plan", rustix::fs::MemfdFlags::CLOEXEC)?))
    }

    /// Writes it into such a file.
    pub fn store(&self, file: &mut File) -> io::Result<()> {
        file.write_all(&postcard::to_stdvec(self).map_err(io::Error::other)?)
    }

    /// Reads what [`Plan::store`] wrote.
    pub fn load(file: OwnedFd) -> io::Result<Plan<'static>> {
        let mut file = File::from(file);
        file.rewind()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        postcard::from_bytes(&bytes).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;
    use crate::model::Identity;

    #[test]
    fn any_bytes_arrive_and_the_marker_replaces_its_like() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let env = vec![("A".into(), odd.clone()), ("PMDEV_RUN".into(), "old".into()), ("Z".into(), OsString::new())];
        let identity = Identity { user: 33, group: 34, groups: vec![34, 5], name: "www".to_owned(), home: "/home/w w".into() };
        let hardening = Hardening { identity: Some(identity), core: Some(0), no_new_privs: true, ..Hardening::default() };
        let launch = Launch { argv: vec!["x".into(), odd.clone()], cwd: "/a b".into(), env, hardening };
        let mut file = Plan::file().expect("a memfd can be made");
        Plan::new(&launch, ("PMDEV_RUN", "new"), Some(1024), true, 7).store(&mut file).expect("it takes any size");
        let plan = Plan::load(file.into()).expect("it was just stored");
        assert_eq!((plan.argv.as_ref(), plan.cwd.as_ref(), plan.parent), (&launch.argv[..], launch.cwd.as_os_str(), 7));
        assert!(plan.terminal && plan.open_files == Some(1024));
        assert_eq!(*plan.hardening, launch.hardening);
        let env: Vec<_> = plan.env.iter().map(|(name, value)| (name.to_str().expect("ASCII"), value.as_ref())).collect();
        assert_eq!(env, [("A", &*odd), ("Z", OsStr::new("")), ("PMDEV_RUN", OsStr::new("new"))]);
    }
}
