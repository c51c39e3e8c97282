//! What workers share besides ports, and where the sharing ends.

use std::{
    fs::{self, Permissions},
    io::{self, BufRead as _, BufReader},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    time::Duration,
};

use super::{SERVER, load, node, port, ready, verb};
use crate::{
    process::can_become_others,
    support::{
        PATIENCE,
        clock::comes_true,
        processes, programs,
        words::{app_says, says},
    },
};

#[test]
fn a_connection_that_every_worker_refuses_waits_until_one_takes_it() {
    let port = port();
    let script = "const server = require('net').createServer(socket => { socket.on('error', () => {}); socket.write(process.pid + '\\n'); });\n\
        server.maxConnections = 1;\nserver.listen(Number(process.env.PORT), '127.0.0.1');\n";
    let Some(project) = node("instances: 2", port, script) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let connect = || BufReader::new(TcpStream::connect(("127.0.0.1", port)).expect("the kernel takes it"));
    let line = |stream: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        stream.get_ref().set_read_timeout(Some(PATIENCE)).expect("it is open");
        stream.read_line(&mut line).map(|_| line)
    };
    let (mut one, mut two, mut three) = (connect(), connect(), connect());
    let (first, second) = (line(&mut one).expect("a worker is free"), line(&mut two).expect("another is free"));
    assert_ne!(first, second);
    three.get_ref().set_read_timeout(Some(Duration::from_millis(500))).expect("it is open");
    let before = processes::ticks(runner.runner_pid());
    assert!(three.fill_buf().is_err(), "a third was taken");
    let busy = processes::ticks(runner.runner_pid()) - before;
    assert!(busy < 10, "the runner was busy for {busy} ticks of 50");
    drop(two);
    assert_eq!(line(&mut three).expect("it is free again"), second);
}

/// Connects with the session of its first connection, until every worker has answered and has known it.
const CLIENT: &str = "const tls = require('tls');\n\
    const pids = new Set(); let session, stranger;\n\
    const connect = () => tls.connect({ host: '127.0.0.1', port: process.argv[2], rejectUnauthorized: false, maxVersion: 'TLSv1.2', session }, function () {\n\
      const known = session !== undefined; session ??= this.getSession();\n\
      if (known && !this.isSessionReused()) stranger = true;\n\
      let said = ''; this.on('data', data => said += data).on('close', () => { if (known) pids.add(said);\n\
        if (pids.size === 2 || stranger) { console.log(stranger ? 'strangers' : 'known'); process.exit(); } connect(); });\n\
    }).on('error', error => { console.log(error); process.exit(1); });\n\
    connect();\n";

#[test]
fn every_worker_knows_the_tls_sessions_of_the_others() {
    if !programs::have(&["openssl"]) {
        return;
    }
    let port = port();
    let script = "const fs = require('fs');\n\
        require('tls').createServer({ key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem') }, socket => socket.end(String(process.pid)))\n\
          .listen(Number(process.env.PORT), '127.0.0.1');\n";
    let Some(project) = node("instances: 2", port, script) else { return };
    project.save("client.js", CLIENT);
    let key = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"];
    project.run("openssl", &key);
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    assert_eq!(project.run("node", &["client.js", &port.to_string()]).trim(), "known");
    // Those that come later are given the same keys.
    verb(&project, &["reload", "api"], 0);
    assert_eq!(project.run("node", &["client.js", &port.to_string()]).trim(), "known");
}

#[test]
fn a_worker_of_another_user_gets_no_port_that_it_could_not_have_by_itself() {
    if !can_become_others() {
        return;
    }
    let (low, high) = (81, port());
    let Some(project) = node("instances: 2, uid: nobody", low, SERVER) else { return };
    // Every user can enter it.
    let folder = project.root.parent().expect("it lies in a folder");
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
    let mut runner = project.start([""; 0]);
    runner.wait_for(&app_says("failed EACCES bind"));
    // Nothing is left that could go on.
    assert_eq!(runner.finish().code, Some(1));
    project.edit("pmdev.yaml", &format!("PORT: '{low}'"), &format!("PORT: '{high}'"));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&app_says("up "));
    assert!(comes_true(PATIENCE, || load::answer(high).is_ok()));
}

/// Runs its arguments as root of a user namespace that has every user, and where nobody may join groups, user_namespaces(7).
const NO_GROUPS: &str = r#"unshare --user --setgroups deny sh -c 'until grep -q . /proc/self/uid_map; do :; done; exec "$0" "$@"' "$@" & inside=$!
until grep -q deny /proc/$inside/setgroups 2>/dev/null; do :; done
until echo '0 0 65536' 2>/dev/null > /proc/$inside/gid_map; do :; done
echo '0 0 65536' > /proc/$inside/uid_map; trap "kill $inside" INT TERM; wait $inside; wait $inside"#;

#[test]
fn where_nobody_may_join_groups_a_worker_of_another_user_shares_its_port_like_any_other() {
    if !can_become_others() || !programs::have(&["unshare"]) {
        return;
    }
    let port = port();
    let Some(project) = node("instances: 2, uid: 65534, gid: 0", port, SERVER) else { return };
    if let Err(why) = project.try_run("unshare", &["-U", "true"]) {
        return programs::skip(&why);
    }
    let folder = project.root.parent().expect("it lies in a folder");
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
    let mut runner = project.pmdev(["start"]).wrapped(&["bash", "-c", NO_GROUPS, "bash"]).spawn();
    runner.wait_for(&app_says("up "));
    assert!(comes_true(PATIENCE, || load::answer(port).is_ok()));
}

#[test]
fn an_edit_that_gives_an_app_another_address_or_user_is_not_held_up_by_what_it_had() {
    let port = port();
    let script = "require('http').createServer((_, answer) => answer.end('up')).listen(Number(process.env.PORT), process.env.HOST,\n\
        () => console.log('up on ' + process.env.HOST + ' as ' + process.getuid()));\n";
    let Some(project) = node("instances: 2", port, script) else { return };
    project.edit("pmdev.yaml", &format!("PORT: '{port}'"), &format!("PORT: '{port}', HOST: '::'"));
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    project.edit("pmdev.yaml", "HOST: '::'", "HOST: '127.0.0.1'");
    runner.wait_for(&app_says("up on 127.0.0.1 as "));
    if can_become_others() {
        let folder = project.root.parent().expect("it lies in a folder");
        fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
        project.edit("pmdev.yaml", "instances: 2", "instances: 2, uid: nobody");
        runner.wait_for(&app_says("up on 127.0.0.1 as 65534"));
    }
}

#[test]
fn a_port_that_an_edit_leaves_is_closed() {
    let (old, new) = (port(), port());
    let script = "require('http').createServer((_, answer) => answer.end('up')).listen(Number(process.env.PORT),\n\
        () => console.log('up on ' + process.env.PORT));\n";
    let Some(project) = node("instances: 2", old, script) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    project.edit("pmdev.yaml", &format!("PORT: '{old}'"), &format!("PORT: '{new}'"));
    runner.wait_for(&app_says(format!("up on {new}")));
    assert!(comes_true(PATIENCE, || TcpStream::connect(("127.0.0.1", new)).is_ok()));
    let refused = || TcpStream::connect(("127.0.0.1", old)).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    assert!(comes_true(PATIENCE, refused), "nobody is behind it");
}

#[test]
fn workers_without_the_module_that_drains_share_their_ports_and_that_is_told() {
    let port = port();
    let script = format!("console.log('options', process.env.NODE_OPTIONS);\n{SERVER}");
    let Some(project) = node("instances: 2, listen_timeout: 20s", port, &script) else { return };
    let mut runner = project.start([""; 0]);
    runner.wait_for(&ready("api"));
    let options = runner.wait_for(&app_says("options --require \"")).text();
    let module = options.split('"').nth(1).expect("it is in quotes");
    let folder = std::path::Path::new(module).parent().expect("it lies in a folder");
    assert!(folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pmdev-")), "{module}");
    fs::remove_dir_all(folder).expect("it is ours");
    verb(&project, &["restart", "api"], 0);
    let told = says("api could not be given the module that tells when its last request is served (");
    runner.wait_for(&told);
    assert!(runner.count(&says("its instances share their ports all the same")) > 0);
    runner.wait_for(&app_says("options undefined"));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "somebody listens");
}
