use super::*;

/// What a folder with these files runs in dev: the app's name, its words, and what people are told.
fn detect(files: &[(&str, &str)], profile: Option<&str>) -> String {
    let programs = ["node", "npm", "pnpm", "python3", "ruby", "bundle", "rackup", "mix", "deno", "go", "bun"];
    let project = Project::new(&programs);
    for (path, text) in files {
        project.file(path, text);
    }
    let request = Request { profile: profile.map(str::to_owned), ..request(&[]) };
    let app = project.app_of(&request);
    format!("{}: {}\n{}", app.name, project.words(&app.launch), project.notices(&request).concat())
}

#[test]
fn a_package_runs_its_dev_script() {
    let package = r#"{"name": "@shop/web", "main": "lib/a.js", "scripts": {"dev": "vite", "start": "node a.js"}}"#;
    insta::assert_snapshot!(detect(&[("package.json", package), ("lib/a.js", "")], None), @r#"
    web: npm run dev
    web runs npm run dev (scripts.dev in package.json)
    to choose yourself: pmdev start "npm run dev"; to write it down: pmdev init
    "#);
    insta::assert_snapshot!(detect(&[("package.json", package), ("../pnpm-lock.yaml", "")], Some("prod")), @r#"
    web: pnpm run start
    web runs pnpm run start (scripts.start in package.json)
    to choose yourself: pmdev start "pnpm run start"; to write it down: pmdev init
    "#);
}

#[test]
fn a_package_without_one_runs_its_main_file() {
    insta::assert_snapshot!(detect(&[("package.json", r#"{"main": "lib/a"}"#), ("lib/a.js", "")], None), @r"
    p: node lib/a.js
    p runs lib/a.js (main in package.json)
    to choose yourself: pmdev start lib/a.js; to write it down: pmdev init
    ");
    insta::assert_snapshot!(detect(&[("package.json", r#"{"scripts": {"start": "node server.js"}}"#), ("server.js", "")], None), @r"
    p: node server.js
    p runs server.js (package.json names nothing else)
    to choose yourself: pmdev start server.js; to write it down: pmdev init
    ");
    insta::assert_snapshot!(detect(&[("package.json", r#"{"scripts": {"start": "next start"}, "packageManager": "bun@1.2.0"}"#)], None), @r#"
    p: bun run start
    p runs bun run start (scripts.start in package.json)
    to choose yourself: pmdev start "bun run start"; to write it down: pmdev init
    "#);
}

#[test]
fn a_script_that_runs_pmdev_is_not_run_again() {
    let package = r#"{"scripts": {"dev": "cross-env A=1 ./node_modules/.bin/pmdev"}}"#;
    insta::assert_snapshot!(detect(&[("package.json", package), ("index.js", "")], None), @r"
    p: node index.js
    p runs index.js (package.json names nothing else)
    to choose yourself: pmdev start index.js; to write it down: pmdev init
    ");
    let mut project = Project::new(&["node", "npm"]);
    project.file("package.json", r#"{"scripts": {"dev": "make dev"}, "main": "a.js"}"#);
    project.file("a.js", "");
    project.var("npm_lifecycle_event", "dev");
    assert_eq!(project.words(&project.app_of(&request(&[])).launch), "node a.js");
}

#[test]
fn other_kinds_of_folders() {
    let first = |files: &[(&str, &str)]| detect(files, None).lines().next().unwrap().to_owned();
    assert_eq!(first(&[("manage.py", "")]), "p: python3 manage.py runserver --noreload");
    assert_eq!(first(&[("main.py", ""), ("app.py", "")]), "p: python3 main.py");
    assert_eq!(first(&[("app.py", "")]), "p: python3 app.py");
    assert_eq!(first(&[("config.ru", "")]), "p: rackup");
    assert_eq!(first(&[("config.ru", ""), ("Gemfile", "")]), "p: bundle exec rackup");
    assert_eq!(first(&[("mix.exs", "")]), "p: mix run --no-halt");
    assert_eq!(first(&[("mix.exs", "{:phoenix, \"~> 1.7\"}")]), "p: mix phx.server");
    assert_eq!(first(&[("deno.json", r#"{"tasks": {"dev": "deno run x.ts"}}"#)]), "p: deno task dev");
    assert_eq!(first(&[("deno.jsonc", "{ /* x */ }"), ("main.ts", "")]), "p: deno run --allow-all main.ts");
    assert_eq!(first(&[("package.json", r#"{"devDependencies": {}}"#), ("main.py", "")]), "p: python3 main.py");
}

#[test]
fn a_folder_that_says_nothing_is_refused() {
    let project = Project::new(&["node"]);
    project.file("README.md", "");
    insta::assert_snapshot!(project.refusal(&request(&[])), @r#"
    No TARGET was given, and this folder has nothing that pmdev knows how to run (looked in /home/p)
    because: it has none of package.json with a script or a main file, Cargo.toml, go.mod, manage.py, main.py, app.py, config.ru, mix.exs, deno.json
    hint: name what to run: pmdev start app.js, or pmdev start "npm run dev"
    "#);
}
