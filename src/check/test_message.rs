//! The test message: the only proof of a webhook's key, and the best one of everything else.

use std::time::SystemTime;

use serde_json::Value;

use crate::alert::escape;
use crate::channel::{Channel, CredentialKind, MsgType};
use crate::clock;
use crate::config::Settings;
use crate::delivery::Outcome;
use crate::error::{Error, Result, Status};
use crate::message::app::AppText;
use crate::message::person::Person;
use crate::message::recipients::RecipientKind;
use crate::message::{Part, aibot, body_of, check_body};
use crate::send::{PeopleMessage, Session, conversations_of, host, people_of, recipients_of};

use super::CheckedTarget;
use super::report::CheckReport;

/// What the test message of that channel is called in the table.
pub(super) fn name_of(channel: Channel) -> &'static str {
    match channel {
        Channel::App => "send_app",
        Channel::Webhook => "send_webhook",
        Channel::Chat => "send_chat",
        Channel::Aibot => "send_aibot",
    }
}

/// Sends the message, if that is wanted and no check failed that it depends on.
pub(super) async fn look(
    checked: &mut CheckedTarget,
    session: &Session<'_>,
    is_wanted: bool,
    report: &mut CheckReport,
) {
    let channel = checked.target.channel;
    let name = name_of(channel);
    let courier = match (&mut checked.courier, checked.blocked) {
        (_, Some(failed)) => return report.skip_after(&[name], failed),
        (Some(courier), None) if is_wanted => courier,
        _ if channel.facts().credential == CredentialKind::Aibot => {
            let why = "not proven: only a subscription shows whether BotID and Secret are right, and it would take the connection \
                       from whoever has it: --send subscribes and sends a message";
            return report.skip(name, why);
        }
        _ if !super::has_token(channel) => {
            let noun = channel.facts().noun;
            let why = "can only be tested by a message: --send sends one to the group";
            return report.skip(name, format!("not proven: {noun} {why}"));
        }
        _ => return report.skip(name, "not asked for: --send sends a test message"),
    };
    let (body, people) = match body(channel, &checked.target.settings) {
        Ok(message) => message,
        Err(error) => return report.fail(name, &error),
    };
    let mut account = session.accounts.open(session.settings.profile.as_deref(), channel);
    let message = PeopleMessage { parts: &[Part::message(body)], people: &people, mark: None };
    let mut outcome = message.send(&mut checked.target, courier, &mut account).await;
    outcome.allow_partial = session.settings.allow_partial;
    report.sent(&outcome);
    match &outcome.error {
        None => report.ok(name, arrived(&outcome)),
        Some(error) if outcome.exit_code() == 0 => report.warn(name, error.message(), error.hint().unwrap_or_default()),
        // An outbox has no part in a check.
        Some(error) if outcome.status == Status::RateLimited && error.answer().is_none() => {
            report.fail(name, &error.clone().with_status(outcome.status).with_hint("wait until then, and check again"));
        }
        Some(error) => report.fail(name, &error.clone().with_status(outcome.status)),
    }
}

fn arrived(outcome: &Outcome) -> String {
    let ids: Vec<&str> = outcome.parts.iter().flat_map(|part| &part.msgids).map(String::as_str).collect();
    if ids.is_empty() { "WeCom accepted it".to_owned() } else { format!("WeCom accepted it, msgid {}", ids.join(", ")) }
}

/// The whole body of the test message, and the people who are looked up for it.
pub(super) fn body(channel: Channel, settings: &Settings) -> Result<(Value, Vec<Person>)> {
    let (mut people, mut is_open) = (Vec::new(), false);
    let now = clock::date(SystemTime::now());
    let content = (settings.language.words().test_message)(&host(), &now);
    let (msgtype, content) = match channel.has_type(MsgType::Text) {
        true => (MsgType::Text, content),
        false => escape::plain(channel, &content),
    };
    let mut body = body_of(msgtype, &AppText { content });
    match channel {
        Channel::App => {
            let to = settings.to.as_ref().ok_or_else(|| settings.missing(&["to_user"]))?;
            let recipients = recipients_of(to)?;
            people = people_of(to)?;
            is_open = !people.is_empty() || to.to_user_command.is_some();
            for kind in RecipientKind::ALL {
                if let Some(ids) = recipients.joined(kind) {
                    body[kind.as_str()] = ids.into();
                }
            }
            if let Some(agent_id) = &settings.agent_id {
                body["agentid"] = agent_id.value.into();
            }
        }
        // A test mentions no one.
        Channel::Webhook => {}
        Channel::Chat => {
            let chat = settings.chat.as_ref().ok_or_else(|| settings.missing(&["chat"]))?;
            body["chatid"] = chat.value.clone().into();
        }
        Channel::Aibot => {
            let to = settings.aibot_to.as_ref().ok_or_else(|| settings.missing(&["aibot_user"]))?;
            let conversations = conversations_of(to)?;
            body.as_object_mut().into_iter().for_each(|fields| aibot::address(fields, &conversations));
        }
    }
    match check_body(channel, &Part::message(body.clone()).call(0)).errors.first() {
        // Who is looked up, or printed by a program, is not known yet.
        Some(finding) if !settings.no_validate && !is_open => {
            let hint = finding.hint.as_deref().unwrap_or("correct the setting");
            Err(Error::config(finding.to_string(), hint))
        }
        _ => Ok((body, people)),
    }
}
