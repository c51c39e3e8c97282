//! Folders to watch, and the ways in which editors save a file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::clock;

/// How large a project is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Folders that are kept, the root among them.
    pub folders: usize,
    /// Files in them.
    pub files: usize,
    /// Ignored folders: node_modules and two more.
    pub ignored_folders: usize,
    /// Files in those.
    pub ignored_files: usize,
}

/// What saves are measured on.
pub const SMALL: Size = Size { folders: 200, files: 2_000, ignored_folders: 500, ignored_files: 6_000 };

/// What starting is measured on.
pub const BIG: Size = Size { folders: 2_000, files: 20_000, ignored_folders: 5_400, ignored_files: 65_000 };

/// Makes a project; the file that is saved is `app.js` at its top.
pub fn make(root: &Path, size: Size) -> io::Result<()> {
    fs::create_dir_all(root.join(".git"))?;
    fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n")?;
    fs::write(root.join(".gitignore"), "node_modules/\n/cache/\n/coverage/\n")?;
    fs::write(root.join("package.json"), "{ \"name\": \"project\", \"version\": \"1.0.0\" }\n")?;
    fs::write(root.join("app.js"), "// 0\n")?;
    fill(&root.join("src"), size.folders - 1, size.files - 3)?;
    let (folders, files) = (size.ignored_folders / 27, size.ignored_files / 13);
    fill(&root.join("node_modules"), folders * 25, files * 12)?;
    fill(&root.join("cache"), folders, files / 2)?;
    fill(&root.join("coverage"), folders, files / 2)
}

/// Spreads files over folders that lie up to three levels deep.
fn fill(top: &Path, folders: usize, files: usize) -> io::Result<()> {
    let place = |index: usize| match index {
        0 => top.to_owned(),
        1..=20 => top.join(format!("d{index}")),
        _ => top.join(format!("d{}", index % 20 + 1)).join(format!("e{index}")),
    };
    let places: Vec<PathBuf> = (0..folders.max(1)).map(place).collect();
    places.iter().try_for_each(fs::create_dir_all)?;
    for index in 0..files {
        fs::write(places[index % places.len()].join(format!("f{index}.js")), "export const answer = 42;\n")?;
    }
    Ok(())
}

/// How a file is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Truncated and written.
    Plain,
    /// Written beside, and renamed over the old one.
    Rename,
    /// The old one is renamed to a backup, the new one written, the backup removed: vim with `backupcopy=no`.
    Backup,
}

impl Save {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Rename, Self::Backup];

    /// For the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plain => "plain write",
            Self::Rename => "write, rename over",
            Self::Backup => "backup, write, remove (vim)",
        }
    }

    /// Saves a text; the moment before the system call that makes the file whole.
    pub fn perform(self, file: &Path, text: &str) -> io::Result<u64> {
        let beside = |end: &str| file.with_file_name(format!("{}{end}", file.file_name().unwrap_or_default().display()));
        match self {
            Self::Plain => Ok(write(file, text)?),
            Self::Rename => {
                let new = beside(".tmp4711");
                write(&new, text)?;
                let last = clock::now();
                fs::rename(new, file)?;
                Ok(last)
            }
            Self::Backup => {
                let backup = beside("~");
                fs::rename(file, &backup)?;
                let last = write(file, text)?;
                fs::remove_file(backup)?;
                Ok(last)
            }
        }
    }
}

/// Writes a file; the moment before it is closed.
fn write(path: &Path, text: &str) -> io::Result<u64> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    let last = clock::now();
    drop(file);
    Ok(last)
}
