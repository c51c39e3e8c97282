//! The stages of the shim that settle as whom a program runs and what it may use. Each does nothing where nothing is asked for.
//!
//! The shim has one thread, so what the kernel keeps by thread (ids, groups, no_new_privs) is the whole process's.

use std::{collections::BTreeSet, fs, io};

use rustix::{
    fs::{Gid, Mode, Uid, fchown},
    io::Errno,
    process::{Resource, Rlimit, getegid, getgroups, getrlimit, setpriority_process, setrlimit},
    stdio,
    thread::{set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid},
};

use crate::model::{Hardening, Identity, LaunchFailure, Stage, UNLIMITED};

/// Gives the pipes to the user that the program runs as: `/dev/stdout` is opened anew, and a pipe of root's could not be.
pub fn give_pipes(identity: Option<&Identity>) -> Result<(), LaunchFailure> {
    let Some(Identity { user, group, .. }) = identity else { return Ok(()) };
    for pipe in [stdio::stdin(), stdio::stdout(), stdio::stderr()] {
        fchown(pipe, Some(Uid::from_raw(*user)), Some(Gid::from_raw(*group)))
            .map_err(|errno| failure(Stage::Descriptors, format!("of user {user}"), &errno.into()))?;
    }
    Ok(())
}

/// Gives the terminal to the user that the program runs as; its group stays that of terminals, pts(4).
pub fn give_terminal(identity: Option<&Identity>) -> Result<(), LaunchFailure> {
    let Some(Identity { user, .. }) = identity else { return Ok(()) };
    fchown(stdio::stdin(), Some(Uid::from_raw(*user)), None)
        .map_err(|errno| failure(Stage::Terminal, format!("of user {user}"), &errno.into()))
}

/// Everything that may take more rights than the user has.
pub fn limit(hardening: &Hardening) -> Result<(), LaunchFailure> {
    limit_to(Resource::Nofile, hardening.nofile, Stage::OpenFiles)?;
    limit_to(Resource::Core, hardening.core, Stage::CoreDumps)?;
    if let Some(nice) = hardening.nice {
        setpriority_process(None, nice).map_err(|errno| failure(Stage::Niceness, format!("to {nice}"), &errno.into()))?;
        // Every session is a group of its own for the scheduler where that is on, and between groups only their niceness counts, sched(7).
        // Without it, or without the right to it, the process's own has to do.
        let _ = fs::write("/proc/self/autogroup", nice.to_string());
    }
    if let Some(score) = hardening.oom_score_adj {
        fs::write("/proc/self/oom_score_adj", score.to_string())
            .map_err(|error| failure(Stage::OomScore, format!("to {score}"), &error))?;
    }
    Ok(())
}

/// Becomes the user of an identity.
pub fn assume(identity: Option<&Identity>) -> Result<(), LaunchFailure> {
    let Some(identity) = identity else { return Ok(()) };
    let (own, Identity { user, group, groups, name, home: _ }) = (User::new(identity), identity);
    let shown = groups.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    own.join_groups().map_err(|errno| failure(Stage::Groups, format!("{shown} of {name}"), &errno.into()))?;
    own.become_group().map_err(|errno| failure(Stage::Group, group.to_string(), &errno.into()))?;
    let shown = if *name == user.to_string() { name.clone() } else { format!("{user} ({name})") };
    own.become_user().map_err(|errno| failure(Stage::User, shown, &errno.into()))
}

/// The numbers of an identity; nothing here allocates, so that it may stand between fork and exec.
#[derive(Debug)]
pub struct User {
    user: Uid,
    group: Gid,
    groups: Vec<Gid>,
    /// Whether we have its groups already: in a user namespace of one's own setgroups(2) is denied even to root.
    joined: bool,
}

impl User {
    /// The numbers of an identity.
    pub fn new(identity: &Identity) -> Self {
        let groups: Vec<Gid> = identity.groups.iter().map(|group| Gid::from_raw(*group)).collect();
        let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
        // Whether the group that we have in any case stands among them as well makes no difference.
        let others = |groups: &[Gid]| -> BTreeSet<u32> {
            groups.iter().filter(|other| **other != group || group != getegid()).map(|group| group.as_raw()).collect()
        };
        let joined = getgroups().is_ok_and(|present| others(&present) == others(&groups));
        Self { user, group, groups, joined }
    }

    /// Becomes it, groups first: afterwards there is no right to.
    pub fn assume(&self) -> io::Result<()> {
        self.join_groups()?;
        self.become_group()?;
        Ok(self.become_user()?)
    }

    fn join_groups(&self) -> Result<(), Errno> {
        match set_thread_groups(&self.groups) {
            Err(Errno::PERM) if self.joined => Ok(()),
            joined => joined,
        }
    }

    fn become_group(&self) -> Result<(), Errno> {
        set_thread_gid(self.group)
    }

    fn become_user(&self) -> Result<(), Errno> {
        set_thread_uid(self.user)
    }
}

/// Limits the processes of the user. Only now: counted for root, it would be too late, or against the wrong number.
pub fn limit_processes(hardening: &Hardening) -> Result<(), LaunchFailure> {
    limit_to(Resource::Nproc, hardening.nproc, Stage::UserProcesses)
}

/// Sets the mask of new files, which cannot fail.
pub fn mask(hardening: &Hardening) {
    if let Some(mask) = hardening.umask {
        rustix::process::umask(Mode::from_raw_mode(mask));
    }
}

/// From here on no program that it executes gains rights, set-user-ID or not.
pub fn no_new_privs(hardening: &Hardening) -> Result<(), LaunchFailure> {
    if !hardening.no_new_privs {
        return Ok(());
    }
    set_no_new_privs(true).map_err(|errno| failure(Stage::NoNewPrivs, String::new(), &errno.into()))
}

/// Soft and hard limit alike. Unlimited is as high as may be: where nobody may lift the hard limit, the soft one goes up to it.
fn limit_to(resource: Resource, limit: Option<u64>, stage: Stage) -> Result<(), LaunchFailure> {
    let Some(limit) = limit else { return Ok(()) };
    let hard = getrlimit(resource).maximum;
    let wanted = Some(limit).filter(|limit| *limit != UNLIMITED);
    let set = setrlimit(resource, Rlimit { current: wanted, maximum: wanted });
    let set = if set.is_err() && wanted.is_none() { setrlimit(resource, Rlimit { current: hard, maximum: hard }) } else { set };
    set.map_err(|errno| {
        let hard = hard.map_or_else(|| "none".to_owned(), |hard| hard.to_string());
        failure(stage, format!("to {limit} (the hard limit is {hard})"), &errno.into())
    })
}

fn failure(stage: Stage, object: String, error: &io::Error) -> LaunchFailure {
    super::shim::failure(stage, &object, error)
}
