//! Which rooms there are: formed at the beginning, and formed anew when what shall run was edited, without a disturbance for those that stay.

use std::{
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use super::{Engine, Room, now, room::Project};
use crate::{
    model::{ActionRule, Level, Notice, NoticeKind, PollMode, WatchRoot, WatchSpec},
    watch::{
        Fs as _, Out, Wanted, Watched,
        actions::Actions,
        group::{Group, Member},
        paths,
        tree::Tree,
    },
};

/// How far the kernel's stamps of files lag behind its clock: a tick at 100 Hz.
const LAG: Duration = Duration::from_millis(10);

/// A room that was formed just now and has watched nothing yet.
pub(super) struct Formed {
    index: usize,
    /// What changed since then must not be missed.
    since: SystemTime,
}

/// An app that left its group, and since when changes wait there that it has not been told of.
struct Moved {
    member: Member,
    pending: Option<Instant>,
}

impl Engine {
    /// Watches other things from now on.
    pub(super) fn reform(&mut self, wanted: Wanted) {
        // Whoever saves right after the plan was told means the new rules.
        let since = wanted.read_at;
        let formed = self.form(wanted, since);
        let kept: Vec<_> = formed.iter().map(|formed| self.walk_room(formed.index)).collect();
        self.know_project(&formed);
        self.catch_up(formed.into_iter().zip(kept));
        // After the walks: a folder that an old and a new room share keeps its watch.
        for room in self.rooms.extract_if(.., |room| room.group.is_empty()) {
            let mut tree = room.tree;
            tree.release(&mut self.set.group(room.number));
            self.set.leave(room.number);
        }
        self.notices.extend(self.set.notices().into_iter().map(Out::Notice));
    }

    /// Forms the rooms that are missing and moves apps; rooms without apps are left over. `wall`: changes since then count.
    pub(super) fn form(&mut self, wanted: Wanted, wall: SystemTime) -> Vec<Formed> {
        let Wanted { apps, files, modules, read_at } = wanted;
        let project = Project::new(&files, &modules);
        let same_project = *self.project == project;
        if !same_project {
            self.project = Rc::new(project);
            self.rooms.iter_mut().for_each(|room| room.project = Rc::clone(&self.project));
        }
        let mut moved = self.let_go(&apps);
        let mut formed: Vec<Formed> = Vec::new();
        let poll = apps.first().map_or(PollMode::Auto, |app| app.spec.poll);
        for Watched { app, name, spec, rules } in apps {
            let actions = self.actions(&name, &rules, &spec);
            if let Some(room) = self.rooms.iter_mut().find(|room| room.group.has(app)) {
                room.group.act(app, actions);
                continue;
            }
            let index = moved.iter().position(|moved| moved.member.app == app);
            let Moved { member, pending } =
                index.map_or_else(|| Moved { member: Member::new(app, name), pending: None }, |index| moved.swap_remove(index));
            let member = member.acting(actions);
            let since = self.wall(pending, wall);
            if let Some(index) = self.rooms.iter().position(|room| room.spec == spec && !room.group.is_project()) {
                self.rooms[index].group.join(member);
                formed.iter_mut().filter(|formed| formed.index == index).for_each(|formed| formed.since = formed.since.min(since));
                continue;
            }
            let mut group = Group::new(&spec, paths::canonical(&spec.base), self.explain);
            group.join(member);
            formed.extend(self.open(spec, group).map(|index| Formed { index, since }));
        }
        // Those nobody watches any more.
        let held = moved.into_iter().filter(|moved| moved.member.is_held());
        self.notices.extend(held.map(|moved| Out::ProbeOver { app: moved.member.app }));
        if !same_project {
            formed.extend(self.form_project(poll, read_at));
        }
        self.fs.share(self.rooms.len() > 1);
        formed
    }

    /// The apps that are not watched as they were.
    fn let_go(&mut self, apps: &[Watched]) -> Vec<Moved> {
        let now = now();
        let mut moved = Vec::new();
        for room in &mut self.rooms {
            let spec = &room.spec;
            let stays = |app| apps.iter().any(|wanted| wanted.app == app && wanted.spec == *spec);
            let pending = room.group.settle.pending();
            moved.extend(room.group.leave(now, stays, &mut self.notices).into_iter().map(|member| Moved { member, pending }));
        }
        moved
    }

    /// The room of the files that say what shall run takes the place of the one there was.
    fn form_project(&mut self, poll: PollMode, read_at: SystemTime) -> Option<Formed> {
        let old = self.rooms.iter().position(|room| room.group.is_project());
        let pending = old.and_then(|index| self.rooms[index].group.settle.pending());
        let since = self.wall(pending, read_at);
        if let Some(index) = old {
            self.rooms[index].group.retire();
        }
        let spec = project_spec(self.project.all(), poll)?;
        let group = Group::of_project(&spec, paths::canonical(&spec.base), self.explain);
        self.open(spec, group).map(|index| Formed { index, since })
    }

    /// An app's rules; ones that cannot be read are told, and then every save restarts it.
    fn actions(&mut self, name: &str, rules: &[ActionRule], spec: &WatchSpec) -> Actions {
        Actions::new(rules, spec).unwrap_or_else(|error| {
            self.notices.push(Out::Notice(Notice::new(Level::Error, NoticeKind::Watch, error.to_string()).about(name)));
            Actions::default()
        })
    }

    fn open(&mut self, spec: WatchSpec, group: Group) -> Option<usize> {
        let built = self.built.iter().position(|(known, _)| *known == spec);
        let tree = built.map_or_else(|| Tree::new(&spec), |index| Ok(self.built.swap_remove(index).1));
        match tree {
            Ok((tree, told)) => {
                self.notices.extend(told.into_iter().map(Out::Notice));
                let number = self.set.join(&spec);
                self.rooms.push(Room { spec, project: Rc::clone(&self.project), tree, group, number, folder_left: false });
                Some(self.rooms.len() - 1)
            }
            Err(error) => {
                self.notices.push(Out::Notice(Notice::new(Level::Error, NoticeKind::Watch, error.to_string())));
                None
            }
        }
    }

    /// Reads the files that say what shall run, so that even their first save is known for what it is.
    pub(super) fn know_project(&mut self, rooms: &[Formed]) {
        for Formed { index, since } in rooms {
            self.rooms[*index].know_project(*since, &mut self.fs);
        }
    }

    /// Looks for what changed while these rooms were formed and walked.
    pub(super) fn catch_up(&mut self, rooms: impl Iterator<Item = (Formed, usize)>) {
        for (Formed { index, since }, kept) in rooms {
            let room = &mut self.rooms[index];
            room.sweep(since, now(), kept, &mut self.fs);
        }
    }

    /// `wall`, or the stamp that a file changed at `pending` may have, where that is earlier.
    fn wall(&mut self, pending: Option<Instant>, wall: SystemTime) -> SystemTime {
        let pending = pending.map(|at| self.fs.now() - now().saturating_duration_since(at) - LAG);
        pending.map_or(wall, |pending| pending.min(wall))
    }
}

/// Files that no rule ignores; `None`: there are none.
fn project_spec(files: Vec<PathBuf>, poll: PollMode) -> Option<WatchSpec> {
    let base = files.first()?.parent()?.to_owned();
    let spec = WatchSpec::new(files.into_iter().map(WatchRoot::File).collect(), base);
    Some(WatchSpec { gitignore: false, defaults: false, poll, follow_symlinks: false, early_stop: false, ..spec })
}
