//! A message for one target, or for the fallback: stores it in the outbox if that is wanted, attempts delivery, and
//! updates the outbox after that.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::blocking::{off_loop, to_the_end};
use crate::cards::CardData;
use crate::clock::now_ms;
use crate::config::TargetName;
use crate::delivery::{Account, Courier, Outcome, Receipt};
use crate::error::{Error, Result, Status};
use crate::message::media::wire_filename;
use crate::message::{Part, PartKind};
use crate::outbox::{ClaimedEntry, GroupedOutbox, NotStored, Outbox, StoredAlert};
use crate::shared_state::Namespace;
use crate::store::Folder;
use crate::words::MissingFile;

use super::couriers::Couriers;
use super::draft::Draft;
use super::parts::make_parts;
use super::payload::agent_id;
use super::people::PeopleMessage;
use super::roster::{self, Roster};
use super::session::Session;
use super::target::{LostPart, Target, require_state_of};

/// A message for one target, ready to be sent.
pub(super) struct TargetMessage {
    pub(super) target: Target,
    parts: Vec<Part>,
    account: Account,
    /// Whether a line may be put before its text: a payload is never edited.
    may_edit: bool,
    courier: Option<Box<Courier>>,
}

/// The outcome for a target, and what the report and the session need of it.
pub(super) struct Delivered {
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<String>,
    /// The courier that was used, for further messages to that target, and what it is made of.
    pub(super) courier: Option<(String, Box<Courier>)>,
}

impl TargetMessage {
    pub(super) fn new(session: &Session<'_>, mut target: Target, parts: Vec<Part>, draft: &Draft) -> Box<Self> {
        target.level = draft.level();
        let mut account = session.accounts.open(target.settings.profile.as_deref(), target.channel);
        account.expect(&parts);
        Box::new(Self { target, parts, account, may_edit: !draft.is_payload(), courier: None })
    }

    /// The message for a further target; `option` is what named the target.
    pub(super) async fn further(
        session: &Session<'_>,
        name: &TargetName,
        option: &str,
        draft: &Draft,
        lead: Option<&str>,
    ) -> Result<Box<Self>> {
        let mut target = session.further_target(name, option)?;
        if let Some(program) = roster::program_for(draft.payload(), &mut target) {
            let limit = roster::patience(target.deadline.saturating_duration_since(Instant::now()));
            let roster = off_loop(move || Roster::ask(&program, limit)).await?;
            let warning = roster::settle(roster, &mut target.settings)?;
            target.warnings.extend(warning);
        }
        let parts = make_parts(draft, &mut target, lead)?;
        let mut message = Self::new(session, target, parts, draft);
        message.keep_cards(draft);
        Ok(message)
    }

    /// Keeps its cards with something to press once they are sent, with what they are made of.
    pub(super) fn keep_cards(&mut self, draft: &Draft) {
        self.account.keep_cards(draft.card_data.clone());
    }

    /// Its part of what several machines share; `None` where they share nothing, and where its credential cannot be read,
    /// which the attempt will say.
    pub(super) async fn namespace(&self) -> Option<Namespace> {
        let state = self.target.shared_state()?;
        Some(self.target.log_in(agent_id(&self.parts)).await.ok()?.namespace(state))
    }

    pub(super) fn is_stored(&self) -> bool {
        self.account.entry.is_some()
    }

    /// Stores the message in the outbox, if that is wanted, and lets the entry replace the one stored before.
    ///
    /// That it cannot be stored, for whatever reason, is a warning: an alert about a disk must not be lost to that disk. A
    /// file that cannot be read is left out.
    pub(super) async fn store(&mut self) {
        let stored = Box::pin(self.new_entry()).await;
        let entry = stored.unwrap_or_else(|error| {
            let hint = error.hint().unwrap_or_default();
            self.warn(format!("{error}; the alert is sent without being stored: {hint}"));
            None
        });
        if let Some(before) = self.account.follow(entry) {
            let id = before.alert.id.clone();
            if let Err(error) = to_the_end(move || before.done()).await.flatten() {
                self.warn(format!("entry {id} of the outbox was replaced but cannot be removed: {error}"));
            }
        }
    }

    async fn new_entry(&mut self) -> Result<Option<ClaimedEntry>> {
        let Self { target, parts, .. } = self;
        if !target.settings.outbox {
            return Ok(None);
        }
        let state = require_state_of(&target.settings)?;
        // The profile names the target; for credentials of the environment its fingerprint does.
        let (profile, fingerprint) = match &target.settings.profile {
            Some(profile) if !target.is_by_environment() => (Some(profile.clone()), None),
            _ => match target.identity(agent_id(parts)).await {
                Ok(fingerprint) => (None, Some(fingerprint)),
                // The attempt will fail for the same reason, and say so.
                Err(_) => return Ok(None),
            },
        };
        let alert = StoredAlert {
            id: String::new(),
            channel: target.channel,
            profile,
            target: fingerprint,
            at_most_once: target.settings.at_most_once,
            duplicate_check_s: duplicate_check(parts),
            markable: self.may_edit,
            language: target.settings.language,
            level: target.level,
            queued_at_ms: now_ms(),
            people: target.people.clone(),
            card_data: self.account.card_data().filter(|data| **data != CardData::default()).cloned(),
            parts: Vec::new(),
        };
        let outbox = Stores::open(&self.target.couriers, state).await?;
        loop {
            match outbox.accept(alert.clone(), &self.parts).await? {
                Ok(entry) => {
                    self.account.outbox = outbox.for_many();
                    return Ok(Some(entry));
                }
                Err(NotStored::File(index, error)) if self.may_go_without(index) => self.lose(index, error),
                Err(NotStored::File(_, error) | NotStored::Outbox(error)) => return Err(error),
            }
        }
    }

    fn may_go_without(&self, index: usize) -> bool {
        self.parts.len() > 1 && self.parts[index].kind == PartKind::Attachment
    }

    /// Leaves a file out.
    fn lose(&mut self, index: usize, error: Error) {
        let file = Some(self.parts.remove(index).file_name().unwrap_or_default());
        self.target.lost.push(LostPart { file, missing: MissingFile::Unusable, error });
        self.account.expect(&self.parts);
    }

    /// Makes the same message again, with a line before its text. A stored entry is replaced, never missing in between.
    pub(super) async fn lead_with(&mut self, draft: &Draft, lead: &str) -> Result<()> {
        let told = self.target.warnings.len();
        self.parts = make_parts(draft, &mut self.target, Some(lead))?;
        self.target.warnings.truncate(told);
        self.account.expect(&self.parts);
        if self.is_stored() {
            self.store().await;
        }
        Ok(())
    }

    /// Delivers to a target without a fallback.
    pub(super) async fn deliver(mut self: Box<Self>) -> Delivered {
        let outcome = self.attempt().await;
        self.settle(outcome).await
    }

    /// Sends what is left of the message, with retries.
    pub(super) async fn attempt(&mut self) -> Outcome {
        let (couriers, deadline) = (self.target.couriers.clone(), self.target.deadline);
        let turn = if couriers.are_for_many() {
            let name = self.target_name();
            couriers.turn(&name).map(|turn| (name, turn))
        } else {
            None
        };
        let sending = async {
            let agent_id = agent_id(&self.parts);
            self.target.require_credentials(agent_id).map_err(|error| self.target.or_its_chat(error))?;
            let courier = self.courier.insert(self.target.courier(agent_id).await?);
            let people = self.target.people.clone();
            let message = PeopleMessage { parts: &self.parts, people: &people, mark: None };
            Ok(message.send(&mut self.target, courier, &mut self.account).await)
        };
        let Some((name, turn)) = turn else { return Box::pin(sending).await.unwrap_or_else(Outcome::not_delivered) };
        // Without a turn in time the attempt ends for the same reason.
        let held = tokio::time::timeout_at(deadline.into(), turn.lock()).await;
        let outcome = Box::pin(sending).await.unwrap_or_else(Outcome::not_delivered);
        drop(held);
        couriers.end_turn(&name, turn);
        outcome
    }

    /// What tells its target from others: the credential, and the recipients of its first part.
    fn target_name(&self) -> String {
        let body = self.parts.first().map(Part::fields);
        let mut name = self.target.courier_key(agent_id(&self.parts));
        for field in self.target.channel.facts().addressing.fields() {
            name.push('\n');
            name.extend(body.and_then(|body| body.get(field)).and_then(Value::as_str));
        }
        name
    }

    /// Brings the outbox up to date after an attempt, and completes the outcome accordingly.
    pub(super) async fn settle(mut self: Box<Self>, mut outcome: Outcome) -> Delivered {
        if let Some(id) = self.account.entry.as_ref().map(|entry| entry.alert.id.clone()) {
            Box::pin(self.settle_entry(id, &mut outcome)).await;
        }
        self.delivered(outcome)
    }

    async fn settle_entry(&mut self, id: String, outcome: &mut Outcome) {
        let Some(shortfall) = outcome.shortfall else {
            if let Err(error) = self.account.done().await {
                self.warn(format!("entry {id} of the outbox was delivered but cannot be removed: {error}"));
            }
            return;
        };
        let waits = shortfall.may_wait(self.target.settings.at_most_once);
        let kept = match waits {
            true => self.account.wait(outcome).await,
            false => self.account.give_up(outcome, None).await,
        };
        if let Err(error) = kept {
            self.warn(format!("entry {id} of the outbox cannot be brought up to date: {error}"));
        }
        let error = outcome.error.take();
        outcome.error = error.map(|error| if waits { queued(error, &id) } else { given_up(error, &id) });
        outcome.outbox_id = Some(id);
        if waits {
            outcome.status = Status::Queued;
            let parts = outcome.parts.iter_mut();
            parts
                .filter(|part| !matches!(part.status, Status::Sent | Status::Partial | Status::Refused))
                .for_each(|part| part.status = Status::Queued);
        }
    }

    /// Drops the message, which repeats another one, and its entry of the outbox.
    pub(super) async fn hold_back(mut self: Box<Self>) -> Delivered {
        let id = self.account.entry.as_ref().map(|entry| entry.alert.id.clone()).unwrap_or_default();
        if let Err(error) = self.account.done().await {
            self.warn(format!("entry {id} of the outbox is held back but cannot be removed: {error}"));
        }
        self.delivered(Outcome::new(Status::Skipped))
    }

    fn delivered(self: Box<Self>, mut outcome: Outcome) -> Delivered {
        let Self { mut target, courier, .. } = *self;
        outcome.profile.clone_from(&target.settings.profile);
        outcome.channel = Some(target.channel);
        outcome.allow_partial = target.settings.allow_partial;
        if outcome.status != Status::Skipped {
            without(std::mem::take(&mut target.lost), &mut outcome);
        }
        let warnings = std::mem::take(&mut target.warnings);
        let keyed = |courier: Box<Courier>| (target.courier_key(courier.credential_info.agent_id), courier);
        Delivered { outcome, warnings, courier: courier.map(keyed) }
    }

    fn warn(&mut self, warning: String) {
        self.target.warnings.push(warning);
    }
}

/// The outbox of one alert, or of many.
enum Stores {
    One(Arc<Outbox>),
    Many(GroupedOutbox),
}

impl Stores {
    async fn open(couriers: &Couriers, state: Folder) -> Result<Self> {
        if let Some(outbox) = couriers.outbox(&state) {
            return Ok(Self::Many(outbox));
        }
        let place = state.clone();
        let outbox = off_loop(move || Outbox::open(&place)).await??;
        Ok(match couriers.are_for_many() {
            true => Self::Many(couriers.keep_outbox(&state, outbox)),
            false => Self::One(Arc::new(outbox)),
        })
    }

    fn for_many(self) -> Option<GroupedOutbox> {
        match self {
            Self::One(_) => None,
            Self::Many(outbox) => Some(outbox),
        }
    }

    async fn accept(&self, alert: StoredAlert, parts: &[Part]) -> Result<Result<ClaimedEntry, NotStored>> {
        match self {
            Self::One(outbox) => {
                let (outbox, parts) = (Arc::clone(outbox), parts.to_vec());
                to_the_end(move || outbox.accept(alert, &parts)).await
            }
            Self::Many(outbox) => Ok(outbox.accept(alert, parts).await),
        }
    }
}

impl Delivered {
    /// A further target for which no message could be made.
    pub(super) fn unprepared(session: &Session<'_>, name: &TargetName, error: Error) -> Self {
        let (profile, channel) = (Some(name.profile.clone()), session.channel_of(name));
        let outcome = Outcome { profile, channel, ..Outcome::not_delivered(error) };
        Self { outcome, warnings: Vec::new(), courier: None }
    }
}

/// Adds to an outcome that these are missing: what went out, or waits, is only a part then.
fn without(lost: Vec<LostPart>, outcome: &mut Outcome) {
    for LostPart { file, error: why, .. } in lost {
        let name = file.map(|name| wire_filename(&name));
        let receipt = Receipt::new(PartKind::Attachment, why.status(), None);
        let mut told = match &name {
            Some(name) => format!("attachment {name} was left out: {}", why.message()),
            None => format!(
                "the template could not be used, and the alert was sent in the built-in layout: {}",
                why.message()
            ),
        };
        if let Some(error) = &outcome.error {
            told = format!("{}; {told}", error.message());
        }
        let hint = outcome.error.as_ref().unwrap_or(&why).hint().unwrap_or_default().to_owned();
        if matches!(outcome.status, Status::Sent | Status::Queued | Status::Partial) {
            outcome.status = Status::Partial;
        }
        let error = outcome.error.take().unwrap_or(why);
        outcome.error = Some(error.with_status(outcome.status).with_message(told).with_hint(hint));
        outcome.parts.extend(name.map(|name| Receipt { name: Some(name), ..receipt }));
    }
}

/// The error of an alert that waits in the outbox.
fn queued(error: Error, id: &str) -> Error {
    let message = format!("{}; it waits in the outbox as {id}", error.message());
    let hint = "it goes out with the next send that uses the outbox, or with: wecom-alert outbox flush";
    error.with_status(Status::Queued).with_message(message).with_hint(hint)
}

/// The error of an alert that is not tried any more.
fn given_up(error: Error, id: &str) -> Error {
    let message = format!("{}; the outbox keeps it among the failed ones as {id}", error.message());
    let then = "then: wecom-alert outbox flush --failed";
    let hint = error.hint().map_or(then.to_owned(), |hint| format!("{hint}; {then}"));
    error.with_message(message).with_hint(hint)
}

/// The interval in seconds within which WeCom drops a repeat, where the message asks for that; 1800 unless it says
/// otherwise (document path 90236).
fn duplicate_check(parts: &[Part]) -> Option<u64> {
    let body = parts.first()?.fields();
    let is_on = body.get("enable_duplicate_check").and_then(Value::as_i64) == Some(1);
    is_on.then(|| body.get("duplicate_check_interval").and_then(Value::as_u64).unwrap_or(1800))
}
