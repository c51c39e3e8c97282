//! What follows for an app from those that need it, and from those that it needs: jobs, apps that were left out, messages nobody can send.

use crate::{
    config::{
        Channel, channel,
        node::{Document, Place},
        problem::Problem,
    },
    model::{AfterExit, AppSpec, Condition, ExecMode, Probe},
};

use super::{App, request::value, spec::can_share};

/// An app that others need to be over stays so once it has ended with code 0, unless the file asks for the contrary.
pub fn let_jobs_end(chosen: &[&App], specs: &mut [AppSpec]) {
    let jobs: Vec<String> = specs
        .iter()
        .flat_map(|spec| &spec.depends_on)
        .filter(|needed| needed.condition == Condition::Completed)
        .map(|needed| needed.app.clone())
        .collect();
    for (app, spec) in chosen.iter().zip(specs) {
        let restarts = matches!(spec.restart.after_exit, AfterExit::Restart(_)) && value(&app.layer.keys.autorestart) != Some(true);
        if restarts && jobs.contains(&spec.name) && !spec.restart.stop_exit_codes.contains(&0) {
            spec.restart.stop_exit_codes.push(0);
        }
    }
}

/// Apps that are needed and were left out by `--only`: they are not waited for.
pub fn tell_left_out(chosen: &[&App], all: &[App], document: &Document, problems: &mut Vec<Problem>) {
    for app in chosen {
        let Some(given) = &app.layer.keys.depends_on else { continue };
        let is_there = |name: &str| all.iter().any(|other| other.name == name);
        let runs = |name: &str| chosen.iter().any(|other| other.name == name);
        let missing: Vec<_> = given.value.0.iter().filter(|(needed, _)| is_there(&needed.app) && !runs(&needed.app)).collect();
        let Some((_, place)) = missing.first() else { continue };
        let names = missing.iter().map(|(needed, _)| needed.app.as_str()).collect::<Vec<_>>().join(", ");
        let place = if *place == Place::Unknown { given.place } else { *place };
        let message = format!("{} needs {names}, but that is not to run; {0} does not wait for it", app.name);
        problems.push(Problem::error(&document.file, place, message).warning().about(&given.path));
    }
}

/// Apps that are to say or be told something over Node's channel, whose program is not the one that would have it.
pub fn tell_lost_channels(chosen: &[&App], specs: &[AppSpec], document: &Document, problems: &mut Vec<Problem>) {
    for (app, spec) in chosen.iter().zip(specs) {
        let keys = &app.layer.keys;
        if let Some(given) = keys.exec_mode.as_ref().filter(|given| given.value == ExecMode::Cluster)
            && !can_share(&spec.launch)
        {
            let program = spec.launch.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
            let message = format!(
                "{} runs in fork mode, and its instances share no port: pmdev starts {program}, and only a script that node itself runs takes part in a cluster",
                spec.name
            );
            let problem = Problem::error(&document.file, given.place, message).warning();
            problems.push(problem.example(r#"script: "server.js""#));
        }
        let Channel::Lost(keeper) = channel(&spec.launch) else { continue };
        let name = &spec.name;
        if spec.ready.by == Probe::Message {
            let place = keys.ready.as_ref().map(|given| given.place).or(keys.wait_ready.as_ref().map(|given| given.place));
            let message = format!(
                "{name} is ready only when it says process.send('ready'), but pmdev starts {keeper}, which has no such message to pass on"
            );
            let problem = Problem::error(&document.file, place.unwrap_or(Place::Unknown), message).warning();
            problems.push(problem.example(r#"script: "server.js", or another sign: ready: 3000"#));
        }
        if let (true, Some(given)) = (spec.stop.message, &keys.shutdown_with_message) {
            let signal = spec.stop.signal;
            let message = format!(
                "{name} is to be told to stop by a message, but pmdev starts {keeper}, which does not get it; {signal} is sent instead"
            );
            problems.push(Problem::error(&document.file, given.place, message).warning().about(&given.path));
        }
    }
}
