//! Somebody who waits at the desk: what is still to come, what has failed, and what an answer says then.

use std::time::{Duration, Instant};

use super::runner::{Runner, now};
use crate::{
    control::{Reply, Responder, Shown},
    log::Stream,
    model::{InstanceId, InstanceSnapshot, RunId, Status},
    supervisor::{Goal, Progress},
    ui,
};

/// Somebody who waits.
#[derive(Debug)]
pub struct Wait {
    /// What is still to come.
    open: Vec<(InstanceId, Goal)>,
    /// The instances the answer is about.
    about: Vec<InstanceId>,
    /// Those that have to stay online for a moment: most that cannot run say so at once.
    steady: Vec<Stay>,
    /// The moment, once all are there.
    moment: Option<Moment>,
    failed: Vec<Failed>,
    /// How long the holders of ports are waited for, once something has failed.
    lookups_until: Option<Instant>,
    responder: Responder,
    began: Instant,
}

/// One that has to stay online, and how often it had ended by itself when that was asked for.
#[derive(Debug)]
pub struct Stay {
    id: InstanceId,
    relapses: u64,
}

impl Stay {
    /// Whether it has ended meanwhile, to be started again.
    fn relapsed(&self, now: &InstanceSnapshot) -> bool {
        now.relapses > self.relapses
    }
}

/// For how long those that are online are looked at.
#[derive(Debug)]
struct Moment {
    /// When it began.
    began: Instant,
    /// When they are looked at next.
    next: Instant,
    /// What they had used then, in clock ticks.
    ticks: u64,
}

/// One that is not where it shall be, and does not come there by itself.
#[derive(Debug)]
struct Failed {
    id: InstanceId,
    why: String,
    said: Said,
}

/// Where the words of a failure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing of it has failed by itself.
    Nowhere,
    /// In the newest run.
    Last,
    /// In the one before the newest, which may have said something by now.
    Before,
}

/// How long an app that was started must stay online before that is told.
const STEADY: Duration = Duration::from_millis(300);

/// How much longer, while it is busy: interpreters take their time to come to what fails, on a busy machine much of it.
const STEADY_AT_MOST: Duration = Duration::from_secs(3);

/// The pause between two looks whether it is.
const LOOK: Duration = Duration::from_millis(100);

/// How long the answer about a failure waits for the holder of a port.
const LOOKUPS: Duration = Duration::from_millis(500);

/// How many of the last lines of an app tell why it did not start.
const LAST_LINES: usize = 15;

/// Among how many of them the beginning of an error is looked for.
const SEARCHED: usize = 100;

impl Wait {
    /// Somebody who waits for this from now on.
    pub fn new(goals: Vec<(InstanceId, Goal)>, steady: Vec<Stay>, responder: Responder) -> Self {
        let about = goals.iter().map(|(id, _)| *id).collect();
        Self { open: goals, about, steady, moment: None, failed: Vec::new(), lookups_until: None, responder, began: now() }
    }

    /// When it is to be looked at although nothing has happened.
    pub fn deadline(&self) -> Option<Instant> {
        self.moment.as_ref().map(|moment| moment.next).into_iter().chain(self.lookups_until).min()
    }

    /// Whether nobody waits any more.
    pub fn is_gone(&self) -> bool {
        self.responder.is_gone()
    }
}

impl Runner {
    /// These instances, as far as they are to be online.
    pub fn to_stay(&self, goals: &[(InstanceId, Goal)]) -> Vec<Stay> {
        let ids = goals.iter().filter(|(_, goal)| matches!(goal, Goal::Online { .. })).map(|(id, _)| *id);
        let known = self.instances();
        ids.map(|id| Stay { id, relapses: found(&known, id).map_or(0, |instance| instance.relapses) }).collect()
    }

    /// The answer, once there is one.
    pub fn looked_at(&mut self, wait: &mut Wait) -> Option<Reply> {
        self.see_progress(wait);
        if !wait.open.is_empty() || self.is_unsteady(wait) || self.looks_for_holders(wait) {
            return None;
        }
        Some(self.answer_of(wait))
    }

    /// The answer when the runner ends: what has come true is true all the same.
    pub fn answer_at_last(&mut self, mut wait: Wait) {
        self.see_progress(&mut wait);
        self.see_steadiness(&mut wait);
        let reply = if wait.open.is_empty() { self.answer_of(&wait) } else { Reply::refused(1, "The runner has ended") };
        wait.responder.say(reply);
    }

    /// Tells whoever waits.
    pub fn answer_to(wait: &Wait, reply: Reply) {
        // Who is gone needs no answer.
        let _ = wait.responder.say(reply);
    }

    fn answer_of(&mut self, wait: &Wait) -> Reply {
        if wait.failed.is_empty() {
            let took_ms = u64::try_from(now().duration_since(wait.began).as_millis()).unwrap_or(u64::MAX);
            return Reply::Done { instances: self.views(&wait.about, Shown::default()), took_ms };
        }
        let ids: Vec<InstanceId> = wait.failed.iter().map(|failed| failed.id).collect();
        let why: Vec<&str> = wait.failed.iter().map(|failed| failed.why.as_str()).collect();
        let lines = wait.failed.iter().filter_map(|failed| self.last_lines(failed));
        let hint = self.held_ports(&ids, Some(wait.began)).chain(lines).collect::<Vec<_>>().join("\n");
        Reply::Refused { code: 1, message: why.join("; "), hint: (!hint.is_empty()).then_some(hint) }
    }

    /// What has come of it since.
    fn see_progress(&self, wait: &mut Wait) {
        let failed = &mut wait.failed;
        wait.open.retain(|(id, goal)| match self.supervisor.progress(*id, *goal) {
            Progress::Pending => true,
            Progress::Reached => false,
            Progress::Failed(why) => {
                failed.push(self.failed(*id, why));
                false
            }
        });
        failed.sort_by_key(|failed| failed.id);
    }

    fn failed(&self, id: InstanceId, why: String) -> Failed {
        Failed { id, why, said: if self.supervisor.has_ended(id) { Said::Last } else { Said::Nowhere } }
    }

    /// Whether all are online, but not yet for long enough. One that has failed meanwhile is noted.
    fn is_unsteady(&mut self, wait: &mut Wait) -> bool {
        if !wait.failed.is_empty() || wait.steady.is_empty() {
            wait.moment = None;
            return false;
        }
        let now = now();
        let Some(moment) = &mut wait.moment else {
            // The first look only says what they have used so far.
            wait.moment = Some(Moment { began: now, next: now + (STEADY - LOOK), ticks: 0 });
            return true;
        };
        if now < moment.next {
            return true;
        }
        let (ticks, busy) = self.use_of(&wait.steady);
        let is_at_rest = !busy && ticks <= moment.ticks;
        let age = now.duration_since(moment.began);
        if age < STEADY || !is_at_rest && age < STEADY_AT_MOST && !self.one_has_ended(&wait.steady) {
            (moment.next, moment.ticks) = (now + LOOK, ticks);
            return true;
        }
        // What a run that ended at once has said is complete by now, and often the next one has said it as well.
        self.see_steadiness(wait);
        wait.moment = None;
        false
    }

    /// What these use together, in clock ticks, and whether one of them is busy.
    fn use_of(&mut self, steady: &[Stay]) -> (u64, bool) {
        let runs = self.runs_of_instances();
        let runs: Vec<RunId> = steady.iter().filter_map(|stay| runs.get(&stay.id)).flatten().copied().collect();
        let used: Vec<_> = runs.into_iter().filter_map(|run| self.processes.usage(run)).collect();
        (used.iter().map(|used| used.cpu_ticks).sum(), used.iter().any(|used| used.busy))
    }

    /// Whether one of these has ended, so that nothing more is to be waited for.
    fn one_has_ended(&self, steady: &[Stay]) -> bool {
        let known = self.instances();
        steady.iter().any(|stay| found(&known, stay.id).is_none_or(|now| now.pid.is_none() || stay.relapsed(now)))
    }

    fn see_steadiness(&self, wait: &mut Wait) {
        let known = self.instances();
        for stay in std::mem::take(&mut wait.steady) {
            let (id, found) = (stay.id, found(&known, stay.id));
            let status = found.map(|instance| instance.status);
            let ended = found.is_some_and(|instance| stay.relapsed(instance));
            match (status, self.supervisor.progress(id, Goal::Online { after: RunId(0) })) {
                // One that ended as it should is no failure.
                (Some(Status::Stopped), _) => {}
                (Some(Status::WaitingRestart), Progress::Failed(_)) | (_, Progress::Reached | Progress::Pending) if ended => {
                    let name = self.called(id);
                    let why = format!("{name} ended right after its start, and was started again");
                    wait.failed.push(Failed { id, why, said: Said::Before });
                }
                (_, Progress::Failed(why)) => wait.failed.push(self.failed(id, why)),
                (_, Progress::Reached | Progress::Pending) => {}
            }
        }
    }

    /// Whether it is still being found out who holds the port that one that failed wanted.
    fn looks_for_holders(&self, wait: &mut Wait) -> bool {
        let until = *wait.lookups_until.get_or_insert_with(|| now() + LOOKUPS);
        let looks = now() < until && wait.failed.iter().any(|failed| self.lookups.is_open(failed.id));
        if !looks {
            wait.lookups_until = None;
        }
        looks
    }

    fn instances(&self) -> Vec<InstanceSnapshot> {
        self.supervisor.snapshot(now()).apps.into_iter().flat_map(|app| app.instances).collect()
    }

    /// The last lines of an instance that ended by itself.
    fn last_lines(&self, failed: &Failed) -> Option<String> {
        let source = self.apps.source(failed.id)?;
        let before = |stream| source.kept(stream, SEARCHED).into_iter().map(|kept| kept.line).collect();
        let (errors, both) = (source.ring_of(Stream::Err, SEARCHED), source.ring(SEARCHED));
        let found: [Vec<Vec<u8>>; 4] = match failed.said {
            Said::Nowhere => return None,
            // It may have said nothing yet.
            Said::Last => [errors, both, before(Stream::Err), before(Stream::Out)],
            Said::Before => [errors, before(Stream::Err), both, before(Stream::Out)],
        };
        let lines = found.into_iter().find(|lines| !lines.is_empty())?;
        let lines: Vec<String> = lines.iter().map(|line| ui::plain(&String::from_utf8_lossy(line))).collect();
        let (title, lines) = match excerpt(&lines) {
            (lines, true) => ("the error of", [lines, &["...".to_owned()]].concat()),
            (lines, false) => ("the last lines of", lines.to_vec()),
        };
        let text: Vec<_> = lines.iter().map(|line| format!("  {line}")).collect();
        Some(format!("{title} {}:\n{}", self.called(failed.id), text.join("\n")))
    }

    fn called(&self, id: InstanceId) -> String {
        let instances = self.apps.spec(id.app).map_or(1, |spec| spec.instances);
        crate::model::called(self.apps.name(id.app).unwrap_or_default(), instances, id.slot)
    }
}

/// One of these instances.
fn found(known: &[InstanceSnapshot], id: InstanceId) -> Option<&InstanceSnapshot> {
    known.iter().find(|instance| instance.id == id)
}

/// The lines that are shown of the last ones, and whether others follow them: those from the beginning of the last error on, where one is
/// recognised and its end, which says what it was, is among them.
fn excerpt(lines: &[String]) -> (&[String], bool) {
    let end = lines.len();
    match lines.iter().rposition(|line| is_error(line)) {
        Some(at) if !is_below_a_stack(lines, at) => (&lines[at..end.min(at + LAST_LINES)], at + LAST_LINES < end),
        // A Python error stands below its stack.
        Some(_) | None => {
            let last = &lines[end.saturating_sub(LAST_LINES)..];
            let begin = last.iter().position(|line| line.starts_with("Traceback (most recent call last):"));
            (&last[begin.unwrap_or(0)..], false)
        }
    }
}

/// `Error: listen EADDRINUSE`, `TypeError [ERR_X]: no`, `ValueError: no`: the first line of an error in Node, the last of one in Python.
fn is_error(line: &str) -> bool {
    let word = line.split([':', ' ']).next().unwrap_or_default();
    let rest = &line[word.len()..];
    let named = word.ends_with("Error") || word.ends_with("Exception");
    let says = rest.is_empty() || rest.starts_with(": ") || rest.starts_with(" [");
    named && says && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.')
}

/// Whether the line before belongs to an error as well.
fn is_below_a_stack(lines: &[String], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| lines.get(before)).is_some_and(|line| line.starts_with("  ") && line.trim() != "^")
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_error_of_node_is_shown_from_its_first_line_on() {
        let stack: String = (0..20).map(|number| format!("    at f{number} (a.js:1:2)\n")).collect();
        let head = "starting\nnode:events:496\n      throw er; // Unhandled 'error' event\n      ^\n\n";
        let all = lines(&format!("{head}Error: listen EADDRINUSE: address already in use :::3000\n{stack}\nNode.js v22.1.0\n"));
        let (shown, more) = excerpt(&all);
        assert_eq!((shown.len(), more), (15, true));
        assert_eq!(shown[0], "Error: listen EADDRINUSE: address already in use :::3000");
        let short = lines("x\n    ^\nTypeError [ERR_X]: no\n    at f (a.js:1:2)\n\nNode.js v22.1.0");
        assert_eq!(excerpt(&short), (&short[2..], false));
    }

    #[test]
    fn of_other_words_the_last_are_shown() {
        let stack: String = (0..20).map(|number| format!("  File \"a.py\", line {number}\n    f()\n")).collect();
        let python = lines(&format!("Traceback (most recent call last):\n{stack}ValueError: no\n"));
        let (shown, more) = excerpt(&python);
        assert_eq!((shown.len(), shown.last().map(String::as_str), more), (15, Some("ValueError: no"), false));
        let short = lines("listening\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no\n");
        assert_eq!(excerpt(&short), (&short[1..], false));
        let plain: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        assert_eq!(excerpt(&plain), (&plain[15..], false));
        let said = lines("Errors: 0\nError handling is on\n");
        assert_eq!(excerpt(&said), (&said[..], false));
    }
}
