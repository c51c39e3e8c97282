use super::*;
use crate::config::node::Place;

const TREE: &str = r#"{apps: [{name: "api", script: "api.js", instances: 2, watch: ["src", "lib"], env: {PORT: 3000, DEBUG: true, NAME: "größe 🦀"}, exp: 1.5}, {name: "web", script: "npm run dev", autorestart: false}]}"#;

#[test]
fn the_same_apps_in_six_formats_are_the_same_tree() {
    let toml = r#"
[[apps]]
name = "api"
script = "api.js"
instances = 2
watch = ["src", 'lib']
env = { PORT = 3000, DEBUG = true, NAME = "größe 🦀" }
exp = 1.5
[[apps]]
name = "web"
script = "npm run dev"
autorestart = false
"#;
    let yaml = "
apps:
  - name: api
    script: api.js
    instances: 2
    watch: [src, 'lib']
    env:
      PORT: 3000
      DEBUG: true
      NAME: \"größe \\U0001F980\"
    exp: 1.5
  - name: web
    script: npm run dev
    autorestart: false
";
    let strict = r#"{"apps": [{"name": "api", "script": "api.js", "instances": 2, "watch": ["src", "lib"],
        "env": {"PORT": 3000, "DEBUG": true, "NAME": "gr\u00f6\u00dfe \ud83e\udd80"}, "exp": 1.5},
        {"name": "web", "script": "npm run dev", "autorestart": false}]}"#;
    let loose = "// comment\n{apps: [{name: 'api', script: `api.js`.x".replace("`api.js`.x", "'api.js'")
        + ", instances: +2, watch: ['src', 'lib',], /* b */ env: {PORT: 0xBB8, DEBUG: true, NAME: 'größe 🦀'}, exp: 1.5,},\n\
           {name: 'web', script: 'npm run \\\ndev', autorestart: false}],}";
    let commonjs = format!("module.exports = {strict}");
    let module = format!("const env = {{ PORT: 3000, DEBUG: true, NAME: 'größe 🦀' }};\nexport default async () => ({strict})");
    let package = format!("{{\"name\": \"x\", \"pmdev\": {strict}, \"version\": \"1.0.0\"}}");
    for (name, content) in [
        ("pmdev.toml", toml),
        ("pmdev.yaml", yaml),
        ("pmdev.json", strict),
        ("ecosystem.config.json5", &loose),
        ("ecosystem.config.json", &loose),
        ("ecosystem.config.yml", &strict.replace("\\ud83e\\udd80", "🦀")),
        ("ecosystem.config.js", &commonjs),
        ("pmdev.config.mjs", &module),
        ("package.json", &package),
        ("pmdev.yml", &format!("\u{feff}{yaml}").replace('\n', "\r\n")),
    ] {
        assert_eq!(parsed(name, content), TREE, "{name}");
    }
}

#[test]
fn a_procfile_is_a_list_of_commands_and_takes_the_variables_beside_it() {
    let project = Project::new();
    project.file("Procfile", "# all of it\nweb:  node web.js --port $PORT \n\n  worker_2: bundle exec sidekiq -C a:b\r\n");
    let document = project.read("Procfile");
    assert_eq!(
        tree(&document.root),
        r#"{apps: [{name: "web", command: "node web.js --port $PORT"}, {name: "worker_2", command: "bundle exec sidekiq -C a:b"}]}"#
    );
    let command = &document.root.get("apps").map(|apps| &apps.node.value);
    let Some(Value::List(apps)) = command else { panic!("{document:?}") };
    assert_eq!(apps[1].get("command").unwrap().place, Place::At { line: 4, column: 13, len: 26 });
    project.file(".env", "A=1");
    let file = format!("env_file: {:?}}}", project.host.cwd.join(".env"));
    assert_eq!(tree(&project.read("Procfile").root).matches(&file).count(), 2);
}

/// The place of the value that a path of keys leads to, and the text at that place.
fn place_of(document: &Document, path: &[&str]) -> (u32, u32, String) {
    let mut node = &document.root;
    for key in path {
        node = match &node.value {
            Value::List(nodes) => &nodes[key.parse::<usize>().unwrap()],
            _ => &node.get(key).unwrap().node,
        };
    }
    let Place::At { line, column, len } = node.place else { panic!("{path:?} has no place") };
    let text = document.text.as_deref().unwrap().lines().nth(line as usize - 1).unwrap();
    (line, column, text.chars().skip(column as usize - 1).take(len as usize).collect())
}

#[test]
fn places_are_counted_in_characters_from_one() {
    let project = Project::new();
    project.file("a.json", "{\n  'ö🦀': [1, 'zwölf'], b: {\n}}");
    project.file("a.yaml", "ö🦀: [1, 'zwölf']\nb:\n  c: text \n");
    project.file("a.toml", "'ö🦀' = [1, 'zwölf']\nb.c = 5\n[d]\ne = 1\n");
    let json = project.read("a.json");
    assert_eq!(place_of(&json, &["ö🦀", "1"]), (2, 13, "'zwölf'".to_owned()));
    assert_eq!(place_of(&json, &["b"]), (2, 26, "{".to_owned()));
    assert_eq!(place_of(&json, &[]), (1, 1, "{".to_owned()));
    let yaml = project.read("a.yaml");
    assert_eq!(place_of(&yaml, &["ö🦀", "1"]), (1, 9, "'zwölf'".to_owned()));
    assert_eq!(place_of(&yaml, &["b"]), (3, 3, "c: text".to_owned()));
    assert_eq!(place_of(&yaml, &["b", "c"]), (3, 6, "text".to_owned()));
    let toml = project.read("a.toml");
    assert_eq!(place_of(&toml, &["ö🦀", "1"]), (1, 12, "'zwölf'".to_owned()));
    assert_eq!(place_of(&toml, &["b", "c"]), (2, 7, "5".to_owned()));
    assert_eq!(place_of(&toml, &["d", "e"]), (4, 5, "1".to_owned()));
}

#[test]
fn places_of_texts_in_quotes_end_with_the_quote() {
    let project = Project::new();
    let lines = [
        ("a: \"x\" # a comment", "\"x\""),
        ("a: 'it''s'   # it's", "'it''s'"),
        (r#"a: "x\"y\\" # "z""#, r#""x\"y\\""#),
        ("a: &b \"x\" # c", "&b \"x\""),
        ("a: !!str 'x' # c", "!!str 'x'"),
        ("a: \"x", "\"x"),
        ("a: [ 1 ] # c", "["),
        ("a: { b: 1 }", "{"),
        ("a: x # c", "x"),
    ];
    for (line, expected) in lines {
        project.file("a.yaml", if expected == "\"x" { format!("{line}\n  y\" # c\n") } else { format!("{line}\n") });
        assert_eq!(place_of(&project.read("a.yaml"), &["a"]), (1, 4, expected.to_owned()), "{line}");
    }
    // A file may be one long line, in which no value is worth a look at all of it.
    let many = format!("[{}]", vec!["'a'"; 20_000].join(", "));
    project.file("a.yaml", &many);
    assert_eq!(place_of(&project.read("a.yaml"), &["19999"]).2, "'a'");
}

#[test]
fn yaml_has_anchors_merge_keys_tags_and_the_core_schema() {
    let merged = "base: &base { script: a.js, env: &env { A: 1, B: 2 } }\napps:\n  - <<: *base\n    name: x\n  - { <<: [{ script: b.js }, *base], env: { <<: *env, A: 9 } }\n";
    assert_eq!(
        parsed("a.yaml", merged),
        r#"{base: {script: "a.js", env: {A: 1, B: 2}}, apps: [{script: "a.js", env: {A: 1, B: 2}, name: "x"}, {script: "b.js", env: {B: 2, A: 9}}]}"#
    );
    let scalars = "[yes, on, no, null, ~, '', Null, True, 'true', 0o17, 0x1F, 022, -5, +5, 1e3, .5, .inf, inf, 1_000, 12:30, 2024-01-01, 99999999999999999999, !!str 5, !!int '5', 1.0, '<<', 0x-5, -]";
    assert_eq!(
        parsed("a.yaml", scalars.replace(", -]", "]")),
        r#"["yes", "on", "no", null, null, "", null, true, "true", 15, 31, 22, -5, 5, 1000.0, 0.5, inf, "inf", "1_000", "12:30", "2024-01-01", 1e20, "5", 5, 1.0, "<<", "0x-5"]"#
    );
    assert_eq!(parsed("a.yaml", "8080: a\ntrue: b\n'<<': c\n? d\n"), r#"{8080: "a", true: "b", <<: "c", d: null}"#);
    assert_eq!(parsed("a.yaml", "a: |\n  x\n   y\nb: >-\n  x\n  y\n"), r#"{a: "x\n y\n", b: "x y"}"#);
}

#[test]
fn numbers_of_json_and_toml() {
    assert_eq!(
        parsed(
            "a.json5",
            "[1, -1, +1, 1.0, .5, 5., 1e3, 0x10, -0x10, 9007199254740993, 99999999999999999999, Infinity, -Infinity, 0xffffffffffffffffff]"
        ),
        "[1, -1, 1, 1, 0.5, 5, 1000, 16, -16, 9007199254740993, 1e20, inf, -inf, 4.722366482869645e21]"
    );
    assert_eq!(
        parsed("a.toml", "a = [1, -1, 0x10, 0o17, 0b11, 1_000, 1.0, 1e3, inf, 2024-01-01, 12:30:00, 1.5e-3]"),
        r#"{a: [1, -1, 16, 15, 3, 1000, 1.0, 1000.0, inf, "2024-01-01", "12:30:00", 0.0015]}"#
    );
}

#[test]
fn a_key_given_twice_is_told_with_both_places() {
    let project = Project::new();
    project.file("a.json", "{ a: 1,\n  b: 2, 'a': 3 }");
    let document = project.read("a.json");
    assert_eq!(tree(&document.root), "{a: 3, b: 2}", "as JavaScript takes it");
    let notice = document.warnings[0].notice(document.text.as_deref(), &project.host.cwd);
    assert_eq!(notice.text, "a.json:2:9: a is given twice, first in line 1; this second value counts");
    assert_eq!(notice.hint.as_deref(), Some("   2 |   b: 2, 'a': 3 }\n     |         ^^^"));
}
