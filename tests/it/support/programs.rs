//! Programs the tests need: where they are, and what happens where one is missing.

use std::{
    env,
    ffi::OsStr,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The real thing.
pub const PMDEV: &str = env!("CARGO_BIN_EXE_pmdev");

/// Finds a program on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Whether all these programs are there. Where one is missing the test is skipped; in CI, which installs them, that is a failure.
pub fn have(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(env::var_os("CI").as_deref() != Some(OsStr::new("true")), "CI installs everything, but PATH has no {missing}");
    skip(&format!("{missing} missing on PATH"));
    false
}

/// Says that a test, or a part of it, is skipped, and why. The output of a test that passes is shown to nobody, so it is written into the
/// file that `PMDEV_SKIPPED` names as well; the gate shows that at its end.
pub fn skip(why: &str) {
    let line = format!("{}: {}\n", std::thread::current().name().unwrap_or_default(), why.trim_end());
    eprint!("skipped: {line}");
    if let Some(file) = env::var_os("PMDEV_SKIPPED") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("what is skipped can be noted");
    }
}

/// The badly behaved test app, which Cargo builds beside the tests.
pub fn misbehave() -> PathBuf {
    let tests = env::current_exe().expect("the test binary has a path");
    let profile = tests.ancestors().nth(2).expect("target/<profile>/deps/it");
    let path = profile.join("examples/misbehave");
    assert!(path.is_file(), "{} is missing; build it: cargo build --examples", path.display());
    path
}

/// A folder of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
