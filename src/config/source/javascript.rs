//! Project files in JavaScript: the launch that evaluates one, and what comes of it. What the file prints never mixes with what it
//! exports, which is written into a file of its own.

mod answer;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    config::{
        Host,
        lookup::Search,
        node::{Document, Node, Place, Value},
        place,
        problem::{Problem, Problems},
        request::{End, Output},
    },
    model::{Error, Exit, Hardening, Launch, Level},
};
use answer::{Answer, Thrown};

/// How long a file may run.
pub const LIMIT: Duration = Duration::from_secs(10);

/// The longest result, in bytes.
const LONGEST: u64 = 16 << 20;

/// How many lines are shown of what a file printed before it failed.
const SHOWN: usize = 8;

const PROGRAM: &str = include_str!("evaluate.mjs");
const RESULT: &str = "result.json";
/// Has it load nothing that others can write.
const CAREFUL: &str = "careful";

/// A file that has to be run to be read.
#[derive(Debug)]
pub struct Evaluation {
    /// What runs it. Its standard output and standard error may go to one place; nothing is read from them but for messages.
    pub launch: Launch,
    file: PathBuf,
    text: String,
    /// Readable for us alone: the result may hold secrets. Removed with this value.
    folder: TempDir,
}

impl Evaluation {
    /// What evaluates a file: the project's own node, bun or deno.
    pub(super) fn new(file: PathBuf, text: String, careful: bool, host: &Host) -> Result<Self, Error> {
        let folder = place::folder(&file).to_owned();
        let Some((runtime, args)) = runtime(&folder, host) else {
            let shown = place::shown(&host.cwd, &file);
            return Err(Error::usage(format!(
                "{shown} is JavaScript, and neither node, bun nor deno is in the project's own tools or on PATH"
            ))
            .hint("install one of them, or write the file as pmdev.toml, pmdev.yaml or pmdev.json"));
        };
        let prepare = || {
            let made = tempfile::Builder::new().prefix("pmdev-").tempdir()?;
            fs::write(made.path().join("evaluate.mjs"), PROGRAM)?;
            Ok::<_, io::Error>(made)
        };
        let made = prepare().map_err(|error| {
            Error::failed(format!("{} cannot be evaluated: there is no place for its result", place::shown(&host.cwd, &file)))
                .because(error)
        })?;
        let mut argv = vec![runtime.into_os_string()];
        argv.extend(args.iter().map(OsString::from));
        argv.extend([made.path().join("evaluate.mjs").into(), file.clone().into(), made.path().join(RESULT).into()]);
        argv.extend(careful.then(|| OsString::from(CAREFUL)));
        let env: std::collections::BTreeMap<_, _> = host.env.iter().cloned().collect();
        let launch = Launch { argv, cwd: folder, env: env.into_iter().collect(), hardening: Hardening::default() };
        Ok(Self { launch, file, text, folder: made })
    }

    /// What came of it.
    ///
    /// # Errors
    /// What the file threw and where, or why there is no result. Exit code 2.
    pub fn finish(self, output: &Output, host: &Host) -> Result<Document, Error> {
        let mut modules = Vec::new();
        let outcome = self.outcome(output, &mut modules);
        let Self { file, text, .. } = self;
        modules.retain(|module| *module != file && is_near(module, &[place::folder(&file), &host.cwd]));
        host.seen.modules(&modules);
        match outcome {
            Ok(root) => {
                let said = output.said.trim();
                let warnings = (!said.is_empty()).then(|| {
                    let told = Problem::error(&file, Place::Unknown, "it printed this while it was read").found(last_lines(said));
                    Problem { level: Level::Info, ..told }
                });
                Ok(Document { file, text: None, root, modules, warnings: warnings.into_iter().collect() })
            }
            Err(problem) => {
                let error = Problems(vec![*problem]).into_error(Some(&text), &host.cwd);
                let said = output.said.trim();
                Err(if said.is_empty() { error } else { error.because(format!("before that it printed\n{}", last_lines(said))) })
            }
        }
    }

    fn outcome(&self, output: &Output, modules: &mut Vec<PathBuf>) -> Result<Node, Box<Problem>> {
        let problem = |message: String| Box::new(Problem::error(&self.file, Place::Unknown, message));
        let exit = match output.end {
            End::Limit => {
                let message = format!("it still ran after {} s, and was killed with all it had started", LIMIT.as_secs());
                return Err(Box::new(problem(message).example("a file that exports its apps and waits for nothing")));
            }
            End::Exited(exit) => exit,
        };
        let (answer, loaded) = Answer::read(&self.result(), &format!("it ended ({exit}) before its export was there")).map_err(problem)?;
        *modules = loaded;
        let node = match answer {
            Answer::Value(node) => node,
            Answer::Thrown(thrown) => return Err(Box::new(self.thrown(&thrown))),
            Answer::Refused { path, mode } => {
                let shown = path.display();
                let text =
                    format!("it loads {shown}, which others than root can write (mode {:03o}), and root runs what it says", mode & 0o777);
                return Err(Box::new(problem(text).example(format!("chmod go-w {}", shell_words::quote(&shown.to_string())))));
            }
            Answer::Unfinished { left: true } => {
                return Err(problem(format!("it called process.exit() before its export was there ({exit})")));
            }
            // Node's code for a promise that nothing can settle any more, <https://nodejs.org/api/process.html#exit-codes>
            Answer::Unfinished { left: false } if matches!(exit, Exit::Code(0 | 13)) => {
                return Err(problem("its export is a promise that never settles".to_owned()));
            }
            Answer::Unfinished { left: false } => return Err(problem(format!("it failed before its export was there ({exit})"))),
        };
        let nothing = match &node.value {
            Value::Null | Value::Other("undefined") => true,
            Value::Map(entries) => entries.is_empty(),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Regex { .. } | Value::Other(_) => {
                false
            }
        };
        if nothing {
            let module = self.file.extension().is_some_and(|extension| extension == "mjs");
            let example = super::Format::JavaScript.example();
            let example = if module { example.replace("module.exports =", "export default") } else { example.to_owned() };
            return Err(Box::new(problem("it exports nothing".to_owned()).example(example)));
        }
        Ok(node)
    }

    /// The bytes of the result; empty where there is none.
    fn result(&self) -> Vec<u8> {
        let file = self.folder.path().join(RESULT);
        if file.metadata().is_ok_and(|data| data.len() > LONGEST) { Vec::new() } else { fs::read(file).unwrap_or_default() }
    }

    /// An exception, at its place in this file; where it came from another, that is told.
    fn thrown(&self, thrown: &Thrown) -> Problem {
        let own = thrown.places.iter().find(|(path, ..)| self.is_own(path));
        let place = own.map_or(Place::Unknown, |(_, line, column)| Place::At { line: *line, column: (*column).max(1), len: 0 });
        let name = if thrown.name.is_empty() { "it threw " } else { "" };
        let separator = if thrown.name.is_empty() { "" } else { ": " };
        let elsewhere = thrown.places.first().filter(|(path, ..)| !self.is_own(path));
        let elsewhere =
            elsewhere.map(|(path, line, column)| format!(" (thrown at {}:{line}:{column})", path.display())).unwrap_or_default();
        let causes: String = thrown.causes.iter().map(|cause| format!("; because: {cause}")).collect();
        // Node's message of a missing module goes on with a list of who asked for it, which the place tells.
        let message = thrown.message.split("\nRequire stack:").next().unwrap_or_default();
        let problem = Problem::error(&self.file, place, format!("{name}{}{separator}{message}{elsewhere}{causes}", thrown.name));
        let is_module =
            ["import statement outside a module", "Unexpected token 'export'", "import.meta"].iter().any(|words| message.contains(words));
        let is_script =
            ["module is not defined in ES module", "require is not defined in ES module", "exports is not defined in ES module"];
        if is_module {
            problem.example("the name ending in .mjs, or \"type\": \"module\" in package.json")
        } else if is_script.iter().any(|words| message.contains(words)) {
            problem.example("the name ending in .cjs, or export default instead of module.exports")
        } else {
            problem
        }
    }

    fn is_own(&self, path: &Path) -> bool {
        path == self.file || path.canonicalize().is_ok_and(|path| self.file.canonicalize().is_ok_and(|file| file == path))
    }
}

/// The program that runs a file of this folder, and its arguments before the script: node, bun or deno; the one first whose own file lies here.
fn runtime(folder: &Path, host: &Host) -> Option<(PathBuf, &'static [&'static str])> {
    const NODE: (&str, &[&str]) = ("node", &[]);
    const BUN: (&str, &[&str]) = ("bun", &[]);
    const DENO: (&str, &[&str]) = ("deno", &["run", "--allow-all", "--quiet"]);
    let has = |names: &[&str]| names.iter().any(|name| folder.join(name).is_file());
    let order = if has(&["deno.json", "deno.jsonc"]) {
        [DENO, NODE, BUN]
    } else if has(&["bun.lock", "bun.lockb"]) {
        [BUN, NODE, DENO]
    } else {
        [NODE, BUN, DENO]
    };
    let search = Search::new(folder, host);
    order.into_iter().find_map(|(name, args)| Some((search.find(name)?, args)))
}

/// Whether a file is the project's own: below one of these folders, and in no package.
fn is_near(module: &Path, folders: &[&Path]) -> bool {
    let is_package = |part: std::path::Component| part.as_os_str() == "node_modules";
    let below = |folder: &&Path| {
        // A loader may have resolved the links of the way.
        let real = folder.canonicalize();
        [Some(*folder), real.as_deref().ok()].into_iter().flatten().find_map(|folder| module.strip_prefix(folder).ok())
    };
    folders.iter().find_map(below).is_some_and(|rest| !rest.components().any(is_package))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}
