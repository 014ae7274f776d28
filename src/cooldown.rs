//! Repeats of an alert within a while, held back by all processes of the machine together.
//!
//! An alert is held back only when one in front of it is known to have been taken: who comes while that one is still under
//! way waits for it, and goes himself if it fails. Two files per key, in the folder `cooldown`: a lock, held while an alert
//! is under way, and what is known. Trouble with them never stops an alert, which then goes out with a warning. The files
//! stay; they are small, and removing a lock would let two processes hold it.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::clock::{at_ms, now_ms};
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::store::KeyedFile;
use crate::store::{Folder, Guard};

/// How long a repeat that is held back waits to be counted, at the most.
const COUNT_PATIENCE: Duration = Duration::from_secs(1);

/// In the folder of the state.
const FOLDER: &str = "cooldown";

/// Whether an alert may go.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It goes now.
    Pass(Passage),
    /// One like it was taken a short while ago.
    HeldBack {
        /// How many have been held back since then, with this one.
        count: u64,
    },
}

/// An alert under way. Others with its key wait until this is dropped, and one of them goes then if it did not pass.
#[derive(Debug)]
#[must_use = "others with this key wait for its end"]
pub(crate) struct Passage {
    /// What to tell those who get this alert: how many were held back before it, and since when; `None` if none was.
    pub(crate) held: Option<Held>,
    /// Why nobody can be held back after it, or was before; `None` if all is well.
    pub(crate) warning: Option<String>,
    place: Option<(Place, Guard)>,
}

/// Alerts that were held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// At least 1.
    pub(crate) count: u64,
    /// When the one in front of them was taken.
    pub(crate) since: SystemTime,
}

/// Asks whether an alert may go: at most one with this `key` within `duration`. `key` may be any text and appears in no file.
///
/// Waits for one that is under way, until `until`.
///
/// # Errors
///
/// Temporary (exit 7), if one is under way still and nothing is known of it.
pub(crate) async fn enter(
    state: Option<&Folder>,
    key: &str,
    duration: Duration,
    until: Instant,
    listener: &Observer,
) -> Result<Entry> {
    let Some(state) = state else {
        return Ok(Entry::Pass(Passage::unkept("no folder for state is known; set state_dir")));
    };
    let place = Place::new(state, key);
    match place.lock(duration, until, listener).await {
        Ok(Some(guard)) => Ok(place.enter_locked(guard, duration, listener)),
        Ok(None) => match place.recent(duration) {
            // Not counted: whoever has the lock has been stopped, or very many repeat themselves at once.
            Some(known) => Ok(Entry::HeldBack { count: known.held.saturating_add(1) }),
            None => Err(Error::temporary(
                "another process is sending the same alert, and by the deadline nothing is known of it",
                "try again later, or give it more time with --deadline",
            )),
        },
        Err(error) => Ok(Entry::Pass(Passage::unkept(place.0.says("cannot be used", error)))),
    }
}

impl Passage {
    /// Keeps that this alert was taken, or is stored to be: from now on the next ones are held back. Returns a warning if
    /// that cannot be kept.
    #[must_use = "a warning is for whoever sends"]
    pub(crate) fn passed(self) -> Option<String> {
        let (place, guard) = self.place.as_ref()?;
        let kept = place.0.write(&Known { passed_at: now_ms(), held: 0 }, guard);
        kept.err().map(|error| unkept(place.0.says("cannot be written", error)))
    }

    fn unkept(reason: impl Display) -> Self {
        Self { held: None, warning: Some(unkept(reason)), place: None }
    }
}

/// What is known of a key.
#[derive(Debug)]
struct Place(KeyedFile);

impl Place {
    fn new(state: &Folder, key: &str) -> Self {
        Self(KeyedFile::new(state, FOLDER, key))
    }

    /// The lock; `None` if it cannot be had in time.
    async fn lock(&self, duration: Duration, until: Instant, listener: &Observer) -> io::Result<Option<Guard>> {
        let is_told = Cell::new(false);
        let is_settled = || {
            let is_settled = self.recent(duration).is_some();
            if !is_settled && !is_told.replace(true) {
                listener.detail("another process is sending the same alert: waiting for what becomes of it");
            }
            is_settled
        };
        match self.0.lock(until, is_settled).await? {
            None if self.recent(duration).is_some() => {
                // It is settled that this one is held back. Now only to be counted.
                self.0.lock(until.min(Instant::now() + COUNT_PATIENCE), || false).await
            }
            locked => Ok(locked),
        }
    }

    fn enter_locked(self, guard: Guard, duration: Duration, listener: &Observer) -> Entry {
        let known: Option<Known> = self.0.read();
        let Some(known) = known.filter(|known| known.is_recent(duration)) else {
            let held = known
                .filter(|known| known.held > 0)
                .map(|known| Held { count: known.held, since: at_ms(known.passed_at) });
            return Entry::Pass(Passage { held, warning: None, place: Some((self, guard)) });
        };
        let known = Known { held: known.held.saturating_add(1), ..known };
        if let Err(error) = self.0.write(&known, &guard) {
            listener
                .detail(format!("an alert is held back but not counted: {}", self.0.says("cannot be written", error)));
        }
        Entry::HeldBack { count: known.held }
    }

    fn recent(&self, duration: Duration) -> Option<Known> {
        self.0.read().filter(|known: &Known| known.is_recent(duration))
    }
}

/// The content of a file: the last alert that passed, and what came after it. Times are Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    passed_at: u64,
    held: u64,
}

impl Known {
    fn is_recent(&self, duration: Duration) -> bool {
        self.is_recent_at(now_ms(), duration)
    }

    fn is_recent_at(&self, now: u64, duration: Duration) -> bool {
        // From the future: the clock was set back, and nobody knows how long ago it was.
        now.checked_sub(self.passed_at).is_some_and(|age| u128::from(age) < duration.as_millis())
    }
}

fn unkept(reason: impl Display) -> String {
    format!("the cooldown is not kept, and repeats of this alert are not held back: {reason}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::error::Status;
    use crate::event::Event;
    use crate::store::Locked;

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

        async fn try_enter(&self, key: &str, duration: Duration, patience: Duration) -> Result<Entry> {
            let said = Arc::clone(&self.said);
            let listener = Observer::new(move |notice| {
                if let Event::Detail(line) = notice {
                    said.lock().unwrap().push(line);
                }
            });
            enter(Some(&self.state()), key, duration, Instant::now() + patience, &listener).await
        }

        async fn enter(&self, key: &str, duration: Duration) -> Entry {
            self.try_enter(key, duration, LONG).await.unwrap()
        }
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
    }

    #[track_caller]
    fn passes(entry: Entry) -> Passage {
        let Entry::Pass(passage) = entry else { panic!("{entry:?}") };
        assert_eq!(passage.warning, None);
        passage
    }

    #[track_caller]
    fn count_held_back(entry: &Entry) -> u64 {
        let Entry::HeldBack { count } = entry else { panic!("{entry:?}") };
        *count
    }

    #[test]
    fn repeats_are_held_back_and_told_of_by_the_next_that_passes() {
        let machine = Machine::new();
        run(async {
            let first = passes(machine.enter("a", LONG).await);
            assert_eq!(first.held, None);
            let begun = SystemTime::now() - Duration::from_millis(1);
            assert_eq!(first.passed(), None);
            assert_eq!(count_held_back(&machine.enter("a", LONG).await), 1);
            assert_eq!(count_held_back(&machine.enter("a", LONG).await), 2);
            assert_eq!(passes(machine.enter("b", LONG).await).held, None, "another key");
            tokio::time::sleep(SHORT).await;
            let next = passes(machine.enter("a", SHORT).await);
            let held = next.held.unwrap();
            assert!(held.count == 2 && held.since >= begun, "{held:?}");
            drop(next);
            let next = passes(machine.enter("a", SHORT).await);
            assert_eq!(next.held, Some(held), "the one before did not pass");
            assert_eq!(next.passed(), None);
            tokio::time::sleep(SHORT).await;
            assert_eq!(passes(machine.enter("a", SHORT).await).held, None);
        });
        assert_eq!(*machine.said.lock().unwrap(), [""; 0]);
    }

    #[test]
    fn an_alert_that_fails_holds_nobody_back() {
        let machine = Machine::new();
        run(async {
            drop(passes(machine.enter("a", LONG).await));
            assert_eq!(passes(machine.enter("a", LONG).await).held, None);
        });
    }

    #[test]
    fn who_comes_while_one_is_under_way_waits_for_what_becomes_of_it() {
        for is_taken in [true, false] {
            let machine = Machine::new();
            let (warning, second, third) = run(async {
                let front = passes(machine.enter("a", LONG).await);
                let end = async {
                    // Until both wait.
                    while machine.said.lock().unwrap().len() < 2 {
                        tokio::task::yield_now().await;
                    }
                    if is_taken { front.passed() } else { None }
                };
                // The number that it is held back as; 0 for one that is sent.
                let next = async || match machine.enter("a", LONG).await {
                    Entry::Pass(passage) => passage.passed().map_or(0, |warning| panic!("{warning}")),
                    entry => count_held_back(&entry),
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
    fn at_the_deadline_nothing_is_claimed_of_one_under_way() {
        let machine = Machine::new();
        run(async {
            assert_eq!(passes(machine.enter("a", SHORT).await).passed(), None);
            tokio::time::sleep(SHORT).await;
            let _front = passes(machine.enter("a", SHORT).await);
            let error = machine.try_enter("a", SHORT, SHORT).await.unwrap_err();
            assert_eq!(error.status(), Status::Temporary);
            assert!(error.message().contains("the same alert") && error.hint().is_some());
        });
    }

    #[test]
    fn what_is_settled_needs_no_lock() {
        let machine = Machine::new();
        run(async {
            assert_eq!(passes(machine.enter("a", LONG).await).passed(), None);
            let place = Place::new(&machine.state(), "a");
            let Locked::Held(_stopped) = place.0.try_lock().unwrap() else { panic!("nobody else is here") };
            let entry = machine.try_enter("a", LONG, SHORT).await.unwrap();
            assert_eq!(count_held_back(&entry), 1);
        });
    }

    #[test]
    fn a_folder_that_cannot_be_used_stops_nothing() {
        let machine = Machine::new();
        std::fs::write(machine.state().path(), "a file").unwrap();
        run(async {
            for entry in [
                machine.enter("a", LONG).await,
                enter(None, "a", LONG, Instant::now(), &Observer::new(|_| ())).await.unwrap(),
                machine.enter("a", LONG).await,
            ] {
                let Entry::Pass(passage) = entry else { panic!("{entry:?}") };
                assert!(passage.warning.as_ref().is_some_and(|warning| warning.contains("not held back")));
                assert_eq!(passage.passed(), None, "said already");
            }
        });
    }

    #[test]
    fn what_cannot_be_read_holds_nobody_back_and_what_cannot_be_written_is_said() {
        let machine = Machine::new();
        run(async {
            let place = Place::new(&machine.state(), "a");
            std::fs::create_dir_all(place.0.file().join("x")).unwrap();
            let passage = passes(machine.enter("a", LONG).await);
            assert!(passage.passed().is_some_and(|warning| warning.contains("cannot be written")));
        });
    }

    #[test]
    fn a_time_counts_to_the_millisecond_and_not_from_the_future() {
        let known = Known { passed_at: 1_000, held: 0 };
        for (now, expected) in [(999, false), (1_000, true), (1_199, true), (1_200, false)] {
            assert_eq!(known.is_recent_at(now, SHORT), expected, "{now}");
        }
    }
}
