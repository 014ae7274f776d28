//! A lease: what one process of all machines holds, until it gives it back or stops renewing it.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Namespace, Script, ScriptInput, StoreDown};
use crate::blocking::task;
use crate::clock::in_ms;

/// Takes the lease KEYS[1] for ARGV[1], for ARGV[2] ms. `0` where somebody else holds it.
static TAKE: Script = Script::new(
    "local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1",
);

/// Prolongs the lease KEYS[1] of ARGV[1] by ARGV[2] ms from now on. Nothing happens to one that is somebody else's.
static RENEW: Script = Script::new(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
);

/// Gives the lease KEYS[1] of ARGV[1] back.
static RELEASE: Script = Script::new(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
);

/// Writes ARGV[2] to KEYS[1] for ARGV[3] ms, if ARGV[1] still holds the lease KEYS[2].
static WRITE: Script = Script::new(
    "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1",
);

/// A lease that this process holds. It is renewed until this is dropped, and given back then.
#[derive(Debug)]
pub(crate) struct Lease {
    space: Namespace,
    name: String,
    holder: String,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Takes the lease of that name, for so long without a renewal; `None` where another process holds it.
    pub(crate) async fn try_take(space: &Namespace, name: &str, life: Duration) -> Result<Option<Self>, StoreDown> {
        let holder = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let input = ScriptInput::of_keys([name.to_owned()]).with(&holder).with(in_ms(life));
        if !space.state.run::<bool>(&TAKE, &input).await? {
            return Ok(None);
        }
        let renewal = tokio::spawn(task(renew(space.clone(), name.to_owned(), holder.clone(), life)));
        Ok(Some(Self { space: space.clone(), name: name.to_owned(), holder, renewal }))
    }

    /// Writes a value to a key for so long, if this process still holds the lease; `false` if it does not.
    pub(crate) async fn write(&self, key: &str, value: Vec<u8>, life: Duration) -> Result<bool, StoreDown> {
        let input = ScriptInput::of_keys([key.to_owned(), self.name.clone()]);
        let input = input.with(&self.holder).with_bytes(value).with(in_ms(life).max(1));
        self.space.state.run(&WRITE, &input).await
    }

    /// Gives it back and waits for that. A lease that is only dropped is given back when there is time for it.
    pub(crate) async fn release(self) {
        self.renewal.abort();
        let _: Result<u64, StoreDown> = self.space.state.run(&RELEASE, &self.own_input()).await;
    }

    fn own_input(&self) -> ScriptInput {
        ScriptInput::of_keys([self.name.clone()]).with(&self.holder)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.renewal.is_finished() {
            return;
        }
        self.renewal.abort();
        let (state, input) = (self.space.state.in_background(), self.own_input());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(task(async move {
                let _: Result<u64, StoreDown> = state.run(&RELEASE, &input).await;
            }));
        }
    }
}

/// Renews it until it is somebody else's, or until it must have ended while the store did not answer.
async fn renew(space: Namespace, name: String, holder: String, life: Duration) {
    let state = space.state.in_background();
    let input = ScriptInput::of_keys([name]).with(holder).with(in_ms(life));
    let mut renewed = Instant::now();
    while renewed.elapsed() < life {
        tokio::time::sleep(life / 3).await;
        let began = Instant::now();
        match state.run::<u64>(&RENEW, &input).await {
            Ok(0) => return,
            Ok(_) => renewed = began,
            Err(StoreDown) => {}
        }
    }
}
