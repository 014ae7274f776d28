//! JSON from the user, and the fields next to an app message's content.
//!
//! A payload's strings are never edited. Only fields beside its content are added from the settings.

use serde_json::{Map, Value, json};

use crate::channel::{Addressing, Channel, MsgType};
use crate::config::{ConversationSettings, Precedence, RecipientSettings, Setting, Settings};
use crate::error::{Error, Result};

use crate::json::parse_json;
use crate::message::aibot::{self, Conversation, ConversationKind};
use crate::message::person::{Person, PersonKind};
use crate::message::recipients::{RecipientKind, Recipients, ids};
use crate::message::{Finding, Part, PartKind};

use super::msgtype::{ChosenType, TypeOrigin};
use super::target::Target;

/// The whole body of a payload: what was given, or `{msgtype, msgtype: what was given}`. `name` is what errors call it. Its
/// strings are never edited, with one exception: a half of a surrogate pair, which no message can hold, becomes U+FFFD.
pub(super) fn parse(name: &str, text: &str, chosen: &ChosenType, warnings: &mut Vec<String>) -> Result<Value> {
    let msgtype = chosen.name.as_str();
    let given = parse_json(text, warnings).map_err(|error| {
        Error::usage(
            format!("the payload from {name} is not JSON: {error}"),
            "check it with jq; text with quotes or line breaks goes in without --payload",
        )
    })?;
    let Value::Object(fields) = given else {
        return Err(Error::usage(
            format!("the payload from {name} is not a JSON object"),
            "give the object that belongs under the msgtype, or a whole body with msgtype in it",
        ));
    };
    match fields.get("msgtype") {
        Some(Value::String(own)) if chosen.origin == TypeOrigin::Option && own != msgtype => Err(Error::usage(
            format!("-t {msgtype} contradicts the payload, whose msgtype is {own}"),
            "leave -t out: a whole body says its type itself",
        )),
        Some(_) => Ok(Value::Object(fields)),
        None if chosen.origin == TypeOrigin::Default && !fields.contains_key("content") => Err(Error::usage(
            format!("the payload from {name} does not say of which type it is"),
            match fields.contains_key("card_type") {
                true => "add -t template_card",
                false => "add -t TYPE, or give a whole body with msgtype in it",
            },
        )),
        None => Ok(json!({ "msgtype": msgtype, msgtype: fields })),
    }
}

/// Adds recipients, agent and options to the body of a message, where its channel has them. Fields of the body are replaced
/// by options, and kept against all other settings.
pub(super) fn complete(part: &mut Part, target: &mut Target) -> Result<()> {
    let addressing = target.channel.facts().addressing;
    if addressing == Addressing::Credential {
        return Ok(());
    }
    let Target { settings, warnings, channel, .. } = target;
    // Files after the message get of the options what their type has.
    let is_message = part.kind == PartKind::Message;
    let is_option = |setting| is_message && settings.is_option(setting);
    let Some(fields) = part.fields_mut().as_object_mut() else { return Ok(()) };
    rename_markdown(fields, *channel);
    let name = fields.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
    // An unknown type is assumed to have neither `safe` nor a problem with `enable_id_trans`.
    let (highest_safe, id_trans) =
        name.parse().map_or((0, true), |msgtype| (channel.highest_safe(msgtype), msgtype.facts().id_trans));
    match addressing {
        Addressing::Credential => {}
        Addressing::Recipients => {
            complete_recipients(fields, settings)?;
            complete_agent(fields, settings)?;
        }
        Addressing::Chat => complete_chat(fields, settings)?,
        Addressing::Conversation => complete_conversations(fields, settings)?,
    }
    if addressing == Addressing::Conversation {
        let lacking = [
            ("safe", settings.safe.is_some_and(|safe| safe > 0)),
            ("--id-trans", is_option(Setting::IdTrans)),
            ("--duplicate-check", is_option(Setting::DuplicateCheck)),
        ];
        let lacking: Vec<&str> = lacking.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        if !lacking.is_empty() {
            let told = format!("{} left out: {} has nothing of the kind", lacking.join(", "), channel.facts().noun);
            warnings.push(told);
        }
        return Ok(());
    }
    let decides_itself = fields.contains_key("enable_duplicate_check");
    let mut put = |name: &str, value: i64, setting: Setting| {
        if is_option(setting) || !fields.contains_key(name) {
            fields.insert(name.to_owned(), Value::from(value));
        }
    };
    let mut left_out = |key: &str| {
        warnings.push(format!("{key} of the settings is left out: messages of type {name} do not have it"));
    };
    match settings.safe {
        // 0 is the default, and the type has no such field.
        Some(0) if highest_safe == 0 => {}
        Some(safe) if is_option(Setting::Safe) || safe <= highest_safe => put("safe", safe.into(), Setting::Safe),
        Some(_) => left_out("safe"),
        None => {}
    }
    if addressing != Addressing::Recipients {
        return Ok(());
    }
    match settings.id_trans {
        true if is_option(Setting::IdTrans) || id_trans => put("enable_id_trans", 1, Setting::IdTrans),
        true => left_out("id_trans"),
        false => {}
    }
    let counts = is_option(Setting::DuplicateCheck) || !decides_itself;
    if let Some(interval) = settings.duplicate_check.filter(|_| counts) {
        put("enable_duplicate_check", 1, Setting::DuplicateCheck);
        // WeCom takes whole seconds: round up.
        let seconds = interval.as_secs() + u64::from(interval.subsec_nanos() > 0);
        put("duplicate_check_interval", i64::try_from(seconds).unwrap_or(i64::MAX), Setting::DuplicateCheck);
    }
    Ok(())
}

/// Where `markdown` has the syntax of `markdown_v2`, a payload of that type is one of this.
fn rename_markdown(fields: &mut Map<String, Value>, channel: Channel) {
    let msgtype = fields.get("msgtype").and_then(Value::as_str).and_then(|name| name.parse::<MsgType>().ok());
    let Some(msgtype) = msgtype.filter(|msgtype| channel.own_type(*msgtype) != *msgtype) else { return };
    let own = channel.own_type(msgtype).as_str();
    if let Some(content) = fields.shift_remove(msgtype.as_str()) {
        fields.insert(own.to_owned(), content);
    }
    fields.insert("msgtype".to_owned(), own.into());
}

/// Recipients of options replace those of the body; other settings are used where the body has none.
fn complete_recipients(fields: &mut Map<String, Value>, settings: &Settings) -> Result<()> {
    let own = names_recipients(fields);
    if !own && settings.to.is_none() && settings.lacking_for_app(true).len() == 3 && !settings.dry_run {
        // All settings of an app are missing: the wrong profile, or no config file found.
        return Err(settings.missing(&["corp_id", "agent_id", "secret", "to_user"]));
    }
    let Some(to) = settings.to.as_ref().filter(|to| counts_before(to, own)) else { return Ok(()) };
    let recipients = recipients_of(to)?;
    for kind in RecipientKind::ALL {
        match recipients.joined(kind) {
            Some(ids) => fields.insert(kind.as_str().to_owned(), Value::from(ids)),
            None => fields.remove(kind.as_str()),
        };
    }
    Ok(())
}

/// The group chat of options replaces that of the body; other settings are used where the body has none.
fn complete_chat(fields: &mut Map<String, Value>, settings: &Settings) -> Result<()> {
    let own = names_chat(fields);
    if !own && settings.chat.is_none() && settings.lacking_for_app(false).len() == 2 && !settings.dry_run {
        // All settings are missing: the wrong profile, or no config file found.
        return Err(settings.missing(&["corp_id", "secret", "chat"]));
    }
    if let Some(chat) = settings.chat.as_ref().filter(|chat| chat.precedence == Precedence::Option || !own) {
        fields.insert("chatid".to_owned(), Value::from(chat.value.as_str()));
    }
    Ok(())
}

/// The conversations of options replace that of the body; other settings are used where the body has none.
fn complete_conversations(fields: &mut Map<String, Value>, settings: &Settings) -> Result<()> {
    let own = names_chat(fields);
    if !own && settings.aibot_to.is_none() && settings.lacking_for_aibot().len() == 2 && !settings.dry_run {
        // All settings are missing: the wrong profile, or no config file found.
        return Err(settings.missing(&["aibot_id", "aibot_secret", "aibot_user"]));
    }
    if let Some(to) = settings.aibot_to.as_ref().filter(|to| to.precedence == Precedence::Option || !own) {
        aibot::address(fields, &conversations_of(to)?);
    }
    Ok(())
}

/// The conversations that options or settings name, each once.
pub(crate) fn conversations_of(to: &ConversationSettings) -> Result<Vec<Conversation>> {
    let mut conversations = Vec::new();
    let given = [(ConversationKind::User, &to.users), (ConversationKind::Chat, &to.chats)];
    for ((kind, values), place) in given.into_iter().zip(&to.places) {
        for id in values.iter().flat_map(|value| ids(value)) {
            if id.is_empty() {
                let problem = "an id is empty";
                let hint = "separate the ids by single commas";
                return Err(match to.precedence {
                    Precedence::Option => Error::usage(format!("{place}: {problem}"), hint),
                    _ => Error::config(format!("{place}: {problem}"), hint),
                });
            }
            let conversation = (kind, id.to_owned());
            if !conversations.contains(&conversation) {
                conversations.push(conversation);
            }
        }
    }
    Ok(conversations)
}

/// Whether the fields of a body name a chat.
fn names_chat(fields: &Map<String, Value>) -> bool {
    !matches!(fields.get("chatid"), None | Some(Value::Null)) && fields["chatid"] != ""
}

/// Whether the fields of a body name somebody.
pub(super) fn names_recipients(fields: &Map<String, Value>) -> bool {
    RecipientKind::ALL.iter().any(|kind| match fields.get(kind.as_str()) {
        None | Some(Value::Null) => false,
        Some(Value::String(ids)) => !ids.is_empty(),
        Some(_) => true,
    })
}

/// Whether these are used for a body that names recipients of its `own`, or does not.
fn counts_before(to: &RecipientSettings, own: bool) -> bool {
    to.precedence == Precedence::Option || !own
}

/// The recipients of the settings, where they are used: not for a payload that names its own.
pub(super) fn settings_for<'t>(payload: Option<&Value>, target: &'t mut Target) -> Option<&'t mut RecipientSettings> {
    if target.channel.facts().addressing != Addressing::Recipients {
        return None;
    }
    let own = payload.and_then(Value::as_object).is_some_and(names_recipients);
    target.settings.to.as_mut().filter(|to| counts_before(to, own))
}

/// Notes the people of the settings, whose userids are looked up when the message is sent. One who cannot be anybody is an
/// error where nobody else is named; beside others the alert goes to those. After a command has run, `to_user` is enough.
pub(super) fn set_people(payload: Option<&Value>, target: &mut Target) -> Result<()> {
    let (is_dry_run, is_lenient) = (target.settings.dry_run, target.tells_of_command);
    let mut told = None;
    let (people, awaits_program) = match settings_for(payload, target) {
        Some(to) => {
            let (people, wrong) = usable_people(to)?;
            let awaits_program = to.to_user_command.is_some();
            let has_others = awaits_program
                || people.iter().any(Person::is_possible)
                || recipients_of(to).is_ok_and(|recipients| !recipients.is_empty());
            let stands_in = is_lenient && !to.stand_ins.is_empty();
            match wrong {
                Some(wrong) if is_dry_run || !has_others && !stands_in => return Err(wrong),
                wrong => told = wrong,
            }
            (people, awaits_program)
        }
        None => (Vec::new(), false),
    };
    target.warnings.extend(told.map(|wrong| wrong.message().to_owned()));
    target.has_open_recipients = awaits_program || !people.is_empty();
    target.people = people;
    Ok(())
}

/// The recipients that options or settings name, but for the people who are looked up.
pub(crate) fn recipients_of(to: &RecipientSettings) -> Result<Recipients> {
    let mut recipients = Recipients::default();
    let given = [&to.to_user, &to.to_party, &to.to_tag];
    for ((kind, values), place) in RecipientKind::ALL.into_iter().zip(given).zip(&to.places) {
        for value in values {
            recipients.add(kind, value).map_err(|finding| wrong_recipient(finding, to, place))?;
        }
    }
    Ok(recipients)
}

/// The people whose userids are looked up, each once.
pub(crate) fn people_of(to: &RecipientSettings) -> Result<Vec<Person>> {
    match usable_people(to)? {
        (people, None) => Ok(people),
        (_, Some(wrong)) => Err(wrong),
    }
}

/// The people whose userids are looked up, each once, and what is wrong with the first who cannot be anybody.
fn usable_people(to: &RecipientSettings) -> Result<(Vec<Person>, Option<Error>)> {
    let mut people: Vec<Person> = Vec::new();
    let mut wrong = None;
    let given = [&to.to_mobile, &to.to_email];
    for ((kind, values), place) in PersonKind::ALL.into_iter().zip(given).zip(&to.places[3..]) {
        for value in values {
            for (person, finding) in Person::read(kind, value).map_err(|finding| wrong_recipient(finding, to, place))? {
                wrong = wrong.or_else(|| Some(wrong_recipient(finding?, to, place)));
                if !people.iter().any(|known| known.key() == person.key()) {
                    people.push(person);
                }
            }
        }
    }
    Ok((people, wrong))
}

/// What is wrong with the first of the people who cannot be anybody.
pub(super) fn impossible_person(to: &RecipientSettings) -> Option<String> {
    let (_, wrong) = usable_people(to).ok()?;
    Some(wrong?.message().to_owned())
}

fn wrong_recipient(finding: Finding, to: &RecipientSettings, place: &str) -> Error {
    match to.precedence {
        Precedence::Option => Error::usage(finding.to_string(), finding.hint.unwrap_or_default()),
        // The mistake is in the settings, not in this command.
        _ => Error::config(format!("{place}: {finding}"), finding.hint.unwrap_or_default()),
    }
}

fn complete_agent(fields: &mut Map<String, Value>, settings: &Settings) -> Result<()> {
    let Some(agent_id) = &settings.agent_id else { return Ok(()) };
    match fields.get("agentid").and_then(Value::as_i64) {
        Some(own) if own != agent_id.value => Err(Error::usage(
            format!("agentid: the payload says {own}, {} says {}", agent_id.origin, agent_id.value),
            "take agentid out of the payload, or choose the app's own profile with --profile",
        )),
        _ => {
            fields.entry("agentid").or_insert_with(|| Value::from(agent_id.value));
            Ok(())
        }
    }
}

/// The agent that a payload names.
pub(crate) fn agent_id(parts: &[Part]) -> Option<i64> {
    parts.first()?.fields().get("agentid").and_then(Value::as_i64)
}
