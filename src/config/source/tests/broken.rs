use super::*;

#[test]
fn json() {
    let cases = [
        "{\n  \"apps\": [\n    { \"name\": \"api\",\n",
        "{ \"apps\": [ { \"name\": \"api\" ",
        "{ \"apps\": [ { \"name\": \"api\" } \"x\" ] }",
        "{\n  \"name\": \"api\"\n  \"script\": \"a.js\"\n}",
        "{ apps: [{ name: api }] }",
        "{ apps: process.env.APPS }",
        "{ \"apps\" [] }",
        "{ \"apps\": }",
        "{ \"apps\": [] } }",
        "{ \"apps\": [], }, 5",
        "{ \"name: \"api\" }",
        "{ a: 'x\n }",
        "{ a: '\\u12' }",
        "{ a: 1 /* b }",
        "// nothing\n",
        "{ env: { TOKEN: 's3cret', OTHER: hidden } ",
        "module.exports = {}",
        "[1,,2]",
    ];
    let shown: Vec<String> = cases.iter().map(|content| refusal("a.json", content)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a.json:3:5: this { is never closed by a }; is the file cut off?
           3 |     { "name": "api",
             |     ^
    a.json:1:13: this { is never closed by a }; is the file cut off?
           1 | { "apps": [ { "name": "api"
             |             ^
    a.json:1:30: a comma is missing after this value
           1 | { "apps": [ { "name": "api" } "x" ] }
             |                              ^
    a.json:2:16: a comma is missing after this value
           2 |   "name": "api"
             |                ^
    a.json:1:18: this is no value; a text needs quotes, and nothing is evaluated
           1 | { apps: [{ name: api }] }
             |                  ^^^
        valid: "text", 5, true, null, [...], {...}
    a.json:1:9: this is no value; a text needs quotes, and nothing is evaluated
           1 | { apps: process.env.APPS }
             |         ^^^^^^^^^^^^^^^^
        valid: "text", 5, true, null, [...], {...}
    a.json:1:10: a colon is missing after this key
           1 | { "apps" [] }
             |          ^
        valid: "name": "api"
    a.json:1:11: this } closes nothing that is open here
           1 | { "apps": }
             |           ^
    a.json:1:16: the file is over before this: it holds one value
           1 | { "apps": [] } }
             |                ^
    a.json:1:16: the file is over before this: it holds one value
           1 | { "apps": [], }, 5
             |                ^
    a.json:1:11: this is no value; a text needs quotes, and nothing is evaluated
           1 | { "name: "api" }
             |           ^^^
        valid: "text", 5, true, null, [...], {...}
    a.json:1:6: this text is never closed by a quote
           1 | { a: 'x
             |      ^
    a.json:1:7: this text cannot be read: expected four hex digits
           1 | { a: '\u12' }
             |       ^^^^^
    a.json:1:8: this comment is never closed by */
           1 | { a: 1 /* b }
             |        ^
    a.json:1:11: it has comments alone, and no value
           1 | // nothing
             |           ^
        valid: { "apps": [{ "name": "api", "script": "api.js" }] }
    a.json:1:34: this is no value; a text needs quotes, and nothing is evaluated
           1 | { env: { TOKEN: …, OTHER: …}
             |                           ^
        valid: "text", 5, true, null, [...], {...}
    a.json:1:1: this is no value; a text needs quotes, and nothing is evaluated
           1 | module.exports = {}
             | ^^^^^^^^^^^^^^
        valid: "text", 5, true, null, [...], {...}
    a.json:1:4: a value is missing before this comma
           1 | [1,,2]
             |    ^
    "#);
}

#[test]
fn yaml() {
    let cases = [
        "apps:\n\t- name: api\n",
        "apps:\n  - name: api\n\tscript: a.js\n",
        "apps:\n  - name: api\n   script: a.js\n",
        "apps: [a, b\n",
        "apps: \"a\nb",
        "script: a: b\n",
        "a: *b\n",
        "a: &a [*a]\n",
        "a: 1\nb: 2\na: 3\nb: 4\n",
        "--- 1\n--- 2\n",
        "# nothing\n",
        "a: !!js/function 'x'\n",
        "a: !Ref x\n",
        "a: !!int x\n",
        "<<: 5\n",
        "? [a]\n: b\n",
        "a: @b\n",
        "env:\n  TOKEN: s3cret\n  OTHER: [hidden\n",
    ];
    let shown: Vec<String> = cases.iter().map(|content| refusal("a.yaml", content)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a.yaml:2:1: a tab stands in the indentation, which YAML forbids; indent with blanks
           2 |     - name: api
             | ^^^^
    a.yaml:3:1: a tab stands in the indentation, which YAML forbids; indent with blanks
           3 |     script: a.js
             | ^^^^
    a.yaml:3:4: this cannot be read as YAML: while parsing a block collection, did not find expected '-' indicator
           3 |    script: a.js
             |    ^^^^^^^^^^^^
    a.yaml:1:12: the file ends before something is closed: while parsing a flow sequence, expected ',' or ']'
           1 | apps: [a, b
             |            ^
    a.yaml:1:7: this cannot be read as YAML: invalid indentation in quoted scalar
           1 | apps: "a
             |       ^^
    a.yaml:1:10: this colon cannot stand here; a text that has ": " in it needs quotes, and a key its own line
           1 | script: a: b
             |          ^^^
        valid: script: "a: b"
    a.yaml:1:4: nothing was given this name with & before
           1 | a: *b
             |    ^^
        valid: base: &name { … }, and below it: <<: *name
    a.yaml:1:8: this alias stands inside of what it names
           1 | a: &a [*a]
             |        ^^
    a.yaml has 2 errors
    a.yaml:3:1: a is given twice, first in line 1
           3 | a: 3
             | ^
    a.yaml:4:1: b is given twice, first in line 2
           4 | b: 4
             | ^
    a.yaml:2:1: a second document begins here; a project file is one document
           2 | --- 2
             | ^^^
    a.yaml: it has comments alone, and no value
        valid: apps: [{ name: api, script: api.js }]
    a.yaml:1:4: the tag !!js/function asks for more than data, and a project file is data alone
           1 | a: !!js/function 'x'
             |    ^^^^^^^^^^^^^^^^^
    a.yaml:1:4: the tag !Ref asks for more than data, and a project file is data alone
           1 | a: !Ref x
             |    ^^^^^^
    a.yaml:1:4: the tag !!int does not fit this value
           1 | a: !!int x
             |    ^^^^^^^
    a.yaml:1:5: << takes over the keys of a map, or of a list of maps
           1 | <<: 5
             |     ^
        valid: <<: *defaults
    a.yaml:1:3: a key is a text, and this is a list
           1 | ? [a]
             |   ^
    a.yaml:1:4: this cannot be read as YAML: unexpected character: `@'
           1 | a: @b
             |    ^^
    a.yaml:3:17: the file ends before something is closed: while parsing a flow sequence, expected ',' or ']'
           3 |   OTHER: [hidden
             |                 ^
    "#);
}

#[test]
fn toml() {
    let cases = [
        "[[apps]]\nname = api\nscript = a.js\n",
        "[[apps]\nname = \"a\"\n",
        "name = \"a\nb = 1\n",
        "a = 1\na = 2\n",
        "[a]\n[a]\n",
        "a = \n",
        "a: 1\n",
        "a = [1, 2\n",
        "a = { b = 1\n",
        "a = 010\n",
        "{ \"apps\": [] }",
        "[env]\nTOKEN = s3cret\nOTHER = 'hidden\n",
    ];
    let shown: Vec<String> = cases.iter().map(|content| refusal("a.toml", content)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a.toml has 2 errors
    a.toml:2:8: this needs quotes, as every text does
           2 | name = api
             |        ^^^
        valid: script = "api.js"
    a.toml:3:10: this needs quotes, as every text does
           3 | script = a.js
             |          ^^^^
        valid: script = "api.js"
    a.toml:1:8: this cannot be read as TOML: unclosed array table, expected `]`
           1 | [[apps]
             |        ^
    a.toml:1:10: this cannot be read as TOML: invalid basic string, expected `"`
           1 | name = "a
             |          ^
    a.toml:2:1: a is given twice, first in line 1
           2 | a = 2
             | ^
    a.toml:2:2: a is given twice
           2 | [a]
             |  ^
    a.toml:1:5: a value is missing after =
           1 | a =
             |     ^
        valid: script = "api.js"
    a.toml has 2 errors
    a.toml:1:2: this cannot be read as TOML: invalid unquoted key, expected letters, numbers, `-`, `_`
           1 | a: 1
             |  ^
    a.toml:1:4: this cannot be read as TOML: key with no value, expected `=`
           1 | a: 1
             |    ^
    a.toml:1:10: this cannot be read as TOML: unclosed array, expected `]`
           1 | a = [1, 2
             |          ^
    a.toml:1:12: this cannot be read as TOML: unclosed inline table, expected `}`
           1 | a = { b = 1
             |            ^
    a.toml:1:5: this cannot be read as TOML: unexpected leading zero
           1 | a = 010
             |     ^
    a.toml:1:1: this cannot be read as TOML: invalid key-value pair, expected key
           1 | { "apps": [] }
             | ^
    a.toml has 2 errors
    a.toml:2:9: this needs quotes, as every text does
           2 | TOKEN = …
             |         ^
        valid: script = "api.js"
    a.toml:3:16: this cannot be read as TOML: invalid literal string, expected `'`
           3 | OTHER = …
             |          ^
    "#);
}

#[test]
fn procfile_and_package() {
    let shown = [
        refusal("Procfile", "web: node web.js\nnode worker.js\n: x\nworker:\na b: c\nweb: again\n"),
        refusal("Procfile", "# nothing\n"),
        refusal("package.json", "{ \"name\": \"x\" }"),
        refusal("package.json", "{ \"name\": \"x\", \"pmdev\": { \"apps\": [ }"),
    ];
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Procfile has 5 errors
    Procfile:2:1: this line has no name before its command
           2 | node worker.js
             | ^^^^^^^^^^^^^^
        valid: web: node server.js
    Procfile:3:1: a name is made of letters, digits, - and _
           3 | : x
             | ^
        valid: web: node server.js
    Procfile:4:1: worker has no command
           4 | worker:
             | ^^^^^^^
        valid: worker: node server.js
    Procfile:5:1: a name is made of letters, digits, - and _
           5 | a b: c
             | ^^^
        valid: web: node server.js
    Procfile:6:1: web is given twice, first in line 1
           6 | web: again
             | ^^^
    Procfile: it has comments alone
        valid: api: node api.js
    package.json:1:1: it has no key pmdev, so it is no project file
           1 | { "name": "x" }
             | ^^^^^^^^^^^^^^^
        valid: "pmdev": { "apps": [{ "name": "api", "script": "api.js" }] }
    package.json:1:37: this } closes nothing that is open here
           1 | { "name": "x", "pmdev": { "apps": [ }
             |                                     ^
    "#);
}

#[test]
fn files_that_are_no_text() {
    let project = Project::new();
    fs::create_dir(project.host.cwd.join("folder.json")).unwrap();
    let shown = [
        refusal("a.json", "{ \"a\": 1,\n \"b\0\": 2 }"),
        refusal("a.json", b"\xff\xfe{\0}\0"),
        refusal("a.yaml", b"a: 1\nb: caf\xe9\n"),
        refusal("a.toml", ""),
        refusal("a.yaml", "\u{feff} \n"),
        refusal("a.json", " ".repeat(10 << 20)),
        project.refusal("folder.json"),
        project.refusal("missing.json"),
        project.refusal("/dev/zero.json"),
        refusal("apps.txt", "x"),
    ];
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a.json:2:4: a NUL byte stands here, so it is no text file
           2 |  "b�": 2 }
             |    ^
    a.json: it is UTF-16 text; save it as UTF-8
    a.yaml:2:7: a byte here is no UTF-8 text; save it as UTF-8
           2 | b: caf
             |       ^
    a.toml: it is empty
        valid: [[apps]], and below it: name = "api", script = "api.js"
    a.yaml: it is empty
        valid: apps: [{ name: api, script: api.js }]
    a.json: it is longer than 1 MiB, which no project file needs; is it another file?
    folder.json: it is a folder, where a file is needed
    missing.json: it cannot be read: No such file or directory
    /dev/zero.json: it cannot be read: No such file or directory
    apps.txt: the name does not tell what it is written in
        valid: pmdev.toml, pmdev.yaml, ecosystem.config.json, ecosystem.config.js, Procfile
    "#);
    std::os::unix::fs::symlink("/dev/zero", project.host.cwd.join("zero.json")).unwrap();
    insta::assert_snapshot!(project.refusal("zero.json"), @r#"zero.json: it is neither a file nor a link to one"#);
}

#[test]
fn a_file_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new();
    let file = project.file("a.json", "{}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    if fs::read(&file).is_err() {
        assert_eq!(project.refusal("a.json"), "a.json: it cannot be read: Permission denied");
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let open = |sign: &str| sign.repeat(10_000);
    let refusals = [
        ("a.json", open("[")),
        ("a.json", open("{a:")),
        ("a.json", format!("{}1{}", "[".repeat(200), "]".repeat(200))),
        ("a.yaml", open("[")),
        ("a.yaml", open("{a: ")),
        ("a.yaml", open("- ")),
        ("a.yaml", (0..10_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 200))).collect()),
        ("a.toml", format!("a = {}", open("["))),
        ("a.toml", format!("a = {}", open("{ a = "))),
        ("a.toml", format!("{} = 1", vec!["a"; 10_000].join("."))),
        ("a.toml", format!("[{}]", vec!["\"!\""; 10_000].join(" . "))),
        ("a.toml", format!("[[{}]]", vec!["a"; 10_000].join("."))),
    ];
    for (name, content) in refusals {
        let told = refusal(name, &content);
        assert!(told.contains("deeper") || told.contains("recursion"), "{name} {}: {told}", &content[..20]);
    }
    assert!(parsed("a.json", format!("{}1{}", "[".repeat(100), "]".repeat(100))).contains('1'));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let laughs = (1..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "))
    });
    assert!(refusal("a.yaml", laughs).contains("more than 200000 values"));
    let chain = (1..50_000).fold("- &a0 [x]\n".to_owned(), |text, level| format!("{text}- &a{level} [*a{}]\n", level - 1));
    assert!(refusal("a.yaml", chain).contains("deeper"));
}

#[test]
fn a_long_line_is_read_in_time() {
    let json = format!("[{}]", vec!["\"ü\""; 190_000].join(","));
    assert!(parsed("a.json", &json).len() > 1_000_000);
    assert!(parsed("a.yaml", &json).len() > 1_000_000);
}
