//! A slot from when it is taken until a period after its request ended.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ledger::{Lane, Ledger, Wait};
use super::{Pace, in_ms};

/// A slot of a request under way is prolonged at least this often.
const LONGEST_RENEWAL: Duration = Duration::from_secs(30);

/// A slot for one request. Dropped before the request ended, it frees a period later.
///
/// If this process is killed, it frees a period after it was last prolonged.
#[derive(Debug)]
#[must_use = "a slot is for a request: make it within `during`"]
pub(crate) struct Slot(Option<Claim>);

impl Slot {
    /// One that is written nowhere.
    pub(super) fn unpaced() -> Self {
        Self(None)
    }

    pub(super) fn paced(claim: Claim) -> Self {
        Self(Some(claim))
    }

    /// Makes the one request that the slot is for. The slot stays taken all the while, and for a period after the end.
    pub(crate) async fn during<T>(&mut self, request: impl Future<Output = T>) -> T {
        let Some(claim) = &mut self.0 else { return request.await };
        let mut request = pin!(request);
        let output = tokio::select! {
            // Renewed first: a process that was stopped for a while may be late with both.
            biased;
            never = claim.renew_for_ever() => match never {},
            output = &mut request => output,
        };
        claim.is_over = claim.hold().await;
        output
    }

    /// Frees the slot at once. Only for a request that cannot have reached WeCom: its connection never stood.
    pub(crate) async fn give_back(mut self) {
        if let Some(claim) = &mut self.0 {
            claim.is_over |= claim.free().await;
        }
    }
}

/// A slot as it stands in the file under its id.
#[derive(Debug)]
pub(super) struct Claim {
    pace: Arc<Pace>,
    id: u64,
    lanes: Vec<Lane>,
    /// For how long the file may be waited for.
    until: Instant,
    /// Whether what became of it is written.
    is_over: bool,
}

impl Claim {
    /// One that is not taken yet. The lanes are sorted, and each is named once.
    pub(super) fn new(pace: Arc<Pace>, lanes: Vec<Lane>, until: Instant) -> Self {
        // Over until it is taken: nothing is written yet.
        Self { pace, id: fastrand::u64(..), lanes, until, is_over: true }
    }

    /// Takes it, if there is one; `None` if the file cannot be used.
    pub(super) async fn take(&mut self) -> Option<Result<(), Wait>> {
        let (count, hold) = (self.pace.count, in_ms(self.pace.hold));
        let work = |ledger: &mut Ledger, now| ledger.take(self.id, &self.lanes, count, hold, now);
        let taken = self.pace.register.change(self.until, work).await;
        self.is_over = taken != Some(Ok(()));
        taken
    }

    async fn hold(&self) -> bool {
        self.pace.register.change(self.until, |ledger, now| self.hold_in(ledger, now)).await.is_some()
    }

    async fn free(&self) -> bool {
        let work = |ledger: &mut Ledger, _| {
            ledger.free(self.id);
            Ok(())
        };
        self.pace.register.change(self.until, work).await.is_some()
    }

    fn hold_in(&self, ledger: &mut Ledger, now: u64) -> Result<(), Wait> {
        ledger.hold(self.id, &self.lanes, in_ms(self.pace.hold), now);
        Ok(())
    }

    async fn renew_for_ever(&self) -> Infallible {
        let renewal = (self.pace.hold / 2).min(LONGEST_RENEWAL);
        loop {
            tokio::time::sleep(renewal).await;
            self.hold().await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_over {
            self.pace.register.try_change(|ledger, now| self.hold_in(ledger, now));
        }
    }
}
