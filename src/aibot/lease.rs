//! Which machine's holder has the bot, where machines share state: a lease in the store, renewed as long as the holder is
//! there, with a number that tells later holders from earlier ones.
//!
//! Its value is sealed: who can write to the store can take it away or put an old one back, but not make one up. So a holder
//! gives way to a higher number alone, and puts its own value back otherwise. While the store is down, the last holder stays.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::locked;
use crate::clock::{in_ms, now_ms};
use crate::shared_state::{Namespace, Script, ScriptInput, StoreDown};

/// Without news of its holder the lease is over after this.
const LIFE: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 10 });

/// The number of the last holder is kept for so long.
const FENCE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// No number is further ahead of the store's clock, in milliseconds: somebody else wrote it.
const FURTHEST_FENCE_MS: u64 = 24 * 3600 * 1000;

/// What KEYS[1] has and for how long, the number KEYS[2], and the time in milliseconds.
static READ: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or ''
end
return {text(KEYS[1]), redis.call('PTTL', KEYS[1]), text(KEYS[2]), string.format('%.0f', now)}",
);

/// Puts ARGV[2] in the place of ARGV[1] for ARGV[3] ms, and the number ARGV[4] for ARGV[5] ms.
static CLAIM: Script = Script::new(
    "local held = redis.pcall('GET', KEYS[1])
if type(held) ~= 'string' then held = '' end
if held ~= ARGV[1] and held ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
return 1",
);

/// Removes KEYS[1], if it is ARGV[1].
static RELEASE: Script = Script::new(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
);

/// A process that holds the bot, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FleetHolder {
    /// Higher than that of every holder before.
    pub(super) fence: u64,
    pub(super) host: String,
    pub(super) process: u32,
    /// Since when, in Unix milliseconds.
    pub(super) since_ms: u64,
    /// What names the list by which other machines speak to it.
    pub(super) door: String,
}

/// What is known on this machine of the last holder: kept by the local holder, and read by the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastHolder {
    pub(super) fence: u64,
    pub(super) host: String,
    /// Whether it is, or was, a process of this machine that had the machine's lock.
    pub(super) is_here: bool,
}

/// The bot among all machines.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    space: Namespace,
    host: String,
    key: String,
}

/// What a look at the store has found.
pub(super) enum LeaseFound {
    Taken(Arc<BotLease>),
    HeldBy(FleetHolder),
    /// By somebody whose value cannot be read here.
    HeldByUnknown,
}

/// What the store has of the lease.
struct Seen {
    raw: Vec<u8>,
    holder: Option<FleetHolder>,
    /// For how long the value stays, in milliseconds; negative for ever.
    left_ms: i64,
    /// The number for the next holder.
    next_fence: u64,
}

/// How it stands with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeaseState {
    /// Until then by the steady clock, and by the other one, in Unix milliseconds: one of them stands still while the machine
    /// sleeps.
    Held { until: Instant, until_ms: u64 },
    /// The store does not answer: the last holder stays.
    Unsure,
    /// Somebody else has it.
    Lost,
}

/// The lease of the holder that this process is.
#[derive(Debug)]
pub(super) struct BotLease {
    fleet: Fleet,
    own: Mutex<FleetHolder>,
    state: watch::Sender<LeaseState>,
    /// One at a time asks the store.
    asking: tokio::sync::Mutex<()>,
}

impl Fleet {
    /// That of the bot of this namespace, at this address of WeCom. `host` is what this machine is called.
    pub(crate) fn new(space: Namespace, address: &str, host: String) -> Self {
        let key = space.name_for("aibot:holder", &[address]);
        Self { space, host, key }
    }

    /// The same for who can wait, and asks again and again.
    pub(super) fn patient(&self) -> Self {
        let mut patient = self.clone();
        patient.space.state = patient.space.state.insistent();
        patient
    }

    pub(super) fn space(&self) -> &Namespace {
        &self.space
    }

    /// The list by which others speak to that holder.
    pub(super) fn to_holder(&self, door: &str) -> String {
        format!("{}:to:{door}", self.key)
    }

    /// The list by which a holder speaks to that client.
    pub(super) fn to_client(&self, session: &str) -> String {
        format!("{}:from:{session}", self.key)
    }

    fn fence_key(&self) -> String {
        format!("{}:fence", self.key)
    }

    /// Who holds the bot, if that is known.
    pub(super) async fn holder(&self) -> Result<Option<FleetHolder>, StoreDown> {
        Ok(self.read().await?.holder)
    }

    async fn read(&self) -> Result<Seen, StoreDown> {
        let input = ScriptInput::of_keys([self.key.clone(), self.fence_key()]);
        let (raw, left_ms, fence, now): (Vec<u8>, i64, String, String) = self.space.state.run(&READ, &input).await?;
        let opened = self.space.open(&self.key, &raw);
        let holder = opened.and_then(|content| serde_json::from_slice::<FleetHolder>(&content).ok());
        let now: u64 = now.parse().unwrap_or_else(|_| now_ms());
        let is_sane = |fence: &u64| *fence <= now.saturating_add(FURTHEST_FENCE_MS);
        let last = fence.parse().ok().filter(is_sane).unwrap_or_default();
        let last = holder.as_ref().map_or(last, |holder| holder.fence.max(last));
        Ok(Seen { raw, holder, left_ms, next_fence: now.max(last.saturating_add(1)) })
    }

    /// Takes the lease, if nobody has it, or a process of this machine that has ended, as `last` tells.
    pub(super) async fn take(&self, last: Option<&LastHolder>) -> Result<LeaseFound, StoreDown> {
        // Whoever was faster is seen the second time.
        for _ in 0..2 {
            let seen = self.read().await?;
            let ended = |holder: &FleetHolder| last.is_some_and(|last| last.is_here && last.fence == holder.fence);
            match seen.holder {
                Some(holder) if !ended(&holder) => return Ok(LeaseFound::HeldBy(holder)),
                // No holder has written a value that stays for so long.
                None if !seen.raw.is_empty() && (0..=in_ms(LIFE) as i64).contains(&seen.left_ms) => {
                    return Ok(LeaseFound::HeldByUnknown);
                }
                _ => {}
            }
            let own = self.own(seen.next_fence);
            let asked_at = (Instant::now(), now_ms());
            if self.claim(&seen.raw, &own).await? {
                return Ok(LeaseFound::Taken(Arc::new(self.lease(own, held_since(asked_at)))));
            }
        }
        Ok(LeaseFound::HeldByUnknown)
    }

    /// The lease of who stays the holder, or becomes it, while the store is down.
    pub(super) fn unsure(&self, last: Option<&LastHolder>) -> Arc<BotLease> {
        // The next number is taken when the store is back.
        let fence = last.map_or(0, |last| last.fence);
        Arc::new(self.lease(self.own(fence), LeaseState::Unsure))
    }

    fn own(&self, fence: u64) -> FleetHolder {
        let door = format!("{:032x}", fastrand::u128(..));
        FleetHolder { fence, host: self.host.clone(), process: std::process::id(), since_ms: now_ms(), door }
    }

    fn lease(&self, own: FleetHolder, state: LeaseState) -> BotLease {
        BotLease {
            fleet: self.patient(),
            own: Mutex::new(own),
            state: watch::Sender::new(state),
            asking: tokio::sync::Mutex::default(),
        }
    }

    async fn claim(&self, before: &[u8], own: &FleetHolder) -> Result<bool, StoreDown> {
        let sealed = serde_json::to_vec(own).ok().and_then(|content| self.space.seal(&self.key, &content));
        let Some(sealed) = sealed else { return Ok(false) };
        let input = ScriptInput::of_keys([self.key.clone(), self.fence_key()]);
        let input = input.with_bytes(before.to_vec()).with_bytes(sealed).with(in_ms(LIFE));
        let claimed: u64 = self.space.state.run(&CLAIM, &input.with(own.fence).with(in_ms(FENCE_LIFE))).await?;
        Ok(claimed == 1)
    }
}

/// A lease that was asked for then is one's own until its life is over.
fn held_since((asked, asked_ms): (Instant, u64)) -> LeaseState {
    LeaseState::Held { until: asked + LIFE, until_ms: asked_ms.saturating_add(in_ms(LIFE)) }
}

impl BotLease {
    fn fence(&self) -> u64 {
        locked(&self.own).fence
    }

    /// What names the list by which other machines speak to this holder.
    pub(super) fn door(&self) -> String {
        locked(&self.own).door.clone()
    }

    /// Whether the store has it.
    pub(super) fn is_sure(&self) -> bool {
        *self.state.borrow() != LeaseState::Unsure
    }

    /// What the next local holder should know.
    pub(super) fn as_last(&self) -> LastHolder {
        let own = locked(&self.own);
        LastHolder { fence: own.fence, host: own.host.clone(), is_here: true }
    }

    pub(super) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Keeps it; ends when somebody else has it. `changed` is called when its number is another one.
    pub(super) async fn keep(&self, changed: impl Fn(LastHolder)) {
        let mut state = self.state.subscribe();
        loop {
            let lost = state.wait_for(|state| *state == LeaseState::Lost);
            if tokio::time::timeout(LIFE / 3, lost).await.is_ok() {
                return;
            }
            let before = self.fence();
            if !self.confirm().await {
                return;
            }
            if self.fence() != before {
                changed(self.as_last());
            }
        }
    }

    /// Whether this process may use the connection, as far as is known here: a process that was stopped for longer than the
    /// lease lasts asks the store before it does anything.
    pub(super) async fn may_act(&self) -> bool {
        let state = *self.state.borrow();
        match state {
            LeaseState::Held { until, until_ms } if Instant::now() < until && now_ms() < until_ms => true,
            LeaseState::Held { .. } => self.confirm().await,
            LeaseState::Unsure => true,
            LeaseState::Lost => false,
        }
    }

    /// Asks the store whether this process is still the holder, and renews that.
    pub(super) async fn confirm(&self) -> bool {
        let _asking = self.asking.lock().await;
        if *self.state.borrow() == LeaseState::Lost {
            return false;
        }
        let state = self.renewed().await.unwrap_or(LeaseState::Unsure);
        self.state.send_replace(state);
        state != LeaseState::Lost
    }

    async fn renewed(&self) -> Result<LeaseState, StoreDown> {
        for _ in 0..3 {
            let asked_at = (Instant::now(), now_ms());
            let seen = self.fleet.read().await?;
            let mut own = locked(&self.own).clone();
            match &seen.holder {
                Some(holder) if *holder == own => {}
                Some(holder) if holder.fence > own.fence => return Ok(LeaseState::Lost),
                // It is gone, was made up, or is an old one.
                _ => own.fence = seen.next_fence,
            }
            if self.fleet.claim(&seen.raw, &own).await? {
                *locked(&self.own) = own;
                return Ok(held_since(asked_at));
            }
        }
        Ok(LeaseState::Lost)
    }

    /// Gives it back, so that another machine's process can take it at once.
    pub(super) async fn release(&self) {
        let _asking = self.asking.lock().await;
        if matches!(self.state.send_replace(LeaseState::Lost), LeaseState::Held { .. })
            && let Ok(seen) = self.fleet.read().await
            && seen.holder.as_ref() == Some(&*locked(&self.own))
        {
            let input = ScriptInput::of_keys([self.fleet.key.clone()]).with_bytes(seen.raw);
            let _: Result<u64, StoreDown> = self.fleet.space.state.run(&RELEASE, &input).await;
        }
    }
}
