//! Which rule watches or ignores a path, and for which app: of a runner that has something to do with it, else of what a start would watch.

use std::path::{Path, PathBuf};

use crate::{
    cli::reach::Reached,
    config::{self, Host, Request, Watching},
    control::{ActionView, InstanceView, PathWhy, Reply, Request as Asked, Shown},
    model::{Error, Rule, listed},
    runtime::why,
    ui::clean::clean,
};

/// What is known of a path.
#[derive(Debug, Default)]
pub struct Told {
    /// As it was typed.
    path: String,
    /// Of each app that watches something.
    pub answers: Vec<PathWhy>,
    /// Apps that run around it and watch nothing.
    idle: Vec<String>,
    /// Apps that watch it, but not now.
    paused: Vec<String>,
    /// Whether it may have been meant as the name of an app, and is none.
    is_strange: bool,
}

/// Asks the runner, where it has apps around these paths or was `named`; else what a start would be.
///
/// # Errors
/// The runner is gone, or nothing would be watched.
pub fn ask(paths: &[&PathBuf], runner: Option<&Reached>, named: bool, request: &Request, host: &Host) -> Result<Vec<Told>, Error> {
    if let Some(runner) = runner {
        let told = match running(paths, runner, host) {
            // It ended while it was asked: then it is as without one.
            Err(_) if !named && runner.is_gone() => return watched(paths, request, host),
            told => told?,
        };
        let is_of_here = !runner.hello.background && host.cwd.starts_with(&runner.hello.cwd);
        if named || is_of_here || told.iter().any(Told::concerns) {
            return Ok(told);
        }
    }
    watched(paths, request, host)
}

/// What the runner says.
fn running(paths: &[&PathBuf], runner: &Reached, host: &Host) -> Result<Vec<Told>, Error> {
    let asked: Vec<String> = paths.iter().map(|path| config::absolute(&host.cwd, path).to_string_lossy().into_owned()).collect();
    let Reply::Why { paths: answers, .. } = runner.answer(Asked::Why { targets: Vec::new(), paths: asked.clone() })? else {
        return Err(Error::failed("The runner answered something that was not asked for"));
    };
    let instances = runner.instances(&[], Shown::default())?;
    let about = |(path, asked): (&&PathBuf, &String)| {
        let typed = path.to_string_lossy().into_owned();
        let of_it = answers.iter().filter(|answer| answer.path == *asked);
        let answers: Vec<PathWhy> = of_it.map(|answer| PathWhy { path: typed.clone(), ..answer.clone() }).collect();
        let named = |is: &dyn Fn(&InstanceView) -> bool| -> Vec<String> {
            instances.iter().filter(|view| view.instance == 0 && is(view)).map(|view| view.name.clone()).collect()
        };
        let watches = |view: &InstanceView| answers.iter().any(|answer| answer.app == view.name && answer.watched);
        let idle = named(&|view| !view.watching && Path::new(asked).starts_with(&view.cwd));
        let paused = named(&|view| view.paused && watches(view));
        // A name with a dot or a slash is hardly meant for an app.
        let is_strange = !typed.contains(['/', '.']) && !Path::new(asked).exists() && instances.iter().all(|view| view.name != typed);
        Told { path: typed, answers, idle, paused, is_strange }
    };
    Ok(paths.iter().zip(&asked).map(about).collect())
}

/// The same by what a start would watch.
fn watched(paths: &[&PathBuf], request: &Request, host: &Host) -> Result<Vec<Told>, Error> {
    let specs = config::resolve_watch(request, host)?;
    if specs.is_empty() {
        return Err(
            Error::usage("Nothing would be watched here: this folder is never watched as a whole").hint("name what to watch: --watch=PATH")
        );
    }
    let about = |path: &&PathBuf| {
        let typed = path.to_string_lossy().into_owned();
        let answer = |Watching { name, spec, rules }: &Watching| {
            let answer = why::path(name, spec, rules, &config::absolute(&host.cwd, path))?;
            Ok(PathWhy { path: typed.clone(), ..answer })
        };
        let answers = specs.iter().map(answer).collect::<Result<_, Error>>()?;
        Ok(Told { path: typed.clone(), answers, ..Told::default() })
    };
    paths.iter().map(about).collect()
}

impl Told {
    /// Whether it has to do with any app at all.
    fn concerns(&self) -> bool {
        !self.idle.is_empty() || self.answers.iter().any(|answer| !is_outside(answer))
    }

    /// A line for each app to which it is something, with what comes `below` it, and then one for each reason why it is nothing to the others.
    pub fn sentences(&self, cwd: &Path, below: impl Fn(&PathWhy) -> String) -> String {
        let Self { path, answers, idle, paused, is_strange } = self;
        let (outside, inside): (Vec<&PathWhy>, Vec<&PathWhy>) = answers.iter().partition(|answer| is_outside(answer));
        let mut text = String::new();
        if *is_strange {
            text.push_str(&format!(
                "{} is neither an app of the runner nor a file that is there; of a file of that name:
",
                clean(path)
            ));
        }
        text.extend(inside.iter().map(|answer| format!("{}\n{}", clean(&sentence(answer, cwd)), below(answer))));
        let mut line = |sentence: String| text.push_str(&format!("{}\n", clean(&sentence)));
        if !paused.is_empty() {
            line(format!("{path} restarts nothing now, because watching is paused for {}", listed(paused)));
        }
        if !outside.is_empty() {
            let apps: Vec<String> = outside.iter().map(|answer| answer.app.clone()).collect();
            line(format!("{path} is ignored by {}: {}", listed(&apps), Rule::Outside));
        }
        if !idle.is_empty() {
            let watch = if idle.len() == 1 { "watches" } else { "watch" };
            line(format!("{path} is nothing to {}, which {watch} no files", listed(idle)));
        }
        if answers.is_empty() && idle.is_empty() {
            line(format!("{path} is watched by nobody: no app of the runner watches files"));
        }
        text
    }

    /// The same for programs: an object for each app.
    pub fn objects(&self) -> Vec<PathWhy> {
        let idle = self.idle.iter().map(|app| PathWhy {
            path: self.path.clone(),
            app: app.clone(),
            watched: false,
            rule: "it watches no files".to_owned(),
            decided_at: None,
            actions: Vec::new(),
            last: None,
        });
        self.answers.iter().cloned().chain(idle).collect()
    }
}

fn is_outside(answer: &PathWhy) -> bool {
    answer.rule == Rule::Outside.to_string()
}

/// `src/a.log is ignored by app: .gitignore:3: *.log`, `views/a.html is watched by web: the rule views/** reloads it`.
fn sentence(answer: &PathWhy, cwd: &Path) -> String {
    let PathWhy { path, app, watched, rule, decided_at, actions, last: _ } = answer;
    let shown = |path: &str| Path::new(path).strip_prefix(cwd).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    let does = |rule: &ActionView| format!("the rule {} {}", rule.paths.join(", "), deed(rule));
    let rule = if actions.is_empty() {
        shown(rule)
    } else {
        let strongest = if actions.len() > 1 { "; the strongest of them counts" } else { "" };
        format!("{}{strongest}", actions.iter().map(does).collect::<Vec<_>>().join(", "))
    };
    let verdict = if *watched { "watched" } else { "ignored" };
    let place = decided_at.as_deref().map(|folder| format!(" (as all of {})", shown(folder))).unwrap_or_default();
    format!("{path} is {verdict} by {app}: {rule}{place}")
}

/// What a rule does to the app: `reloads it`, `runs "make" and then restarts it`.
fn deed(rule: &ActionView) -> String {
    let action = match rule.action.as_str() {
        "none" => None,
        "reload" => Some("reloads it".to_owned()),
        "restart" => Some("restarts it".to_owned()),
        signal => Some(format!("sends it {signal}")),
    };
    match (&rule.run, action) {
        (Some(line), Some(action)) => format!("runs {line:?} and then {action}"),
        (Some(line), None) => format!("runs {line:?}"),
        (None, Some(action)) => action,
        (None, None) => "does nothing to it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::object, *};

    fn answer(path: &str, app: &str, watched: bool, rule: &str) -> PathWhy {
        PathWhy { path: path.into(), app: app.into(), watched, rule: rule.into(), decided_at: None, actions: Vec::new(), last: None }
    }

    #[test]
    fn answers_are_sentences() {
        let ignored = answer("src/a.log", "app", false, "/p/.gitignore:3: *.log");
        let pruned = PathWhy {
            decided_at: Some("/p/node_modules".into()),
            ..answer("node_modules/x", "app", false, "the built-in pattern \"node_modules/\"")
        };
        let say = |answer: &PathWhy| sentence(answer, Path::new("/p"));
        insta::assert_snapshot!(say(&ignored), @"src/a.log is ignored by app: .gitignore:3: *.log");
        insta::assert_snapshot!(say(&pruned), @r#"node_modules/x is ignored by app: the built-in pattern "node_modules/" (as all of node_modules)"#);
        insta::assert_snapshot!(say(&answer("src/a.js", "app", true, "no rule ignores it")), @"src/a.js is watched by app: no rule ignores it");
        insta::assert_snapshot!(object(&pruned).trim(), @r#"{"path":"node_modules/x","app":"app","watched":false,"rule":"the built-in pattern \"node_modules/\"","decided_at":"/p/node_modules"}"#);
    }

    #[test]
    fn rules_with_an_action_are_told() {
        let rule = |path: &str, run: Option<&str>, action: &str| ActionView {
            paths: vec![path.into()],
            run: run.map(str::to_owned),
            action: action.into(),
        };
        let with = |rules: &[ActionView]| PathWhy { actions: rules.to_vec(), ..answer("a.html", "web", true, "no rule ignores it") };
        let say = |rules: &[ActionView]| sentence(&with(rules), Path::new("/p"));
        let reload = rule("templates/**", None, "reload");
        insta::assert_snapshot!(say(std::slice::from_ref(&reload)), @"a.html is watched by web: the rule templates/** reloads it");
        insta::assert_snapshot!(say(&[rule("*", None, "SIGHUP"), rule("a*", None, "none")]), @"a.html is watched by web: the rule * sends it SIGHUP, the rule a* does nothing to it; the strongest of them counts");
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), "restart")]), @r#"a.html is watched by web: the rule * runs "make x" and then restarts it"#);
        insta::assert_snapshot!(say(&[rule("*", Some("make x"), "none")]), @r#"a.html is watched by web: the rule * runs "make x""#);
        insta::assert_snapshot!(object(&with(&[reload])).trim(), @r#"{"path":"a.html","app":"web","watched":true,"rule":"no rule ignores it","actions":[{"paths":["templates/**"],"run":null,"action":"reload"}]}"#);
    }

    #[test]
    fn each_app_has_its_line_but_those_to_which_a_path_is_nothing() {
        let outside = |app: &str| answer("src/a.js", app, false, &Rule::Outside.to_string());
        let told = Told {
            path: "src/a.js".into(),
            answers: vec![answer("src/a.js", "api", true, "no rule ignores it"), outside("web"), outside("docs"), outside("jobs")],
            idle: vec!["cron".into()],
            paused: vec!["api".into()],
            is_strange: false,
        };
        let say = |told: &Told| told.sentences(Path::new("/p"), |_| "  last: it restarted\n".to_owned());
        insta::assert_snapshot!(say(&told), @r"
        src/a.js is watched by api: no rule ignores it
          last: it restarted
        src/a.js restarts nothing now, because watching is paused for api
        src/a.js is ignored by web, docs and jobs: it lies outside every watched folder
        src/a.js is nothing to cron, which watches no files
        ");
        let nothing = Told { path: "nobody".into(), is_strange: true, ..Told::default() };
        insta::assert_snapshot!(say(&nothing), @r"
        nobody is neither an app of the runner nor a file that is there; of a file of that name:
        nobody is watched by nobody: no app of the runner watches files
        ");
        let objects: Vec<_> = told.objects().into_iter().map(|object| (object.app, object.watched, object.rule)).collect();
        assert_eq!((objects.len(), &objects[4]), (5, &("cron".to_owned(), false, "it watches no files".to_owned())));
    }
}
