//! As whom apps run and what they may use: every stage with what it brings about, and with its message where it fails.
//!
//! Most of it takes root, and rights that a container's root need not have: what is not there is skipped, and said.

mod files;
mod links;
mod masks;
mod stages;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::support::{Project, programs};

/// A project whose folder every user can enter, with one app in its project file: `rights.sh` with these keys.
fn project(keys: Value) -> Project {
    let project = Project::empty();
    open(project.root.parent().expect("it lies in a folder"), 0o755);
    project.script("rights.sh", RIGHTS);
    declare(&project, keys);
    project
}

/// Writes the project file.
fn declare(project: &Project, keys: Value) {
    let mut app = json!({ "name": "app", "script": "./rights.sh", "interpreter": "none", "autorestart": false });
    app.as_object_mut().expect("it is one").extend(keys.as_object().expect("keys are a map").clone());
    project.save("pmdev.json", json!([app]).to_string());
}

/// Sets the mode of something.
fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// Prints what it was born with, a `NAME=VALUE` each line.
const RIGHTS: &str = r#"#!/bin/sh
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status | tr '\t' ' ' | sed 's/ *$//'; }
limit() { sed -n "s/^$1  *\([^ ]*\)  *\([^ ]*\) .*/\1 \2/p" /proc/self/limits; }
echo "uid=$(status Uid)"
echo "gid=$(status Gid)"
echo "groups=$(status Groups)"
echo "no_new_privs=$(status NoNewPrivs)"
echo "nofile=$(limit 'Max open files')"
echo "nproc=$(limit 'Max processes')"
echo "core=$(limit 'Max core file size')"
echo "nice=$(nice)"
echo "oom_score_adj=$(cat /proc/self/oom_score_adj)"
echo "umask=$(umask)"
echo "descriptors=$(ls /proc/$$/fd | tr '\n' ' ')"
echo "home=$HOME user=$USER logname=$LOGNAME"
echo "reopened=yes" > /dev/stdout
env | sed 's/^/env:/'
"#;

/// The line of an app's output that begins so, without it.
#[track_caller]
fn value<'a>(out: &'a str, name: &str) -> &'a str {
    let line = out.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{name} was not printed:\n{out}"))
}

/// A user that every system has, by name, with its number and group; `None`, with a word, where we cannot become it.
fn nobody() -> Option<(&'static str, String, String)> {
    if !crate::process::can_become_others() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("it is there");
    let Some(line) = passwd.lines().find(|line| line.starts_with("nobody:")) else {
        programs::skip("there is no user nobody");
        return None;
    };
    let fields: Vec<&str> = line.split(':').collect();
    Some(("nobody", fields[2].to_owned(), fields[3].to_owned()))
}
