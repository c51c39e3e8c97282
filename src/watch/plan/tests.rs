use std::path::{Path, PathBuf};

use super::{Plan, split};
use crate::{model::WatchRoot, watch::tree::project::Project};

#[test]
fn a_globs_fixed_prefix_and_the_rest() {
    let base = Path::new("/no/such/a[1]b");
    for (text, prefix, rest) in [
        ("/no/such/a[1]b/src/**/*.js", "/no/such/a[1]b/src", "**/*.js"),
        ("/no/such/a[1]b/*.js", "/no/such/a[1]b", "*.js"),
        ("/no/such/a[1]b/./x/../lib/{a,b}", "/no/such/a[1]b/lib", "{a,b}"),
        ("/no/other/*/x", "/no/other", "*/x"),
        ("/no/plain/file", "/no/plain", "file"),
        ("/*/x", "/", "*/x"),
    ] {
        assert_eq!(split(text, base, base), (PathBuf::from(prefix), rest.to_owned()), "{text}");
    }
}

#[test]
fn roots_are_sorted_and_none_is_there_twice() {
    let project = Project::new(&["src/deep/", "conf/app.ini"]);
    let tree = |name: &str, explicit| WatchRoot::Tree { path: project.at(name), explicit };
    let mut spec = project.spec();
    spec.roots.extend([tree("src/deep", true), tree("src", false), tree("src", true), tree("conf/app.ini", true)]);
    spec.roots.extend(project.roots(&["src/*.js", "lib/*.js"]));
    let plan = Plan::new(&spec, &project.path).unwrap();
    let roots: Vec<_> = plan.roots.iter().map(|root| (project.names([&root.path]).remove(0), root.explicit, root.globs.len())).collect();
    assert_eq!(roots, [("".into(), false, 0), ("lib".into(), true, 1), ("src".into(), true, 0), ("src/deep".into(), true, 0)]);
    assert_eq!(plan.named, [project.at("conf/app.ini")]);
    let deepest = |name: &str| plan.deepest(&project.at(name)).map(|index| project.names([&plan.roots[index].path]).remove(0));
    assert_eq!(deepest("src/deep/a").as_deref(), Some("src/deep"));
    assert_eq!(deepest("src/deeper").as_deref(), Some("src"));
    assert_eq!(deepest("src").as_deref(), Some("src"));
    assert_eq!(plan.deepest(Path::new("/")), None);
}
