//! How a runner ends: with everything shown that was said.

use crate::support::{Project, programs};

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

#[test]
fn as_the_first_process_of_a_pid_namespace_it_ends_with_the_code_of_its_app() {
    // Its process group is then one that the namespace has no number for.
    let wrapper = ["unshare", "-Ur", "--pid", "--fork", "--mount-proc"];
    let project = Project::empty();
    if !programs::have(&["unshare"]) {
        return;
    }
    if let Err(why) = project.try_run(wrapper[0], &[&wrapper[1..], &["true"]].concat()) {
        programs::skip(&format!("no user and pid namespaces here: {why}"));
        return;
    }
    project.script("app.sh", "echo \"process $$ of $PPID\"\nsleep 1000 &\nexit 3\n");
    let ending = project.pmdev(["start", "app.sh", "--no-watch"]).wrapped(&wrapper).finish();
    assert_eq!(ending.code, Some(3), "{}", ending.all());
    assert!(ending.out.contains(" of 1\n"), "no guard is needed above process 1: {}", ending.all());
}
