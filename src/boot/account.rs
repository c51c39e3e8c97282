//! Whose service it is.

use std::path::{Path, PathBuf};

use crate::model::Error;

/// Who pmdev runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The home folder.
    pub home: PathBuf,
    /// Whether it is the one that may do everything.
    pub root: bool,
}

/// What is asked for, and who asks.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// The name that was given.
    pub name: Option<&'a str>,
    /// The home folder that was given.
    pub home: Option<PathBuf>,
    /// Who asked through sudo, SUDO_USER.
    pub sudo: Option<&'a str>,
    /// The number of who asks.
    pub user: u32,
}

impl Account {
    /// The account that was named, else the one that asked through sudo, else the one that asks; `passwd` is the text of passwd(5).
    ///
    /// # Errors
    /// If there is no such account, or nobody says where its home is.
    pub fn find(asked: &Asked<'_>, passwd: &str) -> Result<Self, Error> {
        let entries = || passwd.lines().filter_map(Entry::read);
        let through_sudo = asked.sudo.filter(|_| asked.user == 0);
        let (entry, name) = match asked.name.or(through_sudo) {
            Some(name) => (entries().find(|entry| entry.name == name), name.to_owned()),
            None => (entries().find(|entry| entry.user == asked.user), asked.user.to_string()),
        };
        let home = asked.home.clone().or_else(|| entry.as_ref().map(|entry| PathBuf::from(entry.home)));
        match (entry, home) {
            (_, Some(home)) if !home.is_absolute() => {
                Err(Error::usage(format!("{} is not an absolute path", home.display())).hint("--hp /home/ann"))
            }
            (Some(entry), Some(home)) => Ok(Self { name: entry.name.to_owned(), home, root: entry.user == 0 }),
            // Accounts of a directory service are in no file.
            (None, Some(home)) => Ok(Self { name, home, root: false }),
            (_, None) => {
                let error = Error::usage(format!("{name} is no account in /etc/passwd, so its home folder is not known"));
                Err(match near(&name, entries().map(|entry| entry.name)) {
                    Some(near) => error.hint(format!("did you mean {near}?\nfor an account of a directory service: --hp HOME")),
                    None => error.hint("for an account of a directory service: --hp HOME"),
                })
            }
        }
    }

    /// pmdev's folder of this account.
    pub fn pmdev_home(&self) -> PathBuf {
        self.home.join(".pmdev")
    }
}

/// The name that is most like what was typed, where one is like it at all.
pub fn near<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (typed.chars().count() / 3).max(1);
    let distances = names.map(|name| (strsim::osa_distance(typed, name), name));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

/// A line of passwd(5).
struct Entry<'a> {
    name: &'a str,
    user: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, user, home) = (fields.next()?, fields.nth(1)?, fields.nth(2)?);
        Some(Self { name, user: user.parse().ok()?, home })
    }
}

/// Whether a path lies in a home folder, for a rule that hides those.
pub fn is_in_a_home(path: &Path) -> bool {
    ["/home", "/root", "/run/user"].iter().any(|homes| path.starts_with(homes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\nbroken\n\
                          ann:x:1000:1000:Ann:/home/ann:/bin/zsh\n";

    fn find(asked: &Asked<'_>) -> Result<(String, String, bool), String> {
        let found = Account::find(asked, PASSWD).map(|account| (account.name, account.home.display().to_string(), account.root));
        found.map_err(|error| format!("{error}; {}", error.hint.as_deref().unwrap_or_default()))
    }

    #[test]
    fn the_named_one_then_who_called_sudo_then_who_asks() {
        let ok = |name: &str, home: &str, root| Ok((name.to_owned(), home.to_owned(), root));
        assert_eq!(find(&Asked { user: 1000, ..Asked::default() }), ok("ann", "/home/ann", false));
        assert_eq!(find(&Asked { user: 0, ..Asked::default() }), ok("root", "/root", true));
        assert_eq!(find(&Asked { user: 0, sudo: Some("ann"), ..Asked::default() }), ok("ann", "/home/ann", false));
        let named = Asked { user: 0, sudo: Some("ann"), name: Some("www-data"), ..Asked::default() };
        assert_eq!(find(&named), ok("www-data", "/var/www", false));
        assert_eq!(find(&Asked { home: Some("/srv/ann".into()), ..named }), ok("www-data", "/srv/ann", false));
        assert_eq!(find(&Asked { name: Some("ldap"), home: Some("/srv/ldap".into()), ..Asked::default() }), ok("ldap", "/srv/ldap", false));
    }

    #[test]
    fn an_account_that_is_not_there_is_told_with_one_that_is() {
        let typo = find(&Asked { name: Some("www-date"), ..Asked::default() });
        insta::assert_snapshot!(typo.unwrap_err(), @r"
        www-date is no account in /etc/passwd, so its home folder is not known; did you mean www-data?
        for an account of a directory service: --hp HOME
        ");
        let relative = find(&Asked { home: Some("home".into()), ..Asked::default() });
        insta::assert_snapshot!(relative.unwrap_err(), @"home is not an absolute path; --hp /home/ann");
    }
}
