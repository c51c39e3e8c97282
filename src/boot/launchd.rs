//! The property list for launchd: launchd.plist(5).

use std::fmt::Write as _;

use super::service::{Scope, Service, text};
use crate::model::Error;

/// The list's text.
///
/// # Errors
/// If the home folder is no text.
pub fn list(service: &Service) -> Result<String, Error> {
    let home = text(&service.account.home)?;
    let log = match service.scope {
        Scope::System => format!("/Library/Logs/{}.log", service.name),
        Scope::User => format!("{home}/Library/Logs/{}.log", service.name),
    };
    let mut keys = Keys(String::new());
    keys.string("Label", &service.name);
    keys.key("ProgramArguments");
    keys.line("<array>");
    for word in std::iter::once(&service.program).chain(&service.args) {
        keys.line(&format!("\t<string>{}</string>", escaped(word)));
    }
    keys.line("</array>");
    keys.string("WorkingDirectory", &service.folder);
    if service.scope == Scope::System {
        keys.string("UserName", &service.account.name);
    }
    keys.key("EnvironmentVariables");
    keys.line("<dict>");
    for (name, value) in [("HOME", &home), ("PATH", &service.search_path()), ("PMDEV_HOME", &service.pmdev_home)] {
        keys.line(&format!("\t<key>{name}</key>"));
        keys.line(&format!("\t<string>{}</string>", escaped(value)));
    }
    keys.line("</dict>");
    keys.comment("At boot, or at login for a user's own.");
    keys.flag("RunAtLoad", true);
    keys.comment("pmdev restarts the apps, launchd restarts pmdev, unless it ended with code 0; not more often than this, in seconds.");
    keys.key("KeepAlive");
    keys.line("<dict>");
    keys.line("\t<key>SuccessfulExit</key>");
    keys.line("\t<false/>");
    keys.line("</dict>");
    keys.number("ThrottleInterval", 10);
    keys.comment("TERM lets pmdev stop each app by its own signal; what is left after the apps' kill timeouts is killed.");
    keys.number("ExitTimeOut", service.needs.stop.as_secs().saturating_add(1));
    keys.comment("027: new files are nobody's business but the account's and its group's.");
    keys.number("Umask", 0o027);
    keys.comment("A server holds more connections than the usual 256.");
    keys.key("SoftResourceLimits");
    keys.line("<dict>");
    keys.line("\t<key>NumberOfFiles</key>");
    keys.line(&format!("\t<integer>{}</integer>", service.needs.open_files));
    keys.line("</dict>");
    keys.comment("The lines of the apps, and pmdev's own.");
    keys.string("StandardOutPath", &log);
    keys.string("StandardErrorPath", &log);
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <!-- {} -->\n\
         <plist version=\"1.0\">\n<dict>\n{}</dict>\n</plist>\n",
        commented(&service.mark()),
        keys.0
    ))
}

/// A dictionary under way.
struct Keys(String);

impl Keys {
    fn line(&mut self, line: &str) {
        writeln!(self.0, "\t{line}").expect("a String takes everything");
    }

    fn key(&mut self, name: &str) {
        self.line(&format!("<key>{name}</key>"));
    }

    fn string(&mut self, name: &str, value: &str) {
        self.key(name);
        self.line(&format!("<string>{}</string>", escaped(value)));
    }

    fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        self.line(&format!("<integer>{value}</integer>"));
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.key(name);
        self.line(&format!("<{value}/>"));
    }

    fn comment(&mut self, text: &str) {
        self.line(&format!("<!-- {text} -->"));
    }
}

/// Text of an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text of a comment, which two hyphens would end; a zero-width space between them is not seen.
pub fn commented(text: &str) -> String {
    let apart = text.replace("--", "-\u{200b}-");
    if apart.ends_with('-') { format!("{apart}\u{200b}") } else { apart }
}
