//! Settings with a fixed set of values (rate limit, long text, mentions, output format), and the names of further
//! targets. Pure; an error never repeats the value given.

use std::fmt;
use std::str::FromStr;

use strum::{EnumString, VariantNames};

use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::sanitize::unwrapped;
pub use crate::words::Language;

/// What to do at the rate limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum OnRateLimit {
    /// Wait, as long as that can end before the deadline.
    #[default]
    Wait,
    /// Fail at once.
    Fail,
    /// Leave the alert in the outbox.
    Outbox,
}

/// Whose repeats a cooldown holds back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum CooldownScope {
    /// Those of this host: another one may send the same alert.
    #[default]
    Host,
    /// Those of all machines that share their state.
    Fleet,
}

/// What becomes of a text over the limit of its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum OnLong {
    /// A few parts, or else head and tail with the whole text as a file.
    #[default]
    Auto,
    /// As many parts as it takes.
    Split,
    /// One message with what [`Keep`] says.
    Truncate,
    /// One message with head and tail, and the whole text as a file.
    File,
    /// Refuse it; nothing is sent.
    Fail,
}

/// Which part of a text stays where it is truncated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Keep {
    /// Its beginning.
    Head,
    /// Its end.
    Tail,
    /// Both, without the middle.
    #[default]
    Both,
}

/// What becomes of mentions where the message's own type cannot mention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum MentionFallback {
    /// A short text after the message mentions.
    #[default]
    Text,
    /// Refuse it; nothing is sent.
    Fail,
    /// Leave them out, with a warning.
    Ignore,
}

/// A further target: a profile, and which of its ways of sending if that is said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TargetName {
    /// The profile's name, trimmed and not empty; it may hold `:` itself.
    pub profile: String,
    /// `None`: the one that the profile has.
    pub channel: Option<Channel>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

impl Language {
    /// The values of the setting.
    pub(super) const NAMES: &[&str] = &["auto", "en", "zh"];

    /// The language of that name; `None` for the one that the locale says.
    pub(super) fn parse(name: &str) -> Result<Option<Self>> {
        match name {
            "auto" => Ok(None),
            "en" => Ok(Some(Self::English)),
            "zh" => Ok(Some(Self::Chinese)),
            _ => Err(Error::config("there is no such language", "write `auto`, `en` or `zh`")),
        }
    }
}

impl Output {
    pub(super) fn parse(name: &str) -> Result<Self> {
        let hint = "write `text` or `json`";
        name.parse().map_err(|_| Error::config("output is neither `text` nor `json`", hint))
    }
}

/// Reads the name of one of a few ways.
pub(super) fn parse_choice<T: FromStr + VariantNames>(name: &str) -> Result<T> {
    name.parse().map_err(|_| {
        let names = T::VARIANTS.join(", ");
        let quoted = format!("`{}`", T::VARIANTS.join("`, `"));
        Error::config(format!("it is not {}", with_last(names, "or")), format!("write {}", with_last(quoted, "or")))
    })
}

/// `a, b and c` of `a, b, c`.
fn with_last(names: String, word: &str) -> String {
    match names.rsplit_once(", ") {
        Some((before, last)) => format!("{before} {word} {last}"),
        None => names,
    }
}

impl FromStr for TargetName {
    type Err = Error;

    /// Reads `PROFILE`, or one with `:app`, `:webhook`, `:chat` or `:aibot` behind it; any other `:` belongs to the profile's name.
    fn from_str(text: &str) -> Result<Self> {
        let text = unwrapped(text);
        let split =
            text.rsplit_once(':').and_then(|(profile, name)| Some((profile.trim_end(), Some(name.parse().ok()?))));
        let (profile, channel) = split.unwrap_or((text, None));
        if profile.is_empty() {
            return Err(Error::config(
                "the profile's name is missing",
                "write PROFILE, PROFILE:app, PROFILE:webhook, PROFILE:chat or PROFILE:aibot",
            ));
        }
        if profile.chars().any(char::is_control) {
            return Err(Error::config(
                "the profile's name holds a control character",
                "write a name of the config file",
            ));
        }
        Ok(Self { profile: profile.to_owned(), channel })
    }
}

/// As it is written: `ops`, `ops:webhook`.
impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.profile)?;
        self.channel.map_or(Ok(()), |channel| write!(f, ":{}", channel.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> (String, Option<Channel>) {
        let target: TargetName = text.parse().unwrap();
        (target.profile, target.channel)
    }

    #[test]
    fn only_a_channel_at_the_end_counts_as_one() {
        let cases = [
            ("ops", "ops", None),
            (" ops ", "ops", None),
            ("ops:app", "ops", Some(Channel::App)),
            ("ops:webhook", "ops", Some(Channel::Webhook)),
            ("ops:chat", "ops", Some(Channel::Chat)),
            ("ops:aibot", "ops", Some(Channel::Aibot)),
            ("ops : app", "ops : app", None),
            ("ops :app", "ops", Some(Channel::App)),
            ("a:b", "a:b", None),
            ("a:b:webhook", "a:b", Some(Channel::Webhook)),
            ("app:app", "app", Some(Channel::App)),
            ("app", "app", None),
            ("app:webhook:app", "app:webhook", Some(Channel::App)),
            ("ops:App", "ops:App", None),
            ("myapp", "myapp", None),
            ("ops:", "ops:", None),
            ("运维:app", "运维", Some(Channel::App)),
        ];
        for (text, profile, channel) in cases {
            assert_eq!(target(text), (profile.to_owned(), channel), "{text}");
        }
        for text in ["", " ", ":app", " :webhook", "a\nb", "a\u{7f}:app"] {
            assert!(text.parse::<TargetName>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(profile in "[a-z:一 ]{1,8}", channel in 0..4) {
            let channel = Channel::ALL[channel as usize];
            prop_assume!(!profile.trim().is_empty());
            let name = TargetName { profile: profile.trim().to_owned(), channel: Some(channel) };
            prop_assert_eq!(name.to_string().parse::<TargetName>().unwrap(), name);
        }
    }
}
