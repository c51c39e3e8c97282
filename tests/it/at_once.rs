//! What is started twice at the same moment: one runner of the same apps, one background runner of a home.

use rustix::process::Signal;

use crate::{
    background::Home,
    support::{
        PATIENCE, Project,
        clock::{comes_true, until},
        words::says,
    },
};

/// How often each race is run: who wins, and by how much, is chance.
const ROUNDS: usize = 15;

#[test]
fn of_two_runners_of_the_same_apps_one_is_refused_whoever_is_first() {
    let project = Project::empty();
    project.script("api.sh", "exec sleep 1000000\n");
    for round in 0..ROUNDS {
        let mut both: Vec<_> = (0..3).map(|_| project.pmdev(["start", "api.sh"]).spawn()).collect();
        let is_over = |both: &Vec<crate::support::Runner<'_>>| both.iter().filter(|runner| runner.exit().is_some()).count() >= 2;
        assert!(comes_true(PATIENCE, || is_over(&both)), "round {round}: nobody was refused");
        let winner = both.iter().position(|runner| runner.exit().is_none()).unwrap_or_else(|| panic!("round {round}: nobody runs it"));
        let mut winner = both.swap_remove(winner);
        for loser in both {
            let ending = loser.finish();
            assert!(ending.code == Some(1) && ending.err.contains("api runs already, by the runner of this folder"), "{}", ending.all());
            assert!(!ending.out.contains("api started"), "{}", ending.all());
        }
        winner.wait_for(&says("api started"));
        winner.signal(Signal::INT);
        assert_eq!(winner.finish().code, Some(0));
    }
}

#[test]
fn other_apps_at_the_same_moment_are_no_reason_to_refuse() {
    let project = Project::empty();
    for name in ["api", "web", "db"] {
        project.script(&format!("{name}.sh"), "exec sleep 1000000\n");
    }
    let all: Vec<_> =
        ["api", "web", "db"].map(|name| (name, project.pmdev(["start", &format!("{name}.sh")]).spawn())).into_iter().collect();
    for (name, mut runner) in all {
        runner.wait_for(&says(format!("{name} started")));
    }
}

#[test]
fn several_who_start_the_background_runner_at_once_get_one_and_their_apps() {
    for round in 0..ROUNDS {
        let home = Home::new();
        home.project.script("db.sh", "exec sleep 1000000\n");
        let all: Vec<_> = ["api", "web", "db"]
            .map(|name| home.project.pmdev(["start", "-d", "--no-wait", &format!("{name}.sh")]).spawn())
            .into_iter()
            .collect();
        for start in all {
            let ending = start.finish();
            assert_eq!(ending.code, Some(0), "round {round}: {}", ending.all());
        }
        let names = || -> Vec<String> {
            let mut names: Vec<String> = home.states().iter().filter_map(|state| state.split(' ').nth(1).map(str::to_owned)).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["api", "db", "web"], "round {round}");
        let runners = || home.project.alive().into_iter().filter(|process| process.command.contains("__background")).count();
        // The guard, and the runner itself; one that has found it in its place is gone soon.
        let settled = until(PATIENCE, || (runners() <= 2).then(runners));
        assert_eq!(settled, Some(2), "round {round}");
        home.verb(&["kill"], 0);
    }
}
