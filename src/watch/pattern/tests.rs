use std::path::Path;

use super::Patterns;

/// Which of the paths a single pattern decides about, with a project in /home/u/[app]; a trailing `/` says folder.
fn fits(pattern: &str, path: &str) -> bool {
    let base = Path::new("/home/u/[app]");
    let patterns = Patterns::new(base, &[pattern.to_owned()]).unwrap();
    let full = if path.starts_with('/') { Path::new(path).to_owned() } else { base.join(path) };
    let plain = full.to_str().unwrap().trim_end_matches('/').to_owned();
    patterns.matching(Path::new(&plain), Path::new("/home/u"), path.ends_with('/')).is_some()
}

#[test]
fn pm2s_table() {
    for (pattern, yes, no) in [
        ("node_modules", &["node_modules/", "node_modules"][..], &["sub/node_modules/", "node_modules2/"][..]),
        ("./node_modules", &["node_modules/"], &["sub/node_modules/"]),
        ("sub/node_modules", &["sub/node_modules/"], &["node_modules/", "x/sub/node_modules/"]),
        ("logs", &["logs/"], &["src/logs/"]),
        ("node_modules/", &["node_modules/"], &["node_modules", "sub/node_modules/"]),
        ("*.log", &["a.log", ".log", ".a.log"], &["logs/a.log", "a.logs"]),
        ("**/*.log", &["a.log", "logs/deep/a.log"], &["a.txt"]),
        ("**/node_modules/**", &["node_modules/", "a/node_modules/"], &["a/modules/", "a/node_modules/x.js"]),
        ("logs/*", &["logs/a", "logs/.a/"], &["logs/", "logs/a/b"]),
        ("logs/**", &["logs/"], &["log/"]),
        ("/home/u/[[]app]/tmp", &["tmp/"], &["src/tmp/"]),
        ("/var/log/**", &["/var/log/"], &["var/log/"]),
        ("../shared/dist", &["/home/u/shared/dist/"], &["shared/dist/", "/home/u/dist/"]),
        ("[\\/\\\\]\\.", &[".git/", "src/.x"], &["src/a.b"]),
        ("\\.log$", &["a.log", "deep/a.log"], &["a.log.js"]),
        ("^/home/u/.*/secret", &["secret", "x/secret.js"], &["/var/secret"]),
        ("/cache/$", &["x/cache/"], &["x/cache"]),
        ("@(logs|tmp)", &["logs/", "tmp/"], &["log/"]),
        ("src/@(a|b)/*.@(js|ts)", &["src/a/x.js", "src/b/x.ts"], &["src/c/x.js"]),
        ("{a,b}.js", &["a.js", "b.js"], &["c.js"]),
        ("file[!1].js", &["file2.js"], &["file1.js"]),
        ("!src", &["src/"], &["a/src/"]),
    ] {
        for path in yes {
            assert!(fits(pattern, path), "{pattern:?} should fit {path}");
        }
        for path in no {
            assert!(!fits(pattern, path), "{pattern:?} should not fit {path}");
        }
    }
}

#[test]
fn outside_the_base_only_patterns_for_anywhere_fit() {
    assert!(fits("**/dist", "/home/u/shared/dist/"));
    assert!(!fits("shared", "/home/u/shared/"));
    assert!(!fits("*", "/home/u/shared/"));
}

#[test]
fn the_last_that_fits_decides() {
    let list = ["*.js", "!a.js", "\\.js$", "!b.js", "/p/b.js"].map(str::to_owned);
    let patterns = Patterns::new(Path::new("/p"), &list).unwrap();
    let decides = |name: &str| {
        patterns.matching(&Path::new("/p").join(name), Path::new("/p"), false).map(|pattern| (&*pattern.text, pattern.negated))
    };
    assert_eq!(decides("a.js"), Some(("\\.js$", false)));
    assert_eq!(decides("b.js"), Some(("/p/b.js", false)));
    assert_eq!(decides("c.css"), None);
    let patterns = Patterns::new(Path::new("/p"), &list[..2]).unwrap();
    assert!(patterns.matching(Path::new("/p/a.js"), Path::new("/p"), false).is_some_and(|pattern| pattern.negated));
}

#[test]
fn what_is_refused_and_what_to_write_instead() {
    for (pattern, message, hint) in [
        (
            "+(a|b.c)/*.js",
            "The ignore pattern \"+(a|b.c)/*.js\" uses +(...), which is not understood",
            "write it as a regex: \"/(a|b\\.c)+/[^/]*\\.js$\"",
        ),
        (
            "src/**/*(x)",
            "The ignore pattern \"src/**/*(x)\" uses *(...), which is not understood",
            "write it as a regex: \"/src/(.*/)?(x)*$\"",
        ),
        ("?(a|b)c", "The ignore pattern \"?(a|b)c\" uses ?(...), which is not understood", "write \"c\" and \"{a,b}c\""),
        ("!(a|b)", "The ignore pattern \"!(a|b)\" uses !(...), which is not understood", "write \"*\", and after it \"!a\", \"!b\""),
    ] {
        let error = Patterns::new(Path::new("/p"), &[pattern.to_owned()]).unwrap_err();
        assert_eq!((error.message.as_str(), error.hint.as_deref()), (message, Some(hint)));
    }
    let error = Patterns::new(Path::new("/p"), &["^(?!src)".to_owned()]).unwrap_err();
    assert!(error.hint.as_deref().is_some_and(|hint| hint.starts_with("look-around does not exist here")), "{error:?}");
    assert!(!error.causes.is_empty());
    let error = Patterns::new(Path::new("/p"), &["{a".to_owned()]).unwrap_err();
    assert!(error.to_string().starts_with("The ignore pattern \"{a\" is not a glob that is understood: "), "{error}");
}
