//! Options, text, payload and files are read, once, into a draft.

use std::sync::Arc;

use crate::alert::Alert;
use crate::ci::Context;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::message::msgtypes;
use crate::template::Target;

use super::content::{Body, TextRule, read_body, text_rule, unless_empty};
use super::draft::{ChosenType, Draft, Material, TypeOrigin};
use super::feed::{self, Fed};
use super::kind::{best_type, check_type, choose_type, is_made_of_alert, refuse_unused, unknown_type};
use super::request::Request;
use super::source::{Feed, Source};
use super::{attach, happening, payload};

/// Reads what is to be said, or `None` when the text was empty and that is to be passed over.
pub(super) fn read(
    request: &Request,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<Draft>> {
    let (content, channel) = (&request.content, request.channel);
    let source = Source::of(content)?;
    if matches!(source, Source::File(MediaKind::Video, _)) && !msgtypes(channel).contains(&"video") {
        let noun = channel.facts().noun;
        return Err(Error::usage(format!("{noun} has no video messages"), "send it as a file, with --file"));
    }
    let is_fed = matches!(&source, Source::Feed(feed) if feed.template.is_none());
    let says_more = is_fed || request.own.is_some() || request.first_alert_option().is_some();
    let chosen = choose_type(request, &source, says_more, settings)?;
    let is_alert = is_made_of_alert(&chosen.name, says_more);
    let (material, text) = match &source {
        Source::Payload(path) => {
            refuse_unused(request, None)?;
            (Material::Payload(payload::read(path, &chosen)?), None)
        }
        Source::Feed(feed) => match read_feed(request, feed, &chosen, is_alert, settings, ci, warnings)? {
            Some(fed) => fed,
            None => return Ok(None),
        },
        Source::Text if is_alert => match read_alert(request, &chosen, settings, ci, warnings)? {
            Some(alert) => (Material::Alert(Box::new(alert)), None),
            None => return Ok(None),
        },
        _ => match read_plain(request, &source, &chosen, settings, warnings)? {
            Some(plain) => plain,
            None => return Ok(None),
        },
    };
    let names_used = usize::from(matches!(source, Source::File(..)));
    let attached = attach::open_all(content, names_used)?;
    attach::check_all(&attached, channel, settings, warnings)?;
    let text = text.map(Arc::new);
    let mut draft = Draft { chosen, material, text, attached, given: request.given, made_for: channel };
    if let Material::Alert(alert) = &draft.material {
        if draft.chosen.origin == TypeOrigin::Best {
            draft.chosen.name = best_type(alert, channel, settings).to_owned();
        }
        happening::check_link(alert, &draft.chosen.name, channel, warnings)?;
    }
    Ok(Some(draft))
}

/// What happened, by options and text.
fn read_alert(
    request: &Request,
    chosen: &ChosenType,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<Alert>> {
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, request.channel)?;
    }
    let mut alert = happening::put_together(request, settings, request.own.clone(), ci)?;
    if request.own.is_some() {
        return Ok(Some(alert));
    }
    // What it says besides may be all there is to say.
    let rule = if alert.says_something() { TextRule::Optional } else { TextRule::Required };
    match read_body(request, &chosen.name, rule, &Source::Text, settings, warnings)? {
        Body::Text(text) => alert.body = Some(text),
        Body::Absent => {}
        Body::Skipped => return Ok(None),
    }
    Ok(Some(alert))
}

/// What a machine sent, or what a template made of it.
fn read_feed(
    request: &Request,
    feed: &Feed,
    chosen: &ChosenType,
    is_alert: bool,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let target = match chosen.name.as_str() {
        // The text of an alert is escaped when that is rendered.
        _ if is_alert => Target::Text,
        "markdown" => Target::Markdown,
        "markdown_v2" => Target::MarkdownV2,
        _ => Target::Text,
    };
    let (own, text) = match feed::read(feed, target)? {
        Fed::Payload(name, json) => {
            refuse_unused(request, None)?;
            return Ok(Some((Material::Payload(payload::of_text(&name, &json, chosen)?), None)));
        }
        Fed::Alert(own) => (Some(*own), None),
        Fed::Text(text) => match unless_empty(text, request, settings, || Err(empty_template()))? {
            Body::Text(text) => (None, Some(text)),
            Body::Absent | Body::Skipped => return Ok(None),
        },
    };
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, request.channel)?;
    }
    if !is_alert {
        return Ok(Some((Material::Nothing, text)));
    }
    let is_notification = own.is_some();
    let mut alert = happening::put_together(request, settings, own, ci)?;
    if is_notification {
        happening::do_without_picture(&mut alert, warnings);
    }
    alert.body = text.or(alert.body);
    Ok(Some((Material::Alert(Box::new(alert)), None)))
}

fn empty_template() -> Error {
    Error::usage(
        "the text is empty: the template makes nothing but white space of this data",
        "correct the template; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}

/// A text as it is, a file, or files alone.
fn read_plain(
    request: &Request,
    source: &Source,
    chosen: &ChosenType,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let (content, channel, msgtype) = (&request.content, request.channel, chosen.name.as_str());
    let material = match source {
        Source::File(kind, path) => {
            Material::File(*kind, Attachment::open(path, content.filename.first().map(String::as_str))?)
        }
        Source::MediaId(id) => Material::MediaId(id.clone()),
        Source::Text | Source::Payload(_) | Source::Feed(_) => Material::Nothing,
    };
    check_type(chosen, &material, channel)?;
    let rule = match text_rule(msgtype) {
        TextRule::Required if !content.attach.is_empty() => TextRule::Optional,
        rule => rule,
    };
    if let Material::File(kind, file) = &material {
        // Of what is to be sent, a file that the channel does not take is the first thing to be said.
        refuse_unused(request, Some(msgtype))?;
        attach::check_file(*kind, file, channel, settings, warnings)?;
    } else if matches!(material, Material::MediaId(_)) {
        refuse_unused(request, Some(msgtype))?;
    } else if rule == TextRule::None {
        return Err(unknown_type(chosen, channel));
    }
    Ok(match read_body(request, msgtype, rule, source, settings, warnings)? {
        Body::Text(text) => Some((material, Some(text))),
        Body::Absent => Some((material, None)),
        Body::Skipped => None,
    })
}
