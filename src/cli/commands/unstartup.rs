//! `pmdev unstartup`.

use std::path::PathBuf;

use clap::Args;
use rustix::process::geteuid;

use super::startup::{self, PlaceArgs, again, as_root, rooted};
use crate::{
    boot::{
        Unit,
        account::{Account, Asked},
        service::{Scope, checked, default_name},
    },
    cli::{host, print, tell},
    model::{Error, Level, Notice, NoticeKind},
};

/// Take away what `pmdev startup` wrote
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Unstartup {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The account that it ran as; taken as PM2 takes it, not needed
    #[arg(short = 'u', value_name = "USER", hide = true)]
    pub account: Option<String>,
    /// The home folder of a --user service [default: by /etc/passwd]
    #[arg(long, value_name = "HOME")]
    pub hp: Option<PathBuf>,
    /// Remove it; without this, it is only told what would be removed
    #[arg(long)]
    pub write: bool,
}

const EXAMPLES: &str = "\
Only files that `pmdev startup` wrote are removed. Logs and pmdev's own folder stay.

Examples:
  pmdev unstartup                           what would be removed, and the commands that stop the service
  sudo pmdev unstartup --write              remove it, and the links that start it at boot
  pmdev unstartup --service-name pmdev-old  one that another folder's project was given";

impl Unstartup {
    /// Removes the unit, or tells of it.
    pub fn run(self) -> Result<u8, Error> {
        let host = host::host(false)?;
        let (platform, scope) = self.place.platform()?;
        let name = match &self.place.service_name {
            Some(name) => checked(name.clone())?,
            None => default_name(&host.cwd),
        };
        let home = match scope {
            Scope::User => {
                let asked = Asked { home: self.hp.clone(), user: geteuid().as_raw(), ..Asked::default() };
                Account::find(&asked, &startup::passwd())?.home
            }
            Scope::System => PathBuf::from("/"),
        };
        let unit = Unit::new(platform, scope, &name, &self.place.root, &home)?;
        let shown = unit.path.display();
        let Some(current) = unit.current()? else { return Err(nothing(&unit)) };
        let program = startup::program(&host)?.to_string_lossy().into_owned();
        let list = |commands: &[String]| commands.iter().map(|command| format!("    {}\n", rooted(scope, command))).collect::<String>();
        let mut said = String::new();
        if self.write {
            let links = unit.links();
            unit.remove().map_err(|error| as_root(error, scope, &program))?;
            for path in links.iter().chain([&unit.path]) {
                said.push_str(&format!("{} was removed.\n", path.display()));
            }
            let left = unit.forget(false);
            if !left.is_empty() {
                said.push_str(&format!("What runs of it runs on until:\n{}", list(&left)));
            }
        } else {
            for link in unit.links() {
                said.push_str(&format!("{} starts it at boot.\n", link.display()));
            }
            said.push_str(&format!("{shown} runs {}. To take it away:\n", current.file));
            said.push_str(&list(&unit.disable()));
            said.push_str(&format!("    {}\n", again(scope, &program, &["--write"])));
            said.push_str(&list(&unit.forget(true)));
            tell(&Notice::new(Level::Info, NoticeKind::Answer, format!("{shown} was not removed")));
        }
        print(said.as_bytes());
        Ok(0)
    }
}

/// There is no such unit.
fn nothing(unit: &Unit) -> Error {
    let error = Error::usage(format!("{} is not there, so there is nothing to take away", unit.path.display()));
    match unit.siblings().as_slice() {
        [] => error,
        names => error.hint(format!("pmdev startup wrote {}: --service-name {}", names.join(", "), names[0])),
    }
}
