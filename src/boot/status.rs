//! One sentence about all apps, for `systemctl status`.

use crate::model::{Snapshot, Status};

/// `3 apps online, 1 waiting restart`: how many are in which state, those that run first.
pub fn sentence(snapshot: &Snapshot) -> String {
    let mut states: Vec<Status> = snapshot.apps.iter().flat_map(|app| app.instances.iter().map(|instance| instance.status)).collect();
    states.sort_by_key(|state| place(*state));
    let noun = if states.len() > snapshot.apps.len() { "instance" } else { "app" };
    let counted = states.chunk_by(|one, other| one == other).enumerate().map(|(at, same)| match (at, same.len()) {
        (0, 1) => format!("1 {noun} {}", same[0]),
        (0, count) => format!("{count} {noun}s {}", same[0]),
        (_, count) => format!("{count} {}", same[0]),
    });
    let sentence = counted.collect::<Vec<_>>().join(", ");
    if sentence.is_empty() { "no apps".to_owned() } else { sentence }
}

/// The order in which states are named, so that the sentence changes when a state does and never by itself.
fn place(status: Status) -> u8 {
    match status {
        Status::Online => 0,
        Status::Launching => 1,
        Status::Building => 2,
        Status::WaitingRestart => 3,
        Status::Crashed => 4,
        Status::Errored => 5,
        Status::Stopping => 6,
        Status::Stopped => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppId, AppSnapshot, Generation, InstanceId, InstanceSnapshot};

    fn of(apps: &[&[Status]]) -> String {
        let app = |(id, states): (u32, &&[Status])| AppSnapshot {
            id: AppId(id),
            name: id.to_string(),
            generation: Generation(1),
            watched: false,
            instances: (0..)
                .zip(*states)
                .map(|(slot, status)| InstanceSnapshot {
                    id: InstanceId { app: AppId(id), slot },
                    status: *status,
                    pid: None,
                    uptime: None,
                    restarts: 0,
                    unstable_restarts: 0,
                    relapses: 0,
                    exit: None,
                    why: None,
                })
                .collect(),
        };
        sentence(&Snapshot { apps: (0..).zip(apps).map(app).collect(), paused: false })
    }

    #[test]
    fn states_are_counted_those_that_run_first() {
        use Status::{Errored, Online, Stopped, WaitingRestart};
        insta::assert_snapshot!(of(&[&[Online], &[WaitingRestart], &[Online], &[Online]]), @"3 apps online, 1 waiting restart");
        insta::assert_snapshot!(of(&[&[Errored]]), @"1 app errored");
        insta::assert_snapshot!(of(&[&[Online; 4], &[Stopped]]), @"4 instances online, 1 stopped");
        insta::assert_snapshot!(of(&[]), @"no apps");
    }
}
