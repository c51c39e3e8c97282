//! How a runner ends: with everything shown that was said.

use crate::support::Project;

#[test]
fn the_last_words_of_what_an_app_leaves_behind_are_shown() {
    let project = Project::empty();
    // The main process is gone at once; what it left behind says much when it is told to end.
    let script = "rm -f ../outside/ready\n\
                  bash -c 'trap \"seq 30000; printf end; exit\" TERM; touch ../outside/ready; while :; do sleep 0.01; done' &\n\
                  until [ -e ../outside/ready ]; do sleep 0.01; done\n";
    project.script("app.sh", script);
    for _ in 0..10 {
        let ending = project.pmdev(["start", "app.sh", "--no-watch"]).finish();
        assert!(ending.out.ends_with("\n30000\nend"), "it ends with {:?}", ending.out.lines().last());
    }
}
