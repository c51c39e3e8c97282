//! Units as they are written, for apps that ask for little and for much.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Service,
    account::Account,
    launchd, openrc,
    service::{Parts, Scope, checked, default_name},
    systemd, tools,
};
use crate::model::{
    AfterExit, AppSpec, Condition, Dependency, Error, Hardening, Launch, Listen, LogFile, Logs, Probe, Ready, RestartPolicy, Signal,
    StopSpec,
};

fn app(name: &str, program: &str, folder: &str) -> AppSpec {
    let launch = Launch { argv: vec![program.into()], cwd: folder.into(), env: Vec::new(), hardening: Hardening::default() };
    let restart = RestartPolicy {
        after_exit: AfterExit::Wait,
        min_uptime: Duration::ZERO,
        max_restarts: None,
        window: Duration::ZERO,
        stop_exit_codes: Vec::new(),
        stuck_blocks: true,
    };
    AppSpec::new(name, launch, restart, StopSpec::new(Signal::INT, Duration::from_secs(30)))
}

fn account(name: &str) -> Account {
    let home = if name == "root" { "/root".into() } else { format!("/home/{name}").into() };
    Account { name: name.to_owned(), home, root: name == "root" }
}

/// A service of these apps in a folder, as `pmdev startup` would make it there.
fn service(file: &str, account: Account, scope: Scope, apps: &[AppSpec]) -> Result<Service, Error> {
    Service::new(Parts {
        name: None,
        program: Path::new("/usr/local/bin/pmdev"),
        options: vec!["--prod".to_owned()],
        file: Path::new(file),
        account,
        scope,
        pmdev_home: None,
        path: Vec::new(),
        apps,
        writable: Vec::new(),
    })
}

/// The lines that are no comments.
fn directives(unit: &str) -> String {
    unit.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// The values of a directive, in order.
fn values<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
}

#[test]
fn a_unit_for_systemd() {
    let mut api = app("api", "node", "/srv/shop");
    api.logs = Logs {
        out: LogFile::At("/srv/shop/logs/api.log".into()),
        error: LogFile::At("/srv/shop/logs/error.log".into()),
        ..Logs::default()
    };
    let service = service("/srv/shop/pmdev.toml", account("ann"), Scope::System, &[api]).unwrap();
    insta::assert_snapshot!(systemd::unit(&service));
}

#[test]
fn a_unit_for_a_users_own_systemd_has_nothing_that_needs_root() {
    let service = service("/home/ann/shop/pmdev.toml", account("ann"), Scope::User, &[app("api", "node", "/home/ann/shop")]).unwrap();
    insta::assert_snapshot!(directives(&systemd::unit(&service)));
}

#[test]
fn a_script_for_openrc() {
    let service = service("/srv/my shop/pmdev.toml", account("ann"), Scope::System, &[app("api", "node", "/srv/my shop")]).unwrap();
    insta::assert_snapshot!(openrc::script(&service).unwrap());
}

#[test]
fn a_list_for_launchd() {
    let service = service("/Users/ann/R&D--shop/pmdev.toml", account("ann"), Scope::User, &[app("api", "node", "/Users/ann/R&D--shop")]);
    insta::assert_snapshot!(launchd::list(&service.unwrap()).unwrap());
}

#[test]
fn what_the_apps_need_is_in_the_unit() {
    let mut db = app("db", "/opt/db/bin/db", "/srv/shop");
    db.ready = Ready { by: Probe::Tcp(vec!["127.0.0.1:5432".parse().unwrap()]), timeout: Duration::from_secs(100) };
    db.listen = vec![Listen::Unix("/run/shop/db.sock".into())];
    let mut web = app("web", "node", "/srv/shop");
    web.depends_on = vec![Dependency { app: "db".to_owned(), condition: Condition::Ready }];
    web.stop.timeout = Duration::from_millis(1500);
    web.port = Some(80);
    web.limits.nofile = Some(1_000_000);
    let unit = systemd::unit(&service("/srv/shop/pmdev.toml", account("ann"), Scope::System, &[web, db]).unwrap());
    assert_eq!(values(&unit, "TimeoutStopSec"), ["42"], "web's 1.5 s, then db's 30 s, then the margin");
    assert_eq!(values(&unit, "TimeoutStartSec"), ["110"]);
    assert_eq!(values(&unit, "AmbientCapabilities"), ["CAP_NET_BIND_SERVICE"]);
    assert_eq!(values(&unit, "CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
    assert_eq!(values(&unit, "LimitNOFILE"), ["1000000"]);
    assert_eq!(values(&unit, "ReadWritePaths"), ["-/home/ann/.pmdev", "-/run/shop"]);
    assert_eq!(values(&unit, "MemoryDenyWriteExecute"), [""; 0]);
}

#[test]
fn what_is_compiled_may_not_compile_and_writes_where_it_is_built() {
    let mut server = app("server", "/srv/shop/target/release/server", "/srv/shop");
    server.build = Some(Launch {
        argv: vec!["cargo".into(), "build".into()],
        cwd: "/srv/shop".into(),
        env: Vec::new(),
        hardening: Hardening::default(),
    });
    let unit = systemd::unit(&service("/srv/shop/pmdev.toml", account("ann"), Scope::System, &[server.clone()]).unwrap());
    assert_eq!(values(&unit, "MemoryDenyWriteExecute"), ["yes"]);
    assert_eq!(values(&unit, "TimeoutStartSec"), ["infinity"]);
    assert_eq!(values(&unit, "ReadWritePaths"), ["-/home/ann/.pmdev", "-/srv/shop", "-/home/ann/.cargo"]);
    let unit = systemd::unit(&service("/srv/shop/pmdev.config.js", account("ann"), Scope::System, &[server]).unwrap());
    assert_eq!(values(&unit, "MemoryDenyWriteExecute"), [""; 0], "node reads the project file");
}

#[test]
fn homes_and_temporary_folders_are_hidden_where_nothing_lies_in_them() {
    let www = Account { name: "www-data".to_owned(), home: "/var/www".into(), root: false };
    let unit = systemd::unit(&service("/srv/shop/pmdev.toml", www.clone(), Scope::System, &[app("api", "node", "/srv/shop")]).unwrap());
    assert_eq!((values(&unit, "ProtectHome"), values(&unit, "PrivateTmp")), (vec!["yes"], vec!["yes"]));
    let unit = systemd::unit(&service("/tmp/shop/pmdev.toml", www, Scope::System, &[app("api", "node", "/home/www")]).unwrap());
    assert_eq!((values(&unit, "ProtectHome"), values(&unit, "PrivateTmp")), (vec!["read-only"], vec![]));
}

#[test]
fn only_root_can_run_apps_as_others() {
    let mut api = app("api", "node", "/srv/shop");
    api.account.user = Some("www-data".to_owned());
    let of = |name: &str, scope| service("/srv/shop/pmdev.toml", account(name), scope, std::slice::from_ref(&api));
    let unit = systemd::unit(&of("root", Scope::System).unwrap());
    let rights = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID";
    assert_eq!(values(&unit, "CapabilityBoundingSet"), [rights]);
    assert_eq!(values(&unit, "AmbientCapabilities"), [""; 0]);
    assert!(of("www-data", Scope::System).is_ok(), "it is that one already");
    let refused = |name, scope, why: &str| {
        let error = of(name, scope).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(error.to_string(), format!("api is to run as www-data, which {why}"));
    };
    refused("ann", Scope::System, "ann cannot arrange, only root can");
    refused("root", Scope::User, "a service of a user cannot arrange, not even root's");
}

#[test]
fn paths_and_names_that_no_unit_can_hold_are_refused() {
    let refused = |file: &str| service(file, account("ann"), Scope::System, &[]).unwrap_err().to_string();
    assert!(refused("/srv/a\nb/pmdev.toml").contains("control character"));
    let long = service("/srv/a  b/pmdev.toml", account("ann"), Scope::System, &[]).unwrap();
    assert!(openrc::script(&long).unwrap_err().to_string().contains("joins blanks"));
    assert_eq!(default_name(Path::new("/srv/My Shop (new)")), "pmdev-My-Shop-new");
    assert_eq!(default_name(Path::new("/")), "pmdev");
    assert_eq!(checked("shop.service".to_owned()).unwrap(), "shop");
    for wrong in ["", "-x", ".x", "a/b", "a b", "a@b"] {
        assert_eq!(checked(wrong.to_owned()).unwrap_err().exit_code(), 2, "{wrong}");
    }
}

#[test]
fn words_are_quoted_where_systemd_would_split_or_expand_them() {
    assert_eq!(systemd::word("/srv/shop"), "/srv/shop");
    assert_eq!(systemd::word("/srv/my shop"), "\"/srv/my shop\"");
    assert_eq!(systemd::word("100%"), "100%%");
    assert_eq!(systemd::word("a\"b\\c;"), "\"a\\\"b\\\\c;\"");
    assert_eq!(systemd::word(""), "\"\"");
    let odd = service("/srv/$HOME 5%/pmdev.toml", account("ann"), Scope::System, &[]).unwrap();
    let unit = systemd::unit(&odd);
    assert_eq!(values(&unit, "ExecStart"), ["/usr/local/bin/pmdev start \"/srv/$$HOME 5%%/pmdev.toml\" --prod"]);
    assert_eq!(values(&unit, "WorkingDirectory"), ["/srv/$HOME 5%%"]);
}

#[test]
fn the_path_leads_to_the_tools_of_the_apps_alone() {
    let path: Vec<PathBuf> = ["/home/ann/.nvm/bin", "/usr/bin", "/home/ann/.cargo/bin", "/home/ann/bin"].map(PathBuf::from).into();
    let there = ["/home/ann/.nvm/bin/node", "/usr/bin/node", "/usr/bin/python3", "/home/ann/.cargo/bin/cargo", "/home/ann/bin/serve"];
    let folders = |apps: &[AppSpec], javascript| {
        let found = tools::folders(apps, javascript, &path, |file| there.iter().any(|known| Path::new(known) == file));
        found.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(folders(&[app("api", "python3", "/srv")], false), [""; 0]);
    assert_eq!(folders(&[app("api", "node", "/srv")], false), ["/home/ann/.nvm/bin"]);
    assert_eq!(folders(&[app("api", "python3", "/srv")], true), ["/home/ann/.nvm/bin"], "node reads the project file");
    assert_eq!(folders(&[app("api", "bash", "/srv")], false), ["/home/ann/.nvm/bin"], "a script may start anything");
    assert_eq!(folders(&[app("api", "serve", "/srv")], false), ["/home/ann/.nvm/bin", "/home/ann/bin"]);
}
