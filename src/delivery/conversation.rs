//! What it means that a conversation of an aibot refuses a message, and what to do then. Pure.

use serde_json::Value;

use crate::api::Reply;
use crate::api::errcode::{self, Class};
use crate::channel::{Addressing, Channel};
use crate::error::{Error, Status};
use crate::message::aibot::ConversationKind;

/// Too many messages in the conversation, or nobody has written to the aibot there (document path 101463).
pub(super) const NOT_OPEN_OR_LIMIT: i64 = 846_607;

/// The id of the conversation that a body is for, of a channel whose messages are for one.
pub(super) fn conversation_of(body: &Value, channel: Channel) -> Option<&str> {
    match channel.facts().addressing {
        Addressing::Conversation => body.get("chatid")?.as_str(),
        Addressing::Recipients | Addressing::Credential | Addressing::Chat => None,
    }
}

/// The error of a conversation that never took a message: nobody has written to the aibot there.
pub(super) fn not_open(reply: &Reply, body: &Value) -> Error {
    let message = format!("WeCom answered {}: {}", reply.answer.errcode, errcode::errmsg_or_meaning(&reply.answer));
    Error::new(Status::Refused, message).with_hint(how_to_open(body)).with_answer(reply.answer.clone())
}

/// How a conversation is opened.
fn how_to_open(body: &Value) -> String {
    let id = body.get("chatid").and_then(Value::as_str).unwrap_or_default();
    let once = match ConversationKind::of(body) {
        Some(ConversationKind::Chat) => {
            format!("write to the aibot once in the group {id} (@ and its name), and be sure that it is a member of it")
        }
        _ => format!("let {id} write to the aibot once in WeCom"),
    };
    format!(
        "{once}: WeCom takes messages only where somebody has; if somebody has, its limit in a conversation is met (30 a \
         minute, 1000 an hour): wait"
    )
}

/// The hint for a refusal that is about the conversation, if it is.
pub(super) fn hint_for(error: &Error, body: &Value) -> Option<String> {
    let answer = error.answer()?;
    if errcode::class_of(answer.errcode) != Class::Recipient {
        return None;
    }
    Some(match ConversationKind::of(body) {
        Some(ConversationKind::Chat) => {
            "correct the chatid (capital letters count): it is that of a group which the aibot is in, and not of an app's group \
             chat; wecom-alert help aibot says where it is to be found; a webhook reaches any group"
                .to_owned()
        }
        _ => "correct the userid (capital letters count): 通讯录 → the member → 账号. An aibot that a member made may know members \
              by encrypted ids (wo…) alone: let an administrator create it (管理后台 → 智能机器人)"
            .to_owned(),
    })
}
