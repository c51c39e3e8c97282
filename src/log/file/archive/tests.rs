//! Files put away, and compressed.

use std::{
    fs::{self, OpenOptions},
    io::Read as _,
    os::unix::fs::OpenOptionsExt as _,
};

use flate2::read::MultiGzDecoder;

use super::*;

fn spot(path: &Path) -> Spot {
    match place::find(path, None).unwrap() {
        Place::Spot(spot) => spot,
        Place::Device(_) => panic!("{} is a device", path.display()),
    }
}

#[test]
fn what_is_put_away_is_compressed_whole_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a.log"), folder.path().join("a.log.20200101T000000.000Z"));
    let text: Vec<u8> = (0..20_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
    for file in [&path, &other] {
        OpenOptions::new().write(true).create_new(true).mode(0o640).open(file).unwrap().write_all(&text).unwrap();
    }
    fs::write(folder.path().join("a.log.20200101T000000.000Z.gz.tmp"), "left by a runner that was killed").unwrap();
    fs::write(folder.path().join("a.log.1"), "another's").unwrap();
    let rotation = Rotation { max_size: None, every: None, keep: 5, compress: false, total: None };
    rotate(&spot(&path), std::slice::from_ref(&path), &rotation, Some(Timestamp::now())).unwrap();
    assert!(!path.exists());
    let archives = present(&spot(&path)).unwrap().archives;
    assert_eq!(archives.len(), 2);
    for archive in archives {
        let plain = rotate::archive(&path, &archive.stamp, "");
        compress(&spot(&plain)).unwrap();
        assert!(!plain.exists());
        let done = File::open(rotate::archive(&path, &archive.stamp, COMPRESSED)).unwrap();
        assert_eq!(done.metadata().unwrap().mode() & 0o777, 0o640);
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(done).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == text);
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".tmp")).count(), 0);
    assert!(folder.path().join("a.log.1").exists());
}

#[test]
fn a_file_deleted_meanwhile_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(compress(&spot(&folder.path().join("a.log.20200101T000000.000Z"))).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_somebody_still_writes_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log.20200101T000000.000Z");
    let writer = spot(&path).open(OFlags::WRONLY | OFlags::CREATE, 0o600).unwrap();
    assert!(claim(&writer, false));
    compress(&spot(&path)).unwrap();
    assert!(path.exists());
    drop(writer);
    compress(&spot(&path)).unwrap();
    assert!(!path.exists() && path.with_file_name("a.log.20200101T000000.000Z.gz").exists());
}
