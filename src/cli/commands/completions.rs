//! `pmdev completions` and `pmdev man`: what shells and man read, from the definitions of the command line.

use std::{
    env, fs,
    io::{self, ErrorKind, IsTerminal as _, Seek as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use clap::{Args, CommandFactory as _};

use crate::{
    cli::{Cli, complete, print},
    model::Error,
};

/// Print the completions for a shell, or install them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(pmdev completions bash)              in ~/.bashrc: always those of the pmdev that is installed
  source <(pmdev completions zsh)               in ~/.zshrc, after compinit
  pmdev completions fish | source               in ~/.config/fish/config.fish
  pmdev completions bash --install              into the folder where the shell looks for them

Names of apps, their ids and namespaces come from the runner that a verb would talk to.")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish", "powershell", "elvish"])]
    pub shell: String,
    /// Write them to where this user's shell looks for them
    #[arg(long)]
    pub install: bool,
}

/// Show the manual page, or write all of them into a folder
#[derive(Debug, Args)]
pub struct Man {
    /// The page of this verb [default: that of pmdev itself]
    #[arg(value_name = "VERB", conflicts_with = "dir")]
    pub verb: Option<String>,
    /// Write pmdev.1 and a page for each verb into this folder
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

impl Completions {
    /// Prints or installs the script.
    pub fn run(self) -> Result<u8, Error> {
        let script = complete::script(&self.shell).expect("clap lets no other shell through");
        if !self.install {
            print(&script);
            return Ok(0);
        }
        let (path, then) = place(&self.shell, |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute()))?;
        let by_hand = format!("they can be put elsewhere: pmdev completions {} > FILE", self.shell);
        let failed =
            |error: io::Error| Error::failed(format!("{} could not be written", path.display())).because(error).hint(by_hand.clone());
        match fs::read_to_string(&path) {
            Ok(text) if !text.contains("pmdev completions") => {
                return Err(
                    Error::failed(format!("{} is there, and not one of pmdev's", path.display())).hint("move it away, then try again")
                );
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Ok(_) | Err(_) => {}
        }
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
        fs::write(&path, script).map_err(failed)?;
        print(format!("{} was written; {then}\n", path.display()).as_bytes());
        Ok(0)
    }
}

/// Where a shell looks for the completions of a user, and what makes it do so.
fn place(shell: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<(PathBuf, String), Error> {
    let home = variable("HOME").ok_or_else(|| Error::failed("HOME does not say where this user's shell looks for completions"))?;
    let below = |name: &str, usual: &str| variable(name).unwrap_or_else(|| home.join(usual));
    let new_shell = "a new shell has them".to_owned();
    Ok(match shell {
        "bash" => (
            below("XDG_DATA_HOME", ".local/share").join("bash-completion/completions/pmdev"),
            "a new shell has them where bash-completion is installed".to_owned(),
        ),
        "fish" => (below("XDG_CONFIG_HOME", ".config").join("fish/completions/pmdev.fish"), new_shell),
        "zsh" => {
            let folder = home.join(".zfunc");
            let line = format!(
                "this in ~/.zshrc has zsh look there, instead of a compinit that stands alone: fpath+=({}); autoload -Uz compinit; compinit",
                folder.display()
            );
            (folder.join("_pmdev"), line)
        }
        "elvish" => {
            (below("XDG_CONFIG_HOME", ".config").join("elvish/lib/pmdev.elv"), "this in rc.elv has elvish use them: use pmdev".to_owned())
        }
        _ => {
            let path = below("XDG_CONFIG_HOME", ".config").join("powershell/_pmdev.ps1");
            let line = format!("this in $PROFILE has PowerShell use them: . {}", path.display());
            (path, line)
        }
    })
}

impl Man {
    /// Prints a page, or writes all.
    pub fn run(self) -> Result<u8, Error> {
        let pages = pages();
        if let Some(folder) = self.dir {
            let failed = |error: io::Error| {
                Error::failed(format!("Pages could not be written into {}", folder.display()))
                    .because(error)
                    .hint("name a folder of yours: pmdev man --dir ~/.local/share/man/man1")
            };
            fs::create_dir_all(&folder).map_err(failed)?;
            for (name, page) in &pages {
                fs::write(folder.join(format!("{name}.1")), page).map_err(failed)?;
            }
            print(
                format!("{} pages were written into {}; read one: man -l {}/pmdev.1\n", pages.len(), folder.display(), folder.display())
                    .as_bytes(),
            );
            return Ok(0);
        }
        let page = match &self.verb {
            None => pages.into_iter().next(),
            Some(verb) => {
                let cli = Cli::command();
                let name = cli.find_subcommand(verb).map(|known| format!("pmdev-{}", known.get_name()));
                pages.into_iter().find(|(known, _)| Some(known) == name.as_ref())
            }
        };
        let Some((_, page)) = page else {
            return Err(
                Error::usage(format!("{} is no verb, so it has no page", self.verb.unwrap_or_default())).hint("the verbs: pmdev --help")
            );
        };
        if io::stdout().is_terminal() {
            show(&page);
        }
        print(&page);
        Ok(0)
    }
}

/// Becomes `man` with this page, which is no text for people as it is; comes back where there is none.
fn show(page: &[u8]) {
    let file = tempfile::tempfile().and_then(|mut file| file.write_all(page).and_then(|()| file.rewind()).map(|()| file));
    if let Ok(file) = file {
        // An error means that man is not installed.
        let _ = Command::new("man").args(["-l", "-"]).stdin(file).exec();
    }
}

/// Every page under its name, that of pmdev itself first.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut command = Cli::command();
    command.build();
    let mut pages = vec![("pmdev".to_owned(), page(command.clone()))];
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let name = format!("pmdev-{}", verb.get_name());
        pages.push((name, page(verb.clone())));
    }
    pages
}

fn page(command: clap::Command) -> Vec<u8> {
    let mut page = Vec::new();
    let names: Vec<String> = command.get_visible_aliases().map(|name| format!("pmdev {name}").replace('-', "\\-")).collect();
    clap_mangen::Man::new(command.version(env!("CARGO_PKG_VERSION"))).render(&mut page).expect("a vector can be written to");
    if !names.is_empty() {
        page.extend_from_slice(format!(".SH OTHER NAMES\n{}\n", names.join(", ")).as_bytes());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shells, and the file of each in `completions/`.
    const SHELLS: [(&str, &str); 5] =
        [("bash", "pmdev.bash"), ("zsh", "_pmdev"), ("fish", "pmdev.fish"), ("powershell", "_pmdev.ps1"), ("elvish", "pmdev.elv")];

    /// `PMDEV_WRITE_COMPLETIONS=1 cargo test --lib completions` writes them anew.
    #[test]
    fn the_scripts_in_the_repository_are_those_of_the_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
        for (shell, file) in SHELLS {
            let script = complete::script(shell).expect("the shell is known");
            if env::var_os("PMDEV_WRITE_COMPLETIONS").is_some() {
                fs::create_dir_all(&folder).expect("the repository can be written");
                fs::write(folder.join(file), &script).expect("the repository can be written");
            }
            let kept = fs::read(folder.join(file)).unwrap_or_default();
            assert!(kept == script, "completions/{file} is stale: PMDEV_WRITE_COMPLETIONS=1 cargo test --lib completions");
        }
    }

    #[test]
    fn each_shell_looks_in_a_place_of_its_own() {
        let place_of = |shell: &str| place(shell, |name| (name == "HOME").then(|| "/home/ann".into())).expect("there is a home").0;
        assert_eq!(place_of("bash"), Path::new("/home/ann/.local/share/bash-completion/completions/pmdev"));
        assert_eq!(place_of("zsh"), Path::new("/home/ann/.zfunc/_pmdev"));
        assert_eq!(place_of("fish"), Path::new("/home/ann/.config/fish/completions/pmdev.fish"));
        assert_eq!(place_of("elvish"), Path::new("/home/ann/.config/elvish/lib/pmdev.elv"));
        assert_eq!(place_of("powershell"), Path::new("/home/ann/.config/powershell/_pmdev.ps1"));
        assert!(place("bash", |_| None).is_err());
    }

    #[test]
    fn every_verb_has_a_page() {
        let pages = pages();
        let text = |name: &str| {
            let page = pages.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}"));
            String::from_utf8(page.1.clone()).expect("pages are text")
        };
        assert!(text("pmdev").contains(".TH pmdev 1") && text("pmdev").contains("restart"));
        assert!(text("pmdev-start").contains("kill\\-timeout"));
        assert!(text("pmdev-list").contains(".SH OTHER NAMES\npmdev ls, pmdev ps, pmdev status\n"));
        assert!(pages.len() > 15 && pages.iter().all(|(_, page)| page.starts_with(b".ie") || page.starts_with(b".TH") || !page.is_empty()));
    }
}
