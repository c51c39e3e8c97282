//! Which paths lead where, and which of them root does not follow.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, chown, lchown, symlink},
};

use tempfile::TempDir;

use super::*;

/// Somebody who is not root.
const ANN: u32 = 12_345;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn spot(path: &Path) -> io::Result<Spot> {
    match find(path, None)? {
        Place::Spot(spot) => Ok(spot),
        Place::Device(path) => panic!("{} is a device", path.display()),
    }
}

fn refusal(error: &io::Error) -> &Refused {
    error.get_ref().and_then(|error| error.downcast_ref()).unwrap_or_else(|| panic!("{error}"))
}

#[test]
fn links_are_followed_and_devices_are_no_place() {
    let (_folder, base) = folder();
    fs::create_dir_all(base.join("big/deep")).unwrap();
    for (target, link) in [
        ("big/out.log", "out.log"),
        ("big/deep", "deep"),
        ("/dev/stdout", "screen.log"),
        ("loop", "loop"),
        ("../out.log", "big/up.log"),
        ("missing/x.log", "nowhere.log"),
    ] {
        symlink(target, base.join(link)).unwrap();
    }
    let real = |name: &str| spot(&base.join(name)).unwrap().path().strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
    let places = ["plain.log", "out.log", "deep/x.log", "deep/../y.log", "big/up.log"];
    assert_eq!(places.map(real), ["plain.log", "big/out.log", "big/deep/x.log", "big/y.log", "big/out.log"]);
    for device in [base.join("screen.log"), "/dev/stdout".into(), "/dev/null".into()] {
        assert!(matches!(find(&device, None), Ok(Place::Device(path)) if path.starts_with("/dev") || path.starts_with("/proc")));
    }
    let kind = |name: &str| spot(&base.join(name)).unwrap_err().raw_os_error().map(Errno::from_raw_os_error);
    assert_eq!((kind("loop"), kind("nowhere.log"), kind("out.log/x.log")), (Some(Errno::LOOP), Some(Errno::NOENT), Some(Errno::NOENT)));
    fs::write(base.join("file"), "").unwrap();
    assert_eq!(kind("file/x.log"), Some(Errno::NOTDIR));
    assert!(matches!(find(&base.join("new/folders/x.log"), Some(Mode::RWXU)), Ok(Place::Spot(_))));
    assert!(base.join("new/folders").is_dir());
}

#[test]
fn a_name_that_is_taken_is_not_given_again() {
    let (_folder, base) = folder();
    fs::write(base.join("one"), "1").unwrap();
    fs::write(base.join("two"), "2").unwrap();
    let (one, two) = (spot(&base.join("one")).unwrap(), spot(&base.join("two")).unwrap());
    assert_eq!(one.rename(&two).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    one.rename(&two.beside(Path::new("three"))).unwrap();
    assert_eq!((fs::read(base.join("two")).unwrap(), fs::read(base.join("three")).unwrap()), (b"2".to_vec(), b"1".to_vec()));
}

#[test]
fn root_writes_nowhere_that_another_user_leads_it() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root is led somewhere");
        return;
    }
    let (_folder, base) = folder();
    let (home, secret) = (base.join("ann"), base.join("shadow"));
    fs::create_dir(&home).unwrap();
    fs::write(&secret, "root:x").unwrap();
    fs::create_dir(base.join("etc")).unwrap();
    let write = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
    let opened = |name: &str| spot(&home.join(name)).and_then(|spot| spot.open(write, 0o600));
    // What she laid out for us: links to a file, to a folder and to nothing yet, a second name, a pipe, and a file of somebody else.
    for (target, link) in [(&secret, "out.log"), (&base.join("etc"), "logs"), (&base.join("etc/new"), "new.log")] {
        symlink(target, home.join(link)).unwrap();
        lchown(home.join(link), Some(ANN), None).unwrap();
    }
    fs::hard_link(&secret, home.join("second.log")).unwrap();
    rustix::fs::mknodat(CWD, home.join("pipe.log"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _reader = File::options().read(true).write(true).open(home.join("pipe.log")).unwrap();
    fs::write(home.join("bob.log"), "").unwrap();
    chown(home.join("bob.log"), Some(ANN + 1), None).unwrap();
    chown(&home, Some(ANN), None).unwrap();
    for (name, what) in [
        ("out.log", "ann/out.log is a link of user 12345, and root follows its own alone"),
        ("logs/app.log", "ann/logs is a link of user 12345, and root follows its own alone"),
        ("new.log", "ann/new.log is a link of user 12345, and root follows its own alone"),
        ("second.log", "ann/second.log is root's and has other names as well, in a folder that others can write"),
        ("pipe.log", "ann/pipe.log is no file, in a folder that others can write"),
        ("bob.log", "ann/bob.log is a file of user 12346, in a folder that others can write"),
    ] {
        let error = opened(name).unwrap_err();
        assert_eq!(
            (error.kind(), refusal(&error).what.as_str()),
            (io::ErrorKind::PermissionDenied, format!("{}/{what}", base.display()).as_str())
        );
    }
    assert!(fs::read_dir(base.join("etc")).unwrap().next().is_none());
    assert_eq!(fs::read_to_string(&secret).unwrap(), "root:x");
    // Her own files, ours, and links that are ours.
    fs::write(home.join("hers.log"), "").unwrap();
    chown(home.join("hers.log"), Some(ANN), None).unwrap();
    symlink(base.join("etc/app.log"), home.join("ours.log")).unwrap();
    for name in ["hers.log", "fresh.log", "fresh.log", "ours.log"] {
        opened(name).unwrap();
    }
    // A link that takes the place of a file once that was looked at.
    let looked_at = spot(&home.join("late.log")).unwrap();
    symlink(&secret, home.join("late.log")).unwrap();
    assert_eq!(looked_at.open(write, 0o600).unwrap_err().raw_os_error(), Some(Errno::LOOP.raw_os_error()));
    // A folder that everybody can write is everybody's.
    fs::set_permissions(base.join("etc"), Permissions::from_mode(0o1777)).unwrap();
    fs::write(base.join("etc/hers.log"), "").unwrap();
    chown(base.join("etc/hers.log"), Some(ANN), None).unwrap();
    assert!(spot(&base.join("etc/hers.log")).unwrap().open(write, 0o600).is_err());
}
