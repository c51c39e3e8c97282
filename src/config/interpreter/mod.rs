//! From a script to the program that runs it: `--interpreter`, else its `#!` line, else the table, else the script itself where it is executable.
//! It looks for programs and never starts the script; only Node is asked for its version, and only where the answer decides.
//! The table is in [`table`], `#!` lines are read in [`shebang`].

pub mod shebang;
pub mod table;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::model::Error;

use super::{Host, Request, build, lookup::Search, place, program::Program};
use shebang::Shebang;
use table::{Candidate, How, Only};

/// A script to be run.
#[derive(Debug)]
pub struct Script<'a> {
    /// The file, absolute.
    pub path: &'a Path,
    /// As people typed it, for messages.
    pub shown: String,
    /// The app's folder.
    pub cwd: &'a Path,
    /// Where programs are looked for.
    pub search: &'a Search,
    /// `--interpreter-args`, split.
    pub args: Vec<OsString>,
}

impl Script<'_> {
    /// The script as an argument: as short as it can be from the app's folder, and never like an option.
    fn argument(&self) -> OsString {
        let short = place::shown(self.cwd, self.path);
        if short.starts_with('-') { format!("./{short}").into() } else { self.path.strip_prefix(self.cwd).unwrap_or(self.path).into() }
    }
}

/// `--interpreter-args`, split as a shell would.
pub fn arguments(request: &Request) -> Result<Vec<OsString>, Error> {
    let mut words = Vec::new();
    for line in &request.interpreter_args {
        let split = shell_words::split(line).map_err(|_| Error::usage(format!("--interpreter-args {line}: a quote is not closed")))?;
        words.extend(split.into_iter().map(OsString::from));
    }
    Ok(words)
}

/// The program for a script.
pub fn choose(script: &Script, request: &Request, host: &Host) -> Result<Program, Error> {
    let mut program = without_maps(script, request, host)?;
    if wants_maps(&program, script, request, host) {
        program.argv.insert(1, SOURCE_MAPS.into());
    }
    Ok(program)
}

/// Makes Node read the map of each file it loads, <https://nodejs.org/api/cli.html#--enable-source-maps>
const SOURCE_MAPS: &str = "--enable-source-maps";

/// Whether Node is to map stack traces to the sources, and nobody has told it already. Bun and Deno do by themselves.
fn wants_maps(program: &Program, script: &Script, request: &Request, host: &Host) -> bool {
    let node = program.argv.first().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == "node");
    let ext = script.path.extension().and_then(|ext| ext.to_str());
    let says = |word: &str| word == SOURCE_MAPS || word == "--no-enable-source-maps";
    let said = program.argv.iter().any(|word| word.to_str().is_some_and(says))
        || host.text("NODE_OPTIONS").is_some_and(|options| options.split_whitespace().any(says));
    let beside = || ext.is_some_and(|ext| script.path.with_extension(format!("{ext}.map")).is_file());
    node && !said && matches!(ext, Some("js" | "cjs" | "mjs")) && request.source_maps.unwrap_or_else(beside)
}

fn without_maps(script: &Script, request: &Request, host: &Host) -> Result<Program, Error> {
    match request.interpreter.as_deref() {
        Some("none") => return itself(script, "it is not executable"),
        Some(name) => return named(name, &format!("--interpreter {name}"), script, &script.args, host),
        None => {}
    }
    let row = table::row(script.path);
    let own = request.interpreters.iter().find(|(ext, _)| script.path.extension().is_some_and(|found| found == ext.as_str()));
    if let Some(shebang) = shebang::read(script.path) {
        let typescript = row.is_some_and(table::Row::strips_types) && shebang.program() == "node";
        // Compilers keep the first line of a TypeScript source, so there it speaks of the compiled file.
        if !typescript {
            match by_shebang(&shebang, script) {
                Some(program) => return Ok(program),
                None if row.is_none() && own.is_none() => return Err(shebang_missing(&shebang, script)),
                None => {}
            }
        }
    }
    if let Some((ext, words)) = own {
        let args: Vec<_> = words[1..].iter().map(OsString::from).chain(script.args.iter().cloned()).collect();
        return named(&words[0], &format!("interpreters.{ext}: {}", words[0]), script, &args, host);
    }
    match row {
        Some(row) => match row.how {
            How::Run(candidates) => by_table(candidates, script, host),
            How::Build(builder) => build::program(builder, script, host),
        },
        None => {
            let ext = script.path.extension().map(|ext| format!("no interpreter is known for .{}", ext.display()));
            let ext = ext.as_deref().unwrap_or("it has no extension");
            itself(script, &format!("{ext}, it has no #! line, and it is not executable"))
        }
    }
}

/// Runs a file as it is.
fn itself(script: &Script, why_not: &str) -> Result<Program, Error> {
    if !place::executable(script.path) {
        let shown = &script.shown;
        let error = Error::usage(format!("{shown} cannot be run: {why_not}"));
        return Err(error.hint(format!("make it executable: chmod +x {shown}, or name its interpreter: --interpreter PROGRAM")));
    }
    Ok(Program {
        argv: vec![script.path.into()],
        hint: Some(format!("{} was executable when pmdev started; to run it by another program: --interpreter PROGRAM", script.shown)),
        ..Program::default()
    })
}

/// Runs a script by the program that people name; `called`: how they did.
fn named(name: &str, called: &str, script: &Script, args: &[OsString], host: &Host) -> Result<Program, Error> {
    if let Some(builder) = table::builder(name) {
        return build::program(builder, script, host);
    }
    let program = if name.contains('/') {
        Some(place::absolute(&host.cwd, Path::new(name))).filter(|path| place::executable(path))
    } else {
        script.search.find(name)
    };
    let Some(path) = program else {
        let looked = if name.contains('/') { "there is no such program" } else { "it is neither in the project's own tools nor on PATH" };
        let error = Error::missing(format!("{called} was not found: {looked}"));
        let names = script.search.names();
        return Err(match super::near::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}? `none` runs {} itself", script.shown)),
            None => error.hint(format!("install it, or name another; `none` runs {} itself", script.shown)),
        });
    };
    let base = path.file_name().and_then(|base| base.to_str()).unwrap_or(name);
    let argv0 = if name.contains('/') { path.clone().into() } else { script.search.word(name, &path) };
    // Arguments of the user's replace those of the table: `deno` alone gets `run --allow-all`, `deno` with arguments gets those.
    let args = if args.is_empty() { table::args_of(base).iter().map(OsString::from).collect() } else { args.to_vec() };
    let mut argv = vec![argv0];
    argv.extend(args);
    argv.push(script.argument());
    Ok(Program { argv, env: table::env_of(base), hint: Some(set_another(name)), ..Program::default() })
}

/// Runs a script by its `#!` line, where the program is there.
fn by_shebang(shebang: &Shebang, script: &Script) -> Option<Program> {
    let written = Path::new(shebang.words.first()?);
    let name = shebang.program();
    // A line that names a place where the program is not (`/usr/local/bin/node`) still names the program.
    let argv0 = if written.is_absolute() && place::executable(written) {
        written.into()
    } else {
        script.search.find(&name).map(|path| script.search.word(&name, &path))?
    };
    let mut argv = vec![argv0];
    argv.extend(shebang.words[1..].iter().map(OsString::from));
    argv.extend(script.args.iter().cloned());
    argv.push(script.argument());
    Some(Program { argv, env: table::env_of(&name), hint: Some(set_another(&name)), ..Program::default() })
}

fn shebang_missing(shebang: &Shebang, script: &Script) -> Error {
    let program = shebang.program();
    Error::missing(format!("{} asks for {program} in its first line ({}), which was not found", script.shown, shebang.line))
        .hint(set_another(&program))
}

/// Runs a script by the first candidate of its row that is there.
fn by_table(candidates: &[Candidate], script: &Script, host: &Host) -> Result<Program, Error> {
    let mut looked_for = Vec::new();
    for candidate in candidates {
        match find(candidate, script, host) {
            Ok((path, mut args)) => {
                let name = candidate.program;
                let mut argv = vec![script.search.word(name, &path)];
                argv.append(&mut args);
                argv.extend(script.args.iter().cloned());
                argv.push(script.argument());
                return Ok(Program { argv, env: table::env_of(name), hint: Some(set_another(name)), ..Program::default() });
            }
            Err(what) => looked_for.push(what),
        }
    }
    let wanted = candidates.first().map(|candidate| candidate.program).unwrap_or_default();
    let error = match looked_for.as_slice() {
        [one] => Error::missing(format!("{} needs {one}, which was not found in the project or on PATH", script.shown)),
        several => Error::missing(format!("{} needs one of these, and none was found: {}", script.shown, several.join(", "))),
    };
    Err(error.hint(set_another(wanted)))
}

/// A candidate's program and its own arguments, or what was looked for in vain.
fn find(candidate: &Candidate, script: &Script, host: &Host) -> Result<(PathBuf, Vec<OsString>), String> {
    let name = candidate.program;
    let mut args: Vec<OsString> = candidate.args.iter().map(OsString::from).collect();
    let path = match candidate.only {
        Only::Anywhere => script.search.find(name).ok_or_else(|| name.to_owned())?,
        Only::Project => script.search.find_local(name).ok_or_else(|| format!("{name} in node_modules"))?,
        Only::StripsTypes => {
            let (major, minor) = table::STRIPS_TYPES;
            let wanted = format!("{name} {major}.{minor} or newer");
            let path = script.search.find(name).ok_or_else(|| wanted.clone())?;
            let version = node_version(&path, script, host).ok_or_else(|| format!("{wanted} (its version could not be read)"))?;
            if version < table::STRIPS_TYPES {
                return Err(format!("{wanted} (here is {}.{})", version.0, version.1));
            }
            if !table::strips_types_unasked(version) {
                args.push("--experimental-strip-types".into());
            }
            path
        }
    };
    Ok((path, args))
}

/// Node's major and minor version, as it tells them.
fn node_version(node: &Path, script: &Script, host: &Host) -> Option<(u32, u32)> {
    let answer = host.tool(vec![node.into(), "--version".into()], script.cwd, script.search.path()).ok()?;
    let mut numbers = answer.trim().strip_prefix('v')?.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

fn set_another(program: &str) -> String {
    format!("install {program}, or name another program: --interpreter PROGRAM")
}
