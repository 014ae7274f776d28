//! A question on its way: it is read once, and goes to each target by itself when its time has come; `ask` says when.

use std::cell::OnceCell;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alert::Alert;
use crate::blocking::off_loop;
use crate::channel::{Addressing, Channel, MsgType, Presses};
use crate::config::{
    ConversationSettings, EscalationStep, Precedence, RecipientSettings, Settings, Sourced, TargetName,
};
use crate::delivery::{Outcome, PlannedRequest};
use crate::error::{Error, Result};
use crate::message::aibot::ConversationKind;

use super::choose_channel::only_channel;
use super::draft::{Draft, Material};
use super::dry_run;
use super::msgtype::{TypeOrigin, best_type};
use super::parts::make_parts;
use super::payload::conversations_of;
use super::press_way::PressWay;
use super::read::read;
use super::request::Request;
use super::roster::{self, Roster};
use super::session::{LoggedMessage, Session};
use super::target::Target;
use super::target_message::TargetMessage;
use crate::fingerprint::sha256;

/// What is asked, as it was read.
pub(crate) struct QuestionDraft(Draft);

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

/// What of a question goes to a place.
#[derive(Clone, Copy)]
pub(crate) struct Appearance<'a> {
    /// A line before its text.
    pub(crate) lead: Option<&'a str>,
    /// The id of its card; `None` for a message without anything to press.
    pub(crate) task_id: Option<&'a str>,
    /// Gets the card before it is sent: a press on it may come before the answer to the send.
    pub(crate) card: &'a OnceCell<Value>,
}

/// What became of it there.
pub(crate) struct Dispatched {
    pub(crate) outcome: Outcome,
    pub(crate) warnings: Vec<String>,
    /// Whether it is a card.
    pub(crate) has_card: bool,
    /// By which that can be changed without a press, where the channel gives such a code.
    pub(crate) response_code: Option<String>,
}

/// The channel of a question where none is named: one whose presses come back by its own connection, else the usual one, an
/// app before a webhook.
pub(crate) fn channel_for_question(settings: &Settings) -> Result<Channel, Vec<Channel>> {
    let is_connected =
        |channel: &Channel| channel.presses() == Presses::Connection && settings.credential(*channel).is_some();
    match Channel::ALL.iter().copied().find(is_connected) {
        Some(channel) => Ok(channel),
        None => only_channel(settings).or_else(|several| {
            let cards = |channel: &Channel| channel.has_interactive_cards();
            several.iter().copied().find(cards).ok_or(several)
        }),
    }
}

/// Reads what is asked, and holds it against the rules of the command's own target.
///
/// # Errors
///
/// Usage, where it breaks one; exit 3, where settings or files cannot be used.
pub(crate) async fn read_question(session: &mut Session<'_>, request: Request, task_id: &str) -> Result<QuestionDraft> {
    let channel = request.channel;
    let ci = session.ci_context(&request)?;
    let task_id = task_id.to_owned();
    let reading = session.read_input(channel, move |target| {
        let lacking = || Error::usage("there is nothing to ask: the text is empty", "give a title or a text");
        let mut draft = read(&request, target, ci.as_ref())?.ok_or_else(lacking)?;
        give_title(&mut draft);
        target.settings.to.iter_mut().for_each(|to| drop(to.to_user_command.take()));
        make_parts(&shown_as(&draft, channel.has_interactive_cards().then_some(&*task_id), target), target, None)?;
        Ok(draft)
    });
    let (_, draft) = reading.await?;
    if session.settings.log_file.is_some() {
        let text = draft.text().map(|text| (text.len(), sha256(text.as_bytes())));
        session.logged = Some(LoggedMessage { msgtype: draft.type_name().to_owned(), text });
    }
    Ok(QuestionDraft(draft))
}

/// A card needs a title: without one it is the first line of the text.
fn give_title(draft: &mut Draft) {
    let Material::Alert(alert) = &mut draft.material else { return };
    if alert.title.is_none()
        && let Some(body) = alert.body.take()
    {
        let (title, rest) = body.trim_start().split_once('\n').unwrap_or((body.trim_start(), ""));
        (alert.title, alert.body) = (Some(title.to_owned()), Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
    }
}

impl QuestionDraft {
    /// What is asked, as an alert, to be kept; `None` where it is another kind of message.
    pub(crate) fn alert(&self) -> Option<&Alert> {
        match &self.0.material {
            Material::Alert(alert) => Some(alert),
            _ => None,
        }
    }

    /// A draft that was kept, of a question of this channel.
    pub(crate) fn of_alert(alert: Alert, channel: Channel) -> Self {
        Self(Draft::of_alert(alert, MsgType::TemplateCard, TypeOrigin::Option, channel))
    }

    /// What tells it from others, in every language the same.
    pub(crate) fn identity(&self) -> String {
        self.0.identity().1.into_owned()
    }

    /// Its first line.
    pub(crate) fn title(&self) -> String {
        let Material::Alert(alert) = &self.0.material else { return String::new() };
        let body = || alert.body.as_deref().and_then(|body| body.lines().next()).map(str::to_owned);
        alert.title.clone().or_else(body).unwrap_or_default()
    }
}

/// The draft with the id of its card, or without anything to press.
fn shown_as(draft: &Draft, task_id: Option<&str>, target: &Target) -> Draft {
    let mut draft = draft.clone();
    if let Material::Alert(alert) = &mut draft.material {
        match task_id {
            Some(task_id) => alert.task_id = Some(task_id.to_owned()),
            None => {
                **alert = alert.without_card();
                (draft.msgtype, draft.origin) = (best_type(alert, target), TypeOrigin::Best);
            }
        }
    }
    draft
}

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

    /// Sends what is asked here.
    pub(crate) async fn send(&self, session: &Session<'_>, draft: &QuestionDraft, shown: Appearance<'_>) -> Dispatched {
        let sent = async {
            let target = self.target(session)?;
            let draft = shown_as(&draft.0, shown.task_id, &target);
            deliver(session, target, &draft, shown.lead, shown.card).await
        };
        sent.await.unwrap_or_else(Dispatched::failed)
    }

    /// Sends a few words about a question here.
    pub(crate) async fn tell(&self, session: &Session<'_>, title: &str, line: &str) -> Dispatched {
        let sent = async {
            let target = self.target(session)?;
            let title = Some(title.to_owned()).filter(|title| !title.is_empty());
            let language = target.settings.language;
            let alert = Alert { language, title, body: Some(line.to_owned()), ..Alert::default() };
            let msgtype = best_type(&alert, &target);
            let draft = Draft::of_alert(alert, msgtype, TypeOrigin::Best, target.channel);
            deliver(session, target, &draft, None, &OnceCell::new()).await
        };
        sent.await.unwrap_or_else(Dispatched::failed)
    }

    /// The requests that would ask here.
    pub(crate) async fn plan(
        &self,
        session: &Session<'_>,
        draft: &QuestionDraft,
        task_id: Option<&str>,
    ) -> Result<(Vec<PlannedRequest>, Vec<String>)> {
        let mut target = self.target(session)?;
        roster::program_for(draft.0.payload(), &mut target);
        let parts = make_parts(&shown_as(&draft.0, task_id, &target), &mut target, None)?;
        let requests = dry_run::of_parts(&mut target, &parts).await?;
        Ok((requests, std::mem::take(&mut target.warnings)))
    }

    /// The way by which presses on cards here come back; `None` where there is none.
    pub(crate) async fn press_way(&self, session: &Session<'_>) -> Result<Option<PressWay>> {
        PressWay::of(self.target(session)?).await
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

async fn deliver(
    session: &Session<'_>,
    mut target: Target,
    draft: &Draft,
    lead: Option<&str>,
    card: &OnceCell<Value>,
) -> Result<Dispatched> {
    if let Some(program) = roster::program_for(draft.payload(), &mut target) {
        let limit = roster::patience(target.deadline.saturating_duration_since(Instant::now()));
        let roster = off_loop(move || Roster::ask(&program, limit)).await?;
        let warning = roster::settle(roster, &mut target.settings)?;
        target.warnings.extend(warning);
    }
    let parts = make_parts(draft, &mut target, lead)?;
    let sent = parts.first().and_then(|part| part.call(0).get(MsgType::TemplateCard.as_str()).cloned());
    let has_card = sent.is_some_and(|sent| card.set(sent).is_ok() || card.get().is_some());
    let message = TargetMessage::new(session, target, parts, draft);
    let delivered = Box::pin(message.deliver()).await;
    let response_code = delivered.outcome.parts.iter().find_map(|part| part.response_code.clone());
    Ok(Dispatched { outcome: delivered.outcome, warnings: delivered.warnings, has_card, response_code })
}

impl Dispatched {
    fn failed(error: Error) -> Self {
        Self { outcome: Outcome::not_delivered(error), warnings: Vec::new(), has_card: false, response_code: None }
    }
}
