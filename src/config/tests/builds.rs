use super::*;

/// A project with crates whose metadata is written down beside their manifests.
fn crates() -> Project {
    let mut project = Project::new(&["cargo", "rustc"]);
    project.host.ask = Arc::new(|launch: &Launch| {
        assert_eq!(launch.argv[1], "metadata");
        fs::read_to_string(launch.cwd.join("metadata.json")).map_err(|error| Error::failed("cargo metadata failed").because(error))
    });
    project.files(&["Cargo.toml", "src/main.rs", "src/lib.rs", "src/bin/tool.rs", "examples/demo.rs", "tests/t.rs"]);
    project
}

/// Writes what cargo would tell of one package with these targets (`kind name path`).
fn metadata(project: &Project, default_run: Option<&str>, targets: &[&str]) {
    let cwd = project.host.cwd.display().to_string();
    let targets = targets.iter().map(|target| {
        let mut words = target.split(' ');
        let mut next = || words.next().unwrap();
        serde_json::json!({ "kind": [next()], "name": next(), "src_path": format!("{cwd}/{}", next()) })
    });
    let package = serde_json::json!({
        "id": "p", "name": "p", "manifest_path": format!("{cwd}/Cargo.toml"), "default_run": default_run, "targets": targets.collect::<Vec<_>>(),
    });
    let metadata =
        serde_json::json!({ "packages": [package], "target_directory": format!("{cwd}/target"), "workspace_default_members": ["p"] });
    project.file("metadata.json", &metadata.to_string());
}

/// An app in short: `name: build => run`.
fn shown(project: &Project, request: &Request) -> String {
    let app = project.app_of(request);
    let build = app.build.as_ref().expect("it is built");
    format!("{}: {} => {}", app.name, project.words(build), project.words(&app.launch))
}

#[test]
fn a_crate_is_built_and_its_binary_run() {
    let mut project = crates();
    metadata(&project, None, &["lib p src/lib.rs", "bin p src/main.rs", "example demo examples/demo.rs"]);
    for target in ["Cargo.toml", "src/main.rs", "src/lib.rs", "."] {
        let expected = "p: cargo build --package p --bin p => /home/p/target/debug/p";
        assert_eq!(shown(&project, &request(&[target])), expected, "{target}");
    }
    let demo = shown(&project, &request(&["examples/demo.rs"]));
    assert_eq!(demo, "demo: cargo build --package p --example demo => /home/p/target/debug/examples/demo");
    project.var("CARGO_MANIFEST_DIR", "/that/of/the/xtask/that/runs/us");
    let app = project.app("src/main.rs");
    assert_eq!(var(&app, "CARGO_MANIFEST_DIR"), project.host.cwd.to_str());
    assert_eq!(app.build.unwrap().cwd, project.host.cwd);
    let watch = app.watch.unwrap();
    assert_eq!(watch.own, [project.host.cwd.join("target")]);
    assert!(!watch.early_stop, "the old version serves while the new one is built");
}

#[test]
fn arguments_of_the_build_move_the_binary() {
    let mut project = crates();
    metadata(&project, None, &["bin p src/main.rs"]);
    let with = |project: &Project, args: &str| {
        let request = Request { interpreter_args: vec![args.to_owned()], script_args: vec!["x".into()], ..request(&["Cargo.toml"]) };
        shown(project, &request).split(" --bin p ").nth(1).unwrap().to_owned()
    };
    assert_eq!(with(&project, "--release"), "--release => /home/p/target/release/p x");
    assert_eq!(with(&project, "-r --features a"), "-r --features a => /home/p/target/release/p x");
    assert_eq!(with(&project, "--profile=fast"), "--profile=fast => /home/p/target/fast/p x");
    assert_eq!(with(&project, "--profile dev"), "--profile dev => /home/p/target/debug/p x");
    assert_eq!(with(&project, "--target a-b-c"), "--target a-b-c => /home/p/target/a-b-c/debug/p x");
    project.var("CARGO_BUILD_TARGET", "x-y-z");
    assert_eq!(with(&project, "--locked"), "--locked => /home/p/target/x-y-z/debug/p x");
}

#[test]
fn one_of_several_binaries_is_the_default_or_must_be_named() {
    let project = crates();
    let bins = ["bin p src/main.rs", "bin tool src/bin/tool.rs"];
    metadata(&project, Some("tool"), &bins);
    assert_eq!(shown(&project, &request(&["Cargo.toml"])), "tool: cargo build --package p --bin tool => /home/p/target/debug/tool");
    metadata(&project, None, &bins);
    assert_eq!(shown(&project, &request(&["src/bin/tool.rs"])), "tool: cargo build --package p --bin tool => /home/p/target/debug/tool");
    insta::assert_snapshot!(project.refusal(&request(&["."])), @r"
    Cargo.toml has several programs: p, tool
    hint: name the file of one: pmdev start src/main.rs
    or set default-run in Cargo.toml
    ");
    metadata(&project, None, &["lib p src/lib.rs"]);
    insta::assert_snapshot!(project.refusal(&request(&["src/lib.rs"])), @r"
    src/lib.rs has no program: its package has no binary
    hint: name the file of a binary or an example: pmdev start examples/demo.rs
    ");
    fs::remove_file(project.host.cwd.join("metadata.json")).unwrap();
    insta::assert_snapshot!(project.refusal(&request(&["src/lib.rs"])), @r"
    Cargo.toml cannot be read by cargo
    because: cargo metadata failed: No such file or directory (os error 2)
    ");
}

#[test]
fn a_file_outside_every_crate_is_compiled_alone() {
    let mut project = Project::new(&["rustc"]);
    project.file("hello.rs", "");
    project.var("XDG_CACHE_HOME", project.root.join("cache"));
    let app = project.app("hello.rs");
    let binary = PathBuf::from(&app.launch.argv[0]);
    assert!(binary.starts_with(project.root.join("cache/pmdev/build")) && binary.ends_with("hello"), "{binary:?}");
    assert!(binary.parent().unwrap().is_dir(), "rustc makes no folders");
    let build = project.words(app.build.as_ref().unwrap());
    assert!(build.starts_with("rustc -o /cache/") && build.ends_with("/hello --edition 2021 /home/p/hello.rs"), "{build}");
}

#[test]
fn go_builds_packages_into_the_cache() {
    let project = Project::new(&["go"]);
    project.files(&["go.mod", "lib.go", "cmd/api/main.go", "cmd/api/routes.go"]);
    project.file("cmd/api/main.go", "package main\n");
    project.file("tools/gen.go", "//go:build ignore\n\npackage main\n");
    project.file("../lone/hello.go", "package main\n");
    for (target, name, folder, package) in [
        ("cmd/api/main.go", "api", "home/p/cmd/api", "."),
        ("cmd/api/routes.go", "api", "home/p/cmd/api", "."),
        ("cmd/api", "api", "home/p/cmd/api", "."),
        (".", "api", "home/p", "./cmd/api"),
        ("tools/gen.go", "gen", "home/p/tools", "./gen.go"),
        ("../lone/hello.go", "hello", "home/lone", "./hello.go"),
    ] {
        let app = project.app(target);
        let build = app.build.unwrap();
        assert_eq!((app.name.as_str(), &build.cwd), (name, &project.root.join(folder)), "{target}");
        let words: Vec<_> = build.argv.iter().map(|word| word.to_str().unwrap()).collect();
        assert!(
            matches!(words.as_slice(), ["go", "build", "-o", binary, last] if *last == package && *binary == app.launch.argv[0]),
            "{words:?}"
        );
        let binary = PathBuf::from(&app.launch.argv[0]);
        assert!(binary.starts_with(project.root.join("home/.cache/pmdev/build")), "{binary:?}");
    }
    assert_ne!(project.app("cmd/api").launch.argv, project.app("../lone/hello.go").launch.argv);
}

#[test]
fn a_module_must_have_one_program() {
    let project = Project::new(&["go"]);
    project.file("go.mod", "module x\n");
    project.file("lib.go", "package lib\n");
    insta::assert_snapshot!(project.refusal(&request(&["."])), @r"
    go.mod has no program: neither its folder nor cmd/ has a file with `package main`
    hint: name the file: pmdev start path/to/main.go
    ");
    project.file("cmd/b/main.go", "package main\n");
    project.file("cmd/a/main.go", "package main\n");
    insta::assert_snapshot!(project.refusal(&request(&["."])), @r"
    go.mod has several programs: cmd/a, cmd/b
    hint: name one: pmdev start cmd/a
    ");
    project.file("main.go", "package main\n");
    assert_eq!(project.app(".").name, "p");
}
