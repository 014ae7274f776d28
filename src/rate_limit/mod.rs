//! The rate limit that all processes of the machine, or of several machines, share: no more messages than WeCom takes from one webhook or one app.
//!
//! A webhook takes 20 messages a minute (document path 99110). An app may send 30 a minute to one member; WeCom drops what
//! is more without an error (document path 90236). One file per webhook or app, in the folder `pacing`, holds the permits
//! taken, each in one bucket or more. It is rewritten in place and not synced: a loss of power loses no more than the
//! permits of one period. A file that cannot be used never stops an alert, which then goes out without a limit. Where several
//! machines share their state, the permits are there, and the file serves while it is down.

mod file;
mod shared;
#[cfg(test)]
mod tests;
mod window;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use window::{Bucket, LimitedBy, RateExceeded};

use crate::alert::Level;
use crate::channel::{Addressing, Channel};
use crate::clock::{in_ms, now_ms};
use crate::config::Rate;
use crate::event::Observer;
use crate::shared_state::Namespace;
use crate::sort;
use crate::store::Folder;
use file::RateFile;
use shared::SharedSlots;
use window::{Claim, Urgency, Window};

/// A permit stays taken for a period and this much more: WeCom's clock starts when a request arrives there.
const MARGIN: Duration = Duration::from_secs(2);

/// No more permits of a bucket are taken at once.
const MOST_HELD: u32 = 1000;

/// A permit of a request under way is prolonged at least this often.
const LONGEST_RENEWAL: Duration = Duration::from_secs(30);

/// Jitter of a wait for a permit: up to a twentieth of the wait, but at least this much.
const SHORTEST_SPREAD: Duration = Duration::from_millis(5);

/// And at most this much.
const LONGEST_SPREAD: Duration = Duration::from_secs(1);

/// Jitter after a block: up to a tenth of the block, but at most this much.
const LONGEST_SPREAD_AFTER_BLOCK: Duration = Duration::from_secs(5);

/// The rate of a channel where none is set.
pub(crate) fn default_rate(channel: Channel) -> Rate {
    Rate::Per { count: channel.facts().messages_per_minute, period: Duration::from_secs(60) }
}

/// How many permits are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of an app, by the recipient who has the most; `None` for an app in the state that several machines share.
    pub(crate) taken: Option<usize>,
    /// How many there are, for each recipient of an app.
    pub(crate) count: u32,
    /// For how long WeCom wants no more messages, where it said so.
    pub(crate) blocked_for: Option<Duration>,
}

/// Hands out the permits of one webhook or one app; without a limit it touches no file and always grants. Clones hand out
/// the same permits.
#[derive(Debug, Clone)]
pub(crate) struct RateLimiter(Option<Arc<Limit>>);

/// The rate, and the file that keeps the permits.
#[derive(Debug)]
struct Limit {
    file: RateFile,
    /// What serves in place of the file, as long as it answers.
    shared: Option<SharedSlots>,
    count: u32,
    /// How long a permit stays taken after its request.
    hold_ms: u64,
}

impl RateLimiter {
    /// The permits of a webhook or an app, given by its fingerprint, kept below `state`, the folder for all state. Without
    /// one, `observer` is told once and there is no limit.
    pub(crate) fn new(state: Option<&Folder>, target: &str, rate: Rate, observer: Observer) -> Self {
        match rate {
            Rate::Off => Self(None),
            Rate::Per { count, period } => Self::with_hold(state, target, count, period + MARGIN, observer),
        }
    }

    /// The same permits, in the state that several machines share as long as that answers.
    pub(crate) fn sharing(mut self, space: Option<Namespace>) -> Self {
        if let Some(limit) = self.0.as_mut().and_then(Arc::get_mut) {
            limit.shared = space.map(SharedSlots);
        }
        self
    }

    /// How many permits are taken; `None` without a limit. Takes none and does not wait for the lock.
    pub(crate) async fn usage(&self, addressing: Addressing) -> Option<Usage> {
        let limit = self.0.as_ref()?;
        if let Some(shared) = &limit.shared
            && let Ok((taken, blocked_for)) = shared.look().await
        {
            let taken = (addressing == Addressing::Credential).then_some(taken);
            return Some(Usage { taken, count: limit.count, blocked_for });
        }
        let now = now_ms();
        let window = limit.file.peek(now);
        Some(Usage { taken: Some(window.most_taken()), count: limit.count, blocked_for: window.blocked_for(now) })
    }

    fn with_hold(state: Option<&Folder>, name: &str, count: u32, hold: Duration, observer: Observer) -> Self {
        let name = format!("{}.json", name.get(..32).unwrap_or(name));
        let file = RateFile::new(state.map(|state| state.within("pacing")), name, observer);
        Self(Some(Arc::new(Limit { file, shared: None, count, hold_ms: in_ms(hold) })))
    }

    /// Takes a permit in every one of these buckets at once, for one request; without a bucket only a block holds it back.
    ///
    /// Of those who wait, whoever has a higher `level` goes first.
    ///
    /// Grants one that is written nowhere if the file cannot be used, or stays locked for 2 seconds or until `until`.
    /// Fails at once if there is none and it must not wait, or if there can be none before `until`.
    pub(crate) async fn take(
        &self,
        buckets: &[Bucket],
        level: Option<Level>,
        may_wait: bool,
        until: Instant,
    ) -> Result<Permit, RateExceeded> {
        let Some(limit) = &self.0 else { return Ok(Permit(None)) };
        let mut buckets = buckets.to_vec();
        sort::sort(&mut buckets);
        buckets.dedup();
        let id = fastrand::u64(..);
        let mut polling = None;
        loop {
            let patience = if may_wait { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            let claim = Claim {
                id,
                urgency: Urgency::of(level),
                buckets: &buckets,
                count: limit.count,
                hold_ms: limit.hold_ms,
                patience_ms: in_ms(patience),
            };
            let wait = match limit.try_take(claim, until).await {
                Some((Ok(()), is_shared)) => {
                    let limit = Arc::clone(limit);
                    return Ok(Permit(Some(TakenPermit { limit, id, buckets, until, is_shared, is_settled: false })));
                }
                Some((Err(wait), _)) => wait,
                None => return Ok(Permit(None)),
            };
            let left = until.saturating_duration_since(Instant::now());
            if !may_wait || wait.retry_after > left {
                return Err(wait);
            }
            let why = match wait.limited_by {
                LimitedBy::Rate => format!("{} messages are as many as the rate allows", limit.count),
                LimitedBy::Block { .. } => "WeCom refused one because of too many".to_owned(),
            };
            let shown = wait.retry_after.as_secs_f64();
            limit.file.observer.detail(format!("{why}: waiting {shown:.3} s for a slot"));
            tokio::time::sleep((wait.retry_after + jitter(wait)).min(left)).await;
            if let (Some(shared), None) = (&limit.shared, &polling) {
                polling = Some(shared.while_polling());
            }
        }
    }

    /// Makes every process wait: WeCom refused a request because there were too many, as with errcode 45009 or 45033.
    /// A longer block from before is not shortened. Does nothing if the file cannot be used before `until`.
    pub(crate) async fn block(&self, pause: Duration, until: Instant) {
        let Some(limit) = &self.0 else { return };
        if let Some(shared) = &limit.shared
            && shared.block(in_ms(pause)).await.is_ok()
        {
            return;
        }
        limit.file.change(until, |window, now| window.block(in_ms(pause), now)).await;
    }

    /// The same for these buckets alone: all their permits are taken for a while.
    pub(crate) async fn exhaust(&self, buckets: &[Bucket], pause: Duration, until: Instant) {
        let Some(limit) = &self.0 else { return };
        if let Some(shared) = &limit.shared {
            let ids: Vec<u64> = (0..limit.count.min(MOST_HELD)).map(|_| fastrand::u64(..)).collect();
            if shared.hold(&ids, buckets, in_ms(pause)).await.is_ok() {
                return;
            }
        }
        let exhaust = |window: &mut Window, now| {
            (0..limit.count.min(MOST_HELD)).for_each(|_| window.hold(fastrand::u64(..), buckets, in_ms(pause), now));
        };
        limit.file.change(until, exhaust).await;
    }
}

impl Limit {
    /// Takes a permit, or says what holds it back, and whether the state that several machines share said so; `None` where
    /// the file cannot be used.
    async fn try_take(&self, claim: Claim<'_>, until: Instant) -> Option<(Result<(), RateExceeded>, bool)> {
        if let Some(shared) = &self.shared
            && let Ok(taken) = shared.take(claim).await
        {
            return Some((taken, true));
        }
        Some((self.file.change(until, |window, now| window.take(claim, now)).await?, false))
    }
}

/// A permit for one request. Dropped before the request ended, it frees a period later.
///
/// If this process is killed, it frees a period after it was last prolonged; one in the state that several machines share
/// also if it is dropped.
#[derive(Debug)]
#[must_use = "a permit is for a request: make it within `during`"]
pub(crate) struct Permit(Option<TakenPermit>);

/// A permit that is kept under its id.
#[derive(Debug)]
struct TakenPermit {
    limit: Arc<Limit>,
    id: u64,
    buckets: Vec<Bucket>,
    /// For how long the file's lock may be waited for.
    until: Instant,
    /// Whether it was taken in the state that several machines share, not in the file.
    is_shared: bool,
    /// Whether the end of the request is written.
    is_settled: bool,
}

impl Permit {
    /// Makes the one request that the permit is for. The permit stays taken all the while, and for a period after the end.
    pub(crate) async fn during<T>(&mut self, request: impl Future<Output = T>) -> T {
        let Some(permit) = &mut self.0 else { return request.await };
        let mut request = pin!(request);
        let output = tokio::select! {
            // Renewed first: a process that was stopped for a while may be late with both.
            biased;
            never = permit.renew_for_ever() => match never {},
            output = &mut request => output,
        };
        permit.is_settled = permit.hold().await;
        output
    }

    /// Frees the permit at once. Only for a request that cannot have reached WeCom: its connection was never established.
    pub(crate) async fn give_back(mut self) {
        if let Some(permit) = &mut self.0 {
            let free = |window: &mut Window, _| window.free(permit.id);
            permit.is_settled |= match permit.shared() {
                Some(shared) => shared.free(permit.id, &permit.buckets).await.is_ok(),
                None => permit.limit.file.change(permit.until, free).await.is_some(),
            };
        }
    }
}

impl TakenPermit {
    fn shared(&self) -> Option<&SharedSlots> {
        self.limit.shared.as_ref().filter(|_| self.is_shared)
    }

    async fn hold(&self) -> bool {
        if let Some(shared) = self.shared()
            && shared.hold(&[self.id], &self.buckets, self.limit.hold_ms).await.is_ok()
        {
            return true;
        }
        // Also where the state that several machines share went down meanwhile: this machine's next ones know of it.
        self.limit.file.change(self.until, |window, now| self.hold_in(window, now)).await.is_some()
    }

    fn hold_in(&self, window: &mut Window, now: u64) {
        window.hold(self.id, &self.buckets, self.limit.hold_ms, now);
    }

    async fn renew_for_ever(&self) -> Infallible {
        let renewal = Duration::from_millis(self.limit.hold_ms / 2).min(LONGEST_RENEWAL);
        loop {
            tokio::time::sleep(renewal).await;
            self.hold().await;
        }
    }
}

impl Drop for TakenPermit {
    fn drop(&mut self) {
        if !self.is_settled && !self.is_shared {
            self.limit.file.try_change(|window, now| self.hold_in(window, now));
        }
    }
}

/// What is added to a wait, so that not all waiting processes come back at once.
fn jitter(wait: RateExceeded) -> Duration {
    let spread = match wait.limited_by {
        LimitedBy::Rate => (wait.retry_after / 20).min(LONGEST_SPREAD),
        LimitedBy::Block { whole } => (whole / 10).min(LONGEST_SPREAD_AFTER_BLOCK),
    };
    Duration::from_millis(fastrand::u64(..=in_ms(spread.max(SHORTEST_SPREAD))))
}
