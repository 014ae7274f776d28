//! Delivery state: the status of each part of a message for one target. It is kept once; the outcome, the report on a
//! signal and the stored progress of an outbox entry are made from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::failure::FailedRequest;
use super::outcome::{Outcome, Receipt, UnreachedRecipients};
use crate::api::Reply;
use crate::blocking::to_the_end;
use crate::cards::CardData;
use crate::channel::Channel;
use crate::clock::now_ms;
use crate::error::{Result, Status};
use crate::message::person::Person;
use crate::message::{Part, PartKind, PartState, aibot};
use crate::outbox::{ClaimedEntry, EntryProgress, GroupedOutbox, PartProgress};

/// The delivery states of all targets of a command. Clones share them, so that the handler of a signal can report what
/// was delivered.
#[derive(Debug, Clone, Default)]
pub struct Accounts(Arc<Mutex<Vec<TargetAccount>>>);

/// The delivery state of one target, and the outbox entry that is kept up to date with it, if there is one.
#[derive(Debug)]
pub(crate) struct Account {
    accounts: Accounts,
    /// Its index in the list of all targets.
    index: usize,
    /// The outbox entry that is kept up to date.
    pub(crate) entry: Option<ClaimedEntry>,
    /// By what it is removed together with others, where many alerts are sent.
    pub(crate) outbox: Option<GroupedOutbox>,
    /// The entry's progress before this process, and what is noted of it but for its parts.
    before: EntryProgress,
    /// What its cards are made of, if they are to be kept once they are sent.
    card_data: Option<CardData>,
}

/// The delivery state of one target.
#[derive(Debug)]
pub(super) struct TargetAccount {
    pub(super) profile: Option<String>,
    pub(super) channel: Channel,
    /// Send requests of this process.
    pub(super) attempts: u32,
    /// The entry of the outbox that holds what is not delivered yet.
    pub(super) outbox_id: Option<String>,
    pub(super) parts: Vec<PartAccount>,
}

/// The status of one part.
#[derive(Debug)]
pub(super) struct PartAccount {
    /// Its receipt, without the status.
    pub(super) receipt: Receipt,
    pub(super) progress: PartProgress,
    /// WeCom had accepted all of it before this process.
    pub(super) was_sent: bool,
    /// Nothing more is done for it.
    pub(super) is_closed: bool,
    /// Requests of this process that WeCom accepted (`accepted`), and those of them for which it knew none of the
    /// recipients (`accepted_for_nobody`).
    pub(super) accepted: usize,
    pub(super) accepted_for_nobody: usize,
    pub(super) unreached: UnreachedRecipients,
    pub(super) failures: Vec<FailedRequest>,
    /// Why conversations of an aibot did not take it, where others did or may.
    pub(super) refusals: Vec<FailedRequest>,
}

impl Accounts {
    /// Adds the state of one more target.
    pub(crate) fn open(&self, profile: Option<&str>, channel: Channel) -> Account {
        let mut targets = self.lock();
        let profile = profile.map(str::to_owned);
        targets.push(TargetAccount { profile, channel, attempts: 0, outbox_id: None, parts: Vec::new() });
        Account {
            accounts: self.clone(),
            index: targets.len() - 1,
            entry: None,
            outbox: None,
            before: EntryProgress::default(),
            card_data: None,
        }
    }

    /// The entry of the outbox that holds the message for the first target, if one does.
    pub(crate) fn stored_as(&self) -> Option<String> {
        self.lock().first()?.outbox_id.clone()
    }

    /// Whether a request is under way that may deliver something, or something was delivered.
    pub(crate) fn is_under_way(&self) -> bool {
        let is_open = |part: &PartAccount| matches!(part.progress.state, PartState::UnderWay | PartState::Sent);
        self.lock().iter().any(|target| target.parts.iter().any(is_open))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<TargetAccount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Records which parts are to be sent, and how far they have come already.
    pub(crate) fn expect(&mut self, parts: &[Part]) {
        let before = &self.before.parts;
        let known = |index: usize| before.get(index).copied().unwrap_or_default();
        let parts = parts.iter().enumerate().map(|(index, part)| PartAccount::new(part, known(index))).collect();
        self.with(|target| target.parts = parts);
    }

    /// Keeps the outbox entry that was made of this message up to date from now on. Returns the one before it.
    pub(crate) fn follow(&mut self, entry: Option<ClaimedEntry>) -> Option<ClaimedEntry> {
        let id = entry.as_ref().map(|entry| entry.alert.id.clone());
        let left = self.before.left.take();
        self.before = entry.as_ref().map(|entry| entry.progress.clone()).unwrap_or_default();
        self.before.left = left;
        self.with(|target| target.outbox_id = id);
        std::mem::replace(&mut self.entry, entry)
    }

    /// Continues with a stored entry, and keeps it up to date. `mark` is the line at the start of its text, because it
    /// is late.
    pub(crate) fn resume(&mut self, entry: ClaimedEntry, mark: Option<String>) {
        self.before = EntryProgress { mark, ..entry.progress.clone() };
        self.entry = Some(entry);
    }

    /// Cards with something to press are to be kept, with what they are made of.
    pub(crate) fn keep_cards(&mut self, data: CardData) {
        self.card_data = Some(data);
    }

    pub(crate) fn card_data(&self) -> Option<&CardData> {
        self.card_data.as_ref()
    }

    pub(super) fn profile(&self) -> Option<String> {
        self.with(|target| target.profile.clone())
    }

    /// The outcome so far.
    pub(crate) fn outcome(&self) -> Outcome {
        self.with(|target| target.outcome())
    }

    /// These people have no userid: nobody got it for them.
    pub(crate) fn miss<'p>(&mut self, people: impl IntoIterator<Item = &'p Person>) {
        let missed = UnreachedRecipients::unresolved(people);
        self.with_part(0, |part| part.unreached.extend(missed));
    }

    /// The only people that the message is still for, if that was noted; the recipients in its bodies have it.
    pub(crate) fn left(&self) -> Option<&[Person]> {
        self.before.left.as_deref()
    }

    /// From now on the message is for these people alone: all others have it, or do not get it. `moved` are userids that WeCom
    /// refused and that are theirs no more.
    pub(crate) async fn narrow(&mut self, left: Vec<Person>, moved: &[String]) {
        self.before.left = Some(left);
        self.with(|target| target.parts.iter_mut().for_each(|part| part.reopen(moved)));
        if self.entry.is_some() {
            self.save().await;
        }
    }

    /// How many calls of a part WeCom accepted, counted from its first one; `None` if none is left to be made.
    pub(super) fn taken(&self, index: usize) -> Option<usize> {
        self.with_part(index, |part| (part.progress.state != PartState::Sent).then_some(part.progress.taken)).flatten()
    }

    /// Whether the rest is not tried: it would fail in the same way, or arrive out of order.
    pub(super) fn is_stopped(&self) -> bool {
        self.with(|target| target.is_stopped())
    }

    /// A request for a part is about to be made.
    pub(super) async fn begin(&mut self, index: usize) {
        self.with(|target| target.attempts += 1);
        self.set_state(index, PartState::UnderWay);
        self.before.last_attempt_ms = Some(now_ms());
        // The state of a request under way is stored only where a second copy is forbidden, or where WeCom drops one.
        let alert = self.entry.as_ref().map(|claimed| &claimed.alert);
        if alert.is_some_and(|alert| alert.at_most_once || alert.duplicate_check_s.is_some()) {
            self.save().await;
        }
    }

    /// That request was answered by a refusal, or certainly did not arrive.
    pub(super) async fn end(&mut self, index: usize) {
        self.set_state(index, PartState::Pending);
        if self.entry.as_ref().is_some_and(|claimed| claimed.alert.at_most_once) {
            self.save().await;
        }
    }

    /// WeCom took a request, for all recipients or for some. With `errcode` 0 it may even name all of them as unknown.
    pub(super) fn arrived(&mut self, index: usize, reply: &Reply, body: &Value) {
        self.with_part(index, |part| {
            let unreached = UnreachedRecipients::named_by(|field| reply.ids(field));
            part.progress.state = PartState::Pending;
            part.accepted += 1;
            part.accepted_for_nobody += usize::from(!unreached.is_empty() && unreached.is_all_of(body));
            part.unreached.extend(unreached);
            part.receipt.answer = Some(reply.answer.clone());
            part.receipt.msgids.extend(reply.text("msgid"));
            part.receipt.response_code = reply.text("response_code").or_else(|| part.receipt.response_code.take());
        });
    }

    /// WeCom took all requests of a call, `number` counted from 0. Calls after one that it refused do not count: the next
    /// delivery begins at the refused one.
    pub(super) fn count_call(&mut self, index: usize, number: usize) {
        self.with_part(index, |part| part.progress.taken += usize::from(part.progress.taken == number));
    }

    /// A conversation refused its call: the others may take theirs.
    pub(super) fn refused_by(&mut self, index: usize, body: &Value, failed: FailedRequest) {
        self.with_part(index, |part| {
            part.progress.state = PartState::Pending;
            part.unreached.extend(UnreachedRecipients::users(aibot::ids(body)));
            part.receipt.answer = failed.error.answer().cloned().or_else(|| part.receipt.answer.take());
            part.refusals.push(failed);
        });
    }

    /// If every conversation refused its call, the part failed. `before` is how many calls were taken before this process.
    pub(super) fn judge_refusals(&mut self, index: usize, before: usize) {
        self.with_part(index, |part| {
            if part.accepted == 0 && before == 0 && part.failures.is_empty() && !part.refusals.is_empty() {
                part.progress = PartProgress { state: PartState::Refused, taken: 0 };
                part.failures.extend(part.refusals.pop());
            }
        });
    }

    /// A call, or the upload before it, failed.
    pub(super) fn failed(&mut self, index: usize, failed: FailedRequest) {
        self.with_part(index, |part| {
            part.progress.state = match failed.error.status() {
                Status::Unknown => PartState::Unknown,
                Status::Refused => PartState::Refused,
                _ => PartState::Pending,
            };
            part.unreached.extend(failed.unreached.clone());
            part.receipt.answer = failed.error.answer().cloned().or_else(|| part.receipt.answer.take());
            part.failures.push(failed);
        });
    }

    /// Saves how far a part has come that takes `calls`. An entry that is complete is about to be removed, and not saved.
    pub(super) async fn settle(&mut self, index: usize, calls: usize) {
        self.with_part(index, |part| {
            if part.progress.taken >= calls {
                part.progress.state = PartState::Sent;
            }
        });
        if self.entry.is_some() && !self.progress().is_complete() {
            self.save().await;
        }
    }

    /// Nothing more is done for a part.
    pub(super) fn close(&mut self, index: usize) {
        self.with_part(index, |part| part.is_closed = true);
    }

    /// Leaves the entry waiting, with the result of the attempt.
    pub(crate) async fn wait(&mut self, outcome: &Outcome) -> Result<()> {
        let progress = self.progress_after(outcome);
        self.finish(move |mut entry| entry.save(progress)).await
    }

    /// Moves the entry to the failed ones, with the error of its last attempt and, where that alone is no reason, with
    /// `why`. Where that fails (exit 3), it still waits.
    pub(crate) async fn give_up(&mut self, outcome: &Outcome, why: Option<&str>) -> Result<()> {
        let mut progress = self.progress_after(outcome);
        if let Some(why) = why {
            let last = progress.message.take().unwrap_or_default();
            progress.message = Some(format!("{why}; the last try failed: {last}"));
        }
        self.finish(move |entry| entry.fail(&progress)).await
    }

    /// Removes the entry, if there is one: nothing is to be delivered any more. Where that fails (exit 3), it still waits.
    pub(crate) async fn done(&mut self) -> Result<()> {
        self.with(|target| target.outbox_id = None);
        match (&self.outbox, self.entry.take()) {
            (Some(outbox), Some(entry)) => Box::pin(outbox.remove(entry)).await,
            (None, Some(entry)) => to_the_end(move || entry.done()).await?,
            (_, None) => Ok(()),
        }
    }

    async fn finish(&mut self, work: impl FnOnce(ClaimedEntry) -> Result<()> + Send + 'static) -> Result<()> {
        match self.entry.take() {
            Some(entry) => to_the_end(move || work(entry)).await?,
            None => Ok(()),
        }
    }

    /// The progress of the entry as it is now.
    fn progress(&self) -> EntryProgress {
        let (attempts, parts) =
            self.with(|target| (target.attempts, target.parts.iter().map(|part| part.progress).collect()));
        EntryProgress { attempts: self.before.attempts.saturating_add(attempts), parts, ..self.before.clone() }
    }

    fn progress_after(&self, outcome: &Outcome) -> EntryProgress {
        let mut progress = self.progress();
        progress.stop();
        progress.may_have_arrived |= outcome.shortfall.is_some_and(|shortfall| shortfall.may_have_arrived);
        if outcome.shortfall.is_some_and(|shortfall| shortfall.may_be_its_own) {
            // A failed upload is a try too.
            progress.last_attempt_ms = Some(now_ms());
        }
        if let Some(error) = &outcome.error {
            progress.note(error);
        }
        progress
    }

    /// Saves the progress. If that fails, a part may be sent twice, which is better than not at all.
    async fn save(&mut self) {
        let progress = self.progress();
        let Some(mut entry) = self.entry.take() else { return };
        let saving = move || {
            let _ = entry.save(progress);
            entry
        };
        self.entry = to_the_end(saving).await.ok();
    }

    pub(super) fn set_state(&mut self, index: usize, state: PartState) {
        self.with_part(index, |part| part.progress.state = state);
    }

    fn with_part<T>(&self, index: usize, work: impl FnOnce(&mut PartAccount) -> T) -> Option<T> {
        self.with(|target| target.parts.get_mut(index).map(work))
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut TargetAccount) -> T) -> T {
        work(&mut self.accounts.lock()[self.index])
    }
}

impl TargetAccount {
    /// Whether nothing more is tried for it.
    pub(super) fn is_stopped(&self) -> bool {
        self.parts.iter().any(PartAccount::stops_the_rest)
    }
}

impl PartAccount {
    fn new(part: &Part, before: PartProgress) -> Self {
        let was_sent = before.state == PartState::Sent;
        let receipt = Receipt::new(part.kind, Status::Skipped, None);
        let state = if was_sent { PartState::Sent } else { PartState::Pending };
        Self {
            receipt: Receipt { name: part.file_name(), task_id: part.task_id(), ..receipt },
            progress: PartProgress { state, ..before },
            was_sent,
            is_closed: was_sent,
            accepted: 0,
            accepted_for_nobody: 0,
            unreached: UnreachedRecipients::default(),
            failures: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// It is sent once more, to others.
    fn reopen(&mut self, moved: &[String]) {
        self.progress = PartProgress::default();
        (self.was_sent, self.is_closed) = (false, false);
        self.unreached.take_back(moved);
        self.failures.clear();
    }

    /// Whether the remaining parts would fail too. A refusal, or a file that cannot be sent, concerns only this part.
    fn stops_the_rest(&self) -> bool {
        self.failures.iter().any(|failed| {
            let status = failed.error.status();
            let is_about_the_file =
                self.receipt.kind == PartKind::Attachment && matches!(status, Status::Config | Status::Usage);
            status != Status::Refused && !is_about_the_file
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::delivery::interrupted;
    use crate::error::{Answer, Error, Signal};

    fn told(sends: bool, accounts: &Accounts) -> (String, String) {
        let outcome = interrupted(Signal::Terminate, sends, false, accounts);
        assert_eq!(outcome.exit_code(), 143);
        let error = outcome.error.unwrap();
        (error.message().to_owned(), error.hint().unwrap().to_owned())
    }

    fn account(accounts: &Accounts, parts: usize) -> Account {
        let mut account = accounts.open(None, Channel::Webhook);
        account.expect(&vec![Part::message(json!({ "msgtype": "text" })); parts]);
        account
    }

    fn reply(invaliduser: &str) -> Reply {
        let mut fields = Map::new();
        fields.insert("invaliduser".to_owned(), json!(invaliduser));
        Reply { answer: Answer { errcode: 0, errmsg: "ok".to_owned() }, fields }
    }

    #[tokio::test]
    async fn a_stopped_command_reports_what_was_delivered() {
        let accounts = Accounts::default();
        let nothing = "stopped by SIGTERM: nothing had been sent".to_owned();
        assert_eq!(told(true, &accounts), (nothing.clone(), "send it again".to_owned()));
        assert_eq!(told(false, &accounts), (nothing, "run it again".to_owned()));
        let mut two = account(&accounts, 2);
        two.begin(0).await;
        assert!(told(true, &accounts).0.ends_with("the request was under way, no answer had come"));
        two.end(0).await;
        assert!(told(true, &accounts).0.ends_with("nothing had been delivered"));
        two.failed(0, FailedRequest::before_request(Error::new(Status::Refused, "no")));
        two.close(0);
        assert!(told(true, &accounts).0.ends_with("nothing had been delivered"));
        two.begin(1).await;
        two.failed(1, FailedRequest::before_request(Error::new(Status::Unknown, "no answer")));
        two.close(1);
        assert!(told(true, &accounts).1.contains("may have arrived"));
        for invaliduser in ["", "lisi"] {
            let accounts = Accounts::default();
            let mut one = account(&accounts, 1);
            one.begin(0).await;
            one.arrived(0, &reply(invaliduser), &json!({}));
            assert!(told(true, &accounts).0.ends_with("some recipients had got it"));
            one.close(0);
            assert!(told(true, &accounts).0.ends_with("the message had been delivered"), "{invaliduser}");
        }
    }
}
