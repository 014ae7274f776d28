//! What the bodies of both channels have in common: a `msgtype`, and the payload in an object of that name.
//!
//! [`contents!`] makes a channel's enum of contents and ties it to the msgtypes.

use serde_json::{Map, Value};

use super::finding::{At, shown};
use super::rules::Rules;
use super::shape::{Field, Shape, fields_fit, fits, unknown};
use crate::channel::{Channel, MsgType};

/// The contents of one channel's messages.
pub(super) trait MessageContent: Sized {
    const CHANNEL: Channel;

    /// The shape of the content of this type; `None` for a type that the channel does not have.
    fn shape(msgtype: MsgType) -> Option<Shape>;
    fn read(msgtype: MsgType, payload: &Value) -> Option<Self>;
    fn rules(&self) -> &dyn Rules;
    fn payload(&self) -> Value;
}

/// Defines an enum of contents with one variant for each of a channel's [`MsgType`]s, of the same name.
macro_rules! contents {
    ($(#[$meta:meta])* pub enum $name:ident on $channel:ident { $($variant:ident($payload:ty),)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("Of type `", stringify!($variant), "`.")] $variant($payload),)*
        }

        impl $name {
            /// The message type.
            pub fn msgtype(&self) -> crate::channel::MsgType {
                match self {
                    $(Self::$variant(_) => crate::channel::MsgType::$variant,)*
                }
            }
        }

        impl crate::message::body::MessageContent for $name {
            const CHANNEL: crate::channel::Channel = crate::channel::Channel::$channel;

            fn shape(msgtype: crate::channel::MsgType) -> Option<crate::message::shape::Shape> {
                match msgtype {
                    $(crate::channel::MsgType::$variant => Some(<$payload as crate::message::shape::Wire>::SHAPE),)*
                    _ => None,
                }
            }

            fn read(msgtype: crate::channel::MsgType, payload: &serde_json::Value) -> Option<Self> {
                match msgtype {
                    $(crate::channel::MsgType::$variant => {
                        <$payload as serde::Deserialize>::deserialize(payload).ok().map(Self::$variant)
                    })*
                    _ => None,
                }
            }

            fn rules(&self) -> &dyn crate::message::rules::Rules {
                match self {
                    $(Self::$variant(payload) => payload,)*
                }
            }

            fn payload(&self) -> serde_json::Value {
                match self {
                    $(Self::$variant(payload) => serde_json::to_value(payload).unwrap_or_default(),)*
                }
            }
        }
    };
}
pub(super) use contents;

/// Reads the content of a whole body whose other fields are `common`, and reports all that is wrong with the body's
/// shape. `None` when it cannot be read as its type; unknown fields do not stand in the way of that.
pub(super) fn read<C: MessageContent>(body: &Value, common: &[Field], at: &mut At<'_>) -> Option<C> {
    let Value::Object(fields) = body else {
        at.error_with_hint("expected an object", "give a whole body with msgtype in it");
        return None;
    };
    let msgtype = read_msgtype::<C>(fields, at);
    let mut readable = fields_fit(common, fields, at);
    let (msgtype, shape) = msgtype?;
    let own = msgtype.as_str();
    for name in fields.keys().filter(|name| *name != "msgtype" && *name != own) {
        if !common.iter().any(|field| field.name == name) {
            at.field(name).error(unknown_beside::<C>(own, name, common));
        }
    }
    match fields.get(own) {
        Some(payload) => readable &= fits(shape, payload, &mut at.field(own)),
        None => at.field(own).error(format!("missing, msgtype {own} needs the object {own}")),
    }
    let payload = fields.get(own).filter(|_| readable)?;
    C::read(msgtype, payload)
}

/// What app messages have, and no others unless they know it as well.
const APP_FIELDS: &[&str] = &[
    "touser",
    "toparty",
    "totag",
    "agentid",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
    "duplicate_check_interval",
];

fn read_msgtype<C: MessageContent>(fields: &Map<String, Value>, at: &mut At<'_>) -> Option<(MsgType, Shape)> {
    let names = MsgType::names(C::CHANNEL.facts().types);
    let known = names.join(", ");
    let mut at = at.field("msgtype");
    let Some(value) = fields.get("msgtype") else {
        at.error(format!("missing, one of {known} is required"));
        return None;
    };
    let Some(name) = value.as_str() else {
        at.error(format!("expected a string, one of {known}"));
        return None;
    };
    let hint = format!("use one of {known}");
    let Ok(msgtype) = name.parse::<MsgType>() else {
        at.error_with_hint(format!("{}: {}", shown(name), unknown("type", name, &names)), hint);
        return None;
    };
    let shape = C::shape(msgtype);
    if let (None, Some(owner)) = (shape, C::CHANNEL.other_with(msgtype)) {
        let problem = match owner {
            Channel::App => format!("{name} is a type of app messages, webhooks do not have it"),
            Channel::Webhook => format!("{name} is a webhook type, app messages do not have it"),
        };
        at.error_with_hint(problem, format!("send it with {}, or {hint}", owner.facts().command));
    }
    shape.map(|shape| (msgtype, shape))
}

fn unknown_beside<C: MessageContent>(msgtype: &str, name: &str, common: &[Field]) -> String {
    if name.parse().is_ok_and(|msgtype| C::CHANNEL.has_type(msgtype)) {
        return format!("unknown field; msgtype is {msgtype}, so the payload is the object {msgtype} alone");
    }
    if APP_FIELDS.contains(&name) {
        return "unknown field; only app messages have it".to_owned();
    }
    let known: Vec<_> = ["msgtype", msgtype].into_iter().chain(common.iter().map(|field| field.name)).collect();
    unknown("field", name, &known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::app::COMMON;

    #[test]
    fn what_app_messages_alone_have_is_known() {
        assert_eq!(COMMON.iter().map(|field| field.name).collect::<Vec<_>>(), APP_FIELDS);
    }
}
