//! Sends a message to people whose userids are looked up first: by mobile number or mail address.
//!
//! This is the rule: whoever is known gets it. Somebody whom WeCom does not know, or the app may not see, is named, as an
//! invalid recipient is. Somebody who could not be looked up is named too; if the outbox holds the message, it waits there for
//! these people alone. A userid from the cache that WeCom refuses is looked up once more.

use super::parts::add_users;
use super::payload::agent_id;
use super::target::Target;

use crate::api::errcode::NOT_FOUND;
use crate::delivery::{Account, Courier, DelayMark, Outcome, Shortfall, UnreachedRecipients};
use crate::error::{Error, Status};
use crate::lookup::{FoundPeople, FoundPerson, LookUp};
use crate::message::person::Person;
use crate::message::recipients::{ALL, RecipientKind, ids, userid_problem};
use crate::message::{Part, recipients};

/// A message, and the people among its recipients who are looked up.
pub(crate) struct PeopleMessage<'m> {
    pub(crate) parts: &'m [Part],
    pub(crate) people: &'m [Person],
    /// Leads its text, if it is late.
    pub(crate) mark: Option<&'m DelayMark>,
}

impl PeopleMessage<'_> {
    /// Sends it. Without people it is a plain message.
    pub(crate) async fn send(&self, target: &mut Target, courier: &mut Courier, account: &mut Account) -> Outcome {
        let outcome = match self.people {
            [] => courier.send(self.parts, account, self.mark).await,
            _ => Box::pin(self.send_to_people(target, courier, account)).await,
        };
        target.warnings.append(&mut courier.warnings);
        outcome
    }

    async fn send_to_people(&self, target: &mut Target, courier: &mut Courier, account: &mut Account) -> Outcome {
        account.expect(self.parts);
        let login = match target.log_in(agent_id(self.parts)).await {
            Ok(login) => login,
            Err(error) => return Outcome::not_delivered(error),
        };
        let Some(mut look_up) = target.look_up(&login) else {
            return Outcome::not_delivered(Error::defect("people are looked up by an app alone"));
        };
        let is_rest = account.left().is_some();
        let people = account.left().unwrap_or(self.people).to_vec();
        let found = look_up.find_all(courier, &people).await;
        if let Some(why) = found.why.as_ref().filter(|_| courier.token.is_none())
            && matches!(why.status(), Status::Auth | Status::Config)
        {
            // Without a token nothing can be sent either.
            return Outcome::not_delivered(why.clone());
        }
        let has_others = !is_rest && self.parts.first().is_some_and(|part| recipients(part.fields()).next().is_some());
        let outcome = if has_others || !found.known.is_empty() {
            let outcome = self.send_to_known(courier, account, &mut look_up, &found).await;
            self.note_unasked(outcome, account, found).await
        } else {
            self.send_to_nobody(target, courier, account, found).await
        };
        target.warnings.append(&mut look_up.warnings);
        outcome
    }

    /// Sends it to those who were found, and to its other recipients.
    async fn send_to_known(
        &self,
        courier: &mut Courier,
        account: &mut Account,
        look_up: &mut LookUp,
        found: &FoundPeople,
    ) -> Outcome {
        let userids = found.known.iter().map(|(_, userid, _)| userid.as_str());
        let parts = self.addressed(userids, account.left().is_some());
        let outcome = courier.send(&parts, account, self.mark).await;
        account.miss(found.unknown.iter().chain(&found.unasked));
        let is_nobody = outcome.answer.as_ref().is_some_and(|answer| answer.errcode == 81013);
        let was_refused = |userid: &String| {
            let invalid = outcome.unreached.of("invaliduser");
            is_nobody || invalid.iter().any(|id| id.eq_ignore_ascii_case(userid))
        };
        let is_ended = outcome.shortfall.is_none_or(|shortfall| shortfall.status == Status::Refused);
        let refused = found.known.iter().filter(|(_, userid, is_cached)| is_ended && *is_cached && was_refused(userid));
        let (mut moved, mut gone, mut old) = (Vec::new(), Vec::new(), Vec::new());
        for (person, userid, _) in refused {
            match look_up.find(courier, person, Some(userid)).await {
                Ok(FoundPerson::Userid { userid: new, .. }) if !new.eq_ignore_ascii_case(userid) => {
                    moved.push((person.clone(), new));
                }
                Ok(FoundPerson::Nobody(_)) => gone.push(person.clone()),
                // It is the same, or cannot be asked for: WeCom's answer stays.
                Ok(FoundPerson::Userid { .. }) | Err(_) => continue,
            }
            old.push(userid.clone());
        }
        account.miss(&gone);
        if moved.is_empty() {
            return account.outcome();
        }
        let left = moved.iter().map(|(person, _)| person).chain(&found.unasked).cloned().collect();
        account.narrow(left, &old).await;
        let parts = self.addressed(moved.iter().map(|(_, userid)| userid.as_str()), true);
        courier.send_rest(&parts, account, self.mark).await
    }

    /// Says who could not be looked up, and leaves the message in the outbox for these people.
    async fn note_unasked(&self, mut outcome: Outcome, account: &mut Account, found: FoundPeople) -> Outcome {
        let Some(why) = found.why else { return outcome };
        if outcome.shortfall.is_none() {
            outcome.shortfall = Some(waits_for(&why));
            account.narrow(found.unasked, &[]).await;
        }
        let told = outcome.error.as_ref().map_or("", Error::message);
        let message = format!("{told}; they could not be looked up: {why}");
        outcome.error = Some(why.about(outcome.status, message));
        outcome
    }

    /// Nobody was found, and there is nobody else: `to_user` of the settings gets it, if there is one.
    async fn send_to_nobody(
        &self,
        target: &mut Target,
        courier: &mut Courier,
        account: &mut Account,
        found: FoundPeople,
    ) -> Outcome {
        let unresolved = UnreachedRecipients::unresolved(found.unknown.iter().chain(&found.unasked));
        let names = unresolved.people().join(", ");
        let waits = found.why.is_some() && account.entry.is_some();
        // Where others have it, nobody needs to stand in.
        let stand_ins = if account.left().is_none() { stand_ins(target) } else { Vec::new() };
        if !waits && !stand_ins.is_empty() {
            let why = found.why.as_ref().map_or("not found".to_owned(), |why| format!("not looked up: {why}"));
            target.warnings.push(format!("to_user ({}) gets it instead of {names}, {why}", stand_ins.join(", ")));
            let parts = self.addressed(stand_ins.iter().map(String::as_str), true);
            let mut outcome = courier.send(&parts, account, self.mark).await;
            outcome.unreached.extend(unresolved);
            return outcome;
        }
        let outcome = match found.why {
            Some(why) => {
                let error =
                    why.about(why.status(), format!("nobody to send to: {names} could not be looked up: {why}"));
                Outcome { shortfall: Some(waits_for(&why)), ..Outcome::not_delivered(error) }
            }
            None => {
                let message = format!("nobody to send to: {names} {}", not_found(found.unknown.len()));
                Outcome::not_delivered(Error::new(Status::Refused, message).with_hint(NOT_FOUND))
            }
        };
        Outcome { parts: account.outcome().parts, unreached: unresolved, ..outcome }
    }

    /// Its parts for these members, beside its other recipients or for them alone.
    fn addressed<'i>(&self, userids: impl Iterator<Item = &'i str> + Clone, alone: bool) -> Vec<Part> {
        let mut last = None;
        let mut parts = self.parts.to_vec();
        let is_only = parts.len() == 1;
        for part in &mut parts {
            let body = part.fields_mut();
            if alone && let Some(fields) = body.as_object_mut() {
                RecipientKind::ALL.iter().for_each(|kind| drop(fields.shift_remove(kind.as_str())));
            }
            add_users(body, userids.clone());
            if !is_only {
                part.share_body(&mut last);
            }
        }
        parts
    }
}

/// What is said of people whom nobody knows.
pub(super) fn not_found(people: usize) -> &'static str {
    if people == 1 {
        "is not known to WeCom, or not in the app's visible range"
    } else {
        "are not known to WeCom, or not in the app's visible range"
    }
}

/// It may be sent when they can be looked up again; other messages to the same target may be sent now.
fn waits_for(why: &Error) -> Shortfall {
    Shortfall { status: why.status(), may_have_arrived: false, may_be_its_own: true }
}

/// The members of `to_user` who get what is for nobody else.
fn stand_ins(target: &Target) -> Vec<String> {
    let given = target.settings.to.iter().flat_map(|to| &to.stand_ins).flat_map(|value| ids(value));
    let mut ids: Vec<String> =
        given.filter(|id| *id == ALL || userid_problem(id).is_none()).map(str::to_owned).collect();
    if ids.iter().any(|id| id == ALL) {
        ids = vec![ALL.to_owned()];
    }
    ids
}
