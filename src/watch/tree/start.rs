//! From a spec to a tree without watches, what there is to say about it, and the question without a walk.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Tree;
use crate::{
    model::{Decision, Error, Level, Notice, NoticeKind, Rule, WatchSpec},
    watch::{
        paths,
        plan::{Plan, Root},
        rules::{
            Reason, Rules,
            scope::{Found, Scope},
        },
    },
};

impl Tree {
    /// Plan and rules, nothing watched yet. A bad pattern is a usage error with the line to write instead.
    pub fn new(spec: &WatchSpec) -> Result<(Self, Vec<Notice>), Error> {
        Self::with_global(spec, ignore::gitignore::gitconfig_excludes_path())
    }

    /// The same, with git's global excludes file given.
    pub(super) fn with_global(spec: &WatchSpec, global: Option<PathBuf>) -> Result<(Self, Vec<Notice>), Error> {
        let base = paths::canonical(&spec.base);
        let plan = Plan::new(spec, &base)?;
        let rules = Rules::new(spec, &base, &plan.named, global)?;
        let mut tree = Self {
            plan,
            planned: 0,
            rules,
            base,
            follow: spec.follow_symlinks,
            nodes: HashMap::new(),
            missing: Vec::new(),
            links: Vec::new(),
            told: HashSet::new(),
        };
        tree.drop_covered_globs();
        let notices = spec.script.as_deref().and_then(|script| tree.add_script_folder(script)).into_iter().collect();
        tree.planned = tree.plan.roots.len();
        Ok((tree, notices))
    }

    /// A glob inside a folder that is watched anyway adds nothing.
    fn drop_covered_globs(&mut self) {
        let mut index = 0;
        while index < self.plan.roots.len() {
            let root = self.plan.roots.remove(index);
            let covering = self.plan.deepest(&root.path).filter(|&outer| self.plan.roots[outer].globs.is_empty());
            if root.globs.is_empty() || covering.is_none() || !self.ask(&root.path, true).watched {
                self.plan.roots.insert(index, root);
                index += 1;
            }
        }
    }

    /// The running script's folder is watched even where an ignore file or a built-in pattern would prune it; never in `node_modules`.
    fn add_script_folder(&mut self, script: &Path) -> Option<Notice> {
        let script = paths::canonical_entry(script);
        let dir = paths::folder(&script)?;
        let decision = self.ask(dir, true);
        let prunes = matches!(decision.rule, Rule::IgnoreFile { .. } | Rule::BuiltIn(_));
        if decision.watched || !prunes || dir.components().any(|part| part.as_os_str() == "node_modules") {
            return None;
        }
        let text = format!(
            "{} is watched although {} ignores it: {} runs from there",
            paths::shown(dir, &self.base),
            self.said(&decision.rule),
            paths::shown(&script, &self.base)
        );
        self.plan.add(Root::tree(dir.to_owned(), true));
        self.plan.roots.sort_by(|a, b| a.path.cmp(&b.path));
        Some(Notice::new(Level::Info, NoticeKind::Watch, text))
    }

    /// The decision about a path, from the ignore files on the way to it alone: nothing needs to be watched.
    pub fn ask(&self, path: &Path, is_dir: bool) -> Decision {
        let decided = |watched, rule| Decision { watched, rule, pruned_at: None };
        if !is_dir && self.rules.is_named(path) {
            return decided(true, Rule::Named);
        }
        let Some(root) = self.plan.deepest(path).map(|index| &self.plan.roots[index]) else {
            return decided(false, Rule::Outside);
        };
        let unheard = &mut Vec::new();
        let mut scope = self.rules.above(root, unheard);
        let mut dir = root.path.clone();
        let mut rest = paths::below(path, &root.path).expect("a path lies below its root").iter().peekable();
        while let Some(part) = rest.next() {
            scope = self.rules.scope(&dir, &scope, Found::probe(&dir), unheard);
            dir.push(part);
            let verdict = self.rules.verdict(root, &scope, &dir, is_dir || rest.peek().is_some());
            match rest.peek() {
                None => return verdict.decision(),
                Some(_) if !verdict.watched => {
                    let pruned_at = (!matches!(verdict.reason, Reason::Outside)).then(|| dir.clone());
                    return Decision { pruned_at, ..verdict.decision() };
                }
                Some(_) => {}
            }
        }
        decided(true, Rule::Default)
    }

    /// The same about a path as a person writes it, through the links that are followed.
    pub fn ask_through_links(&mut self, path: &Path) -> Decision {
        let mut links: Vec<_> = path.ancestors().skip(1).filter(|dir| dir.is_symlink() && dir.is_dir()).collect();
        while let Some(link) = links.pop().filter(|_| self.follow) {
            let link = paths::canonical_entry(link);
            let outside = self.plan.deepest(&paths::canonical(&link)).is_none();
            if let Some(root) = self.plan.deepest(&link).filter(|_| outside) {
                let decision = self.ask(&link, true);
                if !decision.watched {
                    return Decision { pruned_at: decision.pruned_at.or(Some(link)), ..decision };
                }
                self.follow_link(link, root);
            }
        }
        self.ask(&paths::canonical_entry(path), path.is_dir())
    }

    /// The user's patterns that take something back below a folder that is not watched.
    pub(super) fn idle_patterns(&self) -> Vec<Notice> {
        let patterns = self.rules.user().iter().filter(|pattern| pattern.negated);
        patterns.filter_map(|pattern| self.idle(&self.base, pattern.glob.as_deref()?, &format!("{:?}", pattern.text), false)).collect()
    }

    /// The lines of a folder's ignore files that do.
    pub(super) fn idle_lines(&self, scope: &Arc<Scope>) -> Vec<Notice> {
        let lines = scope.taken_back();
        let idle = lines.filter_map(|(file, number, line)| {
            let shown = format!("{line:?} ({}:{number})", paths::shown(&file.path, &self.base));
            self.idle(&scope.dir, &line[1..], &shown, file.is_gits())
        });
        idle.collect()
    }

    fn idle(&self, dir: &Path, glob: &str, shown: &str, is_gits: bool) -> Option<Notice> {
        let glob = glob.trim_matches('/');
        let (folders, _) = glob.rsplit_once('/')?;
        if folders.contains(['*', '?', '[', '{', '\\']) {
            return None;
        }
        let folder = dir.join(folders);
        let decision = self.ask(&folder, true);
        // Templates of .gitignore take `.vscode/settings.json` back for git; nobody wants a restart for it.
        let editors = is_gits && matches!(&decision.rule, Rule::BuiltIn(pattern) if pattern == ".vscode/" || pattern == ".idea/");
        if decision.watched || decision.rule == Rule::Outside || editors || !folder.is_dir() {
            return None;
        }
        let pruned = decision.pruned_at.as_deref().unwrap_or(&folder);
        let text =
            format!("{shown} takes nothing back: {} ignores {} as a whole", self.said(&decision.rule), paths::shown(pruned, &self.base));
        let named = dir.join(glob);
        let hint = format!("name it instead: watch: [\"{}\"]", paths::shown(&named, &self.base));
        Some(Notice::new(Level::Warning, NoticeKind::Watch, text).hint(hint))
    }

    /// A rule in a sentence, its file relative to the app's folder.
    fn said(&self, rule: &Rule) -> String {
        match rule {
            Rule::IgnoreFile { file, line, pattern } => format!("{}:{line} ({pattern})", paths::shown(file, &self.base)),
            other => other.to_string(),
        }
    }
}
