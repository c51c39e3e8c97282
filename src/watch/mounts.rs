//! File systems whose changes the kernel does not tell, or not all of them: others change them elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::paths;

/// The mounts at and below the watched roots that must be polled.
#[derive(Debug, Default)]
pub struct Silent {
    mounts: Vec<(PathBuf, String)>,
}

impl Silent {
    /// Looks at the mounts that matter for these roots.
    pub fn find(roots: &[&Path]) -> Self {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self::among(&table, roots, &|path| rustix::fs::statfs(path).ok().and_then(|stat| magic(stat.f_type)))
    }

    /// The same from the text of /proc/self/mountinfo (proc(5)) and a way to ask a root itself.
    pub(super) fn among(table: &str, roots: &[&Path], ask: &dyn Fn(&Path) -> Option<&'static str>) -> Self {
        let all: Vec<_> = table.lines().filter_map(mount).collect();
        let mut mounts: Vec<(PathBuf, String)> = Vec::new();
        let mut add = |path: PathBuf, kind: String| {
            if mounts.iter().all(|(known, _)| *known != path) {
                mounts.push((path, kind));
            }
        };
        for root in roots {
            // Of several mounts on one point the last is seen.
            let around =
                all.iter().filter(|(point, _)| paths::below(root, point).is_some()).max_by_key(|(point, _)| point.as_os_str().len());
            match around {
                Some((_, kind)) if is_silent(kind) => add((*root).to_owned(), kind.clone()),
                Some(_) | None => {
                    if let Some(kind) = ask(root) {
                        add((*root).to_owned(), kind.to_owned());
                    }
                }
            }
            for (index, (point, kind)) in all.iter().enumerate() {
                let hidden = all[index + 1..].iter().any(|(later, _)| later == point);
                if !hidden && is_silent(kind) && point != root && paths::below(point, root).is_some() {
                    add(point.clone(), kind.clone());
                }
            }
        }
        Self { mounts }
    }

    /// The mount a folder lies in, and its kind, where it must be polled.
    pub fn covers(&self, dir: &Path) -> Option<&(PathBuf, String)> {
        self.mounts.iter().find(|(point, _)| paths::below(dir, point).is_some())
    }

    /// The mounts and their kinds.
    pub fn into_mounts(self) -> Vec<(PathBuf, String)> {
        self.mounts
    }

    /// Takes in what was found for other roots.
    pub fn extend(&mut self, other: Self) {
        self.mounts.extend(other.mounts);
    }
}

/// Mount point and type of a line of mountinfo: `36 35 98:0 /mnt1 /mnt/parent rw shared:1 - ext3 /dev/root rw`.
fn mount(line: &str) -> Option<(PathBuf, String)> {
    let (left, right) = line.split_once(" - ")?;
    let point = left.split(' ').nth(4)?;
    let kind = right.split(' ').next()?;
    Some((PathBuf::from(unescape(point)), kind.to_owned()))
}

/// Space, tab, newline and backslash are written in octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn is_silent(kind: &str) -> bool {
    const KINDS: [&str; 16] = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "fuse", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "afs", "ceph", "coda",
        "lustre",
    ];
    KINDS.contains(&kind) || kind.starts_with("fuse.")
}

/// The same by statfs(2)'s f_type.
fn magic(number: rustix::fs::FsWord) -> Option<&'static str> {
    match number & 0xffff_ffff {
        0x6969 => Some("nfs"),
        0x517b => Some("smbfs"),
        0xff53_4d42 => Some("cifs"),
        0xfe53_4d42 => Some("smb3"),
        0x564c => Some("ncpfs"),
        0x0102_1997 => Some("9p"),
        0x6573_5546 => Some("fuse"),
        0x6a65_6a63 => Some("virtiofs"),
        0x786f_4256 => Some("vboxsf"),
        0xbacb_acbc => Some("vmhgfs"),
        0x7c7c_6673 => Some("prl_fs"),
        0x5346_414f | 0x6b41_4653 => Some("afs"),
        0x00c3_6400 => Some("ceph"),
        0x7375_7245 => Some("coda"),
        0x0bd0_0bd0 => Some("lustre"),
        _ => None,
    }
}

/// Whether a file's times come from this machine's clock: the local file systems that are known for it, by statfs(2)'s f_type.
pub fn keeps_our_time(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|stat| is_local(stat.f_type))
}

fn is_local(number: rustix::fs::FsWord) -> bool {
    const EXT4: rustix::fs::FsWord = 0xef53;
    const XFS: rustix::fs::FsWord = 0x5846_5342;
    const BTRFS: rustix::fs::FsWord = 0x9123_683e;
    const ZFS: rustix::fs::FsWord = 0x2fc1_2fc1;
    const F2FS: rustix::fs::FsWord = 0xf2f5_2010;
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    const OVERLAYFS: rustix::fs::FsWord = 0x794c_7630;
    matches!(number & 0xffff_ffff, EXT4 | XFS | BTRFS | ZFS | F2FS | TMPFS | OVERLAYFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:40 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync
31 27 0:41 / /home/me/app/shared\\040data rw shared:7 master:2 - nfs4 server:/x rw,vers=4.2
32 27 0:42 / /home/me/app/tmp rw - tmpfs tmpfs rw
33 27 0:43 / /home/me/app/over rw - fuse.sshfs x: rw
34 33 0:44 / /home/me/app/over rw - tmpfs tmpfs rw
35 27 0:45 / /home/me/disk rw - fuseblk /dev/sdb1 rw
not a line";

    #[test]
    fn finds_the_mounts_at_and_below_roots() {
        let none = |_: &Path| None;
        let silent = |root: &str| Silent::among(TABLE, &[Path::new(root)], &none).mounts;
        assert_eq!(silent("/home/me/app"), [(PathBuf::from("/home/me/app/shared data"), "nfs4".to_owned())]);
        assert_eq!(silent("/mnt/c/work"), [(PathBuf::from("/mnt/c/work"), "9p".to_owned())]);
        assert_eq!(silent("/home/me/app/over"), []);
        assert_eq!(silent("/home/me/disk"), [], "a local disk behind FUSE has no other writers");
        assert_eq!(silent("/home/me/other"), []);
        let asked = Silent::among("", &[Path::new("/w")], &|_| magic(0x6969));
        assert_eq!(asked.covers(Path::new("/w/src")), Some(&(PathBuf::from("/w"), "nfs".to_owned())));
        assert_eq!(asked.covers(Path::new("/wide")), None);
    }

    #[test]
    fn knows_the_magic_numbers() {
        for (number, kind) in
            [(0x6969, Some("nfs")), (0xff53_4d42, Some("cifs")), (0x0102_1997, Some("9p")), (0x6573_5546, Some("fuse")), (0xef53, None)]
        {
            assert_eq!(magic(number), kind, "{number:#x}");
            assert_eq!(is_local(number), kind.is_none(), "{number:#x}");
        }
    }

    #[test]
    fn this_machines_table_can_be_read() {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(table.lines().filter_map(mount).any(|(point, _)| point == Path::new("/")), "{table}");
    }
}
