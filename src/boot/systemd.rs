//! The unit for systemd: systemd.unit(5), systemd.service(5), systemd.exec(5).

use std::fmt::Write as _;

use super::{
    sandbox,
    service::{Scope, Service},
};

/// How often systemd wants to hear that the loop turns. A loop that is a few milliseconds late at most is broken long before.
const WATCHDOG: u64 = 30;

/// The unit's text.
pub fn unit(service: &Service) -> String {
    let user = match service.scope {
        Scope::System => "",
        Scope::User => " --user",
    };
    let mut text = Text(String::new());
    text.comment(&service.mark());
    text.comment("Runs the apps of this project file. `pmdev startup --write` writes it anew, `pmdev unstartup` takes it away;");
    text.comment(&format!("what shall stay as you want it, whatever is written here: systemctl{user} edit {}.service", service.name));
    install_order(service, &mut text);
    process(service, &mut text);
    account(service, &mut text);
    sandbox::write(service, &mut text);
    text.section("Install");
    text.set(
        "WantedBy",
        match service.scope {
            Scope::System => "multi-user.target",
            Scope::User => "default.target",
        },
    );
    text.0
}

fn install_order(service: &Service, text: &mut Text) {
    text.section("Unit");
    text.set("Description", &format!("{}, run by pmdev", literal(service.title())));
    if service.scope == Scope::System {
        text.comment("Apps that listen on an address, or ask another host, find it there.");
        text.set("Wants", "network-online.target");
        text.set("After", "network-online.target");
    }
    text.comment("Not before the file systems with the project and pmdev's folder are mounted.");
    text.set("RequiresMountsFor", &words([&service.folder, &service.pmdev_home]));
    text.comment(
        "pmdev has given up an app many times over before it ends; when that happens five times in ten minutes, systemd gives up, too.",
    );
    text.set("StartLimitIntervalSec", "10min");
    text.set("StartLimitBurst", "5");
}

fn process(service: &Service, text: &mut Text) {
    let needs = &service.needs;
    text.section("Service");
    text.comment("pmdev tells when all apps were started, when an edit of the project file is carried out, and that it stops;");
    text.comment("nobody else may, so an app cannot pretend.");
    text.set("Type", "notify");
    text.set("NotifyAccess", "main");
    text.set("WorkingDirectory", &literal(&service.folder));
    // In the program, unlike in its arguments, a $ is a $.
    let command: Vec<String> = [word(&service.program)].into_iter().chain(service.args.iter().map(|word| argument(word))).collect();
    text.set("ExecStart", &command.join(" "));
    text.comment("There is no ExecReload=: pmdev carries out an edit of the project file the moment it is saved.");
    text.comment("pmdev restarts the apps, systemd restarts pmdev. Code 2 is a mistake in the project file, which no restart mends.");
    text.set("Restart", "on-failure");
    text.set("RestartSec", "5");
    text.set("RestartPreventExitStatus", "2");
    text.comment("pmdev says twice in this time that its loop turns; if it does not, it is killed and started again.");
    text.set("WatchdogSec", &WATCHDOG.to_string());
    match needs.start {
        Some(time) => {
            text.comment("What the apps may take to be ready, one after the other where they need each other.");
            text.set("TimeoutStartSec", &seconds(time));
        }
        None => {
            text.comment("A build, or an app that others wait for until it is done, takes the time it takes.");
            text.set("TimeoutStartSec", "infinity");
        }
    }
    text.comment("TERM goes to pmdev alone, which stops each app by its own signal; what is left after the apps' kill timeouts is killed.");
    text.set("KillMode", "mixed");
    text.set("TimeoutStopSec", &seconds(needs.stop));
    text.comment("An app that the kernel kills for want of memory is restarted by pmdev; without this line systemd would stop them all.");
    text.set("OOMPolicy", "continue");
}

fn account(service: &Service, text: &mut Text) {
    let needs = &service.needs;
    text.gap();
    if service.scope == Scope::System {
        if service.account.root {
            text.comment("Apps without a uid of their own run as root. Where none needs that, name another account: pmdev startup -u USER");
        }
        text.set("User", &literal(&service.account.name));
    }
    text.set("Environment", &word(&format!("PMDEV_HOME={}", service.pmdev_home)));
    if !service.path.is_empty() {
        text.comment("The first of these hold tools that the apps run by; systemd knows the others by itself.");
        text.set("Environment", &word(&format!("PATH={}", service.search_path())));
    }
    text.comment("New files are nobody's business but the account's and its group's.");
    text.set("UMask", "0027");
    text.comment("A server holds more connections than the usual 1024.");
    text.set("LimitNOFILE", &needs.open_files.to_string());
}

fn seconds(time: std::time::Duration) -> String {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).to_string()
}

/// A unit under way.
pub struct Text(String);

impl Text {
    fn section(&mut self, name: &str) {
        writeln!(self.0, "\n[{name}]").expect("a String takes everything");
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.0.push('\n');
    }

    /// A reason.
    pub fn comment(&mut self, text: &str) {
        writeln!(self.0, "# {text}").expect("a String takes everything");
    }

    /// A directive; its value is escaped by whoever knows what it takes.
    pub fn set(&mut self, name: &str, value: &str) {
        writeln!(self.0, "{name}={value}").expect("a String takes everything");
    }
}

/// A value that is taken to the end of the line: only `%` means something.
fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// Words of a list.
pub fn words<'a>(list: impl IntoIterator<Item = &'a String>) -> String {
    list.into_iter().map(|text| word(text)).collect::<Vec<_>>().join(" ")
}

/// One word of a list, systemd.syntax(7): in quotes where it needs them.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:=@,+-%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return literal(text);
    }
    format!("\"{}\"", literal(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// An argument of a command line: `$` would begin a variable.
fn argument(text: &str) -> String {
    word(&text.replace('$', "$$"))
}
