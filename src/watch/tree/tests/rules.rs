//! Every rule, and what happens where two of them disagree. `ask` (why), the walk and `judge` (events) must say the same.

use std::path::Path;

use crate::{
    model::{Rule, WatchRoot, WatchSpec},
    watch::tree::{
        Tree,
        project::{Fake, Project},
    },
};

/// Asserts what becomes of paths: `+ name` counts, `- name` does not, and after ` # ` the rule in its own words.
fn check(project: &Project, spec: &WatchSpec, expected: &[&str]) {
    let (mut tree, _) = Project::tree(spec);
    let before: Vec<_> = expected.iter().map(|line| described(project, &tree, line, true)).collect();
    tree.add_roots(&mut Fake::default());
    let after: Vec<_> = expected.iter().map(|line| described(project, &tree, line, false)).collect();
    assert_eq!(before, expected, "asked without a walk");
    assert_eq!(after, expected, "judged after a walk");
}

fn described(project: &Project, tree: &Tree, line: &str, ask: bool) -> String {
    let (wanted, rule) = line[2..].split_once(" # ").unwrap_or((&line[2..], ""));
    let path = project.at(wanted);
    let is_dir = wanted.ends_with('/');
    let decision = if ask { tree.ask(&path, is_dir) } else { tree.judge(&path, is_dir) };
    let sign = if decision.watched { '+' } else { '-' };
    let said = decision.rule.to_string().replace(&format!("{}/", project.path.display()), "");
    let below = decision.pruned_at.map(|at| format!(" at {}", at.strip_prefix(&project.path).unwrap_or(&at).display())).unwrap_or_default();
    if rule.is_empty() { format!("{sign} {wanted}") } else { format!("{sign} {wanted} # {said}{below}") }
}

#[test]
fn fixed_rules_built_ins_and_dot_files() {
    let project = Project::new(&[".git/", "src/", "node_modules/x/", "dist/", "target/", "logs/", "own/", ".hidden/", ".env.d/"]);
    let spec = WatchSpec { own: vec![project.at("own"), project.at("src/pmdev.out")], ..project.spec() };
    check(
        &project,
        &spec,
        &[
            "+ src/app.js # no rule ignores it",
            "+ src/ # no rule ignores it",
            "- .git/ # .git is never watched",
            "- .git/HEAD # .git is never watched at .git",
            &format!("- src/pmdev.out # {} is never watched", "src/pmdev.out"),
            "- own/api.log",
            "- node_modules/x/index.js # the built-in pattern \"node_modules/\" at node_modules",
            "- src/node_modules/ # the built-in pattern \"node_modules/\"",
            "+ src/node_modules # no rule ignores it",
            "- target/debug/app # the built-in pattern \"target/\" at target",
            "+ dist/app.js # no rule ignores it",
            "- logs/app.log # the built-in pattern \"*.log\"",
            "+ .hidden/file # no rule ignores it",
            "+ .env # .env files always count",
            "+ src/.env.local # .env files always count",
            "- .env.swp # the built-in pattern \"*.swp\"",
            "- .env~ # the built-in pattern \"*~\"",
            "+ .env.d/ # no rule ignores it",
            "- /elsewhere # it lies outside every watched folder",
        ],
    );
    let plain = WatchSpec { defaults: false, ..spec };
    check(&project, &plain, &["+ node_modules/x/index.js", "+ logs/app.log", "- .git/HEAD", "+ .env.swp"]);
}

#[test]
fn ignore_files_nearest_first_and_kind_before_nearness() {
    let project = Project::new(&[
        ".git/",
        ".gitignore: *.gen.js | dist/ | /only-here | .env | !kept.log | # a comment | ",
        "web/.gitignore: !special.gen.js | *.css",
        "web/deep/.ignore: *.css | !theme.css",
        ".pmdevignore: web/deep/secret.css | !web/deep/public.gen.js | !vendor/node_modules/",
        "web/deep/",
        "web/dist/",
        "vendor/node_modules/",
        "sub/only-here/",
        ".git/info/exclude: excluded.*",
    ]);
    check(
        &project,
        &project.spec(),
        &[
            "- a.gen.js # .gitignore:1: *.gen.js",
            "+ web/special.gen.js # web/.gitignore:1: !special.gen.js",
            "- web/deep/a.gen.js # .gitignore:1: *.gen.js",
            "- web/deep/a.css # web/deep/.ignore:1: *.css",
            "+ web/deep/theme.css # web/deep/.ignore:2: !theme.css",
            "- web/theme.css # web/.gitignore:2: *.css",
            "- web/deep/secret.css # .pmdevignore:1: web/deep/secret.css",
            "+ web/deep/public.gen.js # .pmdevignore:2: !web/deep/public.gen.js",
            "- web/dist/a.js # .gitignore:2: dist/ at web/dist",
            "- only-here # .gitignore:3: /only-here",
            "+ sub/only-here/a # no rule ignores it",
            "+ .env # .env files always count",
            "+ kept.log # .gitignore:5: !kept.log",
            "- other.log # the built-in pattern \"*.log\"",
            "+ vendor/node_modules/a.js # no rule ignores it",
            "- web/excluded.txt # .git/info/exclude:1: excluded.*",
        ],
    );
    let plain = WatchSpec { gitignore: false, ..project.spec() };
    check(
        &project,
        &plain,
        &["+ a.gen.js", "+ web/dist/a.js", "- web/deep/a.css", "- web/deep/secret.css", "- kept.log", "+ web/excluded.txt"],
    );
}

#[test]
fn gitignore_reaches_to_the_root_of_the_repository_and_not_into_another() {
    let project = Project::new(&[
        ".git/",
        ".gitignore: *.out | *.tmpl",
        ".pmdevignore: *.css",
        "app/.gitignore: !good.out",
        "app/src/",
        "app/inner/.git/",
        "app/inner/.gitignore: *.mine",
    ]);
    let inside = WatchSpec { roots: vec![WatchRoot::Tree { path: project.at("app/src"), explicit: false }], ..project.spec() };
    check(
        &project,
        &inside,
        &["- app/src/a.out # .gitignore:1: *.out", "+ app/src/good.out # app/.gitignore:1: !good.out", "+ app/src/a.css"],
    );
    check(&project, &project.spec(), &["+ app/inner/a.out", "- app/inner/a.mine", "- app/inner/a.css", "- app/a.tmpl"]);
    let alone = Project::new(&[".gitignore: *.out", "deep/.gitignore: *.css", "deep/er/"]);
    check(&alone, &alone.spec(), &["- a.out", "- deep/er/a.css", "+ a.css"]);
}

#[test]
fn git_keeps_a_global_list_too() {
    let project = Project::new(&[".git/", "global: *.bak | /top", ".gitignore: !mine.bak", "sub/"]);
    let (mut tree, _) = Tree::with_global(&project.spec(), Some(project.at("global"))).unwrap();
    tree.add_roots(&mut Fake::default());
    for (name, watched) in [("a.bak", false), ("mine.bak", true), ("top", false), ("sub/top", true)] {
        assert_eq!(tree.judge(&project.at(name), false).watched, watched, "{name}");
        assert_eq!(tree.ask(&project.at(name), false).watched, watched, "{name}");
    }
    let rule = tree.judge(&project.at("a.bak"), false).rule;
    assert_eq!(rule, Rule::IgnoreFile { file: project.at("global"), line: 1, pattern: "*.bak".into() });
}

#[test]
fn the_users_list_comes_before_all_files() {
    let project = Project::new(&[".git/", ".gitignore: dist/ | *.gen", "dist/", "logs/", "src/tmp/"]);
    let ignore = ["logs", "*.md", "!dist", "src/tmp/", "!top.log", ".env.test", "\\.snap$"].map(str::to_owned).to_vec();
    let spec = WatchSpec { ignore, ..project.spec() };
    check(
        &project,
        &spec,
        &[
            "- logs/a.js # the ignore pattern \"logs\" at logs",
            "- README.md # the ignore pattern \"*.md\"",
            "+ src/README.md",
            "+ dist/ # the ignore pattern \"!dist\"",
            "+ dist/a.js # no rule ignores it",
            "- dist/a.gen",
            "- src/tmp/x # the ignore pattern \"src/tmp/\" at src/tmp",
            "+ top.log # the ignore pattern \"!top.log\"",
            "- src/top.log",
            "- .env.test # the ignore pattern \".env.test\"",
            "- src/a.snap # the ignore pattern \"\\\\.snap$\"",
        ],
    );
}

#[test]
fn extensions_are_suffixes_of_file_names() {
    let project = Project::new(&["src/", "a.js/"]);
    let spec = WatchSpec { ext: vec!["js".into(), "d.ts".into(), "blade.php".into()], ignore: vec!["!keep.txt".into()], ..project.spec() };
    check(
        &project,
        &spec,
        &[
            "+ src/a.js # no rule ignores it",
            "- src/a.ts # its extension is not in --ext",
            "+ src/a.d.ts # no rule ignores it",
            "+ src/a.blade.php",
            "- src/a.php",
            "- src/.js",
            "- src/js",
            "+ src/ # no rule ignores it",
            "+ .env # .env files always count",
            "+ keep.txt # the ignore pattern \"!keep.txt\"",
            "- a.js/b.txt",
        ],
    );
}

#[test]
fn named_things_are_not_filtered_themselves() {
    let project = Project::new(&[
        ".git/",
        ".gitignore: dist/ | *.css | config.local",
        "src/",
        "dist/.gitignore: *.map",
        "dist/node_modules/",
        "node_modules/mine/",
        "config.local",
        "other/config.local",
    ]);
    let roots = project.roots(&["src", "dist", "node_modules/mine", "config.local"]);
    let spec =
        WatchSpec { roots, ext: vec!["js".into(), "css".into(), "map".into()], ignore: vec!["node_modules".into()], ..project.spec() };
    check(
        &project,
        &spec,
        &[
            "+ config.local # it is named in watch",
            "- other/config.local # it lies outside every watched folder",
            "+ dist/ # no rule ignores it",
            "+ dist/a.js # no rule ignores it",
            "+ dist/a.css # no rule ignores it",
            "- dist/a.map # dist/.gitignore:1: *.map",
            "- dist/node_modules/x.js # the built-in pattern \"node_modules/\" at dist/node_modules",
            "+ node_modules/mine/a.js # no rule ignores it",
            "- src/a.txt",
            "- app.js # it lies outside every watched folder",
        ],
    );
}

#[test]
fn the_deepest_root_judges() {
    let project = Project::new(&[".gitignore: *.css | dist/", "dist/a.css", "src/a.css"]);
    let mut roots = project.spec().roots;
    roots.extend(project.roots(&["dist"]));
    let spec = WatchSpec { roots, ..project.spec() };
    check(&project, &spec, &["+ dist/a.css", "- src/a.css", "- a.css", "+ dist/"]);
}

#[test]
fn globs_count_what_fits_them() {
    let project = Project::new(&["src/views/deep/", "packages/a/src/deep/", "packages/b/test/", "x[1]/lib/", ".gitignore: *.gen.js"]);
    let roots = project.roots(&["src/**/*.js", "src/views/*.{html,css}", "packages/*/src", "x[1]/lib/*.rb", "*.json"]);
    let spec = WatchSpec { roots, ..project.spec() };
    let (mut tree, _) = Project::tree(&spec);
    let mut set = Fake::default();
    tree.add_roots(&mut set);
    let folders =
        ["", "packages", "packages/a", "packages/a/src", "packages/a/src/deep", "packages/b", "src", "src/views", "src/views/deep"];
    assert_eq!(project.names(&set.watched), folders, "x[1] is a class in a glob, and packages/b may get a src");
    for (name, watched) in [
        ("src/a.js", true),
        ("src/a.html", false),
        ("src/views/a.js", true),
        ("src/views/a.html", true),
        ("src/views/deep/a.html", false),
        ("src/views/deep/a.js", true),
        ("src/a.log.js", true),
        ("packages/a/src/deep/a.txt", true),
        ("packages/b/test/a.txt", false),
        ("package.json", true),
        ("packages/package.json", false),
    ] {
        assert_eq!(tree.judge(&project.at(name), false).watched, watched, "{name}");
        assert_eq!(tree.ask(&project.at(name), false).watched, watched, "{name}, asked");
    }
    assert_eq!(tree.judge(&project.at("src/a.html"), false).rule, Rule::Outside);
    assert!(!tree.judge(Path::new("/"), true).watched);
}

#[test]
fn a_glob_inside_a_watched_folder_adds_nothing() {
    let project = Project::new(&["src/a.html", "dist/a.html", "dist/a.css", ".gitignore: dist/"]);
    let mut roots = project.spec().roots;
    roots.extend(project.roots(&["src/*.js", "dist/*.html"]));
    let spec = WatchSpec { roots, ..project.spec() };
    check(&project, &spec, &["+ src/a.html", "+ src/a.js", "+ dist/a.html", "- dist/a.css", "+ app.js"]);
}
