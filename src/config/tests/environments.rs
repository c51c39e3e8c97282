use super::*;

fn with_files(files: &[&str]) -> Request {
    Request { env_files: files.iter().map(PathBuf::from).collect(), ..request(&["a.js"]) }
}

#[test]
fn the_callers_environment_is_passed_on_whole_and_sorted() {
    let mut project = Project::new(&["node"]);
    project.file("a.js", "");
    project.var("ZED", "1");
    project.var("EMPTY", "");
    project.var("NODE_ENV", "test");
    project.var("PWD", "/somewhere/else");
    project.var("PORT", "3000");
    let app = project.app("a.js");
    let names: Vec<_> = app.launch.env.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["EMPTY", "NODE_ENV", "PATH", "PORT", "PWD", "ZED"]);
    assert_eq!(var(&app, "NODE_ENV"), Some("test"));
    assert_eq!(var(&app, "PWD"), project.host.cwd.to_str());
    assert_eq!(app.port, Some(3000));
}

#[test]
fn node_env_follows_the_profile_and_python_writes_at_once() {
    let project = Project::new(&["node", "python3"]);
    project.files(&["a.js", "a.py"]);
    assert_eq!(var(&project.app("a.js"), "NODE_ENV"), Some("development"));
    assert_eq!(var(&project.app("a.js"), "PYTHONUNBUFFERED"), None);
    assert_eq!(var(&project.app("a.py"), "PYTHONUNBUFFERED"), Some("1"));
    assert_eq!(var(&project.app("python3 a.py"), "PYTHONUNBUFFERED"), Some("1"));
    let prod = Request { profile: Some("prod".into()), ..request(&["a.js"]) };
    assert_eq!(var(&project.app_of(&prod), "NODE_ENV"), Some("production"));
}

#[test]
fn colours_are_asked_for_on_a_terminal_unless_people_have_spoken() {
    let mut project = Project::new(&["node"]);
    project.files(&["a.js", ".env"]);
    assert_eq!(var(&project.app("a.js"), "FORCE_COLOR"), None);
    project.host.colour = true;
    project.var("TERM", "xterm-256color");
    assert_eq!(var(&project.app("a.js"), "FORCE_COLOR"), Some("2"));
    assert_eq!(var(&project.app("a.js"), "CLICOLOR_FORCE"), Some("1"));
    for name in ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "NODE_DISABLE_COLORS"] {
        project.file(".env", &format!("{name}=0\n"));
        let app = project.app_of(&with_files(&[".env"]));
        assert_eq!((var(&app, name), var(&app, "CLICOLOR_FORCE")), (Some("0"), None), "{name}");
    }
    project.var("NO_COLOR", "1");
    assert_eq!(var(&project.app("a.js"), "FORCE_COLOR"), None);
}

#[test]
fn env_files_are_below_the_shell_and_above_the_defaults() {
    let mut project = Project::new(&["node"]);
    project.files(&["a.js"]);
    project.file("one.env", "\u{feff}A=1\nB=1 # note\nexport C=\"x y\"\nNODE_ENV=test\n");
    project.file("two.env", "B=2\nHOST=file\nPORT=4000\n");
    project.var("HOST", "shell");
    let request = with_files(&["one.env", "two.env"]);
    let app = project.app_of(&request);
    let values = ["A", "B", "C", "HOST", "NODE_ENV"].map(|name| var(&app, name).unwrap());
    assert_eq!(values, ["1", "2", "x y", "shell", "test"]);
    assert_eq!(app.port, Some(4000));
    project.file("two.env", "B=3\n");
    let again = project.resolve(&request).env[0].read(&project.host.pipes).unwrap();
    assert!(again.contains(&("B".into(), "3".into())) && !again.iter().any(|(name, _)| name == "PORT"), "{again:?}");
}

#[test]
fn broken_env_files_are_shown_with_their_line() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", ".env.local"]);
    project.file("bad.env", "A=1\n# note\n\nB=2 3 'x\nC=1\n");
    insta::assert_snapshot!(project.refusal(&with_files(&["bad.env"])), @r#"
    /home/p/bad.env:4 is not a line of variables: B=…
    hint: write NAME=value, or NAME="a value with blanks or # in it"
    "#);
    project.file("words.env", "A=1\nhello world\n");
    insta::assert_snapshot!(project.refusal(&with_files(&["words.env"])), @r#"
    /home/p/words.env:2 is not a line of variables
    hint: write NAME=value, or NAME="a value with blanks or # in it"
    "#);
    insta::assert_snapshot!(project.refusal(&with_files(&["env.local"])), @"--env-file env.local was not found: there is no such file");
    fs::write(project.host.cwd.join("binary.env"), b"A=\xff\n").unwrap();
    insta::assert_snapshot!(project.refusal(&with_files(&["binary.env"])), @r"
    /home/p/binary.env cannot be read as an env file
    because: stream did not contain valid UTF-8
    ");
}

#[test]
fn a_pipe_is_read_once_for_all_apps_and_for_good() {
    let mut project = Project::new(&["node"]);
    project.files(&["a.js", "b.js"]);
    let fifo = project.host.cwd.join("secrets");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR, 0).unwrap();
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::write(fifo, "SECRET=known\n").unwrap()
    });
    let request = Request { targets: ["a.js", "b.js"].map(OsString::from).into(), ..with_files(&["secrets"]) };
    let known = |resolved: &Resolved| resolved.apps.iter().map(|app| var(app, "SECRET").unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(known(&project.resolve(&request)), ["known", "known"]);
    writer.join().unwrap();
    assert_eq!(project.resolve(&request).files, [] as [PathBuf; 0], "no edit can be seen");
    // Nobody writes any more: reading it would wait without end.
    project.host = project.host.clone();
    assert_eq!(known(&project.resolve(&request)), ["known", "known"]);
    fs::remove_file(&fifo).unwrap();
    assert_eq!(known(&project.resolve(&request)), ["known", "known"], "its reader may have removed it");
    project.file("secrets", "SECRET=new\n");
    assert_eq!(known(&project.resolve(&request)), ["new", "new"], "a file in its place is read");
}

#[test]
fn a_pipe_that_nobody_writes_is_refused_where_a_limit_is_set() {
    let mut project = Project::new(&["node"]);
    project.files(&["a.js"]);
    let fifo = project.host.cwd.join("secrets");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR, 0).unwrap();
    let request = |file: &str| Request { targets: vec!["a.js".into()], ..with_files(&[file]) };
    project.host.pipes = project.host.pipes.within(std::time::Duration::from_millis(50));
    let refusal = project.refusal(&request("secrets"));
    insta::assert_snapshot!(refusal, @r"
    /home/p/secrets cannot be read as an env file
    because: it is a pipe, and nobody wrote it to its end within 50 ms; save the project file again once somebody does
    ");
    // Somebody holds it open and writes a part.
    let half = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    std::io::Write::write_all(&mut &half, b"SECRET=ha").unwrap();
    assert_eq!(project.refusal(&request("secrets")), refusal);
    drop(half);
    project.host.pipes = project.host.pipes.within(std::time::Duration::from_secs(20));
    let writer = std::thread::spawn(move || fs::write(fifo, "SECRET=known\n").unwrap());
    assert_eq!(var(&project.app_of(&request("secrets")), "SECRET"), Some("known"));
    writer.join().unwrap();
    insta::assert_snapshot!(project.refusal(&request("/dev/tty")), @r"
    /dev/tty cannot be read as an env file
    because: it is neither a file nor a pipe; what a terminal or a device holds is read at the start of pmdev alone
    ");
}
