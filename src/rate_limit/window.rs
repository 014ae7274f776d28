//! The content of the rate limit's file: the permits taken, the block that WeCom asked for, and who waits with a level above
//! the others. Pure: the caller gives the time.
//!
//! Times are Unix milliseconds, and the clock may jump: what claims to have been written in the future, or to last longer
//! than anything can, is dropped.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alert::Level;
use crate::clock::in_ms;
use crate::fingerprint::fingerprint;
use crate::message::recipients::RecipientKind;

/// How far ahead of the clock an entry may have been written: clocks are corrected by a little now and then.
const CLOCK_BOUND_MS: u64 = 5_000;

/// Nothing is kept for longer: a day, the longest period, and what is added to it.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000 + CLOCK_BOUND_MS;

/// How late somebody who waits may come back for a permit, in milliseconds: more than the jitter of a wait, and of one after a
/// block. So long others wait for nothing where that process was killed.
pub(super) const LATE_MS: u64 = 3_000;
pub(super) const LATE_AFTER_BLOCK_MS: u64 = 7_000;

/// How soon somebody who let others go first looks again, in milliseconds: these may have their permits by then.
pub(super) const LOOK_AGAIN_MS: u64 = 500;

/// What a rate counts on its own: the group of a webhook, one recipient of an app, one group chat. It does not give those away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Bucket(u64);

impl Bucket {
    /// The one bucket of a webhook.
    pub(crate) const GROUP: Self = Self(0);

    /// The bucket of a recipient as named: a member, a department, a tag, `@all`. WeCom ignores the case of ids.
    pub(crate) fn of(kind: RecipientKind, id: &str) -> Self {
        Self::named(kind.as_str(), &id.to_lowercase())
    }

    /// The bucket of a group chat.
    pub(crate) fn of_chat(id: &str) -> Self {
        Self::named("chatid", id)
    }

    /// For the name of a key.
    pub(super) fn in_hex(self) -> String {
        format!("{:016x}", self.0)
    }

    fn named(kind: &str, id: &str) -> Self {
        let print = fingerprint([kind, id]);
        let short = print.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        Self(short.unwrap_or_default())
    }
}

/// There is no permit, or none in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateExceeded {
    /// When there may be one, at the earliest. Other processes may take it first.
    pub(crate) retry_after: Duration,
    pub(crate) limited_by: LimitedBy,
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitedBy {
    /// The rate: its permits are taken.
    Rate,
    /// WeCom refused a request because of too many, and must get no requests for a while: for so long in all.
    Block { whole: Duration },
}

/// Who goes first among those who wait: `critical`, then `warning`, then the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) struct Urgency(pub(super) u8);

impl Urgency {
    pub(super) fn of(level: Option<Level>) -> Self {
        Self(match level {
            Some(Level::Critical) => 2,
            Some(Level::Warning) => 1,
            Some(Level::Info | Level::Ok) | None => 0,
        })
    }
}

/// What somebody asks for: one permit in each of these buckets, sorted and each named once, for one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'b> {
    pub(super) id: u64,
    pub(super) urgency: Urgency,
    pub(super) buckets: &'b [Bucket],
    /// How many permits there are in each bucket.
    pub(super) count: u32,
    /// How long the permit stays taken.
    pub(super) hold_ms: u64,
    /// How long whoever asks would wait for it.
    pub(super) patience_ms: u64,
}

/// The content of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    #[serde(default)]
    block: Option<Span>,
    #[serde(default, rename = "slots")]
    permits: Vec<Taken>,
    /// Those who wait, but for the lowest urgency: nobody lets that go first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
}

/// Something that was written down at a time and holds until another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    since: u64,
    until: u64,
}

/// A permit, taken in one bucket or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    id: u64,
    held: Span,
    #[serde(rename = "lanes")]
    buckets: Vec<Bucket>,
}

/// Somebody who waits for a permit, and is expected to come back for it for so long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    id: u64,
    urgency: Urgency,
    expected: Span,
    buckets: Vec<Bucket>,
}

impl Span {
    fn new(now: u64, ms: u64) -> Self {
        Self { since: now, until: now.saturating_add(ms.min(LONGEST_MS)) }
    }

    fn holds(self, now: u64) -> bool {
        let possible = self.since <= now.saturating_add(CLOCK_BOUND_MS);
        possible && self.until > now && self.until.saturating_sub(self.since) <= LONGEST_MS
    }
}

impl Window {
    /// What a file's first line says of the time from `now` on. What cannot be understood says nothing.
    pub(super) fn parse(content: &[u8], now: u64) -> Self {
        // After the line end there may be the rest of a longer line from before; without one it was never finished.
        let line = content.iter().position(|byte| *byte == b'\n').and_then(|end| content.get(..end));
        let mut window: Self = line.and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default();
        window.block = window.block.filter(|block| block.holds(now));
        window.permits.retain(|permit| permit.held.holds(now));
        window.waiting.retain(|waiting| waiting.expected.holds(now));
        window
    }

    /// The line to keep.
    pub(super) fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Takes one permit in every bucket; or none, if one has as many taken as there are, those that are left in it are for
    /// others who go first, or a block holds. Whoever waits then is noted, so that a lower urgency does not go first.
    pub(super) fn take(&mut self, claim: Claim<'_>, now: u64) -> Result<(), RateExceeded> {
        let Claim { id, urgency, buckets, count, hold_ms, patience_ms } = claim;
        self.waiting.retain(|waiting| waiting.id != id);
        let Some(wait) = self.wait(buckets, count, now).or_else(|| self.reserved(urgency, buckets, count, now)) else {
            self.hold(id, buckets, hold_ms, now);
            return Ok(());
        };
        let wait_ms = in_ms(wait.retry_after);
        if urgency > Urgency::default() && wait_ms <= patience_ms {
            let late_ms = match wait.limited_by {
                LimitedBy::Rate => LATE_MS,
                LimitedBy::Block { .. } => LATE_AFTER_BLOCK_MS,
            };
            let expected = Span::new(now, wait_ms.saturating_add(late_ms));
            self.waiting.push(Waiting { id, urgency, expected, buckets: buckets.to_vec() });
        }
        Err(wait)
    }

    /// Lets a permit hold for `hold_ms` from now on. One that is no longer there is there again: its request was made.
    pub(super) fn hold(&mut self, id: u64, buckets: &[Bucket], hold_ms: u64, now: u64) {
        let held = Span::new(now, hold_ms);
        match self.permits.iter_mut().find(|permit| permit.id == id) {
            Some(permit) => permit.held = held,
            None => self.permits.push(Taken { id, held, buckets: buckets.to_vec() }),
        }
    }

    /// Frees a permit at once.
    pub(super) fn free(&mut self, id: u64) {
        self.permits.retain(|permit| permit.id != id);
    }

    /// No permit is given for `ms` from now on, or for longer where an earlier block lasts longer.
    pub(super) fn block(&mut self, ms: u64, now: u64) {
        let block = Span::new(now, ms);
        if self.block.is_none_or(|old| old.until < block.until) {
            self.block = Some(block);
        }
    }

    /// How many permits are taken in the bucket that has the most.
    pub(super) fn most_taken(&self) -> usize {
        let mut taken: BTreeMap<Bucket, usize> = BTreeMap::new();
        for bucket in self.permits.iter().flat_map(|permit| &permit.buckets) {
            *taken.entry(*bucket).or_default() += 1;
        }
        taken.into_values().max().unwrap_or(0)
    }

    /// How long the block still holds that WeCom asked for.
    pub(super) fn blocked_for(&self, now: u64) -> Option<Duration> {
        let left = self.block?.until.checked_sub(now).filter(|left| *left > 0)?;
        Some(Duration::from_millis(left))
    }

    /// Why some bucket has no permit; `None` when every bucket has one.
    fn wait(&self, buckets: &[Bucket], count: u32, now: u64) -> Option<RateExceeded> {
        let until = self.free_at(buckets, count.max(1) as usize).filter(|until| *until > now);
        let block = self.block.filter(|block| block.until > now && until.is_none_or(|until| until <= block.until));
        let (until, limited_by) = match block {
            Some(Span { since, until }) => {
                (until, LimitedBy::Block { whole: Duration::from_millis(until.saturating_sub(since)) })
            }
            None => (until?, LimitedBy::Rate),
        };
        Some(RateExceeded { retry_after: Duration::from_millis(until - now), limited_by })
    }

    /// Why this urgency leaves the permits that are left to others. This is the rule: in each bucket, one permit is kept for
    /// everybody of a higher urgency who waits there and is expected back; what is left beyond those is free for all.
    fn reserved(&self, urgency: Urgency, buckets: &[Bucket], count: u32, now: u64) -> Option<RateExceeded> {
        let kept_until = |bucket: &Bucket| {
            let higher = self.waiting.iter().filter(|its| its.urgency > urgency && its.buckets.contains(bucket));
            let ends: Vec<u64> = higher.map(|its| its.expected.until).filter(|until| *until > now).collect();
            let taken = self.permits.iter().filter(|permit| permit.buckets.contains(bucket)).count();
            // One of them comes back or is expected no more.
            let first = ends.iter().min().copied()?;
            (taken + ends.len() >= count.max(1) as usize).then_some(first)
        };
        let until = buckets.iter().filter_map(kept_until).max()?;
        let retry_after = Duration::from_millis((until - now).min(LOOK_AGAIN_MS));
        Some(RateExceeded { retry_after, limited_by: LimitedBy::Rate })
    }

    /// When the last of these buckets has fewer than `count` permits taken; `None` if they all have.
    fn free_at(&self, buckets: &[Bucket], count: usize) -> Option<u64> {
        let mut ends = vec![Vec::new(); buckets.len()];
        for permit in &self.permits {
            for bucket in &permit.buckets {
                if let Some(ends) = buckets.binary_search(bucket).ok().and_then(|index| ends.get_mut(index)) {
                    ends.push(permit.held.until);
                }
            }
        }
        let free_at = |ends: &mut Vec<u64>| {
            // Other processes may have a higher limit: as many must end as leave one less than this one's.
            let surplus = ends.len().checked_sub(count)?;
            Some(*ends.select_nth_unstable(surplus).1)
        };
        ends.iter_mut().filter_map(free_at).max()
    }
}
