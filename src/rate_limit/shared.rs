//! The slots of a webhook or an app in the store that several machines share: a sorted set for each bucket, by the time when a
//! slot is free again, and the block. Scripts decide, by the store's clock.

use std::time::Duration;

use super::window::{Bucket, Claim, LATE_AFTER_BLOCK_MS, LATE_MS, LOOK_AGAIN_MS, LimitedBy, RateExceeded};
use crate::shared_state::{Namespace, Polling, Script, ScriptInput, StoreDown};

/// Takes the slot ARGV[1] in each bucket, of each of which there are ARGV[2], for ARGV[3] ms; or none, where one of them has
/// none left, those that are left are for others who go first, or the block KEYS[1] holds. Each bucket has three keys, from
/// KEYS[2] on: the slots, and those who wait with the urgency 1 and 2. Whoever waits with the urgency ARGV[4] for no longer
/// than ARGV[5] ms is noted there. The rest of ARGV is how late one who waits may come back, also after a block, and how soon
/// one looks again who lets others go first. It is the rule of [`super::window::Window::take`].
///
/// Returns what holds it back (0 nothing, 1 the rate, 2 a block), for how long, and how long a block is in all.
static TAKE: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, count, hold = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local urgency, patience = tonumber(ARGV[4]), tonumber(ARGV[5])
local function keep(key, member, ms)
  redis.call('ZADD', key, string.format('%.0f', now + ms), member)
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), ms))
end
local free_at, kept = 0, 0
for i = 2, #KEYS, 3 do
  for j = i, i + 2 do redis.call('ZREMRANGEBYSCORE', KEYS[j], '-inf', now) end
  redis.call('ZREM', KEYS[i + 1], id)
  redis.call('ZREM', KEYS[i + 2], id)
  local taken = redis.call('ZCARD', KEYS[i])
  if redis.call('ZSCORE', KEYS[i], id) then taken = taken - 1 end
  if taken >= count then
    local ends = redis.call('ZRANGE', KEYS[i], taken - count, taken - count, 'WITHSCORES')
    free_at = math.max(free_at, tonumber(ends[2]))
  end
  local higher, first = 0, math.huge
  for j = urgency + 1, 2 do
    local next = redis.call('ZRANGE', KEYS[i + j], 0, 0, 'WITHSCORES')
    if next[2] then
      higher = higher + redis.call('ZCARD', KEYS[i + j])
      first = math.min(first, tonumber(next[2]))
    end
  end
  if higher > 0 and taken + higher >= count then kept = math.max(kept, first) end
end
local kind, wait, whole, late = 0, 0, 0, tonumber(ARGV[6])
local block = redis.call('GET', KEYS[1])
local since, till = string.match(block or '0 0', '^(%d+) (%d+)$')
since, till = tonumber(since), tonumber(till)
if till > now and free_at <= till then
  kind, wait, whole, late = 2, till - now, till - since, tonumber(ARGV[7])
elseif free_at > now then
  kind, wait = 1, free_at - now
elseif kept > now then
  kind, wait = 1, math.min(kept - now, tonumber(ARGV[8]))
end
for i = 2, #KEYS, 3 do
  if kind == 0 then
    keep(KEYS[i], id, hold)
  elseif urgency > 0 and wait <= patience then
    keep(KEYS[i + urgency], id, wait + late)
  end
end
return {kind, wait, whole}",
);

/// Lets the slots ARGV[2] and following hold for ARGV[1] ms from now on in each bucket, whether or not they are there still.
static HOLD: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local hold = tonumber(ARGV[1])
for i = 1, #KEYS do
  for j = 2, #ARGV do redis.call('ZADD', KEYS[i], string.format('%.0f', now + hold), ARGV[j]) end
  redis.call('PEXPIRE', KEYS[i], math.max(redis.call('PTTL', KEYS[i]), hold))
end
return 0",
);

/// Frees the slot ARGV[1] in each bucket.
static FREE: Script = Script::new(
    "for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 0",
);

/// Blocks for ARGV[1] ms from now on, or for longer where an earlier block KEYS[1] lasts longer.
static BLOCK: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = now + tonumber(ARGV[1])
local old = redis.call('GET', KEYS[1])
if old and tonumber(string.match(old, '^%d+ (%d+)$')) >= till then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f %.0f', now, till), 'PX', ARGV[1])
return 0",
);

/// How many slots of the bucket KEYS[2] are taken, and for how long the block KEYS[1] still holds.
static LOOK: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = 0
local block = redis.call('GET', KEYS[1])
if block then left = math.max(tonumber(string.match(block, '^%d+ (%d+)$')) - now, 0) end
return {redis.call('ZCOUNT', KEYS[2], '(' .. string.format('%.0f', now), '+inf'), left}",
);

/// The slots of one webhook or app in the store.
#[derive(Debug)]
pub(super) struct SharedSlots(pub(super) Namespace);

impl SharedSlots {
    /// Takes one slot in every bucket, or none.
    pub(super) async fn take(&self, claim: Claim<'_>) -> Result<Result<(), RateExceeded>, StoreDown> {
        let Claim { id, urgency, buckets, count, hold_ms, patience_ms } = claim;
        let of_bucket = |name: String| [name.clone(), format!("{name}:1"), format!("{name}:2")];
        let keys = std::iter::once(self.block_name()).chain(self.names(buckets).into_iter().flat_map(of_bucket));
        let numbers = [count.max(1).into(), hold_ms, urgency.0.into(), patience_ms];
        let bounds = [LATE_MS, LATE_AFTER_BLOCK_MS, LOOK_AGAIN_MS];
        let input = ScriptInput::of_keys(keys).with(id);
        let input = numbers.into_iter().chain(bounds).fold(input, ScriptInput::with);
        let (kind, wait, whole): (u8, u64, u64) = self.0.state.run(&TAKE, &input).await?;
        let limited_by = match kind {
            0 => return Ok(Ok(())),
            1 => LimitedBy::Rate,
            _ => LimitedBy::Block { whole: Duration::from_millis(whole) },
        };
        Ok(Err(RateExceeded { retry_after: Duration::from_millis(wait), limited_by }))
    }

    /// Lets these slots hold from now on.
    pub(super) async fn hold(&self, ids: &[u64], buckets: &[Bucket], hold_ms: u64) -> Result<(), StoreDown> {
        if buckets.is_empty() {
            return Ok(());
        }
        let input = ScriptInput::of_keys(self.names(buckets)).with(hold_ms);
        self.0.state.run(&HOLD, &ids.iter().fold(input, ScriptInput::with)).await
    }

    /// Frees a slot at once.
    pub(super) async fn free(&self, id: u64, buckets: &[Bucket]) -> Result<(), StoreDown> {
        self.0.state.run(&FREE, &ScriptInput::of_keys(self.names(buckets)).with(id)).await
    }

    /// No slot is given for so long.
    pub(super) async fn block(&self, ms: u64) -> Result<(), StoreDown> {
        self.0.state.run(&BLOCK, &ScriptInput::of_keys([self.block_name()]).with(ms.max(1))).await
    }

    /// How many slots of a group are taken, and how long the block still holds.
    pub(super) async fn look(&self) -> Result<(usize, Option<Duration>), StoreDown> {
        let keys = std::iter::once(self.block_name()).chain(self.names(&[Bucket::GROUP]));
        let (taken, left): (usize, u64) = self.0.state.run(&LOOK, &ScriptInput::of_keys(keys)).await?;
        Ok((taken, Some(Duration::from_millis(left)).filter(|left| !left.is_zero())))
    }

    /// See [`crate::shared_state::SharedState::while_polling`].
    pub(super) fn while_polling(&self) -> Polling<'_> {
        self.0.state.while_polling()
    }

    fn block_name(&self) -> String {
        self.0.name("block")
    }

    fn names(&self, buckets: &[Bucket]) -> Vec<String> {
        buckets.iter().map(|bucket| format!("{}:{}", self.0.name("slots"), bucket.in_hex())).collect()
    }
}
