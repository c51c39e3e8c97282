//! The reference of a project file's keys as Markdown, made from the table of keys.

use std::fmt::Write as _;

use super::{
    element::{About, Element as _, Fate, interpreters::Interpreters},
    keys::AppKeys,
};

const HEAD: &str = "\
# Keys of a project file

A project file declares apps: `apps` (or PM2's `pm2`) with a list of them, a bare list, or one bare app. Every key is taken in camelCase as well
(`killTimeout`), under PM2's other names, and nothing is read that does not stand here: an unknown key is a warning with a suggestion, a wrong
value an error that shows the place and a valid one. Null counts as not given.

Numbers may be written as text (`\"3000\"`), and so may `true` and `false`. Sizes count by 1024: `512M`, `1.5G`, or bytes. Durations: `5s`, `2m`,
`1.5h`, or milliseconds. Paths of an app count from its `cwd`; `cwd` itself counts from the folder the command was typed in, then from that of the file.

Variables, from low to high: the caller's, the files of `env_file`, `env`, `port`, the profile's `env_NAME` (`env_development` and `env_dev`, or
`env_production` and `env_prod`), the `env_NAME` of `--env NAME`. Every instance also gets `NODE_APP_INSTANCE` (or `instance_var`), `name` and `pm_id`.

";

/// The reference.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let table: Vec<About> = AppKeys::KEYS.iter().map(|key| key.about).collect();
    let of = |wanted: fn(Fate) -> bool| table.iter().filter(|about| wanted(about.fate)).collect::<Vec<_>>();
    text.push_str("## Keys of an app\n\n");
    for about in of(|fate| fate == Fate::Honoured) {
        key(&mut text, about);
    }
    let _ = write!(
        text,
        "### `env_NAME`\n\nVariables for one environment, laid over `env`. Takes a map of variables.\n\n```\nenv_production: {{ \"LOG_LEVEL\": \"warn\" }}\n```\n\n"
    );
    text.push_str("## Keys that are checked and kept\n\nThis version does not carry them out yet, and says so where one is used.\n\n");
    for about in of(|fate| matches!(fate, Fate::Later(_))) {
        key(&mut text, about);
    }
    text.push_str("## Keys that do nothing\n\nThey are accepted because PM2's files have them; one that asks for something is answered by a warning.\n\n");
    text.push_str("| key | PM2's meaning | why it does nothing |\n| --- | --- | --- |\n");
    for about in &table {
        if let Fate::Ignored(why) = about.fate {
            let _ = writeln!(text, "| {} | {} | {why} |", names(about), about.doc.trim().trim_end_matches('.'));
        }
    }
    let _ = write!(
        text,
        "\n## Keys of the file\n\n### `interpreters`\n\nHow scripts are run, by extension, above what is known anyway. Takes {}.\n\n```\ninterpreters: {{ \".ts\": \"tsx\", \".py\": \"python3 -u\" }}\n```\n\n",
        Interpreters::WHAT
    );
    text.push_str("### `deploy`, `static`\n\nPM2's; accepted, and named in a warning, because pmdev neither copies apps to servers nor serves files.\n");
    text
}

fn key(text: &mut String, about: &About) {
    let _ = write!(text, "### {}\n\n{} Takes {}.\n\n", names(about), about.doc.trim(), about.what);
    let _ = write!(text, "```\n{}: {}\n```\n\n", about.name, about.example);
    let inner = (about.inner)();
    if !inner.is_empty() {
        text.push_str("| key | what it is for | takes |\n| --- | --- | --- |\n");
        for about in &inner {
            let what = match about.fate {
                Fate::Ignored(why) => format!("nothing: {why}"),
                Fate::Honoured | Fate::Later(_) => about.what.to_owned(),
            };
            let _ = writeln!(text, "| {} | {} | {what} |", names(about), about.doc.trim().trim_end_matches('.'));
        }
        text.push('\n');
    }
}

/// `` `script` (`exec`, `cmd`, `command`) ``.
fn names(about: &About) -> String {
    let others: Vec<String> = about.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    if others.is_empty() { format!("`{}`", about.name) } else { format!("`{}` ({})", about.name, others.join(", ")) }
}
