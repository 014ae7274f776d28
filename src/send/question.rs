//! A question on its way: it is read once, and goes to each target by itself when its time has come; `ask` says when.

use std::cell::OnceCell;
use std::time::Instant;

use serde_json::Value;

use crate::alert::Alert;
use crate::blocking::off_loop;
use crate::channel::{Channel, MsgType};
use crate::delivery::{Outcome, PlannedRequest};
use crate::error::{Error, Result};

use super::draft::{Draft, Material};
use super::dry_run;
use super::msgtype::{TypeOrigin, best_type};
use super::parts::make_parts;
use super::place::Place;
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
