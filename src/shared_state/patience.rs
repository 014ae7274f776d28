//! How long the store is waited for: one budget of time for all that one alert asks, or a limit for each command of what
//! nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// All that an alert waits for the store; with [`GRACE`] it is the 300 ms that are promised.
const BUDGET: Duration = Duration::from_millis(280);

/// An answer that has arrived counts, although this machine had no time for the process to take it: once the time is over,
/// the event loop turns for so long.
pub(super) const GRACE: Duration = Duration::from_millis(20);

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
    /// How many wait for another process, and ask the store now and then in what would be a pause.
    polls: AtomicUsize,
}

impl Patience {
    pub(super) fn of_alert() -> Self {
        Self::Alert(Arc::new(Budget { left_us: AtomicU64::new(in_us(BUDGET)), polls: AtomicUsize::new(0) }))
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
        other.charge(Duration::from_millis(100));
        assert_eq!(patience.limit(), Duration::from_millis(80));
        {
            let _polling = other.while_polling();
            patience.charge(Duration::from_secs(9));
        }
        assert_eq!(other.limit(), Duration::from_millis(80));
        patience.charge(Duration::from_secs(9));
        assert_eq!(other.limit(), Duration::ZERO);
        assert_eq!(Patience::of_alert().limit(), BUDGET, "another alert");
    }

    #[test]
    fn the_background_has_a_limit_for_each_command() {
        let patience = Patience::Background;
        patience.charge(Duration::from_secs(9));
        assert_eq!(patience.limit(), BACKGROUND);
    }
}
