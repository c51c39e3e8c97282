mod open_files;

use std::path::PathBuf;

use super::{
    apps::{self, Holder, Port, Program},
    machine::{Budget, Machine, Place, Wanted},
    prod::{self, App, Rights},
    runners::{self, Sign, Socket},
};
use crate::{
    config::Writers,
    control::Hello,
    ui::{
        Style,
        findings::{self, Finding},
    },
};

/// As an 80-column terminal shows them.
fn shown(found: &[Finding]) -> String {
    findings::render(found, Style::PLAIN, 80)
}

fn budget(limit: u64, taken: u64, name: &str, enough: u64) -> Budget {
    Budget { limit: Some(limit), taken, proposal: format!("fs.inotify.{name}={enough}") }
}

/// A machine with enough of everything.
fn machine() -> Machine {
    Machine {
        root: false,
        user: "ann".into(),
        watches: budget(524_288, 1200, "max_user_watches", 1_048_576),
        instances: budget(1024, 3, "max_user_instances", 2048),
        silent: Vec::new(),
        files: (Some(1024), Some(524_288)),
        most_files: 1 << 20,
        raises: false,
        memory: 8 << 30,
        available: 3 << 30,
        group: None,
        places: vec![place("/home/ann/.pmdev", "the sockets and logs of pmdev", true, 90 << 30)],
        now: 1_764_000_000,
        zone: Some("Europe/Berlin".into()),
        wanted: Wanted { watches: 12, instances: 3, ..Wanted::default() },
    }
}

fn place(folder: &str, what: &str, writable: bool, free: u64) -> Place {
    Place { folder: folder.into(), what: what.into(), writable, read_only: false, free: Some(free) }
}

#[test]
fn a_machine_that_has_enough() {
    let with_a_cron = Machine { wanted: Wanted { clocked: vec!["api".into()], ..machine().wanted }, ..machine() };
    insta::assert_snapshot!(shown(&with_a_cron.findings()), @r"
    ok       inotify: 1,200 of 524,288 watches and 3 of 1,024 instances are taken;
             this project needs 12 more
    ok       open files: 1,024 a process, and 524,288 where limits.nofile asks for
             it
    ok       memory: 3.0 GiB of 8.0 GiB are available
    ok       /home/ann/.pmdev: 90.0 GiB left on its disk
    ok       clock: crons go by the time of Europe/Berlin (api)

    All is well
    ");
}

#[test]
fn limits_of_inotify() {
    let low = Machine { watches: budget(8192, 8100, "max_user_watches", 524_288), ..machine() };
    let many = Machine { wanted: Wanted { watches: 1200, ..Wanted::default() }, ..low.clone() };
    insta::assert_snapshot!(shown(&many.findings()[..1]), @r"
    warning  8,100 of the 8,192 watches that inotify has for this user are taken,
             and this project needs 1,200 more; folders without one are looked at
             from time to time, which is slower
             raise the limit, now and, by the second command, from the next boot on:
                 sudo sysctl fs.inotify.max_user_watches=524288
                 sudo sh -c 'echo fs.inotify.max_user_watches=524288 >> /etc/sysctl.d/60-pmdev.conf'

    1 warning
    ");
    let nearly = Machine { wanted: Wanted::default(), root: true, ..low };
    insta::assert_snapshot!(shown(&nearly.findings()[..1]), @r"
    warning  8,100 of the 8,192 watches that inotify has for this user are taken
             raise the limit, now and, by the second command, from the next boot on:
                 sysctl fs.inotify.max_user_watches=524288
                 sh -c 'echo fs.inotify.max_user_watches=524288 >> /etc/sysctl.d/60-pmdev.conf'

    1 warning
    ");
    let none = Machine { instances: budget(128, 128, "max_user_instances", 1024), ..machine() };
    insta::assert_snapshot!(shown(&none.findings()[..1]), @r"
    warning  128 of the 128 inotify instances of this user are taken: a runner that
             starts now looks at all files from time to time, which is slower
             raise the limit, now and, by the second command, from the next boot on:
                 sudo sysctl fs.inotify.max_user_instances=1024
                 sudo sh -c 'echo fs.inotify.max_user_instances=1024 >> /etc/sysctl.d/60-pmdev.conf'

    1 warning
    ");
    let unknown = Machine { watches: Budget { limit: None, ..machine().watches }, ..machine() };
    assert!(unknown.findings().iter().all(|finding| finding.check != "inotify"));
}

#[test]
fn file_systems_that_do_not_tell() {
    let shared = Machine { silent: vec![("/mnt/c/shop".into(), "9p".into())], ..machine() };
    insta::assert_snapshot!(shown(&shared.findings()[1..2]), @r"
    warning  /mnt/c/shop is a 9p file system, which does not tell all changes, so it
             is looked at from time to time as well
             keep the project on a disk of this machine; where nobody else changes
             the files, --no-poll spares the looking

    1 warning
    ");
}

#[test]
fn memory_and_disks_and_the_clock() {
    let memory = vec![("api".into(), 4 << 30), ("web".into(), 1 << 30)];
    let poor = Machine {
        wanted: Wanted { memory, clocked: vec!["api".into()], ..Wanted::default() },
        group: Some(4 << 30),
        zone: None,
        places: vec![
            place("/home/ann/.pmdev", "the sockets and logs of pmdev", true, 12 << 20),
            place("/var/log/shop", "log files of api", false, 12 << 30),
        ],
        ..machine()
    };
    insta::assert_snapshot!(shown(&poor.findings()[2..]), @r"
    warning  The memory limits of api and web come to 5.0 GiB, and the control group
             that pmdev runs in may use 4.0 GiB: the kernel may kill before pmdev
             restarts
             lower max_memory_restart or limits.memory in the project file, or run
             fewer instances
    warning  /home/ann/.pmdev has 12.0 MiB left on its disk, and the sockets and
             logs of pmdev lie there
             make room; pmdev flush empties log files; this shows what takes the
             most:
                 du -xh /home/ann/.pmdev | sort -h | tail
    problem  /var/log/shop cannot be written by ann, and log files of api are to lie
             there
             make it this user's, or name another folder:
                 sudo install -d -o ann /var/log/shop
    warning  The time zone of this machine is not known, so crons go by UTC (api)
             set it, for example so:
                 sudo timedatectl set-timezone Europe/Berlin

    1 problem and 3 warnings
    ");
    let unset = Machine { now: 42, ..machine() };
    assert!(shown(&unset.findings()).contains("problem  The clock of this machine was never set"));
}

fn hello(pid: i32, cwd: &str, version: &str, background: bool) -> Hello {
    let files = vec![format!("{cwd}/pmdev.toml")];
    Hello { pmdev: version.into(), protocol: 1, pid, cwd: cwd.into(), files, apps: vec!["api".into()], background }
}

fn socket(name: &str, sign: Sign) -> Socket {
    Socket { path: format!("/run/user/1000/pmdev/{name}.sock").into(), sign }
}

#[test]
fn what_is_behind_sockets() {
    let answers = |hello| Sign::Answers(Box::new(hello));
    let mute =
        |pid: i32, stopped: &[i32]| Sign::Mute { pid: Some(pid), stopped: stopped.to_vec(), why: "it said nothing within 2 s".into() };
    let well = [socket("12", answers(hello(12, "/p", "1.0.0", false))), socket("13", answers(hello(13, "/q", "1.0.0", true)))];
    insta::assert_snapshot!(shown(&runners::findings(&well, "1.0.0")), @r"
    ok       runners: 12 in /p with 1 app, 13 in the background with 1 app

    All is well
    ");
    let ill = [
        socket("7", Sign::Stale),
        socket("8", Sign::Stale),
        socket("9", Sign::Removed),
        socket("10", Sign::Stuck("Permission denied".into())),
        socket("11", mute(11, &[9, 11])),
        socket("12", mute(12, &[])),
        socket("14", answers(hello(14, "/p", "1.0.0", false))),
        socket("15", answers(hello(15, "/p", "0.9.0", true))),
    ];
    insta::assert_snapshot!(shown(&runners::findings(&ill, "1.0.0")), @r"
    ok       removed what dead runners left: /run/user/1000/pmdev/9.sock
    warning  /run/user/1000/pmdev/7.sock, /run/user/1000/pmdev/8.sock are the
             sockets of runners that are gone
             nobody needs what they left:
                 pmdev doctor --fix
    problem  /run/user/1000/pmdev/10.sock is the socket of a runner that is gone,
             and it cannot be removed (Permission denied)
             remove it:
                 rm -f /run/user/1000/pmdev/10.sock
    warning  The runner 11 is stopped, so it restarts nothing and answers nobody
             have it go on (or fg in its terminal):
                 kill -CONT 9 11
    warning  The runner 12 does not answer: it said nothing within 2 s
             it may be busy; if that stays so, end it:
                 kill 12
    warning  /p/pmdev.toml is run by two runners, 14 in /p and 15 in the background:
             they want the same ports and write the same logs
             end one of them:
                 pmdev kill --runner 15
    warning  The runner 15 in the background is pmdev 0.9.0, and this is pmdev 1.0.0
             start it anew to have the same: end it, and start it again where it was
             started:
                 pmdev kill --runner 15

    1 problem and 5 warnings
    ");
    assert!(runners::findings(&[], "1.0.0").is_empty());
}

#[test]
fn programs_that_are_there_and_that_are_not() {
    let program = |app: &str, name: &str, path: Option<&str>, version: Option<&str>| Program {
        app: app.into(),
        name: name.into(),
        path: path.map(PathBuf::from),
        version: version.map(str::to_owned),
        hint: Some(format!("install {name}, or name another program: --interpreter PROGRAM")),
    };
    let all = [
        program("api", "node", Some("/usr/bin/node"), Some("v22.1.0")),
        program("jobs", "python3", Some("/usr/bin/python3"), Some("Python 3.12.1")),
        program("web", "node", Some("/usr/bin/node"), Some("v22.1.0")),
        program("old", "python2", None, None),
        program("sh", "./run.sh", Some("/p/run.sh"), None),
    ];
    insta::assert_snapshot!(shown(&apps::of_programs(&all)), @r"
    problem  old is run by python2, which was not found
             install python2, or name another program: --interpreter PROGRAM
    ok       api and web: node v22.1.0 (/usr/bin/node)
    ok       jobs: python3 Python 3.12.1 (/usr/bin/python3)
    ok       sh: run.sh (/p/run.sh)

    1 problem
    ");
}

#[test]
fn ports_and_who_has_them() {
    let port = |app: &str, port, held: &[Holder]| Port { app: app.into(), port, shares: app.contains("work"), holders: held.to_vec() };
    let holder = |pid, runner: Option<(&str, bool)>| Holder {
        pid,
        command: "node server.js".into(),
        runner: runner.map(|(runner, own)| (runner.to_owned(), own)),
    };
    let all = [
        port("api", 3000, &[holder(Some(4711), None)]),
        port("web", 3001, &[holder(Some(4712), Some(("12 in /q", false)))]),
        port("jobs", 3002, &[holder(Some(4713), Some(("13 in /p", true)))]),
        port("mail", 3003, &[holder(None, None)]),
        port("front", 80, &[]),
        port("back", 80, &[]),
        port("worker", 8080, &[]),
        port("workers", 8080, &[]),
    ];
    insta::assert_snapshot!(shown(&apps::of_ports(&all, 1024, false)), @r"
    problem  api wants port 3000, which pid 4711 (node server.js) holds
             stop it, or give api another port:
                 kill 4711
    problem  web wants port 3001, which pid 4712 (node server.js) holds, an app of
             the runner 12 in /q
             stop that app there, or give one of the two another port
    ok       ports: jobs runs already and holds 3002 (pid 4713, runner 13 in /p)
    problem  mail wants port 3003, which a process of another user holds
             see who it is, and stop it, or give the app another port:
                 sudo ss -tlnp sport = :3003
    problem  front wants port 80, and below 1024 they are root's
             give it a higher one, or let everybody have them from this one on:
                 sudo sysctl net.ipv4.ip_unprivileged_port_start=80
    problem  front and back both want port 80, and only one of them can have it
             give one of them another port in the project file
    problem  back wants port 80, and below 1024 they are root's
             give it a higher one, or let everybody have them from this one on:
                 sudo sysctl net.ipv4.ip_unprivileged_port_start=80
    ok       ports: 80 for front, 80 for back, 8080 for worker, 8080 for workers are
             free

    6 problems
    ");
    insta::assert_snapshot!(shown(&apps::of_ports(&all[4..5], 1024, true)), @r"
    ok       ports: 80 for front is free

    All is well
    ");
}

#[test]
fn files_that_others_can_write_or_read() {
    let everybody = || Writers { who: "everybody".into(), chmod: "o-w" };
    let rights = Rights {
        file: "pmdev.toml".into(),
        quoted: "pmdev.toml".into(),
        writers: Some(everybody()),
        stranger: Some(4_000_000_000),
        folder: Some((".".into(), everybody())),
        secrets: vec!["DB_PASSWORD".into(), "API_KEY".into()],
        is_program: true,
    };
    insta::assert_snapshot!(shown(&prod::of_file(&rights, true)), @r"
    problem  pmdev.toml can be written by everybody, and root runs what it says, so
             pmdev start --prod refuses it
             take that right away; until then nothing is known of its apps, for it
             is not read:
                 chmod o-w pmdev.toml
    warning  pmdev.toml can be replaced by everybody, who can write its folder, and
             root runs what it says
             take that right away:
                 chmod o-w .
    warning  pmdev.toml belongs to user 4000000000, and root runs what it says
             make it yours, or run pmdev as that user:
                 chown root pmdev.toml
    warning  pmdev.toml can be read by everybody on this machine, and holds
             DB_PASSWORD and API_KEY
             keep it to yourself:
                 chmod o= pmdev.toml

    1 problem and 3 warnings
    ");
    let safe = Rights { writers: None, stranger: None, folder: None, secrets: Vec::new(), ..rights.clone() };
    assert!(prod::of_file(&safe, true).is_empty());
    assert!(!shown(&prod::of_file(&rights, false)).contains("root"));
}

#[test]
fn apps_that_are_not_made_for_a_server() {
    let careless = App {
        name: "api".into(),
        limited: false,
        watched: true,
        node_env: Some("development".into()),
        inspected: Some("--inspect=0.0.0.0".into()),
    };
    let unset = App { name: "web".into(), node_env: Some(String::new()), ..App::default() };
    insta::assert_snapshot!(shown(&prod::of_apps(&[careless, unset])), @r#"
    warning  api and web have no limit of memory: one that leaks takes all there is,
             and the kernel then kills what it likes
             say what each may use in the project file: max_memory_restart: "512M"
    warning  api is watched, so a deployment restarts it in the middle of its
             copying
             leave watch out of the project file, or say it in a profile of its own
             (profiles: { dev: { watch: true } })
    warning  NODE_ENV of api is development: many packages are slower then, and tell
             visitors about errors
             say env: { NODE_ENV: "production" } in the project file, or leave
             NODE_ENV out of it and of this shell
    problem  api is started with --inspect=0.0.0.0: whoever reaches its port can run
             what they like in it
             leave that option out on a server
    warning  NODE_ENV of web is not set: many packages are slower then, and tell
             visitors about errors
             say env: { NODE_ENV: "production" } in the project file, or leave
             NODE_ENV out of it and of this shell

    1 problem and 4 warnings
    "#);
    assert!(prod::of_apps(&[App { name: "api".into(), limited: true, ..App::default() }]).is_empty());
}
