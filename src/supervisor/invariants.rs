//! What must be true after every event, whatever the world does. Checked in debug builds.

use std::time::Instant;

use super::{Effect, Supervisor, app::App, run::Run, shutdown::Course};

impl Supervisor {
    /// Panics where an invariant does not hold.
    pub(super) fn check(&self, now: Instant, effects: &[Effect]) {
        let sets = || self.apps.iter().flat_map(App::sets);
        let mut ids: Vec<_> = sets().map(|run| run.id).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|one, next| one < next), "a run has two places: {ids:?}");
        for app in &self.apps {
            let coming: Vec<_> = app.instances.iter().filter_map(|instance| instance.coming.as_ref()).collect();
            assert!(coming.len() <= 1, "several runs of an app take places at once");
            let shares = |run: &Run| run.spec.shares_ports();
            assert!(coming.into_iter().all(|run| shares(run) && run.stays() && !run.serves()), "a run is coming that is not");
            assert!(app.leaving.iter().all(|leaving| shares(&leaving.run) && !leaving.run.stays()), "a run leaves that is not");
        }
        assert!(self.next_deadline().is_none_or(|deadline| now < deadline), "a deadline that has come was left");
        let spawns = effects.iter().any(|effect| matches!(effect, Effect::Spawn { .. }));
        let exits = effects.iter().filter(|effect| matches!(effect, Effect::Exit { .. })).count();
        match self.course {
            Course::Fresh | Course::Running => assert!(exits == 0, "the runner ends while apps go on"),
            Course::Ending { .. } => {
                assert!(!spawns && exits == 0, "something begins while the runner ends");
                let unasked = |app: &&App| !app.needed && app.sets().any(Run::stays);
                assert!(self.apps.iter().find(unasked).is_none(), "a set was not asked to stop");
                assert!(self.next_deadline().is_some(), "the end has no deadline");
            }
            Course::Over => {
                assert!(!spawns && exits <= 1, "something begins after the end");
                assert!(ids.is_empty(), "the runner left sets behind");
            }
        }
    }
}
