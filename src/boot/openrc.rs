//! The script for OpenRC: openrc-run(8), supervise-daemon(8).

use super::service::{Service, text};
use crate::model::Error;

/// The script's text.
///
/// # Errors
/// If a path cannot stand in the variables of openrc-run, which are split and expanded once more.
pub fn script(service: &Service) -> Result<String, Error> {
    let Service { name, program, args, file: _, folder, account, scope: _, pmdev_home, path: _, needs } = service;
    let log = format!("/var/log/{name}.log");
    let stop = needs.stop.as_secs().saturating_add(1);
    let command_args = args.iter().map(|word| twice(word)).collect::<Result<Vec<_>, _>>()?.join(" ");
    let root = if account.root {
        "# Apps without a uid of their own run as root. To name another account: pmdev startup openrc -u USER\n"
    } else {
        ""
    };
    Ok(format!(
        "#!/sbin/openrc-run
# {mark}
# Runs the apps of this project file. `pmdev startup openrc --write` writes it anew, `pmdev unstartup openrc` takes it away;
# what shall stay as you want it belongs into /etc/conf.d/{name}

name={title}
description={description}

# pmdev restarts the apps, supervise-daemon restarts pmdev: five times in ten minutes at most.
supervisor=supervise-daemon
respawn_delay=5
respawn_max=5
respawn_period=600

# These are split into words once more, hence the quotes in quotes.
command={command}
command_args={command_args}
directory={directory}
{root}command_user={user}
umask=0027
# No program gains rights by being executed: sudo and other set-user-ID programs fail.
no_new_privs=yes
# A server holds more connections than the usual 1024.
rc_ulimit=\"-n {open_files}\"

# The lines of the apps, and pmdev's own.
output_log={log}
error_log={log}

# TERM lets pmdev stop each app by its own signal; what is left after the apps' kill timeouts is killed.
retry=\"TERM/{stop}/KILL/5\"

export HOME={home}
export PMDEV_HOME={pmdev_home}
# Besides the usual folders, those that hold the tools by which the apps run.
export PATH={search_path}

depend() {{
\tneed localmount
\tuse net dns logger
\tafter firewall
}}

start_pre() {{
\tcheckpath --directory --owner {owner} --mode 0750 {pmdev_home}
\tcheckpath --file --owner {owner} --mode 0640 {log_file}
}}
",
        mark = service.mark(),
        title = once(service.title()),
        description = once(&format!("{}, run by pmdev", service.title())),
        command = once(&twice(program)?),
        command_args = once(&command_args),
        directory = once(&twice(folder)?),
        user = once(&twice(&account.name)?),
        open_files = needs.open_files,
        log = once(&twice(&log)?),
        home = once(&text(&account.home)?),
        pmdev_home = once(pmdev_home),
        search_path = once(&service.search_path()),
        owner = once(&account.name),
        log_file = once(&log),
    ))
}

/// A word of the script.
fn once(text: &str) -> String {
    shell_words::quote(text).into_owned()
}

/// A word within a variable that openrc-run expands without quotes and evaluates again. Quotes keep it together then, but not what the
/// first expansion does: it joins blanks, and file names take the place of patterns.
fn twice(text: &str) -> Result<String, Error> {
    if text.contains("  ") || text.contains(['*', '?', '[']) {
        return Err(Error::usage(format!("{text} cannot stand in a script of OpenRC, which joins blanks and expands *, ? and ["))
            .hint("give the project another path, or let a link lead to it and run pmdev startup there"));
    }
    Ok(once(text))
}
