use std::fmt::Write as _;

use super::*;
use crate::config::source::{Opened, javascript::LIMIT, open};

/// What each of these files comes to.
fn outcomes(cases: &[(&str, &str)]) -> String {
    let mut shown = String::new();
    for (name, content) in cases {
        let project = Project::new();
        project.file(name, content);
        project.file("lib.js", "module.exports = { broken() {\n  return null.x; } }");
        match read(Path::new(name), false, &project.host) {
            Ok(document) => writeln!(shown, "{}", tree(&document.root)),
            // Stacks are Node's own, and each version has another.
            Err(error) => project
                .told(&error)
                .lines()
                .filter(|line| !line.starts_with("    at ") && !line.starts_with("Node.js v") && !line.is_empty())
                .try_for_each(|line| writeln!(shown, "{line}")),
        }
        .unwrap();
    }
    shown
}

#[test]
fn exports_of_every_kind() {
    let shown = outcomes(&[
        (
            "a.config.js",
            "module.exports = { apps: [{ name: 'a', watch: [/src\\/.*/i], port: undefined, f() {}, big: 5n, n: NaN, d: new Date(0), m: new Map(), p: Promise.resolve(1), s: Symbol('x') }] }",
        ),
        ("a.config.js", "module.exports = () => ({ apps: [] })"),
        ("a.config.js", "module.exports = async () => { await new Promise(done => setTimeout(done, 5)); return [{ name: 'x' }] }"),
        (
            "a.config.cjs",
            "const path = require('path'); exports.apps = [{ cwd: path.join('a', 'b'), argv: process.argv.length, main: process.cwd() === __dirname }]",
        ),
        ("a.config.mjs", "import path from 'node:path'; export const apps = [{ cwd: path.join('a', 'b') }]"),
        ("a.config.mjs", "await null; export default Promise.resolve({ apps: [1.0, 2.5] })"),
        ("a.config.js", "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { apps: [] }"),
        ("a.config.js", "setInterval(() => {}, 1000); require('net').createServer().listen(0); module.exports = { apps: [] }"),
        ("a.config.js", "module.exports = { ['__proto__']: { a: 1 }, \"it's\": '\\u2028' }"),
    ]);
    insta::assert_snapshot!(shown, @r#"
    {apps: [{name: "a", watch: [/src\/.*/i], f: <a function>, big: <a bigint>, n: NaN, d: "1970-01-01T00:00:00.000Z", m: <a Map>, p: <a promise>, s: <a symbol>}]}
    {apps: []}
    [{name: "x"}]
    {apps: [{cwd: "a/b", argv: 2, main: true}]}
    {apps: [{cwd: "a/b"}]}
    {apps: [1, 2.5]}
    {apps: []}
    {apps: []}
    {__proto__: {a: 1}, it's: "\u{2028}"}
    "#);
}

#[test]
fn failures_show_their_own_words_and_place() {
    let shown = outcomes(&[
        ("a.config.js", "const x = undefined;\nmodule.exports = { apps: x.list };\n"),
        ("a.config.js", "module.exports = { apps: [\n  { name: 'a', , }\n] }"),
        ("a.config.mjs", "export default { apps: [\n  { name: 'a', , }\n] }"),
        ("a.config.js", "module.exports = {"),
        ("a.config.js", "const lib = require('./lib');\nmodule.exports = { apps: lib.broken() };"),
        ("a.config.js", "require('./missing')"),
        ("a.config.mjs", "import './missing.js'"),
        ("a.config.js", "throw 'a text'"),
        ("a.config.js", "throw { code: 5 }"),
        ("a.config.js", "throw new Error('outer', { cause: new Error('inner') })"),
        ("a.config.js", "module.exports = Promise.reject(new TypeError('rejected'))"),
        ("a.config.js", "module.exports = new Promise(() => {})"),
        ("a.config.js", "module.exports = () => {\n  process.exit(3) }"),
        ("a.config.js", "console.log('leaving'); process.kill(process.pid, 'SIGKILL')"),
        ("a.config.js", "const apps = [];"),
        ("a.config.mjs", "const apps = [];"),
        ("a.config.js", "module.exports = null"),
        ("a.config.mjs", "module.exports = {}"),
        ("a.config.js", "const a = { apps: [] }; a.apps.push(a); module.exports = a"),
        ("a.config.js", "let a = {}; for (let i = 0; i < 5000; i++) a = { a }; module.exports = a"),
        ("a.config.js", "module.exports = { get apps() { throw new Error('a getter') } }"),
        ("a.config.js", "setTimeout(() => { throw new Error('later') }); module.exports = new Promise(() => {})"),
    ]);
    insta::assert_snapshot!(shown, @r#"
    a.config.js:2:28: TypeError: Cannot read properties of undefined (reading 'list')
           2 | module.exports = { apps: x.list };
             |                            ^
    a.config.js:2:16: SyntaxError: Unexpected token ','
           2 |   { name: 'a', , }
             |                ^
    a.config.mjs:2:16: SyntaxError: Unexpected token ','
           2 |   { name: 'a', , }
             |                ^
    a.config.js:1:1: SyntaxError: Unexpected end of input
           1 | module.exports = {
             | ^
    a.config.js:2:30: TypeError: Cannot read properties of null (reading 'x') (thrown at /lib.js:2:15)
           2 | module.exports = { apps: lib.broken() };
             |                              ^
    a.config.js:1:1: Error: Cannot find module './missing'
           1 | require('./missing')
             | ^
    a.config.mjs: Error: Cannot find module '/missing.js' imported from /a.config.mjs
    a.config.js: it threw a text
    a.config.js: it threw {"code":5}
    a.config.js:1:7: Error: outer; because: inner
           1 | throw new Error('outer', { cause: new Error('inner') })
             |       ^
    a.config.js:1:33: TypeError: rejected
           1 | module.exports = Promise.reject(new TypeError('rejected'))
             |                                 ^
    a.config.js: its export is a promise that never settles
    a.config.js: it called process.exit() before its export was there (exit code 3)
    a.config.js: it ended (SIGKILL) before its export was there
    because: before that it printed
    leaving
    a.config.js: it exports nothing
        valid: module.exports = { apps: [{ name: "api", script: "api.js" }] }
    a.config.mjs: it exports nothing
        valid: export default { apps: [{ name: "api", script: "api.js" }] }
    a.config.js: it exports nothing
        valid: module.exports = { apps: [{ name: "api", script: "api.js" }] }
    a.config.mjs:1:1: ReferenceError: module is not defined in ES module scope
           1 | module.exports = {}
             | ^
        valid: the name ending in .cjs, or export default instead of module.exports
    a.config.js: a value contains itself, so it has no end
    a.config.js: lists and maps lie deeper in one another than 100 levels, which no project file needs
    a.config.js:1:39: Error: a getter
           1 | module.exports = { get apps() { throw new Error('a getter') } }
             |                                       ^
    a.config.js: it failed before its export was there (exit code 1)
    because: before that it printed
                       ^
    Error: later
    "#);
}

#[test]
fn what_it_prints_is_told_and_never_mixes_with_its_export() {
    let project = Project::new();
    project.file("a.config.js", "console.log('{\"apps\": []}'); console.error('to stderr'); require('child_process').execSync('echo from a child', { stdio: 'inherit' });\nmodule.exports = { apps: [1] }");
    let document = project.read("a.config.js");
    assert_eq!(tree(&document.root), "{apps: [1]}");
    let notice = document.warnings[0].notice(None, &project.host.cwd);
    assert_eq!(notice.level, crate::model::Level::Info);
    insta::assert_snapshot!(format!("{}\n{}", notice.text, notice.hint.unwrap()), @r#"
    a.config.js: it printed this while it was read
    {"apps": []}
    from a child
    to stderr
    "#);
}

#[test]
fn its_environment_is_the_callers_and_nothing_of_ours_is_in_it() {
    let mut project = Project::new();
    // Also of what may lie in the environment of these tests, nothing is taken away and nothing added.
    project.host.env.push(("PMDEV_WHO".into(), "caller".into()));
    let mut callers: Vec<String> = project
        .host
        .env
        .iter()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .filter(|name| name.to_lowercase().contains("pmdev"))
        .collect();
    callers.sort();
    project.file("sub/a.config.js", "module.exports = { who: process.env.PMDEV_WHO, ours: Object.keys(process.env).filter(name => /pmdev/i.test(name)).sort(), cwd: process.cwd().endsWith('/sub') }");
    assert_eq!(tree(&project.read("sub/a.config.js").root), format!(r#"{{who: "caller", ours: {callers:?}, cwd: true}}"#));
}

#[test]
fn a_file_that_never_ends_is_told_and_its_folder_goes() {
    let project = Project::new();
    let file = project.file("a.config.js", "while (true) {}");
    let Ok(Opened::Evaluation(evaluation)) = open(&file, false, &project.host) else { panic!("it is a program") };
    let folder = PathBuf::from(evaluation.launch.argv.last().unwrap()).parent().unwrap().to_owned();
    assert!(folder.is_dir());
    let error = evaluation.finish(&Output { end: End::Limit, said: "working\n".to_owned() }, &project.host).unwrap_err();
    insta::assert_snapshot!(project.told(&error), @r#"
    a.config.js: it still ran after 10 s, and was killed with all it had started
        valid: a file that exports its apps and waits for nothing
    because: before that it printed
    working
    "#);
    assert!(!folder.exists());
    assert_eq!(LIMIT, Duration::from_secs(10));
}

#[test]
fn the_runtime_is_the_projects_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut project = Project::new();
    project.host.env = vec![("PATH".into(), project.host.cwd.join("bin").into())];
    project.file("a.config.js", "module.exports = { apps: [] }");
    insta::assert_snapshot!(project.refusal("a.config.js"), @r#"
    a.config.js is JavaScript, and neither node, bun nor deno is in the project's own tools or on PATH
    hint: install one of them, or write the file as pmdev.toml, pmdev.yaml or pmdev.json
    "#);
    let words = |project: &Project| {
        let Ok(Opened::Evaluation(evaluation)) = open(Path::new("a.config.js"), false, &project.host) else { panic!("it is a program") };
        let words: Vec<_> =
            evaluation.launch.argv.iter().map(|word| word.to_str().unwrap().replace(project.host.cwd.to_str().unwrap(), "")).collect();
        words[..words.len() - 3].join(" ")
    };
    let program = |name: &str| {
        let file = project.file(name, "");
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("bin/deno");
    assert_eq!(words(&project), "/bin/deno run --allow-all --quiet");
    program("bin/bun");
    assert_eq!(words(&project), "/bin/bun");
    program("bin/node");
    assert_eq!(words(&project), "/bin/node");
    program("node_modules/.bin/node");
    assert_eq!(words(&project), "/node_modules/.bin/node");
    project.file("bun.lock", "");
    assert_eq!(words(&project), "/bin/bun");
    project.file("deno.json", "{}");
    assert_eq!(words(&project), "/bin/deno run --allow-all --quiet");
}

/// What a project file loads, relative to its folder.
fn modules(project: &Project, name: &str) -> Vec<String> {
    let (modules, seen) = match read(Path::new(name), false, &project.host) {
        Ok(document) => (document.modules, project.host.seen.all().modules),
        Err(_) => (Vec::new(), project.host.seen.all().modules),
    };
    let seen: Vec<PathBuf> = seen.into_iter().collect();
    let mut loaded = if modules.is_empty() { seen.clone() } else { modules };
    loaded.sort();
    assert_eq!(loaded, seen, "what is seen is what is told");
    loaded.iter().map(|path| path.strip_prefix(&project.host.cwd).unwrap().display().to_string()).collect()
}

#[test]
fn the_files_it_loads_are_told() {
    let project = || {
        let project = Project::new();
        project.file("lib/index.js", "exports.port = require('./deep').port; require('pkg')");
        project.file("lib/deep.js", "exports.port = 1");
        project.file("lib/data.json", "{}");
        project.file("node_modules/pkg/index.js", "require('./inner')");
        project.file("node_modules/pkg/inner.js", "");
        project.file("esm.mjs", "export { port } from './more.mjs'");
        project.file("more.mjs", "export const port = 2");
        project.file("never.js", "");
        project
    };
    let loads = |name: &str, text: &str| {
        let project = project();
        project.file(name, text);
        modules(&project, name).join(" ")
    };
    let whole = "const { port } = require('./lib'); const data = require(__dirname + '/lib/data.json'); require('fs');
        // require('never.js')
        module.exports = { apps: [{ script: 'a.js', env: { port } }] }";
    assert_eq!(loads("a.config.js", whole), "lib/data.json lib/deep.js lib/index.js");
    assert_eq!(
        loads("a.config.mjs", "import { port } from './esm.mjs'; import './lib/index.js'; export default [{ port }]"),
        "esm.mjs lib/deep.js lib/index.js more.mjs"
    );
    assert_eq!(loads("a.config.mjs", "const { port } = await import('./more.mjs'); export default [{ port }]"), "more.mjs");
    assert_eq!(loads("a.config.js", "module.exports = []"), "");
    // What is wrong or missing is what is edited next.
    assert_eq!(loads("a.config.js", "require('./lib'); throw new Error('no')"), "lib/deep.js lib/index.js");
    assert_eq!(loads("a.config.js", "require('./soon'); module.exports = []"), "soon.js");
    assert_eq!(loads("a.config.mjs", "import './soon.mjs'"), "soon.mjs");
    assert_eq!(loads("a.config.js", "require('./lib'); module.exports = {"), "lib/deep.js lib/index.js");
    assert_eq!(loads("a.config.js", "require('./lib'); process.exit(3)"), "lib/deep.js lib/index.js");
}
