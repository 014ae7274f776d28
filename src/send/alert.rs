//! An alert made into the messages of its type, as many as it takes.

use serde_json::Value;

use std::borrow::Cow;

use crate::alert::{Alert, Rendered, prefix_before};
use crate::channel::Channel;
use crate::config::OnLong;
use crate::error::{Error, Result};
use crate::message::app::Textcard;
use crate::message::card::CardType;
use crate::message::{Part, body_of};

use super::long::{self, Pieces};
use super::texts::{Frame, texts, whole_text};

/// The parts of an alert as this type.
pub(super) fn parts(given: &Alert, msgtype: &str, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut alert = match &frame.prefix {
        Some(prefix) => Cow::Owned(Alert { prefix: Some(prefix.clone()), ..given.clone() }),
        None => Cow::Borrowed(given),
    };
    let whole = |alert: &Alert| Cow::Owned(frame.led(&alert.text().joined(), "text").into_owned());
    let as_text = |Rendered { prefix, text }| texts(&prefix, &text, msgtype, frame, || whole(&alert));
    match msgtype {
        "markdown" => return as_text(alert.markdown()),
        "markdown_v2" => return as_text(alert.markdown_v2()),
        "text" => return as_text(alert.text()),
        _ => {}
    }
    // The others have places for their parts, and a line of ours leads the text.
    if frame.lead.is_some() {
        let led = frame.led(alert.body.as_deref().unwrap_or_default(), msgtype).into_owned();
        alert.to_mut().body = Some(led);
    }
    match (msgtype, alert.card) {
        ("textcard", _) => textcards(&alert, frame),
        ("news", _) => articles(&alert, frame),
        ("template_card", Some(card_type)) => card(alert.into_owned(), card_type, frame),
        ("template_card", None) => Err(Error::usage(
            "a message of type template_card needs to know which card it is",
            "say it with --card, or give the object under template_card with --payload FILE",
        )),
        _ => Err(Error::defect(format!("an alert cannot be of type {msgtype}"))),
    }
}

fn textcards(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut fitted = alert.textcard()?;
    keep_whole(&mut fitted.content.title, alert, frame);
    if fitted.rest.is_none() && alert.is_coloured() {
        return Ok(vec![Part::message(body_of("textcard", &fitted.content)?)]);
    }
    described(alert, "textcard", alert.textcard_description(), frame, |description| {
        let description = description.unwrap_or_default();
        body_of("textcard", &Textcard { description, ..fitted.content.clone() })
    })
}

fn articles(alert: &Alert, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let mut message = match frame.channel {
        Channel::App => {
            let mut news = alert.app_news()?.content;
            news.articles.iter_mut().for_each(|article| keep_whole(&mut article.title, alert, frame));
            body_of("news", &news)?
        }
        Channel::Webhook => {
            let mut news = alert.webhook_news()?.content;
            news.articles.iter_mut().for_each(|article| keep_whole(&mut article.title, alert, frame));
            body_of("news", &news)?
        }
    };
    described(alert, "news", alert.description(), frame, |description| {
        if let Some(description) = description {
            message["news"]["articles"][0]["description"] = Value::from(description);
        }
        Ok(message.clone())
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
    msgtype: &str,
    description: String,
    frame: &Frame<'_>,
    mut message: impl FnMut(Option<String>) -> Result<Value>,
) -> Result<Vec<Part>> {
    if description.is_empty() {
        return Ok(vec![Part::message(message(None)?)]);
    }
    let place = long::Place { channel: frame.channel, msgtype, taken: 0 };
    let Pieces { texts, files } = long::fit(&description, place, frame.settings, || Cow::Owned(alert.description()));
    let mut parts = Vec::new();
    for text in texts {
        parts.push(Part::message(message(Some(text))?));
    }
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// A card, and behind it what has no room on it.
fn card(mut alert: Alert, card_type: CardType, frame: &Frame<'_>) -> Result<Vec<Part>> {
    if !card_type.is_notice() && frame.channel.has_interactive_cards() {
        alert.task_id = Some(alert.task_id.unwrap_or_else(new_task_id));
    }
    let fitted = alert.card(card_type, frame.channel)?;
    let mut parts = vec![Part::message(body_of("template_card", &fitted.content)?)];
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
        OnLong::File => parts.extend(whole_text(long::in_file(&alert.text().joined()))?),
        OnLong::Auto | OnLong::Split => {
            let prefix = prefix_before("text", frame.prefix.as_deref(), &rest);
            let behind = Frame { lead: None, prefix: None, mention: String::new(), ..*frame };
            parts.extend(texts(&prefix, &rest, "text", &behind, || Cow::Owned(alert.text().joined()))?);
        }
    }
    Ok(parts)
}

/// A task id that no other card of the app has: they may not come twice (document path 90236).
fn new_task_id() -> String {
    format!("alert-{:x}-{:016x}", crate::clock::now_ms(), fastrand::u64(..))
}
