//! A draft becomes the parts of a message for one target, held against the rules: text or alert first, then who is
//! mentioned, then the files.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent.

use std::borrow::Cow;

use serde_json::Value;

use crate::alert::{Alert, Rendered, prefix_before};
use crate::channel::{Addressing, Channel, MsgType};
use crate::config::{OnLong, Settings};
use crate::error::{Error, Result};
use crate::input::clean;
use crate::message::app::{AppText, Markdown, Media, Textcard, Video};
use crate::message::card::CardType;
use crate::message::media::MediaKind;
use crate::message::{Findings, Part, PartKind, body_of, check_body};
use crate::sanitize::excerpt;

use super::draft::{Draft, Material};
use super::long_text::{self, Pieces, host};
use super::mention::Mentions;
use super::target::Target;
use super::{draft, files, payload};

/// Makes the parts of the message that a target gets. `lead` is a line before its text.
pub(super) fn make_parts(draft: &Draft, target: &mut Target, lead: Option<&str>) -> Result<Vec<Part>> {
    let draft = draft::for_target(draft, target)?;
    let mut parts = unchecked_parts(&draft, target, lead)?;
    for (index, part) in parts.iter_mut().enumerate() {
        let told = target.warnings.len();
        let checked = complete(part, target).and_then(|()| check(part, target));
        if index > 0 {
            // What holds for one part holds for all: it is said once.
            target.warnings.truncate(told);
        }
        checked?;
    }
    Ok(parts)
}

/// Adds to a part what its channel wants around the content.
fn complete(part: &mut Part, target: &mut Target) -> Result<()> {
    match target.channel.facts().addressing {
        Addressing::Recipients => payload::complete_app_body(part, target),
        Addressing::Credential => Ok(()),
    }
}

/// Holds each call of a part against the rules.
fn check(part: &Part, target: &mut Target) -> Result<()> {
    if part.is_inline() {
        // The file was checked; the body is filled in when it is sent.
        return Ok(());
    }
    for number in 0..part.count_calls() {
        let mut findings = check_body(target.channel, &part.call(number));
        if number > 0 {
            findings.warnings.clear();
        }
        settle(findings, target)?;
    }
    Ok(())
}

/// How many findings are told at once: a wholly wrong payload has hundreds.
const MOST_FINDINGS: usize = 5;

/// Refuses a message that breaks hard rules, or warns of that when WeCom is to decide.
fn settle(findings: Findings, target: &mut Target) -> Result<()> {
    let Target { settings, warnings, .. } = target;
    warnings.extend(findings.warnings.iter().map(ToString::to_string));
    let mut errors = findings.errors.iter().map(ToString::to_string);
    if settings.no_validate {
        warnings.extend(errors);
        return Ok(());
    }
    let Some(first) = findings.errors.first() else { return Ok(()) };
    let mut told: Vec<String> = errors.by_ref().take(MOST_FINDINGS).collect();
    told.extend(Some(errors.count()).filter(|more| *more > 0).map(|more| format!("and {more} more")));
    let default = "correct the message, or let WeCom decide with --no-validate; nothing was sent";
    Err(Error::usage(told.join("; "), first.hint.as_deref().unwrap_or(default)))
}

/// The parts of the message: more than one where its text has no room in one.
fn unchecked_parts(draft: &Draft, target: &mut Target, lead: Option<&str>) -> Result<Vec<Part>> {
    let mentions = Mentions::of(draft, target)?;
    let frame = Frame { target, prefix: prefix(&target.settings), lead, mention: &mentions.inline };
    let mut parts = match (&draft.material, &draft.text) {
        (Material::Payload(body), _) => vec![Part::message(body.clone())],
        (Material::Alert(given), _) => alert_parts(given, draft.msgtype, &frame)?,
        (Material::File(..) | Material::MediaId(_), _) => media_parts(draft, &frame)?,
        (Material::Nothing, Some(text)) => {
            let msgtype = draft.msgtype;
            let prefix = prefix_before(msgtype, frame.prefix.as_deref(), text);
            text_parts(&prefix, text, msgtype, &frame, || frame.led(text, msgtype))?
        }
        (Material::Nothing, None) => Vec::new(),
    };
    mentions.add_to(&mut parts, || short_text(draft, &frame));
    for file in &draft.attached {
        parts.push(files::part(file, target.channel)?);
    }
    Ok(parts)
}

/// A message about a file; the text of a video stands below it.
fn media_parts(draft: &Draft, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let msgtype = draft.msgtype;
    let file = match &draft.material {
        Material::File(MediaKind::Image, file) if frame.target.channel.has_inline_pictures() => {
            return Ok(vec![Part::inline_picture(file.clone(), PartKind::Message)]);
        }
        Material::File(kind, file) => Some((*kind, file.clone())),
        _ => None,
    };
    let media_id = draft.media_id();
    if msgtype != MsgType::Video {
        return Ok(vec![Part { file, ..Part::message(body_of(msgtype, &Media { media_id })) }]);
    }
    let text = draft.text.as_ref().map(|text| frame.led(text, msgtype)).unwrap_or_default();
    let title = &frame.target.settings.title;
    let mut parts = described_parts(
        &text,
        msgtype,
        frame,
        || Cow::Borrowed(&*text),
        |description| body_of(msgtype, &Video { media_id: media_id.clone(), title: title.clone(), description }),
    )?;
    parts.iter_mut().take(1).for_each(|part| part.file = file.clone());
    Ok(parts)
}

/// The first line of a message, for a short text behind it that mentions somebody. Where the message has no words, an arrow
/// points to it, or to the files that follow.
fn short_text(draft: &Draft, frame: &Frame<'_>) -> String {
    const LONGEST: usize = 60;
    let text = match &draft.material {
        Material::Payload(_) => None,
        _ => draft.text(),
    };
    let arrow = if draft.is_wordless() { "⬇" } else { "⬆" };
    let line = text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty())).unwrap_or(arrow);
    let line = excerpt(line.trim(), LONGEST);
    prefix_before(MsgType::Text, frame.prefix.as_deref(), &line) + &line
}

/// The messages of one long text, framed; `whole` is what a file of it holds.
fn text_parts<'t>(
    prefix: &str,
    text: &str,
    msgtype: MsgType,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
) -> Result<Vec<Part>> {
    let text = frame.led(text, msgtype);
    // The first part alone mentions somebody: each mention notifies.
    let mut mention = frame.mention;
    fitted_parts(&text, msgtype, prefix.len() + mention.len(), frame, whole, |text| {
        let content = format!("{prefix}{text}{}", std::mem::take(&mut mention));
        match msgtype {
            MsgType::Text => body_of(msgtype, &AppText { content }),
            _ => body_of(msgtype, &Markdown { content }),
        }
    })
}

/// Messages that differ in their description alone; one without where there is none.
fn described_parts<'t>(
    description: &str,
    msgtype: MsgType,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
    mut body: impl FnMut(Option<String>) -> Value,
) -> Result<Vec<Part>> {
    if description.is_empty() {
        return Ok(vec![Part::message(body(None))]);
    }
    fitted_parts(description, msgtype, 0, frame, whole, |text| body(Some(text)))
}

/// As many messages as a text takes, and behind them the whole text as files where they do not hold all of it. `taken` is
/// how many bytes of each message are not for the text.
fn fitted_parts<'t>(
    text: &str,
    msgtype: MsgType,
    taken: usize,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
    mut body: impl FnMut(String) -> Value,
) -> Result<Vec<Part>> {
    let Pieces { texts, files } = long_text::fit(text, msgtype, taken, frame.target, whole);
    let messages = texts.into_iter().map(|text| Ok(Part::message(body(text))));
    messages.chain(files.into_iter().map(|file| files::by_upload(MediaKind::File, file))).collect()
}

/// One target, and what its messages have around their text.
struct Frame<'a> {
    target: &'a Target,
    /// Before title or text, on every part.
    prefix: Option<String>,
    /// A line before the text.
    lead: Option<&'a str>,
    /// Behind the text of the first part; empty where nobody is mentioned there.
    mention: &'a str,
}

impl Frame<'_> {
    /// A text with the lead before it.
    fn led<'t>(&self, text: &'t str, msgtype: MsgType) -> Cow<'t, str> {
        // In markdown_v2 a single line break does not end a paragraph.
        let between = if msgtype == MsgType::MarkdownV2 { "\n\n" } else { "\n" };
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

/// The parts of an alert as this type.
fn alert_parts(given: &Alert, msgtype: MsgType, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut alert = match &frame.prefix {
        Some(prefix) => Cow::Owned(Alert { prefix: Some(prefix.clone()), ..given.clone() }),
        None => Cow::Borrowed(given),
    };
    let whole = |alert: &Alert| Cow::Owned(frame.led(&alert.text().joined(), MsgType::Text).into_owned());
    let as_text = |Rendered { prefix, text }| text_parts(&prefix, &text, msgtype, frame, || whole(&alert));
    match msgtype {
        MsgType::Markdown => return as_text(alert.markdown()),
        MsgType::MarkdownV2 => return as_text(alert.markdown_v2()),
        MsgType::Text => return as_text(alert.text()),
        _ => {}
    }
    // The other types have places of their own for title and link, and the lead stands before the text.
    if frame.lead.is_some() {
        let led = frame.led(alert.body.as_deref().unwrap_or_default(), msgtype).into_owned();
        alert.to_mut().body = Some(led);
    }
    match (msgtype, alert.card) {
        (MsgType::Textcard, _) => textcards(&alert, frame),
        (MsgType::News, _) => articles(&alert, frame),
        (MsgType::TemplateCard, Some(card_type)) => card(alert.into_owned(), card_type, frame),
        (MsgType::TemplateCard, None) => Err(Error::usage(
            "a message of type template_card needs to know which card it is",
            "say it with --card, or give the object under template_card with --payload FILE",
        )),
        _ => Err(Error::defect(format!("an alert cannot be of type {}", msgtype.as_str()))),
    }
}

fn textcards(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut fitted = alert.textcard()?;
    if let Some(title) = unfitted_title(alert, frame) {
        fitted.content.title = title;
    }
    if fitted.rest.is_none() && alert.is_coloured() {
        return Ok(vec![Part::message(body_of(MsgType::Textcard, &fitted.content))]);
    }
    let whole = || Cow::Owned(alert.description());
    described_parts(&alert.textcard_description(), MsgType::Textcard, frame, whole, |description| {
        let description = description.unwrap_or_default();
        body_of(MsgType::Textcard, &Textcard { description, ..fitted.content.clone() })
    })
}

fn articles(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut message = match frame.target.channel {
        Channel::App => body_of(MsgType::News, &alert.app_news()?.content),
        Channel::Webhook => body_of(MsgType::News, &alert.webhook_news()?.content),
    };
    let article = &mut message["news"]["articles"][0];
    if let Some(title) = unfitted_title(alert, frame) {
        article["title"] = Value::from(title);
    }
    let description = alert.description();
    described_parts(
        &description,
        MsgType::News,
        frame,
        || Cow::Borrowed(&*description),
        |text| {
            let mut message = message.clone();
            if let Some(text) = text {
                message["news"]["articles"][0]["description"] = Value::from(text);
            }
            message
        },
    )
}

/// The whole title, where nothing may be shortened: the rules refuse one that has no room.
fn unfitted_title(alert: &Alert, frame: &Frame<'_>) -> Option<String> {
    alert.full_title().filter(|_| frame.target.settings.on_long == OnLong::Fail)
}

/// A card, and behind it what has no room on it.
fn card(mut alert: Alert, card_type: CardType, frame: &Frame<'_>) -> Result<Vec<Part>> {
    if !card_type.is_notice() && frame.target.channel.has_interactive_cards() {
        alert.task_id = Some(alert.task_id.unwrap_or_else(new_task_id));
    }
    let fitted = alert.card(card_type, frame.target.channel)?;
    let mut parts = vec![Part::message(body_of(MsgType::TemplateCard, &fitted.content))];
    let Some(rest) = fitted.rest else { return Ok(parts) };
    match frame.target.settings.on_long {
        OnLong::Fail => {
            return Err(Error::usage(
                format!("the alert has no room on a {} card: {} bytes of it are left", card_type.as_str(), rest.len()),
                "shorten it, or leave --on-long fail out: what is left goes behind the card",
            ));
        }
        OnLong::Truncate => {}
        OnLong::File => {
            for file in long_text::in_file(&alert.text().joined()) {
                parts.push(files::by_upload(MediaKind::File, file)?);
            }
        }
        OnLong::Auto | OnLong::Split => {
            let prefix = prefix_before(MsgType::Text, frame.prefix.as_deref(), &rest);
            let behind = Frame { lead: None, prefix: None, mention: "", ..*frame };
            parts.extend(text_parts(&prefix, &rest, MsgType::Text, &behind, || Cow::Owned(alert.text().joined()))?);
        }
    }
    Ok(parts)
}

/// A task id that no other card of the app has: they may not come twice (document path 90236).
fn new_task_id() -> String {
    format!("alert-{:x}-{:016x}", crate::clock::now_ms(), fastrand::u64(..))
}
