//! The last stage: finding the program and becoming it, execve(2).

use std::{
    ffi::{CString, OsStr, OsString},
    fs,
    io::{self, Read as _},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    ptr,
    time::Duration,
};

use super::plan::Plan;

/// Where a program is looked for if the environment has no PATH; the C library's default.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// How often, and after which pause, a program that is still open for writing is tried again: a second in all. A linker's descriptor
/// may live on for a moment in a child that another thread of the build tool is just starting.
const BUSY: (u32, Duration) = (200, Duration::from_millis(5));

/// Becomes the program of a plan. Returns only on failure: what was tried, and the error number.
pub fn program(plan: &Plan<'_>) -> (String, i32) {
    let Some(name) = plan.argv.first() else { return (String::new(), libc::EINVAL) };
    let shown = name.to_string_lossy().into_owned();
    let argv = plan.argv.iter().map(|arg| arg.as_bytes().to_vec());
    let env = plan.env.iter().map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    let (Ok(argv), Ok(env)) = (c_strings(argv), c_strings(env)) else { return (shown, libc::EINVAL) };
    let mut denied = None;
    let path = plan.env.iter().find(|(name, _)| **name == *OsStr::new("PATH")).map(|(_, value)| &**value);
    for file in candidates(name, path) {
        let errno = execute(&file, &argv, &env);
        match errno {
            // execvp(3): these mean "not here", look further.
            libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT if !file.is_file() => {}
            libc::EACCES => denied = Some(file),
            _ => return (blame(&file, errno), errno),
        }
    }
    match denied {
        Some(file) => (file.to_string_lossy().into_owned(), libc::EACCES),
        None => (shown, libc::ENOENT),
    }
}

fn c_strings(list: impl Iterator<Item = Vec<u8>>) -> Result<Vec<CString>, std::ffi::NulError> {
    list.map(CString::new).collect()
}

/// The files a program name may mean, in order; an empty entry of PATH is the working directory.
fn candidates(name: &OsStr, path: Option<&OsStr>) -> Vec<PathBuf> {
    if name.is_empty() || name.as_bytes().contains(&b'/') {
        return vec![PathBuf::from(name)];
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    path.as_bytes().split(|byte| *byte == b':').map(|folder| Path::new(OsStr::from_bytes(folder)).join(name)).collect()
}

/// Tries one file, again for a while if somebody still writes it; returns the error number.
fn execute(file: &Path, argv: &[CString], env: &[CString]) -> i32 {
    let Ok(file) = CString::new(file.as_os_str().as_bytes()) else { return libc::EINVAL };
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> { list.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect() };
    let (argv, env) = (pointers(argv), pointers(env));
    for attempt in 0.. {
        // SAFETY: both arrays end with null, and their strings live in `argv` and `env` of the caller.
        unsafe { libc::execve(file.as_ptr(), argv.as_ptr(), env.as_ptr()) };
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
        if errno != libc::ETXTBSY || attempt == BUSY.0 {
            return errno;
        }
        #[expect(clippy::disallowed_methods, reason = "the shim has nothing else to do, and no event tells when a writer closes")]
        std::thread::sleep(BUSY.1);
    }
    unreachable!("the last attempt returns")
}

/// Names what an error number is about: ENOENT for a file that is there means the interpreter or loader it asks for.
fn blame(file: &Path, errno: i32) -> String {
    let shown = file.display();
    if errno != libc::ENOENT {
        return shown.to_string();
    }
    match interpreter(file) {
        Some(interpreter) => format!("{}, the interpreter named in {shown}", interpreter.display()),
        None => format!("the program loader named in {shown}"),
    }
}

/// The interpreter in a file's first line, `#!INTERPRETER [ARGUMENT]`.
fn interpreter(file: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    fs::File::open(file).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let word = line.split(|byte| byte.is_ascii_whitespace()).next()?;
    Some(PathBuf::from(OsString::from_vec(word.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_and_a_path_is_not() {
        let list = |name: &str, path: Option<&str>| {
            let found = candidates(OsStr::new(name), path.map(OsStr::new));
            found.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(list("node", Some("/a::b")), "/a/node node b/node");
        assert_eq!(list("./node", Some("/a")), "./node");
        assert_eq!(list("node", None), "/bin/node /usr/bin/node");
    }

    #[test]
    fn the_interpreter_of_a_script_is_read_from_its_first_line() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (text, expected) in [("#!/x/py -u\nhi", Some("/x/py")), ("#! /x/py\r\n", Some("/x/py")), ("plain", None)] {
            let file = folder.path().join("script");
            fs::write(&file, text).expect("it can be written");
            assert_eq!(interpreter(&file), expected.map(PathBuf::from), "{text:?}");
        }
    }
}
