//! Process files as they are in the wild.

use crate::support::{Project, verb, words::says};

#[test]
fn process_files_in_the_wild_are_read() {
    let project = Project::empty();
    project.script("a.sh", "echo \"$0 runs\"\nexec sleep 1000000\n");
    for (name, text) in [
        ("comments.json", "// apps\n{ apps: [ { name: 'wild', script: './a.sh', /* once */ watch: false, }, ], }"),
        ("pm2.json", r#"{ "pm2": [ { "name": "wild", "script": "a.sh" } ] }"#),
        ("list.json", r#"[ { "name": "wild", "cmd": "a.sh" } ]"#),
        ("one.json", r#"{ "name": "wild", "command": "a.sh" }"#),
    ] {
        project.save(name, text);
        let mut runner = project.start([name, "--no-watch"]);
        runner.wait_for(&says("a.sh runs"));
        assert!(verb(&project, &["list", "--json"], 0).out.contains("\"wild\""), "{name}");
        verb(&project, &["kill"], 0);
        assert_eq!(runner.finish().code, Some(0));
    }
}
