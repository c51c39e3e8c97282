//! The kernel's limits of inotify(7), and what people are told when one is reached.

use std::{fs, time::Duration};

use crate::model::{Level, Notice, NoticeKind};

/// What the hint proposes for watches, the value many tools propose.
const ENOUGH_WATCHES: u64 = 524_288;
/// What it proposes for instances; the kernel's default is 128.
const ENOUGH_INSTANCES: u64 = 1024;

/// A limit and the sysctl that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    sysctl: &'static str,
    value: Option<u64>,
    enough: u64,
}

impl Limit {
    /// How many folders a user may watch.
    pub fn watches() -> Self {
        Self::lower(["fs.inotify.max_user_watches", "user.max_inotify_watches"], ENOUGH_WATCHES)
    }

    /// How many inotify instances a user may have.
    pub fn instances() -> Self {
        Self::lower(["fs.inotify.max_user_instances", "user.max_inotify_instances"], ENOUGH_INSTANCES)
    }

    /// Both limits count; in a user namespace the second is its own.
    fn lower(sysctls: [&'static str; 2], enough: u64) -> Self {
        let read = |sysctl: &'static str| {
            let path = format!("/proc/sys/{}", sysctl.replace('.', "/"));
            let value = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
            Self { sysctl, value, enough }
        };
        let [first, second] = sysctls.map(read);
        if second.value.is_some_and(|value| first.value.is_some_and(|other| value < other)) { second } else { first }
    }

    /// Its value; `None`: it cannot be read.
    pub fn value(&self) -> Option<u64> {
        self.value
    }

    /// What to set, as sysctl(8) takes it: `fs.inotify.max_user_watches=524288`.
    pub fn proposal(&self) -> String {
        let value = self.value.map_or(self.enough, |value| self.enough.max(value.saturating_mul(2)));
        format!("{}={value}", self.sysctl)
    }

    fn named(&self, what: &str) -> String {
        match self.value {
            Some(value) => {
                format!("the kernel's limit of {} inotify {what} is reached", thousands(usize::try_from(value).unwrap_or(usize::MAX)))
            }
            None => format!("the kernel's limit of inotify {what} is reached"),
        }
    }

    fn hint(&self) -> String {
        format!("raise it: sudo sysctl {}", self.proposal())
    }
}

/// Folders without the kernel's events.
#[derive(Debug, Clone, Copy)]
pub struct Lack {
    /// How many.
    pub folders: usize,
    /// Of how many.
    pub total: usize,
    /// Whether they are polled; not watched at all where polling is forbidden.
    pub polled: bool,
    /// How often, where it is known.
    pub interval: Option<Duration>,
}

impl Lack {
    /// The watches ran out.
    pub fn of_watches(&self, limit: &Limit) -> Notice {
        notice(format!("{}: {}", self.subject(), limit.named("watches"))).hint(limit.hint())
    }

    /// There is no inotify instance to be had.
    pub fn of_instances(&self, limit: &Limit) -> Notice {
        notice(format!("{}: {}", self.subject(), limit.named("instances"))).hint(limit.hint())
    }

    /// The kernel's events cannot be had for another reason.
    pub fn of_events(&self, why: &str) -> Notice {
        notice(format!("{}: the kernel's events cannot be had ({why})", self.subject()))
    }

    fn subject(&self) -> String {
        let folders = match self.total {
            total if total == self.folders => format!("all {} directories", thousands(total)),
            total => format!("{} of {} directories", thousands(self.folders), thousands(total)),
        };
        let are = if self.folders == 1 { "is" } else { "are" };
        let what = if self.polled { polled(self.interval) } else { "not watched".to_owned() };
        format!("watch: {folders} {are} {what}")
    }
}

/// A mounted file system sends no events for what others change in it.
pub fn silent_mount(mount: &str, kind: &str, interval: Option<Duration>) -> Notice {
    notice(format!("watch: {mount} is a {kind} file system, which does not tell all changes, so it is {} as well", polled(interval)))
        .hint("where nobody else changes it, --no-poll spares that")
}

fn notice(text: String) -> Notice {
    Notice::new(Level::Warning, NoticeKind::Watch, text)
}

fn polled(interval: Option<Duration>) -> String {
    match interval {
        Some(interval) if interval < Duration::from_secs(1) => format!("polled every {} ms", interval.as_millis()),
        Some(interval) => {
            let seconds = format!("{:.1}", interval.as_secs_f64());
            format!("polled every {} s", seconds.strip_suffix(".0").unwrap_or(&seconds))
        }
        None => "polled".to_owned(),
    }
}

/// `12345` as `12,345`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCHES: Limit = Limit { sysctl: "fs.inotify.max_user_watches", value: Some(1000), enough: ENOUGH_WATCHES };

    #[test]
    fn the_messages() {
        let lack = Lack { folders: 1001, total: 2001, polled: true, interval: Some(Duration::from_millis(1234)) };
        let told = lack.of_watches(&WATCHES);
        assert_eq!(
            told.text,
            "watch: 1,001 of 2,001 directories are polled every 1.2 s: the kernel's limit of 1,000 inotify watches is reached"
        );
        assert_eq!(told.hint.as_deref(), Some("raise it: sudo sysctl fs.inotify.max_user_watches=524288"));
        let told = Lack { folders: 1, polled: false, ..lack }.of_watches(&WATCHES);
        assert_eq!(told.text, "watch: 1 of 2,001 directories is not watched: the kernel's limit of 1,000 inotify watches is reached");
        let many = Limit { value: Some(600_000), ..WATCHES };
        assert_eq!(many.hint(), "raise it: sudo sysctl fs.inotify.max_user_watches=1200000");
        let lack = Lack { folders: 7, total: 7, polled: true, interval: Some(Duration::from_secs(1)) };
        let told = lack.of_instances(&Limit { sysctl: "fs.inotify.max_user_instances", value: None, enough: 1024 });
        assert_eq!(told.text, "watch: all 7 directories are polled every 1 s: the kernel's limit of inotify instances is reached");
        assert_eq!(told.hint.as_deref(), Some("raise it: sudo sysctl fs.inotify.max_user_instances=1024"));
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (65_536, "65,536"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn the_limits_of_this_machine_are_read() {
        assert!(Limit::watches().value.is_some_and(|value| value > 0), "{:?}", Limit::watches());
        assert!(Limit::instances().value.is_some_and(|value| value > 0), "{:?}", Limit::instances());
    }
}
