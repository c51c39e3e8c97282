use super::*;
use crate::config::source::{discover, is_project_file};

#[test]
fn the_first_by_name_is_taken() {
    let project = Project::new();
    let found = || discover(&project.host.cwd).map(|file| file.strip_prefix(&project.host.cwd).unwrap().display().to_string());
    assert_eq!(found(), None);
    project.file("package.json", r#"{ "name": "x", "scripts": { "dev": "pmdev start" } }"#);
    assert_eq!(found(), None, "a package that calls pmdev has no key of that name");
    // From the last to the first.
    project.file("Procfile", "web: node web.js");
    assert_eq!(found().as_deref(), Some("Procfile"));
    project.file("package.json", r#"{ "pmdev": { "apps": [] } }"#);
    assert_eq!(found().as_deref(), Some("package.json"));
    let names = "process.yml process.yaml process.json ecosystem.config.yml ecosystem.config.yaml ecosystem.config.json5 ecosystem.config.json \
                 ecosystem.config.mjs ecosystem.config.cjs ecosystem.config.js pmdev.config.mjs pmdev.config.cjs pmdev.config.js pmdev.json pmdev.yml \
                 pmdev.yaml pmdev.toml";
    for name in names.split_whitespace() {
        project.file(name, "");
        assert_eq!(found().as_deref(), Some(name));
        assert!(is_project_file(Path::new(name)), "{name}");
    }
    fs::remove_file(project.host.cwd.join("pmdev.toml")).unwrap();
    fs::create_dir(project.host.cwd.join("pmdev.toml")).unwrap();
    assert_eq!(found().as_deref(), Some("pmdev.yaml"), "a folder is no file");
}

#[test]
fn a_named_file_is_a_project_file_or_something_to_run() {
    for name in ["apps.json", "services.yaml", "Procfile.dev", "my.config.cjs", "apps.pmdev.toml", "ecosystem.json"] {
        assert!(is_project_file(Path::new(name)), "{name}");
    }
    for name in ["app.js", "Cargo.toml", "package.json", "deno.json", "package-lock.json", "main.py", "Procfilex", "config", "/"] {
        assert!(!is_project_file(Path::new(name)), "{name}");
    }
}
