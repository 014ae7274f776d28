//! Where a message of a question goes: a target, or one of its conversations, in place of or among its recipients.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::channel::{Addressing, Channel};
use crate::config::{
    ConversationSettings, EscalationStep, Precedence, RecipientSettings, Settings, Sourced, TargetName,
};
use crate::error::Result;
use crate::message::aibot::ConversationKind;

use super::choose_channel::channel_for_question;
use super::payload::conversations_of;
use super::session::Session;
use super::target::Target;

/// Where a message of a question goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    /// `None`: the command's own target.
    name: Option<TargetName>,
    /// The option or key that names it.
    #[serde(skip, default = "of_plan")]
    origin: &'static str,
    channel: Option<Channel>,
    /// Whom there alone, where each is a call of its own.
    alone: Option<(ConversationKind, String)>,
    /// Whom there in place of the recipients of the profile.
    ids: Vec<String>,
    /// Whether whoever is in a department, has a tag or is in the app gets it.
    #[serde(default)]
    is_wide: bool,
    /// Those of them of which only WeCom knows whether they are members or groups.
    unknown: Vec<String>,
}

/// By which credential messages go to a place and presses come back: its profile and its channel.
pub(crate) type ProfileAndChannel = (Option<String>, Option<Channel>);

impl Place {
    /// The command's own target: a place for each of its conversations, where each is a call of its own.
    pub(crate) fn own(session: &Session<'_>, channel: Channel) -> Vec<Self> {
        let whole = Self {
            name: None,
            origin: "the command",
            channel: Some(channel),
            alone: None,
            ids: Vec::new(),
            is_wide: false,
            unknown: Vec::new(),
        };
        whole.split(&session.own_target(channel).settings)
    }

    /// Where somebody pressed on a card, or wrote something: in their own conversation, or in a group of an aibot. The
    /// credential is that of the command.
    pub(crate) fn of_presser(channel: Channel, userid: &str, group: Option<&str>) -> Self {
        let (alone, ids) = match (channel, group) {
            (Channel::Aibot, Some(group)) => (Some((ConversationKind::Chat, group.to_owned())), Vec::new()),
            (Channel::Aibot, None) => (Some((ConversationKind::User, userid.to_owned())), Vec::new()),
            _ => (None, vec![userid.to_owned()]),
        };
        Self {
            name: None,
            origin: "the press",
            channel: Some(channel),
            alone,
            ids,
            is_wide: false,
            unknown: Vec::new(),
        }
    }

    /// A further target.
    pub(crate) fn further(session: &Session<'_>, name: &TargetName, origin: &'static str) -> Vec<Self> {
        Self::named(session, name, origin, Vec::new())
    }

    /// The target of a step of an escalation.
    pub(crate) fn of_step(session: &Session<'_>, step: &EscalationStep) -> Vec<Self> {
        Self::named(session, &step.target, "--escalate", step.ids.clone())
    }

    fn named(session: &Session<'_>, name: &TargetName, origin: &'static str, ids: Vec<String>) -> Vec<Self> {
        let settings = session.config.resolve_target(name, origin).ok();
        let channel = name.channel.or_else(|| channel_for_question(settings.as_ref()?).ok());
        let to = settings.as_ref().and_then(|settings| settings.aibot_to.as_ref());
        let known =
            |id: &String| is_of_a_group(id) || to.is_some_and(|to| to.users.contains(id) || to.chats.contains(id));
        let unknown = ids.iter().filter(|id| !known(id)).cloned().collect();
        let whole = Self { name: Some(name.clone()), origin, channel, alone: None, ids, is_wide: false, unknown };
        match settings {
            Some(mut settings) => {
                whole.put_ids(&mut settings);
                whole.split(&settings)
            }
            // The attempt will fail for the same reason, and say so.
            None => vec![whole],
        }
    }

    fn split(mut self, settings: &Settings) -> Vec<Self> {
        let is_app = self.channel.is_some_and(|channel| channel.facts().addressing == Addressing::Recipients);
        self.is_wide = is_app && settings.to.as_ref().is_some_and(is_wide);
        let to = settings.aibot_to.as_ref().filter(|_| self.has_conversations());
        match to.and_then(|to| conversations_of(to).ok()) {
            Some(several) if !several.is_empty() => {
                several.into_iter().map(|one| Self { alone: Some(one), ..self.clone() }).collect()
            }
            _ => vec![self],
        }
    }

    fn has_conversations(&self) -> bool {
        self.channel.is_some_and(|channel| channel.facts().addressing == Addressing::Conversation)
    }

    pub(crate) fn channel(&self) -> Option<Channel> {
        self.channel
    }

    /// `PROFILE:CHANNEL[/ID]`, given the profile of the command.
    pub(crate) fn shown(&self, own_profile: Option<&str>) -> String {
        let profile = self.name.as_ref().map(|name| name.profile.as_str()).or(own_profile).unwrap_or("environment");
        let channel = self.channel.map(|channel| format!(":{channel}")).unwrap_or_default();
        let ids = match &self.alone {
            Some((_, id)) => id.clone(),
            None => self.ids.join(","),
        };
        let ids = if ids.is_empty() { ids } else { format!("/{ids}") };
        format!("{profile}{channel}{ids}")
    }

    /// Whether presses there come back by the same way as from another place, as far as the settings say.
    pub(crate) fn is_same_way(&self, other: &Self) -> bool {
        self.way() == other.way()
    }

    pub(crate) fn way(&self) -> ProfileAndChannel {
        (self.name.as_ref().map(|name| name.profile.clone()), self.channel)
    }

    /// Whether others than named members can press: it is in a group, or goes to many.
    pub(crate) fn is_group(&self) -> bool {
        self.is_wide
            || self.alone.as_ref().is_some_and(|(kind, _)| *kind == ConversationKind::Chat)
            || self.alone.is_none() && self.channel.is_some_and(|channel| channel.facts().mentions)
    }

    /// Whether it is in a group, or may be: a step may name an id that the profile does not know.
    pub(crate) fn may_be_group(&self) -> bool {
        self.is_group() || self.alone.as_ref().is_some_and(|(_, id)| self.unknown.contains(id))
    }

    /// The target, with a deadline of its own that begins now.
    pub(crate) fn target(&self, session: &Session<'_>) -> Result<Target> {
        let mut target = match (&self.name, self.channel) {
            (None, Some(channel)) => session.own_target(channel),
            (None, None) => return Err(session.settings.missing_credentials()),
            (Some(name), channel) => {
                let name = TargetName { channel: channel.or(name.channel), ..name.clone() };
                session.further_target(&name, self.origin)?
            }
        };
        self.put_ids(&mut target.settings);
        if let Some((kind, id)) = &self.alone {
            let ids = || vec![id.clone()];
            let (users, chats) = match kind {
                ConversationKind::User => (ids(), Vec::new()),
                ConversationKind::Chat => (Vec::new(), ids()),
            };
            target.settings.aibot_to = Some(self.conversations(users, chats));
        }
        target.deadline = Instant::now() + target.settings.deadline;
        Ok(target)
    }

    /// Replaces the recipients of the profile by those that the step names. An id that the profile has as a group is one.
    fn put_ids(&self, settings: &mut Settings) {
        let (Some(channel), false) = (self.channel, self.ids.is_empty()) else { return };
        let ids = self.ids.clone();
        match channel {
            Channel::App => {
                settings.to = Some(RecipientSettings {
                    precedence: Precedence::Option,
                    to_user: ids,
                    to_party: Vec::new(),
                    to_tag: Vec::new(),
                    to_mobile: Vec::new(),
                    to_email: Vec::new(),
                    places: std::array::from_fn(|_| self.origin.to_owned()),
                    to_user_command: None,
                    stand_ins: Vec::new(),
                });
            }
            Channel::Chat => {
                let (origin, precedence) = (self.origin.to_owned(), Precedence::Option);
                settings.chat = Some(Sourced { value: ids.join(","), origin, precedence });
            }
            Channel::Aibot => {
                let groups = settings.aibot_to.iter().flat_map(|to| &to.chats).cloned().collect::<Vec<_>>();
                let is_group = |id: &String| groups.contains(id) || is_of_a_group(id);
                let (chats, users) = ids.into_iter().partition(is_group);
                settings.aibot_to = Some(self.conversations(users, chats));
            }
            Channel::Webhook => {}
        }
    }

    fn conversations(&self, users: Vec<String>, chats: Vec<String>) -> ConversationSettings {
        let places = [self.origin.to_owned(), self.origin.to_owned()];
        ConversationSettings { precedence: Precedence::Option, users, chats, places }
    }
}

/// What a place is named by whose plan was kept.
fn of_plan() -> &'static str {
    "the question"
}

/// Whether others than named members get it.
fn is_wide(to: &RecipientSettings) -> bool {
    let has_all = to.to_user.iter().any(|ids| ids.split([',', '|']).any(|id| id.trim().eq_ignore_ascii_case("@all")));
    has_all || !to.to_party.is_empty() || !to.to_tag.is_empty()
}

/// Whether an id looks like that of a group.
fn is_of_a_group(id: &str) -> bool {
    id.starts_with("wr")
}
