//! `startup` and `unstartup`: what they print is judged by those who read it, what they write is theirs alone.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::{Project, programs, runner::Ending};

/// A folder that is hard on everybody's quoting.
const FOLDER: &str = "my $HOME 5% 'shop'";

const FILE: &str = "\
[[apps]]
name = \"api\"
script = \"api.sh\"
out_file = \"logs/api.log\"
";

/// A project in such a folder.
fn project(folder: &str) -> Project {
    let project = Project::empty();
    project.save(format!("{folder}/pmdev.toml"), FILE);
    project.save(format!("{folder}/api.sh"), "exec sleep 1000000\n");
    project
}

/// Runs `pmdev VERB ARGS --file … ` for that folder.
#[track_caller]
fn startup(project: &Project, folder: &str, arguments: &[&str]) -> Ending {
    let file = format!("{folder}/pmdev.toml");
    project.pmdev(["startup"].iter().chain(arguments).copied().chain(["--file", &file])).finish()
}

/// What it prints; it must succeed.
#[track_caller]
fn printed(project: &Project, folder: &str, arguments: &[&str]) -> String {
    let ending = startup(project, folder, arguments);
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    assert!(ending.err.contains("was not written") && ending.err.contains("to write it: "), "{}", ending.err);
    ending.out + "\n"
}

#[test]
fn systemd_finds_nothing_wrong_with_its_unit_and_little_exposed() {
    if !programs::have(&["systemd-analyze"]) {
        return;
    }
    let project = project(FOLDER);
    for (arguments, options, threshold) in [
        (&["systemd", "-u", "daemon", "--hp", "/var/lib/shop"][..], &["--man=no"][..], Some("--threshold=22")),
        (&["systemd", "-u", "root"], &["--man=no"], Some("--threshold=30")),
        (&["systemd", "--user"], &["--man=no", "--user"], None),
    ] {
        let unit = printed(&project, FOLDER, arguments);
        let path = project.outside("pmdev-shop.service");
        fs::write(&path, &unit).expect("the folder is ours");
        let path = path.to_string_lossy();
        let said = project
            .try_run("systemd-analyze", &[&["verify"], options, &[&*path]].concat())
            .unwrap_or_else(|error| panic!("{error}\n{unit}"));
        assert_eq!(said, "", "{arguments:?}: {unit}");
        if let Some(threshold) = threshold {
            project.run("systemd-analyze", &["security", "--offline=yes", "--no-pager", threshold, &path]);
        }
    }
}

#[test]
fn a_folder_below_a_link_is_named_as_the_shell_has_it() {
    let project = project("rel1");
    std::os::unix::fs::symlink("rel1", project.path("current")).expect("the project can be written");
    let folder = project.path("current");
    let within = |shell: &str| {
        let into = ["sh", "-c", "cd rel1 && PWD=$0 exec \"$@\"", shell];
        let ending = project.pmdev(["startup", "systemd", "-u", "daemon", "--hp", "/var/lib/shop"]).wrapped(&into).finish();
        assert_eq!(ending.code, Some(0), "{}", ending.all());
        ending.out
    };
    let named = |folder: &std::path::Path| format!("{}/pmdev.toml", folder.display());
    let unit = within(folder.to_str().expect("it is text"));
    assert!(unit.contains(&named(&folder)) && !unit.contains("rel1"), "{unit}");
    assert!(within("/tmp").contains(&named(&project.path("rel1"))), "a variable that names another folder");
}

#[test]
fn systemd_analyze_would_find_a_mistake() {
    if !programs::have(&["systemd-analyze"]) {
        return;
    }
    let project = project("shop");
    let path = project.outside("pmdev-shop.service");
    for (right, wrong) in
        [("Type=notify", "Type=tell"), ("ExecStart=", "ExecStart=nowhere/"), ("NoNewPrivileges=yes", "NoNewPrivilege=yes")]
    {
        let unit = printed(&project, "shop", &["systemd", "-u", "daemon", "--hp", "/var/lib/shop"]).replace(right, wrong);
        fs::write(&path, &unit).expect("the folder is ours");
        let said = project.try_run("systemd-analyze", &["verify", "--man=no", &path.to_string_lossy()]);
        assert!(said.is_err() || said.is_ok_and(|said| !said.is_empty()), "{wrong} is no mistake to it");
    }
}

#[test]
fn openrc_comes_to_the_words_that_are_meant() {
    let project = project(FOLDER);
    let script = printed(&project, FOLDER, &["openrc", "-u", "nobody", "--hp", "/var/lib/my shop"]);
    let path = project.outside("pmdev-shop");
    fs::write(&path, script).expect("the folder is ours");
    let path = path.to_string_lossy();
    project.run("sh", &["-n", &path]);
    // As /lib/rc/sh/supervise-daemon.sh does.
    let evaluate = ". \"$1\"; eval printf '\"%s\\n\"' --chdir $directory --user $command_user --stdout $output_log --retry $retry \
                    $command -- $command_args; echo \"$PMDEV_HOME\"; echo \"$PATH\"";
    let words = project.run("sh", &["-c", evaluate, "sh", &path]);
    let words: Vec<&str> = words.lines().collect();
    let folder = project.path(FOLDER);
    let file = folder.join("pmdev.toml");
    let expected = [
        "--chdir",
        &folder.to_string_lossy(),
        "--user",
        "nobody",
        "--stdout",
        "/var/log/pmdev-my-HOME-5-shop.log",
        "--retry",
        "TERM/41/KILL/5",
        programs::PMDEV,
        "--",
        "start",
        &file.to_string_lossy(),
        "--prod",
        "/var/lib/my shop/.pmdev",
    ];
    assert_eq!(words[..expected.len()], expected);
    assert!(words[expected.len()].ends_with("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), "{words:?}");
}

#[test]
fn launchd_reads_the_values_that_are_meant() {
    if !programs::have(&["python3"]) {
        return;
    }
    let folder = "R&D <--shop-->";
    let project = project(folder);
    let list = project.outside("pmdev-shop.plist");
    fs::write(&list, printed(&project, folder, &["launchd", "-u", "nobody", "--hp", "/Users/ann"])).expect("the folder is ours");
    let read = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let values: serde_json::Value =
        serde_json::from_str(&project.run("python3", &["-c", read, &list.to_string_lossy()])).expect("it is JSON");
    let folder = project.path(folder);
    let arguments = serde_json::json!([programs::PMDEV, "start", folder.join("pmdev.toml"), "--prod"]);
    assert_eq!(values["ProgramArguments"], arguments);
    assert_eq!(values["WorkingDirectory"], folder.display().to_string());
    assert_eq!(values["UserName"], "nobody");
    assert_eq!(values["EnvironmentVariables"]["PMDEV_HOME"], "/Users/ann/.pmdev");
    assert_eq!((&values["ExitTimeOut"], &values["Umask"], &values["RunAtLoad"]), (&41.into(), &0o027.into(), &true.into()));
    assert_eq!(values["KeepAlive"], serde_json::json!({ "SuccessfulExit": false }));
}

#[test]
fn folders_that_its_sandbox_could_not_make_are_named_with_what_makes_them() {
    let project = project("shop");
    let (there, missing) = (project.outside("logs"), project.outside("pids"));
    fs::create_dir_all(&there).expect("the folder is ours");
    let keys = format!("out_file = \"{}/o.log\"\npid_file = \"{}/api.pid\"", there.display(), missing.display());
    project.save("shop/pmdev.toml", FILE.replace("out_file = \"logs/api.log\"", &keys));
    let root = project.outside("root");
    fs::create_dir_all(root.join("etc/systemd/system")).expect("it is ours");
    let root = root.to_string_lossy().into_owned();
    let ending = startup(&project, "shop", &["systemd", "-u", "nobody", "--hp", "/var/lib/shop", "--root", &root, "--write"]);
    assert_eq!(ending.code, Some(0), "{}", ending.all());
    let made = format!("install -d -o nobody -g \"$(id -g nobody)\" -m 750 {}\n", missing.display());
    assert!(ending.out.contains(&made), "{}", ending.out);
    assert!(
        ending.out.contains("-m 700 /var/lib/shop/.pmdev") && !ending.out.contains(&format!(" {}\n", there.display())),
        "{}",
        ending.out
    );
}

#[test]
fn what_is_written_is_taken_away_again() {
    for (init, place, mode, link) in [
        ("systemd", "etc/systemd/system/pmdev-shop.service", 0o644, "etc/systemd/system/multi-user.target.wants/pmdev-shop.service"),
        ("openrc", "etc/init.d/pmdev-shop", 0o755, "etc/runlevels/default/pmdev-shop"),
    ] {
        let project = project("shop");
        let root = project.outside("root");
        let (file, link) = (root.join(place), root.join(link));
        for path in [&file, &link] {
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("it is ours");
        }
        let root = root.to_string_lossy().into_owned();
        let arguments = [init, "-u", "nobody", "--hp", "/var/lib/shop", "--root", &root];
        let write = [&arguments[..], &["--write"]].concat();
        let unit = printed(&project, "shop", &arguments);
        assert!(!file.exists(), "printing writes nothing");

        let ending = startup(&project, "shop", &write);
        assert_eq!(ending.code, Some(0), "{}", ending.all());
        assert_eq!(fs::read_to_string(&file).expect("it was written"), unit);
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, mode);
        let enable = if init == "systemd" { "systemctl enable --now pmdev-shop.service" } else { "rc-update add pmdev-shop default" };
        assert!(ending.out.contains("was written.") && ending.out.contains(enable), "{}", ending.out);
        assert!(startup(&project, "shop", &write).out.contains("is there already, just so"));
        let changed = startup(&project, "shop", &[&write[..], &["--env", "blue"]].concat());
        assert_eq!(changed.code, Some(0), "{}", changed.all());
        assert!(changed.out.contains("was written anew") && changed.out.contains("restart"), "{}", changed.out);

        // Another project of the same name.
        project.save("old/shop/pmdev.toml", FILE.replace("api.sh", "../../shop/api.sh"));
        let other = startup(&project, "old/shop", &write);
        assert_eq!(other.code, Some(2), "{}", other.all());
        assert!(other.err.contains("is there already, for") && other.err.contains("--service-name"), "{}", other.err);

        std::os::unix::fs::symlink(&file, &link).expect("it is ours");
        let unstartup = |more: &[&str]| {
            let arguments = ["unstartup", init, "--service-name", "pmdev-shop", "--root", &root];
            project.pmdev(arguments.iter().chain(more)).finish()
        };
        let told = unstartup(&[]);
        assert_eq!(told.code, Some(0), "{}", told.all());
        assert!(told.out.contains("To take it away:") && told.err.contains("was not removed"), "{}", told.all());
        assert!(file.exists() && link.is_symlink(), "telling removes nothing");
        if init == "openrc" {
            let started = project.outside("root/run/openrc/started");
            fs::create_dir_all(&started).expect("it is ours");
            std::os::unix::fs::symlink(&file, started.join("pmdev-shop")).expect("it is ours");
            let runs = unstartup(&["--write"]);
            assert_eq!(runs.code, Some(2), "{}", runs.all());
            assert!(runs.err.contains("rc-service pmdev-shop stop") && file.exists() && link.is_symlink(), "{}", runs.err);
            fs::remove_dir_all(&started).expect("it is ours");
        }
        let removed = unstartup(&["--write"]);
        assert_eq!(removed.code, Some(0), "{}", removed.all());
        assert!(!file.exists() && !link.is_symlink(), "{}", removed.out);
        let again = unstartup(&["--write"]);
        assert_eq!(again.code, Some(2), "{}", again.all());
        assert!(again.err.contains("is not there, so there is nothing to take away"), "{}", again.err);
    }
}

#[test]
fn a_file_of_somebody_else_is_left_as_it_is() {
    let project = project("shop");
    let folder = project.outside("root/etc/systemd/system");
    fs::create_dir_all(&folder).expect("it is ours");
    let file = folder.join("shop.service");
    fs::write(&file, "[Service]\nExecStart=/usr/bin/shop\n").expect("it is ours");
    let root = project.outside("root").to_string_lossy().into_owned();
    let place = ["systemd", "--root", &root, "--service-name", "shop"];
    let written = startup(&project, "shop", &[&place[..], &["--write"]].concat());
    let removed = project.pmdev(["unstartup"].iter().chain(&place).chain(&["--write"])).finish();
    for ending in [written, removed] {
        assert_eq!(ending.code, Some(2), "{}", ending.all());
        assert!(ending.err.contains("was not written by pmdev startup, so it is left as it is"), "{}", ending.err);
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "[Service]\nExecStart=/usr/bin/shop\n");
}

#[test]
fn who_may_not_write_is_told_the_command_that_may() {
    let project = project("shop");
    // In a user namespace nobody is root, and what nobody may write to cannot be written.
    let nobody = ["unshare", "-U"];
    if !programs::have(&["unshare"]) || project.try_run("unshare", &["-U", "true"]).is_err() {
        return programs::skip("no user namespaces here");
    }
    let folder = project.outside("root/etc/systemd/system");
    fs::create_dir_all(&folder).expect("it is ours");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).expect("it is ours");
    let root = project.outside("root").to_string_lossy().into_owned();
    let arguments = ["startup", "systemd", "-u", "nobody", "--root", &root, "--file", "shop/pmdev.toml", "--write"];
    let ending = project.pmdev(arguments).wrapped(&nobody).finish();
    assert_eq!(ending.code, Some(2), "{}", ending.all());
    let command = format!("sudo env \"PATH=$PATH\" {} startup systemd -u nobody", programs::PMDEV);
    assert!(ending.err.contains("cannot be written") && ending.err.contains(&command), "{}", ending.err);
    assert_eq!(fs::read_dir(&folder).expect("it is ours").count(), 0, "nothing half done");
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    let project = project("shop");
    project.save("broken/pmdev.toml", "[[apps]]\nname = \"api\"\nscript = \"nowhere.sh\"\n");
    project.save("plain/app.js", "");
    for (arguments, parts) in [
        (&["startup", "sytemd"][..], &["sytemd is not an init system", "did you mean systemd?"][..]),
        (&["startup", "upstart"], &["upstart gets no unit"]),
        (&["startup", "ann", "--user"], &["-u ann"]),
        (&["startup", "systemd"], &["has no project file", "pmdev init"]),
        (&["startup", "systemd", "--file", "nowhere.toml"], &["nowhere.toml was not found"]),
        (&["startup", "systemd", "--file", "plain/app.js"], &["is no project file"]),
        (&["startup", "systemd", "--file", "broken/pmdev.toml"], &["pmdev.toml:3:", "nowhere.sh"]),
        (&["startup", "systemd", "--file", "shop/pmdev.toml", "-u", "nobdy"], &["nobdy is no account", "did you mean nobody?"]),
        (&["startup", "systemd", "--file", "shop/pmdev.toml", "--service-name", "a/b"], &["is not a name for a service"]),
        (&["startup", "systemd", "--file", "shop/pmdev.toml", "--profile", "prd"], &["did you mean prod?"]),
        (&["startup", "openrc", "--file", "shop/pmdev.toml", "--user"], &["--user is for systemd and launchd"]),
        (&["startup", "systemd", "--user", "-u", "nobody"], &["contradict each other"]),
        (&["unstartup", "systemd"], &["is not there, so there is nothing to take away"]),
    ] {
        let root = project.outside("").to_string_lossy().into_owned();
        let ending = project.pmdev(arguments.iter().copied().chain(["--root", &root, "--write"])).finish();
        assert_eq!((ending.code, ending.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ending.all());
        for part in parts {
            assert!(ending.err.contains(part), "{arguments:?} speaks of {part}: {}", ending.err);
        }
    }
    assert!(!project.outside("etc").exists());
}
