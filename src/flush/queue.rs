//! Delivers the entries of the outbox one after the other, tells an entry's own failure from its target's, and settles each.

mod joined;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::blocking::{off_loop, to_the_end};
use crate::clock::{self, at_ms};
use crate::config::TargetName;
use crate::delivery::{Courier, DelayMark, RetryPolicy, Shortfall};
use crate::error::{Error, Result, Status};
use crate::message::{Part, PartState};
use crate::outbox::{ClaimError, ClaimedEntry, EntryProgress, Outbox, StoredAlert};
use crate::send::{PeopleMessage, Session, Target};

/// From this age on, an alert says that it is late.
const LATE: Duration = Duration::from_secs(60);

/// The state of a flush.
pub(super) struct Flush<'s, 'c> {
    session: &'s mut Session<'c>,
    outbox: Arc<Outbox>,
    deadline: Instant,
    /// No retries, and no waiting for the rate limit: the flush follows another command.
    pub(super) is_brief: bool,
    /// Those that the user wants to have tried again, however old they are.
    pub(super) revived: Vec<String>,
    /// Whether what waits for one target is joined.
    pub(super) joins: bool,
    /// Each target that there were entries for, with its courier.
    targets: HashMap<TargetKey, (Target, Box<Courier>)>,
    /// Targets that cannot be reached: their later entries wait too.
    stuck: HashSet<String>,
    /// The failures of each target since it last took an entry, that may have been the entries' own: see [`Flush::judge`].
    doubts: HashMap<String, HashSet<(&'static str, Option<i64>)>>,
    /// The target that the last entry raised a doubt about.
    doubted: Option<String>,
    /// Target and last try of all entries, once that is needed.
    known: Option<HashMap<String, (String, u64)>>,
    report: FlushReport,
}

/// The results of a flush.
#[derive(Default)]
pub(super) struct FlushReport {
    pub(super) delivered: usize,
    /// Why entries were moved to those that are not tried any more, one sentence each.
    pub(super) given_up: Vec<String>,
    /// The ids of those of them that another try cannot send.
    pub(super) damaged: Vec<String>,
    /// What went wrong with delivered entries, one sentence each.
    pub(super) partial: Vec<String>,
    /// Numbers and addresses without a userid.
    pub(super) unresolved: Vec<String>,
    /// Send requests.
    pub(super) attempts: u32,
    /// Why entries stay, one sentence each.
    pub(super) stayed: Vec<String>,
    /// Whether some of them fail for another reason than before.
    pub(super) has_news: bool,
    /// How many entries were tried and stay.
    tried: usize,
}

/// The target of an entry, and the agent that its payload brought.
type TargetKey = (String, Option<i64>);

/// The result for one entry.
enum EntryEnd {
    Delivered,
    GivenUp(String),
    /// It was given up, and another try would end in the same way.
    Damaged(String),
    /// It still waits, and why.
    Waits(String),
    /// Another process has claimed it.
    Gone,
}

impl<'s, 'c> Flush<'s, 'c> {
    pub(super) fn new(session: &'s mut Session<'c>, outbox: Arc<Outbox>, deadline: Instant) -> Self {
        Self {
            session,
            outbox,
            deadline,
            is_brief: false,
            revived: Vec::new(),
            joins: false,
            targets: HashMap::new(),
            stuck: HashSet::new(),
            doubts: HashMap::new(),
            doubted: None,
            known: None,
            report: FlushReport::default(),
        }
    }

    /// Delivers entries in order, until so many have been tried. Which ones are passed over: see [`Flush::judge`].
    pub(super) async fn deliver(mut self, ids: Vec<String>, most: usize) -> FlushReport {
        let mut queue = VecDeque::from(ids);
        if self.joins {
            Box::pin(self.deliver_digests(&mut queue)).await;
        }
        while self.report.delivered + self.report.given_up.len() + self.report.tried < most {
            let Some(id) = queue.pop_front() else { break };
            match self.deliver_one(&id, queue.is_empty()).await {
                EntryEnd::Delivered => self.report.delivered += 1,
                EntryEnd::GivenUp(reason) => self.report.given_up.push(format!("{id}: {reason}")),
                EntryEnd::Damaged(reason) => {
                    self.report.given_up.push(format!("{id}: {reason}"));
                    self.report.damaged.push(id);
                }
                EntryEnd::Waits(reason) => self.report.stayed.push(format!("{id}: {reason}")),
                EntryEnd::Gone => {}
            }
            if let Some(target) = self.doubted.take() {
                self.bring_forward(&target, &mut queue).await;
            }
        }
        self.report
    }

    /// What a failed try of an entry means for the others that wait for the same target. This is the rule:
    ///
    /// - What shows that the target cannot be reached (no connection, no token, no permit, missing credentials, no time)
    ///   stops it: its other entries wait for the next flush. They would fail in the same way, or arrive out of order.
    /// - Any other failure may be the entry's own: a filter that does not like its text, a part that is too large. So the
    ///   next one is tried, and that is the one whose last try is longest ago, so that a later flush tries others than this
    ///   one did. If it is taken, the failure was the entry's own, and all goes on in order.
    /// - If it fails too, with the same status and errcode, the target is taken for the cause and stops.
    ///
    /// So a target that takes nothing is tried once for each kind of failure, and once more.
    fn judge(&mut self, target: &str, failure: Shortfall, errcode: Option<i64>) {
        self.report.tried += 1;
        let seen = self.doubts.entry(target.to_owned()).or_default();
        if failure.may_be_its_own && seen.insert((failure.status.as_str(), errcode)) {
            self.doubted = Some(target.to_owned());
        } else {
            self.stuck.insert(target.to_owned());
        }
    }

    /// Moves that entry to the front which waits for this target and was tried longest ago.
    async fn bring_forward(&mut self, target: &str, queue: &mut VecDeque<String>) {
        if self.known.is_none() {
            let outbox = Arc::clone(&self.outbox);
            let last_tries = move || {
                let entries = outbox.waiting().into_iter().flatten().flatten();
                let last_try = |(entry, progress): (StoredAlert, EntryProgress)| {
                    let at = progress.last_attempt_ms.unwrap_or(entry.queued_at_ms);
                    let target = target_of(&entry);
                    (entry.id, (target, at))
                };
                entries.map(last_try).collect()
            };
            self.known = Some(off_loop(last_tries).await.unwrap_or_default());
        }
        let known = self.known.iter().flatten().collect::<HashMap<_, _>>();
        let last_try = |id: &String| known.get(id).filter(|(its, _)| its == target).map(|(_, at)| *at);
        let candidates = queue.iter().enumerate().filter_map(|(index, id)| Some((last_try(id)?, index)));
        if let Some((_, index)) = candidates.min()
            && let Some(id) = queue.remove(index)
        {
            queue.push_front(id);
        }
    }

    async fn deliver_one(&mut self, id: &str, is_last: bool) -> EntryEnd {
        if Instant::now() >= self.deadline {
            return EntryEnd::Waits("the deadline came before its turn".to_owned());
        }
        let (outbox, name) = (Arc::clone(&self.outbox), id.to_owned());
        let stuck = self.stuck.clone();
        let claiming = move || {
            let claimed = outbox.claim(&name)?;
            let target = target_of(&claimed.alert);
            let parts = (!stuck.contains(&target)).then(|| claimed.parts());
            Ok((claimed, target, parts))
        };
        let (claimed, target, parts) = match off_loop(claiming).await.unwrap_or_else(|error| Err(error.into())) {
            Ok(claimed) => claimed,
            Err(ClaimError::Busy) => return EntryEnd::Waits("it is being sent right now".to_owned()),
            Err(ClaimError::Gone) => return EntryEnd::Gone,
            Err(ClaimError::Damaged(unread)) if unread.can_be_revived() => return EntryEnd::GivenUp(unread.reason()),
            Err(ClaimError::Damaged(unread)) => return EntryEnd::Damaged(unread.reason()),
            Err(ClaimError::Failed(error)) => return self.waits_by_fault(&error),
        };
        let Some(parts) = parts else {
            return EntryEnd::Waits("those before it for the same target wait too".to_owned());
        };
        let delivered = self.deliver_claimed(claimed, parts, &target, is_last).await;
        delivered.unwrap_or_else(|error| self.waits_by_fault(&error))
    }

    /// What it waits for is wrong on this machine, and is told each time.
    fn waits_by_fault(&mut self, error: &Error) -> EntryEnd {
        self.report.has_news = true;
        EntryEnd::Waits(error.message().to_owned())
    }

    /// The error is why it waits on, where that is not its target's failure.
    async fn deliver_claimed(
        &mut self,
        mut claimed: ClaimedEntry,
        parts: Result<Vec<Part>>,
        target: &str,
        is_last: bool,
    ) -> Result<EntryEnd> {
        let is_revived = self.revived.contains(&claimed.alert.id);
        // What is unknown of it stands there when it was being given up and the process was killed.
        let may_have_arrived =
            claimed.progress.has(PartState::UnderWay) || (claimed.progress.has(PartState::Unknown) && !is_revived);
        if claimed.alert.at_most_once && may_have_arrived {
            let reason = "it may have arrived, and must not arrive twice";
            return Ok(EntryEnd::GivenUp(give_up(claimed, reason.to_owned()).await?));
        }
        let parts = match parts {
            Err(error) if error.status() == Status::Refused => {
                return Ok(EntryEnd::Damaged(give_up(claimed, error.message().to_owned()).await?));
            }
            parts => parts?,
        };
        let key = (target.to_owned(), crate::send::agent_id(&parts));
        let (mut target, mut courier) = match self.targets.remove(&key) {
            Some(known) => known,
            None => match self.reach(&claimed.alert, key.1).await {
                Ok(reached) => reached,
                Err(error) => {
                    self.stuck.insert(key.0);
                    let mut progress = claimed.progress.clone();
                    progress.note(&error);
                    self.report.has_news |= !progress.fails_like(&claimed.progress);
                    to_the_end(move || claimed.save(progress)).await??;
                    return Ok(EntryEnd::Waits(error.message().to_owned()));
                }
            },
        };
        courier.policy = self.policy(&target, &claimed.alert);
        // What met with silence the last time must not use up the time of those after it.
        let is_doubtful = claimed.progress.status.as_deref() == Some(Status::Unknown.as_str()) && !is_last;
        let left = self.deadline.saturating_duration_since(Instant::now());
        courier.set_deadline(if is_doubtful { self.deadline - left / 2 } else { self.deadline });
        let end = self.send(&mut courier, &parts, claimed, &mut target, &key.0).await;
        self.targets.insert(key, (target, courier));
        end
    }

    /// An entry's target: its profile as it is now, or the credentials of the environment if they are still those of the
    /// entry. With its courier.
    async fn reach(&mut self, entry: &StoredAlert, agent_id: Option<i64>) -> Result<(Target, Box<Courier>)> {
        let session = &mut *self.session;
        let mut target = match &entry.profile {
            Some(profile) => {
                let name = TargetName { profile: profile.clone(), channel: Some(entry.channel) };
                session.further_target(&name, "the entry")?
            }
            None => session.own_target(entry.channel),
        };
        target.deadline = self.deadline;
        if let Some(expected) = &entry.target
            && target.identity(agent_id).await? != *expected
        {
            return Err(Error::config(
                "it is for another target than the current credentials",
                "flush it with the environment that it was sent with",
            ));
        }
        target.require_credentials(agent_id)?;
        let courier = target.courier(agent_id).await?;
        Ok((target, courier))
    }

    fn policy(&self, target: &Target, entry: &StoredAlert) -> RetryPolicy {
        let policy = RetryPolicy { at_most_once: entry.at_most_once, level: entry.level, ..target.policy() };
        if self.is_brief { RetryPolicy { retries: 0, wait_for_rate: false, ..policy } } else { policy }
    }

    /// Sends what is left of an entry, and settles it.
    async fn send(
        &mut self,
        courier: &mut Courier,
        parts: &[Part],
        claimed: ClaimedEntry,
        target: &mut Target,
        key: &str,
    ) -> Result<EntryEnd> {
        let max_age = self.session.settings.outbox_max_age;
        // A flush after a send gives an entry little time: it decides nothing.
        let is_too_old =
            since(claimed.alert.queued_at_ms) > max_age && !self.is_brief && !self.revived.contains(&claimed.alert.id);
        let mark = mark_of(&claimed.alert, &claimed.progress);
        let StoredAlert { id, at_most_once, markable, language, .. } = &claimed.alert;
        let (id, at_most_once, may_edit, language) = (id.clone(), *at_most_once, *markable, *language);
        let (before, people) = (claimed.progress.clone(), claimed.alert.people.clone());
        let mut account = self.session.accounts.open(target.settings.profile.as_deref(), target.channel);
        account.keep_cards(claimed.alert.card_data.clone().unwrap_or_default());
        account.resume(claimed, mark.clone());
        let mark = mark.map(|text| DelayMark { text, language, may_edit });
        let message = PeopleMessage { parts, people: &people, mark: mark.as_ref() };
        let told = target.warnings.len();
        let outcome = message.send(target, courier, &mut account).await;
        self.session.warnings.extend(target.warnings.drain(told..));
        self.report.unresolved.extend_from_slice(outcome.unreached.people());
        self.report.attempts += outcome.attempts;
        let reason = outcome.error.as_ref().map_or(String::new(), |error| error.message().to_owned());
        if outcome.shortfall.is_none() && !outcome.reached_nobody {
            if outcome.error.is_some() {
                self.report.partial.push(format!("{id}: {reason}"));
            }
            if let Err(error) = account.done().await {
                self.report.partial.push(format!("{id}: it was delivered but cannot be removed: {error}"));
            }
            self.doubts.remove(key);
            return Ok(EntryEnd::Delivered);
        }
        match outcome.shortfall {
            // A wrong setting is not the fault of the alert: it waits until that is corrected, here or in the admin
            // console.
            Some(shortfall)
                if shortfall.may_wait(at_most_once) || matches!(shortfall.status, Status::Config | Status::Auth) =>
            {
                let mut progress = before.clone();
                outcome.error.iter().for_each(|error| progress.note(error));
                self.report.has_news |= !progress.fails_like(&before);
                // That people cannot be looked up says nothing about other messages.
                if shortfall.may_be_its_own && !outcome.unreached.people().is_empty() {
                    self.report.tried += 1;
                } else {
                    self.judge(key, shortfall, outcome.answer.as_ref().map(|answer| answer.errcode));
                }
                // It could go out now, and did not. As long as its target cannot be reached it does not get too old.
                if is_too_old && shortfall.may_be_its_own {
                    let why = format!("it is older than {max_age:?}, the outbox_max_age");
                    account.give_up(&outcome, Some(&why)).await?;
                    return Ok(EntryEnd::GivenUp(format!("{why}, and its last try failed: {reason}")));
                }
                account.wait(&outcome).await?;
                Ok(EntryEnd::Waits(reason))
            }
            _ => {
                self.doubts.remove(key);
                account.give_up(&outcome, None).await?;
                Ok(EntryEnd::GivenUp(reason))
            }
        }
    }
}

/// Gives one up that is not tried any more, and returns why.
async fn give_up(claimed: ClaimedEntry, reason: String) -> Result<String> {
    let mut progress = claimed.progress.clone();
    progress.stop();
    progress.note(&Error::new(Status::Refused, reason.as_str()));
    to_the_end(move || claimed.fail(&progress)).await??;
    Ok(reason)
}

fn target_of(entry: &StoredAlert) -> String {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{} {} {}", entry.channel, of(&entry.profile), of(&entry.target))
}

/// The line that a late alert begins with. If WeCom may know the alert already and drops a repeat within the interval,
/// it is sent unchanged: with the line of the attempt before, or without one.
fn mark_of(entry: &StoredAlert, progress: &EntryProgress) -> Option<String> {
    let may_be_known = progress.may_have_arrived || progress.has(PartState::UnderWay);
    let last = progress.last_attempt_ms.unwrap_or(entry.queued_at_ms);
    if may_be_known && entry.duplicate_check_s.is_some_and(|interval| since(last).as_secs() < interval) {
        return progress.mark.clone();
    }
    let age = since(entry.queued_at_ms);
    let words = entry.language.words();
    let at = || clock::wall(at_ms(entry.queued_at_ms));
    (age >= LATE).then(|| (words.delayed)(&clock::span(age, &words.units), &at()))
}

fn since(ms: u64) -> Duration {
    SystemTime::now().duration_since(at_ms(ms)).unwrap_or_default()
}
