//! Where the log files of apps lie: the flags over the keys, the runner's own folder where no path is given, and what cannot be a log file.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::model::{AppSpec, Error, Level, LogFile, Logs, Notice, NoticeKind, TimestampFormat};

use super::{
    Host, Request,
    element::log_file::File,
    place::{self, home},
};

/// What flags say of log files; it counts for every app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// The file of standard output, as typed.
    pub out: Option<String>,
    /// The file of standard error, as typed.
    pub error: Option<String>,
    /// The file of both, as typed; empty: the one in the runner's own folder.
    pub combined: Option<String>,
    /// The instances share their files.
    pub merge: bool,
    /// Whether a line is a JSON object.
    pub json: Option<bool>,
    /// The time before each line.
    pub timestamp: Option<TimestampFormat>,
    /// Nothing is kept or shown.
    pub disabled: bool,
}

/// The file of one instance of several that do not share theirs: PM2 puts its number before `.log`. A device is everybody's.
pub fn of_instance(file: &Path, number: usize) -> PathBuf {
    if file.starts_with("/dev") || file.starts_with("/proc") {
        return file.to_owned();
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    let stem = (file.extension().is_some_and(|extension| extension == "log")).then(|| file.file_stem()).flatten().map(OsString::from);
    match stem {
        Some(stem) => {
            name = stem;
            name.push(format!("-{number}.log"));
        }
        None => name.push(format!("-{number}")),
    }
    file.with_file_name(name)
}

/// Gives every log file its path. `files`: those that say what shall run.
///
/// # Errors
/// A path that something else needs; exit code 2.
pub fn settle(apps: &mut [AppSpec], files: &[PathBuf], request: &Request, host: &Host, notices: &mut Vec<Notice>) -> Result<(), Error> {
    let home = home(host);
    for app in apps {
        lay(&mut app.logs, &request.logs, host);
        let Logs { out, error, combined, disabled, .. } = &mut app.logs;
        if *disabled {
            (*out, *error, *combined) = (LogFile::None, LogFile::None, LogFile::None);
        }
        let mut homeless = false;
        for (file, ending) in [(out, "-out.log"), (error, "-error.log"), (combined, ".log")] {
            if *file == LogFile::Default {
                *file = match &home {
                    Some(home) => LogFile::At(home.join("logs").join(format!("{}{ending}", plain(&app.name)))),
                    None => LogFile::None,
                };
                homeless |= home.is_none();
            }
        }
        if homeless {
            let text = format!("{} keeps no log files, because neither HOME nor PMDEV_HOME says where", app.name);
            notices.push(Notice::new(Level::Warning, NoticeKind::Config, text).about(&app.name).hint("set PMDEV_HOME to a folder"));
        }
        let paths: Vec<PathBuf> = app.logs.paths().map(|(_, path)| path.to_owned()).collect();
        for path in &paths {
            possible(path, app, files)?;
        }
        if let (Some(watch), false) = (app.watching_mut(), paths.is_empty()) {
            watch.own.extend(paths.into_iter().chain(home.clone()));
        }
    }
    Ok(())
}

/// Flags over keys.
fn lay(logs: &mut Logs, flags: &LogRequest, host: &Host) {
    let file = |typed: &String| match File::named(typed) {
        File::None => LogFile::None,
        File::Default => LogFile::Default,
        File::At(path) => LogFile::At(place::absolute(&host.cwd, Path::new(&path))),
    };
    for (own, typed) in [(&mut logs.out, &flags.out), (&mut logs.error, &flags.error), (&mut logs.combined, &flags.combined)] {
        if let Some(typed) = typed {
            *own = file(typed);
        }
    }
    logs.merge |= flags.merge;
    logs.json = flags.json.unwrap_or(logs.json);
    logs.disabled |= flags.disabled;
    if flags.timestamp.is_some() {
        logs.timestamp.clone_from(&flags.timestamp);
    }
}

/// PM2: what is no letter, digit, dot or dash of a name becomes a dash in a file's name.
pub fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '-' }).collect()
}

/// Lines are added to what a log file holds, so it must be nothing that somebody needs as it is.
fn possible(path: &Path, app: &AppSpec, files: &[PathBuf]) -> Result<(), Error> {
    let refused = |what: &str| {
        let text = format!("{} cannot write its lines into {}, which is {what}", app.name, path.display());
        Err(Error::usage(text).hint("name a file that holds nothing but log lines, such as logs/out.log"))
    };
    if path.is_dir() {
        return refused("a folder");
    }
    if files.iter().any(|file| file == path) {
        return refused("a file that says what shall run");
    }
    let launch = &app.launch;
    if launch.argv.iter().any(|word| path.is_file() && place::absolute(&launch.cwd, Path::new(word)) == path) {
        return refused("part of its command line");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_their_number_before_the_ending() {
        for (file, expected) in [
            ("/l/api-out.log", "/l/api-out-3.log"),
            ("/l/api.out", "/l/api.out-3"),
            ("/l/log", "/l/log-3"),
            ("/l/.log", "/l/.log-3"),
            ("/dev/stdout", "/dev/stdout"),
        ] {
            assert_eq!(of_instance(Path::new(file), 3), Path::new(expected));
        }
    }

    #[test]
    fn names_are_plain_in_file_names() {
        assert_eq!(plain("shop:api/v1 é_2.x-y"), "shop-api-v1---2.x-y");
    }
}
