//! The account of a delivery: what became of each part of a message for one target. It is kept once; the outcome, the report
//! on a signal and the progress of an outbox entry are views of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::failed::Failed;
use super::outcome::{Outcome, Unreached};
use crate::api::Reply;
use crate::blocking::to_the_end;
use crate::channel::Channel;
use crate::clock::now_ms;
use crate::error::{Answer, Result, Status};
use crate::message::{Part, PartKind, PartState};
use crate::outbox::{ClaimedEntry, EntryProgress, PartProgress};

/// The accounts of all targets of a command. Clones share them, so that a signal's handler can say what was delivered.
#[derive(Debug, Clone, Default)]
pub struct Accounts(Arc<Mutex<Vec<Target>>>);

/// The account of one target, and the outbox entry that follows it, if there is one.
#[derive(Debug)]
pub(crate) struct Account {
    accounts: Accounts,
    own: usize,
    pub(crate) entry: Option<ClaimedEntry>,
    /// How far the entry had come before this process, and what is noted of it but for its parts.
    before: EntryProgress,
}

/// What one target has of its message.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) profile: Option<String>,
    pub(super) channel: Channel,
    /// Send requests of this process.
    pub(super) attempts: u32,
    /// The entry of the outbox that holds what is not delivered yet.
    pub(super) outbox_id: Option<String>,
    pub(super) parts: Vec<PartAccount>,
}

/// What became of one part.
#[derive(Debug)]
pub(super) struct PartAccount {
    pub(super) kind: PartKind,
    pub(super) name: Option<String>,
    pub(super) task_id: Option<String>,
    pub(super) state: PartState,
    /// How many calls WeCom took, earlier and now, counted from the first one.
    taken: usize,
    /// It had all of it before this process.
    pub(super) was_sent: bool,
    /// Nothing more is done for it.
    pub(super) is_closed: bool,
    /// Requests that WeCom took now, and those of them that reached nobody.
    pub(super) consents: usize,
    pub(super) in_vain: usize,
    pub(super) unreached: Unreached,
    pub(super) answer: Option<Answer>,
    pub(super) msgids: Vec<String>,
    pub(super) response_code: Option<String>,
    pub(super) failures: Vec<Failed>,
}

impl Accounts {
    /// Opens an account for one more target.
    pub(crate) fn open(&self, profile: Option<&str>, channel: Channel) -> Account {
        let mut targets = self.lock();
        let profile = profile.map(str::to_owned);
        targets.push(Target { profile, channel, attempts: 0, outbox_id: None, parts: Vec::new() });
        Account { accounts: self.clone(), own: targets.len() - 1, entry: None, before: EntryProgress::default() }
    }

    /// How many parts are to be sent to all targets.
    pub fn expected(&self) -> usize {
        self.lock().iter().map(|target| target.parts.len()).sum()
    }

    /// Whether WeCom took a call of a part that is still under way.
    pub fn is_begun(&self) -> bool {
        self.lock().iter().flat_map(|target| &target.parts).any(|part| part.consents > 0 && !part.is_closed)
    }

    /// Whether a send request went out, or was about to, of which nobody knows yet what became of it.
    pub fn is_open(&self) -> bool {
        let is_open = |part: &PartAccount| matches!(part.state, PartState::UnderWay | PartState::Unknown);
        self.lock().iter().flat_map(|target| &target.parts).any(is_open)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Notes which parts are to be sent, and how far they have come already.
    pub(crate) fn expect(&mut self, parts: &[Part]) {
        let before = &self.before.parts;
        let known = |index: usize| before.get(index).copied().unwrap_or_default();
        let parts = parts.iter().enumerate().map(|(index, part)| PartAccount::new(part, known(index))).collect();
        self.change(|target| target.parts = parts);
    }

    /// Lets the outbox entry that was made of this message follow it from now on. Returns the one that did before.
    pub(crate) fn follow(&mut self, entry: Option<ClaimedEntry>) -> Option<ClaimedEntry> {
        let id = entry.as_ref().map(|entry| entry.id().to_owned());
        self.before = entry.as_ref().map(|entry| entry.progress.clone()).unwrap_or_default();
        self.change(|target| target.outbox_id = id);
        std::mem::replace(&mut self.entry, entry)
    }

    /// Goes on with an entry that waited, and lets it follow.
    pub(crate) fn resume(&mut self, entry: ClaimedEntry) {
        self.before = entry.progress.clone();
        self.entry = Some(entry);
    }

    /// Notes what the text begins with, because it is late.
    pub(crate) fn note_mark(&mut self, mark: Option<String>) {
        self.before.mark = mark;
    }

    /// How many calls of a part WeCom took, counted from its first one; `None` if nothing is left of it to be sent.
    pub(super) fn taken(&self, index: usize) -> Option<usize> {
        self.look(|target| target.parts.get(index).filter(|part| part.state != PartState::Sent).map(|part| part.taken))
    }

    /// Whether what is left need not be tried, since it would fare no better, or would arrive out of order.
    pub(super) fn is_stopped(&self) -> bool {
        self.look(Target::is_stopped)
    }

    /// A request for a part is about to be made.
    pub(super) async fn begin(&mut self, index: usize) {
        self.change(|target| target.attempts += 1);
        self.set_state(index, PartState::UnderWay);
        self.before.last_attempt_ms = Some(now_ms());
        // Where nothing forbids or drops a second copy, nobody will ask.
        let entry = self.entry.as_ref().map(|claimed| &claimed.entry);
        if entry.is_some_and(|entry| entry.at_most_once || entry.duplicate_check_s.is_some()) {
            self.save().await;
        }
    }

    /// That request was answered by a refusal, or certainly did not arrive.
    pub(super) async fn end(&mut self, index: usize) {
        self.set_state(index, PartState::Pending);
        if self.entry.as_ref().is_some_and(|entry| entry.entry.at_most_once) {
            self.save().await;
        }
    }

    /// That request was answered in a way that leaves open whether the message went on.
    pub(super) fn answered(&mut self, index: usize) {
        self.set_state(index, PartState::Pending);
    }

    /// WeCom took a request: for all, for some, or, in spite of its `errcode` 0, for nobody.
    pub(super) fn arrived(&mut self, index: usize, reply: &Reply, body: &Value) {
        self.change_part(index, |part| {
            let unreached = Unreached::named_by(|field| reply.ids(field));
            part.state = PartState::Pending;
            part.consents += 1;
            part.in_vain += usize::from(!unreached.is_empty() && unreached.is_all_of(body));
            part.unreached.extend(unreached);
            part.answer = Some(reply.answer.clone());
            part.msgids.extend(reply.text("msgid"));
            part.response_code = reply.text("response_code").or_else(|| part.response_code.take());
        });
    }

    /// WeCom took all requests of a call, `number` counted from 0. What it refused before counts for nothing, lest it be
    /// taken for sent when somebody asks for it again.
    pub(super) fn count_call(&mut self, index: usize, number: usize) {
        self.change_part(index, |part| part.taken += usize::from(part.taken == number));
    }

    /// A call, or the upload before it, failed.
    pub(super) fn failed(&mut self, index: usize, failed: Failed) {
        self.change_part(index, |part| {
            part.state = match failed.error.status() {
                Status::Unknown => PartState::Unknown,
                Status::Refused => PartState::Refused,
                _ => PartState::Pending,
            };
            part.unreached.extend(failed.unreached.clone());
            part.answer = failed.error.answer().cloned().or_else(|| part.answer.take());
            part.failures.push(failed);
        });
    }

    /// Saves how far a part has come that takes `calls`. What is complete is about to be removed.
    pub(super) async fn settle(&mut self, index: usize, calls: usize) {
        self.change_part(index, |part| {
            if part.taken >= calls {
                part.state = PartState::Sent;
            }
        });
        if self.entry.is_some() && !self.progress().is_complete() {
            self.save().await;
        }
    }

    /// Nothing more is done for a part.
    pub(super) fn close(&mut self, index: usize) {
        self.change_part(index, |part| part.is_closed = true);
    }

    /// Leaves the entry waiting, with what the attempt brought.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says.
    pub(crate) async fn wait(&mut self, outcome: &Outcome) -> Result<()> {
        let progress = self.progress_after(outcome);
        let Some(mut entry) = self.entry.take() else { return Ok(()) };
        to_the_end(move || entry.save(progress)).await?
    }

    /// Puts the entry among those that are not tried any more, with what its last attempt brought.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says; then it waits on.
    pub(crate) async fn give_up(&mut self, outcome: &Outcome) -> Result<()> {
        let progress = self.progress_after(outcome);
        let Some(entry) = self.entry.take() else { return Ok(()) };
        to_the_end(move || entry.fail(&progress)).await?
    }

    /// Removes the entry, if there is one: nothing is to be delivered any more.
    ///
    /// # Errors
    ///
    /// Exit 3 with what the file system says; then it waits on.
    pub(crate) async fn done(&mut self) -> Result<()> {
        self.change(|target| target.outbox_id = None);
        let Some(entry) = self.entry.take() else { return Ok(()) };
        to_the_end(move || entry.done()).await?
    }

    /// The progress of the entry as it is now.
    fn progress(&self) -> EntryProgress {
        let (attempts, parts) = self.look(|target| {
            let progress = |part: &PartAccount| PartProgress { state: part.state, taken: part.taken };
            (target.attempts, target.parts.iter().map(progress).collect())
        });
        EntryProgress { attempts: self.before.attempts.saturating_add(attempts), parts, ..self.before.clone() }
    }

    fn progress_after(&self, outcome: &Outcome) -> EntryProgress {
        let mut progress = self.progress();
        progress.stop();
        progress.may_have_arrived |= outcome.shortfall.is_some_and(|shortfall| shortfall.may_have_arrived);
        if let Some(error) = &outcome.error {
            progress.note(error);
        }
        progress
    }

    /// What cannot be saved may be sent twice, which is better than not at all.
    async fn save(&mut self) {
        let progress = self.progress();
        let Some(mut entry) = self.entry.take() else { return };
        let saving = move || {
            let _ = entry.save(progress);
            entry
        };
        self.entry = to_the_end(saving).await.ok();
    }

    fn set_state(&mut self, index: usize, state: PartState) {
        self.change_part(index, |part| part.state = state);
    }

    fn change_part(&mut self, index: usize, change: impl FnOnce(&mut PartAccount)) {
        self.change(|target| {
            if let Some(part) = target.parts.get_mut(index) {
                change(part);
            }
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Target)) {
        if let Some(target) = self.accounts.lock().get_mut(self.own) {
            change(target);
        }
    }

    pub(super) fn look<T: Default>(&self, look: impl FnOnce(&Target) -> T) -> T {
        self.accounts.lock().get(self.own).map(look).unwrap_or_default()
    }
}

impl Target {
    /// Whether nothing more is tried for it.
    pub(super) fn is_stopped(&self) -> bool {
        self.parts.iter().any(PartAccount::stops_the_rest)
    }
}

impl PartAccount {
    fn new(part: &Part, before: PartProgress) -> Self {
        let was_sent = before.state == PartState::Sent;
        Self {
            kind: part.kind,
            name: part.file_name(),
            task_id: part.task_id(),
            state: if was_sent { PartState::Sent } else { PartState::Pending },
            taken: before.taken,
            was_sent,
            is_closed: was_sent,
            consents: 0,
            in_vain: 0,
            unreached: Unreached::default(),
            answer: None,
            msgids: Vec::new(),
            response_code: None,
            failures: Vec::new(),
        }
    }

    /// Whether a failure of it leaves no hope for the rest: a refusal, or a file that cannot be sent, is its own alone.
    fn stops_the_rest(&self) -> bool {
        self.failures.iter().any(|failed| {
            let status = failed.error.status();
            let is_about_the_file =
                self.kind == PartKind::Attachment && matches!(status, Status::Config | Status::Usage);
            status != Status::Refused && !is_about_the_file
        })
    }

    /// Whether nothing was tried for it.
    pub(super) fn is_skipped(&self) -> bool {
        !self.is_closed
    }
}
