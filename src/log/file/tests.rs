//! All files of a runner: shared, failing, slow, at their end.

use std::{borrow::Cow, fs, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::log::queue::Budget;

/// No wait of a test is longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// What an app may have waiting, in bytes.
pub(in crate::log) const BUDGET: usize = 1 << 20;

/// Log files in a folder of their own, never rotated.
pub(in crate::log) struct Logs {
    folder: TempDir,
    pub(in crate::log) files: Files,
    pub(in crate::log) news: UnboundedReceiver<News>,
}

impl Logs {
    pub(in crate::log) fn new() -> Self {
        let (files, news) = Files::new();
        Self { folder: tempfile::tempdir().unwrap(), files, news }
    }

    pub(in crate::log) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(in crate::log) fn open(&self, name: &str) -> Handle {
        let path = self.path(name);
        let rotation = Rotation { max_size: None, every: None, keep: 9, compress: false, total: None };
        self.files.open(&path, Settings { rotation, together: vec![path.clone()], private: None, times: true })
    }

    pub(in crate::log) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(in crate::log) async fn heard(&mut self) -> News {
        tokio::time::timeout(DEADLINE, self.news.recv()).await.expect("nothing is heard").unwrap()
    }

    /// What is left to be heard, after everything was written or given up.
    async fn end(&mut self, within: Duration) -> Vec<String> {
        self.files.finish(within).await;
        std::iter::from_fn(|| self.news.try_recv().ok()).map(|news| format!("{news:?}")).collect()
    }
}

fn push(handle: &Handle, budget: &Arc<Budget>, lines: &str) {
    handle.sink().push(Cow::Borrowed(lines.as_bytes()), budget);
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn whoever_names_the_same_path_writes_into_the_same_file() {
    run(async {
        let mut logs = Logs::new();
        let (one, other) = (logs.open("a/all.log"), logs.open("a/all.log"));
        assert!(one.is_same(&other) && !one.is_same(&logs.open("b.log")));
        let budgets: [Arc<Budget>; 2] = Default::default();
        for number in 0..2000 {
            push(&one, &budgets[0], &format!("one {number}\n"));
            push(&other, &budgets[1], &format!("other {number}\n"));
        }
        assert!(logs.end(DEADLINE).await.is_empty());
        let text = logs.read("a/all.log");
        let expected: String = (0..2000).map(|number| format!("one {number}\nother {number}\n")).collect();
        assert!(text == expected, "the order is not that of the calls");
        assert_eq!(budgets.map(|budget| budget.used()), [0, 0]);
    });
}

#[test]
fn a_file_that_fails_loses_only_what_its_budget_does_not_hold_and_resumes_by_itself() {
    run(async {
        let mut logs = Logs::new();
        fs::write(logs.path("in the way"), "").unwrap();
        let handle = logs.open("in the way/out.log");
        let News::Failing { path, .. } = logs.heard().await else { panic!("it cannot be written") };
        assert_eq!(path, logs.path("in the way/out.log"));
        let budget = Arc::<Budget>::default();
        let line = format!("{}\n", "x".repeat(1023));
        let waiting = || tokio::time::timeout(DEADLINE, budget.room_unless(|| handle.sink().is_failing()));
        for _ in 0..BUDGET / line.len() + 500 {
            waiting().await.expect("nobody is held back for a file that fails");
            push(&handle, &budget, &line);
        }
        fs::remove_file(logs.path("in the way")).unwrap();
        let News::Resumed { lost, .. } = logs.heard().await else { panic!("it can be written again") };
        assert_eq!(lost, 500);
        push(&handle, &budget, "after\n");
        assert!(logs.end(DEADLINE).await.is_empty());
        assert!(logs.read("in the way/out.log") == line.repeat(BUDGET / line.len()) + "after\n");
    });
}

#[test]
fn what_cannot_be_written_at_the_end_is_counted() {
    run(async {
        let mut logs = Logs::new();
        fs::write(logs.path("in the way"), "").unwrap();
        let handle = logs.open("in the way/out.log");
        let budget = Arc::<Budget>::default();
        push(&handle, &budget, "one\ntwo\n");
        push(&handle, &Arc::default(), "three\n");
        let told = logs.end(DEADLINE).await;
        assert!(told.last().unwrap().ends_with("lost: 3 }") && told.len() == 2, "{told:#?}");
        assert_eq!(budget.used(), 0);
    });
}

#[test]
fn a_file_that_takes_nothing_holds_its_writers_back_and_the_end_only_so_long() {
    run(async {
        let mut logs = Logs::new();
        let pipe = logs.path("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR, 0)
            .unwrap();
        let _reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
        let (slow, other) = (logs.open("pipe"), logs.open("other.log"));
        let budget = Arc::<Budget>::default();
        let line = format!("{}\n", "x".repeat(1023));
        // What the pipe takes at first makes room again.
        let held = async {
            loop {
                while !budget.is_full() {
                    push(&slow, &budget, &line);
                }
                let room = budget.room_unless(|| slow.sink().is_failing());
                if tokio::time::timeout(Duration::from_millis(50), room).await.is_err() {
                    return;
                }
                assert!(!slow.sink().is_failing(), "it is slow, but does not fail");
            }
        };
        tokio::time::timeout(DEADLINE, held).await.expect("a pipe that nobody reads is full at last");
        push(&other, &Arc::default(), "one file does not wait for another\n");
        let told = logs.end(Duration::from_millis(200)).await;
        assert!(told.len() == 1 && told[0].starts_with("Lost"), "{told:#?}");
        assert_eq!(logs.read("other.log"), "one file does not wait for another\n");
    });
}

#[test]
fn a_file_put_away_by_others_is_left_when_they_say_so() {
    run(async {
        let mut logs = Logs::new();
        let (handle, budget) = (logs.open("out.log"), Arc::<Budget>::default());
        push(&handle, &budget, "one\n");
        let written = async || {
            while budget.used() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, written()).await.unwrap();
        fs::rename(logs.path("out.log"), logs.path("out.log.1")).unwrap();
        push(&handle, &budget, "two\n");
        tokio::time::timeout(DEADLINE, written()).await.unwrap();
        logs.files.reopen(|_| Answer::new(|_| ()));
        push(&handle, &budget, "three\n");
        assert!(logs.end(DEADLINE).await.is_empty());
        assert_eq!((logs.read("out.log.1").as_str(), logs.read("out.log").as_str()), ("one\ntwo\n", "three\n"));
    });
}

#[test]
fn a_file_without_users_is_forgotten_once_it_is_written() {
    run(async {
        let mut logs = Logs::new();
        let handle = logs.open("out.log");
        push(&handle, &Arc::default(), "one\n");
        let again = handle.clone();
        drop(handle);
        push(&again, &Arc::default(), "two\n");
        drop(again);
        assert!(logs.end(DEADLINE).await.is_empty());
        assert_eq!(logs.read("out.log"), "one\ntwo\n");
        drop(logs.open("another.log"));
        assert!(!logs.files.sinks().contains_key(&logs.path("out.log")));
    });
}

#[test]
fn that_a_file_cannot_be_put_away_is_told_each_time_anew() {
    let mut logs = Logs::new();
    let handle = logs.open("out.log");
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let mut told = |outcomes: &[Result<(), &std::io::Error>]| {
        outcomes.iter().for_each(|outcome| handle.sink().put_away(*outcome));
        std::iter::from_fn(|| logs.news.try_recv().ok()).filter(|news| matches!(news, News::Unrotated { .. })).count()
    };
    assert_eq!(told(&[Ok(()), Err(&full), Err(&full)]), 1);
    assert_eq!(told(&[Err(&full)]), 0);
    assert_eq!(told(&[Ok(()), Err(&full), Err(&full)]), 1);
}
