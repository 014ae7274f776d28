//! The cooldown: deduplicates alerts. Repeats within a period are held back, for all processes of the machine together, or of
//! all machines that share their state.
//!
//! An alert is held back only when an earlier one is known to have been taken. While that one is still being sent, the next
//! one waits for it for a part of its own time, and is sent if it fails or takes longer: better twice than never.
//!
//! Two files per key, in the folder `cooldown`: a lock, held while an alert is being sent, and the last alert. Files that
//! cannot be used never stop an alert, which then goes out with a warning. They are removed some time after the cooldown.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::clock::{at_ms, in_ms, now_ms, read_ms};
use crate::event::Observer;
use crate::shared_state::{Hold, KeyedRecord, SharedRecord};
use crate::store::{Folder, KeyedFile, lock_patience};

/// How long a repeat that is held back waits to be counted, at the most.
const COUNT_PATIENCE: Duration = Duration::from_secs(1);

/// How many keys are looked at, when a new one comes, for whether their files can be removed.
const MOST_SWEPT: usize = 16;

/// How long after its cooldown a file stays that holds a count, in milliseconds: 30 days.
const KEPT_FOR_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// In the folder of the state.
const FOLDER: &str = "cooldown";

/// Whether an alert is sent.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It is sent now.
    Send(AdmittedAlert),
    /// One like it was taken a short while ago.
    HeldBack {
        /// How many have been held back since then, with this one.
        count: u64,
    },
}

/// An alert that is being sent. Others with its key wait until this is dropped; one of them is sent then if this one failed.
#[derive(Debug)]
#[must_use = "others with this key wait for its end"]
pub(crate) struct AdmittedAlert {
    /// What to tell those who get this alert: how many were held back before it, and since when; `None` if none was.
    pub(crate) held_back: Option<HeldBack>,
    /// Why repeats cannot be held back after it, or were not before; `None` if all is well.
    pub(crate) warning: Option<String>,
    kept: Option<Box<(LastAlertRecord, Hold)>>,
    duration: Duration,
    /// Whether nothing was kept of its key.
    is_first: bool,
}

/// Alerts that were held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldBack {
    /// At least 1.
    pub(crate) count: u64,
    /// When the one before them was taken.
    pub(crate) since: SystemTime,
}

/// Asks whether an alert may be sent: at most one with this `key` within `duration`. `key` may be any text and appears in no
/// file. With `shared` the state that several machines share says so, as long as it answers.
///
/// Waits for one that is being sent, for a part of the time until `deadline`.
pub(crate) async fn admit(
    state: Option<&Folder>,
    shared: Option<SharedRecord>,
    key: &str,
    duration: Duration,
    deadline: Instant,
    observer: &Observer,
) -> Admission {
    let Some(record) = KeyedRecord::new(shared, state.map(|state| KeyedFile::new(state, FOLDER, key))) else {
        return Admission::Send(AdmittedAlert::without_cooldown("no folder for state is known; set state_dir"));
    };
    let kept = LastAlertRecord { clock_ahead_ms: record.clock_ahead_ms().await, record };
    match kept.lock(duration, deadline, observer).await {
        Ok(Some(hold)) => admit_locked(kept, hold, duration, observer).await,
        Ok(None) => match kept.recent(duration).await {
            // Not counted: the process that has the lock was stopped, or very many repeats come at once.
            Some(last) => Admission::HeldBack { count: last.held.saturating_add(1) },
            None => Admission::Send(AdmittedAlert::without_cooldown(
                "another process began to send the same alert, and it is not known what became of it",
            )),
        },
        Err(error) => Admission::Send(AdmittedAlert::without_cooldown(kept.says("cannot be used", error))),
    }
}

impl AdmittedAlert {
    /// Keeps that this alert was taken, or is stored to be: from now on the next ones are held back. Returns a warning if
    /// that cannot be kept.
    #[must_use = "a warning is for whoever sends"]
    pub(crate) async fn record_sent(self) -> Option<String> {
        let (kept, hold) = *self.kept?;
        kept.record.begin_to_record();
        let now = kept.now_ms();
        let ends_at = Some(now.saturating_add(in_ms(self.duration)));
        let written = kept.write(&LastAlert { passed_at: now, held: 0, ends_at }, &hold).await;
        if let (true, Hold::File(_), Some(file)) = (self.is_first, &hold, kept.record.file()) {
            // One more key: the files of others whose time is over make room for it.
            let _ = sweep(file, now);
        }
        hold.release().await;
        written.err().map(|error| not_kept(kept.says("cannot be written", error)))
    }

    /// Lets the next ones go, since this one was not taken.
    pub(crate) async fn give_up(self) {
        if let Some((kept, hold)) = self.kept.map(|kept| *kept) {
            kept.record.begin_to_record();
            hold.release().await;
        }
    }

    fn without_cooldown(reason: impl Display) -> Self {
        Self { held_back: None, warning: Some(not_kept(reason)), kept: None, duration: Duration::ZERO, is_first: false }
    }
}

/// What is kept of the last alert with a key, and the clock by which that is.
#[derive(Debug)]
struct LastAlertRecord {
    record: KeyedRecord,
    clock_ahead_ms: i64,
}

impl LastAlertRecord {
    fn now_ms(&self) -> u64 {
        now_ms().saturating_add_signed(self.clock_ahead_ms)
    }

    /// The lock; `None` if it is not free in time.
    async fn lock(&self, duration: Duration, deadline: Instant, observer: &Observer) -> io::Result<Option<Hold>> {
        let is_told = Cell::new(false);
        let is_settled = async || {
            let is_settled = self.recent(duration).await.is_some();
            if !is_settled && !is_told.replace(true) {
                observer.detail("another process is sending the same alert: waiting for what becomes of it");
            }
            is_settled
        };
        match self.record.lock(lock_patience(deadline), is_settled).await? {
            None if self.recent(duration).await.is_some() => {
                // This one is held back in any case; the lock is only needed to count it.
                self.record.lock(lock_patience(deadline).min(Instant::now() + COUNT_PATIENCE), async || false).await
            }
            locked => Ok(locked),
        }
    }

    /// The last alert, if it still holds repeats back. What cannot be read holds none back.
    async fn recent(&self, duration: Duration) -> Option<LastAlert> {
        self.read().await.ok().flatten().filter(|last| last.is_recent_at(self.now_ms(), duration))
    }

    async fn read(&self) -> Result<Option<LastAlert>, String> {
        self.record.read_newest(|last: &LastAlert| last.passed_at).await
    }

    async fn write(&self, last: &LastAlert, hold: &Hold) -> io::Result<()> {
        let life = Duration::from_millis(last.kept_until().saturating_sub(self.now_ms()));
        self.record.write(last, life, hold).await
    }

    fn says(&self, what: &str, reason: impl Display) -> String {
        match self.record.file() {
            Some(file) => file.says(what, reason),
            None => format!("it {what}: {reason}"),
        }
    }
}

async fn admit_locked(kept: LastAlertRecord, hold: Hold, duration: Duration, observer: &Observer) -> Admission {
    let read = kept.read().await;
    let warning = read.as_ref().err().map(|reason| {
        format!("the cooldown starts again, and repeats may come twice: {}", kept.says("is ignored", reason))
    });
    let last = read.ok().flatten();
    let Some(last) = last.filter(|last| last.is_recent_at(kept.now_ms(), duration)) else {
        let before = last.filter(|last| last.held > 0);
        let held_back = before.map(|last| HeldBack { count: last.held, since: at_ms(last.passed_at) });
        let (kept, is_first) = (Some(Box::new((kept, hold))), last.is_none());
        return Admission::Send(AdmittedAlert { held_back, warning, kept, duration, is_first });
    };
    let last = LastAlert { held: last.held.saturating_add(1), ..last };
    if let Err(error) = kept.write(&last, &hold).await {
        let trouble = kept.says("cannot be written", error);
        observer.detail(format!("an alert is held back but not counted: {trouble}"));
    }
    hold.release().await;
    Admission::HeldBack { count: last.held }
}

/// Removes the files of some keys whose cooldown is over: more than are added, and few enough to cost nothing. Files that
/// another process uses stay.
fn sweep(file: &KeyedFile, now: u64) -> io::Result<()> {
    let mut keys = file.of_all_keys()?;
    fastrand::shuffle(&mut keys);
    for key in keys.iter().take(MOST_SWEPT) {
        if let Ok(Some(guard)) = key.try_lock()
            && key.read().is_ok_and(|last: Option<LastAlert>| last.is_none_or(|last| last.is_over_at(now)))
        {
            key.remove(guard)?;
        }
    }
    Ok(())
}

/// The content of a file: the last alert that was taken, and how many were held back after it. Times are Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LastAlert {
    #[serde(deserialize_with = "read_ms")]
    passed_at: u64,
    held: u64,
    /// When the cooldown is over; 0.2.0 and before did not keep that.
    #[serde(default)]
    ends_at: Option<u64>,
}

impl LastAlert {
    fn is_recent_at(&self, now: u64, duration: Duration) -> bool {
        // From the future: the clock was set back, and its age is unknown.
        now.checked_sub(self.passed_at).is_some_and(|age| u128::from(age) < duration.as_millis())
    }

    /// Whether nobody asks for it any more. How many were held back is told by the next alert, if one comes in time.
    fn is_over_at(&self, now: u64) -> bool {
        now > self.kept_until()
    }

    fn kept_until(&self) -> u64 {
        let ends_at = self.ends_at.unwrap_or(self.passed_at);
        let kept_for = if self.held > 0 || self.ends_at.is_none() { KEPT_FOR_MS } else { 0 };
        ends_at.saturating_add(kept_for)
    }
}

fn not_kept(reason: impl Display) -> String {
    format!("the cooldown is not kept, and repeats of this alert are not held back: {reason}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::LAST_MS;
    use crate::event::Event;

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(3_600);

    struct Machine {
        root: tempfile::TempDir,
        said: Arc<Mutex<Vec<String>>>,
    }

    impl Machine {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap(), said: Arc::default() }
        }

        fn state(&self) -> Folder {
            Folder::private(self.root.path().join("state"))
        }

        async fn admit_in(&self, key: &str, duration: Duration, left: Duration) -> Admission {
            let said = Arc::clone(&self.said);
            let observer = Observer::new(move |notice| {
                if let Event::Detail(line) = notice {
                    said.lock().unwrap().push(line.to_string());
                }
            });
            admit(Some(&self.state()), None, key, duration, Instant::now() + left, &observer).await
        }

        async fn admit(&self, key: &str, duration: Duration) -> Admission {
            self.admit_in(key, duration, LONG).await
        }
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
    }

    #[track_caller]
    fn passes(admission: Admission) -> AdmittedAlert {
        let Admission::Send(admitted) = admission else { panic!("{admission:?}") };
        assert_eq!(admitted.warning, None);
        admitted
    }

    #[track_caller]
    fn count_held_back(admission: &Admission) -> u64 {
        let Admission::HeldBack { count } = admission else { panic!("{admission:?}") };
        *count
    }

    #[test]
    fn repeats_are_held_back_and_counted_in_the_next_alert() {
        let machine = Machine::new();
        run(async {
            let first = passes(machine.admit("a", LONG).await);
            assert_eq!(first.held_back, None);
            let begun = SystemTime::now() - Duration::from_millis(1);
            assert_eq!(first.record_sent().await, None);
            assert_eq!(count_held_back(&machine.admit("a", LONG).await), 1);
            assert_eq!(count_held_back(&machine.admit("a", LONG).await), 2);
            assert_eq!(passes(machine.admit("b", LONG).await).held_back, None, "another key");
            tokio::time::sleep(SHORT).await;
            let next = passes(machine.admit("a", SHORT).await);
            let held = next.held_back.unwrap();
            assert!(held.count == 2 && held.since >= begun, "{held:?}");
            drop(next);
            let next = passes(machine.admit("a", SHORT).await);
            assert_eq!(next.held_back, Some(held), "the one before did not pass");
            assert_eq!(next.record_sent().await, None);
            tokio::time::sleep(SHORT).await;
            assert_eq!(passes(machine.admit("a", SHORT).await).held_back, None);
        });
        assert_eq!(*machine.said.lock().unwrap(), [""; 0]);
    }

    #[test]
    fn files_of_many_keys_do_not_add_up() {
        const MOMENT: Duration = Duration::from_millis(1);
        let machine = Machine::new();
        run(async {
            let lasting = passes(machine.admit("lasting", LONG).await);
            assert_eq!(lasting.record_sent().await, None);
            let under_way = passes(machine.admit("under way", LONG).await);
            for key in 0..200 {
                assert_eq!(passes(machine.admit(&key.to_string(), MOMENT).await).record_sent().await, None);
            }
            let left = machine.state().within(FOLDER).names().unwrap().len();
            assert!(left < 40, "{left} files are left");
            assert_eq!(under_way.record_sent().await, None);
            for key in ["lasting", "under way"] {
                assert_eq!(count_held_back(&machine.admit(key, LONG).await), 1, "{key}");
            }
        });
    }

    #[test]
    fn a_count_is_kept_for_the_next_alert_and_old_files_go() {
        let of = |held, ends_at| LastAlert { passed_at: 1_000, held, ends_at };
        for (last, over_at) in [
            (of(0, Some(9_000)), 9_000),
            (of(3, Some(9_000)), 9_000 + KEPT_FOR_MS),
            (of(0, None), 1_000 + KEPT_FOR_MS),
            (of(0, Some(u64::MAX)), u64::MAX),
        ] {
            assert!(!last.is_over_at(over_at), "{last:?}");
            assert_eq!(last.is_over_at(over_at.saturating_add(1)), over_at < u64::MAX, "{last:?}");
        }
    }

    #[test]
    fn a_failed_alert_holds_no_repeat_back() {
        let machine = Machine::new();
        run(async {
            drop(passes(machine.admit("a", LONG).await));
            assert_eq!(passes(machine.admit("a", LONG).await).held_back, None);
        });
    }

    #[test]
    fn a_repeat_waits_for_the_result_of_an_alert_under_way() {
        for is_taken in [true, false] {
            let machine = Machine::new();
            let (warning, second, third) = run(async {
                let front = passes(machine.admit("a", LONG).await);
                let end = async {
                    // Until both wait for the lock.
                    while machine.said.lock().unwrap().len() < 2 {
                        tokio::task::yield_now().await;
                    }
                    if is_taken { front.record_sent().await } else { None }
                };
                // The number that it is held back as; 0 for one that is sent.
                let next = async || match machine.admit("a", LONG).await {
                    Admission::Send(admitted) => admitted.record_sent().await.map_or(0, |warning| panic!("{warning}")),
                    admission => count_held_back(&admission),
                };
                tokio::join!(end, next(), next())
            });
            assert_eq!(warning, None);
            let mut numbers = [second, third];
            numbers.sort_unstable();
            assert_eq!(numbers, if is_taken { [1, 2] } else { [0, 1] });
        }
    }

    #[test]
    fn an_alert_under_way_is_not_waited_for_until_the_deadline() {
        let machine = Machine::new();
        run(async {
            assert_eq!(passes(machine.admit("a", SHORT).await).record_sent().await, None);
            tokio::time::sleep(SHORT).await;
            let _front = passes(machine.admit("a", SHORT).await);
            let since = Instant::now();
            let Admission::Send(second) = machine.admit_in("a", SHORT, 20 * SHORT).await else { panic!("held back") };
            assert!(since.elapsed() < 15 * SHORT, "{:?}", since.elapsed());
            assert!(second.warning.as_ref().is_some_and(|warning| warning.contains("the same alert")));
            assert_eq!(second.record_sent().await, None, "said already");
        });
    }

    #[test]
    fn a_certain_repeat_needs_no_lock() {
        let machine = Machine::new();
        run(async {
            assert_eq!(passes(machine.admit("a", LONG).await).record_sent().await, None);
            let file = KeyedFile::new(&machine.state(), FOLDER, "a");
            let _stopped = file.try_lock().unwrap().unwrap();
            let admission = machine.admit_in("a", LONG, SHORT).await;
            assert_eq!(count_held_back(&admission), 1);
        });
    }

    #[test]
    fn a_folder_that_cannot_be_used_stops_nothing() {
        let machine = Machine::new();
        std::fs::write(machine.state().path(), "a file").unwrap();
        run(async {
            for admission in [
                machine.admit("a", LONG).await,
                admit(None, None, "a", LONG, Instant::now(), &Observer::new(|_| ())).await,
                machine.admit("a", LONG).await,
            ] {
                let Admission::Send(admitted) = admission else { panic!("{admission:?}") };
                assert!(admitted.warning.as_ref().is_some_and(|warning| warning.contains("not held back")));
                assert_eq!(admitted.record_sent().await, None, "said already");
            }
        });
    }

    #[test]
    fn an_unreadable_file_holds_nothing_back_and_an_unwritable_one_is_reported() {
        let machine = Machine::new();
        run(async {
            let file = KeyedFile::new(&machine.state(), FOLDER, "a");
            std::fs::create_dir_all(file.file().join("x")).unwrap();
            let Admission::Send(admitted) = machine.admit("a", LONG).await else { panic!("held back") };
            assert!(admitted.warning.as_ref().is_some_and(|warning| warning.contains("is ignored")));
            assert!(admitted.record_sent().await.is_some_and(|warning| warning.contains("cannot be written")));
            let file = KeyedFile::new(&machine.state(), FOLDER, "b");
            for passed_at in [LAST_MS + 1, i64::MAX as u64, u64::MAX] {
                let damaged = format!("{{\"passed_at\":{passed_at},\"held\":2,\"ends_at\":{passed_at}}}");
                std::fs::write(file.file(), damaged).unwrap();
                let Admission::Send(admitted) = machine.admit("b", LONG).await else { panic!("held back") };
                assert!(admitted.warning.as_ref().is_some_and(|warning| warning.contains("it is damaged")));
                assert_eq!((admitted.held_back, admitted.record_sent().await), (None, None), "{passed_at}");
                assert_eq!(count_held_back(&machine.admit("b", LONG).await), 1, "it is mended");
            }
        });
    }

    #[test]
    fn a_time_counts_to_the_millisecond_and_not_from_the_future() {
        let last = LastAlert { passed_at: 1_000, held: 0, ends_at: None };
        for (now, expected) in [(999, false), (1_000, true), (1_199, true), (1_200, false)] {
            assert_eq!(last.is_recent_at(now, SHORT), expected, "{now}");
        }
    }
}
