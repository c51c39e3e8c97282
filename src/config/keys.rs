//! The table of an app's keys: PM2's with their aliases, and pmdev's own. What is read, its documentation and its schema all come from here.

use std::time::Duration;

use crate::model::{ExecMode, PollMode, Signal};

use super::element::{
    Fate::{self, Honoured, Ignored, Later},
    Told::On,
    anything::Anything,
    command::Line,
    cron::Cron,
    depends::DependsOn,
    exit_codes::ExitCodes,
    filter_env::FilterEnv,
    hooks::RawHooks,
    instances::Instances,
    keyed,
    limits::RawLimits,
    listen::Addresses,
    log_file::File,
    log_time::LogTime,
    logs::{Kind, RawLogs},
    number::Limit,
    patterns::Patterns,
    probe::{Checkup, Readiness},
    profiles::Profiles,
    size::Size,
    texts::Texts,
    umask::Umask,
    variables::Variables,
    watch::Watch,
    watch_options::WatchOptions,
    words::Words,
};

const SERVICE: Fate = Ignored("it is for PM2's paid service, which has no part in pmdev");
const GIT: Fate = Ignored("pmdev does not look at the repository and has no `pull`");

keyed! {
    /// The keys of an app, as written.
    pub struct AppKeys {
        /// What is run: a script, a program, or a command line; relative to `cwd`.
        script: String, ["exec", "cmd", "command"], r#""server.js""#, Honoured;
        /// The app's name; without it the script's, without its ending.
        name: String, [], r#""api""#, Honoured;
        /// Put before the name, with a colon between.
        name_prefix: String, [], r#""shop""#, Honoured;
        /// The group that commands can name instead of its members.
        namespace: String, [], r#""backend""#, Honoured;
        /// The folder it runs in; without it, the one the command was typed in, or that of the file where only that has the script.
        cwd: String, [], r#""services/api""#, Honoured;
        /// Arguments for the script; a text is split as a shell would.
        args: Words, [], r#"["--port", "3000"]"#, Honoured;
        /// The program that runs the script; `none` executes the script itself.
        interpreter: String, ["exec_interpreter"], r#""python3""#, Honoured;
        /// Arguments between the interpreter and the script; for Go and Rust, for the build.
        interpreter_args: Words, ["node_args"], r#"["--enable-source-maps"]"#, Honoured;
        /// How many processes; `max` or 0 for one a processor, negative for that many fewer.
        instances: Instances, [], "2", Honoured;
        /// Whether the instances share their ports (`cluster`) or not (`fork`).
        exec_mode: ExecMode, [], r#""fork""#, Honoured;
        /// Fork mode, whatever else is said.
        execute_command: bool, [], "true", Honoured;
        /// The name of the variable that holds the number of the instance, from 0; `NODE_APP_INSTANCE` if not given.
        instance_var: String, [], r#""INSTANCE_ID""#, Honoured;
        /// A variable that counts up by one an instance, from the number it has.
        increment_var: String, [], r#""PORT""#, Honoured;
        /// Variables; an object or list becomes JSON text, null takes an inherited variable away.
        env: Variables, [], r#"{ "LOG_LEVEL": "debug" }"#, Honoured;
        /// Files of variables, below `env`; a later file wins.
        env_file: Texts, ["env_files"], r#"[".env", ".env.local"]"#, Honoured;
        /// What is not passed on from the caller: parts of names, one name, or everything (`true`); `false` passes on also what production holds
        /// back.
        filter_env: FilterEnv, [], r#"["AWS_", "TOKEN"]"#, Honoured;
        /// Puts the name of the chosen `env_NAME` behind the app's.
        append_env_to_name: bool, [], "true", Honoured;
        /// The port it listens on, as the variable `PORT`.
        port: u16, [], "3000", Honoured;
        /// Whether it starts with the runner, or waits to be started.
        autostart: bool, [], "false", Honoured;
        /// Whether it is started again when it ends by itself; a limit of memory, `health` and the clock restart it either way.
        autorestart: bool, [], "false", Honoured;
        /// Exit codes after which it is not started again.
        stop_exit_codes: ExitCodes, [], "[0]", Honoured;
        /// A shorter run counts as unstable.
        min_uptime: Duration, [], r#""5s""#, Honoured;
        /// Unstable runs in a row, or restarts within `restart_window`, before it is given up; 0: no restart at all.
        max_restarts: Limit, [], "10", Honoured;
        /// The time in which restarts are counted.
        restart_window: Duration, [], r#""15m""#, Honoured;
        /// How long to wait before each restart.
        restart_delay: Duration, [], "1000", Honoured;
        /// The first of delays that grow with each restart; it wins over `restart_delay`.
        exp_backoff_restart_delay: Duration, [], "100", Honoured;
        /// Memory of all its processes at which it is restarted gracefully; what they share counts once.
        max_memory_restart: Size, [], r#""512M""#, Honoured;
        /// When it is restarted by the clock, in local time: minute, hour, day, month, weekday; with six fields, the second first.
        cron_restart: Cron, ["cron"], r#""0 3 * * *""#, Honoured;
        /// How long a stop may take before SIGKILL.
        kill_timeout: Duration, [], r#""10s""#, Honoured;
        /// How long a worker may finish what it serves once a new one has taken its place; 200 ms at least.
        drain_timeout: Duration, [], r#""5s""#, Honoured;
        /// The first signal of a stop.
        kill_signal: Signal, [], r#""SIGTERM""#, Honoured;
        /// Whether the signal goes to all processes of the app, or to the first alone.
        treekill: bool, [], "false", Honoured;
        /// Whether a Node app is told to stop by the message `shutdown`.
        shutdown_with_message: bool, [], "true", Honoured;
        /// Whether a Node app is ready only when it says `process.send('ready')`.
        wait_ready: bool, [], "true", Honoured;
        /// Whether it gets a terminal of its own instead of pipes: `pmdev attach NAME` leads there, and all it writes is its standard output.
        tty: bool, [], "true", Honoured;
        /// How long it has to be ready; a worker of a cluster is ready when it listens.
        listen_timeout: Duration, [], "3000", Honoured;
        /// What is watched: yes or no, paths, globs, and rules that give paths an action of their own.
        watch: Watch, [], r#"["src", { "paths": ["views/**"], "action": "reload" }]"#, Honoured;
        /// What is ignored besides what is ignored anyway; `!pattern` takes back.
        ignore_watch: Patterns, [], r#"["logs", "*.tmp"]"#, Honoured;
        /// How long a save has to settle.
        watch_delay: Duration, [], "200", Honoured;
        /// Options of chokidar.
        watch_options: WatchOptions, [], r#"{ "usePolling": true }"#, Honoured;
        /// Only files with these endings.
        ext: Texts, [], r#"["js", "json"]"#, Honoured;
        /// Looking at the files from time to time instead of waiting for events, or how often.
        poll: PollMode, [], r#""1s""#, Honoured;
        /// Whether git's ignore files apply.
        gitignore: bool, [], "false", Honoured;
        /// Whether the built-in ignore patterns apply.
        default_ignore: bool, [], "false", Honoured;
        /// Whether a save that changes no byte is no change.
        gate: bool, [], "false", Honoured;
        /// What has to succeed before a new version runs; the old one runs meanwhile.
        build: Line, [], r#""npm run build""#, Honoured;
        /// Apps that have to be up, or done, before this one starts.
        depends_on: DependsOn, [], r#"{ "db": "ready" }"#, Honoured;
        /// What makes it ready.
        ready: Readiness, [], r#"{ "http": "http://localhost:3000/healthz", "timeout": "30s" }"#, Honoured;
        /// What tells that it hangs.
        health: Checkup, [], r#"{ "tcp": 3000, "interval": "10s" }"#, Honoured;
        /// What the runner binds for it, so that connections wait while it restarts.
        listen: Addresses, [], "3000", Later(On);
        /// Command lines that are told what happens to it: one JSON object on standard input, the same in `PMDEV_EVENT`, `PMDEV_APP`,
        /// `PMDEV_INSTANCE`, `PMDEV_PID`, `PMDEV_EXIT_CODE`, `PMDEV_SIGNAL`, `PMDEV_REASON`, `PMDEV_RESTARTS`. Nothing waits for them.
        hooks: RawHooks, [], r#"{ "on_crash": "./tell-us.sh" }"#, Honoured;
        /// Whether each failure leaves a file with its reason and last lines in `$PMDEV_HOME/crashes`, as in production; the newest 20 stay.
        crash_capsules: bool, [], "true", Honoured;
        /// What it may use, and as what it runs.
        limits: RawLimits, [], r#"{ "nofile": 65536 }"#, Honoured;
        /// The mask of files it makes, in octal.
        umask: Umask, [], r#""027""#, Honoured;
        /// The user it runs as, with its groups, its HOME, USER and LOGNAME: a name or a number. Only root can have it run as somebody else.
        uid: String, ["user"], r#""www-data""#, Honoured;
        /// The group it runs as, instead of its user's own: a name or a number.
        gid: String, ["group"], r#""www-data""#, Honoured;
        /// Where its lines go, and how much of them is kept.
        logs: RawLogs, [], r#"{ "out": "logs/out.log", "max_size": "10M" }"#, Honoured;
        /// The file of standard output; `true` is `NAME-out.log` in `$PMDEV_HOME/logs`, false, `NULL` and `/dev/null` none.
        out_file: File, ["out", "output", "out_log"], r#""logs/out.log""#, Honoured;
        /// The file of standard error, in the same way; the usual one is `NAME-error.log`.
        error_file: File, ["error", "err", "err_file", "err_log"], r#""logs/error.log""#, Honoured;
        /// The file of both, in the same way; the usual one is `NAME.log`.
        log_file: File, ["log"], r#""logs/all.log""#, Honoured;
        /// Whether its output is neither kept nor shown.
        disable_logs: bool, [], "true", Honoured;
        /// Whether a line of a log file is written as it is or as a JSON object with `message`, `timestamp`, `type`, `process_id`, `app_name`.
        log_type: Kind, [], r#""json""#, Honoured;
        /// The time before each line of a log file, in day.js tokens.
        log_date_format: LogTime, [], r#""YYYY-MM-DD HH:mm:ss""#, Honoured;
        /// The time before each line of a log file, as `YYYY-MM-DDTHH:mm:ss`.
        time: bool, [], "true", Honoured;
        /// Whether the instances share their log files; else the number of each (`pm_id`) stands before `.log`. Without `instances` they do.
        merge_logs: bool, ["combine_logs"], "true", Honoured;
        /// The file that holds its process id while it runs; `true` is `$PMDEV_HOME/pids/NAME-ID.pid`, and where there are several instances
        /// each one's number is put before the ending.
        pid_file: File, ["pid"], r#""run/api.pid""#, Honoured;
        /// Whether stack traces of Node are those of the sources; without it, where a map lies beside the script (`app.js.map`).
        source_map_support: bool, [], "true", Honoured;
        /// Whether they are not.
        disable_source_map_support: bool, [], "true", Honoured;
        /// Other values for a profile.
        profiles: Profiles, [], r#"{ "prod": { "instances": "max" } }"#, Honoured;
        /// How often PM2 looks whether a process is gone.
        kill_retry_time: Anything, [], "100", Ignored("the kernel tells when a process is gone, so nobody has to look");
        /// Hides a window of Windows.
        windows_hide: Anything, [], "true", Ignored("there are no such windows here");
        /// Starts a script that runs already once more.
        force: Anything, [], "true", Ignored("a script may run under as many names as you like");
        /// Writes the app into a file.
        write: Anything, [], "true", Ignored("this file is where the app is written down");
        /// Reads git's metadata.
        vizion: Anything, [], "false", GIT;
        /// Commands after `pull`.
        post_update: Anything, [], r#"["npm install"]"#, GIT;
        /// Where a module of PM2 comes from.
        install_url: Anything, [], r#""https://example.org/x""#, Ignored("pmdev has no modules to install");
        /// Who started the app.
        username: Anything, [], r#""ann""#, Ignored("PM2 only shows it; `uid` says who the app runs as");
        /// Settings of its agent.
        io: Anything, [], "{}", SERVICE;
        /// Its agent.
        pmx: Anything, [], "false", SERVICE;
        /// Its agent.
        automation: Anything, [], "false", SERVICE;
        /// Its tracing.
        trace: Anything, [], "true", SERVICE;
        /// Its tracing.
        disable_trace: Anything, [], "true", SERVICE;
        /// Its metrics.
        v8: Anything, [], "true", SERVICE;
        /// Its metrics.
        event_loop_inspector: Anything, [], "true", SERVICE;
        /// Its metrics.
        deep_monitoring: Anything, [], "true", SERVICE;
    }
}
