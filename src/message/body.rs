//! What the bodies of both channels have in common: a `msgtype`, and the payload in an object of that name.
//!
//! [`contents!`] makes a channel's enum of contents and ties it to the msgtypes.

use serde_json::{Map, Value};

use super::finding::{At, shown};
use super::owner_of;
use super::rules::Rules;
use super::shape::{Field, Shape, fields_fit, fits, unknown};
use crate::channel::Channel;

/// The contents that one channel knows.
pub(super) trait Content: Sized {
    const CHANNEL: Channel;
    const TYPES: &'static [&'static str];

    fn shape(msgtype: &str) -> Option<Shape>;
    fn read(msgtype: &str, payload: &Value) -> Option<Self>;
    fn rules(&self) -> &dyn Rules;
    fn payload(&self) -> Value;
}

/// Defines an enum with one variant per msgtype.
macro_rules! contents {
    (
        $(#[$meta:meta])*
        pub enum $name:ident on $channel:ident { $($variant:ident($payload:ty) = $msgtype:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("msgtype `", $msgtype, "`.")] $variant($payload),)*
        }

        impl $name {
            /// Every msgtype of this channel.
            pub const MSGTYPES: &'static [&'static str] = &[$($msgtype),*];

            /// The msgtype, which is the name of the payload's object too.
            pub fn msgtype(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $msgtype,)*
                }
            }
        }

        impl crate::message::body::Content for $name {
            const CHANNEL: crate::channel::Channel = crate::channel::Channel::$channel;
            const TYPES: &'static [&'static str] = Self::MSGTYPES;

            fn shape(msgtype: &str) -> Option<crate::message::shape::Shape> {
                match msgtype {
                    $($msgtype => Some(<$payload as crate::message::shape::Wire>::SHAPE),)*
                    _ => None,
                }
            }

            fn read(msgtype: &str, payload: &serde_json::Value) -> Option<Self> {
                match msgtype {
                    $($msgtype => <$payload as serde::Deserialize>::deserialize(payload).ok().map(Self::$variant),)*
                    _ => None,
                }
            }

            fn rules(&self) -> &dyn crate::message::rules::Rules {
                match self {
                    $(Self::$variant(payload) => payload,)*
                }
            }

            fn payload(&self) -> serde_json::Value {
                // Structs of strings, numbers and lists always become JSON.
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
pub(super) fn read<C: Content>(body: &Value, common: &[Field], at: &mut At<'_>) -> Option<C> {
    let Value::Object(fields) = body else {
        at.error_with_hint("expected an object", "give a whole body with msgtype in it");
        return None;
    };
    let msgtype = read_msgtype::<C>(fields, at);
    let mut readable = fields_fit(common, fields, at);
    let (msgtype, shape) = msgtype?;
    for name in fields.keys().filter(|name| *name != "msgtype" && *name != msgtype) {
        if !common.iter().any(|field| field.name == name) {
            at.field(name).error(unknown_beside::<C>(msgtype, name, common));
        }
    }
    match fields.get(msgtype) {
        Some(payload) => readable &= fits(shape, payload, &mut at.field(msgtype)),
        None => at.field(msgtype).error(format!("missing, msgtype {msgtype} needs the object {msgtype}")),
    }
    let payload = fields.get(msgtype).filter(|_| readable)?;
    C::read(msgtype, payload)
}

/// Puts the content into a body that has its other fields already.
pub(super) fn write<C: Content>(content: &C, msgtype: &str, mut fields: Map<String, Value>) -> Value {
    fields.insert("msgtype".to_owned(), msgtype.into());
    fields.insert(msgtype.to_owned(), content.payload());
    Value::Object(fields)
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

fn read_msgtype<'a, C: Content>(fields: &'a Map<String, Value>, at: &mut At<'_>) -> Option<(&'a str, Shape)> {
    let known = C::TYPES.join(", ");
    let mut at = at.field("msgtype");
    let Some(value) = fields.get("msgtype") else {
        at.error(format!("missing, one of {known} is required"));
        return None;
    };
    let Some(msgtype) = value.as_str() else {
        at.error(format!("expected a string, one of {known}"));
        return None;
    };
    let shape = C::shape(msgtype);
    if shape.is_none() {
        let hint = format!("use one of {known}");
        match owner_of(msgtype, C::CHANNEL) {
            Some(owner) => {
                let problem = match owner {
                    Channel::App => format!("{msgtype} is a type of app messages, webhooks do not have it"),
                    Channel::Webhook => format!("{msgtype} is a webhook type, app messages do not have it"),
                };
                at.error_with_hint(problem, format!("send it with {}, or {hint}", owner.facts().command));
            }
            None => {
                let problem = format!("{}: {}", shown(msgtype), unknown("type", msgtype, C::TYPES));
                at.error_with_hint(problem, hint);
            }
        }
    }
    shape.map(|shape| (msgtype, shape))
}

fn unknown_beside<C: Content>(msgtype: &str, name: &str, common: &[Field]) -> String {
    if C::TYPES.contains(&name) {
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
