//! What a command would send by each of several channels, without sending it and without credentials.

use serde_json::{Value, json};

use crate::channel::{Addressing, Channel, MsgType};
use crate::config::{ConversationSettings, Precedence, Settings};
use crate::error::Result;
use crate::input::{Attachment, MAX_SPOOLED};
use crate::message::card::CardType;
use crate::message::media::MediaKind;
use crate::message::webhook::Image;
use crate::message::{Findings, Part, check_body};

use super::make_own_parts;
use super::parts::{make_parts, with_stand_in};
use super::read::read;
use super::request::Request;
use super::session::Session;
use super::target::Target;

/// What would be sent by one channel.
pub(crate) struct ChannelMessages {
    pub(crate) channel: Channel,
    /// In the order of sending; or why there can be none.
    pub(crate) messages: Result<Vec<UnsentMessage>>,
    /// What sending would warn of, but for what the rules find in a message.
    pub(crate) warnings: Vec<String>,
}

/// A message as it would be sent.
pub(crate) struct UnsentMessage {
    /// The body of its first call.
    pub(crate) body: Value,
    /// How many calls bring it to all its recipients.
    pub(crate) calls: usize,
    /// What would be uploaded for it.
    pub(crate) file: Option<(MediaKind, Attachment)>,
    /// What breaks a rule.
    pub(crate) findings: Findings,
}

/// Makes the messages of a request for each of these channels: for the first that has its type as a send by it would, for the
/// others as for further targets. What breaks a rule is no obstacle. `None` where the text is empty and that is to be
/// skipped.
///
/// # Errors
///
/// As [`send`](super::send) in a dry run, where nothing can be read.
pub(crate) async fn make_for_channels(
    session: &mut Session<'_>,
    mut request: Request,
    channels: &[Channel],
) -> Result<Option<Vec<ChannelMessages>>> {
    session.settings.dry_run = true;
    session.settings.no_validate = true;
    let first = channels.iter().copied().find(|channel| has_what_is_asked(*channel, &request, &session.settings));
    let Some(first) = first.or(channels.first().copied()) else { return Ok(Some(Vec::new())) };
    request.channel = first;
    let ci = session.ci_context(&request)?;
    let targets: Vec<Target> = channels.iter().map(|channel| for_channel(session.own_target(*channel))).collect();
    let reading = session.read_input(first, move |target| {
        take_conversations(&mut target.settings);
        let Some(draft) = read(&request, target, ci.as_ref())? else { return Ok(None) };
        let (draft, own) = make_own_parts(draft, target)?;
        let mut own = Some(own);
        let made = targets.into_iter().map(|mut other| {
            let (channel, is_own) = (other.channel, other.channel.as_str() == first.as_str());
            let parts = match own.take_if(|_| is_own) {
                Some(parts) => {
                    other.warnings = std::mem::take(&mut target.warnings);
                    other.has_open_recipients = target.has_open_recipients;
                    Ok(parts)
                }
                None => make_parts(&draft, &mut other, None),
            };
            let messages: Result<Vec<UnsentMessage>> =
                parts.and_then(|parts| parts.iter().map(|part| unsent(part, &other)).collect());
            let told = |warning: &String| !messages.as_ref().is_ok_and(|messages| is_finding(warning, messages));
            let warnings = other.warnings.iter().filter(|warning| told(warning)).cloned().collect();
            ChannelMessages { channel, messages, warnings }
        });
        Ok(Some(made.collect()))
    });
    Ok(reading.await?.1)
}

/// Whether a channel has the type or the card that options ask for.
fn has_what_is_asked(channel: Channel, request: &Request, settings: &Settings) -> bool {
    let card = request.alert.card.as_deref().and_then(|name| name.parse::<CardType>().ok());
    let msgtype = settings.msgtype.as_ref().and_then(|asked| asked.value.parse::<MsgType>().ok());
    card.is_none_or(|card| card.is_on(channel)) && msgtype.is_none_or(|asked| channel.has_type(channel.own_type(asked)))
}

fn for_channel(mut target: Target) -> Target {
    take_conversations(&mut target.settings);
    target
}

/// Members and a chat that options name are those of an aibot too: one command shows several channels.
fn take_conversations(settings: &mut Settings) {
    let to = settings.to.as_ref().filter(|to| to.precedence == Precedence::Option);
    let users = to.map(|to| to.to_user.clone()).unwrap_or_default();
    let chat = settings.chat.as_ref().filter(|chat| chat.precedence == Precedence::Option);
    let chats: Vec<String> = chat.map(|chat| chat.value.clone()).into_iter().collect();
    if !users.is_empty() || !chats.is_empty() {
        let places = ["--to-user".to_owned(), "--chat".to_owned()];
        settings.aibot_to = Some(ConversationSettings { precedence: Precedence::Option, users, chats, places });
    }
}

fn unsent(part: &Part, target: &Target) -> Result<UnsentMessage> {
    let mut body = part.call(0).into_owned();
    if let Some((_, picture)) = part.file.as_ref().filter(|_| part.is_inline()) {
        let Image { base64, md5 } = Image::from_bytes(&picture.read_all(MAX_SPOOLED)?);
        body["image"] = json!({ "base64": base64, "md5": md5 });
    }
    let findings = check_body(target.channel, &with_stand_in(std::borrow::Cow::Borrowed(&body), target));
    let file = part.file.clone().filter(|_| !part.is_inline());
    Ok(UnsentMessage { body, calls: part.count_calls(), file, findings })
}

/// Whether a warning only repeats what the rules found in a message.
fn is_finding(warning: &str, messages: &[UnsentMessage]) -> bool {
    let mut all = messages.iter().flat_map(|message| message.findings.errors.iter().chain(&message.findings.warnings));
    all.any(|finding| finding.to_string() == warning)
}

/// The channels that settings have credentials for, and recipients where only that tells that one is meant; all where there
/// are none.
pub(crate) fn channels_of(settings: &Settings) -> Vec<Channel> {
    let has = |channel: &Channel| {
        let is_chat = channel.facts().addressing == Addressing::Chat;
        settings.credential(*channel).is_some() && (!is_chat || settings.chat.is_some())
    };
    let with_credentials: Vec<Channel> = Channel::ALL.iter().copied().filter(has).collect();
    if with_credentials.is_empty() { Channel::ALL.to_vec() } else { with_credentials }
}
