//! What a project file is made of, and the ways in which people save it: files it loads, files that links lead to, renames, editors, git.
//! Every edit is carried out, and once.

use std::{fs, os::unix::fs::symlink};

use crate::support::{
    PATIENCE, Project, Runner,
    clock::comes_true,
    programs,
    words::{self, plan},
};

/// Says what it was given, and stays.
const APP: &str = "echo \"port=${PORT-none} pid=$$.\"\nexec sleep 1000000\n";

fn file(port: u32) -> String {
    format!("[[apps]]\nname = \"api\"\nscript = \"api.sh\"\nwatch = [\"api.sh\"]\nenv = {{ PORT = \"{port}\" }}\n")
}

fn project() -> Project {
    let project = Project::empty();
    project.script("api.sh", APP);
    project
}

fn start(project: &Project) -> Runner<'_> {
    project.let_stamps_pass();
    let mut runner = project.start(["--explain"]);
    runner.wait_for(&words::watching());
    runner.wait_for(&words::app_says("port="));
    runner
}

/// How often the app ran, and with which ports, in order.
fn ports(runner: &Runner<'_>) -> Vec<String> {
    let lines = runner.lines(&words::app_says("port=")).into_iter().map(|line| line.text());
    lines.map(|line| line.split("port=").nth(1).and_then(|rest| rest.split(' ').next()).expect("it says so").to_owned()).collect()
}

/// One edit more that is carried out: whatever was due before it is so now.
fn expect(runner: &mut Runner<'_>, from: u32, to: u32) {
    runner.wait_for(&plan(&format!("api: env PORT {from} -> {to}, restart")));
    runner.wait_for(&words::app_says(format!("port={to} ")));
}

#[test]
fn files_that_a_project_file_in_javascript_loads() {
    if !programs::have(&["node"]) {
        return;
    }
    for (name, text, lib, export) in [
        ("pmdev.config.js", "module.exports = require('./lib');", "lib.js", "module.exports ="),
        ("pmdev.config.mjs", "export { default } from './lib.mjs';", "lib.mjs", "export default"),
    ] {
        let project = project();
        let save = |port: u32| {
            let app = format!("{{ name: 'api', script: 'api.sh', watch: ['api.sh'], env: {{ PORT: {port} }} }}");
            project.save(lib, format!("{export} {{ apps: [{app}] }};"));
        };
        save(1);
        project.save(name, text);
        let mut runner = start(&project);
        save(2);
        expect(&mut runner, 1, 2);
        // What is loaded for the first time is wrong: it is watched all the same.
        project.save("soon.mjs", "throw new Error('not yet');");
        project.save(name, format!("{text}\nimport('./soon.mjs').catch((e) => {{ console.error(e); process.exit(1); }}); void 0;"));
        project.edit(lib, export, &format!("import('./soon.mjs');\n{export}"));
        project.save("soon.mjs", "");
        save(3);
        expect(&mut runner, 2, 3);
        assert_eq!(ports(&runner), ["1", "2", "3"]);
    }
}

#[test]
fn a_file_that_app_and_project_file_load_restarts_the_app_once() {
    if !programs::have(&["node"]) {
        return;
    }
    let project = project();
    project.save("env.js", "exports.PORT = 1;");
    let text = "const { PORT } = require('./env');\nmodule.exports = { apps: [{ name: 'api', script: 'api.sh', env: { PORT } }] };";
    project.save("pmdev.config.js", text);
    let mut runner = start(&project);
    project.save("env.js", "exports.PORT = 2;");
    expect(&mut runner, 1, 2);
    runner.wait_for(&words::restarted_by("env.js"));
    // What changes no plan is a save like any other, and so is what breaks it.
    project.save("env.js", "exports.PORT = 2; // for the app alone");
    runner.wait_for(&plan("env.js was read again: nothing changes"));
    runner.wait_for(&words::restarted_by("env.js"));
    assert!(comes_true(PATIENCE, || ports(&runner).len() == 3), "{:?}", ports(&runner));
    project.save("env.js", "exports.PORT = ;");
    runner.wait_for(&words::refused("env.js"));
    runner.wait_for(&words::restarted_by("env.js"));
    assert!(comes_true(PATIENCE, || ports(&runner).len() == 4), "{:?}", ports(&runner));
    project.save("env.js", "exports.PORT = 5;");
    expect(&mut runner, 2, 5);
    project.save("last", "");
    runner.wait_for(&words::restarted_by("last"));
    assert!(comes_true(PATIENCE, || ports(&runner).len() == 6), "{:?}", ports(&runner));
    assert_eq!(ports(&runner), ["1", "2", "2", "2", "5", "5"]);
}

#[test]
fn files_that_links_lead_to() {
    let project = project();
    for (folder, port) in [("one", 1), ("two", 2)] {
        fs::create_dir(project.outside(folder)).unwrap();
        fs::write(project.outside(folder).join("web.toml"), file(port)).unwrap();
    }
    symlink("one", project.outside("current")).unwrap();
    symlink("../outside/current/web.toml", project.path("pmdev.toml")).unwrap();
    let mut runner = start(&project);
    // The file at the end is edited, in place and as editors do it.
    fs::write(project.outside("one/web.toml"), file(3)).unwrap();
    expect(&mut runner, 1, 3);
    fs::write(project.outside("one/new"), file(4)).unwrap();
    fs::rename(project.outside("one/new"), project.outside("one/web.toml")).unwrap();
    expect(&mut runner, 3, 4);
    // A link on the way is swapped, then the one that is named.
    symlink("two", project.outside("next")).unwrap();
    fs::rename(project.outside("next"), project.outside("current")).unwrap();
    expect(&mut runner, 4, 2);
    fs::write(project.outside("two/web.toml"), file(5)).unwrap();
    expect(&mut runner, 2, 5);
    symlink("../outside/one/web.toml", project.path("next")).unwrap();
    fs::rename(project.path("next"), project.path("pmdev.toml")).unwrap();
    expect(&mut runner, 5, 4);
    assert_eq!(ports(&runner), ["1", "3", "4", "2", "5", "4"]);
}

#[test]
fn a_project_file_below_a_link_that_is_swapped_for_each_release() {
    let project = project();
    for (folder, port) in [("one", 1), ("two", 2)] {
        fs::create_dir(project.outside(folder)).unwrap();
        fs::write(project.outside(folder).join("pmdev.toml"), file(port)).unwrap();
        fs::write(project.outside(folder).join("api.sh"), APP).unwrap();
    }
    symlink("one", project.outside("current")).unwrap();
    project.let_stamps_pass();
    let named = project.outside("current/pmdev.toml");
    let mut runner = project.start(["--prod", named.to_str().expect("it is text")]);
    runner.wait_for(&words::app_says("port=1 "));
    symlink("two", project.outside("next")).unwrap();
    fs::rename(project.outside("next"), project.outside("current")).unwrap();
    expect(&mut runner, 1, 2);
    fs::write(project.outside("two/pmdev.toml"), file(3)).unwrap();
    expect(&mut runner, 2, 3);
    assert_eq!(ports(&runner), ["1", "2", "3"]);
}

#[test]
fn an_env_file_that_is_a_link() {
    let project = project();
    fs::write(project.outside("real.env"), "PORT=1\n").unwrap();
    symlink(project.outside("real.env"), project.path("app.env")).unwrap();
    project.save("pmdev.toml", "[[apps]]\nname = \"api\"\nscript = \"api.sh\"\nenv_file = \"app.env\"\n");
    let mut runner = start(&project);
    fs::write(project.outside("real.env"), "PORT=2\n").unwrap();
    expect(&mut runner, 1, 2);
    fs::remove_file(project.path("app.env")).unwrap();
    runner.wait_for(&words::refused("app.env"));
    project.save("app.env", "PORT=3\n");
    expect(&mut runner, 2, 3);
    assert_eq!(ports(&runner), ["1", "2", "3"]);
}

#[test]
fn an_env_file_that_is_missing_or_wrong_is_waited_for() {
    let project = project();
    project.save("pmdev.toml", file(1));
    let mut runner = start(&project);
    project.save("pmdev.toml", file(1).replace("env =", "env_file = \"new.env\"\nenv ="));
    runner.wait_for(&words::refused("pmdev.toml"));
    project.save("new.env", "no line\n");
    runner.wait_for(&words::refused("new.env"));
    project.save("new.env", "MODE=fast\n");
    runner.wait_for(&plan("api: env MODE added (fast), restart"));
    runner.wait_for(&words::restarted_by("new.env"));
    assert!(comes_true(PATIENCE, || ports(&runner) == ["1", "1"]), "{:?}", ports(&runner));
}

#[test]
fn a_pipe_as_env_file_holds_nothing_up() {
    let project = project();
    project.save("pmdev.toml", file(1));
    let mut runner = start(&project);
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, project.path("pipe.env"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    project.save("pmdev.toml", file(2).replace("env =", "env_file = \"pipe.env\"\nenv ="));
    runner.wait_for(&words::refused("pmdev.toml"));
    runner.wait_for(&words::says("it is a pipe, and nobody wrote it to its end within 2 s"));
    project.save("pmdev.toml", file(3));
    expect(&mut runner, 1, 3);
    assert_eq!(ports(&runner), ["1", "3"]);
}

#[test]
fn a_rename_over_it_its_end_and_another_one() {
    let project = project();
    project.save("pmdev.toml", file(1));
    let mut runner = start(&project);
    project.save("new", file(2));
    fs::rename(project.path("new"), project.path("pmdev.toml")).unwrap();
    expect(&mut runner, 1, 2);
    // As vim saves with `backupcopy=no`: the old file becomes the backup, a new one takes its name.
    fs::rename(project.path("pmdev.toml"), project.path("pmdev.toml~")).unwrap();
    project.save("pmdev.toml", file(3));
    fs::remove_file(project.path("pmdev.toml~")).unwrap();
    expect(&mut runner, 2, 3);
    // What the folder could be made to run without it is not what was asked for.
    project.save("package.json", r#"{ "scripts": { "dev": "sleep 1000000" } }"#);
    fs::remove_file(project.path("pmdev.toml")).unwrap();
    runner.wait_for(&words::refused("pmdev.toml"));
    runner.wait_for(&words::says("pmdev.toml does not say any more what shall run"));
    project.save("pmdev.toml", file(4));
    expect(&mut runner, 3, 4);
    // Under the name that it already had in another format, nothing is read.
    project.save("other.toml", file(9));
    fs::rename(project.path("pmdev.toml"), project.path("kept.toml")).unwrap();
    runner.wait_for(&words::refused("pmdev.toml"));
    fs::rename(project.path("kept.toml"), project.path("pmdev.toml")).unwrap();
    project.edit("pmdev.toml", "\"4\"", "\"5\"");
    expect(&mut runner, 4, 5);
    assert_eq!(ports(&runner), ["1", "2", "3", "4", "5"]);
}

#[test]
fn vim_saves_it_in_each_of_its_ways() {
    if !programs::have(&["vim"]) {
        return;
    }
    let project = project();
    project.save("pmdev.toml", file(1));
    let mut runner = start(&project);
    for (port, how) in (2..).zip(["backupcopy=no", "backupcopy=yes", "nowritebackup", "backup"]) {
        let change = format!("%s/PORT = \"[0-9]*\"/PORT = \"{port}\"/");
        project.run("vim", &["-u", "NONE", "-N", "-es", "-c", &format!("set {how}"), "-c", &change, "-c", "wq", "pmdev.toml"]);
        expect(&mut runner, port - 1, port);
    }
    assert_eq!(ports(&runner), ["1", "2", "3", "4", "5"]);
}

#[test]
fn git_checks_out_another_version_of_it() {
    if !programs::have(&["git"]) {
        return;
    }
    let project = project();
    project.save("pmdev.toml", file(1));
    project.repository();
    project.save("pmdev.toml", file(2));
    project.script("api.sh", &format!("{APP}# two\n"));
    project.commit("two");
    let mut runner = start(&project);
    for (back, from, to) in [("HEAD~1", 2, 1), ("-", 1, 2)] {
        project.git(&["checkout", "-q", back]);
        expect(&mut runner, from, to);
    }
    project.save("pmdev.toml", file(3));
    expect(&mut runner, 2, 3);
}
