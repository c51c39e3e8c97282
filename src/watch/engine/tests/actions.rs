//! Rules that give paths an action: each app's own, and as they are now.

use super::*;
use crate::model::{ActionRule, SaveAction};

fn rule(path: &str, action: SaveAction) -> Vec<ActionRule> {
    vec![ActionRule { paths: vec![path.to_owned()], run: None, action }]
}

/// Two apps that watch the same, the first of them with this rule.
fn apps(dir: &Path, rules: Vec<ActionRule>) -> Vec<Watched> {
    let app = |id, name: &str, rules| Watched { app: AppId(id), name: name.to_owned(), spec: spec(dir, |_| ()), rules };
    vec![app(0, "api", rules), app(1, "web", Vec::new())]
}

impl World {
    /// What the two apps are told of a save: matched rules, and whether something matched none.
    fn told(&mut self, name: &str) -> [(Vec<usize>, bool); 2] {
        self.write(name, format!("{:?}", now()));
        let mut told = [const { None }; 2];
        while told.iter().any(Option::is_none) {
            let (app, changes) = self.changed(name);
            told[app.0 as usize] = Some((changes.matched.clone(), changes.unmatched));
        }
        told.map(Option::unwrap)
    }
}

#[test]
fn apps_that_share_what_they_watch_have_rules_of_their_own_which_can_be_edited() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("views")).unwrap();
    fs::write(dir.path().join("views/a.html"), "x").unwrap();
    let path = dir.path().to_owned();
    let first = apps(&path, rule("views", SaveAction::Reload));
    let mut world = World::start(dir, first);
    assert_eq!(world.dirs, 2);
    assert_eq!(world.told("views/a.html"), [(vec![0], false), (vec![], true)]);
    assert_eq!(world.told("a.js"), [(vec![], true), (vec![], true)]);
    let early: Vec<&String> = world.heard.iter().filter(|line| line.starts_with("Early")).collect();
    assert!(early.iter().all(|line| !line.contains("AppId(0)") || line.contains("a.js")), "{early:?}");
    let wanted = |rules| Wanted { apps: apps(&path, rules), files: Vec::new(), modules: Vec::new(), read_at: stamp() };
    world.watcher.watch(wanted(rule("*.js", SaveAction::Nothing)));
    assert_eq!(world.told("views/a.html"), [(vec![], true), (vec![], true)]);
    assert_eq!(world.told("a.js"), [(vec![0], false), (vec![], true)]);
    // One that cannot be read is told, and nothing is left out because of it.
    assert!(check(&spec(&path, |_| ()), &rule("{", SaveAction::Nothing)).is_err());
    world.watcher.watch(wanted(rule("{", SaveAction::Nothing)));
    world.skipped("The watch rule \"{\"");
    assert_eq!(world.told("a.js"), [(vec![], true), (vec![], true)]);
}
