//! Help, as people read it.

use super::*;

#[test]
fn help_reads_well() {
    insta::assert_snapshot!(help("start"), @r#"
    Run apps in this terminal, and restart them the moment a save settles

    Usage: pmdev start [TARGET]... [OPTIONS] [-- ARGS]
           pmdev [TARGET]... [OPTIONS] [-- ARGS]

    Arguments:
      [TARGET]...  Project files, scripts, programs, folders, apps of the project, command lines in quotes
      [ARGS]...    Arguments for the apps, after `--`

    Options:
      -d, --detach   In the background: by the one runner of $PMDEV_HOME, which is started where it is not there, and stays
          --no-wait  In the background: answer at once, not when all are online
          --attach   In the background: show what the apps say from then on, until Ctrl-C, which leaves them running
      -h, --help     Print help

    Apps:
      -n, --name <NAME>              Name of the app; one for each TARGET, in their order
          --cwd <FOLDER>             Folder the apps run in [default: this folder, or the TARGET where it is a folder]
      -i, --instances <COUNT>        How many processes of each app; `max` or 0 for one a processor, negative for that many
                                     fewer
          --interpreter <PROGRAM>    Program that runs the script, or `none` to execute the script itself [default: by #!
                                     line or extension]
          --interpreter-args <ARGS>  Arguments for the interpreter; for Go and Rust, for the build [alias: --node-args]
          --env-file <FILE>          File of variables; repeatable, a later one wins over an earlier, this shell's variables
                                     over all
          --only <NAMES>             Apps of the project file by name, with commas between; repeatable [default: all of
                                     them]
          --env <NAME>               Lay the project file's env_NAME on top
          --kill-signal <SIGNAL>     First signal of a stop [default: SIGINT]
      -k, --kill-timeout <TIME>      How long a stop may take before SIGKILL, in milliseconds or with a unit [default: 5s,
                                     prod: 30s]
          --profile <NAME>           Table of defaults: dev (watch, wait for a save after a crash) or prod (no watching,
                                     restart with backoff)
          --prod                     Short for --profile prod

    Watching:
          --watch [<PATHS>]            What to watch: folders, files, quoted globs, with commas between; repeatable
                                       [default: the app's folder]
          --ignore-watch [<PATTERNS>]  What to ignore as well: paths, globs or regexes, with commas between; `!pattern`
                                       takes back
          --no-watch                   Watch nothing
          --ext <LIST>                 Only files with these endings, such as js,json [default: all files]
          --watch-delay <TIME>         How long a save has to settle, in seconds or with a unit [default: as short as is
                                       safe]
          --poll[=<INTERVAL>]          Look at the files from time to time instead of waiting for events; the interval in
                                       milliseconds or with a unit
          --no-poll                    Wait for events alone, also where they cannot be had
          --no-gitignore               Do not apply git's ignore files
          --no-default-ignore          Do not apply the built-in patterns (node_modules, target, *.log, ...)
          --no-gate                    Restart for a save that changed no byte, too

    Log files:
      -o, --output <FILE>             File for standard output, or NULL for none [default: none; prod: NAME-out.log in
                                      $PMDEV_HOME/logs]
      -e, --error <FILE>              File for standard error, or NULL for none [default: none; prod: NAME-error.log in
                                      $PMDEV_HOME/logs]
      -l, --log [<FILE>]              File for both [default: none; without FILE: NAME.log in $PMDEV_HOME/logs]
          --merge-logs                All instances of an app write into the same files, and have no number in their names
          --log-type <TYPE>           Write a line as it is (raw) or as a JSON object (json) [possible values: raw, json]
          --log-date-format <FORMAT>  The time before each line of a log file, in day.js tokens; --time sets it for the
                                      terminal as well
          --disable-logs              Keep and show nothing of what the apps print

    Restarts and stops:
          --no-autorestart                    Do not start apps again when they end by themselves
          --restart-delay <TIME>              How long to wait before each restart
          --exp-backoff-restart-delay <TIME>  The first of delays that grow with each restart
          --max-restarts <COUNT>              Unstable runs in a row before an app is given up, or `unlimited` [default: 16]
          --max-memory-restart <SIZE>         Memory at which an app is reloaded, such as 512M
          --stop-exit-codes <CODES>           Exit codes after which an app is not started again, with commas between
      -c, --cron-restart <PATTERN>            When apps are restarted by the clock, as a cron pattern; 0 ends it [alias:
                                              --cron]
          --no-treekill                       Send the first signal of a stop to the first process of an app alone
          --shutdown-with-message             Tell Node apps to stop by the message `shutdown`

    Rarely used:
          --namespace <NAME>            Group that commands can name instead of its apps
          --filter-env <PARTS>          Do not pass on variables whose names contain one of these, with commas between;
                                        repeatable
          --no-autostart                Only register apps: somebody else starts them
          --wait-ready                  Count Node apps as ready when they say process.send('ready')
          --tty                         Give each app a terminal of its own, which `pmdev attach` leads to
          --listen-timeout <TIME>       How long an app has to be ready
      -u, --uid <USER>                  User that apps run as [alias: --user]
          --gid <GROUP>                 Group that apps run as
      -p, --pid <FILE>                  File for the process id
      -x, --execute-command             Fork mode, also for several instances of a Node app
          --source-map-support          Map stack traces of Node to the sources [default: where a .map file lies beside the
                                        script]
          --disable-source-map-support  Do not map them
      -f, --force                       In the background: start what runs already once more, under another name

    Output:
          --stdin[=<APP>]         Give our standard input to the app (--stdin), or to one of several (--stdin=NAME)
          --raw                   The lines of apps as they are, without names before them
          --timestamp[=<FORMAT>]  The time before each line, here and in log files, in day.js tokens [alias: --time]
          --json                  One JSON object a line
      -q, --quiet                 Of our own words, warnings and errors alone [aliases: -s, --silent]
          --no-color              No colours, and do not ask apps for any
          --explain               Tell about every changed file why it did or did not restart an app
          --runner <RUNNER>       The runner, by its pid, its folder or its socket [default: that of this folder or a
                                  parent, else the background one, else the only one]

    A TARGET is a project file, a script (run by its #! line, else by its extension), a program, a folder, an app of the
    folder's project file, or a command line in quotes. Without one, the folder's project file (pmdev.toml,
    ecosystem.config.js, Procfile, ...) tells what to run, else package.json, Cargo.toml, go.mod, manage.py, main.py,
    app.py, config.ru, mix.exs or deno.json.
    Where a runner has apps of these names (ids, namespaces, /regexes/) already, what of them is down is started, and what
    runs is restarted.
    Ctrl-C stops everything, a second one kills it; `rs` and Enter restarts everything, `h` and Enter lists the other keys.

    Examples:
      pmdev app.js                              run app.js, restart it on every save below this folder
      pmdev                                     run what the folder is made to run
      pmdev api/index.js web/index.js           two apps, named api-index and web-index
      pmdev "npm run dev" worker.py             a command line beside a script
      pmdev app.js --watch src,views --ext js   watch two folders, and in them JavaScript alone
      pmdev app.js --env-file .env -- --port 3  variables from a file, and arguments for app.js
      pmdev start -d app.js                     in the background; pmdev list shows it, pmdev logs its lines
      pmdev server.ts --interpreter bun         another program than the table's
      pmdev --prod app.js                       no watching, restart with backoff
    "#);
    insta::assert_snapshot!(help("why"), @r"
    Tell why apps are as they are, or which rule watches or ignores a path; nothing is started

    Usage: pmdev why [OPTIONS] [PATH|APP]...

    Arguments:
      [PATH|APP]...  Apps by name, or files and folders, which need not exist; ./NAME is the file where an app is called so
                     [default: the last decisions of the runner]

    Options:
          --target <TARGET>  What `pmdev start` would be given, instead of what runs; repeatable [default: what the folder
                             is made to run]
          --cwd <FOLDER>     Folder the apps would run in
          --runner <RUNNER>  The runner, by its pid, its folder or its socket [default: that of this folder or a parent,
                             else the background one, else the only one]
      -h, --help             Print help

    Watching:
          --watch [<PATHS>]            What to watch: folders, files, quoted globs, with commas between; repeatable
                                       [default: the app's folder]
          --ignore-watch [<PATTERNS>]  What to ignore as well: paths, globs or regexes, with commas between; `!pattern`
                                       takes back
          --no-watch                   Watch nothing
          --ext <LIST>                 Only files with these endings, such as js,json [default: all files]
          --watch-delay <TIME>         How long a save has to settle, in seconds or with a unit [default: as short as is
                                       safe]
          --poll[=<INTERVAL>]          Look at the files from time to time instead of waiting for events; the interval in
                                       milliseconds or with a unit
          --no-poll                    Wait for events alone, also where they cannot be had
          --no-gitignore               Do not apply git's ignore files
          --no-default-ignore          Do not apply the built-in patterns (node_modules, target, *.log, ...)
          --no-gate                    Restart for a save that changed no byte, too

    Output:
          --json  One JSON object a line

    Examples:
      pmdev why                                       what has the runner decided lately?
      pmdev why api                                   why is this app as it is, and why did it last restart, or fail?
      pmdev why src/app.log                           is this file watched, and which rule says so?
      pmdev why dist/main.js --target dist/main.js    the same for an app that would run from dist
      pmdev why notes.md --ext js,json                with the options of a start
    ");
    insta::assert_snapshot!(help("doctor"), @r"
    Look for what keeps apps from running well: on this machine, in the project file, among the runners

    Usage: pmdev doctor [OPTIONS] [TARGET]...

    Arguments:
      [TARGET]...  What `pmdev start` would be given: a project file, a script, a folder, an app of the project [default:
                   this folder]

    Options:
          --prod            As on a server: look for what is unsafe there as well
          --profile <NAME>  Table of defaults: dev or prod
          --env <NAME>      Lay the project file's env_NAME on top
          --only <NAMES>    Apps of the project file by name, with commas between; repeatable [default: all of them]
          --fix             Remove the sockets that dead runners have left; nothing else is ever changed
      -h, --help            Print help

    Output:
          --json      As one JSON object
          --no-color  No colours

    Looked at are: the limits of inotify, of open files and of memory; disks and folders that are written to; file systems
    that tell no changes; the programs and ports that the apps need, those of their builds, probes, hooks and rules among
    them, and who has the ports; the runners there are, and what dead ones have left. With --prod also who can write or read
    the project file and env files, whether the users of apps may enter their folders, and what else is unsafe on a server.
    No app is started.
    The exit code is 0 where all is well or there are only warnings, 1 where something is wrong, 2 where the project file
    is.

    Examples:
      pmdev doctor                              this folder, on this machine
      pmdev doctor --prod ecosystem.config.js   before it runs on a server
      pmdev doctor --fix                        remove what dead runners have left
      pmdev doctor --json                       for a program to read
    ");
    insta::assert_snapshot!(Cli::command().term_width(120).render_help(), @r"
    Runs a project's apps, and has the new version running the moment a save settles

    Usage: pmdev <COMMAND>

    Commands:
      start           Run apps in this terminal, and restart them the moment a save settles
      init            Write a commented project file for this folder
      check           Show what would run, and everything that is wrong; nothing is started
      schema          Print the JSON Schema of project files, for editors
      why             Tell why apps are as they are, or which rule watches or ignores a path; nothing is started
      doctor          Look for what keeps apps from running well: on this machine, in the project file, among the runners
      list            Show the apps of a runner [aliases: ls, ps, status]
      jlist           Print the apps of a runner as JSON, in PM2's shape
      show            Show all that is known of apps [aliases: describe, info]
      env             Show the variables of apps
      pid             Print the pids of apps, one a line; 0 for what does not run
      id              Print the ids of apps: [ 0, 1 ]
      stop            Stop apps, and keep them in the list
      restart         Stop apps, and start them again
      reload          Replace the instances of apps one after the other
      delete          Stop apps, and forget them [alias: del]
      reset           Start the counters of apps afresh
      logs            Show what apps said, and what they say
      flush           Empty the log files of apps; those put away stay
      reloadLogs      Open all log files anew, after another program has put them away [alias: reload-logs]
      startOrRestart  Restart the apps of a project file in the background, and start those that are missing [alias:
                      start-or-restart]
      startOrReload   Reload the apps of a project file in the background, and start those that are missing [alias:
                      start-or-reload]
      save            Keep the list of the background runner, for resurrect [alias: dump]
      resurrect       Start what save has kept, and does not run yet
      cleardump       Forget what save has kept
      scale           Change how many instances an app has
      signal          Send a signal to the main processes of apps
      send            Write a line to the standard input of an app
      attach          Use the terminal of an app that was started with `tty: true`; Ctrl-] leaves
      ping            Look whether a runner answers
      kill            End a runner and all its apps
      completions     Print the completions for a shell, or install them
      man             Show the manual page, or write all of them into a folder
      monit           Watch the apps of a runner live, and act on them [aliases: top, dash]
      startup         Print, or write, what makes the init system run this folder's project file from boot on
      unstartup       Take away what `pmdev startup` wrote
      help            Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    `pmdev app.js` is short for `pmdev start app.js`; `pmdev` alone runs what the folder is made to run.
    `pmdev start --help` has the options.
    ");
}
