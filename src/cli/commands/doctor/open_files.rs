//! How many files a runner and its apps may have open.

use std::fs;

use rustix::thread::{self, CapabilitySet};

use super::machine::{Machine, count, several};
use crate::ui::findings::Finding;

/// What the runner itself opens, and then for each instance: pipes, log files, sockets.
const FILES_OF_RUNNER: u64 = 64;
const FILES_OF_INSTANCE: u64 = 12;
/// The usual limit of open files, which is there for select(2) alone.
const FEW_FILES: u64 = 1024;

impl Machine {
    /// What is to be said of them.
    pub(super) fn open_files(&self) -> Vec<Finding> {
        let (soft, hard) = self.files;
        let (soft, hard) = (soft.unwrap_or(u64::MAX), hard.unwrap_or(u64::MAX));
        let shown = |limit: u64| if limit == u64::MAX { "any number".to_owned() } else { count(limit) };
        let mut found = Vec::new();
        let needed = FILES_OF_RUNNER + FILES_OF_INSTANCE * self.wanted.instances;
        if needed > soft {
            let text = format!(
                "A runner may have {} files open here, and its {} instances take about {}",
                shown(soft),
                self.wanted.instances,
                count(needed)
            );
            let finding = Finding::problem("open-files", text).advice("raise the limit of the shell that starts pmdev");
            found.push(finding.command(format!("ulimit -n {}", (needed * 2).min(hard))));
        }
        for (app, wanted) in &self.wanted.files {
            found.extend(self.beyond(app, *wanted, hard));
        }
        if let (false, true) = (self.wanted.usual_files.is_empty(), soft <= FEW_FILES) {
            let text = format!(
                "{} may have {} files open at once, connections among them, which is little for a server",
                several(&self.wanted.usual_files),
                shown(soft)
            );
            let advice =
                "say limits: { nofile: 65536 } of each in the project file; in a service that pmdev startup writes that is so anyway";
            found.push(Finding::warning("open-files", text).advice(advice));
        }
        if found.is_empty() {
            let more = if hard > soft { format!(", and {} where limits.nofile asks for it", shown(hard)) } else { String::new() };
            found.push(Finding::ok("open-files", format!("open files: {} a process{more}", shown(soft))));
        }
        found
    }

    /// An app that is to have more than it can get: it does not start.
    fn beyond(&self, app: &str, wanted: u64, hard: u64) -> Option<Finding> {
        let text = |most: u64| {
            format!("{app} is to have {} open files (limits.nofile), and nobody gets more than {} here", count(wanted), count(most))
        };
        if wanted > self.most_files {
            let finding = Finding::problem("open-files", format!("{}, not even root: it does not start", text(self.most_files)));
            let advice = "lower limits.nofile, or raise what the kernel allows (fs.nr_open)";
            return Some(finding.advice(advice).command(self.rooted(&format!("sysctl fs.nr_open={wanted}"))));
        }
        if wanted <= hard || self.raises {
            return None;
        }
        let finding = Finding::problem("open-files", format!("{}: it does not start", text(hard)));
        Some(if self.root {
            let advice = "lower limits.nofile, or have whatever starts pmdev give more, since root lacks the right to raise it here (CAP_SYS_RESOURCE); of a container for example so";
            finding.advice(advice).command(format!("docker run --ulimit nofile={wanted}:{wanted} …"))
        } else {
            let advice =
                "lower limits.nofile, or have root raise the hard limit (LimitNOFILE= of a unit, or limits.conf), and log in again";
            let line = format!("sh -c 'echo {} hard nofile {wanted} >> /etc/security/limits.conf'", self.user);
            finding.advice(advice).command(self.rooted(&line))
        })
    }
}

/// How many files a process may have open whatever its rights are, proc_sys_fs(5).
pub fn most() -> u64 {
    fs::read_to_string("/proc/sys/fs/nr_open").ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

/// Whether this process may raise hard limits.
pub fn raises() -> bool {
    thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_RESOURCE))
}
