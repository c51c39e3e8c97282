//! `docs/pm2.md` names a test for each habit of PM2: it must be there, and every habit must have one.

use std::fs;

use crate::support::programs::repository;

/// The tests that a text names as `file.rs::function`: files below `tests/it`, unless they are named from the root of the repository.
fn named(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let test = |word: &str| {
        let (file, function) = word.split_once("::")?;
        let file = if file.starts_with("src/") { file.to_owned() } else { format!("tests/it/{file}") };
        file.ends_with(".rs").then(|| (file, function.to_owned()))
    };
    quoted.filter_map(test).collect()
}

/// Whether a source has a test of this name.
fn has_test(source: &str, function: &str) -> bool {
    let head = format!("fn {function}()");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&head))
}

#[test]
fn each_has_a_test_that_is_there() {
    let text = fs::read_to_string(repository("docs/pm2.md")).expect("it is there");
    let mut wrong = Vec::new();
    for (file, function) in named(&text) {
        match fs::read_to_string(repository(&file)) {
            Ok(source) if has_test(&source, &function) => {}
            Ok(_) => wrong.push(format!("{file} has no test {function}")),
            Err(error) => wrong.push(format!("{file}: {error}")),
        }
    }
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).filter(|line| !line.starts_with("| habit ")).collect();
    let rows = rows.into_iter().filter(|line| !line.starts_with("| ---")).collect::<Vec<_>>();
    wrong.extend(rows.iter().filter(|row| named(row).is_empty()).map(|row| format!("no test: {row}")));
    assert!(wrong.is_empty() && rows.len() > 50, "{} habits\n{}", rows.len(), wrong.join("\n"));
}

#[test]
fn a_test_is_told_from_what_only_looks_like_one() {
    assert_eq!(named("| `a` | b | `cron.rs::x`, `src/m.rs::y` and `std::fs` |").len(), 2);
    assert_eq!(named("`cron.rs::x`")[0], ("tests/it/cron.rs".to_owned(), "x".to_owned()));
    assert!(has_test("    #[test]\n    fn x() {", "x"));
    assert!(!has_test("#[test]\nfn xy() {", "x") && !has_test("fn x() {", "x"));
}
