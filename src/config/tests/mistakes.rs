//! Project files that say something wrong, and what people read then.

use super::*;

/// What is said about a file, and with which exit code.
fn said(project: &Project, text: &str) -> String {
    project.file("pmdev.json", text);
    project.refusal(&request(&[]))
}

fn project() -> Project {
    let project = Project::new(&["node", "python3"]);
    project.files(&["app.js", "src/server.js", "worker.py"]);
    project.file("broken.env", "A=1\nB='x\n");
    project
}
