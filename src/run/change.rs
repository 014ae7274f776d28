//! `--on change`: whether a job failed or succeeded when it was last reported, kept between its runs.
//!
//! The first failure and the recovery are reported. The state is saved only after the report was delivered, so that the next
//! run makes up for a lost alert. Each job has two files in the folder `change`: a lock, held from the comparison until the
//! alert has been sent, and the state. An error with them never hides a failure. The files are small and stay: removing a
//! lock would let two processes hold it.

use std::fmt::Display;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::clock::{at_ms, now_ms, read_ms};
use crate::store::{Folder, Guard, KeyedFile, lock_patience};

/// The folder below the state folder.
const FOLDER: &str = "change";

/// What a run of a job changed. Other runs of the job wait until this is dropped.
#[derive(Debug)]
#[must_use = "other runs of this job wait for its end"]
pub(super) struct Change {
    /// What to report; `None` if nothing changed.
    pub(super) report: Option<ChangeReport>,
    /// Why the state cannot be read or kept, for the report.
    pub(super) warning: Option<String>,
    /// The state to save, where it changed.
    unsaved: Option<(KeyedFile, Guard, Known)>,
}

/// How the state of a job changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeReport {
    /// It fails now, and did not before as far as is known.
    Failed,
    /// It succeeds again.
    Recovered {
        /// When its failure was first reported.
        since: SystemTime,
    },
}

impl ChangeReport {
    pub(super) fn is_recovery(self) -> bool {
        matches!(self, Self::Recovered { .. })
    }
}

/// Compares a run of a job with the state of the one before. `job` may be any text and appears in no file.
///
/// Waits for another run of the job that is being reported, for a part of the time until `deadline`. Where the state cannot
/// be read, every failure is reported.
pub(super) async fn compare(state: Option<&Folder>, job: &str, failed: bool, deadline: Instant) -> Change {
    let Some(state) = state else {
        return Change::unknown(failed, "no folder for state is known; set state_dir");
    };
    let file = KeyedFile::new(state, FOLDER, job);
    match file.lock(lock_patience(deadline), || false).await {
        Ok(Some(guard)) => compare_locked(file, guard, failed),
        Ok(None) => Change::unknown(failed, "an alert about another run of it is still under way"),
        Err(error) => Change::unknown(failed, file.says("cannot be used", error)),
    }
}

impl Change {
    /// Saves the state: the change has been reported, or there was none. Returns a warning if that fails.
    #[must_use = "a warning is for whoever sends"]
    pub(super) fn record_reported(self) -> Option<String> {
        let (file, guard, known) = self.unsaved.as_ref()?;
        file.write(known, guard).err().map(|error| unkept(file.says("cannot be written", error)))
    }

    fn unknown(failed: bool, reason: impl Display) -> Self {
        Self { report: failed.then_some(ChangeReport::Failed), warning: Some(unkept(reason)), unsaved: None }
    }
}

fn compare_locked(file: KeyedFile, guard: Guard, failed: bool) -> Change {
    let read = file.read();
    let warning = read.as_ref().err().map(|reason| unkept(file.says("is ignored", reason)));
    let before: Option<Known> = read.ok().flatten();
    let report = match (before, failed) {
        (Some(Known { failed: true, since_ms }), false) => Some(ChangeReport::Recovered { since: at_ms(since_ms) }),
        (Some(Known { failed: true, .. }), true) | (_, false) => None,
        (_, true) => Some(ChangeReport::Failed),
    };
    let known = match before {
        Some(before) if before.failed == failed => before,
        _ => Known { failed, since_ms: now_ms() },
    };
    let unsaved = (before != Some(known)).then_some((file, guard, known));
    Change { report, warning, unsaved }
}

/// The content of a file: the state of the job, and since when, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    failed: bool,
    #[serde(deserialize_with = "read_ms")]
    since_ms: u64,
}

fn unkept(reason: impl Display) -> String {
    format!("how the command ended before is not known, so every failure sends an alert: {reason}")
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

        /// A run whose report, if any, is delivered or not.
        #[track_caller]
        fn run(&self, job: &str, failed: bool, is_delivered: bool) -> Option<ChangeReport> {
            let change = self.compare(job, failed, LONG);
            assert_eq!(change.warning, None);
            let report = change.report;
            if is_delivered {
                assert_eq!(change.record_reported(), None);
            }
            report
        }
    }

    fn is_recovery(report: Option<ChangeReport>) -> bool {
        matches!(report, Some(ChangeReport::Recovered { since }) if since <= SystemTime::now())
    }

    #[test]
    fn the_first_failure_and_the_recovery_are_reported() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", false, true), None, "well from the start");
        assert_eq!(machine.run("a", true, true), Some(ChangeReport::Failed));
        assert_eq!(machine.run("a", true, true), None, "still");
        assert_eq!(machine.run("b", true, true), Some(ChangeReport::Failed), "another job, from the start");
        assert!(is_recovery(machine.run("a", false, true)));
        assert_eq!(machine.run("a", false, true), None);
        assert_eq!(machine.run("a", true, true), Some(ChangeReport::Failed), "again");
    }

    #[test]
    fn a_change_that_was_not_delivered_is_reported_again() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", true, false), Some(ChangeReport::Failed));
        assert_eq!(machine.run("a", true, true), Some(ChangeReport::Failed));
        assert!(is_recovery(machine.run("a", false, false)));
        assert!(is_recovery(machine.run("a", false, true)));
        assert_eq!(machine.run("a", true, false), Some(ChangeReport::Failed));
        assert_eq!(machine.run("a", false, true), None, "nobody has heard that it failed");
    }

    #[test]
    fn a_recovery_says_since_when_it_failed() {
        let machine = Machine::new();
        let begun = at_ms(now_ms());
        assert_eq!(machine.run("a", true, true), Some(ChangeReport::Failed));
        let between = SystemTime::now();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(machine.run("a", true, true), None);
        let Some(ChangeReport::Recovered { since }) = machine.run("a", false, true) else { panic!("no recovery") };
        assert!(begun <= since && since <= between);
    }

    #[test]
    fn a_second_run_waits_until_the_first_is_reported() {
        let machine = Machine::new();
        let first = machine.compare("a", true, LONG);
        let late = machine.compare("a", true, SHORT);
        assert_eq!(late.report, Some(ChangeReport::Failed), "better twice than never");
        assert!(late.warning.is_some() && late.record_reported().is_none());
        assert_eq!(machine.compare("a", false, SHORT).report, None);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| machine.run("a", true, true));
            std::thread::sleep(SHORT);
            assert_eq!(first.record_reported(), None);
            assert_eq!(second.join().unwrap(), None);
        });
    }

    #[test]
    fn a_folder_that_cannot_be_used_hides_no_failure() {
        let machine = Machine::new();
        std::fs::write(machine.state().path(), "a file").unwrap();
        for (failed, report) in [(true, Some(ChangeReport::Failed)), (false, None)] {
            let change = machine.compare("a", failed, LONG);
            assert_eq!(change.report, report);
            assert!(change.warning.as_ref().is_some_and(|warning| warning.contains("every failure sends an alert")));
            assert_eq!(change.record_reported(), None, "said already");
        }
    }

    #[test]
    fn an_unreadable_state_counts_as_unknown_and_a_failed_write_is_a_warning() {
        let machine = Machine::new();
        assert_eq!(machine.run("a", true, true), Some(ChangeReport::Failed));
        let place = KeyedFile::new(&machine.state(), FOLDER, "a");
        let absurd = [i64::MAX as u64, u64::MAX].map(|ms| format!("{{\"failed\":true,\"since_ms\":{ms}}}"));
        for damaged in absurd.iter().map(String::as_str).chain(["{", "{\"failed\":true,\"since_ms\":-1}"]) {
            std::fs::write(place.file(), damaged).unwrap();
            let change = machine.compare("a", true, LONG);
            assert!(change.warning.as_ref().is_some_and(|warning| warning.contains("it is damaged")), "{damaged}");
            assert_eq!(change.report, Some(ChangeReport::Failed), "{damaged}");
            assert_eq!(change.record_reported(), None, "{damaged}");
            assert_eq!(machine.run("a", true, true), None, "it is mended after {damaged}");
        }
        std::fs::remove_file(place.file()).unwrap();
        std::fs::create_dir_all(place.file().join("x")).unwrap();
        let told = machine.compare("a", true, LONG).record_reported();
        assert!(told.is_some_and(|warning| warning.contains("cannot be written")));
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_only_for_their_owner_and_do_not_name_the_job() {
        use std::os::unix::fs::PermissionsExt;
        let machine = Machine::new();
        assert_eq!(machine.run("backup --password x", true, true), Some(ChangeReport::Failed));
        let folder = machine.state().within("change");
        for name in folder.names().unwrap() {
            let mode = std::fs::metadata(folder.file(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            assert!(!name.contains("backup"), "{name}");
        }
    }
}
