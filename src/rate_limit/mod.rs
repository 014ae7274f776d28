//! Slots shared by all processes of the machine that use one webhook, or one app: no more messages than WeCom takes.
//!
//! A webhook takes 20 messages a minute (document path 99110). An app may send 30 a minute to one member, and what is
//! more vanishes without a word (document path 90236). One file per webhook or app, in the folder `pacing`, holds the
//! slots taken, each in one lane or more; it is rewritten in place and not synced: a loss of power loses no more than
//! a period's slots. Trouble with the file never stops an alert, which then goes out unpaced.

mod ledger;
mod register;
mod slot;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use ledger::{Lane, Reason};
pub(crate) use slot::Slot;

use crate::channel::Channel;
use crate::clock::now_ms;
use crate::config::Rate;
use crate::event::Observer;
use crate::store::Folder;
use ledger::{Ledger, Wait};
use register::Register;
use slot::Claim;

/// A slot stays taken for a period and this much more: WeCom's clock starts when a request arrives there.
const MARGIN: Duration = Duration::from_secs(2);

/// Those who wait for the same slot come back at different times, within a twentieth of the wait, but no less than this.
const SHORTEST_SPREAD_MS: u64 = 5;

/// And no more than this.
const LONGEST_SPREAD_MS: u64 = 1_000;

/// Those who wait for the end of a pause spread themselves over a tenth of it, but over no more than this.
const LONGEST_SPREAD_AFTER_PAUSE_MS: u64 = 5_000;

/// The rate of a channel where none is set.
pub(crate) fn default_rate(channel: Channel) -> Rate {
    Rate::Per { count: channel.facts().messages_per_minute, period: Duration::from_secs(60) }
}

/// What to do while there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfFull {
    /// Wait, if there can be one in time.
    Wait,
    /// Give up at once.
    Refuse,
}

/// There is no slot, or none in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no slot for {} ms", .retry_after.as_millis())]
pub(crate) struct Refused {
    /// When there may be one, at the earliest. Others may take it first.
    pub(crate) retry_after: Duration,
    /// What holds the request back.
    pub(crate) reason: Reason,
}

/// How far the slots are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Nothing is held back.
    Off,
    /// By a rate.
    Paced {
        /// How many slots are taken: of an app, by the recipient who has the most.
        taken: usize,
        /// How many there are, for each recipient of an app.
        count: u32,
        /// For how long WeCom wants no more messages, where it said so.
        blocked_for: Option<Duration>,
    },
}

/// Hands out the slots of one webhook or one app. Clones hand out the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Pacer(Option<Arc<Pace>>);

/// The rate, and where it is kept.
#[derive(Debug)]
struct Pace {
    register: Register,
    count: u32,
    /// How long a slot stays taken after its request.
    hold: Duration,
}

impl Pacer {
    /// No pacing: touches no file and always grants.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// The slots of a webhook or an app, given by its fingerprint, kept below `state`, the folder for all state. Without
    /// one, `listener` hears of it and there is no pacing.
    pub(crate) fn new(state: Option<&Folder>, target: &str, rate: Rate, listener: Observer) -> Self {
        match rate {
            Rate::Off => Self::off(),
            Rate::Per { count, period } => Self::with_hold(state, target, count, period + MARGIN, listener),
        }
    }

    /// How far the slots are used up. Takes none and waits for nobody.
    pub(crate) fn usage(&self) -> Usage {
        let Some(pace) = &self.0 else { return Usage::Off };
        let now = now_ms();
        let ledger = pace.register.peek(now);
        Usage::Paced { taken: ledger.most_taken(), count: pace.count, blocked_for: ledger.blocked_for(now) }
    }

    fn with_hold(state: Option<&Folder>, name: &str, count: u32, hold: Duration, listener: Observer) -> Self {
        let name = format!("{}.json", name.get(..32).unwrap_or(name));
        let register = Register::new(state.map(|state| state.within("pacing")), name, listener);
        Self(Some(Arc::new(Pace { register, count, hold })))
    }

    /// Takes a slot in every one of these lanes at once, for one request; without a lane only a pause holds it back.
    ///
    /// Grants one without pacing if the file cannot be used, or stays locked for 2 seconds or until `until`.
    ///
    /// # Errors
    ///
    /// [`Refused`], if there is none, and with [`IfFull::Wait`] if there can be none before `until`: that is said at once.
    pub(crate) async fn take(&self, lanes: &[Lane], if_full: IfFull, until: Instant) -> Result<Slot, Refused> {
        let Some(pace) = &self.0 else { return Ok(Slot::unpaced()) };
        let mut lanes = lanes.to_vec();
        lanes.sort_unstable();
        lanes.dedup();
        let mut claim = Claim::new(Arc::clone(pace), lanes, until);
        loop {
            let wait = match claim.take().await {
                Some(Ok(())) => return Ok(Slot::paced(claim)),
                None => return Ok(Slot::unpaced()),
                Some(Err(wait)) => wait,
            };
            let earliest = Duration::from_millis(wait.ms);
            let left = until.saturating_duration_since(Instant::now());
            if if_full == IfFull::Refuse || earliest > left {
                return Err(Refused { retry_after: earliest, reason: wait.reason });
            }
            pace.tell_wait(wait);
            tokio::time::sleep((earliest + jitter(wait)).min(left)).await;
        }
    }

    /// Makes every process wait: WeCom refused a request because there were too many, as with errcode 45009 or 45033.
    /// A longer pause from before is not shortened. Nothing comes of it if the file cannot be used before `until`.
    pub(crate) async fn block(&self, pause: Duration, until: Instant) {
        if let Some(pace) = &self.0 {
            let work = |ledger: &mut Ledger, now| {
                ledger.block(in_ms(pause), now);
                Ok(())
            };
            pace.register.change(until, work).await;
        }
    }
}

impl Pace {
    fn tell_wait(&self, wait: Wait) {
        let why = match wait.reason {
            Reason::Pace => format!("{} messages are as many as the rate allows", self.count),
            Reason::Block => "WeCom refused one because of too many".to_owned(),
        };
        self.register.tell(format!("{why}: waiting {}.{:03} s for a slot", wait.ms / 1_000, wait.ms % 1_000));
    }
}

/// What is added to a wait, so that those who wait for the same do not all come back at once.
fn jitter(wait: Wait) -> Duration {
    let spread = match wait.reason {
        Reason::Pace => (wait.ms / 20).min(LONGEST_SPREAD_MS),
        Reason::Block => (wait.pause_ms / 10).min(LONGEST_SPREAD_AFTER_PAUSE_MS),
    };
    Duration::from_millis(fastrand::u64(..=spread.max(SHORTEST_SPREAD_MS)))
}

fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
