use std::time::Duration;

use super::{
    super::{WatchArg, resolve_watch},
    *,
};
use crate::model::{PollMode, WatchRoot, WatchSpec};

fn watch(project: &Project, target: &str, change: impl FnOnce(&mut Request)) -> Option<WatchSpec> {
    let mut request = request(&[target]);
    change(&mut request);
    project.app_of(&request).watch
}

/// The roots in short: `+` before those that people named, `=` before files, `*` before globs.
fn roots(project: &Project, spec: Option<WatchSpec>) -> String {
    let shown = |root: &WatchRoot| match root {
        WatchRoot::Tree { path, explicit } => format!("{}{}", if *explicit { "+" } else { "" }, path.display()),
        WatchRoot::File(path) => format!("={}", path.display()),
        WatchRoot::Glob(glob) => format!("*{glob}"),
    };
    project.short(&spec.expect("it is watched").roots.iter().map(shown).collect::<Vec<_>>().join(" "))
}

fn list(values: &[&str]) -> Vec<WatchArg> {
    values.iter().map(|value| if value.is_empty() { WatchArg::Default } else { WatchArg::List((*value).to_owned()) }).collect()
}

#[test]
fn the_default_root_is_the_apps_folder_or_the_scripts() {
    let project = Project::new(&["node", "npm"]);
    project.files(&["src/a.js", "../other/b.js", "web/index.js", "web/package.json"]);
    project.file("web/package.json", "{}");
    assert_eq!(roots(&project, watch(&project, "src/a.js", |_| {})), "/home/p");
    assert_eq!(roots(&project, watch(&project, "../other/b.js", |_| {})), "/home/other");
    assert_eq!(roots(&project, watch(&project, "src/a.js", |request| request.cwd = Some("web".into()))), "/home/p/src");
    assert_eq!(roots(&project, watch(&project, "web", |_| {})), "/home/p/web");
    assert_eq!(roots(&project, watch(&project, "npm run dev", |_| {})), "/home/p");
    let spec = watch(&project, "node src/a.js", |_| {}).unwrap();
    assert_eq!(spec.script, Some(project.host.cwd.join("src/a.js")));
}

#[test]
fn home_and_root_are_never_watched_by_default() {
    let mut project = Project::new(&["node", "npm"]);
    project.files(&["src/a.js", "../b.js"]);
    project.host.cwd = project.root.join("home");
    let told = |target: &str| (roots(&project, watch(&project, target, |_| {})), project.notices(&request(&[target])).concat());
    insta::assert_snapshot!(told("p/src/a.js").1, @r"
    a: the home folder is never watched as a whole; the script's folder is watched: /home/p/src
    to watch something else: --watch PATH
    ");
    assert_eq!(told("p/src/a.js").0, "/home/p/src");
    insta::assert_snapshot!(told("b.js").1, @r"
    b: the home folder is never watched as a whole; the script alone is watched: /home/b.js
    to watch something else: --watch PATH
    ");
    assert_eq!(told("b.js").0, "=/home/b.js");
    assert_eq!(watch(&project, "npm run dev", |_| {}), None);
    insta::assert_snapshot!(project.notices(&request(&["npm run dev"])).concat(), @r"
    dev: the home folder is never watched as a whole; nothing is watched
    to watch something else: --watch PATH
    ");
    assert_eq!(roots(&project, watch(&project, "npm run dev", |request| request.watch = list(&["."]))), "+/home");
    project.host.cwd = PathBuf::from("/");
    let script = project.root.join("home/p/src/a.js");
    assert_eq!(roots(&project, watch(&project, script.to_str().unwrap(), |_| {})), "/home/p/src");
}

#[test]
fn what_to_watch_can_be_named() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", "src/x.js", "lib/x.js", "../shared/y.js", "web/view.html"]);
    let named = |values: &[&str]| roots(&project, watch(&project, "a.js", |request| request.watch = list(values)));
    assert_eq!(named(&[""]), "/home/p");
    assert_eq!(named(&["src,lib"]), "+/home/p/src +/home/p/lib");
    assert_eq!(named(&["src", "", "src"]), "+/home/p/src /home/p");
    assert_eq!(named(&["../shared", "a.js"]), "+/home/shared =/home/p/a.js");
    assert_eq!(named(&["src/**/*.{js,ts}, lib"]), "*/home/p/src/**/*.{js,ts} +/home/p/lib");
    let in_web = |value: &str| {
        roots(
            &project,
            watch(&project, "a.js", |request| {
                request.cwd = Some("web".into());
                request.watch = list(&[value]);
            }),
        )
    };
    assert_eq!(in_web("view.html"), "=/home/p/web/view.html");
    assert_eq!(in_web("src"), "+/home/p/src");
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let project = Project::new(&["node"]);
    project.files(&["a.js", "src/x.js"]);
    let refusal = |value: &str| project.refusal(&Request { watch: list(&[value]), ..request(&["a.js"]) });
    insta::assert_snapshot!(refusal("scr"), @r"
    --watch scr was not found: there is no such file or folder
    hint: did you mean src?
    ");
    insta::assert_snapshot!(refusal("generated"), @r"
    --watch generated was not found: there is no such file or folder
    hint: to watch what is not there yet, write a glob in quotes: --watch 'dist/**'
    ");
    insta::assert_snapshot!(refusal("src/[a"), @r"
    --watch src/[a is not a glob: unclosed character class; missing ']'
    hint: examples: --watch 'src/**/*.js', --watch '*.{js,json}'
    ");
}

#[test]
fn every_flag_has_its_field() {
    let project = Project::new(&["node"]);
    project.files(&["a.js"]);
    let plain = watch(&project, "a.js", |_| {}).unwrap();
    assert_eq!((plain.gitignore, plain.defaults, plain.gate, plain.early_stop), (true, true, true, true));
    assert_eq!((plain.poll, plain.delay, plain.ext.len(), plain.ignore.len()), (PollMode::Auto, None, 0, 0));
    let spec = watch(&project, "a.js", |request| {
        request.no_gitignore = true;
        request.no_default_ignore = true;
        request.no_gate = true;
        request.ignore_watch = list(&["", "logs,*.{tmp,bak}", "!src"]);
        request.ext = vec!["js,.json d.ts".into(), "*.html".into()];
        request.watch_delay = Some(Duration::from_secs(1));
        request.poll = Some(PollMode::Always(None));
    })
    .unwrap();
    assert_eq!((spec.gitignore, spec.defaults, spec.gate), (false, false, false));
    assert_eq!(spec.ignore, ["logs", "*.{tmp,bak}", "!src"]);
    assert_eq!(spec.ext, ["js", "json", "d.ts", "html"]);
    assert_eq!((spec.delay, spec.poll), (Some(Duration::from_secs(1)), PollMode::Always(None)));
    assert_eq!(roots(&project, Some(spec)), "/home/p");
    assert!(watch(&project, "a.js", |request| request.ext = vec!["js,*".into()]).unwrap().ext.is_empty());
    assert_eq!(watch(&project, "a.js", |request| request.no_watch = true), None);
}

#[test]
fn asking_why_needs_nothing_that_runs() {
    let project = Project::new(&["node"]);
    let roots_of = |request: &Request| {
        let specs = resolve_watch(request, &project.host).unwrap();
        specs.into_iter().map(|app| format!("{}: {}", app.name, roots(&project, Some(app.spec)))).collect::<Vec<_>>()
    };
    assert_eq!(roots_of(&request(&[])), ["p: /home/p"]);
    project.file("src/a.js", "");
    assert_eq!(roots_of(&Request { watch: list(&["src"]), ..request(&[]) }), ["p: +/home/p/src"]);
    assert_eq!(roots_of(&Request { profile: Some("prod".into()), ..request(&["src/a.js"]) }), ["a: /home/p"]);
    assert!(resolve_watch(&request(&["b.js"]), &project.host).is_err());
}
