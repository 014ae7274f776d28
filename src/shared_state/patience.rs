//! How long the store is waited for: one budget of time for all that one alert asks, or a limit for each command of what
//! nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// All that an alert waits for the store; with [`GRACE`] it is the 300 ms that are promised.
const BUDGET: Duration = Duration::from_millis(280);

/// Once the time is over, the event loop turns for so long: an answer that has arrived counts.
const GRACE: Duration = Duration::from_millis(20);

/// Time is counted by as much. A machine that has no time for this process makes a step take longer, and that says nothing
/// about the store.
const STEP: Duration = Duration::from_millis(10);

/// For one command in the background.
const BACKGROUND: Duration = Duration::from_secs(5);

/// How long the store is waited for. Clones share what is left.
#[derive(Debug, Clone)]
pub(super) enum Patience {
    Alert(Arc<Budget>),
    Background,
    /// As in the background; that it was down just now does not matter.
    Insistent,
}

/// What is left of an alert's time for the store.
#[derive(Debug)]
pub(super) struct Budget {
    left_us: AtomicU64,
    /// Whether a message began to be delivered with it.
    is_begun: AtomicBool,
    /// How many wait for another process, and ask the store now and then in what would be a pause.
    polls: AtomicUsize,
}

impl Patience {
    pub(super) fn of_alert() -> Self {
        Self::Alert(Arc::new(Budget {
            left_us: AtomicU64::new(in_us(BUDGET)),
            is_begun: AtomicBool::new(false),
            polls: AtomicUsize::new(0),
        }))
    }

    /// A message begins to be delivered: all is left again, but for the first one, for which the store may have been asked
    /// already.
    pub(super) fn begin_message(&self) {
        if let Self::Alert(budget) = self
            && budget.is_begun.swap(true, Ordering::Relaxed)
        {
            self.begin_anew();
        }
    }

    /// All is left again.
    pub(super) fn begin_anew(&self) {
        if let Self::Alert(budget) = self {
            budget.left_us.store(in_us(BUDGET), Ordering::Relaxed);
        }
    }

    /// How long the next answer is waited for.
    pub(super) fn limit(&self) -> Duration {
        match self {
            Self::Alert(budget) => Duration::from_micros(budget.left_us.load(Ordering::Relaxed)),
            Self::Background | Self::Insistent => BACKGROUND,
        }
    }

    /// Whether it is asked although it was down just now.
    pub(super) fn insists(&self) -> bool {
        matches!(self, Self::Insistent)
    }

    /// Counts the time that an answer took.
    pub(super) fn charge(&self, waited: Duration) {
        if let Self::Alert(budget) = self
            && budget.polls.load(Ordering::Relaxed) == 0
        {
            let left = budget.left_us.load(Ordering::Relaxed).saturating_sub(in_us(waited));
            budget.left_us.store(left, Ordering::Relaxed);
        }
    }

    /// From now on, until this is dropped, answers cost nothing: they are asked for in the pauses of a wait for somebody
    /// else. One that does not come costs what is left.
    pub(super) fn while_polling(&self) -> Polling<'_> {
        if let Self::Alert(budget) = self {
            budget.polls.fetch_add(1, Ordering::Relaxed);
        }
        Polling(self)
    }
}

/// See [`Patience::while_polling`].
#[must_use]
pub(crate) struct Polling<'p>(&'p Patience);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if let Patience::Alert(budget) = self.0 {
            budget.polls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What the work gives in that time, and how long that took, as far as the machine had time for this process.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> (Option<T>, Duration) {
    let mut work = std::pin::pin!(work);
    let mut waited = Duration::ZERO;
    while waited < limit {
        let (began, step) = (Instant::now(), STEP.min(limit - waited));
        if let Ok(done) = tokio::time::timeout(step, &mut work).await {
            return (Some(done), waited + began.elapsed().min(step));
        }
        waited += step;
    }
    (tokio::time::timeout(GRACE, work).await.ok(), limit)
}

fn in_us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_has_one_budget_for_all() {
        let patience = Patience::of_alert();
        let other = patience.clone();
        patience.charge(Duration::from_millis(100));
        patience.begin_message();
        other.charge(Duration::from_millis(100));
        assert_eq!(patience.limit(), Duration::from_millis(80));
        {
            let _polling = other.while_polling();
            patience.charge(Duration::from_secs(9));
        }
        assert_eq!(other.limit(), Duration::from_millis(80));
        patience.charge(Duration::from_secs(9));
        assert_eq!(other.limit(), Duration::ZERO);
        other.begin_message();
        assert_eq!(patience.limit(), BUDGET, "another alert");
    }

    #[test]
    fn a_machine_without_time_for_the_process_costs_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let busy = async {
                std::thread::sleep(Duration::from_millis(300));
                tokio::task::yield_now().await;
                7
            };
            let (done, waited) = within(Duration::from_millis(200), busy).await;
            assert!(done == Some(7) && waited <= 2 * STEP, "{waited:?}");
            let (done, waited) = within(Duration::from_millis(30), std::future::pending::<()>()).await;
            assert_eq!((done, waited), (None, Duration::from_millis(30)));
        });
    }

    #[test]
    fn the_background_has_a_limit_for_each_command() {
        let patience = Patience::Background;
        patience.charge(Duration::from_secs(9));
        assert_eq!(patience.limit(), BACKGROUND);
    }
}
