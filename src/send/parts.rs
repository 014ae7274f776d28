//! Makes the parts of a message for one target from a draft, and validates them: first text or alert, then mentions,
//! then files.
//!
//! Everything that can be found wrong without WeCom is found here, before anything is sent.

use std::borrow::Cow;

use serde_json::Value;

use crate::alert::{Alert, Fitted, Rendered, escape, prefix_before};
use crate::channel::{Markup, MsgType};
use crate::config::{OnLong, Settings};
use crate::error::{Error, Result};
use crate::input::{Attachment, clean};
use crate::message::app::{AppArticle, AppNews, AppText, Media, Textcard, Video};
use crate::message::card::CardType;
use crate::message::media::MediaKind;
use crate::message::recipients::RecipientKind;
use crate::message::{Findings, Part, PartKind, body_of, check_body, unsupported_markup, without_fonts};
use crate::sanitize::excerpt;

use super::draft::{Draft, Material};
use super::files::PENDING_MEDIA_ID;
use super::long_text::{self, fit, host};
use super::mention::Mentions;
use super::target::Target;
use super::{draft, files, payload};

/// Makes the parts of the message that a target gets. `lead` is a line before its text.
pub(super) fn make_parts(draft: &Draft, target: &mut Target, lead: Option<&str>) -> Result<Vec<Part>> {
    let draft = draft::for_target(draft, target)?;
    target.lost.clone_from(&draft.lost);
    let unsupported = draft.own_text().and_then(|(msgtype, text)| unsupported_markup(msgtype, target.channel, text));
    target.warnings.extend(unsupported);
    payload::set_people(draft.payload(), target)?;
    let mut parts = unchecked_parts(&draft, target, lead)?;
    let is_long = parts.len() > 1;
    let mut last = None;
    for (index, part) in parts.iter_mut().enumerate() {
        let told = target.warnings.len();
        let checked = payload::complete(part, target).and_then(|()| check(part, target));
        if index > 0 {
            // What holds for one part holds for all: it is said once.
            target.warnings.truncate(told);
        }
        checked?;
        if is_long {
            part.share_body(&mut last);
        }
    }
    Ok(parts)
}

/// Holds each call of a part against the rules.
fn check(part: &Part, target: &mut Target) -> Result<()> {
    if part.is_inline() {
        // The file was checked; the body is filled in when it is sent.
        return Ok(());
    }
    for number in 0..part.count_calls() {
        let body = with_stand_in(part.call(number), target);
        let mut findings = check_body(target.channel, &body);
        if number > 0 {
            findings.warnings.clear();
        }
        let is_for_nobody = body.as_object().is_some_and(|fields| !payload::names_recipients(fields));
        settle(findings, target).map_err(|error| if is_for_nobody { target.or_its_chat(error) } else { error })?;
    }
    Ok(())
}

/// The body of a call with a userid in place of those that are not known yet: of people who are looked up, and of a program
/// that says who gets it.
pub(super) fn with_stand_in<'b>(mut body: Cow<'b, Value>, target: &Target) -> Cow<'b, Value> {
    if target.has_open_recipients {
        add_users(body.to_mut(), ["member"]);
    }
    body
}

/// Adds members to the recipients of a body, each once.
pub(super) fn add_users<'i>(body: &mut Value, userids: impl IntoIterator<Item = &'i str>) {
    let field = RecipientKind::User.as_str();
    let own = body.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut ids: Vec<&str> = own.split('|').filter(|id| !id.is_empty()).collect();
    for userid in userids {
        if !ids.iter().any(|known| known.eq_ignore_ascii_case(userid)) {
            ids.push(userid);
        }
    }
    if !ids.is_empty() {
        body[field] = ids.join("|").into();
    }
}

/// Holds a payload against the rules, as its part will be.
pub(super) fn check_payload(body: &Value, target: &mut Target) -> Result<()> {
    let mut part = Part::message(body.clone());
    let told = target.warnings.len();
    payload::set_people(Some(body), target)?;
    let checked = payload::complete(&mut part, target).and_then(|()| check(&part, target));
    target.warnings.truncate(told);
    checked
}

/// How many findings are reported at once: a wholly wrong payload has hundreds.
const MOST_FINDINGS: usize = 5;

/// Refuses a message that breaks hard rules, or warns of that when WeCom is to decide.
pub(super) fn settle(findings: Findings, target: &mut Target) -> Result<()> {
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
pub(super) fn unchecked_parts(draft: &Draft, target: &mut Target, lead: Option<&str>) -> Result<Vec<Part>> {
    let mentions = Mentions::of(draft, target)?;
    // Only the text of a notification is made of links.
    let is_by_weight = matches!(&draft.material, Material::Alert(alert) if alert.has_links_in_body);
    let frame = Frame { target, prefix: prefix(&target.settings), lead, is_by_weight, mention: &mentions.inline };
    let msgtype = draft.msgtype;
    let mut parts = match (&draft.material, &draft.text) {
        (Material::Payload(body), _) => vec![Part::message(body.clone())],
        (Material::Alert(given), _) => alert_parts(given, msgtype, &frame)?,
        (Material::File(MediaKind::Image, file), _) if target.channel.has_inline_pictures() => {
            vec![Part::inline_picture(file.clone(), PartKind::Message)]
        }
        (Material::File(kind, file), _) => media_parts(draft, Some((*kind, file.clone())), PENDING_MEDIA_ID, &frame)?,
        (Material::MediaId(id), _) => media_parts(draft, None, id, &frame)?,
        (Material::Nothing, Some(text)) => {
            let markup = frame.target.channel.markup(msgtype);
            let prefix = prefix_before(markup, frame.prefix.as_deref(), text);
            // An aibot's markdown has no colours: their tags would be shown.
            let is_adapted = msgtype == MsgType::Markdown && markup == Markup::MarkdownV2;
            let text = if is_adapted { without_fonts(text) } else { Cow::Borrowed(text.as_str()) };
            let text = frame.with_lead(&text, msgtype);
            text_parts(&prefix, &text, msgtype, &frame, || Cow::Borrowed(&*text))?
        }
        (Material::Nothing, None) => Vec::new(),
    };
    mentions.add_to(&mut parts, || short_text(draft, &frame));
    for file in &draft.attached {
        parts.push(files::part(file, target.channel)?);
    }
    Ok(parts)
}

/// A message about a file that is uploaded first, or was before; the text of a video is below it.
fn media_parts(
    draft: &Draft,
    file: Option<(MediaKind, Attachment)>,
    media_id: &str,
    frame: &Frame<'_>,
) -> Result<Vec<Part>> {
    let (msgtype, media_id) = (draft.msgtype, media_id.to_owned());
    if msgtype != MsgType::Video {
        return Ok(vec![Part::new(PartKind::Message, body_of(msgtype, &Media { media_id }), file, None)]);
    }
    let text = draft.text.as_ref().map(|text| frame.with_lead(text, msgtype)).unwrap_or_default();
    let title = &frame.target.settings.title;
    let mut parts =
        fit(&text, msgtype, 0, frame.target, frame.is_by_weight, || Cow::Borrowed(&*text)).into_parts(|text| {
            let description = Some(text).filter(|text| !text.is_empty());
            body_of(msgtype, &Video { media_id: media_id.clone(), title: title.clone(), description })
        })?;
    parts.iter_mut().take(1).for_each(|part| part.file = file.clone());
    Ok(parts)
}

/// The first line of a message, for a short text after it that mentions somebody. Where the message has no words, an arrow
/// points to it, or to the files that follow.
fn short_text(draft: &Draft, frame: &Frame<'_>) -> String {
    const LONGEST: usize = 60;
    let text = match &draft.material {
        Material::Payload(_) => None,
        Material::Alert(alert) => Some(Cow::Owned(alert.text().joined())),
        _ => draft.text(),
    };
    let arrow = if draft.is_wordless() { "⬇" } else { "⬆" };
    let line = text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty())).unwrap_or(arrow);
    let line = excerpt(line.trim(), LONGEST);
    prefix_before(Markup::Plain, frame.prefix.as_deref(), &line) + &line
}

/// The messages of one long text, each with the prefix; `whole` is what a file of it holds.
fn text_parts<'t>(
    prefix: &str,
    text: &str,
    msgtype: MsgType,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
) -> Result<Vec<Part>> {
    // Only the first part mentions somebody: each mention notifies.
    let mut mention = frame.mention;
    fit(text, msgtype, prefix.len() + mention.len(), frame.target, frame.is_by_weight, whole).into_parts(|text| {
        // The content of text and of both kinds of markdown is the same.
        body_of(msgtype, &AppText { content: format!("{prefix}{text}{}", std::mem::take(&mut mention)) })
    })
}

/// One target, and what its messages have around their text.
struct Frame<'a> {
    target: &'a Target,
    /// Before title or text, on every part.
    prefix: Option<String>,
    /// A line before the text.
    lead: Option<&'a str>,
    /// What counts most comes first, as in a notification.
    is_by_weight: bool,
    /// After the text of the first part; empty where nobody is mentioned there.
    mention: &'a str,
}

impl Frame<'_> {
    /// A text with the lead before it.
    fn with_lead<'t>(&self, text: &'t str, msgtype: MsgType) -> Cow<'t, str> {
        // In markdown_v2 a single line break does not end a paragraph.
        let is_v2 = self.target.channel.markup(msgtype) == Markup::MarkdownV2;
        let between = if is_v2 { "\n\n" } else { "\n" };
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
    let profile = settings.profile.as_deref().unwrap_or(settings.language.words().environment);
    Some(clean(prefix).replace("{profile}", profile).replace("{host}", &host()))
}

/// The parts of an alert as this type.
fn alert_parts(given: &Alert, msgtype: MsgType, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut alert = Cow::Borrowed(given);
    if frame.prefix.is_some() {
        alert.to_mut().prefix.clone_from(&frame.prefix);
    }
    let rendered = match (msgtype, frame.target.channel.markup(msgtype)) {
        (MsgType::Markdown | MsgType::MarkdownV2, Markup::MarkdownV2) => Some(alert.markdown_v2()),
        (MsgType::Markdown, _) => Some(alert.markdown()),
        (MsgType::Text, _) => Some(alert.text()),
        _ => None,
    };
    if let Some(Rendered { prefix, text }) = rendered {
        let whole = || Cow::Owned(frame.with_lead(&alert.plain_text().joined(), MsgType::Text).into_owned());
        return text_parts(&prefix, &frame.with_lead(&text, msgtype), msgtype, frame, whole);
    }
    // The other types have places of their own for title and link, and the lead is put before the text.
    if frame.lead.is_some() {
        let led = frame.with_lead(alert.body.as_deref().unwrap_or_default(), msgtype).into_owned();
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
    let Fitted { content: mut card, rest } = alert.textcard()?;
    card.title = unfitted_title(alert, frame).unwrap_or(card.title);
    if rest.is_none() && alert.is_coloured() {
        return Ok(vec![Part::message(body_of(MsgType::Textcard, &card))]);
    }
    // Copies of a long text: none is kept while the parts are made.
    drop(rest);
    let text = alert.textcard_description();
    let fitted = fit(&text, MsgType::Textcard, 0, frame.target, frame.is_by_weight, || Cow::Owned(alert.description()));
    drop(text);
    fitted.into_parts(|description| body_of(MsgType::Textcard, &Textcard { description, ..card.clone() }))
}

fn articles(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut article = alert.article()?.content;
    article.title = unfitted_title(alert, frame).unwrap_or(article.title);
    let text = alert.description();
    let fitted = fit(&text, MsgType::News, 0, frame.target, frame.is_by_weight, || Cow::Borrowed(&*text));
    drop(text);
    fitted.into_parts(|text| {
        let description = Some(text).filter(|text| !text.is_empty());
        let article = AppArticle { description, ..article.clone() };
        body_of(MsgType::News, &AppNews { articles: vec![article] })
    })
}

/// The whole title, where nothing may be shortened: the rules refuse one that has no room.
fn unfitted_title(alert: &Alert, frame: &Frame<'_>) -> Option<String> {
    alert.full_title().filter(|_| frame.target.settings.on_long == OnLong::Fail)
}

/// A card, and after it what has no room on it.
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
                "shorten it, or leave --on-long fail out: what is left follows the card",
            ));
        }
        OnLong::Truncate => {}
        OnLong::File => {
            for file in long_text::in_file(&alert.plain_text().joined(), alert.language.words()) {
                parts.push(files::by_upload(MediaKind::File, file)?);
            }
        }
        OnLong::Auto | OnLong::Split => {
            // It is a message of its own, and says what it belongs to.
            let title = alert.heading().filter(|title| !rest.starts_with(title.as_str()));
            let rest = title.map(|title| format!("{title}\n{rest}")).unwrap_or(rest);
            let (msgtype, shown) = escape::plain(frame.target.channel, &rest);
            let prefix = prefix_before(frame.target.channel.markup(msgtype), frame.prefix.as_deref(), &rest);
            parts.extend(text_parts(&prefix, &shown, msgtype, frame, || Cow::Owned(alert.plain_text().joined()))?);
        }
    }
    Ok(parts)
}

/// A task id that no other card of the app has: they may not come twice (document path 90236).
fn new_task_id() -> String {
    format!("alert-{:x}-{:016x}", crate::clock::now_ms(), fastrand::u64(..))
}
