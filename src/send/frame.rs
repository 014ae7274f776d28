//! What stands around the text of a message: prefix, lead and mentions.

use std::borrow::Cow;

use crate::channel::Channel;
use crate::config::Settings;
use crate::input::clean;

use super::long::host;

/// One target, and what its messages have around their text.
pub(super) struct Frame<'a> {
    pub(super) channel: Channel,
    pub(super) settings: &'a Settings,
    /// Before title or text, on every part.
    pub(super) prefix: Option<String>,
    /// A line of ours before the text.
    pub(super) lead: Option<&'a str>,
    /// Behind the text of the first part; empty where nobody is mentioned there.
    pub(super) mention: String,
}

impl<'a> Frame<'a> {
    pub(super) fn new(channel: Channel, settings: &'a Settings, lead: Option<&'a str>) -> Self {
        Self { channel, settings, prefix: prefix(settings), lead, mention: String::new() }
    }

    /// A text behind the line of ours.
    pub(super) fn led<'t>(&self, text: &'t str, msgtype: &str) -> Cow<'t, str> {
        // In markdown_v2 a single line break does not end a paragraph.
        let between = if msgtype == "markdown_v2" { "\n\n" } else { "\n" };
        match self.lead {
            Some(lead) if text.is_empty() => Cow::Owned(lead.to_owned()),
            Some(lead) => Cow::Owned(format!("{lead}{between}{text}")),
            None => Cow::Borrowed(text),
        }
    }
}

/// The settings' prefix for this target.
fn prefix(settings: &Settings) -> Option<String> {
    let prefix = settings.prefix.as_deref()?;
    let profile = settings.profile.as_deref().unwrap_or("environment");
    Some(clean(prefix).replace("{profile}", profile).replace("{host}", &host()))
}
