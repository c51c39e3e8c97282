//! Names as people read them.

/// An instance as people call it: `api`, or `api:2` where there are several.
pub fn called(app: &str, instances: u16, slot: u16) -> String {
    if instances > 1 { format!("{app}:{slot}") } else { app.to_owned() }
}

/// `api`, `api and web`, `api, web and worker`; nothing for none.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}
