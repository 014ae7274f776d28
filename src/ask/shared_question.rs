//! A question as all machines see it that share state: its record, the presses that wait to be judged, and that a process asks
//! it. All is sealed with the credential of the question.
//!
//! Where the store is down, the machine's own files serve.

use std::time::{Duration, Instant};

use redis::cmd;

use super::record::{Record, State};
use super::sealed_press::SealedPress;
use crate::clock::in_ms;
use crate::shared_state::{Lease, Namespace, Script, ScriptInput, SharedRecord, StoreDown};

/// How long what decides may wait for the store.
const TO_DECIDE: Duration = Duration::from_millis(300);

/// How long all else may.
const TO_LOOK: Duration = Duration::from_secs(1);

/// A record stays for so long: the longest wait, and a week for who presses late.
const LIFE: Duration = Duration::from_secs(10 * 24 * 3600);

/// Without news of it the process that asks has ended.
const RUN_LIFE: Duration = Duration::from_secs(15);

/// Between two tries for the lock.
const RETRY: Duration = Duration::from_millis(10);

/// No more presses wait to be judged.
const MOST_PRESSES: u64 = 100;

/// The record KEYS[1], unless its sum is ARGV[3], and the presses KEYS[2]. Who asks, with the name ARGV[1], says so for ARGV[2]
/// ms in KEYS[3].
static LOOK: Script = Script::new(
    "local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' then record = '' end
local presses = redis.pcall('LRANGE', KEYS[2], 0, 99)
if presses.err then presses = {} end
if ARGV[1] ~= '' then
  local run = redis.pcall('GET', KEYS[3])
  if run == false or run == ARGV[1] then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2]) end
end
local sum = ''
if record ~= '' then sum = redis.sha1hex(record) end
if sum == ARGV[3] then record = '' end
return {sum, record, presses}",
);

/// Appends the press ARGV[1] to KEYS[1], which stays for ARGV[2] ms, unless ARGV[3] are there.
static KEEP: Script = Script::new(
    "if redis.call('TYPE', KEYS[1]).ok ~= 'list' then redis.call('DEL', KEYS[1]) end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1",
);

/// A question in the store.
#[derive(Debug, Clone)]
pub(super) struct SharedQuestion {
    space: Namespace,
    record: String,
    presses: String,
    run: String,
    /// What this process is called as the one that asks.
    own: String,
}

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct SharedNews {
    /// Of the record as it is there; empty where there is none.
    pub(super) sum: String,
    /// Where it is another one than before.
    pub(super) record: Option<Record>,
    /// Whether there is none that can be read.
    pub(super) is_lost: bool,
    pub(super) presses: Vec<SealedPress>,
}

impl SharedQuestion {
    /// The question whose file has this name, in the part of the store that belongs to its credential.
    pub(super) fn new(mut space: Namespace, name: &str) -> Self {
        // What waits for minutes and hours must know soon when the store is back. The time is limited here.
        space.state = space.state.insistent();
        let key = |kind: &str| space.name_for(kind, &[name]);
        let [record, presses, run] = [key("ask"), key("ask:presses"), key("ask:run")];
        Self { space, record, presses, run, own: format!("{:032x}", fastrand::u128(..)) }
    }

    fn kept(&self) -> SharedRecord {
        SharedRecord::new(self.space.clone(), self.record.clone())
    }

    /// What is kept, if anything is.
    pub(super) async fn read(&self) -> Result<Option<Record>, StoreDown> {
        limited(TO_LOOK, self.kept().read()).await
    }

    /// The record for a change: nobody else changes it until the lease is released. `None` while the store is down, or somebody
    /// else changes it for too long.
    pub(super) async fn lock(&self) -> Option<(Lease, Option<Record>)> {
        let kept = self.kept();
        let locking = async {
            let until = Instant::now() + TO_DECIDE;
            loop {
                if let Some(lease) = kept.try_lock().await? {
                    return Ok(Some((lease, kept.read().await?)));
                }
                if Instant::now() >= until {
                    return Ok(None);
                }
                tokio::time::sleep(RETRY).await;
            }
        };
        limited(TO_DECIDE * 2, locking).await.ok().flatten()
    }

    /// Writes what was decided under the lock, if there is anything, and frees it.
    pub(super) async fn unlock(&self, lease: Lease, record: Option<&Record>) {
        let kept = self.kept();
        let writing = async {
            if let Some(record) = record {
                kept.write(record, LIFE, &lease).await?;
            }
            lease.release().await;
            Ok(())
        };
        // The machine's own file has it.
        let _: Result<(), StoreDown> = limited(TO_DECIDE, writing).await;
    }

    /// What is there that was not there `before`, the sum of an earlier look. Who `runs` it says so at the same time.
    pub(super) async fn look(&self, before: &str, runs: bool) -> Result<SharedNews, StoreDown> {
        let input = ScriptInput::of_keys([self.record.clone(), self.presses.clone(), self.run.clone()]);
        let input = input.with(if runs { &self.own } else { "" }).with(in_ms(RUN_LIFE)).with(before);
        let looked = limited(TO_LOOK, self.space.state.run(&LOOK, &input)).await;
        let (sum, sealed, presses): (String, Vec<u8>, Vec<Vec<u8>>) = looked?;
        let record = self.space.open(&self.record, &sealed);
        let record: Option<Record> = record.and_then(|content| serde_json::from_slice(&content).ok());
        let is_lost = sum.is_empty() || !sealed.is_empty() && record.is_none();
        let presses = presses.iter().filter_map(|press| self.opened(press)).collect();
        Ok(SharedNews { sum, record, is_lost, presses })
    }

    fn opened(&self, press: &[u8]) -> Option<SealedPress> {
        serde_json::from_slice(&self.space.open(&self.presses, press)?).ok()
    }

    /// Becomes the process that asks; `false` where another one does.
    pub(super) async fn try_run(&self) -> bool {
        let mut claim = cmd("SET");
        claim.arg(&self.run).arg(&self.own).arg("PX").arg(in_ms(RUN_LIFE)).arg("NX");
        let claimed = limited(TO_LOOK, self.space.state.query::<Option<String>>(&claim)).await;
        match claimed {
            Ok(Some(_)) | Err(StoreDown) => true,
            Ok(None) => self.runner().await.is_none_or(|runner| runner == self.own),
        }
    }

    /// Whether a process of another machine asks it.
    pub(super) async fn is_run(&self) -> bool {
        self.runner().await.is_some()
    }

    async fn runner(&self) -> Option<String> {
        let runner = limited(TO_LOOK, self.space.state.get(&self.run)).await.ok()??;
        String::from_utf8(runner).ok()
    }

    /// Another process may ask it from now on.
    pub(super) async fn stop_running(&self) {
        if self.runner().await.as_ref() == Some(&self.own) {
            let _: Result<u64, StoreDown> = limited(TO_DECIDE, self.space.state.query(cmd("DEL").arg(&self.run))).await;
        }
    }

    /// Keeps a press until it is judged; `false` where too many are there.
    pub(super) async fn keep_press(&self, press: &SealedPress) -> Result<bool, StoreDown> {
        let sealed = serde_json::to_vec(press).ok().and_then(|content| self.space.seal(&self.presses, &content));
        let Some(sealed) = sealed else { return Ok(false) };
        let input = ScriptInput::of_keys([self.presses.clone()]).with_bytes(sealed);
        let input = input.with(in_ms(LIFE)).with(MOST_PRESSES);
        let kept: u64 = limited(TO_LOOK, self.space.state.run(&KEEP, &input)).await?;
        Ok(kept == 1)
    }

    /// Removes a press that was judged.
    pub(super) async fn forget_press(&self, seal: &str) {
        let mut list = cmd("LRANGE");
        list.arg(&self.presses).arg(0).arg(-1);
        let listed = limited(TO_LOOK, self.space.state.query::<Vec<Vec<u8>>>(&list)).await;
        for press in listed.unwrap_or_default() {
            // What somebody else put there goes too.
            if self.opened(&press).is_none_or(|press| press.seal == seal) {
                let mut removal = cmd("LREM");
                removal.arg(&self.presses).arg(0).arg(&press[..]);
                let _: Result<u64, StoreDown> = limited(TO_LOOK, self.space.state.query(&removal)).await;
            }
        }
    }
}

async fn limited<T>(limit: Duration, work: impl Future<Output = Result<T, StoreDown>>) -> Result<T, StoreDown> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(StoreDown))
}

/// What is known of a question on this machine and in the store: what was decided in either stands.
pub(super) fn merged(here: Option<Record>, shared: Option<Record>) -> Option<Record> {
    match (here, shared) {
        (Some(here), Some(shared)) if here.start_ms == shared.start_ms => {
            let state = if shared.state == State::Open { here.state } else { shared.state.clone() };
            Some(Record { state, ..shared })
        }
        (Some(here), Some(shared)) => Some(if here.start_ms > shared.start_ms { here } else { shared }),
        (here, shared) => here.or(shared),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn what_was_decided_anywhere_stands() {
        let open = record();
        let over = Record { state: State::Over(7), ..record() };
        let state = |here: &Record, shared: &Record| merged(Some(here.clone()), Some(shared.clone())).unwrap().state;
        assert_eq!(state(&open, &over), State::Over(7));
        assert_eq!(state(&over, &open), State::Over(7));
        let later = Record { start_ms: open.start_ms + 1, ..record() };
        assert_eq!(state(&over, &later), State::Open);
        assert_eq!(state(&later, &over), State::Open);
        assert!(
            merged(None, Some(over)).is_some() && merged(Some(open), None).is_some() && merged(None, None).is_none()
        );
    }
}
