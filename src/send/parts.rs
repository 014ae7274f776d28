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
use crate::input::{Attachment, clean};
use crate::message::app::{Text, Textcard, Video};
use crate::message::card::CardType;
use crate::message::media::MediaKind;
use crate::message::{Finding, Findings, Markdown, Media, Part, PartKind, body_of, check_body};
use crate::sanitize::excerpt;

use super::draft::{Draft, Material};
use super::long_text::{self, Pieces, host};
use super::mention::Mentions;
use super::request::Given;
use super::{draft, files, payload};

/// Makes the parts of the message that a target gets. `lead` stands before its text.
pub(super) fn make(
    draft: &Draft,
    channel: Channel,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>> {
    let draft = draft::to_channel(draft, channel, settings, warnings)?;
    let mut parts = parts(&draft, channel, settings, lead, warnings)?;
    for (index, part) in parts.iter_mut().enumerate() {
        // What holds for one part holds for all: it is said once.
        let mut repeated = Vec::new();
        let warnings = if index == 0 { &mut *warnings } else { &mut repeated };
        match channel.facts().addressing {
            Addressing::Recipients => {
                // A file of our own making gets of the options what it can have.
                let given = if part.kind == PartKind::Message { draft.given } else { Given::default() };
                payload::complete_app_body(&mut part.body, given, settings, warnings)?;
            }
            Addressing::Credential => {}
        }
        check(channel, part, settings, warnings)?;
    }
    Ok(parts)
}

/// Holds each call of a part against the rules.
fn check(channel: Channel, part: &Part, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    if part.is_inline() {
        // The file was checked; the body is filled in when it is sent.
        return Ok(());
    }
    for number in 0..part.count_calls() {
        let mut findings = check_body(channel, &part.call(number));
        if number > 0 {
            findings.warnings.clear();
        }
        settle(findings, settings, warnings)?;
    }
    Ok(())
}

/// How many findings are told at once: a wholly wrong payload has hundreds.
const MOST_FINDINGS: usize = 5;

/// Refuses a message that breaks hard rules, or warns of that when WeCom is to decide.
fn settle(findings: Findings, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    warnings.extend(findings.warnings.iter().map(ToString::to_string));
    if settings.no_validate {
        warnings.extend(findings.errors.iter().map(ToString::to_string));
        return Ok(());
    }
    match findings.errors.first() {
        None => Ok(()),
        Some(first) => Err(refusal(&findings.errors, first)),
    }
}

fn refusal(errors: &[Finding], first: &Finding) -> Error {
    let mut told: Vec<String> = errors.iter().take(MOST_FINDINGS).map(ToString::to_string).collect();
    if errors.len() > MOST_FINDINGS {
        told.push(format!("and {} more", errors.len() - MOST_FINDINGS));
    }
    let hint = first
        .hint
        .clone()
        .unwrap_or_else(|| "correct the message, or let WeCom decide with --no-validate; nothing was sent".to_owned());
    Error::usage(told.join("; "), hint)
}

/// The parts of the message: more than one where its text has no room in one.
fn parts(
    draft: &Draft,
    channel: Channel,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>> {
    let mut frame = Frame::new(channel, settings, lead);
    let mentions = Mentions::of(draft, channel, settings)?.settle(draft, settings, warnings)?;
    frame.mention.clone_from(&mentions.inline);
    let mut parts = match (&draft.material, &draft.text) {
        (Material::Payload(body), _) => vec![Part::message(body.clone())],
        (Material::Alert(given), _) => alert_parts(given, draft.msgtype, &frame)?,
        (Material::File(..) | Material::MediaId(_), _) => media_parts(draft, &frame)?,
        (Material::Nothing, Some(text)) => {
            let msgtype = draft.msgtype;
            let prefix = prefix_before(msgtype, frame.prefix.as_deref(), text);
            texts(&prefix, text, msgtype, &frame, || frame.led(text, msgtype))?
        }
        (Material::Nothing, None) => Vec::new(),
    };
    mentions.call(&mut parts, || herald(draft, &frame));
    for file in &draft.attached {
        parts.push(files::part(file, channel)?);
    }
    Ok(parts)
}

/// A message about a file; the text of a video stands below it.
fn media_parts(draft: &Draft, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let (channel, settings, msgtype) = (frame.channel, frame.settings, draft.msgtype);
    let file = match &draft.material {
        Material::File(MediaKind::Image, file) if channel.has_inline_pictures() => {
            return Ok(vec![Part::inline_picture(file.clone(), PartKind::Message)]);
        }
        Material::File(kind, file) => Some((*kind, file.clone())),
        _ => None,
    };
    let media_id = draft.media_id();
    if msgtype != MsgType::Video {
        let body = body_of(msgtype, &Media { media_id });
        return Ok(vec![Part { file, ..Part::message(body) }]);
    }
    let text = draft.text.as_ref().map(|text| frame.led(text, msgtype));
    let place = long_text::Place { channel, msgtype, taken: 0 };
    let Pieces { texts, files } = match &text {
        Some(text) => long_text::fit(text, place, settings, || Cow::Borrowed(&**text)),
        None => Pieces::default(),
    };
    let video = Video { media_id, title: settings.title.clone(), description: texts.into_iter().next() };
    let mut parts = vec![Part { file, ..Part::message(body_of(msgtype, &video)) }];
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// A short line that says what a mention is about.
fn herald(draft: &Draft, frame: &Frame<'_>) -> String {
    const LONGEST: usize = 60;
    let text = match &draft.material {
        Material::Payload(_) => None,
        _ => draft.text(),
    };
    // Of what has no words, the message before it or the files behind it.
    let pointer = if draft.is_wordless() { "⬇" } else { "⬆" };
    let line = text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty())).unwrap_or(pointer);
    let line = excerpt(line.trim(), LONGEST);
    prefix_before(MsgType::Text, frame.prefix.as_deref(), &line) + &line
}

/// The messages of one long text, framed; `whole` is what a file of it holds.
fn texts<'t>(
    prefix: &str,
    text: &str,
    msgtype: MsgType,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
) -> Result<Vec<Part>> {
    let text = frame.led(text, msgtype);
    let place = long_text::Place { channel: frame.channel, msgtype, taken: prefix.len() + frame.mention.len() };
    let Pieces { texts, files } = long_text::fit(&text, place, frame.settings, whole);
    let mut parts = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        // Who is mentioned is called once, by the first part.
        let mention = if index == 0 { frame.mention.as_str() } else { "" };
        let content = format!("{prefix}{text}{mention}");
        parts.push(Part::message(match msgtype {
            MsgType::Text => body_of(msgtype, &Text { content }),
            _ => body_of(msgtype, &Markdown { content }),
        }));
    }
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// The parts that are the whole text as files.
fn whole_text(files: Vec<Attachment>) -> Result<Vec<Part>> {
    files.into_iter().map(|file| files::by_upload(MediaKind::File, file)).collect()
}

/// One target, and what its messages have around their text.
struct Frame<'a> {
    channel: Channel,
    settings: &'a Settings,
    /// Before title or text, on every part.
    prefix: Option<String>,
    /// A line of ours before the text.
    lead: Option<&'a str>,
    /// Behind the text of the first part; empty where nobody is mentioned there.
    mention: String,
}

impl<'a> Frame<'a> {
    fn new(channel: Channel, settings: &'a Settings, lead: Option<&'a str>) -> Self {
        Self { channel, settings, prefix: prefix(settings), lead, mention: String::new() }
    }

    /// A text behind the line of ours.
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
    let as_text = |Rendered { prefix, text }| texts(&prefix, &text, msgtype, frame, || whole(&alert));
    match msgtype {
        MsgType::Markdown => return as_text(alert.markdown()),
        MsgType::MarkdownV2 => return as_text(alert.markdown_v2()),
        MsgType::Text => return as_text(alert.text()),
        _ => {}
    }
    // The others have places for their parts, and a line of ours leads the text.
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
    keep_whole(&mut fitted.content.title, alert, frame);
    if fitted.rest.is_none() && alert.is_coloured() {
        return Ok(vec![Part::message(body_of(MsgType::Textcard, &fitted.content))]);
    }
    described(alert, MsgType::Textcard, alert.textcard_description(), frame, |description| {
        let description = description.unwrap_or_default();
        body_of(MsgType::Textcard, &Textcard { description, ..fitted.content.clone() })
    })
}

fn articles(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut message = match frame.channel {
        Channel::App => {
            let mut news = alert.app_news()?.content;
            news.articles.iter_mut().for_each(|article| keep_whole(&mut article.title, alert, frame));
            body_of(MsgType::News, &news)
        }
        Channel::Webhook => {
            let mut news = alert.webhook_news()?.content;
            news.articles.iter_mut().for_each(|article| keep_whole(&mut article.title, alert, frame));
            body_of(MsgType::News, &news)
        }
    };
    described(alert, MsgType::News, alert.description(), frame, |description| {
        if let Some(description) = description {
            message[MsgType::News.as_str()]["articles"][0]["description"] = Value::from(description);
        }
        message.clone()
    })
}

/// Where nothing may be shortened, a title that has no room stays whole, and the rules refuse it.
fn keep_whole(title: &mut String, alert: &Alert, frame: &Frame<'_>) {
    if frame.settings.on_long == OnLong::Fail
        && let Some(whole) = alert.full_title()
    {
        *title = whole;
    }
}

/// Messages that differ in their description alone.
fn described(
    alert: &Alert,
    msgtype: MsgType,
    description: String,
    frame: &Frame<'_>,
    mut message: impl FnMut(Option<String>) -> Value,
) -> Result<Vec<Part>> {
    if description.is_empty() {
        return Ok(vec![Part::message(message(None))]);
    }
    let place = long_text::Place { channel: frame.channel, msgtype, taken: 0 };
    let Pieces { texts, files } =
        long_text::fit(&description, place, frame.settings, || Cow::Owned(alert.description()));
    let mut parts: Vec<_> = texts.into_iter().map(|text| Part::message(message(Some(text)))).collect();
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// A card, and behind it what has no room on it.
fn card(mut alert: Alert, card_type: CardType, frame: &Frame<'_>) -> Result<Vec<Part>> {
    if !card_type.is_notice() && frame.channel.has_interactive_cards() {
        alert.task_id = Some(alert.task_id.unwrap_or_else(new_task_id));
    }
    let fitted = alert.card(card_type, frame.channel)?;
    let mut parts = vec![Part::message(body_of(MsgType::TemplateCard, &fitted.content))];
    let Some(rest) = fitted.rest else { return Ok(parts) };
    let settings = frame.settings;
    match settings.on_long {
        OnLong::Fail => {
            return Err(Error::usage(
                format!("the alert has no room on a {} card: {} bytes of it are left", card_type.as_str(), rest.len()),
                "shorten it, or leave --on-long fail out: what is left goes behind the card",
            ));
        }
        OnLong::Truncate => {}
        OnLong::File => parts.extend(whole_text(long_text::in_file(&alert.text().joined()))?),
        OnLong::Auto | OnLong::Split => {
            let prefix = prefix_before(MsgType::Text, frame.prefix.as_deref(), &rest);
            let behind = Frame { lead: None, prefix: None, mention: String::new(), ..*frame };
            parts.extend(texts(&prefix, &rest, MsgType::Text, &behind, || Cow::Owned(alert.text().joined()))?);
        }
    }
    Ok(parts)
}

/// A task id that no other card of the app has: they may not come twice (document path 90236).
fn new_task_id() -> String {
    format!("alert-{:x}-{:016x}", crate::clock::now_ms(), fastrand::u64(..))
}
