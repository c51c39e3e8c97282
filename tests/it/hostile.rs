//! The runner's socket among clients that break off, talk nonsense, never read, are others' or of another version.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Signal, geteuid};
use serde_json::Value;

use crate::support::{
    PATIENCE, Project, Runner, processes,
    programs::{self, PMDEV},
    words::says,
};

const LIST: &str = r#"{"protocol":1,"pmdev":"0.1.0","request":{"verb":"list","targets":[],"env":true}}"#;

/// As many connections as are kept open at a time.
const MANY: usize = 100;

fn project() -> Project {
    let project = Project::empty();
    project.script("api.sh", "echo \"api $VERSION\"\nexec sleep 1000000\n");
    project
}

fn running(project: &Project) -> (Runner<'_>, PathBuf) {
    let mut runner = project.start(["api.sh"]);
    runner.wait_for(&says("api started"));
    let socket = project.root.with_file_name("run").join("pmdev").join(format!("{}.sock", runner.runner_pid()));
    (runner, socket)
}

fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("the runner listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("the time is not zero");
    stream.set_write_timeout(Some(PATIENCE)).expect("the time is not zero");
    stream
}

/// Writes bytes, ends the writing, and gives what comes until the end, which must come. A runner may hang up before it has read everything.
fn say(socket: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(socket);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => answer,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => answer,
        Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(bytes)),
    }
}

/// Every answer is lines of JSON.
fn is_protocol(answer: &[u8]) -> bool {
    answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).all(|line| serde_json::from_slice::<Value>(line).is_ok())
}

fn ping(project: &Project, runner: &Runner) {
    let pinged = project.pmdev(["ping"]).finish();
    assert_eq!(pinged.code, Some(0), "{}", pinged.all());
    assert!(runner.exit().is_none(), "the runner lives");
}

#[test]
fn nonsense_is_answered_or_hung_up_on_and_the_runner_goes_on() {
    let project = project();
    let (mut runner, socket) = running(&project);
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..400 {
        let mut bytes: Vec<u8> = match round % 4 {
            // Anything at all.
            0 => (0..random.usize(0..2000)).map(|_| random.u8(..)).collect(),
            // A request that breaks off.
            1 => LIST.as_bytes()[..random.usize(..LIST.len())].to_vec(),
            // One with bytes that were changed on the way.
            2 => {
                let mut line = LIST.as_bytes().to_vec();
                for _ in 0..random.usize(1..6) {
                    let at = random.usize(..line.len());
                    line[at] = random.u8(..);
                }
                line
            }
            // JSON, nested deeply or of other shapes.
            _ => match random.u8(..4) {
                0 => "[".repeat(random.usize(1..50_000)).into_bytes(),
                1 => b"{\"protocol\":1,\"request\":{\"verb\":\"scale\",\"app\":7,\"count\":null,\"wait\":0}}".to_vec(),
                2 => b"{\"protocol\":-1e999}".to_vec(),
                _ => b"{\"protocol\":1,\"request\":{\"verb\":\"act\",\"action\":\"stop\",\"targets\":[\"/((((a*)*)*)*$/\",\"\",\":\",\"-1\"],\"wait\":true}}".to_vec(),
            },
        };
        if random.bool() {
            bytes.push(b'\n');
        }
        let answer = say(&socket, &bytes);
        assert!(is_protocol(&answer), "round {round}: {:?} to {:?}", String::from_utf8_lossy(&answer), String::from_utf8_lossy(&bytes));
    }
    assert!(String::from_utf8_lossy(&say(&socket, &[b'x'; 3 << 20])).contains("what came over it is no request"), "a line without end");
    ping(&project, &runner);
    project.save("api.sh", "echo again\nexec sleep 1000000\n");
    runner.wait_for(&says("again"));
}

#[test]
fn clients_that_wait_for_ever_or_never_read_hold_nobody_up() {
    let project = project();
    let (mut runner, socket) = running(&project);
    // A list has two files of the app in /proc stay open.
    let before = processes::descriptors(runner.runner_pid()) + 2;
    let silent: Vec<UnixStream> = (0..MANY).map(|_| connect(&socket)).collect();
    let deaf: Vec<UnixStream> = (0..MANY)
        .map(|_| {
            let mut stream = connect(&socket);
            stream.write_all(LIST.as_bytes()).and_then(|()| stream.write_all(b"\n")).expect("the runner reads");
            stream
        })
        .collect();
    ping(&project, &runner);
    project.save("api.sh", "echo again\nexec sleep 1000000\n");
    runner.wait_for(&says("again"));
    drop((silent, deaf));
    let back = || processes::descriptors(runner.runner_pid()) <= before;
    assert!(
        crate::support::clock::comes_true(PATIENCE, back),
        "{} descriptors, {before} before",
        processes::descriptors(runner.runner_pid())
    );
}

#[test]
fn more_connections_than_there_may_be_are_told_so() {
    let project = project();
    let (runner, socket) = running(&project);
    let open: Vec<UnixStream> = (0..512).map(|_| connect(&socket)).collect();
    let told = say(&socket, format!("{LIST}\n").as_bytes());
    assert!(String::from_utf8_lossy(&told).contains("too many connections"), "{}", String::from_utf8_lossy(&told));
    let verb = project.pmdev(["list"]).finish();
    assert!(verb.code == Some(1) && verb.err.contains("too many connections"), "{}", verb.all());
    drop(open);
    let answers = || project.pmdev(["ping"]).finish().code == Some(0);
    assert!(crate::support::clock::comes_true(PATIENCE, answers));
    assert!(runner.exit().is_none());
}

#[test]
fn another_user_is_refused_by_the_kernels_word_for_it() {
    if !geteuid().is_root() || !programs::have(&["setpriv"]) {
        programs::skip("only root can be somebody else");
        return;
    }
    let project = project();
    let (_runner, socket) = running(&project);
    // What the modes forbid is allowed, so that nothing but the name of the user stands in the way.
    for path in socket.ancestors().skip(1).take_while(|path| path.starts_with(project.root.parent().expect("it lies in one"))) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let copy = project.outside("pmdev");
    fs::copy(PMDEV, &copy).expect("the folder is ours");
    let (copy, socket) = (copy.to_str().expect("it is a text"), socket.to_str().expect("it is a text"));
    let nobody = |words: &[&str]| {
        let argv = [&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy][..], words].concat();
        project.hook(&argv).finish()
    };
    for words in [&["list", "--runner", socket][..], &["kill", "--runner", socket], &["restart", "api", "--runner", socket]] {
        let refused = nobody(words);
        assert!(
            refused.code == Some(1) && refused.err.contains("belongs to another user"),
            "{words:?}: {:?} {}",
            refused.code,
            refused.all()
        );
    }
    let own = project.pmdev(["list", "--json"]).finish();
    assert!(own.out.contains("\"online\""), "{}", own.all());
}

#[test]
fn another_version_is_told_so_in_a_sentence() {
    let project = project();
    let (runner, socket) = running(&project);
    let told = say(&socket, b"{\"protocol\":99,\"pmdev\":\"9.9.9\",\"request\":{\"verb\":\"dance\"}}\n");
    let told: Value = serde_json::from_slice(&told).expect("it is a reply");
    assert!(
        told["reply"] == "refused" && told["code"] == 1 && told["message"].as_str().is_some_and(|text| text.contains("9.9.9")),
        "{told}"
    );
    assert_eq!(project.pmdev(["kill"]).finish().code, Some(0));
    runner.finish();

    // And a runner of another version, as this pmdev meets it.
    let listener = std::os::unix::net::UnixListener::bind(socket.with_file_name("1.sock")).expect("the folder is ours");
    let newer = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody asks");
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut String::new()).expect("it says something");
        let refusal = b"{\"reply\":\"refused\",\"code\":1,\"message\":\"The runner is pmdev 9.9.9 and speaks protocol 99\",\"hint\":\"restart it\"}\n";
        stream.get_mut().write_all(refusal).expect("it waits for it");
    });
    let verb = project.pmdev(["restart", "api"]).finish();
    newer.join().expect("it was asked");
    assert!(
        verb.code == Some(1) && verb.err.contains("pmdev 9.9.9 and speaks protocol 99") && verb.err.contains("restart it"),
        "{}",
        verb.all()
    );
}

#[test]
fn a_runner_that_is_stopped_is_named_and_not_waited_for() {
    let project = project();
    let (runner, socket) = running(&project);
    processes::send(runner.runner_pid(), Signal::STOP);
    let mut verb = project.pmdev(["list"]).spawn();
    let silent = format!("The runner at {} does not answer", socket.display());
    verb.wait_within(Duration::from_secs(30), &says(&silent));
    assert_eq!(verb.finish().code, Some(1));
    processes::send(runner.runner_pid(), Signal::CONT);
    ping(&project, &runner);
}

#[test]
fn who_comes_while_no_descriptor_is_left_is_told_so_and_not_left_waiting() {
    if !programs::have(&["prlimit"]) {
        return;
    }
    let project = project();
    let (runner, socket) = running(&project);
    let pid = runner.runner_pid();
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").flatten();
    let mut open: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    open.sort_unstable();
    let first_free = open.iter().zip(0..).take_while(|(number, expected)| *number == expected).count();
    let limit = |files: &str| project.run("prlimit", &[&format!("--pid={pid}"), &format!("--nofile={files}:")]);
    limit(&first_free.to_string());
    // Each time, so that it is kept again.
    for _ in 0..3 {
        let answer = String::from_utf8_lossy(&say(&socket, LIST.as_bytes())).into_owned();
        assert!(answer.contains("may not have more files open"), "{answer:?}");
        let listed = project.pmdev(["list"]).finish();
        assert!(listed.code == Some(1) && listed.err.contains("ulimit -Hn"), "{}", listed.all());
    }
    limit("1024");
    let answers = || project.pmdev(["ping"]).finish().code == Some(0);
    assert!(crate::support::clock::comes_true(PATIENCE, answers));
    assert!(runner.exit().is_none());
}
