//! What shall run is edited: the files that say so, and other things to watch from then on.

use super::*;

fn app(world: &Path, id: u32, root: &str, change: impl FnOnce(&mut WatchSpec)) -> Watched {
    let roots = vec![WatchRoot::Tree { path: world.join(root), explicit: true }];
    let change = |spec: &mut WatchSpec| {
        spec.roots = roots;
        change(spec);
    };
    Watched { app: AppId(id), name: format!("app{id}"), spec: spec(world, change), rules: Vec::new() }
}

/// Two apps in folders of their own, one that watches everything, and a project file with an env file beside it.
fn world() -> (World, Vec<Watched>, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    for name in ["api/a.js", "web/a.js", "lib/a.js"] {
        fs::create_dir(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let files = ["pmdev.toml", ".env"].map(|name| dir.path().join(name));
    files.iter().for_each(|file| fs::write(file, "old").unwrap());
    let apps = vec![app(dir.path(), 0, "api", |_| ()), app(dir.path(), 1, "web", |_| ()), app(dir.path(), 2, "", |_| ())];
    let wanted = Wanted { apps: apps.clone(), files: files.to_vec(), modules: Vec::new(), read_at: stamp() + Duration::from_secs(1) };
    (World::with(dir, wanted), apps, files.to_vec())
}

impl World {
    fn reform(&mut self, apps: &[Watched], files: &[PathBuf]) {
        self.watcher.watch(Wanted { apps: apps.to_vec(), files: files.to_vec(), modules: Vec::new(), read_at: stamp() });
    }

    /// The names of the files that were edited.
    fn edited(&mut self) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        self.until("edit of a project file", |out| match out {
            Out::ProjectFile { paths } => Some(paths.iter().map(name).collect()),
            _ => None,
        })
    }

    /// A save that exactly these apps are told of; nobody was told of anything before.
    fn concerns(&mut self, name: &str, apps: &[u32]) {
        self.write(name, format!("{:?}", now()));
        let mut told = Vec::new();
        while told.len() < apps.len() {
            let (app, changes) = self.changed(name);
            assert!(changes.paths[0].0.ends_with(name), "{}", self.heard.join("\n"));
            told.push(app.0);
        }
        told.sort_unstable();
        assert_eq!(told, apps, "{}", self.heard.join("\n"));
    }
}

#[test]
fn files_that_say_what_shall_run_are_told_and_in_no_change_set() {
    let (mut world, ..) = world();
    world.write("pmdev.toml", "old");
    world.skipped("pmdev.toml was saved with the bytes it had");
    world.write("pmdev.toml", "new");
    assert_eq!(world.edited(), ["pmdev.toml"]);
    // As editors save: another file takes the name.
    world.write("pmdev.toml~", "newer");
    fs::rename(world.path("pmdev.toml~"), world.path("pmdev.toml")).unwrap();
    assert_eq!(world.edited(), ["pmdev.toml"]);
    world.write(".env", "new");
    world.write("pmdev.toml", "newest");
    let mut edited = world.edited();
    if edited.len() == 1 {
        edited.extend(world.edited());
    }
    edited.sort();
    assert_eq!(edited, [".env", "pmdev.toml"]);
    fs::remove_file(world.path(".env")).unwrap();
    assert_eq!(world.edited(), [".env"]);
    world.write(".env", "new");
    assert_eq!(world.edited(), [".env"]);
    world.concerns("sentinel", &[2]);
}

#[test]
fn a_file_that_is_written_slowly_is_told_once_it_is_whole() {
    let (mut world, ..) = world();
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(world.path("pmdev.toml")).unwrap();
    std::io::Write::write_all(&mut file, b"half").unwrap();
    world.concerns("sentinel", &[2]);
    std::io::Write::write_all(&mut file, b"whole").unwrap();
    drop(file);
    assert_eq!(world.edited(), ["pmdev.toml"]);
    world.concerns("sentinel", &[2]);
}

#[test]
fn apps_come_and_go_and_change_their_folders() {
    let (mut world, mut apps, files) = world();
    let dir = world.dir.path().to_owned();
    apps.remove(2);
    apps[1] = app(&dir, 1, "lib", |_| ());
    apps.push(app(&dir, 3, "web", |_| ()));
    apps.push(app(&dir, 4, "api", |_| ()));
    world.reform(&apps, &files);
    world.concerns("api/a.js", &[0, 4]);
    world.concerns("lib/a.js", &[1]);
    world.concerns("web/a.js", &[3]);
    // A folder above all of them is not watched any more, but for the project file in it.
    world.write("nobody", "x");
    world.write("pmdev.toml", "new");
    assert_eq!(world.edited(), ["pmdev.toml"]);
    world.concerns("api/a.js", &[0, 4]);
}

#[test]
fn other_files_may_say_what_shall_run() {
    let (mut world, apps, files) = world();
    world.write("env.local", "old");
    world.concerns("env.local", &[2]);
    world.reform(&apps, &[files[0].clone(), world.path("env.local")]);
    world.write("env.local", "new");
    assert_eq!(world.edited(), ["env.local"]);
    world.concerns(".env", &[2]);
}

#[test]
fn a_file_that_was_edited_after_it_was_read_is_told() {
    let (mut world, apps, files) = world();
    let read_at = stamp();
    world.write("env.local", "edited meanwhile");
    world.concerns("env.local", &[2]);
    world.watcher.watch(Wanted { apps, files: vec![files[0].clone(), world.path("env.local")], modules: Vec::new(), read_at });
    // The other one is as old as the kernel's stamps are exact, so it may be named as well.
    assert!(world.edited().contains(&"env.local".to_owned()));
}

#[test]
fn a_change_that_settles_while_the_rules_change_is_not_lost() {
    let (mut world, mut apps, files) = world();
    let dir = world.dir.path().to_owned();
    // Nothing of app 1 settles by itself within this test.
    apps[1] = app(&dir, 1, "web", |spec| spec.delay = Some(Duration::from_secs(3600)));
    world.reform(&apps, &files);
    world.concerns("api/a.js", &[0, 2]);
    world.write("web/a.js", "new");
    assert_eq!(world.changed("the change of all").0, AppId(2));
    apps[1] = app(&dir, 1, "web", |spec| spec.ignore.push("nothing".into()));
    world.reform(&apps, &files);
    let (app, changes) = world.changed("the pending change");
    assert_eq!((app, changes.total), (AppId(1), 1));
    world.concerns("web/a.js", &[1, 2]);
}

#[test]
fn an_app_that_was_told_to_stop_gets_its_change_when_nobody_watches_it_any_more() {
    let (mut world, mut apps, files) = world();
    // The batch of app 1 stays open while a descriptor does.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(world.path("web/b.js"))
        .or_else(|_| fs::File::create(world.path("web/b.js")))
        .unwrap();
    std::io::Write::write_all(&mut file, b"half").unwrap();
    world.write("web/a.js", "new");
    world.until("early stop", |out| matches!(out, Out::Early { app: AppId(1), .. }).then_some(()));
    apps.remove(1);
    world.reform(&apps, &files);
    world.until("the change that was owed", |out| matches!(out, Out::Changed { app: AppId(1), .. }).then_some(()));
    drop(file);
}

#[test]
fn a_bad_pattern_is_told_and_the_others_are_watched() {
    let (mut world, mut apps, files) = world();
    let dir = world.dir.path().to_owned();
    apps[1] = app(&dir, 1, "web", |spec| spec.ignore.push("[".into()));
    assert!(check(&apps[1].spec, &[]).is_err());
    world.reform(&apps, &files);
    world.until("notice", |out| matches!(out, Out::Notice(notice) if notice.level == Level::Error).then_some(()));
    world.concerns("api/a.js", &[0, 2]);
}
