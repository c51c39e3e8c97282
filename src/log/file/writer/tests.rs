//! One file, written step by step.

use std::{fs, io::Read as _, os::unix::fs::PermissionsExt as _, path::PathBuf};

use rustix::fs::{CWD, FileType, mknodat};
use tempfile::TempDir;

use super::{super::Rotation, *};
use crate::model::RotateEvery;

struct Log {
    folder: TempDir,
    path: PathBuf,
    settings: Settings,
    writer: Writer,
    unrotated: Vec<String>,
    put_away: usize,
}

impl Log {
    fn new(max_size: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/out.log");
        let rotation = Rotation { max_size, every: None, keep: 9, compress: false, total: None };
        let settings = Settings { rotation, together: vec![path.clone()], private: None, times: true };
        Self { folder, path, settings, writer: Writer::default(), unrotated: Vec::new(), put_away: 0 }
    }

    /// Writes until everything is written or it fails; the bytes that were.
    fn write(&mut self, lines: &str) -> Result<(), (usize, Failure)> {
        let mut done = 0;
        while done < lines.len() {
            let put_away = |outcome: Result<(), &io::Error>| match outcome {
                Ok(()) => self.put_away += 1,
                Err(error) => self.unrotated.push(error.to_string()),
            };
            let rest = &lines.as_bytes()[done..];
            match self.writer.write(rest, &self.path, &self.settings, &Compressor::default(), put_away, || true) {
                Ok(count) => done += count,
                Err((count, failure)) => return Err((done + count, failure)),
            }
        }
        Ok(())
    }

    /// Every file in the folder, in the order of names, and what it holds.
    fn files(&self) -> Vec<String> {
        let mut paths: Vec<_> = fs::read_dir(self.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        // The one that is written has the shortest name and is the newest.
        paths.rotate_left(1);
        paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

#[test]
fn files_are_filled_with_whole_lines_and_put_away() {
    let mut log = Log::new(Some(8));
    log.write("aa\nbb\ncc\n").unwrap();
    log.write("a line that is too long\nd\n").unwrap();
    log.write("ee\nff\n").unwrap();
    assert_eq!(log.files(), ["aa\nbb\n", "cc\n", "a line that is too long\n", "d\nee\nff\n"]);
    assert_eq!((log.put_away, log.unrotated.len()), (3, 0));
}

#[test]
fn what_was_there_is_gone_on_with() {
    let mut log = Log::new(Some(8));
    fs::create_dir(log.path.parent().unwrap()).unwrap();
    fs::write(&log.path, "aa\nhal").unwrap();
    log.write("bb\n").unwrap();
    assert_eq!(log.files(), ["aa\nhal\n", "bb\n"], "half a line is ended, and its bytes count");
}

#[test]
fn a_removed_file_or_folder_is_made_again_and_no_line_is_missing() {
    let mut log = Log::new(None);
    log.write("one\n").unwrap();
    fs::remove_file(&log.path).unwrap();
    log.write("two\n").unwrap();
    assert_eq!(log.files(), ["two\n"]);
    fs::remove_dir_all(log.path.parent().unwrap()).unwrap();
    log.write("three\n").unwrap();
    assert_eq!(log.files(), ["three\n"]);
}

#[test]
fn a_file_that_others_put_in_its_place_is_not_put_away() {
    let mut log = Log::new(Some(8));
    log.write("one\n").unwrap();
    let aside = log.path.with_file_name("out.log.1");
    fs::rename(&log.path, &aside).unwrap();
    fs::write(&log.path, "x\n").unwrap();
    log.write("two\nthree\n").unwrap();
    assert_eq!(fs::read_to_string(&aside).unwrap(), "one\ntwo\n", "until it is full, or somebody says so");
    assert_eq!(fs::read_to_string(&log.path).unwrap(), "x\nthree\n");
}

#[test]
fn a_new_day_begins_a_new_file() {
    let mut log = Log::new(None);
    log.settings.rotation.every = Some(RotateEvery::Day);
    log.write("yesterday\n").unwrap();
    let two_days = std::time::Duration::from_secs(2 * 24 * 3600);
    let before = fs::metadata(&log.path).unwrap().modified().unwrap() - two_days;
    File::options().append(true).open(&log.path).unwrap().set_modified(before).unwrap();
    log.writer = Writer::default();
    log.write("today\n").unwrap();
    log.write("still today\n").unwrap();
    assert_eq!(log.files(), ["yesterday\n", "today\nstill today\n"]);
}

#[test]
fn a_part_of_a_line_is_taken_back() {
    let mut log = Log::new(None);
    log.write("one\n").unwrap();
    let open = log.writer.open.as_mut().unwrap();
    open.all(b"two\nth", || true).unwrap();
    open.take_back(6, 4);
    assert_eq!(fs::read_to_string(&log.path).unwrap(), "one\ntwo\n");
    // Another's line behind it must not go.
    open.size = 8;
    open.all(b"thr", || true).unwrap();
    fs::OpenOptions::new().append(true).open(&log.path).unwrap().write_at(b"", 0).unwrap();
    File::options().append(true).open(&log.path).map(|mut file| io::Write::write_all(&mut file, b"other\n")).unwrap().unwrap();
    open.take_back(3, 0);
    assert_eq!(fs::read_to_string(&log.path).unwrap(), "one\ntwo\nthrother\n");
}

#[test]
fn a_file_that_cannot_be_put_away_grows_on() {
    let mut log = Log::new(Some(8));
    // As long as names may be, and a time behind it is too much.
    log.path.set_file_name("x".repeat(250));
    log.settings.together = vec![log.path.clone()];
    log.write("aa\nbb\ncc\ndd\n").unwrap();
    assert_eq!(log.files(), ["aa\nbb\ncc\ndd\n"]);
    assert_eq!((log.put_away, log.unrotated.len()), (0, 1), "{:?}", log.unrotated);
}

#[test]
fn a_device_takes_lines_and_tells_when_it_is_full() {
    let mut log = Log::new(Some(8));
    log.path = "/dev/full".into();
    let (count, failure) = log.write("one\ntwo\n").unwrap_err();
    assert_eq!(count, 0);
    assert!(matches!(failure, Failure::Failed(error) if error.kind() == io::ErrorKind::StorageFull));
    log.path = "/dev/null".into();
    log.writer = Writer::default();
    log.write("one\ntwo\nthree\nfour\n").unwrap();
    assert!(fs::metadata("/dev/null").unwrap().permissions().mode() & 0o777 == 0o666, "it is where it was");
}

#[test]
fn a_pipe_without_a_reader_fails_and_one_that_is_full_is_given_up() {
    let mut log = Log::new(None);
    fs::create_dir(log.path.parent().unwrap()).unwrap();
    mknodat(CWD, &log.path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let (0, Failure::Failed(error)) = log.write("one\n").unwrap_err() else { panic!("it has no reader") };
    assert_eq!(error.raw_os_error(), Some(Errno::NXIO.raw_os_error()));
    let mut reader = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(&log.path).unwrap();
    log.write("one\n").unwrap();
    let (_, failure) = log.write(&"two\n".repeat(100_000)).unwrap_err();
    assert!(matches!(failure, Failure::GivenUp));
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"one\ntwo\n");
}

#[test]
fn the_runners_own_folder_is_for_its_user_alone() {
    let mut log = Log::new(None);
    let home = log.folder.path().join("home/.pmdev");
    log.path = home.join("logs/api-out.log");
    log.settings.private = Some(home.clone());
    log.write("one\n").unwrap();
    for folder in [home.join("logs"), home] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
