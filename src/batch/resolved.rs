//! The settings of lines. Many lines have the same options but for their content: what was resolved for one serves the others.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::line::AlertLine;
use super::queues::TargetKey;
use crate::channel::{Addressing, Channel};
use crate::config::{Config, Settings};
use crate::error::{Error, Result};
use crate::send::channel_for_alert;

/// So many different settings are kept for sure, and not twice as many.
const KEPT: usize = 256;

/// What was resolved for lines with the same options.
pub(super) struct Resolved<'c> {
    pub(super) config: Config<'c>,
    pub(super) settings: Settings,
}

/// A line with its settings.
pub(super) struct Prepared<'c> {
    pub(super) line: Box<AlertLine>,
    pub(super) resolved: Rc<Resolved<'c>>,
    pub(super) channel: Channel,
    pub(super) target: TargetKey,
}

/// What was resolved lately, by the options of the lines.
pub(super) struct SettingsCache<'c> {
    config: &'c Config<'c>,
    route: Option<Channel>,
    recent: HashMap<String, Result<Rc<Resolved<'c>>>>,
    older: HashMap<String, Result<Rc<Resolved<'c>>>>,
}

impl<'c> SettingsCache<'c> {
    pub(super) fn new(config: &'c Config<'c>, route: Option<Channel>) -> Self {
        Self { config, route, recent: HashMap::new(), older: HashMap::new() }
    }

    /// The settings of a line, its route and its target.
    ///
    /// # Errors
    ///
    /// As [`Config::resolve`], and usage or exit 3 where there is no route, or more than one.
    pub(super) fn prepare(&mut self, mut line: Box<AlertLine>) -> Result<Prepared<'c>, (Box<AlertLine>, Error)> {
        let resolved = match self.resolve(&mut line) {
            Ok(resolved) => resolved,
            Err(error) => return Err((line, error)),
        };
        match channel_for_alert(&resolved.settings, line.route.or(self.route)) {
            Ok(channel) => {
                let target = target_of(&resolved.settings, channel, &line);
                Ok(Prepared { line, resolved, channel, target })
            }
            Err(error) => Err((line, error)),
        }
    }

    fn resolve(&mut self, line: &mut AlertLine) -> Result<Rc<Resolved<'c>>> {
        if let Some(known) = self.recent.get(&line.options_key) {
            return known.clone();
        }
        let key = line.options_key.clone();
        let resolved = match self.older.remove(&key) {
            Some(known) => known,
            None => {
                let config = self.config.with_options(&line.options);
                config.resolve().map(|(settings, warnings)| {
                    line.warnings.extend(warnings);
                    Rc::new(Resolved { config, settings })
                })
            }
        };
        if self.recent.len() >= KEPT {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, resolved.clone());
        resolved
    }
}

/// What lines have in common that are to arrive one after the other: the webhook, the chat, the conversation, or the app with
/// its recipients. The credential is known by where it comes from, so that nothing has to be read for it.
fn target_of(settings: &Settings, channel: Channel, line: &AlertLine) -> TargetKey {
    let mut hasher = DefaultHasher::new();
    channel.as_str().hash(&mut hasher);
    let credential = settings.credential(channel);
    let source = credential.map(|source| source.at_hand().map_or(source.origin(), |secret| secret.expose()));
    source.hash(&mut hasher);
    let own = |field: &str| line.payload.as_ref().and_then(|body| body.get(field)).map(ToString::to_string);
    let addressing = channel.facts().addressing;
    let named: Vec<Option<String>> = addressing.fields().iter().map(|field| own(field)).collect();
    // A body that names its recipients itself is for those, unless options replace them.
    let by_body = named.iter().any(Option::is_some);
    match addressing {
        Addressing::Credential => {}
        Addressing::Chat if !by_body => settings.chat.as_ref().map(|chat| &chat.value).hash(&mut hasher),
        Addressing::Recipients if !by_body => {
            settings.agent_id.as_ref().map(|agent| agent.value).hash(&mut hasher);
            if let Some(to) = &settings.to {
                [&to.to_user, &to.to_party, &to.to_tag, &to.to_mobile, &to.to_email].hash(&mut hasher);
            }
        }
        Addressing::Conversation if !by_body => {
            if let Some(to) = &settings.aibot_to {
                [&to.users, &to.chats].hash(&mut hasher);
            }
        }
        Addressing::Chat | Addressing::Recipients | Addressing::Conversation => named.hash(&mut hasher),
    }
    hasher.finish()
}
