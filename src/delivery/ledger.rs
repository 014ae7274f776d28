//! The account of what was sent while a command is still at work: for its report, or for that of a signal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::outcome::{Outcome, Receipt};
use crate::error::Status;
use crate::message::Route;

/// The account of what has been sent so far to one target. Clones share it, and all accounts of a command know of each
/// other, so that a signal's handler can say what had been delivered.
#[derive(Debug, Clone)]
pub struct Ledger {
    accounts: Arc<Mutex<Vec<Account>>>,
    own: usize,
}

#[derive(Debug, Default)]
struct Account {
    profile: Option<String>,
    /// `None` for the account of a command that sends nothing itself.
    route: Option<Route>,
    /// How many parts there are to be sent.
    expected: usize,
    attempts: u32,
    /// Nobody knows yet what became of the last attempt.
    open: bool,
    /// WeCom took a call of the part that is under way.
    begun: bool,
    parts: Vec<Receipt>,
    /// The entry of the outbox that holds what is not delivered yet.
    stored: Option<String>,
}

impl Account {
    /// What this target has of the message when the command ends as `status` in the middle of it.
    fn told(&self, route: Route, status: Status) -> Outcome {
        let delivered = self.parts.iter().filter(|part| part.status == Status::Sent).count();
        let status = match &self.stored {
            _ if self.expected > 0 && delivered >= self.expected => Status::Sent,
            Some(_) => Status::Queued,
            None => status,
        };
        Outcome {
            profile: self.profile.clone(),
            route: Some(route),
            answer: self.parts.last().and_then(|part| part.answer.clone()),
            attempts: self.attempts,
            parts: self.parts.clone(),
            outbox_id: self.stored.clone(),
            ..Outcome::new(status)
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { accounts: Arc::new(Mutex::new(vec![Account::default()])), own: 0 }
    }
}

impl Ledger {
    /// An account for one more target.
    #[must_use]
    pub fn open_account(&self, profile: Option<&str>, route: Route) -> Self {
        let mut accounts = self.accounts();
        let profile = profile.map(str::to_owned);
        accounts.push(Account { profile, route: Some(route), ..Account::default() });
        Self { accounts: Arc::clone(&self.accounts), own: accounts.len() - 1 }
    }

    /// Notes how many parts are to be sent.
    pub fn expect(&self, parts: usize) {
        self.change(|account| account.expected = parts);
    }

    /// How many parts are to be sent to all targets.
    #[must_use]
    pub fn expected(&self) -> usize {
        self.accounts().iter().map(|account| account.expected).sum()
    }

    /// Counts a send request about to be made.
    pub fn count_attempt(&self) {
        self.change(|account| {
            account.attempts += 1;
            account.open = true;
        });
    }

    /// Notes that the last send request was answered, or cannot have arrived.
    pub fn settle_attempt(&self) {
        self.change(|account| account.open = false);
    }

    /// Notes that WeCom took a call of the part under way.
    pub fn begin_part(&self) {
        self.change(|account| account.begun = true);
    }

    /// Keeps the receipt of a part.
    pub fn keep(&self, receipt: Receipt) {
        self.change(|account| {
            account.begun = false;
            account.parts.push(receipt);
        });
    }

    /// Notes which entry of the outbox holds what is not delivered yet, or that none does any more.
    pub fn store(&self, id: Option<&str>) {
        self.change(|account| account.stored = id.map(str::to_owned));
    }

    /// Writes into an outcome what was sent to this target.
    pub fn close(&self, outcome: &mut Outcome) {
        self.change(|account| {
            outcome.attempts = account.attempts;
            outcome.parts.clone_from(&account.parts);
        });
    }

    /// Writes into an outcome what was sent to all targets, and what the outbox holds.
    pub fn close_all(&self, outcome: &mut Outcome) {
        for account in self.accounts().iter() {
            outcome.attempts += account.attempts;
            outcome.parts.extend(account.parts.iter().cloned());
            outcome.outbox_id = outcome.outbox_id.take().or_else(|| account.stored.clone());
            // One for which nothing was made ready is no target yet.
            let route = account.route.filter(|_| account.expected > 0);
            outcome.targets.extend(route.map(|route| account.told(route, outcome.status)));
        }
    }

    /// Whether WeCom took a part of a part that is still under way.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.accounts().iter().any(|account| account.begun)
    }

    /// Whether a send request went out, or was about to, of which nobody knows yet what became of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.accounts().iter().any(|account| account.open)
    }

    fn change(&self, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts().get_mut(self.own) {
            change(account);
        }
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
