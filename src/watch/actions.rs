//! The rules of one app that give paths an action of their own: which of them a changed path matches, and what that asks for.
//! All rules that match count, and the strongest action wins; a path that none matches restarts the app.

use std::path::{Path, PathBuf};

use globset::{GlobSet, GlobSetBuilder};

use super::{paths, pattern, plan};
use crate::model::{ActionRule, Error, SaveAction, WatchSpec};

/// The rules of an app, compiled.
#[derive(Debug, Default)]
pub struct Actions {
    rules: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    rule: ActionRule,
    /// Files and folders that are there; what lies below counts as well.
    literal: Vec<PathBuf>,
    /// Globs, each set below its fixed prefix.
    globs: Vec<(PathBuf, GlobSet)>,
}

/// What the rules say of some changed paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The rules that matched one of them, by their place in the app's list, ascending.
    pub matched: Vec<usize>,
    /// Whether no rule matched one of them.
    pub unmatched: bool,
}

impl Actions {
    /// Compiles the rules of an app that is watched by this spec. A glob that is none is a usage error.
    pub fn new(rules: &[ActionRule], spec: &WatchSpec) -> Result<Self, Error> {
        let base = paths::canonical(&spec.base);
        let rules = rules.iter().map(|rule| Compiled::new(rule, &spec.base, &base)).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// What the rules say of changed paths, canonical.
    pub fn of<'a>(&self, changed: impl IntoIterator<Item = &'a Path>) -> Matches {
        let mut hit = vec![false; self.rules.len()];
        let mut unmatched = self.rules.is_empty();
        if !self.rules.is_empty() {
            for path in changed {
                let mut any = false;
                for (rule, hit) in self.rules.iter().zip(&mut hit) {
                    let matches = rule.matches(path);
                    *hit |= matches;
                    any |= matches;
                }
                unmatched |= !any;
            }
        }
        let matched = hit.iter().enumerate().filter(|(_, hit)| **hit).map(|(at, _)| at).collect();
        Matches { matched, unmatched }
    }

    /// The rules that matched, as they were written.
    pub fn rules(&self, matches: &Matches) -> impl Iterator<Item = &ActionRule> {
        matches.matched.iter().map(|at| &self.rules[*at].rule)
    }

    /// The strongest action that is asked for.
    fn strongest(&self, matches: &Matches) -> SaveAction {
        let mut actions: Vec<SaveAction> = self.rules(matches).map(|rule| rule.action).collect();
        actions.extend(matches.unmatched.then_some(SaveAction::Restart));
        actions.into_iter().max_by_key(|action| action.strength()).unwrap_or(SaveAction::Nothing)
    }

    /// Whether processes are replaced: a restart or a reload.
    pub fn replaces(&self, matches: &Matches) -> bool {
        self.strongest(matches).strength() >= SaveAction::Reload.strength()
    }

    /// Whether the app is restarted.
    pub fn restarts(&self, matches: &Matches) -> bool {
        self.strongest(matches) == SaveAction::Restart
    }

    /// Whether a restart follows for certain and at once: no rule says less, and no command comes first.
    pub fn restarts_at_once(&self, matches: &Matches) -> bool {
        self.restarts(matches) && self.rules(matches).all(|rule| rule.run.is_none())
    }
}

impl Compiled {
    fn new(rule: &ActionRule, base_as_written: &Path, base: &Path) -> Result<Self, Error> {
        let (mut literal, mut globs) = (Vec::new(), Vec::new());
        for text in &rule.paths {
            let written = base_as_written.join(text.trim_end_matches('/'));
            // A name like `[id]` is a glob only where nothing is called so.
            if written.symlink_metadata().is_ok() || !plan::has_glob(text) {
                literal.push(paths::canonical_entry(&paths::plain(&written)));
                // What a link leads to is watched below its own name.
                literal.extend(written.canonicalize().ok().filter(|real| literal.last() != Some(real)));
                continue;
            }
            let (prefix, rest) = plan::split(&base_as_written.join(text).to_string_lossy(), base_as_written, base);
            let mut set = GlobSetBuilder::new();
            set.add(pattern::compile("watch rule", &rest, text)?);
            // A match may be a folder, and then all it holds is meant.
            if !rest.ends_with("**") {
                set.add(pattern::compile("watch rule", &format!("{rest}/**"), text)?);
            }
            let set = set.build().map_err(|error| Error::usage(format!("The watch rule {text:?} is too large")).because(error))?;
            globs.push((prefix, set));
        }
        Ok(Self { rule: rule.clone(), literal, globs })
    }

    fn matches(&self, path: &Path) -> bool {
        self.literal.iter().any(|known| paths::below(path, known).is_some())
            || self.globs.iter().any(|(prefix, set)| paths::below(path, prefix).is_some_and(|rest| set.is_match(rest)))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::model::{Signal, WatchRoot};

    fn rule(paths: &[&str], run: Option<&str>, action: SaveAction) -> ActionRule {
        ActionRule { paths: paths.iter().map(|path| (*path).to_owned()).collect(), run: run.map(str::to_owned), action }
    }

    fn actions(base: &Path, rules: &[ActionRule]) -> Actions {
        let root = WatchRoot::Tree { path: base.to_owned(), explicit: false };
        Actions::new(rules, &WatchSpec::new(vec![root], base.to_owned())).unwrap()
    }

    #[test]
    fn folders_files_globs_and_names_that_look_like_globs() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for folder in ["app/views", "app/[id]", "lib"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        symlink(base.join("lib"), base.join("app/linked")).unwrap();
        symlink(base.join("app"), base.join("as-link")).unwrap();
        let reload = SaveAction::Reload;
        let app = base.join("app");
        let rules = [
            rule(&["views"], None, reload),
            rule(&["[id]"], None, reload),
            rule(&["static/**", "*.{css,scss}"], None, reload),
            rule(&["../lib/**"], None, reload),
            rule(&[app.join("abs/*.txt").to_str().unwrap()], None, reload),
            rule(&["later/x.txt", "./dotted/"], None, reload),
            rule(&["linked"], None, reload),
        ];
        let cases: [(&str, &[usize]); 13] = [
            ("app/views/a.html", &[0]),
            ("app/views", &[0]),
            ("app/views2/a.html", &[]),
            ("app/[id]/page.js", &[1]),
            ("app/i/page.js", &[]),
            ("app/static/deep/er/a.png", &[2]),
            ("app/a.css", &[2]),
            ("app/sub/a.css", &[]),
            ("lib/deep/a.js", &[3, 6]),
            ("app/abs/a.txt", &[4]),
            ("app/later/x.txt", &[5]),
            ("app/dotted/x.txt", &[5]),
            ("app/linked", &[6]),
        ];
        // The app's folder may be written with a link in it; events never have one.
        for base_as_written in [app, base.join("as-link")] {
            let rules: Vec<_> = rules.to_vec();
            let actions = actions(&base_as_written, &rules);
            for (path, expected) in cases {
                let path = base.join(path);
                let found = actions.of([path.as_path()]);
                let expected: Vec<usize> = expected.to_vec();
                assert_eq!(found, Matches { unmatched: expected.is_empty(), matched: expected }, "{}", path.display());
            }
        }
    }

    #[test]
    fn all_rules_that_match_count_and_the_strongest_action_wins() {
        let base = Path::new("/w");
        let rules = [
            rule(&["*.md"], None, SaveAction::Nothing),
            rule(&["conf/**"], None, SaveAction::Signal(Signal::HUP)),
            rule(&["t/**"], None, SaveAction::Reload),
            rule(&["proto/**"], Some("make"), SaveAction::Restart),
            rule(&["t/special/**", "conf/main.md"], None, SaveAction::Restart),
        ];
        let actions = actions(base, &rules);
        // Path, its rules, whether processes are replaced, whether a stop may begin at once.
        let cases: [(&[&str], &[usize], bool, bool); 9] = [
            (&["a.md"], &[0], false, false),
            (&["conf/a"], &[1], false, false),
            (&["a.md", "conf/a"], &[0, 1], false, false),
            (&["t/a"], &[2], true, false),
            (&["t/special/a"], &[2, 4], true, true),
            (&["proto/a"], &[3], true, false),
            (&["proto/a", "a.js"], &[3], true, false),
            (&["a.js"], &[], true, true),
            (&["t/a", "conf/main.md"], &[1, 2, 4], true, true),
        ];
        for (paths, expected, replaces, at_once) in cases {
            let paths: Vec<PathBuf> = paths.iter().map(|path| base.join(path)).collect();
            let found = actions.of(paths.iter().map(PathBuf::as_path));
            assert_eq!(found.matched, expected, "{paths:?}");
            assert_eq!(found.unmatched, paths.iter().any(|path| path.ends_with("a.js")), "{paths:?}");
            assert_eq!((actions.replaces(&found), actions.restarts_at_once(&found)), (replaces, at_once), "{paths:?}");
        }
    }

    #[test]
    fn without_rules_every_change_restarts() {
        let none = actions(Path::new("/w"), &[]);
        for paths in [vec![], vec![Path::new("/w/a")]] {
            let found = none.of(paths);
            assert_eq!(found, Matches { matched: vec![], unmatched: true });
            assert!(none.restarts_at_once(&found));
        }
    }

    #[test]
    fn a_bad_glob_is_a_usage_error_that_names_it() {
        let spec = WatchSpec::new(Vec::new(), "/w".into());
        let error = Actions::new(&[rule(&["t/{a"], None, SaveAction::Reload)], &spec).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(r#"The watch rule "t/{a""#), "{error}");
    }
}
