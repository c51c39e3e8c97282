//! `save`, `resurrect`, `cleardump`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Home;

#[test]
fn what_was_saved_comes_back_as_it_was() {
    let home = Home::new();
    home.project.save("pmdev.toml", "[[apps]]\nname = \"one\"\nscript = \"api.sh\"\ninstances = 2\ncron_restart = \"0 0 * * *\"\n\n[[apps]]\nname = \"two\"\nscript = \"web.sh\"\n");
    home.verb_with(&["start", "-d", "pmdev.toml"], &[("X", "kept"), ("API_TOKEN", "s3cret")], 0);
    home.verb(&["start", "-d", "web.sh"], 0);
    home.verb(&["scale", "one", "3"], 0);
    home.verb(&["stop", "two"], 0);
    let saved = home.verb(&["save"], 0);
    assert!(saved.out.contains("3 apps are kept") && saved.out.contains("API_TOKEN"), "{}", saved.all());
    let dump = fs::read_to_string(home.path("dump.pmdev")).expect("it is there");
    assert!(!dump.contains("s3cret") && dump.contains("\"kept\""), "{dump}");
    assert_eq!(fs::metadata(home.path("dump.pmdev")).expect("it is there").permissions().mode() & 0o777, 0o600);
    home.verb(&["kill"], 0);
    home.project.nothing_alive(std::time::Duration::ZERO, "it was killed");

    home.verb_with(&["resurrect"], &[("X", "another"), ("API_TOKEN", "s3cret")], 0);
    assert_eq!(home.states(), ["0 one online 0", "1 one online 0", "2 one online 0", "3 two stopped 0", "4 web online 0"]);
    home.logged("one-out-0", "X=kept");
    let again = home.verb(&["resurrect"], 0);
    assert!(again.out.contains("everything runs already"), "{}", again.all());
    assert_eq!(home.states().len(), 5, "nothing is added to what runs");
    let described = home.verb(&["list", "one", "--json"], 0).out;
    assert!(described.contains("\"one\""), "{described}");
    let journal = fs::read_to_string(home.path("pmdev.log")).expect("it is there");
    assert!(
        journal.matches("one is restarted by the clock").count() >= 2 || journal.matches("00:00").count() >= 2,
        "cron_restart survives: {journal}"
    );
}

#[test]
fn a_broken_dump_falls_back_to_the_one_before_and_none_says_so() {
    let home = Home::new();
    let none = home.verb(&["resurrect"], 1);
    assert!(none.err.contains("dump.pmdev") && none.err.contains("pmdev save"), "{}", none.all());
    home.verb(&["save"], 3);
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["save"], 0);
    home.verb(&["start", "-d", "web.sh"], 0);
    home.verb(&["dump"], 0);
    let [new, old] = ["dump.pmdev", "dump.pmdev.bak"].map(|name| fs::read_to_string(home.path(name)).expect("it is there"));
    assert!(new.contains("web.sh") && !old.contains("web.sh"), "the one before is kept");
    home.verb(&["delete", "all"], 0);
    let empty = home.verb(&["save"], 1);
    assert!(empty.err.contains("no apps to keep"), "{}", empty.all());
    home.verb(&["kill"], 0);
    fs::write(home.path("dump.pmdev"), "{ \"version\": 1, \"runs\": [").expect("the folder is ours");
    let fallen = home.verb(&["resurrect"], 0);
    assert!(fallen.err.contains("is broken") && fallen.err.contains(".bak is taken instead"), "{}", fallen.all());
    assert_eq!(home.states(), ["0 api online 0"]);
    home.verb(&["kill"], 0);
    fs::remove_file(home.path("dump.pmdev")).expect("it is there");
    home.verb(&["resurrect"], 0);
    assert_eq!(home.states(), ["0 api online 0"], "one that is missing is as one that is broken");
    home.verb(&["cleardump"], 0);
    assert!(!home.path("dump.pmdev").exists() && !home.path("dump.pmdev.bak").exists());
    home.verb(&["resurrect"], 1);
}

#[test]
fn what_holds_a_secret_in_its_arguments_is_not_saved_and_that_is_told() {
    let home = Home::new();
    home.verb(&["start", "-d", "api.sh"], 0);
    home.verb(&["start", "-d", "web.sh", "--", "--token", "s3cret"], 0);
    let saved = home.verb(&["save"], 1);
    assert!(
        saved.out.contains("1 app is kept") && saved.err.contains("web: not saved") && !saved.all().contains("s3cret"),
        "{}",
        saved.all()
    );
    assert!(!fs::read_to_string(home.path("dump.pmdev")).expect("it is there").contains("s3cret"));
}
