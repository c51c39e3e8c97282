//! The init systems that a unit can be made for: their names, PM2's among them, and which one is here.

use std::{fmt, path::Path};

use super::account::near;
use crate::model::Error;

/// An init system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// systemd(1).
    Systemd,
    /// OpenRC, openrc-run(8).
    OpenRc,
    /// macOS's launchd(8).
    Launchd,
}

/// Names people may type: the init system's own, then the distributions that PM2 knows.
const NAMES: [(&str, Platform); 16] = [
    ("systemd", Platform::Systemd),
    ("openrc", Platform::OpenRc),
    ("launchd", Platform::Launchd),
    ("ubuntu", Platform::Systemd),
    ("debian", Platform::Systemd),
    ("centos", Platform::Systemd),
    ("redhat", Platform::Systemd),
    ("fedora", Platform::Systemd),
    ("arch", Platform::Systemd),
    ("oracle", Platform::Systemd),
    ("amazon", Platform::Systemd),
    ("suse", Platform::Systemd),
    ("alpine", Platform::OpenRc),
    ("gentoo", Platform::OpenRc),
    ("macos", Platform::Launchd),
    ("darwin", Platform::Launchd),
];

/// What PM2 makes scripts for and pmdev does not, with the reason.
const WITHOUT_UNITS: [(&str, &str); 11] = [
    ("upstart", UPSTART),
    ("ubuntu14", UPSTART),
    ("ubuntu12", UPSTART),
    ("centos6", UPSTART),
    ("amazon1", UPSTART),
    ("systemv", SYSTEM_V),
    ("sysv", SYSTEM_V),
    ("rcd", RC_D),
    ("freebsd", RC_D),
    ("rcd-openbsd", RC_D),
    ("openbsd", RC_D),
];

const UPSTART: &str = "the last systems that boot with Upstart have had no updates since 2020";
const SYSTEM_V: &str = "System V's init starts a script and does not see it end";
const RC_D: &str = "pmdev is neither built nor tested for the BSDs";

impl Platform {
    /// The init system of this name.
    ///
    /// # Errors
    /// If there is none, with what may have been meant.
    pub fn named(name: &str) -> Result<Self, Error> {
        let typed = name.to_lowercase();
        if let Some((_, platform)) = NAMES.iter().find(|(known, _)| *known == typed) {
            return Ok(*platform);
        }
        let error = match WITHOUT_UNITS.iter().find(|(known, _)| *known == typed) {
            Some((_, why)) => Error::usage(format!("{name} gets no unit: {why}")),
            None => Error::usage(format!("{name} is not an init system that units are made for")),
        };
        let names = "there are systemd, openrc and launchd";
        Err(match near(&typed, NAMES.iter().map(|(known, _)| *known)) {
            Some(near) => error.hint(format!("did you mean {near}?\n{names}")),
            None => error.hint(names),
        })
    }

    /// The init system that runs here; `exists` looks at a path.
    ///
    /// # Errors
    /// If none is recognized.
    pub fn detect(exists: impl Fn(&Path) -> bool) -> Result<Self, Error> {
        // sd_booted(3): systemd's package may be installed where another init runs.
        const SIGNS: [(&str, Platform); 3] =
            [("/run/systemd/system", Platform::Systemd), ("/sbin/openrc-run", Platform::OpenRc), ("/bin/launchctl", Platform::Launchd)];
        SIGNS.iter().find(|(sign, _)| exists(Path::new(sign))).map(|(_, platform)| *platform).ok_or_else(|| {
            Error::usage("No init system was recognized here: there is no /run/systemd/system, /sbin/openrc-run or /bin/launchctl").hint(
                "name the one of the machine it is for: pmdev startup systemd\n\
                 a container needs none: make pmdev its entrypoint, pmdev start --prod",
            )
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Systemd => "systemd",
            Self::OpenRc => "openrc",
            Self::Launchd => "launchd",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        let error = Platform::named(name).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        format!("{error}; {}", error.hint.as_deref().unwrap_or_default().replace('\n', "; "))
    }

    #[test]
    fn init_systems_have_names_and_so_have_distributions() {
        for (name, platform) in NAMES {
            assert_eq!(Platform::named(name).unwrap(), platform);
        }
        assert_eq!(Platform::named("macOS").unwrap(), Platform::Launchd);
        insta::assert_snapshot!(refused("sytemd"), @"sytemd is not an init system that units are made for; did you mean systemd?; there are systemd, openrc and launchd");
        insta::assert_snapshot!(refused("upstart"), @"upstart gets no unit: the last systems that boot with Upstart have had no updates since 2020; there are systemd, openrc and launchd");
        insta::assert_snapshot!(refused("windows"), @"windows is not an init system that units are made for; there are systemd, openrc and launchd");
        for (name, why) in WITHOUT_UNITS {
            assert!(refused(name).contains(why), "{name}");
        }
    }

    #[test]
    fn the_one_that_runs_here_is_found_by_its_signs() {
        let detect = |signs: &[&str]| Platform::detect(|path| signs.iter().any(|sign| Path::new(sign) == path)).ok();
        assert_eq!(detect(&["/run/systemd/system", "/sbin/openrc-run"]), Some(Platform::Systemd));
        assert_eq!(detect(&["/sbin/openrc-run"]), Some(Platform::OpenRc));
        assert_eq!(detect(&["/bin/launchctl"]), Some(Platform::Launchd));
        assert_eq!(detect(&["/lib/systemd/systemd"]), None, "installed, but not what runs");
    }
}
