//! Where git keeps the ignore files that are not called `.gitignore`: gitignore(5), gitrepository-layout(5).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::watch::{git::git_dir, paths};

/// The file of patterns that are never shared: `info/exclude` in the common git folder of the repository whose `.git` lies in `dir`.
pub fn exclude_file(dir: &Path) -> Option<PathBuf> {
    let git = git_dir(dir)?;
    // A worktree has a folder of its own and names the one it shares.
    let common = match fs::read_to_string(git.join("commondir")) {
        Ok(line) => git.join(line.trim()),
        Err(_) => git,
    };
    Some(paths::plain(&common).join("info/exclude"))
}

/// The root of the repository that a folder lies in.
pub fn repository(dir: &Path) -> Option<&Path> {
    dir.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclude_of_a_repository_a_worktree_and_a_submodule() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for folder in ["main/.git/worktrees/w", "main/.git/modules/sub", "main/sub", "w", "none"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("w/.git"), format!("gitdir: {}\n", at("main/.git/worktrees/w").display())).unwrap();
        fs::write(at("main/.git/worktrees/w/commondir"), "../..\n").unwrap();
        fs::write(at("main/sub/.git"), "gitdir: ../.git/modules/sub\n").unwrap();
        assert_eq!(exclude_file(&at("main")), Some(at("main/.git/info/exclude")));
        assert_eq!(exclude_file(&at("w")), Some(at("main/.git/info/exclude")));
        assert_eq!(exclude_file(&at("main/sub")), Some(at("main/.git/modules/sub/info/exclude")));
        assert_eq!(exclude_file(&at("none")), None);
        assert_eq!(repository(&at("main/sub")), Some(&*at("main/sub")));
        assert_eq!(repository(&at("main/not/there")), Some(&*at("main")));
    }
}
