//! A systemd of one's own: the real one as the first process of namespaces, with none of the machine's units, beside whatever init runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{PATIENCE, Project, Runner, clock::comes_true, processes, programs};

/// Moves into a control group of its own and becomes the first process of namespaces, which end with it.
const OUTER: &str = "echo $$ > \"$1/cgroup.procs\" && exec unshare --fork --kill-child --pid --mount --uts --ipc --cgroup --mount-proc \
                     sh -c \"$3\" sh \"$2\"";

/// The machine's settings are read-only in there, /run is empty, and systemd knows of the units in one folder alone.
const INNER: &str = "set -e; mount --make-rprivate /; mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system
for folder in /proc/sys /sys; do mount --bind $folder $folder; mount -o remount,bind,ro $folder; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i container=pmdev PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=\"$1\" \
     /lib/systemd/systemd --system --unit=default.target --log-target=console --log-level=notice --show-status=0";

/// Targets that others are ordered by.
const TARGETS: [&str; 6] = ["default", "basic", "sysinit", "shutdown", "network-online", "multi-user"];

/// A running systemd. Dropping it kills everything in it.
pub struct Init<'a> {
    /// Where its units lie.
    pub units: PathBuf,
    runner: Option<Runner<'a>>,
    group: PathBuf,
    first: i32,
}

impl<'a> Init<'a> {
    /// Boots one; `None`, and a printed skip, where that takes more than the machine gives.
    pub fn boot(project: &'a Project) -> Option<Self> {
        if !programs::have(&["unshare", "nsenter", "systemctl"]) {
            return None;
        }
        let mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
        let group = mount.into_iter().find(|mount| mount.join("cgroup.procs").exists()).map(|mount| {
            let name = project.outside("").parent().and_then(Path::file_name).expect("a folder of its own").to_owned();
            mount.join(name)
        });
        let made = group.as_ref().is_some_and(|group| fs::create_dir(group).is_ok());
        let (true, Some(group), true) = (made, group, Path::new("/lib/systemd/systemd").exists()) else {
            programs::skip("systemd cannot be started here: that takes root, and control groups that can be written");
            return None;
        };
        let units = project.outside("units");
        fs::create_dir(&units).expect("the folder is ours");
        for target in TARGETS {
            fs::write(units.join(format!("{target}.target")), "[Unit]\nDescription=a stub\n").expect("the folder is ours");
        }
        let (shown, units_shown) = (group.display().to_string(), units.display().to_string());
        let runner = project.hook(&["sh", "-c", OUTER, "sh", &shown, &units_shown, INNER]).spawn();
        let mut init = Self { units, runner: Some(runner), group, first: 0 };
        let booted = comes_true(PATIENCE, || {
            let pid = init.runner.as_ref().map_or(0, |runner| runner.pid);
            init.first = processes::children(pid).first().map_or(0, |child| child.pid);
            init.first != 0 && init.try_systemctl(&["list-units"]).is_ok()
                || init.runner.as_ref().is_some_and(|runner| runner.exit().is_some())
        });
        if !booted || init.try_systemctl(&["list-units"]).is_err() {
            programs::skip("systemd does not come up in namespaces here");
            return None;
        }
        Some(init)
    }

    /// `systemctl ARGS` in there.
    pub fn try_systemctl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.first.to_string(), "-p", "-m", "-u", "-i", "-C", "systemctl", "--no-pager"]).args(arguments);
        let output = command.output().map_err(|error| error.to_string())?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text.trim().to_owned()) } else { Err(text) }
    }

    /// The same; it must succeed.
    #[track_caller]
    pub fn systemctl(&self, arguments: &[&str]) -> String {
        self.try_systemctl(arguments).unwrap_or_else(|error| panic!("systemctl {arguments:?}: {error}"))
    }

    /// A property of a unit.
    #[track_caller]
    pub fn show(&self, unit: &str, property: &str) -> String {
        self.systemctl(&["show", "--value", "--property", property, unit])
    }

    /// Waits until a property has this value.
    #[track_caller]
    pub fn comes_to(&self, unit: &str, property: &str, value: &str) {
        let reached = comes_true(PATIENCE, || self.show(unit, property) == value);
        assert!(reached, "{unit} does not come to {property}={value}:\n{}", self.systemctl(&["show", unit]));
    }

    /// The pid of a unit's main process as we see it from outside.
    pub fn main_pid(&self, unit: &str) -> i32 {
        let inside = self.show(unit, "MainPID");
        let status = |pid: i32| fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let is_it = |pid: i32| {
            let status = status(pid);
            status.lines().find_map(|line| line.strip_prefix("NSpid:")).is_some_and(|pids| pids.split_whitespace().last() == Some(&inside))
        };
        processes::children(self.first).into_iter().map(|child| child.pid).find(|pid| is_it(*pid)).unwrap_or_default()
    }
}

impl Drop for Init<'_> {
    fn drop(&mut self) {
        self.runner = None;
        // Groups go from the inside out, and only once their processes are gone.
        comes_true(PATIENCE, || {
            let mut folders = vec![self.group.clone()];
            let mut at = 0;
            while let Some(folder) = folders.get(at).cloned() {
                let inner = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
                folders.extend(inner);
                at += 1;
            }
            folders.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
            !self.group.exists()
        });
    }
}
