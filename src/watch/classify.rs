//! notify's words into ours.

use notify::{
    Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, Flag, ModifyKind, RenameMode},
};

use super::{FileKind, Raw};

/// An inotify event as notify tells it. `None`: nothing of it can matter (opened, read, the pair of a rename that came in halves before).
/// A created thing that is no folder is called a file here: inotify(7) does not tell a link or a device from one.
pub fn native(event: Event) -> Option<Raw> {
    if event.attrs.flag() == Some(Flag::Rescan) {
        return Some(Raw::Rescan);
    }
    let kind = event.kind;
    let path = event.paths.into_iter().next()?;
    match kind {
        EventKind::Create(CreateKind::Folder) => Some(Raw::New(path, FileKind::Dir)),
        EventKind::Create(CreateKind::Any | CreateKind::File | CreateKind::Other) => Some(Raw::New(path, FileKind::File)),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some(Raw::Gone(path)),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Raw::MovedIn(path)),
        EventKind::Modify(ModifyKind::Data(_)) => Some(Raw::Write(path)),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Raw::Meta(path)),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Raw::Done(path)),
        EventKind::Any | EventKind::Modify(ModifyKind::Any | ModifyKind::Other) => Some(Raw::Touched(path)),
        EventKind::Modify(ModifyKind::Name(RenameMode::Any | RenameMode::Both | RenameMode::Other)) => None,
        EventKind::Access(_) | EventKind::Other => None,
    }
}

/// An event of a backend that compares states (polling): whatever it says, lstat decides later.
pub fn polled(event: Event) -> Vec<Raw> {
    if event.attrs.flag() == Some(Flag::Rescan) {
        return vec![Raw::Rescan];
    }
    event.paths.into_iter().map(Raw::Touched).collect()
}

/// What a backend failed at. The error's own `Debug` would print every path that was left.
pub fn trouble(error: &notify::Error) -> Raw {
    Raw::Error(error.to_string())
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, MetadataKind, RemoveKind};

    use super::*;

    #[test]
    fn the_events_of_inotify_become_ours() {
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let path = std::path::PathBuf::from("/w/a");
        for (kind, want) in [
            (EventKind::Create(CreateKind::Folder), Some(Raw::New(path.clone(), FileKind::Dir))),
            (EventKind::Create(CreateKind::File), Some(Raw::New(path.clone(), FileKind::File))),
            (EventKind::Remove(RemoveKind::File), Some(Raw::Gone(path.clone()))),
            (EventKind::Remove(RemoveKind::Folder), Some(Raw::Gone(path.clone()))),
            (name(RenameMode::From), Some(Raw::Gone(path.clone()))),
            (name(RenameMode::To), Some(Raw::MovedIn(path.clone()))),
            (name(RenameMode::Both), None),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Raw::Write(path.clone()))),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), Some(Raw::Meta(path.clone()))),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(Raw::Done(path.clone()))),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
        ] {
            assert_eq!(native(Event::new(kind).add_path(path.clone())), want, "{kind:?}");
        }
        assert_eq!(native(Event::new(EventKind::Other).set_flag(Flag::Rescan)), Some(Raw::Rescan));
        assert_eq!(polled(Event::new(EventKind::Any).add_path(path.clone())), [Raw::Touched(path)]);
    }
}
