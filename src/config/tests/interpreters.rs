use super::*;

#[test]
fn extensions_choose_the_first_program_that_is_there() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("a.js", &["node"], "node a.js"),
        ("a.mjs", &["node"], "node a.mjs"),
        ("a.cjs", &["node"], "node a.cjs"),
        ("a.ts", &["bun", "deno"], "bun a.ts"),
        ("a.mts", &["deno"], "deno run --allow-all a.mts"),
        ("a.tsx", &["node", "bun"], "bun a.tsx"),
        ("a.py", &["python", "python3"], "python3 a.py"),
        ("a.py", &["python"], "python a.py"),
        ("a.rb", &["ruby"], "ruby a.rb"),
        ("a.php", &["php"], "php a.php"),
        ("a.pl", &["perl"], "perl a.pl"),
        ("a.sh", &["bash", "sh"], "bash a.sh"),
        ("a.lua", &["luajit", "lua5.4"], "lua5.4 a.lua"),
        ("a.coffee", &["coffee"], "coffee a.coffee"),
        ("a.ls", &["lsc"], "lsc a.ls"),
        ("a.exs", &["elixir"], "elixir a.exs"),
        ("a.jar", &["java"], "java -jar a.jar"),
        ("a.R", &["Rscript"], "Rscript a.R"),
        ("a.r", &["Rscript"], "Rscript a.r"),
        ("a.jl", &["julia"], "julia a.jl"),
        ("a.dart", &["dart"], "dart run a.dart"),
    ];
    for (script, programs, line) in cases {
        let project = Project::new(programs);
        project.file(script, "");
        assert_eq!(project.line(script), *line, "{script} with {programs:?}");
    }
}

#[test]
fn typescript_prefers_the_projects_tsx_then_a_node_that_can() {
    let mut project = Project::new(&["tsx", "node", "bun"]);
    project.file("src/a.ts", "");
    for (version, line) in [
        ("v20.20.2\n", "bun src/a.ts"),
        ("v22.5.9\n", "bun src/a.ts"),
        ("v22.6.0\n", "node --experimental-strip-types src/a.ts"),
        ("v22.18.0\n", "node src/a.ts"),
        ("v23.5.0\n", "node --experimental-strip-types src/a.ts"),
        ("v23.6.0\n", "node src/a.ts"),
        ("v26.1.0\n", "node src/a.ts"),
        ("what?", "bun src/a.ts"),
    ] {
        let answer = version.to_owned();
        project.host.ask = Arc::new(move |_| Ok(answer.clone()));
        assert_eq!(project.line("src/a.ts"), line, "{version}");
    }
    project.host.ask = Arc::new(silent);
    project.program("node_modules/.bin/tsx");
    assert_eq!(project.line("src/a.ts"), "tsx src/a.ts");
}

#[test]
fn a_projects_own_programs_come_first_on_path() {
    let mut project = Project::new(&["python3", "coffee"]);
    project.files(&["app/a.py", "app/a.coffee", ".venv/pyvenv.cfg", "venv/bin/python3"]);
    project.program(".venv/bin/python3");
    project.program("node_modules/.bin/coffee");
    project.program("../../active/bin/python3");
    project.var("VIRTUAL_ENV", project.root.join("active"));
    let app = project.app("app/a.py");
    assert_eq!(project.words(&app.launch), "python3 app/a.py");
    // `venv` has no pyvenv.cfg, so it is just a folder.
    assert_eq!(project.short(var(&app, "PATH").unwrap()), "/home/p/node_modules/.bin:/home/p/.venv/bin:/active/bin:/bin");
    assert_eq!(project.line("app/a.coffee"), "coffee app/a.coffee");
}

#[test]
fn where_a_project_file_sets_path_programs_are_looked_for_there() {
    let project = Project::new(&["node", "python3", "serve"]);
    project.files(&["a.js", "b.ts", "c", "only.py"]);
    for program in ["../../own/node", "../../own/lonely", "node_modules/.bin/tsx", "node_modules/.bin/serve"] {
        project.program(program);
    }
    project.file("c", "#!/usr/bin/env tsx\n");
    let file = |app: &str| {
        let path = project.root.join("own");
        project.file("pmdev.json", &format!(r#"[{{ "name": "a", {app}, "env": {{ "PATH": "{}" }} }}]"#, path.display()));
        request(&["pmdev.json"])
    };
    let words = |app: &str| {
        let app = project.app_of(&file(app));
        assert_eq!(project.short(var(&app, "PATH").unwrap()), "/own");
        project.words(&app.launch)
    };
    // Found there, it goes by its name; in the project, by its path, since the name alone would mean nothing to the app.
    assert_eq!(words(r#""script": "a.js""#), "node a.js");
    assert_eq!(words(r#""script": "lonely --now""#), "lonely --now");
    assert_eq!(words(r#""script": "b.ts""#), "/home/p/node_modules/.bin/tsx b.ts");
    assert_eq!(words(r#""script": "c""#), "/home/p/node_modules/.bin/tsx c");
    assert_eq!(words(r#""script": "a.js", "interpreter": "serve""#), "/home/p/node_modules/.bin/serve a.js");
    assert_eq!(words(r#""script": "serve --now""#), "/home/p/node_modules/.bin/serve --now");
    // The caller's programs are not the app's.
    let refused = project.refusal(&file(r#""script": "only.py""#));
    assert!(refused.contains("only.py needs one of these, and none was found: python3, python"), "{refused}");
    assert!(project.refusal(&file(r#""script": "python3 only.py""#)).contains("python3 is neither in the project's own tools nor on PATH"));
}

#[test]
fn a_home_folders_environment_is_not_the_projects() {
    let project = Project::new(&["python3"]);
    project.files(&["a.py", "../.venv/pyvenv.cfg"]);
    project.program("../.venv/bin/python3");
    assert_eq!(project.short(var(&project.app("a.py"), "PATH").unwrap()), "/bin");
}

#[test]
fn a_first_line_beats_the_table() {
    let mut project = Project::new(&["node", "deno", "python3", "perl", "bun"]);
    let bin = project.root.join("bin").display().to_string();
    let cases = [
        ("a.js", "#!/usr/bin/env -S deno run --allow-net\n".to_owned(), "deno run --allow-net a.js"),
        ("tool", "#!/usr/bin/env python3\n".to_owned(), "python3 tool"),
        ("b.sh", format!("#!{bin}/perl -w\n"), "/bin/perl -w b.sh"),
        ("c", "#!/nowhere/at/all/perl\n".to_owned(), "perl c"),
        ("d.py", "#!/usr/bin/env python\n".to_owned(), "python3 d.py"),
        ("e.ts", "#!/usr/bin/env node\n".to_owned(), "bun e.ts"),
        ("f.ts", "#!/usr/bin/env bun\n".to_owned(), "bun f.ts"),
    ];
    project.host.ask = Arc::new(|_| Ok("v20.0.0".to_owned()));
    for (script, first, line) in cases {
        project.file(script, &first);
        assert_eq!(project.line(script), line, "{script}: {first}");
    }
    project.file("g", "#!/usr/bin/env ruby\n");
    insta::assert_snapshot!(project.refusal(&request(&["g"])), @r"
    g asks for ruby in its first line (#!/usr/bin/env ruby), which was not found
    hint: install ruby, or name another program: --interpreter PROGRAM
    ");
}

#[test]
fn an_interpreter_can_be_named() {
    let project = Project::new(&["node", "deno", "python3.12"]);
    project.files(&["a.js", "a.py"]);
    project.program("tools/run");
    let app = |script: &str, name: &str, args: &[&str]| {
        let args = args.iter().map(ToString::to_string).collect();
        project.app_of(&Request { interpreter: Some(name.to_owned()), interpreter_args: args, ..request(&[script]) })
    };
    let line = |script: &str, name: &str, args: &[&str]| project.words(&app(script, name, args).launch);
    assert_eq!(line("a.js", "deno", &[]), "deno run --allow-all a.js");
    assert_eq!(line("a.js", "deno", &["run --allow-net"]), "deno run --allow-net a.js");
    assert_eq!(line("a.js", "./tools/run", &["-x 'a b'", "-y"]), "/home/p/tools/run -x a b -y a.js");
    assert_eq!(line("tools/run", "none", &[]), "/home/p/tools/run");
    assert_eq!(var(&app("a.py", "python3.12", &[]), "PYTHONUNBUFFERED"), Some("1"));
    let args = Request { interpreter_args: vec!["--inspect --stack-size=9".into()], ..request(&["a.js"]) };
    assert_eq!(project.words(&project.app_of(&args).launch), "node --inspect --stack-size=9 a.js");

    let refusal = |name: &str| project.refusal(&Request { interpreter: Some(name.to_owned()), ..request(&["a.js"]) });
    insta::assert_snapshot!(refusal("noed"), @r"
    --interpreter noed was not found: it is neither in the project's own tools nor on PATH
    hint: did you mean node? `none` runs a.js itself
    ");
    insta::assert_snapshot!(refusal("./tools/walk"), @r"
    --interpreter ./tools/walk was not found: there is no such program
    hint: install it, or name another; `none` runs a.js itself
    ");
    insta::assert_snapshot!(refusal("none"), @r"
    a.js cannot be run: it is not executable
    hint: make it executable: chmod +x a.js, or name its interpreter: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(project.refusal(&Request { interpreter_args: vec!["'a".into()], ..request(&["a.js"]) }), @"--interpreter-args 'a: a quote is not closed");
}

#[test]
fn missing_programs_are_named() {
    let mut project = Project::new(&["node"]);
    project.files(&["a.rb", "a.py", "a.ts", "a.go", "a.rs", "data.csv", "run"]);
    project.host.ask = Arc::new(|_| Ok("v20.20.2".to_owned()));
    let refusal = |target: &str| project.refusal(&request(&[target]));
    insta::assert_snapshot!(refusal("a.rb"), @r"
    a.rb needs ruby, which was not found in the project or on PATH
    hint: install ruby, or name another program: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("a.py"), @r"
    a.py needs one of these, and none was found: python3, python
    hint: install python3, or name another program: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("a.ts"), @r"
    a.ts needs one of these, and none was found: tsx in node_modules, node 22.6 or newer (here is 20.20), bun, deno
    hint: install tsx, or name another program: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("a.go"), @r"
    a.go needs go to be built, which was not found on PATH
    hint: install go, or name a program that runs it: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("a.rs"), @r"
    a.rs needs rustc to be built, which was not found on PATH
    hint: install rustc, or name a program that runs it: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("data.csv"), @r"
    data.csv cannot be run: no interpreter is known for .csv, it has no #! line, and it is not executable
    hint: make it executable: chmod +x data.csv, or name its interpreter: --interpreter PROGRAM
    ");
    insta::assert_snapshot!(refusal("run"), @r"
    run cannot be run: it has no extension, it has no #! line, and it is not executable
    hint: make it executable: chmod +x run, or name its interpreter: --interpreter PROGRAM
    ");
    project.file("a.js", "");
    insta::assert_snapshot!(project.app("a.js").missing_hint.unwrap(), @"install node, or name another program: --interpreter PROGRAM");
}

#[test]
fn a_command_line_names_its_program_itself() {
    let project = Project::new(&["npm"]);
    let request = Request { interpreter: Some("bun".into()), ..request(&["npm run dev"]) };
    insta::assert_snapshot!(project.notices(&request).concat().trim_end(), @r#""npm run dev" names its program itself, so --interpreter and --interpreter-args do nothing to it"#);
}
