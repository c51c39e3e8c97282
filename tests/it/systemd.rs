//! Below a real systemd: the unit that `pmdev startup` prints, with every directive of it in force.

use std::{fs, time::Duration};

use rustix::process::Signal;

use crate::{
    service::FILE,
    support::{Init, PATIENCE, Project, clock::comes_true, processes},
};

const UNIT: &str = "pmdev-project.service";

/// Says what it may do.
const APP: &str = "\
say() { if eval \"$2\" 2>/dev/null; then echo \"$1: yes\"; else echo \"$1: no\"; fi; }
say \"writes to the project\" 'touch touched'
say \"writes to its data\" 'touch data/touched'
say \"writes to pmdev's folder\" 'touch \"$PMDEV_FOLDER/touched\"'
say \"mounts\" 'mount -t tmpfs tmpfs data'
say \"knows the manager\" '[ -n \"$NOTIFY_SOCKET$WATCHDOG_USEC\" ]'
grep NoNewPrivs /proc/self/status
echo \"$1 up $V\"
exec sleep 1000000
";

#[test]
fn the_unit_runs_below_systemd_and_its_sandbox_holds() {
    let project = Project::empty();
    let Some(init) = Init::boot(&project) else { return };
    let home = project.root.with_file_name("home");
    let folder = home.join(".pmdev");
    fs::create_dir(&folder).expect("it is ours");
    fs::create_dir(project.path("data")).expect("it is ours");
    project.script("app.sh", APP);
    let file = FILE.replace("env = {", &format!("env = {{ PMDEV_FOLDER = \"{}\",", folder.display()));
    project.save("pmdev.toml", &file);

    let startup = ["startup", "systemd", "-u", "root", "--hp", &home.to_string_lossy(), "--writable", "data"];
    let printed = project.pmdev(startup).finish();
    assert_eq!(printed.code, Some(0), "{}", printed.all());
    fs::write(init.units.join(UNIT), printed.out).expect("the folder is ours");
    let log = project.outside("log");
    // There is no journal in there; and nobody waits half a minute for the watchdog.
    let drop_in = format!("[Service]\nStandardOutput=append:{0}\nStandardError=append:{0}\nWatchdogSec=2\nRestartSec=0\n", log.display());
    fs::create_dir(init.units.join(format!("{UNIT}.d"))).expect("the folder is ours");
    fs::write(init.units.join(format!("{UNIT}.d/test.conf")), drop_in).expect("the folder is ours");
    let said = || fs::read_to_string(&log).unwrap_or_default();
    let says = |text: &str, times: usize| {
        let heard = comes_true(PATIENCE, || said().matches(text).count() >= times);
        assert!(heard, "{text} ({times} times) was not said:\n{}", said());
    };

    init.systemctl(&["daemon-reload"]);
    init.systemctl(&["start", UNIT]);
    assert_eq!(init.show(UNIT, "ActiveState"), "active", "READY=1 came");
    init.comes_to(UNIT, "StatusText", "2 apps online");
    says("api up 1", 1);
    says("web up", 1);
    for (what, may) in [
        ("writes to the project", "no"),
        ("writes to its data", "yes"),
        ("writes to pmdev's folder", "yes"),
        ("mounts", "no"),
        ("knows the manager", "no"),
        ("NoNewPrivs", "\t1"),
    ] {
        assert!(said().contains(&format!("api | {what}: {may}")) || said().contains(&format!("api | {what}:{may}")), "{what}: {}", said());
    }

    project.let_stamps_pass();
    project.edit("pmdev.toml", "V = \"1\"", "V = \"2\"");
    says("api up 2", 1);
    init.comes_to(UNIT, "SubState", "running");
    assert_eq!(init.show(UNIT, "NRestarts"), "0", "{}", said());

    // A runner that hangs is replaced, with all it ran.
    processes::send(init.main_pid(UNIT), Signal::STOP);
    init.comes_to(UNIT, "NRestarts", "1");
    says("api up 2", 2);
    init.comes_to(UNIT, "StatusText", "2 apps online");

    init.systemctl(&["stop", UNIT]);
    assert_eq!(init.show(UNIT, "Result"), "success", "{}", said());
    assert_eq!(init.show(UNIT, "ExecMainStatus"), "0", "{}", said());
    drop(init);
    project.nothing_alive(Duration::from_secs(5), "the end of the service");
}
