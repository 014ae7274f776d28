//! One alert to its targets: read, made into messages, stored if that is wanted, and delivered to the command's own target,
//! to further ones, and to the fallback.
//!
//! The order of work: `read` makes a `Draft` of a [`Request`]; `parts` makes the parts of a message for each target of the
//! draft; `target_message` stores and delivers the parts for one target; `fan_out` does that for all targets; `combine` makes
//! one outcome of theirs.
//!
//! Futures that are rare, or large, are boxed: a future is as large as the largest of those that it waits for, and is copied
//! where it is made.

mod build_alert;
mod by_channel;
mod card;
mod choose_channel;
mod combine;
mod couriers;
mod draft;
mod dry_run;
mod fallback;
mod fan_out;
mod files;
mod login;
mod long_text;
mod mention;
mod msgtype;
mod parts;
mod payload;
mod people;
mod place;
mod press_way;
mod question;
mod read;
mod request;
mod roster;
mod session;
mod source;
mod target;
mod target_courier;
mod target_message;

use crate::api::Client;
use crate::api::errcode::NOT_FOUND;
use crate::channel::{Addressing, Channel};
use crate::delivery::{Outcome, Product, UnreachedRecipients};
use crate::error::{Error, Result, Status};
use crate::fingerprint::sha256;
use crate::lookup::FoundPerson;
use crate::message::person::{Person, PersonKind};
use crate::message::{Finding, Part};
use crate::outbox::Outbox;

pub(crate) use by_channel::{ChannelMessages, UnsentMessage, channels_of, make_for_channels};
pub(crate) use card::{check_card_update, read_card};
pub(crate) use choose_channel::{channel_for_alert, channel_for_question, choose_channel};
pub(crate) use combine::reached_all;
pub(crate) use dry_run::{plan_look_ups, plan_message, plan_requests};
pub(crate) use login::Login;
pub(crate) use long_text::host;
pub(crate) use payload::{agent_id, conversations_of, people_of, recipients_of};
pub(crate) use people::PeopleMessage;
pub(crate) use place::{Place, ProfileAndChannel};
pub(crate) use press_way::PressWay;
pub(crate) use question::{Appearance, Dispatched, QuestionDraft, read_question};
pub use request::{AlertFields, JsonInput, MessageInput, Request, UploadRequest};
pub(crate) use roster::{Roster, patience as roster_patience, settle as settle_roster};
pub(crate) use session::without_ca_file;
pub use session::{LoggedMessage, Session};
pub(crate) use target::Target;

use draft::Draft;
use fan_out::FanOut;
use parts::make_parts;
use read::read;

/// Sends a message to the command's own target and to further ones, and to the fallback if the own target fails.
///
/// # Errors
///
/// Usage, where the request breaks a rule; exit 3, where settings or files cannot be used. What WeCom or the network
/// says is in the outcome.
pub async fn send(session: &mut Session<'_>, request: Request) -> Result<Outcome> {
    let channel = request.channel;
    let ci = session.ci_context(&request)?;
    let has_program = session.settings.to.as_ref().is_some_and(|to| to.to_user_command.is_some());
    let is_at_hand = request.is_at_hand() && !has_program;
    let reading = session.read_input_if(channel, is_at_hand, move |target| {
        let Some(draft) = read(&request, target, ci.as_ref())? else { return Ok(None) };
        if let Some(program) = roster::program_for(draft.payload(), target) {
            // The clock of the deadline starts when all is read.
            let limit = roster::patience(target.settings.deadline);
            let warning = roster::settle(Roster::ask(&program, limit), &mut target.settings)?;
            target.warnings.extend(warning);
        }
        make_own_parts(draft, target).map(Some)
    });
    let (target, Some((draft, parts))) = reading.await? else { return Ok(Outcome::new(Status::Skipped)) };
    if session.settings.log_file.is_some() {
        let text = draft.text().map(|text| (text.len(), sha256(text.as_bytes())));
        session.logged = Some(LoggedMessage { msgtype: draft.type_name().to_owned(), text });
    }
    if session.settings.dry_run {
        return Box::pin(dry_run::of_message(session, target, &draft, &parts)).await;
    }
    // Else it is not known that there is no fallback until one is needed.
    if let Some(name) = &session.settings.fallback {
        session.warnings.extend(match session.further_target(name, "--fallback") {
            Ok(fallback) => fallback.warnings,
            Err(error) => vec![format!("the fallback cannot be used: {error}")],
        });
    }
    let fan_out = Box::pin(FanOut::prepare(session, target, &draft, parts)).await;
    Box::pin(fan_out.send(session, &draft)).await
}

/// Warns of what an alert would lack: the outbox, or further targets.
pub(crate) fn warn_of_what_lacks(session: &mut Session<'_>) {
    if session.settings.outbox
        && let Err(error) = session.require_state().and_then(|state| Outbox::open(&state))
    {
        let hint = error.hint().unwrap_or_default();
        session.warnings.push(format!("{error}; an alert would be sent without being stored: {hint}"));
    }
    let lacking = missing_targets(session);
    session.warnings.extend(lacking);
}

/// The further targets that cannot be reached, as far as the settings say, one sentence each.
pub(crate) fn missing_targets(session: &Session<'_>) -> Vec<String> {
    let further = session.settings.also.iter().map(|name| (name, "--also"));
    let fallback = session.settings.fallback.iter().map(|name| (name, "--fallback"));
    let lacking = further.chain(fallback).filter_map(|(name, option)| {
        session.further_target(name, option).and_then(|target| target.check_credential_file()).err()
    });
    lacking.map(|error| format!("{error}; an alert would not reach it")).collect()
}

/// The recipients who would not get a message, as far as can be known before it is made, one sentence each.
///
/// # Errors
///
/// Exit 3 where nobody would.
pub(crate) fn missing_recipients(mut target: Target) -> Result<Vec<String>> {
    if target.channel.facts().addressing != Addressing::Recipients {
        return Ok(Vec::new());
    }
    let impossible = target.settings.to.as_ref().and_then(payload::impossible_person);
    Ok(impossible.into_iter().chain(roster::look_before(&mut target.settings)?).collect())
}

/// Makes a message that is not sent, to find out whether it can be made. Fails as [`send`] does.
pub(crate) fn rehearse(session: &mut Session<'_>, request: &Request) -> Result<()> {
    let mut target = session.own_target(request.channel);
    if let Some(draft) = read(request, &mut target, None)? {
        make_own_parts(draft, &mut target)?;
    }
    session.warnings.append(&mut target.warnings);
    Ok(())
}

/// The parts for the command's own target, and their draft, which may have got another type.
fn make_own_parts(draft: Draft, target: &mut Target) -> Result<(Draft, Vec<Part>)> {
    let (draft, parts) = match make_parts(&draft, target, None) {
        Ok(parts) => (draft, parts),
        Err(error) => {
            let draft = draft.into_best_type(error, target)?;
            let parts = make_parts(&draft, target, None)?;
            (draft, parts)
        }
    };
    Ok((draft, parts))
}

/// Refuses options that contradict each other about where a message comes from.
pub(crate) fn check_sources(input: &MessageInput) -> Result<()> {
    source::MessageSource::of(input).map(drop)
}

/// Uploads a file for a media_id.
///
/// # Errors
///
/// Usage, where it breaks a rule; else what the upload failed of.
pub async fn upload_media(session: &mut Session<'_>, request: UploadRequest) -> Result<Outcome> {
    let channel = choose_channel(&session.settings, request.channel)?;
    let reading = session.read_input(channel, move |target| files::open_upload(&request, target));
    let (target, (kind, file)) = reading.await?;
    if session.settings.dry_run {
        let plan = |client: &Client| vec![dry_run::plan_upload(client, channel, kind, &file)];
        return plan_requests(session, target, plan).await;
    }
    let mut courier = session.own_courier(target).await?;
    let uploaded = courier.upload(kind, &file).await.map_err(|failed| failed.error)?;
    let product = Product::Media { media_id: uploaded.media_id, kind: uploaded.kind, created_at: uploaded.created_at };
    Ok(Outcome { answer: Some(uploaded.answer), ..Outcome::with_product(Status::Ok, product) })
}

/// Gets a token of the app; with `refresh`, a new one from WeCom, without the cache.
///
/// # Errors
///
/// What `gettoken` failed of, or the settings that are missing.
pub async fn get_token(session: &mut Session<'_>, refresh: bool) -> Result<Outcome> {
    let target = session.own_target(Channel::App);
    session.channel = Some(target.channel);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| vec![dry_run::plan_token(client)]).await;
    }
    let token = session.own_courier(target).await?.token(refresh).await?;
    let product =
        Product::Token { access_token: token.access_token, expires_in: token.expires_in, from_cache: token.from_cache };
    Ok(Outcome { answer: token.answer, ..Outcome::with_product(Status::Ok, product) })
}

/// Looks a member up by mobile number or mail address.
///
/// # Errors
///
/// Usage for what can be no number or address; exit 5 where nobody is found; exit 8 where too many look-ups found nobody.
pub async fn get_userid(session: &mut Session<'_>, kind: PersonKind, written: &str) -> Result<Outcome> {
    let usage = |finding: Finding| Error::usage(finding.problem, finding.hint.unwrap_or_default());
    let read = Person::read(kind, written).map_err(usage)?;
    let wrong =
        |(person, finding): (Person, Option<Finding>)| finding.map_or(Ok(person), |finding| Err(usage(finding)));
    let people = read.into_iter().map(wrong).collect::<Result<Vec<_>>>()?;
    let [person] = people.as_slice() else {
        return Err(Error::usage("several are given", "look them up one by one"));
    };
    let target = session.own_target(Channel::App);
    session.channel = Some(target.channel);
    if session.settings.dry_run {
        return plan_requests(session, target, |client| dry_run::plan_look_ups(client, &people)).await;
    }
    let look_up = target.look_up(&target.log_in(None).await?);
    let mut look_up = look_up.ok_or_else(|| Error::defect("members are looked up by an app alone"))?;
    let found = look_up.find(&mut *session.own_courier(target).await?, person, None).await;
    session.warnings.append(&mut look_up.warnings);
    let error = match found {
        Ok(FoundPerson::Userid { userid, .. }) => {
            return Ok(Outcome::with_product(Status::Ok, Product::Userid(userid)));
        }
        Ok(FoundPerson::Nobody(answer)) => {
            let error = Error::new(Status::Refused, format!("{person} {}", people::not_found(1))).with_hint(NOT_FOUND);
            answer.into_iter().fold(error, Error::with_answer)
        }
        Err(error) => error,
    };
    Ok(Outcome { unreached: UnreachedRecipients::unresolved(&people), ..Outcome::from(error) })
}
