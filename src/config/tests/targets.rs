use std::path::PathBuf;

use super::*;

#[test]
fn a_target_is_looked_for_in_the_order_of_the_manual() {
    let project = Project::new(&["node", "sh", "vite", "npm"]);
    project.files(&["app.js", "my app.js", "api/index.js"]);
    project.program("serve");
    let cases = [
        ("app.js", "app", "node app.js"),
        ("./app.js", "app", "node app.js"),
        ("my app.js", "my app", "node my app.js"),
        ("serve", "serve", "/home/p/serve"),
        ("api/index.js", "index", "node api/index.js"),
        ("vite", "vite", "vite"),
        ("vite --port 3", "vite", "vite --port 3"),
        ("npm run dev", "dev", "npm run dev"),
        ("./serve --port 3", "serve", "./serve --port 3"),
        ("PORT=3 node app.js", "app", "sh -c PORT=3 node app.js"),
        ("node app.js | vite", "app", "sh -c node app.js | vite"),
    ];
    for (target, name, line) in cases {
        let app = project.app(target);
        assert_eq!((app.name.as_str(), project.words(&app.launch).as_str()), (name, line), "{target}");
        assert_eq!(app.launch.cwd, project.host.cwd, "{target}");
    }
}

#[test]
fn a_folder_is_run_in_itself_and_absolute_paths_work() {
    let project = Project::new(&["node", "python3"]);
    project.files(&["web/index.js", "web/package.json", "jobs/main.py"]);
    project.file("web/package.json", r#"{"name": "@shop/front"}"#);
    for target in ["web", "web/", "./web", "../p/web", project.host.cwd.join("web").to_str().unwrap()] {
        let app = project.app(target);
        assert_eq!((app.name.as_str(), project.words(&app.launch)), ("front", "node index.js".to_owned()), "{target}");
        assert_eq!(app.launch.cwd, project.host.cwd.join("web"), "{target}");
    }
    assert_eq!(project.app("jobs").name, "jobs");
}

#[test]
fn several_targets_are_told_apart() {
    let project = Project::new(&["node", "npm"]);
    project.files(&["api/index.js", "web/index.js", "worker.js"]);
    let mut request = request(&["api/index.js", "web/index.js", "worker.js", "npm run dev"]);
    assert_eq!(names(&project.resolve(&request)), ["api-index", "web-index", "worker", "dev"]);
    request.names = vec!["api".into()];
    assert_eq!(names(&project.resolve(&request)), ["api", "index", "worker", "dev"]);
}

#[test]
fn arguments_after_the_dashes_reach_the_app() {
    let project = Project::new(&["node", "npm", "sh"]);
    project.file("app.js", "");
    let with_args = |target: &str| {
        let request = Request { script_args: vec!["--port".into(), "a b".into()], ..request(&[target]) };
        project.app_of(&request).launch.argv.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(with_args("app.js"), ["node", "app.js", "--port", "a b"]);
    assert_eq!(with_args("npm run dev"), ["npm", "run", "dev", "--port", "a b"]);
    assert_eq!(with_args("A=1 node app.js"), ["sh", "-c", "A=1 node app.js \"$@\"", "sh", "--port", "a b"]);
}

#[test]
fn a_script_is_found_where_it_was_typed_and_in_the_apps_folder() {
    let project = Project::new(&["node"]);
    project.files(&["app.js", "srv/server.js"]);
    let in_srv = |target: &str| project.app_of(&Request { cwd: Some(PathBuf::from("srv")), ..request(&[target]) });
    assert_eq!(project.words(&in_srv("server.js").launch), "node server.js");
    assert_eq!(project.words(&in_srv("srv/server.js").launch), "node server.js");
    let above = in_srv("app.js");
    assert_eq!(project.words(&above.launch), "node /home/p/app.js");
    assert_eq!(above.launch.cwd, project.host.cwd.join("srv"));
}

#[test]
fn a_script_is_never_taken_for_an_option() {
    let project = Project::new(&["node"]);
    project.file("-app.js", "");
    assert_eq!(project.line("./-app.js"), "node ./-app.js");
}

#[test]
fn what_is_not_there_is_named_with_what_may_have_been_meant() {
    let project = Project::new(&["cmp", "npm", "vite"]);
    project.files(&["src/app.js", "notes.txt", "tool"]);
    let refusal = |target: &str| project.refusal(&request(&[target]));
    insta::assert_snapshot!(refusal("app.js"), @r"
    app.js was not found: there is no such file, folder or program (looked in /home/p)
    hint: did you mean src/app.js?
    ");
    insta::assert_snapshot!(refusal("src/ap.js"), @r"
    src/ap.js was not found: there is no such file or folder (looked in /home/p)
    hint: did you mean src/app.js?
    ");
    insta::assert_snapshot!(refusal("zzzzzz"), @"zzzzzz was not found: there is no such file, folder or program (looked in /home/p)");
    insta::assert_snapshot!(refusal("nmp run dev"), @r#"
    "nmp run dev" cannot be run: nmp is neither in the project's own tools nor on PATH
    hint: did you mean npm?
    "#);
    insta::assert_snapshot!(refusal("notes.txt --port 3"), @r#"
    "notes.txt --port 3" cannot be run: notes.txt is neither in the project's own tools nor on PATH
    hint: put its arguments after --: pmdev start notes.txt -- ARGS
    "#);
    insta::assert_snapshot!(refusal("./tool --port 3"), @r#"
    "./tool --port 3" cannot be run: ./tool is not executable
    hint: make it executable: chmod +x ./tool, or run it as a script: pmdev start ./tool -- ARGS
    "#);
    insta::assert_snapshot!(refusal("./bin/tool --port 3"), @r#"
    "./bin/tool --port 3" cannot be run: there is no ./bin/tool in /home/p
    hint: did you mean tool?
    "#);
    insta::assert_snapshot!(refusal("echo 'a b"), @r#""echo 'a b" cannot be read as a command line: a quote is not closed"#);
    insta::assert_snapshot!(refusal(""), @r"
    An empty TARGET was given
    hint: name a script, a folder or a command line: pmdev start app.js
    ");
    insta::assert_snapshot!(refusal("/dev/null"), @"/dev/null is neither a file nor a folder");
    insta::assert_snapshot!(refusal("src"), @r#"
    src has nothing that pmdev knows how to run (looked in /home/p/src)
    because: it has none of package.json with a script or a main file, Cargo.toml, go.mod, manage.py, main.py, app.py, config.ru, mix.exs, deno.json
    hint: name what to run: pmdev start app.js, or pmdev start "npm run dev"
    "#);
    insta::assert_snapshot!(project.refusal(&Request { cwd: Some("scr".into()), ..request(&["npm run x"]) }), @r"
    --cwd scr was not found: there is no such folder
    hint: did you mean src?
    ");
}

#[test]
fn project_files_are_targets_and_come_first() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", "api/b.js"]);
    project.file("process.json", r#"{ "apps": [{ "script": "a.js" }, { "name": "web", "script": "a.js" }] }"#);
    project.file("api/pmdev.json", r#"{ "script": "b.js" }"#);
    let names_of = |targets: &[&str]| project.resolve(&request(targets)).apps.into_iter().map(|app| app.name).collect::<Vec<_>>();
    assert_eq!(names_of(&[]), ["a", "web"]);
    assert_eq!(names_of(&["process.json"]), ["a", "web"]);
    assert_eq!(names_of(&["web"]), ["web"]);
    assert_eq!(names_of(&["api"]), ["b"]);
    assert_eq!(names_of(&["api", "process.json"]), ["b", "a", "web"]);
    insta::assert_snapshot!(project.refusal(&request(&["a.js", "process.json"])), @r"
    a is the name of two apps, but names tell apps apart
    hint: start them from two terminals, or give one of them another name
    ");
    insta::assert_snapshot!(project.refusal(&request(&["ecosystem.config.js"])), @"ecosystem.config.js was not found: there is no such file, folder or program (looked in /home/p)");
    project.file("my.setup.js", "");
    assert_eq!(project.line("my.setup.js"), "node my.setup.js");
}
