//! What is known of a job between its runs: whether it was well when its people last heard of it.
//!
//! One who only wants to hear of changes hears of the first failure and of the recovery. What is known moves on only when
//! that has been told, so that an alert that got lost is made up for by the next run. Two files per job, in the folder
//! `change`: a lock, held from the look at what is known until the alert is out, and what is known. Trouble with them never
//! hides a failure. The files stay; they are small, and removing a lock would let two processes hold it.

use std::fmt::Display;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::clock::{at_ms, now_ms};
use crate::store::{Folder, Guard, KeyedFile};

/// In the folder of the state.
const FOLDER: &str = "change";

/// What a run of a job changed. Other runs of the job wait until this is dropped.
#[derive(Debug)]
#[must_use = "other runs of this job wait for its end"]
pub(super) struct Change {
    /// What is to be told; `None` if all is as it was.
    pub(super) news: Option<News>,
    /// Why nothing is known, or kept; `None` if all is well.
    pub(super) warning: Option<String>,
    place: Option<(KeyedFile, Guard, Known)>,
}

/// What is to be told of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It fails now, and did not as far as is known.
    Failed,
    /// It is well again.
    Recovered {
        /// When it was first told that it fails.
        since: SystemTime,
    },
}

/// Compares a run of a job with what is known. `job` may be any text and appears in no file.
///
/// Waits for another run of it that is just being told of, until `until`. Where nothing can be known, a failure is news.
pub(super) async fn compare(state: Option<&Folder>, job: &str, failed: bool, until: Instant) -> Change {
    let Some(state) = state else {
        return Change::unknown(failed, "no folder for state is known; set state_dir");
    };
    let place = KeyedFile::new(state, FOLDER, job);
    match place.lock(until, || false).await {
        Ok(Some(guard)) => compare_locked(place, guard, failed),
        Ok(None) => Change::unknown(failed, "another run of it is still being told of"),
        Err(error) => Change::unknown(failed, place.says("cannot be used", error)),
    }
}

impl Change {
    /// Keeps what is known now: the news have been told, or there were none. Returns a warning if that cannot be kept.
    #[must_use = "a warning is for whoever sends"]
    pub(super) fn told(self) -> Option<String> {
        let (place, guard, known) = self.place.as_ref()?;
        place.write(known, guard).err().map(|error| unkept(place.says("cannot be written", error)))
    }

    fn unknown(failed: bool, reason: impl Display) -> Self {
        Self { news: failed.then_some(News::Failed), warning: Some(unkept(reason)), place: None }
    }
}

/// Holds a run against what is known of its job.
fn compare_locked(place: KeyedFile, guard: Guard, failed: bool) -> Change {
    let before: Option<Known> = place.read().ok().flatten();
    let news = match (before, failed) {
        (Some(Known { failed: true, since_ms }), false) => Some(News::Recovered { since: at_ms(since_ms) }),
        (Some(Known { failed: true, .. }), true) | (_, false) => None,
        (_, true) => Some(News::Failed),
    };
    let known = match before {
        Some(before) if before.failed == failed => before,
        _ => Known { failed, since_ms: now_ms() },
    };
    // Nothing is written where nothing is new.
    let place = (before != Some(known)).then_some((place, guard, known));
    Change { news, warning: None, place }
}

/// The content of a file: how the job was, and since when; Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    failed: bool,
    since_ms: u64,
}

fn unkept(reason: impl Display) -> String {
    format!("it is not known how the command was before, and every failure is told: {reason}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(3_600);

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn state(&self) -> Folder {
            Folder::private(self.0.path().join("state"))
        }

        fn compare(&self, job: &str, failed: bool, patience: Duration) -> Change {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(compare(Some(&self.state()), job, failed, Instant::now() + patience))
        }

        /// A run whose news, if any, arrive or not.
        #[track_caller]
        fn run(&self, job: &str, failed: bool, arrives: bool) -> Option<News> {
            let change = self.compare(job, failed, LONG);
            assert_eq!(change.warning, None);
            let news = change.news;
            if arrives {
                assert_eq!(change.told(), None);
            }
            news
        }
    }

    fn is_recovery(news: Option<News>) -> bool {
        matches!(news, Some(News::Recovered { since }) if since <= SystemTime::now())
    }

    #[test]
    fn the_first_failure_and_the_recovery_are_news() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", false, true), None, "well from the start");
        assert_eq!(machine.run("a", true, true), Some(News::Failed));
        assert_eq!(machine.run("a", true, true), None, "still");
        assert_eq!(machine.run("b", true, true), Some(News::Failed), "another job, from the start");
        assert!(is_recovery(machine.run("a", false, true)));
        assert_eq!(machine.run("a", false, true), None);
        assert_eq!(machine.run("a", true, true), Some(News::Failed), "again");
    }

    #[test]
    fn what_was_not_told_is_still_news() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", true, false), Some(News::Failed));
        assert_eq!(machine.run("a", true, true), Some(News::Failed));
        assert!(is_recovery(machine.run("a", false, false)));
        assert!(is_recovery(machine.run("a", false, true)));
        assert_eq!(machine.run("a", true, false), Some(News::Failed));
        assert_eq!(machine.run("a", false, true), None, "nobody has heard that it failed");
    }

    #[test]
    fn a_recovery_tells_since_when_it_failed() {
        let machine = Machine::new();
        let begun = at_ms(now_ms());
        assert_eq!(machine.run("a", true, true), Some(News::Failed));
        let between = SystemTime::now();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(machine.run("a", true, true), None);
        let Some(News::Recovered { since }) = machine.run("a", false, true) else { panic!("no recovery") };
        assert!(begun <= since && since <= between);
    }

    #[test]
    fn a_second_run_waits_for_what_becomes_of_the_first() {
        let machine = Machine::new();
        let first = machine.compare("a", true, LONG);
        let late = machine.compare("a", true, SHORT);
        assert_eq!(late.news, Some(News::Failed), "better twice than never");
        assert!(late.warning.is_some() && late.told().is_none());
        assert_eq!(machine.compare("a", false, SHORT).news, None);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| machine.run("a", true, true));
            std::thread::sleep(SHORT);
            assert_eq!(first.told(), None);
            assert_eq!(second.join().unwrap(), None);
        });
    }

    #[test]
    fn a_folder_that_cannot_be_used_hides_no_failure() {
        let machine = Machine::new();
        std::fs::write(machine.state().path(), "a file").unwrap();
        for (failed, news) in [(true, Some(News::Failed)), (false, None)] {
            let change = machine.compare("a", failed, LONG);
            assert_eq!(change.news, news);
            assert!(change.warning.as_ref().is_some_and(|warning| warning.contains("every failure is told")));
            assert_eq!(change.told(), None, "said already");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_known_and_what_cannot_be_written_is_said() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", true, true), Some(News::Failed));
        let place = KeyedFile::new(&machine.state(), FOLDER, "a");
        std::fs::write(place.file(), "{").unwrap();
        assert_eq!(machine.run("a", true, true), Some(News::Failed));
        std::fs::remove_file(place.file()).unwrap();
        std::fs::create_dir_all(place.file().join("x")).unwrap();
        let told = machine.compare("a", true, LONG).told();
        assert!(told.is_some_and(|warning| warning.contains("cannot be written")));
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_for_their_owner_alone_and_do_not_name_the_job() {
        use std::os::unix::fs::PermissionsExt;
        let machine = Machine::new();
        assert_eq!(machine.run("backup --password x", true, true), Some(News::Failed));
        let folder = machine.state().within("change");
        for name in folder.names().unwrap() {
            let mode = std::fs::metadata(folder.file(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            assert!(!name.contains("backup"), "{name}");
        }
    }
}
