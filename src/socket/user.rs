//! Binding in the name of another user: a worker gets no port and no path that it could not have by itself.

use std::collections::BTreeSet;

use rustix::{
    io::Errno,
    process::{Gid, Uid, getegid, geteuid, getgroups},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

use crate::model::Identity;

/// Acts as this user, on this thread alone, and as ourselves again afterwards. Nothing changes for who is that user already.
///
/// # Errors
/// What comes of the act; or the system's errno, negative, where we may not become that user.
pub fn acting_as<T>(user: Option<&Identity>, act: impl FnOnce() -> Result<T, i32>) -> Result<T, i32> {
    let (own, own_group) = (geteuid(), getegid());
    let Some(user) = user.filter(|user| user.user != own.as_raw()) else { return act() };
    let negative = |errno: Errno| -errno.raw_os_error();
    let own_groups = getgroups().map_err(negative)?;
    let joined = join(user, own_group, &own_groups).map_err(negative)?;
    let assumed =
        set_thread_res_gid(None, Gid::from_raw(user.group), None).and_then(|()| set_thread_res_uid(None, Uid::from_raw(user.user), None));
    let came = assumed.map_err(negative).and_then(|()| act());
    // The real and the saved user stayed our own, so that there is always a way back.
    let back = set_thread_res_uid(None, own, None)
        .and_then(|()| set_thread_res_gid(None, own_group, None))
        .and_then(|()| if joined { set_thread_groups(&own_groups) } else { Ok(()) });
    back.expect("a thread becomes again who it is");
    came
}

/// Joins the groups of a user; false: we have them already, and may join none. In a user namespace of one's own setgroups(2) is denied even
/// to root, and a program that runs as that user got there in the same way.
fn join(user: &Identity, own_group: Gid, own_groups: &[Gid]) -> Result<bool, Errno> {
    let groups: Vec<Gid> = user.groups.iter().map(|group| Gid::from_raw(*group)).collect();
    match set_thread_groups(&groups) {
        Ok(()) => Ok(true),
        Err(Errno::PERM) if others(&groups, user, own_group) == others(own_groups, user, own_group) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// The group that one has in any case makes no difference where it stands among the others as well.
fn others(groups: &[Gid], user: &Identity, own_group: Gid) -> BTreeSet<u32> {
    groups.iter().map(|group| group.as_raw()).filter(|group| *group != user.group || *group != own_group.as_raw()).collect()
}
